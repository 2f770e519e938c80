"""Ed25519: keys in every spelling, signatures that hold and that do not, and openssl as the judge of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import wno
from wasi_native import aot, aot_sign
from wasi_native.aot_sign import Unsigned, new_key, public_key, sign, verify
from wasi_native.errors import ModuleError

PRIVATE, PUBLIC = new_key()
KEY = public_key(PUBLIC)
PLAIN = wno.file()

# RFC 8032, 7.1, test 1.
RFC_PRIVATE = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
RFC_PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def openssl(*args: object) -> bytes:
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True).stdout


def test_public_keys_in_every_spelling() -> None:
    raw = bytes.fromhex(KEY)
    for value in (KEY, KEY.upper(), f"  {KEY}\n", raw, PUBLIC, PUBLIC.decode(), KEY.encode()):
        assert public_key(value) == KEY
    assert public_key("a comment\n" + PUBLIC.decode() + "another") == KEY


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "not an Ed25519 public key"),
        ("5a", "not an Ed25519 public key"),
        (b"k" * 31, "not an Ed25519 public key"),
        ("zz" * 32, "not an Ed25519 public key"),
        ("-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----", "not an Ed25519 public key"),
        ("-----BEGIN PUBLIC KEY-----\nü\n-----END PUBLIC KEY-----", "not an Ed25519 public key"),
        (PUBLIC[:60], "not an Ed25519 public key"),
        (PRIVATE, "this is a private key"),
        (bytes(32), "no public key of anybody"),
        ("00" * 32, "no public key of anybody"),
    ],
)
def test_what_is_no_public_key(value: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        public_key(value)


def test_points_that_anybody_can_sign_for() -> None:
    """All encodings whose order divides 8: computed here by doubling three times."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    assert len(set(aot_sign._SMALL)) == 5
    for y in aot_sign._SMALL:
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        x = x if x * x % p == square else x * pow(2, (p - 1) // 4, p) % p
        assert x * x % p == square
        point = (x, y)
        for _ in range(3):
            x, y = point
            k = d * x * x * y * y % p
            point = (2 * x * y * pow(1 + k, -1, p) % p, (y * y + x * x) * pow(1 - k, -1, p) % p)
        assert point == (0, 1)
    for y in (*aot_sign._SMALL, p, p + 1):
        for sign_bit in (0, 1 << 255):
            with pytest.raises(ValueError, match="no public key of anybody"):
                public_key((y | sign_bit).to_bytes(32, "little"))


def test_signed_and_verified() -> None:
    signed = sign("plugin.wno", PLAIN, PRIVATE)
    found = aot.read("plugin.wno", signed)
    assert found.key == KEY and signed[: len(PLAIN)] == PLAIN
    verify(found)
    assert sign("plugin.wno", PLAIN, PRIVATE) == signed  # Ed25519 signs the same in the same way
    other = sign("plugin.wno", signed, new_key()[0])
    assert len(other) == len(signed) and other != signed  # in place of the first
    verify(aot.read("plugin.wno", other))


def test_keys_in_hex() -> None:
    signed = sign("x", PLAIN, RFC_PRIVATE.encode())
    assert aot.read("x", signed).key == RFC_PUBLIC
    verify(aot.read("x", signed))


def test_every_flipped_byte_of_a_signature() -> None:
    signed = sign("plugin.wno", PLAIN, PRIVATE)
    for at in range(len(PLAIN) + 32, len(PLAIN) + 96):
        bad = bytearray(signed)
        bad[at] ^= 4
        with pytest.raises(
            ModuleError, match=f"plugin.wno: tampered with: its signature is not one of the key {KEY}"
        ):
            verify(aot.read("plugin.wno", bytes(bad)))


def test_the_signature_of_another_file() -> None:
    signed = sign("x", PLAIN, PRIVATE)
    other = wno.file(module="other.wasm")
    with pytest.raises(ModuleError, match="tampered with"):
        verify(aot.read("x", other + signed[len(PLAIN) :]))
    claimed = (
        other + bytes.fromhex(KEY) + aot.read("x", sign("x", other, new_key()[0])).signature + b"wno.sign"
    )
    with pytest.raises(ModuleError, match="tampered with"):
        verify(aot.read("x", claimed))


def test_openssl_reads_our_keys_and_we_its(tmp_path: Path) -> None:
    """And each verifies what the other signed."""
    (tmp_path / "ours.pem").write_bytes(PRIVATE)
    assert public_key(openssl("pkey", "-in", tmp_path / "ours.pem", "-pubout")) == KEY
    assert openssl("pkey", "-in", tmp_path / "ours.pem") == PRIVATE
    assert openssl("pkey", "-in", tmp_path / "ours.pem", "-pubout") == PUBLIC
    theirs = openssl("genpkey", "-algorithm", "ed25519")
    (tmp_path / "theirs.pem").write_bytes(theirs)
    (tmp_path / "public.pem").write_bytes(openssl("pkey", "-in", tmp_path / "theirs.pem", "-pubout"))
    found = aot.read("x", sign("x", PLAIN, theirs))
    (tmp_path / "file").write_bytes(PLAIN)
    (tmp_path / "signature").write_bytes(found.signature)
    given = ("-pubin", "-inkey", tmp_path / "public.pem", "-rawin", "-in", tmp_path / "file")
    assert b"Verified" in openssl("pkeyutl", "-verify", *given, "-sigfile", tmp_path / "signature")
    by_openssl = openssl(
        "pkeyutl", "-sign", "-inkey", tmp_path / "theirs.pem", "-rawin", "-in", tmp_path / "file"
    )
    verify(aot.read("x", aot.attach(PLAIN, bytes.fromhex(found.key), by_openssl)))


def test_private_keys_that_are_none() -> None:
    locked = openssl("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret")
    rsa = openssl("genpkey", "-algorithm", "X25519")
    for text, reason in (
        (locked, "the key is encrypted; openssl pkey"),
        (PUBLIC, "this is a public key; signing takes the private one"),
        (rsa, "not an Ed25519 private key"),
        (b"", "openssl genpkey -algorithm ed25519"),
        (b"\xff\x00", "not an Ed25519 private key"),
        (PRIVATE[:70], "not an Ed25519 private key"),
    ):
        with pytest.raises(Unsigned, match=reason):
            sign("x", PLAIN, text)


def test_what_is_no_file_is_not_signed() -> None:
    for data in (b"", PLAIN[:-1], b"\0asm\1\0\0\0", wno.library()):
        with pytest.raises(ModuleError, match=r"bad\.wno: "):
            sign("bad.wno", data, PRIVATE)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = sign("plugin.wno", PLAIN, PRIVATE)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    assert public_key(PUBLIC) == KEY  # reading needs nothing
    with pytest.raises(ModuleError) as caught:
        verify(aot.read("plugin.wno", signed))
    text = str(caught.value)
    assert text.startswith(
        "plugin.wno: its signature cannot be verified: the package cryptography is missing; "
    )
    assert "python -m pip install 'wasi_native[sign]', or allow the file by its hash: " in text
    for make in (new_key, lambda: sign("x", PLAIN, PRIVATE)):
        with pytest.raises(Unsigned, match="cryptography is missing"):
            make()

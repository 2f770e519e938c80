"""Which native code is allowed: as data, and from TOML with the line of a mistake."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from wasi_native.aot_sign import new_key, public_key
from wasi_native.errors import PolicyError
from wasi_native.policy import Native, Policy

HASH, OTHER = "5a" * 32, "c3" * 32
PRIVATE, PUBLIC = new_key()
KEY = public_key(PUBLIC)


def test_nothing_is_allowed_by_default() -> None:
    assert Native().files == Native().keys == () == Policy().native.files
    assert Policy().native == Native() and Native().describe() == []


def test_kept_as_digits() -> None:
    native = Native(files=[HASH.upper(), OTHER], keys=[PUBLIC, bytes.fromhex(KEY), PUBLIC.decode()])
    assert native.files == (HASH, OTHER) and native.keys == (KEY, KEY, KEY)
    assert hash(native) == hash(pickle.loads(pickle.dumps(native)))
    assert Policy(native=native).describe() == [
        f"native code: the file with SHA-256 {HASH}",
        f"native code: the file with SHA-256 {OTHER}",
        *[f"native code: files signed by the Ed25519 key {KEY}"] * 3,
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"files": HASH}, "Native.files: "),
        ({"files": 5}, "Native.files: 5 has the type int; write a list of SHA-256 digests"),
        (
            {"files": [HASH, "x"]},
            "Native.files[1]: 'x' is no SHA-256; write the 64 hex digits that sha256sum prints",
        ),
        ({"files": [HASH[:-1]]}, "Native.files[0]: "),
        ({"files": [bytes(32)]}, "Native.files[0]: "),
        ({"files": ["zz" * 32]}, "Native.files[0]: "),
        ({"keys": KEY}, "Native.keys: "),
        ({"keys": [5]}, "Native.keys[0]: 5 has the type int; write text or bytes"),
        ({"keys": [KEY, "x"]}, "Native.keys[1]: 'x': not an Ed25519 public key; write 64 hex digits"),
        ({"keys": [bytes(32)]}, "no public key of anybody"),
    ],
)
def test_mistakes(given: dict[str, Any], text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Native(**given)
    assert text in str(caught.value)


def test_a_private_key_is_not_repeated() -> None:
    for key in (PRIVATE, PRIVATE.decode()):
        with pytest.raises(PolicyError) as caught:
            Native(keys=[key])
        assert "this is a private key" in str(caught.value) and PRIVATE.decode()[40:60] not in str(
            caught.value
        )


def test_a_policy_takes_no_other_thing() -> None:
    with pytest.raises(PolicyError, match=r"Policy.native: 5 is not a Native; write Native\(\.\.\.\)"):
        Policy(native=5)  # type: ignore[arg-type]


def test_from_toml(tmp_path: Path) -> None:
    text = f"args = ['x']\n[native]\nfiles = ['{HASH}']\nkeys = ['{KEY}', '''\n{PUBLIC.decode()}''']\n"
    assert Policy.from_toml_text(text).native == Native(files=[HASH], keys=[KEY, KEY])
    (tmp_path / "policy.toml").write_text(text)
    assert Policy.from_toml(tmp_path / "policy.toml").native.keys == (KEY, KEY)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("native = 1", "p.toml:1: native: 1 is not a table; write [native] and keys under it"),
        ("[native]\nfile = []", "p.toml:2: native.file: unknown key; did you mean files?"),
        ("[native]\nfiles = 'x'", "p.toml:2: native.files: 'x' is not an array; write files = [\"...\"]"),
        (f"[native]\nfiles = [\n'{HASH}',\n'x']", "p.toml:4: native.files[1]: 'x' is no SHA-256"),
        ("\n[native]\nkeys = ['x']", "p.toml:3: native.keys[0]: 'x': not an Ed25519 public key"),
        ("[native]\nkeys = [1]", "p.toml:2: native.keys[0]: 1 has the type int"),
    ],
)
def test_mistakes_in_toml(text: str, wanted: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_toml_text(text, "p.toml")
    assert str(caught.value).startswith(wanted), str(caught.value)

"""Ed25519 for ``.wno`` files: keys, signing, verifying.

The arithmetic is that of the package ``cryptography``, which is asked for when a signature is made or verified and
not before: a public key is only read here, so that a policy with keys needs nothing installed.
"""

from __future__ import annotations

from binascii import Error as _Base64Error
from binascii import a2b_base64

from . import aot
from .errors import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["INSTALL", "Unsigned", "new_key", "public_key", "sign", "verify"]

INSTALL = "python -m pip install 'wasi_native[sign]'"

_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: what stands before the 32 bytes
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
_P = 2**255 - 19
_ORDER_8 = int("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7", 16)
_SMALL = (0, 1, _P - 1, _ORDER_8, _P - _ORDER_8)  # y of the points of small order: anybody can sign for them
_OPENSSL = "openssl genpkey -algorithm ed25519 -out key.pem"


class Unsigned(Exception):
    """A key that cannot be used, or no package to use it with; the text says the remedy."""


def public_key(value: str | bytes) -> str:
    """An Ed25519 public key as 64 hex digits: from such digits, from 32 bytes, or from PEM text.

    Raises ValueError with the remedy.
    """
    if isinstance(value, bytes) and len(value) == 32 and b"-----" not in value:
        return _sound(value)
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    digits = text.strip().lower()
    if len(digits) == 64 and set(digits) <= set("0123456789abcdef"):
        return _sound(bytes.fromhex(digits))
    if "PRIVATE KEY" in text:
        raise ValueError(
            "this is a private key, which stays where it is; openssl pkey -pubout gives the public one"
        )
    raw = _pem(text, "PUBLIC KEY")
    if len(raw) != 44 or not raw.startswith(_SPKI):
        raise ValueError(
            "not an Ed25519 public key; write 64 hex digits, 32 bytes, or PEM (openssl pkey -pubout)"
        )
    return _sound(raw[12:])


def _sound(raw: bytes) -> str:
    if (int.from_bytes(raw, "little") & (1 << 255) - 1) % _P in _SMALL:
        raise ValueError("this is no public key of anybody, such as 32 zeros")
    return raw.hex()


def _pem(text: str, kind: str) -> bytes:
    """The bytes between the marks; b"" when there are none."""
    _before, begin, rest = text.partition(f"-----BEGIN {kind}-----")
    body, end, _after = rest.partition(f"-----END {kind}-----")
    try:
        return a2b_base64(body.encode("ascii")) if begin and end else b""
    except (UnicodeEncodeError, _Base64Error):
        return b""


def _package() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise Unsigned(f"the package cryptography is missing; {INSTALL}") from None
    return ed25519


def new_key() -> tuple[bytes, bytes]:
    """A new private key and its public key, both PEM, as openssl writes them."""
    from binascii import b2a_base64

    key = _package().Ed25519PrivateKey.generate()
    public = _SPKI + key.public_key().public_bytes_raw()
    parts = []
    for kind, raw in (("PRIVATE", _PKCS8 + key.private_bytes_raw()), ("PUBLIC", public)):
        parts.append(
            b"-----BEGIN %s KEY-----\n%s-----END %s KEY-----\n" % (k := kind.encode(), b2a_base64(raw), k)
        )
    return parts[0], parts[1]


def _private(text: bytes) -> Any:
    words = text.decode("ascii", "replace")
    if "BEGIN ENCRYPTED PRIVATE KEY" in words:
        raise Unsigned("the key is encrypted; openssl pkey -in FILE -out PLAIN decrypts it")
    if "PRIVATE KEY" not in words and "PUBLIC KEY" in words:
        raise Unsigned("this is a public key; signing takes the private one")
    raw, digits = _pem(words, "PRIVATE KEY"), words.strip().lower()
    if len(digits) == 64 and set(digits) <= set("0123456789abcdef"):
        raw = _PKCS8 + bytes.fromhex(digits)
    if len(raw) != 48 or not raw.startswith(_PKCS8):
        raise Unsigned(f"not an Ed25519 private key (PEM, or 64 hex digits); {_OPENSSL}")
    return _package().Ed25519PrivateKey.from_private_bytes(raw[16:])


def sign(name: str, data: bytes, private_key: bytes) -> bytes:
    """The file ``data`` with a signature, in place of one that it has. ``name`` stands in errors.

    Raises ModuleError (no sound file), Unsigned (the key).
    """
    plain = aot.unsigned(data)
    aot.read(name, plain)
    key = _private(private_key)
    return aot.attach(plain, key.public_key().public_bytes_raw(), key.sign(plain))


def verify(wno: aot.Wno) -> None:
    """Whether the signature of the file is one of the key that it names. Raises ModuleError."""
    try:
        package = _package()
    except Unsigned as error:
        raise ModuleError(
            f"{wno.name}: its signature cannot be verified: {error}, or allow the file by its hash: {wno.sha256}"
        ) from None
    from cryptography.exceptions import InvalidSignature

    try:
        package.Ed25519PublicKey.from_public_bytes(bytes.fromhex(wno.key)).verify(wno.signature, wno.signed)
    except InvalidSignature:
        raise ModuleError(
            f"{wno.name}: tampered with: its signature is not one of the key {wno.key}"
        ) from None

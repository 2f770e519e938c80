"""Which native code a host may load: compiled guests, files ``.wno``.

Frozen data, like all of :mod:`wasi_native.policy`, which is where to import this from.
"""

from __future__ import annotations

from . import policy_check as check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from dataclasses import dataclass
else:
    from .record import dataclass

__all__ = ["Native"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """The compiled guests that may be loaded; the default allows none.

    A compiled guest is native code in this process: it can do what the process can, whatever the policy says. So
    name those that you compiled yourself, or got from somebody whom you would let install a library.

    * ``files``: SHA-256 of files, 64 hex digits, as ``wasi-native compile`` and ``sha256sum`` print them
    * ``keys``: Ed25519 public keys (64 hex digits, 32 bytes, or PEM text); a file that one of them has signed is
      allowed. Verifying needs the package ``cryptography``: ``wasi_native[sign]``

    Kept as tuples of hex digits. Raises PolicyError.
    """

    files: Sequence[str] = ()
    keys: Sequence[str | bytes] = ()

    def __post_init__(self) -> None:
        files = []
        for index, value in enumerate(check.many("Native.files", self.files, "SHA-256 digests")):
            digits = value.lower() if isinstance(value, str) else ""
            if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
                fix = "write the 64 hex digits that sha256sum prints"
                check.fail(f"Native.files[{index}]", f"{check.show(value)} is no SHA-256; {fix}")
            files.append(digits)
        keys = []
        for index, value in enumerate(check.many("Native.keys", self.keys, "public keys")):
            keys.append(_key(f"Native.keys[{index}]", value))
        check.put(self, files=tuple(files), keys=tuple(keys))

    def describe(self) -> list[str]:
        """One line for people per file and key."""
        return [
            *(f"native code: the file with SHA-256 {digits}" for digits in self.files),
            *(f"native code: files signed by the Ed25519 key {digits}" for digits in map(str, self.keys)),
        ]


def _key(where: str, value: object) -> str:
    from .aot_sign import public_key

    if not isinstance(value, (str, bytes)):
        check.fail(where, f"{check.show(value)} has the type {type(value).__name__}; write text or bytes")
    try:
        return public_key(value)
    except ValueError as error:
        shown = "" if "PRIVATE" in repr(value) else f"{check.show(value)}: "  # a secret is not for logs
        check.fail(where, f"{shown}{error}")

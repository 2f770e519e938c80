"""SHA-256 without OpenSSL, whose library takes longer to load than a module takes to hash."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 12):
    from _sha2 import sha256 as _sha256  # type: ignore[import-not-found,unused-ignore]
else:
    from _sha256 import sha256 as _sha256  # type: ignore[import-not-found,unused-ignore]

__all__ = ["sha256"]


def sha256(raw: bytes | memoryview) -> str:
    """In hex."""
    return str(_sha256(raw).hexdigest())

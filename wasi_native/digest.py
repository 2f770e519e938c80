"""SHA-256 without OpenSSL, whose library takes longer to load than a module takes to hash."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 12):
    from _sha2 import sha256 as _sha256  # type: ignore[import-not-found,unused-ignore]
else:
    from _sha256 import sha256 as _sha256  # type: ignore[import-not-found,unused-ignore]

__all__ = ["sha256", "sha256_parts"]


def sha256(raw: bytes | memoryview) -> str:
    """In hex."""
    return str(_sha256(raw).hexdigest())


def sha256_parts(raw: memoryview, at: int) -> tuple[str, str]:
    """Of the first ``at`` bytes and of all, in one pass."""
    digest = _sha256(raw[:at])
    first = str(digest.hexdigest())
    digest.update(raw[at:])
    return first, str(digest.hexdigest())

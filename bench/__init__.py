"""Benchmarks that anyone can run again: ``python -m bench``. How to read them: bench/README.md."""

from __future__ import annotations

import sys
from pathlib import Path


def use_built() -> None:
    """A checkout whose core is not built must not hide the package that is installed."""
    top = Path(__file__).resolve().parent.parent
    if not any((top / "wasi_native").glob("_core*.so")):
        sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != top]

"""Where prepared boards are kept."""

from __future__ import annotations

import os
from pathlib import Path

from tests.guests.build import BUILD


class BoardError(Exception):
    """A board cannot be prepared or run here: one sentence that says why, and what helps."""


def home() -> Path:
    """The folder of the cache: ``$WASI_NATIVE_BOARDS``, or one beside the compiled guests."""
    told = os.environ.get("WASI_NATIVE_BOARDS")
    folder = Path(told).resolve() if told else BUILD / "boards"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""Components: the decoder of their binaries, their types, their worlds as WIT text.

Nothing here needs an engine: a component is decoded by us, and an engine sees core modules alone.
"""

from __future__ import annotations

from .binary import decode
from .model import Component
from .reader import FEATURES

__all__ = ["FEATURES", "Component", "decode"]

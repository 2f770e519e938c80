"""On an emulated board the tests ask the machine around it for what they compile: guests, text modules, libraries.

``WASI_NATIVE_BUILDER`` is then the socket of tests/boards/builder.py; both see the same files.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

SOCKET = os.environ.get("WASI_NATIVE_BUILDER", "")


class RemoteError(Exception):
    """What the builder said."""


def ask(kind: str, **words: object) -> Path:
    """The path of what was built: ``ask("guest", name="hello")``."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(SOCKET)
        line.sendall(json.dumps({"kind": kind, **words}).encode() + b"\n")
        with line.makefile("rb") as file:
            answer = json.loads(file.readline())
    if "error" in answer:
        raise RemoteError(answer["error"])
    return Path(answer["path"])

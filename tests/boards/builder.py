"""Compiles for the tests on an emulated board, which has no compiler: see tests/guests/remote.py."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import socketserver
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.boards import programs
from tests.boards.cache import home
from tests.boards.roots import Root
from tests.engine.libraries import build_wasm3
from tests.guests import aot, build
from tests.house.tree import C_FLAGS, c_files
from tests.mem import probe
from tests.programs import components, wabt
from wasi_native.aot_build import Options, Target


def probe_library(root: Root) -> Path:
    """The canonical ABI of the core for a board: see tests/mem/probe.py."""
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        *root.zig,
        *C_FLAGS,
        "-O1",
        "-fPIC",
        "-shared",
    ]

    def make(part: Path) -> None:
        build.run_tool([*command, *map(str, probe.SOURCES), "-o", str(part)])

    key = build.content_key([build.zig_version(), *command[3:]], [*probe.SOURCES, *c_files()])
    return build.once(home() / f"libprobe-{root.name}.so", key, make)


def answer(root: Root, request: dict[str, Any]) -> Path:
    """Have one thing for a board; its path."""
    kind = request["kind"]
    if kind == "wasm3":
        return build_wasm3(request["tree"], root.zig[0], *root.zig[1:], *request["flags"])
    if kind == "wabt":
        return {"debian": wabt.debian, "npm": wabt.npm}[request["name"]]()
    if kind == "probe":
        return probe_library(root)
    if kind == "guest":
        return build.guest(request["name"])
    if kind == "wat":
        wasm = aot.binary(request["text"])
        out = home() / "wat" / f"{hashlib.sha256(wasm).hexdigest()[:24]}.wasm"
        out.parent.mkdir(exist_ok=True)
        part = out.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        part.write_bytes(wasm)
        return part.replace(out)
    if kind == "component":
        return components.c_component()
    if kind == "wno":
        return aot.program(Path(request["module"]), Target(*request["target"]))
    if kind == "program":
        return programs.made(request["name"], Target(*request["target"]))
    if kind == "aot":
        options = Options(**request["options"])
        wasm = request["wasm"]
        source = [*map(base64.b64decode, wasm)] if isinstance(wasm, list) else base64.b64decode(wasm)
        return aot.library(source, options, Target(*request["target"]))
    raise ValueError(f"a request of kind {kind!r}")


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            found = {"path": str(answer(self.server.root, json.loads(self.rfile.readline())))}
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        self.wfile.write(json.dumps(found).encode() + b"\n")


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, root: Root) -> None:
        super().__init__(path, _Handler)
        self.root = root


@contextlib.contextmanager
def serving(root: Root) -> Iterator[str]:
    """The path of a socket on which the requests of a board are answered."""
    with tempfile.TemporaryDirectory(prefix="boards-") as folder:
        path = str(Path(folder) / "builder")
        with _Server(path, root) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield path
            server.shutdown()

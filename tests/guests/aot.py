"""Modules of the tests compiled ahead of time, kept in ``build/`` as long as their inputs stay the same."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.guests import remote
from tests.guests.build import BUILD, content_key, once, run_tool, zig_version
from tests.programs import wabt
from wasi_native import Host, Module, _core, aot_build, engines
from wasi_native.aot_build import Options, Target

ROOT = Path(__file__).resolve().parents[2]
_PARTS = ["wasi_native/aot_build.py", "wasi_native/aot_source.py", "include/wasi_native/aot.h"]
_PARTS += ["wasi_native/component/split.py", "wasi_native/component/shim.py"]
_PARTS += ["wasi_native/aot_rt/aot_rt.c", "wasi_native/aot_rt/wasm-rt.h"]


@functools.cache
def _wat_engine() -> _core.Engine:
    return _core.Engine("wasmtime", engines.find("wasmtime").path)


def binary(source: bytes | str) -> bytes:
    """A module as a binary, of text or of one."""
    raw = source.encode() if isinstance(source, str) else source
    if raw[:4] == b"\0asm":
        return raw
    if remote.SOCKET:
        return remote.ask("wat", text=raw.decode()).read_bytes()
    return bytes(_wat_engine().wat(raw))


Source = bytes | str | Path


def library(
    source: Source | list[Source], options: Options | None = None, target: Target | None = None
) -> Path:
    """The path of a compiled module, or of several that may share tables."""
    if isinstance(source, list):
        parts = [binary(one.read_bytes() if isinstance(one, Path) else one) for one in source]
    else:
        parts = [binary(source.read_bytes() if isinstance(source, Path) else source)]
    options = options or Options()
    target = target or Target.native()
    if remote.SOCKET:
        more = {"options": options.__dict__, "target": [target.arch, target.libc]}
        texts = [base64.b64encode(one).decode() for one in parts]
        return remote.ask("aot", wasm=texts if isinstance(source, list) else texts[0], **more)
    options = Options(**{**options.__dict__, "wasm2c": options.wasm2c or str(wabt.wasm2c())})
    words = [target.name, repr(options), zig_version()]
    words += [hashlib.sha256(one).hexdigest() for one in parts] + ["together"] * isinstance(source, list)
    key = content_key(words, [ROOT / part for part in _PARTS])
    wasm = parts if isinstance(source, list) else parts[0]

    def make(part: Path) -> None:
        part.write_bytes(aot_build.build_library(wasm, target, options))

    (BUILD / "aot").mkdir(parents=True, exist_ok=True)
    return once(BUILD / "aot" / f"{key[:24]}.so", key, make)


def program(module: Path, target: Target | None = None, level: int = 2) -> Path:
    """A module as a file .wno, made by the command line; ``level`` 0 where it is compiled more often than run."""
    target = target or Target.native()
    if remote.SOCKET:
        return remote.ask("wno", module=str(module), target=[target.arch, target.libc])
    command = [sys.executable, "-m", "wasi_native", "compile", "--wasm2c", str(wabt.wasm2c())]
    command += ["--arch", target.arch, "--libc", target.libc, "--opt", str(level)]
    key = content_key([zig_version(), *command[3:]], [module, *(ROOT / part for part in _PARTS)])

    def make(part: Path) -> None:
        run_tool([*command, "-o", str(part), str(module)], env={"PYTHONPATH": str(ROOT)})

    (BUILD / "aot").mkdir(parents=True, exist_ok=True)
    return once(BUILD / "aot" / f"{key[:24]}.wno", key, make)


def restore(engine: _core.Engine, source: bytes | str | Path, options: Options | None = None) -> _core.Module:
    """A module at the seam."""
    return engine.restore(os.fspath(library(source, options)))


def restore_all(
    engine: _core.Engine, sources: list[Source], options: Options | None = None
) -> list[_core.Module]:
    """Modules that were compiled together."""
    path = os.fspath(library(sources, options))
    return [engine.restore(path, part) for part in range(len(sources))]


def load(host: Host, source: bytes | str | Path, options: Options | None = None) -> Module:
    """A module of a host with the engine wasm2c."""
    if isinstance(source, Path):
        source = source.read_bytes()
    wasm = binary(source)
    return Module(host, "<aot>", None, wasm, restore(host._open(), wasm, options))


def readelf(path: Path, *flags: str) -> str:
    """What binutils say of a library."""
    tool = shutil.which("readelf")
    assert tool, "binutils are installed with every C compiler"
    return subprocess.run([tool, *flags, str(path)], check=True, capture_output=True, text=True).stdout

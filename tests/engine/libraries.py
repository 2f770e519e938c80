"""Libraries of wasm3, built from the sources that package registries have, and kept in ``build/``.

Two of its trees: that of the PyPI package pywasm3 0.5.0 (2021), and the newer one that the npm package
react-native-webassembly bundles. ``target``: one of zig's ("arm-linux-gnueabihf.2.17"), None: this machine.
"""

from __future__ import annotations

import functools
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.guests import remote
from tests.guests.build import BUILD, content_key, once, zig_version
from wasi_native import engines

PYPI = "pywasm3==0.5.0"
NPM = "react-native-webassembly@0.3.3"
# As pywasm3 itself is built: its interpreter needs calls in tail position to become jumps.
FLAGS = ["-O3", "-g0", "-shared", "-fPIC", "-fomit-frame-pointer", "-fno-stack-protector", "-DNDEBUG"]
FLAGS += ["-fno-sanitize=undefined", "-w"]


def _pypi(folder: Path) -> bytes:
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*words, "--no-build-isolation", "-d", folder, PYPI], check=True, timeout=300)
    return next(folder.glob("*.tar.gz")).read_bytes()


def _npm(folder: Path) -> bytes:
    subprocess.run(["npm", "pack", "--silent", NPM], cwd=folder, check=True, timeout=300, capture_output=True)
    return next(folder.glob("*.tgz")).read_bytes()


def wasm3_sources(tree: str = "new") -> Path:
    """The folder of the C files of one tree, fetched once."""

    def make(part: Path) -> None:
        part.mkdir()
        with tempfile.TemporaryDirectory() as place:
            raw = _npm(Path(place)) if tree == "new" else _pypi(Path(place))
        inside = "/cpp/" if tree == "new" else "/wasm3/"
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            for member in archive.getmembers():
                name = Path(member.name).name
                core = name.startswith(("m3_", "wasm3")) and not name.startswith("m3_api")
                file = archive.extractfile(member) if core and inside in f"/{member.name}" else None
                if file is not None and name.endswith((".c", ".h")):
                    (part / name).write_bytes(file.read())

    BUILD.mkdir(parents=True, exist_ok=True)
    return once(BUILD / f"wasm3-{tree}", NPM if tree == "new" else PYPI, make)


def build_wasm3(tree: str = "new", target: str | None = None, *flags: str, compiler: str = "") -> Path:
    """The path of a libwasm3.so of one tree: "new" or "old". ``flags``: of zig's, or of another ``compiler``."""
    if remote.SOCKET and not compiler:
        return remote.ask("wasm3", tree=tree, flags=flags)
    sources = wasm3_sources(tree)
    command = [sys.executable, "-m", "ziglang", "cc", *(["-target", target] if target else [])]
    words = [tree, target or "", *FLAGS, *flags, compiler or zig_version()]
    key = content_key(words, sorted(sources.glob("*.[ch]")))

    def make(part: Path) -> None:
        files = [os.fspath(path) for path in sorted(sources.glob("*.c"))]
        words = [*([compiler] if compiler else command), *FLAGS, *flags, "-Wl,-soname,libwasm3.so"]
        subprocess.run([*words, "-I", sources, *files, "-lm", "-o", part], check=True, timeout=300)

    name = f"libwasm3-{tree}-{target or Path(compiler).name or 'native'}-{key[:12]}.so"
    return once(BUILD / name, key, make)


@functools.cache
def library(engine: str) -> str | None:
    """The library that the tests run an engine with; "wasm3-old" is the engine wasm3 with the tree of 2021.
    $WASI_NATIVE_TEST_WASM_C_API names another one than wasmtime's for the engine wasm_c_api."""
    if engine == "wasm_c_api":
        return os.environ.get("WASI_NATIVE_TEST_WASM_C_API") or engines.find("wasmtime").path
    if engine in ("wasm3", "wasm3-old"):
        return os.fspath(build_wasm3("old" if engine == "wasm3-old" else "new"))
    return engines.find(engine).path

"""Modules of WASI 0.1 as components of WASI 0.2: adapted by npm's jco, kept in ``build/``.

jco is fetched once. ``WASI_NATIVE_JCO`` names a folder with a ``node_modules`` that has it already.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.guests.build import BUILD, GuestBuildError, content_key, once, run_tool

PACKAGE = {
    "dependencies": {"@bytecodealliance/jco": "1.35.0"},
    "overrides": {"@bytecodealliance/preview2-shim": "0.25.0"},
}


@functools.cache
def jco() -> Path:
    """The program."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise GuestBuildError("components are made of modules by the npm package jco: install node and npm")
    text = json.dumps(PACKAGE)

    def make(part: Path) -> None:
        part.mkdir()
        (part / "package.json").write_text(text)
        run_tool([npm, "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=part)

    given = os.environ.get("WASI_NATIVE_JCO")
    folder = Path(given) if given else once(BUILD / "jco", text, make)
    program = folder / "node_modules" / ".bin" / "jco"
    if not program.exists():
        raise GuestBuildError(f"{folder} has no node_modules/.bin/jco")
    return program


def adapt(wasm: Path) -> Path:
    """A command module as a component."""

    def make(part: Path) -> None:
        run_tool([str(jco()), "new", str(wasm), "--wasi-command", "-o", str(part)])

    key = content_key([json.dumps(PACKAGE)], [wasm])
    (BUILD / "adapted").mkdir(parents=True, exist_ok=True)
    return once(BUILD / "adapted" / f"{wasm.stem}-{key[:16]}.wasm", key, make)


def adapt_all(modules: list[Path]) -> list[Path]:
    """Several of them."""
    if modules:
        jco()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(adapt, modules))

"""Real programs of four languages, compiled ahead of time for a board: there they print, write and end as they do as
modules on wasmtime on this machine.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.boards.cache import home
from tests.guests import aot
from tests.guests.build import content_key, once
from tests.programs import launch, toolchains

TEXT = b"The quick brown fox; the lazy dog.\nThe end, the END: fox?\n"
GRANT = "/box"
MEMORY = (
    "--max-memory=64MiB"  # zig gives a program 16 MiB of stack, and the smallest boards grant 4 MiB in all
)


@dataclass(frozen=True)
class Program:
    """A program and what it is run with, once for each of ``runs``."""

    language: str
    module: Callable[[], Path]
    runs: tuple[tuple[str, ...], ...]
    codes: tuple[int, ...]  # of their ends
    files: dict[str, bytes] = field(default_factory=dict)
    env: tuple[str, ...] = ()
    stdin: bytes = b""
    large: bool = False


PROGRAMS = {
    "words": Program(
        "C",
        toolchains.c_program,
        (("/box/one.txt", "/box/two.txt"), (), ("/box/none.txt",)),
        (0, 0, 1),
        {"one.txt": TEXT, "two.txt": b"dog " * 20_000},
        ("WORDS_REPORT=/box/report.txt",),
        b"one two one",
    ),
    "stock": Program(
        "C++",
        toolchains.cpp_program,
        (("/box/in", "/box/out"), ("/box/none", "/box/out")),
        (0, 1),
        {"in": b"nut 300 0.25\nbolt 20 10\nnot a line\nnut 100 0.5\nnail 9999 0.01\n"},
    ),
    "report": Program(
        "Rust", toolchains.rust_program, (("/box", "é"),), (17,), env=("B=2", "A=one two"), stdin=b"x\ny\nx\n"
    ),
    "work": Program("Go", toolchains.go_program, (("files", "/box"),), (0,), large=True),
}


def play(name: str, *words: str | Path) -> list[dict[str, Any]]:
    """What each run of a program came to. ``words``: the command line that stands for it, options first."""
    program, found = PROGRAMS[name], []
    for args in program.runs:
        with tempfile.TemporaryDirectory() as folder:
            for file, data in program.files.items():
                (Path(folder) / file).write_bytes(data)
            options = [MEMORY, f"--dir={folder}::{GRANT}", *(f"--env={pair}" for pair in program.env)]
            command = [sys.executable, "-m", "wasi_native", "run", *options, *map(str, words), *args]
            done = subprocess.run(
                command, env=launch.environment(), input=program.stdin, capture_output=True, check=False
            )
            left = {
                str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(Path(folder).rglob("*"))
                if path.is_file()
            }
        out, err = (base64.b64encode(text).decode() for text in (done.stdout, done.stderr))
        found.append({"code": done.returncode, "stdout": out, "stderr": err, "files": left})
    return found


def made(name: str, target: aot.Target) -> Path:
    """A file that says where the compiled program is, how large both forms are, and what wasmtime made of it."""
    program = PROGRAMS[name]
    module = program.module()
    # Of a large one -O0 is made soonest, but for aarch64, where clang chooses instructions another way then.
    level = (1 if target.arch == "aarch64" else 0) if program.large else 2
    wno = aot.program(module, target, level)

    def make(part: Path) -> None:
        about = {"wno": str(wno), "bytes": wno.stat().st_size, "module": module.stat().st_size}
        expected = play(name, "--engine=wasmtime", module)
        assert tuple(run["code"] for run in expected) == program.codes and expected[0]["stdout"], expected
        part.write_text(json.dumps({**about, "expected": expected}))

    folder = home() / "programs"
    folder.mkdir(exist_ok=True)
    return once(
        folder / f"{name}-{target.name}.json", content_key([str(wno)], [module, Path(__file__)]), make
    )

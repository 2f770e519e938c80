"""Real programs compiled ahead of time do what they do on wasmtime: the same output, exit status and files."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.guests.build import BUILD, content_key, once
from tests.programs import launch, toolchains, wabt
from wasi_native import aot_build

pytestmark = pytest.mark.programs

TEXT = b"The quick brown fox; the lazy dog.\nThe end, the END: fox?\n"


def compiled(module: Path) -> Path:
    """By ``wasi-native compile``, as a user does it; kept beside the module."""
    out = BUILD / "wno" / f"{module.stem}.wno"
    out.parent.mkdir(exist_ok=True)
    package = Path(aot_build.__file__).parent
    parts = [module, *(package / name for name in ("aot_build.py", "aot_source.py", "cli/compile.py"))]
    parts += sorted((package / "aot_rt").glob("*.*"))

    def make(part: Path) -> None:
        command = [*launch.COMMAND, "compile", str(module), "-o", str(part), "--wasm2c", str(wabt.wasm2c())]
        subprocess.run(command, env=launch.environment(), check=True, capture_output=True, timeout=600)

    return once(out, content_key(["1"], parts), make)


def rust() -> Path:
    try:
        return toolchains.rust_program()
    except toolchains.Unavailable as error:
        pytest.skip(str(error))


def fill(folder: Path) -> None:
    (folder / "one.txt").write_bytes(TEXT)
    (folder / "two.txt").write_bytes(b"dog " * 100_000)
    (folder / "in").write_bytes(b"nut 300 0.25\nbolt 20 10\nnot a line\nnut 100 0.5\nnail 9999 0.01\n")


@pytest.mark.parametrize(
    ("program", "args", "stdin"),
    [
        (toolchains.c_program, ["/d/one.txt", "/d/two.txt"], b""),
        (toolchains.c_program, [], b"one two one"),
        (toolchains.cpp_program, ["/d/in", "/d/out"], b""),
        (toolchains.cpp_program, ["/d/none", "/d/out"], b""),
        (rust, ["/d", "é"], b"x\ny\nx\n"),
    ],
    ids=["c", "c-stdin", "c++", "c++-fails", "rust"],
)
def test_the_same_as_on_wasmtime(
    tmp_path: Path, program: Callable[[], Path], args: list[str], stdin: bytes
) -> None:
    module = program()
    native = compiled(module)
    digest = hashlib.sha256(native.read_bytes()).hexdigest()
    ends = []
    for name, words in (("wasm", [module]), ("native", ["--allow-native", digest, native])):
        folder = tmp_path / name
        folder.mkdir()
        if program is not rust:
            fill(folder)
        grants = ("--dir", f"{folder}::/d", "--env", "WORDS_REPORT=/d/report.txt", "--env", "A=one two")
        done = launch.run(*grants, *words, *args, stdin=stdin)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        ends.append((done.returncode, done.stdout, done.stderr, files))
    assert ends[0] == ends[1] and ends[0][1] + ends[0][2]


def test_a_program_of_more_than_a_megabyte(long: bool) -> None:
    """Go's, whose C is 32 MB: a minute and two GB of memory, so only in the long run."""
    if not long:
        pytest.skip("needs --long")
    module = toolchains.go_program()
    assert os.path.getsize(module) > 1 << 20
    native = compiled(module)
    digest = hashlib.sha256(native.read_bytes()).hexdigest()
    for words in (["timers"], ["unknown"]):
        one, two = launch.run(module, *words), launch.run("--allow-native", digest, native, *words)
        assert (one.returncode, one.stdout) == (two.returncode, two.stdout)

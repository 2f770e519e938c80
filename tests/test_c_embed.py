"""A C program with no Python in it hosts guests: built here by the compiler alone, from include/ and the core."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.guests import build
from tests.house.tree import C_FLAGS, c_sources, compiler
from wasi_native import engines

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def embed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The program and its first argument, the engine's library."""
    program = tmp_path_factory.mktemp("embed") / "embed"
    command = [compiler(), *C_FLAGS, "-O1", "-Wall", "-Wextra", "-Werror", str(EXAMPLES / "c" / "embed.c")]
    command += [*map(str, c_sources()), "-o", str(program), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    library = engines.find("wasmtime")
    assert library.path, library.reason
    return [str(program), library.path]


def run(command: list[str], *args: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    whole = [*command, *map(str, args)]
    return subprocess.run(whole, input=stdin, capture_output=True, text=True, timeout=60)


def test_it_runs_hello(embed: list[str]) -> None:
    done = run(embed, EXAMPLES / "hello.wat")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello from WebAssembly\n", "")


def test_it_runs_a_compiled_program(embed: list[str]) -> None:
    done = run(embed, build.guest("hello"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.lower().startswith("hello")


def test_it_runs_a_module_that_imports_wasi_0_2(embed: list[str], tmp_path: Path) -> None:
    done = run(embed, build.guest("direct"), tmp_path, "7", "\u00fc", stdin="in")
    assert (done.returncode, done.stdout) == (7, "argument 7\nargument \u00fc\nread in\n"), done.stderr
    assert run(embed, build.guest("direct")).returncode == 0
    failing = tmp_path / "failing.wat"
    failing.write_text('(module (func (export "wasi:cli/run@0.2.1#run") (result i32) (i32.const 1)))')
    assert run(embed, failing).returncode == 1


def test_it_has_no_python(embed: list[str]) -> None:
    listed = subprocess.run(["ldd", embed[0]], capture_output=True, text=True).stdout
    assert "libc." in listed and "python" not in listed


def test_a_directory_is_granted_read_only(embed: list[str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("from the host\n")
    done = run(embed, EXAMPLES / "cat.wat", tmp_path)
    assert (done.returncode, done.stdout) == (0, "from the host\n")
    assert run(embed, EXAMPLES / "cat.wat").returncode == 8  # nothing granted: badf


def test_a_function_of_the_program_is_called(embed: list[str], tmp_path: Path) -> None:
    module = tmp_path / "ask.wat"
    module.write_text(
        """(module
          (import "host" "answer" (func $answer (param i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (func (export "_start") (call $exit (call $answer (i32.const 1)))))"""
    )
    assert run(embed, module).returncode == 42


def test_what_goes_wrong_is_said(embed: list[str], tmp_path: Path) -> None:
    done = run([embed[0], str(tmp_path / "none.so")], EXAMPLES / "hello.wat")
    assert done.returncode == 1 and "none.so" in done.stderr
    done = run(embed, EXAMPLES / "greet.wat")
    assert done.returncode == 1 and "host\tlog\t" in done.stderr
    trap = tmp_path / "trap.wat"
    trap.write_text('(module (memory (export "memory") 1) (func (export "_start") unreachable))')
    done = run(embed, trap)
    assert done.returncode == 134 and "unreachable" in done.stderr
    assert run(embed[:1]).returncode == 2

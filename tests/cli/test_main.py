"""The dispatcher: verbs, help, version, broken outputs; and what a start may import."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.guests.aot import binary
from tests.host.native import compiled, digest, hello
from wasi_native import __version__
from wasi_native.cli import VERBS, main

Tool = Callable[..., Any]


def test_version(tool: Tool) -> None:
    assert tool("--version").out == f"wasi-native {__version__}\n"


def test_help(tool: Tool) -> None:
    done = tool("--help")
    assert done.status == 0 and all(f"  {verb} " in done.out for verb in VERBS)
    assert tool("help").out == tool("-h").out == done.out
    assert tool().status == 2


@pytest.mark.parametrize("verb", list(VERBS))
def test_help_of_each_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: wasi-native {verb} ") and "Examples:\n" in text and "Exit status" in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize(
    ("args", "fix"),
    [
        (["rnu"], "did you mean run?"),
        (["x.wasm"], "wasi-native run x.wasm"),
        (["zzz"], "the verbs are: run, "),
    ],
)
def test_unknown_verbs(tool: Tool, args: list[str], fix: str) -> None:
    done = tool(*args)
    assert done.status == 2 and fix in done.err


def test_a_forged_verb_stays_one_line(tool: Tool) -> None:
    assert "\x1b" not in tool("a\x1b[2J\nwasi-native: forged").err


@pytest.mark.parametrize("args", [["boards"], ["--help"], ["doctor", "--json"], ["run", "--help"]])
def test_broken_outputs(environment: dict[str, str], args: list[str]) -> None:
    command = [sys.executable, "-m", "wasi_native", *args]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, env=environment, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and done.stderr == b"wasi-native: standard output: No space left on device\n"
    script = " ".join(["exec", *command, ">&-"])
    done = subprocess.run(["sh", "-c", script], env=environment, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and done.stderr == b"wasi-native: standard output: it is closed\n"


def imported(environment: dict[str, str], *args: str) -> set[str]:
    """The modules that ``wasi-native ARGS`` leaves imported, without those of bare Python."""
    script = (
        "import sys; bare = set(sys.modules)\n"
        "from wasi_native.cli import main\n"
        "main(sys.argv[1:])\n"
        "print(*sorted(set(sys.modules) - bare), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script, *args]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return set(done.stderr.split())


HEAVY = {"argparse", "dataclasses", "pathlib", "hashlib", "json", "typing", "tomllib", "tempfile", "signal"}


def test_little_is_imported(environment: dict[str, str], guest: Callable[[str], str]) -> None:
    assert imported(environment, "--version") <= {"wasi_native", "__future__"} | {
        f"wasi_native.cli{name}" for name in ("", ".out")
    }
    found = imported(environment, "run", guest("hello"))
    ours = {name for name in found if name.startswith("wasi_native")}
    assert not ours & {f"wasi_native.{name}" for name in ("trace", "trace_view", "wasm", "policy_toml")}
    assert not {f"wasi_native.cli.{verb}" for verb in VERBS if verb != "run"} & ours
    assert "wasmtime" not in found
    assert not HEAVY & found


def test_little_is_imported_for_native_code(environment: dict[str, str], tmp_path: Path) -> None:
    """On a board without an engine: no JSON, no OpenSSL, nothing that only a compiler or a key needs."""
    data = compiled(hello())
    (tmp_path / "hello.wno").write_bytes(data)
    found = imported(environment, "run", "--allow-native", digest(data), str(tmp_path / "hello.wno"))
    assert {"wasi_native.aot", "wasi_native.host.native"} <= found
    assert (
        not {"wasi_native.aot_sign", "wasi_native.aot_build", "cryptography", "re", "fcntl", "mmap"} & found
    )
    assert not HEAVY & found


def test_no_other_engine_is_opened_for_native_code(environment: dict[str, str], tmp_path: Path) -> None:
    data = compiled(hello())
    (tmp_path / "hello.wno").write_bytes(data)
    (tmp_path / "hello.wasm").write_bytes(binary(hello()))
    script = "import sys; from wasi_native.cli import main; main(sys.argv[1:]); print(open('/proc/self/maps').read())"
    for name, wanted in (("hello.wno", False), ("hello.wasm", True)):
        args = ["run", "--allow-native", digest(data), str(tmp_path / name)]
        done = subprocess.run(
            [sys.executable, "-c", script, *args], env=environment, capture_output=True, check=True, text=True
        )
        assert ("wasmtime.so" in done.stdout) == wanted

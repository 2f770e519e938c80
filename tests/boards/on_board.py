"""What a board is promised, looked at on the board: its wheel, its resolver, and a program that runs from the shell.

``python -m tests.boards run`` gives this file to the pytest of each board; elsewhere nothing collects it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.guests import aot, build, remote
from wasi_native import Board, _core, engines

WHEEL = os.environ["BOARD_WHEEL"]  # the platform in its name
OPENAT2 = os.environ["BOARD_QEMU"] != "7"
HELLO = b"hello, world\n"


def command(*words: str | Path, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    """The command line, in a process of its own."""
    run = [sys.executable, "-m", "wasi_native", *map(os.fspath, words)]
    env = {**os.environ, **env}
    return subprocess.run(run, env=env, input=stdin, capture_output=True, timeout=300, check=False)


def test_the_wheel_is_the_one_for_this_machine() -> None:
    text = distribution("wasi_native").read_text("WHEEL") or ""
    assert re.findall(r"^Tag: (.*)$", text, re.MULTILINE) == [f"cp311-abi3-{WHEEL}"]
    assert Path(_core.__file__).suffixes[-2:] == [".abi3", ".so"]


def test_the_board_knows_itself() -> None:
    board = Board.detect()
    machine = os.uname().machine
    assert board.arch == {"armv7l": "armv7", "armv6l": "armv6"}.get(machine, machine)
    assert struct.calcsize("P") == (8 if machine.endswith("64") else 4)


def test_the_resolver_is_what_the_kernel_can() -> None:
    done = command("doctor", "--json")
    assert json.loads(done.stdout)["kernel"]["resolver"] == ("openat2" if OPENAT2 else "walk"), done.stdout


def test_hello_runs_on_wasm3() -> None:
    """It is on this board as the PyPI package would be, but of the newer tree."""
    done = command("run", "--engine", "wasm3", build.guest("hello"))
    assert (done.returncode, done.stdout) == (0, HELLO), done.stderr


def test_hello_runs_as_compiled_code() -> None:
    program = aot.program(build.guest("hello"))
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    done = command("run", "--allow-native", digest, program)
    assert (done.returncode, done.stdout) == (0, HELLO), done.stderr


DIRECT = ("--env=A=one", "--env=B=two")
SAID = "argument 7\nargument ü\nvalue one\nvalue two\nread ".encode()


def test_a_module_of_0_2_runs_as_compiled_code() -> None:
    """It imports streams, pollables and the environment by name; its exit code is its first argument."""
    program = aot.program(build.guest("direct"))
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    done = command("run", "--allow-native", digest, *DIRECT, program, "7", "ü", stdin=b"x" * 40000)
    assert done.returncode == 7 and done.stdout.startswith(SAID), done.stderr
    assert done.stdout.count(b"x") == 40000


def test_a_component_runs_on_wasm3() -> None:
    """What a tool makes of that module: shims, lowered imports, a lifted run."""
    component = remote.ask("component")
    done = command("run", "--engine", "wasm3", *DIRECT, component, "7", "ü", stdin=b"x" * 40000)
    assert done.returncode == 7 and done.stdout.startswith(SAID), done.stderr
    assert done.stdout.count(b"x") == 40000


def test_without_an_engine_one_line_says_what_to_install() -> None:
    elsewhere = [
        path for path in os.environ["PYTHONPATH"].split(os.pathsep) if path != os.environ["BOARD_ENGINES"]
    ]
    done = command("run", build.guest("hello"), PYTHONPATH=os.pathsep.join(elsewhere))
    if engines.find("wasmtime").path:
        assert (done.returncode, done.stdout) == (0, HELLO), done.stderr
        return
    assert done.returncode == 126 and done.stdout == b""
    assert b"\n" not in done.stderr.split(b"\n  wasi-native doctor")[0] and b"pip install" in done.stderr


def test_an_engine_that_does_not_open_is_passed_over() -> None:
    """On musl pip brings a wasmtime that needs libgcc_s.so.1, and a fresh system has none."""
    if "BOARD_UNOPENED" not in os.environ:
        pytest.skip("each engine that pip brings to this board opens")
    path = os.pathsep.join((os.environ["BOARD_UNOPENED"], os.environ["PYTHONPATH"]))
    found = json.loads(command("doctor", "--json", PYTHONPATH=path).stdout)
    assert "libgcc_s.so.1" in found["engines"]["wasmtime"]["reason"] and found["engine"] == "wasm3"
    assert [item["command"] for item in found["missing"]] == ["apk add libgcc"]
    done = command("run", build.guest("hello"), PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (0, HELLO), done.stderr
    done = command("run", "--engine", "wasmtime", build.guest("hello"), PYTHONPATH=path)
    assert done.returncode == 126 and b"libgcc_s.so.1" in done.stderr


ENDLESS = """(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "env" "tick" (func $tick))
  (memory (export "memory") 1)
  (func (export "wait")
    (i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 200000000))
    (loop $l (drop (call $poll (i32.const 0) (i32.const 104) (i32.const 1) (i32.const 200))) (br $l)))
  (func (export "call") (loop $l (call $tick) (br $l))))"""
LEAVING = """
import sys, threading, time
from wasi_native import Host, HostFunction
ticks = []
def tick():
    ticks.append(1)
    time.sleep(0.01)
def run(name):
    with Host(engine="wasm3", cache=False) as host:
        made = host.load(sys.argv[1]).instantiate(functions=[HostFunction("env", "tick", "", "", tick)])
        made.call(name)
for name in ("wait", "call"):
    threading.Thread(target=run, args=(name,), daemon=True).start()
while len(ticks) < 20:
    time.sleep(0.05)
print(threading.active_count(), flush=True)
"""


def test_python_ends_while_threads_are_in_a_guest(tmp_path: Path) -> None:
    """They end when they come back for the interpreter's lock: the C library unwinds them through code of ours, which
    has no tables for that."""
    module = tmp_path / "endless.wasm"
    module.write_bytes(aot.binary(ENDLESS))
    run = [sys.executable, "-c", LEAVING, module]
    done = subprocess.run(run, capture_output=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"3\n", b"")


@pytest.mark.parametrize("resolver", ["auto", "walk"])
def test_a_program_of_c_works_on_files(tmp_path: Path, resolver: str) -> None:
    program = aot.program(build.guest("tour"))
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    grant = ["--allow-native", digest, "--dir", f"{tmp_path}::/d"]
    done = command("run", *grant, program, "/d", WASI_NATIVE_RESOLVER=resolver)
    assert done.returncode == 0 and done.stdout.count(b"ok ") > 5, done.stderr

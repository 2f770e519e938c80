"""The command line as a user meets it: a process, its two outputs, its exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

P1 = "wasi_snapshot_preview1"

GUESTS = {
    "hello": f"""(module
      (import "{P1}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00") (data (i32.const 16) "hello\\n")
      (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))""",
    # Copies arguments (or the environment) to stdout, each with its NUL.
    "args": f"""(module
      (import "{P1}" "args_sizes_get" (func $s (param i32 i32) (result i32)))
      (import "{P1}" "args_get" (func $g (param i32 i32) (result i32)))
      (import "{P1}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 2)
      (func (export "_start")
        (drop (call $s (i32.const 0) (i32.const 4)))
        (drop (call $g (i32.const 1024) (i32.const 65536)))
        (i32.store (i32.const 0) (i32.const 65536))
        (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))""",
    "exit": f"""(module
      (import "{P1}" "proc_exit" (func $x (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $x (i32.const 259))))""",
    "trap": """(module $plugin
      (memory (export "memory") 1)
      (func $inner (unreachable))
      (func $outer (call $inner))
      (func (export "_start") (call $outer)))""",
    "forge": """(module
      (memory (export "memory") 1)
      (func $x (unreachable))
      (func (export "_start") (call $x))
      (func (export "a\\1b[2J\\0awasi-native: forged")))""",
    "pointer": f"""(module
      (import "{P1}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func $evil (drop (call $w (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 0))))
      (func (export "_start") (call $evil)))""",
    # Say that they run, and do not end: "busy" computes, "waits" reads stdin.
    "busy": f"""(module
      (import "{P1}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00") (data (i32.const 16) "begun\\n")
      (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (loop $l (br $l))))""",
    "waits": f"""(module
      (import "{P1}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (import "{P1}" "fd_read" (func $r (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00") (data (i32.const 16) "begun\\n")
      (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (drop (call $r (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))""",
    "loop": """(module (memory (export "memory") 1) (func (export "_start") (loop $l (br $l))))""",
    # Reads stdin and exits with the number of bytes, or 200 and the errno.
    "stdin": f"""(module
      (import "{P1}" "fd_read" (func $r (param i32 i32 i32 i32) (result i32)))
      (import "{P1}" "proc_exit" (func $x (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\64\\00\\00\\00")
      (func (export "_start") (local $e i32)
        (if (local.tee $e (call $r (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
          (then (call $x (i32.add (i32.const 200) (local.get $e)))))
        (call $x (i32.load (i32.const 8)))))""",
    # Opens "new" in the first directory for writing and creates it; exits with the errno.
    "create": f"""(module
      (import "{P1}" "path_open"
        (func $o (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "{P1}" "proc_exit" (func $x (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 16) "new")
      (func (export "_start") (call $x (call $o (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 3)
        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 8)))))""",
    # Writes the guest's name of descriptor 3 to stdout.
    "name": f"""(module
      (import "{P1}" "fd_prestat_get" (func $p (param i32 i32) (result i32)))
      (import "{P1}" "fd_prestat_dir_name" (func $n (param i32 i32 i32) (result i32)))
      (import "{P1}" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (import "{P1}" "proc_exit" (func $x (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (local $e i32)
        (if (local.tee $e (call $p (i32.const 3) (i32.const 0))) (then (call $x (local.get $e))))
        (drop (call $n (i32.const 3) (i32.const 64) (i32.load (i32.const 4))))
        (i32.store (i32.const 0) (i32.const 64))
        (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))""",
    "library": """(module (memory (export "memory") 1)
      (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
      (func (export "two") (result i32 f64) (i32.const -1) (f64.const 2.5))
      (func (export "nothing")))""",
    "missing": f"""(module
      (import "env" "foo" (func)) (import "{P1}" "fd_wirte" (func))
      (memory (export "memory") 1) (func (export "_start")))""",
    # Accepts a connection on descriptor 3 and exits with the errno.
    "accept": f"""(module
      (import "{P1}" "sock_accept" (func $a (param i32 i32 i32) (result i32)))
      (import "{P1}" "proc_exit" (func $x (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $x (call $a (i32.const 3) (i32.const 0) (i32.const 8)))))""",
    "grow": """(module (memory (export "memory") 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))""",
}
GUESTS["env"] = GUESTS["args"].replace("args_", "environ_")


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Our own, with a cache of the session's and nothing that chooses an engine or a resolver."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("WASI_NATIVE_", "PYTHON"))
    }
    env["WASI_NATIVE_CACHE"] = str(tmp_path_factory.mktemp("cache") / "wasi_native")
    env["PYTHONPATH"] = str(ROOT)
    return env


@pytest.fixture(scope="session")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The path of a guest of GUESTS."""
    folder = tmp_path_factory.mktemp("guests")

    def path(name: str) -> str:
        file = folder / f"{name}.wat"
        file.write_text(GUESTS[name])
        return str(file)

    return path


class Done:
    """A process that has ended."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.status, self.raw = done.returncode, done.stdout
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()
        assert "Traceback" not in self.err, self.err


@pytest.fixture
def tool(environment: dict[str, str], tmp_path: Path) -> Callable[..., Done]:
    """Runs ``wasi-native`` in an empty directory."""

    def call(*args: str, env: dict[str, str] | None = None, **more: Any) -> Done:
        more = {"input": b"", "capture_output": True, "timeout": 180, "cwd": tmp_path, **more}
        if "stdin" in more:
            del more["input"]
        command = [sys.executable, "-m", "wasi_native", *args]
        return Done(subprocess.run(command, env=environment | (env or {}), check=False, **more))

    return call

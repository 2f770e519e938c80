"""The path of a call: no allocation, no lock and no GIL per ``fd_read``, ``fd_write`` and ``fd_pread``.

A library in front of libc and Python counts them for two lengths of one loop in the guest: the difference is what
the calls themselves cost. System calls are counted by tests/sys/test_file_host.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import SANITIZED

HERE = Path(__file__).parent
WORKER = """
import ctypes, json, sys
from wasi_native import Dir, Host, Policy
counter = ctypes.CDLL(None).wn_counter
counter.restype, counter.argtypes = ctypes.c_uint64, [ctypes.c_uint32]

def now():
    return [counter(kind) for kind in range(3)]

found = {}
with Host(Policy(dirs=[Dir(sys.argv[1], "/d")]), engine=sys.argv[2]) as host:
    with host.load(sys.argv[3]) as module, module.instantiate() as guest:
        assert guest.call("open") == 0
        for name in ("write", "pread", "read", "grow"):
            per = []
            for turns in (10, 1010):
                rounds = []
                for _ in range(10):  # the least: a busy machine lets ticks into some of them, which look for signals
                    guest.call(name, 1)
                    before = now()
                    assert guest.call(name, turns) == 0, name
                    rounds.append([b - a for a, b in zip(before, now())])
                per.append([min(kind) for kind in zip(*rounds)])
            found[name] = [many - few for few, many in zip(*per)]
        start = now()
        [bytes(1000) for _ in range(1000)]  # each an allocation
        ctypes.CDLL(None).pthread_mutex_lock(ctypes.create_string_buffer(64))
        guest.call("grow", 1)  # gives the GIL away
        found["python"] = [after - before for before, after in zip(start, now())]
print(json.dumps(found))
"""
CALLS = {
    "write": "(call $fd_write (i32.const 4) (i32.const 16) (i32.const 1) (i32.const 8))",
    "pread": "(call $fd_pread (i32.const 4) (i32.const 16) (i32.const 1) (i64.const 1) (i32.const 8))",
    "read": "(call $fd_read (i32.const 4) (i32.const 16) (i32.const 1) (i32.const 8))",
    "grow": "(i32.sub (memory.grow (i32.const 0)) (i32.const 1))",
}


def text() -> str:
    p1 = '(import "wasi_snapshot_preview1"'
    loops = "".join(
        f"""(func (export "{name}") (param $n i32) (result i32) (local $err i32)
          (loop $next
            (local.set $err (i32.or (local.get $err) {call}))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $next (local.get $n)))
          (local.get $err))"""
        for name, call in CALLS.items()
    )
    return f"""(module
      {p1} "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      {p1} "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
      {p1} "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
      {p1} "path_open" (func $open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "f") (data (i32.const 16) "\\40\\00\\00\\00\\40\\00\\00\\00")
      (func (export "open") (result i32) (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1)
        (i32.const 1) (i64.const 0x1fffffff) (i64.const 0) (i32.const 0) (i32.const 8)))
      {loops})"""


@pytest.mark.skipif(SANITIZED, reason="the sanitizers stand at the same place")
def test_nothing_but_the_kernel_call(tmp_path: Path) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    assert compiler, "a C compiler is needed"
    library = tmp_path / "counters.so"
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", str(HERE / "counters.c"), "-o", str(library), "-ldl"],
        check=True,
    )
    (tmp_path / "d").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path / "d"), "wasmtime", text()],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["python"][0] >= 1000 and min(found["python"][1:]) >= 1, "a counter does not count"
    assert found["grow"] == [0, 0, 0], "the loop itself costs something"
    for name in ("write", "pread", "read"):
        assert found[name] == [0, 0, 0], f"{name}: allocations, locks, GIL"

"""Attack F 152: no memory, whoever asks for it."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.faults import tree
from tests.support import ALL_RIGHTS, E, fake_module, open_fds, running_threads, threads_end
from wasi_native import _core


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tree(tmp_path / "T")


# ---- 152 ----


def life(kernel: Any, place: Path) -> int:
    """A guest's whole life on a kernel that fails; the number of allocations that it made."""
    engine = _core.Engine("fake", os=kernel)
    module = engine.load(fake_module(1))
    world = _core.Sys({}, 0, os=kernel)
    world.set_args([b"one", b"two"])
    world.set_env([b"A=b"])
    world.stdio_bytes(0, b"input")
    world.stdio_capture(1, 100)
    world.preopen_dir(os.fsencode(place), b"/d", False, 1000, 10, 0)
    fd = world.preopen_memory(b"/m", 1000, 10, 0)
    world.mount_file(fd, b"hello", os.fsencode(place / "hello.txt"), True, False)
    instance = _core.Instance(module, world)
    try:
        instance.memory(b"memory", 0, 0, b"name")
        for name, args in (
            ("path_create_directory", (fd, 0, 4)),
            ("path_open", (fd, 0, 0, 3, 1, ALL_RIGHTS, ALL_RIGHTS, 0, 64)),
            ("fd_readdir", (fd, 4096, 4096, 0, 64)),
            ("random_get", (4096, 100)),
        ):
            kinds = {"path_create_directory": "iii", "path_open": "iiiiiIIii", "fd_readdir": "iiiIi"}.get(
                name, "ii"
            )
            err, text, result = instance.call(name.encode(), args, kinds, "i", 0, False)
            if err == _core.NOMEM:
                raise MemoryError
            assert err == 0 and result[0] in {0, E.NOMEM, E.MFILE}, (name, text, result)
        assert instance.call(b"grow", (1,), "i", "i", 0, False)[2] in ([1], [-1])
        instance.cancel()
    finally:
        instance.close()
    return int(kernel.count("alloc") + kernel.count("resize") + kernel.count("page_alloc"))


@pytest.mark.parametrize("call", ["alloc", "resize", "page_alloc"])
@pytest.mark.parametrize("times", [1, 0])
def test_f152_the_nth_allocation_of_the_core_fails(place: Path, call: str, times: int) -> None:
    kernel = _core.FakeOs()
    assert life(kernel, place) > 10
    count, fds = kernel.count(call), open_fds()
    failures = 0
    for nth in range(1, count + 2):
        kernel.clear()
        kernel.inject(call, nth, times, err=E.NOMEM)
        try:
            life(kernel, place)
        except MemoryError:
            failures += 1
        except _core.CoreError as error:
            assert error.code in {E.NOMEM, _core.NOMEM}
            failures += 1
        kernel.clear()
        if open_fds() != fds:
            gc.collect()
            assert open_fds() == fds, nth
        with contextlib.suppress(FileNotFoundError):
            (place / "name").unlink()
    if call == "alloc":
        assert failures > 10
    kernel.clear()
    life(kernel, place)


def connected_life(kernel: Any, place: Path) -> int:
    """Descriptors, streams and a thread; what a call answered."""
    engine = _core.Engine("fake", os=kernel)
    module = engine.load(fake_module(1))
    world = _core.Sys({"cpu_ns": 10**12}, 0, os=kernel)
    world.preopen_dir(os.fsencode(place), b"/d", False, 0, 0, 0)
    r, w = os.pipe()
    try:
        world.stdio_fd(0, r)
        world.stdio_fd(1, w)
    finally:
        os.close(r)
        os.close(w)
    instance = _core.Instance(module, world)
    code, _, _ = instance.call(b"sched_yield", (), "", "i", time.monotonic_ns() + 10**10, False)
    instance.close()
    return code


@pytest.mark.parametrize(
    "call", ["event_open", "open", "dup", "reopen", "thread_start", "fstat", "get_flags"]
)
def test_f152_what_else_a_guest_needs_to_live(call: str, place: Path) -> None:
    """The kernel refuses descriptors and threads: a clean error, nothing left behind."""
    fds, before = open_fds(), running_threads()
    for err in (E.MFILE, E.NFILE, E.NOMEM, E.AGAIN):
        kernel = _core.FakeOs()
        kernel.inject(call, 1, 0, err=err)
        try:
            assert connected_life(kernel, place) == 0 and call in {"dup", "reopen"}
        except _core.CoreError as error:
            assert error.code == err
        except MemoryError:
            assert err == E.NOMEM
        gc.collect()
        assert open_fds() == fds
    assert threads_end(before)


NOMEMORY = """
import gc, sys, _testcapi
from tests.support import fake_module
from wasi_native import Host, Policy, MemoryDir, Capture, WasiError
def life():
    with Host(Policy(args=("a",), stdout=Capture(10), dirs=[MemoryDir("/m")]), engine="fake",
              board="generic-x86_64") as host, host.load(MODULE) as module:
        with module.instantiate() as instance:
            instance.memory.write(0, b"name")
            instance.call("sched_yield")
            instance.call("path_create_directory", 3, 0, 4)
            instance.cancel()
MODULE = fake_module(1)
life(); life()
gc.collect(); gc.disable()
failures = 0
for nth in range(1, 2000, STEP):
    _testcapi.set_nomemory(nth, nth + 1)
    try:
        life()
        _testcapi.remove_mem_hooks()
        if nth > 1200: break
    except MemoryError:
        _testcapi.remove_mem_hooks()
        failures += 1
    except BaseException as error:
        _testcapi.remove_mem_hooks()
        # The interpreter itself makes other errors of a lack of memory here and there.
        failures += 1
_testcapi.remove_mem_hooks()
gc.enable(); gc.collect()
life()
import os
print("failures", failures, "fds", len(os.listdir("/proc/self/fd")))
"""


def test_f152_the_nth_allocation_of_python_fails(long: bool) -> None:
    pytest.importorskip("_testcapi", reason="this Python is built without its test module")
    code = NOMEMORY.replace("STEP", "1" if long else "7")
    env = {**os.environ, "PYTHONMALLOC": "pymalloc"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False, env=env
    )
    assert done.returncode == 0, done.stderr[-2000:]
    words = done.stdout.split()
    assert int(words[1]) > 20 and int(words[3]) < 20

"""Attacks of group F: a kernel that fails, interrupts, moves one byte at a time, or lacks calls; a host that dies."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guests import build
from tests.support import ALL_RIGHTS, E, Guest, fake_module, on_clock, on_fd, open_fds, rights, thread_count
from wasi_native import Capture, Dial, Dir, Host, Listen, MemoryDir, Policy, _core

F151 = [
    "IO",
    "NOSPC",
    "DQUOT",
    "ROFS",
    "FBIG",
    "NODEV",
    "STALE",
    "TXTBSY",
    "MFILE",
    "NFILE",
    "NOMEM",
    "ACCES",
]
TEXT = bytes(range(32, 127)) * 3
READING = ALL_RIGHTS & ~rights("fd_write", "fd_allocate")  # all that a directory can be opened with

# ---- a tour of all calls, each step with the errno that it gives without faults ----


def steps(g: Guest) -> Iterator[tuple[str, Callable[[], int]]]:
    """(call, what makes it), on descriptor 3 = a directory with hello.txt, link and sub/."""
    at, out = g.iovs(0x100, (0x10000, len(TEXT))), 0x200
    g.memory.write(0x10000, TEXT)
    place = {
        name: g.put(0x300 + 32 * i, name)
        for i, name in enumerate(("hello.txt", "new", "link", "sub", "to", "sub/f1"))
    }

    def opens(name: str, oflags: int = 0, fdflags: int = 0, right: int = ALL_RIGHTS) -> Callable[[], int]:
        return lambda: g.path_open(3, 0, *place[name], oflags, right, ALL_RIGHTS, fdflags, out)

    def fd() -> int:
        return int(g.memory.u32(out))

    yield "path_open", opens("hello.txt")
    file = fd()
    yield "fd_read", lambda: g.fd_read(file, *at, 0x210)
    yield "fd_write", lambda: g.fd_write(file, *at, 0x210)
    yield "fd_pread", lambda: g.fd_pread(file, *at, 0, 0x210)
    yield "fd_pwrite", lambda: g.fd_pwrite(file, *at, 5, 0x210)
    yield "fd_seek", lambda: g.fd_seek(file, 0, 0, 0x220)
    yield "fd_tell", lambda: g.fd_tell(file, 0x220)
    yield "fd_filestat_get", lambda: g.fd_filestat_get(file, 0x400)
    yield "fd_filestat_set_size", lambda: g.fd_filestat_set_size(file, 700)
    yield "fd_filestat_set_times", lambda: g.fd_filestat_set_times(file, 1, 2, 5)
    yield "fd_allocate", lambda: g.fd_allocate(file, 0, 800)
    yield "fd_advise", lambda: g.fd_advise(file, 0, 10, 0)
    yield "fd_datasync", lambda: g.fd_datasync(file)
    yield "fd_sync", lambda: g.fd_sync(file)
    yield "fd_fdstat_get", lambda: g.fd_fdstat_get(file, 0x400)
    yield "fd_fdstat_set_flags", lambda: g.fd_fdstat_set_flags(file, 1)
    yield "poll_oneoff", lambda: g.poll(on_fd(file), on_clock(0))[0]
    yield "path_open", opens("new", oflags=1 | 4)
    new = fd()
    yield "fd_write", lambda: g.fd_write(new, *at, 0x210)
    yield "fd_close", lambda: g.fd_close(new)
    yield "path_open", opens("new", oflags=8)
    cut = fd()
    yield "fd_close", lambda: g.fd_close(cut)
    yield "path_open", opens("sub", oflags=2, right=READING)
    sub = fd()
    yield "fd_readdir", lambda: g.fd_readdir(sub, 0x8000, 4096, 0, 0x210)
    yield "fd_readdir", lambda: g.fd_readdir(3, 0x8000, 4096, 0, 0x210)
    yield "path_filestat_get", lambda: g.path_filestat_get(3, 1, *place["link"], 0x400)
    yield "path_filestat_get", lambda: g.path_filestat_get(3, 1, *place["sub/f1"], 0x400)
    yield "path_open", opens("sub/f1")
    deep = fd()
    yield "fd_close", lambda: g.fd_close(deep)
    yield "path_filestat_set_times", lambda: g.path_filestat_set_times(3, 0, *place["new"], 1, 2, 5)
    yield "path_readlink", lambda: g.path_readlink(3, *place["link"], 0x8000, 100, 0x210)
    yield "path_link", lambda: g.path_link(3, 0, *place["new"], 3, *place["to"])
    yield "path_unlink_file", lambda: g.path_unlink_file(3, *place["to"])
    yield "path_rename", lambda: g.path_rename(3, *place["new"], 3, *place["to"])
    yield "path_symlink", lambda: g.path_symlink(*place["to"], 3, *place["new"])
    yield "path_unlink_file", lambda: g.path_unlink_file(3, *place["new"])
    yield "path_create_directory", lambda: g.path_create_directory(3, *place["new"])
    yield "path_remove_directory", lambda: g.path_remove_directory(3, *place["new"])
    yield "random_get", lambda: g.random_get(0x8000, 5000)
    yield "clock_time_get", lambda: g.clock_time_get(1, 0, 0x220)
    yield "clock_res_get", lambda: g.clock_res_get(1, 0x220)
    yield "sched_yield", lambda: g.sched_yield()
    yield "fd_renumber", lambda: g.fd_renumber(sub, file)
    yield "fd_close", lambda: g.fd_close(file)


def tree(root: Path) -> Path:
    root.mkdir()
    (root / "hello.txt").write_bytes(b"hello" * 100)
    (root / "link").symlink_to("hello.txt")
    (root / "sub").mkdir()
    for i in range(20):
        (root / "sub" / f"f{i}").touch()
    return root


def tour(g: Guest, expect: set[int], after: Callable[[], None] = lambda: None) -> list[tuple[str, int]]:
    """Every step; where it fails, with an errno of ``expect``, it is made again without the fault: then fine."""
    answers = []
    for name, make in steps(g):
        err = make()
        answers.append((name, err))
        if err:
            assert err in expect, (name, _core.error_name(err))
            after()
            again = make()
            assert again == 0, (name, "again", _core.error_name(again))
    return answers


# What the tour asks of the kernel: see test_f151_the_tour_asks_for_all.
CALLS = [
    *("openat", "openat2", "close", "readv", "writev", "preadv", "pwritev", "lseek", "fstat", "fstatat"),
    *("ftruncate", "fallocate", "fadvise", "fsync", "fdatasync", "futimens", "utimensat", "set_append"),
    *("mkdirat", "unlinkat", "renameat", "linkat", "symlinkat", "readlinkat", "getdents", "poll", "yield"),
    *("clock_get", "clock_res", "getrandom"),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tree(tmp_path / "T")


def test_f151_the_tour_asks_for_all(place: Path) -> None:
    kernel = _core.FakeOs()
    for resolver in ("openat2", "walk"):
        with Guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel, resolver=resolver) as g:
            assert {err for _, err in tour(g, set())} == {0}
        (place / "to").unlink()
    counted = {call for call in CALLS if kernel.count(call)}
    assert set(CALLS) - counted <= {"poll"}  # what is always ready is asked of no kernel


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("quota", [None, 1 << 20])
def test_f151_each_call_fails_once(call: str, quota: int | None, resolver: str, tmp_path: Path) -> None:
    """The n-th call fails with each errno in turn: a mapped errno, and the next attempt succeeds."""
    fds = len(open_fds())
    for i, name in enumerate(F151):
        kernel = _core.FakeOs()
        with Guest(
            Policy(dirs=[Dir(tree(tmp_path / name), "/d", quota=quota)]), kernel=kernel, resolver=resolver
        ) as g:
            kernel.clear()
            kernel.inject(call, 1 + i % 3, 1, err=getattr(E, name))
            expect = {getattr(E, name)}
            if call == "close":  # the descriptor is gone whatever the kernel answers
                expect = set()
            tour(g, expect)
            kernel.clear()
            assert g.instance.usage.fds == 4
        assert len(open_fds()) == fds


@pytest.mark.parametrize("call", CALLS)
def test_f151_each_call_fails_for_ever(call: str, resolver: str, tmp_path: Path) -> None:
    """Until the fault is taken away: no hang, no crash, no wrong success, and nothing left of it afterwards."""
    for name in F151:
        kernel = _core.FakeOs()
        with Guest(Policy(dirs=[Dir(tree(tmp_path / name), "/d")]), kernel=kernel, resolver=resolver) as g:
            kernel.clear()
            broken = lambda: kernel.inject(call, 1, 0, err=getattr(E, name))  # noqa: B023, E731
            expect = {getattr(E, name)} if call != "close" else set()
            for what, make in steps(g):
                broken()
                err = make()
                kernel.clear()
                assert err == 0 or err in expect, (what, _core.error_name(err))
                if err:
                    assert make() == 0, what
            assert g.instance.usage.fds == 4


def test_f151_offsets_and_quota_stay_consistent(guest: Any, resolver: str, place: Path) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(place, "/d", quota=1000, inodes=3)]), kernel=kernel, resolver=resolver)
    err, fd = g.open("new", oflags=1)
    assert err == 0
    for name in F151:
        for call in ("writev", "pwritev", "fstat", "lseek"):
            kernel.clear()
            kernel.inject(call, 1, 1, err=getattr(E, name))
            err, _ = g.write(fd, b"x" * 900)
            assert err in {0, getattr(E, name)}
            if not err:
                assert g.fd_filestat_set_size(fd, 0) == 0 and g.fd_seek(fd, 0, 0, 0x8000) == 0
            kernel.clear()
            assert g.fd_tell(fd, 0x8000) == 0 and g.memory.u64(0x8000) == 0
            for failing in ("ftruncate", "fallocate"):
                kernel.inject(failing, 1, 1, err=getattr(E, name))
                call_ = (
                    g.fd_allocate(fd, 0, 900) if failing == "fallocate" else g.fd_filestat_set_size(fd, 900)
                )
                assert call_ == getattr(E, name)
    kernel.clear()
    for name in F151:  # new names
        for call in ("mkdirat", "symlinkat", "linkat", "openat"):
            kernel.clear()
            kernel.inject(call, 1, 0, err=getattr(E, name))
            if call == "mkdirat":
                assert g.on_path("path_create_directory", "n") == getattr(E, name)
            elif call == "symlinkat":
                assert g.path_symlink(*g.put(0, "x"), 3, *g.put(64, "n")) == getattr(E, name)
            elif call == "linkat":
                assert g.path_link(3, 0, *g.put(0, "new"), 3, *g.put(64, "n")) == getattr(E, name)
            else:
                assert g.open("n", oflags=5)[0] == getattr(E, name)
    kernel.clear()
    assert g.write(fd, b"x" * 1100) == (0, 1000)  # all of the quota is there
    assert [g.on_path("path_create_directory", f"d{i}") for i in range(3)] == [0, 0, E.DQUOT]


SOCKET_CALLS = [
    *("openat", "openat2", "close", "readv", "writev", "preadv", "pwritev", "lseek", "fstat", "fstatat"),
    *("ftruncate", "fallocate", "fadvise", "fsync", "fdatasync", "futimens", "utimensat", "set_append"),
    *("mkdirat", "unlinkat", "renameat", "linkat", "symlinkat", "readlinkat", "getdents", "poll", "yield"),
    *("clock_get", "clock_res", "getrandom"),
]


@pytest.mark.parametrize("call", SOCKET_CALLS)
@pytest.mark.parametrize("name", F151)
def test_f151_sockets(guest: Any, call: str, name: str) -> None:
    kernel, fault = _core.FakeOs(), getattr(E, name)
    g = guest(Policy(listen=[Listen("tcp://127.0.0.1:0")]), kernel=kernel)

    def made(function: Callable[..., int], *args: Any) -> None:
        """Fails with the fault or does not meet it; a second time it is fine."""
        kernel.inject(call, 1, 1, err=fault)
        err = function(*args, timeout=20)
        kernel.clear()
        assert err == 0 or (err == fault and function(*args, timeout=20) == 0)

    def ready(fd: int) -> None:
        made(lambda timeout: g.poll(on_fd(fd), timeout=timeout)[0])

    with socket.create_connection(g.instance.listening[0]) as peer:
        peer.sendall(b"some bytes")
        ready(3)
        made(g.sock_accept, 3, 0, 0x8000)
        fd = g.memory.u32(0x8000)
        ready(fd)
        at = g.iovs(0x4000, (0x10000, 4))
        made(g.sock_recv, fd, *at, 0, 0x8000, 0x8004)
        made(g.fd_read, fd, *at, 0x8000)
        assert g.memory.read(0x10000, 4) == b" byt"
        made(g.sock_send, fd, *at, 0, 0x8000)
        made(g.fd_write, fd, *at, 0x8000)
        made(g.sock_shutdown, fd, 2)
        assert peer.recv(100, socket.MSG_WAITALL) == b" byt byt"


# ---- 149, 150 ----


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("close", "clock_get", "clock_res")])
def test_f149_interrupted_calls(guest: Any, call: str, resolver: str, place: Path) -> None:
    """EINTR before anything moved: made again where calls may block, else told; the next attempt is fine."""
    for nth in (1, 2):
        kernel = _core.FakeOs()
        g = guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel, resolver=resolver)
        kernel.clear()
        kernel.inject(call, nth, 1, err=E.INTR)
        tour(g, {E.INTR})
        g.close()
        (place / "to").unlink()


RETRIED = [
    "readv",
    "writev",
    "preadv",
    "pwritev",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "getrandom",
]


@pytest.mark.parametrize("call", RETRIED)
def test_f149_blocking_calls_are_made_again(guest: Any, call: str, place: Path) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel)
    kernel.clear()
    kernel.inject(call, 1, 3, err=E.INTR)
    assert {err for _, err in tour(g, set())} == {0}


def test_f149_interrupted_after_a_part(guest: Any) -> None:
    """Some bytes went, then EINTR: the rest goes too, nothing twice. Signal handlers of Python run meanwhile."""
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))
    r, w = os.pipe()
    got = bytearray()
    main = threading.main_thread().ident
    assert main is not None

    def drain() -> None:
        while chunk := os.read(r, 7001):
            got.extend(chunk)
            if len(got) % 3 == 0:
                signal.pthread_kill(main, signal.SIGUSR1)

    thread = threading.Thread(target=drain)
    try:
        g = guest(pages=20)
        g.instance._sys.stdio_fd(1, w)
        g.instance._sys.stdio_fd(2, w)
        os.close(w)
        data = bytes(i * 7 % 253 for i in range(1 << 20))
        g.memory.write(0x10000, data)
        thread.start()
        assert g.fd_write(1, *g.iovs(0, (0x10000, len(data))), 0x8000, timeout=60) == 0
        assert g.memory.u32(0x8000) == len(data)
        g.close()
        thread.join(20)
        assert bytes(got) == data and seen
    finally:
        signal.signal(signal.SIGUSR1, before)
        os.close(r)


@pytest.mark.parametrize("most", [1, 7])
def test_f150_short_transfers(guest: Any, resolver: str, place: Path, most: int) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel, resolver=resolver)
    for call in ("readv", "writev", "preadv", "pwritev", "getrandom"):
        kernel.inject(call, 1, 0, short_bytes=most)
    err, fd = g.open("new", oflags=1)
    assert err == 0
    done = 0
    while done < len(TEXT):
        err, n = g.write(fd, TEXT[done:])
        assert err == 0 and 0 < n <= most
        done += n
    assert (place / "new").read_bytes() == TEXT
    assert g.fd_seek(fd, 0, 0, 0x8000) == 0
    back = b""
    while chunk := g.read(fd)[1]:
        assert len(chunk) <= most
        back += chunk
    assert back == TEXT
    pieces = g.iovs(0, (0x10000, 3), (0x10010, 100))
    assert g.fd_pread(fd, *pieces, 2, 0x8000) == 0
    n = g.memory.u32(0x8000)
    assert 0 < n <= most and g.memory.read(0x10000, min(n, 3)) == TEXT[2 : 2 + min(n, 3)]
    g.memory.write(0x10000, b"\xa5" * 300)
    assert g.random_get(0x10000, 300) == 0  # all of it, however often the kernel is asked
    assert g.memory.read(0x10000, 300).count(0xA5) < 20


def test_f150_short_sends_and_receives(guest: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        kernel = _core.FakeOs()
        g = guest(Policy(dial=[Dial(f"tcp://127.0.0.1:{server.getsockname()[1]}")]), kernel=kernel)
        with server.accept()[0] as peer:
            kernel.inject("send", 1, 0, short_bytes=1)
            kernel.inject("recv", 1, 0, short_bytes=1)
            g.memory.write(0x10000, TEXT)
            at = g.iovs(0, (0x10000, len(TEXT)))
            assert g.sock_send(3, *at, 0, 0x8000) == 0 and g.memory.u32(0x8000) == len(TEXT)
            assert peer.recv(len(TEXT), socket.MSG_WAITALL) == TEXT
            peer.sendall(TEXT)
            at = g.iovs(0, (0x11000, len(TEXT)))
            assert g.sock_recv(3, *at, 2, 0x8000, 0x8004, timeout=20) == 0  # WAITALL
            assert g.memory.u32(0x8000) == len(TEXT) and g.memory.read(0x11000, len(TEXT)) == TEXT


def test_f150_directories_entry_by_entry(guest: Any, resolver: str, place: Path) -> None:
    g = guest(Policy(dirs=[Dir(place, "/d")]), resolver=resolver)
    err, fd = g.open("sub", oflags=2, rights=READING)
    names, cookie = [], 0
    while True:
        err, entries = g.list(fd, cookie, size=24 + 4)
        assert err == 0
        if not entries:
            break
        names += [name for name, _, _ in entries]
        cookie = entries[-1][2]
    assert sorted(names) == sorted([".", "..", *(f"f{i}" for i in range(20))])


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
    fds, threads = open_fds(), thread_count()
    for err in (E.MFILE, E.NFILE, E.NOMEM, E.AGAIN):
        kernel = _core.FakeOs()
        kernel.inject(call, 1, 0, err=err)
        try:
            assert connected_life(kernel, place) == 0 and call in {"dup", "reopen"}
        except _core.CoreError as error:
            assert error.code == err
        gc.collect()
        assert open_fds() == fds
    assert thread_count() <= threads


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


# ---- 154, 155 ----


@pytest.mark.parametrize("err", ["NOSYS", "PERM", "AGAIN", "INVAL", "2BIG"])
@pytest.mark.parametrize("times", [1, 500, 0])
def test_f154_openat2_answers_otherwise(guest: Any, place: Path, err: str, times: int) -> None:
    """Either the walk is taken or the errno told: never more than beneath the directory, never AGAIN."""
    out = place.parent / "out"
    out.mkdir()
    (out / "secret").write_text("secret")
    (place / "l_out").symlink_to("../out")
    (place / "d").mkdir()
    (place / "d" / "f").write_text("f")
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel, resolver="auto")
    kernel.inject("openat2", 1, times, err=E.__dict__[err])
    told = {E.INVAL, E.__dict__["2BIG"]} & {E.__dict__[err]}
    for _ in range(3):
        assert g.open("d/f")[0] in {0} | told
        for path in ("l_out/secret", "../out/secret", "d/../../out/secret"):
            assert g.open(path, follow=True)[0] in {E.PERM, E.NOTCAPABLE} | told
            assert g.stat(path, follow=True)[0] in {E.PERM, E.NOTCAPABLE} | told
    kernel.clear()
    assert g.open("d/f")[0] == 0
    if err == "NOSYS":
        assert g.instance.usage.resolver == "walk"  # remembered: such a kernel does not learn it
    else:
        assert g.instance.usage.resolver == "openat2"  # for this call alone
        assert kernel.count("openat2") > 0


def test_f154_the_walk_never_asks_for_openat2(guest: Any, place: Path) -> None:
    """Where a profile kills the process for an unknown call, the walk can be chosen."""
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel, resolver="walk")
    tour(g, set())
    assert kernel.count("openat2") == 0 and kernel.count("openat") > 0


SECCOMP = '''
import ctypes, os, struct, sys
NUMBERS = {
    "x86_64": dict(openat2=437, close_range=436, statx=332, getrandom=318, faccessat2=439, copy_file_range=326,
                   preadv2=327, pwritev2=328, epoll_pwait2=441, renameat2=316),
    "aarch64": dict(openat2=437, close_range=436, statx=291, getrandom=278, faccessat2=439, copy_file_range=285,
                    preadv2=286, pwritev2=287, epoll_pwait2=441),
}[os.uname().machine]
def deny(action, calls):
    """From here on the kernel gives these calls the errno (or the end of the process), as a seccomp profile does."""
    code = [(0x20, 0, 0, 0)]  # load the number of the call
    for name in calls:
        code += [(0x15, 0, 1, NUMBERS[name]), (0x06, 0, 0, action)]
    code.append((0x06, 0, 0, 0x7FFF0000))
    raw = b"".join(struct.pack("<HBBI", *line) for line in code)
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
    buffer = ctypes.create_string_buffer(raw, len(raw))
    program = Program(len(code), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    if libc.prctl(22, 2, ctypes.byref(program)):
        print("no seccomp here"); sys.exit(77)
'''


def sandboxed(tmp_path: Path, before: str, resolver: str = "auto") -> subprocess.CompletedProcess[str]:
    code = (
        SECCOMP
        + textwrap.dedent(before)
        + textwrap.dedent(
            f"""
        from wasi_native import Host, Policy, Dir, Capture
        policy = Policy(args=("/d",), dirs=[Dir({str(tmp_path)!r}, "/d")], stdout=Capture(), stderr="inherit")
        with Host(policy, resolver={resolver!r}) as host:
            with host.load({str(build.guest("tour"))!r}).instantiate() as instance:
                code = instance.run(timeout=60)
                print(instance.stdout.decode(), end="")
            with host.load({str(build.guest("random"))!r}).instantiate() as instance:
                assert instance.run(timeout=60) == 0
        sys.exit(code)
        """
        )
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


seccomp = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"),
    reason="the numbers of its system calls are not known here",
)


@seccomp
@pytest.mark.parametrize("err", [38, 1])
def test_f155_an_old_kernel_or_an_old_profile(tmp_path: Path, err: int) -> None:
    """ENOSYS, and EPERM as old container profiles give it, for every call that is newer than 2014."""
    plain = sandboxed(tmp_path, "")
    assert plain.returncode == 0 and "done" in plain.stdout, plain.stderr
    done = sandboxed(tmp_path, f"deny(0x00050000 | {err}, NUMBERS)")
    if done.returncode == 77:
        pytest.skip("this machine does not let a process have a seccomp filter")
    assert (done.returncode, done.stdout) == (0, plain.stdout), done.stderr


@seccomp
def test_f154_a_profile_that_kills(tmp_path: Path) -> None:
    done = sandboxed(tmp_path, "deny(0x80000000, ['openat2'])", resolver="walk")
    if done.returncode == 77:
        pytest.skip("this machine does not let a process have a seccomp filter")
    assert done.returncode == 0 and "done" in done.stdout, done.stderr
    killed = sandboxed(tmp_path, "deny(0x80000000, ['openat2'])", resolver="openat2")
    assert killed.returncode == -signal.SIGSYS  # the profile does what it says: hence the choice


@pytest.mark.parametrize("err", ["NOSYS", "PERM"])
def test_f155_random_without_the_call(guest: Any, err: str) -> None:
    kernel = _core.FakeOs()
    kernel.inject("getrandom", 1, 0, err=E.__dict__[err])
    g = guest(kernel=kernel)
    for length in (16, 300, 100_000):
        assert g.random_get(0, length) == 0
        assert g.memory.read(0, length) != b"\xa5" * length
    assert kernel.count("open") > 0  # the device instead


# ---- 157 ----


@pytest.mark.parametrize("err", ["IO", "NODEV", "ROFS"])
def test_f157_the_file_system_is_gone(place: Path, err: str, resolver: str) -> None:
    """Every call of the kernel on files fails from here on: errnos for the guest, and its end leaves nothing."""
    kernel = _core.FakeOs()
    fds = open_fds()
    with Guest(Policy(dirs=[Dir(place, "/d", quota=10**6)]), kernel=kernel, resolver=resolver) as g:
        first, fd = g.open("hello.txt")
        assert first == 0
        for call in set(CALLS) - {"clock_get", "clock_res", "getrandom", "yield", "poll"}:
            kernel.inject(call, 1, 0, err=E.__dict__[err])
        seen = set()
        for name in ("fd_sync", "fd_datasync"):
            seen.add(g.call(name, fd))
        seen |= {g.write(fd, b"x")[0], g.read(fd)[0], g.open("hello.txt")[0], g.stat("hello.txt")[0]}
        seen |= {g.on_path("path_create_directory", "x"), g.list(3)[0], g.fstat(fd)[0]}
        assert seen == {E.__dict__[err]}
        assert g.fd_close(fd) == 0
    kernel.clear()
    assert open_fds() == fds


# ---- 158 ----


def test_f158_kill_9_at_a_write(tmp_path: Path, long: bool) -> None:
    """The host process dies at any moment: what the guest wrote is a prefix, the cache opens cleanly."""
    rng, cache = random.Random(158), tmp_path / "cache"
    code = f"""
import sys
from wasi_native import Host, Policy, Dir
with Host(Policy(args=("100000000", "64", "/d/out"), dirs=[Dir(sys.argv[1], "/d", quota=1 << 25)]),
          cache={str(cache)!r}) as host:
    module = host.load({str(build.guest("chatter"))!r})
    print("go", flush=True)
    module.instantiate().run()
"""
    expected = b"".join(bytes([97 + i % 26]) * 64 for i in range(26))
    for i in range(200 if long else 8):
        folder = tmp_path / str(i)
        folder.mkdir()
        with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE) as process:
            if i % 2 or not long:
                assert process.stdout is not None and process.stdout.readline() == b"go\n"
                time.sleep(rng.random() * 0.004)
            else:
                time.sleep(rng.random() * 0.15)  # also while it compiles and writes the cache
            process.kill()
        out = folder / "out"
        data = out.read_bytes() if out.exists() else b""
        assert len(data) % 64 == 0 and (expected * (len(data) // len(expected) + 1)).startswith(data)
    with (
        Host(Policy(args=("3",), stdout=Capture()), cache=cache) as host,
        host.load(build.guest("chatter")).instantiate() as instance,
    ):
        assert instance.run() == 0 and len(instance.stdout) == 48


def test_f158_a_damaged_cache_entry_is_built_again(tmp_path: Path) -> None:
    for cut in (0, 1, 100, -1):
        with Host(Policy(stdout=Capture()), cache=tmp_path) as host:
            host.load(build.guest("hello")).close()
        codes = list(tmp_path.rglob("*.code"))
        assert codes
        for code in codes:
            code.chmod(0o600)
            raw = bytearray(code.read_bytes())
            if cut < 0:
                raw[len(raw) // 2] ^= 1
            code.write_bytes(raw if cut < 0 else raw[:cut])
        with (
            Host(Policy(stdout=Capture()), cache=tmp_path) as host,
            host.load(build.guest("hello")).instantiate() as instance,
        ):
            assert instance.run() == 0 and instance.stdout


# ---- 160 ----


def test_f160_the_wall_clock_is_set_while_the_guest_sleeps(guest: Any) -> None:
    """Forward over the moment that is waited for: it has come. Relative sleeps and deadlines do not care."""
    year = 365 * 86400 * 10**9
    g = guest()
    world = g.instance._sys
    timer = threading.Timer(0.05, lambda: world.set_clock(0, 1, year, 0))
    timer.start()
    start = time.monotonic()
    err, events = g.poll(
        on_clock(time.time_ns() + 3600 * 10**9, clock=0, absolute=True, userdata=9), timeout=30
    )
    timer.join()
    assert (err, events) == (0, [(9, 0, 0, 0, 0)]) and time.monotonic() - start < 5
    timer = threading.Timer(0.02, lambda: world.set_clock(0, 1, -year, 0))
    timer.start()
    start = time.monotonic()
    assert g.poll(on_clock(60 * 10**6, clock=0, userdata=9), timeout=30) == (0, [(9, 0, 0, 0, 0)])
    timer.join()
    assert 0.06 <= time.monotonic() - start < 1


# ---- 163 ----


def rss() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_f163_soak(place: Path, long: bool) -> None:
    """Guests made, used, faulted, cancelled and closed: nothing accumulates."""
    rng, kernel = random.Random(163), _core.FakeOs()
    calls = [call for call in CALLS if call not in ("clock_get", "clock_res")]
    rounds = 20_000 if long else 200
    samples: list[int] = []
    for i in range(rounds):
        dirs = [Dir(place, "/d", quota=10**6), MemoryDir("/m")]
        with Guest(Policy(dirs=dirs, stdout=Capture(100)), kernel=kernel) as g:
            kernel.clear()
            for _ in range(2):
                kernel.inject(
                    rng.choice(calls),
                    rng.randint(1, 9),
                    rng.randint(1, 3),
                    err=rng.choice([5, 27, 29, 33, 51]),
                )
            for name, make in steps(g):
                with contextlib.suppress(Exception):
                    make()
                if rng.random() < 0.01:
                    g.instance.cancel()
                if g.instance.end or name == "fd_renumber":
                    break
            kernel.clear()
        for left in ("new", "to"):
            path = place / left
            with contextlib.suppress(FileNotFoundError):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        if i % (rounds // 10) == 0:
            gc.collect()
            samples.append(rss())
    growth = samples[-1] - samples[2]
    print(f"RSS {growth / 1024:+.0f} KiB over {rounds * 7 // 10} guests")
    assert growth < 4 << 20

"""Attacks F 149 to 151: the kernel fails, is interrupted, moves a byte at a time."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.faults import CALLS, F151, READING, TEXT, steps, tour, tree
from tests.support import E, Guest, on_fd, open_fds
from wasi_native import Dial, Dir, Listen, Policy, _core


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

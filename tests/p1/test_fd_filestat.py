"""Size and times of an open file; both layouts of a filestat."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from tests.p1.conftest import World
from tests.support import ALL_RIGHTS, RIGHTS, UNSTABLE, E, Guest, rights
from wasi_native import Dir, MemoryDir, _core

Make = Callable[..., Guest]
STAT = 64
ATIM, ATIM_NOW, MTIM, MTIM_NOW = 1, 2, 4, 8


def opened(g: Guest, path: str = "f.txt", home: int = 3, allowed: int = ALL_RIGHTS) -> int:
    err, fd = g.open(path, dir=home, rights=allowed)
    assert err == 0
    g.fill()
    return fd


def test_fd_filestat_get(g: Guest, world: World) -> None:
    os.utime(world.rw / "f.txt", ns=(10**18 + 1, 10**18 + 2))
    fd = opened(g)
    with g.writes_only((STAT, 64)):
        assert g.fd_filestat_get(fd, STAT) == 0
    st = os.stat(world.rw / "f.txt")
    assert g.unpack("QQQQQQQQ", STAT) == (
        st.st_dev,
        st.st_ino,
        4,  # one byte, then seven of padding
        1,
        5,
        st.st_atime_ns,
        st.st_mtime_ns,
        st.st_ctime_ns,
    )


def test_fd_filestat_get_in_memory(g: Guest) -> None:
    fd = opened(g, home=5)
    with g.writes_only((STAT, 64)):
        assert g.fd_filestat_get(fd, STAT) == 0
    dev, ino, kind, nlink, size, *times = g.unpack("QQQQQQQQ", STAT)
    assert (kind, nlink, size) == (4, 1, 5) and ino > 0
    assert all(abs(time.time_ns() - one) < 60 * 10**9 for one in times)
    assert g.fstat(5)[1]["ino"] not in (0, ino) and g.fstat(5)[1]["dev"] == dev


def test_fd_filestat_get_of_a_directory(g: Guest, home: int) -> None:
    err, stat = g.fstat(home)
    assert (err, stat["type"]) == (0, 3) and stat["nlink"] >= 1


@pytest.mark.parametrize("fd", [0, 1, 2])
def test_fd_filestat_get_of_a_stream_says_nothing_of_the_host(plain: Make, fd: int) -> None:
    g = plain()
    err, stat = g.fstat(fd)
    assert err == 0
    assert stat == {"dev": 0, "ino": 0, "type": 0, "nlink": 1, "size": 0, "atim": 0, "mtim": 0, "ctim": 0}


def test_fd_filestat_get_errnos(make: Make, home: int) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    with g.writes_only():
        assert g.fd_filestat_get(99, STAT) == E.BADF
    blind = opened(g, home=home, allowed=ALL_RIGHTS & ~RIGHTS["fd_filestat_get"])
    with g.writes_only():
        assert g.fd_filestat_get(blind, STAT) == E.NOTCAPABLE
    kernel.inject("fstat", err=E.IO)
    with g.writes_only():
        assert g.fd_filestat_get(3, STAT) == E.IO


def test_times_before_1970_are_shown_as_1970(g: Guest, world: World) -> None:
    os.utime(world.rw / "f.txt", ns=(-1, -(10**18)))
    err, stat = g.fstat(opened(g))
    assert (err, stat["atim"], stat["mtim"]) == (0, 0, 0)


def test_wasi_unstable_fd_filestat_get(guest: Make, world: World, engine: str, resolver: str) -> None:
    g = guest(world.policy(), engine=engine, resolver=resolver, module=UNSTABLE)
    os.link(world.rw / "f.txt", world.rw / "again")
    fd = opened(g)
    with g.writes_only((STAT, 56)):
        assert g.fd_filestat_get(fd, STAT) == 0
    st = os.stat(world.rw / "f.txt")
    assert g.unpack("QQIIQQQQ", STAT) == (
        st.st_dev,
        st.st_ino,
        4,
        2,  # 32 bits of links
        5,
        st.st_atime_ns,
        st.st_mtime_ns,
        st.st_ctime_ns,
    )
    with g.writes_only():
        assert g.fd_filestat_get(99, STAT) == E.BADF
    end = g.size - 56
    assert g.fd_filestat_get(fd, end) == 0  # 56 bytes are enough


# ---- fd_filestat_set_size ----


def test_fd_filestat_set_size(g: Guest, home: int) -> None:
    fd = opened(g, home=home)
    with g.writes_only():
        assert g.fd_filestat_set_size(fd, 3) == 0
    assert g.read(fd) == (0, b"hel")
    assert g.fd_filestat_set_size(fd, 6) == 0
    assert g.read(fd) == (0, b"\0\0\0")  # the offset stays
    assert g.fd_filestat_set_size(fd, 0) == 0 and g.fstat(fd)[1]["size"] == 0


def test_fd_filestat_set_size_errnos(g: Guest, home: int) -> None:
    fd = opened(g, home=home)
    assert g.fd_filestat_set_size(99, 1) == E.BADF
    assert g.fd_filestat_set_size(fd, 2**63) == E.INVAL
    assert g.fd_filestat_set_size(fd, 2**64 - 1) == E.INVAL
    assert g.fd_filestat_set_size(home, 1) == E.NOTCAPABLE
    assert g.fd_filestat_set_size(1, 1) == E.NOTCAPABLE
    lame = opened(g, home=home, allowed=ALL_RIGHTS & ~RIGHTS["fd_filestat_set_size"])
    assert g.fd_filestat_set_size(lame, 1) == E.NOTCAPABLE
    reader = opened(g, home=home, allowed=rights("fd_read", "fd_filestat_set_size"))
    assert g.fd_filestat_set_size(reader, 1) in (E.BADF, E.INVAL)  # not opened for writing
    assert g.fstat(fd)[1]["size"] == 5


def test_fd_filestat_set_size_dquot_and_fbig(make: Make, world: World, home: int) -> None:
    caps = {"max_file_size": 100}
    g = make(
        dirs=[
            Dir(world.rw, "/rw", quota=60, **caps),
            Dir(world.ro, "/ro"),
            MemoryDir("/mem", size=60, **caps),
        ]
    )
    fd = opened(g, home=home)
    assert g.fd_filestat_set_size(fd, 101) == E.FBIG
    assert g.fd_filestat_set_size(fd, 90) == E.DQUOT
    assert g.fstat(fd)[1]["size"] == 5
    for _ in range(5):  # what is cut comes back to the quota
        assert g.fd_filestat_set_size(fd, 45) == 0 and g.fd_filestat_set_size(fd, 5) == 0


def test_fd_filestat_set_size_what_the_kernel_says(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g)
    for err in (E.IO, E.NOSPC, E.FBIG):
        kernel.inject("ftruncate", err=err)
        assert g.fd_filestat_set_size(fd, 9) == err
    kernel.inject("ftruncate", err=E.INTR)
    assert g.fd_filestat_set_size(fd, 9) == 0  # once more after a signal


# ---- fd_filestat_set_times ----


def test_fd_filestat_set_times(g: Guest, home: int) -> None:
    fd = opened(g, home=home)
    with g.writes_only():
        assert g.fd_filestat_set_times(fd, 10**18 + 1, 2 * 10**17 + 3, ATIM | MTIM) == 0
    stat = g.fstat(fd)[1]
    assert (stat["atim"], stat["mtim"]) == (10**18 + 1, 2 * 10**17 + 3)
    assert g.fd_filestat_set_times(fd, 7, 7, MTIM) == 0  # the other one stays
    stat = g.fstat(fd)[1]
    assert (stat["atim"], stat["mtim"]) == (10**18 + 1, 7)
    assert g.fd_filestat_set_times(fd, 7, 7, 0) == 0
    assert g.fstat(fd)[1]["atim"] == 10**18 + 1
    assert g.fd_filestat_set_times(fd, 7, 7, ATIM_NOW | MTIM_NOW) == 0
    stat = g.fstat(fd)[1]
    for name in ("atim", "mtim"):
        assert abs(time.time_ns() - stat[name]) < 60 * 10**9


def test_fd_filestat_set_times_of_a_directory(g: Guest, home: int) -> None:
    assert g.fd_filestat_set_times(home, 5, 6, ATIM | MTIM) == 0
    stat = g.fstat(home)[1]
    assert (stat["atim"], stat["mtim"]) == (5, 6)


@pytest.mark.parametrize("flags", [ATIM | ATIM_NOW, MTIM | MTIM_NOW, 15, 16, 0x10001, 2**32 - 1])
def test_fd_filestat_set_times_inval(g: Guest, home: int, flags: int) -> None:
    fd = opened(g, home=home)
    before = g.fstat(fd)
    assert g.fd_filestat_set_times(fd, 1, 1, flags) == E.INVAL
    assert g.fd_filestat_set_times(fd, 2**63, 1, ATIM) == E.INVAL
    assert g.fd_filestat_set_times(fd, 1, 2**64 - 1, MTIM) == E.INVAL
    assert g.fstat(fd) == before


def test_fd_filestat_set_times_errnos(make: Make, home: int) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    assert g.fd_filestat_set_times(99, 1, 1, ATIM) == E.BADF
    lame = opened(g, home=home, allowed=ALL_RIGHTS & ~RIGHTS["fd_filestat_set_times"])
    assert g.fd_filestat_set_times(lame, 1, 1, ATIM) == E.NOTCAPABLE
    assert g.fd_filestat_set_times(1, 1, 1, ATIM) == E.NOTCAPABLE
    assert g.fd_filestat_set_times(4, 1, 1, ATIM) == E.NOTCAPABLE  # read-only
    fd = opened(g)
    kernel.inject("futimens", err=E.IO)
    assert g.fd_filestat_set_times(fd, 1, 1, ATIM) == E.IO

"""Open files: read, write, place, close. On the host's files and on those in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.p1.conftest import World
from tests.support import ALL_RIGHTS, RIGHTS, E, Guest, rights
from wasi_native import Capture, Dir, Limits, MemoryDir, _core

Make = Callable[..., Guest]
IOVS, COUNT = 64, 32
CUR, END, SET = 1, 2, 0
LARGEST = 2**63 - 1


def opened(g: Guest, path: str, home: int = 3, **how: Any) -> int:
    err, fd = g.open(path, dir=home, **how)
    assert err == 0
    g.fill()
    return fd


def without(*names: str) -> int:
    return ALL_RIGHTS & ~rights(*names)


def opened_dir(g: Guest, path: str, home: int, *lacking: str) -> int:
    return opened(g, path, home, rights=without("fd_write", "fd_allocate", *lacking))


def size(g: Guest, fd: int) -> int:
    err, stat = g.fstat(fd)
    assert err == 0
    return stat["size"]


def tell(g: Guest, fd: int) -> int:
    assert g.fd_tell(fd, 0x80) == 0
    return int(g.unpack("Q", 0x80))


# ---- fd_advise ----


@pytest.mark.parametrize("advice", range(6))
def test_fd_advise(g: Guest, home: int, advice: int) -> None:
    fd = opened(g, "f.txt", home)
    with g.writes_only():
        assert g.fd_advise(fd, 0, 0, advice) == 0
        assert g.fd_advise(fd, 3, 2**40, advice) == 0


def test_fd_advise_errnos(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    assert g.fd_advise(99, 0, 0, 0) == E.BADF
    assert g.fd_advise(home, 0, 0, 0) == E.BADF  # a directory
    for advice in (6, 255, 2**32 - 1):
        assert g.fd_advise(fd, 0, 0, advice) == E.INVAL
    assert g.fd_advise(fd, LARGEST, 1, 0) == E.INVAL
    assert g.fd_advise(fd, 2**63, 0, 0) == E.INVAL
    assert g.fd_advise(fd, 0, 2**64 - 1, 0) == E.INVAL
    assert g.fd_advise(opened(g, "f.txt", home, rights=without("fd_advise")), 0, 0, 0) == E.NOTCAPABLE
    assert g.fd_advise(0, 0, 0, 0) == E.NOTCAPABLE  # a stream is never given the right


# ---- fd_allocate ----


def test_fd_allocate_grows(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    with g.writes_only():
        assert g.fd_allocate(fd, 0, 4) == 0
    assert size(g, fd) == 5
    assert g.fd_allocate(fd, 3, 100) == 0
    assert size(g, fd) == 103
    assert g.read(fd) == (0, b"hello" + bytes(98))


def test_fd_allocate_errnos(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    assert g.fd_allocate(99, 0, 1) == E.BADF
    assert g.fd_allocate(fd, 0, 0) == E.INVAL
    assert g.fd_allocate(fd, 2**63, 1) == E.INVAL
    assert g.fd_allocate(fd, LARGEST, 1) == E.FBIG
    assert g.fd_allocate(fd, 1, 2**64 - 1) == E.FBIG
    assert g.fd_allocate(home, 0, 1) == E.NOTCAPABLE
    assert g.fd_allocate(opened(g, "f.txt", home, rights=without("fd_allocate")), 0, 1) == E.NOTCAPABLE
    assert size(g, fd) == 5


def test_fd_allocate_dquot_and_fbig(make: Make, world: World, home: int) -> None:
    caps = {"inodes": 9, "max_file_size": 100}
    g = make(
        dirs=[
            Dir(world.rw, "/rw", quota=50, **caps),
            Dir(world.ro, "/ro"),
            MemoryDir("/mem", size=50, **caps),
        ]
    )
    fd = opened(g, "f.txt", home)
    room = 50 + (5 if home == 3 else -5)  # what was there before is not counted; seed() wrote it in memory
    assert g.fd_allocate(fd, 0, 101) == E.FBIG
    assert g.fd_allocate(fd, 0, 99) == E.DQUOT
    assert size(g, fd) == 5
    assert g.fd_allocate(fd, 0, room - 8) == 0 and size(g, fd) == room - 8


def test_fd_allocate_what_the_file_system_says(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, "f.txt")
    for err in (E.NOSPC, E.NOTSUP, E.NODEV):
        kernel.inject("fallocate", err=err)
        assert g.fd_allocate(fd, 0, 50) == err
    assert size(g, fd) == 5


# ---- fd_close ----


def test_fd_close(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    with g.writes_only():
        assert g.fd_close(fd) == 0
        assert g.fd_close(fd) == E.BADF
    assert g.read(fd)[0] == E.BADF
    assert opened_dir(g, "d", home) == fd  # the lowest number is free again


def test_fd_close_a_preopen(g: Guest, home: int) -> None:
    assert g.fd_close(home) == 0
    assert g.fd_prestat_get(home, 0) == E.BADF
    assert g.open("f.txt", dir=home)[0] == E.BADF


@pytest.mark.parametrize("fd", [6, 63, 64, 2**31, 2**32 - 1])
def test_fd_close_badf(g: Guest, fd: int) -> None:
    assert g.fd_close(fd) == E.BADF


# ---- fd_datasync, fd_sync ----


@pytest.mark.parametrize(("name", "call"), [("fd_datasync", "fdatasync"), ("fd_sync", "fsync")])
def test_sync(make: Make, home: int, name: str, call: str) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, "f.txt", home)
    kernel.clear()
    with g.writes_only():
        assert g.call(name, fd) == 0
        assert g.call(name, home) == 0  # a directory too
    assert kernel.count(call) == (2 if home == 3 else 0)
    assert g.call(name, 99) == E.BADF
    assert g.call(name, opened(g, "f.txt", home, rights=without(name))) == E.NOTCAPABLE
    assert g.call(name, 1) == E.NOTCAPABLE
    if home == 3:
        kernel.inject(call, err=E.IO)
        assert g.call(name, fd) == E.IO
        kernel.inject(call, err=E.INVAL)
        assert g.call(name, fd) == E.INVAL


# ---- fd_pread ----


def test_fd_pread(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    iovs = g.iovs(IOVS, (501, 2), (0, 0), (600, 9))
    with g.writes_only((COUNT, 4), (501, 2), (600, 2)):
        assert g.fd_pread(fd, *iovs, 1, COUNT) == 0
    assert g.unpack("I", COUNT) == 4
    assert g.memory.read(501, 3) == b"el\xa5" and g.memory.read(600, 3) == b"lo\xa5"
    assert tell(g, fd) == 0


def test_fd_pread_at_and_past_the_end(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    iovs = g.iovs(IOVS, (500, 9))
    for offset in (5, 6, 2**40):
        with g.writes_only((COUNT, 4)):
            assert g.fd_pread(fd, *iovs, offset, COUNT) == 0
        assert g.unpack("I", COUNT) == 0


def test_fd_pread_nothing(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    with g.writes_only((COUNT, 4)):
        assert g.fd_pread(fd, 0, 0, 0, COUNT) == 0
    assert g.unpack("I", COUNT) == 0


def test_fd_pread_errnos(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    iovs = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.fd_pread(99, *iovs, 0, COUNT) == E.BADF
        for offset in (2**63 - 1, 2**63, 2**64 - 1):
            assert g.fd_pread(fd, *iovs, offset, COUNT) == E.INVAL
        assert g.fd_pread(home, *iovs, 0, COUNT) == E.NOTCAPABLE
        assert g.fd_pread(0, *iovs, 0, COUNT) == E.SPIPE
    writer = opened(g, "f.txt", home, rights=rights("fd_write", "fd_seek"))
    assert g.fd_pread(writer, *g.iovs(IOVS, (500, 9)), 0, COUNT) == E.NOTCAPABLE


# ---- fd_pwrite ----


def test_fd_pwrite(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    a, b = g.put(501, b"AB"), g.put(600, b"C")
    iovs = g.iovs(IOVS, a, (0, 0), b)
    with g.writes_only((COUNT, 4)):
        assert g.fd_pwrite(fd, *iovs, 1, COUNT) == 0
    assert g.unpack("I", COUNT) == 3 and tell(g, fd) == 0
    assert g.read(fd) == (0, b"hABCo")


def test_fd_pwrite_leaves_a_hole(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    iovs = g.iovs(IOVS, g.put(501, b"x"))
    assert g.fd_pwrite(fd, *iovs, 9, COUNT) == 0
    assert g.read(fd) == (0, b"hello\0\0\0\0x")


def test_fd_pwrite_errnos(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    iovs = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.fd_pwrite(99, *iovs, 0, COUNT) == E.BADF
        assert g.fd_pwrite(fd, *iovs, LARGEST, COUNT) == E.FBIG
        assert g.fd_pwrite(fd, *iovs, 2**63, COUNT) == E.INVAL
        assert g.fd_pwrite(fd, *iovs, 2**64 - 1, COUNT) == E.INVAL
        assert g.fd_pwrite(home, *iovs, 0, COUNT) == E.NOTCAPABLE
        assert g.fd_pwrite(1, *iovs, 0, COUNT) == E.SPIPE
    reader = opened(g, "f.txt", home, rights=rights("fd_read", "fd_seek"))
    assert g.fd_pwrite(reader, *g.iovs(IOVS, (500, 9)), 0, COUNT) == E.NOTCAPABLE
    assert size(g, fd) == 5


def test_fd_write_and_fd_pwrite_without_room(make: Make, world: World, home: int) -> None:
    caps = {"inodes": 9, "max_file_size": 20}
    g = make(
        dirs=[
            Dir(world.rw, "/rw", quota=12, **caps),
            Dir(world.ro, "/ro"),
            MemoryDir("/mem", size=17, **caps),
        ]
    )
    fd = opened(g, "f.txt", home)
    room = (
        12 if home == 3 else 12 - 11 + 0
    )  # seed() made two links in memory: 5 + 1 + 4 bytes of text, and the file
    iovs = g.iovs(IOVS, (500, 4))
    assert g.fd_pwrite(fd, *iovs, 20, COUNT) == E.FBIG
    assert g.fd_pwrite(fd, *iovs, 2**40, COUNT) == E.FBIG
    written = 0
    while True:
        err = g.fd_pwrite(fd, *iovs, 5 + written, COUNT)
        if err:
            break
        written += g.unpack("I", COUNT)
    assert err in (E.DQUOT, E.FBIG)
    assert written <= 12 and (home == 5 or written == room)
    assert size(g, fd) == 5 + written


def test_fd_pwrite_nospc_and_io(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, "f.txt")
    iovs = g.iovs(IOVS, (500, 4))
    for err in (E.NOSPC, E.IO, E.FBIG, E.DQUOT):
        kernel.inject("pwritev", err=err)
        kernel.inject("writev", err=err)
        with g.writes_only():
            assert g.fd_pwrite(fd, *iovs, 0, COUNT) == err
            assert g.fd_write(fd, *iovs, COUNT) == err
        kernel.clear()
    assert g.read(fd) == (0, b"hello")


# ---- fd_read ----


def test_fd_read(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    iovs = g.iovs(IOVS, (501, 2), (700, 1))
    with g.writes_only((COUNT, 4), (501, 2), (700, 1)):
        assert g.fd_read(fd, *iovs, COUNT) == 0
    assert (g.unpack("I", COUNT), g.memory.read(501, 2), g.memory.read(700, 1)) == (3, b"he", b"l")
    assert tell(g, fd) == 3
    assert g.read(fd) == (0, b"lo")
    assert g.read(fd) == (0, b"")  # the end of the file


def test_fd_read_errnos(g: Guest, home: int) -> None:
    iovs = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.fd_read(99, *iovs, COUNT) == E.BADF
        assert g.fd_read(home, *iovs, COUNT) == E.NOTCAPABLE  # a directory has no right to be read
        assert g.fd_read(1, *iovs, COUNT) == E.NOTCAPABLE
    writer = opened(g, "f.txt", home, rights=RIGHTS["fd_write"])
    iovs = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.fd_read(writer, *iovs, COUNT) == E.NOTCAPABLE


def test_fd_read_too_many_pieces(make: Make, home: int) -> None:
    g = make(limits=Limits(iovecs=2))
    fd = opened(g, "f.txt", home)
    three = g.iovs(IOVS, (500, 1), (501, 1), (502, 1))
    for name, more in (("fd_read", ()), ("fd_pread", (0,)), ("fd_write", ()), ("fd_pwrite", (0,))):
        with g.writes_only():
            assert g.call(name, fd, *three, *more, COUNT) == E.INVAL
        assert g.call(name, fd, three[0], 2, *more, COUNT) == 0


def test_fd_read_io_and_isdir(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, "f.txt")
    iovs = g.iovs(IOVS, (500, 4))
    for err in (E.IO, E.ISDIR):
        kernel.inject("readv", err=err)
        kernel.inject("preadv", err=err)
        with g.writes_only():
            assert g.fd_read(fd, *iovs, COUNT) == err
            assert g.fd_pread(fd, *iovs, 0, COUNT) == err
        kernel.clear()


def test_fd_read_is_called_again_after_a_signal(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, "f.txt")
    for name in ("readv", "writev", "preadv", "pwritev"):
        kernel.inject(name, times=3, err=E.INTR)
    assert g.read(fd) == (0, b"hello")
    iovs = g.iovs(IOVS, g.put(500, b"HE"))
    assert g.fd_pwrite(fd, *iovs, 0, COUNT) == 0
    assert g.write(fd, b"!") == (0, 1)
    assert g.fd_pread(fd, *g.iovs(IOVS, (500, 9)), 0, COUNT) == 0
    assert g.memory.read(500, 6) == b"HEllo!"


def pipe_to_stdin(plain: Make, **more: Any) -> tuple[Guest, int]:
    """A guest whose stdin is the reading end of a pipe, and the writing end."""
    out, back = os.pipe()
    kept = os.dup(0)
    os.dup2(out, 0)
    try:
        g = plain(stdin="inherit", **more)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(out)
    return g, back


def test_fd_read_again_when_nothing_is_there(plain: Make) -> None:
    g, back = pipe_to_stdin(plain)
    try:
        assert g.fd_fdstat_set_flags(0, 4) == 0
        assert g.read(0) == (E.AGAIN, b"")
        os.write(back, b"now")
        assert g.read(0) == (0, b"now")
        assert g.fd_pread(0, *g.iovs(IOVS, (500, 4)), 0, COUNT) == E.SPIPE
    finally:
        os.close(back)
    assert g.read(0) == (0, b"")


# ---- fd_renumber ----


def test_fd_renumber(g: Guest, home: int) -> None:
    one, two = opened(g, "f.txt", home), opened_dir(g, "d", home)
    with g.writes_only():
        assert g.fd_renumber(one, two) == 0
    assert g.read(one)[0] == E.BADF
    assert g.read(two) == (0, b"hello")


def test_fd_renumber_keeps_the_rights(g: Guest, home: int) -> None:
    one = opened(g, "f.txt", home, rights=RIGHTS["fd_read"])
    two = opened(g, "f.txt", home)
    assert g.fd_renumber(one, two) == 0
    assert g.fd_fdstat_get(two, 0) == 0 and g.unpack("Q", 8) == RIGHTS["fd_read"]


def test_fd_renumber_errnos(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    for one, two in ((fd, 99), (99, fd), (fd, 2**32 - 1), (2**31, fd), (99, 99)):
        assert g.fd_renumber(one, two) == E.BADF
    assert g.fd_renumber(fd, fd) == 0
    assert g.read(fd) == (0, b"hello")


# ---- fd_seek, fd_tell ----


def test_fd_seek(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    for offset, whence, expected in (
        (2, SET, 2),
        (-1, CUR, 1),
        (0, CUR, 1),
        (-2, END, 3),
        (10, END, 15),
        (0, SET, 0),
    ):
        with g.writes_only((COUNT, 8)):
            assert g.fd_seek(fd, offset, whence, COUNT) == 0
        assert g.unpack("Q", COUNT) == expected == tell(g, fd)


def test_fd_seek_past_the_end_then_write(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    assert g.fd_seek(fd, 7, SET, COUNT) == 0
    assert g.write(fd, b"!") == (0, 1)
    assert g.fd_seek(fd, 0, SET, COUNT) == 0
    assert g.read(fd) == (0, b"hello\0\0!")


def test_fd_seek_errnos(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    assert g.fd_seek(fd, 2, SET, COUNT) == 0
    for whence in (3, 4, 255, 2**32 - 1):
        assert g.fd_seek(fd, 0, whence, COUNT) == E.INVAL
    for offset, whence in ((-1, SET), (-3, CUR), (-6, END), (-(2**63), CUR)):
        assert g.fd_seek(fd, offset, whence, COUNT) == E.INVAL
    assert g.fd_seek(fd, LARGEST, CUR, COUNT) in (E.OVERFLOW, E.INVAL)
    assert g.fd_seek(fd, LARGEST, END, COUNT) in (E.OVERFLOW, E.INVAL)
    assert tell(g, fd) == 2
    assert g.fd_seek(99, 0, SET, COUNT) == E.BADF
    assert g.fd_seek(home, 0, SET, COUNT) == E.NOTCAPABLE
    assert g.fd_seek(1, 0, SET, COUNT) == E.NOTCAPABLE
    teller = opened(g, "f.txt", home, rights=rights("fd_read", "fd_tell"))
    assert g.fd_seek(teller, 1, SET, COUNT) == E.NOTCAPABLE
    assert g.fd_seek(teller, 0, CUR, COUNT) == 0  # that is fd_tell


def test_fd_seek_spipe(plain: Make) -> None:
    g, back = pipe_to_stdin(plain)
    os.close(back)
    for call in (lambda: g.fd_seek(0, 0, SET, COUNT), lambda: g.fd_tell(0, COUNT)):
        assert call() in (E.SPIPE, E.NOTCAPABLE)


def test_fd_tell(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    assert g.read(fd, 3) == (0, b"hel")
    g.fill()
    with g.writes_only((COUNT, 8)):
        assert g.fd_tell(fd, COUNT) == 0
    assert g.unpack("Q", COUNT) == 3


def test_fd_tell_errnos(g: Guest, home: int) -> None:
    assert g.fd_tell(99, COUNT) == E.BADF
    assert g.fd_tell(home, COUNT) == E.NOTCAPABLE
    assert g.fd_tell(opened(g, "f.txt", home, rights=RIGHTS["fd_read"]), COUNT) == E.NOTCAPABLE
    seeker = opened(g, "f.txt", home, rights=rights("fd_read", "fd_seek"))
    assert g.fd_tell(seeker, COUNT) == 0  # who may seek may tell


# ---- fd_write ----


def test_fd_write(g: Guest, world: World, home: int) -> None:
    fd = opened(g, "f.txt", home)
    iovs = g.iovs(IOVS, g.put(501, b"AB"), (0, 0), g.put(600, b"C"))
    with g.writes_only((COUNT, 4)):
        assert g.fd_write(fd, *iovs, COUNT) == 0
    assert g.unpack("I", COUNT) == 3 and tell(g, fd) == 3
    if home == 3:
        assert (world.rw / "f.txt").read_bytes() == b"ABClo"


def test_fd_write_appends(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home, fdflags=1)
    assert g.write(fd, b"!") == (0, 1)
    assert g.fd_seek(fd, 0, SET, COUNT) == 0
    assert g.write(fd, b"?") == (0, 1)
    assert tell(g, fd) == 7
    assert g.fd_seek(fd, 0, SET, COUNT) == 0 and g.read(fd) == (0, b"hello!?")


def test_fd_write_nothing(g: Guest, home: int) -> None:
    fd = opened(g, "f.txt", home)
    with g.writes_only((COUNT, 4)):
        assert g.fd_write(fd, 0, 0, COUNT) == 0
    assert g.unpack("I", COUNT) == 0


def test_fd_write_captured(plain: Make) -> None:
    g = plain(stdout=Capture(8), stderr=Capture(4))
    assert g.write(1, b"out") == (0, 3) and g.write(2, b"err") == (0, 3)
    assert g.write(1, b"123456789") == (0, 5)  # as much as there was room for
    assert g.write(1, b"x")[0] == E.NOSPC
    assert (g.instance.stdout, g.instance.stderr) == (b"out12345", b"err")


def test_fd_write_errnos(g: Guest, home: int) -> None:
    iovs = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.fd_write(99, *iovs, COUNT) == E.BADF
        assert g.fd_write(home, *iovs, COUNT) == E.NOTCAPABLE
        assert g.fd_write(0, *iovs, COUNT) == E.NOTCAPABLE
    reader = opened(g, "f.txt", home, rights=RIGHTS["fd_read"])
    iovs = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.fd_write(reader, *iovs, COUNT) == E.NOTCAPABLE


def test_fd_write_to_a_pipe_that_is_full_or_that_nobody_reads(plain: Make) -> None:
    out, back = os.pipe()
    kept = os.dup(1)
    os.dup2(back, 1)
    try:
        g = plain(stdout="inherit")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(back)
    assert g.fd_fdstat_set_flags(1, 4) == 0
    total = 0
    while True:
        err, written = g.write(1, b"z" * 30000)
        if err:
            break
        total += written
    assert err == E.AGAIN and total > 0
    got = 0
    while got < total:
        got += len(os.read(out, 65536))
    os.close(out)
    assert g.write(1, b"x")[0] == E.PIPE  # and no signal

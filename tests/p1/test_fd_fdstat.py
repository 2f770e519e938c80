"""What a descriptor is and may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import ALL_RIGHTS, RIGHTS, E, Guest, rights
from wasi_native import _core

Make = Callable[..., Guest]
STAT = 64
APPEND, DSYNC, NONBLOCK, RSYNC, SYNC = 1, 2, 4, 8, 16


def fdstat(g: Guest, fd: int) -> tuple[int, int, int, int]:
    """(type, flags, rights, inheriting rights), padding checked."""
    with g.writes_only((STAT, 24)):
        assert g.fd_fdstat_get(fd, STAT) == 0
    kind, pad, flags, pad4, base, inheriting = g.unpack("BBHIQQ", STAT)
    assert (pad, pad4) == (0, 0)
    return kind, flags, base, inheriting


def test_fd_fdstat_get_of_a_file(g: Guest, home: int) -> None:
    err, fd = g.open("f.txt", dir=home, rights=rights("fd_read", "fd_seek"), fdflags=APPEND | NONBLOCK)
    assert err == 0
    assert fdstat(g, fd) == (4, APPEND | NONBLOCK, rights("fd_read", "fd_seek"), 0)


def test_fd_fdstat_get_of_a_directory(g: Guest, home: int) -> None:
    kind, flags, base, inheriting = fdstat(g, home)
    assert (kind, flags) == (3, 0)
    assert base & rights("path_open", "fd_readdir", "path_unlink_file") == rights(
        "path_open", "fd_readdir", "path_unlink_file"
    )
    assert base & rights("fd_read", "fd_write", "sock_accept") == 0
    assert inheriting & rights("fd_read", "fd_write") == rights("fd_read", "fd_write")


def test_fd_fdstat_get_of_a_read_only_directory(g: Guest) -> None:
    _, _, base, inheriting = fdstat(g, 4)
    writing = rights("fd_write", "fd_allocate", "path_create_file", "path_unlink_file", "path_symlink")
    assert base & writing == 0 and inheriting & writing == 0


@pytest.mark.parametrize(("fd", "right"), [(0, "fd_read"), (1, "fd_write"), (2, "fd_write")])
def test_fd_fdstat_get_of_a_stream(plain: Make, fd: int, right: str) -> None:
    g = plain()
    kind, flags, base, inheriting = fdstat(g, fd)
    assert (kind, flags, inheriting) == (0, 0, 0)  # a character device would look like a terminal
    assert base & rights("fd_read", "fd_write") == RIGHTS[right]


def test_fd_fdstat_get_badf(g: Guest) -> None:
    with g.writes_only():
        assert g.fd_fdstat_get(99, STAT) == E.BADF


def test_fd_fdstat_set_flags(g: Guest, home: int) -> None:
    err, fd = g.open("f.txt", dir=home)
    assert err == 0
    g.fill()
    with g.writes_only():
        assert g.fd_fdstat_set_flags(fd, APPEND) == 0
    assert fdstat(g, fd)[1] == APPEND
    assert g.write(fd, b"!") == (0, 1)
    assert g.fd_fdstat_set_flags(fd, NONBLOCK) == 0
    assert fdstat(g, fd)[1] == NONBLOCK
    assert g.fd_seek(fd, 0, 0, STAT) == 0 and g.write(fd, b"J") == (0, 1)
    assert g.fd_seek(fd, 0, 0, STAT) == 0 and g.read(fd) == (0, b"Jello!")


def test_fd_fdstat_set_flags_errnos(g: Guest, home: int) -> None:
    err, fd = g.open("f.txt", dir=home)
    assert err == 0
    assert g.fd_fdstat_set_flags(99, 0) == E.BADF
    for flags in (32, 64, 0x8000, 0x10000, 2**31, 2**32 - 1):
        assert g.fd_fdstat_set_flags(fd, flags) == E.INVAL
    for flags in (DSYNC, RSYNC, SYNC, APPEND | SYNC):
        assert g.fd_fdstat_set_flags(fd, flags) == E.NOTSUP
    assert fdstat(g, fd)[1] == 0
    err, fd = g.open("f.txt", dir=home, rights=RIGHTS["fd_read"])
    assert err == 0 and g.fd_fdstat_set_flags(fd, APPEND) == E.NOTCAPABLE


def test_fd_fdstat_set_flags_of_a_stream(plain: Make) -> None:
    g = plain()
    assert g.fd_fdstat_set_flags(1, NONBLOCK) == 0 and fdstat(g, 1)[1] == NONBLOCK
    assert g.fd_fdstat_set_flags(1, APPEND) == E.NOTSUP
    assert g.fd_fdstat_set_flags(1, 0) == 0 and fdstat(g, 1)[1] == 0


def test_fd_fdstat_set_flags_what_the_kernel_says(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    err, fd = g.open("f.txt")
    assert err == 0
    kernel.inject("set_append", err=E.PERM)
    assert g.fd_fdstat_set_flags(fd, APPEND) == E.PERM and fdstat(g, fd)[1] == 0


def test_fd_fdstat_set_rights(g: Guest, home: int) -> None:
    err, fd = g.open("f.txt", dir=home)
    assert err == 0
    g.fill()
    with g.writes_only():
        assert g.fd_fdstat_set_rights(fd, rights("fd_read", "fd_tell"), 0) == 0
    assert fdstat(g, fd)[2] == rights("fd_read", "fd_tell")
    assert g.read(fd) == (0, b"hello")
    assert g.write(fd, b"x")[0] == E.NOTCAPABLE
    assert g.fd_fdstat_set_rights(fd, 0, 0) == 0
    assert g.read(fd)[0] == E.NOTCAPABLE


def test_fd_fdstat_set_rights_drops_what_is_inherited(g: Guest, home: int) -> None:
    _, _, base, inheriting = fdstat(g, home)
    assert g.fd_fdstat_set_rights(home, base, inheriting & ~RIGHTS["fd_write"]) == 0
    assert g.open("f.txt", dir=home)[0] == E.NOTCAPABLE
    err, fd = g.open("f.txt", dir=home, rights=RIGHTS["fd_read"])
    assert err == 0 and fdstat(g, fd)[2] == RIGHTS["fd_read"]


def test_fd_fdstat_set_rights_errnos(g: Guest, home: int) -> None:
    err, fd = g.open("f.txt", dir=home, rights=RIGHTS["fd_read"])
    assert err == 0
    assert g.fd_fdstat_set_rights(99, 0, 0) == E.BADF
    assert g.fd_fdstat_set_rights(fd, rights("fd_read", "fd_write"), 0) == E.NOTCAPABLE
    assert g.fd_fdstat_set_rights(fd, RIGHTS["fd_read"], RIGHTS["fd_read"]) == E.NOTCAPABLE
    assert fdstat(g, fd)[2] == RIGHTS["fd_read"]


def test_fd_fdstat_set_rights_masks_unknown_bits(g: Guest, home: int) -> None:
    _, _, base, inheriting = fdstat(g, home)
    unknown = (2**64 - 1) & ~ALL_RIGHTS
    assert g.fd_fdstat_set_rights(home, base | unknown, inheriting | unknown) == 0
    assert fdstat(g, home)[2:] == (base, inheriting)

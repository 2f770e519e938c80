"""Opening and creating what has a name, on the host's tree and on one in memory, with both resolvers."""

from __future__ import annotations

import os
import socket
import stat as st
from collections.abc import Callable
from typing import Any

from tests.p1.conftest import World
from tests.support import ALL_RIGHTS, RIGHTS, E, Guest, rights
from wasi_native import Dir, Limits, MemoryDir, _core

Make = Callable[..., Guest]
PATH, OUT = 0x401, 0x100
CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
DIR_RIGHTS = ALL_RIGHTS & ~rights("fd_write", "fd_allocate")


def unlink(g: Guest, fd: int, path: str | bytes) -> int:
    return int(g.path_unlink_file(fd, *g.put(PATH, path)))


def open_path(g: Guest, fd: int, path: str | bytes, **how: Any) -> int:
    return g.open(path, dir=fd, **{"rights": RIGHTS["fd_read"], **how})[0]


def kind(g: Guest, path: str, home: int) -> int:
    """The file type of a name, 0 when it is not there."""
    err, found = g.stat(path, dir=home)
    assert err in (0, E.NOENT)
    return 0 if err else found["type"]


def test_path_open(g: Guest, home: int) -> None:
    path = g.put(PATH, "f.txt")
    with g.writes_only((OUT, 4)):
        assert g.path_open(home, 0, *path, 0, ALL_RIGHTS, ALL_RIGHTS, 0, OUT) == 0
    assert g.unpack("I", OUT) == 6
    assert g.read(6) == (0, b"hello")
    for other in ("./f.txt", "d/../f.txt", "l_d/../f.txt", "d//e/../..//f.txt"):
        err, fd = g.open(other, dir=home)
        assert (err, g.read(fd)) == (0, (0, b"hello")), other


def test_path_open_follows(g: Guest, home: int) -> None:
    err, fd = g.open("l", dir=home, follow=True)
    assert err == 0 and g.read(fd) == (0, b"hello")
    assert g.open("l", dir=home)[0] == E.LOOP
    assert g.open("l", dir=home, oflags=DIRECTORY)[0] in (E.NOTDIR, E.LOOP)
    assert g.open("l_gone", dir=home, follow=True)[0] == E.NOENT


def test_path_open_creates(g: Guest, world: World, home: int) -> None:
    err, fd = g.open("new", dir=home, oflags=CREAT)
    assert err == 0 and g.write(fd, b"x") == (0, 1)
    assert g.open("new", dir=home, oflags=CREAT | EXCL)[0] == E.EXIST
    err, fd = g.open("new", dir=home, oflags=CREAT)
    assert err == 0 and g.read(fd) == (0, b"x")
    err, fd = g.open("new", dir=home, oflags=CREAT | TRUNC)
    assert err == 0 and g.read(fd) == (0, b"")
    if home == 3:
        assert st.S_IMODE(os.stat(world.rw / "new").st_mode) == 0o644


def test_path_open_creates_where_a_link_points(g: Guest, home: int) -> None:
    assert g.open("l_gone", dir=home, oflags=CREAT | EXCL, follow=True)[0] == E.EXIST
    assert kind(g, "gone", home) == 0
    assert g.open("l_gone", dir=home, oflags=CREAT, follow=True)[0] == 0
    assert kind(g, "gone", home) == 4


def test_path_open_truncates(g: Guest, home: int) -> None:
    assert g.open("f.txt", dir=home, oflags=TRUNC)[0] == 0
    assert g.stat("f.txt", dir=home)[1]["size"] == 0


def test_path_open_directories(g: Guest, home: int) -> None:
    for path in ("d", "d/", "d/.", ".", "l_d/", "d/e/.."):
        err, fd = g.open(path, dir=home, oflags=DIRECTORY, rights=DIR_RIGHTS)
        assert err == 0, path
        assert g.fstat(fd)[1]["type"] == 3
        assert g.fd_close(fd) == 0
    assert g.open("f.txt", dir=home, oflags=DIRECTORY)[0] == E.NOTDIR
    assert g.open("f.txt/", dir=home)[0] == E.NOTDIR
    assert g.open("d", dir=home)[0] == E.ISDIR  # for writing
    for path in ("d", ".", "new/"):
        assert g.open(path, dir=home, oflags=CREAT)[0] == E.ISDIR, path
    assert g.open("d", dir=home, oflags=TRUNC, rights=DIR_RIGHTS)[0] == E.ISDIR
    err, fd = g.open("d", dir=home, rights=DIR_RIGHTS)
    assert err == 0 and g.open("../f.txt", dir=fd)[0] == E.PERM
    assert g.open("e", dir=fd, rights=DIR_RIGHTS)[0] == 0


def test_path_open_inval(g: Guest, home: int) -> None:
    path = g.put(PATH, "f.txt")
    cases: list[dict[str, int]] = [
        {"dirflags": 2},
        {"dirflags": 2**32 - 1},
        {"oflags": 16},
        {"oflags": 0x10000},
        {"fdflags": 32},
        {"fdflags": 0x10000},
        {"oflags": CREAT | DIRECTORY},
    ]
    for case in cases:
        how = {"dirflags": 0, "oflags": 0, "fdflags": 0, **case}
        with g.writes_only():
            args = (how["oflags"], RIGHTS["fd_read"], 0, how["fdflags"], OUT)
            assert g.path_open(home, how["dirflags"], *path, *args) == E.INVAL, case


def test_path_open_rights(g: Guest, home: int) -> None:
    unknown = 2**64 - 1
    err, fd = g.open("f.txt", dir=home, rights=unknown, inheriting=unknown)  # as Go does
    assert err == 0
    assert g.fd_fdstat_get(fd, OUT) == 0
    base, inheriting = g.unpack("QQ", OUT + 8)
    assert base & ~ALL_RIGHTS == 0 and inheriting == 0
    assert base & rights("path_open", "sock_accept", "fd_readdir") == 0
    err, fd = g.open("d", dir=home, rights=DIR_RIGHTS, inheriting=RIGHTS["fd_read"])
    assert err == 0
    assert g.fd_fdstat_get(fd, OUT) == 0 and g.unpack("Q", OUT + 16) == RIGHTS["fd_read"]


def test_path_open_mfile(make: Make, home: int) -> None:
    g = make(limits=Limits(fds=8, dirs=5))
    assert open_path(g, home, "f.txt") == 0
    assert open_path(g, home, "d") == 0
    path = g.put(PATH, "new")
    with g.writes_only():
        assert g.path_open(home, 0, *path, CREAT, RIGHTS["fd_read"], 0, 0, OUT) == E.MFILE
    assert kind(g, "new", home) == 0  # nothing was made
    assert g.fd_close(6) == 0
    assert open_path(g, home, "d") in (0, E.MFILE)


def test_path_open_mfile_of_directories(make: Make, home: int) -> None:
    g = make(limits=Limits(dirs=4))
    assert open_path(g, home, "d") == 0
    assert open_path(g, home, "d") == E.MFILE
    assert open_path(g, home, "f.txt") == 0


def test_path_open_dquot_and_nospc(make: Make, world: World, home: int) -> None:
    kernel = _core.FakeOs()
    g = make(kernel, dirs=[Dir(world.rw, "/rw", inodes=6), Dir(world.ro, "/ro"), MemoryDir("/mem", inodes=7)])
    made = 0
    while (err := g.open(f"n{made}", dir=home, oflags=CREAT)[0]) == 0:
        made += 1
    assert err == E.DQUOT and made == (6 if home == 3 else 1)
    assert g.open("f.txt", dir=home, oflags=CREAT)[0] == 0  # that one is there already
    if home == 3:
        assert unlink(g, home, "n0") == 0
        kernel.inject("openat", err=E.NOSPC)
        assert g.open("full", oflags=CREAT)[0] == E.NOSPC


def test_path_open_neither_file_nor_directory(g: Guest, world: World) -> None:
    os.mkfifo(world.rw / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(world.rw / "s"))
        for name in ("fifo", "s"):
            for allowed in (RIGHTS["fd_read"], RIGHTS["fd_write"], rights("fd_read", "fd_write")):
                assert g.open(name, rights=allowed)[0] in (E.NOTCAPABLE, E.NXIO)
    assert g.stat("fifo")[1]["type"] == 0 and g.stat("s")[1]["type"] == 6

"""Names below a directory: each call on the host's tree and on one in memory, with both resolvers."""

from __future__ import annotations

import os
import stat as st
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.p1.conftest import World
from tests.support import ALL_RIGHTS, RIGHTS, UNSTABLE, E, Guest, rights
from wasi_native import Dir, File, MemoryDir, Policy, _core

Make = Callable[..., Guest]
PATH, OTHER, OUT = 0x401, 0x2403, 0x100
CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
FOLLOW = 1
DIR_RIGHTS = ALL_RIGHTS & ~rights("fd_write", "fd_allocate")

Call = Callable[[Guest, int, "str | bytes"], int]


def create_directory(g: Guest, fd: int, path: str | bytes) -> int:
    return int(g.path_create_directory(fd, *g.put(PATH, path)))


def remove_directory(g: Guest, fd: int, path: str | bytes) -> int:
    return int(g.path_remove_directory(fd, *g.put(PATH, path)))


def unlink(g: Guest, fd: int, path: str | bytes) -> int:
    return int(g.path_unlink_file(fd, *g.put(PATH, path)))


def filestat(g: Guest, fd: int, path: str | bytes, flags: int = 0) -> int:
    return int(g.path_filestat_get(fd, flags, *g.put(PATH, path), OUT))


def set_times(g: Guest, fd: int, path: str | bytes, flags: int = 0) -> int:
    return int(g.path_filestat_set_times(fd, flags, *g.put(PATH, path), 5, 6, 5))


def readlink(g: Guest, fd: int, path: str | bytes, length: int = 100) -> int:
    return int(g.path_readlink(fd, *g.put(PATH, path), 0x4801, length, OUT))


def open_path(g: Guest, fd: int, path: str | bytes, **how: Any) -> int:
    return g.open(path, dir=fd, **{"rights": RIGHTS["fd_read"], **how})[0]


def link(g: Guest, fd: int, old: str | bytes, new: str | bytes = "linked", to: int | None = None) -> int:
    return int(g.path_link(fd, 0, *g.put(PATH, old), fd if to is None else to, *g.put(OTHER, new)))


def link_to(g: Guest, fd: int, path: str | bytes) -> int:
    return link(g, fd, "f.txt", path)


def rename(g: Guest, fd: int, old: str | bytes, new: str | bytes = "renamed", to: int | None = None) -> int:
    return int(g.path_rename(fd, *g.put(PATH, old), fd if to is None else to, *g.put(OTHER, new)))


def rename_to(g: Guest, fd: int, path: str | bytes) -> int:
    return rename(g, fd, "f.txt", path)


def symlink(g: Guest, fd: int, path: str | bytes, target: str | bytes = "f.txt") -> int:
    return int(g.path_symlink(*g.put(OTHER, target), fd, *g.put(PATH, path)))


CALLS: dict[str, Call] = {
    "path_create_directory": create_directory,
    "path_filestat_get": filestat,
    "path_filestat_set_times": set_times,
    "path_link old": link,
    "path_link new": link_to,
    "path_open": open_path,
    "path_readlink": readlink,
    "path_remove_directory": remove_directory,
    "path_rename old": rename,
    "path_rename new": rename_to,
    "path_symlink": symlink,
    "path_unlink_file": unlink,
}
every_call = pytest.mark.parametrize("name", CALLS)


def kind(g: Guest, path: str, home: int) -> int:
    """The file type of a name, 0 when it is not there."""
    err, found = g.stat(path, dir=home)
    assert err in (0, E.NOENT)
    return 0 if err else found["type"]


# ---- the errnos that every function has from its path ----


@every_call
def test_badf(g: Guest, name: str) -> None:
    for fd in (6, 99, 2**31, 2**32 - 1):
        assert CALLS[name](g, fd, "d") == E.BADF


@every_call
def test_ilseq_not_utf8(g: Guest, home: int, name: str) -> None:
    for path in (b"\xff", b"a\xc0\x80", b"\xed\xa0\x80", b"d/\xf5", b"\xe2\x98"):
        assert CALLS[name](g, home, path) == E.ILSEQ


@every_call
def test_inval_a_nul(g: Guest, home: int, name: str) -> None:
    for path in (b"\0", b"f.txt\0", b"f.txt\0.png", b"d/\0/e"):
        assert CALLS[name](g, home, path) == E.INVAL


@every_call
def test_loop(g: Guest, home: int, name: str) -> None:
    assert symlink(g, home, "a", "b") == 0 and symlink(g, home, "b", "a") == 0
    assert CALLS[name](g, home, "a/x") == E.LOOP


@every_call
def test_nametoolong(g: Guest, home: int, name: str) -> None:
    for path in ("x" * 256, "d/" + "x" * 256, "d/" * 2047 + "ee", "x/" * 8000):
        assert CALLS[name](g, home, path) == E.NAMETOOLONG, len(path)


@every_call
def test_noent(g: Guest, home: int, name: str) -> None:
    assert CALLS[name](g, home, "") == E.NOENT
    assert CALLS[name](g, home, "missing/x") == E.NOENT
    if name not in ("path_create_directory", "path_symlink", "path_link new", "path_rename new"):
        assert CALLS[name](g, home, "missing") == E.NOENT


@every_call
def test_notcapable(g: Guest, home: int, name: str) -> None:
    needed = {
        "path_link old": "path_link_source",
        "path_link new": "path_link_target",
        "path_rename old": "path_rename_source",
        "path_rename new": "path_rename_target",
    }.get(name, name)
    assert g.fd_fdstat_get(home, OUT) == 0
    base, inheriting = g.unpack("QQ", OUT + 8)
    assert base & RIGHTS[needed]
    assert g.fd_fdstat_set_rights(home, base & ~RIGHTS[needed], inheriting) == 0
    assert CALLS[name](g, home, "d") == E.NOTCAPABLE


@every_call
def test_notdir(g: Guest, home: int, name: str) -> None:
    assert CALLS[name](g, home, "f.txt/x") == E.NOTDIR
    assert CALLS[name](g, home, "l/x") == E.NOTDIR
    err, file = g.open("f.txt", dir=home, rights=RIGHTS["fd_read"])
    assert err == 0
    assert CALLS[name](g, file, "d") in (E.NOTDIR, E.NOTCAPABLE)  # a file has no rights on paths


@every_call
def test_perm_outside(g: Guest, home: int, name: str) -> None:
    for path in (
        "/",
        "//",
        "/rw/f.txt",
        "..",
        "../out/secret.txt",
        "d/../../out",
        "l_d/../../x",
        "../rw/f.txt",
    ):
        assert CALLS[name](g, home, path) == E.PERM, path


@pytest.mark.parametrize(
    "name", [n for n in CALLS if n not in ("path_filestat_get", "path_open", "path_readlink")]
)
def test_a_grant_to_read_alone(g: Guest, world: World, name: str) -> None:
    assert CALLS[name](g, 4, "r.txt") in (E.NOTCAPABLE, E.ROFS)
    assert sorted(os.listdir(world.ro)) == ["r.txt"]


def test_rofs_of_a_grant_in_memory_that_holds_one_file(guest: Make, world: World, engine: str) -> None:
    files = [File(world.ro / "r.txt", "/one/r.txt"), File(world.rw / "f.txt", "/one/w.txt", read_only=False)]
    g = guest(Policy(files=files), engine=engine)
    err, fd = g.open("r.txt", rights=RIGHTS["fd_read"])
    assert err == 0 and g.read(fd) == (0, b"read")
    assert g.open("r.txt")[0] == E.ROFS
    assert g.open("new", oflags=CREAT)[0] == E.ROFS
    for name in ("path_create_directory", "path_symlink", "path_link new"):
        assert CALLS[name](g, 3, "new") in (E.ROFS, E.NOTCAPABLE), name
    for name in ("path_unlink_file", "path_rename old"):
        assert CALLS[name](g, 3, "w.txt") in (E.ROFS, E.NOTCAPABLE), name
    err, fd = g.open("w.txt", oflags=CREAT | TRUNC)  # the one that may be written
    assert err == 0 and g.write(fd, b"new") == (0, 3)
    assert (world.rw / "f.txt").read_bytes() == b"new"


# ---- path_create_directory ----


def test_path_create_directory(g: Guest, world: World, home: int) -> None:
    path = g.put(PATH, "new")
    with g.writes_only():
        assert g.path_create_directory(home, *path) == 0
    assert kind(g, "new", home) == 3
    assert create_directory(g, home, "l_d/deep/") == 0
    assert kind(g, "d/deep", home) == 3
    if home == 3:
        assert st.S_IMODE(os.stat(world.rw / "new").st_mode) == 0o755


def test_path_create_directory_exist(g: Guest, home: int) -> None:
    for path in ("d", "d/", "f.txt", "l", "l_gone", ".", "d/e/..", "d/."):
        assert create_directory(g, home, path) == E.EXIST, path
    assert kind(g, "gone", home) == 0


def test_path_create_directory_dquot_and_nospc(make: Make, world: World, home: int) -> None:
    kernel = _core.FakeOs()
    g = make(kernel, dirs=[Dir(world.rw, "/rw", inodes=7), Dir(world.ro, "/ro"), MemoryDir("/mem", inodes=7)])
    made = 0
    while (err := create_directory(g, home, f"n{made}")) == 0:
        made += 1
    assert err == E.DQUOT and made == (7 if home == 3 else 1)
    assert remove_directory(g, home, "n0") == 0 and create_directory(g, home, "again") == 0
    if home == 3:
        assert remove_directory(g, home, "again") == 0
        kernel.inject("mkdirat", err=E.NOSPC)
        assert create_directory(g, home, "full") == E.NOSPC


# ---- path_filestat_get ----


def test_path_filestat_get(g: Guest, world: World) -> None:
    path = g.put(PATH, "l")
    for flags, name, follow in ((0, "l", False), (FOLLOW, "f.txt", True)):
        with g.writes_only((OUT, 64)):
            assert g.path_filestat_get(3, flags, *path, OUT) == 0
        s = os.stat(world.rw / "l", follow_symlinks=follow)
        assert g.unpack("QQQQQQQQ", OUT) == (
            s.st_dev,
            s.st_ino,
            4 if follow else 7,
            1,
            s.st_size,
            s.st_atime_ns,
            s.st_mtime_ns,
            s.st_ctime_ns,
        ), name


def test_path_filestat_get_of_every_kind(g: Guest, home: int) -> None:
    for path, follow, expected in (
        ("f.txt", 0, 4),
        ("d", 0, 3),
        ("d/", 0, 3),
        (".", 0, 3),
        ("./d/./e/..", 0, 3),
        ("l_d", 0, 7),
        ("l_d", 1, 3),
        ("l_d/", 0, 3),
        ("l_d/e", 0, 3),
        ("l_gone", 0, 7),
    ):
        err, found = g.stat(path, dir=home, follow=bool(follow))
        assert (err, found.get("type")) == (0, expected), path
    assert g.stat("l_gone", dir=home, follow=True)[0] == E.NOENT
    assert g.stat("f.txt/", dir=home)[0] == E.NOTDIR
    assert g.stat("l/", dir=home)[0] == E.NOTDIR


def test_path_filestat_get_inval(g: Guest, home: int) -> None:
    path = g.put(PATH, "f.txt")
    with g.writes_only():
        for flags in (2, 3, 0x80000000, 2**32 - 1):
            assert g.path_filestat_get(home, flags, *path, OUT) == E.INVAL
            assert g.path_filestat_set_times(home, flags, *path, 0, 0, 1) == E.INVAL


def test_wasi_unstable_path_filestat_get(guest: Make, world: World, engine: str, resolver: str) -> None:
    g = guest(world.policy(), engine=engine, resolver=resolver, module=UNSTABLE)
    path = g.put(PATH, "l")
    with g.writes_only((OUT, 56)):
        assert g.path_filestat_get(3, FOLLOW, *path, OUT) == 0
    s = os.stat(world.rw / "f.txt")
    assert g.unpack("QQIIQQQQ", OUT) == (
        s.st_dev,
        s.st_ino,
        4,
        1,
        5,
        s.st_atime_ns,
        s.st_mtime_ns,
        s.st_ctime_ns,
    )
    with g.writes_only():
        assert g.path_filestat_get(3, 2, *path, OUT) == E.INVAL
        assert g.path_filestat_get(99, 0, *path, OUT) == E.BADF
    assert g.path_filestat_get(3, FOLLOW, *path, g.size - 56) == 0


# ---- path_filestat_set_times ----


def test_path_filestat_set_times(g: Guest, home: int) -> None:
    path = g.put(PATH, "l")
    with g.writes_only():
        assert g.path_filestat_set_times(home, FOLLOW, *path, 10**18 + 1, 7, 5) == 0
    found = g.stat("f.txt", dir=home)[1]
    assert (found["atim"], found["mtim"]) == (10**18 + 1, 7)
    path = g.put(PATH, "l")
    assert g.path_filestat_set_times(home, 0, *path, 9, 8, 5) == 0  # the link itself
    found = g.stat("l", dir=home)[1]
    assert (found["type"], found["mtim"]) == (7, 8)
    assert g.stat("f.txt", dir=home)[1]["mtim"] == 7
    path = g.put(PATH, "f.txt")
    assert g.path_filestat_set_times(home, 0, *path, 0, 0, 8) == 0
    found = g.stat("f.txt", dir=home)[1]
    assert found["atim"] == 10**18 + 1 and abs(found["mtim"] - time.time_ns()) < 60 * 10**9
    assert g.path_filestat_set_times(home, 0, *g.put(PATH, "l_d/"), 3, 4, 5) == 0
    assert g.stat("d", dir=home)[1]["mtim"] == 4


def test_path_filestat_set_times_inval(g: Guest, home: int) -> None:
    before = g.stat("f.txt", dir=home)
    path = g.put(PATH, "f.txt")
    for atim, mtim, flags in (
        (1, 1, 3),
        (1, 1, 12),
        (1, 1, 16),
        (1, 1, 2**32 - 1),
        (2**63, 1, 1),
        (1, 2**64 - 1, 4),
    ):
        assert g.path_filestat_set_times(home, 0, *path, atim, mtim, flags) == E.INVAL
    assert g.stat("f.txt", dir=home) == before
    assert set_times(g, home, "f.txt/") == E.NOTDIR


# ---- path_link ----


def test_path_link(g: Guest, home: int) -> None:
    old, new = g.put(PATH, "f.txt"), g.put(OTHER, "d/again")
    with g.writes_only():
        assert g.path_link(home, 0, *old, home, *new) == 0
    one, two = g.stat("f.txt", dir=home)[1], g.stat("d/again", dir=home)[1]
    assert one == two and one["nlink"] == 2
    assert link(g, home, "l", "l2") == 0  # a link is itself linked
    assert kind(g, "l2", home) == 7


def test_path_link_errnos(g: Guest, home: int) -> None:
    old, new = g.put(PATH, "f.txt"), g.put(OTHER, "again")
    for flags in (FOLLOW, 2, 2**32 - 1):
        assert g.path_link(home, flags, *old, home, *new) == E.INVAL
    for path in ("d", "f.txt", "l_gone", "."):
        assert link(g, home, "f.txt", path) == E.EXIST, path
    assert link(g, home, "d", "d2") == E.PERM  # a directory
    assert link(g, home, "f.txt", "new/") == E.NOENT
    assert link(g, home, "f.txt/", "new") == E.NOTDIR
    assert link(g, home, "f.txt", "x", to=99) == E.BADF
    assert link(g, home, "f.txt", "x", to=8 - home) in (E.XDEV, E.PERM)  # the other tree
    assert link(g, 4, "r.txt", "x", to=home) in (E.NOTCAPABLE, E.ROFS)
    assert g.stat("f.txt", dir=home)[1]["nlink"] == 1


def test_path_link_what_the_kernel_says(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    for err in (E.MLINK, E.XDEV, E.NOSPC, E.DQUOT):
        kernel.inject("linkat", err=err)
        assert link(g, 3, "f.txt", "new") == err
    assert kind(g, "new", 3) == 0


# ---- path_readlink ----


def test_path_readlink(g: Guest, home: int) -> None:
    path = g.put(PATH, "l")
    for length in (0, 1, 4, 5, 6, 100):
        g.fill()
        path = g.put(PATH, "l")
        took = min(length, 5)
        with g.writes_only((OUT, 4), (0x4801, took)):
            assert g.path_readlink(home, *path, 0x4801, length, OUT) == 0
        assert g.unpack("I", OUT) == took
        assert g.memory.read(0x4801, took) == b"f.txt"[:took]


def test_path_readlink_errnos(g: Guest, world: World, home: int) -> None:
    for path in ("f.txt", "d", ".", "l_d/"):
        assert readlink(g, home, path) == E.INVAL, path
    assert readlink(g, home, "l/") == E.NOTDIR
    if home == 3:
        (world.rw / "l_abs").symlink_to(world.root / "out")
        g.fill()
        path = g.put(PATH, "l_abs")
        with g.writes_only():  # a name of the host: not one byte of it
            assert g.path_readlink(3, *path, 0x4801, 100, OUT) == E.PERM


# ---- path_remove_directory ----


def test_path_remove_directory(g: Guest, home: int) -> None:
    path = g.put(PATH, "d/e")
    with g.writes_only():
        assert g.path_remove_directory(home, *path) == 0
    assert kind(g, "d/e", home) == 0
    assert remove_directory(g, home, "d/") == 0
    assert kind(g, "d", home) == 0


def test_path_remove_directory_errnos(make: Make, home: int) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    assert remove_directory(g, home, "d") == E.NOTEMPTY
    for path in ("f.txt", "f.txt/", "l", "l_d", "l_gone"):
        assert remove_directory(g, home, path) == E.NOTDIR, path
    for path in (".", "d/.", "d/e/."):
        assert remove_directory(g, home, path) in (E.INVAL, E.NOTEMPTY), path
    assert remove_directory(g, home, "d/..") in (E.INVAL, E.NOTEMPTY, E.PERM)
    kernel.inject("unlinkat", err=E.BUSY)
    assert remove_directory(g, 3, "d/e") == E.BUSY


# ---- path_rename ----


def test_path_rename(g: Guest, home: int) -> None:
    old, new = g.put(PATH, "f.txt"), g.put(OTHER, "d/moved")
    with g.writes_only():
        assert g.path_rename(home, *old, home, *new) == 0
    assert kind(g, "f.txt", home) == 0
    err, fd = g.open("d/moved", dir=home)
    assert err == 0 and g.read(fd) == (0, b"hello")
    assert rename(g, home, "d", "l_gone/x") in (E.NOENT, E.NOTDIR)
    assert rename(g, home, "d/e", "e2/") == 0 and kind(g, "e2", home) == 3
    assert (
        rename(g, home, "l", "l_moved") == 0 and kind(g, "l_moved", home) == 7
    )  # the link, not what it names


def test_path_rename_replaces(g: Guest, home: int) -> None:
    assert g.open("other", dir=home, oflags=CREAT)[0] == 0
    assert rename(g, home, "f.txt", "other") == 0
    assert g.stat("other", dir=home)[1]["size"] == 5
    assert rename(g, home, "other", "l") == 0 and kind(g, "l", home) == 4
    assert create_directory(g, home, "empty") == 0
    assert rename(g, home, "d", "empty") == 0 and kind(g, "empty/e", home) == 3
    assert rename(g, home, "l", "l") == 0


def test_path_rename_errnos(g: Guest, home: int) -> None:
    assert create_directory(g, home, "full") == 0 and create_directory(g, home, "full/x") == 0
    assert rename(g, home, "d", "full") in (E.NOTEMPTY, E.EXIST)
    assert rename(g, home, "f.txt", "d") == E.ISDIR
    assert rename(g, home, "d", "f.txt") == E.NOTDIR
    assert rename(g, home, "f.txt/", "x") == E.NOTDIR
    assert rename(g, home, "f.txt", "x/") == E.NOTDIR
    assert rename(g, home, "d", "d/e/x") == E.INVAL
    for one, two in ((".", "x"), ("d/..", "x"), ("d", "."), ("f.txt", "d/.")):
        assert rename(g, home, one, two) in (E.BUSY, E.INVAL, E.PERM, E.NOTDIR, E.ISDIR), (one, two)
    assert rename(g, home, "f.txt", "x", to=99) == E.BADF
    assert rename(g, home, "f.txt", "x", to=8 - home) in (E.XDEV, E.PERM)
    assert rename(g, 4, "r.txt", "x", to=home) in (E.NOTCAPABLE, E.ROFS)
    assert rename(g, home, "f.txt", "x", to=4) in (E.NOTCAPABLE, E.ROFS)
    assert kind(g, "f.txt", home) == 4 and kind(g, "d/e", home) == 3


def test_path_rename_what_the_kernel_says(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    for err in (E.XDEV, E.BUSY, E.NOSPC):
        kernel.inject("renameat", err=err)
        assert rename(g, 3, "f.txt", "new") == err


# ---- path_symlink ----


def test_path_symlink(g: Guest, home: int) -> None:
    old, new = g.put(OTHER, "../any/where\N{SNOWMAN}"), g.put(PATH, "d/new")
    with g.writes_only():
        assert g.path_symlink(*old, home, *new) == 0
    assert readlink(g, home, "d/new") == 0
    assert g.memory.read(0x4801, g.unpack("I", OUT)).decode() == "../any/where\N{SNOWMAN}"
    assert open_path(g, home, "d/new", follow=True) == E.NOENT
    assert (
        symlink(g, home, "out", "../out/secret.txt") == 0
    )  # kept as it is, and looked at when it is followed
    assert open_path(g, home, "out", follow=True) == E.PERM


def test_path_symlink_errnos(make: Make, home: int) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    for path in ("f.txt", "d", "l_gone", ".", "l"):
        assert symlink(g, home, path) == E.EXIST, path
    for target in ("/", "/etc/passwd", "//x"):
        assert symlink(g, home, "new", target) == E.PERM, target
    assert symlink(g, home, "new", "") == E.NOENT
    assert symlink(g, home, "new", "x" * 4096) == E.NAMETOOLONG
    assert symlink(g, home, "new", b"\xff") == E.ILSEQ
    assert symlink(g, home, "new", b"a\0b") == E.INVAL
    assert symlink(g, home, "new/") in (E.NOENT, E.NOTDIR)
    assert kind(g, "new", home) == 0
    kernel.inject("symlinkat", err=E.NOSPC)
    assert symlink(g, 3, "new") == E.NOSPC


def test_path_symlink_dquot(make: Make, world: World, home: int) -> None:
    g = make(dirs=[Dir(world.rw, "/rw", inodes=2), Dir(world.ro, "/ro"), MemoryDir("/mem", inodes=8)])
    assert symlink(g, home, "one") == 0 and symlink(g, home, "two") == 0
    assert symlink(g, home, "three") == E.DQUOT
    assert link(g, home, "f.txt", "three") == E.DQUOT
    assert unlink(g, home, "one") == 0 and link(g, home, "f.txt", "three") == 0


# ---- path_unlink_file ----


def test_path_unlink_file(g: Guest, home: int) -> None:
    err, fd = g.open("f.txt", dir=home)
    assert err == 0
    path = g.put(PATH, "f.txt")
    with g.writes_only():
        assert g.path_unlink_file(home, *path) == 0
    assert kind(g, "f.txt", home) == 0
    assert g.read(fd) == (0, b"hello")  # who has it open keeps it
    assert g.fstat(fd)[1]["nlink"] == 0
    assert unlink(g, home, "l_d") == 0 and kind(g, "l_d", home) == 0 and kind(g, "d", home) == 3


def test_path_unlink_file_errnos(make: Make, home: int) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    for path in ("d", "d/", ".", "d/e"):
        assert unlink(g, home, path) in (E.ISDIR, E.PERM), path
    for path in ("f.txt/", "l/", "l_d/"):
        assert unlink(g, home, path) in (E.NOTDIR, E.ISDIR), path
    assert kind(g, "f.txt", home) == 4 and kind(g, "l_d", home) == 7
    kernel.inject("unlinkat", err=E.BUSY)
    assert unlink(g, 3, "f.txt") == E.BUSY

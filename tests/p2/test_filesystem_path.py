"""wasi:filesystem: names below a directory, on the host's tree and on one in memory, with both resolvers."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.p2.files import (
    CREATE,
    DIRECTORY,
    EXCLUSIVE,
    FOLLOW,
    KEEP,
    MUTATE,
    NOW,
    OTHER,
    READ,
    RET,
    TRUNCATE,
    WRITE,
    Files,
)
from wasi_native import Dir, MemoryDir, _core

Make = Callable[..., Files]
Call = Callable[[Files, int, "str | bytes"], Any]

LOOKING: dict[str, Call] = {
    "stat-at": lambda g, fd, path: g.stat_at(fd, path),
    "metadata-hash-at": lambda g, fd, path: g.hash_at(fd, path),
    "readlink-at": lambda g, fd, path: g.readlink(fd, path),
    "open-at": lambda g, fd, path: g.open(fd, path),
}
CHANGING: dict[str, Call] = {
    "set-times-at": lambda g, fd, path: g.set_times_at(fd, path, NOW, KEEP),
    "create-directory-at": lambda g, fd, path: g.mkdir(fd, path),
    "remove-directory-at": lambda g, fd, path: g.rmdir(fd, path),
    "unlink-file-at": lambda g, fd, path: g.unlink(fd, path),
    "link-at old": lambda g, fd, path: g.link(fd, path, fd, "new"),
    "link-at new": lambda g, fd, path: g.link(fd, "f.txt", fd, path),
    "rename-at old": lambda g, fd, path: g.rename(fd, path, fd, "new"),
    "rename-at new": lambda g, fd, path: g.rename(fd, "f.txt", fd, path),
    "symlink-at": lambda g, fd, path: g.symlink(fd, "f.txt", path),
    "open-at to create": lambda g, fd, path: g.open(fd, path, WRITE, CREATE),
}
CALLS = {**LOOKING, **CHANGING}
MAKING = ("create-directory-at", "symlink-at", "link-at new", "rename-at new", "open-at to create")
every_call = pytest.mark.parametrize("name", CALLS)


def opened(g: Files, dir: int, path: str, flags: int = READ | WRITE, how: int = 0) -> int:
    fd = g.open(dir, path, flags, how)
    assert isinstance(fd, int), (path, fd)
    return fd


def kind(g: Files, dir: int, path: str, follow: bool = False) -> str:
    """What has a name, or why nothing has."""
    found = g.stat_at(dir, path, follow)
    return found if isinstance(found, str) else found.type


# ---- the errors that every function has from its path ----


@every_call
def test_absolute_or_outside(g: Files, home: int, name: str) -> None:
    for path in ("/", "/f.txt", "//", "..", "../out", "d/../..", "d/../../out/secret.txt"):
        assert CALLS[name](g, home, path) == "not-permitted", path


@every_call
def test_no_text(make: Make, name: str) -> None:
    """A string that is none breaks the rules of the component model, and the call has done nothing."""
    for path in (b"\xff", b"a\xc0\x80", b"\xed\xa0\x80", b"d/\xf5", b"\xe2\x98"):
        g = make()
        with pytest.raises(Exception, match="utf-8"):
            CALLS[name](g, g.preopens["/rw"], path)


@every_call
def test_a_nul(g: Files, home: int, name: str) -> None:
    for path in (b"\0", b"f.txt\0", b"f.txt\0.png", b"d/\0/e"):
        assert CALLS[name](g, home, path) == "invalid"


@every_call
def test_links_in_a_circle(g: Files, home: int, name: str) -> None:
    assert g.symlink(home, "a", "b") is None and g.symlink(home, "b", "a") is None
    assert CALLS[name](g, home, "a/x") == "loop"


@every_call
def test_too_long(g: Files, home: int, name: str) -> None:
    for path in ("x" * 256, "d/" + "x" * 256, "d/" * 2047 + "ee", "x/" * 3000):
        assert CALLS[name](g, home, path) == "name-too-long", len(path)


@every_call
def test_not_there(g: Files, home: int, name: str) -> None:
    assert CALLS[name](g, home, "") == CALLS[name](g, home, "missing/x") == "no-entry"
    if name not in MAKING:
        assert CALLS[name](g, home, "missing") == "no-entry"


@every_call
def test_no_directory(g: Files, home: int, name: str) -> None:
    assert CALLS[name](g, home, "f.txt/x") == CALLS[name](g, home, "l/x") == "not-directory"
    assert CALLS[name](g, opened(g, home, "f.txt"), "x") == "not-directory"


@pytest.mark.parametrize("name", CHANGING)
def test_read_only(g: Files, ro: int, world: Path, name: str) -> None:
    sub = opened(g, ro, "sub", READ)
    before = os.stat(world / "ro").st_mtime_ns
    for dir, path in ((ro, "r.txt"), (ro, "new"), (ro, "sub"), (sub, "x"), (sub, "../r.txt")):
        if name.endswith("new"):
            assert CALLS[name](g, dir, path) == "read-only"
        assert CALLS[name](g, dir, path) in ("read-only", "no-entry")
        assert CALLS[name](g, dir, path) == "read-only"
    assert os.stat(world / "ro").st_mtime_ns == before and sorted(os.listdir(world / "ro")) == [
        "r.txt",
        "sub",
    ]


@every_call
def test_strings_outside_of_memory(make: Make, name: str) -> None:
    """A path is looked for before a directory is; nothing is done when it is not all there."""
    method, _, which = name.partition(" ")
    end = 0x20000
    for at, length in ((end, 1), (end - 1, 2), (2**32 - 1, 1), (0, 2**32 - 1), (end - 4, 2**31)):
        g = make()
        fd = g.preopens["/rw"]
        good, times = g.put(OTHER, b"f.txt"), (0, 0, 0, 0, 0, 0)
        args: dict[str, tuple[int, ...]] = {
            "stat-at": (fd, 0, at, length),
            "metadata-hash-at": (fd, 0, at, length),
            "readlink-at": (fd, at, length),
            "open-at": (fd, 0, at, length, 0, READ),
            "set-times-at": (fd, 0, at, length, *times),
            "create-directory-at": (fd, at, length),
            "remove-directory-at": (fd, at, length),
            "unlink-file-at": (fd, at, length),
            "link-at": (fd, 0, at, length, fd, *good) if which == "old" else (fd, 0, *good, fd, at, length),
            "rename-at": (fd, at, length, fd, *good) if which == "old" else (fd, *good, fd, at, length),
            "symlink-at": (fd, *good, at, length),
        }
        with g.writes_only():
            said = g.traps(f"types#[method]descriptor.{method}", *args[method], RET)
        assert "out of bounds" in said or "too long" in said, (said, at, length)


def test_return_areas(make: Make) -> None:
    """Looked at before anything is done."""
    for ret, said in ((0x20000, "out of bounds"), (0x1FFFF, "out of bounds"), (2**32 - 1, "out of bounds")):
        g = make()
        assert said in g.traps(
            "types#[method]descriptor.create-directory-at", g.preopens["/rw"], *g.path("new"), ret
        )
        assert kind(make(), g.preopens["/rw"], "new") == "no-entry"
    for ret, said in ((RET + 1, "not aligned"), (RET + 2, "not aligned"), (0x1FFFC, "out of bounds")):
        g = make()
        args = (g.preopens["/rw"], 0, *g.path("new"), CREATE, READ | WRITE)
        assert said in g.traps("types#[method]descriptor.open-at", *args, ret)
        assert kind(make(), g.preopens["/rw"], "new") == "no-entry"
    for ret, said in ((RET + 4, "not aligned"), (0x1FFA0, "out of bounds"), (2**32 - 8, "out of bounds")):
        g = make()
        assert said in g.traps("types#[method]descriptor.stat", g.preopens["/rw"], ret)


# ---- one by one ----


def test_create_directory_at(g: Files, home: int) -> None:
    assert g.mkdir(home, "new") is None and kind(g, home, "new") == "directory"
    assert [g.mkdir(home, path) for path in ("new", "f.txt", "l_gone", ".")] == ["exist"] * 4
    assert g.mkdir(home, "d/e/deeper") is None and g.mkdir(home, "slash/") is None


def test_link_at(g: Files, home: int, ro: int) -> None:
    assert g.link(home, "f.txt", home, "second") is None
    found = g.stat_at(home, "second")
    assert not isinstance(found, str) and (found.links, found.size) == (2, 5)
    assert g.link(home, "l", home, "l2") is None and kind(g, home, "l2") == "symbolic-link"
    assert g.link(home, "l", home, "x", FOLLOW) == "invalid"
    assert g.link(home, "d", home, "x") == "not-permitted" and g.link(home, "f.txt", home, "d") == "exist"
    assert g.link(ro, "r.txt", home, "x") == g.link(home, "f.txt", ro, "x") == "read-only"
    file = opened(g, home, "f.txt")
    assert g.link(home, "f.txt", file, "x") == "not-directory"
    assert kind(g, home, "x") == "no-entry"


def test_open_at(g: Files, home: int) -> None:
    assert g.open(home, "new", READ) == "no-entry"
    fd = opened(g, home, "new", READ | WRITE, CREATE)
    assert g.write(fd, b"abc") == 3 and g.read(fd, 9) == (b"abc", True)
    assert g.open(home, "new", WRITE, CREATE | EXCLUSIVE) == "exist"
    assert g.read(opened(g, home, "new", READ, CREATE), 9) == (b"abc", True)
    assert g.type(opened(g, home, "new", WRITE, TRUNCATE)) == "regular-file" and g.read(fd, 9) == (b"", True)
    assert g.open(home, "l") == "loop" and g.type(opened(g, home, "l_d/", READ)) == "directory"
    followed = g.open(home, "l", READ, follow=True)
    assert isinstance(followed, int) and g.read(followed, 9) == (b"hello", True)
    assert g.open(home, "f.txt", READ, DIRECTORY) == "not-directory"
    assert g.open(home, "d", WRITE) == g.open(home, "d", READ, TRUNCATE) == "is-directory"
    assert g.open(home, "d", READ, CREATE) == "is-directory"
    assert g.open(home, "x", READ, CREATE | DIRECTORY) == "invalid"
    sub = opened(g, home, "d", READ, DIRECTORY)
    assert g.mkdir(sub, "e/f") is None and kind(g, home, "d/e/f") == "directory"
    assert g.open(sub, "../f.txt") == "not-permitted"


def test_open_at_of_a_read_only_directory(g: Files, ro: int, world: Path) -> None:
    for flags, how in (
        (WRITE, 0),
        (READ, CREATE),
        (READ, TRUNCATE),
        (MUTATE, 0),
        (READ | WRITE, CREATE | EXCLUSIVE),
    ):
        for path in ("r.txt", "new", "sub", "missing/x"):
            assert g.open(ro, path, flags, how) == "read-only"
    assert g.read(opened(g, ro, "r.txt", READ), 9) == (b"read", True)
    sub = opened(g, ro, "sub", READ)
    assert g.open(sub, "new", WRITE, CREATE) == "read-only" and g.mkdir(sub, "new") == "read-only"
    assert g.set_times(sub, NOW, NOW) == g.set_times(ro, NOW, NOW) == "read-only"
    assert g.set_times(opened(g, ro, "r.txt", READ), NOW, NOW) == "not-permitted"
    assert (world / "ro/r.txt").read_bytes() == b"read"


def test_open_at_takes_only_the_flags_that_it_knows(g: Files, home: int) -> None:
    """The component model says of other bits that they are not there."""
    args = (home, 0xFFFFFFFE, *g.path("f.txt"), 0xFFFFFFF0, READ | 0xFFFFFFC0, RET)
    g("types#[method]descriptor.open-at", *args)
    assert g.unpack("B", RET) == 0 and g.flags(g.unpack("I", RET + 4)) == READ


def test_open_at_modes_of_new_files(g: Files, world: Path) -> None:
    rw = g.preopens["/rw"]
    before = os.umask(0)
    try:
        opened(g, rw, "new", WRITE, CREATE)
        assert g.mkdir(rw, "made") is None
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(world / "rw/new").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(world / "rw/made").st_mode) == 0o755


def test_open_at_limits(make: Make) -> None:
    g = make(dirs=[MemoryDir("/m", inodes=2)])
    m = g.preopens["/m"]
    opened(g, m, "one", WRITE, CREATE)
    opened(g, m, "two", WRITE, CREATE)
    assert g.open(m, "three", WRITE, CREATE) == g.mkdir(m, "three") == g.symlink(m, "x", "three") == "quota"


def test_readlink_at(g: Files, home: int, world: Path) -> None:
    assert g.readlink(home, "l") == b"f.txt" and g.readlink(home, "l_gone") == b"gone"
    assert g.readlink(home, "f.txt") == g.readlink(home, "d") == "invalid"
    os.symlink("/etc/passwd", world / "rw/l_abs")
    os.symlink(b"bad\xff", os.fsencode(world / "rw/l_bad"))
    rw = g.preopens["/rw"]
    assert g.readlink(rw, "l_abs") == "not-permitted" and g.readlink(rw, "l_bad") == "illegal-byte-sequence"
    long = "é" * 1000
    assert g.symlink(home, long, "l_long") is None and g.readlink(home, "l_long") == long.encode()


def test_remove_directory_at(g: Files, home: int) -> None:
    assert g.rmdir(home, "d") == "not-empty" and g.rmdir(home, "d/e") is None and g.rmdir(home, "d") is None
    assert g.rmdir(home, "f.txt") == g.rmdir(home, "l_d") == "not-directory"
    assert kind(g, home, "d") == "no-entry"


def test_rename_at(g: Files, home: int, ro: int) -> None:
    assert g.rename(home, "f.txt", home, "d/g.txt") is None and kind(g, home, "f.txt") == "no-entry"
    assert g.read(opened(g, home, "d/g.txt"), 9) == (b"hello", True)
    sub = opened(g, home, "d", READ)
    assert g.rename(sub, "g.txt", home, "f.txt") is None
    assert g.rename(home, "d", home, "d/e/x") == "invalid"
    assert (
        g.rename(home, "f.txt", home, "d") == "is-directory"
        and g.rename(home, "d", home, "f.txt") == "not-directory"
    )
    assert g.rename(home, "f.txt", ro, "x") == g.rename(ro, "r.txt", home, "x") == "read-only"
    assert g.rename(home, "l", home, "l_gone") is None and g.readlink(home, "l_gone") == b"f.txt"


def test_names_do_not_move_between_grants(make: Make, world: Path) -> None:
    g = make(dirs=[Dir(world / "rw", "/rw"), Dir(world / "out", "/out", quota=100)])
    rw, out = g.preopens["/rw"], g.preopens["/out"]
    assert g.rename(rw, "f.txt", out, "f.txt") == g.link(rw, "f.txt", out, "f.txt") == "cross-device"


def test_symlink_at(g: Files, home: int) -> None:
    assert g.symlink(home, "d/../f.txt", "new") is None and g.readlink(home, "new") == b"d/../f.txt"
    for target in ("/etc/passwd", "/", "//x"):
        assert g.symlink(home, target, "x") == "not-permitted"
    assert g.symlink(home, "f.txt", "l") == g.symlink(home, "x", "d") == "exist"
    assert (
        g.symlink(home, "../../../etc", "up") is None
        and g.open(home, "up/passwd", follow=True) == "not-permitted"
    )
    assert g.symlink(home, "a\0b", "x") == "invalid" and g.symlink(home, "", "x") == "no-entry"
    assert kind(g, home, "x") == "no-entry"


def test_unlink_file_at(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt", READ)
    assert g.unlink(home, "f.txt") is None and g.unlink(home, "f.txt") == "no-entry"
    assert g.read(fd, 9) == (b"hello", True)  # without a name it lives on
    assert g.unlink(home, "d") == "is-directory" and g.unlink(home, "l_d") is None
    assert kind(g, home, "d") == "directory"


# ---- text of other encodings is in test_codec.py; what failed has left nothing open ----


@pytest.mark.parametrize(
    "errno,code", [(29, "io"), (51, "insufficient-space"), (2, "access"), (69, "read-only")]
)
def test_what_the_kernel_refuses(make: Make, errno: int, code: str) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    rw = g.preopens["/rw"]
    before = len(os.listdir("/proc/self/fd"))
    calls = {"mkdirat": lambda: g.mkdir(rw, "new"), "unlinkat": lambda: g.unlink(rw, "f.txt")}
    calls |= {
        "renameat": lambda: g.rename(rw, "f.txt", rw, "x"),
        "linkat": lambda: g.link(rw, "f.txt", rw, "x"),
    }
    calls |= {"symlinkat": lambda: g.symlink(rw, "x", "y"), "readlinkat": lambda: g.readlink(rw, "l")}
    calls |= {
        "utimensat": lambda: g.set_times_at(rw, "f.txt", NOW, NOW),
        "openat": lambda: g.open(rw, "f.txt"),
    }
    for name, call in calls.items():
        kernel.inject(name, 1, 1, err=errno)
        assert call() == code, name
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_path_is_copied_before_it_is_looked_at(make: Make) -> None:
    """No call keeps a pointer into the guest's memory over its realloc, which may move it."""
    g = make(wat={"realloc": "switch"})
    g.instance.call("realloc_mode", 1)
    assert g.readlink(g.preopens["/rw"], "l") == b"f.txt" and g.entries(g.preopens["/rw"])
    assert set(g.directories()) == {"/rw", "/ro", "/mem"}

"""sys/path_open.c: what is opened cannot block, is not made twice, and is emptied by its descriptor alone."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calls import APPEND, CREAT, DIRECTORY, DSYNC, EXCL, NONBLOCK, READ, RSYNC, SYNC, TRUNC, Calls
from tests.support import ALL_RIGHTS, E, Guest, open_fds, rights
from wasi_native import Dir, Limits, Policy, _core

Make = Callable[..., Guest]
READING, WRITING = rights("fd_read"), rights("fd_write")


@pytest.fixture
def fake() -> _core.FakeOs:
    return _core.FakeOs()


@pytest.fixture
def c(guest: Make, tmp_path: Path, resolver: str, fake: _core.FakeOs) -> Calls:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("hello")
    (tmp_path / "d/g").write_text("below")
    (tmp_path / "l").symlink_to("f")
    (tmp_path / "gone").symlink_to("d/made")
    return Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")]), resolver=resolver, kernel=fake))


def test_flags_of_the_host(c: Calls, tmp_path: Path) -> None:
    """What the kernel is asked for: never create and truncate on a name that may be a link, never to block."""
    wanted = {
        (READING, 0): os.O_RDONLY,
        (WRITING, 0): os.O_WRONLY,
        (READING | WRITING, 0): os.O_RDWR,
        (0, 0): os.O_RDONLY,
        (rights("fd_allocate"), 0): os.O_WRONLY,
        (WRITING, APPEND): os.O_WRONLY | os.O_APPEND,
        (WRITING, DSYNC): os.O_WRONLY | os.O_DSYNC,
        (WRITING, SYNC): os.O_WRONLY | os.O_SYNC,
        (WRITING, RSYNC): os.O_WRONLY | os.O_SYNC,
        (READING, NONBLOCK): os.O_RDONLY,
    }
    for path in ("f", "d/g", "l"):
        for (right, fdflags), flags in wanted.items():
            fd = c.open(path, rights=right, fdflags=fdflags, follow=True)
            target = os.path.realpath(tmp_path / path)
            (host,) = [number for number, what in open_fds().items() if what == target]
            text = Path(f"/proc/self/fdinfo/{host}").read_text()
            got = int(next(line for line in text.splitlines() if line.startswith("flags")).split()[1], 8)
            keep = os.O_ACCMODE | os.O_APPEND | os.O_SYNC | os.O_NONBLOCK | os.O_CLOEXEC
            assert got & keep == flags | os.O_NONBLOCK | os.O_CLOEXEC, (path, right, fdflags)
            assert c.g.fd_fdstat_get(fd, 0x100) == 0
            assert c.g.unpack("BxH", 0x100) == (4, fdflags)
            assert c.g.fd_close(fd) == 0


def test_truncate(c: Calls, tmp_path: Path) -> None:
    fd = c.open("f", oflags=TRUNC, rights=READING)
    assert (tmp_path / "f").read_text() == "" and c.g.fd_close(fd) == 0
    assert c.errno_of_open("l", oflags=TRUNC) == "LOOP"
    assert c.errno_of_open("d", oflags=TRUNC) == "ISDIR"
    assert c.errno_of_open("d/g", oflags=TRUNC | CREAT | EXCL) == "EXIST"
    assert (tmp_path / "d/g").read_text() == "below"
    assert c.errno_of_open("d/g", oflags=TRUNC | DIRECTORY) == "NOTDIR"
    assert (tmp_path / "d/g").read_text() == "below"


def test_nothing_is_emptied_without_a_free_descriptor(guest: Make, tmp_path: Path, resolver: str) -> None:
    (tmp_path / "f").write_text("hello")
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")], limits=Limits(fds=5)), resolver=resolver))
    held = [c.open("f")]
    assert c.errno_of_open("f", oflags=TRUNC) == "MFILE" and c.errno_of_open("new", oflags=CREAT) == "MFILE"
    assert (tmp_path / "f").read_text() == "hello" and os.listdir(tmp_path) == ["f"]
    assert c.g.fd_close(held[0]) == 0
    assert c.errno_of_open("f", oflags=TRUNC) == "OK" and (tmp_path / "f").read_text() == ""


def test_limit_of_directories(guest: Make, tmp_path: Path, resolver: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")], limits=Limits(dirs=2)), resolver=resolver))
    fd = c.open("d", oflags=DIRECTORY)
    for oflags in (0, DIRECTORY):
        assert c.errno_of_open("d", oflags=oflags) == "MFILE"
    assert c.errno_of_open("f") == "OK"
    assert c.g.fd_close(fd) == 0 and c.errno_of_open("d") == "OK"


def test_create(c: Calls, tmp_path: Path) -> None:
    assert c.errno_of_open("new", oflags=CREAT) == "OK" and (tmp_path / "new").read_bytes() == b""
    assert c.errno_of_open("new", oflags=CREAT | EXCL) == "EXIST"
    assert c.errno_of_open("d/new", oflags=CREAT | EXCL) == "OK"
    assert c.errno_of_open("f", oflags=CREAT) == "OK" and (tmp_path / "f").read_text() == "hello"
    assert (
        c.errno_of_open("d", oflags=CREAT) == "ISDIR" and c.errno_of_open("d", oflags=CREAT | EXCL) == "EXIST"
    )
    assert (
        c.errno_of_open("no/new", oflags=CREAT) == "NOENT"
        and c.errno_of_open("f/new", oflags=CREAT) == "NOTDIR"
    )
    assert (
        c.errno_of_open("l", oflags=CREAT) == "LOOP" and c.errno_of_open("l", oflags=CREAT | EXCL) == "EXIST"
    )
    assert c.errno_of_open("gone", oflags=CREAT | EXCL, follow=True) == "EXIST"
    assert c.errno_of_open("gone", oflags=CREAT) == "LOOP" and not (tmp_path / "d/made").exists()
    assert c.errno_of_open("gone", oflags=CREAT, follow=True) == "OK" and (tmp_path / "d/made").exists()
    assert c.errno_of_open("l", oflags=CREAT, follow=True) == "OK"
    for name in ("new", "d/new", "d/made"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o111 == 0


def test_create_where_a_name_comes_and_goes(c: Calls, fake: _core.FakeOs, tmp_path: Path) -> None:
    """EXIST, then NOENT, then again: after some rounds the guest gets an answer, never a file of two makers."""
    fake.inject("openat", 1, 0, err=E.EXIST)
    assert c.errno_of_open("new", oflags=CREAT) == "EXIST"
    fake.clear()
    fake.inject("openat", 1, 2, err=E.NOENT)
    assert c.errno_of_open("new", oflags=CREAT) == "NOENT"
    fake.clear()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "fifo with reader"])
def test_other_kinds_of_objects(c: Calls, tmp_path: Path, kind: str) -> None:
    """Refused, at once: by explicit grant alone."""
    path = tmp_path / "odd"
    held = []
    if kind.startswith("fifo"):
        os.mkfifo(path)
        if "reader" in kind:
            held.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    elif kind == "socket":
        server = socket.socket(socket.AF_UNIX)
        before = os.getcwd()
        os.chdir(tmp_path)  # the name of a socket is short
        server.bind("odd")
        os.chdir(before)
        server.close()
    else:
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            path.symlink_to("/dev/null")
    for right in (READING, WRITING, ALL_RIGHTS, 0):
        for oflags in (0, CREAT, TRUNC, CREAT | TRUNC, DIRECTORY):
            for name in ("odd", "d/../odd"):
                said = c.errno_of_open(name, rights=right, oflags=oflags)
                assert said in ("NOTCAPABLE", "NOTDIR", "PERM", "LOOP"), (kind, right, oflags, said)
    assert c.kind("odd")[0] in {"fifo": (0,), "socket": (6,), "device": (2, 7)}[kind.split()[0]]
    for fd in held:
        os.close(fd)


def test_opening_never_waits_for_a_fifo(c: Calls, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    done = threading.Event()

    def attempt() -> None:
        for right in (READING, WRITING):
            c.errno_of_open("fifo", rights=right)
        done.set()

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    assert done.wait(20)
    thread.join()


def test_read_only_grant(guest: Make, tmp_path: Path, resolver: str) -> None:
    (tmp_path / "f").write_text("hello")
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/ro", read_only=True)]), resolver=resolver))
    fd = c.open("f", rights=READ)
    assert c.g.fd_fdstat_get(fd, 0x100) == 0
    writing = rights("fd_write", "fd_allocate", "fd_filestat_set_size", "fd_filestat_set_times")
    assert c.g.unpack("Q", 0x108) & writing == 0
    assert c.g.read(fd) == (0, b"hello")


def test_failures_leave_nothing_behind(c: Calls, fake: _core.FakeOs, tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for call, path, oflags in (
        ("fstat", "f", 0),
        ("fstat", "d/g", TRUNC),
        ("ftruncate", "f", TRUNC),
        ("openat", "f", 0),
        ("openat", "f", CREAT),
    ):
        for err in ("IO", "MFILE", "NFILE", "NOMEM", "ACCES", "ROFS", "NOSPC", "TXTBSY"):
            fake.inject(call, 1, 1, err=getattr(E, err))
            assert c.errno_of_open(path, oflags=oflags, rights=ALL_RIGHTS) == err, (call, path, oflags)
            fake.clear()
            assert set(os.listdir("/proc/self/fd")) == before
    assert (tmp_path / "f").read_text() == "hello"
    for _ in range(100):  # and the table is whole: 64 places, none lost
        assert c.errno_of_open("f") == "OK"


def test_kernel_calls_of_an_open(c: Calls, fake: _core.FakeOs, resolver: str) -> None:
    """A file is opened by one call and asked what it is by another; a directory that is asked for as one, by one."""
    for path, how, calls in (
        ("f", {}, {"openat": 1, "fstat": 1}),
        ("d", {"oflags": DIRECTORY}, {"openat": 1, "fstat": 0}),
        (
            "d/g",
            {},
            {"openat": 2, "fstat": 1} if resolver == "walk" else {"openat2": 1, "openat": 0, "fstat": 1},
        ),
    ):
        fake.clear()
        c.open(path, **how)
        assert {call: fake.count(call) for call in calls} == calls and fake.count("alloc") == 0

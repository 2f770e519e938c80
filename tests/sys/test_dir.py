"""sys/dir.c: reading directories in pieces of any size, cookies, change meanwhile; and the names in one."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calls import CREAT, DIRECTORY, Calls
from tests.support import CANARY, E, Guest
from wasi_native import Dir, MemoryDir, Policy, _core

Make = Callable[..., Guest]
BUF, USED = 0x10000, 0x1F000


@pytest.fixture(params=[3, 4], ids=["host", "memory"])
def home(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def fake() -> _core.FakeOs:
    return _core.FakeOs()


@pytest.fixture
def c(guest: Make, tmp_path: Path, fake: _core.FakeOs) -> Calls:
    dirs = [Dir(tmp_path, "/rw"), MemoryDir("/mem", inodes=10_000)]
    return Calls(guest(Policy(dirs=dirs), kernel=fake))


def fill(c: Calls, home: int, count: int) -> list[str]:
    names = [f"{'n' * (number % 60)}{number}" for number in range(count)]
    for name in names:
        assert c.mkdir(name, home) == "OK"
    return names


def read(c: Calls, fd: int, size: int, cookie: int) -> bytes:
    """What one call wrote; nothing else changed."""
    c.g.fill()
    with c.g.writes_only((BUF, size), (USED, 4)):
        assert c.g.fd_readdir(fd, BUF, size, cookie, USED) == 0
    used = c.g.unpack("I", USED)
    assert used <= size
    assert c.g.memory.read(BUF + used, size - used) == bytes([CANARY]) * (size - used)
    return c.g.memory.read(BUF, used)


def whole(raw: bytes) -> list[tuple[int, int, int, str]]:
    """(next cookie, ino, type, name) of the entries that are not cut."""
    out, at = [], 0
    while at + 24 <= len(raw):
        cookie, ino, length, kind = struct.unpack_from("<QQIB", raw, at)
        assert raw[at + 21 : at + 24] == b"\0\0\0"
        if at + 24 + length > len(raw):
            break
        out.append((cookie, ino, kind, raw[at + 24 : at + 24 + length].decode()))
        at += 24 + length
    return out


def walk(c: Calls, fd: int, size: int) -> list[str]:
    names: list[str] = []
    cookie = 0
    while True:
        raw = read(c, fd, size, cookie)
        entries = whole(raw)
        names += [name for _, _, _, name in entries]
        if len(raw) < size:
            return names
        assert entries, "a buffer that holds no entry: the test must not ask so"
        cookie = entries[-1][0]


@pytest.mark.parametrize("size", [96, 97, 111, 256, 1000, 4096, 16384, 16385, 60000])
def test_every_size_of_the_buffer(c: Calls, home: int, size: int) -> None:
    names = fill(c, home, 300)
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    assert sorted(walk(c, fd, size)) == sorted([".", "..", *names])


@pytest.mark.parametrize("size", [0, 1, 8, 20, 23, 24, 25, 26, 48, 49, 50, 51])
def test_small_buffers_cut_the_entry(c: Calls, home: int, size: int) -> None:
    fill(c, home, 3)
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    big = read(c, fd, 4096, 0)
    assert read(c, fd, size, 0) == big[:size]
    first = whole(big)[0][0]
    assert read(c, fd, size, first) == big[24 + len(whole(big)[0][3]) :][:size]


def test_an_entry_is_read_again_by_its_cookie(c: Calls, home: int) -> None:
    fill(c, home, 400)
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    entries, cookie = [], 0
    while len(entries) < 402:
        entries += whole(read(c, fd, 8192, cookie))
        cookie = entries[-1][0]
    order = list(range(401))
    random.Random(1).shuffle(order)
    for index in [*order[:60], 400, 0, 399]:
        assert whole(read(c, fd, 200, entries[index][0]))[0] == entries[index + 1]
    assert read(c, fd, 200, entries[401][0]) == b""


def test_cookies_that_nobody_gave(c: Calls, home: int) -> None:
    fill(c, home, 20)
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    for cookie in (10_000, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1):
        err = c.g.fd_readdir(fd, BUF, 4096, cookie, USED)
        assert err == E.INVAL or (err == 0 and c.g.unpack("I", USED) == 0)
    assert len(c.list(fd)) == 22


def test_entries_tell_types_and_numbers(c: Calls, tmp_path: Path, home: int) -> None:
    assert c.mkdir("d", home) == "OK" and c.symlink("d", "l", home) == "OK"
    assert c.errno_of_open("f", dir=home, oflags=CREAT) == "OK"
    if home == 3:
        os.mkfifo(tmp_path / "p")
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    entries = {name: (ino, kind) for _, ino, kind, name in whole(read(c, fd, 4096, 0))}
    for name in ("d", "l", "f", "."):
        _, st = c.g.stat(name, dir=home)
        assert entries[name] == (st["ino"], st["type"])
    assert entries[".."] == entries["."]  # what is above is not told
    if home == 3:
        assert entries["p"][1] == 0


def test_change_while_reading(c: Calls, home: int) -> None:
    """What stays is told once; what goes or comes is told once or not."""
    names = fill(c, home, 500)
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    told: list[str] = []
    cookie, step = 0, 0
    while True:
        raw = read(c, fd, 700, cookie)
        told += [name for _, _, _, name in whole(raw)]
        if len(raw) < 700:
            break
        cookie = whole(raw)[-1][0]
        if step < 100:
            assert c.rmdir(names[2 * step], home) == "OK"
            assert c.mkdir(f"new{step}", home) == "OK"
        step += 1
    stayed = set(names[1::2]) | set(names[200:])
    assert stayed <= set(told)
    if home == 4:
        assert len(told) == len(set(told))
    assert all(told.count(name) == 1 for name in stayed)


def test_the_start_is_read_anew(c: Calls, home: int) -> None:
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    assert sorted(c.list(fd)) == [".", ".."]
    assert c.mkdir("new", home) == "OK"
    assert sorted(c.list(fd)) == [".", "..", "new"]
    assert c.rmdir("new", home) == "OK"
    assert sorted(c.list(fd)) == [".", ".."]


def test_directories_take_turns(c: Calls, home: int) -> None:
    """Three readers, one of them of the same directory, step by step."""
    names = fill(c, home, 200)
    for name in names[:150]:
        assert c.mkdir(f"{names[0]}/x{name}", home) == "OK"
    fds = [c.open(path, dir=home, oflags=DIRECTORY) for path in (".", ".", names[0])]
    seen: list[list[str]] = [[], [], []]
    cookies = [0, 0, 0]
    for _ in range(220):
        for reader, fd in enumerate(fds):
            entries = whole(read(c, fd, 110, cookies[reader]))
            if entries:
                seen[reader].append(entries[0][3])
                cookies[reader] = entries[0][0]
    assert sorted(seen[0]) == sorted(seen[1]) == sorted([".", "..", *names])
    assert sorted(seen[2]) == sorted([".", "..", *(f"x{name}" for name in names[:150])])


def test_what_was_read_last_may_be_gone_when_it_goes_on(c: Calls, home: int) -> None:
    """Another directory had the buffer meanwhile: as when a tree is removed from the leaves up."""
    for number in range(60):
        assert c.mkdir(f"{number:02}", home) == "OK"
    fd, other = (c.open(".", oflags=DIRECTORY, dir=home) for _ in range(2))
    cookie, seen = 0, []
    while entries := whole(read(c, fd, 26, cookie)):  # just one of them
        cookie, _, _, name = entries[0]
        assert ".." in c.list(other)
        if name not in (".", ".."):
            seen.append(name)
            assert c.rmdir(name, home) == "OK"
    assert sorted(seen) == [f"{number:02}" for number in range(60)]


def test_reading_costs_one_kernel_call_per_piece(c: Calls, fake: _core.FakeOs) -> None:
    fill(c, 3, 100)
    fd = c.open(".", oflags=DIRECTORY)
    fake.clear()
    assert len(walk(c, fd, 4096)) == 102
    assert fake.count("getdents") <= 3 and fake.count("alloc") == 0


def test_failures_of_the_kernel(c: Calls, fake: _core.FakeOs) -> None:
    fill(c, 3, 5)
    fd = c.open(".", oflags=DIRECTORY)
    for call in ("getdents", "lseek"):
        fake.inject(call, 1, 1, err=E.IO)
        assert c.g.fd_readdir(fd, BUF, 4096, 0, USED) == E.IO
        fake.clear()
        assert len(c.list(fd)) == 7
    fake.inject("getdents", 1, 1, err=E.NOENT)  # the directory was removed
    assert c.g.list(fd) == (0, [])


def test_no_directory_or_no_right(c: Calls, home: int) -> None:
    assert c.errno_of_open("f", dir=home, oflags=CREAT) == "OK"
    fd = c.open("f", dir=home)
    assert c.g.fd_readdir(fd, BUF, 100, 0, USED) in (E.NOTDIR, E.NOTCAPABLE)
    assert c.g.fd_readdir(1, BUF, 100, 0, USED) in (E.NOTDIR, E.NOTCAPABLE)
    assert c.g.fd_readdir(60, BUF, 100, 0, USED) == E.BADF
    fd = c.open(".", dir=home, rights=1 << 13)
    assert c.g.fd_readdir(fd, BUF, 100, 0, USED) == E.NOTCAPABLE


def test_other_calls_on_a_directory(c: Calls, home: int) -> None:
    fd = c.open(".", dir=home, oflags=DIRECTORY)
    assert c.g.fd_sync(fd) == c.g.fd_datasync(fd) == 0
    assert c.g.fd_filestat_set_times(fd, 5, 7, 1 | 4) == 0
    _, st = c.g.fstat(fd)
    assert (st["type"], st["atim"], st["mtim"]) == (3, 5, 7)
    assert c.g.fd_fdstat_set_flags(fd, 4 | 1) == 0
    assert c.g.fd_fdstat_get(fd, 0x100) == 0 and c.g.unpack("BxH", 0x100) == (3, 4)
    iovs = c.g.iovs(0x100, (0x200, 4))
    for name, args in {
        "fd_read": (*iovs, 0x110),
        "fd_write": (*iovs, 0x110),
        "fd_pread": (*iovs, 0, 0x110),
        "fd_pwrite": (*iovs, 0, 0x110),
        "fd_seek": (0, 0, 0x110),
        "fd_tell": (0x110,),
        "fd_allocate": (0, 1),
        "fd_filestat_set_size": (0,),
    }.items():
        assert c.g.call(name, fd, *args) in (E.ISDIR, E.NOTCAPABLE, E.BADF), name


def test_names_of_the_host_that_are_no_text(c: Calls, tmp_path: Path) -> None:
    for name in (b"\xff\xfe", b"a\nb", b"\xc3\x28", b"n" * 255):
        os.mkdir(os.path.join(os.fsencode(tmp_path), name))
    fd = c.open(".", oflags=DIRECTORY)
    names = {os.fsencode(name) for name in c.list(fd)}
    assert names == {b".", b"..", b"\xff\xfe", b"a\nb", b"\xc3\x28", b"n" * 255}

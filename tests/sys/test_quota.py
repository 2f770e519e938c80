"""sys/quota.c: what a grant may grow by, in bytes, names and size of a file; on the host and in memory."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calls import APPEND, CREAT, TRUNC, Calls
from tests.support import ALL_RIGHTS, E, Guest
from wasi_native import Dir, Limits, MemoryDir, Policy, TempDir, _core

Make = Callable[..., Guest]
QUOTA, INODES, LARGEST = 10_000, 20, 6_000


@pytest.fixture(params=[3, 4], ids=["host", "memory"])
def home(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def fake() -> _core.FakeOs:
    return _core.FakeOs()


@pytest.fixture
def c(guest: Make, tmp_path: Path, resolver: str, fake: _core.FakeOs) -> Calls:
    dirs = [
        Dir(tmp_path, "/rw", quota=QUOTA, inodes=INODES, max_file_size=LARGEST),
        MemoryDir("/mem", size=QUOTA, inodes=INODES, max_file_size=LARGEST),
    ]
    return Calls(guest(Policy(dirs=dirs), resolver=resolver, kernel=fake))


def file(c: Calls, home: int, path: str, size: int = 0, **how: int) -> int:
    fd = c.open(path, dir=home, **{"oflags": CREAT, "rights": ALL_RIGHTS, **how})
    if size:
        assert c.g.fd_filestat_set_size(fd, size) == 0
    return fd


def left(c: Calls, home: int) -> int:
    """Bytes that the grant still gives, found by asking for them."""
    fd = file(c, home, "probe")
    low, high = 0, LARGEST
    while low < high:
        size = (low + high + 1) // 2
        if c.g.fd_filestat_set_size(fd, size) == 0:
            low = size
        else:
            high = size - 1
    assert c.g.fd_filestat_set_size(fd, 0) == 0
    assert c.g.fd_close(fd) == 0 and c.unlink("probe", home) == "OK"
    return low


def names_left(c: Calls, home: int) -> int:
    count = 0
    while count <= INODES and c.mkdir(f"n{count}", home) == "OK":
        count += 1
    assert c.mkdir("n", home) == "DQUOT"
    for number in range(count):
        assert c.rmdir(f"n{number}", home) == "OK"
    return count


def test_bytes_by_every_call(c: Calls, home: int) -> None:
    one = file(c, home, "a", LARGEST)
    assert left(c, home) == 4_000
    two = file(c, home, "b")
    assert c.g.fd_filestat_set_size(two, 4_001) == E.DQUOT
    assert c.g.fd_allocate(two, 0, 4_001) == E.DQUOT and c.g.fd_allocate(two, 3_999, 2) == E.DQUOT
    assert c.g.fstat(two)[1]["size"] == 0
    assert c.g.fd_allocate(two, 0, 1_000) == 0 and left(c, home) == 3_000
    assert c.g.write(two, b"x" * 1_000) == (0, 1_000) and left(c, home) == 3_000  # over what it has
    assert c.g.write(two, b"x" * 5_000) == (0, 3_000)  # cut, as by a full disk
    assert c.g.write(two, b"x")[0] == E.DQUOT and c.g.fstat(two)[1]["size"] == 4_000
    iovs = c.g.iovs(0x1F000, (0x10000, 10))
    assert (
        c.g.fd_pwrite(two, *iovs, 3_990, 0x1F010) == 0
        and c.g.fd_pwrite(two, *iovs, 5_000, 0x1F010) == E.DQUOT
    )
    assert c.g.fd_pwrite(two, *iovs, 3_995, 0x1F010) == 0 and c.g.unpack("I", 0x1F010) == 5
    again = file(c, home, "b", fdflags=APPEND)
    assert c.g.write(again, b"x")[0] == E.DQUOT
    assert c.g.fd_filestat_set_size(one, 5_000) == 0 and c.g.write(again, b"x" * 2_000) == (0, 1_000)
    assert left(c, home) == 0


def test_bytes_come_back(c: Calls, home: int) -> None:
    fd = file(c, home, "a", LARGEST)
    assert c.g.fd_filestat_set_size(fd, 1_000) == 0 and left(c, home) == LARGEST
    assert c.g.fd_filestat_set_size(fd, LARGEST) == 0 and c.g.fd_close(fd) == 0
    assert (
        c.errno_of_open("a", dir=home, oflags=TRUNC, rights=ALL_RIGHTS) == "OK" and left(c, home) == LARGEST
    )
    for name in ("b", "c"):
        assert c.g.fd_close(file(c, home, name, 5_000)) == 0
    assert left(c, home) == 0
    assert c.unlink("b", home) == "OK" and left(c, home) == 5_000
    assert (
        c.rename("a", "c", home, home) == "OK" and left(c, home) == LARGEST
    )  # over it: what was there is gone


def test_bytes_of_two_names(c: Calls, home: int) -> None:
    assert c.g.fd_close(file(c, home, "a", LARGEST)) == 0
    assert c.link("a", "b", home, home) == "OK" and left(c, home) == 4_000
    assert c.unlink("a", home) == "OK" and left(c, home) == 4_000
    assert c.rename("b", "b", home, home) == "OK" and left(c, home) == 4_000
    assert c.unlink("b", home) == "OK" and left(c, home) == LARGEST


def test_bytes_of_a_file_that_is_open_without_a_name(c: Calls, home: int) -> None:
    """They come back once, when the last descriptor goes."""
    one = file(c, home, "a", LARGEST)
    two, three = c.open("a", dir=home), c.open("a", dir=home)
    assert c.unlink("a", home) == "OK" and left(c, home) == 4_000
    assert c.g.fd_close(one) == 0 and left(c, home) == 4_000
    keep = file(c, home, "keep", 4_000)
    assert c.g.fd_close(two) == 0 and c.g.fd_filestat_set_size(keep, 4_001) == E.DQUOT
    assert c.g.fd_renumber(three, keep) == 0  # closes keep, moves three
    assert c.g.fd_close(keep) == 0
    assert left(c, home) == LARGEST and c.unlink("keep", home) == "OK"
    big = file(c, home, "big", LARGEST)
    assert left(c, home) == 4_000  # once: not twice, not never
    assert c.rename("big", "other", home, home) == "OK"
    file(c, home, "over")
    assert c.rename("over", "other", home, home) == "OK" and left(c, home) == 4_000
    assert c.g.fd_close(big) == 0 and left(c, home) == LARGEST


def test_bytes_below_zero_are_no_credit(guest: Make, tmp_path: Path) -> None:
    """The guest may remove what was there before; it does not earn by it."""
    (tmp_path / "old").write_bytes(b"x" * 50_000)
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw", quota=QUOTA, max_file_size=LARGEST)])))
    fd = c.open("old", rights=ALL_RIGHTS)
    assert c.g.fd_filestat_set_size(fd, 60_000) == E.FBIG and c.g.write(fd, b"y" * 100) == (0, 100)
    assert c.g.fd_close(fd) == 0 and c.unlink("old") == "OK"
    assert left(c, 3) == LARGEST
    file(c, 3, "a", LARGEST)
    assert left(c, 3) == 4_000


def test_largest_file(c: Calls, home: int) -> None:
    fd = file(c, home, "a", LARGEST)
    assert c.g.fd_filestat_set_size(fd, LARGEST + 1) == E.FBIG and c.g.fd_allocate(fd, LARGEST, 1) == E.FBIG
    assert c.g.fd_seek(fd, 0, 2, 0x1F020) == 0 and c.g.write(fd, b"x")[0] == E.FBIG
    assert c.g.fd_seek(fd, -10, 2, 0x1F020) == 0 and c.g.write(fd, b"x" * 20) == (0, 10)


def test_names_by_every_call(c: Calls, home: int) -> None:
    assert names_left(c, home) == INODES
    assert c.mkdir("d", home) == "OK" and c.symlink("t", "l", home) == "OK"
    assert c.g.fd_close(file(c, home, "f")) == 0 and c.link("f", "g", home, home) == "OK"
    assert names_left(c, home) == INODES - 4
    # what fails takes nothing
    assert {c.mkdir("d", home), c.symlink("t", "d", home), c.link("f", "g", home, home)} == {"EXIST"}
    assert c.errno_of_open("f", dir=home, oflags=CREAT) == "OK" and c.mkdir("no/x", home) == "NOENT"
    assert c.errno_of_open("no/x", dir=home, oflags=CREAT) == "NOENT"
    assert c.errno_of_open("f", dir=home, oflags=CREAT | 4) == "EXIST"
    assert names_left(c, home) == INODES - 4
    # a name that replaces another frees one; one that only moves, none
    assert c.rename("l", "m", home, home) == "OK" and names_left(c, home) == INODES - 4
    assert c.rename("m", "f", home, home) == "OK" and names_left(c, home) == INODES - 3
    assert c.mkdir("e", home) == "OK" and c.rename("d", "e", home, home) == "OK"
    assert names_left(c, home) == INODES - 3
    assert (c.rmdir("e", home), c.unlink("f", home), c.unlink("g", home)) == ("OK",) * 3
    assert {c.rmdir("e", home), c.unlink("f", home)} == {"NOENT"}
    assert names_left(c, home) == INODES


def test_no_name_left(c: Calls, home: int) -> None:
    assert c.g.fd_close(file(c, home, "f", 5)) == 0
    for number in range(INODES - 1):
        assert c.mkdir(f"d{number}", home) == "OK"
    said = [c.mkdir("x", home), c.symlink("t", "x", home), c.link("f", "x", home, home)]
    said += [c.errno_of_open(p, dir=home, oflags=CREAT, rights=ALL_RIGHTS) for p in ("x", "d0/x")]
    said.append(c.errno_of_open("x", dir=home, oflags=CREAT | 4))
    assert said == ["DQUOT"] * 6
    assert c.errno_of_open("f", dir=home, oflags=CREAT) == "OK"  # it is there: nothing is made
    assert c.rename("f", "d0/f", home, home) == "OK"


def test_a_hundred_thousand_empty_names(guest: Make, tmp_path: Path) -> None:
    """The limit of names holds where nobody set one for the directory."""
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")], limits=Limits(inodes=50, disk_bytes=100))))
    made = sum(c.symlink("t", f"l{number}") == "OK" for number in range(200))
    assert made == 50 == len(os.listdir(tmp_path))


def test_random_calls_never_lose_a_byte(c: Calls, home: int, tmp_path: Path) -> None:
    """After thousands of calls what is charged is what is there."""
    rng = random.Random(3)
    names = [f"f{number}" for number in range(8)]
    held: list[int] = []
    for _ in range(1_500):
        name, other = rng.choice(names), rng.choice(names)
        match rng.randrange(9):
            case 0 | 1:
                err, fd = c.g.open(
                    name, dir=home, oflags=rng.choice([CREAT, CREAT | TRUNC]), rights=ALL_RIGHTS
                )
                if not err:
                    held.append(fd)
            case 2 if held:
                assert c.g.fd_close(held.pop(rng.randrange(len(held)))) == 0
            case 3:
                c.unlink(name, home)
            case 4:
                c.rename(name, other, home, home)
            case 5:
                c.link(name, other, home, home)
            case 6 if held:
                c.g.fd_filestat_set_size(rng.choice(held), rng.randrange(4_000))
            case 7 if held:
                c.g.write(rng.choice(held), b"z" * rng.randrange(3_000))
            case _ if held:
                c.g.fd_allocate(rng.choice(held), rng.randrange(3_000), 500)
        if len(held) > 20:
            assert c.g.fd_close(held.pop(0)) == 0
    for fd in held:
        assert c.g.fd_close(fd) == 0
    sizes = {}
    there = 0
    for name in names:
        err, st = c.g.stat(name, dir=home)
        if not err:
            there += 1
            sizes[st["ino"]] = st["size"]
    assert left(c, home) == min(LARGEST, QUOTA - sum(sizes.values()))
    assert names_left(c, home) == INODES - there
    for name in names:
        c.unlink(name, home)
    assert left(c, home) == LARGEST and names_left(c, home) == INODES
    assert home == 4 or os.listdir(tmp_path) == []


def test_failures_give_back(c: Calls, fake: _core.FakeOs) -> None:
    """The kernel refuses after the grant has counted."""
    fd = file(c, 3, "a", 1_000)
    for call, attempt in {
        "ftruncate": lambda: c.g.fd_filestat_set_size(fd, 3_000),
        "fallocate": lambda: c.g.fd_allocate(fd, 0, 3_000),
        "writev": lambda: c.g.write(fd, b"x" * 3_000)[0],
        "fstat": lambda: c.g.write(fd, b"x" * 3_000)[0],
        "lseek": lambda: c.g.write(fd, b"x" * 3_000)[0],
    }.items():
        fake.inject(call, 1, 1, err=E.NOSPC)
        assert attempt() == E.NOSPC, call
        fake.clear()
        assert left(c, 3) == LARGEST
    fake.inject("writev", 1, 1, short_bytes=500)
    assert c.g.fd_seek(fd, 1_000, 0, 0x1F020) == 0 and c.g.write(fd, b"x" * 5_000) == (0, 500)
    fake.clear()
    file(c, 3, "b", LARGEST)
    assert left(c, 3) == 2_500
    for call, attempt in {
        "mkdirat": lambda: c.mkdir("x"),
        "symlinkat": lambda: c.symlink("t", "x"),
        "linkat": lambda: c.link("a", "x"),
        "openat": lambda: c.errno_of_open("x", oflags=CREAT),
        "renameat": lambda: c.rename("a", "b"),
        "unlinkat": lambda: c.unlink("a"),
    }.items():
        fake.inject(call, 1, 1, err=E.IO)
        assert attempt() == "IO", call
        fake.clear()
    assert names_left(c, 3) == INODES - 2 and left(c, 3) == 2_500


def test_grants_count_apart(guest: Make, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    dirs = [Dir(tmp_path / "a", "/a", quota=QUOTA, inodes=3), TempDir("/t", quota=QUOTA, inodes=3)]
    one, two = (Calls(guest(Policy(dirs=dirs, allow_overlap=True))) for _ in range(2))
    assert one.g.fd_filestat_set_size(file(one, 3, "x"), QUOTA) == 0
    assert one.g.fd_filestat_set_size(file(one, 4, "x"), QUOTA) == 0
    assert two.g.fd_filestat_set_size(file(two, 3, "y"), QUOTA) == 0  # each guest has its own
    assert two.g.fd_filestat_set_size(file(two, 4, "x"), QUOTA + 1) == E.DQUOT


def test_no_quota_asks_nothing(guest: Make, tmp_path: Path, fake: _core.FakeOs) -> None:
    """Who does not count makes no kernel call for it."""
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")]), kernel=fake))
    fd = file(c, 3, "a")
    fake.clear()
    assert c.g.write(fd, b"x") == (0, 1) and c.g.fd_close(fd) == 0 and c.unlink("a") == "OK"
    assert fake.count("fstat") == fake.count("fstatat") == fake.count("lseek") == 0

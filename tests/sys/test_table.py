"""sys/table.c: numbers of descriptors, the lowest free one, renumbering, limits, and the pool behind them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calls import CREAT, DIRECTORY, Calls
from tests.support import ALL_RIGHTS, E, Guest, open_fds
from wasi_native import CLOSED, Dir, Limits, MemoryDir, Policy, PolicyError, _core

Make = Callable[..., Guest]


@pytest.fixture(params=[3, 4], ids=["host", "memory"])
def home(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def build(guest: Make, tmp_path: Path, **limits: int) -> Calls:
    dirs = [Dir(tmp_path, "/rw"), MemoryDir("/mem")]
    return Calls(guest(Policy(dirs=dirs, limits=Limits(**limits))))


def ino(c: Calls, fd: int) -> int:
    err, st = c.g.fstat(fd)
    assert err == 0
    return st["ino"]


def test_the_lowest_free_number(guest: Make, tmp_path: Path, home: int) -> None:
    c = build(guest, tmp_path)
    fds = [c.open("f", dir=home, oflags=CREAT) for _ in range(10)]
    assert fds == list(range(5, 15))
    for fd in (9, 5, 12, 7):
        assert c.g.fd_close(fd) == 0
    assert [c.open("f", dir=home) for _ in range(5)] == [5, 7, 9, 12, 15]
    assert c.g.fd_close(1) == 0 and c.open("f", dir=home) == 1  # as POSIX: streams are numbers too


def test_closed_streams_leave_their_numbers(guest: Make, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")], stdin=CLOSED, stderr=CLOSED)))
    assert [c.open("f") for _ in range(3)] == [0, 2, 4]


def test_numbers_that_are_not_open(guest: Make, tmp_path: Path) -> None:
    c = build(guest, tmp_path)
    for fd in (5, 63, 64, 65, 127, 2**31 - 1, 2**31, 2**32 - 1):
        assert c.g.fd_close(fd) == E.BADF
        assert c.g.fd_renumber(fd, 3) == E.BADF and c.g.fd_renumber(3, fd) == E.BADF
        assert c.g.fd_fdstat_get(fd, 0x100) == E.BADF and c.kind("f", dir=fd) == "BADF"
    assert c.kind(".")[0] == 3


@pytest.mark.parametrize("fds", [5, 6, 64, 200])
def test_limit(guest: Make, tmp_path: Path, home: int, fds: int) -> None:
    before = open_fds()
    c = build(guest, tmp_path, fds=fds)
    assert c.mkdir("d", home) == "OK"
    for path in ("f", "d"):
        opened = []
        while True:
            err, fd = c.g.open(path, dir=home, oflags=CREAT if path == "f" else DIRECTORY, rights=1 << 14)
            if err:
                break
            opened.append(fd)
        assert err == E.MFILE and len(opened) == fds - 5
        assert len(open_fds()) - len(before) <= fds + 3
        for fd in opened:
            assert c.g.fd_close(fd) == 0
    if fds == 5:
        assert c.kind("f", dir=home) == "NOENT"  # nothing was made that could not be handed out


def test_too_few_for_the_grants(guest: Make, tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        build(guest, tmp_path, fds=3)


def test_renumber(guest: Make, tmp_path: Path, home: int) -> None:
    before = len(open_fds())
    c = build(guest, tmp_path)
    one, two = c.open("one", dir=home, oflags=CREAT, rights=ALL_RIGHTS), c.open("two", dir=home, oflags=CREAT)
    inode = ino(c, one)
    assert c.g.fd_renumber(one, one) == 0 and ino(c, one) == inode
    host = len(open_fds())
    assert c.g.fd_renumber(one, two) == 0
    assert ino(c, two) == inode and c.g.fd_filestat_get(one, 0x100) == E.BADF
    assert len(open_fds()) == host - (home == 3)  # what was there is closed, once
    assert c.g.write(two, b"x") == (0, 1)  # rights move along
    assert c.open("three", dir=home, oflags=CREAT) == one  # its number is free again
    assert c.g.fd_renumber(two, 1) == 0 and ino(c, 1) == inode
    assert c.g.fd_close(1) == 0 and c.g.fd_close(1) == E.BADF
    assert c.g.fd_renumber(0, 2) == 0
    assert len(open_fds()) - before <= 5


def test_renumber_of_preopens(guest: Make, tmp_path: Path) -> None:
    c = build(guest, tmp_path)
    assert c.g.fd_prestat_get(4, 0x100) == 0 and c.g.unpack("II", 0x100) == (0, 4)
    assert c.g.fd_renumber(3, 4) == 0
    assert c.g.fd_prestat_get(3, 0x100) == E.BADF
    assert c.g.fd_prestat_get(4, 0x100) == 0 and c.g.unpack("II", 0x100) == (0, 3)
    assert c.g.fd_prestat_dir_name(4, 0x200, 3) == 0 and c.g.memory.read(0x200, 3) == b"/rw"
    assert c.mkdir("made", 4) == "OK" and (tmp_path / "made").is_dir()
    fd = c.open(".", dir=4, oflags=DIRECTORY)
    assert c.g.fd_prestat_get(fd, 0x100) == E.BADF  # what the guest opens is no preopen
    assert c.g.fd_renumber(fd, 4) == 0 and c.g.fd_prestat_get(4, 0x100) == E.BADF


def test_a_closed_preopen_is_gone(guest: Make, tmp_path: Path) -> None:
    c = build(guest, tmp_path)
    inner = c.open(".", oflags=DIRECTORY)
    assert c.g.fd_close(3) == 0 and c.kind(".") == "BADF" and c.g.fd_prestat_get(3, 0x100) == E.BADF
    assert c.mkdir("d", inner) == "OK"  # the grant lives in what came from it
    assert c.open("d", dir=inner) == 3


def test_one_place_more_than_numbers(guest: Make, tmp_path: Path, home: int) -> None:
    """A full table: replacing still works, opening does not."""
    c = build(guest, tmp_path, fds=8)
    fds = [c.open("f", dir=home, oflags=CREAT) for _ in range(3)]
    for _ in range(50):
        assert c.errno_of_open("f", dir=home) == "MFILE"
        assert c.g.fd_renumber(fds[0], fds[1]) == 0
        assert c.open("f", dir=home) == fds[0]


def test_random_use_against_a_model(guest: Make, tmp_path: Path, home: int) -> None:
    c = build(guest, tmp_path, fds=40)
    before = len(open_fds())
    inodes = []
    for number in range(4):
        fd = c.open(f"f{number}", dir=home, oflags=CREAT)
        inodes.append(ino(c, fd))
        assert c.g.fd_close(fd) == 0
    model: dict[int, int] = {}
    rng = random.Random(11)
    for _ in range(3_000):
        choice = rng.random()
        if choice < 0.45:
            number = rng.randrange(4)
            err, fd = c.g.open(f"f{number}", dir=home, rights=1 << 21)
            if len(model) == 35:
                assert err == E.MFILE
            else:
                assert err == 0 and fd == min(set(range(5, 41)) - model.keys())
                model[fd] = inodes[number]
        elif choice < 0.75:
            fd = rng.randrange(5, 42)
            assert c.g.fd_close(fd) == (0 if model.pop(fd, None) else E.BADF)
        else:
            source, target = rng.randrange(5, 42), rng.randrange(5, 42)
            good = source in model and target in model
            assert c.g.fd_renumber(source, target) == (0 if good else E.BADF)
            if good and source != target:
                model[target] = model.pop(source)
    assert {fd: ino(c, fd) for fd in model} == model
    for fd in list(model):
        assert c.g.fd_close(fd) == 0
    assert len(open_fds()) == before


def test_names_of_preopens(tmp_path: Path) -> None:
    sys = _core.Sys({})
    for name in (b"a\0b", b"\0", b"n" * 4096):
        with pytest.raises(_core.CoreError) as error:
            sys.preopen_dir(os.fsencode(tmp_path), name, False, 0, 0, 0)
        assert error.value.code in (E.INVAL, E.NAMETOOLONG)
        with pytest.raises(_core.CoreError):
            sys.preopen_memory(name, 0, 0, 0)
    assert sys.preopen_dir(os.fsencode(tmp_path), b"n" * 4095, False, 0, 0, 0) == 3
    assert sys.preopen_memory(b"", 0, 0, 0) == 4  # the failed ones left no hole
    assert sys.usage()[2] == 2


def test_every_allocation_may_fail(tmp_path: Path) -> None:
    fake = _core.FakeOs()
    for nth in range(1, 60):
        fake.clear()
        fake.inject("alloc", nth, 1, err=E.NOMEM)
        try:
            sys = _core.Sys({"fds": 16}, os=fake)
            sys.preopen_dir(os.fsencode(tmp_path), b"/rw", False, 0, 0, 0)
            sys.preopen_memory(b"/mem", 0, 0, 0)
        except (MemoryError, _core.CoreError):
            continue
        assert fake.count("alloc") < nth
        return
    raise AssertionError("the loop has no end")


def test_a_table_of_the_largest_size(guest: Make, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    c = build(guest, tmp_path, fds=65536)
    fd = c.open("f")
    for last in (65535, 40000):
        assert c.g.fd_renumber(fd, last) == E.BADF
    assert c.g.fd_close(fd) == 0 and c.g.fd_close(65535) == E.BADF and c.g.fd_close(65536) == E.BADF

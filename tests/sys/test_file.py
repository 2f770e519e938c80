"""sys/file.c: what every descriptor has; rights first, then what the object can do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support import ALL_RIGHTS, E, Guest, rights
from wasi_native import Cancelled, Capture, Dir, Limits, MemoryDir, Policy


@pytest.fixture(params=["host", "memory"])
def place(request: pytest.FixtureRequest, guest: Any, tmp_path: Path) -> Guest:
    made: Guest = guest(Policy(dirs=[Dir(tmp_path, "/d") if request.param == "host" else MemoryDir("/d")]))
    return made


CALLS = {
    "fd_read": (rights("fd_read"), (0, 1, 64)),
    "fd_write": (rights("fd_write"), (0, 1, 64)),
    "fd_pread": (rights("fd_read"), (0, 1, 0, 64)),
    "fd_pwrite": (rights("fd_write"), (0, 1, 0, 64)),
    "fd_seek": (rights("fd_seek"), (1, 0, 64)),
    "fd_filestat_get": (rights("fd_filestat_get"), (64,)),
    "fd_filestat_set_size": (rights("fd_filestat_set_size"), (5,)),
    "fd_filestat_set_times": (rights("fd_filestat_set_times"), (0, 0, 2)),
    "fd_allocate": (rights("fd_allocate"), (0, 5)),
    "fd_advise": (rights("fd_advise"), (0, 5, 0)),
    "fd_sync": (rights("fd_sync"), ()),
    "fd_datasync": (rights("fd_datasync"), ()),
    "fd_fdstat_set_flags": (rights("fd_fdstat_set_flags"), (0,)),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_right_is_needed_and_is_enough(place: Guest, name: str) -> None:
    right, args = CALLS[name]
    place.iovs(0, (128, 4))
    err, fd = place.open("f", oflags=1)
    assert err == 0 and place.call(name, fd, *args) == 0
    err, without = place.open("f", rights=ALL_RIGHTS & ~right)
    assert err == 0 and place.call(name, without, *args) == E.NOTCAPABLE
    assert place.fd_fdstat_set_rights(fd, right, 0) == 0
    assert place.call(name, fd, *args) == 0
    assert place.call(name, 99, *args) == E.BADF


def test_tell_needs_one_of_two(place: Guest) -> None:
    for names, answer in ((("fd_tell",), 0), (("fd_seek",), 0), (("fd_read",), E.NOTCAPABLE)):
        err, fd = place.open("f", oflags=1)
        assert err == 0 and place.fd_fdstat_set_rights(fd, rights(*names), 0) == 0
        assert place.fd_tell(fd, 64) == place.fd_seek(fd, 0, 1, 64) == answer


def test_directories_are_no_files(place: Guest) -> None:
    place.iovs(0, (128, 4))
    answers = {name: place.call(name, 3, *args) for name, (_, args) in CALLS.items()}
    assert {answers[name] for name in ("fd_read", "fd_write", "fd_pread", "fd_pwrite", "fd_seek")} <= {
        E.NOTCAPABLE,
        E.ISDIR,
        E.BADF,
    }
    assert answers["fd_filestat_get"] == answers["fd_sync"] == answers["fd_datasync"] == 0
    assert answers["fd_advise"] == E.BADF and answers["fd_filestat_set_size"] != 0 != answers["fd_allocate"]


def test_streams_have_no_places(guest: Any) -> None:
    g = guest(Policy(stdin=b"12", stdout=Capture()))
    at = g.iovs(0, (128, 4))
    assert g.fd_pread(0, *at, 0, 64) == g.fd_pwrite(1, *at, 0, 64) == E.SPIPE
    for fd in range(3):
        assert g.fd_seek(fd, 1, 0, 64) in {E.SPIPE, E.NOTCAPABLE}
        assert g.fd_filestat_set_size(fd, 0) != 0 and g.fd_allocate(fd, 0, 1) != 0
        err, stat = g.fstat(fd)
        assert err == 0 and (stat["dev"], stat["ino"], stat["size"]) == (0, 0, 0)
    assert g.fd_write(0, *at, 64) == g.fd_read(1, *at, 64) == E.NOTCAPABLE


@pytest.mark.parametrize("call", ["fd_read", "fd_write", "fd_pread", "fd_pwrite"])
def test_nothing_is_moved_by_no_pieces(place: Guest, call: str) -> None:
    err, fd = place.open("f", oflags=1)
    place.write(fd, b"12345678")
    place.fd_seek(fd, 2, 0, 64)
    extra = (0,) if call.startswith("fd_p") else ()
    assert err == 0 and place.call(call, fd, 0, 0, *extra, 64) == 0 and place.memory.u32(64) == 0
    place.iovs(0, (128, 0), (0, 0))
    assert place.call(call, fd, 0, 2, *extra, 64) == 0 and place.memory.u32(64) == 0
    assert place.fd_tell(fd, 64) == 0 and place.memory.u64(64) == 2


def test_many_pieces(place: Guest) -> None:
    err, fd = place.open("f", oflags=1)
    assert err == 0
    data = os.urandom(3000)
    place.memory.write(0x10000, data)
    pieces = [(0x10000 + i, 1) for i in range(1100)]
    at = place.iovs(0, *pieces)
    assert place.fd_write(fd, *at, 0x9000) == 0
    assert place.memory.u32(0x9000) == 1024  # a short count: the kernel's own limit is never met
    assert place.fd_pread(fd, *place.iovs(0, (0x14000, 700), (0x15000, 900)), 0, 0x9000) == 0
    assert place.memory.u32(0x9000) == 1024
    assert place.memory.read(0x14000, 700) + place.memory.read(0x15000, 324) == data[:1024]


@pytest.mark.parametrize("limit", [1, 7, 1024])
def test_the_guest_s_own_limit_of_pieces(guest: Any, limit: int) -> None:
    g = guest(Policy(dirs=[MemoryDir("/m")], limits=Limits(iovecs=limit)))
    err, fd = g.open("f", oflags=1)
    assert err == 0 and g.fd_write(fd, *g.iovs(0, *[(0x10000, 1)] * limit), 0x9000) == 0
    over = g.fd_write(fd, *g.iovs(0, *[(0x10000, 1)] * (limit + 1)), 0x9000)
    assert over == (E.INVAL if limit < 1024 else 0)


def test_offsets(place: Guest) -> None:
    err, fd = place.open("f", oflags=1)
    at = place.iovs(0, (128, 4))
    assert err == 0 and place.write(fd, b"12345678") == (0, 8)
    for offset in (2**63 - 1, 2**63 - 4 + 1, 2**63, 2**64 - 1):
        assert place.fd_pread(fd, *at, offset, 64) == E.INVAL
        assert place.fd_pwrite(fd, *at, offset, 64) in {E.INVAL, E.FBIG}
    assert place.fd_pread(fd, *at, 2**62, 64) == 0 and place.memory.u32(64) == 0
    for off, length, answer in (
        (0, 0, E.INVAL),
        (2**63, 1, E.INVAL),
        (2**63 - 1, 1, E.FBIG),
        (1, 2**63 - 1, E.FBIG),
    ):
        assert place.fd_allocate(fd, off, length) == answer
    for off, length, advice in ((0, 1, 6), (0, 1, 255), (2**63, 0, 0), (2**63 - 1, 1, 0)):
        assert place.fd_advise(fd, off, length, advice) == E.INVAL
    for whence in (3, 4, 255):
        assert place.fd_seek(fd, 1, whence, 64) == E.INVAL
    for off, whence in ((-9, 2), (-9, 1), (-1, 0), (-(2**63), 1)):
        assert place.fd_seek(fd, off, whence, 64) == E.INVAL
    assert place.fd_seek(fd, 2**63 - 1, 1, 64) in {E.INVAL, E.OVERFLOW}
    assert place.fd_tell(fd, 64) == 0 and place.memory.u64(64) == 8
    assert place.fd_filestat_set_size(fd, 2**63) == E.INVAL


def test_flags(place: Guest) -> None:
    err, fd = place.open("f", oflags=1)
    assert err == 0 and place.write(fd, b"12345678") == (0, 8)
    assert place.fd_fdstat_set_flags(fd, 1) == 0 and place.fd_seek(fd, 0, 0, 64) == 0
    assert place.write(fd, b"9") == (0, 1)
    assert place.fstat(fd)[1]["size"] == 9
    assert place.fd_fdstat_get(fd, 64) == 0 and place.memory.u16(66) == 1
    assert place.fd_fdstat_set_flags(fd, 4) == 0 and place.fd_fdstat_get(fd, 64) == 0
    assert place.memory.u16(66) == 4
    for flag in (2, 8, 16, 31):
        assert place.fd_fdstat_set_flags(fd, flag) == E.NOTSUP
    for flag in (32, 0x8000):
        assert place.fd_fdstat_set_flags(fd, flag) == E.INVAL


def test_output_is_cut_to_the_limit_and_counted(guest: Any) -> None:
    g = guest(Policy(stdout=Capture(), stderr=Capture(), limits=Limits(output_bytes=10)))
    g.memory.write(0x10000, b"abcdefghijklmnop")
    assert g.fd_write(1, *g.iovs(0, (0x10000, 3), (0x10003, 3)), 64) == 0 and g.memory.u32(64) == 6
    assert g.fd_write(2, *g.iovs(0, (0x10006, 3), (0x10009, 3)), 64) == 0 and g.memory.u32(64) == 4
    assert (
        g.fd_write(1, *g.iovs(0, (0x10000, 1)), 64) == g.fd_write(2, *g.iovs(0, (0x10000, 1)), 64) == E.NOSPC
    )
    assert (g.instance.stdout, g.instance.stderr) == (b"abcdef", b"ghij")
    assert g.fd_write(1, *g.iovs(0, (0x10000, 0)), 64) == 0
    assert g.instance.usage.output_bytes == 10


def test_renumbered_output_stays_output(guest: Any, tmp_path: Path) -> None:
    """And a file that takes the number of stdout is not counted."""
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")], stdout=Capture(), limits=Limits(output_bytes=4)))
    err, fd = g.open("f", oflags=1)
    assert err == 0 and g.fd_renumber(1, fd) == 0
    assert g.write(fd, b"12345") == (0, 4) and g.instance.stdout == b"1234"
    err, other = g.open("f", oflags=1)
    assert other == 1 and g.write(1, b"123456789") == (0, 9)


def test_a_cancelled_guest_gets_no_further(guest: Any, tmp_path: Path) -> None:
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
    err, fd = g.open("f", oflags=1)
    assert err == 0
    g.instance.cancel()
    with pytest.raises(Cancelled):
        g.write(fd, b"x")
    assert (tmp_path / "f").read_bytes() == b""

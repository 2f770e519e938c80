"""sys/file_host.c: files of the host; one kernel call each, straight from guest memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import E, Guest
from wasi_native import Dir, Policy, _core

MIB = 1 << 20


class Counted:
    """A guest with one open file, and what the kernel was asked for."""

    def __init__(self, guest: Any, tmp_path: Path, **dir_: Any) -> None:
        self.kernel = _core.FakeOs()
        self.g: Guest = guest(Policy(dirs=[Dir(tmp_path, "/d", **dir_)]), kernel=self.kernel, pages=40)
        (tmp_path / "f").write_bytes(bytes(range(256)) * 16)
        err, self.fd = self.g.open("f")
        assert err == 0
        self.g.fill()

    def asks(self, call: Callable[[], int]) -> dict[str, int]:
        """The kernel's calls that one call of the guest makes, by name."""
        self.kernel.clear()
        assert call() == 0
        names = [
            "readv",
            "writev",
            "preadv",
            "pwritev",
            "lseek",
            "fstat",
            "poll",
            "alloc",
            "resize",
            "page_alloc",
            "ftruncate",
            "fsync",
            "fdatasync",
        ]
        found = {name: self.kernel.count(name) for name in names if self.kernel.count(name)}
        found["others"] = self.kernel.count("*") - sum(found.values()) - self.kernel.count("clock_get")
        return {name: count for name, count in found.items() if count}


@pytest.fixture
def counted(guest: Any, tmp_path: Path) -> Counted:
    return Counted(guest, tmp_path)


@pytest.mark.parametrize(
    ("call", "extra", "kernel"),
    [
        ("fd_read", (), "readv"),
        ("fd_write", (), "writev"),
        ("fd_pread", (0,), "preadv"),
        ("fd_pwrite", (5,), "pwritev"),
    ],
)
@pytest.mark.parametrize(
    "pieces", [[(0x10000, 1)], [(0x10000, 4096)], [(0x10000, 256)] * 16, [(0x10000, 1)] * 1024]
)
def test_one_kernel_call_and_no_memory(
    counted: Counted, call: str, extra: tuple[int, ...], kernel: str, pieces: list[tuple[int, int]]
) -> None:
    g = counted.g
    at = g.iovs(0, *pieces)
    assert counted.asks(lambda: g.call(call, counted.fd, *at, *extra, 0x9000)) == {kernel: 1}
    assert g.memory.u32(0x9000) == sum(length for _, length in pieces)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("clock_time_get", (0, 0, 64)),
        ("clock_res_get", (0, 64)),
        ("random_get", (64, 16)),
        ("fd_fdstat_get", (5, 64)),
        ("args_sizes_get", (64, 68)),
        ("args_get", (64, 128)),
        ("environ_sizes_get", (64, 68)),
        ("environ_get", (64, 128)),
        ("fd_prestat_get", (3, 64)),
        ("fd_prestat_dir_name", (3, 64, 2)),
    ],
)
def test_no_kernel_call_at_all(counted: Counted, name: str, args: tuple[int, ...]) -> None:
    counted.g.random_get(64, 16)  # the buffer is full
    args = tuple(counted.fd if (name, i) == ("fd_fdstat_get", 0) else value for i, value in enumerate(args))
    found = counted.asks(lambda: counted.g.call(name, *args))
    found.pop("others", None) if name == "clock_res_get" else None  # the vDSO's, as clock_get
    assert found == {}


def test_the_bytes_are_those_of_the_file(counted: Counted, tmp_path: Path) -> None:
    g, fd = counted.g, counted.fd
    assert g.fd_pread(fd, *g.iovs(0, (0x10000, 3), (0x10100, 5)), 10, 64) == 0 and g.memory.u32(64) == 8
    assert g.memory.read(0x10000, 3) + g.memory.read(0x10100, 5) == bytes(range(10, 18))
    assert g.memory.read(0x10003, 5) == b"\xa5" * 5
    g.memory.write(0x11000, b"NEWDATA")
    assert g.fd_pwrite(fd, *g.iovs(0, (0x11000, 3), (0x11003, 4)), 100, 64) == 0
    assert (tmp_path / "f").read_bytes()[98:110] == b"bcNEWDATAklm"
    assert g.fd_seek(fd, -3, 2, 64) == 0 and g.memory.u64(64) == 4093
    assert g.read(fd)[1] == b"\xfd\xfe\xff" and g.read(fd) == (0, b"")


def test_pieces_of_a_mebibyte(counted: Counted) -> None:
    g, fd = counted.g, counted.fd
    at = g.iovs(0, *[(0x10000, MIB // 2)] * 5)
    assert counted.asks(lambda: g.fd_write(fd, *at, 0x9000)) == {"writev": 3}
    assert g.memory.u32(0x9000) == 5 * MIB // 2
    assert counted.asks(lambda: g.fd_pread(fd, *at, 0, 0x9000)) == {"preadv": 3}


def test_an_error_after_the_first_piece_is_met_at_the_next_call(counted: Counted, tmp_path: Path) -> None:
    g, fd = counted.g, counted.fd
    at = g.iovs(0, *[(0x10000, MIB)] * 3)
    counted.kernel.clear()
    counted.kernel.inject("writev", 2, 0, err=E.NOSPC)
    assert g.fd_write(fd, *at, 0x9000) == 0 and g.memory.u32(0x9000) == MIB
    assert g.fd_tell(fd, 64) == 0 and g.memory.u64(64) == MIB
    assert g.fd_write(fd, *at, 0x9000) == E.NOSPC
    counted.kernel.clear()
    counted.kernel.inject("writev", 1, 1, short_bytes=1000)
    assert g.fd_write(fd, *at, 0x9000) == 0 and g.memory.u32(0x9000) == 1000
    (tmp_path / "f").unlink()


def test_a_quota_costs_a_look_and_is_kept_when_a_write_fails(guest: Any, tmp_path: Path) -> None:
    counted = Counted(guest, tmp_path, quota=10_000)
    g, fd = counted.g, counted.fd
    at = g.iovs(0, (0x10000, 5000))
    assert counted.asks(lambda: g.fd_write(fd, *at, 0x9000)) == {"writev": 1, "fstat": 1, "lseek": 1}
    assert counted.asks(lambda: g.fd_pwrite(fd, *at, 0, 0x9000)) == {"pwritev": 1, "fstat": 1}
    assert g.fd_fdstat_set_flags(fd, 1) == 0
    counted.kernel.inject("writev", 1, 5, err=E.IO)
    for _ in range(5):
        assert g.fd_write(fd, *at, 0x9000) == E.IO
    assert g.fd_write(fd, *at, 0x9000) == 0 and g.memory.u32(0x9000) == 5000
    assert g.fd_write(fd, *at, 0x9000) == 0 and g.memory.u32(0x9000) == 10_000 - 5904  # what is left
    assert g.fd_write(fd, *at, 0x9000) == E.DQUOT


def test_a_file_without_a_name_gives_its_bytes_back_when_it_is_closed(guest: Any, tmp_path: Path) -> None:
    counted = Counted(guest, tmp_path, quota=10_000)
    g = counted.g
    for _ in range(3):
        fds = [g.open("tmp", oflags=1)[1] for _ in range(2)]
        assert g.fd_filestat_set_size(fds[0], 10_000) == 0
        assert g.on_path("path_unlink_file", "tmp") == 0
        err, other = g.open("other", oflags=1)
        assert err == 0 and g.fd_filestat_set_size(other, 1) == E.DQUOT  # still used
        assert g.fd_close(fds[0]) == 0 and g.fd_filestat_set_size(other, 1) == E.DQUOT
        assert g.fd_close(fds[1]) == 0 and g.fd_filestat_set_size(other, 10_000) == 0
        assert g.fd_close(other) == 0 and g.on_path("path_unlink_file", "other") == 0


def test_sizes_times_and_room(counted: Counted, tmp_path: Path) -> None:
    g, fd = counted.g, counted.fd
    assert g.fd_filestat_set_size(fd, 10) == 0 and (tmp_path / "f").stat().st_size == 10
    assert g.fd_allocate(fd, 5, 20) == 0 and (tmp_path / "f").stat().st_size == 25
    assert g.fd_allocate(fd, 0, 5) == 0 and (tmp_path / "f").stat().st_size == 25
    assert g.fd_filestat_set_times(fd, 10**18, 10**18 + 7, 5) == 0
    assert (tmp_path / "f").stat().st_mtime_ns == 10**18 + 7
    assert counted.asks(lambda: g.fd_sync(fd)) == {"fsync": 1}
    assert counted.asks(lambda: g.fd_datasync(fd)) == {"fdatasync": 1}
    for advice in range(6):
        assert g.fd_advise(fd, 0, 0, advice) == 0
    err, stat = g.fstat(fd)
    host = (tmp_path / "f").stat()
    assert err == 0 and (stat["type"], stat["size"], stat["nlink"]) == (4, 25, 1)
    assert (stat["mtim"], stat["ino"]) == (host.st_mtime_ns, host.st_ino)


def test_append_is_the_kernel_s(guest: Any, tmp_path: Path) -> None:
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
    err, fd = g.open("f", oflags=1, fdflags=1)
    with open(tmp_path / "f", "ab", buffering=0) as other:
        for i in range(3):
            assert g.write(fd, b"guest%d" % i)[0] == 0
            other.write(b"host%d" % i)
    assert err == 0 and (tmp_path / "f").read_bytes() == b"guest0host0guest1host1guest2host2"


def test_an_inherited_file_shares_its_place_and_keeps_its_flags(guest: Any, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"0123456789")
    fd = os.open(tmp_path / "in", os.O_RDWR)
    try:
        os.read(fd, 2)
        g = guest()
        g.instance._sys.stdio_fd(0, fd)
        assert g.read(0, 3) == (0, b"234") and os.read(fd, 2) == b"56"
        assert g.fstat(0)[1]["ino"] == 0  # an inode of the outside is nobody's business
        assert g.fd_fdstat_set_flags(0, 1) == E.NOTSUP
        assert g.fd_filestat_set_size(0, 0) == g.fd_allocate(0, 0, 1) == E.NOTCAPABLE
        assert os.get_blocking(fd) and (tmp_path / "in").stat().st_size == 10
    finally:
        os.close(fd)

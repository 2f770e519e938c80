"""sys/memory.c: files in memory, their account and their life; files of the host mounted among them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calls import APPEND, ATIM, ATIM_NOW, CREAT, MTIM, MTIM_NOW, TRUNC, Calls
from tests.support import ALL_RIGHTS, E, Guest
from wasi_native import Clock, File, Fixed, Limits, MemoryDir, Policy, PolicyError, _core

Make = Callable[..., Guest]
SIZE = 1 << 16


@pytest.fixture
def fake() -> _core.FakeOs:
    return _core.FakeOs()


@pytest.fixture
def c(guest: Make, fake: _core.FakeOs) -> Calls:
    return Calls(guest(Policy(dirs=[MemoryDir("/mem", size=SIZE)]), kernel=fake))


def new(c: Calls, path: str = "f", data: bytes = b"", **how: int) -> int:
    fd = c.open(path, **{"oflags": CREAT, "rights": ALL_RIGHTS, **how})
    if data:
        assert c.g.write(fd, data) == (0, len(data))
    return fd


def content(c: Calls, path: str = "f") -> bytes:
    fd = c.open(path)
    err, data = c.g.read(fd, 0xE000)
    assert (err, c.g.fd_close(fd)) == (0, 0)
    return data


def seek(c: Calls, fd: int, offset: int, whence: int = 0) -> int:
    return c.g.fd_seek(fd, offset, whence, 0x1F020)


def test_read_and_write_as_a_file_of_bytes(c: Calls) -> None:
    """Random positioned and plain calls, against a bytearray."""
    fd, model, pos = new(c), bytearray(), 0
    rng = random.Random(7)
    for _ in range(400):
        data = rng.randbytes(rng.choice([0, 1, 7, 300]))
        off = rng.randrange(0, 3000)
        match rng.randrange(5):
            case 0:
                assert c.g.write(fd, data) == (0, len(data))
                if data:
                    model.extend(bytes(max(0, pos - len(model))))
                    model[pos : pos + len(data)] = data
                pos += len(data)
            case 1:
                iovs = c.g.iovs(0x1F000, c.g.put(0x10000, data))
                assert c.g.fd_pwrite(fd, *iovs, off, 0x1F010) == 0
                if data:
                    model.extend(bytes(max(0, off - len(model))))
                    model[off : off + len(data)] = data
            case 2:
                assert c.g.read(fd, 200) == (0, bytes(model[pos : pos + 200]))
                pos += len(model[pos : pos + 200])
            case 3:
                assert seek(c, fd, off) == 0 and c.g.unpack("Q", 0x1F020) == off
                pos = off
            case 4:
                size = rng.randrange(0, 4000)
                assert c.g.fd_filestat_set_size(fd, size) == 0
                del model[size:]
                model.extend(bytes(size - len(model)))
        assert c.g.fstat(fd)[1]["size"] == len(model)
    assert content(c) == bytes(model)


def test_several_pieces(c: Calls) -> None:
    fd = new(c)
    pieces = [c.g.put(0x10000 + 0x100 * i, bytes([65 + i]) * i) for i in range(6)]
    assert c.g.fd_write(fd, *c.g.iovs(0x1F000, *pieces), 0x1F080) == 0
    assert c.g.unpack("I", 0x1F080) == 15 and content(c) == b"BCCDDDEEEEFFFFF"
    assert c.g.fd_pread(fd, *c.g.iovs(0x1F000, (0x12000, 2), (0x13000, 3), (0x14000, 100)), 1, 0x1F080) == 0
    assert c.g.unpack("I", 0x1F080) == 14
    assert (c.g.memory.read(0x12000, 2), c.g.memory.read(0x13000, 3)) == (b"CC", b"DDD")
    assert c.g.memory.read(0x14000, 10) == b"EEEEFFFFF" + b"\xa5"


def test_append(c: Calls) -> None:
    one, two = new(c), new(c, fdflags=APPEND)
    assert c.g.write(one, b"abc")[0] == c.g.write(two, b"DEF")[0] == c.g.write(one, b"x")[0] == 0
    assert content(c) == b"abcxEF"
    assert seek(c, two, 0) == 0 and c.g.write(two, b"Z")[0] == 0
    assert content(c) == b"abcxEFZ" and seek(c, two, 0, 1) == 0 and c.g.unpack("Q", 0x1F020) == 7
    assert c.g.fd_fdstat_set_flags(two, 0) == 0 and seek(c, two, 0) == 0 and c.g.write(two, b"!")[0] == 0
    assert content(c) == b"!bcxEFZ"


def test_seek(c: Calls) -> None:
    fd = new(c, data=b"hello")
    for offset, whence, at in (
        (2, 0, 2),
        (1, 1, 3),
        (-1, 2, 4),
        (10, 2, 15),
        (0, 0, 0),
        (2**63 - 1, 0, 2**63 - 1),
    ):
        assert seek(c, fd, offset, whence) == 0 and c.g.unpack("Q", 0x1F020) == at
    assert seek(c, fd, 1, 1) == E.OVERFLOW and seek(c, fd, 2**63 - 1, 2) == E.OVERFLOW
    assert seek(c, fd, -1) == E.INVAL and seek(c, fd, 0, 3) == E.INVAL and seek(c, fd, -(2**63), 2) == E.INVAL
    assert c.g.fd_tell(fd, 0x1F020) == 0 and c.g.unpack("Q", 0x1F020) == 2**63 - 1
    assert c.g.read(fd) == (0, b"") and c.g.write(fd, b"x")[0] in (E.FBIG, E.INVAL)


def test_numbers_out_of_range(c: Calls) -> None:
    fd = new(c, data=b"hello")
    iovs = c.g.iovs(0x1F000, (0x10000, 4))
    for off in (2**63 - 1, 2**63, 2**64 - 1):
        assert c.g.fd_pwrite(fd, *iovs, off, 0x1F010) in (E.INVAL, E.FBIG)
        assert c.g.fd_pread(fd, *iovs, off, 0x1F010) == E.INVAL
        assert c.g.fd_allocate(fd, off, 1) in (E.INVAL, E.FBIG, E.DQUOT)
        assert c.g.fd_filestat_set_size(fd, off) in (E.INVAL, E.FBIG, E.DQUOT)
        assert c.g.fd_advise(fd, 0, off, 0) in (0, E.INVAL)
    assert c.g.fd_allocate(fd, 0, 0) == E.INVAL and c.g.fd_allocate(fd, 2**63 - 1, 2**63 - 1) == E.FBIG
    assert content(c) == b"hello"


def test_allocate(c: Calls) -> None:
    fd = new(c, data=b"hello")
    assert c.g.fd_allocate(fd, 0, 3) == 0 and c.g.fstat(fd)[1]["size"] == 5
    assert c.g.fd_allocate(fd, 10, 10) == 0 and content(c) == b"hello" + bytes(15)
    assert c.g.fd_allocate(fd, 0, SIZE + 1) == E.DQUOT and c.g.fstat(fd)[1]["size"] == 20
    assert c.g.fd_advise(fd, 0, 10, 5) == 0 and c.g.fd_advise(fd, 0, 10, 6) == E.INVAL
    assert c.g.fd_sync(fd) == c.g.fd_datasync(fd) == 0


def test_times(guest: Make) -> None:
    policy = Policy(dirs=[MemoryDir("/mem")], clocks=Clock(realtime=Fixed(1000, 1)))
    c = Calls(guest(policy))
    fd = new(c, data=b"x")
    before = c.g.fstat(fd)[1]
    assert c.g.fd_filestat_set_times(fd, 5, 6, ATIM | MTIM) == 0
    after = c.g.fstat(fd)[1]
    assert (after["atim"], after["mtim"]) == (5, 6) and after["ctim"] > before["ctim"] >= 1000
    assert c.set_times("f", flags=ATIM_NOW) == "OK" and c.g.fstat(fd)[1]["mtim"] == 6
    assert c.g.fstat(fd)[1]["atim"] > 1000
    assert c.set_times("f", flags=MTIM_NOW) == "OK" and c.g.fstat(fd)[1]["mtim"] > after["ctim"]
    assert c.set_times(".", flags=MTIM) == "OK" and c.g.stat(".")[1]["mtim"] == 1
    assert c.g.write(fd, b"y")[0] == 0 and c.g.fstat(fd)[1]["mtim"] > 1000


def test_a_file_without_a_name_lives_on(c: Calls) -> None:
    fd = new(c, data=b"hello")
    other = c.open("f")
    assert c.unlink("f") == "OK" and c.kind("f") == "NOENT"
    assert c.g.fstat(fd)[1]["nlink"] == 0
    assert c.g.write(fd, b"!")[0] == 0 and c.g.read(other) == (0, b"hello!")
    again = new(c, data=b"another")
    assert c.g.fstat(again)[1]["ino"] != c.g.fstat(fd)[1]["ino"]
    assert c.g.fd_close(fd) == c.g.fd_close(other) == 0 and content(c) == b"another"


def test_available_to_poll(c: Calls) -> None:
    fd = new(c, data=b"hello")
    assert seek(c, fd, 2) == 0
    sub = (7).to_bytes(8, "little") + b"\1" + bytes(7) + fd.to_bytes(4, "little") + bytes(28)
    c.g.put(0x1000, sub)
    assert c.g.poll_oneoff(0x1000, 0x2000, 1, 0x3000) == 0
    assert c.g.unpack("QHBxxxxxQ", 0x2000) == (7, 0, 1, 3)


def test_direction(c: Calls) -> None:
    from tests.support import rights

    new(c, data=b"hello")
    iovs = c.g.iovs(0x1F000, (0x10000, 4))
    reader = c.open("f", rights=ALL_RIGHTS & ~rights("fd_write", "fd_allocate"))
    assert c.g.fd_write(reader, *iovs, 0x1F010) == E.NOTCAPABLE
    assert c.g.fd_filestat_set_size(reader, 0) == E.INVAL  # as ftruncate of what is open for reading
    writer = c.open("f", rights=rights("fd_write"))
    assert c.g.fd_read(writer, *iovs, 0x1F010) == E.NOTCAPABLE
    assert content(c) == b"hello"


def test_memory_of_the_host_comes_back(c: Calls, fake: _core.FakeOs) -> None:
    """What the account gets back, the host gets back; and an allocation that fails changes nothing."""
    fd = new(c)
    for _ in range(3):
        assert c.g.fd_filestat_set_size(fd, SIZE) == 0
        assert c.g.fd_filestat_set_size(fd, 1) == 0
    fake.inject("resize", 1, 1, err=E.NOMEM)
    assert c.g.fd_filestat_set_size(fd, SIZE) == E.NOSPC and c.g.fstat(fd)[1]["size"] == 1
    fake.inject("resize", 1, 1, err=E.NOMEM)
    assert c.g.write(fd, b"x" * 1000)[0] == E.NOSPC
    fake.clear()
    assert c.g.fd_filestat_set_size(fd, SIZE) == 0
    assert c.g.fd_filestat_set_size(fd, 0) == 0 and c.g.write(fd, b"x")[0] == 0


def test_defaults_and_limits(guest: Make) -> None:
    c = Calls(guest(Policy(dirs=[MemoryDir("/a"), MemoryDir("/b", max_file_size=100)])))
    fd = new(c)
    assert (
        c.g.fd_filestat_set_size(fd, 1 << 20) == 0 and c.g.fd_filestat_set_size(fd, (1 << 20) + 1) == E.DQUOT
    )
    fd = new(c, dir=4)
    assert c.g.fd_filestat_set_size(fd, 101) == E.FBIG and c.g.write(fd, b"x" * 200) == (0, 100)
    assert c.g.write(fd, b"x")[0] == E.FBIG
    c = Calls(guest(Policy(dirs=[MemoryDir("/a")], limits=Limits(disk_bytes=10, inodes=2))))
    fd = new(c, data=b"0123456789")
    assert c.g.write(fd, b"x")[0] == E.DQUOT
    assert c.mkdir("d") == "OK" and c.mkdir("d2") == "DQUOT"


# ---- mounted files ----


@pytest.fixture
def mounted(guest: Make, tmp_path: Path) -> Calls:
    (tmp_path / "read").write_text("read")
    (tmp_path / "both").write_text("both")
    files = [
        File(tmp_path / "read", "/etc/read", read_only=True),
        File(tmp_path / "both", "/etc/both", read_only=False),
        File("/dev/null", "/dev/null", read_only=False, device=True),
    ]
    return Calls(guest(Policy(files=files)))


def test_mounted_files(mounted: Calls, tmp_path: Path) -> None:
    c = mounted
    assert sorted(c.list(3)) == [".", "..", "both", "read"] and sorted(c.list(4)) == [".", "..", "null"]
    host = os.stat(tmp_path / "both")
    assert c.g.stat("both")[1]["ino"] == host.st_ino and c.g.stat("both")[1]["size"] == 4
    fd = c.open("both", rights=ALL_RIGHTS, oflags=TRUNC | CREAT)
    assert c.g.write(fd, b"new text") == (0, 8) and (tmp_path / "both").read_text() == "new text"
    fd = c.open("both", rights=ALL_RIGHTS, fdflags=APPEND)
    assert c.g.write(fd, b"!")[0] == 0 and (tmp_path / "both").read_text() == "new text!"
    assert c.errno_of_open("read", rights=ALL_RIGHTS) == "ROFS"
    assert c.errno_of_open("read", oflags=TRUNC) == "ROFS" and content(c, "read") == b"read"
    assert c.errno_of_open("read/") == "NOTDIR" and c.errno_of_open("read", oflags=2) == "NOTDIR"
    assert c.errno_of_open("../etc/read") == "PERM"
    for path in ("both", "read"):
        gone = {c.unlink(path), c.rename(path, "x"), c.rename("read", path), c.link(path, "x"), c.rmdir(path)}
        assert gone <= {"PERM", "ROFS", "NOTCAPABLE", "NOTDIR"}
    # not even a new name fits: the directory holds what was granted
    assert {c.errno_of_open("x", oflags=CREAT), c.mkdir("x"), c.symlink("read", "x")} <= {
        "DQUOT",
        "OK",
        "ROFS",
        "NOTCAPABLE",
    }


def test_times_of_mounted_files(mounted: Calls, tmp_path: Path) -> None:
    assert mounted.set_times("both") in ("OK", "NOTCAPABLE", "ROFS")
    before = os.stat(tmp_path / "read").st_mtime_ns
    assert mounted.set_times("read") in ("ROFS", "NOTCAPABLE")
    assert os.stat(tmp_path / "read").st_mtime_ns == before


def test_mounted_devices(mounted: Calls) -> None:
    fd = mounted.open("null", dir=4, rights=ALL_RIGHTS)
    assert mounted.g.write(fd, b"swallowed") == (0, 9) and mounted.g.read(fd) == (0, b"")
    assert mounted.g.fd_fdstat_get(fd, 0x100) == 0 and mounted.g.unpack("B", 0x100) == 2


def test_what_cannot_be_mounted(guest: Make, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for host, device in (
        (tmp_path, False),
        (tmp_path / "fifo", True),
        ("/dev/null", False),
        (tmp_path / "no", False),
    ):
        with pytest.raises(PolicyError, match="cannot be granted"):
            guest(Policy(files=[File(host, "/etc/x", device=device)]))


def test_names_of_mounted_files() -> None:
    """Straight to the core: names that no policy lets through."""
    sys = _core.Sys({})
    home = sys.preopen_memory(b"/m", 0, 0, 0)
    host = os.fsencode(__file__)
    sys.mount_file(home, b"ok", host, True, False)
    for name in (b"", b".", b"..", b"a/b", b"a\0b", b"ok", b"n" * 256):
        with pytest.raises(_core.CoreError) as error:
            sys.mount_file(home, name, host, True, False)
        assert error.value.code in (E.INVAL, E.EXIST, E.NAMETOOLONG)
    for dir_fd in (0, 60, 2**32 - 1):
        with pytest.raises(_core.CoreError):
            sys.mount_file(dir_fd, b"x", host, True, False)


def test_every_allocation_may_fail(fake: _core.FakeOs, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    for nth in range(1, 40):
        fake.clear()
        fake.inject("alloc", nth, 1, err=E.NOMEM)
        try:
            sys = _core.Sys({}, os=fake)
            home = sys.preopen_memory(b"/m", 0, 0, 0)
            sys.mount_file(home, b"x", os.fsencode(tmp_path / "f"), True, False)
        except (MemoryError, _core.CoreError):
            continue
        assert fake.count("alloc") < nth
        return
    raise AssertionError("the loop has no end")

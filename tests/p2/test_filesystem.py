"""wasi:filesystem: what a guest finds open, and descriptors of files and directories."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.p2.driver import HEAP
from tests.p2.files import (
    CREATE,
    DATA,
    DATA_SYNC,
    DIRECTORY,
    FILE_SYNC,
    MUTATE,
    READ,
    READ_SYNC,
    RET,
    TRUNCATE,
    WRITE,
    Files,
)
from wasi_native import Dir, File, Limits, MemoryDir, Policy, _core

Make = Callable[..., Files]


def opened(g: Files, dir: int, path: str, flags: int = READ | WRITE, how: int = 0) -> int:
    fd = g.open(dir, path, flags, how)
    assert isinstance(fd, int), (path, fd)
    return fd


def host_fds() -> int:
    return len(os.listdir("/proc/self/fd"))


# ---- get-directories ----


def test_get_directories(g: Files) -> None:
    assert set(g.preopens) == {"/rw", "/ro", "/mem"}
    again = g.directories()
    assert set(again) == set(g.preopens) and not set(again.values()) & set(g.preopens.values())
    assert all(g.same(again[name], g.preopens[name]) for name in again)
    g.drop(g.preopens["/rw"])  # takes nothing away from another
    assert g.type(again["/rw"]) == "directory"
    assert "/rw" in g.directories()


def test_get_directories_of_a_guest_with_none(engine2: str) -> None:
    with Files(Policy(), engine=engine2) as g:
        assert g.preopens == {}
        assert g.unpack("II", RET)[1] == 0


def test_get_directories_is_one_realloc_and_one_for_each_name(g: Files) -> None:
    before = g.instance.call("reallocs")
    g("wasi:filesystem/preopens#get-directories", RET)
    assert g.instance.call("reallocs") - before == 1 + 3


# ---- streams ----


def test_read_via_stream(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt", READ)
    one, two = g.read_via_stream(fd), g.read_via_stream(fd, 3)
    assert isinstance(one, int) and isinstance(two, int)
    assert g.stream_read(one, 2) == b"he" and g.stream_read(two, 10) == b"lo"
    assert g.stream_read(one, 2) == b"ll"  # each has a place of its own
    assert g.stream_read(two, 10) == "closed"
    g.drop(fd)  # the stream lives on
    assert g.stream_read(one, 10) == b"o" and g.stream_read(one, 1) == "closed"
    for stream in (one, two):
        g.drop_stream(stream, "input")


def test_read_via_stream_errors(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt", WRITE)
    assert g.read_via_stream(fd) == "bad-descriptor"
    assert g.read_via_stream(home) == "is-directory"
    assert g.read_via_stream(opened(g, home, "f.txt", READ), 2**63) == "invalid"
    past = g.read_via_stream(opened(g, home, "f.txt", READ), 2**62)
    assert isinstance(past, int) and g.stream_read(past, 1) == "closed"


def test_write_via_stream(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt")
    one, two = g.write_via_stream(fd, 1), g.write_via_stream(fd, 8)
    assert isinstance(one, int) and isinstance(two, int)
    assert g.stream_write(one, b"E") is None and g.stream_write(two, b"XY") is None
    assert g.stream_write(one, b"LL") is None
    assert g.read(fd, 100) == (b"hELLo\0\0\0XY", True)
    g.drop_stream(one)
    g.drop_stream(two)


def test_write_via_stream_errors(g: Files, home: int, ro: int) -> None:
    assert g.write_via_stream(opened(g, home, "f.txt", READ)) == "bad-descriptor"
    assert g.write_via_stream(opened(g, ro, "r.txt", READ)) == "bad-descriptor"
    assert g.write_via_stream(home) == "is-directory"
    assert g.write_via_stream(opened(g, home, "f.txt"), 2**63) == "invalid"


def test_append_via_stream(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt")
    one, two = g.append_via_stream(fd), g.append_via_stream(fd)
    assert isinstance(one, int) and isinstance(two, int)
    assert g.stream_write(one, b"1") is None and g.stream_write(two, b"2") is None
    assert g.write(fd, b"H") == 1  # the descriptor itself writes where it says
    assert g.set_size(fd, 6) is None
    assert g.stream_write(one, b"3") is None
    assert g.read(fd, 100) == (b"Hello13", True)
    g.drop(fd)
    assert g.stream_write(two, b"4") is None


def test_append_via_stream_is_not_undone_by_the_host(g: Files, world: Path) -> None:
    stream = g.append_via_stream(opened(g, g.preopens["/rw"], "f.txt", WRITE))
    assert isinstance(stream, int)
    with (world / "rw/f.txt").open("ab") as file:
        file.write(b" host")
    assert g.stream_write(stream, b" guest") is None
    assert (world / "rw/f.txt").read_bytes() == b"hello host guest"


def test_append_via_stream_errors(g: Files, home: int, ro: int) -> None:
    assert g.append_via_stream(opened(g, home, "f.txt", READ)) == "bad-descriptor"
    assert g.append_via_stream(opened(g, ro, "r.txt", READ)) == "bad-descriptor"
    assert g.append_via_stream(home) == "is-directory"


def test_append_via_stream_what_the_kernel_refuses(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, g.preopens["/rw"], "f.txt")
    before = host_fds()
    kernel.inject("reopen", 1, 1, err=2)
    assert g.append_via_stream(fd) == "access" and host_fds() == before
    assert isinstance(g.append_via_stream(fd), int)


def test_streams_keep_to_the_quota(make: Make, world: Path) -> None:
    g = make(dirs=[Dir(world / "rw", "/rw", quota=10)])
    fd = opened(g, g.preopens["/rw"], "f.txt")
    for stream in (g.write_via_stream(fd, 5), g.append_via_stream(fd)):
        assert isinstance(stream, int)
        assert g.stream_write(stream, b"12345678") in (None, "quota")
        assert g.stream_write(stream, b"12345678") in ("quota", "closed")
        assert os.stat(world / "rw/f.txt").st_size == 15


def test_streams_and_the_limit_of_descriptors(make: Make) -> None:
    g = make(limits=Limits(fds=12))
    fd = opened(g, g.preopens["/rw"], "f.txt")
    before, said = host_fds(), None
    streams = []
    while not isinstance(said := g.read_via_stream(fd), str):
        streams.append(said)
    assert said == "insufficient-memory" and g.append_via_stream(fd) == said
    assert g.open(g.preopens["/rw"], "f.txt") == said and host_fds() == before
    for stream in streams:
        g.drop_stream(stream, "input")
    assert isinstance(g.append_via_stream(fd), int)


# ---- advise, sync, flags, type, size ----


def test_advise(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt", READ)
    assert [g.advise(fd, 0, 100, advice) for advice in range(6)] == [None] * 6
    assert g.advise(fd, 2**63, 1, 0) == g.advise(fd, 1, 2**63 - 1, 0) == "invalid"
    assert g.advise(home, 0, 0, 0) == "bad-descriptor"
    assert "discriminant" in g.traps("types#[method]descriptor.advise", fd, 0, 0, 6, RET)


@pytest.mark.parametrize("data", [False, True], ids=["sync", "sync-data"])
def test_sync(make: Make, data: bool) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    call = "fdatasync" if data else "fsync"
    rw = g.preopens["/rw"]
    written, read = opened(g, rw, "f.txt", WRITE), opened(g, rw, "f.txt", READ)
    kernel.clear()
    assert g.sync(written, data) is None and kernel.count(call) == 1
    assert g.sync(rw, data) is None and kernel.count(call) == 2
    assert g.sync(read, data) is None and g.sync(g.preopens["/ro"], data) is None
    assert kernel.count(call) == 2  # there is nothing of theirs to write
    assert g.sync(opened(g, g.preopens["/mem"], "f.txt"), data) is None
    kernel.inject(call, 1, 1, err=29)
    assert g.sync(written, data) == "io"


def test_get_flags(g: Files, home: int, ro: int) -> None:
    for flags in (0, READ, WRITE, READ | WRITE, WRITE | FILE_SYNC, READ | DATA_SYNC, WRITE | READ_SYNC):
        assert g.flags(opened(g, home, "f.txt", flags)) == flags
    assert g.flags(home) == READ | MUTATE and g.flags(ro) == READ
    assert g.flags(opened(g, home, "d", READ | MUTATE)) == READ | MUTATE
    assert g.flags(opened(g, home, "d", READ)) == READ | MUTATE  # as its directory may, so may it
    assert g.flags(opened(g, ro, "sub", READ)) == READ
    assert g.flags(opened(g, ro, "r.txt", READ)) == READ


def test_get_type(make: Make, world: Path) -> None:
    os.mkfifo(world / "rw/fifo")
    g = make(dirs=[Dir(world / "rw", "/rw")], files=[File("/dev/null", read_only=False, device=True)])
    rw = g.preopens["/rw"]
    assert g.type(rw) == "directory" and g.type(opened(g, rw, "f.txt")) == "regular-file"
    name = next(name for name in g.preopens if name != "/rw")
    assert g.flags(g.preopens[name]) == READ and g.mkdir(g.preopens[name], "x") == "read-only"
    device = opened(g, g.preopens[name], "null")
    assert g.type(device) == "character-device"
    assert g.read(device, 1) == g.write(device, b"x") == "invalid-seek"
    stream = g.write_via_stream(device)
    assert isinstance(stream, int) and g.stream_write(stream, b"swallowed") is None
    stream = g.append_via_stream(device)
    assert isinstance(stream, int) and g.stream_write(stream, b"swallowed") is None
    assert g.open(rw, "fifo") == "not-permitted"
    found = g.stat_at(rw, "fifo")
    assert not isinstance(found, str) and found.type == "fifo"


def test_set_size(g: Files, home: int, ro: int) -> None:
    fd = opened(g, home, "f.txt")
    assert g.set_size(fd, 8) is None and g.read(fd, 100) == (b"hello\0\0\0", True)
    assert g.set_size(fd, 2) is None and g.read(fd, 100) == (b"he", True)
    assert g.set_size(fd, 2**63) == g.set_size(fd, 2**64 - 1) == "invalid"
    assert g.set_size(opened(g, home, "f.txt", READ), 0) == "not-permitted"
    assert g.set_size(opened(g, ro, "r.txt", READ), 0) == "not-permitted"
    assert g.set_size(home, 0) == "is-directory"
    assert g.read(fd, 100) == (b"he", True)


def test_set_size_and_the_quota(make: Make, world: Path) -> None:
    g = make(dirs=[Dir(world / "rw", "/rw", quota=16, max_file_size=15)])
    fd = opened(g, g.preopens["/rw"], "f.txt")
    assert g.set_size(fd, 16) == "file-too-large" and g.set_size(fd, 15) is None
    other = opened(g, g.preopens["/rw"], "new", WRITE, CREATE)
    assert g.set_size(other, 7) == "quota" and g.set_size(other, 6) is None
    assert g.write(other, b"x" * 8, 6) == "quota"


# ---- read and write ----


def test_read(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt", READ)
    assert g.read(fd, 100) == (b"hello", True)
    assert g.read(fd, 2, 1) == (b"el", False)
    assert g.read(fd, 5) in ((b"hello", False), (b"hello", True))
    assert g.read(fd, 1, 5) == (b"", True) and g.read(fd, 10, 2**62) == (b"", True)
    assert g.read(fd, 0) == (b"", False) and g.read(fd, 2**64 - 1, 3) == (b"lo", True)
    assert g.read(fd, 1, 2**63) == g.read(fd, 1, 2**64 - 1) == "invalid"


def test_read_what_cannot_be(g: Files, home: int) -> None:
    assert g.read(opened(g, home, "f.txt", WRITE), 1) == "bad-descriptor"
    assert g.read(opened(g, home, "f.txt", 0), 1) == "bad-descriptor"
    assert g.read(home, 1) == "is-directory"
    assert g.instance.call("reallocs") == len(g.preopens) + 1  # what fails takes no memory


def test_read_writes_the_list_and_nothing_else(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt", READ)
    with g.writes_only((RET, 1), (RET + 4, 9)):
        assert g.read(fd, 3, 1) == (b"ell", False)
    at, length = g.unpack("II", RET + 4)
    assert at >= HEAP and length == 3


def test_read_is_one_realloc_of_the_size_of_the_list(make: Make, world: Path) -> None:
    """And one kernel call, as long as the bytes are known to be there."""
    kernel = _core.FakeOs()
    g = make(kernel, wat={"pages": 40})
    (world / "rw/big").write_bytes(bytes(range(256)) * 4096)
    fd = opened(g, g.preopens["/rw"], "big", READ)
    assert g.read(fd, 4096) == (bytes(range(256)) * 16, False)
    calls = g.instance.call("reallocs")
    kernel.clear()
    for offset in range(4096, 20 * 4096, 4096):
        assert g.read(fd, 4096, offset) == (bytes(range(256)) * 16, False)
    assert g.instance.call("reallocs") - calls == 19
    assert (kernel.count("preadv"), kernel.count("fstat")) == (19, 0)
    first, _ = g.unpack("II", RET + 4)
    assert g.read(fd, 100) == (bytes(range(100)), False)
    assert g.read(fd, 4096, (1 << 20) - 10) == (bytes(range(246, 256)), True)
    assert g.read(fd, 7) == (bytes(range(7)), False)
    last, _ = g.unpack("II", RET + 4)
    assert last - first == 4096 + 100 + 10  # no list has room behind it


def test_read_takes_a_mebibyte_at_most(make: Make, world: Path) -> None:
    g = make(wat={"pages": 40})
    (world / "rw/big").write_bytes(b"x" * (1 << 20) + b"end")
    fd = opened(g, g.preopens["/rw"], "big", READ)
    assert g.read(fd, 2**64 - 1) == (b"x" * (1 << 20), False)
    assert g.read(fd, 2**64 - 1, 1 << 20) == (b"end", True)


def test_read_files_that_the_kernel_makes_up(make: Make) -> None:
    """Their size is 0, or a page, whatever they hold."""
    g = make(
        dirs=[Dir("/proc/sys/kernel", "/proc", read_only=True), Dir("/sys/kernel", "/sys", read_only=True)]
    )
    for dir, name in (("/proc", "ostype"), ("/sys", "fscaps")):
        text = Path({"/proc": "/proc/sys/kernel"}.get(dir, "/sys/kernel"), name).read_bytes()
        fd = opened(g, g.preopens[dir], name, READ)
        assert g.read(fd, 4096) == (text, False)
        assert g.read(fd, 4096, len(text)) == (b"", True)


def test_read_sees_what_the_host_writes(g: Files, world: Path) -> None:
    fd = opened(g, g.preopens["/rw"], "f.txt", READ)
    assert g.read(fd, 100) == (b"hello", True)
    (world / "rw/f.txt").write_bytes(b"hello world")
    assert g.read(fd, 100) == (b"hello world", True)
    os.truncate(world / "rw/f.txt", 3)
    assert g.read(fd, 11) == (b"hel", False)  # cut since the last look: shorter than was asked for
    assert g.read(fd, 11, 3) == (b"", True)


def test_read_errors_of_the_kernel(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, g.preopens["/rw"], "f.txt", READ)
    for errno, code in ((29, "io"), (8, "bad-descriptor"), (73, "io")):
        kernel.inject("preadv", 1, 1, err=errno)
        assert g.read(fd, 5) == code
    kernel.inject("fstat", 1, 1, err=29)
    assert g.read(fd, 6) == "io" and g.read(fd, 6) == (b"hello", True)


def test_read_and_the_guests_realloc(make: Make) -> None:
    """What it answers is looked at before a byte is written."""
    for mode, said in enumerate(("", "", "realloc", "realloc", "unreachable"), 1):
        g = make(wat={"realloc": "switch"})
        fd = opened(g, g.preopens["/rw"], "f.txt", READ)
        g.instance.call("realloc_mode", mode)
        if not said:  # 1 moves the memory, 2 is odd: bytes have no alignment
            assert g.read(fd, 5)[0] == b"hello"
            continue
        with g.writes_only():
            assert said in g.traps("types#[method]descriptor.read", fd, 5, 0, RET)


def test_write(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt")
    assert g.write(fd, b"J") == 1 and g.write(fd, b"!", 7) == 1 and g.write(fd, b"") == 0
    assert g.read(fd, 100) == (b"Jello\0\0!", True)
    assert g.write(fd, b"x", 2**63) == "invalid" and g.write(fd, b"xy", 2**63 - 2) == "file-too-large"
    assert g.write(opened(g, home, "f.txt", READ), b"x") == "bad-descriptor"
    assert g.write(home, b"x") == "is-directory"
    with g.writes_only((RET, 1), (RET + 8, 8), (DATA, 2)):
        assert g.write(fd, b"ab", 1) == 2


def test_write_is_one_kernel_call(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, g.preopens["/rw"], "f.txt", WRITE)
    g.put(DATA, b"y" * 4096)
    kernel.clear()
    assert g.result("write", fd, DATA, 4096, 0, code=8) is None
    assert (kernel.count("pwritev"), kernel.count("fstat"), kernel.count("alloc")) == (1, 0, 0) and g.unpack(
        "Q", RET + 8
    ) == 4096


def test_write_within_the_quota(make: Make, world: Path) -> None:
    g = make(dirs=[Dir(world / "rw", "/rw", quota=4)])
    fd = opened(g, g.preopens["/rw"], "f.txt", WRITE)
    assert g.write(fd, b"0123456789", 3) == 6  # cut, as on a full disk
    assert g.write(fd, b"x", 9) == "quota" and os.stat(world / "rw/f.txt").st_size == 9


def test_write_to_memory_within_its_quota(make: Make) -> None:
    g = make(dirs=[MemoryDir("/m", size=4)])
    fd = opened(g, g.preopens["/m"], "f", READ | WRITE, CREATE)
    assert g.write(fd, b"012345") == 4 and g.write(fd, b"x", 4) == "quota"


# ---- directories ----


def test_read_directory(g: Files, home: int) -> None:
    names = {"f.txt": "regular-file", "d": "directory", "l": "symbolic-link"}
    names |= {"l_d": "symbolic-link", "l_gone": "symbolic-link"}
    assert g.entries(home) == names
    assert g.entries(opened(g, home, "d/e", READ)) == {}
    assert g.entries(opened(g, home, "f.txt", READ)) == "not-directory"


def test_directory_streams_do_not_meet(g: Files, home: int) -> None:
    for name in range(300):
        assert g.mkdir(home, f"d/e/{name:03}") is None
    dir = opened(g, home, "d/e", READ)
    one, two = g._handle("read-directory", dir), g._handle("read-directory", dir)
    assert isinstance(one, int) and isinstance(two, int)
    seen: tuple[list[str], list[str]] = ([], [])
    while (entry := g.entry(one)) is not None:
        assert isinstance(entry, tuple)
        seen[0].append(entry[0])
        assert g.rmdir(dir, entry[0]) is None  # what is removed while it is read hides nothing
        if len(seen[1]) < 3:
            other = g.entry(two)
            assert isinstance(other, tuple)
            seen[1].append(other[0])
    assert sorted(seen[0]) == [f"{name:03}" for name in range(300)] and len(set(seen[1])) == 3
    g.drop(dir)
    assert g.entry(one) is None


def test_names_that_are_no_text_are_left_out(g: Files, world: Path) -> None:
    for name in (b"bad\xff", b"\xe2\x98", b"good"):
        Path(os.fsdecode(os.fsencode(world / "rw/d") + b"/" + name)).write_text("x")
    assert g.entries(opened(g, g.preopens["/rw"], "d", READ)) == {"e": "directory", "good": "regular-file"}


def test_read_directory_of_one_that_is_gone(g: Files, home: int) -> None:
    dir = opened(g, home, "d/e", READ)
    stream = g._handle("read-directory", dir)
    assert isinstance(stream, int) and g.rmdir(home, "d/e") is None
    assert g.entry(stream) is None
    assert g.entries(dir) in ("no-entry", {})


def test_is_same_object(g: Files, home: int, ro: int) -> None:
    one, two = opened(g, home, "f.txt"), opened(g, home, "f.txt", READ)
    assert g.same(one, one) and g.same(one, two) and g.same(home, opened(g, home, "d/..", READ))
    assert not g.same(one, home) and not g.same(home, ro)
    assert g.link(home, "f.txt", home, "second") is None
    assert g.same(one, opened(g, home, "second"))
    assert g.unlink(home, "f.txt") is None and not isinstance(g.open(home, "f.txt", WRITE, CREATE), str)
    assert not g.same(one, opened(g, home, "f.txt"))


def test_filesystem_error_code(make: Make) -> None:
    """filesystem-error-code of what streams failed with."""
    kernel = _core.FakeOs()
    g = make(kernel)
    fd = opened(g, g.preopens["/rw"], "f.txt")
    for errno, code in ((51, "insufficient-space"), (29, "io"), (19, "quota"), (69, "read-only")):
        stream = g.write_via_stream(fd)
        assert isinstance(stream, int)
        kernel.inject("pwritev", 1, 1, err=errno)
        assert g.stream_write(stream, b"x") == code
        assert g.stream_write(stream, b"x") == "closed"
        stream = g.read_via_stream(fd)
        assert isinstance(stream, int)
        kernel.inject("preadv", 1, 1, err=errno)
        assert g.stream_read(stream, 1) == code


# ---- handles ----


PATH_ARGS, TIMES = (0x1000, 5), (0, 0, 0, 0, 0, 0)
METHODS: dict[str, tuple[int, ...]] = {
    "read-via-stream": (0, RET),
    "write-via-stream": (0, RET),
    "append-via-stream": (RET,),
    "advise": (0, 0, 0, RET),
    "sync-data": (RET,),
    "get-flags": (RET,),
    "get-type": (RET,),
    "set-size": (0, RET),
    "set-times": (*TIMES, RET),
    "read": (1, 0, RET),
    "write": (DATA, 1, 0, RET),
    "read-directory": (RET,),
    "sync": (RET,),
    "create-directory-at": (*PATH_ARGS, RET),
    "stat": (RET,),
    "stat-at": (0, *PATH_ARGS, RET),
    "set-times-at": (0, *PATH_ARGS, *TIMES, RET),
    "link-at": (0, *PATH_ARGS, 1, *PATH_ARGS, RET),
    "open-at": (0, *PATH_ARGS, CREATE, READ, RET),
    "readlink-at": (*PATH_ARGS, RET),
    "remove-directory-at": (*PATH_ARGS, RET),
    "rename-at": (*PATH_ARGS, 1, *PATH_ARGS, RET),
    "symlink-at": (*PATH_ARGS, *PATH_ARGS, RET),
    "unlink-file-at": (*PATH_ARGS, RET),
    "is-same-object": (1,),
    "metadata-hash": (RET,),
    "metadata-hash-at": (0, *PATH_ARGS, RET),
}


@pytest.mark.parametrize(
    "name", [*METHODS, "[resource-drop]descriptor", "[resource-drop]directory-entry-stream"]
)
def test_handles_are_not_to_be_forged(engine2: str, world: Path, name: str) -> None:
    """Numbers that are no handle, one that was dropped and one of another type; nothing is done."""
    policy = Policy(dirs=[Dir(world / "rw", "/rw")])
    for bad in ("none", "dropped", "high", "a stream"):
        with Files(policy, engine=engine2) as g:
            root = g.preopens["/rw"]
            fd = opened(g, root, "f.txt")
            stream, gone = g.read_via_stream(fd), opened(g, root, "d", READ)
            g.drop(gone)
            number = {"none": 0, "dropped": gone, "high": 2**32 - 1, "a stream": stream}[bad]
            assert isinstance(number, int) and root == 1
            call = name if name in METHODS else None
            full = f"types#[method]descriptor.{call}" if call else f"types#{name}"
            g.put(PATH_ARGS[0], b"new-1")
            with g.writes_only():
                said = g.traps(full, number, *METHODS.get(name, ()))
            assert ("wrong type" if bad == "a stream" else "unknown handle") in said
    assert sorted(os.listdir(world / "rw")) == ["d", "f.txt", "l", "l_d", "l_gone"]


@pytest.mark.parametrize("name", ["link-at", "rename-at", "is-same-object"])
def test_the_other_handle_is_not_to_be_forged(world: Path, engine2: str, name: str) -> None:
    with Files(Policy(dirs=[Dir(world / "rw", "/rw")]), engine=engine2) as g:
        args = [7 if value == 1 else value for value in METHODS[name]]
        assert "unknown handle" in g.traps(f"types#[method]descriptor.{name}", 1, *args)


def test_a_directory_entry_stream_is_a_type_of_its_own(g: Files, home: int) -> None:
    stream = g._handle("read-directory", home)
    assert isinstance(stream, int)
    assert "wrong type" in g.traps("types#[method]descriptor.stat", stream, RET)


def test_read_directory_entry_of_what_is_none(g: Files, home: int) -> None:
    said = g.traps("types#[method]directory-entry-stream.read-directory-entry", home, RET)
    assert "wrong type" in said


def test_no_number_of_the_host_is_told(g: Files, world: Path) -> None:
    st = os.stat(world / "rw/f.txt")
    fd = opened(g, g.preopens["/rw"], "f.txt", READ)
    g.stat(fd)
    g.hash(fd)
    g.stat_at(g.preopens["/rw"], "f.txt")
    g.entries(g.preopens["/rw"])
    seen = bytes(g.memory.read(0, len(g.memory)))
    assert st.st_ino.to_bytes(8, "little") not in seen
    assert os.fsencode(world) not in seen
    assert stat.S_ISREG(st.st_mode)


def test_truncate_and_directory_flags(g: Files, home: int) -> None:
    assert g.open(home, "f.txt", READ, DIRECTORY) == "not-directory"
    fd = opened(g, home, "f.txt", WRITE, TRUNCATE)
    assert g.type(fd) == "regular-file" and g.read(opened(g, home, "f.txt", READ), 9) == (b"", True)

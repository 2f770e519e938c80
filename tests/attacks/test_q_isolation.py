"""Attacks of group Q: what one guest can use up, and what it can see of others."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.guests import build
from tests.support import E, Guest, on_clock, rss
from wasi_native import (
    Cancelled,
    Capture,
    Dir,
    Exit,
    Host,
    LimitExceeded,
    Limits,
    MemoryDir,
    ModuleError,
    Policy,
    TempDir,
    Trap,
    WasiError,
)

MIB = 1 << 20


# ---- 114 ----


class Slow(io.RawIOBase):
    def __init__(self) -> None:
        self.total = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.total += 1
        return 1  # one byte at a time


@pytest.mark.parametrize("sink", ["capture", "null", "callback", "slow", "fd"])
def test_q114_endless_output_without_a_newline(guest: Any, tmp_path: Path, sink: str) -> None:
    limit = MIB if sink != "slow" else 3000
    got: list[int] = []
    slow = Slow()
    outputs: dict[str, Any] = {
        "capture": Capture(4 * MIB),
        "null": None,
        "callback": lambda data: got.append(len(data)),
        "slow": slow,
        "fd": None,
    }
    g = guest(Policy(stdout=outputs[sink], stderr=outputs[sink], limits=Limits(output_bytes=limit)), pages=4)
    if sink == "fd":
        with open(tmp_path / "out", "wb") as file:
            g.instance._sys.stdio_fd(1, file.fileno())
            g.instance._sys.stdio_fd(2, file.fileno())
    at, total, calls = g.iovs(0, (0x10000, 0x30000)), 0, 0
    before = rss()
    while (err := g.fd_write(1 + calls % 2, *at, 0x8000)) == 0:
        total += g.memory.u32(0x8000)
        calls += 1
        assert calls < 10_000
    assert (err, total) == (E.NOSPC, limit)
    assert g.fd_write(1, *at, 0x8000) == g.fd_write(2, *at, 0x8000) == E.NOSPC
    assert g.instance.usage.output_bytes == limit
    if sink == "capture":
        assert len(g.instance.stdout) + len(g.instance.stderr) == limit
    elif sink == "callback":
        assert sum(got) == limit
    elif sink == "slow":
        assert slow.total == limit
    elif sink == "fd":
        assert (tmp_path / "out").stat().st_size == limit
    assert rss() - before < 3 * MIB


def test_q114_a_capture_has_a_cap_of_its_own(guest: Any) -> None:
    g = guest(Policy(stdout=Capture(10), limits=Limits(output_bytes=100)))
    assert g.write(1, b"123456789") == (0, 9)
    assert g.write(1, b"abc") == (0, 1)
    assert g.write(1, b"d") == (E.NOSPC, 0)
    assert g.instance.stdout == b"123456789a"


def test_q114_closed_streams(guest: Any) -> None:
    g = guest(Policy(stdin="closed", stdout="closed", stderr="closed"))
    for fd in range(3):
        assert g.write(fd, b"x")[0] == g.read(fd)[0] == g.fd_close(fd) == E.BADF


def test_q114_the_host_process_without_streams(guest: Any, tmp_path: Path) -> None:
    """Inherited streams that the host does not have are null devices, not whatever has their number by chance."""
    code = """
import os, sys
os.closerange(0, 3)
sys.stdin = sys.stdout = sys.stderr = None
from wasi_native import Host, Policy
from tests.support import Guest
g = Guest(Policy(stdin="inherit", stdout="inherit", stderr="inherit"))
ok = g.write(1, b"x") == (0, 1) and g.write(2, b"x") == (0, 1) and g.read(0) == (0, b"")
g.close()
os._exit(0 if ok else 1)
"""
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], cwd=os.getcwd(), timeout=60, check=False)
    assert done.returncode == 0


# ---- 115 ----


def test_q115_memory_grow_past_the_limit() -> None:
    limit = 16 * 65536
    with (
        Host(Policy(limits=Limits(memory=limit)), board="generic-x86_64") as host,
        host.load(build.wat("memory")).instantiate() as instance,
    ):
        before = rss()
        for pages in (2**32 - 1, 2**31, 65536, 65535, 16):
            assert instance.call("grow", pages) == -1
        assert instance.call("grow", 15) == 1 and len(instance.memory) == limit
        assert [instance.call("grow", n) for n in (1, 0)] == [-1, 16]
        assert rss() - before < 4 * MIB


def test_q115_what_grows_counts_as_used_only_when_touched() -> None:
    with (
        Host(Policy(args=("4096",), limits=Limits(memory=8 * MIB))) as host,
        host.load(build.guest("hog")).instantiate() as instance,
    ):
        before = rss()
        assert instance.run() == 1  # it got fewer blocks than it asked for
        assert rss() - before < 16 * MIB


def test_q115_table_grow_past_the_limit() -> None:
    with (
        Host(Policy(limits=Limits(table_elements=1000))) as host,
        host.load(build.wat("table")).instantiate() as instance,
    ):
        for count in (2**32 - 1, 2**31, 10_000_000, 1000):
            assert instance.call("grow", count) == -1
        assert instance.call("grow", 999) == 1
        assert (instance.call("grow", 1), instance.call("size")) == (-1, 1000)


@pytest.mark.parametrize("wat", ["(module (memory 17))", "(module (table 2000 funcref))"])
def test_q115_a_module_that_starts_above_the_limit(wat: str) -> None:
    policy = Policy(limits=Limits(memory=16 * 65536, table_elements=1000))
    with Host(policy, cache=False) as host, host.load(wat) as module:
        with pytest.raises(WasiError):
            module.instantiate()
        assert host.instances == 0


def test_q115_data_outside_of_memory() -> None:
    with Host(Policy()) as host, host.load(build.wat("data_outside")) as module:
        with pytest.raises(Trap):
            module.instantiate()
        assert host.instances == 0


# ---- 116 ----


def test_q116_nothing_granted(
    guest: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: str
) -> None:
    monkeypatch.setenv("Q116", "of the host")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").write_bytes(b"x")
    g = guest(engine=engine)
    assert g.args_sizes_get(0, 4) == 0 and g.unpack("II", 0)[0] == 1  # argv[0] alone
    assert g.environ_sizes_get(0, 4) == 0 and g.unpack("II", 0) == (0, 0)
    for fd in (*range(3, 70), 127, 2**31 - 1, 2**31, 2**32 - 1):
        assert g.fd_prestat_get(fd, 0) == E.BADF
        for name in ("path_create_directory", "path_remove_directory", "path_unlink_file"):
            assert g.on_path(name, "here", dir=fd) == E.BADF
        assert g.open("here", dir=fd)[0] == g.stat("here", dir=fd)[0] == E.BADF
        at = g.put(0, "here")
        assert g.path_rename(fd, *at, fd, *at) == g.path_link(fd, 0, *at, fd, *at) == E.BADF
        assert g.path_symlink(*at, fd, *at) == g.path_readlink(fd, *at, 64, 9, 128) == E.BADF
        assert g.path_filestat_set_times(fd, 0, *at, 0, 0, 2) == E.BADF
        assert g.sock_accept(fd, 0, 0) == g.sock_shutdown(fd, 3) == E.BADF
    for fd in range(3):  # streams are no directories
        assert g.open("here", dir=fd)[0] in {E.NOTDIR, E.NOTCAPABLE}
        assert g.sock_accept(fd, 0, 0) == E.NOTSOCK
    assert g.read(0) == (0, b"") and g.write(1, b"gone") == (0, 4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here"]


# ---- 117 ----


def test_q117_two_instances_share_nothing(engine: str, guest: Any, tmp_path: Path) -> None:
    host_guest: Guest = guest(Policy(dirs=[Dir(tmp_path, "/d"), MemoryDir("/m")]), engine=engine)
    module = host_guest.module
    b = module.instantiate(Policy(dirs=[MemoryDir("/m")]))
    try:
        assert not any(b.memory.read(0, len(b.memory)))  # zeroed, where the other one is 0xA5 all over
        err, fd = host_guest.open("f", oflags=1)
        assert (err, fd) == (0, 5)
        assert b.call("fd_close", 5) == b.call("fd_close", 4) == E.BADF
        assert b.call("fd_prestat_get", 3, 0) == 0
        for at in (0, 64):
            assert host_guest.random_get(at, 64) == 0 and b.call("random_get", at, 64) == 0
        seen = {bytes(m.read(at, 64)) for m in (host_guest.memory, b.memory) for at in (0, 64)}
        assert len(seen) == 4
        assert host_guest.on_path("path_create_directory", "x", dir=4) == 0
        b.memory.write(0, b"x")
        assert b.call("path_remove_directory", 3, 0, 1) == E.NOENT  # a memory of its own
    finally:
        b.close()


def test_q117_the_end_of_one_is_not_the_end_of_the_other(engine: str, guest: Any) -> None:
    first: Guest = guest(engine=engine)
    others = [first.module.instantiate(Policy(limits=Limits(fds=4, output_bytes=1))) for _ in range(4)]
    try:
        exit_, trap, cancel, quota = others
        with pytest.raises(Exit) as caught:
            exit_.call("proc_exit", 3)
        assert caught.value.code == 3
        with pytest.raises(Trap):
            trap.call("clock_time_get", 0, 0, 2**32 - 8)
        cancel.cancel()
        with pytest.raises(Cancelled):
            cancel.call("sched_yield")
        quota.memory.write(0, b"\x10\0\0\0\2\0\0\0")
        assert quota.call("fd_write", 1, 0, 1, 8) == 0 and quota.memory.u32(8) == 1
        assert quota.call("fd_write", 1, 0, 1, 8) == E.NOSPC
        assert [one.end for one in others] == ["exit", "trap", "cancelled", None]
        assert first.instance.end is None
        assert first.write(1, b"12") == (0, 2) and first.sched_yield() == 0
        assert first.instance.usage.output_bytes == 2
    finally:
        for one in others:
            one.close()


def test_q117_a_busy_guest_leaves_room_for_python_and_others(guest: Any) -> None:
    """O4: a ticker thread keeps its ticks while a guest computes, since the GIL is not held."""
    g, other = guest(), guest()
    ticks, stop = [0], threading.Event()

    def tick() -> None:
        while not stop.wait(0.002):
            ticks[0] += 1

    threads = [threading.Thread(target=tick), threading.Thread(target=lambda: _spin(g))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    calls = 0
    while (ticks[0] <= 30 or calls <= 30) and time.monotonic() < end:
        assert other.sched_yield() == 0
        calls += 1
        time.sleep(0.002)
    g.instance.cancel()
    stop.set()
    for thread in threads:
        thread.join()
    assert ticks[0] > 30 and calls > 30


def _spin(g: Guest) -> None:
    with pytest.raises(Cancelled):
        g.call("spin")


# ---- 118 ----


def disks(tmp_path: Path) -> dict[str, Any]:
    return {
        "host": Dir(tmp_path, "/d", quota=MIB, inodes=50),
        "memory": MemoryDir("/d", size=MIB, inodes=50),
        "temp": TempDir("/d", quota=MIB, inodes=50),
    }


@pytest.fixture(params=["host", "memory", "temp"])
def disk(request: pytest.FixtureRequest, guest: Any, resolver: str, tmp_path: Path) -> Guest:
    """A guest with 1 MiB and 50 inodes at descriptor 3."""
    made: Guest = guest(Policy(dirs=[disks(tmp_path)[request.param]]), resolver=resolver, pages=40)
    return made


def new(g: Guest, name: str, fdflags: int = 0) -> int:
    err, fd = g.open(name, oflags=1, fdflags=fdflags)
    assert err == 0, name
    return fd


BLOCK = 65536


def fill(g: Guest, fd: int, call: str = "fd_write") -> int:
    """Bytes that went into ``fd`` until it said that there is no more room."""
    total, at = 0, g.iovs(0, (0x20000, BLOCK))
    for _ in range(200):
        place = (total,) if call == "fd_pwrite" else ()
        err = g.call(call, fd, *at, *place, 0x8000)
        if err:
            assert err in {E.DQUOT, E.NOSPC}, err
            return total
        total += g.memory.u32(0x8000)
    raise AssertionError("no end")


@pytest.mark.parametrize("call", ["fd_write", "fd_pwrite"])
def test_q118_writing(disk: Guest, call: str) -> None:
    fd = new(disk, "a")
    assert abs(fill(disk, fd, call) - MIB) <= BLOCK
    assert fill(disk, new(disk, "b")) <= BLOCK
    assert disk.on_path("path_unlink_file", "a") == 0
    assert disk.fd_close(fd) == 0
    assert abs(fill(disk, new(disk, "c")) - MIB) <= BLOCK  # what was removed is free again


def test_q118_past_the_end(disk: Guest) -> None:
    """A hole counts as what it makes the file long."""
    fd, at = new(disk, "a"), disk.iovs(0, (0x20000, 10))
    assert disk.fd_pwrite(fd, *at, 2 * MIB, 0x8000) in {E.DQUOT, E.NOSPC, E.FBIG}
    assert disk.fd_pwrite(fd, *at, 2**62, 0x8000) in {E.DQUOT, E.NOSPC, E.FBIG}
    assert disk.fstat(fd)[1]["size"] == 0
    assert disk.fd_pwrite(fd, *at, MIB - 10, 0x8000) == 0
    assert disk.fd_pwrite(fd, *at, MIB, 0x8000) in {E.DQUOT, E.NOSPC, E.FBIG}


def test_q118_append_by_two_descriptors(disk: Guest) -> None:
    fds = [new(disk, "a", fdflags=1), new(disk, "a", fdflags=1)]
    total, at = 0, disk.iovs(0, (0x20000, BLOCK))
    for i in range(200):
        if disk.fd_write(fds[i % 2], *at, 0x8000):
            break
        total += disk.memory.u32(0x8000)
    assert abs(total - MIB) <= BLOCK and disk.fstat(fds[0])[1]["size"] == total


def test_q118_allocate_and_set_size(disk: Guest) -> None:
    fd, full = new(disk, "a"), {E.DQUOT, E.NOSPC, E.FBIG}
    for size in (MIB + 1, 2**40, 2**62):
        assert disk.fd_allocate(fd, 0, size) in full
        assert disk.fd_filestat_set_size(fd, size) in full
    assert disk.fstat(fd)[1]["size"] == 0
    assert disk.fd_filestat_set_size(fd, MIB) == 0
    assert disk.fd_filestat_set_size(new(disk, "b"), BLOCK + 1) in full
    assert disk.fd_filestat_set_size(fd, 0) == 0
    assert disk.fd_filestat_set_size(fd, MIB // 2) == 0
    assert disk.fd_allocate(fd, 0, MIB // 2) == 0
    assert disk.fd_allocate(fd, MIB // 2, MIB) in full


def test_q118_rename_over_gives_the_room_back(disk: Guest) -> None:
    for round_ in range(4):
        fd = new(disk, "new")
        assert disk.fd_filestat_set_size(fd, MIB // 2) == 0, round_
        assert disk.fd_close(fd) == 0
        disk.put(0, "newold")
        assert disk.path_rename(3, 0, 3, 3, 3, 3) == 0


def test_q118_truncating_open_gives_the_room_back(disk: Guest) -> None:
    for _ in range(4):
        err, fd = disk.open("a", oflags=1 | 8)
        assert err == 0 and disk.fd_filestat_set_size(fd, MIB) == 0
        assert disk.fd_close(fd) == 0


@pytest.mark.parametrize("kind", ["files", "dirs", "symlinks", "links"])
def test_q118_many_names(disk: Guest, kind: str) -> None:
    if kind == "links":
        assert disk.fd_close(new(disk, "target")) == 0
    made = 0
    for i in range(200):
        name = f"n{i}"
        if kind == "files":
            err, fd = disk.open(name, oflags=1)
            if not err:
                disk.write(fd, b"1")
                disk.fd_close(fd)
        elif kind == "dirs":
            err = disk.on_path("path_create_directory", name)
        elif kind == "symlinks":
            disk.put(64, "x")
            err = disk.path_symlink(64, 1, 3, *disk.put(0, name))
        else:
            disk.put(64, "target")
            err = disk.path_link(3, 0, 64, 6, 3, *disk.put(0, name))
        if err:
            assert err in {E.DQUOT, E.NOSPC}
            break
        made += 1
    assert 48 <= made <= 51
    assert disk.on_path("path_remove_directory" if kind == "dirs" else "path_unlink_file", "n0") == 0
    assert disk.on_path("path_create_directory", "again") == 0
    assert disk.on_path("path_create_directory", "more") in {E.DQUOT, E.NOSPC}


# ---- 121 ----


def leb(n: int) -> bytes:
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def section(number: int, body: bytes) -> bytes:
    return bytes([number]) + leb(len(body)) + body


HEAD = b"\0asm\1\0\0\0"


def one_function(code: bytes, count: int = 1) -> bytes:
    """A module of ``count`` functions of the body ``code`` (locals and instructions)."""
    body = leb(len(code)) + code
    return (
        HEAD
        + section(1, b"\1\x60\0\0")
        + section(3, leb(count) + b"\0" * count)
        + section(10, leb(count) + body * count)
    )


def bombs(long: bool = False) -> dict[str, bytes]:
    name = b"\1m\1f\0\0"
    return {
        "locals": one_function(b"\1" + leb(50_000) + b"\x7f\x0b", 10_000 if long else 300),
        "too many locals": one_function(b"\1" + leb(2**32 - 1) + b"\x7f\x0b"),
        "br_table": one_function(b"\0\x02\x40\x41\0\x0e" + leb(1_000_000) + b"\0" * 1_000_001 + b"\x0b\x0b"),
        "nested blocks": one_function(b"\0" + b"\x02\x40" * 100_000 + b"\x0b" * 100_001),
        "imports": HEAD + section(1, b"\1\x60\0\0") + section(2, leb(65_000) + name * 65_000),
        "many imports": HEAD + section(1, b"\1\x60\0\0") + section(2, leb(200_000) + name * 200_000),
        "types": HEAD + section(1, leb(1_000_001) + b"\x60\0\0" * 1_000_001),
        "custom section": HEAD + section(0, b"\1x" + b"\0" * (100 * MIB)),
        "lying length": HEAD + b"\x0a" + leb(2**32 - 1) + b"\0",
    }


@pytest.mark.parametrize(
    "name",
    [
        "locals",
        "too many locals",
        "br_table",
        "nested blocks",
        "imports",
        "many imports",
        "types",
        "lying length",
    ],
)
def test_q121_bombs_for_the_compiler(name: str, long: bool) -> None:
    """Refused or loaded, in seconds and megabytes, never more: what compiles slowly is bounded by module_size."""
    raw = bombs(long)[name]
    start, before = time.monotonic(), rss()
    with Host(Policy(limits=Limits(module_size=4 * MIB)), cache=False) as host:
        try:
            host.load(raw).close()
            what = "loaded"
        except ModuleError as error:
            what = str(error)[:60].replace("\n", " ")
    taken = time.monotonic() - start
    print(f"{name}: {what}, {taken:.2f} s, {(rss() - before) / MIB:.0f} MiB")
    assert taken < 90 and rss() - before < 512 * MIB


def test_q121_truncated_at_every_byte() -> None:
    with Host(Policy(), cache=False) as host:
        raw = host._open().wat(build.wat("callback").read_bytes())
        host.load(raw).close()
        loaded = []
        for length in range(len(raw)):
            try:
                host.load(raw[:length]).close()
                loaded.append(length)
            except ModuleError:
                pass
        # Between two sections a cut cannot be seen: what is left is a module, of fewer sections.
        assert len(loaded) <= 8 and 8 in loaded


def test_q121_a_huge_module_is_refused_before_it_is_compiled(tmp_path: Path) -> None:
    raw = bombs()["custom section"]
    with Host(Policy(limits=Limits(module_size=4 * MIB)), cache=False) as host:
        with pytest.raises(ModuleError, match="module_size"):
            host.load(raw)
        with open(tmp_path / "huge.wasm", "wb") as file:
            file.write(HEAD)
            file.truncate(100 << 30)
        before = rss()
        with pytest.raises(ModuleError, match="module_size"):
            host.load(tmp_path / "huge.wasm")
        assert rss() - before < 16 * MIB
        for endless in ("/dev/zero", "/dev/urandom"):
            with pytest.raises(ModuleError):
                host.load(endless)


# ---- 122 ----

NASTY = b"\x1b[31m\x1b]0;title\x07\r\nFAKE: line\0\xff\xfe\x9b2J\x08\x7f"


def test_q122_what_a_guest_prints_stays_bytes(guest: Any) -> None:
    seen: list[bytes] = []
    g = guest(Policy(stdout=Capture(), stderr=seen.append))
    assert g.write(1, NASTY) == g.write(2, NASTY) == (0, len(NASTY))
    assert g.instance.stdout == NASTY and b"".join(seen) == NASTY


def test_q122_names_in_messages_are_made_plain() -> None:
    imports = r'"wasi_snapshot_preview1" "\1b[31m\0d\0aroot: granted"', r'"a\u{202e}b" "\00"'
    wat = "(module" + "".join(f" (import {name} (func))" for name in imports) + ")"
    with Host(Policy()) as host, host.load(wat) as module:
        with pytest.raises(ModuleError) as caught:
            module.instantiate()
        text = str(caught.value)
        assert len(text.splitlines()) == 3
        assert all(line.isprintable() for line in text.splitlines())


def test_q122_traps_name_functions_plainly() -> None:
    wat = r'(module (func $"bad\1b[2J\0aname" (unreachable)) (func (export "go") (call 0)))'
    with Host(Policy()) as host, host.load(wat).instantiate() as instance:
        with pytest.raises(Trap) as caught:
            instance.call("go")
        assert caught.value.kind == "unreachable"
        lines = [str(caught.value), *caught.value.backtrace]
        assert all(line.isprintable() for line in lines), lines


def test_q122_what_the_engine_says_stays_behind_the_first_line() -> None:
    wat = r'(module (func (export "x\0awasi-native: fine")) (func (export "x\0awasi-native: fine")))'
    with Host(Policy(), cache=False) as host, pytest.raises(ModuleError) as caught:
        host.load(wat)
    lines = str(caught.value).splitlines()
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("wasi") for line in lines[1:])


def test_q122_the_command_line_forges_no_line(tmp_path: Path) -> None:
    import subprocess

    bad = tmp_path / "bad\nwasi-native: all fine.wasm"
    bad.write_bytes(b"\0as")
    done = subprocess.run(
        [sys.executable, "-m", "wasi_native", "run", str(bad)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert not any(line.startswith("wasi-native: all fine") for line in done.stderr.splitlines())


def test_q122_a_limit_ends_a_guest_by_name() -> None:
    with (
        Host(Policy(limits=Limits(fuel=1000))) as host,
        host.load(build.wat("loop")).instantiate() as instance,
    ):
        with pytest.raises(LimitExceeded, match="'fuel'") as caught:
            instance.run()
        assert caught.value.limit == "fuel"
    with Guest(Policy(limits=Limits(wall_time=0.01))) as g, pytest.raises(LimitExceeded) as caught:
        g.poll(on_clock(10**10))
    assert caught.value.limit == "wall_time"

"""Group N: numbers at the ends of their range. None wraps, none reaches the kernel unchecked, none costs the host."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.forms import FORMS, Sibling, every_form, every_home
from tests.attacks.tree import CREAT, Tree
from tests.guests import build
from tests.support import P1, E, Guest
from wasi_native import (
    Cancelled,
    Capture,
    Dir,
    Exit,
    Host,
    HostFunction,
    Instance,
    InstanceDead,
    LimitExceeded,
    Limits,
    MemoryDir,
    Policy,
    Random,
    Timeout,
    Trap,
)
from wasi_native.cli import main

Make = Callable[..., Guest]
LARGEST = 2**63 - 1
REFUSED = {E.INVAL, E.OVERFLOW, E.FBIG}
NO_ROOM = {E.DQUOT, E.NOSPC, E.FBIG}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "T")
    before = made.outside()
    yield made
    assert made.outside() == before


@pytest.fixture
def make(guest: Make, tree: Tree, resolver: str) -> Make:
    """/rw (3), /ro (4), /mem (5) with f.txt."""

    def build_one(form: str, **more: Any) -> Guest:
        fields = {"dirs": [*tree.dirs(), MemoryDir("/mem")], "program": "p", **more}
        g = guest(Policy(**fields), resolver=resolver, **FORMS[form])
        if len(fields["dirs"]) == 3:
            err, fd = g.open("f.txt", dir=5, oflags=CREAT)
            assert (err, g.write(fd, b"hello"), g.fd_close(fd)) == (0, (0, 5), 0)
        g.fill()
        return g

    return build_one


def opened(g: Guest, home: int, **how: Any) -> int:
    err, fd = g.open("f.txt", dir=home, **how)
    assert err == 0
    g.fill()
    return fd


def content(g: Guest, fd: int) -> bytes:
    assert g.fd_pread(fd, *g.iovs(0x100, (0x8000, 64)), 0, 0x200) == 0
    return g.memory.read(0x8000, g.unpack("I", 0x200))


@every_form
@every_home
def test_n79_places_at_the_end_of_the_range(make: Make, form: str, home: int) -> None:
    g = make(form)
    fd = opened(g, home)
    iovs = g.iovs(0x100, (0x8000, 64))
    for offset in (LARGEST, 2**63, 2**64 - 1, LARGEST - 63):
        with g.writes_only():
            assert g.fd_pread(fd, *iovs, offset, 0x200) in REFUSED or offset == LARGEST - 63
            assert g.fd_pwrite(fd, *iovs, offset, 0x200) in REFUSED | NO_ROOM
    with g.writes_only((0x200, 4)):
        assert g.fd_pread(fd, *iovs, LARGEST - 64, 0x200) in (0, *REFUSED)
    assert content(g, fd) == b"hello" and g.fstat(fd)[1]["size"] == 5


@every_form
@every_home
def test_n80_seek(make: Make, form: str, home: int) -> None:
    g = make(form)
    fd = opened(g, home)
    assert g.fd_seek(fd, 2, 0, 0x200) == 0
    g.fill()
    with g.writes_only():
        for whence in (3, 4, 255, 256, 2**31, 2**32 - 1):
            assert g.fd_seek(fd, 0, whence, 0x200) == E.INVAL
            assert g.fd_seek(fd, 1, whence, 0x200) == E.INVAL
        for offset in (-(2**63), -(2**63) + 1, -(2**32), -3):
            for whence in (0, 1):
                assert g.fd_seek(fd, offset, whence, 0x200) in REFUSED
        for offset in (-(2**63), -6):
            assert g.fd_seek(fd, offset, 2, 0x200) in REFUSED
        for offset in (LARGEST, LARGEST - 1):
            assert g.fd_seek(fd, offset, 1, 0x200) in REFUSED
            assert g.fd_seek(fd, offset, 2, 0x200) in REFUSED
    assert g.fd_tell(fd, 0x200) == 0 and g.unpack("Q", 0x200) == 2
    err = g.fd_seek(fd, LARGEST, 0, 0x200)  # where the file system takes it, nothing can be written there
    if err == 0:
        assert g.unpack("Q", 0x200) == LARGEST
        assert g.write(fd, b"xy")[0] in REFUSED | NO_ROOM
        assert g.fd_seek(fd, 1, 1, 0x200) in REFUSED
        assert g.read(fd)[0] in (0, *REFUSED)
    assert content(g, fd) == b"hello"


@every_form
@every_home
def test_n81_size(make: Make, form: str, home: int, tree: Tree) -> None:
    quota = 16 << 20
    dirs = [
        Dir(tree.rw, "/rw", quota=quota),
        Dir(tree.ro, "/ro", read_only=True),
        MemoryDir("/mem", size=quota),
    ]
    g = make(form, dirs=dirs)
    fd = opened(g, home)
    for size in (2**63, 2**63 + 1, 2**64 - 1):
        assert g.fd_filestat_set_size(fd, size) in REFUSED
    for size in (2**40, 2**62, LARGEST, quota + 6):
        assert g.fd_filestat_set_size(fd, size) in NO_ROOM
    assert g.fstat(fd)[1]["size"] == 5 and content(g, fd) == b"hello"
    assert g.fd_filestat_set_size(fd, 1 << 20) == 0 and g.fd_filestat_set_size(fd, 0) == 0


@every_form
@every_home
def test_n82_allocate_and_advise(make: Make, form: str, home: int) -> None:
    g = make(form)
    fd = opened(g, home)
    wrong = ((LARGEST, 1), (1, LARGEST), (2**63, 1), (2**64 - 1, 2**64 - 1), (0, 2**63), (2**63, 2**63))
    for offset, length in wrong:
        assert g.fd_allocate(fd, offset, length) in REFUSED | NO_ROOM
        assert g.fd_advise(fd, offset, length, 0) == E.INVAL
    for offset in (0, 5, 2**40, LARGEST):
        assert g.fd_allocate(fd, offset, 0) == E.INVAL
    for length in (2**62, 2**50):
        assert g.fd_allocate(fd, 0, length) in NO_ROOM | {E.NOTSUP}
    for advice in (6, 7, 255, 256, 2**31, 2**32 - 1):
        assert g.fd_advise(fd, 0, 0, advice) == E.INVAL
    for advice in range(6):
        assert g.fd_advise(fd, LARGEST, 0, advice) == 0
    assert g.fstat(fd)[1]["size"] == 5 and content(g, fd) == b"hello"


@every_form
@every_home
def test_n84_times(make: Make, form: str, home: int) -> None:
    g = make(form)
    fd = opened(g, home)
    path = g.put(0x400, "f.txt")
    calls: list[Callable[..., int]] = [
        lambda *times: int(g.fd_filestat_set_times(fd, *times)),
        lambda *times: int(g.path_filestat_set_times(home, 0, *path, *times)),
    ]
    for call in calls:
        assert call(1000, 2000, 5) == 0
        before = g.fstat(fd)
        for flags in (3, 12, 15, 16, 32, 0x8000, 0x10000, 2**32 - 1):
            assert call(1, 1, flags) == E.INVAL
        for ns in (2**63, 2**64 - 1):
            assert call(ns, 0, 1) == E.INVAL and call(0, ns, 4) == E.INVAL
            assert call(ns, ns, 0) == 0  # not asked for, not looked at
        assert g.fstat(fd) == before
        assert call(0, 0, 5) == 0
        assert (g.fstat(fd)[1]["atim"], g.fstat(fd)[1]["mtim"]) == (0, 0)
        for ns in (1, 10**9 - 1, 2**31 * 10**9 - 1, 2**31 * 10**9, 2**32 * 10**9, LARGEST):
            err = call(ns, ns, 5)
            assert err in (0, E.INVAL, E.OVERFLOW)
            found = g.fstat(fd)[1]
            if err == 0:  # stored, or held to what the file system can
                assert found["mtim"] == ns or (ns > 2**31 * 10**9 and 0 <= found["mtim"] <= ns)
        assert call(7, 7, 10) == 0  # now


@every_form
def test_n85_times_of_the_hosts_files(make: Make, tree: Tree, form: str) -> None:
    file = tree.rw / "f.txt"
    g = make(form)
    fd = opened(g, 3)
    for ns in (-1, -(10**9), -2177452800 * 10**9, 15032385535 * 10**9, LARGEST, -(2**63)):
        try:
            os.utime(file, ns=(ns, ns))
        except (OSError, OverflowError):
            continue  # this file system, or a Python with 32-bit times, has no such time
        kept = os.stat(file)
        for err, found in (g.fstat(fd), g.stat("f.txt")):
            assert err in (0, E.OVERFLOW)
            for name, real in (("atim", kept.st_atime_ns), ("mtim", kept.st_mtime_ns)):
                assert err or found[name] == min(max(real, 0), LARGEST)
        err, names = g.list(3)
        assert err == 0 and "f.txt" in {name for name, _, _ in names}
        assert content(g, fd) == b"hello"  # the descriptor stays of use


@every_form
@every_home
def test_n86_cookies(make: Make, form: str, home: int) -> None:
    g = make(form)
    for number in range(30):
        assert g.on_path("path_create_directory", f"n{number}", dir=home) == 0
    err, entries = g.list(home, 0, 8192)
    assert err == 0
    cookies = [cookie for _, _, cookie in entries]
    assert len(cookies) == len(set(cookies)) == len(entries)
    for index in (0, 1, 2, 3, len(entries) - 2, len(entries) - 1):
        assert g.list(home, cookies[index], 8192)[1] == entries[index + 1 :]
    for cookie in (
        cookies[-1] + 1,
        10**6,
        2**31 - 1,
        2**31,
        2**32,
        LARGEST,
        2**63,
        2**64 - 1,
        0x123456789ABCDEF,
    ):
        start = time.monotonic()
        err, found = g.list(home, cookie, 8192)
        assert err == E.INVAL or found == []
        assert time.monotonic() - start < 5  # it ends
        assert g.list(home, 0, 8192)[1] == entries  # and the next one is as before
    for cookie in reversed([0, *cookies]):  # backwards, one at a time
        wanted = entries[0 if cookie == 0 else cookies.index(cookie) + 1 :]
        assert g.list(home, cookie, 64)[1] == wanted[: len(g.list(home, cookie, 64)[1])]
    seen, cookie = [], 0
    for _ in range(100):
        err, found = g.list(home, cookie, 60)
        if not found:
            break
        seen += [name for name, _, _ in found]
        cookie = found[-1][2]
    assert sorted(seen) == sorted(name for name, _, _ in entries)


@every_form
def test_n88_random(guest: Make, form: str) -> None:
    size = 4 << 20
    g = guest(Policy(), pages=(size >> 16) + 1, **FORMS[form])
    before = _peak()
    assert g.random_get(1, size) == 0
    moved = g.size if "moving" in form else 0
    assert _peak() - before < moved + (1 << 20)  # no buffer of its size on the host
    assert g.memory.read(size - 4096, 4096).count(b"\xa5" * 4) < 4
    assert g.memory.read(size + 1, 16) == b"\xa5" * 16
    small = guest(Policy(random=Random(1)), **FORMS[form])
    with small.writes_only():
        for at in (0, 1, small.size):
            assert small.random_get(at, 0) == 0
    with Sibling(small, P1, Policy()) as one:
        one.fill()
        with one.writes_only():
            assert one.traps("random_get", 1, one.size) == "host-pointer"  # before one byte of it is made


def _peak() -> int:
    """The most that this process had in memory since the last look."""
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return peak


@every_form
def test_n88_random_can_be_cancelled(guest: Make, form: str) -> None:
    g = guest(Policy(), pages=65, **FORMS[form])
    stop = threading.Timer(0.01, g.instance.cancel)
    stop.start()
    with pytest.raises((Cancelled, InstanceDead)):
        while True:
            g.random_get(0, 4 << 20)
    stop.join()
    with Sibling(g, P1) as other, pytest.raises(Timeout):
        for _ in range(1000):
            other.random_get(0, 4 << 20, timeout=0.001)


@every_form
def test_n89_clocks(guest: Make, form: str) -> None:
    g = guest(Policy(), **FORMS[form])
    with g.writes_only():
        for clock in (4, 5, 255, 256, 2**31 - 1, 2**31, 2**32 - 1):
            assert g.clock_time_get(clock, 0, 0x200) == E.INVAL
            assert g.clock_res_get(clock, 0x200) == E.INVAL
    last = 0
    for clock in range(4):
        assert g.clock_res_get(clock, 0x200) == 0 and g.unpack("Q", 0x200) >= 1
        assert g.clock_time_get(clock, 2**64 - 1, 0x200) == 0
    for _ in range(3000):
        assert g.clock_time_get(1, 0, 0x200) == 0
        now = g.unpack("Q", 0x200)
        assert now >= last
        last = now


# ---- 90 ----

CODES = (0, 1, 125, 126, 255, 2**31, 2**32 - 1)


@every_form
@pytest.mark.parametrize("code", CODES)
def test_n90_exit_from_a_call(guest: Make, form: str, code: int) -> None:
    g, other = guest(Policy(), **FORMS[form]), guest(Policy(), **FORMS[form])
    with g.writes_only(), pytest.raises(Exit) as end:
        g.proc_exit(code)
    assert end.value.code == code and g.instance.end == "exit"
    for name, args in (("sched_yield", ()), ("proc_exit", (1,)), ("fd_close", (0,))):
        with pytest.raises(InstanceDead):
            g.call(name, *args)
    assert other.sched_yield() == 0


def program(start: str) -> str:
    return f"""(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "\\08\\00\\00\\00\\04\\00\\00\\00out\\n")
      (func $say (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
      {start})"""


@pytest.fixture
def wasmtime() -> Iterator[Host]:
    with Host(Policy(stdout=Capture()), engine="wasmtime", board="generic-x86_64") as host:
        yield host


@pytest.mark.parametrize("code", CODES)
def test_n90_exit_from_the_program(wasmtime: Host, code: int) -> None:
    signed = code - 2**32 if code >= 2**31 else code
    text = program(f'(func (export "_start") (call $say) (call $exit (i32.const {signed})) (call $say))')
    with wasmtime.load(text) as module, module.instantiate() as instance:
        assert instance.run() == code
        assert instance.stdout == b"out\n"
        with pytest.raises(InstanceDead):
            instance.run()


@pytest.mark.parametrize("code", CODES)
def test_n90_exit_from_a_start_section(wasmtime: Host, code: int) -> None:
    signed = code - 2**32 if code >= 2**31 else code
    text = program(
        f'(func $main (call $exit (i32.const {signed}))) (start $main) (func (export "_start") (call $say))'
    )
    with wasmtime.load(text) as module:
        with pytest.raises(Exit) as end:
            module.instantiate()
        assert end.value.code == code
        assert wasmtime.instances == 0


def test_n90_exit_from_the_start_section_of_a_guest(
    wasmtime: Host, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with wasmtime.load(build.wat("start_exit")) as module, pytest.raises(Exit) as end:
        module.instantiate()
    assert end.value.code == 3
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        assert main(["run", os.fspath(build.wat("start_exit"))]) == 3
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    with wasmtime.load(build.wat("start_trap")) as module, pytest.raises(Trap) as trap:
        module.instantiate()
    assert trap.value.kind == "unreachable"


def test_n90_a_limit_in_a_start_section_has_its_name(wasmtime: Host) -> None:
    text = program('(func $main (loop $again (br $again))) (start $main) (func (export "_start"))')
    with wasmtime.load(text) as module:
        with pytest.raises(LimitExceeded) as limit:
            module.instantiate(Policy(limits=Limits(cpu_time=0.05)))
        assert limit.value.limit == "cpu_time"
        with pytest.raises(Timeout):
            module.instantiate(Policy(limits=Limits(wall_time=0.05)))


CALLING = """(module (import "env" "back" (func $back (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (global $after (mut i32) (i32.const 0))
  (func (export "leave") (param i32) (call $exit (local.get 0)))
  (func (export "work") (param i32) (result i32) (call $back (local.get 0))))"""


@pytest.mark.parametrize("code", CODES)
def test_n90_exit_from_a_callback(wasmtime: Host, code: int) -> None:
    """A function of the embedder calls an export that exits: the guest is at its end in all of its calls."""
    seen: list[object] = []
    guests: list[Instance] = []

    def back(number: int) -> int:
        try:
            guests[0].call("leave", number)
        except Exit as error:
            seen.append(error.code)
        return 5  # too late: the guest has ended

    functions = [HostFunction("env", "back", "i", "i", back)]
    with wasmtime.load(CALLING) as module, module.instantiate(functions=functions) as instance:
        guests.append(instance)
        with pytest.raises(Exit) as end:
            instance.call("work", code)
        assert end.value.code == code and seen == [code]
        assert instance.end == "exit"
        with pytest.raises(InstanceDead):
            instance.call("work", code)


def test_n90_exit_passes_through_a_callback(wasmtime: Host) -> None:
    guests: list[Instance] = []
    functions = [HostFunction("env", "back", "i", "i", lambda number: guests[0].call("leave", number))]
    with wasmtime.load(CALLING) as module, module.instantiate(functions=functions) as instance:
        guests.append(instance)
        with pytest.raises(Exit) as end:
            instance.call("work", 42)
        assert end.value.code == 42 and instance.end == "exit"


@every_form
def test_n90_raise_signals_nobody(guest: Make, form: str) -> None:
    caught: list[int] = []
    # Not what no one can catch, nor that by which the engine traps: Python would not put its handlers back.
    others = {signal.SIGKILL, signal.SIGSTOP, signal.SIGILL, signal.SIGFPE, signal.SIGBUS, signal.SIGSEGV}
    numbers = [one for one in signal.valid_signals() if one not in others and one < 32]
    kept = {}
    for one in numbers:
        kept[one] = signal.signal(one, lambda number, _: caught.append(number))
    try:
        g = guest(Policy(), **FORMS[form])
        with g.writes_only():
            for number in [*range(256), 2**31, 2**32 - 1]:
                assert g.proc_raise(number) in (E.NOSYS, E.NOTSUP)
    finally:
        for one, handler in kept.items():
            signal.signal(one, handler)
    assert caught == [] and g.sched_yield() == 0

"""Group M, cases 74 to 77: memories as engines have them: none, several, of another kind, growing, moving, large."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.forms import FORMS
from tests.attacks.tree import CREAT, Tree
from tests.guests import build
from tests.support import E, Guest
from wasi_native import (
    Capture,
    Host,
    HostFunction,
    Instance,
    Limits,
    MemoryDir,
    ModuleError,
    Policy,
    Trap,
    WasiError,
)

Make = Callable[..., Guest]
BOUNDS, ALIGNMENT = "host-pointer", "host-alignment"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "T")
    before = made.outside()
    yield made
    assert made.outside() == before


def granted(tree: Tree, **more: Any) -> Policy:
    fields = {
        "dirs": [*tree.dirs(), MemoryDir("/mem")],
        "program": "p",
        "stdin": b"in",
        "stdout": Capture(),
        **more,
    }
    return Policy(**fields)


@pytest.fixture
def make(guest: Make, tree: Tree, resolver: str) -> Make:
    """/rw (3), /ro (4), /mem (5) with f.txt."""

    def build_one(form: str, pages: int = 2, **more: Any) -> Guest:
        g = guest(granted(tree, **more), resolver=resolver, pages=pages, **FORMS[form])
        err, fd = g.open("f.txt", dir=5, oflags=CREAT)
        assert (err, g.write(fd, b"hello"), g.fd_close(fd)) == (0, (0, 5), 0)
        g.fill()
        return g

    return build_one


GATHER = [("fd_read", ()), ("fd_pread", (0,)), ("fd_write", ()), ("fd_pwrite", (0,))]
GROWING = """(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "env" "back" (func $back))
  (memory (export "memory") 1)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "write") (param i32 i32 i32 i32) (result i32)
    (call $write (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func $last (result i32) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 16)))
  ;; The host's function grows the memory; then the new last bytes are random, and read back.
  (func (export "work") (result i64)
    (call $back)
    (drop (call $random (call $last) (i32.const 8)))
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.add (call $last) (i32.const 8))))
    (i64.load (i32.add (call $last) (i32.const 8)))))"""


@pytest.fixture
def wasmtime() -> Iterator[Host]:
    with Host(Policy(), engine="wasmtime", board="generic-x86_64") as host:
        yield host


def test_m74_no_memory(wasmtime: Host) -> None:
    with wasmtime.load(build.wat("no_memory")) as module, module.instantiate() as instance:
        assert instance.call("close", 99) == E.BADF  # needs none
        with pytest.raises(Trap, match="outside") as trap:
            instance.call("clock")
        assert trap.value.kind == BOUNDS
        with pytest.raises(ModuleError, match="no exported memory"):
            instance.memory  # noqa: B018


def test_m74_no_memory_on_fake() -> None:
    lines = b"fake 1\nimport wasi_snapshot_preview1 clock_time_get iIi i\nimport wasi_snapshot_preview1 fd_close i i"
    with Host(Policy(), engine="fake") as host, host.load(lines) as module, module.instantiate() as instance:
        assert instance.call("fd_close", 99) == E.BADF
        with pytest.raises(Trap):
            instance.call("clock_time_get", 0, 0, 0)


def test_m74_two_memories(wasmtime: Host) -> None:
    """The exported one is spoken about, wherever it stands."""
    with wasmtime.load(build.wat("two_memories")) as module, module.instantiate() as instance:
        assert instance.call("clock", 8) == 0
        assert instance.call("first", 8) == 0 and instance.call("second", 8) > 0


@pytest.mark.parametrize("name", ["wrong_memory", "memory64", "shared_memory"])
def test_m74_a_memory_that_wasi_cannot_speak_about(wasmtime: Host, name: str) -> None:
    """A clean error when it is loaded or linked, or at the first call; the host goes on."""

    def use() -> None:
        with wasmtime.load(build.wat(name)) as module, module.instantiate() as instance:
            instance.call("clock")

    with pytest.raises(WasiError) as error:
        use()
    assert str(error.value)
    with wasmtime.load(build.wat("two_memories")) as module, module.instantiate() as instance:
        assert instance.call("clock", 8) == 0


def test_m74_an_imported_memory(wasmtime: Host) -> None:
    text = """(module (import "env" "memory" (memory 1))
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (func (export "_start") (drop (call $yield))))"""
    with wasmtime.load(text) as module, pytest.raises(ModuleError, match="memory"):
        module.instantiate()


@pytest.mark.parametrize("board", ["generic-x86_64", "generic-armv7-musl"], ids=["reserved", "moving"])
def test_m75_growth_between_calls_and_inside_a_callback(board: str, long: bool) -> None:
    """On the second board the engine reserves 4 MiB, so that the memory moves as it grows."""
    guests: list[Instance] = []
    steps = 500 if long or board == "generic-x86_64" else 100  # a memory that moves is copied each time

    def back() -> None:
        assert guests[0].call("grow", 1) >= 1

    policy = Policy(stdout=Capture(), limits=Limits(memory=1 << 30))
    functions = [HostFunction("env", "back", "", "", back)]
    with (
        Host(policy, engine="wasmtime", board=board) as host,
        host.load(GROWING) as module,
        module.instantiate(functions=functions) as instance,
    ):
        guests.append(instance)
        for step in range(steps):
            before = time.monotonic_ns()
            now = instance.call("work")  # all 64 bits of it, although "grow" was called inside
            assert before <= now <= time.monotonic_ns()
            assert instance.call("grow", 1) == 2 + 2 * step
            end = len(instance.memory) - 16
            instance.memory.write(end, struct.pack("<II", end + 8, 4) + b"mark")
            assert instance.call("write", 1, end, 1, end + 12) == 0
            assert instance.memory.u32(end + 12) == 4
        assert len(instance.memory) == (1 + 2 * steps) * 65536
        assert instance.stdout == b"mark" * steps


@pytest.mark.parametrize("form", ["fake", "moving", "wide", "moving-wide"])
def test_m75_growth_between_calls_of_fake(make: Make, form: str) -> None:
    g = make(form)
    err, fd = g.open("f.txt")
    assert err == 0
    for step in range(200):
        if step < 50:  # the memory is copied before each call where it moves
            assert g.instance.call("grow", 1) == 2 + step
        end = len(g.memory) - 32
        g.iovs(end, (end + 8, 5))
        assert g.fd_pread(fd, end, 1, 0, end + 16) == 0
        assert g.memory.read(end + 8, 5) == b"hello" and g.unpack("I", end + 16) == 5


def test_m77_addresses_from_two_gigabytes_on() -> None:
    """They are addresses and not negative numbers."""
    policy = Policy(limits=Limits(memory=4 << 30))
    with (
        Host(policy, engine="wasmtime", board="generic-x86_64") as host,
        host.load(build.wat("high")) as module,
        module.instantiate() as instance,
    ):
        size = len(instance.memory)
        assert size == 33000 * 65536
        for at in (2**31 - 8, 2**31, 2**31 + 4096, size - 8):
            assert instance.call("clock", at) == 0
            assert instance.call("load", at) == instance.memory.u64(at) > 0
        assert instance.call("random", 2**31 + 1, 100) == 0
        assert instance.memory.read(2**31 + 1, 100) != bytes(100)
        with pytest.raises(Trap) as trap:
            instance.call("clock", size)
        assert trap.value.kind == BOUNDS


def test_m77_or_a_clean_error_at_the_limit() -> None:
    policy = Policy(limits=Limits(memory=1 << 30))
    with (
        Host(policy, engine="wasmtime", board="generic-x86_64") as host,
        host.load(build.wat("high")) as module,
        pytest.raises((WasiError, MemoryError), match="memory"),
    ):
        module.instantiate()

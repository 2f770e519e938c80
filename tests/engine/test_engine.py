"""engine/engine.c: what is the same whatever engine is below; one contract over every adapter."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.libraries import library
from tests.engine.seam import call, peek, poke, size
from tests.guests import aot
from tests.guests.driver import driver_wat
from tests.support import E, fake_module, open_fds, running_threads
from wasi_native import _core

NAMES = _core.engine_names()
ADAPTERS = [*NAMES, "wasm3-old"]  # the engine wasm3 with the library of 2021


class Adapter:
    """An engine at the seam, with modules in the form that it reads."""

    def __init__(self, name: str) -> None:
        self.name = name.partition("-")[0]
        self.engine = _core.Engine(self.name, library(name), tick_ms=5, fuel=name != "fake")

    def driver(self, pages: int = 2, *directives: str) -> _core.Module:
        if self.name == "fake":
            return self.engine.load(fake_module(pages, "wasi_snapshot_preview1", *directives))
        return self.load(driver_wat(pages))

    def load(self, wat: str) -> _core.Module:
        """A module from text, which not every engine reads."""
        if self.name == "wasm2c":
            return aot.restore(self.engine, wat, aot.Options(fuel=True))
        return self.engine.load(aot.binary(wat))

    def host_function(self) -> _core.Module:
        """A module that imports env.f (i32, i64) -> i32 and exports it as f, and yields."""
        if self.name == "fake":
            return self.engine.load(
                b"fake 1\nmemory 1\nimport env f iI i\nimport wasi_snapshot_preview1 sched_yield - i"
            )
        wat = """(module (import "env" "f" (func $f (param i32 i64) (result i32)))
          (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
          (memory (export "memory") 1)
          (func (export "f") (param i32 i64) (result i32) (call $f (local.get 0) (local.get 1)))
          (func (export "sched_yield") (result i32) (call $y))
          (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
          (func (export "spin") (loop $l (br $l))))"""
        return self.load(wat)


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    made = Adapter(request.param)
    yield made
    del made.engine


def test_the_list() -> None:
    known = [
        "wasmtime",
        "wasm2c",
        "wasm_c_api",
        "wasm3",
        "fake",
    ]  # best first; of wasmtime there are 64 bits alone
    assert known[sys.maxsize < 2**32 :] == NAMES
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("nonsense")
    assert caught.value.code == _core.MISSING and "there is no engine named nonsense" in caught.value.text


def test_rows_are_served() -> None:
    rows = _core.row_list()
    assert len(rows) > 46 + 45 and len({row[:2] for row in rows}) == len(rows)
    assert next(row[:4] for row in rows if row[1] == "fd_write") == (
        "wasi_snapshot_preview1",
        "fd_write",
        "iiii",
        "i",
    )


def test_caps_have_names_and_are_true(adapter: Adapter) -> None:
    caps = set(adapter.engine.caps)
    assert {"interrupt", "reenter", "memory-limit"} <= caps
    module = adapter.driver()
    if "serialize" in caps:
        assert len(module.serialize()) > 100
    else:
        with pytest.raises(_core.CoreError, match="keeps no compiled code"):
            module.serialize()
        why = "No such file" if adapter.name == "wasm2c" else "keeps no compiled code"
        with pytest.raises(_core.CoreError, match=why):
            adapter.engine.restore("/nowhere")
    if "wat" in caps:
        assert adapter.engine.wat(b"(module)")[:4] == b"\0asm"
    else:
        with pytest.raises(_core.CoreError, match="reads no text modules"):
            adapter.engine.wat(b"(module)")


def test_imports_and_exports(adapter: Adapter) -> None:
    module = adapter.host_function()
    imports = [(item[0], item[1], item[2], item[3], item[4]) for item in module.externs(False)]
    assert imports == [
        ("env", "f", 0, "iI", "i"),
        ("wasi_snapshot_preview1", "sched_yield", 0, "", "i"),
    ]
    exports = {item[1]: item for item in module.externs(True)}
    assert exports["f"][2:5] == (0, "iI", "i") and exports["memory"][2] == 3 and exports["memory"][5] == 1


def test_a_call_and_its_memory(adapter: Adapter) -> None:
    instance = _core.Instance(adapter.driver(), _core.Sys({}))
    assert call(instance, "sched_yield") == 0
    assert call(instance, "random_get", 8, 16) == 0
    assert peek(instance, 8, 16) != bytes(16) == peek(instance, 24, 16)
    assert size(instance) == 2 * 65536
    assert poke(instance, 2 * 65536 - 1, b"x") and not poke(instance, 2 * 65536, b"x")
    assert peek(instance, 2 * 65536, 1) is None
    with pytest.raises(_core.CoreError) as caught:
        size(instance, b"other")
    assert caught.value.code == _core.MISSING
    assert instance.end() == (0, 0, None)


def test_wrong_calls(adapter: Adapter) -> None:
    instance = _core.Instance(adapter.driver(), _core.Sys({}))
    assert call(instance, "nobody") == _core.MISSING
    assert call(instance, "sched_yield", 1) == _core.INVALID and call(instance, "fd_close") == _core.INVALID
    assert call(instance, "fd_close", 1, result="") == _core.INVALID
    assert instance.end()[0] == 0
    with pytest.raises(TypeError):
        instance.call(b"fd_close", (), "i", "i", 0, False)
    with pytest.raises(TypeError):
        instance.call(b"fd_close", (1,) * 33, "i" * 33, "i", 0, False)


@pytest.mark.parametrize("values", [(0, 0), (-1, -1), (2**31 - 1, 2**63 - 1), (-(2**31), -(2**63))])
def test_numbers_on_their_way_through_a_host_function(adapter: Adapter, values: tuple[int, int]) -> None:
    seen: list[tuple[int, ...]] = []

    def f(*args: int) -> int:
        seen.append(args)
        return args[0]

    instance = _core.Instance(adapter.host_function(), _core.Sys({}), [("env", "f", "iI", "i", f, 0)])
    assert call(instance, "f", *values, kinds="iI") == values[0] and seen == [values]


def test_nested_calls_with_memory_that_moves(adapter: Adapter) -> None:
    def f(depth: int, _: int) -> int:
        assert call(instance, "grow", 1) >= 1
        assert call(instance, "sched_yield") == 0
        return 0 if depth == 0 else 1 + int(call(instance, "f", depth - 1, 0, kinds="iI"))

    instance = _core.Instance(adapter.host_function(), _core.Sys({}), [("env", "f", "iI", "i", f, 0)])
    assert call(instance, "f", 20, 0, kinds="iI") == 20
    assert size(instance) == 22 * 65536


def test_a_failing_function_ends_the_guest(adapter: Adapter) -> None:
    def f(*_: int) -> int:
        raise KeyError

    world = _core.Sys({})
    instance = _core.Instance(adapter.host_function(), world, [("env", "f", "iI", "i", f, 0)])
    assert call(instance, "f", 1, 2, kinds="iI") == _core.HOST
    assert isinstance(world.take_pending(), KeyError) and world.take_pending() is None
    assert instance.end()[0] == _core.HOST and call(instance, "sched_yield") == _core.INVALID


@pytest.mark.parametrize("code", [0, 1, 126, 255, 2**32 - 1])
def test_exit_unwinds_with_its_code(adapter: Adapter, code: int) -> None:
    instance = _core.Instance(adapter.driver(), _core.Sys({}))
    err, _text, values = instance.call(b"proc_exit", (code,), "i", "", 0, False)
    assert (err, values) == (_core.EXIT, None) and instance.end() == (_core.EXIT, code, None)
    assert call(instance, "sched_yield") == _core.INVALID


def test_traps_of_the_host(adapter: Adapter) -> None:
    for args, verdict in (((0, 0, 2**32 - 8), _core.TRAP_BOUNDS), ((0, 0, 4), _core.TRAP_ALIGN)):
        instance = _core.Instance(adapter.driver(), _core.Sys({}))
        assert call(instance, "clock_time_get", *args, kinds="iIi") == verdict
        assert instance.end()[0] == verdict


def test_computing_is_interrupted(adapter: Adapter) -> None:
    import time

    instance = _core.Instance(adapter.host_function(), _core.Sys({}), [("env", "f", "iI", "i", int, 0)])
    assert call(instance, "spin", result="", deadline=time.monotonic_ns() + 30 * 10**6) == _core.TIMEOUT
    instance = _core.Instance(
        adapter.host_function(), _core.Sys({"cpu_ns": 20 * 10**6}), [("env", "f", "iI", "i", int, 0)]
    )
    assert call(instance, "spin", result="") == _core.LIMIT and instance.end()[2] == "cpu_time"
    instance = _core.Instance(adapter.host_function(), _core.Sys({}), [("env", "f", "iI", "i", int, 0)])
    timer = threading.Timer(0.02, instance.cancel)
    timer.start()
    assert call(instance, "spin", result="") == _core.CANCELLED
    timer.join()


def test_a_cancel_just_before_is_not_lost(adapter: Adapter) -> None:
    for _ in range(30):
        instance = _core.Instance(adapter.host_function(), _core.Sys({}), [("env", "f", "iI", "i", int, 0)])
        thread = threading.Thread(target=instance.cancel)
        thread.start()
        assert call(instance, "spin", result="") == _core.CANCELLED
        thread.join()


def test_missing_imports(adapter: Adapter) -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.Instance(adapter.host_function(), _core.Sys({}))
    assert caught.value.code == _core.LINK and "env\tf\tunknown module" in caught.value.text
    for params, results in (("ii", "i"), ("iI", ""), ("", "")):
        with pytest.raises(_core.CoreError) as caught:
            _core.Instance(adapter.host_function(), _core.Sys({}), [("env", "f", params, results, int, 0)])
        assert caught.value.code == _core.LINK and "imported with another signature" in caught.value.text


def test_signatures_that_no_function_has(adapter: Adapter) -> None:
    for params, results in (("x", ""), ("i" * 33, ""), ("", "ii"), ("", "v")):
        with pytest.raises(_core.CoreError) as caught:
            _core.Instance(adapter.host_function(), _core.Sys({}), [("env", "f", params, results, int, 0)])
        assert caught.value.code == _core.INVALID and "a signature is" in caught.value.text


def test_traces(adapter: Adapter) -> None:
    seen: list[tuple[Any, ...]] = []

    def trace(_: _core.Instance, fields: tuple[Any, ...]) -> None:
        seen.append((fields[1], fields[5], fields[7], fields[6], fields[8], fields[4]))

    instance = _core.Instance(adapter.driver(), _core.Sys({}), trace=trace)
    call(instance, "fd_close", 99)
    call(instance, "fd_seek", 99, -1, 0, 8, kinds="iIii")
    call(instance, "proc_exit", 3, result="")
    assert seen == [
        ("fd_close", (99,), 0, E.BADF, "BADF", "fd"),
        ("fd_seek", (99, 2**64 - 1, 0, 8), 0, E.BADF, "BADF", "fd,offset,whence,newoffset"),
        ("proc_exit", (3,), _core.EXIT, None, _core.error_name(_core.EXIT), "rval"),
    ]


def test_memory_limit(adapter: Adapter) -> None:
    instance = _core.Instance(
        adapter.host_function(), _core.Sys({"memory_bytes": 3 * 65536}), [("env", "f", "iI", "i", int, 0)]
    )
    assert [call(instance, "grow", n) for n in (2, 1, 0, 2**31 - 1)] == [1, -1, 3, -1]


def test_everything_goes_home(adapter: Adapter) -> None:
    fds, before = open_fds(), running_threads()
    module = adapter.driver()
    for _ in range(20):
        _core.Instance(module, _core.Sys({}))
    instance = _core.Instance(module, _core.Sys({}))
    assert instance.close() and instance.close()
    with pytest.raises(ValueError):
        call(instance, "sched_yield")
    del instance
    assert open_fds() == fds and len(running_threads() - before) <= 1


@pytest.mark.parametrize("directives", [(), ("moving",), ("wide",), ("moving", "wide")])
def test_the_shapes_of_slots_and_memory(directives: tuple[str, ...]) -> None:
    """A memory that moves before each call, slots of 16 bytes: nothing above an adapter may care."""
    instance = _core.Instance(Adapter("fake").driver(2, *directives), _core.Sys({}))
    for _ in range(20):
        assert call(instance, "random_get", 8, 16) == 0
        assert call(instance, "fd_seek", 1, -1, 0, 8, kinds="iIii") in {E.SPIPE, E.BADF}
        assert call(instance, "clock_time_get", 0, 1, 8, kinds="iIi") == 0
    assert peek(instance, 8, 8) != bytes(8)

"""engine/wasm2c_link.c: compiled guests that share memories, tables, globals and functions."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.engine.seam import peek, run
from tests.engine.test_siblings import OWNER, USER
from tests.guests import aot
from tests.guests.aot import Options
from tests.programs import wabt
from wasi_native import _core

VERSIONS = {"debian": wabt.debian, "npm": wabt.npm}
# Calls what it finds in the owner's table; fills a slot of it with its own functions.
CALLER = """(module
  (import "o" "table" (table 8 funcref)) (import "o" "memory" (memory 1))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (type $i (func (param i32) (result i32))) (type $n (func)) (type $l (func (param i64) (result i64)))
  (elem (table 0) (i32.const 4) func $double $ends $spins $deep)
  (func $double (type $i) (i32.mul (i32.const 2) (local.get 0)))
  (func $ends (type $n) (call $exit (i32.const 7)))
  (func $spins (type $n) (loop $l (br $l)))
  (func $deep (type $i) (i32.add (i32.const 1) (call $deep (local.get 0))))
  (func (export "i") (param i32 i32) (result i32) (call_indirect (type $i) (local.get 1) (local.get 0)))
  (func (export "n") (param i32) (call_indirect (type $n) (local.get 0)))
  (func (export "l") (param i32) (result i64) (call_indirect (type $l) (i64.const 1) (local.get 0)))
  (func (export "grow") (result i32) (table.grow 0 (ref.null func) (i32.const 2))))"""
TABLES = """(module
  (type $l (func (param i64) (result i64))) (type $i (func (param i32) (result i32))) (type $n (func))
  (memory (export "memory") 1) (table (export "table") 8 20 funcref) (elem (i32.const 0) $plus $stop $wide)
  (global $calls (mut i32) (i32.const 0))
  (func $plus (type $i) (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.add (local.get 0) (global.get $calls)))
  (func $stop (type $n) (i32.store (i32.const -1) (i32.const 0)))
  (func $wide (type $l) (i64.add (local.get 0) (i64.const 41)))
  (func (export "i") (param i32 i32) (result i32) (call_indirect (type $i) (local.get 1) (local.get 0)))
  (func (export "n") (param i32) (call_indirect (type $n) (local.get 0)))
  (func (export "size") (result i32) (table.size 0)))"""


@pytest.fixture(params=VERSIONS)
def options(request: pytest.FixtureRequest) -> Options:
    """Of both versions of wasm2c."""
    return Options(wasm2c=str(VERSIONS[request.param]()))


def together(
    sources: list[str], options: Options | None = None, limits: dict[str, int] | None = None, **more: Any
) -> list[_core.Instance]:
    """Instances of modules that were compiled together: each is a sibling of those behind it, under "o"."""
    engine = _core.Engine("wasm2c", tick_ms=5, **more)
    world, made = _core.Sys(limits or {}), list[_core.Instance]()
    for module in aot.restore_all(engine, list(sources), options):
        made.append(_core.Instance(module, world, siblings=[("o", made[0])] if made else ()))
    return made


def apart(owner: str, user: str, options: Options | None = None) -> tuple[_core.Instance, _core.Instance]:
    """The same of two libraries; the options are the user's."""
    engine, world = _core.Engine("wasm2c"), _core.Sys({})
    first = _core.Instance(aot.restore(engine, owner), world)
    module = aot.restore(engine, user, options)
    return first, _core.Instance(module, world, siblings=[("o", first)])


# ---- tables ----


def test_functions_of_others_are_called_through_a_table(options: Options) -> None:
    owner, user = together([TABLES, CALLER], options)
    assert run(user, "i", 0, 10)[2] == [11] and run(user, "i", 0, 10)[2] == [12]
    assert run(owner, "i", 4, 21)[2] == [42] and run(owner, "i", 0, 10)[2] == [13]
    assert run(user, "l", 2, result="I")[2] == [42]
    assert run(user, "grow")[2] == [8] and run(owner, "size")[2] == [10]


@pytest.mark.parametrize(
    ("who", "slot", "kind"),
    [
        (1, 1, "memory-out-of-bounds"),  # in a function of the other
        (1, 0, "bad-signature"),
        (0, 4, "bad-signature"),
        (0, 9, "table-out-of-bounds"),
        (1, 3, "indirect-call-null"),
    ],
)
def test_traps_behind_a_table(who: int, slot: int, kind: str, options: Options) -> None:
    """A function of another instance ends the call that led to it. Both modules have their types in another order."""
    pair = together([TABLES, CALLER], options)
    err, text, _ = run(pair[who], "n", slot, result="")
    assert (err, text.split(":")[0]) == (_core.TRAP_ENGINE, kind)
    assert pair[who].end()[0] == _core.TRAP_ENGINE


def test_exits_and_deadlines_behind_a_table(options: Options) -> None:
    owner, _user = together([TABLES, CALLER], options)
    assert run(owner, "n", 5, result="")[0] == _core.EXIT
    assert owner.end() == (_core.EXIT, 7, None)
    owner, _user = together([TABLES, CALLER], options)
    err, _, _ = run(owner, "n", 6, result="", deadline=time.monotonic_ns() + 30 * 10**6)
    assert err == _core.TIMEOUT and owner.end()[0] == _core.TIMEOUT


def test_the_stack_and_the_depth_count_behind_a_table(options: Options) -> None:
    owner, _user = together([TABLES, CALLER], options, wasm_stack=64 << 10)
    err, text, _ = run(owner, "i", 7, 1)
    assert err == _core.TRAP_ENGINE and text.startswith("stack-overflow: ")
    shallow = Options(call_depth=20, wasm2c=options.wasm2c)
    owner, user = together([TABLES, CALLER], shallow)
    for _ in range(30):  # what calls took is given back
        assert run(user, "i", 4, 1)[2] == [2] and run(owner, "i", 4, 1)[2] == [2]
    assert run(owner, "i", 7, 1)[1].startswith("stack-overflow: ")


def test_a_table_of_another_library_is_refused() -> None:
    """Types of functions have other numbers there, and traps another way out."""
    with pytest.raises(_core.CoreError, match="o table: tables are shared by modules of one component alone"):
        apart(TABLES, CALLER)


# ---- memories, globals, functions ----


def test_two_libraries(options: Options) -> None:
    user = USER.replace('"owner"', '"o"').replace('(import "o" "table" (table 4 funcref))', "")
    with pytest.raises(_core.CoreError, match="o count: it was compiled without what is needed"):
        apart(OWNER, user, options)
    user = user.replace('(import "o" "count" (global $count (mut i32)))', "")
    user = user.replace('(export "memory"', '(global $count (mut i32) (i32.const 0)) (export "memory"')
    owner, second = apart(OWNER, user, options)
    assert run(second, "go", ord("X"))[2] == [8]  # no descriptor is open
    assert peek(owner, 8, 3) == peek(second, 8, 3) == b"Xbc"
    assert run(second, "far")[2] == [8] and peek(owner, 65536, 4) == peek(second, 65536, 4) == b"\x08\0\0\0"


GLOBALS = """(module (memory (export "memory") 1) (global (export "a") (mut i32) (i32.const 5))
  (global (export "b") i64 (i64.const -6)) (global (export "c") f32 (f32.const 1.5))
  (global (export "d") (mut f64) (f64.const 2.5))
  (func (export "see") (result f64) (f64.add (global.get 3) (f64.convert_i32_s (global.get 0)))))"""
READS = """(module (import "o" "b" (global $b i64)) (import "o" "a" (global $a (mut i32)))
  (import "o" "d" (global $d (mut f64))) (import "o" "c" (global $c f32)) (import "o" "a" (global $again (mut i32)))
  (import "o" "memory" (memory 1)) (export "memory" (memory 0)) (export "b" (global $b))
  (global $copy i64 (global.get $b)) (data (i32.const 0) "data")
  (func (export "sum") (result f64) (f64.add (f64.add (f64.convert_i64_s (global.get $copy)) (global.get $d))
    (f64.promote_f32 (global.get $c))))
  (func (export "set") (global.set $a (i32.const 70)) (global.set $d (f64.const 0.25)))
  (func (export "again") (result i32) (global.get $again)))"""


def test_globals_of_each_type(options: Options) -> None:
    owner, user, third = together([GLOBALS, READS, '(module (import "o" "d" (global (mut f64))))'], options)
    assert run(user, "sum", result="F")[2] == [-2.0]
    assert run(user, "set", result="")[0] == 0 and run(owner, "see", result="F")[2] == [70.25]
    assert run(user, "again")[2] == [70] and peek(user, 0, 4) == peek(owner, 0, 4) == b"data"
    assert third.end()[0] == 0


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ('"b" (global (mut i64))', "o b: it has another type"),
        ('"b" (global i32)', "o b: it has another type"),
        ('"memory" (memory 2)', "o memory: it has other limits"),
        ('"memory" (memory 1 5)', "o memory: it has other limits"),
        ('"see" (func (result f32))', "o see: a function with another signature"),
        ('"two" (func (result i32 i32))', "o two: a function with more than 32"),
    ],
)
def test_what_does_not_fit(item: str, why: str) -> None:
    owner = GLOBALS[:-1] + '(func (export "two") (result i32 i32) (i32.const 1) (i32.const 2)))'
    made = apart if "func" in item else lambda *both: together(list(both))
    with pytest.raises(_core.CoreError, match=f"incompatible import {why}") as caught:
        made(owner, f'(module (import "o" {item}))')
    assert caught.value.code == _core.INVALID


FUNCTIONS = """(module (memory (export "memory") 1)
  (func (export "all") (param i32 i64 f32 f64) (result f64)
    (f64.add (local.get 3) (f64.convert_i32_s (local.get 0))))
  (func (export "boom") (unreachable)) (func (export "nothing"))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
CALLS = """(module (import "o" "all" (func $all (param i32 i64 f32 f64) (result f64)))
  (import "o" "boom" (func $boom)) (import "o" "nothing" (func $nothing)) (import "o" "memory" (memory 1))
  (func (export "all") (result f64) (call $all (i32.const -3) (i64.const 1) (f32.const 1) (f64.const 0.5)))
  (func (export "boom") (call $boom)) (func (export "nothing") (call $nothing))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""


def test_functions_of_a_sibling(options: Options) -> None:
    owner, user = together([FUNCTIONS, CALLS], options)
    assert run(user, "all", result="F")[2] == [-2.5]
    err, text, _ = run(user, "boom", result="")
    assert err == _core.TRAP_ENGINE and text.startswith("unreachable: ")
    assert owner.end()[0] == user.end()[0] == _core.TRAP_ENGINE


def test_limits_count_once(options: Options) -> None:
    """Memory that others grow is one memory; fuel is burned by all."""
    owner, user = together([FUNCTIONS, CALLS], options, {"memory_bytes": 4 * 65536})
    assert run(user, "grow", 2)[2] == [1] and run(owner, "grow", 2)[2] == [-1]
    assert run(owner, "grow", 1)[2] == [3] and run(user, "grow", 1)[2] == [-1]
    tables = """(module IMPORT (table 1500 funcref) (func (export "grow") (param i32) (result i32)
      (table.grow 0 (ref.null func) (local.get 0))))"""
    one, more = (
        tables.replace("IMPORT", text) for text in ("", '(import "o" "grow" (func (param i32) (result i32)))')
    )
    limits = {"memory_bytes": 16 * 4096, "table_elements": 2000}
    first, second = together([one, more], options, limits)
    assert [run(second, "grow", n)[2][0] for n in (501, 500, 1)] == [-1, 1500, -1]
    assert [run(first, "grow", n)[2][0] for n in (501, 500)] == [-1, 1500]
    with pytest.raises(_core.CoreError, match="table minimum size of 1500 elements"):
        together([one, more, more], options, limits)
    fuel = Options(fuel=True, wasm2c=options.wasm2c)
    owner, user = together([FUNCTIONS, CALLS], fuel, {"fuel": 10})
    spent = 0
    while run(user, "nothing", result="")[0] == 0:
        spent += 1
    assert spent in (5, 6, 3) and user.end() == (_core.LIMIT, 0, "fuel")
    assert owner.fuel() == user.fuel() == 0


def test_what_failed_leaves_the_owner_as_it_was() -> None:
    """Of an instance that was never made, too: its place among those that share is free again."""
    engine, world = _core.Engine("wasm2c"), _core.Sys({})
    first, second = aot.restore_all(engine, [FUNCTIONS, CALLS])
    owner = _core.Instance(first, world)
    for _ in range(3):
        with pytest.raises(_core.CoreError, match="deadline"):
            _core.Instance(second, world, siblings=[("o", owner)], deadline=1)
    user = _core.Instance(second, world, siblings=[("o", owner)])
    assert run(user, "grow", 1)[2] == [1] and run(owner, "grow", 1)[2] == [2]
    assert user.close() and run(owner, "grow", 1)[2] == [3]


@pytest.mark.parametrize("how", ["closed", "never made"])
def test_functions_of_one_that_is_gone_are_called_by_nobody(how: str) -> None:
    """They stand in a table of the owner, which has ended with the first that leaves."""
    engine, world = _core.Engine("wasm2c"), _core.Sys({})
    start = "" if how == "closed" else "(func $start unreachable) (start $start)"
    first, second = aot.restore_all(engine, [TABLES, f"{CALLER[:-1]}{start})"])
    owner = _core.Instance(first, world)
    assert run(owner, "i", 0, 10)[2] == [11]
    if how == "closed":
        assert _core.Instance(second, world, siblings=[("o", owner)]).close()
    else:
        with pytest.raises(_core.CoreError, match="unreachable"):
            _core.Instance(second, world, siblings=[("o", owner)])
    err, text, _ = run(owner, "i", 4, 10)
    assert err == _core.INVALID and "the instance has ended" in text

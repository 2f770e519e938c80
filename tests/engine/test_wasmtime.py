"""engine/wasmtime*.c: what is this adapter's own: memories, traps with names, fuel, the stack, code that is kept."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.seam import peek, poke, run
from tests.guests import build
from tests.support import E, running_threads, threads_end
from wasi_native import _core, engines

PATH = engines.find("wasmtime").path
pytestmark = pytest.mark.skipif(
    "has no library for" in engines.find("wasmtime").reason, reason="wasmtime has no library for this machine"
)


class Engine:
    """The engine, until the test is over."""

    def __init__(self) -> None:
        self.core = _core.Engine("wasmtime", PATH, tick_ms=5)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.core, name)


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    del made.core


def make(
    engine: Engine | _core.Engine, text: bytes | str, limits: dict[str, int] | None = None, **more: Any
) -> _core.Instance:
    raw = text.encode() if isinstance(text, str) else text
    return _core.Instance(engine.load(engine.wat(raw)), _core.Sys(limits or {}), **more)


def test_compiling_leaves_no_threads_behind() -> None:
    """They would share the table of descriptors, and slow down every later call on one."""
    before = running_threads()
    engine = _core.Engine("wasmtime", PATH)
    for name in build.wats():
        if name not in ("memory64", "shared_memory"):
            engine.load(engine.wat(build.wat(name).read_bytes()))
    engine.load(build.guest("tour").read_bytes())
    assert threads_end(before)


TRAPS = {
    "unreachable": "(unreachable)",
    "memory-out-of-bounds": "(drop (i32.load (i32.const 70000)))",
    "table-out-of-bounds": "(call_indirect (type $v) (i32.const 9))",
    "indirect-call-null": "(call_indirect (type $v) (i32.const 1))",
    "bad-signature": "(call_indirect (type $v) (i32.const 0))",
    "integer-overflow": "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
    "integer-division-by-zero": "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
    "bad-conversion": "(drop (i32.trunc_f32_s (f32.const nan)))",
    "stack-overflow": "(call $inner)",
}


@pytest.mark.parametrize("kind", TRAPS)
def test_traps(engine: Engine | _core.Engine, kind: str) -> None:
    wat = f"""(module $m (type $v (func)) (memory 1) (table 2 funcref) (elem (i32.const 0) $other)
      (func $other (param i32)) (func $inner {TRAPS[kind]}) (func (export "go") (call $inner)))"""
    instance = make(engine, wat)
    err, text, _ = run(instance, "go", result="")
    first, *frames = text.split("\n")
    assert err == _core.TRAP_ENGINE and first.startswith(f"{kind}: ")
    assert frames[0].strip().startswith("inner (m) @ 0x")
    assert instance.end() == (_core.TRAP_ENGINE, 0, None)
    assert run(instance, "go", result="")[0] == _core.INVALID


def test_a_backtrace_of_many_frames_fits_its_place(engine: Engine | _core.Engine) -> None:
    long = "x" * 500
    wat = (
        f"(module (func $leaf (unreachable)) {' '.join(f'(func $f{i}{long} (call {i}))' for i in range(30))}"
    )
    instance = make(engine, wat + '(func (export "go") (call 30)))')
    err, text, _ = run(instance, "go", result="")
    assert err == _core.TRAP_ENGINE and text.startswith("unreachable: ") and 3000 < len(text) < 4064


def test_names_that_are_no_text(engine: Engine | _core.Engine) -> None:
    instance = make(engine, r'(module (func $"a\0ab\7f\1b[2J" (unreachable)) (func (export "go") (call 0)))')
    text = run(instance, "go", result="")[1]
    assert "a?b??[2J" in text and text.count("\n") == 2


def test_a_start_function(engine: Engine | _core.Engine) -> None:
    seen: list[bytes] = []
    wat = """(module (import "env" "f" (func $f (param i32 i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 8) "here")
      (func $go (drop (call $r (i32.const 64) (i32.const 8))) (call $f (i32.const 8) (i32.const 4))) (start $go))"""
    instance = make(engine, wat, functions=[("env", "f", "ii", "", lambda *args: seen.append(args), 0)])
    assert seen == [(8, 4)] and peek(instance, 64, 8) != bytes(8)
    for body, code in (("(unreachable)", _core.TRAP_ENGINE), ("(loop $l (br $l))", _core.TIMEOUT)):
        with pytest.raises(_core.CoreError) as caught:
            make(engine, f"(module (func $go {body}) (start $go))", deadline=time.monotonic_ns() + 50 * 10**6)
        assert caught.value.code == code


def test_memories_that_wasi_cannot_use(engine: Engine | _core.Engine) -> None:
    uses = '(import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))'
    for memory in ('(memory (export "memory") i64 1)', '(memory 1) (func (export "memory"))', "(memory 1)"):
        wat = f"""(module {uses} {memory}
          (func (export "go") (result i32) (call 0 (i32.const 0) (i64.const 0) (i32.const 8))))"""
        try:
            err = run(make(engine, wat), "go")[0]
        except _core.CoreError as error:
            err = error.code
        assert err in {_core.INVALID, _core.TRAP_BOUNDS}


def test_two_memories(engine: Engine | _core.Engine) -> None:
    instance = make(engine, build.wat("two_memories").read_bytes())
    assert run(instance, "clock", 8)[2] == [0]
    assert run(instance, "second", 8, result="I")[2] != [0] and run(instance, "first", 8, result="I")[2] == [
        0
    ]


def test_addresses_from_2_31_up(engine: Engine | _core.Engine) -> None:
    instance = make(
        _core.Engine("wasmtime", PATH, reservation=4 << 30, guard=1 << 16), build.wat("high").read_bytes()
    )
    for at in (2**31 - 8, 2**31, 2**31 + 8, 33000 * 65536 - 8):
        assert run(instance, "clock", at - 2**32 if at >= 2**31 else at)[2] == [0]
        assert int.from_bytes(peek(instance, at, 8) or b"", "little") > 10**18
    assert run(instance, "clock", 33000 * 65536 - 2**32)[0] == _core.TRAP_BOUNDS


@pytest.mark.parametrize("reservation", [0, 1 << 16, 1 << 20, 1 << 32])
def test_memory_grows_and_moves(reservation: int) -> None:
    engine = _core.Engine("wasmtime", PATH, reservation=reservation, guard=65536)
    instance = make(engine, build.wat("memory").read_bytes())
    for pages in range(1, 40):
        assert run(instance, "grow", 1)[2] == [pages]
        at = pages * 65536
        assert poke(instance, at, b"\x07") and run(instance, "load", at)[2] == [7]
    assert peek(instance, 16, 7) == b"sixteen"


def test_memory_grows_inside_host_functions_many_times(long: bool) -> None:
    """The span is asked for at each call: what a nested export moved is not written where it was."""
    engine = _core.Engine("wasmtime", PATH, reservation=65536, guard=65536)

    def grow(*_: int) -> int:
        return int(run(instance, "grow", 1)[2][0])

    wat = """(module (import "env" "f" (func $f (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "go") (param $n i32) (result i32) (local $at i32)
        (loop $again
          (local.set $at (i32.mul (call $f (i32.const 0)) (i32.const 65536)))
          (if (call $r (local.get $at) (i32.const 16)) (then (unreachable)))
          (if (i32.eqz (i32.load (local.get $at))) (then (nop)))
          (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (memory.size)))"""
    instance = make(engine, wat, functions=[("env", "f", "i", "i", grow, 0)])
    times = 1000 if long else 150  # each time all of it is copied
    assert run(instance, "go", times)[2] == [times + 1]


def test_limits(engine: Engine | _core.Engine) -> None:
    instance = make(engine, build.wat("table").read_bytes(), {"table_elements": 100})
    assert [run(instance, "grow", n)[2][0] for n in (99, 1, 0)] == [1, -1, 100]
    two = (
        '(module (memory 1 10) (memory 1 10) (func (export "go") (result i32) (memory.grow 1 (i32.const 3))))'
    )
    assert run(make(engine, two, {"memory_bytes": 10 * 65536}), "go")[2] == [1]
    with pytest.raises(_core.CoreError):
        make(engine, "(module (memory 5))", {"memory_bytes": 65536})


def test_fuel() -> None:
    engine = _core.Engine("wasmtime", PATH, fuel=True)
    instance = make(engine, build.wat("loop").read_bytes(), {"fuel": 10_000})
    assert instance.fuel() == 10_000
    assert run(instance, "forever", result="")[0] == _core.LIMIT
    assert instance.end() == (_core.LIMIT, 0, "fuel") and instance.fuel() == 0
    unlimited = make(engine, build.wat("values").read_bytes())
    assert run(unlimited, "i32", 5)[2] == [5] and unlimited.fuel() > 10**18


@pytest.mark.parametrize("stack", [64 << 10, 512 << 10, 0])
def test_the_stack_of_the_guest_is_bounded(stack: int) -> None:
    instance = make(_core.Engine("wasmtime", PATH, wasm_stack=stack), build.wat("loop").read_bytes())
    err, text, _ = run(instance, "deep", 0)
    assert err == _core.TRAP_ENGINE and text.startswith("stack-overflow: ")


def test_a_deep_chain_through_the_host_ends_in_a_trap(engine: Engine | _core.Engine) -> None:
    """Guest, host, guest, host ...: the stack that is left bounds it, not the process."""

    def back(n: int) -> int:
        err, _, values = run(instance, "go", n + 1)
        return values[0] if not err else n

    wat = """(module (import "env" "back" (func $back (param i32) (result i32)))
      (func (export "go") (param i32) (result i32) (call $back (local.get 0))))"""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        instance = make(engine, wat, functions=[("env", "back", "i", "i", back, 0)])
        err, text, _ = run(instance, "go", 0)
        assert err in (_core.TRAP_ENGINE, _core.HOST), text
    finally:
        sys.setrecursionlimit(before)


def test_code_that_is_kept(engine: Engine | _core.Engine, tmp_path: Path) -> None:
    code = engine.load(build.guest("hello").read_bytes()).serialize()
    file = tmp_path / "code"
    file.write_bytes(code)
    world = _core.Sys({})
    world.stdio_capture(1, 100)
    instance = _core.Instance(engine.restore(os.fspath(file)), world)
    assert run(instance, "_start", result="")[0] in {0, _core.EXIT} and world.captured(1).startswith(b"hello")
    for damaged in (b"", code[:100], b"\x7fELF" + bytes(1000), b"nonsense" * 50):
        file.write_bytes(damaged)
        with pytest.raises(_core.CoreError) as caught:
            engine.restore(os.fspath(file))
        assert caught.value.code == _core.INVALID
    file.write_bytes(code)
    with pytest.raises(_core.CoreError):  # made for another configuration
        _core.Engine("wasmtime", PATH, fuel=True).restore(os.fspath(file))
    with pytest.raises(_core.CoreError):
        engine.restore(os.fspath(tmp_path / "none"))


@pytest.mark.parametrize("raw", [b"", b"\0asm", b"\0asm\1\0\0\0\xff", b"\0asm\1\0\0\0\1\2\1\x60"])
def test_bytes_that_are_no_module(engine: Engine | _core.Engine, raw: bytes) -> None:
    with pytest.raises(_core.CoreError) as caught:
        engine.load(raw)
    assert caught.value.code == _core.INVALID and caught.value.text


def test_functions_of_too_many_values(engine: Engine | _core.Engine) -> None:
    """Loaded and described, but neither callable nor importable."""
    many = " ".join(["i32"] * 40)
    instance = make(
        engine,
        f'(module (func (export "f") (param {many})) (func (export "e") (result externref) unreachable))',
    )
    for name in (b"f", b"e"):
        assert instance.call(name, (), "", "", 0, False)[0] == _core.MISSING
    with pytest.raises(_core.CoreError) as caught:
        make(engine, f'(module (import "env" "f" (func (param {many}))))')
    assert caught.value.code == _core.LINK
    exports = {item[1]: item for item in instance.module.externs(True)}
    assert re.fullmatch(r"i+\+", exports["f"][3]) and exports["e"][4] == "?"


# Asked for these types, the engine's C interface ends the process.
NOT_DESCRIBABLE = [
    '(func (export "x") (param v128))',
    '(func (export "x") (result v128) unreachable)',
    '(import "m" "f" (func (param v128)))',
    '(import "m" "f" (func (param i32) (result i32 v128)))',
    '(type $t (func)) (func (export "x") (param (ref $t)))',
    '(type $t (func)) (func (export "x") (param (ref null $t)))',
    '(type $s (struct (field i32) (field (mut i8)) (field anyref))) (func (export "x") (param (ref null $s)))',
    '(rec (type $a (array (mut i16))) (type $b (sub (func (param (ref $a)))))) (func (export "x") (type $b))',
    '(func (export "x") (param anyref i31ref eqref exnref))',
    '(func (export "x") (param (ref func)))',
    '(table (export "x") i64 1 0x200000000 funcref)',
    '(table (export "x") i64 0 0xffffffffffffffff funcref)',
    '(import "m" "t" (table i64 0x200000000 funcref))',
    '(table (export "x") 1 (ref func) (ref.func $f)) (func $f)',
]


@pytest.mark.parametrize("body", NOT_DESCRIBABLE)
def test_types_that_cannot_cross_are_refused(engine: Engine | _core.Engine, body: str) -> None:
    raw = engine.wat(f"(module {body})".encode())
    with pytest.raises(_core.CoreError) as caught:
        engine.load(raw)
    assert caught.value.code == _core.INVALID and "cannot cross to the host" in caught.value.text


DESCRIBABLE = [
    '(func (param v128)) (func $g (result v128) unreachable) (func (export "x"))',  # inside it may have them
    '(func (export "x") (param i32 i64 f32 f64 funcref externref) (result externref) unreachable)',
    '(type $s (struct (field i8) (field v128))) (type $a (array i16)) (func (export "x"))',
    '(rec (type $a (sub (struct))) (type $b (sub $a (struct)))) (func (param (ref $b))) (func (export "x"))',
    '(global (export "x") v128 (v128.const i64x2 0 0)) (global (export "y") anyref (ref.null any))',
    '(table (export "x") 1 externref) (table i64 5 6 funcref) (memory (export "m") i64 1)',
    '(table 1 (ref func) (ref.func $f)) (func $f) (func (export "x"))',
    '(tag (export "x") (param i64)) (import "m" "n" (tag (param i32)))',
    '(import "m" "m" (memory 1 2)) (import "m" "g" (global (mut i64))) (import "m" "t" (table 1 externref))',
    '(import "m" "f" (func (param i32))) (export "x" (func 0))',
    '(@custom "name of a section" "data") (func (export "x"))',
    "",
]


@pytest.mark.parametrize("body", DESCRIBABLE)
def test_types_that_can_cross_are_described(engine: Engine | _core.Engine, body: str) -> None:
    fields = body.replace(
        '(tag (export "x") (param i64)) (import "m" "n" (tag (param i32)))',
        '(import "m" "n" (tag (param i32))) (tag (export "x") (param i64))',
    )
    module = engine.load(engine.wat(f"(module {fields})".encode()))
    assert len(module.externs(True)) == body.count("(export")
    assert len(module.externs(False)) == body.count("(import")


@pytest.mark.parametrize("name", ["tour", "stock", "chatter", "reactor"])
def test_programs_are_not_refused(engine: Engine | _core.Engine, name: str) -> None:
    path = build.BUILD / f"{name}.wasm" if name == "stock" else build.guest(name)
    if path.exists():
        assert engine.load(path.read_bytes()).externs(True)


def test_missing_libraries_and_symbols(tmp_path: Path) -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasmtime", os.fspath(tmp_path / "none.so"))
    assert caught.value.code == _core.MISSING
    with pytest.raises(
        _core.CoreError, match=r"not a library of a wasmtime that is supported: .* is missing"
    ):
        _core.Engine("wasmtime", _core.__file__)


def test_no_memory_for_an_engine_or_an_instance() -> None:
    kernel = _core.FakeOs()
    for nth in range(1, 12):
        kernel.clear()
        kernel.inject("alloc", nth, 1, err=E.NOMEM)
        try:
            engine = _core.Engine("wasmtime", PATH, os=kernel)
            module = engine.load(engine.wat(build.wat("raw").read_bytes()))
            _core.Instance(module, _core.Sys({}))
        except MemoryError:
            pass

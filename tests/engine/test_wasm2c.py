"""engine/wasm2c.c and aot_rt: compiled guests keep each rule that the module's own bytes would have kept."""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine import numbers
from tests.engine.seam import call, peek, poke, run, size
from tests.engine.test_wasmtime import TRAPS
from tests.guests import aot, build
from tests.guests.aot import Options
from tests.programs import wabt
from wasi_native import _core, engines

VERSIONS = {"debian": wabt.debian, "npm": wabt.npm}


@pytest.fixture(params=VERSIONS)
def options(request: pytest.FixtureRequest) -> Options:
    """Of both versions of wasm2c."""
    return Options(wasm2c=str(VERSIONS[request.param]()))


def make(
    source: str | bytes | Path,
    options: Options | None = None,
    limits: dict[str, int] | None = None,
    **more: Any,
) -> _core.Instance:
    engine = more.pop("engine", None) or _core.Engine("wasm2c", tick_ms=5)
    return _core.Instance(aot.restore(engine, source, options), _core.Sys(limits or {}), **more)


def exports(functions: str, head: str = "") -> str:
    return f"(module {head} {functions})"


# ---- traps ----


def test_traps_have_the_kinds_of_other_engines(options: Options) -> None:
    bodies = "".join(
        f'(func (export "{kind}") {body})' for kind, body in TRAPS.items() if kind != "stack-overflow"
    )
    head = """(type $v (func)) (memory 1) (table $t 2 funcref) (elem (i32.const 0) $other)
      (func $other (param i32)) (func $inner (call $inner)) (func (export "stack-overflow") (call $inner))
      (func (export "table.get") (drop (table.get $t (i32.const 2))))
      (func (export "table.set") (table.set $t (i32.const 2) (ref.null func)))
      (func (export "table.fill") (table.fill $t (i32.const 1) (ref.null func) (i32.const 2)))
      (func (export "table.copy") (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 2)))
      (func (export "memory.fill") (memory.fill (i32.const 65535) (i32.const 0) (i32.const 2)))
      (func (export "memory.copy") (memory.copy (i32.const 0) (i32.const -1) (i32.const 1)))"""
    kinds = dict.fromkeys(("table.get", "table.set", "table.fill", "table.copy"), "table-out-of-bounds")
    kinds |= dict.fromkeys(("memory.fill", "memory.copy"), "memory-out-of-bounds")
    for name in (*TRAPS, *kinds):
        instance = make(exports(bodies, head), options)
        err, text, _ = run(instance, name, result="")
        assert (err, text.split(":")[0]) == (_core.TRAP_ENGINE, kinds.get(name, name)), name
        assert instance.end() == (_core.TRAP_ENGINE, 0, None)
        assert run(instance, name, result="")[0] == _core.INVALID


_WIDTHS = {
    "i32.load8_u": 1,
    "i32.load16_s": 2,
    "i32.load": 4,
    "i64.load32_u": 4,
    "i64.load": 8,
    "f32.load": 4,
}
_WIDTHS |= {"f64.load": 8, "i32.store8": 1, "i64.store16": 2, "i32.store": 4, "i64.store": 8, "f64.store": 8}


def test_the_edges_of_memory(options: Options) -> None:
    """Each access is as wide as it is: the last place that fits, and the next; offsets do not wrap."""
    functions = []
    for n, name in enumerate(_WIDTHS):
        kind = name[:3]
        value = f"({kind}.const 1)" if "store" in name else ""
        access = f"({name} {{}} (local.get 0) {value})"
        wrap = "{}" if value else "(drop {})"
        for m, offset in enumerate(("", "offset=65528", "offset=4294967295")):
            body = wrap.format(access.format(offset))
            functions.append(f'(func (export "f{n}.{m}") (param i32) {body})')
    module = exports("".join(functions), '(memory (export "memory") 1)')
    engine = _core.Engine("wasm2c")
    loaded = aot.restore(engine, module, options)
    for n, width in enumerate(_WIDTHS.values()):
        for m, base in enumerate((0, 65528, 2**32 - 1)):
            for address in (65536 - width, 65537 - width, 8 - width, 9 - width, 0, 2**32 - 1, 2**32 - width):
                if address < 0:
                    continue
                instance = _core.Instance(loaded, _core.Sys({}))
                err = run(instance, f"f{n}.{m}", address - 2**32 * (address >= 2**31), result="")[0]
                fits = base + address + width <= 65536
                assert err == (0 if fits else _core.TRAP_ENGINE), (n, m, address)


def test_data_and_elements_that_do_not_fit(options: Options) -> None:
    data = '(module (memory 1) (data (i32.const 65535) "ab"))'
    elements = "(module (table 1 funcref) (elem (i32.const 1) $f) (func $f))"
    for wat, kind in ((data, "memory-out-of-bounds"), (elements, "table-out-of-bounds")):
        with pytest.raises(_core.CoreError) as caught:
            make(wat, options)
        assert caught.value.code == _core.TRAP_ENGINE and caught.value.text.startswith(kind)


# ---- the stack ----

DEEP = """(module (import "env" "f" (func $f (param i32)))
  (func $down (export "down") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
  (func $ends (export "ends") (param i32) (call $f (local.get 0)) (call $ends (i32.add (local.get 0) (i32.const 1))))
  (func (export "fine") (result i32) (i32.const 7)))"""


def in_thread(stack: int, work: Callable[[], Any]) -> Any:
    found: list[Any] = []
    before = threading.stack_size(stack)
    try:
        thread = threading.Thread(target=lambda: found.append(work()))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    return found[0]


@pytest.mark.parametrize("stack", [256 << 10, 1 << 20, 8 << 20])
def test_deep_calls_end_in_a_trap_on_any_stack(stack: int) -> None:
    """The engine would allow 64 MiB: the thread's own end counts, and the host's functions still have room."""
    deepest = 0

    def note(depth: int) -> None:
        nonlocal deepest
        deepest = depth

    def work() -> tuple[int, str]:
        instance = make(
            DEEP,
            engine=_core.Engine("wasm2c", wasm_stack=64 << 20),
            functions=[("env", "f", "i", "", note, 0)],
        )
        assert run(instance, "down", 100)[2] == [100]
        err, text, _ = run(instance, "ends", 0, result="")
        return err, text

    err, text = in_thread(stack, work)
    assert err == _core.TRAP_ENGINE and text.startswith("stack-overflow: ")
    assert 500 < deepest < stack / 16


def test_the_stack_of_the_configuration_is_kept() -> None:
    depths = []
    for stack in (64 << 10, 256 << 10):
        found: list[int] = []
        engine = _core.Engine("wasm2c", wasm_stack=stack)
        instance = make(DEEP, engine=engine, functions=[("env", "f", "i", "", found.append, 0)])
        assert run(instance, "ends", 0, result="")[1].startswith("stack-overflow: ")
        depths.append(len(found))
    assert depths[0] * 3 < depths[1] < depths[0] * 5


def test_a_limit_of_depth(options: Options) -> None:
    shallow = Options(call_depth=50, wasm2c=options.wasm2c)
    nothing = [("env", "f", "i", "", lambda _: None, 0)]
    assert run(make(DEEP, shallow, functions=nothing), "down", 49)[2] == [49]
    instance = make(DEEP, shallow, functions=nothing)
    for _ in range(3):  # what a call took is given back
        assert run(instance, "down", 49)[2] == [49]
    assert run(instance, "down", 50)[1].startswith("stack-overflow: ")


def test_a_deep_chain_through_the_host_ends_in_a_trap() -> None:
    def back(n: int) -> int:
        err, _, values = run(instance, "go", n + 1)
        return values[0] if not err else n

    wat = """(module (import "env" "back" (func $back (param i32) (result i32)))
      (func (export "go") (param i32) (result i32) (call $back (local.get 0))))"""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        instance = make(wat, functions=[("env", "back", "i", "i", back, 0)])
        err, text, _ = run(instance, "go", 0)
        assert err in (_core.TRAP_ENGINE, _core.HOST), text
    finally:
        sys.setrecursionlimit(before)


# ---- interruption and fuel ----

ENDLESS = {
    "loop": "(loop $l (br $l))",
    "counted": "(local i32) (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br_if $l (i32.const 1)))",
    "table": "(block $b (loop $l (br_table $l $l $b (i32.const 0))))",
    "nested": "(loop $a (loop $b (br $a)))",
    "calls": "(drop (call $fib (i32.const 60)))",
    "value": "(drop (loop $l (result i32) (br_if $l (i32.const 1) (i32.const 1))))",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_whatever_does_not_end_is_ended(name: str, options: Options) -> None:
    body = ENDLESS[name] if name != "value" else "(loop $l (br_if $l (i32.const 1)))"
    fib = """(func $fib (param i32) (result i32) (if (i32.lt_u (local.get 0) (i32.const 2))
      (then (return (local.get 0)))) (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
      (call $fib (i32.sub (local.get 0) (i32.const 2)))))"""
    wat = exports(f'(func (export "go") {body})', fib)
    instance = make(wat, options)
    assert call(instance, "go", result="", deadline=time.monotonic_ns() + 30 * 10**6) == _core.TIMEOUT
    instance = make(wat, options)
    timer = threading.Timer(0.02, instance.cancel)
    timer.start()
    assert call(instance, "go", result="") == _core.CANCELLED
    timer.join()


def test_a_start_function(options: Options) -> None:
    seen: list[tuple[int, ...]] = []
    wat = """(module (import "env" "f" (func $f (param i32 i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 8) "here")
      (func $go (drop (call $r (i32.const 64) (i32.const 8))) (call $f (i32.const 8) (i32.const 4))) (start $go))"""
    functions = [("env", "f", "ii", "", lambda *args: seen.append(args), 0)]
    instance = make(wat, options, functions=functions)
    assert seen == [(8, 4)] and peek(instance, 64, 8) != bytes(8)
    for body, code, ms in (
        ("(unreachable)", _core.TRAP_ENGINE, 20_000),
        ("(loop $l (br $l))", _core.TIMEOUT, 50),
    ):
        module = aot.restore(_core.Engine("wasm2c"), f"(module (func $go {body}) (start $go))", options)
        with pytest.raises(_core.CoreError) as caught:
            _core.Instance(module, _core.Sys({}), deadline=time.monotonic_ns() + ms * 10**6)
        assert caught.value.code == code


def test_fuel(options: Options) -> None:
    counted = Options(fuel=True, wasm2c=options.wasm2c)
    instance = make(build.wat("loop"), counted, {"fuel": 10_000})
    assert instance.fuel() == 10_000
    assert run(instance, "forever", result="")[0] == _core.LIMIT
    assert instance.end() == (_core.LIMIT, 0, "fuel") and instance.fuel() == 0
    unlimited = make(build.wat("values"), counted)
    assert run(unlimited, "i32", 5)[2] == [5] and unlimited.fuel() > 10**18
    with pytest.raises(_core.CoreError, match="compiled without fuel"):
        make(build.wat("loop"), options, {"fuel": 10_000})
    assert make(build.wat("loop"), options).fuel() == 0


def test_without_checks(options: Options) -> None:
    """Such a guest runs, but not where somebody counts on ending it."""
    bare = Options(checks=False, wasm2c=options.wasm2c)
    instance = make(build.wat("values"), bare)
    assert run(instance, "i32", 5)[2] == [5]
    err, text, _ = run(instance, "i32", 5, deadline=time.monotonic_ns() + 10**9)
    assert err == _core.INVALID and "compiled without checks" in text
    assert run(instance, "i32", 5)[2] == [5]
    with pytest.raises(_core.CoreError, match="compiled without checks"):
        make(build.wat("values"), bare, {"cpu_ns": 10**9})


# ---- memory, tables, limits ----


def test_memory_grows_and_moves(options: Options) -> None:
    instance = make(build.wat("memory"), options)
    for pages in range(1, 40):
        assert run(instance, "grow", 1)[2] == [pages]
        at = pages * 65536
        assert poke(instance, at, b"\x07") and run(instance, "load", at)[2] == [7]
    assert peek(instance, 16, 7) == b"sixteen"


def test_memory_grows_inside_host_functions_many_times(options: Options) -> None:
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

    def grow(*_: int) -> int:
        return int(run(instance, "grow", 1)[2][0])

    instance = make(wat, options, functions=[("env", "f", "i", "i", grow, 0)])
    assert run(instance, "go", 1000)[2] == [1001]


def test_limits(options: Options) -> None:
    instance = make(build.wat("table"), options, {"table_elements": 100})
    assert [run(instance, "grow", n)[2][0] for n in (99, 1, 0)] == [1, -1, 100]
    two = (
        '(module (memory 1 10) (memory 1 10) (func (export "go") (result i32) (memory.grow 1 (i32.const 3))))'
    )
    if "npm" in str(options.wasm2c):
        assert run(make(two, options, {"memory_bytes": 5 * 65536}), "go")[2] == [1]
        assert run(make(two, options, {"memory_bytes": 4 * 65536}), "go")[2] == [-1]
    with pytest.raises(_core.CoreError, match="memory minimum size of 5 pages"):
        make("(module (memory 5))", options, {"memory_bytes": 65536})
    with pytest.raises(_core.CoreError, match="table minimum size of 5 elements"):
        make("(module (table 5 funcref))", options, {"table_elements": 4})
    grow = '(func (export "go") (param i32) (result i32) (memory.grow (local.get 0)))'
    small = f'(module (memory (export "memory") 0 3) {grow})'
    instance = make(small, options)
    assert size(instance) == 0
    assert [run(instance, "go", n)[2][0] for n in (0, 3, 1, 0, -1)] == [0, 0, -1, 3, -1]
    assert size(instance) == 3 * 65536 and peek(instance, 0, 3 * 65536) == bytes(3 * 65536)


def test_addresses_from_2_31_up(options: Options) -> None:
    instance = make(build.wat("high"), options)
    for at in (2**31 - 8, 2**31, 2**31 + 8, 33000 * 65536 - 8):
        assert run(instance, "clock", at - 2**32 if at >= 2**31 else at)[2] == [0]
        assert int.from_bytes(peek(instance, at, 8) or b"", "little") > 10**18
    assert run(instance, "clock", 33000 * 65536 - 2**32)[0] == _core.TRAP_BOUNDS


def test_no_memory_for_an_instance(options: Options) -> None:
    kernel = _core.FakeOs()
    engine = _core.Engine("wasm2c", os=kernel)
    module = aot.restore(engine, build.wat("table"), options)
    for name in ("alloc", "pages_resize", "resize"):
        for nth in range(1, 8):
            kernel.clear()
            kernel.inject(name, nth, 1, err=48)
            try:
                instance = _core.Instance(module, _core.Sys({}))
            except (_core.CoreError, MemoryError):
                continue
            assert run(instance, "grow", 0)[0] == 0
    kernel.clear()
    kernel.inject("stack_get", 1, 0, err=48)  # then only the configured size counts
    assert run(_core.Instance(module, _core.Sys({})), "grow", 0)[0] == 0


# ---- calls through the host ----


def test_a_trap_inside_a_nested_call_ends_that_call_alone(options: Options) -> None:
    """Each call unwinds to itself: the frames of the host between two of them return by themselves."""
    wat = """(module (import "env" "f" (func $f (param i32) (result i32)))
      (func (export "boom") (unreachable)) (func (export "out") (result i32) (call $f (i32.const 1)))
      (func (export "good") (result i32) (i32.const 5)))"""
    log: list[Any] = []

    def f(_: int) -> int:
        log.append(run(instance, "good"))
        log.append(run(instance, "boom", result="")[1].split(":")[0])
        log.append("host goes on")
        return 3

    instance = make(wat, options, functions=[("env", "f", "i", "i", f, 0)])
    err, text, _ = run(instance, "out")
    assert log == [(0, "", [5]), "unreachable", "host goes on"]
    assert err == _core.TRAP_ENGINE and instance.end()[0] == _core.TRAP_ENGINE, text


def test_two_guests_that_call_each_other(options: Options) -> None:
    """The guest that runs is another one meanwhile: a trap of the outer finds its own way out after that."""
    wat = """(module (import "env" "f" (func $f (param i32) (result i32)))
      (func (export "go") (param i32) (result i32) (i32.div_u (i32.const 100) (call $f (local.get 0)))))"""
    inner = make(wat, options, functions=[("env", "f", "i", "i", lambda n: n, 0)])
    outer = make(wat, options, functions=[("env", "f", "i", "i", lambda n: run(inner, "go", n)[2][0], 0)])
    assert run(outer, "go", 20)[2] == [20]
    assert run(outer, "go", 200)[1].startswith("integer-division-by-zero")
    assert inner.end()[0] == 0 and run(inner, "go", 4)[2] == [25]


def test_functions_of_the_host_that_fail(options: Options) -> None:
    wat = """(module (import "env" "f" (func $f (param i32 i64 f32 f64) (result f64)))
      (func (export "go") (param i32 i64 f32 f64) (result f64)
        (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))))"""
    seen: list[tuple[float, ...]] = []

    def f(*args: float) -> float:
        seen.append(args)
        if args[0] == 0:
            raise KeyError
        return args[3] * 2

    world = _core.Sys({})
    engine = _core.Engine("wasm2c")
    instance = _core.Instance(aot.restore(engine, wat, options), world, [("env", "f", "iIfF", "F", f, 0)])
    values = (-1, -(2**63), 1.5, 0.1)
    assert run(instance, "go", *values, kinds="iIfF", result="F")[2] == [0.2] and seen == [values]
    assert run(instance, "go", 0, 0, 0.0, 0.0, kinds="iIfF", result="F")[0] == _core.HOST
    assert isinstance(world.take_pending(), KeyError)


def test_many_instances_in_many_threads(options: Options) -> None:
    """One library: what one guest does, its traps too, no other one sees."""
    wat = """(module (memory (export "memory") 1) (global $g (mut i32) (i32.const 0)) (table 2 8 funcref)
      (func (export "add") (param i32) (result i32)
        (global.set $g (i32.add (global.get $g) (local.get 0)))
        (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get 0)))
        (i32.add (global.get $g) (i32.load (i32.const 8))))
      (func (export "boom") (param i32) (i32.store (local.get 0) (i32.const 1))))"""
    engine = _core.Engine("wasm2c")
    module = aot.restore(engine, wat, options)
    wrong: list[Any] = []

    def work(step: int) -> None:
        for _ in range(50):
            pair = [_core.Instance(module, _core.Sys({})) for _ in range(2)]
            for n in range(1, 20):
                for factor, instance in enumerate(pair, 1):
                    if run(instance, "add", step * factor)[2] != [2 * n * step * factor]:
                        wrong.append((step, n))
            if run(pair[0], "boom", 65533, result="")[0] != _core.TRAP_ENGINE:
                wrong.append("no trap")
            if run(pair[1], "add", 0)[0]:
                wrong.append("the other one ended")

    threads = [threading.Thread(target=work, args=(step,)) for step in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---- what the module says ----


def test_names_are_numbers_to_the_compiler(options: Options) -> None:
    """A name could be code: wasm2c 1.0.32 writes it into a comment as it is."""
    names = ['*/ #error "injected"\n/*', '"; abort(); //', "", "\\", "e0", "i0", "ä€\U0001f600", "a\0b", "%s"]
    escaped = ["".join(f"\\{byte:02x}" for byte in name.encode()) for name in names]
    imports = "".join(f'(import "{e}" "{e}" (func (param i32)))' for e in escaped)
    wat = exports(
        "".join(f'(func (export "{e}") (result i32) (i32.const {n}))' for n, e in enumerate(escaped)), imports
    )
    functions = [(name, name, "i", "", lambda _: None, 0) for name in names if "\0" not in name]
    engine = _core.Engine("wasm2c")
    module = aot.restore(engine, wat, options)
    assert [item[:2] for item in module.externs(False)] == [(name, name) for name in names]
    assert [item[1] for item in module.externs(True)] == names
    with pytest.raises(_core.CoreError) as caught:
        _core.Instance(module, _core.Sys({}), functions)
    assert caught.value.code == _core.LINK
    assert run(
        make(
            wat.replace(f'(import "{escaped[7]}" "{escaped[7]}" (func (param i32)))', ""),
            options,
            functions=functions,
        ),
        "%s",
    )[2] == [8]


def test_externs(options: Options) -> None:
    many = " ".join(["i64"] * 40)
    wat = f"""(module (memory (export "m") 1 9) (table (export "t") 3 funcref) (global (export "g") i32 (i32.const 1))
      (func (export "two") (param f32) (result i32 f64) (i32.const 7) (f64.promote_f32 (local.get 0)))
      (func (export "ref") (param externref)) (func (export "many") (param {many})))"""
    instance = make(wat, options)
    found = {item[1]: item[2:7] for item in instance.module.externs(True)}
    assert found["m"] == (3, "", "", 1, 9) and found["t"] == (2, "", "", 3, None) and found["g"][0] == 1
    assert found["two"][1:3] == ("f", "iF") and found["ref"][1] == "?" and found["many"][1] == "I" * 30 + "+"
    assert run(instance, "two", 0.5, kinds="f", result="iF")[2] == [7, 0.5]
    assert run(instance, "ref", result="")[0] == _core.MISSING
    assert size(instance, b"m") == 65536
    with pytest.raises(_core.CoreError):
        size(instance, b"t")


def test_imports_that_no_row_has(options: Options) -> None:
    wat = """(module (import "a" "two" (func (result i32 i32))) (import "a" "ref" (func (param externref)))
      (import "a" "unused" (func (param f32))) (import "a" "two" (func (param i32)))
      (func (export "go") (drop (drop (call 0))) (call 1 (ref.null extern)) (call 3 (i32.const 1))))"""
    with pytest.raises(_core.CoreError) as caught:
        make(wat, options)
    assert caught.value.code == _core.LINK and caught.value.text.count("\n") == 3


# ---- files ----


def test_files_that_are_no_guests(tmp_path: Path) -> None:
    engine = _core.Engine("wasm2c")
    with pytest.raises(_core.CoreError, match="wasi-native compile"):
        engine.load(b"\0asm\1\0\0\0")
    good = aot.library(build.wat("values")).read_bytes()
    wrong = tmp_path / "wrong.so"
    for data, why in (
        (b"", "too short|Exec format"),
        (b"nonsense" * 100, "ELF|Exec format"),
        (good[:200], "file too short|ELF|cannot read|Exec format"),
    ):
        wrong.write_bytes(data)
        with pytest.raises(_core.CoreError, match=why) as caught:
            engine.restore(os.fspath(wrong))
        assert caught.value.code == _core.INVALID
    with pytest.raises(_core.CoreError, match="is no compiled guest"):
        engine.restore("libm.so.6")
    with pytest.raises(_core.CoreError):
        engine.restore(os.fspath(tmp_path / "none.so"))
    head = struct.pack("<III", 1, 0, 8 * struct.calcsize("P"))
    at = next(
        i for i in range(0, len(good), 4) if good[i : i + 4] == head[:4] and good[i + 8 : i + 12] == head[8:]
    )
    for offset, number, why in (
        (0, 2, "interface 2"),
        (8, 96 - 8 * struct.calcsize("P"), "another kind of machine"),
    ):
        (tmp_path / f"{offset}.so").write_bytes(
            good[: at + offset] + struct.pack("<I", number) + good[at + offset + 4 :]
        )
        with pytest.raises(_core.CoreError, match=why):
            engine.restore(os.fspath(tmp_path / f"{offset}.so"))


# ---- numbers ----


def outcomes(instance_of: Callable[[], _core.Instance]) -> dict[tuple[str, tuple[int, ...]], Any]:
    """The result of each instruction for each pair of values, or the kind of its trap."""
    found: dict[tuple[str, tuple[int, ...]], Any] = {}
    instance = instance_of()
    letters = {"i32": "i", "f32": "i", "i64": "I", "f64": "I"}
    for name, (operands, result) in numbers.instructions().items():
        choices = [[(a,) for a in numbers.VALUES[operands[0]]]]
        names = [name]
        if len(operands) == 2:
            choices = [[(a, b) for a in numbers.VALUES[operands[0]] for b in numbers.VALUES[operands[1]]]]
            constants = 3 if operands[0][0] == "i" else 4
            names += [f"{name} {n}" for n in range(constants)]
            choices += [[(a,) for a in numbers.VALUES[operands[0]]]] * constants
        for export, values in zip(names, choices, strict=True):
            for args in values:
                given = [numbers.signed(v, kind) for v, kind in zip(args, operands, strict=False)]
                kinds = "".join(letters[kind] for kind in operands[: len(args)])
                err, text, answer = run(instance, export, *given, kinds=kinds, result=letters[result])
                found[export, args] = text.split(":")[0] if err else answer[0]
                if err:
                    instance = instance_of()
    return found


def test_numbers_are_those_of_another_engine(options: Options) -> None:
    """Bit for bit, traps too; of a NaN, that it is one and, where it was computed, a quiet one."""
    text = numbers.module()
    other = _core.Engine("wasmtime", engines.find("wasmtime").path)
    reference = other.load(aot.binary(text))
    module = aot.restore(_core.Engine("wasm2c"), text, options)
    wanted = outcomes(lambda: _core.Instance(reference, _core.Sys({})))
    got = outcomes(lambda: _core.Instance(module, _core.Sys({})))
    assert len(wanted) == len(got) > 20_000
    types = numbers.instructions()
    keep = ("abs", "neg", "copysign", "reinterpret")  # these move bits and compute nothing
    wrong = []
    for (export, args), value in wanted.items():
        name, kind = export.split()[0], types[export.split()[0]][1]
        mine = got[export, args]
        if (
            kind[0] == "f"
            and isinstance(value, int)
            and numbers.is_nan(value, kind)
            and not any(k in name for k in keep)
        ):
            if not (isinstance(mine, int) and numbers.is_nan(mine, kind) and numbers.is_quiet(mine, kind)):
                wrong.append((export, [hex(a) for a in args], mine, value))
        elif mine != value:
            wrong.append((export, [hex(a) for a in args], mine, value))
    assert wrong == [], f"{len(wrong)}: {wrong[:5]}"

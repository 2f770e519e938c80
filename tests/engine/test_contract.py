"""The contract of an adapter, continued, on every engine that runs wasm: start sections, stacks, ends, numbers.

What differs is read from the engine's abilities; test_engine.py has what the fake engine can do too.
"""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.libraries import library
from tests.engine.seam import peek, run, size
from tests.guests import aot
from tests.support import SANITIZED, rss
from wasi_native import Cancelled, Host, Policy, _core

ENGINES = ["wasmtime", "wasm2c", "wasm_c_api", "wasm3", "wasm3-old"]
ROOT = Path(__file__).resolve().parents[2]
STACK = 64 << 10


class Engine:
    """An engine at the seam that takes text."""

    def __init__(self, name: str, **config: Any) -> None:
        self.name = name.partition("-")[0]
        self.core = _core.Engine(self.name, library(name), tick_ms=5, **config)

    def load(self, wat: str) -> _core.Module:
        return aot.restore(self.core, wat) if self.name == "wasm2c" else self.core.load(aot.binary(wat))

    def start(
        self, wat: str, *functions: tuple[Any, ...], seconds: float = 0, **limits: int
    ) -> _core.Instance:
        module = self.load(wat)
        deadline = time.monotonic_ns() + int(seconds * 1e9) if seconds else 0
        return _core.Instance(module, _core.Sys(limits), list(functions), deadline=deadline)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made = Engine(request.param)
    yield made
    del made.core


START = """(module (import "env" "f" (func $f (param i32 i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 8) "here")
  (func $go (drop (call $r (i32.const 64) (i32.const 8))) (call $f (i32.const 8) (i32.const 4))) (start $go)
  (func (export "again") (result i32) (call $r (i32.const 96) (i32.const 8))))"""


def test_a_start_section_calls_hosts_and_has_memory(engine: Engine) -> None:
    seen: list[tuple[int, ...]] = []
    instance = engine.start(START, ("env", "f", "ii", "", lambda *args: seen.append(args), 0))
    assert seen == [(8, 4)] and peek(instance, 64, 8) != bytes(8) == peek(instance, 96, 8)
    assert run(instance, "again")[2] == [0] and peek(instance, 96, 8) != bytes(8)
    assert len(seen) == 1 and "wn:start" not in {item[1] for item in instance.module.externs(True)}


def test_a_start_section_that_is_an_import(engine: Engine) -> None:
    seen: list[int] = []
    engine.start(
        '(module (import "env" "f" (func $f)) (start $f))', ("env", "f", "", "", lambda: seen.append(1), 0)
    )
    assert seen == [1]


@pytest.mark.parametrize(
    ("body", "code"), [("(unreachable)", "TRAP_ENGINE"), ("(loop $l (br $l))", "TIMEOUT")]
)
def test_a_start_section_that_ends_the_guest(engine: Engine, body: str, code: str) -> None:
    with pytest.raises(_core.CoreError) as caught:
        engine.start(f"(module (func $go {body}) (start $go))", seconds=0.5)
    assert caught.value.code == getattr(_core, code)


# ---- stacks ----

LOOPS = 60
_MANY, _PASSED = "i64 " * 300, " ".join(f"(local.get {i})" for i in range(300))
RECURSION = {
    "calls": '(module (memory (export "memory") 1) (func $f (export "go") (call $f)))',
    "indirect": """(module (table 1 funcref) (elem (i32.const 0) $f)
      (func $f (export "go") (call_indirect (i32.const 0))))""",
    "loops": f'(module (func $f (export "go") {"(loop " * LOOPS} (call $f) {")" * LOOPS}))',
    "arguments": f"""(module (memory (export "memory") 1) (func $f (param {_MANY}) (call $f {_PASSED}))
      (func (export "go") (call $f {"(i64.const 7)" * 300})))""",
    "growth": """(module (memory (export "memory") 1)
      (func $f (export "go") (drop (memory.grow (i32.const 1))) (call $f)))""",
}


@pytest.mark.parametrize("kind", RECURSION)
@pytest.mark.parametrize("name", ENGINES)
def test_endless_recursion_is_a_trap_on_a_small_stack(name: str, kind: str) -> None:
    """The thread has less than musl's default times four; a guest must not run over its end."""
    made = Engine(name, wasm_stack=STACK)
    ended: list[Any] = []
    before = threading.stack_size(1 << 20 if SANITIZED else 512 << 10)
    try:
        thread = threading.Thread(
            target=lambda: ended.append(run(made.start(RECURSION[kind]), "go", result=""))
        )
        thread.start()
        thread.join(60)
    finally:
        threading.stack_size(before)
    assert ended[0][0] == _core.TRAP_ENGINE and ended[0][1].startswith("stack-overflow: "), ended


def test_endless_recursion_under_a_deadline_ends_either_way(engine: Engine) -> None:
    instance = engine.start(RECURSION["calls"])
    err, _, _ = run(instance, "go", result="", deadline=time.monotonic_ns() + 10**9)
    assert err in (_core.TRAP_ENGINE, _core.TIMEOUT)


def test_a_deep_chain_through_the_host_ends_the_guest_alone(engine: Engine) -> None:
    """Guest, host, guest, host ...: with a memory that grows on the way."""

    def back(n: int) -> int:
        run(instance, "grow", 1)
        err, _, values = run(instance, "go", n + 1)
        return values[0] if not err else n

    wat = """(module (import "env" "back" (func $back (param i32) (result i32))) (memory (export "memory") 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "go") (param i32) (result i32) (local i64 i64 i64) (call $back (local.get 0))))"""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(3000)
    instance = engine.start(wat, ("env", "back", "i", "i", back, 0), memory_bytes=50 * 65536)
    try:
        assert run(instance, "go", 0)[0] in (_core.TRAP_ENGINE, _core.HOST)
        assert 10 * 65536 < size(instance) <= 50 * 65536
    finally:
        sys.setrecursionlimit(before)
        instance.close()


# ---- results, values ----


def test_values_of_every_kind_cross_both_ways(engine: Engine) -> None:
    wat = """(module (import "env" "f" (func $f (param i32 i64 f32 f64) (result f64)))
      (memory (export "memory") 1)
      (func (export "f") (param i32 i64 f32 f64) (result f64)
        (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
      (func (export "narrow") (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
      (func (export "single") (param f32) (result f32) (f32.neg (local.get 0))))"""
    seen: list[tuple[Any, ...]] = []

    def f(*args: Any) -> float:
        seen.append(args)
        return -0.5

    instance = engine.start(wat, ("env", "f", "iIfF", "F", f, 0))
    err, _, values = instance.call(b"f", (-1, 2**62, 1.5, -2.25), "iIfF", "F", 0, False)
    assert (err, values, seen) == (0, [-0.5], [(-1, 2**62, 1.5, -2.25)])
    assert instance.call(b"narrow", (-(2**63) + 5,), "I", "i", 0, False)[2] == [5]
    assert instance.call(b"single", (3.5,), "f", "f", 0, False)[2] == [-3.5]


def test_several_results(engine: Engine) -> None:
    wat = '(module (func (export "two") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0)))'
    instance = engine.start(wat)
    assert instance.call(b"two", (-7, 2**40), "iI", "Ii", 0, False)[2] == [2**40, -7]


def test_exports_of_one_function_and_strange_names(engine: Engine) -> None:
    wat = """(module (func $f (export "a") (export "b") (export "") (result i32) (i32.const 5))
      (func (export "é\\u{1f980}") (result i32) (i32.const 6)))"""
    instance = engine.start(wat)
    for name, result in ((b"a", 5), (b"b", 5), (b"", 5), ("é\U0001f980".encode(), 6)):
        assert instance.call(name, (), "", "i", 0, False)[2] == [result], name
    assert instance.call(b"c", (), "", "i", 0, False)[0] == _core.MISSING


# ---- limits ----


def test_what_starts_over_its_limits_is_refused(engine: Engine) -> None:
    for wat in ("(module (memory 5))", '(module (memory (export "memory") 2))'):
        with pytest.raises(_core.CoreError) as caught:
            engine.start(wat, memory_bytes=65536)
        assert caught.value.code < 0
    if "table-limit" in engine.core.caps:
        with pytest.raises(_core.CoreError):
            engine.start("(module (table 50 funcref))", table_elements=49)
        engine.start("(module (table 50 funcref))", table_elements=50)


def test_each_instance_has_its_own_limit(engine: Engine) -> None:
    wat = """(module (memory (export "memory") 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
    module = engine.load(wat)
    alive = [_core.Instance(module, _core.Sys({"memory_bytes": n * 65536})) for n in (2, 4, 2)]
    assert [[run(one, "grow", 1)[2][0] for _ in range(4)] for one in alive] == [
        [1, -1, -1, -1],
        [1, 2, 3, -1],
        [1, -1, -1, -1],
    ]


def test_a_maximum_of_no_page_at_all(engine: Engine) -> None:
    wat = """(module (memory (export "memory") 0 0)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
    instance = engine.start(wat, memory_bytes=2 * 65536)
    assert run(instance, "grow", 2)[2] == [-1] and size(instance) == 0


# ---- ends ----


def test_a_cancel_from_a_signal_handler(engine: Engine) -> None:
    """The handler runs in the guest's own thread, in the middle of its computing."""
    name = next(n for n in ENGINES if n.partition("-")[0] == engine.name)
    with Host(Policy(), engine=engine.name, engine_path=library(name)) as host:
        wat = '(module (func (export "spin") (loop $l (br $l))))'
        module = aot.load(host, wat) if engine.name == "wasm2c" else host.load(aot.binary(wat))
        with module.instantiate() as instance:
            before = signal.signal(signal.SIGALRM, lambda *_: instance.cancel())
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.03)
                with pytest.raises(Cancelled):
                    instance.call("spin")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
        module.close()


def test_one_is_ended_and_the_others_compute_on(engine: Engine) -> None:
    wat = """(module (memory (export "memory") 1)
      (func (export "spin") (loop $l (i32.store (i32.const 0) (i32.const 1)) (br $l))))"""
    module = engine.load(wat)
    alive = [_core.Instance(module, _core.Sys({})) for _ in range(3)]
    ended: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: ended.append(run(one, "spin", result="")[0])) for one in alive
    ]
    for thread in threads:
        thread.start()
    for count, one in enumerate(alive, 1):
        time.sleep(0.03)
        one.cancel()
        threads[count - 1].join(20)
        assert ended == [_core.CANCELLED] * count
    assert [run(one, "spin", result="")[0] for one in alive] == [_core.INVALID] * 3


def test_instances_on_threads_start_and_end_at_once(engine: Engine) -> None:
    module = engine.load(START)
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                world = _core.Sys({"memory_bytes": (1 + (number + turn) % 3) * 65536})
                one = _core.Instance(module, world, [("env", "f", "ii", "", lambda *_: None, 0)])
                assert run(one, "again")[2] == [0]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


@pytest.mark.skipif(SANITIZED, reason="the sanitizer keeps what was freed")
def test_a_thousand_instances_leave_nothing(engine: Engine) -> None:
    module = engine.load(START)
    marks = []
    for number in range(1000):
        world = _core.Sys({})
        one = _core.Instance(module, world, [("env", "f", "ii", "", lambda *_: None, 0)])
        assert run(one, "again")[2] == [0]
        if number in (300, 999):
            gc.collect()
            marks.append(rss())
    assert marks[1] - marks[0] < 1 << 20


FAULTS = """
import sys
from tests.engine.libraries import library
from tests.guests import aot
from wasi_native import _core
name = sys.argv[1]
wasm = aot.binary(sys.argv[2])
kernel = _core.FakeOs()
for nth in range(1, 60):
    kernel.clear()
    kernel.inject("alloc", nth, 1, err=48)
    try:
        module = _core.Engine(name, library(name), os=kernel).load(wasm)
        one = _core.Instance(module, _core.Sys({}), [("env", "f", "ii", "", lambda *_: None, 0)])
        assert one.call(b"again", (), "", "i", 0, False)[2] == [0]
    except MemoryError:
        continue
    except _core.CoreError as error:
        assert "memory" in error.text, error.text
        continue
    break
print("reached the end at", nth)
"""


@pytest.mark.parametrize("name", ["wasm_c_api", "wasm3"])
def test_no_memory_at_each_place(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, name, START], capture_output=True, text=True, timeout=120, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert 10 < int(done.stdout.split()[-1]) < 59, done.stdout

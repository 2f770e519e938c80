"""``python -m bench.p2_calls``: what calls between components cost, calls from Python, and loading a large component.

A call from component to component: a loop of one that calls ``add`` of another, less the same loop without the call.
A list from Python and back: 4 KiB, against memcpy and against the call of a function of two numbers. Loading:
``--load FILE`` takes a component apart into what decodes it, what its core modules cost (compiled before, from the
cache), what instantiates them, and the rest, which is the interpretation of its definitions.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from . import report, use_built
from .cases import PAGE

_COPY, _CALL = "memcpy of 4 KiB", "from Python, two numbers"
_ECHO = "from Python, 4 KiB there and back"
TEXT = """(component
  (component $callee
    (core module $m
      (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    (core instance $i (instantiate $m))
    (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
    (export "add" (func $add)))
  (component $caller
    (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
    (core func $lowered (canon lower (func $add)))
    (core module $m
      (import "" "add" (func $add (param i32 i32) (result i32)))
      (func $own (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (table 1 funcref) (elem (i32.const 0) $own)
      (type $t (func (param i32 i32) (result i32)))
      (func (export "calls") (param $n i32) (result i32) (local $sum i32)
        (block $done (loop $next
          (br_if $done (i32.eqz (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (local.set $sum (call $add (local.get $sum) (i32.const 1)))
          (br $next)))
        (local.get $sum))
      (func (export "turns") (param $n i32) (result i32) (local $sum i32)
        (block $done (loop $next
          (br_if $done (i32.eqz (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (local.set $sum (call_indirect (type $t) (local.get $sum) (i32.const 1) (i32.const 0)))
          (br $next)))
        (local.get $sum)))
    (core instance $i (instantiate $m (with "" (instance (export "add" (func $lowered))))))
    (func $calls (param "n" u32) (result u32) (canon lift (core func $i "calls")))
    (func $turns (param "n" u32) (result u32) (canon lift (core func $i "turns")))
    (export "calls" (func $calls))
    (export "turns" (func $turns)))
  (core module $list
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16)))
  (core instance $e (instantiate $list))
  (func $echo (param "data" (list u8)) (result (list u8)) (canon lift (core func $e "echo")
    (memory (core memory $e "memory")) (realloc (core func $e "realloc"))))
  (instance $a (instantiate $callee))
  (alias export $a "add" (func $add))
  (instance $b (instantiate $caller (with "add" (func $add))))
  (alias export $b "calls" (func $calls))
  (alias export $b "turns" (func $turns))
  (export "add" (func $add))
  (export "calls" (func $calls))
  (export "turns" (func $turns))
  (export "echo" (func $echo)))"""


def _time(function: Callable[[], object], turns: int) -> float:
    """Nanoseconds of one call out of so many."""
    steps = range(turns)
    start = perf_counter_ns()
    for _ in steps:
        function()
    return (perf_counter_ns() - start) / turns


def _nothing(_a: int, _b: int) -> int:
    return 0


def calls(engine: str, rounds: int) -> dict[str, float]:
    """Medians of nanoseconds."""
    import wasi_native

    data = bytes(range(256)) * (PAGE // 256)
    into = ctypes.create_string_buffer(PAGE)
    found: dict[str, list[float]] = {}
    own = wasi_native.Host(engine=engine, cache=False)
    with own, own.load(TEXT.encode()) as loaded, loaded.instantiate() as instance:
        exports = instance.exports
        run, empty, add, echo = exports["calls"], exports["turns"], exports["add"], exports["echo"]
        if run(7) != 7 or empty(7) != 7 or add(2, 3) != 5 or echo(data) != data:
            raise RuntimeError("a function answers what it should not")
        cases: dict[str, Callable[[], float]] = {
            "component to component, two numbers": lambda: (
                (_time(lambda: run(20000), 1) - _time(lambda: empty(20000), 1)) / 20000
            ),
            _COPY: lambda: _memcpy(into, data),
            "a Python function of two numbers": lambda: _time(lambda: _nothing(2, 3), 2000) - _bare(),
            _CALL: lambda: _time(lambda: add(2, 3), 2000) - _bare(),
            _ECHO: lambda: _time(lambda: echo(data), 2000) - _bare(),
        }
        for _ in range(rounds):
            for name, case in cases.items():
                found.setdefault(name, []).append(case())
    return {name: median(samples) for name, samples in found.items()}


def _bare() -> float:
    return _time(lambda: None, 2000)


def _memcpy(into: Any, data: bytes) -> float:
    """One of the C library, less what ctypes takes for one of no bytes."""
    move, at = ctypes.memmove, ctypes.addressof(into)
    return _time(lambda: move(at, data, PAGE), 2000) - _time(lambda: move(at, data, 0), 2000)


def load(path: Path, engine: str, rounds: int) -> dict[str, float]:
    """Medians of milliseconds. The code of the core modules is in the cache when it is measured."""
    import wasi_native
    from wasi_native.component import FEATURES, decode
    from wasi_native.component.functions import Functions

    raw = path.read_bytes()
    found: dict[str, list[float]] = {}
    took: list[int] = []
    instantiate = Functions.instantiate

    def timed(self: Functions, *args: Any) -> Any:
        start = perf_counter_ns()
        try:
            return instantiate(self, *args)
        finally:
            took.append(perf_counter_ns() - start)

    def keep(name: str, ns: float) -> None:
        found.setdefault(name, []).append(ns / 1e6)

    policy = wasi_native.Policy(stdout=wasi_native.Capture())
    with wasi_native.Host(policy, engine=engine) as own:
        own.load(raw)  # into the cache
        Functions.instantiate = timed  # type: ignore[method-assign]
        try:
            for _ in range(rounds):
                start = perf_counter_ns()
                decode(raw, path.name, FEATURES)
                decoded = perf_counter_ns() - start
                start = perf_counter_ns()
                loaded = own.load(raw)
                opened = perf_counter_ns() - start
                took.clear()
                start = perf_counter_ns()
                instance = loaded.instantiate()
                made = perf_counter_ns() - start
                instance.close()
                keep("decode", decoded)
                keep("code of the core modules, from the cache", opened - decoded)
                keep("core instances, by the engine", sum(took))
                keep("definitions interpreted, functions made", made - sum(took))
                keep("decode and link", decoded + made - sum(took))
        finally:
            Functions.instantiate = instantiate  # type: ignore[method-assign]
    return {name: median(samples) for name, samples in found.items()}


def _verdict(met: bool, text: str) -> None:
    print(f"{'met   ' if met else 'MISSED'}  {text}")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.p2_calls", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="default: 30")
    parser.add_argument("--engine", default="wasmtime", help="default: wasmtime")
    parser.add_argument("--load", type=Path, metavar="FILE", help="a component whose loading is measured too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    ask = parser.parse_args(argv)
    use_built()
    found = calls(ask.engine, ask.rounds)
    print(", ".join(report.machine().values()))
    print("\n".join(f"{name:44} {ns:10.1f} ns" for name, ns in found.items()))
    loaded = load(ask.load, ask.engine, max(3, ask.rounds // 3)) if ask.load else {}
    print("\n".join(f"{name:44} {ms:10.1f} ms" for name, ms in loaded.items()))
    if ask.json:
        ask.json.write_text(json.dumps({"ns": found, "ms": loaded}, indent=2) + "\n", encoding="utf-8")
    between = found["component to component, two numbers"]
    _verdict(between <= 300, f"component to component, at most 300 ns: {between:.0f}")
    echo, copy, call = (found[name] for name in (_ECHO, _COPY, _CALL))
    bound = 2 * (copy + call)
    _verdict(
        echo <= bound, f"4 KiB there and back, at most twice a memcpy and a call ({bound:.0f} ns): {echo:.0f}"
    )
    print(f"        two memcpy and one call: {2 * copy + call:.0f} ns")
    if loaded:
        linked = loaded["decode and link"]
        _verdict(linked < 150, f"decode and link, under 150 ms: {linked:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

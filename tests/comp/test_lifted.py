"""comp/lifted.c: the embedder calls functions of a component, and what it cannot lift."""

from __future__ import annotations

import struct
import threading
import time

import pytest

from tests.comp.tree import ANY, ENGINES, T, planned, prim, run, text, traps, tree
from wasi_native import _core
from wasi_native.errors import CoreError

STRING, U8 = prim("string"), prim("u8")
ECHO = """(module (memory (export "memory") 1) (global $at (mut i32) (i32.const 1024))
  (global $posts (mut i32) (i32.const 0))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $at) (i32.const 15)) (i32.const -16)))
    (global.set $at (i32.add (local.get $p) (local.get 3)))
    (if (i32.gt_u (global.get $at) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 4)))))
    (local.get $p))
  (func (export "echo") (param i32 i32) (result i32)
    (i32.store (i32.const 8) (local.get 0)) (i32.store (i32.const 12) (local.get 1)) (i32.const 8))
  (func (export "post") (param i32)
    (if (i32.ne (local.get 0) (i32.const 8)) (then unreachable))
    (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
  (func (export "posts") (result i32) (global.get $posts))
  (func (export "high") (param i32) (result i32) (i32.or (local.get 0) (i32.const 0x7fffff00)))
  (func (export "spin") (loop $l (br $l)))
  (func (export "trap") unreachable))"""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def options(core: _core.Instance):  # type: ignore[no-untyped-def]
    return (core, b"memory", core, b"realloc", 0)


def test_a_string_there_and_back(engine: str) -> None:
    with tree(engine) as t:
        core = t.core(ECHO)
        echo = _core.Lifted(
            t.root, planned(STRING, result=STRING), (), core, b"echo", options(core), core, b"post"
        )
        posts = _core.Lifted(t.root, planned(result=prim("u32")), (), core, b"posts")
        for value in ("", "hello", "ünï", "x" * 70_000):  # the last: memory grows and moves in realloc
            assert run(echo, text(value)) == text(value)
        assert run(posts) == struct.pack("<I", 4)


@pytest.mark.parametrize(
    ("kind", "given", "answer"), [("u8", 5, 5), ("bool", 0, 1), ("s8", -3, -3), ("u32", 7, 0x7FFFFF07)]
)
def test_numbers_are_what_their_types_say(engine: str, kind: str, given: int, answer: int) -> None:
    letters = {"u8": "B", "bool": "B", "s8": "b", "u32": "I"}[kind]
    with tree(engine) as t:
        lifted = _core.Lifted(t.root, planned(prim(kind), result=prim(kind)), (), t.core(ECHO), b"high")
        assert run(lifted, struct.pack(f"<{letters}", given)) == struct.pack(f"<{letters}", answer)


def test_a_trap_ends_the_component(engine: str) -> None:
    with tree(engine) as t:
        core = t.core(ECHO)
        trap = _core.Lifted(t.root, planned(), (), core, b"trap")
        other = _core.Lifted(t.root, planned(result=prim("u32")), (), core, b"posts")
        with pytest.raises(CoreError, match="unreachable: an unreachable instruction"):
            run(trap)
        assert trap.end() == other.end() == (_core.TRAP_ENGINE, 0, None)
        with traps("cannot enter component instance"):
            run(other)


def test_a_deadline_and_a_cancel_end_it(engine: str) -> None:
    for kind in ("deadline", "cancel"):
        with tree(engine) as t:
            core = t.core(ECHO)
            spin = _core.Lifted(t.root, planned(), (), core, b"spin")
            if kind == "cancel":
                core.cancel()
            with pytest.raises(CoreError) as caught:
                run(spin, deadline=time.monotonic_ns() + 30_000_000)
            assert caught.value.code == (_core.TIMEOUT if kind == "deadline" else _core.CANCELLED)


def test_a_cancel_of_any_core_instance_ends_the_one_that_runs(engine: str) -> None:
    with tree(engine) as t:
        first, core = t.core("(module)"), t.core(ECHO)
        spin = _core.Lifted(t.root, planned(), (), core, b"spin")
        timer = threading.Timer(0.05, first.cancel)
        timer.start()
        with pytest.raises(CoreError) as caught:
            run(spin)
        timer.join()
        assert caught.value.code == _core.CANCELLED


def test_a_stream_that_is_not_of_the_types_ends_nothing() -> None:
    with tree(ANY) as t:
        core = t.core(ECHO)
        echo = _core.Lifted(t.root, planned(STRING, result=STRING), (), core, b"echo", options(core))
        with pytest.raises(CoreError) as caught:
            run(echo, b"\0\xff")
        assert caught.value.code == _core.INVALID
        assert run(echo, text("still there")) == text("still there")


def test_what_cannot_be_lifted() -> None:
    with tree(ANY) as t:
        core = t.core(ECHO)
        strings = planned(STRING, result=STRING)
        rt = _core.ResourceType(t.root)
        wrong = [
            (strings, (), core, b"echo", None, None, b""),
            (strings, (), core, b"echo", (core, b"memory", None, b"", 0), None, b""),
            (strings, (rt,), core, b"echo", options(core), None, b""),
            (strings, (), core, b"none", options(core), None, b""),
            (strings, (), core, b"high", options(core), None, b""),
            (strings, (), core, b"echo", options(core), core, b"posts"),
            (planned(T.own(3)), (), core, b"post", None, None, b""),
        ]
        i, m = _core.INVALID, _core.MISSING
        codes = []
        for plan, resources, instance, name, opts, post, post_name in wrong:
            with pytest.raises(CoreError) as caught:
                _core.Lifted(t.root, plan, resources, instance, name, opts, post, post_name)
            codes.append(caught.value.code)
        assert codes == [i, i, i, m, i, i, i]


def test_values_are_limited(engine: str) -> None:
    with tree(engine, value_bytes=4096) as t:
        core = t.core(ECHO)
        echo = _core.Lifted(t.root, planned(STRING, result=STRING), (), core, b"echo", options(core))
        assert run(echo, text("x" * 2000)) == text("x" * 2000)
        with pytest.raises(CoreError) as caught:
            run(echo, text("x" * 5000))
        assert caught.value.code == _core.LIMIT and echo.end() == (_core.LIMIT, 0, "value_bytes")

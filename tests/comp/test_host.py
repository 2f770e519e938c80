"""comp/host.c: a component calls a function of the embedder."""

from __future__ import annotations

import struct

import pytest

from tests.comp.test_lifted import ECHO
from tests.comp.tree import ENGINES, T, call, planned, prim, run, text, traps, tree
from wasi_native import _core
from wasi_native.errors import CoreError

STRING = prim("string")
USER = """(module (import "" "f" (func $f (param i32 i32 i32))) (memory (export "memory") 1)
  (data (i32.const 32) "guest") (global $at (mut i32) (i32.const 4096))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 1))) (global.get $at))
  (func (export "go") (param i32) (result i32)
    (call $f (i32.const 32) (local.get 0) (i32.const 64))
    (i32.add (i32.load (i32.const 64)) (i32.load (i32.const 68)))))"""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def user(t, function, plan=None) -> _core.Instance:  # type: ignore[no-untyped-def]
    f = t.func("iii")
    core = t.core(USER, f)
    f.bind_host(plan or planned(STRING, result=STRING), (), function, (core, b"memory", core, b"realloc", 0))
    return core  # type: ignore[no-any-return]


def test_a_string_there_and_another_back(engine: str) -> None:
    seen: list[bytes] = []
    with tree(engine) as t:
        core = user(t, lambda data: seen.append(data) or text("answer"))
        for turn in range(3):
            assert call(core, "go", 5) == 4096 + 6
            assert core.memory(b"memory", 4096, 6) == (65536 * (2 + turn), b"answer")
        assert seen == [text("guest")] * 3


def test_an_error_of_the_function_comes_back_unchanged(engine: str) -> None:
    with tree(engine) as t:
        core = user(t, lambda data: 1 // 0)
        with pytest.raises(CoreError) as caught:
            call(core, "go", 5)
        assert caught.value.code == _core.HOST and isinstance(t.sys.take_pending(), ZeroDivisionError)


def test_a_pointer_outside_traps(engine: str) -> None:
    with tree(engine) as t:
        core = user(t, lambda data: data)
        with traps("string pointer/length out of bounds of memory"):
            call(core, "go", 65536)


def test_an_answer_of_another_type_is_our_own_mistake(engine: str) -> None:
    with tree(engine) as t:
        core = user(t, lambda data: b"\0\xff\0\0\0")
        with pytest.raises(CoreError) as caught:
            call(core, "go", 5)
        assert caught.value.code == _core.INVALID


def test_the_function_may_call_another_component_and_not_the_one_it_serves(engine: str) -> None:
    found: list[object] = []
    with tree(engine) as t:
        child = _core.Comp(t.sys, t.root)
        other = t.core(ECHO, comp=child)
        high = _core.Lifted(child, planned(prim("u32"), result=prim("u32")), (), other, b"high")
        core: _core.Instance

        def function(data: bytes) -> bytes:
            found.append(high.call(struct.pack("<I", 3)))
            return text("")

        core = user(t, function)
        go = _core.Lifted(t.root, planned(prim("u32"), result=prim("u32")), (), core, b"go")
        assert run(go, struct.pack("<I", 1)) == struct.pack("<I", 4096)
        # The child is inside the one that is under way: the host has no way in there.
        assert found == [(_core.TRAP_CANON, "trap-canon: cannot enter component instance", None)]


def test_resources_of_the_embedder(engine: str) -> None:
    gone: list[int] = []
    own, borrow = T.own(0), T.borrow(0)
    wat = """(module (import "" "make" (func $make (result i32))) (import "" "use" (func $use (param i32)))
      (import "" "eat" (func $eat (param i32))) (import "" "drop" (func $drop (param i32)))
      (func (export "make") (result i32) (call $make)) (func (export "use") (param i32) (call $use (local.get 0)))
      (func (export "eat") (param i32) (call $eat (local.get 0)))
      (func (export "drop") (param i32) (call $drop (local.get 0))))"""
    with tree(engine) as t:
        rt = _core.ResourceType(t.root, gone.append)
        used: list[int] = []
        make, use, eat, drop = t.func("", "i"), t.func("i"), t.func("i"), t.func("i")
        make.bind_host(planned(result=own), (rt,), lambda data: struct.pack("<I", 40 + len(used)))
        use.bind_host(planned(borrow), (rt,), lambda data: used.append(*struct.unpack("<I", data)) or b"")
        eat.bind_host(planned(own), (rt,), lambda data: used.append(*struct.unpack("<I", data)) or b"")
        drop.bind_resource(_core.RESOURCE_DROP, rt)
        core = t.core(wat, make, use, eat, drop)
        assert call(core, "make") == 1 and call(core, "make") == 2
        for name, handle in (("use", 1), ("use", 1), ("eat", 1)):
            call(core, name, handle, results="")
        assert used == [40, 40, 40] and gone == []
        call(core, "drop", 2, results="")
        assert gone == [40]
        with traps("unknown handle index 1"):
            call(core, "use", 1, results="")

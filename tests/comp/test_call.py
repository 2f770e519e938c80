"""comp/call.c: one component calls another: values, handles, and the rules of entering and leaving."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.comp.test_lifted import ECHO
from tests.comp.tree import ANY, ENGINES, T, Tree, call, planned, prim, run, text, traps, tree
from wasi_native import _core
from wasi_native.errors import CoreError

STRING, U32 = prim("string"), prim("u32")
OWN, BORROW = T.own(0), T.borrow(0)
CALLER = """(module (import "" "f" (func $f (param i32 i32 i32))) (memory (export "memory") 1)
  (data (i32.const 32) "caller") (global $at (mut i32) (i32.const 1024))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (drop (memory.grow (i32.const 1)))
    (local.set $p (global.get $at)) (global.set $at (i32.add (local.get $p) (local.get 3))) (local.get $p))
  (func (export "go") (param i32) (result i32)
    (call $f (i32.const 32) (local.get 0) (i32.const 64)) (i32.load (i32.const 68))))"""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pair(t: Tree) -> tuple[_core.Comp, _core.Comp]:
    """Two components side by side."""
    return _core.Comp(t.sys, t.root), _core.Comp(t.sys, t.root)


def options(core: _core.Instance) -> Any:
    return (core, b"memory", core, b"realloc", 0)


def numbers(t: Tree, wat: str, kinds: str, result: str, plan: _core.Plan) -> _core.Instance:
    """The caller of the function "f" of another component, as core exports see it."""
    words = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}
    param = f"(param {' '.join(words[k] for k in kinds)})" if kinds else ""
    answer = f"(result {words[result]})" if result else ""
    gets = " ".join(f"(local.get {i})" for i in range(len(kinds)))
    one, two = pair(t)
    callee = t.core(wat, comp=two)
    f = t.func(kinds, result, one)
    f.bind_call(_core.Lifted(two, plan, (), callee, b"f"))
    return t.core(
        f'(module (import "" "f" (func $f {param} {answer})) (func (export "go") {param} {answer} (call $f {gets})))',
        f,
        comp=one,
    )


@pytest.mark.parametrize(
    ("kind", "core", "given", "passed"),
    [
        ("bool", "i", 256, 1),
        ("bool", "i", 0, 0),
        ("u8", "i", 0x1FF, 0xFF),
        ("s8", "i", 0x80, -128),
        ("u16", "i", -1, 0xFFFF),
        ("s16", "i", 0x18000, -32768),
        ("u32", "i", -1, -1),
        ("s64", "I", -(2**63), -(2**63)),
        ("char", "i", 0x10FFFF, 0x10FFFF),
        ("f64", "F", 1.5, 1.5),
        ("f32", "f", -0.5, -0.5),
    ],
)
def test_numbers_pass_as_their_types_say(engine: str, kind: str, core: str, given: Any, passed: Any) -> None:
    word = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}[core]
    wat = f'(module (func (export "f") (param {word}) (result {word}) (local.get 0)))'
    with tree(engine) as t:
        go = numbers(t, wat, core, core, planned(prim(kind), result=prim(kind)))
        assert call(go, "go", given, params=core, results=core) == passed


@pytest.mark.parametrize("value", [0xD800, 0xDFFF, 0x110000, -1])
def test_a_char_that_is_none_traps(engine: str, value: int) -> None:
    with tree(engine) as t:
        go = numbers(t, '(module (func (export "f") (param i32)))', "i", "", planned(prim("char")))
        with traps("invalid `char` bit pattern"):
            call(go, "go", value, results="")


def test_every_nan_is_the_canonical_one(engine: str) -> None:
    wat = '(module (func (export "f") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0))))'
    caller = """(module (import "" "f" (func $f (param f64) (result i64)))
      (func (export "go") (param i64) (result i64) (call $f (f64.reinterpret_i64 (local.get 0)))))"""
    with tree(engine) as t:
        one, two = pair(t)
        f = t.func("F", "I", one)
        f.bind_call(
            _core.Lifted(two, planned(prim("f64"), result=prim("u64")), (), t.core(wat, comp=two), b"f")
        )
        go = t.core(caller, f, comp=one)
        assert call(go, "go", 0x7FF8DEAD00000000, params="I", results="I") == 0x7FF8000000000000


def strings(t: Tree, post: bool = True) -> tuple[_core.Instance, _core.Instance, _core.Lifted]:
    one, two = pair(t)
    callee = t.core(ECHO, comp=two)
    f = t.func("iii", "", one)
    caller = t.core(CALLER, f, comp=one)
    more = (callee, b"post") if post else ()
    plan = planned(STRING, result=STRING)
    f.bind_call(_core.Lifted(two, plan, (), callee, b"echo", options(callee), *more), options(caller))
    return caller, callee, _core.Lifted(one, planned(U32, result=U32), (), caller, b"go")


def test_a_string_there_and_back_between_two_memories(engine: str) -> None:
    with tree(engine) as t:
        caller, callee, _ = strings(t)
        for turn in range(1, 4):
            assert call(caller, "go", 6) == 6
            assert caller.memory(b"memory", 1024 + 6 * (turn - 1), 6)[1] == b"caller"
            assert call(callee, "posts") == turn
        assert callee.memory(b"memory", 1024, 6)[1] == b"caller"


def test_more_than_the_stack_holds(engine: str) -> None:
    with tree(engine) as t:
        caller, _, _ = strings(t)
        caller.memory(b"memory", 1024, 0, b"z" * 4096)
        caller.memory(b"memory", 32, 0, b"y" * 60000)
        assert call(caller, "go", 60000) == 60000
        assert caller.memory(b"memory", 1024, 60000)[1] == b"y" * 60000


def test_a_trap_of_the_callee_ends_both_and_says_why(engine: str) -> None:
    with tree(engine) as t:
        go = numbers(t, '(module (func (export "f") unreachable))', "", "", planned())
        with pytest.raises(CoreError, match="unreachable: an unreachable instruction"):
            call(go, "go", results="")
        assert go.end()[0] == _core.TRAP_ENGINE


def test_what_ended_is_not_entered_again(engine: str) -> None:
    with tree(engine) as t:
        _, _, go = strings(t)
        with traps("string content out-of-bounds"):
            run(go, b"\xff\xff\0\1")
        with traps("cannot enter component instance"):
            run(go, b"\1\0\0\0")


def test_a_deadline_holds_in_the_callee(engine: str) -> None:
    with tree(engine) as t:
        go = numbers(t, '(module (func (export "f") (loop $l (br $l))))', "", "", planned())
        err, _, _ = go.call(b"go", (), "", "", time.monotonic_ns() + 30_000_000, False)
        assert err == _core.TIMEOUT


def through(t: Tree, callee: str, *bindings: Any) -> tuple[_core.Instance, _core.Instance]:
    """One calls "f" of two; what two imports."""
    one, two = pair(t)
    inner = t.core(callee, *bindings, comp=two)
    there = t.func("", "", one)
    there.bind_call(_core.Lifted(two, planned(), (), inner, b"f"))
    outer = t.core('(module (import "" "f" (func $f)) (func (export "go") (call $f)))', there, comp=one)
    return outer, inner


CALLS = '(module (import "" "g" (func $g)) (func (export "f") (call $g)))'


def test_an_error_of_a_callback_comes_through_both(engine: str) -> None:
    with tree(engine) as t:
        back = t.func("")
        back.bind_host(planned(), (), lambda data: {}["gone"])
        outer, inner = through(t, CALLS, back)
        with pytest.raises(CoreError) as caught:
            call(outer, "go", results="")
        assert caught.value.code == outer.end()[0] == inner.end()[0] == _core.HOST
        error = t.sys.take_pending()
        assert isinstance(error, KeyError) and error.args == ("gone",)


def test_an_exit_goes_through_both(engine: str) -> None:
    wat = """(module (import "" "exit" (func $exit (param i32))) (func (export "f") (call $exit (i32.const 7))))"""
    with tree(engine) as t:
        leave = t.func("i")
        outer, inner = through(t, wat, leave)
        leave.bind_row(b"wasi_snapshot_preview1", b"proc_exit")
        with pytest.raises(CoreError):
            call(outer, "go", results="")
        assert outer.end() == inner.end() == (_core.EXIT, 7, None)


def test_a_cancel_from_another_thread_ends_the_callee(engine: str) -> None:
    with tree(engine) as t:
        started = threading.Event()
        back = t.func("")
        back.bind_host(planned(), (), lambda data: started.set() or b"")
        wat = '(module (import "" "g" (func $g)) (func (export "f") (call $g) (loop $l (br $l))))'
        outer, inner = through(t, wat, back)
        thread = threading.Thread(target=lambda: (started.wait(30), time.sleep(0.05), outer.cancel()))
        thread.start()
        with pytest.raises(CoreError) as caught:
            call(outer, "go", results="")
        thread.join()
        assert caught.value.code == inner.end()[0] == _core.CANCELLED


def test_nobody_leaves_in_realloc_or_post_return(engine: str) -> None:
    """Their calls of imports trap: of WASI, of resources, of other components."""
    wat = """(module (import "" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $f (i32.const 0)))
      (func (export "go") (param i32 i32)) (func (export "end") (result i32) (i32.const 0))
      (func (export "post") (param i32) (drop (call $f (i32.const 0)))))"""
    other = '(module (func (export "f") (param i32) (result i32) (i32.const 64)))'
    for what in ("realloc", "post"):
        for kind in ("resource", "call"):
            with tree(engine) as t:
                one, two = pair(t)
                f = t.func("i", "i", one)
                core = t.core(wat, f, comp=one)
                if kind == "resource":
                    f.bind_resource(_core.RESOURCE_NEW, _core.ResourceType(one))
                else:
                    f.bind_call(
                        _core.Lifted(two, planned(U32, result=U32), (), t.core(other, comp=two), b"f")
                    )
                if what == "realloc":
                    lifted = _core.Lifted(one, planned(STRING), (), core, b"go", options(core))
                else:
                    lifted = _core.Lifted(one, planned(result=U32), (), core, b"end", None, core, b"post")
                with traps("cannot leave component instance"):
                    run(lifted, text("x") if what == "realloc" else b"")


def test_a_component_is_not_entered_while_it_runs(engine: str) -> None:
    """A calls B, B calls A."""
    passing = """(module (import "" "f" (func $f)) (func (export "go") (call $f)))"""
    with tree(engine) as t:
        one, two = pair(t)
        back, there = t.func("", "", two), t.func("", "", one)
        first = t.core(passing, there, comp=one)
        second = t.core(passing, back, comp=two)
        lifted = _core.Lifted(one, planned(), (), first, b"go")
        back.bind_call(lifted)
        there.bind_call(_core.Lifted(two, planned(), (), second, b"go"))
        with traps("cannot enter component instance"):
            run(lifted)


# ---- handles that pass from one to the other ----

OWNER = """(module (import "" "new" (func $new (param i32) (result i32)))
  (import "" "drop" (func $drop (param i32)))
  (func (export "make") (result i32) (call $new (i32.const 77)))
  (func (export "use") (param i32) (result i32) (local.get 0))
  (func (export "eat") (param i32) (call $drop (local.get 0))))"""
LENDER = """(module (import "" "make" (func $make (result i32)))
  (import "" "use" (func $use (param i32) (result i32)))
  (import "" "eat" (func $eat (param i32))) (import "" "drop" (func $drop (param i32)))
  (func (export "make") (result i32) (call $make))
  (func (export "use") (param i32) (result i32) (call $use (local.get 0)))
  (func (export "eat") (param i32) (call $eat (local.get 0)))
  (func (export "drop") (param i32) (call $drop (local.get 0))))"""


def lending(t: Tree) -> tuple[_core.Instance, _core.ResourceType, _core.Comp]:
    one, two = pair(t)
    rt = _core.ResourceType(two)
    new, drop = t.func("i", "i", two), t.func("i", "", two)
    new.bind_resource(_core.RESOURCE_NEW, rt)
    drop.bind_resource(_core.RESOURCE_DROP, rt)
    owner = t.core(OWNER, new, drop, comp=two)
    made = [t.func("", "i", one), t.func("i", "i", one), t.func("i", "", one), t.func("i", "", one)]
    made[0].bind_call(_core.Lifted(two, planned(result=OWN), (rt,), owner, b"make"))
    made[1].bind_call(_core.Lifted(two, planned(BORROW, result=U32), (rt,), owner, b"use"))
    made[2].bind_call(_core.Lifted(two, planned(OWN), (rt,), owner, b"eat"))
    made[3].bind_resource(_core.RESOURCE_DROP, rt)
    return t.core(LENDER, *made, comp=one), rt, one


def test_owning_handles_move_and_borrowed_ones_are_the_representation_to_their_owner(engine: str) -> None:
    with tree(engine) as t:
        user, _, _ = lending(t)
        assert call(user, "make") == 1 and call(user, "make") == 2
        assert call(user, "use", 2) == 77
        call(user, "eat", 1, results="")
        call(user, "drop", 2, results="")
        assert call(user, "make") == 2
        with traps("unknown handle index 1"):
            call(user, "eat", 1, results="")


def test_a_borrowed_handle_must_be_dropped_before_the_end(engine: str) -> None:
    keep = """(module (import "" "drop" (func $drop (param i32)))
      (func (export "f") (param i32 i32) (if (local.get 1) (then (call $drop (local.get 0))))))"""
    take = """(module (import "" "make" (func $make (result i32))) (import "" "f" (func $f (param i32 i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "make") (result i32) (call $make))
      (func (export "go") (param i32 i32) (call $f (local.get 0) (local.get 1)))
      (func (export "drop") (param i32) (call $drop (local.get 0))))"""
    with tree(engine) as t:
        one, two = pair(t)
        rt = _core.ResourceType(t.root, host=True)
        drops = [t.func("i", "", one), t.func("i", "", two)]
        for drop in drops:
            drop.bind_resource(_core.RESOURCE_DROP, rt)
        keeper = t.core(keep, drops[1], comp=two)
        make, f = t.func("", "i", one), t.func("ii", "", one)
        make.bind_host(planned(result=OWN), (rt,), lambda data: b"\5\0\0\0")
        f.bind_call(_core.Lifted(two, planned(BORROW, U32), (rt,), keeper, b"f"))
        user = t.core(take, make, f, drops[0], comp=one)
        handle = call(user, "make")
        call(user, "go", handle, 1, results="")
        call(user, "go", handle, 1, results="")
        call(user, "drop", handle, results="")
        handle = call(user, "make")
        with traps("borrow handles still remain at the end of the call"):
            call(user, "go", handle, 0, results="")


def test_what_is_lent_cannot_be_dropped_or_given_away(engine: str) -> None:
    """The callee calls back into its caller's child, which shares nothing: the same is seen by a call with the
    handle twice, once lent and once given."""
    with tree(engine) as t:
        one, two = pair(t)
        rt = _core.ResourceType(t.root, host=True)
        make, f = t.func("", "i", one), t.func("ii", "", one)
        make.bind_host(planned(result=OWN), (rt,), lambda data: b"\5\0\0\0")
        callee = t.core('(module (func (export "f") (param i32 i32)))', comp=two)
        f.bind_call(_core.Lifted(two, planned(BORROW, OWN), (rt,), callee, b"f"))
        wat = """(module (import "" "make" (func $make (result i32))) (import "" "f" (func $f (param i32 i32)))
          (func (export "go") (local $h i32) (local.set $h (call $make)) (call $f (local.get $h) (local.get $h))))"""
        with traps("cannot remove owned resource while borrowed"):
            call(t.core(wat, make, f, comp=one), "go", results="")


def test_functions_of_one_tree_do_not_reach_another() -> None:
    with tree(ANY) as t, tree(ANY) as other:
        lifted = _core.Lifted(other.root, planned(), (), other.core('(module (func (export "f")))'), b"f")
        with pytest.raises(ValueError, match="of another component"):
            t.func("").bind_call(lifted)

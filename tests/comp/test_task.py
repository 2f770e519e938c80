"""comp/task.c: functions that are lifted async and return before they would have to wait; who lowers them async."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comp.tree import ENGINES, T, Tree, call, planned, prim, run, traps, tree
from wasi_native import _core
from wasi_native.errors import CoreError

U32, STRING = prim("u32"), prim("string")
RETURNED = 2
TWICE = "`task.return` or `task.cancel` called more than once for current task"
INVALID = "invalid `task.return` signature and/or options for current task"
NEVER = "async-lifted export failed to produce a result"
ECHO = """(module (import "" "return" (func $return (param i32 i32))) (memory (export "memory") 1)
  (global $at (mut i32) (i32.const 1024))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (local.set $p (global.get $at)) (global.set $at (i32.add (local.get $p) (local.get 3))) (local.get $p))
  (func (export "echo") (param i32 i32) (call $return (local.get 0) (local.get 1))
    (drop (memory.grow (i32.const 1)))))"""
CALLER = """(module (import "" "f" (func $f (param i32 i32 i32) RESULT)) (memory (export "memory") 1)
  (data (i32.const 32) "caller") (global $at (mut i32) (i32.const 1024))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (drop (memory.grow (i32.const 1)))
    (local.set $p (global.get $at)) (global.set $at (i32.add (local.get $p) (local.get 3))) (local.get $p))
  (func (export "go") (param i32 i32) (result i32) (call $f (i32.const 32) (local.get 0) (local.get 1)) STATUS)
  (func (export "at") (param i32) (result i32) (i32.load (local.get 0))))"""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def options(core: _core.Instance) -> Any:
    return (core, b"memory", core, b"realloc", 0)


def returning(
    t: Tree, comp: _core.Comp, letters: str = "i", result: Any = U32, number: int = 0
) -> _core.CanonFunc:
    made = t.func(letters, "", comp)
    made.bind_return(planned(result=result), (), number)
    return made


def numbers(t: Tree, body: str, comp: _core.Comp | None = None, number: int = 0, **more: Any) -> _core.Lifted:
    """A function of a u32 with the body of a core function, lifted async; its result's type has the number 0."""
    comp = comp or t.root
    result = "(result i32)" if more.get("callback") else ""
    core = t.core(
        f'(module (import "" "return" (func $return (param i32))) (func (export "f") (param i32) {result} {body}))',
        returning(t, comp, number=number),
        comp=comp,
    )
    return _core.Lifted(comp, planned(U32, result=U32), (), core, b"f", returned=0, waits=True, **more)


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def test_the_embedder_is_given_what_was_returned(engine: str) -> None:
    with tree(engine) as t:
        f = numbers(t, "(call $return (i32.add (local.get 0) (i32.const 1)))")
        assert [run(f, u32(n)) for n in (1, 41, 2**32 - 1)] == [u32(2), u32(42), u32(0)]
        assert f.end() == (0, 0, None)


@pytest.mark.parametrize(
    ("body", "number", "reason"),
    [
        ("nop", 0, NEVER),
        ("(call $return (i32.const 1)) (call $return (i32.const 2))", 0, TWICE),
        ("(call $return (i32.const 1))", 1, INVALID),
    ],
)
def test_what_breaks_a_rule_traps_and_ends_the_component(
    engine: str, body: str, number: int, reason: str
) -> None:
    with tree(engine) as t:
        f = numbers(t, body, number=number)
        with traps(reason):
            run(f, u32(1))
        with pytest.raises(CoreError, match="cannot enter component instance"):
            run(f, u32(1))


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (1, "a task that yields is of WASI 0.3, which this version does not run"),
        (2, "a task that waits is of WASI 0.3, which this version does not run"),
        (3, "unsupported callback code: 3"),
        (0x1F, "unsupported callback code: 15"),
    ],
)
def test_a_callback_is_not_called_back(engine: str, packed: int, reason: str) -> None:
    with tree(engine) as t:
        body = f"(call $return (local.get 0)) (select (i32.const 0) (i32.const {packed}) (local.get 0))"
        f = numbers(t, body, callback=True)
        assert run(f, u32(7)) == u32(7)
        with traps(reason):
            run(f, u32(0))


def test_outside_of_an_async_call_there_is_nothing_to_return(engine: str) -> None:
    with tree(engine) as t:
        core = t.core(
            """(module (import "" "return" (func $return (param i32)))
              (func (export "f") (call $return (i32.const 1))))""",
            returning(t, t.root),
        )
        with traps(INVALID):
            run(_core.Lifted(t.root, planned(), (), core, b"f"))


def strings(t: Tree, is_async: bool = True) -> tuple[_core.Instance, _core.Instance]:
    one, two = _core.Comp(t.sys, t.root), _core.Comp(t.sys, t.root)
    back = t.func("ii", "", two)
    callee = t.core(ECHO, back, comp=two)
    back.bind_return(planned(result=STRING), (), 4, (callee, b"memory", None, b"", 0))
    f = t.func("iii", "i" if is_async else "", one)
    result, status = ("(result i32)", "") if is_async else ("", "(i32.const 0)")
    wat = CALLER.replace("RESULT", result).replace("STATUS", status)
    caller = t.core(wat, f, comp=one)
    lifted = _core.Lifted(
        two, planned(STRING, result=STRING), (), callee, b"echo", options(callee), returned=4, waits=True
    )
    f.bind_call(lifted, options(caller), is_async)
    return caller, callee


@pytest.mark.parametrize("is_async", [True, False])
def test_a_string_there_and_back_while_both_memories_move(engine: str, is_async: bool) -> None:
    with tree(engine) as t:
        caller, _callee = strings(t, is_async)
        for turn in range(3):
            assert call(caller, "go", 6, 64) == (RETURNED if is_async else 0)
            assert (call(caller, "at", 64), call(caller, "at", 68)) == (1024 + 6 * turn, 6)
            assert caller.memory(b"memory", 1024 + 6 * turn, 6)[1] == b"caller"


@pytest.mark.parametrize(
    ("ret", "reason"), [(66, "unaligned pointer"), (0x7FFFFFF8, "pointer out of bounds of memory")]
)
def test_a_result_that_has_no_place_ends_both(engine: str, ret: int, reason: str) -> None:
    with tree(engine) as t:
        caller, callee = strings(t)
        with traps(reason):
            call(caller, "go", 6, ret)
        assert caller.end()[0] == callee.end()[0] == _core.TRAP_CANON


def test_the_handles_of_a_call_are_gone_when_it_returns(engine: str) -> None:
    """What was lent is free again; a borrowed handle that is left is a trap."""
    own, borrow = T.own(0), T.borrow(0)
    with tree(engine) as t:
        one, two, three = (_core.Comp(t.sys, t.root) for _ in range(3))
        rt = _core.ResourceType(three)
        drop = t.func("i", "", two)
        drop.bind_resource(_core.RESOURCE_DROP, rt)
        core = t.core(
            """(module (import "" "drop" (func $drop (param i32))) (import "" "return" (func $return))
              (func (export "f") (param i32 i32)
                (if (local.get 1) (then (call $drop (local.get 0)))) (call $return)))""",
            drop,
            returning(t, two, "", None),
            comp=two,
        )
        plan = planned(borrow, U32)
        lifted = _core.Lifted(two, plan, (rt,), core, b"f", returned=0, waits=True)
        f, new, drop_own = t.func("ii", "i", one), t.func("i", "i", three), t.func("i", "", one)
        f.bind_call(lifted, None, True)
        new.bind_resource(_core.RESOURCE_NEW, rt)
        drop_own.bind_resource(_core.RESOURCE_DROP, rt)
        made = t.core(
            '(module (import "" "new" (func $new (param i32) (result i32)))'
            ' (func (export "f") (result i32) (call $new (i32.const 5))))',
            new,
            comp=three,
        )
        give = t.func("", "i", one)
        give.bind_call(_core.Lifted(three, planned(result=own), (rt,), made, b"f"), None)
        caller = t.core(
            """(module (import "" "give" (func $give (result i32)))
              (import "" "f" (func $f (param i32 i32) (result i32)))
              (import "" "drop" (func $drop (param i32))) (global $h (mut i32) (i32.const 0))
              (func (export "go") (param i32) (result i32) (local $status i32) (global.set $h (call $give))
                (local.set $status (call $f (global.get $h) (local.get 0))) (call $drop (global.get $h))
                (local.get $status)))""",
            give,
            f,
            drop_own,
            comp=one,
        )
        assert call(caller, "go", 1) == RETURNED
        with traps("borrow handles still remain at the end of the call"):
            call(caller, "go", 0)


def test_the_embedder_serves_a_function_that_is_lowered_async(engine: str) -> None:
    five = [U32] * 5
    wat = """(module (import "" "f" (func $f (param i32 i32) (result i32))) (memory (export "memory") 1)
      (func (export "go") (param i32) (result i32) (local $i i32)
        (loop $next (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $i))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
        (call $f (i32.const 0) (local.get 0)))
      (func (export "at") (param i32) (result i32) (i32.load (local.get 0))))"""
    given = []

    def serve(params: bytes) -> bytes:
        given.append(params)
        return u32(99)

    with tree(engine) as t:
        f = t.func("ii", "i")
        core = t.core(wat, f)
        plan = planned(*five, result=U32)
        f.bind_host(plan, (), serve, (core, b"memory", None, b"", 0), None, True)
        assert (call(core, "go", 64), call(core, "at", 64)) == (RETURNED, 99)
        assert given == [b"".join(u32(n) for n in range(5))]
        with traps("unaligned pointer"):
            call(core, "go", 2)


def test_storage_is_of_one_call(engine: str) -> None:
    with tree(engine) as t:
        get, put = t.func("", "i"), t.func("i")
        get.bind_task(_core.CONTEXT_GET, 1)
        put.bind_task(_core.CONTEXT_SET, 1)
        core = t.core(
            """(module (import "" "get" (func $get (result i32))) (import "" "set" (func $set (param i32)))
              (func (export "f") (param i32) (result i32) (local $old i32) (local.set $old (call $get))
                (call $set (local.get 0)) (i32.add (local.get $old) (call $get))))""",
            get,
            put,
        )
        f = _core.Lifted(t.root, planned(U32, result=U32), (), core, b"f")
        assert [run(f, u32(7)), run(f, u32(8))] == [u32(7), u32(8)]


def test_backpressure_keeps_async_calls_out(engine: str) -> None:
    wat = """(module (import "" "inc" (func $inc)) (import "" "dec" (func $dec))
      (import "" "return" (func $return (param i32)))
      (func (export "inc") (call $inc)) (func (export "dec") (call $dec))
      (func (export "f") (param i32) (call $return (local.get 0))))"""
    with tree(engine) as t:
        inc, dec = t.func(""), t.func("")
        inc.bind_task(_core.BACKPRESSURE_INC)
        dec.bind_task(_core.BACKPRESSURE_DEC)
        core = t.core(wat, inc, dec, returning(t, t.root))
        more, less = (_core.Lifted(t.root, planned(), (), core, name) for name in (b"inc", b"dec"))
        f = _core.Lifted(t.root, planned(U32, result=U32), (), core, b"f", returned=0, waits=True)
        run(more)
        run(less)
        assert run(f, u32(3)) == u32(3)
        run(more)
        with traps(
            "a call that waits for the end of backpressure is of WASI 0.3, which this version does not run"
        ):
            run(f, u32(3))


@pytest.mark.parametrize("waits", [True, False])
def test_backpressure_keeps_calls_of_async_types_alone_out(engine: str, waits: bool) -> None:
    wat = """(module (import "" "inc" (func $inc)) (func (export "inc") (call $inc))
      (func (export "f") (param i32) (result i32) (local.get 0)))"""
    go = """(module (import "" "f" (func $f (param i32) (result i32)))
      (func (export "go") (param i32) (result i32) (call $f (local.get 0))))"""
    with tree(engine) as t:
        one, two = _core.Comp(t.sys, t.root), _core.Comp(t.sys, t.root)
        inc, f = t.func("", "", two), t.func("i", "i", one)
        inc.bind_task(_core.BACKPRESSURE_INC)
        core = t.core(wat, inc, comp=two)
        f.bind_call(_core.Lifted(two, planned(U32, result=U32), (), core, b"f", waits=waits))
        caller = t.core(go, f, comp=one)
        assert call(caller, "go", 5) == 5
        run(_core.Lifted(two, planned(), (), core, b"inc"))
        if waits:
            with pytest.raises(CoreError, match="waits for the end of backpressure"):
                call(caller, "go", 5)
        else:
            assert call(caller, "go", 6) == 6


def test_backpressure_that_nobody_has_cannot_end(engine: str) -> None:
    with tree(engine) as t:
        dec, cancel = t.func(""), t.func("")
        dec.bind_task(_core.BACKPRESSURE_DEC)
        cancel.bind_task(_core.TASK_CANCEL)
        wat = '(module (import "" "f" (func $f)) (func (export "go") (call $f)))'
        with traps("backpressure counter underflow"):
            call(t.core(wat, dec), "go", results="")
        with traps("`task.cancel` called by task which has not been cancelled"):
            call(t.core(wat, cancel), "go", results="")


def test_what_cannot_be_made(engine: str) -> None:
    with tree(engine) as t:
        core = t.core(ECHO, t.func("ii"))
        plan = planned(STRING, result=STRING)
        wrong: list[dict[str, Any]] = [
            {"callback": True, "returned": 1},
            {"callback": True},
            {"post_return": core, "post_return_name": b"echo", "returned": 1},
        ]
        for more in wrong:
            with pytest.raises(CoreError):
                _core.Lifted(t.root, plan, (), core, b"echo", options(core), **more)
        lifted = _core.Lifted(t.root, plan, (), core, b"echo", options(core), returned=1)
        for letters, result, given in (
            ("iii", "", options(core)),
            ("iii", "i", None),
            ("ii", "i", options(core)),
        ):
            with pytest.raises(CoreError):
                t.func(letters, result).bind_call(lifted, given, True)
        for letters, value in (("i", STRING), ("ii", U32), ("ii", STRING)):
            with pytest.raises(CoreError):  # the last one names no memory
                t.func(letters).bind_return(planned(result=value), (), 1)
        with pytest.raises(CoreError):  # it has parameters
            t.func("i").bind_return(planned(U32, result=U32), (), 1)
        for letters, result, what, index in (
            ("", "", _core.CONTEXT_GET, 0),
            ("", "i", _core.CONTEXT_GET, 2),
            ("", "", 9, 0),
        ):
            with pytest.raises(CoreError):
                t.func(letters, result).bind_task(what, index)

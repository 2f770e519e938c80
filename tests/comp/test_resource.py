"""comp/resource.c: types of resources, and who is told when the last owner is gone."""

from __future__ import annotations

import pytest

from tests.comp.tree import ANY, ENGINES, T, call, planned, traps, tree
from wasi_native import _core
from wasi_native.errors import CoreError

USER = """(module (import "" "new" (func $new (param i32) (result i32)))
  (import "" "rep" (func $rep (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
  (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
  (func (export "rep") (param i32) (result i32) (call $rep (local.get 0)))
  (func (export "drop") (param i32) (call $drop (local.get 0))))"""
DTOR = """(module (global $sum (mut i32) (i32.const 0))
  (func (export "dtor") (param i32)
    (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
    (global.set $sum (i32.add (global.get $sum) (local.get 0))))
  (func (export "sum") (result i32) (global.get $sum)) (func (export "bad")))"""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def user(t, rt: _core.ResourceType, comp: _core.Comp | None = None) -> _core.Instance:  # type: ignore[no-untyped-def]
    made = [t.func("i", "i", comp), t.func("i", "i", comp), t.func("i", "", comp)]
    for what, func in enumerate(made):
        func.bind_resource(what, rt)
    return t.core(USER, *made, comp=comp)  # type: ignore[no-any-return]


def test_a_component_makes_reads_and_drops_its_own(engine: str) -> None:
    with tree(engine) as t:
        rt = _core.ResourceType(t.root)
        guest, dtor = user(t, rt), t.core(DTOR)
        rt.set_destructor(dtor, b"dtor")
        handles = [call(guest, "new", rep) for rep in (100, 20, 3)]
        assert handles == [1, 2, 3]
        assert [call(guest, "rep", h) for h in handles] == [100, 20, 3]
        call(guest, "drop", 2, results="")
        assert call(dtor, "sum") == 20
        assert call(guest, "new", 7) == 2  # the one freed last
        with traps("unknown handle index 4"):
            call(guest, "rep", 4)


@pytest.mark.parametrize("handle", [0, 1, 2**31 - 1, -1])
def test_numbers_that_are_no_handles(engine: str, handle: int) -> None:
    with tree(engine) as t:
        guest = user(t, _core.ResourceType(t.root))
        with traps(f"unknown handle index {handle % 2**32}"):
            call(guest, "drop", handle, results="")


def test_a_handle_of_another_type(engine: str) -> None:
    with tree(engine) as t:
        one, two = user(t, _core.ResourceType(t.root)), user(t, _core.ResourceType(t.root))
        assert call(one, "new", 5) == 1
        with traps(
            "handle index 1 used with the wrong type, expected guest-defined resource but found a different "
            "guest-defined resource"
        ):
            call(two, "rep", 1)


def test_the_embedder_is_told_and_its_error_comes_back(engine: str) -> None:
    gone: list[int] = []
    with tree(engine) as t:
        guest = user(t, _core.ResourceType(t.root, gone.append))
        call(guest, "drop", call(guest, "new", 77), results="")
        assert gone == [77]
        failing = user(t, _core.ResourceType(t.root, lambda rep: 1 // 0))
        with pytest.raises(CoreError) as caught:
            call(failing, "drop", call(failing, "new", 1), results="")
        assert caught.value.code == _core.HOST
        assert isinstance(t.sys.take_pending(), ZeroDivisionError)


def test_a_destructor_that_traps_ends_who_dropped(engine: str) -> None:
    with tree(engine) as t:
        rt = _core.ResourceType(t.root)
        guest, dtor = user(t, rt), t.core(DTOR)
        rt.set_destructor(dtor, b"dtor")
        handle = call(guest, "new", 13)
        with pytest.raises(CoreError, match="unreachable: an unreachable instruction"):
            call(guest, "drop", handle, results="")
        assert guest.end()[0] == dtor.end()[0] == _core.TRAP_ENGINE


def test_the_number_of_handles_is_limited(engine: str) -> None:
    with tree(engine, handles=20) as t:
        guest = user(t, _core.ResourceType(t.root))
        assert [call(guest, "new", n) for n in range(20)] == list(range(1, 21))
        with pytest.raises(CoreError) as caught:
            call(guest, "new", 0)
        assert caught.value.code == _core.LIMIT and guest.end() == (_core.LIMIT, 0, "handles")


def test_what_is_no_destructor() -> None:
    with tree(ANY) as t:
        dtor = t.core(DTOR)
        for name, code in ((b"none", _core.MISSING), (b"bad", _core.INVALID)):
            with pytest.raises(CoreError) as caught:
                _core.ResourceType(t.root).set_destructor(dtor, name)
            assert caught.value.code == code
        with pytest.raises(CoreError):
            _core.ResourceType(t.root, host=True).set_destructor(dtor, b"dtor")


def test_wasis_own_pass_from_one_component_to_another(engine: str) -> None:
    """One gets its standard output from WASI and gives it away; the other one writes to it."""
    wat = """(module (import "" "get" (func $get (result i32))) (import "" "give" (func $give (param i32)))
      (func (export "go") (call $give (call $get))))"""
    taker = """(module (import "" "write" (func $write (param i32 i32 i32 i32)))
      (import "" "drop" (func $drop (param i32))) (memory (export "memory") 1)
      (data (i32.const 8) "given")
      (func (export "f") (param i32)
        (call $write (local.get 0) (i32.const 8) (i32.const 5) (i32.const 64)) (call $drop (local.get 0))))"""
    streams = b"wasi:io/streams@0.2.3"
    with tree(engine) as t:
        t.sys.stdio_capture(1, 100)
        one, two = _core.Comp(t.sys, t.root), _core.Comp(t.sys, t.root)
        rt = _core.ResourceType(one, wasi=(streams, b"output-stream"))
        get, give = t.func("", "i", one), t.func("i", "", one)
        write, drop = t.func("iiii", "", two), t.func("i", "", two)
        callee = t.core(taker, write, drop, comp=two)
        write.bind_row(
            streams, b"[method]output-stream.blocking-write-and-flush", (callee, b"memory", None, b"", 0)
        )
        drop.bind_row(streams, b"[resource-drop]output-stream")
        get.bind_row(b"wasi:cli/stdout@0.2.0", b"get-stdout")
        give.bind_call(_core.Lifted(two, planned(T.own(0)), (rt,), callee, b"f"))
        user_ = t.core(wat, get, give, comp=one)
        for _ in range(3):
            call(user_, "go", results="")
        assert t.sys.captured(1) == b"given" * 3
        with pytest.raises(ValueError, match="WASI has no resource 'output'"):
            _core.ResourceType(one, wasi=(streams, b"output"))


def test_the_embedder_drops_what_it_was_given_to_own(engine: str) -> None:
    """The destructor runs; one that traps says how, and its component is not entered again."""
    gone: list[int] = []
    with tree(engine) as t:
        rt, bare = _core.ResourceType(t.root), _core.ResourceType(t.root)
        dtor = t.core(DTOR)
        rt.set_destructor(dtor, b"dtor")
        assert rt.drop(5) == rt.drop(6) == bare.drop(7) == (0, "") and call(dtor, "sum") == 11
        host = _core.ResourceType(t.root, gone.append)
        assert host.drop(8) == (0, "") and gone == [8]
        assert _core.ResourceType(t.root, host=True).drop(9) == (0, "")
        stream = _core.ResourceType(t.root, wasi=(b"wasi:io/streams@0.2.0", b"input-stream"))
        assert stream.drop(1)[0] == _core.INVALID
        err, text = rt.drop(13)
        assert err == _core.TRAP_ENGINE and text.startswith("unreachable: ")
        err, text = rt.drop(5)
        assert err != 0 and text


@pytest.mark.parametrize("name", [b"descriptor", b"x" * 200, b"", b"[resource-drop]input-stream"])
def test_what_is_no_resource_of_wasi(name: bytes) -> None:
    with tree(ANY) as t, pytest.raises(ValueError, match="WASI has no resource"):
        _core.ResourceType(t.root, wasi=(b"wasi:io/streams@0.2.0", name))

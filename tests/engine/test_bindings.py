"""engine/bindings.c: what serves the imports of a module that is part of a component, on every adapter."""

from __future__ import annotations

import pytest

from tests.comp.tree import ENGINES, SHARING, call, tree
from wasi_native import _core
from wasi_native.errors import CoreError

OWNER = """(module (memory (export "mem") 1 4) (table (export "tab") 4 funcref)
  (global (export "count") (mut i32) (i32.const 5)) (elem (i32.const 1) $seven)
  (func $seven (result i32) (i32.const 7))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (global.get 0))))"""
USER = """(module (import "x" "a" (memory 1 4)) (import "x" "b" (table 4 funcref))
  (import "x" "c" (global $count (mut i32))) (import "x" "d" (func $add (param i32) (result i32)))
  (import "x" "e" (func $grow (result i32)))
  (type $r (func (result i32)))
  (export "memory" (memory 0))
  (func (export "go") (result i32)
    (i32.store (i32.const 16) (i32.const 99)) (global.set $count (i32.const 30))
    (drop (call $grow)) (i32.store (i32.const 70000) (i32.const 98))
    (i32.add (call_indirect (type $r) (i32.const 1)) (call $add (i32.const 5)))))"""


@pytest.fixture(params=SHARING)
def sharing(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_memory_table_global_and_functions_of_another_core_instance(sharing: str) -> None:
    with tree(sharing) as t:
        owner = t.core(OWNER)
        user = t.core(USER, *[(owner, name) for name in (b"mem", b"tab", b"count", b"add", b"grow")])
        assert call(user, "go") == 7 + 35
        assert owner.memory(b"mem", 16, 4)[1] == b"\x63\0\0\0"
        assert owner.memory(b"mem", 70000, 4)[1] == user.memory(b"memory", 70000, 4)[1] == b"\x62\0\0\0"


def test_of_two_others_that_share_nothing_with_each_other(sharing: str) -> None:
    """They live in one store from the start, or the third could not be linked."""
    with tree(sharing) as t:
        one, two = (
            t.core('(module (memory (export "m") 1))'),
            t.core('(module (table (export "t") 2 funcref))'),
        )
        third = t.core(
            """(module (import "a" "m" (memory 1)) (import "b" "t" (table 2 funcref))
            (func (export "go") (result i32) (i32.store (i32.const 0) (i32.const 65)) (table.size 0)))""",
            (one, b"m"),
            (two, b"t"),
        )
        assert call(third, "go") == 2 and one.memory(b"m", 0, 1)[1] == b"A"


def test_what_the_other_one_has_not_is_missing(sharing: str) -> None:
    with tree(sharing) as t:
        owner = t.core(OWNER)
        for name in (b"none", b"tab", b"add"):
            with pytest.raises(CoreError, match="a\tm\tno such export of the other instance") as caught:
                t.core('(module (import "a" "m" (memory 1)))', (owner, name))
            assert caught.value.code == _core.LINK
        with pytest.raises(CoreError, match="a function where none is imported"):
            t.core('(module (import "a" "m" (memory 1)))', t.func(""))
        with pytest.raises(CoreError, match="2 bindings for 1 imports"):
            t.core('(module (import "a" "m" (memory 1)))', (owner, b"mem"), None)


def test_nothing_of_another_tree() -> None:
    """It could be gone before what uses it."""
    with tree("wasmtime") as one, tree("wasmtime") as two:
        owner, func, rt = one.core(OWNER), one.func(""), _core.ResourceType(one.root)
        module = two.load('(module (import "a" "m" (memory 1)))')
        mine = two.func("i", "i")
        wrong = [
            lambda: _core.Instance(module, two.sys, comp=two.root, bindings=[(owner, b"mem")]),
            lambda: _core.Instance(module, two.sys, comp=two.root, bindings=[func]),
            lambda: _core.Instance(module, two.sys, comp=two.root, kin=owner),
            lambda: mine.bind_core(owner, b"add"),
            lambda: mine.bind_same(func),
            lambda: mine.bind_resource(_core.RESOURCE_REP, rt),
            lambda: mine.bind_row(b"wasi_snapshot_preview1", b"fd_close", (owner, b"mem", None, b"", 0)),
            lambda: _core.ResourceType(two.root).set_destructor(owner, b"add"),
        ]
        for each in wrong:
            with pytest.raises(ValueError, match="of another component"):
                each()
        with pytest.raises(ValueError, match="of another component"):
            _core.Instance(module, two.sys, comp=two.root, bindings=[(None, b"mem")])  # type: ignore[list-item]
        with pytest.raises(TypeError, match="of a component"):
            _core.Instance(module, two.sys, bindings=[None])


@pytest.mark.parametrize("engine", ENGINES)
def test_functions_of_another_core_instance_on_every_engine(engine: str) -> None:
    callee = """(module (import "" "back" (func $back (param i64) (result f64))) (memory (export "memory") 1)
      (func (export "f") (param f32 i64) (result f64)
        (f64.add (f64.promote_f32 (local.get 0)) (call $back (local.get 1))))
      (func (export "trap") unreachable))"""
    caller = """(module (import "x" "f" (func $f (param f32 i64) (result f64))) (import "x" "trap" (func $trap))
      (func (export "go") (param f32 i64) (result f64) (call $f (local.get 0) (local.get 1)))
      (func (export "trap") (call $trap)))"""
    with tree(engine) as t:
        back = t.func("I", "F")
        other = t.core(callee, back)
        user = t.core(caller, (other, b"f"), (other, b"trap"))
        back.bind_core(
            t.core('(module (func (export "h") (param i64) (result f64) (f64.convert_i64_s (local.get 0))))'),
            b"h",
        )
        assert call(user, "go", 0.5, -(2**40), params="fI", results="F") == 0.5 - 2**40
        with pytest.raises(CoreError, match="unreachable: an unreachable instruction"):
            call(user, "trap", results="")
        assert user.end()[0] == _core.TRAP_ENGINE


@pytest.mark.parametrize(
    ("want", "name", "what"),
    [
        ("global (mut i32)", b"count", "no globals that change"),
        ("table 4 funcref", b"tab", "no tables"),
    ],
)
def test_an_engine_says_what_it_does_not_share(want: str, name: bytes, what: str) -> None:
    with tree("wasm3") as t:
        owner = t.core(OWNER)
        with pytest.raises(CoreError, match=f"a\tm\tthis engine shares {what} between instances") as caught:
            t.core(f'(module (import "a" "m" ({want})))', (owner, name))
        assert caught.value.code == _core.LINK


@pytest.mark.parametrize("engine", ENGINES)
def test_a_function_of_another_signature_is_not_linked(engine: str) -> None:
    with tree(engine) as t:
        owner = t.core('(module (func (export "add") (param i32) (result i32) (local.get 0)))')
        with pytest.raises(CoreError):
            t.core('(module (import "a" "f" (func (param i64) (result i32))))', (owner, b"add"))


@pytest.mark.parametrize("engine", ENGINES)
def test_by_name_beside_bindings(engine: str) -> None:
    with tree(engine) as t:
        f = t.func("i", "i")
        user = t.core(
            """(module (import "a" "f" (func $f (param i32) (result i32)))
            (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
            (import "env" "h" (func $h (result i32)))
            (func (export "go") (result i32)
              (i32.add (call $f (i32.const 1)) (i32.add (call $y) (call $h)))))""",
            f,
            None,
            None,
            functions=[("env", "h", "", "i", lambda: 40, 0)],
        )
        f.bind_core(
            t.core(
                '(module (func (export "g") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))'
            ),
            b"g",
        )
        assert call(user, "go") == 42


def test_instances_of_a_component_close_with_it() -> None:
    with tree("wasmtime") as t:
        owner = t.core(OWNER)
        with pytest.raises(ValueError, match="close with it"):
            owner.close()
    with pytest.raises(ValueError, match="closed"):
        call(owner, "add", 1)
    owner.cancel()
    for use in (
        owner.end,
        owner.fuel,
        lambda: owner.memory(b"mem"),
        lambda: t.core(OWNER),
        lambda: t.func(""),
    ):
        with pytest.raises(ValueError, match="closed"):
            use()

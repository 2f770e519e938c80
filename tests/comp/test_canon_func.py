"""comp/canon_func.c: core functions of a component, made before what serves them is known."""

from __future__ import annotations

import pytest

from tests.comp.tree import ANY, ENGINES, call, traps, tree
from wasi_native import _core
from wasi_native.errors import CoreError

USER = """(module (import "a" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1)
  (func (export "go") (param i32) (result i32) (call $f (local.get 0))))"""
ADD = """(module (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 5))))"""
RANDOM = """(module (import "a" "f" (func $f (param i32 i32) (result i32))) (memory (export "memory") 1)
  (func (export "go") (param i32 i32) (result i32) (call $f (local.get 0) (local.get 1))))"""
MEMORY = '(module (memory (export "heap") 2) (memory (export "memory") 1))'
ROW = (b"wasi_snapshot_preview1", b"random_get")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_not_bound_traps(engine: str) -> None:
    with tree(engine) as t:
        user = t.core(USER, t.func("i", "i"))
        with traps("a function of the component is called before it is there"):
            call(user, "go", 1)


def test_bound_after_the_caller_is_there(engine: str) -> None:
    with tree(engine) as t:
        late, same = t.func("i", "i"), t.func("i", "i")
        user = t.core(USER, same)
        same.bind_same(late)
        late.bind_core(t.core(ADD), b"add")
        assert call(user, "go", 37) == 42
        assert call(user, "go", -6) == -1


def test_a_row_speaks_with_the_memory_of_its_options(engine: str) -> None:
    with tree(engine) as t:
        f = t.func("ii", "i")
        user = t.core(RANDOM, f)
        other = t.core('(module (memory (export "heap") 1))')
        f.bind_row(*ROW, (other, b"heap", None, b"", 0))
        t.sys.set_seed(1)
        for at in (0, 65520):  # the last bytes of it, and of the guest's own, which has the same size
            assert call(user, "go", at, 16) == 0
            assert user.memory(b"memory", at, 16)[1] == bytes(16) != other.memory(b"heap", at, 16)[1]
        with pytest.raises(CoreError) as caught:
            call(user, "go", 65530, 16)
        assert caught.value.code == _core.TRAP_BOUNDS


def test_the_guests_own_memory_is_there_again_after_it(engine: str) -> None:
    """Both have the same size, by which an adapter tells that a memory has not moved."""
    wat = """(module (import "a" "f" (func $f (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $g (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "go") (result i32)
        (i32.or (call $f (i32.const 0) (i32.const 8)) (call $g (i32.const 32) (i32.const 8)))))"""
    with tree(engine) as t:
        f = t.func("ii", "i")
        user, other = t.core(wat, f, None), t.core('(module (memory (export "heap") 1))')
        f.bind_row(*ROW, (other, b"heap", None, b"", 0))
        for _ in range(2):
            assert call(user, "go") == 0
        assert user.memory(b"memory", 0, 8)[1] == bytes(8) != user.memory(b"memory", 32, 8)[1]
        assert other.memory(b"heap", 32, 8)[1] == bytes(8) != other.memory(b"heap", 0, 8)[1]


def test_a_row_without_memory_in_its_options_sees_the_guests_own(engine: str) -> None:
    with tree(engine) as t:
        f = t.func("ii", "i")
        user = t.core(RANDOM, f)
        f.bind_row(*ROW)
        assert call(user, "go", 8, 16) == 0 and user.memory(b"memory", 8, 16)[1] != bytes(16)


def test_what_cannot_be_bound() -> None:
    with tree(ANY) as t:
        add, f = t.core(ADD), t.func("i", "i")
        rt = _core.ResourceType(t.root)
        g = t.func("i", "i")
        g.bind_same(f)
        no_memory = (add, b"memory", None, b"", 0)
        wrong = [
            lambda: f.bind_row(*ROW),
            lambda: f.bind_row(b"wasi_snapshot_preview1", b"random_got"),
            lambda: t.func("ii", "i").bind_row(*ROW, no_memory),
            lambda: t.func("ii", "i").bind_row(*ROW, (None, b"", add, b"add", 0)),
            lambda: t.func("ii", "i").bind_row(*ROW, (None, b"", add, b"sub", 0)),
            lambda: t.func("ii", "i").bind_row(*ROW, (None, b"", None, b"", 3)),
            lambda: f.bind_resource(_core.RESOURCE_DROP, rt),
            lambda: f.bind_resource(3, rt),
            lambda: f.bind_same(f),
            lambda: f.bind_same(g),
            lambda: f.bind_core(add, b"sub"),
            lambda: t.func("ii", "i").bind_core(add, b"add"),
            lambda: t.func("i").bind_core(add, b"add"),
            lambda: g.bind_core(add, b"add"),
            lambda: t.func("x"),
            lambda: t.func("i" * 18),
            lambda: t.func("", "ii"),
        ]
        codes = []
        for one in wrong:
            with pytest.raises(CoreError) as caught:
                one()
            codes.append(caught.value.code)
        i, m = _core.INVALID, _core.MISSING
        assert codes == [i, m, m, i, m, i, i, i, i, i, m, i, i, i, i, i, i]
        f.bind_core(add, b"add")  # nothing of it was half done


def test_another_signature_than_the_import(engine: str) -> None:
    with tree(engine) as t, pytest.raises(CoreError) as caught:
        t.core(USER, t.func("I", "i"))
    assert caught.value.code == _core.LINK


def test_a_trace_looks_into_the_memory_of_the_call() -> None:
    seen: list[tuple[str, bytes | None]] = []

    def trace(core: _core.Instance, fields: tuple[object, ...]) -> None:
        seen.append((str(fields[1]), core.traced_memory(8, 4)))

    with tree(ANY) as t:
        f, same = t.func("ii", "i"), t.func("ii", "i")
        user = t.core(RANDOM, same, trace=trace)
        other = t.core('(module (memory (export "heap") 1) (data (i32.const 8) "heap"))')
        user.memory(b"memory", 8, 0, b"user")
        same.bind_same(f)
        f.bind_row(*ROW, (other, b"heap", None, b"", 0))
        assert call(user, "go", 64, 8) == 0
        assert seen == [("f", b"heap")] and user.memory(b"memory", 8, 4)[1] == b"user"


@pytest.mark.parametrize("name", [b"memory", b"heap"])
def test_a_memory_that_moves_is_found_again(engine: str, name: bytes) -> None:
    """It is looked up once, by its name; its place is not what is kept."""
    with tree(engine, reservation=65536) as t:
        f = t.func("ii", "i")
        user = t.core(RANDOM, f)
        other = t.core(f"""(module (memory (export "{name.decode()}") 1)
          (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))""")
        f.bind_row(*ROW, (other, name, None, b"", 0))
        t.sys.set_seed(1)
        for pages in range(1, 6):
            last = 65536 * pages - 16
            assert call(user, "go", last, 16) == 0
            assert other.memory(name, last, 16)[1] != bytes(16) == user.memory(b"memory", 65520, 16)[1]
            assert call(other, "grow", 1) == pages


@pytest.mark.parametrize("sharing", ["wasmtime", "wasm2c", "wasm_c_api"])
def test_another_instance_makes_the_memory_grow(sharing: str) -> None:
    grows = """(module (import "o" "m" (memory 1))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
    with tree(sharing, reservation=65536) as t:
        f = t.func("ii", "i")
        user, owner = t.core(RANDOM, f), t.core('(module (memory (export "m") 1))')
        sharer = t.core(grows, (owner, b"m"))
        f.bind_row(*ROW, (owner, b"m", None, b"", 0))
        for pages in range(1, 6):
            assert call(user, "go", 65536 * pages - 16, 16) == 0
            assert owner.memory(b"m", 65536 * pages - 16, 16)[1] != bytes(16)
            assert call(sharer, "grow", 1) == pages

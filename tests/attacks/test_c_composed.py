"""Attacks of group C by whole components: values and handles that cost the host more than the guest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.component.build import encode
from tests.engine.libraries import library
from tests.support import engines_under_test
from wasi_native import ComponentInstance, Host, LimitExceeded, Limits, ModuleError, Policy, Trap

PAGES, PLACE, AT = 200, 8 << 20, 65536
MIB = 1 << 20
Make = Callable[..., ComponentInstance]


@pytest.fixture(params=[name for name in engines_under_test() if name not in ("fake", "wasm2c")])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """make(text of a component, limits=, **provided)"""
    made: list[Any] = []

    def instantiate(text: str, limits: Limits | None = None, **provide: Any) -> ComponentInstance:
        name = request.param
        path = library(name) if name in ("wasm3", "wasm3-old", "wasm_c_api") else None
        policy = Policy(limits=limits or Limits(memory=32 * MIB))
        host = Host(
            policy, engine=name.partition("-")[0], engine_path=path, board="generic-x86_64", cache=False
        )
        made.append(host)
        made.append(host.load_component(encode(text)))
        made.append(made[-1].instantiate(provide=provide))
        return made[-1]  # type: ignore[no-any-return]

    yield instantiate
    for one in reversed(made):
        one.close()


def bomb(element: str, inner: int, outer: int) -> str:
    """``made`` gives ``outer`` lists of ``inner`` elements which all lie at one place; ``told`` gives them to the
    import "hear"."""
    return f"""(component
      (type $t {element})
      (import "hear" (func $hear (param "what" (list (list $t)))))
      (core module $Memory (memory (export "mem") {PAGES}))
      (core instance $memory (instantiate $Memory))
      (alias core export $memory "mem" (core memory $mem))
      (core func $hear' (canon lower (func $hear) (memory $mem)))
      (core module $M
        (import "" "mem" (memory {PAGES}))
        (import "" "hear" (func $hear (param i32 i32)))
        (func $fill (local $at i32)
          (local.set $at (i32.const {AT}))
          (loop
            (i32.store (local.get $at) (i32.const {PLACE}))
            (i32.store offset=4 (local.get $at) (i32.const {inner}))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if 0 (i32.lt_u (local.get $at) (i32.const {AT + 8 * outer})))))
        (func (export "made") (result i32)
          (call $fill)
          (i32.store (i32.const 16) (i32.const {AT})) (i32.store (i32.const 20) (i32.const {outer})) (i32.const 16))
        (func (export "told") (call $fill) (call $hear (i32.const {AT}) (i32.const {outer}))))
      (core instance $m (instantiate $M
        (with "" (instance (export "mem" (memory $mem)) (export "hear" (func $hear'))))))
      (func (export "made") (result (list (list $t))) (canon lift (core func $m "made") (memory $mem)))
      (func (export "told") (canon lift (core func $m "told"))))"""


@pytest.mark.parametrize(
    ("element", "inner", "outer"),
    [
        ("(tuple u8)", 60_000, 1),
        ("bool", 60_000, 15),
        ("(option (tuple u8))", 20_000, 8),
        ("(list u8)", 20_000, 20),
    ],
)
def test_c139_values_that_say_one_place_over_and_over(
    make: Make, element: str, inner: int, outer: int
) -> None:
    """A list of tuples of one byte is a hundred times its size in Python."""
    for export in ("made", "told"):
        heard: list[object] = []
        g = make(bomb(element, inner, outer), limits=Limits(value_bytes=4 * MIB), hear=heard.append)
        with pytest.raises(LimitExceeded) as caught:
            g.call(export)
        assert (caught.value.limit, g.end, heard) == ("value_bytes", "limit", [])


def test_c139_control(make: Make) -> None:
    heard: list[list[object]] = []
    g = make(bomb("(tuple u8)", 1000, 10), hear=heard.append)
    assert g.call("made") == [[(0,)] * 1000] * 10
    g.call("told")
    assert heard == [g.call("made")]


def test_c139_arguments_of_the_embedder_are_bounded_and_end_nobody(make: Make) -> None:
    text = """(component
      (core module $M (memory (export "mem") 1) (func (export "f") (param i32 i32))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
      (core instance $m (instantiate $M))
      (func (export "f") (param "x" (list u8))
        (canon lift (core func $m "f") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))"""
    g = make(text, limits=Limits(value_bytes=100_000))
    with pytest.raises(LimitExceeded, match="value_bytes"):
        g.call("f", bytes(100_001))
    assert g.end is None and g.call("f", bytes(60_000)) is None


# One component defines a resource and takes borrows of it; the other lends it one handle `count` times in one call,
# drops it meanwhile or keeps the number.
LENDING = """(component
  (component $A
    (type $r' (resource (rep i32)))
    (canon resource.new $r' (core func $new))
    (core module $M
      (import "" "new" (func $new (param i32) (result i32)))
      (memory (export "mem") 200)
      (func (export "make") (result i32) (call $new (i32.const 7)))
      (func (export "take") (param i32 i32))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
    (alias core export $m "mem" (core memory $mem))
    (export $r "r" (type $r'))
    (func (export "make") (result (own $r)) (canon lift (core func $m "make")))
    (func (export "take") (param "l" (list (borrow $r)))
      (canon lift (core func $m "take") (memory $mem) (realloc (core func $m "realloc")))))
  (component $B
    (import "a" (instance $a
      (export "r" (type $r (sub resource)))
      (export "make" (func (result (own $r))))
      (export "take" (func (param "l" (list (borrow $r)))))))
    (core module $Memory (memory (export "mem") 200))
    (core instance $memory (instantiate $Memory))
    (alias core export $memory "mem" (core memory $mem))
    (alias export $a "r" (type $r))
    (alias export $a "make" (func $make))
    (alias export $a "take" (func $take))
    (core func $make' (canon lower (func $make)))
    (core func $take' (canon lower (func $take) (memory $mem)))
    (canon resource.drop $r (core func $drop))
    (core module $M
      (import "" "mem" (memory 200))
      (import "" "make" (func $make (result i32)))
      (import "" "take" (func $take (param i32 i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "go") (param $count i32) (param $times i32) (local $at i32) (local $handle i32)
        (local.set $handle (call $make))
        (local.set $at (i32.const 65536))
        (loop
          (i32.store (local.get $at) (local.get $handle))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br_if 0 (i32.lt_u (i32.sub (local.get $at) (i32.const 65536)) (i32.shl (local.get $count) (i32.const 2)))))
        (loop
          (call $take (i32.const 65536) (local.get $count))
          (br_if 0 (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
        (call $drop (local.get $handle)))
      (func (export "forge") (param $handle i32)
        (i32.store (i32.const 65536) (local.get $handle))
        (drop (call $make))
        (call $take (i32.const 65536) (i32.const 1))))
    (core instance $m (instantiate $M (with "" (instance
      (export "mem" (memory $mem)) (export "make" (func $make')) (export "take" (func $take'))
      (export "drop" (func $drop))))))
    (func (export "go") (param "count" u32) (param "times" u32) (canon lift (core func $m "go")))
    (func (export "forge") (param "handle" u32) (canon lift (core func $m "forge"))))
  (instance $a (instantiate $A))
  (instance $b (instantiate $B (with "a" (instance $a))))
  (export "b" (instance $b)))"""


def test_c139_one_handle_lent_a_million_times(make: Make) -> None:
    g = make(LENDING)
    with pytest.raises(LimitExceeded) as caught:
        g.exports["b"].go(3_000_000, 1)
    assert caught.value.limit == "handles"


def test_c139_a_handle_goes_to_and_fro(make: Make) -> None:
    """What was lent is given back with each call: no count of it grows, and the handle can be dropped."""
    make(LENDING).exports["b"].go(1000, 500)


@pytest.mark.parametrize("handle", [0, 2, 7, 2**28 - 1, 2**32 - 1])
def test_c137_handles_of_another_component_are_none(make: Make, handle: int) -> None:
    """7 is what the resource is represented by in the other component, 1 the only handle of this one."""
    g = make(LENDING)
    with pytest.raises(Trap, match=f"unknown handle index {handle}"):
        g.exports["b"].forge(handle)
    make(LENDING).exports["b"].forge(1)


def test_c139_memories_of_many_instances_are_one_limit(make: Make) -> None:
    text = "(component (core module $m (memory {pages})) {instances})"
    instances = "(core instance (instantiate $m))"
    with pytest.raises(ModuleError, match="its 40 memories could become"):
        make(text.format(pages=64, instances=instances * 40), limits=Limits(memory=16 * MIB))
    make(text.format(pages=64, instances=instances * 4), limits=Limits(memory=16 * MIB))


def test_c139_tables_of_many_instances_are_bounded(make: Make) -> None:
    text = "(component (core module $m (table 100000 funcref)) {instances})"
    instances = "(core instance (instantiate $m))"
    with pytest.raises(ModuleError, match="its 60 tables could become"):
        make(text.format(instances=instances * 60), limits=Limits(memory=16 * MIB))
    make(text.format(instances=instances * 8), limits=Limits(memory=16 * MIB))


def test_c139_memories_that_grow_keep_to_their_share(make: Make) -> None:
    text = """(component
      (core module $m (memory 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
      (core instance $a (instantiate $m)) (core instance $b (instantiate $m))
      (func (export "a") (param "pages" u32) (result s32) (canon lift (core func $a "grow")))
      (func (export "b") (param "pages" u32) (result s32) (canon lift (core func $b "grow"))))"""
    g = make(text, limits=Limits(memory=16 * 65536))
    assert [g.call(name, pages) for name, pages in (("a", 8), ("a", 7), ("a", 1), ("b", 7))] == [-1, 1, -1, 1]

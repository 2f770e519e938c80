"""Numbers of resources, and layouts with others in their places."""

from __future__ import annotations

import pytest

from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.component.identity import Numbers, declared, exported, owned, under
from wasi_native.component.model import ComponentType, InstanceType, ResourceType
from wasi_native.component.types import FREE, Table


def numbers(table: Table, **map: int) -> Numbers:
    return Numbers(table, lambda _steps: None, {int(key[1:]): value for key, value in map.items()})


def test_every_kind_of_type_is_renumbered() -> None:
    table = Table()
    u8, own, borrow = table.primitive("u8"), table.own(1), table.borrow(2)
    to = numbers(table, n1=7)
    assert to.number(1) == 7 and to.number(2) == 2
    assert to.value(u8) is u8 and to.value(borrow) is borrow and to.value(own) is table.own(7)
    for make in (
        lambda part: table.list_of(part),
        lambda part: table.list_of(part, 3),
        lambda part: table.option(part),
        lambda part: table.result(None, part),
        lambda part: table.result(part, u8),
        lambda part: table.tuple_of([u8, part]),
        lambda part: table.record([("a", part), ("b", u8)]),
        lambda part: table.variant([("a", None), ("b", part)]),
        lambda part: table.map_of(u8, part),
        lambda part: table.stream(part),
        lambda part: table.future(part),
        lambda part: table.tuple_of([table.list_of(part), borrow]),
    ):
        made = make(own)
        assert made.least == 1 and to.value(made) is make(table.own(7)) and to.value(made).shape is made.shape
        assert to.value(make(u8)) is make(u8)
    function = table.function([("a", own), ("b", borrow)], own)
    assert function.least == 1 and to.function(function) is table.function(
        [("a", table.own(7)), ("b", borrow)], table.own(7)
    )
    plain = table.function([("a", u8)], None, True)
    assert plain.least == FREE and to.function(plain) is plain


def test_the_work_is_told() -> None:
    table, spent = Table(), list[int]()
    value = table.own(1)
    for _ in range(16):
        value = table.tuple_of([value, value])
    to = Numbers(table, spent.append, {1: 2})
    assert to.value(value) is to.value(value) and value.nodes == (1 << 17) - 1
    assert sum(spent) == 17 * 8  # each layout once


def test_one_after_the_other() -> None:
    table = Table()
    first, then = numbers(table, n1=2, n5=6), numbers(table, n2=3, n4=9)
    both = under(then, first)
    assert both is not None and both.map == {1: 3, 2: 3, 4: 9, 5: 6}
    assert under(None, first) is first and under(then, None) is then and under(None, None) is None
    assert under(numbers(table), first) is first


def test_what_an_instance_declares_and_what_is_its_own() -> None:
    found = decode(
        encode("""(component
      (import "r" (type $r (sub resource)))
      (import "i" (instance
        (export "a" (type $a (sub resource))) (export "b" (type (eq $a))) (alias outer 1 $r (type $r))
        (export "c" (type (eq $r))) (export "d" (instance (export "e" (type (sub resource))))))))""")
    )
    type = found.imports["i"].type
    a, c = type.exports["a"].type.number, type.exports["c"].type.number
    e = type.exports["d"].type.exports["e"].type.number
    assert c == found.imports["r"].type.number == 0
    assert declared(type) == (a, c, e) and owned(type) == [a, e]
    assert exported(found.imports) == (0, a, e)


def test_two_imports_of_one_type() -> None:
    found = decode(
        encode("""(component
      (type $i (instance (export "r" (type $r (sub resource))) (export "f" (func (result (own $r))))))
      (import "i" (instance $x (type $i))) (import "j" (instance $y (type $i)))
      (alias export $x "r" (type $r1)) (alias export $y "r" (type $r2))
      (import "f" (func (param "a" (own $r1)) (param "b" (own $r2)))))""")
    )
    one, two = (found.imports[name].type for name in "ij")
    assert one.numbers is None and two.numbers is not None and one.exports is two.exports
    assert exported({"i": found.imports["i"]}) != exported({"j": found.imports["j"]})
    params = found.imports["f"].type.params
    numbers = [type.parts[0].number for _name, type in params]
    assert numbers == [*exported({"i": found.imports["i"]}), *exported({"j": found.imports["j"]})]
    assert [type.value.parts[0] for _name, type in params] == numbers


@pytest.mark.parametrize("kind", [InstanceType, ComponentType])
def test_types_that_hold_others_keep_what_stands_for_numbers(kind: type) -> None:
    table = Table()
    made = InstanceType({}, 0) if kind is InstanceType else ComponentType({}, {}, 0)
    first = numbers(table, n1=2).type(made)
    again = numbers(table, n2=3).type(first)
    assert made.numbers is None and first.numbers.map == {1: 2} and again.numbers.map == {1: 3, 2: 3}
    assert again.of is None and numbers(table).type(made) is made
    resource = ResourceType(1, True)
    other = numbers(table, n1=2).type(resource)
    assert (other.number, other.least, other.of) == (2, 2, resource)

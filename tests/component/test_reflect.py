"""reflect.py: Python names, one class per named type, annotations and lines of WIT."""

from __future__ import annotations

import inspect

import pytest

from tests.component.build import fixture, nameless
from tests.component.kinds import Kinds
from wasi_native.component import decode
from wasi_native.component.reflect import Types, attribute, class_name, constant


def test_names() -> None:
    assert [attribute(n) for n in ("read-all", "from", "HTTP", "a")] == ["read_all", "from_", "http", "a"]
    assert [class_name(n) for n in ("tcp-socket", "none", "HTTP-2")] == ["TcpSocket", "None_", "HTTP2"]
    assert constant("read-only") == "READ_ONLY"


def test_a_named_type_is_one_class_wherever_it_is_used() -> None:
    kinds = Kinds("$point", "(list $shape)")
    point = kinds.cls("point")
    assert kinds.types.class_of(kinds.func.params[0][1]) is point
    assert (point.__module__, point.__qualname__) == ("a:b/c", "Point")
    assert point.__doc__ == "The record point of a:b/c."
    shape = kinds.cls("shape")
    assert [case.__qualname__ for case in shape.__cases__] == ["Shape.Dot", "Shape.Circle", "Shape.PolyLine"]
    assert shape.PolyLine.__doc__ == "The case poly-line of Shape: list[Point]."


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("u64", "int"),
        ("f32", "float"),
        ("char", "str"),
        ("(list u8)", "bytes"),
        ("(list u16)", "list[int]"),
        ("(tuple u8 $color)", "tuple[int, Color]"),
        ("(option string)", "str | None"),
        ("(option (option string))", "Some[str | None] | None"),
        ("(result (list $point) (error $perms))", "Ok[list[Point]] | Err[Perms]"),
        ("(result)", "Ok[None] | Err[None]"),
        ("(own $thing)", "Thing"),
        ("(borrow $thing)", "Thing"),
    ],
)
def test_annotations(kind: str, text: str) -> None:
    kinds = Kinds(kind)
    assert kinds.types.text(kinds.func.params[0][1]) == text


def test_signatures_and_lines() -> None:
    types = Types(decode(fixture("interfaces"), "interfaces.wasm"))
    component = types.component
    extern = component.exports["test:own/counters@1.0.0"]
    functions = dict(types.functions(extern))
    told = {
        label: (str(types.signature(func, label)), types.names.line("test:own/counters@1.0.0", label))
        for label, func in functions.items()
    }
    assert told["[method]counter.add"] == ("(n: 'int') -> 'int'", "counter.add: func(n: u32) -> u32")
    assert told["[constructor]counter"][1] == "counter.constructor(start: u32)"
    assert told["describe"] == (
        "(p: 'Point', text: 'str') -> 'str'",
        "describe: func(p: point, text: string) -> string",
    )
    assert types.names.line("run", "") == "run: func() -> result<_, stream-error>"
    assert dict(types.named(extern)).keys() >= {"counter", "point"}
    point = types.class_of(dict(types.named(extern))["point"])
    assert str(inspect.signature(point)) == "(x: 'int', y: 'int') -> None"


def test_a_type_that_nobody_named_gets_the_name_that_wit_gives_it() -> None:
    types = Types(nameless())
    func = types.component.exports["set"].type
    assert types.text(func.params[0][1]) == "UnnamedRecord"
    assert types.class_of(func.params[0][1]).__name__ == "UnnamedRecord"

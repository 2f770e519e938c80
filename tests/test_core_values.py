"""Plans, shapes and lanes of the seam: what they refuse, what goes in besides the obvious, where an error stands."""

from __future__ import annotations

import array
import random
import struct
from types import SimpleNamespace
from typing import Any

import pytest

from tests.comp.tree import tree
from tests.mem.pairs import some_function, some_value
from wasi_native import _core
from wasi_native._core import Lane, Plan, Shape
from wasi_native.component.plan import encode
from wasi_native.component.types import Table, Value
from wasi_native.component.values import Err, Ok, Some
from wasi_native.errors import CoreError
from wasi_native.record import dataclass

U8, U16, U64, STRING = Shape("u8"), Shape("u16"), Shape("u64"), Shape("string")


def test_a_plan_tells_its_core_functions() -> None:
    t = Table()
    text, u64 = t.primitive("string"), t.primitive("u64")
    plan = Plan(encode(t.function([("a", text), ("b", u64), ("c", t.own(5))], text))[0])
    assert plan.letters == ("iiIi", "i", "iiIii", "")


def test_what_is_no_plan() -> None:
    for data in (b"", b"x" * 24, encode(Table().function([], None))[0] + b"\0\0\0\0"):
        with pytest.raises(CoreError) as caught:
            Plan(data)
        assert caught.value.code == _core.INVALID


def test_integers_are_what_can_be_an_index() -> None:
    class Seven:
        def __index__(self) -> int:
            return 7

    assert U8.dump(Seven()) == b"\7" and U8.dump(True) == b"\1"
    for bits in (8, 16, 32, 64):
        for name, least, most in (
            (f"u{bits}", 0, 2**bits - 1),
            (f"s{bits}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
        ):
            shape = Shape(name)
            for value in (least, most, 1):
                assert shape.load(shape.dump(value)) == (value, bits // 8)
            for value in (least - 1, most + 1, 2**64, -(2**64), 2**100):
                with pytest.raises(OverflowError, match=rf"^{value} is out of range of {name}$"):
                    shape.dump(value)


def test_bytes_are_any_buffer() -> None:
    shape = Shape("list", (U8,))
    for value in (
        b"abc",
        bytearray(b"abc"),
        memoryview(b"abc"),
        array.array("B", b"abc"),
        [97, 98, 99],
        (97, 98, 99),
    ):
        assert shape.dump(value) == b"\3\0\0\0abc"
    assert shape.dump(memoryview(b"a-b-c-")[::2]) == b"\3\0\0\0abc"
    for wrong in (3, "abc", None, ["a"]):
        with pytest.raises(TypeError):
            shape.dump(wrong)
    with pytest.raises(ValueError, match="range"):
        shape.dump([256])


def test_lists_are_any_sequence() -> None:
    shape = Shape("list", (U16,))
    wanted = struct.pack("<I3H", 3, 1, 2, 3)
    for value in (
        [1, 2, 3],
        (1, 2, 3),
        range(1, 4),
        array.array("H", [1, 2, 3]),
        {1: 0, 2: 0, 3: 0}.keys(),
        iter([1, 2, 3]),
    ):
        assert shape.dump(value) == wanted
    fixed = Shape("list", (U16,), 2)
    assert fixed.dump([1, 2]) == b"\1\0\2\0" and fixed.load(b"\1\0\2\0") == ([1, 2], 4)
    with pytest.raises(ValueError, match="a list of 2 elements is needed, not 3"):
        fixed.dump([1, 2, 3])


def test_maps_are_dicts() -> None:
    shape = Shape("map", (STRING, U8))
    data = shape.dump({"a": 1, "b": 2})
    assert data == b"\2\0\0\0" + STRING.dump("a") + b"\1" + STRING.dump("b") + b"\2"
    assert shape.load(data) == ({"a": 1, "b": 2}, len(data))
    with pytest.raises(OverflowError, match=r"^\['b'\]: 300 is out of range of u8"):
        shape.dump({"b": 300})
    with pytest.raises(TypeError, match=r"^a key: a str is needed, not int"):
        shape.dump({3: 3})


def test_large_values_leave_the_stack() -> None:
    for size in (0, 500, 507, 508, 513, 5_000, 300_000):
        data = random.Random(size).randbytes(size)
        shape = Shape("tuple", (Shape("list", (U8,)), U64, STRING))
        stream = shape.dump((data, size, "é" * size))
        assert shape.load(stream) == ((data, size, "é" * size), len(stream))


def test_a_stream_that_ends_too_early() -> None:
    shape = Shape(
        "tuple",
        (STRING, Shape("list", (U16,)), Shape("option", (U64,), (Some, False)), Shape("list", (STRING,))),
    )
    data = shape.dump(("ab", [1, 2], 3, ["x"]))
    for length in range(len(data)):
        with pytest.raises(ValueError, match="ends too early"):
            shape.load(data[:length])
    for wrong in (b"\xff" * 4, b"\xff\xff\xff\x7f"):
        for part in (U8, U16, U64, STRING):
            with pytest.raises(ValueError, match="ends too early"):
                Shape("list", (part,)).load(wrong)
    assert shape.load(b"\0" + data, 1)[1] == len(data) + 1 and shape.load(bytearray(data))[1] == len(data)


def test_an_argument_is_named_before_the_place_in_it() -> None:
    @dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int

    point = Shape("record", (U8, Shape("list", (U8,), 2)), (Point, ("x", "y"), ("x", "y")))
    lane = Lane((point, STRING), ("at", "label"), U8)
    assert lane.dump((Point(1, [2, 3]), "a")) == b"\1\2\3" + STRING.dump("a") and lane.load(b"\5") == 5  # type: ignore[arg-type]
    assert lane.dump((SimpleNamespace(x=1, y=(2, 3)), "a")) == lane.dump(({"x": 1, "y": [2, 3]}, "a"))
    for args, error, text in (
        ((Point(300, 0), "a"), OverflowError, "argument at.x: 300 is out of range of u8"),
        ((Point(1, [2, -1]), "a"), OverflowError, "argument at.y[1]: -1 is out of range of u8"),  # type: ignore[arg-type]
        ((Point(1, [2, 3]), 5), TypeError, "argument label: a str is needed, not int"),  # type: ignore[arg-type]
        ((Point(1, [2, 3]),), TypeError, "2 arguments are needed, not 1"),  # type: ignore[arg-type]
    ):
        with pytest.raises(error) as caught:
            lane.dump(args)  # type: ignore[arg-type]
        assert str(caught.value) == text and type(caught.value) is error


def test_an_exception_of_anothers_is_not_dressed_up() -> None:
    class Odd:
        def __index__(self) -> int:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match=r"^mine$"):
        Lane((Shape("list", (U8,), 1),), ("a",)).dump(([Odd()],))


def test_a_lane_without_a_result() -> None:
    assert Lane((), ()).dump(()) == b"" and Lane((), ()).load(b"") is None


# ---- every type, in random company ----


class Case:
    """Stands for the class of a case."""

    label, index = "", 0
    __slots__ = ("value",)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.value == self.value


def shape_of(t: Value) -> Shape:
    kind, parts = t.kind, t.parts
    if kind in ("tuple", "map", "list", "option", "result"):
        extra: Any = {
            "list": parts[-1],
            "option": (Some, parts[0].kind == "option") if kind == "option" else None,
            "result": (Ok, Err),
        }
        inside = parts[:1] if kind == "list" else parts
        return Shape(kind, tuple(part and shape_of(part) for part in inside), extra.get(kind))
    if kind == "record":
        names = tuple(label for label, _part in parts)
        cls = type("R", (SimpleNamespace,), {"__hash__": lambda self: 0})
        return Shape(kind, tuple(shape_of(part) for _label, part in parts), (cls, names, names))
    if kind == "variant":
        made = [
            type("C", (Case,), {"label": label, "index": i, "__slots__": (), "__hash__": lambda self: 0})
            for i, (label, _part) in enumerate(parts)
        ]
        return Shape(kind, tuple(part and shape_of(part) for _label, part in parts), (Case, tuple(made)))
    if kind == "enum":
        return Shape(kind, (), (Case, parts, parts))
    if kind == "flags":
        return Shape(kind, (), (int, parts))
    if kind in ("own", "borrow"):
        return Shape(kind, (), (lambda value: value[0], lambda rep: (rep,)))
    return Shape(kind)


def plain(t: Value) -> bool:
    """No map, whose keys could be the same twice; no float, whose NaN has many bits; strings come as UTF-8 alone."""
    inside = [
        part[1] if isinstance(part, tuple) else part for part in t.parts if not isinstance(part, (str, int))
    ]
    return t.kind not in ("map", "f32", "f64", "string") and all(
        plain(part) for part in inside if part is not None
    )


def test_random_values_come_back_as_the_same_stream() -> None:
    rng, seen = random.Random(11), 0
    while seen < 800:
        function = some_function(rng)
        for t in function.params:
            if plain(t):
                data = some_value(t, rng)
                shape = shape_of(t)
                value, end = shape.load(data)
                assert end == len(data) and shape.dump(value) == data
                seen += 1


# ---- on the way of a call ----

CORE = """(module (import "" "host" (func $host (param i32 i32 i32)))
  (memory (export "memory") 3) (global $at (mut i32) (i32.const 1024))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $at (i32.and (i32.add (global.get $at) (i32.const 15)) (i32.const -16)))
    (global.get $at) (global.set $at (i32.add (global.get $at) (local.get 3))))
  (func (export "echo") (param i32 i32) (result i32) (global.set $at (i32.const 1024))
    (i32.store (i32.const 8) (local.get 0)) (i32.store (i32.const 12) (local.get 1)) (i32.const 8))
  (func (export "ask") (param i32 i32) (result i32)
    (call $host (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))"""


@pytest.mark.parametrize("engine", ["wasmtime", "wasm2c"])
def test_values_go_to_a_guest_and_come_back(engine: str) -> None:
    t = Table()
    data = t.list_of(t.primitive("u8"))
    plan = Plan(encode(t.function([("data", data)], data))[0])
    lane = Lane((Shape("list", (U8,)),), ("data",), Shape("list", (U8,)))
    asked: list[bytes] = []

    def host(data: bytes) -> bytes:
        asked.append(data)
        return data[::-1] if data else data + 5  # type: ignore[operator]

    with tree(engine) as made:
        func = made.func("iii")
        core = made.core(CORE, func)
        options = (core, b"memory", core, b"realloc", 0)
        func.bind_host(plan, (), host, options, lane)
        echo = _core.Lifted(made.root, plan, (), core, b"echo", options)
        ask = _core.Lifted(made.root, plan, (), core, b"ask", options)
        for size in (0, 3, 4096, 100_000):
            value = random.Random(size).randbytes(size)
            assert echo.invoke(lane, (value,)) == (0, "", value)
        assert ask.invoke(lane, (b"abc",)) == (0, "", b"cba") and asked == [b"abc"]
        with pytest.raises(TypeError, match="argument data: bytes are needed, not int"):
            echo.invoke(lane, (5,))
        assert echo.invoke(lane, (b"still",)) == (0, "", b"still")
        err, _text, result = ask.invoke(lane, (b"",))
        assert (err, result) == (_core.HOST, None)
        error = made.sys.take_pending()
        assert isinstance(error, TypeError) and "concat" in str(error)

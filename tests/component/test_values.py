"""values.py: each type, its bytes in a stream, what goes in and what comes out; wrong values say where."""

from __future__ import annotations

import math
import pickle
import struct
from types import SimpleNamespace
from typing import Any

import pytest

from tests.component.kinds import Kinds
from wasi_native.component.values import Err, Ok, Some

U32 = struct.Struct("<I").pack


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\0" + U32(len(raw)) + raw


@pytest.mark.parametrize(
    ("kind", "value", "stream"),
    [
        ("bool", True, b"\1"),
        ("u8", 255, b"\xff"),
        ("s8", -128, b"\x80"),
        ("u16", 0x1234, b"\x34\x12"),
        ("s16", -2, b"\xfe\xff"),
        ("u32", 2**32 - 1, b"\xff" * 4),
        ("s32", -1, b"\xff" * 4),
        ("u64", 2**64 - 1, b"\xff" * 8),
        ("s64", -(2**63), b"\0" * 7 + b"\x80"),
        ("f32", 1.5, struct.pack("<f", 1.5)),
        ("f64", -0.1, struct.pack("<d", -0.1)),
        ("char", "\U0001f600", U32(0x1F600)),
        ("string", "h\xe9\0", text("h\xe9\0")),
        ("(list u8)", b"\0\1", U32(2) + b"\0\1"),
        ("(list s16)", [1, -1], U32(2) + b"\1\0\xff\xff"),
        ("(list string)", ["a", ""], U32(2) + text("a") + text("")),
        ("(tuple u8 string)", (1, "b"), b"\1" + text("b")),
        ("(option u8)", None, U32(0)),
        ("(option u8)", 0, U32(1) + b"\0"),
        ("(option (option u8))", Some(None), U32(1) + U32(0)),
        ("(option (option u8))", Some(7), U32(1) + U32(1) + b"\7"),
        ("(result u8 (error string))", Ok(1), U32(0) + b"\1"),
        ("(result u8 (error string))", Err("x"), U32(1) + text("x")),
        ("(result)", Ok(), U32(0)),
        ("(result)", Err(), U32(1)),
        ("(own $thing)", (9, True), U32(9)),
        ("(borrow $thing)", (9, False), U32(9)),
        ("(list (own $thing))", [(9, True)], U32(1) + U32(9)),
    ],
)
def test_both_ways(kind: str, value: Any, stream: bytes) -> None:
    kinds = Kinds(kind)
    assert kinds.put(value) == stream
    found = kinds.get(stream)
    assert found == value and type(found) is type(value)


def test_strings_come_in_each_encoding() -> None:
    kinds = Kinds("string")
    assert kinds.get(b"\1" + U32(2) + "a\u20ac".encode("utf-16-le")) == "a\u20ac"
    assert kinds.get(b"\2" + U32(2) + b"a\xe9") == "a\xe9"
    assert kinds.get(b"\3" + U32(1) + "a".encode("utf-16-le")) == "a"
    with pytest.raises(ValueError, match="surrogates"):
        kinds.put("\ud800")


def test_numbers_are_as_near_as_they_can_be() -> None:
    kinds = Kinds("f32")
    assert kinds.put(math.nan) == b"\0\0\xc0\x7f" and kinds.put(-math.nan) == b"\0\0\xc0\x7f"
    assert kinds.put(1e300) == struct.pack("<f", math.inf) and kinds.put(-1e300) == struct.pack(
        "<f", -math.inf
    )
    assert kinds.put(2) == struct.pack("<f", 2.0)
    assert Kinds("f64").put(math.nan) == b"\0\0\0\0\0\0\xf8\x7f"


def test_records() -> None:
    kinds = Kinds("$point")
    point = kinds.cls("point")
    stream = struct.pack("<id", -3, 0.5)
    assert kinds.get(stream) == point(-3, 0.5) == point(x=-3, from_=0.5)
    assert repr(point(1, 2.0)) == "Point(x=1, from_=2.0)" and hash(point(1, 2.0)) == hash(point(1, 2.0))
    for other in (point(-3, 0.5), {"x": -3, "from": 0.5}, SimpleNamespace(x=-3, from_=0.5)):
        assert kinds.put(other) == stream
    with pytest.raises(TypeError, match="Point has from_, dict has not"):
        kinds.put({"x": 1})
    with pytest.raises(OverflowError, match=r"\.x: 2147483648 is out of range of s32"):
        kinds.put(point(2**31, 0))
    with pytest.raises(AttributeError):
        point(1, 2.0).x = 3


def test_variants() -> None:
    kinds = Kinds("$shape")
    shape, point = kinds.cls("shape"), kinds.cls("point")
    lines = shape.PolyLine([point(1, 2.0)])
    for value, stream in (
        (shape.Dot(), U32(0)),
        (shape.Circle(1.5), U32(1) + struct.pack("<f", 1.5)),
        (lines, U32(2) + U32(1) + struct.pack("<id", 1, 2.0)),
    ):
        assert kinds.put(value) == stream and kinds.get(stream) == value and isinstance(value, shape)
    assert repr(lines) == "Shape.PolyLine([Point(x=1, from_=2.0)])" and repr(shape.Dot()) == "Shape.Dot()"
    match lines:
        case shape.PolyLine([only]):
            assert only.x == 1
        case _:
            pytest.fail("the pattern did not match")
    assert shape.Dot() != shape.Circle(1.0) and hash(shape.Dot()) == hash(shape.Dot())
    with pytest.raises(TypeError, match="takes 0 arguments, 1 were given"):
        shape.Dot(1)
    with pytest.raises(TypeError, match="made by its cases"):
        shape()
    with pytest.raises(AttributeError, match="cannot be changed"):
        lines.value = 1
    with pytest.raises(TypeError, match="a case of Shape is needed, not str"):
        kinds.put("dot")
    with pytest.raises(TypeError, match=r"\(poly-line\)\[0\]\.x: an integer is needed, not str"):
        kinds.put(shape.PolyLine([point("1", 2.0)]))


def test_enums_and_flags() -> None:
    kinds = Kinds("$color")
    color = kinds.cls("color")
    assert kinds.get(U32(1)) is color.HOT_PINK is color("hot-pink")
    assert kinds.put(color.RED) == kinds.put("red") == U32(0)
    with pytest.raises(ValueError, match="a value of Color is needed, not 'blue'"):
        kinds.put("blue")
    kinds = Kinds("$perms")
    perms = kinds.cls("perms")
    both = perms.READ | perms.WRITE_ALL
    assert kinds.put(both) == kinds.put(3) == kinds.put({"read", "write-all"}) == U32(3)
    assert kinds.get(U32(2)) is perms.WRITE_ALL and kinds.put(perms(0)) == U32(0)
    for wrong in (4, -1, ["exec"]):
        with pytest.raises(ValueError, match="Perms has no flag"):
            kinds.put(wrong)


@pytest.mark.parametrize(
    ("kind", "value", "error", "says"),
    [
        ("bool", 1, TypeError, "True or False is needed, not int"),
        ("u8", 256, OverflowError, "256 is out of range of u8"),
        ("u8", -1, OverflowError, "-1 is out of range of u8"),
        ("u8", 1.0, TypeError, "an integer is needed, not float"),
        ("f64", "1", TypeError, "a number is needed, not str"),
        ("char", "ab", TypeError, "one character"),
        ("char", "\udc00", ValueError, "a surrogate is no character"),
        ("string", b"a", TypeError, "a str is needed, not bytes"),
        ("(list u8)", 3, TypeError, "bytes are needed, not int"),
        ("(list u16)", "ab", TypeError, "a list is needed, not str"),
        ("(list u16)", [1, "b"], TypeError, r"\[1\]: an integer is needed, not str"),
        ("(tuple u8 u8)", (1,), ValueError, "a tuple of 2 is needed, not of 1"),
        ("(option (option u8))", 5, TypeError, r"None or Some\(value\) is needed, not int"),
        ("(result u8)", 5, TypeError, r"Ok\(value\) or Err\(value\) is needed, not int"),
        ("(result)", Ok(1), TypeError, "Ok carries nothing here, not int"),
    ],
)
def test_wrong_values(kind: str, value: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Kinds(kind).put(value)


def test_results_are_values() -> None:
    assert Ok(1) == Ok(1) != Err(1) and hash(Ok(1)) == hash(Ok(1)) and repr(Err("x")) == "Err('x')"
    assert pickle.loads(pickle.dumps(Ok([1]))) == Ok([1])
    match Ok(3):
        case Ok(value):
            assert value == 3

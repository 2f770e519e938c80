"""Layouts: vectors worked out by hand from the rules of the canonical ABI, and the reference where it is at hand.

``WASI_NATIVE_COMPONENT_MODEL`` names a checkout of the component-model repository; its ``definitions.py`` is then
asked about random types too (``WASI_NATIVE_TYPES``: how many, 2000 by default).
"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from typing import Any

import pytest

from tests.component.build import CHECKOUT, checkout
from wasi_native.component.types import PRIMITIVES, Function, Table, TooLarge, Value, discriminant, flatten

T = Table()
U8, U16, U32, U64, F32, F64, STRING = (
    T.primitive(k) for k in ("u8", "u16", "u32", "u64", "f32", "f64", "string")
)


def facts(value: Value) -> tuple[int, int, str]:
    return value.size, value.align, value.flat


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("bool", (1, 1, "i")),
        ("s16", (2, 2, "i")),
        ("u32", (4, 4, "i")),
        ("s64", (8, 8, "I")),
        ("f32", (4, 4, "f")),
        ("f64", (8, 8, "F")),
        ("char", (4, 4, "i")),
        ("string", (8, 4, "ii")),
        ("error-context", (4, 4, "i")),
    ],
)
def test_primitives(kind: str, wanted: tuple[int, int, str]) -> None:
    assert facts(T.primitive(kind)) == wanted
    assert T.primitive(kind) is T.primitive(kind)


VECTORS: list[tuple[Value, tuple[int, int, str], tuple[int, ...]]] = [
    (T.record([("a", U8), ("b", U32), ("c", U16)]), (12, 4, "iii"), (0, 4, 8)),
    (T.tuple_of([U8, U64]), (16, 8, "iI"), (0, 8)),
    (T.tuple_of([U64, U8]), (16, 8, "Ii"), (0, 8)),
    (T.list_of(U64), (8, 4, "ii"), ()),
    (T.list_of(U16, 3), (6, 2, "iii"), ()),
    (T.map_of(STRING, U64), (8, 4, "ii"), ()),
    (T.option(U8), (2, 1, "ii"), (1,)),
    (T.option(U64), (16, 8, "iI"), (8,)),
    (T.option(STRING), (12, 4, "iii"), (4,)),
    (T.result(None, None), (1, 1, "i"), (1,)),
    (T.result(U32, F32), (8, 4, "ii"), (4,)),
    (T.result(F32, F64), (16, 8, "iI"), (8,)),
    (T.result(F32, None), (8, 4, "if"), (4,)),
    (T.result(None, STRING), (12, 4, "iii"), (4,)),
    (T.enum(["a", "b"]), (1, 1, "i"), (1,)),
    (T.enum([f"a{n}" for n in range(257)]), (2, 2, "i"), (2,)),
    (T.flags(["a"] * 8), (1, 1, "i"), ()),
    (T.flags(["a"] * 9), (2, 2, "i"), ()),
    (T.flags(["a"] * 17), (4, 4, "i"), ()),
    (T.own(3), (4, 4, "i"), ()),
    (T.borrow(3), (4, 4, "i"), ()),
    (T.stream(U8), (4, 4, "i"), ()),
    (T.future(None), (4, 4, "i"), ()),
    (T.variant([("a", U8), ("b", T.tuple_of([U32, F64])), ("c", None)]), (24, 8, "iiF"), (8,)),
    (
        T.variant([("a", F32), ("b", T.tuple_of([F64, F32])), ("c", T.tuple_of([U32, U32]))]),
        (24, 8, "iIi"),
        (8,),
    ),
    (T.tuple_of([U8] * 20), (20, 1, "i" * 17), tuple(range(20))),
    (T.tuple_of([T.option(U8), U8, U16]), (6, 2, "iiii"), (0, 2, 4)),
]


@pytest.mark.parametrize(("value", "wanted", "offsets"), VECTORS, ids=lambda item: getattr(item, "kind", ""))
def test_vectors(value: Value, wanted: tuple[int, int, str], offsets: tuple[int, ...]) -> None:
    assert facts(value) == wanted
    assert value.offsets == offsets


def test_64_bit_addresses() -> None:
    assert (STRING.size64, STRING.align64) == (16, 8)
    assert T.tuple_of([U8, STRING]).size64 == 24 and T.option(T.list_of(U8)).size64 == 24


def test_discriminants() -> None:
    assert [discriminant(n) for n in (1, 256, 257, 65536, 65537)] == [1, 1, 2, 2, 4]


def test_equal_types_are_one_object() -> None:
    one = T.record([("a", T.list_of(U8)), ("b", T.option(STRING))])
    assert T.record([("a", T.list_of(U8)), ("b", T.option(STRING))]) is one
    assert T.record([("x", T.list_of(U8)), ("b", T.option(STRING))]) is not one
    assert T.own(1) is T.own(1) is not T.own(2) and T.own(1) is not T.borrow(1)
    assert T.function([("a", U8)], None) is T.function([("a", U8)], None)
    assert T.function([("a", U8)], None) is not T.function([("a", U8)], None, True)
    assert T.function([], U8) is not T.function([("a", U8)], None)
    assert T.map_of(U8, U16) is T.map_of(U8, U16) and T.tuple_of([U8]) is T.tuple_of([U8])
    assert Table().primitive("u8") is not U8


def test_shapes_forget_which_resource() -> None:
    one, other = T.list_of(T.tuple_of([T.own(1), U8])), T.list_of(T.tuple_of([T.own(2), U8]))
    assert one is not other and one.shape is other.shape is one.shape.shape
    assert T.list_of(T.tuple_of([T.borrow(1), U8])).shape is not one.shape
    assert U8.shape is U8 and T.record([("a", U8)]).shape is T.record([("a", U8)])
    assert T.variant([("a", T.own(1)), ("b", None)]).shape is T.variant([("a", T.own(7)), ("b", None)]).shape


def test_marks() -> None:
    assert T.option(T.borrow(0)).borrows and not T.option(T.own(0)).borrows
    assert T.option(STRING).pointers and T.map_of(U8, U8).pointers and T.list_of(U8).pointers
    assert not T.list_of(U8, 4).pointers and not T.stream(STRING).pointers and not U64.pointers


def test_limits() -> None:
    value = U8
    for _ in range(99):
        value = T.option(value)
    with pytest.raises(TooLarge, match="100 deep"):
        T.option(value)
    value = U8
    for _ in range(6):
        value = T.tuple_of([value] * 9)
    with pytest.raises(TooLarge, match="1000000 types"):
        T.tuple_of([value] * 9)
    assert T.list_of(U8, (1 << 28) - 1).size == (1 << 28) - 1
    for kind, count in ((U8, 1 << 28), (STRING, 1 << 24), (U64, 1 << 29), (U8, (1 << 32) - 1)):
        with pytest.raises(TooLarge, match="bytes"):
            T.list_of(kind, count)


def func(params: list[Value], result: Value | None = None) -> Function:
    return T.function([(f"p{n}", value) for n, value in enumerate(params)], result)


FLAT: list[tuple[Function, tuple[str, str], tuple[str, str], tuple[str, str]]] = [
    # lifted, lowered, lowered async
    (func([]), ("", ""), ("", ""), ("", "i")),
    (func([U8, F64], U64), ("iF", "I"), ("iF", "I"), ("iFi", "i")),
    (func([U32], STRING), ("i", "i"), ("ii", ""), ("ii", "i")),
    (func([U64] * 5), ("IIIII", ""), ("IIIII", ""), ("i", "i")),
    (func([U64] * 16), ("I" * 16, ""), ("I" * 16, ""), ("i", "i")),
    (func([U64] * 17, STRING), ("i", "i"), ("ii", ""), ("ii", "i")),
    (func([T.list_of(U8)] * 9), ("i", ""), ("i", ""), ("i", "i")),
]


@pytest.mark.parametrize(("function", "lifted", "lowered", "lowered_async"), FLAT)
def test_functions(function: Function, lifted: Any, lowered: Any, lowered_async: Any) -> None:
    assert flatten(function, "lift") == lifted
    assert flatten(function, "lower") == lowered
    assert flatten(function, "lower", is_async=True) == lowered_async
    assert flatten(function, "lift", is_async=True, callback=True) == (lifted[0], "i")
    assert flatten(function, "lift", is_async=True) == (lifted[0], "")


# ---- the reference ----------------------------------------------------------------------------------------


def reference() -> Any:
    root = checkout()
    if root is None:
        pytest.skip(f"{CHECKOUT} names no checkout of the component-model repository")
    path = root / "design" / "mvp" / "canonical-abi" / "definitions.py"
    spec = importlib.util.spec_from_file_location("definitions", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["definitions"] = module
    spec.loader.exec_module(module)
    return module


KINDS = (
    "list",
    "fixed",
    "map",
    "record",
    "tuple",
    "variant",
    "enum",
    "flags",
    "option",
    "result",
    "stream",
    "future",
)


class Twins:
    """Random types, ours and the reference's at once."""

    def __init__(self, d: Any, seed: int) -> None:
        self.d, self.random, self.table = d, random.Random(seed), Table()
        names = {kind: kind.capitalize() + "Type" for kind in PRIMITIVES} | {"string": "StringType"}
        names["error-context"] = "ErrorContextType"
        self.primitives = {kind: getattr(d, name) for kind, name in names.items()}

    def maybe(self, depth: int) -> tuple[Value | None, Any]:
        return self.value(depth) if self.random.random() < 0.7 else (None, None)

    def some(self, most: int) -> int:
        return self.random.choice((1, 1, 2, 3, most))

    def value(self, depth: int) -> tuple[Value, Any]:
        d, t, r = self.d, self.table, self.random
        if depth <= 0 or r.random() < 0.25:
            kind = r.choice([*self.primitives, "own", "borrow"])
            if kind in ("own", "borrow"):
                return (t.own(0), d.OwnType(None)) if kind == "own" else (t.borrow(0), d.BorrowType(None))
            return t.primitive(kind), self.primitives[kind]()
        kind = r.choice(KINDS)
        if kind in ("record", "tuple", "variant"):
            parts = [self.maybe(depth - 1) if kind == "variant" else self.value(depth - 1)
                     for _ in range(self.some(12))]  # fmt: skip
            pairs = [(f"l{n}", ours) for n, (ours, _theirs) in enumerate(parts)]
            theirs = [(f"l{n}", part) for n, (_ours, part) in enumerate(parts)]
            if kind == "record":
                return t.record(pairs), d.RecordType([d.FieldType(*pair) for pair in theirs])  # type: ignore[arg-type]
            if kind == "variant":
                return t.variant(pairs), d.VariantType([d.CaseType(*pair) for pair in theirs])
            return t.tuple_of([p for _l, p in pairs]), d.TupleType([p for _l, p in theirs])  # type: ignore[misc]
        if kind in ("enum", "flags"):
            labels = [f"l{n}" for n in range(self.some(300) if kind == "enum" else r.randint(1, 32))]
            return (
                (t.enum(labels), d.EnumType(labels))
                if kind == "enum"
                else (t.flags(labels), d.FlagsType(labels))
            )
        ours, other = self.value(depth - 1)
        if kind == "list":
            return t.list_of(ours), d.ListType(other)
        if kind == "fixed":
            length = self.some(20)
            return t.list_of(ours, length), d.ListType(other, length)
        if kind == "map":
            return t.map_of(STRING, ours), d.MapType(d.StringType(), other)
        if kind == "option":
            return t.option(ours), d.OptionType(other)
        if kind == "result":
            (ok, theirs_ok), (error, theirs_error) = self.maybe(depth - 1), self.maybe(depth - 1)
            return t.result(ok, error), d.ResultType(theirs_ok, theirs_error)
        return (
            (t.stream(ours), d.StreamType(other))
            if kind == "stream"
            else (t.future(ours), d.FutureType(other))
        )

    def function(self) -> tuple[Function, Any]:
        parts = [self.value(3) for _ in range(self.random.randint(0, 6))]
        result, theirs = self.maybe(3)
        ours = self.table.function([(f"p{n}", part[0]) for n, part in enumerate(parts)], result)
        given = [(f"p{n}", part[1]) for n, part in enumerate(parts)]
        return ours, self.d.FuncType(given, [] if result is None else [theirs])


LETTERS = {"i32": "i", "i64": "I", "f32": "f", "f64": "F"}


def test_against_the_reference(record_property: Any) -> None:
    d = reference()
    count = int(os.environ.get("WASI_NATIVE_TYPES", "2000"))
    twins, functions = Twins(d, 4), 0
    memory = d.MemInst(bytearray(), "i32")
    opts = d.LiftLowerOptions(memory=memory) if hasattr(d, "LiftLowerOptions") else None
    for _ in range(count):
        ours, theirs = twins.value(4)
        for pointer, size, align in (("i32", ours.size, ours.align), ("i64", ours.size64, ours.align64)):
            assert size == d.elem_size(theirs, pointer), theirs
            assert align == d.alignment(theirs, pointer), theirs
        flat = "".join(LETTERS[item] for item in d.flatten_type(theirs, opts))
        assert ours.flat == flat[:17], theirs
        if not twins.random.randrange(4):
            functions += 1
            function, other = twins.function()
            for context in ("lift", "lower"):
                for is_async in (False, True):
                    for callback in (False, True):
                        options = d.CanonicalOptions(
                            memory=memory, async_=is_async, callback=(lambda: 0) if callback else None
                        )
                        wanted = d.flatten_functype(options, other, context)
                        found = flatten(function, context, is_async=is_async, callback=callback)
                        letters = tuple(
                            "".join(LETTERS[item] for item in part)
                            for part in (wanted.params, wanted.results)
                        )
                        assert found == letters, (other, context, is_async, callback)
    record_property("types", count)
    record_property("functions", functions)

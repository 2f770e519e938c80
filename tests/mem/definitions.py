"""The reference's own ``definitions.py``, asked through the interface of :mod:`tests.mem.reference`.

It is read from the checkout that ``WASI_NATIVE_COMPONENT_MODEL`` names. Its values are Python's: streams become them
and they become streams here. Its traps tell no reason. Calls of realloc and of handles go to the guest of the test:
a task of its own for each would be the reference's way, and is what neither lifting nor lowering depends on.
"""

from __future__ import annotations

import functools
import importlib.util
import struct
import sys
from pathlib import Path
from typing import Any

from tests.component.build import checkout
from tests.mem.reference import (
    CODECS,
    LATIN1,
    NUMBERS,
    UTF8,
    UTF16,
    UTF16_MAYBE,
    Reader,
    Reference,
    Trap,
    cases,
    fields,
)
from wasi_native.component.types import Value

PRIMITIVES = {
    "bool": "BoolType",
    "char": "CharType",
    "string": "StringType",
    "f32": "F32Type",
    "f64": "F64Type",
}
PRIMITIVES |= {kind: f"{kind.upper()}Type" for kind in NUMBERS}
HOW = {UTF8: "utf8", UTF16: "utf16", LATIN1: "latin1+utf16", UTF16_MAYBE: "latin1+utf16"}
REASON = "of definitions.py"


@functools.cache
def module() -> Any:
    """``definitions.py``, with NaN as the deterministic profile has it."""
    root = checkout()
    assert root is not None
    path = Path(root) / "design" / "mvp" / "canonical-abi" / "definitions.py"
    spec = importlib.util.spec_from_file_location("wn_canonical_definitions", path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    made.DETERMINISTIC_PROFILE = True
    made.lift_own = lambda cx, i, t: cx.inst.handle(0, t.rt, i)
    made.lift_borrow = lambda cx, i, t: cx.inst.handle(1, t.rt, i)
    made.lower_own = lambda cx, rep, t: cx.inst.handle(2, t.rt, rep)
    made.lower_borrow = lambda cx, rep, t: cx.inst.handle(3, t.rt, rep)
    return made


class Definitions(Reference):
    """A guest as ``definitions.py`` lifts from it and lowers to it."""

    def type(self, t: Any) -> Any:
        d = module()
        kind, parts = t.kind, t.parts
        if kind in PRIMITIVES:
            return getattr(d, PRIMITIVES[kind])()
        if kind == "list":
            return d.ListType(self.type(parts[0]), parts[1])
        if kind == "map":
            return d.MapType(self.type(parts[0]), self.type(parts[1]))
        if kind == "record":
            return d.RecordType([d.FieldType(label, self.type(part)) for label, part in parts])
        if kind == "tuple":
            return d.TupleType([self.type(part) for part in parts])
        if kind == "variant":
            return d.VariantType([d.CaseType(label, part and self.type(part)) for label, part in parts])
        if kind == "enum":
            return d.EnumType(list(parts))
        if kind == "option":
            return d.OptionType(self.type(parts[0]))
        if kind == "result":
            return d.ResultType(*[part and self.type(part) for part in parts])
        if kind == "flags":
            return d.FlagsType(list(parts))
        return (d.OwnType if kind == "own" else d.BorrowType)(self.resource(t))

    def labels(self, t: Any) -> list[str]:
        if t.kind == "variant":
            return [label for label, _part in t.parts]
        if t.kind == "enum":
            return list(t.parts)
        return ["none", "some"] if t.kind == "option" else ["ok", "error"]

    def value(self, t: Any, stream: Reader) -> Any:
        """The next value of a stream."""
        kind = t.kind
        if kind in NUMBERS:
            return struct.unpack("<" + NUMBERS[kind], stream.take(struct.calcsize("<" + NUMBERS[kind])))[0]
        if kind == "bool":
            return bool(stream.number(1))
        if kind in ("f32", "f64"):
            return (
                struct.unpack("<f", stream.take(4))[0]
                if kind == "f32"
                else struct.unpack("<d", stream.take(8))[0]
            )
        if kind == "char":
            return chr(stream.number())
        if kind == "string":
            how, units = stream.number(1), stream.number()
            data = stream.take(units * (2 if how in (UTF16, UTF16_MAYBE) else 1))
            return data.decode(CODECS[how]), HOW[how], units | (1 << 31 if how == UTF16_MAYBE else 0)
        if kind == "flags":
            bits = stream.number()
            return {label: bool(bits >> i & 1) for i, label in enumerate(t.parts)}
        if kind in ("own", "borrow"):
            return stream.number()
        if kind == "map":
            pairs = range(stream.number())
            return [{str(i): self.value(part, stream) for i, part in enumerate(t.parts)} for _ in pairs]
        if kind == "list":
            count = stream.number() if t.parts[1] is None else t.parts[1]
            return [self.value(t.parts[0], stream) for _ in range(count)]
        if kind == "record":
            return {label: self.value(part, stream) for label, part in t.parts}
        if kind == "tuple":
            return {str(i): self.value(part, stream) for i, part in enumerate(t.parts)}
        tag = stream.number()
        payload = cases(t)[tag]
        return {self.labels(t)[tag]: None if payload is None else self.value(payload, stream)}

    def stream(self, t: Any, value: Any) -> bytes:
        """The stream of a value."""
        kind = t.kind
        if kind in NUMBERS:
            return struct.pack("<" + NUMBERS[kind], value)
        if kind == "bool":
            return bytes([value])
        if kind in ("f32", "f64"):
            return struct.pack("<f" if kind == "f32" else "<d", value)
        if kind == "char":
            return struct.pack("<I", ord(value))
        if kind == "string":
            text, how, units = value
            code = {"utf8": UTF8, "utf16": UTF16}.get(how, UTF16_MAYBE if units >> 31 else LATIN1)
            return (
                bytes([code])
                + struct.pack("<I", units & 0x7FFFFFFF if code >= LATIN1 else units)
                + text.encode(CODECS[code])
            )
        if kind == "flags":
            return struct.pack("<I", sum(value[label] << i for i, label in enumerate(t.parts)))
        if kind in ("own", "borrow"):
            return struct.pack("<I", value)
        if kind == "map":
            pairs = [self.stream(part, pair[str(i)]) for pair in value for i, part in enumerate(t.parts)]
            return struct.pack("<I", len(value)) + b"".join(pairs)
        if kind == "list":
            head = struct.pack("<I", len(value)) if t.parts[1] is None else b""
            return head + b"".join(self.stream(t.parts[0], item) for item in value)
        if kind in ("record", "tuple"):
            labels = (
                [label for label, _part in t.parts]
                if kind == "record"
                else [str(i) for i in range(len(t.parts))]
            )
            return b"".join(
                self.stream(part, value[label]) for part, label in zip(fields(t), labels, strict=True)
            )
        [(label, payload)] = value.items()
        tag = self.labels(t).index(label)
        part = cases(t)[tag]
        return struct.pack("<I", tag) + (b"" if part is None else self.stream(part, payload))

    def context(self) -> Any:
        d = module()
        guest = self

        class Context(d.LiftLowerContext):  # type: ignore[misc, name-defined]
            def reallocate(self, old: int, old_size: int, align: int, size: int) -> int:
                assert guest.realloc is not None
                return guest.realloc(old, old_size, align, size)

        return Context(d.LiftLowerOptions(self.encoding, d.MemInst(self.memory, "i32"), self.realloc), self)

    def numbers(self, types: list[Any], cx: Any, core: list[int]) -> Any:
        """The core values as the reference has them: floats, where they are floats."""
        flat = module().flatten_types(types, cx.opts)
        if len(flat) > len(core):
            flat = ["i32"]
        made: list[Any] = []
        for letter, bits in zip(flat, core, strict=False):
            if letter[0] == "f":
                form = ("<I", "<f") if letter == "f32" else ("<Q", "<d")
                made.append(
                    struct.unpack(
                        form[1], (bits & (1 << int(letter[1:])) - 1).to_bytes(int(letter[1:]) // 8, "little")
                    )[0]
                )
            else:
                made.append(bits & (1 << int(letter[1:])) - 1)
        return module().CoreValueIter(made)

    def bits(self, types: list[Any], cx: Any, values: list[Any]) -> list[int]:
        flat = module().flatten_types(types, cx.opts)
        if len(flat) != len(values):
            return values
        made = []
        for letter, value in zip(flat, values, strict=True):
            if letter[0] == "f":
                value = int.from_bytes(struct.pack("<f" if letter == "f32" else "<d", value), "little")
            made.append(value)
        return made

    def lift(self, types: list[Value], most: int, core: list[int]) -> bytes:
        cx, made = self.context(), [self.type(t) for t in types]
        try:
            values = module().lift_flat_values(cx, most, self.numbers(made, cx, core), made)
        except module().Trap:
            raise Trap(REASON) from None
        return b"".join(self.stream(t, value) for t, value in zip(types, values, strict=True))

    def lower(self, types: list[Value], most: int, stream: bytes, ret: int | None = None) -> list[int]:
        cx, made = self.context(), [self.type(t) for t in types]
        reader = Reader(stream)
        values = [self.value(t, reader) for t in types]
        out = None if ret is None else module().CoreValueIter([ret])
        try:
            core = module().lower_flat_values(cx, most, values, made, out)
        except module().Trap:
            raise Trap(REASON) from None
        return self.bits(made, cx, core)

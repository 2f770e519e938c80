"""Plans: the types of a function as the core walks them when it lifts and lowers (``core/mem/plan.h``).

A plan is made once for each function type and holds for every instance: resources are numbered in the order in which
the types name them, and whoever makes an instance says which resource each number is there.
"""

from __future__ import annotations

import struct

from .types import FLAT_PARAMS_MAX, Function, Value

__all__ = ["NONE", "Unsupported", "encode"]

NONE = 0xFFFFFFFF
MAGIC = 0x31506E57
SCALARS = ("bool", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "char")
_KINDS = {name: number for number, name in enumerate(SCALARS)}
_STRING, _LIST, _RECORD, _VARIANT, _FLAGS, _OWN, _BORROW = range(len(SCALARS), len(SCALARS) + 7)
_PLAIN, _POINTER, _FIXED = 1, 2, 4
_HEADER = struct.Struct("<6I")
_NODE = struct.Struct("<4B5IB19s")
_ITEM = struct.Struct("<2I")


class Unsupported(ValueError):
    """A type whose values cannot be lifted or lowered here: streams, futures, error contexts."""


class _Node:
    """A node as it is written, and its number."""

    __slots__ = ("align", "depth", "flags", "flat", "number", "packed", "size")

    def __init__(self, value: Value, flags: int, packed: int) -> None:
        self.size, self.align, self.flat = value.size, value.align, value.flat
        self.flags, self.packed = flags, packed
        self.depth, self.number = 1, 0


class _Writer:
    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.items: list[bytes] = []
        self.resources: dict[int, int] = {}
        self._made: dict[Value, _Node] = {}

    def node(self, value: Value) -> _Node:
        """The node of a type, after those that it names."""
        found = self._made.get(value)
        if found is None:
            found = self._made[value] = self._make(value)
        return found

    def _add(self, node: _Node, kind: int, first: int, count: int, offset: int = 0) -> _Node:
        node.number = len(self.nodes)
        self.nodes.append(
            _NODE.pack(
                *(kind, node.align, node.flags, node.depth, node.size, first, count, offset, node.packed),
                *(len(node.flat), node.flat.encode()),
            )
        )
        return node

    def _make(self, value: Value) -> _Node:
        kind = value.kind
        if kind in _KINDS:
            plain = 0 if kind in ("bool", "f32", "f64", "char") else _PLAIN
            return self._add(_Node(value, _FIXED | plain, value.size), _KINDS[kind], 0, 0)
        if kind == "string":
            return self._add(_Node(value, _POINTER, 5), _STRING, 0, 0)
        if kind == "flags":
            return self._add(_Node(value, _FIXED, 4), _FLAGS, 0, len(value.parts))
        if kind in ("own", "borrow"):
            number = self.resources.setdefault(value.parts[0], len(self.resources))
            return self._add(_Node(value, _FIXED, 4), _OWN if kind == "own" else _BORROW, number, 0)
        if kind == "list":
            return self._list(value, self.node(value.parts[0]), value.parts[1])
        if kind == "map":
            return self._list(value, self.row([self.node(part) for part in value.parts]), None)
        if kind in ("record", "tuple"):
            parts = value.parts if kind == "tuple" else [part for _label, part in value.parts]
            return self.row([self.node(part) for part in parts])
        if kind in ("variant", "enum", "option", "result"):
            return self._choice(value)
        raise Unsupported(f"values of the type {kind} (WASI 0.3) are not passed here")

    def _list(self, value: Value, element: _Node, length: int | None) -> _Node:
        flags, packed = (_POINTER, 4) if length is None else (element.flags, length * element.packed)
        node = _Node(value, flags, packed)
        node.depth = element.depth + 1
        return self._add(node, _LIST, element.number, length or 0)

    def row(self, fields: list[_Node]) -> _Node:
        """A record; also of all parameters together, and of a map's key and value."""
        made = Value()
        size, made.align, made.flat = 0, 1, ""
        flags, packed, offsets = _FIXED | _PLAIN, 0, []
        for field in fields:
            size = -(-size // field.align) * field.align
            offsets.append(size)
            size += field.size
            made.align = max(made.align, field.align)
            made.flat = (made.flat + field.flat)[: FLAT_PARAMS_MAX + 1]
            flags &= field.flags
            packed += field.packed
        made.size = -(-size // made.align) * made.align
        if any(field.flags & _POINTER for field in fields):
            flags |= _POINTER
        if packed != made.size:
            flags &= ~_PLAIN
        node = _Node(made, flags, packed)
        node.depth = 1 + max(field.depth for field in fields)
        first = len(self.items)
        for field, offset in zip(fields, offsets, strict=True):
            self.items.append(_ITEM.pack(field.number, offset))
        return self._add(node, _RECORD, first, len(fields))

    def _choice(self, value: Value) -> _Node:
        kind, parts = value.kind, value.parts
        if kind == "enum":
            return self._add(_Node(value, _FIXED, 4), _VARIANT, NONE, len(parts), value.offsets[0])
        payloads = [part for _label, part in parts] if kind == "variant" else list(parts)
        if kind == "option":
            payloads.insert(0, None)
        cases = [None if payload is None else self.node(payload) for payload in payloads]
        sizes = [0 if case is None else case.packed for case in cases]
        real = [case for case in cases if case is not None]
        flags = _POINTER if any(case.flags & _POINTER for case in real) else 0
        if min(sizes) == max(sizes) and all(case.flags & _FIXED for case in real):
            flags |= _FIXED
        node = _Node(value, flags, 4 + min(sizes))
        node.depth = 1 + max([case.depth for case in real], default=0)
        first = len(self.items)
        for case in cases:
            self.items.append(_ITEM.pack(NONE if case is None else case.number, 0))
        return self._add(node, _VARIANT, first, len(cases), value.offsets[0])


def encode(function: Function) -> tuple[bytes, tuple[int, ...]]:
    """The plan of a function, and the abstract index of each resource that it numbers.

    Raises :class:`Unsupported`.
    """
    writer = _Writer()
    params = result = NONE
    if function.params:
        params = writer.row([writer.node(value) for value in function.params]).number
    if function.result is not None:
        result = writer.node(function.result).number
    counts = len(writer.nodes), len(writer.items), params, result, len(writer.resources)
    data = _HEADER.pack(MAGIC, *counts) + b"".join(writer.nodes) + b"".join(writer.items)
    return data, tuple(writer.resources)

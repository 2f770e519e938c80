"""Types of component values as the canonical ABI lays them out: size, alignment, and the flat core types.

Equal types are one object of a :class:`Table` (hash-consing), so a plan made for a type serves each of its uses. What
the layout does not depend on is not in it: the names of types, and which resource a handle is of. A resource
stands as a number, its abstract index; whoever makes an instance says which resource that is there.

Flat types are letters, as everywhere here: ``i`` i32, ``I`` i64, ``f`` f32, ``F`` f64. A flat plan holds at
most 17 of them, one more than may be passed flat: what lies behind is never passed so.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "DEPTH_MAX",
    "FLAT_ASYNC_PARAMS_MAX",
    "FLAT_PARAMS_MAX",
    "FLAT_RESULTS_MAX",
    "FREE",
    "NODES_MAX",
    "PRIMITIVES",
    "SIZE_MAX",
    "Function",
    "Table",
    "TooLarge",
    "Value",
    "discriminant",
    "flatten",
]

FLAT_PARAMS_MAX = 16
FLAT_ASYNC_PARAMS_MAX = 4
FLAT_RESULTS_MAX = 1
SIZE_MAX = (1 << 28) - 1  # bytes of one value, counted with 64-bit pointers
DEPTH_MAX = 100  # of types inside types
NODES_MAX = 1_000_000  # types inside a type, written out
FREE = 1 << 62  # above each number of a resource
_FLAT = FLAT_PARAMS_MAX + 1

# Name: size, which is the alignment too, and flat type.
PRIMITIVES = {"bool": (1, "i"), "s8": (1, "i"), "u8": (1, "i"), "s16": (2, "i"), "u16": (2, "i")}
PRIMITIVES |= {"s32": (4, "i"), "u32": (4, "i"), "s64": (8, "I"), "u64": (8, "I")}
PRIMITIVES |= {"f32": (4, "f"), "f64": (8, "F"), "char": (4, "i"), "error-context": (4, "i")}


class TooLarge(ValueError):
    """A type that no host takes; the text says which limit it passes."""


class Value:
    """The layout of a type of values.

    ``kind``: a primitive's name, string, list, map, record, tuple, variant, enum, option, result, flags, own,
    borrow, stream, future. ``parts``: its types and labels, see the methods of :class:`Table`. ``size`` and
    ``align`` in a memory of 32-bit addresses, ``size64`` and ``align64`` in one of 64. ``offsets``: of the fields
    of a record or tuple; of the payload of a variant, enum, option or result, whose discriminant has
    ``discriminant(len(cases))`` bytes. ``borrows``: a borrow is somewhere inside; ``pointers``:
    a string or list of any length is. ``least``: the lowest number of a resource inside, FREE for none. ``shape``:
    the same type with each resource numbered -1, so that two types that differ in resources alone have one shape.
    ``nodes``, ``depth``: how many types are inside, and how deep.
    """

    __slots__ = (
        "align", "align64", "borrows", "depth", "flat", "kind", "least", "nodes", "offsets", "parts", "pointers",
        "shape", "size", "size64",
    )  # fmt: skip

    kind: str
    parts: tuple[Any, ...]
    size: int
    align: int
    size64: int
    align64: int
    flat: str
    offsets: tuple[int, ...]
    borrows: bool
    pointers: bool
    least: int
    shape: Value
    depth: int
    nodes: int

    def __repr__(self) -> str:
        return f"<{self.kind} size={self.size} align={self.align} flat={self.flat!r}>"


class Function:
    """The type of a function: names and types of its parameters, its result (None: none), whether it is async;
    ``least`` as of a value."""

    __slots__ = ("is_async", "least", "names", "params", "result")

    def __init__(
        self, names: tuple[str, ...], params: tuple[Value, ...], result: Value | None, is_async: bool
    ) -> None:
        self.names, self.params, self.result, self.is_async = names, params, result, is_async
        both = params if result is None else (*params, result)
        self.least = min([value.least for value in both], default=FREE)


def discriminant(cases: int) -> int:
    """The bytes of a number that tells ``cases`` cases apart."""
    return 1 if cases <= 0x100 else 2 if cases <= 0x10000 else 4


def flatten(
    function: Function, context: str, *, is_async: bool = False, callback: bool = False
) -> tuple[str, str]:
    """The core parameters and results of ``function``, lifted (``context`` "lift") or lowered ("lower")."""
    params = "".join([value.flat for value in function.params])
    results = function.result.flat if function.result is not None else ""
    if context == "lift":
        if len(params) > FLAT_PARAMS_MAX:
            params = "i"
        if is_async:
            return params, "i" if callback else ""
        return params, results if len(results) <= FLAT_RESULTS_MAX else "i"
    if is_async:
        if len(params) > FLAT_ASYNC_PARAMS_MAX:
            params = "i"
        return params + ("i" if results else ""), "i"
    if len(params) > FLAT_PARAMS_MAX:
        params = "i"
    return (params, results) if len(results) <= FLAT_RESULTS_MAX else (params + "i", "")


class Table:
    """The types of one component; each method gives the same object for the same type. Raises :class:`TooLarge`."""

    def __init__(self) -> None:
        self._values: dict[tuple[Any, ...], Value] = {}
        self._functions: dict[tuple[Any, ...], Function] = {}

    def __len__(self) -> int:
        return len(self._values)

    def primitive(self, kind: str) -> Value:
        """``kind`` is one of PRIMITIVES, or "string"."""
        found = self._values.get((kind,))
        if found is not None:
            return found
        if kind == "string":
            return self._make((kind,), (), 8, 4, 16, 8, "ii")
        size, flat = PRIMITIVES[kind]
        return self._make((kind,), (), size, size, size, size, flat)

    def list_of(self, element: Value, length: int | None = None) -> Value:
        """``parts``: the element and the length, None where it varies."""
        key = ("list", element, length)
        found = self._values.get(key)
        if found is not None:
            return found
        if length is None:
            return self._make(key, (element,), 8, 4, 16, 8, "ii")
        flat = (element.flat * min(length, _FLAT))[:_FLAT]
        sizes = length * element.size, element.align, length * element.size64, element.align64
        return self._make(key, (element,), *sizes, flat)

    def map_of(self, key: Value, value: Value) -> Value:
        """In memory a list of tuples: ``parts`` is the key's type and the value's."""
        found = self._values.get(("map", key, value))
        return found or self._make(("map", key, value), (key, value), 8, 4, 16, 8, "ii")

    def record(self, fields: Sequence[tuple[str, Value]]) -> Value:
        """``parts``: (label, type) of each field."""
        key = ("record", *fields)
        return self._values.get(key) or self._row(key, [value for _label, value in fields])

    def tuple_of(self, values: Sequence[Value]) -> Value:
        """``parts``: the types."""
        key = ("tuple", *values)
        return self._values.get(key) or self._row(key, values)

    def variant(self, cases: Sequence[tuple[str, Value | None]]) -> Value:
        """``parts``: (label, payload or None) of each case."""
        key = ("variant", *cases)
        return self._values.get(key) or self._choice(key, [value for _label, value in cases])

    def enum(self, labels: Sequence[str]) -> Value:
        """``parts``: the labels."""
        key = ("enum", *labels)
        return self._values.get(key) or self._choice(key, [None] * len(labels))

    def option(self, some: Value) -> Value:
        """``parts``: the type."""
        key = ("option", some)
        return self._values.get(key) or self._choice(key, [None, some])

    def result(self, ok: Value | None, error: Value | None) -> Value:
        """``parts``: both payloads."""
        key = ("result", ok, error)
        return self._values.get(key) or self._choice(key, [ok, error])

    def flags(self, labels: Sequence[str]) -> Value:
        """``parts``: the labels, 1 to 32."""
        key = ("flags", *labels)
        found = self._values.get(key)
        if found is not None:
            return found
        size = 1 if len(labels) <= 8 else 2 if len(labels) <= 16 else 4
        return self._make(key, (), size, size, size, size, "i")

    def own(self, resource: int) -> Value:
        """``parts``: the abstract index of the resource."""
        return self._values.get(("own", resource)) or self._make(("own", resource), (), 4, 4, 4, 4, "i")

    def borrow(self, resource: int) -> Value:
        """``parts``: the abstract index of the resource."""
        key = ("borrow", resource)
        return self._values.get(key) or self._make(key, (), 4, 4, 4, 4, "i")

    def stream(self, element: Value | None) -> Value:
        """``parts``: the element or None."""
        return self._end("stream", element)

    def future(self, element: Value | None) -> Value:
        """``parts``: the element or None."""
        return self._end("future", element)

    def function(
        self, params: Sequence[tuple[str, Value]], result: Value | None, is_async: bool = False
    ) -> Function:
        """The type of a function."""
        key = (*params, result, is_async)
        found = self._functions.get(key)
        if found is None:
            names = tuple([name for name, _value in params])
            values = tuple([value for _name, value in params])
            found = self._functions[key] = Function(names, values, result, is_async)
        return found

    def _end(self, kind: str, element: Value | None) -> Value:
        key = (kind, element)
        inside = () if element is None else (element,)
        return self._values.get(key) or self._make(key, inside, 4, 4, 4, 4, "i")

    def _row(self, key: tuple[Any, ...], values: Sequence[Value]) -> Value:
        """Fields one after the other, each aligned."""
        size = size64 = 0
        align = align64 = 1
        offsets, flat = [], ""
        for value in values:
            size = -(-size // value.align) * value.align
            offsets.append(size)
            size += value.size
            align = max(align, value.align)
            size64 = -(-size64 // value.align64) * value.align64 + value.size64
            align64 = max(align64, value.align64)
            if len(flat) < _FLAT:
                flat += value.flat
        size, size64 = -(-size // align) * align, -(-size64 // align64) * align64
        return self._make(key, values, size, align, size64, align64, flat[:_FLAT], tuple(offsets))

    def _choice(self, key: tuple[Any, ...], payloads: Sequence[Value | None]) -> Value:
        """A discriminant, then the payload of one of the cases."""
        first = discriminant(len(payloads))
        inside = [value for value in payloads if value is not None]
        align = max([first, *(value.align for value in inside)])
        align64 = max([first, *(value.align64 for value in inside)])
        place = max([1, *(value.align for value in inside)])
        place64 = max([1, *(value.align64 for value in inside)])
        at, at64 = -(-first // place) * place, -(-first // place64) * place64
        size = at + max([0, *(value.size for value in inside)])
        size64 = at64 + max([0, *(value.size64 for value in inside)])
        flat: list[str] = []
        for value in inside:
            for index, letter in enumerate(value.flat):
                if index == len(flat):
                    flat.append(letter)
                elif flat[index] != letter:
                    flat[index] = "i" if flat[index] in "if" and letter in "if" else "I"
        sizes = -(-size // align) * align, align, -(-size64 // align64) * align64, align64
        return self._make(key, inside, *sizes, ("i" + "".join(flat))[:_FLAT], (at,))

    def _make(
        self,
        key: tuple[Any, ...],
        inside: Sequence[Value],
        size: int,
        align: int,
        size64: int,
        align64: int,
        flat: str,
        offsets: tuple[int, ...] = (),
    ) -> Value:
        made = Value()
        made.kind, made.parts = key[0], key[1:]
        made.size, made.align, made.size64, made.align64 = size, align, size64, align64
        made.flat, made.offsets = flat, offsets
        listed = key[0] in ("string", "map") or (key[0] == "list" and key[2] is None)
        apart = key[0] in ("stream", "future")  # what they carry is not in them
        made.pointers = listed or (not apart and any(value.pointers for value in inside))
        made.borrows = key[0] == "borrow" or any(value.borrows for value in inside)
        made.least = key[1] if key[0] in ("own", "borrow") else min([v.least for v in inside], default=FREE)
        made.depth = 1 + max([value.depth for value in inside], default=0)
        made.nodes = 1 + sum([value.nodes for value in inside])
        if made.depth > DEPTH_MAX:
            raise TooLarge(f"types are nested more than {DEPTH_MAX} deep")
        if made.nodes > NODES_MAX:
            raise TooLarge(f"a type holds more than {NODES_MAX} types")
        if size64 > SIZE_MAX:
            raise TooLarge(f"values of a type have {size64} bytes, at most {SIZE_MAX} are allowed")
        self._values[key] = made
        erased = _erased(key)
        if erased == key:
            made.shape = made
        else:
            sizes = size, align, size64, align64
            shapes = [value.shape for value in inside]
            made.shape = self._values.get(erased) or self._make(erased, shapes, *sizes, flat, offsets)
        return made


def _erased(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key of a shape."""
    if key[0] in ("own", "borrow"):
        return (key[0], -1)
    parts: list[Any] = []
    for part in key:
        if isinstance(part, tuple) and part[1] is not None:
            parts.append((part[0], part[1].shape))
        else:
            parts.append(part.shape if isinstance(part, Value) else part)
    return tuple(parts)

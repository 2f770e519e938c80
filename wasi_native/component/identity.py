"""Which resource is which: the numbers of resources, and types with other numbers in them.

A resource is a number, one for each place of the file that defines or declares one. What comes into being more than
once from one place, as an instance of a component does, has numbers of its own each time: a :class:`Numbers` says
which. So two types are equal when their layouts, numbers included, are one object.
"""

from __future__ import annotations

from .model import ComponentType, FuncType, InstanceType, ResourceType, ValueType
from .types import FREE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .model import Extern, Type
    from .types import Function, Table, Value

__all__ = ["Numbers", "declared", "exported", "owned", "under"]

_PRICE = 8  # of a layout that is made for its numbers alone, in steps of work


class Numbers:
    """What stands for numbers of resources: ``map`` is fixed once a type was seen by it; others stand for themselves.
    ``spend`` is told of work that the size of the file does not bound."""

    __slots__ = ("_functions", "_values", "map", "spend", "table")

    def __init__(self, table: Table, spend: Callable[[int], None], map: dict[int, int]) -> None:
        self.table, self.spend, self.map = table, spend, map
        self._values: dict[Value, Value] = {}
        self._functions: dict[Function, Function] = {}

    def number(self, number: int) -> int:
        return self.map.get(number, number)

    def inner(self, first: Numbers) -> Numbers:
        """By ``first``, then by these."""
        self.spend(len(self.map) + len(first.map))
        map = dict(self.map)
        for number, other in first.map.items():
            map[number] = self.map.get(other, other)
        return Numbers(self.table, self.spend, map)

    def value(self, value: Value) -> Value:
        """The layout with these numbers."""
        if value.least == FREE:
            return value
        found = self._values.get(value)
        if found is None:
            found = self._values[value] = self._made(value)
            self.spend(1 if found is value else _PRICE)
        return found

    def _made(self, value: Value) -> Value:
        def seen(part: Value | None) -> Any:
            return None if part is None else self.value(part)

        table, kind, parts = self.table, value.kind, value.parts
        if kind in ("own", "borrow"):
            number = self.map.get(parts[0], parts[0])
            return table.own(number) if kind == "own" else table.borrow(number)
        if kind in ("record", "variant"):
            fields = [(label, seen(part)) for label, part in parts]
            return table.record(fields) if kind == "record" else table.variant(fields)
        if kind == "list":
            return table.list_of(seen(parts[0]), parts[1])
        inside = [seen(part) for part in parts]
        if kind == "tuple":
            return table.tuple_of(inside)
        make: dict[str, Callable[..., Value]] = {
            "option": table.option,
            "result": table.result,
            "map": table.map_of,
            "stream": table.stream,
            "future": table.future,
        }
        return make[kind](*inside)

    def function(self, function: Function) -> Function:
        """Likewise of a function."""
        if function.least == FREE:
            return function
        found = self._functions.get(function)
        if found is None:
            params = zip(function.names, [self.value(value) for value in function.params], strict=True)
            result = None if function.result is None else self.value(function.result)
            found = self.table.function(list(params), result, function.is_async)
            self._functions[function] = found
            self.spend(len(function.params) + 1)
        return found

    def type(self, type: Any) -> Any:
        """``type`` with these numbers; itself where none of them is in it. Its parts keep the terms of who wrote
        it."""
        if not self.map:
            return type
        if isinstance(type, (InstanceType, ComponentType)):
            made: Any = type.renamed()
            made.of, made.depth = type.of, type.depth
            made.numbers = self if type.numbers is None else self.inner(type.numbers)
            return made
        if type.least == FREE:
            return type
        return self._renumbered(type)

    def _renumbered(self, type: Type) -> Type:
        made = type.renamed()
        made.depth = type.depth
        if isinstance(made, ResourceType):
            made.number = made.least = self.number(made.number)
        elif isinstance(made, ValueType):
            made.value = self.value(made.value)
            made.least = made.value.least
        elif isinstance(made, FuncType):
            function = self.function(made.function)
            if function is made.function:
                return type
            made.function, made.least = function, function.least
        return made


def under(outer: Numbers | None, inner: Numbers | None) -> Numbers | None:
    """By ``inner``, then by ``outer``; None: each number stands for itself."""
    if inner is None or outer is None or not outer.map:
        return outer if inner is None else inner
    return outer.inner(inner)


def exported(externs: dict[str, Extern]) -> tuple[int, ...]:
    """The numbers of the resources behind these names, in instances too, in order."""
    found: dict[int, None] = {}
    for extern in externs.values():
        type: Any = extern.type
        if extern.sort == "type" and type.kind == "resource":
            found[type.number] = None
        elif extern.sort == "instance":
            numbers = type.numbers
            for number in declared(type):
                found[number if numbers is None else numbers.number(number)] = None
    return tuple(found)


def declared(type: InstanceType) -> tuple[int, ...]:
    """The numbers of the resources that an instance exports, before its own ``numbers``."""
    if type.resources is None:
        type.resources = exported(type.exports)
    return type.resources


def owned(type: InstanceType | ComponentType) -> list[int]:
    """The resources that are new with each instance: no import, and nothing around the type, gives them."""
    if isinstance(type, InstanceType):
        return [number for number in declared(type) if number >= type.start]
    given = set(exported(type.imports))
    return [number for number in exported(type.exports) if number >= type.start and number not in given]

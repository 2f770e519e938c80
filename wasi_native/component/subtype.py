"""What may stand where something is asked for: arguments for imports, and exports for the types that they are told.

Functions and types of values are equal or they are not. An instance may export more than is asked for, a component
may besides import less. The resources that are asked for, whatever they be, are bound to those that are given, by
their numbers (see :mod:`.identity`); the rest is then compared with these in their places.
"""

from __future__ import annotations

from .core_match import modules_differ
from .identity import Numbers, declared, exported, owned, under
from .model import ComponentType, FuncType, InstanceType, ResourceType, ValueType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .model import Extern
    from .types import Function, Table

    Externs = dict[str, Extern]

__all__ = ["Matcher", "Mismatch"]

_RESOURCES = "a type does not match: it speaks of other resources than are asked for"
_SHAPE = "a type does not match"


class Mismatch(ValueError):
    """What is given does not do; the text says why."""


class Matcher:
    """Compares types of one file; ``spend`` is told of the work. Raises :class:`Mismatch`."""

    def __init__(self, table: Table, spend: Callable[[int], None]) -> None:
        self.table, self.spend = table, spend

    def numbers(self, first: Numbers | None) -> Numbers:
        """The same numbers, of which more may be bound."""
        if first is None:
            return Numbers(self.table, self.spend, {})
        self.spend(len(first.map))
        return Numbers(self.table, self.spend, dict(first.map))

    def arguments(self, component: ComponentType, given: Externs, what: str) -> Numbers:
        """The arguments ``given`` to ``component`` do; what then stands for the resources that it imports."""
        numbers = self.numbers(component.numbers)
        free = {number for number in exported(component.imports) if number >= component.start}
        self.bind(component.imports, None, numbers, free, given, None)
        self.satisfy(component.imports, numbers, given, None, what)
        return numbers

    def ascribed(self, told: Extern, found: Extern, what: str) -> None:
        """An export may be told to be ``told``: any resources that are new in that are bound."""
        numbers = self.numbers(None)
        type = told.type
        if told.sort == "instance":
            own = type.numbers
            free = {own.number(number) if own is not None else number for number in owned(type)}
            self.bind(type.exports, own, numbers, free, found.type.exports, found.type.numbers)
        elif isinstance(type, ResourceType) and type.of is None and isinstance(found.type, ResourceType):
            numbers.map[type.number] = found.type.number
        self.match(told, numbers, found, None, what)

    def bind(
        self,
        wanted: Externs,
        inner: Numbers | None,
        numbers: Numbers,
        free: set[int],
        given: Externs,
        seen: Numbers | None,
    ) -> None:
        """In ``numbers``, each of the ``free`` resources is the one that is given by its name, where it is first
        met. ``inner`` stands between the names of ``wanted`` and ``numbers``, ``seen`` is for ``given``."""
        self.spend(len(wanted) + 1)
        for name, extern in wanted.items():
            found = given.get(name)
            if found is None or found.sort != extern.sort:
                continue
            one, other = extern.type, found.type
            if extern.sort == "instance":
                if declared(one):
                    below = under(inner, one.numbers)
                    self.bind(one.exports, below, numbers, free, other.exports, under(seen, other.numbers))
            elif extern.sort == "type" and isinstance(one, ResourceType) and isinstance(other, ResourceType):
                number = one.number if inner is None else inner.number(one.number)
                if number in free:
                    free.discard(number)
                    numbers.map[number] = other.number if seen is None else seen.number(other.number)

    def satisfy(
        self, wanted: Externs, numbers: Numbers | None, given: Externs, seen: Numbers | None, what: str
    ) -> None:
        """Every name is given, of the same sort and a type that does."""
        self.spend(len(wanted) + 1)
        for name, extern in wanted.items():
            found = given.get(name)
            if found is None or found.sort != extern.sort:
                raise Mismatch(f"{what} imports the {extern.sort} {name[:80]!r}, which no argument gives")
            self.match(extern, numbers, found, seen, f"{what}, in {name[:80]!r},")

    def match(
        self, wanted: Extern, numbers: Numbers | None, found: Extern, seen: Numbers | None, what: str
    ) -> None:
        """``found``, its numbers by ``seen``, may stand where ``wanted`` is asked for, its numbers by ``numbers``."""
        one, other = wanted.type, found.type
        if wanted.sort == "instance":
            mine, theirs = under(numbers, one.numbers), under(seen, other.numbers)
            self.satisfy(one.exports, mine, other.exports, theirs, what)
        elif wanted.sort == "component":
            self._component(one, numbers, other, seen, what)
        elif wanted.sort == "core module":
            self.spend(len(one.exports) + len(other.imports) + 1)
            wrong = modules_differ(one, other)
            if wrong:
                raise Mismatch(f"{what} {_SHAPE}: {wrong}")
        else:
            self._type(one, numbers, other, seen, what)

    def _component(
        self,
        one: ComponentType,
        numbers: Numbers | None,
        other: ComponentType,
        seen: Numbers | None,
        what: str,
    ) -> None:
        mine, theirs = self.numbers(under(numbers, one.numbers)), self.numbers(under(seen, other.numbers))
        free = {number for number in exported(other.imports) if number >= other.start}
        self.bind(other.imports, None, theirs, free, one.imports, mine)
        self.satisfy(other.imports, theirs, one.imports, mine, what)
        mine = self.numbers(mine)
        self.bind(one.exports, None, mine, set(owned(one)), other.exports, theirs)
        self.satisfy(one.exports, mine, other.exports, theirs, what)

    def _type(self, one: Any, numbers: Numbers | None, other: Any, seen: Numbers | None, what: str) -> None:
        """Two types are equal."""
        right, alike = one.kind == other.kind, False
        if not right:
            pass
        elif isinstance(one, ResourceType):
            alike = True
            right = _number(one, numbers) == _number(other, seen)
        elif isinstance(one, ValueType):
            alike = one.value.shape is other.value.shape
            mine = one.value if numbers is None else numbers.value(one.value)
            right = mine is (other.value if seen is None else seen.value(other.value))
        elif isinstance(one, FuncType):
            alike = _alike(one.function, other.function)
            here = one.function if numbers is None else numbers.function(one.function)
            right = here is (other.function if seen is None else seen.function(other.function))
        elif isinstance(one, InstanceType):
            self._instances(one, numbers, other, seen, what)
            self._instances(other, seen, one, numbers, what)
        else:
            self._component(one, numbers, other, seen, what)
            self._component(other, seen, one, numbers, what)
        if not right:
            raise Mismatch(f"{what} {_RESOURCES if alike else _SHAPE}")

    def _instances(
        self, one: InstanceType, numbers: Numbers | None, other: InstanceType, seen: Numbers | None, what: str
    ) -> None:
        """Any instance of the type ``other`` is one of the type ``one``."""
        mine, theirs = self.numbers(under(numbers, one.numbers)), under(seen, other.numbers)
        self.bind(one.exports, None, mine, set(owned(one)), other.exports, theirs)
        self.satisfy(one.exports, mine, other.exports, theirs, what)


def _number(type: ResourceType, numbers: Numbers | None) -> int:
    return type.number if numbers is None else numbers.number(type.number)


def _alike(one: Function, other: Function) -> bool:
    """Whether two types of functions differ in resources alone."""
    if one.names != other.names or one.is_async != other.is_async:
        return False
    if [value.shape for value in one.params] != [value.shape for value in other.params]:
        return False
    return (one.result and one.result.shape) is (other.result and other.result.shape)

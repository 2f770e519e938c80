"""Index spaces as they are read: every reference is held against what is there and of what sort it is."""

from __future__ import annotations

from .core_module import KINDS
from .model import FREE, Alias, InstanceType, ValueType
from .reader import Reader
from .scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["SORT_CODES", "VALUES", "IndexReader"]

DEFINITIONS_MAX = 100_000  # in a whole file
WORK_MAX = 2_000_000  # steps of comparing, in a whole file
_CORE_SORTS = {code: f"core {kind}" for code, kind in enumerate(KINDS)}
_CORE_SORTS |= {0x10: "core type", 0x11: "core module", 0x12: "core instance"}
SORT_CODES = {1: "func", 2: "value", 3: "type", 4: "component", 5: "instance"}
VALUES = "values and start functions: this feature of components is not offered"
_OUTER = ("core module", "core type", "type", "component")


class IndexReader(Reader):
    """``scope`` is what is read now, a component or a type inside of one."""

    def __init__(self, data: bytes, name: str, allow: frozenset[str]) -> None:
        super().__init__(data, name, 8, allow)
        self.scope = Scope("component", None, 0, len(data))
        self.defined = self.work = 0

    def entries(self, most: int = DEFINITIONS_MAX, least: int = 1) -> int:
        """How many definitions follow."""
        found = self.count(most, least)
        self.defined += found
        if self.defined > DEFINITIONS_MAX:
            self.fail(f"more than {DEFINITIONS_MAX} definitions")
        return found

    def spend(self, steps: int) -> None:
        """Work that the size of the file does not bound."""
        self.work += steps
        if self.work > WORK_MAX:
            self.fail("too many imports and arguments to compare")

    def item(self, sort: str, index: int, scope: Scope | None = None) -> Any:
        """The entry ``index`` of an index space."""
        space = (scope or self.scope).spaces.get(sort, ())
        if index >= len(space):
            self.fail(f"the {sort} {index} does not exist; there are {len(space)}")
        return space[index]

    def type_of(self, kind: str, index: int) -> Any:
        """The type ``index``, which must be of a kind: func, instance, component, resource, value."""
        found = self.item("type", index)
        if found.kind != kind and not (kind == "value" and isinstance(found, ValueType)):
            self.fail(f"the type {index} is no type of a {kind} but of a {found.kind}")
        return found

    def sort(self) -> str:
        code = self.byte()
        if code == 0:
            code = self.byte()
            found = _CORE_SORTS.get(code)
        else:
            found = SORT_CODES.get(code)
        if found is None:
            self.back(f"the unknown sort 0x{code:02x}")
        elif found == "value":
            self.back(VALUES)
        return found or ""

    def alias(self) -> Alias:
        """An alias; what it names enters the scope once more."""
        sort = self.sort()
        how = self.byte()
        if how == 0:
            made = self._alias_export(sort)
        elif how == 1:
            made = self._alias_core(sort)
        elif how == 2:
            made = self._alias_outer(sort)
        else:
            self.back(f"the unknown target 0x{how:02x} of an alias")
        return made

    def _alias_export(self, sort: str) -> Alias:
        index, name = self.number(), self.text()
        instance: InstanceType = self.item("instance", index)
        found = instance.exports.get(name)
        if found is None or found.sort != sort:
            self.fail(f"the instance {index} has no {sort} {name[:80]!r}")
        if self.scope.kind != "component" and sort not in ("type", "instance"):
            self.fail(f"an alias of a {sort} inside of a type")
        entry = self._taken(instance, sort, found.type)
        self.scope.push(sort, entry)
        return Alias(sort, "export", index, name, 0, entry if sort == "type" else None)

    def _taken(self, instance: InstanceType, sort: str, type: Any) -> Any:
        """What an export of ``instance`` is in the terms of this scope."""
        if sort == "core module":
            return type
        made = instance.made is not None or bool(instance.within)
        entry, given = type, None
        if sort == "type":
            entry = instance.seen(entry)
            given = entry.given
        elif sort == "instance":
            entry = entry.taken_from(instance)
        if entry is type and sort in ("type", "func") and (made or (sort == "type" and type.least < FREE)):
            entry = type.renamed()  # two instances of one type may have different resources, or arguments
        if instance.numbers is not None:
            entry = instance.numbers.type(entry)
        if sort in ("type", "func") and entry is not type:
            entry.of, entry.given, entry.alias, entry.depth = (
                type,
                given,
                instance,
                type.depth + (sort == "type"),
            )
        return entry

    def _alias_core(self, sort: str) -> Alias:
        index, name = self.number(), self.text()
        found = self.core_export(self.item("core instance", index), name)
        if found is None or f"core {KINDS[found[0]]}" != sort:
            self.fail(f"the core instance {index} has no {sort} {name[:80]!r}")
        if self.scope.kind != "component":
            self.fail(f"an alias of a {sort} inside of a type")
        self.scope.push(sort, found[1])
        return Alias(sort, "core export", index, name, 0)

    def core_export(self, instance: Any, name: str) -> tuple[int, Any] | None:
        """(kind, entry) of what a core instance exports."""
        if isinstance(instance, dict):
            return instance.get(name)
        if (found := instance.exports.get(name)) is None:
            return None
        return found[0], (instance, found[1])

    def _alias_outer(self, sort: str) -> Alias:
        if sort not in _OUTER:
            self.fail(f"an outer alias of a {sort}")
        count, index = self.number(), self.number()
        scope = self.outer(count)
        found = self.item(sort, index, scope)
        if self.scope.kind != "component" and sort not in ("type", "core type"):
            self.fail(f"an alias of a {sort} inside of a type")
        if sort == "type" and found.least < self._border(scope):
            self.fail(f"the type {index} outside of this component refers to a resource")
        self.scope.push(sort, found)
        return Alias(sort, "outer", index, "", count)

    def _border(self, outer: Scope) -> int:
        """FREE when a component begins between here and ``outer``, else 0."""
        scope: Scope | None = self.scope
        while scope is not None and scope is not outer:
            if scope.kind == "component":
                return FREE
            scope = scope.parent
        return 0

    def outer(self, count: int) -> Scope:
        """The scope that is ``count`` outwards from this one."""
        found = self.scope
        for _ in range(count):
            if found.parent is None:
                self.fail(f"an alias of what is {count} outwards; it has not so many around it")
            found = found.parent
        return found

"""How many memories and tables an instance of a component will have, before there is one; and how large each may be.

Engines bound each memory and each table by itself, all by one number. A guest's limit is for all of them together, so
the number is a share: the largest size that, taken by each that may grow so far, keeps the sum within the limit. A
guest with one memory has it all. What a component does not say at once, because components go around in it as values,
is guessed here and held while instances are made (:meth:`Shares.take`).
"""

from __future__ import annotations

from collections import Counter

from ..errors import ModuleError
from .core_module import CoreModule
from .model import Alias, CoreInstantiate, Export, Import, Instantiate, ModuleDefinition, Subcomponent
from .reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from .model import Component

    Counts: TypeAlias = Counter[tuple[int, int]]  # (first size, largest size): how many
    Spaces: TypeAlias = dict[str, list[Any]]

__all__ = ["DEPTH_MAX", "MEMORY", "TABLE", "Shares", "census", "of_module", "own", "share"]

MEMORY, TABLE = 2, 1
_MANY = {MEMORY: "memories", TABLE: "tables"}
DEPTH_MAX = 100  # of instances that make instances
_STEPS_MAX = 20_000  # definitions that are looked at, some more than once
_MOST = 100_000  # of which one counts: more instances than that there are not


def own(module: CoreModule, kind: int) -> Counts:
    """The memories (in bytes) or tables (in elements) that an instance of the module brings."""
    found: Counts = Counter()
    for type in module.defined(kind):
        unit = 1 << type.page if kind == MEMORY else 1
        high = (1 << 64) if type.high is None else type.high * unit
        found[type.low * unit, max(high, type.low * unit)] += 1
    return found


def census(component: Component, kind: int) -> Counts:
    """Of an instance of the component, as far as its definitions say."""
    return _Census(kind).count(component, (), {})


class _Census:
    """Spaces of core modules hold counts, of components a component with the scopes around it; None: not known."""

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self._known: dict[tuple[Any, ...], Counts] = {}
        self._most: Counts = Counter()  # in place of what is not known: the largest that is
        self._kept: list[Any] = []  # whose ids are keys
        self._steps = self._depth = 0

    def count(self, component: Component, outer: tuple[Spaces, ...], given: dict[str, Any]) -> Counts:
        """Of an instance with the core modules and components that are ``given`` to it."""
        key = (id(component), *map(id, outer), *sorted(given), *[id(given[name]) for name in sorted(given)])
        found = self._known.get(key)
        if found is not None:
            return found
        found = Counter()
        spaces: Spaces = {"core module": [], "component": []}
        scopes = (spaces, *outer)
        self._kept.append((scopes, given))
        self._steps += len(component.definitions)
        for made in component.definitions:
            if isinstance(made, ModuleDefinition):
                spaces["core module"].append(own(made.module, self.kind))
            elif isinstance(made, Subcomponent):
                spaces["component"].append((made.component, scopes))
            elif isinstance(made, CoreInstantiate):
                counts = spaces["core module"][made.module]
                _add(found, self._most if counts is None else counts)
            elif isinstance(made, Instantiate):
                _add(found, self._instance(made, spaces))
            elif isinstance(made, Import) and made.sort in spaces:
                spaces[made.sort].append(given.get(made.name))
            elif isinstance(made, (Alias, Export)) and made.sort in spaces:
                spaces[made.sort].append(_named(made, scopes))
        self._known[key] = found
        self._most = max(self._most, found, key=lambda counts: sum(counts.values()))
        return found

    def _instance(self, made: Instantiate, spaces: Spaces) -> Counts:
        closure = spaces["component"][made.component]
        if closure is None or self._steps > _STEPS_MAX or self._depth >= DEPTH_MAX:
            return self._most
        given = {name: spaces[sort][index] for name, sort, index in made.args if sort in spaces}
        component, outer = closure
        self._depth += 1
        found = self.count(component, outer, given)
        self._depth -= 1
        return found


def _named(made: Alias | Export, scopes: tuple[Spaces, ...]) -> Any:
    if isinstance(made, Export):
        return scopes[0][made.sort][made.index]
    if made.how == "outer" and made.count < len(scopes):
        return scopes[made.count][made.sort][made.index]
    return None


def _add(found: Counts, more: Counts) -> None:
    for sizes, count in more.items():
        found[sizes] = min(found[sizes] + count, _MOST)


def share(counts: Counts, limit: int) -> int:
    """The size to which each may grow: at least what the largest has at first, though the sum be too large then."""
    low, high = 0, limit
    while low < high:  # the sum grows with the share: halve
        middle = (low + high + 1) // 2
        if _sum(counts, middle) <= limit:
            low = middle
        else:
            high = middle - 1
    return max([low, *(first for first, _most in counts)])


def _sum(counts: Counts, each: int) -> int:
    return sum(min(most, max(first, each)) * count for (first, most), count in counts.items())


def of_module(name: str, raw: bytes, memory: int | None, tables: int | None) -> tuple[int | None, int | None]:
    """What each memory and table of a module that no component is around may have of these limits. ModuleError."""
    module = CoreModule(Reader(raw, name), 0, len(raw))
    return (
        Shares(name, own(module, MEMORY), MEMORY, memory).each,
        Shares(name, own(module, TABLE), TABLE, tables).each,
    )


class Shares:
    """Of one guest: ``each`` is the size of a memory or table that it is given, None without a limit."""

    def __init__(self, name: str, counts: Counts, kind: int, limit: int | None) -> None:
        self.name, self.kind, self.limit = name, kind, limit
        self.each = limit
        self._taken: Counts = Counter()
        if limit is not None and sum(counts.values()) > 1:
            self.each = share(counts, limit)
            self._hold(counts)

    def take(self, module: CoreModule) -> None:
        """One more instance of the module. ModuleError: its memories or tables are more than there may be."""
        if self.limit is not None:
            _add(self._taken, own(module, self.kind))
            self._hold(self._taken)

    def _hold(self, counts: Counts) -> None:
        """One alone is the engine's to refuse."""
        if self.limit is None or self.each is None or sum(counts.values()) < 2:
            return
        size = _sum(counts, self.each)
        if size > self.limit:
            what, unit = ("memory", "bytes") if self.kind == MEMORY else ("table", "elements")
            raise ModuleError(
                f"{self.name}: its {sum(counts.values())} {_MANY[self.kind]} could become {size} {unit} in all, "
                f"which exceeds {what} limits of {self.limit}: each may grow as large as the largest is at first"
            )

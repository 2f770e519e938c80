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

__all__ = ["MEMORY", "TABLE", "Shares", "census", "of_module", "own", "share"]

MEMORY, TABLE = 2, 1
_MANY = {MEMORY: "memories", TABLE: "tables"}
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
    return _Census(kind).count(component, ())


class _Census:
    def __init__(self, kind: int) -> None:
        self.kind = kind
        self._known: dict[int, Counts] = {}

    def count(self, component: Component, outer: tuple[dict[str, list[Any]], ...]) -> Counts:
        found = self._known.get(id(component))
        if found is not None:
            return found
        found = Counter()
        spaces: dict[str, list[Any]] = {"core module": [], "component": []}
        scopes = (spaces, *outer)
        for made in component.definitions:
            if isinstance(made, ModuleDefinition):
                spaces["core module"].append(own(made.module, self.kind))
            elif isinstance(made, Subcomponent):
                spaces["component"].append(self.count(made.component, scopes))
            elif isinstance(made, (CoreInstantiate, Instantiate)):
                core = isinstance(made, CoreInstantiate)
                index = made.module if isinstance(made, CoreInstantiate) else made.component
                counts = spaces["core module" if core else "component"][index]
                _add(found, self._largest() if counts is None else counts)
            elif isinstance(made, (Import, Alias, Export)) and made.sort in spaces:
                spaces[made.sort].append(_named(made, scopes))
        self._known[id(component)] = found
        return found

    def _largest(self) -> Counts:
        """In place of what is not known."""
        return max(self._known.values(), key=lambda counts: sum(counts.values()), default=Counter())


def _named(made: Import | Alias | Export, scopes: tuple[dict[str, list[Any]], ...]) -> Counts | None:
    found: Counts | None
    if isinstance(made, Export):
        found = scopes[0][made.sort][made.index]
    elif isinstance(made, Alias) and made.how == "outer" and made.count < len(scopes):
        found = scopes[made.count][made.sort][made.index]
    else:
        found = None
    return found


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

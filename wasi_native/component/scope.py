"""Index spaces: what a component, or a type of one, has defined so far, and what may be asked of it."""

from __future__ import annotations

from .core_module import CoreModule, ModuleType
from .model import Extern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .model import Component
    from .visible import Names

    CoreItem = tuple[CoreModule | ModuleType | None, Any]

__all__ = ["Scope", "is_wide", "signature"]


class Scope:
    """``kind``: "component", "component type", "instance type" or "module type". ``spaces`` maps a sort to its
    entries, by index:

    - core func, core memory, core table, core global, core tag: (module, index in it), or (None, its signature);
    - core type: a signature, None or a ModuleType; core module: a CoreModule or ModuleType;
    - core instance: the module, or a dict of name to (kind, entry);
    - func, type, component, instance: a :class:`~.model.Type`.
    """

    __slots__ = (
        "component", "end", "exports", "imports", "kind", "named", "own", "parent", "spaces", "start", "taken",
        "taken_numbers",
    )  # fmt: skip

    def __init__(self, kind: str, parent: Scope | None, start: int, end: int = 0) -> None:
        self.kind, self.parent, self.start, self.end = kind, parent, start, end
        self.spaces: dict[str, list[Any]] = {}
        self.imports: dict[str, Extern] = {}
        self.exports: dict[str, Extern] = {}
        self.taken: tuple[set[str], set[str]] = (set(), set())  # of imports, of exports: names by strong()
        self.own: set[int] = set()  # numbers of the resources that are defined here
        self.taken_numbers: set[int] = (
            set()
        )  # and of those that an instance declares, by whose type they are numbered
        self.named: tuple[Names, ...] = ()  # what an import may speak of, and what an export may
        self.component: Component | None = None

    def push(self, sort: str, entry: Any) -> None:
        """One more entry of an index space."""
        space = self.spaces.get(sort)
        if space is None:
            self.spaces[sort] = [entry]
        else:
            space.append(entry)


def signature(item: CoreItem) -> tuple[str, str] | None:
    """Of an entry of the core functions; None where it is not known."""
    module, known = item
    found: tuple[str, str] | None = known if module is None else module.signature(known)
    return found


def is_wide(item: CoreItem) -> bool:
    """Of an entry of the core memories: whether its addresses have 64 bits."""
    module, known = item
    found = None if module is None else module.extern(2, known)
    return found is not None and bool(found.wide)

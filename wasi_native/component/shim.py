"""Shim and fixup modules: recognised by what their code does, so that they need not be run.

Tools break the circle "a module needs functions that need its memory" with a pair of modules. The shim is made first
and exports functions of which each calls one slot of a table, and the table; the fixup is made last and fills the
table with the functions proper. Whoever makes instances can do the same with functions that are bound later: a direct
call instead of two, and no table that an engine would have to share.

Nothing is taken from names: a shim is a module whose every function passes its parameters on to one constant slot,
a fixup one that does nothing but fill slots of a table with its imports. What differs in one byte is run as it is.
"""

from __future__ import annotations

from ..errors import ModuleError
from .core_module import CoreModule
from .model import Alias, CoreBag, CoreInstantiate
from .reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Component, Definition

__all__ = ["Fixup", "Shim", "elidable", "fixup", "shim"]

_SIZE_MAX = 1 << 20
_SHIM = {1, 3, 4, 7, 10}  # types, functions, one table, exports, code
_FIXUP = {1, 2, 9}  # types, imports, elements


class Shim:
    """``table`` is the name of the exported table and ``size`` its length; ``slots`` maps the names of exported
    functions to the slot that each calls."""

    __slots__ = ("size", "slots", "table")

    def __init__(self, table: str, size: int, slots: dict[str, int]) -> None:
        self.table, self.size, self.slots = table, size, slots


class Fixup:
    """``table`` is the import of the table, as (module, name); ``fills``: (slot, import of the function)."""

    __slots__ = ("fills", "table")

    def __init__(self, table: tuple[str, str], fills: list[tuple[int, tuple[str, str]]]) -> None:
        self.table, self.fills = table, fills


def shim(module: CoreModule) -> Shim | None:
    """What the module is as a shim; None when it is none."""
    if module.sections != _SHIM or len(module.data) > _SIZE_MAX:
        return None
    try:
        return _shim(module)
    except ModuleError:  # the engine says better what is wrong with it
        return None


def fixup(module: CoreModule) -> Fixup | None:
    """What the module is as a fixup; None when it is none."""
    if module.sections != _FIXUP or len(module.data) > _SIZE_MAX:
        return None
    try:
        return _fixup(module)
    except ModuleError:
        return None


def _shim(module: CoreModule) -> Shim | None:
    size = _table(module.reader(4))
    calls = _calls(module)
    tables = [name for name, (kind, _index) in module.exports.items() if kind == 1]
    if size < 0 or len(tables) != 1 or any(kind > 1 for kind, _index in module.exports.values()):
        return None
    slots = {}
    for name, (kind, index) in module.exports.items():
        if kind == 0:
            slot = calls.get(index, size)
            if slot >= size:
                return None
            slots[name] = slot
    return Shim(tables[0], size, slots)


def _table(read: Reader) -> int:
    """The length of the module's one table, which is of functions and does not grow; -1 for another."""
    if read.number() != 1 or read.byte() != 0x70 or read.byte() != 1:
        return -1
    least, most = read.number(), read.number()
    return least if least == most and read.at == read.end else -1


def _calls(module: CoreModule) -> dict[int, int]:
    """The slot that each function calls with its parameters and nothing else, for those that do."""
    read, found = module.reader(10), {}
    for index in range(read.count(100_000, 3)):
        size = read.number()
        stop = read.at + size
        known = module.signature(index)
        if stop > read.end or known is None:
            break
        slot = _body(read, module, known)
        if read.at == stop and slot is not None:
            found[index] = slot
        read.at = stop
    return found


def _body(read: Reader, module: CoreModule, known: tuple[str, str]) -> int | None:
    """One function: ``local.get`` of each parameter, ``i32.const`` slot, ``call_indirect`` of its own type."""
    if read.byte():
        return None
    for place in range(len(known[0])):
        if read.byte() != 0x20 or read.number() != place:
            return None
    if read.byte() != 0x41:
        return None
    slot = _signed(read)
    if read.byte() != 0x11 or module.imported(read.number()) != known or read.number() or read.byte() != 0x0B:
        return None
    return slot if slot >= 0 else None


def _signed(read: Reader) -> int:
    value = shift = 0
    while True:
        byte = read.byte()
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value - (1 << shift) if byte & 0x40 else value
        if shift >= 35:
            read.fail("a number is longer than it may be")


def _fixup(module: CoreModule) -> Fixup | None:
    functions, tables = [], []
    for key, (kind, _type) in module.imports.items():
        if kind == 0:
            functions.append(key)
        elif kind == 1:
            tables.append(key)
        else:
            return None
    read, fills = module.reader(9), []
    if len(tables) != 1:
        return None
    for _ in range(read.count(1000, 4)):
        if read.number() or read.byte() != 0x41:  # active, of the table 0, at a constant place
            return None
        slot = _signed(read)
        if slot < 0 or read.byte() != 0x0B:
            return None
        for _ in range(read.count(100_000)):
            index = read.number()
            if index >= len(functions):
                return None
            fills.append((slot, functions[index]))
            slot += 1
    return Fixup(tables[0], fills) if read.at == read.end else None


def elidable(component: Component) -> frozenset[int]:
    """The core instances of ``component``, by index, that need not be made: shims whose table fixups alone are given,
    and those fixups."""
    made = [d for d in component.definitions if d.sort == "core instance"]
    modules = [getattr(d, "module", None) for d in component.definitions if d.sort == "core module"]
    shims: dict[int, Shim] = {}
    fixups: dict[int, int] = {}  # to the shim of each
    tables: list[tuple[int, str]] | None = None
    for index, step in enumerate(made):
        if not isinstance(step, CoreInstantiate):
            continue
        module = modules[step.module]
        if not step.args:
            found = shim(module) if isinstance(module, CoreModule) else None
            if found is not None:
                shims[index] = found
            continue
        if not shims:
            continue
        if tables is None:
            tables = _tables(component)
        taken = _taken(step, module, made, tables, shims)
        fix = fixup(module) if isinstance(module, CoreModule) and len(taken) == 1 else None
        one = next(iter(taken)) if fix is not None else -1
        if fix is not None and all(slot < shims[one].size for slot, _key in fix.fills):
            fixups[index] = one
        else:
            for other in taken:
                del shims[other]
    return frozenset([*shims, *(index for index, one in fixups.items() if one in shims)])


def _tables(component: Component) -> list[tuple[int, str]]:
    """The index space of core tables, each as (core instance, name)."""
    return [
        (step.index, step.name)
        for step in component.definitions
        if isinstance(step, Alias) and step.sort == "core table"
    ]


def _taken(
    step: CoreInstantiate,
    module: CoreModule | None,
    made: list[Definition],
    tables: list[tuple[int, str]],
    shims: dict[int, Shim],
) -> set[int]:
    """The shims whose tables a module imports; what is not known of it counts as imported."""
    found = set()
    for name, index in step.args:
        giver = made[index]
        if isinstance(giver, CoreBag):
            given = [(key, tables[at]) for key, sort, at in giver.exports if sort == "core table"]
        else:
            given = [(shims[index].table, (index, shims[index].table))] if index in shims else []
        for key, (at, table) in given:
            at, table = _origin(at, table, made, tables)
            if at in shims and table == shims[at].table and (module is None or (name, key) in module.imports):
                found.add(at)
    return found


def _origin(at: int, table: str, made: list[Definition], tables: list[tuple[int, str]]) -> tuple[int, str]:
    """Through instances that are made of what is there, to the one that has the table."""
    while isinstance(giver := made[at], CoreBag):
        index = next(index for key, sort, index in giver.exports if key == table and sort == "core table")
        at, table = tables[index]
    return at, table

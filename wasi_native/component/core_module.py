"""What a component needs to know of its core modules: imports, exports, signatures. Code is not looked at.

Each part is read when it is first asked for, and once: decoding a component of twenty megabytes reads some
thousand names of them. A declared module type (of a module that is imported) has the same face.
"""

from __future__ import annotations

from .reader import Limits, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["KINDS", "CoreModule", "ModuleType"]

KINDS = ("func", "table", "memory", "global", "tag")
_ORDER = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 13: 6, 6: 7, 7: 8, 8: 9, 9: 10, 12: 11, 10: 12, 11: 13}
_COUNT_MAX = 100_000


class ModuleType:
    """Imports and exports: ``imports`` maps (module, name) to (kind, type), ``exports`` a name likewise.

    The type of a function is an index for :meth:`signature`; of others see ``Reader.core_extern``.
    """

    def __init__(self) -> None:
        self.types: list[tuple[str, str] | None] = []
        self.imports: dict[tuple[str, str], tuple[int, Any]] = {}
        self.exports: dict[str, tuple[int, Any]] = {}

    def imported(self, index: int) -> tuple[str, str] | None:
        """Params and results, as letters, of that type; None for no type of functions."""
        return self.types[index] if index < len(self.types) else None

    def signature(self, index: int) -> tuple[str, str] | None:
        """Likewise of the exported function of that type."""
        return self.imported(index)

    def extern(self, kind: int, type: Any) -> Any:
        """The type of an export that is a table, memory or global: as it is told."""
        return type


class CoreModule:
    """A core module inside of a component; ``at`` to ``end`` are its place in the file."""

    def __init__(self, reader: Reader, at: int, end: int) -> None:
        """Reads the headers of the sections. ModuleError when they are out of order or too long."""
        self.at, self.end = at, end
        self.data = memoryview(reader.data)[at:end]
        self._reader = reader
        self._parts: dict[int, tuple[int, int]] = {}
        self._imports: dict[tuple[str, str], tuple[int, Any]] | None = None
        self._exports: dict[str, tuple[int, int]] | None = None
        self._imported: tuple[list[Any], ...] = ([], [], [], [], [])  # types, by kind
        self._own: dict[int, list[Any]] = {}  # tables, memories and globals that are not imported
        self._types: list[tuple[str, str] | None] | None = None
        self._functions: list[int] | None = None
        reader.at, reader.end = at, end
        reader.module_header()
        last = 0
        while reader.at < end:
            code = reader.byte()
            if code > 13:
                reader.back(f"the unknown section {code} of a core module")
            size = reader.number()
            if size > end - reader.at:
                reader.short()
            if code:
                if _ORDER[code] <= last:
                    reader.fail(f"the section {code} of a core module comes twice or too late")
                last = _ORDER[code]
                self._parts[code] = (reader.at, reader.at + size)
            reader.at += size

    @property
    def sections(self) -> set[int]:
        """The codes of its sections, custom ones apart."""
        return set(self._parts)

    def reader(self, code: int) -> Reader:
        """A reader of its own for the section ``code``, which is there."""
        at, end = self._parts[code]
        made = Reader(bytes(self._reader.data[at:end]), self._reader.name)
        made.where = f"section {code} of a core module"
        return made

    def _enter(self, code: int, most: int = _COUNT_MAX) -> int:
        """Go to a section; how many entries it has."""
        place = self._parts.get(code)
        if place is None:
            return 0
        reader = self._reader
        reader.at, reader.end = place
        found = reader.count(most)
        reader.reserve(found if code == 3 else found * 8)  # numbers are small, names are not
        return found

    @property
    def imports(self) -> dict[tuple[str, str], tuple[int, Any]]:
        """(module, name) to (kind, type)."""
        if self._imports is None:
            reader, kept = self._reader, (self._reader.at, self._reader.end)
            found: dict[tuple[str, str], tuple[int, Any]] = {}
            imported = self._imported
            for _ in range(self._enter(2)):
                module, name, kind = reader.text(), reader.text(), reader.byte()
                type = reader.number() if kind == 0 else reader.core_extern(kind)
                if (module, name) in found:
                    reader.fail(f"the import {module[:80]!r} {name[:80]!r} of a core module comes twice")
                found[module, name] = (kind, type)
                imported[kind].append(type)
            self._imports = found
            reader.at, reader.end = kept
        return self._imports

    @property
    def exports(self) -> dict[str, tuple[int, int]]:
        """Name to (kind, index in the module's own space)."""
        if self._exports is None:
            reader, kept = self._reader, (self._reader.at, self._reader.end)
            found: dict[str, tuple[int, int]] = {}
            for _ in range(self._enter(7)):
                name, kind, index = reader.text(), reader.byte(), reader.number()
                if kind >= len(KINDS):
                    reader.fail(f"the unknown kind {kind} of an export of a core module")
                if name in found:
                    reader.fail(f"the export {name[:80]!r} of a core module comes twice")
                found[name] = (kind, index)
            self._exports = found
            reader.at, reader.end = kept
        return self._exports

    def imported(self, index: int) -> tuple[str, str] | None:
        """Params and results, as letters, of the type ``index``: that of an import; None for no type of functions."""
        if self._types is None:
            reader, kept = self._reader, (self._reader.at, self._reader.end)
            types: list[tuple[str, str] | None] = []
            for _ in range(self._enter(1)):
                reader.rec_type(reader.byte(), types.append)
            self._types = types
            reader.at, reader.end = kept
        return self._types[index] if index < len(self._types) else None

    def signature(self, index: int) -> tuple[str, str] | None:
        """Params and results, as letters, of the function ``index`` of the module; None where there is none."""
        imported = (self.imports, self._imported[0])[1]
        if self._functions is None:
            reader, kept = self._reader, (self._reader.at, self._reader.end)
            self._functions = [reader.number() for _ in range(self._enter(3, 1_000_000))]
            reader.at, reader.end = kept
        if index < len(imported):
            return self.imported(imported[index])
        index -= len(imported)
        return self.imported(self._functions[index]) if index < len(self._functions) else None

    def extern(self, kind: int, index: int) -> Any:
        """The type of the table, memory or global ``index``, as of ``Reader.core_extern``; None: not known."""
        imported = (self.imports, self._imported[kind])[1]
        if index < len(imported):
            return imported[index]
        own = self.defined(kind)
        index -= len(imported)
        return own[index] if index < len(own) else None

    def defined(self, kind: int) -> list[Any]:
        """The types of the tables, memories or globals of its own, up to one behind which nothing is known."""
        own = self._own.get(kind)
        if own is None:
            reader, kept = self._reader, (self._reader.at, self._reader.end)
            own = self._own[kind] = []
            for _ in range(self._enter({1: 4, 2: 5, 3: 6}[kind])):
                known, type = self._define(kind, reader)
                own.append(type)
                if not known:
                    break
            reader.at, reader.end = kept
        return own

    @staticmethod
    def _define(kind: int, reader: Reader) -> tuple[bool, Limits | tuple[int, bool]]:
        """A table, memory or global of the module; whether what follows can be read."""
        if kind == 1 and reader.data[reader.at : reader.at + 2] == b"\x40\0":  # with a value for each element
            reader.take(2)
            type = reader.table_type()
            return reader.skip_constant(), type
        found = reader.core_extern(kind)
        return kind != 3 or reader.skip_constant(), found

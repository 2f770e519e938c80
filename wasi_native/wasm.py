"""What a WebAssembly binary says of itself, read without an engine.

``read(path)`` and ``parse(data)`` give a :class:`Binary`: imports, exports, memories, tables, the proposals
that its sections show it needs, and the custom sections ``target_features`` and ``producers``. Instructions
are not decoded: an engine does that, and better. So ``needs`` holds what types, limits and sections prove,
and ``features`` what the compiler claims to have used; the second may well hold more than the first.

The input is hostile: nothing recurses; each count is held against the bytes that are left and against the
limits that engines share (the WebAssembly JavaScript interface, section 9); each read against the end of its
section. Whatever is wrong is one :class:`~wasi_native.errors.ModuleError` that says where.
"""

from __future__ import annotations

import os

from .errors import ModuleError
from .wasm_bytes import Reader

__all__ = ["Binary", "Extern", "Memory", "is_run", "parse", "read", "read_bytes"]

SIZE_MAX = 1 << 30
_LARGE = "larger than 1 GiB; no engine takes it"
PAGE = 65536
_SECTIONS = "custom,type,import,function,table,memory,global,export,start,element,code,data,data count,tag"
_COMPONENT = (
    "custom,core module,core instance,core type,component,instance,alias,type,canonical function,start,"
)
_COMPONENT += "import,export,value"
_ORDER = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 13: 6, 6: 7, 7: 8, 8: 9, 9: 10, 12: 11, 10: 12, 11: 13}
_KINDS = ("func", "table", "memory", "global", "tag")
_VALUES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128", 0x70: "funcref"}
_VALUES[0x6F] = "externref"
_HEAPS = {0x74: "noexn", 0x73: "nofunc", 0x72: "noextern", 0x71: "none", 0x70: "func", 0x6F: "extern"}
_HEAPS |= {0x6E: "any", 0x6D: "eq", 0x6C: "i31", 0x6B: "struct", 0x6A: "array", 0x69: "exn"}
_COMPONENT_KINDS = ("core module", "func", "value", "type", "component", "instance")


class Extern:
    """An import (``module`` is its first name) or an export (``module`` is empty)."""

    __slots__ = ("kind", "module", "name", "type")

    def __init__(self, module: str, name: str, kind: str, type: str) -> None:
        self.module, self.name, self.kind, self.type = module, name, kind, type


class Memory:
    """A linear memory; ``minimum`` and ``maximum`` (None: no maximum) in bytes."""

    __slots__ = ("imported", "maximum", "minimum", "page", "shared", "wide")

    def __init__(
        self, minimum: int, maximum: int | None, page: int, shared: bool, wide: bool, imported: bool
    ) -> None:
        self.minimum, self.maximum, self.page = minimum, maximum, page
        self.shared, self.wide, self.imported = shared, wide, imported


class Binary:
    """What was read. ``layer`` is "module" or "component"; a component has imports and exports alone."""

    def __init__(self, layer: str, size: int) -> None:
        self.layer, self.size = layer, size
        self.imports: list[Extern] = []
        self.exports: list[Extern] = []
        self.memories: list[Memory] = []
        self.tables: list[tuple[int, int | None]] = []
        self.functions = 0  # with a body, imported ones not counted
        self.start = False  # a start section: code that runs at instantiation
        self.needs: set[str] = set()
        self.features: list[str] = []
        self.producers: list[tuple[str, str, str]] = []  # field, name, version

    @property
    def shape(self) -> str:
        """How it is used: "command" (``_start``, or ``run`` of wasi:cli/run), "reactor" (``_initialize``), "library",
        or "component"."""
        names = {item.name for item in self.exports if item.kind == "func"}
        if self.layer == "component":
            return "component"
        return (
            "command"
            if "_start" in names or any(map(is_run, names))
            else "reactor"
            if "_initialize" in names
            else "library"
        )


def is_run(name: str) -> bool:
    """Whether an export is ``run`` of wasi:cli/run, under either kind of names of core modules."""
    legacy = name.startswith("wasi:cli/run@0.2.") and name.endswith("#run")
    return legacy or name == "cm32p2|wasi:cli/run@0.2|run"


def read(path: str) -> tuple[bytes, Binary]:
    """The bytes of the file and what they say. ModuleError; OSError when the file cannot be read."""
    data = read_bytes(path)
    return data, parse(data, path)


def read_bytes(path: str, text: bool = False) -> bytes:
    """What the file holds; ``text``: it may be the text form. Only the first part is read of what is something else,
    nothing of what is too large: it may be a device. ModuleError; OSError when it cannot be read."""
    with open(path, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size >= SIZE_MAX:
            raise ModuleError(f"{path}: {_LARGE}")
        head = file.read(4096)
        while len(head) < 4 and (more := file.read(4096)):  # a pipe may give less
            head += more
        if not (head.startswith(b"\0asm") or (text and head.lstrip()[:1] in (b"(", b";"))):
            parse(head, path)  # says what it is instead
        parts, left = [head], SIZE_MAX - len(head)
        while left > 0 and (part := file.read(min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)


def parse(data: bytes, name: str = "<bytes>") -> Binary:
    """What ``data`` says; ``name`` stands in the errors. ModuleError."""
    if len(data) >= SIZE_MAX:
        raise ModuleError(f"{name}: {_LARGE}")
    if data[:4] != b"\0asm":
        raise ModuleError(f"{name}: {_what(data)}")
    if len(data) < 8:
        raise ModuleError(
            f"{name}: truncated: {len(data)} bytes, the header alone has 8; copy the file again"
        )
    if data[4:8] == b"\x01\0\0\0":
        return _Parser(data, name, Binary("module", len(data))).module()
    if data[6:8] == b"\x01\0":
        return _Parser(data, name, Binary("component", len(data))).component()
    number = int.from_bytes(data[4:6], "little")
    raise ModuleError(f"{name}: WebAssembly of the unknown version {number}; compile it for version 1")


def _what(data: bytes) -> str:
    if not data:
        return "is empty; compile the program again"
    if data.lstrip()[:1] == b"(" or data.lstrip()[:2] == b";;":
        return "is WebAssembly text; make a binary of it with wat2wasm"
    if data[:4] == b"\x7fELF":
        return "is a program for this machine, not for WebAssembly; compile it for wasm32-wasi"
    if b"\0asm".startswith(data):
        return f"truncated: {len(data)} bytes, the header alone has 8; copy the file again"
    return "is not WebAssembly: it does not begin with the bytes 00 61 73 6d"


class _Parser(Reader):
    """Reads the sections one after the other into ``out``."""

    def __init__(self, data: bytes, name: str, out: Binary) -> None:
        super().__init__(data, name, 8)
        self.out = out
        self.types: list[str] = []  # the text of a function type, "" for another kind of type
        self.funcs: list[int] = []  # type indices of all functions, imported ones first
        self.bodies = 0
        self.segments = -1

    # --- types ---

    def value(self) -> str:
        """A value type, as text."""
        code = self.byte()
        known = _VALUES.get(code)
        if known is None:
            if code in (0x63, 0x64):
                self.out.needs.add("function-references")
                heap = self.data[self.at] if self.at < self.end else 0
                self.skip_signed(5)
                return f"(ref {'null ' if code == 0x63 else ''}{_HEAPS.get(heap, 'type')})"
            if code not in _HEAPS:
                self.fail(f"the unknown value type 0x{code:02x}")
            self.out.needs.add("exceptions" if _HEAPS[code].endswith("exn") else "gc")
            return _HEAPS[code] + "ref"
        if code == 0x7B:
            self.out.needs.add("simd128")
        elif code == 0x6F:
            self.out.needs.add("reference-types")
        return known

    def values(self) -> str:
        return " ".join([self.value() for _ in range(self.count(1000))])

    def storage(self) -> None:
        """A field of a structure or array: a type and its mutability."""
        if self.at < self.end and self.data[self.at] in (0x78, 0x77):  # i8, i16
            self.at += 1
        else:
            self.value()
        self.byte()

    def subtype(self, form: int) -> None:
        if form in (0x50, 0x4F):
            self.out.needs.add("gc")
            for _ in range(self.count(1000)):
                self.number()
            form = self.byte()
        if form == 0x60:
            params, results = self.values(), self.values()
            if " " in results:
                self.out.needs.add("multivalue")
            self.types.append(f"({params}) -> ({results})")
        elif form in (0x5F, 0x5E):
            self.out.needs.add("gc")
            for _ in range(self.count(10_000, 2) if form == 0x5F else 1):
                self.storage()
            self.types.append("")
        else:
            self.fail(f"the unknown kind of type 0x{form:02x}")

    def limits(self, what: str) -> tuple[int, int | None, int]:
        """Minimum, maximum and the flags before them."""
        flags = self.byte()
        if flags & ~(0x0F if what == "memory" else 0x05):
            self.fail(f"the unknown flags 0x{flags:02x} of a {what}")
        bits = 64 if flags & 4 else 32
        least = self.number(bits)
        return least, self.number(bits) if flags & 1 else None, flags

    def memory(self, imported: bool) -> None:
        least, most, flags = self.limits("memory")
        page = PAGE
        if flags & 8:
            self.out.needs.add("custom-page-sizes")
            power = self.number()
            if power > 16:
                self.fail(f"a page of 2**{power} bytes")
            page = 1 << power
        shared, wide = bool(flags & 2), bool(flags & 4)
        self.out.needs.update(["threads"] * shared + ["memory64"] * wide)
        self.out.memories.append(
            Memory(least * page, None if most is None else most * page, page, shared, wide, imported)
        )
        if len(self.out.memories) > 100:
            self.fail("more than 100 memories")
        if len(self.out.memories) > 1:
            self.out.needs.add("multi-memory")

    def table(self) -> str:
        kind = self.value()
        least, most, flags = self.limits("table")
        if flags & 4:
            self.out.needs.add("memory64")
        self.out.tables.append((least, most))
        if len(self.out.tables) > 1:
            self.out.needs.add("reference-types")
        return f"{kind}, {least}" + ("" if most is None else f" to {most}")

    def signature(self, index: int) -> str:
        if index >= len(self.types) or not self.types[index]:
            self.fail(f"the function type {index} does not exist")
        return self.types[index]

    # --- sections of a module ---

    def module(self) -> Binary:
        readers = {0: self.custom, 1: self.type_section, 2: self.import_section, 3: self.function_section}
        readers |= {4: self.table_section, 5: self.memory_section, 6: self.global_section}
        readers |= {
            7: self.export_section,
            8: self.start_section,
            10: self.code_section,
            11: self.data_section,
        }
        readers |= {12: self.data_count_section, 13: self.tag_section}
        last = 0
        for code, stop in self.sections(_SECTIONS):
            if code:
                if _ORDER[code] <= last:
                    self.fail("it comes twice or too late")
                last = _ORDER[code]
            if code in readers:
                readers[code]()
            if code not in (0, 6, 9, 10, 11) and self.at != stop:
                self.fail(f"{stop - self.at} bytes too many")
        self.where = "whole"
        if self.bodies != self.out.functions:
            self.fail(f"truncated: {self.out.functions} functions, {self.bodies} bodies")
        if self.segments > 0:
            self.fail("truncated: the data section is missing")
        return self.out

    def sections(self, listed: str):  # type: ignore[no-untyped-def]
        """Each section's number and end; the caller reads between."""
        names = listed.split(",")
        while self.at < len(self.data):
            self.end, self.where = len(self.data), "header of a section"
            code = self.byte()
            if code >= len(names):
                self.fail(f"the unknown section {code}")
            size = self.number()
            if size > self.end - self.at:
                self.fail(
                    f"truncated: the {names[code]} section has {size} bytes, {self.end - self.at} are left"
                )
            self.end = stop = self.at + size
            self.where = f"{names[code]} section"
            yield code, stop
            self.at = stop

    def type_section(self) -> None:
        for _ in range(self.count(1_000_000, 2)):
            form = self.byte()
            if form == 0x4E:
                self.out.needs.add("gc")
                for _ in range(self.count(1_000_000, 2)):
                    self.subtype(self.byte())
            else:
                self.subtype(form)
            if len(self.types) > 1_000_000:
                self.fail("more than 1000000 types")

    def import_section(self) -> None:
        for _ in range(self.count(1_000_000, 4)):
            module, name, kind = self.text(), self.text(), self.byte()
            if kind >= len(_KINDS):
                self.fail(f"the unknown kind {kind} of the import {module[:80]!r} {name[:80]!r}")
            text = ""
            if kind == 0:
                index = self.number()
                text = self.signature(index)
                self.funcs.append(index)
            elif kind == 1:
                text = self.table()
            elif kind == 2:
                self.memory(True)
            elif kind == 3:
                text = self.global_type()
                if text.startswith("mut"):
                    self.out.needs.add("mutable-globals")
            else:
                self.tag()
            self.out.imports.append(Extern(module, name, _KINDS[kind], text))

    def function_section(self) -> None:
        self.out.functions = self.count(1_000_000)
        for _ in range(self.out.functions):
            index = self.number()
            self.signature(index)
            self.funcs.append(index)

    def table_section(self) -> None:
        for _ in range(self.count(100_000, 3)):
            if self.at < self.end and self.data[self.at] == 0x40:  # with an initial value
                self.out.needs.add("function-references")
                self.at = self.end  # its expression is not decoded, so neither is what follows it
                return
            self.table()

    def memory_section(self) -> None:
        for _ in range(self.count(100, 2)):
            self.memory(False)

    def global_type(self) -> str:
        kind, mutable = self.value(), self.byte()
        if mutable > 1:
            self.fail(f"the unknown mutability {mutable} of a global")
        return "mut " * mutable + kind

    def global_section(self) -> None:
        if self.count(1_000_000, 4):
            self.global_type()  # behind it is an expression: instructions are not decoded

    def tag(self) -> None:
        self.out.needs.add("exceptions")
        if self.byte():
            self.fail("an unknown attribute of a tag")
        self.signature(self.number())

    def tag_section(self) -> None:
        for _ in range(self.count(1_000_000, 2)):
            self.tag()

    def export_section(self) -> None:
        seen = set()
        for _ in range(self.count(1_000_000, 3)):
            name, kind, index = self.text(), self.byte(), self.number()
            if kind >= len(_KINDS):
                self.fail(f"the unknown kind {kind} of the export {name[:80]!r}")
            if name in seen:
                self.fail(f"the export {name[:80]!r} comes twice")
            seen.add(name)
            text = ""
            if kind == 0:
                if index >= len(self.funcs):
                    self.fail(f"the exported function {index} does not exist")
                text = self.types[self.funcs[index]]
            elif kind == 2 and index >= len(self.out.memories):
                self.fail(f"the exported memory {index} does not exist")
            self.out.exports.append(Extern("", name, _KINDS[kind], text))

    def start_section(self) -> None:
        self.out.start = True
        index = self.number()
        if index >= len(self.funcs):
            self.fail(f"the start function {index} does not exist")

    def data_count_section(self) -> None:
        self.out.needs.add("bulk-memory")
        self.segments = self.number()

    def code_section(self) -> None:
        """Only the local variables of each body are looked at."""
        self.bodies = self.count(1_000_000, 2)
        whole = self.end
        for index in range(self.bodies):
            size = self.number()
            if size > whole - self.at:
                self.short()
            self.end = self.at + size
            for _ in range(self.count(50_000, 2)):
                self.number()
                self.value()
            if self.at >= self.end or self.data[self.end - 1] != 0x0B:
                self.fail(f"the body {index} has no end")
            self.at, self.end = self.end, whole
        if self.at != whole:
            self.fail(f"{whole - self.at} bytes too many")

    def data_section(self) -> None:
        found = self.count(100_000)
        if self.segments not in (-1, found):
            self.fail(f"{found} segments, {self.segments} were declared")
        self.segments = -1

    # --- custom sections ---

    def custom(self) -> None:
        """A custom section that is wrong is no error of the module: what can be read of it counts."""
        kind = self.text()
        try:
            if kind == "target_features":
                self.target_features()
            elif kind == "producers":
                self.read_producers()
        except ModuleError:
            pass

    def target_features(self) -> None:
        for _ in range(self.count(1000, 2)):
            prefix, name = self.byte(), self.text()
            if prefix in (0x2B, 0x3D) and name not in self.out.features:  # "+" used, "=" needed
                self.out.features.append(name)

    def read_producers(self) -> None:
        for _ in range(self.count(100, 2)):
            field = self.text()
            for _ in range(self.count(1000, 2)):
                self.out.producers.append((field, self.text(), self.text()))

    # --- components ---

    def component(self) -> Binary:
        """The outermost imports and exports of a component; what is inside of it is skipped."""
        for code, _stop in self.sections(_COMPONENT):
            if code == 0:
                self.custom()
            elif code == 10:
                for _ in range(self.count(100_000, 4)):
                    name = self.component_name()
                    self.out.imports.append(Extern(name, "", self.component_type(), ""))
            elif code == 11:
                self.component_exports()
        return self.out

    def component_name(self) -> str:
        form = self.byte()
        if form > 2:
            self.fail("an unknown kind of name")
        name = self.text()
        for _ in range(self.count(3, 2) if form == 2 else 0):  # attributes
            self.byte()
            self.text()
        return name

    def component_type(self) -> str:
        kind = self.byte()
        if kind >= len(_COMPONENT_KINDS):
            self.fail(f"the unknown kind {kind} of an import or export")
        if kind == 0 and self.byte() != 0x11:
            self.fail("an unknown kind of core import")
        if kind in (2, 3) and self.byte() == 1 and kind == 3:  # a resource type: no number follows
            return "type"
        self.skip_signed(5)
        return _COMPONENT_KINDS[kind]

    def component_exports(self) -> None:
        for _ in range(self.count(100_000, 4)):
            name, kind = self.component_name(), self.byte()
            if kind >= len(_COMPONENT_KINDS):
                self.fail(f"the unknown kind {kind} of an export")
            if kind == 0:
                self.byte()
            self.number()
            if self.byte():
                self.component_type()
            self.out.exports.append(Extern("", name, _COMPONENT_KINDS[kind], ""))

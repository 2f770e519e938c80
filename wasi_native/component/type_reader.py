"""Reads types of components: of values, functions, resources, instances, components; names and what is behind.

The types inside of a type are those read before, so none can hold itself; how deep and how large they
may be is held against limits as they are made.
"""

from __future__ import annotations

from . import names
from .core_module import ModuleType
from .identity import Numbers, owned
from .index_reader import SORT_CODES, VALUES, IndexReader
from .model import ComponentType, Extern, FuncType, InstanceType, ResourceType, ValueType
from .scope import Scope
from .types import DEPTH_MAX, NODES_MAX, Table, TooLarge
from .visible import Names, attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .types import Value

__all__ = ["TypeReader"]

NESTING_MAX = 50  # of types of components and instances in such types
_PRIMITIVES = {0x7F: "bool", 0x7E: "s8", 0x7D: "u8", 0x7C: "s16", 0x7B: "u16", 0x7A: "s32", 0x79: "u32"}
_PRIMITIVES |= {0x78: "s64", 0x77: "u64", 0x76: "f32", 0x75: "f64", 0x74: "char", 0x73: "string"}
_PRIMITIVES[0x64] = "error-context"
_KEYS = ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "char", "string")


class TypeReader(IndexReader):
    """``table`` holds the layouts of the file; ``resources`` is the next abstract index."""

    def __init__(self, data: bytes, name: str, allow: frozenset[str]) -> None:
        super().__init__(data, name, allow)
        self.table = Table()
        self.resources = self.nesting = 0
        self._primitives: dict[str, ValueType] = {}

    # --- types of values ---

    def value(self) -> ValueType:
        """A primitive, or the index of a type."""
        code = self.byte()
        if code >= 0x80:
            self.at -= 1
            return self._indexed(self._large_index())
        if code < 0x40:
            return self._indexed(code)
        return self.primitive(code)

    def _indexed(self, index: int) -> ValueType:
        found: ValueType = self.type_of("value", index)
        return found

    def _large_index(self) -> int:
        """A signed number that is not below 0 and has at most 33 bits."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= 35:
                self.fail("a number is longer than it may be")
        if byte & 0x40 or value >> 32:
            self.fail("the index of a type is out of range")
        return value

    def primitive(self, code: int) -> ValueType:
        kind = _PRIMITIVES.get(code)
        if kind is None:
            self.back(f"the unknown type 0x{code:02x}")
            raise AssertionError
        if kind == "error-context":
            self.gate(kind)
        found = self._primitives.get(kind)
        if found is None:
            found = self._primitives[kind] = ValueType(kind, (), self.table.primitive(kind))
        return found

    def maybe(self, what: str) -> ValueType | None:
        return self.value() if self.flag(what) else None

    def label(self, seen: set[str], what: str) -> str:
        found = self.text()
        if not names.is_label(found):
            self.fail(f"the {what} {found[:80]!r} is not in kebab case")
        low = found.lower()
        if low in seen:
            self.fail(f"the {what} {found[:80]!r} comes twice")
        seen.add(low)
        return found

    def defined_value(self, code: int) -> ValueType:
        """A type of values that begins with ``code``."""
        try:
            if code in _PRIMITIVES:
                return self.primitive(code)
            return self._compound(code)
        except TooLarge as error:
            self.fail(str(error))

    def _compound(self, code: int) -> ValueType:
        table = self.table
        if code in (0x72, 0x71):
            seen: set[str] = set()
            fields = []
            for _ in range(self._some(10_000, "record" if code == 0x72 else "variant")):
                label = self.label(seen, "field" if code == 0x72 else "case")
                part = self.value() if code == 0x72 else self.maybe("a case")
                fields.append((label, part))
                if code == 0x71 and self.byte():
                    self.back("the byte behind a case is not 0")
            pairs = [(label, _layout(part)) for label, part in fields]
            made = table.record(pairs) if code == 0x72 else table.variant(pairs)  # type: ignore[arg-type]
            return self._made(made, tuple(fields), [part for _label, part in fields])
        if code in (0x6E, 0x6D):
            seen = set()
            count = self._some(10_000, "flags" if code == 0x6E else "enum")
            if code == 0x6E and count > 32:
                self.fail(f"{count} flags, at most 32 are allowed")
            labels = tuple([self.label(seen, "label") for _ in range(count)])
            return self._made(table.flags(labels) if code == 0x6E else table.enum(labels), labels)
        if code == 0x6F:
            parts = tuple([self.value() for _ in range(self._some(10_000, "tuple"))])
            return self._made(table.tuple_of([part.value for part in parts]), parts, parts)
        if code in (0x70, 0x67):
            element, length = self.value(), None
            if code == 0x67:
                self.gate("fixed-length lists")
                length = self.number()
                if not length:
                    self.fail("a list of the fixed length 0")
            return self._made(table.list_of(element.value, length), (element, length), (element,))
        if code == 0x6B:
            some = self.value()
            return self._made(table.option(some.value), (some,), (some,))
        if code == 0x6A:
            both = self.maybe("a result"), self.maybe("a result's error")
            return self._made(table.result(_layout(both[0]), _layout(both[1])), both, both)
        if code in (0x69, 0x68):
            resource = self.type_of("resource", self.number())
            make = table.own if code == 0x69 else table.borrow
            return self._made(make(resource.number), (resource,), (resource,))
        if code in (0x66, 0x65):
            carried = self.maybe("an element")
            if carried is not None and carried.value.borrows:
                self.fail("a stream or future of borrowed handles")
            if code == 0x66 and carried is not None and carried.kind == "char":
                self.fail("a stream of char, which is not offered")
            make_end = table.stream if code == 0x66 else table.future
            return self._made(make_end(_layout(carried)), (carried,), (carried,))
        if code == 0x63:
            key, value = self.value(), self.value()
            if key.kind not in _KEYS:
                self.fail(f"the keys of a map are of the kind {key.kind}")
            return self._made(table.map_of(key.value, value.value), (key, value), (key, value))
        self.back(f"the unknown type 0x{code:02x}")
        raise AssertionError

    def _made(self, value: Value, parts: tuple[Any, ...], inside: Any = ()) -> ValueType:
        return ValueType(value.kind, parts, value, inside)

    def _some(self, most: int, what: str) -> int:
        found = self.count(most)
        if not found:
            self.fail(f"a type {what} with nothing in it")
        return found

    # --- other types ---

    def function(self, is_async: bool) -> FuncType:
        seen: set[str] = set()
        params = []
        for _ in range(self.count(1000, 2)):
            label = self.label(seen, "parameter")
            params.append((label, self.value()))
        result = None
        code = self.byte()
        if code == 0:
            result = self.value()
            if result.value.borrows:
                self.fail("a function that returns a borrowed handle")
        elif code != 1:
            self.back(f"the unknown form 0x{code:02x} of a result")
        elif self.byte():
            self.back("named results, which are no longer offered")
        layout = self.table.function(
            [(label, part.value) for label, part in params], _layout(result), is_async
        )
        return FuncType(tuple(params), result, is_async, layout)

    def resource(self) -> ResourceType:
        if self.scope.kind != "component":
            self.fail("a resource defined inside of a type")
        code = self.byte()
        if code == 0x7E:
            self.gate("memory64")
        elif code != 0x7F:
            self.back(f"the representation 0x{code:02x} of a resource is no i32")
        destructor = self.number() if self.flag("a destructor") else None
        self.scope.own.add(self.resources)
        self.resources += 1
        return ResourceType(self.resources - 1, True, destructor, code == 0x7E)

    def declared(self, kind: str) -> Any:
        """A type of instances or components ("instance type", "component type"): its declarations, in order."""
        if self.nesting >= NESTING_MAX:
            self.fail(f"types of components are nested more than {NESTING_MAX} deep")
        self.nesting += 1
        outer, self.scope = self.scope, Scope(kind, self.scope, self.resources)
        for _ in range(self.entries(least=2)):
            code = self.byte()
            if code == 0:
                self.core_type()
            elif code == 1:
                self.scope.push("type", self.any_type())
            elif code == 2:
                self.alias()
            elif code == 4 or (code == 3 and kind == "component type"):
                self.extern_declaration(code == 4)
            else:
                self.back(f"the unknown declaration 0x{code:02x} of a type")
        inner, self.scope = self.scope, outer
        self.nesting -= 1
        if kind == "instance type":
            return self.bounded(InstanceType(inner.exports, inner.start))
        return self.bounded(ComponentType(inner.imports, inner.exports, inner.start))

    def bounded(self, made: Any) -> Any:
        """``made``, unless it is too large."""
        if made.nodes > NODES_MAX or made.depth > DEPTH_MAX:
            self.fail(f"a type holds more than {NODES_MAX} types, or is nested more than {DEPTH_MAX} deep")
        return made

    def any_type(self) -> Any:
        code = self.byte()
        if code in (0x40, 0x43):
            return self.bounded(self.function(code == 0x43))
        if code in (0x41, 0x42):
            return self.declared("component type" if code == 0x41 else "instance type")
        if code == 0x3F:
            return self.resource()
        return self.defined_value(code)

    def extern_declaration(self, is_export: bool) -> None:
        """An import or export of a type: a name and what is behind it."""
        name, attributes = self.extern_name()
        extern = self.extern(attributes)
        self.enter(name, extern, is_export)
        self.scope.push(extern.sort, extern.type)

    # --- names, and what is behind ---

    def extern_name(self) -> tuple[str, dict[str, str] | None]:
        form = self.byte()
        if form > 2:
            self.back(f"the unknown form 0x{form:02x} of a name")
        name, attributes = self.text(), None
        if form == 2:
            attributes = {}
            for _ in range(self.count(3)):
                code = self.byte()
                if code not in (0, 1, 2):
                    self.back(f"the unknown attribute 0x{code:02x} of a name")
                if code == 1:
                    self.fail("canonical names: this feature of components is not offered")
                kind = "external-id" if code else "implements"
                if kind in attributes:
                    self.fail(f"the attribute {kind} comes twice")
                attributes[kind] = self.text()
        return name, attributes

    def extern(self, attributes: dict[str, str] | None = None) -> Extern:
        """The type of an import or export, as a new entry of its index space would have it."""
        code = self.byte()
        if code == 0:
            if self.byte() != 0x11:
                self.back("an unknown kind of core import or export")
            index = self.number()
            module = self.item("core type", index)
            if not isinstance(module, ModuleType):
                self.fail(f"the core type {index} is no type of a module")
            return Extern("core module", module, attributes)
        if code == 3:
            if not self.bound():
                return Extern("type", self.bounded(self.item("type", self.number()).renamed()), attributes)
            self.resources += 1
            return Extern("type", ResourceType(self.resources - 1, False), attributes)
        if code not in (1, 4, 5):
            self.back(VALUES if code == 2 else f"the unknown kind 0x{code:02x} of an import or export")
        sort = SORT_CODES[code]
        found = self.type_of(sort, self.number())
        return Extern(sort, self._introduce(found) if code == 5 else found, attributes)

    def _introduce(self, type: InstanceType) -> InstanceType:
        """The type of one more instance: the first has the numbers of the type for its resources, others new ones."""
        own = owned(type)
        if not own:
            return type
        self.spend(len(own))
        if min(own) >= self.scope.start and self.scope.taken_numbers.isdisjoint(own):
            self.scope.taken_numbers.update(own)
            return type
        return self.fresh(own).type(type)  # type: ignore[no-any-return]

    def fresh(self, numbers: list[int], first: Numbers | None = None) -> Numbers:
        """New numbers for these; others as in ``first``."""
        new = range(self.resources, self.resources + len(numbers))
        self.resources += len(numbers)
        map = {} if first is None else first.map
        return Numbers(self.table, self.spend, {**map, **dict(zip(numbers, new, strict=True))})

    def bound(self) -> bool:
        """The bound of a type: whether it is any resource, else a type that is there."""
        code = self.byte()
        if code > 1:
            self.back(f"the unknown bound 0x{code:02x} of a type")
        return code == 1

    def enter(self, name: str, extern: Extern, is_export: bool) -> None:
        """An import or export enters the scope's table of them, once its name is right."""
        table = self.scope.exports if is_export else self.scope.imports
        self.check_name(name, extern, table, self.scope.taken[is_export])
        if self.scope.kind != "instance type":
            if not self.scope.named:
                self.scope.named = Names(self.spend), Names(self.spend)
            wrong = attach(extern, self.scope.named[is_export:])
            if wrong:
                self.fail(f"the {'export' if is_export else 'import'} {name[:80]!r}: {wrong}")
        table[name] = extern

    def check_name(self, name: str, extern: Extern, table: dict[str, Extern], taken: set[str]) -> None:
        try:
            parsed = names.parse(name)
        except ValueError as error:
            self.fail(f"the name {name[:80]!r}: {error}")
        strong = names.strong(name)
        if strong in taken:
            self.fail(f"the name {name[:80]!r} is taken, or too like another")
        taken.add(strong)
        if extern.attributes and "implements" in extern.attributes:
            self._implements(parsed, extern, extern.attributes["implements"])
        if parsed.resource:
            self._of_resource(name, parsed, extern, table.get(parsed.resource))

    def _implements(self, parsed: names.Name, extern: Extern, interface: str) -> None:
        if extern.sort != "instance" or parsed.kind != "label":
            self.fail("the attribute implements is for instances with plain names alone")
        try:
            kind = names.parse(interface).kind
        except ValueError as error:
            self.fail(f"the attribute implements, {interface[:80]!r}: {error}")
        if kind != "interface":
            self.fail(f"the attribute implements, {interface[:80]!r}, is no name of an interface")

    def _of_resource(self, name: str, parsed: names.Name, extern: Extern, owner: Extern | None) -> None:
        """A constructor, method or static function belongs to a resource of its own table."""
        func = extern.type
        if not isinstance(func, FuncType):
            self.fail(f"{name[:80]!r} is no function")
        if owner is None or not isinstance(owner.type, ResourceType):
            self.fail(f"{name[:80]!r}: there is no resource {parsed.resource[:80]!r} beside it")
        handle: ValueType | None = func.result
        if parsed.kind == "static":
            return
        if parsed.kind == "constructor":
            if handle is not None and handle.kind == "result":
                handle = handle.parts[0]
            wanted = "own"
        else:
            label, handle = func.params[0] if func.params else ("", None)
            wanted = "borrow" if label == "self" else ""
        if handle is None or handle.kind != wanted or handle.parts[0] is not owner.type:
            self.fail(f"{name[:80]!r} has not the form of a {parsed.kind} of {parsed.resource[:80]!r}")

    # --- core types ---

    def core_type(self) -> list[Any]:
        """The core types that one entry gives; they enter the scope."""
        code = self.byte()
        if code == 0x50:
            made: list[Any] = [self._module_type()]
        else:
            made = []
            if code == 0:
                code = self.byte()
                if code != 0x50:
                    self.back(f"the unknown core type 0x00 0x{code:02x}")
            self.rec_type(code, made.append)
        for entry in made:
            self.scope.push("core type", entry)
        return made

    def _module_type(self) -> ModuleType:
        made = ModuleType()
        for _ in range(self.entries(100_000, 2)):
            code = self.byte()
            if code == 0:
                module, name = self.text(), self.text()
                if (module, name) in made.imports:
                    self.fail(f"the import {module[:80]!r} {name[:80]!r} comes twice")
                made.imports[module, name] = self._module_extern(made)
            elif code == 1:
                self.rec_type(self.byte(), made.types.append)
            elif code == 2:
                self._module_alias(made)
            elif code == 3:
                name = self.text()
                if name in made.exports:
                    self.fail(f"the export {name[:80]!r} comes twice")
                made.exports[name] = self._module_extern(made)
            else:
                self.back(f"the unknown declaration 0x{code:02x} of a type of modules")
        return made

    def _module_extern(self, made: ModuleType) -> tuple[int, int]:
        kind = self.byte()
        index = self.core_extern(kind)
        if kind in (0, 4) and (index >= len(made.types) or made.types[index] is None):
            self.fail(f"the core type {index} is no type of functions")
        return kind, index

    def _module_alias(self, made: ModuleType) -> None:
        if self.byte() != 0x10:
            self.back("an alias in a type of modules is of a core type alone")
        if self.byte() != 1:
            self.back("an alias in a type of modules is an outer one alone")
        count, index = self.number(), self.number()
        if count == 0:
            if index >= len(made.types):
                self.fail(f"the core type {index} does not exist; there are {len(made.types)}")
            made.types.append(made.types[index])
            return
        found = self.item("core type", index, self.outer(count - 1))
        if isinstance(found, ModuleType):
            self.fail("a type of modules inside of another")
        made.types.append(found)


def _layout(type: ValueType | None) -> Value | None:
    return None if type is None else type.value

"""The decoder of component binaries: bytes to a :class:`~.model.Component`.

``decode(data)`` reads the sections in order, fills the index spaces and holds each reference against them, so
that who makes an instance later finds what it looks up. The input is hostile: whatever is wrong is one
:class:`~wasi_native.errors.ModuleError` that names the byte; sizes, counts, nesting and comparing are bounded;
components inside components are a list of scopes, not a recursion. Core modules are views of the file, not copies.

What the code of core modules does is not looked at: the engine does that when it compiles them.
"""

from __future__ import annotations

from .canon_reader import CanonReader
from .core_match import differ
from .core_module import KINDS, CoreModule
from .identity import owned
from .model import (
    Bag,
    Component,
    ComponentType,
    CoreBag,
    CoreInstantiate,
    Definition,
    Export,
    Extern,
    Import,
    InstanceType,
    Instantiate,
    ModuleDefinition,
    ResourceType,
    Subcomponent,
    TypeDefinition,
)
from .scope import Scope, signature
from .subtype import Matcher, Mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["HEADER", "decode"]

HEADER = b"\0asm\x0d\0\x01\0"
SIZE_MAX = 1 << 30
NESTING_MAX = 100  # of components in components
MODULES_MAX = 1000
_BAG = InstanceType({}, 0)  # what stands beside others in an instance has no name by that
COMPONENTS_MAX = 1000
INSTANCES_MAX = 10_000
_NAMES: tuple[str, ...] = (
    "custom",
    "core module",
    "core instance",
    "core type",
    "component",
    "instance",
    "alias",
    "type",
)
_NAMES += ("canonical definition", "start", "import", "export", "value")


def decode(data: bytes, name: str = "<bytes>", allow: frozenset[str] = frozenset()) -> Component:
    """The component that ``data`` is; ``name`` stands in the errors; ``allow``: names of gated features that may be
    met (:data:`~.reader.FEATURES`). ModuleError."""
    return _Decoder(data, name, allow).decode()


class _Decoder(CanonReader):
    """Reads one file, once."""

    def __init__(self, data: bytes, name: str, allow: frozenset[str]) -> None:
        super().__init__(data, name, allow)
        self.modules: list[CoreModule] = []
        self.components = self.instances = 0
        self.matcher = Matcher(self.table, self.spend)

    def decode(self) -> Component:
        if len(self.data) > SIZE_MAX:
            self.fail("larger than 1 GiB")
        self.at = 0
        self._header()
        top = self.scope.component = Component(self.name, len(self.data))
        readers = {0: self._custom, 1: self._core_module, 2: self._core_instance, 3: self._core_type}
        readers |= {5: self._instance, 6: self._alias, 7: self._type, 8: self._canon, 9: self._values}
        readers |= {10: self._import, 11: self._export, 12: self._values}
        while True:
            self.end, self.where = self.scope.end, "header of a section"
            if self.at == self.end:
                if self.scope.parent is None:
                    break
                self._leave()
                continue
            code = self.byte()
            if code >= len(_NAMES):
                self.back(f"the unknown section {code}")
            size = self.number()
            if size > self.end - self.at:
                self.fail(
                    f"truncated: the {_NAMES[code]} section has {size} bytes, {self.end - self.at} are left"
                )
            self.end = stop = self.at + size
            self.where = f"{_NAMES[code]} section"
            if code == 4:
                self._enter(stop)
                continue
            readers[code]()
            if self.at != stop:
                self.fail(f"{stop - self.at} bytes too many")
        self._finish(top)
        top.modules, top.components = self.modules, self.components
        top.features, top.resources = frozenset(self.used), self.resources
        return top

    def _header(self) -> None:
        if self.take(8) != HEADER:
            self.back("this is no component: it does not begin with the header of one", 8)

    # --- components inside ---

    def _enter(self, stop: int) -> None:
        self.components += 1
        depth, scope = 0, self.scope.parent
        while scope is not None:
            depth, scope = depth + 1, scope.parent
        if depth >= NESTING_MAX or self.components > COMPONENTS_MAX:
            self.fail(f"more than {COMPONENTS_MAX} components, or nested more than {NESTING_MAX} deep")
        at = self.at
        self._header()
        self.scope = Scope("component", self.scope, self.resources, stop)
        self.scope.component = Component(self.name, stop - at)

    def _leave(self) -> None:
        inner = self.scope
        assert inner.component is not None and inner.parent is not None
        self._finish(inner.component)
        self.scope = inner.parent
        self._define(Subcomponent(inner.component), self.at, inner.component.type)

    def _finish(self, component: Component) -> None:
        scope = self.scope
        component.type = self.bounded(ComponentType(scope.imports, scope.exports, scope.start))

    def _define(self, made: Definition, at: int, entry: Any) -> None:
        """A definition is complete; ``entry`` enters the index space of its sort."""
        self.scope.push(made.sort, entry)
        self._note(made, at)

    def _note(self, made: Definition, at: int) -> None:
        """Likewise, when the entry is there already."""
        made.at = at
        assert self.scope.component is not None
        self.scope.component.definitions.append(made)

    def _instances(self) -> int:
        found = self.entries(least=2)
        self.instances += found
        if self.instances > INSTANCES_MAX:
            self.fail(f"more than {INSTANCES_MAX} instances")
        return found

    # --- sections ---

    def _custom(self) -> None:
        self.text()
        self.at = self.end

    def _values(self) -> None:
        self.fail("values and start functions: this feature of components is not offered")

    def _core_module(self) -> None:
        at, end = self.at, self.end
        if len(self.modules) >= MODULES_MAX:
            self.fail(f"more than {MODULES_MAX} core modules")
        module = CoreModule(self, at, end)
        self.modules.append(module)
        _ = module.imports  # one that comes twice is refused, used or not
        self._define(ModuleDefinition(module), at, module)

    def _core_instance(self) -> None:
        for _ in range(self._instances()):
            at, code = self.at, self.byte()
            if code == 0:
                self._core_instantiate(at)
            elif code == 1:
                bag: dict[str, tuple[int, Any]] = {}
                listed = []
                for _ in range(self.entries(100_000, 3)):
                    name, sort = self.text(), self.byte()
                    if sort >= len(KINDS):
                        self.back(f"the unknown sort 0x{sort:02x} of an export of a core instance")
                    index, kind = self.number(), f"core {KINDS[sort]}"
                    if name in bag:
                        self.fail(f"the export {name[:80]!r} comes twice")
                    bag[name] = (sort, self.item(kind, index))
                    listed.append((name, kind, index))
                self._define(CoreBag(tuple(listed)), at, bag)
            else:
                self.back(f"the unknown form 0x{code:02x} of a core instance")

    def _core_instantiate(self, at: int) -> None:
        index = self.number()
        module = self.item("core module", index)
        args: dict[str, int] = {}
        given: dict[str, Any] = {}
        for _ in range(self.entries(100_000, 3)):
            name = self.text()
            if self.byte() != 0x12:
                self.back("an argument of a core module that is no core instance")
            if name in args:
                self.fail(f"the argument {name[:80]!r} comes twice")
            args[name] = self.number()
            given[name] = self.item("core instance", args[name])
        self.spend(len(module.imports))
        for (name, field), (kind, type) in module.imports.items():
            if name not in given:
                self.fail(f"the core module {index} imports from {name[:80]!r}, which no argument gives")
            found = self.core_export(given[name], field)
            if found is None or found[0] != kind:
                self.fail(
                    f"the argument {name[:80]!r} has no {KINDS[kind]} {field[:80]!r}, which is imported"
                )
            if kind == 0:
                if signature(found[1]) != module.imported(type):
                    self.fail(f"the function {field[:80]!r} of the argument {name[:80]!r} is of another type")
            elif kind != 4:
                giver, at_giver = found[1]
                wrong = "" if giver is None else differ(kind, type, giver.extern(kind, at_giver))
                if wrong:
                    self.fail(f"the {KINDS[kind]} {field[:80]!r} of the argument {name[:80]!r}: {wrong}")
        self._define(CoreInstantiate(index, tuple(args.items())), at, module)

    def _core_type(self) -> None:
        for _ in range(self.entries()):
            at = self.at
            for entry in self.core_type():
                self._note(TypeDefinition("core type", entry), at)

    def _instance(self) -> None:
        for _ in range(self._instances()):
            at, code = self.at, self.byte()
            if code == 0:
                self._instantiate(at)
            elif code == 1:
                exports: dict[str, Extern] = {}
                taken: set[str] = set()
                listed = []
                for _ in range(self.entries(100_000, 4)):
                    name, attributes = self.extern_name()
                    sort = self.sort()
                    index = self.number()
                    extern = Extern(sort, self._exported(sort, index), attributes)
                    if sort == "type":
                        extern.type.alias = _BAG
                    if name.startswith("["):
                        self.fail(
                            f"{name[:80]!r}: no resource has a name among the exports of an instance made here"
                        )
                    self.check_name(name, extern, exports, taken)
                    exports[name] = extern
                    listed.append((name, sort, index))
                self._define(Bag(tuple(listed)), at, self.bounded(InstanceType(exports, self.resources)))
            else:
                self.back(f"the unknown form 0x{code:02x} of an instance")

    def _exported(self, sort: str, index: int) -> Any:
        """What an export of ``index`` gives: a type gets its own name by it."""
        found = self.item(sort, index)
        if sort == "type":
            return self.bounded(found.renamed())
        if sort.startswith("core ") and sort != "core module":
            self.fail(f"a {sort} cannot be exported")
        return found

    def _instantiate(self, at: int) -> None:
        index = self.number()
        component: ComponentType = self.item("component", index)
        args: dict[str, tuple[str, int]] = {}
        given: dict[str, Extern] = {}
        for _ in range(self.entries(100_000, 3)):
            name = self.text()
            sort = self.sort()
            number = self.number()
            if name in args:
                self.fail(f"the argument {name[:80]!r} comes twice")
            args[name] = (sort, number)
            given[name] = Extern(sort, self.item(sort, number))
        try:
            numbers = self.matcher.arguments(component, given, f"the component {index}")
        except Mismatch as error:
            self.fail(str(error))
        made = InstanceType(component.exports, self.resources)
        made.made, made.args = component, given
        own = owned(component)
        self.spend(len(own))
        made.numbers = self.fresh(own, numbers) if own or numbers.map else None
        listed = tuple([(name, sort, number) for name, (sort, number) in args.items()])
        self._define(Instantiate(index, listed), at, self.bounded(made))

    def _alias(self) -> None:
        for _ in range(self.entries(least=4)):
            at = self.at
            self._note(self.alias(), at)

    def _type(self) -> None:
        for _ in range(self.entries()):
            at = self.at
            made = self.any_type()
            if isinstance(made, ResourceType) and made.destructor is not None:
                found = signature(self.item("core func", made.destructor))
                if found != ("I" if made.wide else "i", ""):
                    self.fail("the destructor of a resource is no function (i32) -> ()")
            self._define(TypeDefinition("type", made), at, made)

    def _canon(self) -> None:
        for _ in range(self.entries()):
            at = self.at
            self._note(self.canon(), at)

    def _import(self) -> None:
        for _ in range(self.entries(least=4)):
            at = self.at
            name, attributes = self.extern_name()
            extern = self.extern(attributes)
            self.enter(name, extern, False)
            self._define(Import(name, extern), at, extern.type)

    def _export(self) -> None:
        for _ in range(self.entries(least=5)):
            at = self.at
            name, attributes = self.extern_name()
            sort = self.sort()
            index = self.number()
            extern = Extern(sort, self._exported(sort, index), attributes)
            if self.flag("the type of an export"):
                told = self.extern(attributes)
                if told.sort != sort:
                    self.fail(f"the export {name[:80]!r} is a {sort} and told to be a {told.sort}")
                try:
                    self.matcher.ascribed(told, extern, f"the export {name[:80]!r}:")
                except Mismatch as error:
                    self.fail(str(error))
                if sort != "type":
                    extern = told
                elif isinstance(told.type, ResourceType) and told.type.of is None:
                    number = told.type.number  # which resource it is, is hidden
                    extern.type.number = extern.type.least = number
            self.enter(name, extern, True)
            self._define(Export(name, extern, index), at, extern.type)

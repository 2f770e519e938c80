"""The decoder of component binaries: bytes to a :class:`~.model.Component`.

``decode(data)`` reads the sections in order, fills the index spaces and holds each reference against them, so
that who makes an instance later finds what it looks up. The input is hostile: whatever is wrong is one
:class:`~wasi_native.errors.ModuleError` that names the byte; sizes, counts, nesting and comparing are bounded;
components inside components are a list of scopes, not a recursion. Core modules are views of the file, not copies.

What is not decided here: whether the types of arguments are subtypes of what is imported in every detail, and which
resource is which. Sorts, names and core signatures are.
"""

from __future__ import annotations

from .canon_reader import CanonReader
from .core_module import KINDS, CoreModule, ModuleType
from .model import (
    Bag,
    Component,
    ComponentType,
    CoreBag,
    CoreInstantiate,
    Definition,
    Export,
    Extern,
    FuncType,
    Import,
    InstanceType,
    Instantiate,
    ModuleDefinition,
    ResourceType,
    Subcomponent,
    Type,
    TypeDefinition,
    ValueType,
)
from .scope import Scope, signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .types import Function

__all__ = ["HEADER", "decode"]

HEADER = b"\0asm\x0d\0\x01\0"
SIZE_MAX = 1 << 30
NESTING_MAX = 100  # of components in components
MODULES_MAX = 1000
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
            if kind == 0 and signature(found[1]) != module.imported(type):
                self.fail(f"the function {field[:80]!r} of the argument {name[:80]!r} is of another type")
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
        self._satisfy(component.imports, given, f"the component {index}")
        made = InstanceType(component.exports, self.resources)
        made.made, made.args = component, given
        listed = tuple([(name, sort, number) for name, (sort, number) in args.items()])
        self._define(Instantiate(index, listed), at, self.bounded(made))

    def _satisfy(self, wanted: dict[str, Extern], given: dict[str, Extern], what: str) -> None:
        """Every name is given, of the same sort; functions and instances of the same form."""
        self.spend(len(wanted) + 1)
        for name, extern in wanted.items():
            found = given.get(name)
            if found is None or found.sort != extern.sort:
                self.fail(f"{what} imports the {extern.sort} {name[:80]!r}, which no argument gives")
            self._match(extern, found, f"{what}, in {name[:80]!r},")

    def _match(self, wanted: Extern, found: Extern, what: str) -> None:
        """``found`` may stand where ``wanted`` is asked for, as far as names, sorts and the shapes of types go."""
        right = True
        if wanted.sort == "instance":
            self._satisfy(wanted.type.exports, found.type.exports, what)
        elif wanted.sort == "component":
            self._satisfy(found.type.imports, wanted.type.imports, what)
            self._satisfy(wanted.type.exports, found.type.exports, what)
        elif wanted.sort == "core module":
            right = self._modules_match(wanted.type, found.type)
        elif wanted.sort == "func":
            right = _alike(wanted.type.function, found.type.function)
        else:
            right = _same(wanted.type, found.type)
        if not right:
            self.fail(f"{what} a type does not match")

    def _modules_match(self, wanted: CoreModule | ModuleType, found: CoreModule | ModuleType) -> bool:
        """Kinds, and the signatures of exported functions; limits are the engine's to check."""
        self.spend(len(wanted.exports) + len(found.imports) + 1)
        for name, (kind, index) in wanted.exports.items():
            other = found.exports.get(name)
            if other is None or other[0] != kind:
                return False
            if kind == 0 and wanted.signature(index) != found.signature(other[1]):
                return False
        for key, (kind, index) in found.imports.items():
            other = wanted.imports.get(key)
            if other is None or other[0] != kind:
                return False
            if kind == 0 and wanted.imported(other[1]) != found.imported(index):
                return False
        return True

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
                self._match(told, extern, f"the export {name[:80]!r}:")
                if sort != "type":
                    extern = told
            self.enter(name, extern, True)
            self._define(Export(name, extern, index), at, extern.type)


def _alike(one: Function, other: Function) -> bool:
    """Whether two types of functions differ in resources alone."""
    if one is other:
        return True
    if one.names != other.names or one.is_async != other.is_async:
        return False
    if [value.shape for value in one.params] != [value.shape for value in other.params]:
        return False
    return (one.result and one.result.shape) is (other.result and other.result.shape)


def _same(one: Type, other: Type) -> bool:
    """Likewise of any two types."""
    if isinstance(one, ValueType) and isinstance(other, ValueType):
        return one.value.shape is other.value.shape
    if isinstance(one, FuncType) and isinstance(other, FuncType):
        return _alike(one.function, other.function)
    return one.kind == other.kind

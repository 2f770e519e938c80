"""What a component says, decoded: its definitions in order, and the types that they speak of.

A definition names others by index, as the file does, for whoever makes an instance fills the same index spaces.
A type names others as objects: each definition of the file, and each import or export that gives a type
a new name, is one :class:`Type`, so that two records of the same fields keep their own names. What they share is the
layout (``value``, see :mod:`.types`).
"""

from __future__ import annotations

from .types import FREE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .core_module import CoreModule, ModuleType
    from .identity import Numbers
    from .types import Function, Value

__all__ = [
    "FREE",
    "SORTS",
    "Alias",
    "Bag",
    "Canon",
    "Component",
    "ComponentType",
    "CoreBag",
    "CoreInstantiate",
    "Definition",
    "Export",
    "Extern",
    "FuncType",
    "Import",
    "InstanceType",
    "Instantiate",
    "ModuleDefinition",
    "Options",
    "ResourceType",
    "Subcomponent",
    "Type",
    "TypeDefinition",
    "ValueType",
    "inside",
]

# The index spaces.
SORTS: tuple[str, ...] = (
    "core func",
    "core table",
    "core memory",
    "core global",
    "core tag",
    "core type",
    "core module",
)
SORTS += ("core instance", "func", "value", "type", "component", "instance")


class Type:
    """A type. ``kind``: that of a value (see ``Value``), or func, instance, component, resource.

    ``of``: the type that this one renames (an import or export by another name), else None; ``given``: what was given
    for it, where a component that was given arguments exports it. ``least``: the lowest number of a resource that
    it mentions and does not declare itself, FREE for none. ``nodes``, ``depth``: how many types it is when
    written out, and how deep, names counted. ``alias``: the instance out of which ``of`` was
    taken, and is this, without a name of its own.
    """

    __slots__ = ("alias", "depth", "given", "kind", "least", "nodes", "of")

    def __init__(self, kind: str, inside: Iterable[Type | None] = (), least: int = FREE) -> None:
        self.kind, self.least = kind, least
        self.nodes = self.depth = 1
        self.alias: InstanceType | None = None
        self.of: Type | None = None
        self.given: Type | None = None
        for part in inside:
            if part is not None:
                self.nodes += part.nodes
                self.depth = max(self.depth, part.depth + 1)
                self.least = min(self.least, part.least)

    def renamed(self) -> Type:
        """The same type, as an object of its own."""
        made = type(self).__new__(type(self))
        for owner in type(self).__mro__[:-1]:
            for name in owner.__slots__:  # type: ignore[attr-defined]
                setattr(made, name, getattr(self, name))
        made.of, made.given, made.alias, made.depth = self, None, None, self.depth + 1
        return made


class ValueType(Type):
    """A type of values. ``parts`` by kind: record (label, type)...; variant (label, type or None)...; list
    (element, length or None); map (key, value); tuple types; option (type,); result (ok or None, error or None);
    flags, enum labels; own, borrow (resource,); stream, future (type or None,); primitives ()."""

    __slots__ = ("parts", "value")

    def __init__(
        self, kind: str, parts: tuple[Any, ...], value: Value, inside: Iterable[Type | None] = ()
    ) -> None:
        super().__init__(kind, inside)
        self.parts, self.value = parts, value


class FuncType(Type):
    """A type of functions; ``function`` is its layout."""

    __slots__ = ("function", "is_async", "params", "result")

    def __init__(
        self,
        params: tuple[tuple[str, ValueType], ...],
        result: ValueType | None,
        is_async: bool,
        function: Function,
    ) -> None:
        super().__init__("func", [result, *(type for _label, type in params)])
        self.params, self.result, self.is_async, self.function = params, result, is_async, function


class ResourceType(Type):
    """A resource. ``number``: its abstract index, one for each place of the file that defines or declares one.
    ``defined``: here, not imported; then ``destructor`` is the core func that ends one, or None, and ``wide``
    says whether its representation is an i64."""

    __slots__ = ("defined", "destructor", "number", "wide")

    def __init__(self, number: int, defined: bool, destructor: int | None = None, wide: bool = False) -> None:
        super().__init__("resource", (), number)
        self.number, self.defined, self.destructor, self.wide = number, defined, destructor, wide


class Extern:
    """What stands behind a name. ``sort``: func, type, instance, component, "core module"; ``type`` describes it
    (the type itself for the sort type). ``attributes``: "implements" and "external-id", where given."""

    __slots__ = ("attributes", "sort", "type")

    def __init__(self, sort: str, type: Any, attributes: dict[str, str] | None = None) -> None:
        self.sort, self.type, self.attributes = sort, type, attributes


def inside(externs: dict[str, Extern]) -> list[Type]:
    """The types of what stands behind names; core modules have none."""
    return [extern.type for extern in externs.values() if extern.sort != "core module"]


class InstanceType(Type):
    """A type of instances; resources from the number ``start`` on are its own. ``numbers``: what stands for the
    numbers in it, None for themselves; ``resources``: those that it exports, once known (see :mod:`.identity`).

    Of an instance that a component makes, ``made`` is that component's type and ``args`` its arguments: the
    types of ``exports`` are told in the terms of the component, not of who gives the arguments. ``within``: the
    instances that it was taken out of, from the inside, when their components are told of in other terms again.
    """

    __slots__ = ("_arguments", "args", "exports", "made", "numbers", "resources", "start", "within")

    def __init__(self, exports: dict[str, Extern], start: int) -> None:
        super().__init__("instance", inside(exports))
        self.least = self.least if self.least < start else FREE
        self.exports, self.start = exports, start
        self.numbers: Numbers | None = None
        self.resources: tuple[int, ...] | None = None
        self.made: ComponentType | None = None
        self.args: dict[str, Extern] = {}
        self.within: tuple[InstanceType, ...] = ()
        self._arguments: dict[Type, Type] | None = None

    def renamed(self) -> Type:
        self._paired()  # once for all that it is renamed to
        return super().renamed()

    def _paired(self) -> dict[Type, Type]:
        """What was given, by what is imported."""
        if self._arguments is None:
            self._arguments = {}
            if self.made is not None:
                _pair(self.made.imports, self.args, self._arguments)
        return self._arguments

    def argument(self, type: Type) -> Type | None:
        """What was given for ``type``, exactly, where the component imports it."""
        found: Type | None = None
        if self.made is not None:
            found = self._paired().get(type)
        for outer in self.within:
            step: Type | None = found or type
            while step is not None and (given := outer.argument(step)) is None:
                step = step.of if step is not type else None
            found = given if step is not None else found
        return found

    def seen(self, type: Type) -> Type:
        """An export's ``type`` as whoever made the instance sees it: ``given`` tells what was given for it."""
        step: Type | None = type
        while step is not None:
            given = self.argument(step)
            if given is not None:
                made = type.renamed()
                made.given = given
                return made
            step = step.of
        return type

    def taken_from(self, outer: InstanceType) -> InstanceType:
        """This one, as an export of ``outer``."""
        if outer.made is None and not outer.within:
            return self
        made = self.renamed()
        assert isinstance(made, InstanceType)
        made.of, made.depth, made.within = None, self.depth, (*self.within, outer)
        return made


def _pair(wanted: dict[str, Extern], given: dict[str, Extern], found: dict[Type, Type]) -> None:
    """The types behind the names of ``wanted``, each with that behind the same name of ``given``."""
    for name, extern in wanted.items():
        other = given.get(name)
        if other is None:
            continue
        if extern.sort == "type":
            found[extern.type] = other.type
        elif extern.sort == "instance":
            _pair(extern.type.exports, other.type.exports, found)


class ComponentType(Type):
    """A type of components; resources from the number ``start`` on are its own; ``numbers`` as of instances."""

    __slots__ = ("exports", "imports", "numbers", "start")

    def __init__(self, imports: dict[str, Extern], exports: dict[str, Extern], start: int) -> None:
        super().__init__("component", [*inside(imports), *inside(exports)])
        self.least = self.least if self.least < start else FREE
        self.imports, self.exports, self.start = imports, exports, start
        self.numbers: Numbers | None = None


# ---- definitions ------------------------------------------------------------------------------------------


class Definition:
    """One step of making an instance. ``sort`` is the index space to which it adds an entry, "" for none; ``at``
    its place in the file."""

    __slots__ = ("at", "sort")
    at: int
    sort: str


class ModuleDefinition(Definition):
    """A core module of the file."""

    __slots__ = ("module",)

    def __init__(self, module: CoreModule) -> None:
        self.sort, self.module = "core module", module


class CoreInstantiate(Definition):
    """An instance of a core module; ``args``: (name, core instance)."""

    __slots__ = ("args", "module")

    def __init__(self, module: int, args: tuple[tuple[str, int], ...]) -> None:
        self.sort, self.module, self.args = "core instance", module, args


class CoreBag(Definition):
    """A core instance made of what is there; ``exports``: (name, sort, index)."""

    __slots__ = ("exports",)

    def __init__(self, exports: tuple[tuple[str, str, int], ...]) -> None:
        self.sort, self.exports = "core instance", exports


class Subcomponent(Definition):
    """A component inside of this one."""

    __slots__ = ("component",)

    def __init__(self, component: Component) -> None:
        self.sort, self.component = "component", component


class Instantiate(Definition):
    """An instance of a component; ``args``: (name, sort, index)."""

    __slots__ = ("args", "component")

    def __init__(self, component: int, args: tuple[tuple[str, str, int], ...]) -> None:
        self.sort, self.component, self.args = "instance", component, args


class Bag(Definition):
    """An instance made of what is there; ``exports``: (name, sort, index)."""

    __slots__ = ("exports",)

    def __init__(self, exports: tuple[tuple[str, str, int], ...]) -> None:
        self.sort, self.exports = "instance", exports


class Alias(Definition):
    """``how``: "export" (``name`` of the instance ``index``), "core export" (of a core instance), or "outer"
    (``index`` of the scope that is ``count`` outwards). ``type``: of an exported type, what enters the index
    space."""

    __slots__ = ("count", "how", "index", "name", "type")

    def __init__(
        self, sort: str, how: str, index: int, name: str, count: int, type: Type | None = None
    ) -> None:
        self.sort, self.how, self.index, self.name, self.count = sort, how, index, name, count
        self.type = type


class TypeDefinition(Definition):
    """A type; of the sort "core type" a signature, None where it is of another kind, or a ModuleType."""

    __slots__ = ("type",)

    def __init__(self, sort: str, type: Type | ModuleType | tuple[str, str] | None) -> None:
        self.sort, self.type = sort, type


class Options:
    """Canonical options. ``encoding``: utf8, utf16, latin1+utf16. ``memory``, ``realloc``, ``post_return`` and
    ``callback`` are indices or None."""

    __slots__ = ("callback", "encoding", "is_async", "memory", "post_return", "realloc")

    def __init__(self) -> None:
        self.encoding, self.is_async = "utf8", False
        self.memory: int | None = None
        self.realloc: int | None = None
        self.post_return: int | None = None
        self.callback: int | None = None


class Canon(Definition):
    """A canonical definition. ``name``: lift, lower, resource.new, stream.read ... ``index``: the function that is
    lifted or lowered, or the number among the immediates of a built-in. ``type``: of the function that is lifted or
    lowered, or that which a built-in is about. ``core``: the signature of the core function that it makes."""

    __slots__ = ("core", "index", "name", "options", "type")

    def __init__(
        self,
        sort: str,
        name: str,
        index: int,
        type: Type | None,
        options: Options | None,
        core: tuple[str, str] = ("", ""),
    ) -> None:
        self.sort, self.name, self.index, self.type, self.options = sort, name, index, type, options
        self.core = core


class Import(Definition):
    """An import."""

    __slots__ = ("extern", "name")

    def __init__(self, name: str, extern: Extern) -> None:
        self.sort, self.name, self.extern = extern.sort, name, extern


class Export(Definition):
    """An export: ``index`` of ``sort``, which becomes one more entry of that index space."""

    __slots__ = ("extern", "index", "name")

    def __init__(self, name: str, extern: Extern, index: int) -> None:
        self.sort, self.name, self.extern, self.index = extern.sort, name, extern, index


class Component:
    """A component: its definitions in order, and what it imports and exports.

    ``modules``: the core modules in it and in the components inside, in the order of the file; ``features``: the
    gated features that were met; both of the outermost component alone. ``resources``: how many abstract indices
    the whole file has.
    """

    __slots__ = ("components", "definitions", "features", "modules", "name", "resources", "size", "type")

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size
        self.definitions: list[Definition] = []
        self.type = ComponentType({}, {}, 0)
        self.modules: list[CoreModule] = []
        self.components = 0  # inside of it, at any depth
        self.features: frozenset[str] = frozenset()
        self.resources = 0

    @property
    def imports(self) -> dict[str, Extern]:
        """In order."""
        return self.type.imports

    @property
    def exports(self) -> dict[str, Extern]:
        """In order."""
        return self.type.exports

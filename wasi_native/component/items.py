"""What the index spaces of a component hold while an instance of it is made: items, and types with their resources.

A type of the file says which resource a handle is of by naming an object of the file. Which resource that is differs
from instance to instance, so each instance has an :class:`Env` that says it, and a type at run time is the two
together (:class:`Typed`). A function's :class:`Signature` is its layout, with the handles numbered by what they are
of in the order in which they come, and the list of those resources: layouts that differ in identity alone are one
object, and so is the plan made of them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .core_module import CoreModule, ModuleType
    from .model import Component, Extern, FuncType, Type, ValueType
    from .types import Function, Table, Value

__all__ = [
    "Closure",
    "CoreExport",
    "Env",
    "Func",
    "InstanceItem",
    "ModuleItem",
    "Resource",
    "ShimTable",
    "Signature",
    "Typed",
    "bind_types",
    "signature",
]


class Resource:
    """A resource type: its identity is this object. ``core`` is that of the core, or None for one that stands for
    WASI's own until it is needed; ``interface`` names the host interface that it is of, "" for a guest's."""

    __slots__ = ("core", "interface", "name")

    def __init__(self, name: str, core: Any = None, interface: str = "") -> None:
        self.name, self.core, self.interface = name, core, interface


class Typed:
    """A type that is no resource, and where the resources in it are looked up."""

    __slots__ = ("env", "type")

    def __init__(self, type: Type, env: Env) -> None:
        self.type, self.env = type, env


class Env:
    """What types of the file are, as one instance sees them; ``parent`` is that of what is around it."""

    __slots__ = ("bound", "parent")

    def __init__(self, parent: Env | None = None) -> None:
        self.bound: dict[Type, Resource | Typed] = {}
        self.parent = parent

    def find(self, type: Type) -> Resource | Typed | None:
        """What ``type`` is, or what it renames; None when nothing was bound to it."""
        step: Type | None = type
        while step is not None:
            env: Env | None = self
            while env is not None:
                found = env.bound.get(step)
                if found is not None:
                    return found
                env = env.parent
            step = step.of
        return None

    def typed(self, type: Type) -> Resource | Typed:
        """The same; a type that nothing was bound to is itself, seen from here."""
        return self.find(type) or Typed(type, self)


class Signature:
    """A function's type at run time. ``type``: of the file, with the names; ``env``: where its resources are looked
    up; ``function``: the layout, ``resources`` numbered in it."""

    __slots__ = ("env", "function", "resources", "type")

    def __init__(self, type: FuncType, env: Env, function: Function, resources: tuple[Resource, ...]) -> None:
        self.type, self.env, self.function, self.resources = type, env, function, resources

    def same(self, other: Signature) -> bool:
        """Whether both have the same layout and speak of the same resources."""
        return self.function is other.function and self.resources == other.resources


class Func:
    """A function. ``how``: "lift" (``made`` is the core's Lifted), "row" (a function of WASI, ``interface`` and
    ``name``), "host" (``made`` is what the embedder gave), or "absent" (it cannot be called; ``made`` says why)."""

    __slots__ = ("how", "interface", "made", "name", "signature")

    def __init__(
        self, how: str, signature: Signature, made: Any, interface: str = "", name: str = ""
    ) -> None:
        self.how, self.signature, self.made, self.interface, self.name = how, signature, made, interface, name


class InstanceItem:
    """An instance: ``exports`` maps a name to (sort, item)."""

    __slots__ = ("exports",)

    def __init__(self, exports: dict[str, tuple[str, Any]]) -> None:
        self.exports = exports


class Closure:
    """A component with the scope around it."""

    __slots__ = ("component", "outer")

    def __init__(self, component: Component, outer: Any) -> None:
        self.component, self.outer = component, outer


class ModuleItem:
    """A core module of the file, or what was declared of one that is imported."""

    __slots__ = ("module",)

    def __init__(self, module: CoreModule | ModuleType) -> None:
        self.module = module


class CoreExport:
    """An export of a core instance; ``kind`` is func, table, memory, global or tag."""

    __slots__ = ("instance", "kind", "name")

    def __init__(self, instance: Any, name: str, kind: str) -> None:
        self.instance, self.name, self.kind = instance, name, kind


class ShimTable:
    """The table of a shim that was not made; ``slots`` holds the functions that stand for its elements."""

    __slots__ = ("slots",)

    def __init__(self, slots: dict[int, list[Any]]) -> None:
        self.slots = slots


# ---- signatures ------------------------------------------------------------------------------------------


def signature(type: FuncType, env: Env, table: Table) -> Signature:
    """The type of a function as ``env`` sees it; ``table`` is the one of the whole tree."""
    resources: list[Resource] = []
    known: dict[tuple[Type, int], Value] = {}

    def seen(value: ValueType | None) -> Value | None:
        return None if value is None else _layout(value, env, table, resources, known)

    params = [(name, seen(value)) for name, value in type.params]
    function = table.function(params, seen(type.result), type.is_async)  # type: ignore[arg-type]
    return Signature(type, env, function, tuple(resources))


def _layout(
    type: ValueType, env: Env, table: Table, resources: list[Resource], known: dict[tuple[Type, int], Value]
) -> Value:
    """The layout of a type, its resources numbered by their places in ``resources``, which grows."""
    plain = type.value
    if plain.shape is plain:
        return plain
    found = known.get((type, id(env)))
    if found is None:
        other = env.find(type)
        if isinstance(other, Typed) and (other.type is not type or other.env is not env):
            found = _layout(other.type, other.env, table, resources, known)  # type: ignore[arg-type]
        else:
            found = _made(type, env, table, resources, known)
        known[type, id(env)] = found
    return found


def _made(
    type: ValueType, env: Env, table: Table, resources: list[Resource], known: dict[tuple[Type, int], Value]
) -> Value:
    def seen(part: ValueType | None) -> Value:
        return None if part is None else _layout(part, env, table, resources, known)  # type: ignore[return-value]

    kind, parts = type.kind, type.parts
    if kind in ("own", "borrow"):
        resource = env.find(parts[0])
        if not isinstance(resource, Resource):
            resource = Resource("?")  # of a type that nobody gave: no handle is of it
            env.bound[parts[0]] = resource
        if resource not in resources:
            resources.append(resource)
        number = resources.index(resource)
        return table.own(number) if kind == "own" else table.borrow(number)
    if kind == "record":
        return table.record([(label, seen(part)) for label, part in parts])
    if kind == "variant":
        return table.variant([(label, seen(part)) for label, part in parts])
    if kind == "list":
        return table.list_of(seen(parts[0]), parts[1])
    if kind == "tuple":
        return table.tuple_of([seen(part) for part in parts])
    if kind == "option":
        return table.option(seen(parts[0]))
    if kind == "result":
        return table.result(seen(parts[0]), seen(parts[1]))
    if kind == "map":
        return table.map_of(seen(parts[0]), seen(parts[1]))
    return table.stream(seen(parts[0])) if kind == "stream" else table.future(seen(parts[0]))


def bind_types(env: Env, wanted: dict[str, Extern], given: dict[str, tuple[str, Any]]) -> None:
    """In ``env``, the types behind the names of ``wanted`` are those behind the same names of ``given``."""
    for name, extern in wanted.items():
        sort, item = given.get(name, ("", None))
        if sort != extern.sort:
            continue
        if sort == "type":
            env.bound[extern.type] = item
        elif sort == "instance":
            bind_types(env, extern.type.exports, item.exports)

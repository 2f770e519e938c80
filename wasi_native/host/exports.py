"""What a component instance exports, as Python: mappings, interfaces, functions with signatures, classes."""

from __future__ import annotations

from ..component import names
from ..component.items import Resource, Typed
from ..component.reflect import attribute, class_name
from ..component.values import Err, Ok
from ..errors import InstanceDead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..component.items import Func, InstanceItem
    from ..component.reflect import Types
    from .resources import Handle, Resources

    Make = Callable[[Func, str], Callable[..., Any]]

__all__ = ["Exports", "Interface"]


class Interface:
    """An interface: its functions and types are attributes, by Python names; ``interface["kebab-case"]`` too."""

    def __getitem__(self, label: str) -> Any:
        for name in (attribute(label), class_name(label)):
            if name in vars(type(self)):
                return getattr(self, name)
        raise KeyError(label)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in vars(type(self)) if not name.startswith("__")])

    def __repr__(self) -> str:
        return f"<interface {type(self).__module__}: {', '.join(self)}>"


class Exports:
    """Exports by name: an interface by its whole name, its track (``@0.2``), or without a version; a function."""

    def __init__(
        self, items: dict[str, tuple[str, Any]], types: Types, resources: Resources, make: Make
    ) -> None:
        self._items, self._types, self._resources, self._make = items, types, resources, make
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        found = self.whole(name)
        if found is None:
            listed = ", ".join(self._items) or "none"
            raise KeyError(f"no export {name!r}; there are: {listed}")
        if found not in self._made:
            self._made[found] = self._one(found)
        return self._made[found]

    def interfaces(self) -> None:
        """Make all interfaces, and with them the methods of their classes."""
        for name, (sort, _item) in self._items.items():
            if sort == "instance":
                self[name]

    def close(self) -> None:
        """Let go of what was made."""
        self._made, self._make = {}, _closed

    def whole(self, name: str) -> str | None:
        """The whole name of an export."""
        if name in self._items:
            return name
        front, at, version = name.partition("@")
        found = []
        for item in self._items:
            other, _at, theirs = item.partition("@")
            if (
                other == front
                and theirs
                and (not at or names.canonical(theirs) == version or names.serves(item, name))
            ):
                found.append((names.version(theirs)[:3], item))
        return max(found)[1] if found else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.whole(name) is not None

    def keys(self) -> list[str]:
        return list(self._items)

    def __repr__(self) -> str:
        return f"<exports: {', '.join(self._items)}>"

    # ---- making ----

    def _one(self, name: str) -> Any:
        sort, item = self._items[name]
        if sort == "func":
            return self._function(name, "", item)
        if sort == "instance":
            return self._interface(name, item)
        if sort == "type":
            return self._type(name, item)
        raise TypeError(f"the export {name!r} is a {sort}, which cannot be used from Python")

    def _interface(self, name: str, item: InstanceItem) -> Interface:
        space: dict[str, Any] = {"__module__": name, "__slots__": ()}
        lines = []
        for label, (sort, inner) in item.exports.items():
            if sort == "type":
                made = self._type(label, inner)
                if made is not None:
                    space[class_name(label)] = made
        for label, (sort, inner) in item.exports.items():
            if sort != "func":
                continue
            function = self._function(name, label, inner)
            parsed = names.parse(label)
            lines.append(function.__doc__ or "")
            if not parsed.resource:
                space[attribute(label)] = staticmethod(function)
            elif class_name(parsed.resource) in space:
                _attach(space[class_name(parsed.resource)], parsed, function)
        space["__doc__"] = f"{name}\n\n" + "\n".join(lines)
        kind: Any = type
        made = kind(class_name(names.parse(name).label), (Interface,), space)()
        assert isinstance(made, Interface)
        return made

    def _type(self, label: str, item: Any) -> Any:
        if isinstance(item, Resource):
            if item in self._resources.given:
                return self._resources.given[item].find(item.name)
            return self._resources.class_of(item)
        if isinstance(item, Typed) and item.type.kind in ("record", "variant", "enum", "flags"):
            return self._types.class_of(item.type)  # type: ignore[arg-type]
        return None

    def _function(self, name: str, label: str, item: Func) -> Callable[..., Any]:
        line = self._types.names.line(name, label)
        own = label or name
        parsed = names.parse(own)
        front = class_name(parsed.resource) if parsed.resource else ""
        whole = front if parsed.kind == "constructor" else f"{front}.{attribute(parsed.label)}".lstrip(".")
        made = self._make(item, whole)
        function: Any = made
        function.__name__ = attribute(parsed.label)
        function.__qualname__ = whole
        function.__module__ = name if label else self._types.component.name
        function.__doc__ = line
        signature = self._types.signature(item.signature.type, own)
        if parsed.kind == "method":
            from inspect import Parameter

            first = Parameter("self", Parameter.POSITIONAL_ONLY)
            signature = signature.replace(parameters=[first, *signature.parameters.values()])
        function.__signature__ = signature
        return made


def _attach(owner: type[Handle], parsed: names.Name, function: Callable[..., Any]) -> None:
    """A function of a resource becomes a member of its class."""
    owner.__module__ = function.__module__
    if parsed.kind == "method":
        setattr(owner, attribute(parsed.label), function)
    elif parsed.kind == "static":
        setattr(owner, attribute(parsed.label), staticmethod(function))
    else:

        def new(cls: type[Handle], *args: Any, **kwargs: Any) -> Any:
            made = function(*args, **kwargs)
            if isinstance(made, Err):
                raise ValueError(made.value)
            return made.value if isinstance(made, Ok) else made

        new.__doc__ = function.__doc__
        owner.__new__ = staticmethod(new)  # type: ignore[method-assign]
        owner.__doc__ = function.__doc__
        owner.__signature__ = function.__signature__  # type: ignore[attr-defined]


def _closed(_item: Func, _label: str) -> Callable[..., Any]:
    raise InstanceDead("the instance is closed")

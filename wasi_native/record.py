"""Frozen dataclasses without the price of ``dataclasses``.

Importing the standard module and letting it compile a dozen classes takes several times as long as starting
an instance does. This room gives the same classes (frozen, with slots; ``fields``, ``replace``, pickling,
``help``) from generic methods instead of generated ones. The standard functions work on them:
``dataclasses.fields``, ``replace``, ``asdict`` and ``is_dataclass``. Type checkers are shown the standard
module::

    if TYPE_CHECKING:
        from dataclasses import dataclass, field
    else:
        from .record import dataclass, field

Understood: ``@dataclass(frozen=True, slots=True, kw_only=...)``, ``field(default, default_factory, init,
repr, compare)``, ``_: KW_ONLY``, ``__post_init__`` and inheritance. The module needs ``from __future__
import annotations``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

__all__ = ["KW_ONLY", "Field", "dataclass", "field", "fields", "replace"]


class KW_ONLY:
    """Fields annotated after ``_: KW_ONLY`` are keywords only."""


class Field:
    """One field of a record: what ``field()`` was given, its name and annotation."""

    __slots__ = ("compare", "default", "default_factory", "init", "kw_only", "name", "repr", "type")

    def __init__(self, given: dict[str, Any]) -> None:
        self.name = self.type = ""
        self.kw_only = False
        self.default: Any = given.get("default", Field)  # Field itself stands for "none"
        self.default_factory: Any = given.get("default_factory", Field)
        self.init: bool = given.get("init", True)
        self.repr: bool = given.get("repr", True)
        self.compare: bool = given.get("compare", True)


def field(**given: Any) -> Any:
    """As ``dataclasses.field``: default, default_factory, init, repr, compare."""
    return Field(given)


def fields(owner: Any) -> tuple[Field, ...]:
    """The fields of a record or its class, in order."""
    return tuple(owner.__record_fields__.values())


def replace(record: Any, /, **changes: Any) -> Any:
    """A new record with some fields changed; everything is checked again."""
    return type(record)(**{**_state(record), **changes})


def _state(record: Any) -> dict[str, Any]:
    return {item.name: getattr(record, item.name) for item in fields(record) if item.init}


def _rebuild(cls: type, state: dict[str, Any]) -> Any:
    return cls(**state)


def _init(self: Any, /, *args: Any, **kwargs: Any) -> None:
    name = type(self).__name__
    items = [item for item in fields(self) if item.init]
    places = [item.name for item in items if not item.kw_only]
    if len(args) > len(places):
        raise TypeError(f"{name}() takes {len(places)} positional arguments but {len(args)} were given")
    for place, value in zip(places, args):  # noqa: B905 - fewer arguments than places are fine
        if place in kwargs:
            raise TypeError(f"{name}() got multiple values for argument {place!r}")
        kwargs[place] = value
    for item in items:
        if item.name in kwargs:
            value = kwargs.pop(item.name)
        elif item.default is not Field:
            value = item.default
        elif item.default_factory is not Field:
            value = item.default_factory()
        else:
            raise TypeError(f"{name}() missing 1 required argument: {item.name!r}")
        object.__setattr__(self, item.name, value)
    for key in kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument {key!r}")
    post_init = getattr(self, "__post_init__", None)
    if post_init is not None:
        post_init()


def _setattr(self: Any, name: str, value: object) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: Any, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _key(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, item.name) for item in fields(self) if item.compare)


def _eq(self: Any, other: object) -> bool:
    return _key(self) == _key(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_key(self))


def _repr(self: Any) -> str:
    shown = (f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _reduce(self: Any) -> tuple[Any, ...]:
    return _rebuild, (type(self), _state(self))


def _twin(owner: Any) -> Any:
    """The same class as the standard module makes it, without our methods."""
    import dataclasses

    made = []
    for item in fields(owner):
        given: dict[str, Any] = {"init": item.init, "repr": item.repr, "compare": item.compare}
        given["kw_only"] = item.kw_only
        if item.default is not Field:
            given["default"] = item.default
        if item.default_factory is not Field:
            given["default_factory"] = item.default_factory
        made.append((item.name, item.type, dataclasses.field(**given)))
    return dataclasses.make_dataclass(owner.__name__, made, frozen=True)


class _StandardFields:
    def __get__(self, _record: object, owner: type) -> Any:
        return _twin(owner).__dataclass_fields__


class _Signature:
    def __get__(self, _record: object, owner: type) -> Any:
        import inspect

        return inspect.signature(_twin(owner))


_METHODS = {
    "__init__": _init,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__reduce__": _reduce,
    "__replace__": replace,
    "__dataclass_fields__": _StandardFields(),
    "__signature__": _Signature(),
}


def dataclass(*, frozen: bool, slots: bool, kw_only: bool = False) -> Callable[[type], type]:
    """As ``dataclasses.dataclass``; ``frozen`` and ``slots`` must be True."""
    if not (frozen and slots):
        raise TypeError("a record is frozen and has slots; use the standard dataclasses for others")

    def make(cls: type) -> type:
        space = {key: value for key, value in vars(cls).items() if key not in ("__dict__", "__weakref__")}
        own: dict[str, Field] = {}
        keywords = kw_only
        for name, note in cls.__annotations__.items():
            if note == "KW_ONLY":
                keywords = True
                continue
            given = space.pop(name, Field)
            item = given if isinstance(given, Field) else Field({} if given is Field else {"default": given})
            item.name, item.type, item.kw_only = name, note, keywords
            own[name] = item
        inherited: dict[str, Field] = getattr(cls, "__record_fields__", {})
        methods = {key: value for key, value in _METHODS.items() if key not in space or key == "__hash__"}
        space.update(methods, __slots__=tuple(own), __record_fields__={**inherited, **own})
        space["__match_args__"] = tuple(item.name for item in own.values() if item.init and not item.kw_only)
        made = type(cls)(cls.__name__, cls.__bases__, space)
        made.__qualname__ = cls.__qualname__
        return made

    return make

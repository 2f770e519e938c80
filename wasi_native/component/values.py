"""Python values to value streams and back (``include/wasi_native/values.h``), by shapes made once per type.

======================  ==========================================================================================
bool, u8 ... s64         ``bool``, ``int``: out of range is an OverflowError
f32, f64, char, string   ``float``, ``str``
list<u8>, list, tuple    ``bytes`` (any buffer goes in), ``list`` (any iterable but a str), ``tuple``
option                   ``None`` or the value; an option in an option is ``None`` or ``Some(value)``
result                   ``Ok(value)`` or ``Err(value)``; a payload that there is none of is ``None``
record                   its class; anything with such attributes, or a dict with such keys, goes in
variant                  the class of its case; enum, flags: the class, or labels
own, borrow              objects of the resource's class
======================  ==========================================================================================

A wrong value is a TypeError, ValueError or OverflowError that says where in the argument it stands.
"""

from __future__ import annotations

from .._core import Lane, Shape
from .items import Env, Resource, Typed
from .reflect import attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Generic, TypeVar

    from .items import Signature
    from .model import ValueType
    from .reflect import Types

    Put = Callable[[Any, bytearray], None]
    Get = Callable[[bytes, int], tuple[Any, int]]
    T = TypeVar("T")
else:

    class Generic:
        """Type checkers know what is inside; ``Ok[int]`` is ``Ok``."""

        __slots__ = ()

        def __class_getitem__(cls, _item: object) -> type:
            return cls

    T = None

__all__ = ["Codec", "Err", "Ok", "Some"]


class _Box(Generic[T]):
    __slots__ = ("value",)
    __match_args__ = ("value",)
    value: T

    def __init__(self, value: T = None) -> None:  # type: ignore[assignment]
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self), self.value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class Some(_Box[T]):
    """An option that is there, where another option is inside of it."""


class Ok(_Box[T]):
    """A result that went well; ``value`` is what it carries, None where it carries nothing."""


class Err(_Box[T]):
    """A result that did not; ``value`` likewise."""


class Codec:
    """Makes the shapes of types, with which the core's seam converts. ``types`` gives the classes; ``give(resource,
    value, own)`` turns an object into a representation, ``take(resource, rep, own)`` does the reverse."""

    def __init__(
        self,
        types: Types,
        give: Callable[[Resource, Any, bool], int],
        take: Callable[[Resource, int, bool], Any],
    ) -> None:
        self.types, self.give, self.take = types, give, take
        self._made: dict[tuple[ValueType, int], Shape] = {}
        self._envs: list[Env] = []

    def lane(self, signature: Signature) -> Lane:
        """The shapes of a function."""
        type, env = signature.type, signature.env
        names = tuple([attribute(name) for name, _part in type.params])
        params = tuple([self.shape(part, env) for _name, part in type.params])
        return Lane(params, names, self.shape(type.result, env) if type.result is not None else None)

    def pair(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        """What writes a value behind a bytearray, and what reads one at a place of a stream: (value, its end)."""
        shape = self.shape(type, env)
        dump = shape.dump

        def put(value: Any, out: bytearray) -> None:
            out += dump(value)

        return put, shape.load

    def shape(self, type: ValueType, env: Env) -> Shape:
        """The shape of a type as ``env`` sees it."""
        if type.value.shape is not type.value:
            found = env.find(type)
            if isinstance(found, Typed) and (found.type is not type or found.env is not env):
                return self.shape(found.type, found.env)  # type: ignore[arg-type]
        key = (type, id(env))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(type, env)
            self._envs.append(env)
        return made

    def _make(self, type: ValueType, env: Env) -> Shape:
        kind, parts = type.kind, type.parts
        if kind in ("own", "borrow"):
            resource = env.find(parts[0])
            assert isinstance(resource, Resource)
            return self._handle(resource, kind)
        if kind == "list":
            return Shape(kind, (self.shape(parts[0], env),), parts[1])
        if kind == "option":
            return Shape(kind, (self.shape(parts[0], env),), (Some, parts[0].kind == "option"))
        if kind == "result":
            return Shape(kind, self._payloads(parts, env), (Ok, Err))
        if kind in ("tuple", "map"):
            return Shape(kind, self._payloads(parts, env))
        if kind not in ("record", "variant", "enum", "flags"):
            return Shape(kind)
        cls = self.types.class_of(type)
        if kind == "enum":
            return Shape(kind, (), (cls, tuple(cls), parts))
        if kind == "flags":
            return Shape(kind, (), (cls, parts))
        inside = self._payloads([part for _label, part in parts], env)
        if kind == "variant":
            return Shape(kind, inside, (cls, cls.__cases__))
        labels = tuple([label for label, _part in parts])
        return Shape(kind, inside, (cls, tuple([attribute(label) for label in labels]), labels))

    def _payloads(self, parts: Sequence[ValueType | None], env: Env) -> tuple[Shape | None, ...]:
        return tuple([None if part is None else self.shape(part, env) for part in parts])

    def _handle(self, resource: Resource, kind: str) -> Shape:
        give, take, own = self.give, self.take, kind == "own"
        return Shape(
            kind, (), (lambda value: give(resource, value, own), lambda rep: take(resource, rep, own))
        )

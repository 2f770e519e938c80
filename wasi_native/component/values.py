"""Python values to value streams and back (``include/wasi_native/values.h``), by functions made once per type.

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

import math
import struct

from .items import Env, Resource, Typed
from .reflect import Case, attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar

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

_INTS = {"u8": "B", "s8": "b", "u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q"}
_U32 = struct.Struct("<I")
_TEXT = struct.Struct("<BI")
_LIST_MAX = (1 << 28) - 1
_TEXTS = ("utf-8", "utf-16-le", "latin-1", "utf-16-le")  # WN_TEXT_*


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
    """Makes the functions for types. ``types`` gives the classes; ``give(resource, value, own)`` turns an object into
    a representation, ``take(resource, rep, own)`` does the reverse."""

    def __init__(
        self,
        types: Types,
        give: Callable[[Resource, Any, bool], int],
        take: Callable[[Resource, int, bool], Any],
    ) -> None:
        self.types, self.give, self.take = types, give, take
        self._made: dict[tuple[ValueType, int], tuple[Put, Get]] = {}
        self._envs: list[Env] = []

    def pair(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        """The functions that write and read a type as ``env`` sees it."""
        if type.value.shape is not type.value:
            found = env.find(type)
            if isinstance(found, Typed) and (found.type is not type or found.env is not env):
                return self.pair(found.type, found.env)  # type: ignore[arg-type]
        key = (type, id(env))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(type, env)
            self._envs.append(env)
        return made

    def _make(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        kind = type.kind
        if kind in _INTS:
            return _integer(kind)
        if kind in ("own", "borrow"):
            resource = env.find(type.parts[0])
            assert isinstance(resource, Resource)
            return self._handle(resource, kind == "own")
        simple = {"bool": _bool, "f32": _float, "f64": _float, "char": _char, "string": _string}.get(kind)
        if simple is not None:
            return simple(kind)
        made: tuple[Put, Get] = getattr(self, f"_{kind}")(type, env)
        return made

    def _handle(self, resource: Resource, own: bool) -> tuple[Put, Get]:
        give, take = self.give, self.take

        def put(value: Any, out: bytearray) -> None:
            out += _U32.pack(give(resource, value, own))

        def get(data: bytes, at: int) -> tuple[Any, int]:
            return take(resource, _U32.unpack_from(data, at)[0], own), at + 4

        return put, get

    def _list(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        element, length = type.parts
        if length is None and element.kind == "u8":
            return _put_bytes, _get_bytes
        one_put, one_get = self.pair(element, env)

        def put(value: Any, out: bytearray) -> None:
            items = _items(value, "a list")
            if length is None:
                if len(items) > _LIST_MAX:
                    raise OverflowError(f"a list of {len(items)} elements is too long")
                out += _U32.pack(len(items))
            elif len(items) != length:
                raise ValueError(f"a list of {length} elements is needed, not {len(items)}")
            for index, item in enumerate(items):
                _at(one_put, item, out, f"[{index}]")

        def get(data: bytes, at: int) -> tuple[Any, int]:
            found: list[Any] = []
            count = length
            if count is None:
                (count,) = _U32.unpack_from(data, at)
                at += 4
            for _ in range(count):
                item, at = one_get(data, at)
                found.append(item)
            return found, at

        return put, get

    def _map(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        pairs = [self.pair(part, env) for part in type.parts]
        (key_put, key_get), (value_put, value_get) = pairs

        def put(value: Any, out: bytearray) -> None:
            out += _U32.pack(len(value))
            for key, item in value.items():
                _at(key_put, key, out, "a key")
                _at(value_put, item, out, f"[{key!r}]")

        def get(data: bytes, at: int) -> tuple[Any, int]:
            (count,) = _U32.unpack_from(data, at)
            at, found = at + 4, {}
            for _ in range(count):
                key, at = key_get(data, at)
                found[key], at = value_get(data, at)
            return found, at

        return put, get

    def _tuple(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        pairs = [self.pair(part, env) for part in type.parts]

        def put(value: Any, out: bytearray) -> None:
            items = _items(value, "a tuple")
            if len(items) != len(pairs):
                raise ValueError(f"a tuple of {len(pairs)} is needed, not of {len(items)}")
            for index, item in enumerate(items):
                _at(pairs[index][0], item, out, f"[{index}]")

        def get(data: bytes, at: int) -> tuple[Any, int]:
            found = []
            for _put, one in pairs:
                item, at = one(data, at)
                found.append(item)
            return tuple(found), at

        return put, get

    def _record(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        cls = self.types.class_of(type)
        fields = [(label, attribute(label), *self.pair(part, env)) for label, part in type.parts]

        def put(value: Any, out: bytearray) -> None:
            named = isinstance(value, dict)
            for label, name, one, _get in fields:
                try:
                    item = (value[name] if name in value else value[label]) if named else getattr(value, name)
                except (AttributeError, KeyError):
                    raise TypeError(f"{cls.__name__} has {name}, {_kind(value)} has not") from None
                _at(one, item, out, f".{name}")

        def get(data: bytes, at: int) -> tuple[Any, int]:
            found = []
            for _label, _name, _put, one in fields:
                item, at = one(data, at)
                found.append(item)
            return cls(*found), at

        return put, get

    def _variant(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        cls = self.types.class_of(type)
        cases = [
            (case, self.pair(p, env) if p else None)
            for case, (_l, p) in zip(cls.__cases__, type.parts, strict=True)
        ]

        def put(value: Any, out: bytearray) -> None:
            if not isinstance(value, Case) or not cases[value.index : value.index + 1]:
                raise TypeError(f"a case of {cls.__name__} is needed, not {_kind(value)}")
            case, pair = cases[value.index]
            if value.label != case.label:
                raise TypeError(f"a case of {cls.__name__} is needed, not {_kind(value)}")
            out += _U32.pack(value.index)
            if pair is not None:
                _at(pair[0], value.value, out, f"({value.label})")

        def get(data: bytes, at: int) -> tuple[Any, int]:
            case, pair = cases[_U32.unpack_from(data, at)[0]]
            if pair is None:
                return case(), at + 4
            item, at = pair[1](data, at + 4)
            return case(item), at

        return put, get

    def _enum(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        cls = self.types.class_of(type)
        members = tuple(cls)
        numbers = {label: _U32.pack(index) for index, label in enumerate(type.parts)}

        def put(value: Any, out: bytearray) -> None:
            label = value if isinstance(value, str) else getattr(value, "value", None)
            if label not in numbers:
                raise ValueError(f"a value of {cls.__name__} is needed, not {value!r}")
            out += numbers[label]

        def get(data: bytes, at: int) -> tuple[Any, int]:
            return members[_U32.unpack_from(data, at)[0]], at + 4

        return put, get

    def _flags(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        cls = self.types.class_of(type)
        bits = {label: 1 << index for index, label in enumerate(type.parts)}
        most = (1 << len(type.parts)) - 1

        def put(value: Any, out: bytearray) -> None:
            number = value if type_of(value) is int else getattr(value, "value", None)
            if type_of(number) is not int:
                number = 0
                for label in _items(value, "flags"):
                    if label not in bits:
                        raise ValueError(f"{cls.__name__} has no flag {label!r}")
                    number |= bits[label]
            if not 0 <= number <= most:
                raise ValueError(f"{cls.__name__} has no flags {number:#x}")
            out += _U32.pack(number)

        def get(data: bytes, at: int) -> tuple[Any, int]:
            return cls(_U32.unpack_from(data, at)[0]), at + 4

        return put, get

    def _option(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        one_put, one_get = self.pair(type.parts[0], env)
        nested = type.parts[0].kind == "option"

        def put(value: Any, out: bytearray) -> None:
            if value is None:
                out += b"\0\0\0\0"
                return
            if isinstance(value, Some):
                value = value.value
            elif nested:
                raise TypeError(f"None or Some(value) is needed, not {_kind(value)}")
            out += b"\1\0\0\0"
            one_put(value, out)

        def get(data: bytes, at: int) -> tuple[Any, int]:
            if not _U32.unpack_from(data, at)[0]:
                return None, at + 4
            item, at = one_get(data, at + 4)
            return Some(item) if nested else item, at

        return put, get

    def _result(self, type: ValueType, env: Env) -> tuple[Put, Get]:
        both = [self.pair(part, env) if part is not None else None for part in type.parts]

        def put(value: Any, out: bytearray) -> None:
            if not isinstance(value, (Ok, Err)):
                raise TypeError(f"Ok(value) or Err(value) is needed, not {_kind(value)}")
            bad = isinstance(value, Err)
            out += _U32.pack(bad)
            pair = both[bad]
            if pair is not None:
                pair[0](value.value, out)
            elif value.value is not None:
                raise TypeError(f"{_kind(value)} carries nothing here, not {_kind(value.value)}")

        def get(data: bytes, at: int) -> tuple[Any, int]:
            case = _U32.unpack_from(data, at)[0]
            item, at = (None, at + 4) if both[case] is None else both[case][1](data, at + 4)
            return (Err if case else Ok)(item), at

        return put, get


type_of = type


def _kind(value: Any) -> str:
    return type(value).__name__


def _at(put: Put, value: Any, out: bytearray, place: str) -> None:
    """``put`` for a part; what is wrong says where."""
    try:
        put(value, out)
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)(f"{place}{'' if str(error).startswith(('[', '.', '(')) else ': '}{error}") from None


def _items(value: Any, what: str) -> Any:
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (str, dict)) or not hasattr(value, "__iter__"):
        raise TypeError(f"{what} is needed, not {_kind(value)}")
    return list(value)


def _integer(kind: str) -> tuple[Put, Get]:
    form = struct.Struct("<" + _INTS[kind])
    pack, unpack, size = form.pack, form.unpack_from, form.size

    def put(value: Any, out: bytearray) -> None:
        try:
            out += pack(value)
        except struct.error:
            if not hasattr(value, "__index__"):
                raise TypeError(f"an integer is needed, not {_kind(value)}") from None
            raise OverflowError(f"{value} is out of range of {kind}") from None

    def get(data: bytes, at: int) -> tuple[Any, int]:
        return unpack(data, at)[0], at + size

    return put, get


def _bool(_kind_: str) -> tuple[Put, Get]:
    def put(value: Any, out: bytearray) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"True or False is needed, not {_kind(value)}")
        out.append(value)

    def get(data: bytes, at: int) -> tuple[Any, int]:
        return data[at] != 0, at + 1

    return put, get


def _float(kind: str) -> tuple[Put, Get]:
    form = struct.Struct("<f" if kind == "f32" else "<d")
    canonical = b"\0\0\xc0\x7f" if kind == "f32" else b"\0\0\0\0\0\0\xf8\x7f"

    def put(value: Any, out: bytearray) -> None:
        if not hasattr(value, "__float__"):
            raise TypeError(f"a number is needed, not {_kind(value)}")
        value = float(value)
        try:
            out += canonical if math.isnan(value) else form.pack(value)
        except OverflowError:
            out += form.pack(math.copysign(math.inf, value))

    def get(data: bytes, at: int) -> tuple[Any, int]:
        return form.unpack_from(data, at)[0], at + form.size

    return put, get


def _char(_kind_: str) -> tuple[Put, Get]:
    def put(value: Any, out: bytearray) -> None:
        if not isinstance(value, str) or len(value) != 1:
            raise TypeError(f"a str of one character is needed, not {value!r}")
        if "\ud800" <= value <= "\udfff":
            raise ValueError("a surrogate is no character")
        out += _U32.pack(ord(value))

    def get(data: bytes, at: int) -> tuple[Any, int]:
        return chr(_U32.unpack_from(data, at)[0]), at + 4

    return put, get


def _string(_kind_: str) -> tuple[Put, Get]:
    def put(value: Any, out: bytearray) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a str is needed, not {_kind(value)}")
        raw = value.encode()
        out += _TEXT.pack(0, len(raw))
        out += raw

    def get(data: bytes, at: int) -> tuple[Any, int]:
        form, units = _TEXT.unpack_from(data, at)
        at += 5
        stop = at + units * (2 if form & 1 else 1)
        return bytes(data[at:stop]).decode(_TEXTS[form]), stop

    return put, get


def _put_bytes(value: Any, out: bytearray) -> None:
    if isinstance(value, (list, tuple)):
        value = bytes(value)
    try:
        view = memoryview(value)
    except TypeError:
        raise TypeError(f"bytes are needed, not {_kind(value)}") from None
    out += _U32.pack(view.nbytes)
    out += view


def _get_bytes(data: bytes, at: int) -> tuple[Any, int]:
    stop = at + 4 + _U32.unpack_from(data, at)[0]
    return bytes(data[at + 4 : stop]), stop

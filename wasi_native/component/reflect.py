"""A component's types as Python: the class of each named type, annotations, signatures, the WIT of a function.

A record is a frozen record (:mod:`wasi_native.record`), an enum an ``enum.Enum`` whose values are the labels, flags
an ``enum.Flag``, a variant a class with a class for each case. A type that an interface names is one class however
often it is used; one that nobody named is called ``unnamed-record`` and so on, as in the WIT text. Resources are
classes of an instance, so they are made elsewhere; here they have a name alone.
"""

from __future__ import annotations

from ..record import dataclass
from .model import ValueType
from .wit import Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .model import Component, Extern, FuncType, Type

__all__ = ["Case", "Types", "attribute", "class_name", "constant"]

_WORDS = {"bool": "bool", "f32": "float", "f64": "float", "char": "str", "string": "str"}
_WORDS_OF_PYTHON = (
    "False None True and as assert async await break class continue def del elif else except finally"
)
_WORDS_OF_PYTHON += " for from global"
_WORDS_OF_PYTHON += " if import in is lambda nonlocal not or pass raise return try while with yield"
_KEYWORDS = frozenset(_WORDS_OF_PYTHON.split())


def attribute(label: str) -> str:
    """A label as Python writes names: ``read-all`` is ``read_all``; a keyword gets an underscore."""
    made = label.replace("-", "_").lower()
    return made + "_" if made in _KEYWORDS else made


def class_name(label: str) -> str:
    """A label as Python writes classes: ``tcp-socket`` is ``TcpSocket``."""
    made = "".join([word[:1].upper() + word[1:] for word in label.split("-")])
    return made + "_" if made in _KEYWORDS else made


def constant(label: str) -> str:
    """A label as Python writes constants: ``read-only`` is ``READ_ONLY``."""
    return label.replace("-", "_").upper()


class Case:
    """A value of a variant: an object of its case's class. ``value`` is the payload, None where there is none."""

    __slots__ = ("value",)
    value: Any
    __match_args__ = ("value",)
    label = ""
    index = 0
    carries = False

    def __init__(self, *value: Any) -> None:
        cls = type(self)
        if not cls.label:
            raise TypeError(f"{cls.__name__} is made by its cases")
        if len(value) != cls.carries:
            raise TypeError(
                f"{cls.__qualname__}() takes {int(cls.carries)} arguments, {len(value)} were given"
            )
        object.__setattr__(self, "value", value[0] if value else None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__qualname__} cannot be changed")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self), self.value))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({repr(self.value) if self.carries else ''})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.value,) if self.carries else ()


class Types:
    """The types of one component. ``names`` knows what is called what, and the lines of WIT."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self.names = Names(component)
        self._classes: dict[Any, type] = {}

    # ---- classes ----

    def class_of(self, type: ValueType) -> Any:
        """The class of a record, variant, enum or flags."""
        place, label, named = self.names.owner(type)
        key = (place, label) if label else type
        found = self._classes.get(key)
        if found is None:
            label = label or f"unnamed-{type.kind}"
            found = self._classes[key] = self._make(named, place, label)
        return found

    def _make(self, type: ValueType, place: str, label: str) -> Any:
        name = class_name(label)
        doc = f"The {type.kind} {label}" + (f" of {place}." if place else ".")
        space: dict[str, Any] = {"__doc__": doc, "__module__": place or self.component.name}
        if type.kind == "record":
            space["__annotations__"] = {attribute(field): self.text(part) for field, part in type.parts}
            space["__wit_labels__"] = tuple([field for field, _part in type.parts])
            return dataclass(frozen=True, slots=True)(_type(name, (), space))
        if type.kind == "variant":
            return self._variant(type, name, space)
        import enum

        kind: Any = enum.Flag if type.kind == "flags" else enum.Enum
        values = [1 << i for i in range(len(type.parts))] if type.kind == "flags" else type.parts
        pairs = [(constant(part), value) for part, value in zip(type.parts, values, strict=True)]
        made = kind(name, pairs, module=space["__module__"])
        made.__doc__ = doc
        return made

    def _variant(self, type: ValueType, name: str, space: dict[str, Any]) -> Any:
        base = _type(name, (Case,), {**space, "__slots__": ()})
        cases = []
        for index, (label, part) in enumerate(type.parts):
            inner = class_name(label)
            made = _type(
                inner,
                (base,),
                {
                    "__slots__": (),
                    "__module__": space["__module__"],
                    "__qualname__": f"{name}.{inner}",
                    "__doc__": f"The case {label} of {name}" + (f": {self.text(part)}." if part else "."),
                    "label": label,
                    "index": index,
                    "carries": part is not None,
                },
            )
            setattr(base, inner, made)
            cases.append(made)
        base.__cases__ = tuple(cases)
        return base

    # ---- texts ----

    def text(self, type: ValueType | None, named: Callable[[str, str], str] | None = None) -> str:
        """A type as an annotation; ``named(interface, label)`` tells how one with a name is written."""

        def call(owned: Type, other: str) -> str:
            place, label, _type = self.names.owner(owned)
            return named(place, label or other) if named else class_name(label or other)

        if type is None:
            return "None"
        kind, parts = type.kind, type.parts
        if kind in _WORDS:
            return _WORDS[kind]
        if kind in ("own", "borrow"):
            return call(parts[0], "resource")
        if kind in ("record", "variant", "enum", "flags"):
            return call(type, f"unnamed-{kind}")
        inner = [self.text(part, named) for part in parts if not isinstance(part, int)] if parts else []
        if kind == "list":
            return "bytes" if parts[0].kind == "u8" and parts[1] is None else f"list[{inner[0]}]"
        if kind == "option":
            return f"Some[{inner[0]}] | None" if parts[0].kind == "option" else f"{inner[0]} | None"
        if kind == "result":
            return f"Ok[{inner[0]}] | Err[{inner[1]}]"
        if kind in ("tuple", "map"):
            return f"{'tuple' if kind == 'tuple' else 'dict'}[{', '.join(inner)}]"
        return "int" if kind[0] in "us" and kind[1:].isdigit() else "Any"  # streams, futures, error contexts

    def signature(self, type: FuncType, label: str) -> Any:
        """What ``inspect.signature`` tells of a function; of a method without ``self``."""
        from inspect import Parameter, Signature

        skip = 1 if label.startswith("[method]") else 0
        params = [
            Parameter(attribute(name), Parameter.POSITIONAL_OR_KEYWORD, annotation=self.text(part))
            for name, part in type.params[skip:]
        ]
        return Signature(params, return_annotation=self.text(type.result))

    def functions(self, extern: Extern) -> Iterator[tuple[str, FuncType]]:
        """The functions of an instance, or the one that a function is."""
        if extern.sort == "func":
            yield "", extern.type
        elif extern.sort == "instance":
            for label, inner in extern.type.exports.items():
                if inner.sort == "func":
                    yield label, inner.type

    def named(self, extern: Extern) -> Iterator[tuple[str, Type]]:
        """The types that an instance exports by name."""
        for label, inner in extern.type.exports.items():
            if inner.sort == "type":
                yield label, inner.type


def _type(name: str, bases: tuple[type, ...], space: dict[str, Any]) -> Any:
    return type(name, bases, space)

"""Names of types: what an import or export speaks of must itself be imported or exported.

A record, variant, enum, flags or resource inside the type of an import or export needs a name that whoever is outside
can say: that of the import or export, of the same component, which brought the type in. Other types need none, but
what they are made of does. Imports may speak of what is imported, exports of both.
"""

from __future__ import annotations

from .model import FuncType, InstanceType, ResourceType, ValueType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .model import Extern, Type

    Places = tuple[InstanceType, ...]

__all__ = ["Names", "attach", "within"]

_NAMED = frozenset(("record", "variant", "enum", "flags", "resource"))


class Names:
    """The types that have a name, as objects. What gives a name to an alias gives it to what that is an alias of.

    A type of a component that was instantiated is in that component's terms: ``places`` are the instances that
    it was taken out of, from the inside, whose arguments say what its imports are.
    """

    __slots__ = ("_fine", "_types", "spend")

    def __init__(self, spend: Callable[[int], None]) -> None:
        self._types: set[Type] = set()
        self._fine: set[tuple[Type, Places]] = set()  # nameless ones that were found to be made of such
        self.spend = spend

    def add(self, type: Type) -> None:
        self._types.add(type)
        while type.alias is not None and type.of is not None:
            type = type.of
            self._types.add(type)

    def missing(self, type: Type, places: Places) -> Type | None:
        """``type``, or one inside of it, that needs a name and has none."""
        whole, inside = type, places
        while whole not in self._types:
            given = inside[0].argument(whole) if inside else None
            if given is not None:
                whole, inside = given, inside[1:]
            elif whole.alias is not None and whole.of is not None:
                inside = within(whole.alias, inside)
                whole = whole.of
            else:
                return type if type.kind in _NAMED else self.missing_inside(whole, inside)
        return None

    def missing_inside(self, type: Type, places: Places) -> Type | None:
        """The same of what a type is made of alone."""
        while type.of is not None:
            if type.alias is not None:
                places = within(type.alias, places)
            type = type.of
        parts = _parts(type)
        if not parts or (type, places) in self._fine:
            return None
        self.spend(len(parts))
        for part in parts:
            found = self.missing(part, places)
            if found is not None:
                return found
        self._fine.add((type, places))
        return None


def within(instance: InstanceType, places: Places) -> Places:
    """The places of what is taken out of ``instance``."""
    return (instance, *places) if instance.made is not None or instance.within else places


def _parts(type: Type) -> list[Type]:
    """The types that one is made of."""
    if isinstance(type, FuncType):
        listed: list[Any] = [part for _label, part in type.params]
        listed.append(type.result)
    elif not isinstance(type, ValueType) or type.kind in ("enum", "flags"):
        return []
    elif type.kind in ("record", "variant"):
        listed = [part for _label, part in type.parts]
    elif type.kind == "list":
        listed = [type.parts[0]]
    else:
        listed = list(type.parts)
    return [part for part in listed if part is not None]


def attach(extern: Extern, named: tuple[Names, ...], places: Places = ()) -> str:
    """An import or export may speak of the types of the first of ``named``, and brings its own into all of them. "",
    or what is wrong: which type has no name."""
    names, type = named[0], extern.type
    if extern.sort == "instance" or (extern.sort == "type" and isinstance(type, InstanceType)):
        names.spend(len(type.exports))
        inside = within(type, places)
        for label, inner in type.exports.items():
            wrong = attach(inner, named, inside)
            if wrong:
                return f"its {inner.sort} {label[:80]!r}: {wrong}"
    elif extern.sort in ("func", "type"):
        found = names.missing_inside(type, places)
        if isinstance(type, ResourceType) and type.of is not None and len(named) > 1:
            found = names.missing(type.of, places)  # which resource an import is must be known outside
        if found is not None:
            what = f"{'an' if found.kind == 'enum' else 'a'} {found.kind}"
            return f"{what} in its type has no name here: it is neither imported nor exported before"
    if extern.sort == "type":
        for each in named:
            each.add(type)
    return ""

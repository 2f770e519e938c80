"""Typed stubs: what a component exports, and what it imports, as the text of a ``.pyi`` for type checkers.

Each interface is a class with its types and functions, ``Exports`` tells which name of ``instance.exports`` gives
which, and ``Instance`` is a ComponentInstance with such exports. An interface that is imported is there too: whoever
provides it can be checked against it.
"""

from __future__ import annotations

from . import names
from .model import ValueType
from .reflect import Types, attribute, class_name, constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Component, Extern, FuncType, Type

__all__ = ["stubs"]

_HEAD = '''\
"""{what}, for type checkers: made by ``wasi-native stubs``, not to be changed."""

from enum import Enum, Flag
from typing import Any, Literal, overload

from wasi_native import ComponentInstance, Err, Ok, Some

'''
_TAKEN = frozenset(
    {"Any", "ComponentInstance", "Enum", "Err", "Exports", "Flag", "Instance", "Literal", "Ok", "Some"}
)


def stubs(component: Component, name: str) -> str:
    """The text; ``name`` is the file's, for its first line."""
    return _Writer(component).whole(name)


class _Writer:
    def __init__(self, component: Component) -> None:
        self.component, self.types = component, Types(component)
        self.classes: dict[str, str] = {}  # interface to the name of its class
        self.home = ""  # the interface that is written
        for name in (*component.imports, *component.exports):
            self._name(name)

    def _name(self, name: str) -> str:
        """The class of an interface: that of another version has its version in its name."""
        if name not in self.classes:
            parsed = names.parse(name)
            made = "".join(
                [class_name(word) for word in f"{parsed.package}:{parsed.label}".strip(":").split(":")]
            )
            if made in _TAKEN:
                made += "_"
            if made in self.classes.values():
                made += "_" + parsed.version.replace(".", "_").replace("-", "_").replace("+", "_")
            self.classes[name] = made
        return self.classes[name]

    def whole(self, name: str) -> str:
        component = self.component
        text = _HEAD.format(what=f"What {name} exports and imports".replace('"', "'"))
        interfaces: dict[str, list[Extern]] = {}
        root: list[str] = []
        lines: list[str] = []
        for table in (component.imports, component.exports):
            for item, extern in table.items():
                if extern.sort == "instance":
                    interfaces.setdefault(item, []).append(extern)
                elif extern.sort == "type" and self._plain(extern.type):
                    root += self._type(item, extern.type)
        for item, externs in interfaces.items():
            lines += self._interface(item, externs)
        lines += root
        lines += self._exports()
        return text + "\n".join(lines) + "\n"

    def _plain(self, type: Type) -> bool:
        return isinstance(type, ValueType)

    def _named(self, place: str, label: str) -> str:
        """A type that has a name, from where we are."""
        if place:
            return f"{self._name(place)}.{class_name(label)}"
        return "Any" if label.startswith("unnamed-") else class_name(label)

    def _text(self, type: ValueType | None) -> str:
        return self.types.text(type, self._named)

    def _interface(self, name: str, externs: list[Extern]) -> list[str]:
        self.home = name
        body: list[str] = []
        seen: set[str] = set()
        members: dict[str, dict[str, FuncType]] = {}
        for extern in externs:
            for label, func in self.types.functions(extern):
                members.setdefault(names.parse(label).resource, {})[label] = func
        for extern in externs:
            for label, type in self.types.named(extern):
                if label in seen:
                    continue
                seen.add(label)
                if type.kind == "resource":
                    body += self._resource(label, type, members.get(label, {}))
                elif isinstance(type, ValueType):
                    body += self._type(label, type)
        for label, func in members.get("", {}).items():
            body += self._function(label, func, "staticmethod")
        self.home = ""
        head = f"class {self._name(name)}:"
        return [head, f'    """{name}"""', *[f"    {line}" if line else "" for line in body], ""]

    def _type(self, label: str, type: Type) -> list[str]:
        assert isinstance(type, ValueType)
        name = class_name(label)
        place, own, _named = self.types.names.owner(type)
        if type.kind not in ("record", "variant", "enum", "flags"):
            return [f"{name} = {self._text(type)}" if "|" not in self._text(type) else f"{name}: Any"]
        if own and (place, own) != (self.home, label):
            return [f"{name} = {self._named(place, own)}"]
        if type.kind == "record":
            fields = [(attribute(field), self._text(part)) for field, part in type.parts]
            listed = ", ".join([f"{field}: {text}" for field, text in fields])
            out = [f"{field}: {text}" for field, text in fields]
            return [f"class {name}:", *_in(out), *_in([f"def __init__(self, {listed}) -> None: ..."])]
        if type.kind == "variant":
            return self._variant(name, type)
        base = "Flag" if type.kind == "flags" else "Enum"
        values = [1 << i if type.kind == "flags" else repr(part) for i, part in enumerate(type.parts)]
        pairs = zip(type.parts, values, strict=True)
        return [f"class {name}({base}):", *_in([f"{constant(part)} = {value}" for part, value in pairs])]

    def _variant(self, name: str, type: ValueType) -> list[str]:
        out = []
        for label, part in type.parts:
            text = self._text(part)
            given = f", value: {text}" if part is not None else ""
            out += [f"class {class_name(label)}({self._inside(name)}):"]
            out += _in([f"value: {text}", f"def __init__(self{given}) -> None: ..."])
        return [f"class {name}:", *_in(["value: Any", *out])]

    def _inside(self, name: str) -> str:
        return f"{self._name(self.home)}.{name}" if self.home else name

    def _resource(self, label: str, type: Type, members: dict[str, FuncType]) -> list[str]:
        name = class_name(label)
        place, own, _named = self.types.names.owner(type)
        if own and (place, own) != (self.home, label):
            return [f"{name} = {self._named(place, own)}"]
        out: list[str] = []
        for member, func in members.items():
            kind = names.parse(member).kind
            out += self._function(member, func, "staticmethod" if kind == "static" else kind)
        out += [
            "def close(self) -> None: ...",
            f"def __enter__(self) -> {self._named(self.home, label)}: ...",
        ]
        return [f"class {name}:", *_in([*out, "def __exit__(self, *exc: object) -> None: ..."])]

    def _function(self, label: str, func: FuncType, kind: str) -> list[str]:
        parsed = names.parse(label)
        skip = 1 if parsed.kind == "method" else 0
        params = [f"{attribute(name)}: {self._text(part)}" for name, part in func.params[skip:]]
        if parsed.kind in ("method", "constructor"):
            params.insert(0, "self")
        name = "__init__" if parsed.kind == "constructor" else attribute(parsed.label)
        result = "None" if parsed.kind == "constructor" else self._text(func.result)
        out = ["@staticmethod"] if kind == "staticmethod" else []
        return [*out, f"def {name}({', '.join(params)}) -> {result}: ..."]

    def _exports(self) -> list[str]:
        body = []
        listed = []
        for name, extern in self.component.exports.items():
            if extern.sort == "instance":
                front, at, version = name.partition("@")
                words = [name, front, f"{front}@{names.canonical(version)}"] if at else [name]
                literal = ", ".join([f'"{word}"' for word in dict.fromkeys(words)])
                listed.append((literal, self._name(name)))
            elif extern.sort == "func":
                parsed = names.parse(name)
                if parsed.resource:
                    continue
                made = f"_{class_name(name)}"
                body += [f"class {made}:", *_in(self._call(extern.type)), ""]
                listed.append((f'"{name}"', made))
        out = []
        for literal, made in listed:
            out += ["@overload"] if len(listed) > 1 else []
            out += [f"def __getitem__(self, name: Literal[{literal}]) -> {made}: ..."]
        out = out or ["def __getitem__(self, name: str) -> Any: ..."]
        return [
            *body,
            "class Exports:",
            *_in(out),
            "",
            "class Instance(ComponentInstance):",
            "    exports: Exports  # type: ignore[assignment]",
        ]

    def _call(self, func: FuncType) -> list[str]:
        params = ["self", *[f"{attribute(name)}: {self._text(part)}" for name, part in func.params]]
        return [f"def __call__({', '.join(params)}) -> {self._text(func.result)}: ..."]


def _in(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]

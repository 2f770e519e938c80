"""The world of a component as WIT text: what it imports and exports, and the interfaces with their types.

``text(component)`` gives the world, then each interface that has a name, in its package. A type that one interface
takes from another stands in a ``use``. What WIT has no words for (a component that imports core modules, say) is
a comment. The order is that of the component.
"""

from __future__ import annotations

from ..errors import ModuleError
from . import names
from .model import Extern, FuncType, InstanceType, ResourceType, Type, ValueType
from .types import PRIMITIVES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .model import Component

__all__ = ["KEYWORDS", "Names", "escaped", "text"]

_WORDS = (
    "as async bool borrow char constructor enum error-context export f32 f64 flags float32 float64 from func"
)
_WORDS += " future import include interface list map option own package record resource result s16 s32 s64 s8 static"
_WORDS += " stream string tuple type u16 u32 u64 u8 use variant with world"
KEYWORDS = frozenset(_WORDS.split())
_PLAIN = frozenset({*PRIMITIVES, "string"})
_NAMED = frozenset({"record", "variant", "enum", "flags", "resource"})
_SIZE_MAX = 1 << 24  # characters


def escaped(label: str) -> str:
    """``label`` as WIT writes it: with % where it is a word of the language."""
    return "%" + label if label in KEYWORDS else label


def text(component: Component, name: str = "root") -> str:
    """The WIT text of a component; ``name`` is the world's. ModuleError: it would be absurdly long."""
    return _Printer(component.name).whole(component, name)


class Names:
    """What a component's types are called, and the line of WIT of each function."""

    def __init__(self, component: Component) -> None:
        self._printer = _Printer(component.name)
        self._printer.whole(component, "root")
        self._component = component

    def owner(self, type: Type) -> tuple[str, str, Any]:
        """(interface, label, the type itself) of a type, where it comes from; label "" for one that nobody named."""
        printer, found = self._printer, ("", "", type)
        for step in printer._chain(type, None):
            owner = printer.owners.get(step)
            if owner is not None:
                block, label = owner
                found = block.place(), label, block.types[label][0]
        return found

    def line(self, item: str, label: str) -> str:
        """``now: func() -> datetime`` for the function ``label`` of the import or export ``item``, "" for ``item``
        itself."""
        component, printer = self._component, self._printer
        extern = component.exports.get(item) or component.imports[item]
        if label:
            block, instance = printer._interface(item, extern), extern.type
            func = extern.type.exports[label]
        else:
            block, instance, func = _Block(None), None, extern
        label = label or item
        text = printer._function(block, label, func, instance).rstrip(";")
        resource = names.parse(label).resource
        return f"{escaped(resource)}.{text}" if resource else text


class _Block:
    """The world (no name), or an interface (no package where it stands in the world itself)."""

    def __init__(self, name: names.Name | None) -> None:
        self.name = name
        self.types: dict[str, tuple[Type, InstanceType | None]] = {}
        self.functions: dict[str, tuple[Extern, InstanceType | None]] = {}
        self.local: dict[Type, str] = {}  # what each type is called here
        self.uses: list[tuple[_Block, list[tuple[str, str]]]] = []  # (name there, name here)
        self.used: dict[tuple[_Block, str], str] = {}
        self.called: set[str] = set()  # the names here of what is used
        self.undeclared: list[str] = []  # names of types that are to be declared yet
        self.notes: list[str] = []
        self.numbers: dict[str, int] = {}  # the number behind each label that was taken more than once
        self._methods: dict[str, list[str]] | None = None

    def free(self, label: str) -> str:
        """``label``, or one like it that is not taken."""
        number = self.numbers.get(label, 1)
        found = f"{label}-{number}" if number > 1 else label
        while found in self.types or found in self.functions or found in self.called:
            number += 1
            found = f"{label}-{number}"
        self.numbers[label] = number + 1
        return found

    def methods(self, resource: str) -> list[str]:
        """The names of the functions that belong to a resource."""
        if self._methods is None:
            self._methods = {}
            for name in self.functions:
                self._methods.setdefault(names.parse(name).resource, []).append(name)
        return self._methods.get(resource, [])

    def place(self) -> str:
        """The whole name of the interface, "" for the world."""
        if self.name is None:
            return ""
        if self.name.kind != "interface":
            return self.name.label
        return f"{self.name.package}/{self.name.label}" + (
            f"@{self.name.version}" if self.name.version else ""
        )

    def package(self) -> tuple[str, str]:
        return (self.name.package, self.name.version) if self.name is not None else ("", "")


class _Printer:
    def __init__(self, file: str) -> None:
        self.file, self.left = file, _SIZE_MAX
        self.owners: dict[Type, tuple[_Block, str]] = {}
        self.named: dict[str, _Block] = {}  # interfaces, by their whole names

    def spend(self, text: str) -> str:
        self.left -= len(text) + 1
        if self.left < 0:
            raise ModuleError(f"{self.file}: the WIT text of it has more than {_SIZE_MAX} characters")
        return text

    def word(self, label: str) -> str:
        return self.spend(escaped(label))

    # --- who owns which type ---

    def whole(self, component: Component, name: str) -> str:
        world = _Block(None)
        items: list[tuple[str, str, Extern, _Block | None]] = []
        for verb, table in (("import", component.imports), ("export", component.exports)):
            for item, extern in table.items():
                block = self._interface(item, extern) if extern.sort == "instance" else None
                if extern.sort == "type":
                    self._own(world, item, extern.type, None)
                items.append((verb, item, extern, block))
        methods = {
            item: (extern, None) for _v, item, extern, _b in items if item[0] == "[" and extern.sort == "func"
        }
        world.functions.update(methods)
        imports = [line for item in items if item[0] == "import" for line in self._world_item(world, *item)]
        exports = [line for item in items if item[0] == "export" for line in self._world_item(world, *item)]
        types = self._types(world)
        lines = [line for line in imports if line[:1] != "\0"] + world.notes + self._uses(world)
        for declared in types:
            lines += ([""] if lines else []) + declared
        lines += [line[1:] for line in imports if line[:1] == "\0"]
        if exports:
            lines += ([""] if lines else []) + [line.removeprefix("\0") for line in exports]
        out = ["package root:component;", "", f"world {self.word(name)} {{", *_indented(lines), "}"]
        return "\n".join(out + self._packages()) + "\n"

    def _interface(self, item: str, extern: Extern) -> _Block:
        """The interface behind the name of an instance."""
        implements = (extern.attributes or {}).get("implements")
        name = names.parse(implements or item)
        whole = implements or item
        block = self.named.get(whole) if name.kind == "interface" else None
        if block is None:
            block = _Block(name)
            if name.kind == "interface":
                self.named[whole] = block
        instance: InstanceType = extern.type
        for label, inner in instance.exports.items():
            self.spend(label)
            if inner.sort == "type":
                self._own(block, label, inner.type, instance)
            elif inner.sort == "func":
                block.functions.setdefault(label, (inner, instance))
            else:
                block.notes.append(f"// {self.word(label)}: a {inner.sort}, for which WIT has no words")
        return block

    def _own(self, block: _Block, label: str, type: Type, instance: InstanceType | None) -> None:
        """``block`` gives ``type`` the name ``label``; types without a name that it is made of get it too."""
        if not isinstance(type, (ValueType, ResourceType)):
            block.notes.append(f"// type {self.word(label)}: of a {type.kind}, for which WIT has no words")
            return
        if label not in block.types:
            block.types[label] = (type, instance)
            block.undeclared.append(label)
        for found in self._chain(type, instance):
            block.local.setdefault(found, label)
            self.owners.setdefault(found, (block, label))

    def _chain(self, type: Type, instance: InstanceType | None) -> Iterator[Type]:
        """``type``, what was given for it, what it renames; the nearest first."""
        todo: list[tuple[Type, InstanceType | None]] = [(type, instance)]
        while todo:
            found, place = todo.pop()
            self.spend("")
            if found.given is not None:
                todo.append((found.given, None))
            if found.of is not None:
                todo.append((found.of, place))
            argument = place and place.argument(found)
            if argument is not None:
                todo.append((argument, None))
            if found.of is not None or found.kind not in _PLAIN:
                yield found

    # --- blocks ---

    def _world_item(
        self, world: _Block, verb: str, item: str, extern: Extern, block: _Block | None
    ) -> list[str]:
        """The lines of an import or export; those of a function begin with a NUL, for they stand behind types."""
        out = _external_id(extern)
        label = names.parse(item)
        if extern.sort == "type" or label.resource:
            return []
        if extern.sort == "func":
            return ["\0" + line for line in [*out, f"{verb} {self._function(world, item, extern, None)}"]]
        if block is None:
            return [f"// {verb} {self.spend(item)}: a {extern.sort}, for which WIT has no words"]
        if label.kind == "interface":
            return [*out, f"{verb} {self._path(label, ('', ''))};"]
        if block.name is not None and block.name.kind == "interface":
            return [*out, f"{verb} {self.word(item)}: {self._path(block.name, ('', ''))};"]
        return [*out, f"{verb} {self.word(item)}: interface {{", *_indented(self._body(block)), "}"]

    def _packages(self) -> list[str]:
        """The interfaces that have a name, by package."""
        packages: dict[tuple[str, str], list[str]] = {}
        for block in list(self.named.values()):
            assert block.name is not None
            lines = [f"interface {self.word(block.name.label)} {{", *_indented(self._body(block)), "}"]
            packages.setdefault(block.package(), []).extend(lines)
        out = []
        for (package, version), lines in packages.items():
            head = ":".join(self.word(part) for part in package.split(":"))
            out += ["", f"package {head}{'@' if version else ''}{version} {{", *_indented(lines), "}"]
        return out

    def _body(self, block: _Block) -> list[str]:
        """The lines of an interface."""
        items = self._types(block)
        for label, (extern, instance) in block.functions.items():
            if not label.startswith("["):
                items.append([*_external_id(extern), self._function(block, label, extern, instance)])
        items += self._types(block)  # those that the functions turned out to need
        out = [*block.notes, *self._uses(block)]
        for lines in items:
            out += ([""] if out else []) + lines
        return out

    def _uses(self, block: _Block) -> list[str]:
        lines = []
        for owner, pairs in block.uses:
            assert owner.name is not None
            listed = [f"{escaped(a)} as {escaped(b)}" if a != b else escaped(a) for a, b in pairs]
            lines.append(
                self.spend(f"use {self._path(owner.name, block.package())}.{{{', '.join(listed)}}};")
            )
        return lines

    def _path(self, name: names.Name, near: tuple[str, str]) -> str:
        """The name of an interface, seen from the package ``near``."""
        if (name.package, name.version) == near:
            return self.word(name.label)
        head = ":".join(self.word(part) for part in name.package.split(":"))
        return self.spend(f"{head}/{escaped(name.label)}" + (f"@{name.version}" if name.version else ""))

    # --- types ---

    def _types(self, block: _Block) -> list[list[str]]:
        """The declarations of the types that have none yet; those of other interfaces become uses."""
        found = []
        todo, block.undeclared = block.undeclared, []
        for label in todo:
            if declared := self._declare(block, label, *block.types[label]):
                found.append(declared)
        return found + (self._types(block) if block.undeclared else [])

    def _declare(self, block: _Block, label: str, type: Type, instance: InstanceType | None) -> list[str]:
        out, word = [], self.word(label)
        for other in self._chain(type, instance):
            here = block.local.get(other, label)
            if here != label:
                return [f"type {word} = {self.word(here)};"]
            owner, name = self.owners.get(other, (block, ""))
            if owner is not block and owner.package()[0]:
                self._use(block, owner, name, label)
                return []
        if type.kind == "resource":
            for name in block.methods(label):
                extern, given = block.functions[name]
                out += [*_external_id(extern), self._function(block, name, extern, given)]
            return [f"resource {word} {{", *_indented(out), "}"] if out else [f"resource {word};"]
        if type.kind not in _NAMED:
            value = self._value(block, type, instance, inside=True)
            return [f"type {word} = {'own<' + value + '>' if type.kind == 'own' else value};"]
        assert isinstance(type, ValueType)
        for part in type.parts:
            name, carried = (part, None) if isinstance(part, str) else part
            line = self.word(name)
            if carried is not None:
                shown = self._value(block, carried, instance)
                line += f": {shown}" if type.kind == "record" else f"({shown})"
            out.append(line + ",")
        return [f"{type.kind} {word} {{", *_indented(out), "}"]

    def _use(self, block: _Block, owner: _Block, name: str, label: str) -> None:
        """``block`` calls the type ``name`` of ``owner`` ``label``."""
        block.used[owner, name] = label
        block.called.add(label)
        if block.uses and block.uses[-1][0] is owner:
            block.uses[-1][1].append((name, label))
        else:
            block.uses.append((owner, [(name, label)]))

    def _called(self, block: _Block, type: Type, instance: InstanceType | None) -> str:
        """What ``type`` is called in ``block``; "" when it has no name."""
        chain = list(self._chain(type, instance))
        for found in chain:
            if found in block.local:
                return block.local[found]
        for found in chain:
            owner, name = self.owners.get(found, (block, ""))
            if owner is not block and owner.package()[0]:
                if (owner, name) not in block.used:
                    self._use(block, owner, name, block.free(name))
                return block.used[owner, name]
        if type.kind in _NAMED:  # a type that nobody named: it gets a name here
            label = block.free(f"unnamed-{type.kind}")
            block.types[label] = (type, instance)
            block.local[type] = label
            block.undeclared.append(label)
            return label
        return ""

    def _value(self, block: _Block, type: Type, instance: InstanceType | None, inside: bool = False) -> str:
        """The text of a type; ``inside``: what it is made of, though it has a name."""
        if type.kind not in _PLAIN or type.of is not None:
            called = "" if inside else self._called(block, type, instance)
            if called:
                return self.word(called)
        if type.kind in _PLAIN:
            return self.spend(type.kind)
        assert isinstance(type, ValueType)
        if type.kind == "own":
            return self._value(block, type.parts[0], instance)
        shown = [
            str(part) if isinstance(part, int) else self._value(block, part, instance)
            for part in type.parts
            if part is not None
        ]
        if type.kind == "result" and type.parts[0] is None and shown:
            shown.insert(0, "_")
        return self.spend(f"{type.kind}<{', '.join(shown)}>" if shown else type.kind)

    def _function(self, block: _Block, label: str, extern: Extern, instance: InstanceType | None) -> str:
        func: FuncType = extern.type
        name = names.parse(label)
        skip = 1 if name.kind == "method" else 0
        params = [
            f"{self.word(key)}: {self._value(block, type, instance)}" for key, type in func.params[skip:]
        ]
        listed = ", ".join(params)
        result = "" if func.result is None else f" -> {self._value(block, func.result, instance)}"
        if name.kind == "constructor":
            plain = func.result is not None and func.result.kind == "own"
            return f"constructor({listed}){'' if plain else result};"
        words = "static " * (name.kind == "static") + "async " * func.is_async
        return f"{self.word(name.label)}: {words}func({listed}){result};"


def _external_id(extern: Extern) -> list[str]:
    given = (extern.attributes or {}).get("external-id")
    if given is None:
        return []
    shown = "".join(
        "\\" + char if char in '"\\' else char if char.isprintable() else f"\\u{{{ord(char):x}}}"
        for char in given
    )
    return [f'@external-id("{shown}")']


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]

"""What a root component imports, bound: to what the embedder provides, else to WASI's own functions.

Names are matched by their version tracks (``@0.2.x`` serves each ``@0.2.y``). All that is missing is said at once and
before anything runs: the interface, the function, and what would help. A function of WASI is a row against the
lowered signature, so that is what a declared type is held against.
"""

from __future__ import annotations

from ..errors import LinkError
from . import names
from .items import Env, Func, InstanceItem, Resource, Typed
from .reflect import attribute, class_name
from .types import flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .instance import Tree
    from .items import Signature
    from .model import Component, Extern, InstanceType

    Rows = Callable[[str, str], tuple[str, str] | None]
    Missing = list[tuple[str, str, str]]

__all__ = ["Imports", "Provided"]

_GATED = {
    "wasi:http": "http is not offered: build the program for wasi:sockets, or serve it from Python: "
    "host.provide({!r}, object)",
    "wasi:sockets": "this build has no sockets of WASI 0.2",
}


class Provided:
    """What the embedder gives for one import: an object whose attributes (or items, of a dict) are its functions and
    classes; a callable for a function."""

    __slots__ = ("name", "target")

    def __init__(self, name: str, target: Any) -> None:
        self.name, self.target = name, target

    def find(self, label: str) -> Any:
        """The function or class for a label, None when there is none."""
        target = self.target
        words = (label, attribute(label), class_name(label))
        if isinstance(target, dict):
            return next((target[word] for word in words if word in target), None)
        return next((found for word in words if (found := getattr(target, word, None)) is not None), None)

    def function(self, label: str) -> Any:
        """What serves a function: of a resource, of its class. None when there is none."""
        name = names.parse(label)
        if not name.resource:
            return self.find(label)
        owner = self.find(name.resource)
        if owner is None or name.kind == "constructor":
            return owner
        words = (attribute(name.label), name.label)
        found = next((found for word in words if (found := getattr(owner, word, None)) is not None), None)
        return found if name.kind == "static" or found is None else _method(words, owner)


def _method(words: tuple[str, str], owner: Any) -> Any:
    """A method is looked up on the object, so that a subclass may have another."""
    word = next(word for word in words if hasattr(owner, word))

    def call(self: Any, *args: Any) -> Any:
        return getattr(self, word)(*args)

    return call


class Imports:
    """The imports of one root. ``rows`` tells the lowered signature of a function of WASI by interface and name, None
    when there is none; ``provided`` maps the names of imports to what the embedder gives; those in ``wanted`` must be
    imported."""

    def __init__(
        self, component: Component, rows: Rows, provided: Mapping[str, Any], wanted: set[str] | None = None
    ) -> None:
        self.component, self.rows, self.wanted = component, rows, wanted or set()
        self.provided = {name: Provided(name, target) for name, target in provided.items()}
        self._resources: dict[tuple[str, str], Resource] = {}
        self._check()

    def _provider(self, name: str) -> Provided | None:
        found = names.provider(self.provided, name)
        if found is None:
            found = name.partition("@")[0]  # without a version it serves each
        return self.provided.get(found)

    # ---- before anything runs ----

    def _check(self) -> None:
        missing: Missing = []
        used = set()
        for name, extern in self.component.imports.items():
            given = self._provider(name)
            if given is not None:
                used.add(given.name)
            if extern.sort == "instance":
                self._check_instance(name, extern.type, given, missing)
            elif extern.sort == "func":
                if given is None:
                    missing.append((name, "", f"a function of yours: provide={{{name!r}: function}}"))
                elif not _serves(given.target):
                    missing.append((name, "", "what is provided can neither be called nor is an address"))
            elif extern.sort == "type":
                if extern.type.kind == "resource" and extern.type.of is None:
                    missing.append((name, "", "a resource that no interface around it defines"))
            else:
                missing.append((name, "", f"a {extern.sort}: link the components first, as `wac plug` does"))
        for name in sorted(self.wanted - used):
            missing.append((name, "", "is provided, and nothing imports it"))
        if missing:
            lines = "".join(f"\n  {_plain(m)}{' ' if n else ''}{_plain(n)}: {why}" for m, n, why in missing)
            raise LinkError(
                f"{self.component.name}: imports that nothing provides:{lines}",
                tuple(missing),
            )

    def _check_instance(
        self, name: str, type: InstanceType, given: Provided | None, missing: Missing
    ) -> None:
        functions = [(label, e.type) for label, e in type.exports.items() if e.sort == "func"]
        if given is not None:
            for label, _func in functions:
                found = given.function(label)
                if found is None:
                    missing.append((name, label, f"what is provided has no {_words(label)}"))
                elif not _serves(found):
                    missing.append((name, label, "what is provided can neither be called nor is an address"))
            return
        rows = [(label, func, self.rows(name, label)) for label, func in functions]
        if rows and self._is_foreign(name) and all(row is None for _label, _func, row in rows):
            missing.append((name, "", self._advice(name, "")))  # once, and not for each of its functions
            return
        for label, func, row in rows:
            if row is None:
                missing.append((name, label, self._advice(name, label)))
            elif func.is_async or row != flatten(func.function, "lower"):
                missing.append((name, label, "imported with another type than the host's function has"))
        if not functions and not name.startswith("wasi:"):
            for label, extern in type.exports.items():
                if extern.sort == "type" and extern.type.kind == "resource" and extern.type.of is None:
                    missing.append((name, label, self._advice(name, label)))

    @staticmethod
    def _is_foreign(name: str) -> bool:
        """Whether it is of WASI, and of a package or version that is not served."""
        track = name.partition("@")[2]
        other = bool(track) and not track.startswith("0.2.")
        return name.startswith("wasi:") and (other or name.partition("/")[0] in _GATED)

    def _advice(self, name: str, label: str) -> str:
        package = name.partition("/")[0]
        if package in _GATED:
            return _GATED[package].format(name.partition("@")[0])
        if not name.startswith("wasi:"):
            return f"an interface of yours: provide={{{name!r}: object}}, or host.provide()"
        if self._is_foreign(name):
            track = name.partition("@")[2]
            return f"WASI {track} is another version than the 0.2 of this host"
        return "no such function in this host's WASI 0.2"

    # ---- while an instance is made ----

    def get(self, name: str, extern: Extern, env: Env, tree: Tree) -> Any:
        """The item for the import ``name`` of the root, whose types ``env`` sees."""
        given = self._provider(name)
        if extern.sort == "instance":
            return self._instance(name, extern.type, given, env, tree)
        if extern.sort == "func":
            assert given is not None
            return self._function(given.target, tree.signature(extern.type, env), given.name, name)
        return env.typed(extern.type)

    def _instance(
        self, name: str, type: InstanceType, given: Provided | None, outer: Env, tree: Tree
    ) -> InstanceItem:
        env = Env(outer)
        exports: dict[str, tuple[str, Any]] = {}
        for label, extern in type.exports.items():
            item: Any
            if extern.sort == "type":
                item = self._type(extern, label, name, given, env, tree)
                env.bound[extern.type] = item
            elif extern.sort == "func":
                signed = tree.signature(extern.type, env)
                if given is not None:
                    item = self._function(given.function(label), signed, given.name, label)
                else:
                    item = Func("row", signed, None, name, label)
            elif extern.sort == "instance":
                item = self._instance(label, extern.type, given, env, tree)
            else:
                raise LinkError(
                    f"{self.component.name}: {_plain(name)}: a {extern.sort} cannot be imported from the host"
                )
            exports[label] = (extern.sort, item)
        return InstanceItem(exports)

    def _type(
        self, extern: Extern, label: str, name: str, given: Provided | None, env: Env, tree: Tree
    ) -> Resource | Typed:
        type = extern.type
        if type.kind != "resource":
            return Typed(type, env)
        if type.of is not None and isinstance(found := env.find(type.of), Resource):
            return found
        interface = given.name if given is not None else name
        key = (_track(interface), label)
        if key not in self._resources:
            self._resources[key] = tree.functions.host_resource(interface, label, given)
        return self._resources[key]

    def _function(self, target: Any, signed: Signature, interface: str, label: str) -> Func:
        return Func("host", signed, target, interface, label)


def _serves(target: Any) -> bool:
    return callable(target) or isinstance(target, int)


def _words(label: str) -> str:
    name = names.parse(label)
    if name.kind == "constructor":
        return f"class {class_name(name.resource)}"
    where = f"{class_name(name.resource)}." if name.resource else ""
    return f"function {where}{attribute(name.label)}"


def _track(name: str) -> str:
    """The interface without the part of its version that does not matter."""
    front, at, version = name.partition("@")
    try:
        return f"{front}@{names.canonical(version)}" if at else front
    except ValueError:
        return name


def _plain(name: str) -> str:
    return name if name.isprintable() else ascii(name)

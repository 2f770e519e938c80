"""A component that was loaded: its world, and its core modules compiled."""

from __future__ import annotations

from .. import _core
from ..component import FEATURES, decode
from ..component.core_module import KINDS
from ..component.reflect import Types
from ..component.shim import fixup, shim
from ..component.wit import text
from ..digest import sha256
from ..errors import LinkError, ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from ..aot import Manifest, Wno
    from ..component.core_module import CoreModule
    from ..component.model import Extern
    from ..policy import Policy
    from . import Call
    from .component_instance import ComponentInstance
    from .host import Host

__all__ = ["Component", "WorldItem"]

_NATIVE = "wasm2c"  # the engine of compiled guests
_KINDS = ("func", "global", "table", "memory", "other")  # as the core numbers them


class WorldItem:
    """An import or export of a component. ``kind``: instance (an interface), func, type, component, core module.
    ``functions``: the lines of WIT of an interface's functions, or of the function that it is, by label."""

    __slots__ = ("_extern", "_types", "kind", "name")

    def __init__(self, name: str, extern: Extern, types: Callable[[], Types]) -> None:
        self.name, self.kind, self._extern, self._types = name, extern.sort, extern, types

    @property
    def functions(self) -> dict[str, str]:
        types = self._types()
        return {
            label or self.name: types.names.line(self.name, label)
            for label, _type in types.functions(self._extern)
        }

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


class Component:
    """A component: instantiate it as often as you like. Made by :meth:`Host.load`.

    ``manifest``: of a compiled one (``.wno``), what its file says of itself; else None.
    """

    def __init__(
        self,
        host: Host,
        name: str,
        path: str | None,
        raw: bytes,
        native: Wno | None = None,
        parts: Sequence[_core.Module] = (),
    ) -> None:
        """``native``, ``parts``: of a compiled one, the file and its core modules; ``raw`` is its definition then."""
        self.host, self.name, self.path = host, name, path
        self.manifest: Manifest | None = native.manifest if native else None
        self._raw: bytes | None = None if native else raw
        self._digest = native.manifest.sha256 if native else ""
        self._types: Types | None = None
        self.model = decode(raw, name, FEATURES)
        self._modules: dict[CoreModule, _core.Module] | None = {}
        self._around: dict[bytes, _core.Module] = {}
        if native:
            self._modules.update(self._native_parts(native, parts))
            return
        for module in self.model.modules:
            if (
                shim(module) is None and fixup(module) is None
            ):  # else it is compiled when it turns out to be needed
                self._compiled(module)

    def _native_parts(
        self, native: Wno, parts: Sequence[_core.Module]
    ) -> Iterator[tuple[CoreModule, _core.Module]]:
        """Each core module with its code, those apart that are elided."""
        modules, digests = self.model.modules, native.manifest.modules
        if len(modules) != len(digests):
            raise ModuleError(
                f"{self.name}: damaged: its manifest lists {len(digests)} core modules, there are {len(modules)}; "
                "compile it again"
            )
        numbers = {digest: number for number, digest in enumerate(native.manifest.parts)}
        for module, digest in zip(modules, digests, strict=True):
            if not digest:
                continue
            part = parts[numbers[digest]]
            imports = {item[:2] for item in part.externs(False)}
            exports = {(item[1], _KINDS[item[2]]) for item in part.externs(True)}
            known = {(name, KINDS[kind]) for name, (kind, _type) in module.exports.items()}
            if imports != set(module.imports) or exports != known:
                raise ModuleError(
                    f"{self.name}: damaged: its native code is of other core modules than it lists; compile it again"
                )
            yield module, part

    def _compiled(self, module: CoreModule) -> _core.Module:
        """The engine's module for a core module."""
        if self._modules is None:
            raise RuntimeError(f"the component {self.name} is closed")
        if module.at == 0:  # none of the file's, but around a function of WASI: as good for each instance
            data = bytes(module.data)
            if data not in self._around:
                self._around[data] = self.host._compile(f"{self.name}: around a function of WASI", data)
            return self._around[data]
        found = self._modules.get(module)
        if found is None and self.manifest is not None:
            raise LinkError(
                f"{self.name}: the core module at byte {module.at} was not compiled; compile it again"
            )
        if found is None:
            name = f"{self.name}: the core module at byte {module.at}"
            found = self._modules[module] = self.host._compile(name, bytes(module.data))
        return found

    @property
    def engine(self) -> str:
        """The name of the engine that runs its core modules."""
        return self.host.engine if self.manifest is None else _NATIVE

    @property
    def caps(self) -> tuple[str, ...]:
        """What that engine can do with it: with a compiled one, less what it was compiled without."""
        if self.manifest is None:
            return self.host.caps
        from .native import missing_caps

        lost = missing_caps(self.manifest)
        return tuple(name for name in self.host._native().caps if name not in lost)

    @property
    def counts_fuel(self) -> bool:
        """Whether instructions are counted, so that ``Limits.fuel`` works."""
        return self.host.fuel if self.manifest is None else self.manifest.fuel

    @property
    def sha256(self) -> str:
        """Of the component, in hex; of a compiled one, that of the component it was made of."""
        if self._raw is not None:
            self._digest, self._raw = sha256(self._raw), None
        return self._digest

    @property
    def types(self) -> Types:
        """Its types as Python."""
        if self._types is None:
            self._types = Types(self.model)
        return self._types

    def _get_types(self) -> Types:
        return self.types

    @property
    def imports(self) -> tuple[WorldItem, ...]:
        """In the component's order."""
        return tuple([WorldItem(n, e, self._get_types) for n, e in self.model.imports.items()])

    @property
    def exports(self) -> tuple[WorldItem, ...]:
        """In the component's order."""
        return tuple([WorldItem(n, e, self._get_types) for n, e in self.model.exports.items()])

    @property
    def wit(self) -> str:
        """Its world as WIT text."""
        return text(self.model)

    def instantiate(
        self,
        policy: Policy | None = None,
        *,
        provide: Mapping[str, Any] | None = None,
        trace: Callable[[Call], object] | None = None,
        nonblocking_stdio: bool = False,
    ) -> ComponentInstance:
        """A guest of its own: core instances, resources, descriptors, limits.

        ``policy``: default the host's. ``provide``: what serves imports of yours, by their names, before what
        :meth:`Host.provide` was given: an object or dict with the functions and classes of an interface, or a
        function; the address (int) of a C function serves too. ``trace``: called after each call of WASI's functions
        with a :class:`Call`. ``nonblocking_stdio``: a stream that has nothing says so instead of waiting.

        Raises LinkError (all missing imports at once, or what the engine lacks), PolicyError, LimitExceeded, and
        whatever ended a start section.
        """
        if self._modules is None:
            raise RuntimeError(f"the component {self.name} is closed")
        from .component_instance import ComponentInstance

        given = {**self.host._provided, **(provide or {})}
        chosen = self.host.policy if policy is None else policy
        return ComponentInstance(self, chosen, given, set(provide or ()), trace, nonblocking_stdio)

    def close(self) -> None:
        """Free the compiled code, once the instances are closed. Idempotent."""
        self._modules = None
        self._around = {}

    def __enter__(self) -> Component:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Component {self.name} on {self.engine}>"

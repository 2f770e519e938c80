"""A component that was loaded: its world, and its core modules compiled."""

from __future__ import annotations

from .. import _core
from ..component import FEATURES, decode
from ..component.reflect import Types
from ..component.shim import fixup, shim
from ..component.wit import text
from ..digest import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..component.core_module import CoreModule
    from ..component.model import Extern
    from ..policy import Policy
    from . import Call
    from .component_instance import ComponentInstance
    from .host import Host

__all__ = ["Component", "WorldItem"]


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
    """A component: instantiate it as often as you like. Made by :meth:`Host.load`."""

    def __init__(self, host: Host, name: str, path: str | None, raw: bytes) -> None:
        self.host, self.name, self.path = host, name, path
        self._raw: bytes | None = raw
        self._digest = ""
        self._types: Types | None = None
        self.model = decode(raw, name, FEATURES)
        self._modules: dict[CoreModule, _core.Module] | None = {}
        for module in self.model.modules:
            if (
                shim(module) is None and fixup(module) is None
            ):  # else it is compiled when it turns out to be needed
                self._compiled(module)

    def _compiled(self, module: CoreModule) -> _core.Module:
        """The engine's module for a core module."""
        if self._modules is None:
            raise RuntimeError(f"the component {self.name} is closed")
        found = self._modules.get(module)
        if found is None:
            name = f"{self.name}: the core module at byte {module.at}"
            found = self._modules[module] = self.host._compile(name, bytes(module.data))
        return found

    @property
    def engine(self) -> str:
        """The name of the engine that runs its core modules."""
        return self.host.engine

    @property
    def caps(self) -> tuple[str, ...]:
        """What that engine can do."""
        return self.host.caps

    @property
    def counts_fuel(self) -> bool:
        """Whether instructions are counted, so that ``Limits.fuel`` works."""
        return self.host.fuel

    @property
    def sha256(self) -> str:
        """Of the component, in hex."""
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

    def __enter__(self) -> Component:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Component {self.name} on {self.engine}>"

"""What of a component is the core's: instances of core modules, and the functions between them.

:class:`Functions` is what the interpreter (:mod:`.instance`) makes things with. A core function that a module imports
is a ``CanonFunc`` that traps until it is bound: to a row of WASI with the options of its lower, to another
component's lifted function through a plan, to a function of the embedder, to a built-in, or, in place of a shim's, to
whatever the fixup would have put into its table.
"""

from __future__ import annotations

from .. import _core
from ..errors import LinkError, ModuleError
from .forward import FUNCTION, MEMORY, POST_RETURN, REALLOC, forwarder
from .items import CoreExport, Env, Func, Resource, Signature
from .model import FuncType
from .plan import Unsupported, encode
from .types import flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .census import Shares
    from .core_module import CoreModule
    from .link import Provided
    from .types import Function, Table

    Options = dict[str, Any]

__all__ = ["Functions"]

_ENCODINGS = {"utf8": 0, "utf16": 1, "latin1+utf16": 2}
_SHARED = {
    "func": ("share-functions", "a function"),
    "memory": ("share-memories", "a memory"),
    "table": ("share-tables", "a table"),
    "constant": ("share-constants", "a global"),
    "global": ("share-globals", "a global that changes"),
    "tag": ("share-globals", "a tag"),
}
_FORWARD = (
    ("memory", MEMORY, "memory"),
    ("realloc", REALLOC, "func"),
    ("post_return", POST_RETURN, "func"),
)
_WHAT = {
    "resource.new": (_core.RESOURCE_NEW, "i", "i"),
    "resource.rep": (_core.RESOURCE_REP, "i", "i"),
    "resource.drop": (_core.RESOURCE_DROP, "i", ""),
}
_TASK = {
    "task.cancel": _core.TASK_CANCEL,
    "context.get": _core.CONTEXT_GET,
    "context.set": _core.CONTEXT_SET,
    "backpressure.inc": _core.BACKPRESSURE_INC,
    "backpressure.dec": _core.BACKPRESSURE_DEC,
}


class Functions:
    """``compiled`` gives the engine's module for a core module; ``host`` makes the function of the embedder that is
    called with and answers a value stream, ``drop`` what ends one of his resources; ``start`` is what an instance
    runs its start section under: (trace, deadline, signals)."""

    def __init__(
        self,
        name: str,
        engine: str,
        caps: tuple[str, ...],
        sys: _core.Sys,
        compiled: Callable[[CoreModule], _core.Module],
        host: Callable[[Func], Callable[..., Any] | int],
        lane: Callable[[Signature], _core.Lane],
        drop: Callable[[Resource, Provided], Callable[[int], object]],
        start: tuple[Any, int, bool],
        shares: tuple[Shares, ...] = (),
    ) -> None:
        self.name, self.engine, self.caps, self.sys = name, engine, caps, sys
        self.compiled, self.host, self.lane, self.drop, self.start = compiled, host, lane, drop, start
        self.shares = shares
        self.root: _core.Comp | None = None
        self.cores: list[_core.Instance] = []
        self._plans: dict[Function, tuple[_core.Plan, tuple[int, ...]]] = {}
        self._late: dict[int, list[_core.ResourceType]] = {}  # destructors that are bound later
        self._kept: list[_core.CanonFunc] = []  # whose ids are keys
        self._results: dict[tuple[Function, tuple[Resource, ...]], int] = {}  # numbers of types of results

    def comp(self, parent: _core.Comp | None) -> _core.Comp:
        """The state of a component instance."""
        made = _core.Comp(self.sys, parent)
        if self.root is None:
            self.root = made
        return made

    # ---- core instances ----

    def instantiate(
        self,
        module: CoreModule,
        given: dict[str, dict[str, Any]],
        comp: _core.Comp,
        shares: tuple[Shares, ...] | None = None,
    ) -> _core.Instance:
        """An instance of a core module, its start section run. LinkError, ModuleError, or its end."""
        for one in self.shares if shares is None else shares:
            one.take(module)
        core = self.compiled(module)
        bindings = [
            self._binding(given, *key, _changes(*module.imports[key]))
            for key in [item[:2] for item in core.externs(False)]
        ]
        trace, deadline, signals = self.start
        kin = self.cores[0] if self.cores else None
        made = _core.Instance(core, self.sys, (), trace, deadline, signals, (), comp, kin, bindings)
        self.cores.append(made)
        return made

    def _binding(
        self, given: dict[str, dict[str, Any]], module: str, name: str, changes: bool
    ) -> _core.CanonFunc | tuple[_core.Instance, bytes]:
        item: Any = given[module][name]
        if not isinstance(item, CoreExport):
            assert isinstance(item, _core.CanonFunc)
            return item
        needed, what = _SHARED["constant" if item.kind == "global" and not changes else item.kind]
        if needed not in self.caps:
            raise LinkError(
                f"{self.name}: the core modules of this component share {what}, {_plain(name)} (imported from "
                f"{_plain(module)}), which the engine {self.engine} cannot do (it has not the ability {needed}): "
                "use wasmtime (--engine wasmtime, Host(engine='wasmtime')), or compile it (wasi-native compile)"
            )
        return item.instance, item.name.encode()

    # ---- functions that are bound later ----

    def late(self, comp: _core.Comp, params: str, results: str) -> _core.CanonFunc:
        """A function that traps until :meth:`bind`."""
        return _core.CanonFunc(comp, b"", b"", params, results)

    def bind(self, late: _core.CanonFunc, item: Any) -> None:
        """``late`` is ``item`` from now on."""
        if isinstance(item, CoreExport):
            late.bind_core(item.instance, item.name.encode())
            for resource in self._late.pop(id(late), ()):
                resource.set_destructor(item.instance, item.name.encode())
        else:
            late.bind_same(item)

    def async_builtin(self, name: str, index: int, core: tuple[str, str], comp: _core.Comp) -> Any:
        """A built-in of WASI 0.3. Those that let nobody wait work; all others trap when they are called."""
        made = _core.CanonFunc(comp, b"", name.encode(), *core)
        if name in _TASK and "I" not in core[0] + core[1]:
            made.bind_task(_TASK[name], index)
        return made

    # ---- resources ----

    def resource(self, comp: _core.Comp, destructor: Any) -> Resource:
        """A resource type that a component defines."""
        core = _core.ResourceType(comp)
        if isinstance(destructor, CoreExport):
            core.set_destructor(destructor.instance, destructor.name.encode())
        elif destructor is not None:
            self._late.setdefault(id(destructor), []).append(core)
            self._kept.append(destructor)
        return Resource("", core)

    def host_resource(self, interface: str, label: str, given: Provided | None) -> Resource:
        """One that the host defines: WASI's, or the embedder's."""
        made = Resource(label, None, interface)
        assert self.root is not None
        if given is not None:
            made.core = _core.ResourceType(self.root, self.drop(made, given))
        return made

    def resource_builtin(self, name: str, resource: Resource, comp: _core.Comp) -> _core.CanonFunc:
        """canon resource.new, .rep, .drop."""
        what, params, results = _WHAT[name]
        made = _core.CanonFunc(
            comp, resource.interface.encode(), f"[{name}]{resource.name}".encode(), params, results
        )
        if resource.core is None and name == "resource.drop":
            made.bind_row(resource.interface.encode(), f"[resource-drop]{resource.name}".encode())
        else:
            made.bind_resource(what, self.core_of(resource))
        return made

    def core_of(self, resource: Resource) -> _core.ResourceType:
        """The core's type of a resource, WASI's too."""
        if resource.core is None:
            assert self.root is not None
            try:
                resource.core = _core.ResourceType(
                    self.root, wasi=(resource.interface.encode(), resource.name.encode())
                )
            except ValueError as error:
                raise LinkError(f"{self.name}: {error}") from None
        core: _core.ResourceType = resource.core
        return core

    # ---- canonical functions ----

    def plan(self, signed: Signature) -> tuple[_core.Plan, tuple[_core.ResourceType, ...]]:
        """The plan of a function, made once for its type, and the core's types of the resources that it numbers."""
        found = self._plans.get(signed.function)
        if found is None:
            try:
                data, numbers = encode(signed.function)
            except Unsupported as error:
                raise LinkError(f"{self.name}: {error}") from None
            found = self._plans[signed.function] = _core.Plan(data), numbers
        plan, numbers = found
        return plan, tuple([self.core_of(signed.resources[number]) for number in numbers])

    def options(self, found: Options) -> tuple[Any, bytes, Any, bytes, int]:
        """Canonical options as the core takes them."""
        memory, realloc = found["memory"], found["realloc"]
        if realloc is not None and not isinstance(realloc, CoreExport):
            raise LinkError(f"{self.name}: the option realloc names no function of a core module")
        return (
            memory.instance if memory is not None else None,
            memory.name.encode() if memory is not None else b"",
            realloc.instance if realloc is not None else None,
            realloc.name.encode() if realloc is not None else b"",
            _ENCODINGS[found["encoding"]],
        )

    def lower(self, func: Func, found: Options, comp: _core.Comp) -> _core.CanonFunc:
        """A core function for a function."""
        signed = func.signature
        is_async = found["is_async"]
        params, results = flatten(signed.type.function, "lower", is_async=is_async)
        made = _core.CanonFunc(comp, func.interface.encode(), func.name.encode(), params, results)
        options = self.options(found)
        if func.how == "row":
            made.bind_row(func.interface.encode(), func.name.encode(), options)
        elif func.how == "lift":
            made.bind_call(func.made, options, is_async)
        else:
            made.bind_host(*self.plan(signed), self.host(func), options, self.lane(signed), is_async)
        return made

    def forward(self, func: Func) -> _core.Lifted:
        """A function of WASI that the embedder may call: lifted again, from a module that has a memory for it."""
        signed, comp = func.signature, self.comp(self.root)
        try:
            module, numbers = forwarder(signed.function, f"{self.name}: around {_plain(func.name)}")
        except ValueError as error:
            raise ModuleError(
                f"{self.name}: {_plain(func.name)} cannot be called from outside: {error}"
            ) from None
        late = self.late(comp, *flatten(signed.function, "lower"))
        given: dict[str, Any] = {FUNCTION: late}
        for index, number in enumerate(numbers):
            given[f"d{index}"] = self.resource_builtin("resource.drop", signed.resources[number], comp)
        made = self.instantiate(module, {"": given}, comp, ())  # its memory is for the embedder's values
        found = {name: CoreExport(made, export, kind) for name, export, kind in _FORWARD}
        options: Options = {"encoding": "utf8", "is_async": False, "callback": False, **found}
        late.bind_row(func.interface.encode(), func.name.encode(), self.options(options))
        return self.lift(signed, None, CoreExport(made, FUNCTION, "func"), options, comp)

    def dropper(self, resource: Resource, table: Table) -> _core.Lifted:
        """The drop of a resource of WASI, likewise."""
        function = table.function([("self", table.own(0))], None)
        signed = Signature(FuncType((), None, False, function), Env(), function, (resource,))
        return self.forward(Func("row", signed, None, resource.interface, f"[resource-drop]{resource.name}"))

    def absent(self, core: Any) -> str:
        """Why a function that is lifted cannot be called, "" when it can."""
        if not isinstance(core, CoreExport):
            return "made of a function that is no core module's, which no tool does"
        return ""

    def returned(self, result: Signature) -> int:
        """The number of a type of results; ``result`` is of a function with such a result and no parameters."""
        return self._results.setdefault((result.function, result.resources), len(self._results))

    def task_return(self, result: Signature, core: tuple[str, str], found: Options, comp: _core.Comp) -> Any:
        """canon task.return."""
        made = _core.CanonFunc(comp, b"", b"task.return", *core)
        made.bind_return(*self.plan(result), self.returned(result), self.options(found))
        return made

    def lift(
        self, signed: Signature, result: Signature | None, core: Any, found: Options, comp: _core.Comp
    ) -> _core.Lifted:
        """A function for a core function; ``result``: of one that is lifted async, as for :meth:`returned`."""
        post = found["post_return"]
        if post is not None and not isinstance(post, CoreExport):
            raise LinkError(f"{self.name}: the option post-return names no function of a core module")
        return _core.Lifted(
            comp,
            *self.plan(signed),
            core.instance,
            core.name.encode(),
            self.options(found),
            post.instance if post is not None else None,
            post.name.encode() if post is not None else b"",
            None if result is None else self.returned(result),
            found["callback"],
            signed.type.is_async,
        )


def _plain(name: str) -> str:
    return name if name.isprintable() and name else ascii(name)


def _changes(kind: int, type: Any) -> bool:
    """Whether an import is a global that can be set."""
    return kind == 3 and bool(type[1])

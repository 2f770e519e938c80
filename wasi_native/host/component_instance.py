"""A component at work: made by :meth:`Component.instantiate`, used by one thread at a time."""

from __future__ import annotations

from _thread import get_ident
from functools import cache
from struct import pack

from .. import _core
from ..component import names
from ..component.census import MEMORY, TABLE, Shares, census
from ..component.functions import Functions
from ..component.instance import Tree
from ..component.items import Func
from ..component.link import Imports
from ..component.reflect import attribute
from ..component.values import Codec, Err
from ..errors import Exit, InstanceBusy, InstanceDead, LinkError, ModuleError
from ..record import replace
from .callbacks import tracer
from .endings import ENDS, ending, plain_lines
from .exports import Exports
from .guest import MAIN_THREAD, Guest
from .resources import Resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..component.items import Resource
    from ..component.link import Provided
    from ..component.model import ValueType
    from ..policy import Policy
    from . import Call
    from .component import Component

__all__ = ["ComponentInstance"]

_RUN = "wasi:cli/run@0.2"


class ComponentInstance(Guest):
    """A component at work. ``exports`` holds what it exports, by name:

        instance.exports["my:pkg/sensor"].read_all(3)      instance.exports["add"](1, 2)

    Values are Python's own (see :mod:`wasi_native.component.values`); resources are classes with methods.
    """

    def __init__(
        self,
        component: Component,
        policy: Policy,
        provide: dict[str, Any],
        wanted: set[str],
        trace: Callable[[Call], object] | None,
        nonblocking_stdio: bool,
    ) -> None:
        self.component = component
        self._functions: Functions | None = None
        self._ended: str | None = None
        self._own: list[ComponentInstance | None] = [self]
        self._lanes: dict[Func, _core.Lane] = {}
        self._forwards: dict[
            Func, Func
        ] = {}  # functions of WASI that it hands on, as it could have lifted them
        self._drops: dict[Resource, _core.Lifted] = {}  # of resources of WASI
        imports = Imports(component.model, _row, provide, wanted)
        super().__init__(component.host, component.name, policy)
        try:
            shares = self._share()
            self._world(nonblocking_stdio)
            self._resources = Resources(self._destroy)
            self._codec = Codec(component.types, self._resources.give, self._resources.take)
            start = (tracer(trace) if trace else None, self._deadline(None), get_ident() == MAIN_THREAD)
            codec = self._codec
            self._functions = Functions(
                *(component.name, component.engine, component.caps, self._sys, component._compiled),
                *(self._provided, codec.lane, self._drop, start, shares),
            )
            self._tree = Tree(component.model, self._functions, imports)
            self._make()
        except BaseException:
            self._free()
            self._functions = None  # there is nothing left to close
            self._gone()
            raise
        self.exports = Exports(self._tree.exports, component.types, self._resources, self._function)
        self._resources.attach = self.exports.interfaces

    def _share(self) -> tuple[Shares, ...]:
        """What each memory and table may have of the limits for all; compiled ones are counted while they run."""
        component, limits = self.component, self._limits
        if component.engine == "wasm2c":
            return ()
        memory = Shares(self.name, census(component.model, MEMORY), MEMORY, limits.memory)
        self._limits = replace(limits, memory=memory.each)
        if self.policy.limits.table_elements is not None:  # that is of each table
            return (memory,)
        table = Shares(self.name, census(component.model, TABLE), TABLE, limits.table_elements)
        self._limits = replace(self._limits, table_elements=table.each)
        return memory, table

    def _make(self) -> None:
        try:
            self._tree.make()
        except _core.CoreError as error:
            pending = self._sys.take_pending()
            if pending is not None:
                raise pending from None
            if error.code in (_core.LINK, _core.INVALID):
                kind = LinkError if error.code == _core.LINK else ModuleError
                raise kind(f"{self.name}: {plain_lines(str(error))}") from None
            raise ending(error.code, error.text, error.exit_code, error.limit) from None

    # ---- running ----

    def run(self, timeout: float | None = None) -> int:
        """Run the program (``wasi:cli/run``); the exit code: 0 when it returns well, 1 when it says that it failed.

        ``timeout``: seconds of wall clock, default ``Limits.wall_time``. Raises Trap, Timeout, LimitExceeded,
        Cancelled, InstanceDead, InstanceBusy, and whatever a callback of yours raised.
        """
        self._check_open()
        name = self.exports.whole(_RUN)
        if name is None:
            listed = ", ".join(self.exports) or "none"
            raise ModuleError(
                f"{self.name}: it does not export wasi:cli/run@0.2, so it is no program: use exports[...]; "
                f"there are: {listed}"
            )
        try:
            found = self._call(self._tree.exports[name][1].exports["run"][1], "run", (), timeout)
        except Exit as end:
            return end.code
        return 1 if isinstance(found, Err) else 0

    def call(self, export: str, *args: Any, timeout: float | None = None) -> Any:
        """Call an exported function under a deadline of its own: ``"add"``, or ``"my:pkg/sensor#read-all"``."""
        item, label = self._find(export)
        return self._call(item, label, args, timeout)

    def parameters(self, export: str) -> tuple[tuple[str, ValueType], ...]:
        """The names and types of an exported function's parameters; ``export`` as :meth:`call` takes it."""
        return self._find(export)[0].signature.type.params

    def _find(self, export: str) -> tuple[Func, str]:
        self._check_open()
        interface, hash_, label = export.rpartition("#")
        name = self.exports.whole(interface if hash_ else label)
        if name is None:
            raise ModuleError(f"{self.name}: no export {interface if hash_ else label!r}")
        sort, item = self._tree.exports[name]
        if hash_ and sort == "instance":
            sort, item = item.exports.get(label, ("", None))
        if sort != "func":
            raise ModuleError(f"{self.name}: no function {label!r} in {name}")
        return item, label

    async def call_async(self, export: str, *args: Any, timeout: float | None = None) -> Any:
        """:meth:`call` on a worker thread; cancelling the task cancels the guest and waits for its end."""
        return await self._in_thread(self.call, export, *args, timeout=timeout)

    async def run_async(self, timeout: float | None = None) -> int:
        """:meth:`run` on a worker thread; cancelling the task cancels the guest and waits for its end."""
        code: int = await self._in_thread(self.run, timeout=timeout)
        return code

    def cancel(self) -> None:
        functions = self._functions
        if functions is not None:
            for core in functions.cores:
                core.cancel()

    def _check_open(self) -> None:
        """What it exports is known until it is closed."""
        if self._functions is None:
            self._check_alive()

    def _function(self, item: Func, label: str) -> Callable[..., Any]:
        """A Python function for an exported one."""
        params = [attribute(name) for name, _type in item.signature.type.params]

        own = self._own

        def call(*args: Any, **kwargs: Any) -> Any:
            instance = own[0]
            if instance is None:
                raise InstanceDead("the instance is closed")
            if kwargs:
                args = (*args, *[kwargs.pop(name) for name in params[len(args) :] if name in kwargs])
                if kwargs:
                    raise TypeError(f"{label}() got an unexpected keyword argument {next(iter(kwargs))!r}")
            return instance._call(item, label, args, None)

        return call

    def _call(self, item: Func, label: str, args: tuple[Any, ...], timeout: float | None) -> Any:
        self._check_alive()
        if item.how == "host":
            return item.made(*args)
        if item.how == "absent":
            raise ModuleError(f"{self.name}: {label} is {item.made}")
        if item.how == "row":
            item = self._forwarded(item, label)
        lane = self._lane(item)
        given = len(item.signature.type.params)
        if len(args) != given:
            listed = ", ".join([attribute(name) for name, _type in item.signature.type.params]) or "none"
            raise TypeError(f"{label}() takes {given} arguments ({listed}), {len(args)} were given")
        if not item.signature.resources:
            self._resources.sent()
            return self._invoke(item, lane, label, args, timeout)
        resources = self._resources
        outer = resources.begin()
        try:
            return self._invoke(item, lane, label, args, timeout)
        finally:
            resources.end(outer)

    def _forwarded(self, item: Func, label: str) -> Func:
        """A function of WASI that the component hands on, as one of its own."""
        found = self._forwards.get(item)
        if found is None:
            functions = self._functions
            assert functions is not None
            if self.component.manifest is not None:
                raise ModuleError(
                    f"{self.name}: {label} is WASI's own function, handed on: a compiled component has no engine "
                    "with which Python could call it"
                )
            functions.start = (functions.start[0], self._deadline(None), get_ident() == MAIN_THREAD)
            found = Func("lift", item.signature, functions.forward(item), item.interface, item.name)
            self._forwards[item] = found
        return found

    def _invoke(
        self, item: Func, lane: _core.Lane, label: str, args: tuple[Any, ...], timeout: float | None
    ) -> Any:
        try:
            err, text, result = item.made.invoke(
                lane, args, self._deadline(timeout), get_ident() == MAIN_THREAD
            )
        except _core.Busy as busy:
            self._resources.kept()
            raise InstanceBusy(str(busy)) from None
        except (TypeError, ValueError, OverflowError) as error:
            self._resources.kept()
            raise _named(error, f"{label}(): ") from None
        except _core.CoreError as error:
            self._resources.kept()
            raise ending(error.code, error.text, error.exit_code, error.limit) from None
        self._raise(err, text, item.made.end)
        return result

    def _lane(self, item: Func) -> _core.Lane:
        """How a function's values go to and fro."""
        found = self._lanes.get(item)
        if found is None:
            found = self._lanes[item] = self._codec.lane(item.signature)
        return found

    def _raise(self, err: int, text: str, end: Callable[[], tuple[int, int, str | None]]) -> None:
        """What a call ended with; nothing when it went well."""
        pending = self._sys.take_pending()
        if err or pending is not None:
            verdict, code, limit = end()
            self._ended = ENDS.get(verdict or err, "host") or "host"
            raise pending or ending(err, text, code, limit if verdict else text)

    # ---- the embedder's side ----

    def _provided(self, func: Func) -> Callable[..., Any] | int:
        """A function of yours as the core calls it."""
        target = func.made
        if isinstance(target, int):
            return target
        resources = self._resources

        def call(*args: Any) -> Any:
            resources.sent()
            try:
                return target(*args)
            finally:
                resources.returned()

        call.__name__ = func.name if func.name == func.interface else f"{func.interface} {func.name}"
        return call

    def _drop(self, resource: Resource, given: Provided) -> Callable[[int], object]:
        self._resources.given[resource] = given
        return self._resources.dropped

    def _destroy(self, resource: Resource, rep: int) -> None:
        """Drop a guest's resource that is yours."""
        if self.end is not None or resource.core is None:
            return
        main = get_ident() == MAIN_THREAD
        try:
            if resource.interface:
                err, text = self._drop_wasi(resource, rep, main)
            else:
                err, text = resource.core.drop(rep, self._deadline(None), main)
        except _core.Busy as busy:
            raise InstanceBusy(str(busy)) from None
        self._raise(err, text, lambda: (err, 0, None))

    def _drop_wasi(self, resource: Resource, rep: int, main: bool) -> tuple[int, str]:
        """Likewise of WASI's: by the function that guests drop it with. A compiled component keeps it to its end."""
        if self.component.manifest is not None:
            return 0, ""
        assert self._functions is not None
        found = self._drops.get(resource)
        if found is None:
            self._functions.start = (self._functions.start[0], self._deadline(None), main)
            found = self._drops[resource] = self._functions.dropper(resource, self._tree.table)
        return found.call(pack("<I", rep), self._deadline(None), main)[:2]

    # ---- looking ----

    @property
    def end(self) -> str | None:
        if self._functions is None:
            return "closed"
        return self._ended

    def _fuel(self) -> int | None:
        if not self.component.counts_fuel or self._functions is None:
            return None
        return min((core.fuel() for core in self._functions.cores), default=None)

    # ---- ending ----

    def _free(self) -> bool:
        functions = self._functions
        if functions is None or functions.root is None:
            return True
        return functions.root.close()

    def _close(self) -> bool:
        if not self._free():
            return False
        self._functions = None
        self._own[0] = None  # functions and classes that somebody keeps do not keep what they were of
        if hasattr(self, "exports"):
            self.exports.close()
        self._resources.destroy, self._resources.attach = _nothing, list
        del self._tree, self._codec
        self._lanes, self._forwards, self._drops = {}, {}, {}
        self._gone()
        return True

    def __enter__(self) -> ComponentInstance:
        return self

    def __del__(self) -> None:
        if getattr(self, "_functions", None) is not None:
            self.close()

    def __repr__(self) -> str:
        return f"<ComponentInstance of {self.name}: {self.end or 'ready'}>"


def _named(error: Exception, where: str) -> Exception:
    """The error of a value, with what it was given to."""
    kinds = (OverflowError, TypeError, ValueError)  # which take a text, as their subclasses need not
    return next(kind for kind in kinds if isinstance(error, kind))(f"{where}{error}")


def _row(interface: str, label: str) -> tuple[str, str] | None:
    """The lowered signature of a function of WASI, by the version track of its interface."""
    front, at, version = interface.partition("@")
    try:
        return _rows().get((f"{front}@{names.canonical(version)}" if at else front, label))
    except ValueError:
        return None


@cache
def _rows() -> dict[tuple[str, str], tuple[str, str]]:
    return {(row[0], row[1]): (row[2], row[3]) for row in _core.row_list()}


def _nothing(_resource: Resource, _rep: int) -> None:
    pass

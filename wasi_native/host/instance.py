"""A guest: made by :meth:`Module.instantiate`, used by one thread at a time."""

from __future__ import annotations

from _thread import get_ident

from .. import _core
from ..errors import Exit, InstanceBusy, InstanceDead, ModuleError, PolicyError
from ..record import replace
from .callbacks import tracer
from .endings import ENDS, ending, link_error, plain_lines
from .guest import MAIN_THREAD, Guest
from .memory import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..policy import Policy
    from . import Call
    from .module import Extern, HostFunction, Module

__all__ = ["Instance"]


class Instance(Guest):
    """A guest. Made by :meth:`Module.instantiate`."""

    def __init__(
        self,
        module: Module,
        policy: Policy,
        functions: Iterable[HostFunction],
        trace: Callable[[Call], object] | None,
        nonblocking_stdio: bool,
        siblings: Mapping[str, Instance],
    ) -> None:
        self.module = module
        self._core: _core.Instance | None = None
        self._initialized = False
        self._siblings = dict(siblings)  # alive as long as we are
        super().__init__(module.host, module.name, policy)
        try:
            if self._limits.fuel is not None and module.manifest is not None and not module.counts_fuel:
                raise PolicyError(
                    f"Policy.limits.fuel: {module.name} was compiled without a count of fuel; "
                    "wasi-native compile --fuel makes one with it"
                )
            if module._many is not None:
                self._share(module._many)
            self._world(nonblocking_stdio)
            sys_ = self._sys
            funcs = [(f.module, f.name, f.params, f.results, f.function, f.context) for f in functions]
            try:
                self._core = _core.Instance(
                    module._open(),
                    sys_,
                    funcs,
                    tracer(trace) if trace else None,
                    self._deadline(None),
                    get_ident() == MAIN_THREAD,
                    [(name, one._open()) for name, one in self._siblings.items()],
                )
            except _core.CoreError as error:
                pending = sys_.take_pending()
                if pending is not None:
                    raise pending from None
                if error.code == _core.LINK:
                    raise link_error(module, funcs, self._siblings) from None
                if error.code == _core.INVALID:
                    raise ModuleError(f"{module.name}: {plain_lines(str(error))}") from None
                raise ending(error.code, error.text, error.exit_code, error.limit) from None
        except BaseException:
            self._leave()
            raise

    def _share(self, raw: bytes) -> None:
        """What each of several memories or tables may have of the limits for all."""
        from ..component.census import of_module

        limits, each = self._limits, self.policy.limits.table_elements  # the policy's is of each table
        memory, tables = of_module(self.name, raw, limits.memory, None if each else limits.table_elements)
        self._limits = replace(limits, memory=memory, table_elements=each or tables)

    def _world(self, nonblocking_stdio: bool) -> None:
        """What the policy grants; or the world of the siblings."""
        for sibling in self._siblings.values():
            self._grants, self._sys = sibling._grants, sibling._sys
            if nonblocking_stdio:
                self._sys.stdio_nonblocking(True)
            return
        super()._world(nonblocking_stdio)

    def _leave(self) -> None:
        self._gone(not self._siblings)
        self._siblings = {}

    # ---- running ----

    def run(self, timeout: float | None = None) -> int:
        """Run the program; the exit code, 0 when it just returns.

        That is ``_start``; else, of a module that speaks WASI 0.2 by name, ``wasi:cli/run@0.2.x#run``, whose
        error is exit code 1. ``timeout``: seconds of wall clock, default ``Limits.wall_time``. Raises Trap,
        Timeout, LimitExceeded, Cancelled, InstanceDead, InstanceBusy, and whatever a callback of yours raised.
        """
        start = "_start" if self._find("_start") is not None else self._run_export()
        if start is None:
            names = ", ".join(e.name for e in self.module.exports if e.kind == "func") or "none"
            raise ModuleError(
                f"{self.module.name}: no _start, so this is a library (reactor): use call(); its functions: {names}"
            )
        try:
            if start == "_start":
                self._invoke(start, (), timeout)
                return 0
            return 1 if self.call(start, timeout=timeout) else 0
        except Exit as end:
            return end.code

    def call(self, export: str, *args: float, timeout: float | None = None) -> Any:
        """Call an exported function with numbers; its result, None or a tuple for none or several.

        Integers come back signed. The first call runs ``_initialize`` where the module has one. Raises as
        :meth:`run`, and Exit when the guest exits; TypeError, OverflowError for wrong arguments.
        """
        if not self._initialized:
            self._initialized = True
            if export != "_initialize" and self._find("_initialize") is not None:
                self._invoke("_initialize", (), timeout)
        return self._invoke(export, args, timeout)

    async def call_async(self, export: str, *args: float, timeout: float | None = None) -> Any:
        """:meth:`call` on a worker thread; cancelling the task cancels the guest and waits for its end."""
        return await self._in_thread(self.call, export, *args, timeout=timeout)

    async def run_async(self, timeout: float | None = None) -> int:
        """:meth:`run` on a worker thread; cancelling the task cancels the guest and waits for its end."""
        code: int = await self._in_thread(self.run, timeout=timeout)
        return code

    def cancel(self) -> None:
        """End the guest: its call raises Cancelled within 100 ms. Any thread, signal handlers; idempotent."""
        core = self._core
        if core is not None:
            core.cancel()

    def _run_export(self) -> str | None:
        """The export that stands for ``run`` of wasi:cli/run, of either kind of names."""
        from ..wasm import is_run

        for item in self.module.exports:
            if item.kind == "func" and is_run(item.name):
                return item.name
        return None

    def _find(self, export: str) -> Extern | None:
        for item in self.module.exports:
            if item.name == export and item.kind == "func":
                return item
        return None

    def _open(self) -> _core.Instance:
        if self._core is None:
            raise InstanceDead("the instance is closed")
        return self._core

    def _invoke(self, export: str, args: tuple[float, ...], timeout: float | None) -> Any:
        core = self._open()
        self._check_alive()
        item = self._find(export)
        if item is None:
            names = ", ".join(e.name for e in self.module.exports if e.kind == "func") or "none"
            raise ModuleError(f"{self.module.name}: no exported function {export!r}; there are: {names}")
        signals = get_ident() == MAIN_THREAD
        try:
            err, text, results = core.call(
                export.encode(), args, item.params, item.results, self._deadline(timeout), signals
            )
        except _core.Busy as busy:
            raise InstanceBusy(str(busy)) from None
        pending = self._sys.take_pending()
        if pending is not None:
            raise pending
        if err:
            raise ending(err, text, *core.end()[1:])
        if len(results) == 1:
            return results[0]
        return tuple(results) if results else None

    # ---- looking ----

    @property
    def end(self) -> str | None:
        """How the guest ended: None while it can run, else "exit", "trap", "timeout", "limit", "cancelled",
        "host", "closed"."""
        if self._core is None:
            return "closed"
        return ENDS.get(self._core.end()[0], "host")

    @property
    def memory(self) -> Memory:
        """The exported memory ``memory``."""
        return self.memory_of("memory")

    def memory_of(self, name: str) -> Memory:
        """The exported memory ``name``; ModuleError when there is none."""
        for item in self.module.exports:
            if item.name == name and item.kind == "memory":
                return Memory(self._open(), name)
        raise ModuleError(f"{self.module.name}: no exported memory {name!r}")

    def _fuel(self) -> int | None:
        return self._open().fuel() if self.module.counts_fuel else None

    # ---- ending ----

    def _close(self) -> bool:
        if not self._open().close():
            return False
        self._core = None
        self._leave()
        return True

    def __enter__(self) -> Instance:
        return self

    def __del__(self) -> None:
        if getattr(self, "_core", None) is not None:
            self.close()

    def __repr__(self) -> str:
        return f"<Instance of {self.module.name}: {self.end or 'ready'}>"

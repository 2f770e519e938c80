"""A guest: made by :meth:`Module.instantiate`, used by one thread at a time."""

from __future__ import annotations

import sys
import time
from _thread import get_ident

from .. import _core
from ..errors import Exit, InstanceBusy, InstanceDead, ModuleError, PolicyError
from .callbacks import tracer
from .endings import ENDS, ending, link_error, plain_lines
from .grants import RESOLVERS, Grants
from .memory import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..policy import Limits, Policy
    from . import Call
    from .host import Host
    from .module import Extern, HostFunction, Module

__all__ = ["Instance", "Usage"]

_MAIN_THREAD = get_ident() if "threading" not in sys.modules else sys.modules["threading"].main_thread().ident


class Usage:
    """What an instance used: bytes of output, CPU time (ns), open descriptors, fuel left (None: not counted)."""

    __slots__ = ("cpu_ns", "fds", "fuel", "output_bytes", "resolver")

    def __init__(self, output_bytes: int, cpu_ns: int, fds: int, resolver: str, fuel: int | None) -> None:
        self.output_bytes, self.cpu_ns, self.fds, self.resolver, self.fuel = (
            output_bytes,
            cpu_ns,
            fds,
            resolver,
            fuel,
        )

    def __repr__(self) -> str:
        return (
            f"Usage(output_bytes={self.output_bytes}, cpu_ns={self.cpu_ns}, fds={self.fds}, "
            f"resolver={self.resolver!r}, fuel={self.fuel})"
        )


class Instance:
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
        host = module.host
        limits = _host_limits(host, policy)
        if limits.fuel is not None and module.manifest is not None and not module.counts_fuel:
            raise PolicyError(
                f"Policy.limits.fuel: {module.name} was compiled without a count of fuel; "
                "wasi-native compile --fuel makes one with it"
            )
        self.module, self.policy, self._limits = module, policy, limits
        self._core: _core.Instance | None = None
        self._initialized = False
        self._captured: dict[int, bytes] = {}
        self._siblings = dict(siblings)  # alive as long as we are
        host._enter(limits.instances)
        try:
            sys_ = self._world(host)
            if nonblocking_stdio:
                sys_.stdio_nonblocking(True)
            funcs = [(f.module, f.name, f.params, f.results, f.function, f.context) for f in functions]
            self._sys = sys_
            try:
                self._core = _core.Instance(
                    module._open(),
                    sys_,
                    funcs,
                    tracer(trace) if trace else None,
                    self._deadline(None),
                    get_ident() == _MAIN_THREAD,
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

    def _world(self, host: Host) -> _core.Sys:
        """What the policy grants; or the world of the siblings."""
        for sibling in self._siblings.values():
            self._grants: Grants = sibling._grants
            return sibling._sys
        self._grants = Grants(self.policy, self._limits, self.module.name, RESOLVERS[host.resolver], host._os)
        return self._grants.build()

    def _leave(self) -> None:
        if not self._siblings and hasattr(self, "_grants"):
            self._grants.close()
        self._siblings = {}
        self.module.host._leave()

    # ---- running ----

    def run(self, timeout: float | None = None) -> int:
        """Run the program (``_start``); the exit code, 0 when it just returns.

        ``timeout``: seconds of wall clock, default ``Limits.wall_time``. Raises Trap, Timeout, LimitExceeded,
        Cancelled, InstanceDead, InstanceBusy, and whatever a callback of yours raised.
        """
        if self._find("_start") is None:
            names = ", ".join(e.name for e in self.module.exports if e.kind == "func") or "none"
            raise ModuleError(
                f"{self.module.name}: no _start, so this is a library (reactor): use call(); its functions: {names}"
            )
        try:
            self._invoke("_start", (), timeout)
        except Exit as end:
            return end.code
        return 0

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

    async def _in_thread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        import asyncio

        task = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # the guest's Cancelled is the task's own doing
            raise

    def cancel(self) -> None:
        """End the guest: its call raises Cancelled within 100 ms. Any thread, signal handlers; idempotent."""
        core = self._core
        if core is not None:
            core.cancel()

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
        ended = self.end
        if ended is not None:
            raise InstanceDead(f"the instance has ended ({ended}) and is not resumed; make a new one")
        item = self._find(export)
        if item is None:
            names = ", ".join(e.name for e in self.module.exports if e.kind == "func") or "none"
            raise ModuleError(f"{self.module.name}: no exported function {export!r}; there are: {names}")
        signals = get_ident() == _MAIN_THREAD
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

    def _deadline(self, timeout: float | None) -> int:
        """Absolute monotonic ns for the core, 0: none."""
        seconds = self._limits.wall_time if timeout is None else timeout
        if seconds is None:
            return 0
        if seconds < 0:
            raise ValueError("a timeout is 0 or more seconds")
        return max(time.monotonic_ns() + int(min(seconds, 1e9) * 1e9), 1)

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

    @property
    def stdout(self) -> bytes:
        """What a Capture of the policy kept of stdout so far; RuntimeError when there is none."""
        return self._capture(1)

    @property
    def stderr(self) -> bytes:
        """The same of stderr."""
        return self._capture(2)

    def _capture(self, fd: int) -> bytes:
        if fd not in self._grants.captures:
            raise RuntimeError(
                f"the policy does not capture {('stdin', 'stdout', 'stderr')[fd]}: use Capture()"
            )
        if self._core is None:
            return self._captured[fd]
        return bytes(self._sys.captured(fd))

    @property
    def usage(self) -> Usage:
        """What it used so far."""
        output, cpu, fds, resolver = self._sys.usage()
        fuel = self._open().fuel() if self.module.counts_fuel else None
        return Usage(output, cpu, fds, "openat2" if resolver == 1 else "walk", fuel)

    @property
    def listening(self) -> tuple[tuple[str, int] | str, ...]:
        """Where the policy's listeners listen: (host, port), or the path of a unix socket."""
        return self._grants.addresses

    # ---- ending ----

    def close(self) -> None:
        """Close the guest's descriptors, free its memory, remove its temporary directories. Idempotent.

        InstanceBusy while a call is under way: cancel it first.
        """
        core = self._core
        if core is None:
            return
        for fd in self._grants.captures:
            self._captured[fd] = bytes(self._sys.captured(fd))
        if not core.close():
            raise InstanceBusy(
                "a call is under way, which cancel() ends, or siblings use this instance: close them first"
            )
        self._core = None
        self._leave()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_core", None) is not None:
            self.close()

    def __repr__(self) -> str:
        return f"<Instance of {self.module.name}: {self.end or 'ready'}>"


def _host_limits(host: Host, policy: Policy) -> Limits:
    """The policy's limits, with the board's where the policy is silent."""
    from ..policy import Limits

    board = host.board.limits
    return policy.limits.merged(
        Limits(memory=board.memory_max_bytes, fds=board.fds, instances=board.instances)
    )

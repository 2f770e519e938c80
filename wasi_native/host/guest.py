"""What every guest has, whether it is a module or a component: a world that a policy grants, deadlines, an end."""

from __future__ import annotations

import sys
import time
from _thread import get_ident
from abc import ABC, abstractmethod

from ..errors import InstanceBusy, InstanceDead
from ..record import replace
from .grants import RESOLVERS, Grants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .. import _core
    from ..policy import Limits, Policy
    from .host import Host

__all__ = ["MAIN_THREAD", "Guest", "Usage"]

_VALUES = 64 << 20  # WN_VALUES_DEFAULT of wasi_native/values.h; a small board has not so much for one guest
_ELEMENT = 16
MAIN_THREAD = get_ident() if "threading" not in sys.modules else sys.modules["threading"].main_thread().ident


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


class Guest(ABC):
    """A guest in its world; a subclass says what runs in it.

    ``name`` is that of what was loaded. While it is alive it counts among the instances of the host.
    """

    name: str
    policy: Policy
    _sys: _core.Sys
    _grants: Grants

    def __init__(self, host: Host, name: str, policy: Policy) -> None:
        self._host, self.name, self.policy = host, name, policy
        self._limits = _host_limits(host, policy)
        self._captured: dict[int, bytes] = {}
        host._enter(self._limits.instances)

    def _world(self, nonblocking_stdio: bool) -> None:
        """A world of its own, with what the policy grants."""
        host = self._host
        self._grants = Grants(self.policy, self._limits, self.name, RESOLVERS[host.resolver], host._os)
        self._sys = self._grants.build()
        if nonblocking_stdio:
            self._sys.stdio_nonblocking(True)

    def _gone(self, of_its_own: bool = True) -> None:
        """It counts no longer; ``of_its_own``: its world ends with it."""
        if of_its_own and hasattr(self, "_grants"):
            self._grants.close()
        self._host._leave()

    # ---- what a subclass says ----

    @property
    @abstractmethod
    def end(self) -> str | None:
        """How the guest ended: None while it can run, else "exit", "trap", "timeout", "limit", "cancelled",
        "host", "closed"."""

    @abstractmethod
    def cancel(self) -> None:
        """End the guest: its call raises Cancelled within 100 ms. Any thread, signal handlers; idempotent."""

    @abstractmethod
    def _fuel(self) -> int | None:
        """What is left; None where it is not counted."""

    @abstractmethod
    def _close(self) -> bool:
        """Free what runs; False while it cannot be."""

    # ---- running ----

    def _check_alive(self) -> None:
        ended = self.end
        if ended is not None:
            raise InstanceDead(f"the instance has ended ({ended}) and is not resumed; make a new one")

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

    def _deadline(self, timeout: float | None) -> int:
        """Absolute monotonic ns for the core, 0: none."""
        seconds = self._limits.wall_time if timeout is None else timeout
        if seconds is None:
            return 0
        if not isinstance(seconds, (int, float)):
            raise TypeError(f"a timeout is a number of seconds, not {type(seconds).__name__}")
        if not seconds >= 0:  # nor no number
            raise ValueError("a timeout is 0 or more seconds")
        return max(time.monotonic_ns() + int(min(seconds, 1e9) * 1e9), 1)

    # ---- looking ----

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
        if self.end == "closed":
            return self._captured[fd]
        return bytes(self._sys.captured(fd))

    @property
    def usage(self) -> Usage:
        """What it used so far."""
        output, cpu, fds, resolver = self._sys.usage()
        return Usage(output, cpu, fds, "openat2" if resolver == 1 else "walk", self._fuel())

    @property
    def listening(self) -> tuple[tuple[str, int] | str, ...]:
        """Where the policy's listeners listen: (host, port), or the path of a unix socket."""
        return self._grants.addresses

    # ---- ending ----

    def close(self) -> None:
        """Close the guest's descriptors, free its memory, remove its temporary directories. Idempotent.

        InstanceBusy while a call is under way: cancel it first.
        """
        if self.end == "closed":
            return
        for fd in self._grants.captures:
            self._captured[fd] = bytes(self._sys.captured(fd))
        if not self._close():
            raise InstanceBusy(
                "a call is under way, which cancel() ends, or siblings use this instance: close them first"
            )

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _host_limits(host: Host, policy: Policy) -> Limits:
    """The policy's limits, with the board's where the policy is silent."""
    from ..policy import Limits

    board = host.board.limits
    memory = board.memory_max_bytes
    merged: Limits = policy.limits.merged(
        Limits(memory=memory, value_bytes=min(memory, _VALUES), fds=board.fds, instances=board.instances)
    )
    if merged.table_elements is None:  # a place in a table is a pointer or two of the host's
        merged = replace(merged, table_elements=max((merged.memory or memory) // _ELEMENT, 1))
    return merged

"""What replaces the outside's time and chance, and what bounds a guest: clocks, random, limits.

Frozen data, like all of :mod:`wasi_native.policy`, which is where to import these from.
"""

from __future__ import annotations

from . import policy_check as check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field, fields, replace
else:
    from .record import dataclass, field, fields, replace

__all__ = ["CLOCKS", "SIZES", "TIMES", "Clock", "Fixed", "Limits", "Offset", "Random"]

_U64 = 2**64 - 1

CLOCKS = ("realtime", "monotonic", "cpu")
"""The clocks of :class:`Clock`."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A clock that stands: it says ``ns`` nanoseconds, and ``step`` (default 0) more after each reading.

    A sleep on it takes no real time: it returns at once and moves the clock on by what was asked for, the
    fixed realtime and monotonic clocks together, so that a program that waits an hour sees it pass. It stops
    at 2**63 - 1. Raises PolicyError.
    """

    ns: int
    step: int = 0

    def __post_init__(self) -> None:
        check.integer("Fixed.ns", self.ns, 0)
        check.integer("Fixed.step", self.step, 0)


@dataclass(frozen=True, slots=True)
class Offset:
    """The system's clock plus ``ns`` nanoseconds (negative: behind it)."""

    ns: int

    def __post_init__(self) -> None:
        check.integer("Offset.ns", self.ns, -check.I63)


@dataclass(frozen=True, slots=True)
class Clock:
    """What the guest's clocks say.

    ``realtime``, ``monotonic`` and ``cpu`` (process and thread CPU time): ``"system"`` (default),
    :class:`Fixed`, :class:`Offset`, or an integer, short for ``Fixed(ns)``. Sleeps on the system clock or
    with an offset take real time, on a fixed clock none. Raises PolicyError.
    """

    realtime: str | int | Fixed | Offset = "system"
    monotonic: str | int | Fixed | Offset = "system"
    cpu: str | int | Fixed | Offset = "system"

    def __post_init__(self) -> None:
        for name in CLOCKS:
            where, value = f"Clock.{name}", getattr(self, name)
            if isinstance(value, int):
                check.integer(where, value, 0)
                check.put(self, **{name: Fixed(value)})
            elif isinstance(value, Offset) and name != "realtime" and value.ns < 0:
                check.fail(where, f"{value.ns} is behind the start; write an offset of 0 or more")
            elif value != "system" and not isinstance(value, (Fixed, Offset)):
                check.fail(
                    where, f"{check.show(value)} is not a clock; write 'system', Fixed(ns) or Offset(ns)"
                )


@dataclass(frozen=True, slots=True)
class Random:
    """Where random bytes come from.

    ``seed``: None (default) = the kernel; an integer from 0 to 2**64 - 1 or 1 to 1024 bytes = the same bytes
    in each run, which are NOT secret. Raises PolicyError.
    """

    seed: int | bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.seed, (bytes, bytearray)):
            if not 1 <= len(self.seed) <= 1024:
                check.fail("Random.seed", f"{len(self.seed)} bytes are no seed; write 1 to 1024 bytes")
            check.put(self, seed=bytes(self.seed))
        elif self.seed is not None:
            check.integer("Random.seed", self.seed, 0, _U64)

    def key(self) -> bytes | None:
        """The seed as 32 bytes for a generator (the same for the same seed, on every board), None without
        one."""
        if self.seed is None:
            return None
        from hashlib import sha256

        raw = b"b" + self.seed if isinstance(self.seed, bytes) else b"i" + self.seed.to_bytes(8, "little")
        return sha256(b"wasi_native random seed\0" + raw).digest()


TIMES = frozenset({"wall_time", "cpu_time"})
"""The limits in seconds."""
SIZES = frozenset(
    {
        "memory",
        "output_bytes",
        "disk_bytes",
        "module_size",
        "wasm_stack",
        "value_bytes",
    }
)
"""The limits in bytes."""
_HIGHEST = {  # as in include/wasi_native/limits.h
    "table_elements": 2**32 - 1,
    "fds": 65536,
    "dirs": 65536,
    "sockets": 65536,
    "iovecs": 1024,
    "subscriptions": 65536,
    "handles": 2**28 - 1,
    "value_bytes": 2**32 - 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one guest may use; None (each default) = what the board affords.

    Times are seconds (int or float), sizes bytes, the others counts; all are above 0. Raises PolicyError.

    * ``wall_time`` of one call, waiting included; ``cpu_time`` of all calls together; ``fuel``: instructions
      as the engine counts them
    * ``memory``: all linear memories; where there are several, each may grow to its share. ``table_elements``: one
      table, default a sixteenth of ``memory`` for all. ``wasm_stack``: the guest's call stack
    * ``fds`` open at once, at most 65536; ``dirs`` and ``sockets`` among them
    * ``iovecs`` of one call, at most 1024; ``subscriptions`` of one poll, at most 65536
    * ``handles`` of resources that one instance of a component holds, and resources of WASI in all
    * ``value_bytes``: strings, lists and records on their way between components and the host, and the Python
      objects made of them: a number in a list is about 36 bytes. Default 64 MiB, on boards no more than a memory
    * ``output_bytes``: stdout and stderr together
    * ``disk_bytes`` and ``inodes`` of each directory whose own quota is None
    * ``instances`` at once; ``module_size``
    """

    wall_time: float | None = None
    cpu_time: float | None = None
    fuel: int | None = None
    memory: int | None = None
    table_elements: int | None = None
    wasm_stack: int | None = None
    fds: int | None = None
    dirs: int | None = None
    sockets: int | None = None
    iovecs: int | None = None
    subscriptions: int | None = None
    handles: int | None = None
    value_bytes: int | None = None
    output_bytes: int | None = None
    disk_bytes: int | None = None
    inodes: int | None = None
    instances: int | None = None
    module_size: int | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            where, value = f"Limits.{item.name}", getattr(self, item.name)
            if value is None:
                continue
            if item.name not in TIMES:
                check.integer(where, value, 1, _HIGHEST.get(item.name, check.I63))
            elif isinstance(value, bool) or not isinstance(value, (int, float)):
                check.fail(where, f"{check.show(value)} is not a number; write seconds")
            elif not 1e-9 <= value <= 1e9:
                check.fail(where, f"{check.show(value)} is out of range; write seconds above 0, at most 1e9")

    def merged(self, base: Limits) -> Limits:
        """These limits, with those of ``base`` wherever a field here is None."""
        gaps = [item.name for item in fields(self) if getattr(self, item.name) is None]
        return replace(self, **{name: getattr(base, name) for name in gaps})

    def describe(self) -> list[str]:
        """One line for people per limit that is set."""
        lines = []
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None:
                unit = (
                    f"{value:g} s"
                    if item.name in TIMES
                    else check.size(value)
                    if item.name in SIZES
                    else value
                )
                lines.append(f"limit {item.name}: {unit}")
        return lines

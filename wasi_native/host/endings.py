"""How guests end, and why modules do not link: verdicts of the core as exceptions."""

from __future__ import annotations

from .. import _core
from ..errors import (
    Cancelled,
    EngineError,
    Exit,
    LimitExceeded,
    LinkError,
    Timeout,
    Trap,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .instance import Instance
    from .module import Module

__all__ = ["ENDS", "ending", "link_error", "plain", "plain_lines"]

ENDS = {
    0: None,
    _core.EXIT: "exit",
    _core.TRAP_BOUNDS: "trap",
    _core.TRAP_ALIGN: "trap",
    _core.TRAP_ENGINE: "trap",
    _core.TRAP_CANON: "trap",
    _core.CANCELLED: "cancelled",
    _core.TIMEOUT: "timeout",
    _core.LIMIT: "limit",
}


def ending(err: int, text: str, exit_code: int, limit: str | None) -> Exception:
    """What a verdict of the core is in Python; ``text`` is "kind: message" and a line per frame."""
    head, *frames = text.split("\n")
    kind, _, message = head.partition(": ")
    trace = tuple(plain(line.strip()) for line in frames)
    if err == _core.EXIT:
        return Exit(exit_code)
    if err == _core.TIMEOUT:
        return Timeout()
    if err == _core.CANCELLED:
        return Cancelled("the guest was cancelled")
    if err == _core.LIMIT:
        return LimitExceeded(limit or "unknown")
    if err == _core.TRAP_BOUNDS:
        return Trap("a system call was given a pointer outside memory", "host-pointer", trace)
    if err == _core.TRAP_ALIGN:
        return Trap("a system call was given a misaligned pointer", "host-alignment", trace)
    if err == _core.TRAP_CANON:
        return Trap(message or head, "component", trace)
    if err == _core.TRAP_ENGINE:
        return Trap(message or head, kind or "trap", trace)
    if err == _core.NOMEM:
        return MemoryError("the host is out of memory")
    return EngineError(head or _core.error_text(err))


_SHARED = {
    "func": "share-functions",
    "memory": "share-memories",
    "table": "share-tables",
    "constant": "share-constants",
    "global": "share-globals",
    "other": "share-globals",
}


def link_error(
    module: Module, functions: list[tuple[Any, ...]], siblings: Mapping[str, Instance]
) -> LinkError:
    """Every missing import, from the module itself: names are the guest's and may hold anything."""
    from ..trace import row_key

    rows = {row[:2]: row[2:4] for row in _core.row_list()}
    mine = {row[:2]: row[2:4] for row in functions}
    known = {row[0] for row in (*rows, *mine)}
    missing = []
    for item in module.imports:
        key = row_key(item.module, item.name)
        row = mine.get((item.module, item.name)) or rows.get(key)
        if item.module in siblings and row is None:
            reason = "no such export of the sibling"
            if any((e.name, e.kind) == (item.name, item.kind) for e in siblings[item.module].module.exports):
                if _SHARED["constant" if item.constant else item.kind] in module.caps:
                    continue
                reason = f"this engine shares no such {item.kind} between instances"
        elif item.kind != "func":
            reason = "only functions can be imported"
        elif row is None:
            reason = "no such function in this module" if key[0] in known else "unknown module"
        elif row != (item.params, item.results):
            reason = "imported with another signature"
        else:
            continue
        missing.append((item.module, item.name, reason))
    lines = "".join(f"\n  {plain(m)} {plain(n)}: {why}" for m, n, why in missing)
    return LinkError(f"{module.name}: imports that nothing provides:{lines}", tuple(missing))


def plain_lines(text: str) -> str:
    """What an engine says, names of the module in it: lines below the first are indented, empty ones left out."""
    return "\n  ".join(plain(line) for line in text.split("\n") if line.strip())


def plain(name: str) -> str:
    """A guest's name that cannot forge a line or drive a terminal."""
    return name if name.isprintable() and name else ascii(name)

"""Instances at the seam, without the host above it."""

from __future__ import annotations

from typing import Any

from wasi_native import _core


def call(
    instance: _core.Instance, name: str, *args: int, kinds: str = "", result: str = "i", deadline: int = 0
) -> Any:
    """The verdict when it is not 0, else the result (None without one)."""
    err, _, values = run(instance, name, *args, kinds=kinds, result=result, deadline=deadline)
    return err if err else values[0] if values else None


def run(
    instance: _core.Instance, name: str, *args: int, kinds: str = "", result: str = "i", deadline: int = 0
) -> tuple[int, str, Any]:
    """(verdict, message, results)."""
    return instance.call(name.encode(), args, kinds or "i" * len(args), result, deadline, False)


def size(instance: _core.Instance, name: bytes = b"memory") -> int:
    return int(instance.memory(name)[0])


def peek(instance: _core.Instance, ptr: int, length: int) -> bytes | None:
    found: bytes | None = instance.memory(b"memory", ptr, length)[1]
    return found


def poke(instance: _core.Instance, ptr: int, data: bytes) -> bool:
    return instance.memory(b"memory", ptr, 0, data)[1] is True

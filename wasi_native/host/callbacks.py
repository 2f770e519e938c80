"""What the embedder's Python objects look like to the core: traces, and streams with every oddity of ``io``."""

from __future__ import annotations

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Call", "reader", "tracer", "writer"]


class Call:
    """One call of a guest, given to the trace function; :meth:`memory` works only while that runs.

    ``module``, ``name``, ``params`` and ``results`` (letters as in :class:`Extern`), ``param_names``, ``args``
    (unsigned), ``result`` (None without one), ``err`` (0, or the verdict that ends the guest), ``error_name``,
    ``nanoseconds``.
    """

    __slots__ = (
        "_core",
        "args",
        "err",
        "error_name",
        "module",
        "name",
        "nanoseconds",
        "param_names",
        "params",
        "result",
        "results",
    )

    def __init__(self, core: _core.Instance, fields: tuple[Any, ...]) -> None:
        self._core = core
        self.module: str = fields[0]
        self.name: str = fields[1]
        self.params: str = fields[2]
        self.results: str = fields[3]
        self.param_names: tuple[str, ...] = tuple(fields[4].split(",")) if fields[4] else ()
        self.args: tuple[int, ...] = fields[5]
        self.result: int | None = fields[6]
        self.err: int = fields[7]
        self.error_name: str = fields[8]
        self.nanoseconds: int = fields[9]

    def memory(self, ptr: int, length: int) -> bytes | None:
        """``length`` bytes of guest memory at ``ptr``; None when outside, or after the trace function."""
        return self._core.traced_memory(ptr, length)


def tracer(trace: Callable[[Call], object]) -> Callable[[_core.Instance, tuple[Any, ...]], None]:
    """The trace function as the core calls it."""

    def traced(core: _core.Instance, fields: tuple[Any, ...]) -> None:
        trace(Call(core, fields))

    return traced


def reader(read: Callable[[int], Any]) -> Callable[[int], bytes | None]:
    """``read`` of a stream; None from a raw one means that it has nothing now."""

    def some(length: int) -> bytes | None:
        got = read(length)
        if got is None:
            return None
        if not isinstance(got, (bytes, bytearray, memoryview)):
            raise TypeError(f"read({length}) of the guest's stdin gave a {type(got).__name__}, not bytes")
        data = bytes(got)
        if len(data) > length:
            raise ValueError(f"read({length}) of the guest's stdin gave {len(data)} bytes")
        return data

    return some


def writer(write: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    """``write`` of a stream; a raw one may take a part, and what is no number means that all was taken."""

    def all_of(data: bytes) -> None:
        while data:
            taken = write(data)
            if not isinstance(taken, int) or taken >= len(data):
                return
            if taken <= 0:
                raise ValueError(f"write() of the guest's output took {taken} bytes")
            data = data[taken:]

    return all_of

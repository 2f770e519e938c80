"""The guest's memory, as Python reads and writes it."""

from __future__ import annotations

from .. import _core
from ..errors import InstanceBusy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Memory"]


class Memory:
    """The guest's linear memory as it is at each access: it moves and grows with the guest.

    ``memory[i]`` is a byte, ``memory[i:j]`` bytes; both can be assigned. IndexError outside.
    """

    __slots__ = ("_core", "_name")

    def __init__(self, core: _core.Instance, name: str) -> None:
        self._core, self._name = core, name.encode()

    def __len__(self) -> int:
        return int(_busy(self._core.memory, self._name)[0])

    def read(self, ptr: int, length: int) -> bytes:
        """``length`` bytes at ``ptr``; IndexError outside."""
        inside = ptr >= 0 and length >= 0
        size, data = _busy(self._core.memory, self._name, ptr, length) if inside else (len(self), None)
        if data is None:
            raise IndexError(f"{length} bytes at {ptr} are outside a memory of {size} bytes")
        return bytes(data)

    def write(self, ptr: int, data: bytes) -> None:
        """All of ``data`` at ``ptr``, or IndexError and nothing."""
        size, done = (
            _busy(self._core.memory, self._name, ptr, 0, bytes(data)) if ptr >= 0 else (len(self), None)
        )
        if done is None:
            raise IndexError(f"{len(data)} bytes at {ptr} are outside a memory of {size} bytes")

    def u8(self, ptr: int) -> int:
        return self.read(ptr, 1)[0]

    def u16(self, ptr: int) -> int:
        return int.from_bytes(self.read(ptr, 2), "little")

    def u32(self, ptr: int) -> int:
        return int.from_bytes(self.read(ptr, 4), "little")

    def u64(self, ptr: int) -> int:
        return int.from_bytes(self.read(ptr, 8), "little")

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                raise ValueError("a slice of memory has no step")
            return self.read(start, max(stop - start, 0))
        return self.u8(key + len(self) if key < 0 else key)

    def __setitem__(self, key: int | slice, value: Any) -> None:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1 or len(value) != max(stop - start, 0):
                raise ValueError("a slice of memory has no step and keeps its length")
            self.write(start, value)
        else:
            self.write(key + len(self) if key < 0 else key, bytes((value,)))


def _busy(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except _core.Busy as busy:
        raise InstanceBusy(str(busy)) from None

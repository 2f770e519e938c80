"""Bytes that nobody trusts, read in order: numbers, counts, names of a WebAssembly binary.

Each read is held against the end of what may be read now, so that a wrong number cannot reach beyond it; the
position, the part under way and the file's name stand in every error.
"""

from __future__ import annotations

from .errors import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["Reader", "leb"]

_NAME_MAX = 100_000


class Reader:
    """A position ``at`` in ``data``, the ``end`` of what may be read now, and ``where`` that is."""

    def __init__(self, data: bytes, name: str, at: int = 0) -> None:
        self.data, self.name = data, name
        self.at, self.end, self.where = at, len(data), "header"

    def fail(self, text: str) -> NoReturn:
        raise ModuleError(f"{self.name}: byte {self.at}, in the {self.where}: {text}")

    def byte(self) -> int:
        if self.at >= self.end:
            self.short()
        value = self.data[self.at]
        self.at += 1
        return value

    def short(self) -> NoReturn:
        self.fail("truncated" if self.end == len(self.data) else "an entry reaches beyond the section")

    def number(self, bits: int = 32) -> int:
        """An unsigned LEB128 of at most ``bits`` bits, no longer than that needs."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= bits:
                self.fail("a number is longer than it may be")
        if value >> bits:
            self.fail("a number is larger than it may be")
        return value

    def skip_signed(self, longest: int) -> int:
        """A signed LEB128 whose value does not matter; its first byte."""
        first = byte = self.byte()
        while byte >= 0x80:
            longest -= 1
            if longest == 0:
                self.fail("a number is longer than it may be")
            byte = self.byte()
        return first

    def count(self, most: int, least: int = 1) -> int:
        """How many entries follow, of at least ``least`` bytes each."""
        value = self.number()
        if value > most:
            self.fail(f"{value} entries, engines take {most}")
        if value * least > self.end - self.at:
            self.short()
        return value

    def take(self, size: int) -> bytes:
        if size > self.end - self.at:
            self.short()
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self) -> str:
        size = self.number()
        if size > _NAME_MAX:
            self.fail(f"a name of {size} bytes, engines take {_NAME_MAX}")
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError:
            self.fail("a name is not UTF-8")


def leb(value: int) -> bytes:
    """An unsigned number as LEB128, no longer than it needs."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])

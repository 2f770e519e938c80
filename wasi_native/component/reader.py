"""Bytes of a component, read in order: :class:`~wasi_native.wasm_bytes.Reader` with what components add.

One reader serves a whole file; who reads a nested part narrows ``end`` and widens it again. ``allow`` holds the names
of gated features that may be met; each other is refused by its name.
"""

from __future__ import annotations

from ..wasm_bytes import Reader as Bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["FEATURES", "Limits", "Reader"]

# Features behind a gate of the specification. Values and start functions are never decoded.
FEATURES = frozenset(
    {
        "error-context",
        "fixed-length lists",
        "memory64",
        "shared threads",
        "stackful lift",
        "synchronous stream operations",
        "threads",
    }
)
_LETTERS = {0x7F: "i", 0x7E: "I", 0x7D: "f", 0x7C: "F", 0x7B: "v"}
_TYPES_MAX = 100_000
_ROOM = 2_000_000
_SIMPLE = frozenset(
    (0x7F, 0x7E, 0x7D, 0x7C, 0x7B, 0x70, 0x6F)
)  # value types of one byte that name no other type
_PAGES_MAX = {False: 1 << 16, True: 1 << 48}  # of memories with 32- and 64-bit addresses


class Limits:
    """How large a memory (``element`` 0) or table is at first and at most (None: nothing said); ``wide``: its
    addresses have 64 bits. ``page``: the power of two of a memory's page, 16 where none is said. ``element``: the
    byte of a table's reference type, -1 where it names another type."""

    __slots__ = ("element", "high", "low", "page", "shared", "wide")

    def __init__(self, low: int, high: int | None, wide: bool, shared: bool, page: int) -> None:
        self.low, self.high, self.wide, self.shared, self.page = low, high, wide, shared, page
        self.element = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Limits):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.element, self.low, self.high))


class Reader(Bytes):
    """A position in the bytes; see :mod:`wasi_native.wasm_bytes`."""

    def __init__(self, data: bytes, name: str, at: int = 0, allow: frozenset[str] = frozenset()) -> None:
        super().__init__(data, name, at)
        self.allow = allow
        self.used: set[str] = set()  # gated features that were met
        self.room = _ROOM  # what may yet be read of core modules

    def number(self, bits: int = 32) -> int:
        at = self.at
        if at < self.end:
            value = self.data[at]
            if value < 0x80:
                self.at = at + 1
                return value
            if at + 1 < self.end and (high := self.data[at + 1]) < 0x80:
                self.at = at + 2
                return value & 0x7F | high << 7
        return super().number(bits)

    def text(self) -> str:
        at = self.at
        if at < self.end and (size := self.data[at]) < 0x80 and at + 1 + size <= self.end:
            try:
                found = self.data[at + 1 : at + 1 + size].decode()
            except UnicodeDecodeError:
                self.fail("a name is not UTF-8")
            self.at = at + 1 + size
            return found
        return super().text()

    def back(self, text: str, bytes_back: int = 1) -> None:
        """Fail at what was just read."""
        self.at -= bytes_back
        self.fail(text)

    def gate(self, feature: str) -> None:
        """``feature`` was met: fail unless it is allowed."""
        self.used.add(feature)
        if feature not in self.allow:
            self.fail(f"{feature}: this feature of components is not offered")

    def reserve(self, room: int) -> None:
        """Take from what may be read of core modules and their types, in the whole file."""
        self.room -= room
        if self.room < 0:
            self.fail("the core modules have too many types, imports and exports together")

    def flag(self, what: str) -> bool:
        """A byte that is 0 or 1."""
        value = self.byte()
        if value > 1:
            self.back(f"the byte 0x{value:02x} of {what} is neither 0 nor 1")
        return value == 1

    def module_header(self) -> None:
        """The first bytes of a core module."""
        if self.take(8) != b"\0asm\1\0\0\0":
            self.back("this is no core module: it does not begin with its header", 8)

    # --- types of core WebAssembly ---

    def letter(self) -> str:
        """A core value type: i i32, I i64, f f32, F f64, v v128, r any reference."""
        code = self.byte()
        known = _LETTERS.get(code)
        if known is not None:
            return known
        if code in (0x63, 0x64):
            self.skip_signed(5)
        elif not 0x69 <= code <= 0x74:
            self.back(f"the unknown value type 0x{code:02x}")
        return "r"

    def letters(self) -> str:
        return "".join([self.letter() for _ in range(self.count(1000))])

    def rec_type(self, form: int, put: Callable[[tuple[str, str] | None], object]) -> None:
        """The types behind ``form``: ``put`` is given (params, results) of each function type, None for others."""
        if form == 0x4E:
            found = self.count(_TYPES_MAX, 2)
            self.reserve(found * 8)
            for _ in range(found):
                put(self.sub_type(self.byte()))
        else:
            put(self.sub_type(form))

    def sub_type(self, form: int) -> tuple[str, str] | None:
        if form in (0x50, 0x4F):
            for _ in range(self.count(1000)):
                self.number()
            form = self.byte()
        if form == 0x60:
            return self.letters(), self.letters()
        if form not in (0x5F, 0x5E):
            self.back(f"the unknown kind of core type 0x{form:02x}")
        for _ in range(self.count(10_000, 2) if form == 0x5F else 1):
            if self.at < self.end and self.data[self.at] in (0x78, 0x77):  # i8, i16
                self.at += 1
            else:
                self.letter()
            self.flag("a field's mutability")
        return None

    def limits(self) -> Limits:
        """Limits of a memory or table."""
        flags = self.byte()
        if flags & ~0x0F:
            self.back(f"the unknown flags 0x{flags:02x} of a memory or table")
        bits = 64 if flags & 4 else 32
        low, high = self.number(bits), self.number(bits) if flags & 1 else None
        if high is not None and high < low:
            self.fail(f"the limits of a memory or table begin at {low} and end at {high}")
        return Limits(low, high, bool(flags & 4), bool(flags & 2), self.number() if flags & 8 else 16)

    def memory_type(self) -> Limits:
        """The type of a memory."""
        found = self.limits()
        most = _PAGES_MAX[found.wide]
        if found.page == 16 and max(found.low, found.high or 0) > most:
            self.fail(f"a memory of {max(found.low, found.high or 0)} pages, at most {most} are allowed")
        return found

    def table_type(self) -> Limits:
        """The type of a table."""
        element = self.simple()
        found = self.limits()
        found.element = element
        return found

    def simple(self) -> int:
        """A value type: its byte, -1 where it names another type."""
        code = self.data[self.at] if self.at < self.end else 0
        self.letter()
        return code if code in _SIMPLE else -1

    def core_extern(self, kind: int) -> Any:
        """The type of an import of ``kind``: a function's or tag's type index, the Limits of a table or memory, and
        of a global its value type (as of :meth:`simple`) and whether it can be set."""
        if kind == 0:
            return self.number()
        if kind == 1:
            return self.table_type()
        if kind == 2:
            return self.memory_type()
        if kind == 3:
            return self.simple(), self.flag("a global's mutability")
        if kind == 4:
            if self.byte():
                self.back("an unknown attribute of a tag")
            return self.number()
        self.back(f"the unknown kind 0x{kind:02x} of a core import or export")
        return 0

    def skip_constant(self) -> bool:
        """Go behind a constant expression; whether that was possible, for rare ones are not known."""
        while True:
            code = self.byte()
            if code == 0x0B:
                return True
            if code in (0x41, 0x42):
                self.skip_signed(5 if code == 0x41 else 10)
            elif code in (0x43, 0x44):
                self.take(4 if code == 0x43 else 8)
            elif code in (0x23, 0xD2):  # global.get, ref.func
                self.number()
            elif code == 0xD0:  # ref.null
                self.skip_signed(5)
            elif code not in (0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E):  # add, sub, mul
                return False

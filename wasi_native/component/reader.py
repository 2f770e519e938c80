"""Bytes of a component, read in order: :class:`~wasi_native.wasm_bytes.Reader` with what components add.

One reader serves a whole file; who reads a nested part narrows ``end`` and widens it again. ``allow`` holds the names
of gated features that may be met; each other is refused by its name.
"""

from __future__ import annotations

from ..wasm_bytes import Reader as Bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FEATURES", "Reader"]

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

    def limits(self) -> bool:
        """Limits of a memory or table; whether its addresses have 64 bits."""
        flags = self.byte()
        if flags & ~0x0F:
            self.back(f"the unknown flags 0x{flags:02x} of a memory or table")
        bits = 64 if flags & 4 else 32
        self.number(bits)
        if flags & 1:
            self.number(bits)
        if flags & 8:
            self.number()
        return bits == 64

    def core_extern(self, kind: int) -> int:
        """The type of an import of ``kind``: a function's or tag's type index; 1 for a 64-bit memory or table, and
        for a global that changes."""
        if kind == 0:
            return self.number()
        if kind == 1:
            self.letter()
            return int(self.limits())
        if kind == 2:
            return int(self.limits())
        if kind == 3:
            self.letter()
            return int(self.flag("a global's mutability"))
        if kind == 4:
            if self.byte():
                self.back("an unknown attribute of a tag")
            return self.number()
        self.back(f"the unknown kind 0x{kind:02x} of a core import or export")
        return 0

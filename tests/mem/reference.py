"""The canonical ABI once more, written from its text and for clarity alone: what the core must do, byte by byte.

It knows types by kind and parts, computes their layout itself, and speaks the streams of ``values.h``. What it shares
with the core is the texts of traps.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from wasi_native.component.types import Value

BYTES_MAX = (1 << 28) - 1
NUMBERS = {"u8": "B", "s8": "b", "u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q"}
CODECS = ["utf-8", "utf-16-le", "latin-1", "utf-16-le"]  # by WN_TEXT_*
UTF8, UTF16, LATIN1, UTF16_MAYBE = range(4)


class Trap(Exception):
    pass


def cases(t: Value) -> list[Value | None]:
    if t.kind == "variant":
        return [payload for _label, payload in t.parts]
    if t.kind == "enum":
        return [None] * len(t.parts)
    return [None, *t.parts] if t.kind == "option" else list(t.parts)


def fields(t: Value) -> list[Value]:
    return [part for _label, part in t.parts] if t.kind == "record" else list(t.parts)


def tag_size(count: int) -> int:
    return 1 if count <= 256 else 2 if count <= 65536 else 4


class Pair:
    """What a map holds: as a tuple."""

    kind = "tuple"

    def __init__(self, parts: tuple[Value, ...]) -> None:
        self.parts = parts


def up(at: int, align: int) -> int:
    return (at + align - 1) // align * align


def layout(t: Any) -> tuple[int, int]:
    """Size and alignment."""
    kind = t.kind
    if kind in NUMBERS:
        return struct.calcsize("<" + NUMBERS[kind]), struct.calcsize("<" + NUMBERS[kind])
    if kind in ("string", "map") or (kind == "list" and t.parts[1] is None):
        return 8, 4
    if kind == "bool":
        return 1, 1
    if kind == "f64":
        return 8, 8
    if kind == "flags":
        size = 1 if len(t.parts) <= 8 else 2 if len(t.parts) <= 16 else 4
        return size, size
    if kind == "list":
        size, align = layout(t.parts[0])
        return size * t.parts[1], align
    if kind in ("record", "tuple"):
        at, most = 0, 1
        for part in fields(t):
            size, align = layout(part)
            at, most = up(at, align) + size, max(most, align)
        return up(at, most), most
    if kind in ("variant", "enum", "option", "result"):
        tag = tag_size(len(cases(t)))
        inside = [layout(part) for part in cases(t) if part is not None]
        place = max([1, *(align for _size, align in inside)])
        size = up(tag, place) + max([0, *(size for size, _align in inside)])
        return up(size, max(tag, place)), max(tag, place)
    return 4, 4  # f32, char, own, borrow


def flat(t: Any) -> int:
    """How many core values."""
    if t.kind in ("string", "map"):
        return 2
    if t.kind == "list":
        return 2 if t.parts[1] is None else t.parts[1] * flat(t.parts[0])
    if t.kind in ("record", "tuple"):
        return sum(flat(part) for part in fields(t))
    if t.kind in ("variant", "enum", "option", "result"):
        return 1 + max([0, *(flat(part) for part in cases(t) if part is not None)])
    return 1


def quiet(bits: int, size: int) -> int:
    """The bits of a float, a NaN being the canonical one."""
    value = struct.unpack("<f" if size == 4 else "<d", bits.to_bytes(size, "little"))[0]
    if value == value:
        return bits
    return 0x7FC00000 if size == 4 else 0x7FF8000000000000


class Reader:
    """A stream that is read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "little")


class Reference:
    """One guest: its memory, encoding, realloc and handles, as :class:`tests.mem.probe.Guest` takes them."""

    def __init__(
        self,
        memory: bytes = b"",
        encoding: str = "utf8",
        realloc: Callable[[int, int, int, int], int] | None = None,
        handle: Callable[[int, int, int], int] | None = None,
        fused: bool = False,
    ) -> None:
        self.memory, self.encoding, self.fused = bytearray(memory), encoding, fused
        self.realloc, self.handle = realloc, handle
        self.resources: dict[int, int] = {}

    # ---- pointers ----

    def look(self, place: str, ptr: int, size: int, align: int) -> None:
        if size > BYTES_MAX:
            raise Trap(f"{place} too long")
        if ptr % align:
            raise Trap("unaligned pointer")
        if ptr + size > len(self.memory):
            raise Trap(self.outside(place))

    def outside(self, place: str) -> str:
        if place == "tuple":
            return "pointer out of bounds of memory"
        if self.fused:
            return f"{place} content out-of-bounds"
        return f"{place} pointer/length out of bounds of memory"

    def get(self, place: str, old: int, old_size: int, align: int, size: int) -> int:
        """From realloc, looked at."""
        assert self.realloc is not None
        ptr = self.realloc(old, old_size, align, size)
        if ptr % align:
            raise Trap("unaligned pointer" if self.fused else "realloc return: result not aligned")
        if ptr + size > len(self.memory):
            raise Trap(self.outside(place) if self.fused else "realloc return: beyond end of memory")
        return ptr

    def read(self, ptr: int, size: int) -> int:
        return int.from_bytes(self.memory[ptr : ptr + size], "little")

    def write(self, ptr: int, data: bytes) -> None:
        assert ptr + len(data) <= len(self.memory)
        self.memory[ptr : ptr + len(data)] = data

    def resource(self, t: Any) -> int:
        return self.resources.setdefault(t.parts[0], len(self.resources))

    # ---- from the guest ----

    def scalar(self, t: Any, bits: int) -> bytes | None:
        """What one number of the guest is in a stream; None of other types."""
        kind = t.kind
        if kind == "bool":
            return bytes([bits != 0])
        if kind in NUMBERS or kind in ("f32", "f64"):
            size = layout(t)[0]
            bits &= (1 << 8 * size) - 1
            return (quiet(bits, size) if kind[0] == "f" else bits).to_bytes(size, "little")
        if kind == "char":
            if bits >= 0x110000 or 0xD800 <= bits < 0xE000:
                raise Trap("invalid `char` bit pattern")
            return struct.pack("<I", bits)
        if kind == "flags":
            return struct.pack("<I", bits & (1 << len(t.parts)) - 1)
        if kind in ("own", "borrow"):
            assert self.handle is not None
            return struct.pack("<I", self.handle(0 if kind == "own" else 1, self.resource(t), bits))
        return None

    def text(self, ptr: int, units: int) -> bytes:
        how = {"utf8": UTF8, "utf16": UTF16}.get(self.encoding, LATIN1)
        if how == LATIN1 and units >> 31:
            how, units = UTF16_MAYBE, units & 0x7FFFFFFF
        size = units * (2 if how in (UTF16, UTF16_MAYBE) else 1)
        self.look("string", ptr, size, 1 if how == UTF8 else 2)
        data = bytes(self.memory[ptr : ptr + size])
        try:
            data.decode(CODECS[how])
        except UnicodeDecodeError as error:
            if how != UTF8:
                raise Trap("invalid utf-16: an unpaired surrogate") from None
            cut = error.reason == "unexpected end of data"
            raise Trap("incomplete utf-8 byte sequence" if cut else "invalid utf-8") from None
        return bytes([how]) + struct.pack("<I", units) + data

    def listed(self, element: Any, ptr: int, count: int) -> bytes:
        size, align = layout(element)
        self.look("list", ptr, size * count, align)
        return struct.pack("<I", count) + b"".join(self.load(element, ptr + i * size) for i in range(count))

    def load(self, t: Any, ptr: int) -> bytes:
        kind = t.kind
        if kind == "string":
            return self.text(self.read(ptr, 4), self.read(ptr + 4, 4))
        if kind == "map" or (kind == "list" and t.parts[1] is None):
            element = Pair(t.parts) if kind == "map" else t.parts[0]
            return self.listed(element, self.read(ptr, 4), self.read(ptr + 4, 4))
        if kind == "list":
            size = layout(t.parts[0])[0]
            return b"".join(self.load(t.parts[0], ptr + i * size) for i in range(t.parts[1]))
        if kind in ("record", "tuple"):
            return b"".join(self.load(part, ptr + at) for part, at in self.places(t))
        if kind in ("variant", "enum", "option", "result"):
            tag = self.read(ptr, tag_size(len(cases(t))))
            payload = self.case(t, tag)
            at = self.payload(t)
            return struct.pack("<I", tag) + (b"" if payload is None else self.load(payload, ptr + at))
        found = self.scalar(t, self.read(ptr, layout(t)[0]))
        assert found is not None
        return found

    def places(self, t: Any) -> Iterator[tuple[Any, int]]:
        at = 0
        for part in fields(t):
            size, align = layout(part)
            yield part, up(at, align)
            at = up(at, align) + size

    def payload(self, t: Any) -> int:
        inside = [layout(part)[1] for part in cases(t) if part is not None]
        return up(tag_size(len(cases(t))), max([1, *inside]))

    def case(self, t: Any, tag: int) -> Any:
        if tag >= len(cases(t)):
            raise Trap("invalid variant discriminant")
        return cases(t)[tag]

    def lift_flat(self, t: Any, core: Iterator[int]) -> bytes:
        kind = t.kind
        if kind == "string":
            return self.text(next(core) & 0xFFFFFFFF, next(core) & 0xFFFFFFFF)
        if kind == "map" or (kind == "list" and t.parts[1] is None):
            element = Pair(t.parts) if kind == "map" else t.parts[0]
            return self.listed(element, next(core) & 0xFFFFFFFF, next(core) & 0xFFFFFFFF)
        if kind == "list":
            return b"".join([self.lift_flat(t.parts[0], core) for _ in range(t.parts[1])])
        if kind in ("record", "tuple"):
            return b"".join([self.lift_flat(part, core) for part in fields(t)])
        if kind in ("variant", "enum", "option", "result"):
            mine = [next(core) for _ in range(flat(t))]
            tag = mine[0] & 0xFFFFFFFF
            payload = self.case(t, tag)
            rest = b"" if payload is None else self.lift_flat(payload, iter(mine[1:]))
            return struct.pack("<I", tag) + rest
        bits = next(core)
        found = self.scalar(t, bits if kind in ("u64", "s64", "f64") else bits & 0xFFFFFFFF)
        assert found is not None
        return found

    def lift(self, types: list[Value], most: int, core: list[int]) -> bytes:
        if sum(flat(t) for t in types) <= most:
            numbers = iter(core)
            return b"".join([self.lift_flat(t, numbers) for t in types])
        whole, ptr = Pair(tuple(types)), core[0] & 0xFFFFFFFF
        self.look("tuple", ptr, *layout(whole))
        return self.load(whole, ptr)

    # ---- to the guest ----

    def number(self, t: Any, stream: Reader) -> int | None:
        """One number for the guest, as wide as it stands in memory; None of other types."""
        kind = t.kind
        if kind in NUMBERS or kind in ("bool", "f32", "f64", "char"):
            size = layout(t)[0]
            bits = stream.number(size)
            return quiet(bits, size) if kind in ("f32", "f64") else bits
        if kind == "flags":
            return stream.number()
        if kind in ("own", "borrow"):
            assert self.handle is not None
            return self.handle(2 if kind == "own" else 3, self.resource(t), stream.number())
        return None

    def put_text(self, stream: Reader) -> tuple[int, int]:
        how, units = stream.number(1), stream.number()
        wide = how in (UTF16, UTF16_MAYBE)
        data = stream.take(units * (1 + wide))
        text = data.decode(CODECS[how])
        if self.encoding == "utf8":
            return self.to_utf8(how, units, data, text)
        if self.encoding == "utf16":
            return self.to_utf16(how, units, text)
        return self.to_latin1(how, units, data, text)

    def to_utf8(self, how: int, units: int, data: bytes, text: str) -> tuple[int, int]:
        ptr = self.get("string", 0, 0, 1, units)
        if how == UTF8 or text.isascii():
            self.write(ptr, text.encode())
            return ptr, units
        ascii_before = next(i for i, char in enumerate(text) if char >= "\x80")
        self.write(ptr, text[:ascii_before].encode())
        worst = units * (2 if how == LATIN1 else 3)
        ptr = self.get("string", ptr, units, 1, worst)
        whole = text.encode()
        self.write(ptr + ascii_before, whole[ascii_before:])
        if worst > len(whole):
            ptr = self.get("string", ptr, worst, 1, len(whole))
        return ptr, len(whole)

    def to_utf16(self, how: int, units: int, text: str) -> tuple[int, int]:
        whole = text.encode("utf-16-le")
        ptr = self.get("string", 0, 0, 2, 2 * units)
        self.write(ptr, whole)
        if len(whole) < 2 * units:
            ptr = self.get("string", ptr, 2 * units, 2, len(whole))
        return ptr, len(whole) // 2

    def to_latin1(self, how: int, units: int, data: bytes, text: str) -> tuple[int, int]:
        narrow = all(char < "\u0100" for char in text)
        if how == LATIN1:
            ptr = self.get("string", 0, 0, 2, units)
            self.write(ptr, data)
            return ptr, units
        if how == UTF16_MAYBE:
            ptr = self.get("string", 0, 0, 2, len(data))
            self.write(ptr, data)
            if not narrow:
                return ptr, units | 1 << 31
            self.write(ptr, text.encode("latin-1"))
            return self.get("string", ptr, len(data), 1, units), units
        ptr = self.get("string", 0, 0, 2, units)
        before = next((i for i, char in enumerate(text) if char >= "\u0100"), len(text))
        self.write(ptr, text[:before].encode("latin-1"))
        if narrow:
            if before < units:
                ptr = self.get("string", ptr, units, 2, before)
            return ptr, before
        whole = text.encode("utf-16-le")
        ptr = self.get("string", ptr, units, 2, 2 * units)
        kept = bytes(self.memory[ptr : ptr + before])
        self.write(ptr, b"".join(bytes([byte, 0]) for byte in kept) + whole[2 * before :])
        if len(whole) < 2 * units:
            ptr = self.get("string", ptr, 2 * units, 2, len(whole))
        return ptr, len(whole) // 2 | 1 << 31

    def pair(self, t: Any, stream: Reader) -> tuple[int, int] | None:
        """Pointer and length of what is stored elsewhere; None of other types."""
        if t.kind == "string":
            return self.put_text(stream)
        if t.kind == "map" or (t.kind == "list" and t.parts[1] is None):
            element = Pair(t.parts) if t.kind == "map" else t.parts[0]
            size, align = layout(element)
            count = stream.number()
            ptr = self.get("list", 0, 0, align, count * size)
            for i in range(count):
                self.store(element, stream, ptr + i * size)
            return ptr, count
        return None

    def store(self, t: Any, stream: Reader, ptr: int) -> None:
        found = self.pair(t, stream)
        if found is not None:
            self.write(ptr, struct.pack("<II", *found))
        elif t.kind == "list":
            for i in range(t.parts[1]):
                self.store(t.parts[0], stream, ptr + i * layout(t.parts[0])[0])
        elif t.kind in ("record", "tuple"):
            for part, at in self.places(t):
                self.store(part, stream, ptr + at)
        elif t.kind in ("variant", "enum", "option", "result"):
            tag = stream.number()
            self.write(ptr, tag.to_bytes(tag_size(len(cases(t))), "little"))
            payload = self.case(t, tag)
            if payload is not None:
                self.store(payload, stream, ptr + self.payload(t))
        else:
            number = self.number(t, stream)
            assert number is not None
            self.write(ptr, number.to_bytes(layout(t)[0], "little"))

    def lower_flat(self, t: Any, stream: Reader) -> list[int]:
        found = self.pair(t, stream)
        if found is not None:
            return list(found)
        if t.kind == "list":
            return [n for _ in range(t.parts[1]) for n in self.lower_flat(t.parts[0], stream)]
        if t.kind in ("record", "tuple"):
            return [n for part in fields(t) for n in self.lower_flat(part, stream)]
        if t.kind in ("variant", "enum", "option", "result"):
            tag = stream.number()
            payload = self.case(t, tag)
            core = [tag, *([] if payload is None else self.lower_flat(payload, stream))]
            return core + [0] * (flat(t) - len(core))
        number = self.number(t, stream)
        assert number is not None
        if t.kind in ("s8", "s16"):  # as an i32
            half = 1 << (8 * layout(t)[0] - 1)
            number = ((number ^ half) - half) & 0xFFFFFFFF
        return [number]

    def lower(self, types: list[Value], most: int, stream: bytes, ret: int | None = None) -> list[int]:
        """The core values; of a result that goes to ``ret`` none."""
        reader = Reader(stream)
        if sum(flat(t) for t in types) <= most:
            return [n for t in types for n in self.lower_flat(t, reader)]
        whole = Pair(tuple(types))
        size, align = layout(whole)
        if ret is None:
            ptr = self.get("tuple", 0, 0, align, size)
        else:
            ptr = ret
            self.look("tuple", ptr, size, align)
        self.store(whole, reader, ptr)
        return [ptr] if ret is None else []

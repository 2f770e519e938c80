"""A core module around one function of WASI, for callers that are no guest.

A function of WASI works on the memory of whoever calls it. When a component exports one that it imports, and Python
calls that, nobody has a memory: this module is what a component would have around it, the function lowered into it
and lifted out of it again. Its memory is taken from the front with each call, and free again after it.
"""

from __future__ import annotations

from ..wasm_bytes import leb
from .core_module import CoreModule
from .reader import Reader
from .types import FLAT_PARAMS_MAX, flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .types import Function

__all__ = ["FUNCTION", "MEMORY", "POST_RETURN", "REALLOC", "forwarder"]

FUNCTION, MEMORY, POST_RETURN, REALLOC = "f", "m", "p", "r"  # its exports; it imports "" "f"
_CODES = {"i": 0x7F, "I": 0x7E, "f": 0x7D, "F": 0x7C}
_BASE = b"\x41\x10"  # i32.const 16: where the memory that is given out begins
# realloc(old, old size, alignment, size): above all that was given out, with what was in the old place.
_REALLOC_BODY = bytes.fromhex(
    "01 02 7f"  # two locals: 4 the place, 5 its end
    "23 00 20 02 6a 41 01 6b 41 00 20 02 6b 71 22 04"  # (top + alignment - 1) & -alignment
    "20 03 6a 22 05 20 04 49 04 40 00 0b"  # + size; unreachable where that wraps around
    "02 40 20 05 3f 00 41 10 74 4d 0d 00"  # there is room: go on; else
    "20 05 3f 00 41 10 74 6b 41 ff ff 03 6a 41 10 76 40 00 41 7f 46 04 40 00 0b 0b"  # grow, or unreachable
    "20 01 20 03 20 01 20 03 49 1b 21 01"  # as much of the old as there is room for
    "02 40 03 40 20 01 45 0d 01 20 01 41 01 6b 22 01 20 04 6a 20 00 20 01 6a 2d 00 00 3a 00 00 0c 00 0b 0b"
    "20 05 24 00 20 04 0b"
)


def forwarder(function: Function, name: str) -> tuple[CoreModule, list[int]]:
    """The module for a function of that type, and the numbers of resources whose drop it imports, in order, as ""
    "d0" and so on. ``name`` stands in errors. ValueError: what it borrows is where no function of WASI has it."""
    lowered, lifted = flatten(function, "lower"), flatten(function, "lift")
    drops: list[int] = []
    call, back = b"\x10\0", _given_back(function, drops)
    helpers = 1 + len(drops)  # the functions of the module's own: the forwarder, realloc, post-return
    body = b"".join([b"\x20" + bytes([index]) for index in range(len(lifted[0]))])
    if lowered == lifted:
        code = b"\0" + body + call + back + b"\x0b"
    else:  # the result goes to a place of ours
        assert function.result is not None and lowered == (lifted[0] + "i", "")
        place = bytes([len(lifted[0])])
        room = b"\x41\0\x41\0\x41" + _signed(function.result.align) + b"\x41" + _signed(function.result.size)
        room += b"\x10" + bytes([helpers + 1]) + b"\x22" + place
        code = b"\1\1\x7f" + body + room + call + back + b"\x20" + place + b"\x0b"
    types = [("iiii", "i"), lowered, lifted, (lifted[1], ""), ("i", "")]
    names = [f"d{index}".encode() for index in range(len(drops))]
    exports = enumerate((FUNCTION, REALLOC, POST_RETURN), helpers)
    sections = [
        (1, [b"\x60" + _types(params) + _types(results) for params, results in types]),
        (2, [b"\0\1f\0\1", *[b"\0" + _sized(text) + b"\0\4" for text in names]]),
        (3, [b"\2", b"\0", b"\3"]),
        (5, [b"\0\1"]),
        (6, [b"\x7f\1" + _BASE + b"\x0b"]),
        (7, [*[_sized(text.encode()) + b"\0" + bytes([index]) for index, text in exports], b"\1m\2\0"]),
        (10, [_sized(code), _sized(_REALLOC_BODY), _sized(b"\0" + _BASE + b"\x24\0\x0b")]),
    ]
    data = b"\0asm\1\0\0\0"
    for number, entries in sections:
        data += bytes([number]) + _sized(bytes([len(entries)]) + b"".join(entries))
    return CoreModule(Reader(data, name), 0, len(data)), drops


def _given_back(function: Function, drops: list[int]) -> bytes:
    """The code that drops the handles that were borrowed for the call; ``drops`` gets the resources."""
    code, place = b"", 0
    for value in function.params:
        listed = value.kind == "list" and value.parts[0].kind == "borrow"
        if value.kind == "borrow" or listed:
            number = value.parts[0].parts[0] if listed else value.parts[0]
            if number not in drops:
                drops.append(number)
            drop = b"\x10" + bytes([1 + drops.index(number)])
            one, two = bytes([place]), bytes([place + 1])
            if listed:
                code += b"\x02\x40\x03\x40\x20" + two + b"\x45\x0d\1\x20" + one + b"\x28\2\0" + drop
                code += b"\x20" + one + b"\x41\4\x6a\x21" + one + b"\x20" + two + b"\x41\1\x6b\x21" + two
                code += b"\x0c\0\x0b\x0b"
            else:
                code += b"\x20" + one + drop
        elif value.borrows:
            raise ValueError("it borrows within what it takes")
        place += len(value.flat)
    if drops and place > FLAT_PARAMS_MAX:
        raise ValueError("it borrows, and takes too much to be passed directly")
    return code


def _types(letters: str) -> bytes:
    return bytes([len(letters), *[_CODES[letter] for letter in letters]])


def _sized(body: bytes) -> bytes:
    return leb(len(body)) + body


def _signed(value: int) -> bytes:
    """An i32.const's number, below 1 << 27."""
    return bytes([value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14 & 0x7F | 0x80, value >> 21])

"""Writes component binaries byte by byte, right or wrong ones."""

from __future__ import annotations

from wasi_native.component import FEATURES, Component, decode

HEAD = b"\0asm\x0d\0\1\0"
MODULE = b"\0asm\1\0\0\0"
NONE: frozenset[str] = frozenset()


def leb(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def name(text: str) -> bytes:
    raw = text.encode()
    return leb(len(raw)) + raw


def many(*entries: bytes) -> bytes:
    return leb(len(entries)) + b"".join(entries)


def section(code: int, *entries: bytes) -> bytes:
    """A section of entries; of one piece for core modules (1) and components (4)."""
    body = entries[0] if code in (1, 4) else many(*entries)
    return bytes([code]) + leb(len(body)) + body


def types(*entries: bytes) -> bytes:
    return section(7, *entries)


def component(*sections: bytes) -> bytes:
    return HEAD + b"".join(sections)


def plain(text: str) -> bytes:
    """A name of an import or export."""
    return b"\0" + name(text)


def read(*sections: bytes, allow: frozenset[str] = FEATURES) -> Component:
    """Decodes a component of these sections."""
    return decode(component(*sections), "c.wasm", allow)


FUNC = b"\x40\0\1\0"  # the type of a function without anything
INSTANCE = b"\x42\0"  # an empty type of instances
RESOURCE = b"\x3f\x7f\0"
EMPTY_MODULE = section(1, MODULE)

"""Numbers, counts and names out of bytes that nobody trusts."""

from __future__ import annotations

import random

import pytest

from wasi_native.errors import ModuleError
from wasi_native.wasm_bytes import Reader
from wasi_native.wasm_bytes import leb as written


def reader(data: bytes) -> Reader:
    return Reader(data, "x.wasm")


def leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


@pytest.mark.parametrize("bits", [32, 64])
def test_numbers(bits: int) -> None:
    for value in (0, 1, 127, 128, 16383, 16384, 2**31, 2**32 - 1, 2**63, 2**64 - 1):
        if value < 2**bits:
            assert reader(leb(value)).number(bits) == value
    chance = random.Random(1)
    for _ in range(500):
        value = chance.getrandbits(bits)
        assert reader(leb(value) + b"\xff").number(bits) == value
    assert reader(b"\x80\x80\x80\x80\x00").number() == 0, "padding up to the longest form is allowed"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "truncated"),
        (b"\x80", "truncated"),
        (b"\x80\x80\x80\x80\x80\x00", "longer"),
        (b"\xff\xff\xff\xff\x1f", "larger"),
    ],
)
def test_wrong_numbers(data: bytes, words: str) -> None:
    with pytest.raises(ModuleError, match=f"^x.wasm: byte .*{words}"):
        reader(data).number()


def test_signed_numbers_are_skipped() -> None:
    view = reader(b"\x7f\xff\x7f\x01")
    assert view.skip_signed(5) == 0x7F and view.skip_signed(5) == 0xFF and view.at == 3
    with pytest.raises(ModuleError, match="longer"):
        reader(b"\xff" * 6).skip_signed(5)


def test_counts_are_held_against_what_is_left() -> None:
    assert reader(b"\2ab").count(10) == 2
    with pytest.raises(ModuleError, match="truncated"):
        reader(b"\2ab").count(10, 2)
    with pytest.raises(ModuleError, match="engines take 1"):
        reader(b"\2ab").count(1)


def test_nothing_is_read_beyond_the_end() -> None:
    view = reader(b"abcdef")
    view.end = 3
    assert view.take(3) == b"abc"
    for call in (lambda: view.take(1), view.byte, view.number):
        with pytest.raises(ModuleError, match="reaches beyond the section"):
            call()


def test_names() -> None:
    assert reader(b"\x05h\xc3\xa9llo"[:7]).text() == "héll"
    with pytest.raises(ModuleError, match="not UTF-8"):
        reader(b"\1\xff").text()
    with pytest.raises(ModuleError, match="200000 bytes"):
        reader(leb(200_000)).text()


def test_numbers_are_written_as_they_are_read() -> None:
    for value, raw in ((0, b"\0"), (127, b"\x7f"), (128, b"\x80\1"), (1 << 32, b"\x80\x80\x80\x80\x10")):
        assert written(value) == raw and Reader(raw, "n").number(64) == value

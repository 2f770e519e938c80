"""Offsets become pointers, lists and strings are copied once: mem.c, seen through the calls that use it."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.support import E, Guest
from wasi_native import Capture, Limits, MemoryDir, Policy

Make = Callable[..., Guest]
COUNT = 0x100


@pytest.fixture
def g(guest: Make, engine: str) -> Guest:
    return guest(Policy(dirs=[MemoryDir("/m")], stdin=bytes(range(256)) * 8, stdout=Capture()), engine=engine)


def valid(data: bytes) -> bool:
    """The same, by the Unicode standard as Python has it."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_utf8(g: Guest, data: bytes) -> bool:
    err = g.stat(b"d" + data)[0]
    assert err in (E.NOENT, E.ILSEQ), (data, err)
    return bool(err == E.NOENT)


def test_utf8_every_first_and_second_byte(g: Guest) -> None:
    for first in range(0x80, 0x100):
        for second in (0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF):
            if second == 0:
                continue  # a NUL is looked for first
            for tail in (b"", b"\x80", b"\xbf\x80", b"\x80\x80\x80", b"\x41", b"\x80\xc0"):
                data = bytes([first, second]) + tail
                assert is_utf8(g, data) == valid(data), data


def test_utf8_a_wrong_byte_at_every_place(g: Guest) -> None:
    """Eight bytes are looked at in one step: before, in and behind one."""
    for length in range(1, 20):
        for at in range(length):
            data = bytearray(b"a" * length)
            data[at] = 0xFF
            assert not is_utf8(g, bytes(data))
        assert is_utf8(g, b"a" * length)
        assert is_utf8(g, b"a" * length + "\N{SNOWMAN}é\U0001f600".encode())
        assert not is_utf8(g, b"a" * length + "\N{SNOWMAN}".encode()[:2])


def test_a_string_ends_where_its_length_says(g: Guest) -> None:
    assert g.on_path("path_create_directory", "abc") == 0
    g.put(0x1000, "abcdef")
    assert g.path_filestat_get(3, 0, 0x1000, 3, 0x2000) == 0
    assert g.path_filestat_get(3, 0, 0x1000, 4, 0x2000) == E.NOENT
    assert g.path_filestat_get(3, 0, g.size - 3, 3, 0x2000) == E.ILSEQ  # up to the last byte: 0xA5
    g.put(g.size - 3, "abc")
    assert g.path_filestat_get(3, 0, g.size - 3, 3, 0x2000) == 0


@pytest.mark.parametrize("length", [4094, 4095, 4096, 4097])
def test_the_longest_path(g: Guest, length: int) -> None:
    path = ("d/" * 2048)[: length - 1] + "x"
    assert len(path) == length
    assert g.stat(path)[0] == (E.NOENT if length < 4096 else E.NAMETOOLONG)


def test_nul_comes_before_utf8_and_length_before_both(g: Guest) -> None:
    assert g.stat(b"\xff\0")[0] == E.INVAL
    assert g.stat(b"\xff\0" * 4096)[0] == E.NAMETOOLONG


def test_a_list_scatters_in_order_and_drops_what_is_empty(g: Guest) -> None:
    pieces = [(0x2000, 3), (0, 0), (0x2100, 1), (g.size, 0), (0x2001, 2)]
    iovs = g.iovs(0x1000, *pieces)
    with g.writes_only((COUNT, 4), (0x2000, 3), (0x2100, 1)):
        assert g.fd_read(0, *iovs, COUNT) == 0
    assert g.unpack("I", COUNT) == 6
    assert g.memory.read(0x2000, 3) == b"\0\4\5" and g.memory.read(0x2100, 1) == b"\3"  # the last one wins


def test_a_list_is_read_once(g: Guest) -> None:
    """What is read may land on the list itself: the list was copied before."""
    g.iovs(0x1000, (0x1008, 8), (0x2000, 4))
    assert g.fd_read(0, 0x1000, 2, COUNT) == 0
    assert g.unpack("I", COUNT) == 12
    assert g.memory.read(0x1008, 8) == bytes(range(8)) and g.memory.read(0x2000, 4) == bytes(range(8, 12))


def test_the_count_is_written_after_the_bytes(g: Guest) -> None:
    iovs = g.iovs(0x1000, (COUNT - 2, 8))
    assert g.fd_read(0, *iovs, COUNT) == 0
    assert g.memory.read(COUNT - 2, 8) == b"\0\1" + struct.pack("<I", 8) + b"\6\7"


def test_a_list_is_looked_at_to_its_end(g: Guest) -> None:
    """Beyond the pieces that are used, too: a wrong one ends the guest wherever it stands."""
    pieces = [(0x2000, 1)] * 1030
    g.iovs(0x4000, *pieces, (g.size - 1, 2))
    with g.writes_only():
        assert g.traps("fd_write", 1, 0x4000, 1031, COUNT) == "host-pointer"
    assert g.instance.stdout == b""


def test_a_list_longer_than_the_limit_of_the_guest(guest: Make, engine: str) -> None:
    g = guest(Policy(stdin=b"abc", limits=Limits(iovecs=3)), engine=engine)
    iovs = g.iovs(0x1000, *[(0x2000, 0)] * 4)
    with g.writes_only():
        assert g.fd_read(0, *iovs, COUNT) == E.INVAL
    with g.writes_only((COUNT, 4)):
        assert g.fd_read(0, iovs[0], 3, COUNT) == 0


def test_nothing_at_the_end_of_memory_is_fine_and_beyond_it_is_not(g: Guest) -> None:
    assert g.random_get(g.size, 0) == 0
    assert g.fd_read(0, g.size, 0, COUNT) == 0
    assert g.traps("random_get", g.size + 1, 0) == "host-pointer"


def test_numbers_are_little_endian(g: Guest) -> None:
    assert g.fd_seek(0, 0, 0, 8) != 0
    fd = g.open("f", oflags=1)[1]
    assert g.fd_filestat_set_size(fd, 0x12345) == 0 and g.fd_filestat_get(fd, 0x1000) == 0
    assert g.memory.read(0x1000 + 32, 8) == b"\x45\x23\x01\0\0\0\0\0"

"""Memory for value streams: the caller's room first, then blocks of an arena that are used again, up to a cap."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from tests.mem.probe import Values, library
from wasi_native import _core

LIMIT, NOMEM = _core.LIMIT, _core.NOMEM


class Kernel:
    """The fake kernel of the probe, which fails on demand."""

    def __init__(self) -> None:
        self.os = ctypes.c_void_p()
        assert library().wn_os_fake_new(ctypes.byref(self.os)) == 0

    def inject(self, call: str, nth: int) -> None:
        numbers = ctypes.c_uint64(nth), ctypes.c_uint64(1), ctypes.c_int32(48), ctypes.c_uint64(0)
        assert library().wn_os_fake_inject(self.os, call.encode(), *numbers) == 0

    def count(self, call: str) -> int:
        library().wn_os_fake_count.restype = ctypes.c_uint64
        return int(library().wn_os_fake_count(self.os, call.encode()))


class Arena:
    def __init__(self, cap: int = 0) -> None:
        self.kernel = Kernel()
        self.pointer = ctypes.c_void_p()
        assert library().wn_arena_new(self.kernel.os, ctypes.c_uint64(cap), ctypes.byref(self.pointer)) == 0

    def stream(self, room: int = 16) -> Values:
        values = Values()
        values.caller = ctypes.create_string_buffer(room)
        library().wn_values_init(ctypes.byref(values), values.caller, ctypes.c_size_t(room), self.pointer)
        return values

    def close(self) -> None:
        library().wn_arena_delete(self.pointer)
        library().wn_os_fake_delete(self.kernel.os)


@pytest.fixture
def arena() -> Iterator[Arena]:
    made = Arena(100_000)
    yield made
    made.close()


def put(values: Values, data: bytes) -> int:
    """As wn_values_put() does."""
    if len(data) > values.room - values.used:
        err = library().wn_values_grow(ctypes.byref(values), ctypes.c_size_t(len(data)))
        if err:
            return int(err)
    ctypes.memmove(values.bytes + values.used, data, len(data))
    values.used += len(data)
    return 0


def text(values: Values) -> bytes:
    return ctypes.string_at(values.bytes, values.used)


def end(values: Values) -> None:
    library().wn_values_deinit(ctypes.byref(values))


def test_small_values_ask_for_no_memory(arena: Arena) -> None:
    before = arena.kernel.count("*")
    values = arena.stream()
    assert put(values, b"0123456789abcdef") == 0 and values.block is None
    end(values)
    assert arena.kernel.count("*") == before


def test_what_was_written_moves_along(arena: Arena) -> None:
    values = arena.stream()
    data = b""
    for step in range(200):
        piece = bytes([step]) * (step % 37)
        assert put(values, piece) == 0
        data += piece
    assert text(values) == data and values.block
    end(values)
    assert (values.bytes, values.room, values.block) == (None, 0, None)


def test_a_block_serves_the_next_stream(arena: Arena) -> None:
    first = arena.stream()
    assert put(first, b"x" * 10_000) == 0
    block = first.block
    end(first)
    before = arena.kernel.count("*")
    for _ in range(50):
        values = arena.stream()
        assert put(values, b"y" * 9_000) == 0 and values.block == block
        end(values)
    assert arena.kernel.count("*") == before


def test_streams_of_nested_calls_have_their_own(arena: Arena) -> None:
    streams = [arena.stream() for _ in range(5)]
    for index, values in enumerate(streams):
        assert put(values, bytes([index]) * 5_000) == 0
    assert len({values.block for values in streams}) == 5
    assert [text(values) for values in streams] == [bytes([index]) * 5_000 for index in range(5)]
    for values in streams:
        end(values)


def test_the_cap_counts_all_streams_together(arena: Arena) -> None:
    one, two = arena.stream(), arena.stream()
    assert put(one, b"x" * 60_000) == 0
    assert put(two, b"y" * 60_000) == LIMIT
    assert put(two, b"y" * 10_000) == 0
    assert text(two) == b"y" * 10_000
    end(one)
    assert put(two, b"z" * 80_000) == 0
    assert put(two, b"z" * 10_001) == LIMIT and two.used == 90_000
    end(two)


def test_an_idle_block_is_no_way_past_the_cap(arena: Arena) -> None:
    """It may be larger than what is still to be had."""
    one = arena.stream()
    assert put(one, b"x" * 60_000) == 0  # a block of 90,000
    end(one)
    streams = [arena.stream() for _ in range(4)]
    assert put(streams[0], b"x" * 60_000) == 0  # the same
    given = [put(values, b"y" * 8_000) for values in streams[1:]]
    assert given == [0, LIMIT, LIMIT]
    end(streams[0])
    assert put(streams[1], b"z" * 10_000) == 0
    assert put(streams[2], b"z" * 85_000) == LIMIT, "no block of 90,000 beside the first"
    for values in streams[1:]:
        end(values)


def test_what_is_made_of_values_counts_until_they_are_given_back(arena: Arena) -> None:
    one, two = arena.stream(), arena.stream()
    charge = library().wn_values_charge
    assert charge(ctypes.byref(one), ctypes.c_uint64(90_000)) == 0
    assert charge(ctypes.byref(one), ctypes.c_uint64(10_001)) == LIMIT
    assert charge(ctypes.byref(one), ctypes.c_uint64(2**64 - 1)) == LIMIT
    assert put(two, b"x" * 20_000) == LIMIT and put(two, b"x" * 5_000) == 0
    end(one)
    assert put(two, b"x" * 50_000) == 0
    end(two)
    alone = Values()
    assert charge(ctypes.byref(alone), ctypes.c_uint64(2**40)) == 0


def test_a_size_that_wraps_around_is_none(arena: Arena) -> None:
    values = arena.stream()
    assert put(values, b"abc") == 0
    largest = ctypes.c_size_t(-1).value
    for size in (largest, largest - 2, largest // 2 + 1):
        assert library().wn_values_grow(ctypes.byref(values), ctypes.c_size_t(size)) == LIMIT
    assert text(values) == b"abc"


def test_without_an_arena_the_room_is_all() -> None:
    values = Values()
    room = ctypes.create_string_buffer(8)
    library().wn_values_init(ctypes.byref(values), room, ctypes.c_size_t(8), None)
    assert put(values, b"12345678") == 0
    assert put(values, b"9") == LIMIT
    end(values)


def test_much_memory_goes_back_at_once() -> None:
    """A block above a mebibyte is not kept for the next stream, so that asks for one of its own."""
    arena = Arena()
    for size, kept in ((4 << 20, False), (500_000, True)):
        for again in (False, True):
            before = arena.kernel.count("resize")
            values = arena.stream()
            assert put(values, b"x" * size) == 0
            assert arena.kernel.count("resize") - before == (0 if again and kept else 1)
            end(values)
    arena.close()


def test_any_allocation_may_fail() -> None:
    kernel = Kernel()
    kernel.inject("alloc", 1)
    pointer = ctypes.c_void_p()
    assert library().wn_arena_new(kernel.os, ctypes.c_uint64(0), ctypes.byref(pointer)) == NOMEM
    library().wn_os_fake_delete(kernel.os)
    for nth in range(1, 5):
        arena = Arena()
        arena.kernel.inject("resize", nth)
        values, data, failed = arena.stream(), b"", 0
        for step in range(6):
            piece = bytes([step]) * 4_000 * (step + 1)
            err = put(values, piece)
            assert err in (0, NOMEM)
            failed += err == NOMEM
            data += piece if err == 0 else b""
            assert text(values) == data
        assert failed == 1
        end(values)
        arena.close()

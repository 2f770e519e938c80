"""The canonical ABI of the core, asserted byte by byte: layouts, lists, handles, traps and their texts."""

from __future__ import annotations

import ctypes
import struct
from collections import Counter
from collections.abc import Callable

import pytest

from tests.guests import remote
from tests.mem.pairs import Pair
from tests.mem.probe import Failed, Guest, Plan
from wasi_native import _core
from wasi_native.component.plan import encode
from wasi_native.component.types import Table, Value

T = Table()
U8, U16, U32, U64, S8, S16 = (T.primitive(name) for name in ("u8", "u16", "u32", "u64", "s8", "s16"))
BOOL, F32, F64, CHAR, STRING = (T.primitive(name) for name in ("bool", "f32", "f64", "char", "string"))
CANON, LIMIT, INVALID = -13, _core.LIMIT, _core.INVALID
NAN32, NAN64 = 0x7FC00000, 0x7FF8000000000000


def plan(*params: Value, result: Value | None = None) -> Plan:
    made = Plan(encode(T.function([(f"p{i}", value) for i, value in enumerate(params)], result))[0])
    assert made.err == 0
    return made


def bump(start: int = 64, calls: list[tuple[int, ...]] | None = None) -> Callable[[int, int, int, int], int]:
    """A realloc that goes upwards and never moves: what it is asked for is noted in ``calls``."""
    top = start

    def realloc(old: int, old_size: int, align: int, size: int) -> int:
        nonlocal top
        if calls is not None:
            calls.append((old, old_size, align, size))
        if old:
            top = old + size
            return old
        ptr = -(-top // align) * align
        top = ptr + size
        return ptr

    return realloc


def text(value: str, how: int = 0) -> bytes:
    data = value.encode(["utf-8", "utf-16-le", "latin-1", "utf-16-le"][how])
    return bytes([how]) + struct.pack("<I", len(data) // (2 if how in (1, 3) else 1)) + data


def reason(call: Callable[[], object], err: int = CANON) -> str | None:
    with pytest.raises(Failed) as caught:
        call()
    assert caught.value.err == err
    return caught.value.reason


# ---- core values ----


@pytest.mark.parametrize(
    ("value", "core", "stream"),
    [
        (BOOL, 2, b"\1"),
        (BOOL, 0xA5A5A5A500000000, b"\0"),
        (U8, 0x1FF, b"\xff"),
        (S8, 0x80, b"\x80"),
        (U16, 0x12345, b"\x45\x23"),
        (U32, 0xA5A5A5A5FFFFFFFE, b"\xfe\xff\xff\xff"),
        (U64, 0xFEDCBA9876543210, struct.pack("<Q", 0xFEDCBA9876543210)),
        (F32, 0x7F800001, struct.pack("<I", NAN32)),
        (F32, 0x80000000, struct.pack("<f", -0.0)),
        (F64, 0xFFF0000000000001, struct.pack("<Q", NAN64)),
        (F64, 0xFFF0000000000000, struct.pack("<d", float("-inf"))),
        (CHAR, 0x10FFFF, struct.pack("<I", 0x10FFFF)),
        (T.flags(["a", "b", "c"]), 0xFF, struct.pack("<I", 7)),
        (T.flags([f"f{i}" for i in range(32)]), 0xFFFFFFFF, struct.pack("<I", 0xFFFFFFFF)),
        (T.enum(["a", "b"]), 1, struct.pack("<I", 1)),
    ],
)
@pytest.mark.parametrize("shift", [0, 1])
def test_a_core_value_is_lifted_by_its_low_bits(value: Value, core: int, stream: bytes, shift: int) -> None:
    assert Guest().lift_params(plan(value), [core], shift) == stream
    assert Guest().lift_result(plan(result=value), [core], shift) == stream


@pytest.mark.parametrize(
    ("value", "stream", "core"),
    [
        (BOOL, b"\1", 1),
        (U8, b"\xff", 255),
        (S8, b"\x80", 0xFFFFFF80),
        (S16, b"\xfe\xff", 0xFFFFFFFE),
        (T.primitive("s32"), b"\xff" * 4, 0xFFFFFFFF),
        (T.primitive("s64"), b"\xff" * 8, 2**64 - 1),
        (F32, struct.pack("<I", 0xFFFFFFFF), NAN32),
        (F64, struct.pack("<Q", 0x7FF0000000000001), NAN64),
        (CHAR, struct.pack("<I", 0xE000), 0xE000),
        (T.flags(["a"] * 9), struct.pack("<I", 0x1FF), 0x1FF),
    ],
)
@pytest.mark.parametrize("shift", [0, 1])
def test_a_core_value_is_lowered_to_all_of_its_slot(
    value: Value, stream: bytes, core: int, shift: int
) -> None:
    assert Guest().lower_params(plan(value), stream, shift) == [core]
    assert Guest().lower_result(plan(result=value), stream, shift=shift) == core


def test_cases_share_core_values() -> None:
    """f32 beside u64 travels in an i64, its bits extended by zeros; what a case does not use is 0."""
    shared = T.variant([("f", F32), ("wide", U64), ("pair", T.tuple_of([S8, F64])), ("none", None)])
    made = plan(shared)
    assert made.info().lift_params == b"iIF"
    one = struct.pack("<If", 0, -1.5)
    assert Guest().lower_params(made, one) == [0, 0xBFC00000, 0]
    assert Guest().lift_params(made, [0, 0xA5A5A5A5BFC00000, 77]) == one
    pair = struct.pack("<Ibd", 2, -1, 2.0)
    assert Guest().lower_params(made, pair) == [2, 0xFFFFFFFF, 0x4000000000000000]
    assert Guest().lift_params(made, [2, 0xFF, 0x4000000000000000]) == pair
    assert Guest().lower_params(made, struct.pack("<I", 3)) == [3, 0, 0]


@pytest.mark.parametrize("char", [0xD800, 0xDFFF, 0x110000, 0xFFFFFFFF])
def test_a_char_is_a_scalar_value(char: int) -> None:
    assert reason(lambda: Guest().lift_params(plan(CHAR), [char])) == "invalid `char` bit pattern"
    memory = struct.pack("<IIII", 8, 1, char, 0)
    assert (
        reason(lambda: Guest(memory).lift_result(plan(result=T.list_of(CHAR)), [0]))
        == "invalid `char` bit pattern"
    )
    assert reason(lambda: Guest().lower_params(plan(CHAR), struct.pack("<I", char)), INVALID) is None


@pytest.mark.parametrize("value", [T.enum(["a", "b"]), T.option(U8), T.result(None, None)])
def test_a_case_that_there_is_not(value: Value) -> None:
    assert reason(lambda: Guest().lift_params(plan(value), [2, 0])) == "invalid variant discriminant"
    listed = plan(T.list_of(value))
    memory = bytes([0, 0, 2, 0, 0])
    assert reason(lambda: Guest(memory).lift_params(listed, [2, 1])) == "invalid variant discriminant"
    assert reason(lambda: Guest().lower_params(plan(value), struct.pack("<I", 2)), INVALID) is None


# ---- memory ----


def test_a_record_in_memory_has_holes_and_a_stream_has_none() -> None:
    row = T.record(
        [("a", U8), ("b", U32), ("c", BOOL), ("d", F64), ("e", T.flags(["x"] * 9)), ("f", T.option(U16))]
    )
    made = plan(result=row)
    stream = struct.pack("<BI?dIIH", 7, 0x01020304, True, 1.5, 0x101, 1, 0xBEEF)
    guest = Guest(b"\xa5" * 64)
    guest.lower_result(made, stream, ret=8)
    wanted = bytes.fromhex("07a5a5a5 04030201 01a5a5a5a5a5a5a5 000000000000f83f 0101 01a5 efbe a5a5")
    assert guest.memory[8 : 8 + len(wanted)] == wanted
    assert guest.memory[:8] == guest.memory[8 + len(wanted) : 16 + len(wanted)] == b"\xa5" * 8
    assert guest.lift_result(made, [8]) == stream


def test_seventeen_core_values_go_by_memory() -> None:
    made = plan(*[U16] * 17, result=T.tuple_of([U8, U8]))
    stream, calls = struct.pack("<17H", *range(17)), []  # type: ignore[var-annotated]
    guest = Guest(bytes(256), realloc=bump(64, calls))
    assert guest.lower_params(made, stream) == [64] and calls == [(0, 0, 2, 34)]
    assert guest.memory[64:98] == stream and guest.lift_params(made, [64]) == stream
    assert (guest.ret(made, [64, 200]), guest.ret(made, [64, 200], 1)) == (200, 200)
    assert guest.ret(plan(U8, U8, result=STRING), [1, 2, 300]) == 300
    assert guest.ret(plan(U8, result=U8), [1, 2]) == 0 == guest.ret(plan(U8), [1, 2])


def test_sixteen_do_not() -> None:
    made = plan(*[U16] * 16)
    stream = struct.pack("<16H", *range(16))
    assert Guest().lower_params(made, stream) == list(range(16))
    assert Guest().lift_params(made, list(range(16))) == stream


@pytest.mark.parametrize(
    ("element", "inside"),
    [
        (U8, b"\1\2\3"),
        (U64, bytes(range(24))),
        (BOOL, b"\0\1\1"),
        (F32, struct.pack("<3f", 1, -2, 3)),
        (F64, struct.pack("<3d", 1, -2, 3)),
        (CHAR, struct.pack("<3I", 65, 0x20AC, 0x1F600)),
        (T.tuple_of([U32, U32]), bytes(range(24))),
        (T.list_of(U16, 2), bytes(range(12))),
    ],
)
def test_lists_of_numbers_are_copied(element: Value, inside: bytes) -> None:
    made, calls = plan(T.list_of(element)), []  # type: ignore[var-annotated]
    guest = Guest(b"\xa5" * 256, realloc=bump(61, calls))
    ptr, count = guest.lower_params(made, struct.pack("<I", 3) + inside)
    assert (ptr % element.align, count, calls) == (0, 3, [(0, 0, element.align, len(inside))])
    assert guest.memory[ptr : ptr + len(inside)] == inside
    assert guest.memory[:61] + guest.memory[ptr + len(inside) :] == b"\xa5" * (256 - len(inside) - ptr + 61)
    assert guest.lift_params(made, [ptr, count]) == struct.pack("<I", 3) + inside


def test_numbers_of_a_list_are_made_canonical() -> None:
    memory = struct.pack("<II", 0xFFFFFFFF, 0x7FA00000)
    assert Guest(memory).lift_params(plan(T.list_of(F32)), [0, 2])[4:] == struct.pack("<II", NAN32, NAN32)
    assert Guest(memory).lift_params(plan(T.list_of(F64)), [0, 1])[4:] == struct.pack(
        "<II", 0xFFFFFFFF, 0x7FA00000
    )
    assert Guest(b"\xff" * 8).lift_params(plan(T.list_of(F64)), [0, 1])[4:] == struct.pack("<Q", NAN64)
    assert Guest(b"\2\0\xff").lift_params(plan(T.list_of(BOOL)), [0, 3])[4:] == b"\1\0\1"
    guest = Guest(bytes(64), realloc=bump(16))
    guest.lower_params(plan(T.list_of(F32)), struct.pack("<III", 2, 0xFF800001, 0x3F800000))
    assert guest.memory[16:24] == struct.pack("<II", NAN32, 0x3F800000)
    guest.lower_params(plan(T.list_of(F64)), struct.pack("<IQ", 1, 2**64 - 1))
    assert guest.memory[24:32] == struct.pack("<Q", NAN64)


def test_an_empty_list_asks_realloc_all_the_same() -> None:
    calls: list[tuple[int, ...]] = []
    assert Guest(bytes(128), realloc=bump(64, calls)).lower_params(plan(T.list_of(U64)), bytes(4)) == [64, 0]
    assert calls == [(0, 0, 8, 0)]


def test_lists_of_lists_follow_the_memory_when_it_moves() -> None:
    """Each realloc grows the memory: the bytes that were written before are not lost, nor written where it was."""
    inner = bump(64)

    def realloc(*call: int) -> int:
        ptr = inner(*call)
        guest.memory += bytes(max(0, ptr + call[3] - len(guest.memory)) + 100_000)
        return ptr

    guest = Guest(bytes(64), realloc=realloc)
    made = plan(T.list_of(T.list_of(U16)))
    stream = struct.pack("<I", 5) + b"".join(struct.pack("<I3H", 3, i, i + 1, i + 2) for i in range(5))
    core = guest.lower_params(made, stream)
    assert guest.lift_params(made, core) == stream


LISTS = "list pointer/length out of bounds of memory"


@pytest.mark.parametrize(
    ("ptr", "count", "host", "fused"),
    [
        (2, 1, "unaligned pointer", "unaligned pointer"),
        (60, 2, LISTS, "list content out-of-bounds"),
        (68, 0, LISTS, "list content out-of-bounds"),
        (64, 1 << 26, "list too long", "list too long"),
        (2, 1 << 26, "list too long", "list too long"),
        (0xFFFFFFFC, (1 << 26) - 1, LISTS, "list content out-of-bounds"),
    ],
)
def test_a_list_that_is_not_there(ptr: int, count: int, host: str, fused: str) -> None:
    made = plan(T.list_of(U32))
    assert reason(lambda: Guest(bytes(64)).lift_params(made, [ptr, count])) == host
    assert reason(lambda: Guest(bytes(64), fused=True).lift_params(made, [ptr, count])) == fused


def test_the_end_of_memory_is_in_it() -> None:
    made = plan(T.list_of(U32))
    assert Guest(bytes(64)).lift_params(made, [60, 1]) == struct.pack("<II", 1, 0)
    assert Guest(bytes(64)).lift_params(made, [64, 0]) == bytes(4)


@pytest.mark.parametrize(
    ("answer", "host", "fused"),
    [
        (2, "realloc return: result not aligned", "unaligned pointer"),
        (0xFFFFFFFF, "realloc return: result not aligned", "unaligned pointer"),
        (0xFFFFFFFC, "realloc return: beyond end of memory", "list content out-of-bounds"),
        (60, "realloc return: beyond end of memory", "list content out-of-bounds"),
    ],
)
def test_what_realloc_answers_is_looked_at(answer: int, host: str, fused: str) -> None:
    made, stream = plan(T.list_of(U32)), struct.pack("<III", 2, 3, 4)
    for is_fused, wanted in ((False, host), (True, fused)):
        guest = Guest(b"\xa5" * 64, realloc=lambda *call: answer, fused=is_fused)
        assert reason(lambda guest=guest: guest.lower_params(made, stream)) == wanted  # type: ignore[misc]
        assert guest.memory == b"\xa5" * 64


def test_results_in_memory_are_looked_for() -> None:
    made = plan(result=T.tuple_of([U32, U32]))
    assert reason(lambda: Guest(bytes(64)).lift_result(made, [2])) == "unaligned pointer"
    assert reason(lambda: Guest(bytes(64)).lift_result(made, [60])) == "pointer out of bounds of memory"
    assert reason(lambda: Guest(bytes(64)).lower_result(made, bytes(8), 2)) == "unaligned pointer"
    assert (
        reason(lambda: Guest(bytes(64)).lower_result(made, bytes(8), 60)) == "pointer out of bounds of memory"
    )


def test_a_verdict_of_realloc_or_a_handle_is_handed_on() -> None:
    def fails(*call: int) -> int:
        raise Failed(_core.TIMEOUT, None)

    assert reason(lambda: Guest(realloc=fails).lower_params(plan(STRING), text("a")), _core.TIMEOUT) is None

    def unknown(op: int, resource: int, number: int) -> int:
        raise Failed(CANON, "unknown handle index 7")

    own = plan(T.own(3))
    assert reason(lambda: Guest(handle=unknown).lift_params(own, [7])) == "unknown handle index 7"
    assert reason(lambda: Guest(handle=unknown).lower_params(own, bytes(4))) == "unknown handle index 7"


def test_handles_are_of_numbered_resources() -> None:
    made, seen = plan(T.own(9), T.borrow(4), T.own(9), result=T.own(4)), []  # type: ignore[var-annotated]

    def handle(op: int, resource: int, number: int) -> int:
        seen.append((op, resource, number))
        return number + 100

    guest = Guest(handle=handle)
    assert guest.lift_params(made, [1, 2, 3]) == struct.pack("<III", 101, 102, 103)
    assert guest.lower_params(made, struct.pack("<III", 1, 2, 3)) == [101, 102, 103]
    assert (
        guest.lift_result(made, [4]) == struct.pack("<I", 104) and guest.lower_result(made, bytes(4)) == 100
    )
    lifts = [(0, 0, 1), (1, 1, 2), (0, 0, 3)]
    assert seen == [*lifts, *((op + 2, r, n) for op, r, n in lifts), (0, 1, 4), (2, 1, 0)]


def test_a_function_that_is_missing() -> None:
    assert reason(lambda: Guest(bytes(8)).lower_params(plan(STRING), text("")), INVALID) is None
    assert reason(lambda: Guest().lift_params(plan(T.own(1)), [1]), INVALID) is None
    assert reason(lambda: Guest().lower_params(plan(T.own(1)), bytes(4)), INVALID) is None


# ---- streams ----


def test_a_stream_ends_where_its_values_do() -> None:
    row = plan(U8, STRING, T.list_of(U16), T.flags(["a"]), result=T.option(U64))
    stream = b"\1" + text("ab") + struct.pack("<I2H", 2, 3, 4) + struct.pack("<I", 1)
    assert len(Guest(bytes(128), realloc=bump()).lower_params(row, stream)) == 6
    for length in range(len(stream)):
        assert (
            reason(lambda n=length: Guest(bytes(128), realloc=bump()).lower_params(row, stream[:n]), INVALID)
            is None
        )  # type: ignore[misc]
    for wrong in (stream + b"\0", stream[:-4] + struct.pack("<I", 2), b"\1\4" + stream[2:]):
        guest = Guest(bytes(128), realloc=bump())
        assert reason(lambda guest=guest, wrong=wrong: guest.lower_params(row, wrong), INVALID) is None  # type: ignore[misc]


def test_a_count_that_the_stream_cannot_hold_asks_for_no_memory() -> None:
    calls: list[tuple[int, ...]] = []
    guest = Guest(bytes(64), realloc=bump(0, calls))
    assert reason(lambda: guest.lower_params(plan(T.list_of(U64)), struct.pack("<IQ", 2, 1)), INVALID) is None
    assert calls == []


def test_what_many_pointers_to_the_same_bytes_make_of_little_memory() -> None:
    """A list of strings that are all one string: the cap of the stream ends it."""
    size, count = 4096, 1000
    memory = b"x" * size + struct.pack("<II", 0, size) * count
    made = plan(T.list_of(STRING))
    assert len(Guest(memory).lift_params(made, [size, count])) == 4 + count * (5 + size)
    capped = Guest(memory, cap=1 << 20)
    assert reason(lambda: capped.lift_params(made, [size, count]), LIMIT) == "value_bytes"


def test_a_stream_that_lends_has_the_place_of_bytes() -> None:
    made, both = plan(T.list_of(U8)), plan(T.list_of(U8), T.list_of(U16))
    guest = Guest(b"........hello", lends=True)
    count, place = struct.unpack("<IQ", guest.lift_params(made, [8, 5]))
    assert count == 5 and ctypes.string_at(place, 5) == b"hello"
    assert guest.lift_params(both, [8, 0, 8, 1])[12:] == struct.pack("<I", 1) + b"he"
    capped = Guest(bytes(4096), cap=4095, lends=True)
    assert reason(lambda: capped.lift_params(made, [0, 4096]), LIMIT) == "value_bytes"
    assert (
        reason(lambda: guest.lift_params(made, [8, 6]), CANON)
        == "list pointer/length out of bounds of memory"
    )


def test_bytes_that_are_lent_are_lowered_from_where_they_are() -> None:
    made, there = plan(T.list_of(U8)), ctypes.create_string_buffer(b"hello")
    for stream, data in (
        (struct.pack("<IQ", 5, ctypes.addressof(there)), b"hello"),
        (struct.pack("<IQ", 0, ctypes.addressof(there)), b""),
        (struct.pack("<IQ", 3, 0) + b"abc", b"abc"),
        (struct.pack("<IQ", 0, 0), b""),
    ):
        guest = Guest(bytes(128), realloc=bump(), lends=True)
        at, count = guest.lower_params(made, stream)
        assert (at, guest.memory[at : at + count]) == (64, data)
        for length in range(len(stream)):
            short = Guest(bytes(128), realloc=bump(), lends=True)
            cut = stream[:length]
            assert reason(lambda short=short, cut=cut: short.lower_params(made, cut), INVALID) is None  # type: ignore[misc]
    long = struct.pack("<IQ", 1 << 28, ctypes.addressof(there))
    guest = Guest(bytes(128), realloc=bump(), lends=True)
    assert reason(lambda: guest.lower_params(made, long), CANON) == "list too long"
    beyond = Guest(bytes(66), realloc=bump(), lends=True)
    five = struct.pack("<IQ", 5, ctypes.addressof(there))
    assert reason(lambda: beyond.lower_params(made, five), CANON) == "realloc return: beyond end of memory"
    assert reason(lambda: Guest(bytes(66), lends=True).lower_params(made, five), INVALID) is None


# ---- random pairs ----


def test_random_pairs_as_the_reference_has_them(long: bool) -> None:
    """Types, values, encodings, reallocs that move and lie, memory that was spoiled: lifted and lowered by both."""
    seen: Counter[str] = Counter()
    pairs = 20_000 if long else 300 if remote.SOCKET else 1_200  # a board has neither the time nor the memory
    for seed in range(pairs):
        pair = Pair(seed)
        lowered = pair.core_lowers()
        assert lowered == pair.reference_lowers(), seed
        trapped = isinstance(lowered[0], tuple)
        seen[lowered[0][1] if trapped else "lowered"] += 1
        core = [1024] * pair.flats if trapped else lowered[0]
        memory, core = pair.spoiled(lowered[1], core if pair.ret is None else [pair.ret])
        lifted = pair.core_lifts(memory, core)
        assert lifted == pair.reference_lifts(memory, core), seed
        seen[lifted[0][1] if isinstance(lifted[0], tuple) else "lifted"] += 1
    assert min(seen["lowered"], seen["lifted"]) > pairs / 2 and len(seen) > 12, seen

"""Strings between three encodings: each byte, each call of realloc, each way to be wrong."""

from __future__ import annotations

import struct

import pytest

from tests.mem.probe import Guest
from tests.mem.test_canon import INVALID, STRING, T, bump, plan, reason, text

ONE = plan(STRING)
TAG = 1 << 31
Calls = list[tuple[int, ...]]


def lowered(encoding: str, stream: bytes) -> tuple[bytes, int, Calls]:
    """The bytes in memory, the tagged length, the calls of realloc after the first one's address is taken off."""
    calls: Calls = []
    guest = Guest(b"\xa5" * 512, encoding, bump(64, calls))
    ptr, units = guest.lower_params(ONE, stream)
    size = (units & ~TAG) * (2 if encoding == "utf16" or units & TAG else 1)
    return (
        bytes(guest.memory[ptr : ptr + size]),
        units,
        [(old and old - 64 + 1, *rest) for old, *rest in calls],
    )


@pytest.mark.parametrize(
    ("encoding", "value", "how", "bytes_", "units", "calls"),
    [
        ("utf8", "aé€", 0, "aé€".encode(), 6, [(0, 0, 1, 6)]),
        ("utf8", "abc", 1, b"abc", 3, [(0, 0, 1, 3)]),
        ("utf8", "abé", 1, "abé".encode(), 4, [(0, 0, 1, 3), (1, 3, 1, 9), (1, 9, 1, 4)]),
        ("utf8", "€€", 1, "€€".encode(), 6, [(0, 0, 1, 2), (1, 2, 1, 6)]),
        ("utf8", "\U0001f600", 3, "\U0001f600".encode(), 4, [(0, 0, 1, 2), (1, 2, 1, 6), (1, 6, 1, 4)]),
        ("utf8", "é", 2, "é".encode(), 2, [(0, 0, 1, 1), (1, 1, 1, 2)]),
        ("utf8", "éa", 2, "éa".encode(), 3, [(0, 0, 1, 2), (1, 2, 1, 4), (1, 4, 1, 3)]),
        ("utf8", "ab", 2, b"ab", 2, [(0, 0, 1, 2)]),
        ("utf16", "ab", 0, b"a\0b\0", 2, [(0, 0, 2, 4)]),
        ("utf16", "a€", 0, "a€".encode("utf-16-le"), 2, [(0, 0, 2, 8), (1, 8, 2, 4)]),
        ("utf16", "\U0001f600", 0, "\U0001f600".encode("utf-16-le"), 2, [(0, 0, 2, 8), (1, 8, 2, 4)]),
        ("utf16", "a€", 1, "a€".encode("utf-16-le"), 2, [(0, 0, 2, 4)]),
        ("utf16", "a€", 3, "a€".encode("utf-16-le"), 2, [(0, 0, 2, 4)]),
        ("utf16", "aé", 2, "aé".encode("utf-16-le"), 2, [(0, 0, 2, 4)]),
        ("latin1+utf16", "ab", 0, b"ab", 2, [(0, 0, 2, 2)]),
        ("latin1+utf16", "aé", 0, b"a\xe9", 2, [(0, 0, 2, 3), (1, 3, 2, 2)]),
        (
            "latin1+utf16",
            "é€",
            0,
            "é€".encode("utf-16-le"),
            2 | TAG,
            [(0, 0, 2, 5), (1, 5, 2, 10), (1, 10, 2, 4)],
        ),
        ("latin1+utf16", "aé", 1, b"a\xe9", 2, [(0, 0, 2, 2)]),
        ("latin1+utf16", "é€", 1, "é€".encode("utf-16-le"), 2 | TAG, [(0, 0, 2, 2), (1, 2, 2, 4)]),
        ("latin1+utf16", "aé", 2, b"a\xe9", 2, [(0, 0, 2, 2)]),
        ("latin1+utf16", "aé", 3, b"a\xe9", 2, [(0, 0, 2, 4), (1, 4, 1, 2)]),
        ("latin1+utf16", "é€", 3, "é€".encode("utf-16-le"), 2 | TAG, [(0, 0, 2, 4)]),
        ("latin1+utf16", "", 0, b"", 0, [(0, 0, 2, 0)]),
        ("utf8", "", 1, b"", 0, [(0, 0, 1, 0)]),
    ],
)
def test_lowered(encoding: str, value: str, how: int, bytes_: bytes, units: int, calls: Calls) -> None:
    assert lowered(encoding, text(value, how)) == (bytes_, units, calls)


CHARS = [
    "\0",
    "\x7f",
    "\x80",
    "\xff",
    "\u0100",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\U00010000",
    "\U0010ffff",
]


@pytest.mark.parametrize("encoding", ["utf8", "utf16", "latin1+utf16"])
@pytest.mark.parametrize("how", range(4))
def test_each_kind_of_character_behind_each_other(encoding: str, how: int) -> None:
    for one in CHARS:
        for other in CHARS:
            value = one + other
            if how == 2 and max(value) > "\xff":
                continue
            data, units, _calls = lowered(encoding, text(value, how))
            codec = (
                "utf-8"
                if encoding == "utf8"
                else "utf-16-le"
                if encoding == "utf16" or units & TAG
                else "latin-1"
            )
            assert data.decode(codec) == value
            assert bool(units & TAG) == (encoding == "latin1+utf16" and max(value) > "\xff")


def test_latin1_that_turns_into_utf16_takes_the_bytes_that_realloc_kept() -> None:
    """What was written before the memory moved is read there again, and is the guest's to lose."""
    guest = Guest(bytes(256), "latin1+utf16", lambda old, old_size, align, size: 128 if old else 64)
    assert guest.lower_params(ONE, text("ab€", 1)) == [128, 3 | TAG]
    assert guest.memory[64:66] == b"ab" and guest.memory[128:134] == b"\0\0\0\0\xac\x20"


@pytest.mark.parametrize(
    ("encoding", "data", "units", "stream"),
    [
        ("utf8", "aé€\U0001f600".encode(), 10, text("aé€\U0001f600")),
        ("utf16", "aé€\U0001f600".encode("utf-16-le"), 5, text("aé€\U0001f600", 1)),
        ("latin1+utf16", b"a\xe9", 2, text("aé", 2)),
        ("latin1+utf16", "aé".encode("utf-16-le"), 2 | TAG, text("aé", 3)),
        ("utf8", b"", 0, text("")),
        ("latin1+utf16", b"", TAG, text("", 3)),
    ],
)
def test_lifted(encoding: str, data: bytes, units: int, stream: bytes) -> None:
    memory = bytes(8) + data
    assert Guest(memory, encoding).lift_params(ONE, [8, units]) == stream
    assert (
        Guest(struct.pack("<II", 8, units) + data, encoding).lift_result(plan(result=STRING), [0]) == stream
    )


WRONG, CUT = "invalid utf-8", "incomplete utf-8 byte sequence"


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"\xff", WRONG),
        (b"\xc3", CUT),
        (b"a" * 9 + b"\xc3", CUT),
        (b"\xe2\x82", CUT),
        (b"\xf0\x9f\x98", CUT),
        (b"\xf0\x9f", CUT),
        (b"\xe0\x80", WRONG),
        (b"\xed\xa0", WRONG),
        (b"\xed\xa0\x80", WRONG),
        (b"\xc0\x80", WRONG),
        (b"\x80", WRONG),
        (b"\xf4\x90\x80\x80", WRONG),
        (b"\xff\xc3", WRONG),
        (b"\xe2\x28", WRONG),
        (b"\xf5", WRONG),
    ],
)
def test_utf8_that_is_none(data: bytes, wanted: str) -> None:
    assert reason(lambda: Guest(data).lift_params(ONE, [0, len(data)])) == wanted
    assert reason(lambda: Guest(data, fused=True).lift_params(ONE, [0, len(data)])) == wanted


def test_utf8_is_cut_off_where_python_says_so() -> None:
    for first in range(0x80, 0x100):
        for rest in (
            b"",
            b"\x80",
            b"\x9f",
            b"\xa0",
            b"\xbf",
            b"\x80\x80",
            b"\x90\xbf",
            b"\xa0\x80",
            b"\xa0\x41",
            b"\x90\x80\x80",
        ):
            data = b"abcdefgh" + bytes([first]) + rest
            try:
                data.decode()
            except UnicodeDecodeError as error:
                wanted = CUT if error.reason == "unexpected end of data" else WRONG
                assert reason(lambda data=data: Guest(data).lift_params(ONE, [0, len(data)])) == wanted  # type: ignore[misc]
            else:
                assert Guest(data).lift_params(ONE, [0, len(data)])[5:] == data


@pytest.mark.parametrize("units", ["d800", "dc00", "0041d800", "d8000041", "d800d800", "dc00d800"])
@pytest.mark.parametrize("encoding", ["utf16", "latin1+utf16"])
def test_utf16_without_its_other_half(units: str, encoding: str) -> None:
    data = b"".join(bytes.fromhex(units[i : i + 4])[::-1] for i in range(0, len(units), 4))
    count = len(data) // 2 | (TAG if encoding == "latin1+utf16" else 0)
    assert (
        reason(lambda: Guest(data, encoding).lift_params(ONE, [0, count]))
        == "invalid utf-16: an unpaired surrogate"
    )


OUT = "string pointer/length out of bounds of memory"


@pytest.mark.parametrize(
    ("encoding", "ptr", "units", "host", "fused"),
    [
        ("utf8", 0xDEADBEEF, 0, OUT, "string content out-of-bounds"),
        ("utf8", 15, 2, OUT, "string content out-of-bounds"),
        ("utf8", 0, 1 << 28, "string too long", "string too long"),
        ("utf16", 1, 0, "unaligned pointer", "unaligned pointer"),
        ("utf16", 0, 1 << 27, "string too long", "string too long"),
        ("utf16", 14, 2, OUT, "string content out-of-bounds"),
        ("latin1+utf16", 1, 0, "unaligned pointer", "unaligned pointer"),
        ("latin1+utf16", 1, TAG, "unaligned pointer", "unaligned pointer"),
        ("latin1+utf16", 0, (1 << 27) | TAG, "string too long", "string too long"),
        ("latin1+utf16", 0, 1 << 28, "string too long", "string too long"),
    ],
)
def test_a_string_that_is_not_there(encoding: str, ptr: int, units: int, host: str, fused: str) -> None:
    assert reason(lambda: Guest(bytes(16), encoding).lift_params(ONE, [ptr, units])) == host
    assert reason(lambda: Guest(bytes(16), encoding, fused=True).lift_params(ONE, [ptr, units])) == fused


@pytest.mark.parametrize("encoding", ["utf8", "utf16", "latin1+utf16"])
@pytest.mark.parametrize("how", range(4))
@pytest.mark.parametrize("fused", [False, True])
def test_each_answer_of_realloc_is_looked_at(encoding: str, how: int, fused: bool) -> None:
    """The n-th call answers what is outside, or misaligned where an alignment was asked for."""
    value = "abcdé" if how == 2 else "abcdé€"
    calls: Calls = []
    Guest(bytes(256), encoding, bump(64, calls)).lower_params(ONE, text(value, how))
    for nth, (_old, _old_size, align, size) in enumerate(calls):
        for answer, aligned in ((256, True), (65, False)):
            if (answer == 256 and not size) or (answer == 65 and align == 1):
                continue
            count = 0
            inner = bump(64)

            def realloc(*call: int, nth: int = nth, answer: int = answer, inner=inner) -> int:  # type: ignore[no-untyped-def]
                nonlocal count
                count += 1
                return answer if count == nth + 1 else inner(*call)

            guest = Guest(bytes(256), encoding, realloc, fused=fused)
            found = reason(lambda guest=guest: guest.lower_params(ONE, text(value, how)))  # type: ignore[misc]
            if fused:
                assert found == ("string content out-of-bounds" if aligned else "unaligned pointer")
            else:
                what = "beyond end of memory" if aligned else "result not aligned"
                assert found == f"realloc return: {what}"


@pytest.mark.parametrize("encoding", ["utf8", "utf16", "latin1+utf16"])
@pytest.mark.parametrize("how", range(4))
def test_a_stream_with_text_that_is_none(encoding: str, how: int) -> None:
    """A host that writes such a stream harms its guest alone: nothing beyond the text is read or written."""
    wide = how in (1, 3)
    for data in (
        (b"\x00\xd8", b"\x00\xdc\x00\xd8") if wide else (b"\xff\xff", b"\xc3", b"abc\xf0", b"\xe2\x82")
    ):
        stream = bytes([how]) + struct.pack("<I", len(data) // (2 if how in (1, 3) else 1)) + data
        guest = Guest(bytes(256), encoding, bump(64))
        same = encoding == ["utf8", "utf16", "latin1+utf16", "latin1+utf16"][how] or (encoding, how) == (
            "utf16",
            3,
        )
        if same or how == 2:
            guest.lower_params(ONE, stream)
        else:
            assert reason(lambda guest=guest, stream=stream: guest.lower_params(ONE, stream), INVALID) is None  # type: ignore[misc]
    assert (
        reason(lambda: Guest(bytes(64), realloc=bump()).lower_params(ONE, b"\4" + bytes(4)), INVALID) is None
    )


def test_a_string_among_others_in_memory() -> None:
    row = plan(result=T.tuple_of([T.primitive("u8"), STRING, T.option(STRING)]))
    stream = b"\7" + text("aé") + struct.pack("<I", 1) + text("€")
    guest = Guest(bytes(128), realloc=bump(64))
    guest.lower_result(row, stream, ret=8)
    assert guest.memory[8:32] == struct.pack("<B3xIIB3xII", 7, 64, 3, 1, 67, 3)
    assert guest.memory[64:70] == "aé€".encode() and guest.lift_result(row, [8]) == stream

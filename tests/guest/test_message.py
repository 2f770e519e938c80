"""guest/message.c: what is told to the embedder, cut where there is no room."""

from __future__ import annotations

import ctypes

import pytest

from tests.mem.probe import library
from wasi_native import _core

ROOM = 4064


class End(ctypes.Structure):
    _fields_ = [
        ("err", ctypes.c_int32),
        ("exit_code", ctypes.c_uint32),
        ("limit", ctypes.c_char_p),
        ("reason", ctypes.c_char_p),
    ]


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int32), ("end", End), ("text", ctypes.c_char * ROOM)]


class Str(ctypes.Structure):
    _fields_ = [("ptr", ctypes.c_char_p), ("len", ctypes.c_size_t)]


def append(message: Message | None, at: int, text: bytes) -> int:
    function = library().wn_message_append
    function.restype, function.argtypes = ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_size_t, Str]
    return int(function(ctypes.byref(message) if message else None, at, Str(text, len(text))))


def test_texts_follow_each_other_and_are_cut_at_the_end() -> None:
    message = Message()
    at = append(message, 0, b"one")
    assert (at, message.text) == (3, b"one")
    at = append(message, at, b"x" * (ROOM - 5))
    assert (at, len(message.text)) == (ROOM - 2, ROOM - 2)
    at = append(message, at, b"yz")
    assert (at, message.text[-2:]) == (ROOM - 1, b"xy")
    assert append(message, at, b"more") == ROOM - 1
    assert bytes(message)[-1:] == b"\0"


@pytest.mark.parametrize(
    ("number", "base", "text"),
    [(0, 10, b"0"), (7, 10, b"7"), (2**64 - 1, 10, b"18446744073709551615"), (2**64 - 1, 16, b"f" * 16)],
)
def test_numbers(number: int, base: int, text: bytes) -> None:
    message = Message()
    function = library().wn_message_append_number
    function.restype = ctypes.c_size_t
    assert function(ctypes.byref(message), ctypes.c_size_t(0), ctypes.c_uint64(number), base) == len(text)
    assert message.text == text


def test_a_verdict_is_its_name_and_a_reason() -> None:
    verdict = library().wn_message_verdict
    message = Message(text=b"something longer that stood there before")
    verdict(ctypes.byref(message), _core.TRAP_CANON, b"unknown handle index 7")
    assert (message.err, message.text) == (_core.TRAP_CANON, b"trap-canon: unknown handle index 7")
    verdict(ctypes.byref(message), _core.TIMEOUT, None)
    assert (message.err, message.text) == (_core.TIMEOUT, b"timeout: the deadline of the call passed")
    assert library().wn_message_say(ctypes.byref(message), 10, b"busy") == 10
    assert (message.err, message.text) == (10, b"busy")


def test_without_a_message_nothing_is_told() -> None:
    assert append(None, 0, b"text") == 0
    library().wn_message_verdict(None, _core.TIMEOUT, None)
    assert library().wn_message_say(None, 10, b"busy") == 10

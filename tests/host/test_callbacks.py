"""Traces, and Python streams with every oddity of ``io``, as the core meets them."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.support import P1, Guest, errno
from wasi_native import Host, Policy
from wasi_native.host.callbacks import Call, reader, writer


def test_a_trace_sees_each_call_and_the_memory_of_the_guest() -> None:
    seen: list[tuple[Any, ...]] = []
    kept: list[Call] = []

    def trace(call: Call) -> None:
        seen.append((call.module, call.name, call.params, call.results, call.param_names, call.args))
        seen.append((call.result, call.err, call.error_name, call.nanoseconds >= 0))
        seen.append((call.memory(0x10000, 3), call.memory(2**32 - 1, 2)))
        kept.append(call)

    with Guest(Policy(), trace=trace) as g:
        g.put(0x10000, b"abc")
        assert g.fd_close(99) in errno("BADF")
        assert seen == [
            (P1, "fd_close", "i", "i", ("fd",), (99,)),
            (8, 0, "BADF", True),
            (b"abc", None),
        ]
        assert kept[0].memory(0x10000, 3) is None  # the trace function is over


@pytest.mark.parametrize(
    ("memory", "found"),
    [
        ("", None),
        ('(memory (export "memory") 1) (data (i32.const 3) "abc")', b"abc"),
        ('(memory (export "other") 1)', None),
    ],
)
def test_a_trace_of_the_start_section_sees_the_memory_that_there_is(memory: str, found: bytes | None) -> None:
    """The engine has not told yet where the instance is, whose exports are looked up by name."""
    text = f"""(module (import "{P1}" "sched_yield" (func $y (result i32)))
      (func $s (drop (call $y))) (start $s) {memory})"""
    seen: list[bytes | None] = []
    with Host(Policy(), engine="wasmtime", cache=False) as host, host.load(text) as module:
        module.instantiate(trace=lambda call: seen.append(call.memory(3, 3))).close()
    assert seen == [found]


def test_a_trace_that_raises_ends_the_guest_with_its_own_exception() -> None:
    def trace(call: Call) -> None:
        raise KeyError(call.name)

    with Guest(Policy(), trace=trace) as g, pytest.raises(KeyError, match="sched_yield"):
        g.sched_yield()


class Raw(io.RawIOBase):
    """Takes two bytes at a time; has nothing now, then three bytes, then the end."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.gives: list[bytes | None] = [None, b"xyz", b""]

    def read(self, size: int = -1) -> bytes | None:
        return self.gives.pop(0)

    def write(self, data: Any) -> int:
        self.taken.append(bytes(data[:2]))
        return len(self.taken[-1])


def test_a_raw_stream_takes_parts_and_may_have_nothing_now() -> None:
    raw = Raw()
    with Guest(Policy(stdin=raw, stdout=raw)) as g:
        assert g.write(1, b"hello") == (0, 5)
        assert raw.taken == [b"he", b"ll", b"o"]
        assert g.read(0)[0] in errno("AGAIN")
        assert g.read(0) == (0, b"xyz")
        assert g.read(0) == (0, b"")


def test_what_is_no_stream_says_so() -> None:
    with pytest.raises(TypeError, match=r"read\(4\) .* gave a str, not bytes"):
        reader(lambda size: "text")(4)
    with pytest.raises(ValueError, match=r"read\(2\) .* gave 3 bytes"):
        reader(lambda size: b"abc")(2)
    with pytest.raises(ValueError, match="took 0 bytes"):
        writer(lambda data: 0)(b"abc")


def test_reads_and_writes_pass_on_what_they_get() -> None:
    assert reader(lambda size: bytearray(b"ab"))(4) == b"ab"
    assert reader(lambda size: None)(4) is None
    taken: list[bytes] = []
    writer(taken.append)(b"abc")  # None: all was taken
    assert taken == [b"abc"]

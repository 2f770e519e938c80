"""core/p2/io.c: errors and pollables."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable

import pytest

from tests.p2.driver import Guest2
from tests.support import pipe
from wasi_native import Cancelled, LimitExceeded, Limits, Policy, Timeout

Stdio = Callable[..., Guest2]
OUT, IN = 0x100, 0x200
READY, BLOCK = "poll#[method]pollable.ready", "poll#[method]pollable.block"
HOUR = 3600 * 10**9


def poll(g: Guest2, *pollables: int, timeout: float | None = None) -> list[int]:
    g.memory.write(IN, struct.pack(f"<{len(pollables)}I", *pollables))
    g("poll#poll", IN, len(pollables), OUT, timeout=timeout)
    at, count = g.unpack("II", OUT)
    return list(struct.unpack(f"<{count}I", g.memory.read(at, 4 * count)))


def after(g: Guest2, ns: int) -> int:
    return int(g("monotonic-clock#subscribe-duration", ns))


def stdin(g: Guest2, fd: int) -> tuple[int, int]:
    """The standard input and a pollable of it."""
    g.instance._sys.stdio_fd(0, fd)
    stream = g("stdin#get-stdin")
    return stream, g("streams#[method]input-stream.subscribe", stream)


def test_poll_lists_what_is_ready(stdio: Stdio) -> None:
    g = stdio()
    with pipe() as (r, w):
        _, p = stdin(g, r)
        soon, later, past = after(g, 1), after(g, HOUR), after(g, 0)
        time.sleep(0.001)
        assert poll(g, later, soon, p, past) == [1, 3]
        os.write(w, b"x")
        assert poll(g, later, soon, p, past) == [1, 2, 3]
        assert poll(g, p) == [0]
        assert [g(READY, one) for one in (p, later, soon)] == [1, 0, 1]


def test_poll_writes_the_list_alone(stdio: Stdio) -> None:
    g = stdio()
    p = after(g, 0)
    g.memory.write(IN, struct.pack("<3I", p, p, p))
    with g.writes_only((OUT, 8)):
        g("poll#poll", IN, 3, OUT)  # one may be named more than once
    at, count = g.unpack("II", OUT)
    assert count == 3 and at % 4 == 0 and g.unpack("3I", at) == (0, 1, 2)


def test_poll_wakes_up(stdio: Stdio) -> None:
    g = stdio()
    with pipe() as (r, w):
        _, p = stdin(g, r)
        timer = threading.Timer(0.03, os.write, (w, b"x"))
        timer.start()
        assert poll(g, after(g, HOUR), p) == [1]
        timer.join()
        g(BLOCK, p)


def test_the_other_end_is_closed(stdio: Stdio) -> None:
    g = stdio()
    with pipe() as (r, w):
        _, p = stdin(g, r)
        assert g(READY, p) == 0
        os.close(w)
        assert g(READY, p) == 1 and poll(g, p) == [0]


def test_a_pollable_of_a_stream_that_is_gone_is_ready(stdio: Stdio) -> None:
    """And so it stays when another stream takes the place."""
    g = stdio()
    with pipe() as (r, _w):
        stream, p = stdin(g, r)
        assert g(READY, p) == 0
        g("streams#[resource-drop]input-stream", stream)
        assert g(READY, p) == 1
        g("stdin#get-stdin")
        assert g(READY, p) == 1 and poll(g, p, after(g, HOUR)) == [0]


def test_poll_of_nothing_traps(stdio: Stdio) -> None:
    assert "empty" in stdio().traps("poll#poll", IN, 0, OUT)


def test_poll_is_limited(stdio: Stdio) -> None:
    g = stdio(Policy(limits=Limits(subscriptions=4)))
    p = after(g, 0)
    assert poll(g, p, p, p, p) == [0, 1, 2, 3]
    with pytest.raises(LimitExceeded, match="subscriptions"):
        poll(g, p, p, p, p, p)


def test_one_subscription_is_enough_for_ready_and_block(stdio: Stdio) -> None:
    g = stdio(Policy(limits=Limits(subscriptions=1)))
    p = after(g, HOUR)
    assert g(READY, p) == 0 and g(READY, after(g, 0)) == 1
    with pytest.raises(Timeout):
        g(BLOCK, p, timeout=0.03)


@pytest.mark.parametrize(
    ("place", "count", "told"),
    [(2 << 16, 1, "bounds"), ((2 << 16) - 4, 2, "bounds"), (IN + 1, 1, "aligned"), (IN + 2, 1, "aligned"),
     (IN, 2**28, "too long"), (IN, 2**32 - 1, "too long"), (2**32 - 4, 2, "bounds")],
)  # fmt: skip
def test_a_list_outside(stdio: Stdio, place: int, count: int, told: str) -> None:
    g = stdio()
    with g.writes_only():
        assert told in g.traps("poll#poll", place, count, OUT)


def test_a_return_area_outside(stdio: Stdio) -> None:
    for out, told in (
        (2 << 16, "bounds"),
        ((2 << 16) - 4, "bounds"),
        (OUT + 1, "aligned"),
        (2**32 - 4, "bounds"),
    ):
        g = stdio()
        g.memory.write(IN, struct.pack("<I", after(g, HOUR)))
        with g.writes_only():
            assert told in g.traps("poll#poll", IN, 1, out)  # before it waits


def test_a_list_from_realloc_that_is_misaligned(stdio: Stdio) -> None:
    g = stdio(realloc="misaligned")
    g.memory.write(IN, struct.pack("<I", after(g, 0)))
    assert "align" in g.traps("poll#poll", IN, 1, OUT)


def test_memory_that_moves(stdio: Stdio) -> None:
    g = stdio(realloc="grow")
    for _ in range(5):
        assert poll(g, after(g, HOUR), after(g, 0)) == [1]


def test_waiting_ends_from_outside(stdio: Stdio) -> None:
    with pipe() as (r, _w):
        for call in ("block", "poll"):
            g = stdio()
            _, p = stdin(g, r)
            timer = threading.Timer(0.03, g.instance.cancel)
            timer.start()
            with pytest.raises(Cancelled):
                g(BLOCK, p) if call == "block" else poll(g, p, after(g, HOUR))
            timer.join()
            g = stdio()
            _, p = stdin(g, r)
            with pytest.raises(Timeout):
                g(BLOCK, p, timeout=0.03) if call == "block" else poll(g, p, after(g, HOUR), timeout=0.03)


def test_a_loop_of_ready_ends_too(stdio: Stdio) -> None:
    """As a guest does it that knows no better; each call looks at the deadline."""
    g = stdio()
    p = after(g, HOUR)
    g.instance.cancel()
    with pytest.raises(Cancelled):
        g(READY, p)


def test_to_debug_string(stdio: Stdio) -> None:
    """The error of an operation that failed: its text, and nothing of the host."""
    g = stdio()
    with open("/dev/full", "wb") as full:
        g.instance._sys.stdio_fd(1, full.fileno())
    stream = g("stdout#get-stdout")
    g("streams#[method]output-stream.blocking-write-and-flush", stream, *g.put(IN, b"x"), OUT)
    assert g.unpack("B3xBxxx", OUT) == (1, 0)
    error = g.unpack("I", OUT + 8)
    with g.writes_only((OUT, 8)):
        g("error#[method]error.to-debug-string", error, OUT)
    assert g.bytes_at(OUT) == b"no space left"
    g("error#[resource-drop]error", error)
    assert "handle" in g.traps("error#[method]error.to-debug-string", error, OUT)

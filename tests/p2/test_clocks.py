"""core/p2/clocks.c: monotonic-clock, wall-clock and timezone, by the policy's clocks."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.p2.driver import Guest2
from wasi_native import Clock, Fixed, LimitExceeded, Limits, Policy, Timeout

S = 10**9
CLOCKS = ("wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock", "wasi:clocks/timezone", "wasi:io/poll")
Make = Callable[..., Guest2]
OUT = 0x100


@pytest.fixture
def g(make2: Make) -> Guest2:
    return make2(*CLOCKS)


def test_monotonic_now(g: Guest2) -> None:
    read = [time.monotonic_ns(), *(g("monotonic-clock#now") for _ in range(3)), time.monotonic_ns()]
    assert read == sorted(read)
    assert 1 <= g("monotonic-clock#resolution") <= S


def test_wall_clock_now(g: Guest2) -> None:
    before = time.time_ns()
    with g.writes_only((OUT, 12)):  # the four bytes behind the nanoseconds are nobody's
        g("wall-clock#now", OUT)
    seconds, nanoseconds = g.unpack("QI", OUT)
    assert before <= seconds * S + nanoseconds <= time.time_ns() and nanoseconds < S
    g("wall-clock#resolution", OUT)
    seconds, nanoseconds = g.unpack("QI", OUT)
    assert seconds == 0 and 1 <= nanoseconds < S


def test_the_return_area_is_looked_at(make2: Make) -> None:
    """Outside of memory, partly outside, misaligned: a trap, and nothing is written."""
    for ptr in (0x101, 0x104, 2 << 16, (2 << 16) - 8, 2**32 - 8):
        for name, *args in (("wall-clock#now",), ("wall-clock#resolution",), ("timezone#display", 0, 0)):
            g, odd = make2(*CLOCKS), ptr | 2
            with g.writes_only():
                told = g.traps(name, *args, odd if "display" in name and ptr < 0x200 else ptr)
            assert ("aligned" if ptr < 0x200 else "bounds") in told


def test_the_policys_clocks(make2: Make) -> None:
    fixed = Policy(clocks=Clock(realtime=1_700_000_000 * S + 5, monotonic=Fixed(7 * S, step=3)))
    g = make2(*CLOCKS, policy=fixed)
    assert [g("monotonic-clock#now") for _ in range(3)] == [7 * S, 7 * S + 3, 7 * S + 6]
    assert g("monotonic-clock#resolution") == 3
    g("wall-clock#now", OUT)
    assert g.unpack("QI", OUT) == (1_700_000_000, 5)


def test_timezone(g: Guest2) -> None:
    """UTC, whatever the host says."""
    with g.writes_only((OUT, 13)):
        g("timezone#display", 1_700_000_000, 0, OUT)
    assert g.unpack("i", OUT) == 0 and g.bytes_at(OUT + 4) == b"UTC" and g.memory.u8(OUT + 12) == 0
    assert g("timezone#utc-offset", 2**64 - 1, 2**32 - 1) == 0


def test_subscribe_duration(g: Guest2) -> None:
    start = time.monotonic_ns()
    p = g("monotonic-clock#subscribe-duration", 20_000_000)
    assert g("poll#[method]pollable.ready", p) == 0
    g("poll#[method]pollable.block", p)
    assert time.monotonic_ns() - start >= 20_000_000
    assert g("poll#[method]pollable.ready", p) == 1
    g("poll#[resource-drop]pollable", p)


def test_subscribe_instant(g: Guest2) -> None:
    now = g("monotonic-clock#now")
    past, never = (
        g("monotonic-clock#subscribe-instant", now),
        g("monotonic-clock#subscribe-instant", 2**64 - 1),
    )
    assert [g("poll#[method]pollable.ready", p) for p in (past, never)] == [1, 0]
    with pytest.raises(Timeout):
        g("poll#[method]pollable.block", never, timeout=0.05)


def test_the_end_of_time(g: Guest2) -> None:
    """A duration that reaches past the last number of the clock waits for ever."""
    p = g("monotonic-clock#subscribe-duration", 2**64 - 1)
    assert g("poll#[method]pollable.ready", p) == 0


def test_a_line_of_numbers_goes_on_by_waiting(make2: Make) -> None:
    g = make2(*CLOCKS, policy=Policy(clocks=Clock(monotonic=1000)))
    p = g("monotonic-clock#subscribe-duration", 3600 * S)
    q = g("monotonic-clock#subscribe-instant", 1000 + 1800 * S)
    assert [g("poll#[method]pollable.ready", x) for x in (p, q)] == [0, 0]
    assert g("monotonic-clock#now") == 1000  # asking moved nothing
    g("poll#[method]pollable.block", q)
    assert g("monotonic-clock#now") == 1000 + 1800 * S
    g("poll#[method]pollable.block", p)
    assert g("monotonic-clock#now") == 1000 + 3600 * S


def test_pollables_are_counted(make2: Make) -> None:
    g = make2(*CLOCKS, policy=Policy(limits=Limits(handles=10)))
    for _ in range(3):
        made = [g("monotonic-clock#subscribe-duration", S) for _ in range(10)]
        assert sorted(made) == list(range(1, 11))
        for p in made:
            g("poll#[resource-drop]pollable", p)
    with pytest.raises(LimitExceeded, match="handles"):
        for _ in range(11):
            g("monotonic-clock#subscribe-duration", S)

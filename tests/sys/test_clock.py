"""sys/clock.c: the kernel's clocks, shifted ones, and lines of numbers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support import E, Guest, on_clock, on_fd
from wasi_native import Clock, Fixed, Offset, Policy, _core

S = 10**9
NOW = {0: time.time_ns, 1: time.monotonic_ns, 2: time.process_time_ns, 3: time.thread_time_ns}


def read(g: Guest, clock: int) -> int:
    assert g.clock_time_get(clock, 0, 64) == 0
    return int(g.memory.u64(64))


def resolution(g: Guest, clock: int) -> int:
    assert g.clock_res_get(clock, 64) == 0
    return int(g.memory.u64(64))


@pytest.mark.parametrize("clock", NOW)
def test_the_system_s(guest: Any, clock: int) -> None:
    g = guest()
    before = NOW[clock]()
    values = [read(g, clock) for _ in range(3)]
    after = NOW[clock]()
    assert before <= values[0] <= values[1] <= values[2] <= after
    assert 1 <= resolution(g, clock) <= 10**8


def test_unknown_ones(guest: Any) -> None:
    g = guest()
    for clock in (4, 5, 255, 2**31, 2**32 - 1):
        assert g.clock_time_get(clock, 0, 64) == g.clock_res_get(clock, 64) == E.INVAL
    assert g.memory.read(64, 8) == b"\xa5" * 8


@pytest.mark.parametrize("offset", [0, 5 * S, -5 * S, 365 * 86400 * S])
def test_an_offset(guest: Any, offset: int) -> None:
    g = guest(Policy(clocks=Clock(realtime=Offset(offset), monotonic=Offset(abs(offset)))))
    before = time.time_ns()
    value = read(g, 0)
    assert before + offset <= value <= time.time_ns() + offset
    assert read(g, 1) >= abs(offset) and resolution(g, 0) >= 1


def test_offsets_are_held_between_zero_and_the_largest_time(guest: Any) -> None:
    g = guest()
    world = g.instance._sys
    world.set_clock(0, 1, -(2**63), 0)
    assert read(g, 0) == 0
    world.set_clock(0, 1, 2**63 - 1, 0)
    assert read(g, 0) > 2**63


def test_a_fixed_one_steps_at_each_reading(guest: Any) -> None:
    g = guest(Policy(clocks=Clock(realtime=Fixed(1000, step=7), monotonic=5, cpu=Fixed(0))))
    assert [read(g, 0) for _ in range(3)] == [1000, 1007, 1014]
    assert [read(g, 1) for _ in range(2)] == [5, 5] and [read(g, 2), read(g, 3)] == [0, 0]
    assert [resolution(g, clock) for clock in range(4)] == [7, 1, 1, 1]


def test_a_fixed_one_ends_at_2_63(guest: Any) -> None:
    g = guest(Policy(clocks=Clock(realtime=Fixed(2**63 - 2, step=5))))
    assert [read(g, 0) for _ in range(3)] == [2**63 - 2, 2**63 - 1, 2**63 - 1]


def test_sleeps_on_fixed_clocks_take_no_time_and_move_them_on(guest: Any) -> None:
    g = guest(Policy(clocks=Clock(realtime=1000, monotonic=50, cpu=7)))
    start = time.monotonic()
    assert g.poll(on_clock(3600 * S, clock=1, userdata=1), timeout=60)[1] == [(1, 0, 0, 0, 0)]
    assert (read(g, 0), read(g, 1), read(g, 2)) == (1000 + 3600 * S, 50 + 3600 * S, 7)
    assert g.poll(on_clock(1000 + 7200 * S, clock=0, absolute=True), timeout=60)[0] == 0
    assert (read(g, 0), read(g, 1)) == (1000 + 7200 * S, 50 + 7200 * S)
    assert g.poll(on_clock(10, clock=2), timeout=60)[0] == 0  # CPU time passes only for who waits for it
    assert (read(g, 2), read(g, 1)) == (17, 50 + 7200 * S)
    assert time.monotonic() - start < 30


def test_the_first_of_several_fixed_sleeps_fires(guest: Any) -> None:
    g = guest(Policy(clocks=Clock(monotonic=0, realtime=0)))
    subs = [on_clock(n * S, userdata=n) for n in (30, 10, 20, 10)]
    assert [event.userdata for event in g.poll(*subs, timeout=60)[1]] == [10, 10]
    assert read(g, 1) == 10 * S
    assert [
        event.userdata for event in g.poll(on_clock(5 * S, absolute=True, userdata=9), timeout=60)[1]
    ] == [9]
    assert read(g, 1) == 10 * S  # it was past: nothing moves


def test_a_mixed_wait_prefers_what_is_there(guest: Any) -> None:
    g = guest(Policy(clocks=Clock(monotonic=0), stdin=b"x"))
    assert [e.userdata for e in g.poll(on_clock(S, userdata=1), on_fd(0, userdata=2), timeout=60)[1]] == [2]
    assert read(g, 1) == 0


def test_readings_ask_the_kernel_once(guest: Any) -> None:
    kernel = _core.FakeOs()
    g = guest(kernel=kernel)
    kernel.clear()
    for clock in range(4):
        g.clock_time_get(clock, 0, 64)
    # clock_get is the vDSO's function; the guest's CPU accounting around each call reads a clock as well
    assert kernel.count("*") == kernel.count("clock_get") and kernel.count("alloc") == 0

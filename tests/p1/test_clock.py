"""The four clocks, and clocks that a policy replaces."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.support import E, Guest
from wasi_native import Clock, Fixed, Offset, Policy, _core

REALTIME, MONOTONIC, PROCESS_CPU, THREAD_CPU = range(4)


@pytest.mark.parametrize("clock", range(4))
def test_clock_res_get(plain: Callable[..., Guest], clock: int) -> None:
    g = plain()
    with g.writes_only((64, 8)):
        assert g.clock_res_get(clock, 64) == 0
    assert 1 <= g.unpack("Q", 64) <= 10**9


def test_clock_time_get_realtime_is_the_hosts(plain: Callable[..., Guest]) -> None:
    g = plain()
    before = time.time_ns()
    with g.writes_only((64, 8)):
        assert g.clock_time_get(REALTIME, 0, 64) == 0
    assert before <= g.unpack("Q", 64) <= time.time_ns()


def test_clock_time_get_monotonic_never_goes_back(plain: Callable[..., Guest]) -> None:
    g, last = plain(), 0
    for precision in (0, 1, 10**9, 2**64 - 1) * 50:
        assert g.clock_time_get(MONOTONIC, precision, 64) == 0
        now = g.unpack("Q", 64)
        assert now >= last
        last = now


@pytest.mark.parametrize("clock", [PROCESS_CPU, THREAD_CPU])
def test_clock_time_get_counts_cpu_time(plain: Callable[..., Guest], clock: int) -> None:
    g = plain()
    read = time.process_time_ns if clock == PROCESS_CPU else time.thread_time_ns
    before = read()
    assert g.clock_time_get(clock, 0, 64) == 0
    assert before <= g.unpack("Q", 64) <= read()


@pytest.mark.parametrize("clock", [4, 255, 2**31, 2**32 - 1])
@pytest.mark.parametrize("name", ["clock_res_get", "clock_time_get"])
def test_inval_no_such_clock(plain: Callable[..., Guest], name: str, clock: int) -> None:
    g = plain()
    with g.writes_only():
        assert g.call(name, clock, *[0] * (name == "clock_time_get"), 64) == E.INVAL


def test_a_fixed_clock_steps(plain: Callable[..., Guest]) -> None:
    g = plain(clocks=Clock(realtime=Fixed(1000, 7), cpu=5))
    seen = [(g.clock_time_get(REALTIME, 0, 64), g.unpack("Q", 64))[1] for _ in range(3)]
    assert seen == [1000, 1007, 1014]
    assert g.clock_res_get(REALTIME, 64) == 0 and g.unpack("Q", 64) == 7
    assert g.clock_time_get(THREAD_CPU, 0, 64) == 0 and g.unpack("Q", 64) == 5


def test_an_offset_clock(plain: Callable[..., Guest]) -> None:
    g = plain(clocks=Clock(realtime=Offset(-(10**12)), monotonic=Offset(10**15)))
    before = time.time_ns(), time.monotonic_ns()
    assert g.clock_time_get(REALTIME, 0, 64) == 0 and g.clock_time_get(MONOTONIC, 0, 72) == 0
    assert before[0] <= g.unpack("Q", 64) + 10**12 <= time.time_ns()
    assert before[1] <= g.unpack("Q", 72) - 10**15 <= time.monotonic_ns()


def test_what_the_kernel_says_is_passed_on(guest: Callable[..., Guest], engine: str) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(), engine=engine, kernel=kernel)
    kernel.inject("clock_res", err=E.IO)
    with g.writes_only():
        assert g.clock_res_get(0, 64) == E.IO
    assert g.clock_res_get(0, 64) == 0

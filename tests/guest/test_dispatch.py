"""The one door of every call: who was cancelled gets no further, and the first end is the one that counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.support import Guest, signatures
from wasi_native import Cancelled, Exit, InstanceDead, LimitExceeded, Limits, Policy, Timeout, Trap

Make = Callable[..., Guest]


@pytest.mark.parametrize("name", sorted(signatures()))
def test_no_call_of_a_cancelled_guest_does_anything(guest: Make, engine: str, name: str) -> None:
    g = guest(Policy(), engine=engine)
    g.instance.cancel()
    params = signatures()[name][0]
    with g.writes_only(), pytest.raises(Cancelled):
        g.call(name, *[8] * len(params))
    assert g.instance.end == "cancelled"


def test_cancel_counts_once_and_for_ever(guest: Make, engine: str) -> None:
    g = guest(Policy(), engine=engine)
    for _ in range(3):
        g.instance.cancel()
    with pytest.raises(Cancelled):
        g.sched_yield()
    with pytest.raises(InstanceDead, match="cancelled"):
        g.sched_yield()
    g.instance.cancel()
    assert g.instance.end == "cancelled"


def test_the_first_end_counts(guest: Make, engine: str) -> None:
    g = guest(Policy(), engine=engine)
    with pytest.raises(Exit):
        g.proc_exit(4)
    g.instance.cancel()
    assert g.instance.end == "exit"
    g = guest(Policy(), engine=engine)
    with pytest.raises(Trap):
        g.random_get(0, 2**31)
    assert g.instance.end == "trap"
    with pytest.raises(InstanceDead, match="trap"):
        g.proc_exit(0)


def test_a_guest_that_only_fails_meets_its_cancel(guest: Make, engine: str) -> None:
    g = guest(Policy(), engine=engine)
    timer = threading.Timer(0.02, g.instance.cancel)
    timer.start()
    with pytest.raises((Cancelled, InstanceDead)):
        while True:
            g.fd_close(99)
    timer.join()


def test_cpu_time_is_a_limit_of_all_calls_together(guest: Make, engine: str) -> None:
    g = guest(Policy(limits=Limits(cpu_time=0.03)), engine=engine)
    calls = 0
    with pytest.raises(LimitExceeded) as limit:
        while True:
            g.random_get(0, 0x10000)
            calls += 1
    assert limit.value.limit == "cpu_time" and calls > 2
    assert g.instance.end == "limit"


def test_a_deadline_of_the_policy_and_of_the_call(guest: Make, engine: str) -> None:
    g = guest(Policy(limits=Limits(wall_time=30)), engine=engine)
    assert g.sched_yield() == 0
    g.put(0x1000, bytes(16) + b"\1" + bytes(7) + (10**12).to_bytes(8, "little") + bytes(16))
    start = time.monotonic()
    with pytest.raises(Timeout):
        g.poll_oneoff(0x1000, 0x2000, 1, 0x100, timeout=0.02)
    assert time.monotonic() - start >= 0.02

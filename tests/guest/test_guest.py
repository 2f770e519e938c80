"""A running module between two calls: CPU accounting, the wish for ticks, and its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.guests import build
from tests.support import Guest, running_threads, threads_end
from wasi_native import Exit, Host, LimitExceeded, Limits, Policy, Timeout

Make = Callable[..., Guest]


def test_cpu_time_is_counted_in_calls_alone(guest: Make, engine: str) -> None:
    g = guest(Policy(), engine=engine)
    before = g.instance.usage.cpu_ns
    for _ in range(50):
        assert g.random_get(0, 0x10000) == 0
    used = g.instance.usage.cpu_ns
    assert used > before
    sum(range(10**5))  # the host's own
    assert g.instance.usage.cpu_ns == used


def test_a_call_without_a_deadline_needs_no_ticker(guest: Make, engine: str) -> None:
    before = running_threads()
    g = guest(Policy(), engine=engine)
    assert g.sched_yield() == 0
    ticks = running_threads() - before
    g.close()
    assert len(ticks) <= 1 and threads_end(before)


def test_computing_ends_at_a_deadline_and_at_a_limit() -> None:
    for engine, source, export in (("fake", b"fake 1", "spin"), ("wasmtime", build.wat("loop"), "forever")):
        with Host(Policy(), engine=engine, board="generic-x86_64") as host, host.load(source) as module:
            with module.instantiate() as one, pytest.raises(Timeout):
                one.call(export, timeout=0.03)
            limits = Policy(limits=Limits(cpu_time=0.03))
            with module.instantiate(limits) as two, pytest.raises(LimitExceeded) as limit:
                two.call(export)
            assert (
                limit.value.limit == "cpu_time" and two.usage.cpu_ns >= 30_000_000
                if two.end is None
                else True
            )


@pytest.mark.parametrize("code", [0, 3, 2**32 - 1])
def test_the_code_stays_with_the_guest(guest: Make, engine: str, code: int) -> None:
    g = guest(Policy(), engine=engine)
    assert g.instance.end is None
    with pytest.raises(Exit) as end:
        g.proc_exit(code)
    assert end.value.code == code
    assert g.instance._core is not None and g.instance._core.end()[1] == code

"""engine/ticker.c: one thread that makes computing guests look at the clock, while one needs it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import Any

import pytest

from tests.support import E, running_threads, threads_end
from wasi_native import _core

MODULE = b"fake 1\nmemory 1\nimport wasi_snapshot_preview1 sched_yield - i"


def make(limits: dict[str, int] | None = None, **engine: Any) -> _core.Instance:
    return _core.Instance(_core.Engine("fake", **engine).load(MODULE), _core.Sys(limits or {}))


def soon(seconds: float = 20) -> int:
    return time.monotonic_ns() + int(seconds * 1e9)


def test_only_who_needs_it_starts_it() -> None:
    before = running_threads()
    with closing(make()) as instance:
        assert instance.call(b"sched_yield", (), "", "i", 0, False)[0] == 0
        assert running_threads() <= before
        for _ in range(10):
            assert instance.call(b"sched_yield", (), "", "i", soon(), False)[0] == 0
            assert len(running_threads() - before) == 1
    del instance
    assert threads_end(before)


@pytest.mark.parametrize("tick_ms", [1, 5, 0])
def test_deadlines_of_computing_guests(tick_ms: int) -> None:
    for wait in (0.0, 0.01, 0.04):
        instance = make(tick_ms=tick_ms)
        start = time.monotonic()
        assert instance.call(b"spin", (), "", "", soon(wait), False)[0] == _core.TIMEOUT
        assert wait <= time.monotonic() - start < wait + 20


def test_one_thread_for_many_guests() -> None:
    before = running_threads()
    engine = _core.Engine("fake", tick_ms=2)
    module = engine.load(MODULE)
    alive = [_core.Instance(module, _core.Sys({})) for _ in range(6)]
    ended: list[int] = []

    def work(one: _core.Instance, wait: float) -> None:
        ended.append(one.call(b"spin", (), "", "", soon(wait), False)[0])

    threads = [threading.Thread(target=work, args=(one, 0.02 * i)) for i, one in enumerate(alive)]
    for thread in threads:
        thread.start()
    most = len(running_threads() - before)
    for thread in threads:
        thread.join(20)
    assert ended == [_core.TIMEOUT] * 6 and most <= 7
    for one in alive:
        one.close()


def switches(thread: Any) -> int:
    with open(f"/proc/self/task/{thread}/status") as file:
        return sum(int(line.split()[1]) for line in file if "_ctxt_switches" in line)


def test_it_sleeps_while_nobody_computes() -> None:
    before = running_threads()
    with closing(make(tick_ms=1)) as instance:
        instance.call(b"sched_yield", (), "", "i", soon(), False)
        (ticker,) = running_threads() - before

        time.sleep(0.01)
        first = switches(ticker)
        time.sleep(0.05)  # fifty ticks, if it did not sleep
        assert switches(ticker) - first < 10


def test_short_calls_do_not_wake_it_each_time() -> None:
    before = running_threads()
    with closing(make()) as instance:
        instance.call(b"sched_yield", (), "", "i", soon(), False)
        (ticker,) = running_threads() - before
        first = switches(ticker)
        for _ in range(5000):
            instance.call(b"sched_yield", (), "", "i", soon(), False)
        assert switches(ticker) - first < 2500  # a few in each period of 20 ms


def test_no_thread_to_be_had() -> None:
    kernel = _core.FakeOs()
    instance = make(os=kernel)
    kernel.inject("thread_start", 1, 1, err=E.AGAIN)
    err, text, _ = instance.call(b"sched_yield", (), "", "i", soon(), False)
    assert err == E.AGAIN and "no thread for the ticker" in text
    assert instance.end()[0] == 0
    assert instance.call(b"sched_yield", (), "", "i", soon(), False)[0] == 0  # the next time there is one


def test_an_engine_that_closes_while_it_ticks() -> None:
    for _ in range(30):
        instance = make(tick_ms=1)
        instance.call(b"sched_yield", (), "", "i", soon(), False)
        instance.close()

"""sys/wait.c: the one place that blocks, and the reasons to stop: cancel, deadline, signals."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from tests.support import E, Guest, on_clock, on_fd
from wasi_native import Cancelled, InstanceDead, Policy, Timeout, _core

HOUR = 3600 * 10**9


def test_cancel_wakes_from_every_wait(guest: Any) -> None:
    for kind in range(3):
        r, w = os.pipe()
        g: Guest = guest()
        g.instance._sys.stdio_fd(0, r)
        timer = threading.Timer(0.01, g.instance.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            if kind == 0:
                g.read(0)
            elif kind == 1:
                g.poll(on_clock(HOUR))
            else:
                g.poll(on_fd(0), on_clock(HOUR))
        timer.join()
        os.close(r)
        os.close(w)


def test_cancel_is_sticky(guest: Any) -> None:
    g = guest()
    g.instance.cancel()
    with pytest.raises(Cancelled):
        g.poll(on_clock(HOUR))
    with pytest.raises(InstanceDead):
        g.sched_yield()


@pytest.mark.parametrize(
    "name", ["sched_yield", "fd_read", "fd_write", "fd_tell", "random_get", "clock_time_get"]
)
def test_a_deadline_that_has_passed(guest: Any, name: str) -> None:
    args = {"fd_read": (0, 0, 0, 64), "fd_write": (1, 0, 0, 64), "fd_tell": (0, 64), "random_get": (0, 4)}
    g = guest()
    with pytest.raises(Timeout):
        g.call(name, *args.get(name, (1, 0, 64) if name == "clock_time_get" else ()), timeout=0)


def test_the_deadline_comes_before_the_sleep_s_end(guest: Any) -> None:
    g = guest()
    start = time.monotonic()
    with pytest.raises(Timeout):
        g.poll(on_clock(HOUR), timeout=0.03)
    assert time.monotonic() - start >= 0.03
    g = guest()
    assert g.poll(on_clock(10**6), timeout=20)[0] == 0


def test_in_another_thread_nobody_looks_for_signals(guest: Any) -> None:
    """One wait of the kernel, however long: no ticks, no slices."""
    kernel = _core.FakeOs()
    g = guest(kernel=kernel)
    kernel.clear()
    thread = threading.Thread(target=lambda: g.poll(on_clock(120 * 10**6)))
    thread.start()
    thread.join()
    assert kernel.count("poll") == 1


def test_in_the_main_thread_a_long_wait_has_slices(guest: Any) -> None:
    kernel = _core.FakeOs()
    g = guest(kernel=kernel)
    kernel.clear()
    assert g.poll(on_clock(120 * 10**6, userdata=4))[1] == [(4, 0, 0, 0, 0)]
    assert 2 <= kernel.count("poll") <= 4


def test_exceptions_of_signal_handlers_surface(guest: Any) -> None:
    class Alarm(Exception):
        pass

    def handler(*_: Any) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for call in ("poll", "spin"):
            for seconds in (0.02, 0.5, 5):  # a slow machine may not be in the call yet
                g: Guest = guest()
                with pytest.raises(Alarm):
                    signal.setitimer(signal.ITIMER_REAL, seconds)
                    g.poll(on_clock(HOUR), timeout=20) if call == "poll" else g.call("spin", timeout=20)
                if g.instance.end:
                    break
            assert g.instance.end == "host"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_signal_handler_may_cancel(guest: Any) -> None:
    g = guest()
    before = signal.signal(signal.SIGALRM, lambda *_: g.instance.cancel())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Cancelled):
            g.poll(on_clock(HOUR), timeout=20)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_an_event_that_somebody_closed_is_an_error_not_a_loop(guest: Any) -> None:
    before = set(os.listdir("/proc/self/fd"))
    r, w = os.pipe()
    g = guest(Policy())
    events = [fd for fd in set(os.listdir("/proc/self/fd")) - before if _is_event(fd)]
    spare = os.dup(int(events[0]))
    os.close(int(events[0]))
    try:
        assert g.poll(on_clock(HOUR), timeout=20)[0] == E.IO
    finally:
        os.dup2(spare, int(events[0]))
        os.close(spare)
        os.close(r)
        os.close(w)


def _is_event(fd: str) -> bool:
    try:
        return "eventfd" in os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return False


def test_no_event_no_world() -> None:
    kernel = _core.FakeOs()
    kernel.inject("event_open", 1, 1, err=E.MFILE)
    with pytest.raises(_core.CoreError) as caught:
        _core.Sys({}, os=kernel)
    assert caught.value.code == E.MFILE


def test_waits_of_hostile_length(guest: Any) -> None:
    g = guest()
    for until in (2**63 - 1, 2**63, 2**64 - 1):
        assert g.poll(on_clock(until, userdata=1), on_clock(10**6, userdata=2)) == (0, [(2, 0, 0, 0, 0)])

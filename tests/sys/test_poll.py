"""sys/poll.c: many waits at once, of clocks and descriptors."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import E, Guest, on_clock, on_fd
from wasi_native import LimitExceeded, Limits, Policy, Timeout, _core

MS, S = 10**6, 10**9
HOUR = 3600 * S


@pytest.fixture
def piped(guest: Any) -> Iterator[tuple[Guest, int, int, _core.FakeOs]]:
    """A guest whose stdin is a pipe: the guest, the pipe's ends, the kernel."""
    kernel = _core.FakeOs()
    r, w = os.pipe()
    g = guest(Policy(limits=Limits(subscriptions=70, fds=8)), kernel=kernel)
    g.instance._sys.stdio_fd(0, r)
    yield g, r, w, kernel
    for fd in (r, w):
        with contextlib.suppress(OSError):
            os.close(fd)


def test_what_is_there_needs_no_wait(guest: Any) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(stdin=b"abc"), kernel=kernel)
    kernel.clear()
    subs = (
        on_fd(0, userdata=1),
        on_fd(1, write=True, userdata=2),
        on_clock(0, userdata=3),
        on_clock(HOUR, userdata=4),
    )
    assert g.poll(*subs) == (0, [(1, 0, 1, 3, 0), (2, 0, 2, 0, 0), (3, 0, 0, 0, 0)])
    assert kernel.count("poll") == 0  # nothing that a kernel must be asked about


def test_one_look_at_what_is_ready(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g, _, w, kernel = piped
    os.write(w, b"12345")
    kernel.clear()
    subs = [on_fd(0, userdata=i) for i in range(60)] + [on_clock(HOUR, userdata=100)]
    assert g.poll(*subs) == (0, [(i, 0, 1, 5, 0) for i in range(60)])
    assert kernel.count("poll") == 1 and kernel.count("alloc") == 0
    kernel.clear()
    err, events = g.poll(on_fd(0, userdata=1), on_clock(0, userdata=2))
    assert err == 0 and [event.userdata for event in events] == [1, 2]


def test_a_clock_that_comes_first(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g = piped[0]
    start = time.monotonic_ns()
    err, events = g.poll(on_fd(0, userdata=1), on_clock(20 * MS, userdata=2), on_clock(HOUR, userdata=3))
    assert (err, events) == (0, [(2, 0, 0, 0, 0)]) and time.monotonic_ns() - start >= 20 * MS


@pytest.mark.parametrize("clock", [0, 1])
@pytest.mark.parametrize("absolute", [False, True])
def test_sleeps_are_never_short(guest: Any, clock: int, absolute: bool) -> None:
    g = guest()
    now = time.time_ns if clock == 0 else time.monotonic_ns
    for wait in (1, 1000, 3 * MS):
        start = now()
        when = start + wait if absolute else wait
        assert g.poll(on_clock(when, clock=clock, absolute=absolute))[0] == 0
        assert now() - start >= wait


def test_data_that_comes_meanwhile(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g, _, w, _ = piped
    timer = threading.Timer(0.02, os.write, (w, b"late"))
    timer.start()
    assert g.poll(on_clock(HOUR), on_fd(0, userdata=7), timeout=20) == (0, [(7, 0, 1, 4, 0)])
    timer.join()


def test_a_writer_that_leaves(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g, _, w, _ = piped
    os.close(w)
    assert g.poll(on_clock(HOUR), on_fd(0, userdata=7), timeout=20) == (0, [(7, 0, 1, 0, 1)])


def test_both_directions_of_a_socket(guest: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        g = guest()
        g.instance._sys.preopen_socket(ours.fileno(), False)
        both = on_fd(3, userdata=1), on_fd(3, write=True, userdata=2)
        assert g.poll(*both) == (0, [(2, 0, 2, 0, 0)])
        theirs.send(b"xyz")
        assert g.poll(*both) == (0, [(1, 0, 1, 3, 0), (2, 0, 2, 0, 0)])
        assert g.poll(both[1], both[0], both[1]) == (0, [(2, 0, 2, 0, 0), (1, 0, 1, 3, 0), (2, 0, 2, 0, 0)])


def test_rights(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g, _, w, _ = piped
    os.write(w, b"x")
    assert g.poll(on_fd(0, write=True), on_clock(HOUR))[1][0].err == E.NOTCAPABLE
    assert g.fd_fdstat_set_rights(0, 1 << 1, 0) == 0  # reading without polling
    assert g.poll(on_fd(0), on_clock(HOUR))[1][0].err == E.NOTCAPABLE


def test_interrupted_waits_go_on(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g, _, _, kernel = piped
    kernel.clear()
    kernel.inject("poll", 1, 5, err=E.INTR)
    start = time.monotonic_ns()
    assert g.poll(on_fd(0), on_clock(10 * MS, userdata=1)) == (0, [(1, 0, 0, 0, 0)])
    assert time.monotonic_ns() - start >= 10 * MS and kernel.count("poll") == 6
    kernel.clear()
    kernel.inject("poll", 1, 1, err=E.NOMEM)
    assert g.poll(on_fd(0), on_clock(10 * MS))[0] == E.NOMEM
    kernel.inject("available", 1, 0, err=E.IO)  # how much there is cannot be said: none, then
    os.write(piped[2], b"abc")
    assert g.poll(on_fd(0))[1][0].nbytes in {0, 3}


def test_cpu_time_is_waited_for_by_computing(guest: Any) -> None:
    g = guest()
    for clock in (2, 3):
        before = time.process_time_ns() if clock == 2 else time.thread_time_ns()
        assert g.poll(on_clock(2 * MS, clock=clock, userdata=clock), timeout=20) == (0, [(clock, 0, 0, 0, 0)])
        after = time.process_time_ns() if clock == 2 else time.thread_time_ns()
        assert after - before >= 2 * MS
    g = guest(Policy(limits=Limits(cpu_time=0.02)))
    with pytest.raises(LimitExceeded) as caught:
        g.poll(on_clock(HOUR, clock=3), timeout=60)
    assert caught.value.limit == "cpu_time"


def test_a_cpu_clock_beside_others(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g, _, w, _ = piped
    assert g.poll(on_clock(HOUR, clock=3), on_clock(5 * MS, userdata=1)) == (0, [(1, 0, 0, 0, 0)])
    os.write(w, b"x")
    assert g.poll(on_clock(HOUR, clock=2), on_fd(0, userdata=1)) == (0, [(1, 0, 1, 1, 0)])
    with pytest.raises(Timeout):
        g.poll(on_clock(HOUR, clock=2), timeout=0.02)


def test_a_realtime_clock_that_is_set_back(guest: Any) -> None:
    """Waiting for a moment of it goes on; one that is set forward over the moment ends the wait."""
    g = guest()
    world = g.instance._sys
    timer = threading.Timer(0.01, lambda: world.set_clock(0, 1, -HOUR, 0))
    timer.start()
    with pytest.raises(Timeout):
        g.poll(on_clock(time.time_ns() + 500 * MS, clock=0, absolute=True), timeout=0.6)
    timer.join()


def test_events_are_whole_and_nothing_else_is_written(guest: Any) -> None:
    g = guest()
    g.fill()
    g.memory.write(0, on_clock(0, userdata=0x1122334455667788) + on_fd(99, userdata=2) + on_clock(HOUR))
    with g.writes_only((200, 64), (400, 4)):
        assert g.poll_oneoff(0, 200, 3, 400) == 0
    assert g.memory.u32(400) == 2
    first, second = g.memory.read(200, 32), g.memory.read(232, 32)
    assert first == (0x1122334455667788).to_bytes(8, "little") + bytes(24)
    assert second == (2).to_bytes(8, "little") + bytes([E.BADF, 0, 1]) + bytes(21)


def test_a_closed_descriptor_under_the_same_number(piped: tuple[Guest, int, int, _core.FakeOs]) -> None:
    g = piped[0]
    assert g.fd_close(0) == 0
    assert g.poll(on_fd(0), on_clock(HOUR))[1][0].err == E.BADF

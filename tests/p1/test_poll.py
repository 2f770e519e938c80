"""Waiting for several things at once: events byte by byte, in the subscriptions' order."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable

import pytest

from tests.p1.conftest import World
from tests.support import ALL_RIGHTS, RIGHTS, UNSTABLE, E, Guest
from wasi_native import Clock, Fixed, Limits, Timeout

Make = Callable[..., Guest]
CLOCK, READ, WRITE = 0, 1, 2
REALTIME, MONOTONIC, PROCESS_CPU, THREAD_CPU = range(4)
IN, OUT, COUNT = 0x1000, 0x8000, 64


def clock(userdata: int, timeout: int, clock_id: int = MONOTONIC, flags: int = 0) -> bytes:
    """With bytes that nobody may read as they come from a lazy guest."""
    head = struct.pack("<QB", userdata, CLOCK) + b"\x5a" * 7
    return head + struct.pack("<I4xQQH", clock_id, timeout, 0x5A5A, flags) + b"\x5a" * 6


def on_fd(userdata: int, kind: int, fd: int) -> bytes:
    return struct.pack("<QB", userdata, kind) + b"\x5a" * 7 + struct.pack("<I", fd) + b"\x5a" * 28


def old_clock(userdata: int, timeout: int, clock_id: int = MONOTONIC, flags: int = 0) -> bytes:
    """Of wasi_unstable: an identifier before the clock."""
    head = struct.pack("<QB", userdata, CLOCK) + b"\x5a" * 7 + b"\x77" * 8
    return head + struct.pack("<I4xQQH", clock_id, timeout, 0x5A5A, flags) + b"\x5a" * 6


Event = tuple[int, int, int, int, int]


def poll(g: Guest, *subscriptions: bytes, timeout: float | None = None) -> list[Event]:
    """[(userdata, errno, type, bytes, flags)], padding and memory beside them checked."""
    g.fill()
    g.put(IN, b"".join(subscriptions))
    room = 32 * len(subscriptions)
    with g.writes_only((COUNT, 4), (OUT, room)):
        assert g.poll_oneoff(IN, OUT, len(subscriptions), COUNT, timeout=timeout) == 0
    count = g.unpack("I", COUNT)
    events = []
    for index in range(count):
        userdata, err, kind, pad, nbytes, flags, tail = g.unpack("QHB5sQH6s", OUT + 32 * index)
        assert (pad, tail) == (bytes(5), bytes(6))
        events.append((userdata, err, kind, nbytes, flags))
    assert g.memory.read(OUT + 32 * count, room - 32 * count) == b"\xa5" * (room - 32 * count)
    return events


def test_poll_oneoff_sleeps(plain: Make) -> None:
    g = plain()
    start = time.monotonic_ns()
    assert poll(g, clock(7, 20_000_000)) == [(7, 0, CLOCK, 0, 0)]
    assert time.monotonic_ns() - start >= 20_000_000


@pytest.mark.parametrize("which", [REALTIME, MONOTONIC])
def test_poll_oneoff_until_a_moment(plain: Make, which: int) -> None:
    g = plain()
    now = time.time_ns if which == REALTIME else time.monotonic_ns
    until = now() + 15_000_000
    assert poll(g, clock(1, until, which, 1)) == [(1, 0, CLOCK, 0, 0)]
    assert now() >= until
    assert poll(g, clock(2, until, which, 1)) == [(2, 0, CLOCK, 0, 0)]  # that is past


@pytest.mark.parametrize("which", [PROCESS_CPU, THREAD_CPU])
def test_poll_oneoff_on_cpu_time(plain: Make, which: int) -> None:
    g = plain()
    assert poll(g, clock(1, 2_000_000, which)) == [(1, 0, CLOCK, 0, 0)]


def test_poll_oneoff_the_first_of_several_clocks(plain: Make) -> None:
    g = plain()
    assert poll(g, clock(1, 10**12), clock(2, 1_000_000), clock(3, 10**12)) == [(2, 0, CLOCK, 0, 0)]
    assert [event[0] for event in poll(g, clock(1, 0), clock(2, 10**12), clock(3, 0))] == [1, 3]


def test_poll_oneoff_a_file_is_ready_at_once(g: Guest, home: int) -> None:
    err, fd = g.open("f.txt", dir=home)
    assert err == 0
    events = poll(g, clock(9, 10**12), on_fd(1, READ, fd), on_fd(2, WRITE, fd), on_fd(3, READ, fd))
    assert events == [(1, 0, READ, 5, 0), (2, 0, WRITE, 0, 0), (3, 0, READ, 5, 0)]
    assert g.read(fd, 4) == (0, b"hell")
    assert poll(g, on_fd(1, READ, fd)) == [(1, 0, READ, 1, 0)]


def test_poll_oneoff_errors_are_events_of_their_own(g: Guest, home: int) -> None:
    err, blind = g.open("f.txt", dir=home, rights=ALL_RIGHTS & ~RIGHTS["poll_fd_readwrite"])
    assert err == 0
    events = poll(
        g,
        on_fd(1, READ, 99),
        on_fd(2, WRITE, 2**32 - 1),
        on_fd(3, READ, blind),
        on_fd(4, READ, 1),  # stdout is not read
        clock(5, 0, 4),
        clock(6, 0, 2**32 - 1),
        clock(7, 0),
        on_fd(8, READ, home),  # a directory has no right to be read
    )
    assert events == [
        (1, E.BADF, READ, 0, 0),
        (2, E.BADF, WRITE, 0, 0),
        (3, E.NOTCAPABLE, READ, 0, 0),
        (4, E.NOTCAPABLE, READ, 0, 0),
        (5, E.INVAL, CLOCK, 0, 0),
        (6, E.INVAL, CLOCK, 0, 0),
        (7, 0, CLOCK, 0, 0),
        (8, E.NOTCAPABLE, READ, 0, 0),
    ]


def test_poll_oneoff_inval(plain: Make) -> None:
    g = plain(limits=Limits(subscriptions=4))
    cases = [
        (b"", 0),  # nothing to wait for
        (clock(1, 0) * 5, 5),  # more than the guest's limit
        (clock(1, 0) + clock(1, 0, flags=2), 2),  # a flag that nobody knows
        (clock(1, 0) + on_fd(1, 3, 0), 2),  # an event that nobody knows
        (on_fd(1, 255, 0), 1),
    ]
    for data, count in cases:
        g.fill()
        g.put(IN, data)
        with g.writes_only():
            assert g.poll_oneoff(IN, OUT, count, COUNT) == E.INVAL
    assert len(poll(g, *[clock(1, 0)] * 4)) == 4


def stdin_pipe(plain: Make) -> tuple[Guest, int]:
    out, back = os.pipe()
    kept = os.dup(0)
    os.dup2(out, 0)
    try:
        g = plain(stdin="inherit")
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(out)
    return g, back


def test_poll_oneoff_a_pipe(plain: Make) -> None:
    g, back = stdin_pipe(plain)
    assert poll(g, on_fd(1, READ, 0), clock(2, 1_000_000)) == [(2, 0, CLOCK, 0, 0)]
    os.write(back, b"abc")
    assert poll(g, on_fd(1, READ, 0), clock(2, 10**12)) == [(1, 0, READ, 3, 0)]
    os.close(back)
    assert poll(g, on_fd(1, READ, 0)) == [(1, 0, READ, 3, 1)]  # hung up, and still three bytes
    assert g.read(0) == (0, b"abc")
    assert poll(g, on_fd(1, READ, 0)) == [(1, 0, READ, 0, 1)]


def test_poll_oneoff_null_and_bytes(plain: Make) -> None:
    g = plain(stdin=b"seven b")
    assert poll(g, on_fd(1, READ, 0), on_fd(2, WRITE, 1)) == [(1, 0, READ, 7, 0), (2, 0, WRITE, 0, 0)]


def test_poll_oneoff_meets_the_deadline_of_the_call(plain: Make) -> None:
    g, back = stdin_pipe(plain)
    g.put(IN, on_fd(1, READ, 0))
    with g.writes_only(), pytest.raises(Timeout):
        g.poll_oneoff(IN, OUT, 1, COUNT, timeout=0.03)
    os.close(back)


def test_poll_oneoff_with_a_fixed_clock_takes_no_time(plain: Make) -> None:
    g = plain(clocks=Clock(monotonic=Fixed(1000)))
    assert poll(g, clock(1, 10**15), clock(2, 10**14)) == [(2, 0, CLOCK, 0, 0)]
    assert g.clock_time_get(MONOTONIC, 0, 0) == 0 and g.unpack("Q", 0) == 1000 + 10**14


def test_poll_oneoff_fires_once_per_subscription(g: Guest, world: World) -> None:
    (world.rw / "f.txt").write_bytes(b"x" * 70000)
    err, fd = g.open("f.txt")
    assert err == 0
    assert poll(g, *[on_fd(index, READ, fd) for index in range(40)]) == [
        (index, 0, READ, 70000, 0) for index in range(40)
    ]


def test_wasi_unstable_poll_oneoff(guest: Make, engine: str) -> None:
    g = guest(None, engine=engine, module=UNSTABLE)
    old_fd = on_fd(3, WRITE, 1) + b"\x5a" * 8
    assert poll(g, old_clock(1, 0), old_fd, old_clock(2, 10**12)) == [
        (1, 0, CLOCK, 0, 0),
        (3, 0, WRITE, 0, 0),
    ]
    g.put(IN, old_clock(1, 0, flags=2))
    assert g.poll_oneoff(IN, OUT, 1, COUNT) == E.INVAL
    end = g.size - 56
    g.put(end, old_clock(1, 0))
    assert g.poll_oneoff(end, OUT, 1, COUNT) == 0
    assert g.traps("poll_oneoff", end + 8, OUT, 1, COUNT) == "host-pointer"

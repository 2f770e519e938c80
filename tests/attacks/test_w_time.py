"""Attacks of group W: polls, sleeps and clocks."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from tests.support import P1, E, Guest, on_clock, on_fd, rss, running_threads
from wasi_native import Dir, Host, LimitExceeded, Limits, Policy, Timeout

U64 = 2**64 - 1
ROOM = 8 << 20 if os.environ.get("BOARD_QEMU") else 1 << 20  # an emulator keeps what it translates
S = 10**9
REALTIME, MONOTONIC = 0, 1

BUSY = f"""(module
  (import "{P1}" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\\01")
  (func (export "_start")
    (loop $again
      (if (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)) (then (unreachable)))
      (br $again))))"""


@pytest.mark.parametrize("clock", [REALTIME, MONOTONIC])
@pytest.mark.parametrize("past", [0, 1, "now", "now-1s"])
def test_w91_absolute_times_in_the_past(guest: Any, engine: str, clock: int, past: int | str) -> None:
    g = guest(engine=engine)
    now = time.time_ns() if clock == REALTIME else time.monotonic_ns()
    when = past if isinstance(past, int) else now - (S if past == "now-1s" else 0)
    err, events = g.poll(on_clock(when, clock=clock, absolute=True, userdata=U64), timeout=20)
    assert (err, events) == (0, [(U64, 0, 0, 0, 0)])


@pytest.mark.parametrize("clock", [REALTIME, MONOTONIC])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("far", [2**63 - 1, 2**63, 2**63 + 1, U64 - 1, U64])
def test_w91_w96_far_times_do_not_wrap(guest: Any, clock: int, absolute: bool, far: int) -> None:
    """None of them is in the past: only the other subscription fires, and the deadline still works."""
    g = guest()
    subs = on_clock(far, clock=clock, absolute=absolute, userdata=1), on_clock(1000, userdata=2)
    assert g.poll(*subs, timeout=20) == (0, [(2, 0, 0, 0, 0)])
    with pytest.raises(Timeout):
        g.poll(subs[0], timeout=0.02)


def test_w91_now_plus_and_minus_2_63(guest: Any) -> None:
    g = guest()
    now = time.monotonic_ns()
    for when in (now + 2**63, (now - 2**63) % 2**64):  # the second one wraps: far in the future too
        subs = on_clock(when, absolute=True, userdata=1), on_clock(0, userdata=2)
        assert g.poll(*subs, timeout=20) == (0, [(2, 0, 0, 0, 0)])


def test_w92_a_million_polls_meet_the_cpu_limit(long: bool) -> None:
    others, before = running_threads(), rss()
    policy = Policy(limits=Limits(cpu_time=2.0 if long else 0.2))
    with Host(policy, cache=False) as host, host.load(BUSY).instantiate() as instance:
        start = rss()
        with pytest.raises(LimitExceeded) as caught:
            instance.run(timeout=60)
        assert caught.value.limit == "cpu_time" and not isinstance(caught.value, Timeout)
        assert instance.usage.cpu_ns >= (2.0 if long else 0.2) * S
        assert rss() - start < ROOM
        assert len(running_threads() - others) <= 1  # the ticker
    assert rss() - before < 64 << 20


@pytest.mark.parametrize("n", [1025, 10_000, 1_000_000])
def test_w93_too_many_subscriptions(guest: Any, n: int) -> None:
    pages = -(-(80 * n + 64) // 65536)
    g = guest(pages=pages, filled=0)  # subscriptions to a clock that are good, but for their number
    g.memory.write(80 * n, b"\xa5" * 4)
    assert g.poll_oneoff(0, 48 * n, n, 80 * n, timeout=20) == E.INVAL
    assert g.memory.u32(80 * n) == 0xA5A5A5A5


def test_w93_up_to_the_limit_works(guest: Any) -> None:
    for limit in (1024, 10_000, 1):
        g = guest(Policy(limits=Limits(subscriptions=limit)), pages=16)
        subs = [on_clock(3600 * S, userdata=i) for i in range(limit - 1)] + [on_clock(0, userdata=77)]
        assert g.poll(*subs, timeout=20) == (0, [(77, 0, 0, 0, 0)])
        err, events = g.poll(*[on_clock(0, userdata=i) for i in range(limit)], timeout=20)
        assert err == 0 and [event.userdata for event in events] == list(range(limit))
        assert g.poll(*subs, on_clock(0))[0] == E.INVAL


def test_w94_every_kind_of_descriptor_at_once(guest: Any, resolver: str, tmp_path: Any) -> None:
    (tmp_path / "f").write_bytes(b"hello")
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")], stdin=b"in"), resolver=resolver)
    err, file = g.open("f")
    assert err == 0
    assert (g.fd_close(1), g.fd_close(2)) == (0, 0)
    order = [0, 0, 1, 2, 3, file, 99, 2**32 - 1]
    subs = [on_fd(fd, userdata=i) for i, fd in enumerate(order)]
    err, events = g.poll(
        *subs, on_clock(3600 * S, userdata=50), on_fd(file, write=True, userdata=60), timeout=20
    )
    assert err == 0
    assert events == [
        (0, 0, 1, 2, 0),  # the same descriptor twice: each subscription has its event
        (1, 0, 1, 2, 0),
        (2, E.BADF, 1, 0, 0),
        (3, E.BADF, 1, 0, 0),
        (4, E.NOTCAPABLE, 1, 0, 0),  # a directory cannot be read
        (5, 0, 1, 5, 0),  # a regular file is ready at once
        (6, E.BADF, 1, 0, 0),
        (7, E.BADF, 1, 0, 0),
        (60, 0, 2, 0, 0),
    ]


def test_w94_one_descriptor_for_reading_and_writing(guest: Any) -> None:
    g = guest(Policy(stdin=b""))
    assert g.poll(on_fd(1, write=True, userdata=1), on_fd(1, userdata=2), timeout=20) == (
        0,
        [(1, 0, 2, 0, 0), (2, E.NOTCAPABLE, 1, 0, 0)],
    )


def test_w94_bad_clocks_and_types(guest: Any) -> None:
    g = guest()
    for clock in (4, 255, 2**32 - 1):
        subs = on_clock(3600 * S, clock=clock, userdata=1), on_clock(3600 * S)
        assert g.poll(*subs, timeout=20) == (0, [(1, E.INVAL, 0, 0, 0)])
    for kind in (3, 255):
        odd = bytearray(on_fd(0))
        odd[8] = kind
        assert g.poll(bytes(odd), on_clock(0))[0] == E.INVAL
    for flags in (2, 0x8000, 0xFFFF):
        assert g.poll(on_clock(0, flags=flags))[0] == E.INVAL


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("clock", [REALTIME, MONOTONIC])
def test_w96_for_ever_under_a_wall_limit(engine: str, guest: Any, clock: int, absolute: bool) -> None:
    g = guest(Policy(limits=Limits(wall_time=0.1)), engine=engine)
    start = time.monotonic()
    with pytest.raises(Timeout):
        g.poll(on_clock(U64, clock=clock, absolute=absolute))
    taken = time.monotonic() - start
    assert 0.1 <= taken < 20  # not for ever
    assert g.instance.end == "timeout"


def test_w96_cpu_clocks_are_waited_for_with_a_deadline(guest: Any) -> None:
    for clock in (2, 3):
        g = guest()
        with pytest.raises(Timeout):
            g.poll(on_clock(U64, clock=clock), timeout=0.05)


def test_w96_the_wall_limit_is_per_call(guest: Any) -> None:
    g: Guest = guest(Policy(limits=Limits(wall_time=5)))
    for _ in range(3):
        assert g.poll(on_clock(1000))[0] == 0

"""sched_yield: success, and an end for who only yields."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import E, Guest
from wasi_native import Cancelled, Policy, Timeout, _core


def test_sched_yield(plain: Callable[..., Guest]) -> None:
    g = plain()
    with g.writes_only():
        assert g.sched_yield() == 0


def test_sched_yield_is_a_kernel_call(guest: Callable[..., Guest], engine: str) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(), engine=engine, kernel=kernel)
    kernel.clear()
    assert g.sched_yield() == 0 and kernel.count("yield") == 1
    kernel.inject("yield", err=E.IO)
    assert g.sched_yield() == E.IO


def test_a_deadline_that_is_past_ends_it(plain: Callable[..., Guest]) -> None:
    g = plain()
    with pytest.raises(Timeout):
        g.sched_yield(timeout=0)


def test_a_cancel_before_the_call_ends_it(plain: Callable[..., Guest]) -> None:
    g = plain()
    g.instance.cancel()
    with pytest.raises(Cancelled):
        g.sched_yield()

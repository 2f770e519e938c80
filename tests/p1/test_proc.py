"""The end of a program: a code for the embedder, nothing for the host's process."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.support import E, Guest
from wasi_native import Exit, InstanceDead


@pytest.mark.parametrize("code", [0, 1, 7, 125, 126, 255, 256, 2**31, 2**32 - 1])
def test_proc_exit(plain: Callable[..., Guest], code: int) -> None:
    g = plain()
    with g.writes_only(), pytest.raises(Exit) as end:
        g.proc_exit(code)
    assert end.value.code == code
    assert g.instance.end == "exit"
    with pytest.raises(InstanceDead, match="exit"):
        g.sched_yield()


def test_proc_exit_of_one_guest_is_not_anothers(plain: Callable[..., Guest]) -> None:
    one, two = plain(), plain()
    with pytest.raises(Exit):
        one.proc_exit(3)
    assert two.sched_yield() == 0 and two.instance.end is None


@pytest.mark.parametrize("number", [0, 1, 6, 9, 15, 30, 31, 255, 2**32 - 1])
def test_proc_raise_answers_nosys_and_signals_nobody(plain: Callable[..., Guest], number: int) -> None:
    caught: list[int] = []
    kept = {s: signal.signal(s, lambda s, _: caught.append(s)) for s in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        g = plain()
        with g.writes_only():
            assert g.proc_raise(number) == E.NOSYS
    finally:
        for one, handler in kept.items():
            signal.signal(one, handler)
    assert caught == [] and g.instance.end is None

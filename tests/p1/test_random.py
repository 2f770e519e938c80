"""Random bytes: all of the buffer, nothing beside it, and repeatable when the policy says so."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.support import E, Guest
from wasi_native import Policy, Random, _core


@pytest.mark.parametrize("length", [1, 7, 16, 256, 257, 4096, 65537])
def test_random_get(plain: Callable[..., Guest], length: int) -> None:
    g = plain()
    with g.writes_only((101, length)):
        assert g.random_get(101, length) == 0
    first = g.memory.read(101, length)
    assert g.random_get(101, length) == 0
    if length >= 16:
        assert g.memory.read(101, length) != first
        assert first.count(b"\xa5" * 8) == 0


def test_random_get_of_nothing(plain: Callable[..., Guest]) -> None:
    g = plain()
    with g.writes_only():
        assert g.random_get(0, 0) == 0
        assert g.random_get(g.size, 0) == 0


def test_a_seed_gives_the_same_bytes_on_every_engine(plain: Callable[..., Guest]) -> None:
    g, other = plain(random=Random(7)), plain(random=Random(7))
    for length in (5, 16, 300):
        assert g.random_get(0, length) == 0 and other.random_get(0, length) == 0
        assert g.memory.read(0, length) == other.memory.read(0, length)
    third = plain(random=Random(8))
    assert third.random_get(0, 300) == 0 and third.memory.read(0, 300) != g.memory.read(0, 300)


def test_io_the_kernel_has_no_random_numbers(guest: Callable[..., Guest], engine: str) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(), engine=engine, kernel=kernel)
    kernel.inject("getrandom", times=0, err=E.NOSYS)
    kernel.inject("open", times=0, err=E.IO)
    with g.writes_only():
        assert g.random_get(0, 16) == E.IO
    kernel.clear()
    kernel.inject("getrandom", times=0, err=E.NOSYS)  # and then there is the device
    assert g.random_get(0, 16) == 0 and g.memory.read(0, 16) != b"\xa5" * 16


def test_a_forked_child_does_not_repeat_its_parent(plain: Callable[..., Guest]) -> None:
    g = plain()
    assert g.random_get(0, 16) == 0  # now there are bytes in advance
    out, back = os.pipe()
    pid = os.fork()
    if pid == 0:
        g.random_get(0, 16)
        os.write(back, g.memory.read(0, 16))
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(back)
    child = os.read(out, 16)
    os.close(out)
    assert g.random_get(0, 16) == 0
    assert len(child) == 16 and g.memory.read(0, 16) != child

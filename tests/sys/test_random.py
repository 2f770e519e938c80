"""sys/random.c: the kernel's numbers in advance, repeatable ones, and what a fork sees."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from tests.support import E, Guest
from wasi_native import Cancelled, Policy, Random, Timeout, _core


def draw(g: Guest, length: int) -> bytes:
    assert g.random_get(0, length) == 0
    return g.memory.read(0, length)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 255, 256, 257, 4080, 4096, 65536, 100_000])
def test_all_lengths(guest: Any, length: int) -> None:
    g = guest()
    one, two = draw(g, length), draw(g, length)
    assert g.memory.read(length, 4) == b"\xa5" * 4
    if length >= 15:
        assert one != two and one.count(0xA5) < length // 8 + 8


def test_never_the_same_twice(guest: Any) -> None:
    g, other = guest(), guest()
    seen = {draw(each, 16) for _ in range(1000) for each in (g, other)}
    assert len(seen) == 2000


def test_bits_are_even(guest: Any) -> None:
    g = guest()
    data = b"".join(draw(g, 16) for _ in range(4000))
    ones = int.from_bytes(data, "little").bit_count()
    assert abs(ones - 256_000) < 3000  # ten sigma would be 3578
    assert len(set(data)) == 256


def test_sixteen_bytes_are_no_kernel_call_of_their_own(guest: Any) -> None:
    """255 of them come from one call: 4080 bytes."""
    kernel = _core.FakeOs()
    g = guest(kernel=kernel)
    draw(g, 16)
    kernel.clear()
    for _ in range(255 * 4):
        assert g.random_get(0, 16) == 0
    assert kernel.count("getrandom") == 4 and kernel.count("alloc") == 0
    kernel.clear()
    assert g.random_get(0, 4096) == 0
    assert kernel.count("getrandom") == 1  # a long one goes past the buffer


def test_without_a_page_that_forks_wipe(guest: Any) -> None:
    kernel = _core.FakeOs()
    kernel.inject("page_alloc", 1, 0, err=E.NOMEM)
    g = guest(kernel=kernel)
    kernel.clear()
    assert draw(g, 16) != draw(g, 16)
    assert kernel.count("getrandom") == 2


def test_a_forked_child_never_repeats_its_parent(guest: Any) -> None:
    g = guest()
    draw(g, 16)
    r, w = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(w, draw(g, 16))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(r, 16)
    os.close(r)
    os.close(w)
    assert len(theirs) == 16 and theirs not in [draw(g, 16) for _ in range(10)]


def test_a_seed_repeats(guest: Any) -> None:
    lengths = (1, 16, 8, 300, 5000)
    runs = []
    for seed in (7, 7, 8, b"x", b"x", 0):
        g = guest(Policy(random=Random(seed)))
        runs.append([draw(g, length) for length in lengths])
    assert runs[0] == runs[1] != runs[2] and runs[3] == runs[4] and runs[5] not in runs[:5]
    kernel = _core.FakeOs()
    g = guest(Policy(random=Random(7)), kernel=kernel)
    kernel.clear()
    assert [draw(g, length) for length in lengths] == runs[0]
    assert kernel.count("getrandom") == 0


def test_the_seeded_sequence_is_the_same_on_every_board(guest: Any) -> None:
    assert draw(guest(Policy(random=Random(42))), 16).hex() == SEED_42


SEED_42 = "bd107394a4ae4cbb8fe7bac142150a08"


def test_short_answers_errors_and_early_boot(guest: Any) -> None:
    kernel = _core.FakeOs()
    g = guest(kernel=kernel)
    kernel.inject("getrandom", 1, 0, short_bytes=1)
    assert draw(g, 600) != b"\0" * 600
    kernel.clear()
    kernel.inject("getrandom", 1, 2, err=E.AGAIN)  # not enough gathered since the boot: it waits, twice
    assert g.random_get(0, 5000, timeout=20) == 0
    kernel.clear()
    kernel.inject("getrandom", 1, 0, err=E.AGAIN)
    with pytest.raises(Timeout):
        g.random_get(0, 5000, timeout=0.03)
    g = guest(kernel=kernel)
    kernel.clear()
    kernel.inject("getrandom", 1, 1, err=E.IO)
    assert g.random_get(0, 5000) == E.IO and g.random_get(0, 5000) == 0
    kernel.clear()
    for call in ("open", "readv"):
        kernel.inject("getrandom", 1, 0, err=E.NOSYS)
        kernel.inject(call, 1, 1, err=E.MFILE)
        assert g.random_get(0, 5000) == E.MFILE
        kernel.clear()


@pytest.mark.parametrize("seed", [None, 1])
def test_long_ones_are_cancelled_between_pieces(guest: Any, seed: int | None) -> None:
    """What shows it: the end of the memory that was asked for is as it was before that call."""
    size = 4 << 20
    for _ in range(100):  # unless the timer came between two calls
        with Guest(Policy(random=Random(seed)), pages=size >> 16) as g:
            timer = threading.Timer(0.002, g.instance.cancel)
            timer.start()
            with pytest.raises(Cancelled):
                while True:
                    g.memory.write(size - 16, bytes(16))
                    assert g.random_get(0, size) == 0
            timer.join()
            if g.memory.read(size - 16, 16) == bytes(16):
                return
    raise AssertionError("no call was cancelled before its end")

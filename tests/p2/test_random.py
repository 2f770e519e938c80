"""core/p2/random.c: random, insecure and insecure-seed, from the kernel or the policy's sequence."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.p2.driver import Guest2
from wasi_native import Cancelled, Policy, Random, _core

RANDOM = ("wasi:random/random", "wasi:random/insecure", "wasi:random/insecure-seed")
BYTES = ("random#get-random-bytes", "insecure#get-insecure-random-bytes")
WORDS = ("random#get-random-u64", "insecure#get-insecure-random-u64")
Make = Callable[..., Guest2]
OUT = 0x100


@pytest.mark.parametrize("name", BYTES)
def test_as_many_bytes_as_were_asked_for(make2: Make, name: str) -> None:
    g = make2(*RANDOM)
    seen = set()
    for length in (1, 16, 255, 257, 70_000):
        with g.writes_only((OUT, 8)):
            g(name, length, OUT)
        got = g.bytes_at(OUT)
        assert len(got) == length
        seen.add(got)
        if length > 1000:
            assert len(set(got)) == 256
    assert len(seen) == 5
    calls = g.instance.call("reallocs")
    with g.writes_only((OUT, 8)):
        g(name, 0, OUT)
    assert g.unpack("II", OUT)[1] == 0 and g.instance.call("reallocs") == calls + 1


@pytest.mark.parametrize("name", WORDS)
def test_words(make2: Make, name: str) -> None:
    g = make2(*RANDOM)
    assert len({g(name) for _ in range(64)}) == 64


def test_seeds_differ(make2: Make) -> None:
    """insecure-seed gives two words, others at each call."""
    g = make2(*RANDOM)
    seen = []
    for _ in range(8):
        with g.writes_only((OUT, 16)):
            g("insecure-seed#insecure-seed", OUT)
        seen += g.unpack("QQ", OUT)
    assert len(set(seen)) == 16


def test_the_policys_sequence(make2: Make) -> None:
    def everything() -> list[object]:
        g = make2(*RANDOM, policy=Policy(random=Random(seed=7)))
        g(BYTES[0], 40, OUT)
        found: list[object] = [g.bytes_at(OUT), g(WORDS[0]), g(WORDS[1])]
        g(BYTES[1], 8, OUT)
        found.append(g.bytes_at(OUT))
        g("insecure-seed#insecure-seed", OUT)
        return [*found, g.unpack("QQ", OUT)]

    assert everything() == everything()


@pytest.mark.parametrize("name", BYTES)
def test_too_many(make2: Make, name: str) -> None:
    for length in (1 << 28, 2**32, 2**64 - 1):
        g = make2(*RANDOM)
        with g.writes_only():
            assert "too long" in g.traps(name, length, OUT)
        assert g.host is not None


@pytest.mark.parametrize(
    ("realloc", "reason"), [("misaligned", ""), ("outside", "realloc"), ("edge", "realloc")]
)
def test_what_realloc_answers_is_looked_at(make2: Make, realloc: str, reason: str) -> None:
    g = make2(*RANDOM, realloc=realloc)
    told = g.traps(BYTES[0], 64, OUT)
    assert bool(told) == bool(reason) and reason in told  # bytes may lie at any address


def test_a_realloc_that_traps_ends_the_guest(make2: Make) -> None:
    g = make2(*RANDOM, realloc="trap")
    with g.writes_only():
        assert "unreachable" in g.traps(BYTES[0], 64, OUT)


def test_memory_that_moves(make2: Make) -> None:
    """The realloc grows the memory, so it may be elsewhere afterwards."""
    g = make2(*RANDOM, realloc="grow")
    for _ in range(5):
        g(BYTES[0], 5000, OUT)
        assert len(set(g.bytes_at(OUT))) > 200


def test_a_host_without_random_numbers(make2: Make) -> None:
    for name, args in ((BYTES[0], (300, OUT)), (BYTES[1], (300, OUT))):
        kernel = _core.FakeOs()
        g = make2(*RANDOM, kernel=kernel)
        kernel.inject("getrandom", nth=1, times=0, err=29)
        assert "no random numbers" in g.traps(name, *args)


def test_a_cancel_comes_through(make2: Make) -> None:
    """200 MiB take a moment: the call ends between two pieces."""
    g = make2(*RANDOM)
    timer = threading.Timer(0.02, g.instance.cancel)
    timer.start()
    try:
        with pytest.raises(Cancelled):
            for _ in range(1000):
                g(BYTES[0], 1 << 20, OUT)
                g.instance.call("rewind")
    finally:
        timer.join()

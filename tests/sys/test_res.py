"""sys/res.c: the pool of resources of WASI 0.2, through the handles of a guest."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.p2.driver import Guest2
from wasi_native import LimitExceeded, Limits, Policy, _core

IO = ("wasi:io/poll", "wasi:io/streams", "wasi:clocks/monotonic-clock", "wasi:cli/stdin", "wasi:cli/stdout")
READY, DROP = "poll#[method]pollable.ready", "poll#[resource-drop]pollable"


@pytest.fixture
def make2() -> Iterator[Callable[..., Guest2]]:
    made: list[Guest2] = []

    def make(policy: Policy | None = None, **more: Any) -> Guest2:
        made.append(Guest2(policy, *IO, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def at(g: Guest2, when: int) -> int:
    return int(g("monotonic-clock#subscribe-instant", when))


def test_places_are_used_again(make2: Callable[..., Guest2]) -> None:
    """More than one chunk, dropped in any order: each handle still stands for its own resource."""
    g = make2(Policy(limits=Limits(handles=300)))
    alive: dict[int, int] = {}
    rng = random.Random(5)
    for _ in range(3000):
        if len(alive) < 300 and rng.random() < 0.6:
            past = rng.random() < 0.5
            alive[at(g, 0 if past else 2**64 - 1)] = past
        elif alive:
            handle = rng.choice(list(alive))
            assert g(READY, handle) == alive.pop(handle)
            g(DROP, handle)
    assert [g(READY, handle) for handle in alive] == list(alive.values())


def test_the_limit_is_of_resources_too(make2: Callable[..., Guest2]) -> None:
    g = make2(Policy(limits=Limits(handles=64)))
    handles = [at(g, 0) for _ in range(64)]
    g(DROP, handles[10])
    at(g, 0)
    with pytest.raises(LimitExceeded, match="handles"):
        at(g, 0)


def test_no_memory_for_a_chunk(make2: Callable[..., Guest2]) -> None:
    """The guest ends; the instance can be closed, and nothing is lost."""
    for nth in (1, 2, 3):
        kernel = _core.FakeOs()
        g = make2(kernel=kernel)
        kernel.inject("alloc", nth=nth, times=1, err=48)
        kernel.inject("resize", nth=nth, times=1, err=48)
        with pytest.raises(MemoryError):
            for _ in range(200):
                at(g, 0)
            raise MemoryError  # as many allocations were not made
        g.close()


def test_a_stream_borrows_its_descriptor(make2: Callable[..., Guest2]) -> None:
    g = make2(Policy(stdin=b"abc"))
    before = g.instance.usage.fds if hasattr(g.instance, "usage") else None
    for _ in range(200):
        g("streams#[resource-drop]input-stream", g("stdin#get-stdin"))
    assert before is None or g.instance.usage.fds == before
    g("streams#[method]input-stream.read", g("stdin#get-stdin"), 9, 0x100)
    assert g.bytes_at(0x104) == b"abc"


def test_pollables_know_their_parent_by_more_than_its_place(make2: Callable[..., Guest2]) -> None:
    g = make2()
    stream = g("stdout#get-stdout")
    pollable = g("streams#[method]output-stream.subscribe", stream)
    g("streams#[resource-drop]output-stream", stream)
    assert g(READY, pollable) == 1
    later = at(g, 2**64 - 1)  # takes the stream's place
    assert (g(READY, pollable), g(READY, later)) == (1, 0)

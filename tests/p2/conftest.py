"""Guests that import WASI 0.2 by name, on every engine that calls exports inside a call (their realloc)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.p2.driver import Guest2
from tests.support import engines_under_test
from wasi_native import Policy

IO = ("wasi:io/error", "wasi:io/poll", "wasi:io/streams", "wasi:clocks/monotonic-clock")
STDIO = (*IO, "wasi:cli/stdin", "wasi:cli/stdout", "wasi:cli/stderr")


@pytest.fixture(params=[name for name in engines_under_test() if name != "fake"])
def engine2(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make2(engine2: str) -> Iterator[Callable[..., Guest2]]:
    """``make2("wasi:io/poll", ..., policy=Policy(...), realloc="grow")``; closed after the test."""
    made: list[Guest2] = []

    def make(*interfaces: str, policy: Policy | None = None, **more: Any) -> Guest2:
        made.append(Guest2(policy, *interfaces, engine=engine2, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def stdio(make2: Callable[..., Guest2]) -> Callable[..., Guest2]:
    """The same with streams, pollables and the standard streams."""
    return lambda policy=None, **more: make2(*STDIO, policy=policy, **more)

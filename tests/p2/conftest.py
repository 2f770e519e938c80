"""Guests that import WASI 0.2 by name, on every engine that calls exports inside a call (their realloc); and a small
world for the tests of files: /rw, /ro (read-only) and /mem (in memory), with the same names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.p2.driver import Guest2
from tests.p2.files import CREATE, READ, WRITE, Files
from tests.support import plant
from wasi_native import Dir, MemoryDir, Policy

IO = ("wasi:io/error", "wasi:io/poll", "wasi:io/streams", "wasi:clocks/monotonic-clock")
STDIO = (*IO, "wasi:cli/stdin", "wasi:cli/stdout", "wasi:cli/stderr")


@pytest.fixture
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


# ---- files ----


@pytest.fixture
def world(tmp_path: Path) -> Path:
    plant(tmp_path)
    (tmp_path / "ro/sub").mkdir()
    return tmp_path


@pytest.fixture
def make(world: Path, engine2: str, resolver: str) -> Iterator[Callable[..., Files]]:
    """A guest in the world, on every engine and with both resolvers."""
    made: list[Files] = []

    def build(kernel: Any = None, wat: dict[str, Any] | None = None, **more: Any) -> Files:
        dirs = [Dir(world / "rw", "/rw"), Dir(world / "ro", "/ro", read_only=True), MemoryDir("/mem")]
        policy = Policy(program="p", dirs=more.pop("dirs", dirs), **more)
        made.append(Files(policy, engine=engine2, resolver=resolver, kernel=kernel, **(wat or {})))
        if "/mem" in made[-1].preopens:
            seed(made[-1])
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest.fixture
def g(make: Callable[..., Files]) -> Files:
    return make()


@pytest.fixture(params=["/rw", "/mem"], ids=["host", "memory"])
def home(request: pytest.FixtureRequest, g: Files) -> int:
    """A writable directory: the host's, and one in memory. Both hold the same names."""
    return g.preopens[str(request.param)]


@pytest.fixture
def ro(g: Files) -> int:
    return g.preopens["/ro"]


def seed(g: Files) -> None:
    """The names of rw/ in /mem as well."""
    mem = g.preopens["/mem"]
    assert g.mkdir(mem, "d") is None and g.mkdir(mem, "d/e") is None
    fd = g.open(mem, "f.txt", READ | WRITE, CREATE)
    assert isinstance(fd, int) and g.write(fd, b"hello") == 5
    g.drop(fd)
    for name, target in (("l", "f.txt"), ("l_d", "d"), ("l_gone", "gone")):
        assert g.symlink(mem, target, name) is None

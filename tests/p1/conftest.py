"""A small world for the tests of each call: /rw (3), /ro (4, read-only) and /mem (5, in memory)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import Guest, plant
from wasi_native import Dir, MemoryDir, Policy, _core


@dataclass
class World:
    """The host's side of it."""

    root: Path
    kernel: _core.FakeOs | None = None

    @property
    def rw(self) -> Path:
        return self.root / "rw"

    @property
    def ro(self) -> Path:
        return self.root / "ro"

    def policy(self, **more: Any) -> Policy:
        dirs = [Dir(self.rw, "/rw"), Dir(self.ro, "/ro", read_only=True), MemoryDir("/mem")]
        return Policy(program="p", dirs=more.pop("dirs", dirs), **more)


@pytest.fixture
def world(tmp_path: Path) -> World:
    plant(tmp_path)
    return World(tmp_path)


@pytest.fixture
def make(guest: Callable[..., Guest], world: World, engine: str, resolver: str) -> Callable[..., Guest]:
    """A guest in the world, on every engine and with both resolvers; ``kernel=`` one that fails on demand."""

    def build(kernel: _core.FakeOs | None = None, **more: Any) -> Guest:
        g = guest(world.policy(**more), engine=engine, resolver=resolver, kernel=kernel)
        seed(g)
        return g

    return build


@pytest.fixture
def g(make: Callable[..., Guest]) -> Guest:
    """The guest with nothing special."""
    return make()


@pytest.fixture
def plain(guest: Callable[..., Guest], engine: str) -> Callable[..., Guest]:
    """A guest that is granted what the test says, on every engine."""
    return lambda *args, **more: guest(Policy(*args, program="p", **more), engine=engine)


@pytest.fixture(params=[3, 5], ids=["host", "memory"])
def home(request: pytest.FixtureRequest) -> int:
    """The descriptor of a writable directory: the host's, and one in memory. Both hold the same names."""
    return int(request.param)


def seed(g: Guest) -> None:
    """The names of rw/ in /mem as well."""
    assert g.on_path("path_create_directory", "d", dir=5) == 0
    assert g.on_path("path_create_directory", "d/e", dir=5) == 0
    err, fd = g.open("f.txt", dir=5, oflags=1)
    assert (err, g.write(fd, b"hello"), g.fd_close(fd)) == (0, (0, 5), 0)
    for name, target in (("l", "f.txt"), ("l_d", "d"), ("l_gone", "gone")):
        old, new = g.put(0x10000, target), g.put(0x10100, name)
        assert g.path_symlink(*old, 5, *new) == 0
    g.fill()

"""The environment: only what the policy names, in its order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import Guest


def test_environ_sizes_get(plain: Callable[..., Guest]) -> None:
    g = plain(env={"A": "b", "LONG": ""})
    with g.writes_only((64, 4), (128, 4)):
        assert g.environ_sizes_get(64, 128) == 0
    assert (g.unpack("I", 64), g.unpack("I", 128)) == (2, len(b"A=b\0LONG=\0"))


def test_environ_get(plain: Callable[..., Guest]) -> None:
    g = plain(env={"A": "b", "LONG": ""})
    with g.writes_only((64, 8), (333, 10)):
        assert g.environ_get(64, 333) == 0
    assert g.memory.read(333, 10) == b"A=b\0LONG=\0"
    assert g.unpack("2I", 64) == (333, 337)


def test_nothing_of_the_host_is_inherited(
    plain: Callable[..., Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_SECRET", "1")
    g = plain()
    assert g.environ_sizes_get(0, 4) == 0 and g.unpack("2I", 0) == (0, 0)
    with g.writes_only():
        assert g.environ_get(64, 333) == 0


def test_an_empty_environment_may_point_to_the_end_of_memory(plain: Callable[..., Guest]) -> None:
    g = plain()
    assert g.environ_get(g.size, g.size) == 0
    assert g.traps("environ_get", g.size + 4, 0) == "host-pointer"

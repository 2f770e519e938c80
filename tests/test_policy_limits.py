"""Clocks, random and limits."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from typing import Any

import pytest

from wasi_native.errors import PolicyError
from wasi_native.policy import (
    Clock,
    Fixed,
    Limits,
    Offset,
    Random,
)


def refused(text: str, make: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        make(*args, **kwargs)
    assert text in str(caught.value), str(caught.value)


def test_clocks() -> None:
    assert Clock(realtime=5).realtime == Fixed(5)
    clock = Clock(realtime=Offset(-5), monotonic=Fixed(1, step=2), cpu=0)
    assert (clock.realtime, clock.monotonic, clock.cpu) == (Offset(-5), Fixed(1, 2), Fixed(0))
    refused(
        "Clock.realtime: 'now' is not a clock; write 'system', Fixed(ns) or Offset(ns)", Clock, realtime="now"
    )
    refused("Clock.realtime: 1.5 is not a clock", Clock, realtime=1.5)
    refused("Clock.cpu: None is not a clock", Clock, cpu=None)
    refused("Clock.realtime: -1 is out of range", Clock, realtime=-1)
    refused("Clock.realtime: True is not a whole number", Clock, realtime=True)
    refused(
        "Clock.monotonic: -1 is behind the start; write an offset of 0 or more", Clock, monotonic=Offset(-1)
    )
    refused("Fixed.ns: 9223372036854775808 is out of range", Fixed, 2**63)
    refused("Fixed.step: -1 is out of range", Fixed, 0, -1)
    refused("Offset.ns: 'x' is not a whole number", Offset, "x")


def test_random() -> None:
    assert Random().key() is None
    keys = {Random(seed).key() for seed in (0, 1, 2**64 - 1, b"0", b"1", b"\0" * 8)}
    assert len(keys) == 6 and all(key is not None and len(key) == 32 for key in keys)
    key = Random(42).key()
    assert key is not None and key.hex().startswith("038c031ebe00f061")  # the same on every board, for ever
    assert Random(bytearray(b"x")).seed == b"x"  # type: ignore[arg-type]
    refused("Random.seed: -1 is out of range", Random, -1)
    refused("Random.seed: 'x' is not a whole number", Random, "x")
    refused("Random.seed: 0 bytes are no seed; write 1 to 1024 bytes", Random, b"")


def test_limits() -> None:
    mine = Limits(memory=5, wall_time=2)
    merged = mine.merged(Limits(memory=9, fds=64, wall_time=30.0))
    assert (merged.memory, merged.fds, merged.wall_time, merged.fuel) == (5, 64, 2, None)
    assert Limits().merged(mine) == mine
    for item in dataclasses.fields(Limits):
        assert item.default is None
        refused(f"Limits.{item.name}: 0 is out of range", Limits, **{item.name: 0})
        refused(f"Limits.{item.name}: -1 is out of range", Limits, **{item.name: -1})
        refused(f"Limits.{item.name}: True is not a", Limits, **{item.name: True})
        refused(f"Limits.{item.name}: '5' is not a", Limits, **{item.name: "5"})
        assert getattr(Limits(**{item.name: 1}), item.name) == 1
    refused("Limits.wall_time: nan is out of range; write seconds above 0", Limits, wall_time=float("nan"))
    refused("Limits.cpu_time: inf is out of range", Limits, cpu_time=float("inf"))
    refused("Limits.fds: 65537 is out of range; write an integer from 1 to 65536", Limits, fds=65537)
    refused("Limits.iovecs: 1025 is out of range", Limits, iovecs=1025)
    refused("Limits.memory: 1.0 is not a whole number", Limits, memory=1.0)


def test_limits_agree_with_the_core() -> None:
    header = (pathlib.Path(__file__).parents[1] / "include/wasi_native/limits.h").read_text()
    macros = {
        "FDS_MAX": "fds",
        "IOVS_MAX": "iovecs",
        "SUBSCRIPTIONS_MAX": "subscriptions",
        "HANDLES_MAX": "handles",
    }
    for macro, name in macros.items():
        found = re.search(rf"#define WN_{macro} (\d+)u", header)
        assert found is not None, macro
        highest = int(found[1])
        assert getattr(Limits(**{name: highest}), name) == highest
        refused(f"Limits.{name}: {highest + 1} is out of range", Limits, **{name: highest + 1})

"""sys/env.c: arguments and environment as the guest asks for them."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.support import E, Guest
from wasi_native import Policy, _core


def strings(g: Guest, kind: str) -> list[bytes]:
    """What args_get or environ_get lays out, each string at the pointer that names it."""
    g.fill()
    assert g.call(f"{kind}_sizes_get", 0, 4) == 0
    count, size = g.unpack("II", 0)
    assert g.call(f"{kind}_get", 64, 0x8000) == 0
    raw = g.memory.read(0x8000, size)
    starts = struct.unpack(f"<{count}I", g.memory.read(64, 4 * count))
    assert list(starts) == sorted(starts) and (not count or starts[0] == 0x8000)
    assert g.memory.read(0x8000 + size, 1) == b"\xa5"  # nothing behind it
    return [raw[start - 0x8000 :].split(b"\0")[0] for start in starts]


@pytest.mark.parametrize(
    "args", [(), ("one",), ("", "", ""), ("a" * 3000, "ünï", "x y\n"), tuple("abcdef" * 50)]
)
def test_arguments(guest: Any, args: tuple[str, ...]) -> None:
    g = guest(Policy(program="prog", args=args))
    assert strings(g, "args") == [b"prog", *(arg.encode() for arg in args)]
    assert strings(g, "environ") == []


def test_environment(guest: Any) -> None:
    g = guest(Policy(env={"A": "1", "EMPTY": "", "LONG": "x" * 5000, "EQUALS": "a=b"}))
    assert strings(g, "environ") == [b"A=1", b"EMPTY=", b"LONG=" + b"x" * 5000, b"EQUALS=a=b"]


def test_bytes_of_the_host_survive(guest: Any) -> None:
    assert strings(guest(Policy(args=("\udcff\udcfe",))), "args")[1] == b"\xff\xfe"


def test_replaced_and_refused() -> None:
    world = _core.Sys({})
    world.set_args([b"a"] * 100)
    world.set_args([])
    world.set_env([b"A=1"])
    for setter in (world.set_args, world.set_env):
        with pytest.raises(_core.CoreError) as caught:
            setter([b"fine", b"a\0b"])
        assert caught.value.code == E.INVAL


def test_no_memory_keeps_what_was() -> None:
    kernel = _core.FakeOs()
    world = _core.Sys({}, os=kernel)
    world.set_args([b"kept"])
    for nth in (1, 2):
        kernel.inject("alloc", nth, 1, err=E.NOMEM)
        with pytest.raises((MemoryError, _core.CoreError)):
            world.set_args([b"new", b"ones"])
        kernel.clear()

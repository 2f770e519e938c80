"""core/p2/codec.c: lists, strings and handles, with a realloc that is not to be trusted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.p2.driver import Guest2
from wasi_native import Policy

CLI = ("wasi:cli/environment", "wasi:cli/stdout", "wasi:io/streams", "wasi:io/poll")
OUT = 0x100
Make = Callable[..., Guest2]
ARGS = Policy(program="p", args=["one", "two"])


@pytest.mark.parametrize(
    ("realloc", "told"),
    [("misaligned", "align"), ("outside", "realloc"), ("edge", "realloc"), ("trap", "unreachable")],
)
def test_hostile_reallocs(make2: Make, realloc: str, told: str) -> None:
    for name in ("get-arguments", "get-environment"):
        g = make2(*CLI, policy=Policy(args=["one", "two"], env={"A": "b"}), realloc=realloc)
        assert told in g.traps(f"environment#{name}", OUT)


def test_a_realloc_that_calls_back(make2: Make) -> None:
    """No function of 0.2 may be called in it; one of preview 1 may, and changes nothing of ours."""
    stream = "(drop (call $stdout))"
    more = """(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))"""
    g = make2(*CLI, policy=ARGS, imports=more, realloc="call", body=stream)
    assert "cannot leave component instance" in g.traps("environment#get-arguments", OUT)
    poll = "(drop (call $yield)) (drop (call $args (i32.const 0x7000) (i32.const 0x7100)))"
    more = """(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
              (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))"""
    g = make2(*CLI, policy=ARGS, imports=more, realloc="call", body=poll)
    g("environment#get-arguments", OUT)
    at, count = g.unpack("II", OUT)
    assert [g.bytes_at(at + 8 * i) for i in range(count)] == [b"p", b"one", b"two"]


def test_a_module_without_realloc(make2: Make) -> None:
    """What needs none works; what does is a trap that names it."""
    g = make2(*CLI, policy=ARGS, realloc="none")
    assert g("stdout#get-stdout") == 1
    assert "cabi_realloc" in g.traps("environment#get-arguments", OUT)


def test_the_standard_names_of_memory_and_realloc(make2: Make) -> None:
    g = make2(*CLI, policy=ARGS, standard=True)
    g("environment#get-arguments", OUT)
    at, count = g.unpack("II", OUT)
    assert [g.bytes_at(at + 8 * i) for i in range(count)] == [b"p", b"one", b"two"]


def test_text_that_is_no_utf_8(make2: Make) -> None:
    """What the host was given as bytes comes as U+FFFD where it is no text: a string of 0.2 is one."""
    g = make2(*CLI, policy=Policy(program="p", args=["a\udcffb", "\udce2\udc82", "\udced\udca0\udc80."]))
    g("environment#get-arguments", OUT)
    at, count = g.unpack("II", OUT)
    texts = [g.bytes_at(at + 8 * i).decode() for i in range(count)]
    assert texts == ["p", "a\ufffdb", "\ufffd\ufffd", "\ufffd\ufffd\ufffd."]

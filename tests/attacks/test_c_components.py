"""Attacks of group C: handles, resources, streams and strings of WASI 0.2, by modules that import it by name."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.p2.conftest import engine2, make2, stdio
from tests.p2.driver import Guest2
from tests.p2.streams import BUF, IN, MIB, OUT, TO, Streams, calls
from tests.p2.test_io import BLOCK, READY, after
from tests.support import E, pipe
from wasi_native import Capture, Dir, Host, LimitExceeded, Limits, Policy

__all__ = ["engine2", "make2", "stdio"]
Stdio = Callable[..., Guest2]
Make = Callable[..., Guest2]
CLI = ("wasi:cli/stdout", "wasi:io/streams", "wasi:cli/environment", "wasi:random/random")
LIST = 0x200


@pytest.mark.parametrize("handle", [0, 3, 77, 2**28 - 1, 2**31, 2**32 - 1])
def test_c137_forged_handles(stdio: Stdio, handle: int) -> None:
    for name in (READY, BLOCK, "poll#[resource-drop]pollable", "error#[method]error.to-debug-string"):
        g = stdio()
        assert after(g, 0) == 1 and after(g, 0) == 2
        args = (handle, OUT) if "error" in name else (handle,)
        assert "handle" in g.traps(name, *args)
    g = stdio()
    g.memory.write(LIST, struct.pack("<2I", after(g, 0), handle))
    with g.writes_only():
        assert "handle" in g.traps("poll#poll", LIST, 2, OUT)


def test_c137_a_handle_after_its_drop(stdio: Stdio) -> None:
    for name in (READY, BLOCK, "poll#[resource-drop]pollable"):
        g = stdio()
        p = after(g, 0)
        g("poll#[resource-drop]pollable", p)
        assert "handle" in g.traps(name, p)


def test_c137_a_handle_of_another_type(stdio: Stdio) -> None:
    for name in (READY, BLOCK, "poll#[resource-drop]pollable", "streams#[resource-drop]output-stream"):
        g = stdio()
        assert "wrong type" in g.traps(name, g("stdin#get-stdin"))


def test_c139_a_million_pollables(stdio: Stdio) -> None:
    """The limit ends the guest long before."""
    g = stdio(Policy(limits=Limits(handles=1000)))
    with pytest.raises(LimitExceeded, match="handles"):
        for _ in range(1_000_000):
            after(g, 0)


@pytest.mark.parametrize("name", ["write", "write-zeroes"])
def test_c140_writes_beyond_the_permit_trap(stdio: Stdio, name: str) -> None:
    for asked, length in ((False, 1), (True, MIB + 1), (True, 2**32 - 1)):
        s = Streams(stdio(Policy(stdout=Capture())))
        if asked:
            assert s.check() == MIB
        args = (BUF, length) if name == "write" else (length if length < MIB + 2 else 2**64 - 1,)
        with s.g.writes_only():
            told = s.g.traps(TO + name, s.stdout, *args, OUT)
        assert "permitted" in told or ("bounds" in told and length > 1) or "too long" in told


@pytest.mark.parametrize("name", ["blocking-write-and-flush", "blocking-write-zeroes-and-flush"])
def test_c140_a_blocking_write_is_of_4096_bytes(stdio: Stdio, name: str) -> None:
    s = Streams(stdio(Policy(stdout=Capture())))
    args = (BUF,) if "zeroes" not in name else ()
    s.g(TO + name, s.stdout, *args, 4096, OUT)
    assert s.g.memory.u8(OUT) == 0
    assert "4096" in s.g.traps(TO + name, s.stdout, *args, 4097, OUT)


@pytest.mark.parametrize("handle", [0, 3, 2**28 - 1, 2**32 - 1])
@pytest.mark.parametrize("index", range(13))
def test_c137_forged_streams(stdio: Stdio, index: int, handle: int) -> None:
    s = Streams(stdio(Policy(stdin=b"abc", stdout=Capture())))
    name, args, _ = calls(s, OUT)[index]
    with s.g.writes_only():
        assert "handle" in s.g.traps(name, handle, *args[1:])


def test_c137_forged_source_of_a_splice(stdio: Stdio) -> None:
    for source, told in ((0, "handle"), (2, "wrong type"), (99, "handle")):
        s = Streams(stdio(Policy(stdin=b"abc", stdout=Capture())))
        assert (s.stdin, s.stdout) == (1, 2)
        assert told in s.g.traps(TO + "splice", s.stdout, source, 1, OUT)


def test_c138_a_stream_dropped_before_its_pollables(stdio: Stdio) -> None:
    with pipe() as (r, _w):
        s = Streams(stdio(), stdin=r)
        pollables = [s.g(IN + "subscribe", s.stdin) for _ in range(100)]
        s.g("streams#[resource-drop]input-stream", s.stdin)
        assert [s.g("poll#[method]pollable.ready", p) for p in pollables] == [1] * 100
        for p in pollables:
            s.g("poll#[resource-drop]pollable", p)


def test_c139_streams_without_end(stdio: Stdio) -> None:
    g = stdio(Policy(limits=Limits(handles=100)))
    with pytest.raises(LimitExceeded, match="handles"):
        for _ in range(1_000_000):
            g("stdout#get-stdout")


def test_c140_splice_from_a_pipe_to_itself(stdio: Stdio) -> None:
    with pipe() as (r, w):
        s = Streams(stdio(), stdin=r, stdout=w)
        os.write(w, b"round")
        for _ in range(10):
            assert s.splice(2**64 - 1) == 5
        assert os.read(r, 100) == b"round"


def test_c137_handles_are_of_one_instance(make2: Make) -> None:
    """Two guests: the number of one means nothing in the other."""
    one, two = make2(*CLI), make2(*CLI)
    assert one("stdout#get-stdout") == 1
    assert "handle" in two.traps("streams#[resource-drop]output-stream", 1)
    one("streams#[resource-drop]output-stream", 1)


def test_c140_lengths_without_end(stdio: Stdio) -> None:
    """read, skip and splice of 2^64 - 1 bytes give what is there; no list is made that the guest did not ask for."""
    for how in ("read", "blocking-read"):
        s = Streams(stdio(Policy(stdin=b"x" * 100_000)))
        assert len(s.read(2**64 - 1, how)) == 32768 and s.g.instance.call("reallocs") == 1
    s = Streams(stdio(Policy(stdin=b"x" * 100_000, stdout=Capture())))
    assert [s.skip(2**64 - 1), s.skip(2**64 - 1, "blocking-skip")] == [32768, 32768]
    assert s.splice(2**64 - 1) == 32768 and s.splice(2**63, "blocking-splice") == 1696


def test_c140_write_zeroes_without_end(stdio: Stdio) -> None:
    for name in ("write-zeroes", "blocking-write-zeroes-and-flush"):
        s = Streams(stdio(Policy(stdout=Capture())))
        s.check()
        assert "write of more than" in s.g.traps(TO + name, s.stdout, 2**64 - 1, OUT)


def test_c140_poll_with_duplicates_and_nothing(stdio: Stdio) -> None:
    g = stdio()
    p = after(g, 0)
    g.memory.write(LIST, struct.pack("<1000I", *[p] * 1000))
    g("poll#poll", LIST, 1000, OUT)
    assert g.unpack("II", OUT)[1] == 1000
    assert "empty" in g.traps("poll#poll", LIST, 0, OUT)


def test_c142_lists_that_wrap(stdio: Stdio) -> None:
    """ptr + len past 2^32, count times size past 2^32, an odd place for numbers."""
    for ptr, count, told in (
        (2**32 - 8, 4, "bounds"),
        (0x200, 2**30, "too long"),
        (0x200, 2**30 + 1, "too long"),
        (0x201, 1, "aligned"),
    ):
        assert told in stdio().traps("poll#poll", ptr, count, OUT)
    s = Streams(stdio(Policy(stdout=Capture())))
    assert "bounds" in s.g.traps(TO + "blocking-write-and-flush", s.stdout, 2**32 - 1, 2, OUT)


def test_c142_cases_that_are_none(make2: Make) -> None:
    for status in (2, 255, 2**31, 2**32 - 1):
        assert "discriminant" in make2("wasi:cli/exit").traps("exit#exit", status)


def test_c142_lists_by_a_realloc_that_lies(make2: Make) -> None:
    for realloc, told in (("outside", "realloc"), ("edge", "realloc")):
        g = make2(*CLI, realloc=realloc)
        assert told in g.traps("random#get-random-bytes", 64, OUT)
        g = make2(*CLI, realloc=realloc, policy=Policy(args=["x" * 100]))
        assert told in g.traps("environment#get-arguments", OUT)


OPENS = """(module
  (import "{version}" "path_open" (func $open
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "f../out/s")
  (func (export "open") (param $at i32) (param $len i32) (result i32)
    (call $open (i32.const 3) (i32.const 0) (local.get $at) (local.get $len) (i32.const 0) (i64.const 2) (i64.const 0)
      (i32.const 0) (i32.const 8)))
  (func (export "many") (result i32) (local $n i32)
    (loop
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if 0 (i32.eqz (call 1 (i32.const 16) (i32.const 1)))))
    (local.get $n)))"""


def test_c146_the_version_before_0_1_has_its_limits_and_verdicts(tmp_path: Path) -> None:
    """The same number of descriptors, the same answer to a way out."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "f").write_bytes(b"")
    (tmp_path / "out" / "s").write_bytes(b"secret")
    answers = []
    for version in ("wasi_unstable", "wasi_snapshot_preview1"):
        for resolver in ("openat2", "walk"):
            policy = Policy(dirs=[Dir(str(tmp_path / "in"), "/")], limits=Limits(fds=20))
            with Host(policy, engine="wasmtime", resolver=resolver, cache=False) as host:
                with host.load(OPENS.format(version=version)) as module, module.instantiate() as guest:
                    answers.append((guest.call("open", 17, 8), guest.call("many"), guest.call("open", 16, 1)))
    assert answers == [(E.PERM, 17, E.MFILE)] * 4

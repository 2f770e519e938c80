"""sys/stream.c under a kernel that fails on demand. What streams do otherwise is in tests/p2/test_io_streams.py."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.p2.driver import Guest2
from tests.support import E
from wasi_native import Policy, _core

STDIO = ("wasi:io/streams", "wasi:io/error", "wasi:cli/stdin", "wasi:cli/stdout")
OUT, BUF = 0x100, 0x1000
WRITE = "streams#[method]output-stream.blocking-write-and-flush"


@pytest.fixture
def world() -> Iterator[tuple[Guest2, _core.FakeOs]]:
    kernel = _core.FakeOs()
    with Guest2(Policy(), *STDIO, kernel=kernel) as g:
        yield g, kernel


def test_f150_short_writes(world: tuple[Guest2, _core.FakeOs], tmp_path: Path) -> None:
    """All is written, whatever the kernel takes at once."""
    g, kernel = world
    with open(tmp_path / "f", "wb") as file:
        g.instance._sys.stdio_fd(1, file.fileno())
    data = bytes(range(256)) * 4
    stream = g("stdout#get-stdout")
    kernel.inject("writev", nth=1, times=0, err=0, short_bytes=7)
    g(WRITE, stream, *g.put(BUF, data), OUT)
    assert g.memory.u8(OUT) == 0 and (tmp_path / "f").read_bytes() == data
    assert kernel.count("writev") >= len(data) // 7


def test_f149_interrupted_reads(world: tuple[Guest2, _core.FakeOs]) -> None:
    g, kernel = world
    r, w = os.pipe()
    try:
        g.instance._sys.stdio_fd(0, r)
        os.write(w, b"abc")
        stream = g("stdin#get-stdin")
        kernel.inject("readv", nth=1, times=2, err=E.INTR)
        for how in ("read", "blocking-read"):
            g(f"streams#[method]input-stream.{how}", stream, 2, OUT)
            if how == "read":
                assert g.memory.u8(OUT) == 0 and g.bytes_at(OUT + 4) == b"ab"
        assert g.bytes_at(OUT + 4) == b"c"
    finally:
        os.close(r)
        os.close(w)


@pytest.mark.parametrize("err", ["IO", "NOSPC", "DQUOT", "FBIG", "NODEV", "STALE"])
def test_f151_errors_are_told_once(world: tuple[Guest2, _core.FakeOs], tmp_path: Path, err: str) -> None:
    g, kernel = world
    with open(tmp_path / "f", "wb") as file:
        g.instance._sys.stdio_fd(1, file.fileno())
    stream = g("stdout#get-stdout")
    kernel.inject("writev", nth=1, times=1, err=getattr(E, err))
    g(WRITE, stream, *g.put(BUF, b"x"), OUT)
    assert (g.memory.u8(OUT), g.memory.u8(OUT + 4)) == (1, 0)
    g("error#[method]error.to-debug-string", g.unpack("I", OUT + 8), OUT)
    assert g.bytes_at(OUT).decode() == _core.error_text(getattr(E, err))
    g(WRITE, stream, BUF, 1, OUT)
    assert (g.memory.u8(OUT), g.memory.u8(OUT + 4)) == (1, 1)
    assert (tmp_path / "f").read_bytes() == b""

"""core/p2/io_streams.c, codec.c: streams over pipes, files, terminals, sockets, bytes and callbacks."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.p2.driver import Guest2
from tests.p2.streams import BUF, CLOSED, FAILED, IN, MIB, OUT, TO, Streams, calls
from tests.support import pipe
from wasi_native import CLOSED as _CLOSED
from wasi_native import Cancelled, Capture, Limits, Policy, Timeout

Stdio = Callable[..., Guest2]


# ---- reading ----


def test_read_gives_what_is_there(stdio: Stdio) -> None:
    with pipe() as (r, w):
        s = Streams(stdio(), stdin=r)
        assert (
            s.read(100) == b"" and s.read(0) == b"" and not s.ready(IN)
        )  # nothing now, and it does not wait
        os.write(w, b"hello")
        assert s.ready(IN)
        assert s.read(3) == b"hel" and s.read(0) == b"" and s.read(100) == b"lo" and s.read(100) == b""
        os.close(w)
        assert s.ready(IN)
        assert [s.read(100), s.read(100), s.read(0), s.skip(1)] == [CLOSED] * 4
        assert s.ready(IN)


def test_a_list_is_as_long_as_what_was_asked_of_realloc(stdio: Stdio) -> None:
    """A guest frees a list by its length, so nothing more than that is taken from it: of nothing, no bytes."""
    with pipe() as (r, w):
        s = Streams(stdio(), stdin=r)
        heap = s.g.instance.globals["heap"].value if hasattr(s.g.instance, "globals") else None
        calls = s.g.instance.call("reallocs")
        assert s.read(1 << 40) == b"" and s.g.instance.call("reallocs") == calls + 1
        os.write(w, b"x" * 10)
        assert s.read(2**64 - 1) == b"x" * 10 and s.g.instance.call("reallocs") == calls + 2
        assert heap is None or s.g.instance.globals["heap"].value == heap + 10


def test_blocking_read(stdio: Stdio) -> None:
    with pipe() as (r, w):
        s = Streams(stdio(), stdin=r)
        timer = threading.Timer(0.03, os.write, (w, b"late"))
        timer.start()
        assert s.read(100, "blocking-read") == b"late"
        timer.join()
        assert s.read(0, "blocking-read") == b""
        os.close(w)
        assert s.read(100, "blocking-read") == CLOSED


def test_skip(stdio: Stdio) -> None:
    with pipe() as (r, w):
        s = Streams(stdio(), stdin=r)
        assert s.skip(5) == 0
        os.write(w, b"abcdefgh")
        assert s.skip(3) == 3 and s.read(2) == b"de" and s.skip(0) == 0
        assert s.skip(2**64 - 1, "blocking-skip") == 3 and s.skip(9) == 0
        timer = threading.Timer(0.03, os.write, (w, b"late"))
        timer.start()
        assert s.skip(2, "blocking-skip") == 2 and s.read(9) == b"te"
        timer.join()
        os.close(w)
        assert s.skip(1, "blocking-skip") == CLOSED


@pytest.mark.parametrize("how", ["read", "blocking-read"])
def test_read_of_a_file_bytes_and_nothing(stdio: Stdio, how: str, tmp_path: Path) -> None:
    data = bytes(range(256)) * 400
    (tmp_path / "f").write_bytes(data)
    with open(tmp_path / "f", "rb") as file:
        s = Streams(stdio(), stdin=file.fileno())
    got = b""
    while (piece := s.read(2**63, how)) != CLOSED:
        assert isinstance(piece, bytes) and 0 < len(piece) <= 32768
        got += piece
        s.g.instance.call("rewind")
    assert got == data and s.ready(IN)
    s = Streams(stdio(Policy(stdin=b"abc")))
    assert [s.read(2, how), s.read(2, how), s.read(2, how)] == [b"ab", b"c", CLOSED]
    assert Streams(stdio()).read(2, how) == CLOSED


@pytest.mark.parametrize("how", ["blocking-read", "blocking-skip"])
def test_waiting_for_input_ends_from_outside(stdio: Stdio, how: str) -> None:
    with pipe() as (r, _w):
        for end in ("timeout", "cancel"):
            s = Streams(stdio(), stdin=r)
            call = s.read if how == "blocking-read" else s.skip
            if end == "timeout":
                with pytest.raises(Timeout):
                    call(5, how, timeout=0.03)
                continue
            timer = threading.Timer(0.03, s.g.instance.cancel)
            timer.start()
            with pytest.raises(Cancelled):
                call(5, how)
            timer.join()


def test_a_descriptor_that_is_not_open_for_reading(stdio: Stdio) -> None:
    with pipe() as (_r, w):
        s = Streams(stdio(), stdin=w)
        assert s.read(1) == FAILED and s.read(1) == CLOSED


def test_a_terminal(stdio: Stdio) -> None:
    leader, follower = pty.openpty()
    try:
        s = Streams(stdio(), stdin=follower, stdout=follower)
        assert s.read(100) == b""
        os.write(leader, b"line\n")
        assert s.read(100, "blocking-read") == b"line\n"
        assert s.check() == 4096 and s.write(b"ok") is None
        got = b""
        while b"ok" not in got:
            got += os.read(leader, 100)
    finally:
        os.close(leader)
        os.close(follower)


def test_a_socket(stdio: Stdio) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        s = Streams(stdio(), stdin=theirs.fileno(), stdout=theirs.fileno())
        assert s.read(5) == b""
        ours.sendall(b"ping")
        assert s.read(5, "blocking-read") == b"ping"
        assert s.check() == 4096 and s.write(b"pong") is None and ours.recv(10) == b"pong"
        ours.shutdown(socket.SHUT_WR)
        assert s.read(5) == CLOSED
        ours.close()
        assert s.write(b"x", "blocking-write-and-flush") == CLOSED and s.check() == CLOSED


def test_callbacks_of_the_embedder(stdio: Stdio) -> None:
    class Source:
        def read(self, length: int) -> bytes:
            return b"from python"[:length]

    class Sink:
        got = b""

        def write(self, data: bytes) -> None:
            self.got += bytes(data)

    sink = Sink()
    s = Streams(stdio(Policy(stdin=Source(), stdout=sink)))
    assert s.read(4) == b"from"
    assert s.check() == MIB and s.write(b"to python") is None and sink.got == b"to python"


# ---- writing ----


def test_write_within_the_permit(stdio: Stdio) -> None:
    with pipe() as (r, w):
        s = Streams(stdio(), stdout=w)
        assert s.check() == 4096 and s.ready(TO)
        assert s.write(b"abc") is None and s.write(b"") is None and os.read(r, 10) == b"abc"
        assert s.write(b"x" * 4093) is None  # what is left of it
        assert "permitted" in s.g.traps(TO + "write", s.stdout, BUF, 1, OUT)


def test_a_full_pipe(stdio: Stdio) -> None:
    with pipe() as (r, w):
        s = Streams(stdio(), stdout=w)
        written = 0
        while (permit := s.check()) != 0:
            assert permit == 4096 and s.write(b"p" * 4096) is None
            written += 4096
        assert not s.ready(TO) and s.check() == 0 and s.splice(1) in (0, CLOSED)
        timer = threading.Timer(0.03, os.read, (r, 8192))
        timer.start()
        assert s.flush("blocking-flush") is None and s.check() == 4096
        timer.join()
        assert s.write(b"q" * 10) is None and s.flush() is None


@pytest.mark.parametrize(
    "name", ["blocking-write-and-flush", "blocking-write-zeroes-and-flush", "blocking-flush"]
)
def test_waiting_for_room_ends_from_outside(stdio: Stdio, name: str) -> None:
    for end in ("timeout", "cancel"):
        with pipe() as (_r, w):
            os.set_blocking(w, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(w, b"x" * 4096)
            s = Streams(stdio(), stdout=w)
            args = () if name == "blocking-flush" else (100,) if "zeroes" in name else (BUF, 100)
            timer = threading.Timer(0.03, s.g.instance.cancel)
            if end == "cancel":
                timer.start()
            with pytest.raises(Timeout if end == "timeout" else Cancelled):
                s.g(TO + name, s.stdout, *args, OUT, timeout=0.03 if end == "timeout" else None)
            if end == "cancel":
                timer.join()


def test_nobody_reads_any_more(stdio: Stdio) -> None:
    """PIPE is a closed stream; no signal reaches the host."""
    with pipe() as (r, w):
        s = Streams(stdio(), stdout=w)
        os.close(r)
        assert s.ready(TO) and s.write(b"x", "blocking-write-and-flush") == CLOSED
        assert [s.check(), s.flush(), s.flush("blocking-flush")] == [CLOSED] * 3
        assert s.write(b"") == CLOSED and s.zeroes(0) == CLOSED and s.ready(TO)
        assert s.write(b"x", "blocking-write-and-flush") == CLOSED


def test_a_stream_that_was_not_granted_is_closed(stdio: Stdio) -> None:
    s = Streams(stdio(Policy(stdin=_CLOSED, stdout=_CLOSED)))
    assert [s.read(1), s.read(1, "blocking-read"), s.skip(0), s.check(), s.flush()] == [CLOSED] * 5
    assert s.write(b"x", "blocking-write-and-flush") == CLOSED and s.ready(IN) and s.ready(TO)
    assert Streams(stdio(Policy(stdin=_CLOSED, stdout=_CLOSED))).flush("blocking-flush") == CLOSED


def test_an_error_closes_the_stream(stdio: Stdio) -> None:
    with open("/dev/full", "wb") as full:
        s = Streams(stdio(), stdout=full.fileno())
    assert s.check() in (4096, MIB) and s.write(b"x") == FAILED
    assert [s.check(), s.write(b""), s.write(b"y", "blocking-write-and-flush")] == [CLOSED] * 3


def test_a_file_takes_all_of_it(stdio: Stdio, tmp_path: Path) -> None:
    with open(tmp_path / "f", "wb") as file:
        s = Streams(stdio(), stdout=file.fileno())
    assert s.check() == MIB and s.ready(TO)
    assert s.write(b"abc") is None and s.zeroes(5000) is None and s.write(b"d" * 4096, "write") is None
    assert s.zeroes(7, "blocking-write-zeroes-and-flush") is None and s.flush() is None
    assert (tmp_path / "f").read_bytes() == b"abc" + bytes(5000) + b"d" * 4096 + bytes(7)


def test_the_limit_of_output_counts(stdio: Stdio) -> None:
    capture = Capture()
    s = Streams(stdio(Policy(stdout=capture, limits=Limits(output_bytes=10))))
    assert s.check() == MIB and s.write(b"12345678") is None
    assert s.write(b"abcdef") == FAILED  # what fits is written, as by preview 1
    assert s.g.instance.stdout == b"12345678ab" and s.check() == CLOSED


@pytest.mark.parametrize(
    ("ptr", "length", "told"),
    [(2 << 16, 1, "bounds"), ((2 << 16) - 1, 2, "bounds"), (2**32 - 1, 2, "bounds"), (BUF, 2**28, "too long"),
     (BUF, 2**32 - 1, "too long")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["write", "blocking-write-and-flush"])
def test_contents_outside(stdio: Stdio, name: str, ptr: int, length: int, told: str) -> None:
    s = Streams(stdio(Policy(stdout=Capture())))
    assert s.check() == MIB
    with s.g.writes_only():
        assert told in s.g.traps(TO + name, s.stdout, ptr, length, OUT)
    assert s.g.instance.stdout == b""


@pytest.mark.parametrize("index", range(13))
def test_return_areas_outside(stdio: Stdio, index: int) -> None:
    """The call has done nothing then: no byte was read or written."""
    for out in (2 << 16, (2 << 16) - 8, 2**32 - 8, 2**31, OUT + 1, OUT + 2, OUT + 4):
        s = Streams(stdio(Policy(stdin=b"abc", stdout=Capture())))
        name, args, align = calls(s, out)[index]
        if out == OUT + 4 and align == 4:
            continue
        with s.g.writes_only():
            told = s.g.traps(name, *args)
        assert ("bounds" if out > 0x1000 else "aligned") in told, (name, hex(out))
        assert s.g.instance.stdout == b""


# ---- splice ----


def test_splice(stdio: Stdio) -> None:
    with pipe() as (r, w), pipe() as (out, to):
        s = Streams(stdio(), stdin=r, stdout=to)
        assert s.splice(100) == 0
        os.write(w, b"hello")
        assert s.splice(0) == 0 and s.splice(3) == 3 and os.read(out, 10) == b"hel"
        assert s.splice(2**64 - 1) == 2 and os.read(out, 10) == b"lo"
        timer = threading.Timer(0.03, os.write, (w, b"late"))
        timer.start()
        assert s.splice(2**64 - 1, "blocking-splice") == 4 and os.read(out, 10) == b"late"
        timer.join()
        os.close(w)
        assert s.splice(1) == CLOSED and s.splice(1, "blocking-splice") == CLOSED


def test_a_blocking_splice_ends_from_outside(stdio: Stdio) -> None:
    with pipe() as (r, _w):
        s = Streams(stdio(Policy(stdout=Capture())), stdin=r)
        with pytest.raises(Timeout):
            s.splice(5, "blocking-splice", timeout=0.03)


def test_splice_ends_what_cannot_be_written(stdio: Stdio) -> None:
    with open("/dev/full", "wb") as full:
        s = Streams(stdio(Policy(stdin=b"abc")), stdout=full.fileno())
    assert s.splice(2) == FAILED and s.splice(2) == CLOSED

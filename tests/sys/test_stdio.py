"""sys/stdio.c: the standard streams: nothing, bytes, a buffer, callbacks, or a descriptor of the host."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support import E, Guest, on_fd, open_fds
from wasi_native import Capture, Policy, _core


def filetype(g: Guest, fd: int) -> int:
    assert g.fd_fdstat_get(fd, 64) == 0
    return g.memory.u8(64)


def test_nothing(guest: Any) -> None:
    g = guest()
    assert g.read(0) == (0, b"") and g.write(1, b"abc") == g.write(2, b"abc") == (0, 3)
    assert [filetype(g, fd) for fd in range(3)] == [0, 0, 0]  # nothing that looks like a terminal
    assert [g.fd_close(fd) for fd in range(3)] == [0, 0, 0]
    assert [g.fd_close(fd) for fd in range(3)] == [E.BADF] * 3


def test_bytes_in(guest: Any) -> None:
    g = guest(Policy(stdin=b"hello world"))
    assert g.poll(on_fd(0))[1] == [(0, 0, 1, 11, 0)]
    assert (
        g.fd_read(0, *g.iovs(0, (0x10000, 3), (0x10100, 0), (0x10200, 4)), 64) == 0 and g.memory.u32(64) == 7
    )
    assert g.memory.read(0x10000, 3) + g.memory.read(0x10200, 4) == b"hello w"
    assert g.poll(on_fd(0))[1] == [(0, 0, 1, 4, 0)]
    assert [g.read(0), g.read(0), g.read(0)] == [(0, b"orld"), (0, b""), (0, b"")]
    assert guest(Policy(stdin=b"")).read(0) == (0, b"")


def test_bytes_out(guest: Any) -> None:
    g = guest(Policy(stdout=Capture(6), stderr=Capture(2)))
    assert g.write(1, b"abcd") == (0, 4) and g.write(2, b"e") == (0, 1)
    g.memory.write(0x10000, b"123")
    assert g.fd_write(1, *g.iovs(0, (0x10000, 1), (0x10001, 2)), 64) == 0 and g.memory.u32(64) == 2
    assert g.write(1, b"x") == (E.NOSPC, 0)
    assert (g.instance.stdout, g.instance.stderr) == (b"abcd12", b"e")
    assert g.fd_close(1) == 0 and g.instance.stdout == b"abcd12"  # what was written outlives the descriptor
    g.close()
    assert g.instance.stdout == b"abcd12"
    with pytest.raises(RuntimeError, match="does not capture stdout: use Capture"):
        guest().instance.stdout  # noqa: B018


class Reader:
    """One piece of data per call."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces, self.asked = list(pieces), list[int]()

    def read(self, n: int) -> Any:
        self.asked.append(n)
        return self.pieces.pop(0) if self.pieces else b""


def test_callbacks_in(guest: Any) -> None:
    reader = Reader(b"ab", bytearray(b"cd"), memoryview(b"e"), None, b"f")
    g = guest(Policy(stdin=reader))
    assert [g.read(0, 10) for _ in range(6)] == [
        (0, b"ab"),
        (0, b"cd"),
        (0, b"e"),
        (E.AGAIN, b""),
        (0, b"f"),
        (0, b""),
    ]
    assert set(reader.asked) == {10}
    assert g.fd_read(0, *g.iovs(0, (0x10000, 5), (0x10100, 5)), 64) == 0
    assert reader.asked[-1] == 5  # one piece: the next could block although there is something to give


@pytest.mark.parametrize("bad", ["text", 5, 2**62, [1], object(), b"x" * 11])
def test_callbacks_that_give_no_bytes(guest: Any, bad: object) -> None:
    """Nothing is made of a number but an error: bytes(2**62) would be the end of the host."""
    g = guest(Policy(stdin=Reader(bad)))
    with pytest.raises((TypeError, ValueError), match="guest's stdin"):
        g.read(0, 10)
    assert g.instance.end == "host"


def test_a_buffered_stream_gives_what_it_has(guest: Any) -> None:
    """read() of one waits for all that was asked for; a guest asks for a whole buffer."""
    r, w = os.pipe()
    with os.fdopen(r, "rb") as stream, os.fdopen(w, "wb", buffering=0) as other:
        g = guest(Policy(stdin=stream))
        other.write(b"one line\n")
        assert g.read(
            0,
            4096,
        ) == (0, b"one line\n")
        other.close()
        assert g.read(0) == (0, b"")
    assert guest(Policy(stdin=io.BytesIO(b"abc"))).read(0) == (0, b"abc")


def test_callbacks_out(guest: Any) -> None:
    got: list[bytes] = []
    g = guest(Policy(stdout=got.append, stderr=lambda data: None))
    assert g.write(1, b"ab") == (0, 2) and g.write(2, b"zz") == (0, 2)
    g.memory.write(0x10000, b"cdefg")
    assert g.fd_write(1, *g.iovs(0, (0x10000, 2), (0x10002, 3)), 64) == 0 and g.memory.u32(64) == 5
    assert b"".join(got) == b"abcdefg" and all(type(piece) is bytes for piece in got)
    big = guest(Policy(stdout=got.append), pages=60)
    got.clear()
    assert big.fd_write(1, *big.iovs(0, (0x10000, 3 << 20)), 64) == 0
    assert [len(piece) for piece in got] == [1 << 20] * 3


@pytest.mark.parametrize("taken", [1, 3, 100, None, "yes", True])
def test_raw_streams_may_take_a_part(guest: Any, taken: Any) -> None:
    got = bytearray()

    class Raw:
        def write(self, data: bytes) -> Any:
            n = taken if type(taken) is int else len(data)
            got.extend(data[:n])
            return taken if taken is not True else len(data)

    g = guest(Policy(stdout=Raw()))
    assert g.write(1, b"0123456789") == (0, 10) and got == b"0123456789"


@pytest.mark.parametrize("taken", [0, -1])
def test_raw_streams_that_take_nothing_are_an_error(guest: Any, taken: int) -> None:
    g = guest(Policy(stdout=type("Raw", (), {"write": lambda self, data: taken})()))
    with pytest.raises(ValueError, match="took"):
        g.write(1, b"0123456789")


def test_descriptors_of_the_host(guest: Any, tmp_path: Path) -> None:
    with open(tmp_path / "f", "wb") as file, open("/dev/null", "r+b") as null, socket.socket() as sock:
        r, w = os.pipe()
        master, slave = os.openpty()
        for fd, kind in ((file.fileno(), 4), (null.fileno(), 2), (sock.fileno(), 6), (w, 0), (slave, 2)):
            g = guest()
            g.instance._sys.stdio_fd(1, fd)
            assert filetype(g, 1) == kind
            rights = g.memory.u64(64 + 8)
            looks_like_a_terminal = kind == 2 and not rights & (1 << 2 | 1 << 5)
            assert looks_like_a_terminal == (fd == slave)
            g.close()
        for fd in (r, w, master, slave):
            os.close(fd)
    with pytest.raises(_core.CoreError):
        _core.Sys({}).stdio_fd(1, 9999)


def test_a_descriptor_that_is_not_open_this_way(guest: Any) -> None:
    """As nohup leaves stdin: the other end of a pipe must not be opened anew through the kernel's files."""
    r, w = os.pipe()
    g = guest()
    g.instance._sys.stdio_fd(0, w)
    g.instance._sys.stdio_fd(1, r)
    assert g.read(0)[0] == g.write(1, b"x")[0] == E.BADF
    os.close(r)
    os.close(w)


def test_directories_and_wrong_numbers(tmp_path: Path) -> None:
    world = _core.Sys({})
    fd = os.open(tmp_path, os.O_RDONLY)
    for at, host, code in ((1, fd, E.ISDIR), (3, 1, E.INVAL), (2**32 - 1, 1, E.INVAL)):
        with pytest.raises(_core.CoreError) as caught:
            world.stdio_fd(at, host)
        assert caught.value.code == code
    os.close(fd)
    for call, args in (
        (world.stdio_bytes, (1, b"")),
        (world.stdio_capture, (0, 5)),
        (world.stdio_null, (3,)),
    ):
        with pytest.raises(_core.CoreError):
            call(*args)
    with pytest.raises(MemoryError):
        world.stdio_capture(1, 2**60)
    with pytest.raises(_core.CoreError):
        world.captured(1)


def test_replaced_streams_leave_nothing_open(guest: Any) -> None:
    g = guest(Policy(stdout=Capture()))
    world, before = g.instance._sys, open_fds()
    r, w = os.pipe()
    for _ in range(5):
        world.stdio_fd(1, w)
        world.stdio_capture(1, 10)
        world.stdio_bytes(0, b"x")
        world.stdio_null(1)
    os.close(r)
    os.close(w)
    assert open_fds() == before


def test_flags_of_the_preset(guest: Any) -> None:
    r, w = os.pipe()
    g = guest(nonblocking_stdio=True)
    g.instance._sys.stdio_fd(0, r)
    assert g.read(0)[0] == E.AGAIN and g.fd_fdstat_get(0, 64) == 0 and g.memory.u16(66) == 4
    g.instance._sys.stdio_nonblocking(False)
    assert g.fd_fdstat_get(0, 64) == 0 and g.memory.u16(66) == 0
    g.instance._sys.stdio_nonblocking(True)
    assert g.read(0)[0] == E.AGAIN
    os.close(r)
    os.close(w)

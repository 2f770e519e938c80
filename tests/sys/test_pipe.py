"""sys/pipe.c: pipes, terminals and devices of the host."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import E, Guest, on_fd
from wasi_native import File, Policy, _core


class Pipes:
    """A guest between two pipes of the host."""

    def __init__(self, guest: Any, private: bool) -> None:
        self.kernel = _core.FakeOs()
        if not private:
            self.kernel.inject("reopen", 1, 0, err=E.NOENT)
        self.g: Guest = guest(kernel=self.kernel, pages=60)
        self.input, self.output = os.pipe(), os.pipe()
        self.g.instance._sys.stdio_fd(0, self.input[0])
        self.g.instance._sys.stdio_fd(1, self.output[1])
        self.private = private

    def close(self) -> None:
        for fd in (*self.input, *self.output):
            try:
                os.close(fd)
            except OSError:
                pass


@pytest.fixture(params=[True, False], ids=["private", "shared"])
def pipes(request: pytest.FixtureRequest, guest: Any) -> Iterator[Pipes]:
    made = Pipes(guest, request.param)
    yield made
    made.close()


def test_there_and_back(pipes: Pipes) -> None:
    os.write(pipes.input[1], b"input")
    assert pipes.g.poll(on_fd(0))[1] == [(0, 0, 1, 5, 0)]
    assert pipes.g.read(0, 3) == (0, b"inp") and pipes.g.read(0) == (0, b"ut")
    assert pipes.g.write(1, b"output") == (0, 6) and os.read(pipes.output[0], 99) == b"output"
    assert os.get_blocking(pipes.input[0]) and os.get_blocking(pipes.output[1])


def test_one_kernel_call_each(pipes: Pipes) -> None:
    os.write(pipes.input[1], b"input")
    g, kernel = pipes.g, pipes.kernel
    at = g.iovs(0, (0x10000, 3), (0x10010, 2))
    looks = 0 if pipes.private else 1  # of a description that the host shares: first look, then move
    kernel.clear()
    assert g.fd_read(0, *at, 64) == 0 and (kernel.count("readv"), kernel.count("poll")) == (1, looks)
    kernel.clear()
    assert g.fd_write(1, *at, 64) == 0 and (kernel.count("write_pipe"), kernel.count("poll")) == (1, looks)
    assert kernel.count("alloc") == 0


def test_the_end(pipes: Pipes) -> None:
    os.write(pipes.input[1], b"last")
    os.close(pipes.input[1])
    assert [pipes.g.read(0) for _ in range(3)] == [(0, b"last"), (0, b""), (0, b"")]
    assert pipes.g.poll(on_fd(0))[1] == [(0, 0, 1, 0, 1)]  # hangup


def test_nobody_reads(pipes: Pipes) -> None:
    os.close(pipes.output[0])
    assert pipes.g.write(1, b"x") == (E.PIPE, 0)
    err, events = pipes.g.poll(on_fd(1, write=True))
    assert err == 0 and events[0].err == 0


def test_more_than_fits_arrives_in_order(pipes: Pipes) -> None:
    data = bytes(i * 31 % 251 for i in range(3 << 20))
    got = bytearray()

    def drain() -> None:
        while len(got) < len(data):
            got.extend(os.read(pipes.output[0], 100_003))

    thread = threading.Thread(target=drain)
    thread.start()
    g = pipes.g
    g.memory.write(0x10000, data)
    cuts = [(0x10000 + i * 65536, 65536) for i in range(48)]
    assert g.fd_write(1, *g.iovs(0, *cuts), 0x9000, timeout=60) == 0 and g.memory.u32(0x9000) == len(data)
    thread.join(20)
    assert bytes(got) == data


def test_reads_that_wait(pipes: Pipes) -> None:
    timer = threading.Timer(0.02, os.write, (pipes.input[1], b"late"))
    timer.start()
    err = pipes.g.fd_read(0, *pipes.g.iovs(0, (0x10000, 10)), 64, timeout=20)
    assert err == 0 and pipes.g.memory.read(0x10000, 4) == b"late"
    timer.join()


def test_a_guest_that_does_not_want_to_wait(pipes: Pipes) -> None:
    g = pipes.g
    assert g.fd_fdstat_set_flags(0, 4) == g.fd_fdstat_set_flags(1, 4) == 0
    assert g.read(0)[0] == E.AGAIN
    total = 0
    while True:
        err, n = g.write(1, b"x" * 60_000)
        if err:
            break
        total += n
    assert err == E.AGAIN and 60_000 <= total <= 65536
    assert len(os.read(pipes.output[0], 1 << 20)) == total
    assert g.fd_fdstat_set_flags(0, 1) == E.NOTSUP  # append means nothing here


def test_interrupted_and_spurious(pipes: Pipes) -> None:
    g, kernel = pipes.g, pipes.kernel
    os.write(pipes.input[1], b"abc")
    kernel.clear()
    for call in ("readv", "write_pipe", "poll"):
        kernel.inject(call, 1, 3, err=E.INTR)
    assert g.read(0) == (0, b"abc") and g.write(1, b"x") == (0, 1)
    kernel.clear()
    for call in ("readv", "write_pipe"):
        kernel.inject(call, 1, 2, err=E.AGAIN)  # another process took what poll promised
    os.write(pipes.input[1], b"abc")
    assert g.read(0) == (0, b"abc") and g.write(1, b"x") == (0, 1)
    kernel.clear()
    kernel.inject("readv", 1, 1, err=E.IO)
    kernel.inject("write_pipe", 1, 0, err=E.IO)
    os.write(pipes.input[1], b"abc")
    assert g.read(0)[0] == E.IO and g.read(0) == (0, b"abc")
    assert g.write(1, b"x")[0] == E.IO


def test_a_part_then_an_error(pipes: Pipes) -> None:
    kernel = pipes.kernel
    kernel.clear()
    kernel.inject("write_pipe", 1, 1, short_bytes=3)
    g = pipes.g
    g.memory.write(0x10000, b"abcdef")
    assert g.fd_write(1, *g.iovs(0, (0x10000, 6)), 64) == 0 and g.memory.u32(64) == 6
    assert os.read(pipes.output[0], 99) == b"abcdef"
    kernel.inject("write_pipe", 1, 1, short_bytes=3)
    g.fd_write(1, *g.iovs(0, (0x10000, 6)), 64)
    os.read(pipes.output[0], 99)


def test_devices_by_explicit_grant(guest: Any) -> None:
    files = [
        File("/dev/zero", "/dev/zero", device=True),
        File("/dev/full", "/dev/full", device=True, read_only=False),
    ]
    g = guest(Policy(files=files))
    err, zero = g.open("zero", rights=1 << 1)
    assert err == 0 and g.read(zero, 100) == (0, b"\0" * 100)
    err, full = g.open("full", rights=1 << 6)
    assert err == 0 and g.write(full, b"x")[0] == E.NOSPC
    assert g.open("zero", rights=1 << 6)[0] in {E.ROFS, E.NOTCAPABLE, E.PERM, E.ACCES}

"""sys/sock.c: listeners and connections that the host granted."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import E, Guest, on_clock, on_fd
from wasi_native import Capture, Dial, Limits, Listen, Policy, _core


@pytest.fixture(params=["tcp", "unix"])
def listener(request: pytest.FixtureRequest, guest: Any, tmp_path: Path) -> Iterator[tuple[Guest, Any]]:
    """A guest with a listener at descriptor 3, and what connects to it."""
    url = "tcp://127.0.0.1:0" if request.param == "tcp" else f"unix://{tmp_path}/s"
    g = guest(Policy(listen=[Listen(url)]))

    def connect() -> socket.socket:
        address = g.instance.listening[0]
        sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        sock.settimeout(20)
        sock.connect(address)
        return sock

    yield g, connect


@pytest.fixture(params=["stream", "datagram"])
def pair(request: pytest.FixtureRequest, guest: Any) -> Iterator[tuple[Guest, socket.socket, _core.FakeOs]]:
    """A guest with a connection at descriptor 3, and its other end."""
    kind = socket.SOCK_STREAM if request.param == "stream" else socket.SOCK_DGRAM
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    kernel = _core.FakeOs()
    g = guest(kernel=kernel, pages=60)
    assert g.instance._sys.preopen_socket(ours.fileno(), False) == 3
    ours.close()
    theirs.settimeout(20)
    yield g, theirs, kernel
    theirs.close()


def recv(g: Guest, fd: int, *pieces: tuple[int, int], flags: int = 0) -> tuple[int, int, int]:
    err = g.sock_recv(fd, *g.iovs(0, *(pieces or ((0x10000, 100),))), flags, 0x9000, 0x9004, timeout=20)
    return err, g.memory.u32(0x9000) if not err else 0, g.memory.u16(0x9004) if not err else 0


def send(g: Guest, fd: int, data: bytes) -> tuple[int, int]:
    g.memory.write(0x18000, data)
    err = g.sock_send(fd, *g.iovs(0, (0x18000, len(data))), 0, 0x9000, timeout=20)
    return err, g.memory.u32(0x9000) if not err else 0


def test_accept_and_talk(listener: tuple[Guest, Any]) -> None:
    g, connect = listener
    for number in (4, 5, 6):
        with connect() as peer:
            assert g.poll(on_fd(3), timeout=20)[1][0].err == 0
            assert g.sock_accept(3, 0, 64, timeout=20) == 0 and g.memory.u32(64) == number
            peer.sendall(b"hello")
            assert recv(g, number) == (0, 5, 0) and g.memory.read(0x10000, 5) == b"hello"
            assert send(g, number, b"back") == (0, 4) and peer.recv(9) == b"back"
            assert g.write(number, b"again") == (0, 5) and peer.recv(9) == b"again"  # as a file, too
            peer.sendall(b"file")
            assert g.read(number) == (0, b"file")
            assert g.fd_fdstat_get(number, 64) == 0 and g.memory.u8(64) == 6


def test_a_guest_that_does_not_want_to_wait(listener: tuple[Guest, Any]) -> None:
    g, connect = listener
    assert g.fd_fdstat_set_flags(3, 4) == 0 and g.sock_accept(3, 0, 64) == E.AGAIN
    with connect():
        assert g.poll(on_fd(3), timeout=20)[0] == 0
        assert g.sock_accept(3, 4, 64) == 0  # flags are of the new one
        fd = g.memory.u32(64)
        assert recv(g, fd)[0] == E.AGAIN and g.read(fd)[0] == E.AGAIN
        assert g.fd_fdstat_get(fd, 64) == 0 and g.memory.u16(66) == 4
    assert recv(g, fd) == (0, 0, 0)


def test_the_flags_of_the_host_s_listener_stay(guest: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for blocking in (True, False):
            server.setblocking(blocking)
            g = guest()
            g.instance._sys.preopen_socket(server.fileno(), True)
            assert g.fd_fdstat_set_flags(3, 4) == 0 and g.sock_accept(3, 0, 64) == E.AGAIN
            with socket.create_connection(server.getsockname()):
                g.poll(on_fd(3), timeout=20)
                assert g.sock_accept(3, 0, 64) == 0
                assert not os.get_inheritable(server.fileno())
            assert server.getblocking() == blocking


def test_accept_asks_again_when_a_peer_is_gone(listener: tuple[Guest, Any], guest: Any) -> None:
    kernel = _core.FakeOs()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        g = guest(kernel=kernel)
        g.instance._sys.preopen_socket(server.fileno(), True)
        for err in ("CONNABORTED", "INTR", "AGAIN"):
            kernel.inject("accept", 1, 2, err=getattr(E, err))
            with socket.create_connection(server.getsockname()):
                assert g.sock_accept(3, 0, 64, timeout=20) == 0
        kernel.inject("accept", 1, 1, err=E.MFILE)
        assert g.sock_accept(3, 0, 64, timeout=20) == E.MFILE
        assert g.instance.usage.fds == 7


def test_no_room_for_a_connection_takes_none(guest: Any) -> None:
    g = guest(Policy(listen=[Listen("tcp://127.0.0.1:0")], limits=Limits(fds=5, sockets=2)))
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(socket.create_connection(g.instance.listening[0]))
        assert g.sock_accept(3, 0, 64, timeout=20) == 0
        assert g.sock_accept(3, 0, 64, timeout=20) == E.MFILE  # at once, and the peer still waits
        assert g.fd_close(4) == 0 and g.sock_accept(3, 0, 64, timeout=20) == 0


def test_what_is_no_socket_or_no_listener(listener: tuple[Guest, Any]) -> None:
    g, connect = listener
    with connect():
        assert g.sock_accept(3, 0, 64, timeout=20) == 0
    at = g.iovs(0, (64, 4))
    for fd, answer in ((0, E.NOTSOCK), (99, E.BADF), (2**32 - 1, E.BADF)):
        assert g.sock_accept(fd, 0, 64) == g.sock_shutdown(fd, 3) == answer
        assert g.sock_recv(fd, *at, 0, 64, 68) == g.sock_send(fd, *at, 0, 64) == answer
    assert g.sock_accept(4, 0, 64) == E.INVAL
    assert g.sock_recv(3, *at, 0, 64, 68) in {E.NOTCONN, E.NOTCAPABLE}
    assert g.sock_send(3, *at, 0, 64) in {E.NOTCONN, E.NOTCAPABLE}
    assert g.sock_shutdown(3, 3) in {E.NOTCONN, E.NOTCAPABLE}
    for flags in (32, 2**32 - 1):
        assert g.sock_accept(3, flags, 64) == E.INVAL
    for flags in (4, 0x8000):
        assert recv(g, 4, flags=flags)[0] == E.INVAL
    assert g.sock_send(4, *at, 1, 64) == E.INVAL
    for how in (0, 4, 7):
        assert g.sock_shutdown(4, how) == E.INVAL


def test_pieces_peeks_and_nothing(pair: tuple[Guest, socket.socket, _core.FakeOs]) -> None:
    g, peer, kernel = pair
    peer.send(b"0123456789")
    kernel.clear()
    assert recv(g, 3, (0x10000, 4), (0x10100, 3), flags=1)[1] == 7  # a peek
    assert g.memory.read(0x10000, 4) + g.memory.read(0x10100, 3) == b"0123456"
    assert kernel.count("recv") == 1 and kernel.count("poll") == 0 and kernel.count("alloc") == 0
    assert recv(g, 3)[1] == 10
    assert g.sock_recv(3, 0, 0, 0, 0x9000, 0x9004) == 0 and g.memory.u32(0x9000) == 0
    assert g.sock_send(3, 0, 0, 0, 0x9000) == 0 and g.memory.u32(0x9000) == 0
    g.memory.write(0x18000, b"abcdef")
    assert g.sock_send(3, *g.iovs(0, (0x18000, 2), (0x18002, 4)), 0, 0x9000) == 0
    assert peer.recv(99) == b"abcdef"


def test_datagrams_are_whole(guest: Any) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        g = guest()
        g.instance._sys.preopen_socket(ours.fileno(), False)
        theirs.send(b"0123456789")
        theirs.send(b"second")
        assert recv(g, 3, (0x10000, 4)) == (0, 4, 1)  # truncated, and said so
        assert recv(g, 3, flags=2) == (0, 6, 0)  # waiting for all of it means one of them
        assert g.fd_fdstat_get(3, 64) == 0 and g.memory.u8(64) == 5
        assert send(g, 3, b"one") == (0, 3) and theirs.recv(99) == b"one"


def test_waiting_for_all(guest: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        g = guest()
        g.instance._sys.preopen_socket(ours.fileno(), False)

        def drip() -> None:
            for i in range(10):
                theirs.send(b"%d" % i)

        thread = threading.Thread(target=drip)
        thread.start()
        assert recv(g, 3, (0x10000, 6), (0x10100, 4), flags=2) == (0, 10, 0)
        thread.join()
        assert g.memory.read(0x10000, 6) + g.memory.read(0x10100, 4) == b"0123456789"
        theirs.send(b"abc")
        theirs.shutdown(socket.SHUT_WR)
        assert recv(g, 3, (0x10000, 6), flags=2) == (0, 3, 0)


def test_a_long_send_goes_in_full(guest: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        g = guest(pages=60)
        g.instance._sys.preopen_socket(ours.fileno(), False)
        data = bytes(i * 13 % 255 for i in range(3 << 20))
        got = bytearray()

        def drain() -> None:
            while len(got) < len(data):
                got.extend(theirs.recv(1 << 20))

        thread = threading.Thread(target=drain)
        thread.start()
        assert send(g, 3, data) == (0, len(data))
        thread.join(20)
        assert bytes(got) == data
        assert g.fd_fdstat_set_flags(3, 4) == 0
        err, n = send(g, 3, data)
        assert err == 0 and 0 < n < len(data)


@pytest.mark.parametrize(("how", "reads", "writes"), [(1, b"", True), (2, None, False), (3, b"", False)])
def test_shutdown(guest: Any, how: int, reads: bytes | None, writes: bool) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        g = guest()
        g.instance._sys.preopen_socket(ours.fileno(), False)
        assert g.sock_shutdown(3, how) == 0
        assert send(g, 3, b"x") == ((0, 1) if writes else (E.PIPE, 0))
        if reads is not None:
            assert recv(g, 3) == (0, 0, 0)
        if not writes:
            theirs.settimeout(20)
            assert theirs.recv(9) == b""


def test_dial(guest: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        g = guest(
            Policy(dial=[Dial(f"tcp://127.0.0.1:{server.getsockname()[1]}?nodelay=1")], stdout=Capture())
        )
        with server.accept()[0] as peer:
            peer.sendall(b"hi")
            assert g.poll(on_fd(3), on_clock(20 * 10**9))[1] == [(0, 0, 1, 2, 0)]
            assert recv(g, 3) == (0, 2, 0)
            g.close()
            peer.settimeout(20)
            assert peer.recv(1) == b""


def test_stdout_on_a_socket_is_counted(guest: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        g = guest(Policy(limits=Limits(output_bytes=5)))
        g.instance._sys.stdio_fd(1, ours.fileno())
        assert g.write(1, b"abc") == (0, 3) and send(g, 1, b"defg") == (0, 2)
        assert send(g, 1, b"x")[0] == g.write(1, b"x")[0] == E.NOSPC
        assert theirs.recv(99) == b"abcde" and g.instance.usage.output_bytes == 5

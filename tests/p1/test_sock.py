"""Sockets that the policy grants, over loopback."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.p1.conftest import World
from tests.support import ALL_RIGHTS, RIGHTS, E, Guest
from wasi_native import Dial, Limits, Listen, Policy, Timeout, _core

Make = Callable[..., Guest]
IOVS, COUNT, FLAGS = 64, 32, 40
READ, WRITE = 1, 2
PEEK, WAITALL = 1, 2


@pytest.fixture
def peers() -> Iterator[list[socket.socket]]:
    """Sockets of the test, closed after it."""
    kept: list[socket.socket] = []
    yield kept
    for one in kept:
        one.close()


def listener(plain: Make, **more: object) -> Guest:
    return plain(listen=[Listen("tcp://127.0.0.1:0")], **more)


def connect(g: Guest, peers: list[socket.socket]) -> socket.socket:
    peer = socket.create_connection(g.instance.listening[0], timeout=5)
    peers.append(peer)
    return peer


@pytest.fixture
def pair(plain: Make, peers: list[socket.socket]) -> tuple[Guest, int, socket.socket]:
    """A guest with an accepted connection, its descriptor, and the other end."""
    g = listener(plain)
    peer = connect(g, peers)
    assert g.sock_accept(3, 0, COUNT) == 0
    fd = g.unpack("I", COUNT)
    g.fill()
    return g, fd, peer


Pair = tuple[Guest, int, socket.socket]


def recv(g: Guest, fd: int, *pieces: tuple[int, int], flags: int = 0) -> tuple[int, bytes, int]:
    """(errno, what came into the pieces, flags), the rest of memory checked."""
    iovs = g.iovs(IOVS, *pieces)
    with g.writes_only((COUNT, 4), (FLAGS, 2), *pieces):
        err = g.sock_recv(fd, *iovs, flags, COUNT, FLAGS)
    if err:
        return err, b"", 0
    left, out = g.unpack("I", COUNT), b""
    for ptr, length in pieces:
        take = min(left, length)
        out, left = out + g.memory.read(ptr, take), left - take
    return 0, out, g.unpack("H", FLAGS)


# ---- sock_accept ----


def test_sock_accept(plain: Make, peers: list[socket.socket]) -> None:
    g = listener(plain)
    connect(g, peers)
    with g.writes_only((COUNT, 4)):
        assert g.sock_accept(3, 0, COUNT) == 0
    assert g.unpack("I", COUNT) == 4
    assert g.fd_fdstat_get(4, 0) == 0
    kind, flags, base = g.unpack("BxH4xQ", 0)
    assert (kind, flags) == (6, 0)
    assert base & RIGHTS["sock_accept"] == 0 and base & RIGHTS["sock_shutdown"]


def test_sock_accept_nonblocking(plain: Make, peers: list[socket.socket]) -> None:
    g = listener(plain)
    assert g.fd_fdstat_set_flags(3, 4) == 0
    with g.writes_only():
        assert g.sock_accept(3, 0, COUNT) == E.AGAIN
    connect(g, peers)
    assert g.sock_accept(3, 4, COUNT) == 0  # and the connection is non-blocking as well
    fd = g.unpack("I", COUNT)
    assert recv(g, fd, (500, 8))[0] == E.AGAIN


def test_sock_accept_waits_no_longer_than_the_call(plain: Make) -> None:
    g = listener(plain)
    with pytest.raises(Timeout):
        g.sock_accept(3, 0, COUNT, timeout=0.03)


def test_sock_accept_errnos(plain: Make, peers: list[socket.socket]) -> None:
    g = listener(plain, limits=Limits(fds=5))
    connect(g, peers)
    connect(g, peers)
    with g.writes_only():
        assert g.sock_accept(99, 0, COUNT) == E.BADF
        assert g.sock_accept(0, 0, COUNT) == E.NOTSOCK
        for flags in (32, 0x10000, 2**32 - 1):
            assert g.sock_accept(3, flags, COUNT) == E.INVAL
    assert g.sock_accept(3, 0, COUNT) == 0
    with g.writes_only():
        assert g.sock_accept(4, 0, COUNT) == E.INVAL  # a connection does not listen
        assert g.sock_accept(3, 0, COUNT) == E.MFILE
    assert g.fd_close(4) == 0
    assert g.sock_accept(3, 0, COUNT) == 0  # the second one was not lost
    assert g.fd_fdstat_set_rights(3, 0, 0) == 0
    assert g.sock_accept(3, 0, COUNT) == E.NOTCAPABLE


def test_sock_accept_notsock(make: Make, world: World) -> None:
    g = make()
    err, fd = g.open("f.txt")
    assert err == 0
    for one in (fd, 3, 5):
        assert g.sock_accept(one, 0, COUNT) == E.NOTSOCK


def test_sock_accept_what_the_kernel_says(guest: Make, engine: str, peers: list[socket.socket]) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(listen=[Listen("tcp://127.0.0.1:0")]), engine=engine, kernel=kernel)
    connect(g, peers)
    kernel.inject("accept", err=E.NFILE)
    assert g.sock_accept(3, 0, COUNT) == E.NFILE
    kernel.inject("accept", err=E.CONNABORTED)  # that one is gone; the next
    assert g.sock_accept(3, 0, COUNT) == 0


# ---- sock_recv ----


def test_sock_recv(pair: Pair) -> None:
    g, fd, peer = pair
    peer.sendall(b"hello")
    assert recv(g, fd, (501, 2), (600, 0), (700, 9)) == (0, b"hello", 0)
    peer.shutdown(socket.SHUT_WR)
    assert recv(g, fd, (500, 9)) == (0, b"", 0)


def test_sock_recv_peek(pair: Pair) -> None:
    g, fd, peer = pair
    peer.sendall(b"hello")
    assert recv(g, fd, (500, 3), flags=PEEK) == (0, b"hel", 0)
    assert recv(g, fd, (500, 9)) == (0, b"hello", 0)


def test_sock_recv_waitall(pair: Pair) -> None:
    g, fd, peer = pair

    def feed() -> None:
        for byte in b"0123456789":
            peer.sendall(bytes([byte]))

    thread = threading.Thread(target=feed)
    thread.start()
    assert recv(g, fd, (500, 4), (600, 6), flags=WAITALL) == (0, b"0123456789", 0)
    thread.join()
    peer.sendall(b"ab")
    peer.shutdown(socket.SHUT_WR)
    assert recv(g, fd, (500, 9), flags=WAITALL) == (0, b"ab", 0)  # no more will come


def test_fd_read_and_fd_write_of_a_connection(pair: Pair) -> None:
    g, fd, peer = pair
    peer.sendall(b"in")
    assert g.read(fd) == (0, b"in")
    assert g.write(fd, b"out") == (0, 3)
    assert peer.recv(9) == b"out"


def test_sock_recv_errnos(pair: Pair) -> None:
    g, fd, _ = pair
    pieces = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.sock_recv(99, *pieces, 0, COUNT, FLAGS) == E.BADF
        assert g.sock_recv(0, *pieces, 0, COUNT, FLAGS) == E.NOTSOCK
        assert g.sock_recv(3, *pieces, 0, COUNT, FLAGS) in (E.NOTCONN, E.NOTCAPABLE)  # a listener
        for flags in (4, 8, 0x8000, 2**32 - 1):
            assert g.sock_recv(fd, *pieces, flags, COUNT, FLAGS) == E.INVAL
    assert g.fd_fdstat_set_flags(fd, 4) == 0
    assert recv(g, fd, (500, 9))[0] == E.AGAIN
    assert recv(g, fd) == (0, b"", 0)  # of nothing
    assert g.fd_fdstat_set_rights(fd, RIGHTS["fd_write"], 0) == 0
    assert recv(g, fd, (500, 9))[0] == E.NOTCAPABLE


def test_sock_recv_connreset(pair: Pair) -> None:
    g, fd, peer = pair
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert recv(g, fd, (500, 9))[0] == E.CONNRESET


def test_sock_recv_too_many_pieces(plain: Make, peers: list[socket.socket]) -> None:
    g = listener(plain, limits=Limits(iovecs=2))
    connect(g, peers).sendall(b"abc")
    assert g.sock_accept(3, 0, COUNT) == 0
    assert recv(g, 4, (500, 1), (501, 1), (502, 1))[0] == E.INVAL
    three = g.iovs(IOVS, (500, 1), (501, 1), (502, 1))
    assert g.sock_send(4, *three, 0, COUNT) == E.INVAL
    assert recv(g, 4, (500, 1), (501, 1)) == (0, b"ab", 0)


# ---- sock_send ----


def test_sock_send(pair: Pair) -> None:
    g, fd, peer = pair
    iovs = g.iovs(IOVS, g.put(501, b"ab"), (0, 0), g.put(600, b"c"))
    with g.writes_only((COUNT, 4)):
        assert g.sock_send(fd, *iovs, 0, COUNT) == 0
    assert g.unpack("I", COUNT) == 3 and peer.recv(9) == b"abc"
    with g.writes_only((COUNT, 4)):
        assert g.sock_send(fd, 0, 0, 0, COUNT) == 0
    assert g.unpack("I", COUNT) == 0


def test_sock_send_through_a_full_window(pair: Pair) -> None:
    g, fd, peer = pair
    assert g.fd_fdstat_set_flags(fd, 4) == 0
    iovs = g.iovs(IOVS, (0x1000, 0x10000))
    total = 0
    while (err := g.sock_send(fd, *iovs, 0, COUNT)) == 0:
        total += g.unpack("I", COUNT)
    assert err == E.AGAIN
    got = 0
    while got < total:
        data = peer.recv(1 << 20)
        assert data == b"\xa5" * len(data)
        got += len(data)


def test_sock_send_errnos(pair: Pair) -> None:
    g, fd, peer = pair
    iovs = g.iovs(IOVS, (500, 9))
    with g.writes_only():
        assert g.sock_send(99, *iovs, 0, COUNT) == E.BADF
        assert g.sock_send(1, *iovs, 0, COUNT) == E.NOTSOCK
        assert g.sock_send(3, *iovs, 0, COUNT) in (E.NOTCONN, E.NOTCAPABLE)
        for flags in (1, 2, 0x8000, 2**32 - 1):
            assert g.sock_send(fd, *iovs, flags, COUNT) == E.INVAL
    assert g.sock_shutdown(fd, WRITE) == 0
    with g.writes_only():
        assert g.sock_send(fd, *iovs, 0, COUNT) == E.PIPE  # an errno, no signal
    assert peer.recv(9) == b""
    assert g.fd_fdstat_set_rights(fd, RIGHTS["fd_read"], 0) == 0
    assert g.sock_send(fd, *iovs, 0, COUNT) == E.NOTCAPABLE


def test_sock_send_what_the_kernel_says(guest: Make, engine: str, peers: list[socket.socket]) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(listen=[Listen("tcp://127.0.0.1:0")]), engine=engine, kernel=kernel)
    peer = connect(g, peers)
    assert g.sock_accept(3, 0, COUNT) == 0
    iovs = g.iovs(IOVS, g.put(500, b"abcdefgh"))
    for err in (E.MSGSIZE, E.CONNRESET, E.NOTCONN):
        kernel.inject("send", err=err)
        assert g.sock_send(4, *iovs, 0, COUNT) == err
        kernel.inject("recv", err=err)
        assert recv(g, 4, (900, 9))[0] == err
    iovs = g.iovs(IOVS, (500, 8))  # recv() had its own list there
    kernel.inject("send", short_bytes=3, times=1)
    assert g.sock_send(4, *iovs, 0, COUNT) == 0 and g.unpack("I", COUNT) == 8
    assert peer.recv(8, socket.MSG_WAITALL) == b"abcdefgh"


# ---- sock_shutdown ----


def test_sock_shutdown(pair: Pair) -> None:
    g, fd, peer = pair
    with g.writes_only():
        assert g.sock_shutdown(fd, WRITE) == 0
    assert peer.recv(9) == b""
    peer.sendall(b"still")
    assert recv(g, fd, (500, 9)) == (0, b"still", 0)
    assert g.sock_shutdown(fd, READ | WRITE) in (0, E.NOTCONN)
    assert recv(g, fd, (500, 9))[:2] == (0, b"")


def test_sock_shutdown_errnos(pair: Pair) -> None:
    g, fd, _ = pair
    with g.writes_only():
        assert g.sock_shutdown(99, READ) == E.BADF
        assert g.sock_shutdown(1, READ) == E.NOTSOCK
        for how in (0, 4, 7, 0x10001, 2**32 - 1):
            assert g.sock_shutdown(fd, how) == E.INVAL
        assert g.sock_shutdown(3, READ) in (E.NOTCONN, E.NOTCAPABLE)
    assert g.fd_fdstat_set_rights(fd, ALL_RIGHTS & RIGHTS["fd_read"], 0) == 0
    assert g.sock_shutdown(fd, READ) == E.NOTCAPABLE


# ---- dialled ----


def test_a_dialled_connection(plain: Make, peers: list[socket.socket]) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    peers.append(server)
    g = plain(dial=[Dial(f"tcp://127.0.0.1:{server.getsockname()[1]}")])
    peer, _ = server.accept()
    peers.append(peer)
    peer.sendall(b"welcome")
    assert recv(g, 3, (500, 20)) == (0, b"welcome", 0)
    assert g.sock_send(3, *g.iovs(IOVS, g.put(500, b"hi")), 0, COUNT) == 0
    assert peer.recv(9) == b"hi"
    assert g.sock_accept(3, 0, COUNT) == E.INVAL
    assert g.sock_shutdown(3, READ | WRITE) == 0
    assert peer.recv(9) == b""


# ---- who may come: the rules that 0.2 has too ----

HERE, OTHER, NONE = "127.0.0.1", "127.0.0.2", ()


@pytest.mark.parametrize(
    ("own", "net", "welcome"),
    [
        ("", NONE, {HERE, OTHER}),
        ("?peers=127.0.0.2", NONE, {OTHER}),
        ("?peers=127.0.0.0/8", NONE, {HERE, OTHER}),
        ("?peers=0.0.0.0/0", NONE, set()),  # public ones
        ("?peers=[::1]", NONE, set()),
        ("", ["listen tcp://127.0.0.1:*?peers=127.0.0.2"], {OTHER}),
        ("", ["listen tcp://127.0.0.1:*"], {HERE, OTHER}),
        ("", ["listen tcp://127.0.0.9:*?peers=127.0.0.9"], {HERE, OTHER}),  # about another address
        ("", ["tcp://127.0.0.1:*", "bind tcp://127.0.0.1:*"], {HERE, OTHER}),  # another direction
        ("?peers=127.0.0.1", ["listen tcp://127.0.0.1:*?peers=127.0.0.2"], {HERE, OTHER}),
        ("?peers=127.0.0.3", ["listen tcp://127.0.0.0/8:1-65535?peers=127.0.0.2"], {OTHER}),
    ],
)
def test_sock_accept_of_who_may_come(
    plain: Make, peers: list[socket.socket], own: str, net: list[str], welcome: set[str]
) -> None:
    g = plain(listen=[Listen(f"tcp://127.0.0.1:0{own}")], net=net)
    assert g.fd_fdstat_set_flags(3, 4) == 0
    where = g.instance.listening[0]
    for source in (HERE, OTHER):
        peers.append(socket.create_connection(where, timeout=5, source_address=(source, 0)))
        if source in welcome:
            assert g.sock_accept(3, 0, COUNT) == 0
            assert g.fd_close(g.unpack("I", COUNT)) == 0
        else:
            with g.writes_only():
                assert g.sock_accept(3, 0, COUNT) == E.AGAIN
            assert peers[-1].recv(1) == b"", "it is closed, and the guest has not seen it"


def test_sock_accept_waits_for_who_may_come(plain: Make, peers: list[socket.socket]) -> None:
    g = plain(listen=[Listen("tcp://127.0.0.1:0?peers=127.0.0.2")])
    where = g.instance.listening[0]
    for source in (HERE, HERE, OTHER, HERE):
        peers.append(socket.create_connection(where, timeout=5, source_address=(source, 0)))
    assert g.sock_accept(3, 0, COUNT) == 0
    fd = g.unpack("I", COUNT)
    peers[2].sendall(b"me")
    assert recv(g, fd, (500, 8)) == (0, b"me", 0)
    with pytest.raises(Timeout):
        g.sock_accept(3, 0, COUNT, timeout=0.03)


@pytest.mark.parametrize(("peers_of", "errno"), [("127.0.0.0/8", 0), ("127.0.0.2,[::1]", E.AGAIN)])
def test_sock_accept_of_both_families(
    plain: Make, peers: list[socket.socket], peers_of: str, errno: int
) -> None:
    """A listener at [::] takes IPv4 too, whose addresses are judged as what they are."""
    g = plain(listen=[Listen(f"tcp://[::]:0?peers={peers_of}")])
    assert g.fd_fdstat_set_flags(3, 4) == 0
    port = g.instance.listening[0][1]
    peers.append(socket.create_connection((HERE, port), timeout=5))
    assert g.sock_accept(3, 0, COUNT) == errno


def test_sock_accept_of_a_unix_socket_has_no_peers(
    plain: Make, peers: list[socket.socket], tmp_path: object
) -> None:
    path = f"{tmp_path}/s"
    g = plain(listen=[Listen(f"unix://{path}")], net=["listen tcp://127.0.0.1:*?peers=127.0.0.2"])
    peers.append(socket.socket(socket.AF_UNIX))
    peers[-1].connect(path)
    assert g.sock_accept(3, 0, COUNT) == 0

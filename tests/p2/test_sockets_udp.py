"""core/p2/sockets_udp.c, core/sys/udp.c: datagrams of a guest, against real sockets on loopback."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.p2.driver import Guest2
from tests.p2.sockets import BUF, FAMILIES, LOOPBACK, OUT, V4, Net, flat
from tests.support import E
from wasi_native import Cancelled, _core

Make = Callable[..., Guest2]
ALL = tuple(f"{verb} udp://{ip}:*" for verb in ("exchange", "listen") for ip in ("127.0.0.1", "[::1]"))
IN, TO = "udp#[method]incoming-datagram-stream.", "udp#[method]outgoing-datagram-stream."
TRAP = "send of more datagrams than check-send permitted"


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(20)
        yield made


def talk(net: Net, family: int = V4) -> tuple[int, int, int]:
    """A bound socket and the two streams of all peers."""
    sock = net.datagrams((LOOPBACK[family], 0))
    return (sock, *net.stream(sock))


@pytest.mark.parametrize("family", FAMILIES)
def test_there_and_back(make2: Make, family: int) -> None:
    net = Net(make2, *ALL)
    sock, into, out = talk(net, family)
    where = net.udp("local-address", sock)
    with socket.socket(socket.AF_INET6 if family else socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((LOOPBACK[family], 0))
        peer.settimeout(20)
        to = peer.getsockname()[:2]
        assert net.check_send(out) == 16 and net.send(out, (b"one", to), (b"", to), (b"three", to)) == 3
        got = [peer.recvfrom(100) for _ in range(3)]
        assert [(data, address[:2]) for data, address in got] == [
            (b"one", where),
            (b"", where),
            (b"three", where),
        ]
        for data in (b"a", b"", b"c" * 2000):
            peer.sendto(data, where)
        net.wait("udp#incoming-datagram-stream", into)
        seen: list[tuple[bytes, tuple[str, int]]] = []
        while len(seen) < 3:
            seen += net.receive(into, 2)
        assert seen == [(b"a", to), (b"", to), (b"c" * 2000, to)] and net.receive(into) == []
    assert net.g("udp#[method]udp-socket.address-family", sock) == family
    for what, handle in (
        ("incoming-datagram-stream", into),
        ("outgoing-datagram-stream", out),
        ("udp-socket", sock),
    ):
        net.g(f"udp#[resource-drop]{what}", handle)


def test_states(make2: Make) -> None:
    net = Net(make2, *ALL)
    home = ("127.0.0.1", 0)
    sock = int(net("udp-create-socket#create-udp-socket", V4))
    assert net.udp_fails("finish-bind", sock) == "not-in-progress"
    assert net.udp_fails("local-address", sock) == net.udp_fails("remote-address", sock) == "invalid-state"
    assert net.udp_fails("stream", sock, *[0] * 13) == "invalid-state"  # not bound
    assert net.udp_fails("start-bind", sock, net.network, *flat(("::1", 0))) == "invalid-argument"
    net.udp("start-bind", sock, net.network, *flat(home))
    assert net.udp_fails("start-bind", sock, net.network, *flat(home)) == "concurrency-conflict"
    assert net.udp_fails("stream", sock, *[0] * 13) == net.udp_fails("local-address", sock) == "invalid-state"
    net.udp("finish-bind", sock)
    assert net.udp_fails("start-bind", sock, net.network, *flat(home)) == "invalid-state"
    other = int(net("udp-create-socket#create-udp-socket", V4))
    where = net.udp("local-address", sock)
    assert net.udp_fails("start-bind", other, net.network, *flat(where)) == "address-in-use"
    assert net.ready(net.g("udp#[method]udp-socket.subscribe", other))


def test_a_stream_of_one_peer(make2: Make, peer: socket.socket) -> None:
    net = Net(make2, *ALL)
    sock = net.datagrams(("0.0.0.0", 0))  # nobody's place: whoever may send may have it
    into, out = net.stream(sock)
    port = net.udp("local-address", sock)[1]
    assert net.udp_fails("remote-address", sock) == "invalid-state"
    to = peer.getsockname()
    net.check_send(out)
    assert net.fails(TO + "send", out, *net.outgoing((b"x", None))) == "invalid-argument"  # to whom?
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"before", ("127.0.0.1", port))
        inner, outer = net.stream(sock, to)
        assert net.udp("remote-address", sock) == to and net.udp("local-address", sock) == ("127.0.0.1", port)
        stranger.sendto(b"after", ("127.0.0.1", port))
        peer.sendto(b"mine", ("127.0.0.1", port))
        net.wait("udp#incoming-datagram-stream", inner)
        seen: list[object] = []
        while not seen:
            seen = list(net.receive(inner))
        assert seen == [(b"mine", to)]
    assert net.check_send(outer) == 16 and net.send(outer, (b"a", None), (b"b", to)) == 2
    assert [peer.recv(9), peer.recv(9)] == [b"a", b"b"]
    net.check_send(outer)
    assert net.fails(TO + "send", outer, *net.outgoing((b"x", ("127.0.0.1", 9)))) == "invalid-argument"
    assert net.fails(TO + "check-send", out) == net.fails(IN + "receive", into, 1) == "invalid-state"  # dead
    again = net.stream(sock)
    assert net.udp_fails("remote-address", sock) == "invalid-state"
    assert net.udp("local-address", sock)[1] == port  # though Linux forgets it
    assert (
        net.check_send(again[1]) == 16 and net.send(again[1], (b"free", to)) == 1 and peer.recv(9) == b"free"
    )


@pytest.mark.parametrize(
    "wrong", [("0.0.0.0", 9), ("127.0.0.1", 0), ("::1", 9), ("224.0.0.1", 9), ("255.255.255.255", 9)]
)
def test_whom_nobody_can_talk_to(make2: Make, wrong: tuple[str, int]) -> None:
    net = Net(make2, "udp://0.0.0.0/0:*?local=1", "bind udp://127.0.0.1:0")
    sock, _, out = talk(net)
    assert net.udp_fails("stream", sock, 1, *flat(wrong)) == "invalid-argument"
    assert net.check_send(out) == 16
    assert net.fails(TO + "send", out, *net.outgoing((b"x", wrong))) == "invalid-argument"


def test_send_stops_at_the_first_that_fails(make2: Make, peer: socket.socket) -> None:
    net = Net(make2, *ALL)
    _, _, out = talk(net)
    to = peer.getsockname()
    net.check_send(out)
    assert net.send(out, (b"1", to), (b"2", ("127.0.0.1", 0)), (b"3", to)) == 1
    assert net.send(out) == 0
    assert (
        net.fails(TO + "send", out, *net.outgoing((b"2", ("127.0.0.1", 0)), (b"3", to))) == "invalid-argument"
    )
    peer.settimeout(0.05)
    assert peer.recv(9) == b"1"
    with pytest.raises(TimeoutError):
        peer.recv(9)


@pytest.mark.parametrize("before", ["nothing", "used", "more"])
def test_send_without_a_permit_is_a_trap(make2: Make, before: str) -> None:
    net = Net(make2, *ALL)
    _, _, out = talk(net)
    items: list[tuple[bytes, tuple[str, int] | None]] = [(b"", ("127.0.0.1", 9))]
    if before != "nothing":
        assert net.check_send(out) == 16
    if before == "used":
        assert net.send(out, *items * 16) == 16
    if before == "more":
        items *= 17
    assert net.g.traps(TO + "send", out, *net.outgoing(*items), OUT) == TRAP


def test_datagrams_in_guest_memory_are_looked_at_first(make2: Make, peer: socket.socket) -> None:
    """A wrong pointer, case or place in the second is a trap, and the first is not sent."""
    kernel = _core.FakeOs()
    for at, raw, says in (
        (44, struct.pack("<I", 0x1FFFF), "out of bounds"),
        (44 + 4, struct.pack("<I", 0xFFFFFFFF), ""),
        (44 + 8, b"\2", "invalid variant"),
        (44 + 12, b"\2", "invalid variant"),
    ):
        net = Net(make2, *ALL, kernel=kernel)
        _, _, out = talk(net)
        net.check_send(out)
        ptr, count = net.outgoing((b"12", peer.getsockname()), (b"34", peer.getsockname()))
        net.g.memory.write(ptr + at, raw)
        assert says in net.g.traps(TO + "send", out, ptr, count, OUT) != "", says
        assert kernel.count("send_to") == 0
    net = Net(make2, *ALL)
    _, _, out = talk(net)
    net.check_send(out)
    assert "out of bounds" in net.g.traps(TO + "send", out, 0x1FFFC, 2, OUT)


def test_receive_is_capped(make2: Make, peer: socket.socket) -> None:
    net = Net(make2, *ALL)
    sock, into, _ = talk(net)
    where = net.udp("local-address", sock)
    for index in range(20):
        peer.sendto(bytes([index]), where)
    net.wait("udp#incoming-datagram-stream", into)
    assert net.receive(into, 0) == []
    assert [data[0] for data, _ in net.receive(into, 2**64 - 1)] == list(range(16))  # no more in one call
    assert [data[0] for data, _ in net.receive(into, 2**64 - 1)] == [16, 17, 18, 19]
    net.udp("set-receive-buffer-size", sock, 1 << 20)
    for _ in range(2):
        peer.sendto(bytes(40000), where)  # two do not fit into what one call takes
    assert [len(data) for data, _ in net.receive(into)] == [40000]
    assert [len(data) for data, _ in net.receive(into)] == [40000]


def test_too_large(make2: Make, peer: socket.socket) -> None:
    net = Net(make2, *ALL)
    _, _, out = talk(net)
    net.check_send(out)
    net.g.memory.write(BUF, bytes(0x7000))
    ptr, count = net.outgoing((b"x", peer.getsockname()))
    net.g.memory.write(ptr, struct.pack("<II", 0, 65508))
    assert net.fails(TO + "send", out, ptr, count) == "datagram-too-large"


def test_refused_comes_back(make2: Make) -> None:
    net = Net(make2, *ALL)
    sock = net.datagrams(("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        where = gone.getsockname()
    into, out = net.stream(sock, where)
    net.check_send(out)
    assert net.send(out, (b"x", None)) == 1
    net.wait("udp#incoming-datagram-stream", into)
    assert net.fails(IN + "receive", into, 1) == "connection-refused"
    assert net.receive(into) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_options(make2: Make, family: int) -> None:
    net = Net(make2, *ALL)
    sock = int(net("udp-create-socket#create-udp-socket", family))
    for name, most in (
        ("unicast-hop-limit", 255),
        ("receive-buffer-size", 2**64 - 1),
        ("send-buffer-size", 2**64 - 1),
    ):
        assert net.udp(name, sock) > 0 and net.udp_fails(f"set-{name}", sock, 0) == "invalid-argument"
        for value in (1, most):
            net.udp(f"set-{name}", sock, value)
            assert net.udp(name, sock) > 0
    net.udp("set-unicast-hop-limit", sock, 42)
    net.udp("set-receive-buffer-size", sock, 0x10000)
    net.udp("set-send-buffer-size", sock, 0x10000)
    assert net.udp("unicast-hop-limit", sock) == 42
    assert net.udp("receive-buffer-size", sock) == net.udp("send-buffer-size", sock) == 0x10000


def test_each_call_of_the_kernel_fails_once(make2: Make, peer: socket.socket) -> None:
    kernel = _core.FakeOs()
    net = Net(make2, *ALL, kernel=kernel)
    sock, into, out = talk(net)
    to, where = peer.getsockname(), net.udp("local-address", sock)
    peer.sendto(b"x", where)
    net.wait("udp#incoming-datagram-stream", into)
    for err, code in ((E.HOSTUNREACH, "remote-unreachable"), (E.NOMEM, "out-of-memory")):
        kernel.inject("recv_from", 1, 1, err=err)
        assert net.fails(IN + "receive", into, 1) == code
        net.check_send(out)
        kernel.inject("send_to", 1, 1, err=err)
        assert net.fails(TO + "send", out, *net.outgoing((b"y", to))) == code
    kernel.inject("recv_from", 1, 1, err=E.INTR)
    kernel.inject("send_to", 1, 1, err=E.AGAIN)
    net.check_send(out)
    assert net.receive(into) == [] and net.send(out, (b"y", to)) == 0
    kernel.inject("recv_from", 2, 1, err=E.NOMEM)
    peer.sendto(b"z", where)
    assert [data for data, _ in net.receive(into)] == [b"x"]  # what came before the error
    assert [data for data, _ in net.receive(into)] == [b"z"]
    net.stream(sock, to)
    for call in ("connect", "address"):
        kernel.inject(call, 1, 1, err=E.NOBUFS)
        assert net.udp_fails("stream", sock, 1, *flat(to)) == "out-of-memory"
    into, out = net.stream(sock, to)
    assert net.check_send(out) == 16 and net.udp("local-address", sock) == where


def test_whoever_waits_for_a_datagram_can_be_ended(make2: Make) -> None:
    net = Net(make2, *ALL)
    _, into, out = talk(net)
    assert net.ready(net.g(TO + "subscribe", out))
    pollable = net.g(IN + "subscribe", into)
    timer = threading.Thread(target=lambda: (time.sleep(0.2), net.g.instance.cancel()))
    timer.start()
    with pytest.raises(Cancelled):
        net.block(pollable, None)
    timer.join()

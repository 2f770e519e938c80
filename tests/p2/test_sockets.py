"""core/p2/sockets.c: the network, network-error-code, and addresses in and out of guest memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.p2.driver import Guest2
from tests.p2.sockets import CODES, FAMILIES, OUT, V4, V6, Net, flat, in_memory
from tests.support import E
from wasi_native import _core

Make = Callable[..., Guest2]
CODE_OF = {
    "ACCES": "access-denied",
    "PERM": "access-denied",
    "NOTSUP": "not-supported",
    "INVAL": "invalid-argument",
    "AFNOSUPPORT": "not-supported",
    "NOMEM": "out-of-memory",
    "NOBUFS": "out-of-memory",
    "TIMEDOUT": "timeout",
    "MFILE": "new-socket-limit",
    "NFILE": "new-socket-limit",
    "ADDRNOTAVAIL": "address-not-bindable",
    "ADDRINUSE": "address-in-use",
    "HOSTUNREACH": "remote-unreachable",
    "NETUNREACH": "remote-unreachable",
    "NETDOWN": "remote-unreachable",
    "CONNREFUSED": "connection-refused",
    "CONNRESET": "connection-reset",
    "CONNABORTED": "connection-aborted",
    "MSGSIZE": "datagram-too-large",
    "IO": "unknown",
    "NOSYS": "unknown",
}


@pytest.mark.parametrize("errno", sorted(CODE_OF))
def test_each_errno_has_its_code(make2: Make, errno: str) -> None:
    kernel = _core.FakeOs()
    net = Net(make2, "bind tcp://127.0.0.1:0", kernel=kernel)
    kernel.inject("bind", 1, 1, err=E.__dict__[errno])
    sock = net.socket()
    assert net.tcp_fails("start-bind", sock, net.network, *flat(("127.0.0.1", 0))) == CODE_OF[errno]
    assert net.tcp_fails("start-bind", sock, net.network, *flat(("127.0.0.1", 0))) == ""  # another try


def test_instance_network_gives_handles_that_say_nothing(make2: Make) -> None:
    net = Net(make2)
    other = net.g("instance-network#instance-network")
    assert other != net.network
    net.g("network#[resource-drop]network", other)
    assert "unknown handle" in net.g.traps("network#[resource-drop]network", other)


def test_network_error_code_of_a_stream(make2: Make) -> None:
    kernel = _core.FakeOs()
    net = Net(make2, "tcp://127.0.0.1:*", "listen tcp://127.0.0.1:0", kernel=kernel)
    server, where = net.listener(("127.0.0.1", 0))
    _, _, out = net.connect(where)
    kernel.inject("writev", 1, 1, err=E.CONNRESET)
    kernel.inject("send", 1, 1, err=E.CONNRESET)
    assert net.write(out, b"x") == "connection-reset"
    assert net.write(out, b"x") == "closed"
    _, _, out = net.connect(where)
    kernel.inject("send", 1, 1, err=E.IO)
    assert net.write(out, b"x") == "no code"  # nothing of the network
    net.g("tcp#[resource-drop]tcp-socket", server)


@pytest.mark.parametrize("address", [("127.1.2.3", 0), ("::1", 0)][: len(FAMILIES)])
def test_addresses_keep_every_byte(make2: Make, address: tuple[str, int]) -> None:
    six = ":" in address[0]
    net = Net(make2, f"bind tcp://{'[::1]' if six else '127.0.0.0/8'}:*")
    sock = net.bound(address)
    got = net.tcp("local-address", sock)
    assert got[0] == address[0] and got[1] > 1023
    want = in_memory(got)[: 32 if six else 10]
    seen = bytes(net.g.memory.read(OUT + 4, len(want)))
    assert seen[:1] + seen[4:6] + seen[8:] == want[:1] + want[4:6] + want[8:] or not six
    assert six or seen[4:] == want[4:]
    assert net.g("tcp#[method]tcp-socket.address-family", sock) == (V6 if six else V4)


@pytest.mark.parametrize(
    "call", ["tcp#[method]tcp-socket.start-bind", "tcp#[method]tcp-socket.start-connect"]
)
def test_what_is_no_address_of_the_network(make2: Make, call: str) -> None:
    """Mapped, multicast, broadcast, another family, nowhere: refused before anybody is asked."""
    kernel = _core.FakeOs()
    net = Net(make2, "connect tcp://0.0.0.0/0:*?local=1", "connect tcp://[::]/0:*?local=1", kernel=kernel)
    wrong = ["224.0.0.1", "255.255.255.255", "::ffff:127.0.0.1", "::1"]
    if "connect" in call:
        wrong += ["0.0.0.0"]
    for ip in wrong:
        assert net.fails(call, net.socket(V4), net.network, *flat((ip, 80))) == "invalid-argument", ip
    for ip in ("ff02::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "127.0.0.1"):
        assert net.fails(call, net.socket(V6), net.network, *flat((ip, 80))) == "invalid-argument", ip
    if "connect" in call:
        assert net.fails(call, net.socket(V4), net.network, *flat(("127.0.0.1", 0))) == "invalid-argument"
        assert net.fails(call, net.socket(V6), net.network, *flat(("::", 80))) == "invalid-argument"
    assert kernel.count("bind") == kernel.count("connect") == 0


def test_wrong_cases_and_places_are_traps(make2: Make) -> None:
    def trap(*args: Any) -> str:
        return Net(make2).g.traps(*args)

    net = Net(make2)
    sock = net.socket()
    assert "invalid variant" in net.g.traps(
        "tcp#[method]tcp-socket.start-bind", sock, net.network, 2, *[0] * 11, OUT
    )
    assert "wrong type" in trap("tcp#[method]tcp-socket.start-bind", 1, 1, *[0] * 12, OUT)
    assert "unknown handle" in trap("tcp#[method]tcp-socket.finish-bind", 7, OUT)
    assert "out of bounds" in trap("tcp-create-socket#create-tcp-socket", V4, 0x1FFFC)
    assert "aligned" in trap("tcp-create-socket#create-tcp-socket", V4, OUT + 1)
    assert "invalid variant" in trap("tcp-create-socket#create-tcp-socket", 2, OUT)
    assert len(CODES) == 21


def test_numbers_are_cut_to_their_width(make2: Make) -> None:
    net = Net(make2, "bind tcp://127.0.0.1:0")
    sock = net.socket()
    net.tcp("start-bind", sock, net.network, V4, 0x10000, 0x17F, 0x100, 0x200, 0xF01, *[9] * 6)
    net.tcp("finish-bind", sock)
    assert net.tcp("local-address", sock)[0] == "127.0.0.1"

"""Attacks of group S: sockets and names that a guest of WASI 0.2 has no right to."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.p2.driver import Guest2
from tests.p2.sockets import V4, V6, Net, flat
from tests.p2.test_sockets_lookup import refused
from tests.support import E, Guest, engines_under_test
from wasi_native import Allow, Limits, Listen, Policy, PolicyError, _core

HOME = "127.0.0.1"
EVERYWHERE = "tcp://*:*", "tcp://0.0.0.0/0:*", "tcp://[::]/0:*"
ABOUT = {"start-connect": "connect", "start-bind": "bind"}


@pytest.fixture(params=[name for name in engines_under_test() if name != "fake"])
def make2(request: pytest.FixtureRequest) -> Iterator[Callable[..., Guest2]]:
    made: list[Guest2] = []

    def make(*interfaces: str, policy: Policy | None = None, **more: Any) -> Guest2:
        made.append(Guest2(policy, *interfaces, engine=request.param, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[..., Guest2]


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server((HOME, 0)) as made:
        made.setblocking(False)
        yield made


def nobody_came(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return True
    return False


def tries(net: Net, call: str, ip: str, port: int) -> str:
    """The code of the error of a start-connect or start-bind with a new socket."""
    sock = net.socket(V6 if ":" in ip else V4)
    code = net.tcp_fails(call, sock, net.network, *flat((ip, port)))
    net.g("tcp#[resource-drop]tcp-socket", sock)
    return code


@pytest.mark.parametrize(
    "rules", [(), ("dns://*",), ("udp://127.0.0.1:*",), ("tcp://127.0.0.2:*", "tcp://127.0.0.1:1")]
)
def test_s124_connect_and_bind_where_no_rule_is(
    make2: Make, server: socket.socket, rules: tuple[str, ...]
) -> None:
    kernel = _core.FakeOs()
    net = Net(make2, *rules, kernel=kernel)
    host, port = server.getsockname()
    assert tries(net, "start-connect", host, port) == "access-denied"
    assert tries(net, "start-bind", host, 0) == tries(net, "start-bind", host, port) == "access-denied"
    assert kernel.count("connect") == kernel.count("bind") == 0 and nobody_came(server)


def test_s124_control(make2: Make, server: socket.socket) -> None:
    net = Net(make2, f"tcp://{HOME}:{server.getsockname()[1]}")
    net.connect(server.getsockname())
    assert not nobody_came(server)


@pytest.mark.parametrize(
    "ip",
    [
        *(
            "0.0.0.0",
            "0.0.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
        ),
        *("169.254.169.254", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "198.18.0.1"),
        *(
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ),
        *("fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1", "2001:db8::1"),
    ],
)
def test_s125_addresses_that_are_not_everybodys(make2: Make, ip: str) -> None:
    """Rules for all addresses do not mean them; nor is the kernel asked, which would take some for loopback."""
    kernel = _core.FakeOs()
    net = Net(make2, *EVERYWHERE, "listen tcp://0.0.0.0/0:*", "listen tcp://[::]/0:*", kernel=kernel)
    assert tries(net, "start-connect", ip, 80) in ("access-denied", "invalid-argument")
    if ip not in ("0.0.0.0", "::"):
        assert tries(net, "start-bind", ip, 80) in ("access-denied", "invalid-argument")
    assert kernel.count("connect") == kernel.count("bind") == 0


def test_s125_any_port_of_any_address(make2: Make) -> None:
    net = Net(make2, "listen tcp://127.0.0.1:8080")
    assert (
        tries(net, "start-bind", "0.0.0.0", 8080)
        == tries(net, "start-bind", "127.0.0.1", 0)
        == "access-denied"
    )
    assert tries(net, "start-bind", "0.0.0.0", 0) == "access-denied"  # it may not talk to anybody
    assert tries(net, "start-connect", "127.0.0.1", 0) == "invalid-argument"


@pytest.mark.parametrize(
    "text", ["127.1", "0177.0.0.1", "0x7f.1", "2130706433", "127.0.0.1.", "::1%lo", "0x7f000001"]
)
def test_s125_other_spellings(make2: Make, text: str) -> None:
    assert refused(Net(make2, "dns://*"), text) == "invalid-argument"
    with pytest.raises(PolicyError):
        Allow(f"tcp://{text}:80")


@pytest.mark.parametrize(
    "host", ["1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/24abc", "1.2.3.4/ 8", "[::1]/129", "1.2.3.4/8"]
)
def test_s126_rules_that_are_none(host: str) -> None:
    with pytest.raises(PolicyError):
        Allow(f"tcp://{host}:80")


def test_s126_rules_mean_what_they_say(make2: Make) -> None:
    net = Net(make2, "bind tcp://127.0.0.9:*", "bind tcp://32.1.13.184:*")
    assert (
        tries(net, "start-bind", "127.0.0.9", 0) == ""
        and tries(net, "start-bind", "127.0.0.8", 0) == "access-denied"
    )
    assert tries(net, "start-bind", "2001:db8::", 80) == "access-denied"  # the same bits, of another family


def test_s127_each_right_is_its_own(make2: Make, server: socket.socket) -> None:
    host, port = server.getsockname()
    net = Net(make2, f"bind tcp://{HOME}:*", f"bind udp://{HOME}:*")
    assert tries(net, "start-connect", host, port) == "access-denied"
    sock = net.bound((HOME, 0))
    assert net.tcp_fails("start-listen", sock) == "access-denied"
    assert net.udp_fails("stream", net.datagrams((HOME, 0)), 1, *flat((host, port))) == "access-denied"
    net = Net(make2, f"tcp://{HOME}:*")
    assert tries(net, "start-bind", host, 0) == "access-denied" and nobody_came(server)


def test_s127_datagrams_to_and_from_the_denied(make2: Make) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as friend,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        friend.bind((HOME, 0))
        other.bind((HOME, 0))
        other.setblocking(False)
        friend.settimeout(20)
        to, evil = friend.getsockname(), other.getsockname()
        net = Net(make2, f"udp://{HOME}:{to[1]}", f"bind udp://{HOME}:*")
        sock = net.datagrams((HOME, 0))
        into, out = net.stream(sock)
        where = net.udp("local-address", sock)
        net.check_send(out)
        send = "udp#[method]outgoing-datagram-stream.send"
        assert net.fails(send, out, *net.outgoing((b"x", evil))) == "access-denied"
        net.check_send(out)
        assert net.send(out, (b"a", to), (b"b", evil), (b"c", to)) == 1
        other.sendto(b"evil", where)
        friend.sendto(b"good", where)
        net.wait("udp#incoming-datagram-stream", into)
        seen: list[Any] = []
        while not seen:
            seen = net.receive(into)
        assert seen == [(b"good", to)] and friend.recv(9) == b"a"
        assert net.udp_fails("stream", sock, 1, *flat(evil)) == "access-denied"
        with pytest.raises(BlockingIOError):
            other.recv(9)


@pytest.mark.parametrize(("verb", "sends", "receives"), [("send", True, False), ("receive", False, True)])
def test_s127_one_way(make2: Make, verb: str, sends: bool, receives: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((HOME, 0))
        to = peer.getsockname()
        net = Net(make2, f"{verb} udp://{HOME}:{to[1]}", f"bind udp://{HOME}:*")
        sock = net.datagrams((HOME, 0))
        into, out = net.stream(sock, to)
        net.check_send(out)
        code = net.fails("udp#[method]outgoing-datagram-stream.send", out, *net.outgoing((b"x", None)))
        assert code == ("" if sends else "access-denied")
        peer.sendto(b"x", net.udp("local-address", sock))
        net.wait("udp#incoming-datagram-stream", into)
        assert net.receive(into) == ([(b"x", to)] if receives else [])


def test_s128_a_peer_that_nobody_asked_in(make2: Make) -> None:
    """It is closed, and the guest hears nothing of it; who is asked in comes in behind it."""
    net = Net(make2, f"listen tcp://{HOME}:0?peers=127.0.0.3")
    sock, where = net.listener((HOME, 0))
    pollable = net.g("tcp#[method]tcp-socket.subscribe", sock)
    with socket.create_connection(where, timeout=20, source_address=("127.0.0.2", 0)) as evil:
        net.block(pollable)
        assert net.tcp_fails("accept", sock) == "would-block"
        assert evil.recv(1) == b""
        with socket.create_connection(where, timeout=20, source_address=("127.0.0.3", 0)) as good:
            child, *_ = net.accept(sock)
            assert net.tcp("remote-address", child) == good.getsockname()


@pytest.mark.parametrize("said", ["listen", "net"])
def test_s128_a_peer_that_nobody_asked_in_of_preview_1(guest: Callable[..., Guest], said: str) -> None:
    """The rules of both versions are one: at a listener that was granted, too."""
    listen, net = (f"tcp://{HOME}:0", [f"listen tcp://{HOME}:*?peers=127.0.0.3"])
    if said == "listen":
        listen, net = f"{listen}?peers=127.0.0.3", []
    g = guest(Policy(listen=[Listen(listen)], net=net))
    where = g.instance.listening[0]
    assert g.fd_fdstat_set_flags(3, 4) == 0
    with socket.create_connection(where, timeout=20, source_address=("127.0.0.2", 0)) as evil:
        assert g.sock_accept(3, 0, 32) == E.AGAIN
        assert evil.recv(1) == b""
        with socket.create_connection(where, timeout=20, source_address=("127.0.0.3", 0)) as good:
            assert g.sock_accept(3, 0, 32) == 0
            good.sendall(b"in")
            assert (
                g.fd_read(g.unpack("I", 32), *g.iovs(64, (100, 8)), 48) == 0
                and g.memory.read(100, 2) == b"in"
            )


def test_s128_a_flood_of_who_may_not_come(make2: Make, guest: Callable[..., Guest]) -> None:
    """One call closes so many and no more: whoever sends them does not decide how long it takes."""
    net = Net(make2, f"listen tcp://{HOME}:0?peers=127.0.0.3")
    sock, where = net.listener((HOME, 0))
    g = guest(Policy(listen=[Listen(f"tcp://{HOME}:0?peers=127.0.0.3")]))
    assert g.fd_fdstat_set_flags(3, 4) == 0
    with contextlib.ExitStack() as kept:

        def come(source: str, where: tuple[str, int]) -> None:
            kept.enter_context(socket.create_connection(where, timeout=20, source_address=(source, 0)))

        for place in (where, g.instance.listening[0]):
            for _ in range(90):
                come("127.0.0.2", place)
            come("127.0.0.3", place)
        assert net.tcp_fails("accept", sock) == "would-block" and len(net.accept(sock)) == 3
        assert g.sock_accept(3, 0, 32) == E.AGAIN and g.sock_accept(3, 0, 32) == 0


def test_s127_a_flood_of_datagrams_of_the_denied(make2: Make) -> None:
    net = Net(make2, f"listen udp://{HOME}:0?peers=127.0.0.3")
    sock = net.datagrams((HOME, 0))
    incoming, _ = net.stream(sock)
    where = net.udp("local-address", sock)
    with socket.socket(type=socket.SOCK_DGRAM) as evil, socket.socket(type=socket.SOCK_DGRAM) as good:
        evil.bind(("127.0.0.2", 0))
        good.bind(("127.0.0.3", 0))
        for _ in range(90):
            evil.sendto(b"no", where)
        good.sendto(b"yes", where)
        assert net.receive(incoming) == [] and net.receive(incoming) == [(b"yes", good.getsockname())]


def test_s128_a_granted_listener_is_no_socket_of_0_2(make2: Make) -> None:
    """A module of both versions puts it into the slot of a socket that it made: no option of it is changed, nobody
    comes by that way."""
    renumber = '(import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))'
    call_it = """(func (export "renumber") (param i32 i32) (result i32)
      (call $renumber (local.get 0) (local.get 1)))"""
    rules = [f"listen tcp://{HOME}:*?peers=127.0.0.3", f"tcp://{HOME}:*"]
    net = Net(make2, *rules, listen=[Listen(f"tcp://{HOME}:0")], imports=renumber, more=call_it)
    sock, where = net.socket(V4), net.g.instance.listening[0]
    assert net.g.instance.call("renumber", 3, 4) == 0
    for call, args in (
        ("set-hop-limit", (9,)),
        ("hop-limit", ()),
        ("local-address", ()),
        ("start-listen", ()),
        ("set-listen-backlog-size", (1,)),
        ("start-connect", (net.network, *flat(where))),
        ("start-bind", (net.network, *flat((HOME, 0)))),
        ("accept", ()),
    ):
        with socket.create_connection(where, timeout=20):
            assert net.tcp_fails(call, sock, *args) == "unknown", call


def test_s128_descriptors_are_not_inherited(make2: Make) -> None:
    import fcntl
    import os

    before = set(os.listdir("/proc/self/fd"))
    net = Net(make2, f"listen tcp://{HOME}:0", f"tcp://{HOME}:*", f"bind udp://{HOME}:0")
    sock, where = net.listener((HOME, 0))
    net.connect(where)
    net.accept(sock)
    net.datagrams((HOME, 0))
    found = 0
    for name in set(os.listdir("/proc/self/fd")) - before:
        try:
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
        except FileNotFoundError:  # of the listing itself
            continue
        found += 1
        assert fcntl.fcntl(int(name), fcntl.F_GETFD) & fcntl.FD_CLOEXEC
        assert fcntl.fcntl(int(name), fcntl.F_GETFL) & os.O_NONBLOCK
    assert found == 4


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("EXAMPLE.invalid", ""),
        ("example.invalid.", ""),
        ("example.invalid..", "invalid-argument"),
        ("example.invalid@evil", "invalid-argument"),
        ("evil#example.invalid", "invalid-argument"),
        ("evil/example.invalid", "invalid-argument"),
        ("ex\N{CYRILLIC SMALL LETTER A}mple.invalid", "invalid-argument"),
        ("example.invalid:80", "invalid-argument"),
        ("[example.invalid]", "invalid-argument"),
        ("example.invalid.evil", "access-denied"),
        ("a.example.invalid", "access-denied"),
        ("aexample.invalid", "access-denied"),
        ("example.invali", "access-denied"),
    ],
)
def test_s130_names_that_look_alike(make2: Make, name: str, code: str) -> None:
    kernel = _core.FakeOs()
    net = Net(make2, "tcp://example.invalid:8080", kernel=kernel)
    kernel.inject("lookup_start", 1, 0, err=48)  # nobody is really asked
    assert refused(net, name) == (code or "out-of-memory")


def test_s136_options_of_one_socket_are_of_no_other(make2: Make) -> None:
    net = Net(make2)
    one, other = net.socket(), net.socket()
    before = {name: net.tcp(name, other) for name in ("hop-limit", "keep-alive-count", "receive-buffer-size")}
    for name, value in (("hop-limit", 7), ("keep-alive-count", 3), ("receive-buffer-size", 4096)):
        net.tcp(f"set-{name}", one, value)
    assert {name: net.tcp(name, other) for name in before} == before
    for name in (
        "set-hop-limit",
        "set-listen-backlog-size",
        "set-receive-buffer-size",
        "set-keep-alive-count",
    ):
        assert net.tcp_fails(name, one, 0) == "invalid-argument"
    for name in ("set-listen-backlog-size", "set-send-buffer-size", "set-keep-alive-idle-time"):
        net.tcp(name, one, 2**64 - 1)


def test_s136_sockets_and_datagrams_are_counted(make2: Make) -> None:
    """Descriptors stay below their limit, and nothing is made for a list that says how long it is."""
    net = Net(make2, limits=Limits(fds=64))
    made = []
    while not net.fails("tcp-create-socket#create-tcp-socket", V4):
        made.append(net.g.unpack("I", 0x104))
    assert len(made) == 61  # but for the standard streams
    net = Net(make2, f"udp://{HOME}:*", f"bind udp://{HOME}:*")
    _, out = net.stream(net.datagrams((HOME, 0)))
    assert net.check_send(out) == 16
    trap = net.g.traps("udp#[method]outgoing-datagram-stream.send", out, 0, 2**32 - 1, 0x100)
    assert "more datagrams than" in trap

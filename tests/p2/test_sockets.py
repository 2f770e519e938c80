"""core/p2/sockets.c: the network, network-error-code, and addresses in and out of guest memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.component.build import encode
from tests.p2.driver import Guest2
from tests.p2.sockets import CODES, FAMILIES, OUT, V4, V6, Failed, Net, flat, in_memory
from tests.support import E
from wasi_native import Host, Policy, WasiError, _core

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


def tour(net: Net) -> None:
    """Every kind of resource once: made, used, dropped."""
    server, where = net.listener(("127.0.0.1", 0))
    sock = net.socket()
    net.start_connect(sock, where)
    net.wait("tcp#tcp-socket", sock)
    into, out = net.tcp("finish-connect", sock)
    child, *_ = net.accept(server)
    net.tcp("set-hop-limit", child, 9)
    assert net.write(out, b"x") == "" and net.tcp("local-address", child) == where
    net.tcp("shutdown", sock, 2)
    assert net.read(into) == "closed"
    one, other = net.datagrams(("127.0.0.1", 0)), net.datagrams(("0.0.0.0", 0))
    net.stream(one, where)
    receives, sends = net.stream(one)
    net.check_send(sends)
    net.send(sends, (b"x", ("127.0.0.1", net.udp("local-address", other)[1])))
    net.receive(receives)
    names = net("ip-name-lookup#resolve-addresses", net.network, *net.g.put(0x200, b"localhost"))
    net.wait("ip-name-lookup#resolve-address-stream", names)
    net("ip-name-lookup#[method]resolve-address-stream.resolve-next-address", names)
    for kind, handle in (("tcp#tcp-socket", sock), ("tcp#tcp-socket", server), ("udp#udp-socket", one)):
        interface, _, resource = kind.partition("#")
        net.g(f"{interface}#[resource-drop]{resource}", handle)


@pytest.mark.parametrize("error", ["NOMEM", "INTR"])
def test_the_nth_call_of_the_kernel_fails(make2: Make, error: str, long: bool) -> None:
    """Wherever it is, the guest hears a code or ends, and no descriptor, thread or byte is left: see no_leaks."""
    rules = ("tcp://127.0.0.1:*", "listen tcp://127.0.0.1:0", "udp://127.0.0.1:*", "bind udp://127.0.0.1:0")
    whole, nth, failed, step = 0, 0, 0, 1 if long else 11
    while whole < 1:
        nth += step
        kernel = _core.FakeOs()
        net = Net(make2, *rules, "dns://localhost", kernel=kernel)
        kernel.clear()
        kernel.inject("*", nth, 1, err=E.__dict__[error])
        try:
            tour(net)
        except (Failed, WasiError, MemoryError, AssertionError):
            failed += 1
        whole += kernel.count() < nth
        kernel.clear()
        net.g.close()
        assert nth < 400
    assert nth > 60 and failed > (20 if long and error == "NOMEM" else 0)


COMPONENT = """
(component
  (import "wasi:sockets/network@0.2.3" (instance $network
    (export "network" (type $network (sub resource)))
    (type $e (enum {codes})) (export "error-code" (type $error-code (eq $e)))
    (type $f (enum "ipv4" "ipv6")) (export "ip-address-family" (type $family (eq $f)))
    (type $a4 (tuple u8 u8 u8 u8)) (export "ipv4-address" (type $ipv4 (eq $a4)))
    (type $a6 (tuple u16 u16 u16 u16 u16 u16 u16 u16)) (export "ipv6-address" (type $ipv6 (eq $a6)))
    (type $s4 (record (field "port" u16) (field "address" $ipv4)))
    (export "ipv4-socket-address" (type $sock4 (eq $s4)))
    (type $s6 (record (field "port" u16) (field "flow-info" u32) (field "address" $ipv6) (field "scope-id" u32)))
    (export "ipv6-socket-address" (type $sock6 (eq $s6)))
    (type $sa (variant (case "ipv4" $sock4) (case "ipv6" $sock6)))
    (export "ip-socket-address" (type (eq $sa)))))
  (alias export $network "network" (type $net))
  (alias export $network "error-code" (type $code))
  (alias export $network "ip-address-family" (type $fam))
  (alias export $network "ip-socket-address" (type $addr))
  (import "wasi:sockets/instance-network@0.2.3" (instance $instance-network
    (alias outer 1 $net (type $n)) (export "network" (type $nn (eq $n)))
    (export "instance-network" (func (result (own $nn))))))
  (import "wasi:sockets/tcp@0.2.3" (instance $tcp
    (alias outer 1 $net (type $n)) (export "network" (type $nn (eq $n)))
    (alias outer 1 $code (type $c)) (export "error-code" (type $cc (eq $c)))
    (alias outer 1 $addr (type $a)) (export "ip-socket-address" (type $aa (eq $a)))
    (export "tcp-socket" (type $socket (sub resource)))
    (export "[method]tcp-socket.start-bind" (func (param "self" (borrow $socket)) (param "network" (borrow $nn))
      (param "local-address" $aa) (result (result (error $cc)))))
    (export "[method]tcp-socket.finish-bind" (func (param "self" (borrow $socket)) (result (result (error $cc)))))
    (export "[method]tcp-socket.local-address" (func (param "self" (borrow $socket))
      (result (result $aa (error $cc)))))))
  (alias export $tcp "tcp-socket" (type $tcp-socket))
  (import "wasi:sockets/tcp-create-socket@0.2.3" (instance $create
    (alias outer 1 $fam (type $f)) (export "ip-address-family" (type $ff (eq $f)))
    (alias outer 1 $code (type $c)) (export "error-code" (type $cc (eq $c)))
    (alias outer 1 $tcp-socket (type $s)) (export "tcp-socket" (type $ss (eq $s)))
    (export "create-tcp-socket" (func (param "address-family" $ff) (result (result (own $ss) (error $cc)))))))
  (core module $libc (memory (export "memory") 1))
  (core instance $m (instantiate $libc))
  (alias core export $m "memory" (core memory $memory))
  (alias export $instance-network "instance-network" (func $get-it))
  (alias export $create "create-tcp-socket" (func $make-it))
  (alias export $tcp "[method]tcp-socket.start-bind" (func $start-it))
  (alias export $tcp "[method]tcp-socket.finish-bind" (func $finish-it))
  (alias export $tcp "[method]tcp-socket.local-address" (func $local-it))
  (core func $get (canon lower (func $get-it)))
  (core func $make (canon lower (func $make-it) (memory $memory)))
  (core func $start (canon lower (func $start-it) (memory $memory)))
  (core func $finish (canon lower (func $finish-it) (memory $memory)))
  (core func $local (canon lower (func $local-it) (memory $memory)))
  (core func $drop (canon resource.drop $tcp-socket))
  (core module $main
    (import "h" "memory" (memory 1))
    (import "h" "get" (func $get (result i32)))
    (import "h" "make" (func $make (param i32 i32)))
    (import "h" "start" (func $start {fifteen}))
    (import "h" "finish" (func $finish (param i32 i32)))
    (import "h" "local" (func $local (param i32 i32)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "bind") (param $last i32) (result i32) (local $sock i32)
      (call $make (i32.const 0) (i32.const 16))
      (local.set $sock (i32.load (i32.const 20)))
      (call $start (local.get $sock) (call $get) (i32.const 0) (i32.const 0) (i32.const 127) (i32.const 0)
        (i32.const 0) (local.get $last) {zeros} (i32.const 32))
      (if (i32.load8_u (i32.const 32)) (then
        (call $drop (local.get $sock))
        (return (i32.sub (i32.const 0) (i32.load8_u (i32.const 33))))))
      (call $finish (local.get $sock) (i32.const 32))
      (call $local (local.get $sock) (i32.const 64))
      (call $drop (local.get $sock))
      (i32.load16_u (i32.const 72))))
  (core instance $i (instantiate $main (with "h" (instance
    (export "memory" (memory $memory)) (export "get" (func $get)) (export "make" (func $make))
    (export "start" (func $start)) (export "finish" (func $finish)) (export "local" (func $local))
    (export "drop" (func $drop))))))
  (alias core export $i "bind" (core func $bind))
  (func (export "bind") (param "last" u8) (result s32) (canon lift (core func $bind))))
"""


def test_a_component_has_the_same_sockets() -> None:
    """Its resource types go from interface to interface; the rules are those of every guest."""
    codes = " ".join(f'"{code}"' for code in CODES)
    fifteen, zeros = f"(param {'i32 ' * 15})", "(i32.const 0) " * 6
    text = COMPONENT.format(codes=codes, fifteen=fifteen, zeros=zeros)
    with Host(Policy(net=["bind tcp://127.0.0.1:*"])) as host, host.load(encode(text)) as module:
        with module.instantiate() as instance:
            assert instance.exports["bind"](1) > 1023
            assert instance.exports["bind"](2) == -CODES.index("access-denied")

"""core/p2/sockets_tcp.c, core/sys/tcp.c, inet.c: tcp sockets of a guest, against real ones on loopback."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.libraries import library
from tests.guests import aot, build
from tests.p2.driver import Guest2
from tests.p2.sockets import FAMILIES, LOOPBACK, TCP_OPTIONS, V4, Net, flat
from tests.support import E
from wasi_native import Cancelled, Capture, Host, Limits, Policy, Timeout, _core

Make = Callable[..., Guest2]
SECOND = 10**9
ALL = tuple(f"{verb} tcp://{ip}:*" for verb in ("connect", "listen") for ip in ("127.0.0.1", "[::1]"))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(20)
        yield made


def test_connect_write_read_shutdown(make2: Make, server: socket.socket) -> None:
    net = Net(make2, *ALL)
    sock, into, out = net.connect(server.getsockname())
    peer, where = server.accept()
    with peer:
        assert (
            net.tcp("local-address", sock) == where
            and net.tcp("remote-address", sock) == server.getsockname()
        )
        assert net.write(out, b"hello") == "" and peer.recv(10) == b"hello"
        peer.sendall(b"back")
        assert net.read(into) == b"back" and net.read(into, how="read") == b""
        net.tcp("shutdown", sock, 1)
        net.tcp("shutdown", sock, 1)  # as often as one likes
        assert peer.recv(10) == b"" and net.write(out, b"x") == "closed"
        peer.sendall(b"lost")
        net.wait("streams#input-stream", into)
        net.tcp("shutdown", sock, 0)
        assert net.read(into) == "closed"  # though the kernel has four bytes
        net.tcp("shutdown", sock, 2)
    net.g("streams#[resource-drop]input-stream", into)
    net.g("streams#[resource-drop]output-stream", out)
    net.g("tcp#[resource-drop]tcp-socket", sock)


def test_the_end_of_the_peer_is_the_end_of_the_stream(make2: Make, server: socket.socket) -> None:
    net = Net(make2, *ALL)
    sock, into, out = net.connect(server.getsockname())
    server.accept()[0].close()
    assert net.read(into) == "closed" and net.read(into) == "closed"
    net.g("tcp#[resource-drop]tcp-socket", sock)  # the streams live on
    assert net.write(out, b"x") in ("", "closed")


def test_a_reset_is_told(make2: Make, server: socket.socket) -> None:
    net = Net(make2, *ALL)
    _, into, _ = net.connect(server.getsockname())
    peer, _ = server.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert net.read(into) == "connection-reset"


@pytest.mark.parametrize("family", FAMILIES)
def test_listen_accept(make2: Make, family: int) -> None:
    net = Net(make2, *ALL)
    sock, where = net.listener((LOOPBACK[family], 0))
    assert net.g("tcp#[method]tcp-socket.is-listening", sock) == 1
    assert net.tcp_fails("accept", sock) == "would-block"
    with socket.create_connection(where, timeout=20) as peer:
        child, into, out = net.accept(sock)
        assert net.tcp("remote-address", child) == peer.getsockname()[:2]
        assert net.tcp("local-address", child) == where
        assert net.g("tcp#[method]tcp-socket.is-listening", child) == 0
        assert net.g("tcp#[method]tcp-socket.address-family", child) == family
        peer.sendall(b"in")
        assert net.read(into) == b"in" and net.write(out, b"out") == "" and peer.recv(9) == b"out"
    assert net.tcp_fails("accept", sock) == "would-block"


@pytest.mark.parametrize("family", FAMILIES)
def test_states(make2: Make, family: int) -> None:
    """Every method in every state, as TcpSocketOperationalSemantics has it."""
    net = Net(make2, *ALL)
    any_port = (LOOPBACK[family], 0)
    finish = ("finish-bind", "finish-connect", "finish-listen")

    def check(sock: int, starts: str, local: bool, remote: bool, **changed: str) -> None:
        for name in ("start-bind", "start-connect"):
            got = net.tcp_fails(name, sock, net.network, *flat((LOOPBACK[family], 1)))
            assert got == changed.get(name.replace("-", "_"), starts), name
        assert net.tcp_fails("start-listen", sock) == changed.get("start_listen", starts)
        for name in finish:
            assert net.tcp_fails(name, sock) == "not-in-progress", name
        assert net.tcp_fails("accept", sock) == changed.get("accept", "invalid-state")
        assert net.tcp_fails("local-address", sock) == ("" if local else "invalid-state")
        assert net.tcp_fails("remote-address", sock) == ("" if remote else "invalid-state")
        assert net.g("tcp#[method]tcp-socket.address-family", sock) == family
        assert net.g("tcp#[method]tcp-socket.is-listening", sock) == (changed.get("accept") == "would-block")

    sock = net.socket(family)  # unbound
    assert [net.tcp_fails(name, sock) for name in finish] == ["not-in-progress"] * 3
    assert net.tcp_fails("start-listen", sock) == net.tcp_fails("accept", sock) == "invalid-state"
    assert net.tcp_fails("local-address", sock) == net.tcp_fails("remote-address", sock) == "invalid-state"
    assert net.tcp_fails("shutdown", sock, 2) == "invalid-state"
    net.start_bind(sock, any_port)  # bind in progress
    assert net.tcp_fails("start-bind", sock, net.network, *flat(any_port)) == "concurrency-conflict"
    assert net.tcp_fails("start-connect", sock, net.network, *flat(any_port)) == "concurrency-conflict"
    assert net.tcp_fails("start-listen", sock) == "concurrency-conflict"
    assert net.tcp_fails("local-address", sock) == "invalid-state"
    assert net.tcp_fails("finish-connect", sock) == "not-in-progress"
    net.tcp("finish-bind", sock)  # bound
    assert net.tcp_fails("start-bind", sock, net.network, *flat(any_port)) == "invalid-state"
    assert [net.tcp_fails(name, sock) for name in finish] == ["not-in-progress"] * 3
    assert net.tcp_fails("accept", sock) == net.tcp_fails("remote-address", sock) == "invalid-state"
    assert net.tcp_fails("shutdown", sock, 2) == "invalid-state" and net.tcp("local-address", sock)
    net.tcp("start-listen", sock)  # listen in progress
    assert net.tcp_fails("start-listen", sock) == "concurrency-conflict"
    assert net.tcp_fails("finish-bind", sock) == "not-in-progress"
    assert net.tcp_fails("accept", sock) == "invalid-state"
    net.tcp("finish-listen", sock)
    check(sock, "invalid-state", local=True, remote=False, accept="would-block")
    assert net.tcp_fails("shutdown", sock, 2) == "invalid-state"
    where = net.tcp("local-address", sock)

    client = net.socket(family)
    net.start_connect(client, where)  # connect in progress
    assert net.tcp_fails("start-connect", client, net.network, *flat(where)) == "concurrency-conflict"
    assert net.tcp_fails("start-bind", client, net.network, *flat(where)) == "concurrency-conflict"
    assert net.tcp_fails("start-listen", client) == "concurrency-conflict"
    assert net.tcp_fails("set-listen-backlog-size", client, 9) == "invalid-state"
    assert net.tcp_fails("shutdown", client, 2) == net.tcp_fails("remote-address", client) == "invalid-state"
    net.wait("tcp#tcp-socket", client)
    net.tcp("finish-connect", client)
    check(client, "invalid-state", local=True, remote=True)
    assert net.tcp_fails("set-listen-backlog-size", client, 9) == "invalid-state"

    closed = net.socket(family)
    refused = net.tcp_fails("start-connect", closed, net.network, *flat((LOOPBACK[family], 0)))
    assert refused == "invalid-argument"
    check(closed, "invalid-state", local=False, remote=False)
    assert net.tcp_fails("hop-limit", closed) == net.tcp_fails("set-hop-limit", closed, 9) == "invalid-state"


def test_refused(make2: Make) -> None:
    net = Net(make2, *ALL)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        where = gone.getsockname()
    sock = net.socket()
    net.start_connect(sock, where)
    net.wait("tcp#tcp-socket", sock)
    assert net.tcp_fails("finish-connect", sock) == "connection-refused"
    assert net.tcp_fails("finish-connect", sock) == "not-in-progress"
    pollable = net.g("tcp#[method]tcp-socket.subscribe", sock)
    assert net.ready(pollable)  # closed: nothing to wait for


def test_bind_in_use_and_again(make2: Make) -> None:
    net = Net(make2, *ALL)
    _, where = net.listener(("127.0.0.1", 0))
    other = net.socket()
    assert net.tcp_fails("start-bind", other, net.network, *flat(where)) == "address-in-use"
    assert net.tcp_fails("finish-bind", other) == "not-in-progress"
    net.start_bind(other, ("127.0.0.1", 0))  # a failed bind may be tried again
    net.tcp("finish-bind", other)


def test_address_not_bindable(make2: Make) -> None:
    net = Net(make2, "bind tcp://192.0.2.1:*")
    assert (
        net.tcp_fails("start-bind", net.socket(), net.network, *flat(("192.0.2.1", 0)))
        == "address-not-bindable"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_options(make2: Make, family: int) -> None:
    net = Net(make2, *ALL)
    sock = net.socket(family)
    values = {
        "keep-alive-enabled": 1,
        "keep-alive-idle-time": 42 * SECOND,
        "keep-alive-interval": 43 * SECOND,
    }
    values |= {
        "keep-alive-count": 42,
        "hop-limit": 42,
        "receive-buffer-size": 0x10000,
        "send-buffer-size": 0x10000,
    }
    for name in TCP_OPTIONS:
        assert name == "keep-alive-enabled" or net.tcp(name, sock) > 0
        if name != "keep-alive-enabled":
            assert net.tcp_fails(f"set-{name}", sock, 0) == "invalid-argument", name
            most = 255 if name == "hop-limit" else 2**32 - 1 if name == "keep-alive-count" else 2**64 - 1
            for value in (1, most):
                net.tcp(f"set-{name}", sock, value)
                assert net.tcp(name, sock) > 0
        net.tcp(f"set-{name}", sock, values[name])
        assert net.tcp(name, sock) == values[name], name
    net.tcp("set-keep-alive-idle-time", sock, 1)
    assert net.tcp("keep-alive-idle-time", sock) == SECOND  # never 0, which would mean another thing
    net.tcp("set-keep-alive-interval", sock, 1)
    assert net.tcp("keep-alive-interval", sock) == SECOND
    net.tcp("set-keep-alive-enabled", sock, 0)
    assert net.tcp("keep-alive-enabled", sock) == 0
    net.tcp("set-keep-alive-count", sock, 2**32 - 1)
    assert net.tcp("keep-alive-count", sock) == 127
    assert net.tcp_fails("set-hop-limit", sock, 256) == "invalid-argument"  # cut to u8
    assert net.tcp_fails("set-listen-backlog-size", sock, 0) == "invalid-argument"
    for value in (1, 2**64 - 1):
        net.tcp("set-listen-backlog-size", sock, value)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_accepted_inherits(make2: Make, family: int) -> None:
    net = Net(make2, *ALL)
    sock, where = net.listener((LOOPBACK[family], 0))
    values = {
        "keep-alive-enabled": 1,
        "keep-alive-idle-time": 42 * SECOND,
        "keep-alive-interval": 43 * SECOND,
    }
    values |= {
        "keep-alive-count": 42,
        "hop-limit": 42,
        "receive-buffer-size": 0x10000,
        "send-buffer-size": 0x10000,
    }
    for name, value in values.items():
        net.tcp(f"set-{name}", sock, value)
    net.tcp("set-listen-backlog-size", sock, 5)
    with socket.create_connection(where, timeout=20):
        child, *_ = net.accept(sock)
        assert {name: net.tcp(name, child) for name in values} == values
        net.tcp("set-hop-limit", sock, 9)
        assert net.tcp("hop-limit", child) == 42


def test_pollables(make2: Make, server: socket.socket) -> None:
    net = Net(make2, *ALL)
    sock, where = net.listener(("127.0.0.1", 0))
    subscribe = "tcp#[method]tcp-socket.subscribe"
    fresh = net.g(subscribe, net.socket())
    waiting = net.g(subscribe, sock)
    assert net.ready(fresh) and not net.ready(waiting)
    with socket.create_connection(where, timeout=20):
        net.block(waiting)
        net.accept(sock)
        waiting = net.g(subscribe, sock)
        assert not net.ready(waiting)
    connected, into, out = net.connect(server.getsockname())
    peer, _ = server.accept()
    with peer:
        assert net.ready(net.g(subscribe, connected))
        reading = net.g("streams#[method]input-stream.subscribe", into)
        assert net.ready(net.g("streams#[method]output-stream.subscribe", out)) and not net.ready(reading)
        peer.sendall(b"x")
        net.block(reading)


def test_limits(make2: Make) -> None:
    net = Net(make2, *ALL, limits=Limits(sockets=2))
    socks = [net.socket(), net.socket()]
    assert net.fails("tcp-create-socket#create-tcp-socket", V4) == "new-socket-limit"
    assert net.fails("udp-create-socket#create-udp-socket", V4) == "new-socket-limit"
    net.g("tcp#[resource-drop]tcp-socket", socks[0])
    net.socket()


def test_no_room_for_the_streams_loses_no_connection(make2: Make, server: socket.socket) -> None:
    net = Net(make2, *ALL, limits=Limits(fds=6))
    used = [net.socket() for _ in range(2)]
    sock = net.socket()
    net.start_connect(sock, server.getsockname())
    peer, _ = server.accept()
    with peer:
        net.wait("tcp#tcp-socket", sock)
        assert net.tcp_fails("finish-connect", sock) == "new-socket-limit"
        for one in used:
            net.g("tcp#[resource-drop]tcp-socket", one)
        _into, out = net.tcp("finish-connect", sock)
        assert net.write(out, b"x") == "" and peer.recv(1) == b"x"


def test_each_call_of_the_kernel_fails_once(make2: Make) -> None:
    """Whatever fails, no descriptor is lost, and the next try is as if nothing had been."""
    kernel = _core.FakeOs()
    net = Net(make2, *ALL, kernel=kernel)
    kernel.inject("socket", 1, 1, err=E.NFILE)
    assert net.fails("tcp-create-socket#create-tcp-socket", V4) == "new-socket-limit"
    sock = net.bound(("127.0.0.1", 0))
    kernel.inject("listen", 1, 1, err=E.ADDRINUSE)
    assert net.tcp_fails("start-listen", sock) == "address-in-use"
    assert net.tcp_fails("start-listen", sock) == "invalid-state"  # closed
    sock, where = net.listener(("127.0.0.1", 0))
    with socket.create_connection(where, timeout=20):
        net.wait("tcp#tcp-socket", sock)
        for err, code in (
            (E.CONNABORTED, "connection-aborted"),
            (E.MFILE, "new-socket-limit"),
            (E.INTR, "would-block"),
        ):
            kernel.inject("accept_from", 1, 1, err=err)
            assert net.tcp_fails("accept", sock) == code
        net.tcp("accept", sock)
    for call in ("poll", "option_get"):
        client = net.socket()
        net.start_connect(client, where)
        net.wait("tcp#tcp-socket", client)
        kernel.inject(call, 1, 1, err=E.NOMEM)
        assert net.tcp_fails("finish-connect", client) == "out-of-memory"
    client = net.socket()
    kernel.inject("connect", 1, 1, err=E.ADDRNOTAVAIL)
    assert (
        net.tcp_fails("start-connect", client, net.network, *flat(where)) == "address-in-use"
    )  # no port is left
    kernel.inject("address", 1, 1, err=E.NOBUFS)
    assert net.tcp_fails("local-address", sock) == "out-of-memory"


@pytest.mark.parametrize("end", ["cancel", "timeout"])
@pytest.mark.parametrize("what", ["accept", "connect", "read", "write"])
def test_whoever_waits_can_be_ended(make2: Make, server: socket.socket, end: str, what: str) -> None:
    """In accept, a connect to a full queue, a read of nothing and a write to one who does not read."""
    net = Net(make2, *ALL)
    full: list[socket.socket] = []
    if what == "accept":
        sock, _ = net.listener(("127.0.0.1", 0))
        blocks = lambda timeout: net.block(net.g("tcp#[method]tcp-socket.subscribe", sock), timeout)  # noqa: E731
    elif what == "connect":
        server.listen(0)
        for _ in range(4):  # a queue of one, and what Linux lets in beyond it
            full.append(socket.socket())
            full[-1].setblocking(False)
            full[-1].connect_ex(server.getsockname())
        sock = net.socket()
        net.start_connect(sock, server.getsockname())
        assert net.tcp_fails("finish-connect", sock) == "would-block"
        blocks = lambda timeout: net.block(net.g("tcp#[method]tcp-socket.subscribe", sock), timeout)  # noqa: E731
    else:
        sock, into, out = net.connect(server.getsockname())
        full.append(server.accept()[0])
        at = net.g.put(0x1000, bytes(4096))

        def blocks(timeout: float | None) -> None:
            if what == "read":
                net.g("streams#[method]input-stream.blocking-read", into, 10, 0x100, timeout=timeout)
            while what == "write":
                name = "streams#[method]output-stream.blocking-write-and-flush"
                net.g(name, out, *at, 0x100, timeout=timeout)

    if end == "timeout":
        with pytest.raises(Timeout):
            blocks(0.2)
    else:
        timer = threading.Thread(target=lambda: (time.sleep(0.2), net.g.instance.cancel()))
        timer.start()
        with pytest.raises(Cancelled):
            blocks(None)
        timer.join()
    for one in full:
        one.close()


def served(text: bytes) -> tuple[socket.socket, threading.Thread]:
    """Who answers the first line of one connection, and goes."""
    made = socket.create_server(("127.0.0.1", 0))
    made.settimeout(20)

    def serve() -> None:
        peer, _ = made.accept()
        with peer:
            peer.sendall(text + peer.makefile("rb").readline())

    thread = threading.Thread(target=serve)
    thread.start()
    return made, thread


def test_a_program_in_c(engine2: str) -> None:
    """fetch.c: a name, a connection, a line and its answer, by what zig's compiler makes of it."""
    server, thread = served(b"you said ")
    with server:
        port = server.getsockname()[1]
        policy = Policy(
            args=["localhost", str(port)], net=[f"tcp://localhost:{port}?local=1"], stdout=Capture()
        )
        name, path = (
            engine2.partition("-")[0],
            library(engine2) if engine2.startswith(("wasm3", "wasm_c")) else None,
        )
        with Host(policy, engine=name, engine_path=path) as host:
            data = build.guest("fetch").read_bytes()
            module = aot.load(host, data) if engine2 == "wasm2c" else host.load(data)
            with module, module.instantiate() as instance:
                assert instance.run(timeout=20) == 0
                assert instance.stdout == b"you said hello\n"
        thread.join()
    with Host(Policy(args=["localhost", "80"], stdout=Capture())) as host, host.load(data) as module:
        with module.instantiate() as instance:
            assert (instance.run(timeout=20), instance.stdout) == (1, b"lookup: error 1\n")


def test_the_command_line_grants_it(tmp_path: Path) -> None:
    server, thread = served(b"")
    with server:
        port = server.getsockname()[1]
        program = str(build.guest("fetch"))
        command = [sys.executable, "-m", "wasi_native", "run"]
        rule = ["--net", f"tcp://localhost:{port}?local=1"]
        done = subprocess.run(
            [*command, *rule, program, "localhost", str(port)], capture_output=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"hello\n", b"")
        thread.join()
    rule = ["--net", "dns://localhost"]
    done = subprocess.run([*command, *rule, program, "localhost", str(port)], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, b"connect: error 1\n")
    done = subprocess.run([*command, "--net", "tcp://localhost:80", program], capture_output=True, timeout=60)
    assert done.returncode != 0 and b"add ?local=1" in done.stderr

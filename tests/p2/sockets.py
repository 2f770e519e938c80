"""Sockets of a guest of WASI 0.2, call by call: what the tests of wasi:sockets share."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable
from typing import Any

from tests.p2.driver import Guest2
from wasi_native import Policy

OUT, BUF = 0x100, 0x1000
INTERFACES = tuple(
    "wasi:" + name
    for name in (
        *("io/error", "io/poll", "io/streams", "sockets/network", "sockets/instance-network"),
        *("sockets/ip-name-lookup", "sockets/tcp", "sockets/tcp-create-socket"),
        *("sockets/udp", "sockets/udp-create-socket"),
    )
)
CODES = (
    *("unknown", "access-denied", "not-supported", "invalid-argument", "out-of-memory", "timeout"),
    *("concurrency-conflict", "not-in-progress", "would-block", "invalid-state", "new-socket-limit"),
    *(
        "address-not-bindable",
        "address-in-use",
        "remote-unreachable",
        "connection-refused",
        "connection-reset",
    ),
    *("connection-aborted", "datagram-too-large", "name-unresolvable", "temporary-resolver-failure"),
    "permanent-resolver-failure",
)
V4, V6 = 0, 1


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


FAMILIES = (V4, V6) if _has_ipv6() else (V4,)
LOOPBACK = {V4: "127.0.0.1", V6: "::1"}
TCP_OPTIONS = (
    *("keep-alive-enabled", "keep-alive-idle-time", "keep-alive-interval", "keep-alive-count"),
    *("hop-limit", "receive-buffer-size", "send-buffer-size"),
)
# The size of the payload where there is one, and how to read it.
_NUMBERS = {
    "keep-alive-enabled": "B",
    "keep-alive-count": "I",
    "hop-limit": "B",
    "unicast-hop-limit": "B",
    **dict.fromkeys(("keep-alive-idle-time", "keep-alive-interval"), "Q"),
    **dict.fromkeys(("receive-buffer-size", "send-buffer-size", "check-send", "send"), "Q"),
    "create-tcp-socket": "I",
    "create-udp-socket": "I",
    "resolve-addresses": "I",
    "finish-connect": "II",
    "accept": "III",
    "stream": "II",
}
Address = tuple[str, int]


class Failed(Exception):
    """A call that answered with an error; its text is the code."""


def flat(address: Address, flow: int = 0, scope: int = 0) -> tuple[int, ...]:
    """An ip-socket-address as twelve numbers."""
    ip = ipaddress.ip_address(address[0])
    if ip.version == 4:
        return (V4, address[1], *ip.packed, *[0] * 6)
    return (V6, address[1], flow, *struct.unpack(">8H", ip.packed), scope)


def in_memory(address: Address) -> bytes:
    """The same as its 32 bytes."""
    ip = ipaddress.ip_address(address[0])
    if ip.version == 4:
        return struct.pack("<B3xH4s22x", V4, address[1], ip.packed)
    return struct.pack("<B3xH2xI8HI", V6, address[1], 0, *struct.unpack(">8H", ip.packed), 0)


def address_of(raw: bytes) -> Address:
    if raw[0] == V4:
        return str(ipaddress.IPv4Address(raw[6:10])), struct.unpack_from("<H", raw, 4)[0]
    assert raw[0] == V6
    groups = struct.unpack_from("<8H", raw, 12)
    return str(ipaddress.IPv6Address(struct.pack(">8H", *groups))), struct.unpack_from("<H", raw, 4)[0]


class Net:
    """``net("tcp#[method]tcp-socket.accept", socket)`` gives what the call gave, or raises Failed."""

    def __init__(self, make2: Callable[..., Guest2], *rules: str, **policy: Any) -> None:
        wat = {key: policy.pop(key) for key in ("kernel", "realloc", "imports", "more") if key in policy}
        self.g = make2(*INTERFACES, policy=Policy(net=rules, **policy), **wat)
        self.network = self.g("instance-network#instance-network")

    def __call__(self, name: str, *args: int, timeout: float | None = None) -> Any:
        word = name.rpartition(".")[2].rpartition("#")[2]
        fmt = _NUMBERS.get(word, "")
        if word in ("local-address", "remote-address"):
            fmt = "32s"
        elif word == "receive":
            fmt = "II"
        elif word == "resolve-next-address":
            fmt = "B"
        size = struct.calcsize("<" + fmt)
        align = {"Q": 8, "I": 4, "3": 4}.get(fmt[:1], 1) if word != "resolve-next-address" else 2
        at = max(align, 1)
        with self.g.writes_only((OUT, 22 if word == "resolve-next-address" else at + max(size, 1))):
            self.g(name, *args, OUT, timeout=timeout)
        if self.g.memory.u8(OUT):
            assert self.g.memory.u8(OUT) == 1
            raise Failed(CODES[self.g.memory.u8(OUT + at)])
        if word == "resolve-next-address":
            return self._ip(OUT + at)
        if not fmt:
            return None
        value = self.g.unpack(fmt, OUT + at)
        return address_of(value) if fmt == "32s" else value

    def _ip(self, at: int) -> str | None:
        if not self.g.memory.u8(at):
            return None
        if self.g.memory.u8(at + 2) == V4:
            return str(ipaddress.IPv4Address(bytes(self.g.memory.read(at + 4, 4))))
        return str(ipaddress.IPv6Address(struct.pack(">8H", *self.g.unpack("8H", at + 4))))

    def fails(self, name: str, *args: int) -> str:
        """The code of the error that the call must end in; "" when it does not."""
        try:
            self(name, *args)
        except Failed as failed:
            return str(failed)
        return ""

    def tcp(self, name: str, *args: int, **kwargs: Any) -> Any:
        return self(f"tcp#[method]tcp-socket.{name}", *args, **kwargs)

    def udp(self, name: str, *args: int) -> Any:
        return self(f"udp#[method]udp-socket.{name}", *args)

    def tcp_fails(self, name: str, *args: int) -> str:
        return self.fails(f"tcp#[method]tcp-socket.{name}", *args)

    def udp_fails(self, name: str, *args: int) -> str:
        return self.fails(f"udp#[method]udp-socket.{name}", *args)

    # ---- tcp ----

    def socket(self, family: int = V4) -> int:
        return int(self("tcp-create-socket#create-tcp-socket", family))

    def start_bind(self, sock: int, address: Address) -> None:
        self.tcp("start-bind", sock, self.network, *flat(address))

    def start_connect(self, sock: int, address: Address) -> None:
        self.tcp("start-connect", sock, self.network, *flat(address))

    def bound(self, address: Address) -> int:
        sock = self.socket(V6 if ":" in address[0] else V4)
        self.start_bind(sock, address)
        self.tcp("finish-bind", sock)
        return sock

    def listener(self, address: Address) -> tuple[int, Address]:
        sock = self.bound(address)
        self.tcp("start-listen", sock)
        self.tcp("finish-listen", sock)
        return sock, self.tcp("local-address", sock)

    def block(self, pollable: int, timeout: float | None = 20) -> None:
        self.g("poll#[method]pollable.block", pollable, timeout=timeout)
        self.g("poll#[resource-drop]pollable", pollable)

    def ready(self, pollable: int) -> bool:
        return bool(self.g("poll#[method]pollable.ready", pollable))

    def wait(self, kind: str, handle: int) -> None:
        """Until the pollable of a resource is ready: ``wait("tcp#tcp-socket", sock)``."""
        interface, _, resource = kind.partition("#")
        self.block(self.g(f"{interface}#[method]{resource}.subscribe", handle))

    def connect(self, address: Address) -> tuple[int, int, int]:
        """socket, input-stream, output-stream"""
        sock = self.socket(V6 if ":" in address[0] else V4)
        self.start_connect(sock, address)
        self.wait("tcp#tcp-socket", sock)
        return (sock, *self.tcp("finish-connect", sock))

    def accept(self, listener: int) -> tuple[int, int, int]:
        self.wait("tcp#tcp-socket", listener)
        return tuple(self.tcp("accept", listener))  # type: ignore[return-value]

    # ---- streams ----

    def write(self, stream: int, data: bytes) -> str:
        """ "" or the word of the stream-error"""
        name = "streams#[method]output-stream.blocking-write-and-flush"
        self.g(name, stream, *self.g.put(BUF, data), OUT, timeout=20)
        return self.stream_error(4)

    def read(self, stream: int, size: int = 100, how: str = "blocking-read") -> bytes | str:
        self.g(f"streams#[method]input-stream.{how}", stream, size, OUT, timeout=20)
        return self.stream_error(4) or self.g.bytes_at(OUT + 4)

    def stream_error(self, at: int) -> str:
        if not self.g.memory.u8(OUT):
            return ""
        if self.g.memory.u8(OUT + at) == 1:
            return "closed"
        error = self.g.unpack("I", OUT + at + 4)
        with self.g.writes_only((OUT, 2)):
            self.g("network#network-error-code", error, OUT)
        self.g("error#[resource-drop]error", error)
        return CODES[self.g.memory.u8(OUT + 1)] if self.g.memory.u8(OUT) else "no code"

    # ---- udp ----

    def datagrams(self, address: Address) -> int:
        """A bound datagram socket."""
        sock = int(self("udp-create-socket#create-udp-socket", V6 if ":" in address[0] else V4))
        self.udp("start-bind", sock, self.network, *flat(address))
        self.udp("finish-bind", sock)
        return sock

    def stream(self, sock: int, peer: Address | None = None) -> tuple[int, int]:
        given = (0, *[0] * 12) if peer is None else (1, *flat(peer))
        return tuple(self.udp("stream", sock, *given))  # type: ignore[return-value]

    def check_send(self, stream: int) -> int:
        return int(self("udp#[method]outgoing-datagram-stream.check-send", stream))

    def send(self, stream: int, *items: tuple[bytes, Address | None]) -> int:
        """One call of send, which check-send has permitted."""
        return int(self("udp#[method]outgoing-datagram-stream.send", stream, *self.outgoing(*items)))

    def outgoing(self, *items: tuple[bytes, Address | None]) -> tuple[int, int]:
        at, raw = BUF, b""
        for data, to in items:
            self.g.memory.write(at, data)
            where = struct.pack("<B3x32x", 0) if to is None else struct.pack("<B3x32s", 1, in_memory(to))
            raw += struct.pack("<II", at, len(data)) + where
            at += len(data)
        self.g.memory.write(0x400, raw)
        return 0x400, len(items)

    def receive(self, stream: int, most: int = 16) -> list[tuple[bytes, Address]]:
        at, count = self("udp#[method]incoming-datagram-stream.receive", stream, most)
        got = []
        for index in range(count):
            data, size, where = self.g.unpack("II32s", at + 40 * index)
            got.append((bytes(self.g.memory.read(data, size)), address_of(where)))
        return got

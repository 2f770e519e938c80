"""core/p2/sockets_lookup.c, core/sys/lookup.c, os/posix/lookup.c: names of a guest, and what their answers open."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house.tree import ROOT, compiler, run
from tests.p2.driver import Guest2
from tests.p2.sockets import OUT, Net, flat
from tests.support import SANITIZED, E
from wasi_native import _core

Make = Callable[..., Guest2]
NEXT = "ip-name-lookup#[method]resolve-address-stream.resolve-next-address"
START = "ip-name-lookup#resolve-addresses"


def start(net: Net, name: str | bytes) -> int:
    return int(net(START, net.network, *net.g.put(0x200, name.encode() if isinstance(name, str) else name)))


def refused(net: Net, name: str | bytes) -> str:
    raw = name.encode() if isinstance(name, str) else name
    return net.fails(START, net.network, *net.g.put(0x200, raw))


def answers(net: Net, name: str) -> list[str]:
    stream = start(net, name)
    net.wait("ip-name-lookup#resolve-address-stream", stream)
    found = []
    while (ip := net(NEXT, stream)) is not None:
        found.append(ip)
    assert net(NEXT, stream) is None
    net.g("ip-name-lookup#[resource-drop]resolve-address-stream", stream)
    return found


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        *(
            (ip, ip)
            for ip in ("0.0.0.0", "127.0.0.1", "192.0.2.0", "255.255.255.255", "::", "::1", "dead:beef::")
        ),
        ("[::]", "::"),
        ("DEAD:BEEF::0", "dead:beef::"),
        ("2001:0db8:0:0:0:0:0:0", "2001:db8::"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
    ],
)
def test_an_address_asks_nobody(make2: Make, text: str, ip: str) -> None:
    kernel = _core.FakeOs()
    net = Net(make2, kernel=kernel)  # no rule at all
    assert answers(net, text) == [ip] and kernel.count("lookup_start") == 0


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ".",
            "a.b<&>",
            "127.0.0.1:80",
            "[::]:80",
            "http://example.com/",
            "example.com@evil",
            "a..b",
        ),
        *(
            "evil#example.com",
            "example.com:80",
            "-a.com",
            "a-.com",
            "127.1",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "2130706433",
        ),
        *(
            "::1%lo",
            "1.2.3.4.5",
            "a.0x1",
            "x" * 64 + ".com",
            "a." * 127 + "a",
            "x" * 5000,
            b"exam\0ple.com",
            "m\xfcnchen.de",
        ),
    ],
)
def test_what_is_no_name(make2: Make, text: str | bytes) -> None:
    assert refused(Net(make2, "dns://*"), text) == "invalid-argument"


def test_only_names_of_rules(make2: Make) -> None:
    kernel = _core.FakeOs()
    net = Net(
        make2, "dns://*.example.com", "tcp://api.example.org:443", "tcp://10.0.0.0/8:443", kernel=kernel
    )
    for name in (
        "example.com",
        "xexample.com",
        "example.com.evil",
        "example.org",
        "localhost",
        "a.api.example.org",
    ):
        assert refused(net, name) == "access-denied", name
    assert refused(Net(make2), "localhost") == "access-denied"
    assert kernel.count("lookup_start") == 0


def test_localhost_and_what_it_opens(make2: Make) -> None:
    """An answer opens the address for the ports of the rule with that name, and not before."""
    net = Net(make2, "tcp://localhost:*?local=1", "dns://localhost")
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = server.getsockname()
        assert net.tcp_fails("start-connect", net.socket(), net.network, *flat(where)) == "access-denied"
        found = answers(net, "LocalHost.")
        assert "127.0.0.1" in found
        sock, *_ = net.connect(where)
        assert net.tcp("remote-address", sock) == where


def test_an_answer_that_is_not_public_opens_nothing(make2: Make) -> None:
    """A name that leads home: that is how a browser's walls are passed, so it must be said that it may."""
    net = Net(make2, "dns://localhost", "tcp://*:443")
    assert "127.0.0.1" in answers(net, "localhost")
    assert (
        net.tcp_fails("start-connect", net.socket(), net.network, *flat(("127.0.0.1", 443)))
        == "access-denied"
    )


def test_four_at_once(make2: Make) -> None:
    net = Net(make2, "dns://localhost")
    streams = [start(net, "localhost") for _ in range(4)]
    assert refused(net, "localhost") == "temporary-resolver-failure"
    assert refused(net, "1.2.3.4") == ""
    for stream in streams:
        net.wait("ip-name-lookup#resolve-address-stream", stream)
        net.g("ip-name-lookup#[resource-drop]resolve-address-stream", stream)
    assert answers(net, "localhost")


@pytest.mark.parametrize(
    ("err", "code"),
    [
        *((E.NOENT, "name-unresolvable"), (E.BUSY, "temporary-resolver-failure"), (E.NOMEM, "out-of-memory")),
        *((E.NOTRECOVERABLE, "permanent-resolver-failure"), (E.AGAIN, "would-block")),
    ],
)
def test_how_lookups_fail(make2: Make, err: int, code: str) -> None:
    kernel = _core.FakeOs()
    net = Net(make2, "dns://localhost", kernel=kernel)
    stream = start(net, "localhost")
    net.wait("ip-name-lookup#resolve-address-stream", stream)
    kernel.inject("lookup_get", 1, 1, err=err)
    assert net.fails(NEXT, stream) == code
    assert net(NEXT, stream) is not None
    kernel.inject("lookup_start", 1, 1, err=E.NOMEM)
    assert refused(net, "localhost") == "out-of-memory"


def test_texts_and_places_that_are_traps(make2: Make) -> None:
    net = Net(make2, "dns://*")
    assert "out of bounds" in net.g.traps(START, net.network, 0x1FFFF, 2, OUT)
    net = Net(make2, "dns://*")
    assert net.g.traps(START, net.network, *net.g.put(0x200, b"\xff\xfe.com"), OUT)


PROGRAM = """
import os, socket, sys, threading, time
sys.path.insert(0, {root!r})
from tests.p2.driver import Guest2
from tests.p2.sockets import Net, Failed, flat
from tests.p2.test_sockets_lookup import START, NEXT, answers, refused, start
from tests.support import open_fds, running_threads
from wasi_native import Cancelled, Timeout
def make2(*interfaces, **more):
    policy = more.pop("policy")
    return Guest2(policy, *interfaces, **more)
{body}
print("fine")
"""


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("resolver") / "resolver.so"
    source = Path(__file__).parent / "resolver.c"
    done = run(
        [
            compiler("gcc", "cc"),
            "-shared",
            "-fPIC",
            "-Wall",
            "-Wextra",
            "-Werror",
            str(source),
            "-o",
            str(made),
        ]
    )
    assert done.returncode == 0, done.stderr
    return made


def preloaded(resolver: Path, body: str) -> None:
    """The body in a process of its own, whose resolver is ours."""
    if SANITIZED:
        pytest.skip("the sanitizer is preloaded already")
    code = PROGRAM.format(root=str(ROOT), body=textwrap.dedent(body))
    env = {**os.environ, "LD_PRELOAD": str(resolver)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", ""), done.stderr


def test_answers_of_another_resolver(resolver: Path) -> None:
    preloaded(
        resolver,
        """
        net = Net(make2, "tcp://*.test:443", "udp://one.test:53", "bind udp://127.0.0.1:0")
        assert answers(net, "one.test") == ["8.8.8.8", "2606:4700::1"]
        found = answers(net, "many.test")
        assert found == [f"8.8.8.{i}" for i in range(16)], found  # no more are kept, mapped ones are IPv4
        for name, code in (("none", "name-unresolvable"), ("again", "temporary-resolver-failure"),
                           ("fail", "permanent-resolver-failure")):
            stream = start(net, name + ".test")
            net.wait("ip-name-lookup#resolve-address-stream", stream)
            assert net.fails(NEXT, stream) == code, name
        # What a rule with that name says, and no more; private answers open nothing.
        deny = lambda ip, port: net.tcp_fails("start-connect", net.socket(), net.network, *flat((ip, port)))
        assert deny("8.8.8.8", 80) == deny("8.8.4.4", 443) == "access-denied"
        for ip in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "0.0.0.0"):
            assert answers(net, ip + ".ip.test" if ":" not in ip else "one.test")
            sock = net.socket(1 if ":" in ip else 0)
            code = net.tcp_fails("start-connect", sock, net.network, *flat((ip, 443)))
            assert code == ("invalid-argument" if ip == "0.0.0.0" else "access-denied"), ip
        sock = net.datagrams(("127.0.0.1", 0))
        assert net.udp_fails("stream", sock, 1, *flat(("8.8.8.8", 54))) == "access-denied"
        net.g.close()
        """,
    )


def test_a_slow_resolver_is_waited_for_and_a_dead_one_is_not(resolver: Path) -> None:
    """Deadline, cancel and drop do not wait for it; the bound holds for what was given up; nothing is left behind."""
    preloaded(
        resolver,
        """
        Net(make2).g.close()  # what the engine starts once
        before = running_threads(), set(open_fds())
        net = Net(make2, "dns://*.test")
        stream = start(net, "slow.test")
        assert net.fails(NEXT, stream) == "would-block"
        net.wait("ip-name-lookup#resolve-address-stream", stream)
        assert net(NEXT, stream) == "8.8.8.8"

        dropped = start(net, "dead.test")
        net.g("ip-name-lookup#[resource-drop]resolve-address-stream", dropped)
        dead = [start(net, "dead.test") for _ in range(2)]
        assert refused(net, "one.test") == "temporary-resolver-failure"  # slow's place, two, and the one given up
        net.g("ip-name-lookup#[resource-drop]resolve-address-stream", stream)
        assert answers(net, "one.test")
        pollable = net.g("ip-name-lookup#[method]resolve-address-stream.subscribe", dead[0])
        began = time.monotonic()
        try:
            net.g("poll#[method]pollable.block", pollable, timeout=0.2)
        except Timeout:
            took = time.monotonic() - began
        net.g.close()
        other = Net(make2, "dns://*.test")
        stream = start(other, "dead.test")
        timer = threading.Timer(0.2, other.g.instance.cancel)
        timer.start()
        try:
            other.wait("ip-name-lookup#resolve-address-stream", stream)
        except Cancelled:
            pass
        else:
            raise AssertionError("it was not ended")
        timer.join()
        other.g.close()
        assert running_threads() - before[0]  # they wait for the resolver, and for nobody else
        for _ in range(200):
            if not running_threads() - before[0] and set(open_fds()) == before[1]:
                break
            time.sleep(0.05)
        else:
            raise AssertionError((before, running_threads(), open_fds()))
        """,
    )


def test_whoever_waits_for_a_name_can_be_ended(make2: Make) -> None:
    """On each engine; here the kernel says for ever that the answer is not there."""
    kernel = _core.FakeOs()
    net = Net(make2, "dns://localhost", kernel=kernel)
    stream = start(net, "localhost")
    net.wait("ip-name-lookup#resolve-address-stream", stream)
    timer = threading.Thread(target=lambda: (time.sleep(0.1), net.g.instance.cancel()))
    kernel.inject("lookup_get", 1, 0, err=E.AGAIN)
    timer.start()
    with pytest.raises(Exception, match="cancel"):
        while net.fails(NEXT, stream) == "would-block":
            continue
    timer.join()

"""The URLs of sockets: one spelling for each address, everything else refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from wasi_native.errors import PolicyError
from wasi_native.policy import (
    Dial,
    Listen,
)


def refused(text: str, make: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        make(*args, **kwargs)
    assert text in str(caught.value), str(caught.value)


def test_endpoints() -> None:
    one = Listen("tcp://127.0.0.1:8080?nodelay=1&backlog=5&reuseaddr=0")
    assert (one.protocol, one.host, one.port, one.path) == ("tcp", "127.0.0.1", 8080, None)
    assert (one.nodelay, one.backlog, one.reuseaddr) == (True, 5, False)
    assert dict(one.options) == {"nodelay": 1, "backlog": 5, "reuseaddr": 0}
    assert Listen("tcp://[::]:0?peers=10.0.0.0/8,[fd00::]/8").peers == ("10.0.0.0/8", "fd00::/8")
    plain = Listen("tcp://[::]:0")
    assert (plain.host, plain.port, plain.nodelay, plain.backlog, plain.reuseaddr) == (
        "::",
        0,
        False,
        128,
        True,
    )
    assert Dial("tcp://[FE80::0:1%eth0]:1").host == "fe80::1%eth0"
    assert Dial("tcp://[::ffff:1.2.3.4]:1").port == 1
    assert Dial("tcp://Example.com:443").host == "example.com"
    assert Dial("tcp://my_host-1:443").host == "my_host-1"
    unix = Listen("unix:///run/a%20b%3f.sock?backlog=9")
    assert (unix.protocol, unix.host, unix.port, unix.path) == ("unix", None, None, "/run/a b?.sock")
    assert unix.backlog == 9
    one_url: Any = Listen("tcp://a:1")
    assert one_url == Listen("tcp://a:1") and one_url != Dial("tcp://a:1")
    assert hash(one) == hash(dataclasses.replace(one))


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("tcp://127.1:80", "'127.1' is not an IPv4 address; write four plain decimal numbers"),
        ("tcp://0177.0.0.1:80", "is not an IPv4 address"),
        ("tcp://127.0.0.01:80", "is not an IPv4 address"),
        ("tcp://0x7f.0.0.1:80", "is not an IPv4 address"),
        ("tcp://0x7f000001:80", "is not an IPv4 address"),
        ("tcp://2130706433:80", "is not an IPv4 address"),
        ("tcp://256.1.1.1:80", "is not an IPv4 address"),
        ("tcp://1.2.3.4.5:80", "is not an IPv4 address"),
        ("tcp://1.2.3.4/24:80", "is not a host name"),
        ("tcp://1.2.3.4.:80", "is not a host name"),
        ("tcp://a..b:80", "is not a host name"),
        ("tcp://-a:80", "is not a host name"),
        ("tcp://b\xfccher:80", "is not a host name"),
        ("tcp://user@host:80", "is not a host name"),
        ("tcp://" + "a." * 130 + "b:80", "is not a host name"),
        ("tcp://:80", "the host is missing; write an address, or 0.0.0.0"),
        ("tcp://::1:80", "the IPv6 address is not closed in brackets"),
        ("tcp://[::1:80", "the IPv6 address is not closed in brackets"),
        ("tcp://[::1]x:80", "the IPv6 address is not closed in brackets"),
        ("tcp://[]:80", "'' is not an IPv6 address"),
        ("tcp://[1.2.3.4]:80", "'1.2.3.4' is not an IPv6 address"),
        ("tcp://[::g]:80", "'::g' is not an IPv6 address"),
        ("tcp://[::1%]:80", "'' is not a network interface"),
        ("tcp://[::1%../x]:80", "'../x' is not a network interface"),
        ("tcp://a", "the port must be a plain number"),
        ("tcp://a:", "the port must be a plain number"),
        ("tcp://a:65536", "the port must be a plain number"),
        ("tcp://a:080", "the port must be a plain number"),
        ("tcp://a:+80", "the port must be a plain number"),
        ("tcp://a:-1", "the port must be a plain number"),
        ("tcp://a:8_0", "the port must be a plain number"),
        ("tcp://a:\u0668", "the port must be a plain number"),
        ("tcp://a:80/", "the port must be a plain number"),
        ("tcp://a:80000000000000000000", "the port must be a plain number"),
        ("udp://a:80", "the protocol is unknown; write tcp://host:port or unix:///path"),
        ("TCP://a:80", "the protocol is unknown"),
        ("a:80", "the protocol is unknown"),
        ("", "the protocol is unknown"),
        (" tcp://a:80", "blanks, control characters and '#' are refused"),
        ("tcp://a:80\n", "blanks, control characters and '#' are refused"),
        ("tcp://a:80#x", "blanks, control characters and '#' are refused"),
        ("tcp://a:80?", "the option '' is unknown here; write one of: backlog, nodelay, reuseaddr"),
        ("tcp://a:80?ttl=1", "the option 'ttl' is unknown here"),
        ("tcp://a:80?nodelay=2", "'2' is no value for 'nodelay'; write a number from 0 to 1"),
        ("tcp://a:80?nodelay", "'' is no value for 'nodelay'"),
        ("tcp://a:80?nodelay=true", "'true' is no value for 'nodelay'"),
        ("tcp://a:80?backlog=0", "'0' is no value for 'backlog'; write a number from 1 to 65535"),
        ("tcp://a:80?nodelay=1&nodelay=0", "the option 'nodelay' is given twice; write it once"),
        ("unix://run/x", "the path of the socket must be absolute; write unix:///run/app.sock"),
        ("unix:///run/", "the path of the socket must be absolute"),
        ("unix:///x?nodelay=1", "the option 'nodelay' is unknown here; write one of: backlog"),
        ("unix:///x?peers=10.0.0.0/8", "the option 'peers' is unknown here; write one of: backlog"),
        ("tcp://a:80?peers=10.0.0.0/33", "'33' are no bits of a prefix; write a plain number from 0 to 32"),
        ("tcp://a:80?peers=10.0.0.1/8", "'10.0.0.1/8' has bits behind its prefix; write 10.0.0.0/8"),
        ("tcp://a:80?peers=", "'' is no address"),
        ("tcp://a:80?peers=b", "'b' is no address"),
        ("tcp://a:80?peers=10.0.0.1&peers=10.0.0.2", "the option 'peers' is given twice; write it once"),
        ("tcp://a:80?x=1", "write one of: backlog, nodelay, reuseaddr, peers"),
        ("unix:///x%2", "'%' must be followed by two hexadecimal digits; write %25"),
        ("unix:///x%00y", "the path holds a NUL or more than 107 bytes"),
        ("unix:///" + "x" * 107, "the path holds a NUL or more than 107 bytes"),
    ],
)
def test_endpoints_are_strict(url: str, text: str) -> None:
    refused(text, Listen, url)
    refused("Listen.url: ", Listen, url)


def test_dial_is_stricter() -> None:
    refused("Dial.url: 'tcp://a:0': the port must be a plain number from 1 to 65535", Dial, "tcp://a:0")
    refused("the option 'backlog' is unknown here; write one of: nodelay", Dial, "tcp://a:1?backlog=1")
    refused("the option 'x' is unknown here; write one of: none", Dial, "unix:///a?x=1")
    refused("Dial.url: 5 has the type int; write a string", Dial, 5)
    refused("Dial.url: 'tcp://a\\x00:1' holds a NUL", Dial, "tcp://a\0:1")

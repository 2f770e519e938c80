"""wasi_native/policy_net.py: one strict line for each thing that sockets of a guest may do."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from wasi_native import Allow, Host, Policy, PolicyError

LOOPBACK = (4, bytes([127, 0, 0, 1]), 32)
ANY = (0, b"", 0)


@pytest.mark.parametrize(
    ("rule", "judged"),
    [
        ("tcp://127.0.0.1:80", (1, 1, 0, LOOPBACK, None, 80, 80, [])),
        ("connect tcp://127.0.0.1:80-90", (1, 1, 0, LOOPBACK, None, 80, 90, [])),
        ("tcp://127.0.0.1:*", (1, 1, 0, LOOPBACK, None, 1, 65535, [])),
        ("tcp://10.0.0.0/8:443", (1, 1, 0, (4, bytes([10, 0, 0, 0]), 8), None, 443, 443, [])),
        ("tcp://0.0.0.0/0:443", (1, 1, 0, (4, bytes(4), 0), None, 443, 443, [])),
        ("tcp://0.0.0.0/0:443?local=1", (1, 1, 1, (4, bytes(4), 0), None, 443, 443, [])),
        ("tcp://[::1]:443", (1, 1, 0, (6, bytes(15) + b"\1", 128), None, 443, 443, [])),
        ("tcp://[fd00::]/8:443", (1, 1, 0, (6, b"\xfd" + bytes(15), 8), None, 443, 443, [])),
        ("tcp://API.Example.com.:443", (1, 1, 0, ANY, b"api.example.com", 443, 443, [])),
        ("tcp://*.example.com:443", (1, 1, 0, ANY, b"*.example.com", 443, 443, [])),
        ("tcp://*:443", (1, 1, 0, ANY, b"*", 443, 443, [])),
        ("tcp://localhost:443?local=1", (1, 1, 1, ANY, b"localhost", 443, 443, [])),
        ("tcp://mylocalhost:443", (1, 1, 0, ANY, b"mylocalhost", 443, 443, [])),
        ("tcp://1a.2b:443", (1, 1, 0, ANY, b"1a.2b", 443, 443, [])),
        ("listen tcp://127.0.0.1:0", (1, 2, 0, LOOPBACK, None, 0, 0, [])),
        ("listen tcp://127.0.0.1:*", (1, 2, 0, LOOPBACK, None, 0, 65535, [])),
        (
            "listen tcp://127.0.0.1:80?peers=127.0.0.1,[fd00::]/8&local=1",
            (1, 2, 1, LOOPBACK, None, 80, 80, [LOOPBACK, (6, b"\xfd" + bytes(15), 8)]),
        ),
        ("bind tcp://127.0.0.1:80", (1, 4, 0, LOOPBACK, None, 80, 80, [])),
        ("udp://127.0.0.1:80", (2, 24, 0, LOOPBACK, None, 80, 80, [])),
        ("exchange udp://127.0.0.1:80", (2, 24, 0, LOOPBACK, None, 80, 80, [])),
        ("send udp://127.0.0.1:80", (2, 8, 0, LOOPBACK, None, 80, 80, [])),
        ("receive udp://127.0.0.1:80", (2, 16, 0, LOOPBACK, None, 80, 80, [])),
        ("listen udp://127.0.0.1:80", (2, 2, 0, LOOPBACK, None, 80, 80, [])),
        ("dns://*.example.com", (0, 0, 0, ANY, b"*.example.com", 0, 65535, [])),
        ("lookup dns://example.com", (0, 0, 0, ANY, b"example.com", 0, 65535, [])),
    ],
)
def test_what_the_core_is_told(rule: str, judged: tuple[object, ...]) -> None:
    assert Allow(rule).judged() == judged


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("tcp://1.2.3.4", "the port is missing; write tcp://host:443"),
        ("tcp://1.2.3.4:", "'' are no ports"),
        ("tcp://1.2.3.4:0", "nobody is at port 0"),
        ("tcp://1.2.3.4:0-9", "nobody is at port 0"),
        ("tcp://1.2.3.4:65536", "'65536' are no ports"),
        ("tcp://1.2.3.4:080", "'080' are no ports"),
        ("tcp://1.2.3.4:9-8", "'9-8' are no ports"),
        ("tcp://1.2.3.4:-1", "'-1' are no ports"),
        ("tcp://1.2.3.4:+1", "'+1' are no ports"),
        ("tcp://1.2.3.4:\N{ARABIC-INDIC DIGIT ONE}", "are no ports"),
        ("tcp://1.2.3.4/33:80", "'33' are no bits of a prefix; write a plain number from 0 to 32"),
        ("tcp://1.2.3.4/-1:80", "'-1' are no bits"),
        ("tcp://1.2.3.4/24abc:80", "'24abc' are no bits"),
        ("tcp://1.2.3.4/ 8:80", "blanks"),
        ("tcp://1.2.3.4/:80", "'' are no bits"),
        ("tcp://[::1]/129:80", "write a plain number from 0 to 128"),
        ("tcp://1.2.3.4/24:80", "has bits behind its prefix; write 1.2.3.0/24"),
        ("tcp://[fd00::1]/8:80", "write [fd00::]/8"),
        ("tcp://127.1:80", "is no address"),
        ("tcp://2130706433:80", "is no address"),
        ("tcp://0x7f.0.0.1:80", "is no IPv4 address"),
        ("tcp://0177.0.0.1:80", "is no address"),
        ("tcp://a.1:80", "is no IPv4 address"),
        ("tcp://::1:80", "is no name"),
        ("tcp://[::1:80", "the port is missing"),
        ("tcp://[::1%lo]:80", "is no address"),
        ("tcp://[::ffff:127.0.0.1]:80", "IPv4 in the clothes of IPv6"),
        ("tcp://example.com@evil:80", "'@' are refused"),
        ("tcp://evil#example.com:80", "'#' and '@' are refused"),
        ("tcp://ex\N{CYRILLIC SMALL LETTER A}mple.com:80", "is no name; write one of ASCII letters"),
        ("tcp://-a.com:80", "is no name"),
        ("tcp://a..com:80", "is no name"),
        ("tcp://:80", "is no name"),
        ("tcp://a.*.com:80", "is no name"),
        ("tcp://**:80", "is no name"),
        ("tcp://localhost:80", "add ?local=1"),
        ("tcp://a.localhost:80", "add ?local=1"),
        ("listen tcp://example.com:80", "an address of this machine"),
        ("listen tcp://*:80", "an address of this machine; write one such as 127.0.0.1, 0.0.0.0 or [::]"),
        ("send tcp://1.2.3.4:80", "'send' is no verb of tcp; write one of: connect, listen, bind"),
        ("connect udp://1.2.3.4:80", "'connect' is no verb of udp"),
        ("connect  tcp://1.2.3.4:80", "blanks"),
        ("sctp://1.2.3.4:80", "the protocol is unknown"),
        ("1.2.3.4:80", "the protocol is unknown"),
        ("", "the protocol is unknown"),
        ("dns://1.2.3.4:53", "is no name"),
        ("dns://1.2.3.4", "without asking anybody"),
        ("dns://*.example.com?local=1", "unknown here; write one of: none"),
        ("tcp://1.2.3.4:80?peers=1.2.3.4", "'peers' is unknown here; write one of: local"),
        ("tcp://1.2.3.4:80?", "'' is unknown here"),
        ("tcp://1.2.3.4:80?local=2", "'2' is no value for 'local'"),
        ("tcp://1.2.3.4:80?local=1&local=1", "given twice"),
        ("listen tcp://1.2.3.4:80?peers=", "'' is no address"),
        ("listen tcp://1.2.3.4:80?peers=example.com", "is no address"),
        ("listen tcp://1.2.3.4:80?peers=" + ",".join(["1.2.3.4"] * 65), "more than 64 peers"),
    ],
)
def test_what_is_no_rule(rule: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Allow(rule)
    assert str(caught.value).startswith("Allow.rule: ") and says in str(caught.value)


def test_a_policy_takes_rules_and_strings() -> None:
    rule = Allow("tcp://*:443")
    policy = Policy(net=[rule, "listen udp://0.0.0.0:5353"])
    assert policy.net == (rule, Allow("listen udp://0.0.0.0:5353")) == pickle.loads(pickle.dumps(policy)).net
    assert policy.describe() == [
        "network: 'tcp://*:443' (all public addresses)",
        "network: 'listen udp://0.0.0.0:5353'",
    ]
    assert Policy().net == ()
    for wrong in ("tcp://*:443", [7], 7):
        with pytest.raises(PolicyError, match=r"Policy\.net"):
            Policy(net=wrong)  # type: ignore[arg-type]


def test_toml_names_key_and_line(tmp_path: Path) -> None:
    text = 'args = []\nnet = [\n  "tcp://example.com:443",\n  "tcp://example.com",\n]\n'
    with pytest.raises(PolicyError, match=r"p\.toml:4: net\[1\]: 'tcp://example.com': the port is missing"):
        Policy.from_toml_text(text, "p.toml")
    with pytest.raises(PolicyError, match=r"p\.toml:1: net: .* is not an array"):
        Policy.from_toml_text('net = "tcp://example.com:443"\n', "p.toml")
    assert Policy.from_toml_text('net = ["dns://a.b"]\n').net == (Allow("dns://a.b"),)


def test_more_rules_than_are_judged_are_refused() -> None:
    host = Host(Policy(net=["tcp://*:443"] * 1025), engine="fake")
    with pytest.raises(PolicyError, match="cannot be set up"):
        host.load(b"fake 1\nmemory 1").instantiate()

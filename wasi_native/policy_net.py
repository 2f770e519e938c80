"""What a guest may do on the network with sockets of its own: :class:`Allow`, one strict line each.

::

    tcp://api.example.com:443               connect to that name: to what a lookup of it by the guest answered
    tcp://*.example.org:1024-2048           names below example.org
    tcp://10.1.0.0/16:*                     a network, any port
    listen tcp://0.0.0.0:8080               a server; listen tcp://127.0.0.1:8080?peers=10.0.0.0/8,10.9.8.7
    udp://192.168.1.5:123                   exchange: datagrams to it and from it; or send, or receive alone
    dns://*.example.com                     look names up, no more

No name is resolved and nothing is opened here. The judge is core/sys/net.c.
"""

from __future__ import annotations

from . import policy_check as check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from dataclasses import dataclass, field
    from typing import NoReturn, TypeAlias

    Range: TypeAlias = tuple[int, bytes, int]
    Judged: TypeAlias = tuple[int, int, int, Range, bytes | None, int, int, list[Range]]
    Bad: TypeAlias = Callable[[str], NoReturn]
else:
    from .record import dataclass, field

__all__ = ["Allow", "in_toml", "judged_peers", "read_peers"]

# As in include/wasi_native/net.h.
_PROTOCOLS = {"tcp": 1, "udp": 2, "dns": 0}
_RIGHTS = {"connect": 1, "listen": 2, "bind": 4, "send": 8, "receive": 16, "exchange": 24, "lookup": 0}
_VERBS = {  # the first one is meant where none is written
    "tcp": ("connect", "listen", "bind"),
    "udp": ("exchange", "send", "receive", "listen", "bind"),
    "dns": ("lookup",),
}
_HERE = ("listen", "bind")  # about an address of this machine
_ANY: Range = (0, b"", 0)
_PEERS_MAX = 64
_ACCEPT = 32  # a right of the embedder's own listeners, which no rule of a policy has


@dataclass(frozen=True, slots=True)
class Allow:
    """One thing that a guest may do with sockets that it makes itself (WASI 0.2). A guest of preview 1 has those of
    :class:`Listen` and :class:`Dial` alone; who may come to these, ``listen`` rules say too. What no rule allows is
    refused with ``access-denied``.

    ``rule``: a verb and a URL, ``connect tcp://HOST:PORTS``; without the verb, tcp means connect, udp exchange and
    dns lookup.

    * verbs: tcp ``connect``, ``listen``, ``bind``; udp ``exchange`` (send and receive), ``send``, ``receive``,
      ``listen`` (bind and receive), ``bind``; dns ``lookup``. Each is a right of its own. Who may connect, send
      or receive may also bind to port 0 of 0.0.0.0 or [::], which is how WASI begins
    * HOST: a name, ``*.suffix`` (names below it), ``*`` (every public address, and lookups of every name), an
      address or a network such as ``10.0.0.0/8`` or ``[fd00::]/8``; of listen and bind an address or network. A
      name may be looked up, and stands for the addresses that this guest's lookups of it have answered
    * PORTS: one, ``8000-8010``, or ``*``; 0, of listen and bind: any free one
    * ``?local=1``: addresses that are not public count too. Without it, loopback, private, link-local, multicast and
      reserved addresses are matched only by a network that lies in that range: ``127.0.0.1`` or
      ``192.168.0.0/16``, but not ``0.0.0.0/0``, ``*`` or a name
    * ``?peers=10.0.0.0/8,192.168.1.9`` of listen: who may come; default: everybody

    Fields made from it: ``verb``, ``protocol``, ``host`` (a name or pattern, None for addresses), ``network`` (None
    for names), ``ports`` (first and last), ``local``, ``peers``. Raises PolicyError.
    """

    rule: str
    verb: str = field(init=False, repr=False, compare=False)
    protocol: str = field(init=False, repr=False, compare=False)
    host: str | None = field(init=False, repr=False, compare=False)
    network: str | None = field(init=False, repr=False, compare=False)
    ports: tuple[int, int] = field(init=False, repr=False, compare=False)
    local: bool = field(init=False, repr=False, compare=False)
    peers: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rule = check.string("Allow.rule", self.rule, "strict")
        verb, space, url = rule.partition(" ")
        if not space or "://" in verb:
            verb, url = "", rule
        if any(ch <= " " or ch == "\x7f" for ch in url) or "#" in url or "@" in url:
            _bad(rule, "blanks, control characters, '#' and '@' are refused; write verb, blank, URL")
        protocol, found, rest = url.partition("://")
        if not found or protocol not in _VERBS:
            _bad(rule, "the protocol is unknown; write tcp://host:port, udp://host:port or dns://name")
        verb = verb or _VERBS[protocol][0]
        if verb not in _VERBS[protocol]:
            _bad(rule, f"{verb!r} is no verb of {protocol}; write one of: {', '.join(_VERBS[protocol])}")
        place, question, query = rest.partition("?")
        ports = (0, 65535)
        if protocol != "dns":
            place, colon, digits = place.rpartition(":")
            if not colon or place.count("[") != place.count("]"):
                _bad(rule, f"the port is missing; write {protocol}://host:443, or :* for all ports")
            ports = _ports(rule, digits, verb)
        host, network = _place(rule, place, verb)
        if host is None and protocol == "dns":
            _bad(rule, "an address is looked up without asking anybody; write a name, or *.suffix")
        local, peers = _query(rule, query, verb) if question else (False, ())
        home = host is not None and ("." + host).endswith(".localhost")
        if home and protocol != "dns" and not local:
            _bad(rule, "localhost is an address of this machine; add ?local=1 to mean that")
        check.put(self, verb=verb, protocol=protocol, host=host, network=network)
        check.put(self, ports=ports, local=local, peers=peers)

    def describe(self) -> str:
        """One line for people."""
        return f"network: {self.rule!r}" + (" (all public addresses)" if self.host == "*" else "")

    def judged(self) -> Judged:
        """The rule as the core takes it."""
        where = _ANY if self.network is None else _range(self.network)
        name = None if self.host is None else self.host.encode()
        rights = (_PROTOCOLS[self.protocol], _RIGHTS[self.verb], int(self.local))
        return (*rights, where, name, *self.ports, [_range(peer) for peer in self.peers])


def in_toml(rules: Sequence[Allow | str]) -> str:
    """The line of a policy file that says these rules; without any, one that shows how."""
    texts = [rule if isinstance(rule, str) else rule.rule for rule in rules]
    if texts:
        return f"net = {texts}"
    return "net = ['tcp://api.example.com:443', 'listen tcp://127.0.0.1:8080'] ... (run: --net)"


def _bad(rule: str, text: str) -> NoReturn:
    check.fail("Allow.rule", f"{check.show(rule)}: {text}")


def _decimal(text: str, high: int) -> int | None:
    """The number, or None unless ``text`` is its one plain spelling."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5) or (text[0] == "0" and text != "0"):
        return None
    return int(text) if int(text) <= high else None


def _ports(rule: str, text: str, verb: str) -> tuple[int, int]:
    if text == "*":
        return (0 if verb in _HERE else 1), 65535
    low, dash, high = text.partition("-")
    first, last = _decimal(low, 65535), _decimal(high if dash else low, 65535)
    if first is None or last is None or first > last:
        _bad(rule, f"{text!r} are no ports; write a plain number, 8000-8010, or * for all")
    if first == 0 and verb not in _HERE:
        _bad(rule, "nobody is at port 0; write a number from 1 to 65535")
    return first, last


def _place(rule: str, text: str, verb: str) -> tuple[str | None, str | None]:
    """A name or pattern, or a network."""
    if text.startswith("[") or (text and text.split("/")[0].replace(".", "").isdigit()):
        return None, _network(lambda why: _bad(rule, why), text)
    if verb in _HERE:
        _bad(
            rule, f"{verb} is about an address of this machine; write one such as 127.0.0.1, 0.0.0.0 or [::]"
        )
    name = text.lower().removesuffix(".")
    if name == "*":
        return name, None
    labels = name.removeprefix("*.").split(".")
    for label in labels:
        plain = label.isascii() and label.replace("-", "a").replace("_", "a").isalnum() and len(label) < 64
        if not plain or label.startswith("-") or label.endswith("-") or len(name) > 253:
            _bad(rule, f"{text!r} is no name; write one of ASCII letters, *.suffix, an address or a network")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):  # what a C library would take for an address
        _bad(rule, f"{text!r} is no IPv4 address; write four plain decimal numbers such as 127.0.0.1")
    return name, None


def _network(bad: Bad, text: str) -> str:
    """A network in its one spelling: IPv4 or IPv6 in brackets, with or without the bits of its prefix."""
    import ipaddress

    base, slash, bits = text.partition("/")
    six = base.startswith("[")
    most = 128 if six else 32
    prefix = _decimal(bits, most) if slash else most
    if prefix is None:
        bad(f"{bits!r} are no bits of a prefix; write a plain number from 0 to {most}")
    try:
        if six and ("%" in base or not base.endswith("]")):
            raise ValueError
        address = ipaddress.IPv6Address(base[1:-1]) if six else ipaddress.IPv4Address(base)
    except ValueError:
        bad(f"{base!r} is no address; write four plain decimal numbers, or IPv6 in brackets like [::1]")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        bad(f"{base!r} is IPv4 in the clothes of IPv6, which is always refused; write the IPv4 address")
    network = ipaddress.ip_network((int(address).to_bytes(most // 8, "big"), prefix), strict=False)
    if network.network_address != address:
        whole = f"[{network.network_address}]" if six else str(network.network_address)
        bad(f"{text!r} has bits behind its prefix; write {whole}/{prefix}")
    return str(network)


def _range(network: str) -> Range:
    import ipaddress

    made = ipaddress.ip_network(network)
    return made.version, made.network_address.packed, made.prefixlen


def _query(rule: str, text: str, verb: str) -> tuple[bool, tuple[str, ...]]:
    known = ("local", "peers") if verb == "listen" else ("local",) if verb not in ("lookup", "bind") else ()
    found: dict[str, str] = {}
    for item in text.split("&"):
        key, _, value = item.partition("=")
        if key not in known:
            _bad(rule, f"the option {key!r} is unknown here; write one of: {', '.join(known) or 'none'}")
        if key in found:
            _bad(rule, f"the option {key!r} is given twice; write it once")
        found[key] = value
    if found.get("local", "0") not in ("0", "1"):
        _bad(rule, f"{found['local']!r} is no value for 'local'; write 0 or 1")
    peers = read_peers(found["peers"], lambda why: _bad(rule, why)) if "peers" in found else ()
    return found.get("local") == "1", peers


def read_peers(text: str, bad: Bad) -> tuple[str, ...]:
    """Addresses and networks, joined by commas; ``bad`` is called with what is wrong."""
    peers = text.split(",")
    if len(peers) > _PEERS_MAX:
        bad(f"more than {_PEERS_MAX} peers; write networks that hold them")
    return tuple([_network(bad, peer) for peer in peers])


def judged_peers(address: str, port: int, peers: Sequence[str]) -> Judged:
    """Who may come to a listener of the embedder's."""
    where = [_range(peer) for peer in peers]
    return _PROTOCOLS["tcp"], _ACCEPT, 0, _range(address), None, port, port, where

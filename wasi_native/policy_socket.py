"""The sockets a policy grants: :class:`Listen` and :class:`Dial`, parsed from strict URLs.

No name is resolved and nothing is opened here. An address has one spelling: no octal, hexadecimal or short
IPv4 forms, no signs, blanks or leading zeros.
"""

from __future__ import annotations

import os

from . import policy_check as check
from .policy_net import judged_peers, read_peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import dataclass, field
    from typing import NoReturn

    from .policy_net import Judged
else:
    from .record import dataclass, field

__all__ = ["Dial", "Listen"]

_UNIX_MAX = 107  # bytes of a socket path in sockaddr_un, without its NUL
_HEX = frozenset("0123456789abcdefABCDEF")


def _ip_or_name(where: str, url: str, host: str) -> str:
    def bad(text: str) -> NoReturn:
        check.fail(where, f"{check.show(url)}: {text}")

    if host.startswith("["):
        import ipaddress

        address, _, zone = host[1:-1].partition("%")
        if "%" in host and not (0 < len(zone) <= 15 and zone.isascii() and zone.replace("-", "a").isalnum()):
            bad(f"{zone!r} is not a network interface; write the address as [fe80::1%eth0]")
        try:
            return str(ipaddress.IPv6Address(address)) + ("%" + zone if zone else "")
        except ValueError:
            bad(f"{address!r} is not an IPv6 address; write one like [::1]")
    if not host:
        bad("the host is missing; write an address, or 0.0.0.0 or [::] to mean all interfaces")
    labels = host.split(".")
    last = labels[-1].lower()
    if last.isdigit() or last.startswith("0x"):  # what libc would take for an address, however it is spelled
        if len(labels) == 4 and all(_decimal(label, 255) is not None for label in labels):
            return host
        bad(f"{host!r} is not an IPv4 address; write four plain decimal numbers such as 127.0.0.1")
    for label in labels:
        plain = label.isascii() and label.replace("-", "a").replace("_", "a").isalnum() and len(label) < 64
        if not plain or label.startswith("-") or label.endswith("-") or len(host) > 253:
            bad(f"{host!r} is not a host name; write a name of ASCII letters, an IPv4 address or [IPv6]")
    return host.lower()


def _decimal(text: str, high: int) -> int | None:
    """The number, or None unless ``text`` is its one plain spelling (no sign, blank, leading zero or other
    script)."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5) or (text[0] == "0" and text != "0"):
        return None
    return int(text) if int(text) <= high else None


@dataclass(frozen=True, slots=True)
class _Endpoint:
    url: str
    protocol: str = field(init=False, repr=False, compare=False)
    host: str | None = field(init=False, repr=False, compare=False)
    port: int | None = field(init=False, repr=False, compare=False)
    path: str | None = field(init=False, repr=False, compare=False)
    options: Mapping[str, int] = field(init=False, repr=False, compare=False)
    peers: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        where = f"{type(self).__name__}.url"
        listens = isinstance(self, Listen)
        url = check.string(where, self.url, "strict")

        def bad(text: str) -> NoReturn:
            check.fail(where, f"{check.show(url)}: {text}")

        if any(ch <= " " or ch == "\x7f" for ch in url) or "#" in url:
            bad("blanks, control characters and '#' are refused; in a path write %20 and %23")
        protocol, found, rest = url.partition("://")
        if not found or protocol not in ("tcp", "unix"):
            bad("the protocol is unknown; write tcp://host:port or unix:///path")
        place, question, query = rest.partition("?")
        host: str | None = None
        port: int | None = None
        path: str | None = None
        if protocol == "tcp":
            raw, colon, digits = place.rpartition(":")
            if raw.startswith("[") != raw.endswith("]") or (":" in raw and not raw.startswith("[")):
                bad("the IPv6 address is not closed in brackets; write tcp://[::1]:8080")
            if not colon or (port := _decimal(digits, 65535)) is None or (port == 0 and not listens):
                low = 0 if listens else 1
                bad(f"the port must be a plain number from {low} to 65535; write tcp://host:8080")
            host = _ip_or_name(where, url, raw)
        else:
            path = _unix_path(bad, place)
        known = {"tcp": {"nodelay": 1}, "unix": {}}[protocol]
        if listens:
            known = {"backlog": 65535, **known, **({"reuseaddr": 1} if host is not None else {})}
        options: dict[str, int] = {}
        peers: tuple[str, ...] = ()
        for item in query.split("&") if question else ():
            key, _, text = item.partition("=")
            if key == "peers" and listens and host is not None and not peers:
                peers = read_peers(text, bad)
                continue
            value = _decimal(text, known.get(key, 0))
            if key not in known:
                if key == "peers" and peers:
                    bad("the option 'peers' is given twice; write it once")
                names = [*known, "peers"] if listens and host is not None else known
                bad(f"the option {key!r} is unknown here; write one of: {', '.join(names) or 'none'}")
            if key in options:
                bad(f"the option {key!r} is given twice; write it once")
            if value is None or (key == "backlog" and value == 0):
                low = int(key == "backlog")
                bad(f"{text!r} is no value for {key!r}; write a number from {low} to {known[key]}")
            options[key] = value
        check.put(self, protocol=protocol, host=host, port=port, path=path, options=check.FrozenDict(options))
        check.put(self, peers=peers)

    @property
    def nodelay(self) -> bool:
        """TCP_NODELAY, default False."""
        return bool(self.options.get("nodelay", 0))

    def describe(self) -> str:
        """One line for people."""
        return f"{type(self).__name__.lower()} {self.url!r}"


def _unix_path(bad: Callable[[str], NoReturn], place: str) -> str:
    if not place.startswith("/") or place.endswith("/"):
        bad("the path of the socket must be absolute; write unix:///run/app.sock")
    if "%" in place:
        from urllib.parse import unquote_to_bytes

        hexes = "0123456789abcdefABCDEF"
        if any(
            len(part) < 2 or part[0] not in hexes or part[1] not in hexes for part in place.split("%")[1:]
        ):
            bad("'%' must be followed by two hexadecimal digits; write %25 for '%' itself")
        place = os.fsdecode(unquote_to_bytes(place))
    if "\0" in place or len(os.fsencode(place)) > _UNIX_MAX:
        bad(f"the path holds a NUL or more than {_UNIX_MAX} bytes; write a shorter one")
    return place


@dataclass(frozen=True, slots=True)
class Listen(_Endpoint):
    """A listening socket that the host opens and the guest gets as a preopen.

    ``url``: ``tcp://host:port`` (IPv6 in brackets, port 0 = any free one) or ``unix:///path`` (with %XX
    escapes), then ``?`` and options joined by ``&``: ``backlog`` 1 to 65535 (default 128), for tcp also
    ``nodelay`` and ``reuseaddr`` 0 or 1 (default 0 and 1), and ``peers``, addresses and networks joined by
    commas: who may come, ``?peers=10.0.0.0/8,192.168.1.9``. Who may not is closed unseen. What rules of
    ``Policy.net`` say of this address (``listen tcp://0.0.0.0:8080?peers=...``) holds too; where nothing says who,
    everybody may. A network around private or other special addresses means them only when it lies in their range.
    Fields made from it: ``protocol`` "tcp" or "unix", ``host`` and ``port`` (None for unix), ``path`` (None for
    tcp), ``options`` as given, ``peers``. Raises PolicyError.
    """

    @property
    def backlog(self) -> int:
        """Connections that may wait for ``sock_accept``."""
        return self.options.get("backlog", 128)

    @property
    def reuseaddr(self) -> bool:
        """SO_REUSEADDR, default True."""
        return bool(self.options.get("reuseaddr", 1))

    def judged(self, address: str, port: int) -> Judged:
        """Who may come to where it listens, as the core takes it."""
        return judged_peers(address.partition("%")[0], port, self.peers)


@dataclass(frozen=True, slots=True)
class Dial(_Endpoint):
    """A connection that the host makes and the guest gets as a preopen.

    As :class:`Listen`, but ``port`` is 1 to 65535 and ``nodelay`` (tcp) is the only option. Raises
    PolicyError.
    """

"""Options of all verbs: one table per verb gives the parser, its errors and its ``--help``.

The standard parser takes 7 ms to import, half of what a whole run takes. This one knows ``--name VALUE``,
``--name=VALUE``, flags, optional values (only as ``--name=VALUE``) and ``--``. Options cannot be shortened,
so that a new one never changes what an old script means.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["FLAG", "LIST", "MAYBE", "VALUE", "Command", "Usage", "parse", "seconds", "size", "whole"]

FLAG = "flag"  # no value
VALUE = "value"  # one value; given twice, the last counts
LIST = "list"  # one value each time
MAYBE = "maybe"  # --name or --name=VALUE

_BYTES = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SECONDS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "h": 3600.0}


class Usage(Exception):
    """A mistake on the command line; its text names it and the remedy."""


class Command:
    """A verb: ``usage`` behind its name, ``text`` below it, its options, and ``tail``: more, with examples.

    An option is (name, kind, metavar, help). With ``greedy`` the first word that is no option ends the
    options: all that follows belongs to somebody else.
    """

    __slots__ = ("greedy", "name", "options", "tail", "text", "usage")

    def __init__(
        self,
        name: str,
        usage: str,
        text: str,
        options: tuple[tuple[str, str, str, str], ...],
        tail: str = "",
        greedy: bool = False,
    ) -> None:
        self.name, self.usage, self.text, self.tail, self.greedy = name, usage, text, tail, greedy
        self.options = (*options, ("--help", FLAG, "", "show this help"))

    def help(self) -> str:
        """The text of ``--help``."""
        about = "\n".join(_wrapped(self.text, 98))
        parts = [f"Usage: wasi-native {self.name} {self.usage}\n\n{about}\n\nOptions:\n"]
        for name, kind, metavar, text in self.options:
            shown = name + {FLAG: "", MAYBE: f"[={metavar}]"}.get(kind, f" {metavar}")
            head = f"  {shown:<27} " if len(shown) <= 27 else f"  {shown}\n{'':30}"
            parts.append(head + f"\n{'':30}".join(_wrapped(text, 68)) + "\n")
        return "".join(parts) + (f"\n{self.tail.rstrip()}\n" if self.tail else "")


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def parse(command: Command, argv: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The options given (a list for LIST, True for FLAG and a MAYBE without value) and the other words."""
    kinds = {name: (kind, metavar) for name, kind, metavar, _text in command.options}
    found: dict[str, Any] = {}
    rest: list[str] = []
    at = 0
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--":
            return found, rest + argv[at:]
        if word == "-h":
            word = "--help"
        if not word.startswith("-") or word == "-":
            rest.append(word)
            if command.greedy:
                return found, rest + argv[at:]
            continue
        name, equals, value = word.partition("=")
        if name not in kinds:
            raise Usage(_unknown(name, kinds))
        kind, metavar = kinds[name]
        if kind == FLAG:
            if equals:
                raise Usage(f"{name} takes no value; write {name} alone")
            found[name] = True
        elif kind == MAYBE:
            found[name] = value if equals else True
        else:
            if not equals:
                if at == len(argv):
                    raise Usage(f"{name} needs a value: {name} {metavar}")
                value = argv[at]
                at += 1
            if kind == LIST:
                found.setdefault(name, []).append(value)
            else:
                found[name] = value
    return found, rest


def _unknown(name: str, kinds: dict[str, tuple[str, str]]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, kinds, n=1)
    return f"there is no option {name}" + (f"; did you mean {near[0]}?" if near else "")


def _quantity(option: str, text: str, units: dict[str, Any], example: str) -> Any:
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = text[len(number) :]
    number = number.rstrip(" ")
    plain = number.replace(".", "", 1)
    if unit not in units or not (plain.isascii() and plain.isdigit() and len(plain) <= 20):
        known = ", ".join(key for key in units if key)
        raise Usage(f"{option} {text}: this is no quantity; write one like {example} (units: {known})")
    return (float(number) if "." in number else int(number)) * units[unit]


def size(option: str, text: str) -> int:
    """Bytes: a number, or one with a unit as in policy files. Raises Usage."""
    value = int(_quantity(option, text, _BYTES, "16MiB"))
    if not 1 <= value < 2**63:
        raise Usage(f"{option} {text}: the size is out of range; write 1 byte or more")
    return value


def seconds(option: str, text: str) -> float:
    """Seconds: a number, or one with a unit. Raises Usage."""
    value = float(_quantity(option, text, _SECONDS, "2.5 or 500ms"))
    if not 1e-9 <= value <= 1e9:
        raise Usage(f"{option} {text}: the time is out of range; write more than 0 and at most 1e9 seconds")
    return value


def whole(option: str, text: str) -> int:
    """A whole number above 0. Raises Usage."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text)):
        raise Usage(f"{option} {text}: this is no count; write a whole number above 0")
    return int(text)

"""Reads .wast files as far as tests of the decoder need: their components, and what is asserted of each.

    for item in wast.read(path): item.kind, item.line, item.data

``kind``: "component", "assert_invalid", "assert_malformed". ``data``: the binary, or None with ``text`` when the
component is text (encode it with :func:`tests.component.build.encode`) or quoted text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_TOKEN = re.compile(r'\(;|;;[^\n]*|"(?:[^"\\]|\\.)*"|[()]|[^\s()";]+|\s+|;', re.S)
_ESCAPE = re.compile(rb"\\(u\{[0-9a-fA-F]+\}|[0-9a-fA-F]{2}|.)", re.S)
_NAMED = {b"t": b"\t", b"n": b"\n", b"r": b"\r", b'"': b'"', b"'": b"'", b"\\": b"\\"}


class Item:
    """One component of a .wast file."""

    def __init__(
        self, kind: str, line: int, text: str, data: bytes | None, quoted: bool, message: str
    ) -> None:
        self.kind, self.line, self.text, self.data = kind, line, text, data
        self.quoted, self.message = quoted, message


def string(token: str) -> bytes:
    """The bytes of a string in quotes."""

    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if code.startswith(b"u{"):
            return chr(int(code[2:-1], 16)).encode()
        return bytes([int(code, 16)]) if len(code) == 2 else _NAMED[code]

    return _ESCAPE.sub(one, token[1:-1].encode())


def _forms(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """(start, end, tokens without spaces and comments) of each form at the top."""
    at = depth = start = 0
    tokens: list[str] = []
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, text[at : at + 40]
        token, at = match[0], match.end()
        if token == "(;":
            nested = 1
            while nested:
                step = re.compile(r"\(;|;\)").search(text, at)
                assert step
                nested, at = nested + (1 if step[0] == "(;" else -1), step.end()
            continue
        if token.isspace() or token.startswith(";;"):
            continue
        if token == "(":
            if depth == 0:
                start, tokens = match.start(), []
            depth += 1
        tokens.append(token)
        if token == ")":
            depth -= 1
            if depth == 0:
                yield start, at, tokens


def read(path: Path) -> Iterator[Item]:
    """The components of a file, in order."""
    text = path.read_text(encoding="utf-8")
    for start, end, tokens in _forms(text):
        line = text.count("\n", 0, start) + 1
        source = text[start:end]
        kind, message = tokens[1], ""
        if kind in ("assert_invalid", "assert_malformed"):
            message = tokens[-2]
            source = source[source.index("(", 1) : source.rindex(message)].strip()
            tokens = tokens[2:-2]
        elif kind == "assert_trap" and tokens[2:4] == ["(", "component"] and "binary" not in tokens:
            kind, tokens = "component", tokens[2:-2]
            source = source[source.index("(", 1) : source.rindex('"', 0, source.rindex('"'))].strip()
        if kind not in ("component", "assert_invalid", "assert_malformed") or tokens[2] == "instance":
            continue
        words = [word for word in tokens[2:5] if not word.startswith("$")]
        definition = words[0] == "definition"
        form = words[1] if definition else words[0]
        if definition:
            source = source.replace(" definition", "", 1)
        if form in ("binary", "quote"):
            strings = [string(token) for token in tokens if token.startswith('"')]
            joined = b"".join(strings) if form == "binary" else b"\n".join(strings)
            yield Item(
                kind,
                line,
                joined.decode(errors="replace"),
                joined if form == "binary" else None,
                form == "quote",
                message,
            )
        else:
            yield Item(kind, line, source, None, False, message)

"""Just so much of WIT as the official text of WASI 0.2 has, for comparing rows with it."""

from __future__ import annotations

import re
from pathlib import Path

Shape = dict[str, object]

_TOKEN = re.compile(r"%?[a-zA-Z][\w-]*|->|[{}()<>,;:=_.@/*]|\d[\w.-]*")


class Text:
    """The tokens of one file; comments and gates are gone."""

    def __init__(self, text: str) -> None:
        text = re.sub(r"//[^\n]*", "", text)
        text = re.sub(r"@(since|unstable|deprecated)\([^)]*\)", "", text)
        self.tokens = [token.lstrip("%") for token in _TOKEN.findall(text)]
        self.at = 0

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> None:
        for word in wanted:
            got = self.next()
            assert got == word, (
                f"{got!r} where {word!r} was expected, near {self.tokens[self.at - 8 : self.at]}"
            )

    def until(self, end: str) -> str:
        """What stands before `end`, as one word without blanks."""
        found = ""
        while self.peek() != end:
            found += self.next()
        self.next()
        return found

    def type(self) -> str:
        name = self.next()
        if self.peek() != "<":
            return name
        self.take("<")
        parts = [self.type()]
        while self.peek() == ",":
            self.take(",")
            parts.append(self.type())
        self.take(">")
        return f"{name}<{','.join(parts)}>"

    def func(self) -> tuple[list[tuple[str, str]], str]:
        """``func(a: u32) -> u32``: parameters and result ("" for none)."""
        self.take("func", "(")
        params = []
        while self.peek() != ")":
            name = self.next()
            self.take(":")
            params.append((name, self.type()))
            if self.peek() == ",":
                self.take(",")
        self.take(")")
        result = ""
        if self.peek() == "->":
            self.take("->")
            result = self.type()
        self.take(";")
        return params, result

    def items(self) -> list[str]:
        """``{ a, b(c), d: e, }``: the parts, without blanks."""
        self.take("{")
        found = []
        while self.peek() != "}":
            item = self.next()
            if self.peek() == "(":
                self.take("(")
                item += f"({self.type()})"
                self.take(")")
            elif self.peek() == ":":
                self.take(":")
                item += f":{self.type()}"
            found.append(item)
            if self.peek() == ",":
                self.take(",")
        self.take("}")
        return found

    def interface(self) -> Shape:
        """Name to what it is: ("enum", cases), ("func", parameters, result) ..."""
        found: Shape = {}
        self.take("{")
        while self.peek() != "}":
            word = self.next()
            if word == "use":
                self.until(";")
            elif word == "type":
                name = self.next()
                self.take("=")
                found[name] = ("type", self.type())
                self.take(";")
            elif word in ("enum", "flags", "record", "variant"):
                name = self.next()
                found[name] = (word, self.items())
            elif word == "resource":
                self.resource(found)
            else:
                self.take(":")
                found[word] = ("func", *self.func())
        self.take("}")
        return found

    def resource(self, found: Shape) -> None:
        name = self.next()
        found[name] = ("resource",)
        if self.peek() == ";":
            self.take(";")
            return
        self.take("{")
        while self.peek() != "}":
            method = self.next()
            self.take(":")
            found[f"{name}.{method}"] = ("func", *self.func())
        self.take("}")


def official(folder: Path) -> dict[str, Shape]:
    """The interfaces below ``proposals``, those of http apart: "io/streams" to its parts."""
    found = {}
    for path in sorted(p for p in folder.glob("*/wit/*.wit") if p.parts[-3] != "http"):
        text = Text(path.read_text(encoding="utf-8"))
        while text.peek():
            word = text.next()
            if word == "package":
                text.until(";")
            elif word == "interface":
                name = text.next()
                found[f"{path.parent.parent.name}/{name}"] = text.interface()
            elif word == "world":
                text.until("{")
                depth = 1
                while depth:
                    token = text.next()
                    depth += (token == "{") - (token == "}")
    return found

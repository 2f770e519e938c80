"""The option parser, its errors, and the help that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from wasi_native.cli.options import FLAG, LIST, MAYBE, VALUE, Command, Usage, parse, seconds, size, whole

TABLE = (
    ("--flag", FLAG, "", "a flag"),
    ("--value", VALUE, "V", "a value " + "with many words " * 10),
    ("--list", LIST, "L", "a list"),
    ("--maybe", MAYBE, "M", "perhaps a value"),
    ("--a-very-long-name", VALUE, "WITH-A-LONG-VALUE", "x"),
)
MIXED = Command("verb", "[OPTIONS] WORDS", "About it.", TABLE, "Examples:\n  none\n")
GREEDY = Command("verb", "[OPTIONS] WORDS", "About it.", TABLE, greedy=True)


@pytest.mark.parametrize(
    ("words", "options", "rest"),
    [
        ("", {}, []),
        ("a b", {}, ["a", "b"]),
        ("--flag a --value 1", {"--flag": True, "--value": "1"}, ["a"]),
        ("--value=1 --value 2", {"--value": "2"}, []),
        ("--value= x", {"--value": ""}, ["x"]),
        ("--list a --list=b=c", {"--list": ["a", "b=c"]}, []),
        ("--maybe x", {"--maybe": True}, ["x"]),
        ("--maybe=x", {"--maybe": "x"}, []),
        ("--value --flag", {"--value": "--flag"}, []),
        ("a -- --flag --", {}, ["a", "--flag", "--"]),
        ("-", {}, ["-"]),
        ("-h", {"--help": True}, []),
    ],
)
def test_parse(words: str, options: dict[str, Any], rest: list[str]) -> None:
    assert parse(MIXED, words.split()) == (options, rest)


def test_greedy_leaves_the_rest_alone() -> None:
    assert parse(GREEDY, ["--flag", "a", "--flag", "--", "--nope"]) == (
        {"--flag": True},
        ["a", "--flag", "--", "--nope"],
    )
    assert parse(GREEDY, ["--", "--flag"]) == ({}, ["--flag"])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("--flagg", "there is no option --flagg; did you mean --flag?"),
        ("-x", "there is no option -x"),
        ("--fla", "there is no option --fla"),
        ("--flag=1", "--flag takes no value"),
        ("--value", "--value needs a value: --value V"),
    ],
)
def test_mistakes(words: str, text: str) -> None:
    with pytest.raises(Usage, match=text):
        parse(MIXED, words.split())


def test_help() -> None:
    text = MIXED.help()
    assert text.startswith("Usage: wasi-native verb [OPTIONS] WORDS\n\nAbout it.\n\nOptions:\n  --flag ")
    assert text.endswith("\n\nExamples:\n  none\n")
    assert "  --maybe[=M] " in text and "  --help " in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("64KiB", 65536), ("64 KiB", 65536), ("1.5MiB", 3 << 19), ("2kB", 2000), ("1GiB", 1 << 30)],
)
def test_size(text: str, value: int) -> None:
    assert size("--x", text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "0", "-1", "1e3", "1K", "KiB", "0.1", "9" * 30, "1.2.3", "٣", "1_0"]
)
def test_no_size(text: str) -> None:
    with pytest.raises(Usage, match="--x"):
        size("--x", text)


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("0.5", 0.5), ("250ms", 0.25), ("2min", 120), ("1h", 3600)]
)
def test_seconds(text: str, value: float) -> None:
    assert seconds("--x", text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-1", "0", "1d", "1e9", "9" * 11])
def test_no_seconds(text: str) -> None:
    with pytest.raises(Usage, match="--x"):
        seconds("--x", text)


def test_whole() -> None:
    assert whole("--x", "42") == 42
    for text in ("", "0", "-1", "1.5", "x", "٣", "9" * 19):
        with pytest.raises(Usage, match="--x"):
            whole("--x", text)

"""Tables, complaints, and that nothing reaches a terminal raw."""

from __future__ import annotations

import io
import json

import pytest

from wasi_native.cli import out


def test_clean() -> None:
    assert out.clean("plain ünïcode") == "plain ünïcode"
    assert out.clean("a\x1b[2J\r\nb\x00\x9b\u202e\u200b\U000e0001") == (
        "a\\x1b[2J\\r\\nb\\x00\\x9b\\u202e\\u200b\\U000e0001"
    )
    assert out.clean("\udcff") == "\\udcff"


def test_complain(capsys: pytest.CaptureFixture[str]) -> None:
    out.complain("me", "bad\nme: forged", "more\x1b")
    assert capsys.readouterr().err == "me: bad\\nme: forged\n  more\\x1b\n"


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    out.report("me", "bad\n  at a:1\nforged: \x1b", "more")
    assert capsys.readouterr().err == "me: bad\n  at a:1\n  forged: \\x1b\n  more\n"


def test_complain_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    out.complain("me", "x")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stderr", closed)
    out.complain("me", "x")


def test_table() -> None:
    text = out.table(("NAME", "SIZE"), [("a\n", "1"), ("long name", "100"), ("c", "")])
    assert text == "NAME       SIZE\na\\n           1\nlong name   100\nc\n"
    assert out.table(("A", "B"), []) == "A  B\n"


def test_fields() -> None:
    assert out.fields([("a", "1"), ("empty", ""), ("long", "x\x1b")]) == "  a     1\n  long  x\\x1b\n"
    assert out.fields([]) == ""


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (1 << 32, "4 GiB"),
        (1 << 60, "1048576 TiB"),
    ],
)
def test_human(count: int, text: str) -> None:
    assert out.human(count) == text


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    out.json({"a": ["\x1b"]})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": ["\x1b"]} and "\x1b" not in text


def test_say_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(OSError, match="closed"):
        out.say("x")

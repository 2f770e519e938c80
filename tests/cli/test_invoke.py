"""``run --invoke`` on components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.component.build import encode
from tests.host.test_component_instance import RUN
from tests.host.world import COUNTERS
from wasi_native.cli.invoke import parse

Tool = Callable[..., Any]


@pytest.fixture
def counters(tmp_path: Path) -> str:
    (tmp_path / "c.wasm").write_bytes(encode(COUNTERS))
    return "c.wasm"


def test_invoke(tool: Tool, counters: str) -> None:
    assert tool("run", "--invoke", "add", counters, "40", "0x2").out == "42\n"
    assert tool("run", "--invoke", "echo", counters, "h\xe9 x").out == "h\xe9 x\n"
    assert tool("run", "--invoke", "bytes", counters, "ab").out == "b'ab'\n"
    done = tool("run", "--invoke", "test:own/counters#swap", counters, "{'x': 1, 'from': 2}")
    assert (done.status, done.out) == (0, "Point(x=2, from_=1)\n")


def test_mistakes(tool: Tool, counters: str) -> None:
    for args, words in (
        (["add", counters, "1"], "2 arguments are needed (a: u32, b: u32), not 1"),
        (["add", counters, "1", "x"], "b: 'x' is no u32"),
        (["add", counters, "1", "-1"], "out of range of u32"),
        (["test:own/counters#swap", counters, "{"], "is no record as Python writes one"),
        (["test:own/counters#take-over", counters, "1"], "cannot be written on a command line"),
    ):
        done = tool("run", "--invoke", *args)
        assert done.status == 2 and words in done.err
    done = tool("run", "--invoke", "nope", counters)
    assert done.status == 126 and "no export 'nope'" in done.err
    done = tool("run", "--invoke", "crash", counters)
    assert done.status == 134 and "unreachable" in done.err


@pytest.mark.parametrize("code", [0, 1])
def test_a_program(tool: Tool, tmp_path: Path, code: int) -> None:
    (tmp_path / "p.wat").write_text(RUN.format(code=code, version="0.2.3"))
    assert tool("run", "p.wat").status == code
    done = tool("run", "--invoke", "x", "p.wat")
    assert done.status == 126


def test_text_that_begins_with_a_comment(tool: Tool, counters: str, tmp_path: Path) -> None:
    (tmp_path / "c.wat").write_text(f";; counters\n{COUNTERS}")
    assert tool("run", "--invoke", "add", "c.wat", "40", "2").out == "42\n"


def test_values() -> None:
    from tests.component.kinds import Kinds

    for kind, text, value in (
        ("bool", "true", True),
        ("f64", "1.5", 1.5),
        ("(option u8)", "none", None),
        ("(option u8)", "3", 3),
        ("$color", "red", "red"),
        ("$perms", "read,write-all", ["read", "write-all"]),
        ("(list u16)", "[1, 2]", [1, 2]),
        ("(tuple u8 string)", "(1, 'a')", (1, "a")),
    ):
        kinds = Kinds(kind)
        found = parse(text, kinds.func.params[0][1])
        assert found == value
        kinds.put(found)
    with pytest.raises(ValueError, match="neither true nor false"):
        parse("1", Kinds("bool").func.params[0][1])

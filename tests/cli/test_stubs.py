"""``wasi-native stubs``: to standard output or a file; one clear line for what has no interfaces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.component.asm import HEAD, MODULE
from tests.component.build import HERE, fixture

Tool = Callable[..., Any]


def test_a_component(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "interfaces.wasm").write_bytes(fixture("interfaces"))
    text = (HERE / "fixtures" / "interfaces.pyi.txt").read_text()
    done = tool("stubs", "interfaces.wasm")
    assert (done.status, done.out, done.err) == (0, text, "")
    done = tool("stubs", "interfaces.wasm", "-o", "x.pyi")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert (tmp_path / "x.pyi").read_text() == text


@pytest.mark.parametrize(
    ("data", "words"),
    [(MODULE, "this is a core module"), (HEAD + b"\7\1\5", "byte 11"), (b"", "is empty")],
)
def test_what_has_none(tool: Tool, tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "c.wasm").write_bytes(data)
    done = tool("stubs", "c.wasm")
    assert done.status == 1 and done.out == "" and words in done.err and done.err.count("\n") == 1


def test_mistakes(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "interfaces.wasm").write_bytes(fixture("interfaces"))
    assert tool("stubs").status == tool("stubs", "a", "b").status == 2
    assert "gone.wasm: No such file" in tool("stubs", "gone.wasm").err
    done = tool("stubs", "interfaces.wasm", "-o", "no/such/x.pyi")
    assert done.status == 1 and "no/such/x.pyi: No such file" in done.err

"""``wasi-native wit``: text for components, one clear line for everything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.component.asm import FUNC, HEAD, MODULE, component, plain, section, types
from tests.component.build import HERE, fixture

Tool = Callable[..., Any]


@pytest.mark.parametrize("kind", ["composed", "interfaces"])
def test_a_component(tool: Tool, tmp_path: Path, kind: str) -> None:
    (tmp_path / "c.wasm").write_bytes(fixture(kind))
    env = {"WASI_NATIVE_ENGINE_PATH": "/nowhere", "WASI_NATIVE_ENGINE": "nope"}
    done = tool("wit", "c.wasm", env=env)
    assert done.status == 0 and done.err == ""
    assert done.out == (HERE / "fixtures" / f"{kind}.wit").read_text()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (MODULE, "this is a core module, which has no world: WIT describes components"),
        (HEAD + b"\7\1\5", "c.wasm: byte 11, in the type section"),
        (HEAD[:5], "truncated"),
        (b"(component)", "is WebAssembly text"),
        (b"", "is empty"),
        (component(types(FUNC), section(10, plain("a\x1b[2J") + b"\1\0")), "'a\\x1b[2J'"),
    ],
)
def test_what_has_no_world(tool: Tool, tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "c.wasm").write_bytes(data)
    done = tool("wit", "c.wasm")
    assert done.status == 1 and done.out == "" and "\x1b" not in done.err
    assert done.err.startswith("wasi-native wit: ") and words in done.err and done.err.count("\n") == 1


def test_mistakes(tool: Tool) -> None:
    assert tool("wit").status == tool("wit", "a", "b").status == tool("wit", "--json", "a").status == 2
    done = tool("wit", "gone.wasm")
    assert done.status == 1 and "gone.wasm: No such file" in done.err

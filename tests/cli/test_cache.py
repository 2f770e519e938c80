"""``wasi-native cache``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tool = Callable[..., Any]
Guest = Callable[[str], str]


@pytest.fixture
def here(tmp_path: Path) -> dict[str, str]:
    return {"WASI_NATIVE_CACHE": str(tmp_path / "cache")}


def test_all_of_it(tool: Tool, guest: Guest, here: dict[str, str]) -> None:
    assert tool("cache", "list", env=here).out == f"0 entries, 0 bytes, in {here['WASI_NATIVE_CACHE']}\n"
    done = tool("cache", "precompile", guest("hello"), guest("args"), env=here)
    assert done.status == 0 and done.out.count("compiled for wasmtime") == 2
    lines = tool("cache", "list", env=here).out.splitlines()
    assert lines[0].startswith("MODULE (SHA-256)") and len(lines) == 4 and lines[-1].startswith("2 entries, ")
    found = json.loads(tool("cache", "list", "--json", env=here).out)
    assert found["root"] == here["WASI_NATIVE_CACHE"]
    assert {entry["engine"] for entry in found["entries"]} == {"wasmtime"}
    names = sorted(os.listdir(found["root"]))
    assert tool("run", guest("hello"), env=here).out == "hello\n"
    assert sorted(os.listdir(found["root"])) == names, "the run used what was compiled before"
    assert tool("cache", "precompile", "--fuel", guest("hello"), env=here).status == 0
    assert len(os.listdir(found["root"])) == 6
    assert tool("cache", "clear", env=here).out.startswith("3 entries removed")
    assert os.listdir(found["root"]) == []


def test_what_cannot_be_compiled(tool: Tool, guest: Guest, tmp_path: Path, here: dict[str, str]) -> None:
    (tmp_path / "bad.wasm").write_bytes(b"\0asm\1\0\0\0\xff")
    done = tool("cache", "precompile", "bad.wasm", "gone.wasm", guest("hello"), env=here)
    assert done.status == 1 and "bad.wasm" in done.err and "gone.wasm" in done.err
    assert "hello.wat: compiled" in done.out
    assert tool("cache", "precompile", "--engine", "fake", guest("hello"), env=here).status == 1
    assert tool("cache", "precompile", "--engine", "nope", guest("hello"), env=here).status == 1


def test_a_cache_that_is_refused(tool: Tool, guest: Guest, here: dict[str, str]) -> None:
    os.mkdir(here["WASI_NATIVE_CACHE"])
    os.chmod(here["WASI_NATIVE_CACHE"], 0o777)
    for words in (["list"], ["clear"], ["precompile", guest("hello")]):
        done = tool("cache", *words, env=here)
        assert done.status == 1 and "chmod 700" in done.err


@pytest.mark.parametrize(
    "words",
    ["", "nope", "list x", "clear x", "precompile", "list --engine x", "clear --json", "precompile --json x"],
)
def test_usage(tool: Tool, words: str) -> None:
    done = tool("cache", *words.split())
    assert done.status == 2 and "--help" in done.err

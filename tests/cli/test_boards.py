"""``wasi-native boards``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wasi_native import __version__
from wasi_native.board import Board

Tool = Callable[..., Any]


def test_list(tool: Tool) -> None:
    lines = tool("boards").out.splitlines()
    assert lines[0].split()[:3] == ["ID", "ARCH", "LIBC"]
    assert [line.split()[0] for line in lines[1:]] == Board.list()
    assert [entry["id"] for entry in json.loads(tool("boards", "--json").out)] == Board.list()


@pytest.mark.parametrize("name", Board.list())
def test_one(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from wasi_native.cli import main

    assert main(["boards", name]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{name}\n") and "userland " in text and "\nlimits L" in text
    assert main(["boards", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == Board.load(name).to_dict()


def test_the_line_that_installs(tool: Tool) -> None:
    wheel = f"python -m pip install wasi_native-{__version__}-cp311-abi3-"
    text = tool("boards", "raspberry-pi-zero-w").out
    assert f"install      {wheel}linux_armv6l.whl\n" in text
    assert "wasi-native compile GUEST.wasm --board raspberry-pi-zero-w -o GUEST.wno, on a PC" in text
    assert "pip install pywasm3" in text and "wasmtime" not in text
    both = tool("boards", "raspberry-pi-4").out
    assert f"{wheel}manylinux_2_17_aarch64.whl" in both and f"{wheel}manylinux_2_17_armv7l.whl" in both
    assert "wasmtime, which the wheel brings" in both
    none = tool("boards", "openwrt-mt7628").out
    assert "pip install wasi_native" not in none and "build the package with packaging/openwrt" in none


def test_here_and_a_file(tool: Tool, tmp_path: Path) -> None:
    assert tool("boards", "here").out.startswith(Board.detect().id)
    source = Path(Board.load("milkv-duo").source)
    (tmp_path / "mine.toml").write_text(source.read_text().replace('"milkv-duo"', '"mine"', 1))
    assert tool("boards", "mine.toml").out.startswith("mine\n")


def test_mistakes(tool: Tool) -> None:
    done = tool("boards", "raspbery-pi-5")
    assert done.status == 1 and "did you mean raspberry-pi-5" in done.err and "wasi-native boards" in done.err
    assert tool("boards", "a", "b").status == 2
    assert tool("boards", "--jsn").status == 2
    assert tool("boards", "nowhere.toml").status == 1

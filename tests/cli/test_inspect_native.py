"""``wasi-native inspect`` of compiled guests: the manifest, the signature, the policy's verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import wno
from wasi_native import aot, elf
from wasi_native.aot_sign import new_key, public_key, sign

Tool = Callable[..., Any]
PRIVATE, PUBLIC = new_key()
KEY = public_key(PUBLIC)


@pytest.fixture
def plain(tmp_path: Path) -> bytes:
    data = wno.file(board="raspberry-pi-4", isa="armv8-a", depth=7, interrupt=False, fuel=True)
    (tmp_path / "a.wno").write_bytes(data)
    return data


def test_the_manifest(tool: Tool, plain: bytes) -> None:
    done = tool("inspect", "a.wno")
    assert done.status == 0 and done.err == ""
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    for line in (
        "a.wno",
        f"sha256 {aot.read('x', plain).sha256}",
        "signature none",
        "module plugin.wasm, 1.2 KiB",
        f"its sha256 {'5a' * 32}",
        "imports of wasi_snapshot_preview1",
        "board raspberry-pi-4",
        "target x86_64, armv8-a, glibc",
        "interface version 1, 64 bits",
        "options bounds explicit, loops are not interrupted, fuel is counted, at most 7 nested calls",
        "flags -O2 -fPIC",
        "made with wasm2c 1.0.39",
        "made with zig 0.17.0",
    ):
        assert line in lines, line
    assert "policy" not in done.out


def test_json(tool: Tool, plain: bytes) -> None:
    found = json.loads(tool("inspect", "--json", "a.wno").out)
    assert found["manifest"] == json.loads(aot.read("x", plain).manifest.to_bytes())
    assert (found["signature"], found["verdict"], found["size"]) == ("none", "", len(plain))
    here = elf.here()
    assert (found["fits"] == "yes") == (here.arch == "x86_64" and here.libc in ("glibc", "unknown"))


def test_by_content_whatever_the_name(tool: Tool, plain: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.wasm").write_bytes(plain)
    assert "kind" in tool("inspect", "a.wasm").out


def test_signatures(tool: Tool, plain: bytes, tmp_path: Path) -> None:
    signed = sign("a.wno", plain, PRIVATE)
    (tmp_path / "a.wno").write_bytes(signed)
    done = tool("inspect", "a.wno")
    assert done.status == 0 and KEY in done.out and "signature" in done.out and "good" in done.out
    bad = bytearray(signed)
    bad[-20] ^= 1
    (tmp_path / "a.wno").write_bytes(bad)
    done = tool("inspect", "a.wno")
    assert done.status == 1 and "WRONG: tampered with: its signature is not one of the key" in done.out


def test_policies(tool: Tool, plain: bytes, tmp_path: Path) -> None:
    digest = aot.read("x", plain).sha256
    (tmp_path / "yes.toml").write_text(f'[native]\nfiles = ["{digest}"]\n')
    (tmp_path / "no.toml").write_text(f'[native]\nkeys = ["{KEY}"]\n')
    done = tool("inspect", "--policy", "yes.toml", "a.wno")
    assert done.status == 0 and "policy" in done.out and "allowed" in done.out
    done = tool("inspect", "--policy", "no.toml", "a.wno")
    assert done.status == 1 and "denied: Policy.native: a.wno is native code that is not allowed" in done.out
    (tmp_path / "a.wno").write_bytes(sign("a.wno", plain, PRIVATE))
    assert tool("inspect", "--policy", "no.toml", "a.wno").status == 0


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\0asm\1\0\0\0", wno.file()[:-1], wno.file()[:200]])
def test_what_is_none(tool: Tool, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.wno").write_bytes(data)
    done = tool("inspect", "bad.wno")
    assert done.status == 1 and done.out == "" and done.err.startswith("wasi-native inspect: bad.wno: ")
    assert done.err.count("\n") == 1


def test_no_file(tool: Tool) -> None:
    assert "none.wno: No such file" in tool("inspect", "none.wno").err

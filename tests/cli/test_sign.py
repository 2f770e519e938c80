"""``wasi-native sign``: key pairs, signatures, and what is left alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import wno
from wasi_native import Native, aot
from wasi_native.aot_sign import public_key, verify

Tool = Callable[..., Any]


@pytest.fixture
def key(tool: Tool, tmp_path: Path) -> str:
    """A key pair release.pem, release.pem.pub in the tool's folder; the public key's digits."""
    done = tool("sign", "--new-key", "release.pem")
    assert done.status == 0 and done.err == ""
    return public_key((tmp_path / "release.pem.pub").read_bytes())


def test_a_new_key_pair(tool: Tool, tmp_path: Path, key: str) -> None:
    assert (tmp_path / "release.pem").stat().st_mode & 0o777 == 0o600
    command = ["openssl", "pkey", "-in", "release.pem", "-pubout"]
    public = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    assert public == (tmp_path / "release.pem.pub").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["release.pem", "release.pem.pub"]
    before = (tmp_path / "release.pem").read_bytes()
    again = tool("sign", "--new-key", "release.pem")
    assert again.status == 1 and "release.pem is there already, and a key is not written over" in again.err
    (tmp_path / "other.pub").symlink_to("nowhere")
    assert "other.pub is there already" in tool("sign", "--new-key", "other").err
    assert (tmp_path / "release.pem").read_bytes() == before and not (tmp_path / "other").exists()


def test_the_lines_to_paste_are_right(tool: Tool, tmp_path: Path) -> None:
    out = tool("sign", "--new-key", "k.pem").out
    digits = public_key((tmp_path / "k.pem.pub").read_bytes())
    assert f'Policy(native=Native(keys=["{digits}"]))' in out and f'[native]  keys = ["{digits}"]' in out
    assert Native(keys=[digits]).keys == (digits,)


def test_signed_in_place(tool: Tool, tmp_path: Path, key: str) -> None:
    (tmp_path / "a.wno").write_bytes(wno.file())
    (tmp_path / "b.wno").write_bytes(wno.file(module="b.wasm"))
    done = tool("sign", "--key", "release.pem", "a.wno", "b.wno")
    assert done.status == 0 and done.err == ""
    found = aot.read("a.wno", (tmp_path / "a.wno").read_bytes())
    assert found.key == key and f"a.wno: signed with the key {key}\n  sha256 {found.sha256}\n" in done.out
    verify(found)
    again = tool("sign", "--key", "release.pem", "a.wno")
    assert "a.wno: signed again" in again.out and (tmp_path / "a.wno").stat().st_size == found.size
    assert sorted(os.listdir(tmp_path)) == ["a.wno", "b.wno", "release.pem", "release.pem.pub"]


def test_signed_elsewhere(tool: Tool, tmp_path: Path, key: str) -> None:
    (tmp_path / "a.wno").write_bytes(wno.file())
    assert tool("sign", "--key", "release.pem", "-o", "signed.wno", "a.wno").status == 0
    assert (tmp_path / "a.wno").read_bytes() == wno.file()
    verify(aot.read("x", (tmp_path / "signed.wno").read_bytes()))


def test_a_key_of_openssl(tool: Tool, tmp_path: Path) -> None:
    """By the two commands that --help shows."""
    commands = [
        line.strip() for line in tool("sign", "--help").out.splitlines() if line.startswith("  openssl ")
    ]
    for command in commands:
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    (tmp_path / "a.wno").write_bytes(wno.file())
    assert tool("sign", "--key", "release.pem", "a.wno").status == 0
    found = aot.read("x", (tmp_path / "a.wno").read_bytes())
    assert found.key == public_key((tmp_path / "release.pem.pub").read_bytes())


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--key", "release.pem.pub", "a.wno"], "this is a public key; signing takes the private one"),
        (["--key", "a.wno", "a.wno"], "not an Ed25519 private key"),
        (["--key", "none.pem", "a.wno"], "none.pem: No such file"),
        (["--key", "release.pem", "none.wno"], "none.wno: No such file"),
        (["--key", "release.pem", "bad.wno"], "bad.wno: damaged or tampered with"),
        (["--key", "release.pem", "-o", "/dev/null", "a.wno"], "/dev/null: it is there, and no regular file"),
        (["--key", "release.pem", "-o", "folder", "a.wno"], "folder: it is there, and no regular file"),
        (["--key", "release.pem", "-o", "none/a.wno", "a.wno"], "none/a.wno: No such file"),
    ],
)
def test_what_cannot_be_signed(tool: Tool, tmp_path: Path, key: str, args: list[str], text: str) -> None:
    (tmp_path / "a.wno").write_bytes(wno.file())
    (tmp_path / "bad.wno").write_bytes(wno.file().replace(b"code", b"evil", 1))
    (tmp_path / "folder").mkdir()
    before = sorted(os.listdir(tmp_path))
    done = tool("sign", *args)
    assert done.status == 1 and text in done.err and done.out == ""
    assert (tmp_path / "a.wno").read_bytes() == wno.file() and sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["a.wno"],
        ["--key", "k"],
        ["--key", "k", "--new-key", "l", "a.wno"],
        ["--new-key", "k", "a.wno"],
        ["--new-key", "k", "-o", "l"],
        ["--key", "k", "-o", "x", "a.wno", "b.wno"],
    ],
)
def test_mistakes(tool: Tool, tmp_path: Path, args: list[str]) -> None:
    done = tool("sign", *args)
    assert done.status == 2 and "wasi-native sign --help shows the options" in done.err
    assert os.listdir(tmp_path) == []


def test_without_the_package(tool: Tool, tmp_path: Path, environment: dict[str, str], key: str) -> None:
    (tmp_path / "away" / "cryptography").mkdir(parents=True)
    (tmp_path / "away" / "cryptography" / "__init__.py").write_text("raise ImportError('not here')\n")
    (tmp_path / "a.wno").write_bytes(wno.file())
    path = f"{tmp_path / 'away'}:{environment['PYTHONPATH']}"
    for args in (["--key", "release.pem", "a.wno"], ["--new-key", "other.pem"]):
        done = tool("sign", *args, env={"PYTHONPATH": path})
        assert done.status == 1
        assert "the package cryptography is missing; python -m pip install 'wasi_native[sign]'" in done.err

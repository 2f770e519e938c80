"""The roots, how they are run, and what of it can be seen without one."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.boards import apt, launch, programs
from tests.boards.builder import serving
from tests.boards.cache import BoardError
from tests.boards.roots import ROOTS
from tests.boards.run import HEAD, SHORT, Result, table
from tests.guests import aot, build
from wasi_native.wheels.targets import TARGETS

REPOSITORY = Path(__file__).resolve().parents[2]


def test_each_wheel_has_a_root() -> None:
    """But for the machine that the other tests run on."""
    tags = {target.tag for target in TARGETS}
    assert tags - {root.wheel for root in ROOTS.values()} == {"manylinux_2_17_x86_64"}
    assert {root.wheel for root in ROOTS.values()} <= tags


def test_the_short_set_is_there() -> None:
    assert [path for path in SHORT if not (REPOSITORY / path).exists()] == []


def test_roots_are_found_by_name() -> None:
    assert [root.name for root in launch.find(["armv6l"])] == ["armv6l"]
    assert {root.name for root in launch.find([])} == {
        "i386",
        "aarch64",
        "armv7l",
        "riscv64",
        "armv6l",
        "musl",
    }
    assert len(launch.find([], long=True)) == len(ROOTS)
    with pytest.raises(BoardError, match=r"no root 'mips'; there are: i386, "):
        launch.find(["mips"])


def test_arm1176_is_what_armv6_runs_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WASI_NATIVE_BOARDS", str(tmp_path))
    words = launch.command(ROOTS["armv6l"], "7", "me")
    assert words[0] == str(tmp_path / "qemu-7" / "qemu-arm-static") and words[1:5] == [
        "-0",
        "me",
        "-cpu",
        "arm1176",
    ]
    assert launch.command(ROOTS["i386"])[:2] == ["setarch", "i686"]


def test_a_wrapper_stands_for_its_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WASI_NATIVE_BOARDS", str(tmp_path))
    script = launch.wrapper(ROOTS["aarch64"], "10")
    assert script == launch.wrapper(ROOTS["aarch64"], "10") and script.stat().st_mode & 0o111
    text = script.read_text()
    assert f"'-0' '{script}'" in text and text.endswith(' "$@"\n')


def test_a_program_with_another_loader(tmp_path: Path) -> None:
    """The loader that is named in a program can be any file: here it is a script that says so."""
    loader = tmp_path / "loader"
    loader.write_text("#!/bin/sh\n")
    program = tmp_path / "program"
    program.write_bytes(launch.with_interpreter(Path(sys.executable).resolve().read_bytes(), str(loader)))
    elf = program.read_bytes()
    (headers,), (size, count) = struct.unpack_from("<Q", elf, 32), struct.unpack_from("<HH", elf, 54)
    for at in range(headers, headers + size * count, size):
        if struct.unpack_from("<I", elf, at)[0] == launch.PT_INTERP:
            start, length = (
                struct.unpack_from("<Q", elf, at + 8)[0],
                struct.unpack_from("<Q", elf, at + 32)[0],
            )
            assert elf[start : start + length] == str(loader).encode() + b"\0"
    with pytest.raises(BoardError, match="no program with a dynamic linker"):
        launch.with_interpreter(b"\x7fELF\x02" + bytes(100), "x")


def test_without_apt_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BoardError, match="this system has no apt-get, dpkg-deb: prepare them on Debian"):
        apt.need("apt-get", "dpkg-deb")


def test_what_a_board_asks_for_is_built_beside_it() -> None:
    code = "from tests.guests import build; print(build.guest('hello'))"
    with serving(ROOTS["armv7l"]) as socket:
        env = {"PYTHONPATH": f"{REPOSITORY}", "WASI_NATIVE_BUILDER": socket}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        assert Path(done.stdout.strip()) == build.guest("hello")
        code = "from tests.guests import remote; remote.ask('cake')"
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
        )
        assert "RemoteError: ValueError: a request of kind 'cake'" in done.stderr


def test_what_a_program_does_is_compared_in_each_byte(tmp_path: Path) -> None:
    """The compiled program is as its module; one that prints or leaves something else is not."""
    path = programs.made("stock", aot.Target.native())
    made = json.loads(path.read_text())
    wno = Path(made["wno"])
    assert (made["bytes"], made["module"]) == (
        wno.stat().st_size,
        programs.toolchains.cpp_program().stat().st_size,
    )
    native = ("--engine=wasm2c", f"--allow-native={hashlib.sha256(wno.read_bytes()).hexdigest()}", wno)
    first, second = programs.play("stock", *native)
    assert [first, second] == made["expected"] and set(first["files"]) == {"in", "out"}
    assert programs.play("stock", "--engine=wasmtime", build.guest("hello")) != made["expected"]
    for field in ("code", "stdout", "stderr", "files"):
        assert first[field] != second[field]


def test_the_table() -> None:
    counts = {
        "passed": 3,
        "failed": 0,
        "error": 0,
        "skipped": 1,
        "seconds": 2.5,
        "cpu_seconds": 1.5,
        "engines": {"fake": 2},
    }
    good = Result(ROOTS["armv6l"], "10", "emulated", counts)
    bad = Result(ROOTS["i386"], "", "native", {**counts, "failed": 1})
    assert good.passed and not bad.passed and not Result(ROOTS["i386"], "", "native").passed
    lines = table([good, bad]).splitlines()
    assert lines[0].split("  ")[0] == HEAD[0] and len(lines) == 3
    assert " ".join(lines[1].split()) == "armv6l 3.11 musl 10 openat2 emulated fake 2 3 0 0 1 2.5 1.5"

"""ELF headers of all the machines that boards have, and of this process."""

from __future__ import annotations

import os
import platform
import random
import shutil
import sys
from pathlib import Path
from struct import pack

import pytest

import wasi_native._core
from tests.wno import library
from wasi_native import elf
from wasi_native.board import Board
from wasi_native.elf import Elf


@pytest.mark.parametrize(
    ("arch", "bits", "flags", "wanted"),
    [
        ("x86_64", 64, 0, Elf("x86_64", 64, "", True)),
        ("i686", 32, 0, Elf("x86", 32, "", True)),
        ("aarch64", 64, 0, Elf("aarch64", 64, "", True)),
        ("armv7", 32, 0x5000400, Elf("arm", 32, "hard", True)),
        ("armv6", 32, 0x5000200, Elf("arm", 32, "soft", True)),
        ("armv6", 32, 0x5000000, Elf("arm", 32, "", True)),
        ("riscv64", 64, 5, Elf("riscv", 64, "hard", True)),
        ("riscv64", 64, 0, Elf("riscv", 64, "soft", True)),
        ("mipsel", 32, 0x1000, Elf("mips", 32, "", True)),
    ],
)
def test_headers(arch: str, bits: int, flags: int, wanted: Elf) -> None:
    assert elf.read(library(arch, bits, flags)) == wanted
    assert elf.read(memoryview(library(arch, bits, flags))) == wanted


def test_real_files() -> None:
    ours = elf.read(Path(wasi_native._core.__file__).read_bytes())
    assert (ours.shared, ours.loader) == (True, "") and ours.bits == (64 if sys.maxsize > 2**32 else 32)
    shell = elf.read(Path(os.path.realpath(shutil.which("sh") or "/bin/sh")).read_bytes())
    assert shell.loader.startswith("ld-") and shell.machine == ours.machine


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "does not start as an ELF file"),
        (b"\x7fEL", "does not start as an ELF file"),
        (b"\0asm\1\0\0\0" * 9, "does not start as an ELF file"),
        (b"\x7fELF", "is cut short"),
        (library()[:40], "is cut short"),
        (library().replace(b"ELF\x02\x01", b"ELF\x02\x02"), "of no little-endian machine"),
        (library().replace(b"ELF\x02\x01", b"ELF\x03\x01"), "of no little-endian machine"),
    ],
)
def test_what_is_no_header(data: bytes, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        elf.read(data)


def test_program_headers_that_lie() -> None:
    """Offsets, sizes and counts outside of the file name no loader and read nothing."""
    whole = bytearray(library())
    for start, size, count in ((2**63, 56, 9), (64, 0, 65535), (64, 65535, 65535), (len(whole) - 3, 2, 1)):
        whole[32:40], whole[54:58] = pack("<Q", start), pack("<HH", size, count)
        try:
            assert elf.read(bytes(whole)).loader == ""
        except ValueError as error:
            assert "cut short" in str(error)
    dice = random.Random(7)
    for _ in range(2000):
        bad = bytearray(library())
        for _ in range(dice.randint(1, 8)):
            bad[dice.randrange(4, 64)] = dice.randrange(256)
        try:
            assert isinstance(elf.read(bytes(bad)), Elf)
        except ValueError:
            pass


def test_this_process() -> None:
    here, board = elf.here(), Board.detect()
    assert here.pointer_bits == (64 if sys.maxsize > 2**32 else 32)
    assert here.arch == board.arch
    if platform.libc_ver()[0] == "glibc":
        assert here.libc == "glibc" == board.libc


def test_a_process_by_its_executable(tmp_path: Path) -> None:
    """A program for musl says so, whatever the machine around it has."""
    head = bytearray(library(body=b""))
    text = b"/lib/ld-musl-x86_64.so.1\0"
    head[32:40], head[54:58] = pack("<Q", 64), pack("<HH", 56, 1)
    program = pack("<IIQQQQQQ", 3, 4, 64 + 56, 0, 0, len(text), len(text), 1)
    (tmp_path / "python").write_bytes(bytes(head) + program + text)
    assert elf.here(str(tmp_path / "python")).libc == "musl"
    (tmp_path / "ld-uClibc.so.0").write_bytes(bytes(library()))  # the loader was called to start the program
    assert elf.here(str(tmp_path / "ld-uClibc.so.0")).libc == "uclibc"
    arm = tmp_path / "arm"
    arm.write_bytes(library("armv7", 32, 0x5000400))
    assert elf.here(str(arm)).arch == "armv7" and elf.here(str(arm)).float_abi == "hard"
    (tmp_path / "riscv").write_bytes(library("riscv64", 64, 5))
    assert elf.here(str(tmp_path / "riscv")).arch.startswith("riscv")


def test_a_process_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert elf.here(str(tmp_path / "none")).arch == elf.here().arch  # by sys.executable
    monkeypatch.setattr(sys, "executable", "")
    bare = elf.here(str(tmp_path / "none"))
    assert bare.arch == os.uname().machine and bare.float_abi == "" and bare.libc == elf.here().libc

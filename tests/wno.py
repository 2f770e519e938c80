"""Makes .wno files for tests: sound ones, and headers of machines that are not here."""

from __future__ import annotations

from struct import pack
from typing import Any

from wasi_native import aot, elf

NUMBERS = {"x86": 3, "mips": 8, "arm": 40, "x86_64": 62, "aarch64": 183, "riscv": 243}
FAMILY = {"armv6": "arm", "armv7": "arm", "i686": "x86", "riscv64": "riscv", "mipsel": "mips"}


def library(
    arch: str = "x86_64", bits: int = 64, flags: int = 0, kind: int = 3, body: bytes = b"code" * 50
) -> bytes:
    """An ELF header, and bytes behind it that are no program."""
    number = NUMBERS[FAMILY.get(arch, arch)]
    head = elf.MAGIC + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9) + pack("<HHI", kind, number, 1)
    if bits == 64:
        head += pack("<QQQIHHHHHH", 0, 0, 0, flags, 64, 56, 0, 0, 0, 0)
    else:
        head += pack("<IIIIHHHHHH", 0, 0, 0, flags, 52, 32, 0, 0, 0, 0)
    return head.ljust(64, b"\0") + body


def manifest(**changes: Any) -> aot.Manifest:
    values: dict[str, Any] = {
        "module": "plugin.wasm",
        "sha256": "5a" * 32,
        "size": 1234,
        "imports": ("wasi_snapshot_preview1",),
        "arch": "x86_64",
        "libc": "glibc",
        "pointer_bits": 64,
        "abi": 1,
        "bounds": "explicit",
        "interrupt": True,
        "fuel": False,
        "depth": 0,
        "flags": ("-O2", "-fPIC"),
        "tools": {"wasm2c": "1.0.39", "zig": "0.17.0"},
    }
    return aot.Manifest(**{**values, **changes})


def file(**changes: Any) -> bytes:
    """A whole file that fits the manifest, with code that cannot run."""
    made = manifest(**changes)
    flags = {"hard": 0x400, "soft": 0x200}.get(made.float_abi, 0) if made.arch.startswith("arm") else 0
    return aot.pack(library(made.arch, made.pointer_bits, flags), made)

"""What an ELF file was built for, and what this process is: read from its headers; nothing is run.

The process is asked by its own executable, not by the machine: a 32-bit Python may run below a 64-bit kernel, and
one with musl beside a system with glibc.
"""

from __future__ import annotations

import os
import sys
from struct import error as struct_error
from struct import unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from .record import dataclass

__all__ = ["HEADER", "MAGIC", "Elf", "Machine", "here", "read"]

MAGIC = b"\x7fELF"
HEADER = 64  # bytes of the longest header

_MACHINES = {3: "x86", 8: "mips", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}
_ARM_HARD, _ARM_SOFT, _RISCV_FLOAT = 0x400, 0x200, 6
_LIBCS = {
    "musl": ("ld-musl-",),
    "uclibc": ("ld-uClibc", "ld64-uClibc"),
    "glibc": ("ld-linux", "ld64.so", "ld.so", "ld-2."),
}


@dataclass(frozen=True, slots=True)
class Elf:
    """A header: ``machine`` arm, aarch64, x86, x86_64, riscv, mips or a number; ``bits`` of a pointer;
    ``float_abi`` hard, soft or "" (not said); ``shared``: a shared object (or a position-independent program);
    ``loader``: the name of the dynamic loader that a program asks for, else "".
    """

    machine: str
    bits: int
    float_abi: str
    shared: bool
    loader: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What runs in this process: ``arch`` as boards name it, ``libc`` glibc, musl, uclibc or unknown."""

    arch: str
    libc: str
    float_abi: str
    pointer_bits: int


def read(data: bytes | memoryview) -> Elf:
    """The header at the start of ``data``, little-endian. Raises ValueError with the reason."""
    if bytes(data[:4]) != MAGIC:
        raise ValueError("it does not start as an ELF file does")
    try:
        return _read(data)
    except struct_error:
        raise ValueError("its ELF header is cut short") from None


def _read(data: bytes | memoryview) -> Elf:
    kind, order = unpack_from("BB", data, 4)
    if kind not in (1, 2) or order != 1:
        raise ValueError("its ELF header is of no little-endian machine")
    wide = kind == 2
    _type, number = unpack_from("<HH", data, 16)
    start = unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)[0]
    flags = unpack_from("<I", data, 48 if wide else 36)[0]
    size, count = unpack_from("<HH", data, 54 if wide else 42)
    machine = _MACHINES.get(number, str(number))
    float_abi = ""
    if machine == "arm":
        float_abi = "hard" if flags & _ARM_HARD else "soft" if flags & _ARM_SOFT else ""
    elif machine == "riscv":
        float_abi = "hard" if flags & _RISCV_FLOAT else "soft"
    loader = _loader(data, wide, start, size, count)
    return Elf(machine, 64 if wide else 32, float_abi, _type == 3, loader)


def _loader(data: bytes | memoryview, wide: bool, start: int, size: int, count: int) -> str:
    for index in range(count):
        at = start + index * size
        if at + size > len(data):
            break
        if unpack_from("<I", data, at)[0] == 3:  # PT_INTERP
            place = unpack_from("<Q" if wide else "<I", data, at + (8 if wide else 4))[0]
            length = unpack_from("<Q" if wide else "<I", data, at + (32 if wide else 16))[0]
            text = bytes(data[place : place + min(length, 256)])
            return os.path.basename(text.split(b"\0")[0].decode("ascii", "replace"))
    return ""


def here(path: str = "/proc/self/exe") -> Machine:
    """What this process is, by its executable; where that cannot be read, by the kernel's word."""
    name, found = "", None
    for place in (path, sys.executable or ""):
        try:
            name = os.path.basename(os.path.realpath(place))
            with open(place, "rb") as file:
                found = read(file.read(1 << 16))
            break
        except (OSError, ValueError):
            continue
    machine = os.uname().machine
    bits = 64 if sys.maxsize > 2**32 else 32
    if found is None:
        return Machine(machine, _libc(""), "", bits)
    arch = {"x86": "i686", "riscv": f"riscv{bits}", "mips": "mipsel"}.get(found.machine, found.machine)
    if arch == "arm":
        arch = "armv6" if machine.startswith("armv6") else "armv7"
    return Machine(arch, _libc(found.loader or name), found.float_abi, bits)


def _libc(loader: str) -> str:
    """By the name of the dynamic loader: the process's program names it, or is it."""
    for libc, names in _LIBCS.items():
        if loader.startswith(names):
            return libc
    try:
        if (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return "glibc"
    except (OSError, ValueError):  # a C library that does not know the name
        pass
    return "unknown"

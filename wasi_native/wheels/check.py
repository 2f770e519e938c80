"""What a wheel must be like before it is released: each fault is one line.

auditwheel judges the tag and abi3audit the use of Python; what they cannot know is looked at here: the processor that
the code is for, the symbols of the C library (musl has no versions, and auditwheel takes armv6l for armv7l), the
alignment that machines with large pages need, and what the wheel asks pip to install.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
import zipfile
from pathlib import Path
from typing import IO, Any

from .build import BuildError, run
from .targets import Target

__all__ = ["audited", "check", "faults", "musl_symbols", "objects"]

LIBRARY = "wasi_native/_core.abi3.so"
_MACHINES = {  # class, e_machine, and bits of e_flags that must be there
    "x86_64": (64, "EM_X86_64", 0),
    "aarch64": (64, "EM_AARCH64", 0),
    "armv7l": (32, "EM_ARM", 0x05000400),  # EABI 5, floats in registers
    "armv6l": (32, "EM_ARM", 0x05000400),
    "riscv64": (64, "EM_RISCV", 0x4),  # doubles in registers
    "i686": (32, "EM_386", 0),
}
_LOADERS = {
    "x86_64": "ld-linux-x86-64.so.2",
    "aarch64": "ld-linux-aarch64.so.1",
    "armv7l": "ld-linux-armhf.so.3",
    "armv6l": "ld-linux-armhf.so.3",
    "riscv64": "ld-linux-riscv64-lp64d.so.1",
    "i686": "ld-linux.so.2",
}
_GLIBC = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"}
_PAGES = {"aarch64": 16384, "x86_64": 4096, "riscv64": 4096, "armv7l": 4096, "armv6l": 4096, "i686": 4096}
# Of the attributes of ARM code: the architectures and floating-point units that each machine has.
_V6, _V7 = {6, 7, 9}, {6, 7, 8, 9, 10}  # v6, v6KZ, v6K; v6T2 and v7 have Thumb-2
_UNITS = {"armv6l": {1, 2}, "armv7l": {1, 2, 4}}  # VFPv1, VFPv2; VFPv3-D16


def check(wheel: Path, target: Target, made: Path) -> list[str]:
    """Everything that is wrong with a wheel, and with the objects in ``made`` that it was linked from."""
    return [*faults(wheel, target), *objects(made, target), *audited(wheel, target)]


def faults(wheel: Path, target: Target) -> list[str]:
    """What is wrong with the wheel, by our own eyes."""
    found = _name(wheel, target)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        found += _record(archive, names)
        found += _metadata(archive, names, target)
        libraries = [name for name in names if name.endswith(".so") or ".so." in name]
        if libraries != [LIBRARY]:
            return [*found, f"the libraries in it are {libraries}, not {LIBRARY}"]
        elf = _elf(io.BytesIO(archive.read(LIBRARY)))
    found += _machine(elf, target)
    if target.arch.startswith("armv"):
        found += _arm(elf, target)
    return found + _segments(elf, target) + _dynamic(elf, target) + _symbols(elf, target)


def objects(folder: Path, target: Target) -> list[str]:
    """What is wrong with the objects that a wheel was linked from. A linker keeps the attributes of the first one,
    so the wheel cannot tell of the others."""
    if not target.arch.startswith("armv"):
        return []
    found = []
    for path in sorted(folder.rglob("*.o")):
        with path.open("rb") as file:
            found += [f"{path.name}: {fault}" for fault in _arm(_elf(file), target)]
    return found


def _elf(file: IO[bytes]) -> Any:
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise BuildError("pyelftools is not installed; python -m pip install -e '.[wheels]'") from None
    return ELFFile(file)


def _name(wheel: Path, target: Target) -> list[str]:
    found = []
    if not re.fullmatch(rf"wasi_native-[0-9.a-z]+-cp311-abi3-{target.tag}\.whl", wheel.name):
        found.append(f"its name is {wheel.name}, not wasi_native-VERSION-cp311-abi3-{target.tag}.whl")
    if wheel.stat().st_size > target.size:
        found.append(f"it has {wheel.stat().st_size} bytes, {target.size} are allowed")
    return found


def _record(archive: zipfile.ZipFile, names: list[str]) -> list[str]:
    (record,) = [name for name in names if name.endswith(".dist-info/RECORD")]
    found, listed = [], set()
    for line in archive.read(record).decode().splitlines():
        name, digest, _size = line.rsplit(",", 2)
        listed.add(name)
        real = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).rstrip(b"=").decode()
        if name != record and digest != f"sha256={real}":
            found.append(f"RECORD has another hash of {name}")
    return found + [f"RECORD lacks {name}" for name in names if name not in listed]


def _metadata(archive: zipfile.ZipFile, names: list[str], target: Target) -> list[str]:
    (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
    (about,) = [name for name in names if name.endswith(".dist-info/WHEEL")]
    found = []
    tags = re.findall(r"^Tag: (.*)$", archive.read(about).decode(), flags=re.M)
    if tags != [f"cp311-abi3-{target.tag}"]:
        found.append(f"its tags are {tags}, not cp311-abi3-{target.tag}")
    needs = re.findall(r"^Requires-Dist: ([\w.-]+)", archive.read(metadata).decode(), flags=re.M)
    if ("wasmtime" in needs) != target.wasmtime:
        found.append(
            f"it {'asks' if 'wasmtime' in needs else 'does not ask'} for wasmtime, "
            f"which has {'an' if target.wasmtime else 'no'} engine for {target.arch}"
        )
    return found


def _machine(elf: Any, target: Target) -> list[str]:
    bits, machine, flags = _MACHINES[target.arch]
    found = []
    if (elf.elfclass, elf["e_machine"]) != (bits, machine):
        found.append(f"the code is for {elf['e_machine']} of {elf.elfclass} bits, not {machine} of {bits}")
    elif elf["e_flags"] & flags != flags:
        found.append(f"the flags {elf['e_flags']:#x} lack {flags:#x}: another way of calling functions")
    if not elf.little_endian:
        found.append("the code is big-endian")
    return found


def _arm(elf: Any, target: Target) -> list[str]:
    """The attributes that the compiler left: which instructions there may be."""
    section = elf.get_section_by_name(".ARM.attributes")
    if section is None:
        return ["it does not say for which ARM it is: there are no attributes"]
    got: dict[str, int] = {}
    for part in section.iter_subsections():
        for block in part.iter_subsubsections():
            got |= {a.tag: a.value for a in block.iter_attributes() if isinstance(a.value, int)}
    found = []
    if got.get("TAG_CPU_ARCH") not in (_V6 if target.arch == "armv6l" else _V7):
        found.append(
            f"the code is for architecture {got.get('TAG_CPU_ARCH')} of ARM, too new for {target.arch}"
        )
    if got.get("TAG_FP_ARCH") not in _UNITS[target.arch]:
        found.append(
            f"the code uses floating-point unit {got.get('TAG_FP_ARCH')}, which {target.arch} may lack"
        )
    if got.get("TAG_ADVANCED_SIMD_ARCH", 0):
        found.append(f"the code uses NEON, which {target.arch} may lack")
    if target.arch == "armv6l" and got.get("TAG_THUMB_ISA_USE", 0) > 1:
        found.append("the code uses Thumb-2, which armv6l lacks")
    if got.get("TAG_ABI_VFP_ARGS") != 1:
        found.append("floats are not passed in registers")
    return found


def _segments(elf: Any, target: Target) -> list[str]:
    found = []
    for segment in elf.iter_segments():
        kind = segment["p_type"]
        if kind == "PT_LOAD" and segment["p_align"] % _PAGES[target.arch]:
            found.append(
                f"a segment is aligned to {segment['p_align']}, pages may have {_PAGES[target.arch]}"
            )
        if kind == "PT_LOAD" and segment["p_flags"] & 3 == 3:
            found.append("a segment can be written and executed")
        if kind == "PT_GNU_STACK" and segment["p_flags"] & 1:
            found.append("it asks for an executable stack")
    if elf.get_section_by_name(".symtab") is not None or elf.get_section_by_name(".debug_info") is not None:
        found.append("it is not stripped")
    return found


def _dynamic(elf: Any, target: Target) -> list[str]:
    section = elf.get_section_by_name(".dynamic")
    if section is None:
        return ["it is no shared library"]
    allowed = _GLIBC | {_LOADERS[target.arch]} if target.libc == "glibc" else {target.soname}
    found, needed = [], set()
    for tag in section.iter_tags():
        name = tag.entry.d_tag
        if name == "DT_NEEDED":
            needed.add(tag.needed)
        elif name in ("DT_RPATH", "DT_RUNPATH"):
            found.append(f"it carries a search path: {tag.rpath if name == 'DT_RPATH' else tag.runpath}")
        elif name == "DT_TEXTREL" or (name == "DT_FLAGS" and tag.entry.d_val & 4):
            found.append("its code must be changed when it is loaded (text relocations)")
    found += [f"it needs {name}" for name in sorted(needed - allowed)]
    if target.soname not in needed:
        found.append(f"it does not need {target.soname}")
    return found


def musl_symbols() -> set[str]:
    """What of musl may be used: all of it is in musl 1.2.3."""
    text = Path(__file__).with_name("musl.txt").read_text()
    return {word for line in text.splitlines() if not line.startswith("#") for word in line.split()}


def _symbols(elf: Any, target: Target) -> list[str]:
    """Undefined symbols are Python's, or the C library's of the floor."""
    table = elf.get_section_by_name(".dynsym")
    versions = elf.get_section_by_name(".gnu.version")
    needs = elf.get_section_by_name(".gnu.version_r")
    names = {}
    if needs is not None:
        names = {aux["vna_other"]: aux.name for _need, all_aux in needs.iter_versions() for aux in all_aux}
    known = musl_symbols() | {"__fxstat", "__fxstatat"}  # it has these for programs of glibc
    found, exported = [], set()
    for number, symbol in enumerate(table.iter_symbols()):
        if symbol["st_shndx"] != "SHN_UNDEF":
            exported.add(symbol.name)
            continue
        name = symbol.name
        if not name or re.match(r"_?Py[A-Z_]", name) or symbol["st_info"]["bind"] == "STB_WEAK":
            continue
        if target.libc == "musl":
            if name not in known:
                found.append(f"musl 1.2.3 may lack {name}: see musl.txt")
            continue
        index = versions.get_symbol(number)["ndx"] if versions is not None else 0
        version = names.get(index, "") if isinstance(index, int) else ""
        numbers = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", version)
        if numbers is None:
            found.append(f"nothing says where {name} comes from")
        elif (int(numbers[1]), int(numbers[2])) > target.floor:
            found.append(f"{name} is of {version}, the tag promises {target.floor[0]}.{target.floor[1]}")
        elif target.arch == "armv6l" and name.removesuffix("64") not in known:
            found.append(f"musl may lack {name}: pip has one tag for both C libraries on ARMv6")
    if "PyInit__core" not in exported:
        found.append("it exports no PyInit__core")
    return found


def audited(wheel: Path, target: Target) -> list[str]:
    """What auditwheel and abi3audit say."""
    found = []
    said = _told("abi3audit", "--assume-minimum-abi3", "3.11", "--report", str(wheel))
    if isinstance(said, BuildError):
        found.append(f"abi3audit: {said}")
    if target.arch == "armv6l" or target.for_tests:
        return found  # auditwheel takes the first for armv7l
    said = _told("auditwheel", "show", str(wheel))
    text = " ".join(str(said).split())
    tags = re.findall(r"is consistent with the following platform tag: \"(\w+)\"", text)
    if isinstance(said, BuildError) or not tags:
        found.append(f"auditwheel: {text}")
    elif target.tag not in tags[0] and not _older(tags[0], target):
        found.append(f"auditwheel finds it fit for {tags[0]} alone")
    return found


def _older(tag: str, target: Target) -> bool:
    """Whether this tag promises more than the target's."""
    numbers = re.fullmatch(rf"(many|musl)linux_(\d+)_(\d+)_{target.arch}", tag)
    return numbers is not None and (int(numbers[2]), int(numbers[3])) <= target.floor


def _told(module: str, *arguments: str) -> str | BuildError:
    try:
        return run([sys.executable, "-m", module, *arguments])
    except BuildError as error:
        return error

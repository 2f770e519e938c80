"""How a program of a root is run on this machine: by an emulator, or by the root's own loader."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from tests.boards.cache import BoardError, home
from tests.boards.roots import ROOTS, Root

PT_INTERP = 3
EMULATORS = {  # version: release of Debian, package, what its binaries are called
    "10": ("trixie", "qemu-user", "qemu-{}"),  # has openat2
    "7": ("bookworm", "qemu-user-static", "qemu-{}-static"),  # has not
}


def emulator(root: Root, version: str) -> Path:
    """The qemu for a root."""
    return home() / f"qemu-{version}" / EMULATORS[version][2].format(root.emulator)


def folder(root: Root) -> Path:
    """Where a root is."""
    return home() / root.name


def binary(root: Root) -> Path:
    """Its Python."""
    return folder(root) / "usr" / "bin" / f"python{root.python}"


def command(root: Root, version: str = "10", argv0: str | None = None) -> list[str]:
    """What runs its Python, with ``argv0`` for sys.executable. PYTHONHOME has to be in the environment."""
    top, python = folder(root), binary(root)
    name = argv0 or str(python)
    if root.emulator:
        cpu = ["-cpu", root.cpu] if root.cpu else []
        return [str(emulator(root, version)), "-0", name, *cpu, "-L", str(top), str(python)]
    loader = [str(top / root.loader), "--argv0", name]
    if root.libc == "glibc":
        loader += ["--library-path", ":".join(map(str, sorted(top.glob("**/i386-linux-gnu"))))]
        loader = ["setarch", root.machine, *loader]  # uname: a 32-bit kernel
    return [*loader, str(python)]


def environment(root: Root, *paths: Path) -> dict[str, str]:
    """The environment of its Python: nothing of ours but where it may write."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {
        **env,
        "PYTHONHOME": str(folder(root) / "usr"),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONPYCACHEPREFIX": str(
            home() / "pyc"
        ),  # to compile is most of what a start costs under an emulator
        "PYTHONNOUSERSITE": "1",
        "LC_ALL": "C.UTF-8",
    }


def wrapper(root: Root, version: str) -> Path:
    """A program that stands for the root's Python, as sys.executable too: its children run as it does."""
    script = home() / "bin" / f"python-{root.name}-qemu{version}"
    script.parent.mkdir(exist_ok=True)
    words = " ".join(f"'{word}'" for word in command(root, version, str(script)))
    text = f"#!/bin/sh\nexport PYTHONHOME='{folder(root) / 'usr'}'\nexec {words} \"$@\"\n"
    if not script.is_file() or script.read_text() != text:
        part = script.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.chmod(0o755)
        part.replace(script)
    return script


def readable(root: Root, version: str) -> Path:
    """An executable of the root as pip wants to read it in sys.executable: for musl pip runs the loader that is
    named in there, which is in the root and not in /lib, so a copy names a script that runs it."""
    if root.libc != "musl":
        return binary(root)
    script = home() / "bin" / f"ld-musl-{root.name}-qemu{version}"
    script.parent.mkdir(exist_ok=True)
    words = [word for word in command(root, version)[:-1] if not word.startswith("--")]
    words = [*(words if root.emulator else []), str(folder(root) / root.loader)]
    script.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in words) + ' "$@"\n')
    script.chmod(0o755)
    out = home() / "bin" / f"elf-{root.name}-qemu{version}"
    out.write_bytes(with_interpreter(binary(root).read_bytes(), str(script)))
    return out


def with_interpreter(elf: bytes, path: str) -> bytes:
    """The program with another dynamic linker named in it."""
    wide = elf[4] == 2
    offset, size = (32, 54) if wide else (28, 42)
    (headers,) = struct.unpack_from("<Q" if wide else "<I", elf, offset)
    entry, count = struct.unpack_from("<HH", elf, size)
    name = path.encode() + b"\0"
    out = bytearray(elf)
    for at in (headers + entry * index for index in range(count)):
        if struct.unpack_from("<I", elf, at)[0] != PT_INTERP:
            continue
        if wide:
            struct.pack_into("<Q", out, at + 8, len(elf))
            struct.pack_into("<Q", out, at + 32, len(name))
        else:
            struct.pack_into("<I", out, at + 4, len(elf))
            struct.pack_into("<I", out, at + 16, len(name))
        return bytes(out + name)
    raise BoardError("no program with a dynamic linker")


def find(names: list[str], long: bool = False) -> list[Root]:
    """The roots of these names; without names those of the short set, or all."""
    unknown = [name for name in names if name not in ROOTS]
    if unknown:
        raise BoardError(f"there is no root {unknown[0]!r}; there are: {', '.join(ROOTS)}")
    if names:
        return [ROOTS[name] for name in names]
    return [root for root in ROOTS.values() if long or not root.long]

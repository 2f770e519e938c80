"""CPython for musl, and a musl for ARMv6, built by zig from Debian's source packages.

Debian has no Python on musl, and its armhf is ARMv7: a program of it ends by an illegal instruction on an ARM1176.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import ziglang

from tests.boards import apt
from tests.boards.cache import BoardError, home
from tests.boards.roots import V6, Root
from tests.guests.build import GuestBuildError, once, run_tool

# Linked into the interpreter: setup.py's shared modules would find this machine's headers.
MODULES = {
    name: " ".join(f"{file}.c" for file in files.split())
    for name, _, files in (
        line.strip().partition(" ")
        for line in """\
        array arraymodule
        _asyncio _asynciomodule
        binascii binascii
        _bisect _bisectmodule
        _blake2 _blake2/blake2module _blake2/blake2b_impl _blake2/blake2s_impl
        _contextvars _contextvarsmodule
        _csv _csv
        _datetime _datetimemodule
        fcntl fcntlmodule
        grp grpmodule
        _heapq _heapqmodule
        _json _json
        math mathmodule
        _md5 md5module
        mmap mmapmodule
        _opcode _opcode
        _pickle _pickle
        _posixsubprocess _posixsubprocess
        pyexpat pyexpat
        _queue _queuemodule
        _random _randommodule
        resource resource
        select selectmodule
        _sha1 sha1module
        _sha256 sha256module
        _sha3 _sha3/sha3module
        _sha512 sha512module
        _socket socketmodule
        _statistics _statisticsmodule
        _struct _struct
        termios termios
        unicodedata unicodedata
        zlib zlibmodule""".splitlines()
    )
}
ZLIB = ("adler32", "crc32", "deflate", "infback", "inffast", "inflate")
ZLIB += ("inftrees", "trees", "zutil", "compress", "uncompr")
UNUSED = ("test", "idlelib", "tkinter", "lib2to3", "ensurepip", "turtledemo", "pydoc_data", "__pycache__")
CONFIGURE = (  # what a cross build cannot try out, and what musl 1.2.3 lacks
    "--disable-test-modules",
    "--without-ensurepip",
    "--without-doc-strings",
    "ac_cv_buggy_getaddrinfo=no",
    "ac_cv_file__dev_ptmx=yes",
    "ac_cv_file__dev_ptc=no",
    "ac_cv_func_preadv2=no",
    "ac_cv_func_pwritev2=no",
)
# zig links functions of its own into the libc that it builds, and so hides these and those of math.h: a program with
# compiled guests finds them in a library of their own.
OWN = "libown.so"
_SOFT = re.compile("ll.*|fma[fl]?")  # they need functions of the compiler
_HIDDEN = ("memcpy", "memmove", "memset", "memcmp", "bcmp", "strlen")
RECIPE = 1  # in the key of what is built: another number builds it again


def _source(package: str) -> Path:
    """The source of a package, unpacked in the cache."""

    def make(part: Path) -> None:
        shutil.move(apt.source(package, part.parent / "download"), part)

    return once(home() / f"source-{package}", package, make)


def _zig() -> Path:
    return Path(ziglang.__file__).with_name("zig")


def _tools(root: Root, folder: Path) -> dict[str, str]:
    """An environment in which zig is the compiler for a root, without a Python around each of its runs."""
    zig = _zig()
    target = " ".join(("-target", *root.zig))
    folder.mkdir()
    for name, words in {"cc": f"cc {target}", "ar": "ar", "ranlib": "ranlib"}.items():
        tool = folder / name
        tool.write_text(f'#!/bin/sh\nexec "{zig}" {words} "$@"\n')
        tool.chmod(0o755)
    tools = {name: str(folder / name) for name in ("cc", "ar", "ranlib")}
    return {"CC": tools["cc"], "AR": tools["ar"], "RANLIB": tools["ranlib"]}


def _jobs() -> str:
    return f"-j{len(os.sched_getaffinity(0))}"


def _build_python() -> str:
    """CPython's build runs one of its own version: this one, or another of this machine."""
    found = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if not found:
        raise BoardError(
            "to build CPython 3.11 for musl needs a python3.11 here: install Debian's package python3.11"
        )
    return found


def _loader(root: Root, out: Path, scratch: Path) -> None:
    """The root's musl: Debian's, or for ARMv6 one of our own."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if V6 not in root.zig:
        apt.unpack(*root.debian, ("musl",), scratch / "libc", alone=True)
        (found,) = (scratch / "libc").rglob("libc.so")
        shutil.copy(found, out)
        return
    folder = scratch / "libc"
    folder.mkdir()
    env = _tools(root, scratch / "libc-tools")
    words = ["--disable-static", f"--target={root.triplet}", "LIBCC=", "CFLAGS=-O1 -g0 -w"]
    run_tool([str(_source("musl") / "configure"), *words], cwd=folder, env=env)
    run_tool(["make", "-s", _jobs(), "lib/libc.so"], cwd=folder)
    shutil.copy(folder / "lib" / "libc.so", out)
    parts = folder / "obj" / "src"
    objects = [path for path in sorted(parts.glob("math/**/*.lo")) if not _SOFT.fullmatch(path.stem)]
    objects += [path for name in _HIDDEN for path in sorted(parts.glob(f"string/**/{name}.lo"))]
    link = [str(_zig()), "ld.lld", "-shared", "-soname", OWN, "-o", str(out.with_name(OWN))]
    run_tool([*link, *map(str, objects)])


def _zlib(env: dict[str, str], folder: Path) -> str:
    """Compiled zlib, as a module's line wants it. pip unpacks wheels with it."""
    folder.mkdir()
    source = _source("zlib")
    flags = ["-O1", "-g0", "-fPIC", "-w", "-D_LARGEFILE64_SOURCE=1", "-DHAVE_UNISTD_H", "-DHAVE_HIDDEN"]
    for name in ZLIB:
        run_tool([env["CC"], *flags, "-c", str(source / f"{name}.c"), "-o", f"{name}.o"], cwd=folder)
    run_tool([env["AR"], "rcs", "libz.a", *(f"{name}.o" for name in ZLIB)], cwd=folder)
    return f"-I{source} {folder / 'libz.a'}"


def _interpreter(root: Root, scratch: Path, library: Path) -> Path:
    env = _tools(root, scratch / "tools")
    zlib = _zlib(env, scratch / "zlib")
    folder = scratch / "python"
    (folder / "Modules").mkdir(parents=True)
    lines = [f"{name} {files} {zlib if name == 'zlib' else ''}" for name, files in MODULES.items()]
    (folder / "Modules" / "Setup.local").write_text("\n".join(["*static*", *lines, ""]))
    env["READELF"] = "true"
    env["PKG_CONFIG_LIBDIR"] = "/nonexistent"
    env["CFLAGS"] = "-O1 -g0 -w -Wno-date-time -fno-sanitize=undefined -fPIC"
    env["LDFLAGS"] = "-dynamic -pie -s"  # without -dynamic zig links musl statically
    if (library / OWN).exists():
        env["LDFLAGS"] += f" -Wl,--no-as-needed {library / OWN}"
    machines = [f"--host={root.triplet}", f"--build={os.uname().machine}-linux-gnu"]
    configure = str(_source("python3.11") / "configure")
    run_tool(
        [configure, "-q", *machines, f"--with-build-python={_build_python()}", *CONFIGURE],
        cwd=folder,
        env=env,
    )
    run_tool(
        ["make", "-s", _jobs(), "python", "MODULE_BINASCII_CFLAGS=", "MODULE_BINASCII_LDFLAGS="],
        cwd=folder,
        env=env,
    )
    return folder


def _variables(makefile: str) -> tuple[str, str]:
    """The module in which sysconfig looks for the values of a build: its name, and what pip asks of it."""
    (multiarch,) = re.findall(r"^MULTIARCH=[ \t]*(.*)$", makefile, re.MULTILINE)
    tag = f"cpython-311-{multiarch}"
    values = {
        "SOABI": tag,
        "EXT_SUFFIX": f".{tag}.so",
        "Py_DEBUG": 0,
        "Py_ENABLE_SHARED": 0,
        "VERSION": "3.11",
    }
    return f"_sysconfigdata__linux_{multiarch}.py", f"build_time_vars = {values!r}\n"


def build(root: Root, part: Path) -> None:
    """Fill ``part`` with a root: Python with its library, and its musl. It keeps no path of this machine."""
    scratch = part.parent
    try:
        _loader(root, part / root.loader, scratch)
        binary = part / "usr" / "bin" / "python3.11"
        binary.parent.mkdir(parents=True)
        made = _interpreter(root, scratch, (part / root.loader).parent)
        shutil.copy(made / "python", binary)
    except GuestBuildError as error:
        lines = str(error).splitlines()
        raise BoardError(
            "\n".join(
                [
                    f"cannot build the Python of {root.name}:",
                    *lines[:1],
                    *(line[-300:] for line in lines[-20:]),
                ]
            )
        ) from None
    library = part / "usr" / "lib" / "python3.11"
    shutil.copytree(_source("python3.11") / "Lib", library, ignore=shutil.ignore_patterns(*UNUSED))
    name, text = _variables((made / "Makefile").read_text())
    (library / name).write_text(text)


def key(root: Root) -> str:
    """What the built root depends on."""
    own = (OWN, _HIDDEN) if V6 in root.zig else ()
    return repr((root.zig, root.debian, root.loader, MODULES, CONFIGURE, RECIPE, *own))


def archive(root: Root) -> Path:
    """The built root as one file of the cache."""

    def make(part: Path) -> None:
        folder = part.parent / root.name
        build(root, folder)
        with tarfile.open(part, "w:gz", compresslevel=6) as tar:
            tar.add(folder, ".")

    return once(home() / f"{root.name}.tgz", key(root), make)


def unpack(root: Root, part: Path) -> None:
    """The built root as a folder."""
    part.mkdir()
    done = subprocess.run(
        ["tar", "-xzf", str(archive(root)), "-C", str(part)], check=False, capture_output=True
    )
    if done.returncode:
        raise BoardError(f"{archive(root)}: {done.stderr.decode().strip()}; delete it to have it built again")

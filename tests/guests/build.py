"""Compile the C guests beside this file to ``build/NAME.wasm``, only what changed.

    from tests.guests import build
    build.guest("hello")      # -> Path of hello.wasm, compiled now if its source, flags or compiler are new
    build.wat("raw")          # -> Path of raw.wat: text modules are compiled by the engine, nothing to build

``python -m tests.guests.build [NAME ...]`` builds all of them or the named ones. The compiler comes from the
PyPI package ``ziglang``, a dependency of the tests only.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.guests import remote

HERE = Path(__file__).resolve().parent
BUILD = (HERE / "build").resolve()  # a copy of the tree has a link to the one of all copies

TARGET = ("-target", "wasm32-wasi")
FLAGS = ("-O2", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,-z,stack-size=65536")
EXTRA = {  # what a guest needs beside FLAGS
    "crash": ("-Wno-infinite-recursion",),
    "reactor": ("-mexec-model=reactor",),
    "direct": ("-target", "wasm32-freestanding", "-nostdlib", "-Wl,--no-entry"),
}
KEEP_NAMES = frozenset({"crash"})  # not stripped: the name section stays, debug information goes


class GuestBuildError(Exception):
    """A guest could not be compiled: the compiler is missing, or what it said."""


def names() -> list[str]:
    """The C guests there are."""
    return sorted(path.stem for path in HERE.glob("*.c"))


def wats() -> list[str]:
    """The WAT guests there are."""
    return sorted(path.stem for path in HERE.glob("*.wat"))


def wat(name: str) -> Path:
    """The path of a text guest."""
    path = HERE / f"{name}.wat"
    if not path.is_file():
        raise GuestBuildError(f"there is no guest {name!r}; there are: {', '.join(wats())}")
    return path


def guest(name: str) -> Path:
    """The path of a compiled C guest."""
    source = HERE / f"{name}.c"
    if not source.is_file():
        raise GuestBuildError(f"there is no guest {name!r}; there are: {', '.join(names())}")
    if remote.SOCKET:
        return remote.ask("guest", name=name)
    flags = tuple(flag for flag in FLAGS if flag != "-s" or name not in KEEP_NAMES) + EXTRA.get(name, ())
    return compile_c([source], BUILD / f"{name}.wasm", flags)


def compile_c(sources: list[Path], out: Path, flags: tuple[str, ...], driver: str = "cc") -> Path:
    """``sources`` to ``out`` for wasm32-wasi, unless it was made of just that before. ``driver``: cc, c++."""
    command = [sys.executable, "-m", "ziglang", driver, *TARGET, *flags]
    key = content_key([zig_version(), driver, *TARGET, *flags], [*sources, Path(__file__)])

    def make(part: Path) -> None:
        run_tool([*command, *map(str, sources), "-o", str(part)])
        if "-s" not in flags:
            part.write_bytes(without_debug(part.read_bytes()))

    return once(out, key, make)


def without_debug(wasm: bytes) -> bytes:
    """A module without its debug information: it is most of its size, and tells where it was built."""
    kept, at = [wasm[:8]], 8
    while at < len(wasm):
        size, body = _leb(wasm, at + 1)
        length, name = _leb(wasm, body)
        if wasm[at] != 0 or not wasm[name : name + length].startswith(b".debug_"):
            kept.append(wasm[at : body + size])
        at = body + size
    return b"".join(kept)


def _leb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


@functools.cache
def zig_version() -> str:
    """The version of the compiler."""
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        raise GuestBuildError(
            "the C guests of the tests are compiled by zig, which is not installed for"
            f" {sys.executable}: run  {Path(sys.executable).name} -m pip install ziglang"
        ) from None


def content_key(words: list[str], files: list[Path]) -> str:
    """A digest of what an artifact is made of."""
    digest = hashlib.sha256(repr(words).encode())
    for file in files:
        data = file.read_bytes()
        digest.update(f"{file.name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def once(out: Path, key: str, make: Callable[[Path], None]) -> Path:
    """Have ``make(part)`` fill a file or directory that becomes ``out``, unless ``out`` carries ``key``
    already. Processes that ask for the same thing at once wait for one another."""
    stamp = out.with_name(out.name + ".key")
    if _fresh(out, stamp, key):
        return out
    with locked(out.name, out.parent):
        if _fresh(out, stamp, key):
            return out
        with tempfile.TemporaryDirectory(dir=out.parent, prefix="part-") as scratch:
            part = Path(scratch) / out.name  # the linker writes this name into the module
            make(part)
            stamp.unlink(missing_ok=True)  # never an old key beside a new artifact
            if out.is_dir():
                shutil.rmtree(out)
            os.replace(part, out)
            stamp.write_text(key)
    return out


def _fresh(out: Path, stamp: Path, key: str) -> bool:
    try:
        return out.exists() and stamp.read_text() == key
    except OSError:
        return False


@contextlib.contextmanager
def locked(name: str, folder: Path = BUILD) -> Iterator[None]:
    """Hold the lock of one artifact of a build directory, against other processes and threads."""
    folder.mkdir(exist_ok=True)
    with open(folder / f".{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run_tool(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a tool of the build and return what it said, or raise with that. ``env`` is added to our own."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise GuestBuildError(f"{command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise GuestBuildError(
            f"{' '.join(command)}\nended with code {done.returncode}:\n{done.stdout.strip()}"
        )
    return done.stdout


def main(args: list[str]) -> int:
    """The command line."""
    try:
        for name in args or names():
            print(guest(name))
    except GuestBuildError as error:
        print(f"tests.guests.build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

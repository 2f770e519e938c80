"""Prepare the roots: Python for each machine, and the emulators. What is there already is not made again."""

from __future__ import annotations

import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.boards import apt, musl
from tests.boards.cache import BoardError, home
from tests.boards.launch import EMULATORS
from tests.boards.roots import ROOTS, Root
from tests.guests.build import once

PRINT = threading.Lock()
BUILDS = threading.Semaphore(2)  # each takes what cores there are
PACKAGES = {"bookworm": ("python3.11",), "trixie": ("python3.13",)}
UNUSED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl5", "var", "etc/pam.d")


def say(text: str) -> None:
    """A line of progress."""
    with PRINT:
        print(text, flush=True)


def size(path: Path) -> float:
    """MB of a file or of what is in a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.lstat().st_size for file in files if not file.is_dir()) / 1e6


def debian(root: Root, part: Path) -> None:
    """Fill ``part`` with Debian's Python."""
    apt.unpack(*root.debian, PACKAGES[root.debian[0]], part)
    for name in UNUSED:
        shutil.rmtree(part / name, ignore_errors=True)
    if not (part / "lib").exists():  # /usr merged: base-files would have the link
        (part / "lib").symlink_to("usr/lib")


def built(root: Root, part: Path) -> None:
    """Fill ``part`` with a Python of our own."""
    with BUILDS:
        musl.unpack(root, part)


def qemu(version: str, part: Path) -> None:
    """Fill ``part`` with the emulators of one version that the roots use."""
    suite, package, name = EMULATORS[version]
    found = part.parent / "unpacked"
    apt.unpack(suite, "amd64", (package,), found, alone=True)
    part.mkdir()
    for machine in sorted({root.emulator for root in ROOTS.values() if root.emulator}):
        shutil.move(found / "usr" / "bin" / name.format(machine), part / name.format(machine))


def pip(part: Path) -> None:
    """Fill ``part`` with pip, as Debian has it: a wheel, unpacked so that its compiled files can be kept."""
    apt.unpack("trixie", "amd64", ("python3-pip-whl",), part.parent / "whl", alone=True)
    (wheel,) = (part.parent / "whl").rglob("pip-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(part)


def timed(name: str, key: str, make: Callable[[Path], None]) -> tuple[str, float, float]:
    """Have one thing in the cache: (name, seconds, MB)."""
    start, fresh = time.monotonic(), True

    def making(part: Path) -> None:
        nonlocal fresh
        fresh = False
        say(f"{name}: preparing")
        make(part)

    path = once(home() / name, key, making)
    seconds, megabytes = time.monotonic() - start, size(path)
    say(f"{name}: {'there' if fresh else 'made'}, {seconds:.1f} s, {megabytes:.0f} MB")
    return name, seconds, megabytes


def prepare(roots: list[Root], versions: tuple[str, ...]) -> list[tuple[str, float, float]]:
    """Have all of this in the cache, downloads side by side and two builds at most."""
    tasks: list[tuple[str, str, Callable[[Path], None]]] = []
    for root in sorted(roots, key=lambda root: not root.built):  # what takes longest first
        if root.built:
            key = repr((musl.key(root), "folder"))
            tasks.append((root.name, key, lambda part, root=root: built(root, part)))  # type: ignore[misc]
        else:
            key = repr((root.debian, PACKAGES[root.debian[0]], UNUSED))
            tasks.append((root.name, key, lambda part, root=root: debian(root, part)))  # type: ignore[misc]
    if any(root.emulator for root in roots):
        for version in versions:
            tasks.append((f"qemu-{version}", repr(EMULATORS[version]), lambda part, v=version: qemu(v, part)))  # type: ignore[misc]
    tasks.append(("pip", "python3-pip-whl, unpacked", pip))
    with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
        waiting = [pool.submit(timed, *task) for task in tasks]
        errors = [error for done in waiting if (error := done.exception())]
        if errors:
            raise next((error for error in errors if isinstance(error, BoardError)), errors[0])
        return [done.result() for done in waiting]

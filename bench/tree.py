"""The files that all variants work on: in memory where there is room, so that no disk is measured."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .cases import BATCH, CHUNK, DEEP, ENTRIES, PAGE


def place(need: int) -> Path:
    """Where to put ``need`` bytes: memory first."""
    shm = Path("/dev/shm")
    if os.access(shm, os.W_OK | os.X_OK):
        free = os.statvfs(shm)
        if free.f_bavail * free.f_frsize > 2 * need:
            return shm
    return Path(tempfile.gettempdir())


def kind(path: Path) -> str:
    """The type of the file system that holds ``path``."""
    best = ("", "?")
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "?"
    for line in mounts:
        _, point, fstype, *_ = line.split()
        if path.is_relative_to(point) and len(point) >= len(best[0]):
            best = (point, fstype)
    return best[1]


def plant(root: Path, big: int) -> None:
    """Make the files: ``big`` bytes to copy, the file to read and write, a long list and a deep one."""
    content = bytes(range(256)) * (BATCH * PAGE // 256)
    for name in ("rw", "ro"):
        (root / name).write_bytes(content)
    for name in ("f", "r0", DEEP):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"hello")
    (root / "many").mkdir()
    for index in range(ENTRIES):
        (root / "many" / f"{index:08}").touch()
    with open(root / "big", "wb") as file:
        for _ in range(big // CHUNK):
            file.write(content[:CHUNK])

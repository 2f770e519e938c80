"""The host's part of the races, a process of its own.

``python toggle.py ROUNDS FIRST SECOND`` exchanges two names so often, each time in one step (renameat2 with
RENAME_EXCHANGE), and prints how often it did.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

RENAME_EXCHANGE = 2
AT_FDCWD = -100


def start(rounds: int, first: Path, second: Path) -> subprocess.Popen[bytes]:
    """The process, already exchanging."""
    command = [sys.executable, "-S", "-E", __file__, str(rounds), str(first), str(second)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def finish(child: subprocess.Popen[bytes]) -> int:
    """How many exchanges there were; the process has ended."""
    out, _ = child.communicate(timeout=600)
    assert child.returncode == 0
    return int(out)


def main(rounds: int, first: str, second: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(first), os.fsencode(second)
    os.write(1, b"ready\n")
    for _ in range(rounds):
        if libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE):
            raise OSError(ctypes.get_errno(), "renameat2")
    print(rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])

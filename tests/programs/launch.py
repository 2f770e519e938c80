"""Start the product's command line as a user does, in a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.guests.build import BUILD

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "wasi_native"]


def environment() -> dict[str, str]:
    """Ours, with the repository importable and compiled guests kept beside the guests."""
    search = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    cache = os.environ.get("WASI_NATIVE_CACHE", str(BUILD / "cache"))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(search), "WASI_NATIVE_CACHE": cache}


def run(*args: str | Path, stdin: bytes = b"", timeout: float = 180) -> subprocess.CompletedProcess[bytes]:
    """``wasi-native run ARGS`` to its end."""
    return subprocess.run(
        [*COMMAND, "run", *map(str, args)],
        env=environment(),
        input=stdin,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def started(*args: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """``wasi-native run ARGS``, killed when the block ends before it does."""
    with subprocess.Popen(
        [*COMMAND, "run", *map(str, args)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # what follows a line that was read is left to others
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


LISTEN = "tcp://127.0.0.1:0"  # a port that is free, which the command line then names


def port_of(process: subprocess.Popen[bytes]) -> int:
    """Where it listens, as it says in its first line."""
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.fullmatch(rb"wasi-native: listening on tcp://127\.0\.0\.1:(\d+)\n", line)
    assert found, (line, _rest(process))
    return int(found[1])


def connect(port: int) -> socket.socket:
    """A connection of its own."""
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def exchange(connection: socket.socket, data: bytes, size: int) -> bytes:
    """Send ``data``, then receive ``size`` bytes or what comes before the end."""
    connection.sendall(data)
    answer = b""
    while len(answer) < size:
        part = connection.recv(size - len(answer))
        if not part:
            break
        answer += part
    return answer


def _rest(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    process.kill()
    return process.communicate()

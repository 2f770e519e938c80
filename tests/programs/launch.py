"""Start the product's command line as a user does, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
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
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connect(process: subprocess.Popen[bytes], port: int, patience: float = 120) -> socket.socket:
    """Connect as soon as the process listens; compiling the guest may come first."""
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"nobody listens: {_rest(process)!r}") from None
            time.sleep(0.05)


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

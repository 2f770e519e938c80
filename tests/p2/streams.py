"""Calls of the streams of a guest's standard input and output."""

from __future__ import annotations

from tests.p2.driver import Guest2

OUT, BUF = 0x100, 0x1000
IN, TO = "streams#[method]input-stream.", "streams#[method]output-stream."
CLOSED, FAILED, MIB = "closed", "failed", 1 << 20


class Streams:
    """Calls that give their result, or the word of a stream-error."""

    def __init__(self, g: Guest2, stdin: int | None = None, stdout: int | None = None) -> None:
        self.g = g
        if stdin is not None:
            g.instance._sys.stdio_fd(0, stdin)
        if stdout is not None:
            g.instance._sys.stdio_fd(1, stdout)
        self.stdin, self.stdout = g("stdin#get-stdin"), g("stdout#get-stdout")

    def _error(self, at: int) -> str | None:
        """`at`: where the payload of the result is."""
        if self.g.memory.u8(OUT) == 0:
            return None
        assert self.g.memory.u8(OUT) == 1
        if self.g.memory.u8(OUT + at) == 1:
            return CLOSED
        self.g("error#[resource-drop]error", self.g.unpack("I", OUT + at + 4))
        return FAILED

    def read(self, length: int, how: str = "read", timeout: float | None = None) -> bytes | str:
        with self.g.writes_only((OUT, 12)):
            self.g(IN + how, self.stdin, length, OUT, timeout=timeout)
        return self._error(4) or self.g.bytes_at(OUT + 4)

    def skip(self, length: int, how: str = "skip", timeout: float | None = None) -> int | str:
        with self.g.writes_only((OUT, 16)):
            self.g(IN + how, self.stdin, length, OUT, timeout=timeout)
        return self._error(8) or self.g.unpack("Q", OUT + 8)

    def check(self) -> int | str:
        with self.g.writes_only((OUT, 16)):
            self.g(TO + "check-write", self.stdout, OUT)
        return self._error(8) or self.g.unpack("Q", OUT + 8)

    def write(self, data: bytes, how: str = "write", timeout: float | None = None) -> str | None:
        ptr, length = self.g.put(BUF, data)
        with self.g.writes_only((OUT, 12)):
            self.g(TO + how, self.stdout, ptr, length, OUT, timeout=timeout)
        return self._error(4)

    def zeroes(self, length: int, how: str = "write-zeroes", timeout: float | None = None) -> str | None:
        self.g(TO + how, self.stdout, length, OUT, timeout=timeout)
        return self._error(4)

    def flush(self, how: str = "flush") -> str | None:
        with self.g.writes_only((OUT, 12)):
            self.g(TO + how, self.stdout, OUT)
        return self._error(4)

    def splice(self, length: int, how: str = "splice", timeout: float | None = None) -> int | str:
        self.g(TO + how, self.stdout, self.stdin, length, OUT, timeout=timeout)
        return self._error(8) or self.g.unpack("Q", OUT + 8)

    def ready(self, name: str) -> bool:
        handle = self.stdin if name == IN else self.stdout
        pollable = self.g(name + "subscribe", handle)
        found = bool(self.g("poll#[method]pollable.ready", pollable))
        self.g("poll#[resource-drop]pollable", pollable)
        return found


def calls(s: Streams, out: int) -> list[tuple[str, tuple[int, ...], int]]:
    """Each function with a return area: (name, arguments, its alignment)."""
    stdin, stdout = s.stdin, s.stdout
    return [
        (IN + "read", (stdin, 1, out), 4),
        (IN + "blocking-read", (stdin, 1, out), 4),
        (IN + "skip", (stdin, 1, out), 8),
        (IN + "blocking-skip", (stdin, 1, out), 8),
        (TO + "check-write", (stdout, out), 8),
        (TO + "write", (stdout, BUF, 0, out), 4),
        (TO + "blocking-write-and-flush", (stdout, BUF, 3, out), 4),
        (TO + "flush", (stdout, out), 4),
        (TO + "blocking-flush", (stdout, out), 4),
        (TO + "write-zeroes", (stdout, 0, out), 4),
        (TO + "blocking-write-zeroes-and-flush", (stdout, 3, out), 4),
        (TO + "splice", (stdout, stdin, 1, out), 8),
        (TO + "blocking-splice", (stdout, stdin, 1, out), 8),
    ]

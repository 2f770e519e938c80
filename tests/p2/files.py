"""A guest of wasi:filesystem for the tests: calls by their names, answers as Python values.

A call that failed answers the name of its error-code, a ``str``; text and bytes that a call gives are ``bytes``, and
a call without a value that went well answers ``None``.
"""

from __future__ import annotations

import functools
import re
from collections import namedtuple
from pathlib import Path
from typing import Any

from tests.guests.driver import ABI
from tests.p2.driver import Guest2
from wasi_native import Policy

INTERFACES = ("filesystem/types", "filesystem/preopens", "io/streams", "io/error", "io/poll")
RET, PATH, OTHER, DATA = 0x100, 0x1000, 0x2800, 0x4000  # where a call of these writes, and what it reads
READ, WRITE, FILE_SYNC, DATA_SYNC, READ_SYNC, MUTATE = 1, 2, 4, 8, 16, 32
CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE = 1, 2, 4, 8
FOLLOW = 1
ROOT = Path(ABI).parents[1]
KEEP, NOW = (0, 0, 0), (1, 0, 0)  # new-timestamps
TYPES = [
    "unknown",
    "block-device",
    "character-device",
    "directory",
    "fifo",
    "symbolic-link",
    "regular-file",
    "socket",
]

Stat = namedtuple("Stat", "type links size atim mtim ctim")


def at_time(ns: int) -> tuple[int, int, int]:
    """A new-timestamp."""
    return 2, ns // 10**9, ns % 10**9


@functools.cache
def codes() -> tuple[str, ...]:
    """The names of error-code, in the rows' order."""
    text = (ABI / "p2.rows").read_text(encoding="utf-8")
    match = re.search(r"^enum error-code access((?:.*\n)(?:  .*\n)*)", text, re.M)
    assert match
    return ("access", *match[1].split())


@functools.cache
def code_of() -> dict[str, str]:
    """The error-code for each errno of WASI 0.1, by the map of the core."""
    text = (ROOT / "include" / "wasi_native" / "errno.def").read_text(encoding="utf-8")
    rows = re.findall(r'^WN_ERRNO\((\w+), \d+, \w+, "([^"]+)"', text, re.M)
    return {name: "io" if code == "-" else code for name, code in rows}


class Files(Guest2):
    """``preopens`` is what get-directories gave at the start: descriptors by name."""

    def __init__(self, policy: Policy | None, **more: Any) -> None:
        super().__init__(policy, *(f"wasi:{name}" for name in INTERFACES), **more)
        self.preopens = self.directories()

    def method(self, name: str) -> str:
        return f"wasi:filesystem/types#[method]{name if '.' in name else 'descriptor.' + name}"

    def result(self, name: str, *args: int, code: int = 1) -> str | None:
        """Make a call that has a return area. The name of its error, which is ``code`` bytes in, or None."""
        self(self.method(name), *args, RET)
        failed = self.unpack("B", RET)
        assert failed in (0, 1)
        return codes()[self.unpack("B", RET + code)] if failed else None

    def drop(self, handle: int, resource: str = "filesystem/types#[resource-drop]descriptor") -> None:
        self("wasi:" + resource, handle)

    def directories(self) -> dict[str, int]:
        self("wasi:filesystem/preopens#get-directories", RET)
        at, count = self.unpack("II", RET)
        found = {}
        for item in range(at, at + 12 * count, 12):
            found[self.bytes_at(item + 4).decode()] = self.unpack("I", item)
        assert len(found) == count
        return found

    def path(self, path: str | bytes, ptr: int = PATH) -> tuple[int, int]:
        return self.put(ptr, path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path)

    # ---- descriptors ----

    def _handle(self, name: str, *args: int) -> int | str:
        return self.result(name, *args, code=4) or self.unpack("I", RET + 4)

    def read_via_stream(self, fd: int, offset: int = 0) -> int | str:
        return self._handle("read-via-stream", fd, offset)

    def write_via_stream(self, fd: int, offset: int = 0) -> int | str:
        return self._handle("write-via-stream", fd, offset)

    def append_via_stream(self, fd: int) -> int | str:
        return self._handle("append-via-stream", fd)

    def advise(self, fd: int, offset: int, length: int, advice: int) -> str | None:
        return self.result("advise", fd, offset, length, advice)

    def sync(self, fd: int, data: bool = False) -> str | None:
        return self.result("sync-data" if data else "sync", fd)

    def flags(self, fd: int) -> int | str:
        err = self.result("get-flags", fd)
        return err if err else int(self.unpack("B", RET + 1))

    def type(self, fd: int) -> str:
        return self.result("get-type", fd) or TYPES[self.unpack("B", RET + 1)]

    def set_size(self, fd: int, size: int) -> str | None:
        return self.result("set-size", fd, size)

    def set_times(self, fd: int, atim: tuple[int, ...] = KEEP, mtim: tuple[int, ...] = KEEP) -> str | None:
        return self.result("set-times", fd, *atim, *mtim)

    def read(self, fd: int, length: int, offset: int = 0) -> tuple[bytes, bool] | str:
        """What was read, and whether the end was reached."""
        err = self.result("read", fd, length, offset, code=4)
        return err or (self.bytes_at(RET + 4), bool(self.unpack("B", RET + 12)))

    def write(self, fd: int, data: bytes, offset: int = 0) -> int | str:
        err = self.result("write", fd, *self.put(DATA, data), offset, code=8)
        return err or int(self.unpack("Q", RET + 8))

    def same(self, fd: int, other: int) -> bool:
        answer = self(self.method("is-same-object"), fd, other)
        assert answer in (0, 1)
        return bool(answer)

    def hash(self, fd: int) -> tuple[int, int] | str:
        return self.result("metadata-hash", fd, code=8) or self.unpack("QQ", RET + 8)

    def _stat(self, err: str | None) -> Stat | str:
        if err:
            return err
        kind, links, size = self.unpack("B7xQQ", RET + 8)
        times = []
        for at in (24, 48, 72):
            some, seconds, ns = self.unpack("B7xQI", RET + 8 + at)
            assert some == 1 and ns < 10**9
            times.append(seconds * 10**9 + ns)
        return Stat(TYPES[kind], links, size, *times)

    def stat(self, fd: int) -> Stat | str:
        return self._stat(self.result("stat", fd, code=8))

    # ---- paths ----

    def stat_at(self, fd: int, path: str | bytes, follow: bool = False) -> Stat | str:
        return self._stat(self.result("stat-at", fd, int(follow), *self.path(path), code=8))

    def hash_at(self, fd: int, path: str | bytes, follow: bool = False) -> tuple[int, int] | str:
        err = self.result("metadata-hash-at", fd, int(follow), *self.path(path), code=8)
        return err or self.unpack("QQ", RET + 8)

    def set_times_at(
        self,
        fd: int,
        path: str | bytes,
        atim: tuple[int, ...] = KEEP,
        mtim: tuple[int, ...] = KEEP,
        follow: bool = False,
    ) -> str | None:
        return self.result("set-times-at", fd, int(follow), *self.path(path), *atim, *mtim)

    def mkdir(self, fd: int, path: str | bytes) -> str | None:
        return self.result("create-directory-at", fd, *self.path(path))

    def rmdir(self, fd: int, path: str | bytes) -> str | None:
        return self.result("remove-directory-at", fd, *self.path(path))

    def unlink(self, fd: int, path: str | bytes) -> str | None:
        return self.result("unlink-file-at", fd, *self.path(path))

    def link(self, fd: int, old: str | bytes, to: int, new: str | bytes, flags: int = 0) -> str | None:
        return self.result("link-at", fd, flags, *self.path(old), to, *self.path(new, OTHER))

    def rename(self, fd: int, old: str | bytes, to: int, new: str | bytes) -> str | None:
        return self.result("rename-at", fd, *self.path(old), to, *self.path(new, OTHER))

    def symlink(self, fd: int, target: str | bytes, path: str | bytes) -> str | None:
        return self.result("symlink-at", fd, *self.path(target), *self.path(path, OTHER))

    def readlink(self, fd: int, path: str | bytes) -> bytes | str:
        return self.result("readlink-at", fd, *self.path(path), code=4) or self.bytes_at(RET + 4)

    def open(
        self, fd: int, path: str | bytes, flags: int = READ, open: int = 0, follow: bool = False
    ) -> int | str:
        return self._handle("open-at", fd, int(follow), *self.path(path), open, flags)

    # ---- streams ----

    def entries(self, fd: int) -> dict[str, str] | str:
        """All names of a directory and their types."""
        stream = self._handle("read-directory", fd)
        if isinstance(stream, str):
            return stream
        found: dict[str, str] = {}
        while (entry := self.entry(stream)) is not None:
            if isinstance(entry, str):
                return entry
            found[entry[0]] = entry[1]
        self.drop(stream, "filesystem/types#[resource-drop]directory-entry-stream")
        return found

    def entry(self, stream: int) -> tuple[str, str] | str | None:
        err = self.result("directory-entry-stream.read-directory-entry", stream, code=4)
        if err or not self.unpack("B", RET + 4):
            return err
        return self.bytes_at(RET + 12).decode(), TYPES[self.unpack("B", RET + 8)]

    def _stream(self, name: str, *args: int) -> str | None:
        """A call of a stream: None, "closed", or the error-code behind the error that it gave."""
        self(f"wasi:io/streams#[method]{name}", *args, RET)
        if not self.unpack("B", RET):
            return None
        at = RET + (8 if name.endswith(("check-write", "skip", "splice")) else 4)
        if self.unpack("B", at) == 1:
            return "closed"
        error = self.unpack("I", at + 4)
        self("wasi:filesystem/types#filesystem-error-code", error, RET)
        some, code = self.unpack("BB", RET)
        self.drop(error, "io/error#[resource-drop]error")
        return codes()[code] if some else "not of a file"

    def stream_read(self, stream: int, length: int) -> bytes | str:
        return self._stream("input-stream.blocking-read", stream, length) or self.bytes_at(RET + 4)

    def stream_write(self, stream: int, data: bytes) -> str | None:
        return self._stream("output-stream.blocking-write-and-flush", stream, *self.put(DATA, data))

    def drop_stream(self, stream: int, kind: str = "output") -> None:
        self.drop(stream, f"io/streams#[resource-drop]{kind}-stream")

"""What the tests of calls share: a guest that makes raw calls, on any engine and either resolver."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from tests.engine.libraries import library
from tests.guests import aot
from tests.guests.driver import driver_wat, signatures
from wasi_native import Host, Instance, Memory, Policy, Trap, _core, engines

Mine = TypeVar("Mine", bound="Driven")

P1, UNSTABLE = "wasi_snapshot_preview1", "wasi_unstable"
CANARY = 0xA5
SANITIZED = bool(os.environ.get("WASI_NATIVE_SANITIZED"))  # set by .ci/sanitize
# Bytes that a sanitizer keeps of what was freed, before it gives them back: as .ci/sanitize says.
KEPT = sum(
    int(size) << 20 for size in re.findall(r"quarantine_size_mb=(\d+)", os.environ.get("ASAN_OPTIONS", ""))
)
ALL_RIGHTS = (1 << 30) - 1
ERRNOS = {_core.error_name(number): number for number in range(77)}
E = SimpleNamespace(**ERRNOS)  # E.BADF
_RIGHTS = """fd_datasync fd_read fd_seek fd_fdstat_set_flags fd_sync fd_tell fd_write fd_advise fd_allocate
path_create_directory path_create_file path_link_source path_link_target path_open fd_readdir path_readlink
path_rename_source path_rename_target path_filestat_get path_filestat_set_size path_filestat_set_times
fd_filestat_get fd_filestat_set_size fd_filestat_set_times path_symlink path_remove_directory
path_unlink_file poll_fd_readwrite sock_shutdown sock_accept"""
RIGHTS = {name: 1 << bit for bit, name in enumerate(_RIGHTS.split())}


def engines_under_test() -> tuple[str, ...]:
    """The engines of the tests that run on several, from the option --engines. "wasm3-old" is the engine wasm3 with
    the library of 2021. Where wasmtime has no library, text modules cannot be read: fake is left."""
    chosen = os.environ.get("WASI_NATIVE_TEST_ENGINES")
    if chosen:
        return tuple(chosen.split(","))
    if "has no library for" in engines.find("wasmtime").reason:
        return ("fake",)
    return ("fake", "wasmtime", "wasm2c")


def rights(*names: str) -> int:
    """The bits of rights by name: rights("fd_read", "fd_seek")."""
    return sum(RIGHTS[name] for name in names)


def errno(*names: str) -> set[int]:
    """The numbers of errnos by name: errno("PERM", "NOTCAPABLE")."""
    return {ERRNOS[name] for name in names}


def fake_module(pages: int = 2, module: str = P1, *directives: str) -> bytes:
    """The driver as a module of the fake engine."""
    lines = ["fake 1", f"memory {pages}", *directives]
    letters = {"i32": "i", "i64": "I"}
    for name, (params, result) in signatures(module).items():
        kinds = "".join(letters[wat] for _, wat in params) or "-"
        lines.append(f"import {module} {name} {kinds} {letters[result] if result else '-'}")
    return "\n".join(lines).encode()


def on_clock(
    timeout: int, *, clock: int = 1, absolute: bool = False, userdata: int = 0, flags: int = 0
) -> bytes:
    """A subscription of poll_oneoff to a clock (1: monotonic)."""
    return struct.pack("<QB7xI4xQQH6x", userdata, 0, clock, timeout, 0, flags or absolute)


def on_fd(fd: int, *, write: bool = False, userdata: int = 0) -> bytes:
    """A subscription of poll_oneoff to a descriptor."""
    return struct.pack("<QB7xI28x", userdata, 1 + write, fd)


Event = namedtuple("Event", "userdata err type nbytes flags")


class Driven:
    """A module that tests drive, with its host and its one instance: loaded as the engine needs, closed together."""

    instance: Instance
    memory: Memory

    def __init__(
        self,
        policy: Policy | None,
        engine: str,
        resolver: str,
        kernel: _core.FakeOs | None,
        text: str | bytes,
    ) -> None:
        name, path = engine.partition("-")[0], None
        if name in ("wasm3", "wasm_c_api"):
            path = library(engine)
        self.host = Host(policy, engine=name, engine_path=path, resolver=resolver, board="generic-x86_64")
        self.host._os = kernel
        if engine == "wasm2c":
            self.module = aot.load(self.host, text)
        else:
            self.module = self.host.load(aot.binary(text) if path is not None else text)

    def unpack(self, fmt: str, ptr: int) -> Any:
        values = struct.unpack("<" + fmt, self.memory.read(ptr, struct.calcsize("<" + fmt)))
        return values[0] if len(values) == 1 else values

    def close(self) -> None:
        self.instance.close()
        self.module.close()
        self.host.close()

    def __enter__(self: Mine) -> Mine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Guest(Driven):
    """A driver instance. ``g.fd_write(1, iovs, 1, ret)`` makes the call and gives the errno as a number;
    a trap or another end raises. Memory is filled with 0xA5 at the start, or so many bytes of it as ``filled`` says:
    pages that nobody writes take no memory of the host, so that a large guest fits on a small board."""

    _filled: int | None = None

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        engine: str = "fake",
        resolver: str = "auto",
        pages: int = 2,
        module: str = P1,
        directives: tuple[str, ...] = (),
        kernel: _core.FakeOs | None = None,
        filled: int | None = None,
        **instantiate: Any,
    ) -> None:
        fake = fake_module(pages, module, *directives) if engine == "fake" else None
        super().__init__(policy, engine, resolver, kernel, fake or driver_wat(pages, module=module))
        self.instance = self.module.instantiate(**instantiate)
        self.memory = self.instance.memory
        self.size = len(self.memory)
        self._filled = filled
        self.fill()
        self._names = set(signatures(module))

    def fill(self, byte: int = CANARY) -> None:
        end = self.size if self._filled is None else self._filled
        piece = bytes([byte]) * min(end, 1 << 17)
        for at in range(0, end, 1 << 17):
            self.memory.write(at, piece[: end - at])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(name)
        return lambda *args, **kwargs: self.call(name, *args, **kwargs)

    def call(self, name: str, *args: int, timeout: float | None = None) -> int:
        result = self.instance.call(name, *args, timeout=timeout)
        return 0 if result is None else result & 0xFFFF

    def put(self, ptr: int, data: bytes | str) -> tuple[int, int]:
        """Text or bytes into memory; (ptr, length) for the call."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        self.memory.write(ptr, raw)
        return ptr, len(raw)

    def iovs(self, ptr: int, *pieces: tuple[int, int]) -> tuple[int, int]:
        """An array of (address, length) at ``ptr``; (ptr, count) for the call."""
        self.memory.write(ptr, b"".join(struct.pack("<II", *piece) for piece in pieces))
        return ptr, len(pieces)

    @contextlib.contextmanager
    def writes_only(self, *places: tuple[int, int]) -> Iterator[None]:
        """What runs inside changes no byte of memory but the declared (ptr, length) places."""
        before = bytearray(self.memory.read(0, self.size))
        yield
        after = bytearray(self.memory.read(0, self.size))
        for ptr, length in places:
            before[ptr : ptr + length] = after[ptr : ptr + length]
        if before != after:
            changed = [at for at in range(self.size) if before[at] != after[at]]
            raise AssertionError(f"{len(changed)} bytes outside {places} changed, from {changed[0]:#x} on")

    # ---- the calls that most tests make, at fixed places of page 2 ----

    def open(
        self,
        path: str | bytes,
        *,
        dir: int = 3,
        follow: bool = False,
        oflags: int = 0,
        rights: int = ALL_RIGHTS,
        inheriting: int = ALL_RIGHTS,
        fdflags: int = 0,
    ) -> tuple[int, int]:
        """(errno, descriptor); the descriptor is -1 after an error."""
        at = self.put(0x10000, path)
        self.memory.write(0x1F000, b"\xff" * 4)
        err = self.path_open(dir, int(follow), *at, oflags, rights, inheriting, fdflags, 0x1F000)
        return err, -1 if err else self.unpack("I", 0x1F000)

    def write(self, fd: int, data: bytes) -> tuple[int, int]:
        """(errno, bytes written)."""
        at = self.put(0x10000, data)
        err = self.fd_write(fd, *self.iovs(0x1F000, at), 0x1F010)
        return err, 0 if err else self.unpack("I", 0x1F010)

    def read(self, fd: int, length: int = 4096) -> tuple[int, bytes]:
        """(errno, bytes read)."""
        err = self.fd_read(fd, *self.iovs(0x1F000, (0x10000, length)), 0x1F010)
        return err, b"" if err else self.memory.read(0x10000, self.unpack("I", 0x1F010))

    def stat(self, path: str | bytes, *, dir: int = 3, follow: bool = False) -> tuple[int, dict[str, int]]:
        """(errno, the fields of filestat)."""
        at = self.put(0x10000, path)
        err = self.path_filestat_get(dir, int(follow), *at, 0x1F000)
        return err, {} if err else self._filestat(0x1F000)

    def fstat(self, fd: int) -> tuple[int, dict[str, int]]:
        err = self.fd_filestat_get(fd, 0x1F000)
        return err, {} if err else self._filestat(0x1F000)

    def _filestat(self, ptr: int) -> dict[str, int]:
        names = ("dev", "ino", "type", "nlink", "size", "atim", "mtim", "ctim")
        return dict(zip(names, self.unpack("QQB7xQQQQQ", ptr), strict=True))

    def on_path(self, name: str, path: str | bytes, *, dir: int = 3) -> int:
        """path_create_directory, path_remove_directory or path_unlink_file."""
        return self.call(name, dir, *self.put(0x10000, path))

    def list(self, fd: int, cookie: int = 0, size: int = 4096) -> tuple[int, list[tuple[str, int, int]]]:
        """(errno, [(name, type, next cookie)]) of one fd_readdir, cut entries left out."""
        err = self.fd_readdir(fd, 0x10000, size, cookie, 0x1F000)
        if err:
            return err, []
        raw = self.memory.read(0x10000, self.unpack("I", 0x1F000))
        out, at = [], 0
        while at + 24 <= len(raw):
            following, _, length, kind = struct.unpack_from("<QQIB", raw, at)
            if at + 24 + length > len(raw):
                break
            out.append((raw[at + 24 : at + 24 + length].decode("utf-8", "surrogateescape"), kind, following))
            at += 24 + length
        return 0, out

    def poll(self, *subs: bytes, timeout: float | None = None) -> tuple[int, list[Event]]:
        """(errno, events): the subscriptions from address 0 on, the events behind them."""
        out = 48 * len(subs)
        count = out + 32 * len(subs)
        self.memory.write(0, b"".join(subs))
        err = self.call("poll_oneoff", 0, out, len(subs), count, timeout=timeout)
        if err:
            return err, []
        return 0, [Event(*self.unpack("QHB5xQH6x", out + 32 * i)) for i in range(self.unpack("I", count))]

    def traps(self, name: str, *args: int) -> str:
        """The kind of trap that the call ends in; "" when it ends in none."""
        try:
            self.call(name, *args)
        except Trap as trap:
            return trap.kind
        return ""


def plant(root: Path) -> None:
    """rw/{f.txt, d/{e/}, l -> f.txt, l_d -> d, l_gone -> gone}, ro/r.txt, and out/ beside them."""
    for name in ("rw/d/e", "ro", "out"):
        (root / name).mkdir(parents=True)
    (root / "rw/f.txt").write_bytes(b"hello")
    (root / "rw/l").symlink_to("f.txt")
    (root / "rw/l_d").symlink_to("d")
    (root / "rw/l_gone").symlink_to("gone")
    (root / "ro/r.txt").write_bytes(b"read")
    (root / "out/secret.txt").write_bytes(b"SECRET")


@contextlib.contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for fd in ends:
            with contextlib.suppress(OSError):
                os.close(fd)


def rss() -> int:
    """The memory of this process, in bytes, without pages of files: the kernel takes and brings them as it likes."""
    with open("/proc/self/status") as file:
        found = {
            line.partition(":")[0]: int(line.split()[1]) << 10 for line in file if line.startswith("Rss")
        }
    return found["RssAnon"] + found["RssShmem"]


def open_fds() -> dict[int, str]:
    """The descriptors of this process and what they are."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    return found


def running_threads() -> set[int]:
    """The threads of this process, by number. One that was joined stands in /proc for a moment more, so a count of
    them may fall by itself: what is new since an earlier look is ``running_threads() - before``."""
    return {int(name) for name in os.listdir("/proc/self/task")}


def threads_end(before: set[int]) -> bool:
    """Whether no thread is left but those of before."""
    end = time.monotonic() + 10
    while running_threads() - before and time.monotonic() < end:
        time.sleep(0.001)
    return not running_threads() - before

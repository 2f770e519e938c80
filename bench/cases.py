"""What is measured: one row per case, with what stands against it in native C and what it must reach."""

from __future__ import annotations

import re
from dataclasses import dataclass

ENTRIES = 1000
"""Files in the directory that is listed."""
BATCH = 256
"""Reads and writes go this many calls through the file, then seek back to its start."""
PAGE = 4096
CHUNK = 65536
"""Bytes of one read and write of the copy."""
DEEP = "d1/d2/d3/d4/d5/d6/d7/f"
"""Depth 8: seven directories and a file."""

HOST, FREE, FAST, KERNEL, INFO = "host call", "no kernel call", "short cut", "kernel call", "more"
GROUPS = (HOST, FREE, FAST, KERNEL, INFO)


@dataclass(frozen=True, slots=True)
class Case:
    """``name``: the loop ``bench_<name>`` of native.c; ``guest``: the guest's, when it is another one.

    ``native``: what the native loop calls, as the table prints it; empty: it has no counterpart.
    ``per``: by how much one turn of the loop is divided; ``unit``: what that gives.
    ``turns``: of each sample (0: as many as fill its time); ``batch``: a multiple of which they are.
    ``limit``: the ratio that must not be exceeded; ``base``: against what.
    ``file``: a file operation.
    """

    name: str
    title: str
    group: str
    native: str = ""
    guest: str = ""
    per: float = 1
    unit: str = "call"
    turns: int = 0
    batch: int = 1
    limit: float = 0.0
    base: str = "native"
    file: bool = False

    @property
    def export(self) -> str:
        return "bench_" + (self.guest or self.name)


def _kernel(name: str, title: str, native: str, *, limit: float = 1.35, file: bool = True, per: int = 1,
            unit: str = "call", batch: int = 1) -> Case:  # fmt: skip
    return Case(name, title, KERNEL, native, per=per, unit=unit, batch=batch, limit=limit, file=file)


CASES = (
    Case("nop", "empty host call", HOST),
    Case("nop_mem", "host call that writes guest memory", HOST),
    Case("args", "args_sizes_get, args_get", FREE, per=2, limit=2.5, base="nop"),
    Case("prestat", "fd_prestat_get", FREE, limit=2.5, base="nop"),
    Case("fdstat", "fd_fdstat_get", FREE, "fcntl(F_GETFL)", limit=2.5, base="nop"),
    Case("clock_realtime", "clock_time_get realtime", FAST, "clock_gettime, vDSO", limit=2.0),
    Case("clock_monotonic", "clock_time_get monotonic", FAST, "clock_gettime, vDSO", limit=2.0),
    Case("random16", "random_get 16 B", FAST, "getrandom", limit=1.0),
    Case("poll_clock", "poll_oneoff, clock, timeout 0", FAST, "poll(0, timeout 0)", limit=1.35),
    _kernel("random4k", "random_get 4 KiB", "getrandom", file=False),
    _kernel("write1", "fd_write 1 B", "write", batch=BATCH),
    _kernel("write4k", "fd_write 4 KiB", "write", batch=BATCH),
    _kernel("writev", "fd_write 16 x 256 B", "writev", batch=BATCH),
    _kernel("read4k", "fd_read 4 KiB", "read", batch=BATCH),
    _kernel("pread1", "fd_pread 1 B", "pread"),
    _kernel("pread4k", "fd_pread 4 KiB", "pread"),
    _kernel("pread64k", "fd_pread 64 KiB", "pread"),
    _kernel("seek", "fd_seek", "lseek", limit=1.5, file=False),
    _kernel("filestat", "fd_filestat_get", "fstat"),
    _kernel("stat1", "path_filestat_get, depth 1", "fstatat(NOFOLLOW)"),
    _kernel("stat8", "path_filestat_get, depth 8", "openat2 + fstat + close"),
    _kernel("open1", "path_open + fd_close, depth 1", "openat2 + close"),
    _kernel("open8", "path_open + fd_close, depth 8", "openat2 + close"),
    _kernel("mkdir", "mkdir + rmdir", "mkdirat + unlinkat"),
    _kernel("rename", "path_rename", "renameat", per=2),
    _kernel("readdir", f"fd_readdir, {ENTRIES} entries", "getdents64, 32 KiB", per=ENTRIES + 2, unit="entry"),
    _kernel("poll_fd", "poll_oneoff, file ready", "poll(1, timeout 0)", file=False),
    _kernel("yield", "sched_yield", "sched_yield", file=False),
    Case("copy", "copy 256 MiB, read and write 64 KiB", KERNEL, "read + write 64 KiB", per=1 / 16, unit="MiB",
         turns=4096, limit=1.35, file=True),
    Case("stat8_plain", "the same stat against a stat that may leave", INFO, "fstatat(NOFOLLOW), no sandbox",
         guest="stat8"),
    Case("readdir4k", "fd_readdir by 4 KiB, as wasi-libc", INFO, "getdents64, 32 KiB", per=ENTRIES + 2,
         unit="entry"),
)  # fmt: skip


def choose(pattern: str | None) -> list[Case]:
    """The cases whose name or title matches; all of them for None."""
    want = re.compile(pattern or "", re.IGNORECASE)
    return [case for case in CASES if want.search(case.name) or want.search(case.title)]

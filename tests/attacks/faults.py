"""A tour of all calls, for the tests of faults: each step with the errno that it gives without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support import ALL_RIGHTS, Guest, on_clock, on_fd, rights
from wasi_native import _core

F151 = [
    "IO",
    "NOSPC",
    "DQUOT",
    "ROFS",
    "FBIG",
    "NODEV",
    "STALE",
    "TXTBSY",
    "MFILE",
    "NFILE",
    "NOMEM",
    "ACCES",
]
TEXT = bytes(range(32, 127)) * 3
READING = ALL_RIGHTS & ~rights("fd_write", "fd_allocate")  # all that a directory can be opened with

# ---- a tour of all calls, each step with the errno that it gives without faults ----


def steps(g: Guest) -> Iterator[tuple[str, Callable[[], int]]]:
    """(call, what makes it), on descriptor 3 = a directory with hello.txt, link and sub/."""
    at, out = g.iovs(0x100, (0x10000, len(TEXT))), 0x200
    g.memory.write(0x10000, TEXT)
    place = {
        name: g.put(0x300 + 32 * i, name)
        for i, name in enumerate(("hello.txt", "new", "link", "sub", "to", "sub/f1"))
    }

    def opens(name: str, oflags: int = 0, fdflags: int = 0, right: int = ALL_RIGHTS) -> Callable[[], int]:
        return lambda: g.path_open(3, 0, *place[name], oflags, right, ALL_RIGHTS, fdflags, out)

    def fd() -> int:
        return int(g.memory.u32(out))

    yield "path_open", opens("hello.txt")
    file = fd()
    yield "fd_read", lambda: g.fd_read(file, *at, 0x210)
    yield "fd_write", lambda: g.fd_write(file, *at, 0x210)
    yield "fd_pread", lambda: g.fd_pread(file, *at, 0, 0x210)
    yield "fd_pwrite", lambda: g.fd_pwrite(file, *at, 5, 0x210)
    yield "fd_seek", lambda: g.fd_seek(file, 0, 0, 0x220)
    yield "fd_tell", lambda: g.fd_tell(file, 0x220)
    yield "fd_filestat_get", lambda: g.fd_filestat_get(file, 0x400)
    yield "fd_filestat_set_size", lambda: g.fd_filestat_set_size(file, 700)
    yield "fd_filestat_set_times", lambda: g.fd_filestat_set_times(file, 1, 2, 5)
    yield "fd_allocate", lambda: g.fd_allocate(file, 0, 800)
    yield "fd_advise", lambda: g.fd_advise(file, 0, 10, 0)
    yield "fd_datasync", lambda: g.fd_datasync(file)
    yield "fd_sync", lambda: g.fd_sync(file)
    yield "fd_fdstat_get", lambda: g.fd_fdstat_get(file, 0x400)
    yield "fd_fdstat_set_flags", lambda: g.fd_fdstat_set_flags(file, 1)
    yield "poll_oneoff", lambda: g.poll(on_fd(file), on_clock(0))[0]
    yield "path_open", opens("new", oflags=1 | 4)
    new = fd()
    yield "fd_write", lambda: g.fd_write(new, *at, 0x210)
    yield "fd_close", lambda: g.fd_close(new)
    yield "path_open", opens("new", oflags=8)
    cut = fd()
    yield "fd_close", lambda: g.fd_close(cut)
    yield "path_open", opens("sub", oflags=2, right=READING)
    sub = fd()
    yield "fd_readdir", lambda: g.fd_readdir(sub, 0x8000, 4096, 0, 0x210)
    yield "fd_readdir", lambda: g.fd_readdir(3, 0x8000, 4096, 0, 0x210)
    yield "path_filestat_get", lambda: g.path_filestat_get(3, 1, *place["link"], 0x400)
    yield "path_filestat_get", lambda: g.path_filestat_get(3, 1, *place["sub/f1"], 0x400)
    yield "path_open", opens("sub/f1")
    deep = fd()
    yield "fd_close", lambda: g.fd_close(deep)
    yield "path_filestat_set_times", lambda: g.path_filestat_set_times(3, 0, *place["new"], 1, 2, 5)
    yield "path_readlink", lambda: g.path_readlink(3, *place["link"], 0x8000, 100, 0x210)
    yield "path_link", lambda: g.path_link(3, 0, *place["new"], 3, *place["to"])
    yield "path_unlink_file", lambda: g.path_unlink_file(3, *place["to"])
    yield "path_rename", lambda: g.path_rename(3, *place["new"], 3, *place["to"])
    yield "path_symlink", lambda: g.path_symlink(*place["to"], 3, *place["new"])
    yield "path_unlink_file", lambda: g.path_unlink_file(3, *place["new"])
    yield "path_create_directory", lambda: g.path_create_directory(3, *place["new"])
    yield "path_remove_directory", lambda: g.path_remove_directory(3, *place["new"])
    yield "random_get", lambda: g.random_get(0x8000, 5000)
    yield "clock_time_get", lambda: g.clock_time_get(1, 0, 0x220)
    yield "clock_res_get", lambda: g.clock_res_get(1, 0x220)
    yield "sched_yield", lambda: g.sched_yield()
    yield "fd_renumber", lambda: g.fd_renumber(sub, file)
    yield "fd_close", lambda: g.fd_close(file)


def tree(root: Path) -> Path:
    root.mkdir()
    (root / "hello.txt").write_bytes(b"hello" * 100)
    (root / "link").symlink_to("hello.txt")
    (root / "sub").mkdir()
    for i in range(20):
        (root / "sub" / f"f{i}").touch()
    return root


def tour(g: Guest, expect: set[int], after: Callable[[], None] = lambda: None) -> list[tuple[str, int]]:
    """Every step; where it fails, with an errno of ``expect``, it is made again without the fault: then fine."""
    answers = []
    for name, make in steps(g):
        err = make()
        answers.append((name, err))
        if err:
            assert err in expect, (name, _core.error_name(err))
            after()
            again = make()
            assert again == 0, (name, "again", _core.error_name(again))
    return answers


# What the tour asks of the kernel: see test_f151_the_tour_asks_for_all.
CALLS = [
    *("openat", "openat2", "close", "readv", "writev", "preadv", "pwritev", "lseek", "fstat", "fstatat"),
    *("ftruncate", "fallocate", "fadvise", "fsync", "fdatasync", "futimens", "utimensat", "set_append"),
    *("mkdirat", "unlinkat", "renameat", "linkat", "symlinkat", "readlinkat", "getdents", "poll", "yield"),
    *("clock_get", "clock_res", "getrandom"),
]

"""Every pointer of WASI 0.1: what it points to, its alignment, and good arguments around it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.support import Guest, signatures


@dataclass(frozen=True)
class Pointer:
    call: str
    name: str
    size: int  # bytes of one item
    align: int
    count: str = ""  # the parameter that says how many


def _pointers() -> list[Pointer]:
    numbers = """args_sizes_get.argc args_sizes_get.argv_buf_size environ_sizes_get.environc
    environ_sizes_get.environ_buf_size fd_pread.nread fd_pwrite.nwritten fd_read.nread fd_write.nwritten
    fd_readdir.bufused path_open.opened_fd path_readlink.bufused poll_oneoff.nevents sock_accept.opened_fd
    sock_recv.ro_datalen sock_send.so_datalen"""
    wide = "clock_res_get.resolution clock_time_get.time fd_seek.newoffset fd_tell.offset"
    lists = "fd_pread.iovs fd_pwrite.iovs fd_read.iovs fd_write.iovs sock_recv.ri_data sock_send.si_data"
    texts = "fd_prestat_dir_name.path fd_readdir.buf path_create_directory.path path_filestat_get.path"
    texts += " path_filestat_set_times.path path_link.old_path path_link.new_path path_open.path path_readlink.path"
    texts += " path_readlink.buf path_remove_directory.path path_rename.old_path path_rename.new_path"
    texts += " path_symlink.old_path path_symlink.new_path path_unlink_file.path random_get.buf"
    found = [Pointer(*word.split("."), 4, 4) for word in numbers.split()]  # type: ignore[arg-type]
    found += [Pointer(*word.split("."), 8, 8) for word in wide.split()]  # type: ignore[arg-type]
    for word in lists.split():
        call, name = word.split(".")
        found.append(Pointer(call, name, 8, 4, name + "_len"))
    for word in texts.split():
        call, name = word.split(".")
        found.append(Pointer(call, name, 1, 1, name + "_len"))
    return [
        *found,
        Pointer("args_get", "argv", 4, 4),  # one argument, "p"
        Pointer("args_get", "argv_buf", 2, 1),
        Pointer("environ_get", "environ", 4, 4),  # one variable, "A=b"
        Pointer("environ_get", "environ_buf", 4, 1),
        Pointer("fd_fdstat_get", "stat", 24, 8),
        Pointer("fd_filestat_get", "stat", 64, 8),
        Pointer("path_filestat_get", "stat", 64, 8),
        Pointer("fd_prestat_get", "prestat", 8, 4),
        Pointer("sock_recv", "ro_flags", 2, 2),
        Pointer("poll_oneoff", "in", 48, 8, "nsubscriptions"),
        Pointer("poll_oneoff", "out", 32, 8, "nsubscriptions"),
    ]


POINTERS = _pointers()
# In wasi_unstable.
OLD_SIZES = {("fd_filestat_get", "stat"): 56, ("path_filestat_get", "stat"): 56, ("poll_oneoff", "in"): 56}
BY_CALL = {name: [one for one in POINTERS if one.call == name] for name in signatures()}
_DEEDS = """openat openat2 reopen readv writev preadv pwritev write_pipe lseek fstat fstatat ftruncate fallocate
mkdirat unlinkat renameat linkat symlinkat readlinkat utimensat futimens getdents accept recv send shutdown poll
getrandom close"""
DEEDS = _DEEDS.split()  # what a call that ends its guest has not done


def good(call: str) -> dict[str, int]:
    """Parameters that lead to no trap: every pointer in a place of its own, lengths 1."""
    fds = {"fd_read": 0, "fd_write": 1, "sock_recv": 0, "sock_send": 1, "sock_accept": 0, "fd_prestat_get": 3}
    pointers = {one.name for one in BY_CALL[call]}
    values = {}
    for index, (name, _) in enumerate(signatures()[call][0]):
        if name in pointers:
            values[name] = 0x400 * (index + 1)
        elif name in ("fd", "old_fd", "new_fd", "to"):
            values[name] = fds.get(call, 3)
        elif name.endswith("_len") or name == "nsubscriptions":
            values[name] = 1
        else:
            values[name] = 0
    return values


def prepare(g: Guest, call: str, values: dict[str, int], sizes: dict[str, int]) -> None:
    """What the pointers point to, as far as it is in memory: lists of one piece, paths of "x", zeroed waits."""
    for one in BY_CALL[call]:
        at = values[one.name]
        if at + sizes[one.name] > g.size:
            continue
        if one.size == 8 and one.count:
            g.put(at, struct.pack("<II", 0x200, 1))
        elif one.name == "in":
            g.put(at, bytes(sizes["in"]))
        elif one.name.endswith("path"):
            g.put(at, b"x")


def declared(call: str, values: dict[str, int], sizes: dict[str, int]) -> list[tuple[int, int]]:
    places = []
    for one in BY_CALL[call]:
        if not one.name.endswith("path") or one.call == "fd_prestat_dir_name":
            places.append((values[one.name], sizes[one.name] * (values[one.count] if one.count else 1)))
    return [*places, (0x200, 1)]

"""Calls on paths for the tests: errnos by name, and the numbers of the flags."""

from __future__ import annotations

from typing import Any

from tests.support import ALL_RIGHTS, ERRNOS, Guest, rights

WRITE = rights("fd_write", "fd_allocate")
READ = ALL_RIGHTS & ~WRITE  # all that a directory can be opened with
CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
APPEND, DSYNC, NONBLOCK, RSYNC, SYNC = 1, 2, 4, 8, 16
ATIM, ATIM_NOW, MTIM, MTIM_NOW = 1, 2, 4, 8

NAMES = {number: name for name, number in ERRNOS.items()}
NAMES[0] = "OK"
PATH, OTHER = 0x8000, 0xC000  # where a path is put; where the second one of a call is


class Calls:
    """The calls of one guest; each answers the name of its errno, ``OK`` for none."""

    def __init__(self, g: Guest) -> None:
        self.g = g

    def errno_of_open(self, path: str | bytes, **how: Any) -> str:
        """Open and close."""
        err, fd = self.g.open(path, **{"rights": READ, **how})
        if not err:
            assert self.g.fd_close(fd) == 0
        return NAMES[err]

    def kind(self, path: str | bytes, *, dir: int = 3, follow: bool = False) -> str | tuple[int, int, int]:
        """The errno, or (type, links, size) of what a path names."""
        err, st = self.g.stat(path, dir=dir, follow=follow)
        return NAMES[err] if err else (st["type"], st["nlink"], 0 if st["type"] == 3 else st["size"])

    def open(self, path: str | bytes, **how: Any) -> int:
        """A descriptor; the path is a good one."""
        err, fd = self.g.open(path, **{"rights": READ, **how})
        assert err == 0, (path, NAMES[err])
        return fd

    def call(self, name: str, *args: int) -> str:
        return NAMES[self.g.call(name, *args)]

    def at(self, path: str | bytes) -> tuple[int, int]:
        return self.g.put(PATH, path)

    def mkdir(self, path: str | bytes, dir: int = 3) -> str:
        return self.call("path_create_directory", dir, *self.at(path))

    def rmdir(self, path: str | bytes, dir: int = 3) -> str:
        return self.call("path_remove_directory", dir, *self.at(path))

    def unlink(self, path: str | bytes, dir: int = 3) -> str:
        return self.call("path_unlink_file", dir, *self.at(path))

    def set_times(
        self, path: str | bytes, dir: int = 3, follow: bool = False, flags: int = ATIM | MTIM
    ) -> str:
        return self.call("path_filestat_set_times", dir, int(follow), *self.at(path), 1, 1, flags)

    def rename(self, old: str | bytes, new: str | bytes, dir: int = 3, to: int = 3) -> str:
        return self.call("path_rename", dir, *self.at(old), to, *self.g.put(OTHER, new))

    def link(self, old: str | bytes, new: str | bytes, dir: int = 3, to: int = 3, flags: int = 0) -> str:
        return self.call("path_link", dir, flags, *self.at(old), to, *self.g.put(OTHER, new))

    def symlink(self, target: str | bytes, path: str | bytes, dir: int = 3) -> str:
        return self.call("path_symlink", *self.at(target), dir, *self.g.put(OTHER, path))

    def readlink(self, path: str | bytes, size: int = 4096, dir: int = 3) -> str | bytes:
        """The errno, or the bytes."""
        err = self.call("path_readlink", dir, *self.at(path), 0x4000, size, 0x7FF0)
        return err if err != "OK" else self.g.memory.read(0x4000, self.g.unpack("I", 0x7FF0))

    def list(self, fd: int) -> list[str]:
        """All names in an open directory, in the order of fd_readdir."""
        names: list[str] = []
        cookie = 0
        while True:
            err, some = self.g.list(fd, cookie)
            assert err == 0
            if not some:
                return names
            names += [name for name, _, _ in some]
            cookie = some[-1][2]

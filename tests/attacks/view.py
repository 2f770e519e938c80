"""The attacks seen through WASI 0.2: the calls of a :class:`tests.attacks.tree.Case`, made of wasi:filesystem.

A scenario that makes no raw call runs on both, and says the same: error-codes are told by the errno that they stand
for, handles are the numbers from 100 up, and 3 and 4 are the two preopens. Of verdicts that forbid, 0.1 and 0.2 use
other words (see :func:`same_words`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.attacks.tree import MODES, RUNS, Case, Tree, kernel
from tests.calls import APPEND, CREAT, DIRECTORY, DSYNC, EXCL, READ, RSYNC, SYNC, TRUNC
from tests.p2 import files
from tests.p2.driver import HEAP
from tests.support import ALL_RIGHTS, rights
from wasi_native import Policy, _core

# Those that one error-code stands for are told by the first.
ERRNO = {code: name for name, code in reversed(files.code_of().items()) if name != "SUCCESS"}
ERRNO |= {"not-permitted": "PERM", "io": "IO", "unsupported": "NOTSUP", "insufficient-memory": "NOMEM"}
FORBIDDEN = {"NOTCAPABLE", "PERM", "ROFS"}
FIRST = 100  # what a handle is moved up by


def same_words(answer: Any) -> Any:
    """What a scenario saw, with one word for what is forbidden: 0.2 has no NOTCAPABLE, and its ROFS means that."""
    if isinstance(answer, str):
        return "FORBIDDEN" if answer in FORBIDDEN else answer
    if isinstance(answer, (list, tuple)):
        return [same_words(item) for item in answer]
    return answer


class Watched(files.Files):
    """A guest whose every call is looked at (O6): memory below its heap changes in the return area alone, and after
    an error in no more than the discriminant and the code."""

    def __call__(self, name: str, *args: int, timeout: float | None = None) -> Any:
        before = bytes(self.memory.read(0, HEAP))
        answer = super().__call__(name, *args, timeout=timeout)
        after = bytes(self.memory.read(0, HEAP))
        ret = files.RET
        room = 9 if after[ret] == 1 and "[method]" in name and "is-same" not in name else 104
        assert before[:ret] == after[:ret] and before[ret + room :] == after[ret + room :], (name, args)
        return answer


class Host:
    """The few calls of the driver of 0.1 that scenarios make by themselves."""

    def __init__(self, case: Case2) -> None:
        self.case = case

    def fd_close(self, fd: int) -> int:
        self.case.files.drop(fd - FIRST)
        return 0


class Case2(Case):
    """One run of a scenario."""

    def __init__(self, tree: Tree, guest: Watched, kernel: _core.FakeOs) -> None:
        self.files = guest
        self.g: Any = Host(self)
        self.tree, self.kernel = tree, kernel
        self.baseline = tree.outside()

    # ---- words ----

    def dir(self, number: int) -> int:
        names = {3: "/rw", 4: "/ro"}
        if number not in names:
            return number - FIRST
        found = self.files.preopens
        return found[names[number]] if names[number] in found else list(found.values())[number - 3]

    @staticmethod
    def said(answer: Any) -> str:
        return ERRNO[answer] if isinstance(answer, str) else "OK"

    def opening(
        self,
        path: str | bytes,
        *,
        dir: int = 3,
        follow: bool = False,
        oflags: int = 0,
        rights: int = READ,
        inheriting: int = 0,
        fdflags: int = 0,
    ) -> int | str:
        flags = files.READ if rights & READING else 0
        flags |= files.WRITE if rights & WRITING else 0
        flags |= files.FILE_SYNC if fdflags & SYNC else 0
        flags |= files.DATA_SYNC if fdflags & DSYNC else 0
        flags |= files.READ_SYNC if fdflags & RSYNC else 0
        assert not fdflags & ~(APPEND | SYNC | DSYNC | RSYNC)
        how = files.CREATE if oflags & CREAT else 0
        how |= files.DIRECTORY if oflags & DIRECTORY else 0
        how |= files.EXCLUSIVE if oflags & EXCL else 0
        how |= files.TRUNCATE if oflags & TRUNC else 0
        return self.files.open(self.dir(dir), path, flags, how, follow)

    # ---- what scenarios call ----

    def look(self, path: str | bytes, **how: Any) -> str:
        before = host_fds()
        fd = self.opening(path, **how)
        if isinstance(fd, str):
            return ERRNO[fd]
        (opened,) = host_fds() - before
        ino = os.fstat(opened).st_ino
        self.files.drop(fd)
        return self.where(ino)

    def open(self, path: str | bytes, **how: Any) -> int:
        fd = self.opening(path, **how)
        assert isinstance(fd, int), (path, fd)
        return fd + FIRST

    def errno_of_open(self, path: str | bytes, **how: Any) -> str:
        fd = self.opening(path, **how)
        if isinstance(fd, int):
            self.files.drop(fd)
        return self.said(fd)

    def stat(self, path: str | bytes, *, dir: int = 3, follow: bool = False) -> str:
        """The name of what was found, known by what the host says of it: 0.2 tells no number of a file."""
        found = self.files.stat_at(self.dir(dir), path, follow)
        if isinstance(found, str):
            return ERRNO[found]
        names = []
        for folder, dirs, plain in os.walk(self.tree.root):
            for name in [folder, *(os.path.join(folder, name) for name in (*dirs, *plain))]:
                st = os.lstat(name)
                if (st.st_mtime_ns, st.st_ctime_ns, st.st_nlink, st.st_size) == (
                    found.mtim,
                    found.ctim,
                    found.links,
                    found.size,
                ):
                    names.append(os.path.relpath(name, self.tree.root))
        asked = os.fsdecode(path).rstrip("/").rpartition("/")[2]  # two that were made in one tick look alike
        names.sort(key=lambda name: (os.path.basename(name) != asked, len(name), name))
        return names[0] if names else f"outside of T: {found}"

    def mkdir(self, path: str | bytes, dir: int = 3) -> str:
        return self.said(self.files.mkdir(self.dir(dir), path))

    def rmdir(self, path: str | bytes, dir: int = 3) -> str:
        return self.said(self.files.rmdir(self.dir(dir), path))

    def unlink(self, path: str | bytes, dir: int = 3) -> str:
        return self.said(self.files.unlink(self.dir(dir), path))

    def set_times(self, path: str | bytes, dir: int = 3, follow: bool = False, flags: int = 0) -> str:
        times = files.at_time(1)
        return self.said(self.files.set_times_at(self.dir(dir), path, times, times, follow))

    def rename(self, old: str | bytes, new: str | bytes, dir: int = 3, to: int = 3) -> str:
        return self.said(self.files.rename(self.dir(dir), old, self.dir(to), new))

    def link(self, old: str | bytes, new: str | bytes, dir: int = 3, to: int = 3, flags: int = 0) -> str:
        return self.said(self.files.link(self.dir(dir), old, self.dir(to), new, flags))

    def symlink(self, target: str | bytes, path: str | bytes, dir: int = 3) -> str:
        return self.said(self.files.symlink(self.dir(dir), target, path))

    def readlink(self, path: str | bytes, size: int = 4096, dir: int = 3) -> str | bytes:
        """All of it, always; cut here, for those that look at a part."""
        answer = self.files.readlink(self.dir(dir), path)
        return ERRNO[answer] if isinstance(answer, str) else answer[:size]

    def at(self, path: str | bytes) -> tuple[int, int]:
        raise AssertionError("a raw place in memory is of one version: say the path")

    def call(self, name: str, *args: int) -> str:
        raise AssertionError("a raw call is of one version")

    def every_call(self, path: str | bytes, dir: int = 3) -> Iterator[tuple[str, str]]:
        for follow in (False, True):
            for oflags in (0, CREAT, CREAT | EXCL, DIRECTORY, TRUNC):
                how = {"dir": dir, "follow": follow, "oflags": oflags, "rights": ALL_RIGHTS}
                yield f"path_open({int(follow)}, {oflags})", self.errno_of_open(path, **how)
            yield f"filestat_get({int(follow)})", self.said_of_stat(path, dir, follow)
            yield f"set_times({int(follow)})", self.set_times(path, dir, follow)
        yield "create_directory", self.mkdir(path, dir)
        yield "remove_directory", self.rmdir(path, dir)
        yield "unlink_file", self.unlink(path, dir)
        yield "link from", self.link(path, "other", dir)
        yield "link to", self.link("f.txt", path, 3, dir)
        yield "rename from", self.rename(path, "other", dir)
        yield "rename to", self.rename("f.txt", path, 3, dir)
        yield "symlink at", self.symlink("other", path, dir)
        answer = self.readlink(path, dir=dir)
        yield "readlink", answer if isinstance(answer, str) else "OK"

    def said_of_stat(self, path: str | bytes, dir: int, follow: bool) -> str:
        found = self.files.stat_at(self.dir(dir), path, follow)
        return ERRNO[found] if isinstance(found, str) else "OK"


READING, WRITING = rights("fd_read"), rights("fd_write", "fd_allocate")


def host_fds() -> set[int]:
    """The descriptors of this process, without that of the listing itself."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            os.fstat(int(name))
            found.add(int(name))
        except OSError:
            pass
    return found


def everywhere(root: Path, scenario: Any, wanted: Any, *, pages: int = 2, **policy: Any) -> None:
    """Run the scenario in every mode on guests of 0.2: each answers what 0.1 answered."""
    before = os.getcwd()
    for number, (mode, engine) in enumerate(run for run in RUNS if run[1] != "fake"):
        tree = Tree(root / f"T{number}-2")
        os.chdir(tree.root / "cwd")
        fake = kernel(mode)
        try:
            grants = Policy(**{"dirs": tree.dirs(), **policy})
            with Watched(grants, engine=engine, resolver=MODES[mode][0], kernel=fake, pages=pages) as guest:
                case = Case2(tree, guest, fake)
                answer = scenario(case)
                assert tree.outside() == case.baseline, f"0.2, {mode}, {engine}: the outside changed"
            assert tree.outside() == case.baseline, f"0.2, {mode}, {engine}: the outside changed at the end"
        finally:
            os.chdir(before)
        assert same_words(answer) == same_words(wanted), f"0.2, {mode}, {engine} answers otherwise than 0.1"

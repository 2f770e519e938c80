"""The tree of the attacks, and how a case runs: the same scenario in every mode, the oracles after each.

A scenario is a function of a :class:`Case`; it makes raw calls and returns what it saw as plain data, in
which inodes are told by their names in the tree (:meth:`Case.where`). :func:`everywhere` runs it on a new
tree in each mode and wants the same answer from all of them.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.calls import ATIM, CREAT, DIRECTORY, EXCL, MTIM, NAMES, OTHER, READ, TRUNC, Calls
from tests.support import ALL_RIGHTS, ERRNOS, Guest, engines_under_test
from wasi_native import Dir, Policy, _core

ESC = {"PERM", "NOTCAPABLE"}
DENY = {"NOTCAPABLE", "PERM", "ACCES", "ROFS", "BADF"}
# mode: (resolver, what openat2 answers, engines)
MODES = {
    "openat2": ("openat2", 0, engines_under_test()),
    "walk": ("walk", 0, engines_under_test()),
    "no openat2": ("auto", ERRNOS["NOSYS"], ("fake",)),
    "openat2 forbidden": ("auto", ERRNOS["PERM"], ("fake",)),
}
RUNS = [(mode, engine) for mode, (_, _, engines) in MODES.items() for engine in engines]

_WRITE_NUMBER = {"fd_write": 4, "fd_pwrite": 4, "fd_seek": 8, "fd_tell": 8, "path_open": 4}
_WRITE_STRUCT = {"path_filestat_get": 64, "fd_filestat_get": 64, "fd_fdstat_get": 24, "fd_prestat_get": 8}
Result = TypeVar("Result")


def kernel(mode: str) -> _core.FakeOs:
    """A kernel whose openat2 is what the mode says."""
    made = _core.FakeOs()
    err = MODES[mode][1]
    if err:
        made.inject("openat2", 1, 0, err=err)
    return made


def fingerprint(*tops: Path) -> dict[str, tuple[object, ...]]:
    """All that can be seen of these trees but the times of access."""
    found: dict[str, tuple[object, ...]] = {}
    for top in tops:
        for folder, dirs, files in os.walk(top):
            for path in {folder, *(os.path.join(folder, name) for name in (*dirs, *files))}:
                found[path] = _print_of(path)
    return found


def _print_of(path: str) -> tuple[object, ...]:
    st = os.lstat(path)
    digest = ""
    if stat.S_ISREG(st.st_mode):
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    elif stat.S_ISLNK(st.st_mode):
        digest = os.readlink(path)
    attributes = tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in _xattrs(path))
    times = (st.st_mtime_ns, st.st_ctime_ns)
    return (st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_size, *times, attributes, digest)


def _xattrs(path: str) -> list[str]:
    try:
        return sorted(os.listxattr(path, follow_symlinks=False))
    except (OSError, AttributeError):  # Python has none of it on musl
        return []


class Tree:
    """T: ``out`` is the outside, ``rw`` and ``ro`` are granted, ``cwd`` is where the process stands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.out, self.rw, self.ro = root / "out", root / "rw", root / "ro"
        for name in ("out/sub", "out/wr", "rw/d/e", "ro", "cwd"):
            (root / name).mkdir(parents=True)
        (self.out / "secret.txt").write_text("SECRET")
        (self.rw / "f.txt").write_text("hello")
        (self.ro / "r.txt").write_text("read only")
        for name, target in {
            "l_out": "../out",
            "l_out_slash": "../out/",
            "l_secret": "../out/secret.txt",
            "l_abs": str(self.out),
            "l_proc": "/proc/self/root",
            "l_in": "d",
            "l_in_slash": "d/",
            "dang_out": "../out/new",
            "loop_a": "loop_b",
            "loop_b": "loop_a",
            "chain1": "chain2/",
            "chain2": "../out",
        }.items():
            (self.rw / name).symlink_to(target)
            if os.readlink(self.rw / name) != target:  # pathlib may drop a slash at the end
                (self.rw / name).unlink()
                os.symlink(target, self.rw / name)
        os.mkfifo(self.rw / "fifo")

    def dirs(self) -> list[Dir]:
        return [Dir(self.rw, "/rw"), Dir(self.ro, "/ro", read_only=True)]

    def outside(self) -> tuple[object, ...]:
        """What no guest may change: O1, and O3 for all places that a wrong path could lead to."""
        others = sorted(os.listdir(self.root)), sorted(os.listdir(self.root / "cwd")), sorted(os.listdir("/"))
        return fingerprint(self.out, self.ro), others


class Attacker(Guest):
    """A guest whose every call is looked at (O6): memory changes where the call says, after an error nowhere."""

    def call(self, name: str, *args: int, timeout: float | None = None) -> int:
        places = self._outputs(name, args)
        before = self.memory.read(0, self.size)
        err = super().call(name, *args, timeout=timeout)
        after = self.memory.read(0, self.size)
        if before != after:
            masked = bytearray(before)
            for ptr, length in places if err == 0 else []:
                masked[ptr : ptr + length] = after[ptr : ptr + length]
            assert masked == after, f"{name}{args}, errno {err}: memory outside {places} changed"
        return err

    def _outputs(self, name: str, args: tuple[int, ...]) -> list[tuple[int, int]]:
        if name in _WRITE_NUMBER:
            return [(args[-1], _WRITE_NUMBER[name])]
        if name in _WRITE_STRUCT:
            return [(args[-1], _WRITE_STRUCT[name])]
        if name == "path_readlink":
            return [(args[3], args[4]), (args[5], 4)]
        if name == "fd_readdir":
            return [(args[1], args[2]), (args[4], 4)]
        if name in ("fd_read", "fd_pread"):
            at, count = args[1], args[2]
            return [(args[-1], 4), *(self.unpack("II", at + 8 * i) for i in range(count))]
        return []


class Case(Calls):
    """One run of a scenario: a guest in a tree. The calls answer names: an errno, or what was reached."""

    def __init__(self, tree: Tree, g: Guest, kernel: _core.FakeOs) -> None:
        super().__init__(g)
        self.tree, self.kernel = tree, kernel
        self.baseline = tree.outside()

    def rebase(self) -> None:
        """The host itself changed the outside."""
        self.baseline = self.tree.outside()

    def where(self, ino: int) -> str:
        """The shortest name in T of an inode."""
        found = []
        for folder, dirs, files in os.walk(self.tree.root):
            for path in [folder, *(os.path.join(folder, name) for name in (*dirs, *files))]:
                if os.lstat(path).st_ino == ino:
                    found.append(os.path.relpath(path, self.tree.root))
        return min(found, key=lambda name: (len(name), name)) if found else f"inode outside of T: {ino}"

    def look(self, path: str | bytes, **how: Any) -> str:
        """Open and close: the errno, or the name of what was opened."""
        err, fd = self.g.open(path, **{"rights": READ, **how})
        if err:
            return NAMES[err]
        err, st = self.g.fstat(fd)
        assert (err, self.g.fd_close(fd)) == (0, 0)
        return self.where(st["ino"])

    def stat(self, path: str | bytes, *, dir: int = 3, follow: bool = False) -> str:
        err, st = self.g.stat(path, dir=dir, follow=follow)
        return NAMES[err] if err else self.where(st["ino"])

    def every_path_call(self, ptr: int, length: int, dir: int = 3) -> Iterator[tuple[str, str]]:
        """(call, errno) of each call that takes a path, in each of its path arguments."""
        other = self.g.put(OTHER, "other")
        good = self.g.put(OTHER + 64, "f.txt")
        path, out = (ptr, length), 0x7F00
        rights = (ALL_RIGHTS, ALL_RIGHTS, 0)
        for follow in (0, 1):
            for oflags in (0, CREAT, CREAT | EXCL, DIRECTORY, TRUNC):
                name = f"path_open({follow}, {oflags})"
                yield name, self.call("path_open", dir, follow, *path, oflags, *rights, out)
            yield f"filestat_get({follow})", self.call("path_filestat_get", dir, follow, *path, out)
            times = (1, 1, ATIM | MTIM)
            yield f"set_times({follow})", self.call("path_filestat_set_times", dir, follow, *path, *times)
        yield "create_directory", self.call("path_create_directory", dir, *path)
        yield "remove_directory", self.call("path_remove_directory", dir, *path)
        yield "unlink_file", self.call("path_unlink_file", dir, *path)
        yield "link from", self.call("path_link", dir, 0, *path, 3, *other)
        yield "link to", self.call("path_link", 3, 0, *good, dir, *path)
        yield "rename from", self.call("path_rename", dir, *path, 3, *other)
        yield "rename to", self.call("path_rename", 3, *good, dir, *path)
        yield "symlink at", self.call("path_symlink", *other, dir, *path)
        yield "readlink", self.call("path_readlink", dir, *path, 0x4000, 64, out)

    def every_call(self, path: str | bytes, dir: int = 3) -> Iterator[tuple[str, str]]:
        """The same with a path that is put in its place."""
        return self.every_path_call(*self.at(path), dir)

    def all_say(self, path: str | bytes, allowed: set[str], dir: int = 3) -> list[tuple[str, str]]:
        """Every call answers one of these; what each answered."""
        said = list(self.every_call(path, dir))
        wrong = [(call, err) for call, err in said if err not in allowed]
        assert not wrong, (path, wrong)
        return said


Scenario = Callable[[Case], Result]


def everywhere(root: Path, scenario: Scenario[Result], *, pages: int = 2, **policy: Any) -> Result:
    """Run the scenario in every mode, each on a tree of its own, with the oracles O1, O3, O6 and O7."""
    answers: dict[tuple[str, str], Result] = {}
    before = os.getcwd()
    for number, (mode, engine) in enumerate(RUNS):
        tree = Tree(root / f"T{number}")
        os.chdir(tree.root / "cwd")
        fake = kernel(mode)
        try:
            grants = Policy(**{"dirs": tree.dirs(), **policy})
            with Attacker(grants, engine=engine, resolver=MODES[mode][0], pages=pages, kernel=fake) as g:
                case = Case(tree, g, fake)
                answers[mode, engine] = scenario(case)
                assert tree.outside() == case.baseline, f"{mode}, {engine}: the outside changed"
            assert tree.outside() == case.baseline, f"{mode}, {engine}: the outside changed at the end"
        finally:
            os.chdir(before)
    first = answers[RUNS[0]]
    for run, answer in answers.items():
        assert answer == first, f"{run} answers otherwise than {RUNS[0]}"
    return first

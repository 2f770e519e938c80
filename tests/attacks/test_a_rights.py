"""Group A: a read-only grant stays read-only, rights only shrink, the host's own state is not the guest's."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.tree import DENY, Case
from tests.calls import (
    APPEND,
    ATIM,
    ATIM_NOW,
    CREAT,
    DIRECTORY,
    DSYNC,
    EXCL,
    MTIM,
    MTIM_NOW,
    READ,
    RSYNC,
    SYNC,
    TRUNC,
    WRITE,
)
from tests.support import ALL_RIGHTS, CANARY, RIGHTS, fake_module, rights
from wasi_native import _core

Attack = Callable[..., Any]
READING, WRITING = rights("fd_read"), rights("fd_write")


def fdstat(c: Case, fd: int) -> tuple[int, int]:
    """(rights, inheriting)"""
    assert c.g.fd_fdstat_get(fd, 0x7E00) == 0
    base, inheriting = c.g.unpack("QQ", 0x7E08)
    return base, inheriting


def test_a41_truncate_read_only(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = [
            c.look("r.txt", dir=4, oflags=o, rights=r)
            for o in (TRUNC, TRUNC | CREAT)
            for r in (READING, READING | WRITING, WRITING, 0, ALL_RIGHTS, rights("fd_filestat_set_size"))
        ]
        assert set(said) <= DENY
        assert (c.tree.ro / "r.txt").read_text() == "read only"
        return said

    attack(scenario)


def test_a42_create_and_write_read_only(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = []
        for path in ("r.txt", "new"):
            for oflags in (CREAT, CREAT | EXCL):
                said += [c.look(path, dir=4, oflags=oflags, rights=r) for r in (READING, WRITING, 0)]
        for fdflags in (0, APPEND, SYNC, DSYNC, RSYNC, APPEND | SYNC):
            for right in (WRITING, READING | WRITING, ALL_RIGHTS, rights("fd_allocate"), WRITE):
                said.append(c.look("r.txt", dir=4, rights=right, fdflags=fdflags))
        assert set(said) <= DENY
        fd = c.open(".", dir=4, oflags=DIRECTORY)
        below = [c.look("new", dir=fd, oflags=CREAT), c.look("r.txt", dir=fd, rights=WRITING)]
        assert set(below) <= DENY
        assert os.listdir(c.tree.ro) == ["r.txt"]
        return said + below

    attack(scenario)


def test_a43_every_change_of_read_only(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        (c.tree.ro / "sub").mkdir()
        c.rebase()
        said = [c.mkdir("x", 4), c.unlink("r.txt", 4), c.rmdir("sub", 4), c.symlink("r.txt", "x", 4)]
        said += [c.rename("r.txt", "x", 4, 4), c.rename("r.txt", "x", 4, 3), c.rename("f.txt", "x", 3, 4)]
        said += [c.link("r.txt", "x", 4, 4), c.link("r.txt", "x", 4, 3), c.link("f.txt", "x", 3, 4)]
        said += [c.set_times(p, 4, flags=f) for p in ("r.txt", ".", "sub/") for f in (ATIM, MTIM, MTIM_NOW)]
        for path in ("r.txt", ".", "sub"):
            fd = c.open(path, dir=4, rights=READ)
            iovs = c.g.iovs(0x100, c.g.put(0x200, "changed"))
            said += [c.call("fd_filestat_set_times", fd, 1, 1, f) for f in (ATIM | MTIM, ATIM_NOW | MTIM_NOW)]
            said += [c.call("fd_write", fd, *iovs, 0x110), c.call("fd_pwrite", fd, *iovs, 0, 0x110)]
            said += [c.call("fd_allocate", fd, 0, 100), c.call("fd_filestat_set_size", fd, 0)]
            said.append(c.call("fd_fdstat_set_rights", fd, ALL_RIGHTS, ALL_RIGHTS))
        assert set(said) <= DENY
        return said

    attack(scenario, only="0.1")


def test_a44_no_alias_of_read_only(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = [c.link("r.txt", "alias", 4, 3), c.rename("r.txt", "x", 4, 3), c.rename("f.txt", "x", 3, 4)]
        said += [c.link("f.txt", "alias", 3, 4), c.link("r.txt", "alias", 4, 4)]
        sub = c.open(".", dir=4, oflags=DIRECTORY)
        home = c.open("d", oflags=DIRECTORY)
        said += [
            c.link("r.txt", "alias", sub, 3),
            c.link("r.txt", "alias", sub, home),
            c.rename("r.txt", "x", sub, home),
        ]
        assert set(said) <= DENY
        assert os.stat(c.tree.ro / "r.txt").st_nlink == os.stat(c.tree.rw / "f.txt").st_nlink == 1
        return said

    attack(scenario)


def test_a45_rights_only_shrink(attack: Attack) -> None:
    """What reads, writes or allocates is refused when the directory does not pass it on; other rights are
    dropped, since libraries ask for all of them at once."""

    def scenario(c: Case) -> list[object]:
        base, inheriting = fdstat(c, 3)
        no_write = inheriting & ~WRITE & ~rights("path_unlink_file", "fd_filestat_set_size")
        fd = c.open("d", rights=base, inheriting=no_write, oflags=DIRECTORY)
        assert fdstat(c, fd) == (base, no_write & inheriting)
        said = [
            c.look("f", dir=fd, oflags=CREAT, rights=r)
            for r in (WRITING, WRITE, rights("fd_allocate"), ALL_RIGHTS)
        ]
        assert said == ["NOTCAPABLE"] * 4 and os.listdir(c.tree.rw / "d") == ["e"]
        # child of child
        child = c.open("e", dir=fd, rights=ALL_RIGHTS & ~WRITE, inheriting=ALL_RIGHTS, oflags=DIRECTORY)
        got, passed = fdstat(c, child)
        assert got & ~no_write == 0 and passed & ~no_write == 0
        assert c.look("f", dir=child, oflags=CREAT, rights=WRITING) == "NOTCAPABLE"
        assert c.unlink("x", dir=child) == "NOTCAPABLE"  # the right was dropped, not granted
        file = c.open("f", dir=child, oflags=CREAT, rights=READ)
        assert fdstat(c, file)[0] & (WRITE | rights("fd_filestat_set_size")) == 0
        assert c.call("fd_filestat_set_size", file, 0) == "NOTCAPABLE"
        # not by the back door of a further descriptor
        again = c.open(".", dir=child, rights=READ, inheriting=ALL_RIGHTS)
        assert fdstat(c, again)[1] & ~passed == 0
        return [*said, got, passed]

    attack(scenario, only="0.1")


def test_a45_set_rights_drops_and_never_adds(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        fd = c.open("f.txt", rights=ALL_RIGHTS)
        base, _ = fdstat(c, fd)
        said = [c.call("fd_fdstat_set_rights", fd, base | RIGHTS["sock_accept"], 0)]
        said += [c.call("fd_fdstat_set_rights", fd, base, RIGHTS["fd_read"])]
        assert set(said) == {"NOTCAPABLE"} and fdstat(c, fd)[0] == base
        assert c.call("fd_fdstat_set_rights", fd, base & ~WRITE, 0) == "OK"
        said += [c.call("fd_write", fd, *c.g.iovs(0x100, (0x200, 4)), 0x110)]
        said += [c.call("fd_fdstat_set_rights", fd, base, 0)]
        assert fdstat(c, fd)[0] == base & ~WRITE
        assert c.call("fd_fdstat_set_rights", fd, 0, 0) == "OK"
        said += [
            c.call("fd_read", fd, *c.g.iovs(0x100, (0x200, 4)), 0x110),
            c.call("fd_filestat_get", fd, 0x7F00),
        ]
        said += [c.call("fd_seek", fd, 0, 0, 0x7F00), c.call("fd_tell", fd, 0x7F00), c.call("fd_sync", fd)]
        assert set(said) == {"NOTCAPABLE"}
        assert c.g.fd_close(fd) == 0  # closing needs no right
        # a preopen: its own rights and what it passes on
        kept = rights("path_open", "fd_readdir")
        assert c.call("fd_fdstat_set_rights", 3, kept, READING) == "OK"
        every = [
            (call, err)
            for call, err in c.every_path_call(*c.at("f.txt"))
            if not call.startswith("path_open(")
        ]
        assert {err for _, err in every} == {"NOTCAPABLE"}
        assert c.look("new", oflags=CREAT, rights=READING) == "NOTCAPABLE"
        assert fdstat(c, c.open("f.txt", rights=READ))[0] == READING
        return said

    attack(scenario, only="0.1")


def test_a46_descriptors_of_one_direction(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        iovs = c.g.iovs(0x100, (0x200, 4))
        fd = c.open("f.txt", rights=rights("fd_read", "fd_seek"))
        said = [c.call("fd_write", fd, *iovs, 0x110), c.call("fd_pwrite", fd, *iovs, 0, 0x110)]
        said += [c.call("fd_allocate", fd, 0, 4096), c.call("fd_filestat_set_size", fd, 0)]
        said += [c.call("fd_datasync", fd), c.call("fd_filestat_set_times", fd, 1, 1, ATIM | MTIM)]
        assert c.g.read(fd) == (0, b"hello")
        # the right to set the size does not open a file for writing
        some = c.open("f.txt", rights=rights("fd_read", "fd_filestat_set_size", "fd_datasync"))
        said += [c.call("fd_filestat_set_size", some, 0)]
        assert c.call("fd_datasync", some) == "OK"
        assert set(said) <= {"BADF", "NOTCAPABLE", "INVAL"}
        assert (c.tree.rw / "f.txt").read_text() == "hello"
        out = c.open("f.txt", rights=WRITING)
        said += [c.call("fd_read", out, *iovs, 0x110), c.call("fd_pread", out, *iovs, 0, 0x110)]
        assert set(said[-2:]) <= {"BADF", "NOTCAPABLE"}
        assert c.g.memory.read(0x200, 4) == bytes([CANARY]) * 4
        assert c.g.write(out, b"J") == (0, 1) and (c.tree.rw / "f.txt").read_text() == "Jello"
        return said

    attack(scenario, only="0.1")


def test_a50_modes_of_new_files(attack: Attack) -> None:
    """No execute, set-user or set-group bits, and never another umask: another thread looks all the while."""
    status = Path("/proc/self/status")
    stop, masks = threading.Event(), set[str]()

    def watch() -> None:
        while not stop.wait(0.0005):
            masks.add(next(line for line in status.read_text().splitlines() if line.startswith("Umask")))

    def scenario(c: Case) -> list[int]:
        os.chmod(c.tree.rw / "f.txt", 0o6755)
        c.open("new", oflags=CREAT, rights=ALL_RIGHTS)
        c.open("d/new", oflags=CREAT | EXCL, rights=READING)
        assert c.mkdir("made") == "OK" and c.mkdir("d/made") == "OK"
        assert c.rename("new", "moved") == "OK" and c.link("moved", "linked") == "OK"
        c.open("f.txt", oflags=CREAT, rights=READING)
        names = ("moved", "linked", "d/new", "made", "d/made", "f.txt")
        return [stat.S_IMODE(os.stat(c.tree.rw / name).st_mode) for name in names]

    thread = threading.Thread(target=watch)
    thread.start()
    before = os.umask(0)
    try:
        assert attack(scenario) == [0o644] * 3 + [0o755] * 2 + [0o6755]
    finally:
        os.umask(before)
        stop.set()
        thread.join()
    assert masks <= {f"Umask:\t{before:04o}", "Umask:\t0000"}


@pytest.mark.parametrize("resolver", [1, 2])
def test_a50_configured_modes(tmp_path: Path, resolver: int) -> None:
    """What the embedder asks for, without the bits that no guest may give; the umask holds."""
    module = _core.Engine("fake").load(fake_module())
    before = os.umask(0o022)
    try:
        for number, (file, folder, umask) in enumerate(
            [(0o7777, 0o7777, 0), (0o640, 0o750, 0), (0o666, 0o777, 0o027)]
        ):
            os.umask(umask)
            home = tmp_path / f"{number}"
            home.mkdir(0o777)
            sys = _core.Sys({}, resolver, file, folder)
            assert sys.preopen_dir(os.fsencode(home), b"/", False, 0, 0, 0) == 3
            instance = _core.Instance(module, sys)
            instance.memory(b"memory", 0x100, 0, b"file")
            instance.memory(b"memory", 0x200, 0, b"d")
            every = (3, 0, 0x100, 4, CREAT, ALL_RIGHTS, ALL_RIGHTS, 0, 0x300)
            assert instance.call(b"path_open", every, "iiiiiIIii", "i", 0, False)[2] == [0]
            assert instance.call(b"path_create_directory", (3, 0x200, 1), "iii", "i", 0, False)[2] == [0]
            instance.close()
            assert stat.S_IMODE((home / "file").stat().st_mode) == file & 0o666 & ~umask
            assert stat.S_IMODE((home / "d").stat().st_mode) == folder & 0o777 & ~umask
    finally:
        os.umask(before)


def test_a52_unknown_bits(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        path, out = c.at("f.txt"), 0x7F00
        bits = [1 << bit for bit in range(32)]
        said = []
        for bit in bits[1:]:
            said += [
                c.call("path_open", 3, bit, *path, 0, READ, 0, 0, out),
                c.call("path_filestat_get", 3, bit, *path, out),
            ]
            said += [c.call("path_filestat_set_times", 3, bit, *path, 1, 1, MTIM)]
        said += [c.call("path_link", 3, bit, *path, 3, *c.g.put(0xC000, "x")) for bit in bits]
        for bit in bits[4:]:
            said += [c.call("path_open", 3, 0, *path, bit, READ, 0, 0, out)]
            said += [
                c.call("path_filestat_set_times", 3, 0, *path, 1, 1, bit),
                c.call("fd_filestat_set_times", 3, 1, 1, bit),
            ]
        for bit in bits[5:]:
            said += [
                c.call("path_open", 3, 0, *path, 0, READ, 0, bit, out),
                c.call("fd_fdstat_set_flags", 3, bit),
            ]
        iovs = c.g.iovs(0x100, (0x200, 4))
        said += [c.call("sock_recv", 3, *iovs, bit, 0x110, 0x120) for bit in bits[2:]]
        said += [c.call("sock_send", 3, *iovs, bit, 0x110) for bit in bits]
        said += [c.call("sock_shutdown", 3, bit) for bit in (0, *bits[2:])]
        said += [c.call("sock_accept", 3, bit, 0x110) for bit in bits[5:]]
        said += [c.call("path_open", 3, 0, *path, CREAT | DIRECTORY, READ, 0, 0, out)]
        said += [c.call("path_open", 3, 0, *c.at("new"), CREAT | DIRECTORY | EXCL, READ, 0, 0, out)]
        assert set(said) == {"INVAL"}
        assert not (c.tree.rw / "new").exists() and not (c.tree.rw / "x").exists()
        assert os.stat(c.tree.rw / "f.txt").st_mtime_ns > 1
        return said

    attack(scenario, only="0.1")


def test_a52_unknown_rights_are_masked(attack: Attack) -> None:
    def scenario(c: Case) -> list[tuple[int, int]]:
        said = []
        every = (1 << 64) - 1
        for asked in (every, every ^ WRITE, (1 << 32) - 1 ^ WRITE, READING | 1 << 30, READING | 1 << 63):
            for path in ("f.txt", "d") if not asked & WRITE else ("f.txt",):
                fd = c.open(path, rights=asked, inheriting=every)
                said.append(fdstat(c, fd))
                assert said[-1][0] & ~(asked & ALL_RIGHTS) == 0 and said[-1][1] & ~ALL_RIGHTS == 0
                assert (
                    c.call("fd_fdstat_set_rights", fd, said[-1][0] | 1 << 40, said[-1][1] | 1 << 63) == "OK"
                )
                assert fdstat(c, fd) == said[-1]
                assert c.g.fd_close(fd) == 0
        return said

    attack(scenario, only="0.1")

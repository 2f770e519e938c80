"""sys/sys.c: a world is built, granted to, and taken down; nothing is there that was not granted."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support import ALL_RIGHTS, E, open_fds
from wasi_native import Dir, Limits, MemoryDir, Policy, _core


def world(**limits: int) -> _core.Sys:
    return _core.Sys(limits)


def code(function: Any, *args: Any) -> int:
    try:
        function(*args)
    except _core.CoreError as error:
        return error.code
    except MemoryError:
        return int(E.NOMEM)
    return 0


def test_an_empty_world() -> None:
    before = open_fds()
    empty = world()
    output, cpu, fds, resolver = empty.usage()
    assert (output, cpu, fds) == (0, 0, 0) and resolver in (1, 2)
    assert len(open_fds()) == len(before) + 1  # the event that wakes it
    del empty
    assert open_fds() == before


def test_resolvers_and_modes() -> None:
    assert [_core.Sys({}, resolver).usage()[3] for resolver in (0, 1, 2)] == [1, 1, 2]
    assert code(_core.Sys, {}, 3) == E.INVAL


@pytest.mark.parametrize(("asked", "given"), [(0, 64), (1, 1), (5, 5), (65536, 65536), (2**32 - 1, 65536)])
def test_the_table_has_the_size_of_the_limit(asked: int, given: int) -> None:
    made = world(fds=asked)
    if given > 3:
        assert [made.preopen_memory(b"/%d" % i, 0, 0, 0) for i in range(2)] == [3, 4]
    if given <= 5:
        assert code(made.preopen_memory, b"/x", 0, 0, 0) == E.MFILE


def test_preopens_take_numbers_from_three_up(guest: Any, tmp_path: Path) -> None:
    g = guest(Policy(dirs=[Dir(tmp_path, "/a"), MemoryDir("/b")]))
    names = []
    for fd in (3, 4):
        assert g.fd_prestat_get(fd, 0) == 0
        kind, length = g.unpack("II", 0)
        assert kind == 0 and g.fd_prestat_dir_name(fd, 64, length) == 0
        names.append(g.memory.read(64, length))
    assert names == [b"/a", b"/b"] and g.fd_prestat_get(5, 0) == E.BADF


def test_directories_that_cannot_be_granted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = world()
    fds = open_fds()
    missing, file = os.fsencode(tmp_path / "none"), os.fsencode(tmp_path / "file")
    assert code(made.preopen_dir, missing, b"/d", False, 0, 0, 0) == E.NOENT
    assert code(made.preopen_dir, file, b"/d", False, 0, 0, 0) == E.NOTDIR
    assert code(made.preopen_dir, os.fsencode(tmp_path), b"a\0b", False, 0, 0, 0) == E.INVAL
    assert code(made.preopen_dir, os.fsencode(tmp_path), b"x" * 4096, False, 0, 0, 0) == E.NAMETOOLONG
    assert open_fds() == fds and made.usage()[2] == 0
    assert made.preopen_dir(os.fsencode(tmp_path), b"", False, 0, 0, 0) == 3


def test_files_that_cannot_be_mounted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    made = world()
    fd = made.preopen_memory(b"/m", 0, 0, 0)
    fds = open_fds()

    def mount(name: bytes, host: Path | str, device: bool = False, at: int = fd) -> int:
        return code(made.mount_file, at, name, os.fsencode(host), True, device)

    assert mount(b"a", tmp_path / "none") == E.NOENT
    assert mount(b"a", tmp_path / "fifo") == E.INVAL and mount(b"a", tmp_path / "fifo", True) == E.INVAL
    assert mount(b"a", tmp_path) in {E.INVAL, E.ISDIR}
    assert mount(b"a", "/dev/null") == E.INVAL
    assert open_fds() == fds
    assert mount(b"a", "/dev/null", True) == 0
    assert mount(b"f", tmp_path / "file") == 0 and mount(b"f", tmp_path / "file") == E.EXIST
    for name in (b"", b"a/b", b".", b".."):
        assert mount(name, tmp_path / "file") != 0
    assert mount(b"x", tmp_path / "file", at=99) == E.BADF


def test_sockets() -> None:
    made = world(sockets=2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert made.preopen_socket(server.fileno(), True) == 3
        assert made.preopen_socket(server.fileno(), False) == 4
        assert code(made.preopen_socket, server.fileno(), True) == E.MFILE
    r, w = os.pipe()
    assert code(made.preopen_socket, r, True) == E.NOTSOCK and code(made.preopen_socket, 999, True) == E.BADF
    os.close(r)
    os.close(w)


def test_limits_of_kinds(guest: Any, tmp_path: Path) -> None:
    for i in range(5):
        (tmp_path / f"d{i}").mkdir()
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")], limits=Limits(dirs=3, fds=64)))
    right = ALL_RIGHTS & ~(1 << 6 | 1 << 8)
    assert [g.open(f"d{i}", oflags=2, rights=right)[0] for i in range(4)] == [0, 0, E.MFILE, E.MFILE]
    assert [g.open(f"f{i}", oflags=1)[0] for i in range(4)] == [0] * 4


def test_modes_of_what_is_made(guest: Any, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
        assert g.open("f", oflags=1)[0] == 0 and g.on_path("path_create_directory", "d") == 0
    finally:
        os.umask(before)
    assert (tmp_path / "f").stat().st_mode & 0o7777 == 0o644
    assert (tmp_path / "d").stat().st_mode & 0o7777 == 0o755


def test_clocks_that_cannot_be_set() -> None:
    made = world()
    for clock, mode, value in ((4, 0, 0), (0, 3, 0), (0, 2, -1)):
        assert code(made.set_clock, clock, mode, value, 0) == E.INVAL

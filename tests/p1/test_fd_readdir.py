"""The entries of a directory, and the cookies between them. On the host's directories and on those in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.p1.conftest import World
from tests.support import ALL_RIGHTS, E, Guest, rights
from wasi_native import _core

Make = Callable[..., Guest]
COUNT = 32


def opened(g: Guest, path: str, home: int = 3, **how: Any) -> int:
    err, fd = g.open(path, dir=home, **how)
    assert err == 0
    g.fill()
    return fd


def without(*names: str) -> int:
    return ALL_RIGHTS & ~rights(*names)


def opened_dir(g: Guest, path: str, home: int, *lacking: str) -> int:
    return opened(g, path, home, rights=without("fd_write", "fd_allocate", *lacking))


def test_fd_readdir(g: Guest, home: int) -> None:
    with g.writes_only((COUNT, 4), (1001, 300)):
        assert g.fd_readdir(home, 1001, 300, 0, COUNT) == 0
    used = g.unpack("I", COUNT)
    assert used < 300 and g.memory.read(1001 + used, 300 - used) == b"\xa5" * (300 - used)
    err, entries = g.list(home)
    assert err == 0
    names = {name: kind for name, kind, _ in entries}
    assert names == {".": 3, "..": 3, "d": 3, "f.txt": 4, "l": 7, "l_d": 7, "l_gone": 7}
    assert len(entries) == len(names)
    for at, (_, _, cookie) in enumerate(entries):
        assert g.list(home, cookie)[1] == entries[at + 1 :]


def test_fd_readdir_an_entry_byte_by_byte(g: Guest, home: int) -> None:
    fd = opened_dir(g, "d", home)
    err, stat = g.stat("d/e", dir=home)
    assert err == 0
    assert g.fd_readdir(fd, 1001, 400, 0, COUNT) == 0
    raw = g.memory.read(1001, g.unpack("I", COUNT))
    heads = {}
    while raw:
        length = int.from_bytes(raw[16:20], "little")
        heads[raw[24 : 24 + length]] = raw[:24]
        raw = raw[24 + length :]
    assert set(heads) == {b".", b"..", b"e"}
    assert heads[b"e"][8:] == stat["ino"].to_bytes(8, "little") + b"\1\0\0\0" + b"\3\0\0\0"


def test_fd_readdir_cut_where_the_buffer_ends(g: Guest, home: int) -> None:
    assert g.fd_readdir(home, 1000, 1000, 0, COUNT) == 0
    full = g.memory.read(1000, g.unpack("I", COUNT))
    for length in range(len(full) + 1):
        g.fill()
        with g.writes_only((COUNT, 4), (1000, length)):
            assert g.fd_readdir(home, 1000, length, 0, COUNT) == 0
        assert g.unpack("I", COUNT) == length
        assert g.memory.read(1000, length) == full[:length]


def test_fd_readdir_sees_changes_after_a_rewind(g: Guest, home: int) -> None:
    fd = opened_dir(g, ".", home)
    before = {name for name, _, _ in g.list(fd)[1]}
    assert g.on_path("path_create_directory", "new", dir=home) == 0
    assert {name for name, _, _ in g.list(fd)[1]} == before | {"new"}


def test_fd_readdir_stays_in_place_while_names_go(g: Guest, home: int) -> None:
    for number in range(40):
        assert g.on_path("path_create_directory", f"n{number}", dir=home) == 0
    seen, cookie = [], 0
    while True:
        err, entries = g.list(home, cookie, 120)
        assert err == 0
        if not entries:
            break
        for name, _, cookie in entries:  # noqa: B007
            seen.append(name)
            if name[0] == "n":
                assert g.on_path("path_remove_directory", name, dir=home) == 0
    assert len(seen) == len(set(seen))
    assert {"f.txt", "d", "l"} <= set(seen)


def test_fd_readdir_errnos(g: Guest, home: int) -> None:
    with g.writes_only():
        assert g.fd_readdir(99, 1000, 100, 0, COUNT) == E.BADF
        assert g.fd_readdir(99, 1000, 0, 0, COUNT) == E.BADF
    file = opened(g, "f.txt", home)
    with g.writes_only():
        assert g.fd_readdir(file, 1000, 100, 0, COUNT) == E.NOTCAPABLE
    blind = opened_dir(g, "d", home, "fd_readdir")
    with g.writes_only():
        assert g.fd_readdir(blind, 1000, 100, 0, COUNT) == E.NOTCAPABLE
    for cookie in (2**31, 2**63, 2**64 - 1):
        assert g.fd_readdir(home, 1000, 100, cookie, COUNT) in (0, E.INVAL)


def test_fd_readdir_io(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    kernel.inject("getdents", err=E.IO)
    with g.writes_only():
        assert g.fd_readdir(3, 1000, 100, 0, COUNT) == E.IO
    assert g.fd_readdir(3, 1000, 100, 0, COUNT) == 0 and g.unpack("I", COUNT) == 100


def test_fd_readdir_many(make: Make, world: World, home: int) -> None:
    g = make()
    names = {f"file-{number:04}" for number in range(600)}
    fd = opened_dir(g, "d", home)
    for name in names:
        assert g.on_path("path_create_directory", name, dir=fd) == 0
    seen, cookie = [], 0
    while True:
        err, entries = g.list(fd, cookie, 1000)
        assert err == 0
        if not entries:
            break
        seen += [name for name, _, _ in entries]
        cookie = entries[-1][2]
    assert sorted(seen) == sorted(names | {".", "..", "e"})

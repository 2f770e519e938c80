"""The directories that a guest finds open, and their names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.p1.conftest import World
from tests.support import E, Guest
from wasi_native import Listen

Make = Callable[..., Guest]


@pytest.mark.parametrize(("fd", "name"), [(3, b"/rw"), (4, b"/ro"), (5, b"/mem")])
def test_fd_prestat_get_and_dir_name(g: Guest, fd: int, name: bytes) -> None:
    with g.writes_only((64, 8)):
        assert g.fd_prestat_get(fd, 64) == 0
    assert g.memory.read(64, 8) == b"\0\0\0\0" + len(name).to_bytes(4, "little")
    with g.writes_only((101, len(name))):
        assert g.fd_prestat_dir_name(fd, 101, len(name)) == 0
    assert g.memory.read(101, len(name) + 1) == name + b"\xa5"  # no terminator


def test_fd_prestat_dir_name_into_a_larger_buffer(g: Guest) -> None:
    with g.writes_only((101, 3)):
        assert g.fd_prestat_dir_name(3, 101, 100) == 0
    assert g.memory.read(101, 3) == b"/rw"


@pytest.mark.parametrize("length", [0, 1, 2])
def test_fd_prestat_dir_name_nametoolong(g: Guest, length: int) -> None:
    with g.writes_only():
        assert g.fd_prestat_dir_name(3, 101, length) == E.NAMETOOLONG


@pytest.mark.parametrize("fd", [0, 1, 2, 6, 63, 64, 2**31, 2**32 - 1])
def test_badf_not_open_or_not_preopened(g: Guest, fd: int) -> None:
    with g.writes_only():
        assert g.fd_prestat_get(fd, 64) == E.BADF
        assert g.fd_prestat_dir_name(fd, 101, 100) == E.BADF


def test_badf_what_the_guest_opened_itself(g: Guest, home: int) -> None:
    err, fd = g.open("d", dir=home, rights=1 << 14)
    assert err == 0
    g.fill()
    with g.writes_only():
        assert g.fd_prestat_get(fd, 64) == E.BADF
        assert g.fd_prestat_dir_name(fd, 101, 100) == E.BADF


def test_badf_a_granted_socket_has_no_name(make: Make, world: World) -> None:
    g = make(listen=[Listen("tcp://127.0.0.1:0")])
    with g.writes_only():
        assert g.fd_prestat_get(6, 64) == E.BADF
        assert g.fd_prestat_dir_name(6, 101, 100) == E.BADF


def test_a_preopen_takes_its_name_along(g: Guest) -> None:
    assert g.fd_renumber(3, 4) == 0
    assert g.fd_prestat_get(3, 64) == E.BADF
    assert g.fd_prestat_dir_name(4, 101, 100) == 0
    assert g.memory.read(101, 3) == b"/rw"

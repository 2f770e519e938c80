"""The table of rows: what the specification lists, in its order, with its signature; and wasi_unstable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.p1.conftest import World
from tests.support import P1, UNSTABLE, E, Guest
from wasi_native import _core

Make = Callable[..., Guest]

# Of wasi_snapshot_preview1 (docs.md), as the core module sees it: i i32, I i64.
SPECIFIED = """
args_get ii i
args_sizes_get ii i
environ_get ii i
environ_sizes_get ii i
clock_res_get ii i
clock_time_get iIi i
fd_advise iIIi i
fd_allocate iII i
fd_close i i
fd_datasync i i
fd_fdstat_get ii i
fd_fdstat_set_flags ii i
fd_fdstat_set_rights iII i
fd_filestat_get ii i
fd_filestat_set_size iI i
fd_filestat_set_times iIIi i
fd_pread iiiIi i
fd_prestat_get ii i
fd_prestat_dir_name iii i
fd_pwrite iiiIi i
fd_read iiii i
fd_readdir iiiIi i
fd_renumber ii i
fd_seek iIii i
fd_sync i i
fd_tell ii i
fd_write iiii i
path_create_directory iii i
path_filestat_get iiiii i
path_filestat_set_times iiiiIIi i
path_link iiiiiii i
path_open iiiiiIIii i
path_readlink iiiiii i
path_remove_directory iii i
path_rename iiiiii i
path_symlink iiiii i
path_unlink_file iii i
poll_oneoff iiii i
proc_exit i -
proc_raise i i
sched_yield - i
random_get ii i
sock_accept iii i
sock_recv iiiiii i
sock_send iiiii i
sock_shutdown ii i
"""


def rows(module: str) -> list[tuple[str, str, str]]:
    return [
        (name, params or "-", results or "-")
        for m, name, params, results, _, _ in _core.row_list()
        if m == module
    ]


def test_the_46_functions_of_wasi_snapshot_preview1() -> None:
    expected = [tuple(line.split()) for line in SPECIFIED.split("\n") if line]
    assert len(expected) == 46
    assert rows(P1) == expected


def test_wasi_unstable_has_all_but_sock_accept() -> None:
    assert rows(UNSTABLE) == [row for row in rows(P1) if row[0] != "sock_accept"]


def test_nothing_else_is_served() -> None:
    served = Counter(module for module, *_ in _core.row_list())
    assert served.pop(P1) == 46 and served.pop(UNSTABLE) == 45
    assert all(module.startswith("wasi:") for module in served)  # 0.2: tests/p2


def test_every_function_has_its_tests() -> None:
    """The test of a function is in the file named by its first word, and starts with its name."""
    texts = {path.name: path.read_text() for path in Path(__file__).parent.glob("test_*.py")}
    missing = []
    for name, _, _ in rows(P1):
        found = any(f"def test_{name}" in text for file, text in texts.items() if file[5:-3] in name)
        found = found or any(f'("{name}"' in text or f'"{name}"' in text for text in texts.values())
        if not found:
            missing.append(name)
    assert missing == []


def test_every_parameter_has_a_name() -> None:
    for module, name, params, _, names, group in _core.row_list():
        assert len(params) == len(names.split(",") if names else []), name
        groups = ("args", "env", "clock", "files", "poll", "process", "random", "sockets")
        assert module.startswith("wasi:") or group in groups


def test_wasi_unstable_fd_seek_counts_whence_its_own_way(
    guest: Make, world: World, engine: str, resolver: str
) -> None:
    g = guest(world.policy(), engine=engine, resolver=resolver, module=UNSTABLE)
    err, fd = g.open("f.txt")
    assert err == 0
    cur, end, start = 0, 1, 2
    for offset, whence, expected in ((3, start, 3), (-1, cur, 2), (-1, end, 4), (0, cur, 4)):
        g.fill()
        with g.writes_only((64, 8)):
            assert g.fd_seek(fd, offset, whence, 64) == 0
        assert g.unpack("Q", 64) == expected
    for whence in (3, 255, 2**32 - 1):
        with g.writes_only((64, 8)):
            assert g.fd_seek(fd, 0, whence, 64) == E.INVAL
    assert g.fd_seek(fd, -9, start, 64) == E.INVAL
    assert g.fd_seek(99, 0, start, 64) == E.BADF


@pytest.mark.parametrize("module", [P1, UNSTABLE])
def test_the_rest_is_the_same_in_both(guest: Make, world: World, engine: str, module: str) -> None:
    g = guest(world.policy(args=["a"]), engine=engine, module=module)
    assert g.args_sizes_get(0, 4) == 0 and g.unpack("2I", 0) == (2, 4)
    assert g.clock_time_get(1, 0, 8) == 0 and g.random_get(16, 16) == 0 and g.sched_yield() == 0
    err, fd = g.open("new", oflags=1)
    assert (err, g.write(fd, b"x"), g.fd_close(fd)) == (0, (0, 1), 0)
    assert (world.rw / "new").read_bytes() == b"x"
    assert g.fd_prestat_get(3, 64) == 0 and g.fd_fdstat_get(3, 64) == 0
    assert g.proc_raise(9) == E.NOSYS

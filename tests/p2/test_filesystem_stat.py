"""wasi:filesystem: attributes, times, and the hash of what a file is now."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.p2.files import CREATE, KEEP, NOW, READ, RET, TYPES, WRITE, Files, Stat, at_time
from wasi_native import Dir, Policy, _core

Make = Callable[..., Files]
BILLION = 10**9


def opened(g: Files, dir: int, path: str, flags: int = READ | WRITE, how: int = 0) -> int:
    fd = g.open(dir, path, flags, how)
    assert isinstance(fd, int), (path, fd)
    return fd


def looked(found: Stat | str) -> Stat:
    assert not isinstance(found, str), found
    return found


def test_stat(g: Files, world: Path) -> None:
    path = world / "rw/f.txt"
    os.link(path, world / "rw/second")
    os.utime(path, ns=(1_000_000_001, 2_000_000_002))
    st = os.stat(path)
    fd = opened(g, g.preopens["/rw"], "f.txt", READ)
    want = Stat("regular-file", 2, 5, 1_000_000_001, 2_000_000_002, st.st_ctime_ns)
    assert g.stat(fd) == want == g.stat_at(g.preopens["/rw"], "f.txt")
    assert looked(g.stat(g.preopens["/rw"])).type == "directory"


def test_stat_in_memory(g: Files) -> None:
    mem = g.preopens["/mem"]
    found = looked(g.stat(opened(g, mem, "f.txt")))
    assert found[:3] == ("regular-file", 1, 5) and abs(found.mtim - time.time_ns()) < 60 * BILLION
    assert looked(g.stat_at(mem, "d/e"))[:2] == ("directory", 2)


def test_stat_writes_its_fields_and_no_padding(g: Files, home: int) -> None:
    fields = [(RET, 1), (RET + 8, 1), (RET + 16, 16)]
    fields += [place for at in (32, 56, 80) for place in ((RET + at, 1), (RET + at + 8, 12))]
    fd = opened(g, home, "f.txt")
    with g.writes_only(*fields):
        looked(g.stat(fd))


def test_stat_at(g: Files, home: int) -> None:
    assert looked(g.stat_at(home, "l"))[:3] == ("symbolic-link", 1, 5)
    assert looked(g.stat_at(home, "l", follow=True)).type == "regular-file"
    assert looked(g.stat_at(home, "l_d/")).type == "directory"
    assert (
        g.stat_at(home, "l_gone", follow=True) == "no-entry" and g.stat_at(home, "f.txt/") == "not-directory"
    )
    assert set(TYPES) >= {"fifo", "socket", "block-device"}


def test_times_before_1970(g: Files, world: Path) -> None:
    os.utime(world / "rw/f.txt", ns=(-1, -(10**18)))
    assert looked(g.stat_at(g.preopens["/rw"], "f.txt"))[3:5] == (0, 0)


def test_set_times(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt", READ)
    before = looked(g.stat(fd))
    assert g.set_times(fd, at_time(1_500_000_007), KEEP) is None
    assert looked(g.stat(fd))[3:5] == (1_500_000_007, before.mtim)
    assert g.set_times(fd, KEEP, at_time(0)) is None and looked(g.stat(fd))[3:5] == (1_500_000_007, 0)
    assert g.set_times(fd, NOW, at_time(2**63 - 1)) is None
    found = looked(g.stat(fd))
    assert abs(found.atim - time.time_ns()) < 60 * BILLION
    assert g.set_times(home, at_time(5), at_time(6)) is None and looked(g.stat(home))[3:5] == (5, 6)


@pytest.mark.parametrize(
    "bad",
    [
        (2, 0, BILLION),
        (2, 0, 2**32 - 1),
        (2, 2**64 - 1, 0),
        (2, 2**63 // BILLION, BILLION - 1),
        (2, 2**63, 5),
    ],
)
def test_set_times_that_cannot_be(g: Files, home: int, bad: tuple[int, int, int]) -> None:
    fd = opened(g, home, "f.txt")
    before = looked(g.stat(fd))
    assert g.set_times(fd, bad, NOW) == g.set_times(fd, NOW, bad) == "invalid"
    assert g.set_times_at(home, "f.txt", bad, NOW) == g.set_times_at(home, "f.txt", NOW, bad) == "invalid"
    assert looked(g.stat(fd))[3:5] == before[3:5]


def test_set_times_with_a_case_that_is_none(make: Make) -> None:
    for times in (((3, 0, 0), KEEP), (KEEP, (2**32 - 1, 0, 0))):
        g = make()
        fd = opened(g, g.preopens["/rw"], "f.txt")
        said = g.traps("types#[method]descriptor.set-times", fd, *times[0], *times[1], RET)
        assert "discriminant" in said


def test_set_times_at(g: Files, home: int) -> None:
    assert g.set_times_at(home, "f.txt", at_time(7), at_time(8 * BILLION + 9)) is None
    assert looked(g.stat_at(home, "f.txt"))[3:5] == (7, 8 * BILLION + 9)
    assert g.set_times_at(home, "l", at_time(1), at_time(2)) is None
    assert looked(g.stat_at(home, "l"))[3:5] == (1, 2) and looked(g.stat_at(home, "f.txt")).atim == 7
    assert g.set_times_at(home, "l", at_time(3), KEEP, follow=True) is None
    assert looked(g.stat_at(home, "f.txt"))[3:5] == (3, 8 * BILLION + 9)


def test_metadata_hash(g: Files, home: int) -> None:
    fd = opened(g, home, "f.txt")
    first = g.hash(fd)
    assert first == g.hash(fd) == g.hash_at(home, "f.txt") == g.hash_at(home, "l", follow=True)
    assert g.hash_at(home, "l") != first != g.hash(home)
    g.read(fd, 5)
    assert g.hash(fd) == first  # a look changes nothing
    assert g.write(fd, b"longer") == 6
    second = g.hash(fd)
    assert second != first
    assert g.unlink(home, "f.txt") is None
    opened(g, home, "f.txt", WRITE, CREATE)
    assert g.hash_at(home, "f.txt") not in (first, second)
    assert g.hash_at(home, "none") == "no-entry"


def test_metadata_hash_is_of_one_guest(make: Make) -> None:
    one, two = make(), make()
    assert one.hash_at(one.preopens["/rw"], "f.txt") != two.hash_at(two.preopens["/rw"], "f.txt")


def test_metadata_hash_without_random_numbers(make: Make) -> None:
    kernel = _core.FakeOs()
    g = make(kernel)
    kernel.inject("getrandom", 1, 1, err=29)
    assert g.hash(g.preopens["/rw"]) == "io" and not isinstance(g.hash(g.preopens["/rw"]), str)


def test_a_seed_is_not_used_up_by_hashes(world: Path, engine2: str) -> None:
    with Files(Policy(dirs=[Dir(world / "rw", "/rw")]), engine=engine2) as g:
        assert not isinstance(g.hash(g.preopens["/rw"]), str)

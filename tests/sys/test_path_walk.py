"""sys/path_walk.c: the walk and openat2 agree, whatever the kernel answers to the latter; and no descriptor stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calls import CREAT, READ, Calls
from tests.support import E, Guest
from wasi_native import Dir, MemoryDir, Policy, _core

Make = Callable[..., Guest]


@pytest.fixture
def fake() -> _core.FakeOs:
    return _core.FakeOs()


@pytest.fixture
def make(guest: Make, tmp_path: Path, fake: _core.FakeOs) -> Callable[[str], Calls]:
    (tmp_path / "rw/d/e").mkdir(parents=True)
    (tmp_path / "rw/d/f").write_text("hello")
    (tmp_path / "rw/l").symlink_to("d/f")
    (tmp_path / "rw/ld").symlink_to("d")
    (tmp_path / "rw/out").symlink_to("..")
    (tmp_path / "secret").write_text("SECRET")

    def build(resolver: str = "auto") -> Calls:
        return Calls(guest(Policy(dirs=[Dir(tmp_path / "rw", "/rw")]), resolver=resolver, kernel=fake))

    return build


def verdicts(c: Calls) -> list[object]:
    paths = [
        "d/f",
        "ld/f",
        "l",
        "ld/../l",
        "d/e/../f",
        "out",
        "out/secret",
        "ld/no",
        "no/f",
        "d/f/x",
        "ld/",
        "d/../..",
    ]
    said: list[object] = [c.kind(p, follow=follow) for p in paths for follow in (False, True)]
    said += [c.errno_of_open(p, follow=follow) for p in paths for follow in (False, True)]
    said += [
        c.mkdir("ld/new"),
        c.rmdir("d/new"),
        c.readlink("d/../l"),
        c.rename("ld/f", "d/../g"),
        c.rename("g", "d/f"),
    ]
    said += [c.errno_of_open("ld/n", oflags=CREAT), c.unlink("d/n"), c.link("ld/f", "ld/k"), c.unlink("ld/k")]
    return said


@pytest.mark.parametrize("answer", ["NOSYS", "PERM", "INVAL", "2BIG", "AGAIN", "LOOP"])
def test_openat2_that_has_no_verdict(make: Callable[[str], Calls], fake: _core.FakeOs, answer: str) -> None:
    """The walk takes its place; AGAIN never reaches the guest."""
    want = verdicts(make("openat2"))
    fake.inject("openat2", 1, 0, err=getattr(E, answer))
    assert verdicts(make("auto")) == want
    fake.clear()
    assert verdicts(make("walk")) == want


def test_missing_openat2_is_remembered_and_a_refusal_is_not(
    make: Callable[[str], Calls], fake: _core.FakeOs
) -> None:
    for answer, asked in ((E.NOSYS, 1), (E.PERM, 5)):
        fake.clear()
        fake.inject("openat2", 1, 0, err=answer)
        c = make("auto")
        for _ in range(5):
            assert c.errno_of_open("d/f") == "OK"
        assert fake.count("openat2") == asked


def test_again_is_asked_a_bounded_number_of_times(make: Callable[[str], Calls], fake: _core.FakeOs) -> None:
    c = make("openat2")
    fake.clear()
    fake.inject("openat2", 1, 3, err=E.AGAIN)
    assert c.errno_of_open("d/f") == "OK" and fake.count("openat2") == 4 and fake.count("openat") == 0
    fake.clear()
    fake.inject("openat2", 1, 500, err=E.AGAIN)
    assert c.errno_of_open("d/f") == "OK" and fake.count("openat2") == 8 and fake.count("openat") == 2


def test_errors_of_openat2_that_are_verdicts(make: Callable[[str], Calls], fake: _core.FakeOs) -> None:
    c = make("openat2")
    for answer in ("ACCES", "NOENT", "NOTDIR", "MFILE", "NFILE", "NOMEM", "IO"):
        fake.clear()
        fake.inject("openat2", 1, 1, err=getattr(E, answer))
        assert c.errno_of_open("d/f") == answer and fake.count("openat") == 0
    fake.inject("openat2", 1, 1, err=E.XDEV)
    assert c.errno_of_open("d/f") == "PERM"


def test_the_walk_makes_one_call_per_name(make: Callable[[str], Calls], fake: _core.FakeOs) -> None:
    c = make("walk")
    fake.clear()
    assert c.errno_of_open("d/f") == "OK"
    assert (fake.count("openat"), fake.count("openat2"), fake.count("readlinkat")) == (2, 0, 0)
    fake.clear()
    assert c.kind("d/e/../f")[0] == 4
    assert fake.count("openat") == 2


def test_depth(guest: Make, tmp_path: Path, resolver: str) -> None:
    """500 levels down and up again, with few descriptors of the host open at once."""
    names = ["d"] * 500
    path = tmp_path
    for name in names:
        path = path / name
    before = os.open(tmp_path, os.O_RDONLY)
    at = before
    for name in names:
        os.mkdir(name, dir_fd=at)
        down = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = down
    os.close(at)
    (tmp_path / "f").write_text("top")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")]), resolver=resolver))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 40, hard))
    try:
        down, up = "/".join(names), "/".join([".."] * 500)
        assert c.kind(down)[0] == 3
        assert c.kind(f"{down}/{up}/f")[0] == 4
        assert c.errno_of_open(f"{down}/{up}/f") == "OK"
        assert c.kind(f"{down}/{up}/..") == "PERM"
        zigzag = "d/" * 40 + "../" * 40
        assert c.kind(zigzag * 8 + "f")[0] == 4
        assert c.kind("d/" * 33 + "../" * 33 + "f")[0] == 4
        assert c.kind("d/" * 32 + "../" * 33 + "f") == "PERM"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_up_again_past_a_link(guest: Make, tmp_path: Path) -> None:
    """Above the levels that are kept open the walk goes down again by the names it found, not by the text."""
    (tmp_path / "rw").mkdir()
    (tmp_path / "rw" / "/".join(["d"] * 40)).mkdir(parents=True)
    os.rename(tmp_path / "rw/d", tmp_path / "rw/d2")
    (tmp_path / "rw/d").symlink_to("d2")  # a link within, at the first level
    (tmp_path / "rw/f").write_text("top")
    with Guest(Policy(dirs=[Dir(tmp_path / "rw", "/rw")]), resolver="walk") as g:
        c = Calls(g)
        assert c.kind("d/" * 40 + "../" * 40 + "f")[0] == 4
        assert c.kind("d/" * 40 + "../" * 41 + "f") == "PERM"


def test_long_targets(guest: Make, tmp_path: Path, resolver: str) -> None:
    """Text of links within links, up to three of the longest; more of it is NAMETOOLONG for the walk."""
    (tmp_path / "d").mkdir()
    for number in range(6):
        target = (f"n{number + 1}/" if number < 5 else "d/") + "./" * 2000
        os.symlink(target, tmp_path / f"n{number}")
    dirs = [Dir(tmp_path, "/rw"), MemoryDir("/mem")]
    c = Calls(guest(Policy(dirs=dirs), resolver=resolver))
    for number in (5, 4, 3):
        assert c.kind(f"n{number}", follow=True)[0] == 3
        assert c.kind(f"n{number}/x") == "NOENT"
        assert c.errno_of_open(f"n{number}/./", rights=READ) == "OK"
    assert c.kind("n0/x") in ("NOENT", "NAMETOOLONG")


def test_link_with_an_empty_or_odd_target(guest: Make, tmp_path: Path, resolver: str) -> None:
    os.symlink("a:b", tmp_path / "colon")
    os.symlink("pipe:[7]", tmp_path / "pipe")
    os.symlink("//", tmp_path / "slashes")
    os.symlink(".", tmp_path / "dot")
    os.symlink("dot/dot/./dot", tmp_path / "dots")
    (tmp_path / "a:b").write_text("x")
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")]), resolver=resolver))
    said = [c.kind(name, follow=True) for name in ("colon", "pipe", "slashes", "dot", "dots")]
    assert said[0][0] == 4 and said[1:3] == ["NOENT", "PERM"] and said[3][0] == said[4][0] == 3


def test_long_walks_see_the_cancel(guest: Make, tmp_path: Path) -> None:
    """A deadline in the past ends the walk at its first link."""
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("d")
    from wasi_native import Timeout

    with Guest(Policy(dirs=[Dir(tmp_path, "/rw")]), resolver="walk") as g:
        at = g.put(0x100, "l/" + "../l/" * 30)
        with pytest.raises(Timeout):
            g.call("path_filestat_get", 3, 0, *at, 0x1F000, timeout=1e-9)

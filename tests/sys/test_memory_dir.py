"""sys/memory_dir.c: names in memory. That they do as the host's is shown in test_path.py; here is the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.calls import CREAT, DIRECTORY, EXCL, Calls
from tests.support import ALL_RIGHTS, E, Guest
from wasi_native import MemoryDir, Policy, _core

Make = Callable[..., Guest]


@pytest.fixture
def fake() -> _core.FakeOs:
    return _core.FakeOs()


@pytest.fixture
def c(guest: Make, fake: _core.FakeOs) -> Calls:
    return Calls(guest(Policy(dirs=[MemoryDir("/mem", inodes=2000)]), kernel=fake))


def touch(c: Calls, path: str) -> None:
    assert c.errno_of_open(path, oflags=CREAT | EXCL) == "OK"


def test_numbers_and_links(c: Calls) -> None:
    """The counts of a directory follow what is in it, through renames too."""
    assert c.kind(".") == (3, 2, 0)
    for name in ("a", "b", "a/x", "a/y"):
        assert c.mkdir(name) == "OK"
    assert (c.kind("."), c.kind("a"), c.kind("b")) == ((3, 4, 0), (3, 4, 0), (3, 2, 0))
    assert c.rename("a/x", "b/x") == "OK"
    assert (c.kind("a"), c.kind("b"), c.kind("b/x")) == ((3, 3, 0), (3, 3, 0), (3, 2, 0))
    assert c.rename("a/y", "b/x") == "OK" and (c.kind("a"), c.kind("b")) == ((3, 2, 0), (3, 3, 0))
    assert c.rename("b", "a") == "OK" and c.kind(".") == (3, 3, 0) and c.kind("a") == (3, 3, 0)
    assert c.list(c.open("a", oflags=DIRECTORY)) == [".", "..", "x"]
    touch(c, "f")
    assert c.link("f", "g") == "OK" and c.kind("f") == (4, 2, 0) == c.kind("g")
    assert c.g.stat("f")[1]["ino"] == c.g.stat("g")[1]["ino"]
    assert c.rename("f", "g") == "OK" and c.kind("f") == (4, 2, 0)  # two names of one file: both stay
    assert c.unlink("f") == "OK" and c.kind("g") == (4, 1, 0)


def test_each_directory_in_memory_is_a_device_of_its_own(guest: Make) -> None:
    c = Calls(guest(Policy(dirs=[MemoryDir("/a"), MemoryDir("/b")])))
    devices = {c.g.stat(".", dir=dir)[1]["dev"] for dir in (3, 4)}
    assert len(devices) == 2
    assert c.mkdir("d") == "OK" and c.g.stat("d")[1]["dev"] == c.g.stat(".")[1]["dev"]


def test_a_directory_never_goes_below_itself(c: Calls) -> None:
    assert (c.mkdir("a"), c.mkdir("a/b"), c.mkdir("a/b/c")) == ("OK",) * 3
    assert c.rename("a", "a/b/c/d") == "INVAL" and c.rename("a", "a/b") == "INVAL"
    assert c.rename("a/b/c", "a") == "NOTEMPTY" and c.rename("a", "a") == "OK"
    assert c.kind("a/b/c")[0] == 3


def test_order_of_entries_is_that_of_their_making(c: Calls) -> None:
    for name in ("z", "a", "m"):
        touch(c, name)
    fd = c.open(".", oflags=DIRECTORY)
    assert c.list(fd) == [".", "..", "z", "a", "m"]
    assert c.unlink("a") == "OK"
    touch(c, "a")
    assert c.list(fd) == [".", "..", "z", "m", "a"]
    assert c.rename("z", "q") == "OK" and c.list(fd) == [".", "..", "m", "a", "q"]


def test_a_removed_directory(c: Calls) -> None:
    assert (c.mkdir("d"), c.mkdir("d/e")) == ("OK", "OK")
    fd = c.open("d/e", oflags=DIRECTORY)
    assert c.rmdir("d/e") == "OK" and c.rmdir("d") == "OK"
    assert c.list(fd) == []
    assert (c.mkdir("x", fd), c.symlink("t", "x", fd), c.errno_of_open("x", dir=fd, oflags=CREAT)) == (
        "NOENT",
    ) * 3
    touch(c, "f")
    assert c.rename("f", "x", 3, fd) == "NOENT" and c.link("f", "x", 3, fd) == "NOENT"
    assert c.kind("..", dir=fd) == "PERM" and c.kind(".", dir=fd) == (3, 0, 0)
    assert c.g.fd_close(fd) == 0 and c.kind("f")[0] == 4


def test_a_moved_directory_keeps_its_base(c: Calls) -> None:
    """A descriptor is the top of what it shows, wherever its directory goes."""
    assert (c.mkdir("a"), c.mkdir("a/b"), c.mkdir("c")) == ("OK",) * 3
    fd = c.open("a/b", oflags=DIRECTORY)
    touch(c, "c/secret")
    assert c.rename("a/b", "c/b") == "OK"
    assert {c.kind(p, dir=fd) for p in ("..", "../secret", "./../secret")} == {"PERM"}
    assert c.symlink("../secret", "l", fd) == "OK" and c.kind("l", dir=fd, follow=True) == "PERM"
    assert c.kind("c/b/l", follow=True)[0] == 4  # from above it is below


def test_many_names(c: Calls) -> None:
    for number in range(1500):
        assert c.mkdir(f"d{number}") == "OK"
    for number in range(0, 1500, 2):
        assert c.rmdir(f"d{number}") == "OK"
    assert c.kind(".") == (3, 752, 0)
    assert c.list(c.open(".", oflags=DIRECTORY))[2:] == [f"d{number}" for number in range(1, 1500, 2)]


def test_a_deep_tree_is_freed_without_the_stack(guest: Make) -> None:
    """1990 levels, each made below the one before; the guest ends while all of them are there."""
    g = guest(Policy(dirs=[MemoryDir("/mem", inodes=2000)]))
    c = Calls(g)
    at = 3
    for _ in range(1990):
        assert c.mkdir("d", at) == "OK"
        down = c.open("d", dir=at, oflags=DIRECTORY)
        if at != 3:
            assert g.fd_close(at) == 0
        at = down
    assert c.mkdir("e", at) == "OK" and c.kind("e", dir=at)[0] == 3
    g.close()


def test_what_is_open_when_the_guest_ends(guest: Make) -> None:
    g = guest(Policy(dirs=[MemoryDir("/mem")]))
    c = Calls(g)
    assert c.mkdir("d") == "OK"
    c.open("d", oflags=DIRECTORY)
    fd = c.open("d/f", oflags=CREAT, rights=ALL_RIGHTS)
    assert g.write(fd, b"x" * 1000) == (0, 1000)
    assert c.unlink("d/f") == "OK" and c.rmdir("d") == "OK"
    g.close()


def test_failed_allocations_change_nothing(c: Calls, fake: _core.FakeOs) -> None:
    touch(c, "f")
    calls: dict[str, Callable[[], str]] = {
        "mkdir": lambda: c.mkdir("new"),
        "create": lambda: c.errno_of_open("new", oflags=CREAT),
        "symlink": lambda: c.symlink("target", "new"),
        "link": lambda: c.link("f", "new"),
        "rename": lambda: c.rename("f", "new"),
    }
    for name, call in calls.items():
        for kind in ("alloc", "resize"):
            for nth in (1, 2, 3):
                fake.clear()
                fake.inject(kind, nth, 1, err=E.NOMEM)
                said = call()
                reached = fake.count(kind) >= nth
                fake.clear()
                if not reached:
                    assert said == "OK"
                    assert (
                        c.rename("new", "f")
                        if name == "rename"
                        else c.rmdir("new")
                        if name == "mkdir"
                        else c.unlink("new")
                    ) == "OK"
                else:
                    assert said in ("NOMEM", "NOSPC"), (name, kind, nth)
                    assert c.kind("new") == "NOENT" and c.kind("f") == (4, 1, 0)
    fake.clear()
    count = 0
    while count < 3000 and c.mkdir(f"d{count}") == "OK":
        count += 1
    assert count == 1999  # the account is as if no call had failed

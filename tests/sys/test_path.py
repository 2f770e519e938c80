"""sys/path.c: the text of a path, trailing slashes, pairs of places; on the host and in memory alike."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.calls import CREAT, DIRECTORY, EXCL, MTIM, READ, TRUNC, Calls
from tests.support import ALL_RIGHTS, E, Guest, rights
from wasi_native import Cancelled, Dir, File, MemoryDir, Policy, _core

Make = Callable[..., Guest]
FILE, DIR, LINK = 4, 3, 7


@pytest.fixture(params=[3, 4], ids=["host", "memory"])
def home(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def c(guest: Make, tmp_path: Path, resolver: str) -> Calls:
    """3 is a directory of the host, 4 one in memory."""
    dirs = [Dir(tmp_path, "/rw"), MemoryDir("/mem", size=1 << 24, inodes=10_000)]
    return Calls(guest(Policy(dirs=dirs), resolver=resolver))


def make_file(c: Calls, path: str, dir: int, data: bytes = b"") -> None:
    fd = c.open(path, dir=dir, oflags=CREAT, rights=ALL_RIGHTS)
    assert c.g.write(fd, data) == (0, len(data)) and c.g.fd_close(fd) == 0


def seed(c: Calls, dir: int) -> None:
    """f, d/e/g, l -> f, ld -> d, ls -> d/, gone -> nothing, lf -> f/"""
    assert (c.mkdir("d", dir), c.mkdir("d/e", dir)) == ("OK", "OK")
    make_file(c, "f", dir, b"hello")
    make_file(c, "d/e/g", dir)
    for name, target in {"l": "f", "ld": "d", "ls": "d/", "gone": "nothing", "lf": "f/"}.items():
        assert c.symlink(target, name, dir) == "OK"


def test_text(c: Calls, home: int) -> None:
    seed(c, home)
    same = [
        "d",
        "./d",
        ".//d",
        "d/",
        "d//",
        "d/.",
        "./d/./",
        "d/e/..",
        "d/e/../",
        "d/../d",
        "ld/",
        "ls",
        "ld/.",
    ]
    found = {c.kind(path, dir=home, follow=True) for path in same}
    assert found == {(DIR, 3, 0)}
    wrong = {
        "": "NOENT",
        "/": "PERM",
        "/d": "PERM",
        "..": "PERM",
        "d/../..": "PERM",
        "f/": "NOTDIR",
        "f/.": "NOTDIR",
        "f/..": "NOTDIR",
        "f/x": "NOTDIR",
        "l/": "NOTDIR",
        "l/x": "NOTDIR",
        "lf": "NOTDIR",
        "lf/": "NOTDIR",
        "no/..": "NOENT",
        "gone": "NOENT",
        "gone/": "NOENT",
        "gone/..": "NOENT",
        "a" * 256: "NAMETOOLONG",
        "d/" + "a" * 256 + "/x": "NAMETOOLONG",
        "d/" * 2048 + "x": "NAMETOOLONG",
    }
    assert {path: c.kind(path, dir=home, follow=True) for path in wrong} == wrong
    assert c.kind("a" * 255, dir=home) == "NOENT"
    assert c.kind("./" * 2047 + "f", dir=home)[0] == FILE
    assert c.kind("l", dir=home)[0] == LINK and c.kind("l", dir=home, follow=True)[0] == FILE


def test_a_trailing_slash_in_every_call(c: Calls, home: int) -> None:
    seed(c, home)
    said = {
        "open f/": c.errno_of_open("f/", dir=home),
        "open d/": c.errno_of_open("d/", dir=home),
        "open l/": c.errno_of_open("l/", dir=home),
        "open ld/": c.errno_of_open("ld/", dir=home),
        "create x/": c.errno_of_open("x/", dir=home, oflags=CREAT),
        "create gone/": c.errno_of_open("gone/", dir=home, oflags=CREAT, follow=True),
        "mkdir x/": c.mkdir("x/", home),
        "mkdir f/": c.mkdir("f/", home),
        "rmdir x/": c.rmdir("x/", home),
        "rmdir f/": c.rmdir("f/", home),
        "rmdir ld/": c.rmdir("ld/", home),
        "unlink f/": c.unlink("f/", home),
        "unlink d/": c.unlink("d/", home),
        "unlink l/": c.unlink("l/", home),
        "link f/ x": c.link("f/", "x", home, home),
        "link d/ x": c.link("d/", "x", home, home),
        "link f x/": c.link("f", "x/", home, home),
        "link f d/": c.link("f", "d/", home, home),
        "rename f/ x": c.rename("f/", "x", home, home),
        "rename f x/": c.rename("f", "x/", home, home),
        "rename no/ x": c.rename("no/", "x", home, home),
        "rename d/ x/": c.rename("d/", "x/", home, home),
        "rename x d": c.rename("x", "d", home, home),
        "symlink x/": c.symlink("t", "x/", home),
        "symlink d/": c.symlink("t", "d/", home),
        "readlink l/": c.readlink("l/", dir=home),
        "readlink ld/": c.readlink("ld/", dir=home),
        "times f/": c.set_times("f/", home, flags=MTIM),
        "times ld/": c.set_times("ld/", home, flags=MTIM),
    }
    assert said == {
        "open f/": "NOTDIR",
        "open d/": "OK",
        "open l/": "NOTDIR",
        "open ld/": "OK",
        "create x/": "ISDIR",
        "create gone/": "ISDIR",
        "mkdir x/": "OK",
        "mkdir f/": "EXIST",
        "rmdir x/": "OK",
        "rmdir f/": "NOTDIR",
        "rmdir ld/": "NOTDIR",
        "unlink f/": "NOTDIR",
        "unlink d/": "ISDIR",
        "unlink l/": "NOTDIR",
        "link f/ x": "NOTDIR",
        "link d/ x": "PERM",
        "link f x/": "NOENT",
        "link f d/": "EXIST",
        "rename f/ x": "NOTDIR",
        "rename f x/": "NOTDIR",
        "rename no/ x": "NOENT",
        "rename d/ x/": "OK",
        "rename x d": "OK",
        "symlink x/": "NOENT",
        "symlink d/": "EXIST",
        "readlink l/": "NOTDIR",
        "readlink ld/": "INVAL",
        "times f/": "NOTDIR",
        "times ld/": "OK",
    }


def test_dot_as_the_last_name(c: Calls, home: int) -> None:
    seed(c, home)
    said = [
        (
            c.mkdir(p, home),
            c.rmdir(p, home),
            c.unlink(p, home),
            c.symlink("t", p, home),
            c.rename(p, "x", home, home),
        )
        for p in (".", "d/.", "d/e/..")
    ]
    assert said[0] == said[1] == ("EXIST", "INVAL", "ISDIR", "EXIST", "BUSY")
    assert said[2] == said[0]
    assert c.errno_of_open("d/.", dir=home, oflags=CREAT) == "ISDIR"
    assert c.errno_of_open("d/.", dir=home, oflags=CREAT | EXCL) == "EXIST"
    assert c.errno_of_open("no/.", dir=home, oflags=CREAT) == "NOENT"


PLACES = [
    "a",
    "b",
    "d",
    "d/a",
    "d/e",
    "d/e/a",
    "l",
    "ld",
    "ld/a",
    "d/l",
    "a/",
    "d/",
    "ld/",
    "d/../a",
    "d/..",
    ".",
]
TARGETS = ["a", "d", "d/e", "../a", "d/", "no", ".", "l"]


def one_call(c: Calls, dir: int, rng: random.Random) -> object:
    one, two = rng.choice(PLACES), rng.choice(PLACES)
    match rng.randrange(12):
        case 0:
            return "mkdir", one, c.mkdir(one, dir)
        case 1:
            return "rmdir", one, c.rmdir(one, dir)
        case 2:
            return "unlink", one, c.unlink(one, dir)
        case 3:
            return "rename", one, two, c.rename(one, two, dir, dir)
        case 4:
            return "link", one, two, c.link(one, two, dir, dir)
        case 5:
            target = rng.choice(TARGETS)
            return "symlink", target, one, c.symlink(target, one, dir)
        case 6:
            return "readlink", one, c.readlink(one, dir=dir)
        case 7:
            follow = rng.random() < 0.5
            return "stat", one, follow, c.kind(one, dir=dir, follow=follow)
        case 8:
            return "times", one, c.set_times(one, dir, follow=rng.random() < 0.5)
        case _:
            how = {
                "oflags": rng.choice([0, CREAT, CREAT | EXCL, DIRECTORY, TRUNC, CREAT | TRUNC]),
                "rights": rng.choice([READ, ALL_RIGHTS, rights("fd_write")]),
                "follow": rng.random() < 0.5,
            }
            return "open", one, how, c.errno_of_open(one, dir=dir, **how)


def shape(c: Calls, dir: int, path: str = ".") -> dict[str, object]:
    """Every name below, with what it is."""
    fd = c.open(path, dir=dir, oflags=DIRECTORY)
    names = sorted(c.list(fd))
    assert c.g.fd_close(fd) == 0 and names[:2] == [".", ".."]
    found: dict[str, object] = {}
    for name in names[2:]:
        below = f"{path}/{name}"
        found[below] = kind = c.kind(below, dir=dir)
        if kind[0] == DIR:
            found |= shape(c, dir, below)
        if kind[0] == LINK:
            found[below] = kind, c.readlink(below, dir=dir)
    return found


@pytest.mark.parametrize("start", range(4))
def test_memory_does_as_the_host_does(guest: Make, tmp_path: Path, start: int, long: bool) -> None:
    """The same thousands of calls with both resolvers and in memory: the same verdicts and the same tree."""
    worlds = []
    for name in ("openat2", "walk"):
        (tmp_path / name).mkdir()
        g = guest(Policy(dirs=[Dir(tmp_path / name, "/d"), MemoryDir("/m", inodes=10_000)]), resolver=name)
        worlds.append((Calls(g), 3))
    worlds.append((worlds[0][0], 4))
    dice = [random.Random(start) for _ in worlds]
    for number in range(20_000 if long else 5_000):
        said = [one_call(c, dir, rng) for (c, dir), rng in zip(worlds, dice, strict=True)]
        assert said[0] == said[1] == said[2], f"call {number}: host, walk, memory"
        if number % 100 == 0:
            shapes = [shape(c, dir) for c, dir in worlds]
            assert shapes[0] == shapes[1] == shapes[2]


def test_between_grants(guest: Make, tmp_path: Path, resolver: str) -> None:
    """A name moves between grants of one kind alone, and where none of them counts."""
    for name in ("a", "b", "ro", "counted"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text(name)
    dirs = [Dir(tmp_path / "a"), Dir(tmp_path / "b"), Dir(tmp_path / "ro", read_only=True)]
    dirs += [Dir(tmp_path / "counted", quota=4096), MemoryDir("/m1"), MemoryDir("/m2")]
    c = Calls(guest(Policy(dirs=dirs), resolver=resolver))
    a, b, ro, counted, m1, m2 = range(3, 9)
    make_file(c, "f", m1)
    for call in (c.rename, c.link):
        assert {call("f", "x", a, ro), call("f", "x", ro, a)} <= {"NOTCAPABLE", "ROFS"}
        pairs = [(a, counted), (counted, a), (a, m1), (m1, a), (m1, m2), (counted, m1)]
        assert [call("f", "x", *pair) for pair in pairs] == ["XDEV"] * len(pairs)
    assert c.link("f", "x", a, b) == "OK" and os.path.samefile(tmp_path / "a/f", tmp_path / "b/x")
    assert c.rename("f", "f", a, b) == "OK" and (tmp_path / "b/f").read_text() == "a"
    assert [sorted(os.listdir(tmp_path / name)) for name in ("a", "ro", "counted")] == [[], ["f"], ["f"]]


def test_rights_of_both_ends(c: Calls, home: int) -> None:
    seed(c, home)
    for call, source, target in (
        (c.rename, "path_rename_source", "path_rename_target"),
        (c.link, "path_link_source", "path_link_target"),
    ):
        for lost, ends in ((source, (0, 1)), (target, (1, 0))):
            fd = c.open(".", dir=home, rights=READ & ~rights(lost))
            pair = [(fd, home), (home, fd)]
            assert call("f", "x", *pair[ends[0]]) == "NOTCAPABLE"
            assert c.kind("x", dir=home) == "NOENT"
            assert call("f", "x", *pair[ends[1]]) == "OK" and c.unlink("x", home) == "OK"
            if call == c.rename:
                make_file(c, "f", home)
            assert c.g.fd_close(fd) == 0


def test_a_descriptor_that_is_no_directory(c: Calls, home: int) -> None:
    seed(c, home)
    fd = c.open("f", dir=home, rights=ALL_RIGHTS)
    assert c.kind("x", dir=fd) == "NOTCAPABLE"  # files have no rights to paths
    assert c.kind("x", dir=1) == "NOTCAPABLE"
    assert c.kind("x", dir=60) == "BADF"


def test_symlinks_keep_their_text(c: Calls, home: int) -> None:
    texts = ["x", "../..", "a//b/", "\N{SNOWMAN}", "t" * 4095]
    for number, text in enumerate(texts):
        said = c.symlink(text, f"l{number}", home)
        assert said == "OK"
        assert c.readlink(f"l{number}", dir=home, size=4096) == text.encode()
    assert c.symlink("/x", "l", home) == "PERM" and c.symlink("", "l", home) == "NOENT"
    assert c.symlink("x" * 4096, "l", home) == "NAMETOOLONG"


def test_a_link_of_the_host_to_an_absolute_place_is_not_shown(c: Calls, tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("/etc/passwd")
    (tmp_path / "one").symlink_to("/")
    for size in (0, 1, 4096):
        assert c.readlink("l", size) == "PERM" and c.readlink("one", size) == "PERM"


def test_cancelled(guest: Make, tmp_path: Path, resolver: str) -> None:
    """A guest that was cancelled gets no further with paths."""
    for dir in (3, 4):
        g = guest(Policy(dirs=[Dir(tmp_path, "/rw"), MemoryDir("/mem")]), resolver=resolver)
        g.instance.cancel()
        with pytest.raises(Cancelled):
            g.on_path("path_create_directory", "x", dir=dir)
    assert os.listdir(tmp_path) == []


def test_mounted_file(guest: Make, tmp_path: Path, resolver: str) -> None:
    (tmp_path / "one").write_text("text")
    files = [
        File(tmp_path / "one", "/etc/one", read_only=True),
        File(tmp_path / "two", "/etc/two", read_only=False),
    ]
    (tmp_path / "two").write_text("text")
    c = Calls(guest(Policy(files=files), resolver=resolver))
    assert c.list(3) == [".", "..", "one", "two"]
    assert c.errno_of_open("one", rights=ALL_RIGHTS) == "ROFS"
    assert (
        c.errno_of_open("two", rights=ALL_RIGHTS, oflags=TRUNC) == "OK"
        and (tmp_path / "two").read_text() == ""
    )
    assert c.g.read(c.open("one")) == (0, b"text")
    denied = {c.unlink("two"), c.rename("two", "x"), c.rename("one", "two"), c.link("two", "x"), c.mkdir("x")}
    denied |= {c.symlink("two", "x"), c.errno_of_open("x", oflags=CREAT), c.unlink("one")}
    assert denied <= {"PERM", "ROFS", "NOTCAPABLE", "DQUOT"}
    assert (tmp_path / "one").read_text() == "text"


def test_every_kernel_failure_reaches_the_guest(guest: Make, tmp_path: Path, resolver: str) -> None:
    """One call of the kernel fails at a time: the guest sees an errno, no descriptor is left, the next call works."""
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/f").write_text("x")
    os.symlink("d", tmp_path / "l")
    os.symlink("f", tmp_path / "d/lf")
    fake = _core.FakeOs()
    c = Calls(guest(Policy(dirs=[Dir(tmp_path, "/rw")]), resolver=resolver, kernel=fake))
    calls: dict[str, Callable[[], object]] = {
        "open": lambda: c.errno_of_open("l/e/../lf", follow=True, oflags=TRUNC, rights=ALL_RIGHTS),
        "create": lambda: c.errno_of_open("l/new", follow=True, oflags=CREAT, rights=ALL_RIGHTS),
        "stat": lambda: c.kind("l/lf", follow=True),
        "times": lambda: c.set_times("l/lf", follow=True),
        "readlink": lambda: c.readlink("l/lf"),
        "rename": lambda: (c.rename("l/f", "l/g"), c.rename("l/g", "l/f"))[0],
        "mkdir": lambda: (c.mkdir("l/x"), c.rmdir("l/x"))[0],
        "rmdir": lambda: (c.mkdir("l/y"), c.rmdir("l/y"))[1],
        "symlink": lambda: (c.symlink("t", "l/t"), c.unlink("l/t"))[0],
    }
    kernel_calls = ("openat", "openat2", "fstat", "fstatat", "readlinkat", "ftruncate", "mkdirat", "unlinkat")
    kernel_calls += ("renameat", "symlinkat", "utimensat")
    hit = 0
    for name, call in calls.items():
        assert call() not in ("IO", "BADF"), name
        for kernel_call, nth in itertools.product(kernel_calls, range(1, 5)):
            fake.clear()
            fake.inject(kernel_call, nth, 1, err=E.IO)
            before = set(os.listdir("/proc/self/fd"))
            call()
            reached = fake.count(kernel_call) >= nth
            hit += reached
            fake.clear()
            assert set(os.listdir("/proc/self/fd")) == before, (name, kernel_call, nth)
            for left in ("l/x", "l/y"):
                c.rmdir(left)
            c.unlink("l/t")
            if c.kind("d/g") != "NOENT":
                assert c.rename("d/g", "d/f") == "OK"
            assert call() not in ("IO", "BADF"), (name, kernel_call, nth)
    assert hit > 40

"""Group R: whatever changes between a look and the deed, the outside is not reached.

The host's changes are made by a process of its own (toggle.py). A short run exchanges a name so often that a
wrong resolver fails within it; ``--long`` gives each mode 10^5 rounds and more.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks import toggle
from tests.attacks.tree import ESC, MODES, Case, Tree, everywhere, fingerprint, kernel
from tests.calls import CREAT, DIRECTORY, MTIM, READ
from tests.support import ALL_RIGHTS, E, Guest, errno
from wasi_native import InstanceBusy, Policy

ESCAPED = errno(*ESC)
Attack = Callable[..., Any]


@pytest.fixture
def rounds(long: bool) -> int:
    return 200_000 if long else 6_000


@pytest.fixture(params=list(MODES))
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "T")


@pytest.fixture
def g(tree: Tree, mode: str) -> Iterator[Guest]:
    fake = kernel(mode)
    with Guest(Policy(dirs=tree.dirs()), resolver=MODES[mode][0], kernel=fake) as guest:
        yield guest


def during(child: Any, attempt: Callable[[int], None]) -> int:
    """Attempt until the process has ended: how often."""
    number = 0
    try:
        while child.poll() is None:
            for _ in range(20):
                attempt(number)
                number += 1
    finally:
        if child.poll() is None:
            child.kill()
    return number


def raced(seen: Counter[int], start: Callable[[], Any], attempt: Callable[[int], None], rounds: int) -> None:
    """Attempts while the other side changes names, until both have met: on a busy machine they may take turns, and
    nothing is shown by that."""
    for _ in range(8):
        child = start()
        during(child, attempt)
        assert toggle.finish(child) == rounds
        if seen[0] and any(seen[err] for err in ESCAPED):
            return
    raise AssertionError(f"no race took place: {seen}")


def test_r32_directory_becomes_a_link_out(tree: Tree, g: Guest, rounds: int) -> None:
    (tree.rw / "d/secret.txt").write_text("mine")
    (tree.rw / "turn").symlink_to("../out")
    before = fingerprint(tree.out, tree.ro)
    mine = {os.stat(tree.rw / name).st_ino for name in ("d", "d/secret.txt", "d/e")}
    paths = ["d/secret.txt", "d/", "d/.", "d", "d/e/../secret.txt", "d/e/..", "d/../d/secret.txt"]
    seen: Counter[int] = Counter()

    def attempt(number: int) -> None:
        path = paths[number % len(paths)]
        follow = number // len(paths) % 2 == 1
        if number % 5 == 4:
            err, st = g.stat(path, follow=follow)
            # the link itself may be looked at, not what is behind it
            assert err or st["ino"] in mine or st["type"] == 7, path
        else:
            err, fd = g.open(path, follow=follow, rights=READ)
            if not err:
                assert g.fstat(fd)[1]["ino"] in mine, path
                assert g.fd_close(fd) == 0
        assert err in {0, E.NOENT, E.LOOP, E.NOTDIR} | ESCAPED, path
        seen[err] += 1

    raced(seen, lambda: toggle.start(rounds, tree.rw / "d", tree.rw / "turn"), attempt, rounds)
    assert fingerprint(tree.out, tree.ro) == before


def test_r33_changes_through_what_becomes_a_link_out(tree: Tree, g: Guest, rounds: int) -> None:
    (tree.rw / "turn").symlink_to("../out")
    before = fingerprint(tree.out, tree.ro)
    for number in range(40):
        (tree.rw / f"give{number}").write_text("x")
    seen: Counter[int] = Counter()

    def two(name: str, old: str, new: str) -> int:
        first, second = g.put(0x8000, old), g.put(0xC000, new)
        if name == "path_symlink":
            return g.path_symlink(*first, 3, *second)
        if name == "path_link":
            return g.path_link(3, 0, *first, 3, *second)
        return g.path_rename(3, *first, 3, *second)

    def attempt(number: int) -> None:
        path = g.put(0x8000, "d/secret.txt")
        flags = number & 1
        calls: list[Callable[[], int]] = [
            lambda: g.on_path("path_create_directory", f"d/x{number % 7}"),
            lambda: g.on_path("path_remove_directory", f"d/x{number % 7}"),
            lambda: g.on_path("path_unlink_file", "d/secret.txt"),
            lambda: g.path_filestat_set_times(3, flags, *path, 1, 1, MTIM),
            lambda: g.path_filestat_set_times(3, flags, *g.put(0x8000, "d/"), 1, 1, MTIM),
            lambda: two("path_rename", f"give{number % 40}", "d/put.txt"),
            lambda: two("path_rename", "d/secret.txt", "got.txt"),
            lambda: two("path_rename", "d/wr", "wr"),
            lambda: two("path_link", "f.txt", "d/put.txt"),
            lambda: two("path_link", "d/secret.txt", "got.txt"),
            lambda: two("path_symlink", "x", "d/put.txt"),
            lambda: g.stat("d/secret.txt")[0],
            lambda: g.on_path("path_unlink_file", "d/put.txt"),
            lambda: g.on_path("path_remove_directory", "d/wr"),
        ]
        seen[calls[number % len(calls)]()] += 1
        if number % 3 == 0:
            err, fd = g.open("d/secret.txt", follow=bool(flags), oflags=CREAT | 8 * flags, rights=ALL_RIGHTS)
            seen[err] += 1
            if not err:
                assert g.write(fd, b"overwritten") == (0, 11) and g.fd_close(fd) == 0
        if number % 97 == 0 and os.path.exists(tree.rw / "d/put.txt"):
            (tree.rw / f"give{number % 40}").touch()

    raced(seen, lambda: toggle.start(rounds, tree.rw / "d", tree.rw / "turn"), attempt, rounds)
    assert fingerprint(tree.out, tree.ro) == before
    assert not (tree.rw / "got.txt").exists() or (tree.rw / "got.txt").read_text() != "SECRET"


def test_r35_guests_rename_what_others_walk(tree: Tree, g: Guest, rounds: int) -> None:
    """A moves d/e to e2 and back while B walks d/e/../.. : from e2 that would be above the preopen."""
    before = fingerprint(tree.out, tree.ro)
    inode = os.stat(tree.rw / "f.txt").st_ino
    done, moves = threading.Event(), 0
    seen: Counter[int] = Counter()

    def met() -> bool:
        return bool(seen[0]) and any(seen[err] for err in ESCAPED)

    def mover() -> None:
        nonlocal moves
        with Guest(Policy(dirs=tree.dirs())) as other:
            there, back = other.put(0x8000, "d/e"), other.put(0xC000, "e2")
            while moves < rounds or (not met() and moves < 20 * rounds):
                assert other.path_rename(3, *there, 3, *back) == 0
                assert other.path_rename(3, *back, 3, *there) == 0
                moves += 2
        done.set()

    thread = threading.Thread(target=mover)
    thread.start()
    try:
        while not done.is_set() and thread.is_alive():
            for path in (
                "d/e/../../f.txt",
                "d/e/../../../out",
                "d/e/../../../out/secret.txt",
                "e2/../../out",
            ):
                err, fd = g.open(path, rights=READ)
                seen[err] += 1
                if err:
                    assert err in {E.NOENT} | ESCAPED, path
                else:
                    assert path.endswith("f.txt") and g.fstat(fd)[1]["ino"] == inode
                    assert g.fd_close(fd) == 0
    finally:
        thread.join()
    assert moves >= rounds and met()
    assert fingerprint(tree.out, tree.ro) == before


def test_r35_two_processes(tree: Tree, g: Guest, rounds: int) -> None:
    """The same with a process that exchanges d/e and a directory one level up."""
    (tree.rw / "e2").mkdir()
    inode = os.stat(tree.rw / "f.txt").st_ino
    before = fingerprint(tree.out, tree.ro)
    seen: Counter[int] = Counter()

    def attempt(number: int) -> None:
        path = ("d/e/../../f.txt", "d/e/../../../out", "e2/../f.txt", "e2/../../out/secret.txt")[number % 4]
        err, fd = g.open(path, rights=READ)
        seen[err] += 1
        assert err in {0, E.NOENT} | ESCAPED, path
        if not err:
            assert g.fstat(fd)[1]["ino"] == inode and g.fd_close(fd) == 0

    raced(seen, lambda: toggle.start(rounds, tree.rw / "d/e", tree.rw / "e2"), attempt, rounds)
    assert fingerprint(tree.out, tree.ro) == before


def test_r36_directory_moved_outside(attack: Attack) -> None:
    """The guest keeps what it holds, and the kernel's ".." of it would now lead to the secret."""

    def scenario(c: Case) -> list[str]:
        fd = c.open("d/e", oflags=DIRECTORY)
        (c.tree.rw / "d/e").rename(c.tree.out / "e")
        c.rebase()
        paths = ("../secret.txt", "..", "../", "../../rw/f.txt", "./../secret.txt", "../e")
        said = [c.look(p, dir=fd) for p in paths]
        said += [c.stat(p, dir=fd) for p in paths]
        said += [
            c.mkdir("../x", dir=fd),
            c.unlink("../secret.txt", dir=fd),
            c.rename("../secret.txt", "x", dir=fd),
        ]
        said += [
            c.link("../secret.txt", "x", dir=fd),
            c.set_times("../secret.txt", dir=fd),
            c.rmdir("../wr", dir=fd),
        ]
        assert set(said) <= ESC
        err, names = c.g.list(fd)
        assert err == 0 and [name for name, _, _ in names] in (["..", "."], [".", ".."])
        # the number of ".." is the directory's own: what is above is not told
        numbers = {c.g.unpack("Q", 0x10000 + 8)}
        assert numbers == {os.stat(c.tree.out / "e").st_ino}
        return said

    attack(scenario, only="0.1")


def test_r36_moved_while_below_it(attack: Attack) -> None:
    """Links below a moved directory climb no higher than the descriptor."""

    def scenario(c: Case) -> list[str]:
        os.symlink("../secret.txt", c.tree.rw / "d/e/up")
        os.symlink("../../f.txt", c.tree.rw / "d/e/file")
        fd = c.open("d", oflags=DIRECTORY)
        assert c.look("e/up", dir=fd, follow=True) == "NOENT"
        (c.tree.rw / "d").rename(c.tree.out / "d")
        c.rebase()
        said = [
            c.look("e/up", dir=fd, follow=True),
            c.look("e/file", dir=fd, follow=True),
            c.look("e/..", dir=fd),
        ]
        assert said[0] == "NOENT" and said[1] in ESC and said[2] == "out/d"
        return said

    attack(scenario, only="0.1")


def test_r39_removed_directory(attack: Attack) -> None:
    def scenario(c: Case) -> list[object]:
        fd = c.open("d/e", oflags=DIRECTORY)
        assert c.rmdir("d/e") == "OK"
        made = [
            c.look("new", dir=fd, oflags=CREAT, rights=ALL_RIGHTS),
            c.mkdir("x", dir=fd),
            c.symlink("x", "y", dir=fd),
        ]
        made += [
            c.link("f.txt", "z", to=fd),
            c.rename("f.txt", "z", to=fd),
            c.look("new", dir=fd),
            c.unlink("x", dir=fd),
        ]
        assert set(made) == {"NOENT"}
        err, names = c.g.list(fd)
        assert (err, names) in ((0, []), (E.NOENT, []))
        again, _ = c.g.list(fd, cookie=1)
        assert again in (0, E.NOENT)
        err, st = c.g.fstat(fd)
        assert err == 0 and st["type"] == 3 and st["nlink"] == 0
        said = [c.look(".", dir=fd), c.look("..", dir=fd), c.stat(".", dir=fd), c.look("../f.txt", dir=fd)]
        assert said[1] in ESC and said[3] in ESC
        assert c.g.fd_close(fd) == 0
        return [made, names, said[1], said[3], (c.tree.rw / "f.txt").read_text()]

    attack(scenario, only="0.1")


def _read_stdin(g: Guest, got: list[int]) -> None:
    got.append(g.instance.call("fd_read", 0, 0x100, 1, 0x110))


def test_r40_two_threads_on_one_instance(tmp_path: Path) -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Slow:
        def read(self, n: int) -> bytes:
            inside.set()
            assert go_on.wait(30)
            return b"late"

    for engine in ("fake", "wasmtime"):
        inside.clear()
        go_on.clear()
        with Guest(Policy(stdin=Slow(), dirs=Tree(tmp_path / engine).dirs()), engine=engine) as g:
            g.iovs(0x100, (0x200, 16))
            got: list[int] = []
            thread = threading.Thread(target=_read_stdin, args=(g, got))
            thread.start()
            assert inside.wait(30)
            for _ in range(3):
                with pytest.raises(InstanceBusy):
                    g.instance.call("fd_close", 3)
            with pytest.raises(InstanceBusy):
                g.instance.close()
            go_on.set()
            thread.join()
            assert got == [0] and g.memory.read(0x200, 5) == b"late\xa5"
            assert g.open("f.txt", rights=READ)[0] == 0  # the second thread's turn now, nothing was closed


def take_turns(g: Guest, count: int) -> None:
    err, fd = g.open("log", oflags=CREAT, rights=ALL_RIGHTS)
    assert err == 0
    data, done, refused = b"0123456789abcdef", [0, 0, 0], [0, 0, 0]
    g.put(0x200, data)
    g.iovs(0x100, (0x200, 16))

    def worker(number: int) -> None:
        while done[number] < count:
            try:
                assert g.instance.call("fd_write", fd, 0x100, 1, 0x110) == 0
                done[number] += 1
            except InstanceBusy:
                refused[number] += 1

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [count] * 3
    g.memory.write(0x120, (3 * count).to_bytes(4, "little"))


def test_r40_threads_that_take_turns_by_chance(tree: Tree, long: bool) -> None:
    """Each call is made whole or refused whole."""
    with Guest(Policy(dirs=tree.dirs())) as g:
        take_turns(g, 2000 if long else 50)
        assert (tree.rw / "log").read_bytes() == b"0123456789abcdef" * g.unpack("I", 0x120)


def test_r40_everywhere_is_one_thread_at_a_time(tmp_path: Path) -> None:
    """The same instance from one thread after the other is fine in each mode."""

    def scenario(c: Case) -> list[str]:
        said: list[str] = []
        for path in ("f.txt", "d", "../out"):
            thread = threading.Thread(target=lambda path=path: said.append(c.look(path)))
            thread.start()
            thread.join()
        return said

    assert everywhere(tmp_path, scenario) == ["rw/f.txt", "rw/d", "PERM"]

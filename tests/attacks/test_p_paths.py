"""Group P: no path leads out of the directory that it starts from, and all resolvers use the same words."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.tree import ESC, RUNS, Case, Tree
from tests.calls import CREAT, DIRECTORY, EXCL, READ
from tests.support import ALL_RIGHTS, Guest
from wasi_native import Dir, Policy, PolicyError

Attack = Callable[..., Any]


def test_p01_dot_dot(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        assert {c.look("../out/secret.txt"), c.look("d/../../out/secret.txt")} <= ESC
        assert {c.look(p) for p in ("..", "../", "d/../..", "d/e/../../../rw/f.txt", "./../out")} <= ESC
        assert c.look("d/../f.txt") == "rw/f.txt"
        assert c.look("d/e/../../d/./e/../../f.txt") == "rw/f.txt"
        return [c.look(p) for p in ("..", "d/..", "d/e/../..", "f.txt/..", "f.txt/../f.txt", "no/../f.txt")]

    assert attack(scenario) == ["PERM", "rw", "rw", "NOTDIR", "NOTDIR", "NOENT"]


@pytest.mark.parametrize("path", ["/etc/passwd", "/", "//", "/rw/f.txt", "/../etc", "//rw"])
def test_p02_absolute(attack: Attack, path: str) -> None:
    attack(lambda c: c.all_say(path, ESC))


def test_p03_dot_dot_of_an_opened_directory(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        fd = c.open("d", oflags=DIRECTORY)
        below = [c.look(p, dir=fd) for p in ("../f.txt", "e/../../f.txt", "..", "e/../..")]
        assert set(below) <= ESC
        assert c.look("e/..", dir=fd) == "rw/d"
        for _, err in c.every_call("../f.txt", fd):
            assert err in ESC
        return below

    attack(scenario)


def test_p04_links_out(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        links = ("l_secret", "l_out/secret.txt", "l_abs", "l_abs/secret.txt")
        assert {c.look(p, follow=True) for p in links} <= ESC
        assert c.look("l_secret") == "LOOP"
        assert {c.look(p) for p in links[1:]} <= ESC | {"LOOP"}
        c.all_say("l_abs/secret.txt", ESC)
        c.all_say("l_out/sub", ESC)
        return [c.look(p, follow=f) for p in links for f in (False, True)]

    attack(scenario)


@pytest.mark.parametrize(
    "path", ["l_out/", "l_out//", "l_out/.", "l_out/./", "l_out/./.", "l_abs/", "l_abs/."]
)
def test_p05_link_with_slash(attack: Attack, path: str) -> None:
    def scenario(c: Case) -> list[str]:
        said = [c.look(path, follow=f, oflags=o) for f in (False, True) for o in (0, DIRECTORY)]
        assert set(said) <= ESC
        assert c.look("l_in/", oflags=DIRECTORY) == "rw/d"
        assert c.look("l_in/.", oflags=DIRECTORY) == "rw/d"
        return said

    attack(scenario)


@pytest.mark.parametrize("path", ["l_out_slash", "chain1"])
@pytest.mark.parametrize("tail", ["", "/", "/.", "//", "/secret.txt"])
def test_p06_link_whose_target_ends_in_a_slash(attack: Attack, path: str, tail: str) -> None:
    def scenario(c: Case) -> list[str]:
        assert c.look(path + tail, follow=True) in ESC
        assert c.look(path + tail, follow=True, oflags=DIRECTORY) in ESC
        assert c.look("l_in_slash", follow=True) == "rw/d"
        assert c.look("l_in_slash/", follow=True) == "rw/d"
        return [c.look(path + tail), c.look(path + tail, oflags=DIRECTORY), c.look("l_in_slash")]

    attack(scenario)


def test_p07_attributes_through_a_link_with_slash(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = []
        for path in ("l_out/", "l_out/.", "l_out_slash/", "chain1/", "l_abs/"):
            for follow in (False, True):
                said += [c.stat(path, follow=follow), c.set_times(path, follow=follow)]
        assert set(said) <= ESC
        for path in ("l_out", "l_out_slash", "chain1", "l_secret", "l_abs"):
            assert {c.stat(path, follow=True), c.set_times(path, follow=True)} <= ESC
            assert c.stat(path) == f"rw/{path}" and c.set_times(path) == "OK"
            assert os.lstat(c.tree.rw / path).st_mtime_ns == 1
        assert c.stat("l_in/") == "rw/d" and c.set_times("l_in/") == "OK"
        assert os.stat(c.tree.rw / "d").st_mtime_ns == 1
        return said

    attack(scenario)


def test_p09_dangling_link_out(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        assert c.look("dang_out", follow=True, oflags=CREAT, rights=ALL_RIGHTS) in ESC
        assert c.look("dang_out", follow=True, oflags=CREAT | EXCL, rights=ALL_RIGHTS) in ESC | {"EXIST"}
        assert c.look("dang_out", oflags=CREAT, rights=ALL_RIGHTS) in ESC | {"EXIST", "LOOP"}
        assert c.look("dang_out/", follow=True, oflags=CREAT, rights=ALL_RIGHTS) in ESC | {"ISDIR"}
        os.symlink("l_out/new", c.tree.rw / "dang2")
        assert c.look("dang2", follow=True, oflags=CREAT, rights=ALL_RIGHTS) in ESC
        os.symlink("d/made", c.tree.rw / "dang_in")
        assert c.look("dang_in", follow=True, oflags=CREAT, rights=ALL_RIGHTS) == "rw/d/made"
        return [
            c.look(p, follow=f, oflags=o, rights=ALL_RIGHTS)
            for p in ("dang_out", "dang_out/", "dang2", "dang2/")
            for f in (False, True)
            for o in (CREAT, CREAT | EXCL)
        ]

    attack(scenario)


def test_p11_create_and_remove_through_links(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = [c.mkdir("l_out/x"), c.unlink("l_out/secret.txt"), c.rmdir("l_out/wr"), c.rmdir("l_out/")]
        said += [c.mkdir("l_out_slash/x"), c.rmdir("l_abs/wr"), c.unlink("chain1/secret.txt")]
        said += [c.symlink("x", "l_out/x"), c.unlink("l_out/"), c.rmdir("chain1/"), c.rmdir("l_out/.")]
        assert set(said) <= ESC | {"NOTDIR"}
        taken = [c.mkdir("dang_out"), c.symlink("x", "dang_out"), c.mkdir("dang_out/")]
        assert taken[:2] == ["EXIST"] * 2 and taken[2] in ESC | {"EXIST"}
        return said + taken

    attack(scenario)


def test_p12_rename_through_links(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = [c.rename("l_out/secret.txt", "x"), c.rename("f.txt", "l_out/put.txt")]
        said += [c.rename("l_abs/secret.txt", "x"), c.rename("f.txt", "chain1/secret.txt")]
        said += [c.rename("f.txt", "../out/put.txt"), c.rename("../out/secret.txt", "x")]
        assert set(said) <= ESC
        slash = [c.rename("l_out/", "stolen"), c.rename("l_out_slash/", "stolen")]
        assert set(slash) <= ESC | {"NOTDIR"}
        over = [c.rename("d", "l_out/"), c.rename("d/e", "l_in/")]
        assert set(over) <= ESC | {"NOTDIR", "EXIST"}
        fd = c.open("d", oflags=DIRECTORY)
        said.append(c.rename("e", "../e", dir=fd, to=fd))
        assert said[-1] in ESC
        # a link itself may be moved: what it says is looked at when it is used
        assert c.rename("l_out", "d/e/l") == "OK"
        assert c.look("d/e/l", follow=True) in {"NOENT"} | ESC and c.rename("d/e/l", "d/l") == "OK"
        assert c.look("d/l/secret.txt", follow=True) == "NOENT"  # "../out" is rw/out there
        assert sorted(os.listdir(c.tree.rw / "d")) == ["e", "l"]
        return said + slash + over

    attack(scenario)


def test_p13_link_never_follows(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = [c.link(p, "x", flags=1) for p in ("l_secret", "l_out/secret.txt", "f.txt")]
        assert set(said) <= {"INVAL", "NOTSUP"} | ESC
        said += [c.link(p, "x") for p in ("l_out/secret.txt", "../out/secret.txt", "l_abs/secret.txt")]
        said += [c.link("f.txt", p) for p in ("l_out/x", "../out/x", "l_abs/x", "chain1/x")]
        assert set(said[3:]) <= ESC
        assert os.stat(c.tree.out / "secret.txt").st_nlink == 1
        assert not os.path.lexists(c.tree.rw / "x")
        assert c.link("l_secret", "x") == "OK" and os.readlink(c.tree.rw / "x") == "../out/secret.txt"
        assert c.look("x", follow=True) in ESC
        return said

    attack(scenario)


def test_p15_absolute_link_targets(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = [c.symlink(target, "x") for target in ("/etc/passwd", "/", "//x", "/rw/f.txt")]
        assert set(said) <= {"PERM", "NOTCAPABLE", "INVAL"}
        assert not os.path.lexists(c.tree.rw / "x")
        return said

    attack(scenario)


def test_p16_links_that_climb(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        made = [c.symlink("../../../../etc", "x"), c.symlink("d/../../out", "y"), c.symlink("../..", "d/e/z")]
        assert set(made) <= ESC | {"OK"}
        said = [c.look(p, follow=True) for p in ("x/passwd", "y/secret.txt", "y", "x/", "d/e/z/../out")]
        assert set(said) <= ESC
        assert c.look("d/e/z/f.txt", follow=True) == "rw/f.txt"
        fd = c.open("d/e", oflags=DIRECTORY)
        assert c.look("z", dir=fd, follow=True) in ESC
        return made + said

    attack(scenario)


def test_p17_readlink(attack: Attack) -> None:
    def scenario(c: Case) -> list[str | bytes]:
        whole = b"../out/secret.txt"
        assert c.readlink("l_secret") == whole
        for size in (0, 1, len(whole) - 1, len(whole), len(whole) + 1):
            assert c.readlink("l_secret", size) == whole[:size]
        assert c.readlink("l_out/../l_secret") in ESC
        assert c.readlink("f.txt") == "INVAL" and c.readlink("d") == "INVAL"
        said = [c.readlink(p) for p in ("l_out/", "l_in/", "l_abs", "l_proc", "no", "l_out/x", "f.txt/", ".")]
        assert said[0] in ESC and not any(isinstance(text, bytes) for text in said)
        assert c.readlink("l_in_slash") == b"d/" and c.readlink("chain1") == b"chain2/"
        return said

    attack(scenario)


@pytest.mark.parametrize(
    "path", [b"f.txt\0.png", b"f.txt\0", b"\0", b"\0f.txt", b"d/\0", b"f.txt\0/../../out"]
)
def test_p18_nul(attack: Attack, path: bytes) -> None:
    def scenario(c: Case) -> list[tuple[str, str]]:
        said = c.all_say(path, {"INVAL", "ILSEQ"})
        assert c.symlink(path, "x") in {"INVAL", "ILSEQ"}
        assert (c.tree.rw / "f.txt").read_text() == "hello"
        assert sorted(os.listdir(c.tree.rw)) == sorted(os.listdir(Tree(c.tree.root / "again").rw))
        return said

    def again(c: Case) -> list[tuple[str, str]]:
        c.baseline = c.tree.outside()
        said = scenario(c)
        c.rebase()
        return said

    attack(again)


def test_p20_empty_and_dot(attack: Attack) -> None:
    def scenario(c: Case) -> list[object]:
        said = list(c.every_path_call(0x8000, 0)) + list(c.every_path_call(0, 0))
        said.append(("symlink to", c.call("path_symlink", 0, 0, 3, *c.g.put(0xC000, "x"))))
        assert {err for _, err in said} <= {"NOENT", "INVAL"}
        for fd in (3, 4):
            assert c.g.fd_fdstat_get(fd, 0x100) == 0
            base, inheriting = c.g.unpack("QQ", 0x108)
            for path in (".", "./.", "./", "././/."):
                opened = c.open(path, dir=fd, rights=base)
                assert c.g.fd_fdstat_get(opened, 0x140) == 0
                got, passed = c.g.unpack("QQ", 0x148)
                assert got & ~base == 0 and passed & ~inheriting == 0
                assert c.where(c.g.fstat(opened)[1]["ino"]) == {3: "rw", 4: "ro"}[fd]
                assert c.look("..", dir=opened) in ESC
                assert c.g.fd_close(opened) == 0
        dots = [
            c.mkdir("."),
            c.rmdir("."),
            c.rmdir("./"),
            c.unlink("."),
            c.rename(".", "x"),
            c.rename("d", "."),
        ]
        dots += [
            c.rmdir("d/e/."),
            c.rmdir("d/e/.."),
            c.rename("d/e/..", "x"),
            c.link(".", "x"),
            c.symlink("x", "."),
        ]
        assert "OK" not in dots and (c.tree.rw / "d/e").is_dir()
        return [said, dots]

    attack(scenario, only="0.1")


def test_p22_loops_and_chains(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        for path in ("loop_a", "loop_a/", "loop_a/x", "loop_b/.."):
            assert c.look(path, follow=True) == "LOOP"
        rw = c.tree.rw
        for last in (39, 40, 41):
            os.symlink("f.txt", rw / f"c{last}_{last}")
            os.symlink("d", rw / f"d{last}_{last}")
            for number in range(1, last):
                os.symlink(f"c{last}_{number + 1}", rw / f"c{last}_{number}")
                os.symlink(f"d{last}_{number + 1}", rw / f"d{last}_{number}")
        said = []
        for last in (39, 40, 41):
            said += [
                c.look(f"c{last}_1", follow=True),
                c.look(f"d{last}_1/e"),
                c.stat(f"c{last}_1", follow=True),
            ]
            said += [
                c.look(f"d{last}_1/"),
                c.look(f"c{last}_1", follow=True, oflags=CREAT),
                c.mkdir(f"d{last}_1/x{last}"),
            ]
        # expansions count over the whole call: 20 and 21 times one link
        said += [c.look("l_in/../" * times + "f.txt") for times in (40, 41)]
        # a link that doubles at each step: the work ends with the count, not with the text
        for number in range(1, 60):
            os.symlink(f"b{number + 1}/../b{number + 1}", rw / f"b{number}")
        c.kernel_calls = c.kernel.count()
        said.append(c.look("b1", follow=True))
        assert c.kernel.count() - c.kernel_calls < 500
        return said

    said = attack(scenario)
    good = ["rw/f.txt", "rw/d/e", "rw/f.txt", "rw/d", "rw/f.txt", "OK"]
    assert said == good * 2 + ["LOOP"] * 6 + ["rw/f.txt", "LOOP", "LOOP"]


def test_p24_magic_links(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = [
            c.look(p, follow=f) for p in ("l_proc/etc/passwd", "l_proc/", "l_proc/.") for f in (False, True)
        ]
        assert set(said) <= ESC | {"LOOP"}
        return said

    attack(scenario)


def test_p24_process_file_system_as_preopen(attack: Attack) -> None:
    def scenario(c: Case) -> list[list[str]]:
        table = []
        for path in (
            "root/etc/passwd",
            "root/",
            "root",
            "cwd",
            "cwd/",
            "cwd/x",
            "fd/0",
            "fd/1",
            "fd/2",
            "exe",
        ):
            table.append([c.look(path, follow=True), c.look(path, follow=True, oflags=DIRECTORY)])
            assert set(table[-1]) <= ESC | {"LOOP"}, path
        for path in ("ns/mnt", "task/../root/", "fd/../cwd/.."):
            table.append([c.look(path, follow=True), c.stat(path, follow=True)])
            assert set(table[-1]) <= ESC | {"LOOP"}, path
        for number in os.listdir("/proc/self/fd"):
            assert c.look(f"fd/{number}", follow=True) in ESC | {"LOOP", "NOENT"}
            assert c.look(f"fd/{number}/", follow=True) in ESC | {"LOOP", "NOENT"}
            assert c.look(f"fd/{number}/x") in ESC | {"LOOP", "NOENT"}
        return table

    attack(scenario, dirs=[Dir("/proc/self", "/proc", read_only=True)])


def test_p25_long_paths(attack: Attack) -> None:
    def scenario(c: Case) -> list[str]:
        said = []
        for length in (255, 256):
            name = "n" * length
            said += [
                c.look(name),
                c.look(name + "/x"),
                c.mkdir(name),
                c.look(f"d/{name}"),
                c.look(f"{name}/.."),
            ]
        big = 0x20000  # above what the other calls use
        for length in (4095, 4096, 4097, 65536, 1 << 20):
            for fill in ("./", "d/../", "/", "l_in/../"):
                head = "d/../" if fill == "/" else ""
                path = head + fill * ((length - len(head) - 5) // len(fill))
                path += "/" * (length - len(path) - 5) + "f.txt"
                assert len(path) == length
                c.g.put(big, path)
                calls = c.kernel.count("alloc") + c.kernel.count("resize")
                said.append(c.call("path_open", 3, 0, big, length, 0, READ, 0, 0, 0x7F00))
                assert c.kernel.count("alloc") + c.kernel.count("resize") == calls
                if said[-1] == "OK":
                    assert c.g.fd_close(c.g.unpack("I", 0x7F00)) == 0
                if length > 4096 and fill == "./":
                    assert {err for _, err in c.every_path_call(big, length)} == {"NAMETOOLONG"}
        return said

    said = attack(scenario, only="0.1", pages=20)
    assert said[:5] == ["NOENT", "NOENT", "OK", "NOENT", "rw"] and set(said[5:10]) == {"NAMETOOLONG"}
    assert said[10:14] == ["OK", "OK", "OK", "LOOP"]  # 580 links on the way of the last
    assert set(said[14:]) == {"NAMETOOLONG"}


def test_p28_names_that_are_no_text(attack: Attack) -> None:
    bad = [
        b"\xff\xfe",
        b"f.txt\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"d/\x80",
        b"\xe2\x98",
    ]

    def scenario(c: Case) -> list[object]:
        for path in bad:
            c.all_say(path, {"ILSEQ"})
            assert c.symlink(path, "x") == "ILSEQ"
        (c.tree.rw / "d" / os.fsdecode(b"bad\xff")).write_text("x")
        fd = c.open("d", oflags=DIRECTORY)
        err, entries = c.g.list(fd)
        assert err == 0
        names = sorted(os.fsencode(name) for name, _, _ in entries)
        assert names == [b".", b"..", b"bad\xff", b"e"]
        for path in ("\N{SNOWMAN}", "\U0001f600"):
            assert c.mkdir(path) == "OK" and (c.tree.rw / path).is_dir()
        return names

    attack(scenario, only="0.1")


def test_p30_overlapping_preopens(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "T")
    d = tree.rw / "d"
    (tree.root / "alias").symlink_to("rw")
    both = [
        [Dir(tree.rw, "/rw"), Dir(d, "/rw/d", read_only=True)],
        [Dir(d, "/d", read_only=True), Dir(tree.rw, "/rw")],
        [Dir(tree.rw, "/a"), Dir(tree.rw, "/b")],
        [Dir(tree.rw, "/a"), Dir(f"{tree.ro}/../rw/", "/b")],
    ]
    for dirs in both:
        with pytest.raises(PolicyError, match="allow_overlap=True"):
            Policy(dirs=dirs)
    # what only the host's links tell is refused before the guest exists
    for dirs in (
        [Dir(tree.rw, "/a"), Dir(tree.root / "alias", "/b")],
        [Dir(tree.rw, "/a"), Dir(tree.root / "alias/d", "/b", read_only=True)],
    ):
        with pytest.raises(PolicyError, match="allow_overlap=True"):
            Guest(Policy(dirs=dirs))
    for dirs in both:
        with Guest(Policy(dirs=dirs, allow_overlap=True)) as g:
            assert all(g.open(".", dir=dir, rights=READ)[0] == 0 for dir in (3, 4))


def test_p30_read_only_stays_read_only_in_an_overlap(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "T")
    policy = Policy(dirs=[Dir(tree.rw, "/rw"), Dir(tree.rw / "d", "/d", read_only=True)], allow_overlap=True)
    for mode, engine in RUNS:
        with Guest(policy, engine=engine, resolver="walk" if mode == "walk" else "auto") as g:
            assert g.open("new", dir=4, oflags=CREAT, rights=ALL_RIGHTS)[0] != 0
            assert g.on_path("path_create_directory", "x", dir=4) != 0
            assert not (tree.rw / "d/x").exists() and not (tree.rw / "d/new").exists()

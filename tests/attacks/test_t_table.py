"""Group T: numbers of descriptors are the guest's own; none of them closes, keeps or hides one of the host's."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks.forms import FORMS, every_form, every_home
from tests.attacks.tree import CREAT, READ, Tree
from tests.support import ALL_RIGHTS, RIGHTS, E, Guest, open_fds, signatures
from wasi_native import Capture, Limits, MemoryDir, Policy

Make = Callable[..., Guest]
WRONG = (6, 63, 64, 127, 2**31 - 1, 2**31, 2**32 - 1)
IS_FD = {"fd", "old_fd", "new_fd", "to"}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "T")
    before = made.outside()
    yield made
    assert made.outside() == before


@pytest.fixture
def make(guest: Make, tree: Tree, resolver: str) -> Make:
    """/rw (3), /ro (4), /mem (5), the same names in memory as far as they are needed."""

    def build(form: str, **more: object) -> Guest:
        policy = Policy(dirs=[*tree.dirs(), MemoryDir("/mem")], **more)  # type: ignore[arg-type]
        g = guest(policy, resolver=resolver, **FORMS[form])
        err, fd = g.open("f.txt", dir=5, oflags=CREAT)
        assert (err, g.write(fd, b"hello"), g.fd_close(fd)) == (0, (0, 5), 0)
        g.fill()
        return g

    return build


def arguments(name: str, at: str, fd: int) -> list[int]:
    """Good ones for a call, but for parameter ``at``; pointers are places of their own."""
    values = []
    for index, (param, _) in enumerate(signatures()[name][0]):
        if param == at:
            values.append(fd)
        elif param in IS_FD:
            values.append(3)
        elif param in ("path_len", "old_path_len", "new_path_len") or param == "how":
            values.append(1)
        elif param.endswith(("flags", "_len")) or param in ("advice", "whence"):
            values.append(0)
        else:
            values.append(0x100 * (index + 1))
    return values


FD_PARAMS = [
    (name, param) for name, (params, _) in signatures().items() for param, _ in params if param in IS_FD
]


@every_form
def test_t53_every_call_with_a_descriptor_that_is_none(make: Make, form: str) -> None:
    g = make(form)
    assert len(FD_PARAMS) == 38
    assert g.fd_close(4) == 0
    for name, param in FD_PARAMS:
        for fd in (*WRONG, 4):
            g.memory.write(0, b"x" * 0x1000)
            with g.writes_only():
                assert g.call(name, *arguments(name, param, fd)) == E.BADF, (name, param, fd)


@every_form
@every_home
def test_t54_renumber(make: Make, form: str, home: int) -> None:
    g = make(form, stdout=Capture())
    err, fd = g.open("f.txt", dir=home)
    assert (err, fd) == (0, 6)
    before = open_fds()
    with g.writes_only():
        for one, two in ((fd, 7), (fd, 127), (fd, 2**32 - 1), (fd, 2**31), (7, fd), (99, fd), (2**32 - 1, 3)):
            assert g.fd_renumber(one, two) == E.BADF
        for one in (fd, 3, 0):
            assert g.fd_renumber(one, one) == 0  # nothing happens
        assert g.fd_renumber(99, 99) == E.BADF
    assert open_fds() == before and g.read(fd) == (0, b"hello")

    assert g.fd_renumber(3, 4) == 0
    assert len(open_fds()) == len(before) - 1  # the old 4, once
    assert g.fd_prestat_get(3, 64) == E.BADF and g.open("f.txt", dir=3, rights=READ)[0] == E.BADF
    assert g.fd_prestat_dir_name(4, 64, 3) == 0 and g.memory.read(64, 3) == b"/rw"
    assert g.open("r.txt", dir=4, rights=READ)[0] == E.NOENT  # it is the other directory now
    assert g.open("f.txt", dir=4, rights=READ)[1] == 3  # the free number

    stdout = os.fstat(1)
    assert g.fd_renumber(fd, 1) == 0  # the guest's stdout alone
    assert g.fd_seek(1, 0, 0, 64) == 0 and g.write(1, b"HE") == (0, 2)
    assert os.path.samestat(os.fstat(1), stdout) and g.instance.stdout == b""
    assert g.fd_close(1) == 0 and os.path.samestat(os.fstat(1), stdout)
    assert g.fd_close(1) == E.BADF


@every_form
@every_home
def test_t55_five_thousand_times_open_and_renumber(make: Make, form: str, home: int, long: bool) -> None:
    g = make(form)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        err, kept = g.open("f.txt", dir=home, rights=READ)
        assert err == 0
        before = open_fds()
        for _ in range(5000 if long or home == 3 else 500):
            err, fd = g.open("f.txt", dir=home, rights=READ)
            assert (err, fd) == (0, kept + 1)
            assert g.fd_renumber(fd, kept) == 0
        assert len(open_fds()) == len(before)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@every_form
@every_home
def test_t56_open_to_the_limit(make: Make, form: str, home: int) -> None:
    g, other = make(form, limits=Limits(fds=20)), make(form)
    assert g.fd_close(2) == 0
    before = open_fds()
    seen = []
    while True:
        err, fd = g.open("f.txt", dir=home, rights=READ)
        if err:
            break
        seen.append(fd)
    assert err == E.MFILE
    assert seen == [2, *range(6, 20)]
    assert len(open_fds()) - len(before) == (len(seen) if home == 3 else 0)
    assert g.open("new", dir=home, oflags=CREAT)[0] == E.MFILE and g.stat("new", dir=home)[0] == E.NOENT
    assert g.open("f.txt", dir=home, oflags=8)[0] == E.MFILE  # and nothing was emptied
    assert g.stat("f.txt", dir=home)[1]["size"] == 5
    assert other.open("f.txt", dir=home, rights=READ)[0] == 0
    for fd in seen:
        assert g.fd_close(fd) == 0
    assert g.open("f.txt", dir=home, rights=READ) == (0, 2)


@every_form
def test_t56_the_hosts_own_limit_is_an_errno(make: Make, form: str) -> None:
    g = make(form, limits=Limits(fds=1000))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_fds()) + 12, hard))
    try:
        opened = []
        while True:
            err, fd = g.open("f.txt", rights=READ)
            if err:
                break
            opened.append(fd)
        assert err in (E.MFILE, E.NFILE) and len(opened) < 500
        for path in ("d/e/../../f.txt", "l_in/e"):
            assert g.stat(path)[0] in (0, E.MFILE, E.NFILE)
        for fd in opened:
            assert g.fd_close(fd) == 0
        assert g.open("f.txt", rights=READ)[0] == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@every_form
@every_home
def test_t59_close(make: Make, form: str, home: int) -> None:
    g = make(form)
    streams = [os.fstat(fd) for fd in range(3)]
    err, fd = g.open("f.txt", dir=home, rights=READ)
    assert err == 0
    for one in (fd, 0, 1, 2, home):
        assert g.fd_close(one) == 0
        assert g.fd_close(one) == E.BADF
    assert all(os.path.samestat(os.fstat(fd), streams[fd]) for fd in range(3))
    for name, param in FD_PARAMS:
        if param == "fd":
            g.memory.write(0, b"x" * 0x1000)
            assert g.call(name, *arguments(name, param, home)) == E.BADF, name
    assert g.write(1, b"x")[0] == E.BADF
    rights = ALL_RIGHTS & ~RIGHTS["fd_write"] & ~RIGHTS["fd_allocate"]
    assert g.open("d", dir=3, rights=rights) == ((0, 0) if home == 5 else (E.BADF, -1))

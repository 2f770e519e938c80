"""os/fake: the kernel that counts and fails on demand; the rest goes through to the real one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support import E
from wasi_native import Dir, Policy, _core


@pytest.fixture
def kernel() -> _core.FakeOs:
    return _core.FakeOs()


def test_counts(guest: Any, kernel: _core.FakeOs, tmp_path: Path) -> None:
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), kernel=kernel)
    assert kernel.count("alloc") > 0 and kernel.count("open") == 1 and kernel.count() >= kernel.count("alloc")
    kernel.clear()
    assert kernel.count() == 0
    g.sched_yield()
    assert kernel.count("yield") == 1 and kernel.count("nonsense") == 0


def test_the_nth_and_so_many(guest: Any, kernel: _core.FakeOs) -> None:
    g = guest(kernel=kernel)
    kernel.inject("yield", 3, 2, err=E.IO)
    assert [g.sched_yield() for _ in range(6)] == [0, 0, E.IO, E.IO, 0, 0]
    kernel.inject("yield", 2, 0, err=E.NOMEM)
    assert [g.sched_yield() for _ in range(4)] == [0, E.NOMEM, E.NOMEM, E.NOMEM]
    kernel.inject("yield", 1, 1, err=E.PERM)  # the last rule counts
    assert [g.sched_yield() for _ in range(2)] == [E.PERM, 0]
    kernel.inject("*", 1, 1, err=E.ACCES)
    assert g.random_get(0, 5000) in {0, E.ACCES}
    kernel.clear()
    assert g.sched_yield() == 0


def test_short_transfers(guest: Any, kernel: _core.FakeOs, tmp_path: Path) -> None:
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), kernel=kernel)
    err, fd = g.open("f", oflags=1)
    kernel.inject("writev", 2, 1, short_bytes=3)
    assert err == 0 and [g.write(fd, b"12345")[1] for _ in range(3)] == [5, 3, 5]
    kernel.inject("preadv", 1, 1, short_bytes=2)
    at = g.iovs(0, (0x10000, 1), (0x10010, 5))
    assert g.fd_pread(fd, *at, 0, 64) == 0 and g.memory.u32(64) == 1  # the first piece, cut
    assert g.fd_pread(fd, *at, 0, 64) == 0 and g.memory.u32(64) == 6


def test_a_failing_close_still_closes(guest: Any, kernel: _core.FakeOs, tmp_path: Path) -> None:
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), kernel=kernel)
    before = set(os.listdir("/proc/self/fd"))
    kernel.inject("close", 1, 0, err=E.IO)
    err, fd = g.open("f", oflags=1)
    assert err == 0 and g.fd_close(fd) in {0, E.IO} and g.fd_close(fd) == E.BADF
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(("call", "nth"), [("nonsense", 1), ("", 1), ("readv ", 1), ("readv", 0)])
def test_what_cannot_be_injected(kernel: _core.FakeOs, call: str, nth: int) -> None:
    with pytest.raises(_core.CoreError) as caught:
        kernel.inject(call, nth)
    assert caught.value.code == E.INVAL


def test_every_call_has_its_name(kernel: _core.FakeOs) -> None:
    names = """open openat openat2 reopen dup lseek fstat fstatat ftruncate fallocate fadvise fsync fdatasync futimens
    utimensat set_append get_flags mkdirat unlinkat renameat linkat symlinkat readlinkat getdents accept shutdown
    available socket_type poll event_open event_signal yield clock_get clock_res thread_start close readv writev
    write_pipe preadv pwritev recv send getrandom page_alloc alloc resize
    pages_resize stack_get *"""
    for name in names.split():
        kernel.inject(name, 1, 1, err=E.IO)
        assert kernel.count(name) == 0

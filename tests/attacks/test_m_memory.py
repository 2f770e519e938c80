"""Group M: pointers, lengths and structures of the guest. What is wrong ends the guest before anything is done; what
is right changes the declared places and no byte beside them."""

from __future__ import annotations

import gc
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.forms import FORMS, Sibling, every_form, every_home
from tests.attacks.pointers import BY_CALL, POINTERS, good, prepare
from tests.attacks.tree import CREAT, Tree
from tests.support import KEPT, P1, E, Guest, rss, signatures
from wasi_native import (
    Capture,
    Dir,
    MemoryDir,
    Policy,
    Trap,
)

Make = Callable[..., Guest]
BOUNDS, ALIGNMENT = "host-pointer", "host-alignment"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "T")
    before = made.outside()
    yield made
    assert made.outside() == before


def granted(tree: Tree, **more: Any) -> Policy:
    fields = {
        "dirs": [*tree.dirs(), MemoryDir("/mem")],
        "program": "p",
        "stdin": b"in",
        "stdout": Capture(),
        **more,
    }
    return Policy(**fields)


@pytest.fixture
def make(guest: Make, tree: Tree, resolver: str) -> Make:
    """/rw (3), /ro (4), /mem (5) with f.txt."""

    def build_one(form: str, pages: int = 2, filled: int | None = None, **more: Any) -> Guest:
        g = guest(granted(tree, **more), resolver=resolver, pages=pages, filled=filled, **FORMS[form])
        err, fd = g.open("f.txt", dir=5, oflags=CREAT)
        assert (err, g.write(fd, b"hello"), g.fd_close(fd)) == (0, (0, 5), 0)
        g.fill()
        return g

    return build_one


# ---- 62 ----


@every_form
def test_m62_pointer_and_length_that_wrap(make: Make, form: str) -> None:
    first = make(form)
    cases: list[tuple[str, tuple[int, ...]]] = []
    for ptr, length in (
        (0xFFFFFFF0, 0x20),
        (0xFFFFFFFF, 2),
        (0xFFFFFFFF, 1),
        (0x80000000, 0x80000000),
        (1, 2**32 - 1),
    ):
        for call in ("fd_read", "fd_write"):
            cases.append((call, (0, ptr, length)))
        cases.append(("path_unlink_file", (ptr, length)))
        cases.append(("random_get", (ptr, length)))
    for call, numbers in cases:
        with Sibling(first, P1) as g:
            g.fill()
            args = (*numbers,)
            if call in ("fd_read", "fd_write"):
                iovs = g.iovs(64, (0x200, 4), numbers[1:])
                args = (0 if call == "fd_read" else 1, *iovs, 0x100)
            elif call == "path_unlink_file":
                args = (3, *numbers)
            with g.writes_only():
                assert g.traps(call, *args) == BOUNDS, (call, numbers)
            assert call != "fd_write" or g.instance.stdout == b""  # the good piece was not written either


# ---- 63, 64, 65 ----

GATHER = [("fd_read", ()), ("fd_pread", (0,)), ("fd_write", ()), ("fd_pwrite", (0,))]


@every_form
@every_home
def test_m63_no_pieces_and_too_many(make: Make, form: str, home: int) -> None:
    first = make(form)
    for call, more in GATHER:
        err, fd = first.open("f.txt", dir=home)
        assert err == 0
        first.fill()
        for at in (0, 64, first.size):
            with first.writes_only((0x100, 4)):
                assert first.call(call, fd, at, 0, *more, 0x100) == 0
            assert first.unpack("I", 0x100) == 0
        for count in (0x20000000, 0x20000001, 0x1FFFFFFF, 2**31, 2**32 - 1):
            with Sibling(first, P1) as g:
                g.fill()
                before = rss()
                with g.writes_only():
                    assert g.traps(call, 0, 64, count, *more, 0x100) == BOUNDS
                assert rss() - before < 1 << 20


@every_form
def test_m64_a_million_empty_pieces_on_a_small_stack(make: Make, form: str) -> None:
    g = make(form, pages=130, filled=0x1000)
    err, fd = g.open("f.txt")
    assert err == 0
    g.memory.write(0x10000, bytes(0x10000))  # where open() leaves something
    count = 10**6
    results: list[Any] = []

    def work() -> None:
        try:
            for call, more in GATHER:
                err = g.call(call, fd, 0x1000, count, *more, 0x100)
                results.append((err, g.unpack("I", 0x100)))
            # A million pieces, the last one not empty: it is found, and nothing else.
            g.iovs(0x1000 + 8 * (count - 1), (0x200, 3))
            results.append((g.fd_pread(fd, 0x1000, count, 1, 0x100), g.unpack("I", 0x100)))
            results.append(g.memory.read(0x200, 4))
            # More than that is bounded by number, not by time.
            results.append(g.fd_read(fd, 0, 1 << 20, 0x100))
            results.append(g.fd_read(fd, 0, (1 << 20) + 1, 0x100))
        except BaseException as error:  # for the test's own thread
            results.append(error)

    before = threading.stack_size(128 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert results[:4] == [(0, 0)] * 4
    assert results[4:6] == [(0, 3), b"ell\xa5"]
    assert len(results) == 7 and isinstance(
        results[6], Trap
    )  # the list was not all in memory, or was nonsense


@every_form
def test_m64_every_call_on_a_small_stack(make: Make, form: str) -> None:
    g = make(form)
    answers: list[Any] = []

    def work() -> None:
        try:
            deep = "d/" * 2000 + "x"
            for call in ("path_create_directory", "path_remove_directory", "path_unlink_file"):
                answers.append(g.on_path(call, deep))
            answers.append(g.stat(deep, follow=True)[0])
            answers.append(g.stat("d/e/../e/../e")[0])
            answers.append(g.open(deep, oflags=CREAT)[0])
            old, new = g.put(0x4000, deep), g.put(0x6000, deep)
            answers.append(g.path_rename(3, *old, 3, *new))
            answers.append(g.path_link(3, 0, *old, 3, *new))
            answers.append(g.list(3, 0, 4096)[0])
        except BaseException as error:
            answers.append(error)

    before = threading.stack_size(128 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert answers == [E.NOENT] * 4 + [0] + [E.NOENT] * 3 + [0]


@every_form
@every_home
def test_m65_more_pieces_than_the_kernel_takes(make: Make, form: str, home: int) -> None:
    g = make(form)
    for pieces in (1023, 1024, 1025, 3000):
        err, fd = g.open("long", dir=home, oflags=CREAT | 8)
        assert err == 0
        g.fill()
        g.memory.write(0x8000, bytes(index & 0xFF for index in range(pieces)))
        iovs = g.iovs(0x1000, *((0x8000 + index, 1) for index in range(pieces)))
        assert g.fd_write(fd, *iovs, 0x100) == 0
        took = g.unpack("I", 0x100)
        assert took == min(pieces, 1024)  # a short count, never an error
        assert g.fstat(fd)[1]["size"] == took
        iovs = g.iovs(0x1000, *((0xC000 + 2 * index, 1) for index in range(pieces)))
        with g.writes_only((0x100, 4), *((0xC000 + 2 * index, 1) for index in range(took))):
            assert g.fd_pread(fd, *iovs, 0, 0x100) == 0
        assert g.unpack("I", 0x100) == took
        assert g.memory.read(0xC000, 2 * took)[::2] == bytes(index & 0xFF for index in range(took))
        assert g.fd_close(fd) == 0


@every_form
@every_home
def test_m65_pieces_that_overlap_to_more_than_two_gigabytes(
    guest: Make, tree: Tree, form: str, home: int, resolver: str
) -> None:
    cap = {"max_file_size": 1 << 20}
    dirs = [
        Dir(tree.rw, "/rw", **cap),
        Dir(tree.ro, "/ro", read_only=True),
        MemoryDir("/mem", size=2 << 20, **cap),
    ]
    g = guest(Policy(dirs=dirs), resolver=resolver, pages=48, **FORMS[form])
    err, fd = g.open("big", dir=home, oflags=CREAT)
    assert err == 0
    g.fill(0x5A)
    iovs = g.iovs(0x1000, *[(0, g.size)] * 1024)  # 3 GiB
    before = rss()
    assert g.fd_write(fd, *iovs, 0x100) == 0
    assert g.unpack("I", 0x100) == 1 << 20  # short: what there is room for
    assert g.fd_write(1, *iovs, 0x100) == 0
    assert g.unpack("I", 0x100) <= 0x7FFFFFFF  # what is swallowed is counted in 31 bits
    iovs = g.iovs(0x1000, *[(0x10000, 1 << 20)] * 1024)
    assert g.fd_pread(fd, *iovs, 0, 0x100) == 0
    assert g.unpack("I", 0x100) == 1 << 20
    assert rss() - before < 8 << 20


# ---- 66, 67 ----


@every_form
def test_m66_long_paths_and_buffers(make: Make, form: str) -> None:
    first = make(form, pages=40)
    first.fill(ord("x"))
    gc.collect()
    before = rss()
    calls = [name for name in signatures() if name.startswith("path_")]
    for length in (4096, 1 << 16, 1 << 21):
        for name in calls:
            for path in ("path", "old_path", "new_path"):
                values = good(name)
                if f"{path}_len" not in values:
                    continue
                for other in ("path", "old_path", "new_path"):  # the other one is short and good
                    if f"{other}_len" in values:
                        values[other], values[f"{other}_len"] = 0x100, 1
                values[path], values[f"{path}_len"] = 0x1001, length
                assert first.call(name, *values.values()) == E.NAMETOOLONG, (name, path, length)
    assert rss() - before < (1 << 20) + KEPT
    small = make(form)
    for name in calls:
        for path in ("path", "old_path", "new_path"):
            if f"{path}_len" not in good(name):
                continue
            with Sibling(small, P1, Policy(dirs=[MemoryDir("/m")])) as g:
                values = {**good(name), path: 0x1000, f"{path}_len": 2**32 - 1}
                assert g.traps(name, *values.values()) == BOUNDS, (name, path)
    assert rss() - before < 2 << 20


@every_form
@pytest.mark.parametrize("kind", ["args", "environ"])
def test_m67_a_megabyte_of_strings(make: Make, form: str, kind: str) -> None:
    texts = [f"V{number}=" + "v" * 1020 for number in range(1030)]
    if kind == "args":
        texts = ["p", *texts[1:]]
    raw = b"".join(text.encode() + b"\0" for text in texts)
    assert len(raw) > 1 << 20
    pairs = dict(text.split("=") for text in texts if "=" in text)
    more = {"args": {"args": texts[1:]}, "environ": {"env": pairs}}[kind]
    g = make(form, pages=20, **more)
    with g.writes_only((64, 8)):
        assert g.call(f"{kind}_sizes_get", 64, 68) == 0
    assert g.unpack("II", 64) == (1030, len(raw))
    end = g.size - len(raw)
    with g.writes_only((64, 4 * 1030), (end, len(raw))):
        assert g.call(f"{kind}_get", 64, end) == 0
    assert g.memory.read(end, len(raw)) == raw
    starts = struct.unpack("<1030I", g.memory.read(64, 4 * 1030))
    assert starts[0] == end and starts[-1] == g.size - len(texts[-1]) - 1
    with g.writes_only():
        assert g.traps(f"{kind}_get", 64, end + 1) == BOUNDS  # the last byte is out of memory


@every_form
def test_m67_one_byte_short(make: Make, form: str) -> None:
    first = make(form)
    end = first.size
    for call, args, kind in (
        ("args_get", (64, end - 1), BOUNDS),  # "p\0" needs two
        ("args_get", (end, 0), BOUNDS),
        ("args_get", (end - 2, 0), ALIGNMENT),
        ("environ_get", (end, end), ""),  # no variables: no bytes
        ("environ_get", (end + 4, 0), BOUNDS),
        ("environ_get", (0, end + 1), BOUNDS),
        ("fd_prestat_dir_name", (3, end - 3, 3), ""),
        ("fd_prestat_dir_name", (3, end - 2, 3), BOUNDS),
        ("fd_prestat_dir_name", (3, end, 1), BOUNDS),
    ):
        with Sibling(first, P1, Policy(program="p", dirs=[MemoryDir("/rw")])) as g:
            g.fill()
            with g.writes_only(*([] if kind else [(end - 3, 3)])):
                assert g.traps(call, *args) == kind, (call, args)
    with first.writes_only():
        assert first.fd_prestat_dir_name(3, 64, 2) == E.NAMETOOLONG
        assert first.fd_prestat_dir_name(3, end, 0) == E.NAMETOOLONG


# ---- 70, 71 ----


@every_form
@every_home
def test_m70_readdir_into_small_buffers(make: Make, form: str, home: int) -> None:
    g = make(form)
    for number in range(5):
        assert g.on_path("path_create_directory", f"name-{number}", dir=home) == 0
    assert g.fd_readdir(home, 0x1000, 0x1000, 0, 0x100) == 0
    full = g.memory.read(0x1000, g.unpack("I", 0x100))
    entry = 24 + int.from_bytes(full[16:20], "little")
    end = g.size
    for length in (0, 1, 23, 24, 25, entry - 1, entry, entry + 1, entry + 24, len(full) - 1, len(full)):
        for at in (0x1000, 0x1001, end - length):  # and where memory ends
            g.fill()
            with g.writes_only((0x100, 4), (at, length)):
                assert g.fd_readdir(home, at, length, 0, 0x100) == 0
            assert g.unpack("I", 0x100) == length
            assert g.memory.read(at, length) == full[:length]
    with g.writes_only((0x100, 4), (0x1000, len(full))):
        assert g.fd_readdir(home, 0x1000, len(full) + 1, 0, 0x100) == 0
    assert g.unpack("I", 0x100) == len(full)  # less than there is room for: the end
    for length in (24, 40, 100, 1000):  # resumed by cookie, whatever is cut
        names, cookie, room = [], 0, length
        while True:
            err, entries = g.list(home, cookie, room)
            assert err == 0
            if not entries:
                if g.unpack("I", 0x1F000) < room:
                    break
                room *= 2
                continue
            names += [name for name, _, _ in entries]
            cookie, room = entries[-1][2], length
        assert len(names) == len(set(names))
        assert {"f.txt", "name-0", "name-4", ".", ".."} <= set(names)


@every_form
@every_home
@pytest.mark.parametrize("fill", [0xA5, 0xFF, 0x00])
def test_m71_padding_is_zero(make: Make, form: str, home: int, fill: int) -> None:
    g = make(form)
    err, fd = g.open("f.txt", dir=home, fdflags=1)
    assert err == 0
    path = b"f.txt"

    def padding(size: int, *holes: tuple[int, int]) -> None:
        for at, length in holes:
            assert g.memory.read(0x1000 + at, length) == bytes(length), (at, length)
        assert g.memory.read(0x1000 + size, 8) == bytes([fill]) * 8

    g.fill(fill)
    assert g.fd_filestat_get(fd, 0x1000) == 0
    padding(64, (17, 7))
    g.fill(fill)
    assert g.path_filestat_get(home, 0, *g.put(0x100, path), 0x1000) == 0
    padding(64, (17, 7))
    g.fill(fill)
    assert g.fd_fdstat_get(fd, 0x1000) == 0
    padding(24, (1, 1), (4, 4))
    g.fill(fill)
    assert g.fd_prestat_get(home, 0x1000) == 0
    padding(8, (1, 3))
    g.fill(fill)
    assert g.fd_readdir(home, 0x1000, 200, 0, 0x100) == 0
    at = 0x1000
    while at + 24 <= 0x1000 + min(200, g.unpack("I", 0x100)):
        assert g.memory.read(at + 21, 3) == bytes(3)
        at += 24 + g.unpack("I", at + 16)
    g.fill(fill)
    clock = struct.pack("<QB7xI4xQQH6x", 1, 0, 1, 0, 0, 0)
    read = struct.pack("<QB7xI28x", 2, 1, fd)
    bad = struct.pack("<QB7xI28x", 3, 2, 99)
    g.put(0x2000, clock + read + bad)
    assert g.poll_oneoff(0x2000, 0x1000, 3, 0x100) == 0 and g.unpack("I", 0x100) == 3
    padding(96, *((32 * index + at, length) for index in range(3) for at, length in ((11, 5), (26, 6))))
    assert g.unpack("QH", 0x1000 + 16) == (0, 0)  # of a clock: no bytes, no flags


# ---- 72, 73 ----


@every_form
def test_m72_subscriptions_that_reach_outside(make: Make, form: str) -> None:
    first = make(form)
    end = first.size
    clock = struct.pack("<QB7xI4xQQH6x", 1, 0, 1, 0, 0, 0)
    cases = [(end - 48, 0x1000, 2), (0x1000, end - 32, 2), (end - 48, 0x1000, 1000), (0x1000, end - 32, 1000)]
    cases += [(0x1000, 0x2000, n) for n in (0x05555556, 0x08000000, 0x08000001, 2**31, 2**32 - 1)]
    for at, out, count in cases:
        with Sibling(first, P1, Policy()) as g:
            g.fill()
            g.put(at, clock)
            with g.writes_only():
                assert g.traps("poll_oneoff", at, out, count, 0x100) == BOUNDS, (at, out, count)
    with first.writes_only():
        assert first.poll_oneoff(0x1000, 0x2000, 0, 0x100) == E.INVAL
        assert first.poll_oneoff(end, end, 0, 0x100) == E.INVAL


@every_form
def test_m73_misaligned_structures(make: Make, form: str) -> None:
    first = make(form)
    for one in POINTERS:
        for odd in (
            {1, 2, 4} if one.align == 8 else {1, 2} if one.align == 4 else {1} if one.align == 2 else set()
        ):
            with Sibling(first, P1, Policy(program="p", dirs=[MemoryDir("/m")], stdin=b"in")) as g:
                values = good(one.call)
                g.fill()
                sizes = {p.name: p.size for p in BY_CALL[one.call]}
                values[one.name] += odd
                prepare(g, one.call, values, sizes)
                with g.writes_only():
                    assert g.traps(one.call, *values.values()) == ALIGNMENT, (one, odd)


@every_form
@every_home
@pytest.mark.parametrize("odd", [1, 2, 3, 5, 7])
def test_m73_bytes_and_paths_at_odd_addresses(make: Make, form: str, home: int, odd: int) -> None:
    g = make(form)
    err, fd = g.open("f.txt", dir=home)
    assert err == 0
    at = 0x2000 + odd
    assert g.fd_pread(fd, *g.iovs(0x1000, (at, 5)), 0, 0x100) == 0 and g.memory.read(at, 6) == b"hello\xa5"
    g.put(at, b"odd")
    assert g.fd_pwrite(fd, *g.iovs(0x1000, (at, 3)), 1, 0x100) == 0
    assert g.fd_pread(fd, *g.iovs(0x1000, (at, 5)), 0, 0x100) == 0 and g.memory.read(at, 5) == b"hoddo"
    assert g.args_get(0x100, at) == 0 and g.memory.read(at, 2) == b"p\0"
    assert g.fd_prestat_dir_name(home, at, 10) == 0 and g.memory.read(at, 3) in (b"/rw", b"/me")
    assert g.random_get(at, 9) == 0
    path = g.put(at, "new")
    assert g.path_create_directory(home, *path) == 0 and g.path_remove_directory(home, *path) == 0
    old, new = g.put(at, "target"), g.put(0x3000 + odd, "link")
    assert g.path_symlink(*old, home, *new) == 0
    assert g.path_readlink(home, *new, 0x4000 + odd, 9, 0x100) == 0
    assert g.memory.read(0x4000 + odd, 7) == b"target\xa5"
    assert g.path_rename(home, *new, home, *old) == 0 and g.path_unlink_file(home, *old) == 0
    assert g.fd_readdir(home, 0x5000 + odd, 100, 0, 0x100) == 0
    assert g.unpack("Q", 0x5000 + odd) in range(1, 100)

"""core/p2/codec.c: lists, strings and handles, with a realloc that is not to be trusted."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.comp.tree import ANY, tree
from tests.comp.tree import call as core_call
from tests.p2.driver import HEAP, REALLOC, Guest2
from wasi_native import Dir, Policy
from wasi_native.errors import CoreError

CLI = ("wasi:cli/environment", "wasi:cli/stdout", "wasi:io/streams", "wasi:io/poll")
OUT = 0x100
Make = Callable[..., Guest2]
ARGS = Policy(program="p", args=["one", "two"])


@pytest.mark.parametrize(
    ("realloc", "told"),
    [("misaligned", "align"), ("outside", "realloc"), ("edge", "realloc"), ("trap", "unreachable")],
)
def test_hostile_reallocs(make2: Make, realloc: str, told: str) -> None:
    for name in ("get-arguments", "get-environment"):
        g = make2(*CLI, policy=Policy(args=["one", "two"], env={"A": "b"}), realloc=realloc)
        assert told in g.traps(f"environment#{name}", OUT)


def test_a_realloc_that_calls_back(make2: Make) -> None:
    """No function of 0.2 may be called in it; one of preview 1 may, and changes nothing of ours."""
    stream = "(drop (call $stdout))"
    more = """(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))"""
    g = make2(*CLI, policy=ARGS, imports=more, realloc="call", body=stream)
    assert "cannot leave component instance" in g.traps("environment#get-arguments", OUT)
    poll = "(drop (call $yield)) (drop (call $args (i32.const 0x7000) (i32.const 0x7100)))"
    more = """(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
              (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))"""
    g = make2(*CLI, policy=ARGS, imports=more, realloc="call", body=poll)
    g("environment#get-arguments", OUT)
    at, count = g.unpack("II", OUT)
    assert [g.bytes_at(at + 8 * i) for i in range(count)] == [b"p", b"one", b"two"]


@pytest.mark.parametrize(
    "how", ["(call $close (local.get $old))", "(call $move (i32.const 0) (local.get $old))"]
)
def test_a_realloc_that_closes_what_is_told_of(make2: Make, tmp_path: Path, how: str) -> None:
    """The names of preopens are the table's: those of one that the realloc closes are told all the same."""
    names = [f"/{letter * 600}" for letter in "abc"]
    for letter in "abc":
        (tmp_path / letter).mkdir()
    policy = Policy(dirs=[Dir(tmp_path / name[1], guest=name) for name in names])
    more = """(import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_renumber" (func $move (param i32 i32) (result i32)))"""
    all_of_them = f"""
      (if (i32.gt_u (local.get $size) (i32.const 100)) (then
        (local.set $old (i32.const 3))
        (loop $next (drop {how}) (local.set $old (i32.add (local.get $old) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $old) (i32.const 6))))))"""
    g = make2("wasi:filesystem/preopens", policy=policy, imports=more, realloc="call", body=all_of_them)
    g("preopens#get-directories", OUT)
    at, count = g.unpack("II", OUT)
    assert count == 3
    assert g.bytes_at(at + 4).decode() == names[0]


def test_a_module_without_realloc(make2: Make) -> None:
    """What needs none works; what does is a trap that names it."""
    g = make2(*CLI, policy=ARGS, realloc="none")
    assert g("stdout#get-stdout") == 1
    assert "cabi_realloc" in g.traps("environment#get-arguments", OUT)


def test_the_standard_names_of_memory_and_realloc(make2: Make) -> None:
    g = make2(*CLI, policy=ARGS, standard=True)
    g("environment#get-arguments", OUT)
    at, count = g.unpack("II", OUT)
    assert [g.bytes_at(at + 8 * i) for i in range(count)] == [b"p", b"one", b"two"]


def test_text_that_is_no_utf_8(make2: Make) -> None:
    """What the host was given as bytes comes as U+FFFD where it is no text: a string of 0.2 is one."""
    g = make2(*CLI, policy=Policy(program="p", args=["a\udcffb", "\udce2\udc82", "\udced\udca0\udc80."]))
    g("environment#get-arguments", OUT)
    at, count = g.unpack("II", OUT)
    texts = [g.bytes_at(at + 8 * i).decode() for i in range(count)]
    assert texts == ["p", "a\ufffdb", "\ufffd\ufffd", "\ufffd\ufffd\ufffd."]


# ---- the other encodings, which a component chooses ----

TEXTS = ["p", "", "one", "zwölf ÿ", "€", "𝄞 and 😀", "a\udcffb"]
USER = f"""(module (import "a" "f" (func $f (param i32)))
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const {HEAP}))
  (func (export "r") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    {REALLOC["bump"].replace("(global.set $calls (i32.add (global.get $calls) (i32.const 1)))", "")})
  (func (export "go") (result i32) (call $f (i32.const {OUT})) (i32.const 0)))"""


def strings_of(encoding: int) -> list[tuple[bytes, int, int]]:
    """(bytes, the length word, the address) of each argument, in that encoding."""
    with tree(ANY) as t:
        t.sys.set_args([text.encode("utf-8", "surrogateescape") for text in TEXTS])
        f = t.func("i")
        user = t.core(USER, f)
        f.bind_row(b"wasi:cli/environment@0.2.0", b"get-arguments", (user, b"memory", user, b"r", encoding))
        assert core_call(user, "go") == 0

        def words(at: int, count: int) -> tuple[int, ...]:
            return struct.unpack(f"<{count}I", bytes(user.memory(b"memory", at, 4 * count)[1]))

        at, count = words(OUT, 2)
        found = []
        for index in range(count):
            ptr, length = words(at + 8 * index, 2)
            size = length if encoding == 0 else 2 * (length & 0x7FFFFFFF)
            if encoding == 2 and not length >> 31:
                size = length
            found.append((bytes(user.memory(b"memory", ptr, size)[1]) if size else b"", length, ptr))
        return found


def test_utf_8() -> None:
    wanted = [text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for text in TEXTS]
    assert [raw.decode() for raw, _length, _ptr in strings_of(0)] == wanted


def test_utf_16() -> None:
    wanted = [text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for text in TEXTS]
    found = strings_of(1)
    assert [raw.decode("utf-16-le") for raw, _length, _ptr in found] == wanted
    assert all(ptr % 2 == 0 for _raw, _length, ptr in found)
    assert [length for _raw, length, _ptr in found] == [len(text.encode("utf-16-le")) // 2 for text in wanted]


def test_latin_1_or_utf_16() -> None:
    """What fits into Latin-1 is that; else it is UTF-16, and the top bit of its length says so."""
    wanted = [text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for text in TEXTS]
    found = strings_of(2)
    for text, (raw, length, ptr) in zip(wanted, found, strict=True):
        wide = max(map(ord, text), default=0) > 0xFF
        assert (length >> 31 == 1) == wide and ptr % 2 == 0
        assert raw.decode("utf-16-le" if wide else "latin-1") == text


# ---- strings that a guest gives, in each encoding ----

NAMES = f"""(module (import "a" "dirs" (func $dirs (param i32)))
  (import "a" "mkdir" (func $mkdir (param i32 i32 i32 i32)))
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const {HEAP}))
  (func (export "r") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    {REALLOC["bump"].replace("(global.set $calls (i32.add (global.get $calls) (i32.const 1)))", "")})
  (func (export "dirs") (result i32) (call $dirs (i32.const {OUT})) (i32.load (i32.load (i32.const {OUT}))))
  (func (export "mkdir") (param i32 i32 i32) (result i32)
    (call $mkdir (local.get 0) (local.get 1) (local.get 2) (i32.const {OUT}))
    (select (i32.sub (i32.const -1) (i32.load8_u (i32.const {OUT + 1}))) (i32.const 0)
      (i32.load8_u (i32.const {OUT})))))"""
NAME_AT, TAG = 0x1000, 1 << 31


def make_directory(
    tmp_path: Path, encoding: int, raw: bytes, units: int, at: int = NAME_AT, put: int = NAME_AT
) -> int:
    """create-directory-at with a name of these bytes: 0, or -1 - error-code."""
    with tree(ANY) as t:
        t.sys.preopen_dir(os.fsencode(tmp_path), b"/", False, 0, 0, 0)
        dirs, mkdir = t.func("i"), t.func("iiii")
        user = t.core(NAMES, dirs, mkdir)
        options = (user, b"memory", user, b"r", encoding)
        dirs.bind_row(b"wasi:filesystem/preopens@0.2.0", b"get-directories", options)
        mkdir.bind_row(b"wasi:filesystem/types@0.2.0", b"[method]descriptor.create-directory-at", options)
        handle = core_call(user, "dirs", params="")
        user.memory(b"memory", put, 0, raw)
        return int(core_call(user, "mkdir", handle, at, units))


@pytest.mark.parametrize(
    ("encoding", "name"),
    [(0, "one"), (0, "zwölf€𝄞"), (1, "one"), (1, "zwölf€𝄞"), (2, "one"), (2, "zwölf ÿ"), (2, "€𝄞")],
)
def test_names_in_each_encoding(tmp_path: Path, encoding: int, name: str) -> None:
    wide = encoding == 1 or (encoding == 2 and max(map(ord, name)) > 0xFF)
    raw = name.encode("utf-16-le" if wide else "latin-1" if encoding == 2 else "utf-8")
    units = len(raw) // (2 if wide else 1) | (TAG if wide and encoding == 2 else 0)
    assert make_directory(tmp_path, encoding, raw, units) == 0
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(
    ("encoding", "raw", "units", "at", "told"),
    [
        (0, b"\xff", 1, NAME_AT, "invalid utf-8"),
        (0, b"\xed\xa0\x80", 3, NAME_AT, "invalid utf-8"),
        (0, b"x", 1, 2 << 16, "out of bounds"),
        (0, b"x", 2, 2**32 - 1, "out of bounds"),
        (0, b"x", 1 << 28, NAME_AT, "too long"),
        (1, b"\x00\xd8", 1, NAME_AT, "invalid utf-16"),
        (1, b"\x00\xdc", 1, NAME_AT, "invalid utf-16"),
        (1, b"\x00\xd8x\0", 2, NAME_AT, "invalid utf-16"),
        (1, b"\x00\xdc\x00\xd8", 2, NAME_AT, "invalid utf-16"),
        (1, b"x\0", 1, NAME_AT + 1, "not aligned"),
        (1, b"x\0", 1 << 27, NAME_AT, "too long"),
        (1, b"x\0", 1, (2 << 16) - 0, "out of bounds"),
        (2, b"x", 1, NAME_AT + 1, "not aligned"),
        (2, b"\x00\xd8", 1 | TAG, NAME_AT, "invalid utf-16"),
        (2, b"x", 2**31 - 1, NAME_AT, "too long"),
        (2, b"x", 2**32 - 1, NAME_AT, "too long"),
        (2, b"x\0", (1 << 16) | TAG, (2 << 16) - 2, "out of bounds"),
    ],
)
def test_c142_names_that_are_none(
    tmp_path: Path, encoding: int, raw: bytes, units: int, at: int, told: str
) -> None:
    with pytest.raises(CoreError, match=told):
        make_directory(tmp_path, encoding, raw, units, at)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("encoding", [0, 1, 2])
def test_names_that_are_too_long_or_end_early(tmp_path: Path, encoding: int) -> None:
    """NUL inside: invalid; longer than a path may be: name-too-long, but bad text behind that is still a trap."""
    codec, wide = {0: "utf-8", 1: "utf-16-le", 2: "latin-1"}[encoding], encoding == 1
    invalid, too_long = -1 - 12, -1 - 18
    assert make_directory(tmp_path, encoding, "a\0b".encode(codec), 3) == invalid
    assert make_directory(tmp_path, encoding, ("a" * 5000).encode(codec), 5000) == too_long
    if wide:
        with pytest.raises(CoreError, match="invalid utf-16"):
            make_directory(tmp_path, encoding, ("a" * 5000).encode(codec) + b"\0\xd8", 5001)
    assert os.listdir(tmp_path) == []

"""engine/wasm_read.c: what a binary imports and exports, against what the engine says of the same bytes."""

from __future__ import annotations

import random

import pytest

from tests.engine.binaries import ALL, INVALID, NOMEM, Binaries, Refused, proposals
from tests.engine.conftest import accepts
from tests.guests import build
from tests.guests.driver import driver_wat
from tests.test_wasm import BODY, HEAD, exported, func, imported, many, section
from wasi_native import _core

KINDS = """(module
  (type $v (func)) (rec (type $a (sub (struct (field i32) (field (mut i8))))) (type $b (array (mut i16))))
  (import "m" "f" (func (param i32 i64 f32 f64) (result f64)))
  (import "m" "t" (table 1 20 externref)) (import "n" "m" (memory 2 3)) (import "n" "g" (global (mut i64)))
  (import "n" "long" (func (param MANY) (result i32 i64 f32 f64 i32 i64 f32 f64)))
  (import "n" "tag" (tag (param i32)))
  (import "\\c3\\a4" "" (func (param externref funcref) (result externref)))
  (memory $shared 1 9 shared) (memory $wide i64 4) (table $filled 3 (ref $v) (ref.func $last)) (table 7 funcref)
  (global v128 (v128.const i64x2 1 2)) (global i32 (i32.add (i32.const 1) (i32.const 2)))
  (tag (param i64)) (func $last) (func (param (ref null $a)))
  (export "again" (func 0)) (export "" (func $last)) (export "s" (memory $shared)) (export "w" (memory $wide))
  (export "im" (memory 0)) (export "it" (table 0)) (export "t" (table 2)) (export "g" (global 1))
  (export "tag" (tag 1)))""".replace("MANY", " ".join(["i32"] * 40))


def same(binaries: Binaries, judge: _core.Engine, wasm: bytes) -> int:
    """The two describe it alike; how many things there are."""
    module = judge.load(wasm)
    found, _ = binaries.describe(wasm)
    for exports in (False, True):
        mine = [e for e in found if e.what == ("export" if exports else "import")]
        theirs = module.externs(exports)
        assert len(mine) == len(theirs)
        for own, other in zip(mine, theirs, strict=True):
            none = 2**64 - 1
            assert (own.module, own.name, own.kind) == other[:3]
            assert (own.params, own.results, own.min) == other[3:6]
            assert (None if own.max == none else own.max) == other[6], own
            assert own.marks == f"{other[7]:d}{other[8]:d}"
    return len(found)


def test_every_kind(binaries: Binaries, judge: _core.Engine) -> None:
    wasm = judge.wat(KINDS.encode())
    assert same(binaries, judge, wasm) == 16
    found, counts = binaries.describe(wasm)
    assert counts == "types 9 functions 5 tables 3 memories 3 globals 3 tags 2 plain 1"
    assert found[4].params == "i" * 30 + "+" and found[4].results == "iIfFiI+"
    assert found[6].params == "??" and found[6].results == "?"


def test_guests(binaries: Binaries, judge: _core.Engine) -> None:
    seen = 0
    for name in build.wats():
        wasm = judge.wat(build.wat(name).read_bytes())
        seen += same(binaries, judge, wasm)
    for name in build.names():
        seen += same(binaries, judge, build.guest(name).read_bytes())
    assert same(binaries, judge, judge.wat(driver_wat().encode())) > 46
    assert seen > 100


def test_what_cannot_cross_is_told(binaries: Binaries, judge: _core.Engine) -> None:
    """plain: the types of what is imported and exported are those of wasm.h."""
    for body, plain in {
        "(func (param v128))": 1,
        '(func (export "x") (param v128))': 0,
        '(import "m" "f" (func (result v128)))': 0,
        '(func (export "x") (result externref) unreachable)': 1,
        '(type $t (func)) (func (export "x") (param (ref null $t)))': 0,
        '(func (export "x") (param (ref null func)))': 1,
        '(table (export "x") 1 (ref null func))': 1,
        '(table (export "x") 1 anyref)': 0,
        "(table i64 0 0xffffffffffffffff funcref)": 1,
        '(table (export "x") i64 0 0xffffffffffffffff funcref)': 0,
        '(table (export "x") i64 0 0xffffffff funcref)': 1,
    }.items():
        assert binaries.describe(judge.wat(f"(module {body})".encode()))[1].endswith(f"plain {plain}"), body


MVP = 0
NEEDS = {
    "(memory 1) (memory 1)": "multi-memory",
    "(memory 1 1 shared)": "threads",
    "(memory i64 1)": "memory64",
    "(table i64 1 funcref)": "memory64",
    "(table 1 funcref) (table 1 funcref)": "reference-types",
    "(table 1 externref)": "reference-types",
    "(table 1 (ref null func) (ref.null func))": "function-references",
    "(tag)": "exceptions",
}


@pytest.mark.parametrize("body", NEEDS)
def test_proposals(binaries: Binaries, judge: _core.Engine, body: str) -> None:
    for text in (f"(module {body})", f'(module (func (export "x")) {body})'):
        wasm = judge.wat(text.encode())
        binaries.describe(wasm, proposals(NEEDS[body]) | proposals("reference-types"))
        with pytest.raises(Refused, match="which this engine does not run"):
            binaries.describe(wasm, ALL & ~proposals(NEEDS[body]))
        with pytest.raises(Refused, match="which this engine does not run"):
            binaries.guard(wasm, allowed=ALL & ~proposals(NEEDS[body]))


def test_a_module_of_the_first_version_needs_none(binaries: Binaries, judge: _core.Engine) -> None:
    body = """(import "m" "f" (func (param i32) (result i32))) (table 1 funcref) (memory 1 2)
      (global (mut i32) (i32.const 1)) (export "t" (table 0)) (elem (i32.const 0) 0) (data (i32.const 0) "x")"""
    wasm = judge.wat(f"(module {body})".encode())
    assert same(binaries, judge, wasm) == 2
    binaries.describe(wasm, MVP)
    binaries.guard(wasm, allowed=MVP)


WRONG = {
    "there is no such type of a function": section(1, many(func())) + section(3, many(b"\1")),
    "no such type of a function": section(1, many(b"\x5f\0")) + section(3, many(b"\0")),
    "there is nothing of this export": section(7, many(exported("f", 0, 0))),
    "nothing of this export": section(7, many(exported("f", 5, 0))),
    "it has an import of an unknown kind": section(2, many(imported("m", "f", b"\5\0"))),
    "there is no such type": section(13, many(b"\0\0")),
    "it has too many memories": section(5, many(*[b"\0\1"] * 129)),
    "it has too many tables": section(4, many(*[b"\x70\0\1"] * 129)),
    "no instruction of a constant expression": section(4, many(b"\x40\0\x70\0\1\x01\x0b")),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_wrong(binaries: Binaries, judge: _core.Engine, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        binaries.describe(HEAD + WRONG[why])
    assert caught.value.code == INVALID
    assert not accepts(judge, HEAD + WRONG[why])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (section(1, many(*[func()] * 1_000_001)), "too many types"),
        (section(1, many(func())) + section(3, many(*[b"\0"] * 1_000_001)), "too many functions"),
        (section(2, many(*[imported("", "", b"\3\x7f\0")] * 1_000_001)), "too many imports"),
        (section(5, many(b"\0\1")) + section(7, many(*[exported("", 2, 0)] * 1_000_001)), "too many exports"),
    ],
    ids=["types", "functions", "imports", "exports"],
)
def test_counts_have_a_cap(binaries: Binaries, body: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        binaries.describe(HEAD + body)


def test_without_memory(binaries: Binaries, judge: _core.Engine) -> None:
    wasm = judge.wat(KINDS.encode())
    for nth in (1, 2, 3):
        with pytest.raises(Refused) as caught:
            binaries.describe(wasm, fault=nth)
        assert caught.value.code == NOMEM
    binaries.describe(wasm, fault=4)


def test_every_truncation_and_a_flip_of_each_byte(binaries: Binaries, judge: _core.Engine) -> None:
    """Nothing is read beyond the block, and what the engine finds valid is read as it reads it."""
    wasm = judge.wat(KINDS.encode())
    found = binaries.describe(wasm)[0]
    for length in range(len(wasm)):
        try:
            assert len(binaries.describe(wasm[:length])[0]) <= len(found)
        except Refused as refused:
            assert refused.code == INVALID
    dice = random.Random(5)
    for at in range(len(wasm)):
        other = wasm[:at] + bytes([wasm[at] ^ 1 << dice.randrange(8)]) + wasm[at + 1 :]
        try:
            binaries.describe(other)
        except Refused as refused:
            assert refused.code == INVALID and not accepts(judge, other), refused.text


def test_a_body_is_not_looked_into(binaries: Binaries) -> None:
    wasm = (
        HEAD + section(1, many(func())) + section(3, many(b"\0")) + section(10, many(BODY[:1] + b"\xff\xff"))
    )
    assert binaries.describe(wasm)[1].startswith("types 1 functions 1 ")

"""engine/wasm_valid.c: what an engine that trusts its modules never sees; wasmtime is the judge."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.engine.conftest import accepts
from tests.engine.libraries import library
from tests.guests import aot, build
from tests.test_wasm import section
from wasi_native import _core

HEAD = b"\0asm\1\0\0\0"


@pytest.fixture(scope="module")
def wasm3() -> Iterator[_core.Engine]:
    yield _core.Engine("wasm3", library("wasm3"))


def said(wasm3: _core.Engine, wasm: bytes) -> str:
    """Why the module is refused, "" when it is not."""
    try:
        wasm3.load(wasm)
    except _core.CoreError as error:
        return error.text
    return ""


def with_body(body: bytes, locals_: bytes = b"\0") -> bytes:
    """Function 1 of: 0 is an import (i32 i64) -> f32, memory, table, globals: mutable i32, constant f64."""
    types = section(1, b"\2\x60\2\x7f\x7e\1\x7d\x60\0\0")
    imports = section(2, b"\1\1m\1f\0\0")
    rest = section(3, b"\1\1") + section(4, b"\1\x70\0\1") + section(5, b"\1\0\1")
    globals_ = section(6, b"\2\x7f\1\x41\0\x0b\x7c\0\x44" + bytes(8) + b"\x0b")
    code = locals_ + body + b"\x0b"
    return HEAD + types + imports + rest + globals_ + section(10, b"\1" + bytes([len(code)]) + code)


I32, I64, F32, F64, DROP = b"\x41\0", b"\x42\0", b"\x43\0\0\0\0", b"\x44" + bytes(8), b"\x1a"
VALID = {
    "nothing": b"",
    "a value dropped": I32 + DROP,
    "a call": I32 + I64 + b"\x10\0" + DROP,
    "an indirect call": I32 + I64 + I32 + b"\x11\0\0" + DROP,
    "unreachable gives any": b"\0\x6a\x1a",
    "a branch in what is dead": b"\0\x0d\0",
    "a table of branches": b"\2\x40\2\x40\x41\0\x0e\2\0\1\1\x0b\x0b",
    "a loop's label takes nothing": b"\3\x7f\x0c\0\x0b\x1a",
    "an if with both ways": I32 + b"\4\x7f\x41\1\5\x41\2\x0b\x1a",
    "a global": b"\x23\0\x24\0\x23\1\x1a",
    "a select": F64 + F64 + I32 + b"\x1b\x1a",
    "an alignment of its size": I32 + b"\x28\2\0\x1a",
    "a padded alignment": I32 + b"\x28\x82\0\0\x1a",
}
INVALID = {
    "an operand is missing": DROP,
    "an operand of a call": I32 + b"\x10\0" + DROP,
    "a value is left": I32,
    "another type": I32 + I64 + b"\x6a\x1a",
    "another type for a call": I64 + I32 + b"\x10\0" + DROP,
    "the index of an indirect call": I32 + I64 + I64 + b"\x11\0\0" + DROP,
    "an operand from outside of a block": I32 + b"\2\x40\x1a\x0b",
    "a block that gives nothing": b"\2\x7f\x0b\x1a",
    "a block that leaves too much": b"\2\x40\x41\0\x0b",
    "an if that gives nothing otherwise": I32 + b"\4\x7f\x41\0\x0b\x1a",
    "an if without a condition": b"\4\x40\x0b",
    "an else of nothing": b"\2\x40\5\x0b",
    "no such label": b"\x0c\2",
    "no such label of a table": I32 + b"\x0e\1\0\5",
    "labels of other numbers": b"\2\x7f\2\x40\x41\0\x41\0\x0e\1\0\1\x0b\x41\0\x0b\x1a",
    "a branch without its value": b"\2\x7f\x0c\0\x0b\x1a",
    "no such local": b"\x20\0\x1a",
    "another type for a local": I64 + b"\x21\0",
    "no such global": b"\x23\2\x1a",
    "a constant global": F64 + b"\x24\1",
    "another type for a global": I64 + b"\x24\0",
    "no such function": b"\x10\2",
    "no such type": I32 + b"\x11\2\0",
    "a select of two types": F64 + F32 + I32 + b"\x1b\x1a",
    "an alignment over its size": I32 + b"\x28\3\0\x1a",
    "memory.fill of two": I32 + I32 + b"\xfc\x0b\0",
    "the module of CVE-2022-34529": b"\x43\xcd\xcc\x8c\x3f\x8d\x41\x13\x41\2\xfc\x0b\0",
    "dead, but of another type": b"\0\x42\0\x41\0\x6a\x1a",
}


@pytest.mark.parametrize("name", VALID)
def test_valid_bodies(wasm3: _core.Engine, judge: _core.Engine, name: str) -> None:
    wasm = with_body(VALID[name])
    assert accepts(judge, wasm) and said(wasm3, wasm) == ""


@pytest.mark.parametrize("name", INVALID)
def test_invalid_bodies(wasm3: _core.Engine, judge: _core.Engine, name: str) -> None:
    wasm = with_body(INVALID[name], b"\1\0\x7f" if "for a local" not in name else b"\1\1\x7f")
    assert not accepts(judge, wasm)
    assert "not a module that can run" in said(wasm3, wasm) and "(function 1, offset" in said(wasm3, wasm)


MODULES = {
    "a global of another type": section(6, b"\1\x7f\0\x42\0\x0b"),
    "a global of two values": section(6, b"\1\x7f\0\x41\0\x41\0\x0b"),
    "a global of none": section(6, b"\1\x7f\0\x0b"),
    "a global of a global that is ours": section(6, b"\2\x7f\0\x41\0\x0b\x7f\0\x23\5\x0b"),
    "data without memory": section(11, b"\1\0\x41\0\x0b\1x"),
    "data at a float": section(5, b"\1\0\1") + section(11, b"\1\0\x43\0\0\0\0\x0b\1x"),
    "elements without a table": section(9, b"\1\0\x41\0\x0b\0"),
    "elements that are no functions": section(4, b"\1\x70\0\1") + section(9, b"\1\0\x41\0\x0b\1\3"),
    "a start that takes a value": section(1, b"\1\x60\1\x7f\0")
    + section(3, b"\1\0")
    + section(8, b"\0")
    + section(10, b"\1\2\0\x0b"),
    "functions without bodies": section(1, b"\1\x60\0\0") + section(3, b"\1\0"),
    "a body too many": section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(10, b"\2\2\0\x0b\2\0\x0b"),
}


@pytest.mark.parametrize("name", MODULES)
def test_invalid_modules(wasm3: _core.Engine, judge: _core.Engine, name: str) -> None:
    wasm = HEAD + MODULES[name]
    assert not accepts(judge, wasm) and said(wasm3, wasm) != ""


@pytest.mark.parametrize("name", ["hello", "tour", "reactor", "chatter"])
def test_programs_are_valid(wasm3: _core.Engine, name: str) -> None:
    assert said(wasm3, build.guest(name).read_bytes()) == ""


SOURCE = """(module (type $t (func (param i32 i64) (result i64 i32)))
  (memory 1) (table 2 funcref) (elem (i32.const 0) $a $b) (global $g (mut i32) (i32.const 3))
  (global $h f64 (f64.const 2))
  (func $a (type $t) (local f32 f64) (local.get 1) (local.get 0))
  (func $b (param i32) (result i32)
    (block $out (result i32)
      (loop $again (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 7)) (else (br $out (global.get $g))))
        (local.tee 0) (br_if $again (i32.lt_s (local.get 0) (i32.const 5))))
      (select (i32.const 1) (i32.const 2) (local.get 0)) (i32.add)))
  (func $c (param i32) (block (block (block (br_table 0 1 2 (local.get 0)))) (global.set $g (i32.const 1)))
    (i64.store32 offset=8 (i32.const 0) (i64.extend_i32_u (local.get 0)))
    (f64.store (i32.const 8) (f64.promote_f32 (f32.load (i32.const 0))))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
    (drop (i32.trunc_sat_f64_s (global.get $h))))
  (func (export "go") (result i32) (i32.const 1) (i64.const 2) (call_indirect (type $t) (i32.const 0)) (drop) (drop)
    (call $c (i32.const 4)) (call $b (i32.const 0))))"""
CODES = bytes.fromhex("00010203 04050b0c 0d0e0f10 111a1b20 21222324 28414245 6a7c7f7e 40a7")


def test_the_judge_agrees_on_changed_modules(wasm3: _core.Engine, judge: _core.Engine, long: bool) -> None:
    """Whatever we let pass is valid; what we refuse and is valid is of a proposal that wasm3 lacks, or of a name."""
    rng = random.Random(20)
    base = aot.binary(SOURCE)
    first = base.index(section(6, b"")[:1])  # from the globals on
    passed = 0
    for _ in range(40_000 if long else 4_000):
        wasm = bytearray(base)
        for _ in range(rng.randint(1, 3)):
            wasm[rng.randrange(first, len(wasm) - 60)] = (
                rng.choice(CODES) if rng.random() < 0.8 else rng.randrange(256)
            )
        why, valid = said(wasm3, bytes(wasm)), accepts(judge, bytes(wasm))
        passed += not why
        assert valid or why, wasm.hex()
        if valid and why:
            assert "the module needs" in why or "deep" in why or "too many" in why, (why, wasm.hex())
    assert passed > 100

"""comp/types.c: which functions pass without a stream, and that both ways are one."""

from __future__ import annotations

import struct

import pytest

from tests.comp.tree import ANY, T, call, planned, prim, tree
from wasi_native import _core

KINDS = ["bool", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "char"]
WORDS = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_alone_and_a_number_in_a_record_pass_alike(kind: str) -> None:
    """The first passes by itself, the second through a stream."""
    core = prim(kind).flat
    word = WORDS[core]
    wat = f'(module (func (export "f") (param {word}) (result {word}) (local.get 0)))'
    caller = f"""(module (import "" "a" (func $a (param {word}) (result {word})))
      (import "" "b" (func $b (param {word}) (result {word})))
      (func (export "a") (param i64) (result i64) {{}})
      (func (export "b") (param i64) (result i64) {{}}))"""
    into = {"i": "(i32.wrap_i64 (local.get 0))", "I": "(local.get 0)"}
    into |= {
        "f": "(f32.reinterpret_i32 (i32.wrap_i64 (local.get 0)))",
        "F": "(f64.reinterpret_i64 (local.get 0))",
    }
    out = {"i": "(i64.extend_i32_u {})", "I": "{}", "F": "(i64.reinterpret_f64 {})"}
    out |= {"f": "(i64.extend_i32_u (i32.reinterpret_f32 {}))"}
    bodies = [out[core].format(f"(call ${name} {into[core]})") for name in "ab"]
    values = [0, 1, 0x7F, 0x80, 0xFF, 0x8000, 0xFFFF, 0xD7FF, 0xE000, 2**31, 2**32 - 1]
    values += [0x7FC00001, 0xFFC00000, 0x7F800000, 0x7FF8000000000001, -1, 0x7FF0000000000000]
    if kind == "char":
        values = [value for value in values if 0 <= value < 0x110000]
    with tree(ANY) as t:
        one, two = _core.Comp(t.sys, t.root), _core.Comp(t.sys, t.root)
        callee = t.core(wat, comp=two)
        both = [t.func(core, core, one), t.func(core, core, one)]
        wrapped = T.tuple_of([prim(kind)])
        for func, value in zip(both, (prim(kind), wrapped), strict=True):
            func.bind_call(_core.Lifted(two, planned(value, result=value), (), callee, b"f"))
        user = t.core(caller.format(*bodies), *both, comp=one)
        for value in values:
            given = struct.unpack("<q", struct.pack("<Q", value % 2**64))[0]
            found = [call(user, name, given, params="I", results="I") for name in "ab"]
            assert found[0] == found[1], value


def test_seventeen_numbers_go_by_memory() -> None:
    with tree(ANY) as t:
        one, two = _core.Comp(t.sys, t.root), _core.Comp(t.sys, t.root)
        callee = t.core(
            """(module (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512))
            (func (export "f") (param i32) (result i32)
              (i32.add (i32.load (local.get 0)) (i32.load offset=64 (local.get 0)))))""",
            comp=two,
        )
        f = t.func("i", "i", one)
        user = t.core(
            """(module (import "" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1)
            (func (export "go") (result i32) (i32.store (i32.const 16) (i32.const 40))
              (i32.store (i32.const 80) (i32.const 2)) (call $f (i32.const 16))))""",
            f,
            comp=one,
        )
        plan = planned(*[prim("u32")] * 17, result=prim("u32"))
        f.bind_call(
            _core.Lifted(two, plan, (), callee, b"f", (callee, b"memory", callee, b"realloc", 0)),
            (user, b"memory", None, b"", 0),
        )
        assert call(user, "go") == 42

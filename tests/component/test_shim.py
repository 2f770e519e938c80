"""Shims and fixups are told by what they do: what differs in anything is no shim, and is made as it is."""

from __future__ import annotations

import pytest

from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.component.core_module import CoreModule
from wasi_native.component.shim import elidable, fixup, shim

SHIM = """
  (type $a (func (param i32 i64) (result i32)))
  (type $b (func (param f64)))
  (table (export "$imports") 2 2 funcref)
  (func (export "0") (type $a) local.get 0 local.get 1 i32.const 0 call_indirect (type $a))
  (func (export "1") (type $b) local.get 0 i32.const 1 call_indirect (type $b))
"""
FIXUP = """
  (type $a (func (param i32 i64) (result i32)))
  (type $b (func (param f64)))
  (import "" "0" (func (type $a)))
  (import "" "1" (func (type $b)))
  (import "" "$imports" (table 2 2 funcref))
  (elem (i32.const 0) func 0 1)
"""


def module(text: str) -> CoreModule:
    return decode(encode(f"(component (core module {text}))")).modules[0]


def test_a_shim() -> None:
    found = shim(module(SHIM))
    assert found is not None
    assert (found.table, found.size, found.slots) == ("$imports", 2, {"0": 0, "1": 1})
    assert fixup(module(SHIM)) is None


def test_a_fixup() -> None:
    found = fixup(module(FIXUP))
    assert found is not None
    assert found.table == ("", "$imports") and found.fills == [(0, ("", "0")), (1, ("", "1"))]
    assert shim(module(FIXUP)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("local.get 0 i32.const 1 call", "f64.const 1 i32.const 1 call"),
        ("local.get 0 local.get 1", "local.get 0 i64.const 7"),
        ("local.get 0 local.get 1 i32.const 0", "local.get 0 local.get 1 i32.const 2"),
        ("i32.const 1 call_indirect (type $b)", "i32.const -1 call_indirect (type $b)"),
        ("local.get 0 i32.const 1 call_indirect (type $b)", "local.get 0 drop"),
        ("2 2 funcref", "2 funcref"),
        ("2 2 funcref", "2 3 funcref"),
        ("2 2 funcref", "2 2 externref) (table 2 2 funcref"),
        ('(table (export "$imports")', "(table"),
        ("(type $a (func", '(memory (export "m") 1) (type $a (func'),
        ("(type $a (func", '(global (export "g") i32 (i32.const 0)) (type $a (func'),
        ("(type $a (func", '(import "a" "b" (func)) (type $a (func'),
        ('"1") (type $b) local.get 0', '"1") (type $b) (local i32) local.get 0'),
    ],
)
def test_what_does_anything_else_is_no_shim(old: str, new: str) -> None:
    assert old in SHIM and shim(module(SHIM)) is not None
    try:
        changed = module(SHIM.replace(old, new))
    except Exception:
        pytest.fail(f"the text with {new} is no module")
    assert shim(changed) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(elem (i32.const 0) func 0 1)", "(elem declare func 0 1)"),
        ("(elem (i32.const 0) func 0 1)", "(elem (i32.const -1) func 0 1)"),
        ("(elem (i32.const 0) func 0 1)", ""),
        ("(elem (i32.const 0) func 0 1)", "(elem (i32.const 0) func 0 2) (func)"),
        ("(elem", "(memory 1) (elem"),
        ('(import "" "$imports" (table 2 2 funcref))', '(table (export "$imports") 2 2 funcref)'),
        ('(import "" "1" (func (type $b)))', '(import "" "1" (global i32)) (import "" "2" (func))'),
        ("(elem", "(start 2) (func) (elem"),
    ],
)
def test_what_does_anything_else_is_no_fixup(old: str, new: str) -> None:
    text = FIXUP.replace(old, new)
    assert text != FIXUP
    assert fixup(module(text)) is None


WHOLE = f"""
(component
  (core module $S {SHIM})
  (core module $F {FIXUP})
  (core module $Main
    (import "i" "0" (func (param i32 i64) (result i32)))
    (func (export "a") (param i32 i64) (result i32) unreachable)
    (func (export "b") (param f64)))
  (core instance $s (instantiate $S))
  (core instance $m (instantiate $Main (with "i" (instance (export "0" (func $s "0"))))))
  EXTRA
  (core instance $f (instantiate $F (with "" (instance
    (export "$imports" (table $s "$imports"))
    (export "0" (func $m "a"))
    (export "1" (func $m "b"))))))
)
"""


def whole(extra: str = "") -> frozenset[int]:
    return elidable(decode(encode(WHOLE.replace("EXTRA", extra))))


def test_a_pair_is_not_made() -> None:
    assert whole() == {0, 4}  # 1 and 3 are the instances that are given to them


def test_a_shim_without_a_fixup_is_not_made_either() -> None:
    text = WHOLE[: WHOLE.index("(core instance $f")].replace("EXTRA", "") + ")"
    assert elidable(decode(encode(text))) == {0}


def test_a_table_that_somebody_else_uses_must_be_there() -> None:
    other = """
      (core module $Other (import "" "$imports" (table 2 2 funcref)))
      (core instance (instantiate $Other (with "" (instance $s))))"""
    assert whole(other) == set()
    through = """
      (core module $Other (import "" "x" (table 2 2 funcref)))
      (core instance $bag (export "x" (table $s "$imports")))
      (core instance (instantiate $Other (with "" (instance $bag))))"""
    assert whole(through) == set()


def test_a_module_that_takes_the_functions_alone_does_not_matter() -> None:
    other = """
      (core module $Other (import "" "0" (func (param i32 i64) (result i32))))
      (core instance (instantiate $Other (with "" (instance $s))))"""
    assert whole(other) == {0, 5}


def test_a_fixup_that_reaches_beyond_the_table_must_run() -> None:
    text = WHOLE.replace("(elem (i32.const 0)", "(elem (i32.const 1)").replace("EXTRA", "")
    assert elidable(decode(encode(text))) == set()

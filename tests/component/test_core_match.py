"""Tables, memories and globals, where a core module imports them and where a type of modules is asked for."""

from __future__ import annotations

import pytest

from tests.component.build import encode
from wasi_native.component import FEATURES, decode
from wasi_native.component.core_match import differ
from wasi_native.component.reader import Limits
from wasi_native.errors import ModuleError

# What is imported, what is given for it, and why not.
CASES = [
    ("global i32", "(global (export {0}) i32 (i32.const 0))", ""),
    (
        "global i32",
        "(global (export {0}) i64 (i64.const 0))",
        "a global of i32 is asked for, and this is one of i64",
    ),
    ("global (mut f32)", "(global (export {0}) (mut f32) (f32.const 0))", ""),
    ("global (mut i32)", "(global (export {0}) i32 (i32.const 0))", "a global that can be set is asked for"),
    ("global i32", "(global (export {0}) (mut i32) (i32.const 0))", "a global that is constant is asked for"),
    (
        *("global funcref", "(global (export {0}) externref (ref.null extern))"),
        "a global of funcref is asked for, and this is one of externref",
    ),
    ("table 1 funcref", "(table (export {0}) 1 funcref)", ""),
    ("table 1 3 funcref", "(table (export {0}) 2 3 funcref)", ""),
    (
        *("table 1 externref", "(table (export {0}) 1 funcref)"),
        "a table of externref is asked for, and this is one of funcref",
    ),
    (
        *("table 2 funcref", "(table (export {0}) 1 funcref)"),
        "a table of at least 2 is asked for, and this one begins with 1",
    ),
    (
        *("table 1 2 funcref", "(table (export {0}) 1 funcref)"),
        "a table of at most 2 is asked for, and this one has no end",
    ),
    (
        *("table 1 2 funcref", "(table (export {0}) 1 3 funcref)"),
        "a table of at most 2 is asked for, and this one has at most 3",
    ),
    (
        *("table i64 1 funcref", "(table (export {0}) 1 funcref)"),
        "a table of 64-bit addresses is asked for",
    ),
    ("memory 1", "(memory (export {0}) 2 3)", ""),
    (
        "memory 1",
        "(memory (export {0}) 0)",
        "a memory of at least 1 is asked for, and this one begins with 0",
    ),
    ("memory 1 2", "(memory (export {0}) 1)", "a memory of at most 2 is asked for, and this one has no end"),
    ("memory 1 2 shared", "(memory (export {0}) 1 2 shared)", ""),
    ("memory 1 2 shared", "(memory (export {0}) 1 2)", "a memory that is shared is asked for"),
    ("memory 1 2", "(memory (export {0}) 1 2 shared)", "a memory that is not shared is asked for"),
    ("memory i64 1", "(memory (export {0}) 1)", "a memory of 64-bit addresses is asked for"),
    ("memory 1", "(memory (export {0}) i64 1)", "a memory of 32-bit addresses is asked for"),
]
GIVEN = """(component (core module $takes (import "a" "x" ({0})))
  (core module $gives {1}) (core instance $g (instantiate $gives))
  (core instance (instantiate $takes (with "a" (instance {2})))))"""


def check(text: str, reason: str) -> None:
    data = encode(text)
    if not reason:
        decode(data, "m.wasm", FEATURES)
        return
    with pytest.raises(ModuleError) as caught:
        decode(data, "m.wasm", FEATURES)
    told = str(caught.value)
    assert told.startswith("m.wasm: byte ") and told.endswith(reason), told


@pytest.mark.parametrize(("wanted", "given", "reason"), CASES)
def test_what_a_core_module_imports(wanted: str, given: str, reason: str) -> None:
    kind = wanted.partition(" ")[0]
    what = f"in the core instance section: the {kind} 'x' of the argument 'a': {reason}" if reason else ""
    check(GIVEN.format(wanted, given.format('"x"'), "$g"), what)
    bag = f'(export "x" ({kind} $g "y"))'
    check(GIVEN.format(wanted, given.format('"y"'), bag), what)


@pytest.mark.parametrize(("wanted", "given", "reason"), CASES)
def test_what_a_type_of_modules_exports(wanted: str, given: str, reason: str) -> None:
    kind, _space, rest = wanted.partition(" ")
    told = f'(component $c (import "m" (core module (export "x" ({kind} {rest})))))'
    text = f"(component (core module $m {given.format(chr(34) + 'x' + chr(34))}) {told}"
    what = f"a type does not match: the export 'x': {reason}" if reason else ""
    check(f'{text} (instance (instantiate $c (with "m" (core module $m)))))', what)


@pytest.mark.parametrize(
    ("told", "imports", "reason"),
    [
        ('(import "a" "x" (memory 1))', '(import "a" "x" (memory 0 9))', "this one has no end"),
        ('(import "a" "x" (memory 1 9))', '(import "a" "x" (memory 0 9))', ""),
        ('(import "a" "x" (global i32))', '(import "a" "x" (global i64))', "this is one of i32"),
        (
            '(import "a" "x" (func))',
            '(import "a" "x" (func (param i32)))',
            "the import 'a' 'x': it has another type",
        ),
        ("", '(import "a" "x" (func))', "the module imports the func 'a' 'x', which is not told"),
        (
            '(import "a" "x" (func))',
            '(import "a" "x" (global i32))',
            "imports the global 'a' 'x', which is not told",
        ),
        ('(import "a" "x" (func))', "", ""),
        ('(export "f" (func))', "", "the module exports no func 'f'"),
    ],
)
def test_what_a_type_of_modules_imports(told: str, imports: str, reason: str) -> None:
    text = f'(component (core module $m {imports}) (component $c (import "m" (core module {told})))'
    check(f'{text} (instance (instantiate $c (with "m" (core module $m)))))', reason)


def test_what_a_declared_module_exports() -> None:
    text = """(component (import "m" (core module $m (export "x" (memory 1))))
      (core module $takes (import "a" "x" (memory MIN)))
      (core instance $i (instantiate $m)) (core instance (instantiate $takes (with "a" (instance $i)))))"""
    check(text.replace("MIN", "1"), "")
    check(text.replace("MIN", "2"), "a memory of at least 2 is asked for, and this one begins with 1")


def test_pages_and_what_the_engine_must_check() -> None:
    one, other = (Limits(1, None, False, False, page) for page in (16, 0))
    assert (
        differ(2, one, other) == "a memory with pages of 2^16 bytes is asked for"
        and differ(2, one, one) == ""
    )
    assert (
        differ(3, None, (0x7F, False)) == differ(1, None, None) == differ(3, (-1, True), (0x70, True)) == ""
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '(core type (module (import "" "" (memory 65537))))',
            "a memory of 65537 pages, at most 65536 are allowed",
        ),
        (
            '(core type (module (export "" (memory 1 65537))))',
            "a memory of 65537 pages, at most 65536 are allowed",
        ),
        (
            '(core type (module (import "" "" (memory 2 1))))',
            "the limits of a memory or table begin at 2 and end at 1",
        ),
        ('(core type (module (import "" "" (table 2 1 funcref))))', "begin at 2 and end at 1"),
        ('(core type (module (import "" "" (memory 65536 65536))))', ""),
        (
            '(core module (import "a" "b" (func)) (import "a" "b" (memory 1)))',
            "in the core module section: the import 'a' 'b' of a core module comes twice",
        ),
        ('(core module (import "a" "b" (func)) (import "a" "c" (func)) (import "b" "b" (func)))', ""),
    ],
)
def test_limits_and_names_of_core_imports(text: str, reason: str) -> None:
    check(f"(component {text})", reason)

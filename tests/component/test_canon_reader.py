"""Canonical definitions: their core types, their options, their gates."""

from __future__ import annotations

import pytest

from tests.component.asm import NONE, read, section, types
from tests.component.build import encode, fixture
from wasi_native.component import FEATURES, decode
from wasi_native.component.model import Canon, ValueType
from wasi_native.errors import ModuleError

CORE = """(core module $m
    (memory (export "m") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "none")) (func (export "one") (param i32)) (func (export "get") (result i32) unreachable)
    (func (export "two") (param i32 i32)) (func (export "cb") (param i32 i32 i32) (result i32) unreachable)
    (func (export "wide") (param i64)) (table (export "t") 1 funcref))
  (core instance $i (instantiate $m))
  (alias core export $i "m" (core memory $mem))
  (alias core export $i "realloc" (core func $realloc))
  (alias core export $i "none" (core func $none)) (alias core export $i "one" (core func $one))
  (alias core export $i "get" (core func $get)) (alias core export $i "two" (core func $two))
  (alias core export $i "cb" (core func $cb)) (alias core export $i "wide" (core func $wide))
  (type $r (resource (rep i32))) (type $s (stream u8)) (type $f (future string))
  """
M, R = "(memory (core memory $mem))", "(realloc (core func $realloc))"


def canons(text: str, allow: frozenset[str] = FEATURES) -> list[Canon]:
    found = decode(encode(f"(component {CORE} {text})"), "c.wasm", allow)
    return [item for item in found.definitions if isinstance(item, Canon)]


def test_lift_and_lower() -> None:
    text = f"""(import "log" (func $log (param "t" string)))
      (core func (canon lower (func $log) string-encoding=utf16 {M}))
      (func (param "t" string) (canon lift (core func $two) {M} {R} string-encoding=latin1+utf16))
      (func (result string) (canon lift (core func $get) {M} (post-return (core func $one))))"""
    lower, lift, post = canons(text)
    assert (lower.name, lower.sort, lower.index) == ("lower", "core func", 0)
    assert lower.options is not None and lower.options.encoding == "utf16" and lower.options.memory == 0
    assert lift.options is not None and lift.options.encoding == "latin1+utf16" and lift.options.realloc == 0
    assert (lift.name, lift.sort, lift.index) == ("lift", "func", 4) and lift.type is not None
    assert post.options is not None and post.options.post_return == 2 and post.options.encoding == "utf8"


def test_every_builtin_of_0_3() -> None:
    found = decode(fixture("async"))
    names = [item.name for item in found.definitions if isinstance(item, Canon)]
    assert len(names) == len(set(names)) + 1 == 31  # two are lower
    assert found.features == frozenset()
    read_one = next(
        item for item in found.definitions if isinstance(item, Canon) and item.name == "future.read"
    )
    assert isinstance(read_one.type, ValueType) and read_one.type.kind == "future"
    assert read_one.options is not None and read_one.options.is_async


LIFTS = [
    (
        '(func (param "a" u8) (canon lift (core func $none)))',
        r"has the core type \(\) -> \(\) and must have \(i32\)",
    ),
    ("(func (result u8) (canon lift (core func $none)))", "must have"),
    ('(func (param "a" u64) (canon lift (core func $one)))', "must have"),
    ('(func (param "a" string) (canon lift (core func $two)))', "option realloc is missing"),
    (f'(func (param "a" string) (canon lift (core func $two) {R}))', "realloc without memory"),
    ("(func (result string) (canon lift (core func $get)))", "option memory is missing"),
    (
        f"(func (result string) (canon lift (core func $get) {M} (post-return (core func $none))))",
        "post-return has",
    ),
    (f"(func (canon lift (core func $none) {M} (realloc (core func $cb))))", "realloc has the core type"),
    (f"(func (canon lift (core func $none) {M} {M}))", "memory comes twice"),
    (
        "(func (canon lift (core func $none) string-encoding=utf8 string-encoding=utf8))",
        "string-encoding comes twice",
    ),
    ("(func (canon lift (core func $none) async (callback (core func $cb))))", "not async"),
    (
        "(func async (canon lift (core func $get) async (callback (core func $one))))",
        "callback has the core type",
    ),
    ("(func (canon lift (core func $none) (callback (core func $cb))))", "callback without async"),
    (
        "(func async (canon lift (core func $get) async (callback (core func $cb)) (post-return (core func $one))))",
        "async and post-return",
    ),
]
LOWERS = [
    (
        '(import "f" (func $f (param "a" string))) (core func (canon lower (func $f)))',
        "option memory is missing",
    ),
    (f'(import "f" (func $f (result string))) (core func (canon lower (func $f) {M}))', "realloc is missing"),
    (
        '(import "f" (func $f (result (tuple u8 u8)))) (core func (canon lower (func $f)))',
        "memory is missing",
    ),
    (
        '(import "f" (func $f)) (core func (canon lower (func $f) (post-return (core func $none))))',
        "for lift alone",
    ),
    ('(import "f" (func $f)) (core func (canon lower (func $f) async))', "not async"),
    (
        '(import "f" (func $f async (result u8))) (core func (canon lower (func $f) async))',
        "memory is missing",
    ),
    (
        '(import "f" (func $f async (param "a" (tuple u8 u8 u8 u8 u8)))) (core func (canon lower (func $f) async))',
        "memory is missing",
    ),
]
BUILTINS = [
    ('(import "q" (type $q (sub resource))) (core func (canon resource.rep $q))', "does not define"),
    ("(core func (canon resource.new $s))", "no type of a resource"),
    ("(core func (canon stream.new $f))", "no type of a stream but of a future"),
    ("(core func (canon stream.read $s async))", "memory is missing"),
    (f"(core func (canon future.read $f async {M}))", "realloc is missing"),
    (f"(core func (canon stream.read $s async {M} (post-return (core func $none))))", "neither post-return"),
    ("(core func (canon context.get i32 2))", "there are two"),
    ("(core func (canon task.return (result string)))", "memory is missing"),
    (f"(core func (canon task.return {M} {R}))", "task.return takes"),
    ("(core func (canon task.return async))", "not async"),
]


@pytest.mark.parametrize(("text", "reason"), [*LIFTS, *LOWERS, *BUILTINS])
def test_definitions_that_are_wrong(text: str, reason: str) -> None:
    with pytest.raises(
        ModuleError, match=f"c.wasm: byte \\d+, in the canonical definition section: .*{reason}"
    ):
        canons(text)


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("(core func (canon error-context.drop))", "error-context"),
        (f"(core func (canon error-context.new {M}))", "error-context"),
        ("(core func (canon thread.index))", "threads"),
        (f"(core func (canon stream.read $s {M}))", "synchronous stream operations"),
        ("(core func (canon subtask.cancel async))", "synchronous stream operations"),
        ("(func async (canon lift (core func $none) async))", "stackful lift"),
        ("(core func (canon context.get i64 0))", "memory64"),
    ],
)
def test_gates(text: str, feature: str) -> None:
    assert canons(text)
    with pytest.raises(ModuleError, match=f"{feature}: this feature of components is not offered"):
        canons(text, NONE)


def test_shared_threads_are_gated() -> None:
    assert read(section(8, b"\x42\1")).features == {"shared threads"}
    with pytest.raises(ModuleError, match="shared threads: this feature"):
        read(section(8, b"\x42\1"), allow=NONE)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"\x07", "definition 0x07"),
        (b"\x43", "definition 0x43"),
        (b"\0\1\0\0\0", "no function"),
        (b"\0\0\0\0\0", "core func 0 does not exist"),
        (b"\1\0\0\0", "func 0 does not exist"),
        (b"\x09\1\0\1\x08", "option 0x08"),
        (b"\x09\2", "form of a result"),
        (b"\x20\2\0", "cancellable is neither"),
        (b"\x20\0\0", "core memory 0 does not exist"),
        (b"\x09\1\0\1\3\0", "core memory 0 does not exist"),
        (b"\x09\1\0\x0b" + b"\0" * 11, "11 entries"),
    ],
)
def test_bytes_that_are_wrong(entry: bytes, reason: str) -> None:
    with pytest.raises(ModuleError, match=reason):
        read(types(b"\x73"), section(8, entry))


def test_a_lowered_function_is_held_against_the_import_that_takes_it() -> None:
    def text(param: str) -> str:
        return f"""(import "f" (func $f (param "a" u64)))
          (core func $low (canon lower (func $f)))
          (core module $n (import "h" "f" (func (param {param}))))
          (core instance (instantiate $n (with "h" (instance (export "f" (func $low))))))"""

    assert canons(text("i64"))
    with pytest.raises(ModuleError, match="'f' of the argument 'h' is of another type"):
        canons(text("i32"))

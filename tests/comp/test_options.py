"""comp/options.c: whose memory and realloc, by the names of their exports."""

from __future__ import annotations

import pytest

from tests.comp.tree import ANY, call, tree
from wasi_native import _core
from wasi_native.errors import CoreError

USER = """(module (import "a" "f" (func $f (param i32 i32) (result i32))) (memory (export "memory") 1)
  (func (export "go") (result i32) (call $f (i32.const 0) (i32.const 8))))"""
TWO = """(module (memory (export "memory") 1) (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "short") (param i32) (result i32) (i32.const 0)))"""


@pytest.mark.parametrize(
    ("memory", "realloc", "encoding", "code"),
    [
        (b"memory", b"r", 0, 0),
        (b"memory", b"r", 2, 0),
        (b"memory", b"r", 3, _core.INVALID),
        (b"none", b"r", 0, _core.MISSING),
        (b"memory", b"none", 0, _core.MISSING),
        (b"memory", b"short", 0, _core.INVALID),
        (b"r", b"r", 0, _core.MISSING),
    ],
)
def test_options_are_found_when_a_function_is_bound(
    memory: bytes, realloc: bytes, encoding: int, code: int
) -> None:
    with tree(ANY) as t:
        f = t.func("ii", "i")
        user, two = t.core(USER, f), t.core(TWO)
        found = 0
        try:
            options = (two, memory, two, realloc, encoding)
            f.bind_row(b"wasi_snapshot_preview1", b"random_get", options)
        except CoreError as error:
            found = error.code
        assert found == code
        if not code:
            assert call(user, "go") == 0
            assert user.memory(b"memory", 0, 8)[1] == bytes(8) != two.memory(b"memory", 0, 8)[1]

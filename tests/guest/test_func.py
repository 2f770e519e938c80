"""guest/func.c: exported functions that were looked up once, called in the middle of other calls."""

from __future__ import annotations

import time

import pytest

from tests.comp.tree import ENGINES, call, tree
from wasi_native import _core
from wasi_native.errors import CoreError

CALLEE = """(module (memory (export "memory") 1)
  (func (export "wide") (param i32 i64 f32 f64) (result f64)
    (f64.add (f64.add (f64.convert_i32_s (local.get 0)) (f64.convert_i64_s (local.get 1)))
             (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))
  (func (export "small") (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
  (func (export "spin") (result i32) (loop $l (br $l)) (i32.const 0))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))
  (func (export "trap") (result i32) unreachable))"""


def caller(params: str, result: str) -> str:
    words = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}
    kinds = " ".join(words[letter] for letter in params)
    param = f"(param {kinds})" if kinds else ""
    gets = " ".join(f"(local.get {i})" for i in range(len(params)))
    return f"""(module (import "" "f" (func $f {param} (result {words[result]})))
      (func (export "go") {param} (result {words[result]}) (call $f {gets})))"""


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("name", "params", "result", "args", "answer"),
    [
        ("wide", "iIfF", "F", (-1, 2**40, 0.5, 0.25), 2**40 - 0.25),
        ("small", "I", "i", (-(2**63) + 7,), 7),
        ("small", "I", "i", (0xFFFFFFFF,), -1),
    ],
)
def test_every_kind_of_number_passes(
    engine: str, name: str, params: str, result: str, args: tuple[int, ...], answer: float
) -> None:
    with tree(engine) as t:
        f = t.func(params, result)
        go = t.core(caller(params, result), f)
        f.bind_core(t.core(CALLEE), name.encode())
        assert call(go, "go", *args, params=params, results=result) == answer


@pytest.mark.parametrize(("name", "words"), [("trap", "unreachable"), ("deep", "stack")])
def test_a_trap_of_the_one_that_was_called_ends_both(engine: str, name: str, words: str) -> None:
    with tree(engine) as t:
        params = "i" if name == "deep" else ""
        f = t.func(params, "i")
        go, callee = t.core(caller(params, "i"), f), t.core(CALLEE)
        f.bind_core(callee, name.encode())
        with pytest.raises(CoreError, match=words):
            call(go, "go", *[0] * len(params))
        assert go.end()[0] == callee.end()[0] == _core.TRAP_ENGINE


def test_a_deadline_holds_in_the_one_that_was_called(engine: str) -> None:
    with tree(engine) as t:
        f = t.func("", "i")
        go, callee = t.core(caller("", "i"), f), t.core(CALLEE)
        f.bind_core(callee, b"spin")
        deadline = time.monotonic_ns() + 30_000_000
        err, _, _ = go.call(b"go", (), "", "i", deadline, False)
        assert err == _core.TIMEOUT
        assert go.end()[0] == callee.end()[0] == _core.TIMEOUT

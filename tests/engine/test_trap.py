"""engine/trap.c: how a trap is told, whatever engine it happened on."""

from __future__ import annotations

import pytest

from tests.engine.libraries import library
from tests.engine.seam import run
from tests.guests import aot
from wasi_native import _core

TRAPS = {
    "unreachable": "(unreachable)",
    "memory-out-of-bounds": "(drop (i32.load (i32.const 70000)))",
    "table-out-of-bounds": "(call_indirect (type $v) (i32.const 9))",
    "indirect-call-null": "(call_indirect (type $v) (i32.const 1))",
    "bad-signature": "(call_indirect (type $v) (i32.const 0))",
    "integer-overflow": "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
    "integer-division-by-zero": "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
    "bad-conversion": "(drop (i32.trunc_f32_s (f32.const nan)))",
    "stack-overflow": "(call $inner)",
}


@pytest.mark.parametrize("name", ["wasmtime", "wasm_c_api", "wasm3", "wasm3-old"])
@pytest.mark.parametrize("kind", TRAPS)
def test_each_engine_s_words_are_understood(name: str, kind: str) -> None:
    wat = f"""(module $m (type $v (func)) (memory 1) (table 3 funcref)
      (elem (i32.const 0) $other) (elem (i32.const 2) $v)
      (func $v) (func $other (param i32)) (func $inner {TRAPS[kind]}) (func (export "go") (call $inner)))"""
    engine = _core.Engine(name.partition("-")[0], library(name))
    instance = _core.Instance(engine.load(aot.binary(wat)), _core.Sys({}))
    err, text, _ = run(instance, "go", result="")
    assert err == _core.TRAP_ENGINE and text.startswith(f"{kind}: "), text
    assert instance.end() == (_core.TRAP_ENGINE, 0, None)
    assert run(instance, "go", result="")[0] == _core.INVALID


def test_names_of_functions_are_no_traps() -> None:
    """wasmtime's message has them in it; what counts is its last line."""
    wat = r'(module (func $"integer overflow" (unreachable)) (func (export "go") (call 0)))'
    engine = _core.Engine("wasm_c_api", library("wasm_c_api"))
    instance = _core.Instance(engine.load(aot.binary(wat)), _core.Sys({}))
    assert run(instance, "go", result="")[1].startswith("unreachable: ")

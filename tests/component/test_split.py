"""split.py: what of a component is compiled, and what is left of it in the file."""

from __future__ import annotations

import hashlib

import pytest

from tests.component.build import encode
from tests.host.world import COUNTERS
from wasi_native import AotError, ModuleError
from wasi_native.component import FEATURES, decode
from wasi_native.component.model import Component
from wasi_native.component.shim import elidable
from wasi_native.component.split import split
from wasi_native.component.wit import text

SHIM = """(core module $Shim (type $t (func (param i32))) (table (export "$imports") 1 1 funcref)
    (func (export "0") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 0))))"""
FIXUP = """(core module $Fixup (import "" "0" (func (param i32))) (import "" "$imports" (table 1 1 funcref))
    (elem (i32.const 0) func 0))"""
MAIN = """(core module $Main (import "a" "f" (func (param i32))) (memory (export "memory") 1)
    (data (i32.const 0) "a long text that nobody needs to link it") (func (export "f") (param i32)))"""
USED = f"""(component {SHIM} {MAIN} {FIXUP}
  (core instance $s (instantiate $Shim))
  (core instance $m (instantiate $Main (with "a" (instance (export "f" (func $s "0"))))))
  (core instance (instantiate $Fixup (with "" (instance
    (export "$imports" (table $s "$imports")) (export "0" (func $m "f")))))))"""


def compiled(wat: str) -> tuple[bytes, list[bytes], Component]:
    """The definition, the code, and what the definition is decoded to."""
    parts = split(encode(wat), "c.wasm")
    model = decode(parts.definition, "c.wasm", FEATURES)
    assert len(model.modules) == len(parts.modules)
    digests = [hashlib.sha256(code).hexdigest() for code in parts.code]
    assert list(dict.fromkeys(filter(None, parts.modules))) == digests
    return parts.definition, parts.code, model


def test_the_world_stays_and_the_code_goes() -> None:
    raw = encode(COUNTERS)
    whole = decode(raw, "c.wasm", FEATURES)
    definition, code, model = compiled(COUNTERS)
    assert text(model) == text(whole) and len(definition) < len(raw)
    assert code == [bytes(module.data) for module in whole.modules]
    for one, other in zip(model.modules, whole.modules, strict=True):
        assert (one.imports, one.exports) == (other.imports, other.exports)
        assert not one.sections & {9, 10, 11, 12} and other.sections >= {1, 3, 7, 10}
        for name, (kind, index) in one.exports.items():
            assert kind or one.signature(index) == other.signature(index), name


def test_shims_that_are_elided_are_kept_and_not_compiled() -> None:
    raw = encode(USED)
    parts = split(raw, "c.wasm")
    whole, model = (decode(data, "c.wasm", FEATURES) for data in (raw, parts.definition))
    assert [bool(digest) for digest in parts.modules] == [False, True, False]
    assert elidable(model) == elidable(whole) and len(elidable(model)) == 2
    assert [bytes(m.data) for m in model.modules][::2] == [bytes(m.data) for m in whole.modules][::2]
    assert b"nobody needs" in raw and b"nobody needs" not in parts.definition


def test_shims_that_are_not_elided_are_compiled() -> None:
    alone = (
        f'(component {SHIM} (core instance $s (instantiate $Shim)) {MAIN} (core instance (instantiate $Main\
      (with "a" (instance (export "f" (func $s "0"))))))'
    )
    used = f"""{alone} (core module $Takes (import "" "t" (table 1 funcref)) (func (export "f")))
      (core instance (instantiate $Takes (with "" (instance (export "t" (table $s "$imports")))))))"""
    _definition, code, _model = compiled(used)
    assert len(code) == 3


def test_modules_of_which_nobody_knows_whether_they_run_are_compiled() -> None:
    """A module that comes through an alias of the component around: then all are."""
    inner = f"""(component {SHIM} (component $In (alias outer 1 0 (core module $Out))
      (core instance (instantiate $Out))) (instance (instantiate $In)))"""
    _definition, code, _model = compiled(inner)
    assert len(code) == 1


def test_equal_modules_are_compiled_once_and_nested_ones_too() -> None:
    module = '(core module $M (func (export "f") (result i32) (i32.const 7)))'
    inner = f"(component {module} (core instance (instantiate $M)) (component {module.replace('7', '8')}))"
    parts = split(encode(f"(component {inner} {inner} {module})"), "c.wasm")
    assert len(parts.modules) == 5 and len(set(parts.modules)) == len(parts.code) == 2


@pytest.mark.parametrize("wat", ["(component)", '(component (import "f" (func)))', f"(component {SHIM})"])
def test_nothing_to_compile(wat: str) -> None:
    with pytest.raises(AotError, match=r"^c\.wasm: this component has no core module"):
        split(encode(wat), "c.wasm")


def test_what_is_malformed() -> None:
    with pytest.raises(ModuleError, match=r"^c\.wasm: byte"):
        split(encode(COUNTERS)[:300], "c.wasm")

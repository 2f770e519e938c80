"""Our own .wast files, on every engine that can; and the reference's, where ``WASI_NATIVE_COMPONENT_MODEL`` names a
checkout of the component-model repository: values, resources and linking whole, and every trap for its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.component import script
from tests.component.build import CHECKOUT, HERE, checkout
from tests.engine.libraries import library
from tests.host.native import Compiler
from wasi_native import Host, Limits, Policy
from wasi_native.errors import Trap

OWN = sorted((HERE / "scripts").glob("*.wast"))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
@pytest.mark.parametrize("engine", ["wasmtime", "wasm2c", "wasm_c_api", "wasm3", "wasm3-old"])
def test_our_own(path: Path, engine: str) -> None:
    policy = Policy(limits=Limits(instances=100))
    with made(engine, policy) as host:
        found = script.Script(host, path)
        found.run()
        if path.stem == "sharing" and "share-tables" not in host.caps:
            assert "the ability share-" in found.failed[0]
            return
    assert found.failed == [] and found.passed > 0


def made(engine: str, policy: Policy) -> Host:
    if engine == "wasm2c":
        return Compiler(policy)
    return Host(policy, engine=engine.partition("-")[0], engine_path=library(engine), cache=False)


def test_the_reference(record_property: Any) -> None:
    root = checkout()
    if root is None:
        pytest.skip(f"{CHECKOUT} names no checkout of the component-model repository")
    found = script.run(root)
    record_property("passed", {name: one.passed for name, one in found.items()})
    assert {name: one.failed for name, one in found.items() if one.failed} == {}
    assert sum(one.passed for one in found.values()) > 1000
    with Host(Policy(limits=Limits(instances=1000)), engine="wasmtime", cache=False) as host:
        calls = script.Script(host, root / "test" / "async" / "cross-abi-calls.wast")  # nobody in it waits
        calls.run()
        assert calls.failed == [] and calls.passed > 40


def test_the_reader() -> None:
    assert script.tree('(a "b)" (c 1 ;; d\n) (; e ;))') == [["a", '"b)"', ["c", "1"]]]
    assert script.number("0x1_0", "u32") == 16 and script.number("-0x1p1", "f32") == -2.0


def test_a_trap_must_be_for_the_reason() -> None:
    trap = Trap("unknown handle index 1", "component")
    assert script.because("unknown handle index 1", trap) and script.because(
        "wasm trap: unknown handle", trap
    )
    assert not script.because("unknown handle index 2", trap)
    assert script.because("unaligned pointer", Trap("realloc return: result not aligned", "component"))


def test_what_fails_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.wast"
    path.write_text(r"""
(component (core module $m (func (export "f") (result i32) i32.const 1)) (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
(assert_return (invoke "f") (u32.const 1))
(assert_return (invoke "f") (u32.const 2))
(assert_trap (invoke "f") "x")
(assert_malformed (component) "y")
""")
    with Host(engine="wasmtime", cache=False) as host:
        found = script.Script(host, path)
        found.run()
    assert found.passed == 2 and [line.partition(": ")[0] for line in found.failed] == [
        "x.wast:5",
        "x.wast:6",
        "x.wast:7",
    ]

"""The seam as a module: what its stub says is what there is, and what it answers without a guest."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wasi_native import _core, _flags

STUB = Path(_flags.__file__).with_name("_core.pyi")


def told() -> dict[str, set[str]]:
    """Names of the stub, and of each class its attributes without a leading underscore."""
    found: dict[str, set[str]] = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ClassDef):
            members = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            members |= {
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            }
            found[node.name] = {name for name in members if name[0] != "_"}
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = set()
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = set()
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.update((alias.asname, set()) for alias in node.names if alias.asname)
    return found


def public(thing: Any) -> set[str]:
    return {
        name
        for name, value in vars(thing).items()
        if name[0] != "_" and not isinstance(value, ModuleType) and not name.startswith("wn_")
    }


def test_the_stub_names_what_there_is() -> None:
    assert told().keys() == public(_core)


@pytest.mark.parametrize("name", sorted(name for name, members in told().items() if members))
def test_the_stub_names_the_attributes(name: str) -> None:
    assert told()[name] == public(getattr(_core, name))


def test_verdicts_are_numbers_of_their_own() -> None:
    others = ("RESOURCE_", "TASK_", "CONTEXT_", "BACKPRESSURE_")  # what a built-in is
    names = [name for name in told() if name.isupper() and not name.startswith(others)]
    values = [getattr(_core, name) for name in names]
    assert len(set(values)) == len(values) == 13
    assert all(-20 < value < 0 for value in values)
    for name, value in zip(names, values, strict=True):
        assert _core.error_text(value) and _core.error_name(value), name


def test_errnos_have_names_and_texts() -> None:
    names = [_core.error_name(number) for number in range(77)]
    assert names[0] == "SUCCESS" and names[8] == "BADF" and names[76] == "NOTCAPABLE"
    assert len(set(names)) == 77
    assert all(_core.error_text(number) for number in range(77))
    assert _core.error_name(77) == _core.error_name(-99) != ""


def test_engines_are_listed_best_first() -> None:
    wide = ["wasmtime"] if sys.maxsize > 2**32 else []  # its structs are those of 64-bit libraries
    assert _core.engine_names() == [*wide, "wasm2c", "wasm_c_api", "wasm3", "fake"]


def test_an_unknown_engine_is_said() -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasm9")
    assert caught.value.code == _core.MISSING and "wasm9" in str(caught.value)


def test_a_kernel_that_fails_on_demand_knows_its_calls() -> None:
    kernel = _core.FakeOs()
    assert kernel.count() == 0
    with pytest.raises(_core.CoreError):
        kernel.inject("no such call")


def test_the_flags_are_those_of_inspect() -> None:
    """_flags stands in for inspect while _core is being imported."""
    flags = {name: value for name, value in vars(_flags).items() if name.startswith("CO_")}
    assert len(flags) == 7
    assert all(getattr(inspect, name) == value for name, value in flags.items())

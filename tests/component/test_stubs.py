"""stubs.py: text that Python parses, names that are defined, the types of the fixtures."""

from __future__ import annotations

import ast

import pytest

from tests.component.build import HERE, encode, fixture, nameless
from wasi_native.component import decode
from wasi_native.component.stubs import stubs

NAMES = ["async", "composed", "interfaces", "types"]


def made(name: str) -> str:
    return stubs(decode(fixture(name), f"{name}.wasm"), f"{name}.wasm")


def test_the_whole_text() -> None:
    assert made("interfaces") == (HERE / "fixtures" / "interfaces.pyi.txt").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_defined(name: str) -> None:
    tree = ast.parse(made(name))
    known = {
        "bool",
        "int",
        "float",
        "str",
        "bytes",
        "list",
        "tuple",
        "dict",
        "object",
        "None",
        "staticmethod",
    }
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            known |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.Assign):
            known |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    own = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert own <= known
    members = {
        f"{outer.name}.{inner.name}"
        for outer in tree.body
        if isinstance(outer, ast.ClassDef)
        for inner in outer.body
        if isinstance(inner, ast.ClassDef)
    } | {
        f"{outer.name}.{target.id}"
        for outer in tree.body
        if isinstance(outer, ast.ClassDef)
        for inner in outer.body
        if isinstance(inner, ast.Assign)
        for target in inner.targets
        if isinstance(target, ast.Name)
    }
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used <= members


def test_kinds_of_types() -> None:
    text = made("types")
    for line in (
        "a_b: int | None",
        "class None_(Kinds.Variant):",
        "RED = 'red'",
        "C = 4",
        "BitsAgain = Kinds.Bits",
        "Pairs = list[tuple[str, float]]",
        "def static(with_: Kinds.Color) -> Kinds.Bits: ...",
    ):
        assert f"        {line}\n" in text or f"    {line}\n" in text, line


def test_what_cannot_be_named() -> None:
    text = stubs(nameless(), "x.wasm")
    assert "def __call__(self, p: Any) -> None: ..." in text  # a record that nobody named
    assert "Literal['set']" in text.replace('"', "'")


def test_two_versions_and_taken_names() -> None:
    text = stubs(
        decode(
            encode("""(component
              (import "a:b/exports@1.0.0" (instance (export "f" (func))))
              (import "a:b/exports@2.0.0" (instance (export "f" (func))))
              (import "exports" (instance (export "f" (func)))))""")
        ),
        "x.wasm",
    )
    assert "class ABExports:\n" in text and "class ABExports_2_0_0:\n" in text and "class Exports_:\n" in text

"""The reference's own .wast files, where ``WASI_NATIVE_COMPONENT_MODEL`` names a checkout of the component-model
repository: what is valid decodes, what is malformed or invalid is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.component import wast
from tests.component.build import CHECKOUT, checkout, encode
from wasi_native.component import FEATURES, decode
from wasi_native.errors import CoreError, ModuleError

# Invalid components that decode: the code of a core module is the engine's to check, when it compiles it.
LATER = {"core-modules.wast": 1}


def test_the_splitter(tmp_path: Path) -> None:
    path = tmp_path / "a.wast"
    path.write_text(r"""
;; a comment ( with brackets
(component definition $C (import "a" (func)) (; nested (; comment ;) ;))
(component binary "\00asm" "\0d\00\01\00")
(assert_invalid (component (export "a" (func 0))) "message")
(assert_malformed (component quote "(import \"x\")") "text")
(component instance $i $C)
(assert_return (invoke "f"))
(assert_trap (component (import "b" (func))) "trap")
""")
    found = list(wast.read(path))
    assert [(item.kind, item.line, item.quoted) for item in found] == [
        ("component", 3, False),
        ("component", 4, False),
        ("assert_invalid", 5, False),
        ("assert_malformed", 6, True),
        ("component", 9, False),
    ]
    assert (
        found[0].text.startswith('(component $C (import "a" (func))') and found[1].data == b"\0asm\x0d\0\1\0"
    )
    assert found[2].text == '(component (export "a" (func 0)))' and found[2].message == '"message"'
    assert found[3].text == '(import "x")' and decode(encode(found[0].text)).imports.keys() == {"a"}


def test_the_corpus(record_property: Any) -> None:
    root = checkout()
    if root is None:
        pytest.skip(f"{CHECKOUT} names no checkout of the component-model repository")
    counts: Counter[str] = Counter()
    later: Counter[str] = Counter()
    wrong = []
    for path in sorted((root / "test").glob("*/*.wast")):
        for item in wast.read(path):
            where = f"{path.name}:{item.line}"
            if item.quoted:
                counts["text, for a reader of text"] += 1
                continue
            try:
                data = encode(item.text) if item.data is None else item.data
            except CoreError:
                counts["not encoded"] += 1
                continue
            try:
                decode(data, where, FEATURES)
            except ModuleError as error:
                counts[f"{item.kind} refused"] += 1
                if item.kind == "component":
                    wrong.append(str(error))
            else:
                counts[f"{item.kind} decoded"] += 1
                if item.kind == "assert_malformed":
                    wrong.append(f"{where}: {item.message}")
                elif item.kind == "assert_invalid":
                    later[path.name] += 1
    record_property("counts", dict(counts))
    assert wrong == []
    assert counts["component decoded"] > 200 and counts["assert_malformed refused"] > 60
    assert counts["assert_invalid refused"] > 350 and later == LATER

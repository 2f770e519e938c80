"""engine/wasm_c_api*.c: any library with the functions of wasm.h; here wasmtime's own, by the standard alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.libraries import library
from wasi_native import _core


def test_libraries_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasm_c_api")
    assert caught.value.code == _core.MISSING and "name the library" in caught.value.text
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasm_c_api", os.fspath(tmp_path / "none.so"))
    assert caught.value.code == _core.MISSING
    with pytest.raises(_core.CoreError, match=r"not a library with the functions of wasm\.h: .* is missing"):
        _core.Engine("wasm_c_api", library("wasm3"))


def test_abilities_are_asked_of_the_library() -> None:
    assert {"simd", "multi-memory", "siblings"} <= set(_core.Engine("wasm_c_api", library("wasm_c_api")).caps)

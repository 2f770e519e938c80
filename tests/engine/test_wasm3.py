"""engine/wasm3*.c: the interpreter for small boards, in two of its trees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.libraries import library
from wasi_native import _core


def test_libraries_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasm3", os.fspath(tmp_path / "none.so"))
    assert caught.value.code == _core.MISSING
    with pytest.raises(_core.CoreError, match=r"not a library of wasm3: m3_\w+ is missing"):
        _core.Engine("wasm3", library("wasm_c_api"))

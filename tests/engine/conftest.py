"""What the tests of binaries share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from wasi_native import _core, engines

if TYPE_CHECKING:
    from tests.engine.binaries import Binaries


@pytest.fixture(scope="session")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Binaries:
    """The reader and the rewriter, compiled once."""
    from tests.engine.binaries import build  # by ctypes, which not every board has

    return build(tmp_path_factory.mktemp("binaries"))


@pytest.fixture
def judge() -> Iterator[_core.Engine]:
    """The engine that reads text, and says whether a module is valid."""
    found = engines.find("wasmtime")
    if "has no library for" in found.reason:
        pytest.skip("wasmtime has no library for this machine")
    yield _core.Engine("wasmtime", found.path)


def accepts(judge: _core.Engine, wasm: bytes) -> bool:
    """Whether the module is valid."""
    try:
        judge.load(wasm)
    except _core.CoreError:
        return False
    return True

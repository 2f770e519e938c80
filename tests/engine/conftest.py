"""What the tests of binaries share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.binaries import Binaries, build
from wasi_native import _core, engines


@pytest.fixture(scope="session")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Binaries:
    """The reader and the rewriter, compiled once."""
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

"""The core against the reference's own definitions.py, where ``WASI_NATIVE_COMPONENT_MODEL`` names a checkout: some
pairs here (``WASI_NATIVE_PAIRS``: how many), a hundred thousand with ``python -m tests.mem.differential``."""

from __future__ import annotations

import os

import pytest

from tests.component.build import CHECKOUT, checkout
from tests.mem import differential


@pytest.mark.skipif(
    checkout() is None, reason=f"{CHECKOUT} names no checkout of the component-model repository"
)
def test_random_pairs_as_definitions_py_has_them() -> None:
    pairs = int(os.environ.get("WASI_NATIVE_PAIRS", "500"))
    seen, wrong = differential.run(pairs, 7_000_000)
    assert wrong == []
    assert min(seen["lower: lowered"], seen["lift: lifted"]) > pairs / 2

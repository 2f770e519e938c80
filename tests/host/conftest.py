"""A host for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wasi_native import Capture, Host, Policy


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(Policy(stdout=Capture(), stderr=Capture()), board="generic-x86_64") as made:
        yield made
        assert made.instances == 0

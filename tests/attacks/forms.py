"""The engines of the attacks on numbers and memory: fake in its four forms, and the others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Guest, engines_under_test, signatures
from wasi_native import Policy

_FAKE: dict[str, dict[str, Any]] = {
    "fake": {"engine": "fake"},
    "moving": {"engine": "fake", "directives": ("moving",)},  # the memory moves before every call
    "wide": {"engine": "fake", "directives": ("wide",)},  # slots of 16 bytes
    "moving-wide": {"engine": "fake", "directives": ("moving", "wide")},
}
FORMS = {
    form: options
    for name in engines_under_test()
    for form, options in (_FAKE.items() if name == "fake" else [(name, {"engine": name})])
}
every_form = pytest.mark.parametrize("form", FORMS)
every_home = pytest.mark.parametrize("home", [3, 5], ids=["host", "memory"])


class Sibling(Guest):
    """One more instance of a guest's module: what a trap costs is an instance, not an engine."""

    def __init__(self, first: Guest, module: str, policy: Policy | None = None) -> None:
        self.host, self.module = first.host, first.module
        self.instance = self.module.instantiate(policy)
        self.memory = self.instance.memory
        self.size = len(self.memory)
        self._names = set(signatures(module))

    def close(self) -> None:
        self.instance.close()

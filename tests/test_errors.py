"""The tree of exceptions: drawn in the docstring as it is, and each one carries what it promises."""

from __future__ import annotations

import pickle
import re

import pytest

import wasi_native
from wasi_native import _core, errors


def drawn() -> dict[str, str]:
    """Child to parent, from the drawing."""
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^( {4}[│├└─ ]*)([A-Z]\w+)(  |$)", line)
        if match:
            depth, name = len(match[1]), match[2]
            path = [(at, parent) for at, parent in path if at < depth]
            if path:
                found[name] = path[-1][1]
            path.append((depth, name))
    return found


def test_the_drawing_is_true() -> None:
    assert drawn() == {name: getattr(errors, name).__bases__[0].__name__ for name in errors.__all__}


def test_each_is_documented_and_reached_from_the_face() -> None:
    for name in errors.__all__:
        assert getattr(wasi_native, name) is getattr(errors, name)
        assert getattr(errors, name).__doc__


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (errors.Exit(3), {"code": 3}),
        (errors.Trap("m", "unreachable", ("f @ 0x1",)), {"kind": "unreachable", "backtrace": ("f @ 0x1",)}),
        (errors.LimitExceeded("fuel"), {"limit": "fuel"}),
        (errors.Timeout(), {"limit": "wall_time"}),
        (errors.LinkError("m", (("a", "b", "why"),)), {"missing": (("a", "b", "why"),)}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_they_carry(error: Exception, fields: dict[str, object]) -> None:
    assert {name: getattr(error, name) for name in fields} == fields
    assert str(error)
    assert isinstance(error, errors.WasiError)


def test_plain_ones_can_be_sent_to_another_process() -> None:
    for name in ("Cancelled", "InstanceDead", "InstanceBusy", "ModuleError", "EngineMissing", "PolicyError"):
        error = pickle.loads(pickle.dumps(getattr(errors, name)("why")))
        assert type(error).__name__ == name and str(error) == "why"


def test_those_of_the_seam_are_no_part_of_the_tree() -> None:
    for kind in (_core.CoreError, _core.Busy):
        assert not issubclass(kind, errors.WasiError)

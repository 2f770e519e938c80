"""guest/canon.c: what a guest of the component model is told when it breaks a rule."""

from __future__ import annotations

import pytest

from tests.comp.test_resource import user
from tests.comp.tree import call, traps, tree
from wasi_native import _core
from wasi_native.host.endings import ending


def test_the_rule_is_in_the_message_and_in_the_exception() -> None:
    with tree("wasmtime") as t:
        guest = user(t, _core.ResourceType(t.root))
        with traps("unknown handle index 4294967295"):
            call(guest, "rep", -1)
        assert guest.end()[0] == _core.TRAP_CANON
    trap = ending(_core.TRAP_CANON, "trap-canon: unknown handle index 7\n  f (m) @ 0x1", 0, None)
    assert (str(trap), getattr(trap, "kind", ""), getattr(trap, "backtrace", ())) == (
        "unknown handle index 7",
        "component",
        ("f (m) @ 0x1",),
    )


@pytest.mark.parametrize("number", [1, 10, 4294967295, 2147483648])
def test_numbers_are_written_out(number: int) -> None:
    with tree("wasmtime") as t:
        guest = user(t, _core.ResourceType(t.root))
        with traps(f"unknown handle index {number}"):
            call(guest, "rep", number)

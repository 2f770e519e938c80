"""guest/handle.c: the numbers of handles and their limit; what is lent and borrowed is in tests/comp."""

from __future__ import annotations

import random

import pytest

from tests.comp.test_resource import user
from tests.comp.tree import call, tree
from wasi_native import _core
from wasi_native.errors import CoreError


def test_numbers_are_as_in_the_reference(engine: str) -> None:
    """A table with a free list, as definitions.py has it: the last one freed is given out first."""
    if engine == "fake":
        pytest.skip("it has no wasm to make handles with")
    rng = random.Random(4)
    array: list[int | None] = [None]
    free: list[int] = []
    with tree(engine) as t:
        guest = user(t, _core.ResourceType(t.root))
        for rep in range(400):
            alive = [i for i, have in enumerate(array) if have is not None]
            if alive and rng.random() < 0.45:
                at = rng.choice(alive)
                assert call(guest, "rep", at) == array[at]
                call(guest, "drop", at, results="")
                array[at] = None
                free.append(at)
                continue
            expected = free.pop() if free else len(array)
            array += [None] * (expected + 1 - len(array))
            array[expected] = rep
            assert call(guest, "new", rep) == expected


def test_each_instance_of_a_component_has_its_own_numbers() -> None:
    with tree("wasmtime") as t:
        rt, child = _core.ResourceType(t.root), _core.Comp(t.sys, t.root)
        one, two = user(t, rt), user(t, rt, child)
        assert call(one, "new", 5) == call(two, "new", 6) == 1
        assert (call(one, "rep", 1), call(two, "rep", 1)) == (5, 6)
        with pytest.raises(ValueError, match="closes with the one around it"):
            child.close()


def test_no_memory_for_a_table_of_handles() -> None:
    kernel = _core.FakeOs()
    with tree("wasmtime", kernel) as t:
        guest = user(t, _core.ResourceType(t.root))
        for rep in range(15):
            call(guest, "new", rep)
        kernel.inject("resize", err=48)
        with pytest.raises(CoreError) as caught:
            call(guest, "new", 0)
        assert caught.value.code == _core.NOMEM and guest.end()[0] == _core.NOMEM

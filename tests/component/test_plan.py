"""Plans as Python writes them: what the core accepts, for every type that there is."""

from __future__ import annotations

import random

import pytest

from tests.mem.probe import Plan
from wasi_native.component.plan import Unsupported, encode
from wasi_native.component.types import PRIMITIVES, Function, Table, Value, flatten

SIMPLE = [name for name in PRIMITIVES if name != "error-context"]


def any_type(t: Table, rng: random.Random, depth: int) -> Value:
    kind = rng.randrange(5 if depth == 0 else 15)
    if kind < 3:
        return t.primitive(rng.choice(SIMPLE))
    if kind == 3:
        return t.primitive("string")
    if kind == 4:
        return rng.choice([t.own, t.borrow])(rng.randrange(4))
    inside = [any_type(t, rng, depth - 1) for _ in range(rng.randint(1, 4))]
    labels = [f"l{i}" for i in range(len(inside))]
    if kind == 5:
        return t.list_of(inside[0])
    if kind == 6:
        return t.list_of(inside[0], rng.randint(1, 20))
    if kind == 7:
        return t.map_of(t.primitive("u16"), inside[0])
    if kind == 8:
        return t.record(list(zip(labels, inside, strict=True)))
    if kind == 9:
        return t.tuple_of(inside)
    if kind == 10:
        return t.variant(
            [
                (label, value if rng.random() < 0.7 else None)
                for label, value in zip(labels, inside, strict=True)
            ]
        )
    if kind == 11:
        return t.option(inside[0])
    if kind == 12:
        return t.result(inside[0] if rng.random() < 0.7 else None, inside[-1] if rng.random() < 0.7 else None)
    if kind == 13:
        return t.enum([f"e{i}" for i in range(rng.choice([1, 2, 255, 256, 257, 65536, 65537]))])
    return t.flags([f"f{i}" for i in range(rng.randint(1, 32))])


def test_the_core_derives_what_python_did() -> None:
    """Sizes, offsets, flat types: written by one, checked by the other, and both agree with the signature."""
    rng = random.Random(7)
    for _ in range(1500):
        t = Table()
        params = [(f"p{i}", any_type(t, rng, 3)) for i in range(rng.randrange(5))]
        function = t.function(params, any_type(t, rng, 3) if rng.random() < 0.8 else None)
        data, resources = encode(function)
        plan = Plan(data)
        assert plan.err == 0
        info = plan.info()
        assert (info.lift_params.decode(), info.lift_results.decode()) == flatten(function, "lift")
        assert (info.lower_params.decode(), info.lower_results.decode()) == flatten(function, "lower")
        assert (info.async_params.decode(), "i") == flatten(function, "lower", is_async=True)
        assert info.async_params_in_memory == (sum(len(value.flat) for value in function.params) > 4)
        flat = function.result.flat if function.result is not None else ""
        assert info.returned.decode() == ("i" if len(flat) > 16 else flat)
        assert info.returned_in_memory == (len(flat) > 16)
        assert info.resources == len(resources) == len(set(resources))
        assert info.params_pointers == any(value.pointers for value in function.params)
        assert info.result_pointers == (function.result is not None and function.result.pointers)


def test_equal_types_are_one_node() -> None:
    t = Table()
    point = t.record([("x", t.primitive("u32")), ("y", t.primitive("u32"))])
    once = encode(t.function([("a", point)], None))[0]
    more = encode(t.function([("a", point), ("b", t.option(point)), ("c", point)], point))[0]
    assert len(more) == len(once) + 44 + 4 * 8  # the option, and an item for each of b, c, none and some


@pytest.mark.parametrize("name", ["stream", "future", "error-context"])
def test_what_is_not_passed(name: str) -> None:
    t = Table()
    value = t.primitive(name) if name == "error-context" else getattr(t, name)(None)
    with pytest.raises(Unsupported, match=rf"values of the type {name} \(WASI 0\.3\) are not passed here"):
        encode(Function(("a",), (t.list_of(value),), None, False))

"""A plan is checked when it is loaded: each number in it, so that what walks it need not."""

from __future__ import annotations

import random
import struct

import pytest

from tests.mem.probe import Plan
from wasi_native import _core
from wasi_native.component.plan import encode
from wasi_native.component.types import Table, Value

INVALID = _core.INVALID
HEADER, NODE, ITEM = 24, 44, 8


def made(table: Table, params: list[Value], result: Value | None = None) -> bytes:
    return encode(table.function([(f"p{i}", value) for i, value in enumerate(params)], result))[0]


def rich() -> bytes:
    t = Table()
    u8, u64, text = t.primitive("u8"), t.primitive("u64"), t.primitive("string")
    point = t.record([("x", t.primitive("f32")), ("y", t.primitive("f64"))])
    shape = t.variant([("none", None), ("round", t.primitive("f32")), ("list", t.list_of(point))])
    return made(
        t,
        [
            u8,
            t.tuple_of([u64, shape]),
            t.list_of(t.list_of(u8, 3)),
            t.flags(["a"] * 9),
            t.own(7),
            t.borrow(9),
        ],
        t.result(t.option(text), t.enum([f"e{i}" for i in range(300)])),
    )


def test_signatures_and_what_they_need() -> None:
    t = Table()
    u32, f64, text = t.primitive("u32"), t.primitive("f64"), t.primitive("string")
    info = Plan(made(t, [u32, f64], u32)).info()
    assert (info.lift_params, info.lift_results, info.lower_params, info.lower_results) == (
        b"iF",
        b"i",
        b"iF",
        b"i",
    )
    assert not (
        info.params_in_memory or info.result_in_memory or info.params_pointers or info.result_pointers
    )
    info = Plan(made(t, [text] * 8, t.tuple_of([u32, u32]))).info()
    assert (info.lift_params, info.lift_results, info.lower_params, info.lower_results) == (
        b"i" * 16,
        b"i",
        b"i" * 17,
        b"",
    )
    assert (info.params_in_memory, info.result_in_memory) == (False, True)
    assert (info.params_pointers, info.result_pointers) == (True, False)
    info = Plan(made(t, [u32] * 17, text)).info()
    assert (info.lift_params, info.lower_params, info.params_in_memory) == (b"i", b"ii", True)
    info = Plan(made(t, [])).info()
    assert (info.lift_params, info.lower_params, info.lift_results, info.lower_results) == (
        b"",
        b"",
        b"",
        b"",
    )
    assert Plan(made(t, [t.own(4), t.borrow(4), t.borrow(1)])).info().resources == 2


def test_a_plan_is_as_long_as_it_says() -> None:
    data = rich()
    assert Plan(data).err == 0
    for length in (*range(HEADER + 1), len(data) - 8, len(data) - 1, len(data) + 4):
        assert Plan(data[:length].ljust(length, b"\0")).err == INVALID


def test_no_number_of_it_can_be_another() -> None:
    """Whatever byte of a node or of a count changes, the plan is refused or tells a type as sound as the first."""
    data = rich()
    nodes = struct.unpack_from("<I", data, 4)[0]
    refused = 0
    rng = random.Random(4)
    for at in range(HEADER + nodes * NODE):
        for value in (data[at] ^ 1, data[at] ^ 0x80, 0xFF, rng.randrange(256)):
            other = data[:at] + bytes([value]) + data[at + 1 :]
            if other != data:
                refused += Plan(other).err == INVALID
    assert refused > 3.5 * (HEADER + nodes * NODE - 12)


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 0), (4, 65537), (4, 0xFFFFFFFF), (8, 0xFFFFFFFF), (12, 4000), (16, 4000), (20, 3), (12, 0)],
)
def test_a_wrong_header(at: int, value: int) -> None:
    data = bytearray(rich())
    struct.pack_into("<I", data, at, value)
    assert Plan(bytes(data)).err == INVALID


def test_a_node_names_only_those_before_it() -> None:
    t = Table()
    data = bytearray(made(t, [t.list_of(t.list_of(t.primitive("u8")))]))
    for node in (1, 2):
        for wrong in (node, node + 1, 77, 0xFFFFFFFF):
            other = bytearray(data)
            struct.pack_into("<I", other, HEADER + node * NODE + 8, wrong)
            assert Plan(bytes(other)).err == INVALID


def test_an_item_is_a_node_before_and_a_place_behind_the_last() -> None:
    """Each field's offset, and that it names a node at all; of a case the offset is 0."""
    t = Table()
    u8, u32 = t.primitive("u8"), t.primitive("u32")
    data = made(t, [], t.tuple_of([u8, t.variant([("a", u32), ("b", None)]), u32]))
    nodes, items = struct.unpack_from("<II", data, 4)
    assert (nodes, items) == (4, 5)
    for item in range(items):
        at = HEADER + nodes * NODE + item * ITEM
        node, offset = struct.unpack_from("<II", data, at)
        for wrong in (
            (node, offset + 1),
            (node, offset + 4),
            (nodes, offset),
            (1 << 31, offset),
            (node, 1 << 31),
        ):
            other = bytearray(data)
            struct.pack_into("<II", other, at, *wrong)
            assert Plan(bytes(other)).err == INVALID, (item, wrong)


def test_types_too_deep_or_too_large() -> None:
    """The decoder refuses such types long before; a plan written by hand is refused as well."""
    u8 = struct.pack("<4B5IB19s", 1, 1, 5, 1, 1, 0, 0, 0, 1, 1, b"i")

    def deep(count: int) -> bytes:
        nodes = [u8]
        for depth in range(2, count + 1):
            nodes.append(struct.pack("<4B5IB19s", 13, 4, 2, depth, 8, len(nodes) - 1, 0, 0, 4, 2, b"ii"))
        return struct.pack("<6I", 0x31506E57, len(nodes), 0, 0xFFFFFFFF, len(nodes) - 1, 0) + b"".join(nodes)

    assert Plan(deep(202)).err == 0
    assert Plan(deep(203)).err == INVALID
    for count, err in (((1 << 28) - 1, 0), (1 << 28, INVALID)):
        long = struct.pack("<4B5IB19s", 13, 1, 5, 2, count, 0, count, 0, count, 17, b"i" * 17)
        assert Plan(struct.pack("<6I", 0x31506E57, 2, 0, 0xFFFFFFFF, 1, 0) + u8 + long).err == err


def test_flags_have_one_to_thirty_two_labels() -> None:
    t = Table()
    data = bytearray(made(t, [], t.flags(["a"])))
    for count in (0, 33, 0xFFFFFFFF):
        struct.pack_into("<I", data, HEADER + 12, count)
        assert Plan(bytes(data)).err == INVALID

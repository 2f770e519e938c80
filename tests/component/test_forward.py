"""The module around a function of WASI: its realloc, what it gives back, what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wasi_native import Host, HostFunction, Instance, Limits, Policy, Trap
from wasi_native.component.forward import FUNCTION, MEMORY, POST_RETURN, REALLOC, forwarder
from wasi_native.component.types import Function, Table

TABLE = Table()
U32, U64, STRING = (TABLE.primitive(kind) for kind in ("u32", "u64", "string"))


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(engine="wasmtime", cache=False) as made:
        yield made


class World:
    """An instance whose imports note what they are called with; the function answers 7."""

    def __init__(self, host: Host, function: Function, params: str, results: str) -> None:
        module, self.drops = forwarder(function, "x.wasm")
        self.calls: list[tuple[object, ...]] = []

        def called(*args: int) -> int | None:
            self.calls.append(args)
            return 7 if results else None

        given = [HostFunction("", "f", params, results, called)]
        for index in range(len(self.drops)):
            noted = lambda handle, name=f"d{index}": self.calls.append((name, handle))  # noqa: E731
            given.append(HostFunction("", f"d{index}", "i", "", noted))
        self.instance: Instance = host.load(bytes(module.data)).instantiate(functions=given)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *exc: object) -> None:
        self.instance.close()


def test_the_result_goes_to_a_place_of_its_own(host: Host) -> None:
    function = TABLE.function([("a", U64), ("b", TABLE.list_of(U32))], TABLE.tuple_of([U64, STRING]))
    with World(host, function, "Iiii", "") as world:
        call = world.instance.call
        assert (call(FUNCTION, 1 << 40, 5, 6), world.calls) == (16, [(1 << 40, 5, 6, 16)])
        assert call(FUNCTION, 1, 2, 3) == 32 and world.calls[-1] == (1, 2, 3, 32)
        call(POST_RETURN, 32)
        assert call(FUNCTION, 1, 2, 3) == 16


def test_a_result_that_is_a_number_is_handed_on(host: Host) -> None:
    with World(host, TABLE.function([("a", U64)], U32), "I", "i") as world:
        assert world.instance.call(FUNCTION, 9) == 7 and world.calls == [(9,)]
        world.instance.call(POST_RETURN, 7)
    with World(host, TABLE.function([], None), "", "") as world:
        assert world.instance.call(FUNCTION) is None and world.calls == [()]


def test_what_is_borrowed_is_given_back_after_the_call(host: Host) -> None:
    borrow, other = TABLE.borrow(3), TABLE.borrow(4)
    function = TABLE.function(
        [("a", borrow), ("b", U64), ("c", TABLE.list_of(other)), ("d", borrow), ("e", TABLE.own(3))], U32
    )
    with World(host, function, "iIiiii", "i") as world:
        assert world.drops == [3, 4]
        memory = world.instance.memory_of(MEMORY)
        memory.write(64, b"\5\0\0\0\6\0\0\0\7\0\0\0")
        assert world.instance.call(FUNCTION, 1, 2, 64, 3, 8, 9) == 7
        assert world.calls == [
            (1, 2, 64, 3, 8, 9),
            ("d0", 1), *(("d1", handle) for handle in (5, 6, 7)), ("d0", 8),
        ]  # fmt: skip


def test_what_no_function_of_wasi_borrows() -> None:
    for type in (TABLE.option(TABLE.borrow(0)), TABLE.list_of(TABLE.tuple_of([TABLE.borrow(0)]))):
        with pytest.raises(ValueError, match="within what it takes"):
            forwarder(TABLE.function([("a", type)], None), "x")
    many = [("h", TABLE.borrow(0)), *[(f"a{index}", U32) for index in range(16)]]
    with pytest.raises(ValueError, match="too much"):
        forwarder(TABLE.function(many, None), "x")
    assert forwarder(TABLE.function(many[1:], None), "x")[1] == []


def test_realloc(host: Host) -> None:
    with World(host, TABLE.function([], None), "", "") as world:
        call, memory = world.instance.call, world.instance.memory_of(MEMORY)
        assert [call(REALLOC, 0, 0, align, size) for align, size in ((1, 3), (8, 1), (4, 4), (1, 0))] == [
            *(16, 24, 28, 32),
        ]
        memory.write(16, b"abc")
        grown, shrunk = call(REALLOC, 16, 3, 1, 200_000), call(REALLOC, 16, 3, 2, 2)
        assert memory.read(grown, 4) == b"abc\0" and memory.read(shrunk, 3) == b"ab\0"
        assert len(memory) == 4 << 16 and shrunk == 32 + 200_000
        call(POST_RETURN)
        assert call(REALLOC, 0, 0, 1, 1) == 16
        end = (4 << 16) - 17
        assert call(REALLOC, 0, 0, 1, end) == 17 and len(memory) == 4 << 16  # it fills the memory to the byte
        assert call(REALLOC, 0, 0, 1, 1) == 4 << 16 and len(memory) == 5 << 16


@pytest.mark.parametrize("size", [-1, 2 << 20])
def test_realloc_of_more_than_there_is(size: int) -> None:
    """Beyond the last address, and beyond the limit of the policy."""
    with Host(Policy(limits=Limits(memory=1 << 20)), engine="wasmtime", cache=False) as host:
        world = World(host, TABLE.function([], None), "", "")
        with world, pytest.raises(Trap) as caught:
            world.instance.call(REALLOC, 0, 0, 1, size)
        assert caught.value.kind == "unreachable"

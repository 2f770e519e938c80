"""comp/side.c: reallocs of guests that lie, and memory that fails in the middle of a call."""

from __future__ import annotations

import pytest

from tests.comp.tree import ANY, planned, prim, run, text, traps, tree
from wasi_native import _core
from wasi_native.errors import CoreError

STRING, U32 = prim("string"), prim("u32")
LIAR = """(module (memory (export "memory") 1)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) {})
  (func (export "f") (param i32 i32)))"""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("(i32.const -1)", "realloc return: beyond end of memory"),
        ("(i32.const 65530)", "realloc return: beyond end of memory"),
        ("(i32.const 65536)", "realloc return: beyond end of memory"),
    ],
)
def test_a_place_that_is_none(engine: str, answer: str, reason: str) -> None:
    if engine == "fake":
        pytest.skip("it has no wasm to lie with")
    with tree(engine) as t:
        core = t.core(LIAR.format(answer))
        lifted = _core.Lifted(t.root, planned(STRING), (), core, b"f", (core, b"memory", core, b"realloc", 0))
        with traps(reason):
            run(lifted, text("some text"))


def test_a_realloc_that_traps(engine: str) -> None:
    if engine == "fake":
        pytest.skip("it has no wasm to trap with")
    with tree(engine) as t:
        core = t.core(LIAR.format("unreachable"))
        lifted = _core.Lifted(t.root, planned(STRING), (), core, b"f", (core, b"memory", core, b"realloc", 0))
        with pytest.raises(CoreError, match="unreachable: an unreachable instruction"):
            run(lifted, text("some text"))


def test_each_allocation_of_what_is_made_may_fail() -> None:
    """The nth one and no other, until all succeed: one error, nothing left behind, and what is there still works."""
    from tests.comp.test_lifted import ECHO

    fine = 0
    for nth in range(1, 200):
        kernel = _core.FakeOs()
        with tree(ANY, kernel) as t:
            core = t.core(ECHO)
            options = (core, b"memory", core, b"realloc", 0)
            kernel.inject("alloc", nth, 1, 48)
            kernel.inject("resize", nth, 1, 48)
            try:
                child = _core.Comp(t.sys, t.root)
                rt = _core.ResourceType(child)
                func = _core.CanonFunc(child, b"m", b"n", "ii", "i")
                func.bind_row(b"wasi_snapshot_preview1", b"random_get", options)
                _core.ResourceType(child, host=True)
                given = _core.CanonFunc(child, b"m", b"n", "ii", "i")
                given.bind_host(planned(U32, U32, result=U32), (), lambda data: data[:4])
                echo = _core.Lifted(t.root, planned(STRING, result=STRING), (), core, b"echo", options)
                assert run(echo, text("x" * 5000)) == text("x" * 5000) and rt.comp is child
                fine += 1
            except (MemoryError, CoreError) as error:
                assert isinstance(error, MemoryError) or error.code == _core.NOMEM
            kernel.clear()
            if fine == 3:
                assert nth > 10
                return
    raise AssertionError("it never succeeded")

"""Group M, case 61: every call, every pointer, at every edge of memory, with every length that can wrap. What is
wrong ends the guest before anything is done; what is right changes the declared places and no byte beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.forms import FORMS, Sibling, every_form
from tests.attacks.pointers import BY_CALL, DEEDS, OLD_SIZES, POINTERS, declared, good, prepare
from tests.attacks.tree import Tree
from tests.guests.driver import ABI
from tests.support import P1, UNSTABLE, Guest, signatures
from wasi_native import (
    Capture,
    MemoryDir,
    Policy,
    _core,
)

Make = Callable[..., Guest]
BOUNDS, ALIGNMENT = "host-pointer", "host-alignment"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "T")
    before = made.outside()
    yield made
    assert made.outside() == before


def granted(tree: Tree, **more: Any) -> Policy:
    fields = {
        "dirs": [*tree.dirs(), MemoryDir("/mem")],
        "program": "p",
        "stdin": b"in",
        "stdout": Capture(),
        **more,
    }
    return Policy(**fields)


GATHER = [("fd_read", ()), ("fd_pread", (0,)), ("fd_write", ()), ("fd_pwrite", (0,))]
GROWING = """(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "env" "back" (func $back))
  (memory (export "memory") 1)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "write") (param i32 i32 i32 i32) (result i32)
    (call $write (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func $last (result i32) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 16)))
  ;; The host's function grows the memory; then the new last bytes are random, and read back.
  (func (export "work") (result i64)
    (call $back)
    (drop (call $random (call $last) (i32.const 8)))
    (drop (call $clock (i32.const 1) (i64.const 0) (i32.add (call $last) (i32.const 8))))
    (i64.load (i32.add (call $last) (i32.const 8)))))"""


def test_m61_the_table_has_every_pointer() -> None:
    """What is a pointer is said by the rows; none is missing here."""
    text = (ABI / "p1.rows").read_text()
    words = [line.split("#")[0].split() for line in text.split("\nalias")[0].splitlines()]
    said = {
        (line[0], word.split(":")[0]) for line in words for word in line if word.endswith((":ptr", ":buf"))
    }
    assert said == {(one.call, one.name) for one in POINTERS}
    assert len(POINTERS) == len(said) == 53


@pytest.mark.parametrize("module", [P1, UNSTABLE])
@every_form
@pytest.mark.parametrize("group", ["args", "clock", "environ", "fd", "path", "poll", "random", "sock"])
def test_m61_every_call_and_every_pointer(tree: Tree, form: str, group: str, module: str) -> None:
    kernel = _core.FakeOs()
    policy = granted(tree, env={"A": "b"})
    traps = 0
    with Guest(policy, module=module, pages=1, kernel=kernel, **FORMS[form]) as first:
        end = first.size
        g: Guest = Sibling(first, module)
        for one in POINTERS:
            if not one.call.startswith(group) or one.call not in signatures(module):
                continue
            old = OLD_SIZES if module == UNSTABLE else {}
            sizes = {p.name: old.get((p.call, p.name), p.size) for p in BY_CALL[one.call]}
            size = sizes[one.name]
            places = {
                0,
                1,
                2,
                3,
                4,
                end - size,
                end - size + 1,
                end - size + one.align,
                end - 1,
                end,
                end + 8,
            }
            places |= {2**31 - 1, 2**31, 2**32 - 8, 2**32 - 1}
            counts = {1}
            if one.count:
                wraps = min(2**32 // size, 2**32 - 1)  # times size it is 0 in 32 bits
                counts |= {0, end // size, end // size + 1, 2**31, wraps, 2**32 - 1}
            for at in sorted(places):
                for count in sorted(counts):
                    values = {**good(one.call), one.name: at}
                    if one.count:
                        values[one.count] = count
                    if count > 1 and at + size * count <= end:
                        continue  # a good long list is another case
                    bad = ""
                    for other in BY_CALL[one.call]:  # two may share a count
                        number = values[other.count] if other.count else 1
                        if values[other.name] % other.align:
                            bad += ALIGNMENT
                        if values[other.name] + sizes[other.name] * number > end:
                            bad += BOUNDS
                    g.fill()
                    prepare(g, one.call, values, sizes)
                    kernel.clear()
                    outputs = [] if bad else declared(one.call, values, sizes)
                    with g.writes_only(*outputs):
                        kind = g.traps(one.call, *values.values())
                    where = (one.call, one.name, hex(at), hex(count))
                    assert (kind in bad) if bad else kind == "", (where, kind, bad)
                    if bad:
                        assert kind, where
                        assert [name for name in DEEDS if kernel.count(name)] == [], where
                        traps += 1
                        g.close()
                        g = Sibling(first, module)
        g.close()
    assert traps > 10
    kernel.clear()

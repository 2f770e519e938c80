"""engine/fake.c: a guest made of bytes."""

from __future__ import annotations

import threading

import pytest

from tests.engine.seam import peek, size
from tests.support import fake_module
from wasi_native import _core

YIELD = b"import wasi_snapshot_preview1 sched_yield - i"


def load(text: bytes) -> _core.Module:
    return _core.Engine("fake").load(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"fake",
        b"fake 2",
        b"\0asm\1\0\0\0",
        b"fake 1\nmemory",
        b"fake 1\nnonsense",
        b"fake 1\nimport",
        b"fake 1\nimport a b i",
        b"fake 1\nimport " + b"m" * 64 + b" b i i",
        b"fake 1\nimport a " + b"n" * 64 + b" i i",
        b"fake 1\nimport a b " + b"i" * 40 + b" i",
        b"fake 1\n" + b"import a b - -\n" * 257,
        b"fake 1\n" + b"x" * 100,
    ],
)
def test_modules_that_are_none(text: bytes) -> None:
    with pytest.raises(_core.CoreError) as caught:
        load(text)
    assert caught.value.code == _core.INVALID


def test_truncated_at_every_byte() -> None:
    text = fake_module(1)
    for length in range(len(text)):
        try:
            load(text[:length])
        except _core.CoreError as error:
            assert error.code == _core.INVALID


def test_the_lines() -> None:
    module = load(b"fake 1\n\nmemory 3\nmoving\nwide\nimport m n iIfF F\nimport m o - -\n")
    assert [(item[0], item[1], item[3], item[4]) for item in module.externs(False)] == [
        ("m", "n", "iIfF", "F"),
        ("m", "o", "", ""),
    ]
    assert [item[1] for item in module.externs(True)] == ["n", "o", "grow", "spin", "memory"]
    assert load(b"fake 1").externs(False) == [] and len(load(b"fake 1").externs(True)) == 2


def test_grow() -> None:
    instance = _core.Instance(load(b"fake 1\nmemory 1\n" + YIELD), _core.Sys({}))
    grown = [instance.call(b"grow", (n,), "i", "i", 0, False)[2][0] for n in (1, 0, 3, 70000, -1)]
    assert grown == [1, 2, 2, -1, -1] and size(instance) == 5 * 65536
    assert not any(peek(instance, 0, 5 * 65536) or b"x")


def test_no_memory() -> None:
    instance = _core.Instance(load(b"fake 1\n" + YIELD), _core.Sys({}))
    assert instance.call(b"sched_yield", (), "", "i", 0, False)[0] == 0
    with pytest.raises(_core.CoreError):
        size(instance)


def test_spin_sees_each_interruption_once() -> None:
    engine = _core.Engine("fake", tick_ms=1)
    module = engine.load(b"fake 1\n" + YIELD)
    quiet = _core.Instance(module, _core.Sys({}))
    other = _core.Instance(module, _core.Sys({}))
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(quiet.call(b"spin", (), "", "", 0, False)[0]))
    thread.start()
    for _ in range(100):
        other.cancel()  # an interruption of the engine, which is not meant for the one that spins
    assert thread.is_alive()
    quiet.cancel()
    thread.join(20)
    assert results == [_core.CANCELLED]

"""A tree of components at the seam, made by hand: what component.instance does from a component's own text."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.engine.libraries import library
from tests.guests import aot
from wasi_native import _core, engines
from wasi_native.component.plan import encode
from wasi_native.component.types import Table, Value
from wasi_native.errors import CoreError

ENGINES = ["wasmtime", "wasm2c", "wasm_c_api", "wasm3", "wasm3-old"]
SHARING = ["wasmtime", "wasm_c_api"]
ANY = (
    "wasmtime" if engines.find("wasmtime").path else "wasm3"
)  # for what is the same on each, on a board as well


class Tree:
    """The root instance of a component, in a world of its own, on one engine."""

    def __init__(
        self, engine: str, os: _core.FakeOs | None = None, reservation: int = 0, **limits: int
    ) -> None:
        self.name = engine.partition("-")[0]
        self.engine = _core.Engine(
            self.name, library(engine), reservation=reservation, guard=65536, tick_ms=5, os=os
        )
        self.sys = _core.Sys(limits, os=os)
        self.root = _core.Comp(self.sys)
        self.kin: _core.Instance | None = None

    def load(self, wat: str) -> _core.Module:
        return aot.restore(self.engine, wat) if self.name == "wasm2c" else self.engine.load(aot.binary(wat))

    def func(self, params: str, results: str = "", comp: _core.Comp | None = None) -> _core.CanonFunc:
        return _core.CanonFunc(comp or self.root, b"tree", b"f", params, results)

    def core(self, wat: str, *bindings: Any, comp: _core.Comp | None = None, **more: Any) -> _core.Instance:
        """A core instance: a binding per import, None for what is linked by name."""
        made = _core.Instance(
            self.load(wat),
            self.sys,
            comp=comp or self.root,
            kin=self.kin,
            bindings=bindings or None,
            **more,
        )
        self.kin = self.kin or made
        return made


@contextmanager
def tree(engine: str, os: _core.FakeOs | None = None, reservation: int = 0, **limits: int) -> Iterator[Tree]:
    made = Tree(engine, os, reservation, **limits)
    try:
        yield made
    finally:
        closed = made.root.close()
    assert closed


def call(instance: _core.Instance, name: str, *args: int, params: str = "", results: str = "i") -> Any:
    """The result; a trap or another end as CoreError with the message."""
    err, text, values = instance.call(name.encode(), args, params or "i" * len(args), results, 0, False)
    if err:
        raise CoreError(err, text)
    return values[0] if values else None


@contextmanager
def traps(reason: str, code: int | None = None) -> Iterator[None]:
    """What is inside breaks a rule of the component model, for this reason."""
    with pytest.raises(CoreError) as caught:
        yield
    expected = _core.TRAP_CANON if code is None else code
    assert (caught.value.code, caught.value.text.split("\n")[0]) == (expected, f"trap-canon: {reason}")


T = Table()


def prim(name: str) -> Value:
    return T.primitive(name)


def planned(*params: Value, result: Value | None = None) -> _core.Plan:
    """The plan of a function of these types."""
    return _core.Plan(encode(T.function([(f"p{i}", value) for i, value in enumerate(params)], result))[0])


def run(lifted: _core.Lifted, params: bytes = b"", deadline: int = 0) -> bytes:
    """The stream of the result; a trap or another end as CoreError with the message."""
    err, text, result = lifted.call(params, deadline)
    if err or result is None:
        raise CoreError(err, text)
    return result


def text(value: str) -> bytes:
    """A string in a stream."""
    data = value.encode()
    return b"\0" + struct.pack("<I", len(data)) + data

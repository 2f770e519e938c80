"""Makes binaries of component text; finds the checkout of the specification that a test may be given."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from tests.guests import aot, remote
from wasi_native import Host
from wasi_native.component import decode
from wasi_native.component.model import Component, FuncType

HERE = Path(__file__).resolve().parent
CHECKOUT = "WASI_NATIVE_COMPONENT_MODEL"  # names a checkout of the component-model repository


@functools.cache
def _host() -> Host:
    return Host(engine="wasmtime", cache=False)


def encode(text: str | bytes) -> bytes:
    """The binary of component text, by the engine's reader of text; CoreError when it is wrong."""
    if remote.SOCKET:
        return aot.binary(text)
    engine = _host()._engine
    assert engine is not None
    return engine.wat(text.encode() if isinstance(text, str) else text)


def fixture(name: str) -> bytes:
    """The binary of ``fixtures/NAME.wat``."""
    return encode((HERE / "fixtures" / f"{name}.wat").read_bytes())


def nameless() -> Component:
    """A component whose export "set" takes a record without a name, which no decoder lets through."""
    found = decode(fixture("composed"), "composed.wasm")
    extern = found.exports["set"]
    named = extern.type.params[0][1]
    extern.type = FuncType((("p", named.of),), None, False, extern.type.function)
    del found.exports["pair"]
    return found


def checkout() -> Path | None:
    """The checkout, when one is named."""
    named = os.environ.get(CHECKOUT)
    return Path(named) if named else None

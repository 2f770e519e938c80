"""Compiled components: a file .wno with a definition, in hosts with any engine and with none."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import wno
from tests.component.build import encode
from tests.host.native import allowing, compiled, hello
from tests.host.test_resources import Device
from tests.host.world import COUNTERS, SENSOR
from tests.programs import components
from wasi_native import (
    Cancelled,
    Capture,
    Component,
    ComponentInstance,
    Host,
    InstanceDead,
    LimitExceeded,
    Limits,
    LinkError,
    ModuleError,
    Policy,
    PolicyError,
    Timeout,
    Trap,
    aot,
)
from wasi_native.aot_sign import new_key, public_key, sign
from wasi_native.digest import sha256
from wasi_native.policy import Native


@pytest.fixture(scope="module")
def counters() -> bytes:
    return compiled(COUNTERS)


def on(data: bytes, engine: str | None = "wasm2c", **more: Any) -> Host:
    cache = more.pop("cache", False)
    return Host(allowing(data, stdout=Capture(), **more), engine=engine, cache=cache)


def changed(data: bytes, definition: bytes | None = None, **changes: Any) -> bytes:
    """The same code with another definition or manifest, and a right hash."""
    found = aot.read("x", data)
    whole = bytes(found.definition) if definition is None else definition
    return aot.pack(bytes(found.elf), replace(found.manifest, **changes), whole)


@pytest.mark.parametrize("engine", [None, "fake", "wasm2c"])
def test_beside_any_engine(counters: bytes, engine: str | None, tmp_path: Path) -> None:
    (tmp_path / "counters.wno").write_bytes(counters)
    with on(counters, engine) as host, host.load_component(tmp_path / "counters.wno") as component:
        assert isinstance(component, Component) and component.engine == "wasm2c"
        assert repr(component) == "<Component counters.wno on wasm2c>"
        assert component.manifest == aot.read("x", counters).manifest
        assert component.sha256 == sha256(encode(COUNTERS)) and not component.counts_fuel
        assert {"interrupt", "share-memories"} <= set(component.caps) and "fuel" not in component.caps
        if engine is None:  # and what is not compiled still runs on the other engine
            with host.load_component(COUNTERS) as other, other.instantiate() as instance:
                assert component.wit == other.wit and other.engine == "wasmtime"
                used(instance)
        for _ in range(2):
            with component.instantiate() as instance:
                used(instance)


def used(instance: ComponentInstance) -> None:
    """Numbers, strings, records, resources whose destructor is in another core module."""
    exports = instance.exports
    assert exports["add"](20, 22) == 42 and exports["echo"]("h\xe9\u20ac") == "h\xe9\u20ac"
    assert exports["bytes"](bytes(range(256)) * 16) == bytes(range(256)) * 16
    api = exports["test:own/counters"]
    assert api.swap({"x": 1, "from": 2}).x == 2
    counter = api.Counter(5)
    assert counter.plus(3) == 8
    counter.close()
    assert exports["dropped"]() == 5


def test_where_no_engine_is(counters: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    with Host(allowing(counters), board="generic-x86_64", cache=False) as host:
        with host.load_component(counters) as component, component.instantiate() as instance:
            used(instance)


def test_what_is_provided() -> None:
    """Functions and resources of the embedder, whose results go to memory by the guest's own realloc."""
    data, device = compiled(SENSOR), Device()
    provide = {"test:dev/sensor@0.1.0": device, "notify": lambda n: n * 2 if n else None}
    with on(data) as host, host.load_component(data) as component:
        with pytest.raises(LinkError) as caught:
            component.instantiate()
        assert len(caught.value.missing) == 6
        with component.instantiate(provide=provide) as guest:
            assert guest.exports["tell"](5) == 1010
        assert device.Sensor.live == 0


def test_traps_deadlines_and_cancelling(counters: bytes) -> None:
    with on(counters) as host, host.load_component(counters) as component:
        with component.instantiate() as instance:
            with pytest.raises(Trap) as caught:
                instance.exports["crash"]()
            assert caught.value.kind == "unreachable" and instance.end == "trap"
            with pytest.raises(InstanceDead):
                instance.exports["add"](1, 2)
        with component.instantiate() as instance, pytest.raises(Timeout):
            instance.call("spin", timeout=0.05)
        with component.instantiate() as instance:
            timer = threading.Timer(0.05, instance.cancel)
            timer.start()
            with pytest.raises(Cancelled):
                instance.call("spin")
            timer.join()


def test_limits(counters: bytes) -> None:
    """All memories of a component together; fuel where it was compiled with it; no deadline that nobody can keep."""
    three = "".join(f"(core module $M{n} (memory 1)) (core instance (instantiate $M{n}))" for n in range(3))
    data = compiled(f"(component {three})")
    for pages, fits in ((3, True), (2, False)):
        with on(data, limits=Limits(memory=pages * 65536)) as host, host.load_component(data) as component:
            if fits:
                component.instantiate().close()
                continue
            with pytest.raises(ModuleError, match="exceeds memory limits"):
                component.instantiate()
    fuel = compiled(COUNTERS, fuel=True)
    with on(fuel, limits=Limits(fuel=5000)) as host, host.load_component(fuel) as component:
        with component.instantiate() as instance:
            assert instance.exports["add"](1, 2) == 3 and 0 < (instance.usage.fuel or 0) < 5000
            with pytest.raises(LimitExceeded, match="fuel"):
                instance.call("spin")
    for data, more in ((counters, {"fuel": 5000}), (compiled(COUNTERS, checks=False), {"wall_time": 1.0})):
        with on(data, limits=Limits(**more)) as host, host.load_component(data) as component:
            with pytest.raises(ModuleError, match=r"compiled without (fuel|checks)"):
                component.instantiate()


def test_a_program_of_three_components() -> None:
    data = compiled((components.HERE / "composed.wat").read_text())
    with on(data) as host, host.load_component(data) as program, program.instantiate() as instance:
        assert instance.run() == 0
        assert instance.stdout == "WORDS OF ANOTHER COMPONENT\xe9\n12 42 37\n".encode()


# ---- who may load it ----


def test_never_silently(counters: bytes) -> None:
    with Host(Policy(), engine="wasm2c", cache=False) as host:
        with pytest.raises(PolicyError, match="is native code that is not allowed"):
            host.load(counters)
    with (
        on(compiled(hello())) as host,
        pytest.raises(PolicyError, match="is native code that is not allowed"),
    ):
        host.load(counters)


def test_signed(counters: bytes) -> None:
    private, public = new_key()
    key = Native(keys=[public_key(public)])
    data = sign("c.wno", counters, private)
    with Host(Policy(native=key), engine="wasm2c", cache=False) as host:
        with host.load_component(data) as component, component.instantiate() as instance:
            used(instance)
        for bad in (counters, data.replace(b"swap", b"spaw", 1)):
            with pytest.raises((PolicyError, ModuleError), match=r"not allowed|damaged or tampered with"):
                host.load(bad)


def test_another_machine(counters: bytes) -> None:
    made = wno.manifest(arch="riscv64", modules=("ab" * 32,), abi=2)
    data = aot.pack(wno.library("riscv64"), made, bytes(aot.read("x", counters).definition))
    with on(data) as host, pytest.raises(ModuleError, match="compiled for riscv64"):
        host.load(data)


def test_a_component_that_is_damaged_and_allowed(counters: bytes) -> None:
    """By whoever trusts the wrong file: one error, before anything runs."""
    found = aot.read("x", counters)
    definition, modules = bytes(found.definition), found.manifest.modules
    assert len(modules) == len(set(modules)) == 4
    for data, why in (
        (changed(counters, definition[:-40]), r"byte \d+"),
        (changed(counters, b"\0asm\1\0\0\0"), "this is no component"),
        (changed(counters, modules=modules[:2]), "lists 2 core modules, there are 4"),
        (changed(counters, modules=(*modules[:3], modules[0])), "native code is of other core modules"),
        (changed(counters, modules=(*modules[:3], "")), "was not compiled"),
        (changed(counters, modules=(*modules, "ab" * 32)), "has no part 4"),
        (changed(compiled(hello()), definition, modules=modules), "has no part 1"),
    ):
        with on(data) as host, pytest.raises((ModuleError, LinkError), match=f"^<bytes>: .*{why}"):
            with host.load_component(data).instantiate():
                pass

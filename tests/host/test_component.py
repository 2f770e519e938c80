"""component.py: loading tells a module from a component, and both have the same manners."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.component.build import encode
from tests.host.world import COUNTERS, SENSOR
from wasi_native import Component, Host, LinkError, Module, ModuleError
from wasi_native.digest import sha256


def test_bytes_text_and_files(host: Host, tmp_path: Path) -> None:
    data = encode(COUNTERS)
    (tmp_path / "counters.wasm").write_bytes(data)
    (tmp_path / "counters.wat").write_text(COUNTERS)
    for source, name, path in (
        (data, "<bytes>", None),
        (COUNTERS, "<text>", None),
        (tmp_path / "counters.wasm", "counters.wasm", str(tmp_path / "counters.wasm")),
        (str(tmp_path / "counters.wat"), "counters.wat", str(tmp_path / "counters.wat")),
    ):
        with host.load_component(source) as component:
            assert isinstance(component, Component) and not isinstance(component, Module)
            assert (component.name, component.path, component.sha256) == (name, path, sha256(data))
            assert component.engine == host.engine and component.caps == host.caps
            assert component.counts_fuel is False
            assert repr(component) == f"<Component {name} on {host.engine}>"


def test_a_module_is_none(host: Host) -> None:
    with pytest.raises(ModuleError, match="this is a core module, no component"):
        host.load_component("(module)")


def test_imports_and_exports(host: Host) -> None:
    component = host.load_component(COUNTERS)
    assert component.imports == ()
    api, add, *_rest = component.exports
    assert (api.name, api.kind, repr(add)) == ("test:own/counters@1.2.3", "instance", "<func add>")
    assert add.functions == {"add": "add: func(a: u32, b: u32) -> u32"}
    assert api.functions["[method]counter.plus"] == "counter.plus: func(n: u32) -> u32"
    assert component.wit.startswith("package root:component;") and "resource counter {" in component.wit
    sensor, notify = host.load_component(SENSOR).imports
    assert (sensor.name, notify.kind) == ("test:dev/sensor@0.1.0", "func")


def test_what_is_wrong_is_one_error(host: Host) -> None:
    data = encode(COUNTERS)
    with pytest.raises(ModuleError, match=r"^<bytes>: byte \d+, in the"):
        host.load(data[:200])
    broken = encode('(component (core module (func (export "f") (result i32) i32.const 1)))')
    with pytest.raises(ModuleError, match="<bytes>: the core module at byte 10: "):
        host.load(broken.replace(b"\x41\x01\x0b", b"\x41\x01\xff"))
    with pytest.raises(LinkError, match=r"\n  notify: a function of yours") as caught:
        host.load_component(SENSOR).instantiate()
    assert len(caught.value.missing) == 6 and host.instances == 0


def test_a_closed_one_is_used_no_more(host: Host) -> None:
    component = host.load_component(COUNTERS)
    instance = component.instantiate()
    component.close()
    component.close()
    with pytest.raises(RuntimeError, match="is closed"):
        component.instantiate()
    assert instance.exports["add"](1, 2) == 3
    instance.close()


def test_core_modules_come_from_the_cache(tmp_path: Path) -> None:
    for _ in range(2):
        with Host(engine="wasmtime", cache=tmp_path / "cache") as host:
            with host.load_component(COUNTERS).instantiate() as instance:
                assert instance.exports["add"](20, 22) == 42
            assert host.cache is not None
            assert len(host.cache.list()) == 4  # one for each core module


def test_components_cost_nothing_until_one_is_loaded() -> None:
    code = "import sys; from wasi_native import Host; h = Host(engine='fake'); h.load(b'fake 1\\n')"
    code += "; print([m for m in sys.modules if 'component' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""host/isolation.py: what keeps a guest in its bounds, and what does not."""

from __future__ import annotations

import dataclasses

import pytest

from tests.engine.libraries import library
from wasi_native import Host, Isolation, _core
from wasi_native.host.isolation import _BOUNDS


def made(engine: str) -> Host:
    path = library(engine) if engine in ("wasm3", "wasm_c_api") else None
    return Host(engine=engine, engine_path=path, cache=False)


def test_every_adapter_has_its_bounds() -> None:
    assert sorted(_BOUNDS) == sorted(_core.engine_names())


@pytest.mark.parametrize("engine", _core.engine_names())
def test_the_report_of_a_host(engine: str) -> None:
    with made(engine) as host:
        found = host.isolation_report()
        assert (found.engine, found.version, found.path) == (engine, host.engine_version, host.engine_path)
        assert found.memory and found.tables and found.time and found.stack
        with pytest.raises(dataclasses.FrozenInstanceError):
            found.strangers = True  # type: ignore[misc]


def test_who_may_run_modules_of_strangers() -> None:
    """Those that validate what they run, whose memory and time are bounded."""
    for engine, strangers in (("wasmtime", True), ("wasm_c_api", True), ("wasm3", False), ("wasm2c", False)):
        with made(engine) as host:
            assert host.isolation_report().strangers is strangers


def test_wasm3_says_what_is_published_against_it() -> None:
    with made("wasm3") as host:
        found: Isolation = host.isolation_report()
    assert any("CVE-2021-38592" in line for line in found.advisories)
    assert any("the layer validates modules for it" in line for line in found.unbounded)
    with made("wasmtime") as host:
        assert host.isolation_report().advisories == ()

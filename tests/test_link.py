"""(module, name) -> row: what is served, and everything that is missing at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guests import aot, build
from tests.support import P1, UNSTABLE, E, fake_module
from wasi_native import Host, HostFunction, LinkError, Module, Policy, _core


@pytest.fixture
def host(engine: str) -> Iterator[Host]:
    with Host(Policy(), engine=engine, board="generic-x86_64") as made:
        yield made


def load(host: Host, source: bytes | str | Path) -> Module:
    """As the host's engine takes it: for wasm2c, compiled."""
    return aot.load(host, source) if host.engine == "wasm2c" else host.load(source)


def module_of(host: Host, *imports: tuple[str, str, str, str]) -> bytes | str:
    """A module that imports functions: (module, name, params, results) in letters."""
    if host.engine == "fake":
        lines = [f"import {m} {n} {p or '-'} {r or '-'}" for m, n, p, r in imports]
        return "\n".join(["fake 1", "memory 1", *lines]).encode()
    words = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}
    lines = []
    for index, (m, n, p, r) in enumerate(imports):
        kinds = "".join(f" (param {words[one]})" for one in p) + "".join(
            f" (result {words[one]})" for one in r
        )
        lines.append(f'(import "{m}" "{n}" (func $f{index}{kinds}))')
    exports = "".join(f'(export "{n}" (func $f{index}))' for index, (_, n, _, _) in enumerate(imports))
    return f'(module {" ".join(lines)} (memory (export "memory") 1) {exports})'


@pytest.mark.parametrize("module", [P1, UNSTABLE])
def test_every_row_links_by_its_name_and_signature(host: Host, module: str) -> None:
    rows = [(m, n, p, r) for m, n, p, r, _, _ in _core.row_list() if m == module]
    assert len(rows) in (45, 46)
    with load(host, module_of(host, *rows)) as loaded, loaded.instantiate() as instance:
        assert instance.call("fd_close", 99) == E.BADF


def test_all_that_is_missing_is_said_at_once(host: Host) -> None:
    source = module_of(
        host,
        (P1, "fd_teleport", "i", "i"),
        (P1, "fd_close", "I", "i"),
        (P1, "fd_sync", "i", ""),
        (P1, "sched_yield", "", "i"),
        ("elsewhere", "work", "i", ""),
        (UNSTABLE, "sock_accept", "iii", "i"),
    )
    with load(host, source) as loaded, pytest.raises(LinkError) as error:
        loaded.instantiate()
    assert error.value.missing == (
        (P1, "fd_teleport", "no such function in this module"),
        (P1, "fd_close", "imported with another signature"),
        (P1, "fd_sync", "imported with another signature"),
        ("elsewhere", "work", "unknown module"),
        (UNSTABLE, "sock_accept", "no such function in this module"),
    )
    for module, name, _ in error.value.missing:
        assert f"{module} {name}" in str(error.value)
    assert host.instances == 0


def test_only_functions_can_be_imported() -> None:
    with (
        Host(Policy(), engine="wasmtime", board="generic-x86_64") as host,
        load(host, build.wat("missing")) as loaded,
        pytest.raises(LinkError) as error,
    ):
        loaded.instantiate()
    assert [reason for _, _, reason in error.value.missing] == [
        "no such function in this module",
        "imported with another signature",
        "unknown module",
        "only functions can be imported",
    ]


def test_a_function_of_the_embedder_comes_first(host: Host) -> None:
    source = module_of(
        host, (P1, "fd_close", "i", "i"), (P1, "sched_yield", "", "i"), ("env", "mine", "I", "I")
    )
    functions = [
        HostFunction(P1, "fd_close", "i", "i", lambda fd: fd + 1),
        HostFunction("env", "mine", "I", "I", lambda value: -value),
    ]
    with load(host, source) as loaded, loaded.instantiate(functions=functions) as instance:
        assert instance.call("fd_close", 41) == 42
        assert instance.call("sched_yield") == 0
        assert instance.call("mine", 2**40) == -(2**40)


def test_a_function_of_the_embedder_with_another_signature(host: Host) -> None:
    functions = [HostFunction("env", "mine", "i", "i", lambda value: value)]
    with load(host, module_of(host, ("env", "mine", "ii", "i"))) as loaded, pytest.raises(LinkError) as error:
        loaded.instantiate(functions=functions)
    assert error.value.missing == (("env", "mine", "imported with another signature"),)


def test_names_are_compared_whole(host: Host) -> None:
    near = [(P1, "fd_clos", "i", "i"), (P1, "fd_close2", "i", "i"), (P1[:-1], "fd_close", "i", "i")]
    with load(host, module_of(host, *near)) as loaded, pytest.raises(LinkError) as error:
        loaded.instantiate()
    assert len(error.value.missing) == 3


def test_hundreds_of_missing_imports_are_all_said(host: Host) -> None:
    wanted = [("elsewhere", f"function_with_a_long_name_{number}", "i", "") for number in range(250)]
    with load(host, module_of(host, *wanted)) as loaded, pytest.raises(LinkError) as error:
        loaded.instantiate()
    assert [name for _, name, _ in error.value.missing] == [name for _, name, _, _ in wanted]


def test_the_driver_of_the_tests_is_all_of_a_module() -> None:
    assert fake_module().count(b"\nimport ") == 46
    assert fake_module(2, UNSTABLE).count(b"\nimport ") == 45


# ---- WASI 0.2: one row serves every patch version, and the standard names of core modules ----

NOW = ("now", "", "I")
STREAMS = "wasi:io/streams"
VERSIONS = ["wasi:clocks/monotonic-clock@0.2.0", "wasi:clocks/monotonic-clock@0.2.12"]
VERSIONS += ["wasi:clocks/monotonic-clock@0.2.999", "cm32p2|wasi:clocks/monotonic-clock@0.2"]


@pytest.fixture
def host2(engine: str) -> Iterator[Host]:
    """An engine that runs what it loads."""
    with Host(Policy(), engine="wasmtime" if engine == "fake" else engine, board="generic-x86_64") as made:
        yield made


@pytest.mark.parametrize("module", VERSIONS)
def test_a_row_of_0_2_serves_its_track(host2: Host, module: str) -> None:
    with load(host2, module_of(host2, (module, *NOW))) as loaded, loaded.instantiate() as instance:
        first = instance.call("now")
        assert 0 < first <= instance.call("now")


@pytest.mark.parametrize(
    "module",
    ["wasi:clocks/monotonic-clock", "wasi:clocks/monotonic-clock@0.2", "wasi:clocks/monotonic-clock@0.2.",
     "wasi:clocks/monotonic-clock@0.20.0", "wasi:clocks/monotonic-clock@0.2.0-rc-2023-11-10",
     "wasi:clocks/monotonic-clock@0.2.x", "wasi:clocks/monotonic-clock@0.2.1.2", "wasi:clocks/monotonic-clock@0.3.0",
     "wasi:clocks/monotonic@0.2.0", "cm32p2|wasi:clocks/monotonic-clock@0.2.0",
     "cm32p3|wasi:clocks/monotonic-clock@0.2",
     "cm32p2|wasi_snapshot_preview1"],
)  # fmt: skip
def test_other_versions_are_not_served(host2: Host, module: str) -> None:
    with load(host2, module_of(host2, (module, *NOW))) as loaded, pytest.raises(LinkError) as error:
        loaded.instantiate()
    assert "unknown module" in str(error.value) or module in str(error.value)


@pytest.mark.parametrize(
    ("module", "name", "served"),
    [
        (f"{STREAMS}@0.2.0", "[resource-drop]output-stream", True),
        (f"cm32p2|{STREAMS}@0.2", "output-stream_drop", True),
        (f"cm32p2|{STREAMS}@0.2", "[resource-drop]output-stream", False),
        (f"{STREAMS}@0.2.0", "output-stream_drop", False),
        (f"cm32p2|{STREAMS}@0.2", "[resource-drop]output-stream_drop", False),
        (f"cm32p2|{STREAMS}@0.2", "_drop", False),
        (f"cm32p2|{STREAMS}@0.2", "drop", False),
    ],
)
def test_drops_have_two_names(host2: Host, module: str, name: str, served: bool) -> None:
    with load(host2, module_of(host2, (module, name, "i", ""))) as loaded:
        if served:
            loaded.instantiate().close()
            return
        with pytest.raises(LinkError):
            loaded.instantiate()


def test_one_module_imports_both_versions_of_wasi(host2: Host) -> None:
    source = module_of(
        host2,
        (P1, "fd_close", "i", "i"),
        ("wasi:clocks/monotonic-clock@0.2.3", *NOW),
        (P1, "sched_yield", "", "i"),
    )
    with load(host2, source) as loaded, loaded.instantiate() as instance:
        assert instance.call("fd_close", 99) == E.BADF and instance.call("now") > 0


def test_another_signature_of_0_2(host2: Host) -> None:
    with (
        load(host2, module_of(host2, (VERSIONS[0], "now", "i", ""))) as loaded,
        pytest.raises(LinkError) as error,
    ):
        loaded.instantiate()
    assert "another signature" in str(error.value)

"""engines.py: which engines are here, found as files; nothing is imported for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.libraries import build_wasm3
from tests.guests import build
from wasi_native import Capture, EngineError, EngineMissing, Host, Policy, engines


@pytest.fixture
def old_wasm3() -> Path:
    return build_wasm3("old")


@pytest.fixture
def new_wasm3() -> Path:
    build.guest("hello")  # both are made before a test hides what makes them
    return build_wasm3("new")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def install(place: Path, version: str = "50.0.1", folder: str = "linux-x86_64") -> Path:
    library = place / "wasmtime" / folder / "_libwasmtime.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    library.touch()
    if version:
        (place / f"wasmtime-{version}.dist-info").mkdir(exist_ok=True)
    return library


def machine(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*real[:4], name)))


def test_the_one_that_is_here() -> None:
    found = engines.find("wasmtime")
    assert found.reason == "" and found.path is not None and os.path.isfile(found.path)
    assert engines.WASMTIME_MIN <= int(found.version.split(".")[0]) <= engines.WASMTIME_MAX
    assert engines.default_names() == ("wasmtime", "wasm3")


def test_fake_needs_nothing_and_others_are_unknown() -> None:
    fake = engines.find("fake")
    assert (fake.path, fake.reason) == (None, "")
    assert (
        engines.find("wasm9").reason
        == "there is no engine 'wasm9'; there are: wasmtime, wasm2c, wasm_c_api, wasm3, fake"
    )


@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_found_in_the_path_of_this_machine(place: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    machine(monkeypatch, name)
    install(place, folder="linux-other")
    assert "not installed; python -m pip install wasmtime" in engines.find("wasmtime").reason
    library = install(place, folder=f"linux-{name}")
    found = engines.find("wasmtime")
    assert (found.path, found.version, found.reason) == (str(library), "50.0.1", "")


@pytest.mark.parametrize("name", ["armv6l", "armv7l", "mips", "riscv64"])
def test_machines_without_a_library(place: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    machine(monkeypatch, name)
    install(place)
    assert engines.find("wasmtime").reason == f"wasmtime has no library for {name}"


def test_a_32_bit_python_on_a_64_bit_machine(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, "aarch64")
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert engines.find("wasmtime").reason == "wasmtime has no library for aarch64 with a 32-bit Python"


@pytest.mark.parametrize(
    ("version", "fine"),
    [
        ("40.0.0", True),
        ("50.0.1", True),
        ("45.1.2.dev3", True),
        ("39.9.9", False),
        ("51.0.0", False),
        ("", True),
    ],
)
def test_versions(place: Path, monkeypatch: pytest.MonkeyPatch, version: str, fine: bool) -> None:
    machine(monkeypatch, "x86_64")
    library = install(place, version)
    for found in (engines.find("wasmtime"), engines.find("wasmtime", str(library))):
        assert found.version == version and (found.reason == "") == fine
        if not fine:
            assert found.reason == (
                f"wasmtime {version} is not supported, versions 40 to 50 are; "
                "python -m pip install 'wasmtime>=40,<51'"
            )


def test_a_given_path(place: Path) -> None:
    assert engines.find("wasmtime", "/nowhere/lib.so").reason == "/nowhere/lib.so is no file"
    assert engines.find("wasmtime", str(place)).reason.endswith("is no file")


def test_entries_of_the_path_that_are_no_folders(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, "x86_64")
    install(place)
    monkeypatch.setattr(sys, "path", ["", "/nowhere", str(place / "zip.zip"), str(place)])
    assert engines.find("wasmtime").reason == ""


def test_any_library_of_the_c_api_is_named(place: Path) -> None:
    assert "name it by engine_path= or $WASI_NATIVE_ENGINE_PATH" in engines.find("wasm_c_api").reason
    library = install(place)
    found = engines.find("wasm_c_api", str(library))
    assert (found.path, found.version, found.reason, found.risk) == (str(library), "50.0.1", "", "")
    assert engines.find("wasm_c_api", "/nowhere/lib.so").reason == "/nowhere/lib.so is no file"


def test_wasm3_of_the_system_is_better_than_that_of_2021(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = place / "lib"
    monkeypatch.setattr(engines, "_library_folders", lambda: (str(system),))
    assert engines.find("wasm3").reason.startswith("wasm3 is not here: ")
    assert "python -m pip install pywasm3" in engines.find("wasm3").reason
    (place / "wasm3.cpython-311-arm-linux-gnueabihf.so").touch()
    (place / "pywasm3-0.5.0.dist-info").mkdir()
    old = engines.find("wasm3")
    assert (old.path, old.version, old.reason) == (
        str(place / "wasm3.cpython-311-arm-linux-gnueabihf.so"),
        "0.5.0",
        "",
    )
    assert "published memory-safety advisories" in old.risk and "engine='wasm3'" in old.risk
    assert engines.find("wasm3", str(old.path)).risk == old.risk
    system.mkdir()
    (system / "libm3.so").touch()
    assert engines.find("wasm3").path == str(system / "libm3.so")
    (system / "libwasm3.so").touch()
    best = engines.find("wasm3")
    assert (best.path, best.version, best.reason, best.risk) == (str(system / "libwasm3.so"), "", "", "")


def test_the_automatic_choice_takes_no_engine_with_a_risk(
    old_wasm3: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_library_folders", lambda: ())
    shutil.copy(old_wasm3, place / "wasm3.so")
    (place / "pywasm3-0.5.0.dist-info").mkdir()
    with Host(board="raspberry-pi-zero-w") as host, pytest.raises(EngineMissing, match="advisories"):
        host.load(b"\0asm\1\0\0\0")
    with Host(board="raspberry-pi-zero-w", engine="wasm3") as host:
        assert (host.engine, host.engine_version) == ("wasm3", "0.5.0")


def test_a_board_takes_the_engine_that_it_prefers(
    new_wasm3: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_library_folders", lambda: (str(place),))
    shutil.copy(new_wasm3, place / "libwasm3.so")
    hello = build.guest("hello").read_bytes()
    for board in ("raspberry-pi-zero-w", "generic-x86_64"):  # here wasmtime is better, and is not found
        with Host(Policy(stdout=Capture()), board=board) as host, host.load(hello) as module:
            assert (host.engine, host.engine_path) == ("wasm3", str(place / "libwasm3.so"))
            with module.instantiate() as instance:
                assert instance.run() == 0 and instance.stdout.startswith(b"hello")


def test_an_engine_that_does_not_open_is_passed_over_unless_it_is_named(
    new_wasm3: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As wasmtime's library for musl where libgcc_s.so.1 is not: here its file is empty."""
    monkeypatch.setattr(engines, "_library_folders", lambda: (str(place),))
    broken = install(place, folder=f"linux-{os.uname().machine}")
    assert engines.find("wasmtime").reason == ""
    with Host(board="generic-x86_64") as host:
        assert host.engine == "wasm2c"
        told = f"runs WebAssembly modules: wasmtime \\({broken}\\): .*too short.* wasm3 is not here"
        with pytest.raises(EngineMissing, match=told):
            host.load(b"\0asm\1\0\0\0")
    shutil.copy(new_wasm3, place / "libwasm3.so")
    hello = build.guest("hello").read_bytes()
    with Host(Policy(stdout=Capture()), board="generic-x86_64") as host:
        assert host.engine == "wasm3"
        with host.load(hello) as module, module.instantiate() as instance:
            assert instance.run() == 0 and instance.stdout.startswith(b"hello")
    for named in ({"engine": "wasmtime"}, {"engine_path": str(broken)}):
        with pytest.raises(EngineError, match="too short"):
            Host(board="generic-x86_64", **named)


def test_the_environment_names_engine_and_library(
    new_wasm3: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WASI_NATIVE_ENGINE", "wasm3")
    monkeypatch.setenv("WASI_NATIVE_ENGINE_PATH", str(new_wasm3))
    with Host() as host:
        assert (host.engine, host.engine_path) == ("wasm3", str(new_wasm3))


def test_folders_of_the_system() -> None:
    folders = engines._library_folders()
    assert folders.index("/usr/local/lib") < folders.index("/usr/lib") < folders.index("/lib")


def test_looking_imports_nothing() -> None:
    code = "import sys; from wasi_native import Host; Host(); sys.exit('wasmtime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_the_declared_range_is_that_of_the_package() -> None:
    text = (Path(__file__).parents[1] / "setup.py").read_text()
    assert f"wasmtime>={engines.WASMTIME_MIN},<{engines.WASMTIME_MAX + 1};" in text

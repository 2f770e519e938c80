"""``wasi-native doctor``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.libraries import build_wasm3
from tests.guests.build import run_tool
from wasi_native import engines
from wasi_native.cli import doctor

Tool = Callable[..., Any]


def test_json(tool: Tool) -> None:
    done = tool("doctor", "--json")
    found = json.loads(done.out)
    assert done.status == 0 and found["usable"] and found["engine"] == "wasmtime"
    for engine in found["engines"].values():
        assert {"available", "version", "path", "caps"} <= set(engine)
    wasmtime = found["engines"]["wasmtime"]
    assert wasmtime["available"] and "interrupt" in wasmtime["caps"] and Path(wasmtime["path"]).is_file()
    assert found["kernel"]["resolver"] in ("openat2", "walk")
    assert found["board"]["id"] and found["cache"]["path"] and found["missing"] == []


def test_text(tool: Tool) -> None:
    done = tool("doctor")
    assert done.status == 0
    for word in (
        "python",
        "kernel",
        "openat2",
        "resolver",
        "wipe on fork",
        "cache",
        "ENGINE",
        "wasmtime  yes",
        "compile       wasm2c: ",
        ", compiler: zig, sign: cryptography",
    ):
        assert word in done.out


def test_the_resolver_that_is_forced(tool: Tool) -> None:
    found = json.loads(tool("doctor", "--json", env={"WASI_NATIVE_RESOLVER": "walk"}).out)
    assert found["kernel"]["resolver"] == "walk"


def test_what_is_missing_and_how_to_get_it(tool: Tool) -> None:
    done = tool("doctor", env={"WASI_NATIVE_ENGINE_PATH": "/nowhere/lib.so"})
    assert done.status == 1 and "missing: " in done.out
    assert "to install it: python -m pip install wasmtime" in done.out and "cannot be run" in done.out
    found = json.loads(tool("doctor", "--json", env={"WASI_NATIVE_ENGINE_PATH": "/nowhere/lib.so"}).out)
    assert not found["usable"] and not found["engines"]["wasmtime"]["available"]


def test_an_engine_that_is_here_and_does_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """wasmtime's library for musl needs libgcc_s.so.1: one that needs what is not here stands for it."""
    library = tmp_path / "wasmtime" / f"linux-{os.uname().machine}" / "_libwasmtime.so"
    library.parent.mkdir(parents=True)
    source, needed = tmp_path / "empty.c", tmp_path / "libgcc_s_none.so.1"
    source.write_text("")
    link = [sys.executable, "-m", "ziglang", "cc", "-shared", "-nostdlib", str(source)]
    run_tool([*link, "-Wl,-soname,libgcc_s_none.so.1", "-o", str(needed)])
    run_tool([*link, "-Wl,--no-as-needed", str(needed), "-o", str(library)])
    needed.unlink()
    wasm3 = build_wasm3("new")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(engines, "_library_folders", lambda: (str(tmp_path),))
    (tmp_path / "libwasm3.so").write_bytes(wasm3.read_bytes())
    found = doctor.report()
    assert (found["usable"], found["engine"]) == (True, "wasm3")
    why = f"wasmtime ({library}): libgcc_s_none.so.1: cannot open shared object file"
    assert not found["engines"]["wasmtime"]["available"] and why in found["engines"]["wasmtime"]["reason"]
    (missing,) = found["missing"]
    assert why in missing["what"] and missing["command"] == "apk add libgcc"
    library.write_bytes(b"")
    (missing,) = doctor.report()["missing"]
    assert missing["command"] == "python -m pip install wasmtime --force-reinstall"


def test_a_cache_problem(tool: Tool) -> None:
    done = tool("doctor", env={"WASI_NATIVE_CACHE": "/dev/null"})
    assert done.status == 0 and "not a directory" in done.out


def test_without_the_compiled_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wasi_native.host", None)
    found = doctor.report()
    assert not found["usable"] and "compiled part" in found["missing"][0]["what"]
    assert "cannot be run" in doctor._text(found)


def test_usage(tool: Tool) -> None:
    assert tool("doctor", "x").status == 2


def test_what_is_published_against_an_engine(tool: Tool) -> None:
    wasm3 = json.loads(tool("doctor", "--json").out)["engines"]["wasm3"]
    assert wasm3["available"] and any("CVE-2021-38592" in line for line in wasm3["advisories"])
    if wasm3["version"] == "0.5.0":  # pywasm3: taken by name alone
        assert "published memory-safety advisories" in wasm3["risk"]
    assert "published: wasm3: CVE-2021-38592" in tool("doctor").out

"""host.py: engines, the range of their versions, closing, the limits of a board."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import wasi_native
from tests.guests import build
from tests.host.functions import functions
from tests.support import fake_module
from wasi_native import (
    Capture,
    EngineError,
    EngineMissing,
    Host,
    InstanceDead,
    LimitExceeded,
    Limits,
    MemoryDir,
    Policy,
    Timeout,
    Trap,
    engines,
)


def test_run_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert wasi_native.run(build.guest("hello")) == 0
    assert wasi_native.run(os.fspath(build.guest("hello"))) == 0
    assert wasi_native.run(build.guest("hello").read_bytes(), stdout=None) == 0
    assert capfd.readouterr().out.count("hello") == 2
    assert wasi_native.run(build.wat("raw"), stdout=None) == 7
    with pytest.raises(TypeError, match="not both"):
        wasi_native.run(build.wat("raw"), "arg", policy=Policy())


def test_closing(guest: Any) -> None:
    host = Host(engine="fake")
    module = host.load(fake_module(1))
    with module.instantiate() as instance:
        pass
    instance.close()
    assert instance.end == "closed" and host.instances == 0
    for use in (lambda: instance.call("sched_yield"), lambda: instance.memory, lambda: instance.usage):
        with pytest.raises((InstanceDead, ValueError)):
            use()
    instance.cancel()
    alive = module.instantiate()
    module.close()
    module.close()
    with pytest.raises(RuntimeError, match="is closed"):
        module.instantiate()
    host.close()
    host.close()
    with pytest.raises(RuntimeError, match="the host is closed"):
        host.load(fake_module(1))
    assert alive.call("sched_yield") == 0  # engine and module live as long as it does
    alive.close()
    left = Host(engine="fake").load(fake_module(1)).instantiate()
    del left  # collected: as closed


def test_an_engine_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(
        EngineMissing, match="there is no engine 'nonsense'; there are: wasmtime, wasm2c, wasm_c_api"
    ):
        Host(engine="nonsense")
    with pytest.raises(EngineMissing, match="is no file"):
        Host(engine="wasmtime", engine_path=str(tmp_path / "none.so"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(EngineMissing, match="wasmtime is not installed; python -m pip install wasmtime"):
        Host(engine="wasmtime", board="generic-x86_64")
    with Host(board="generic-x86_64") as host:  # for compiled guests
        assert host.engine == "wasm2c" and host.engine_path is None
        text = "x.wasm: no engine here runs WebAssembly modules: wasmtime is not installed; python -m pip install"
        (tmp_path / "x.wasm").write_bytes(b"\0asm\1\0\0\0")
        with pytest.raises(EngineMissing, match=re.escape(text)):
            host.load(tmp_path / "x.wasm")
        with pytest.raises(
            EngineMissing, match="<text>: no engine here reads WebAssembly text: wasmtime is not inst"
        ):
            host.load("(module)")
    monkeypatch.setenv("WASI_NATIVE_ENGINE", "fake")
    with Host() as host:
        assert host.engine == "fake"
    monkeypatch.setenv("WASI_NATIVE_ENGINE", "other")
    with pytest.raises(EngineMissing, match="no engine 'other'"):
        Host()


def test_a_library_that_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(EngineError, match=r"text\.so"):
        Host(engine="wasmtime", engine_path=str(tmp_path / "text.so"))
    with pytest.raises(EngineError, match="not a library of a wasmtime that is supported"):
        Host(engine="wasmtime", engine_path=wasi_native._core.__file__)


def test_wrong_words() -> None:
    with pytest.raises(ValueError, match="resolver 'magic' is none of: auto, openat2, walk"):
        Host(resolver="magic")
    with pytest.raises(TypeError, match="a Policy is needed, not str"):
        Host("policy")  # type: ignore[arg-type]
    with pytest.raises(wasi_native.BoardError):
        Host(board="no-such-board")


@pytest.mark.parametrize("version", ["40.0.0", "50.0.1"])
def test_both_ends_of_the_declared_range(version: str, tmp_path: Path) -> None:
    """The wheel of that version, fetched once: a program, callbacks, traps, limits, an interruption, the cache."""
    major = int(version.split(".")[0])
    assert major in (engines.WASMTIME_MIN, engines.WASMTIME_MAX)
    folder = build.BUILD / "engines" / f"wasmtime-{version}"

    def fetch(part: Path) -> None:
        part.mkdir()
        build.run_tool(
            [
                *(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"),
                *("--dest", str(part), f"wasmtime=={version}"),
            ]
        )
        (wheel,) = part.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names = [
                n for n in archive.namelist() if n.endswith("_libwasmtime.so") or ".dist-info/METADATA" in n
            ]
            archive.extractall(part, names)
        wheel.unlink()

    folder.parent.mkdir(parents=True, exist_ok=True)
    build.once(folder, version, fetch)
    (library,) = folder.rglob("_libwasmtime.so")
    policy = Policy(stdout=Capture(), limits=Limits(fuel=10**9, memory=1 << 24, table_elements=100))
    with Host(
        policy, engine="wasmtime", engine_path=str(library), cache=tmp_path, board="generic-x86_64"
    ) as host:
        assert host.engine_version == version
        for _ in range(2):  # compiled, then from the cache
            with host.load(build.guest("hello")).instantiate() as instance:
                assert instance.run() == 0 and instance.stdout.startswith(b"hello")
        with host.load(build.wat("callback")).instantiate(functions=functions()) as instance:
            assert instance.call("repeat", 1000) == 1000 and instance.call("scale", 1.5, 2.0) == 3.0
        with host.load(build.wat("values")).instantiate() as instance:
            assert instance.call("all", -1, 2**40, 1.5, -2.25) == (-1, 2**40, 1.5, -2.25)
        with host.load(build.guest("crash")).instantiate() as instance:
            with pytest.raises(Trap) as caught:
                instance.run()
            assert caught.value.kind == "unreachable" and any(
                "crash" in line for line in caught.value.backtrace
            )
        with host.load(build.wat("table")).instantiate() as instance:
            assert instance.call("grow", 1000) == -1
        with host.load(build.wat("memory")).instantiate() as instance:
            assert instance.call("grow", 1000) == -1
        with (
            host.load(build.wat("loop")).instantiate() as instance,
            pytest.raises(LimitExceeded, match="fuel"),
        ):
            instance.run()
        with host.load(build.wat("start_trap")) as module, pytest.raises(Trap) as caught:
            module.instantiate()
        assert (caught.value.kind, str(caught.value)) == (
            "unreachable",
            "an unreachable instruction was executed",
        )
    with (
        Host(engine="wasmtime", engine_path=str(library), cache=False) as host,
        host.load(build.wat("loop")) as module,
        module.instantiate() as instance,
        pytest.raises(Timeout),
    ):
        instance.run(timeout=0.05)


@pytest.mark.parametrize("major", [engines.WASMTIME_MIN - 1, engines.WASMTIME_MAX + 1])
def test_an_unknown_major_is_one_clear_sentence(tmp_path: Path, major: int) -> None:
    (tmp_path / f"wasmtime-{major}.0.0.dist-info").mkdir()
    library = tmp_path / "wasmtime" / "linux-x86_64" / "_libwasmtime.so"
    library.parent.mkdir(parents=True)
    library.touch()
    with pytest.raises(
        EngineMissing, match=rf"wasmtime {major}.0.0 is not supported, versions 40 to 50 are; python"
    ):
        Host(engine="wasmtime", engine_path=str(library))


def test_the_board_s_limits_hold_where_the_policy_is_silent() -> None:
    with Host(engine="fake", board="milkv-duo") as host, host.load(fake_module(1)) as module:
        assert host.board.limits.instances
        alive = [module.instantiate() for _ in range(host.board.limits.instances)]
        with pytest.raises(LimitExceeded, match="instances"):
            module.instantiate()
        for one in alive:
            one.close()
        module.instantiate(Policy(dirs=[MemoryDir("/m")])).close()

"""The guests build, only when they must; the driver has every row and makes raw calls."""

from __future__ import annotations

import importlib.metadata
import threading
import time
from pathlib import Path

import pytest

from tests.guests import build, driver
from wasi_native import Capture, Host, Policy
from wasi_native.errors import LinkError, ModuleError, Trap, WasiError


def test_every_guest_builds_and_is_named_after_itself() -> None:
    for name in build.names():
        path = build.guest(name)
        assert path == build.BUILD / f"{name}.wasm"
        assert path.read_bytes()[:8] == b"\0asm\1\0\0\0"


def test_the_names_of_functions_stay_and_debug_information_goes() -> None:
    data = build.guest("crash").read_bytes()
    assert b"crash_inner" in data and b".debug_" not in data
    assert b"crash_inner" not in build.guest("hello").read_bytes()


def test_without_debug_drops_debug_sections_alone() -> None:
    def section(number: int, body: bytes) -> bytes:
        return bytes([number, len(body)]) + body

    head = b"\0asm\1\0\0\0"
    kept = section(0, b"\x04name\x00"), section(1, b"\x00"), section(0, b"\x05.data")
    gone = section(0, b"\x0b.debug_info" + b"x" * 40), section(0, b"\x07.debug_")
    assert build.without_debug(head + kept[0] + gone[0] + kept[1] + gone[1] + kept[2]) == head + b"".join(
        kept
    )
    long = b"\0" + b"\xc0\x01" + b"\x06.other" + b"y" * 185  # a size of two bytes
    assert build.without_debug(head + long) == head + long


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "BUILD", tmp_path)
    return tmp_path


def test_once_makes_it_once_for_each_key(place: Path) -> None:
    made: list[str] = []

    def make(part: Path) -> None:
        made.append(part.name)
        part.write_text(f"version {len(made)}")

    for key in ("a", "a", "b", "b"):
        build.once(place / "thing", key, make)
    assert made == ["thing", "thing"]
    assert (place / "thing").read_text() == "version 2"
    (place / "thing").unlink()
    build.once(place / "thing", "b", make)
    assert len(made) == 3


def test_once_leaves_nothing_behind_when_it_fails(place: Path) -> None:
    def make(part: Path) -> None:
        part.write_text("half")
        raise build.GuestBuildError("why")

    with pytest.raises(build.GuestBuildError, match="why"):
        build.once(place / "thing", "a", make)
    assert [path.name for path in place.iterdir()] == [".thing.lock"]


def test_once_replaces_a_directory(place: Path) -> None:
    for key in ("one", "two"):

        def make(part: Path, key: str = key) -> None:
            part.mkdir()
            (part / key).touch()

        build.once(place / "tree", key, make)
    assert [path.name for path in (place / "tree").iterdir()] == ["two"]


def test_once_waits_for_another_that_makes_the_same(place: Path) -> None:
    made: list[str] = []

    def make(part: Path) -> None:
        made.append(part.name)
        time.sleep(0.1)
        part.write_text("done")

    threads = [threading.Thread(target=build.once, args=(place / "thing", "a", make)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["thing"]


def test_a_missing_compiler_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    build.zig_version.cache_clear()
    assert build.main(["hello"]) == 1
    assert "-m pip install ziglang" in capsys.readouterr().err


def test_unknown_guests_and_tools_are_named() -> None:
    with pytest.raises(build.GuestBuildError, match=r"no guest 'nobody'; there are: cat, "):
        build.guest("nobody")
    with pytest.raises(build.GuestBuildError, match=r"no guest 'nobody'; there are: callback, "):
        build.wat("nobody")
    with pytest.raises(build.GuestBuildError, match="ended with code 3:\nwhy"):
        build.run_tool(["sh", "-c", "echo why; exit 3"])
    with pytest.raises(build.GuestBuildError, match="no-such-tool: No such file"):
        build.run_tool(["no-such-tool"])


@pytest.mark.parametrize(("module", "count"), [("wasi_snapshot_preview1", 46), ("wasi_unstable", 45)])
def test_the_driver_has_every_function(module: str, count: int) -> None:
    assert len(driver.signatures(module)) == count
    policy = Policy(args=("one", "two"), stdout=Capture())
    with Host(policy) as host, host.load(driver.driver_wat(2, 3, module)).instantiate() as guest:
        names = {export.name for export in guest.module.exports}
        assert names == set(driver.signatures(module)) | {"memory", "memory_grow"}
        assert guest.call("args_sizes_get", 0, 4) == 0
        assert guest.memory.u32(0) == 3  # the program's name is the first
        assert guest.call("fd_close", 99) == 8
        guest.memory.write(64, b"\x50\0\0\0\x03\0\0\0")
        guest.memory.write(80, b"raw")
        assert guest.call("fd_write", 1, 64, 1, 72) == 0
        assert (guest.memory.u32(72), guest.stdout) == (3, b"raw")
        assert [guest.call("memory_grow", 1), guest.call("memory_grow", 1)] == [2, -1]


def test_the_driver_can_have_some_functions() -> None:
    wat = driver.driver_wat(only=("fd_close", "clock_time_get"))
    assert wat.count("(import") == 2 and '"clock_time_get" (func $clock_time_get (param i32 i64 i32)' in wat
    with pytest.raises(KeyError):
        driver.driver_wat(only=("fd_teleport",))
    with pytest.raises(KeyError):
        driver.signatures("wasi_nowhere")


# What each text guest is there for; a new one needs a line here.
ENDS: dict[str, object] = {
    "callback": LinkError,
    "data_outside": Trap,
    "high": None,
    "loop": None,
    "memory": None,
    "memory64": WasiError,
    "missing": LinkError,
    "no_memory": None,
    "raw": 7,
    "shared_memory": ModuleError,
    "start_exit": WasiError,
    "start_trap": Trap,
    "table": None,
    "two_memories": None,
    "unstable": 7,
    "values": None,
    "wrong_memory": WasiError,
}


@pytest.mark.parametrize("name", build.wats())
def test_wat(name: str) -> None:
    end = ENDS[name]
    with Host(Policy()) as host:
        if isinstance(end, type) and issubclass(end, Exception):
            with pytest.raises(end):
                host.load(build.wat(name)).instantiate().close()
            return
        with host.load(build.wat(name)).instantiate() as guest:
            if isinstance(end, int):
                assert guest.run() == end

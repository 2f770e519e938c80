"""A plugin of pytest for a board: the cases of the short set, what an emulator cannot do, the result.

It is loaded by name on the board: ``-p tests.boards.plugin``, with BOARD_RESULT, BOARD_PART and BOARD_QEMU set.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
import zlib
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.guests import aot, remote
from wasi_native import Host, ModuleError

START = time.monotonic()
PART = os.environ.get("BOARD_PART", "")  # "" for all cases, else a number: one case of each test
HALF = os.environ.get("BOARD_HALF", "")  # "0", "1": half of the tests
QEMU = os.environ.get("BOARD_QEMU", "")
_NONE = ("no wasmtime", "there is no library of it to compare with or to mistake for another")
# Test: (where, why) for what an emulator or a root cannot do. "qemu", "qemu-7", "i386", a machine.
CANNOT: dict[str, tuple[str, str]] = {
    "tests/engine/test_wasm3.py::test_the_extension_module_of_pywasm3": (
        "board",
        "wasm3 is there as an extension module already, of the newer tree",
    ),
    "tests/engine/test_wasm2c.py::test_addresses_from_2_31_up": (
        "armv6l",
        "2 GiB in one piece are not free beside the emulated musl",
    ),
    "tests/p2/test_direct.py::test_go": ("board", "its module is made by Go, which no board has"),
    "tests/sys/test_path_open.py::test_kernel_calls_of_an_open": ("qemu-7", "it counts calls of openat2"),
    "tests/engine/test_trap.py::test_names_of_functions_are_no_traps": _NONE,
    "tests/engine/test_wasm2c.py::test_numbers_are_those_of_another_engine": _NONE,
    "tests/engine/test_wasm3.py::test_libraries_that_are_none": _NONE,
    "tests/engine/test_wasm3.py::test_no_write_behind_its_stack": (
        "board",
        "the library is built with the sanitizer of the machine around the board",
    ),
}


ENGINES = {"fake", "wasmtime", "wasm2c", "wasm_c_api", "wasm3"}
HERE = set(os.environ.get("WASI_NATIVE_TEST_ENGINES", "").split(","))


def where() -> set[str]:
    """The names of this board, as CANNOT has them."""
    lacking = {f"no {name}" for name in ENGINES - HERE}
    return {"board", os.uname().machine, *lacking, *(["qemu", f"qemu-{QEMU}"] if QEMU else [])}


def engines_of(item: str) -> set[str]:
    """The engines that the name of a case tells."""
    return ENGINES & set(re.split(r"[- ]", item.partition("[")[2].rstrip("]")))


def _can_be(item: pytest.Item) -> bool:
    """Whether the case is of engines that are here: another one is of no board like this."""
    name = item.nodeid
    return engines_of(name) <= HERE and not ("test_wasmtime.py" in name and "wasmtime" not in HERE)


def _here(test: str) -> bool:
    """Emulated boards share the tests of the short set: each runs on one with 64 bits and on one with 32."""
    return not HALF or "tests/boards/on_" in test or zlib.crc32(test.encode()) % 2 == int(HALF)


def _chosen(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of the cases of each test one, another on each board: together they run more than each one alone."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(item.nodeid.partition("[")[0], []).append(item)
    groups = {name: group for name, group in groups.items() if _here(name)}
    # the last bit chose the half: with it one engine of two would never be met
    return [
        group[(int(PART) + (zlib.crc32(name.encode()) >> 1)) % len(group)] for name, group in groups.items()
    ]


def _assembled(host: Host, source: bytes, name: str = "<text>") -> bytes:
    try:
        return aot.binary(source)
    except remote.RemoteError as error:
        raise ModuleError(f"{name}: {error}") from None


def pytest_configure() -> None:
    """A shell starts what it runs in the background with SIGINT ignored, and tests send themselves one. Where no
    engine reads text modules, the machine around the board does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "wasmtime" not in HERE:
        Host.assemble = _assembled  # type: ignore[method-assign]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A library of its own is called by ctypes, which Python on musl has not here."""
    lacking = find_spec("_ctypes") is None and collection_path.suffix == ".py"
    return True if lacking and "from tests.mem" in collection_path.read_text() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = [item for item in items if _can_be(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept
    for item in items:
        place, why = CANNOT.get(item.nodeid.partition("[")[0], ("", ""))
        if place in where():
            item.add_marker(pytest.mark.skip(reason=f"on {place}: {why}"))
    if PART:
        kept = _chosen(items)
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    engines: Counter[str] = Counter()
    programs = {}
    for report in stats.get("passed", []):
        engines.update(engines_of(report.nodeid))
        programs.update({name: sizes for key, (name, *sizes) in report.user_properties if key == "program"})
    result = {
        **{name: len(stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")},
        "engines": dict(engines),
        "programs": programs,  # compiled ahead of time, with the same output: bytes as a module, bytes as it ran
        "seconds": round(time.monotonic() - START, 1),
        "cpu_seconds": round(sum(os.times()[:4]), 1),  # of this process and of those that it started
    }
    Path(os.environ["BOARD_RESULT"]).write_text(json.dumps(result))

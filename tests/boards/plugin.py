"""A plugin of pytest for a board: the cases of the short set, what an emulator cannot do, the result.

It is loaded by name on the board: ``-p tests.boards.plugin``, with BOARD_RESULT, BOARD_PART and BOARD_QEMU set.
"""

from __future__ import annotations

import json
import os
import signal
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

START = time.monotonic()
PART = os.environ.get("BOARD_PART", "")  # "" for all cases, else a number: one case of each test
QEMU = os.environ.get("BOARD_QEMU", "")
# Test: (where, why) for what an emulator or a root cannot do. "qemu", "qemu-7", "i386", a machine.
CANNOT: dict[str, tuple[str, str]] = {}


def where() -> set[str]:
    """The names of this board, as CANNOT has them."""
    return {os.uname().machine, *(["qemu", f"qemu-{QEMU}"] if QEMU else [])}


def _chosen(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of the cases of each test one, another on each board: together they run more than each one alone."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(item.nodeid.partition("[")[0], []).append(item)
    return [group[(int(PART) + zlib.crc32(name.encode())) % len(group)] for name, group in groups.items()]


def pytest_configure() -> None:
    """A shell starts what it runs in the background with SIGINT ignored, and tests send themselves one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
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
    for report in stats.get("passed", []):
        words = set(report.nodeid.partition("[")[2].rstrip("]").replace(" ", "-").split("-"))
        engines.update(words & {"fake", "wasmtime", "wasm3", "wasm2c", "wasm_c_api"})
    result = {
        **{name: len(stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")},
        "engines": dict(engines),
        "seconds": round(time.monotonic() - START, 1),
    }
    Path(os.environ["BOARD_RESULT"]).write_text(json.dumps(result))

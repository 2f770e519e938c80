"""Programs of C, C++, Rust and Go as compiled guests on the board: not one byte differs from what wasmtime made of
their modules on the machine beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boards.programs import play
from tests.guests import aot, remote

LARGE_ON = ("aarch64", "armv6l")  # where the short set has the large one; the long set has it on each board


def same(name: str, record: Callable[[str, object], None]) -> int:
    """The size of the module, when the outcome is that of wasmtime."""
    target = aot.Target.native()
    made = json.loads(remote.ask("program", name=name, target=[target.arch, target.libc]).read_text())
    program = Path(made["wno"])
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    assert play(name, "--engine=wasm2c", f"--allow-native={digest}", program) == made["expected"]
    record("program", (name, made["module"], made["bytes"]))
    return int(made["module"])


def test_c(record_property: Callable[[str, object], None]) -> None:
    same("words", record_property)


def test_cpp(record_property: Callable[[str, object], None]) -> None:
    same("stock", record_property)


def test_rust(record_property: Callable[[str, object], None]) -> None:
    same("report", record_property)


def test_go(record_property: Callable[[str, object], None]) -> None:
    """More than a megabyte."""
    if os.environ["BOARD_PART"] and os.environ["BOARD_NAME"] not in LARGE_ON:
        pytest.skip("its C is 32 MB: minutes of compiling, so in the short set on two boards")
    assert same("work", record_property) > 1 << 20

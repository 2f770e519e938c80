"""The rows: what the notation means, what it refuses, and that the checked-in header is what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.guests import driver

ABI = driver.ABI
HEAD = "type fd u32\ntype size u64\ntype delta s64\ntype ptr u32\nmodule m\n"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return driver._generate()


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, os.fspath(folder / "abi" / "generate.py"), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's rows and headers, to be spoilt."""
    package = tmp_path / "wasi_native"
    shutil.copytree(ABI, package / "abi", ignore=shutil.ignore_patterns("__pycache__"))
    names = ["wasi_native/component/types.py", "include/wasi_native/errno.def"]
    for name in [*names, "wasi_native/core/p1/rows.gen.h", "wasi_native/core/p2/rows.gen.h"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ABI.parents[1] / name, tmp_path / name)
    return package


def test_the_checked_in_header_is_what_the_rows_say() -> None:
    done = run(ABI.parent, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_fails_on_drift_and_writes_nothing(copy: Path) -> None:
    header = copy / "core/p1/rows.gen.h"
    text = header.read_text().replace("fd_close", "fd_shut", 1)
    header.write_text(text)
    done = run(copy, "--check")
    assert done.returncode == 1 and "rows.gen.h is not what the rows say" in done.stderr
    assert header.read_text() == text
    assert run(copy).returncode == 0
    assert header.read_text() == (ABI.parent / "core/p1/rows.gen.h").read_text()
    assert run(copy, "--check").returncode == 0


def test_check_fails_when_a_row_changes(copy: Path) -> None:
    rows = copy / "abi/p1.rows"
    rows.write_text(rows.read_text().replace("sched_yield -> errno", "sched_yield fd:fd -> errno"))
    assert run(copy, "--check").returncode == 1


def test_check_fails_without_a_header(copy: Path) -> None:
    (copy / "core/p1/rows.gen.h").unlink()
    assert run(copy, "--check").returncode == 1


def test_a_wrong_line_is_named_by_file_and_number(copy: Path) -> None:
    (copy / "abi/p1.rows").write_text("# fine\nmodule m\nno arrow here\n")
    done = run(copy, "--check")
    assert done.returncode == 1 and done.stderr.startswith("p1.rows:3: ")


def test_usage(copy: Path) -> None:
    assert run(copy, "--wrong").returncode == 2


def test_parse(generate: ModuleType) -> None:
    rows = generate.parse(
        HEAD + "a_b fd:fd n:size by:delta -> errno [files] # why\n\nc -> none [process]\n", "x"
    )
    assert [(row.module, row.name, row.result, row.group) for row in rows] == [
        ("m", "a_b", "errno", "files"),
        ("m", "c", "none", "process"),
    ]
    assert [(param.name, param.base) for param in rows[0].params] == [
        ("fd", "u32"),
        ("n", "u64"),
        ("by", "s64"),
    ]


def test_parse_an_alias(generate: ModuleType) -> None:
    text = HEAD + "a fd:fd -> errno [x]\nb -> errno [x]\nc -> errno [x]\n"
    rows = generate.parse(text + "alias wasi_old\nwithout b\na fd:fd -> errno [x]\n", "x")
    assert [(row.module, row.name, row.handler) for row in rows] == [
        ("m", "a", "a"),
        ("m", "b", "b"),
        ("m", "c", "c"),
        ("wasi_old", "a", "old_a"),
        ("wasi_old", "c", "c"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no functions"),
        ("# nothing\n", "no functions"),
        ("type fd u32\na fd:fd -> errno [x]\n", "x:2: not a line"),  # no module yet
        ("module m\na fd:fd -> errno [x]\n", "x:2: no type fd"),
        ("type fd u31\nmodule m\n", "x:1: not a line"),
        (HEAD + "a fd:fd -> errno\n", "x:6: not a line"),
        (HEAD + "a fd:fd -> errno [x] more\n", "x:6: not a line"),
        (HEAD + "a fd -> errno [x]\n", "x:6: not a line"),
        (HEAD + "a fd:fd -> number [x]\n", "x:6: not a line"),
        (HEAD + "A fd:fd -> errno [x]\n", "x:6: not a line"),
        (HEAD + "a  fd:fd -> errno [x]\n", "x:6: not a line"),
        (HEAD + "a fd:fd -> errno [x]\na -> errno [x]\n", "x:7: a is here twice"),
        (HEAD + "module n\n", "x:6: not a line"),
        (HEAD + "without a\n", "x:6: not a line"),
        (HEAD + "a -> errno [x]\nalias n\nwithout b\n", "x:8: no function b"),
        (HEAD + "a -> errno [x]\nalias n\nb -> errno [x]\n", "x:8: b differs from nothing"),
        (HEAD + "a -> errno [x]\nalias n\nalias o\n", "x:8: not a line"),
        ("alias n\n", "x:1: not a line"),
    ],
)
def test_parse_refuses(generate: ModuleType, text: str, message: str) -> None:
    with pytest.raises(generate.RowsError) as error:
        generate.parse(text, "x")
    assert str(error.value).startswith(message) or message in str(error.value)


def test_header(generate: ModuleType) -> None:
    rows = generate.parse(HEAD + "a fd:fd by:delta -> errno [files]\nb -> none [process]\n", "x")
    text = generate.header("p9", rows, "p9.rows")
    assert "wn_err_t wn_p9_a(wn_guest_t *guest, uint32_t fd, int64_t by);" in text
    assert '{"m", "a", "iI", "i", "fd,by", "files", call_a, NULL, NULL},' in text
    assert '{"m", "b", "", "", "", "process", call_b, NULL, NULL},' in text
    assert "wn_p9_table[2]" in text and max(map(len, text.splitlines())) <= 118


def test_wrapped(generate: ModuleType) -> None:
    text = generate.wrapped("f(", [f"argument_{number}" for number in range(30)], ");")
    lines = text.splitlines()
    assert len(lines) > 2 and max(map(len, lines)) <= 118 and lines[-1].endswith(");")
    assert all(line.startswith("  argument") for line in lines[1:])

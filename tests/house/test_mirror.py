"""The tests mirror the sources: one test file per source file, and no row without a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guests.driver import ABI, _generate, signatures
from tests.house.tree import CORE, PACKAGE, ROOT, c_sources, relative

TESTS = ROOT / "tests"

# A file whose test has another name, and why.
ELSEWHERE = {
    "wasi_native/core/link.c": "test_link.py",
    "wasi_native/core/err.c": "test_errors.py",
    **{
        f"wasi_native/core/sys/{name}.c": "c/test_rooms.py"
        for name in ("net", "inet", "tcp", "udp", "lookup")
    },
    "wasi_native/core/p1/p1.c": "house/test_mirror.py",  # the table itself: rows_are_served() below
    "wasi_native/core/p2/p2.c": "house/test_mirror.py",
    "wasi_native/__init__.py": "test_init.py",
    "wasi_native/__main__.py": "cli/test_main.py",
    "wasi_native/cli/__init__.py": "cli/test_main.py",
    "wasi_native/host/__init__.py": "host/test_host.py",
    "wasi_native/component/__init__.py": "component/test_binary.py",
    "wasi_native/_core.pyx": "test_core.py",
    "wasi_native/_flags.py": "test_core.py",
}


def names(stem: str) -> list[str]:
    """fd_fdstat: test_fd_fdstat.py, or test_fd.py, as long as that is one file."""
    words = stem.split("_")
    return [f"test_{'_'.join(words[:count])}.py" for count in range(len(words), 0, -1)]


def homes(path: Path) -> list[Path]:
    if relative(path) in ELSEWHERE:
        return [TESTS / ELSEWHERE[relative(path)]]
    if path.is_relative_to(CORE):
        parts = path.parent.relative_to(CORE).parts  # ("p1",), ("os", "posix")
        places = [TESTS.joinpath(*parts) / name for name in names(path.stem)]
        if len(parts) == 2:
            stem = path.stem if path.stem == parts[1] else f"{parts[1]}_{path.stem}"
            places += [TESTS / parts[0] / name for name in [*names(stem), *names(path.stem)]]
        return places
    parts = path.parent.relative_to(
        PACKAGE
    ).parts  # () or ("host",): one folder, or test_host.py for all of it
    places = [TESTS.joinpath(*parts) / name for name in names(path.stem)]
    return [*places, *(TESTS / name for part in parts for name in names(f"{part}_{path.stem}"))]


def sources() -> list[Path]:
    python = [
        p
        for p in sorted(PACKAGE.rglob("*.py*"))
        if p.suffix in (".py", ".pyx") and "__pycache__" not in p.parts
    ]
    return [*c_sources(), *python]


@pytest.mark.parametrize("source", sources(), ids=relative)
def test_a_source_has_its_tests(source: Path) -> None:
    wanted = homes(source)
    assert any(path.is_file() for path in wanted), f"none of {', '.join(relative(path) for path in wanted)}"


def test_exceptions_are_of_files_that_exist() -> None:
    assert [name for name in ELSEWHERE if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("module", ["wasi_snapshot_preview1", "wasi_unstable"])
def test_no_row_without_a_test(module: str) -> None:
    """Each function is called in the tests of its file: fd_write in tests/p1/test_fd*.py."""
    texts = {path.name: path.read_text() for path in (TESTS / "p1").glob("test_*.py")}
    missing = []
    for name in signatures(module):
        word = name.split("_")[0]
        near = "".join(text for file, text in texts.items() if file.startswith(f"test_{word}"))
        if not re.search(rf"\b{name}\b", near):
            missing.append(name)
    assert missing == []
    assert len(signatures(module)) == (46 if module == "wasi_snapshot_preview1" else 45)


def test_no_row_of_0_2_without_a_test() -> None:
    """Each function that is served is called in the tests of its package, tests/p2/test_random*.py for one."""
    missing = []
    reader = _generate().generate_wit.Reader((ABI / "p2.rows").read_text(), "p2.rows")
    for func in reader.funcs:
        near = "".join(
            path.read_text()
            for path in (TESTS / "p2").glob("*.py")
            if path.name.startswith(f"test_{func.package.name}") or path.name == "streams.py"
        )
        name = func.name.rpartition("]")[2].rpartition(".")[2]
        if not func.pending and not re.search(rf"{re.escape(name)}\b", near):
            missing.append(f"{func.module} {func.name}")
    assert missing == []


def test_rows_are_served() -> None:
    """The table that the core was built with is the one of the rows, in the same order."""
    from wasi_native import trace

    served = [(module, name) for module, name, *_ in trace.rows()]
    wanted = [(m, name) for m in ("wasi_snapshot_preview1", "wasi_unstable") for name in signatures(m)]
    reader = _generate().generate_wit.Reader((ABI / "p2.rows").read_text(), "p2.rows")
    wanted += [(func.module, func.name) for func in reader.funcs if not func.pending]
    assert served == wanted


def test_the_older_module_differs_in_four_rows() -> None:
    handlers = re.findall(r"\bwn_err_t wn_p1_unstable_(\w+)\(", (CORE / "p1" / "rows.gen.h").read_text())
    assert sorted(set(handlers)) == ["fd_filestat_get", "fd_seek", "path_filestat_get", "poll_oneoff"]
    tests = "".join(path.read_text() for path in (TESTS / "p1").glob("test_*.py"))
    assert "UNSTABLE" in tests or "wasi_unstable" in tests

"""What the compiler says of the house: headers alone, globals, exports, arrays ("never" 9 and 10)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.tree import C_FLAGS, CORE, INCLUDE, c_files, c_sources, compiler, relative, run

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wvla", "-Wstrict-prototypes", "-Wmissing-prototypes"]
HEADERS = sorted([*INCLUDE.rglob("*.h"), *(path for path in c_files() if path.suffix == ".h")])


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every C file of the core, compiled with all warnings on; no relocation blurs what is constant."""
    out = tmp_path_factory.mktemp("objects")
    made = {}
    command = [compiler(), *C_FLAGS, "-O1", "-fno-pic", "-fvisibility=hidden", *WARNINGS, "-c"]
    for path in c_sources():
        target = out / (relative(path).replace("/", "_") + ".o")
        done = run([*command, str(path), "-o", str(target)])
        assert done.returncode == 0, done.stderr
        made[relative(path)] = target
    return made


def symbols(path: Path, *options: str) -> list[tuple[str, str]]:
    """(kind, name) of each symbol that a file defines."""
    listed = run(["nm", "--defined-only", *options, str(path)])
    assert listed.returncode == 0, listed.stderr
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [(row[-2], row[-1]) for row in rows if len(row) >= 2]


def test_never_9_no_mutable_global(objects: dict[str, Path]) -> None:
    found = [
        f"{source}: {name}"
        for source, path in objects.items()
        for kind, name in symbols(path)
        if kind in "bBdDcCsSgG"
    ]
    assert found == []


def test_never_10_no_array_sized_at_run_time(objects: dict[str, Path]) -> None:
    assert len(objects) == len(c_sources())  # -Wvla -Werror let them all pass


@pytest.mark.parametrize("path", c_sources("os/posix"), ids=relative)
def test_the_way_through_libc_compiles_too(path: Path) -> None:
    """Where the kernel is not called directly: other processors, and under a sanitizer."""
    done = run([compiler(), *C_FLAGS, *WARNINGS, "-fsanitize=address", "-fsyntax-only", str(path)])
    assert done.returncode == 0, done.stderr


def test_names_say_whose_they_are(objects: dict[str, Path]) -> None:
    """wn_ everywhere, and one prefix between the files of each adapter. So any engine can stand beside us."""
    own = {
        "wt_": "engine/wasmtime",
        "wc_": "engine/wasm_c_api",
        "w3_": "engine/wasm3",
        "w2c": "engine/wasm2c",
    }
    found = [
        f"{source}: {name}"
        for source, path in objects.items()
        for kind, name in symbols(path, "--extern-only")
        if not name.startswith("wn_") and own.get(name[:3], "nobody's") not in source
    ]
    assert found == []


def declared() -> set[str]:
    """The functions that the public headers declare with WN_API."""
    found: set[str] = set()
    for path in INCLUDE.rglob("*.h"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for match in re.finditer(r"^WN_API\b([^;]*);", text, flags=re.M):
            name = re.search(r"\b(wn_\w+)\s*\(", match[1])
            assert name, match[0]
            found.add(name[1])
    return found


def test_nothing_public_is_hidden() -> None:
    """What stands in include/ can be called: each prototype there says WN_API."""
    bad = []
    for path in INCLUDE.rglob("*.h"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for line in re.findall(
            r"^(?!typedef|WN_API|#|\s|\})[^\n;{]*\bwn_\w+\s*\([^;{]*\)\s*;", text, flags=re.M
        ):
            bad.append(f"{path.name}: {line}")
    assert bad == []


def test_the_headers_say_what_is_exported(tmp_path: Path) -> None:
    library = tmp_path / "libwasi_native.so"
    command = [compiler(), *C_FLAGS, "-O0", "-fPIC", "-shared", "-fvisibility=hidden", *map(str, c_sources())]
    done = run([*command, "-o", str(library), "-ldl", "-lpthread"])
    assert done.returncode == 0, done.stderr
    exported = {
        name for kind, name in symbols(library, "-D") if kind in "TDBRVW" and not name.startswith("_")
    }
    assert exported == declared()
    assert len(exported) > 50


def test_every_public_function_is_told_about() -> None:
    """A comment stands before each of them, or before the group that it is in."""
    bad = []
    for path in INCLUDE.rglob("*.h"):
        blocks = re.split(r"\n\s*\n", path.read_text())
        bad += [f"{path.name}: {block[:60]}" for block in blocks if "WN_API" in block and "/*" not in block]
    assert [line for line in bad if "#define WN_API" not in line] == []


@pytest.mark.parametrize("header", HEADERS, ids=relative)
def test_headers_compile_alone(header: Path, tmp_path: Path) -> None:
    """In any order, twice; the public ones as C11 and as C++17 with every warning."""
    source = tmp_path / "alone.c"
    source.write_text(f'#include "{header}"\n#include "{header}"\nint nothing(void);\n')
    strict = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Wno-unused-function"]
    done = run([compiler(), *C_FLAGS, *strict, str(source)])
    assert done.returncode == 0, done.stderr
    if header.is_relative_to(INCLUDE):
        other = ["-x", "c++", "-std=c++17", f"-I{INCLUDE}", "-pedantic", "-Wno-variadic-macros", *strict]
        done = run([compiler("c++", "g++", "clang++"), *other, str(source)])
        assert done.returncode == 0, done.stderr


def test_the_core_needs_no_python() -> None:
    assert [
        relative(path) for path in c_files() if re.search(r"\bPy[A-Z_]\w+|Python\.h", path.read_text())
    ] == []
    assert CORE.is_dir()

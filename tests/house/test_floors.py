"""An arrow only goes down: who may include or import whom ("never" 1 to 4, 11, 12 of ARCHITECTURE)."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from tests.house.calls import calls, definitions, promises
from tests.house.tree import (
    CORE,
    INCLUDE,
    PACKAGE,
    c_files,
    circle,
    imports,
    includes,
    python_modules,
    relative,
)

# From the ground up. A room may include its own files, and rooms of lower floors.
FLOORS = [
    ["include"],
    ["os"],
    ["mem"],
    ["sys"],
    ["guest"],
    ["p1", "p2", "p3"],
    ["link"],
    ["comp"],
    ["engine"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FREE = {
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "string.h",
    "limits.h",
    "stdarg.h",
}  # no operating system in them


def room(name: str) -> str:
    """The room of an included or own file: "core/sys/dir.h" -> "sys"."""
    parts = Path(name).parts
    if parts[0] == "core":
        return parts[1] if len(parts) > 2 else Path(parts[1]).stem
    return "include"


def own_room(path: Path) -> str:
    name = path.relative_to(PACKAGE).as_posix()
    return "include" if name == "core/err.c" else room(name)  # the bodies of base.h


def arrows() -> list[tuple[Path, str, str, str]]:
    """(file, its room, what it includes, the room of that)."""
    return [
        (path, own_room(path), name, room(name))
        for path in c_files()
        for name, system in includes(path)
        if not system
    ]


def told(found: list[tuple[Path, str, str, str]]) -> list[str]:
    return [f"{relative(path)} includes {name}" for path, _, name, _ in found]


@functools.cache
def called() -> list[tuple[Path, str, str, str]]:
    """(file, its room, the function or table that its code names, the room of that)."""
    return [(path, own_room(path), name, own_room(home)) for path, name, home in calls(c_files())]


def said(found: list[tuple[Path, str, str, str]]) -> list[str]:
    return [f"{relative(path)} calls {name}, which is in {home}" for path, _, name, home in found]


def test_every_room_has_a_floor() -> None:
    assert {own_room(path) for path in c_files()} <= FLOOR.keys()


def test_includes_go_down() -> None:
    assert told([a for a in arrows() if a[1] != a[3] and FLOOR[a[1]] <= FLOOR[a[3]]]) == []


def test_includes_make_no_circle() -> None:
    graph = {
        path.relative_to(PACKAGE).as_posix(): {name for name, system in includes(path) if not system}
        for path in c_files()
    }
    for path in sorted((INCLUDE / "wasi_native").iterdir()):
        graph[f"wasi_native/{path.name}"] = {
            f"wasi_native/{name}" for name, system in includes(path) if not system
        }
    assert circle(graph) == []


def test_calls_go_down() -> None:
    """A header may promise what a higher floor defines: the linker does not mind, and this is who does. What a floor
    needs of a higher one is handed to it as a function pointer."""
    assert said([c for c in called() if c[1] != c[3] and FLOOR[c[1]] <= FLOOR[c[3]]]) == []


def test_folders_do_not_call_each_other() -> None:
    graph: dict[str, set[str]] = {}
    for path, _, home in calls(c_files()):
        if path.parent != home.parent and path.parent != CORE != home.parent:
            graph.setdefault(relative(path.parent), set()).add(relative(home.parent))
    assert len(graph) > 5 and circle(graph) == []


def test_calls_are_seen() -> None:
    """What headers promise is found where it is defined: nothing that is called passes unread."""
    headers = [*sorted((INCLUDE / "wasi_native").glob("*.h")), *(p for p in c_files() if p.suffix == ".h")]
    promised = promises(headers)
    assert len(promised) > 300 and promised <= definitions(c_files()).keys()


def test_calls_are_told_from_words(tmp_path: Path) -> None:
    texts = {
        "up.h": "int wn_a(int x);\nextern const int wn_table[];\nint wn_b(void), wn_c(void);",
        "up.c": "const int wn_table[] = {1};\nint wn_a(int x) {\n  return x;\n}\nint wn_d(void) { return 0; }",
        "kept.c": 'int wn_a(int);\n/* wn_a(1) */ static int f(s *s) { if (s->wn_a) return *"wn_a(1)"; }',
        "own.c": "static int wn_d(void) { return 0; }\nint wn_own(void) { return wn_d(); }",
        "call.c": "static int f(void) {\n  return wn_a(\n      1);\n}",
        "inline.h": "static inline int g(void) { return wn_a(1); }",
        "macro.h": "#define G(x) \\\n  wn_a(x)",
        "held.c": "static const held_t held = {.f = wn_a};\nint (*const wn_one)(int) = wn_d;",
        "look.c": "int wn_look(void) { return wn_table[0]; }",
    }
    files = [tmp_path / name for name in texts]
    for path in files:
        path.write_text(texts[path.name])
    found = {(path.name, name) for path, name, home in calls(files) if home.name == "up.c"}
    assert found == {
        ("call.c", "wn_a"),
        ("inline.h", "wn_a"),
        ("macro.h", "wn_a"),
        ("held.c", "wn_a"),
        ("held.c", "wn_d"),
        ("look.c", "wn_table"),
    }


def test_never_1_sys_reaches_no_memory_of_a_guest_and_no_version() -> None:
    up = ("mem", "guest", "p1", "p2", "p3", "link", "engine")
    assert told([a for a in arrows() if a[1] == "sys" and a[3] in up]) == []
    assert said([c for c in called() if c[1] == "sys" and c[3] in up]) == []


def test_never_2_versions_do_not_reach_each_other() -> None:
    versions = ("p1", "p2", "p3")
    assert told([a for a in arrows() if a[1] in versions and a[3] in versions and a[1] != a[3]]) == []
    assert said([c for c in called() if c[1] in versions and c[3] in versions and c[1] != c[3]]) == []


def test_only_link_names_the_versions() -> None:
    above = [
        a for a in [*arrows(), *called()] if a[3] in ("p1", "p2", "p3") and a[1] not in ("p1", "p2", "p3")
    ]
    assert {a[1] for a in above} == {"link"}, above


def test_never_3_engines_know_the_contract_alone() -> None:
    from_engines = [a for a in arrows() if a[1] == "engine"]
    contract = {"engine", "guest", "link", "os", "include"}
    assert told([a for a in from_engines if a[3] not in contract]) == []
    assert told([a for a in from_engines if a[2].startswith("core/os/") and a[2] != "core/os/os.h"]) == []
    assert said([c for c in called() if c[1] == "engine" and c[3] in ("sys", "p1", "p2", "p3")]) == []


def test_never_3_engines_do_not_reach_each_other() -> None:
    """A file is of the adapter whose name its own starts with; what is of none serves all."""
    folder = CORE / "engine"
    texts = "\n".join(path.read_text() for path in folder.glob("*.c"))
    adapters = re.findall(r"^const wn_engine_ops_t wn_engine_(\w+) =", texts, re.MULTILINE)
    assert "wasmtime" in adapters and "fake" in adapters

    def owner(name: str) -> str:
        return next((a for a in adapters if re.fullmatch(rf"{a}(_\w+)?", Path(name).stem)), "")

    found = [
        f"{relative(path)} includes {name}"
        for path, own, name, _ in arrows()
        if own == "engine" and name.startswith("core/engine/") and owner(name) not in ("", owner(path.name))
    ]
    found += [
        f"{relative(path)} calls {name} of {home.name}"
        for path, name, home in calls(c_files("engine"))
        if owner(path.name) and owner(home.name) not in ("", owner(path.name))
    ]
    assert found == []


def test_never_4_system_headers_are_in_os_alone() -> None:
    found = []
    for path in [*c_files(), *sorted((INCLUDE / "wasi_native").glob("*.h"))]:
        if "os/posix" in path.as_posix():
            continue
        allowed = FREE | ({"stdio.h"} if path.name == "engine.c" else set())  # vsnprintf of messages
        found += [
            f"{relative(path)}: <{name}>" for name, system in includes(path) if system and name not in allowed
        ]
    assert found == []


# ---- Python ----

# From the ground up; what is named nowhere is data: floor 1. A module may import floors below, and its own.
PYTHON = [
    ["errors", "_core", "_flags", "record"],
    [],
    ["grants", "trace", "host", "component"],
    ["plugin"],
    ["cli"],
]
MAY_IMPORT_CORE = {"host", "grants", "component", "trace"}


def python_floor(name: str) -> int:
    first = name.removeprefix("wasi_native").lstrip(".").split(".")[0]
    if first in ("", "__main__"):
        return len(PYTHON)  # the face names all
    return next((floor for floor, names in enumerate(PYTHON) if first in names), 1)


def python_graph() -> dict[str, set[str]]:
    return {name: imports(name, path) for name, path in python_modules().items()}


def test_never_11_few_modules_import_the_core() -> None:
    found = {name.split(".")[1] for name, reached in python_graph().items() if "wasi_native._core" in reached}
    assert found <= MAY_IMPORT_CORE


def test_python_imports_go_down() -> None:
    found = [
        f"{name} imports {other}"
        for name, reached in python_graph().items()
        for other in reached
        if other != "wasi_native" and python_floor(other) > python_floor(name)
    ]
    assert found == []


def test_python_imports_make_no_circle() -> None:
    graph = {name: reached - {"wasi_native"} for name, reached in python_graph().items()}  # for __version__
    assert circle(graph) == []


def test_only_the_command_line_reads_the_version_of_the_package() -> None:
    found = {name for name, reached in python_graph().items() if "wasi_native" in reached}
    assert {name.split(".")[1] for name in found} <= {"cli"}


def test_the_seam_is_one_room() -> None:
    """One .pyx, that knows include/ alone and is made of no other files than its own parts."""
    seam = sorted(path.name for path in PACKAGE.rglob("*.p[yx][xdi]*") if path.suffix in (".pyx", ".pxi"))
    text = (PACKAGE / "_core.pyx").read_text() + (PACKAGE / "_core.pxd").read_text()
    assert seam == sorted(["_core.pyx", *re.findall(r'^include "(_core_\w+\.pxi)"', text, re.MULTILINE)])
    headers = re.findall(r'extern from "([^"]+)"', text) + re.findall(r'#\s*include [<"]([^">]+)', text)
    assert headers
    strangers = [name for name in headers if not name.endswith(".h") or not (INCLUDE / name).is_file()]
    assert [name for name in strangers if name not in ("pthread.h", "stdint.h")] == []


@pytest.mark.parametrize("folder", ["wasi_native", "bench", "examples", "boards"])
def test_never_12_nothing_imports_the_tests(folder: str) -> None:
    root = PACKAGE.parent / folder
    found = [
        relative(path)
        for path in sorted(root.rglob("*.py"))
        if re.search(r"^\s*(from|import)\s+tests\b", path.read_text(), flags=re.M)
    ]
    assert found == []

"""The text of the repository: sizes, words, generated code, ``__all__``."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from tests.house.tree import PACKAGE, own_files, python, python_modules, relative, run

LINES_MAX = 600
GENERATED = re.compile(r"\.gen\.h$")
TEXT = {".c", ".h", ".cc", ".rs", ".go", ".def", ".py", ".pyx", ".pxd", ".pyi", ".rows", ".toml", ".json"}
TEXT |= {".md", ".wat", ".mjs", ""}

# Spelled in pieces, so that this file may stand among those it reads.
UNFINISHED = [
    "TO" + "DO",
    "FIX" + "ME",
    "XX" + "X",
    "HA" + "CK",
    "NotImpl" + "ementedError",
    "place" + "holder",
]
MACHINE = r"(?<![\w.])/(ro" + "ot|wo" + "rk|tmp/ve" + r"nv)/|pypi\.or" + "g/simple|registry.np" + "mjs"


def texts() -> list[Path]:
    return [path for path in own_files() if path.suffix in TEXT and path.name != "LICENSE"]


def hits(pattern: str) -> list[str]:
    found = []
    for path in texts():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{relative(path)}:{number}: {line.strip()[:80]}")
    return found


def test_no_file_is_long() -> None:
    counts = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in texts()}
    assert {name: n for name, n in counts.items() if n >= LINES_MAX and not GENERATED.search(name)} == {}


def test_nothing_is_left_for_later() -> None:
    assert hits(rf"\b({'|'.join(UNFINISHED)})\b") == []


def test_no_path_of_a_machine() -> None:
    assert hits(MACHINE) == []


def test_lines_end_plainly() -> None:
    bad = []
    for path in texts():
        raw = path.read_bytes()
        if b"\r" in raw or (raw and not raw.endswith(b"\n")) or re.search(rb"[ \t]\n", raw):
            bad.append(relative(path))
        if b"\t" in raw and path.suffix in (".c", ".h", ".py", ".pyx", ".pyi", ".pxd"):
            bad.append(f"{relative(path)}: a tab")
    assert bad == []


def test_never_12_generated_code_is_what_the_rows_say() -> None:
    done = run([python(), str(PACKAGE / "abi" / "generate.py"), "--check"])
    assert done.returncode == 0, done.stdout + done.stderr


def public(path: Path) -> list[str] | None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]:
            return (
                [ast.literal_eval(item) for item in node.value.elts]
                if isinstance(node.value, ast.List)
                else []
            )
    return None


PRIVATE = re.compile(r"\.(cli|__main__|_flags)\b")
LIBRARY = {name: path for name, path in python_modules().items() if not PRIVATE.search(name)}


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_all_is_true_and_sorted(name: str) -> None:
    """``__all__`` names what there is, by the alphabet, or constants, classes, functions each by it."""
    module = importlib.import_module(name)
    told = list(module.__all__)

    def kind(item: str) -> int:
        return 0 if item.isupper() and len(item) > 1 else 1 if item[:1].isupper() else 2

    plain = [item for item in told if item[0] != "_"]
    assert plain in (sorted(plain), sorted(plain, key=lambda item: (kind(item), item)))
    assert len(set(told)) == len(told)
    assert [item for item in told if not hasattr(module, item)] == []


UNLISTED = {
    "wasi_native.errors": {"CoreError", "Busy"}
}  # between the seam and the host; users never see them


@pytest.mark.parametrize("name", sorted(LIBRARY.keys() - {"wasi_native"}))
def test_all_forgets_nothing(name: str) -> None:
    """What has no leading underscore and is defined here is public, so it is named."""
    tree = ast.parse(LIBRARY[name].read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = {node.name for node in tree.body if isinstance(node, kinds) and node.name[0] != "_"}
    assert defined - UNLISTED.get(name, set()) - set(importlib.import_module(name).__all__) == set()


@pytest.mark.parametrize("name", sorted(python_modules()))
def test_every_module_says_what_it_is(name: str) -> None:
    assert ast.get_docstring(ast.parse(python_modules()[name].read_text(encoding="utf-8")))


def test_what_the_face_offers_is_documented() -> None:
    import wasi_native

    things = {name: getattr(wasi_native, name) for name in wasi_native.__all__}
    bad = [name for name, thing in things.items() if callable(thing) and not (thing.__doc__ or "").strip()]
    assert bad == []


def test_the_face_names_what_its_modules_do() -> None:
    import wasi_native

    tables = {
        name: set(importlib.import_module(f"wasi_native.{name}").__all__) for name in wasi_native._HOMES
    }
    for home, names in wasi_native._HOMES.items():
        assert set(names) <= tables[home], home
    assert set(dir(wasi_native)) >= set(wasi_native.__all__)

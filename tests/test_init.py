"""The face of the package: cheap to import, complete, and the same for programs and for type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import wasi_native

ROOT = Path(__file__).resolve().parents[1]


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_it_imports_nothing_else() -> None:
    assert loaded_by("import wasi_native") <= {"wasi_native", "__future__"}


def test_running_a_guest_never_imports_the_package_of_the_engine() -> None:
    code = "import wasi_native; wasi_native.Host(engine='wasmtime').close()"
    found = loaded_by(code)
    assert "wasi_native._core" in found
    assert not found & {"wasmtime", "ctypes", "typing", "dataclasses", "inspect", "re", "logging"}


def test_names_come_from_their_homes() -> None:
    assert wasi_native.Host.__module__.startswith("wasi_native.host")
    assert wasi_native.Policy.__module__ == "wasi_native.policy"
    assert set(wasi_native.__all__) == {name for name in dir(wasi_native) if name in wasi_native.__all__}
    assert all(getattr(wasi_native, name) is not None for name in wasi_native.__all__)


def test_an_unknown_name_is_said() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Hots'"):
        _ = wasi_native.Hots  # type: ignore[attr-defined]


def test_the_version_is_one() -> None:
    import importlib.metadata

    text = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{wasi_native.__version__}"' in text
    try:
        assert importlib.metadata.version("wasi_native") == wasi_native.__version__
    except importlib.metadata.PackageNotFoundError:
        pass  # a checkout that was built in place


def test_type_checkers_see_the_same_names() -> None:
    """The star imports under TYPE_CHECKING name the modules of the table."""
    tree = ast.parse((ROOT / "wasi_native" / "__init__.py").read_text())
    stars = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    }
    assert stars == set(wasi_native._HOMES)

"""The wheel: what is in it, how large it is, and that it needs no compiler and no source tree to be used."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT, own_files
from wasi_native import engines

SIZE_MAX = 600 * 1024


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files of the repository, as a fresh clone has them."""
    copy = tmp_path_factory.mktemp("clone")
    for path in own_files():
        if path.relative_to(ROOT).parts[0] not in ("tests", "bench"):
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        "dist",
        ".",
    ]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (made,) = (tree / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_size(wheel: Path) -> None:
    print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB")
    assert wheel.stat().st_size < SIZE_MAX


def test_one_wheel_for_every_python(wheel: Path) -> None:
    if sys.version_info >= (3, 11):
        assert re.fullmatch(r"wasi_native-[0-9.]+-cp311-abi3-linux_\w+\.whl", wheel.name)
    else:
        assert f"cp3{sys.version_info[1]}-" in wheel.name


def test_all_python_is_in_it(names: set[str]) -> None:
    python = {path.relative_to(ROOT).as_posix() for path in own_files() if path.suffix in (".py", ".pyi")}
    wanted = {name for name in python if name.startswith("wasi_native/") and "/abi/" not in name}
    assert wanted <= names
    assert "wasi_native/py.typed" in names
    assert any(re.fullmatch(r"wasi_native/_core\.\S*\.so", name) for name in names)


def test_the_boards_are_in_it(names: set[str]) -> None:
    boards = {f"wasi_native/boards/{path.name}" for path in (ROOT / "boards").iterdir()}
    assert len(boards) > 17 and boards <= names


def test_nothing_else_is_in_it(names: set[str]) -> None:
    known = re.compile(r"wasi_native/(\w+/)*[\w.-]+\.(py|pyi|pxd|so|toml|json)|wasi_native/py\.typed")
    extra = {
        name
        for name in names
        if not known.fullmatch(name)
        and ".dist-info/" not in name
        and not name.endswith("/scripts/wasi-native")
    }
    assert extra == set()
    assert not any("/abi/" in name or "/core/" in name or name.startswith("tests/") for name in names)


def test_the_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode()
        (command,) = [
            archive.read(n).decode() for n in archive.namelist() if n.endswith("/scripts/wasi-native")
        ]
        assert any("LICENSE" in n for n in archive.namelist())
    needs = [
        line for line in re.findall(r"^Requires-Dist: (.*)$", text, flags=re.M) if "extra ==" not in line
    ]
    assert {re.split(r"[<>=; ]", line)[0] for line in needs} == {"wasmtime", "tomli"}
    assert command.startswith("#!python\n") and "from wasi_native.cli import entry" in command


def test_it_runs_where_nothing_else_is(wheel: Path, tmp_path: Path) -> None:
    """Installed into an environment of its own, away from the sources, without a compiler."""
    where = tmp_path / "venv"
    venv.create(where, symlinks=True, with_pip=False)
    site = where / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    library = engines.find("wasmtime")
    assert library.path, library.reason
    (site / "wasmtime").symlink_to(Path(library.path).parents[1])
    command = [
        str(where / "bin" / "python"),
        "-I",
        "-m",
        "wasi_native",
        "run",
        str(ROOT / "examples" / "hello.wat"),
    ]
    env = {"PATH": "", "WASI_NATIVE_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello from WebAssembly\n", "")
    boards = subprocess.run([*command[:4], "boards"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert boards.returncode == 0 and "raspberry-pi-zero-w" in boards.stdout

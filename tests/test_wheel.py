"""The wheel: what is in it, how large it is, and that it needs no compiler and no source tree to be used."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.guests.aot import binary
from tests.host.native import compiled, digest, hello
from tests.house.tree import ROOT, own_files
from tests.programs import wabt
from wasi_native import engines

SIZE_MAX = 600_000


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


def test_the_source_archive_is_whole(tree: Path) -> None:
    """Everything that the wheel is built from, and nothing that was built."""
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", "sdist"],
        cwd=tree,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (archive,) = (tree / "sdist").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        inside = {name.partition("/")[2] for name in tar.getnames()}
    folders = ("wasi_native", "include", "boards", "packaging")
    wanted = {path.relative_to(ROOT).as_posix() for path in own_files()}
    wanted = {
        name for name in wanted if name.split("/")[0] in folders or ("/" not in name and name[0] != ".")
    }
    assert wanted - inside == set()
    assert not [name for name in inside if name.endswith((".so", ".o", "_core.c"))]


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
    wanted = {
        name for name in python if name.startswith("wasi_native/") and not re.search("/(abi|wheels)/", name)
    }
    assert wanted <= names
    assert "wasi_native/py.typed" in names
    assert any(re.fullmatch(r"wasi_native/_core\.\S*\.so", name) for name in names)


def test_the_boards_are_in_it(names: set[str]) -> None:
    boards = {f"wasi_native/boards/{path.name}" for path in (ROOT / "boards").iterdir()}
    assert len(boards) > 17 and boards <= names


def test_nothing_else_is_in_it(names: set[str]) -> None:
    known = re.compile(
        r"wasi_native/(\w+/)*[\w.-]+\.(py|pyi|so|toml|json)|wasi_native/py\.typed|wasi_native/aot_rt/[\w.-]+\.[ch]"
    )
    extra = {
        name
        for name in names
        if not known.fullmatch(name)
        and ".dist-info/" not in name
        and not name.endswith("/scripts/wasi-native")
    }
    assert extra == set()
    assert not any(re.search("/(abi|core|wheels)/|^tests/", name) for name in names)


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


@pytest.mark.parametrize("bits", [32, 64])
def test_what_is_asked_for_from_source(tree: Path, bits: int) -> None:
    """A 32-bit Python on a 64-bit kernel calls its machine as that does: setup.py knows what no marker tells."""
    code = f"""import runpy, sys
sys.maxsize, sys.argv = 2**{bits - 1} - 1, ["setup.py", "-q", "egg_info", "--egg-base", "egg-{bits}"]
runpy.run_path("setup.py", run_name="__main__")"""
    (tree / f"egg-{bits}").mkdir()
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = (tree / f"egg-{bits}" / "wasi_native.egg-info" / "PKG-INFO").read_text()
    asked = {
        line for line in re.findall(r"^Requires-Dist: (.*)$", text, flags=re.M) if "extra ==" not in line
    }
    wasmtime = 'wasmtime<51,>=40; platform_machine == "x86_64" or platform_machine == "aarch64"'
    assert asked == {'tomli>=2; python_version < "3.11"', *([wasmtime] if bits == 64 else [])}
    assert 'Requires-Dist: cryptography>=42; extra == "sign"' in text


class Installed:
    """The wheel in an environment of its own, away from the sources, with nothing of the PATH."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", symlinks=True, with_pip=False)
        self.site = folder / "venv" / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.site)

    def give(self, package: Path) -> None:
        (self.site / package.name).symlink_to(package)

    def __call__(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "venv" / "bin" / "python"), "-I", "-m", "wasi_native", *args]
        env = {"PATH": "", "WASI_NATIVE_CACHE": str(self.folder / "cache"), **env}
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Installed:
    return Installed(wheel, tmp_path)


def test_it_runs_where_nothing_else_is(installed: Installed) -> None:
    library = engines.find("wasmtime")
    assert library.path, library.reason
    installed.give(Path(library.path).parents[1])
    done = installed("run", str(ROOT / "examples" / "hello.wat"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello from WebAssembly\n", "")
    boards = installed("boards")
    assert boards.returncode == 0 and "raspberry-pi-zero-w" in boards.stdout


def test_compiled_guests_run_where_not_even_an_engine_is(installed: Installed) -> None:
    data = compiled(hello())
    (installed.folder / "hello.wno").write_bytes(data)
    done = installed("run", "--allow-native", digest(data), "hello.wno")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    (installed.folder / "hello.wasm").write_bytes(binary(hello()))
    done = installed("run", "hello.wasm")
    assert done.returncode == 126 and "python -m pip install" in done.stderr.splitlines()[0]


def test_it_compiles_with_what_is_in_it(installed: Installed) -> None:
    """The run time of compiled guests and its header are part of the wheel."""
    ziglang = importlib.util.find_spec("ziglang")
    assert ziglang and ziglang.origin
    installed.give(Path(ziglang.origin).parent)
    installed.give(next(Path(ziglang.origin).parents[1].glob("ziglang-*.dist-info")))
    (installed.folder / "hello.wasm").write_bytes(binary(hello()))
    home = {"HOME": os.environ.get("HOME", "/"), "WASI_NATIVE_WASM2C": str(wabt.wasm2c())}
    done = installed("compile", "hello.wasm", **home)
    assert done.returncode == 0, done.stderr
    made = hashlib.sha256((installed.folder / "hello.wno").read_bytes()).hexdigest()
    assert installed("run", "--allow-native", made, "hello.wno").stdout == "hello\n"

"""What a board needs to run the tests: the wheel, by its own pip; pytest; the tests, without the package's source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.boards.cache import BoardError, home
from tests.boards.launch import command, environment, readable
from tests.boards.roots import Root
from tests.engine.libraries import build_wasm3
from tests.guests.build import GuestBuildError, once, run_tool

REPOSITORY = Path(__file__).resolve().parents[2]
PYTEST = ("pytest>=8", "pluggy", "iniconfig", "packaging", "pygments")
WASMTIME = "50.0.1"  # a version that the package's dependency allows
NO_WASMTIME = ("armv7l", "armv6l", "riscv64")  # the package has no library for these machines


def wheel(root: Root, wheels: Path) -> Path:
    """The wheel for a root."""
    found = sorted(wheels.glob(f"wasi_native-*{root.wheel}*.whl"))
    if not found:
        raise BoardError(
            f"no wheel for {root.name} in {wheels}: none is called wasi_native-*{root.wheel}*.whl"
        )
    return found[-1]


def build_wheels(roots: list[Root]) -> Path:
    """Build the wheels of these roots; their folder."""
    out = home() / "wheels"
    shutil.rmtree(out, ignore_errors=True)
    words = [word for root in roots for word in ("--target", root.wheel)]
    run_tool([sys.executable, "-m", "wasi_native.wheels", *words, "--out", str(out)], cwd=REPOSITORY)
    return out


def pytest_folder() -> Path:
    """pytest and what it needs, all of it Python alone and so the same for each board."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--only-binary=:all:",
        "--no-deps",
    ]

    def make(part: Path) -> None:
        try:
            run_tool([*pip, "--target", str(part), *PYTEST])
        except GuestBuildError as error:
            raise BoardError(f"the boards need pytest:\n{error}") from None

    return once(home() / "pytest", repr(PYTEST), make)


def engine_wheels() -> Path:
    """A folder with the wheels of wasmtime that pip could take on a board; the last is the one for "any" machine,
    which installs everywhere and fails then."""

    def make(part: Path) -> None:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        for platform in (
            "manylinux2014_aarch64",
            "musllinux_1_2_x86_64",
            "musllinux_1_2_aarch64",
            "linux_armv7l",
        ):
            run_tool([*pip, "--platform", platform, "--dest", str(part), f"wasmtime=={WASMTIME}"])

    return once(home() / "wasmtime", WASMTIME, make)


def wasm3_folder(root: Root) -> Path:
    """A folder for sys.path that holds wasm3 as its Python package would, of the newer tree."""
    folder = home() / "engines" / root.name
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"wasm3.{os.getpid()}"
    shutil.copy(build_wasm3("new", root.zig[0], *root.zig[1:]), part)
    part.replace(folder / "wasm3.so")
    return folder


def unopened_folder(root: Root) -> Path:
    """A folder for sys.path with an engine that pip brought and that lacks a library there; on most roots none."""
    return home() / "site" / f"{root.name}-unopened"


def staged() -> Path:
    """The tests and the data that they read, without the package: it shall come from the wheel."""
    folder = home() / "stage"
    skip = shutil.ignore_patterns("build", "__pycache__", "*.so")
    for name in (
        "tests",
        "boards",
        "include",
        "wasi_native/abi",
    ):  # with their times: compiled files stay good
        shutil.copytree(REPOSITORY / name, folder / name, ignore=skip, dirs_exist_ok=True)
    for path in (folder / "tests").rglob("*.py"):
        if not (REPOSITORY / path.relative_to(folder)).is_file():
            path.unlink()
    (folder / "wasi_native/component").mkdir(exist_ok=True)
    for name in ("pyproject.toml", "wasi_native/component/types.py"):  # abi/ knows layouts by these types
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


@dataclass
class Installed:
    """What pip did on a board."""

    site: Path
    brought: list[str]  # the other packages that came along
    refused: str  # what it said to a wheel for another machine


def _pip(root: Root, version: str, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(root), "PIP_ROOT_USER_ACTION": "ignore", "PIP_CONFIG_FILE": os.devnull}
    run = [*command(root, version, str(readable(root, version))), str(home() / "pip" / "pip"), *words]
    return subprocess.run(run, env=env, capture_output=True, text=True, check=False)


def install(root: Root, version: str, wheels: Path) -> Installed:
    """Install the wheel as a user of the board would, and see that no other wheel can be."""
    site = home() / "site" / root.name
    shutil.rmtree(site, ignore_errors=True)
    site.parent.mkdir(exist_ok=True)
    own = wheel(root, wheels)
    links = ["--no-index", f"--find-links={engine_wheels()}", "--disable-pip-version-check", "--no-compile"]
    done = _pip(root, version, "install", "-q", *links, "--target", str(site), str(own))
    if done.returncode:
        raise BoardError(f"{root.name}: pip does not install {own.name}:\n{done.stderr[-2000:]}")
    brought = sorted(
        path.name for path in site.glob("*.dist-info") if not path.name.startswith("wasi_native")
    )
    if root.machine in NO_WASMTIME and any(name.startswith("wasmtime") for name in brought):
        raise BoardError(f"{root.name}: the wheel brought {', '.join(brought)}, which cannot run there")
    unopened = unopened_folder(root)
    shutil.rmtree(unopened, ignore_errors=True)
    if root.libc == "musl" and brought:  # wasmtime's needs libgcc_s.so.1, which this root has not
        unopened.mkdir()
        for path in site.glob("wasmtime*"):
            path.rename(unopened / path.name)
    others = [path for path in sorted(wheels.glob("*.whl")) if root.machine not in path.name]
    if not others:  # no other was built: this one's, under a name that is not for here
        others = [site.parent / own.name.replace(root.wheel, "manylinux_2_17_s390x")]
        shutil.copy(own, others[0])
    other = others[0]
    done = _pip(
        root, version, "install", "-q", "--no-deps", *links, "--target", str(site) + "-other", str(other)
    )
    if done.returncode == 0 or "is not a supported wheel on this platform" not in done.stderr:
        raise BoardError(f"{root.name}: pip takes {other.name}:\n{done.stdout}{done.stderr}")
    return Installed(site, brought, done.stderr.strip().splitlines()[-1])

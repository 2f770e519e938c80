"""One wheel: compiled by zig for its machine, then packed so that the same sources give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

from .pack import archive
from .targets import Target

__all__ = ["ROOT", "BuildError", "build", "headers", "repack"]

ROOT = Path(__file__).resolve().parents[2]
EPOCH = 315532800  # 1980, the first date of a zip file; SOURCE_DATE_EPOCH is another


class BuildError(Exception):
    """A wheel cannot be built here; the text says why and what helps."""


def run(command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """What a program prints, both its outputs."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise BuildError(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout.strip()}")
    return done.stdout


def tool(name: str) -> str:
    """A program that a PyPI package brings; beside this Python, or in PATH."""
    found = shutil.which(name, path=os.path.dirname(sys.executable)) or shutil.which(name)
    if found is None:
        raise BuildError(f"{name} is not installed; python -m pip install -e '.[wheels]'")
    return found


def _check_here() -> None:
    if sys.version_info < (3, 11):
        raise BuildError(
            "wheels are built by Python 3.11 or later: older ones have no stable ABI with buffers"
        )
    if not (ROOT / "setup.py").is_file():
        raise BuildError(f"{ROOT} holds no setup.py: run this in a checkout of the sources")
    for name in ("ziglang", "Cython", "setuptools", "deflate"):
        if importlib.util.find_spec(name) is None:
            raise BuildError(f"{name} is not installed; python -m pip install -e '.[wheels]'")


def headers(scratch: Path) -> Path:
    """The running Python's headers with a ``pyconfig.h`` for every machine: a folder."""
    folder = scratch / "include"
    if not folder.is_dir():
        source = Path(sysconfig.get_path("include"))
        if not (source / "Python.h").is_file():
            raise BuildError(f"{source} holds no Python.h: install the headers of this Python (python3-dev)")
        shutil.copytree(source, folder)
        shutil.copy(Path(__file__).with_name("pyconfig.h"), folder / "pyconfig.h")
    return folder


def environment(target: Target, include: Path) -> dict[str, str]:
    """The environment of setup.py: all that setuptools would take from this machine is set, or taken out."""
    zig = " ".join([sys.executable, "-m", "ziglang", "cc", *target.compiler])
    env = {name: value for name, value in os.environ.items() if not name.startswith("WN_")}
    env |= {
        # at the link it makes stubs of the C library, which are ARM code
        "CC": f"{zig}+thumb_mode" if target.thumb else zig,
        "LDSHARED": f"{zig} -shared",
        "CFLAGS": "-fwrapv -Wno-incompatible-pointer-types",
        "CPPFLAGS": f"-I{include}",
        "LDFLAGS": "-Wl,-z,max-page-size=65536" if target.arch == "aarch64" else "",
        "WN_LTO": target.lto,
        "WN_OPT": target.optimised,
        "_PYTHON_HOST_PLATFORM": f"linux-{target.arch}",
        "SOURCE_DATE_EPOCH": str(epoch()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return env


def epoch() -> int:
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH)), EPOCH)


def build(target: Target, out: Path, scratch: Path) -> Path:
    """Compile and pack the wheel of one machine into ``out``; what is made on the way stays in ``scratch``."""
    _check_here()
    base = scratch / target.tag
    base.mkdir(parents=True)
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", str(base / "build")]
    command += ["egg_info", "--egg-base", str(base), "bdist_wheel", "--plat-name", target.tag]
    command += ["--bdist-dir", str(base / "bdist"), "--dist-dir", str(base / "dist")]
    run(command, environment(target, headers(scratch)), ROOT)
    (made,) = (base / "dist").glob("*.whl")
    unpacked = base / "wheel"
    with zipfile.ZipFile(made) as archive:
        archive.extractall(unpacked)
    (library,) = unpacked.rglob("*.so")
    if target.libc == "musl":
        run([tool("patchelf"), "--replace-needed", "libc.so", target.soname, str(library)])
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    metadata.write_text(requirements(metadata.read_text(), target))
    return repack(unpacked, out / made.name)


def requirements(metadata: str, target: Target) -> str:
    """The metadata of one wheel. Its tag says more than markers can: they know a 64-bit kernel, but not the 32-bit
    Python on it."""
    if target.wasmtime:
        return re.sub(r"^(Requires-Dist: wasmtime[^;\n]*);.*$", r"\1", metadata, flags=re.M)
    return re.sub(r"^Requires-Dist: wasmtime.*\n", "", metadata, flags=re.M)


def repack(folder: Path, wheel: Path) -> Path:
    """A wheel of these files: sorted, of one date, with a new RECORD."""
    (record,) = folder.glob("*.dist-info/RECORD")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != record)
    lines = []
    for path in files:
        data = path.read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path.relative_to(folder).as_posix()},sha256={digest},{len(data)}\n")
    record.write_text("".join([*lines, f"{record.relative_to(folder).as_posix()},,\n"]))
    packed = []
    for path in [*files, record]:
        runs = path.suffix == ".so" or path.parent.name == "scripts"
        name = path.relative_to(folder).as_posix()
        packed.append((name, path.read_bytes(), 0o755 if runs else 0o644))
    return archive(packed, epoch(), wheel)

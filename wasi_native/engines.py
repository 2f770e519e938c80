"""Which engines this machine has, and where: found as files, nothing is imported or loaded.

The library of wasmtime is the one inside the PyPI package of that name. The package itself is never imported:
that would cost tens of milliseconds and raise on machines it does not know.
"""

from __future__ import annotations

import os
import sys

__all__ = ["WASMTIME_MAX", "WASMTIME_MIN", "EngineFile", "default_names", "find"]

WASMTIME_MIN, WASMTIME_MAX = 40, 50
"""The major versions of wasmtime whose C API the adapter knows; both ends are tested."""

_FOLDERS = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch64"}
INSTALL = {"wasmtime": "python -m pip install wasmtime"}


class EngineFile:
    """An engine as a file: ``path`` None where it needs none; ``reason`` says why it cannot be used, or ""."""

    __slots__ = ("name", "path", "reason", "version")

    def __init__(self, name: str, path: str | None, version: str, reason: str) -> None:
        self.name, self.path, self.version, self.reason = name, path, version, reason


def default_names() -> tuple[str, ...]:
    """The engines to try where no board says otherwise, best first."""
    return ("wasmtime",)


def find(name: str, path: str | None = None) -> EngineFile:
    """The engine ``name``, at ``path`` when that is given."""
    if name in ("fake", "wasm2c"):  # built in
        return EngineFile(name, None, "1", "")
    if name != "wasmtime":
        return EngineFile(name, None, "", f"there is no engine {name!r}; there are: wasmtime, wasm2c, fake")
    if path is not None:
        version = _version_beside(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(path)))))
        reason = "" if os.path.isfile(path) else f"{path} is no file"
        return EngineFile(name, path, version, reason or _version_problem(version))
    return _find_wasmtime()


def _find_wasmtime() -> EngineFile:
    machine = os.uname().machine
    folder = _FOLDERS.get(machine)
    if folder is None or sys.maxsize < 2**32:
        bits = "" if folder is None else " with a 32-bit Python"
        return EngineFile("wasmtime", None, "", f"wasmtime has no library for {machine}{bits}")
    for entry in sys.path:
        library = os.path.join(entry or ".", "wasmtime", folder, "_libwasmtime.so")
        if os.path.isfile(library):
            version = _version_beside(entry or ".")
            return EngineFile("wasmtime", library, version, _version_problem(version))
    return EngineFile("wasmtime", None, "", f"wasmtime is not installed; {INSTALL['wasmtime']}")


def _version_beside(folder: str) -> str:
    """The version in the name of the package's metadata folder; "" when there is none."""
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    for name in names:
        if name.startswith("wasmtime-") and name.endswith(".dist-info"):
            return name[len("wasmtime-") : -len(".dist-info")]
    return ""


def _version_problem(version: str) -> str:
    """An unknown version is tried: a library that lacks a symbol says so itself."""
    major = version.split(".")[0]
    if major.isdigit() and not WASMTIME_MIN <= int(major) <= WASMTIME_MAX:
        wanted = f"'wasmtime>={WASMTIME_MIN},<{WASMTIME_MAX + 1}'"
        return (
            f"wasmtime {version} is not supported, versions {WASMTIME_MIN} to {WASMTIME_MAX} are; "
            f"python -m pip install {wanted}"
        )
    return ""

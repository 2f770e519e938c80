"""Which engines this machine has, and where: found as files, nothing is imported or loaded.

* ``wasmtime``: the library inside the PyPI package of that name. The package itself is never imported: that would
  cost tens of milliseconds and raise on machines it does not know.
* ``wasm2c``: compiled guests; built in.
* ``wasm_c_api``: any library with the functions of wasm.h, which somebody names.
* ``wasm3``: ``libwasm3.so`` or ``libm3.so`` of the system, else the extension module of the PyPI package pywasm3.
"""

from __future__ import annotations

import os
import sys

__all__ = ["WASMTIME_MAX", "WASMTIME_MIN", "EngineFile", "default_names", "find"]

WASMTIME_MIN, WASMTIME_MAX = 40, 50
"""The major versions of wasmtime whose C API the adapter knows; both ends are tested."""

_FOLDERS = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch64"}
INSTALL = {"wasmtime": "python -m pip install wasmtime", "wasm3": "python -m pip install pywasm3"}
NAMES = ("wasmtime", "wasm2c", "wasm_c_api", "wasm3", "fake")
_WASM3_NAMES = ("libwasm3.so", "libwasm3.so.0", "libm3.so", "libm3.so.0")
_OLD_WASM3 = (
    "pywasm3 {version} is of 2021 and has published memory-safety advisories, so it is taken only by name "
    "(engine='wasm3'), for modules that you trust; a libwasm3.so of a newer tree is taken without"
)


class EngineFile:
    """An engine as a file: ``path`` None where it needs none; ``reason`` says why it cannot be used, or "";
    ``risk`` why it is used only by whoever names it, or ""."""

    __slots__ = ("name", "path", "reason", "risk", "version")

    def __init__(self, name: str, path: str | None, version: str, reason: str, risk: str = "") -> None:
        self.name, self.path, self.version, self.reason, self.risk = name, path, version, reason, risk


def default_names() -> tuple[str, ...]:
    """The engines to try where no board says otherwise, best first."""
    return ("wasmtime", "wasm3")


def find(name: str, path: str | None = None) -> EngineFile:
    """The engine ``name``, at ``path`` when that is given."""
    if name in ("fake", "wasm2c"):  # built in
        return EngineFile(name, None, "1", "")
    if name not in NAMES:
        return EngineFile(name, None, "", f"there is no engine {name!r}; there are: {', '.join(NAMES)}")
    if path is not None:
        return _at(name, path)
    if name == "wasm_c_api":
        reason = (
            "wasm_c_api is any library with the functions of wasm.h: name it by engine_path= or "
            "$WASI_NATIVE_ENGINE_PATH"
        )
        return EngineFile(name, None, "", reason)
    return _find_wasmtime() if name == "wasmtime" else _find_wasm3()


def _at(name: str, path: str) -> EngineFile:
    reason = "" if os.path.isfile(path) else f"{path} is no file"
    folder = os.path.dirname(os.path.abspath(path))
    if name == "wasm3":
        version = _version_beside(folder, "pywasm3")
        return EngineFile(name, path, version, reason, _OLD_WASM3.format(version=version) if version else "")
    version = _version_beside(os.path.dirname(os.path.dirname(folder)), "wasmtime")
    problem = _version_problem(version) if name == "wasmtime" else ""
    return EngineFile(name, path, version, reason or problem)


def _find_wasmtime() -> EngineFile:
    machine = os.uname().machine
    folder = _FOLDERS.get(machine)
    if folder is None or sys.maxsize < 2**32:
        bits = "" if folder is None else " with a 32-bit Python"
        return EngineFile("wasmtime", None, "", f"wasmtime has no library for {machine}{bits}")
    for entry in sys.path:
        library = os.path.join(entry or ".", "wasmtime", folder, "_libwasmtime.so")
        if os.path.isfile(library):
            version = _version_beside(entry or ".", "wasmtime")
            return EngineFile("wasmtime", library, version, _version_problem(version))
    return EngineFile("wasmtime", None, "", f"wasmtime is not installed; {INSTALL['wasmtime']}")


def _library_folders() -> tuple[str, ...]:
    """Where the loader looks for libraries that nobody configured."""
    triplet = getattr(sys.implementation, "_multiarch", "")
    bits = "lib64" if sys.maxsize > 2**32 else "lib32"
    words = ("lib", bits, *([f"lib/{triplet}"] if triplet else []))
    return tuple(f"{root}/{word}" for root in ("/usr/local", "/usr", "") for word in words)


def _find_wasm3() -> EngineFile:
    for folder in _library_folders():
        for name in _WASM3_NAMES:
            library = os.path.join(folder, name)
            if os.path.isfile(library):
                return EngineFile("wasm3", library, "", "")
    for entry in sys.path:
        found = _extension(entry or ".", "wasm3")
        if found is not None:
            return _at("wasm3", found)
    reason = (
        "wasm3 is not here: neither libwasm3.so in the system's folders nor pywasm3; "
        f"{INSTALL['wasm3']} (with a C compiler; by name alone, for modules that you trust)"
    )
    return EngineFile("wasm3", None, "", reason)


def _extension(folder: str, module: str) -> str | None:
    """The extension module in a folder, for whatever Python it was built."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return None
    for name in names:
        if name == f"{module}.so" or (name.startswith(f"{module}.") and name.endswith(".so")):
            return os.path.join(folder, name)
    return None


def _version_beside(folder: str, package: str) -> str:
    """The version in the name of the package's metadata folder; "" when there is none."""
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    for name in names:
        if name.startswith(f"{package}-") and name.endswith(".dist-info"):
            return name[len(package) + 1 : -len(".dist-info")]
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

"""``wasi-native inspect`` for compiled guests (``.wno``): the manifest, the signature, what a policy says."""

from __future__ import annotations

import os

from ..errors import ModuleError, PolicyError
from .out import clean, complain, fields, human, json, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..aot import Wno
    from ..policy import Policy

__all__ = ["inspect", "is_native"]

_FILE_MAX = 1 << 30


def is_native(path: str) -> bool:
    """Whether the file is native code, or is meant to be; a pipe, which is read once, by its name alone. OSError."""
    if not os.path.isfile(path) and os.path.exists(path):
        return path.endswith(".wno")
    with open(path, "rb", buffering=0) as file:
        return file.read(4) == b"\x7fELF" or path.endswith(".wno")


def inspect(path: str, policy: Policy | None, as_json: bool) -> int:
    """Print all about the file; the exit status. OSError."""
    from .. import aot

    try:
        with open(path, "rb") as file:
            wno = aot.read(path, file.read(_FILE_MAX))
    except ModuleError as error:
        complain("wasi-native inspect", str(error))
        return 1
    found = aot.describe(wno)
    found["signature"] = _signature(wno)
    found["fits"] = _fits(wno)
    found["verdict"] = "" if policy is None else _verdict(wno, policy)
    if wno.definition:
        try:
            found["component"] = _component(path, bytes(wno.definition))
        except ModuleError as error:
            complain("wasi-native inspect", str(error))
            return 1
    if as_json:
        json(found)
    else:
        say(_text(found))
    return 1 if found["verdict"].startswith("denied") or found["signature"].startswith("WRONG") else 0


def _component(path: str, definition: bytes) -> dict[str, list[str]]:
    """What it imports and exports, by its own names."""
    from ..component import FEATURES, decode

    model = decode(definition, path, FEATURES)
    return {"imports": list(model.imports), "exports": list(model.exports)}


def _signature(wno: Wno) -> str:
    if not wno.key:
        return "none"
    from ..aot_sign import verify

    try:
        verify(wno)
    except ModuleError as error:
        text = str(error).removeprefix(f"{wno.name}: ")
        return f"not verified: {text}" if "cannot be verified" in text else f"WRONG: {text}"
    return "good"


def _fits(wno: Wno) -> str:
    """Whether it runs here: "yes", or why not."""
    from ..host.native import fits

    try:
        fits(wno)
    except ModuleError as error:
        return f"no: {str(error).removeprefix(f'{wno.name}: ')}"
    return "yes"


def _verdict(wno: Wno, policy: Policy) -> str:
    from ..host.native import allowed

    try:
        allowed(wno, policy)
    except (ModuleError, PolicyError) as error:
        return f"denied: {error}"
    return "allowed"


def _text(found: dict[str, Any]) -> str:
    made = found["manifest"]
    name = os.path.basename(made["module"])
    left = [] if made["interrupt"] else ["loops are not interrupted"]
    left += ["fuel is counted"] * made["fuel"] + [f"at most {made['depth']} nested calls"] * bool(
        made["depth"]
    )
    world = found.get("component")
    what, imports = ("component", world["imports"]) if world else ("module", made["imports"])
    more: list[tuple[str, str]] = []
    if world:
        compiled, all_ = len(set(filter(None, made["modules"]))), len(made["modules"])
        more = [
            ("exports", ", ".join(map(clean, world["exports"])) or "nothing"),
            (
                "core modules",
                f"{all_}, compiled: {compiled}; without code: {human(found['definition_size'])}",
            ),
        ]
    pairs = [
        (
            "kind",
            f"a compiled {'guest' if not world else what}: native code, which only an allowed hash or key lets run",
        ),
        ("size", f"{human(found['size'])} ({found['size']} bytes), code {human(found['code_size'])}"),
        ("sha256", found["sha256"]),
        ("signed by", found["key"]),
        ("signature", found["signature"]),
        ("policy", found["verdict"]),
        ("runs here", found["fits"]),
        (what, f"{name}, {human(made['size'])}"),
        ("its sha256", made["sha256"]),
        ("imports of", ", ".join(map(clean, imports)) or "nothing"),
        *more,
        ("board", made["board"]),
        ("target", ", ".join(filter(None, (made["arch"], made["isa"], made["libc"], _float(made))))),
        ("interface", f"version {made['abi']}, {made['pointer_bits']} bits"),
        ("options", ", ".join((f"bounds {made['bounds']}", *left))),
        ("flags", " ".join(made["flags"])),
        *(("made with", f"{tool} {version}") for tool, version in sorted(made["tools"].items())),
    ]
    return f"{clean(found['file'])}\n" + fields(pairs)


def _float(made: dict[str, Any]) -> str:
    return f"{made['float_abi']}-float" if made["float_abi"] else ""

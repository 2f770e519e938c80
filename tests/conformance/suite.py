"""The official wasi-testsuite as data: its directories of test cases and the JSON beside each case.

The format is the suite's own doc/specification.md: the older form (args, env, root, stdout, exit_code...)
and the newer one, a list of operations. A case with an operation that this runner has no use for yet
(sockets, http: WASI 0.3) is reported as failed with that reason, never left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEGACY_KEYS = frozenset({"args", "root", "env", "exit_code", "stderr", "stdout"})
OPERATION_KEYS = frozenset({"operations", "proposals", "world", "servers"})


class SuiteError(Exception):
    """The suite, or the manifest of one of its cases, cannot be read."""


@dataclass(frozen=True)
class Case:
    """One module and what is expected of it."""

    name: str
    wasm: Path
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None  # the directory that the guest gets a copy of, as /
    exit_code: int = 0
    stdin: str = ""
    output: Mapping[str, str] = field(
        default_factory=dict
    )  # "stdout" and "stderr", where the case names them
    unsupported: str = ""  # why this runner cannot judge the case


@dataclass(frozen=True)
class Suite:
    """One directory of cases, all for one version of WASI."""

    name: str
    version: str
    path: Path

    def cases(self) -> Iterator[Case]:
        """Every case, by name."""
        for wasm in sorted(self.path.glob("*.wasm")):
            yield read_case(wasm)


def find_suites(top: Path) -> list[Suite]:
    """The directories of cases below ``top``: a checkout of the suite, or a part of one."""
    if not top.is_dir():
        raise SuiteError(f"{top}: not a directory")
    suites = [read_suite(path) for path in sorted({wasm.parent for wasm in top.rglob("*.wasm")})]
    if not suites:
        raise SuiteError(
            f"{top}: no test cases (*.wasm) below it; the suite has them on branch prod/testsuite-base"
        )
    return suites


def read_suite(path: Path) -> Suite:
    """What manifest.json says of a directory, or what its name does."""
    name, version = str(path), path.name if path.name.startswith("wasm32-") else "wasm32-wasip1"
    manifest = path / "manifest.json"
    if manifest.is_file():
        content = _load(manifest)
        name = _text(manifest, content.get("name", name))
        version = _text(manifest, content.get("version", version))
    return Suite(name, version, path)


def read_case(wasm: Path) -> Case:
    """One case, from the JSON beside the module where there is one."""
    manifest = wasm.with_suffix(".json")
    if not manifest.is_file():
        return Case(wasm.stem, wasm)
    content = _load(manifest)
    unknown = set(content) - LEGACY_KEYS - OPERATION_KEYS
    if unknown or (set(content) & LEGACY_KEYS and set(content) & OPERATION_KEYS):
        raise SuiteError(f"{manifest}: keys {sorted(content)} are of no known form")
    if set(content) & OPERATION_KEYS:
        return _from_operations(wasm, manifest, content)
    operations: list[dict[str, Any]] = [{"type": "run", **content}]
    operations += [
        {"type": "read", "id": key, "payload": content[key]} for key in ("stdout", "stderr") if key in content
    ]
    operations.append({"type": "wait", "exit_code": content.get("exit_code", 0)})
    return _from_operations(wasm, manifest, {"operations": operations})


def _from_operations(wasm: Path, manifest: Path, content: dict[str, Any]) -> Case:
    told: dict[str, Any] = {}
    output: dict[str, str] = {}
    beyond = [f"proposal {name}" for name in content.get("proposals", [])]
    beyond += ["servers"] if content.get("servers") else []
    beyond += (
        [f"world {content['world']}"]
        if content.get("world", "wasi:cli/command") != "wasi:cli/command"
        else []
    )
    for operation in content.get("operations") or [{"type": "run"}, {"type": "wait"}]:
        kind = operation.get("type")
        if kind == "run":
            told["args"] = [_text(manifest, arg) for arg in operation.get("args", [])]
            told["env"] = {
                _text(manifest, key): _text(manifest, value)
                for key, value in operation.get("env", {}).items()
            }
            if operation.get("root"):
                told["root"] = wasm.parent / _text(manifest, operation["root"])
        elif kind == "wait":
            told["exit_code"] = int(operation.get("exit_code", 0))
        elif kind == "read":
            stream = operation.get("id", "stdout")
            output[stream] = output.get(stream, "") + _text(manifest, operation.get("payload", ""))
        elif kind == "write":
            told["stdin"] = told.get("stdin", "") + _text(manifest, operation.get("payload", ""))
        else:
            beyond.append(f"operation {kind}")
    return Case(wasm.stem, wasm, output=output, unsupported=", ".join(beyond), **told)


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SuiteError(f"{path}: {error}") from None
    if not isinstance(content, dict):
        raise SuiteError(f"{path}: not an object")
    return content


def _text(where: Path, value: object) -> str:
    if not isinstance(value, str):
        raise SuiteError(f"{where}: {value!r} should be a string")
    return value

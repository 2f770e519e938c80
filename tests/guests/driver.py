"""A guest that makes raw calls for a test: each function of WASI, exported under its own name.

    instance = host.load(driver_wat()).instantiate(policy)
    instance.memory[0:5] = b"f.txt"
    errno = instance.call("path_open", 3, 0, 0, 5, 0, RIGHTS, RIGHTS, 0, 64)

So a new case needs no new guest. The functions and their signatures come from the rows of the core.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ABI = Path(__file__).resolve().parents[2] / "wasi_native" / "abi"
WAT_TYPES = {"u32": "i32", "u64": "i64", "s64": "i64"}
Signature = tuple[tuple[tuple[str, str], ...], str]  # ((name, wat type), ...), the result's wat type or ""


@functools.cache
def _generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wasi_native_abi_generate", ABI / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@functools.cache
def signatures(module: str = "wasi_snapshot_preview1") -> dict[str, Signature]:
    """The functions of one module in the rows' order."""
    found: dict[str, Signature] = {}
    for row in _generate().parse((ABI / "p1.rows").read_text(encoding="utf-8"), "p1.rows"):
        if row.module == module:
            params = tuple((param.name, WAT_TYPES[param.base]) for param in row.params)
            found[row.name] = (params, "" if row.result == "none" else "i32")
    if not found:
        raise KeyError(f"no rows of module {module!r} in {ABI}")
    return found


def driver_wat(
    pages: int = 2,
    max_pages: int | None = None,
    module: str = "wasi_snapshot_preview1",
    only: tuple[str, ...] | None = None,
) -> str:
    """The text of the driver. It also exports ``memory``, and ``memory_grow`` (pages -> old size or -1).
    ``only``: import and wrap just these functions."""
    imports, wrappers = [], []
    for name, (params, result) in signatures(module).items():
        if only is not None and name not in only:
            continue
        kind = (f" (param {' '.join(wat for _, wat in params)})" if params else "") + (
            f" (result {result})" if result else ""
        )
        gets = "".join(f" (local.get {index})" for index in range(len(params)))
        imports.append(f'  (import "{module}" "{name}" (func ${name}{kind}))')
        wrappers.append(f'  (func (export "{name}"){kind} (call ${name}{gets}))')
    if only is not None and len(imports) != len(set(only)):
        raise KeyError(f"not all of {', '.join(only)} are in {module!r}")
    maximum = "" if max_pages is None else f" {max_pages}"
    memory = f'  (memory (export "memory") {pages}{maximum})'
    grow = '  (func (export "memory_grow") (param i32) (result i32) (memory.grow (local.get 0)))'
    return "\n".join(["(module", *imports, memory, *wrappers, grow + ")", ""])

"""A component for a compiled file: which of its core modules are compiled, and its definition without their code.

Shims and fixups that an instance elides (see :mod:`wasi_native.component.shim`) are not compiled, and stay whole:
what loads the file must find them again. Of all other core modules the definition keeps what a linker reads: types,
imports, the types of functions, memories, tables, globals, exports.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import AotError
from ..wasm_bytes import Reader, leb
from .binary import decode
from .core_module import CoreModule
from .model import Component, CoreInstantiate, Subcomponent
from .reader import FEATURES
from .shim import elidable, fixup, shim

__all__ = ["Parts", "split"]

_KEPT = {1, 2, 3, 4, 5, 6, 7}  # sections of a core module
_HEAD = 8


@dataclass(frozen=True)
class Parts:
    """``code``: the core modules to compile, each once; ``modules``: the SHA-256 of each core module of the file, ""
    of one that is elided."""

    definition: bytes
    code: list[bytes]
    modules: tuple[str, ...]


def split(raw: bytes, name: str) -> Parts:
    """Raises ModuleError: it is malformed; AotError: there is nothing to compile."""
    model = decode(raw, name, FEATURES)
    made = _made(model)
    code: dict[str, bytes] = {}
    digests, short = [], {}
    for module in model.modules:
        data, shaped = bytes(module.data), shim(module) is not None or fixup(module) is not None
        digest = (
            "" if shaped and made is not None and module not in made else hashlib.sha256(data).hexdigest()
        )
        if digest:
            code[digest] = data
        if not shaped:
            short[module.at] = _sections(data, name)
        digests.append(digest)
    if not code:
        raise AotError(f"{name}: this component has no core module: there is nothing to compile")
    return Parts(_rewritten(raw, 0, short, name), list(code.values()), tuple(digests))


def _made(root: Component) -> set[CoreModule] | None:
    """The core modules that instances are made of, elided ones apart; None: nobody knows before it runs."""
    found: set[CoreModule] = set()
    components = [root]
    for component in components:
        components += [step.component for step in component.definitions if isinstance(step, Subcomponent)]
        modules = [getattr(d, "module", None) for d in component.definitions if d.sort == "core module"]
        unmade = elidable(component)
        steps = [d for d in component.definitions if d.sort == "core instance"]
        for index, step in enumerate(steps):
            if not isinstance(step, CoreInstantiate) or index in unmade:
                continue
            module = modules[step.module]
            if not isinstance(module, CoreModule):
                return None
            found.add(module)
    return found


def _walk(data: bytes, name: str) -> Iterator[tuple[int, int, int]]:
    """(code, start, end) of each section of a module or component that has been decoded."""
    reader = Reader(data, name, _HEAD)
    while reader.at < len(data):
        code, size = reader.byte(), reader.number()
        yield code, reader.at, reader.at + size
        reader.at += size


def _sections(data: bytes, name: str) -> bytes:
    """A core module as a linker reads it."""
    kept = [(code, data[start:end]) for code, start, end in _walk(data, name) if code in _KEPT]
    return data[:_HEAD] + b"".join(bytes([code]) + leb(len(body)) + body for code, body in kept)


def _rewritten(data: bytes, at: int, short: dict[int, bytes], name: str) -> bytes:
    """A component that begins at ``at`` of the file, with other core modules in their places."""
    out = bytearray(data[:_HEAD])
    for code, start, end in _walk(data, name):
        body = data[start:end]
        if code == 1:
            body = short.get(at + start, body)
        elif code == 4:
            body = _rewritten(body, at + start, short, name)
        out += bytes([code]) + leb(len(body)) + body
    return bytes(out)

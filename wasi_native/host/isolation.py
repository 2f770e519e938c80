"""What keeps a guest in its bounds on an engine, and what does not: for whoever runs modules of strangers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass

    from ..engines import EngineFile
else:
    from ..record import dataclass

__all__ = ["Isolation", "report"]


@dataclass(frozen=True, slots=True)
class Isolation:
    """How an engine keeps guests in bounds.

    * ``memory``, ``tables``, ``time``, ``stack``: what bounds them
    * ``unbounded``: what nothing bounds
    * ``advisories``: what is published against the engine's memory safety, as far as this version knows it
    * ``strangers``: whether modules of people that you do not trust may run on it
    """

    engine: str
    version: str
    path: str | None
    memory: str
    tables: str
    time: str
    stack: str
    unbounded: tuple[str, ...]
    advisories: tuple[str, ...]
    strangers: bool


_REWRITTEN = "the module is rewritten: the maximum of each is that of the policy"
_COMPILING = "time and memory of compiling a module (Limits.module_size bounds its size)"

_BOUNDS = {
    "wasmtime": (
        "the engine counts what each grows to",
        "the engine counts what each grows to",
        "the engine looks at the clock at each loop and call, 20 ms apart at most",
        "the engine bounds the stack of its code",
        (_COMPILING,),
        True,
    ),
    "wasm2c": (
        "the code of the guest asks the layer for each growth",
        "the code of the guest asks the layer for each growth",
        "the code of the guest looks at the clock at each loop and call, where its build did not leave that out",
        "the code of the guest looks at the stack that is left",
        ("what its builder put into it: it is native code, and the policy allows it by hash or signature",),
        False,
    ),
    "wasm_c_api": (
        _REWRITTEN,
        _REWRITTEN,
        "the module is rewritten: it counts its turns and asks the layer",
        "the library's own bound, where it has one: wasm.h has none",
        (_COMPILING, "the native stack, on a library that does not bound it"),
        True,
    ),
    "wasm3": (
        _REWRITTEN,
        "the module is rewritten, and tables do not grow on this engine",
        "the module is rewritten: it looks at a flag at each loop and call, which a thread sets every 20 ms",
        "the engine bounds the stack for wasm code, and the module is rewritten so that each call takes as much of "
        "that as of the native one",
        (
            "memory errors of the engine itself: the layer validates modules for it, but nobody answers for the rest",
            "memory of the code that it makes when a function is called first",
        ),
        False,
    ),
    "fake": ("the layer", "there are none", "it looks at a counter", "it has none", (), False),
}

_ADVISORIES = {
    "wasm3": (
        "CVE-2021-38592, CVE-2021-45929, CVE-2021-45946, CVE-2021-45947, CVE-2022-28966, CVE-2022-34529: memory "
        "errors by crafted modules, published for 0.5.0; newer trees have the same number",
        "wasm3 issues 477 and 562: a valid module writes behind the stack; the layer keeps room there",
        "wasm3 issue 570: a count that overflows in br_table; the layer refuses the module",
        "wasm3 issue 563: nobody there handles reports of security; modules are to be validated before, which the "
        "layer does",
    ),
}


def report(file: EngineFile) -> Isolation:
    """Of an engine that was found."""
    memory, tables, time, stack, unbounded, strangers = _BOUNDS[file.name]
    return Isolation(
        engine=file.name,
        version=file.version,
        path=file.path,
        memory=memory,
        tables=tables,
        time=time,
        stack=stack,
        unbounded=unbounded,
        advisories=_ADVISORIES.get(file.name, ()),
        strangers=strangers,
    )

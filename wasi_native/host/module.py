"""A compiled module and what it imports and exports."""

from __future__ import annotations

from .. import _core
from ..digest import sha256
from ..errors import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..aot import Manifest, Wno
    from ..policy import Policy
    from . import Call
    from .host import Host
    from .instance import Instance

__all__ = ["Extern", "HostFunction", "Module", "check_head"]

_NATIVE = "wasm2c"  # the engine of compiled guests
_KINDS = ("func", "global", "table", "memory", "other")


class Extern:
    """An import or export. ``params`` and ``results`` are letters: i i32, I i64, f f32, F f64. ``constant``: a global
    that is imported and never changes."""

    __slots__ = (
        *("constant", "kind", "maximum", "minimum", "module", "name", "params", "results"),
        *("shared", "wide"),
    )

    def __init__(self, fields: tuple[Any, ...]) -> None:
        self.module: str = fields[0]
        self.name: str = fields[1]
        self.kind: str = _KINDS[fields[2]]
        self.params: str = fields[3]
        self.results: str = fields[4]
        self.minimum: int = fields[5]
        self.maximum: int | None = fields[6]
        self.shared: bool = fields[7]
        self.wide: bool = fields[8]
        self.constant: bool = fields[9]

    def __repr__(self) -> str:
        place = f"{self.module}." if self.module else ""
        return f"<{self.kind} {place}{self.name} ({self.params}) -> ({self.results})>"


class HostFunction:
    """A function of yours that a guest may import, looked at before WASI's own.

    ``params``, ``results``: letters as in :class:`Extern`. ``function``: a Python callable that takes and
    returns numbers; or the address (int) of a C function ``wn_host_fn_t`` of wasi_native/engine.h, called
    without the GIL with the pointer ``context``. Addresses are trusted: a wrong one crashes the process.
    """

    __slots__ = ("context", "function", "module", "name", "params", "results")

    def __init__(
        self,
        module: str,
        name: str,
        params: str,
        results: str,
        function: Callable[..., object] | int,
        context: int = 0,
    ) -> None:
        if not callable(function) and not isinstance(function, int):
            raise TypeError("function is a callable or the address of a C function")
        if not isinstance(params, str) or not isinstance(results, str):
            raise TypeError("params and results are letters in a str, such as 'iI'")
        self.module, self.name, self.params, self.results = module, name, params, results
        self.function, self.context = function, context


class Module:
    """A compiled module: instantiate it as often as you like.

    ``manifest``: of a compiled guest (``.wno``), what its file says of itself; else None.
    """

    def __init__(
        self,
        host: Host,
        name: str,
        path: str | None,
        raw: bytes,
        core: _core.Module,
        native: Wno | None = None,
    ) -> None:
        self.host, self.name, self.path = host, name, path
        self.manifest: Manifest | None = native.manifest if native else None
        self._core: _core.Module | None = core
        self._raw: bytes | None = None if native else raw
        self._many = None if native or host.engine == "fake" or _most(raw) < 2 else raw
        self._digest = native.manifest.sha256 if native else ""
        self._imports: tuple[Extern, ...] | None = None
        self._exports: tuple[Extern, ...] | None = None

    @property
    def engine(self) -> str:
        """The name of the engine that runs it."""
        return self.host.engine if self.manifest is None else _NATIVE

    @property
    def caps(self) -> tuple[str, ...]:
        """What that engine can do with it: for a compiled guest, less what it was compiled without."""
        if self.manifest is None:
            return self.host.caps
        from .native import missing_caps

        lost = missing_caps(self.manifest)
        return tuple(name for name in self.host._native().caps if name not in lost)

    @property
    def counts_fuel(self) -> bool:
        """Whether instructions are counted, so that ``Limits.fuel`` works."""
        return self.host.fuel if self.manifest is None else self.manifest.fuel

    @property
    def sha256(self) -> str:
        """Of the binary module, in hex; of a compiled guest, that of the module it was made of."""
        if self._raw is not None:
            self._digest, self._raw = sha256(self._raw), None
        return self._digest

    @property
    def imports(self) -> tuple[Extern, ...]:
        """In the module's order."""
        if self._imports is None:
            self._imports = tuple(Extern(item) for item in self._open().externs(False))
        return self._imports

    @property
    def exports(self) -> tuple[Extern, ...]:
        """In the module's order."""
        if self._exports is None:
            self._exports = tuple(Extern(item) for item in self._open().externs(True))
        return self._exports

    def instantiate(
        self,
        policy: Policy | None = None,
        *,
        functions: Iterable[HostFunction] = (),
        trace: Callable[[Call], object] | None = None,
        nonblocking_stdio: bool = False,
        siblings: Mapping[str, Instance] | None = None,
    ) -> Instance:
        """A guest of its own: memory, descriptors, limits. Runs the module's start section.

        ``policy``: default the host's. ``functions``: of yours, before WASI's. ``trace``: called after each call
        of the guest with a :class:`Call`. ``nonblocking_stdio``: a stream that has nothing says ``again``.
        ``siblings``: live instances whose exports serve the imports of a module name; they share one world (the
        policy of the first), one thread and one deadline, on engines with the abilities "share-...".

        Raises LinkError (all missing imports at once), PolicyError (what cannot be granted), LimitExceeded
        (``instances``), and whatever ended the start section.
        """
        if siblings and policy is not None:
            raise TypeError("siblings share the policy of the first; give none")
        chosen = self.host.policy if policy is None else policy
        from .instance import Instance

        return Instance(self, chosen, functions, trace, nonblocking_stdio, siblings or {})

    def _open(self) -> _core.Module:
        if self._core is None:
            raise RuntimeError(f"the module {self.name} is closed")
        return self._core

    def close(self) -> None:
        """Free the compiled code, once the instances are closed. Idempotent."""
        self._core = None

    def __enter__(self) -> Module:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Module {self.name} on {self.engine}>"


def _most(raw: bytes) -> int:
    """How many memories or tables a module has of its own, whichever are more; an engine has validated it."""
    from ..wasm_bytes import Reader

    reader, most = Reader(raw, "", 8), 0
    while reader.at < reader.end:
        code, size = reader.byte(), reader.number()
        behind = reader.at + size
        if code in (4, 5):
            most = max(most, reader.number())
        reader.at = behind
    return most


def check_head(name: str, raw: bytes) -> None:
    if raw[:4] != b"\0asm":
        raise ModuleError(f"{name}: not a WebAssembly module: it does not start with \\0asm")
    if len(raw) < 8:
        raise ModuleError(f"{name}: truncated after {len(raw)} bytes")
    if raw[4:8] != b"\1\0\0\0":
        raise ModuleError(
            f"{name}: WebAssembly version {int.from_bytes(raw[4:8], 'little')} is not supported"
        )

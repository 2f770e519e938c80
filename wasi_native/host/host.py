"""Load modules, instantiate them under a policy, run them.

    host = Host(policy)  ->  host.load("plugin.wasm")  ->  module.instantiate()  ->  instance.run()

A host and its modules serve many threads; an instance serves one at a time (:class:`InstanceBusy`), apart from
:meth:`Instance.cancel`. An instance that exited, trapped, was cancelled or exceeded a limit is never resumed.
"""

from __future__ import annotations

import os
from _thread import RLock

from .. import _core, engines
from ..digest import sha256
from ..errors import EngineError, EngineMissing, LimitExceeded, ModuleError
from ..policy import Policy
from .endings import plain, plain_lines
from .grants import RESOLVERS
from .module import Module, check_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..board import Board
    from ..cache import Cache
    from .component import Component
    from .isolation import Isolation

__all__ = ["Host", "run"]

_MODULE_MAX = 1 << 28
_COMPONENT = b"\0asm\x0d\0\1\0"
_NATIVE = "wasm2c"  # the engine of compiled guests
_WASM3_STACK = 65_536


class Host:
    """An engine, ready to load modules, and the defaults of what it instantiates.

    * ``policy``: for instances that are given none; default grants nothing
    * ``board``: a :class:`Board`, an id, or None: the one that is detected; sets limits and address space
    * ``engine``: a name; default ``$WASI_NATIVE_ENGINE``, else the best that the board affords and that opens here
    * ``engine_path``: its shared library; default ``$WASI_NATIVE_ENGINE_PATH``, else it is searched for
    * ``resolver``: ``"auto"``, ``"openat2"`` or ``"walk"``; default ``$WASI_NATIVE_RESOLVER``, else auto
    * ``cache``: folder of compiled code, None: the default one, False: none
    * ``fuel``: count instructions, so that ``Limits.fuel`` works; also set by a policy with that limit

    Compiled guests (``.wno``) run beside any engine, and where there is none: then only a WebAssembly module raises
    EngineMissing, when it is loaded.

    Raises EngineMissing and EngineError (of an engine or library that was asked for by name), BoardError.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        board: Board | str | None = None,
        engine: str | None = None,
        engine_path: str | None = None,
        resolver: str | None = None,
        cache: str | os.PathLike[str] | bool | None = None,
        fuel: bool | None = None,
    ) -> None:
        self.policy = Policy() if policy is None else policy
        if not isinstance(self.policy, Policy):
            raise TypeError(f"a Policy is needed, not {type(policy).__name__}")
        if board is None or isinstance(board, str):
            from ..board import Board

            self.board = Board.detect() if board is None else Board.load(board)
        else:
            self.board = board
        self.resolver = resolver or os.environ.get("WASI_NATIVE_RESOLVER") or "auto"
        if self.resolver not in RESOLVERS:
            raise ValueError(f"resolver {self.resolver!r} is none of: {', '.join(RESOLVERS)}")
        self.fuel = self.policy.limits.fuel is not None if fuel is None else fuel
        self._why = f"the engine {_NATIVE} runs compiled guests alone"
        self.instances = 0
        self._lock = RLock()  # around `instances`; an instance may be collected while this thread holds it
        self._os: _core.FakeOs | None = None  # tests put a kernel here that fails on demand
        self._engine: _core.Engine | None
        self._file, self._engine = self._choose(
            engine or os.environ.get("WASI_NATIVE_ENGINE") or None,
            engine_path or os.environ.get("WASI_NATIVE_ENGINE_PATH") or None,
        )
        self._config = self._engine_config(self._file.name)
        self._second: _core.Engine | None = None  # for compiled guests, when the engine is another
        self._cache_choice = cache
        self._cache: Cache | None = None
        self._provided: dict[str, Any] = {}

    def _choose(self, name: str | None, path: str | None) -> tuple[engines.EngineFile, _core.Engine]:
        """An engine and what opened it. One that nobody named and that does not open is passed over."""
        names = [name] if name else [n for n in self.board.engines if n in engines.default_names()]
        wanted = ", ".join(self.board.engines) or "none"
        reasons = [f"no engine of this version runs on {self.board.id}; the board asks for: {wanted}"]
        for candidate in names:
            found = engines.find(candidate, path)
            why = found.reason or ("" if name else found.risk)
            if not why:
                try:
                    return found, self._start(found)
                except EngineError as error:
                    if name or path:
                        raise
                    why = str(error)
            reasons.append(why)
        why = ". ".join(reasons[1:] or reasons)
        if name:
            raise EngineMissing(why)
        self._why = why
        native = engines.find(_NATIVE)
        return native, self._start(native)

    def _start(self, file: engines.EngineFile) -> _core.Engine:
        try:
            return _core.Engine(file.name, file.path, **self._engine_config(file.name))
        except _core.CoreError as error:
            raise EngineError(f"{file.name} ({file.path}): {error}") from None

    def _engine_config(self, name: str) -> dict[str, Any]:
        board = self.board
        stack = self.policy.limits.wasm_stack or board.limits.stack_bytes
        config: dict[str, Any] = {"tick_ms": min(board.limits.epoch_ms or 20, 20), "fuel": self.fuel}
        if name == "wasmtime":
            config.update(reservation=board.reservation_bytes, guard=board.guard_bytes, wasm_stack=stack)
        if name in (_NATIVE, "wasm_c_api"):
            config.update(wasm_stack=stack)
        if name == "wasm3":  # its frames are larger; what a board cannot spare, a policy says
            config.update(wasm_stack=self.policy.limits.wasm_stack or max(stack, _WASM3_STACK))
        return config

    @property
    def engine(self) -> str:
        """The name of the engine in use."""
        return self._file.name

    @property
    def engine_version(self) -> str:
        """Its version, "" when nobody knows."""
        return self._file.version

    @property
    def engine_path(self) -> str | None:
        """Its library."""
        return self._file.path

    @property
    def caps(self) -> tuple[str, ...]:
        """What it can do, by the names of wn_cap_name()."""
        caps: tuple[str, ...] = self._open().caps
        return caps

    def isolation_report(self) -> Isolation:
        """What keeps guests in their bounds on this host's engine, what does not, and what is published against it.
        Compiled guests are native code beside it: see the report of a host with the engine ``wasm2c``."""
        from .isolation import report

        return report(self._file)

    def _open(self) -> _core.Engine:
        if self._engine is None:
            raise RuntimeError("the host is closed")
        return self._engine

    def _native(self) -> _core.Engine:
        """The engine of compiled guests, opened when the first is loaded."""
        if self._file.name == _NATIVE or self._engine is None:
            return self._open()
        with self._lock:
            if self._second is None:
                self._second = _core.Engine(_NATIVE, None, **self._engine_config(_NATIVE))
            return self._second

    @property
    def cache(self) -> Cache | None:
        """The cache of compiled code, None when there is none."""
        return self._native_cache() if "serialize" in self.caps else None

    def _native_cache(self) -> Cache | None:
        if self._cache_choice is False:
            return None
        if self._cache is None:
            from ..cache import Cache

            choice = self._cache_choice
            self._cache = Cache(None if choice in (None, True) else choice)  # type: ignore[arg-type]
        return self._cache

    def provide(self, name: str, target: Any) -> None:
        """Serve the import ``name`` of components that are instantiated from now on.

        ``target``: of an interface (``"my:pkg/sensor"``, a version behind it or not) an object or dict with its
        functions and classes, by their Python names or the names of WIT; of a function that, or the address (int)
        of a C function of wasi_native/component.h. It comes before WASI's own interfaces.
        """
        self._provided[name] = target

    def load(self, source: str | os.PathLike[str] | bytes) -> Module:
        """A module from a file (.wasm, .wat where the engine reads text, .wno), bytes, or text that starts with
        ``(``. Of a component it is a :class:`Component`, which has the same manners.

        A compiled guest (.wno) is native code: the host's ``policy.native`` must allow it. Raises ModuleError, with
        the file's name: truncated, malformed, too large, in need of what the engine lacks, for another machine;
        PolicyError: native code that is not allowed; EngineMissing.
        """
        name, data, path = "<bytes>", source, None
        if isinstance(source, str) and source.lstrip()[:1] == "(":
            name, data = "<text>", source.encode()
        elif not isinstance(source, (bytes, bytearray, memoryview)):
            path = os.fspath(source)
            name = plain(os.path.basename(path))
            data = self._read(path)
        raw = bytes(data)  # type: ignore[arg-type]
        limit = self.policy.limits.module_size or _MODULE_MAX
        if len(raw) > limit:
            raise ModuleError(f"{name}: {len(raw)} bytes are more than the limit module_size of {limit}")
        self._open()
        if raw[:4] == b"\x7fELF" or name.endswith(".wno"):
            return self._load_native(name, path, raw)
        if raw.lstrip()[:1] in (b"(", b";"):
            raw = self.assemble(raw, name)
        elif self.engine == _NATIVE:
            raise EngineMissing(f"{name}: no engine here runs WebAssembly modules: {self._why}")
        if raw[:8] == _COMPONENT:
            from .component import Component

            return Component(self, name, path, raw)  # type: ignore[return-value]
        if self.engine != "fake":
            check_head(name, raw)
        return Module(self, name, path, raw, self._compile(name, raw))

    def load_component(self, source: str | os.PathLike[str] | bytes) -> Component:
        """:meth:`load` for what must be a component. ModuleError: it is a module."""
        found: Any = self.load(source)
        if isinstance(found, Module):
            raise ModuleError(f"{found.name}: this is a core module, no component; use load()")
        return found  # type: ignore[no-any-return]

    def assemble(self, text: bytes, name: str = "<text>") -> bytes:
        """A module in text as a binary, where the engine reads text. Raises ModuleError, EngineMissing."""
        engine = self._open()
        if self.engine == _NATIVE:
            raise EngineMissing(f"{name}: no engine here reads WebAssembly text: {self._why}")
        try:
            return engine.wat(text)
        except _core.CoreError as error:
            raise ModuleError(f"{name}: {plain_lines(str(error).replace('<anon>', name))}") from None

    def _load_native(self, name: str, path: str | None, raw: bytes) -> Module:
        from .native import open_code, take

        wno = take(name, raw, self.policy)
        cores = open_code(self._native(), wno, self._native_cache())
        if wno.definition:
            from .component import Component

            return Component(self, name, path, bytes(wno.definition), wno, cores)  # type: ignore[return-value]
        return Module(self, name, path, raw, cores[0], wno)

    def _read(self, path: str) -> bytes:
        limit = self.policy.limits.module_size or _MODULE_MAX
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > limit:
                    name = plain(os.path.basename(path))
                    raise ModuleError(f"{name}: {size} bytes are more than the limit module_size of {limit}")
                return file.read(limit + 1)
        except OSError as error:
            raise ModuleError(f"{path}: {error.strerror or error}") from None

    def _compile(self, name: str, raw: bytes) -> _core.Module:
        engine, cache = self._open(), self.cache
        if cache is None:
            return self._load(engine, name, raw)
        key = (sha256(raw), self.engine, self._file.version, self._config_key())
        entry = cache.get(*key)
        if entry is not None:
            try:
                return engine.restore(entry)
            except _core.CoreError:
                cache.discard(entry)
        module = self._load(engine, name, raw)
        cache.put(*key, module.serialize())
        return module

    @staticmethod
    def _load(engine: _core.Engine, name: str, raw: bytes) -> _core.Module:
        try:
            return engine.load(raw)
        except _core.CoreError as error:
            raise ModuleError(f"{name}: {plain_lines(str(error))}") from None

    def _config_key(self) -> str:
        return "-".join(f"{key}{value}" for key, value in sorted(self._config.items()) if key != "tick_ms")

    def _enter(self, cap: int | None) -> None:
        with self._lock:
            if cap is not None and self.instances >= cap:
                raise LimitExceeded(
                    "instances", f"{cap} instances are alive, the limit of this host; close one"
                )
            self.instances += 1

    def _leave(self) -> None:
        with self._lock:
            self.instances -= 1

    def close(self) -> None:
        """Let go of the engine, which ends with the last of its modules. Idempotent."""
        self._engine = self._second = None

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def run(
    source: str | os.PathLike[str] | bytes, *args: str, policy: Policy | None = None, **grants: Any
) -> int:
    """Load, instantiate and run in one line; the exit code.

    ``args``: of the guest. ``grants``: fields of :class:`Policy`, when no ``policy`` is given. Standard streams
    are the host's unless they are granted otherwise. Raises as :meth:`Instance.run`.
    """
    if policy is None:
        for name in ("stdin", "stdout", "stderr"):
            grants.setdefault(name, "inherit")
        policy = Policy(args=args, **grants)
    elif args or grants:
        raise TypeError("give a policy, or arguments and grants, not both")
    with Host(policy) as host, host.load(source).instantiate() as instance:
        return instance.run()

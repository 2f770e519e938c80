"""Load modules, instantiate them under a policy, run them.

    host = Host(policy)  ->  host.load("plugin.wasm")  ->  module.instantiate()  ->  instance.run()

A host and its modules serve many threads; an instance serves one at a time (:class:`InstanceBusy`), apart from
:meth:`Instance.cancel`. An instance that exited, trapped, was cancelled or exceeded a limit is never resumed.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import RLock, get_ident

from . import _core, engines
from .errors import (
    Cancelled,
    EngineError,
    EngineMissing,
    Exit,
    InstanceBusy,
    InstanceDead,
    LimitExceeded,
    LinkError,
    ModuleError,
    Timeout,
    Trap,
)
from .grants import Grants
from .policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from .board import Board
    from .cache import Cache
    from .policy import Limits

    Call = _core.TraceCall
else:
    Call = _core.TraceCall

__all__ = ["Call", "Extern", "Host", "HostFunction", "Instance", "Memory", "Module", "Usage", "run"]

_MAIN_THREAD = get_ident() if "threading" not in sys.modules else sys.modules["threading"].main_thread().ident
_RESOLVERS = {"auto": 0, "openat2": 1, "walk": 2}
_KINDS = ("func", "global", "table", "memory", "other")
_MODULE_MAX = 1 << 28


class Extern:
    """An import or export. ``params`` and ``results`` are letters: i i32, I i64, f f32, F f64."""

    __slots__ = ("kind", "maximum", "minimum", "module", "name", "params", "results", "shared", "wide")

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
        self.module, self.name, self.params, self.results = module, name, params, results
        self.function, self.context = function, context


class Usage:
    """What an instance used: bytes of output, CPU time (ns), open descriptors, fuel left (None: not counted)."""

    __slots__ = ("cpu_ns", "fds", "fuel", "output_bytes", "resolver")

    def __init__(self, output_bytes: int, cpu_ns: int, fds: int, resolver: str, fuel: int | None) -> None:
        self.output_bytes, self.cpu_ns, self.fds, self.resolver, self.fuel = (
            output_bytes,
            cpu_ns,
            fds,
            resolver,
            fuel,
        )

    def __repr__(self) -> str:
        return (
            f"Usage(output_bytes={self.output_bytes}, cpu_ns={self.cpu_ns}, fds={self.fds}, "
            f"resolver={self.resolver!r}, fuel={self.fuel})"
        )


class Host:
    """An engine, ready to load modules, and the defaults of what it instantiates.

    * ``policy``: for instances that are given none; default grants nothing
    * ``board``: a :class:`Board`, an id, or None: the one that is detected; sets limits and address space
    * ``engine``: a name; default ``$WASI_NATIVE_ENGINE``, else the best that the board affords and that is here
    * ``engine_path``: its shared library; default ``$WASI_NATIVE_ENGINE_PATH``, else it is searched for
    * ``resolver``: ``"auto"``, ``"openat2"`` or ``"walk"``; default ``$WASI_NATIVE_RESOLVER``, else auto
    * ``cache``: folder of compiled code, None: the default one, False: none
    * ``fuel``: count instructions, so that ``Limits.fuel`` works; also set by a policy with that limit

    Raises EngineMissing, EngineError, BoardError.
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
            from .board import Board

            self.board = Board.detect() if board is None else Board.load(board)
        else:
            self.board = board
        self.resolver = resolver or os.environ.get("WASI_NATIVE_RESOLVER") or "auto"
        if self.resolver not in _RESOLVERS:
            raise ValueError(f"resolver {self.resolver!r} is none of: {', '.join(_RESOLVERS)}")
        self.fuel = self.policy.limits.fuel is not None if fuel is None else fuel
        self._file = self._choose(engine or os.environ.get("WASI_NATIVE_ENGINE") or None, engine_path)
        self.instances = 0
        self._lock = RLock()  # around `instances`; an instance may be collected while this thread holds it
        self._os: _core.FakeOs | None = None  # tests put a kernel here that fails on demand
        self._config = self._engine_config()
        try:
            self._engine: _core.Engine | None = _core.Engine(self._file.name, self._file.path, **self._config)
        except _core.CoreError as error:
            raise EngineError(f"{self._file.name} ({self._file.path}): {error}") from None
        self._cache_choice = cache
        self._cache: Cache | None = None

    def _choose(self, name: str | None, path: str | None) -> engines.EngineFile:
        path = path or os.environ.get("WASI_NATIVE_ENGINE_PATH") or None
        names = [name] if name else [n for n in self.board.engines if n in engines.default_names()]
        if not names:
            wanted = ", ".join(self.board.engines) or "none"
            raise EngineMissing(f"no engine of this version runs on {self.board.id}; the board asks for: {wanted}")
        found = None
        for candidate in names:
            found = engines.find(candidate, path)
            if not found.reason:
                return found
        assert found is not None
        raise EngineMissing(found.reason)

    def _engine_config(self) -> dict[str, Any]:
        board = self.board
        stack = self.policy.limits.wasm_stack or board.limits.stack_bytes
        config: dict[str, Any] = {"tick_ms": min(board.limits.epoch_ms or 20, 20), "fuel": self.fuel}
        if self._file.name == "wasmtime":
            config.update(reservation=board.reservation_bytes, guard=board.guard_bytes, wasm_stack=stack)
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

    def _open(self) -> _core.Engine:
        if self._engine is None:
            raise RuntimeError("the host is closed")
        return self._engine

    @property
    def cache(self) -> Cache | None:
        """The cache of compiled code, None when there is none."""
        if self._cache_choice is False or "serialize" not in self.caps:
            return None
        if self._cache is None:
            from .cache import Cache

            choice = self._cache_choice
            self._cache = Cache(None if choice in (None, True) else choice)  # type: ignore[arg-type]
        return self._cache

    def load(self, source: str | os.PathLike[str] | bytes) -> Module:
        """A module from a file (.wasm, or .wat where the engine reads text), bytes, or text that starts with
        ``(``.

        Raises ModuleError, with the file's name: truncated, malformed, too large, or in need of what the engine
        lacks.
        """
        name, data, path = "<bytes>", source, None
        if isinstance(source, str) and source.lstrip()[:1] == "(":
            name, data = "<text>", source.encode()
        elif not isinstance(source, (bytes, bytearray, memoryview)):
            path = os.fspath(source)
            name = _plain(os.path.basename(path))
            data = self._read(path)
        raw = bytes(data)  # type: ignore[arg-type]
        limit = self.policy.limits.module_size or _MODULE_MAX
        if len(raw) > limit:
            raise ModuleError(f"{name}: {len(raw)} bytes are more than the limit module_size of {limit}")
        engine = self._open()
        if raw.lstrip()[:1] in (b"(", b";"):
            try:
                raw = engine.wat(raw)
            except _core.CoreError as error:
                raise ModuleError(f"{name}: {_plain_lines(str(error))}") from None
        elif self.engine != "fake":
            _check_head(name, raw)
        return Module(self, name, path, raw, self._compile(name, raw))

    def _read(self, path: str) -> bytes:
        limit = self.policy.limits.module_size or _MODULE_MAX
        try:
            with open(path, "rb") as file:
                return file.read(limit + 1)
        except OSError as error:
            raise ModuleError(f"{path}: {error.strerror or error}") from None

    def _compile(self, name: str, raw: bytes) -> _core.Module:
        engine, cache = self._open(), self.cache
        if cache is None:
            return self._load(engine, name, raw)
        key = (_sha256(raw), self.engine, self._file.version, self._config_key())
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
            raise ModuleError(f"{name}: {_plain_lines(str(error))}") from None

    def _config_key(self) -> str:
        return "-".join(f"{key}{value}" for key, value in sorted(self._config.items()) if key != "tick_ms")

    def _enter(self, cap: int | None) -> None:
        with self._lock:
            if cap is not None and self.instances >= cap:
                raise LimitExceeded("instances", f"{cap} instances are alive, the limit of this host; close one")
            self.instances += 1

    def _leave(self) -> None:
        with self._lock:
            self.instances -= 1

    def close(self) -> None:
        """Let go of the engine, which ends with the last of its modules. Idempotent."""
        self._engine = None

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _sha256(raw: bytes) -> str:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]

    return str(sha256(raw).hexdigest())


if sys.version_info < (3, 12):

    def _sha256(raw: bytes) -> str:
        from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]

        return str(sha256(raw).hexdigest())


def _check_head(name: str, raw: bytes) -> None:
    if raw[:4] != b"\0asm":
        raise ModuleError(f"{name}: not a WebAssembly module: it does not start with \\0asm")
    if len(raw) < 8:
        raise ModuleError(f"{name}: truncated after {len(raw)} bytes")
    if raw[4:8] == b"\x0d\0\1\0":
        raise ModuleError(f"{name}: this is a component; this version runs core modules (WASI 0.1)")
    if raw[4:8] != b"\1\0\0\0":
        raise ModuleError(f"{name}: WebAssembly version {int.from_bytes(raw[4:8], 'little')} is not supported")


class Module:
    """A compiled module: instantiate it as often as you like."""

    def __init__(self, host: Host, name: str, path: str | None, raw: bytes, core: _core.Module) -> None:
        self.host, self.name, self.path = host, name, path
        self._core: _core.Module | None = core
        self._raw: bytes | None = raw
        self._digest = ""
        self._imports: tuple[Extern, ...] | None = None
        self._exports: tuple[Extern, ...] | None = None

    @property
    def sha256(self) -> str:
        """Of the binary module, in hex."""
        if self._raw is not None:
            self._digest, self._raw = _sha256(self._raw), None
        return self._digest

    @property
    def imports(self) -> tuple[Extern, ...]:
        """In the module's order."""
        if self._imports is None:
            self._imports = tuple(Extern(item) for item in self._open().imports())
        return self._imports

    @property
    def exports(self) -> tuple[Extern, ...]:
        """In the module's order."""
        if self._exports is None:
            self._exports = tuple(Extern(item) for item in self._open().exports())
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
        policy of the first), one thread and one deadline, on engines with the ability "siblings".

        Raises LinkError (all missing imports at once), PolicyError (what cannot be granted), LimitExceeded
        (``instances``), and whatever ended the start section.
        """
        if siblings and policy is not None:
            raise TypeError("siblings share the policy of the first; give none")
        chosen = self.host.policy if policy is None else policy
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
        return f"<Module {self.name} on {self.host.engine}>"


class Memory:
    """The guest's linear memory as it is at each access: it moves and grows with the guest.

    ``memory[i]`` is a byte, ``memory[i:j]`` bytes; both can be assigned. IndexError outside.
    """

    __slots__ = ("_core", "_name")

    def __init__(self, core: _core.Instance, name: str) -> None:
        self._core, self._name = core, name.encode()

    def __len__(self) -> int:
        return int(_busy(self._core.memory_size, self._name))

    def read(self, ptr: int, length: int) -> bytes:
        """``length`` bytes at ``ptr``; IndexError outside."""
        inside = ptr >= 0 and length >= 0
        data: bytes | None = _busy(self._core.memory_read, self._name, ptr, length) if inside else None
        if data is None:
            raise IndexError(f"{length} bytes at {ptr} are outside a memory of {len(self)} bytes")
        return data

    def write(self, ptr: int, data: bytes) -> None:
        """All of ``data`` at ``ptr``, or IndexError and nothing."""
        if ptr < 0 or not _busy(self._core.memory_write, self._name, ptr, bytes(data)):
            raise IndexError(f"{len(data)} bytes at {ptr} are outside a memory of {len(self)} bytes")

    def u8(self, ptr: int) -> int:
        return self.read(ptr, 1)[0]

    def u16(self, ptr: int) -> int:
        return int.from_bytes(self.read(ptr, 2), "little")

    def u32(self, ptr: int) -> int:
        return int.from_bytes(self.read(ptr, 4), "little")

    def u64(self, ptr: int) -> int:
        return int.from_bytes(self.read(ptr, 8), "little")

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                raise ValueError("a slice of memory has no step")
            return self.read(start, max(stop - start, 0))
        return self.u8(key + len(self) if key < 0 else key)

    def __setitem__(self, key: int | slice, value: Any) -> None:
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1 or len(value) != max(stop - start, 0):
                raise ValueError("a slice of memory has no step and keeps its length")
            self.write(start, value)
        else:
            self.write(key + len(self) if key < 0 else key, bytes((value,)))


def _busy(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except _core.Busy as busy:
        raise InstanceBusy(str(busy)) from None


class Instance:
    """A guest. Made by :meth:`Module.instantiate`."""

    def __init__(
        self,
        module: Module,
        policy: Policy,
        functions: Iterable[HostFunction],
        trace: Callable[[Call], object] | None,
        nonblocking_stdio: bool,
        siblings: Mapping[str, Instance],
    ) -> None:
        host = module.host
        limits = host_limits(host, policy)
        self.module, self.policy, self._limits = module, policy, limits
        self._core: _core.Instance | None = None
        self._initialized = False
        self._captured: dict[int, bytes] = {}
        self._siblings = dict(siblings)  # alive as long as we are
        host._enter(limits.instances)
        try:
            sys_ = self._world(host)
            if nonblocking_stdio:
                sys_.stdio_nonblocking(True)
            funcs = [(f.module, f.name, f.params, f.results, f.function, f.context) for f in functions]
            self._sys = sys_
            try:
                self._core = _core.Instance(
                    module._open(),
                    sys_,
                    funcs,
                    trace,
                    self._deadline(None),
                    get_ident() == _MAIN_THREAD,
                    [(name, one._open()) for name, one in self._siblings.items()],
                )
            except _core.CoreError as error:
                pending = sys_.take_pending()
                if pending is not None:
                    raise pending from None
                if error.code == _core.LINK:
                    raise _link_error(module, funcs, self._siblings) from None
                if error.code == _core.INVALID:
                    raise ModuleError(f"{module.name}: {_plain_lines(str(error))}") from None
                raise _ending(error.code, error.text, error.exit_code, error.limit) from None
        except BaseException:
            self._leave()
            raise

    def _world(self, host: Host) -> _core.Sys:
        """What the policy grants; or the world of the siblings."""
        for sibling in self._siblings.values():
            self._grants: Grants = sibling._grants
            return sibling._sys
        self._grants = Grants(
            self.policy, self._limits, self.module.name, _RESOLVERS[host.resolver], host._os
        )
        return self._grants.build()

    def _leave(self) -> None:
        if not self._siblings and hasattr(self, "_grants"):
            self._grants.close()
        self._siblings = {}
        self.module.host._leave()

    # ---- running ----

    def run(self, timeout: float | None = None) -> int:
        """Run the program (``_start``); the exit code, 0 when it just returns.

        ``timeout``: seconds of wall clock, default ``Limits.wall_time``. Raises Trap, Timeout, LimitExceeded,
        Cancelled, InstanceDead, InstanceBusy, and whatever a callback of yours raised.
        """
        if self._find("_start") is None:
            names = ", ".join(e.name for e in self.module.exports if e.kind == "func") or "none"
            raise ModuleError(
                f"{self.module.name}: no _start, so this is a library (reactor): use call(); its functions: {names}"
            )
        try:
            self._invoke("_start", (), timeout)
        except Exit as end:
            return end.code
        return 0

    def call(self, export: str, *args: float, timeout: float | None = None) -> Any:
        """Call an exported function with numbers; its result, None or a tuple for none or several.

        Integers come back signed. The first call runs ``_initialize`` where the module has one. Raises as
        :meth:`run`, and Exit when the guest exits; TypeError, OverflowError for wrong arguments.
        """
        if not self._initialized:
            self._initialized = True
            if export != "_initialize" and self._find("_initialize") is not None:
                self._invoke("_initialize", (), timeout)
        return self._invoke(export, args, timeout)

    async def call_async(self, export: str, *args: float, timeout: float | None = None) -> Any:
        """:meth:`call` on a worker thread; cancelling the task cancels the guest and waits for its end."""
        return await self._in_thread(self.call, export, *args, timeout=timeout)

    async def run_async(self, timeout: float | None = None) -> int:
        """:meth:`run` on a worker thread; cancelling the task cancels the guest and waits for its end."""
        code: int = await self._in_thread(self.run, timeout=timeout)
        return code

    async def _in_thread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        import asyncio

        task = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # the guest's Cancelled is the task's own doing
            raise

    def cancel(self) -> None:
        """End the guest: its call raises Cancelled within 100 ms. Any thread, signal handlers; idempotent."""
        core = self._core
        if core is not None:
            core.cancel()

    def _find(self, export: str) -> Extern | None:
        for item in self.module.exports:
            if item.name == export and item.kind == "func":
                return item
        return None

    def _open(self) -> _core.Instance:
        if self._core is None:
            raise InstanceDead("the instance is closed")
        return self._core

    def _invoke(self, export: str, args: tuple[float, ...], timeout: float | None) -> Any:
        core = self._open()
        ended = self.end
        if ended is not None:
            raise InstanceDead(f"the instance has ended ({ended}) and is not resumed; make a new one")
        item = self._find(export)
        if item is None:
            names = ", ".join(e.name for e in self.module.exports if e.kind == "func") or "none"
            raise ModuleError(f"{self.module.name}: no exported function {export!r}; there are: {names}")
        signals = get_ident() == _MAIN_THREAD
        try:
            err, text, results = core.call(
                export.encode(), args, item.params, item.results, self._deadline(timeout), signals
            )
        except _core.Busy as busy:
            raise InstanceBusy(str(busy)) from None
        pending = self._sys.take_pending()
        if pending is not None:
            raise pending
        if err:
            raise _ending(err, text, *core.end()[1:])
        if len(results) == 1:
            return results[0]
        return tuple(results) if results else None

    def _deadline(self, timeout: float | None) -> int:
        """Absolute monotonic ns for the core, 0: none."""
        seconds = self._limits.wall_time if timeout is None else timeout
        if seconds is None:
            return 0
        if seconds < 0:
            raise ValueError("a timeout is 0 or more seconds")
        return max(time.monotonic_ns() + int(min(seconds, 1e9) * 1e9), 1)

    # ---- looking ----

    @property
    def end(self) -> str | None:
        """How the guest ended: None while it can run, else "exit", "trap", "timeout", "limit", "cancelled",
        "host", "closed"."""
        if self._core is None:
            return "closed"
        return _ENDS.get(self._core.end()[0], "host")

    @property
    def memory(self) -> Memory:
        """The exported memory ``memory``."""
        return self.memory_of("memory")

    def memory_of(self, name: str) -> Memory:
        """The exported memory ``name``; ModuleError when there is none."""
        for item in self.module.exports:
            if item.name == name and item.kind == "memory":
                return Memory(self._open(), name)
        raise ModuleError(f"{self.module.name}: no exported memory {name!r}")

    @property
    def stdout(self) -> bytes:
        """What a Capture of the policy kept of stdout so far; RuntimeError when there is none."""
        return self._capture(1)

    @property
    def stderr(self) -> bytes:
        """The same of stderr."""
        return self._capture(2)

    def _capture(self, fd: int) -> bytes:
        if fd not in self._grants.captures:
            raise RuntimeError(f"the policy does not capture {('stdin', 'stdout', 'stderr')[fd]}: use Capture()")
        if self._core is None:
            return self._captured[fd]
        return bytes(self._sys.captured(fd))

    @property
    def usage(self) -> Usage:
        """What it used so far."""
        output, cpu, fds, resolver = self._sys.usage()
        fuel = self._open().fuel() if self.module.host.fuel else None
        return Usage(output, cpu, fds, "openat2" if resolver == 1 else "walk", fuel)

    @property
    def listening(self) -> tuple[tuple[str, int] | str, ...]:
        """Where the policy's listeners listen: (host, port), or the path of a unix socket."""
        return self._grants.addresses

    # ---- ending ----

    def close(self) -> None:
        """Close the guest's descriptors, free its memory, remove its temporary directories. Idempotent.

        InstanceBusy while a call is under way: cancel it first.
        """
        core = self._core
        if core is None:
            return
        for fd in self._grants.captures:
            self._captured[fd] = bytes(self._sys.captured(fd))
        if not core.close():
            raise InstanceBusy("a call is under way, which cancel() ends, or siblings use this instance: close them first")
        self._core = None
        self._leave()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_core", None) is not None:
            self.close()

    def __repr__(self) -> str:
        return f"<Instance of {self.module.name}: {self.end or 'ready'}>"


_ENDS = {
    0: None,
    _core.EXIT: "exit",
    _core.TRAP_BOUNDS: "trap",
    _core.TRAP_ALIGN: "trap",
    _core.TRAP_ENGINE: "trap",
    _core.CANCELLED: "cancelled",
    _core.TIMEOUT: "timeout",
    _core.LIMIT: "limit",
}


def host_limits(host: Host, policy: Policy) -> Limits:
    """The policy's limits, with the board's where the policy is silent."""
    from .policy import Limits

    board = host.board.limits
    return policy.limits.merged(
        Limits(memory=board.memory_max_bytes, fds=board.fds, instances=board.instances)
    )


def _ending(err: int, text: str, exit_code: int, limit: str | None) -> Exception:
    """What a verdict of the core is in Python; ``text`` is "kind: message" and a line per frame."""
    head, *frames = text.split("\n")
    kind, _, message = head.partition(": ")
    trace = tuple(_plain(line.strip()) for line in frames)
    if err == _core.EXIT:
        return Exit(exit_code)
    if err == _core.TIMEOUT:
        return Timeout()
    if err == _core.CANCELLED:
        return Cancelled("the guest was cancelled")
    if err == _core.LIMIT:
        return LimitExceeded(limit or "unknown")
    if err == _core.TRAP_BOUNDS:
        return Trap("a system call was given a pointer outside memory", "host-pointer", trace)
    if err == _core.TRAP_ALIGN:
        return Trap("a system call was given a misaligned pointer", "host-alignment", trace)
    if err == _core.TRAP_ENGINE:
        return Trap(message or head, kind or "trap", trace)
    if err == _core.NOMEM:
        return MemoryError("the host is out of memory")
    return EngineError(head or _core.error_text(err))


def _link_error(
    module: Module, functions: list[tuple[Any, ...]], siblings: Mapping[str, Instance]
) -> LinkError:
    """Every missing import, from the module itself: names are the guest's and may hold anything."""
    served = {row[:2]: row[2:4] for row in (*_core.row_list(), *functions)}
    known = {row[0] for row in served}
    missing = []
    for item in module.imports:
        row = served.get((item.module, item.name))
        if item.module in siblings and row is None:
            if any((e.name, e.kind) == (item.name, item.kind) for e in siblings[item.module].module.exports):
                continue
            reason = "no such export of the sibling"
        elif item.kind != "func":
            reason = "only functions can be imported"
        elif row is None:
            reason = "no such function in this module" if item.module in known else "unknown module"
        elif row != (item.params, item.results):
            reason = "imported with another signature"
        else:
            continue
        missing.append((item.module, item.name, reason))
    lines = "".join(f"\n  {_plain(m)} {_plain(n)}: {why}" for m, n, why in missing)
    return LinkError(f"{module.name}: imports that nothing provides:{lines}", tuple(missing))


def _plain_lines(text: str) -> str:
    """What an engine says, names of the module in it: lines below the first are indented."""
    return "\n  ".join(_plain(line) if line else "" for line in text.split("\n"))


def _plain(name: str) -> str:
    """A guest's name that cannot forge a line or drive a terminal."""
    return name if name.isprintable() and name else ascii(name)


def run(source: str | os.PathLike[str] | bytes, *args: str, policy: Policy | None = None, **grants: Any) -> int:
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

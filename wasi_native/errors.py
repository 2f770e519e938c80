"""Everything that wasi_native raises.

The tree::

    Exception
    └── WasiError
        ├── Exit                the guest called proc_exit (not a failure when the code is 0)
        ├── Trap                the guest broke a rule of WebAssembly or of WASI; carries a backtrace
        ├── LimitExceeded       the policy's limit named in ``limit`` ended the guest
        │   └── Timeout         the wall-clock limit of the call ended the guest
        ├── Cancelled           ``instance.cancel()`` ended the guest
        ├── InstanceDead        the instance was ended before and cannot be called again
        ├── InstanceBusy        the instance is in use: another thread, or a stream callback of this very call
        ├── ModuleError         the bytes are not a module that this engine can run
        │   └── LinkError       imports that nothing provides; all of them at once in ``missing``
        ├── EngineError         the engine failed for a reason of its own
        │   └── EngineMissing   no usable engine; the text says the command that installs one
        ├── AotError            a module that cannot be compiled ahead of time, or no tool to do it with
        ├── PolicyError         a policy that contradicts itself or cannot be granted
        └── BoardError          an unknown board or a wrong board file

A wrong call of the Python API itself (a wrong type, a closed host) raises the usual ``TypeError``,
``ValueError`` or ``RuntimeError``. An exception raised by a Python callback of the caller's own
passes through unchanged.
"""

from __future__ import annotations

__all__ = [
    "AotError",
    "BoardError",
    "Cancelled",
    "EngineError",
    "EngineMissing",
    "Exit",
    "InstanceBusy",
    "InstanceDead",
    "LimitExceeded",
    "LinkError",
    "ModuleError",
    "PolicyError",
    "Timeout",
    "Trap",
    "WasiError",
]


class WasiError(Exception):
    """The root of the tree: catch this to catch all that wasi_native itself raises."""


class Exit(WasiError):
    """The guest called ``proc_exit``.

    ``code`` is the number the guest gave, 0 to 2**32 - 1.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"the guest exited with code {code}")
        self.code = code


class Trap(WasiError):
    """The guest was stopped by a trap.

    ``kind`` is one word (``"unreachable"``, ``"memory-out-of-bounds"``, ``"host-pointer"`` for a pointer
    out of bounds handed to a system call, ``"host-alignment"`` for a misaligned one, ``"component"`` for a rule
    of the component model, ...).
    ``backtrace`` holds one line per wasm frame, innermost first, and may be empty.
    """

    def __init__(self, message: str, kind: str = "trap", backtrace: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.backtrace = backtrace


class LimitExceeded(WasiError):
    """A limit of the policy ended the guest; ``limit`` is its name in :class:`wasi_native.Limits`."""

    def __init__(self, limit: str, message: str | None = None) -> None:
        super().__init__(message or f"the guest exceeded the limit {limit!r}")
        self.limit = limit


class Timeout(LimitExceeded):
    """The wall-clock deadline of the call passed (``timeout=`` or ``Limits.wall_time``)."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__("wall_time", message or "the guest exceeded its wall-clock deadline")


class Cancelled(WasiError):
    """``instance.cancel()`` ended the call."""


class InstanceDead(WasiError):
    """The instance was ended by an exit, a trap, a limit or a cancel, and is never resumed."""


class InstanceBusy(WasiError):
    """The instance is being used: by another thread (one instance serves one thread at a time), or by the call
    that waits for the stream callback or signal handler which tries to call it."""


class ModuleError(WasiError):
    """The bytes are truncated, malformed, too large, or need what the engine does not offer."""


class LinkError(ModuleError):
    """The module imports what nothing provides.

    ``missing`` lists every missing import as ``(module, name, reason)``.
    """

    def __init__(self, message: str, missing: tuple[tuple[str, str, str], ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


class EngineError(WasiError):
    """The engine reported an error that is neither the module's nor the guest's."""


class EngineMissing(EngineError):
    """No usable engine was found; the text names what was looked for and what installs it."""


class AotError(WasiError):
    """Compiling ahead of time failed: the module needs what is not offered, or a tool is missing or failed."""


class PolicyError(WasiError):
    """A policy that is malformed, contradicts itself, or grants what does not exist."""


class BoardError(WasiError):
    """An unknown board id, or a board file that breaks ``boards/schema.json``."""


# ---- between the seam and the host; users never see these ----


class CoreError(Exception):
    """A function of the core answered other than 0: ``code`` (an errno above 0, a verdict below), ``text``; of a
    guest that ended in its start section also ``exit_code`` and ``limit``."""

    def __init__(self, code: int, text: str, exit_code: int = 0, limit: str | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.exit_code, self.limit = code, text, exit_code, limit


class Busy(Exception):
    """The instance is in use: by another thread, or by the call that this callback serves."""

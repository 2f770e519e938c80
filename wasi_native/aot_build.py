"""From a module to a shared object: wabt's ``wasm2c`` makes C of it, a C compiler makes native code of that.

The object exports what ``include/wasi_native/aot.h`` describes and is loaded by the engine adapter ``wasm2c``.
Nothing of wabt is in it but the generated code: the run time is ours, in ``wasi_native/aot_rt``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import AotError

__all__ = ["ABI", "Options", "Target", "build_library"]

ABI = 1  # WN_AOT_ABI

ARCHES = ("x86_64", "i686", "aarch64", "armv7", "armv6", "riscv64")
LIBCS = ("glibc", "musl")


@dataclass(frozen=True)
class Target:
    """What the code shall run on, in the words of ``boards/``: ``Target("armv6", "glibc")``."""

    arch: str
    libc: str = "glibc"

    def __post_init__(self) -> None:
        if self.arch not in ARCHES or self.libc not in LIBCS:
            raise AotError(
                f"no target {self.arch}-{self.libc}: there are {', '.join(ARCHES)}, each with {' or '.join(LIBCS)}"
            )

    @classmethod
    def native(cls) -> Target:
        """This machine and the C library of this Python."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """``armv6-glibc``."""
        return f"{self.arch}-{self.libc}"


@dataclass(frozen=True)
class Options:
    """How to compile. ``wasm2c`` and ``compiler`` are paths, or None for what is found."""

    checks: bool = True  # loops and functions look whether they shall stop
    fuel: bool = False  # count loop turns and function entries
    call_depth: int = 0  # limit of nested calls, besides the limit of the stack; 0: none
    bounds: str = "explicit"  # or "guard": guard pages and a signal handler of the embedder
    optimize: int = 2
    wasm2c: str | None = None
    compiler: str | None = None  # "zig", or the path of a C compiler for the native target

    @property
    def text(self) -> str:
        """What is recorded in the object."""
        raise NotImplementedError


def build_library(
    wasm: bytes,
    target: Target,
    options: Options | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> bytes:
    """The shared object of a module, as bytes. The same input gives the same bytes."""
    raise NotImplementedError

"""This project on one of its engines, in the process of the native side."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from pathlib import Path
from time import perf_counter_ns

import wasi_native

from . import guest
from .compute import compiled
from .native import Native


class Layer:
    """Our host functions; ``limits`` and all else of the policy are the defaults."""

    def __init__(self, root: Path, native: Native, engine: str = "wasmtime", name: str = "layer") -> None:
        self.name = name
        source = root.parent / f"{name}.wasm"
        guest.assemble(guest.text(), source)
        native_code = wasi_native.Native()
        if engine == "wasm2c":
            source, digest = compiled(source)
            native_code = wasi_native.Native(files=[digest])
        policy = wasi_native.Policy(
            program="bench",
            args=["--one", "two"],
            dirs=[wasi_native.Dir(str(root), "/bench")],
            native=native_code,
        )
        function = wasi_native.HostFunction
        functions = (
            function("bench", "nop", "ii", "i", native.address("bench_host_nop")),
            function("bench", "nop_mem", "i", "i", native.address("bench_host_nop_mem"), _guest_bytes()),
        )
        self._host = wasi_native.Host(policy, engine=engine, cache=False)
        known = f"{self._host.engine} {self._host.engine_version}".rstrip()
        self.version = f"wasi_native {wasi_native.__version__} on {known}"
        self._instance = self._host.load(source).instantiate(functions=functions)
        self.run("bench_setup")

    def has(self, export: str) -> bool:
        return True

    def run(self, export: str, *turns: int) -> int:
        """Nanoseconds for so many turns."""
        call = self._instance.call
        start = perf_counter_ns()
        error = call(export, *turns)
        took = perf_counter_ns() - start
        if error:
            raise RuntimeError(f"layer: {export} gives WASI errno {error}")
        return took

    def close(self) -> None:
        self._instance.close()
        self._host.close()


def _guest_bytes() -> int:
    """The address of wn_guest_bytes(), for a host function in C that touches guest memory."""
    found = importlib.util.find_spec("wasi_native._core")
    if found is None or found.origin is None:
        raise RuntimeError("wasi_native._core is not built")
    library = ctypes.CDLL(os.fspath(found.origin))
    return ctypes.cast(library.wn_guest_bytes, ctypes.c_void_p).value or 0

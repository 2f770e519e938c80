"""The engine's own WASI, in a process of its own: ``python -m bench.peer ROOT NATIVE.so``.

It answers the lines of :mod:`bench.worker`. Why not in the process of the others: its file calls start
threads that stay for ten seconds, and a process with threads pays more for every call on a descriptor.
The empty host call here is the engine's alone: a raw callback, with no layer at all.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
from importlib.metadata import version
from time import perf_counter_ns
from typing import Any

import wasmtime

from . import guest

raw: Any = importlib.import_module("wasmtime._bindings")


class _Door(ctypes.Structure):
    """struct memory_door of native.c."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("context", "data", "size", "memory")]


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


class Peer:
    def __init__(self, root: str, library: str) -> None:
        config = wasmtime.Config()
        config.parallel_compilation = False
        config.epoch_interruption = True  # as in the layer, so that the loops are the same code
        self._engine = wasmtime.Engine(config)
        self._store = wasmtime.Store(self._engine)
        self._store.set_epoch_deadline(1 << 40)
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["bench", "--one", "two"]
        wasi.preopen_dir(root, "/bench")
        self._store.set_wasi(wasi)
        self._native = ctypes.CDLL(library)
        self._door = _Door(*(map(_address, (raw.dll.wasmtime_caller_context, raw.dll.wasmtime_memory_data,
                                            raw.dll.wasmtime_memory_data_size))), None)  # fmt: skip
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()
        i32 = wasmtime.ValType.i32()
        self._define(linker, "nop", wasmtime.FuncType([i32, i32], [i32]), None)
        self._define(linker, "nop_mem", wasmtime.FuncType([i32], [i32]), ctypes.addressof(self._door))
        module = wasmtime.Module(self._engine, guest.text())
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory._memory  # keep it: the door points at it
        self._door.memory = ctypes.addressof(self._memory)
        self.run("bench_setup")

    def _define(self, linker: wasmtime.Linker, name: str, kind: wasmtime.FuncType, env: int | None) -> None:
        """A raw callback; the package itself only offers the checked ones."""
        function = raw.wasmtime_func_unchecked_callback_t(
            _address(getattr(self._native, "bench_raw_" + name))
        )
        parts = [
            part
            for text in ("bench", name)
            for part in (ctypes.create_string_buffer(text.encode()), len(text))
        ]
        error = raw.wasmtime_linker_define_func_unchecked(
            linker.ptr(), *parts, kind.ptr(), function, env, ctypes.CFUNCTYPE(None, ctypes.c_void_p)(0)
        )
        if error:
            raise RuntimeError(f"the engine refuses bench.{name}")

    def run(self, export: str, *turns: int) -> int:
        function: Any = self._exports[export]
        start = perf_counter_ns()
        error = function(self._store, *turns)
        took = perf_counter_ns() - start
        if error:
            raise RuntimeError(f"{export} gives WASI errno {error}")
        return took


def main() -> None:
    peer = Peer(*sys.argv[1:3])
    print(json.dumps({"name": f"wasmtime {version('wasmtime')}, its own WASI"}), flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            answer: dict[str, object] = {"ns": peer.run(ask["export"], ask["turns"])}
        except (RuntimeError, wasmtime.Trap, wasmtime.WasmtimeError) as error:
            answer = {"error": str(error)}
        answer["threads"] = len(os.listdir("/proc/self/task"))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

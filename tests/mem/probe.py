"""The canonical ABI of the core as a library of its own: value streams, plans, lift and lower over a memory of bytes.

``realloc`` and handles are functions of Python, so that a test sees each call that lowering makes.
"""

from __future__ import annotations

import ctypes
import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.guests import remote
from tests.house.tree import C_FLAGS, ROOT, c_sources, compiler, relative, run

SOURCES = [
    *c_sources("mem"),
    *c_sources("os"),
    ROOT / "wasi_native/core/err.c",
    ROOT / "wasi_native/core/guest/message.c",
]


def flags() -> list[str]:
    if os.environ.get("WN_COV"):
        return ["-g", "-O0", "--coverage", "-fprofile-update=atomic"]
    if os.environ.get("WASI_NATIVE_SANITIZED"):
        return ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return ["-O1"]


@functools.cache
def library() -> Any:
    """Built once for a run; of a run for coverage the objects stay where it is looked at."""
    if remote.SOCKET:
        return ctypes.CDLL(str(remote.ask("probe")))
    out = ROOT / "build" / "probe" if os.environ.get("WN_COV") else Path(tempfile.mkdtemp(prefix="wn-probe-"))
    out.mkdir(parents=True, exist_ok=True)
    objects = []
    for path in SOURCES:
        made = str(out / (relative(path).replace("/", "_") + ".o"))
        done = run(
            [compiler("gcc", "cc"), *C_FLAGS, *flags(), "-fPIC", "-c", relative(path), "-o", made], cwd=ROOT
        )
        assert done.returncode == 0, done.stderr
        objects.append(made)
    target = out / "libprobe.so"
    done = run([compiler("gcc", "cc"), *flags(), "-shared", *objects, "-o", str(target), "-ldl", "-lpthread"])
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(target))


class Info(ctypes.Structure):
    """wn_plan_info_t."""

    _fields_ = [
        ("lift_params", ctypes.c_char * 20),
        ("lift_results", ctypes.c_char * 4),
        ("lower_params", ctypes.c_char * 20),
        ("lower_results", ctypes.c_char * 4),
        ("params_in_memory", ctypes.c_bool),
        ("result_in_memory", ctypes.c_bool),
        ("params_pointers", ctypes.c_bool),
        ("result_pointers", ctypes.c_bool),
        ("resources", ctypes.c_uint32),
        ("async_params", ctypes.c_char * 8),
        ("returned", ctypes.c_char * 20),
        ("async_params_in_memory", ctypes.c_bool),
        ("returned_in_memory", ctypes.c_bool),
    ]


class Values(ctypes.Structure):
    """wn_values_t."""

    _fields_ = [
        ("bytes", ctypes.c_void_p),
        ("at", ctypes.c_size_t),
        ("used", ctypes.c_size_t),
        ("room", ctypes.c_size_t),
        ("arena", ctypes.c_void_p),
        ("block", ctypes.c_void_p),
        ("charged", ctypes.c_uint64),
        ("lends", ctypes.c_bool),
    ]


class Plan:
    """A loaded plan, which keeps its bytes. ``err`` is what loading answered."""

    def __init__(self, data: bytes) -> None:
        self.buffer = (ctypes.c_uint32 * (len(data) // 4 + 2))()
        ctypes.memmove(self.buffer, data, len(data))
        self.pointer = ctypes.c_void_p()
        self.err = library().wn_plan_load(self.buffer, ctypes.c_size_t(len(data)), ctypes.byref(self.pointer))

    def info(self) -> Info:
        out = Info()
        library().wn_plan_get_info(self.pointer, ctypes.byref(out))
        return out


class _Mem(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_uint64)]


_POINTER = ctypes.POINTER(ctypes.c_uint32)
_REALLOC = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, *[ctypes.c_uint32] * 4, _POINTER)
_HANDLE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint32, *[ctypes.c_uint32] * 2, _POINTER)


class _Context(ctypes.Structure):
    _fields_ = [
        ("mem", ctypes.POINTER(_Mem)),
        ("realloc", _REALLOC),
        ("handle", _HANDLE),
        ("ctx", ctypes.c_void_p),
        ("reason", ctypes.c_char_p),
        ("encoding", ctypes.c_uint8),
        ("fused", ctypes.c_bool),
    ]


class Failed(Exception):
    """A verdict other than 0; ``reason`` of a trap or limit."""

    def __init__(self, err: int, reason: str | None) -> None:
        super().__init__(err, reason)
        self.err, self.reason = err, reason


ENCODINGS = {"utf8": 0, "utf16": 1, "latin1+utf16": 2}


class Guest:
    """A memory of bytes with a realloc: what lifting and lowering know of a guest.

    ``realloc(old, old_size, align, size)`` answers a pointer, or raises :class:`Failed`; ``handle(op, resource,
    number)`` answers a number. A realloc may make ``memory``, a bytearray, longer.
    """

    def __init__(
        self,
        memory: bytes = b"",
        encoding: str = "utf8",
        realloc: Callable[[int, int, int, int], int] | None = None,
        handle: Callable[[int, int, int], int] | None = None,
        fused: bool = False,
        cap: int = 0,
        lends: bool = False,
    ) -> None:
        self.memory = bytearray(memory)
        self.cap, self.lends = cap, lends
        self._mem = _Mem()
        self._realloc, self._handle = realloc, handle
        self._context = _Context(ctypes.pointer(self._mem), encoding=ENCODINGS[encoding], fused=fused)
        if realloc is not None:
            self._context.realloc = _REALLOC(self._call_realloc)
        if handle is not None:
            self._context.handle = _HANDLE(self._call_handle)

    def _span(self) -> None:
        """The memory as it is now. The bytearray is not resized while the core works."""
        self._keep = (ctypes.c_char * len(self.memory)).from_buffer(self.memory)
        self._mem.base, self._mem.size = ctypes.addressof(self._keep), len(self.memory)

    def _free(self) -> None:
        del self._keep

    def _call_realloc(self, _cx: int, old: int, old_size: int, align: int, size: int, out: Any) -> int:
        assert self._realloc is not None
        self._free()
        try:
            out[0] = self._realloc(old, old_size, align, size)
        except Failed as error:
            return error.err
        finally:
            self._span()
        return 0

    def _call_handle(self, _cx: int, op: int, resource: int, number: int, out: Any) -> int:
        assert self._handle is not None
        try:
            out[0] = self._handle(op, resource, number)
        except Failed as error:
            self._context.reason = error.reason and error.reason.encode()
            return error.err
        return 0

    def _check(self, err: int) -> None:
        if err:
            reason = self._context.reason
            raise Failed(err, reason and reason.decode())

    def _run(
        self, what: str, plan: Plan, stream: bytes | None, core: list[int], *more: Any, shift: int = 0
    ) -> bytes:
        """Calls ``what`` with a stream to read, or an empty one to write. ``core`` is changed."""
        assert plan.err == 0, plan.err
        slots = (ctypes.c_uint64 * (20 << shift))(*[0xA5A5A5A5A5A5A5A5] * (20 << shift))
        for i, value in enumerate(core):
            slots[i << shift] = value
        values, arena = Values(), ctypes.c_void_p()
        room = ctypes.create_string_buffer(stream or b"", max(len(stream or b""), 64))
        assert library().wn_arena_new(None, ctypes.c_uint64(self.cap), ctypes.byref(arena)) == 0
        library().wn_values_init(ctypes.byref(values), room, ctypes.c_size_t(len(room)), arena)
        values.used = len(stream) if stream is not None else 0
        values.lends = self.lends
        self._context.reason = None
        self._span()
        try:
            function = getattr(library(), f"wn_canon_{what}")
            given = [ctypes.byref(values), slots] if stream is not None else [slots]
            tail = [] if stream is not None else [ctypes.byref(values)]
            cx = ctypes.byref(self._context)
            self._check(function(cx, plan.pointer, *given, ctypes.c_uint32(shift), *more, *tail))
            core[:] = [slots[i << shift] for i in range(20)]
            return ctypes.string_at(values.bytes, values.used)
        finally:
            library().wn_values_deinit(ctypes.byref(values))
            library().wn_arena_delete(arena)
            self._free()

    def lift_params(self, plan: Plan, core: list[int], shift: int = 0) -> bytes:
        return self._run("lift_params", plan, None, list(core), shift=shift)

    def lift_result(self, plan: Plan, core: list[int], shift: int = 0) -> bytes:
        return self._run("lift_result", plan, None, list(core), shift=shift)

    def lower_params(self, plan: Plan, stream: bytes, shift: int = 0) -> list[int]:
        core: list[int] = []
        count = ctypes.c_uint32()
        self._run("lower_params", plan, stream, core, ctypes.byref(count), shift=shift)
        return core[: count.value]

    def lower_result(self, plan: Plan, stream: bytes, ret: int = 0, shift: int = 0) -> int:
        core: list[int] = []
        self._run("lower_result", plan, stream, core, ctypes.c_uint32(ret), shift=shift)
        return core[0]

    def ret(self, plan: Plan, core: list[int], shift: int = 0) -> int:
        slots = (ctypes.c_uint64 * (20 << shift))()
        for i, value in enumerate(core):
            slots[i << shift] = value
        library().wn_canon_ret.restype = ctypes.c_uint32
        return int(library().wn_canon_ret(plan.pointer, slots, ctypes.c_uint32(shift)))

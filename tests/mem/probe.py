"""The canonical ABI of the core as a library of its own: value streams, plans, lift and lower over a memory of bytes.

``realloc`` and handles are functions of Python, so that a test sees each call that lowering makes.
"""

from __future__ import annotations

import ctypes
import functools
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.house.tree import C_FLAGS, ROOT, c_sources, compiler, relative, run

SOURCES = [
    *c_sources("mem"),
    *c_sources("os"),
    ROOT / "wasi_native/core/sys/values.c",
    ROOT / "wasi_native/core/err.c",
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

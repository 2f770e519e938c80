"""The reader and the rewriter of binaries, called from Python: built as a library beside the tests."""

from __future__ import annotations

import ctypes
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.house.tree import C_FLAGS, CORE, ROOT, compiler, run

HERE = Path(__file__).parent
NAMES = """sign-extension saturation multi-value bulk-memory reference-types simd relaxed-simd threads
tail-call exceptions extended-const memory64 multi-memory function-references gc wide-arithmetic"""
PROPOSALS = {name: 1 << bit for bit, name in enumerate(NAMES.split())}
ALL = (1 << len(PROPOSALS)) - 1
INVALID, NOMEM = -10, -9
FLAG, COUNT = 0, 1
PARTS = ("wasm_bytes", "wasm_opcode", "wasm_read", "wasm_rewrite", "wasm_rewrite_code", "wasm_guard")


def proposals(*names: str) -> int:
    """The bits of proposals by name."""
    return sum(PROPOSALS[name] for name in names)


class Extern(NamedTuple):
    """A line of what the reader found."""

    what: str
    module: str
    name: str
    kind: int
    params: str
    results: str
    min: int
    max: int
    marks: str  # shared, wide


@dataclass
class Refused(Exception):
    """What the C functions answered when they did not do it."""

    code: int
    text: str

    def __str__(self) -> str:
        return self.text


class _Str(ctypes.Structure):
    _fields_ = [("ptr", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int32), ("end", ctypes.c_uint64 * 3), ("text", ctypes.c_char * 4064)]


class Binaries:
    """The library; each method copies its input to a block of just its size, so that a byte beyond is seen."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.calls = 0  # of the kernel, by the last guard()

    def guard(
        self,
        wasm: bytes | ctypes.Array[ctypes.c_char],
        check: int = FLAG,
        *,
        start: bool = False,
        grow: bool = False,
        copy_fill: bool = False,
        zero_is_none: bool = False,
        pages: int = 0,
        elements: int = 0,
        nesting: int = 0,
        call_bytes: int = 0,
        loop_bytes: int = 0,
        allowed: int = ALL,
        fault: int = 0,
    ) -> bytes:
        fields = (
            check,
            start,
            grow,
            copy_fill,
            zero_is_none,
            pages,
            elements,
            nesting,
            call_bytes,
            loop_bytes,
            allowed,
        )
        how = (ctypes.c_uint64 * len(fields))(*fields)
        out, calls, message = _Str(), ctypes.c_uint64(), _Message()
        given = (ctypes.c_char * len(wasm)).from_buffer_copy(wasm) if isinstance(wasm, bytes) else wasm
        err = self.library.binary_guard(
            given,
            ctypes.c_size_t(len(wasm)),
            how,
            ctypes.c_uint64(fault),
            ctypes.byref(out),
            ctypes.byref(calls),
            ctypes.byref(message),
        )
        self.calls = calls.value
        if err:
            raise Refused(err, message.text.decode())
        result = ctypes.string_at(out.ptr or 0, out.len)
        self.library.binary_free(ctypes.byref(out))
        return result

    def describe(self, wasm: bytes, allowed: int = ALL, fault: int = 0) -> tuple[list[Extern], str]:
        """(imports and exports, counts)"""
        text, message = ctypes.create_string_buffer(1 << 20), _Message()
        given = (ctypes.c_char * len(wasm)).from_buffer_copy(wasm)
        err = self.library.binary_describe(
            given,
            ctypes.c_size_t(len(wasm)),
            allowed,
            ctypes.c_uint64(fault),
            text,
            ctypes.c_size_t(len(text)),
            ctypes.byref(message),
        )
        if err:
            raise Refused(err, message.text.decode())
        *lines, counts = text.value.decode("utf-8", "replace").splitlines()
        fields = [line.split("\t") for line in lines]
        return [Extern(*f[:3], int(f[3]), *f[4:6], int(f[6]), int(f[7]), f[8]) for f in fields], counts


def build(folder: Path) -> Binaries:
    """Compiled like the rest of a run: watched by the sanitizers, or counted for the coverage."""
    flags = ["-O1"]
    if os.environ.get("WN_COV"):
        flags = ["-g", "-O0", "--coverage", "-fprofile-update=atomic"]
        folder = ROOT / "build" / "binaries"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    elif os.environ.get("WASI_NATIVE_SANITIZED"):
        flags = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [
        HERE / "binaries.c",
        CORE / "err.c",
        CORE / "mem" / "mem.c",
        *sorted((CORE / "os").rglob("*.c")),
    ]
    sources += [CORE / "engine" / f"{name}.c" for name in PARTS]
    made = folder / "binaries.so"
    warnings = ["-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
    command = [compiler("gcc", "cc"), *C_FLAGS, "-fPIC", "-shared", *flags, *warnings, *map(str, sources)]
    done = run([*command, "-o", str(made), "-ldl", "-lpthread"], cwd=folder)
    assert done.returncode == 0, done.stderr
    return Binaries(made)

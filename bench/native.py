"""The native side: native.c, built on the fly and called on the thread that runs the guest too."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter_ns

HERE = Path(__file__).parent


def compiler() -> list[str] | None:
    """The C compiler: $CC, the system's, or the one of the package ziglang."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    zig = subprocess.run([sys.executable, "-c", "import ziglang"], capture_output=True, check=False)
    return [sys.executable, "-m", "ziglang", "cc"] if zig.returncode == 0 else None


def build(source: str, target: Path, *flags: str) -> Path:
    """Compile one file of this folder. Raises RuntimeError where there is no compiler."""
    command = compiler()
    if command is None:
        raise RuntimeError("no C compiler for the native side: set CC, or pip install ziglang")
    subprocess.run([*command, "-std=gnu11", "-O2", "-o", str(target), str(HERE / source), *flags], check=True)
    return target


def build_native(folder: Path) -> Path:
    return build("native.c", folder / "native.so", "-shared", "-fPIC", "-fvisibility=hidden")


class Native:
    """Plain system calls."""

    name = "native"

    def __init__(self, library: Path, root: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self.beneath = bool(self._library.bench_beneath())
        setup = self._library.bench_setup
        setup.restype = ctypes.c_int64
        error = setup(os.fsencode(root))
        if error:
            raise OSError(error, f"native: {os.strerror(error)}", str(root))

    def has(self, export: str) -> bool:
        return hasattr(self._library, export)

    def run(self, export: str, turns: int) -> int:
        """Nanoseconds for so many turns."""
        function = getattr(self._library, export)
        function.restype = ctypes.c_int64
        function.argtypes = [ctypes.c_uint32]
        start = perf_counter_ns()
        error = function(turns)
        took = perf_counter_ns() - start
        if error:
            raise OSError(error, f"native {export}: {os.strerror(error)}")
        return took

    def sharers(self) -> int:
        """Other threads that share this one's descriptors: they make each call on one slower."""
        me = threading.get_native_id()
        shares = self._library.bench_shares
        shares.restype, shares.argtypes = ctypes.c_int64, [ctypes.c_int64]
        try:
            return sum(shares(int(tid)) != 0 for tid in os.listdir("/proc/self/task") if int(tid) != me)
        except OSError:
            return 0

    def address(self, symbol: str) -> int:
        return ctypes.cast(getattr(self._library, symbol), ctypes.c_void_p).value or 0

    def close(self) -> None:
        pass

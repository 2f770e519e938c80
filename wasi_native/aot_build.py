"""From a module to a shared object: wabt's ``wasm2c`` makes C of it, a C compiler makes native code of that.

The object exports what ``include/wasi_native/aot.h`` describes and is loaded by the engine adapter ``wasm2c``.
Nothing of wabt is in it but the generated code: the run time is ours, in ``wasi_native/aot_rt``.

>>> library = build_library(Path("plugin.wasm").read_bytes(), Target("armv6", "glibc"))
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import aot_source, elf
from .errors import AotError

__all__ = [
    "ABI",
    "ABI_SHARED",
    "ARCHES",
    "LIBCS",
    "Library",
    "Options",
    "Target",
    "build_library",
    "find_wasm2c",
]

ABI, ABI_SHARED = 1, 2  # WN_AOT_ABI, WN_AOT_ABI_SHARED
FRAME_MAX = 32768  # bytes of stack of one function
LARGE = 6_000_000  # characters of C: more is compiled for size of the compiler, not of the code
SPLIT = 150_000  # bytes of module for each file of C, where wasm2c can write several

# zig's target and CPU; what a C compiler of the machine itself is told.
_ZIG = {
    "x86_64": ("x86_64", ""),
    "i686": ("x86", "-mcpu=pentium4"),
    "aarch64": ("aarch64", ""),
    "armv7": ("arm", "-mcpu=generic+v7a+vfp3d16-neon-d32"),
    "armv6": ("arm", "-mcpu=arm1176jzf_s"),
    "riscv64": ("riscv64", "-mcpu=baseline_rv64"),
}
_FLOORS = {"riscv64": "2.31"}
_MACHINE = {"i686": ["-msse2", "-mfpmath=sse"]}
LIBCS = ("glibc", "musl")
ARCHES = tuple(_ZIG)

_Progress = Callable[[str], None]


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
        machine = elf.here()
        return cls(machine.arch, machine.libc if machine.libc in LIBCS else "glibc")

    @property
    def name(self) -> str:
        """``armv6-glibc``."""
        return f"{self.arch}-{self.libc}"

    @property
    def zig(self) -> list[str]:
        """The arguments that make zig compile for it."""
        cpu, option = _ZIG[self.arch]
        hard = {"arm": "eabihf"}.get(cpu, "")
        libc = f"gnu{hard}.{_FLOORS.get(self.arch, '2.17')}" if self.libc == "glibc" else f"musl{hard}"
        return ["-target", f"{cpu}-linux-{libc}", *([option] if option else [])]


@dataclass(frozen=True)
class Options:
    """How to compile. ``wasm2c`` and ``compiler`` are programs to use, None for those that are found."""

    checks: bool = True  # loops and functions look whether they shall stop
    fuel: bool = False  # count loop turns and function entries
    call_depth: int = 0  # limit of nested calls, besides the limit of the stack; 0: none
    optimize: int = 2
    wasm2c: str | None = None
    compiler: str | None = None  # "zig", or a C compiler

    def __post_init__(self) -> None:
        if self.optimize not in (0, 1, 2, 3) or not 0 <= self.call_depth < 1 << 31:
            raise AotError("optimize is 0 to 3, call_depth 0 to 2147483647")

    @property
    def text(self) -> str:
        """What is recorded in the object."""
        word = {True: "yes", False: "no"}
        return f"checks={word[self.checks]} fuel={word[self.fuel]} call_depth={self.call_depth}"

    @property
    def defines(self) -> list[str]:
        """Of wasm-rt.h."""
        depth = [f"WN_RT_DEPTH={self.call_depth}"] if self.call_depth else []
        return ["WN_RT_CHECKS"] * self.checks + ["WN_RT_FUEL"] * self.fuel + depth

    @property
    def flags(self) -> str:
        """WN_AOT_* of aot.h."""
        pairs = (("CHECKS", self.checks), ("FUEL", self.fuel), ("DEPTH", bool(self.call_depth)))
        return " | ".join(f"WN_AOT_{name}" for name, on in pairs if on)


class Library(bytes):
    """A shared object, and how it was made: the ``flags`` of the compiler, the ``tools`` and their versions; ``abi``:
    of its interface."""

    abi: int
    flags: tuple[str, ...]
    tools: dict[str, str]


def build_library(
    wasm: bytes | Sequence[bytes],
    target: Target,
    options: Options | None = None,
    *,
    progress: _Progress | None = None,
    name: str = "<module>",
) -> Library:
    """The shared object of a module, or of several that may share memories, tables and globals: the core modules of a
    component. The same input and tools give the same bytes. AotError with what failed and the cure; ModuleError for
    what is no module; ``name`` stands in both. ``progress`` is called with a line when a step takes longer than a
    second. An interrupt ends the programs at work and leaves no files."""
    options = options or Options()
    several = not isinstance(wasm, bytes)
    modules: list[bytes] = [wasm] if isinstance(wasm, bytes) else list(wasm)
    names = [
        f"{name}, core module {n} of {len(modules)}" if several else name for n in range(1, len(modules) + 1)
    ]
    guests = [
        aot_source.plain(data, label, f"w{n}")
        for n, (data, label) in enumerate(zip(modules, names, strict=True))
    ]
    for guest, label in zip(guests, names, strict=True) if several else ():
        aot_source.linkable(guest, label)
    wasm2c = find_wasm2c(options.wasm2c)
    compiler = _compiler(options.compiler, target)
    with tempfile.TemporaryDirectory(prefix="wasi-native-aot-") as scratch:
        run = _Runner(Path(scratch), progress, name)
        version = run("wasm2c", [*wasm2c, "--version"]).strip()
        if not re.fullmatch(r"\d+\.\d+\.\d+", version):
            raise AotError(f"{wasm2c[-1]} is no wasm2c: it says the version {version[:80]!r}")
        sources = []
        numbers: dict[str, int] = {}
        for n, (guest, label) in enumerate(zip(guests, names, strict=True)):
            run.name = label
            sources.append(
                _translate(run, guest, f"module{n}", f"{aot_source.PREFIX}{n}", wasm2c, version, numbers)
            )
        run.name = name
        text = f"target={target.name} {options.text} wasm2c={version} optimize={options.optimize}"
        group = None
        if several or guests[0].shares:  # alone, it shares no table with anybody
            group = hashlib.sha256(b"".join(g.sha256 for g in guests)).digest()[:16] if several else bytes(16)
        joint = aot_source.table(
            [
                aot_source.Part(guest, source.header, f"module{n}.h")
                for n, (guest, source) in enumerate(zip(guests, sources, strict=True))
            ],
            text,
            options.flags,
            FRAME_MAX,
            options.call_depth,
            group,
        )
        library = _compile(run, sources, joint, compiler, target, options, group is not None)
        library.abi = ABI if group is None else ABI_SHARED
        library.tools = {"wasm2c": version, **_compiler_version(run, compiler)}
        return library


# ---- the tools ----


def find_wasm2c(program: str | None = None) -> list[str]:
    """The command of wasm2c: named, of the environment variable WASI_NATIVE_WASM2C, or of the PATH."""
    named = program or os.environ.get("WASI_NATIVE_WASM2C")
    found = shutil.which(named or "wasm2c")
    if found:
        return [found]
    what = f"there is no program {named}" if named else "compiling ahead of time needs wasm2c of wabt"
    raise AotError(
        f"{what}: run  apt-get install wabt  or  npm install -g wabt, or name it in WASI_NATIVE_WASM2C"
    )


def _compiler(named: str | None, target: Target) -> list[str]:
    """The compiler's command for the target, without its flags."""
    if named not in (None, "zig"):
        found = shutil.which(named)
        if not found:
            raise AotError(f"there is no compiler {named}")
        return [found, *_MACHINE.get(target.arch, [])]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", *target.zig, *_MACHINE.get(target.arch, [])]
    system = next((found for each in ("cc", "gcc", "clang") if (found := shutil.which(each))), None)
    if named is None and system and target == Target.native():
        return [system, *_MACHINE.get(target.arch, [])]
    raise AotError(
        f"compiling for {target.name} needs zig: run  {Path(sys.executable).name} -m pip install ziglang"
    )


def _compiler_version(run: _Runner, compiler: list[str]) -> dict[str, str]:
    if "ziglang" in compiler:
        return {"zig": importlib.metadata.version("ziglang")}
    found = re.search(r"\d+(\.\d+)+", run("asking the compiler", [compiler[0], "--version"]))
    return {Path(compiler[0]).name: found[0] if found else ""}


class _Runner:
    """Runs programs in one folder, and tells who waits what takes long."""

    def __init__(self, folder: Path, progress: _Progress | None, name: str) -> None:
        self.folder, self.progress, self.name = folder, progress, name
        self.stopped = False
        self.running: set[subprocess.Popen[bytes]] = set()

    def __call__(self, step: str, command: list[str]) -> str:
        """What it wrote to its standard output."""
        env = {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(self.folder / "zig"), "LC_ALL": "C"}
        began = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as child:
            self.running.add(child)
            try:
                if self.stopped:
                    raise AotError("stopped")
                out, err = self._wait(child, step, began)
            except BaseException:
                self.stop()
                raise
            finally:
                self.running.discard(child)
        if child.returncode == 0:
            return out.decode(errors="replace")
        raise AotError(self._failed(step, child.returncode, err.decode(errors="replace")))

    def _wait(self, child: subprocess.Popen[bytes], step: str, began: float) -> tuple[bytes, bytes]:
        wait = 1.0
        while True:
            try:
                return child.communicate(timeout=wait)
            except subprocess.TimeoutExpired:
                if self.progress:
                    self.progress(f"{self.name}: {step}, {time.monotonic() - began:.0f} s")
                wait = 10.0

    def stop(self) -> None:
        """End the programs at work, and their children."""
        self.stopped = True
        for child in list(self.running):
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _failed(self, step: str, code: int, err: str) -> str:
        lines = [line for line in err.replace(f"{self.folder}/", "").splitlines() if line.strip()]
        wrong = [line for line in lines if "error" in line] or lines
        told = "".join(f"\n  {line[:300]}" for line in wrong[:6])
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        frame = re.search(r"stack frame size \((\d+)\)|frame size of (\d+) bytes", err)
        if frame and "frame-larger-than" in err:
            return (
                f"{self.name}: a function of the module needs {frame[1] or frame[2]} bytes of stack; {FRAME_MAX} are"
                " allowed: compile the program with -O1 or above, or split that function"
            )
        if "not valid in initializer expression" in err:
            return (
                f"{self.name}: needs extended constant expressions, which wasm2c reads from wabt 1.0.36 on: "
                "npm install -g wabt"
            )
        return f"{self.name}: {step} failed with {how}{':' if told else ''}{told}"


# ---- the steps ----


def _translate(
    run: _Runner,
    guest: aot_source.Guest,
    file: str,
    prefix: str,
    wasm2c: list[str],
    version: str,
    numbers: dict[str, int],
) -> aot_source.Source:
    (run.folder / f"{file}.wasm").write_bytes(guest.binary)
    command = [*wasm2c, f"{file}.wasm", "-o", f"{file}.c", "-n", prefix, "--no-debug-names"]
    command += ["--enable-multi-memory"] * ("multi-memory" in guest.needs)
    if tuple(map(int, version.split("."))) >= (1, 0, 36):
        command += ["--enable-extended-const"]
        command += [f"--num-outputs={min(64, len(guest.binary) // SPLIT)}"] * (len(guest.binary) >= 2 * SPLIT)
    run("translating to C", command)
    patterns = (f"{file}.c", f"{file}_*.c", f"{file}-impl.h")
    parts = [path for pattern in patterns for path in sorted(run.folder.glob(pattern))]
    texts = [path.read_text() for path in parts]
    if any("v128" in text[:20000] for text in texts):
        raise AotError(
            f"{run.name}: needs simd128, which wasm2c code does not offer; compile with -mno-simd128"
        )
    source = aot_source.checked((run.folder / f"{file}.h").read_text(), texts, numbers)
    for path, text in zip(parts, source.parts, strict=True):
        path.write_text(text)
    return source


def _compile(
    run: _Runner,
    sources: list[aot_source.Source],
    joint: str,
    compiler: list[str],
    target: Target,
    options: Options,
    shared: bool,
) -> Library:
    (run.folder / "guest.c").write_text(joint)
    for path in _runtime():
        shutil.copyfile(path, run.folder / path.name)
    units = sorted(path.name for path in run.folder.glob("*.c"))
    largest = max(len(text) for source in sources for text in source.parts)
    level = min(options.optimize, 1) if largest > LARGE else options.optimize
    flags = [f"-O{level}", "-std=gnu11", "-fPIC", "-g0", "-DNDEBUG", "-I.", "-fvisibility=hidden"]
    flags += ["-fno-strict-aliasing", "-fno-optimize-sibling-calls", "-ffp-contract=off", "-frounding-math"]
    flags += ["-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-ident"]
    flags += ["-fomit-frame-pointer", "-ffunction-sections"]
    if "ziglang" in compiler:
        flags += ["-fno-sanitize=all", f"-Wframe-larger-than={FRAME_MAX}", "-Werror=frame-larger-than"]
    else:
        flags += ["-fsignaling-nans", f"-Werror=frame-larger-than={FRAME_MAX}"]
    defines = sorted({name for source in sources for name in source.defines})  # one layout for all
    flags += [f"-D{name}" for name in [*defines, *["WN_RT_SHARED"] * shared, *options.defines]]
    link = [
        "-shared",
        "-s",
        "-Wl,--gc-sections",
        "-Wl,--build-id=none",
        "-Wl,-z,relro",
        "-Wl,-z,now",
        "-Wl,-z,noexecstack",
        "-lm",
    ]

    def one(unit: str) -> None:
        here = f"-ffile-prefix-map={run.folder}=."
        run(f"compiling {unit} for {target.name}", [*compiler, *flags, here, "-c", unit, "-o", f"{unit}.o"])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done in [pool.submit(one, unit) for unit in units]:
                done.result()
        except BaseException:
            run.stop()
            pool.shutdown(cancel_futures=True)
            raise
    objects = [f"{unit}.o" for unit in units]
    run(f"linking for {target.name}", [*compiler, *objects, *link, "-o", "guest.so"])
    library = Library((run.folder / "guest.so").read_bytes())
    library.flags = (*(target.zig if "ziglang" in compiler else ()), *flags)
    return library


def _runtime() -> list[Path]:
    """The files of the run time; aot.h stands beside them in an installed package, in include/ before that."""
    here = Path(__file__).resolve().parent
    header = here / "aot_rt" / "aot.h"
    if not header.is_file():
        header = here.parent / "include" / "wasi_native" / "aot.h"
    files = [here / "aot_rt" / "aot_rt.c", here / "aot_rt" / "wasm-rt.h", header]
    if missing := [path.name for path in files if not path.is_file()]:
        raise AotError(f"the package lacks {', '.join(missing)}: install wasi_native again")
    return files

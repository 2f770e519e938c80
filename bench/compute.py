"""``python -m bench.compute``: loops that only compute, on every engine that is here, against native C.

What an engine makes of a guest's own code: no system call is in these loops. compute.c is compiled once for wasm
and once natively, by the same compiler; all checksums must agree.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from . import use_built
from .report import machine

HERE = Path(__file__).parent
LOOPS = {
    "sieve": "bytes and integers: primes",
    "matrix": "floats: product of matrices",
    "fib": "calls: recursion",
}
ENGINES = ("wasmtime", "wasm2c", "wasm_c_api", "wasm3")
SAMPLE_NS = 40_000_000
Run = Callable[[str, int], int]


def _zig(*args: str) -> None:
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-O2", *args, str(HERE / "compute.c")], check=True)


def build(folder: Path) -> tuple[Path, Path]:
    """The guest and the native library."""
    wasm, library = folder / "compute.wasm", folder / "compute.so"
    freestanding = ("-target", "wasm32-freestanding", "-mcpu=mvp", "-nostdlib", "-fno-vectorize", "-s")
    _zig(*freestanding, "-Wl,--no-entry", "-Wl,--export-dynamic", "-o", str(wasm))
    _zig("-shared", "-fPIC", "-fvisibility=hidden", "-o", str(library))
    return wasm, library


def native(library: Path) -> Run:
    loaded = ctypes.CDLL(str(library))

    def run(loop: str, turns: int) -> int:
        function = getattr(loaded, f"bench_{loop}")
        function.restype, function.argtypes = ctypes.c_uint32, [ctypes.c_uint32]
        return int(function(turns))

    return run


def compiled(wasm: Path) -> tuple[Path, str]:
    """The guest compiled ahead of time, and its SHA-256."""
    from wasi_native.digest import sha256

    target = wasm.with_suffix(".wno")
    command = [sys.executable, "-m", "wasi_native", "compile", str(wasm), "-o", str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target, sha256(target.read_bytes())


def on_engine(name: str, wasm: Path) -> tuple[str, Run]:
    """The engine with its version, and the guest on it. Raises WasiError where it is not here."""
    import wasi_native

    source, policy = wasm, wasi_native.Policy()
    if name == "wasm2c":
        source, digest = compiled(wasm)
        policy = wasi_native.Policy(native=wasi_native.Native(files=[digest]))
    host = wasi_native.Host(policy, engine=name, cache=False)
    instance = host.load(source).instantiate()
    return (
        f"{name} {host.engine_version}".rstrip(),
        lambda loop, turns: instance.call(f"bench_{loop}", turns) & 0xFFFFFFFF,
    )


def measure(variants: dict[str, Run], rounds: int) -> dict[str, dict[str, float]]:
    """Nanoseconds per turn, by loop and variant: medians of the rounds."""
    found: dict[str, dict[str, float]] = {}
    for loop in LOOPS:
        turns: dict[str, int] = {}
        for name, run in variants.items():
            count = 1
            while True:
                start = perf_counter_ns()
                run(loop, count)
                took = perf_counter_ns() - start
                if took > SAMPLE_NS // 4 or count > 1 << 16:
                    break
                count *= 2
            turns[name] = max(1, count * SAMPLE_NS // max(took, 1))
        sums = {name: run(loop, 3) for name, run in variants.items()}
        if len(set(sums.values())) != 1:
            raise SystemExit(f"{loop}: the engines disagree: {sums}")
        samples: dict[str, list[float]] = {name: [] for name in variants}
        for index in range(rounds):
            names = list(variants)
            for name in names[index % len(names) :] + names[: index % len(names)]:
                start = perf_counter_ns()
                variants[name](loop, turns[name])
                samples[name].append((perf_counter_ns() - start) / turns[name])
        found[loop] = {name: median(values) for name, values in samples.items()}
    return found


def table(found: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(found.values())))
    lines = [f"{'us per turn':32}" + "".join(f"{name:>22}" for name in names)]
    for loop, row in found.items():
        cells = (f"{row[name] / 1000:,.1f} ({row[name] / row['native C']:.2f})" for name in names)
        lines.append(f"{LOOPS[loop]:32}" + "".join(f"{cell:>22}" for cell in cells))
    means = (
        math.exp(sum(math.log(row[name] / row["native C"]) for row in found.values()) / len(found))
        for name in names
    )
    lines.append(f"{'geometric mean, to native C':32}" + "".join(f"{mean:>22.2f}" for mean in means))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.compute", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--engines", default=",".join(ENGINES), help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE")
    ask = parser.parse_args()
    use_built()
    from wasi_native import WasiError

    with tempfile.TemporaryDirectory(prefix="wasi-native-bench-") as folder:
        wasm, library = build(Path(folder))
        variants = {"native C": native(library)}
        for name in ask.engines.split(","):
            try:
                title, run = on_engine(name, wasm)
            except (WasiError, subprocess.CalledProcessError) as error:
                print(f"left out: {name}: {error}", file=sys.stderr)
                continue
            variants[title] = run
        found = measure(variants, ask.rounds)
    print(table(found))
    if ask.json:
        kept = {"machine": machine(), "rounds": ask.rounds, "ns": found, "loops": LOOPS}
        ask.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

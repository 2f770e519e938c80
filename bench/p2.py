"""``python -m bench.p2``: the cost of calls of WASI 0.2, against native C and against the engine's own host of 0.2.

The guest is :mod:`bench.component`: here its core module alone, importing WASI by name, the whole component, and
one whose memory is another core instance's (shared); in the engine's own host, in a process of its own, the same
component. That host may put a write off to another thread, so check-write answers 0 there: its figure is that of the
blocking form.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from . import component, measure, report, tree, use_built
from .cases import BATCH, FAST, KERNEL, Case
from .native import Native, build_native
from .worker import Worker

CASES = (
    Case("pread4k", "descriptor.read 4 KiB", KERNEL, "pread", "p2_read4k", limit=1.5, file=True),
    Case(
        "write4k",
        "check-write, write 4 KiB",
        KERNEL,
        "write",
        "p2_write4k",
        batch=BATCH,
        limit=1.5,
        file=True,
    ),
    Case(
        "write4k",
        "blocking-write-and-flush 4 KiB",
        KERNEL,
        "write",
        "p2_flush4k",
        batch=BATCH,
        limit=1.5,
        file=True,
    ),
    Case("clock_realtime", "wall-clock.now", FAST, "clock_gettime, vDSO", "p2_now", limit=2.0),
)
_COLUMNS = ("native", "layer", "component", "shared", "engine")
_RATIOS = (("component", "native", 2), ("shared", "native", 2), ("engine", "component", 1))
FASTER = 10
"""Than the engine's own host, for files."""


class Layer:
    """Our layer: the core module alone, or the component around it."""

    def __init__(self, root: Path, engine: str, name: str) -> None:
        import wasi_native

        self.name = name
        policy = wasi_native.Policy(dirs=[wasi_native.Dir(str(root), "/bench")])
        self._host = wasi_native.Host(policy, engine=engine, cache=False)
        self.version = (
            f"wasi_native {wasi_native.__version__} on {self._host.engine} {self._host.engine_version}"
        )
        text = component.core() if name == "layer" else component.text(shared=name == "shared")
        self._instance: Any = self._host.load(text.encode()).instantiate()
        self.run("bench_p2_setup", 0)

    def has(self, export: str) -> bool:
        return True

    def run(self, export: str, turns: int) -> int:
        """Nanoseconds for so many turns."""
        name = _own(export)
        if self.name != "layer":
            call = self._instance.exports[name.replace("_", "-")]
        else:
            call = partial(self._instance.call, name)
        start = perf_counter_ns()
        error = call(turns)
        took = perf_counter_ns() - start
        if error:
            raise RuntimeError(f"{self.name}: {export} gives {error}")
        return took

    def close(self) -> None:
        self._instance.close()
        self._host.close()


class Peer:
    """The component on the engine's own host."""

    def __init__(self, root: str) -> None:
        import wasmtime
        import wasmtime.component as components

        engine = wasmtime.Engine()
        self._store = wasmtime.Store(engine)
        wasi = wasmtime.WasiConfig()
        wasi.preopen_dir(root, "/bench")
        self._store.set_wasi(wasi)
        linker = components.Linker(engine)
        linker.add_wasip2()
        self._instance = linker.instantiate(self._store, components.Component(engine, component.text()))
        self.run("bench_p2_setup", 0)

    def run(self, export: str, turns: int) -> int:
        if "write4k" in export:
            raise RuntimeError("its check-write answers 0 while another thread writes")
        function: Any = self._instance.get_func(self._store, _own(export).replace("_", "-"))
        start = perf_counter_ns()
        error = function(self._store, turns)
        took = perf_counter_ns() - start
        if error:
            raise RuntimeError(f"{export} gives {error}")
        return took


def _own(export: str) -> str:
    return "p2_entry" if export == "bench_entry" else export.removeprefix("bench_")


def peer(root: str) -> None:
    """The lines of :mod:`bench.worker`."""
    host = Peer(root)
    print(json.dumps({"name": f"wasmtime {version('wasmtime')}, its own WASI 0.2"}), flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            answer: dict[str, object] = {"ns": host.run(ask["export"], ask["turns"])}
        except Exception as error:  # whatever it is: the row says it
            answer = {"error": str(error).splitlines()[-1]}
        print(json.dumps(answer), flush=True)


def _line(row: measure.Row) -> str:
    cells = [f"{row.case.title:32}"]
    for name in _COLUMNS:
        ns = row.ns(name)
        cells.append(f"{ns:10.1f}" if ns is not None else f"{'-':>10}")
    for one, other, digits in _RATIOS:
        ratio = row.ratio(one, other)
        cells.append(f"{ratio:8.{digits}f}" if ratio is not None else f"{'-':>8}")
    return " ".join(cells)


def _verdict(met: bool, text: str) -> None:
    print(f"{'met   ' if met else 'MISSED'}  {text}")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.p2", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="default: 30")
    parser.add_argument("--engine", default="wasmtime", help="of the layer; default: wasmtime")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    parser.add_argument("--peer", metavar="ROOT", help=argparse.SUPPRESS)
    ask = parser.parse_args(argv)
    if ask.peer:
        peer(ask.peer)
        return 0
    use_built()
    with tempfile.TemporaryDirectory(prefix="wasi-native-bench-", dir=tree.place(1 << 22)) as scratch:
        root = Path(scratch) / "root"
        root.mkdir()
        tree.plant(root, 1 << 16)
        native = Native(build_native(root.parent), root)
        variants: list[measure.Variant] = [native]
        variants += [Layer(root, ask.engine, name) for name in ("layer", "component", "shared")]
        about = [variant.version for variant in variants[1:2] if isinstance(variant, Layer)]
        try:
            worker = Worker("engine", [sys.executable, "-m", "bench.p2", "--peer", str(root)])
            variants.append(worker)
            about.append(worker.version)
        except (OSError, RuntimeError) as error:
            print(f"left out: {error}", file=sys.stderr)
        result = measure.measure(list(CASES), variants, ask.rounds, measure.SAMPLE_NS // 4, native.sharers)
        for variant in variants:
            variant.close()
    print("\n".join([", ".join(report.machine().values()), *about]))
    print(
        f"{'ns per call':32} {'native':>10} {'module':>10} {'component':>10} {'shared':>10} {'engine':>10}"
        f" {'to C':>8} {'shared':>8} {'faster':>8}"
    )
    print("\n".join(_line(row) for row in result.rows))
    if ask.json:
        rows = [
            {"title": row.case.title, "ns": {name: row.ns(name) for name in row.samples}, "notes": row.notes}
            for row in result.rows
        ]
        ask.json.write_text(
            json.dumps({"rounds": ask.rounds, "cases": rows}, indent=2) + "\n", encoding="utf-8"
        )
    for row in result.rows:
        theirs = row.ratio("engine", "component")
        for name, note in row.notes.items():
            print(f"{row.case.title}, {name}: {note}")
        for name in ("component", "shared"):
            ratio = row.ratio(name, "native")
            if ratio is not None:
                _verdict(ratio <= row.case.limit, f"{row.case.title}, {name}, to native: {ratio:.2f}")
        if theirs is not None and row.case.file:
            _verdict(theirs >= FASTER, f"{row.case.title}, times faster than the engine's: {theirs:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

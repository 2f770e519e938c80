"""``python -m bench``: the cost of a WASI call, here and elsewhere, against native C."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from . import guest, measure, report, startup, svg, tree, use_built
from .cases import CASES, CHUNK, Case, choose
from .native import Native, build_native
from .worker import Worker

VARIANTS = ("native", "layer", "engine", "node")
ENGINES = ("wasm2c", "wasm3", "wasm_c_api")
"""Variants that run the layer on another engine than wasmtime, in the same process."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="short samples, few rounds: a look, not a result"
    )
    parser.add_argument(
        "--only", metavar="RE", help="cases whose name or title matches; 'startup' is one too"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="default 30, with --quick 5")
    parser.add_argument(
        "--variants", default=",".join(VARIANTS), help=f"default: %(default)s; more: {', '.join(ENGINES)}"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="all figures")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="the picture")
    parser.add_argument("--check", action="store_true", help="say which targets are met")
    parser.add_argument("--dir", metavar="DIR", type=Path, help="where to put the files, default /dev/shm")
    parser.add_argument("--list", action="store_true", help="the names of the cases")
    return parser.parse_args()


def _variants(
    names: list[str], root: Path, stack: ExitStack
) -> tuple[Native, list[measure.Variant], dict[str, str]]:
    """Those of ``names`` that are here, and what they are; why another is not goes to stderr."""
    library = build_native(root.parent)
    native = Native(library, root)
    found: list[measure.Variant] = [native]
    about = {"native": "C, openat2" if native.beneath else "C, openat: this kernel has no openat2"}
    # The workers first: to start a process is all that they take from this one.
    commands = {"engine": [sys.executable, "-m", "bench.peer", str(root), str(library)]}
    if "node" in names and (node := shutil.which("node")):
        binary = root.parent / "guest.wasm"
        guest.assemble(guest.text(), binary)
        script = Path(__file__).with_name("node_wasi.mjs")
        commands["node"] = [node, "--no-warnings", str(script), str(root), str(binary)]
    workers: list[measure.Variant] = []
    for name in ("engine", "node"):
        if name not in names or name not in commands:
            continue
        try:
            worker = Worker(name, commands[name])
        except (OSError, RuntimeError) as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        stack.callback(worker.close)
        workers.append(worker)
        about[name] = worker.version
    for name in ("layer", *ENGINES):
        if name in names:
            from .layer import Layer

            layer = Layer(root, native, "wasmtime" if name == "layer" else name, name)
            stack.callback(layer.close)
            found.append(layer)
            about[name] = layer.version
    order = [*found, *workers]
    return native, order, {variant.name: about[variant.name] for variant in order}


def _cases(only: str | None) -> list[Case]:
    """What was asked for, and the empty host call where a ratio needs it."""
    cases = choose(only)
    if any(case.base == "nop" for case in cases) and not any(case.name == "nop" for case in cases):
        cases.insert(0, CASES[0])
    return cases


def main() -> int:
    ask = _arguments()
    use_built()
    if ask.list:
        print("\n".join(f"{case.name:16} {case.group:16} {case.title}" for case in CASES))
        return 0
    cases = _cases(ask.only)
    start_up = ask.only is None or re.search(ask.only, "startup") is not None
    if not cases and not start_up:
        print(f"no case matches {ask.only!r}; --list names them", file=sys.stderr)
        return 2
    rounds = ask.rounds or (5 if ask.quick else 30)
    sample_ns = measure.SAMPLE_NS // (16 if ask.quick else 1)
    copies = max([1, *(case.turns * sample_ns // measure.SAMPLE_NS for case in cases)])
    result = measure.Result([], rounds, 0)
    about: dict[str, str] = {}
    with ExitStack() as stack:
        if cases:
            base = ask.dir or tree.place(3 * copies * CHUNK)
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="wasi-native-bench-", dir=base))
            )
            root = folder / "root"
            root.mkdir()
            tree.plant(root, copies * CHUNK)
            native, variants, about = _variants(ask.variants.split(","), root, stack)
            where = f"files on {tree.kind(root)}, {rounds} rounds{', QUICK' if ask.quick else ''}"
            print("\n".join([", ".join(report.machine().values()), where, *about.values()]), flush=True)
            result = measure.measure(cases, variants, rounds, sample_ns, native.sharers)
            print("\n" + report.table(result, list(about)), flush=True)
    rows = startup.measure(min(rounds, 20)) if start_up else []
    if rows:
        print("\n" + report.starts(rows))
    if ask.check:
        print("\n" + report.check(result, rows))
    if ask.json:
        ask.json.write_text(json.dumps(report.to_json(result, rows, about)) + "\n", encoding="utf-8")
    if ask.svg:
        ask.svg.write_text(svg.draw(result, list(about)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Start-up: wall time and peak memory of fresh processes. ``python -m bench.startup [-n N]``."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import guest, use_built
from .measure import Start
from .native import build

_PEER = """
import sys, wasmtime
engine = wasmtime.Engine()
store, linker, wasi = wasmtime.Store(engine), wasmtime.Linker(engine), wasmtime.WasiConfig()
wasi.inherit_stdout()
store.set_wasi(wasi)
linker.define_wasi()
module = wasmtime.Module.from_file(engine, sys.argv[1])
linker.instantiate(store, module).exports(store)["_start"](store)
"""
_NODE = """
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";
const wasi = new WASI({ version: "preview1" });
const module = new WebAssembly.Module(readFileSync(process.argv[1]));
wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
"""


def _programs(folder: Path) -> list[Start]:
    hello, cache = folder / "hello.wasm", folder / "cache"
    guest.assemble(guest.HELLO, hello)
    python = [sys.executable]
    run = [*python, "-c", "from wasi_native.cli import entry; entry()", "run", str(hello)]

    def empty() -> None:
        shutil.rmtree(cache, ignore_errors=True)

    found = [
        Start("pass", "python -c pass", [*python, "-c", "pass"]),
        Start("import", "python -c 'import wasi_native'", [*python, "-c", "import wasi_native"]),
        Start("warm", "wasi-native run hello, warm cache", run),
        Start("cold", "wasi-native run hello, empty cache", run, empty),
        Start("peer", "package wasmtime, its own WASI", [*python, "-c", _PEER, str(hello)]),
    ]
    if node := shutil.which("node"):
        command = [node, "--no-warnings", "--input-type=module", "-e", _NODE, str(hello)]
        found.append(Start("node", "node:wasi", command))
    return found


def measure(rounds: int, only: Callable[[str], bool] = lambda name: True) -> list[Start]:
    """Each program once per round, in rotated order, after a round that is not counted."""
    with tempfile.TemporaryDirectory(prefix="wasi-native-bench-") as name:
        folder = Path(name)
        launch = str(build("launch.c", folder / "launch"))
        programs = [program for program in _programs(folder) if only(program.name)]
        env = {**os.environ, "WASI_NATIVE_CACHE": str(folder / "cache")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
        package = importlib.util.find_spec("wasi_native")
        if package is not None and package.origin is not None:
            env["PYTHONPATH"] = str(Path(package.origin).parent.parent)
        for index in range(-1, rounds):
            at = index % len(programs) if programs else 0
            for program in programs[at:] + programs[:at]:
                if program.note:
                    continue
                program.before()
                command = [launch, *program.command]
                done = subprocess.run(
                    command, capture_output=True, text=True, env=env, cwd=folder, check=False
                )
                if done.returncode:
                    program.note = done.stderr.strip()[-300:]
                elif index >= 0:
                    wall, rss = done.stdout.split()[-2:]
                    program.wall.append(float(wall))
                    program.rss.append(float(rss))
    for program in programs:
        if program.note:
            print(f"start-up, {program.name}: {program.note}", file=sys.stderr)
    return [program for program in programs if program.wall]


def main() -> None:
    from . import report

    parser = argparse.ArgumentParser(prog="python -m bench.startup", description=__doc__)
    use_built()
    parser.add_argument("-n", type=int, default=20, help="rounds, default 20")
    print(report.starts(measure(parser.parse_args().n)))


if __name__ == "__main__":
    main()

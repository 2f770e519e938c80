"""The tables of the README, made from the code and the board files: ``python -m tests.readme --write``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.engine.libraries import build_wasm3
from wasi_native import Board, Host, _core
from wasi_native.engines import find

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
ADAPTERS = tuple(_core.engine_names())


def library(engine: str) -> str | None:
    """Of an engine that is not found by its name alone."""
    if engine == "wasm3":
        return str(build_wasm3())
    return find("wasmtime").path if engine == "wasm_c_api" else None


def engines() -> str:
    caps = {name: Host(engine=name, engine_path=library(name), cache=False).caps for name in ADAPTERS}
    every = sorted({cap for have in caps.values() for cap in have})
    lines = ["| ability | " + " | ".join(caps) + " |", "|---|" + "---|" * len(caps)]
    lines += [
        f"| {cap} | " + " | ".join("yes" if cap in have else "-" for have in caps.values()) + " |"
        for cap in every
    ]
    return "\n".join(lines)


def boards() -> str:
    lines = [
        "| board | processor | C library | memory, MiB | limits | runs on |",
        "|---|---|---|---|---|---|",
    ]
    for name in Board.list():
        board = Board.load(name)
        here = [engine for engine in board.engines if engine in ADAPTERS]
        memory = "/".join(map(str, board.ram_mib))
        runs = ", ".join(here) or "no engine yet"
        lines.append(f"| {name} | {board.arch} | {board.libc} | {memory} | {board.limits.name} | {runs} |")
    return "\n".join(lines)


def cost() -> str:
    """From the measurement that is kept: python -m bench --json bench/cost.json --svg bench/cost.svg."""
    kept = json.loads((ROOT / "bench" / "cost.json").read_text())
    lines = ["| call | native C | wasi_native | ratio | wasmtime's WASI |", "|---|---|---|---|---|"]
    for case in kept["cases"]:
        ns, ratio = case["ns"], case["ratio"]["layer"]
        if case["group"] in ("host call", "more"):
            continue
        cells = (number(ns.get(name)) for name in ("native", "layer"))
        shown = "-" if ratio is None else f"{ratio:.2f}"
        title = f"{case['title']}, {case['unit']}" if case["unit"] else case["title"]
        lines.append(f"| {title} | {' | '.join(cells)} | {shown} | {number(ns.get('engine'))} |")
    mean, where = kept["mean"]["layer"], ", ".join(kept["machine"].values())
    return "\n".join([*lines, "", f"Geometric mean over the cases with a kernel call: {mean:.2f} ({where})."])


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


PARTS = {"engines": engines, "boards": boards, "cost": cost}


def rendered(text: str) -> str:
    for name, make in PARTS.items():
        body = f"<!-- {name} -->\n{make()}\n<!-- /{name} -->"
        text = re.sub(rf"<!-- {name} -->\n.*?<!-- /{name} -->", lambda _, body=body: body, text, flags=re.S)
    return text


def example() -> str:
    found = re.search(r"<!-- example -->\n```python\n(.*?)```\n<!-- /example -->", README.read_text(), re.S)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    README.write_text(rendered(README.read_text()))

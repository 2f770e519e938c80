"""The tables of README and SECURITY, made from the code and the board files: ``python -m tests.readme --write``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.engine.libraries import build_wasm3
from wasi_native import Board, Host, _core
from wasi_native.engines import find

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
SECURITY = ROOT / "SECURITY.md"
ADAPTERS = tuple(_core.engine_names())
WHOLE = "the whole suite"
ROOT_OF = {
    ("x86_64", "glibc"): WHOLE,
    ("aarch64", "glibc"): "aarch64",
    ("armv7", "glibc"): "armv7l",
    ("armv6", "glibc"): "armv6l",
    ("riscv64", "glibc"): "riscv64",
    ("armv7", "musl"): "musl-armv7l",
    ("riscv64", "musl"): "musl-riscv64",
}
"""The emulated board that stands for a processor and a C library."""


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


def kept(name: str) -> Any:
    """A measurement that is kept in bench/."""
    return json.loads((ROOT / "bench" / name).read_text())


def boards() -> str:
    """From boards/ and the last run of the emulated ones: python -m tests.boards run --json bench/boards.json."""
    lines = [
        "| board | processor | C library | memory, MiB | limits | runs on | tested as |",
        "|---|---|---|---|---|---|---|",
    ]
    ran = {run["root"]: run for run in reversed(kept("boards.json"))}  # the first of a root is the longest
    for name in Board.list():
        board = Board.load(name)
        here = [
            engine for engine in board.engines if engine in ADAPTERS and (board.arch, board.libc) in ROOT_OF
        ]
        memory = "/".join(map(str, board.ram_mib))
        root = ROOT_OF.get((board.arch, board.libc), "")
        run = ran.get(root)
        tested = f"{root}: {run['passed']} passed" if run else f"{root}: not run" if root else "no wheel"
        if root == WHOLE:
            tested = WHOLE
        cells = (name, board.arch, board.libc, memory, board.limits.name, ", ".join(here) or "-", tested)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def tiers() -> str:
    """What ran where, in SECURITY.md."""
    lines = ["| machine | C library | how | openat2 | " + " | ".join(ADAPTERS) + " | passed | failed |"]
    lines.append("|---" * (len(ADAPTERS) + 6) + "|")
    for run in kept("boards.json"):
        how = (
            f"qemu-user {run['qemu']}{', ' + run['cpu'] if run['cpu'] else ''}" if run["qemu"] else "as it is"
        )
        counts = (str(run["engines"].get(name, "-")) for name in ADAPTERS)
        bad = run["failed"] + run["error"]
        head = f"| {run['machine']} | {run['libc']} | {how} | {run['openat2']} | "
        lines.append(head + " | ".join(counts) + f" | {run['passed']} | {bad} |")
    return "\n".join(lines)


def cost() -> str:
    """From the measurement that is kept: python -m bench --json bench/cost.json --svg bench/cost.svg."""
    found = kept("cost.json")
    lines = ["| call | native C | wasi_native | ratio | wasmtime's WASI |", "|---|---|---|---|---|"]
    for case in found["cases"]:
        ns, ratio = case["ns"], case["ratio"]["layer"]
        if case["group"] in ("host call", "more"):
            continue
        cells = (number(ns.get(name)) for name in ("native", "layer"))
        shown = "-" if ratio is None else f"{ratio:.2f}"
        title = f"{case['title']}, {case['unit']}" if case["unit"] else case["title"]
        lines.append(f"| {title} | {' | '.join(cells)} | {shown} | {number(ns.get('engine'))} |")
    mean, where = found["mean"]["layer"], ", ".join(found["machine"].values())
    return "\n".join([*lines, "", f"Geometric mean over the cases with a kernel call: {mean:.2f} ({where})."])


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def compute() -> str:
    """Loops that compute (python -m bench.compute --json bench/compute.json), then calls (python -m bench
    --variants native,layer,wasm2c,wasm3 --json bench/engines.json), each with the times of native C."""
    loops, calls = kept("compute.json"), kept("engines.json")
    names = list(next(iter(loops["ns"].values())))
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for loop, row in loops["ns"].items():
        cells = (f"{row[name] / 1000:,.0f} ({row[name] / row['native C']:.2f})" for name in names)
        lines.append(f"| {loops['loops'][loop]}, us | {' | '.join(cells)} |")
    for case in calls["cases"]:
        if case["name"] in ("nop", "write1", "pread4k", "open1", "filestat"):
            shown = [number(case["ns"]["native"])]
            for name in ("layer", "wasm2c", "wasm3"):
                ratio = case["ratio"][name]
                shown.append(number(case["ns"][name]) + (f" ({ratio:.2f})" if ratio else ""))
            lines.append(f"| {case['title']}, ns | {' | '.join(shown)} |")
    means = " | ".join(f"{calls['mean'][name]:.2f}" for name in ("layer", "wasm2c", "wasm3"))
    return "\n".join([*lines, f"| geometric mean of all kernel calls, to native | 1 | {means} |"])


def memory() -> str:
    """From python -m tests.boards memory --json bench/memory.json."""
    lines = [
        "| machine, engine | python | import | host | running | per instance | per open file |",
        "|---" * 7 + "|",
    ]
    limits = []
    for run in kept("memory.json"):
        for name in ("wasm2c", "wasm3"):
            row = run[name]
            cells = (
                f"{row[key]:,}"
                for key in ("python", "import", "host", "running", "per_instance", "per_open_file")
            )
            lines.append(f"| {run['root']}, {name} | {' | '.join(cells)} |")
        for limit in run["limits"]:
            failed = f"{len(limit['failed'])} failed" if limit["failed"] else "none failed"
            limits.append(
                f"{limit['passed']} tests passed and {failed} within {limit['MiB']} MiB ({limit['by']})"
            )
        limits.append(f"the wheel for {run['machine']} has {run['wheel_bytes']:,} bytes")
    return "\n".join([*lines, "", f"KiB of resident memory; {'; '.join(limits)}."])


def interfaces() -> str:
    """What is served of WASI 0.2, from the rows of the core."""
    found: dict[str, dict[str, int]] = {}
    for module, name, *_ in _core.row_list():
        if module.startswith("wasi:"):
            package, _, face = module.partition("@")[0].partition("/")
            count = found.setdefault(package, {})
            count[face] = count.get(face, 0) + (not name.startswith("[resource-drop]"))
    lines = ["| package | interfaces | functions |", "|---|---|---|"]
    lines += [
        f"| {package} | {', '.join(sorted(count))} | {sum(count.values())} |"
        for package, count in sorted(found.items())
    ]
    return "\n".join(lines)


_SHARED = 5  # functions, memories, tables, constants, globals


def components() -> str:
    """What runs of WASI 0.2 on each engine; the programs by python -m tests.conformance --suite DIR --adapt p2
    --engine ENGINE --resolver openat2 --resolver walk --keep bench/adapted.json."""
    caps = {name: Host(engine=name, engine_path=library(name), cache=False).caps for name in ADAPTERS}
    runs = {(run["engine"], run["resolver"]): run for run in kept("adapted.json")}
    columns = [
        *ADAPTERS[: ADAPTERS.index("wasm3") + 1],
        "wasm3-old",
        *ADAPTERS[ADAPTERS.index("wasm3") + 1 :],
    ]
    rows: dict[str, list[str]] = {}
    for column in columns:
        have = caps[column.partition("-")[0]]
        shared = sorted(cap.partition("-")[2] for cap in have if cap.startswith("share-"))
        code = "share-functions" in have  # all that run code have it
        rows.setdefault("modules that import it by name", []).append("yes" if code else "-")
        told = "all" if len(shared) == _SHARED else ", ".join(shared) or "-"
        rows.setdefault("what core modules can share", []).append(told)
        for resolver in ("openat2", "walk"):
            cell = "-"
            if run := runs.get((column, resolver)):
                own, all_of = run["by_adapter"], run["passed"] + len(run["failed"])
                cell = f"{run['passed'] - own} + {own} of {all_of}"
            rows.setdefault(f"official programs as components, {resolver}", []).append(cell)
    heads = " | ".join("wasm3 of 2021" if column == "wasm3-old" else column for column in columns)
    lines = [f"| WASI 0.2 | {heads} |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {title} | {' | '.join(cells)} |" for title, cells in rows.items()]
    return "\n".join([*lines, "", "Those behind the plus end as their adapter ends them on every host."])


LANGUAGES = {"words": "C", "stock": "C++", "report": "Rust", "work": "Go"}


def programs() -> str:
    """Compiled guests that had the output of wasmtime on the emulated boards, with their sizes."""
    ran = {run["root"]: run["programs"] for run in kept("boards.json") if run.get("programs")}
    modules = {name: sizes[0] for sizes_of in ran.values() for name, sizes in sizes_of.items()}
    lines = ["| program | module | " + " | ".join(ran) + " |", "|---" * (len(ran) + 2) + "|"]
    for name, size in modules.items():
        cells = (f"{sizes[name][1]:,}" if name in sizes else "-" for sizes in ran.values())
        lines.append(f"| {LANGUAGES[name]} | {size:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


PARTS = {
    "interfaces": interfaces,
    "components": components,
    "engines": engines,
    "boards": boards,
    "cost": cost,
    "compute": compute,
    "memory": memory,
    "programs": programs,
    "tiers": tiers,
}


def rendered(text: str) -> str:
    for name, make in PARTS.items():
        if f"<!-- {name} -->" not in text:
            continue
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
    for page in (README, SECURITY):
        page.write_text(rendered(page.read_text()))

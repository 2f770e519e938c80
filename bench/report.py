"""What was measured, as a table, as JSON, and against the targets."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from .cases import GROUPS, KERNEL
from .measure import Result, Row, Start

NAMES = {
    "native": "native C",
    "layer": "wasi_native",
    "wasm2c": "on wasm2c",
    "wasm3": "on wasm3",
    "wasm_c_api": "on wasm_c_api",
    "engine": "engine's WASI",
    "node": "node:wasi",
}
_SMALL = {"wasm2c": 1.2, "wasm3": 1.3}
"""What the geometric mean of the kernel calls may be on a small engine."""


def machine() -> dict[str, str]:
    """What a reader must know about the machine; no name of it."""
    model = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        pairs = [line.partition(":") for line in lines]
        facts = {key.strip(): value.strip() for key, _, value in pairs}
        model = facts.get("model name") or facts.get("Model") or model
    except OSError:
        pass
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    cpus = os.cpu_count() or 1
    return {"cpu": f"{model}, {cpus} cpus", "system": system, "python": f"Python {platform.python_version()}"}


def _ns(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 99_950:
        return f"{value / 1000:,.0f} us"
    return f"{value:,.1f}" if value < 99.95 else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}" if value < 99.995 else f"{value:,.0f}"


def _cells(result: Result, row: Row, variants: list[str]) -> list[str]:
    name = row.case.title if row.case.unit == "call" else f"{row.case.title}, per {row.case.unit}"
    cells = [name, row.case.native or "-"]
    cells += [_ns(row.ns(variant)) for variant in variants]
    cells += [
        _ratio(result.to_native(row, "layer")),
        _ratio(result.to_nop(row) if row.case.base == "nop" else None),
    ]
    cells += [_ratio(result.to_native(row, name)) for name in _SMALL if name in variants]
    if "engine" in variants:
        cells.append(_ratio(row.ratio("engine", "layer")))
    return cells


def table(result: Result, variants: list[str]) -> str:
    """Nanoseconds per call (median), the ratios of the rounds (median)."""
    head = ["case, ns", "native calls", *(NAMES[name] for name in variants), "to native", "to nop"]
    head += [f"{name} to native" for name in _SMALL if name in variants]
    head += ["engine/layer"] if "engine" in variants else []
    lines: list[list[str]] = []
    for group in GROUPS:
        rows = [row for row in result.rows if row.case.group == group]
        lines += [[f"[{group}]"]] * bool(rows) + [_cells(result, row, variants) for row in rows]
    widths = [max(len(line[i]) for line in [head, *lines] if i < len(line)) for i in range(len(head))]

    def show(line: list[str]) -> str:
        return "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=False))
        ).rstrip()

    notes = [f"  {row.case.name}: {note}" for row in result.rows for note in row.notes.values()]
    return "\n".join([show(head), *map(show, lines), *_summary(result), *notes])


def _summary(result: Result) -> list[str]:
    lines = []
    if mean := result.mean("layer"):
        lines.append(f"geometric mean of the kernel calls, to native: {mean:.3f}")
    for name in _SMALL:
        if mean := result.mean(name):
            lines.append(f"  {NAMES[name]}: {mean:.3f}")
    if mean := result.mean("engine"):
        lines.append(f"  the engine's own WASI: {mean:.1f}")
    if mean := result.mean("node"):
        lines.append(f"  node:wasi: {mean:.2f}")
    if mean := result.mean("engine", "layer", files=True):
        lines.append(f"file calls, engine's own WASI over ours, geometric mean: {mean:.0f}")
    if result.sharers:
        lines.append(
            f"WARNING: {result.sharers} threads share the descriptors of this one and slow its calls"
        )
    return lines


def starts(rows: list[Start]) -> str:
    lines = [f"{'start-up':40}{'min ms':>9}{'median':>9}{'to bare':>9}{'RSS MB':>9}"]
    for row in rows:
        bare = next((other for other in rows if other.name == "pass"), None)
        ratio = f"{row.median_ms / bare.median_ms:.2f}" if bare else "-"
        lines.append(f"{row.title:40}{row.min_ms:9.1f}{row.median_ms:9.1f}{ratio:>9}{row.rss_mb:9.1f}")
    return "\n".join(lines)


def check(result: Result, rows: list[Start]) -> str:
    """One line per target: what was reached, and whether that is enough. Nothing fails by it."""
    lines: list[tuple[str, float | None, float, str]] = []
    for row in result.rows:
        case = row.case
        if case.limit:
            value = result.to_nop(row) if case.base == "nop" else result.to_native(row, "layer")
            lines.append((f"{case.title}, to {case.base}", value, case.limit, "<="))
    lines.append(("geometric mean of the kernel calls", result.mean("layer"), 1.12, "<="))
    lines += [(f"  {NAMES[name]}", result.mean(name), limit, "<=") for name, limit in _SMALL.items()]
    for row in result.rows:
        if row.case.group == KERNEL and row.case.file and row.case.name != "copy":
            bound = row.ratio("engine", "native")
            title = f"{row.case.title}, engine's WASI to ours"
            if bound is not None and bound < 20.0:  # then nobody can, and the title says so
                title += f" (to C: {bound:.1f})"
            lines.append((title, row.ratio("engine", "layer"), 20.0, ">="))
    start = {row.name: row for row in rows}
    if bare := start.get("pass"):
        for name, title, limit in (
            ("warm", "hello, warm cache, to bare Python", 1.8),
            ("cold", "cold cache", 2.5),
        ):
            if name in start:
                lines.append((title, start[name].median_ms / bare.median_ms, limit, "<="))
        if "import" in start:
            lines.append(("import, ms on top", start["import"].median_ms - bare.median_ms, 15.0, "<="))
        if "warm" in start:
            lines.append(("hello, RSS MB", start["warm"].rss_mb, 20.0, "<="))
    return "\n".join(
        f"{'met   ' if (value <= limit if sign == '<=' else value >= limit) else 'MISSED'}  {title:70}"
        f"{value:9.2f} {sign} {limit:g}"
        for title, value, limit, sign in lines
        if value is not None
    )


def to_json(result: Result, rows: list[Start], variants: dict[str, str]) -> dict[str, Any]:
    def values(row: Row) -> dict[str, Any]:
        case = row.case
        return {
            "name": case.name,
            "title": case.title,
            "group": case.group,
            "unit": case.unit,
            "native_calls": case.native,
            "turns": row.turns,
            "ns": {name: row.ns(name) for name in variants},
            "ratio": {name: result.to_native(row, name) for name in variants if name != "native"},
            "to_nop": result.to_nop(row),
            "limit": case.limit,
            "base": case.base,
            "notes": row.notes,
        }

    return {
        "machine": machine(),
        "variants": variants,
        "rounds": result.rounds,
        "sharers": result.sharers,
        "mean": {name: result.mean(name) for name in variants if name != "native"},
        "cases": [values(row) for row in result.rows],
        "start": [
            {
                "name": r.name,
                "title": r.title,
                "min_ms": r.min_ms,
                "median_ms": r.median_ms,
                "rss_mb": r.rss_mb,
            }
            for r in rows
        ],
    }

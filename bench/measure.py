"""Rounds: each runs every case on every variant once, the variants in rotated order."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

from .cases import HOST, KERNEL, Case

SAMPLE_NS = 1_500_000
"""How long one sample of the native loop takes."""


class Variant(Protocol):
    @property
    def name(self) -> str: ...
    def has(self, export: str) -> bool: ...
    def run(self, export: str, turns: int) -> int: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Row:
    """What was measured of a case: nanoseconds per unit and round, by variant (NaN: that round failed)."""

    case: Case
    turns: dict[str, int]  # of one sample, by variant
    samples: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def ns(self, variant: str) -> float | None:
        return median(self.samples[variant]) if self.samples.get(variant) else None

    def ratio(self, variant: str, base: str, other: Row | None = None) -> float | None:
        """The median of the rounds' ratios; against another case's row, where one is given."""
        mine, theirs = self.samples.get(variant), (other or self).samples.get(base)
        if not mine or not theirs:
            return None
        return median(a / b for a, b in zip(mine, theirs, strict=True) if b > 0)


@dataclass(slots=True)
class Result:
    rows: list[Row]
    rounds: int
    sharers: int

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.case.name == name), None)

    def to_native(self, row: Row, variant: str) -> float | None:
        return row.ratio(variant, "native")

    def to_nop(self, row: Row, variant: str = "layer") -> float | None:
        """Against the engine's own empty host call; ours is no measure for us."""
        nop = self.row("nop")
        return row.ratio(variant, "engine", nop) if nop else None

    def mean(self, variant: str, base: str = "native", *, files: bool = False) -> float | None:
        """The geometric mean over the cases with a kernel call."""
        found = [
            ratio
            for row in self.rows
            if row.case.group == KERNEL and (row.case.file or not files)
            if (ratio := row.ratio(variant, base)) is not None
        ]
        return math.exp(sum(map(math.log, found)) / len(found)) if found else None


def _export(variant: Variant, case: Case) -> str:
    return "bench_" + case.name if variant.name == "native" else case.export


def _turns(case: Case, variant: Variant, entry: float, sample_ns: int) -> int:
    """Turns that fill a sample. Each variant has its own number: with one for all, the fast ones would be
    measured over so few turns that the cold start of each sample counts."""
    if case.turns:
        return max(1, case.turns * sample_ns // SAMPLE_NS)
    export = _export(variant, case)
    if not variant.has(export):
        return case.batch
    turns = 8
    try:
        variant.run(export, turns)
        while (took := variant.run(export, turns) - entry) < sample_ns // 4:
            turns *= 2
    except (OSError, RuntimeError):
        return case.batch
    turns = max(1, int(turns * sample_ns / took))
    return -(-turns // case.batch) * case.batch


def measure(
    cases: list[Case], variants: list[Variant], rounds: int, sample_ns: int, sharers: Callable[[], int]
) -> Result:
    """Run it. What a variant cannot do is noted in the row, and left out of it."""
    entry = {v.name: median(v.run("bench_entry", 1) for _ in range(31)) for v in variants}
    rows = [
        Row(case, {v.name: _turns(case, v, entry[v.name], sample_ns) for v in variants}) for case in cases
    ]
    shared = 0
    gc.disable()
    try:
        for index in range(-1, rounds):  # round -1 warms up, and finds what fails
            at = index % len(variants)
            for row in rows:
                for variant in variants[at:] + variants[:at]:
                    _sample(row, variant, entry[variant.name], index >= 0)
                shared = max(shared, sharers())
            if sys.stderr.isatty():
                print(f"\rround {index + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    finally:
        gc.enable()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return Result(rows, rounds, shared)


def _sample(row: Row, variant: Variant, entry: float, keep: bool) -> None:
    export = _export(variant, row.case)
    if variant.name in row.notes or not variant.has(export):
        return
    if row.case.group == HOST and variant.name == "native":
        return
    try:
        took = variant.run(export, row.turns[variant.name])
    except (OSError, RuntimeError) as error:
        row.notes[variant.name] = str(error)
        row.samples.pop(variant.name, None)
        return
    if keep:
        per_turn = max(took - entry, 1.0) / row.turns[variant.name]
        row.samples.setdefault(variant.name, []).append(per_turn / row.case.per)


@dataclass(slots=True)
class Start:
    """One program, started again and again."""

    name: str
    title: str
    command: list[str]
    before: Callable[[], object] = lambda: None
    wall: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def min_ms(self) -> float:
        return min(self.wall) / 1e6

    @property
    def median_ms(self) -> float:
        return median(self.wall) / 1e6

    @property
    def rss_mb(self) -> float:
        return median(self.rss) / 1024

"""The core against the reference's ``definitions.py``: random types and values, lifted and lowered by both.

    WASI_NATIVE_COMPONENT_MODEL=CHECKOUT python -m tests.mem.differential [PAIRS [SEED]]

Both must give the same core values, the same bytes of memory, the same calls of realloc and of handles, and trap in
the same places. What differs is printed with the seed that brings it back; the exit code is then 1.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.component.build import checkout
from tests.mem.definitions import Definitions
from tests.mem.pairs import Outcome, Pair


def silent(outcome: Outcome) -> Outcome:
    """A trap of any reason: the reference tells none."""
    answer = outcome[0]
    if isinstance(answer, tuple) and answer[1] != "unknown handle index 7":
        answer = "trap"
    return (answer, *outcome[1:])


def compare(seed: int) -> tuple[str, str, str | None]:
    """How lowering and lifting of one pair went, and what differs."""
    pair = Pair(seed)
    lowered = pair.core_lowers()
    wanted = pair.reference_lowers(Definitions)
    trapped = isinstance(lowered[0], tuple)
    one = lowered[0][1] if trapped else "lowered"
    if silent(lowered) != silent(wanted):
        return one, "", f"lowering differs: {lowered[0]} {lowered[2]}, not {wanted[0]} {wanted[2]}"
    core = [1024] * pair.flats if trapped else lowered[0]
    memory, core = pair.spoiled(lowered[1], core if pair.ret is None else [pair.ret])
    lifted = pair.core_lifts(memory, core)
    wanted = pair.reference_lifts(memory, core, Definitions)
    other = lifted[0][1] if isinstance(lifted[0], tuple) else "lifted"
    differs = silent(lifted) != silent(wanted)
    return one, other, f"lifting differs: {lifted[0]!r}, not {wanted[0]!r}" if differs else None


def run(pairs: int, seed: int) -> tuple[Counter[str], list[str]]:
    seen: Counter[str] = Counter()
    wrong = []
    for number in range(seed, seed + pairs):
        one, other, difference = compare(number)
        seen[f"lower: {one}"] += 1
        seen[f"lift: {other}"] += 1
        if difference is not None:
            wrong.append(f"seed {number}: {difference}")
    return seen, wrong


def main() -> int:
    if checkout() is None:
        print(
            "WASI_NATIVE_COMPONENT_MODEL names no checkout of the component-model repository", file=sys.stderr
        )
        return 2
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start = time.monotonic()
    seen, wrong = run(pairs, seed)
    for what, count in seen.most_common():
        print(f"{count:8} {what}")
    for line in wrong[:20]:
        print(line)
    print(f"{pairs} pairs from seed {seed}: {len(wrong)} differ; {time.monotonic() - start:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

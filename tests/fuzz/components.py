"""``python -m tests.fuzz.components [SECONDS [SEED]]``: mutated components, from their bytes to calls of exports.

The corpus is built from the repository's own sources: fixtures, scripts, benchmarks. An input is one of them with
bits flipped, bytes cut, put in or taken from another, a number as a LEB of another size, sections left out, doubled
or swapped; sizes around what was changed fit most of the time, so that more than the first check is met. Each ends
well or in one exception of wasi_native's tree, in a world with small limits; descriptors and threads are then as
before, and the last inputs, run again and again, take no more memory. A child does it: what ends that, or takes too
long, is told by its input, which is left in --out, and which ``--one FILE`` runs again.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from pathlib import Path
from time import monotonic
from typing import Any

import wasi_native
from bench import component, p2_calls
from tests.component import build, wast
from tests.support import KEPT
from wasi_native import Capture, Dir, Err, Host, Limits, Ok, Policy, WasiError

HERE = Path(__file__).parent
TOO_LONG = 30
"""Seconds of one input: ten times what the slowest machine needs for the largest of the corpus."""
AGAIN, NOISE = 150, (1 << 20) + KEPT
LIMITS = Limits(
    wall_time=0.05, memory=8 << 20, table_elements=4096, fds=32, handles=256, output_bytes=1 << 16
)

Tree = list[tuple[int, Any]]  # sections: their number, and bytes or what is nested


# ---- the corpus ----


def corpus() -> list[bytes]:
    texts = [component.text(), component.text(shared=True), p2_calls.TEXT]
    folder = HERE.parent / "component"
    texts += [path.read_text(encoding="utf-8") for path in sorted(folder.glob("fixtures/*.wat"))]
    for path in sorted(folder.glob("scripts/*.wast")):
        texts += [item.text for item in wast.read(path) if item.text]
    made = []
    for text in texts:
        try:
            made.append(build.encode(text))
        except wasi_native._core.CoreError:  # a definition, or what is wrong on purpose
            continue
    return made


# ---- sections ----


def leb(number: int, pad: int = 0) -> bytes:
    out = bytearray()
    while number > 0x7F or pad > 0:
        out.append(number & 0x7F | 0x80)
        number >>= 7
        pad -= 1
    out.append(number)
    return bytes(out)


def unleb(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def take_apart(data: bytes) -> Tree:
    """The sections behind the eight bytes at the start; those of modules and components taken apart too."""
    found: Tree = [(-1, data[:8])]
    at, nested = 8, data[6] == 1
    while at < len(data):
        number, (size, start) = data[at], unleb(data, at + 1)
        body = data[start : start + size]
        found.append((number, take_apart(body) if nested and number in (1, 4) else body))
        at = start + size
    return found


def put_together(tree: Tree) -> bytes:
    out = bytearray()
    for number, body in tree:
        whole = put_together(body) if isinstance(body, list) else body
        out += whole if number < 0 else bytes([number]) + leb(len(whole)) + whole
    return bytes(out)


# ---- mutations ----


def change(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """One change of bytes."""
    out = bytearray(data)
    at = rng.randrange(len(out) + 1)
    size = min(rng.choice((1, 1, 2, 4, 16, 64)), len(out) - at)
    how = rng.randrange(18)
    if how > 8 and size:  # another index, count, kind, opcode
        out[at] = rng.choice((rng.randrange(16), rng.randrange(0x60, 0x80), out[at] ^ 1))
    elif how == 0 and size:
        out[at] ^= 1 << rng.randrange(8)
    elif how == 1 and size:
        out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif how == 2 and size:
        out[at] = (out[at] + rng.choice((-1, 1))) & 0xFF
    elif how == 3:
        del out[at : at + size]
    elif how == 4:
        out[at:at] = bytes(rng.randrange(256) for _ in range(size))
    elif how == 5 and other:
        start = rng.randrange(len(other))
        out[at : at + size] = other[start : start + rng.randrange(1, 65)]
    elif how == 6:
        out[at:at] = out[at : at + size]
    elif how == 7:
        number = rng.choice((0, 1, 127, 128, 1 << 20, (1 << 28) - 1, (1 << 32) - 1, 1 << 32, (1 << 63) - 1))
        out[at : at + 1] = leb(number)
    elif size:
        out[at : at + 1] = leb(out[at] & 0x7F, rng.randrange(1, 11))
    return bytes(out)


def leaves(tree: Tree) -> list[tuple[Tree, int]]:
    found = []
    for index, (_number, body) in enumerate(tree):
        found += leaves(body) if isinstance(body, list) else [(tree, index)]
    return found


def change_tree(rng: random.Random, tree: Tree, other: Tree) -> None:
    """One change of a section, or of the order of sections."""
    places = leaves(tree)
    if rng.randrange(16):  # the eight bytes at the start are soon told
        places = [place for place in places if place[0][place[1]][0] >= 0] or places
    inside, at = rng.choice(places)
    theirs, there = rng.choice(leaves(other))
    how = rng.randrange(12)
    if how == 0 and len(inside) > 1:
        del inside[at]
    elif how == 1:
        inside.insert(at, inside[at])
    elif how == 2:
        to = rng.randrange(len(inside))
        inside[at], inside[to] = inside[to], inside[at]
    elif how == 3:
        inside.insert(rng.randrange(len(inside) + 1), theirs[there])
    elif how == 4:
        inside[at] = (rng.randrange(13), inside[at][1])
    else:
        inside[at] = (inside[at][0], change(rng, inside[at][1], theirs[there][1]))


def mutate(rng: random.Random, inputs: list[bytes]) -> bytes:
    data, other = rng.choice(inputs), rng.choice(inputs)
    changes = rng.choice((1, 1, 1, 1, 1, 2, 3, 8))
    if rng.random() < 0.1:
        for _ in range(changes):
            data = change(rng, data, other)
        return data
    tree = take_apart(data)
    for _ in range(changes):
        change_tree(rng, tree, take_apart(other))
    return put_together(tree)


# ---- what is done with one ----


def value(rng: random.Random, type: Any, deep: int = 0) -> Any:
    """A value of this type; KeyError where it takes objects that only the guest makes."""
    kind, parts = type.kind, type.parts
    if kind[0] in "us" and kind[1:].isdigit():
        least = -(1 << int(kind[1:]) - 1) if kind[0] == "s" else 0
        return rng.choice((0, 1, 7, 100, least, least + (1 << int(kind[1:])) - 1))
    if kind == "list":
        count = parts[1] if parts[1] is not None else rng.choice((0, 1, 3)) if deep < 4 else 0
        found = [value(rng, parts[0], deep + 1) for _ in range(min(count, 1000))]
        return bytes(found) if parts[0].kind == "u8" and parts[1] is None else found
    if kind == "tuple":
        return tuple(value(rng, part, deep + 1) for part in parts)
    if kind == "record":
        return {label: value(rng, part, deep + 1) for label, part in parts}
    if kind == "result":
        which = rng.randrange(2)
        inside = None if parts[which] is None else value(rng, parts[which], deep + 1)
        return Err(inside) if which else Ok(inside)
    choice = {"bool": True, "f32": 1.5, "f64": -0.0, "char": "\U0001f600", "string": "h\xe9", "option": None}
    return {**choice, "enum": parts[0] if parts else "", "flags": [*parts[:1]]}[kind]


def use(rng: random.Random, host: Host, data: bytes) -> str:
    """How it ends: "well", or the name of the exception."""
    try:
        with host.load(data) as loaded:
            if isinstance(loaded, wasi_native.Component):
                _ = loaded.wit, loaded.imports, loaded.exports
            with loaded.instantiate() as instance:
                if isinstance(instance, wasi_native.ComponentInstance):
                    call(rng, instance)
    except WasiError as error:
        if not str(error):
            raise AssertionError(f"{type(error).__name__} says nothing") from error
        return type(error).__name__
    return "well"


def call(rng: random.Random, instance: wasi_native.ComponentInstance) -> None:
    for name in list(instance.exports):
        item = instance.exports[name]
        if item is None or isinstance(item, type):
            continue
        labels = [name] if callable(item) else [f"{name}#{label}" for label in item]
        for label in labels:
            try:
                args = [value(rng, type) for _name, type in instance.parameters(label)]
            except (KeyError, WasiError):  # of a type, a resource, a variant
                continue
            instance.call(label, *args)


def descriptors() -> dict[str, str]:
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:  # the listing's own
            continue
    return found


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Fuzz:
    """One run, in one process."""

    def __init__(self, engine: str, root: str) -> None:
        policy = Policy(dirs=[Dir(root, "/bench")], stdout=Capture(), stderr=Capture(), limits=LIMITS)
        self.host = Host(policy, engine=engine, cache=False)
        self.ends: Counter[str] = Counter()

    def one(self, data: bytes, seed: int) -> None:
        faulthandler.dump_traceback_later(TOO_LONG, exit=True)
        before, threads = descriptors(), threading.active_count()
        self.ends[use(random.Random(seed), self.host, data)] += 1
        if descriptors() != before:
            gc.collect()
        now = descriptors()
        if now != before or threading.active_count() != threads:
            raise AssertionError(f"descriptors or threads are left: {sorted(now.items() - before.items())}")
        faulthandler.cancel_dump_traceback_later()


def child(engine: str, seconds: float, seed: int, at: Path) -> None:
    """Inputs until the time is over; the one under way stands in the file ``at``."""
    inputs, last, done = corpus(), deque[tuple[bytes, int]](maxlen=AGAIN), 0
    with tempfile.TemporaryDirectory(prefix="wasi-native-fuzz-") as root:
        (Path(root) / "ro").write_bytes(bytes(4096))
        (Path(root) / "rw").write_bytes(bytes(4096))
        fuzz = Fuzz(engine, root)
        for data in inputs:  # as they are, and so that all that is made once is there
            at.write_bytes(data)
            fuzz.one(data, 0)
        refused = fuzz.ends["ModuleError"] + fuzz.ends["LinkError"]  # what imports more than WASI has
        if not fuzz.ends["well"] or refused > len(inputs) // 2:
            raise AssertionError(f"{refused} of {len(inputs)} components do not run as they are: {fuzz.ends}")
        fuzz.ends.clear()
        end = monotonic() + seconds
        while monotonic() < end or not done:
            number = seed * 1_000_003 + done
            data = mutate(random.Random(number), inputs)
            at.write_bytes(data)
            fuzz.one(data, number)
            last.append((data, number))
            done += 1
        ends = ", ".join(f"{name} {count}" for name, count in fuzz.ends.most_common())
        taken = []
        for _ in range(4):
            for data, number in last:
                fuzz.one(data, number)
            gc.collect()
            taken.append(resident())
        if taken[3] - taken[1] > NOISE and taken[3] > taken[2] > taken[1]:
            raise AssertionError(f"the same {len(last)} inputs take more each time: {taken} bytes")
        fuzz.host.close()
    at.unlink()
    print(f"{done} inputs of {len(inputs)} components: {ends}")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.components", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument("seconds", type=float, nargs="?", default=20)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--engine", default="wasmtime")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where what fails is left")
    parser.add_argument("--one", type=Path, metavar="FILE", help="this input alone")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    ask = parser.parse_args(argv)
    if ask.child:
        child(ask.engine, ask.seconds, ask.seed, ask.child)
        return 0
    if ask.one:
        with tempfile.TemporaryDirectory() as root:
            fuzz = Fuzz(ask.engine, root)
            fuzz.one(ask.one.read_bytes(), ask.seed)
            print(*fuzz.ends)
        return 0
    print(f"components: {ask.seconds:g} s, seed {ask.seed}, {ask.engine}", flush=True)
    ask.out.mkdir(parents=True, exist_ok=True)
    at = ask.out / f"crash-components-{ask.engine}-{ask.seed}.wasm"
    command = [sys.executable, "-m", "tests.fuzz.components", str(ask.seconds), str(ask.seed)]
    code = subprocess.run([*command, "--engine", ask.engine, "--child", str(at)], check=False).returncode
    if code:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        print(f"components: {how}; the input is {at}", file=sys.stderr)
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

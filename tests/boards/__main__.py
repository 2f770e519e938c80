"""Boards that this machine is not, emulated.

    python -m tests.boards prepare [ROOT ...] [--long]
    python -m tests.boards memory [ROOT ...] [--wheels DIR] [--json FILE]
    python -m tests.boards run [ROOT ...] [--qemu 10|7] [--wheels DIR] [--each | --long]
                               [--test PATH ...] [--json FILE]

``prepare`` has roots and emulators in the cache ($WASI_NATIVE_BOARDS, or tests/guests/build/boards). ``run``
prepares, builds the wheels, installs each by the board's own pip, and runs the tests there. Exit code 0: all passed,
1: not all, 2: nothing could be run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from tests.boards import memory
from tests.boards.cache import BoardError, home
from tests.boards.install import build_wheels
from tests.boards.launch import EMULATORS, find
from tests.boards.prepare import prepare
from tests.boards.run import run_all
from tests.guests.build import GuestBuildError


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m tests.boards", description=(__doc__ or "").split("\n\n")[0]
    )
    verbs = made.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("prepare", "have roots and emulators in the cache"),
        ("run", "run the tests in roots"),
        ("memory", "measure it"),
    ):
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("roots", nargs="*", metavar="ROOT", help="default: those of the short set")
        sub.add_argument(
            "--qemu", choices=tuple(EMULATORS), action="append", help="version; default: 10, then 7"
        )
        sub.add_argument("--long", action="store_true", help="all roots, all cases")
        if verb in ("run", "memory"):
            sub.add_argument(
                "--wheels", type=Path, metavar="DIR", help="wheels to install; default: built now"
            )
            sub.add_argument("--json", type=Path, metavar="FILE", help="keep what ran where")
            sub.add_argument(
                "--each", action="store_true", help="each test on each board, also emulated ones"
            )
            sub.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="boards at a time")
            sub.add_argument(
                "--test", action="append", default=[], metavar="PATH", help="instead of the short set"
            )
    return made


def main(args: list[str]) -> int:
    """The command line."""
    options = parser().parse_args(args)
    try:
        roots, versions = find(options.roots, options.long), tuple(options.qemu or EMULATORS)
        if options.verb == "memory":
            roots = memory.native(roots)
        start = time.monotonic()
        prepare(roots, versions)
        print(f"{len(roots)} roots in {home()}, {time.monotonic() - start:.0f} s", flush=True)
        if options.verb == "prepare":
            return 0
        wheels = options.wheels.resolve() if options.wheels else build_wheels(roots)
        if options.verb == "memory":
            measured = memory.measure(roots, wheels)
            if options.json:
                options.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
            return 0 if not any(limit["failed"] for row in measured for limit in row["limits"]) else 1
        results = run_all(roots, versions, wheels, options.long, options.each, options.test, options.jobs)
        print(f"{time.monotonic() - start:.0f} s in all")
        if options.json:
            kept = [result.record() for result in results]
            options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        return 0 if all(result.passed for result in results) else 1
    except (BoardError, GuestBuildError) as error:
        print(f"tests.boards: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m wasi_native.wheels [--target NAME ...] [--out DIR] [--list] [--check]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .build import BuildError, build
from .check import check
from .targets import TARGETS, chosen


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m wasi_native.wheels", description="Build the wheels by zig."
    )
    parser.add_argument(
        "--target", action="append", default=[], metavar="NAME", help="a tag, or a part of one; all"
    )
    parser.add_argument("--out", type=Path, default=Path("dist"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--list", action="store_true", help="print the targets")
    parser.add_argument(
        "--check", action="store_true", help="look at what was built; see the documentation of check"
    )
    options = parser.parse_args(arguments)
    if options.list:
        for target in TARGETS:
            print(f"{target.tag:24} {' '.join(target.compiler)}{'  (for tests)' if target.for_tests else ''}")
        return 0
    try:
        targets = chosen(options.target)
    except ValueError as error:
        parser.error(str(error))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="wheels-") as scratch:
        for target in targets:
            start = time.monotonic()
            try:
                wheel = build(target, options.out, Path(scratch))
                took = time.monotonic() - start
                wrong = check(wheel, target, Path(scratch) / target.tag) if options.check else []
            except BuildError as error:
                print(f"{target.tag}: {error}", file=sys.stderr)
                return 1
            verdict = "not checked" if not options.check else "fine" if not wrong else f"{len(wrong)} faults"
            print(f"{target.tag:24} {took:6.1f} s {wheel.stat().st_size:8} bytes  {verdict}", flush=True)
            for fault in wrong:
                print(f"  {fault}")
            failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Boards that this machine is not, emulated.

python -m tests.boards prepare [ROOT ...]
python -m tests.boards run [ROOT ...]
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.boards.cache import BoardError, home
from tests.boards.launch import EMULATORS, find
from tests.boards.prepare import prepare


def main(args: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.boards", description=(__doc__ or "").split("\n\n")[0]
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("prepare", "have roots and emulators in the cache"),
        ("run", "run the tests in roots"),
    ):
        sub = verbs.add_parser(verb, help=text)
        sub.add_argument("roots", nargs="*", metavar="ROOT", help="default: those of the short set")
        sub.add_argument("--qemu", choices=tuple(EMULATORS), action="append", help="version; default: both")
        sub.add_argument("--long", action="store_true", help="all roots")
    options = parser.parse_args(args)
    try:
        roots = find(options.roots, options.long)
        versions = tuple(options.qemu or EMULATORS)
        start = time.monotonic()
        prepare(roots, versions)
        print(f"{len(roots)} roots in {home()}, {time.monotonic() - start:.0f} s")
    except BoardError as error:
        print(f"tests.boards: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

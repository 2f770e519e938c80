"""Run a checkout of the official wasi-testsuite.

    python -m tests.conformance --suite DIR [--engine NAME] [--resolver auto|openat2|walk ...]
                                [--adapt p2] [--filter RE] [--json FILE] [--keep FILE]

DIR holds the suite with its binaries (branch prod/testsuite-base). The cases of WASI 0.1 are run, each in a
process and a copy of its directory of its own; a table says how many passed and names those that did not. With
``--adapt p2`` each module is made a component of WASI 0.2 first, which needs node and npm. ``--keep`` puts the
figures among those of other engines in FILE; the README's are in bench/adapted.json.
Exit code 0: all passed, 1: not all, 2: nothing could be run.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import re
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.guests.build import GuestBuildError
from tests.programs import jco

from .runner import Host, Verdict, run_case
from .suite import Case, Suite, SuiteError, find_suites

VERSIONS = ("wasm32-wasip1",)
# What an adapted program ends with on every host of 0.2, wasmtime's own too, by its adapter, before a host could do
# anything about it; and why. Looked at with the newest adapter that npm has, that of jco 1.35.0:
#   - It grows the memory by a page for its state, whose first and last words it checks at each call ("ugh!" at
#     0x20000 and 0x2fffc of these programs). AssemblyScript takes all memory there is for its heap, and its first
#     allocation marks the end of that: the last word of the page. The next call is an assertion of the adapter's.
#   - Its fd_write skips what is empty, and answers "0 bytes" without a call to the host when nothing is left.
#   - Its proc_exit imports wasi:cli/exit's exit(result), which has one bit; it does not import exit-with-code, which
#     this host has.
_HEAP = "AssemblyScript's heap ends where the adapter's state does, and overwrites the mark that the adapter checks"
BY_ADAPTER = {
    "args_get-multiple-arguments": (134, _HEAP),
    "environ_get-multiple-variables": (134, _HEAP),
    "fd_write-to-invalid-fd": (
        1,
        "the adapter answers a write of nothing itself, without a call to the host",
    ),
    "proc_exit-failure": (1, "the adapter imports exit(result) alone, and no exit-with-code"),
}


def main(args: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument(
        "--suite", type=Path, required=True, help="checkout of wasi-testsuite, or a part of it"
    )
    parser.add_argument(
        "--engine",
        help="engine to use instead of the best one found; wasm3, wasm3-old (of 2021) and wasm_c_api are those of "
        "the tests unless $WASI_NATIVE_ENGINE_PATH names a library",
    )
    parser.add_argument(
        "--resolver",
        action="append",
        choices=("auto", "openat2", "walk"),
        help="how paths are resolved; may be given several times, one run for each (default: auto)",
    )
    parser.add_argument(
        "--adapt", choices=("p2",), help="make each module a component of this version of WASI first"
    )
    parser.add_argument("--filter", type=re.compile, metavar="RE", help="only cases whose name matches")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="put the figures into FILE, in place of an older run's"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="cases at a time (default: 1)")
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="seconds for one case (default: 30)"
    )
    parser.add_argument(
        "--command",
        type=shlex.split,
        metavar="CMD",
        help="another program with the options of wasi-native (default: python -m wasi_native)",
    )
    options = parser.parse_args(args)
    try:
        suites = find_suites(options.suite)
        wanted = [suite for suite in suites if suite.version in VERSIONS]
        runs = [_run(options, resolver, wanted) for resolver in options.resolver or ["auto"]]
    except (SuiteError, GuestBuildError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    if not any(row["passed"] or row["failed"] for run in runs for row in run["suites"]):
        print("conformance: no case of WASI 0.1 matches", file=sys.stderr)
        return 2
    for suite in suites:
        if suite not in wanted:
            count = len(list(suite.path.glob("*.wasm")))
            print(f"not run: {suite.name}: {count} cases of another version of WASI")
    if options.json:
        options.json.write_text(json.dumps({"runs": runs}, indent=2) + "\n", encoding="utf-8")
    if options.keep:
        keep(options.keep, runs)
    return 0 if all(row["failed"] == 0 for run in runs for row in run["suites"]) else 1


def _run(options: argparse.Namespace, resolver: str, suites: list[Suite]) -> dict[str, Any]:
    host = Host(engine=options.engine, resolver=resolver, timeout=options.timeout)
    if options.command:
        host = Host(options.command, options.engine, resolver, options.timeout)
    start = time.monotonic()
    rows = [_run_suite(suite, host, options) for suite in suites]
    run: dict[str, Any] = {"engine": options.engine or "default", "resolver": resolver, "suites": rows}
    if options.adapt:
        run["adapted"] = options.adapt
    run["seconds"] = round(time.monotonic() - start, 2)
    print_table(run)
    return run


def _run_suite(suite: Suite, host: Host, options: argparse.Namespace) -> dict[str, Any]:
    cases = [case for case in suite.cases() if options.filter is None or options.filter.search(case.name)]
    if options.adapt:
        cases = adapted(cases)
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        verdicts = list(pool.map(lambda case: run_case(case, host), cases))
    for verdict in verdicts:
        if not verdict.passed:
            print(f"FAIL {verdict.name}: {verdict.reason}", file=sys.stderr)
    return {
        "name": suite.name,
        "version": suite.version,
        "passed": sum(verdict.passed for verdict in verdicts),
        "failed": sum(not verdict.passed for verdict in verdicts),
        "cases": [_case_row(verdict) for verdict in verdicts],
    }


def keep(file: Path, runs: list[dict[str, Any]]) -> None:
    """The figures of these runs among those that are there."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    found = {(row["engine"], row["adapted"], row["resolver"]): row for row in [*kept, *map(figures, runs)]}
    file.write_text(json.dumps([found[key] for key in sorted(found)], indent=2) + "\n", encoding="utf-8")


def figures(run: dict[str, Any]) -> dict[str, Any]:
    """One run in a few words: what failed has its reason, what passed for the adapter's end is counted."""
    cases = [case for row in run["suites"] for case in row["cases"]]
    return {
        "engine": run["engine"],
        "adapted": run.get("adapted", ""),
        "resolver": run["resolver"],
        "passed": sum(case["passed"] for case in cases),
        "by_adapter": sum(case["passed"] and case["name"] in BY_ADAPTER for case in cases)
        if "adapted" in run
        else 0,
        "failed": {case["name"]: case["reason"].split("\n")[0] for case in cases if not case["passed"]},
    }


def adapted(cases: list[Case]) -> list[Case]:
    """The same cases with a component in place of each module."""
    made = jco.adapt_all([case.wasm for case in cases])
    found = [replace(case, wasm=wasm) for case, wasm in zip(cases, made, strict=True)]
    return [replace(c, exit_code=BY_ADAPTER[c.name][0]) if c.name in BY_ADAPTER else c for c in found]


def _case_row(verdict: Verdict) -> dict[str, Any]:
    row = {"name": verdict.name, "passed": verdict.passed, "seconds": round(verdict.seconds, 3)}
    return row if verdict.passed else {**row, "reason": verdict.reason}


def print_table(run: dict[str, Any]) -> None:
    """One run for people."""
    rows = [(row["name"], row["passed"], row["failed"]) for row in run["suites"]]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    width = max(len(name) for name, _, _ in rows)
    adapted = ", modules adapted to WASI 0.2" if "adapted" in run else ""
    print(f"engine {run['engine']}{adapted}, resolver {run['resolver']}, {run['seconds']} s")
    print(f"{'suite':{width}}  passed  failed")
    for name, passed, failed in rows:
        print(f"{name:{width}}  {passed:6}  {failed:6}")
    names = [case["name"] for row in run["suites"] for case in row["cases"] if not case["passed"]]
    told = {c["name"] for row in run["suites"] for c in row["cases"]} & set(BY_ADAPTER)
    for name in sorted(told) if adapted else []:
        print(f"passed for ending with {BY_ADAPTER[name][0]}: {name}: {BY_ADAPTER[name][1]}")
    if names:
        print(f"failed: {', '.join(names)}")
    print()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Which cases of the list of attacks the tests cover, by the tests' names: ``test_p05_...`` is case 5."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

# group: its first and last number in the list
GROUPS = {
    "p": (1, 30),
    "r": (32, 40),
    "a": (41, 52),
    "t": (53, 59),
    "m": (61, 77),
    "n": (79, 90),
    "w": (91, 96),
    "b": (97, 109),
    "q": (114, 122),
    "s": (124, 136),
    "c": (137, 146),
    "f": (149, 163),
}
TITLES = {
    "p": "paths",
    "r": "races",
    "a": "rights",
    "t": "table",
    "m": "memory",
    "n": "numbers",
    "w": "waiting",
    "b": "blocking",
    "q": "resources",
    "s": "sockets",
    "c": "components",
    "f": "faults",
}
_NAME = re.compile(r"test_([a-z])(\d+)_")


def case_of(test: str) -> tuple[str, int] | None:
    """("p", 5) of ``test_p05_link_with_slash[openat2]``; None of a test that is no case.

    ValueError: a number that is not of its group."""
    match = _NAME.match(test)
    if match is None or match[1] not in GROUPS:
        return None
    group, number = match[1], int(match[2])
    first, last = GROUPS[group]
    if not first <= number <= last:
        raise ValueError(f"{test}: group {group.upper()} has the cases {first} to {last}")
    return group, number


def covered(tests: Iterable[str]) -> dict[str, set[int]]:
    """The numbers per group, in the order of the list."""
    found: dict[str, set[int]] = {group: set() for group in GROUPS}
    for test in tests:
        case = case_of(test)
        if case is not None:
            found[case[0]].add(case[1])
    return {group: numbers for group, numbers in found.items() if numbers}


def line(found: dict[str, set[int]]) -> str:
    """One line for people."""
    parts = [f"{group.upper()} {len(numbers)}" for group, numbers in found.items()]
    return f"ATTACKS cases covered: {', '.join(parts)} ({sum(map(len, found.values()))} in all)"


def written(folder: Path) -> list[str]:
    """The names of the tests in the files of a folder."""
    names = []
    for path in sorted(folder.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names += [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name.startswith("test_")]

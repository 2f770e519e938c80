"""Who calls whom in the core: which file defines a function or table, and which code names it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.house.tree import code

_FUNCTION = re.compile(r"([^;{}=()]*?)\b([A-Za-z_]\w*)\([^;{}]*\)\s*\{\}")
_TABLE = re.compile(r"([^;{}=()]*?)\b([A-Za-z_]\w*)(?:\[[^\]]*\])*\s*=[^;]*;")
_PROTOTYPE = re.compile(r"([^;{}=()]*?)\b([A-Za-z_]\w*)\([^;{}]*\)[^;{}()]*(?:\([^;{}]*\)\s*)*;")


class Parts(NamedTuple):
    """A C file: what it declares, level with its margin, and the code inside of braces and macros."""

    outside: str
    inside: str


@functools.cache
def parts(path: Path) -> Parts:
    text = re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', '""', code(path)).replace("\\\n", " ")
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif\n", "", text, flags=re.M | re.S)
    macros = re.findall(r"^\s*#\s*define\s+\w+(?:\([^)]*\))?(.*)$", text, flags=re.M)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    outside, inside, depth = [], macros, 0
    for piece in re.split(r"([{}])", text):
        depth -= piece == "}"
        (inside if depth else outside).append(piece)
        depth += piece == "{"
    assert depth == 0, path
    whole = "".join(outside)
    inside += re.findall(r"=([^;]*);", whole)  # a constant at the margin names functions too
    return Parts(whole, "\n".join(inside))


def _names(pattern: re.Pattern[str], path: Path, word: str, wanted: bool) -> set[str]:
    found = pattern.findall(parts(path).outside)
    return {name for head, name in found if head.strip() and (word in head.split()) is wanted}


def _own(path: Path) -> set[str]:
    return _names(_FUNCTION, path, "static", True) | _names(_TABLE, path, "static", True)


def definitions(files: Iterable[Path]) -> dict[str, Path]:
    """Each function and table that other files can name, and the one file with its body."""
    found: dict[str, Path] = {}
    for path in (path for path in files if path.suffix == ".c"):
        for name in _names(_FUNCTION, path, "static", False) | _names(_TABLE, path, "static", False):
            assert found.setdefault(name, path) == path, f"{name}: {found[name]} and {path}"
    return found


def promises(headers: Iterable[Path]) -> set[str]:
    """Each function that headers declare."""
    found = [item for path in headers for item in _PROTOTYPE.findall(parts(path).outside)]
    return {name for head, name in found if head.strip() and not {"typedef", "static"} & set(head.split())}


def calls(files: list[Path]) -> list[tuple[Path, str, Path]]:
    """(file, the function or table of another file that its code names, the file which defines that)."""
    defined = definitions(files)
    return [
        (path, name, defined[name])
        for path in files
        for name in sorted(set(re.findall(r"(?<![.>\w])[A-Za-z_]\w*", parts(path).inside)) - _own(path))
        if name in defined and defined[name] != path
    ]

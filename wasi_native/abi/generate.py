"""Write the generated headers of the core from the rows beside this file.

``python wasi_native/abi/generate.py`` writes them; with ``--check`` it writes nothing and exits 1 when a
header is not what the rows say. Needs the standard library alone, and runs at build time alone.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasi_native.abi import generate_wit
else:  # this file is run as a script, and the one beside it is no part of a package then
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import generate_wit

wrapped = generate_wit.wrapped
ABI = Path(__file__).resolve().parent
CORE = ABI.parent / "core"

C_TYPES = {"u32": "uint32_t", "u64": "uint64_t", "s64": "int64_t"}
LETTERS = {"u32": "i", "u64": "I", "s64": "I"}
READERS = {
    "u32": "WN_SLOT_U32(guest, slots, {})",
    "u64": "WN_SLOT_U64(guest, slots, {})",
    "s64": "(int64_t)WN_SLOT_U64(guest, slots, {})",
}
RESULTS = {"errno": "i", "none": ""}
FUNCTION = re.compile(
    r"(?P<name>[a-z0-9_]+)(?P<params>(?: [a-z0-9_]+:[a-z0-9_]+)*) -> (?P<result>\w+) \[(?P<group>\w+)\]"
)


class RowsError(Exception):
    """A line of a .rows file that says nothing we know."""


@dataclass(frozen=True)
class Param:
    name: str
    base: str  # u32, u64, s64


@dataclass(frozen=True)
class Row:
    module: str
    name: str
    handler: str  # what follows the version's prefix: fd_seek, or unstable_fd_seek
    params: tuple[Param, ...]
    result: str
    group: str


def parse(text: str, where: str) -> list[Row]:
    """The rows of one file, in order, the alias' rows after those of its original."""
    types: dict[str, str] = {}
    rows: list[Row] = []
    module = ""
    alias_at: int | None = None  # index of the alias' first row

    def find(name: str) -> int:
        for index in range(alias_at or 0, len(rows)):
            if rows[index].name == name:
                return index
        return -1

    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        words = line.split()
        place = f"{where}:{number}"
        if words[0] == "type" and len(words) == 3 and words[2] in C_TYPES:
            types[words[1]] = words[2]
        elif words[0] == "module" and len(words) == 2 and not module:
            module = words[1]
        elif words[0] == "alias" and len(words) == 2 and module and alias_at is None:
            alias_at = len(rows)
            module = words[1]
            rows += [replace(row, module=module) for row in rows]
        elif words[0] == "without" and len(words) == 2 and alias_at is not None:
            index = find(words[1])
            if index < 0:
                raise RowsError(f"{place}: no function {words[1]} to go without")
            del rows[index]
        else:
            row = parse_function(line, place, module, types)
            index = find(row.name)
            if alias_at is None:
                if index >= 0:
                    raise RowsError(f"{place}: {row.name} is here twice")
                rows.append(row)
            else:
                if index < 0:
                    raise RowsError(f"{place}: {row.name} differs from nothing")
                prefix = module.removeprefix("wasi_")
                rows[index] = replace(row, handler=f"{prefix}_{row.name}")
    if not rows:
        raise RowsError(f"{where}: no functions")
    return rows


def parse_function(line: str, place: str, module: str, types: dict[str, str]) -> Row:
    match = FUNCTION.fullmatch(line)
    if not match or not module or match["result"] not in RESULTS:
        raise RowsError(f"{place}: not a line of this notation: {line}")
    params = []
    for word in match["params"].split():
        name, type_name = word.split(":")
        if type_name not in types:
            raise RowsError(f"{place}: no type {type_name}")
        params.append(Param(name, types[type_name]))
    return Row(module, match["name"], match["name"], tuple(params), match["result"], match["group"])


def header(version: str, rows: list[Row], source: str) -> str:
    handlers: dict[str, Row] = {}
    for row in rows:
        handlers.setdefault(row.handler, row)
    guard = f"WN_CORE_{version.upper()}_ROWS_GEN_H"
    out = [
        f"/* rows.gen.h - made by abi/generate.py from abi/{source}. Do not edit: change the rows.",
        " *",
        f" * Every file here sees the handlers; {version}.c defines WN_{version.upper()}_TABLE too. */",
        "/* clang-format off */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        '#include "core/guest/guest.h"',
        "",
    ]
    for row in handlers.values():
        args = ["wn_guest_t *guest"] + [f"{C_TYPES[p.base]} {p.name}" for p in row.params]
        out.append(wrapped(f"wn_err_t wn_{version}_{row.handler}(", args, ");"))
    out += ["", f"#ifdef WN_{version.upper()}_TABLE", ""]
    for row in handlers.values():
        out += trampoline(version, row)
    out.append(f"static const wn_row_t wn_{version}_table[{len(rows)}] = {{")
    for row in rows:
        letters = "".join(LETTERS[p.base] for p in row.params)
        names = ",".join(p.name for p in row.params)
        fields = [row.module, row.name, letters, RESULTS[row.result], names, row.group]
        items = [f'"{field}"' for field in fields] + [f"call_{row.handler}", "NULL", "NULL"]
        out.append(wrapped("    {", items, "},"))
    out += ["};", "", "#endif", "#endif", ""]
    return "\n".join(out)


def trampoline(version: str, row: Row) -> list[str]:
    args = ["guest"] + [READERS[p.base].format(i) for i, p in enumerate(row.params)]
    out = [
        f"static wn_err_t call_{row.handler}(wn_guest_t *guest, const wn_row_t *row, void *slots) {{",
        "  (void)row;",
    ]
    if row.result == "none":
        out.append(wrapped(f"  return wn_{version}_{row.handler}(", args, ");"))
    else:
        out.append(wrapped(f"  wn_err_t err = wn_{version}_{row.handler}(", args, ");"))
        out.append("  if (WN_UNLIKELY(err < 0)) return err;")
        out.append("  *WN_SLOT(guest, slots, 0) = (uint32_t)err;")
        out.append("  return 0;")
    out += ["}", ""]
    return out


def render(version: str, text: str, source: str) -> str:
    """The header for the rows of one file, in whichever notation they are."""
    if re.search(r"^package ", text, re.M):
        return generate_wit.header(version, generate_wit.Reader(text, source), source)
    return header(version, parse(text, source), source)


def main(argv: list[str]) -> int:
    check = argv == ["--check"]
    if argv and not check:
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    drifted = []
    for source in sorted(ABI.glob("*.rows")):
        version = source.stem
        target = CORE / version / "rows.gen.h"
        try:
            text = render(version, source.read_text(encoding="utf-8"), source.name)
        except (RowsError, generate_wit.WitError) as error:
            print(error, file=sys.stderr)
            return 1
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            continue
        if check:
            drifted.append(target)
        else:
            target.write_text(text, encoding="utf-8")
    for target in drifted:
        name = target.relative_to(ABI.parent.parent)
        print(f"{name} is not what the rows say: run {Path(__file__).name}", file=sys.stderr)
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

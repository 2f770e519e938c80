"""``wasi-native wit``: the world of a component as WIT text; no engine, nothing is run."""

from __future__ import annotations

from ..errors import ModuleError
from ..wasm import read
from .options import Command, Usage
from .out import complain, report, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["COMMAND", "main"]

COMMAND = Command(
    "wit",
    "COMPONENT",
    "Prints the world of a component as WIT text: what it imports and exports, and its interfaces with their "
    "types and functions. Nothing is run and no engine is needed.",
    (),
    """\
The text is what the binary says: comments of authors, and what a component does not use, are not in it.

Exit status: 0; 1 when the file is no component; 2 for a mistake on the command line.

Examples:
  wasi-native wit app.wasm
  wasi-native wit app.wasm > world.wit
""",
)


def main(options: dict[str, Any], rest: list[str]) -> int:
    if len(rest) != 1:
        raise Usage(
            "write one COMPONENT" if rest else "COMPONENT is missing; write wasi-native wit COMPONENT"
        )
    try:
        data, binary = read(rest[0])
        if binary.layer == "module":
            raise ModuleError(
                f"{rest[0]}: this is a core module, which has no world: WIT describes components; "
                f"what it imports says wasi-native inspect {rest[0]}"
            )
        from ..component import FEATURES, decode
        from ..component.wit import text

        say(text(decode(data, rest[0], FEATURES)))
    except ModuleError as error:
        report("wasi-native wit", str(error))
        return 1
    except OSError as error:
        if error.filename is None:  # standard output is closed
            raise
        complain("wasi-native wit", f"{rest[0]}: {error.strerror}")
        return 1
    return 0

"""``wasi-native stubs``: typed stubs of a component's exports and imports; no engine, nothing is run."""

from __future__ import annotations

import os

from ..errors import ModuleError
from ..wasm import read
from .options import VALUE, Command, Usage
from .out import complain, report, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["COMMAND", "main"]

COMMAND = Command(
    "stubs",
    "[-o FILE] COMPONENT",
    "Prints what a component exports and imports as Python stubs (.pyi) for type checkers: a class for each "
    "interface, and Instance, a ComponentInstance with such exports.",
    (("-o", VALUE, "FILE", "write to FILE instead of standard output"),),
    """\
Exit status: 0; 1 when the file is no component; 2 for a mistake on the command line.

Examples:
  wasi-native stubs sensor.wasm -o sensor.pyi

Then, in a program:
  if TYPE_CHECKING:
      import sensor
  instance: sensor.Instance = host.load_component("sensor.wasm").instantiate()
""",
)


def main(options: dict[str, Any], rest: list[str]) -> int:
    if len(rest) != 1:
        raise Usage(
            "write one COMPONENT" if rest else "COMPONENT is missing; write wasi-native stubs COMPONENT"
        )
    who = "wasi-native stubs"
    try:
        data, binary = read(rest[0])
        if binary.layer == "module":
            raise ModuleError(
                f"{rest[0]}: this is a core module; stubs describe the interfaces of components"
            )
        from ..component import FEATURES, decode
        from ..component.stubs import stubs

        made = stubs(decode(data, rest[0], FEATURES), os.path.basename(rest[0]))
    except ModuleError as error:
        report(who, str(error))
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        complain(who, f"{rest[0]}: {error.strerror}")
        return 1
    if "-o" not in options:
        say(made)
        return 0
    try:
        with open(options["-o"], "w", encoding="utf-8") as file:
            file.write(made)
    except OSError as error:
        complain(who, f"{options['-o']}: {error.strerror}")
        return 1
    return 0

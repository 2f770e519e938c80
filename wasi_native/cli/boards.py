"""``wasi-native boards``: what is known of the boards."""

from __future__ import annotations

from .. import __version__
from ..board import Board, Userland
from ..errors import BoardError
from .options import FLAG, Command, Usage
from .out import complain, fields, human, json, say, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["COMMAND", "main"]

COMMAND = Command(
    "boards",
    "[OPTIONS] [ID]",
    "Lists the boards that are known, or tells all that is known of one. ID is an id of the list, the "
    "path of a .toml file of your own, or 'here': the machine that this is.",
    (("--json", FLAG, "", "print JSON"),),
    """\
Exit status: 0; 1 for a board that is not known; 2 for a mistake on the command line.

Examples:
  wasi-native boards
  wasi-native boards here
  wasi-native boards raspberry-pi-zero-w --json
""",
)


def main(options: dict[str, Any], rest: list[str]) -> int:
    if len(rest) > 1:
        raise Usage(f"one ID at most, not {len(rest)}")
    try:
        if not rest:
            _list(Board.list(), "--json" in options)
            return 0
        board = Board.detect() if rest[0] == "here" else Board.load(rest[0])
    except BoardError as error:
        complain("wasi-native boards", str(error).replace("Board.list()", "wasi-native boards"))
        return 1
    if "--json" in options:
        json(board.to_dict())
    else:
        say(_one(board))
    return 0


def _list(ids: list[str], as_json: bool) -> None:
    boards = [Board.load(name) for name in ids]
    if as_json:
        json([board.to_dict() for board in boards])
        return
    rows = []
    for board in boards:
        ram = "/".join(map(str, board.ram_mib)) or "any"
        classes = "-".join(dict.fromkeys((board.limit_classes[0].name, board.limit_classes[-1].name)))
        rows.append((board.id, board.arch, board.libc, ram, classes, " ".join(board.engines), board.name))
    say(table(("ID", "ARCH", "LIBC", "RAM MiB", "LIMITS", "ENGINES", "NAME"), rows))


def _one(board: Board) -> str:
    limits = board.limits
    pairs = [
        ("name", board.name),
        ("soc", board.soc),
        ("cpu", board.cpu),
        ("memory", f"{board.memory_mib} MiB" if board.memory_mib else _mib(board.ram_mib)),
        ("usable memory", f"{board.usable_ram_mib} MiB" if board.usable_ram_mib else ""),
        ("kernel", f"{board.kernel_min} or later" if board.kernel_min else ""),
        ("python", ", ".join(board.python)),
    ]
    text = f"{board.id}\n" + fields(pairs)
    for userland in board.userlands:
        here = " (in use)" if userland == board.userland and len(board.userlands) > 1 else ""
        text += f"userland {userland.arch} {userland.libc}{here}\n"
        text += fields(
            (
                ("isa", userland.isa),
                ("libc", " ".join((userland.libc, *userland.libc_versions))),
                ("install", _install(userland)),
                *(("engine", _ENGINES[name].format(id=board.id)) for name in userland.engines),
                ("reservation", f"{human(userland.reservation_bytes)}, guard {human(userland.guard_bytes)}"),
            )
        )
    text += f"limits {limits.name} (classes: {', '.join(item.name for item in board.limit_classes)})\n"
    text += fields(
        (
            ("instances", str(limits.instances)),
            ("memory", f"{human(limits.memory_bytes)}, at most {human(limits.memory_max_bytes)}"),
            ("stack", human(limits.stack_bytes)),
            ("descriptors", str(limits.fds)),
        )
    )
    buses = [("gpio", ", ".join(f"{chip.label} ({chip.lines} lines)" for chip in board.gpiochips))]
    buses += [(name, ", ".join(getattr(board, name))) for name in ("i2c", "spi", "serial")]
    if any(value for _name, value in buses):
        text += "devices\n" + fields(buses)
    text += fields([("not verified", ", ".join((*board.unverified, *limits.unverified)))], "")
    text += "".join(f"note: {note}\n" for note in board.notes)
    return text


# How each engine comes to a board.
_ENGINES = {
    "wasmtime": "wasmtime, which the wheel brings",
    "wasm3": "wasm3: python -m pip install pywasm3 (compiled there)",
    "wasm2c": "none for compiled guests: wasi-native compile GUEST.wasm --board {id} -o GUEST.wno, on a PC",
}


def _install(userland: Userland) -> str:
    """The command that installs the wheel of this userland, or why there is none."""
    if not userland.wheel_tags:
        return userland.no_wheel
    return f"python -m pip install wasi_native-{__version__}-cp311-abi3-{userland.wheel_tags[0]}.whl"


def _mib(sizes: tuple[int, ...]) -> str:
    return " or ".join(map(str, sizes)) + " MiB" if sizes else ""

"""What verbs print: complaints, tables, JSON. Nothing that a guest or a file says reaches a terminal raw."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["clean", "complain", "fields", "human", "json", "report", "say", "table", "write"]


def clean(text: str) -> str:
    """``text`` with all that a terminal would act on, and line ends, as escapes: it stays one line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def complain(who: str, text: str, *more: str) -> None:
    """``who: text`` to stderr, and lines below it."""
    if sys.stderr is None:
        return
    lines = [f"{clean(who)}: {clean(text)}", *(f"  {clean(line)}" for line in more)]
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody can be told
        pass


def report(who: str, text: str, *more: str) -> None:
    """The same of an error of this package, whose lines below the first are told as such."""
    first, *lines = text.split("\n")
    complain(who, first, *(line.removeprefix("  ") for line in lines), *more)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns, aligned; a column of numbers to the right."""
    body = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    right = [all(_is_number(row[index]) for row in body) for index in range(len(head))]
    lines = []
    for row in (list(head), *body):
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _is_number(cell: str) -> bool:
    return cell[:1].isdigit() or cell in ("", "-")


def fields(pairs: Iterable[tuple[str, str]], indent: str = "  ") -> str:
    """``name  value`` lines, aligned; an empty value is left out."""
    shown = [(name, clean(value)) for name, value in pairs if value]
    width = max((len(name) for name, _value in shown), default=0)
    return "".join(f"{indent}{name:<{width}}  {value}\n" for name, value in shown)


def human(count: int) -> str:
    """A size for people."""
    if count < 1024:
        return f"{count} bytes"
    value, unit = float(count), 0
    while value >= 1024 and unit < 4:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f}".removesuffix(".0") + " " + ("", "KiB", "MiB", "GiB", "TiB")[unit]


def json(value: object) -> None:
    """``value`` to stdout."""
    from json import dumps

    say(dumps(value, indent=2) + "\n")


def say(text: str) -> None:
    """``text`` to stdout. OSError when that is closed."""
    if sys.stdout is None:
        raise OSError(9, "it is closed")
    sys.stdout.write(text)


def write(path: str, data: bytes, mode: int = 0o666) -> None:
    """``data`` as the file ``path``, whole or not at all: what was there stays until all is written. OSError."""
    import os
    import stat

    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        raise FileExistsError(17, "it is there, and no regular file", path)
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(temporary, flags, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        if isinstance(error, OSError):
            error.filename = path
        raise

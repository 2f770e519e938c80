"""A policy from TOML, with errors that name the file, the line and the key.

::

    args = ["--verbose"]
    stdout = "inherit"              # or "null", "closed", "capture", { capture = "64KiB" }
    stdin = { text = "hello" }      # or "inherit", "null", "closed"
    net = ["tcp://api.example.com:443", "listen tcp://0.0.0.0:8080"]
    [[dirs]]
    host = "data"                   # relative: starts at the folder of this file
    read_only = true
    [limits]
    memory = "16MiB"                # sizes: bytes, or with B, KiB, MiB, GiB, TiB, kB, MB, GB, TB
    wall_time = "500ms"             # times: seconds, or with ns, us, ms, s, min, h, d
    [native]
    files = ["5f70bf18..."]         # SHA-256 of compiled guests (.wno); keys = [...]: Ed25519, hex or PEM

The keys are the fields of :class:`wasi_native.policy.Policy` and of the classes in it; an unknown one is an
error. A directory's ``kind`` is "host" (default), "memory" or "temporary". A clock is "system", ``{ fixed =
..., step = ... }`` or ``{ offset = ... }``, in nanoseconds or with a unit, a fixed realtime also as a TOML
date-time with its zone.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from bisect import bisect_right
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import policy_check as check
from .errors import PolicyError
from .policy_files import CLOSED, INHERIT, NULL, Capture, Dir, File, MemoryDir, TempDir
from .policy_limits import CLOCKS, SIZES, TIMES, Clock, Fixed, Limits, Offset, Random
from .policy_native import Native
from .policy_net import Allow
from .policy_socket import Dial, Listen
from .record import fields

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

    from _typeshed import StrPath

    Path = tuple[str | int, ...]

__all__ = ["line_numbers", "load", "loads"]

_T = TypeVar("_T")

_FILE_MAX = 1 << 20
_DEPTH_MAX = 100  # parts of one dotted key
_DOTS_MAX = 1000  # in one line: a key of 100,000 parts crashes the interpreter inside tomllib
_UNITS = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_NANOS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9}
_NANOS |= {"min": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_QUANTITY = re.compile(r"([+-]?)([0-9]{1,20}(?:\.[0-9]{1,9})?) ?([A-Za-zµ]*)")
_KINDS = {"host": Dir, "memory": MemoryDir, "temporary": TempDir}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def load(policy: type[_T], path: StrPath) -> _T:
    """The ``policy`` in the file ``path``; relative host paths start at its folder.

    Raises PolicyError with file, line and key; OSError when the file cannot be read.
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        raw = file.read(_FILE_MAX + 1)
    if len(raw) > _FILE_MAX:
        raise PolicyError(f"{name}: the file is larger than {_FILE_MAX} bytes; this is no policy")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{name}:{line}: the file is not UTF-8; save it as UTF-8") from None
    return loads(policy, text, name, os.path.dirname(os.path.abspath(name)))


def loads(policy: type[_T], text: str, name: str = "<policy>", base: StrPath | None = None) -> _T:
    """The ``policy`` in ``text``; ``name`` stands in its errors, relative host paths start at ``base``
    (None: as they are).

    Raises PolicyError with name, line and key.
    """
    text = text.replace("\r\n", "\n")
    for line, source in enumerate(text.split("\n"), 1):
        if source.count(".") > _DOTS_MAX:
            raise PolicyError(f"{name}:{line}: more than {_DOTS_MAX} dots; write the values on several lines")
    try:
        data = tomllib.loads(text)
        lines = line_numbers(text)
    except ValueError as error:  # also for integers of many thousand digits
        found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
        line = int(found[2]) if found else text.count("\n") + 1
        raise PolicyError(f"{name}:{line}: not TOML: {found[1] if found else error}") from None
    except RecursionError:
        raise PolicyError(f"{name}: not a policy: it is nested too deeply") from None
    return _Reader(name, lines, base).policy(policy, data)


# --- lines -------------------------------------------------------------------------------------------------

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?""""{0,2}'
    r"|'''.*?''''{0,2}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


def line_numbers(text: str) -> dict[Path, int]:
    """The line, from 1, of each key and each array element of ``text``, which must be valid TOML.

    A path is made of keys and indices: ``("dirs", 0, "read_only")``. A table's line is that of its (first)
    header.
    """
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ends = [found.start() for found in re.finditer("\n", text)]
        self.lines: dict[Path, int] = {}
        self.last: dict[Path, int] = {}  # array of tables -> its newest index

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self.blank() < len(self.text):
            if self.text.startswith("[[", self.at):
                self.at += 2
                *outer, name = self.key()
                table = (*self.resolve(outer), name)
                self.last[table] = self.last.get(table, -1) + 1
                self.note(table)
                table = (*table, self.last[table])
                self.note(table)
                self.at += 2
            elif self.text[self.at] == "[":
                self.at += 1
                table = self.resolve(self.key())
                self.note(table)
                self.at += 1
            else:
                self.pair(table)
        return self.lines

    def resolve(self, keys: Iterable[str]) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            self.note(path)
            if path in self.last:
                path = (*path, self.last[path])
        return path

    def note(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_right(self.ends, self.at - 1) + 1)

    def blank(self) -> int:
        self.at = cast("re.Match[str]", _BLANK.match(self.text, self.at)).end()
        return self.at

    def take(self, pattern: re.Pattern[str]) -> str:
        found = cast("re.Match[str]", pattern.match(self.text, self.at))
        self.at = found.end()
        return found[0]

    def key(self) -> list[str]:
        """A dotted key; stops behind it and its blanks."""
        parts = []
        while True:
            self.blank()
            if self.text[self.at] in "\"'":
                parts.append(tomllib.loads(f"k = {self.take(_STRING)}")["k"])
            else:
                parts.append(self.take(_BARE))
            self.blank()
            if self.text[self.at] != ".":
                return parts
            if len(parts) == _DEPTH_MAX:
                raise RecursionError
            self.at += 1

    def pair(self, path: Path) -> None:
        start = self.at
        keys = self.key()
        after, self.at = self.at + 1, start
        for key in keys:
            path = (*path, key)
            self.note(path)
        self.at = after
        self.value(path)

    def value(self, path: Path) -> None:
        self.blank()
        self.note(path)
        first = self.text[self.at]
        if first in "\"'":
            self.take(_STRING)
        elif first in "[{":
            self.at += 1
            index = 0
            while self.text[self.blank()] not in "]}":
                if first == "{":
                    self.pair(path)
                else:
                    self.value((*path, index))
                    index += 1
                if self.text[self.blank()] == ",":
                    self.at += 1
            self.at += 1
        else:
            self.take(_SCALAR)


# --- fields ------------------------------------------------------------------------------------------------


def _spell(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else repr(part))
    return text


def _names(kind: Any) -> list[str]:
    return [item.name for item in fields(kind) if item.init]


class _Reader:
    def __init__(self, name: str, lines: dict[Path, int], base: StrPath | None) -> None:
        self.name, self.lines, self.base = name, lines, base

    def fail(self, path: Path, text: str) -> NoReturn:
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        raise PolicyError(
            f"{self.name}:{self.lines.get(near, 1)}: {_spell(path) or 'policy'}: {text}"
        ) from None

    def build(self, path: Path, make: Callable[..., _T], /, *args: Any, **kwargs: Any) -> _T:
        """``make(...)``; what it complains of, with the line of the key in the table ``path``."""
        try:
            return make(*args, **kwargs)
        except PolicyError as error:
            where = vars(error).get("where", "")
            text = str(error)[len(where) + 2 :]
            parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", where.partition(".")[2])
            inner: Path = tuple(int(index) if index else key for index, key in parts)
            if len(path) == 2 and path[0] in ("listen", "dial", "net", "env"):
                inner = ()
            self.fail(path + inner, text)

    def table(self, path: Path, value: object, known: Iterable[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.fail(path, f"{check.show(value)} is not a table; write [{_spell(path)}] and keys under it")
        known = list(known)
        for key in value:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
                self.fail((*path, key), f"unknown key; {hint}")
        return value

    def array(self, path: Path, value: object, what: str) -> list[Any]:
        if not isinstance(value, list):
            self.fail(path, f"{check.show(value)} is not an array; write {what}")
        return value

    def quantity(self, path: Path, value: str, units: dict[str, int], example: str) -> int:
        found = _QUANTITY.fullmatch(value)
        if not found or found[3] not in units:
            known = ", ".join(unit for unit in units if unit)
            self.fail(path, f"{check.show(value)} is not understood; write {example} (units: {known})")
        number = Decimal(found[2]) * units[found[3]]
        if number != int(number):
            self.fail(path, f"{check.show(value)} is no whole number of the smallest unit; write {example}")
        return -int(number) if found[1] == "-" else int(number)

    def size(self, path: Path, value: object) -> object:
        return self.quantity(path, value, _UNITS, "'16MiB'") if isinstance(value, str) else value

    def nanos(self, path: Path, value: object) -> object:
        return self.quantity(path, value, _NANOS, "'500ms'") if isinstance(value, str) else value

    def sizes(self, path: Path, table: dict[str, Any], *names: str) -> dict[str, Any]:
        return {
            key: self.size((*path, key), value) if key in names else value for key, value in table.items()
        }

    def policy(self, kind: type[_T], data: dict[str, Any]) -> _T:
        done = dict(self.table((), data, _names(kind)))
        for key in ("args", "dirs", "files", "listen", "dial", "net"):
            if key in done:
                what = f"[[{key}]] and keys under it" if key in ("dirs", "files") else f'{key} = ["..."]'
                values = self.array((key,), done[key], what)
                read = getattr(self, key, lambda _path, value: value)
                done[key] = [read((key, index), value) for index, value in enumerate(values)]
        for key in ("env", "stdin", "stdout", "stderr", "clocks", "random", "limits", "native"):
            if key in done:
                done[key] = getattr(self, key)((key,), done[key])
        return self.build((), kind, **done)

    def env(self, path: Path, value: object) -> dict[str, Any]:
        table = self.table(path, value, value if isinstance(value, dict) else ())
        for key, text in table.items():
            self.build((*path, key), check.variable, key, text)
        return table

    def dirs(self, path: Path, value: object) -> Dir | MemoryDir | TempDir:
        kind = value.get("kind", "host") if isinstance(value, dict) else "host"
        if not isinstance(kind, str) or kind not in _KINDS:
            self.fail((*path, "kind"), f"{check.show(kind)} is unknown; write one of: {', '.join(_KINDS)}")
        made: Callable[..., Dir | MemoryDir | TempDir] = _KINDS[kind]
        table = self.table(path, value, ["kind", *_names(made)])
        table = {key: value for key, value in table.items() if key != "kind"}
        return self.build(path, made, **self.place(path, table, "host" if made is Dir else "guest"))

    def files(self, path: Path, value: object) -> File:
        return self.build(
            path, File, **self.place(path, self.table(path, value, _names(File)), "host", dot=False)
        )

    def place(self, path: Path, table: dict[str, Any], needed: str, dot: bool = True) -> dict[str, Any]:
        if needed not in table:
            self.fail(path, f"the key {needed!r} is missing; add it")
        done = self.sizes(path, table, "quota", "size", "max_file_size")
        host = done.get("host")
        if isinstance(host, str) and host:
            if "guest" not in done:
                done["guest"] = self.build(path, check.default_guest, "Dir.guest", host, dot)
            if self.base is not None:
                done["host"] = os.path.join(self.base, host)
        return done

    def listen(self, path: Path, value: object) -> Listen:
        return self.build(path, Listen, cast("str", value))

    def dial(self, path: Path, value: object) -> Dial:
        return self.build(path, Dial, cast("str", value))

    def net(self, path: Path, value: object) -> Allow:
        return self.build(path, Allow, cast("str", value))

    def stdin(self, path: Path, value: object) -> str | bytes:
        if isinstance(value, dict):
            text = self.table(path, value, ["text"]).get("text")
            if not isinstance(text, str):
                self.fail((*path, "text"), f"{check.show(text)} is not text; write text = '...'")
            return text.encode()
        return self.word(path, value, "{ text = '...' }")

    def stdout(self, path: Path, value: object) -> str | Capture:
        if value == "capture":
            return Capture()
        if isinstance(value, dict):
            if "capture" not in self.table(path, value, ["capture"]):
                self.fail(path, "the table is empty; write { capture = '1MiB' }")
            at = (*path, "capture")
            limit = cast("int", self.size(at, value["capture"]))
            try:
                return Capture(limit)
            except PolicyError as error:
                self.fail(at, str(error).partition(": ")[2])
        return self.word(path, value, "'capture', { capture = '1MiB' }")

    stderr = stdout

    def word(self, path: Path, value: object, more: str) -> str:
        if not isinstance(value, str) or value not in (INHERIT, NULL, CLOSED):
            self.fail(path, f"{check.show(value)} is not a stream; write 'inherit', 'null', 'closed', {more}")
        return value

    def clocks(self, path: Path, value: object) -> Clock:
        table = dict(self.table(path, value, _names(Clock)))
        for key in CLOCKS:
            if key in table:
                table[key] = self.clock((*path, key), table[key])
        return self.build(path, Clock, **table)

    def clock(self, path: Path, value: object) -> object:
        if isinstance(value, dict):
            table = self.table(path, value, ["fixed", "step", "offset"])
            if ("fixed" in table) == ("offset" in table) or ("step" in table and "offset" in table):
                self.fail(path, "write either { fixed = ..., step = ... } or { offset = ... }")
            done = {key: self.instant((*path, key), item) for key, item in table.items()}
            if "offset" in done:
                return self.made((*path, "offset"), Offset, done["offset"])
            self.made((*path, "fixed"), Fixed, done["fixed"])
            return self.made((*path, "step"), Fixed, done["fixed"], done.get("step", 0))
        if value == "system":
            return value
        if isinstance(value, str):
            value = self.quantity(path, value, _NANOS, "'system', or a time such as '500ms'")
        return self.made(path, Fixed, self.instant(path, value))

    def made(self, path: Path, make: Callable[..., _T], *args: Any) -> _T:
        try:
            return make(*args)
        except PolicyError as error:
            self.fail(path, str(error).partition(": ")[2])

    def instant(self, path: Path, value: object) -> object:
        if (
            isinstance(value, datetime)
            and path[:2] == ("clocks", "realtime")
            and path[2:] in ((), ("fixed",))
        ):
            if value.tzinfo is None:
                self.fail(path, f"{value} has no zone; write it with Z or +01:00")
            return (value - _EPOCH) // timedelta(microseconds=1) * 1000
        return self.nanos(path, value)

    def random(self, path: Path, value: object) -> Random:
        table = self.table(path, value, _names(Random))
        seed = table.get("seed")
        return self.build(path, Random, seed.encode() if isinstance(seed, str) else seed)

    def limits(self, path: Path, value: object) -> Limits:
        table = self.sizes(path, self.table(path, value, _names(Limits)), *SIZES)
        for key in TIMES & table.keys():
            if isinstance(table[key], str):
                table[key] = cast("int", self.nanos((*path, key), table[key])) / 1e9
        return self.build(path, Limits, **table)

    def native(self, path: Path, value: object) -> Native:
        table = self.table(path, value, _names(Native))
        for key in table:
            self.array((*path, key), table[key], f'{key} = ["..."]')
        return self.build(path, Native, **table)

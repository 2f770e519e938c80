"""What is known of a machine before anything runs on it: boards, their limits, and which one this is.

The facts are files, ``boards/<id>.toml``; this module reads, checks and chooses them. It is pure data: it
imports neither the core nor an engine, and opens nothing but the board files and, for :meth:`Board.detect`,
a few files of ``/proc`` and the names in ``/lib``.

A board has one or more *userlands* (an instruction set with a C library, best first), since the same machine
may run a 64-bit or a 32-bit system. ``board.userland`` is the one in use; ``arch``, ``libc``, ``wheel_tags``,
``engines``, ``reservation_bytes`` and ``guard_bytes`` of the board are the userland's.

>>> board = Board.load("raspberry-pi-zero-w")
>>> board.arch, board.limits.name, board.engines
('armv6', 'L2', ('wasm3', 'wasm2c'))
"""

from __future__ import annotations

import os
import sys

from .errors import BoardError

TYPE_CHECKING = False  # typing itself takes 2 ms to import
if TYPE_CHECKING:
    from dataclasses import dataclass, fields, replace
    from typing import Any
else:
    from .record import dataclass, fields, replace

__all__ = ["Board", "BoardLimits", "GpioChip", "Userland"]

_Ids = list[str]  # inside Board, the name ``list`` is the method

_NOT_BOARDS = ("generic", "limits")  # files of boards/ that describe no board
_LIBCS = ("glibc", "musl", "uclibc")
_LOADERS = {"glibc": ("ld-linux",), "musl": ("ld-musl-",), "uclibc": ("ld-uClibc", "ld64-uClibc")}
_MACHINES = {"armv6l": "armv6", "armv7l": "armv7", "armv8l": "armv7", "arm64": "aarch64", "amd64": "x86_64"}
_NARROWED = {"aarch64": "armv7", "x86_64": "i686"}  # a 32-bit process under a 64-bit kernel


@dataclass(frozen=True, slots=True)
class BoardLimits:
    """One limit class of ``boards/limits.toml``: what a host may use on a board of that size.

    ``memory_bytes`` is the cap of one linear memory when the policy names none, ``memory_max_bytes`` the most
    that a policy may ask for. ``epoch_ms`` is how often, in milliseconds, a running guest is asked to stop.
    ``unverified`` names the fields that nobody has measured on a board of the class.
    """

    name: str
    ram_mib_min: int
    instances: int
    memory_bytes: int
    memory_max_bytes: int
    stack_bytes: int
    fds: int
    io_buffer_bytes: int
    log_ring_bytes: int
    i2c_bytes: int
    spi_bytes: int
    epoch_ms: int
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Userland:
    """An instruction set with a C library, and the choices that follow from the two.

    ``wheel_tags`` (platform tags of the wheels that are released) and ``engines`` are best first; where there is
    no such wheel, ``no_wheel`` says why, and what to do. ``reservation_bytes`` is the address space
    to reserve for one linear memory, ``guard_bytes`` that of the guard behind it; both in 64 KiB steps.
    """

    arch: str
    isa: str
    libc: str
    libc_versions: tuple[str, ...]
    wheel_tags: tuple[str, ...]
    engines: tuple[str, ...]
    reservation_bytes: int
    guard_bytes: int
    no_wheel: str = ""


@dataclass(frozen=True, slots=True)
class GpioChip:
    """A GPIO chip: its label, its number of lines, and its device's address (``""`` when not known)."""

    label: str
    lines: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """A board: the facts of one ``boards/<id>.toml``, or of the machine that :meth:`detect` looked at.

    ``ram_mib`` lists the variants sold, in MiB; ``memory_mib`` is the memory measured by :meth:`detect` and 0
    after :meth:`load`. ``usable_ram_mib`` is 0 and ``kernel_min`` ``""`` where the file says nothing.
    ``unverified`` names the fields of the file that nobody has verified, dotted from the top.
    ``limits`` is the class in use, ``limit_classes`` those that fit the variants, smallest first.
    ``source`` is the file read, ``""`` for a generic profile that has no file of its own.
    """

    id: str
    name: str
    soc: str
    cpu: str
    ram_mib: tuple[int, ...]
    userland: Userland
    userlands: tuple[Userland, ...]
    limits: BoardLimits
    limit_classes: tuple[BoardLimits, ...]
    python: tuple[str, ...] = ()
    gpiochips: tuple[GpioChip, ...] = ()
    i2c: tuple[str, ...] = ()
    spi: tuple[str, ...] = ()
    serial: tuple[str, ...] = ()
    compatible: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    kernel_min: str = ""
    usable_ram_mib: int = 0
    memory_mib: int = 0
    unverified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def arch(self) -> str:
        """The instruction set: ``armv6``, ``armv7``, ``aarch64``, ``riscv64``, ``mipsel``, ``x86_64`` ..."""
        return self.userland.arch

    @property
    def libc(self) -> str:
        """``glibc``, ``musl``, ``uclibc`` or ``unknown``."""
        return self.userland.libc

    @property
    def wheel_tags(self) -> tuple[str, ...]:
        """Platform tags of the wheels that install here, best first; may be empty."""
        return self.userland.wheel_tags

    @property
    def engines(self) -> tuple[str, ...]:
        """Names of engines that can run here, best first."""
        return self.userland.engines

    @property
    def reservation_bytes(self) -> int:
        """Address space to reserve for one linear memory, in bytes."""
        return self.userland.reservation_bytes

    @property
    def guard_bytes(self) -> int:
        """Address space of the guard behind one linear memory, in bytes."""
        return self.userland.guard_bytes

    @staticmethod
    def load(board: str | os.PathLike[str]) -> Board:
        """Read a board by id, or from a ``.toml`` file of one's own.

        ``board`` is a path when it ends in ``.toml`` or is a path object, else an id. An id may also be
        ``generic-<arch>`` or ``generic-<arch>-<libc>`` as :meth:`detect` makes them. The board has its first
        userland and its lowest limit class. Raises ``BoardError`` for an unknown id (with the nearest ids)
        and for a file that cannot be read or breaks the schema (naming file, key and remedy).
        """
        name = os.fspath(board)
        if not isinstance(board, str) or name.endswith(".toml"):
            return _read_board(name)
        if name in Board.list():
            return _read_board(os.path.join(_data_dir(), name + ".toml"))
        generic, _, rest = name.partition("-")
        if generic == "generic":
            arch, _, libc = rest.partition("-")
            if any(u.arch == arch and libc in ("", u.libc) for u in _generic_userlands()):
                return _generic(arch, libc or "glibc", 0)
        raise BoardError(f"unknown board {name!r}{_near(name, Board.list())}; Board.list() gives every id")

    @staticmethod
    def list() -> _Ids:
        """The ids of all boards with a file, sorted. Raises ``BoardError`` where no files are installed."""
        names = (entry[:-5] for entry in os.listdir(_data_dir()) if entry.endswith(".toml"))
        return sorted(name for name in names if name not in _NOT_BOARDS)

    @staticmethod
    def detect(root: str | os.PathLike[str] = "/") -> Board:
        """Say which board this is, with the userland and the limit class that it really has.

        Asks the device tree (compatible strings first, then the model), ``/proc/cpuinfo`` where there is no
        model, ``/proc/meminfo``, the C library, the kernel's machine name and the size of a pointer. A
        machine without a profile gets a generic one, and ``notes`` says so. Whatever ``root`` holds,
        nothing is raised: only board files that are missing or broken are a ``BoardError``.

        ``root`` is the tree that has ``proc`` and ``lib``; for another one than ``/`` the machine's name is
        read from ``proc/sys/kernel/arch``, and the running machine's is the default.
        """
        at = os.fspath(root)
        arch, libc, memory = _arch(at), _libc(at), _memory_mib(at)
        compatible, model = _identity(at)
        board = _match(compatible, model)
        if board is None:
            board = _generic(arch, libc, memory)
            what = model or (compatible[0] if compatible else "")
            if what:
                board = _noted(board, f"unknown board {what!r}: this is the generic profile {board.id}")
        return _fitted(board, arch, libc, memory)

    def to_dict(self) -> dict[str, Any]:
        """The board as plain dictionaries, lists, strings and numbers, ready for ``json.dumps``."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    """``value`` with every tuple made a list, and every record a dictionary."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, (Userland, BoardLimits, GpioChip)):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


# ---- choosing -------------------------------------------------------------------------------------------


def _noted(board: Board, note: str) -> Board:
    return replace(board, notes=(*board.notes, note))


def _generic_userlands() -> tuple[Userland, ...]:
    reader = _open(os.path.join(_data_dir(), "generic.toml"))
    found = tuple(_userland(entry) for entry in reader.tables("userland"))
    reader.done()
    return found


def _generic(arch: str, libc: str, memory_mib: int) -> Board:
    """The generic profile of an instruction set and a C library: from a file of its own, or made up here."""
    ids = Board.list()
    for name in (f"generic-{arch}-{libc}", f"generic-{arch}"):
        if name in ids:
            return _read_board(os.path.join(_data_dir(), name + ".toml"))
    userland = _pick(_generic_userlands(), arch, libc)
    classes = tuple(_limits().values())
    return Board(
        id=f"generic-{arch}" if libc == "glibc" else f"generic-{arch}-{libc}",
        name=f"any {arch} machine with {libc}",
        soc="any",
        cpu=f"any {arch}",
        ram_mib=(),
        userland=userland,
        userlands=(userland,),
        limits=_best(classes, memory_mib),
        limit_classes=classes,
        notes=("No file describes this machine: limits follow its memory, devices are not known.",),
    )


def _pick(userlands: tuple[Userland, ...], arch: str, libc: str) -> Userland:
    """The userland of the two; without wheel tags where only the arch, or nothing, is known."""
    same = [u for u in userlands if u.arch == arch] or [replace(userlands[-1], arch=arch)]
    for userland in same:
        if userland.libc == libc:
            return userland
    why = f"No wheel is built for {arch} with this C library ({libc}): build from the sources there."
    return replace(same[0], libc=libc, libc_versions=(), wheel_tags=(), no_wheel=why)


def _best(classes: tuple[BoardLimits, ...], memory_mib: int) -> BoardLimits:
    """The best class that the memory allows; the lowest when the memory is not known (0)."""
    return next((c for c in reversed(classes) if c.ram_mib_min <= memory_mib), classes[0])


def _fitted(board: Board, arch: str, libc: str, memory_mib: int) -> Board:
    """``board`` with the userland and the limit class of the machine looked at."""
    if any((u.arch, u.libc) == (arch, libc) for u in board.userlands):
        board = replace(board, userland=_pick(board.userlands, arch, libc))
    else:
        generic = _generic(arch, libc, memory_mib)
        board = replace(board, userland=_pick(generic.userlands, arch, libc))
        board = _noted(board, f"the profile has no userland {arch} with {libc}: generic values are used")
    if memory_mib and memory_mib < min(board.ram_mib, default=0) // 3:
        board = _noted(board, f"only {memory_mib} MiB of memory, {min(board.ram_mib)} MiB expected")
    return replace(board, memory_mib=memory_mib, limits=_best(board.limit_classes, memory_mib))


# ---- looking at the machine -----------------------------------------------------------------------------


def _text(root: str, path: str) -> str:
    """A file of ``/proc`` as text, ``""`` when it cannot be read."""
    try:
        with open(os.path.join(root, path), "rb") as file:
            return file.read(65536).decode("utf-8", "replace")
    except OSError:
        return ""


def _arch(root: str) -> str:
    """The instruction set of the processes, in our names."""
    here = os.path.abspath(root) == "/"
    machine = "" if here else _text(root, "proc/sys/kernel/arch").strip()
    machine = machine or os.uname().machine
    arch = _MACHINES.get(machine, machine)
    if machine == "mips" and sys.byteorder == "little":
        arch = "mipsel"
    if machine in ("i386", "i486", "i586"):
        arch = "i686"
    return _NARROWED.get(arch, arch) if here and sys.maxsize < 2**32 else arch


def _libc(root: str) -> str:
    """The C library, by the names of the dynamic loaders; the running process' own where root is ``/``."""
    names: set[str] = set()
    for folder in ("lib", "lib64"):
        try:
            names.update(os.listdir(os.path.join(root, folder)))
        except OSError:
            continue
    found = [libc for libc in _LIBCS if any(name.startswith(_LOADERS[libc]) for name in names)]
    if os.path.abspath(root) == "/":
        if "uclibc" not in found and _runs_glibc():
            return "glibc"
        from .elf import here

        found.insert(0, here().libc)
    return next((libc for libc in found if libc != "unknown"), "unknown")


def _runs_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (OSError, ValueError):
        return False


def _memory_mib(root: str) -> int:
    """``MemTotal`` in MiB, 0 when it is not told."""
    for line in _text(root, "proc/meminfo").splitlines():
        key, _, rest = line.partition(":")
        words = rest.split()
        if key == "MemTotal" and words and words[0].isascii() and words[0].isdigit():
            return int(words[0][:18]) // 1024
    return 0


def _identity(root: str) -> tuple[tuple[str, ...], str]:
    """The device tree's compatible strings, most specific first, and the machine's model name."""
    compatible = tuple(filter(None, _text(root, "proc/device-tree/compatible").split("\0")))
    model = _text(root, "proc/device-tree/model").split("\0")[0].strip()
    if not model:
        told = {}
        for line in _text(root, "proc/cpuinfo").splitlines():
            key, _, value = line.partition(":")
            told[key.strip()] = value.strip()
        model = next((told[key] for key in ("Model", "machine", "system type") if told.get(key)), "")
    return compatible, model


def _match(compatible: tuple[str, ...], model: str) -> Board | None:
    """The board that the device tree means, or None. Parses only files that mention one of the names."""
    words = model.split()
    marks = [f'"{name}"' for name in compatible] + [f'"{word}' for word in words[:1]]
    if not marks:
        return None
    candidates = []
    for name in Board.list():
        path = os.path.join(_data_dir(), name + ".toml")
        text = _file_text(path)
        if any(mark in text for mark in marks):
            candidates.append(_read_board(path))
    found = [board for given in compatible for board in candidates if given in board.compatible]
    found += [board for board in candidates if any(_is_model(model, entry) for entry in board.model)]
    return found[0] if found else None


def _is_model(model: str, entry: str) -> bool:
    """Whether ``model`` is ``entry``, or begins with it where the entry ends in ``*``."""
    return model.startswith(entry[:-1]) if entry.endswith("*") else model == entry


# ---- reading the files ----------------------------------------------------------------------------------


def _data_dir() -> str:
    """The folder of the board files: inside an installed package, or beside the package in a source tree."""
    package = os.path.dirname(os.path.abspath(__file__))
    for folder in (os.path.join(package, "boards"), os.path.join(os.path.dirname(package), "boards")):
        if os.path.isfile(os.path.join(folder, "schema.json")):
            return folder
    raise BoardError(f"no board files in {package}/boards: install wasi_native again")


def _file_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise BoardError(f"{path}: cannot be read ({error}); give the path of a UTF-8 TOML file") from error


def _open(path: str) -> _Reader:
    """A reader over one file. Ours are plain enough to be read without tomllib, whose import takes 5 ms."""
    text = _file_text(path)
    if os.path.dirname(path) == _data_dir():
        try:
            return _Reader(path, "", _plain_toml(text))
        except (IndexError, ValueError) as error:
            raise BoardError(f"{path}: is damaged ({error}); install wasi_native again") from error
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return _Reader(path, "", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BoardError(f"{path}: not TOML: {error}; correct that line") from error


def _plain_toml(text: str) -> dict[str, Any]:
    """Read the TOML that our own files keep to, as a test proves: ``[a]``, ``[[a]]``, ``key = value``.

    A value is a string without escapes, a whole number, or a list of either, which may go over several lines.
    A comment has a line of its own outside of lists.
    """
    top: dict[str, Any] = {}
    table, pending = top, ""
    for line in map(str.strip, text.splitlines()):
        if not pending and (not line or line[0] == "#"):
            continue
        if not pending and line[0] == "[":
            name, table = line.strip("[]"), {}
            if line[1] == "[":
                top.setdefault(name, []).append(table)
            else:
                top[name] = table
            continue
        pending += line
        key, _, value = pending.partition(" = ")
        if value[0] != "[" or value[-1] == "]":
            table[key], pending = _plain_value(value), ""
    return top


def _plain_value(text: str) -> Any:
    if text[0] != "[":
        return text[1:-1] if text[0] == '"' else int(text)
    if '"' in text:
        return text.split('"')[1::2]
    return [int(item) for item in text[1:-1].split(",") if item.strip()]


def _near(name: str, names: _Ids) -> str:
    """`` (did you mean ...?)`` with the names close to ``name``, or ``""``."""
    import difflib

    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f" (did you mean {', '.join(close)}?)" if close else ""


class _Reader:
    """Takes the keys of one TOML table, checks each, and in :meth:`done` refuses those nobody took."""

    def __init__(self, path: str, where: str, table: dict[str, Any]) -> None:
        self.path, self.where, self.table = path, where, table
        self.taken: list[str] = []

    def fail(self, key: str, problem: str) -> BoardError:
        return BoardError(f"{self.path}: key '{self.where}{key}': {problem}")

    def _take(self, key: str, kind: type, expected: str, default: Any = None) -> Any:
        self.taken.append(key)
        value = self.table.get(key, default)
        if value is None:
            raise self.fail(key, f"is missing; add {expected}")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.fail(key, f"is {value!r}; write {expected}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value: str = self._take(key, str, "a string", default)
        return value

    def number(self, key: str, default: int | None = None) -> int:
        value: int = self._take(key, int, "a whole number", default)
        if value < 0:
            raise self.fail(key, f"is {value}; write a number of 0 or more")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._take(key, list, "a list of strings")
        if not all(isinstance(value, str) for value in values):
            raise self.fail(key, f"is {values!r}; write a list of strings")
        return tuple(values)

    def numbers(self, key: str) -> tuple[int, ...]:
        values = self._take(key, list, "a list of whole numbers")
        if not values or not all(type(value) is int and value > 0 for value in values):
            raise self.fail(key, f"is {values!r}; write a list of numbers above 0")
        return tuple(values)

    def within(self, key: str) -> _Reader:
        return _Reader(self.path, f"{self.where}{key}.", self._take(key, dict, f"a table [{key}]"))

    def tables(self, key: str, least: int = 1) -> list[_Reader]:
        values = self._take(key, list, f"tables [[{key}]]", [] if least == 0 else None)
        if len(values) < least or not all(isinstance(value, dict) for value in values):
            raise self.fail(key, f"needs at least {least} table(s) [[{key}]]")
        return [_Reader(self.path, f"{self.where}{key}[{i}].", value) for i, value in enumerate(values)]

    def done(self) -> None:
        for key in self.table:
            if key not in self.taken:
                raise self.fail(key, f"is not known{_near(key, self.taken)}; remove or rename it")


def _userland(reader: _Reader) -> Userland:
    userland = Userland(
        arch=reader.text("arch"),
        isa=reader.text("isa"),
        libc=reader.text("libc"),
        libc_versions=reader.texts("libc_versions"),
        wheel_tags=reader.texts("wheel_tags"),
        engines=reader.texts("engines"),
        reservation_bytes=reader.number("reservation_bytes"),
        guard_bytes=reader.number("guard_bytes"),
        no_wheel=reader.text("no_wheel", ""),
    )
    if userland.libc not in (*_LIBCS, "unknown"):
        raise reader.fail("libc", f"is {userland.libc!r}; write one of {', '.join(_LIBCS)}, unknown")
    if not userland.engines:
        raise reader.fail("engines", "is empty; name at least one engine, best first")
    for key in ("reservation_bytes", "guard_bytes"):
        if reader.number(key) % 65536:
            raise reader.fail(key, f"is {reader.number(key)}; write a multiple of 65536")
    reader.done()
    return userland


def _limits() -> dict[str, BoardLimits]:
    """All limit classes, smallest first."""
    top = _open(os.path.join(_data_dir(), "limits.toml"))
    classes = {}
    for name in top.table:
        reader = top.within(name)
        numbers = [field.name for field in fields(BoardLimits) if field.name not in ("name", "unverified")]
        values = {key: reader.number(key) for key in numbers}
        classes[name] = BoardLimits(name=name, unverified=reader.texts("unverified"), **values)
        reader.done()
    return classes


def _read_board(path: str) -> Board:
    reader = _open(path)
    stem = os.path.basename(path)[:-5]
    board_id = reader.text("id")
    if board_id != stem:
        raise reader.fail("id", f"is {board_id!r}; an id is its file's name, write {stem!r}")
    limits = _limits()
    classes = reader.texts("limits")
    for name in classes:
        if name not in limits:
            raise reader.fail("limits", f"has {name!r}; write classes of limits.toml: {', '.join(limits)}")
    if not classes:
        raise reader.fail("limits", f"is empty; write at least one of {', '.join(limits)}")
    userlands = tuple(_userland(entry) for entry in reader.tables("userland"))
    chips = []
    for entry in reader.tables("gpiochip", least=0):
        chips.append(GpioChip(entry.text("label"), entry.number("lines"), entry.text("address", "")))
        entry.done()
    buses, detect = reader.within("buses"), reader.within("detect")
    board = Board(
        id=board_id,
        name=reader.text("name"),
        soc=reader.text("soc"),
        cpu=reader.text("cpu"),
        ram_mib=reader.numbers("ram_mib"),
        userland=userlands[0],
        userlands=userlands,
        limits=limits[classes[0]],
        limit_classes=tuple(limits[name] for name in classes),
        python=reader.texts("python"),
        gpiochips=tuple(chips),
        i2c=buses.texts("i2c"),
        spi=buses.texts("spi"),
        serial=buses.texts("serial"),
        compatible=detect.texts("compatible"),
        model=detect.texts("model"),
        kernel_min=reader.text("kernel_min", ""),
        usable_ram_mib=reader.number("usable_ram_mib", 0),
        unverified=reader.texts("unverified"),
        notes=reader.texts("notes"),
        source=path,
    )
    for part in (buses, detect, reader):
        part.done()
    return board

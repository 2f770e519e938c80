"""A call of a guest with its parameters decoded, for :mod:`wasi_native.trace`.

A parameter is understood by its name: all rows use the same names for the same things. Nothing here believes
the guest: what it wrote is cut, counted and quoted, and a pointer that leads nowhere is shown as its number.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Call(Protocol):
        """What the host gives a trace; see :meth:`wasi_native.Module.instantiate`."""

        module: str
        name: str
        params: str
        results: str
        param_names: tuple[str, ...]
        args: tuple[int, ...]
        result: int | None
        err: int
        error_name: str
        nanoseconds: int

        def memory(self, ptr: int, size: int, /) -> bytes | None: ...


__all__ = ["BYTES", "P1", "View", "as_float", "errno_of", "plain", "quote"]

P1 = ("wasi_snapshot_preview1", "wasi_unstable")
"""The modules whose functions answer with an errno."""

# What a successful call left behind these pointers: parameter -> size of the number.
_OUT = {"nwritten": 4, "nread": 4, "bufused": 4, "opened_fd": 4, "newoffset": 8, "time": 8, "resolution": 8}
_OUT |= {"argc": 4, "argv_buf_size": 4, "environc": 4, "environ_buf_size": 4, "nevents": 4}
_OUT |= {"ro_datalen": 4, "ro_flags": 2, "so_datalen": 4}
BYTES = ("nwritten", "nread", "ro_datalen", "so_datalen", "bufused")

_LOOKUP = ("symlink_follow",)
_FDFLAGS = ("append", "dsync", "nonblock", "rsync", "sync")
_FST = ("atim", "atim_now", "mtim", "mtim_now")
_FLAGS: dict[str, tuple[str, ...]] = {
    "oflags": ("creat", "directory", "excl", "trunc"),
    "fdflags": _FDFLAGS,
    "fst_flags": _FST,
    "dirflags": _LOOKUP,
    "old_flags": _LOOKUP,
    "ri_flags": ("recv_peek", "recv_waitall"),
    "how": ("rd", "wr"),
    "fd_fdstat_set_flags.flags": _FDFLAGS,
    "sock_accept.flags": _FDFLAGS,
    "path_filestat_get.flags": _LOOKUP,
    "path_filestat_set_times.flags": _LOOKUP,
}
_CLOCKS = ("realtime", "monotonic", "process_cputime_id", "thread_cputime_id")
_ENUMS: dict[str, tuple[str, ...]] = {
    "whence": ("set", "cur", "end"),
    "advice": ("normal", "sequential", "random", "willneed", "dontneed", "noreuse"),
    "clock_res_get.id": _CLOCKS,
    "clock_time_get.id": _CLOCKS,
}
_EVENTS = ("clock", "fd_read", "fd_write")
_FILETYPES: tuple[str, ...] = (
    "unknown",
    "block_device",
    "character_device",
    "directory",
    "regular_file",
    "socket_dgram",
)
_FILETYPES += ("socket_stream", "symbolic_link")
_LISTED = 8  # pieces, subscriptions, events shown of one list

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 256))}
_ESCAPES |= {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}


def quote(data: bytes) -> str:
    """``data`` between quotes, in printable ASCII."""
    return '"' + data.decode("latin-1").translate(_ESCAPES) + '"'


def plain(text: str) -> str:
    """A name that a guest may have chosen: without quotes where that is harmless."""
    return text if text.isidentifier() and text.isascii() else quote(text.encode("utf-8", "surrogateescape"))


def errno_of(call: Call) -> int:
    """0, the errno that the guest got, or (below 0) the verdict that ends it."""
    return call.err or (call.result or 0 if call.module in P1 else 0)


class View:
    """A call with its parameters decoded by their names."""

    def __init__(self, call: Call, size: int) -> None:
        self.call, self.size = call, size
        names = tuple(call.param_names)
        self.names = names + tuple(f"arg{index}" for index in range(len(names), len(call.args)))
        self.old = call.module == "wasi_unstable"
        self.err = errno_of(call)

    def arg(self, name: str) -> int:
        return self.call.args[self.names.index(name)] if name in self.names else 0

    def memory(self, ptr: int, size: int) -> bytes | None:
        """Bytes of the guest, None when they would reach outside."""
        return self.call.memory(ptr, size) if ptr + size < 1 << 32 else None

    def number(self, ptr: int, size: int) -> int | None:
        raw = self.memory(ptr, size)
        return None if raw is None else int.from_bytes(raw, "little")

    def is_out(self, name: str) -> bool:
        return name in _OUT or (name == "offset" and self.call.name == "fd_tell")

    def inputs(self) -> list[tuple[int, str]]:
        """Index and name of the parameters shown: not those that only say where a number goes."""
        return [pair for pair in enumerate(self.names) if self.err < 0 or not self.is_out(pair[1])]

    def outputs(self) -> dict[str, int]:
        """The numbers that a successful call left in memory."""
        found = {}
        for index, name in enumerate(self.names):
            if self.err == 0 and self.is_out(name):
                value = self.number(self.call.args[index], _OUT.get(name, 8))
                if value is not None:
                    found[name] = value
        return found

    def show(self, index: int, name: str) -> str:
        """Parameter ``index`` as text."""
        call, value = self.call, self.call.args[index]
        kind = call.params[index] if index < len(call.params) else "i"
        full = f"{call.name}.{name}"
        if kind in "fF":
            return repr(as_float(value, kind))
        if full in _FLAGS or name in _FLAGS:
            return _flags(value, _FLAGS.get(full) or _FLAGS[name])
        if full in _ENUMS or name in _ENUMS:
            words = _ENUMS.get(full) or _ENUMS[name]
            if name == "whence" and self.old:
                words = ("cur", "end", "set")
            return words[value] if 0 <= value < len(words) else str(value)
        if name.startswith("fs_rights"):
            return hex(value & (1 << 64) - 1)
        if name == "offset" and call.name == "fd_seek":
            return str(value - (1 << 64) if value >> 63 else value)
        shown = None
        if name in ("iovs", "ri_data", "si_data"):
            shown = self.pieces(value, self.arg(name + "_len"))
        elif name in ("path", "old_path", "new_path"):
            shown = self.string(value, self.arg(name + "_len"), call.name != "fd_prestat_dir_name")
        elif name == "buf":
            shown = self.buffer(value)
        elif name in ("stat", "prestat"):
            shown = self.structure(value) if self.err == 0 else None
        elif full == "poll_oneoff.in":
            shown = self.subscriptions(value)
        elif full == "poll_oneoff.out":
            shown = self.events(value) if self.err == 0 else None
        if shown is not None:
            return shown
        return hex(value) if name in _POINTERS else str(value)

    def string(self, ptr: int, size: int, given: bool = True) -> str | None:
        """``size`` bytes at ``ptr``, cut; None unless they are there (``given``: before the call)."""
        if not given and self.err:
            return None
        raw = self.memory(ptr, min(size, self.size))
        return None if raw is None else quote(raw) + ("..." if size > self.size else "")

    def buffer(self, ptr: int) -> str | None:
        if self.call.name == "path_readlink" and self.err == 0:
            return self.string(ptr, self.outputs().get("bufused", 0))
        return None  # random numbers may be secret, directory entries are not readable

    def pieces(self, ptr: int, count: int) -> str | None:
        """A list of pieces: address, length, and what is in them, up to the size of strings in all."""
        raw = self.memory(ptr, 8 * min(count, _LISTED)) if count < 1 << 29 else None
        if raw is None:
            return None
        reads = self.call.name in ("fd_read", "fd_pread", "sock_recv")
        out = self.outputs()
        have = next((out[name] for name in BYTES if name in out), 0) if reads else 1 << 32
        room, parts = self.size, []
        for at in range(0, len(raw), 8):
            base, size = (int.from_bytes(raw[at + k : at + k + 4], "little") for k in (0, 4))
            filled = min(size, have)
            data = self.memory(base, min(filled, room)) or b""
            more = "..." if filled > len(data) else ""
            parts.append(f"{{{base:#x}, {size}}}" + (quote(data) + more if data else more))
            room -= len(data)
            have -= filled
        return "[" + ", ".join(parts + ["..."] * (count > _LISTED)) + "]"

    def structure(self, ptr: int) -> str | None:
        """What fd_fdstat_get, fd_filestat_get, path_filestat_get or fd_prestat_get found."""
        if self.call.name == "fd_prestat_get":
            size = self.number(ptr + 4, 4)
            return None if size is None else f"{{dir, name_len={size}}}"
        if self.call.name == "fd_fdstat_get":
            raw = self.memory(ptr, 24)
            if raw is None:
                return None
            kind, flags = _word(_FILETYPES, raw[0]), int.from_bytes(raw[2:4], "little")
            base, below = (int.from_bytes(raw[at : at + 8], "little") for at in (8, 16))
            return f"{{{kind}, flags={_flags(flags, _FDFLAGS)}, rights={base:#x}, inheriting={below:#x}}}"
        raw = self.memory(ptr, 56)
        if raw is None:
            return None
        at = 24 if self.old else 32
        return f"{{{_word(_FILETYPES, raw[16])}, size={int.from_bytes(raw[at : at + 8], 'little')}}}"

    def subscriptions(self, ptr: int) -> str | None:
        count, step = self.arg("nsubscriptions"), 56 if self.old else 48
        raw = self.memory(ptr, step * min(count, _LISTED))
        if raw is None:
            return None
        parts = []
        for at in range(0, len(raw), step):
            kind, body = raw[at + 8], at + (24 if self.old and raw[at + 8] == 0 else 16)
            number = int.from_bytes(raw[body : body + 4], "little")
            if kind == 0:
                timeout = int.from_bytes(raw[body + 8 : body + 16], "little")
                sign = "at " if raw[body + 24] & 1 else "+"
                parts.append(f"clock {_word(_CLOCKS, number)} {sign}{timeout} ns")
            else:
                parts.append(f"{_word(_EVENTS, kind)} {number}")
        return "[" + ", ".join(parts + ["..."] * (count > _LISTED)) + "]"

    def events(self, ptr: int) -> str | None:
        count = self.outputs().get("nevents", 0)
        raw = self.memory(ptr, 32 * min(count, _LISTED))
        if raw is None:
            return None
        parts = []
        for at in range(0, len(raw), 32):
            error = int.from_bytes(raw[at + 8 : at + 10], "little")
            parts.append(_word(_EVENTS, raw[at + 10]) + (f" error {error}" if error else ""))
        return "[" + ", ".join(parts + ["..."] * (count > _LISTED)) + "]"


_POINTERS = {
    "argv",
    "argv_buf",
    "environ",
    "environ_buf",
    "in",
    "out",
    "stat",
    "prestat",
    "iovs",
    "buf",
    "path",
}
_POINTERS |= {"old_path", "new_path", "ri_data", "si_data", *_OUT}


def _word(words: tuple[str, ...], index: int) -> str:
    return words[index] if index < len(words) else str(index)


def _flags(value: int, words: tuple[str, ...]) -> str:
    parts = [word for bit, word in enumerate(words) if value >> bit & 1]
    rest = value >> len(words) << len(words)
    return "|".join(parts + [hex(rest)] * bool(rest)) or "0"


def as_float(bits: int, kind: str) -> float:
    """The number whose bits these are; ``kind`` is "f" or "F"."""
    import struct

    if kind == "f":
        value: float = struct.unpack("<f", (bits & (1 << 32) - 1).to_bytes(4, "little"))[0]
    else:
        value = struct.unpack("<d", (bits & (1 << 64) - 1).to_bytes(8, "little"))[0]
    return value

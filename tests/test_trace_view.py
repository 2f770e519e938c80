"""Decoding of single calls: by parameter name, for any memory, whatever the guest left in it."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from wasi_native.trace import rows
from wasi_native.trace_view import View, quote


class Call:
    """A call as the host reports it, over a memory of our own."""

    module, name, params, results = "wasi_snapshot_preview1", "f", "", "i"
    error_name, nanoseconds = "SUCCESS", 1500

    def __init__(self, name: str, params: str, memory: bytes = b"", /, **more: Any) -> None:
        self.name, self.data = name, memory
        names = {**more}
        err = names.pop("err", 0)
        self.err, self.result = min(err, 0), max(err, 0)
        self.module = names.pop("module", self.module)
        self.param_names, self.args = tuple(names), tuple(names.values())
        self.params = params

    def memory(self, ptr: int, size: int, /) -> bytes | None:
        assert 0 <= ptr < 2**32 and 0 <= size < 2**32, "the host refuses numbers beyond 32 bits"
        return self.data[ptr : ptr + size] if ptr + size <= len(self.data) else None


def shown(call: Call, size: int = 32) -> dict[str, str]:
    view = View(call, size)
    return {name: view.show(index, name) for index, name in view.inputs()}


def test_quote() -> None:
    assert quote(b'a"\\\n\r\t\0\x1b[2J\x7f\x9b\xff') == r'"a\"\\\n\r\t\x00\x1b[2J\x7f\x9b\xff"'
    assert quote(bytes(range(256))).isprintable() and quote(bytes(range(256))).isascii()


def iovs(*pieces: bytes) -> bytes:
    """Pieces at 64 on, their list at 0."""
    table, data = b"", b""
    for piece in pieces:
        table += struct.pack("<II", 256 + len(data), len(piece))
        data += piece
    return table.ljust(256, b"\0") + data


def test_pieces_written() -> None:
    memory = iovs(b"hello\n", b"", b"wor\x1bld")
    call = Call("fd_write", "iiii", memory, fd=1, iovs=0, iovs_len=3, nwritten=128)
    assert shown(call)["iovs"] == r'[{0x100, 6}"hello\n", {0x106, 0}, {0x106, 6}"wor\x1bld"]'
    assert shown(call, 8)["iovs"] == r'[{0x100, 6}"hello\n", {0x106, 0}, {0x106, 6}"wo"...]'
    assert shown(call, 0)["iovs"] == "[{0x100, 6}..., {0x106, 0}, {0x106, 6}...]"
    assert "nwritten" not in shown(call)


def test_pieces_read_show_what_was_read() -> None:
    memory = bytearray(iovs(b"hello", b"world"))
    memory[128:132] = struct.pack("<I", 7)
    call = Call("fd_read", "iiii", bytes(memory), fd=0, iovs=0, iovs_len=2, nread=128)
    assert shown(call)["iovs"] == '[{0x100, 5}"hello", {0x105, 5}"wo"]'
    assert View(call, 32).outputs() == {"nread": 7}


def test_many_pieces_are_cut() -> None:
    call = Call("fd_write", "iiii", bytes(1 << 16), fd=1, iovs=0, iovs_len=5000, nwritten=0)
    assert shown(call)["iovs"].count("{") == 8 and shown(call)["iovs"].endswith(", ...]")


@pytest.mark.parametrize("count", [1, 2**29, 2**32 - 1])
def test_pieces_nowhere(count: int) -> None:
    call = Call("fd_write", "iiii", b"", err=-2, fd=1, iovs=0xFFFFFFF0, iovs_len=count, nwritten=0)
    assert shown(call)["iovs"] == "0xfffffff0"
    assert shown(call)["nwritten"] == "0x0" or shown(call)["nwritten"] == "0"


def test_paths() -> None:
    call = Call("path_unlink_file", "iii", b"..a.txt\n", fd=3, path=2, path_len=6)
    assert shown(call) == {"fd": "3", "path": r'"a.txt\n"', "path_len": "6"}
    assert shown(call, 3)["path"] == '"a.t"...'
    assert shown(Call("path_unlink_file", "iii", b"", fd=3, path=2, path_len=6))["path"] == "0x2"


def test_flags_and_words() -> None:
    call = Call("path_open", "iiiiiIIii", fd=3, dirflags=1, oflags=9, fs_rights_base=66, fdflags=33)
    assert shown(call) == {
        "fd": "3",
        "dirflags": "symlink_follow",
        "oflags": "creat|trunc",
        "fs_rights_base": "0x42",
        "fdflags": "append|0x20",
    }
    assert shown(Call("path_open", "i", oflags=0))["oflags"] == "0"
    assert shown(Call("fd_seek", "iIi", fd=3, offset=2**64 - 5, whence=2)) == {
        "fd": "3",
        "offset": "-5",
        "whence": "end",
    }
    assert shown(Call("fd_seek", "i", module="wasi_unstable", whence=2))["whence"] == "set"
    assert shown(Call("fd_seek", "i", whence=77))["whence"] == "77"
    assert shown(Call("clock_time_get", "iI", id=1, precision=5))["id"] == "monotonic"
    assert shown(Call("path_filestat_get", "i", flags=1))["flags"] == "symlink_follow"
    assert shown(Call("fd_fdstat_set_flags", "i", flags=4))["flags"] == "nonblock"
    assert shown(Call("sock_shutdown", "i", how=3))["how"] == "rd|wr"


def test_structures() -> None:
    memory = bytearray(64)
    memory[16], memory[32:40], memory[24:32] = 4, (777).to_bytes(8, "little"), (5).to_bytes(8, "little")
    assert (
        shown(Call("fd_filestat_get", "ii", bytes(memory), fd=3, stat=0))["stat"]
        == "{regular_file, size=777}"
    )
    old = Call("fd_filestat_get", "ii", bytes(memory), module="wasi_unstable", fd=3, stat=0)
    assert shown(old)["stat"] == "{regular_file, size=5}"
    fdstat = bytes([2, 0, 1, 0]) + bytes(4) + (255).to_bytes(8, "little") + bytes(8)
    text = shown(Call("fd_fdstat_get", "ii", fdstat, fd=1, stat=0))["stat"]
    assert text == "{character_device, flags=append, rights=0xff, inheriting=0x0}"
    prestat = bytes(4) + (5).to_bytes(4, "little")
    assert shown(Call("fd_prestat_get", "ii", prestat, fd=3, prestat=0))["prestat"] == "{dir, name_len=5}"
    assert shown(Call("fd_prestat_get", "ii", prestat, err=8, fd=9, prestat=0))["prestat"] == "0x0"
    for name, field in (
        ("fd_filestat_get", "stat"),
        ("fd_fdstat_get", "stat"),
        ("fd_prestat_get", "prestat"),
    ):
        assert shown(Call(name, "ii", b"", **{"fd": 3, field: 16}))[field] == "0x10"


def test_names_read() -> None:
    call = Call("fd_prestat_dir_name", "iii", b"/data", fd=3, path=0, path_len=5)
    assert shown(call)["path"] == '"/data"'
    failed = Call("fd_prestat_dir_name", "iii", b"/data", err=8, fd=3, path=0, path_len=5)
    assert shown(failed)["path"] == "0x0"
    memory = b"target" + (4).to_bytes(4, "little") + b"link"
    link = {"fd": 3, "path": 10, "path_len": 4, "buf": 0, "buf_len": 6, "bufused": 6}
    assert shown(Call("path_readlink", "iiiiii", memory, **link))["buf"] == '"targ"'
    assert shown(Call("random_get", "ii", b"secret", buf=0, buf_len=6))["buf"] == "0x0"


def subscription(tag: int, number: int, timeout: int = 0, flags: int = 0, size: int = 48) -> bytes:
    head = struct.pack("<QB7x", 1, tag) + bytes(size - 48 if tag == 0 else 0)
    body = struct.pack("<IxxxxQQH", number, timeout, 0, flags) if tag == 0 else struct.pack("<I", number)
    return (head + body).ljust(size, b"\0")


@pytest.mark.parametrize(("module", "size"), [("wasi_snapshot_preview1", 48), ("wasi_unstable", 56)])
def test_poll(module: str, size: int) -> None:
    given = subscription(0, 1, 5000, 0, size) + subscription(1, 7, size=size) + subscription(0, 0, 9, 1, size)
    out = struct.pack("<QHB5x16x", 1, 0, 0) + struct.pack("<QHB5x16x", 1, 8, 1) + (2).to_bytes(4, "little")
    at = {"in": 0, "out": len(given), "nsubscriptions": 3, "nevents": len(given) + 64}
    call = Call("poll_oneoff", "iiii", given + out, module=module, **at)
    assert shown(call)["in"] == "[clock monotonic +5000 ns, fd_read 7, clock realtime at 9 ns]"
    assert shown(call)["out"] == "[clock, fd_read error 8]"
    lost = Call("poll_oneoff", "iiii", b"", module=module, **at)
    assert shown(lost)["in"] == "0x0" and shown(lost)["out"] == hex(len(given))
    many = Call("poll_oneoff", "iiii", bytes(9000), **{**at, "nsubscriptions": 100})
    assert shown(many)["in"].endswith(", ...]")


def test_floats_and_functions_without_names() -> None:
    call = Call("f", "fFi", a=0x3FC00000, b=0x4004000000000000, c=7)
    assert shown(call) == {"a": "1.5", "b": "2.5", "c": "7"}
    call.param_names = ()
    assert shown(call) == {"arg0": "1.5", "arg1": "2.5", "arg2": "7"}


def test_whatever_a_guest_says_is_one_printable_line() -> None:
    chance, table = random.Random(3), rows()
    edges = [0, 1, 2, 8, 64, 1 << 16, (1 << 16) - 4, 2**31, 2**32 - 1, 2**32 - 8]
    for _ in range(5000):
        module, name, params, _results, names, _group = chance.choice(table)
        args = {key: chance.choice(edges) for key in names}
        memory = chance.randbytes(64) * 16
        call = Call(name, params, memory, module=module, err=chance.choice([0, 0, 8, -2]), **args)
        text = repr(shown(call, chance.choice([0, 5, 32])))
        assert text.isprintable() and text.isascii() and len(text) < 4000

"""The guest: one loop per case, written as text by this file. No compiler, no libc between us and the call.

``bench_<case>(turns) -> i64`` makes the raw call of WASI 0.1 as often as told, looks at each errno, and
returns 0 or the first errno. ``python -m bench.guest`` prints the text; ``-o FILE`` writes the binary.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .cases import BATCH, CHUNK, DEEP, ENTRIES, PAGE

WASI = "wasi_snapshot_preview1"
_IMPORTS = {
    "args_sizes_get": "i32 i32",
    "args_get": "i32 i32",
    "fd_prestat_get": "i32 i32",
    "fd_fdstat_get": "i32 i32",
    "fd_filestat_get": "i32 i32",
    "clock_time_get": "i32 i64 i32",
    "random_get": "i32 i32",
    "fd_write": "i32 i32 i32 i32",
    "fd_read": "i32 i32 i32 i32",
    "fd_pread": "i32 i32 i32 i64 i32",
    "fd_seek": "i32 i64 i32 i32",
    "fd_close": "i32",
    "fd_readdir": "i32 i32 i32 i64 i32",
    "path_open": "i32 i32 i32 i32 i32 i64 i64 i32 i32",
    "path_filestat_get": "i32 i32 i32 i32 i32",
    "path_create_directory": "i32 i32 i32",
    "path_remove_directory": "i32 i32 i32",
    "path_rename": "i32 i32 i32 i32 i32 i32",
    "poll_oneoff": "i32 i32 i32 i32",
    "sched_yield": "",
}

# Where things lie in guest memory.
_OUT = 64  # whatever a call answers, up to 64 bytes
_IOVS = 1024  # 1 B, 4 KiB, 64 KiB, then 16 x 256 B
_SUB_CLOCK, _SUB_FD, _EVENT = 2048, 2112, 2176
_PATHS = 4096
_ARGS = 8192
_BUFFER = 65536
_LIST = 32768
_ROOT = 3
_RIGHTS = 0x8E001FF  # all that a regular file has: fd_* without fd_readdir
_DIR_RIGHTS = 1 << 14 | 1 << 21  # fd_readdir, fd_filestat_get
_NAMES = ("f", DEEP, "m", "r0", "r1", "rw", "ro", "many", "big", "out")


def _path(name: str) -> str:
    at = _PATHS + sum(len(other) for other in _NAMES[: _NAMES.index(name)])
    return f"(i32.const {at}) (i32.const {len(name)})"


def _const(*values: int) -> str:
    return " ".join(f"(i32.const {value})" for value in values)


def _try(call: str, *args: str) -> str:
    """Make the call; leave the loop with its errno."""
    leave = "(then (return (i64.extend_i32_u (local.get $e))))"
    return f"(if (local.tee $e (call ${call} {' '.join(args)})) {leave})"


def _loop(name: str, *body: str, first: str = "", last: str = "") -> str:
    lines = "\n      ".join(body)
    return f"""
  (func (export "bench_{name}") (param $n i32) (result i64) (local $i i32) (local $e i32) {first}
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
      {lines}
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    {last}
    (i64.const 0))"""


def _stream(name: str, call: str, fd: str, iov: int, count: int) -> str:
    """A call that moves the file's position: back to its start before each batch."""
    back = _try("fd_seek", f"(global.get {fd})", "(i64.const 0)", _const(0, _OUT))
    return _loop(
        name,
        f"(if (i32.eqz (i32.and (local.get $i) (i32.const {BATCH - 1}))) (then {back}))",
        _try(call, f"(global.get {fd})", _const(iov, count, _OUT)),
    )


def _pread(name: str, iov: int) -> str:
    return _loop(name, _try("fd_pread", "(global.get $ro)", _const(iov, 1), "(i64.const 0)", _const(_OUT)))


def _open(name: str, fd: str, oflags: int = 0, rights: int = _RIGHTS) -> str:
    """Open and put the number into a global."""
    call = _try("path_open", _const(_ROOT, 0), _path(name), _const(oflags), f"(i64.const {rights})",
                "(i64.const 0)", _const(0, _OUT))  # fmt: skip
    return f"{call} (global.set {fd} (i32.load (i32.const {_OUT})))"


def _open_close(name: str, path: str) -> str:
    return _loop(
        name, _open(path, "$fd", rights=1 << 1 | 1 << 2 | 1 << 21), _try("fd_close", "(global.get $fd)")
    )


def _readdir(name: str, size: int) -> str:
    """List all: walk the records for the last whole one's cookie, until a call leaves room in the buffer."""
    return f"""
  (func $list_{name} (result i32) (local $e i32) (local $cookie i64) (local $at i32) (local $end i32)
                     (local $rest i32) (local $count i32)
    (loop $more
      (if (local.tee $e (call $fd_readdir (global.get $many) {_const(_BUFFER, size)} (local.get $cookie)
                                          {_const(_OUT)})) (then (return (local.get $e))))
      (local.set $at (i32.const {_BUFFER}))
      (local.set $end (i32.add (local.get $at) (i32.load (i32.const {_OUT}))))
      (block $cut (loop $record
        (br_if $cut (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 24)))
        (local.set $rest (i32.add (i32.const 24) (i32.load offset=16 (local.get $at))))
        (br_if $cut (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (local.get $rest)))
        (local.set $cookie (i64.load (local.get $at)))
        (local.set $at (i32.add (local.get $at) (local.get $rest)))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $record)))
      (br_if $more (i32.eq (i32.load (i32.const {_OUT})) (i32.const {size}))))
    (select (i32.const 44) (i32.const 0) (i32.lt_u (local.get $count) (i32.const {ENTRIES}))))
  {_loop(name, _try(f"list_{name}"))}"""


def _copy() -> str:
    turn = (
        _try("fd_read", "(global.get $in)", _const(_IOVS + 16, 1, _OUT)),
        f"(i32.store (i32.const {_IOVS + 24 + 132}) (i32.load (i32.const {_OUT})))",
        _try("fd_write", "(global.get $copy)", _const(_IOVS + 24 + 128, 1, _OUT)),
    )
    first = _open("big", "$in", 0) + _open("out", "$copy", 9)
    last = _try("fd_close", "(global.get $in)") + _try("fd_close", "(global.get $copy)")
    return _loop("copy", *turn, first=first, last=last)


def _data() -> str:
    """The scatter lists, the two subscriptions and the paths."""
    iovs = [(_BUFFER, 1), (_BUFFER, PAGE), (_BUFFER, CHUNK)] + [(_BUFFER + i * 256, 256) for i in range(16)]
    iovs.append((_BUFFER, 0))  # of the copy's write
    lists = b"".join(ptr.to_bytes(4, "little") + size.to_bytes(4, "little") for ptr, size in iovs)
    clock = bytes(16) + (1).to_bytes(4, "little") + bytes(28)
    ready = bytes(8) + b"\1" + bytes(39)
    segments = {_IOVS: lists, _SUB_CLOCK: clock, _SUB_FD: ready, _PATHS: "".join(_NAMES).encode()}
    return "".join(
        f'\n  (data (i32.const {at}) "{"".join(f"{chr(92)}{byte:02x}" for byte in data)}")'
        for at, data in segments.items()
    )


def _loops() -> list[str]:
    stat = "path_filestat_get"
    fd = "(global.get $ro)"
    return [
        _loop("entry", "(return (i64.const 0))"),
        _loop("nop", _try("nop", _const(_ROOT, _OUT))),
        _loop("nop_mem", _try("nop_mem", _const(_OUT))),
        _loop(
            "args",
            _try("args_sizes_get", _const(_OUT, _OUT + 4)),
            _try("args_get", _const(_ARGS, _ARGS + 512)),
        ),
        _loop("prestat", _try("fd_prestat_get", _const(_ROOT, _OUT))),
        _loop("fdstat", _try("fd_fdstat_get", fd, _const(_OUT))),
        _loop("clock_realtime", _try("clock_time_get", _const(0), "(i64.const 1)", _const(_OUT))),
        _loop("clock_monotonic", _try("clock_time_get", _const(1), "(i64.const 1)", _const(_OUT))),
        _loop("random16", _try("random_get", _const(_BUFFER, 16))),
        _loop("random4k", _try("random_get", _const(_BUFFER, PAGE))),
        _stream("write1", "fd_write", "$rw", _IOVS, 1),
        _stream("write4k", "fd_write", "$rw", _IOVS + 8, 1),
        _stream("writev", "fd_write", "$rw", _IOVS + 24, 16),
        _stream("read4k", "fd_read", "$ro", _IOVS + 8, 1),
        _pread("pread1", _IOVS),
        _pread("pread4k", _IOVS + 8),
        _pread("pread64k", _IOVS + 16),
        _loop(
            "seek",
            _try(
                "fd_seek", fd, "(i64.extend_i32_u (i32.and (local.get $i) (i32.const 4095)))", _const(0, _OUT)
            ),
        ),
        _loop("filestat", _try("fd_filestat_get", fd, _const(_OUT))),
        _loop("stat1", _try(stat, _const(_ROOT, 0), _path("f"), _const(_OUT))),
        _loop("stat8", _try(stat, _const(_ROOT, 0), _path(DEEP), _const(_OUT))),
        _open_close("open1", "f"),
        _open_close("open8", DEEP),
        _loop(
            "mkdir",
            _try("path_create_directory", _const(_ROOT), _path("m")),
            _try("path_remove_directory", _const(_ROOT), _path("m")),
        ),
        _loop(
            "rename",
            _try("path_rename", _const(_ROOT), _path("r0"), _const(_ROOT), _path("r1")),
            _try("path_rename", _const(_ROOT), _path("r1"), _const(_ROOT), _path("r0")),
        ),
        _readdir("readdir", _LIST),
        _readdir("readdir4k", PAGE),
        _loop("poll_clock", _try("poll_oneoff", _const(_SUB_CLOCK, _EVENT, 1, _OUT))),
        _loop("poll_fd", _try("poll_oneoff", _const(_SUB_FD, _EVENT, 1, _OUT))),
        _loop("yield", _try("sched_yield")),
        _copy(),
    ]


def text() -> str:
    """The guest, as text."""
    imports = "".join(
        f'\n  (import "{WASI}" "{name}" (func ${name} (param {params}) (result i32)))'
        for name, params in _IMPORTS.items()
    )
    files = _open("rw", "$rw") + _open("ro", "$ro") + _open("many", "$many", 2, _DIR_RIGHTS)
    names = "".join(f"\n  (global ${name} (mut i32) (i32.const -1))" for name in
                    ("rw", "ro", "many", "fd", "in", "copy"))  # fmt: skip
    return f"""(module{imports}
  (import "bench" "nop" (func $nop (param i32 i32) (result i32)))
  (import "bench" "nop_mem" (func $nop_mem (param i32) (result i32)))
  (memory (export "memory") 4){_data()}{names}
  (func (export "bench_setup") (result i64) (local $e i32)
    {files}
    (i32.store (i32.const {_SUB_FD + 16}) (global.get $ro))
    (i64.const 0)){"".join(_loops())})
"""


HELLO = f"""(module
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\10\\00\\00\\00\\0e\\00\\00\\00hello, world!\\n")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))
"""


def assemble(source: str, target: Path) -> None:
    """Text to a binary file, in a process of its own: the package wasmtime is not imported here."""
    code = "import sys, wasmtime; open(sys.argv[1], 'wb').write(wasmtime.wat2wasm(sys.stdin.read()))"
    subprocess.run([sys.executable, "-c", code, str(target)], input=source, text=True, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["-o"]:
        assemble(text(), Path(sys.argv[2]))
    else:
        sys.stdout.write(text())

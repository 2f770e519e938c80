"""The guest of WASI 0.2: a component, written as text by this file, and its core module alone.

Its functions are loops as those of :mod:`bench.guest`: so many turns of a raw call, 0 or the first error. Its realloc
goes round in 64 KiB. The core module alone imports WASI by name and needs no component; around it are the shim and
the fixup that tools make. ``python -m bench.component`` prints the text.
"""

from __future__ import annotations

from .cases import BATCH, PAGE

LOOPS = ("p2_read4k", "p2_write4k", "p2_flush4k", "p2_now")
VERSION = "0.2.0"

# Where things lie in guest memory.
_RET, _PATHS, _BUFFER, _GIVEN = 64, 4096, 65536, 131072

# name in the text: interface, function, parameters of the core function, its result
_CALLS = {
    "dirs": ("filesystem/preopens", "get-directories", "i32", ""),
    "open": ("filesystem/types", "[method]descriptor.open-at", "i32 i32 i32 i32 i32 i32 i32", ""),
    "read": ("filesystem/types", "[method]descriptor.read", "i32 i64 i64 i32", ""),
    "stream": ("filesystem/types", "[method]descriptor.write-via-stream", "i32 i64 i32", ""),
    "check": ("io/streams", "[method]output-stream.check-write", "i32 i32", ""),
    "write": ("io/streams", "[method]output-stream.write", "i32 i32 i32 i32", ""),
    "flush": ("io/streams", "[method]output-stream.blocking-write-and-flush", "i32 i32 i32 i32", ""),
    "drop": ("io/streams", "[resource-drop]output-stream", "i32", ""),
    "now": ("clocks/wall-clock", "now", "i32", ""),
}

_IMPORTS = f"""
  (import "wasi:io/error@{VERSION}" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-type))
  (import "wasi:io/streams@{VERSION}" (instance $streams
    (alias outer 1 $error-type (type $failed))
    (export "output-stream" (type $out (sub resource)))
    (type $cases (variant (case "last-operation-failed" (own $failed)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $cases)))
    (export "[method]output-stream.check-write"
      (func (param "self" (borrow $out)) (result (result u64 (error $stream-error)))))
    (export "[method]output-stream.write"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $stream-type))
  (import "wasi:clocks/wall-clock@{VERSION}" (instance $clock
    (type $fields (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime (eq $fields)))
    (export "now" (func (result $datetime)))))
  (import "wasi:filesystem/types@{VERSION}" (instance $types
    (alias outer 1 $stream-type (type $out))
    (export "descriptor" (type $descriptor (sub resource)))
    (type $codes (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist"
      "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io" "is-directory" "loop"
      "too-many-links" "message-size" "name-too-long" "no-device" "no-entry" "no-lock" "insufficient-memory"
      "insufficient-space" "not-directory" "not-empty" "not-recoverable" "unsupported" "no-tty" "no-such-device"
      "overflow" "not-permitted" "pipe" "read-only" "invalid-seek" "text-file-busy" "cross-device"))
    (export "error-code" (type $code (eq $codes)))
    (type $p (flags "symlink-follow")) (export "path-flags" (type $path-flags (eq $p)))
    (type $o (flags "create" "directory" "exclusive" "truncate")) (export "open-flags" (type $open-flags (eq $o)))
    (type $f (flags "read" "write" "file-integrity-sync" "data-integrity-sync" "requested-write-sync"
      "mutate-directory"))
    (export "descriptor-flags" (type $flags (eq $f)))
    (export "[method]descriptor.open-at" (func (param "self" (borrow $descriptor)) (param "path-flags" $path-flags)
      (param "path" string) (param "open-flags" $open-flags) (param "flags" $flags)
      (result (result (own $descriptor) (error $code)))))
    (export "[method]descriptor.read" (func (param "self" (borrow $descriptor)) (param "length" u64)
      (param "offset" u64) (result (result (tuple (list u8) bool) (error $code)))))
    (export "[method]descriptor.write-via-stream" (func (param "self" (borrow $descriptor)) (param "offset" u64)
      (result (result (own $out) (error $code)))))))
  (alias export $types "descriptor" (type $descriptor-type))
  (import "wasi:filesystem/preopens@{VERSION}" (instance $preopens
    (alias outer 1 $descriptor-type (type $descriptor))
    (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
"""
_OF = {
    "filesystem/preopens": "preopens",
    "filesystem/types": "types",
    "io/streams": "streams",
    "clocks/wall-clock": "clock",
}


def _path(at: int, name: str) -> str:
    return f"(i32.const {_PATHS + at}) (i32.const {len(name)})"


def _loop(name: str, *body: str) -> str:
    lines = "\n      ".join(body)
    return f"""
  (func (export "{name}") (param $n i32) (result i32) (local $i i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
      {lines}
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (i32.const 0))"""


def _fine(offset: int = 4) -> str:
    """Leave with the error, plus one, of a call that failed."""
    code = f"(i32.load8_u (i32.const {_RET + offset}))"
    return f"(if (i32.load8_u (i32.const {_RET})) (then (return (i32.add (i32.const 1) {code}))))"


def _module(memory: str) -> str:
    """The loops; ``memory``: where theirs comes from."""
    imports = "".join(
        f'\n  (import "wasi:{face}@{VERSION}" "{field}" (func ${name} (param {params})))'
        for name, (face, field, params, _) in _CALLS.items()
    )
    names = "".join(("ro", "rw"))
    again = f"(i32.eqz (i32.and (local.get $i) (i32.const {BATCH - 1})))"
    buffer = f"(global.get $out) (i32.const {_BUFFER}) (i32.const {PAGE}) (i32.const {_RET})"
    opened = f"(i32.load (i32.const {_RET + 4}))"
    fresh = (
        f"(if {again} (then",
        "  (if (global.get $out) (then (call $drop (global.get $out))))",
        f"  (call $stream (global.get $rw) (i64.const 0) (i32.const {_RET})) {_fine()}",
        f"  (global.set $out {opened})))",
    )
    return f"""{imports}
  {memory}
  (data (i32.const {_PATHS}) "{names}")
  (global $root (mut i32) (i32.const 0))
  (global $ro (mut i32) (i32.const 0))
  (global $rw (mut i32) (i32.const 0))
  (global $out (mut i32) (i32.const 0))
  (func (export "p2_setup") (param $n i32) (result i32)
    (call $dirs (i32.const {_RET}))
    (global.set $root (i32.load (i32.load (i32.const {_RET}))))
    (call $open (global.get $root) (i32.const 0) {_path(0, "ro")} (i32.const 0) (i32.const 1) (i32.const {
        _RET
    }))
    {_fine()} (global.set $ro {opened})
    (call $open (global.get $root) (i32.const 0) {_path(2, "rw")} (i32.const 0) (i32.const 3) (i32.const {
        _RET
    }))
    {_fine()} (global.set $rw {opened})
    (i32.const 0))
  (func (export "p2_entry") (param $n i32) (result i32) (i32.const 0)){
        _loop(
            "p2_read4k",
            f"(call $read (global.get $ro) (i64.const {PAGE}) (i64.const 0) (i32.const {_RET}))",
            _fine(),
        )
    }{
        _loop(
            "p2_write4k",
            *fresh,
            f"(call $check (global.get $out) (i32.const {_RET})) {_fine(8)}",
            f"(call $write {buffer}) {_fine()}",
        )
    }{_loop("p2_flush4k", *fresh, f"(call $flush {buffer}) {_fine()}")}{
        _loop("p2_now", f"(call $now (i32.const {_RET}))")
    }"""


_REALLOC = f"""(global $at (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $was i32)
    (local.set $was (i32.and (global.get $at) (i32.const 0xFFF0)))
    (global.set $at (i32.add (local.get $was) (i32.add (local.get 3) (i32.const 15))))
    (i32.add (local.get $was) (i32.const {_GIVEN})))"""


def core() -> str:
    """The core module that imports by name."""
    return f'(module{_module(f"""(memory (export "memory") 6) {_REALLOC}""")})\n'


def _shim(calls: dict[str, str]) -> str:
    """What tools put before a module whose memory the lowered functions need: calls through a table, filled later."""
    through = filled = elements = ""
    for index, params in enumerate(calls.values()):
        gets = " ".join(f"(local.get {at})" for at in range(len(params.split())))
        kind = f"(param {params})"
        through += f'\n    (func (export "{index}") {kind} (call_indirect {kind} {gets} (i32.const {index})))'
        filled += f'\n    (import "" "{index}" (func $f{index} {kind}))'
        elements += f" $f{index}"
    size = f"{len(calls)} {len(calls)} funcref"
    return f"""
  (core module $shim-module (table (export "$imports") {size}){through})
  (core module $fixup-module{filled}
    (import "" "$imports" (table {size}))
    (elem (i32.const 0) func{elements}))
  (core instance $shim (instantiate $shim-module))"""


def text(*, shared: bool = False) -> str:
    """The component, as tools make it: the module has its memory and realloc itself. ``shared``: the memory is that
    of another core instance."""
    lowered, given, filled = "", {}, ""
    calls = {
        name: params for name, (_, field, params, _) in _CALLS.items() if field[0] != "[" or "method" in field
    }
    for name, (face, field, _, _) in _CALLS.items():
        if name in calls:
            index = list(calls).index(name)
            where = "(memory (core memory $memory)) (realloc (core func $realloc))"
            lowered += f'\n  (alias export ${_OF[face]} "{field}" (func $f-{name}))'
            lowered += f"\n  (core func $l-{name} (canon lower (func $f-{name}) {where}))"
            filled += f'\n    (export "{index}" (func $l-{name}))'
            given.setdefault(face, []).append(f'(export "{field}" (func $shim "{index}"))')
        else:
            given.setdefault(face, []).append(f'(export "{field}" (func $l-{name}))')
    args = "".join(
        f'\n    (with "wasi:{face}@{VERSION}" (instance {" ".join(exports)}))'
        for face, exports in given.items()
    )
    lifted = "".join(
        f'\n  (func (export "{name.replace("_", "-")}") (param "n" u32) (result u32)'
        f' (canon lift (core func $m "{name}")))'
        for name in ("p2_setup", "p2_entry", *LOOPS)
    )
    own, there, first = '(memory (export "memory") 6)', "$m", ""
    if shared:
        args += '\n    (with "env" (instance $store))'
        first = f"(core module $store-module {own}) (core instance $store (instantiate $store-module))"
        own, there = '(import "env" "memory" (memory 6))', "$store"
    return f"""(component{_IMPORTS}
  {first}
  (core module $main{_module(f"{own} {_REALLOC}")}){_shim(calls)}
  (core func $l-drop (canon resource.drop $stream-type))
  (core instance $m (instantiate $main{args}))
  (alias core export {there} "memory" (core memory $memory))
  (alias core export $m "cabi_realloc" (core func $realloc)){lowered}
  (core instance (instantiate $fixup-module (with "" (instance
    (export "$imports" (table $shim "$imports")){filled})))){lifted})
"""


if __name__ == "__main__":
    print(text())

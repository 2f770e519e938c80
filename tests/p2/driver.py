"""A guest that makes raw calls of WASI 0.2: each function of some interfaces, under ``interface#function``.

It imports by name, with no component around it, and has a realloc that hands out one place after the other.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

from tests.guests.driver import ABI, _generate
from tests.support import CANARY, Driven
from wasi_native import Policy, Trap

HEAP = 0x8000
WAT = {"i": "i32", "I": "i64", "f": "f32", "F": "f64"}

REALLOC = {
    # Places one behind the other; the memory grows where it must.
    "bump": """
      (local $at i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                              (i32.sub (i32.const 0) (local.get $align))))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (block $fits (loop $more
        (br_if $fits (i32.le_u (global.get $heap) (i32.shl (memory.size) (i32.const 16))))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
        (unreachable)))
      (local.get $at)""",
    # Moves the memory each time, where an engine does.
    "grow": """
      (local $at i32)
      (drop (memory.grow (i32.const 16)))
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (local.get $at)""",
    # What realloc_mode() says: 0 as "bump", 1 as "grow", and wrong answers.
    "switch": """
      (local $at i32)
      (if (i32.eq (global.get $mode) (i32.const 5)) (then (unreachable)))
      (if (i32.eq (global.get $mode) (i32.const 4))
        (then (return (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4)))))
      (if (i32.eq (global.get $mode) (i32.const 3)) (then (return (i32.const 0x7FFFFFF8))))
      (if (i32.eq (global.get $mode) (i32.const 2)) (then (return (i32.const 0x8001))))
      (if (i32.eq (global.get $mode) (i32.const 1)) (then (drop (memory.grow (i32.const 16)))))
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (local.get $at)""",
    "misaligned": "(i32.const 0x8001)",
    "outside": "(i32.const 0x7FFFFFF8)",
    "edge": "(i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 4))",
    "trap": "(unreachable)",
}
REALLOC["call"] = REALLOC["bump"]  # after what `body` does


@functools.cache
def functions() -> dict[str, tuple[str, str, str]]:
    """``wasi:io/poll#poll``: module without a version, params, results; of all that is served."""
    wit = _generate().generate_wit
    reader = wit.Reader((ABI / "p2.rows").read_text(encoding="utf-8"), "p2.rows")
    found = {}
    for func in reader.funcs:
        if not func.pending:
            params, results = ("i", "") if func.drops is not None else func.flat()
            module = func.module.partition("@")[0]
            found[f"{module}#{func.name}"] = (module, params, results)
    return found


def driver_wat(
    *interfaces: str,
    version: str = "0.2.0",
    realloc: str = "bump",
    pages: int = 2,
    imports: str = "",
    body: str = "",
    more: str = "",
    standard: bool = False,
) -> str:
    """The text of the driver; ``interfaces``: "wasi:io/poll" ... ``imports``: more of them, ``body`` what its
    realloc "call" does before all else, ``more`` functions of its own; ``standard``: under the names that begin with
    cm32p2."""
    lines, wrappers = [imports], []
    for index, (name, (module, params, results)) in enumerate(functions().items()):
        if module not in interfaces:
            continue
        kind = "".join(f" (param {WAT[letter]})" for letter in params)
        kind += "".join(f" (result {WAT[letter]})" for letter in results)
        gets = "".join(f" (local.get {i})" for i in range(len(params)))
        where, field = f"{module}@{version}", name.partition("#")[2]
        if standard:
            where = f"cm32p2|{module}@0.2"
            field = f"{field[15:]}_drop" if field.startswith("[resource-drop]") else field
        lines.append(f'  (import "{where}" "{field}" (func $f{index}{kind}))')
        wrappers.append(f'  (func (export "{name}"){kind} (call $f{index}{gets}))')
    assert {module for module, _params, _results in functions().values()} >= set(interfaces)
    names = ("cm32p2_memory", "cm32p2_realloc") if standard else ("memory", "cabi_realloc")
    text = REALLOC.get(realloc, "").replace("(local $at i32)", "(local $at i32) " + body)
    allocator = f"""
  (func (export "{names[1]}") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32) {text})"""
    rest = f"""
  (memory (export "{names[0]}") {pages})
  (global $heap (export "heap") (mut i32) (i32.const {HEAP}))
  (global $calls (mut i32) (i32.const 0))
  (global $mode (mut i32) (i32.const 0))
  (func (export "realloc_mode") (param i32) (global.set $mode (local.get 0)))
  (func (export "rewind") (global.set $heap (i32.const {HEAP})))
  (func (export "reallocs") (result i32) (global.get $calls))
  {"" if realloc == "none" else allocator}"""
    return "\n".join(["(module", *lines, rest, more, *wrappers, ")", ""])


class Guest2(Driven):
    """``g("wasi:io/poll#poll", ...)`` makes a call. Memory below the heap holds 0xA5 at the start."""

    def __init__(
        self,
        policy: Policy | None,
        *interfaces: str,
        engine: str = "wasmtime",
        resolver: str = "auto",
        kernel: Any = None,
        **wat: Any,
    ) -> None:
        super().__init__(policy, engine, resolver, kernel, driver_wat(*interfaces, **wat))
        self.instance = self.module.instantiate()
        self.memory = self.instance.memory_of("cm32p2_memory" if wat.get("standard") else "memory")
        self.memory.write(0, bytes([CANARY]) * HEAP)

    def __call__(self, name: str, *args: int, timeout: float | None = None) -> Any:
        full = next(key for key in functions() if key == name or key.endswith("/" + name))
        return self.instance.call(full, *args, timeout=timeout)

    def traps(self, name: str, *args: int) -> str:
        """The reason of the trap that the call ends in."""
        try:
            self(name, *args)
        except Trap as trap:
            return str(trap)
        return ""

    def bytes_at(self, ptr: int) -> bytes:
        """The list<u8> or string whose pointer and length are there."""
        at, length = self.unpack("II", ptr)
        return bytes(self.memory.read(at, length))

    def put(self, ptr: int, data: bytes) -> tuple[int, int]:
        self.memory.write(ptr, data)
        return ptr, len(data)

    @contextlib.contextmanager
    def writes_only(self, *places: tuple[int, int]) -> Iterator[None]:
        """What runs inside changes no byte below the heap but those of the places."""
        before = bytearray(self.memory.read(0, HEAP))
        yield
        after = bytearray(self.memory.read(0, HEAP))
        for ptr, length in places:
            before[ptr : ptr + length] = after[ptr : ptr + length]
        changed = [at for at in range(HEAP) if before[at] != after[at]]
        assert not changed, f"{len(changed)} bytes outside {places} changed, from {changed[0]:#x} on"

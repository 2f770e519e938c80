"""Compiled guests that run: modules of the tests as .wno files for this machine."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests import wno
from tests.guests import aot as guests
from wasi_native import Host, Native, Policy, aot, elf
from wasi_native.aot_build import Options
from wasi_native.component.split import split
from wasi_native.digest import sha256

HELLO = """(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00") (data (i32.const 16) "WORDS\\n")
  (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop $l (br $l))))'


def hello(words: str = "hello") -> str:
    """A program that writes five letters."""
    return HELLO.replace("WORDS", words)


@functools.cache
def compiled(source: str | Path, **options: Any) -> bytes:
    """The file that ``wasi-native compile`` makes of a module or component, with a manifest of the tests."""
    how = Options(**options)
    raw = guests.binary(source.read_bytes() if isinstance(source, Path) else source)
    parts = split(raw, "<component>") if raw[4:8] == b"\x0d\0\1\0" else None
    library = guests.library(list(parts.code) if parts else raw, how).read_bytes()
    here, found = elf.here(), elf.read(library)
    made = wno.manifest(
        sha256=sha256(raw),
        size=len(raw),
        arch=here.arch,
        libc=here.libc,
        float_abi=found.float_abi,
        pointer_bits=found.bits,
        interrupt=how.checks,
        fuel=how.fuel,
        depth=how.call_depth,
        abi=2 if parts else 1,
        modules=parts.modules if parts else (),
    )
    return aot.pack(library, made, parts.definition if parts else b"")


class Compiler(Host):
    """A host that runs components of bytes compiled, on no engine."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy, engine="wasm2c", cache=False)

    def load(self, source: Any) -> Any:
        data = compiled(bytes(source))
        self.policy = replace(self.policy, native=Native(files=[digest(data)]))
        return super().load(data)


def digest(data: bytes) -> str:
    return aot.read("x", data).sha256


def allowing(*data: bytes, **more: Any) -> Policy:
    return Policy(native=Native(files=[digest(one) for one in data]), **more)

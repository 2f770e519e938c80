"""engine/wasm_c_api*.c: any library with the functions of wasm.h; here wasmtime's own, by the standard alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.engine.libraries import library
from tests.engine.seam import run
from tests.guests import aot, build
from tests.support import running_threads, threads_end
from wasi_native import _core


def test_libraries_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasm_c_api")
    assert caught.value.code == _core.MISSING and "name the library" in caught.value.text
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasm_c_api", os.fspath(tmp_path / "none.so"))
    assert caught.value.code == _core.MISSING
    with pytest.raises(_core.CoreError, match=r"not a library with the functions of wasm\.h: .* is missing"):
        _core.Engine("wasm_c_api", library("wasm3"))


def test_abilities_are_asked_of_the_library() -> None:
    assert {"simd", "multi-memory", "share-tables", "share-globals"} <= set(
        _core.Engine("wasm_c_api", library("wasm_c_api")).caps
    )


def start(wat: str, *functions: tuple[Any, ...], **limits: int) -> _core.Instance:
    engine = _core.Engine("wasm_c_api", library("wasm_c_api"))
    return _core.Instance(engine.load(aot.binary(wat)), _core.Sys(limits), list(functions))


def test_compiling_leaves_no_threads_behind() -> None:
    """The library would use all processors, unless it is one of those that can be told."""
    before = running_threads()
    engine = _core.Engine("wasm_c_api", library("wasm_c_api"))
    _core.Instance(engine.load(build.guest("tour").read_bytes()), _core.Sys({}))
    assert threads_end(before)


@pytest.mark.parametrize(
    "wasm",
    [
        b"",
        b"\0asm",
        b"\0asm\1\0\0\0\xff",
        b"\0asm\1\0\0\0\1\2\1\x60",
        b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a\4\1\2\0\x1a",
    ],
)
def test_bytes_that_are_no_module(wasm: bytes) -> None:
    engine = _core.Engine("wasm_c_api", library("wasm_c_api"))
    with pytest.raises(_core.CoreError) as caught:
        engine.load(wasm)
    assert caught.value.code == _core.INVALID and caught.value.text


def test_a_body_of_wrong_types_is_refused_when_it_is_loaded() -> None:
    """The guard does not look at types of operands; the engine does, before anything is made of it."""
    body = b"\0\x1a\x0b"  # drop, of nothing
    wasm = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a\5\1\3" + body
    with pytest.raises(_core.CoreError, match="finds this module invalid"):
        _core.Engine("wasm_c_api", library("wasm_c_api")).load(wasm)


@pytest.mark.parametrize(
    "body",
    [
        '(func (export "x") (param v128))',
        '(type $t (func)) (func (export "x") (param (ref $t)))',
        '(table (export "x") i64 1 0x200000000 funcref)',
    ],
)
def test_types_that_wasm_h_cannot_describe_are_refused(body: str) -> None:
    with pytest.raises(_core.CoreError, match=r"cannot describe"):
        start(f"(module {body})")


def test_frames_are_numbered_as_in_the_module() -> None:
    """The guard's import stands before the module's own functions."""
    wat = """(module (import "env" "f" (func $f)) (func $g (unreachable)) (func $h (call $g))
      (func (export "go") (call $h)) (func (export "host") (call $f)))"""
    instance = start(wat, ("env", "f", "", "", lambda: 1 / 0, 0))
    assert run(instance, "go", result="")[1].split("\n  ")[1:] == ["function 1", "function 2", "function 3"]


def test_memories_that_wasi_cannot_use() -> None:
    for memory in ('(memory (export "memory") i64 1)', '(func (export "memory"))'):
        with pytest.raises(_core.CoreError, match="not a plain 32-bit memory"):
            start(f"(module {memory})")


def test_no_export_is_shown_that_is_ours() -> None:
    instance = start('(module (memory (export "memory") 1) (func $s) (start $s) (func (export "f")))')
    assert [item[1] for item in instance.module.externs(True)] == ["memory", "f"]
    assert instance.module.externs(False) == []
    for name in (b"wn:stop", b"wn:start"):
        assert instance.call(name, (), "", "", 0, False)[0] == _core.MISSING
    with pytest.raises(_core.CoreError, match=r"names? of ours"):
        start('(module (func (export "wn:start")))')

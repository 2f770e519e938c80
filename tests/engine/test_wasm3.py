"""engine/wasm3*.c: the interpreter for small boards, in two of its trees; what all engines share is elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.libraries import build_wasm3, library
from tests.engine.seam import run
from tests.engine.test_contract import RECURSION, ROOT
from tests.guests import aot, build
from tests.house.tree import compiler
from tests.support import SANITIZED
from wasi_native import _core, engines


class Engine:
    """The engine, until the test is over."""

    def __init__(self, name: str, **config: Any) -> None:
        self.core = _core.Engine("wasm3", library(name), **config)

    def load(self, source: str | bytes) -> _core.Module:
        return self.core.load(aot.binary(source))

    def start(self, source: str | bytes, *functions: tuple[Any, ...], **limits: int) -> _core.Instance:
        return _core.Instance(self.load(source), _core.Sys(limits), list(functions))


@pytest.fixture(params=["wasm3", "wasm3-old"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made = Engine(request.param)
    yield made
    del made.core


def test_libraries_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine("wasm3", os.fspath(tmp_path / "none.so"))
    assert caught.value.code == _core.MISSING
    with pytest.raises(_core.CoreError, match=r"not a library of wasm3: m3_\w+ is missing"):
        _core.Engine("wasm3", library("wasm_c_api"))


def test_the_extension_module_of_pywasm3(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip installs it: loaded as a library, without its Python half."""
    monkeypatch.setattr(engines, "_library_folders", lambda: ())
    found = engines.find("wasm3")
    assert found.version == "0.5.0" and found.path and found.risk, found.reason
    core = _core.Engine("wasm3", found.path)
    world = _core.Sys({})
    world.stdio_capture(1, 100)
    instance = _core.Instance(core.load(build.guest("hello").read_bytes()), world)
    assert run(instance, "_start", result="")[0] in {0, _core.EXIT} and world.captured(1).startswith(b"hello")
    assert "wasm3" not in sys.modules


SHARES = ("share-functions", "share-memories", "share-constants")


def test_abilities(engine: Engine) -> None:
    assert engine.core.caps == ("interrupt", "memory-limit", "table-limit", "reenter", *SHARES)


# ---- what it cannot run is said by name when it is loaded ----

REFUSED = {
    "SIMD": "(module (func (drop (v128.const i64x2 0 0))))",
    "threads": "(module (memory 1 1 shared))",
    "exceptions": "(module (tag))",
    "reference types": '(module (func (export "f") (param externref)))',
    "tail calls": "(module (func $f (return_call $f)))",
    "64-bit memory": "(module (memory i64 1))",
    "several memories": "(module (memory 1) (memory 1))",
}


@pytest.mark.parametrize("name", REFUSED)
def test_proposals_that_it_lacks(engine: Engine, name: str) -> None:
    with pytest.raises(_core.CoreError) as caught:
        engine.load(REFUSED[name])
    assert caught.value.code == _core.INVALID, caught.value.text
    assert f"the module needs {name}" in caught.value.text, caught.value.text
    assert any(word in caught.value.text for word in ("wasm-opt", "-mcpu=mvp", "build ")), caught.value.text


def padded() -> bytes:
    """A call_indirect with its table in five bytes, as newer linkers write it."""
    call = b"\0\x41\0\x11\0\x80\x80\x80\x80\0\x0b"
    code = bytes([2, 4]) + b"\0\x41\x0b\x0b" + bytes([len(call)]) + call
    wasm = aot.binary(
        """(module (table 1 funcref) (elem (i32.const 0) $e) (func $e (result i32) (i32.const 11))
      (func (export "go") (result i32) (call_indirect (result i32) (i32.const 0))))"""
    )
    start = wasm.index(b"\x0a\x0e\2\4\0\x41\x0b\x0b")
    return wasm[:start] + bytes([10, len(code)]) + code + wasm[start + 16 :]


ACCEPTED = {
    "sign extension": ("(i32.extend8_s (i32.const 0x80))", -128),
    "saturation": ("(i32.trunc_sat_f32_s (f32.const nan))", 0),
    "copy": (
        """(i32.store8 (i32.const 8) (i32.const 7)) (memory.copy (i32.const 16) (i32.const 8) (i32.const 1))
        (i32.load8_u (i32.const 16))""",
        7,
    ),
    "fill": ("(memory.fill (i32.const 16) (i32.const 9) (i32.const 4)) (i32.load8_u (i32.const 19))", 9),
    "multi-value block": ("(block (result i32 i32) (i32.const 3) (i32.const 4)) (i32.sub)", -1),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_proposals_that_it_has(engine: Engine, name: str) -> None:
    body, result = ACCEPTED[name]
    wat = f"""(module (memory 1) (table 1 funcref) (elem (i32.const 0) $e) (func $e (result i32) (i32.const 11))
      (func (export "go") (result i32) {body}))"""
    assert run(engine.start(wat), "go")[2] == [result]


def test_a_padded_index_of_call_indirect(engine: Engine) -> None:
    """The tree of 2021 reads one byte there; the guard writes one."""
    assert run(engine.start(padded()), "go")[2] == [11]


BULK = {
    "memory.init": '(module (memory 1) (data "x") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))))',
    "data.drop": '(module (memory 1) (data "x") (func (data.drop 0)))',
    "table.copy": "(module (table 1 funcref) (func (table.copy (i32.const 0) (i32.const 0) (i32.const 1))))",
}


@pytest.mark.parametrize("name", BULK)
def test_the_rest_of_bulk_memory_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(_core.CoreError, match="the module needs bulk memory"):
        engine.load(BULK[name])


@pytest.mark.parametrize("name", ["hello", "tour", "reactor", "chatter"])
def test_programs_of_today_s_compilers_load(engine: Engine, name: str) -> None:
    assert engine.load(build.guest(name).read_bytes()).externs(True)


def test_a_program_runs(engine: Engine) -> None:
    world = _core.Sys({})
    world.stdio_capture(1, 100)
    instance = _core.Instance(engine.load(build.guest("hello").read_bytes()), world)
    assert run(instance, "_start", result="")[0] in {0, _core.EXIT} and world.captured(1).startswith(b"hello")


# ---- its own ways ----


def test_a_function_that_it_cannot_compile_ends_the_call(engine: Engine) -> None:
    """Functions are compiled when they are called first; wasm3 has room for 2000 values in one."""
    many = "(i32.const 1)" * 3000 + "(drop)" * 2999
    instance = engine.start(f'(module (func (export "go") (result i32) {many}) (func (export "ok")))')
    assert run(instance, "ok", result="")[0] == 0
    err, text, _ = run(instance, "go")
    assert (
        err == _core.TRAP_ENGINE
        and text.startswith("trap: the engine stopped the guest: ")
        and "stack" in text
    )


def test_blocks_in_blocks_are_bounded(engine: Engine) -> None:
    """Its compiler recurses once per block. Programs of Go have over 500."""
    with pytest.raises(_core.CoreError, match="nested too deep"):
        engine.load("(module (func " + "(block " * 1100 + ")" * 1100 + "))")
    instance = engine.start('(module (func (export "go") ' + "(block " * 1000 + ")" * 1000 + "))")
    assert run(instance, "go", result="")[0] == 0


@pytest.mark.parametrize(("kib", "fits"), [(160, False), (1024, True)])
def test_a_thread_with_too_little_stack_is_told(engine: Engine, kib: int, fits: bool) -> None:
    instance = engine.start('(module (func (export "go") ' + "(block " * 900 + ")" * 900 + "))")
    said: list[Any] = []
    before = threading.stack_size(kib << 10)
    try:
        thread = threading.Thread(target=lambda: said.append(run(instance, "go", result="")))
        thread.start()
        thread.join(60)
    finally:
        threading.stack_size(before)
    err, text, _ = said[0]
    assert (err == 0) is fits
    if not fits:
        assert "KiB of stack left, and wasm3 needs" in text and instance.end()[0] == 0
    assert run(instance, "go", result="")[0] == 0  # from a thread that has enough


def test_a_large_stack_of_the_guest_on_a_thread_with_a_small_one() -> None:
    """The guest gets what is left: it runs, and its endless recursion is a trap."""
    wat = """(module (memory (export "memory") 1) (func $deep (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
      (func (export "go") (param i32) (result i32) (call $deep (local.get 0))))"""
    said: list[Any] = []
    for name in ("wasm3", "wasm3-old"):
        made = Engine(name, wasm_stack=1 << 20)
        instances = [made.start(wat) for _ in range(2)]
        before = threading.stack_size(192 << 10)
        try:
            for instance, depth in ((instances[0], 100), (instances[1], 10**6)):
                thread = threading.Thread(target=lambda: said.append(run(instance, "go", depth)))  # noqa: B023
                thread.start()
                thread.join(60)
        finally:
            threading.stack_size(before)
        assert said[-2][2] == [100] and said[-1][0] == _core.TRAP_ENGINE
        assert said[-1][1].startswith("stack-overflow: ")
        assert run(instances[0], "go", 1500)[2] == [1500]  # on this thread it has all of it


def test_more_targets_of_a_branch_than_bytes(engine: Engine) -> None:
    """wasm3 would take the count as it is (its issue 570)."""
    body = b"\x00\x41\x00\x0e\xfc\xff\xff\xff\x0f\x00\x0b"
    wasm = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a" + bytes([len(body) + 2, 1, len(body)]) + body
    with pytest.raises(_core.CoreError) as caught:
        engine.load(wasm)
    assert caught.value.code == _core.INVALID


def test_an_export_that_it_does_not_find(engine: Engine) -> None:
    wat = """(module (import "env" "f" (func $f (result i32))) (export "f" (func $f))
      (func (export "g") (result i32) (call $f)))"""
    instance = engine.start(wat, ("env", "f", "", "i", lambda: 3, 0))
    err, text, values = run(instance, "f")
    assert values == [3] or (err == _core.MISSING and "does not find this export" in text)
    assert run(instance, "g")[2] == [3]
    long = "n" * 300
    instance = engine.start(f'(module (func (export "{long}")) (func (export "a\\00b")))')
    assert [instance.call(name, (), "", "", 0, False)[0] for name in (long.encode(), b"a\0b")] == [
        _core.MISSING
    ] * 2


def test_memory_of_4_gib_is_not_given(engine: Engine) -> None:
    """It tells sizes in 32 bits: the last page would make it 0."""
    module = engine.load('(module (memory (export "memory") 0 65536))')
    assert next(item for item in module.externs(True))[5] == 0
    with pytest.raises(_core.CoreError):
        engine.load('(module (memory (export "memory") 65536))')


# ---- its memory errors ----

OVERFLOWS = """
import sys
from tests.guests import aot
from tests.engine.test_contract import RECURSION
from wasi_native import _core, engines
engine = _core.Engine("wasm3", sys.argv[1], wasm_stack=65536)

def inside():
    one.call(b"grow", (), "", "", 0, False)
    one.call(b"go", (), "", "", 0, False)

MANY = "i64 " * 300
NESTED = '(module (import "env" "f" (func $f)) (memory (export "memory") 1)'
NESTED += '(func $many (param ' + MANY + ') (call $f))'
NESTED += '(func (export "grow") (drop (memory.grow (i32.const 1))))'
NESTED += '(func (export "go") (call $many ' + "(i64.const 1)" * 300 + ')))'
sys.setrecursionlimit(10**4)
for wat in (*RECURSION.values(), NESTED):
    one = _core.Instance(engine.load(aot.binary(wat)), _core.Sys({}), [("env", "f", "", "", inside, 0)])
    assert one.call(b"go", (), "", "", 0, False)[0] == _core.TRAP_ENGINE
print("all ended")
"""


@pytest.mark.skipif(SANITIZED, reason="two sanitizers in one process")
@pytest.mark.parametrize("tree", ["new", "old"])
def test_no_write_behind_its_stack(tree: str) -> None:
    """A valid module can make wasm3 write behind its stack (its issues 477 and 562): arguments are written before
    anybody looks. The library is built with AddressSanitizer, and the adapter keeps room there."""
    built = build_wasm3(tree, None, "-fsanitize=address", "-g", compiler=compiler())
    asan = subprocess.run(
        [compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    for wat in RECURSION.values():
        aot.binary(wat)  # outside of the sanitizer
    done = subprocess.run(
        [sys.executable, "-c", OVERFLOWS, str(built)],
        env=os.environ | {"LD_PRELOAD": asan.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 0 and "all ended" in done.stdout, done.stderr[-3000:]

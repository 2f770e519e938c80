"""aot_source.py: what of a module reaches the compiler, and where its code is made to look at a stop."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.guests import aot, build
from tests.programs import wabt
from wasi_native import AotError, ModuleError, aot_source, wasm
from wasi_native.aot_source import Import, Part

VERSIONS = {"debian": wabt.debian, "npm": wabt.npm}


def translate(source: bytes | str, folder: Path, version: str = "debian") -> tuple[str, str]:
    """The header and the code that wasm2c writes."""
    (folder / "m.wasm").write_bytes(aot_source.plain(aot.binary(source)).binary)
    command = [str(VERSIONS[version]()), "m.wasm", "-n", "m", "--no-debug-names", "-o", "m.c"]
    subprocess.run(command, cwd=folder, check=True)
    return (folder / "m.h").read_text(), (folder / "m.c").read_text()


def test_a_module_without_names() -> None:
    wat = """(module $name (import "env" "f" (func $f (param i32) (result i64))) (import "b" "g" (func))
      (memory (export "memory") 2 7) (memory 1) (table (export "t") 3 9 funcref)
      (global (export "g") (mut f32) (f32.const 0))
      (func (export "run") (param f64) (result f32) (f32.const 1)) (@custom "other" "bytes"))"""
    raw = aot.binary(wat.replace('(@custom "other" "bytes")', "")) + b"\0\6\5other"
    guest = aot_source.plain(raw)
    assert guest.imports == [
        Import("env", "f", "func", "(i32) -> (i64)"),
        Import("b", "g", "func", "() -> ()"),
    ]
    assert guest.mutable == [True] and not guest.shares
    assert guest.exports == [
        ("memory", "memory", "", 0),
        ("t", "table", "", 0),
        ("g", "global", "", 0),
        ("run", "func", "(f64) -> (f32)", 2),
    ]
    assert guest.memories == [(2, 7), (1, None)] and guest.tables == [(3, 9)]
    again = wasm.parse(guest.binary)
    assert [(item.module, item.name) for item in again.imports] == [("w", "i0"), ("w", "i1")]
    assert [item.name for item in again.exports] == ["e0", "e1", "e2", "e3"]
    assert b"other" not in guest.binary and b"env" not in guest.binary and b"name" not in guest.binary
    assert aot_source.plain(build.guest("crash").read_bytes()).binary.count(b"name") == 0


@pytest.mark.parametrize(
    ("wat", "why"),
    [
        ('(module (import "e" "g" (global externref)))', "imports the global 'e' 'g' of the type externref"),
        ("(module (func (param v128)))", "needs simd128.*-mno-simd128"),
        ("(module (memory 1 2 shared))", "needs threads.*-mno-atomics"),
        ("(module (memory i64 1))", "needs memory64"),
        ("(module (tag))", "needs exceptions.*-fno-exceptions"),
        ("(component)", "is a component"),
    ],
)
def test_what_cannot_be_compiled(wat: str, why: str) -> None:
    raw = b"\0asm\x0d\0\1\0" if wat == "(component)" else aot.binary(wat)
    with pytest.raises(AotError, match=f"^guest.wasm: {why}"):
        aot_source.plain(raw, "guest.wasm")


@pytest.mark.parametrize(
    "raw", [b"", b"\0asm\1\0\0\0\1", b"nothing at all", b"\0asm\1\0\0\0\x07\x02\x01\x7f"]
)
def test_what_is_no_module(raw: bytes) -> None:
    with pytest.raises(ModuleError, match=r"^guest\.wasm: "):
        aot_source.plain(raw, "guest.wasm")


LOOPS = """(module (table 1 funcref)
  (func (loop $a (br $a))) (func (param i32) (loop $a (loop $b (br_if $a (local.get 0)) (br $b))))
  (func (param i32) (block $out (loop $a (br_table $a $out $a (local.get 0)))))
  (func (param i32) (if (local.get 0) (then (loop $a (br_if $a (local.get 0)))) (else (loop $c (br $c)))))
  (func (param i32) (result i32) (loop $l (result i32) (br_if $l (local.get 0)) (i32.const 1)))
  (func (param i32) (local.get 0) (loop $l (param i32) (drop) (br $l (i32.const 1))))
  (func (loop (nop))) (func (block (loop (br 1)))))"""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_loop_has_its_check(version: str, tmp_path: Path) -> None:
    header, code = translate(LOOPS, tmp_path, version)
    source = aot_source.checked(header, [code])
    assert source.loops == LOOPS.count("(loop") == 10 and source.functions == LOOPS.count("(func") == 8
    assert source.parts[0].count("WN_RT_LOOP") == 10 and source.parts[0].count("WN_RT_LEAF") == 8
    assert "FUNC_PROLOGUE;" not in source.parts[0] and "wasm_rt_register_func_type(" not in source.parts[0]
    assert "TRAP(CALL_INDIRECT)" not in source.parts[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_functions_that_call_look_at_the_stack(version: str, tmp_path: Path) -> None:
    wat = """(module (import "e" "f" (func $f (param i32))) (memory 1) (table 1 funcref)
      (global $g (mut i32) (i32.const 0))
      (elem declare func $leaf) (func $leaf (param i32) (i32.store (local.get 0) (global.get $g)))
      (func $calls (call $leaf (i32.const 1))) (func $host (call $f (i32.const 1)))
      (func $itself (call $itself)) (func $indirect (call_indirect (i32.const 0)))
      (func $grows (drop (memory.grow (i32.const 1))))
      (func $fills (memory.fill (i32.const 0) (i32.const 0) (i32.const 9)))
      (func $numbers (param f64) (result i32) (i32.trunc_f64_s (f64.ceil (local.get 0)))))"""
    header, code = translate(wat, tmp_path, version)
    bodies = re.findall(r"^  WN_RT_(ENTER|LEAF)\n", aot_source.checked(header, [code]).parts[0], re.M)
    assert bodies == ["LEAF", "ENTER", "ENTER", "ENTER", "ENTER", "ENTER", "LEAF", "LEAF"]


def test_real_programs_have_checks_at_each_loop(tmp_path: Path) -> None:
    """As many as there are labels of loops in the code, and no jump back to a place without."""
    header, code = translate(build.guest("tour").read_bytes(), tmp_path)
    source = aot_source.checked(header, [code])
    targets = set(re.findall(r"goto (w2c_L\d+);", code))
    assert source.loops == len(re.findall(r"^ *w2c_L\d+: *$", code, re.M)) > 100 and targets
    assert source.functions == code.count("FUNC_PROLOGUE;") > 50


@pytest.mark.parametrize(
    "code",
    [
        "void f() {\n  FUNC_PROLOGUE;\n  w2c_L0: x = 1;\n  goto w2c_L0;\n}\n",  # code behind the label
        "void f() {\n  FUNC_PROLOGUE;\n  w2c_X0:;\n  goto w2c_X0;\n}\n",  # a loop of another name
        "void f() {\n  FUNC_PROLOGUE;\n  w2c_L0: {\n  }\n}\n",
        "void f() {\n  FUNC_EPILOGUE;\n}\n",
        "static u32 func_types[2];\nstatic void init_func_types(void) {\n  func_types[0] = x;\n}\n",
        "void f() { wasm_rt_register_func_type(0, 0); }\n",
    ],
)
def test_code_of_an_unknown_shape_is_refused(code: str) -> None:
    with pytest.raises(AotError, match=r"unknown (version|way)"):
        aot_source.checked("", [code])


def test_a_label_ahead_needs_no_check() -> None:
    code = "void f() {\n  FUNC_PROLOGUE;\n  goto w2c_B0;\n  w2c_B0:;\n}\nvoid g() {\n  goto w2c_B0;\n  w2c_B0:;\n}\n"
    assert aot_source.checked("", [code]).loops == 0


def test_types_of_functions_are_constants(tmp_path: Path) -> None:
    """Equal types have one number; the generated table would be a global that changes."""
    wat = """(module (type $a (func (param i32))) (type $b (func (param i32))) (type $c (func (result i32)))
      (table 3 funcref) (func (type $a)) (func (type $b)) (func (type $c) (i32.const 1))
      (func (call_indirect (type $b) (i32.const 1) (i32.const 0))))"""
    header, code = translate(wat, tmp_path)
    part = aot_source.checked(header, [code]).parts[0]
    found = re.search(r"static const u32 func_types\[(\d+)\] = \{([^}]*)\};", part)
    assert (found and found[2].split(", ")[:3] == ["0", "0", "1"]) or (found and found[1] == "3")


def test_headers_of_an_unknown_shape_are_refused() -> None:
    guest = aot_source.plain(aot.binary('(module (func (export "f")))'))
    with pytest.raises(AotError, match="a header in an unknown way"):
        aot_source.table([Part(guest, "", "m.h")], "", "", 1, 0)
    header = "void x_instantiate(m*);\nvoid x_free(m*);\n"
    with pytest.raises(AotError, match="no export 0"):
        aot_source.table([Part(guest, header, "m.h")], "", "", 1, 0)
    guest = aot_source.plain(aot.binary('(module (import "e" "m" (memory 1)))'))
    with pytest.raises(AotError, match="no import 0"):
        aot_source.table([Part(guest, header, "m.h")], "", "", 1, 0, bytes(16))


def test_what_is_imported_and_is_no_function() -> None:
    wat = """(module (import "e" "m" (memory 2 300)) (import "e" "f" (func (param i64)))
      (import "e" "t" (table 4 funcref)) (import "e" "g" (global (mut f64))) (import "e" "c" (global i32))
      (global i64 (i64.const -1)) (global (mut f32) (f32.const 1)) (global funcref (ref.func 0))
      (global (mut i32) (global.get 1)) (memory (export "own") 1) (export "g" (global 0)))"""
    guest = aot_source.plain(aot.binary(wat), own="w7")
    assert guest.imports == [
        Import("e", "m", "memory", "", 2, 300),
        Import("e", "f", "func", "(i64) -> ()"),
        Import("e", "t", "table", "funcref, 4", 4),
        Import("e", "g", "global", "mut f64"),
        Import("e", "c", "global", "i32"),
    ]
    assert guest.mutable == [True, False, False, True, False, True] and guest.shares
    again = wasm.parse(guest.binary)
    assert [(i.module, i.name, i.kind, i.type) for i in again.imports] == [
        ("w7", f"i{n}", i.kind, i.type) for n, i in enumerate(guest.imports)
    ]
    assert (again.memories[0].minimum, again.memories[0].maximum) == (2 * 65536, 300 * 65536)


@pytest.mark.parametrize("type", ["(param externref)", "(result i32 i32)", f"(param{' i32' * 32})"])
def test_functions_that_no_other_module_can_give(type: str) -> None:
    wat = (
        f'(module (import "a" "ok" (func (param{" i64" * 31}) (result f32))) (import "a" "f" (func {type})))'
    )
    guest = aot_source.plain(aot.binary(wat), "guest.wasm")
    with pytest.raises(
        AotError, match=r"^c\.wasm: imports the function 'a' 'f' of the type .*31 numbers at most"
    ):
        aot_source.linkable(guest, "c.wasm")
    guest.imports.pop()
    aot_source.linkable(guest, "c.wasm")


def test_types_of_modules_that_are_compiled_together_have_the_same_numbers(tmp_path: Path) -> None:
    numbers: dict[str, int] = {}
    found = []
    for first, second in (("i32", "i64"), ("i64", "i32")):
        wat = f"""(module (type $a (func (param {first}))) (type $b (func (param {second}))) (table 1 funcref)
          (func (call_indirect (type $a) ({first}.const 1) (i32.const 0)))
          (func (call_indirect (type $b) ({second}.const 1) (i32.const 0))))"""
        header, code = translate(wat, tmp_path)
        part = aot_source.checked(header, [code], numbers).parts[0]
        found.append(re.search(r"func_types\[\d+\] = \{(\d+), (\d+)", part))
    one, two = found
    assert one and two and one.groups() == tuple(reversed(two.groups())) and len(set(one.groups())) == 2

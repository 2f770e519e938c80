"""engine/wasm_opcode.c: the length of every instruction, as the engine sees it, and the proposal that it is of."""

from __future__ import annotations

import pytest

from tests.engine.binaries import ALL, FLAG, PROPOSALS, Binaries, Refused, proposals
from tests.engine.conftest import accepts
from tests.test_wasm import HEAD, func, leb, many, section
from wasi_native import _core

# Two of everything that an immediate can name, so that 1 means something in each place.
AROUND = [
    section(1, many(func(), b"\x5f\2\x7f\1\x7e\1", b"\x5e\x7f\1", b"\x4e\1\x5e\x78\1", func(b"\x7f"))),
    section(3, many(b"\0", b"\0", b"\0")),
    section(4, many(b"\x70\0\2", b"\x70\0\2")),
    section(5, many(b"\0\1", b"\0\1")),
    section(13, many(b"\0\0", b"\0\0")),
    section(6, many(b"\x7f\1\x41\0\x0b", b"\x7f\1\x41\0\x0b")),
    section(9, many(b"\1\0" + many(b"\1"), b"\1\0" + many(b"\1"))),
    section(12, b"\2"),
]
DATA = section(11, many(b"\1\0", b"\1\0"))
LOOK = bytes((0x23, 2, 0x04, 0x40, 0x10, 0, 0x0B))
TRIED = [b"", b"\1", b"\1\1", b"\1\1\1", b"\1\1\1\1", b"\0", b"\0\0", b"\0\0\0", b"\2", b"\2\2"]  # immediates


def body_of(code: bytes) -> bytes:
    """A function that the code stands in, unreachable, so that it finds any operands; a loop follows."""
    body = b"\1\2\x7f\0" + code + b"\x03\x40\x0b\0\x0b"
    return leb(len(body)) + body


def module(code: bytes) -> bytes:
    return HEAD + b"".join((*AROUND, section(10, many(b"\2\0\x0b", b"\2\0\x0b", body_of(code))), DATA))


def opcodes() -> list[bytes]:
    single = [bytes([code]) for code in range(256) if not 0xFB <= code <= 0xFE]
    ends = {0xFB: 40, 0xFC: 32, 0xFD: 0x120, 0xFE: 0x60}
    return single + [bytes([prefix]) + leb(sub) for prefix, end in ends.items() for sub in range(end)]


# Below: blocks with their ends, and constants that would take the loop for their bytes.
BLOCKS = {b"\x02", b"\x03", b"\x04", b"\x05", b"\x0b", b"\x1f"}
BLOCKS |= {b"\x43", b"\x44", b"\xfd\x0c", b"\xfd\x0d"}


def test_every_instruction_is_as_long_as_the_engine_says(binaries: Binaries, judge: _core.Engine) -> None:
    """Where the engine takes what follows for a loop, so do we, and look there."""
    found, missing = 0, []
    for code in opcodes():
        if code in BLOCKS:
            continue
        for immediates in TRIED:
            wasm = module(code + immediates)
            if accepts(judge, wasm):
                out = binaries.guard(wasm, FLAG)
                assert b"\x03\x40" + LOOK + b"\x0b\0\x0b" in out, (code.hex(), immediates)
                assert accepts(judge, out), (code.hex(), immediates)
                found += 1
                break
        else:
            missing.append(code)
    assert found > 500, [code.hex() for code in missing]
    # What the engine has not, or what no single byte can follow: these are below, or are in no proposal of ours.
    for code in missing:
        if code[0] not in (0xFB, 0xFC, 0xFD, 0xFE):
            assert code[0] in OTHERS or code[0] in UNKNOWN, code.hex()


OTHERS = {0x06, 0x07, 0x09, 0x18, 0x19, 0x1C, 0xD6}
UNKNOWN = {0x16, 0x17, 0x1D, 0x1E, 0x27, *range(0xC5, 0xD0), *range(0xD7, 0xFB), 0xFF}


@pytest.mark.parametrize("code", sorted(UNKNOWN))
def test_unknown_instructions(binaries: Binaries, code: int) -> None:
    with pytest.raises(Refused, match=r"unknown instruction \(function 2, offset \d+\)"):
        binaries.guard(module(bytes([code])))


@pytest.mark.parametrize(
    "code", [b"\xfb\x1f", b"\xfc\x17", b"\xfd\x94\x02", b"\xfe\x04", b"\xfe\x4f", b"\xfe\x03\1"]
)
def test_unknown_instructions_after_a_prefix(binaries: Binaries, judge: _core.Engine, code: bytes) -> None:
    with pytest.raises(Refused, match="unknown instruction"):
        binaries.guard(module(code))
    assert not accepts(judge, module(code))


# With immediates that the search above has not.
TEXTS = {
    "br_table": "(block (block (br_table 0 1 0 1 (i32.const 1))))",
    "blocks": "(block (result i32) (loop (result i32) (if (result i32) (i32.const 1) (then i32.const 1) "
    "(else i32.const 2)))) drop",
    "block of a type": "(block (type $two) i32.const 1 i64.const 2) drop drop",
    "loop of a type": "i32.const 1 (loop (param i32) (result i32)) drop",
    "numbers": "i32.const -2147483648 i64.const -9223372036854775808 f32.const nan:0x212121 f64.const -0 "
    "drop drop drop drop",
    "select": "(select (result funcref) (ref.null func) (ref.func $f) (i32.const 0)) drop",
    "ref": "(ref.null extern) ref.is_null drop (ref.as_non_null (ref.func $f)) drop",
    "br_on": "(block (br_on_null 0 (ref.null func)) drop) (block (result (ref func)) "
    "(br_on_non_null 0 (ref.null func)) (ref.func $f)) drop",
    "call_ref": "(call_ref $v (ref.func $f)) (return_call_ref $v (ref.func $f))",
    "tail": "(if (i32.const 0) (then (return_call $f))) (return_call_indirect (type $v) (i32.const 0))",
    "try_table": "(block $h (result exnref) (block $j (try_table (catch $e $j) (catch_all_ref $h) "
    "(catch_all $j) (throw $e))) (return)) throw_ref",
    "v128": "(v128.store64_lane offset=3 1 (i32.const 0) (v128.const i64x2 0x2323232323232323 3)) "
    "(i8x16.shuffle 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 3 (v128.const i64x2 3 3) (v128.const i64x2 3 3)) drop",
    "gc": "(struct.new $s (i32.const 1) (i64.const 2)) (struct.get $s 1) drop (array.new_fixed $a 3 "
    "(i32.const 1) (i32.const 1) (i32.const 1)) (array.len) drop (ref.i31 (i32.const 3)) (i31.get_u) drop",
    "gc of packed fields": "(struct.get_s $p 0 (struct.new $p (i32.const 3))) drop "
    "(array.get_u $b (array.new_data $b $d (i32.const 0) (i32.const 3)) (i32.const 1)) drop "
    "(array.init_data $b $d (array.new_default $b (i32.const 3)) (i32.const 0) (i32.const 0) (i32.const 3))",
    "gc of elements": "(array.init_elem $r $q (array.new_elem $r $q (i32.const 0) (i32.const 0)) (i32.const 0) "
    "(i32.const 0) (i32.const 0))",
    "cast": "(ref.cast (ref null $s) (ref.null any)) drop (block (result anyref) (br_on_cast 0 anyref (ref $s) "
    "(ref.null any))) drop (block (result anyref) (br_on_cast_fail 0 anyref (ref $s) (ref.null any))) drop",
    "memories": "(i32.store $n offset=70000 (i32.const 1) (i32.load8_u $n (i32.const 2))) "
    "(memory.copy $n $m (i32.const 0) (i32.const 1) (i32.const 2))",
}
MODULE = """(module (type $v (func)) (type $two (func (result i32 i64)))
  (type $s (struct (field i32) (field i64))) (type $a (array i32))
  (type $p (struct (field i8))) (type $b (array (mut i8))) (type $r (array (mut funcref)))
  (memory $m 1) (memory $n 1) (table 1 funcref) (tag $e) (elem declare func $f) (data $d "abc")
  (elem $q func $f) (func $f) (func (export "x") %s (loop)))"""


@pytest.mark.parametrize("name", TEXTS)
def test_instructions_of_variable_length(binaries: Binaries, judge: _core.Engine, name: str) -> None:
    wasm = judge.wat((MODULE % TEXTS[name]).encode())
    out = binaries.guard(wasm)
    assert b"\x03\x40\x23\0\x04\x40\x10\0\x0b\x0b\x0b" in out and accepts(judge, out)


def test_exceptions_of_the_first_kind(binaries: Binaries, judge: _core.Engine) -> None:
    """try, catch, delegate, rethrow: the engine reads their text and does not run them."""
    text = "try throw $e catch $e rethrow 0 catch_all nop end try nop delegate 0"
    wasm = judge.wat((MODULE % text).encode())
    assert b"\x03\x40\x23\0\x04\x40\x10\0\x0b\x0b\x0b" in binaries.guard(wasm)
    with pytest.raises(Refused, match="needs exceptions"):
        binaries.guard(wasm, allowed=ALL & ~proposals("exceptions"))


NEEDS = {
    "(drop (i32.extend8_s (i32.const 1)))": "sign-extension",
    "(drop (i32.trunc_sat_f32_s (f32.const 1)))": "saturation",
    "i32.const 1 (loop (type $p)) drop": "multi-value",
    "(memory.fill (i32.const 0) (i32.const 0) (i32.const 1))": "bulk-memory",
    "(drop (table.size))": "reference-types",
    "(drop (ref.null func))": "reference-types",
    "(drop (v128.const i64x2 0 0))": "simd",
    "(local v128)": "simd",
    "(drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0)))": "relaxed-simd",
    "(drop (i32.atomic.load (i32.const 0)))": "threads",
    "(return_call $f)": "tail-call",
    "(throw $e)": "exceptions",
    "(drop (i32.load 1 (i32.const 0)))": "multi-memory",
    "(drop (memory.size 1))": "multi-memory",
    "(drop (ref.as_non_null (ref.func $f)))": "function-references",
    "(i64.mul_wide_u (i64.const 1) (i64.const 1)) drop drop": "wide-arithmetic",
    "(drop (ref.i31 (i32.const 1)))": "gc",
    "(drop (ref.eq (ref.null eq) (ref.null eq)))": "gc",
}


@pytest.mark.parametrize("text", NEEDS)
def test_a_proposal_is_refused_by_its_name_and_place(
    binaries: Binaries, judge: _core.Engine, text: str
) -> None:
    around = "(type $p (func (param i32) (result i32))) (func $f)"
    around += "(elem declare func $f)" * (" ref.func" in text or "(ref.func" in text) + "(table 1 funcref)"
    around += "(memory 1)" + "(memory 1)" * ("load 1" in text or "size 1" in text)
    around += "(tag $e)" * ("$e" in text)
    wasm = judge.wat(f"(module {around} (func {text}))".encode())
    binaries.guard(wasm)
    with pytest.raises(Refused, match=r"^the module needs .*, which this engine does not run \(") as caught:
        binaries.guard(wasm, allowed=ALL & ~proposals(NEEDS[text]))
    cures = ("build ", "use an engine")
    assert caught.value.text.rpartition("): ")[2].startswith(cures)
    if "multi-memory" not in NEEDS[text] and "$e" not in text:
        assert "(function 1, offset " in caught.value.text


def test_an_offset_of_64_bits_is_of_memory64(binaries: Binaries, judge: _core.Engine) -> None:
    wasm = judge.wat(b"(module (memory i64 1) (func (drop (i32.load offset=0x100000000 (i64.const 0)))))")
    assert accepts(judge, binaries.guard(wasm))
    with pytest.raises(Refused, match="needs 64-bit memory"):
        binaries.guard(wasm, allowed=ALL & ~proposals("memory64"))


def test_an_engine_may_have_copy_and_fill_alone(binaries: Binaries, judge: _core.Engine) -> None:
    """Of bulk memory, as one engine does."""
    three = "(i32.const 0) (i32.const 0) (i32.const 0)"
    text = f"(memory.fill {three}) (memory.copy {three})"
    few = ALL & ~proposals("bulk-memory")
    wasm = judge.wat(f"(module (memory 1) (func {text}))".encode())
    assert binaries.guard(wasm, allowed=few, copy_fill=True) == binaries.guard(wasm)
    for more in (f"(memory.init 0 {three})", "(data.drop 0)"):
        wasm = judge.wat(f'(module (memory 1) (data (i32.const 0) "") (func {text} {more}))'.encode())
        with pytest.raises(Refused, match="needs bulk memory"):
            binaries.guard(wasm, allowed=few, copy_fill=True)


CONSTANTS = {
    "(i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 3)))": "extended-const",
    "(i32.sub (global.get 0) (i32.const 3))": "extended-const",
}


@pytest.mark.parametrize("text", CONSTANTS)
def test_constant_expressions(binaries: Binaries, judge: _core.Engine, text: str) -> None:
    wasm = judge.wat(f'(module (import "m" "g" (global i32)) (global i32 {text}))'.encode())
    assert accepts(judge, binaries.guard(wasm))
    with pytest.raises(Refused, match="needs extended constant expressions"):
        binaries.guard(wasm, allowed=ALL & ~PROPOSALS[CONSTANTS[text]])


@pytest.mark.parametrize(
    "code", [b"\x10\0", b"\x03\x40\x0b", b"\x41\0\x45", b"\x28\2\0", b"\xfd\x0d" + b"\0" * 16]
)
def test_what_is_no_constant(binaries: Binaries, judge: _core.Engine, code: bytes) -> None:
    """A loop there would run before there is anything to look at."""
    wasm = HEAD + section(6, many(b"\x7f\0" + code + b"\x41\0\x0b"))
    with pytest.raises(Refused, match="no instruction of a constant expression"):
        binaries.guard(wasm)
    assert not accepts(judge, wasm)

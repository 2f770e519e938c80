"""engine/wasm_rewrite*.c: bodies byte for byte: where they look, which indices move, and which are refused."""

from __future__ import annotations

import pytest

from tests.engine.binaries import COUNT, FLAG, NOMEM, Binaries, Refused
from tests.engine.conftest import accepts
from tests.test_wasm import HEAD, exported, func, imported, leb, many, section
from wasi_native import _core

FLAG_LOOK = bytes((0x23, 0, 0x04, 0x40, 0x10, 0, 0x0B))
COUNT_LOOK = bytes((0x23, 0, 0x45, 0x04, 0x40, 0x10, 3, 0x0B, 0x23, 0, 0x41, 1, 0x6B, 0x24, 0))


def body(code: bytes, local_types: bytes = b"\0") -> bytes:
    code = local_types + code + b"\x0b"
    return leb(len(code)) + code


def module(*codes: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    functions = section(1, many(func())) + section(3, many(*[b"\0"] * len(codes)))
    return HEAD + functions + before + section(10, many(*map(body, codes))) + after


def head(counting: bool, functions: int) -> bytes:
    start = b"\x80\x80\x01" if counting else b"\0"
    return b"".join(
        (
            HEAD,
            section(1, many(func(), func())),
            section(2, many(imported("wn", "check", b"\0\1"))),
            section(3, many(*[b"\0"] * functions, *[b"\1"] * counting)),
            section(6, many(b"\x7f\1\x41" + start + b"\x0b")),
            section(7, many(exported("wn:stop", 3, 0))),
        )
    )


def test_a_flag_is_looked_at_in_loops_and_where_calls_are(binaries: Binaries) -> None:
    nop, loop, call = b"\1", b"\x03\x40\x0c\0\x0b", b"\x10\0"
    out = binaries.guard(module(nop, loop, call + loop), FLAG)
    assert out == head(False, 3) + section(
        10,
        many(
            body(nop),
            body(b"\x03\x40" + FLAG_LOOK + b"\x0c\0\x0b"),
            body(FLAG_LOOK + b"\x10\1\x03\x40" + FLAG_LOOK + b"\x0c\0\x0b"),
        ),
    )


def test_turns_are_counted_down(binaries: Binaries) -> None:
    """The function that counts anew is the last one."""
    turn = body(b"\x10\0\x41\x80\x80\x01\x24\0")
    out = binaries.guard(module(b"\x10\1", b"\x03\x40\x0b"), COUNT)
    bodies = many(body(COUNT_LOOK + b"\x10\2"), body(b"\x03\x40" + COUNT_LOOK + b"\x0b"), turn)
    assert out == head(True, 2) + section(10, bodies)


def test_a_module_of_nothing(binaries: Binaries, judge: _core.Engine) -> None:
    turn = body(b"\x10\0\x41\x80\x80\x01\x24\0")
    none = section(1, many(func()))
    assert binaries.guard(HEAD, FLAG) == head(False, 0).replace(
        section(1, many(func(), func())), none
    ).replace(imported("wn", "check", b"\0\1"), imported("wn", "check", b"\0\0")).replace(
        section(3, many()), b""
    )
    out = binaries.guard(HEAD, COUNT)
    assert out.endswith(section(10, many(turn))) and accepts(judge, out)


def test_locals_stay_before_the_check(binaries: Binaries, judge: _core.Engine) -> None:
    types = many(b"\2\x7f", b"\xe8\x07\x7e")
    code = leb(len(types) + 3) + types + b"\x10\0\x0b"
    wasm = HEAD + section(1, many(func())) + section(3, many(b"\0")) + section(10, many(code))
    out = binaries.guard(wasm)
    assert out.endswith(body(FLAG_LOOK + b"\x10\1", types)) and accepts(judge, out)


SHORT = {
    "call_indirect": (b"\x41\0\x11\x80\x00\x80\x80\x80\x80\x00", b"\x41\0\x11\0\0"),
    "return_call_indirect": (b"\x41\0\x13\0\x80\x00", b"\x41\0\x13\0\0"),
    "memory.size": (b"\x3f\x80\x00\x1a", b"\x3f\0\x1a"),
    "memory.grow": (b"\x41\0\x40\x80\x80\x00\x1a", b"\x41\0\x40\0\x1a"),
    "memory.fill": (b"\x41\0\x41\0\x41\0\xfc\x8b\x00\x80\x00", b"\x41\0\x41\0\x41\0\xfc\x0b\0"),
    "memory.copy": (b"\x41\0\x41\0\x41\0\xfc\x0a\x80\x00\0", b"\x41\0\x41\0\x41\0\xfc\x0a\0\0"),
    "table.size": (b"\xfc\x10\x80\x00\x1a", b"\xfc\x10\0\x1a"),
    "table.get": (b"\x41\0\x25\x80\x00\x1a", b"\x41\0\x25\0\x1a"),
    "table.copy": (b"\x41\0\x41\0\x41\0\xfc\x0e\0\x80\x00", b"\x41\0\x41\0\x41\0\xfc\x0e\0\0"),
    "elem.drop": (b"\xfc\x0d\x80\x00", b"\xfc\x0d\x80\x00"),  # nothing that was ever reserved
    "i32.const": (b"\x41\xff\xff\xff\xff\x7f\x1a", b"\x41\xff\xff\xff\xff\x7f\x1a"),
}


@pytest.mark.parametrize("name", SHORT)
def test_reserved_immediates_are_one_byte(binaries: Binaries, judge: _core.Engine, name: str) -> None:
    long, short = SHORT[name]
    before = (
        section(4, many(b"\x70\0\1")) + section(5, many(b"\0\1")) + section(9, many(b"\1\0" + many(b"\0")))
    )
    wasm = module(long, before=before)
    out = binaries.guard(wasm)
    assert accepts(judge, wasm) and accepts(judge, out)
    assert out.endswith(body((FLAG_LOOK if "call" in name else b"") + short))


@pytest.mark.parametrize("imports", [0, 1, 125, 126, 127, 128, 16383])
def test_indices_and_sizes_that_grow(binaries: Binaries, judge: _core.Engine, imports: int) -> None:
    """Around the numbers that need one byte more."""
    types = section(1, many(func())) + section(2, many(*[imported("m", "f", b"\0\0")] * imports))
    last = imports + 129
    calls = [b"\x10" + leb(n) for n in (0, max(imports - 1, 0), imports, imports + 1, last)]
    codes = [b"".join(calls), *[b"\1" * n for n in range(118, 130)], *[b""] * (130 - 13)]
    wasm = HEAD + types + section(3, many(*[b"\0"] * 130)) + section(10, many(*map(body, codes)))
    out = binaries.guard(wasm)
    assert accepts(judge, wasm) and accepts(judge, out)
    look = b"\x23\0\x04\x40\x10" + leb(imports) + b"\x0b"
    moved = [n if n < imports else n + 1 for n in (0, max(imports - 1, 0), imports, imports + 1, last)]
    assert out.endswith(many(*map(body, [look + b"".join(b"\x10" + leb(n) for n in moved), *codes[1:]])))


TABLE = section(4, many(b"\x70\0\1"))
GLOBAL = section(6, many(b"\x7f\1\x41\0\x0b"))
OURS = {
    "a call": module(b"\x10\1"),
    "a tail call": module(b"\x12\1"),
    "ref.func": module(b"\xd2\1\x1a"),
    "the start": module(b"", before=section(8, b"\1")),
    "an element": module(b"", before=TABLE + section(9, many(b"\0\x41\0\x0b" + many(b"\1")))),
    "an element's expression": module(
        b"", before=TABLE + section(9, many(b"\4\x41\0\x0b" + many(b"\xd2\1\x0b")))
    ),
    "a global": module(b"", before=section(6, many(b"\x70\0\xd2\1\x0b"))),
    "global.get": module(b"\x23\1\x1a", before=GLOBAL),
    "global.set": module(b"\x41\0\x24\1", before=GLOBAL),
    "global.get in a global": module(b"", before=section(6, many(b"\x7f\1\x23\1\x0b"))),
    "the type of a block": module(b"\x02\1\x0b"),
    "the type of a loop": module(b"\x03\1\x0b"),
    "the type of a call": module(b"\x41\0\x11\1\0", before=TABLE),
    "the type of call_ref": module(b"\0\x14\1"),
    "ref.null": module(b"\xd0\1\x1a"),
    "ref.null in a global": module(b"", before=section(6, many(b"\x63\0\0\xd0\1\x0b"))),
    "the type of a global": module(b"", before=section(6, many(b"\x63\1\0\xd0\0\x0b"))),
}


@pytest.mark.parametrize("what", OURS)
@pytest.mark.parametrize("check", [FLAG, COUNT])
def test_nothing_of_ours_can_be_named(binaries: Binaries, judge: _core.Engine, what: str, check: int) -> None:
    """One more than the last is wrong, and would be right in the result."""
    wasm = OURS[what]
    with pytest.raises(
        Refused, match=r"not a module that can run: there is no such (function|global|type) \("
    ):
        binaries.guard(wasm, check)
    assert not accepts(judge, wasm)


def test_the_type_of_a_local_cannot_be_ours(binaries: Binaries) -> None:
    wasm = (
        module()
        .replace(section(3, many()), section(3, many(b"\0")))
        .replace(section(10, many()), section(10, many(body(b"", many(b"\1\x63\1")))))
    )
    with pytest.raises(Refused, match="there is no such type"):
        binaries.guard(wasm)


WRONG = {
    "a function is longer than its section": (b"\x05\0\x0b", 1),
    "a function goes on after its end": (b"\x03\0\x0b\1", 1),
    "it ends too early": (b"\x02\0\1", 1),
    "over 50000 local variables": (b"\x0b\2\xa8\xc3\x01\x7f\xa9\xc3\x01\x7f\x0b\0", 1),
    "there are fewer things than it says": (b"\x05\x03\x01\x7f\x0b\0", 1),
    "it has not a body for each function": (body(b""), 2),
    "a section is longer than what is in it": (body(b"") + b"\0", 1),
    "it has an unknown alignment": (body(b"\0\x28\x80\1\0\0"), 1),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_wrong_in_the_code(binaries: Binaries, judge: _core.Engine, why: str) -> None:
    code, count = WRONG[why]
    wasm = HEAD + section(1, many(func())) + section(3, many(*[b"\0"] * count)) + section(10, b"\1" + code)
    with pytest.raises(Refused, match=why):
        binaries.guard(wasm)
    assert not accepts(judge, wasm)
    with pytest.raises(Refused):
        binaries.guard(wasm, COUNT)


def test_no_code_at_all(binaries: Binaries) -> None:
    with pytest.raises(Refused, match="it has not a body for each function"):
        binaries.guard(HEAD + section(1, many(func())) + section(3, many(b"\0")))


def test_blocks_in_blocks(binaries: Binaries) -> None:
    wasm = module(b"\x02\x40" * 5 + b"\x0b" * 5)
    binaries.guard(wasm, nesting=6)
    with pytest.raises(Refused, match=r"its blocks are nested too deep \(function 0, offset 31\)"):
        binaries.guard(wasm, nesting=5)
    deep = module(b"\x02\x40" * 200_000 + b"\x0b" * 200_000)
    assert len(binaries.guard(deep)) > len(deep)


def test_growth_is_asked_about(binaries: Binaries, judge: _core.Engine) -> None:
    """After memory.grow of either kind of encoding, and after nothing else of a memory."""
    before = section(5, many(b"\0\1"))
    wasm = module(b"\x41\0\x40\x80\x00\x1a\x3f\0\x1a", b"\x41\0\x40\0\x1a", before=before)
    out = binaries.guard(wasm, grow=True)
    calls = body(b"\x41\0\x40\0\x10\0\x1a\x3f\0\x1a"), body(b"\x41\0\x40\0\x10\0\x1a")
    assert out.endswith(section(10, many(*calls))) and accepts(judge, out)


LOOP = b"\x03\x40"
FRAMES = {
    "a leaf": (LOOP + b"\x0b", 0),
    "a call": (b"\x10\0", 10),
    "a loop": (b"\x10\0" + LOOP + b"\x0b", 13),
    "loops after one another": (b"\x10\0" + (LOOP + b"\x0b") * 5, 13),
    "loops in loops": (LOOP * 3 + b"\x10\0" + b"\x0b" * 3, 18),
    "blocks between": (b"\x02\x40" + LOOP + b"\x02\x40" + LOOP + b"\x0b" * 4 + LOOP + b"\x10\0\x0b", 15),
}


@pytest.mark.parametrize("what", FRAMES)
def test_frames_are_as_wide_as_the_native_ones(binaries: Binaries, judge: _core.Engine, what: str) -> None:
    """80 bytes a call and 20 for each loop that is open, in variables of 8 bytes."""
    code, width = FRAMES[what]
    out = binaries.guard(module(code), call_bytes=80, loop_bytes=20, nesting=1000)
    more = bytes((0x80 | width, 0x80, 0x80, 0x80, 0, 0x7E))
    assert out.count(b"\1" + more) == 1
    assert accepts(judge, out)


def test_frames_of_functions_with_variables(binaries: Binaries, judge: _core.Engine) -> None:
    types = many(b"\2\x7f", b"\1\x7e")
    code = types + b"\x20\2\x1a\x10\0\x0b"
    wasm = (
        HEAD + section(1, many(func())) + section(3, many(b"\0")) + section(10, many(leb(len(code)) + code))
    )
    out = binaries.guard(wasm, call_bytes=8 * 300, nesting=9)
    assert b"\3\2\x7f\1\x7e\xac\x82\x80\x80\x00\x7e" + FLAG_LOOK + b"\x20\2" in out
    assert accepts(judge, out)


def test_without_memory(binaries: Binaries) -> None:
    """A module that grows much, so that memory is asked for again on the way."""
    wasm = module(*[b"\x03\x40\x0b" * 50] * 200)
    out = binaries.guard(wasm, COUNT)
    assert len(out) > 4 * len(wasm)
    calls = binaries.calls
    assert calls > 7
    for nth in range(1, calls):  # the last one gives memory back, and may fail
        with pytest.raises(Refused) as caught:
            binaries.guard(wasm, COUNT, fault=nth)
        assert (caught.value.code, caught.value.text) == (NOMEM, "no memory for a module")
    assert binaries.guard(wasm, COUNT, fault=calls) == out

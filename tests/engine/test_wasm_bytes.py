"""engine/wasm_bytes.c: numbers, names, types and sections; the engine is asked whether it reads them alike."""

from __future__ import annotations

import pytest

from tests.engine.binaries import INVALID, Binaries, Refused, proposals
from tests.engine.conftest import accepts
from tests.test_wasm import BODY, HEAD, exported, func, imported, leb, many, section, text
from wasi_native import _core

NUMBERS = [
    b"\x00",
    b"\x3f",
    b"\x40",
    b"\x7f",
    b"\x80\x00",
    b"\xff\xff\xff\xff\x07",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\x1f",
    b"\xff\xff\xff\xff\x6f",
    b"\x80\x80\x80\x80\x78",
    b"\x80\x80\x80\x80\x70",
    b"\x80\x80\x80\x80\x08",
    b"\x80\x80\x80\x80\x80\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
]


@pytest.mark.parametrize("kind", [b"\x7f\0\x41", b"\x7e\0\x42"], ids=["i32", "i64"])
@pytest.mark.parametrize("number", NUMBERS, ids=bytes.hex)
def test_signed_numbers(binaries: Binaries, judge: _core.Engine, kind: bytes, number: bytes) -> None:
    wasm = HEAD + section(6, many(kind + number + b"\x0b"))
    try:
        binaries.guard(wasm)
    except Refused as refused:
        assert "a number is too long" in refused.text and not accepts(judge, wasm)
    else:
        assert accepts(judge, wasm)


@pytest.mark.parametrize("number", NUMBERS, ids=bytes.hex)
def test_unsigned_numbers(binaries: Binaries, judge: _core.Engine, number: bytes) -> None:
    """As the minimum of a memory, which the two bound alike but for its size."""
    wasm = HEAD + section(5, many(b"\0" + number))
    try:
        (found, _) = binaries.describe(wasm + section(7, many(exported("m", 2, 0))))
    except Refused as refused:
        assert "a number is too long" in refused.text and not accepts(judge, wasm)
    else:
        assert accepts(judge, wasm) == (found[0].min <= 65536)


SECTIONS = {
    "it does not start like a core module (offset 0)": b"\0asm\x0d\0\1\0",
    "its head is cut": b"\0asm",
    "a section is longer than the module (offset 8)": HEAD + b"\1\5\0",
    "a section is longer than what is in it (offset 11)": HEAD + section(1, many() + b"\0"),
    "a section is not in its place, or there twice (offset 11)": HEAD + section(1, many()) * 2,
    "in its place, or there twice (offset 11)": HEAD + section(2, many()) + section(1, many()),
    "unknown section (offset 8)": HEAD + section(14, b""),
    "it ends too early (offset 9)": HEAD + b"\1",
    "there are fewer things than it says (offset 10)": HEAD + section(1, b"\xff\xff\xff\xff\x0f"),
    "it ends too early (offset 13)": HEAD + section(2, b"\1\xff\x7f\0\0\0"),
    "a custom section's name (offset 11)": HEAD + section(0, b"\x05a"),
    "unknown type (offset 11)": HEAD + section(1, many(b"\x61\0\0")),
    "unknown type (offset 13)": HEAD + section(1, many(func(b"\x01"))),
    "unknown limits (offset 11)": HEAD + section(5, many(b"\x08\1\1")),
    "unknown limits (offset 12)": HEAD + section(4, many(b"\x70\x02\1")),
    "a minimum is over its maximum (offset 11)": HEAD + section(5, many(b"\1\2\1")),
    "there is no such type (offset 16)": HEAD + section(1, many(b"\x60\1\x63\x05\0")),
    "over 1000 parameters or results (offset 13)": HEAD + section(1, many(func(b"\x7f" * 1001))),
}


@pytest.mark.parametrize("what", SECTIONS)
def test_what_is_wrong_is_said_with_its_place(binaries: Binaries, judge: _core.Engine, what: str) -> None:
    with pytest.raises(Refused) as caught:
        binaries.describe(SECTIONS[what])
    assert caught.value.code == INVALID
    assert caught.value.text.startswith("not a module that can run: ")
    if "(" in what and not what.startswith("a custom"):
        assert caught.value.text.endswith(what)
    assert not accepts(judge, SECTIONS[what])


def test_sections_in_their_order_and_custom_ones_anywhere(binaries: Binaries, judge: _core.Engine) -> None:
    parts = [
        section(1, many(func(), func(b"\x7f"))),
        section(2, many(imported("m", "f", b"\0\0"))),
        section(3, many(b"\0")),
        section(4, many(b"\x70\0\1")),
        section(5, many(b"\0\1")),
        section(13, many(b"\0\1")),
        section(6, many(b"\x7f\1\x41\0\x0b")),
        section(7, many(exported("f", 0, 1))),
        section(8, b"\1"),
        section(9, many(b"\0\x41\0\x0b" + many(b"\1"))),
        section(12, b"\1"),
        section(10, many(BODY)),
        section(11, many(b"\0\x41\0\x0b" + text("data"))),
    ]
    between = section(0, text("name") + b"\xff")
    for wasm in (HEAD + b"".join(parts), HEAD + between + between.join(parts) + between):
        assert accepts(judge, wasm)
        assert binaries.describe(wasm)[1] == (
            "types 2 functions 2 tables 1 memories 1 globals 1 tags 1 plain 1"
        )
        guarded = binaries.guard(wasm)
        assert accepts(judge, guarded) and b"name" not in guarded
    for at in range(len(parts) - 1):
        swapped = [*parts]
        swapped[at : at + 2] = reversed(swapped[at : at + 2])
        with pytest.raises(Refused, match=r"not in its place|there is no"):
            binaries.describe(HEAD + b"".join(swapped))


@pytest.mark.parametrize(
    ("types", "proposal"),
    [
        (func(b"\x7b"), "simd"),
        (func(b"\x6f"), "reference-types"),
        (func(b"\x70"), "reference-types"),
        (func(b"\x69"), "exceptions"),
        (func(b"\x6e"), "gc"),
        (b"\x60\1\x64\x70\0", "function-references"),
        (b"\x60\1\x63\x6f\0", "function-references"),
        (func(b"", b"\x7f\x7f"), "multi-value"),
        (b"\x5f\0", "gc"),
        (b"\x5e\x7f\0", "gc"),
        (b"\x50\0" + func(), "gc"),
        (b"\x4e\1" + func(), "gc"),
    ],
)
def test_types_of_proposals(binaries: Binaries, judge: _core.Engine, types: bytes, proposal: str) -> None:
    wasm = HEAD + section(1, many(types))
    assert accepts(judge, wasm)
    assert binaries.describe(wasm)[1].startswith("types 1 ")
    every = proposals("reference-types", "function-references", "gc")
    for allowed in (0, ~proposals(proposal) & every):
        with pytest.raises(
            Refused, match=r"^the module needs .*, which this engine does not run \(offset 1\d\): "
        ):
            binaries.describe(wasm, allowed)


CHARACTERS = [
    b"a\0",
    "\u00e4\u20ac\U0001f600\U0010ffff\ud7ff\ue000".encode(),
    b"\x80",
    b"\xbf",
    b"\xc1\xbf",
    b"\xc2",
    b"\xc2a",
    b"\xe0\x9f\xbf",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xf0\x90\x80a",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xff",
]


@pytest.mark.parametrize("name", CHARACTERS, ids=bytes.hex)
def test_names_are_utf8(binaries: Binaries, judge: _core.Engine, name: bytes) -> None:
    length = leb(len(name)) + name
    places = [
        section(0, length + b"\xff"),
        section(2, many(length + b"\0\2\0\1")),
        section(2, many(b"\0" + length + b"\2\0\1")),
        section(5, many(b"\0\1")) + section(7, many(length + b"\2\0")),
    ]
    for place in places:
        try:
            binaries.guard(HEAD + place)
        except Refused as refused:
            assert "a name is not UTF-8" in refused.text and not accepts(judge, HEAD + place)
        else:
            assert accepts(judge, HEAD + place)


def test_a_name_may_be_as_long_as_the_module_lets_it(binaries: Binaries) -> None:
    name = "n" * 99_999
    wasm = HEAD + section(1, many(func())) + section(2, many(imported(name, "f", b"\0\0")))
    assert binaries.describe(wasm)[0][0].module == name
    assert leb(99_999) in wasm

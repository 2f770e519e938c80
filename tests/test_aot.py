"""The file format of compiled guests: what is written is read, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import random
from struct import pack
from typing import Any

import pytest

from tests import wno
from wasi_native import aot
from wasi_native.errors import ModuleError

PLAIN = wno.file()
SIGNED = aot.attach(PLAIN, b"k" * 32, b"s" * 64)
CODE = len(wno.library())
TRAILER, SIGNATURE = 56, 104
END = len(PLAIN)


def refused(data: bytes, name: str = "plugin.wno") -> str:
    with pytest.raises(ModuleError) as caught:
        aot.read(name, data)
    text = str(caught.value)
    assert text.startswith(f"{name}: ") and "\n" not in text
    return text.removeprefix(f"{name}: ")


def sealed(library: bytes, manifest: bytes, version: int = 1, **lengths: int) -> bytes:
    """A file with a right hash, whatever is in it."""
    body = (
        library
        + manifest
        + pack("<QII", lengths.get("code", len(library)), lengths.get("text", len(manifest)), version)
    )
    return body + hashlib.sha256(body).digest() + b"wasi.wno"


def test_what_is_packed_is_read() -> None:
    made = wno.manifest(board="raspberry-pi-4", isa="armv8-a", depth=500, fuel=True, imports=())
    library = wno.library()
    found = aot.read("a.wno", aot.pack(library, made))
    assert found.manifest == made and found.elf == library and found.name == "a.wno"
    assert found.key == "" and found.signature == b"" and bytes(found.signed) == aot.pack(library, made)


def test_the_bytes_are_those_of_the_description() -> None:
    """Read here without the reader: ELF, manifest, trailer; and the same each time."""
    text = PLAIN[CODE : END - TRAILER]
    assert PLAIN[:CODE] == wno.library() and json.loads(text)["module"] == "plugin.wasm"
    trailer = PLAIN[END - TRAILER :]
    assert trailer[:16] == pack("<QII", CODE, len(text), 1) and trailer[48:] == b"wasi.wno"
    assert trailer[16:48] == hashlib.sha256(PLAIN[: END - 40]).digest()
    assert SIGNED == PLAIN + b"k" * 32 + b"s" * 64 + b"wno.sign"
    assert wno.file() == PLAIN
    turned = dict(reversed(wno.manifest().tools.items()))
    assert wno.file(tools=turned) == PLAIN  # nor does the order of keys count


def test_a_signature_is_taken_apart_and_covers_all_before_it() -> None:
    found = aot.read("plugin.wno", SIGNED)
    assert (found.key, found.signature) == ((b"k" * 32).hex(), b"s" * 64)
    assert bytes(found.signed) == PLAIN == aot.unsigned(SIGNED) == aot.unsigned(PLAIN)
    assert found.sha256 == hashlib.sha256(SIGNED).hexdigest() != aot.read("x", PLAIN).sha256
    for key, signature in ((b"k" * 31, b"s" * 64), (b"k" * 32, b"s" * 63)):
        with pytest.raises(ValueError, match="32 bytes, a signature 64"):
            aot.attach(PLAIN, key, signature)


@pytest.mark.parametrize("signed", [False, True])
def test_every_truncation(signed: bool) -> None:
    """But for the one that cuts a signature off: what is left is the file as it was before, with another hash."""
    whole = SIGNED if signed else PLAIN
    for length in range(len(whole)):
        if signed and length == END:
            assert aot.read("x", whole[:length]).key == ""
            continue
        text = refused(whole[:length])
        wanted = "the file is empty" if length == 0 else "truncated"
        assert wanted in text, (length, text)


@pytest.mark.parametrize("signed", [False, True])
def test_every_byte_that_is_flipped(signed: bool) -> None:
    """In the code, the manifest, the trailer; in a signature it is the verdict of the key that changes."""
    whole, dice = SIGNED if signed else PLAIN, random.Random(3)
    sound = aot.read("x", whole)
    for at in range(len(whole)):
        bad = bytearray(whole)
        bad[at] ^= 1 << dice.randrange(8)
        if END <= at < END + 96:
            found = aot.read("x", bytes(bad))
            assert (found.key, found.signature) != (
                sound.key,
                sound.signature,
            ) and found.sha256 != sound.sha256
            continue
        text = refused(bytes(bad))
        if at < 4:
            assert "does not start as an ELF file" in text
        elif at < END - TRAILER or END - 40 <= at < END - 8:
            assert "damaged or tampered with: its SHA-256 is another" in text
        elif at < END - 44:
            assert "the lengths in its trailer" in text
        elif at < END - 40:
            assert "its format is" in text and "compile it again" in text
        else:
            assert "not a compiled guest (.wno), or truncated" in text


def test_bytes_too_many_in_every_place() -> None:
    for at in (4, CODE, END - TRAILER, END - 8, END):
        assert refused(PLAIN[:at] + b"\0" + PLAIN[at:])
    assert refused(SIGNED + b"\0") and refused(SIGNED + SIGNED[-SIGNATURE:])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the file is empty"),
        (b"\0asm\1\0\0\0", "this is a WebAssembly module; wasi-native compile makes a .wno file of it"),
        (b"MZ\x90\0" + bytes(500), "not a compiled guest (.wno): it does not start as an ELF file does"),
        (wno.library(body=bytes(1000)), "it does not end as one does"),
        (SIGNED[-SIGNATURE:], "does not start as an ELF file"),
        (b"\x7fELF" + SIGNED[-SIGNATURE:], "or truncated"),
        (PLAIN[:64] + PLAIN[-TRAILER:], "the lengths in its trailer"),
    ],
)
def test_what_is_none(data: bytes, text: str) -> None:
    assert text in refused(data)


@pytest.mark.parametrize("code", [0, 1, CODE - 1, CODE + 1, 2**63, 2**64 - 1])
def test_lengths_that_lie(code: int) -> None:
    text = wno.manifest().to_bytes()
    assert "the lengths in its trailer" in refused(sealed(wno.library(), text, code=code))
    for length in (0, len(text) - 1, len(text) + 1, 2**32 - 1):
        assert "the lengths in its trailer" in refused(sealed(wno.library(), text, text=length))


def test_another_format() -> None:
    text = refused(sealed(wno.library(), wno.manifest().to_bytes(), version=3))
    assert text == "its format is 3, this version of wasi_native reads 1 and 2; compile it again"


MODULES = ("ab" * 32, "", "cd" * 32, "ab" * 32)
DEFINITION = b"\0asm\x0d\0\1\0" + b"definition"


def component(definition: bytes = DEFINITION) -> bytes:
    made = wno.manifest(modules=MODULES, abi=2)
    return aot.pack(wno.library(), made, definition)


def test_a_component_has_its_definition_between_code_and_manifest() -> None:
    data = component()
    assert data[CODE : CODE + len(DEFINITION)] == DEFINITION
    assert data[-TRAILER : -TRAILER + 16][12:] == pack("<I", 2)
    found = aot.read("a.wno", data)
    assert (bytes(found.definition), found.elf) == (DEFINITION, wno.library())
    assert found.manifest.modules == MODULES and found.manifest.parts == ("ab" * 32, "cd" * 32)
    told = aot.describe(found)
    assert (told["format"], told["definition_size"]) == (2, len(DEFINITION))
    assert told["manifest"]["modules"] == list(MODULES)
    assert aot.read("x", PLAIN).definition == b"" and aot.describe(aot.read("x", PLAIN))["format"] == 1


def test_a_component_that_is_changed() -> None:
    whole, dice = component(), random.Random(5)
    for at in range(len(whole)):
        bad = bytearray(whole)
        bad[at] ^= 1 << dice.randrange(8)
        assert refused(bytes(bad))
        assert "truncated" in refused(whole[:at]) or at == 0


@pytest.mark.parametrize(("definition", "modules"), [(b"", MODULES), (DEFINITION, ())])
def test_a_definition_and_core_modules_come_together(definition: bytes, modules: tuple[str, ...]) -> None:
    made = wno.manifest(modules=modules)
    with pytest.raises(ValueError, match="a module neither"):
        aot.pack(wno.library(), made, definition)
    body = wno.library() + definition
    for version in (1, 2):
        text = refused(sealed(body, made.to_bytes(), version=version, code=CODE))
        assert "the lengths in its trailer" in text or "'modules' are of a component's file alone" in text


def test_a_manifest_too_large() -> None:
    assert "lengths in its trailer" in refused(sealed(wno.library(), b" " * (aot.MANIFEST_MAX + 1)))
    many = {f"tool{index}": "1" * 900 for index in range(100)}
    with pytest.raises(ValueError, match=f"{aot.MANIFEST_MAX} at most"):
        wno.file(tools=many)


GOOD: dict[str, Any] = json.loads(wno.manifest().to_bytes())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "it is no JSON"),
        (b"{", "Expecting property name"),
        (b"null", "it is no object"),
        (b"[]", "it is no object"),
        (b"{} {}", "there is more behind its JSON"),
        (b"\xff\xfe", "can't decode"),
        (b"[" * 60000, "nested too deeply"),
        (b"NaN", "it holds NaN"),
        (json.dumps({**GOOD, "more": 1}).encode(), "its key 'more' is not known"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "abi"}).encode(), "its key 'abi' is missing"),
    ],
)
def test_manifests_that_are_none(text: bytes, reason: str) -> None:
    told = refused(sealed(wno.library(), text))
    assert told.startswith("its manifest is malformed: ") and reason in told


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("module", 5, "its 'module' has a wrong type"),
        ("module", "/home/me/plugin.wasm", "its 'module' holds a path"),
        ("module", "a\x1b[2J", "cannot be printed"),
        ("module", "a" * 1001, "its 'module' holds"),
        ("sha256", "5A" * 32, "is not 64 hex digits"),
        ("sha256", "5a", "is not 64 hex digits"),
        ("size", -1, "its 'size' has a wrong type"),
        ("size", 1.5, "its 'size' has a wrong type"),
        ("size", True, "its 'size' has a wrong type"),
        ("size", 2**63, "its 'size' has a wrong type"),
        ("interrupt", 1, "its 'interrupt' has a wrong type"),
        ("imports", "env", "its 'imports' has a wrong type"),
        ("imports", [1], "its 'imports' has a wrong type"),
        ("flags", ["-I/usr/include"], "its 'flags' holds a path"),
        ("modules", ["ab" * 32, "AB" * 32], "its 'modules' are not 64 hex digits each"),
        ("modules", "ab" * 32, "its 'modules' has a wrong type"),
        ("tools", ["zig"], "its 'tools' has a wrong type"),
        ("tools", {"zig": 17}, "its 'tools' has a wrong type"),
        ("pointer_bits", 16, "neither 32 nor 64"),
        ("arch", None, "its 'arch' has a wrong type"),
    ],
)
def test_values_of_another_kind(key: str, value: object, reason: str) -> None:
    told = refused(sealed(wno.library(), json.dumps({**GOOD, key: value}).encode()))
    assert told.startswith("its manifest is malformed: ") and reason in told
    with pytest.raises(ValueError):
        wno.manifest(**{key: value})


def test_code_that_is_not_what_the_manifest_says() -> None:
    text = wno.manifest().to_bytes()
    arm = wno.manifest(arch="armv6", pointer_bits=32, float_abi="hard")
    for code, manifest, reason in (
        (
            wno.library("aarch64"),
            text,
            "its code is for aarch64 with 64 bits, its manifest says x86_64 with 64 bits",
        ),
        (wno.library("armv7", 32), text, "its code is for arm with 32 bits"),
        (wno.library(kind=2), text, "its code is no shared object"),
        (wno.library()[:30] + bytes(10), text, "damaged"),
        (wno.library("armv6", 32, 0x200), arm.to_bytes(), "its code is soft-float, its manifest says hard"),
    ):
        assert reason in refused(sealed(code, manifest, code=len(code) + ("damaged" in reason)))
    for code, made in ((wno.library("riscv64"), wno.manifest()), (b"\0asm", wno.manifest())):
        with pytest.raises(ValueError):
            aot.pack(code, made)


def test_random_bytes_are_refused_in_one_way() -> None:
    dice = random.Random(11)
    for _ in range(3000):
        bad = bytearray(dice.choice((PLAIN, SIGNED, component())))
        for _ in range(dice.randint(1, 4)):
            start = dice.randrange(len(bad))
            bad[start : start + dice.randint(0, 9)] = dice.randbytes(dice.randint(0, 9))
        try:
            aot.read("x.wno", bytes(bad))
        except ModuleError as error:
            assert str(error).startswith("x.wno: ")


def test_without_the_scanner_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "_json", None)
    assert aot.read("x", PLAIN).manifest == wno.manifest()
    assert "manifest is malformed" in refused(sealed(wno.library(), b"[" * 60000))
    assert "manifest is malformed" in refused(sealed(wno.library(), b"{"))


def test_describe_is_ready_for_json() -> None:
    told = json.loads(json.dumps(aot.describe(aot.read("a.wno", SIGNED))))
    assert told["key"] == (b"k" * 32).hex() and told["code_size"] == CODE and told["size"] == len(SIGNED)
    assert told["manifest"] == GOOD

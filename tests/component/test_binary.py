"""The decoder as a whole: sections, nesting, instances, and bytes that somebody broke."""

from __future__ import annotations

import os
import random
import tracemalloc

import pytest

from tests.component.asm import (
    EMPTY_MODULE,
    FUNC,
    HEAD,
    INSTANCE,
    MODULE,
    component,
    leb,
    many,
    name,
    plain,
    read,
    section,
    types,
)
from tests.component.build import encode, fixture
from wasi_native.component import FEATURES, Component, decode
from wasi_native.component.wit import text
from wasi_native.errors import ModuleError

NAMES = ("async", "interfaces", "types")


def test_an_empty_component() -> None:
    found = decode(HEAD)
    assert found.definitions == [] and found.imports == found.exports == {} and found.size == 8
    assert found.name == "<bytes>" and found.features == frozenset() and isinstance(found, Component)


@pytest.mark.parametrize("size", range(8))
def test_truncated_headers(size: int) -> None:
    with pytest.raises(ModuleError, match=r"c\.wasm: byte 0, in the header: truncated"):
        decode(HEAD[:size], "c.wasm")


@pytest.mark.parametrize(
    "head", [MODULE, b"\0ASM\x0d\0\1\0", b"\0asm\x0e\0\1\0", b"\0asm\x0d\0\2\0", b"\0asm\x0d\0\0\0"]
)
def test_wrong_headers(head: bytes) -> None:
    with pytest.raises(ModuleError, match="no component"):
        decode(head)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x0d\0", "unknown section 13"),
        (b"\xff", "unknown section 255"),
        (b"\7", "truncated"),
        (b"\7\x80", "truncated"),
        (b"\7\3\0", "has 3 bytes, 1 are left"),
        (b"\7\1\x73", "entry reaches beyond|truncated"),
        (b"\7\2\0\0", "1 bytes too many"),
        (b"\7\2\2\x73", "truncated"),
        (b"\7\4\xbf\x84\x3d\x73", "engines take|truncated"),
        (b"\0\3\5ab", "truncated"),
        (b"\0\3\2\xff\xfe", "UTF-8"),
        (b"\x09\3\0\0\0", "values and start functions"),
        (b"\x0c\1\0", "values and start functions"),
        (b"\1\4\0asm", "beyond|truncated"),
        (b"\1\x08" + HEAD, "no core module"),
        (b"\4\x08" + MODULE, "no component"),
        (b"\4\3" + HEAD[:3], "beyond|truncated"),
        (b"\4\x0a" + HEAD + b"\7\5", "the type section has 5 bytes, 0 are left"),
    ],
)
def test_wrong_sections(data: bytes, reason: str) -> None:
    with pytest.raises(ModuleError, match=f"c.wasm: byte \\d+, in the .*: .*{reason}"):
        decode(HEAD + data, "c.wasm")


def test_custom_sections_may_hold_anything() -> None:
    found = read(b"\0\x12\x0ecomponent-name\xff\xfe\1", b"\0\x03\2hi", types(b"\x73"))
    assert len(found.definitions) == 1


def test_core_modules_are_views() -> None:
    data = component(EMPTY_MODULE, section(4, HEAD + EMPTY_MODULE))
    found = decode(data)
    assert [bytes(module.data) for module in found.modules] == [MODULE, MODULE]
    assert all(module.data.obj is data for module in found.modules)
    assert [data[module.at : module.end] for module in found.modules] == [MODULE, MODULE]


def test_components_inside() -> None:
    inner = component(types(FUNC), section(10, plain("f") + b"\1\0"), section(11, plain("g") + b"\1\0\0"))
    found = read(
        section(4, component(section(4, inner))), section(4, inner), section(11, plain("c") + b"\4\1\0")
    )
    assert found.components == 3 and list(found.exports) == ["c"]
    assert list(found.exports["c"].type.imports) == ["f"] and list(found.exports["c"].type.exports) == ["g"]


def test_nesting_is_bounded_and_no_recursion() -> None:
    def nested(depth: int) -> bytes:
        data = HEAD
        for _ in range(depth):
            data = component(section(4, data))
        return data

    assert decode(nested(100)).components == 100
    with pytest.raises(ModuleError, match="nested more than 100 deep"):
        decode(nested(101))
    with pytest.raises(ModuleError, match="more than 1000 components"):
        decode(component(*[section(4, HEAD)] * 1001))
    with pytest.raises(ModuleError, match="more than 1000 core modules"):
        decode(component(*[EMPTY_MODULE] * 1001))
    with pytest.raises(ModuleError, match="more than 10000 instances"):
        decode(component(*[section(5, *[b"\1\0"] * 5001)] * 2))


WITH_F = section(1, encode('(module (func (export "f")))'))
NEEDS_F = section(1, encode('(module (import "h" "f" (func)))'))


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ([EMPTY_MODULE, section(2, b"\2\0\0")], "form 0x02 of a core instance"),
        ([EMPTY_MODULE, section(2, b"\0\1\0")], "core module 1 does not exist"),
        ([EMPTY_MODULE, section(2, b"\0\0\0", b"\0\0\1" + name("i") + b"\0\0")], "no core instance"),
        ([EMPTY_MODULE, section(2, b"\0\0\1" + name("i") + b"\x12\0")], "core instance 0 does not exist"),
        ([NEEDS_F, section(2, b"\0\0\0")], "imports from 'h', which no argument gives"),
        ([NEEDS_F, section(2, b"\1\0", b"\0\0\1" + name("h") + b"\x12\0")], "has no func 'f'"),
        (
            [WITH_F, section(2, b"\0\0\0", b"\0\0\2" + (name("h") + b"\x12\0") * 2)],
            "argument 'h' comes twice",
        ),
        ([section(2, b"\1\1" + name("a") + b"\0\0")], "core func 0 does not exist"),
        ([section(2, b"\1\1" + name("a") + b"\5\0")], "sort 0x05"),
        ([section(5, b"\2\0\0")], "form 0x02 of an instance"),
        ([section(5, b"\0\0\0")], "component 0 does not exist"),
        ([types(b"\x73"), section(5, b"\1" + many(plain("a") + b"\3\0", plain("A") + b"\3\0"))], "taken"),
        ([section(3, b"\x60\0\0"), section(5, b"\1\1" + plain("a") + b"\0\x10\0")], "cannot be exported"),
        ([section(11, plain("a") + b"\1\0\0")], "func 0 does not exist"),
        ([types(FUNC), section(11, plain("a") + b"\3\0\2")], "type of an export is neither"),
        ([types(FUNC), section(11, plain("a") + b"\3\0\1\1\0")], "is a type and told to be a func"),
        ([types(b"\x73", b"\x7f"), section(11, plain("a") + b"\3\0\1\3\0\1")], "does not match"),
        ([types(b"\x73"), section(11, plain("a") + b"\3\0\0", plain("a") + b"\3\0\0")], "taken"),
        ([types(b"\x3f\x7f\1\0")], "core func 0 does not exist"),
    ],
)
def test_definitions_that_are_wrong(sections: list[bytes], reason: str) -> None:
    with pytest.raises(ModuleError, match=f"c.wasm: byte \\d+, in the .*: .*{reason}"):
        read(*sections)


def test_destructors() -> None:
    def text(param: str) -> bytes:
        return encode(f"""(component (core module $m (func (export "d") {param}))
          (core instance $i (instantiate $m))
          (type (resource (rep i32) (dtor (core func $i "d")))))""")

    found = decode(text("(param i32)"))
    assert found.definitions[-1].type.destructor == 0  # type: ignore[attr-defined]
    with pytest.raises(ModuleError, match="destructor"):
        decode(text("(param i64)"))


WANTS = """(component
  (import "r" (func $r (param "a" (list u8)))) (import "s" (func $s (param "a" string)))
  (import "i" (instance $i (export "f" (func (param "a" (list u8))))))
  (import "t" (type $t (sub resource)))
  (component $needs-f (import "x" (func (param "a" (list u8)))))
  (component $needs-i (import "x" (instance (export "f" (func (param "a" (list u8)))))))
  (component $needs-t (import "x" (type (sub resource))))
  (component $needs-c (import "x" (component (import "x" (func (param "a" (list u8)))))))
  {}
)"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('(instance (instantiate $needs-f (with "x" (func $r))))', ""),
        ('(instance (instantiate $needs-f (with "x" (func $s))))', "type does not match"),
        (
            '(instance (instantiate $needs-f (with "x" (instance $i))))',
            "imports the func 'x', which no argument",
        ),
        ("(instance (instantiate $needs-f))", "imports the func 'x', which no argument"),
        ('(instance (instantiate $needs-i (with "x" (instance $i))))', ""),
        ('(instance $e) (instance (instantiate $needs-i (with "x" (instance $e))))', "imports the func 'f'"),
        ('(instance (instantiate $needs-t (with "x" (type $t))))', ""),
        ('(type $u u8) (instance (instantiate $needs-t (with "x" (type $u))))', "type does not match"),
        ('(instance (instantiate $needs-c (with "x" (component $needs-f))))', ""),
        ('(instance (instantiate $needs-c (with "x" (component $needs-i))))', "imports the instance 'x'"),
        ('(export "e" (func $s) (func (param "a" string)))', ""),
        ('(export "e" (func $s) (func (param "a" u8)))', "type does not match"),
        ('(export "e" (func $s) (func (param "b" string)))', "type does not match"),
        ('(export "e" (instance $i) (instance (export "f" (func))))', "type does not match"),
    ],
)
def test_arguments(text: str, reason: str) -> None:
    data = encode(WANTS.format(text))
    if not reason:
        assert decode(data).components == 4
    else:
        with pytest.raises(ModuleError, match=reason):
            decode(data)


def test_core_modules_as_arguments() -> None:
    def text(exported: str) -> bytes:
        return encode(f"""(component (core module $m (func (export "f") {exported}))
          (component $c (import "m" (core module (export "f" (func (param i32))))))
          (instance (instantiate $c (with "m" (core module $m)))))""")

    assert decode(text("(param i32)")).components == 1
    for wrong in ("(param i64)", ') (func (export "g")', "(param i32) (result i32) unreachable"):
        try:
            decode(text(wrong))
        except ModuleError as error:
            assert "does not match" in str(error)
        else:
            pytest.fail(wrong)


# ---- broken bytes -----------------------------------------------------------------------------------------


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest) -> bytes:
    return fixture(str(request.param))


def attempt(data: bytes) -> bool:
    """Whether it decodes; anything but a ModuleError that names a byte is a failure of the test. What decodes also
    has a text."""
    try:
        found = decode(data, "x.wasm", FEATURES)
    except ModuleError as error:
        assert str(error).startswith("x.wasm: byte ")
        return False
    assert text(found).startswith("package root:component;\n")
    return True


def test_truncation_at_every_byte(sample: bytes) -> None:
    whole = [size for size in range(len(sample)) if attempt(sample[:size])]
    assert attempt(sample)
    assert len(whole) < len(sample) // 8  # between two sections a shorter component ends


def test_one_bit_at_a_time(sample: bytes, long: bool) -> None:
    for at in range(len(sample)):
        for bit in range(8) if long else (at % 8,):
            attempt(sample[:at] + bytes([sample[at] ^ 1 << bit]) + sample[at + 1 :])


def test_random_bytes(sample: bytes) -> None:
    source = random.Random(len(sample))
    for _ in range(int(os.environ.get("WASI_NATIVE_MUTATIONS", "500"))):
        data = bytearray(sample)
        for _ in range(source.choice((1, 2, 5, 20))):
            at = source.randrange(8, len(data))
            kind = source.randrange(4)
            if kind == 0:
                data[at] = source.choice((0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)))
            elif kind == 1:
                del data[at : at + source.randrange(1, 9)]
            elif kind == 2:
                data[at:at] = bytes(source.randrange(256) for _ in range(source.randrange(1, 9)))
            else:
                data[at:at] = data[source.randrange(len(data)) :][:40]
            if len(data) < 10:
                break
        attempt(bytes(data))


BOMBS = {
    "counts": component(b"\7\5" + leb(0xFFFF_FFF0)),
    "many types": component(types(*[b"\x6b\x7f"] * 99_999)),
    "many labels": component(*[types(b"\x6d" + many(*[name(f"a{n}") for n in range(9_999)]))] * 10),
    "wide types": component(types(*[b"\x6f" + leb(9_999) + b"\x7f" * 9_999] * 10)),
    "growing types": component(
        types(b"\x6f\x0a" + b"\x7f" * 10, *[b"\x6f\x0a" + bytes([n]) * 10 for n in range(60)])
    ),
    "growing instances": component(
        types(
            INSTANCE,
            *[
                b"\x42"
                + many(b"\2\3\2\1" + bytes([n]), *[b"\4" + plain(f"a{k}") + b"\5\0" for k in range(30)])
                for n in range(60)
            ],
        )
    ),
    "outer aliases": component(*[types(b"\x42\1\2\3\2\1\0")] * 1000),
    "names": component(section(10, *[plain("a" * 99_999) + b"\3\1"] * 20)),
    "flat": component(
        types(b"\x67\x77" + leb(30_000_000), *[b"\x6f\x0a" + bytes([n]) * 10 for n in range(8)])
    ),
}


@pytest.mark.parametrize("kind", sorted(BOMBS))
def test_bombs(kind: str) -> None:
    """Small files that ask for much. What they may cost in memory is bounded."""
    data = BOMBS[kind]
    tracemalloc.start()
    attempt(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20

"""References: each is held against what is there, and of what sort; aliases of every kind."""

from __future__ import annotations

import pytest

from tests.component.asm import (
    EMPTY_MODULE,
    FUNC,
    HEAD,
    INSTANCE,
    RESOURCE,
    component,
    leb,
    name,
    plain,
    read,
    section,
    types,
)
from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.component.model import Alias, ResourceType
from wasi_native.errors import ModuleError

BAG = section(5, b"\1\1" + plain("t") + b"\3\0")


def aliases(text: str) -> list[tuple[str, str, int, str, int]]:
    found = decode(encode(text))
    return [
        (item.sort, item.how, item.index, item.name, item.count)
        for item in found.definitions
        if isinstance(item, Alias)
    ]


def test_aliases_of_exports() -> None:
    text = """(component
      (import "a" (instance $a
        (export "f" (func)) (export "t" (type (sub resource))) (export "i" (instance (export "g" (func))))
        (export "m" (core module))))
      (alias export $a "f" (func)) (alias export $a "t" (type)) (alias export $a "i" (instance $i))
      (alias export $i "g" (func)) (alias export $a "m" (core module)))"""
    assert aliases(text) == [
        ("func", "export", 0, "f", 0),
        ("type", "export", 0, "t", 0),
        ("instance", "export", 0, "i", 0),
        ("func", "export", 1, "g", 0),
        ("core module", "export", 0, "m", 0),
    ]


def test_aliases_of_core_exports() -> None:
    text = """(component
      (core module $m (func (export "f")) (memory (export "m") 1) (table (export "t") 1 funcref)
        (global (export "g") i32 (i32.const 0)))
      (core instance $i (instantiate $m))
      (alias core export $i "f" (core func)) (alias core export $i "m" (core memory))
      (alias core export $i "t" (core table)) (alias core export $i "g" (core global))
      (core instance $b (export "x" (func 0)))
      (alias core export $b "x" (core func)))"""
    sorts = [(sort, how, index, label) for sort, how, index, label, _count in aliases(text)]
    assert sorts == [
        ("core func", "core export", 0, "f"),
        ("core memory", "core export", 0, "m"),
        ("core table", "core export", 0, "t"),
        ("core global", "core export", 0, "g"),
        ("core func", "core export", 1, "x"),
    ]


def test_outer_aliases() -> None:
    inner = HEAD + section(6, b"\3\2\1\0", b"\0\x11\2\1\0", b"\0\x10\2\1\0")
    found = read(EMPTY_MODULE, section(3, b"\x60\0\0"), types(b"\x73"), section(4, inner))
    assert found.components == 1
    with pytest.raises(ModuleError, match="2 outwards"):
        read(types(b"\x73"), section(4, HEAD + section(6, b"\3\2\2\0")))


def test_no_resource_crosses_the_border_of_a_component() -> None:
    for kind in (RESOURCE, RESOURCE + b"\x69\0"):
        with pytest.raises(ModuleError, match="refers to a resource"):
            entries = [RESOURCE] if kind == RESOURCE else [RESOURCE, b"\x69\0"]
            index = bytes([len(entries) - 1])
            read(types(*entries), section(4, HEAD + section(6, b"\3\2\1" + index)))
    read(types(RESOURCE, b"\x42\1\2\3\2\1\0"))  # into a type of this component it may go


def test_an_alias_sees_what_was_given() -> None:
    """A component that hands on a resource hands on the one it was given."""
    text = """(component
      (type $R (resource (rep i32)))
      (component $C (import "x" (type $x (sub resource))) (export "y" (type $x)))
      (instance $c (instantiate $C (with "x" (type $R))))
      (alias export $c "y" (type $R2))
      (core func (canon resource.rep $R2))
      (type (borrow $R2)))"""
    found = decode(encode(text))
    handle = found.definitions[-1].type.parts[0]  # type: ignore[attr-defined]
    assert isinstance(handle, ResourceType) and handle.defined is False and handle.number == 0


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ([types(b"\x70\5")], "the type 5 does not exist; there are 0"),
        ([types(b"\x73", b"\x69\0")], "the type 0 is no type of a resource but of a string"),
        ([types(FUNC, b"\x70\0")], "no type of a value but of a func"),
        ([section(6, b"\3\2\1\0")], "1 outwards"),
        ([section(6, b"\3\2\0\0")], "the type 0 does not exist"),
        ([section(6, b"\3\3\0\0")], "unknown target 0x03"),
        ([section(6, b"\6\2\0\0")], "unknown sort 0x06"),
        ([section(6, b"\0\x13\2\0\0")], "unknown sort 0x13"),
        ([section(6, b"\2\2\0\0")], "values and start functions"),
        ([section(6, b"\5\2\0\0")], "outer alias of a instance"),
        ([section(6, b"\1\2\0\0")], "outer alias of a func"),
        ([types(b"\x73"), BAG, section(6, b"\3\0\0" + name("u"))], "the instance 0 has no type 'u'"),
        ([types(b"\x73"), BAG, section(6, b"\1\0\0" + name("t"))], "the instance 0 has no func 't'"),
        ([types(b"\x73"), BAG, section(6, b"\3\0\1" + name("t"))], "the instance 1 does not exist"),
        ([EMPTY_MODULE, section(2, b"\0\0\0"), section(6, b"\0\0\1\0" + name("f"))], "has no core func 'f'"),
        ([EMPTY_MODULE, types(b"\x42\1\2\0\x11\2\1\0")], "core module inside of a type"),
        ([types(INSTANCE, b"\x42\1\2\4\2\1\0")], "the component 0 does not exist"),
    ],
)
def test_references_that_are_wrong(sections: list[bytes], reason: str) -> None:
    with pytest.raises(ModuleError, match=f"c.wasm: byte \\d+, in the .* section: .*{reason}"):
        read(*sections)


def test_counts_are_bounded() -> None:
    with pytest.raises(ModuleError, match="100001 entries"):
        read(bytes([7]) + leb(100_004) + leb(100_001) + b"\x7f" * 100_001)
    many = [types(*[b"\x7f"] * 30_000)] * 4
    with pytest.raises(ModuleError, match="more than 100000 definitions"):
        decode(component(*many))


def test_work_is_bounded() -> None:
    """Components with many imports, instantiated often: the file is small, the comparing is not."""
    imports = [plain(f"f{n}") + b"\1\0" for n in range(3000)]
    inner = HEAD + types(FUNC) + section(10, *imports)
    args = b"".join(name(f"f{n}") + b"\1\0" for n in range(3000))
    make = b"\0\0" + b"\xb8\x17" + args
    top = [types(FUNC), section(10, plain("f") + b"\1\0"), section(4, inner)]
    read(*top, section(5, make))
    with pytest.raises(ModuleError, match=r"more than 100000 definitions|too many imports"):
        read(*top, *[section(5, *[make] * 40)] * 20)

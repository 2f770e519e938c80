"""Types and names, right ones and each way to be wrong."""

from __future__ import annotations

import pytest

from tests.component.asm import FUNC, INSTANCE, NONE, RESOURCE, leb, many, name, plain, read, section, types
from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.component.model import FuncType, InstanceType, ResourceType, Type, TypeDefinition, ValueType
from wasi_native.errors import ModuleError


def defined(*entries: bytes) -> list[Type]:
    found = []
    for item in read(types(*entries)).definitions:
        assert isinstance(item, TypeDefinition) and isinstance(item.type, Type)
        found.append(item.type)
    return found


def test_every_kind_of_value() -> None:
    entries = [
        RESOURCE,
        b"\x72" + many(name("a") + b"\x7f", name("b") + b"\x7d"),
        b"\x71" + many(name("x") + b"\1\x7e\0", name("y") + b"\0\0"),
        b"\x70\x7b",
        b"\x6f\2\x7c\x79",
        b"\x6e" + many(name("f1"), name("f2")),
        b"\x6d" + many(name("e1"), name("e2")),
        b"\x6b\x7a",
        b"\x6a\0\0",
        b"\x6a\1\x76\1\x75",
        b"\x69\0",
        b"\x68\0",
        b"\x66\1\x7d",
        b"\x65\0",
        b"\x63\x73\x79",
        b"\x67\x7d\3",
        b"\x64",
        b"\x70\2",
    ]
    found = defined(*entries)
    kinds = (
        "resource record variant list tuple flags enum option result result own borrow stream future map list"
    )
    assert [type.kind for type in found] == [*kinds.split(), "error-context", "list"]
    values = [type for type in found if isinstance(type, ValueType)]
    assert [label for label, _type in values[0].parts] == ["a", "b"] and values[1].parts[1] == ("y", None)
    assert values[2].parts[0].kind == "u16" and values[14].parts == (values[14].parts[0], 3)
    assert values[-1].parts[0] is found[2] and values[9].parts == (found[0],)
    assert values[0].value.size == 2 and values[9].value.parts == (0,)


def test_index_of_many_bytes() -> None:
    entries = [b"\x6d" + many(name(f"e{n}")) for n in range(65)]
    assert defined(*entries, b"\x70\xc0\0")[-1].parts[0].parts == ("e64",)  # type: ignore[attr-defined]


def test_equal_types_keep_their_own_names_and_share_the_layout() -> None:
    one, other = defined(b"\x6b\x7a", b"\x6b\x7a")
    assert isinstance(one, ValueType) and isinstance(other, ValueType)
    assert one is not other and one.value is other.value


def test_functions() -> None:
    plain_one, full, is_async = defined(FUNC, b"\x40" + many(name("p") + b"\x7f") + b"\0\x79", b"\x43\0\1\0")
    assert isinstance(plain_one, FuncType) and isinstance(full, FuncType) and isinstance(is_async, FuncType)
    assert plain_one.params == () and plain_one.result is None and not plain_one.is_async
    assert full.params[0][0] == "p" and full.result is not None and full.result.kind == "u32"
    assert is_async.is_async and full.function.names == ("p",)


def test_types_of_instances_and_components() -> None:
    instance = b"\x42" + many(b"\4" + plain("r") + b"\3\1", b"\1\x69\0", b"\4" + plain("o") + b"\3\0\1")
    body = many(b"\1\x73", b"\3" + plain("a") + b"\3\0\0", b"\1" + FUNC, b"\4" + plain("b") + b"\1\2")
    one, other = defined(instance, b"\x41" + body)
    assert isinstance(one, InstanceType) and list(one.exports) == ["r", "o"]
    resource = one.exports["r"].type
    assert isinstance(resource, ResourceType) and not resource.defined and one.least > resource.number
    assert one.exports["o"].type.of.kind == "own" and one.exports["o"].type.least == resource.number
    assert other.kind == "component" and list(other.imports) == ["a"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"\x62", "unknown type 0x62"),
        (b"\x44", "unknown type 0x44"),
        (b"\x70\x42", "unknown type 0x42"),
        (b"\x72\0", "nothing in it"),
        (b"\x71\0", "nothing in it"),
        (b"\x6f\0", "nothing in it"),
        (b"\x6e\0", "nothing in it"),
        (b"\x6e" + many(*[name(f"f{n}") for n in range(33)]), "33 flags"),
        (b"\x71" + many(name("c") + b"\0\1"), "behind a case is not 0"),
        (b"\x72" + many(name("a") + b"\x7f", name("A") + b"\x7f"), "field 'A' comes twice"),
        (b"\x6d" + many(name("aB")), "not in kebab case"),
        (b"\x6d" + many(name("")), "not in kebab case"),
        (b"\x67\x7d\0", "fixed length 0"),
        (b"\x67\x7d" + leb(1 << 28), "bytes, at most"),
        (b"\x66\1\x74", "stream of char"),
        (b"\x63\x76\x79", "keys of a map"),
        (b"\x40\0\1\1", "named results"),
        (b"\x40\0\2\0", "form 0x02 of a result"),
        (b"\x40" + many(name("a") + b"\x7f", name("a") + b"\x7f") + b"\1\0", "parameter 'a' comes twice"),
        (b"\x3f\x7d\0", "representation 0x7d"),
        (b"\x3f\x7f\2", "destructor is neither"),
        (b"\x41\1\1" + RESOURCE, "resource defined inside"),
        (b"\x41\1\5\x73", "unknown declaration 0x05"),
        (b"\x42\1\3" + plain("a") + b"\3\1", "unknown declaration 0x03"),
        (b"\x42" + many(b"\4" + plain("a") + b"\3\1", b"\4" + plain("A") + b"\3\1"), "taken"),
        (b"\x42" + many(b"\4" + plain("[method]a.b") + b"\3\1"), "no function"),
        (b"\x70\xc0\x7f", "out of range"),
        (b"\x70\x80\x80\x80\x80\x80\x01", "longer than it may be"),
    ],
)
def test_types_that_are_wrong(entry: bytes, reason: str) -> None:
    with pytest.raises(ModuleError, match=f"c.wasm: byte \\d+, in the type section: .*{reason}"):
        read(types(entry))


def test_borrowed_handles_stay_in_parameters() -> None:
    read(types(RESOURCE, b"\x68\0", b"\x40" + many(name("p") + b"\1") + b"\1\0"))
    for last in (b"\x40\0\0\1", b"\x66\1\1", b"\x65\1\1"):
        with pytest.raises(ModuleError, match="borrowed handle"):
            read(types(RESOURCE, b"\x68\0", last))
    with pytest.raises(ModuleError, match="borrowed handle"):
        read(types(RESOURCE, b"\x68\0", b"\x6b\1", b"\x40\0\0\2"))


def test_depth_and_size() -> None:
    chain = [b"\x6b\x7f"] + [b"\x6b" + (bytes([n]) if n < 64 else bytes([n | 0x80, 0])) for n in range(120)]
    read(types(*chain[:98]))
    with pytest.raises(ModuleError, match="100 deep"):
        read(types(*chain))
    wide = [b"\x6f\x0a" + b"\x7f" * 10] + [b"\x6f\x0a" + bytes([n]) * 10 for n in range(9)]
    with pytest.raises(ModuleError, match="1000000 types"):
        read(types(*wide))
    nested = INSTANCE
    for _ in range(60):
        nested = b"\x42\1\1" + nested
    with pytest.raises(ModuleError, match="nested more than 50"):
        read(types(nested))
    pairs = [INSTANCE] + [
        b"\x42" + many(b"\2\3\2\1" + bytes([n]), *[b"\4" + plain(f"a{k}") + b"\5\0" for k in range(8)])
        for n in range(9)
    ]
    with pytest.raises(ModuleError, match="1000000 types"):
        read(types(*pairs))


def test_renaming_is_bounded() -> None:
    names = [plain(f"t{n}") + b"\3" + leb(n) + b"\0" for n in range(120)]
    with pytest.raises(ModuleError, match="100 deep"):
        read(types(b"\x6b\x7f"), section(11, *names))


IMPORT = types(FUNC, INSTANCE, b"\x73")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"\3" + name("a") + b"\1\0", "form 0x03 of a name"),
        (plain("Foo") + b"\1\0", "kebab"),
        (plain("") + b"\1\0", "kebab"),
        (b"\0\2\xff\xfe\1\0", "UTF-8"),
        (b"\0\x7fab", "beyond the section|truncated"),
        (plain("a") + b"\6\0", "kind 0x06"),
        (plain("a") + b"\0\0", "core import"),
        (plain("a") + b"\0\x11\0", "core type 0 does not exist"),
        (plain("a") + b"\3\2", "bound 0x02"),
        (plain("a") + b"\2\0\0", "values and start functions"),
        (plain("a") + b"\1\1", "no type of a func but of a instance"),
        (plain("a") + b"\5\0", "no type of a instance but of a func"),
        (plain("a") + b"\4\0", "no type of a component"),
        (b"\2" + name("a") + b"\1\3" + name("x") + b"\1\0", "attribute 0x03"),
        (b"\2" + name("a") + b"\1\1" + name("x") + b"\1\0", "canonical names"),
        (
            b"\2" + name("i") + b"\2\0" + name("a:b/x") + b"\0" + name("a:b/y") + b"\5\1",
            "implements comes twice",
        ),
        (b"\2" + name("i") + b"\1\0" + name("nope") + b"\5\1", "no name of an interface"),
        (b"\2" + name("i") + b"\1\0" + name("") + b"\5\1", "implements"),
        (b"\2" + name("i") + b"\1\0" + name("a:b/x") + b"\1\0", "instances with plain names"),
        (b"\2" + name("a:b/c") + b"\1\0" + name("a:b/x") + b"\5\1", "instances with plain names"),
        (plain("[constructor]a") + b"\1\0", "no resource 'a'"),
        (plain("[method]a.b") + b"\5\1", "is no function"),
    ],
)
def test_imports_that_are_wrong(entry: bytes, reason: str) -> None:
    with pytest.raises(ModuleError, match=f"c.wasm: byte \\d+, in the import section: .*{reason}"):
        read(IMPORT, section(10, entry))


def test_attributes() -> None:
    entry = b"\2" + name("i") + b"\2\0" + name("a:b/x@1.0.0") + b"\2" + name("☃") + b"\5\1"
    found = read(IMPORT, section(10, entry, b"\1" + name("j") + b"\1\0"), allow=NONE)
    assert found.imports["i"].attributes == {"implements": "a:b/x@1.0.0", "external-id": "☃"}
    assert found.imports["j"].attributes is None


METHODS = [
    # the parameters and result of a function named so, given own 1, borrow 2, string
    ("[constructor]a", b"\x40\0\0\1", True),
    ("[constructor]a", b"\x40\0\0\x73", False),
    ("[constructor]a", b"\x40\0\1\0", False),
    ("[constructor]a", b"\x40\0\0\3", True),  # result<own>
    ("[method]a.b", b"\x40" + many(name("self") + b"\2") + b"\1\0", True),
    ("[method]a.b", b"\x40" + many(name("it") + b"\2") + b"\1\0", False),
    ("[method]a.b", b"\x40" + many(name("self") + b"\1") + b"\1\0", False),
    ("[method]a.b", b"\x40" + many(name("self") + b"\x73") + b"\1\0", False),
    ("[method]a.b", FUNC, False),
    ("[static]a.b", FUNC, True),
    ("[static]b.b", FUNC, False),
]


@pytest.mark.parametrize(("label", "func", "right"), METHODS)
def test_functions_of_resources(label: str, func: bytes, right: bool) -> None:
    parts = [section(10, plain("a") + b"\3\1"), types(b"\x69\0", b"\x68\0", b"\x6a\1\1\0", func)]
    parts.append(section(10, plain(label) + b"\1\4"))
    if right:
        assert label in read(*parts).imports
    else:
        with pytest.raises(ModuleError, match=r"has not the form|there is no resource"):
            read(*parts)


@pytest.mark.parametrize(
    ("sections", "feature"),
    [
        ([types(b"\x64")], "error-context"),
        ([types(b"\x67\x7d\3")], "fixed-length lists"),
        ([types(b"\x3f\x7e\0")], "memory64"),
    ],
)
def test_gated_types(sections: list[bytes], feature: str) -> None:
    assert read(*sections).features == {feature}
    with pytest.raises(ModuleError, match=f"{feature}: this feature of components is not offered"):
        read(*sections, allow=NONE)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"\x50\1\4\x60\0\0", "declaration 0x04"),
        (b"\x50\1\2\0\1\1\0", "core type alone"),
        (b"\x50\1\2\x10\0\1\0", "outer one alone"),
        (b"\x50\2\1\x50\0\1\x60\0\0", "kind of core type 0x01|kind of core type 0x50"),
        (b"\0\x60\0\0", "core type 0x00 0x60"),
        (b"\x50\1\0" + name("a") + name("b") + b"\0\0", "no type of functions"),
        (b"\x50" + many(b"\3" + name("a") + b"\2\0\1", b"\3" + name("a") + b"\2\0\1"), "comes twice"),
        (
            b"\x50"
            + many(b"\0" + name("a") + name("b") + b"\2\0\1", b"\0" + name("a") + name("b") + b"\2\0\1"),
            "twice",
        ),
    ],
)
def test_core_types_that_are_wrong(entry: bytes, reason: str) -> None:
    with pytest.raises(ModuleError, match=reason):
        read(section(3, entry))


def test_core_types() -> None:
    body = many(
        b"\1\x60\0\0",
        b"\0" + name("a") + name("b") + b"\0\0",
        b"\2\x10\1\1\0",
        b"\2\x10\1\0\0",
        b"\3" + name("e") + b"\0\2",
    )
    found = read(section(3, b"\x60\1\x7f\0"), section(3, b"\0\x50\0\x60\0\0"), section(3, b"\x50" + body))
    last = found.definitions[-1]
    assert isinstance(last, TypeDefinition) and last.sort == "core type"
    assert last.type.types == [("", ""), ("i", ""), ("", "")]  # type: ignore[union-attr]


def test_a_method_is_of_the_resource_by_its_own_name() -> None:
    """Not of the same one by another name."""
    eq = '(component (import "r" (type $r (sub resource))) (import "s" (type $s (eq $r))) {})'
    instance = """(component (import "i" (instance $i (export "r" (type $r (sub resource)))))
      (alias export $i "r" (type $r)) (import "j" (instance (alias outer 1 $r (type $o))
      (export "r" (type $r (eq $o))) (export "[method]r.m" (func (param "self" (borrow {})))))))"""
    handed = """(component (import "i" (instance $i (export "r" (type $r (sub resource)))
      (export "[method]r.m" (func (param "self" (borrow $r))))))
      (export $r "r" (type $i "r")) (export "[method]r.m" (func $i "[method]r.m") {}))"""
    method = '(import "[method]{}.m" (func (param "self" (borrow {}))))'
    for right, wrong in (
        (eq.format(method.format("s", "$s")), eq.format(method.format("s", "$r"))),
        (eq.format(method.format("r", "$r")), eq.format(method.format("r", "$s"))),
        (instance.format("$r"), instance.format("$o")),
        (handed.format('(func (param "self" (borrow $r)))'), handed.format("")),
    ):
        assert decode(encode(right))
        with pytest.raises(ModuleError, match=r"m' has not the form of a method of '[rs]'"):
            decode(encode(wrong))

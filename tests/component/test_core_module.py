"""What is read of the core modules inside of a component."""

from __future__ import annotations

import pytest

from tests.component.asm import MODULE, leb, many, name
from tests.component.build import encode
from wasi_native.component.core_module import CoreModule, ModuleType
from wasi_native.component.reader import Reader
from wasi_native.errors import ModuleError

WAT = """(module
  (import "a" "f" (func (param i32 i64) (result f32)))
  (import "a" "m" (memory i64 1))
  (import "b" "g" (global (mut i32)))
  (import "b" "t" (table 1 funcref))
  (func (export "g") (param f64) (result i32) unreachable)
  (func (export "h"))
  (memory 1) (export "m64" (memory 0)) (export "m32" (memory 1))
  (export "f" (func 0)) (export "t" (table 0)))"""


def module(data: bytes) -> CoreModule:
    whole = b"before" + data + b"after"
    return CoreModule(Reader(whole, "m.wasm"), 6, 6 + len(data))


def section(code: int, body: bytes) -> bytes:
    return bytes([code]) + leb(len(body)) + body


def test_imports_exports_and_signatures() -> None:
    data = encode(WAT)
    one = module(data)
    assert bytes(one.data) == data and isinstance(one.data, memoryview)
    kinds = {key: kind for key, (kind, _type) in one.imports.items()}
    assert kinds == {("a", "f"): 0, ("a", "m"): 2, ("b", "g"): 3, ("b", "t"): 1}
    assert one.imported(one.imports["a", "f"][1]) == ("iI", "f")
    assert {key: kind for key, (kind, _index) in one.exports.items()} == {
        "g": 0, "h": 0, "m64": 2, "m32": 2, "f": 0, "t": 1,
    }  # fmt: skip
    assert one.signature(one.exports["g"][1]) == ("F", "i")
    assert one.signature(one.exports["h"][1]) == ("", "")
    assert one.signature(one.exports["f"][1]) == ("iI", "f")
    assert one.wide(one.exports["m64"][1]) and not one.wide(one.exports["m32"][1])
    assert one.signature(9) is None and one.wide(9) is False and one.imported(99) is None


def test_each_part_may_be_asked_first() -> None:
    data = encode(WAT)
    assert module(data).wide(0) is True
    assert module(data).signature(1) == ("F", "i")
    assert module(data).exports["h"] == (0, 2)


def test_an_empty_module() -> None:
    one = module(MODULE)
    assert one.imports == {} and one.exports == {} and one.signature(0) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0asm\x0d\0\1\0", "no core module"),
        (MODULE[:5], "beyond the section|truncated"),
        (MODULE + section(1, b"\0") + section(11, b"\0") + section(1, b"\0"), "twice or too late"),
        (MODULE + section(7, b"\0") * 2, "twice or too late"),
        (MODULE + section(14, b""), "unknown section"),
        (MODULE + b"\1\x70", "beyond the section"),
    ],
)
def test_headers_that_are_wrong(data: bytes, reason: str) -> None:
    with pytest.raises(ModuleError, match=reason):
        module(data)


@pytest.mark.parametrize(
    ("sections", "part"),
    [
        (section(7, many(name("a") + b"\0\0", name("a") + b"\0\1")), "exports"),
        (section(7, many(name("a") + b"\5\0")), "exports"),
        (section(7, many(b"\7ab")), "exports"),
        (section(2, many(name("a") + name("b") + b"\7\0")), "imports"),
        (section(2, leb(200_000) + b"x" * 200_000), "imports"),
    ],
)
def test_parts_that_are_wrong(sections: bytes, part: str) -> None:
    one = module(MODULE + sections)
    with pytest.raises(ModuleError, match=r"m\.wasm: byte"):
        getattr(one, part)


def test_a_reader_is_left_where_it_was() -> None:
    reader = Reader(encode(WAT), "m.wasm")
    one = CoreModule(reader, 0, len(reader.data))
    reader.at, reader.end = 3, 5
    assert one.exports and one.signature(1) and one.wide(0) and (reader.at, reader.end) == (3, 5)


def test_what_is_read_of_all_modules_together_is_bounded() -> None:
    names = many(*[name(f"e{n}") + b"\0\0" for n in range(90_000)])
    data = MODULE + section(7, names)
    reader = Reader(data, "m.wasm")
    for _ in range(2):
        assert len(CoreModule(reader, 0, len(data)).exports) == 90_000
    with pytest.raises(ModuleError, match="too many types, imports and exports together"):
        _ = CoreModule(reader, 0, len(data)).exports
    groups = Reader(b"\x4e\xa0\x8d\6" + b"\x60\0\0" * 100_000, "m.wasm")
    groups.room = 700_000
    with pytest.raises(ModuleError, match="together"):
        groups.rec_type(groups.byte(), lambda _type: None)


def test_a_declared_type_has_the_same_face() -> None:
    one = ModuleType()
    one.types += [("i", ""), None]
    one.exports["f"] = (0, 0)
    assert one.signature(0) == one.imported(0) == ("i", "") and one.signature(1) is None is one.signature(5)
    assert one.wide(1) and not one.wide(0)

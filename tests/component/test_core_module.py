"""What is read of the core modules inside of a component."""

from __future__ import annotations

import pytest

from tests.component.asm import MODULE, leb, many, name
from tests.component.build import encode
from wasi_native.component.core_module import CoreModule, ModuleType
from wasi_native.component.reader import Limits, Reader
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
    assert one.extern(2, one.exports["m64"][1]).wide and not one.extern(2, one.exports["m32"][1]).wide
    assert one.signature(9) is None and one.extern(2, 9) is None and one.imported(99) is None


def test_each_part_may_be_asked_first() -> None:
    data = encode(WAT)
    assert module(data).extern(2, 0).wide is True
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
    assert one.exports and one.signature(1) and one.extern(2, 1) and (reader.at, reader.end) == (3, 5)


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
    memory = Limits(1, 2, False, False, 16)
    assert one.extern(2, memory) is memory


def test_tables_memories_and_globals() -> None:
    one = module(
        encode("""(module
          (import "a" "t" (table 1 2 externref)) (import "a" "g" (global f64))
          (table (export "t") 3 funcref) (table (export "i64") i64 4 5 externref)
          (table (export "filled") 6 6 funcref (ref.null func))
          (memory (export "m") 7 8 shared)
          (func $f) (elem declare func $f)
          (global (export "g") (mut i64) (i64.const -5_000_000_000))
          (global (export "sum") i32 (i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 300))))
          (global (export "floats") f32 (f32.const 1)) (global (export "f64") f64 (f64.const 1))
          (global (export "ref") funcref (ref.func $f)) (global (export "null") externref (ref.null extern))
          (global (export "of") f64 (global.get 0))
          (global (export "v") v128 (v128.const i64x2 1 2))
          (global (export "after") i32 (i32.const 0)))""")
    )

    def limits(kind: int, index: int) -> tuple[object, ...]:
        found = one.extern(kind, index)
        return found.element, found.low, found.high, found.wide, found.shared, found.page

    assert limits(1, 0) == (0x6F, 1, 2, False, False, 16)
    assert limits(1, one.exports["t"][1]) == (0x70, 3, None, False, False, 16)
    assert limits(1, one.exports["i64"][1]) == (0x6F, 4, 5, True, False, 16)
    assert limits(1, one.exports["filled"][1]) == (0x70, 6, 6, False, False, 16)
    assert limits(2, one.exports["m"][1]) == (0, 7, 8, False, True, 16)
    names = ("g", "sum", "floats", "f64", "ref", "null", "of", "v")
    assert one.extern(3, 0) == (0x7C, False)
    assert [one.extern(3, one.exports[name][1]) for name in names] == [
        *((0x7E, True), (0x7F, False), (0x7D, False), (0x7C, False)),
        *((0x70, False), (0x6F, False), (0x7C, False), (0x7B, False)),
    ]
    # what stands behind an expression that is not known is not known either
    assert one.extern(3, one.exports["after"][1]) is None and one.extern(3, 99) is None


def test_an_import_that_comes_twice() -> None:
    data = encode('(module (import "a" "f" (func)) (import "a" "g" (func)) (import "a" "f" (global i32)))')
    with pytest.raises(ModuleError, match="the import 'a' 'f' of a core module comes twice"):
        _ = module(data).imports

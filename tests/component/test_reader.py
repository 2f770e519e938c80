"""Numbers, names and core types, as bytes say them."""

from __future__ import annotations

import pytest

from tests.component.asm import MODULE, leb, name
from wasi_native.component.reader import FEATURES, Reader
from wasi_native.errors import ModuleError


def reader(data: bytes, allow: frozenset[str] = frozenset()) -> Reader:
    return Reader(data, "r.wasm", 0, allow)


@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0xFFFF_FFFF])
def test_numbers(value: int) -> None:
    one = reader(leb(value))
    assert one.number() == value and one.at == len(leb(value))


def test_numbers_with_zeros_behind_them() -> None:
    assert reader(b"\x81\x80\x80\x80\0").number() == 1


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80\x80", b"\x81\x80\x80\x80\x70", b"\x80\x80\x80\x80\x80\0"]
)
def test_numbers_that_are_none(data: bytes) -> None:
    with pytest.raises(ModuleError, match=r"r\.wasm: byte"):
        reader(data).number()


def test_the_end_bounds_numbers_and_names() -> None:
    one = reader(b"\x85\1abc")
    one.end = 1
    with pytest.raises(ModuleError, match="beyond the section"):
        one.number()
    one = reader(name("abc"))
    one.end = 3
    with pytest.raises(ModuleError, match="beyond the section"):
        one.text()


@pytest.mark.parametrize("text", ["", "a", "x" * 127, "x" * 128, "é☃", "x" * 20000])
def test_names(text: str) -> None:
    assert reader(name(text)).text() == text


@pytest.mark.parametrize(
    "data", [b"\2\xff\xfe", b"\x80\1" + b"\xff" * 128, b"\5ab", b"\xa1\x8d\6" + b"x" * 100001]
)
def test_names_that_are_none(data: bytes) -> None:
    with pytest.raises(ModuleError):
        reader(data).text()


def test_gates() -> None:
    one = reader(b"", frozenset({"threads"}))
    one.gate("threads")
    assert one.used == {"threads"}
    with pytest.raises(ModuleError, match="memory64: this feature of components is not offered"):
        one.gate("memory64")
    assert "threads" in FEATURES and "values" not in FEATURES


def test_flags_and_headers() -> None:
    assert reader(b"\0").flag("x") is False and reader(b"\1").flag("x") is True
    with pytest.raises(ModuleError, match=r"byte 0, .*0x02 of x"):
        reader(b"\2").flag("x")
    reader(MODULE).module_header()
    with pytest.raises(ModuleError, match=r"byte 0, .*no core module"):
        reader(b"\0asm\x0d\0\1\0").module_header()


def test_core_types() -> None:
    found: list[tuple[str, str] | None] = []
    one = reader(b"\x60\3\x7f\x7e\x7b\2\x7d\x7c")
    one.rec_type(one.byte(), found.append)
    one = reader(b"\x60\1\x70\1\x63\x70")
    one.rec_type(one.byte(), found.append)
    one = reader(b"\x4e\3\x5f\2\x78\0\x7f\1\x5e\x77\1\x50\1\0\x60\0\0")
    one.rec_type(one.byte(), found.append)
    assert found == [("iIv", "fF"), ("r", "r"), None, None, ("", "")]


@pytest.mark.parametrize("data", [b"\x61", b"\x60\1\x01\0", b"\x5f\1\x7f\2", b"\x60\xe9\x07"])
def test_core_types_that_are_none(data: bytes) -> None:
    one = reader(data)
    with pytest.raises(ModuleError):
        one.rec_type(one.byte(), lambda _type: None)


def test_limits_and_externs() -> None:
    one = reader(b"\0\1").limits()
    assert (one.low, one.high, one.wide, one.shared, one.page) == (1, None, False, False, 16)
    one = reader(b"\x0f\1\2\0").limits()
    assert (one.low, one.high, one.wide, one.shared, one.page) == (1, 2, True, True, 0)
    assert reader(b"\7").core_extern(0) == reader(b"\0\7").core_extern(4) == 7
    table, memory = reader(b"\x70\0\1").core_extern(1), reader(b"\4\1").core_extern(2)
    assert (table.element, table.low, memory.element, memory.wide) == (0x70, 1, 0, True)
    assert reader(b"\x7f\1").core_extern(3) == (0x7F, True)
    assert reader(b"\x63\x70\0").core_extern(3) == (-1, False)
    assert reader(b"\0\x80\x80\4").core_extern(2).low == 1 << 16
    assert reader(b"\x08\x81\x80\4\0").core_extern(2).page == 0
    wrong = [(3, b"\x7f\2"), (4, b"\1\0"), (5, b"\0"), (1, b"\x01\0\1"), (2, b"\x10\1")]
    wrong += [(2, b"\0\x81\x80\4"), (2, b"\1\0\x81\x80\4"), (2, b"\1\2\1"), (1, b"\x70\1\2\1")]
    wrong += [(2, b"\4\x81\x80\x80\x80\x80\x80\x40")]
    for kind, data in wrong:
        with pytest.raises(ModuleError):
            reader(data).core_extern(kind)

"""The arguments: pointers, then terminated strings, byte by byte."""

from __future__ import annotations

from collections.abc import Callable

from tests.support import Guest


def test_args_sizes_get(plain: Callable[..., Guest]) -> None:
    g = plain(args=["aa", "", "ccc"])
    with g.writes_only((64, 4), (128, 4)):
        assert g.args_sizes_get(64, 128) == 0
    assert (g.unpack("I", 64), g.unpack("I", 128)) == (4, len(b"p\0aa\0\0ccc\0"))


def test_args_get(plain: Callable[..., Guest]) -> None:
    g = plain(args=["aa", "", "ccc"])
    with g.writes_only((64, 16), (201, 10)):
        assert g.args_get(64, 201) == 0
    assert g.memory.read(201, 10) == b"p\0aa\0\0ccc\0"
    assert g.unpack("4I", 64) == (201, 203, 206, 207)


def test_args_are_bytes_not_text(plain: Callable[..., Guest]) -> None:
    g = plain(args=["\N{SNOWMAN}", "\udcff"])
    assert g.args_get(64, 200) == 0
    assert g.memory.read(200, 8) == b"p\0\xe2\x98\x83\0\xff\0"


def test_the_first_argument_is_the_module_when_nothing_else_is_said(plain: Callable[..., Guest]) -> None:
    g = plain()
    assert g.args_sizes_get(0, 4) == 0 and g.unpack("2I", 0) == (1, 2)


def test_args_get_fills_memory_to_its_last_byte(plain: Callable[..., Guest]) -> None:
    g = plain(args=["aa"])
    end = g.size - 5
    assert g.args_get(0, end) == 0
    assert g.memory.read(end, 5) == b"p\0aa\0" and g.unpack("2I", 0) == (end, end + 2)


def test_args_get_traps_one_byte_further(plain: Callable[..., Guest]) -> None:
    g = plain(args=["aa"])
    with g.writes_only():
        assert g.traps("args_get", 0, g.size - 4) == "host-pointer"


def test_args_get_traps_for_a_table_that_is_misaligned(plain: Callable[..., Guest]) -> None:
    g = plain()
    with g.writes_only():
        assert g.traps("args_get", 2, 100) == "host-alignment"

"""The second notation: what it means, what it refuses, and that the rows are the official interfaces.

``WASI_NATIVE_WIT`` names the folder ``proposals`` of a checkout of WASI at v0.2.12; ``WASI_NATIVE_COMPONENTS`` a
folder of components that tool chains made, whose core modules import by the same signatures.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.abi.wit_text import Shape, official
from tests.guests import driver
from wasi_native.component import FEATURES, decode
from wasi_native.component.core_module import CoreModule

ROWS = (driver.ABI / "p2.rows").read_text(encoding="utf-8")
HEAD = "package p 0.2 io\ninterface i\n"


@pytest.fixture(scope="module")
def wit() -> ModuleType:
    found = driver._generate().generate_wit
    assert isinstance(found, ModuleType)
    return found


def ours(wit: ModuleType) -> dict[str, Shape]:
    """The rows in the same form as the official text."""
    found: dict[str, Shape] = {}
    package, shape = "", {}
    for _number, line in wit.lines(ROWS):
        words = line.split()
        if words[0] == "package":
            package = words[1]
        elif words[0] == "interface":
            shape = found[f"{package}/{words[1]}"] = {}
        elif words[0] == "pending":
            pass
        elif words[0] == "resource":
            shape[words[1]] = ("resource",)
        elif words[0] == "type" and len(words) == 3:
            shape[words[1]] = ("type", words[2])
        elif words[0] in ("enum", "flags", "record", "variant"):
            shape[words[1]] = (words[0], words[2:])
        else:
            result = words[-1] if "->" in words else ""
            params = [tuple(word.split(":", 1)) for word in words[1:] if ":" in word]
            shape[words[0]] = ("func", params, result)
    return found


def test_the_rows_are_the_official_text(wit: ModuleType) -> None:
    folder = os.environ.get("WASI_NATIVE_WIT")
    if not folder:
        pytest.skip("WASI_NATIVE_WIT names no checkout")
    wanted = official(Path(folder))
    del wanted["cli/run"]  # what a guest exports
    found = ours(wit)
    assert sorted(found) == sorted(wanted)
    for name, shape in wanted.items():
        assert found[name] == shape, name
    functions = sum(part[0] == "func" for shape in found.values() for part in shape.values())
    assert (len(found), functions) == (28, 126)


def imports(module: CoreModule) -> list[tuple[str, str, tuple[str, str]]]:
    found = []
    for (where, name), (kind, index) in module.imports.items():
        signature = module.imported(index)
        if kind == 0 and signature is not None:
            found.append((where, name, signature))
    return found


def test_the_signatures_are_those_that_guests_import(wit: ModuleType) -> None:
    folder = os.environ.get("WASI_NATIVE_COMPONENTS")
    if not folder:
        pytest.skip("WASI_NATIVE_COMPONENTS names no folder")
    reader = wit.Reader(ROWS, "p2.rows")
    rows = {(f.module, f.name): f.flat() if f.drops is None else ("i", "") for f in reader.funcs}
    seen = set()
    for path in sorted(Path(folder).glob("*.wasm")):
        data = path.read_bytes()
        if data[:8] != b"\0asm\x0d\0\x01\0":
            continue
        for module in decode(data, path.name, FEATURES).modules:
            for where, name, signature in imports(module):
                match = re.fullmatch(
                    r"(wasi:(?:io|clocks|random|filesystem|sockets|cli)/[a-z-]+@0\.2)\.\d+", where
                )
                if match and (match[1], name) in rows:
                    assert rows[match[1], name] == signature, f"{path.name}: {where} {name}"
                    seen.add((match[1], name))
                else:
                    assert match is None or name == "run", f"{path.name}: {where} {name}"
    assert len(seen) >= 40, len(seen)


def test_modules_are_of_a_track(wit: ModuleType) -> None:
    reader = wit.Reader(HEAD + "f a:u32 -> u64\n", "x")
    assert [(func.module, func.name, func.handler) for func in reader.funcs] == [("wasi:p/i@0.2", "f", "p_f")]
    assert reader.funcs[0].flat() == ("i", "I")


def test_handlers_are_named_by_what_tells_them_apart(wit: ModuleType) -> None:
    text = HEAD + "resource r\nr.now\nnow\nonce\ninterface j-k\nnow\n"
    reader = wit.Reader(text, "x")
    assert [func.handler for func in reader.funcs if func.drops is None] == [
        "p_r_now",
        "p_i_now",
        "p_once",
        "p_j_k_now",
    ]
    assert [func.name for func in reader.funcs][:2] == ["[resource-drop]r", "[method]r.now"]


def test_a_pending_interface_has_types_alone(wit: ModuleType) -> None:
    text = HEAD + "pending\nenum e a b\nf x:e\ninterface j\ng x:e\n"
    made = wit.header("p9", wit.Reader(text, "x"), "x")
    assert "wn_p2_p_g(" in made and "wn_p2_p_f(" not in made and "WN_P2_P_E_B = 1" in made


def test_what_is_flat(wit: ModuleType) -> None:
    text = HEAD + (
        "record r a:u8 b:u64\nvariant v x y(r) z(u32)\nflags f a b c\nenum e a b\nresource res\n"
        "res.all l:list<u16> r:r v:v o:option<u32> f:f e:e b:bool n:u16 other:borrow<res>\n"
        "result a:u32 -> result<tuple<u8,u64>,e>\none -> option<u8>\n"
    )
    reader = wit.Reader(text, "x")
    func, result, one = (f for f in reader.funcs if f.drops is None)
    assert func.flat() == ("i" + "ii" + "iI" + "iiI" + "ii" + "i" + "i" + "i" + "i" + "i", "")
    assert result.flat() == ("ii", "") and one.flat() == ("i", "")
    words = "self l l_len r_a r_b v v_1 v_2 o o_1 f e b n other"
    assert [word for word, _letter, _one in wit.names(func)] == words.split()
    made = "\n".join(wit.trampoline(func))
    pieces = ["wn_p2_case(guest, v, 3)", "wn_p2_case(guest, o, 2)", "wn_p2_case(guest, e, 2)", "& 7u", "!= 0"]
    pieces += ["(uint16_t)WN_SLOT_U32", "&wn_p2_rt_res, &other)", "wn_p2_enter(guest)"]
    for piece in pieces:
        assert piece in made, piece
    made = "\n".join(wit.trampoline(result))
    assert "wn_p2_area(guest, ret, 24, 8)" in made and "ret + 8)" in made and "wn_p2_p_e);" in made


def test_constants(wit: ModuleType) -> None:
    text = HEAD + "record r a:u8 b:option<u64>\nvariant v x y(r)\nflags f a b\nf x:u32 -> tuple<u8,u32>\n"
    made = "\n".join(wit.constants(wit.Reader(text, "x")))
    for piece in ("R_A = 0", "R_B = 8", "R_SIZEOF = 24", "R_ALIGNOF = 8", "OPTION_U64_SOME = 8", "V_Y = 1",
                  "V_PAYLOAD = 8", "F_B = 2", "F_ALL = 3", "TUPLE_U8_U32_1 = 4"):  # fmt: skip
        assert f"WN_P2_P_{piece}" in made, piece


def test_errnos_are_those_of_the_one_map(wit: ModuleType) -> None:
    reader = wit.Reader(ROWS, "p2.rows")
    line = " ".join(wit.errnos(reader))
    codes = [int(word) for word in line.partition("{")[2].rstrip("}; ").split(",")]
    labels = [
        label
        for label, _ in next(p for p in reader.packages if p.name == "filesystem").types["error-code"].parts
    ]
    assert len(codes) == 77
    assert [labels[codes[n]] for n in (2, 8, 20, 29, 44, 54, 63, 76)] == [
        "access", "bad-descriptor", "exist", "io", "no-entry", "not-directory", "not-permitted", "not-permitted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("package p 0.2 io\n", "x: no functions"),
        ("interface i\n", "x:1: no interface yet"),
        ("package p 0.2 io\nf\n", "x:2: no interface yet"),
        (HEAD + "f a:nothing\n", "x:3: no type 'nothing'"),
        (HEAD + "f a:list<u8\n", "x:3: not a type"),
        (HEAD + "f a:list<u8,u8>\n", "x:3: not a type"),
        (HEAD + "f a:bag<u8>\n", "x:3: not a type"),
        (HEAD + "f a:borrow<u8>\n", "x:3: not a resource"),
        (HEAD + "f u8\n", "x:3: not NAME:TYPE"),
        (HEAD + "f -> u8 u8\n", "x:3: not one type behind the arrow"),
        (HEAD + "F a:u8\n", "x:3: not a line"),
        (HEAD + "r.f\n", "x:3: no resource 'r'"),
        (HEAD + "f\nf\n", "x:4: f is here twice"),
        (HEAD + "enum e a\nenum e b\n", "x:4: no new name: 'e'"),
        (HEAD + "variant v a(u8\n", "x:3: not CASE or CASE(TYPE)"),
        (HEAD + "resource r\nf a:r\n", "x:4: a resource that is given away"),
        (HEAD + "f " + " ".join(f"a{n}:u8" for n in range(17)) + "\n", "x:3: more than 16 flat parameters"),
    ],
)
def test_refusals(wit: ModuleType, text: str, message: str) -> None:
    with pytest.raises(wit.WitError) as error:
        wit.Reader(text, "x")
    assert str(error.value).startswith(message)

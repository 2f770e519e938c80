"""WIT text: that of our own fixtures to the letter, and of the reference's samples where a checkout is named.

``WASI_NATIVE_WASM_TOOLS`` names a checkout of the wasm-tools repository: its tests hold components as text beside
what the reference prints of them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.component.asm import FUNC, many, name, plain, read, section, types
from tests.component.build import HERE, encode, fixture, nameless
from wasi_native.component import FEATURES, decode
from wasi_native.component.wit import KEYWORDS, escaped, text
from wasi_native.errors import ModuleError

NAMES = sorted(path.stem for path in (HERE / "fixtures").glob("*.wit"))


def of(source: str) -> str:
    return text(decode(encode(source)))


@pytest.mark.parametrize("kind", NAMES)
def test_fixtures(kind: str) -> None:
    found = decode(fixture(kind), kind)
    assert text(found) == (HERE / "fixtures" / f"{kind}.wit").read_text()
    assert text(found) == text(found)


def test_every_fixture_has_its_text() -> None:
    assert sorted(path.stem for path in (HERE / "fixtures").glob("*.wat")) == NAMES


def test_an_empty_world() -> None:
    assert of("(component)") == "package root:component;\n\nworld root {\n}\n"
    assert "world %use {" in text(decode(encode("(component)")), "use")


def test_words_of_the_language() -> None:
    assert (
        escaped("type") == "%type"
        and escaped("types") == "types"
        and escaped("error-context") == "%error-context"
    )
    assert "async" in KEYWORDS and "_" not in KEYWORDS


def test_an_interface_that_is_imported_and_exported_is_told_once() -> None:
    found = of("""(component
      (import "a:b/c@1.0.0" (instance $i (export "t" (type (sub resource))) (export "f" (func))))
      (export "a:b/c@1.0.0" (instance $i)))""")
    assert found.count("interface c {") == 1 and found.count("resource t;") == 1
    assert "  import a:b/c@1.0.0;\n\n  export a:b/c@1.0.0;\n" in found


def test_two_names_for_a_type_that_is_used() -> None:
    """Two interfaces call their types alike; a third uses both."""
    found = of("""(component
      (import "a:b/one" (instance $one (export "t" (type (sub resource)))))
      (import "a:b/two" (instance $two (export "t" (type (sub resource)))))
      (alias export $one "t" (type $t1)) (alias export $two "t" (type $t2))
      (import "f" (func (param "x" (own $t1)) (param "y" (borrow $t2)))))""")
    assert "use a:b/one.{t};\n  use a:b/two.{t as t-2};\n" in found
    assert "import f: func(x: t, y: borrow<t-2>);" in found


def test_a_type_that_an_inner_component_hands_on() -> None:
    found = of("""(component
      (import "a:b/c" (instance $i (export "t" (type (sub resource)))))
      (alias export $i "t" (type $t))
      (component $C (import "x" (type $x (sub resource))) (export "y" (type $x)))
      (instance $c (instantiate $C (with "x" (type $t))))
      (export "d:e/f" (instance $c)))""")
    assert "use a:b/c.{t as y};" in found


def test_a_type_that_nobody_named_gets_a_name() -> None:
    assert "record unnamed-record {\n    a: u8,\n    b: u8,\n  }" in text(nameless())
    assert "export set: func(p: unnamed-record);" in text(nameless())


def test_a_name_that_is_taken_is_not_given_again() -> None:
    found = of("""(component
      (import "a:b/one" (instance $one (export "t" (type (sub resource)))))
      (alias export $one "t" (type $t1))
      (import "t" (type $mine (sub resource))) (import "t-2" (type $other (sub resource)))
      (import "f" (func (param "x" (own $t1)) (param "y" (own $mine)) (param "z" (own $other)))))""")
    assert "use a:b/one.{t as t-3};" in found and "f: func(x: t-3, y: t, z: t-2);" in found


def test_an_interface_without_a_name_cannot_be_used_from() -> None:
    found = of("""(component
      (import "one" (instance $one (type $e' (enum "a")) (export "e" (type $e (eq $e')))))
      (alias export $one "e" (type $e))
      (import "two" (instance (alias outer 1 $e (type $o)) (export "e" (type $mine (eq $o)))
        (export "f" (func (param "x" $mine))))))""")
    assert found.count("enum e {") == 2 and "use " not in found


def test_what_wit_has_no_words_for_is_a_comment() -> None:
    found = of("""(component (import "i" (instance (export "m" (core module)) (export "f" (func))))
      (import "c" (component)))""")
    assert "// m: a core module, for which WIT has no words" in found and "f: func();" in found
    assert "// import c: a component" in found
    named = section(11, plain("a") + b"\3\0\0")
    assert "// type a: of a func, for which WIT has no words" in text(read(types(FUNC), named))


def test_functions_of_resources_stand_inside_them() -> None:
    found = of("""(component (import "i" (instance
      (export "r" (type $r (sub resource)))
      (export "free" (func))
      (export "[method]r.get" (func async (param "self" (borrow $r)) (result u8)))
      (export "[static]r.make" (func async (result (own $r))))
      (export "[constructor]r" (func (result (own $r)))))))""")
    lines = [line.strip() for line in found.splitlines()]
    start = lines.index("resource r {")
    assert lines[start + 1 : start + 5] == [
        "get: async func() -> u8;",
        "make: static async func() -> r;",
        "constructor();",
        "}",
    ]


def test_identifiers_of_the_outside_are_quoted() -> None:
    entry = b"\2" + name("i") + b"\1\2" + name('a"\\\n\x1b☃') + b"\1\0"
    assert '@external-id("a\\"\\\\\\u{a}\\u{1b}☃")\n  import i: func();' in text(
        read(types(FUNC), section(10, entry))
    )


def test_the_text_is_bounded() -> None:
    """A long name in each of many functions: the text is a hundred times the file."""
    named = section(10, plain("a" * 99_999) + b"\3\0\0")
    func = b"\x40" + many(*[name(f"p{n}") + b"\1" for n in range(200)]) + b"\1\0"
    with pytest.raises(ModuleError, match=r"c\.wasm: the WIT text of it has more than"):
        text(read(types(b"\x6b\x7f"), named, types(func), section(10, plain("f") + b"\1\2")))


def test_long_chains_of_names() -> None:
    chain = [plain(f"t{n}") + b"\3" + (bytes([n]) if n < 128 else b"") + b"\0" for n in range(90)]
    found = text(read(types(b"\x6b\x7f"), section(11, *chain)))
    assert "type t0 = option<bool>;" in found and "type t89 = t88;" in found


def test_against_the_reference(record_property: Any) -> None:
    named = os.environ.get("WASI_NATIVE_WASM_TOOLS")
    if not named:
        pytest.skip("WASI_NATIVE_WASM_TOOLS names no checkout of the wasm-tools repository")
    samples = sorted(Path(named).glob("crates/wit-component/tests/components/*/component.wit.print"))
    wrong = []
    for path in samples:
        source = path.with_name("component.wat").read_text()
        found = text(decode(encode(source), path.parent.name, FEATURES))
        world, _packages, _rest = found.partition("\n}\n")
        if world.strip() + "\n}" != path.read_text().strip():
            wrong.append(path.parent.name)
    assert len(samples) > 100 and wrong == []
    record_property("samples", len(samples))

"""What the types of imports and exports may speak of, by our own texts; the reference's are in test_corpus."""

from __future__ import annotations

import pytest

from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.component.visible import Names
from wasi_native.errors import ModuleError

# What $t is, and what must be said before it.
KINDS = {
    "record": '(type $t (record (field "a" u8)))',
    "variant": '(type $t (variant (case "a" string) (case "b")))',
    "enum": '(type $t (enum "a" "b"))',
    "flags": '(type $t (flags "a"))',
}
# Types that need no name and are made of $t.
AROUND = {
    "itself": "(type $u $t)",
    "list": "(type $u (list $t))",
    "option": "(type $u (option $t))",
    "tuple": "(type $u (tuple u8 $t))",
    "ok": "(type $u (result $t))",
    "error": "(type $u (result (error $t)))",
    "deep": "(type $u (list (option (tuple (result (list $t))))))",
}
NO_NAME = "in its type has no name here: it is neither imported nor exported before"
CORE = '(core module $m (func (export "f") (param i32))) (core instance $c (instantiate $m))'


def refused(text: str) -> str:
    """Why a component is refused."""
    with pytest.raises(ModuleError) as caught:
        decode(encode(text), "names.wasm")
    return str(caught.value)


def take(around: str) -> str:
    """The parameter of a function."""
    return "$t" if around == "itself" else "$u"


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("kind", KINDS)
def test_an_import_speaks_of_what_is_imported(kind: str, around: str) -> None:
    wrap = "" if around == "itself" else AROUND[around]
    bad = f'(component {KINDS[kind]} {wrap} (import "f" (func (param "p" {take(around)}))))'
    assert f"in the import section: the import 'f': a{'n' * (kind == 'enum')} {kind} {NO_NAME}" in refused(
        bad
    )
    named = KINDS[kind].replace("$t ", "$plain ")
    wrap = wrap.replace("$t", "$n").replace("(type $n", "(type $t")
    good = f'(component {named} (import "t" (type $n (eq $plain))) {wrap} '
    good += f'(import "f" (func (param "p" {take(around).replace("$t", "$n")}))))'
    assert "f" in decode(encode(good)).imports


@pytest.mark.parametrize("kind", [*KINDS, "resource"])
def test_an_export_speaks_of_what_is_exported(kind: str) -> None:
    of = "(own {})" if kind == "resource" else "(list {})"
    made = {**KINDS, "resource": "(type $t (resource (rep i32)))"}[kind]
    size = "(param i32)" if kind == "resource" else "(param i32 i32)"
    text = f"""(component
      (core module $m (memory (export "m") 1) (func (export "f") {size})
        (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
      (core instance $c (instantiate $m))
      {made} NAME
      (func $f (param "p" {of.format("TYPE")}) (canon lift (core func $c "f")
        (memory (core memory $c "m")) (realloc (core func $c "r"))))
      (export "f" (func $f)))"""
    name = '(export $n "n" (type $t))'
    assert "f" in decode(encode(text.replace("NAME", name).replace("TYPE", "$n"))).exports
    for wrong in (text.replace("NAME", ""), text.replace("NAME", name)):  # the old index stays nameless
        assert f"the export 'f': a{'n' * (kind == 'enum')} {kind} {NO_NAME}" in refused(
            wrong.replace("TYPE", "$t")
        )
    told = text.replace("NAME", name).replace("TYPE", "$t")
    told = told.replace(
        '(export "f" (func $f))', f'(export "f" (func $f) (func (param "p" {of.format("$n")})))'
    )
    assert "f" in decode(encode(told)).exports


def test_an_import_does_not_speak_of_exports() -> None:
    text = '(component (type $t (enum "a")) (export $n "n" (type $t)) (import "f" (func (param "p" $n))))'
    assert f"the import 'f': an enum {NO_NAME}" in refused(text)
    for text in (
        '(component (type $r (resource (rep i32))) (import "q" (type (eq $r))))',
        '(component (type $r (resource (rep i32))) (export $e "e" (type $r)) (import "q" (type (eq $e))))',
        """(component (type (component (export "r" (type $r (sub resource)))
          (import "q" (instance (alias outer 1 $r (type $r)) (export "s" (type (eq $r))))))))""",
    ):
        found = refused(text)
        assert "the import 'q': " in found and f"a resource {NO_NAME}" in found
    text = """(component (type (component
      (export "r" (type $r (sub resource))) (import "f" (func (result (own $r)))))))"""
    assert f"in the type section: the import 'f': a resource {NO_NAME}" in refused(text)


@pytest.mark.parametrize(
    "wrong",
    [
        '(type $r (record (field "t" $t))) (export "r" (type $r))',
        '(type $r (record (field "t" $t))) (import "r" (type (eq $r)))',
        '(type $r (variant (case "t" $t))) (export "r" (type $r))',
        '(type $r (list $t)) (export "r" (type $r))',
        '(type $r (func (param "t" $t))) (export "r" (type $r))',
    ],
)
def test_a_type_that_is_exported_is_made_of_what_has_names(wrong: str) -> None:
    assert f"'r': an enum {NO_NAME}" in refused(f'(component (type $t (enum "a")) {wrong})')
    named = '(component (type $t0 (enum "a")) (import "t" (type $t (eq $t0)))'
    assert decode(encode(f"{named} {wrong})"))


def test_types_of_instances_are_held_to_it_where_they_are_used() -> None:
    instance = '(type $i (instance (type $t (enum "a")) (export "f" (func (param "p" $t)))))'
    assert decode(encode(f"(component {instance})"))
    for used in (
        '(import "i" (instance (type $i)))',
        '(import "i" (type (eq $i)))',
        '(export "i" (type $i))',
    ):
        found = refused(f"(component {instance} {used})")
        assert f"port 'i': its func 'f': an enum {NO_NAME}" in found
    assert f"the export 'i': its func 'f': an enum {NO_NAME}" in refused(
        f'(component (type (component {instance} (export "i" (instance (type $i))))))'
    )
    inner = '(component (type $t (enum "a")) (export "f" (func (param "p" $t))))'
    assert f"in the type section: the export 'f': an enum {NO_NAME}" in refused(f"(component (type {inner}))")


def test_what_an_imported_instance_exports_has_a_name() -> None:
    text = """(component
      (import "i" (instance $i (export "r" (type $r (sub resource)))
        (type $t' (record (field "r" (own $r)))) (export "t" (type (eq $t')))))
      (alias export $i "t" (type $t))
      (import "f" (func (param "p" (list $t)))))"""
    assert "f" in decode(encode(text)).imports


# A component that hands on, under names of its own, what it imports.
HANDS_ON = """(component $c
  (type $e' (enum "a")) (import "e" (type $e (eq $e'))) (import "r" (type $r (sub resource)))
  (type $t' (record (field "e" $e) (field "r" (own $r)))) (export $t "t" (type $t'))
  (import "f" (func $f (param "p" (own $r)) (param "q" $e))) (export "g" (func $f)))"""
GIVEN = '(instance $i (instantiate $c (with "e" (type $e)) (with "r" (type $r)) (with "f" (func $f))))'


def test_a_component_that_was_instantiated_speaks_of_its_arguments() -> None:
    text = f"""(component
      (type $e' (enum "a")) (import "e" (type $e (eq $e'))) (import "r" (type $r (sub resource)))
      (import "f" (func $f (param "p" (own $r)) (param "q" $e)))
      {HANDS_ON} {GIVEN}
      (export "i" (instance $i)) (export "g" (func $i "g")) (export "t" (type $i "t")))"""
    assert list(decode(encode(text)).exports) == ["i", "g", "t"]
    inner = HANDS_ON.replace(
        '(import "f" (func $f (param "p" (own $r)) (param "q" $e))) (export "g" (func $f))', ""
    )
    nameless = f"""(component (type $e (enum "a")) (import "r" (type $r (sub resource))) {inner}
      (instance $i (instantiate $c (with "e" (type $e)) (with "r" (type $r)))) (export "i" (instance $i)))"""
    assert f"the export 'i': its type 't': an enum {NO_NAME}" in refused(nameless)


def test_an_alias_of_what_nobody_sees_has_no_name() -> None:
    bag = f"""(component {CORE} (type $t (enum "a")) (instance $bag (export "t" (type $t))) SHOW
      (alias export $from "t" (type $u)) (func $f (param "p" $u) (canon lift (core func $c "f")))
      (export "f" (func $f)))"""
    assert decode(encode(bag.replace("SHOW", '(export $from "i" (instance $bag))')))
    assert f"the export 'f': an enum {NO_NAME}" in refused(bag.replace("SHOW", "").replace("$from", "$bag"))
    inner = f"""(component {CORE}
      (component $in (type $t (enum "a")) (export "t" (type $t))) (instance $bag (instantiate $in)) SHOW
      (alias export $from "t" (type $u)) (func $f (param "p" $u) (canon lift (core func $c "f")))
      (export "f" (func $f)))"""
    assert decode(encode(inner.replace("SHOW", '(export $from "i" (instance $bag))')))
    assert f"the export 'f': an enum {NO_NAME}" in refused(inner.replace("SHOW", "").replace("$from", "$bag"))


def test_a_name_is_one_of_this_component() -> None:
    text = """(component (type $t (enum "a")) (import "t" (type $n (eq $t)))
      (component (alias outer 1 $n (type $n)) HERE (import "f" (func (param "p" $n)))))"""
    assert f"the import 'f': an enum {NO_NAME}" in refused(text.replace("HERE", ""))
    assert decode(encode(text.replace("HERE", '(import "t" (type $m (eq $n)))').replace('"p" $n', '"p" $m')))


def test_each_type_is_looked_at_once() -> None:
    """Also one that is two of the one before, over and over."""
    text = '(component (type $e (enum "a")) (import "e" (type $t0 (eq $e)))'
    for n in range(1, 17):
        text += f" (type $t{n} (tuple $t{n - 1} $t{n - 1}))"
    found = decode(encode(text + ' (import "f" (func (param "p" $t16))))'))
    spent: list[int] = []
    names = Names(spent.append)
    assert names.missing_inside(found.imports["f"].type, ()) is found.imports["e"].type
    names.add(found.imports["e"].type)
    del spent[:]
    for _ in range(3):
        assert names.missing_inside(found.imports["f"].type, ()) is None
    assert sum(spent) < 40


def test_what_is_handed_on_keeps_its_name() -> None:
    instance = '(import "i" (instance $i (type $e (enum "a")) (export "t" (type (eq $e)))))'
    text = f"""(component {instance} (component $c {instance} (export "j" (instance $i)))
      (instance $c (instantiate $c (with "i" (instance $i))))
      (alias export $c "j" (instance $j)) (alias export $j "t" (type $t))
      (import "f" (func (param "p" $t))))"""
    assert "f" in decode(encode(text)).imports
    enum = """(type $e (enum "a")) (import "e" (type $n (eq $e)))"""
    text = f"""(component {enum} (component $c {enum} (type $t (record (field "e" $n))) (export "t" (type $t)))
      (instance $i (instantiate $c (with "e" (type $n)))) (export "t" (type $i "t")))"""
    assert "t" in decode(encode(text)).exports
    bag = f"""(component {CORE} (type $t (enum "a")) (instance $bag (export "t" (type $t))) SHOW
      (func $f (param "p" $t) (canon lift (core func $c "f"))) (export "f" (func $f)))"""
    assert "f" in decode(encode(bag.replace("SHOW", '(export "i" (instance $bag))'))).exports
    assert f"the export 'f': an enum {NO_NAME}" in refused(bag.replace("SHOW", ""))


@pytest.mark.parametrize("kind", ["[constructor]r", "[method]r.m", "[static]r.m"])
def test_a_resource_has_no_name_in_an_instance_made_of_exports(kind: str) -> None:
    func = {"[c": "(result (own $r))", "[m": '(param "self" (borrow $r))', "[s": ""}[kind[:2]]
    text = f"""(component (import "i" (instance $i
        (export "r" (type $r (sub resource))) (export "{kind}" (func {func}))))
      (alias export $i "r" (type $r)) (alias export $i "{kind}" (func $f))
      (instance (export "r" (type $r)) (export "{kind}" (func $f))))"""
    found = refused(text)
    assert (
        f"in the instance section: '{kind}': no resource has a name among the exports of an instance" in found
    )

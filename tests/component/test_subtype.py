"""What may stand for an import or behind an export; which resource is which is asked everywhere."""

from __future__ import annotations

import pytest

from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.errors import ModuleError

SHAPE = "a type does not match"
OTHER = "a type does not match: it speaks of other resources than are asked for"

# Two resources, $a and $b; a component that asks for a resource and for the same once more, by $same.
TWO = """(import "a" (type $a (sub resource))) (import "b" (type $b (sub resource)))
  (component $same (import "x" (type $x (sub resource))) (import "y" (type (eq $x))))"""


def check(text: str, reason: str = "") -> None:
    """A component decodes, or is refused for the reason."""
    data = encode(f"(component {text})")
    if not reason:
        decode(data, "s.wasm")
        return
    with pytest.raises(ModuleError) as caught:
        decode(data, "s.wasm")
    told = str(caught.value)
    assert told.startswith("s.wasm: byte ") and told.endswith(reason), told


def same(one: str, other: str, reason: str = "") -> None:
    """The two types are of one resource, or are not."""
    given = f'(with "x" (type {one})) (with "y" (type {other}))'
    check(f"{TWO} {other_names()} (instance (instantiate $same {given}))", reason)


def other_names() -> str:
    return """(import "c" (type $c (eq $b))) (type $own (resource (rep i32))) (type $own2 (resource (rep i32)))
      (export $shown "own" (type $own)) (export $hidden "hidden" (type $own) (type (sub resource)))
      (component $on (import "x" (type $x (sub resource))) (export "y" (type $x)))
      (instance $got (instantiate $on (with "x" (type $b)))) (alias export $got "y" (type $back))
      (component $new (type $r (resource (rep i32))) (export "one" (type $r)) (export "two" (type $r))
        (export "three" (type $r) (type (sub resource))))
      (instance $n (instantiate $new)) (instance $m (instantiate $new))
      (alias export $n "one" (type $n1)) (alias export $n "two" (type $n2)) (alias export $n "three" (type $n3))
      (alias export $m "one" (type $m1)) (alias outer 0 $b (type $outer))"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("$a", "$a"), ("$b", "$c"), ("$c", "$b"), ("$b", "$back"), ("$b", "$outer"), ("$own", "$own")),
        *(("$own", "$shown"), ("$n1", "$n2"), ("$n2", "$n1"), ("$back", "$c")),
    ],
)
def test_one_resource_by_two_names(one: str, other: str) -> None:
    same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(
            ("$a", "$b"),
            ("$a", "$c"),
            ("$a", "$own"),
            ("$own", "$own2"),
            ("$own", "$hidden"),
            ("$a", "$back"),
        ),
        *(("$shown", "$hidden"), ("$n1", "$m1"), ("$n1", "$n3"), ("$n1", "$own")),
    ],
)
def test_two_resources(one: str, other: str) -> None:
    same(one, other, f"'y', {OTHER}")
    same(other, one, f"'y', {OTHER}")


AROUND = [
    "(own {})",
    "(borrow {})",
    "(list (own {}))",
    "(option (tuple u8 (own {})))",
    "(result (own {}))",
    "(result (error (own {})))",
    "(list (list (option (result (list (borrow {}))))))",
    "(stream (own {}))",
    "(future (own {}))",
]


@pytest.mark.parametrize("around", AROUND)
def test_functions_speak_of_the_resource_that_is_given(around: str) -> None:
    asks = f"""(component $f (import "r" (type $r (sub resource)))
      (import "f" (func (param "p" {around.format("$r")}))))"""
    text = f"""{TWO} {asks} (import "f" (func $f (param "p" {around.format("$a")})))
      (instance (instantiate $f (with "f" (func $f)) (with "r" (type GIVEN))))"""
    check(text.replace("GIVEN", "$a"))
    check(text.replace("GIVEN", "$b"), f"'f', {OTHER}")


def test_results_and_types_that_are_given() -> None:
    asks = """(component $t (import "r" (type $r (sub resource)))
      (type $w' (record (field "h" (own $r)) (field "o" u8)))
      (import "w" (type $w (eq $w'))) (import "f" (func (result $w))))"""
    text = f"""{TWO} {asks} (type $v' (record (field "h" (own $a)) (field "o" u8))) (import "v" (type $v (eq $v')))
      (import "f" (func $f (result $v)))
      (instance (instantiate $t (with "r" (type GIVEN)) (with "w" (type $v)) (with "f" (func $f))))"""
    check(text.replace("GIVEN", "$a"))
    check(text.replace("GIVEN", "$b"), f"'w', {OTHER}")
    check(
        text.replace("GIVEN", "$a").replace('(field "o" u8))) (import "v"', '(field "o" u16))) (import "v"'),
        f"'w', {SHAPE}",
    )
    check(text.replace('(with "r" (type GIVEN))', '(with "r" (type $v))'), f"'r', {SHAPE}")
    func = '(type $g (func (param "x" u8))) (component $c (type $h (func (param "x" T))) (import "f" (type (eq $h))))'
    func += '(instance (instantiate $c (with "f" (type $g))))'
    check(func.replace("T)", "u8)"))
    check(func.replace("T)", "s8)"), f"'f', {SHAPE}")


# Two imports of one type of instances have resources of their own; so have those inside of an instance.
PAIR = '(type $i (instance (export "r" (type $r (sub resource))) (export "f" (func (result (own $r))))))'


def test_each_import_of_a_type_of_instances_has_its_own_resources() -> None:
    for imports, one, two in (
        ('(import "i" (instance $x (type $i))) (import "j" (instance $y (type $i)))', "$x", "$y"),
        (
            f"""(import "b" (instance $z {PAIR} (export "i" (instance (type $i))) (export "j" (instance (type $i)))))
            (alias export $z "i" (instance $x)) (alias export $z "j" (instance $y))""",
            *("$x", "$y"),
        ),
        (
            """(import "b" (instance $z (alias outer 1 $i (type $k)) (export "i" (instance (type $k)))))
            (alias export $z "i" (instance $x)) (import "j" (instance $y (type $i)))""",
            *("$x", "$y"),
        ),
    ):
        wants = '(component $c (import "r" (type $r (sub resource))) (import "f" (func (result (own $r)))))'
        given = f'(with "r" (type {one} "r")) (with "f" (func FROM "f"))'
        text = f"{PAIR} {imports} {wants} (instance (instantiate $c {given}))"
        check(text.replace("FROM", one))
        check(text.replace("FROM", two), f"'f', {OTHER}")
        again = f'(component $c (type $i (instance {PAIR[18:-1]} ) (import "i" (instance (type $i))))'
        check(f'{PAIR} {imports} {again} (instance (instantiate $c (with "i" (instance {one}))))')


def test_an_instance_may_export_more_and_its_resources_are_bound_by_name() -> None:
    wants = """(component $c (import "i" (instance
      (export "s" (type $s (sub resource))) (export "r" (type $r (sub resource)))
      (export "f" (func (param "x" (borrow $r)) (result (own $s)))))))"""
    text = f"""{TWO} {wants} (import "f" (func $f (param "x" (borrow $a)) (result (own $b))))
      (instance $e)
      (instance $g (export "r" (type R)) (export "more" (func $f)) (export "f" (func $f)) (export "s" (type S)))
      (instance (instantiate $c (with "i" (instance GIVEN))))"""
    right = text.replace("R)", "$a)").replace("S)", "$b)").replace("GIVEN", "$g")
    check(right)
    check(text.replace("R)", "$b)").replace("S)", "$a)").replace("GIVEN", "$g"), f"in 'f', {OTHER}")
    check(
        text.replace("R)", "$a)").replace("S)", "$b)").replace("GIVEN", "$e"),
        "imports the type 's', which no argument gives",
    )
    check(
        right.replace('"f" (func $f)) (export "s"', '"f2" (func $f)) (export "s"'),
        "imports the func 'f', which no argument gives",
    )


def test_an_import_of_two_instances_of_one_type() -> None:
    wants = """(component $c
      (type $i (instance (export "r" (type $r (sub resource))) (export "g" (func (result (own $r))))))
      (import "x" (instance $x (alias outer 1 $i (type $k))
        (export "a" (instance (type $k))) (export "b" (instance (type $k)))))
      (alias export $x "b" (instance $y)) (alias export $y "r" (type $r)) (import "f" (func (result (own $r)))))"""
    text = f"""{TWO} {wants} (import "f" (func $fa (result (own $a)))) (import "g" (func $fb (result (own $b))))
      (instance $one (export "r" (type $a)) (export "g" (func $fa)))
      (instance $two (export "r" (type $b)) (export "g" (func SECOND)))
      (instance $both (export "a" (instance $one)) (export "b" (instance $two)))
      (instance (instantiate $c (with "x" (instance $both)) (with "f" (func GIVEN))))"""
    check(text.replace("SECOND", "$fb").replace("GIVEN", "$fb"))
    check(text.replace("SECOND", "$fb").replace("GIVEN", "$fa"), f"'f', {OTHER}")
    check(text.replace("SECOND", "$fa").replace("GIVEN", "$fb"), f"'g', {OTHER}")


def test_nested_instances_are_matched_in_the_terms_of_where_they_are() -> None:
    deep = """(component $c (import "x" (instance $i (export "y" (instance (export "r" (type (sub resource)))))))
      (alias export $i "y" (instance $y)) (alias export $y "r" (type $r)) (import "f" (func (param "p" (own $r)))))"""
    text = f"""{TWO} {deep} (import "f" (func $f (param "p" (own $a)))) (instance $in (export "r" (type GIVEN)))
      (instance $out (export "y" (instance $in)))
      (instance (instantiate $c (with "x" (instance $out)) (with "f" (func $f))))"""
    check(text.replace("GIVEN", "$a"))
    check(text.replace("GIVEN", "$b"), f"'f', {OTHER}")


def test_exports_of_an_instance_speak_of_its_arguments_and_of_new_resources() -> None:
    maker = """(component $make (import "x" (type $x (sub resource))) (import "f" (func $f (result (own $x))))
      (type $r (resource (rep i32))) (export $r' "r" (type $r)) (core func $d (canon resource.drop $r))
      (func $g (param "p" (own $r')) (canon lift (core func $d))) (export "g" (func $g)) (export "f" (func $f)))"""
    wants = '(component $w (import "r" (type $r (sub resource))) (import "f" (func (PART (own $r)))))'
    text = f"""{TWO} {maker} {wants}
      (import "f" (func $fa (result (own $a)))) (import "h" (func $fb (result (own $b))))
      (instance $one (instantiate $make (with "x" (type $a)) (with "f" (func $fa))))
      (instance $two (instantiate $make (with "x" (type $b)) (with "f" (func $fb))))
      (instance (instantiate $w (with "r" (type TYPE)) (with "f" (func FUNC))))"""
    results = text.replace("PART", "result")
    check(results.replace("TYPE", "$a").replace("FUNC", '$one "f"'))
    check(results.replace("TYPE", "$b").replace("FUNC", '$two "f"'))
    check(results.replace("TYPE", "$a").replace("FUNC", '$two "f"'), f"'f', {OTHER}")
    params = text.replace("PART", 'param "p"')
    check(params.replace("TYPE", '$one "r"').replace("FUNC", '$one "g"'))
    check(params.replace("TYPE", '$one "r"').replace("FUNC", '$two "g"'), f"'f', {OTHER}")
    check(params.replace("TYPE", "$a").replace("FUNC", '$one "g"'), f"'f', {OTHER}")


COMPONENTS = """(component $takes (import "c" (component
    (import "x" (type $x (sub resource))) (import "f" (func (param "p" (own $x))))
    (export "y" (type $y (sub resource))) (export "g" (func (param "p" (own $y)) (result (own $x)))))))
  (import "d" (component $d IMPORTS EXPORTS)) (instance (instantiate $takes (with "c" (component $d))))"""
X = '(import "x" (type $x (sub resource)))'
F = '(import "f" (func (param "p" (own $x))))'
Y = '(export "y" (type $y (sub resource)))'
G = '(export "g" (func (param "p" (own $y)) (result (own $x))))'


@pytest.mark.parametrize(
    ("imports", "exports", "reason"),
    [
        (f"{X} {F}", f"{Y} {G}", ""),
        (X, f'{Y} {G} (export "more" (func))', ""),
        (X, f'(export "y" (type $y (eq $x))) {G}', ""),  # one resource may stand for two
        (f'{X} {F} (import "z" (func))', f"{Y} {G}", "imports the func 'z', which no argument gives"),
        (X, Y, "imports the func 'g', which no argument gives"),
        (f"{X} {F}", f"{Y} {G.replace('own $x', 'own $y')}", f"'g', {OTHER}"),
        (f"{X} {F.replace('own', 'borrow')}", f"{Y} {G}", f"'f', {SHAPE}"),
        (f"{X} {F}", f"{Y} {G.replace('own $y', 'borrow $y')}", f"'g', {SHAPE}"),
        (
            '(import "x" (type $x (sub resource))) (import "x2" (type (sub resource)))',
            *(f"{Y} {G}", "imports the type 'x2', which no argument gives"),
        ),
    ],
)
def test_components_import_less_and_export_more(imports: str, exports: str, reason: str) -> None:
    check(COMPONENTS.replace("IMPORTS", imports).replace("EXPORTS", exports), reason)


def test_types_of_instances_and_components_are_equal() -> None:
    text = """(type $i (instance (export "r" (type $r (sub resource))) (export "f" (func (result (own $r))))))
      (component $c (type $j (instance EXPORTS)) (import "t" (type (eq $j))))
      (instance (instantiate $c (with "t" (type $i))))"""
    r, f = '(export "r" (type $r (sub resource)))', '(export "f" (func (result (own $r))))'
    check(text.replace("EXPORTS", f"{r} {f}"))
    check(text.replace("EXPORTS", r), "imports the func 'f', which no argument gives")
    check(
        text.replace("EXPORTS", f'{r} {f} (export "g" (func))'),
        "imports the func 'g', which no argument gives",
    )
    part = """(type $i (component (import "f" (func)))) (component $c (type $j (component IMPORTS))
      (import "t" (type (eq $j)))) (instance (instantiate $c (with "t" (type $i))))"""
    check(part.replace("IMPORTS", '(import "f" (func))'))
    more = "imports the func 'g', which no argument gives"
    check(part.replace("IMPORTS", '(import "f" (func)) (import "g" (func))'), more)
    check(part.replace("IMPORTS", '(import "f" (func)) (export "g" (func))'), more)
    check(part.replace("IMPORTS", ""), "imports the func 'f', which no argument gives")


def test_what_an_export_is_told_to_be() -> None:
    check(
        f'{TWO} (import "f" (func $f (param "p" (own $a)))) (export "f2" (func $f) (func (param "p" (own $a))))'
    )
    check(
        f'{TWO} (import "f" (func $f (param "p" (own $a)))) (export "f2" (func $f) (func (param "p" (own $b))))',
        f"the export 'f2': {OTHER}",
    )
    inst = f"""{TWO} (import "f" (func $f (result (own $a))))
      (instance $i (export "r" (type $a)) (export "f" (func $f)))
      (export $o "i" (instance $i) (instance TOLD))"""
    r, f = '(export "r" (type $r (sub resource)))', '(export "f" (func (result (own $r))))'
    check(inst.replace("TOLD", f"{r} {f}"))
    check(inst.replace("TOLD", ""))
    check(inst.replace("TOLD", f'{r} {f} (export "g" (func))'), "the func 'g', which no argument gives")
    check(inst.replace("TOLD", '(export "f" (func (result (own $b))))'), f"in 'f', {OTHER}")
    # what was told is what others see: the resource is a new one, and what was left out is gone
    wants = '(component $w (import "r" (type $r (sub resource))) (import "f" (func (result (own $r)))))'
    given = '(instance (instantiate $w (with "r" (type TYPE)) (with "f" (func $o "f"))))'
    told = f"{inst.replace('TOLD', f'{r} {f}')} {wants} {given}"
    check(told.replace("TYPE", '$o "r"'))
    check(told.replace("TYPE", "$a"), f"'f', {OTHER}")
    less = """(import "f" (func $f)) (instance $i (export "f" (func $f))) (export $o "i" (instance $i) (instance))
      (component $w (import "i" (instance (export "f" (func)))))
      (instance (instantiate $w (with "i" (instance $o))))"""
    check(less, "imports the func 'f', which no argument gives")


def test_comparing_is_bounded() -> None:
    """A type that is two of the one before, over and over, is compared once."""
    text = '(import "r" (type $r (sub resource))) (type $t0 (own $r))'
    inner = '(component $c (import "r" (type $r (sub resource))) (type $t0 (own $r))'
    for n in range(1, 18):
        text += f" (type $t{n} (tuple $t{n - 1} $t{n - 1}))"
        inner += f" (type $t{n} (tuple $t{n - 1} $t{n - 1}))"
    inner += ' (import "f" (func (param "p" $t17))))'
    check(f"""{text} (import "f" (func $f (param "p" $t17))) {inner}
      (instance (instantiate $c (with "r" (type $r)) (with "f" (func $f))))""")

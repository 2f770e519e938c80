"""items.py: which resource a handle is of is settled by the instance, not by the file."""

from __future__ import annotations

from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.component.items import Env, Resource, Signature, Typed, bind_types, signature
from wasi_native.component.model import FuncType
from wasi_native.component.types import Table

TEXT = """
(component
  (import "a" (instance $a
    (export "r" (type $r (sub resource)))
    (export "s" (type $s (sub resource)))
    (type $pair' (record (field "one" (own $s)) (field "two" (own $r))))
    (export "pair" (type $pair (eq $pair')))
    (export "f" (func (param "x" (borrow $r)) (param "y" (list $pair)) (param "z" (option (own $s)))))
    (export "g" (func (param "x" (borrow $s)) (param "y" (list $pair)) (param "z" (option (own $s)))))
    (export "plain" (func (param "x" u32) (result string)))
  ))
  (alias export $a "pair" (type $p))
  (alias export $a "r" (type $r2))
  (import "h" (func (param "p" $p) (param "r" (own $r2))))
)
"""


def told(made: Signature) -> list[str]:
    return [resource.name for resource in made.resources]


def test_resources_are_numbered_as_they_come() -> None:
    component, table = decode(encode(TEXT)), Table()
    exports = component.imports["a"].type.exports
    env = Env()
    for name in ("r", "s"):
        env.bound[exports[name].type] = Resource(name)
    f, g = (signature(exports[name].type, env, table) for name in ("f", "g"))
    assert told(f) == ["r", "s"] and [value.kind for value in f.function.params] == [
        "borrow",
        "list",
        "option",
    ]
    assert f.function.params[0] is table.borrow(0) and f.function.params[2] is table.option(table.own(1))
    assert told(g) == ["s", "r"] and g.function is not f.function and not f.same(g)
    assert f.same(signature(exports["f"].type, env, table))
    plain = signature(exports["plain"].type, env, table)
    assert plain.resources == () and plain.function.params[0] is exports["plain"].type.params[0][1].value


def test_two_instances_of_one_type_have_resources_of_their_own() -> None:
    component, table = decode(encode(TEXT)), Table()
    func: FuncType = component.imports["a"].type.exports["f"].type
    wanted = component.imports["a"].type.exports
    made = []
    for _ in range(2):
        env = Env()
        given = {name: ("type", Resource(name)) for name in ("r", "s")}
        bind_types(env, wanted, given)
        made.append(signature(func, env, table))
    assert made[0].function is made[1].function and not made[0].same(made[1])


def test_an_alias_is_seen_through_to_where_it_comes_from() -> None:
    component, table = decode(encode(TEXT)), Table()
    inner, outer = Env(), Env()
    exports = component.imports["a"].type.exports
    for name in ("r", "s"):
        inner.bound[exports[name].type] = Resource(name)
    func = component.imports["h"].type
    aliases = [d for d in component.definitions if getattr(d, "type", None) is not None and d.sort == "type"]
    pair, r = (d.type for d in aliases if getattr(d, "how", "") == "export")
    outer.bound[pair] = Typed(exports["pair"].type, inner)
    outer.bound[r] = inner.bound[exports["r"].type]
    assert told(signature(func, outer, table)) == ["s", "r"]


def test_what_was_never_given_is_a_resource_of_which_there_are_no_handles() -> None:
    component, table = decode(encode(TEXT)), Table()
    func = component.imports["a"].type.exports["f"].type
    found = signature(func, Env(), table)
    assert told(found) == ["?", "?"]


def test_an_env_looks_outwards_and_through_renamed_types() -> None:
    component = decode(encode(TEXT))
    type = component.imports["a"].type.exports["r"].type
    outer = Env()
    inner = Env(outer)
    outer.bound[type] = Resource("outer")
    assert inner.find(type.renamed().renamed()) is outer.bound[type]
    inner.bound[type] = Resource("inner")
    assert inner.find(type) is inner.bound[type]
    plain = component.imports["a"].type.exports["pair"].type
    found = inner.typed(plain)
    assert isinstance(found, Typed) and found.env is inner

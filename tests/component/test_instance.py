"""instance.py: what is made, how often, and where making it ends; what components do is in the .wast files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.component.build import encode, fixture
from tests.engine.libraries import library
from wasi_native import Host, LinkError, Trap


@pytest.fixture(params=["wasmtime", "wasm3"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    path = None if request.param == "wasmtime" else library(request.param)
    with Host(engine=request.param, engine_path=path, cache=False) as made:
        yield made


def nested(depth: int, twice: int = 2) -> str:
    """A component that makes two of the one inside of it, which makes two ..."""
    inner = "(component $c)"
    for _ in range(depth):
        inner = f"(component $c {inner} {'(instance (instantiate $c))' * twice})"
    return inner.replace("(component $c", "(component", 1)


def test_what_was_made_is_counted(host: Host) -> None:
    with host.load_component(encode(nested(3))).instantiate() as instance:
        assert (instance._tree.made, instance._tree.cores, instance._tree.elided) == (15, 0, 0)


def test_making_ever_more_ends_in_one_error(host: Host) -> None:
    component = host.load_component(encode(nested(30)))
    with pytest.raises(LinkError, match="more than 10000 component instances"):
        component.instantiate()
    assert host.instances == 0


def test_a_start_function_that_traps(host: Host) -> None:
    text = (
        """(component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m)))"""
    )
    with pytest.raises(Trap) as caught:
        host.load_component(encode(text)).instantiate()
    assert caught.value.kind == "unreachable" and host.instances == 0


def test_resources_of_two_instances_are_two_types(host: Host) -> None:
    text = """(component
      (component $o (type $r' (resource (rep i32))) (export "r" (type $r')))
      (instance $a (instantiate $o))
      (instance $b (instantiate $o))
      (alias export $a "r" (type $ra))
      (component $u (import "r" (type $r (sub resource))) (import "s" (type $s (eq $r))))
      (instance (instantiate $u (with "r" (type $ra)) (with "s" (type ARG))))
      (alias export $b "r" (type $rb)))"""
    with host.load_component(encode(text.replace("ARG", "$ra"))).instantiate():
        pass
    wrong = text.replace('(instance (instantiate $u (with "r" (type $ra)) (with "s" (type ARG))))', "")
    tail = '(instance (instantiate $u (with "r" (type $ra)) (with "s" (type $ra))))'
    with host.load_component(encode(wrong[:-1] + tail + ")")).instantiate():
        pass


def test_functions_must_speak_of_the_resources_that_are_asked_for(host: Host) -> None:
    """The binary that the text's reader would refuse: two instances' types taken for each other."""
    from tests.component.build import encode
    from wasi_native.component import decode
    from wasi_native.component.model import Instantiate

    text = """(component
      (component $o (type $r' (resource (rep i32))) (export $r "r" (type $r'))
        (core module $m (func (export "f") (param i32))) (core instance $i (instantiate $m))
        (func (export "f") (param "r" (borrow $r)) (canon lift (core func $i "f"))))
      (instance $a (instantiate $o))
      (instance $b (instantiate $o))
      (component $u
        (import "x" (instance (export "r" (type $r (sub resource))) (export "f" (func (param "r" (borrow $r))))))
        (export "r" (type 0)))
      (instance $bag (export "r" (type $a "r")) (export "f" (func $a "f")))
      (instance (instantiate $u (with "x" (instance $bag)))))"""
    text = text.replace('(export "r" (type 0))', "")
    data = encode(text)
    component = host.load_component(data)
    with component.instantiate():
        pass
    model = decode(data)
    bags = [d for d in component.model.definitions if d.sort == "instance" and not isinstance(d, Instantiate)]
    assert len(bags) == 1 and model.exports.keys() == component.model.exports.keys()
    functions = [d for d in component.model.definitions if getattr(d, "name", "") == "f"]
    functions[0].index = 1  # type: ignore[attr-defined]  # of $b instead of $a
    with pytest.raises(LinkError, match="speaks of other resources than are asked for"):
        component.instantiate()


def test_async_components_say_so_when_they_are_called(host: Host) -> None:
    with pytest.raises(LinkError):
        host.load_component(fixture("async")).instantiate()
    text = """(component
      (core module $m (func (export "f") (result i32) i32.const 0) (func (export "c") (param i32 i32 i32) (result i32)
        i32.const 0))
      (core instance $i (instantiate $m))
      (func (export "f") async (canon lift (core func $i "f") async (callback (core func $i "c")))))"""
    from wasi_native import ModuleError

    with (
        host.load_component(encode(text)).instantiate() as instance,
        pytest.raises(ModuleError, match=r"WASI 0\.3"),
    ):
        instance.exports["f"]()


HANDS_ON = """(component
   (component $A
     (type $r' (resource (rep i32)))
     (core func $new (canon resource.new $r'))
     (core module $n (import "" "new" (func $new (param i32) (result i32)))
        (func (export "make") (param i32) (result i32) local.get 0 call $new)
        (func (export "read") (param i32) (result i32) local.get 0))
     (core instance $c (instantiate $n (with "" (instance (export "new" (func $new))))))
     (export $r "r" (type $r'))
     (func $make (param "x" u32) (result (own $r)) (canon lift (core func $c "make")))
     (func $read (param "self" (borrow $r)) (result u32) (canon lift (core func $c "read")))
     (export "make" (func $make))
     (export "read" (func $read)))
   (instance $a (instantiate $A))
   (component $B
     (import "i" (instance $i
        (export "r" (type $r (sub resource)))
        (export "make" (func (param "x" u32) (result (own $r))))
        (export "read" (func (param "self" (borrow $r)) (result u32)))))
     (export "make" (func $i "make"))
     (export "read" (func $i "read"))
     (export "j" (instance $i)))
   (instance $b (instantiate $B (with "i" (instance $a))))
   (alias export $b "j" (instance $j))
   (export "j" (instance $j))
   (export "make" (func $b "make"))
   (export "read" (func $b "read")))"""


def test_functions_that_are_handed_on_keep_their_resources(host: Host) -> None:
    """Of an instance that was imported, without a word on their types."""
    with host.load_component(encode(HANDS_ON)).instantiate() as instance:
        make, read, inner = instance.exports["make"], instance.exports["read"], instance.exports["j"]
        assert read(make(7)) == 7 and inner.read(make(8)) == 8 and read(inner.make(9)) == 9
        assert type(make(1)).__name__ == "R"

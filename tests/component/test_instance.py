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


def test_instances_that_make_instances_are_bounded(host: Host) -> None:
    """Each of its components makes one of the last: they stand beside each other, and yet it goes deep."""

    def chain(length: int) -> bytes:
        text = "(component (core module $m (memory 1)) (component $c0)"
        for n in range(1, length):
            made = f"(alias outer 1 $c{n - 1} (component $d)) (instance (instantiate $d))"
            text += f"(component $c{n} {made})"
        return encode(f"{text} (instance (instantiate $c{length - 1})))")

    with host.load_component(chain(100)).instantiate() as instance:
        assert instance._tree.made == 101
    for length in (102, 900):
        with pytest.raises(LinkError, match="instances that make instances are more than 100 deep"):
            host.load_component(chain(length)).instantiate()


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


ASYNC = """(component
  (import "there:is/one@1.0.0" (instance $one
    (export "ask" (func async (param "text" string) (param "n" u8) (result string)))))
  (core module $memory (memory (export "memory") 1) (global $at (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
      (local.set $p (global.get $at)) (global.set $at (i32.add (local.get $p) (local.get 3))) (local.get $p)))
  (core instance $m (instantiate $memory))
  (alias core export $m "memory" (core memory $mem))
  (alias core export $m "realloc" (core func $realloc))
  (core func $ask (canon lower (func $one "ask") async (memory $mem) (realloc $realloc)))
  (canon task.return (result string) (memory $mem) (core func $return))
  (canon waitable-set.new (core func $new))
  (core module $main (import "" "memory" (memory 1))
    (import "" "ask" (func $ask (param i32 i32 i32 i32) (result i32)))
    (import "" "return" (func $return (param i32 i32))) (import "" "new" (func $new (result i32)))
    (func (export "f") (param i32 i32)
      (if (i32.ne (call $ask (local.get 0) (local.get 1) (i32.const 300) (i32.const 64)) (i32.const 2))
        (then unreachable))
      (call $return (i32.load (i32.const 64)) (i32.load (i32.const 68))))
    (func (export "g") (param i32 i32) (result i32) (call $return (local.get 0) (local.get 1)) (i32.const 0))
    (func (export "h") (drop (call $new)))
    (func (export "c") (param i32 i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $main (with "" (instance (export "memory" (memory $m "memory"))
    (export "ask" (func $ask)) (export "return" (func $return)) (export "new" (func $new))))))
  (func (export "f") async (param "a" string) (result string)
    (canon lift (core func $i "f") async (memory $mem) (realloc $realloc)))
  (func (export "g") async (param "a" string) (result string)
    (canon lift (core func $i "g") async (callback (core func $i "c")) (memory $mem) (realloc $realloc)))
  (func (export "h") (canon lift (core func $i "h"))))"""


def test_async_functions_are_called_as_others_are_where_nobody_waits(host: Host) -> None:
    """From Python and to it; what would wait says which function it is, and of which WASI."""

    class One:
        def ask(self, text: str, n: int) -> str:
            return f"{text} {n}"

    component = host.load_component(encode(ASYNC))
    with component.instantiate(provide={"there:is/one": One()}) as instance:
        assert instance.exports["f"]("naïve") == "naïve 44"
        assert instance.exports["g"]("") == "" and instance.exports["g"]("text") == "text"
        with pytest.raises(Trap, match=r"waitable-set\.new is of WASI 0\.3, which this version does not run"):
            instance.exports["h"]()
    with pytest.raises(LinkError):
        host.load_component(fixture("async")).instantiate()


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

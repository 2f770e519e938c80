"""link.py: what is missing is said at once, with the interface, the function and what would help."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.component.build import encode
from wasi_native import LinkError
from wasi_native.component import decode
from wasi_native.component.link import Imports, Provided

ROWS = {("wasi:clocks/wall-clock", "now"): ("i", ""), ("wasi:random/random", "get-random-u64"): ("", "I")}


def rows(interface: str, label: str) -> tuple[str, str] | None:
    name, _at, version = interface.partition("@")
    return ROWS.get((name, label)) if version.startswith("0.2.") else None


def link(text: str, provide: dict[str, Any] | None = None, wanted: set[str] | None = None) -> Imports:
    return Imports(decode(encode(f"(component {text})"), "c.wasm"), rows, provide or {}, wanted)


def missing(text: str, provide: dict[str, Any] | None = None, wanted: set[str] | None = None) -> list[Any]:
    with pytest.raises(LinkError) as caught:
        link(text, provide, wanted)
    assert all(f"\n  {name}" in str(caught.value) for name, _label, _why in caught.value.missing)
    return list(caught.value.missing)


def clock(version: str) -> str:
    return f"""
      (import "wasi:clocks/wall-clock@{version}" (instance
        (type $dt (record (field "seconds" u64) (field "nanoseconds" u32)))
        (export "datetime" (type $d (eq $dt)))
        (export "now" (func (result $d)))))"""


SENSOR = """
  (import "my:pkg/sensor@1.2.0" (instance
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
    (export "[method]thing.read-all" (func (param "self" (borrow $thing)) (result u32)))
    (export "[static]thing.count" (func (result u32)))
    (export "read" (func (result f32)))))"""


class Thing:
    def __init__(self, n: int) -> None:
        self.n = n

    def read_all(self) -> int:
        return self.n

    @staticmethod
    def count() -> int:
        return 1


def test_every_patch_version_of_wasi() -> None:
    for version in ("0.2.0", "0.2.12", "0.2.99"):
        link(clock(version))


def test_other_versions_of_wasi() -> None:
    assert missing(clock("0.3.0")) == [
        ("wasi:clocks/wall-clock@0.3.0", "", "WASI 0.3.0 is another version than the 0.2 of this host")
    ]


def test_all_that_is_missing_at_once() -> None:
    text = """
      (import "wasi:clocks/wall-clock@0.2.0" (instance (export "later" (func))))
      (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u32)))))
      (import "wasi:http/types@0.2.0" (instance (export "f" (func)) (export "g" (func))))
      (import "my:pkg/sensor@1.2.0" (instance (export "read" (func))))
      (import "log" (func (param "text" string)))
      (import "plugin" (core module))
    """
    found = missing(text)
    assert [(name, label) for name, label, _why in found] == [
        ("wasi:clocks/wall-clock@0.2.0", "later"),
        ("wasi:random/random@0.2.0", "get-random-u64"),
        ("wasi:http/types@0.2.0", ""),
        ("my:pkg/sensor@1.2.0", "read"),
        ("log", ""),
        ("plugin", ""),
    ]
    assert [why for _name, _label, why in found] == [
        "no such function in this host's WASI 0.2",
        "imported with another type than the host's function has",
        "http is not offered: build the program for wasi:sockets, or serve it from Python: "
        "host.provide('wasi:http/types', object)",
        "an interface of yours: provide={'my:pkg/sensor@1.2.0': object}, or host.provide()",
        "a function of yours: provide={'log': function}",
        "a core module: link the components first, as `wac plug` does",
    ]


@pytest.mark.parametrize("name", ["my:pkg/sensor@1.2.0", "my:pkg/sensor@1.0.0", "my:pkg/sensor@1.9.9"])
def test_what_is_provided_serves_its_track(name: str) -> None:
    target = SimpleNamespace(Thing=Thing, read=lambda: 1.5)
    link(SENSOR, {name: target})


def test_a_dict_and_names_of_wit_serve_too() -> None:
    link(SENSOR, {"my:pkg/sensor@1.2.0": {"thing": Thing, "read": lambda: 1.5}})
    link('(import "log-it" (func))', {"log-it": print})
    link('(import "log-it" (func))', {"log-it": 0x1000})


def test_what_the_provided_lacks() -> None:
    target = SimpleNamespace(Thing=type("T", (), {}), read=3.5)
    found = missing(SENSOR, {"my:pkg/sensor@1.2.0": target})
    assert [why for _n, _l, why in found] == [
        "what is provided has no function Thing.read_all",
        "what is provided has no function Thing.count",
        "what is provided can neither be called nor is an address",
    ]
    found = missing(SENSOR, {"my:pkg/sensor@1.2.0": {}})
    assert found[0][2] == "what is provided has no class Thing"
    assert missing('(import "f" (func))', {"f": "no"})[0][2].startswith("what is provided can neither")


def test_what_is_wanted_must_be_imported() -> None:
    link('(import "f" (func))', {"f": print, "g": print}, {"f"})
    assert missing('(import "f" (func))', {"f": print, "g": print}, {"f", "g"}) == [
        ("g", "", "is provided, and nothing imports it")
    ]


def test_functions_of_what_is_provided() -> None:
    given = Provided("x", SimpleNamespace(Thing=Thing, read=lambda: 1.5))
    assert given.function("[constructor]thing") is Thing and given.function("[static]thing.count")() == 1
    assert given.function("[method]thing.read-all")(Thing(7)) == 7
    assert given.function("read")() == 1.5 and given.function("write") is None

    class Special(Thing):
        def read_all(self) -> int:
            return 99

    assert given.function("[method]thing.read-all")(Special(1)) == 99


def test_names_cannot_forge_lines() -> None:
    with pytest.raises(LinkError) as caught:
        link('(import "wasi:a/b@0.2.0" (instance (export "f" (func))))')
    assert str(caught.value).count("\n") == 1

"""exports.py: names, versions, interfaces as objects, signatures for help() and inspect."""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Iterator

import pytest

from tests.host.world import COUNTERS
from wasi_native import ComponentInstance, Err, Host, Ok


@pytest.fixture
def instance(host: Host) -> Iterator[ComponentInstance]:
    with host.load_component(COUNTERS) as component, component.instantiate() as made:
        yield made


def test_an_interface_has_several_names(instance: ComponentInstance) -> None:
    exports = instance.exports
    api = exports["test:own/counters@1.2.3"]
    for name in (
        "test:own/counters",
        "test:own/counters@1",
        "test:own/counters@1.0.0",
        "test:own/counters@1.9.0",
    ):
        assert exports[name] is api and name in exports
    for name in ("test:own/counters@2.0.0", "test:own/counters@0.1", "test:own/other", "nope", 3):
        assert name not in exports
    with pytest.raises(KeyError, match=r"no export 'nope'; there are: test:own/counters@1\.2\.3, add"):
        exports["nope"]
    assert list(exports)[:2] == exports.keys()[:2] == ["test:own/counters@1.2.3", "add"] and len(exports) == 7
    assert repr(exports).startswith("<exports: test:own/counters@1.2.3, add")


def test_an_interface_is_an_object(instance: ComponentInstance) -> None:
    api = instance.exports["test:own/counters"]
    assert list(api) == ["Counter", "Point", "swap", "take_over"]
    assert api["take-over"] is api.take_over and api["counter"] is api.Counter
    with pytest.raises(KeyError):
        api["nope"]
    assert repr(api) == "<interface test:own/counters@1.2.3: Counter, Point, swap, take_over>"
    assert "take-over: func(c: counter) -> u32" in (type(api).__doc__ or "")
    assert (
        api.swap(api.Point(1, 2))
        == api.Point(2, 1)
        == instance.component.types.class_of(
            instance.component.model.exports["test:own/counters@1.2.3"].type.exports["point"].type
        )(2, 1)
    )


def test_help_and_inspect(instance: ComponentInstance) -> None:
    api, add = instance.exports["test:own/counters"], instance.exports["add"]
    assert str(inspect.signature(add)) == "(a: 'int', b: 'int') -> 'int'"
    assert instance.exports["test:own/counters"].Counter.__module__ == "test:own/counters@1.2.3"
    assert add.__doc__ == "add: func(a: u32, b: u32) -> u32" and add.__name__ == "add"
    assert str(inspect.signature(api.swap)) == "(p: 'Point') -> 'Point'"
    assert str(inspect.signature(api.Counter)) == "(start: 'int') -> 'Counter'"
    assert str(inspect.signature(api.Counter.plus)) == "(self, /, n: 'int') -> 'int'"
    assert str(inspect.signature(api.Counter.try_new)) == "(start: 'int') -> 'Ok[Counter] | Err[int]'"
    shown = pydoc.plain(pydoc.render_doc(add))
    assert "add(a: 'int', b: 'int') -> 'int'" in shown and "add: func(a: u32, b: u32) -> u32" in shown
    assert "plus(self" in pydoc.plain(pydoc.render_doc(api.Counter))


def test_a_resource_is_a_class(instance: ComponentInstance) -> None:
    api = instance.exports["test:own/counters"]
    with api.Counter(40) as counter:
        assert isinstance(counter, api.Counter) and counter.plus(2) == 42 == counter.plus(n=2)
    assert instance.exports["dropped"]() == 40
    assert api.Counter.try_new(0) == Err(7)
    made = api.Counter.try_new(5)
    assert isinstance(made, Ok) and made.value.plus(1) == 6
    made.value.close()
    assert instance.exports["dropped"]() == 45

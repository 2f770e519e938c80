"""What is told of definitions and types, once decoded."""

from __future__ import annotations

from tests.component.asm import RESOURCE, many, plain, read, section, types
from tests.component.build import encode, fixture
from wasi_native.component import decode
from wasi_native.component.model import (
    FREE,
    SORTS,
    Bag,
    Canon,
    CoreBag,
    CoreInstantiate,
    Export,
    Import,
    InstanceType,
    Instantiate,
    ModuleDefinition,
    ResourceType,
    Subcomponent,
    ValueType,
    inside,
)


def test_definitions_stand_in_order_and_name_their_sort() -> None:
    found = decode(fixture("interfaces"))
    kinds = [type(item).__name__ for item in found.definitions]
    assert kinds[:3] == ["TypeDefinition", "Import", "Alias"]
    assert {item.sort for item in found.definitions} <= set(SORTS)
    assert [item.at for item in found.definitions] == sorted(item.at for item in found.definitions)
    counts = {
        sort: sum(item.sort == sort for item in found.definitions) for sort in ("core instance", "func")
    }
    assert counts == {"core instance": 4, "func": 8}
    assert len(SORTS) == 13


def test_what_each_definition_holds() -> None:
    found = decode(fixture("interfaces"))
    by_type = {type(item): item for item in found.definitions}
    bag, instance, sub = by_type[CoreBag], by_type[CoreInstantiate], by_type[Subcomponent]
    assert isinstance(bag, CoreBag) and bag.exports == (("memory", "core memory", 0),)
    assert isinstance(instance, CoreInstantiate) and instance.module == 1
    assert instance.args == (("host", 1), ("mem", 2))
    assert isinstance(sub, Subcomponent) and list(sub.component.exports)[:2] == ["counter", "point"]
    made, last = by_type[Instantiate], found.definitions[-1]
    assert isinstance(made, Instantiate) and [name for name, _s, _i in made.args][:2] == [
        "import-type-point",
        "import-type-counter",
    ]
    assert isinstance(last, Export) and (last.name, last.sort) == ("run", "func")
    imports = [item.name for item in found.definitions if isinstance(item, Import)]
    assert imports == list(found.imports) == ["test:dep/poll@0.2.3", "test:dep/streams@0.2.3", "log"]
    modules = [item.module for item in found.definitions if isinstance(item, ModuleDefinition)]
    assert modules == found.modules and found.components == 1 and found.resources == 4
    assert {item.name for item in found.definitions if isinstance(item, Canon)} >= {
        "lift",
        "lower",
        "resource.new",
    }


def test_bags() -> None:
    found = decode(encode('(component (import "f" (func $f)) (instance (export "g" (func $f))))'))
    last = found.definitions[-1]
    assert isinstance(last, Bag) and last.exports == (("g", "func", 0),)


def test_a_renamed_type_is_another_object_of_the_same_layout() -> None:
    found = read(types(b"\x6b\x7f"), section(11, plain("a") + b"\3\0\0", plain("b") + b"\3\1\0"))
    one, other = found.exports["a"].type, found.exports["b"].type
    assert isinstance(one, ValueType) and isinstance(other, ValueType)
    assert other.of is one and one.of is not None and one.of.of is None
    assert one.value is other.value and (one.depth, other.depth) == (3, 4) and one.least == FREE


def test_resources_are_numbered_over_the_whole_file() -> None:
    inner = b"\0asm\x0d\0\1\0" + types(RESOURCE) + section(11, plain("r") + b"\3\0\0")
    found = read(types(RESOURCE), section(4, inner), section(10, plain("x") + b"\3\1"), types(b"\x69\1"))
    own = found.definitions[-1].type  # type: ignore[attr-defined]
    assert found.resources == 3 and own.parts[0].number == own.least == 2
    sub = found.definitions[1]
    assert isinstance(sub, Subcomponent) and isinstance(sub.component.exports["r"].type, ResourceType)
    assert sub.component.exports["r"].type.number == 1 and sub.component.type.least == FREE


def test_what_was_given_is_found_again() -> None:
    found = decode(fixture("interfaces"))
    instance = found.exports["test:own/counters@1.0.0"].type
    assert isinstance(instance, InstanceType) and instance.made is not None
    wanted = instance.made.imports["import-type-counter"].type
    given = instance.argument(wanted)
    assert isinstance(given, ResourceType) and given.defined
    assert instance.argument(given) is None
    seen = instance.seen(instance.exports["counter"].type)
    assert isinstance(seen, ResourceType) and seen.given is given and instance.numbers is not None
    assert instance.numbers.number(seen.number) == given.number
    assert instance.taken_from(InstanceType({}, 0)) is instance
    view = InstanceType({}, 0).taken_from(instance)
    assert view.within == (instance,) and view.argument(wanted) is given


def test_nodes_count_what_is_inside() -> None:
    body = many(b"\1\x73", b"\4" + plain("a") + b"\3\0\0")
    found = read(types(b"\x42" + body), section(10, plain("i") + b"\5\0"))
    instance = found.imports["i"].type
    assert (instance.nodes, instance.depth) == (2, 3)
    assert inside(instance.exports) == [instance.exports["a"].type]

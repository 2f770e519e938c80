"""Index spaces."""

from __future__ import annotations

from wasi_native.component.core_module import ModuleType
from wasi_native.component.scope import Scope, is_wide, signature


def test_entries_are_numbered_by_sort() -> None:
    outer = Scope("component", None, 0)
    scope = Scope("instance type", outer, 4)
    for entry in ("a", "b"):
        scope.push("func", entry)
    scope.push("type", "c")
    assert scope.spaces == {"func": ["a", "b"], "type": ["c"]} and outer.spaces == {}
    assert scope.parent is outer and scope.start == 4 and scope.imports == scope.exports == {}


def test_core_entries_tell_of_themselves_or_ask_their_module() -> None:
    module = ModuleType()
    module.types.append(("i", "I"))
    assert signature((module, 0)) == ("i", "I") and signature((module, 3)) is None
    assert signature((None, ("", "i"))) == ("", "i") and signature((None, None)) is None
    assert (
        is_wide((module, 1))
        and not is_wide((module, 0))
        and is_wide((None, True))
        and not is_wide((None, None))
    )

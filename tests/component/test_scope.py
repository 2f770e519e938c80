"""Index spaces."""

from __future__ import annotations

from wasi_native.component.core_module import ModuleType
from wasi_native.component.reader import Limits
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
    wide, narrow = Limits(1, None, True, False, 16), Limits(1, None, False, False, 16)
    assert is_wide((module, wide)) and not is_wide((module, narrow))
    assert not is_wide((module, None)) and not is_wide((None, None))

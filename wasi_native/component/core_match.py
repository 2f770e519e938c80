"""What may stand where a core module imports something: functions of the same type, and tables, memories and globals
that are at least what is asked for."""

from __future__ import annotations

from .core_module import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .core_module import CoreModule, ModuleType
    from .reader import Limits

    Either = CoreModule | ModuleType

__all__ = ["differ", "modules_differ"]

_NAMES = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x70: "funcref",
    0x6F: "externref",
}


def differ(kind: int, wanted: Any, found: Any) -> str:
    """Of a table, memory or global: "", or why the type ``found`` does not do where ``wanted`` is asked for. What is
    not known of either is the engine's to check."""
    if wanted is None or found is None:
        return ""
    if kind == 3:
        if wanted[1] != found[1]:
            return f"a global that {'can be set' if wanted[1] else 'is constant'} is asked for"
        return _values("global", wanted[0], found[0])
    return _limits(KINDS[kind], wanted, found)


def _values(what: str, wanted: int, found: int) -> str:
    if wanted == found or -1 in (wanted, found):
        return ""
    return f"a {what} of {_NAMES[wanted]} is asked for, and this is one of {_NAMES[found]}"


def _limits(what: str, wanted: Limits, found: Limits) -> str:
    if what == "table" and (wrong := _values(what, wanted.element, found.element)):
        return wrong
    if wanted.wide != found.wide:
        return f"a {what} of {64 if wanted.wide else 32}-bit addresses is asked for"
    if wanted.shared != found.shared:
        return f"a {what} that is {'' if wanted.shared else 'not '}shared is asked for"
    if wanted.page != found.page:
        return f"a {what} with pages of 2^{wanted.page} bytes is asked for"
    if found.low < wanted.low:
        return f"a {what} of at least {wanted.low} is asked for, and this one begins with {found.low}"
    if wanted.high is not None and (found.high is None or found.high > wanted.high):
        most = "no end" if found.high is None else f"at most {found.high}"
        return f"a {what} of at most {wanted.high} is asked for, and this one has {most}"
    return ""


def modules_differ(wanted: Either, found: Either) -> str:
    """Likewise of whole modules: one that exports what is asked for, and imports nothing that would not be given."""
    for name, (kind, index) in wanted.exports.items():
        other = found.exports.get(name)
        if other is None or other[0] != kind:
            return f"the module exports no {KINDS[kind]} {name[:80]!r}"
        if kind == 0:
            wrong = "it has another type" * (wanted.signature(index) != found.signature(other[1]))
        else:
            wrong = _other(kind, wanted, index, found, other[1])
        if wrong:
            return f"the export {name[:80]!r}: {wrong}"
    for key, (kind, type) in found.imports.items():
        given = wanted.imports.get(key)
        where = " ".join([repr(part[:80]) for part in key])
        if given is None or given[0] != kind:
            return f"the module imports the {KINDS[kind]} {where}, which is not told"
        if kind == 0:
            wrong = "it has another type" * (wanted.imported(given[1]) != found.imported(type))
        else:
            wrong = "" if kind == 4 else differ(kind, type, given[1])
        if wrong:
            return f"the import {where}: {wrong}"
    return ""


def _other(kind: int, wanted: Either, index: Any, found: Either, other: Any) -> str:
    """Of an export that is no function."""
    return "" if kind == 4 else differ(kind, wanted.extern(kind, index), found.extern(kind, other))

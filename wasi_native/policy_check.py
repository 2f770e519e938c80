"""The checks that every policy field goes through, and the one shape of their complaints.

``where`` is ``Class.field``; the text of each :class:`~wasi_native.errors.PolicyError` is ``where``, the
value and the fix. Nothing here opens or resolves anything.
"""

from __future__ import annotations

import os

from .errors import PolicyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = [
    "I63",
    "FrozenDict",
    "caps",
    "default_guest",
    "fail",
    "flag",
    "guest_path",
    "host_path",
    "integer",
    "many",
    "put",
    "show",
    "size",
    "string",
    "variable",
]

_PATH_MAX = 4096  # bytes of a guest path
I63 = 2**63 - 1


def fail(where: str, text: str) -> NoReturn:
    """Raise the complaint; ``where`` also stays on the exception, for :mod:`wasi_native.policy_toml`."""
    error = PolicyError(f"{where}: {text}")
    vars(error)["where"] = where
    raise error


def show(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # an integer of many thousand digits, or an object with a broken __repr__
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 100 else text[:97] + "..."


def string(where: str, value: object, errors: str = "surrogateescape") -> str:
    if not isinstance(value, str):
        fail(where, f"{show(value)} has the type {type(value).__name__}; write a string")
    if "\0" in value:
        fail(where, f"{show(value)} holds a NUL character; remove it")
    try:
        value.encode("utf-8", errors)
    except UnicodeEncodeError:
        fail(where, f"{show(value)} cannot be encoded as UTF-8; remove the surrogate")
    return value


def flag(where: str, value: object) -> None:
    if not isinstance(value, bool):
        fail(where, f"{show(value)} is not a truth value; write True or False")


def integer(where: str, value: object, low: int = 1, high: int = I63) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        fail(where, f"{show(value)} is not a whole number; write an integer from {low} to {high}")
    if not low <= value <= high:
        fail(where, f"{show(value)} is out of range; write an integer from {low} to {high}")


def caps(owner: Any, *names: str) -> None:
    for name in names:
        value = getattr(owner, name)
        if value is not None:
            integer(f"{type(owner).__name__}.{name}", value)


def host_path(where: str, value: object) -> str:
    try:
        text = os.fsdecode(value)  # type: ignore[arg-type]
    except TypeError:
        fail(where, f"{show(value)} has the type {type(value).__name__}; write a path")
    if not text:
        fail(where, "the path is empty; write '.' to mean the working directory")
    if "\0" in text:
        fail(where, f"{show(text)} holds a NUL character; remove it")
    return text


def guest_path(where: str, value: object, dot: bool = True) -> str:
    text = string(where, value, "strict")
    clean = os.path.normpath("/" + text.lstrip("/"))
    if text != "." or not dot:
        if not text.startswith("/"):
            fail(where, f"{show(text)} is not absolute; write {clean!r}" + (" or '.'" if dot else ""))
        if text != clean:
            fail(where, f"{show(text)} is not in its shortest form; write {clean!r}")
        if clean == "/" and not dot:
            fail(where, "'/' does not name a file; write '/' and a name")
    if len(text.encode()) > _PATH_MAX:
        fail(where, f"the name is longer than {_PATH_MAX} bytes; write a shorter one")
    return text


def default_guest(where: str, host: str, dot: bool = True) -> str:
    """The guest name for a host path given without one: '.' for '.', else '/' and the last name."""
    clean = os.path.normpath(host)
    if clean == "." and dot:
        return "."
    name = os.path.basename(clean)
    if name in ("", ".", ".."):
        fail(where, f"the host path {show(host)} has no last name to take; write guest='/name'")
    return "/" + name


def many(where: str, value: object, what: str) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes, os.PathLike, dict)):
        fail(where, f"{show(value)} is one {type(value).__name__}; write a list of {what}")
    try:
        return tuple(value)  # type: ignore[arg-type]
    except TypeError:
        fail(where, f"{show(value)} has the type {type(value).__name__}; write a list of {what}")


def variable(name: object, value: object) -> None:
    """A name and a value of the environment."""
    text = string("Policy.env", name)
    if not text or "=" in text:
        fail("Policy.env", f"{show(text)} is not a name; write one without '=', not empty")
    string(f"Policy.env.{text}", value)


def put(owner: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(owner, name, value)


def size(count: int) -> str:
    for shift, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count and count % (1 << shift) == 0:
            return f"{count >> shift} {unit}"
    return f"{count} bytes"


class FrozenDict(dict):  # type: ignore[type-arg]
    """A dictionary that cannot be changed, but hashed and pickled."""

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise TypeError("the environment of a policy is frozen; use dataclasses.replace")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

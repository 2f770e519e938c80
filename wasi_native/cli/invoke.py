"""``run --invoke`` on components: arguments of a command line as values of the function's types."""

from __future__ import annotations

from .options import Usage
from .out import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..component.model import ValueType
    from ..host.component_instance import ComponentInstance

__all__ = ["invoke", "parse"]


def invoke(instance: Any, export: str, args: list[str]) -> int:
    """Call it and print what it returns. Raises Usage."""
    found: ComponentInstance = instance
    types = found.parameters(export)
    if len(types) != len(args):
        listed = ", ".join([f"{name}: {_word(type)}" for name, type in types]) or "none"
        raise Usage(f"--invoke {export}: {len(types)} arguments are needed ({listed}), not {len(args)}")
    values = []
    for text, (name, type) in zip(args, types, strict=True):
        try:
            values.append(parse(text, type))
        except ValueError as error:
            raise Usage(f"--invoke {export}: {name}: {error}") from None
    try:
        result = found.call(export, *values)
    except (TypeError, ValueError, OverflowError) as error:
        raise Usage(f"--invoke {export}: {error}") from None
    if result is not None:
        say(f"{result if isinstance(result, str) else repr(result)}\n")
    return 0


def parse(text: str, type: ValueType) -> Any:
    """An argument. ValueError."""
    kind = type.kind
    if kind in ("string", "char", "enum"):
        return text
    if kind == "option":
        return None if text == "none" else parse(text, type.parts[0])
    if kind == "bool":
        if text not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text == "true"
    if kind == "flags":
        return [word for word in text.split(",") if word]
    if kind == "list" and type.parts[0].kind == "u8" and not text.startswith("["):
        return text.encode("utf-8", "surrogateescape")
    if kind in ("f32", "f64") or (kind[0] in "us" and kind[1:].isdigit()):
        try:
            return float(text) if kind[0] == "f" else int(text, 0)
        except ValueError:
            raise ValueError(f"{text!r} is no {kind}") from None
    if kind in ("list", "tuple", "record", "map"):
        from ast import literal_eval

        try:
            return literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ValueError(f"{text!r} is no {kind} as Python writes one") from None
    raise ValueError(f"a {kind} cannot be written on a command line")


def _word(type: ValueType) -> str:
    return type.kind

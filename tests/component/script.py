"""Runs .wast files of components: instances, invocations, what they return and why they trap.

    python -m tests.component.script CHECKOUT [GROUP ...]      a table of what passes, file by file

Values are read with the types of the function that they are given to, and compared as Python has them. A trap must be
for the reason that is named (:data:`REASONS` says which of our words stand for it).
"""

from __future__ import annotations

import math
import re
import struct
import sys
from pathlib import Path
from typing import Any

from tests.component import wast
from tests.component.build import encode
from wasi_native import Host, Limits, Policy
from wasi_native.component import FEATURES, decode
from wasi_native.component.values import Err, Ok, Some
from wasi_native.errors import CoreError, ModuleError, Trap

GROUPS = ("values", "resources", "linking", "binary", "validation")
_TEXT = re.compile(r'\(;.*?;\)|;;[^\n]*|("(?:[^"\\]|\\.)*")|([()])|([^\s()";]+)|\s+', re.S)
# The words of the specification's tests, and ours for the same rule where a pointer comes from realloc.
REASONS: dict[str, tuple[str, ...]] = {
    "unaligned pointer": ("realloc return: result not aligned",),
    "list content out-of-bounds": ("realloc return: beyond end of memory",),
}


def tree(text: str) -> Any:
    """An s-expression as lists of words and strings (str in quotes)."""
    stack: list[list[Any]] = [[]]
    for match in _TEXT.finditer(text):
        quoted, bracket, word = match.groups()
        if bracket == "(":
            stack.append([])
        elif bracket == ")":
            done = stack.pop()
            stack[-1].append(done)
        elif quoted or word:
            stack[-1].append(quoted or word)
    return stack[0]


def number(text: str, kind: str) -> Any:
    text = text.replace("_", "")
    if kind[0] == "f":
        if "nan" in text:
            return math.nan
        return float.fromhex(text) if "0x" in text else float(text)
    return int(text, 0)


class Script:
    """One file: what passed, what did not and why."""

    def __init__(self, host: Host, path: Path) -> None:
        self.host, self.path = host, path
        self.passed, self.failed = 0, list[str]()
        self.definitions: dict[str, bytes] = {}
        self.instances: dict[str, Any] = {}
        self.current: Any = None
        self.open: list[Any] = []

    def run(self) -> None:
        text = self.path.read_text(encoding="utf-8")
        for start, end, tokens in wast._forms(text):
            source, line = text[start:end], text.count("\n", 0, start) + 1
            try:
                self.form(tokens[1], source)
                self.passed += 1
            except Skip:
                pass
            except Exception as error:  # what a script does is reported, whatever it is
                self.failed.append(f"{self.path.name}:{line}: {type(error).__name__}: {error}")
        for instance in self.open:
            instance.close()

    # ---- forms ----

    def form(self, kind: str, source: str) -> None:
        form = tree(source)[0]
        if kind == "component":
            self.component(form, source)
        elif kind in ("assert_invalid", "assert_malformed"):
            self.refused(source, form)
        elif kind == "assert_return":
            self.returns(form)
        elif kind == "assert_trap":
            self.traps(form, source)
        elif kind == "invoke":
            self.invoke(form)
        else:
            raise ValueError(f"an unknown form {kind}")

    def binary(self, form: list[Any], source: str) -> bytes:
        words = [word for word in form[1:4] if isinstance(word, str)]
        if "binary" in words or "quote" in words:
            strings = [wast.string(token) for token in form if isinstance(token, str) and token[0] == '"']
            return b"".join(strings) if "binary" in words else encode(b"\n".join(strings))
        return encode(re.sub(r"\(component\s+definition", "(component", source, count=1))

    def component(self, form: list[Any], source: str) -> None:
        words = [word for word in form[1:5] if isinstance(word, str)]
        if words[:1] == ["instance"]:
            name = words[1] if len(words) > 2 else ""
            self.instantiate(self.definitions[words[-1]], name)
            return
        data = self.binary(form, source)
        name = next((word for word in words if word.startswith("$")), "")
        if words[:1] == ["definition"]:
            decode(data, self.path.name, FEATURES)
            self.definitions[name] = data
        else:
            self.instantiate(data, name)

    def instantiate(self, data: bytes, name: str) -> None:
        self.current = None
        component: Any = self.host.load(data)
        if component.model.imports:
            raise Skip  # a definition that is to be valid alone
        self.current = component.instantiate()
        self.open.append(self.current)
        if name:
            self.instances[name] = self.current

    def refused(self, source: str, form: list[Any]) -> None:
        inner = source[source.index("(", 1) : source.rindex(form[-1])].strip()
        try:
            data = self.binary(form[1], inner)
            decode(data, self.path.name, FEATURES)
            self.host.load(data)  # code of core modules, which the engine checks
        except (CoreError, ModuleError):
            return
        raise AssertionError(f"not refused: {form[-1]}")

    def invoke(self, form: list[Any]) -> tuple[Any, Any]:
        rest = form[1:]
        where = self.current
        if isinstance(rest[0], str) and rest[0].startswith("$"):
            where = self.instances[rest.pop(0)]
        name = wast.string(rest.pop(0)).decode()
        item = where._tree.exports[name][1]
        types = item.signature.type
        args = [self.value(v, t, where) for v, (_n, t) in zip(rest, types.params, strict=True)]
        return where.exports[name](*args), (types.result, where)

    def returns(self, form: list[Any]) -> None:
        found, (type, where) = self.invoke(form[1])
        wanted = [self.value(value, type, where) for value in form[2:]]
        if not same(found, wanted[0] if wanted else None):
            raise AssertionError(f"{form[1][1]} returned {found!r}, not {wanted}")

    def traps(self, form: list[Any], source: str) -> None:
        wanted = wast.string(form[-1]).decode()
        try:
            if form[1][0] == "component":
                inner = source[source.index("(", 1) : source.rindex(form[-1])].strip()
                self.component(form[1], inner)
            else:
                self.invoke(form[1])
        except Trap as trap:
            if not because(wanted, trap):
                raise AssertionError(f"trapped for {trap.kind}: {trap}, not {wanted!r}") from None
            return
        raise AssertionError(f"did not trap: {wanted}")

    # ---- values ----

    def value(self, form: Any, type: Any, where: Any) -> Any:
        """A value of the type, as Python has it."""
        kind, rest = form[0].partition(".const")[0], form[1:]
        if kind in ("option.none", "option.some"):
            if kind == "option.none":
                return None
            inner = self.value(rest[0], type.parts[0], where)
            return Some(inner) if type.parts[0].kind == "option" else inner
        if kind in ("result.ok", "result.err"):
            part = type.parts[kind == "result.err"]
            inner = self.value(rest[0], part, where) if rest else None
            return Err(inner) if kind == "result.err" else Ok(inner)
        if kind == "bool":
            return rest[0] == "true"
        if kind in ("str", "char"):
            return wast.string(rest[0]).decode()
        if kind == "list":
            items = [self.value(part, type.parts[0], where) for part in rest]
            return bytes(items) if type.parts[0].kind == "u8" else items
        if kind == "tuple":
            return tuple(self.value(v, t, where) for v, t in zip(rest, type.parts, strict=True))
        if kind in ("record", "variant", "enum", "flags"):
            return self.named(kind, rest, type, where)
        found = number(rest[0], kind)
        return struct.unpack("<f", struct.pack("<f", found))[0] if kind == "f32" else found

    def named(self, kind: str, rest: list[Any], type: Any, where: Any) -> Any:
        made = where.component.types.class_of(type)
        if kind == "record":
            parts = dict(type.parts)
            # (field "n" u32.const 7): the value's brackets are left out
            fields = {wast.string(f[1]).decode(): f[2:] for f in rest}
            return made(*[self.value(fields[label], part, where) for label, part in parts.items()])
        labels = [wast.string(word).decode() for word in rest if isinstance(word, str)]
        if kind == "enum":
            return made(labels[0])
        if kind == "flags":
            return made(sum(1 << type.parts.index(label) for label in labels))
        case = next(case for case in made.__cases__ if case.label == labels[0])
        part = type.parts[case.index][1]
        return case() if part is None else case(self.value(rest[1], part, where))


class Skip(Exception):
    """Nothing was asserted that concerns us."""


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(other):
        return math.isnan(one)
    return type(one) is type(other) and bool(one == other)


def because(wanted: str, trap: Trap) -> bool:
    """Whether this is the trap that was asked for."""
    told = f"{trap.kind}: {trap}"
    wanted = wanted.removeprefix("wasm trap: ")
    return any(words in told for words in (wanted, *REASONS.get(wanted, ())))


def run(root: Path, groups: tuple[str, ...] = GROUPS, engine: str = "wasmtime") -> dict[str, Script]:
    """Each file of these groups, by "group/file"."""
    found = {}
    with Host(Policy(limits=Limits(instances=1000)), engine=engine, cache=False) as host:
        for group in groups:
            for path in sorted((root / "test" / group).glob("*.wast")):
                script = found[f"{group}/{path.stem}"] = Script(host, path)
                script.run()
    return found


def main() -> int:
    root, groups = Path(sys.argv[1]), tuple(sys.argv[2:]) or GROUPS
    bad = 0
    for name, script in run(root, groups).items():
        print(f"{name:48} {script.passed:4} passed {len(script.failed):4} failed")
        for line in script.failed:
            print(f"    {line}")
        bad += len(script.failed)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

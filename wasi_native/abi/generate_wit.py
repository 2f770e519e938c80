"""The second notation of the rows: functions with types of their own, as WASI 0.2 has them. See p2.rows.

Sizes, offsets and the parameters of core functions are those of ``wasi_native.component.types``, which needs the
standard library alone and is read from its file, for the package itself may not be built yet.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TYPES = Path(__file__).resolve().parent.parent / "component" / "types.py"
_ERRNO = Path(__file__).resolve().parents[2] / "include" / "wasi_native" / "errno.def"
_spec = importlib.util.spec_from_file_location("wasi_native_component_types", _TYPES)
assert _spec is not None and _spec.loader is not None
types: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(types)

WORD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
WIDTH = 118
GENERIC = {"list": 1, "option": 1, "borrow": 1, "result": 2}
C_FLAT = {"i": "uint32_t", "I": "uint64_t"}
WIDTHS = {"u8": "(uint8_t)", "u16": "(uint16_t)", "s8": "(uint32_t)(int8_t)", "s16": "(uint32_t)(int16_t)"}


class WitError(Exception):
    """A line that says nothing we know; the text names file and number."""


@dataclass
class Named:
    """A type with a name, or one made of others: ``parts`` is [(label, Named or None)]."""

    kind: str
    name: str
    value: Any  # types.Value
    parts: list[tuple[str, Named | None]] = field(default_factory=list)


@dataclass
class Package:
    name: str
    version: str
    group: str
    types: dict[str, Named] = field(default_factory=dict)
    fails: list[str] = field(default_factory=list)  # error types of its results


@dataclass
class Func:
    package: Package
    interface: str
    name: str  # as it is imported
    handler: str  # "descriptor_read", or "wall_clock_now" where `now` alone is another's too
    params: list[tuple[str, Named]]
    result: Named | None
    pending: bool
    group: str
    drops: Named | None = None

    @property
    def module(self) -> str:
        return f"wasi:{self.package.name}/{self.interface}@{self.package.version}"

    def flat(self) -> tuple[str, str]:
        table = types.Table()
        values = [(name, one.value) for name, one in self.params]
        result = self.result.value if self.result else None
        params, results = types.flatten(table.function(values, result), "lower")
        return str(params), str(results)


def lines(text: str) -> list[tuple[int, str]]:
    """The lines that say something, each with those that go on with it."""
    found: list[tuple[int, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].rstrip()
        if not line:
            continue
        if line[0] == " " and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        else:
            found.append((number, line))
    return found


class Reader:
    """One file of rows: packages in order, and their functions."""

    def __init__(self, text: str, where: str) -> None:
        self.table = types.Table()
        self.packages: list[Package] = []
        self.funcs: list[Func] = []
        self.resources: list[Named] = []
        interface, pending, place = "", False, where
        self.group = ""
        for number, line in lines(text):
            place = f"{where}:{number}"
            words = line.split()
            try:
                if words[0] == "package" and len(words) == 4:
                    self.packages.append(Package(words[1], words[2], words[3]))
                    interface = ""
                elif words[0] == "interface" and len(words) in (2, 3) and self.packages:
                    interface, pending = words[1], False
                    self.group = words[2] if len(words) == 3 else self.package.group
                elif not interface:
                    raise WitError("no interface yet")
                elif words == ["pending"]:
                    pending = True
                else:
                    self._line(words, interface, pending)
            except (WitError, types.TooLarge, IndexError) as error:
                raise WitError(f"{place}: {error}: {line}") from None
        if not self.funcs:
            raise WitError(f"{where}: no functions")
        self._handlers()

    @property
    def package(self) -> Package:
        return self.packages[-1]

    def _line(self, words: list[str], interface: str, pending: bool) -> None:
        kind, name = words[0], words[1] if len(words) > 1 else ""
        if kind == "resource" and len(words) == 2:
            one = self._define(kind, name, self.table.own(len(self.resources)), [])
            self.resources.append(one)
            drop = Func(
                self.package, interface, f"[resource-drop]{name}", "", [], None, pending, self.group, one
            )
            self.funcs.append(drop)
        elif kind == "type" and len(words) == 3:
            given = self._type(words[2])
            self._define(given.kind, name, given.value, given.parts)
        elif kind in ("enum", "flags") and len(words) > 2:
            value = getattr(self.table, kind)(words[2:])
            self._define(kind, name, value, [(label, None) for label in words[2:]])
        elif kind == "record" and len(words) > 2:
            fields = [self._field(word) for word in words[2:]]
            parts: list[tuple[str, Named | None]] = [*fields]
            self._define(kind, name, self.table.record([(n, f.value) for n, f in fields]), parts)
        elif kind == "variant" and len(words) > 2:
            cases = [self._case(word) for word in words[2:]]
            value = self.table.variant([(n, c.value if c else None) for n, c in cases])
            self._define(kind, name, value, cases)
        else:
            self._function(words, interface, pending)

    def _define(self, kind: str, name: str, value: Any, parts: list[tuple[str, Named | None]]) -> Named:
        if not WORD.fullmatch(name) or name in self.package.types:
            raise WitError(f"no new name: {name!r}")
        made = self.package.types[name] = Named(kind, name, value, parts)
        return made

    def _field(self, word: str) -> tuple[str, Named]:
        name, colon, text = word.partition(":")
        if not colon or not WORD.fullmatch(name):
            raise WitError(f"not NAME:TYPE: {word!r}")
        return name, self._type(text)

    def _case(self, word: str) -> tuple[str, Named | None]:
        name, bracket, text = word.partition("(")
        if not WORD.fullmatch(name) or (bracket and not text.endswith(")")):
            raise WitError(f"not CASE or CASE(TYPE): {word!r}")
        return name, self._type(text[:-1]) if bracket else None

    def _function(self, words: list[str], interface: str, pending: bool) -> None:
        result = None
        if "->" in words:
            if words[-2] != "->":
                raise WitError("not one type behind the arrow")
            result = self._type(words[-1])
            words = words[:-2]
        name, params = words[0], [self._field(word) for word in words[1:]]
        resource, dot, method = name.partition(".")
        if dot:
            if resource not in self.package.types:
                raise WitError(f"no resource {resource!r}")
            params.insert(0, ("self", self._type(f"borrow<{resource}>")))
            name = f"[method]{resource}.{method}"
        if not all(WORD.fullmatch(word) for word in (resource, *([method] if dot else []))):
            raise WitError("not a line of this notation")
        if any(f.name == name and f.interface == interface and f.package is self.package for f in self.funcs):
            raise WitError(f"{name} is here twice")
        made = Func(self.package, interface, name, "", params, result, pending, self.group)
        if sum(len(one.value.flat) for _name, one in params) > types.FLAT_PARAMS_MAX:
            raise WitError("more than 16 flat parameters")
        if any(one.kind == "resource" for _name, one in params):
            raise WitError("a resource that is given away is not done yet")
        if result and result.kind == "result" and result.parts[1][1]:
            error = result.parts[1][1].name
            if error not in self.package.fails:
                self.package.fails.append(error)
        self.funcs.append(made)

    def _type(self, text: str) -> Named:
        """The type that ``text`` writes out."""
        head, bracket, rest = text.partition("<")
        if not bracket:
            return self._plain(head)
        if not rest.endswith(">"):
            raise WitError(f"not a type: {text!r}")
        inner = [None if part == "_" else self._type(part) for part in _split(rest[:-1])]
        if head not in (*GENERIC, "tuple") or len(inner) != GENERIC.get(head, len(inner)):
            raise WitError(f"not a type: {text!r}")
        values = [one.value if one else None for one in inner]
        name = "-".join([head, *(one.name for one in inner if one)])
        parts = [(str(index), one) for index, one in enumerate(inner)]
        if head == "borrow":
            if inner[0] is None or inner[0].kind != "resource":
                raise WitError(f"not a resource: {text!r}")
            return Named("borrow", inner[0].name, self.table.borrow(inner[0].value.parts[0]), parts)
        if head == "list":
            return Named("list", name, self.table.list_of(values[0]), parts)
        if head == "option":
            return Named("option", name, self.table.option(values[0]), parts)
        if head == "tuple":
            return Named("tuple", name, self.table.tuple_of(values), parts)
        return Named("result", name, self.table.result(*values), parts)

    def _plain(self, name: str) -> Named:
        if name in types.PRIMITIVES or name == "string":
            return Named(name, name, self.table.primitive(name))
        if name == "result":
            return Named("result", name, self.table.result(None, None), [("0", None), ("1", None)])
        for package in reversed(self.packages):
            if name in package.types:
                return package.types[name]
        raise WitError(f"no type {name!r}")

    def _handlers(self) -> None:
        """A method's handler is named by resource and method, a function's by itself, where that is one alone."""
        for func in self.funcs:
            word = func.name.removeprefix("[method]")
            others = [f for f in self.funcs if f.package is func.package and f.name == func.name]
            if len(others) > 1:
                word = f"{func.interface}.{word}"
            func.handler = f"{func.package.name}_{snake(word)}"


def _split(text: str) -> list[str]:
    """``a,b<c,d>`` at its outer commas."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "<") - (char == ">")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts


TAKEN = ("err", "guest", "ret", "result", "row", "slots")  # by the trampolines themselves


def snake(name: str) -> str:
    return name.replace("-", "_").replace(".", "_")


# ---- C ----


def constants(reader: Reader) -> list[str]:
    """Cases, labels, sizes and offsets of every type that has a name, and of the options and tuples in use."""
    out, seen = [], set()

    def emit(prefix: str, one: Named) -> None:
        head = f"WN_P2_{prefix}_{snake(one.name).upper()}"
        if head in seen or one.kind in ("resource", "borrow", "list", "result", *types.PRIMITIVES, "string"):
            return
        seen.add(head)
        value, items = one.value, []
        for index, (label, _part) in enumerate(one.parts):
            word = f"{head}_{snake(label).upper()}"
            if one.kind in ("enum", "variant"):
                items.append(f"{word} = {index}")
            elif one.kind == "flags":
                items.append(f"{word} = {1 << index}")
            elif one.kind in ("record", "tuple"):
                items.append(f"{word} = {value.offsets[index]}")
        if one.kind == "option":
            items.append(f"{head}_SOME = {value.offsets[0]}")
        if one.kind == "variant":
            items.append(f"{head}_PAYLOAD = {value.offsets[0]}")
        if one.kind == "flags":
            items.append(f"{head}_ALL = {(1 << len(one.parts)) - 1}")
        if one.kind in ("record", "tuple", "option", "variant"):
            items += [f"{head}_SIZEOF = {value.size}", f"{head}_ALIGNOF = {value.align}"]
        out.append(wrapped("enum { ", items, " };"))

    def inside(prefix: str, one: Named | None) -> None:
        if one is None:
            return
        for _label, part in one.parts:
            inside(prefix, part)
        if one.kind in ("option", "tuple") and one.name.partition("-")[0] == one.kind:
            emit(prefix, one)

    for package in reader.packages:
        prefix = package.name.upper()
        for name, one in package.types.items():
            if one.name == name:
                emit(prefix, one)
            inside(prefix, one)
        for func in reader.funcs:
            if func.package is package:
                for one in [
                    *(param for _name, param in func.params),
                    *([func.result] if func.result else []),
                ]:
                    inside(prefix, one)
    return out


def wrapped(head: str, items: list[str], tail: str) -> str:
    """``head item, item, ... tail``, broken under the end of head where a line would be too long."""
    lines = [head]
    for index, item in enumerate(items):
        piece = item + (tail if index == len(items) - 1 else ",")
        glue = "" if index == 0 else " "
        if len(lines[-1]) + len(glue) + len(piece) > WIDTH:
            lines.append(" " * len(head) + piece)
        else:
            lines[-1] += glue + piece
    return "\n".join(lines)


def names(func: Func) -> list[tuple[str, str, Named | None]]:
    """(C name, letter, the type where it is the first of one) of each flat parameter but the return area."""
    found: list[tuple[str, str, Named | None]] = []
    for name, one in func.params:
        word = snake(name) + "_" * (name in TAKEN)
        flat = one.value.flat
        if one.kind in ("list", "string"):
            found += [(word, "i", None), (f"{word}_len", "i", None)]
        elif one.kind in ("record", "tuple"):
            if len(flat) != len(one.parts) or any(part.kind == "list" for _l, part in one.parts if part):
                raise WitError(f"{func.name}: a parameter of this shape is not done yet")
            found += [
                (f"{word}_{snake(label)}", letter, part)
                for (label, part), letter in zip(one.parts, flat, strict=True)
            ]
        else:
            found.append((word, flat[0], one))
            found += [(f"{word}_{index}", letter, None) for index, letter in enumerate(flat[1:], 1)]
    return found


def results(func: Func) -> tuple[str, bool]:
    """The letter of a flat result ("" for none), and whether it goes to a return area."""
    _params, flat = func.flat()
    return flat, func.result is not None and not flat


def payload(func: Func) -> bool:
    """Whether there is anything for the handler to write: not for a `result` without a value."""
    assert func.result is not None
    return func.result.kind != "result" or func.result.parts[0][1] is not None


def prototype(func: Func) -> str:
    args = ["wn_guest_t *guest"]
    for word, letter, one in names(func):
        args.append(f"wn_res_t *{word}" if one and one.kind == "borrow" else f"{C_FLAT[letter]} {word}")
    flat, area = results(func)
    if flat:
        args.append(f"{C_FLAT[flat]} *result")
    if area and payload(func):
        args.append("uint32_t ret")
    return wrapped(f"wn_err_t wn_p2_{func.handler}(", args, ");")


def trampoline(func: Func) -> list[str]:
    """Return area, handles, numbers that must be below another: all is looked at before the handler runs."""
    if func.drops is not None:
        return [
            f"static wn_err_t drop_{snake(func.drops.name)}(wn_guest_t *guest, const wn_row_t *row, void *slots) {{",
            "  (void)row;",
            f"  return wn_p2_drop(guest, WN_SLOT_U32(guest, slots, 0), &wn_p2_rt_{snake(func.drops.name)});",
            "}",
            "",
        ]
    out = [
        f"static wn_err_t call_{func.handler}(wn_guest_t *guest, const wn_row_t *row, void *slots) {{",
        "  (void)row;",
    ]
    args, checks = ["guest"], []
    flat_names = names(func)
    for index, (word, letter, one) in enumerate(flat_names):
        slot = f"WN_SLOT_U{32 if letter == 'i' else 64}(guest, slots, {index})"
        kind = one.kind if one else ""
        if kind == "borrow" and one:
            out.append(f"  wn_res_t *{word} = NULL;")
            checks.append(f"wn_p2_borrow(guest, {slot}, &wn_p2_rt_{snake(one.name)}, &{word})")
            args.append(word)
        elif kind in ("enum", "variant", "option", "result") and one:
            cases = 2 if kind in ("option", "result") else len(one.parts)
            out.append(f"  uint32_t {word} = {slot};")
            checks.append(f"wn_p2_case(guest, {word}, {cases})")
            args.append(word)
        elif kind == "flags" and one:
            args.append(f"{slot} & {(1 << len(one.parts)) - 1}u")
        elif kind == "bool":
            args.append(f"{slot} != 0")
        else:
            args.append(WIDTHS.get(kind, "") + slot)
    flat, area = results(func)
    value: Any = func.result.value if func.result else None
    failing = func.result is not None and func.result.kind == "result"
    if flat:
        out.append(f"  {C_FLAT[flat]} result = 0;")
        args.append("&result")
    if area:
        out.append(f"  uint32_t ret = WN_SLOT_U32(guest, slots, {len(flat_names)});")
        if payload(func):
            args.append(f"ret + {value.offsets[0]}" if failing else "ret")
        checks.append(f"wn_p2_area(guest, ret, {value.size}, {value.align})")
    out.append("  wn_err_t err = wn_p2_enter(guest);")
    out += [f"  if (WN_LIKELY(!err)) err = {check};" for check in checks]
    out.append(wrapped(f"  if (WN_LIKELY(!err)) err = wn_p2_{func.handler}(", args, ");"))
    if failing and area:
        assert func.result is not None
        error = func.result.parts[1][1]
        fail = f"wn_p2_{func.package.name}_{snake(error.name)}" if error else "NULL"
        out.append(f"  return wn_p2_done(guest, ret, {value.size}, {value.offsets[0]}, err, {fail});")
    elif flat:
        out.append("  if (WN_LIKELY(!err)) *WN_SLOT(guest, slots, 0) = result;")
        out.append("  return err;")
    else:
        out.append("  return err;")
    return [*out, "}", ""]


def errnos(reader: Reader) -> list[str]:
    """The case of wasi:filesystem's error-code for each errno, by the map that serves all versions."""
    code = next((p.types.get("error-code") for p in reader.packages if p.name == "filesystem"), None)
    if code is None:
        return []
    labels = [label for label, _part in code.parts]
    rows = re.findall(r'^WN_ERRNO\((\w+), \d+, \w+, "([^"]+)"', _ERRNO.read_text(encoding="utf-8"), re.M)
    items = [str(labels.index("io" if label == "-" else label)) for _name, label in rows]
    return [wrapped(f"static const uint8_t wn_p2_errno_codes[{len(items)}] = {{", items, "};"), ""]


def header(version: str, reader: Reader, source: str) -> str:
    served = [func for func in reader.funcs if not func.pending]
    guard = f"WN_CORE_{version.upper()}_ROWS_GEN_H"
    out = [
        f"/* rows.gen.h - made by abi/generate.py from abi/{source}. Do not edit: change the rows.",
        " *",
        " * Every file here sees the handlers, the numbers of cases and labels, sizes and offsets in guest memory;",
        f" * {version}.c defines WN_{version.upper()}_TABLE too.",
        " *",
        " * A handler is called when its return area, its handles and its cases are good. It answers 0, a verdict,",
        " * or where its result is a `result` an errno, which becomes that error. `ret` is where the value goes, of",
        " * a `result` the payload of ok; the discriminant is written behind the handler. */",
        "/* clang-format off */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        '#include "core/p2/call.h"',
        "",
        *constants(reader),
        "",
    ]
    out += [f"extern const wn_rt_t wn_p2_rt_{snake(one.name)};" for one in reader.resources]
    out.append("")
    out.append("/* The payload of an error for an errno. */")
    for package in reader.packages:
        if any(func.package is package and not func.pending for func in reader.funcs):
            for error in package.fails:
                name = f"wn_p2_{package.name}_{snake(error)}"
                out.append(f"wn_err_t {name}(wn_guest_t *guest, wn_err_t err, uint8_t *out);")
    out.append("")
    out += [prototype(func) for func in served if func.drops is None]
    out += ["", f"#ifdef WN_{version.upper()}_TABLE", ""]
    for one in reader.resources:
        kind = f"WN_RES_{snake(one.name).upper()}"
        out.append(f'const wn_rt_t wn_p2_rt_{snake(one.name)} = WN_P2_RT("{one.name}", {kind});')
    out += ["", *errnos(reader)]
    for func in served:
        out += trampoline(func)
    out.append(f"static const wn_row_t wn_{version}_table[] = {{")
    for func in served:
        params, flat = func.flat()
        words = [word for word, _letter, _one in names(func)] + (["ret"] if results(func)[1] else [])
        call, ctx = f"call_{func.handler}", "NULL"
        if func.drops is not None:  # where the type of a resource is found by its name
            params, flat, words = "i", "", ["self"]
            call, ctx = f"drop_{snake(func.drops.name)}", f"(void *)&wn_p2_rt_{snake(func.drops.name)}"
        fields = [func.module, func.name, params, flat, ",".join(words), func.group]
        out.append(wrapped("    {", [*(f'"{text}"' for text in fields), call, "NULL", ctx], "},"))
    out += ["};", "", "#endif", "#endif", ""]
    return "\n".join(out)

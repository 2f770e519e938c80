"""The C of a compiled guest: names taken out of the module before, checks put into the code after ``wasm2c``.

``wasm2c`` writes the names of imports and exports into comments of its C, and version 1.0.32 does so as they
are: a name with ``*/`` in it would be code. So it never sees one: :func:`plain` renames import 5 to ``i5`` and
export 2 to ``e2``, and drops all custom sections. :func:`checked` turns each function's prologue and each loop's
label into the macros of ``aot_rt/wasm-rt.h``, and refuses code in which a jump back would meet no check.
:func:`table` writes the file that joins the generated code with ``include/wasi_native/aot.h``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from . import wasm
from .errors import AotError
from .wasm_bytes import Reader, leb

__all__ = ["Guest", "Import", "Part", "Source", "checked", "linkable", "plain", "table"]

PREFIX = "m"  # the name of the module for wasm2c
_PARAMS_MAX = 31  # what the host reads of a signature
_LETTERS = {"i32": "i", "i64": "I", "f32": "f", "f64": "F"}
_KINDS = {"func": 0, "global": 1, "table": 2, "memory": 3}
_FIELDS = {"i": "i", "I": "j", "f": "f", "F": "d"}  # of the structs of several results
_CAN = {"bulk-memory", "multivalue", "mutable-globals", "reference-types", "multi-memory", "sign-ext"}
_CAN |= {"nontrapping-fptoint", "extended-const"}
_CURES = {"simd128": "-mno-simd128", "threads": "-mno-atomics", "exceptions": "-fno-exceptions"}


@dataclass(frozen=True)
class Import:
    """``type`` as :mod:`wasi_native.wasm` has it; the limits of a memory, in pages, or table."""

    module: str
    name: str
    kind: str
    type: str
    least: int = 0
    most: int | None = None


@dataclass
class Guest:
    """A module with its names apart: ``binary`` has none."""

    binary: bytes
    sha256: bytes
    needs: set[str]
    imports: list[Import] = field(default_factory=list)
    exports: list[tuple[str, str, str, int]] = field(default_factory=list)  # name, kind, type, index
    memories: list[tuple[int, int | None]] = field(default_factory=list)  # pages
    tables: list[tuple[int, int | None]] = field(default_factory=list)
    mutable: list[bool] = field(default_factory=list)  # of each global, imported ones first

    def changes(self, index: int) -> bool:
        """Whether that global is mutable."""
        return index < len(self.mutable) and self.mutable[index]

    @property
    def shares(self) -> bool:
        """Whether it imports more than functions."""
        return any(item.kind != "func" for item in self.imports)


def plain(data: bytes, name: str = "<module>", own: str = "w") -> Guest:
    """The module without names; ``own``: of the module that all its imports are from then. ModuleError for a wrong
    one; AotError for what cannot be compiled."""
    said = wasm.parse(data, name)
    if said.layer != "module":
        raise AotError(f"{name}: is a component, no core module")
    if strange := sorted(said.needs - _CAN):
        cures = " ".join(_CURES[need] for need in strange if need in _CURES)
        raise AotError(
            f"{name}: needs {', '.join(strange)}, which wasm2c code does not offer"
            + (f"; compile the program with {cures}" if cures else "")
        )
    guest = Guest(b"", hashlib.sha256(data).digest(), said.needs)
    guest.memories = [
        (m.minimum // wasm.PAGE, None if m.maximum is None else m.maximum // wasm.PAGE) for m in said.memories
    ]
    guest.tables = said.tables
    guest.imports = _described(said, guest, name)
    guest.mutable = [item.type.startswith("mut ") for item in said.imports if item.kind == "global"]
    out = bytearray(data[:8])
    reader = Reader(data, name, 8)
    while reader.at < len(data):
        code, size = reader.byte(), reader.number()
        start = reader.at
        body = data[start : start + size]
        reader.at = start + size
        if code == 0:
            continue
        if code == 2:
            body = _imports(data, name, start, own)
        elif code == 6:
            guest.mutable += _mutable(data, name, start)
        elif code == 7:
            body = _exports(data, name, start, guest, [(item.kind, item.type) for item in said.exports])
        out += bytes([code]) + leb(len(body)) + body
    guest.binary = bytes(out)
    return guest


def _described(said: wasm.Binary, guest: Guest, name: str) -> list[Import]:
    """The imports with their limits. AotError for what no other instance can give."""
    found = []
    limits = {"memory": iter(guest.memories), "table": iter(guest.tables)}
    for item in said.imports:
        least, most = next(limits[item.kind]) if item.kind in limits else (0, None)
        if item.kind == "global" and item.type.removeprefix("mut ") not in _LETTERS:
            raise AotError(
                f"{name}: imports the global {item.module[:80]!r} {item.name[:80]!r} of the type {item.type}; globals"
                " of numbers alone can be shared"
            )
        found.append(Import(item.module, item.name, item.kind, item.type, least, most))
    return found


def linkable(guest: Guest, name: str) -> None:
    """AotError when a module of a component imports a function that nothing can give to a compiled guest."""
    for item in guest.imports:
        params, results = _letters(item.type) if item.kind == "func" else ("", "")
        if "?" in params + results or len(results) > 1 or len(params) > _PARAMS_MAX:
            raise AotError(
                f"{name}: imports the function {item.module[:80]!r} {item.name[:80]!r} of the type {item.type}; "
                f"compiled guests call others with {_PARAMS_MAX} numbers at most, and take one"
            )


def _text(reader: Reader) -> str:
    size = reader.number()
    reader.at += size
    return reader.data[reader.at - size : reader.at].decode()


def _imports(data: bytes, name: str, at: int, own: str) -> bytes:
    reader = Reader(data, name, at)
    count = reader.number()
    out = bytearray(leb(count))
    for index in range(count):
        _text(reader)
        _text(reader)
        kind, start = reader.byte(), reader.at
        if kind == 0:
            reader.number()
        elif kind == 3:
            reader.at += 2  # a type of numbers, and whether it changes
        else:
            if kind == 1:
                reader.byte()
            flags = reader.byte()
            for _ in range(1 + (flags & 1)):
                reader.number()
        label = f"i{index}".encode()
        out += (
            leb(len(own)) + own.encode() + leb(len(label)) + label + bytes([kind]) + data[start : reader.at]
        )
    return bytes(out)


def _mutable(data: bytes, name: str, at: int) -> list[bool]:
    """Of each global of the module's own. What follows its type is read to its end and no further."""
    reader, found = Reader(data, name, at), []
    for _ in range(reader.number()):
        reader.byte()
        found.append(bool(reader.byte()))
        while (code := reader.byte()) != 0x0B:
            if code in (0x41, 0x42):
                while reader.byte() & 0x80:
                    pass
            elif code in (0x43, 0x44):
                reader.at += 4 if code == 0x43 else 8
            elif code in (0x23, 0xD0, 0xD2):
                reader.number()
            elif code not in (0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E):
                return found  # wasm2c says better what is wrong with it
    return found


def _exports(data: bytes, name: str, at: int, guest: Guest, types: list[tuple[str, str]]) -> bytes:
    reader = Reader(data, name, at)
    count = reader.number()
    out = bytearray(leb(count))
    for n in range(count):
        text, kind, index = _text(reader), reader.byte(), reader.number()
        guest.exports.append((text, *types[n], index))
        label = f"e{n}".encode()
        out += leb(len(label)) + label + bytes([kind]) + leb(index)
    return bytes(out)


# ---- after wasm2c ----


@dataclass
class Source:
    """What ``wasm2c`` wrote, made ours."""

    header: str
    parts: list[str]
    defines: list[str]
    loops: int  # with a check
    functions: int


_TYPES = re.compile(
    r"^static u32 func_types\[(\d+)\];\s*static void init_func_types\(void\) \{\n(.*?)^\}\n", re.M | re.S
)
_INIT = re.compile(r"^void \w+_init_module\(void\) \{\n.*?^\}\n", re.M | re.S)
_TYPE = re.compile(r"func_types\[(\d+)\] = wasm_rt_register_func_type\(([^)]*)\);")
_BODY = re.compile(r"^  WN_RT_ENTER\n.*?^\}", re.M | re.S)
_CALL = re.compile(r"\(\s*instance\b|\binstance\)|CALL_INDIRECT|wasm_rt_|_table_|\bwrap_")
_LABEL = re.compile(r"^ *((?:w2c|var)_L\d+): *$", re.M)
# x * 1, x - 0: a compiler that knows of no signalling NaN takes x for them.
_NEUTRAL = re.compile(r"^( *(?:w2c|var)_([fd])\d+ = )(-?[01](?:\.0*)?f?);", re.M)
_FLOW = re.compile(
    r"^ *(?P<label>(?:w2c|var)_[A-Z]\w*): *;? *(?P<check>WN_RT_LOOP)?|\bgoto (?P<to>\w+);|^(?P<end>\})", re.M
)


def checked(header: str, parts: list[str], numbers: dict[str, int] | None = None) -> Source:
    """Checks at the start of each function and loop; AotError where the text is not as known. ``numbers``: of types
    of functions, kept for modules that are compiled together."""
    done = []
    numbers = {} if numbers is None else numbers
    loops = functions = 0
    for part in parts:
        part, entered = re.subn(r"\bFUNC_PROLOGUE;", "WN_RT_ENTER", part)
        part, left = re.subn(r"\bFUNC_EPILOGUE;", "WN_RT_LEAVE;", part)
        if left > entered:
            raise AotError(f"wasm2c wrote {entered} functions of which {left} end: an unknown version")
        part = _BODY.sub(_leaf, part)
        part = _NEUTRAL.sub(r"\1WN_RT_\2(\3);", part)
        part, labels = _LABEL.subn(r"\1: WN_RT_LOOP", part)
        _prove(part)
        done.append(_traps(_types(part, numbers)))
        loops, functions = loops + labels, functions + entered
    texts = [header, *done]
    if any("wasm_rt_register_func_type" in text for text in texts):
        raise AotError("wasm2c wrote types of functions in an unknown way")
    defines = []
    if any("wasm_rt_func_type_t" in text for text in texts):
        defines.append("WN_WABT_TYPES")
    if any("wasm_rt_tailcallee_t" in text for text in texts):
        defines.append("WN_WABT_TAILCALLS")
    return Source(header, done, defines, loops, functions)


def _leaf(body: re.Match[str]) -> str:
    """A function that calls neither another one nor the host needs no look at the stack, nor at a stop."""
    return body[0] if _CALL.search(body[0]) else body[0].replace("WN_RT_ENTER", "WN_RT_LEAF", 1)


def _types(part: str, numbers: dict[str, int]) -> str:
    """Types of functions as constants: the generated code fills a table when it starts, which is a global."""
    found = _TYPES.search(part)
    if not found:
        return part
    values = [numbers.setdefault(text, len(numbers)) for _, text in _TYPE.findall(found[2])]
    if len(values) != int(found[1]):
        raise AotError("wasm2c wrote types of functions in an unknown way")
    constant = f"static const u32 func_types[{found[1]}] = {{{', '.join(map(str, values))}}};\n"
    return _INIT.sub("", part[: found.start()] + constant + part[found.end() :])


def _traps(part: str) -> str:
    """Which rule of a table was broken: the generated code has one word for all, and another one for memories'."""
    part = part.replace("TRAP(CALL_INDIRECT)", "(WN_RT_BAD_CALL((x) < table.size, table.data[x].func), 0)")
    start = part.find("static inline void funcref_table_init(")
    last = "DEFINE_TABLE_FILL(externref)\n"
    end = part.find(last)
    if start < 0 or end < start:
        return part
    end += len(last)
    switched = "#define WASM_RT_TRAP_OOB WN_AOT_TRAP_TABLE\n" + part[start:end] + "#undef WASM_RT_TRAP_OOB\n"
    # A program may have thousands of segments of data, all of them loaded by one function: a call each, no code.
    load = "#undef LOAD_DATA\n#define LOAD_DATA(m, o, i, s) wn_rt_load(&(m), o, i, s)\n"
    return part[:start] + switched + load + part[end:]


def _prove(part: str) -> None:
    """No jump back without a check: each label of a function that a later goto names has one."""
    behind: dict[str, bool] = {}
    for found in _FLOW.finditer(part):
        if found["end"]:
            behind = {}
        elif found["label"]:
            behind[found["label"]] = bool(found["check"])
        elif behind.get(found["to"]) is False:
            raise AotError(f"wasm2c wrote a loop in an unknown way: goto {found['to']}")
    if re.search(r"^ *(?:w2c|var)_L\d+:(?! WN_RT_LOOP)", part, re.M):
        raise AotError("wasm2c wrote the label of a loop in an unknown way")


# ---- the file that joins both ----

_PROTOTYPE = re.compile(r"/\* (import|export): '(?:w\d*' ')?([ie]\d+)' \*/\n(.+?) ?\b(\w+)\((.*)\);$", re.M)
_ITEM = re.compile(r"^extern (\w+) ?\* ?(\w+?(i\d+))\((struct \w+) ?\*\);$", re.M)
_GLOBALS = {"u32": "i", "u64": "I", "f32": "f", "f64": "F"}
_TABLES = {"wasm_rt_funcref_table_t": "funcref", "wasm_rt_externref_table_t": "externref"}


@dataclass(frozen=True)
class Part:
    """One module on its way into a library: the header that wasm2c wrote, and its file's name."""

    guest: Guest
    header: str
    file: str


def table(
    parts: list[Part], options: str, flags: str, frame_max: int, depth: int, group: bytes | None = None
) -> str:
    """The C file with the imports, the wrappers of exports and the constants that aot.h describes. ``group``: the
    modules may share what they export; one that imports functions alone needs none."""
    out = [f'#include "{part.file}"' for part in parts] + [""]
    rows = [
        _part(n, part, options, f"{flags or 0}, {len(parts)}, {frame_max}, {depth}", group, out)
        for n, part in enumerate(parts)
    ]
    out += ['__attribute__((visibility("default"))) const wn_aot_guest_t wn_aot_guest[] = {', *rows, "};", ""]
    return "\n".join(out)


def _part(n: int, part: Part, options: str, numbers: str, group: bytes | None, out: list[str]) -> str:
    """One module: its functions and arrays go to ``out``; the initializer of its constant."""
    guest, header = part.guest, part.header
    found = {m[2]: (m[3], m[4], m[5]) for m in _PROTOTYPE.finditer(header)}
    items = {m[3]: (m[1], m[2], m[4]) for m in _ITEM.finditer(header)}
    start = re.search(r"^void (\w+_instantiate)\((\w+)\*(.*)\);$", header, re.M)
    free = re.search(r"^void (\w+_free)\(\w+\*\);$", header, re.M)
    if not start or not free:
        raise AotError("wasm2c wrote a header in an unknown way")
    shared, described = [], []
    for index, item in enumerate(guest.imports):
        key = f"i{index}"
        if item.kind == "func":
            out.append(_import(index, item, found.get(key)))
            shared.append('  {0, "", 0, 0},')
        else:
            body, row = _item(index, item, items.get(key))
            out.append(body)
            shared.append(row)
        params, results = _letters(item.type) if item.kind == "func" else ("", "")
        sizes = f"{len(item.module.encode())}, {len(item.name.encode())}"
        described.append(f'  {{{_c(item.module)}, {_c(item.name)}, {sizes}, "{params}", "{results}"}},')
    rows = []
    for index, export in enumerate(guest.exports):
        body, row = _export(n, index, export, found.get(f"e{index}"), guest)
        out.append(body)
        rows.append(row)
    linked = "".join(", (void *)WN_INSTANCE(s)" for _ in re.findall(r"\*", start[3]))
    out += [
        f"static const wn_aot_import_t imports{n}[] = {{",
        *described,
        "  {0}};",
        f"static const wn_aot_export_t exports{n}[] = {{",
        *rows,
        "  {0}};",
        f"static void start{n}(wn_aot_state_t *s, uint64_t *v) {{",
        f"  (void)v; {start[1]}(WN_INSTANCE(s){linked});",
        "}",
        f"static int32_t instantiate{n}(wn_aot_state_t *s) {{ return wn_rt_run(s, start{n}, NULL); }}",
        f"static int32_t call{n}(wn_aot_state_t *s, uint32_t i, uint64_t *v) {{",
        f"  return wn_rt_run(s, exports{n}[i].call, v);",
        "}",
        f"static void release{n}(wn_aot_state_t *s) {{ {free[1]}(WN_INSTANCE(s)); }}",
    ]
    if group is not None:
        out += [f"static const wn_aot_item_t items{n}[] = {{", *shared, '  {0, "", 0, 0}};']
    flags, count, frame_max, depth = numbers.split(", ")
    abi = "WN_AOT_ABI, offsetof(wn_aot_guest_t, items)"
    if group is not None:
        abi = "WN_AOT_ABI_SHARED, sizeof(wn_aot_guest_t)"
    return "\n".join(
        (
            f"  {{{abi}, 8 * sizeof(void *), {flags},",
            f"  {{{_bytes(guest.sha256)}}}, {_c(options)}, {len(guest.imports)}, {len(guest.exports)},",
            f"  imports{n}, exports{n}, WN_HEAD + sizeof({start[2]}), {frame_max}, {depth},",
            f"  {count if group is not None else 0}, instantiate{n}, call{n}, release{n},",
            f"  {f'items{n}' if group is not None else 'NULL'}, {{{_bytes(group or bytes(16))}}}}},",
        )
    )


def _bytes(data: bytes) -> str:
    return ", ".join(map(str, data))


def _c(text: str) -> str:
    """A string of C; nothing of the guest's reaches the compiler but as numbers."""
    plain = b" _.:-=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'


def _letters(text: str) -> tuple[str, str]:
    """("iI", "f") of "(i32 i64) -> (f32)"."""
    params, _, results = text.partition(" -> ")
    return tuple(
        "".join(_LETTERS.get(t, "?") for t in side.strip("()").split()) for side in (params, results)
    )  # type: ignore[return-value]


def _item(index: int, item: Import, prototype: tuple[str, str, str] | None) -> tuple[str, str]:
    """What another instance gives: the function that the generated code asks for its place, and its description."""
    if prototype is None:
        raise AotError(f"wasm2c wrote no import {index}: an unknown version")
    kind, symbol, struct = prototype
    body = f"{kind} *{symbol}({struct} *instance) {{ return WN_STATE(instance)->items[{index}]; }}"
    type = _type_of(kind, item.type.startswith("mut ")) if item.kind != "memory" else ""
    most = "UINT64_MAX" if item.most is None else str(item.most)
    return body, f'  {{{_KINDS[item.kind]}, "{type}", {item.least}, {most}}},'


def _type_of(kind: str, mutable: bool) -> str:
    """The type of a table or global by that of its place in C, as wn_aot_item_t has it; "?" for references."""
    return _TABLES.get(kind) or _GLOBALS.get(kind, "?") + "m" * mutable


def _import(index: int, item: Import, prototype: tuple[str, str, str] | None) -> str:
    if prototype is None:
        return ""  # the module never calls it
    result, symbol, params = prototype
    types = [part.strip() for part in params.split(",")]
    names = ", ".join(f"{kind} {'instance' if n == 0 else f'p{n - 1}'}" for n, kind in enumerate(types))
    letters, results = _letters(item.type)
    head = f"{result} {symbol}({names}) {{"
    if "?" in letters + results or len(results) > 1:  # never linked: no row has such a type
        return f"{head} wn_rt_stop(WN_AOT_TRAP_UNREACHABLE); }}"
    wrap = {"i": "{}", "I": "{}", "f": "wn_rt_bits32({})", "F": "wn_rt_bits64({})"}
    values = ", ".join(wrap[c].format(f"p{n}") for n, c in enumerate(letters)) or "0"
    back = {"": "", "i": " return (u32)s[0];", "I": " return s[0];"}
    back |= {"f": " return wn_rt_f32(s[0]);", "F": " return wn_rt_f64(s[0]);"}
    return f"{head} uint64_t s[] = {{{values}}}; wn_rt_host(instance, {index}, s);{back[results]} }}"


def _export(
    part: int, n: int, item: tuple[str, str, str, int], prototype: tuple[str, str, str] | None, guest: Guest
) -> tuple[str, str]:
    name, kind, text, index = item
    if prototype is None:
        raise AotError(f"wasm2c wrote no export {n}: an unknown version")
    symbol, label = prototype[1], f"{part}_{n}"
    head = f"  {{{_c(name)}, {len(name.encode())}, {_KINDS[kind]}"
    if kind != "func":
        limits = {"memory": guest.memories, "table": guest.tables}.get(kind)
        least, most = limits[index] if limits else (0, None)
        limit = "UINT64_MAX" if most is None else str(most)
        type = "" if kind == "memory" else _type_of(prototype[0].rstrip(" *"), guest.changes(index))
        given = [n for n, import_ in enumerate(guest.imports) if import_.kind == kind]
        place = f"(void *){symbol}(WN_INSTANCE(s))"
        if index < len(
            given
        ):  # the generated code knows its place when it has been instantiated, and no sooner
            place = f"s->items[{given[index]}]"
        body = f"static void *item{label}(wn_aot_state_t *s) {{ return {place}; }}"
        return body, f'{head}, "{type}", "", {least}, {limit}, NULL, item{label}}},'
    params, results = _letters(text)
    call = "NULL" if "?" in params + results else f"body{label}"
    row = f'{head}, "{params}", "{results}", 0, 0, {call}, NULL}},'
    if "?" in params + results:
        return "", row
    take = {"i": "(u32)v[{}]", "I": "v[{}]", "f": "wn_rt_f32(v[{}])", "F": "wn_rt_f64(v[{}])"}
    give = {"i": "(u32){}", "I": "{}", "f": "wn_rt_bits32({})", "F": "wn_rt_bits64({})"}
    args = "".join(", " + take[c].format(i) for i, c in enumerate(params))
    call = f"{symbol}(WN_INSTANCE(s){args})"
    if len(results) == 1:
        call = f"v[0] = {give[results].format(call)}"
    elif results:
        moves = "".join(f" v[{i}] = {give[c].format(f'r.{_FIELDS[c]}{i}')};" for i, c in enumerate(results))
        call = f"{prototype[0]} r = {call};{moves}"
    return f"static void body{label}(wn_aot_state_t *s, uint64_t *v) {{ (void)v; {call}; }}", row

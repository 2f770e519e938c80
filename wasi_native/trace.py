"""One line per call of a guest, and a table of them.

::

    tracer = Tracer(sys.stderr)
    module.instantiate(policy, trace=tracer)

    path_open(fd=3, dirflags=symlink_follow, path="data.txt", oflags=creat|trunc, ...) = 4 <1.31 us>
    fd_write(fd=4, iovs=[{0x1000, 6}"hello\\n"], iovs_len=1) = 6 <0.42 us>
    path_open(fd=3, dirflags=0, path="../x", oflags=0, ...) = EPERM (operation not permitted) <0.23 us>

A line is written after its call. What a guest chose (paths, data) stands between quotes with every byte that
is not printable ASCII escaped, so that it can neither forge a line nor drive a terminal. Where a pointer of
the guest leads nowhere, its number stands instead. A trace that cannot be written any more ends, the guest
goes on, and ``Tracer.failure`` keeps the reason.
"""

from __future__ import annotations

from .trace_view import BYTES, P1, View, as_float, errno_of, plain, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    from .trace_view import Call

    class Output(Protocol):
        def write(self, text: str, /) -> object: ...


__all__ = ["Stats", "Tracer", "Unknown", "both", "quote", "row_key", "rows"]

_Row = tuple[str, str, str, str, tuple[str, ...], str]


def row_key(module: str, name: str) -> tuple[str, str]:
    """What the row is called that serves an import: one of WASI 0.2 is of all patch versions and both names."""
    if module.startswith("cm32p2|"):
        drop = f"[resource-drop]{name[:-5]}" if name.endswith("_drop") else name
        return (module[7:] if not name.startswith("[resource-drop]") else module), drop
    track, _, patch = module.rpartition(".")
    return (track if module.startswith("wasi:") and patch.isdecimal() else module), name


def rows() -> list[_Row]:
    """The functions that guests can import: (module, name, params, results, param_names, group)."""
    from . import _core

    return [
        (module, name, params, results, _names(names), group)
        for module, name, params, results, names, group in _core.row_list()
    ]


def _names(names: Any) -> tuple[str, ...]:
    return tuple(names.split(",") if names else ()) if isinstance(names, str) else tuple(names)


class Unknown(ValueError):
    """A word of a filter that means no function; ``word`` is it."""

    def __init__(self, word: str, known: Iterable[str]) -> None:
        from difflib import get_close_matches

        near = get_close_matches(word, sorted(set(known)), n=3, cutoff=0.5)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        super().__init__(f"{word!r} is neither a function nor a group of functions{hint}")
        self.word = word


class _Filter:
    """Which functions are shown: names, ``path_*``, groups; ``!`` before a word excludes what it means.

    With no word that includes, all that is not excluded is shown.
    """

    def __init__(self, words: str | Iterable[str] | None, strict: bool) -> None:
        given = words.split(",") if isinstance(words, str) else list(words or ())
        self.groups: dict[str, str] = {}
        self.wanted: list[str] = []
        self.unwanted: list[str] = []
        for word in filter(None, map(str.strip, given)):
            (self.unwanted if word[0] == "!" else self.wanted).append(word.lstrip("!"))
        if self.wanted or self.unwanted:
            self.groups = {name: group for _module, name, _p, _r, _names, group in rows()}
        if strict:
            for word in (*self.wanted, *self.unwanted):
                if not any(self.means(word, name) for name in self.groups):
                    raise Unknown(word, (*self.groups, *self.groups.values()))
        self.known: dict[str, bool] = {}

    def means(self, word: str, name: str) -> bool:
        if word.endswith("*"):
            return name.startswith(word[:-1])
        return word in (name, self.groups.get(name))

    def shows(self, name: str) -> bool:
        shown = self.known.get(name)
        if shown is None:
            shown = not self.wanted or any(self.means(word, name) for word in self.wanted)
            shown = shown and not any(self.means(word, name) for word in self.unwanted)
            self.known[name] = shown
        return shown


class Tracer:
    """Writes a line for each call to ``out`` (anything with ``write(str)``).

    ``format``: "text" (like strace) or "json" (one object per line). ``filter``: words, or one string of them
    with commas: functions, ``path_*``, groups (files, clock, random ...), each with ``!`` to exclude it; with
    ``strict`` a word that means nothing raises :class:`Unknown`. ``string_size``: most bytes of data and of a
    path that are shown. Raises ValueError.
    """

    def __init__(
        self,
        out: Output,
        format: str = "text",
        filter: str | Iterable[str] | None = None,
        string_size: int = 32,
        *,
        strict: bool = False,
    ) -> None:
        if format not in ("text", "json"):
            raise ValueError(f"the trace format {format!r} is unknown; write 'text' or 'json'")
        if string_size < 0:
            raise ValueError(f"the string size {string_size} is negative")
        self.failure: OSError | None = None
        self._out, self._size = out, string_size
        self._filter = _Filter(filter, strict)
        self._line: Callable[[Call], str] = self.text if format == "text" else self.json

    def __call__(self, call: Call) -> None:
        if self.failure is None and self._filter.shows(call.name):
            try:
                self._out.write(self._line(call))
            except OSError as error:
                self.failure = error
            except ValueError as error:  # the file was closed
                self.failure = OSError(str(error))

    def text(self, call: Call) -> str:
        """The line of ``call``, with its newline."""
        view = View(call, self._size)
        shown = [f"{plain(name)}={view.show(index, name)}" for index, name in view.inputs()]
        prefix = "" if call.module in P1 else plain(call.module) + "."
        spent = f"{call.nanoseconds / 1000:.2f} us"
        return f"{prefix}{plain(call.name)}({', '.join(shown)}) = {_result(call, view)} <{spent}>\n"

    def json(self, call: Call) -> str:
        """The object of ``call`` as one line: module, name, args (numbers), shown (decoded), ns, and one of
        result, error, end."""
        from json import dumps

        view = View(call, self._size)
        data: dict[str, Any] = {"module": call.module, "name": call.name}
        data["args"] = {name: call.args[index] for index, name in enumerate(view.names)}
        shown = {}
        for index, name in view.inputs():
            text = view.show(index, name)
            if text != str(call.args[index]):
                shown[name] = text
        data |= {"shown": shown, "ns": call.nanoseconds}
        if view.err > 0:
            data["error"] = call.error_name
        elif view.err < 0:
            data["end"] = call.error_name
        else:
            data["result"] = view.outputs() or call.result
        return dumps(data) + "\n"


def _result(call: Call, view: View) -> str:
    if view.err < 0:
        return f"? ({plain(call.error_name)})"
    if view.err > 0:
        from . import _core

        return f"E{plain(call.error_name)} ({_core.error_text(view.err)})"
    found = view.outputs()
    if len(found) == 1:
        return str(next(iter(found.values())))
    if found:
        return ", ".join(f"{name} {value}" for name, value in found.items())
    return "0" if call.result is None else _number(call)


def _number(call: Call) -> str:
    """The result of a function that is not WASI's."""
    value, kind = call.result or 0, call.results[:1]
    return repr(as_float(value, kind)) if kind and kind in "fF" else str(value)


class Stats:
    """Counts calls, errors, bytes and time of each function; use it like a :class:`Tracer`.

    Bytes are those moved by reads, writes, sends, receives, directory listings and random numbers.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], list[int]] = {}

    def __call__(self, call: Call) -> None:
        line = self.counts.get((call.module, call.name))
        if line is None:
            line = self.counts[call.module, call.name] = [0, 0, 0, 0]
        line[0] += 1
        err = errno_of(call)
        line[1] += err > 0
        line[3] += call.nanoseconds
        if err == 0:
            names = call.param_names
            if call.name == "random_get":
                line[2] += call.args[names.index("buf_len")] if "buf_len" in names else 0
            for name in BYTES:
                if name in names:
                    raw = call.memory(call.args[names.index(name)], 4)
                    line[2] += int.from_bytes(raw, "little") if raw else 0
                    break

    def to_dict(self) -> dict[str, dict[str, int]]:
        """For JSON: "module.function" -> calls, errors, bytes, nanoseconds."""
        keys = ("calls", "errors", "bytes", "nanoseconds")
        return {f"{m}.{n}": dict(zip(keys, line, strict=True)) for (m, n), line in self.counts.items()}

    def table(self) -> str:
        """The counts as a table, the most time first, with a line for the sum."""
        spent = sum(line[3] for line in self.counts.values())
        lines = []
        for (module, name), line in sorted(self.counts.items(), key=lambda item: (-item[1][3], item[0])):
            prefix = "" if module in P1 else plain(module) + "."
            lines.append(_stats_line(line, spent, prefix + plain(name)))
        total = [sum(line[index] for line in self.counts.values()) for index in range(4)]
        head = ("% time", "seconds", "us/call", "calls", "errors", "bytes", "function")
        body = [head, *lines, _stats_line(total, spent, "total")]
        widths = [max(len(line[index]) for line in body) for index in range(6)]
        shown = [" ".join((*map(str.rjust, line, widths), line[6])) for line in body]
        rule = " ".join("-" * width for width in (*widths, max(len(line[6]) for line in body)))
        return "\n".join((shown[0], rule, *shown[1:-1], rule, shown[-1])) + "\n"


def _stats_line(line: list[int], spent: int, name: str) -> tuple[str, ...]:
    calls, errors, moved, nanos = line
    share = f"{100 * nanos / spent:.2f}" if spent else "0.00"
    each = f"{nanos / calls / 1000:.2f}" if calls else "0.00"
    return share, f"{nanos / 1e9:.6f}", each, str(calls), str(errors or ""), str(moved or ""), name


def both(*traces: Callable[[Call], None]) -> Callable[[Call], None]:
    """One trace that calls several."""

    def call_all(call: Call) -> None:
        for trace in traces:
            trace(call)

    return call_all

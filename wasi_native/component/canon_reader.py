"""Reads canonical definitions: lift, lower, and the built-ins of resources, tasks, streams and waitable sets.

What a core function must look like follows from the types, and is held against what its module says of it here,
before anything runs: an engine that does not check signatures never sees a wrong one.
"""

from __future__ import annotations

from .model import Canon, FuncType, Options, ResourceType, ValueType
from .scope import is_wide, signature
from .type_reader import TypeReader
from .types import FLAT_ASYNC_PARAMS_MAX, FLAT_PARAMS_MAX, FLAT_RESULTS_MAX, Function, flatten

__all__ = ["CanonReader"]

# Code: name, immediates, params, results. Immediates: r a resource, s a stream, f a future, a the mark async, o
# options, m a memory, c the mark cancellable, x a context, t a core type, b a table, h the mark shared.
_BUILTINS = {
    0x02: ("resource.new", "r", "i", "i"),
    0x03: ("resource.drop", "r", "i", ""),
    0x04: ("resource.rep", "r", "i", "i"),
    0x05: ("task.cancel", "", "", ""),
    0x06: ("subtask.cancel", "a", "i", "i"),
    0x0A: ("context.get", "x", "", "i"),
    0x0B: ("context.set", "x", "i", ""),
    0x0C: ("thread.yield", "c", "", "i"),
    0x0D: ("subtask.drop", "", "i", ""),
    0x0E: ("stream.new", "s", "", "I"),
    0x0F: ("stream.read", "so", "iii", "i"),
    0x10: ("stream.write", "so", "iii", "i"),
    0x11: ("stream.cancel-read", "sa", "i", "i"),
    0x12: ("stream.cancel-write", "sa", "i", "i"),
    0x13: ("stream.drop-readable", "s", "i", ""),
    0x14: ("stream.drop-writable", "s", "i", ""),
    0x15: ("future.new", "f", "", "I"),
    0x16: ("future.read", "fo", "ii", "i"),
    0x17: ("future.write", "fo", "ii", "i"),
    0x18: ("future.cancel-read", "fa", "i", "i"),
    0x19: ("future.cancel-write", "fa", "i", "i"),
    0x1A: ("future.drop-readable", "f", "i", ""),
    0x1B: ("future.drop-writable", "f", "i", ""),
    0x1C: ("error-context.new", "o", "ii", "i"),
    0x1D: ("error-context.debug-message", "o", "ii", ""),
    0x1E: ("error-context.drop", "", "i", ""),
    0x1F: ("waitable-set.new", "", "", "i"),
    0x20: ("waitable-set.wait", "cm", "ii", "i"),
    0x21: ("waitable-set.poll", "cm", "ii", "i"),
    0x22: ("waitable-set.drop", "", "i", ""),
    0x23: ("waitable.join", "", "ii", ""),
    0x24: ("backpressure.inc", "", "", ""),
    0x25: ("backpressure.dec", "", "", ""),
    0x26: ("thread.index", "", "", "i"),
    0x27: ("thread.new-indirect", "tb", "ii", "i"),
    0x28: ("thread.resume-later", "", "i", ""),
    0x29: ("thread.suspend", "c", "", "i"),
    0x2A: ("thread.suspend-then-resume", "c", "i", "i"),
    0x2B: ("thread.yield-then-resume", "c", "i", "i"),
    0x2C: ("thread.suspend-then-promote", "c", "i", "i"),
    0x2D: ("thread.yield-then-promote", "c", "i", "i"),
    0x40: ("thread.spawn-ref", "ht", "ii", "i"),
    0x41: ("thread.spawn-indirect", "htb", "ii", "i"),
    0x42: ("thread.available-parallelism", "h", "", "i"),
}
_ENCODINGS = ("utf8", "utf16", "latin1+utf16")


class CanonReader(TypeReader):
    """Canonical definitions enter the scope as they are read."""

    def canon(self) -> Canon:
        code = self.byte()
        if code in (0x00, 0x01):
            if self.byte():
                self.back("a canonical definition of what is no function")
            return self._lift() if code == 0 else self._lower()
        if code == 0x09:
            return self._task_return()
        known = _BUILTINS.get(code)
        if known is None:
            self.back(f"the unknown canonical definition 0x{code:02x}")
            raise AssertionError
        return self._builtin(*known)

    # --- lift and lower ---

    def _lift(self) -> Canon:
        index = self.number()
        core = self.item("core func", index)
        options = self._options()
        func: FuncType = self.type_of("func", self.number())
        function = func.function
        self._async(options, func)
        if options.is_async and options.callback is None:
            self.gate("stackful lift")
        wanted = flatten(function, "lift", is_async=options.is_async, callback=options.callback is not None)
        self._like(core, wanted, "the lifted function")
        if options.post_return is not None:
            self._like(self.item("core func", options.post_return), (wanted[1], ""), "post-return")
        params, results = _flat(function)
        if params > FLAT_PARAMS_MAX or any(value.pointers for value in function.params):
            self._need(options, "realloc")
        if results > (FLAT_PARAMS_MAX if options.is_async else FLAT_RESULTS_MAX) or _returns_pointers(
            function
        ):
            self._need(options, "memory")
        self.scope.push("func", func)
        return Canon("func", "lift", index, func, options)

    def _lower(self) -> Canon:
        index = self.number()
        func: FuncType = self.item("func", index)
        options = self._options()
        function = func.function
        self._async(options, func)
        if options.post_return is not None or options.callback is not None:
            self.fail("the options post-return and callback are for lift alone")
        params, results = _flat(function)
        most = FLAT_ASYNC_PARAMS_MAX if options.is_async else FLAT_PARAMS_MAX
        if params > most or results > (0 if options.is_async else FLAT_RESULTS_MAX):
            self._need(options, "memory")
        if any(value.pointers for value in function.params):
            self._need(options, "memory")
        if _returns_pointers(function):
            self._need(options, "realloc")
        made = flatten(function, "lower", is_async=options.is_async)
        self.scope.push("core func", (None, made))
        return Canon("core func", "lower", index, func, options, made)

    def _async(self, options: Options, func: FuncType) -> None:
        if not options.is_async:
            if options.callback is not None:
                self.fail("the option callback without async")
        elif not func.is_async:
            self.fail("the option async for a function that is not async")
        elif options.post_return is not None:
            self.fail("the options async and post-return together")

    def _need(self, options: Options, name: str) -> None:
        if getattr(options, name) is None:
            self.fail(f"the option {name} is missing, which these types need")

    def _like(self, item: tuple[object, object], wanted: tuple[str, str], what: str) -> None:
        found = signature(item)  # type: ignore[arg-type]
        if found != wanted:
            self.fail(f"{what} has the core type {_text(found)} and must have {_text(wanted)}")

    def _options(self) -> Options:
        found = Options()
        seen: set[str] = set()
        for _ in range(self.count(10)):
            code = self.byte()
            if code <= 2:
                name = "string-encoding"
                found.encoding = _ENCODINGS[code]
            elif code == 3:
                name, found.memory = "memory", self.number()
                if is_wide(self.item("core memory", found.memory)):
                    self.gate("memory64")
            elif code == 4:
                name, found.realloc = "realloc", self.number()
                self.item("core func", found.realloc)
            elif code == 5:
                name, found.post_return = "post-return", self.number()
                self.item("core func", found.post_return)
            elif code == 6:
                name, found.is_async = "async", True
            elif code == 7:
                name, found.callback = "callback", self.number()
                self._like(self.item("core func", found.callback), ("iii", "i"), name)
            else:
                self.back(f"the unknown canonical option 0x{code:02x}")
            if name in seen:
                self.fail(f"the option {name} comes twice")
            seen.add(name)
        if found.realloc is not None:
            if found.memory is None:
                self.fail("the option realloc without memory")
            elif is_wide(self.item("core memory", found.memory)):
                self._like(self.item("core func", found.realloc), ("IIII", "I"), "realloc")
            else:
                self._like(self.item("core func", found.realloc), ("iiii", "i"), "realloc")
        return found

    # --- built-ins ---

    def _task_return(self) -> Canon:
        result = None
        code = self.byte()
        if code == 0:
            result = self.value()
        elif code != 1 or self.byte():
            self.back("the unknown form of a result")
        options = self._options()
        if options.realloc is not None or options.post_return is not None or options.callback is not None:
            self.fail("task.return takes the options string-encoding and memory alone")
        if options.is_async:
            self.fail("task.return is not async")
        flat = result.value.flat if result is not None else ""
        if len(flat) > FLAT_PARAMS_MAX:
            flat = "i"
            self._need(options, "memory")
        if result is not None and result.value.pointers:
            self._need(options, "memory")
        self.scope.push("core func", (None, (flat, "")))
        return Canon("core func", "task.return", 0, result, options, (flat, ""))

    def _builtin(self, name: str, immediates: str, params: str, results: str) -> Canon:
        if name.startswith("error-context"):
            self.gate("error-context")
        elif "h" in immediates:
            self.gate("shared threads")
        elif name.startswith("thread.") and name != "thread.yield":
            self.gate("threads")
        made = Canon("core func", name, 0, None, None)
        for letter in immediates:
            if letter == "x" and self.at < self.end and self.data[self.at] == 0x7E:
                params, results = params.upper(), results.upper()
            self._immediate(letter, made)
        made.core = params, results
        self.scope.push("core func", (None, made.core))
        return made

    def _immediate(self, letter: str, made: Canon) -> None:
        if letter == "r":
            made.index = self.number()
            resource: ResourceType = self.type_of("resource", made.index)
            if made.name != "resource.drop" and resource.number not in self.scope.own:
                self.fail(f"{made.name} of a resource that this component does not define")
            made.type = resource
        elif letter in "sf":
            made.index = self.number()
            made.type = self.type_of("stream" if letter == "s" else "future", made.index)
        elif letter in "ach":
            what = {"a": "async", "c": "cancellable", "h": "shared"}[letter]
            if self.flag(f"the mark {what}"):
                made.index = 1
                if letter == "a":
                    self.gate("synchronous stream operations")
        elif letter == "o":
            made.options = self._options()
            self._buffer(made, made.options)
        elif letter == "m":
            memory = self.number()
            if is_wide(self.item("core memory", memory)):
                self.gate("memory64")
            made.options = Options()
            made.options.memory = memory
        elif letter == "x":
            if self.byte() != 0x7F:
                self.gate("memory64")
            made.index = self.number()
            if made.index > 1:
                self.fail(f"{made.name} {made.index}; there are two of these")
        elif letter == "t":
            self.item("core type", self.number())
        else:
            self.item("core table", self.number())

    def _buffer(self, made: Canon, options: Options) -> None:
        """Options of an operation that moves values between a stream or future and memory."""
        if options.post_return is not None or options.callback is not None:
            self.fail(f"{made.name} takes neither post-return nor callback")
        if made.name.startswith("error-context"):
            if made.name.endswith("message"):
                self._need(options, "realloc")
            self._need(options, "memory")
            return
        if not options.is_async:
            self.gate("synchronous stream operations")
        carried = made.type.parts[0] if isinstance(made.type, ValueType) else None
        if carried is not None:
            self._need(options, "memory")
            if carried.value.pointers and made.name.endswith("read"):
                self._need(options, "realloc")


def _flat(function: Function) -> tuple[int, int]:
    """How many flat parameters and results there are."""
    results = len(function.result.flat) if function.result is not None else 0
    return sum(len(value.flat) for value in function.params), results


def _returns_pointers(function: Function) -> bool:
    return function.result is not None and function.result.pointers


def _text(known: tuple[str, str] | None) -> str:
    if known is None:
        return "of no function"
    words = {"i": "i32", "I": "i64", "f": "f32", "F": "f64", "v": "v128", "r": "ref"}
    params, results = (" ".join(words[letter] for letter in part) for part in known)
    return f"({params}) -> ({results})"

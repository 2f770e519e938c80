"""``wasi-native cache``: the compiled code that is kept."""

from __future__ import annotations

from ..cache import Cache
from ..errors import WasiError
from .options import FLAG, VALUE, Command, Usage
from .out import complain, human, json, say, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["COMMAND", "main"]

COMMAND = Command(
    "cache",
    "[OPTIONS] list | clear | precompile MODULE...",
    "Compiled code is kept in $WASI_NATIVE_CACHE, else in ~/.cache/wasi_native, so that a module is "
    "compiled once. list shows it, clear removes it, precompile fills it: the first run then starts as "
    "fast as the second.",
    (
        ("--json", FLAG, "", "print JSON (list)"),
        ("--engine", VALUE, "NAME", "compile for this engine (precompile)"),
        ("--board", VALUE, "ID", "compile for this board instead of the one detected (precompile)"),
        ("--fuel", FLAG, "", "compile for runs that count instructions, as run --fuel does (precompile)"),
    ),
    """\
Exit status: 0; 1 when the cache cannot be used or a module cannot be compiled; 2 for a mistake on the
command line.

Examples:
  wasi-native cache list
  wasi-native cache precompile app.wasm plugins/*.wasm
  wasi-native cache clear
""",
)


def main(options: dict[str, Any], rest: list[str]) -> int:
    verb, words = (rest[0], rest[1:]) if rest else ("", [])
    if verb not in ("list", "clear", "precompile"):
        raise Usage(
            f"{verb!r} is no action; write list, clear or precompile" if verb else "write list, clear ..."
        )
    if words and verb != "precompile":
        raise Usage(f"{verb} takes no more words, not {words[0]!r}")
    if not words and verb == "precompile":
        raise Usage("MODULE is missing; write wasi-native cache precompile MODULE...")
    for name in options:
        if name != ("--json" if verb == "list" else name if verb == "precompile" else "") or (
            name == "--json" and verb == "precompile"
        ):
            raise Usage(f"{name} means nothing for {verb}")
    cache = Cache()
    if cache.problem:
        complain("wasi-native cache", cache.problem)
        return 1
    if verb == "list":
        _list(cache, "--json" in options)
        return 0
    if verb == "clear":
        count = cache.clear()
        say(f"{count} {'entry' if count == 1 else 'entries'} removed from {cache.root}\n")
        return 0
    return _precompile(options, words)


def _list(cache: Cache, as_json: bool) -> None:
    entries = cache.list()
    if as_json:
        names = ("path", "module_sha256", "engine", "version", "size", "used")
        found = [{name: getattr(entry, name) for name in names} for entry in entries]
        json({"root": cache.root, "max_bytes": cache.max_bytes, "entries": found})
        return
    from time import localtime, strftime

    rows = []
    for entry in entries:
        used = strftime("%Y-%m-%d", localtime(entry.used))
        rows.append((entry.module_sha256[:16], entry.engine, entry.version, human(entry.size), used))
    if rows:
        say(table(("MODULE (SHA-256)", "ENGINE", "VERSION", "SIZE", "USED"), rows))
    total = human(sum(entry.size for entry in entries))
    say(f"{len(rows)} {'entry' if len(rows) == 1 else 'entries'}, {total}, in {cache.root}\n")


def _precompile(options: dict[str, Any], paths: list[str]) -> int:
    from ..host import Host
    from .signals import AtOnce

    status = 0
    try:
        fuel = "--fuel" in options
        with Host(engine=options.get("--engine"), board=options.get("--board"), fuel=fuel) as host:
            if host.cache is None:
                complain("wasi-native cache", f"the engine {host.engine} compiles nothing that could be kept")
                return 1
            for path in paths:
                try:
                    with AtOnce():
                        host.load(path)
                    say(f"{path}: compiled for {host.engine} {host.engine_version}\n")
                except WasiError as error:
                    complain("wasi-native cache", str(error))
                    status = 1
    except WasiError as error:
        complain("wasi-native cache", str(error), "wasi-native doctor shows what this machine has")
        return 1
    return status

"""``wasi-native doctor``: what this machine has, what it lacks, and the command that installs it."""

from __future__ import annotations

import os
import sys

from .options import FLAG, Command, Usage
from .out import fields, human, json, say, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["COMMAND", "main", "report"]

COMMAND = Command(
    "doctor",
    "[OPTIONS]",
    "Looks at this machine: engines with versions and abilities, kernel features, the board, the cache; "
    "and says what is missing and the command that installs it.",
    (("--json", FLAG, "", "print JSON"),),
    """\
Exit status: 0 when programs can be run here, 1 when not, 2 for a mistake on the command line.

Examples:
  wasi-native doctor
  wasi-native doctor --json
""",
)

_OPENS = b"fake 1\nmemory 1\nimport wasi_snapshot_preview1 path_open iiiiiIIii i\n"
_AGAIN = "python -m pip install --force-reinstall wasi_native"
_NO_ENGINE = ("fake", "wasm2c")  # for tests; for compiled guests
_LIBGCC = ("libgcc_s", "apk add libgcc")  # wasmtime's library for musl wants it: Alpine has it as a package
_WIPE_ON_FORK = 18  # MADV_WIPEONFORK of Linux


def main(options: dict[str, Any], rest: list[str]) -> int:
    if rest:
        raise Usage(f"doctor takes no more words, not {rest[0]!r}")
    found = report()
    if "--json" in options:
        json(found)
    else:
        say(_text(found))
    return 0 if found["usable"] else 1


def report() -> dict[str, Any]:
    """All of it, ready for JSON. Nothing that is missing or broken raises."""
    from .. import __version__

    missing: list[dict[str, str]] = []
    board = _board(missing)
    resolver = _core(missing)
    engines = _engines(board, missing) if resolver else {}
    chosen = os.environ.get("WASI_NATIVE_ENGINE")
    usable = any(
        item["available"] and (name == chosen or not item["risk"])
        for name, item in engines.items()
        if name not in _NO_ENGINE
    )
    if usable:  # what else there could be is no lack
        missing = [item for item in missing if not item["what"].startswith("the engine ")]
    version = ".".join(map(str, sys.version_info[:3]))
    return {
        "wasi_native": __version__,
        "python": {"version": version, "implementation": sys.implementation.name, "path": sys.executable},
        "usable": usable,
        "compile": _compilers(),
        "engines": engines,
        "engine": os.environ.get("WASI_NATIVE_ENGINE") or _best(board, engines),
        "kernel": _kernel(resolver),
        "board": board,
        "cache": _cache(),
        "missing": missing,
    }


def _board(missing: list[dict[str, str]]) -> dict[str, Any]:
    from ..board import Board
    from ..errors import BoardError

    try:
        board = Board.detect()
    except BoardError as error:
        missing.append({"what": f"board files: {error}", "command": _AGAIN})
        return {}
    return {
        "id": board.id,
        "name": board.name,
        "arch": board.arch,
        "libc": board.libc,
        "memory_mib": board.memory_mib,
        "limits": board.limits.name,
        "engines": list(board.engines),
        "notes": list(board.notes),
    }


def _core(missing: list[dict[str, str]]) -> str:
    """How the compiled part resolves paths on this kernel; "" when it does not load."""
    try:
        from ..host import Host
        from ..policy import Dir, Policy
    except ImportError as error:
        missing.append({"what": f"the compiled part: {error}", "command": _AGAIN})
        return ""
    policy = Policy(dirs=[Dir("/", "/", read_only=True)])
    with Host(policy, engine="fake", cache=False) as host, host.load(_OPENS).instantiate() as instance:
        instance.memory.write(0, b"proc/self")
        instance.call("path_open", 3, 0, 0, 9, 0, 0, 0, 0, 16)  # only a path of several names shows it
        return instance.usage.resolver


def _engines(board: dict[str, Any], missing: list[dict[str, str]]) -> dict[str, dict[str, Any]]:
    from .. import engines
    from ..errors import WasiError
    from ..host import Host
    from ..host.isolation import report as host_isolation

    names = dict.fromkeys((*engines.default_names(), *board.get("engines", ()), "fake"))
    found = {}
    for name in names:
        file = engines.find(name, os.environ.get("WASI_NATIVE_ENGINE_PATH") if name != "fake" else None)
        reason, caps = file.reason, []
        if not reason:
            try:
                with Host(engine=name, cache=False) as host:
                    caps = list(host.caps)
            except WasiError as error:
                reason = str(error)
        found[name] = {
            "available": not reason,
            "version": file.version,
            "path": file.path,
            "caps": caps,
            "reason": reason,
            "risk": file.risk,
            "advisories": list(host_isolation(file).advisories) if not reason else [],
        }
        command = engines.INSTALL.get(name)
        if reason and command and name in board.get("engines", ()):
            if file.reason:
                what = f"the engine {name}: {reason.partition('; ')[0]}"
            else:  # it is here and does not open: another engine is taken, and the user told
                what = f"what the engine {name} needs: {reason}"
                command = _LIBGCC[1] if _LIBGCC[0] in reason else f"{command} --force-reinstall"
            missing.append({"what": what, "command": command})
    return found


def _best(board: dict[str, Any], engines: dict[str, dict[str, Any]]) -> str:
    names = (*board.get("engines", ()), *engines)
    usable = (n for n in names if engines.get(n, {}).get("available") and not engines[n]["risk"])
    return next((n for n in usable if n not in _NO_ENGINE), "")


def _compilers() -> dict[str, str]:
    """What compiles guests ahead of time here, and what signs them; "" for what is missing."""
    from importlib.util import find_spec
    from shutil import which

    wasm2c = which(os.environ.get("WASI_NATIVE_WASM2C") or "wasm2c") or ""
    compiler = "zig" if find_spec("ziglang") else next(filter(None, map(which, ("cc", "gcc", "clang"))), "")
    return {
        "wasm2c": wasm2c,
        "compiler": compiler,
        "sign": "cryptography" if find_spec("cryptography") else "",
    }


def _kernel(resolver: str) -> dict[str, Any]:
    system = os.uname()
    return {
        "system": system.sysname,
        "release": system.release,
        "machine": system.machine,
        "openat2": resolver == "openat2",
        "resolver": os.environ.get("WASI_NATIVE_RESOLVER") or resolver,
        "wipe_on_fork": _wipes_on_fork(),
        "cgroup2": os.path.exists("/sys/fs/cgroup/cgroup.controllers"),
    }


def _wipes_on_fork() -> bool:
    from mmap import MAP_ANONYMOUS, MAP_PRIVATE, PAGESIZE, mmap

    try:
        with mmap(-1, PAGESIZE, MAP_PRIVATE | MAP_ANONYMOUS) as memory:
            memory.madvise(_WIPE_ON_FORK)
    except (AttributeError, OSError):
        return False
    return True


def _cache() -> dict[str, Any]:
    from ..cache import Cache

    cache = Cache()
    entries = cache.list()
    size = sum(entry.size for entry in entries)
    return {"path": cache.root, "entries": len(entries), "bytes": size, "problem": cache.problem}


def _text(found: dict[str, Any]) -> str:
    python, kernel, board, cache = (found[name] for name in ("python", "kernel", "board", "cache"))
    text = f"wasi_native {found['wasi_native']}\n" + fields(
        (
            ("python", f"{python['implementation']} {python['version']}, {python['path']}"),
            ("board", f"{board.get('id', '')} ({board.get('name', '')}), limits {board.get('limits', '')}"),
            ("memory", f"{board['memory_mib']} MiB" if board.get("memory_mib") else ""),
            ("kernel", f"{kernel['system']} {kernel['release']} on {kernel['machine']}"),
            ("openat2", _yes(kernel["openat2"])),
            ("resolver", kernel["resolver"]),
            ("wipe on fork", _yes(kernel["wipe_on_fork"])),
            ("cgroup v2", _yes(kernel["cgroup2"])),
            ("cache", f"{cache['path']}, {cache['entries']} entries, {human(cache['bytes'])}"),
            ("cache problem", cache["problem"]),
            ("compile", ", ".join(f"{name}: {tool or 'no'}" for name, tool in found["compile"].items())),
        )
    )
    rows = []
    for name, engine in found["engines"].items():
        mark = "yes" if engine["available"] else "no"
        used = "yes" if name == found["engine"] else ""
        about = " ".join(engine["caps"]) if engine["available"] else engine["reason"]
        rows.append((name, mark, used, engine["version"], about))
    text += "\n" + table(("ENGINE", "HERE", "USED", "VERSION", "ABILITIES"), rows)
    text += "".join(f"  {name}: {e['path']}\n" for name, e in found["engines"].items() if e["path"])
    for name, engine in found["engines"].items():
        text += f"risk: {engine['risk']}\n" if engine["risk"] and engine["available"] else ""
        text += "".join(f"published: {name}: {line}\n" for line in engine["advisories"])
    notes = board.get("notes", ())
    text += "".join(f"note: {note}\n" for note in notes)
    for item in found["missing"]:
        text += f"missing: {item['what']}\n  to install it: {item['command']}\n"
    return text + ("" if found["usable"] else "programs cannot be run here, but for compiled guests (.wno)\n")


def _yes(value: bool) -> str:
    return "yes" if value else "no"

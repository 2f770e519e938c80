"""``wasi-native inspect``: what a module is and needs, read from its bytes; no engine, nothing is run."""

from __future__ import annotations

from ..errors import ModuleError, PolicyError
from ..wasm import Binary, Extern, read
from .options import FLAG, VALUE, Command, Usage
from .out import complain, fields, human, json, report, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..policy import Policy

__all__ = ["COMMAND", "describe", "main"]

COMMAND = Command(
    "inspect",
    "[OPTIONS] MODULE",
    "Says what a WebAssembly binary is: WASI version, imports by capability, what a policy must grant, "
    "memory, exports, the proposals that an engine must know; and what a compiled guest (.wno) says of itself. "
    "Nothing is run and no engine is needed.",
    (
        ("--policy", VALUE, "FILE", "say what this policy (TOML) grants and what it denies the module"),
        ("--json", FLAG, "", "print JSON"),
    ),
    """\
'needs' is what the sections of the file prove; 'compiler' is what the compiler claims in target_features, of
which not all may be in use. Instructions are not read.

Exit status: 0; 1 when the file is no module, or the policy denies it or what it imports; 2 for a mistake on
the command line.

Examples:
  wasi-native inspect app.wasm
  wasi-native inspect --policy policy.toml app.wasm
  wasi-native inspect --json app.wasm
  wasi-native inspect plugin.wno
""",
)

_ALWAYS = {
    "args": "always there; empty unless args are given",
    "env": "always there; empty unless env is given",
    "clock": "always there; clocks can replace it",
    "random": "always there; random can replace it",
    "poll": "always there",
    "process": "always there",
    "streams": "always there; stdin, stdout and stderr say what is behind them (run inherits them)",
}
_CHANGES: tuple[str, ...] = (
    "path_create_directory",
    "path_filestat_set_times",
    "path_link",
    "path_remove_directory",
)
_CHANGES += ("path_rename", "path_symlink", "path_unlink_file", "fd_allocate", "fd_filestat_set_size")
_CHANGES += ("fd_filestat_set_times", "fd_pwrite")
_AT = "[method]descriptor."
_CHANGES += tuple(
    [f"{_AT}{word}-at" for word in ["set-times", "create-directory", "link", "remove-directory"]]
)
_CHANGES += tuple([f"{_AT}{word}-at" for word in ["rename", "symlink", "unlink-file"]])
_VERSIONS = {"wasi_snapshot_preview1": "0.1", "wasi_unstable": "0.1 (wasi_unstable, the release before it)"}


def main(options: dict[str, Any], rest: list[str]) -> int:
    if len(rest) != 1:
        raise Usage("write one MODULE" if rest else "MODULE is missing; write wasi-native inspect MODULE")
    policy = _load(options["--policy"]) if "--policy" in options else None
    try:
        from .inspect_native import inspect, is_native

        if is_native(rest[0]):
            return inspect(rest[0], policy, "--json" in options)
        data, binary = read(rest[0])
        if binary.layer == "component":
            from .inspect_component import inspect as inspect_component

            return inspect_component(rest[0], data, binary, policy, "--json" in options)
    except ModuleError as error:
        report("wasi-native inspect", str(error))
        return 1
    except OSError as error:
        if error.filename is None:  # standard output is closed
            raise
        complain("wasi-native inspect", f"{rest[0]}: {error.strerror}")
        return 1
    found = describe(rest[0], data, binary, policy)
    if "--json" in options:
        json(found)
    else:
        say(_text(found))
    return 1 if any(item["verdict"] == "denied" for item in found["grants"]) else 0


def _load(path: str) -> Policy:
    from ..policy import Policy

    try:
        return Policy.from_toml(path)
    except PolicyError as error:
        raise Usage(str(error)) from None
    except OSError as error:
        raise Usage(f"--policy {path}: {error.strerror}") from None


def describe(path: str, data: bytes, binary: Binary, policy: Policy | None) -> dict[str, Any]:
    """All that is printed, ready for JSON."""
    from hashlib import sha256

    groups = _groups()
    imports = [{**_extern(item), "group": _group(item, groups)} for item in binary.imports]
    found: dict[str, Any] = {
        "file": path,
        "size": len(data),
        "sha256": sha256(data).hexdigest(),
        "layer": binary.layer,
        "shape": binary.shape,
        "wasi": _versions(binary),
        "functions": binary.functions,
        "start_section": binary.start,
        "imports": imports,
        "exports": [_extern(item) for item in binary.exports],
        "memories": [
            {name: getattr(memory, name) for name in memory.__slots__} for memory in binary.memories
        ],
        "tables": [{"minimum": least, "maximum": most} for least, most in binary.tables],
        "needs": sorted(binary.needs),
        "target_features": binary.features,
        "producers": [
            {"field": field, "name": name, "version": version} for field, name, version in binary.producers
        ],
    }
    found["grants"] = _grants(found, policy)
    return found


def _extern(item: Extern) -> dict[str, str]:
    return {"module": item.module, "name": item.name, "kind": item.kind, "type": item.type}


def _groups() -> dict[tuple[str, str], str]:
    from ..trace import rows

    return {(module, name): group for module, name, _p, _r, _names, group in rows()}


def _group(item: Extern, groups: dict[tuple[str, str], str]) -> str:
    """The capability of an import: that of its row; "host" for what is no module of WASI's, "unknown"."""
    from ..trace import row_key

    key = row_key(item.module, item.name)
    if item.kind == "func" and key in groups:
        return groups[key]
    wasi = item.module.startswith(("wasi_", "wasi:")) or item.module == "wasi"
    return "unknown" if wasi else "host"


def _versions(binary: Binary) -> list[str]:
    found: dict[str, None] = {}
    for item in binary.imports:
        if item.module in _VERSIONS:
            found[_VERSIONS[item.module]] = None
        elif item.module.startswith("wasi:"):
            version = item.module.partition("@")[2].split(".")
            found[".".join(version[:2]) if len(version) > 1 else "0.2"] = None
        elif item.module == "wasi":
            found["threads (wasi-threads)"] = None
        elif item.module.startswith("wasi_"):
            found[f"unknown ({item.module})"] = None
    return list(found)


# ---- what a policy must grant -----------------------------------------------------------------------------


def _grants(found: dict[str, Any], policy: Policy | None) -> list[dict[str, Any]]:
    """One entry per capability: its functions, what grants it, and the verdict of ``policy``: "granted",
    "empty" (there, with nothing in it), "denied"; or "" without a policy."""
    by_group: dict[str, list[str]] = {}
    for item in found["imports"]:
        shown = (
            item["name"] if item["group"] not in ("host", "unknown") else f"{item['module']} {item['name']}"
        )
        by_group.setdefault(item["group"], []).append(shown.strip())
    grants = []
    if by_group.get("files"):
        grants += _files(sorted(by_group.pop("files")), policy)
    if by_group.get("sockets"):
        grants += _sockets(sorted(by_group.pop("sockets")), policy)
    for group, names in sorted(by_group.items()):
        verdict, text = _rule(group, policy)
        if group in ("args", "env") and policy is not None:
            verdict = "granted" if getattr(policy, group) else "empty"
        grants.append(_grant(group, names, text, verdict if policy is not None else ""))
    if policy is not None:
        grants += _limits(found, policy)
    return grants


def _grant(what: str, names: list[str], text: str, verdict: str) -> dict[str, Any]:
    return {"capability": what, "imports": sorted(set(names)), "grant": text, "verdict": verdict}


def _rule(group: str, policy: Policy | None) -> tuple[str, str]:
    """The verdict and what grants ``group``."""
    if group in _ALWAYS:
        return "granted", _ALWAYS[group]
    if group == "host":
        return "denied", "not WASI: functions= of the Python API, or another module"
    return "denied", "nothing provides it"


def _sockets(names: list[str], policy: Policy | None) -> list[dict[str, Any]]:
    """Those that the host makes, of preview 1, and those that the guest makes, of 0.2."""
    grants = []
    given = [name for name in names if name.startswith("sock_")]
    if given:
        verdict = "" if policy is None else "granted" if policy.listen or policy.dial else "denied"
        grants.append(_grant("sockets", given, "listen = ['tcp://...'], dial = ['tcp://...']", verdict))
    made = [name for name in names if name not in given]
    if made:
        from ..policy_net import in_toml

        text = in_toml(() if policy is None else policy.net)
        verdict = "" if policy is None else "granted" if policy.net else "denied"
        grants.append(_grant("network", made, text, verdict))
    return grants


def _files(names: list[str], policy: Policy | None) -> list[dict[str, Any]]:
    """Files, in three: paths, changes to them, standard streams."""
    places_of = [name for name in names if name.startswith("path_") or name.endswith("-at")]
    paths = [name for name in places_of if name not in _CHANGES]
    changes = [name for name in places_of if name in _CHANGES]
    streams = [name for name in names if name in ("fd_read", "fd_write")]
    others = [name for name in names if name not in (*paths, *changes, *streams)]
    places = [] if policy is None else [*policy.dirs, *policy.files]
    writable = [grant for grant in places if not getattr(grant, "read_only", False)]
    grants = []
    if paths:
        verdict = "granted" if places else "denied"
        grants.append(_grant("files", paths, "[[dirs]] host = '...', or [[files]]", verdict))
    if changes:
        verdict = "granted" if writable else "denied"
        grants.append(_grant("files, changes", changes, "[[dirs]] without read_only", verdict))
    if streams:
        given = policy is not None and any(
            getattr(policy, name) not in ("null", "closed") for name in ("stdin", "stdout", "stderr")
        )
        verdict = "granted" if given or places else "empty"
        text = "stdin, stdout, stderr = 'inherit' ... (run inherits them)"
        grants.append(_grant("streams", streams, text, verdict))
    if others:
        grants.append(_grant("descriptors", others, "always there, for what else is granted", "granted"))
    if policy is None:
        for grant in grants:
            grant["verdict"] = ""
    return grants


def _limits(found: dict[str, Any], policy: Policy) -> list[dict[str, Any]]:
    grants = []
    least = sum(memory["minimum"] for memory in found["memories"])
    most = policy.limits.memory
    if most is not None and least > most:
        text = f"limits.memory of {most} bytes or more than {least}"
        text = f"limits.memory = '{human(least)}' or more; it is {human(most)}".replace(" KiB", "KiB")
        grants.append(_grant("memory", [], text, "denied"))
    most = policy.limits.module_size
    if most is not None and found["size"] > most:
        grants.append(
            _grant("module size", [], f"limits.module_size = {found['size']}; it is {most}", "denied")
        )
    return grants


# ---- text -------------------------------------------------------------------------------------------------


def _text(found: dict[str, Any]) -> str:
    start = "_start" if any(item["name"] == "_start" for item in found["exports"]) else "wasi:cli/run"
    kinds = {"command": f"a program ({start})", "reactor": "a library (reactor: _initialize)"}
    kinds["library"] = "a library (neither _start nor _initialize)"
    memories = [_memory(memory) for memory in found["memories"]]
    made = [" ".join(filter(None, (item["name"], item["version"]))) for item in found["producers"]]
    pairs = [
        ("kind", kinds[found["shape"]]),
        (
            "size",
            f"{human(found['size'])} ({found['size']} bytes)"
            if found["size"] > 1023
            else f"{found['size']} bytes",
        ),
        ("sha256", found["sha256"]),
        ("wasi", ", ".join(found["wasi"]) or "none"),
        ("functions", str(found["functions"] or "")),
        ("at start", "code runs at instantiation (start section)" if found["start_section"] else ""),
        *(("memory", text) for text in memories),
        ("needs", ", ".join(found["needs"])),
        ("compiler", ", ".join(found["target_features"])),
        *(("made with", text) for text in made),
    ]
    from .out import clean

    text = f"{clean(found['file'])}\n" + fields(pairs)
    text += "\nimports, and what grants them\n" if found["grants"] else "\nno imports\n"
    for grant in found["grants"]:
        verdict = f"{grant['verdict'].upper():<8} " if grant["verdict"] else ""
        text += f"  {verdict}{grant['capability']}: {clean(grant['grant'])}\n"
        text += _wrapped(grant["imports"])
    text += "\nexports\n" if found["exports"] else "\nno exports\n"
    width = min(max((len(clean(item["name"])) for item in found["exports"]), default=0), 40)
    for item in found["exports"]:
        text += f"  {item['kind']:<6}  {clean(item['name']):<{width}}  {item['type']}".rstrip() + "\n"
    return text


def _memory(memory: dict[str, Any]) -> str:
    most = "no maximum" if memory["maximum"] is None else f"at most {human(memory['maximum'])}"
    more = [name for name in ("imported", "shared") if memory[name]] + ["64-bit"] * memory["wide"]
    return ", ".join((human(memory["minimum"]), most, *more))


def _wrapped(names: list[str]) -> str:
    from .out import clean

    lines, line = [], ""
    for name in map(clean, names):
        if line and len(line) + len(name) > 90:
            lines.append(line)
            line = ""
        line += ("  " if line else "") + name
    return "".join(f"      {text}\n" for text in (*lines, line) if text)

"""``wasi-native inspect`` for components: core modules, packages, exports, and what running it would need."""

from __future__ import annotations

from ..component import FEATURES, decode, names
from ..component.core_module import KINDS
from ..component.model import Canon, Component, InstanceType, Subcomponent
from ..policy_net import in_toml
from ..wasm import parse
from .out import clean, fields, human, json, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..component.core_module import CoreModule
    from ..component.model import Extern
    from ..policy import Policy
    from ..wasm import Binary

__all__ = ["describe", "inspect"]

# What grants an interface: its name or the first part of it, the capability, and how. None: always there.
_GRANTS: tuple[tuple[str, str, str | None], ...] = (
    ("wasi:cli/environment", "args, env", "args = [...], [env] (run: what follows COMPONENT, --env)"),
    ("wasi:cli/terminal-", "streams", None),
    ("wasi:cli/std", "streams", "stdin, stdout, stderr = 'inherit' ... (run inherits them)"),
    ("wasi:cli/", "process", None),
    ("wasi:io/", "waiting and streams", None),
    ("wasi:clocks/", "clock", None),
    ("wasi:random/", "random", None),
    ("wasi:filesystem/", "files", "[[dirs]] host = '...' (run: --dir)"),
    ("wasi:sockets/", "network", in_toml(())),
)
_ALWAYS = "always there"


def inspect(path: str, data: bytes, binary: Binary, policy: Policy | None, as_json: bool) -> int:
    """Print all about the component; the exit status. ModuleError."""
    found = describe(path, data, binary, policy)
    if as_json:
        json(found)
    else:
        say(_text(found))
    return int(any(grant["verdict"] == "denied" for grant in found["grants"]))


def describe(path: str, data: bytes, binary: Binary, policy: Policy | None) -> dict[str, Any]:
    """All that is printed, ready for JSON. ModuleError."""
    from hashlib import sha256

    component = decode(data, path, FEATURES)
    imports = [_extern(name, extern) for name, extern in component.imports.items()]
    found: dict[str, Any] = {
        "file": path,
        "size": len(data),
        "sha256": sha256(data).hexdigest(),
        "layer": "component",
        "shape": binary.shape,
        "wasi": _versions(imports),
        "modules": [_module(path, module) for module in component.modules],
        "components": component.components,
        "imports": imports,
        "exports": [_extern(name, extern) for name, extern in component.exports.items()],
        "producers": [
            {"field": field, "name": name, "version": version} for field, name, version in binary.producers
        ],
    }
    found["to_run"] = _to_run(component, found)
    found["grants"] = _grants(imports, policy)
    return found


def _grants(imports: list[dict[str, Any]], policy: Policy | None) -> list[dict[str, Any]]:
    """One entry per capability, as of modules: what imports it, what grants it, and the verdict of ``policy``."""
    found: dict[str, dict[str, Any]] = {}
    for item in imports:
        name = item["name"]
        what, how = "host", f"provide={{{name!r}: ...}} of the Python API, or another component"
        if name.startswith("wasi:"):
            what, how = "unknown", "nothing provides it"
        if not name.startswith("wasi:") or item["version"].startswith("0.2."):
            for start, capability, grant in _GRANTS:
                if name.startswith(start):
                    what, how = capability, grant or _ALWAYS
                    break
        entry = found.setdefault(what, {"capability": what, "imports": [], "grant": how, "verdict": ""})
        entry["imports"].append(name)
        if policy is not None:
            entry["verdict"] = _verdict(what, how, policy)
            if what == "network":
                entry["grant"] = in_toml(policy.net)
    return [found[what] for what in sorted(found)]


def _verdict(what: str, how: str, policy: Policy) -> str:
    if how == _ALWAYS:
        return "granted"
    if what == "args, env":
        return "granted" if policy.args or policy.env else "empty"
    if what == "streams":
        given = [getattr(policy, name) not in ("null", "closed") for name in ("stdin", "stdout", "stderr")]
        return "granted" if any(given) else "empty"
    if what == "files":
        return "granted" if policy.dirs else "empty"
    if what == "network":
        return "granted" if policy.net else "denied"
    return "denied"


def _extern(name: str, extern: Extern) -> dict[str, Any]:
    parsed = names.parse(name)
    functions = 1 if extern.sort == "func" else 0
    if isinstance(extern.type, InstanceType):
        functions = sum(inner.sort == "func" for inner in extern.type.exports.values())
    return {
        "name": name,
        "kind": extern.sort,
        "package": parsed.package,
        "interface": parsed.label if parsed.package else "",
        "version": parsed.version,
        "functions": functions,
    }


def _module(path: str, module: CoreModule) -> dict[str, Any]:
    inside = parse(bytes(module.data), f"{path}: the core module at byte {module.at}")
    # A module without functions that fills a table "$imports" joins others late; a host does that without a table.
    joins = not inside.functions
    imported = [
        KINDS[kind] for (_, name), (kind, _) in module.imports.items() if not (joins and name == "$imports")
    ]
    return {
        "at": module.at,
        "size": module.end - module.at,
        "functions": inside.functions,
        "imports": len(module.imports),
        "shared": sorted({kind for kind in imported if kind in ("memory", "table")}),
        "exports": len(module.exports),
        "needs": sorted(inside.needs),
    }


def _versions(imports: list[dict[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for item in imports:
        if item["package"].startswith("wasi:"):
            found[".".join(item["version"].split(".")[:2]) if item["version"] else "unversioned"] = None
    return list(found)


def _canons(component: Component) -> set[str]:
    """The canonical definitions that are used, inside too."""
    found: set[str] = set()
    todo = [component]
    while todo:
        for item in todo.pop().definitions:
            if isinstance(item, Canon):
                marked = item.options is not None and item.options.is_async
                found.add(f"async {item.name}" if marked else item.name)
            elif isinstance(item, Subcomponent):
                todo.append(item.component)
    return found


def _to_run(component: Component, found: dict[str, Any]) -> dict[str, list[str]]:
    """What a host and its engine would have to offer."""
    canons = _canons(component)
    plain = {"lift", "lower", "resource.new", "resource.drop", "resource.rep"}
    others = [item["name"] for item in found["imports"] if not item["package"].startswith("wasi:")]
    wasi = {f"{item['package']}@{item['version']}" for item in found["imports"] if item["name"] not in others}
    return {
        "wasi": sorted(wasi),
        "host": others,
        "engine": sorted({need for module in found["modules"] for need in module["needs"]}),
        "shared": sorted({kind for module in found["modules"] for kind in module["shared"]}),
        "async": sorted(canons - plain),
        "gated": sorted(component.features),
    }


# ---- text -------------------------------------------------------------------------------------------------


def _text(found: dict[str, Any]) -> str:
    made = [" ".join(filter(None, (item["name"], item["version"]))) for item in found["producers"]]
    sizes = [f"{human(module['size'])}, {module['functions']} functions" for module in found["modules"]]
    pairs = [
        ("kind", "a component"),
        ("size", f"{human(found['size'])} ({found['size']} bytes)"),
        ("sha256", found["sha256"]),
        ("wasi", ", ".join(found["wasi"]) or "none"),
        *(("core module", text) for text in sizes),
        ("components", f"{found['components']} inside" if found["components"] else ""),
        *(("made with", text) for text in made),
    ]
    text = f"{clean(found['file'])}\n" + fields(pairs)
    text += _listed("imports", found["imports"]) + _listed("exports", found["exports"])
    needed = found["to_run"]
    pairs = [
        ("from WASI", ", ".join(needed["wasi"])),
        ("from the host", ", ".join(needed["host"])),
        ("of the engine", ", ".join(needed["engine"])),
        ("between modules", ", ".join(f"a shared {kind}" for kind in needed["shared"])),
        ("async", ", ".join(needed["async"])),
        ("gated features", ", ".join(needed["gated"])),
    ]
    text += "\nto run it\n" + fields(pairs)
    text += "\nwhat grants its imports\n" if found["grants"] else ""
    for grant in found["grants"]:
        verdict = f"{grant['verdict'].upper():<8} " if grant["verdict"] else ""
        text += f"  {verdict}{grant['capability']}: {clean(grant['grant'])}\n"
    return text


def _listed(head: str, items: list[dict[str, Any]]) -> str:
    """Interfaces by package; what has a plain name alone."""
    if not items:
        return f"\nno {head}\n"
    text, groups = f"\n{head}\n", dict[str, list[str]]()
    for item in items:
        key = f"{item['package']}@{item['version']}".rstrip("@") if item["package"] else ""
        count = f" ({item['functions']})" if item["kind"] == "instance" else f" ({item['kind']})"
        groups.setdefault(key, []).append(clean(item["interface"] or item["name"]) + count)
    for key, listed in groups.items():
        text += f"  {clean(key) or 'by plain names'}\n"
        line = ""
        for word in listed:
            if line and len(line) + len(word) > 90:
                text += f"      {line}\n"
                line = ""
            line += ("  " if line else "") + word
        text += f"      {line}\n"
    return text

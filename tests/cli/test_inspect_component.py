"""``wasi-native inspect`` on components."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.component.asm import INSTANCE, component, name, plain, section, types
from tests.component.build import encode, fixture

Tool = Callable[..., Any]


@pytest.fixture
def inspect(tool: Tool, tmp_path: Path) -> Callable[..., Any]:
    """Inspects these bytes; as JSON unless ``raw``."""

    def call(data: bytes, policy: str | None = None, raw: bool = False) -> Any:
        (tmp_path / "c.wasm").write_bytes(data)
        args = ["inspect", "c.wasm"] + ([] if raw else ["--json"])
        if policy is not None:
            (tmp_path / "p.toml").write_text(policy)
            args += ["--policy", "p.toml"]
        done = tool(*args)
        return done if raw else json.loads(done.out) | {"status": done.status}

    return call


WASI = component(
    types(INSTANCE),
    section(10, *[plain(text) + b"\5\0" for text in ("wasi:cli/run@0.2.0", "wasi:io/poll@0.2.12")]),
)


def test_json(inspect: Callable[..., Any]) -> None:
    data = fixture("interfaces")
    found = inspect(data)
    assert found["status"] == 0 and found["layer"] == found["shape"] == "component"
    assert found["size"] == len(data) and found["components"] == 1 and found["wasi"] == []
    assert [(module["functions"], module["shared"]) for module in found["modules"]] == [
        (1, []),
        (5, ["memory"]),
    ]
    for module in found["modules"]:
        assert data[module["at"] : module["at"] + module["size"]][:4] == b"\0asm"
    assert [(item["name"], item["kind"], item["functions"]) for item in found["imports"]] == [
        ("test:dep/poll@0.2.3", "instance", 2),
        ("test:dep/streams@0.2.3", "instance", 5),
        ("log", "func", 1),
    ]
    assert found["exports"][0]["package"] == "test:own" and found["exports"][0]["version"] == "1.0.0"
    assert found["to_run"] == {
        "wasi": [],
        "host": ["test:dep/poll@0.2.3", "test:dep/streams@0.2.3", "log"],
        "engine": [],
        "shared": ["memory"],
        "async": [],
        "gated": [],
    }


def test_text(inspect: Callable[..., Any]) -> None:
    done = inspect(WASI, raw=True)
    assert done.status == 0
    for words in (
        "a component",
        "wasi:io@0.2.12\n      poll (0)",
        "no exports",
        "wasi:cli@0.2.0, wasi:io@0.2.12",
    ):
        assert words in done.out
    assert "  wasi    0.2\n" in done.out and "  waiting and streams: always there\n" in done.out
    assert "by plain names\n      log (func)" in inspect(fixture("interfaces"), raw=True).out


def test_async_and_gated_features_are_named(inspect: Callable[..., Any]) -> None:
    needed = inspect(fixture("async"))["to_run"]
    assert (
        "async lift" in needed["async"] and "waitable-set.poll" in needed["async"] and needed["gated"] == []
    )
    assert inspect(component(types(b"\x64")))["to_run"]["gated"] == ["error-context"]


def test_what_a_policy_grants(inspect: Callable[..., Any]) -> None:
    names = (
        "cli/environment",
        "cli/stdout",
        "filesystem/types",
        "sockets/tcp",
        "http/types",
        "clocks/wall-clock",
    )
    imports = [plain(f"wasi:{name}@0.2.3") + b"\5\0" for name in names]
    data = component(types(INSTANCE), section(10, *imports, plain("a:b/c") + b"\5\0"))
    found = inspect(data)
    assert found["status"] == 0 and {grant["verdict"] for grant in found["grants"]} == {""}
    by_name = {grant["capability"]: grant["verdict"] for grant in inspect(data, "")["grants"]}
    assert by_name == {
        "args, env": "empty",
        "clock": "granted",
        "files": "empty",
        "host": "denied",
        "network": "denied",
        "streams": "empty",
        "unknown": "denied",
    }
    found = inspect(data, "args = ['x']\nstdout = 'inherit'\n[[dirs]]\nhost = '.'\n")
    granted = {grant["capability"] for grant in found["grants"] if grant["verdict"] == "granted"}
    assert granted == {"args, env", "clock", "files", "streams"} and found["status"] == 1
    found = inspect(data, "net = ['tcp://*:443']\n")["grants"]
    (grant,) = [grant for grant in found if grant["capability"] == "network"]
    assert (grant["verdict"], grant["grant"]) == ("granted", "net = ['tcp://*:443']")
    assert inspect(WASI, "")["status"] == 0
    assert "DENIED   host: provide={'a:b/c': ...}" in inspect(data, "", raw=True).out


def test_versions_that_nothing_provides(inspect: Callable[..., Any]) -> None:
    data = component(types(INSTANCE), section(10, plain("wasi:clocks/types@0.3.0") + b"\5\0"))
    (grant,) = inspect(data, "")["grants"]
    assert (grant["capability"], grant["verdict"], grant["grant"]) == (
        "unknown",
        "denied",
        "nothing provides it",
    )


def test_core_modules_inside_say_what_they_need(inspect: Callable[..., Any]) -> None:
    data = encode('(component (core module (memory i64 1) (func (export "f") (param v128))))')
    assert inspect(data)["to_run"]["engine"] == ["memory64", "simd128"]


@pytest.mark.parametrize(("body", "shared"), [("", []), ("(func)", ["table"])])
def test_late_joins_need_no_shared_table(inspect: Callable[..., Any], body: str, shared: list[str]) -> None:
    data = encode(f"""(component
      (core module $shim (table (export "$imports") 1 1 funcref) (func (export "0")))
      (core module $fixup (import "" "0" (func)) (import "" "$imports" (table 1 1 funcref)) {body}
        (elem (i32.const 0) func 0))
      (core instance $s (instantiate $shim))
      (core instance (instantiate $fixup (with "" (instance $s)))))""")
    assert inspect(data)["to_run"]["shared"] == shared


def test_names_cannot_drive_the_terminal(inspect: Callable[..., Any]) -> None:
    entry = b"\2" + name("a") + b"\1\2" + name("\x1b[2J") + b"\5\0"
    done = inspect(component(types(INSTANCE), section(10, entry)), raw=True)
    assert done.status == 0 and "\x1b" not in done.out
    done = inspect(component(types(INSTANCE), section(10, plain("a\x1b[2J") + b"\5\0")), raw=True)
    assert done.status == 1 and "\x1b" not in done.err and "'a\\x1b[2J'" in done.err


@pytest.mark.parametrize("cut", [9, 40, 500, 1500])
def test_every_prefix_is_an_answer(inspect: Callable[..., Any], cut: int) -> None:
    done = inspect(fixture("interfaces")[:cut], raw=True)
    assert done.status in (0, 1) and bool(done.out) == (done.status == 0)
    assert done.status == 0 or done.err.startswith("wasi-native inspect: c.wasm: ")


def test_an_output_that_is_closed_is_no_fault_of_the_file(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "c.wasm").write_bytes(encode("(component)"))
    command = f"{sys.executable} -m wasi_native inspect {tmp_path}/c.wasm >&-"
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "wasi-native: standard output: it is closed\n")

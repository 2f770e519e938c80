"""``wasi-native inspect``: without an engine, for any bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.guests import build

P1 = "wasi_snapshot_preview1"
Tool = Callable[..., Any]


def text(value: str) -> bytes:
    return bytes([len(value.encode())]) + value.encode()


def section(code: int, *entries: bytes) -> bytes:
    body = bytes([len(entries)]) + b"".join(entries)
    assert len(body) < 128 * 128
    return bytes([code, len(body) & 127 | 128, len(body) >> 7]) + body


def module(*imports: tuple[str, str], pages: int = 1, export: str = "_start") -> bytes:
    """A module that imports functions and exports one that does nothing."""
    return b"".join(
        (
            b"\0asm\1\0\0\0",
            section(1, b"\x60\0\0"),
            section(2, *(text(name) + text(field) + b"\0\0" for name, field in imports)),
            section(3, b"\0"),
            section(5, bytes([0, pages])),
            section(7, text("memory") + b"\2\0", text(export) + b"\0" + bytes([len(imports)])),
            section(10, b"\2\0\x0b"),
        )
    )


FULL = module(
    (P1, "fd_write"),
    (P1, "path_open"),
    (P1, "path_rename"),
    (P1, "sock_accept"),
    (P1, "random_get"),
    (P1, "args_get"),
    (P1, "environ_get"),
    (P1, "fd_close"),
)


@pytest.fixture
def inspect(tool: Tool, tmp_path: Path) -> Callable[..., Any]:
    """Inspects these bytes; as JSON unless ``raw``."""

    def call(data: bytes, policy: str | None = None, raw: bool = False) -> Any:
        (tmp_path / "m.wasm").write_bytes(data)
        args = ["inspect", "m.wasm"] + ([] if raw else ["--json"])
        if policy is not None:
            (tmp_path / "p.toml").write_text(policy)
            args += ["--policy", "p.toml"]
        done = tool(*args)
        return done if raw else json.loads(done.out) | {"status": done.status}

    return call


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {grant["capability"]: grant["verdict"] for grant in found["grants"]}


def test_json(inspect: Callable[..., Any]) -> None:
    found = inspect(FULL)
    assert found["status"] == 0
    assert found["size"] == len(FULL) and found["sha256"] == hashlib.sha256(FULL).hexdigest()
    assert found["layer"] == "module" and found["shape"] == "command" and found["wasi"] == ["0.1"]
    assert found["memories"] == [
        {"imported": False, "maximum": None, "minimum": 65536, "page": 65536, "shared": False, "wide": False}
    ]
    assert [item["group"] for item in found["imports"]] == [
        "files",
        "files",
        "files",
        "sockets",
        "random",
        "args",
        "env",
        "files",
    ]
    assert {grant["capability"]: grant["imports"] for grant in found["grants"]} == {
        "files": ["path_open"],
        "files, changes": ["path_rename"],
        "streams": ["fd_write"],
        "descriptors": ["fd_close"],
        "args": ["args_get"],
        "env": ["environ_get"],
        "random": ["random_get"],
        "sockets": ["sock_accept"],
    }
    assert set(verdicts(found).values()) == {""}


def test_text(inspect: Callable[..., Any]) -> None:
    done = inspect(FULL, raw=True)
    for words in ("a program (_start)", "0.1", "64 KiB, no maximum", "sockets: listen", "memory  memory"):
        assert words in done.out


def test_what_a_policy_denies(inspect: Callable[..., Any]) -> None:
    found = inspect(FULL, "")
    assert found["status"] == 1
    assert verdicts(found) == {
        "files": "denied",
        "files, changes": "denied",
        "streams": "empty",
        "descriptors": "granted",
        "args": "empty",
        "env": "empty",
        "random": "granted",
        "sockets": "denied",
    }
    found = inspect(FULL, 'stdout = "inherit"\nargs = ["a"]\n[[dirs]]\nhost = "d"\nread_only = true\n')
    assert verdicts(found)["files"] == "granted" and verdicts(found)["files, changes"] == "denied"
    assert verdicts(found)["streams"] == verdicts(found)["args"] == "granted"
    found = inspect(FULL, 'listen = ["tcp://127.0.0.1:1"]\n[[dirs]]\nkind = "memory"\nguest = "/t"\n')
    assert found["status"] == 0 and "denied" not in verdicts(found).values()
    assert "DENIED   sockets" in inspect(FULL, "", raw=True).out


def test_limits(inspect: Callable[..., Any]) -> None:
    found = inspect(module(pages=3), '[limits]\nmemory = "128KiB"\nmodule_size = 10\n')
    assert verdicts(found) == {"memory": "denied", "module size": "denied"}
    assert "'192KiB' or more" in found["grants"][0]["grant"]
    assert inspect(module(pages=2), '[limits]\nmemory = "128KiB"\n')["status"] == 0


def test_what_nothing_provides(inspect: Callable[..., Any]) -> None:
    found = inspect(module((P1, "fd_wirte"), ("env", "log"), ("wasi_nn", "x"), ("wasi", "thread-spawn")), "")
    assert verdicts(found) == {"unknown": "denied", "host": "denied"}
    assert found["wasi"] == ["0.1", "unknown (wasi_nn)", "threads (wasi-threads)"]
    assert inspect(module(("wasi_unstable", "fd_seek")))["wasi"][0].startswith("0.1 (wasi_unstable")
    assert inspect(module(("wasi:io/poll@0.2.3", "poll")))["wasi"] == ["0.2"]


def test_shapes(inspect: Callable[..., Any]) -> None:
    assert "reactor" in inspect(module(export="_initialize"), raw=True).out
    assert "neither" in inspect(module(export="add"), raw=True).out


def test_names_cannot_drive_the_terminal(inspect: Callable[..., Any]) -> None:
    done = inspect(module(("env", "a\x1b[2J\nfake"), export="b\r\x9b"), raw=True)
    assert done.status == 0 and "\x1b" not in done.out and "\r" not in done.out
    assert "env a\\x1b[2J\\nfake" in done.out


@pytest.mark.parametrize("size", range(len(FULL)))
def test_every_prefix_is_an_answer(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from wasi_native.cli import main

    (tmp_path / "m.wasm").write_bytes(FULL[:size])
    status = main(["inspect", str(tmp_path / "m.wasm")])
    seen = capsys.readouterr()
    assert status in (0, 1) and bool(seen.out) == (status == 0)
    assert status == 0 or seen.err.startswith(f"wasi-native inspect: {tmp_path}/m.wasm: ")


def test_no_engine_is_needed(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(FULL)
    env = {"WASI_NATIVE_ENGINE_PATH": "/nowhere", "WASI_NATIVE_ENGINE": "nope"}
    assert tool("inspect", "m.wasm", env=env).status == 0


def test_mistakes(tool: Tool, tmp_path: Path) -> None:
    assert tool("inspect").status == tool("inspect", "a", "b").status == 2
    done = tool("inspect", "gone.wasm")
    assert done.status == 1 and "gone.wasm: No such file" in done.err
    (tmp_path / "m.wat").write_text("(module)")
    assert "wat2wasm" in tool("inspect", "m.wat").err
    (tmp_path / "m.wasm").write_bytes(FULL)
    assert tool("inspect", "m.wasm", "--policy", "gone.toml").status == 2
    (tmp_path / "p.toml").write_text("x = 1")
    done = tool("inspect", "m.wasm", "--policy", "p.toml")
    assert done.status == 2 and "p.toml:1" in done.err


def test_a_module_with_names_of_0_2(tool: Tool) -> None:
    """Its functions stand with the capabilities that grant them; its run makes it a program."""
    done = tool("inspect", str(build.guest("direct")))
    said = done.out
    assert done.status == 0
    assert "a program (wasi:cli/run)" in said and "nothing provides it" not in said
    assert "  wasi       0.2\n" in said
    wanted = {"env": "get-arguments", "process": "exit-with-code", "poll": "poll", "streams": "get-stdout"}
    wanted |= {"clock": "subscribe-duration", "random": "get-random-u64"}
    for group, name in wanted.items():
        at = said.index(f"\n  {group}: ")
        assert name in said[at : at + 600], group


def test_sockets_of_its_own(inspect: Callable[..., Any]) -> None:
    """What a guest of 0.2 may do with them are rules, not the host's sockets."""
    wasm = module(
        ("wasi:sockets/tcp-create-socket@0.2.3", "create-tcp-socket"),
        ("wasi_snapshot_preview1", "sock_accept"),
    )
    assert {grant["capability"]: grant["imports"] for grant in inspect(wasm)["grants"]} == {
        "network": ["create-tcp-socket"],
        "sockets": ["sock_accept"],
    }
    found = inspect(wasm, 'net = ["tcp://*:443", "dns://a.b"]\n')
    assert verdicts(found) == {"network": "granted", "sockets": "denied"}
    assert "net = ['tcp://*:443', 'dns://a.b']" in str(found["grants"])
    assert verdicts(inspect(wasm, 'listen = ["tcp://127.0.0.1:1"]\n')) == {
        "network": "denied",
        "sockets": "granted",
    }

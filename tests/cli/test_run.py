"""``wasi-native run``: grants, limits, endings, and that no mistake is a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.component.build import encode
from wasi_native import LinkError

Tool = Callable[..., Any]
Guest = Callable[[str], str]

ROFS, NOTCAPABLE, PERM, BADF = 69, 76, 63, 8


def test_hello(tool: Tool, guest: Guest) -> None:
    done = tool("run", guest("hello"))
    assert (done.status, done.out, done.err) == (0, "hello\n", "")


def test_arguments_behind_the_module_are_the_guests(tool: Tool, guest: Guest) -> None:
    done = tool("run", guest("args"), "--dir", "x", "--", "--help", "-v")
    assert done.out.split("\0") == ["args.wat", "--dir", "x", "--", "--help", "-v", ""]


def test_a_dash_dash_ends_our_options(tool: Tool, guest: Guest) -> None:
    assert tool("run", "--no-cache", "--", guest("args"), "a").out.split("\0") == ["args.wat", "a", ""]


def test_environment(tool: Tool, guest: Guest) -> None:
    path = guest("env")
    assert tool("run", path).out == ""
    done = tool("run", "--env", "A=1", "--env=B=x=y", "--env", "OUTER", path, env={"OUTER": "o"})
    assert done.out.split("\0") == ["A=1", "B=x=y", "OUTER=o", ""]
    done = tool("run", "--env-inherit", "--env", "OUTER=mine", path, env={"OUTER": "o"})
    assert "OUTER=mine" in done.out.split("\0") and any(v.startswith("PATH=") for v in done.out.split("\0"))


@pytest.mark.parametrize(
    ("given", "name"),
    [("data", "/data"), ("data::/in", "/in"), ("data::/in:ro", "/in"), (".", "."), ("data:rw", "/data")],
)
def test_dir_names(tool: Tool, guest: Guest, tmp_path: Path, given: str, name: str) -> None:
    (tmp_path / "data").mkdir()
    assert tool("run", "--dir", given, guest("name")).out == name


def test_dir_rights(tool: Tool, guest: Guest, tmp_path: Path) -> None:
    assert tool("run", guest("create")).status == BADF, "nothing is granted by itself"
    assert tool("run", "--dir", ".:ro", guest("create")).status in (ROFS, NOTCAPABLE, PERM)
    assert not (tmp_path / "new").exists()
    assert tool("run", "--dir", ".", guest("create")).status == 0
    assert (tmp_path / "new").exists()


def test_exit_status_is_modulo_256(tool: Tool, guest: Guest) -> None:
    assert tool("run", guest("exit")).status == 3


def test_a_trap_shows_the_names(tool: Tool, guest: Guest) -> None:
    done = tool("run", guest("trap"))
    assert done.status == 134
    assert "trap.wat: trap: " in done.err and "unreachable" in done.err
    assert done.err.index("inner") < done.err.index("outer")


def test_a_bad_pointer_is_a_trap(tool: Tool, guest: Guest) -> None:
    done = tool("run", guest("pointer"))
    assert done.status == 134 and "host-pointer" in done.err and "evil" in done.err


def test_the_deadline(tool: Tool, guest: Guest) -> None:
    begun = time.monotonic()
    done = tool("run", "--timeout", "200ms", guest("loop"))
    assert done.status == 124 and time.monotonic() - begun < 30
    assert "ended by the limit wall_time of 0.2 s" in done.err and "--timeout" in done.err


def test_the_deadline_of_a_blocked_guest(tool: Tool, guest: Guest) -> None:
    read, write = os.pipe()
    try:
        assert tool("run", "--timeout=0.2", guest("stdin"), stdin=read).status == 124
    finally:
        os.close(read)
        os.close(write)


def test_fuel(tool: Tool, guest: Guest) -> None:
    done = tool("run", "--fuel", "100000", guest("loop"))
    assert done.status == 137 and "ended by the limit fuel of 100000" in done.err and "--fuel" in done.err


def test_memory(tool: Tool, guest: Guest) -> None:
    assert tool("run", "--max-memory", "128KiB", "--invoke", "grow", guest("grow"), "1").out == "1\n"
    assert tool("run", "--max-memory", "128KiB", "--invoke", "grow", guest("grow"), "2").out == "-1\n"
    done = tool("run", "--max-memory", "1", guest("hello"))
    assert done.status == 126 and "--max-memory" in done.err


def test_stdin_is_the_terminals(tool: Tool, guest: Guest) -> None:
    assert tool("run", guest("stdin"), input=b"12345").status == 5


def test_non_blocking_stdio(tool: Tool, guest: Guest) -> None:
    read, write = os.pipe()
    try:
        assert tool("run", "--non-blocking-stdio", guest("stdin"), stdin=read).status == 206
    finally:
        os.close(read)
        os.close(write)


def test_invoke(tool: Tool, guest: Guest) -> None:
    path = guest("library")
    assert tool("run", "--invoke", "add", path, "2", "-40").out == "-38\n"
    assert tool("run", "--invoke", "add", path, "0x10", "1").out == "17\n"
    assert tool("run", "--invoke", "half", path, "5").out == "2.5\n"
    assert tool("run", "--invoke", "two", path).out == "-1 2.5\n"
    done = tool("run", "--invoke", "nothing", path)
    assert (done.status, done.out) == (0, "")
    assert tool("run", "--invoke", "add", path, "2").status == 2
    assert "no number" in tool("run", "--invoke", "add", path, "2", "x").err
    done = tool("run", "--invoke", "nope", path)
    assert done.status == 126 and "there are: add, half, two, nothing" in done.err
    done = tool("run", path)
    assert done.status == 126 and "--invoke" in done.err


def test_missing_imports_are_all_named(tool: Tool, guest: Guest) -> None:
    done = tool("run", guest("missing"))
    assert done.status == 126
    assert "env foo: " in done.err and "fd_wirte: " in done.err and "inspect" in done.err


def test_what_an_engine_cannot_link_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    """No import is missing then: the error itself says what it is."""
    from wasi_native.cli.run import _cannot

    assert _cannot("a.wasm", __file__, LinkError("the engine wasm3 shares nothing between instances")) == 126
    assert "wasm3 shares nothing" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a WebAssembly module"),
        (b"\0asm", "truncated"),
        (b"\x7fELF", "not a compiled guest"),
        (b"\0asm\x0d\0\1\0\1", "truncated"),
        (b"(module", "expected `)`"),
    ],
)
def test_files_that_are_no_modules(tool: Tool, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "bad.wasm").write_bytes(content)
    done = tool("run", "bad.wasm")
    assert done.status == 126 and words in done.err and done.err.startswith("wasi-native: bad.wasm: ")


def test_a_module_that_is_not_there(tool: Tool) -> None:
    done = tool("run", "gone.wasm")
    assert done.status == 127 and "gone.wasm: No such file" in done.err
    assert tool("run", ".").status == 126


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "MODULE is missing"),
        (["--dirr", "x"], "did you mean --dir?"),
        (["--dir"], "--dir needs a value: --dir HOST"),
        (["--env-inherit=1", "x"], "takes no value"),
        (["--dir", "..", "x"], "--dir ..: the host path"),
        (["--dir", "a::", "x"], "write HOST::/name"),
        (["--dir", "a::b", "x"], "write '/b'"),
        (["--dir", "a::/d", "--dir", "b::/d", "x"], "is already that of"),
        (["--dir", "a", "--dir", "a::/b", "x"], "is the same as"),
        (["--env", "=x", "x"], "the name is missing"),
        (["--env", "SURELY_NOT_SET", "x"], "no such variable"),
        (["--listen", "tcp://x", "x"], "--listen tcp://x: "),
        (["--dial", "http://x", "x"], "--dial http://x: "),
        (["--timeout", "soon", "x"], "this is no quantity"),
        (["--timeout", "0", "x"], "out of range"),
        (["--max-memory", "16XB", "x"], "KiB"),
        (["--fuel", "-1", "x"], "whole number above 0"),
        (["--max-open-files", "99999999", "x"], "65536"),
        (["--trace-format", "xml", "x"], "needs --trace"),
        (["--trace", "--trace-format", "xml", "x"], "text or json"),
        (["--trace", "--trace-filter", "fd_wirte", "x"], "did you mean fd_write"),
        (["--trace", "--trace-string-size", "x", "x"], "whole number"),
        (["--trace=/nowhere/x", "x"], "--trace=/nowhere/x: No such file"),
        (["--policy", "/nowhere/x", "x"], "--policy /nowhere/x: No such file"),
    ],
)
def test_usage(tool: Tool, args: list[str], words: str) -> None:
    done = tool("run", *args)
    assert done.status == 2 and words in done.err and "--help" in done.err and done.out == ""


def test_usage_of_invoke(tool: Tool, guest: Guest) -> None:
    """What its arguments may be, the module says."""
    done = tool("run", "--invoke", "add", guest("library"), "1", "b")
    assert done.status == 2 and "'b' is no number" in done.err and done.out == ""


def test_grants_that_cannot_be_made(tool: Tool, guest: Guest) -> None:
    done = tool("run", "--dir", "nowhere", guest("hello"))
    assert done.status == 126 and "nowhere" in done.err and "no such file" in done.err
    assert tool("run", "--engine", "nope", guest("hello")).status == 126
    done = tool("run", "--board", "raspberry-pi-zero", guest("hello"))
    assert done.status == 126 and "did you mean raspberry-pi-zero" in done.err
    taken = socket.create_server(("127.0.0.1", 0))
    with taken:
        done = tool("run", "--listen", f"tcp://127.0.0.1:{taken.getsockname()[1]}", guest("hello"))
    assert done.status == 126 and "in use" in done.err.lower()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_listen(environment: dict[str, str], guest: Guest, host: str) -> None:
    try:
        socket.create_server(
            (host.strip("[]"), 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError:
        pytest.skip(f"this machine has no address {host}")
    command = [sys.executable, "-m", "wasi_native", "run", "--timeout=10", f"--listen=tcp://{host}:0"]
    with subprocess.Popen([*command, guest("accept")], env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = process.stderr.readline().decode()
        assert said.startswith(f"wasi-native: listening on tcp://{host}:")
        port = int(said.rpartition(":")[2])
        socket.create_connection((host.strip("[]"), port)).close()
        assert process.wait(20) == 0


def test_policy_file(tool: Tool, guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('args = ["from-file"]\nprogram = "app"\n[env]\nA = "file"\nB = "file"\n')
    assert tool("run", "--policy", "p.toml", guest("args")).out.split("\0") == ["app", "from-file", ""]
    assert tool("run", "--policy", "p.toml", guest("args"), "mine").out.split("\0") == ["app", "mine", ""]
    done = tool("run", "--policy", "p.toml", "--env", "B=mine", guest("env"))
    assert done.out.split("\0") == ["A=file", "B=mine", ""]
    (tmp_path / "p.toml").write_text('stdout = "null"\n[limits]\nwall_time = "100ms"\n')
    assert tool("run", "--policy", "p.toml", guest("hello")).out == "", "what the file says counts"
    assert tool("run", "--policy", "p.toml", guest("loop")).status == 124
    done = tool("run", "--policy", "p.toml", "--timeout", "300ms", guest("loop"))
    assert "0.3 s" in done.err
    (tmp_path / "p.toml").write_text('stdout = "capture"\n')
    assert tool("run", "--policy", "p.toml", guest("hello")).out == "hello\n"
    (tmp_path / "p.toml").write_text("\n\nstdut = 1\n")
    done = tool("run", "--policy", "p.toml", guest("hello"))
    assert done.status == 2 and "p.toml:3" in done.err
    (tmp_path / "p.toml").write_text("= 1\n")
    assert tool("run", "--policy", "p.toml", guest("hello")).status == 2


def test_trace(tool: Tool, guest: Guest, tmp_path: Path) -> None:
    done = tool("run", "--trace", guest("hello"))
    assert done.out == "hello\n"
    assert done.err.startswith('fd_write(fd=1, iovs=[{0x10, 6}"hello\\n"], iovs_len=1) = 6 <')
    assert tool("run", "--trace", "--trace-filter", "!fd_write", guest("hello")).err == ""
    assert tool("run", "--trace", "--trace-string-size=0", guest("hello")).err.count("hello") == 0
    done = tool("run", "--trace=t.json", "--trace-format", "json", guest("create"))
    assert done.err == ""
    line = json.loads((tmp_path / "t.json").read_text().splitlines()[0])
    assert line["name"] == "path_open" and line["error"] == "BADF" and line["shown"]["path"] == '"new"'
    text = tool("run", "--trace", guest("create")).err
    assert (
        'path="new"' in text and "= EBADF (bad file descriptor)" in text and "proc_exit(rval=8) = ?" in text
    )


def test_a_full_disk_ends_the_trace_alone(tool: Tool, guest: Guest) -> None:
    done = tool("run", "--trace=/dev/full", guest("hello"))
    assert (done.status, done.out) == (0, "hello\n")
    assert "No space left" in done.err and "not complete" in done.err


def test_stats(tool: Tool, guest: Guest) -> None:
    done = tool("run", "--stats", guest("hello"))
    assert done.err.splitlines()[0].split() == [
        "%",
        "time",
        "seconds",
        "us/call",
        "calls",
        "errors",
        "bytes",
        "function",
    ]
    assert done.err.splitlines()[2].split()[3:] == ["1", "6", "fd_write"]
    done = tool("run", "--stats", "--trace", guest("create"))
    assert done.err.index("path_open(") < done.err.index("% time") and done.status == BADF


def ended(environment: dict[str, str], command: list[str], number: int) -> tuple[int, str]:
    full = [sys.executable, "-m", "wasi_native", "run", *command]
    read, write = os.pipe()
    pipe = subprocess.PIPE
    with subprocess.Popen(full, env=environment, stdin=read, stdout=pipe, stderr=pipe) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.readline() == b"begun\n"
            process.send_signal(number)
            status = process.wait(20)
            text = process.stderr.read().decode()
        finally:
            process.kill()
    os.close(read)
    os.close(write)
    return status, text


@pytest.mark.parametrize("name", ["busy", "waits"])
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals(environment: dict[str, str], guest: Guest, name: str, number: int, status: int) -> None:
    assert ended(environment, [guest(name)], number) == (status, "")


def test_exit_in_a_call(tool: Tool, guest: Guest) -> None:
    assert tool("run", "--invoke", "_start", guest("exit")).status == 3


def test_sigterm_removes_temporary_directories(
    environment: dict[str, str], guest: Guest, tmp_path: Path
) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "p.toml").write_text('[[dirs]]\nkind = "temporary"\nguest = "/t"\n')
    env = environment | {"TMPDIR": str(tmp_path / "tmp")}
    status, _text = ended(env, ["--policy", str(tmp_path / "p.toml"), guest("busy")], signal.SIGTERM)
    assert status == 143 and os.listdir(tmp_path / "tmp") == []


def test_a_broken_pipe_is_the_guests_to_see(environment: dict[str, str], guest: Guest) -> None:
    command = [sys.executable, "-m", "wasi_native", "run", guest("hello")]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, env=environment, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_closed_streams(environment: dict[str, str], guest: Guest) -> None:
    script = f"exec {sys.executable} -m wasi_native run --trace --stats {guest('hello')} <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", script], env=environment, check=False).returncode == 0


def test_the_cache_is_used(tool: Tool, guest: Guest, tmp_path: Path) -> None:
    env = {"WASI_NATIVE_CACHE": str(tmp_path / "cache")}
    tool("run", "--no-cache", guest("hello"), env=env)
    assert not (tmp_path / "cache").exists()
    assert tool("run", guest("hello"), env=env).out == "hello\n"
    kept = sorted(os.listdir(tmp_path / "cache"))
    assert [name[-4:] for name in kept] == ["code", ".sum"]
    assert tool("run", guest("hello"), env=env).out == "hello\n"
    assert sorted(os.listdir(tmp_path / "cache")) == kept
    code = tmp_path / "cache" / kept[0]
    code.write_bytes(code.read_bytes()[:-100] + bytes(100))
    assert tool("run", guest("hello"), env=env).out == "hello\n", "a damaged entry is built again"
    os.chmod(tmp_path / "cache", 0o777)
    assert tool("run", guest("hello"), env=env).out == "hello\n", "a cache that is refused costs time alone"


def test_called_from_python(guest: Guest, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from wasi_native.cli import main

    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["run", "--no-cache", guest("hello")])))
    thread.start()
    thread.join()
    assert codes == [0] and capfd.readouterr().out == "hello\n"


def test_a_closed_stdout_does_not_become_another_file(
    environment: dict[str, str], guest: Guest, tmp_path: Path
) -> None:
    script = f"exec {sys.executable} -m wasi_native run --trace=t.txt --dir . {guest('hello')} >&-"
    done = subprocess.run(["sh", "-c", script], env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert [line.partition("(")[0] for line in (tmp_path / "t.txt").read_text().splitlines()] == ["fd_write"]


@pytest.mark.parametrize("verb", ["run", "inspect"])
def test_a_module_from_a_pipe(tool: Tool, guest: Guest, verb: str) -> None:
    """It is read once: nobody looks at its first bytes and opens it again."""
    binary = encode(Path(guest("hello")).read_text())
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        assert cat.stdin is not None
        cat.stdin.write(binary)
        cat.stdin.close()
        done = tool(verb, "/dev/stdin", stdin=cat.stdout)
    assert done.status == 0 and ("hello" in done.out or "a program" in done.out)


def test_what_an_engine_says_of_text_is_several_lines(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "x.wat").write_text("(module\n  (func (i32.cons 1)))")
    done = tool("run", "x.wat")
    assert done.status == 126 and "\\n" not in done.err
    assert "\n      2 |   (func (i32.cons 1)))\n" in done.err, done.err
    assert "--> x.wat:2:10\n" in done.err
    (tmp_path / "y.wat").write_text("(component\n  (core module (func i32.add)))")
    done = tool("run", "y.wat")
    assert done.err.startswith("wasi-native: y.wat: the core module at byte 10: failed to compile")
    assert "\\n" not in done.err and "\n\n" not in done.err and "type mismatch: expected i32" in done.err

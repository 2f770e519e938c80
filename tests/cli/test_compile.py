"""``wasi-native compile``: from a module to a file that runs, and every way in which it does not come about."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import GUESTS
from tests.guests import aot as guests
from tests.programs import wabt
from wasi_native import Policy, aot, elf

Tool = Callable[..., Any]


@pytest.fixture
def compile(tool: Tool, tmp_path: Path) -> Callable[..., Any]:
    """Runs ``wasi-native compile`` with the wasm2c of the tests; hello.wat and the like are there."""
    for name in ("hello", "args", "loop", "library"):
        (tmp_path / f"{name}.wat").write_text(GUESTS[name])

    def call(*args: str, **more: Any) -> Any:
        env = {"WASI_NATIVE_WASM2C": str(wabt.wasm2c()), **more.pop("env", {})}
        return tool("compile", *args, env=env, **more)

    return call


def manifest(path: Path) -> aot.Manifest:
    return aot.read(path.name, path.read_bytes()).manifest


def unhurried(err: str) -> str:
    """What it said but for its progress, which it tells of each step that takes a second: a busy machine."""
    return re.sub(
        r"(?m)^wasi-native compile: hello\.wat: (translating|compiling|linking) .*, \d+ s\n", "", err
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_compiled_and_run(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    done = compile("hello.wat")
    assert (done.status, unhurried(done.err)) == (0, "")
    here, code = elf.here(), digest(tmp_path / "hello.wno")
    assert done.out.startswith("hello.wno: ") and f" for {here.arch} with {here.libc}, in " in done.out
    assert f"\nsha256 {code}\n" in done.out
    assert sorted(os.listdir(tmp_path)) == ["args.wat", "hello.wat", "hello.wno", "library.wat", "loop.wat"]
    ran = tool("run", "--allow-native", code, "hello.wno")
    assert (ran.status, ran.out, ran.err) == (0, "hello\n", "")
    assert tool("run", "--no-cache", "--allow-native", code.upper(), "hello.wno").out == "hello\n"
    args = compile("args.wat", "-o", "a.wno")
    assert args.status == 0
    ran = tool("run", "--allow-native", digest(tmp_path / "a.wno"), "a.wno", "one", "two")
    assert ran.out.rstrip("\0").split("\0") == ["a.wno", "one", "two"]


def test_never_silently(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    compile("hello.wat")
    ran = tool("run", "hello.wno")
    code = digest(tmp_path / "hello.wno")
    assert ran.status == 126 and ran.out == ""
    assert ran.err == (
        f"wasi-native: native: hello.wno is native code that is not allowed (SHA-256 {code}, not signed)\n"
        f"  if you trust it: --allow-native {code}, or [native] in a policy file\n"
    )


def test_the_lines_to_paste_are_right(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    out = compile("hello.wat").out
    (command,) = [line.strip() for line in out.splitlines() if line.strip().startswith("wasi-native run ")]
    assert tool(*command.split()[1:]).out == "hello\n"
    (line,) = [line.strip() for line in out.splitlines() if "[native]" in line]
    table, _, rest = line.partition("  ")
    (tmp_path / "policy.toml").write_text(f"{table}\n{rest.partition('   ')[0]}\n")
    assert Policy.from_toml(tmp_path / "policy.toml").native.files == (digest(tmp_path / "hello.wno"),)
    assert tool("run", "--policy", "policy.toml", "hello.wno").out == "hello\n"


def test_signed_and_run(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    compile("hello.wat")
    tool("sign", "--new-key", "release.pem")
    assert tool("run", "--allow-native", "release.pem.pub", "hello.wno").status == 126
    tool("sign", "--key", "release.pem", "hello.wno")
    assert tool("run", "--allow-native", "release.pem.pub", "hello.wno").out == "hello\n"
    assert "tampered" in tool("inspect", "hello.wno").out or "good" in tool("inspect", "hello.wno").out
    done = tool("run", "--allow-native", "release.pem", "hello.wno")
    assert done.status == 2 and "release.pem: this is a private key" in done.err
    done = tool("run", "--allow-native", "nothing", "hello.wno")
    assert (
        done.status == 2 and "write the 64 hex digits of a SHA-256, or the file of a public key" in done.err
    )


def test_the_same_bytes_each_time_and_nothing_of_this_machine(compile: Tool, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "hello.wat").write_text(GUESTS["hello"])
    compile("hello.wat", "-o", "one.wno")
    compile("sub/hello.wat", "-o", "sub/two.wno")
    one = (tmp_path / "one.wno").read_bytes()
    assert one == (tmp_path / "sub" / "two.wno").read_bytes()
    for strange in (str(tmp_path), str(Path.home()), "/tmp", "sub"):
        assert strange.encode() not in one, strange


def test_what_the_options_leave_in_the_manifest(compile: Tool, tmp_path: Path) -> None:
    done = compile("library.wat", "-o", "x.wno", "--no-interrupt", "--fuel", "--depth", "99", "--opt", "1")
    assert ", without interrupts, with fuel, depth 99, in " in done.out
    made = manifest(tmp_path / "x.wno")
    assert (made.interrupt, made.fuel, made.depth, made.bounds) == (False, True, 99, "explicit")
    assert "-O1" in made.flags and made.tools.keys() == {"wasm2c", "zig"} and all(made.tools.values())
    raw = guests.binary(GUESTS["library"])
    assert (made.module, made.sha256, made.size) == ("library.wat", hashlib.sha256(raw).hexdigest(), len(raw))
    assert made.imports == () and made.board == ""
    compile("hello.wat")
    made = manifest(tmp_path / "hello.wno")
    assert (made.interrupt, made.fuel, made.depth) == (True, False, 0)
    assert made.imports == ("wasi_snapshot_preview1",)


def test_a_binary_is_the_same_as_its_text(compile: Tool, tmp_path: Path) -> None:
    (tmp_path / "hello.wasm").write_bytes(guests.binary(GUESTS["hello"]))
    compile("hello.wasm", "-o", "binary.wno")
    compile("hello.wat", "-o", "text.wno")
    assert manifest(tmp_path / "binary.wno").sha256 == manifest(tmp_path / "text.wno").sha256


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--board", "raspberry-pi-zero-w"], ("armv6", "glibc", "hard", 32, "raspberry-pi-zero-w")),
        (["--board", "milkv-duo"], ("riscv64", "musl", "hard", 64, "milkv-duo")),
        (["--board", "generic-aarch64"], ("aarch64", "glibc", "", 64, "generic-aarch64")),
        (["--arch", "armv7", "--libc", "musl"], ("armv7", "musl", "hard", 32, "")),
        (["--arch", "i686"], ("i686", "glibc", "", 32, "")),
    ],
)
def test_boards(compile: Tool, tmp_path: Path, args: list[str], wanted: tuple[object, ...]) -> None:
    done = compile("hello.wat", *args)
    assert done.status == 0, done.err
    made = manifest(tmp_path / "hello.wno")
    assert (made.arch, made.libc, made.float_abi, made.pointer_bits, made.board) == wanted
    assert bool(made.isa) == bool(made.board)


def test_what_was_made_for_another_machine_says_so(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    arch = "riscv64" if elf.here().arch != "riscv64" else "aarch64"
    compile("hello.wat", "--arch", arch)
    ran = tool("run", "--allow-native", digest(tmp_path / "hello.wno"), "hello.wno")
    assert (
        ran.status == 126
        and f"hello.wno: compiled for {arch} (64 bits), this is {elf.here().arch}" in ran.err
    )
    assert f"runs here   no: compiled for {arch}" in tool("inspect", "hello.wno").out


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (
            ["--board", "raspberry-pi-3b-plus"],
            "--board raspberry-pi-3b-plus: it runs several systems; choose one: --arch ",
        ),
        (
            ["--board", "raspberry-pi-zero-w", "--arch", "aarch64"],
            "it runs no system with aarch64 and any; there is: --arch armv6 --libc glibc",
        ),
        (
            ["--board", "raspberry-pi-zero-w", "--libc", "musl"],
            "it runs no system with any and musl; there is: ",
        ),
        (["--opt", "s"], "--opt s: write 0, 1, 2 or 3"),
        (["--depth", "0"], "--depth 0: this is no count"),
        (["-o", "hello.wat"], "-o hello.wat: this is MODULE itself"),
        (["more.wasm"], "write one MODULE"),
        (["--bord", "x"], "there is no option --bord; did you mean --board?"),
    ],
)
def test_mistakes(compile: Tool, tmp_path: Path, args: list[str], text: str) -> None:
    done = compile("hello.wat", *args)
    assert done.status == 2 and text in done.err and "wasi-native compile --help" in done.err
    assert not (tmp_path / "hello.wno").exists()


def test_a_board_of_several_systems(compile: Tool, tmp_path: Path) -> None:
    done = compile("hello.wat", "--board", "raspberry-pi-3b-plus")
    choices = done.err.partition("choose one: ")[2].splitlines()[0].split(", ")
    assert len(choices) > 1
    for choice in choices:
        assert compile("hello.wat", "--board", "raspberry-pi-3b-plus", *choice.split()).status == 0
        arch, libc = choice.split()[1::2]
        made = manifest(tmp_path / "hello.wno")
        assert (made.arch, made.libc, made.board) == (arch, libc, "raspberry-pi-3b-plus")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["none.wasm"], "none.wasm: No such file"),
        (["bad.wasm"], "bad.wasm: "),
        (["empty.wasm"], "empty.wasm: "),
        (["bad.wat"], "bad.wat: "),
        (["component.wasm"], "component"),
        (["simd.wat"], "simd"),
        (["hello.wat", "--board", "raspberry-pi-zero"], "unknown board 'raspberry-pi-zero' (did you mean"),
        (["hello.wat", "--board", "luckfox-pico", "--libc", "uclibc"], "no target armv7-uclibc"),
        (["hello.wat", "--arch", "mipsel"], "no target mipsel-glibc"),
        (["hello.wat", "--wasm2c", "none/wasm2c"], "there is no program none/wasm2c"),
        (["hello.wat", "--compiler", "none/cc"], "there is no compiler none/cc"),
        (["hello.wat", "--compiler", "/bin/false"], "failed with exit code 1"),
    ],
)
def test_what_cannot_be_compiled(compile: Tool, tmp_path: Path, args: list[str], text: str) -> None:
    """One clear complaint, and the file that was there before is there still."""
    (tmp_path / "bad.wasm").write_bytes(b"\0asm\1\0\0\0\xff")
    (tmp_path / "empty.wasm").write_bytes(b"")
    (tmp_path / "bad.wat").write_text("(module (func (i32.add)))")
    (tmp_path / "component.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    (tmp_path / "simd.wat").write_text('(module (func (export "f") (drop (v128.const i32x4 1 2 3 4))))')
    (tmp_path / "out.wno").write_bytes(b"before")
    before = sorted(os.listdir(tmp_path))
    done = compile(*args, "-o", "out.wno")
    assert done.status == 1 and text in done.err and done.err.startswith(f"wasi-native compile: {args[0]}: ")
    assert (tmp_path / "out.wno").read_bytes() == b"before" and sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(("name", "text"), [("/dev/null", "no regular file"), ("none/x.wno", "No such file")])
def test_where_nothing_can_be_written(compile: Tool, name: str, text: str) -> None:
    done = compile("hello.wat", "-o", name)
    assert done.status == 1 and f"{name}: " in done.err and text in done.err
    assert not os.path.isfile("/dev/null")


def test_a_compiler_of_the_system(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    system = shutil.which("gcc") or shutil.which("cc")
    assert system, "the core itself was built with one"
    assert compile("hello.wat", "--compiler", system).status == 0
    assert manifest(tmp_path / "hello.wno").tools.keys() == {"wasm2c", Path(system).name}
    assert tool("run", "--allow-native", digest(tmp_path / "hello.wno"), "hello.wno").out == "hello\n"


def slow(folder: Path, seconds: float) -> str:
    """A compiler that takes its time."""
    script = folder / "slow-cc"
    script.write_text(f'#!/bin/sh\n[ "$1" = --version ] || sleep {seconds}\nexec cc "$@"\n')
    script.chmod(0o755)
    return str(script)


def test_progress_when_it_takes_long(compile: Tool, tmp_path: Path) -> None:
    done = compile("hello.wat", "--compiler", slow(tmp_path, 1.3))
    assert done.status == 0
    assert re.search(r"(?m)^wasi-native compile: hello\.wat: compiling .*, \d+ s$", done.err)
    assert unhurried(done.err) == unhurried(compile("hello.wat").err) == ""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_stopped_in_the_middle(environment: dict[str, str], tmp_path: Path, number: int, status: int) -> None:
    """No file, no scratch, no compiler left at work."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "hello.wat").write_text(GUESTS["hello"])
    (tmp_path / "hello.wno").write_bytes(b"before")
    compiler = slow(tmp_path, 47)
    env = {**environment, "WASI_NATIVE_WASM2C": str(wabt.wasm2c()), "TMPDIR": str(tmp_path / "scratch")}
    command = [sys.executable, "-m", "wasi_native", "compile", "hello.wat", "--compiler", compiler]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        # It says so when a compiler has run for a second.
        assert any("compiling" in line for line in child.stderr)
        child.send_signal(number)
        rest = child.stderr.read()
        assert child.wait(timeout=20) == status, rest
    assert "Traceback" not in rest
    assert os.listdir(tmp_path / "scratch") == [] and (tmp_path / "hello.wno").read_bytes() == b"before"
    assert sorted(os.listdir(tmp_path)) == ["hello.wat", "hello.wno", "scratch", "slow-cc"]
    end = time.monotonic() + 20
    while at_work(compiler) and time.monotonic() < end:
        time.sleep(0.05)
    assert at_work(compiler) == []


def at_work(word: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if word.encode() in line and int(entry.name) != os.getpid():
                found.append(line.decode(errors="replace"))
    return found


def test_limits_of_what_was_compiled(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    compile("loop.wat", "--fuel")
    code = digest(tmp_path / "loop.wno")
    done = tool("run", "--timeout", "0.2", "--allow-native", code, "loop.wno")
    assert done.status == 124 and "ended by the limit wall_time" in done.err
    done = tool("run", "--fuel", "1000", "--allow-native", code, "loop.wno")
    assert done.status == 137 and "ended by the limit fuel of 1000" in done.err
    compile("loop.wat")
    done = tool("run", "--fuel", "1000", "--allow-native", digest(tmp_path / "loop.wno"), "loop.wno")
    assert done.status == 126 and "wasi-native compile --fuel" in done.err


COMPONENT = """(component
  (core module $Owner (memory (export "memory") 1) (func (export "run") (result i32) (i32.const 0)))
  (core instance $owner (instantiate $Owner))
  (core module $User (import "o" "memory" (memory 1)) (func (export "add") (param i32 i32) (result i32)
    (i32.store (i32.const 0) (i32.add (local.get 0) (local.get 1))) (i32.load (i32.const 0))))
  (core instance $user (instantiate $User (with "o" (instance $owner))))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $user "add")))
  (func $run (result (result)) (canon lift (core func $owner "run")))
  (instance $cli (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $cli)))"""


def test_a_component(compile: Tool, tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "c.wasm").write_bytes(guests.binary(COMPONENT))
    done = compile("c.wasm", "--opt", "0")
    assert done.status == 0, done.err
    code = digest(tmp_path / "c.wno")
    ran = tool("run", "--engine", "wasm2c", "--allow-native", code, "--invoke", "add", "c.wno", "40", "2")
    assert (ran.status, ran.out) == (0, "42\n"), ran.err
    assert tool("run", "--engine", "wasm2c", "--allow-native", code, "c.wno").status == 0
    assert tool("run", "c.wno").status == 126
    told = [" ".join(line.split()) for line in tool("inspect", "c.wno").out.splitlines()]
    assert "imports of nothing" in told and "exports wasi:cli/run@0.2.0, add" in told
    assert any(line.startswith("core modules 2, compiled: 2; without code: ") for line in told)
    assert (
        any(line.startswith("component c.wasm, ") for line in told) and "interface version 2, 64 bits" in told
    )


def test_what_of_a_component_cannot_be_compiled(compile: Tool, tmp_path: Path) -> None:
    wide = COMPONENT.replace("(component", "(component (core module $Wide (func (param v128)))", 1)
    for wat, why in (
        ("(component)", "c.wat: this component has no core module: there is nothing to compile"),
        (wide, "c.wat, core module 1 of 3: needs simd128, which wasm2c code does not offer"),
    ):
        (tmp_path / "c.wat").write_text(wat)
        done = compile("c.wat")
        assert done.status == 1 and why in done.err and not (tmp_path / "c.wno").exists()

"""aot_build.py: compiled for each kind of board, the same bytes each time, and one clear error when it fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.engine.seam import run
from tests.guests import aot, build
from tests.house.tree import ROOT
from tests.programs import wabt
from wasi_native import AotError, _core, aot_build
from wasi_native.aot_build import Options, Target, build_library
from wasi_native.host import native

SMALL = """(module (import "env" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1)
  (func (export "go") (param i32 f64) (result i32) (loop $l (br_if $l (call $f (local.get 0))))
    (i32.trunc_sat_f64_s (f64.nearest (f64.sqrt (local.get 1))))))"""

# What readelf says of the file, and of its attributes.
TARGETS = {
    "x86_64-glibc": ("Advanced Micro Devices X86-64", ""),
    "x86_64-musl": ("Advanced Micro Devices X86-64", ""),
    "i686-glibc": ("Intel 80386", ""),
    "aarch64-glibc": ("AArch64", ""),
    "armv7-glibc": ("ARM", "CPU_arch: v7 .*VFPv3-D16"),
    "armv6-glibc": ("ARM", "CPU_arch: v6 .*VFPv2"),
    "armv6-musl": ("ARM", "CPU_arch: v6 .*VFPv2"),
    "riscv64-glibc": ("RISC-V", ""),
}
# Of the C libraries alone; glibc has the divisions of i386 since its first version.
SYMBOLS = {"setjmp", "_setjmp", "longjmp", "memcpy", "memmove", "memset", "memcmp"}
SYMBOLS |= {"__tls_get_addr", "___tls_get_addr", "__udivdi3", "__umoddi3", "__divdi3", "__moddi3"}
_MATH = ("floor", "ceil", "trunc", "nearbyint", "rint", "sqrt", "roundeven")
SYMBOLS |= {f"{name}{kind}" for name in _MATH for kind in ("", "f")}


def target(name: str) -> Target:
    return Target(*name.split("-"))


def test_the_interface_has_two_versions() -> None:
    """They are written where code is compiled, where it is put into the file, and where the file is read."""
    header = (ROOT / "include" / "wasi_native" / "aot.h").read_text()
    numbers = re.findall(r"^#define WN_AOT_ABI\w* (\d+)u$", header, flags=re.M)
    assert tuple(map(int, numbers)) == (aot_build.ABI, aot_build.ABI_SHARED) == native.ABIS


@pytest.mark.parametrize("name", TARGETS)
def test_a_library_for_each_kind_of_board(name: str) -> None:
    machine, attributes = TARGETS[name]
    path = aot.library(build.guest("tour"), target=target(name))
    text = aot.readelf(path, "-h", "-d", "-W", "-l", "-A")
    assert re.search(rf"Machine: +{re.escape(machine)}\n", text)
    assert re.search(attributes, text.replace("\n", " ")) and "NEON" not in text
    assert "RUNPATH" not in text and "RPATH" not in text and "TEXTREL" not in text
    assert re.search(r"GNU_STACK.* RW ", text)
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", text))
    assert all(re.match(r"(libc|libm|ld-linux|ld64-|ld-musl)", item) for item in needed), needed
    symbols = aot.readelf(path, "--dyn-syms", "-W")
    assert set(re.findall(r" UND (\w+)", symbols)) <= SYMBOLS
    assert re.findall(r" (?:OBJECT|FUNC) +GLOBAL +\w+ +\d+ (\w+)", symbols) == ["wn_aot_guest"]
    floor = {"riscv64-glibc": (2, 31)}.get(name, (2, 17))
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"@GLIBC_([\d.]+)", symbols)}
    assert all(version[:2] <= floor for version in versions), versions


def test_the_same_input_gives_the_same_bytes() -> None:
    wasm = aot.binary(SMALL)
    options = Options(wasm2c=str(wabt.wasm2c()))
    first, second = (build_library(wasm, Target.native(), options) for _ in range(2))
    assert first == second
    assert b"/tmp" not in first and str(Path.home()).encode() not in first


@pytest.mark.parametrize("compiler", ["cc", "zig"])
@pytest.mark.parametrize("optimize", [0, 3])
def test_compilers_and_levels(compiler: str, optimize: int, tmp_path: Path) -> None:
    options = Options(compiler=compiler, optimize=optimize, wasm2c=str(wabt.wasm2c()))
    library = build_library(aot.binary(SMALL), Target.native(), options)
    (tmp_path / "g.so").write_bytes(library)
    module = _core.Engine("wasm2c").restore(os.fspath(tmp_path / "g.so"))
    calls = iter([1, 1, 0])
    instance = _core.Instance(module, _core.Sys({}), [("env", "f", "i", "i", lambda _: next(calls), 0)])
    assert run(instance, "go", 5, 30.0, kinds="iF")[2] == [5]
    assert library.tools and library.flags


def test_one_large_module_in_several_files(tmp_path: Path) -> None:
    functions = "".join(
        f"(func $f{n} (param i32) (result i32) {'(i32.add ' * 60}(local.get 0){' (i32.const 1))' * 60})"
        for n in range(2500)
    )
    calls = "(local.set 0 (call $f7 (local.get 0))) (local.set 0 (call $f2499 (local.get 0)))"
    wasm = aot.binary(
        f'(module {functions} (func (export "go") (param i32) (result i32) {calls} (local.get 0)))'
    )
    assert len(wasm) > 2 * aot_build.SPLIT
    path = aot.library(wasm, Options(optimize=0, wasm2c=str(wabt.npm())))
    instance = _core.Instance(_core.Engine("wasm2c").restore(os.fspath(path)), _core.Sys({}))
    assert run(instance, "go", 1)[2] == [121]


# ---- what goes wrong ----


def test_wrong_targets_and_options() -> None:
    for arch, libc in (("mips", "glibc"), ("armv6", "uclibc"), ("", "")):
        with pytest.raises(AotError, match=f"no target {arch}-{libc}: there are x86_64, i686"):
            Target(arch, libc)
    for wrong in ({"optimize": 4}, {"call_depth": -1}, {"call_depth": 1 << 31}):
        with pytest.raises(AotError, match="optimize is 0 to 3"):
            Options(**wrong)
    assert Target("armv7").name == "armv7-glibc"


def test_without_wasm2c(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AotError, match=r"needs wasm2c of wabt: run  apt-get install wabt"):
        build_library(aot.binary("(module)"), Target.native())
    monkeypatch.setenv("WASI_NATIVE_WASM2C", "/none/wasm2c")
    with pytest.raises(AotError, match="there is no program /none/wasm2c: run"):
        build_library(aot.binary("(module)"), Target.native())
    monkeypatch.setenv("WASI_NATIVE_WASM2C", sys.executable)  # a program, but another one
    with pytest.raises(AotError, match="is no wasm2c: it says the version 'Python"):
        build_library(aot.binary("(module)"), Target.native())


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wasm2c = str(wabt.wasm2c())
    with pytest.raises(AotError, match="there is no compiler /none/cc"):
        build_library(aot.binary("(module)"), Target.native(), Options(wasm2c=wasm2c, compiler="/none/cc"))
    monkeypatch.setattr(aot_build.importlib.util, "find_spec", lambda name: None)
    assert build_library(aot.binary("(module)"), Target.native(), Options(wasm2c=wasm2c))[:4] == b"\x7fELF"
    other = Target("riscv64" if Target.native().arch != "riscv64" else "aarch64")
    with pytest.raises(
        AotError, match=rf"compiling for {other.name} needs zig: run .* -m pip install ziglang"
    ):
        build_library(aot.binary("(module)"), other, Options(wasm2c=wasm2c))


def script(path: Path, body: str) -> str:
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{textwrap.dedent(body)}")
    path.chmod(0o755)
    return str(path)


def test_a_compiler_that_fails(tmp_path: Path) -> None:
    bad = script(tmp_path / "cc", "print('guest.c:1: error: too bad', file=sys.stderr); sys.exit(3)")
    options = Options(wasm2c=str(wabt.wasm2c()), compiler=bad)
    with pytest.raises(AotError) as caught:
        build_library(aot.binary("(module)"), Target.native(), options, name="plugin.wasm")
    text = str(caught.value)
    assert text.startswith("plugin.wasm: compiling ") and text.endswith(
        "exit code 3:\n  guest.c:1: error: too bad"
    )
    killed = script(tmp_path / "cc", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(AotError, match=r"failed with signal 9$"):
        build_library(
            aot.binary("(module)"), Target.native(), Options(wasm2c=options.wasm2c, compiler=killed)
        )


def test_a_module_that_wasm2c_refuses() -> None:
    invalid = aot.binary('(module (func (export "f") (result i32) (i32.const 1)))').replace(
        b"\x41\x01", b"\x01\x01"
    )
    with pytest.raises(
        AotError, match=r"(?s)bad.wasm: translating to C failed with exit code 1:.*type mismatch"
    ):
        build_library(invalid, Target.native(), Options(wasm2c=str(wabt.wasm2c())), name="bad.wasm")


def test_constant_expressions_that_are_extended() -> None:
    """What tools put into modules that share a memory: places behind a base that is imported."""
    wat = aot.binary("""(module (import "e" "base" (global $base i32)) (import "e" "m" (memory 1))
      (global i32 (i32.add (global.get $base) (i32.const 8)))
      (data (i32.add (global.get $base) (i32.const 4)) "x"))""")
    with pytest.raises(AotError, match="needs extended constant expressions, which wasm2c reads from wabt"):
        build_library(wat, Target.native(), Options(wasm2c=str(wabt.debian())))
    assert build_library(wat, Target.native(), Options(wasm2c=str(wabt.npm()), optimize=0)).abi == 2


def test_a_frame_that_is_too_large() -> None:
    count = 5000
    body = "(call $f) " * count + "i64.add " * (count - 1)
    wat = f'(module (import "e" "f" (func $f (result i64))) (func (export "go") (result i64) {body}))'
    with pytest.raises(
        AotError, match=r"a function of the module needs \d+ bytes of stack; 32768 are allowed"
    ):
        build_library(aot.binary(wat), Target.native(), Options(optimize=0, wasm2c=str(wabt.wasm2c())))


# ---- while it works ----


def test_progress_of_what_takes_long(tmp_path: Path) -> None:
    slow = script(
        tmp_path / "wasm2c",
        f"""
        import os
        if "--version" not in sys.argv: time.sleep(1.2)
        os.execv({str(wabt.wasm2c())!r}, ["wasm2c", *sys.argv[1:]])
        """,
    )
    lines: list[str] = []
    build_library(
        aot.binary("(module)"), Target.native(), Options(wasm2c=slow), progress=lines.append, name="p.wasm"
    )
    (line,) = (line for line in lines if "translating" in line)
    assert re.fullmatch(r"p\.wasm: translating to C, \d+ s", line)


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C: the programs at work are gone, with their children, and so is the folder."""
    slow = script(
        tmp_path / "wasm2c",
        f"""
        if "--version" in sys.argv: print("1.0.32"); sys.exit()
        import os, subprocess
        child = subprocess.Popen(["sleep", "1000"])
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}\\n")
        child.wait()
        """,
    )
    code = f"""
        from wasi_native.aot_build import *
        build_library(b"\\0asm\\1\\0\\0\\0", Target.native(), Options(wasm2c={slow!r}))
        """
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        pids = tmp_path / "pids"
        while not (pids.exists() and pids.read_text().endswith("\n")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in err and list(scratch.iterdir()) == []
    end = time.monotonic() + 20
    while (left := [pid for pid in pids.read_text().split() if runs(pid)]) and time.monotonic() < end:
        time.sleep(0.01)
    assert left == []


def runs(pid: str) -> bool:
    """Also no zombie, which waits for init to take it away."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False

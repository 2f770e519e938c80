"""The tool that builds the wheels of every machine: what it builds, and that it refuses what fails on a board."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.house.tree import CORE, INCLUDE, PACKAGE
from wasi_native.board import Board
from wasi_native.wheels import __main__ as command
from wasi_native.wheels import build as building
from wasi_native.wheels.check import audited, faults, musl_symbols, objects
from wasi_native.wheels.pack import archive
from wasi_native.wheels.targets import TARGETS, Target, chosen

BY_TAG = {target.tag: target for target in TARGETS}
ARMV6, ARMV7 = BY_TAG["linux_armv6l"], BY_TAG["manylinux_2_17_armv7l"]
X86, AARCH64, MUSL = (
    BY_TAG[tag] for tag in ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "musllinux_1_2_x86_64")
)
SOURCE = """
#include <stdlib.h>
long PyInit__core(const char *text, float *a, float *b) {
  for (int i = 0; i < 64; i++) a[i] += b[i];
  return strtol(text, 0, 10);
}
"""


def zig(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ziglang", "cc", *arguments], capture_output=True, text=True)


# ---- targets ----


def test_the_list_is_what_the_boards_need(capsys: pytest.CaptureFixture[str]) -> None:
    released = [target.tag for target in TARGETS if not target.for_tests]
    assert released == [
        "manylinux_2_17_x86_64",
        "manylinux_2_17_aarch64",
        "manylinux_2_17_armv7l",
        "linux_armv6l",
        "manylinux_2_31_riscv64",
        "musllinux_1_2_x86_64",
        "musllinux_1_2_aarch64",
        "musllinux_1_2_armv7l",
        "musllinux_1_2_riscv64",
    ]
    assert command.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(BY_TAG)


def test_targets_by_name() -> None:
    assert [target.tag for target in chosen([])] == [t.tag for t in TARGETS if not t.for_tests]
    assert chosen(["linux_armv6l", "armv6"]) == [ARMV6]
    assert [target.tag for target in chosen(["i686"])] == ["manylinux_2_17_i686"]
    assert len(chosen(["musl"])) == 4
    with pytest.raises(
        ValueError, match=r"no wheel is built for 'sparc'; there are: manylinux_2_17_x86_64, "
    ):
        chosen(["sparc"])
    with pytest.raises(SystemExit):
        command.main(["--target", "sparc"])


@pytest.mark.parametrize("name", [*Board.list(), *sorted(f"generic-{t.arch}" for t in [X86, AARCH64])])
def test_each_board_has_a_wheel_or_says_why_not(name: str) -> None:
    for userland in Board.load(name).userlands:
        built = [BY_TAG[tag] for tag in userland.wheel_tags if tag in BY_TAG and not BY_TAG[tag].for_tests]
        assert len(built) == len(userland.wheel_tags), f"{userland.wheel_tags}: not all of them are built"
        assert bool(built) != bool(userland.no_wheel), f"{name} {userland.arch} {userland.libc}"
        for target in built:
            # musl loads a library for glibc, and pip has one name for both on armv6
            assert target.libc == userland.libc or target.tag == "linux_armv6l"
            assert {"armv7l": "armv7", "armv6l": "armv6"}.get(target.arch, target.arch) == userland.arch
        assert ("wasmtime" in userland.engines) <= all(target.wasmtime for target in built)


# ---- headers, metadata and archive ----


@pytest.mark.parametrize("tag", ["manylinux_2_17_i686", "manylinux_2_17_x86_64", "musllinux_1_2_armv7l"])
def test_pyconfig_takes_sizes_from_the_compiler(tag: str, tmp_path: Path) -> None:
    source = tmp_path / "sizes.c"
    types = {"LONG": "long", "SIZE_T": "size_t", "VOID_P": "void *", "WCHAR_T": "wchar_t", "SHORT": "short"}
    checks = "".join(f'_Static_assert(SIZEOF_{name} == sizeof({c}), "{c}");\n' for name, c in types.items())
    source.write_text(f"#include <Python.h>\n{checks}int PyInit(PyObject *o) {{ return o == Py_None; }}\n")
    include = f"-I{building.headers(tmp_path)}"
    flags = [*BY_TAG[tag].compiler, include, "-Wall", "-c", str(source), "-o", str(tmp_path / "sizes.o")]
    done = zig("-DPy_LIMITED_API=0x030B0000", *flags)
    assert (done.returncode, done.stderr) == (0, "")
    done = zig(*flags)
    assert done.returncode and "they serve extensions of the stable ABI" in done.stderr


def test_a_big_endian_processor_is_refused() -> None:
    flags = ["-std=c11", f"-I{INCLUDE}", f"-I{PACKAGE}", "-fsyntax-only", str(CORE / "mem" / "mem.c")]
    done = zig("-target", "powerpc-linux-musleabi", *flags)
    assert done.returncode and "big-endian" in done.stderr


def test_no_engine_is_asked_for_where_none_runs() -> None:
    marker = 'platform_machine == "x86_64" or platform_machine == "aarch64"'
    text = f"Name: x\nRequires-Dist: wasmtime<51,>=40; {marker}\nRequires-Dist: tomli\nProvides-Extra: test\n"
    assert building.requirements(text, ARMV7) == "Name: x\nRequires-Dist: tomli\nProvides-Extra: test\n"
    assert building.requirements(text, AARCH64) == text.replace(f"; {marker}", "")
    assert [target.arch for target in TARGETS if target.wasmtime] == ["x86_64", "aarch64"] * 2


def test_an_archive_is_read_by_others_and_always_the_same(tmp_path: Path) -> None:
    files = [
        ("a/b.txt", b"words " * 9000, 0o644),
        ("empty", b"", 0o644),
        ("run.so", bytes(range(256)), 0o755),
    ]
    first = archive(files, 1_000_000_001, tmp_path / "out" / "one.zip").read_bytes()
    assert archive(files, 1_000_000_001, tmp_path / "out" / "one.zip").read_bytes() == first
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one.zip"]
    with zipfile.ZipFile(tmp_path / "out" / "one.zip") as read:
        assert read.testzip() is None
        assert [(i.filename, read.read(i), i.external_attr >> 16) for i in read.infolist()] == [
            (name, data, 0o100000 | mode) for name, data, mode in files
        ]
        assert {i.date_time for i in read.infolist()} == {(2001, 9, 9, 1, 46, 40)}
        assert read.infolist()[0].compress_size < len(zlib.compress(files[0][1], 9))


def test_code_of_armv7_is_thumb_and_its_link_is_not(tmp_path: Path) -> None:
    env = building.environment(ARMV7, tmp_path)
    assert env["CC"].endswith("+thumb_mode") and "thumb" not in env["LDSHARED"] and "-Oz" in env["WN_OPT"]
    env = building.environment(ARMV6, tmp_path)
    assert "thumb" not in env["CC"] and "-Oz" in env["WN_OPT"]
    assert building.environment(X86, tmp_path)["WN_OPT"] == ""


# ---- what is refused ----

Make = Callable[..., list[str]]


@pytest.fixture
def check(tmp_path: Path) -> Make:
    """The faults of a small wheel that is fine but for what the test asks for."""

    def make(
        target: Target,
        *flags: str,
        source: str = SOURCE,
        tag: str = "",
        compiler: tuple[str, ...] = (),
        patch: tuple[str, ...] = (),
    ) -> list[str]:
        code, library, compiled = (tmp_path / f"small.{end}" for end in ("c", "so", "o"))
        code.write_text(source)
        done = zig(*(compiler or target.compiler), "-O3", "-fPIC", "-w", "-c", str(code), "-o", str(compiled))
        assert done.returncode == 0, done.stderr
        linker = target.compiler if not compiler or target.arch.startswith("armv") else compiler
        done = zig(*linker, "-s", "-shared", str(compiled), *flags, "-o", str(library))
        assert done.returncode == 0, done.stderr
        if target.libc == "musl":
            patch = ("--replace-needed", "libc.so", target.soname)
        if patch:
            subprocess.run([building.tool("patchelf"), *patch, str(library)], check=True)
        return faults(packed(tmp_path, target, library.read_bytes(), tag), target)

    return make


def packed(tmp_path: Path, target: Target, library: bytes, tag: str = "", needs: str = "") -> Path:
    folder = tmp_path / "unpacked"
    info = folder / "wasi_native-1.0.dist-info"
    for place in (info, folder / "wasi_native"):
        place.mkdir(parents=True, exist_ok=True)
    (folder / "wasi_native" / "_core.abi3.so").write_bytes(library)
    needs = needs or ("Requires-Dist: wasmtime\n" if target.wasmtime else "")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: wasi_native\nVersion: 1.0\n{needs}")
    (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: cp311-abi3-{tag or target.tag}\n")
    (info / "RECORD").touch()
    return building.repack(folder, tmp_path / f"wasi_native-1.0-cp311-abi3-{tag or target.tag}.whl")


@pytest.mark.parametrize("target", [X86, AARCH64, ARMV7, ARMV6, MUSL], ids=lambda target: target.tag)
def test_a_small_wheel_is_fine(check: Make, target: Target) -> None:
    assert check(target) == []


def test_code_for_a_newer_arm(check: Make, tmp_path: Path) -> None:
    neon = ("-target", ARMV7.zig, "-mcpu=cortex_a7")
    said = check(ARMV7, compiler=neon)
    assert any("uses NEON" in line for line in said) and any("floating-point unit" in line for line in said)


def test_code_for_a_newer_arm_behind_the_first_object(tmp_path: Path) -> None:
    """The linker keeps the attributes of the first object alone."""
    for name, compiler in (("a", ARMV6.compiler), ("b", ARMV7.compiler)):
        (tmp_path / "small.c").write_text(SOURCE)
        done = zig(*compiler, "-O3", "-c", str(tmp_path / "small.c"), "-o", str(tmp_path / f"{name}.o"))
        assert done.returncode == 0, done.stderr
    said = objects(tmp_path, ARMV6)
    assert said and all(line.startswith("b.o: ") for line in said) and "architecture 10" in said[0]
    assert objects(tmp_path, X86) == []


def test_more_registers_than_every_armv7_has(check: Make) -> None:
    (said,) = check(ARMV7, compiler=("-target", ARMV7.zig, "-mcpu=generic+v7a+vfp3d16-neon"))
    assert "floating-point unit 3" in said


def test_armv7_for_armv6(check: Make) -> None:
    said = check(ARMV6, compiler=ARMV7.compiler)
    assert any("architecture 10 of ARM, too new" in line for line in said)
    assert any("Thumb-2" in line for line in said)


def test_another_processor(check: Make) -> None:
    said = check(AARCH64, compiler=X86.compiler)
    assert "the code is for EM_X86_64 of 64 bits, not EM_AARCH64 of 64" in said


def test_a_search_path(check: Make) -> None:
    assert check(X86, "-Wl,-rpath,/opt/lib") == ["it carries a search path: /opt/lib"]


def test_a_symbol_that_the_floor_lacks(check: Make) -> None:
    source = SOURCE + "int pipe2(int *, int); int late(int *p) { return pipe2(p, 0); }"
    assert check(X86, source=source) == []
    older = replace(X86, floor=(2, 8))
    assert check(older, source=source) == ["pipe2 is of GLIBC_2.9, the tag promises 2.8"]


def test_a_symbol_that_nobody_has(check: Make) -> None:
    source = SOURCE + "int nobody(void); int late(void) { return nobody(); }"
    said = check(ARMV6, "-Wl,-z,undefs", source=source)
    assert said == ["nothing says where nobody comes from"]


def test_a_symbol_that_musl_may_lack(check: Make) -> None:
    source = (
        SOURCE
        + "long preadv2(int, void *, int, long, int); long late(void) { return preadv2(0, 0, 0, 0, 0); }"
    )
    assert check(MUSL, source=source) == ["musl 1.2.3 may lack preadv2: see musl.txt"]
    assert {"memcpy", "__clock_gettime64"} <= musl_symbols()


def test_a_symbol_of_glibc_alone_in_the_wheel_for_armv6(check: Make) -> None:
    """The tag has no C library in it, so musl gets that wheel as well."""
    source = SOURCE + "unsigned long long gnu_dev_makedev(int, int);"
    source += "int late(int *p) { return gnu_dev_makedev(p[0], p[1]) > 5; }"
    assert check(ARMV7, source=source) == []
    said = ["musl may lack gnu_dev_makedev: pip has one tag for both C libraries on ARMv6"]
    assert check(ARMV6, source=source) == said


def test_segments_for_small_pages_alone(check: Make) -> None:
    said = check(AARCH64, "-Wl,-z,max-page-size=4096")
    assert said and set(said) == {"a segment is aligned to 4096, pages may have 16384"}


def test_a_wheel_that_grew(check: Make, tmp_path: Path) -> None:
    assert check(ARMV6) == []
    wheel = next(tmp_path.glob("*.whl"))
    wheel.write_bytes(bytes(ARMV6.size + 1 - wheel.stat().st_size) + wheel.read_bytes())
    assert faults(wheel, ARMV6) == [f"it has {ARMV6.size + 1} bytes, {ARMV6.size} are allowed"]
    assert {t.size for t in TARGETS if t.arch == "armv7l"} == {500_000}
    assert max(t.size for t in TARGETS) <= 600_000


def test_an_executable_stack(check: Make) -> None:
    assert check(X86, patch=("--set-execstack",)) == ["it asks for an executable stack"]


def test_libraries_that_boards_lack(check: Make, tmp_path: Path) -> None:
    other = tmp_path / "libother.so"
    (tmp_path / "other.c").write_text("int other(void) { return 1; }")
    assert zig(*X86.compiler, "-shared", str(tmp_path / "other.c"), "-o", str(other)).returncode == 0
    source = SOURCE + "int other(void); int late(void) { return other(); }"
    said = check(X86, str(other), source=source)
    assert any(re.match(r"it needs .*libother\.so", line) for line in said)


def test_a_wrong_name(check: Make) -> None:
    said = check(ARMV6, tag="linux_armv7l")
    assert any("its name is" in line for line in said)
    assert "its tags are ['cp311-abi3-linux_armv7l'], not cp311-abi3-linux_armv6l" in said


def test_a_wheel_that_asks_for_an_engine_or_was_changed(check: Make, tmp_path: Path) -> None:
    assert check(ARMV6) == []
    library = (tmp_path / "unpacked" / "wasi_native" / "_core.abi3.so").read_bytes()
    second = tmp_path / "second"
    wheel = packed(second, ARMV6, library, needs="Requires-Dist: wasmtime<51\n")
    assert faults(wheel, ARMV6) == ["it asks for wasmtime, which has no engine for armv6l"]
    record = next((second / "unpacked").glob("*.dist-info/RECORD"))
    changed = record.read_text()
    (second / "unpacked" / "wasi_native" / "more.py").write_text("")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.write(second / "unpacked" / "wasi_native" / "more.py", "wasi_native/more.py")
    assert "RECORD lacks wasi_native/more.py" in faults(wheel, ARMV6)
    assert "more.py" not in changed


# ---- the real one ----


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheels")
    return building.build(ARMV6, out, tmp_path_factory.mktemp("scratch"))


def test_the_wheel_of_the_smallest_board(wheel: Path) -> None:
    print(f"{wheel.name}: {wheel.stat().st_size} bytes")
    assert wheel.name.endswith("-cp311-abi3-linux_armv6l.whl")
    assert faults(wheel, ARMV6) == [] and audited(wheel, ARMV6) == []
    assert "the code is for architecture 6 of ARM" not in faults(wheel, ARMV7)  # newer machines run it
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if "/wheels/" in name or "/core/" in name]
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        assert "wasmtime" not in re.sub(r"(?s)\n\n.*", "", archive.read(metadata).decode())


def test_the_same_sources_give_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    again = building.build(ARMV6, tmp_path / "out", tmp_path / "scratch")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


@pytest.mark.parametrize(
    "platform", ["linux_armv6l", "linux_armv7l", "manylinux_2_31_armv7l", "linux_x86_64"]
)
def test_pip_takes_it_where_it_runs(wheel: Path, tmp_path: Path, platform: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-index",
        "--only-binary=:all:",
    ]
    command += ["--find-links", str(wheel.parent), "--dest", str(tmp_path), "--python-version", "3.13"]
    done = subprocess.run([*command, "--platform", platform, "wasi_native"], capture_output=True, text=True)
    assert (done.returncode == 0) == (platform == "linux_armv6l"), done.stderr


def test_what_cannot_be_built_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "ROOT", tmp_path)
    with pytest.raises(building.BuildError, match=r"holds no setup\.py: run this in a checkout"):
        building.build(ARMV6, tmp_path / "out", tmp_path / "scratch")
    with pytest.raises(building.BuildError, match=r"nosuchtool is not installed; python -m pip install -e"):
        building.tool("nosuchtool")
    with pytest.raises(building.BuildError, match=r"ended with 3:\nout"):
        building.run([sys.executable, "-c", "print('out'); raise SystemExit(3)"])

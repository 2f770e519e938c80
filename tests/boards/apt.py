"""Debian packages for other machines than this one: lists and archives of our own, unpacked without root rights.

The mirror is the one that this machine's apt is set up with; nothing of the system's apt is written.
"""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path

from tests.boards.cache import BoardError, home
from tests.guests.build import GuestBuildError, locked, run_tool

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = ("bookworm", "amd64")  # the lists that know source packages as well


def need(*tools: str) -> None:
    """Say what is missing, before the first step that needs it."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise BoardError(
            f"the roots are made of Debian's packages, and this system has no {', '.join(missing)}:"
            f" prepare them on Debian, or point WASI_NATIVE_BOARDS to a folder where they are prepared"
        )


@functools.cache
def mirror() -> str:
    """Where this machine's apt gets Debian from."""
    need("apt-get", "dpkg-deb")
    told = os.environ.get("WASI_NATIVE_DEBIAN_MIRROR")
    if told:
        return told
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    lines = run_tool(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines()
    for line in lines:
        uri, release, component = (*line.split(), "", "", "")[:3]
        if release in ("bookworm", "trixie", "forky", "sid", "stable") and component == "main":
            return uri
    raise BoardError(
        "this machine's apt has no source of Debian itself: name a mirror in WASI_NATIVE_DEBIAN_MIRROR"
    )


@functools.cache
def state(suite: str, architecture: str) -> dict[str, str]:
    """The environment of an apt with lists of its own for one release and machine, updated once."""
    uri = mirror()
    if not KEYRING.is_file():
        raise BoardError(f"{KEYRING} is missing: install Debian's package debian-archive-keyring")
    folder = home() / "apt" / f"{suite}-{architecture}"
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    kinds = ["deb", "deb-src"] if (suite, architecture) == SOURCES else ["deb"]
    lines = [f"{kind} [arch={architecture} signed-by={KEYRING}] {uri} {suite} main\n" for kind in kinds]
    (folder / "sources.list").write_text("".join(lines))
    settings = {
        "APT::Architecture": architecture,
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::State": str(folder),
        "Dir::State::lists": str(folder / "lists"),
        "Dir::State::status": str(folder / "status"),
        "Dir::Cache": str(folder),
        "Dir::Cache::archives": str(folder / "archives"),
        "Dir::Etc::sourcelist": str(folder / "sources.list"),
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
    }
    text = [f'{name} "{value}";\n' for name, value in settings.items()]
    (folder / "apt.conf").write_text("".join([*text, f'APT::Architectures {{ "{architecture}"; }};\n']))
    env = {"APT_CONFIG": str(folder / "apt.conf")}
    with locked(f"apt-{suite}-{architecture}", home()):
        _run(["apt-get", "-q", "update"], env, f"the lists of {suite} for {architecture}")
    return env


def _run(command: list[str], env: dict[str, str], what: str, cwd: Path | None = None) -> str:
    try:
        return run_tool(command, cwd=cwd, env=env)
    except GuestBuildError as error:
        raise BoardError(f"cannot get {what} from {mirror()}:\n{error}") from None


def unpack(suite: str, architecture: str, packages: tuple[str, ...], part: Path, alone: bool = False) -> None:
    """Put the files of the packages into the folder ``part``, and of all that they depend on but for ``alone``."""
    debs = part.parent / "debs"
    (debs / "partial").mkdir(parents=True, exist_ok=True)
    what = f"{', '.join(packages)} for {architecture}"
    if alone:
        _run(["apt-get", "-q", "download", *packages], state(suite, architecture), what, debs)
    else:
        command = [
            "apt-get",
            "-qy",
            "--no-install-recommends",
            "--download-only",
            f"-oDir::Cache::archives={debs}",
        ]
        _run([*command, "install", *packages], state(suite, architecture), what)
    for deb in sorted(debs.glob("*.deb")):
        run_tool(["dpkg-deb", "-x", str(deb), str(part)])
        deb.unlink()


def source(package: str, folder: Path) -> Path:
    """The source package of bookworm, unpacked in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "-q", "source", "--download-only", package]
    _run(command, state(*SOURCES), f"the source of {package}", folder)
    (archive,) = folder.glob("*.orig.tar.*[z2]")
    run_tool(["tar", "-xf", str(archive)], cwd=folder)
    (found,) = (path for path in folder.iterdir() if path.is_dir())
    return found

"""The emulated boards: what each one is made of."""

from __future__ import annotations

from dataclasses import dataclass

V7 = "-mcpu=generic+v7a+vfp3d16-neon-d32"  # Debian's armhf: no NEON, sixteen registers
V6 = "-mcpu=arm1176jzf_s"


@dataclass(frozen=True)
class Root:
    """One board: a Python for its machine, and how this machine runs it."""

    name: str
    machine: str  # what uname says there
    libc: str
    zig: tuple[str, ...]  # target and processor of what is compiled for it
    wheel: str  # the platform in the name of its wheel
    debian: tuple[str, str]  # release and architecture of the packages that it is made of
    emulator: str = ""  # qemu-..., "" runs as it is
    cpu: str = ""  # of the emulator
    loader: str = ""  # its dynamic linker, below the root
    long: bool = False  # in the long set alone

    @property
    def python(self) -> str:
        """The version of its Python."""
        return "3.13" if self.libc == "glibc" and self.debian[0] == "trixie" else "3.11"

    @property
    def built(self) -> bool:
        """Whether its Python is built here: Debian has none on musl."""
        return self.libc == "musl"

    @property
    def triplet(self) -> str:
        """The target without the version of its libc: arm-linux-musleabihf."""
        return self.zig[0].partition(".")[0]


def _glibc(name: str, zig: tuple[str, ...], wheel: str, debian: tuple[str, str], **more: str) -> Root:
    return Root(name, more.pop("machine", name), "glibc", zig, wheel, debian, **more)  # type: ignore[arg-type]


def _musl(name: str, machine: str, zig: tuple[str, ...], wheel: str, debian: str, **more: str) -> Root:
    release = "trixie" if debian == "riscv64" else "bookworm"
    long = name not in ("armv6l", "musl")
    return Root(name, machine, "musl", zig, wheel, (release, debian), long=long, **more)  # type: ignore[arg-type]


_ALL = (
    _glibc(
        "i386",
        ("x86-linux-gnu.2.17",),
        "manylinux_2_17_i686",
        ("bookworm", "i386"),
        machine="i686",
        loader="lib/ld-linux.so.2",
    ),
    _glibc(
        "aarch64",
        ("aarch64-linux-gnu.2.17",),
        "manylinux_2_17_aarch64",
        ("bookworm", "arm64"),
        emulator="aarch64",
    ),
    _glibc(
        "armv7l",
        ("arm-linux-gnueabihf.2.17", V7),
        "manylinux_2_17_armv7l",
        ("bookworm", "armhf"),
        emulator="arm",
        cpu="cortex-a7",
    ),
    _glibc(
        "riscv64",
        ("riscv64-linux-gnu.2.31",),
        "manylinux_2_31_riscv64",
        ("trixie", "riscv64"),
        emulator="riscv64",
    ),
    _musl(
        "armv6l",
        "armv6l",
        ("arm-linux-musleabihf", V6),
        "linux_armv6l",
        "armhf",
        emulator="arm",
        cpu="arm1176",
        loader="lib/ld-musl-armhf.so.1",
    ),
    _musl(
        "musl",
        "x86_64",
        ("x86_64-linux-musl",),
        "musllinux_1_2_x86_64",
        "amd64",
        loader="lib/ld-musl-x86_64.so.1",
    ),
    _musl(
        "musl-aarch64",
        "aarch64",
        ("aarch64-linux-musl",),
        "musllinux_1_2_aarch64",
        "arm64",
        emulator="aarch64",
        loader="lib/ld-musl-aarch64.so.1",
    ),
    _musl(
        "musl-armv7l",
        "armv7l",
        ("arm-linux-musleabihf", V7),
        "musllinux_1_2_armv7l",
        "armhf",
        emulator="arm",
        cpu="cortex-a7",
        loader="lib/ld-musl-armhf.so.1",
    ),
    _musl(
        "musl-riscv64",
        "riscv64",
        ("riscv64-linux-musl",),
        "musllinux_1_2_riscv64",
        "riscv64",
        emulator="riscv64",
        loader="lib/ld-musl-riscv64.so.1",
    ),
)
ROOTS = {root.name: root for root in _ALL}

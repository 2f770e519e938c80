"""The wheels: for which machines, and what each must be like."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TARGETS", "Target", "chosen"]

_V7 = "generic+v7a+vfp3d16-neon-d32"  # the least that systems for ARMv7 ask for: no NEON, sixteen registers
_V6 = "arm1176jzf_s"  # Raspberry Pi 1 and Zero

_SIZES = {
    "manylinux_2_17_x86_64": 600_000,
    "manylinux_2_17_aarch64": 584_000,
    "manylinux_2_17_armv7l": 500_000,
    "linux_armv6l": 523_000,
    "manylinux_2_31_riscv64": 550_000,
    "musllinux_1_2_x86_64": 600_000,
    "musllinux_1_2_aarch64": 584_000,
    "musllinux_1_2_armv7l": 500_000,
    "musllinux_1_2_riscv64": 550_000,
    "manylinux_2_17_i686": 554_000,
}


@dataclass(frozen=True)
class Target:
    """One wheel. ``tag`` is the platform in its name, ``floor`` the oldest C library that it runs on."""

    tag: str
    arch: str  # as pip has it
    libc: str
    floor: tuple[int, int]
    zig: str  # what the compiler calls the machine
    cpu: str = ""
    for_tests: bool = False  # not built unless it is named

    @property
    def size(self) -> int:
        """How many bytes the wheel may have: 3 % more than it had, so that one that grows is seen."""
        return _SIZES[self.tag]

    @property
    def compiler(self) -> tuple[str, ...]:
        """The arguments of ``zig cc`` that select the machine."""
        return ("-target", self.zig, *([f"-mcpu={self.cpu}"] if self.cpu else []))

    @property
    def lto(self) -> str:
        """How the whole program is optimised at once. Code made at the link forgets the processor's features: on ARM
        it says, and may use, others than were asked for."""
        return "full" if self.wasmtime else ""

    @property
    def thumb(self) -> bool:
        """Whether it is code of 16 and 32 bits, a quarter smaller; ARMv6 has only half of it."""
        return self.arch == "armv7l"

    @property
    def optimised(self) -> str:
        """What setup.py is told: to make it small at any price, where flash and caches are small. -Oz by way of
        -Xclang, since zig takes it for -Os."""
        return "-Os -Xclang -Oz" if self.arch.startswith("armv") else ""

    @property
    def wasmtime(self) -> bool:
        """Whether the PyPI package wasmtime has an engine for it; elsewhere it installs and then fails."""
        return self.arch in ("x86_64", "aarch64")

    @property
    def soname(self) -> str:
        """The name under which the C library is needed."""
        return "libc.so.6" if self.libc == "glibc" else f"libc.musl-{self.arch.rstrip('l')}.so.1"


def _glibc(arch: str, minor: int, zig: str, cpu: str = "", tag: str = "", **more: bool) -> Target:
    return Target(
        tag or f"manylinux_2_{minor}_{arch}", arch, "glibc", (2, minor), f"{zig}.2.{minor}", cpu, **more
    )


def _musl(arch: str, zig: str, cpu: str = "") -> Target:
    return Target(f"musllinux_1_2_{arch}", arch, "musl", (1, 2), zig, cpu)


TARGETS = (
    _glibc("x86_64", 17, "x86_64-linux-gnu"),
    _glibc("aarch64", 17, "aarch64-linux-gnu"),
    _glibc("armv7l", 17, "arm-linux-gnueabihf", _V7),
    _glibc("armv6l", 17, "arm-linux-gnueabihf", _V6, "linux_armv6l"),  # pip takes no other tag there
    _glibc("riscv64", 31, "riscv64-linux-gnu"),
    _musl("x86_64", "x86_64-linux-musl"),
    _musl("aarch64", "aarch64-linux-musl"),
    _musl("armv7l", "arm-linux-musleabihf", _V7),
    _musl("riscv64", "riscv64-linux-musl"),
    _glibc("i686", 17, "x86-linux-gnu", for_tests=True),
)


def chosen(names: list[str]) -> list[Target]:
    """The targets whose tag is, or else holds, one of the names; without names, all that are released."""
    if not names:
        return [target for target in TARGETS if not target.for_tests]
    found: list[Target] = []
    for name in names:
        fitting = [t for t in TARGETS if t.tag == name] or [t for t in TARGETS if name in t.tag]
        if not fitting:
            raise ValueError(
                f"no wheel is built for {name!r}; there are: {', '.join(t.tag for t in TARGETS)}"
            )
        found += [target for target in fitting if target not in found]
    return found

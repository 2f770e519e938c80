"""A build for ARMv7 ends by an illegal instruction on the board for ARMv6: so what runs there is one for ARMv6."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.boards.cache import BoardError
from tests.boards.launch import command, emulator, environment
from tests.boards.roots import V6, V7, Root
from tests.guests.build import run_tool

NEON = "-mcpu=cortex_a7"
PROGRAM = """
float a[64], b[64];
void _start(void) {
  for (int i = 0; i < 64; i++) a[i] = b[i] * 2.5f + 1.0f;
  register int code __asm__("r0") = a[63] == 1.0f ? 0 : 1;
  register int number __asm__("r7") = 1;
  __asm__ volatile("svc #0" : : "r"(code), "r"(number), "r"(0x12345678));
}
"""


def _ends(root: Root, version: str, cpu: str, folder: Path) -> int:
    """The exit code of a program that is compiled for ``cpu``."""
    source, out = folder / "program.c", folder / f"program{cpu}"
    source.write_text(PROGRAM)
    compiler = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        root.triplet,
        cpu,
        "-O2",
        "-nostdlib",
        "-static",
    ]
    compiler += [
        "-ffreestanding",
        "-fno-sanitize=undefined",
    ]  # without a libc, which would have to be built first
    run_tool([*compiler, str(source), "-o", str(out)])
    run = [str(emulator(root, version)), "-cpu", root.cpu, str(out)]
    return subprocess.run(run, capture_output=True, check=False, cwd=folder).returncode


def _imports(root: Root, version: str, wheel: Path, folder: Path) -> int:
    """The exit code of the board's Python when it imports what a wheel holds."""
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    run = [*command(root, version), "-c", "import wasi_native._core"]
    return subprocess.run(
        run, env=environment(root, site), capture_output=True, check=False, cwd=folder
    ).returncode


def shown(root: Root, version: str, wheels: Path) -> str:
    """What was seen, in a line; BoardError when it is otherwise."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        found = {cpu: _ends(root, version, cpu, folder) for cpu in (V6, V7, NEON)}
        wanted = {V6: 0, V7: -signal.SIGILL, NEON: -signal.SIGILL}
        for wheel in sorted(wheels.glob("*armv[67]l*.whl")):
            if "musl" not in wheel.name:
                found[wheel.name] = _imports(root, version, wheel, folder)
                wanted[wheel.name] = -signal.SIGILL if "armv7l" in wheel.name else 0
    if found != wanted:
        raise BoardError(f"{root.name}: exit codes {found}, not {wanted}")
    ended = [name for name, code in found.items() if code]
    return f"{root.name}: ended by SIGILL on {root.cpu}: {', '.join(ended)}"

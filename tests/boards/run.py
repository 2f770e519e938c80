"""Run the tests on the boards: what is installed there is the wheel, what runs it the board's own Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.boards import armv6
from tests.boards.builder import serving
from tests.boards.cache import home
from tests.boards.install import Installed, install, pytest_folder, staged, unopened_folder, wasm3_folder
from tests.boards.launch import environment, wrapper
from tests.boards.prepare import say
from tests.boards.roots import ROOTS, V6, Root

# Rooms of the core, preview 1, engines, WASI 0.2, and the groups P A T M N W B of the attacks.
ATTACKS = (
    "p_paths",
    "a_rights",
    "t_table",
    "m_engines",
    "m_memory",
    "m_pointers",
    "n_numbers",
    "w_time",
    "b_blocking",
)
# Of 0.2: its rows, where they touch times, addresses and memories of 32 bits; the canonical ABI at the seam, and
# whole components.
ROWS = (
    "p2",
    "direct",
    "codec",
    "io",
    "io_streams",
    "clocks",
    "random",
    "cli",
    "filesystem_stat",
    "sockets_udp",
)
CANON = ("call", "canon_func", "host", "lifted", "resource", "side", "types")
ENGINES = ("engine", "fake", "siblings", "ticker", "trap", "wasm2c", "wasm3", "wasm3_store", "wasmtime")
SHORT = (
    *(
        "tests/boards/on_board.py",
        "tests/boards/on_programs.py",
        "tests/mem",
        "tests/os",
        "tests/sys",
        "tests/p1",
    ),
    *(f"tests/engine/test_{name}.py" for name in ENGINES),
    *(f"tests/p2/test_{name}.py" for name in ROWS),
    *(f"tests/comp/test_{name}.py" for name in CANON),
    *("tests/component/test_script.py", "tests/test_core_values.py"),
    *(f"tests/attacks/test_{name}.py" for name in ATTACKS),
)
BY_CTYPES = ("tests/test_core_values.py",)  # which Pythons that are built here have not
PATHS = ("tests/boards/on_board.py",)
PATHS += tuple(f"tests/{room}/test_{name}.py" for room in ("sys", "p1") for name in ("path", "path_open"))
RESOLVERS = {"10": "emulated", "7": "ENOSYS"}


@dataclass
class Result:
    """One run: a row of the table."""

    root: Root
    qemu: str  # version, or "" where none runs
    resolver: str
    counts: dict[str, Any] = field(default_factory=dict)
    installed: Installed | None = None
    output: str = ""

    @property
    def passed(self) -> bool:
        """Whether all that ran passed, and something did."""
        return bool(self.counts.get("passed")) and not self.counts["failed"] and not self.counts["error"]

    def row(self) -> list[str]:
        """For the table."""
        engines = ", ".join(
            f"{name} {count}" for name, count in sorted(self.counts.get("engines", {}).items())
        )
        numbers = [
            str(self.counts.get(name, "-"))
            for name in ("passed", "failed", "error", "skipped", "seconds", "cpu_seconds")
        ]
        words = [
            self.root.name,
            self.root.python,
            self.root.libc,
            self.qemu or "none",
            f"openat2 {self.resolver}",
        ]
        return [*words, engines, *numbers]

    def record(self) -> dict[str, Any]:
        """For the README, whose tables are made of what was measured last."""
        root = self.root
        about = {"root": root.name, "machine": root.machine, "libc": root.libc, "python": root.python}
        about |= {"wheel": root.wheel, "cpu": root.cpu, "qemu": self.qemu, "openat2": self.resolver}
        return about | self.counts


HEAD = [
    "root",
    "python",
    "libc",
    "qemu",
    "kernel",
    "engines",
    "passed",
    "failed",
    "errors",
    "skipped",
    "s",
    "cpu s",
]


def table(results: list[Result]) -> str:
    """What ran where."""
    rows = [HEAD, *(result.row() for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def run(
    root: Root,
    version: str,
    site: Path,
    stage: Path,
    engines: str,
    tests: tuple[str, ...],
    part: str,
    half: str,
) -> Result:
    """The tests on one board."""
    result = Result(root, version if root.emulator else "", RESOLVERS[version] if root.emulator else "native")
    scratch = home() / "run" / f"{root.name}-{version}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    engine = wasm3_folder(root)
    env = environment(root, site, engine, pytest_folder(), stage)
    env["BOARD_ENGINES"] = str(engine)
    env |= {
        "BOARD_RESULT": str(scratch / "result.json"),
        "BOARD_PART": part,
        "BOARD_HALF": half,
        "BOARD_QEMU": result.qemu,
    }
    env |= {"BOARD_NAME": root.name, "BOARD_WHEEL": root.wheel}
    if unopened_folder(root).is_dir():
        env["BOARD_UNOPENED"] = str(unopened_folder(root))
    if "wasmtime" not in engines:
        env["WASI_NATIVE_NO_WASMTIME"] = "1"
    env |= {"WASI_NATIVE_TEST_ENGINES": engines, "WASI_NATIVE_CACHE": str(scratch / "cache")}
    words = ["-m", "pytest", "-q", "--tb=short", "-p", "tests.boards.plugin", "-p", "no:cacheprovider"]
    words += ["-o", "faulthandler_timeout=300", f"--basetemp={scratch / 'tmp'}", *tests]
    output = scratch / "output"
    with serving(root) as builder, open(output, "wb") as file:
        subprocess.run(
            [str(wrapper(root, version)), *words],
            cwd=stage,
            env={**env, "WASI_NATIVE_BUILDER": builder},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    result.output = output.read_text(errors="replace")
    if (scratch / "result.json").is_file():
        result.counts = json.loads((scratch / "result.json").read_text())
    else:
        result.counts = {"passed": 0, "failed": 0, "error": 1, "skipped": 0}
    shutil.rmtree(scratch / "tmp", ignore_errors=True)
    last = result.output.strip().splitlines()[-1:] or ["nothing"]
    say(f"{root.name}, qemu {result.qemu or 'none'}: {last[0]}")
    return result


def board(
    root: Root,
    versions: tuple[str, ...],
    wheels: Path,
    stage: Path,
    long: bool,
    each: bool,
    tests: list[str],
) -> list[Result]:
    """Install and run on one board, with each emulator: all of it under the first, the paths under others."""
    start = time.monotonic()
    installed = install(root, versions[0], wheels)
    brought = f", with {', '.join(installed.brought)}" if installed.brought else ", alone"
    say(f"{root.name}: installed by its pip{brought}, {time.monotonic() - start:.1f} s; {installed.refused}")
    if V6 in root.zig:
        say(armv6.shown(root, versions[0], wheels))
    number = list(ROOTS).index(root.name)
    part = "" if long else str(number)
    half = "" if long or each or not root.emulator else str((number - 1) // 2 % 2)
    engines = ",".join(
        ["fake", *(["wasmtime"] if (installed.site / "wasmtime").is_dir() else []), "wasm2c", "wasm3"]
    )
    results = []
    for version in versions if root.emulator else versions[:1]:
        chosen = tuple(tests) or (SHORT if version == versions[0] or long else PATHS)
        chosen = tuple(name for name in chosen if not (root.built and name in BY_CTYPES))
        results.append(
            run(
                root,
                version,
                installed.site,
                stage,
                engines,
                chosen,
                part,
                half if version == versions[0] else "",
            )
        )
        results[-1].installed = installed
    return results


def run_all(
    roots: list[Root],
    versions: tuple[str, ...],
    wheels: Path,
    long: bool,
    each: bool,
    tests: list[str],
    jobs: int,
) -> list[Result]:
    """Every board, some at a time; then the table, and what failed."""
    pytest_folder()
    stage = staged()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        slow_first = sorted(roots, key=lambda root: not root.emulator)
        waiting = {
            root.name: pool.submit(board, root, versions, wheels, stage, long, each, tests)
            for root in slow_first
        }
        results = [result for root in roots for result in waiting[root.name].result()]
    for result in results:
        if not result.passed:
            say(f"\n==== {result.root.name}, qemu {result.qemu or 'none'} ====\n{result.output}")
    reasons = {
        line for result in results for line in result.output.splitlines() if line.startswith("SKIPPED")
    }
    say("\n".join(["", *sorted(reasons), "", table(results)]))
    return results

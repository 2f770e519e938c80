"""What a board needs in memory: of Python, the package, a host, an instance, an open file; and the tests in a limit.

Figures are of roots that run as they are, i386 and musl: under an emulator a process is the emulator.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.boards.builder import answer, serving
from tests.boards.cache import BoardError, home
from tests.boards.install import install, pytest_folder, staged, wasm3_folder, wheel
from tests.boards.launch import command, environment, wrapper
from tests.boards.prepare import say
from tests.boards.roots import Root
from tests.boards.run import SHORT
from tests.guests import aot
from tests.guests.driver import driver_wat

PROBE = Path(__file__).with_name("probe.py")
ROUNDS = 3
LIMITS = (32, 24)
# In a limit each file is run in a process of its own: what pytest keeps of others would be counted.
CGROUPS = (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max"))


def native(roots: list[Root]) -> list[Root]:
    """Those whose figures mean something."""
    found = [root for root in roots if not root.emulator]
    if not found:
        raise BoardError("memory is measured on roots that run as they are: i386, musl")
    return found


def probe(root: Root, engine: str) -> dict[str, float]:
    """The medians of some rounds of ``probe.py``, KiB."""
    module = answer(root, {"kind": "wat", "text": driver_wat()})
    library = ""
    if engine == "wasm2c":
        arch = {"i686": "i686"}.get(root.machine, root.machine)
        module = aot.program(module, aot.Target(arch, root.libc))
    else:
        library = str(wasm3_folder(root) / "wasm3.so")
    digest = hashlib.sha256(module.read_bytes()).hexdigest()
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            words = [str(PROBE), engine, library, str(module), digest, folder]
            env = environment(root, home() / "site" / root.name)
            done = subprocess.run(
                [*command(root), *words], env=env, capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise BoardError(f"{root.name}, {engine}: {done.stderr.strip()[-2000:]}")
        rounds.append(json.loads(done.stdout))
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def _join(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def limiter(megabytes: int) -> tuple[str, Callable[[], None], Callable[[], None]]:
    """What limits a process to so much: its name, what the process does first, what is done at the end. A memory
    cgroup, which counts what is in memory; without the rights for one the data of the process."""
    for top, knob in CGROUPS:
        group = Path(top) / f"wasi-native-{os.getpid()}"
        try:
            group.mkdir()
            (group / knob).write_text(str(megabytes << 20))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        return "cgroup", functools.partial(_join, group), group.rmdir
    size = megabytes << 20
    return "RLIMIT_DATA", lambda: resource.setrlimit(resource.RLIMIT_DATA, (size, size)), lambda: None


def limited(root: Root, megabytes: int) -> dict[str, Any]:
    """The short set of one board in a limit."""
    stage, scratch = staged(), home() / "run" / f"{root.name}-{megabytes}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    env = environment(root, home() / "site" / root.name, wasm3_folder(root), pytest_folder(), stage)
    env |= {"BOARD_ENGINES": str(wasm3_folder(root)), "BOARD_NAME": root.name, "BOARD_WHEEL": root.wheel}
    env |= {"WASI_NATIVE_TEST_ENGINES": "fake,wasm2c", "BOARD_PART": "0", "BOARD_QEMU": ""}
    env |= {"WASI_NATIVE_CACHE": str(scratch / "cache"), "BOARD_RESULT": str(scratch / "result.json")}
    words = ["-m", "pytest", "-v", "--tb=short", "-p", "tests.boards.plugin", "-p", "no:cacheprovider"]
    found: dict[str, Any] = {"MiB": megabytes, "passed": 0, "failed": [], "skipped": 0}
    places = [stage / name for name in SHORT]
    paths = [file for place in places for file in (sorted(place.glob("test_*.py")) or [place])]
    files = [str(file.relative_to(stage)) for file in paths]
    kind, enter, leave = limiter(megabytes)
    found["by"] = kind
    with serving(root) as builder:
        for file in files:
            (scratch / "result.json").unlink(missing_ok=True)
            done = subprocess.run(
                [str(wrapper(root, "10")), *words, f"--basetemp={scratch / 'tmp'}", file],
                cwd=stage,
                env={**env, "WASI_NATIVE_BUILDER": builder},
                capture_output=True,
                check=False,
                preexec_fn=enter,
            )
            try:
                counts = json.loads((scratch / "result.json").read_text())
            except OSError:
                counts = {"passed": 0, "failed": 1, "error": 0, "skipped": 0}
            found["passed"] += counts["passed"]
            found["skipped"] += counts["skipped"]
            fine = (0, 5)  # 5: no case of it is for here
            if done.returncode not in fine or counts["failed"] or counts["error"]:
                told = done.stdout.decode(errors="replace")
                names = re.findall(r"^(?:FAILED|ERROR) (\S+)", told, re.MULTILINE)
                found["failed"] += names or re.findall(r"^(\S+::\S+)", told, re.MULTILINE)[-1:] or [file]
                (scratch / file.replace("/", "-")).write_bytes(done.stdout + done.stderr)
    leave()
    shutil.rmtree(scratch / "tmp", ignore_errors=True)
    return found


def measure(roots: list[Root], wheels: Path, limits: tuple[int, ...] = LIMITS) -> list[dict[str, Any]]:
    """All of it, for the README."""
    results = []
    for root in native(roots):
        install(root, "10", wheels)
        row: dict[str, Any] = {"root": root.name, "machine": root.machine, "libc": root.libc}
        row["wheel_bytes"] = wheel(root, wheels).stat().st_size
        for engine in ("wasm2c", "wasm3"):
            row[engine] = probe(root, engine)
            say(f"{root.name}, {engine}: KiB {row[engine]}")
        row["limits"] = []
        for megabytes in limits:
            row["limits"].append(limited(root, megabytes))
            say(f"{root.name}: {row['limits'][-1]}")
        results.append(row)
    return results

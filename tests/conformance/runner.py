"""Run one case of the suite in a process of its own and judge it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.engine.libraries import library
from tests.guests import aot

from .suite import Case

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Host:
    """How the product is called."""

    command: Sequence[str] = (sys.executable, "-m", "wasi_native")
    engine: str | None = None
    resolver: str = "auto"
    timeout: float = 30.0

    def argv(self, case: Case, root: Path | None) -> list[str]:
        """The command line of one case."""
        argv = [*self.command, "run"]
        if self.engine:
            argv += ["--engine", self.engine.partition("-")[0]]
        if root is not None:
            argv += ["--dir", f"{root}::/"]
        for name, value in case.env.items():
            argv += ["--env", f"{name}={value}"]
        if self.engine != "wasm2c":
            return [*argv, str(case.wasm), *case.args]
        file = aot.program(case.wasm, level=0)
        allow = hashlib.sha256(file.read_bytes()).hexdigest()
        return [*argv, "--allow-native", allow, str(file), *case.args]

    def environment(self) -> dict[str, str]:
        """The environment of the host process: ours, with the repository importable, the resolver and the engine."""
        search = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        made = {**os.environ, "PYTHONPATH": os.pathsep.join(search), "WASI_NATIVE_RESOLVER": self.resolver}
        if self.engine in ("wasm3", "wasm3-old", "wasm_c_api"):
            made.setdefault("WASI_NATIVE_ENGINE_PATH", library(self.engine) or "")
        return made


@dataclass(frozen=True)
class Verdict:
    """What came out. ``reason`` is empty for a case that passed."""

    name: str
    reason: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.reason


def run_case(case: Case, host: Host) -> Verdict:
    """Run ``case`` in a fresh copy of its directory."""
    start = time.monotonic()
    if case.unsupported:
        return Verdict(case.name, f"not judged here: {case.unsupported}", 0.0)
    with tempfile.TemporaryDirectory(prefix="wasi-conformance-") as scratch:
        root: Path | None = None
        if case.root is not None:
            root = Path(scratch) / "root"
            shutil.copytree(case.root, root, symlinks=True, ignore=shutil.ignore_patterns("*.cleanup"))
        reason = _judge(case, host, root)
    return Verdict(case.name, reason, time.monotonic() - start)


def _judge(case: Case, host: Host, root: Path | None) -> str:
    argv = host.argv(case, root)
    with subprocess.Popen(
        argv,
        env=host.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            stdout, stderr = process.communicate(case.stdin.encode(), timeout=host.timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            return _said(f"no end after {host.timeout:g} s", stdout, stderr)
    if process.returncode != case.exit_code:
        return _said(f"exit code {process.returncode}, expected {case.exit_code}", stdout, stderr)
    for name, data in (("stdout", stdout), ("stderr", stderr)):
        if name in case.output and data != case.output[name].encode():
            return _said(f"{name} is {data!r}, expected {case.output[name].encode()!r}", stdout, stderr)
    return ""


def _said(reason: str, stdout: bytes, stderr: bytes) -> str:
    for name, data in (("stdout", stdout), ("stderr", stderr)):
        text = data.decode(errors="replace").strip()
        if text:
            reason += f"\n{name}: " + text[-2000:].replace("\n", "\n  ")
    return reason

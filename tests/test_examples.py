"""Every example runs as it stands, and says what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"

SAYS = {
    "capture": ["exit code 0, stdout b'Hello from WebAssembly\\n', stderr b''", "23 bytes written"],
    "host_function": ["the plugin answered 12", "it logged ['Hello, World']"],
    "many": ["[0, 2, 4, 6, 8, 10, 12, 14]", "a task that is cancelled ends its guest: cancelled"],
    "plugin": ["granted: this directory, read-only"],
    "policy_file": ["dir '/data': host 'FOLDER/data', read-only", "limit memory: 1 MiB", "granted by a file"],
    "tcp_echo": ["there and back", "the server ended with 0"],
    "timeout": [
        "an endless loop: ended by its deadline",
        "it is never resumed: make a new instance",
        "an hour of sleep: cancelled by another thread",
    ],
}


def python(*args: str | Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.run(
        [sys.executable, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_an_example_says_what_it_promises(name: str) -> None:
    done = python(EXAMPLES / f"{name}.py")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in SAYS[name]:
        assert line in done.stdout.splitlines()


def test_hello_from_the_command_line() -> None:
    done = python("-m", "wasi_native", "run", EXAMPLES / "hello.wat")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Hello from WebAssembly\n", "")


def test_a_plugin_without_its_file_ends_with_the_errno(tmp_path: Path) -> None:
    assert python(EXAMPLES / "plugin.py", tmp_path).returncode == 44  # noent


def test_every_text_module_is_used() -> None:
    texts = "".join(path.read_text() for path in [*EXAMPLES.glob("*.py"), Path(__file__)])
    assert [path.name for path in EXAMPLES.glob("*.wat") if path.name not in texts] == []

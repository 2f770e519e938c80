"""The rooms of the core called directly by C programs: what neither a guest nor Python can bring about.

Built like the rest of a run: with ``WN_COV=1`` their lines count for the coverage, and under the sanitizers they
are watched as the extension is.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.house.tree import C_FLAGS, ROOT, c_sources, compiler, relative, run
from wasi_native import engines

HERE = Path(__file__).parent


def flags() -> list[str]:
    if os.environ.get("WN_COV"):
        return ["-g", "-O0", "--coverage", "-fprofile-update=atomic"]
    if os.environ.get("WASI_NATIVE_SANITIZED"):
        return ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return ["-O1"]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The core, one object per file."""
    out = ROOT / "build" / "rooms" if os.environ.get("WN_COV") else tmp_path_factory.mktemp("rooms")
    out.mkdir(parents=True, exist_ok=True)

    def make(path: Path) -> str:
        made = str(out / (relative(path).replace("/", "_") + ".o"))
        done = run([compiler("gcc", "cc"), *C_FLAGS, *flags(), "-c", relative(path), "-o", made], cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(make, c_sources()))


@pytest.mark.parametrize("room", sorted(path.stem for path in HERE.glob("*.c")))
def test_a_room(room: str, objects: list[str], tmp_path: Path) -> None:
    program = tmp_path / room
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = [
        compiler("gcc", "cc"),
        *C_FLAGS,
        f"-I{HERE}",
        *flags(),
        *warnings,
        str(HERE / f"{room}.c"),
        *objects,
    ]
    done = run([*command, "-o", str(program), "-ldl", "-lpthread"])
    assert done.returncode == 0, done.stderr
    library = engines.find("wasmtime")
    assert library.path, library.reason
    work = tmp_path / "work"
    work.mkdir()
    done = run([str(program), *([library.path] if room == "engine" else [])], cwd=work)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")

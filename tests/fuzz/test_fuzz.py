"""The fuzz targets build and find nothing: a second of random inputs here, minutes with --long or .ci/fuzz."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.fuzz import components
from tests.house.tree import C_FLAGS, c_sources, compiler, run

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The core as one object, for all targets."""
    made = str(tmp_path_factory.mktemp("core") / "core.o")
    done = run([compiler(), *C_FLAGS, "-O1", "-r", "-nostdlib", *map(str, c_sources()), "-o", made])
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.parametrize("target", sorted(path.stem for path in HERE.glob("*.c") if path.stem != "driver"))
def test_random_inputs_find_nothing(target: str, core: str, tmp_path: Path, long: bool) -> None:
    program = tmp_path / target
    sources = [str(HERE / f"{target}.c"), str(HERE / "driver.c")]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    command = [compiler(), *C_FLAGS, f"-I{HERE}", "-O1", *warnings, *sources, core, "-o", str(program)]
    done = run([*command, "-ldl", "-lpthread"])
    assert done.returncode == 0, done.stderr
    seconds, seed = ("60", "2") if long else ("1", "1")
    done = run([str(program), seconds, seed], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 0
    print(f"{target}: {done.stdout.strip()}")


def test_mutated_components_find_nothing(tmp_path: Path, long: bool) -> None:
    seconds, seed = ("60", "2") if long else ("1", "1")
    done = run([sys.executable, "-m", "tests.fuzz.components", seconds, seed, "--out", str(tmp_path)])
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[1].split()[0]) > 0 and not list(tmp_path.iterdir())
    print(done.stdout.strip())


def test_an_input_comes_from_its_seed_alone() -> None:
    inputs = components.corpus()
    made = [components.mutate(random.Random(seed), inputs) for seed in range(200)]
    assert made == [components.mutate(random.Random(seed), inputs) for seed in range(200)]
    assert len(set(made) - set(inputs)) > 150
    for data in inputs:
        assert components.put_together(components.take_apart(data)) == data

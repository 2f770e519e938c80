"""The benchmarks run from end to end and say what they should; no test looks at a time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import cases, guest, native, p2_calls  # noqa: E402
from tests.component.build import encode  # noqa: E402

pytestmark = pytest.mark.skipif(native.compiler() is None, reason="no C compiler")


def run(*args: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    return done.stdout + done.stderr


def test_cases_and_loops_agree() -> None:
    loops = set(re.findall(r'export "(bench_\w+)"', guest.text()))
    assert {case.export for case in cases.CASES} | {"bench_entry", "bench_setup"} == loops
    source = (ROOT / "bench" / "native.c").read_text(encoding="utf-8")
    for case in cases.CASES:
        found = re.search(rf"(?:LOOP|STREAM)\({case.name}\b|bench_{case.name}\(uint32_t", source)
        assert bool(found) == bool(case.native), case.name


def test_list() -> None:
    assert [line.split()[0] for line in run("--list").splitlines()] == [case.name for case in cases.CASES]


def test_unknown_case() -> None:
    assert "no case matches" in run("--only", "nothing_of_that_name", expect=2)


def test_every_case_on_every_variant(tmp_path: Path) -> None:
    """All loops, whatever they cost: the guest's files, its checks and its answers are right."""
    out, picture = tmp_path / "out.json", tmp_path / "out.svg"
    text = run("--quick", "--rounds=2", "--only=^(?!startup)", "--check", f"--json={out}", f"--svg={picture}")
    found = json.loads(out.read_text(encoding="utf-8"))
    assert {"native", "layer"} <= set(found["variants"])
    assert [row["name"] for row in found["cases"]] == [case.name for case in cases.CASES]
    for row in found["cases"]:
        ours = {"native", "layer"} & set(row["notes"])
        assert not ours, row["notes"]
        assert row["ns"]["layer"] > 0
        if row["native_calls"]:
            assert row["ns"]["native"] > 0
            assert row["ratio"]["layer"] > 0
        assert row["title"] in text
    assert found["mean"]["layer"] > 0
    assert found["sharers"] == 0
    assert "geometric mean" in text
    assert re.search(r"^(met   |MISSED)  fd_seek, to native", text, re.MULTILINE)
    svg = ElementTree.parse(picture).getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme" in picture.read_text(encoding="utf-8")


def test_p2(tmp_path: Path) -> None:
    """The loops of WASI 0.2, on the layer and on the engine's own host of it."""
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "bench.p2", "--rounds=1", f"--json={out}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text(encoding="utf-8"))["cases"]
    assert len(rows) == 4 and rows[0]["title"] == "descriptor.read 4 KiB"
    for row in rows:
        assert min(row["ns"][name] for name in ("native", "layer", "component")) > 0, row["notes"]
        assert ("engine" in row["ns"]) != row["title"].startswith("check-write")
        assert row["title"] in done.stdout


def test_p2_calls(tmp_path: Path) -> None:
    """Calls between components and from Python, and the parts of loading one."""
    out = tmp_path / "out.json"
    (tmp_path / "one.wasm").write_bytes(encode(p2_calls.TEXT))
    command = [sys.executable, "-m", "bench.p2_calls", "--rounds=1", f"--json={out}"]
    command += ["--load", str(tmp_path / "one.wasm")]
    env = {**os.environ, "WASI_NATIVE_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert len(found["ns"]) == 5 and len(found["ms"]) == 5
    assert found["ms"]["decode"] > 0 and found["ns"]["from Python, two numbers"] > 0
    assert len(re.findall("^(?:met   |MISSED)", done.stdout, re.MULTILINE)) == 3


def test_startup(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    text = run("--quick", "--rounds=1", "--only=^startup$", "--check", f"--json={out}")
    found = {row["name"]: row for row in json.loads(out.read_text(encoding="utf-8"))["start"]}
    assert {"pass", "import", "warm", "cold"} <= set(found), text
    for row in found.values():
        assert row["min_ms"] > 0
        assert row["median_ms"] >= row["min_ms"]
        assert row["rss_mb"] > 0


def test_compute_loops_agree_with_native_code(tmp_path: Path) -> None:
    out = tmp_path / "compute.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench.compute", "--rounds=1", "--engines=wasmtime,wasm2c", f"--json={out}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr  # it compares the checksums
    found = json.loads(out.read_text(encoding="utf-8"))["ns"]
    assert set(found) == {"sieve", "matrix", "fib"}
    assert all(len(row) == len(found["fib"]) >= 2 and min(row.values()) > 0 for row in found.values())

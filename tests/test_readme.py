"""The README tells the truth: its tables are made from the code, its example runs."""

from __future__ import annotations

from pathlib import Path

from tests import readme
from tests.conformance.__main__ import BY_ADAPTER
from tests.guests import build


def test_tables_are_those_of_the_code() -> None:
    for page in (readme.README, readme.SECURITY):
        text = page.read_text()
        assert readme.rendered(text) == text, "run: python -m tests.readme --write"


def test_the_example_runs(tmp_path: Path, monkeypatch, capsys) -> None:
    code = readme.example()
    assert len([line for line in code.splitlines() if line.strip()]) <= 17
    (tmp_path / "data").mkdir()
    (tmp_path / "plugin.wasm").write_bytes(build.guest("hello").read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("0 hello")


def test_the_two_commands_stand_there() -> None:
    text = readme.README.read_text()
    assert "python -m pip install . && wasi-native run examples/hello.wat" in text
    assert "python -m pip install -e '.[test]' && python -m pytest" in text


def test_the_official_programs_were_run_on_each_engine_that_runs_code() -> None:
    runs = {(run["engine"], run["resolver"]): run for run in readme.kept("adapted.json")}
    engines = [name for name in readme.ADAPTERS if name != "fake"] + ["wasm3-old"]
    assert set(runs) == {(name, resolver) for name in engines for resolver in ("openat2", "walk")}
    for run in runs.values():
        assert run["by_adapter"] == len(BY_ADAPTER) and run["passed"] + len(run["failed"]) == 72
        assert run["adapted"] == "p2" and all(run["failed"].values())

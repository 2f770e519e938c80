"""The runner of the official suite judges rightly: small suites of our own, run by a stand-in and by us."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.conformance import __main__ as command
from tests.conformance.runner import Host, run_case
from tests.conformance.suite import SuiteError, find_suites, read_case
from tests.guests import build

# Takes the command line of `wasi-native run` and does what the file named by MODULE says in Python.
STAND_IN = """
import os, sys
args, dirs, env = sys.argv[2:], [], {}
while args[0].startswith("--"):
    option, value = args.pop(0), args.pop(0)
    if option == "--dir":
        dirs.append(value)
    if option == "--env":
        env.update([value.partition("=")[::2]])
exec(open(args[0]).read())
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    top = tmp_path / "suite" / "wasm32-wasip1"
    (top / "fixture").mkdir(parents=True)
    (top / "fixture" / "kept").write_text("kept")
    (top / "fixture" / "old.cleanup").write_text("")
    (top / "manifest.json").write_text('{"name": "Small tests", "version": "wasm32-wasip1"}')
    return top


@pytest.fixture
def host(tmp_path: Path) -> Host:
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(STAND_IN)
    return Host((sys.executable, str(stand_in)), timeout=20)


def add(suite: Path, name: str, code: str, manifest: object = None) -> Path:
    wasm = suite / f"{name}.wasm"
    wasm.write_text(code)
    if manifest is not None:
        wasm.with_suffix(".json").write_text(json.dumps(manifest))
    return wasm


@pytest.mark.parametrize(
    ("code", "manifest", "reason"),
    [
        ("", None, ""),
        ("sys.exit(1)", None, "exit code 1, expected 0"),
        ("sys.exit(33)", {"exit_code": 33}, ""),
        ("print('hello', end='')", {"stdout": "hello"}, ""),
        ("print('hello')", {"stdout": "hello"}, "stdout is b'hello\\n', expected b'hello'"),
        ("print('not looked at')", {}, ""),
        ("print('x', file=sys.stderr)", {"stderr": ""}, "stderr is b'x\\n', expected b''"),
        ("assert args[1:] == ['a', 'b \"c']", {"args": ["a", 'b "c']}, ""),
        ("assert env == {'k': 'new\\nline=1', 'l': ''}", {"env": {"k": "new\nline=1", "l": ""}}, ""),
        ("assert dirs == [] and sys.stdin.read() == ''", None, ""),
        ("raise ValueError('why')", None, "ValueError: why"),
        (
            "print(sys.stdin.read() + args[1])",
            {
                "operations": [
                    {"type": "run", "args": ["z"]},
                    {"type": "write", "id": "stdin", "payload": "xy"},
                    {"type": "read", "id": "stdout", "payload": "xy"},
                    {"type": "read", "id": "stdout", "payload": "z\n"},
                    {"type": "wait", "exit_code": 0},
                ]
            },
            "",
        ),
        ("", {"operations": [{"type": "run"}, {"type": "connect"}]}, "not judged here: operation connect"),
        ("", {"proposals": ["http"]}, "not judged here: proposal http"),
    ],
)
def test_verdict(suite: Path, host: Host, code: str, manifest: object, reason: str) -> None:
    verdict = run_case(read_case(add(suite, "case", code, manifest)), host)
    assert verdict.passed == (not reason)
    assert reason in verdict.reason


def test_the_directory_is_a_fresh_copy(suite: Path, host: Host) -> None:
    code = """
root = dirs[0].removesuffix("::/")
assert len(dirs) == 1 and sorted(os.listdir(root)) == ["kept"], os.listdir(root)
os.unlink(root + "/kept")
"""
    case = read_case(add(suite, "case", code, {"root": "fixture"}))
    assert [run_case(case, host).reason for _ in range(2)] == ["", ""]
    assert (suite / "fixture" / "kept").read_text() == "kept"


def test_a_case_without_end_is_ended(suite: Path, host: Host) -> None:
    code = "print('begun', flush=True)\nimport time\ntime.sleep(60)"
    verdict = run_case(read_case(add(suite, "case", code)), Host(host.command, timeout=2))
    assert verdict.reason.startswith("no end after 2 s\nstdout: begun")
    assert verdict.seconds < 30


@pytest.mark.parametrize(
    "manifest", ["[]", "{", '{"args": [1]}', '{"surprise": 1}', '{"args": [], "operations": []}']
)
def test_a_manifest_of_no_known_form_is_refused(suite: Path, manifest: str) -> None:
    wasm = add(suite, "case", "")
    wasm.with_suffix(".json").write_text(manifest)
    with pytest.raises(SuiteError, match=r"case\.json"):
        read_case(wasm)


def test_the_command(suite: Path, host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, code in (("good", ""), ("bad", "sys.exit(2)"), ("other", "")):
        add(suite, name, code)
    later = suite.with_name("wasm32-wasip3")
    later.mkdir()
    add(later, "later", "")
    results = tmp_path / "results.json"
    words = " ".join(host.command)
    args = ["--suite", str(suite.parent), "--command", words, "--json", str(results)]
    assert command.main([*args, "--resolver", "walk", "--resolver", "openat2"]) == 1
    said = capsys.readouterr()
    assert "Small tests       2       1" in said.out and "failed: bad\n" in said.out
    assert "not run: " in said.out and "1 cases of another version" in said.out
    assert "FAIL bad: exit code 2, expected 0" in said.err
    runs = json.loads(results.read_text())["runs"]
    assert [(run["resolver"], run["suites"][0]["failed"]) for run in runs] == [("walk", 1), ("openat2", 1)]
    assert command.main([*args, "--filter", "^(good|other)$"]) == 0
    assert command.main([*args, "--filter", "nothing"]) == 2
    assert command.main(["--suite", str(tmp_path / "nowhere")]) == 2


def test_find_suites_wants_cases(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"no test cases"):
        find_suites(tmp_path)


@pytest.mark.parametrize("resolver", ["openat2", "walk"])
def test_the_product_runs_a_suite(suite: Path, resolver: str) -> None:
    for name, manifest in (
        ("hello", {"stdout": "hello, world\n"}),
        ("tour", {"root": "fixture", "args": ["/"]}),
        ("random", {"args": ["32"], "stderr": ""}),
    ):
        (suite / f"{name}.wasm").write_bytes(build.guest(name).read_bytes())
        (suite / f"{name}.json").write_text(json.dumps(manifest))
    assert command.main(["--suite", str(suite), "--resolver", resolver]) == 0


def test_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.conformance import wasi_native_adapter as adapter

    monkeypatch.setattr(adapter, "WASI_NATIVE", ["python", "-m", "wasi_native", "--engine", "wasmtime"])
    place = (["a", "b"], {"K": "v"}, "/t")
    argv = adapter.compute_argv("m.wasm", place, [], "wasi:cli/command", "wasm32-wasip1")
    assert argv == [
        *("python", "-m", "wasi_native", "run", "--engine", "wasmtime"),
        *("--dir", "/t::/", "--env", "K=v", "m.wasm", "a", "b"),
    ]
    monkeypatch.setattr(adapter, "WASI_NATIVE", ["wasi-native"])
    bare: tuple[list[str], dict[str, str], None] = ([], {}, None)
    argv = adapter.compute_argv("m.wasm", bare, [], "wasi:cli/command", "wasm32-wasip1")
    assert argv == ["wasi-native", "run", "m.wasm"]
    with pytest.raises(ValueError, match="not offered"):
        adapter.compute_argv("m.wasm", bare, ["http"], "wasi:http/service", "wasm32-wasip3")


def test_adapted_programs(
    suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --adapt a component stands in each module's place, and what its adapter decides is judged by that."""
    add(suite, "good", "this is no Python")
    add(suite, "proc_exit-failure", "nor is this", {"exit_code": 33})

    def adapt_all(modules: list[Path]) -> list[Path]:
        made = []
        for module in modules:
            made.append(module.with_suffix(".component"))
            made[-1].write_text("sys.exit(1)" if "exit" in module.stem else "print('a component')")
        return made

    monkeypatch.setattr(command.jco, "adapt_all", adapt_all)
    stand_in = suite.parent.parent / "stand_in.py"
    stand_in.write_text(STAND_IN)
    line = ["--suite", str(suite), "--adapt", "p2", "--command", f"{sys.executable} {stand_in}"]
    assert command.main(line) == 0
    said = capsys.readouterr().out
    assert "modules adapted to WASI 0.2" in said and "passed for ending with 1: proc_exit-failure" in said
    assert command.main(line[:2] + line[4:]) == 1  # the modules themselves are no Python


def test_figures_are_kept_among_those_of_other_engines(suite: Path, host: Host, tmp_path: Path) -> None:
    add(suite, "good", "")
    add(suite, "bad", "print('why'); sys.exit(2)")
    file = tmp_path / "kept.json"
    other = {"engine": "a", "adapted": "", "resolver": "walk", "passed": 9, "by_adapter": 0, "failed": {}}
    file.write_text(json.dumps([other]))
    args = ["--suite", str(suite), "--command", " ".join(host.command), "--keep", str(file)]
    for resolver in ("walk", "openat2", "walk"):
        assert command.main([*args, "--resolver", resolver]) == 1
    run = {"engine": "default", "adapted": "", "passed": 1, "by_adapter": 0}
    failed = {"failed": {"bad": "exit code 2, expected 0"}}
    assert json.loads(file.read_text()) == [
        other,
        {**run, "resolver": "openat2", **failed},
        {**run, "resolver": "walk", **failed},
    ]


def test_engines_of_the_tests_bring_their_library(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WASI_NATIVE_ENGINE_PATH", raising=False)
    case = read_case(add(suite, "case", ""))
    old, new = Host(engine="wasm3-old"), Host(engine="wasm3")
    assert old.argv(case, None)[-3:-1] == ["--engine", "wasm3"]
    paths = [one.environment().get("WASI_NATIVE_ENGINE_PATH") for one in (old, new, Host(engine="wasmtime"))]
    assert len(set(paths)) == 3 and paths[2] is None and "wasm3-old" in str(paths[0])
    monkeypatch.setenv("WASI_NATIVE_ENGINE_PATH", "/mine")
    assert new.environment()["WASI_NATIVE_ENGINE_PATH"] == "/mine"


def test_what_the_adapter_ends_is_counted() -> None:
    cases = [{"name": name, "passed": True} for name in ("proc_exit-failure", "other")]
    run = {"engine": "e", "resolver": "walk", "adapted": "p2", "suites": [{"cases": cases}]}
    assert (command.figures(run)["passed"], command.figures(run)["by_adapter"]) == (2, 1)

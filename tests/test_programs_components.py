"""Real components in three languages, and what tools make of modules, run on the core of an engine alone: what they
print and write is compared byte by byte.

Tools from PyPI and npm make them of ``tests/programs``; they are fetched once and kept in ``tests/guests/build``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.component.build import encode
from tests.engine.libraries import library
from tests.guests import aot, build
from tests.programs import components, jco, launch
from tests.test_programs import a_day_of_python, lines
from wasi_native import Capture, Err, Host, Policy
from wasi_native.component import FEATURES, decode

pytestmark = pytest.mark.programs


@pytest.fixture(params=["wasmtime", "wasm3"])
def on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Options for an engine that shares all, and for one that shares no tables."""
    if request.param != "wasmtime":
        monkeypatch.setenv("WASI_NATIVE_ENGINE_PATH", str(library(request.param)))
    return ("--engine", str(request.param))


def host(policy: Policy) -> Host:
    """One whose compiled code is kept with the command line's."""
    return Host(policy, engine="wasmtime", cache=launch.environment()["WASI_NATIVE_CACHE"])


def test_python(tmp_path: Path) -> None:
    """componentize-py: fourteen core modules, one table and one memory between them."""
    path = components.python_component()
    assert path.stat().st_size > 16 << 20
    assert len(decode(path.read_bytes(), "py", FEATURES).modules) >= 14
    text = b'{"list": [1, 2]}'
    (tmp_path / "one").mkdir()
    done = launch.run("--dir", f"{tmp_path / 'one'}::/box", "--env", "DAY=sunny", path, stdin=text)
    printed = lines(
        "env sunny",
        f"stdin [1, 2] {hashlib.sha256(text).hexdigest()[:16]}",
        "files ['a', 'moved.bin'] 256000",
        "refused FileNotFoundError",
        "refused PermissionError",
        "slept True True 9",
    )
    assert (done.returncode, done.stderr) == (0, b"to stderr\n")
    assert done.stdout == b"argv [] " + printed
    assert (tmp_path / "one" / "moved.bin").read_bytes() == bytes(range(256)) * 1000
    (tmp_path / "two").mkdir()
    done = launch.run("--dir", f"{tmp_path / 'two'}::/box", "--env", "DAY=sunny", path, "a", "ü", stdin=text)
    assert (done.returncode, done.stdout) == (1, "argv ['a', 'ü'] ".encode() + printed)


def counted(path: Path) -> None:
    """The interface of both counters, called from here."""
    with host(Policy(stdout=Capture(), stderr=Capture())) as own, own.load(path).instantiate() as instance:
        words = instance.exports["test:programs/words"]
        found = words.count("Ö the Fox, the end ö")
        assert [(entry.word, entry.times) for entry in found.value] == [
            ("end", 1),
            ("fox", 1),
            ("the", 2),
            ("ö", 2),
        ]
        empty, long = words.count(""), words.count("x" * 1001)
        assert isinstance(empty, Err) and repr(empty.value) == "Problem.Empty()"
        assert isinstance(long, Err) and repr(long.value) == "Problem.TooLong(1001)"


def test_python_called() -> None:
    counted(components.python_component())


def test_javascript(on: tuple[str, str]) -> None:
    """jco componentize, with the engine that it brings."""
    done = launch.run(*on, components.javascript_component())
    assert (done.returncode, done.stderr) == (0, b"to stderr\n")
    assert done.stdout == lines(
        'words [{"word":"dog","times":1},{"word":"fox","times":1},{"word":"the","times":2},{"word":"äö","times":2}]',
        "clock true random true",
    )


def test_javascript_called() -> None:
    counted(components.javascript_component())


def test_c_of_imports_by_name(on: tuple[str, str]) -> None:
    """What tests/p2/test_direct.py runs as a core module, as the component that is made of it."""
    path = components.c_component()
    done = launch.run(*on, "--env", "A=one", "--env", "B=two", path, "7", "ü", stdin=b"x" * 40000)
    assert (done.returncode, done.stderr) == (7, b"")
    assert done.stdout.startswith(lines("argument 7", "argument ü", "value one", "value two") + b"read xxx")
    assert done.stdout.count(b"x") == 40000
    done = launch.run(*on, path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_composed(on: tuple[str, str], tmp_path: Path) -> None:
    """Strings and resources go from one component of a program to another."""
    path = tmp_path / "composed.wasm"
    path.write_bytes(encode((components.HERE / "composed.wat").read_bytes()))
    done = launch.run(*on, path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == "WORDS OF ANOTHER COMPONENTé\n12 42 37\n".encode()


def test_compiled() -> None:
    """With no engine: C that imports by name, and a program of preview 1 with its adapter."""
    hello = jco.adapt(build.guest("hello"))
    for path, args, code, out in (
        (components.c_component(), ("7",), 7, b"argument 7\n"),
        (hello, (), 0, b"hello, world\n"),
    ):
        file = aot.program(path, level=0)
        allow = hashlib.sha256(file.read_bytes()).hexdigest()
        done = launch.run("--engine", "wasm2c", "--allow-native", allow, file, *args)
        assert (done.returncode, done.stderr) == (code, b"") and done.stdout.startswith(out)


def test_python_adapted(on: tuple[str, str], tmp_path: Path) -> None:
    """CPython of preview 1 by way of 0.2, whose exit knows of success and failure alone."""
    a_day_of_python(tmp_path, components.python_adapted(), 1, *on)


def test_python_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASI_NATIVE_ENGINE_PATH", str(library("wasm3")))
    done = launch.run("--engine", "wasm3", components.python_component())
    assert done.returncode == 126 and b"the module needs extended constant expressions" in done.stderr

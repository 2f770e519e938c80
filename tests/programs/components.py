"""Components of WASI 0.2 as tools make them: of Python (componentize-py of PyPI), of JavaScript (npm's jco), of C.

Each is made once and kept in ``tests/guests/build``, as the programs of :mod:`tests.programs.toolchains` are.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

from tests.guests import build
from tests.guests.build import BUILD, GuestBuildError, compile_c, content_key, once, run_tool
from tests.programs import jco, toolchains

HERE = Path(__file__).resolve().parent
COMPONENTIZE_PY = "0.25.1"
_WORLD = "test:programs/program"


def _place(name: str) -> Path:
    folder = BUILD / "components"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def python_component() -> Path:
    """counter.py: CPython as fourteen core modules that share memory and tables."""
    source, wit = HERE / "counter.py", HERE / "program.wit"
    site = _componentize_py()
    words = ["-w", _WORLD, "componentize", source.stem]
    start = "import sys; from componentize_py import script; sys.exit(script())"

    def make(part: Path) -> None:
        command = [sys.executable, "-c", start, "-d", str(wit), *words, "-p", str(HERE), "-o", str(part)]
        run_tool(command, cwd=part.parent, env={"PYTHONPATH": str(site)})

    return once(_place("counter-py.wasm"), content_key([COMPONENTIZE_PY, *words], [source, wit]), make)


def _componentize_py() -> Path:
    """The folder that it is imported from."""
    try:
        if importlib.metadata.version("componentize-py") == COMPONENTIZE_PY:
            return Path(str(importlib.metadata.distribution("componentize-py").locate_file("")))
    except importlib.metadata.PackageNotFoundError:
        pass

    def make(part: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
        try:
            run_tool([*pip, "--target", str(part), f"componentize-py=={COMPONENTIZE_PY}"])
        except GuestBuildError as error:
            raise GuestBuildError(
                f"the Python component needs the PyPI package componentize-py:\n{error}"
            ) from None

    return once(BUILD / "componentize-py", COMPONENTIZE_PY, make)


def javascript_component() -> Path:
    """counter.js, on the engine that ``jco componentize`` brings; its http is left out."""
    source, wit = HERE / "counter.js", HERE / "program.wit"
    words = ["--world-name", _WORLD, "--disable", "http", "--disable", "fetch-event"]

    def make(part: Path) -> None:
        run_tool(
            [str(jco.jco()), "componentize", str(source), "--wit", str(wit), *words, "-o", str(part)],
            cwd=part.parent,
        )

    return once(_place("counter-js.wasm"), content_key([repr(jco.PACKAGE), *words], [source, wit]), make)


def c_component() -> Path:
    """direct.c, whose core module imports WASI by name, as the component that a tool makes of it: of one version,
    as direct.wit has it."""
    source, wit = build.HERE / "direct.c", HERE / "direct.wit"
    flags = (*build.FLAGS, *build.EXTRA["direct"])

    def make(part: Path) -> None:
        scratch = part.parent
        one = scratch / "direct.c"
        one.write_text(re.sub(r"@0\.2\.\d+", "@0.2.0", source.read_text(encoding="utf-8")), encoding="utf-8")
        core = compile_c([one], scratch / "core.wasm", flags)
        typed = scratch / "typed.wasm"
        world = ["--wit", str(wit), "--world-name", "test:direct/program"]
        run_tool([str(jco.jco()), "embed", str(core), *world, "-o", str(typed)])
        run_tool([str(jco.jco()), "new", str(typed), "-o", str(part)])

    key = content_key([build.zig_version(), repr(jco.PACKAGE), *flags], [source, wit])
    return once(_place("direct.wasm"), key, make)


def python_adapted() -> Path:
    """The Python of preview 1, adapted."""
    return jco.adapt(toolchains.python_module())

"""The house as the tests of its rules see it: the files, and who includes or imports whom."""

from __future__ import annotations

import ast
import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wasi_native"
CORE = PACKAGE / "core"
INCLUDE = ROOT / "include"

C_FLAGS = ["-std=c11", f"-I{INCLUDE}", f"-I{PACKAGE}"]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def own_files() -> list[Path]:
    """Every file of the repository, whether git is here or not; nothing that was built."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        found = [ROOT / name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = []
    if not found:
        skip = re.compile(
            r"(^|/)(\.git|\.venv[^/]*|build|dist|__pycache__|out|[^/]*\.egg-info|\.[a-z]+_cache)/"
        )
        found = [path for path in ROOT.rglob("*") if not skip.search(relative(path))]
    return sorted(path for path in found if path.is_file() and path.suffix not in (".so", ".o", ".pyc"))


def c_sources(room: str = "") -> list[Path]:
    """The .c files of the core, or of one room of it: "sys", "os/posix"."""
    return sorted((CORE / room).rglob("*.c"))


def c_files(room: str = "") -> list[Path]:
    """Those, and the headers."""
    return sorted(path for path in (CORE / room).rglob("*.[ch]"))


@functools.cache
def code(path: Path) -> str:
    """A C file without its comments, lines kept, so that a word of a comment breaks no rule."""

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0][0] in "\"'" else "\n" * match[0].count("\n")

    text = path.read_text(encoding="utf-8")
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def uses(path: Path, pattern: str) -> list[str]:
    """The lines of a C file with code that the pattern finds: ``sys/path.c:7: text``."""
    lines = code(path).splitlines()
    return [
        f"{relative(path)}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if re.search(pattern, line)
    ]


def includes(path: Path) -> list[tuple[str, bool]]:
    """(name, whether between <>) of each include."""
    found = re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', path.read_text(encoding="utf-8"), flags=re.M)
    return [(name, mark == "<") for mark, name in found]


def python_modules() -> dict[str, Path]:
    """Dotted name to file: "wasi_native.cli.run"."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if {"abi", "wheels"} & set(path.relative_to(PACKAGE).parts):
            continue  # tools of the build, no modules of the package
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _for_types_alone(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    found = []
    for node in body:
        found.append(node)
        if _for_types_alone(node):
            assert isinstance(node, ast.If)
            found += _statements(node.orelse)
            continue
        for field in ("body", "orelse", "finalbody", "handlers"):
            for child in getattr(node, field, []):
                found += _statements(child.body if isinstance(child, ast.ExceptHandler) else [child])
    return found


def imports(name: str, path: Path) -> set[str]:
    """The modules of this package that a module imports when it runs, at its start or later."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    modules, found = {*python_modules(), "wasi_native._core"}, set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                home = ".".join([*up, home] if home else up)
            for alias in node.names:
                whole = f"{home}.{alias.name}"
                found.add(whole if whole in modules else home)
    return {item for item in found if item in modules and item != name}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A way from a node back to itself, [] when there is none."""
    done: set[str] = set()

    def walk(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if found := walk(other, [*trail, node]):
                return found
        done.add(node)
        return []

    for node in sorted(graph):
        if found := walk(node, []):
            return found
    return []


def compiler(*names: str) -> str:
    """A compiler's path: the house needs one, as building the package does."""
    for name in names or ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(f"no C compiler: none of {', '.join(names)}")


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


def python() -> str:
    return sys.executable

"""What the core never does, as far as its text shows it ("never" 5, 6, 8, 10, 13, 14 of ARCHITECTURE)."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.tree import CORE, INCLUDE, c_files, c_sources, code, own_files, relative, uses
from tests.support import Guest
from wasi_native import Dir, Policy

POSIX = CORE / "os" / "posix"
AT_CALLS = "openat|fstatat|utimensat|mkdirat|unlinkat|renameat|linkat|symlinkat|readlinkat"
OPENING = rf"(?:->|\.)({AT_CALLS}|openat2)\("


def outside_os() -> list[Path]:
    return [path for path in c_files() if "os" not in path.relative_to(CORE).parts]


def lines(paths: list[Path], pattern: str) -> list[str]:
    return [line for path in paths for line in uses(path, pattern)]


def files(found: list[str]) -> set[str]:
    return {line.split(":")[0].removeprefix("wasi_native/core/") for line in found}


def arguments(text: str, at: int) -> list[str]:
    """The arguments of the call whose opening bracket is at ``at``."""
    depth, start, found = 0, at + 1, []
    for index in range(at, len(text)):
        char = text[index]
        depth += (char in "([{") - (char in ")]}")
        if (char == "," and depth == 1) or depth == 0:
            found.append(text[start:index].strip())
            start = index + 1
        if depth == 0:
            return found
    return found


def test_never_5_paths_are_resolved_in_one_room() -> None:
    """Handlers and engines ask sys for paths; sys opens by name where paths are resolved, and nowhere else."""
    found = lines(outside_os(), OPENING)
    assert {name for name in files(found) if not re.fullmatch(r"sys/(path\w*|dir)\.c", name)} == set()
    takers = lines(c_files("p1"), r"\bwn_mem_string\b|\bwn_p1_path\b")
    assert files(takers) <= {"p1/path.c", "p1/strings.h", "p1/codec.h"}, takers


def test_never_5_names_that_reach_the_kernel_are_one_component() -> None:
    """The name of every *at() call is a resolved one or "."; paths go to openat2 in one place alone."""
    bad = []
    for path in outside_os():
        text = code(path)
        for match in re.finditer(rf"(?:->|\.)({AT_CALLS})\(", text):
            given = arguments(text, match.end() - 1)
            names = [given[1], given[3]] if match[1] == "symlinkat" else given[2:]
            names = names[1:] if match[1] == "symlinkat" else [n for i, n in enumerate(names) if i in (0, 2)]
            if match[1] not in ("renameat", "linkat"):
                names = names[:1]
            bad += [f"{relative(path)}: {match[1]}({name})" for name in names if not resolved(name, path)]
    assert bad == []
    assert files(lines(outside_os(), r"(?:->|\.)openat2\(")) == {"sys/path_walk.c"}


def resolved(name: str, path: Path) -> bool:
    if re.fullmatch(r'(\w+(->|\.))name|"\."', name):
        return True
    return name == "name" and path.name == "path_walk.c"  # the walk itself: it cut the path at its slashes


def test_never_5_no_path_is_spelled_out() -> None:
    """A literal with a slash outside os/ is a path of the host that nobody granted; the random device is one."""
    texts = (
        "#include",
        "pointer/length out of bounds",
        "signature and/or options",
        '{"wasi:',
    )  # traps of the canonical ABI; names of rows
    found = [
        line for line in lines(outside_os(), r'"[^"]*/[^"]*"') if not any(text in line for text in texts)
    ]
    assert [line for line in found if '"/dev/urandom"' not in line] == []
    assert len(found) == 1


def test_never_6_offsets_become_pointers_in_mem_alone() -> None:
    rooms = [path for path in outside_os() if not {"mem", "engine"} & set(path.relative_to(CORE).parts)]
    assert lines(rooms, r"\bmem(\.|->)base\b|\bm->base\b") == []


def test_never_8_no_condition_for_board_engine_or_version() -> None:
    rooms = [path for room in ("sys", "p1", "p2", "guest") for path in c_files(room)]
    guards = r"#\s*ifndef WN_CORE_\w+_H$"
    found = [
        line for line in lines(rooms, r"^\s*#\s*(if|ifdef|ifndef|elif)\b") if not re.search(guards, line)
    ]
    table = re.compile(r"rows\.gen\.h:\d+: #ifdef WN_P[12]_TABLE")  # a generated file, seen two ways
    assert [line for line in found if not table.search(line)] == []


def test_never_10_memory_comes_through_the_kernels_door() -> None:
    everywhere = [path for path in c_files() if POSIX not in path.parents]
    direct = r"(?<![\w>.])(malloc|calloc|realloc|free|alloca|strdup|strndup|mmap|brk)\s*\("
    assert lines(everywhere, direct) == []


# Who allocates: what makes a guest; files in memory, which are their bytes; and values of components that are larger
# than any before them, up to a cap; and tables of handles and of resources, which grow by doubling, up to theirs. No
# call of another object does.
ALLOCATE = {
    f"sys/{name}.c"
    for name in (
        "sys",
        "env",
        "net",
        "stdio",
        "table",
        "quota",
        "random",
        "memory",
        "memory_dir",
        "res",
    )
} | {"guest/handle.c", "mem/values.c"}
MAKE = ("engine/", "comp/")  # what is made before a guest runs


def test_never_10_no_allocation_on_the_path_of_a_call() -> None:
    found = files(lines(outside_os(), r"(?:->|\.)(alloc|resize|page_alloc)\("))
    assert {name for name in found if not name.startswith(MAKE)} <= ALLOCATE
    for room in ("p1", "guest", "mem"):
        rest = [path for path in c_files(room) if path.name not in ("handle.c", "values.c")]
        assert lines(rest, r"\b(alloc|resize|page_alloc)\b") == []


def test_never_13_nothing_is_asked_about_the_host() -> None:
    asks = "getpid getppid gettid getuid geteuid gethostname uname getcwd getenv getlogin getpwuid"
    assert lines(c_files(), rf"\b({asks.replace(' ', '|')})\s*\(") == []
    assert files(lines(c_files(), r'"/proc')) <= {"os/posix/file.c", "os/posix/thread.c"}


def test_never_13_a_host_path_reaches_no_guest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_text("x")
    (tmp_path / "a" / "link").symlink_to("f")
    policy = Policy(args=["one"], env={"A": "b"}, dirs=[Dir(tmp_path / "a", "/data")])
    with Guest(policy) as guest:
        at = 0x8000
        guest.args_get(at, at + 64)
        guest.environ_get(at + 256, at + 320)
        guest.fd_prestat_get(3, at + 512)
        guest.fd_prestat_dir_name(3, at + 520, 5)
        guest.path_readlink(3, *guest.put(at + 640, "link"), at + 704, 64, at + 768)
        guest.fd_readdir(3, at + 1024, 4096, 0, at + 5632)
        for fd in (0, 1, 2, 3):
            guest.fd_fdstat_get(fd, at + 6144)
            guest.fd_filestat_get(fd, at + 6400 + 64 * fd)
        seen = guest.memory.read(0, guest.size)
    assert str(tmp_path).encode() not in seen
    assert tmp_path.name.encode() not in seen


def test_never_14_the_process_is_left_alone() -> None:
    """No signal handler, umask, working directory or limit is set; masks are of one thread, and put back."""
    sets = (
        "sigaction signal sigprocmask umask chdir fchdir chroot setrlimit setenv putenv prctl res_init alarm"
    )
    assert lines(c_files(), rf"\b({sets.replace(' ', '|')})\s*\(") == []
    assert files(lines(c_files(), r"\bpthread_sigmask\(")) <= {
        "os/posix/lookup.c",
        "os/posix/pipe.c",
        "os/posix/thread.c",
    }
    flags = lines(c_files(), r"\bF_SETFL\b|\bFIONBIO\b|\bF_SETOWN\b|\bF_SETLK")
    assert len(flags) == 1 and "os/posix/file.c" in flags[0] and "O_APPEND" in flags[0]


HANDLER = re.compile(r"^wn_err_t wn_p1_((?:unstable_)?\w+)\(wn_guest_t \*guest[^;{]*\)\s*\{", re.M)


def test_every_handler_has_a_comment_of_four_parts() -> None:
    """What it does, in a sentence; its POSIX cousin; each errno with its cause; the place in the specification."""
    bad, seen = [], 0
    for path in c_sources("p1"):
        text = path.read_text()
        for match in HANDLER.finditer(text):
            seen += 1
            comment = text[: match.start()].rstrip().rpartition("/*")[2].strip()
            name = match[1].removeprefix("unstable_")
            shape = r"[A-Z][^\n]*.*?\n \* POSIX: .*\n \* Errnos: .*\n \* Spec: [^\n]*\b" + name + r"\b.*\*/"
            if not re.fullmatch(shape, comment, flags=re.S):
                bad.append(f"{relative(path)}: {match[1]}")
    assert bad == []
    assert seen >= 46 + 4


def test_every_handler_of_0_2_has_a_comment_of_four_parts() -> None:
    table = (CORE / "p2" / "rows.gen.h").read_text()
    texts = [path.read_text() for path in c_sources("p2")]
    bad, seen = [], 0
    for name in re.findall(r"^static wn_err_t call_(\w+)\(", table, re.M):
        seen += 1
        at, text = next(
            (match.start(), text)
            for text in texts
            for match in re.finditer(rf"^wn_err_t wn_p2_{name}\([^;{{]*\)\s*\{{", text, re.M)
        )
        comment = text[:at].rstrip().rpartition("/*")[2].strip()
        shape = r"[A-Z][^\n]*.*?\n \* POSIX: .*\n \* Err(?:no|or)s: .*\n \* Spec: wasi:[^\n]*\.\s*\*/"
        if not re.fullmatch(shape, comment, flags=re.S):
            bad.append(name)
    assert bad == []
    assert seen >= 40


def test_never_12_boards_hold_facts_alone() -> None:
    boards = [relative(path) for path in own_files() if relative(path).startswith("boards/")]
    assert boards and {Path(name).suffix for name in boards} == {".toml", ".json"}


def test_errnos_are_one_map() -> None:
    """errno.def is read by whoever needs a number, a name or a text, and no second list stands anywhere."""
    readers = files(lines([*c_files(), *sorted(INCLUDE.rglob("*.h"))], r'#\s*include ".*errno\.def"'))
    assert readers == {"err.c", "os/posix/posix.c", "include/wasi_native/base.h"}


def test_no_engine_runs_components_for_us() -> None:
    """Of an engine core modules alone are asked; its own components are for tests to compare with."""
    pattern = re.compile(r"wasmtime_component|wasm_component|component_linker|wasmtime\.component")
    found = [
        relative(path)
        for path in own_files()
        if path.suffix in (".c", ".h", ".py", ".pyx", ".pxi", ".pxd")
        and relative(path).startswith(("wasi_native/", "include/", "examples/"))
        and pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []

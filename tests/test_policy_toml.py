"""Policies from TOML: values, and errors that name the file, the line and the key."""

from __future__ import annotations

import pathlib
import random
import re
from typing import Any

import pytest

from wasi_native import policy_toml
from wasi_native.errors import PolicyError
from wasi_native.policy import (
    Capture,
    Clock,
    Dial,
    Dir,
    File,
    Fixed,
    Limits,
    Listen,
    MemoryDir,
    Offset,
    Policy,
    Random,
    TempDir,
)
from wasi_native.policy_toml import line_numbers

FUZZ = 300
EXAMPLE = pathlib.Path(__file__).parents[1] / "examples" / "policy.toml"


def test_example() -> None:
    policy = Policy.from_toml(EXAMPLE)
    folder = EXAMPLE.parent
    assert (
        policy.program == "app" and policy.args == ("--verbose",) and dict(policy.env) == {"LANG": "C.UTF-8"}
    )
    assert policy.dirs == (
        Dir(folder / "data", "/data", read_only=True),
        Dir(folder / "state", "/state", create=True, quota=16 << 20, inodes=1000, max_file_size=4 << 20),
        MemoryDir("/tmp", size=1 << 20),
        TempDir("/spool", quota=8 << 20),
    )
    assert policy.files == (
        File(folder / "settings.json", "/etc/settings.json"),
        File("/dev/ttyS0", "/dev/ttyS0", read_only=False, device=True),
    )
    assert policy.stdin == b"hello\n" and policy.stdout == "inherit" and policy.stderr == Capture(65536)
    assert policy.listen == (Listen("tcp://127.0.0.1:8080?backlog=16&nodelay=1"),)
    assert policy.dial == (Dial("unix:///run/app/events.sock"),)
    assert policy.clocks == Clock(realtime=Fixed(1704067200 * 10**9, 10**6))
    assert policy.random == Random(42)
    assert policy.limits.wall_time == 30 and policy.limits.memory == 16 << 20 and policy.limits.fuel is None


def test_empty_text_is_the_default() -> None:
    assert Policy.from_toml_text("") == Policy.from_toml_text("# nothing\r\n") == Policy()


def test_host_paths_start_at_the_folder_of_the_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "plugin.toml"
    file.write_text("[[dirs]]\nhost = '.'\n[[dirs]]\nhost = '../x'\n[[files]]\nhost = '/etc/f'\n")
    monkeypatch.chdir(tmp_path)
    policy = Policy.from_toml("sub/plugin.toml")
    monkeypatch.chdir("/")
    here = str(tmp_path / "sub")
    assert [(grant.guest, str(grant.host)) for grant in policy.dirs if isinstance(grant, Dir)] == [
        (".", here + "/."),
        ("/x", here + "/../x"),
    ]
    assert policy.files == (File("/etc/f", "/f"),)
    assert Policy.from_toml_text("[[dirs]]\nhost='a'").dirs == (Dir("a"),)
    assert Policy.from_toml_text("[[dirs]]\nhost='a'", base="/b").dirs == (Dir("/b/a"),)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("memory = 5", Limits(memory=5)),
        ("memory = '16MiB'", Limits(memory=16 << 20)),
        ("memory = '16 MB'", Limits(memory=16 * 10**6)),
        ("memory = '1.5KiB'", Limits(memory=1536)),
        ("memory = '77'", Limits(memory=77)),
        ("wall_time = 2", Limits(wall_time=2)),
        ("wall_time = 0.25", Limits(wall_time=0.25)),
        ("wall_time = '500ms'", Limits(wall_time=0.5)),
        ("cpu_time = '1.5min'", Limits(cpu_time=90)),
        ("cpu_time = '20us'", Limits(cpu_time=0.00002)),
    ],
)
def test_sizes_and_times(text: str, wanted: Limits) -> None:
    assert Policy.from_toml_text(f"[limits]\n{text}\n").limits == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("realtime = 5", Clock(realtime=5)),
        ("realtime = 'system'", Clock()),
        ("realtime = 2024-01-01T01:00:00.000001+01:00", Clock(realtime=1704067200000001000)),
        ("realtime = { fixed = '1s', step = 7 }", Clock(realtime=Fixed(10**9, 7))),
        ("realtime = { offset = '-1h' }", Clock(realtime=Offset(-3600 * 10**9))),
        ("monotonic = { offset = 3 }\ncpu = { fixed = 0 }", Clock(monotonic=Offset(3), cpu=0)),
    ],
)
def test_clocks(text: str, wanted: Clock) -> None:
    assert Policy.from_toml_text(f"[clocks]\n{text}\n").clocks == wanted


def test_other_values() -> None:
    assert Policy.from_toml_text("random = { seed = 'abc' }").random == Random(b"abc")
    assert Policy.from_toml_text("random.seed = 3").random == Random(3)
    assert Policy.from_toml_text("stdout = 'capture'").stdout == Capture()
    assert Policy.from_toml_text("stdin = 'closed'\nstderr = 'null'").stdin == "closed"
    text = "allow_overlap = true\ndirs = [{host='a'}, {host='a', guest='/b', read_only=true}]"
    assert Policy.from_toml_text(text).allow_overlap


# --- errors ------------------------------------------------------------------------------------------------

ERRORS: list[tuple[str, str]] = [
    (
        "\n\n[[dirs]]\nhost = 'a'\n\nread_onyl = true\n",
        "p.toml:6: dirs[0].read_onyl: unknown key; did you mean read_only?",
    ),
    ("a = 1\n", "p.toml:1: a: unknown key; known here: program, args, env, dirs"),
    ("[limit]\nmemory = 1", "p.toml:1: limit: unknown key; did you mean limits?"),
    ("\n[limits]\nmem = 1", "p.toml:3: limits.mem: unknown key; did you mean memory?"),
    (
        "[limits]\nmemory = '16 bananas'",
        "p.toml:2: limits.memory: '16 bananas' is not understood; write '16MiB'",
    ),
    ("[limits]\nmemory = '0.3B'", "p.toml:2: limits.memory: '0.3B' is no whole number"),
    ("[limits]\nmemory = '-1KiB'", "p.toml:2: limits.memory: -1024 is out of range"),
    ("[limits]\nmemory = '16mib'", "(units: B, kB, KB, MB, GB, TB, KiB, MiB, GiB, TiB)"),
    ("[limits]\nmemory = 1.0", "p.toml:2: limits.memory: 1.0 is not a whole number"),
    ("[limits]\nmemory = true", "p.toml:2: limits.memory: True is not a whole number"),
    ("[limits]\nfds = '64'", "p.toml:2: limits.fds: '64' is not a whole number"),
    ("[limits]\nfds = 0\n", "p.toml:2: limits.fds: 0 is out of range"),
    (
        "[limits]\nwall_time = '5 m'",
        "p.toml:2: limits.wall_time: '5 m' is not understood; write '500ms' (units: ns",
    ),
    ("[limits]\nwall_time = nan", "p.toml:2: limits.wall_time: nan is out of range"),
    ("limits = 5", "p.toml:1: limits: 5 is not a table; write [limits] and keys under it"),
    ("\nargs = '--x'", "p.toml:2: args: '--x' is not an array; write args = [\"...\"]"),
    ("args = [\n  'a',\n  5,\n]", "p.toml:3: args[1]: 5 has the type int; write a string"),
    ("program = 5", "p.toml:1: program: 5 has the type int; write a string"),
    ("allow_overlap = 'no'", "p.toml:1: allow_overlap: 'no' is not a truth value"),
    ("[env]\nA = 'x'\nPORT = 80", "p.toml:3: env.PORT: 80 has the type int; write a string"),
    ("[env]\nA = 'x'\n'B=C' = 'd'", "p.toml:3: env.'B=C': 'B=C' is not a name"),
    ("[env]\n'a.b: [0]' = 8", "p.toml:2: env.'a.b: [0]': 8 has the type int; write a string"),
    ('[env]\nA = "x\\u0000"', "p.toml:2: env.A: 'x\\x00' holds a NUL character"),
    ("env = ['A=1']", "p.toml:1: env: ['A=1'] is not a table; write [env] and keys under it"),
    ("[dirs]\nhost = 'a'", "p.toml:1: dirs: {'host': 'a'} is not an array; write [[dirs]] and keys under it"),
    ("dirs = ['a']", "p.toml:1: dirs[0]: 'a' is not a table; write [dirs[0]]"),
    ("[[dirs]]\nguest = '/a'", "p.toml:1: dirs[0]: the key 'host' is missing; add it"),
    ("\n[[dirs]]\nkind = 'memory'", "p.toml:2: dirs[0]: the key 'guest' is missing; add it"),
    (
        "[[dirs]]\nkind = 'ram'",
        "p.toml:2: dirs[0].kind: 'ram' is unknown; write one of: host, memory, temporary",
    ),
    ("[[dirs]]\nkind = ['host']", "p.toml:2: dirs[0].kind: ['host'] is unknown"),
    (
        "[[dirs]]\nkind = 'memory'\nhost = 'a'\nguest='/a'",
        "p.toml:3: dirs[0].host: unknown key; known here: kind, guest",
    ),
    ("[[dirs]]\nhost = 'a'\nguest = 'b'", "p.toml:3: dirs[0].guest: 'b' is not absolute; write '/b'"),
    ("[[dirs]]\nhost = '..'", "p.toml:1: dirs[0].guest: the host path '..' has no last name"),
    ("[[dirs]]\nhost = ''", "p.toml:2: dirs[0].host: the path is empty"),
    ("[[dirs]]\nhost = 5", "p.toml:2: dirs[0].host: 5 has the type int; write a path"),
    ("[[dirs]]\nhost = 'a'\nread_only = 'no'", "p.toml:3: dirs[0].read_only: 'no' is not a truth value"),
    ("[[dirs]]\nhost = 'a'\nquota = '1 MiBs'", "p.toml:3: dirs[0].quota: '1 MiBs' is not understood"),
    ("[[dirs]]\nhost = 'a'\ninodes = '5'", "p.toml:3: dirs[0].inodes: '5' is not a whole number"),
    ("dirs = [{host='a'},\n {host='b', quota=0}]", "p.toml:2: dirs[1].quota: 0 is out of range"),
    (
        "[[dirs]]\nhost='a'\nguest='/x'\n[[dirs]]\nhost='b'\nguest='/x'",
        "p.toml:6: dirs[1].guest: the guest name '/x' is already that of dirs[0]",
    ),
    (
        "[[dirs]]\nhost='a'\n[[dirs]]\nhost='a/b'\nread_only=true",
        "p.toml:4: dirs[1].host: 'a/b' is inside, with another permission, 'a' of dirs[0]",
    ),
    ("[[files]]\nhost='f'\ndevice=1", "p.toml:3: files[0].device: 1 is not a truth value"),
    ("[[files]]\nhost='.'", "p.toml:1: files[0].guest: the host path '.' has no last name"),
    (
        "stdin = 'hello'",
        "p.toml:1: stdin: 'hello' is not a stream; write 'inherit', 'null', 'closed', { text",
    ),
    ("stdin = { text = 5 }", "p.toml:1: stdin.text: 5 is not text; write text = '...'"),
    ("stdin = { txt = 'x' }", "p.toml:1: stdin.txt: unknown key; did you mean text?"),
    ("stdout = 1", "p.toml:1: stdout: 1 is not a stream"),
    ("stdout = {}", "p.toml:1: stdout: the table is empty; write { capture = '1MiB' }"),
    ("\nstderr = { capture = '1Mib' }", "p.toml:2: stderr.capture: '1Mib' is not understood"),
    ("stderr = { capture = 0 }", "p.toml:1: stderr.capture: 0 is out of range"),
    ("listen = [\n 'tcp://a:1',\n # here\n 'tcp://a'\n]", "p.toml:4: listen[1]: 'tcp://a': the port must be"),
    ("dial = [5]", "p.toml:1: dial[0]: 5 has the type int; write a string"),
    (
        "clocks.realtime = 'now'",
        "p.toml:1: clocks.realtime: 'now' is not understood; write 'system', or a time such as '500ms'",
    ),
    (
        "[clocks]\nrealtime = 2024-01-01T00:00:00",
        "p.toml:2: clocks.realtime: 2024-01-01 00:00:00 has no zone",
    ),
    ("[clocks]\nmonotonic = 2024-01-01T00:00:00Z", "p.toml:2: clocks.monotonic: datetime.datetime("),
    (
        "[clocks]\nrealtime = {step = 1}",
        "p.toml:2: clocks.realtime: write either { fixed = ..., step = ... }",
    ),
    ("[clocks]\nrealtime = {fixed = 1, offset = 1}", "p.toml:2: clocks.realtime: write either"),
    ("[clocks]\nrealtime = {offset = 'x'}", "p.toml:2: clocks.realtime.offset: 'x' is not understood"),
    ("[clocks]\nrealtime = {offset = 1.5}", "p.toml:2: clocks.realtime.offset: 1.5 is not a whole number"),
    ("[clocks]\nrealtime = {fixed = -1}", "p.toml:2: clocks.realtime.fixed: -1 is out of range"),
    ("[clocks.realtime]\nfixed = 1\nstep = -1", "p.toml:3: clocks.realtime.step: -1 is out of range"),
    ("[clocks]\nmonotonic = {offset = -1}", "p.toml:2: clocks.monotonic: -1 is behind the start"),
    ("[clocks]\nresolution = 0", "p.toml:2: clocks.resolution: unknown key"),
    ("[random]\nseed = -1", "p.toml:2: random.seed: -1 is out of range"),
    ("[random]\nseed = ''", "p.toml:2: random.seed: 0 bytes are no seed"),
    ("a = [1,\n2", "p.toml:2: not TOML: "),
    ("x = 1\nx = 2", "p.toml:2: not TOML: Cannot overwrite a value"),
    ("x = 1\ny = =\n", "p.toml:2: not TOML: Invalid value"),
]


@pytest.mark.parametrize(("text", "wanted"), ERRORS)
def test_errors_name_line_and_key(text: str, wanted: str) -> None:
    for spelled in (text, text.replace("\n", "\r\n")):
        with pytest.raises(PolicyError) as caught:
            Policy.from_toml_text(spelled, "p.toml")
        assert wanted in str(caught.value), str(caught.value)


def test_errors_of_files(tmp_path: pathlib.Path) -> None:
    def error(data: bytes) -> str:
        (tmp_path / "p.toml").write_bytes(data)
        with pytest.raises(PolicyError) as caught:
            Policy.from_toml(tmp_path / "p.toml")
        return str(caught.value)

    name = str(tmp_path / "p.toml")
    assert error(b"# a\n# \xff\n") == f"{name}:2: the file is not UTF-8; save it as UTF-8"
    assert (
        error(b"# " + b"a" * (1 << 20)) == f"{name}: the file is larger than 1048576 bytes; this is no policy"
    )
    assert error(b"a = 1").startswith(f"{name}:1: a: unknown key")
    assert error(b"a = " + b"[" * 100000).startswith(f"{name}")
    deep = b".".join([b"a"] * 100000) + b" = 1"
    assert error(b"\n" + deep) == f"{name}:2: more than 1000 dots; write the values on several lines"
    deep = b".".join([b"a"] * 1000) + b" = 1"
    assert error(deep) == f"{name}: not a policy: it is nested too deeply"
    assert error(b"a = " + b"9" * 10000).startswith(f"{name}:1: ")
    assert error(b"limits.fds = 0x" + b"9" * 10000).startswith(
        f"{name}:1: limits.fds: a value of type int is out"
    )
    with pytest.raises(FileNotFoundError):
        Policy.from_toml(tmp_path / "missing.toml")


# --- the line scanner --------------------------------------------------------------------------------------

TRICKY = [  # one source line each
    '# comment with [[brackets]] and "quotes',
    'top = "a # no comment" # one',
    "\"quoted \\u006bey\"   .  'lit.eral' = 1",
    'multi = """',
    "[not.a.table]",
    'key = 5 \\""" \\',
    '"""""',
    "raw = '''",
    "[[neither]]",
    "''''' # two more quotes belong to it",
    "list = [ # [",
    "  1, 'two]', [3, \"]\"],",
    "  { x = 1, y.z = [ 2 ] },",
    "",
    "  2024-01-01T00:00:00Z, 1e3,",
    "]",
    "inline = { a = { b = '}' }, c = [] }",
    "[ table . sub ]  # header",
    "k = 1",
    "[[many]]",
    "v = 1",
    "[[many.inner]]",
    "w = 1",
    "[[ many.inner ]]",
    "w = 2",
    "[many.sub]",
    "z = 3",
    "[[many]]",
    "[[many.inner]]",
    "w = 3",
    "last = true",
]


def parse(text: str) -> Any:
    return policy_toml.tomllib.loads(text)  # type: ignore[attr-defined]


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path in parsed data."""
    found = [path] if path else []
    pairs: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in pairs:
        found += paths(item, (*path, key))
    return found


def test_line_numbers() -> None:
    text = "\n".join(TRICKY)
    lines = line_numbers(text)
    assert sorted(map(str, lines)) == sorted(map(str, paths(parse(text))))

    def line(start: str, nth: int = 0) -> int:
        return [index for index, source in enumerate(TRICKY, 1) if source.startswith(start)][nth]

    wanted: dict[tuple[str | int, ...], int] = {
        ("top",): line("top"),
        ("quoted key", "lit.eral"): line('"quoted'),
        ("multi",): line("multi"),
        ("raw",): line("raw"),
        ("list",): line("list"),
        ("list", 0): line("  1,"),
        ("list", 2, 1): line("  1,"),
        ("list", 3, "y", "z", 0): line("  { x"),
        ("list", 5): line("  2024"),
        ("inline", "a", "b"): line("inline"),
        ("table", "sub"): line("[ table"),
        ("table", "sub", "k"): line("k = "),
        ("many", 0): line("[[many]]"),
        ("many", 0, "inner", 1): line("[[ many.inner"),
        ("many", 0, "inner", 1, "w"): line("w = 2"),
        ("many", 0, "sub", "z"): line("z = 3"),
        ("many", 1): line("[[many]]", 1),
        ("many", 1, "inner", 0, "w"): line("w = 3"),
        ("many", 1, "inner", 0, "last"): line("last"),
    }
    assert {path: lines[path] for path in wanted} == wanted


@pytest.mark.parametrize(
    "text", ["", "\n", "a=1", "# c", "a = [\n]\n", "a = {}", "a = [[],[{}]]", "[a]", "[[a]]"]
)
def test_line_numbers_of_small_texts(text: str) -> None:
    assert sorted(map(str, line_numbers(text))) == sorted(map(str, paths(parse(text))))


def test_damaged_texts_raise_nothing_else() -> None:
    """Mutations of the example either load or raise PolicyError with a line."""
    source = EXAMPLE.read_text()
    pieces = [
        '"',
        "'",
        "[",
        "]",
        "{",
        "}",
        "=",
        ",",
        ".",
        "#",
        "\n",
        "-1",
        "true",
        "1.5",
        "nan",
        "\\",
        "\x00",
        "'x'",
    ]
    chance = random.Random(20)
    loaded = 0
    for _ in range(FUZZ):
        text = source
        for _ in range(chance.randint(1, 3)):
            start = chance.randrange(len(text))
            text = text[:start] + chance.choice(pieces) + text[start + chance.choice((0, 1, 5)) :]
        try:
            Policy.from_toml_text(text, "p.toml")
            loaded += 1
        except PolicyError as error:
            found = re.match(r"p\.toml:(\d+): ", str(error))
            assert found is not None, error
            assert 1 <= int(found[1]) <= text.count("\n") + 1
    assert 0 < loaded < FUZZ

"""Real programs in five languages run as elsewhere: what they print and write is compared byte by byte.

They are compiled from ``tests/programs`` by toolchains from PyPI, npm and Debian, which are fetched once and
kept in ``tests/guests/build``.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.guests import aot, build
from tests.programs import launch, toolchains

pytestmark = pytest.mark.programs
Form = Callable[[Path], tuple[str, ...]]


@pytest.fixture(params=["module", "compiled"])
def form(request: pytest.FixtureRequest) -> Form:
    """A program as words of the command line: as it is, or compiled ahead of time for this machine."""

    def words(path: Path) -> tuple[str, ...]:
        if request.param == "module":
            return (str(path),)
        file = aot.program(path)
        return (
            "--engine",
            "wasm2c",
            "--allow-native",
            hashlib.sha256(file.read_bytes()).hexdigest(),
            str(file),
        )

    return words


TEXT = b"The quick brown fox; the lazy dog.\nThe end, the END: fox?\n"


def lines(*expected: str) -> bytes:
    return "".join(line + "\n" for line in expected).encode()


def test_c(tmp_path: Path, form: Form) -> None:
    (tmp_path / "one.txt").write_bytes(TEXT)
    (tmp_path / "two.txt").write_bytes(b"dog " * 100_000)
    words = ("--dir", f"{tmp_path}::/w", "--env", "WORDS_REPORT=/w/report.txt", *form(toolchains.c_program()))
    done = launch.run(*words, "/w/one.txt", "/w/two.txt")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == lines(
        "100012 words, 7 distinct, 14287.429 each",
        "100001 dog",
        "     4 the",
        "     2 end",
        "     2 fox",
        "     1 brown",
        "     1 lazy",
        "     1 quick",
        "2000-02-29",
    )
    assert (
        tmp_path / "report.txt"
    ).read_bytes() == b"dog 100001\nthe 4\nend 2\nfox 2\nbrown 1\nlazy 1\nquick 1\n"


def test_c_from_stdin_and_without_a_grant(tmp_path: Path, form: Form) -> None:
    done = launch.run(*form(toolchains.c_program()), stdin=b"one two one")
    assert done.stdout == lines("3 words, 2 distinct, 1.500 each", "     2 one", "     1 two", "2000-02-29")
    (tmp_path / "one.txt").write_bytes(TEXT)
    done = launch.run(*form(toolchains.c_program()), tmp_path / "one.txt")
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.startswith(b"words: %s: " % str(tmp_path / "one.txt").encode())


def test_cpp(tmp_path: Path, form: Form) -> None:
    (tmp_path / "in").write_bytes(b"nut 300 0.25\nbolt 20 10\nnot a line\nnut 100 0.5\nnail 9999 0.01\n")
    done = launch.run("--dir", f"{tmp_path}::/d", *form(toolchains.cpp_program()), "/d/in", "/d/out")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"3 items, 424.99\n", b"")
    assert (tmp_path / "out").read_bytes() == lines(
        "bolt        20    200.00", "nut        400    125.00", "nail      9999     99.99"
    )
    done = launch.run("--dir", f"{tmp_path}::/d", *form(toolchains.cpp_program()), "/d/none", "/d/out")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"stock: cannot read /d/none\n")


def test_go_files(tmp_path: Path) -> None:
    done = launch.run("--dir", f"{tmp_path}::/box", toolchains.go_program(), "files", "/box")
    data = bytes(i * 7 & 0xFF for i in range(1 << 20)) + b"tail"
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == lines(
        f"moved.bin 1048580 {hashlib.sha256(data).hexdigest()}",
        "tail tail",
        "entries 200 000.txt 199.txt",
        "walked 205",
        "missing true",
        "outside true",
        "left 1 moved.bin",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["moved.bin"]
    assert (tmp_path / "moved.bin").read_bytes() == data


def test_go_compiled(long: bool, tmp_path: Path) -> None:
    """More than a megabyte, whose C is 32 MB: a minute of compiling, so only in the long run."""
    if not long:
        pytest.skip("needs --long")
    assert toolchains.go_program().stat().st_size > 1 << 20
    file = aot.program(toolchains.go_program(), level=0)
    native = ("--allow-native", hashlib.sha256(file.read_bytes()).hexdigest(), file)
    for name, words in (("one", [toolchains.go_program()]), ("two", native)):
        (tmp_path / name).mkdir()
        done = launch.run("--dir", f"{tmp_path / name}::/box", *words, "files", "/box")
        assert (done.returncode, done.stderr) == (0, b"")
        (tmp_path / f"{name}.out").write_bytes(done.stdout)
    assert (tmp_path / "one.out").read_bytes() == (tmp_path / "two.out").read_bytes() != b""


def test_go_goroutines_and_timers() -> None:
    done = launch.run(toolchains.go_program(), "timers")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == lines(
        "goroutines 49995000",
        *(f"tick {tick}" for tick in range(1, 6)),
        "deadline context deadline exceeded",
        "long enough true, soon enough true",
        "year true",
    )


def test_go_echo_server() -> None:
    program = toolchains.go_program()
    with launch.started("--listen", launch.LISTEN, program, "serve", "5") as server:
        port = launch.port_of(server)
        # All five are open at once, and the last one to come is the first to be served.
        clients = [launch.connect(port) for _ in range(5)]
        for turn in range(20):
            for number, client in reversed(list(enumerate(clients))):
                line = f"client {number} turn {turn}\n".encode()
                assert launch.exchange(client, line, len(line) + 6) == b"echo: " + line
        large = b"x" * 1_000_000 + b"\n"
        assert launch.exchange(clients[0], large, len(large) + 6) == b"echo: " + large
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
            client.close()
        stdout, stderr = server.communicate(timeout=30)
    assert (server.returncode, stdout, stderr) == (0, b"listening\nserved 5 connections, 101 lines\n", b"")


def test_c_echo_server() -> None:
    data = bytes(range(256)) * 4000
    with launch.started("--listen", launch.LISTEN, build.guest("echo"), "2") as server:
        port = launch.port_of(server)
        for _ in range(2):
            client = launch.connect(port)
            sender = threading.Thread(target=client.sendall, args=(data,))
            sender.start()
            assert launch.exchange(client, b"", len(data)) == data
            sender.join()
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
            client.close()
        stdout, stderr = server.communicate(timeout=30)
    assert (server.returncode, stdout, stderr) == (0, b"listening\nechoed 1024000\nechoed 1024000\n", b"")


def rust() -> Path:
    try:
        return toolchains.rust_program()
    except toolchains.Unavailable as error:
        pytest.skip(str(error))


def test_rust(tmp_path: Path, form: Form) -> None:
    grants = ("--dir", f"{tmp_path}::/box", "--env", "B=2", "--env", "A=one two")
    done = launch.run(*grants, *form(rust()), "/box", "é", stdin=b"x\ny\nx\n")
    assert (done.returncode, done.stderr) == (17, b"")
    assert done.stdout == lines(
        'args ["/box", "é"]',
        'env {"A": "one two", "B": "2"}',
        'stdin {"x": 2, "y": 1}',
        'lines 1001 last "the end"',
        r'tail "the end\n" head "line X"',
        "copied 6",
        'entries {"copy.txt": false, "moved.txt": false, "x": true}',
        "missing NotFound",
        "outside true",
        "modified true",
        "slept true true",
        "clock true",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["moved.txt"]
    assert (tmp_path / "moved.txt").read_bytes() == b"line X"


def test_rust_panic(form: Form) -> None:
    done = launch.run(*form(rust()), "panic")
    assert done.returncode == 134
    assert done.stdout == lines('args ["panic"]', "env {}")
    assert b"asked to" in done.stderr and b"unreachable" in done.stderr


def a_day_of_python(box: Path, program: Path, code: int, *options: str) -> None:
    """day.py in ``box``: all that it prints and leaves; ``code``: what its 23 becomes."""
    text = (Path(toolchains.HERE) / "day.py").read_text()
    grants = ("--dir", f"{box}::/work", "--env", "DAY=sunny")
    done = launch.run(*grants, *options, program, "-c", text, "/work", "ü", stdin=b'{"list": [1, 2]}')
    data = bytearray(i * 7 % 256 for i in range(300_000))
    data[100_000:100_004] = b"here"
    assert (done.returncode, done.stderr) == (code, b"to stderr\n")
    assert done.stdout == lines(
        "python 3 12 wasi",
        "argv ['/work', 'ü'] env sunny",
        "stdin [1, 2]",
        f"tail {data[-4:].hex()}",
        f"sha256 {hashlib.sha256(data).hexdigest()}",
        "names ['b', 'one', 'three', 'two'] ['a/three', 'a/two']",
        "stat 300000 True",
        "json {'words': ['one', 'two', 'three'], 'pi': 3.14159}",
        "sqlite (1000, 499500, 'row 999')",
        "again ('row 500',)",
        "refused FileNotFoundError",
        "refused PermissionError",
        "refused FileNotFoundError",
        "random 339563 100",
        "slept True True",
    )
    assert (box / "data.bin").read_bytes() == data
    assert (box / "day.json").read_bytes() == b'{"words": ["one", "two", "three"], "pi": 3.14159}'
    assert (box / "day.db").read_bytes()[:16] == b"SQLite format 3\0"


def test_python(tmp_path: Path) -> None:
    a_day_of_python(tmp_path, toolchains.python_module(), 23)


def test_python_raises_and_reads_a_script(tmp_path: Path) -> None:
    done = launch.run(toolchains.python_module(), "-c", "raise ValueError(1)")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b"ValueError: 1\n")
    (tmp_path / "helper.py").write_text("def twice(x): return x * 2\n")
    (tmp_path / "main.py").write_text("import helper, sys\nprint(helper.twice(int(sys.argv[1])))\n")
    done = launch.run("--dir", f"{tmp_path}::/app", toolchains.python_module(), "/app/main.py", "21")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"42\n", b"")

"""The policy as data: what it accepts, what it refuses, and in which words."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from wasi_native.errors import PolicyError
from wasi_native.policy import (
    CLOSED,
    INHERIT,
    NULL,
    Capture,
    Clock,
    Dial,
    Dir,
    File,
    Limits,
    Listen,
    MemoryDir,
    Offset,
    Policy,
    Random,
    output_kind,
    stdin_kind,
)


def refused(text: str, make: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        make(*args, **kwargs)
    assert text in str(caught.value), str(caught.value)


def test_default_grants_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "outside")
    policy = Policy()
    for granted in (policy.args, policy.dirs, policy.files, policy.listen, policy.dial):
        assert granted == ()
    assert policy.program is None and dict(policy.env) == {}
    assert policy.stdin == policy.stdout == policy.stderr == NULL
    assert policy.clocks == Clock() and policy.random == Random() and policy.limits == Limits()
    assert policy.allow_overlap is False
    assert policy.describe() == ["nothing is granted"]


def full(**more: Any) -> Policy:
    return Policy(
        program="app",
        args=["-v", "x y"],
        env={"TOKEN": "hunter2"},
        dirs=[
            Dir("/srv/a", "/a", quota=1 << 20),
            MemoryDir("/tmp", size=3),
            Dir.temporary("/spool", quota=4096),
        ],
        files=[File("/dev/ttyS0", read_only=False, device=True)],
        stdin=b"secret data",
        stdout=Capture(),
        stderr=INHERIT,
        listen=[Listen("tcp://127.0.0.1:8080?nodelay=1")],
        dial=[Dial("unix:///run/x.sock")],
        clocks=Clock(realtime=5, monotonic=Offset(7)),
        random=Random(4242),
        limits=Limits(memory=16 << 20, wall_time=0.5, fds=64),
        **more,
    )


def test_describe_shows_grants_and_no_secret() -> None:
    lines = full(allow_overlap=True).describe()
    assert lines == [
        "program: 'app'",
        "args: '-v' 'x y'",
        "env: 'TOKEN'",
        "dir '/a': host '/srv/a', read and write, quota 1 MiB",
        "dir '/tmp': in memory, size 3 bytes",
        "dir '/spool': temporary, quota 4 KiB",
        "file '/ttyS0': host '/dev/ttyS0', read and write, device",
        "listen 'tcp://127.0.0.1:8080?nodelay=1'",
        "dial 'unix:///run/x.sock'",
        "stdin: bytes",
        "stdout: capture 1 MiB",
        "stderr: inherit",
        "clock realtime: fixed at 5 ns, 0 ns more after each reading",
        "clock monotonic: system +7 ns",
        "random: seeded, repeatable, not secret",
        "limit wall_time: 0.5 s",
        "limit memory: 16 MiB",
        "limit fds: 64",
        "overlapping preopens are allowed",
    ]
    text = repr(full())
    assert "hunter2" not in text and "4242" not in text


def test_import_is_cheap() -> None:
    code = "import sys, wasi_native.policy as p; p.Policy(dirs=[p.Dir('a')]); print(*sys.modules)"
    root = pathlib.Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    loaded = set(done.stdout.split())
    heavy = {
        "dataclasses",
        "inspect",
        "typing",
        "re",
        "enum",
        "ipaddress",
        "hashlib",
        "tomllib",
        "urllib",
        "socket",
    }
    assert not loaded & heavy
    assert not {name for name in loaded if name.endswith(("._core", ".board", ".host"))}


# --- overlap: case 30 --------------------------------------------------------------------------------------


def test_guest_names_are_unique() -> None:
    grants = [Dir("/one", "/x"), Dir("/two", "/y"), MemoryDir("/x")]
    text = "Policy.dirs[2].guest: the guest name '/x' is already that of dirs[0]; write another one"
    refused(text, Policy, dirs=grants)
    refused(text, Policy, dirs=grants, allow_overlap=True)
    refused(
        "Policy.files[0].guest: the guest name '/x' is already",
        Policy,
        dirs=grants[:1],
        files=[File("/f", "/x")],
    )


REFUSED: list[tuple[Any, Any, str]] = [
    (
        Dir("/rw", "/a"),
        Dir("/rw/d", "/b", read_only=True),
        "'/rw/d' is inside, with another permission, '/rw'",
    ),
    (
        Dir("/rw/d", "/b", read_only=True),
        Dir("/rw", "/a"),
        "'/rw' is around, with another permission, '/rw/d'",
    ),
    (Dir("/x", "/a"), Dir("/x", "/b"), "'/x' is the same as '/x'"),
    (Dir("/x", "/a", read_only=True), Dir("/x/./", "/b", read_only=True), "'/x/./' is the same as '/x'"),
    (Dir("/x", "/a"), Dir("//x/y/..", "/b"), "is the same as"),
    (Dir("/", "/a"), Dir("/etc", "/b", read_only=True), "is inside"),
    (Dir(".", "/a"), Dir("d", "/b", read_only=True), "is inside"),
    (Dir("..", "/a"), Dir(".", "/b", read_only=True), "is inside"),
    (Dir("../..", "/a"), Dir("../x", "/b", read_only=True), "is inside"),
    (Dir("/q", "/a", quota=10), Dir("/q/d", "/b"), "is inside"),
    (Dir("/q", "/a"), Dir("/q/d", "/b", max_file_size=1), "is inside"),
    (Dir("/r", "/a", read_only=True), File("/r/f", "/b", read_only=False), "is inside"),
    (Dir("/dev", "/a", read_only=True), File("/dev/tty", "/b", device=True), "is inside"),
    (File("/f", "/a"), File("/f", "/b"), "is the same as"),
]


@pytest.mark.parametrize(("one", "two", "text"), REFUSED)
def test_overlap_is_refused(one: Any, two: Any, text: str) -> None:
    grants: dict[str, Any] = {
        "dirs": [grant for grant in (one, two) if isinstance(grant, Dir)],
        "files": [grant for grant in (one, two) if isinstance(grant, File)],
    }
    with pytest.raises(PolicyError) as caught:
        Policy(**grants)
    assert text in str(caught.value)
    assert "grant one of them, or set allow_overlap=True" in str(caught.value)
    assert Policy(**grants, allow_overlap=True).allow_overlap


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Dir("/a", "/x"), Dir("/ab", "/y", read_only=True)),
        (Dir("/a", "/x"), Dir("/a/b", "/y")),
        (Dir("/a", "/x", read_only=True), Dir("/a/b", "/y", read_only=True)),
        (Dir("a", "/x"), Dir("../a", "/y", read_only=True)),
        (Dir("../a", "/x"), Dir("..", "/y")),
        (Dir("a", "/x"), Dir("/a/a", "/y", read_only=True)),
        (Dir(".", "/x"), Dir("../b", "/y", read_only=True)),
        (MemoryDir("/x"), MemoryDir("/x/y")),
    ],
)
def test_nesting_that_is_fine(one: Any, two: Any) -> None:
    assert Policy(dirs=[one, two]).dirs == (one, two)
    assert Policy(dirs=[two, one]).dirs == (two, one)


# --- streams -----------------------------------------------------------------------------------------------


def test_stream_kinds(tmp_path: pathlib.Path) -> None:
    assert [stdin_kind(value) for value in (None, NULL, INHERIT, CLOSED, b"x")] == [
        "null",
        "null",
        "inherit",
        "closed",
        "bytes",
    ]
    assert stdin_kind(io.BytesIO()) == output_kind(io.BytesIO()) == "file"
    with open(tmp_path / "out", "wb") as file:
        assert output_kind(file) == "file"
    with (
        open(tmp_path / "out") as text,
        pytest.raises(PolicyError, match=r"Policy\.stdin: .* is a text stream"),
    ):
        stdin_kind(text)
    assert [output_kind(value) for value in (None, CLOSED, Capture(5), print)] == [
        "null",
        "closed",
        "capture",
        "callback",
    ]
    refused(
        "Policy.stdin: 'hello' is not a stream; write INHERIT, NULL, CLOSED or bytes", Policy, stdin="hello"
    )
    refused("Policy.stdin: 0 cannot be read; write bytes or a binary file", Policy, stdin=0)
    refused("Policy.stdin: Capture(limit=1048576) cannot be read", Policy, stdin=Capture())
    refused("Policy.stdin: <built-in function print> cannot be read", Policy, stdin=print)
    refused(
        "Policy.stdout: b'x' cannot be written; write Capture(), a file or a function", Policy, stdout=b"x"
    )
    refused("Policy.stdout: 1 cannot be written", Policy, stdout=1)
    refused("is a text stream; pass its .buffer or a binary file", Policy, stdout=io.StringIO())
    refused("Policy.stderr: Capture is a class; write Capture()", Policy, stderr=Capture)
    refused("Policy.stdin: BytesIO is a class; write BytesIO()", Policy, stdin=io.BytesIO)
    refused("Capture.limit: 0 is out of range", Capture, 0)

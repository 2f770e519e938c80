"""core/p2/cli.c: environment, exit, the standard streams and terminals."""

from __future__ import annotations

import os
import pty
from collections.abc import Callable

import pytest

from tests.p2.driver import Guest2
from wasi_native import Exit, Policy

CLI = ("wasi:cli/environment", "wasi:cli/exit", "wasi:cli/stdin", "wasi:cli/stdout", "wasi:cli/stderr")
TERMINAL = ("wasi:cli/terminal-stdin", "wasi:cli/terminal-stdout", "wasi:cli/terminal-stderr")
TERMINAL += ("wasi:cli/terminal-input", "wasi:cli/terminal-output")
GET = {  # the function, and the resource that it gives
    "terminal-stdin#get-terminal-stdin": "terminal-input",
    "terminal-stdout#get-terminal-stdout": "terminal-output",
    "terminal-stderr#get-terminal-stderr": "terminal-output",
}
Make = Callable[..., Guest2]
OUT = 0x100


def strings(g: Guest2, ptr: int) -> list[bytes]:
    at, count = g.unpack("II", ptr)
    return [g.bytes_at(at + 8 * index) for index in range(count)]


@pytest.mark.parametrize("realloc", ["bump", "grow"])
def test_get_arguments(make2: Make, realloc: str) -> None:
    g = make2(*CLI, policy=Policy(program="p", args=["one", "", "zwölf", "€𝄞"]), realloc=realloc)
    with g.writes_only((OUT, 8)):
        g("environment#get-arguments", OUT)
    assert strings(g, OUT) == [text.encode() for text in ("p", "one", "", "zwölf", "€𝄞")]


@pytest.mark.parametrize("realloc", ["bump", "grow"])
def test_get_environment(make2: Make, realloc: str) -> None:
    env = {"A": "b", "EMPTY": "", "TWO": "a=b=c", "Ü": "ß"}
    g = make2(*CLI, policy=Policy(env=env), realloc=realloc)
    with g.writes_only((OUT, 8)):
        g("environment#get-environment", OUT)
    at, count = g.unpack("II", OUT)
    pairs = {g.bytes_at(at + 16 * i).decode(): g.bytes_at(at + 16 * i + 8).decode() for i in range(count)}
    assert pairs == env


def test_nothing_was_given(make2: Make) -> None:
    g = make2(*CLI, policy=Policy())
    g("environment#get-environment", OUT)
    assert g.unpack("II", OUT)[1] == 0


def test_initial_cwd(make2: Make) -> None:
    g = make2(*CLI)
    with g.writes_only((OUT, 1)):
        g("environment#initial-cwd", OUT)
    assert g.memory.u8(OUT) == 0


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("exit", 0, 0),
        ("exit", 1, 1),
        ("exit-with-code", 0, 0),
        ("exit-with-code", 7, 7),
        ("exit-with-code", 255, 255),
        ("exit-with-code", 0x1FF, 255),
    ],
)
def test_exit(make2: Make, name: str, value: int, code: int) -> None:
    g = make2(*CLI)
    with pytest.raises(Exit) as ended:
        g(f"exit#{name}", value)
    assert ended.value.code == code


def test_a_result_has_two_cases(make2: Make) -> None:
    for value in (2, 2**32 - 1):
        assert "discriminant" in make2(*CLI).traps("exit#exit", value)


def test_standard_streams_are_of_their_kind(make2: Make) -> None:
    """Each call makes a handle; a drop closes nothing."""
    g = make2(*CLI, "wasi:io/streams", policy=Policy(stdin=b"abc"))
    first, second = g("stdin#get-stdin"), g("stdin#get-stdin")
    assert first != second
    g("streams#[resource-drop]input-stream", first)
    g("streams#[method]input-stream.read", second, 2, OUT)
    assert g.memory.u8(OUT) == 0 and g.bytes_at(OUT + 4) == b"ab"
    out, err = g("stdout#get-stdout"), g("stderr#get-stderr")
    assert "wrong type" in g.traps("streams#[method]input-stream.read", out, 2, OUT)
    assert len({out, err, second}) == 3


def test_a_terminal_is_a_terminal(make2: Make) -> None:
    leader, follower = pty.openpty()
    try:
        g = make2(*TERMINAL)
        for name in GET:
            with g.writes_only((OUT, 1)):
                g(name, OUT)
            assert g.memory.u8(OUT) == 0
        for fd in range(3):
            g.instance._sys.stdio_fd(fd, follower)
        for name, kind in GET.items():
            with g.writes_only((OUT, 1), (OUT + 4, 4)):
                g(name, OUT)
            assert g.memory.u8(OUT) == 1
            g(f"{kind}#[resource-drop]{kind}", g.unpack("I", OUT + 4))
    finally:
        os.close(leader)
        os.close(follower)


@pytest.mark.parametrize("what", ["null", "pipe", "file"])
def test_what_is_no_terminal(make2: Make, what: str, tmp_path: object) -> None:
    r, w = os.pipe()
    null = os.open("/dev/null", os.O_RDWR)
    file = os.open(os.path.join(str(tmp_path), "f"), os.O_CREAT | os.O_RDWR)
    try:
        g = make2(*TERMINAL)
        g.instance._sys.stdio_fd(0, {"null": null, "pipe": r, "file": file}[what])
        g.instance._sys.stdio_fd(1, {"null": null, "pipe": w, "file": file}[what])
        for name in list(GET)[:2]:
            g(name, OUT)
            assert g.memory.u8(OUT) == 0
    finally:
        for fd in (r, w, null, file):
            os.close(fd)

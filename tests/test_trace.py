"""Traces: lines, filters, JSON, broken outputs, and the table of counts."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from wasi_native import trace
from wasi_native.trace import Stats, Tracer, Unknown, both

P1 = "wasi_snapshot_preview1"


class Call:
    """A call as the host reports it, over a memory of our own."""

    results, nanoseconds = "i", 1500

    def __init__(
        self, name: str, memory: bytes = b"", err: int = 0, error: str = "SUCCESS", **args: int
    ) -> None:
        self.module, self.name, self.data = P1, name, memory
        self.err, self.result, self.error_name = min(err, 0), max(err, 0), error
        self.param_names, self.args, self.params = tuple(args), tuple(args.values()), "i" * len(args)

    def memory(self, ptr: int, size: int, /) -> bytes | None:
        assert 0 <= ptr < 2**32 and 0 <= size < 2**32, "the host refuses numbers beyond 32 bits"
        return self.data[ptr : ptr + size] if ptr + size <= len(self.data) else None


def write(size: int = 6, **more: Any) -> Call:
    memory = (16).to_bytes(4, "little") + (6).to_bytes(4, "little") + size.to_bytes(8, "little") + b"hello\n"
    return Call("fd_write", memory, fd=1, iovs=0, iovs_len=1, nwritten=8, **more)


OPEN = {"fd": 3, "dirflags": 0, "path": 0, "path_len": 2}


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"fd_write": "files", "fd_read": "files", "path_open": "files", "clock_time_get": "clock"}
    names |= {"random_get": "random", "proc_exit": "process"}
    monkeypatch.setattr(trace, "rows", lambda: [(P1, n, "", "", (), g) for n, g in names.items()])


def lines(*calls: Call, **options: Any) -> list[str]:
    out = io.StringIO()
    tracer = Tracer(out, **options)
    for call in calls:
        tracer(call)
    return out.getvalue().splitlines()


def test_text() -> None:
    assert lines(write()) == [r'fd_write(fd=1, iovs=[{0x10, 6}"hello\n"], iovs_len=1) = 6 <1.50 us>']


def test_errors_by_name() -> None:
    gone = Call("path_open", b"a\n", err=44, error="NOENT", **OPEN)
    assert lines(gone) == [
        r'path_open(fd=3, dirflags=0, path="a\n", path_len=2) = ENOENT (no such file or directory) <1.50 us>'
    ]
    assert "ENOTCAPABLE (the descriptor lacks the right)" in lines(Call("x", err=76, error="NOTCAPABLE"))[0]
    assert "= EWHAT (unknown error) <" in lines(Call("x", err=999, error="WHAT"))[0]


def test_ends() -> None:
    assert lines(Call("proc_exit", err=-1, error="exit", rval=3)) == [
        "proc_exit(rval=3) = ? (exit) <1.50 us>"
    ]


def test_several_results() -> None:
    call = Call("args_sizes_get", bytes([2, 0, 0, 0, 9, 0, 0, 0]), argc=0, argv_buf_size=4)
    assert lines(call) == ["args_sizes_get() = argc 2, argv_buf_size 9 <1.50 us>"]


def test_a_name_cannot_forge_a_line() -> None:
    call = Call("x\nfd_write(fd=1) = 6\x1b[2J")
    call.module = "env\r\n"
    assert lines(call) == [r'"env\r\n"."x\nfd_write(fd=1) = 6\x1b[2J"() = 0 <1.50 us>']


def test_json() -> None:
    first, second, third = map(
        json.loads,
        lines(
            write(),
            Call("path_open", b"\x1b\n", err=44, error="NOENT", **OPEN),
            Call("proc_exit", err=-1, error="exit", rval=3),
            format="json",
        ),
    )
    assert first == {
        "module": P1,
        "name": "fd_write",
        "args": {"fd": 1, "iovs": 0, "iovs_len": 1, "nwritten": 8},
        "shown": {"iovs": '[{0x10, 6}"hello\\n"]'},
        "ns": 1500,
        "result": {"nwritten": 6},
    }
    assert second["error"] == "NOENT" and second["shown"]["path"] == '"\\x1b\\n"' and "result" not in second
    assert third["end"] == "exit"


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="xml"):
        Tracer(io.StringIO(), format="xml")
    with pytest.raises(ValueError, match="negative"):
        Tracer(io.StringIO(), string_size=-1)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (None, "fd_write path_open clock_time_get"),
        ("", "fd_write path_open clock_time_get"),
        ("fd_write", "fd_write"),
        ("files", "fd_write path_open"),
        ("!files", "clock_time_get"),
        ("path_*, clock", "path_open clock_time_get"),
        ("files,!path_*", "fd_write"),
        (["!fd_write", "!clock"], "path_open"),
        ("nothing", ""),
    ],
)
def test_filter(words: Any, names: str) -> None:
    calls = [write(), Call("path_open"), Call("clock_time_get"), write()]
    seen = dict.fromkeys(line.partition("(")[0] for line in lines(*calls, filter=words))
    assert " ".join(seen) == names


def test_a_strict_filter_knows_its_words() -> None:
    with pytest.raises(Unknown, match="did you mean fd_write") as caught:
        Tracer(io.StringIO(), filter="files,!fd_wirte", strict=True)
    assert caught.value.word == "fd_wirte"
    with pytest.raises(Unknown):
        Tracer(io.StringIO(), filter="zz*", strict=True)
    Tracer(io.StringIO(), filter="files,fd_*,!random_get", strict=True)


class Full:
    def __init__(self, error: Exception) -> None:
        self.error, self.tries = error, 0

    def write(self, _text: str) -> None:
        self.tries += 1
        raise self.error


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), BrokenPipeError(), ValueError("closed")]
)
def test_an_output_that_fails_ends_the_trace_alone(error: Exception) -> None:
    out = Full(error)
    tracer = Tracer(out)
    tracer(write())
    tracer(write())
    assert out.tries == 1 and isinstance(tracer.failure, OSError)


def test_stats() -> None:
    stats = Stats()
    for call in (write(), write(4), write(err=8, error="BADF"), Call("random_get", buf=0, buf_len=16)):
        stats(call)
    assert stats.to_dict() == {
        f"{P1}.fd_write": {"calls": 3, "errors": 1, "bytes": 10, "nanoseconds": 4500},
        f"{P1}.random_get": {"calls": 1, "errors": 0, "bytes": 16, "nanoseconds": 1500},
    }
    assert stats.table().splitlines() == [
        "% time  seconds us/call calls errors bytes function",
        "------ -------- ------- ----- ------ ----- ----------",
        " 75.00 0.000005    1.50     3      1    10 fd_write",
        " 25.00 0.000002    1.50     1           16 random_get",
        "------ -------- ------- ----- ------ ----- ----------",
        "100.00 0.000006    1.50     4      1    26 total",
    ]


def test_stats_of_nothing_and_of_hostile_names() -> None:
    assert Stats().table().splitlines()[-1].split() == ["0.00", "0.000000", "0.00", "0", "total"]
    stats = Stats()
    call = Call("x\x1b[2J\n")
    call.module = "env"
    stats(call)
    stats(Call("fd_write", fd=1, nwritten=2**32 - 1))
    assert r'env."x\x1b[2J\n"' in stats.table() and len(stats.table().splitlines()) == 6


def test_both() -> None:
    one, two = Stats(), Stats()
    both(one, two)(write())
    assert one.to_dict() == two.to_dict() != {}


def test_results_of_other_functions() -> None:
    call = Call("answer")
    call.module, call.result = "env", 42
    assert lines(call) == ["env.answer() = 42 <1.50 us>"]
    call.results, call.result = "F", 0x4004000000000000
    assert lines(call) == ["env.answer() = 2.5 <1.50 us>"]
    assert json.loads(lines(call, format="json")[0])["result"] == call.result
    stats = Stats()
    stats(call)
    assert stats.to_dict()["env.answer"]["errors"] == 0

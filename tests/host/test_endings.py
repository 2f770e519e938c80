"""endings.py: ends as exceptions, exceptions of callbacks unchanged, missing imports."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.guests import build
from tests.host.functions import functions
from tests.support import Guest
from wasi_native import (
    Cancelled,
    Exit,
    Host,
    HostFunction,
    InstanceDead,
    LimitExceeded,
    Limits,
    LinkError,
    Policy,
    Timeout,
    Trap,
)


class Mine(Exception):
    pass


@pytest.mark.parametrize("kind", [Mine, KeyError, KeyboardInterrupt, SystemExit, StopIteration])
def test_exceptions_surface_unchanged(host: Host, kind: type[BaseException]) -> None:
    error = kind("x")

    def fails(*_: int) -> int:
        raise error

    with host.load(build.wat("callback")).instantiate(functions=functions(add=fails, back=fails)) as instance:
        with pytest.raises(type(error)) as caught:
            instance.call("repeat", 5)
        assert caught.value is error
        assert [entry.name for entry in caught.traceback][-1] == "fails"
        with pytest.raises(InstanceDead):
            instance.call("leaf", 1)


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_exceptions_of_streams_surface_unchanged(guest: Any, stream: str) -> None:
    error = Mine("stream")

    class Broken(io.RawIOBase):
        def read(self, *_: Any) -> bytes:
            raise error

        def write(self, *_: Any) -> int:
            raise error

    g: Guest = guest(Policy(**{stream: Broken()}))
    with pytest.raises(Mine) as caught:
        g.read(0) if stream == "stdin" else g.write(1, b"x")
    assert caught.value is error and g.instance.end == "host"


NESTED = """(module
  (import "env" "back" (func $back (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $after (mut i32) (i32.const 0))
  (func (export "nest") (drop (call $back (i32.const 0))) (i32.store (i32.const 0) (i32.const 1)))
  (func (export "exit") (call $exit (i32.const 9)))
  (func (export "trap") (unreachable)))"""


@pytest.mark.parametrize(("what", "end"), [("exit", Exit), ("trap", Trap)])
@pytest.mark.parametrize("swallow", [False, True])
def test_an_end_inside_a_callback_ends_the_caller_too(
    host: Host, what: str, end: type, swallow: bool
) -> None:
    def back(_: int) -> int:
        try:
            instance.call(what)
        except end:
            if not swallow:
                raise
        return 0

    function = HostFunction("env", "back", "i", "i", back)
    with host.load(NESTED).instantiate(functions=[function]) as instance:
        with pytest.raises(end):
            instance.call("nest")
        assert instance.end == what
        assert instance.memory.u32(0) == 0  # what came after the call was not run


def test_all_missing_imports_at_once(host: Host) -> None:
    with host.load(build.wat("missing")) as module, pytest.raises(LinkError) as caught:
        module.instantiate()
    assert caught.value.missing == (
        ("wasi_snapshot_preview1", "fd_teleport", "no such function in this module"),
        ("wasi_snapshot_preview1", "fd_close", "imported with another signature"),
        ("elsewhere", "work", "unknown module"),
        ("env", "memory", "only functions can be imported"),
    )
    assert len(str(caught.value).splitlines()) == 5 and host.instances == 0


def test_a_start_section_obeys(host: Host) -> None:
    with pytest.raises(Exit) as caught:
        host.load(build.wat("start_exit")).instantiate()
    assert caught.value.code == 3
    with pytest.raises(Trap) as trapped:
        host.load(build.wat("start_trap")).instantiate()
    assert trapped.value.kind == "unreachable"
    endless = "(module (func $f (loop $l (br $l))) (start $f))"
    with pytest.raises(Timeout):
        host.load(endless).instantiate(Policy(limits=Limits(wall_time=0.05)))
    with Host(Policy(limits=Limits(fuel=1000))) as short, pytest.raises(LimitExceeded, match="fuel"):
        short.load(endless).instantiate()
    assert host.instances == 0


def test_cancelled_is_not_a_limit() -> None:
    assert not issubclass(Cancelled, LimitExceeded) and issubclass(Timeout, LimitExceeded)

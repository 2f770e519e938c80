"""Core modules that import WASI 0.2 by name, made by compilers: alone, and beside preview 1."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.libraries import library
from tests.guests import aot, build
from tests.programs import toolchains
from wasi_native import Capture, Host, Module, ModuleError, Policy, Timeout


@pytest.fixture
def load(engine2: str) -> Iterator[Callable[[Path | str, Policy], Module]]:
    hosts: list[Host] = []

    def make(source: Path | str, policy: Policy) -> Module:
        name = engine2.partition("-")[0]
        path = library(engine2) if name in ("wasm3", "wasm_c_api") else None
        hosts.append(Host(policy, engine=name, engine_path=path, board="generic-x86_64"))
        if engine2 == "wasm2c":
            return aot.load(hosts[-1], source)
        if path is not None and isinstance(source, str):
            return hosts[-1].load(aot.binary(source))
        return hosts[-1].load(source)

    yield make
    for host in hosts:
        host.close()


Load = Callable[[Path | str, Policy], Module]


def test_a_command(load: Load) -> None:
    """direct.c: its arguments, its input, its exit code; versions of its imports differ."""
    policy = Policy(args=["7", "ü"], env={"A": "one", "B": "two"}, stdin=b"x" * 40000, stdout=Capture())
    with load(build.guest("direct"), policy) as module, module.instantiate() as instance:
        assert instance.run() == 7
        out = instance.stdout.decode()
    assert out.startswith("argument 7\nargument ü\nvalue one\nvalue two\nread xxx")
    assert out.count("x") == 40000 and out.count("read ") == 2


def test_a_command_that_returns(load: Load) -> None:
    with load(build.guest("direct"), Policy(stdout=Capture())) as module, module.instantiate() as instance:
        assert instance.run() == 0 and instance.stdout == b""


def test_a_command_that_waits(load: Load) -> None:
    """Its poll of the standard input and a clock wakes up by what is written, and ends by a deadline."""
    r, w = os.pipe()
    try:
        with load(build.guest("direct"), Policy(stdout=Capture())) as module:
            with module.instantiate() as instance:
                instance._sys.stdio_fd(0, r)

                def feed() -> None:
                    os.write(w, b"first")
                    time.sleep(0.02)
                    os.write(w, b"second")

                thread = threading.Thread(target=feed)
                thread.start()
                with pytest.raises(Timeout):
                    instance.run(timeout=1)  # also where the machine stalls for a moment
                thread.join()
                assert instance.stdout == b"read first\nread second\n"
    finally:
        os.close(r)
        os.close(w)


def test_both_versions_in_one_program(load: Load) -> None:
    """mixed.c: what both print comes in order, for it is one descriptor of one world."""
    policy = Policy(program="mixed", args=["zwölf"], stdout=Capture())
    with load(build.guest("mixed"), policy) as module, module.instantiate() as instance:
        assert instance.run() == 0
        assert instance.stdout.decode() == (
            "preview 1: 2 arguments, zwölf\n0.2: 2 arguments, zwölf\npreview 1 again\n"
        )


def test_go(load: Load, engine2: str) -> None:
    """A module of Go for wasip1 that imports functions of 0.2 beside it."""
    if engine2 == "wasm2c":
        pytest.skip("its C takes minutes to compile")
    policy = Policy(program="clock", stdout=Capture())
    with load(toolchains.go_direct(), policy) as module, module.instantiate() as instance:
        assert instance.run() == 0
        wall, mono, word = instance.stdout.split()
    assert abs(int(wall) - time.time()) < 600 and int(mono) > 0 and int(word) > 0


WAT = """(module
  (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $started (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $started (i32.const 1)))
  (func (export "%s") (result i32) %s))"""


@pytest.mark.parametrize(
    "name", ["wasi:cli/run@0.2.0#run", "wasi:cli/run@0.2.12#run", "cm32p2|wasi:cli/run@0.2|run"]
)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("(i32.const 0)", 0),
        ("(i32.const 1)", 1),
        ("(i32.sub (i32.const 1) (global.get $started))", 0),  # _initialize ran before
        ("(call $exit (i32.const 0)) (unreachable)", 0),
        ("(call $exit (i32.const 1)) (unreachable)", 1),
    ],
)
def test_run_is_the_export_of_the_interface(load: Load, name: str, body: str, code: int) -> None:
    with load(WAT % (name, body), Policy()) as module, module.instantiate() as instance:
        assert instance.run() == code


@pytest.mark.parametrize(
    "name", ["wasi:cli/run@0.3.0#run", "wasi:cli/run#run", "run", "wasi:cli/run@0.2.0#walk"]
)
def test_what_is_no_run(load: Load, name: str) -> None:
    with load(WAT % (name, "(i32.const 0)"), Policy()) as module, module.instantiate() as instance:
        with pytest.raises(ModuleError, match="no _start"):
            instance.run()


POST = """(module
  (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
  (memory (export "memory") 1)
  (global $freed (export "freed") (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0x200))
  (func (export "my:pkg/sensor@1.0.0#bytes") (param i64) (result i32)
    (call $random (local.get 0) (i32.const 0x100)) (i32.const 0x100))
  (func (export "cabi_post_my:pkg/sensor@1.0.0#bytes") (param i32) (global.set $freed (local.get 0)))
  (func (export "what_was_freed") (result i32) (global.get $freed)))"""


def test_exports_of_interfaces_are_called_by_their_names(load: Load) -> None:
    """With a post-return of their own, which whoever called them calls when the result was read."""
    with load(POST, Policy()) as module, module.instantiate() as instance:
        place = instance.call("my:pkg/sensor@1.0.0#bytes", 16)
        at, length = (int.from_bytes(instance.memory.read(place + n, 4), "little") for n in (0, 4))
        assert (at, length) == (0x200, 16) and len(set(instance.memory.read(at, length))) > 1
        instance.call("cabi_post_my:pkg/sensor@1.0.0#bytes", place)
        assert instance.call("what_was_freed") == place

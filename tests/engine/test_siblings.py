"""Instances that share memories, tables, globals and functions, on engines that can."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.engine.libraries import library
from tests.guests import aot
from tests.support import Guest
from wasi_native import (
    Cancelled,
    Capture,
    EngineError,
    Host,
    HostFunction,
    Instance,
    InstanceBusy,
    Limits,
    LinkError,
    ModuleError,
    Policy,
    Timeout,
    Trap,
)

OWNER = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (table (export "table") 4 funcref)
  (global (export "count") (mut i32) (i32.const 5))
  (data (i32.const 0) "\\08\\00\\00\\00\\03\\00\\00\\00abc")
  (func (export "say") (result i32) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "get") (result i32) (global.get 0)))"""
USER = """(module
  (import "owner" "memory" (memory 1)) (import "owner" "table" (table 4 funcref))
  (import "owner" "count" (global $count (mut i32))) (import "owner" "say" (func $say (result i32)))
  (import "owner" "grow" (func $grow (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (export "memory" (memory 0))
  (func (export "go") (param i32) (result i32)
    (i32.store8 (i32.const 8) (local.get 0)) (global.set $count (i32.const 9)) (call $say))
  (func (export "far") (result i32)
    (drop (call $grow)) (i32.store (i32.const 65536) (i32.const 8)) (i32.store (i32.const 65540) (i32.const 3))
    (call $write (i32.const 1) (i32.const 65536) (i32.const 1) (i32.const 65544)))
  (func (export "trap") unreachable)
  (func (export "spin") (loop $l (br $l))))"""


def made(engine: str, **more: Any) -> Host:
    return Host(**more, engine=engine, engine_path=library(engine))


@pytest.fixture(params=["wasmtime", "wasm_c_api"])
def pair(request: pytest.FixtureRequest):
    with (
        made(request.param, policy=Policy(stdout=Capture())) as host,
        host.load(aot.binary(OWNER)) as one,
        host.load(aot.binary(USER)) as two,
    ):
        owner = one.instantiate()
        user = two.instantiate(siblings={"owner": owner})
        yield owner, user
        user.close()
        owner.close()


def test_memory_table_global_and_functions_are_shared(pair) -> None:
    owner, user = pair
    assert user.call("go", ord("X")) == 0
    assert owner.stdout == user.stdout == b"Xbc"
    assert owner.memory[8:11] == user.memory[8:11] == b"Xbc"
    assert owner.call("get") == 9


def test_memory_that_the_sibling_grows_is_seen_at_once(pair) -> None:
    owner, user = pair
    assert user.call("far") == 0
    assert owner.stdout == b"abc"
    assert len(owner.memory) == len(user.memory) == 2 * 65536


def test_a_deadline_ends_the_one_that_runs(pair) -> None:
    owner, user = pair
    with pytest.raises(Timeout):
        user.call("spin", timeout=0.05)
    assert user.end == "timeout" and owner.end is None


def test_a_trap_ends_the_one_that_trapped(pair) -> None:
    owner, user = pair
    with pytest.raises(Trap):
        user.call("trap")
    assert owner.call("get") == 5


def test_the_owner_closes_last(pair) -> None:
    owner, user = pair
    with pytest.raises(InstanceBusy, match="siblings"):
        owner.close()
    user.close()
    owner.close()
    assert owner.module.host.instances == 0


def test_what_the_sibling_lacks_is_missing() -> None:
    with Host(engine="wasmtime") as host, host.load("(module)") as one, host.load(USER) as two:
        with one.instantiate() as owner:
            with pytest.raises(LinkError) as caught:
                two.instantiate(siblings={"owner": owner})
            assert ("owner", "memory", "no such export of the sibling") in caught.value.missing
            with pytest.raises(TypeError, match="policy of the first"):
                two.instantiate(Policy(), siblings={"owner": owner})


def test_another_type_is_a_module_error() -> None:
    with Host(engine="wasmtime") as host:
        with host.load('(module (memory (export "memory") 1))') as one, one.instantiate() as owner:
            with host.load('(module (import "o" "memory" (memory 5)))') as two, pytest.raises(ModuleError):
                two.instantiate(siblings={"o": owner})


FUNCTIONS = """(module (import "owner" "get" (func $get (result i32))) (import "owner" "say" (func $say (result i32)))
  (func (export "go") (result i32) (i32.add (call $get) (call $say))))"""


@pytest.mark.parametrize("name", ["wasm2c", "wasm3", "wasm3-old"])
def test_functions_on_engines_that_link_none_themselves(name: str) -> None:
    engine = name.partition("-")[0]
    path = library(name) if engine != "wasm2c" else None
    with Host(Policy(stdout=Capture()), engine=engine, engine_path=path) as host:
        load = aot.load if engine == "wasm2c" else lambda host, text: host.load(aot.binary(text))
        with load(host, OWNER) as one, load(host, FUNCTIONS) as two, one.instantiate() as owner:
            with two.instantiate(siblings={"owner": owner}) as user:
                assert user.call("go") == 5 and owner.stdout == b"abc"


@pytest.mark.parametrize("name", ["wasmtime", "wasm2c", "wasm_c_api", "wasm3", "wasm3-old"])
@pytest.mark.parametrize("who", ["owner", "user"])
def test_cancelling_either_ends_the_one_that_runs(name: str, who: str) -> None:
    """On a thread that no tick comes to: nothing has a deadline there."""
    spin = '(module (import "host" "now" (func $now)) (func (export "spin") (call $now) (loop $l (br $l))))'
    user = '(module (import "o" "spin" (func $s)) (func (export "go") (call $s)))'
    engine, begun, said = name.partition("-")[0], threading.Event(), []
    path = library(name) if engine != "wasm2c" else None
    now = HostFunction("host", "now", "", "", begun.set)
    policy = Policy(limits=Limits(wall_time=None, cpu_time=None))

    def run(made: Instance) -> None:
        try:
            made.call("go")
        except Cancelled as error:
            said.append(error)

    with Host(policy, engine=engine, engine_path=path) as host:
        load = aot.load if engine == "wasm2c" else lambda host, text: host.load(aot.binary(text))
        with load(host, spin) as one, load(host, user) as two, one.instantiate(functions=[now]) as owner:
            with two.instantiate(siblings={"o": owner}) as made:
                thread = threading.Thread(target=run, args=[made])
                thread.start()
                assert begun.wait(10)
                (owner if who == "owner" else made).cancel()
                thread.join(10)
                ended = not thread.is_alive()
                owner.cancel()
                made.cancel()
                thread.join()
    assert ended and len(said) == 1


def test_what_cannot_be_shared_is_said() -> None:
    wanted = aot.binary(
        '(module (import "owner" "get" (func (result i32))) (import "owner" "count" (global (mut i32))))'
    )
    with made("wasm3") as host, host.load(aot.binary(OWNER)) as one, host.load(wanted) as two:
        with one.instantiate() as owner, pytest.raises(LinkError) as caught:
            two.instantiate(siblings={"owner": owner})
    assert caught.value.missing == (
        ("owner", "count", "this engine shares no such global between instances"),
    )


def test_an_engine_without_the_ability_says_so() -> None:
    with Guest(engine="fake") as g, pytest.raises(EngineError, match="shares nothing"):
        g.module.instantiate(siblings={"o": g.instance})

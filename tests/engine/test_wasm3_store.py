"""engine/wasm3_store.c: instances of wasm3 that share a memory, globals that never change, and functions."""

from __future__ import annotations

import struct

import pytest

from tests.comp.tree import Tree, call, tree
from tests.engine.libraries import library
from tests.guests import aot
from wasi_native import Capture, Host, Policy, _core
from wasi_native.errors import CoreError

PAGE = 65536
OWNER = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 4) (data (i32.const 0) "\\08\\00\\00\\00\\03\\00\\00\\00abc")
  (func (export "say") (result i32) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
  (func (export "name") (result i32) (i32.const 1))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "trap") unreachable) (func (export "spin") (loop $l (br $l))))"""
USER = """(module
  (import "o" "memory" (memory 1)) (import "o" "say" (func $say (result i32)))
  (import "o" "grow" (func $grow (result i32))) (import "o" "name" (func $name (result i32)))
  (import "o" "trap" (func $trap)) (import "o" "spin" (func $spin))
  (data (i32.const 9) "XY")
  (func (export "name") (result i32) (i32.add (call $name) (i32.const 10)))
  (func (export "set") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "size") (result i32) (memory.size))
  (func (export "mine") (result i32) (memory.grow (i32.const 1)))
  (func (export "say") (result i32) (call $say))
  (func (export "far") (result i32)
    (drop (call $grow)) (i32.store (i32.const 65540) (i32.const 77)) (i32.load (i32.const 65540)))
  (func (export "trap") (call $trap)) (func (export "spin") (call $spin)))"""
SHARED = (b"memory", b"say", b"grow", b"name", b"trap", b"spin")


@pytest.fixture(params=["wasm3", "wasm3-old"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def user_of(t: Tree, owner: _core.Instance) -> _core.Instance:
    return t.core(USER, *[(owner, name) for name in SHARED])


def test_one_memory(engine: str) -> None:
    with tree(engine) as t:
        t.sys.stdio_capture(1, 100)
        owner = t.core(OWNER, None)
        user = user_of(t, owner)
        assert call(user, "say") == 0 and t.sys.captured(1) == b"aXY"  # its data are there
        call(user, "set", 20, 99, results="")
        assert call(owner, "get", 20) == 99 and owner.memory(b"memory", 20, 4)[1] == b"\x63\0\0\0"


def test_both_see_what_either_grows(engine: str) -> None:
    with tree(engine) as t:
        owner = t.core(OWNER, None)
        user = user_of(t, owner)
        assert call(user, "far") == 77 and call(owner, "get", PAGE + 4) == 77
        assert call(user, "mine") == 2 and call(user, "size") == 3
        call(user, "set", 3 * PAGE - 4, 5, results="")
        assert call(owner, "get", 3 * PAGE - 4) == 5
        assert call(user, "mine") == 3 and call(owner, "grow") == -1 and call(user, "mine") == -1


def test_the_limit_of_memory_is_for_both(engine: str) -> None:
    with tree(engine, memory_bytes=2 * PAGE) as t:
        owner = t.core(OWNER, None)
        user = user_of(t, owner)
        assert [call(user, "mine"), call(user, "mine"), call(owner, "grow")] == [1, -1, -1]


def test_each_has_its_own_names(engine: str) -> None:
    with tree(engine) as t:
        owner = t.core(OWNER, None)
        users = [user_of(t, owner), user_of(t, owner)]
        assert [call(each, "name") for each in (owner, *users)] == [1, 11, 11]
        other = t.core(
            """(module (import "o" "memory" (memory 1)) (func $n (result i32) (i32.const 5))
            (export "a" (func $n)) (export "b" (func $n)) (export "c" (func $n)) (export "name" (func $n)))""",
            (owner, b"memory"),
        )
        assert call(other, "a") == 5
        with pytest.raises(CoreError, match="does not find this export"):  # not that of the other ones
            call(other, "name")


def test_a_start_section_of_its_own(engine: str) -> None:
    with tree(engine) as t:
        owner = t.core("""(module (memory (export "memory") 1) (data (i32.const 0) "\\02")
          (func $s (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))) (start $s)
          (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))""")
        plain = (
            '(module (import "o" "m" (memory 1)) (func (export "f") (result i32) (i32.load (i32.const 0))))'
        )
        starts = """(module (import "o" "m" (memory 1))
          (func $s (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))) (start $s))"""
        traps = '(module (import "o" "m" (memory 1)) (func $s unreachable) (start $s))'
        assert call(t.core(plain, (owner, b"memory")), "f") == 3  # the owner's is not run again
        t.core(starts, (owner, b"memory"))
        with pytest.raises(CoreError, match="unreachable"):
            t.core(traps, (owner, b"memory"))
        assert call(owner, "get", 0) == 4


def test_a_trap_in_the_other_one_ends_the_caller(engine: str) -> None:
    with tree(engine) as t:
        user = user_of(t, t.core(OWNER, None))
        with pytest.raises(CoreError, match="unreachable"):
            call(user, "trap", results="")
        assert user.end()[0] == _core.TRAP_ENGINE


def test_a_deadline_reaches_the_other_one(engine: str) -> None:
    with tree(engine) as t:
        user = user_of(t, t.core(OWNER, None))
        err, _, _ = user.call(b"spin", (), "", "", 1, False)
        assert err == _core.TIMEOUT and user.end()[0] == _core.TIMEOUT


def test_calls_to_and_fro_are_bounded(engine: str) -> None:
    """Each instance in its turn: one stack of wasm code, and of the thread."""
    with tree(engine) as t:
        late = t.func("i", "i")
        text = """(module {memory} (import "o" "f" (func $f (param i32) (result i32)))
          (func (export "g") (param i32) (result i32) (i32.store (i32.const 8) (local.get 0))
            (if (result i32) (local.get 0)
              (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
              (else (memory.grow (i32.const 1))))))"""
        owner = t.core(
            text.format(memory="").replace("(func (export", '(memory (export "m") 1) (func (export'), late
        )
        user = t.core(
            text.format(memory='(import "o" "m" (memory 1))'),
            (owner, b"m"),
            (owner, b"g"),
        )
        late.bind_core(user, b"g")
        assert call(user, "g", 20) == 21 and call(owner, "g", 7) == 9
        assert (
            owner.memory(b"m", 8, 4)[1] == b"\0\0\0\0" and len(owner.memory(b"m", 0, 3 * PAGE)[1]) == 3 * PAGE
        )
        with pytest.raises(CoreError):
            call(user, "g", 1_000_000)
        assert user.end()[0] != 0


def test_a_memory_of_other_limits(engine: str) -> None:
    with tree(engine) as t:
        owner = t.core(OWNER, None)
        for limits in ("2", "1 3"):
            with pytest.raises(
                CoreError, match=r"the memory m is imported from o with other limits"
            ) as caught:
                t.core(f'(module (import "o" "m" (memory {limits})))', (owner, b"memory"))
            assert caught.value.code == _core.INVALID
        t.core('(module (import "o" "m" (memory 1 5)))', (owner, b"memory"))
        with pytest.raises(CoreError, match="data segment"):
            t.core('(module (import "o" "m" (memory 1)) (data (i32.const 65535) "xx"))', (owner, b"memory"))
        assert call(owner, "get", PAGE - 4) == 0


def test_globals_that_never_change(engine: str) -> None:
    giver = """(module (memory (export "memory") 1) (global (export "i") i32 (i32.const -7))
      (global (export "I") i64 (i64.const 0x7fffffffffffffff)) (global (export "f") f32 (f32.const 0.5))
      (global (export "F") f64 (f64.const -0.25)) (global (export "at") i32 (i32.const 30))
      (global $two i32 (i32.const 2)) (export "one" (global $two)) (export "two" (global $two)))"""
    taker = """(module (import "o" "i" (global $i i32)) (import "o" "I" (global $I i64))
      (import "o" "f" (global $f f32)) (import "o" "F" (global $F f64)) (import "o" "at" (global $at i32))
      (import "o" "memory" (memory 1)) (data (global.get $at) "at") (global $own (mut i32) (global.get $i))
      (export "i" (global $i))
      (func (export "i32") (result i32) (i32.add (global.get $i) (global.get $own)))
      (func (export "i64") (result i64) (global.get $I)) (func (export "f32") (result f32) (global.get $f))
      (func (export "f64") (result f64) (global.get $F)))"""
    with tree(engine) as t:
        owner = t.core(giver)
        user = t.core(taker, *[(owner, name) for name in (b"i", b"I", b"f", b"F", b"at", b"memory")])
        assert call(user, "i32") == -14 and call(user, "i64", results="I") == 2**63 - 1
        assert (call(user, "f32", results="f"), call(user, "f64", results="F")) == (0.5, -0.25)
        assert owner.memory(b"memory", 30, 2)[1] == b"at"
        again = t.core('(module (import "u" "i" (global i32)) (export "x" (global 0)))', (user, b"i"))
        got = '(module (import "u" "x" (global i32)) (func (export "f") (result i32) (global.get 0)))'
        assert call(t.core(got, (again, b"x")), "f") == -7
        twice = '(module (import "a" "x" (global i32)) (import "b" "x" (global i32)))'
        hidden = '(module (import "a" "x" (global i32)) (global (export "x") i32 (i32.const 1)))'
        renamed = """(module (import "a" "x" (global i32)) (global $g i32 (i32.const 1))
          (export "x" (global $g)) (export "y" (global $g)))"""
        for text, *names in ((twice, b"i", b"at"), (hidden, b"i"), (renamed, b"i"), (got, b"one")):
            with pytest.raises(CoreError, match="does not tell this global from others"):
                t.core(text, *[(owner, name) for name in names])
        with pytest.raises(CoreError, match="mismatch"):
            t.core(got, (owner, b"I"))
        with pytest.raises(CoreError, match="no globals that change"):
            t.core('(module (import "o" "g" (global (mut i32))))', (owner, b"i"))


def test_two_memories_are_two_runtimes(engine: str) -> None:
    text = """(module (memory (export "m") 1)
      (func (export "set") (param i32) (i32.store (i32.const 0) (local.get 0)))
      (func (export "get") (result i32) (i32.load (i32.const 0))))"""
    with tree(engine) as t:
        one, two = t.core(text), t.core(text)
        both = t.core(
            """(module (import "a" "m" (memory 1)) (import "b" "get" (func $get (result i32)))
            (func (export "go") (result i32) (i32.add (i32.load (i32.const 0)) (call $get))))""",
            (one, b"m"),
            (two, b"get"),
        )
        call(one, "set", 40, results="")
        call(two, "set", 2, results="")
        assert call(both, "go") == 42 and struct.unpack("<I", two.memory(b"m", 0, 4)[1]) == (2,)


def test_one_that_closes_leaves_the_others(engine: str) -> None:
    """By name, without a component: its functions are still in the runtime, and are never found again."""
    with Host(Policy(stdout=Capture()), engine="wasm3", engine_path=library(engine)) as host:
        one, two = host.load(aot.binary(OWNER)), host.load(aot.binary(USER))
        with one.instantiate() as owner:
            for _ in range(3):
                with two.instantiate(siblings={"o": owner}) as user:
                    assert user.call("name") == 11 and user.call("say") == 0
                assert owner.call("name") == 1
            assert owner.stdout == b"aXY" * 3

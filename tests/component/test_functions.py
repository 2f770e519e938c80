"""functions.py: core functions between core modules; shims that are not made; what an engine lacks is named."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from tests.component.build import encode
from tests.engine.libraries import build_wasm3, library
from wasi_native import Host, LimitExceeded, Limits, LinkError, Policy, Trap, _core


@pytest.fixture(params=["wasmtime", "wasm3"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    path = None if request.param == "wasmtime" else library(request.param)
    with Host(engine=request.param, engine_path=path, cache=False) as made:
        yield made


def shimmed(fix: str = "func 0", start: str = "") -> str:
    return f"""(component
      (core module $Shim
        (type $f (func (param i32) (result i32)))
        (table (export "$imports") 1 1 funcref)
        (func (export "0") (type $f) (local.get 0) (i32.const 0) (call_indirect (type $f))))
      (core module $Fixup
        (import "" "0" (func (param i32) (result i32)))
        (import "" "$imports" (table 1 1 funcref)) {start}
        (elem (i32.const 0) {fix}))
      (core module $Main
        (import "late" "double" (func $double (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (call $double (local.get 0)))
        (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))
      (core instance $shim (instantiate $Shim))
      (core instance $main (instantiate $Main (with "late" (instance (export "double" (func $shim "0"))))))
      (core instance (instantiate $Fixup (with "" (instance
        (export "0" (func $main "double")) (export "$imports" (table $shim "$imports"))))))
      (func (export "run") (param "x" u32) (result u32) (canon lift (core func $main "run"))))"""


def test_a_shim_is_not_made(host: Host) -> None:
    with host.load_component(encode(shimmed())).instantiate() as instance:
        assert instance.exports["run"](21) == 42
        assert (instance._tree.elided, instance._tree.cores) == (2, 1)


def test_a_fixup_that_does_more_is(host: Host) -> None:
    component = host.load_component(encode(shimmed(start="(func $s) (start $s)")))
    if "share-tables" not in host.caps:
        with pytest.raises(LinkError, match="share-tables"):
            component.instantiate()
        return
    with component.instantiate() as instance:
        assert instance.exports["run"](21) == 42
        assert (instance._tree.elided, instance._tree.cores) == (0, 3)


def test_an_engine_that_shares_little_runs_what_was_shimmed_and_says_what_it_lacks() -> None:
    shared = """(component
      (core module $a (table (export "t") 1 funcref) (func))
      (core module $b (import "a" "t" (table 1 funcref)) (func))
      (core instance $i (instantiate $a))
      (core instance (instantiate $b (with "a" (instance $i)))))"""
    path = str(build_wasm3("new"))
    with Host(engine="wasm3", engine_path=path, cache=False) as made:
        with made.load_component(encode(shimmed())).instantiate() as instance:
            assert instance.exports["run"](21) == 42
        component = made.load_component(encode(shared))
        with pytest.raises(LinkError) as caught:
            component.instantiate()
    for words in (
        "share a table, t (imported from a)",
        "the engine wasm3 cannot do (it has not the ability share-tables)",
        "--engine wasmtime",
    ):
        assert words in str(caught.value)


def test_destructors_may_be_late(host: Host) -> None:
    text = """(component
      (core module $Shim
        (type $f (func (param i32)))
        (table (export "$imports") 1 1 funcref)
        (func (export "0") (type $f) (local.get 0) (i32.const 0) (call_indirect (type $f))))
      (core module $Fixup
        (import "" "0" (func (param i32)))
        (import "" "$imports" (table 1 1 funcref))
        (elem (i32.const 0) func 0))
      (core instance $shim (instantiate $Shim))
      (type $r (resource (rep i32) (dtor (core func $shim "0"))))
      (canon resource.new $r (core func $new))
      (core module $Main
        (import "" "new" (func $new (param i32) (result i32)))
        (global $gone (mut i32) (i32.const 0))
        (func (export "make") (result i32) (call $new (i32.const 9)))
        (func (export "gone") (result i32) (global.get $gone))
        (func (export "dtor") (param i32) (global.set $gone (local.get 0))))
      (core instance $main (instantiate $Main (with "" (instance (export "new" (func $new))))))
      (core instance (instantiate $Fixup (with "" (instance
        (export "0" (func $main "dtor")) (export "$imports" (table $shim "$imports"))))))
      (export $e "r" (type $r))
      (func (export "make") (result (own $e)) (canon lift (core func $main "make")))
      (func (export "gone") (result u32) (canon lift (core func $main "gone"))))"""
    with host.load_component(encode(text)).instantiate() as instance:
        made = instance.exports["make"]()
        assert instance.exports["gone"]() == 0
        made.close()
        assert instance.exports["gone"]() == 9 and instance._tree.elided == 2


PRODUCT = """(component
  (import "product" (func $f (param "a" u32) (param "b" u32) (result u32)))
  (canon lower (func $f) (core func $f'))
  (core module $m
    (import "" "f" (func $f (param i32 i32) (result i32)))
    (func (export "run") (result i32) (call $f (i32.const 6) (i32.const 7))))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))"""


class Stream(ctypes.Structure):
    """wn_values_t of wasi_native/values.h."""

    _fields_ = (
        ("bytes", ctypes.POINTER(ctypes.c_uint8)),
        ("at", ctypes.c_size_t),
        ("used", ctypes.c_size_t),
        ("room", ctypes.c_size_t),
        ("arena", ctypes.c_void_p),
        ("block", ctypes.c_void_p),
        ("charged", ctypes.c_uint64),
        ("lends", ctypes.c_bool),
    )


def test_a_function_in_c_by_its_address(host: Host) -> None:
    kind = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(Stream), ctypes.POINTER(Stream)
    )

    @kind
    def product(
        _ctx: int, _caller: int, params: ctypes._Pointer[Stream], result: ctypes._Pointer[Stream]
    ) -> int:
        given = bytes(params[0].bytes[i] for i in range(params[0].used))
        a, b = int.from_bytes(given[:4], "little"), int.from_bytes(given[4:], "little")
        for index, byte in enumerate((a * b).to_bytes(4, "little")):
            result[0].bytes[index] = byte
        result[0].used = 4
        return 0

    address = ctypes.cast(product, ctypes.c_void_p).value
    with host.load_component(encode(PRODUCT)).instantiate(provide={"product": address}) as instance:
        assert instance.exports["run"]() == 42


def test_what_is_of_wasi_0_3(host: Host) -> None:
    text = """(component
      (core module $m
        (import "" "set" (func $set (param i32)))
        (import "" "get" (func $get (result i32)))
        (import "" "yield" (func $yield (result i32)))
        (func (export "kept") (result i32) (call $set (i32.const 42)) (call $get))
        (func (export "waits") (drop (call $yield))))
      (canon context.get i32 0 (core func $get))
      (canon context.set i32 0 (core func $set))
      (canon thread.yield (core func $yield))
      (core instance $i (instantiate $m (with "" (instance
        (export "set" (func $set)) (export "get" (func $get)) (export "yield" (func $yield))))))
      (func (export "kept") (result u32) (canon lift (core func $i "kept")))
      (func (export "waits") (canon lift (core func $i "waits"))))"""
    with host.load_component(encode(text)).instantiate() as instance:
        assert instance.exports["kept"]() == 42
        with pytest.raises(Trap, match=r"^thread\.yield is of WASI 0\.3, which this version does not run"):
            instance.exports["waits"]()
    assert _core.TRAP_CANON < 0


BYTES = """(component
  (core module $m
    (memory (export "memory") 1)
    (global $at (mut i32) (i32.const 65536))
    (func $take (export "realloc") (param i32 i32 i32 i32) (result i32) (local $was i32)
      (local.set $was (global.get $at))  ;; the memory grows with each, so that it may move
      (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16)))))
      (global.set $at (i32.mul (memory.size) (i32.const 65536)))
      (local.get $was))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))
    (func (export "wipe") (param i32)
      (memory.fill (i32.load (i32.const 0)) (i32.const 0xEE) (i32.load (i32.const 4)))
      (drop (memory.grow (i32.const 1))))
    (func (export "second") (param i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 0) (local.get 2)) (i32.store (i32.const 4) (local.get 3)) (i32.const 0))
    (func (export "all") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))
    (func (export "many") (param $n i32) (result i32) (local $i i32)
      (loop $next
        (i32.store (i32.add (i32.const 16) (i32.shl (local.get $i) (i32.const 3))) (i32.const 0))
        (i32.store (i32.add (i32.const 20) (i32.shl (local.get $i) (i32.const 3))) (i32.const 65536))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (local.get $n)) (i32.const 0)))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (func (export "echo") (param "a" (list u8)) (result (list u8))
    (canon lift (core func $i "echo") (memory $memory) (realloc $realloc)))
  (func (export "wiped") (param "a" (list u8)) (result (list u8))
    (canon lift (core func $i "echo") (memory $memory) (realloc $realloc) (post-return (core func $i "wipe"))))
  (func (export "second") (param "a" (list u8)) (param "b" (list u8)) (result (list u8))
    (canon lift (core func $i "second") (memory $memory) (realloc $realloc)))
  (func (export "all") (param "a" (list (list u8))) (result (list (list u8)))
    (canon lift (core func $i "all") (memory $memory) (realloc $realloc)))
  (func (export "many") (param "n" u32) (result (list (list u8)))
    (canon lift (core func $i "many") (memory $memory))))"""


@pytest.mark.parametrize("size", [0, 1, 499, 500, 4096, 100_000])
def test_bytes_go_there_and_back(host: Host, size: int) -> None:
    """Of each kind of object, however deep, in a memory that moves, and where post-return overwrites what it gave."""
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    with host.load_component(encode(BYTES)).instantiate() as instance:
        exports = instance.exports
        for given in (data, bytearray(data), memoryview(data), list(data[:600])):
            for name in ("echo", "wiped"):
                assert exports[name](given) == bytes(given)
            assert exports["second"](given, data) == data and exports["second"](data, given) == bytes(given)
        assert exports["all"]([data, bytearray(data), b"", data]) == [data, data, b"", data]


def test_bytes_that_are_not_copied_count_as_those_that_are() -> None:
    policy = Policy(limits=Limits(value_bytes=1 << 20))
    with Host(policy, engine="wasmtime", cache=False) as own:
        loaded = own.load_component(encode(BYTES))
        with loaded.instantiate() as instance:
            with pytest.raises(LimitExceeded) as caught:
                instance.exports["echo"](bytes((1 << 20) + 1))
            assert caught.value.limit == "value_bytes"
            assert instance.exports["echo"](bytes(1 << 19)) == bytes(1 << 19)
            assert [len(part) for part in instance.exports["many"](7)] == [65536] * 7
            with pytest.raises(LimitExceeded) as caught:
                instance.exports["many"](17)
            assert caught.value.limit == "value_bytes" and instance.end
        loaded.close()

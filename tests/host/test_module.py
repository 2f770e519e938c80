"""module.py: loading, errors of it, functions of the embedder."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.guests import build
from tests.host.functions import functions
from wasi_native import (
    EngineError,
    Host,
    HostFunction,
    Limits,
    LinkError,
    ModuleError,
    Policy,
)


def test_functions_in_python(host: Host) -> None:
    noted: list[bytes] = []
    module = host.load(build.wat("callback"))
    with module.instantiate(
        functions=functions(note=lambda ptr, length: noted.append(instance.memory.read(ptr, length)))
    ) as instance:
        assert instance.call("add", 40, 2) == 42 and instance.call("add", -1, -2) == -3
        assert instance.call("add64", 2**40, 1) == 2**40 + 1
        assert instance.call("scale", 1.5, 2.0) == 3.0
        assert instance.call("note") is None and noted == [b"noted"]
        assert instance.call("nest", 20) == 21
        assert instance.call("repeat", 1000) == 1000


@pytest.mark.parametrize("bad", [None, "x", 1.5, 2**40, [], object()])
def test_a_function_that_gives_no_number(host: Host, bad: object) -> None:
    with host.load(build.wat("callback")).instantiate(functions=functions(add=lambda a, b: bad)) as instance:
        with pytest.raises((TypeError, OverflowError)):
            instance.call("add", 1, 2)
        assert instance.end == "host"


C_SOURCE = """
#include <stdint.h>
#include <wasi_native/engine.h>
int32_t add(void *ctx, wn_guest_t *guest, wn_value_t *values) {
  (void)guest;
  *(uint64_t *)ctx += 1;
  values[0] = (uint32_t)(values[0] + values[1]);
  return 0;
}
int32_t fails(void *ctx, wn_guest_t *guest, wn_value_t *values) { (void)ctx, (void)guest, (void)values; return -5; }
"""


@pytest.fixture(scope="module")
def c_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("c")
    (folder / "f.c").write_text(C_SOURCE)
    compiler = (sysconfig.get_config_var("CC") or "cc").split()
    include = Path(__file__).parents[2] / "include"
    command = [*compiler, "-shared", "-fPIC", f"-I{include}", str(folder / "f.c"), "-o", str(folder / "f.so")]
    subprocess.run(command, check=True, capture_output=True)
    return ctypes.CDLL(str(folder / "f.so"))


def address(function: Any) -> int:
    value = ctypes.cast(function, ctypes.c_void_p).value
    assert value is not None
    return value


def test_functions_in_c(host: Host, c_library: ctypes.CDLL) -> None:
    count = ctypes.c_uint64(0)
    others = [f for f in functions() if f.name not in ("add", "back")]
    mine = [
        HostFunction("env", "add", "ii", "i", address(c_library.add), ctypes.addressof(count)),
        HostFunction("env", "back", "i", "i", address(c_library.fails)),
    ]
    with host.load(build.wat("callback")).instantiate(functions=[*mine, *others]) as instance:
        assert instance.call("add", 40, 2) == 42 and instance.call("add", -1, -2) == -3
        assert instance.call("repeat", 100_000) == 100_000 and count.value == 100_002
        with pytest.raises(EngineError):  # it kept no reason
            instance.call("nest", 1)
        assert instance.end == "host"


def test_functions_through_ctypes_and_cffi(host: Host) -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()

    @ffi.callback("int32_t(void *, void *, uint64_t *)")
    def add(_: object, __: object, values: Any) -> int:
        values[0] = (values[0] + values[1]) & 0xFFFFFFFF
        return 0

    signature = ctypes.CFUNCTYPE(
        ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint64)
    )

    @signature
    def add64(_: object, __: object, values: Any) -> int:
        values[0] = values[0] + values[1]
        return 0

    others = [f for f in functions() if f.name not in ("add", "add64")]
    mine = [
        HostFunction("env", "add", "ii", "i", int(ffi.cast("intptr_t", add))),
        HostFunction("env", "add64", "II", "I", address(add64)),
    ]
    with host.load(build.wat("callback")).instantiate(functions=[*mine, *others]) as instance:
        assert instance.call("add", 40, 2) == 42 and instance.call("add64", 2**40, 2) == 2**40 + 2


def test_functions_of_a_wrong_shape(host: Host) -> None:
    with pytest.raises(TypeError, match="callable or the address"):
        HostFunction("m", "f", "", "", "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="letters in a str"):
        HostFunction("m", "f", (), "", print)  # type: ignore[arg-type]
    module = host.load('(module (import "m" "f" (func (param i32))))')
    for params, results in (("x", ""), ("i" * 33, ""), ("i", "ii"), ("i", "x")):
        with pytest.raises(ModuleError):
            module.instantiate(functions=[HostFunction("m", "f", params, results, print)])
    with pytest.raises(LinkError, match="imported with another signature") as caught:
        module.instantiate(functions=[HostFunction("m", "f", "I", "", print)])
    assert caught.value.missing == (("m", "f", "imported with another signature"),)
    assert host.instances == 0


def test_functions_come_before_those_of_wasi(host: Host) -> None:
    seen: list[int] = []
    mine = HostFunction("wasi_snapshot_preview1", "proc_exit", "i", "", seen.append)
    with host.load(build.wat("raw")).instantiate(functions=[mine]) as instance:
        assert instance.run() == 0
    assert seen == [7]


def test_truncated_at_every_byte(host: Host) -> None:
    raw = host._open().wat(build.wat("values").read_bytes())
    for length in range(len(raw)):
        with pytest.raises(ModuleError) as caught:
            host.load(raw[:length])
            raise ModuleError("a cut between two sections")
        if length < 4:
            assert "does not start with" in str(caught.value)
        elif length < 8:
            assert f"truncated after {length} bytes" in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "does not start with"),
        (b"MZ\x90\0\3\0\0\0", "not a WebAssembly module"),
        (b"\x7fELF" + b"\0" * 60, "not a compiled guest .*, or truncated"),
        (b"\0asm\2\0\0\0", "WebAssembly version 2 is not supported"),
        (b"\0asm\1\0\0\0\xff", "<bytes>: "),
        ("(module (func (result i32)))", "<text>: .*type mismatch"),
        ("(module (func $f)", "<text>: .*expected"),
        ("(modul)", "<text>: "),
        (b"  ;; a comment\n(module (bad))", "<bytes>: "),
    ],
)
def test_what_is_no_module(host: Host, raw: Any, text: str) -> None:
    with pytest.raises(ModuleError, match=f"(?s){text}"):
        host.load(raw)


def test_files_that_cannot_be_loaded(host: Host, tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"missing\.wasm: No such file"):
        host.load(tmp_path / "missing.wasm")
    with pytest.raises(ModuleError, match="directory"):
        host.load(tmp_path)
    (tmp_path / "half.wasm").write_bytes(b"\0asm\1\0")
    with pytest.raises(ModuleError, match=r"^half.wasm: truncated after 6 bytes"):
        host.load(os.fspath(tmp_path / "half.wasm"))
    (tmp_path / "bad.wat").write_text("(module\n  (func $x (i32.add)))")
    with pytest.raises(ModuleError, match=r"(?s)bad\.wat: "):
        host.load(tmp_path / "bad.wat")
    with pytest.raises(ModuleError, match="fake"):
        Host(engine="fake").load("(module)")
    with pytest.raises(ModuleError, match="line 2 of the fake module"):
        Host(engine="fake").load(b"fake 1\nnonsense")
    assert host.load(bytearray(build.guest("hello").read_bytes())).name == "<bytes>"
    assert host.load(memoryview(build.guest("hello").read_bytes())).name == "<bytes>"


def test_module_size(tmp_path: Path) -> None:
    raw = build.guest("hello").read_bytes()
    (tmp_path / "m.wasm").write_bytes(raw)
    with Host(Policy(limits=Limits(module_size=len(raw)))) as host:
        host.load(raw).close()
        host.load(tmp_path / "m.wasm").close()
    with Host(Policy(limits=Limits(module_size=len(raw) - 1))) as host:
        for source in (raw, tmp_path / "m.wasm"):
            with pytest.raises(ModuleError, match="more than the limit module_size"):
                host.load(source)


def test_several_memories_have_one_limit() -> None:
    text = """(module (memory $a 1) (memory $b 1)
      (func (export "a") (param i32) (result i32) (memory.grow $a (local.get 0)))
      (func (export "b") (param i32) (result i32) (memory.grow $b (local.get 0))))"""
    with Host(Policy(limits=Limits(memory=8 * 65536)), engine="wasmtime", cache=False) as host:
        with host.load(text) as module, module.instantiate() as guest:
            assert [guest.call(*call) for call in (("a", 4), ("a", 3), ("b", 3), ("b", 1))] == [-1, 1, 1, -1]
        with host.load("(module (memory 5) (memory 5))") as module:
            with pytest.raises(ModuleError, match="its 2 memories could become 655360 bytes in all"):
                module.instantiate()
            module.instantiate(Policy(limits=Limits(memory=10 * 65536))).close()


def test_a_table_is_bounded_by_the_memory_unless_it_has_a_limit() -> None:
    text = """(module (table 1 funcref)
      (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"""
    with Host(Policy(limits=Limits(memory=65536)), engine="wasmtime", cache=False) as host:
        with host.load(text) as module:
            with module.instantiate() as guest:
                assert (guest.call("grow", 5000), guest.call("grow", 4000)) == (-1, 1)
            policy = Policy(limits=Limits(memory=65536, table_elements=100_000))
            with module.instantiate(policy) as guest:
                assert guest.call("grow", 90_000) == 1

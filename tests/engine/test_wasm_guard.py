"""engine/wasm_guard.c: a guarded module computes what it did before, and can be ended."""

from __future__ import annotations

import ctypes
import mmap
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.binaries import ALL, COUNT, FLAG, INVALID, NOMEM, Binaries, Refused, proposals
from tests.engine.conftest import accepts
from tests.guests import build
from tests.guests.driver import driver_wat
from tests.test_wasm import HEAD, exported, func, imported, many, section
from wasi_native import Capture, Dir, Host, HostFunction, Instance, Policy, WasiError, _core

PERIOD = 1 << 14


class Ended(Exception):
    """Raised by a check that ends its guest."""


@pytest.fixture
def host(judge: _core.Engine) -> Iterator[Host]:
    with Host(Policy(stdout=Capture(), stderr=Capture()), engine="wasmtime", board="generic-x86_64") as made:
        yield made


def start(
    host: Host,
    wasm: bytes,
    check: Callable[[], None] = lambda: None,
    policy: Policy | None = None,
    **more: object,
) -> Instance:
    ours = HostFunction("wn", "check", "", "", check)
    return host.load(wasm).instantiate(policy, functions=[ours], **more)  # type: ignore[arg-type]


def guests() -> list[str]:
    """Ours, and what programs in other languages have been built."""
    names = [*build.wats(), *build.names()]
    built = sorted(path for path in build.BUILD.glob("*.wasm") if path.stat().st_size < 4 << 20)
    return [*names, *(path.stem for path in built if path.stem not in names)]


def binary(judge: _core.Engine, name: str) -> bytes:
    if name in build.wats():
        return judge.wat(build.wat(name).read_bytes())
    path = build.guest(name) if name in build.names() else build.BUILD / f"{name}.wasm"
    return path.read_bytes()


@pytest.mark.parametrize("check", [FLAG, COUNT])
@pytest.mark.parametrize("name", guests())
def test_a_guest_is_valid_and_has_one_import_and_one_export_more(
    binaries: Binaries, judge: _core.Engine, name: str, check: int
) -> None:
    wasm = binary(judge, name)
    out = binaries.guard(wasm, check)
    assert accepts(judge, wasm) == accepts(judge, out)
    before, after = binaries.describe(wasm)[0], binaries.describe(out)[0]
    imports = [e for e in before if e.what == "import"]
    assert after[: len(imports)] == imports
    assert after[len(imports)][:6] == ("import", "wn", "check", 0, "", "")
    assert after[len(imports) + 1 : -1] == before[len(imports) :]
    assert after[-1][:4] == ("export", "", "wn:stop", 1)
    with pytest.raises(Refused, match="wn"):
        binaries.guard(out, check)


def outcome(host: Host, wasm: bytes, name: str, folder: Path) -> tuple[object, ...]:
    """All that can be seen of a run."""
    folder.mkdir()
    (folder / "in").write_bytes(b"some text\nmore\n")
    policy = Policy(
        args=[name, "/d/in", "x"],
        env={"A": "b"},
        dirs=[Dir(folder, "/d")],
        stdin=b"line 1\nline 2\n",
        stdout=Capture(),
        stderr=Capture(),
    )
    try:
        instance = start(host, wasm, policy=policy)
    except WasiError as error:
        return type(error), re.sub(r"at .*|<.*?>", "", str(error)).split("\n")[0]
    end: object
    with instance:
        try:
            end = instance.run(timeout=10)
        except WasiError as error:
            end = type(error), getattr(error, "kind", "")
        seen = instance.stdout, instance.stderr
    return end, *seen, {path.name: path.stat().st_size for path in folder.rglob("*")}


# These read a clock or chance, take long on purpose, or need what is not here.
NOT_RUN = {"random", "nap", "spin", "loop", "hog", "crash"}


@pytest.mark.parametrize("name", [n for n in [*build.wats(), *build.names()] if n not in NOT_RUN])
def test_a_guest_does_what_it_did(
    binaries: Binaries, judge: _core.Engine, host: Host, tmp_path: Path, name: str
) -> None:
    wasm = binary(judge, name)
    if not accepts(judge, wasm):
        return
    before = outcome(host, wasm, name, tmp_path / "before")
    for check in (FLAG, COUNT):
        assert outcome(host, binaries.guard(wasm, check), name, tmp_path / f"after{check}") == before


# Every way in which a function is named; each function answers its own number.
NAMED = """(module (type $n (func (result i32))) (type $v (func))
  (import "env" "ten" (func $ten (type $n)))
  (table $a 16 funcref) (table $b 16 funcref) (table $c 2 (ref null $n) (ref.func $two))
  (global $g funcref (ref.func $three)) (global (export "count") (mut i32) (i32.const 100))
  (func $one (type $n) (i32.const 1)) (func $two (export "two") (type $n) (i32.const 2))
  (func $three (type $n) (i32.const 3)) (func $four (type $n) (i32.const 4))
  (func $begin (global.set 1 (i32.add (global.get 1) (i32.const 1)))) (start $begin)
  (elem (table $a) (i32.const 0) func $one $two $ten)
  (elem $passive func $three $four)
  (elem (table $b) (i32.const 0) func $four $three)
  (elem declare func $one)
  (elem (table $a) (i32.const 4) funcref (ref.func $four) (ref.null func) (item ref.func $one))
  (elem $expressions funcref (ref.func $two) (global.get $g))
  (elem (table $b) (offset (i32.const 4)) funcref (ref.func $ten))
  (elem declare funcref (ref.func $one))
  (func (export "a") (param i32) (result i32) (call_indirect $a (type $n) (local.get 0)))
  (func (export "b") (param i32) (result i32) (call_indirect $b (type $n) (local.get 0)))
  (func (export "c") (param i32) (result i32) (call_ref $n (table.get $c (local.get 0))))
  (func (export "fill") (table.init $a $passive (i32.const 8) (i32.const 0) (i32.const 2))
    (table.init $a $expressions (i32.const 10) (i32.const 0) (i32.const 2)))
  (func (export "ref") (result i32) (table.set $a (i32.const 15) (ref.func $one))
    (call_indirect $a (type $n) (i32.const 15)))
  (func (export "tail") (result i32) (return_call $four))
  (func (export "calls") (result i32) (i32.add (call $ten) (call $three)))
  (func (export "global") (result i32) (global.get 1)))"""


@pytest.mark.parametrize("check", [FLAG, COUNT])
def test_every_name_of_a_function_moves_with_it(
    binaries: Binaries, judge: _core.Engine, host: Host, check: int
) -> None:
    wasm = binaries.guard(judge.wat(NAMED.encode()), check)
    ours = [
        HostFunction("wn", "check", "", "", lambda: None),
        HostFunction("env", "ten", "", "i", lambda: 10),
    ]
    with host.load(wasm).instantiate(functions=ours) as i:
        assert [i.call("a", n) for n in (0, 1, 2, 4, 6)] == [1, 2, 10, 4, 1]
        assert [i.call("b", n) for n in (0, 1, 4)] == [4, 3, 10]
        assert [i.call("c", n) for n in (0, 1)] == [2, 2]
        i.call("fill")
        assert [i.call("a", n) for n in (8, 9, 10, 11)] == [3, 4, 2, 3]
        found = [i.call(name) for name in ("two", "ref", "tail", "calls", "global")]
        assert found == [2, 1, 4, 13, 101]


ENDLESS = """(module (type $v (func)) (table 1 funcref) (elem (i32.const 0) $through)
  (func (export "loop") (loop $l (br $l)))
  (func (export "loop with values") (i32.const 7) (loop $l (param i32) (br $l)) unreachable)
  (func (export "loop in a loop") (loop $l (loop $m (br_if $m (i32.const 0))) (br $l)))
  (func $double (export "double") (param i32)
    (if (local.get 0) (then (call $double (i32.sub (local.get 0) (i32.const 1)))
      (call $double (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "calls") (call $double (i32.const 60)))
  (func $through (export "tail calls of a table") (return_call_indirect (type $v) (i32.const 0)))
  (func $ping (export "tail calls") (return_call $pong)) (func $pong (return_call $ping))
  (func $back (export "tail calls of a reference") (return_call_ref $v (ref.func $back)))
  (func (export "leaf") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "turns") (param i32)
    (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
WAYS = re.findall(r'export "([^"]+)"\)(?! \(param)', ENDLESS)

STOP = """(module (import "guest" "wn:stop" (global $stop (mut i32)))
  (func (export "set") (param i32) (global.set $stop (local.get 0)))
  (func (export "get") (result i32) (global.get $stop)))"""


class Checks:
    """Counts them, and ends the guest at the last one that it may make."""

    def __init__(self, most: int) -> None:
        self.most, self.made = most, 0

    def __call__(self) -> None:
        self.made += 1
        if self.made >= self.most:
            raise Ended


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("check", [FLAG, COUNT])
def test_what_has_no_end_is_ended(
    binaries: Binaries, judge: _core.Engine, host: Host, way: str, check: int
) -> None:
    wasm = judge.wat(ENDLESS.encode())
    checks = Checks(3)
    guest = start(host, binaries.guard(wasm, check), checks)
    stop = host.load(STOP).instantiate(siblings={"guest": guest})
    if check == FLAG:
        stop.call("set", 1)
    with pytest.raises(Ended):
        guest.call(way, timeout=60)
    assert checks.made == 3
    stop.close()
    guest.close()


def test_nothing_is_asked_while_the_flag_is_down(binaries: Binaries, judge: _core.Engine, host: Host) -> None:
    checks = Checks(1)
    guest = start(host, binaries.guard(judge.wat(ENDLESS.encode()), FLAG), checks)
    guest.call("turns", 1_000_000)
    guest.call("double", 10)
    assert guest.call("leaf", 4) == 5 and checks.made == 0
    stop = host.load(STOP).instantiate(siblings={"guest": guest})
    stop.call("set", -1)
    assert guest.call("leaf", 4) == 5 and checks.made == 0  # it ends by itself, so it does not look
    with pytest.raises(Ended):
        guest.call("turns", 1)
    stop.close()
    guest.close()


def test_it_is_asked_once_a_period(binaries: Binaries, judge: _core.Engine, host: Host) -> None:
    checks = Checks(1 << 30)
    guest = start(host, binaries.guard(judge.wat(ENDLESS.encode()), COUNT), checks)
    stop = host.load(STOP).instantiate(siblings={"guest": guest})
    assert stop.call("get") == PERIOD
    guest.call("turns", PERIOD)
    assert (checks.made, stop.call("get")) == (0, 0)
    guest.call("turns", 1)
    assert (checks.made, stop.call("get")) == (1, PERIOD - 1)
    guest.call("turns", 10 * PERIOD)
    assert checks.made == 11
    stop.call("set", 0)  # at once
    guest.call("turns", 1)
    assert (checks.made, stop.call("get")) == (12, PERIOD - 1)
    stop.close()
    guest.close()


LIMITS = {
    "(memory 1)": (1, 10),
    "(memory 1 5)": (1, 5),
    "(memory 1 50)": (1, 10),
    "(memory 10 10)": (10, 10),
    "(memory 3 70 shared)": (3, 10),
    "(memory i64 3)": (3, 10),
    '(memory (import "m" "m") 2)': (2, 10),
    "(table 1 funcref)": (1, 200),
    "(table 200 300 externref)": (200, 200),
    "(table i64 3 funcref)": (3, 200),
    '(table (import "m" "t") 2 201 funcref)': (2, 200),
    "(table 4 (ref null func) (ref.func $f))": (4, 200),
}


@pytest.mark.parametrize("text", LIMITS)
def test_maxima(binaries: Binaries, judge: _core.Engine, text: str) -> None:
    kind = "memory" if "memory" in text else "table"
    wasm = judge.wat(f'(module {text} (func $f) (export "x" ({kind} 0)))'.encode())
    out = binaries.guard(wasm, pages=10, elements=200)
    found = {e.name: e for e in binaries.describe(out)[0]}
    assert (found["x"].min, found["x"].max) == LIMITS[text]
    assert found["x"].marks == f"{'shared' in text:d}{'i64' in text:d}"
    assert accepts(judge, out)
    same = binaries.describe(binaries.guard(wasm))[0]
    assert [e for e in same if e.name == "x"] == [e for e in binaries.describe(wasm)[0] if e.name == "x"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(memory 11)", "a memory starts with more pages than its limit"),
        ("(memory 1) (memory 11 20)", "a memory starts with more pages than its limit"),
        ('(import "m" "m" (memory 11))', "a memory starts with more pages than its limit"),
        ("(table 201 funcref)", "a table starts with more elements than its limit"),
    ],
)
def test_a_minimum_over_the_limit(binaries: Binaries, judge: _core.Engine, text: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as caught:
        binaries.guard(judge.wat(f"(module {text})".encode()), pages=10, elements=200)
    assert caught.value.code == INVALID


def test_a_memory_grows_to_its_maximum(binaries: Binaries, judge: _core.Engine, host: Host) -> None:
    text = '(module (memory (export "memory") 1) (func (export "g") (param i32) (result i32) '
    wasm = binaries.guard(judge.wat(f"{text} (memory.grow (local.get 0))))".encode()), pages=3)
    with start(host, wasm) as guest:
        assert [guest.call("g", n) for n in (3, 1, 1, 1)] == [-1, 1, 2, -1]


NAMES = {
    'it exports "wn:stop" or "wn:start", names of ours': section(5, many(b"\0\1"))
    + section(7, many(exported("wn:stop", 2, 0))),
    "names of ours": section(5, many(b"\0\1")) + section(7, many(exported("wn:start", 2, 0))),
    'it imports from "wn", which is a name of ours': section(1, many(func()))
    + section(2, many(imported("wn", "other", b"\0\0"))),
}


@pytest.mark.parametrize("why", NAMES)
def test_our_names_are_ours(binaries: Binaries, why: str) -> None:
    with pytest.raises(Refused, match=why):
        binaries.guard(HEAD + NAMES[why])


STARTS = """(module (import "m" "f" (func)) (global (export "g") (mut i32) (i32.const 1))
  (func $s (global.set 0 (i32.const 2))) (start %s))"""


def test_a_start_section_becomes_an_export(binaries: Binaries, judge: _core.Engine, host: Host) -> None:
    wasm = judge.wat((STARTS % "$s").encode())
    out = binaries.guard(wasm, start=True)
    assert section(8, b"\1") in wasm and section(8, b"\2") in binaries.guard(wasm)
    assert section(8, b"\2") not in out
    exports = [e.name for e in binaries.describe(out)[0] if e.what == "export"]
    assert exports == ["g", "wn:stop", "wn:start"]
    ours = [HostFunction(m, n, "", "", lambda: None) for m, n in (("wn", "check"), ("m", "f"))]
    read = '(module (import "o" "g" (global (mut i32))) (func (export "g") (result i32) (global.get 0)))'
    with host.load(out).instantiate(functions=ours) as guest:
        with host.load(read).instantiate(siblings={"o": guest}) as reader:
            assert reader.call("g") == 1
            guest.call("wn:start")
            assert reader.call("g") == 2
    imports = judge.wat((STARTS % "0").encode())
    counting = binaries.guard(imports, COUNT, start=True)
    assert accepts(judge, counting) and exported("wn:start", 0, 0) in counting
    stays = binaries.guard(imports, FLAG, start=True)  # for engines that find exports by name, but no imports
    assert accepts(judge, stays) and section(8, b"\0") in stays and b"wn:start" not in stays
    without = binaries.guard(judge.wat(b"(module)"), start=True)
    assert b"wn:start" not in without


@pytest.mark.parametrize("start", [b"\0", b"\1", b"\3", b"\2\0"])
def test_what_cannot_start_is_not_exported_instead(
    binaries: Binaries, judge: _core.Engine, start: bytes
) -> None:
    """Functions 0 with a parameter and 1 with a result, and one that is not there; then a byte too many."""
    types = section(1, many(func(b"\x7f"), func(b"", b"\x7f"), func()))
    functions = section(3, many(b"\0", b"\1", b"\2")) + section(8, start)
    wasm = HEAD + types + functions + section(10, many(b"\3\0\0\x0b", b"\3\0\0\x0b", b"\2\0\x0b"))
    with pytest.raises(Refused, match=r"no such function that can start|a section is longer"):
        binaries.guard(wasm, start=True)
    assert not accepts(judge, wasm)


def test_a_maximum_of_no_pages(binaries: Binaries, judge: _core.Engine) -> None:
    for text, marks in {"0 0": "00", "0 0 shared": "10", "i64 0 0": "01"}.items():
        wasm = judge.wat(f'(module (memory (export "m") {text}))'.encode())
        for pages in (0, 5):
            out = binaries.guard(wasm, zero_is_none=True, pages=pages)
            (memory,) = [e for e in binaries.describe(out)[0] if e.name == "m"]
            assert (memory.min, memory.max, memory.marks) == (0, 1, marks)
    wasm = judge.wat(b'(module (memory (export "m") 0 1))')
    assert binaries.guard(wasm, zero_is_none=True) == binaries.guard(wasm)


def test_names_that_are_nearly_ours(binaries: Binaries, judge: _core.Engine) -> None:
    text = """(import "wn:" "check" (func)) (import "w" "n" (func)) (func (export "wn:sto")) (func (export "wn"))
      (func (export "wn:stop "))"""
    assert accepts(judge, binaries.guard(judge.wat(f"(module {text})".encode())))


def test_the_count_of_data_goes_with_bulk_memory(binaries: Binaries, judge: _core.Engine) -> None:
    """It is there for instructions that cannot be there then; old engines do not know the section."""
    wasm = HEAD + section(5, many(b"\0\1")) + section(12, b"\1") + section(11, many(b"\0\x41\0\x0b\1x"))
    assert section(12, b"\1") in binaries.guard(wasm)
    out = binaries.guard(wasm, allowed=ALL & ~proposals("bulk-memory"))
    assert section(12, b"\1") not in out and accepts(judge, out)


SEGMENTS = {
    '(memory 1) (data "x")': "bulk-memory",
    "(func) (elem func 0)": "bulk-memory",
    "(func) (elem declare func 0)": "reference-types",
    "(table 1 funcref) (func) (elem (i32.const 0) funcref (ref.func 0))": "reference-types",
    "(memory 1) (memory 1) (data (memory 1) (i32.const 0))": "multi-memory",
}


@pytest.mark.parametrize("text", SEGMENTS)
def test_segments_of_proposals(binaries: Binaries, judge: _core.Engine, text: str) -> None:
    wasm = judge.wat(f"(module {text})".encode())
    assert accepts(judge, binaries.guard(wasm))
    with pytest.raises(Refused, match="which this engine does not run"):
        binaries.guard(wasm, allowed=ALL & ~proposals(SEGMENTS[text]))


@pytest.mark.parametrize("flags", [3, 8])
def test_unknown_segments(binaries: Binaries, judge: _core.Engine, flags: int) -> None:
    for kind in (9, 11):
        wasm = HEAD + section(5, many(b"\0\1")) + section(kind, many(bytes([flags, 1, 0])))
        with pytest.raises(Refused, match="unknown segment"):
            binaries.guard(wasm)
        assert not accepts(judge, wasm)


def test_a_module_that_is_too_large(binaries: Binaries) -> None:
    size = (256 << 20) + 1
    with mmap.mmap(-1, size) as space:
        space[:8] = HEAD
        view = (ctypes.c_char * size).from_buffer(space)
        with pytest.raises(Refused, match=r"it is too large \(offset 268435456\)"):
            binaries.guard(view)
        del view


def sample(judge: _core.Engine) -> bytes:
    return judge.wat(
        NAMED.replace("(table $c", '(memory 1 3) (data (i32.const 3) "data") (table $c').encode()
    )


@pytest.mark.parametrize("check", [FLAG, COUNT])
def test_every_truncation(binaries: Binaries, judge: _core.Engine, check: int) -> None:
    wasm = sample(judge)
    for length in range(len(wasm)):
        try:
            out = binaries.guard(wasm[:length], check, pages=2, elements=20)
        except Refused as refused:
            assert refused.code == INVALID and refused.text
        else:
            assert accepts(judge, wasm[:length]) == accepts(judge, out)


def test_a_flip_of_each_byte(binaries: Binaries, judge: _core.Engine, long: bool) -> None:
    """What we refuse is not valid, and what we let through is as valid as before."""
    wasm, dice = sample(judge), random.Random(11)
    valid = 0
    for at in list(range(8, len(wasm))) * (20 if long else 1):
        other = wasm[:at] + bytes([wasm[at] ^ 1 << dice.randrange(8)]) + wasm[at + 1 :]
        before = accepts(judge, other)
        try:
            out = binaries.guard(other, COUNT)
        except Refused as refused:
            assert refused.code == INVALID and not before, refused.text
        else:
            valid += before
            assert accepts(judge, out) == before
    assert valid > 20


@pytest.mark.parametrize("check", [FLAG, COUNT])
def test_without_memory(binaries: Binaries, judge: _core.Engine, check: int) -> None:
    wasm = sample(judge)
    out = binaries.guard(wasm, check)
    calls = binaries.calls
    for nth in range(1, calls):
        with pytest.raises(Refused) as caught:
            binaries.guard(wasm, check, fault=nth)
        assert caught.value.code == NOMEM
    assert binaries.guard(wasm, check, fault=calls) == out


def test_all_calls_under_a_guard(binaries: Binaries, judge: _core.Engine, host: Host) -> None:
    """The driver makes each WASI call."""
    out = binaries.guard(judge.wat(driver_wat().encode()), COUNT)
    with start(host, out) as guest:
        assert guest.call("sched_yield") == 0 and guest.call("fd_close", 99) == 8

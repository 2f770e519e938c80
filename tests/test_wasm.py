"""The reader of binaries: what it finds, and that hostile bytes give one clear ModuleError."""

from __future__ import annotations

import os
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from wasi_native.errors import ModuleError
from wasi_native.wasm import Binary, parse, read

HEAD = b"\0asm\1\0\0\0"


@contextmanager
def counted_memory() -> Iterator[Callable[[], int]]:
    """What Python allocates meanwhile, at most."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def leb(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value: str) -> bytes:
    raw = value.encode()
    return leb(len(raw)) + raw


def many(*entries: bytes) -> bytes:
    return leb(len(entries)) + b"".join(entries)


def section(code: int, body: bytes) -> bytes:
    return bytes([code]) + leb(len(body)) + body


def custom(name: str, body: bytes) -> bytes:
    return section(0, text(name) + body)


def func(params: bytes = b"", results: bytes = b"") -> bytes:
    return b"\x60" + leb(len(params)) + params + leb(len(results)) + results


def imported(module: str, name: str, rest: bytes) -> bytes:
    return text(module) + text(name) + rest


def exported(name: str, kind: int, index: int) -> bytes:
    return text(name) + bytes([kind]) + leb(index)


BODY = leb(2) + b"\0\x0b"

HELLO = b"".join(
    (
        HEAD,
        custom("dylink.0", b"whatever"),
        section(1, many(func(b"\x7f\x7f\x7f\x7f", b"\x7f"), func())),
        section(2, many(imported("wasi_snapshot_preview1", "fd_write", b"\0\0"))),
        section(3, many(b"\1")),
        section(4, many(b"\x70\1\1\1")),
        section(5, many(b"\1\1\x10")),
        section(6, many(b"\x7f\1\x41\0\x0b")),
        section(7, many(exported("memory", 2, 0), exported("_start", 0, 1))),
        section(9, many()),
        section(10, many(BODY)),
        section(11, many(b"\0\x41\0\x0b" + text("hello"))),
        custom("target_features", many(b"+" + text("simd128"), b"-" + text("atomics"), b"=" + text("x"))),
        custom("producers", many(text("language") + many(text("C11") + text("")))),
    )
)


def test_hello() -> None:
    found = parse(HELLO)
    assert [(i.module, i.name, i.kind, i.type) for i in found.imports] == [
        ("wasi_snapshot_preview1", "fd_write", "func", "(i32 i32 i32 i32) -> (i32)")
    ]
    assert [(e.name, e.kind, e.type) for e in found.exports] == [
        ("memory", "memory", ""),
        ("_start", "func", "() -> ()"),
    ]
    assert [(m.minimum, m.maximum, m.shared, m.wide) for m in found.memories] == [
        (65536, 1 << 20, False, False)
    ]
    assert found.tables == [(1, 1)]
    assert found.functions == 1 and not found.start
    assert found.features == ["simd128", "x"]
    assert found.producers == [("language", "C11", "")]
    assert found.needs == set() and found.shape == "command" and found.layer == "module"
    assert found.size == len(HELLO)


def test_truncated_at_every_byte() -> None:
    """Every prefix is refused in one sentence, except those that end between sections and lack none."""
    whole = []
    for size in range(len(HELLO)):
        try:
            parse(HELLO[:size], "cut.wasm")
        except ModuleError as error:
            assert str(error).startswith("cut.wasm: ") and "\n" not in str(error)
        else:
            whole.append(size)
    ends, at = [8], 8
    while at < len(HELLO):  # every section here is shorter than 128 bytes
        at += 2 + HELLO[at + 1]
        ends.append(at)
    lacking = {end for end in ends if end > HELLO.index(section(3, many(b"\1"))) and end < HELLO.index(BODY)}
    assert whole == [end for end in ends[:-1] if end not in lacking]


def test_every_byte_changed_gives_a_verdict() -> None:
    chance = random.Random(7)
    for at in range(len(HELLO)):
        for value in {0, 0xFF, 0x80, HELLO[at] ^ 1, chance.randrange(256)}:
            data = bytearray(HELLO)
            data[at] = value
            try:
                assert isinstance(parse(bytes(data)), Binary)
            except ModuleError as error:
                assert "\n" not in str(error)


def test_noise_gives_a_verdict() -> None:
    chance = random.Random(11)
    for head in (HEAD, b"\0asm\x0d\0\1\0"):
        for _ in range(2000):
            try:
                parse(head + bytes([chance.randrange(14)]) + chance.randbytes(chance.randrange(40)))
            except ModuleError:
                pass


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\0as", "truncated"),
        (b"\0asm", "truncated"),
        (b"\0asm\2\0\0\0", "unknown version 2"),
        (b"\x7fELF\2", "for this machine"),
        (b"(module)", "wat2wasm"),
        (b"\n;; hi\n(module)", "wat2wasm"),
        (b"MZ\x90", "is not WebAssembly"),
        (HEAD + b"\x7f\0", "unknown section 127"),
        (HEAD + section(1, b"\xff\xff\xff\xff\x0f"), "engines take"),
        (HEAD + section(1, b"\x80\x80\x80\x80\x80\0"), "longer than it may be"),
        (HEAD + section(1, b"\xff\xff\xff\xff\x7f"), "larger than it may be"),
        (HEAD + section(1, many(b"\x61\0")), "unknown kind of type 0x61"),
        (HEAD + section(1, many(func(b"\x01"))), "unknown value type"),
        (HEAD + section(1, many(func()) + b"x"), "1 bytes too many"),
        (HEAD + section(1, many()) + section(1, many()), "twice or too late"),
        (HEAD + section(3, many()) + section(1, many()), "twice or too late"),
        (HEAD + section(2, many(imported("m", "f", b"\0\0"))), "type 0 does not exist"),
        (HEAD + section(2, many(imported("m", "f", b"\7\0"))), "unknown kind 7 of the import 'm' 'f'"),
        (HEAD + section(2, many(b"\1\xff\1f\0\0")), "not UTF-8"),
        (HEAD + section(2, leb(1) + leb(200_000) + bytes(9)), "a name of 200000 bytes"),
        (HEAD + section(1, many(func())) + section(3, many(b"\0")), "1 functions, 0 bodies"),
        (HEAD + section(3, many(b"\0")), "type 0 does not exist"),
        (HEAD + section(5, many(b"\x40\0")), "unknown flags 0x40 of a memory"),
        (HEAD + section(5, many(b"\x08\0\x1f")), "page of 2**31"),
        (HEAD + section(7, many(exported("f", 0, 0))), "function 0 does not exist"),
        (HEAD + section(7, many(exported("m", 2, 0))), "memory 0 does not exist"),
        (HEAD + section(7, many(exported("x", 9, 0))), "unknown kind 9"),
        (HEAD + section(7, many(exported("x", 1, 0), exported("x", 1, 0))), "comes twice"),
        (HEAD + section(8, b"\0"), "start function 0 does not exist"),
        (HEAD + section(12, b"\1"), "data section is missing"),
        (HEAD + section(12, b"\1") + section(11, many()), "0 segments, 1 were declared"),
        (HEAD + section(6, many(b"\x7f\2\x41\0\x0b")), "mutability 2"),
        (HEAD + section(2, many(imported("m", "t", b"\4\1\0"))), "attribute of a tag"),
        (b"\0asm\x0d\0\1\0" + section(10, many(b"\3\1m\1\0")), "unknown kind of name"),
        (b"\0asm\x0d\0\1\0" + section(10, many(b"\0\1m\x09\0")), "unknown kind 9"),
    ],
)
def test_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(ModuleError) as caught:
        parse(data, "x.wasm")
    assert words in str(caught.value)
    assert str(caught.value).startswith("x.wasm: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        (section(5, many(b"\4\1")), {"memory64"}),
        (section(5, many(b"\3\1\2")), {"threads"}),
        (section(5, many(b"\0\1", b"\0\1")), {"multi-memory"}),
        (section(5, many(b"\x08\1\0")), {"custom-page-sizes"}),
        (section(4, many(b"\x6f\0\1")), {"reference-types"}),
        (section(4, many(b"\x70\0\1", b"\x70\0\1")), {"reference-types"}),
        (section(4, many(b"\x70\5\1\1")), {"memory64"}),
        (section(4, many(b"\x40\0\x70\0\1\xd0\x70\x0b")), {"function-references"}),
        (section(1, many(func(b"\x7b"))), {"simd128"}),
        (section(1, many(func(b"", b"\x7f\x7f"))), {"multivalue"}),
        (section(1, many(func(b"\x6e"))), {"gc"}),
        (section(1, many(b"\x5e\x78\0", b"\x5f" + many(b"\x7f\1", b"\x77\0"))), {"gc"}),
        (section(1, many(b"\x4e" + many(b"\x50\0\x5f\0", b"\x4f\1\0\x60\0\0"))), {"gc"}),
        (section(1, b"\1\x60\2\x63\0\x64\x70\0"), {"function-references"}),
        (section(1, many(func())) + section(13, many(b"\0\0")), {"exceptions"}),
        (section(2, many(imported("m", "g", b"\3\x7f\1"))), {"mutable-globals"}),
        (section(12, b"\0"), {"bulk-memory"}),
        (
            section(1, many(func())) + section(3, many(b"\0")) + section(10, many(leb(4) + b"\1\1\x7b\x0b")),
            {"simd128"},
        ),
    ],
)
def test_what_sections_prove(body: bytes, needs: set[str]) -> None:
    assert parse(HEAD + body).needs == needs


def test_shapes() -> None:
    start = section(1, many(func())) + section(3, many(b"\0"))
    for name, shape in (("_start", "command"), ("_initialize", "reactor"), ("add", "library")):
        found = parse(HEAD + start + section(7, many(exported(name, 0, 0))) + section(10, many(BODY)))
        assert found.shape == shape
    assert parse(HEAD + start + section(8, b"\0") + section(10, many(BODY))).start


def test_a_wrong_custom_section_is_no_error() -> None:
    found = parse(HEAD + custom("producers", b"\xff\xff") + custom("target_features", b"\2+\1a\0"))
    assert found.producers == [] and found.features == ["a"]


def test_component() -> None:
    head = b"\0asm\x0d\0\1\0"
    imports = section(10, many(b"\0" + text("wasi:io/poll@0.2.0") + b"\5\0", b"\1" + text("f") + b"\1\3"))
    exports = section(11, many(b"\0" + text("wasi:cli/run@0.2.0") + b"\5\1\0"))
    found = parse(head + section(1, HELLO) + imports + exports)
    assert found.layer == found.shape == "component"
    assert [(i.module, i.kind) for i in found.imports] == [("wasi:io/poll@0.2.0", "instance"), ("f", "func")]
    assert [e.name for e in found.exports] == ["wasi:cli/run@0.2.0"]


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(HELLO)
    assert read(str(path))[0] == HELLO
    with pytest.raises(ModuleError, match="zero: is not WebAssembly"):
        read("/dev/zero")
    with pytest.raises(ModuleError, match="null: is empty"):
        read("/dev/null")
    with pytest.raises(OSError, match="directory"):
        read(str(tmp_path))
    with path.open("wb") as file:
        file.write(HEAD)
        file.truncate(3 << 30)
    with counted_memory() as peak, pytest.raises(ModuleError, match="larger than 1 GiB"):
        read(str(path))
    assert peak() < 1 << 20, "what is too large is not read"


def test_read_of_a_pipe() -> None:
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, HELLO[:2])
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(read, f"/dev/fd/{read_end}")
            os.write(write_end, HELLO[2:])
            os.close(write_end)
            assert found.result(10)[0] == HELLO
    finally:
        os.close(read_end)


def test_bombs_end_soon() -> None:
    begun = time.monotonic()
    for body in (
        section(1, leb(200_000) + b"\x60\0\0" * 200_000),
        section(1, leb(1) + b"\x4e" + leb(200_000) + b"\x60\0\0" * 200_000),
        section(2, leb(65_000) + imported("m", "g", b"\3\x7f\0") * 65_000),
        custom("x", bytes(50 << 20)),
        custom("producers", leb(100) + (text("l") + leb(1000) + b"\0\0" * 1000) * 100),
    ):
        try:
            parse(HEAD + body)
        except ModuleError:
            pass
    assert time.monotonic() - begun < 20

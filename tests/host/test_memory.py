"""memory.py: guest memory as bytes and numbers, never outside."""

from __future__ import annotations

import pytest

from tests.guests import build
from tests.host.functions import functions
from wasi_native import (
    Host,
    InstanceDead,
    ModuleError,
)


def test_memory_that_grows_below(host: Host) -> None:
    def back(n: int) -> int:
        return int(instance.call("grow", 1))

    with host.load(build.wat("callback")).instantiate(functions=functions(back=back)) as instance:
        assert [instance.call("nest", 0) for _ in range(15)] == list(range(2, 17))
        assert len(instance.memory) == 16 * 65536


def test_memory(host: Host) -> None:
    with host.load(build.wat("memory")).instantiate() as instance:
        memory = instance.memory
        size = len(memory)
        assert size == 65536 and memory[16:23] == b"sixteen" and memory.read(16, 7) == b"sixteen"
        memory.write(size - 4, b"\1\2\3\4")
        assert (memory.u32(size - 4), memory.u16(size - 2), memory.u8(size - 1)) == (0x04030201, 0x0403, 4)
        assert (
            memory[-1] == 4
            and memory[-4:] == b"\1\2\3\4"
            and memory.u64(16) == int.from_bytes(b"sixteen\0", "little")
        )
        memory[0] = 255
        memory[1:3] = bytearray(b"ab")
        memory[-1] = 9
        assert memory[0:3] == b"\xffab" and memory[-1] == 9 and memory[5:5] == b"" and memory[9:2] == b""
        memory.write(size, b"")
        assert memory.read(size, 0) == b""
        for ptr, length in (
            (-1, 1),
            (size, 1),
            (size - 1, 2),
            (0, size + 1),
            (0, -1),
            (2**32, 1),
            (2**63, 1),
            (1, 2**63),
        ):
            with pytest.raises(IndexError, match="outside a memory of 65536 bytes"):
                memory.read(ptr, length)
        for ptr, data in ((-1, b"x"), (size, b"x"), (size - 1, b"xy"), (2**40, b"x")):
            with pytest.raises(IndexError):
                memory.write(ptr, data)
        assert memory[-1] == 9  # nothing of it was written
        with pytest.raises(IndexError):
            memory[size]
        with pytest.raises(IndexError):
            memory[-size - 1]
        for key in (slice(0, 4, 2), slice(0, 4, -1)):
            with pytest.raises(ValueError):
                memory[key]
        with pytest.raises(ValueError):
            memory[0:4] = b"toolong"
        assert instance.call("grow", 1) == 1 and len(memory) == 2 * 65536
        memory[65536] = 1
        assert instance.call("load", 65536) == 1
        with pytest.raises(ModuleError, match="no exported memory 'other'"):
            instance.memory_of("other")
    with pytest.raises((InstanceDead, ValueError)):
        memory.read(0, 1)
    with pytest.raises(InstanceDead):
        len(instance.memory)


def test_two_memories_and_none(host: Host) -> None:
    with host.load(build.wat("no_memory")).instantiate() as instance, pytest.raises(ModuleError):
        instance.memory  # noqa: B018
    with host.load(build.wat("two_memories")).instantiate() as instance:
        assert instance.call("clock", 8) == 0
        assert instance.call("second", 8) != 0 == instance.call("first", 8)

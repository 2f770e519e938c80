"""Random types, values of them, and what guests may do: the pairs on which the core and its references must agree."""

from __future__ import annotations

import random
import struct
from typing import Any

from tests.mem.probe import Failed, Guest, Plan
from tests.mem.reference import BYTES_MAX, CODECS, NUMBERS, Reference, Trap, cases, fields
from wasi_native.component.plan import encode
from wasi_native.component.types import PRIMITIVES, SIZE_MAX, Function, Table, TooLarge, Value

SIMPLE = [name for name in PRIMITIVES if name != "error-context"]
ENCODINGS = ("utf8", "utf16", "latin1+utf16")
FIRST_BYTES = 4096
NAN32, NAN64 = 0x7FC00000, 0x7FF8000000000000
assert BYTES_MAX == SIZE_MAX


def some_type(t: Table, rng: random.Random, depth: int) -> Value:
    kind = rng.randrange(6 if depth == 0 else 17)
    if kind < 3:
        return t.primitive(rng.choice(SIMPLE))
    if kind < 5:
        return t.primitive("string")
    if kind == 5:
        return rng.choice([t.own, t.borrow])(rng.randrange(4))
    inside = [some_type(t, rng, depth - 1) for _ in range(rng.choice([1, 1, 2, 2, 3, 4, 6]))]
    labels = [f"l{i}" for i in range(len(inside))]
    if kind < 8:
        return t.list_of(inside[0])
    if kind == 8:
        return t.list_of(inside[0], rng.randint(1, 5))
    if kind == 9:
        return t.map_of(t.primitive(rng.choice(["u8", "string", "char"])), inside[0])
    if kind == 10:
        return t.record(list(zip(labels, inside, strict=True)))
    if kind == 11:
        return t.tuple_of(inside)
    if kind == 12:
        return t.variant(
            [
                (label, part if rng.random() < 0.7 else None)
                for label, part in zip(labels, inside, strict=True)
            ]
        )
    if kind == 13:
        return t.option(inside[0])
    if kind == 14:
        return t.result(*(part if rng.random() < 0.7 else None for part in (inside[0], inside[-1])))
    if kind == 15:
        count = rng.choice([1, 2, 3, 7, 20]) if rng.random() < 0.98 else rng.choice([256, 257, 257, 65537])
        return t.enum([f"e{i}" for i in range(count)])
    return t.flags([f"f{i}" for i in range(rng.randint(1, 32))])


def some_function(rng: random.Random) -> Function:
    """Parameters, or a result, of random types; at times so many that they pass in memory."""
    while True:
        t = Table()
        try:
            depth = rng.choice([0, 1, 1, 2, 2, 3])
            count = rng.choice([1, 1, 1, 2, 3, 5, 18])
            params = [(f"p{i}", some_type(t, rng, depth)) for i in range(count)]
            return t.function(params, some_type(t, rng, depth))
        except TooLarge:
            continue


ALPHABETS = (
    "abcdef ",
    "abéÿ\x80",
    "ab\u0100",
    "aé\u20ac\U0001f600",
    "\U0001f600\U0010ffff",
    "\x00\x7f\x80\xff\u0100\ud7ff\ue000",
)


def some_text(rng: random.Random) -> bytes:
    alphabet = rng.choice(ALPHABETS)
    text = "".join(rng.choices(alphabet, k=rng.choice([0, 1, 2, 3, 5, 9, 30])))
    how = rng.randrange(4)
    if how == 2:
        text = "".join(char for char in text if char < "\u0100")
    data = text.encode(CODECS[how])
    return bytes([how]) + struct.pack("<I", len(data) // (2 if how in (1, 3) else 1)) + data


def some_value(t: Any, rng: random.Random, depth: int = 0) -> bytes:
    """A value of a type, as a stream. Floats may be any NaN: lowering makes them canonical."""
    kind = t.kind
    if kind in NUMBERS:
        size = struct.calcsize("<" + NUMBERS[kind])
        return rng.choice([bytes(size), b"\xff" * size, b"\0" * (size - 1) + b"\x80", rng.randbytes(size)])
    if kind == "bool":
        return bytes([rng.randrange(2)])
    if kind in ("f32", "f64"):
        pick = [0.0, -0.0, 1.5, float("inf"), float("-inf")]
        nan = struct.pack("<I", rng.choice([NAN32, 0xFFC00001, 0x7F800001, 0xFFFFFFFF]))
        if kind == "f64":
            nan = struct.pack("<Q", rng.choice([NAN64, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF]))
        random_bits = rng.randbytes(len(nan))
        return rng.choice(
            [
                struct.pack("<" + kind[1:].replace("32", "f").replace("64", "d"), rng.choice(pick)),
                nan,
                random_bits,
            ]
        )
    if kind == "char":
        return struct.pack("<I", rng.choice([0, 65, 0xD7FF, 0xE000, 0x10FFFF, rng.randrange(0xD800)]))
    if kind == "flags":
        return struct.pack("<I", rng.getrandbits(len(t.parts)))
    if kind in ("own", "borrow"):
        return struct.pack("<I", rng.getrandbits(32))
    if kind == "string":
        return some_text(rng)
    if kind in ("list", "map"):
        fixed = t.parts[1] if kind == "list" else None
        count = fixed if fixed is not None else rng.choice([0, 1, 1, 2, 3, 8] if depth < 3 else [0, 1])
        head = b"" if fixed is not None else struct.pack("<I", count)
        inside = t.parts if kind == "map" else t.parts[:1]
        return head + b"".join(some_value(part, rng, depth + 1) for _ in range(count) for part in inside)
    if kind in ("record", "tuple"):
        return b"".join(some_value(part, rng, depth) for part in fields(t))
    tag = rng.randrange(len(cases(t)))
    payload = cases(t)[tag]
    return struct.pack("<I", tag) + (b"" if payload is None else some_value(payload, rng, depth))


class Behaviour:
    """A guest's realloc and handles: the same answers to the same calls for each who asks, and a log of them.

    Now and then the realloc grows the memory, or answers what is misaligned, outside, or in the way.
    """

    def __init__(self, seed: int, hostile: bool) -> None:
        self.rng = random.Random(seed)
        self.hostile = hostile
        self.top = 1024
        self.log: list[tuple[int, ...]] = []
        self.guest: Any = None

    def realloc(self, old: int, old_size: int, align: int, size: int) -> int:
        self.log.append((old, old_size, align, size))
        memory = self.guest.memory
        if self.hostile and self.rng.random() < 0.15:
            return self.rng.choice(
                [len(memory) - size, len(memory) - size + 1, 1, 0, 8, 0xFFFFFFFF, 0xFFFFFFFC]
            ) % (1 << 32)
        ptr = -(-self.top // align) * align
        self.top = ptr + size
        if self.top > len(memory):
            memory += bytes(self.top - len(memory) + 512)  # which may move it
        keep = bytes(memory[old : old + min(old_size, size)])
        memory[ptr : ptr + len(keep)] = keep
        return ptr

    def handle(self, op: int, resource: int, number: int) -> int:
        self.log.append((op, resource, number))
        if self.hostile and self.rng.random() < 0.1:
            raise Failed(TRAP_CANON, "unknown handle index 7")
        return (number * 2654435761 + op + resource) & 0xFFFFFFFF


TRAP_CANON = -13
Outcome = tuple[Any, ...]


def outcome(make: Any, guest: Any, behaviour: Behaviour) -> Outcome:
    """What was answered, or which trap; then memory and the calls that were made."""
    behaviour.guest = guest
    try:
        answer: Any = make(guest)
    except Trap as trap:
        answer = ("trap", str(trap))
    except Failed as failed:
        assert failed.err == TRAP_CANON, (failed.err, failed.reason)
        answer = ("trap", failed.reason)
    return answer, bytes(guest.memory), behaviour.log


class Pair:
    """A type and a value, in a setting; ``lower`` and ``lift`` are done by whoever is asked."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = random.Random(seed)
        self.seed = seed
        self.function = some_function(rng)
        data, self.resources = encode(self.function)
        self.plan = Plan(data)
        self.encoding = rng.choice(ENCODINGS)
        self.fused, self.hostile = rng.random() < 0.5, rng.random() < 0.3
        self.is_result = rng.random() < 0.4
        if self.is_result:
            assert self.function.result is not None
            self.types, self.most = [self.function.result], 1
        else:
            self.types, self.most = list(self.function.params), 16
        self.stream = b"".join(some_value(t, rng) for t in self.types)
        in_memory = len("".join(t.flat for t in self.types)) > self.most
        self.ret: int | None = None
        if self.is_result and in_memory:
            self.ret = rng.choice([64, 64, 64, 64, 65, FIRST_BYTES, FIRST_BYTES - 4, 0xFFFFFFF8])
        self.shift = rng.randrange(2)
        self.flats = 1 if in_memory else len("".join(t.flat for t in self.types))
        self.start = rng.randbytes(FIRST_BYTES) if rng.random() < 0.5 else bytes(FIRST_BYTES)

    def core_lowers(self) -> Outcome:
        behaviour = Behaviour(self.seed, self.hostile)
        guest = Guest(self.start, self.encoding, behaviour.realloc, behaviour.handle, self.fused)

        def lower(guest: Guest) -> list[int]:
            if not self.is_result:
                return guest.lower_params(self.plan, self.stream, self.shift)
            value = guest.lower_result(self.plan, self.stream, self.ret or 0, self.shift)
            return [value] if self.ret is None else []

        return outcome(lower, guest, behaviour)

    def core_lifts(self, memory: bytes, core: list[int]) -> Outcome:
        behaviour = Behaviour(self.seed + 1, self.hostile)
        guest = Guest(memory, self.encoding, None, behaviour.handle, self.fused)
        lift = guest.lift_result if self.is_result else guest.lift_params
        return outcome(lambda _guest: lift(self.plan, core, self.shift), guest, behaviour)

    def reference(self, kind: type[Reference], seed: int, memory: bytes) -> tuple[Any, Behaviour]:
        behaviour = Behaviour(seed, self.hostile)
        guest = kind(memory, self.encoding, behaviour.realloc, behaviour.handle, self.fused)
        guest.resources.update({resource: number for number, resource in enumerate(self.resources)})
        return guest, behaviour

    def reference_lowers(self, kind: type[Reference] = Reference) -> Outcome:
        guest, behaviour = self.reference(kind, self.seed, self.start)
        return outcome(
            lambda guest: guest.lower(self.types, self.most, self.stream, self.ret), guest, behaviour
        )

    def reference_lifts(self, memory: bytes, core: list[int], kind: type[Reference] = Reference) -> Outcome:
        guest, behaviour = self.reference(kind, self.seed + 1, memory)
        return outcome(lambda guest: guest.lift(self.types, self.most, core), guest, behaviour)

    def spoiled(self, memory: bytes, core: list[int]) -> tuple[bytes, list[int]]:
        """What a guest may have made of it: bytes and core values changed here and there."""
        rng, changed, numbers = self.rng, bytearray(memory), list(core)
        for _ in range(rng.choice([0, 1, 1, 2, 4])):
            at = rng.randrange(1024, len(changed)) if len(changed) > FIRST_BYTES else rng.randrange(2048)
            changed[at] = rng.choice([0, 1, 0xFF, 0x80, 0xC3, 0xD8, changed[at] ^ 1 << rng.randrange(8)])
        if numbers and rng.random() < 0.3:
            at = rng.randrange(len(numbers))
            numbers[at] = rng.choice(
                [0, 1, 2, 3, 0xFFFFFFFF, 0x80000001, 0xD800, len(changed), rng.getrandbits(32)]
            )
        return bytes(changed), numbers

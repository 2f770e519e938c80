"""Every numeric instruction as a function of bits, and the values at whose edges engines differ."""

from __future__ import annotations

import struct

_I32 = [
    0,
    1,
    2,
    5,
    31,
    32,
    33,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0x7FFFFFFF,
    0x80000000,
    0x80000001,
    0xFFFFFFFF,
]
_I64 = [*_I32, 63, 64, 65, 1 << 32, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1]
_I64 += [0x7FFFFFBFFFFFFFFF, 0x7FFFFFC000000000, 0x8000008000000001, 0xFFFFFF8000000001, 0x0020000000000001]
_F = [0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 0.1, 1e-10, 4503599627370497.5, 2147483647.0, 2147483648.0, 2147483904.0]
_F += [
    4294967295.0,
    4294967296.0,
    9223372036854775808.0,
    18446744073709551616.0,
    0.49999999999999994,
    8388609.0,
]
_F64 = [
    *_F,
    2147483647.9,
    4294967295.9,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    3.4028235677973366e38,
]
_F32 = [*_F, 1.401298464324817e-45, 1.1754943508222875e-38, 3.4028234663852886e38, 9223371487098961920.0]


def _bits(code: str, values: list[float], special: list[int], sign: int) -> list[int]:
    size = {"<f": 4, "<d": 8}[code]
    found = [int.from_bytes(struct.pack(code, value), "little") for value in values]
    return [bits | high for bits in found + special for high in (0, sign)][: 200 * size]


VALUES = {
    "i32": _I32,
    "i64": _I64,
    "f32": _bits("<f", _F32, [0x7F800000, 0x7FC00000, 0x7F800001, 0x7FE00123, 0x7FA00000], 1 << 31),
    "f64": _bits("<d", _F64, [0x7FF << 52, 0xFFF << 51, (0x7FF << 52) + 1, (0x7FF8 << 48) + 77], 1 << 63),
}

_INT2 = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr eq ne lt_s lt_u gt_s gt_u le_s le_u"
_INT2 += " ge_s ge_u"
_INT1 = "clz ctz popcnt eqz extend8_s extend16_s"
_FLOAT2 = "add sub mul div min max copysign eq ne lt gt le ge"
_FLOAT1 = "abs neg ceil floor trunc nearest sqrt"
_TESTS = {"eqz", *(f"{n}{s}" for n in ("eq", "ne", "lt", "gt", "le", "ge") for s in ("", "_s", "_u"))}


def instructions() -> dict[str, tuple[tuple[str, ...], str]]:
    """Name to the types of its operands and of its result."""
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    for kind in VALUES:
        two, one = (_INT2, _INT1) if kind[0] == "i" else (_FLOAT2, _FLOAT1)
        for name in two.split():
            found[f"{kind}.{name}"] = ((kind, kind), "i32" if name in _TESTS else kind)
        for name in one.split():
            found[f"{kind}.{name}"] = ((kind,), "i32" if name in _TESTS else kind)
    found |= {"i64.extend32_s": (("i64",), "i64"), "i32.wrap_i64": (("i64",), "i32")}
    found |= {"f32.demote_f64": (("f64",), "f32"), "f64.promote_f32": (("f32",), "f64")}
    for sign in "su":
        found[f"i64.extend_i32_{sign}"] = (("i32",), "i64")
        for whole in ("i32", "i64"):
            for real in ("f32", "f64"):
                found[f"{whole}.trunc_{real}_{sign}"] = ((real,), whole)
                found[f"{whole}.trunc_sat_{real}_{sign}"] = ((real,), whole)
                found[f"{real}.convert_{whole}_{sign}"] = ((whole,), real)
    for a, b in (("i32", "f32"), ("f32", "i32"), ("i64", "f64"), ("f64", "i64")):
        found[f"{a}.reinterpret_{b}"] = ((b,), a)
    return found


_CARRIER = {"i32": "i32", "i64": "i64", "f32": "i32", "f64": "i64"}


def module() -> str:
    """Each instruction as an export of its own name, floats as the integer of their bits; some with a constant,
    which a compiler may work out itself."""
    lines = []
    for name, (operands, result) in instructions().items():
        params = " ".join(_CARRIER[kind] for kind in operands)
        gets = [_get(n, kind) for n, kind in enumerate(operands)]
        lines.append(_function(name, params, f"({name} {' '.join(gets)})", result))
        if len(operands) == 2:
            for n, value in enumerate(
                ("0", "1", "-1") if operands[0][0] == "i" else ("0", "-0", "1", "nan:0x1")
            ):
                if "nan" in value:
                    value = f"nan:0x{'200000' if operands[1] == 'f32' else '4000000000000'}"
                body = f"({name} {gets[0]} ({operands[1]}.const {value}))"
                lines.append(_function(f"{name} {n}", _CARRIER[operands[0]], body, result))
    return f"(module {' '.join(lines)})"


def _get(n: int, kind: str) -> str:
    return f"({kind}.reinterpret_{_CARRIER[kind]} (local.get {n}))" if kind[0] == "f" else f"(local.get {n})"


def _function(name: str, params: str, body: str, result: str) -> str:
    carrier = _CARRIER[result]
    body = f"({carrier}.reinterpret_{result} {body})" if result[0] == "f" else body
    return f'(func (export "{name}") (param {params}) (result {carrier}) {body})'


def signed(value: int, kind: str) -> int:
    bits = 32 if kind in ("i32", "f32") else 64
    return value - (1 << bits) if value >> (bits - 1) else value


def is_nan(bits: int, kind: str) -> bool:
    bits &= (1 << (32 if kind == "f32" else 64)) - 1
    return (bits & 0x7FFFFFFF) > 0x7F800000 if kind == "f32" else (bits & ((1 << 63) - 1)) > 0x7FF << 52


def is_quiet(bits: int, kind: str) -> bool:
    return bool(bits >> (22 if kind == "f32" else 51) & 1)

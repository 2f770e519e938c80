"""One function whose parameters are of the types that a test writes, for tests of values."""

from __future__ import annotations

from typing import Any

from tests.component.build import encode
from wasi_native.component import decode
from wasi_native.component.items import Env, Resource
from wasi_native.component.model import FuncType
from wasi_native.component.reflect import Types
from wasi_native.component.values import Codec

NAMED = """
  (type $point' (record (field "x" s32) (field "from" f64)))
  (export "point" (type $point (eq $point')))
  (type $shape' (variant (case "dot") (case "circle" f32) (case "poly-line" (list $point))))
  (export "shape" (type $shape (eq $shape')))
  (type $color' (enum "red" "hot-pink"))
  (export "color" (type $color (eq $color')))
  (type $perms' (flags "read" "write-all"))
  (export "perms" (type $perms (eq $perms')))
  (export "thing" (type $thing (sub resource)))
"""


class Kinds:
    """The types written in WAT as ``params``, one parameter each; objects of resources are (rep, own)."""

    def __init__(self, *params: str) -> None:
        listed = " ".join(f'(param "p{i}" {text})' for i, text in enumerate(params))
        text = f'(component (import "a:b/c" (instance {NAMED} (export "f" (func {listed})))))'
        component = decode(encode(text), "kinds.wasm")
        exports = component.imports["a:b/c"].type.exports
        self.func: FuncType = exports["f"].type
        self.types = Types(component)
        env = Env()
        env.bound[exports["thing"].type] = Resource("thing")
        self.codec = Codec(self.types, lambda _r, v, own: v[0], lambda _r, rep, own: (rep, own))
        self.pairs = [self.codec.pair(type, env) for _name, type in self.func.params]
        self.exports = exports

    def cls(self, label: str) -> Any:
        return self.types.class_of(self.exports[label].type)

    def put(self, value: Any) -> bytes:
        out = bytearray()
        self.pairs[0][0](value, out)
        return bytes(out)

    def get(self, data: bytes) -> Any:
        value, at = self.pairs[0][1](data, 0)
        assert at == len(data)
        return value

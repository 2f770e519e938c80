"""A compiled guest in one file, ``.wno``: native code, what it was made of, and a proof that it is whole.

::

    ELF shared object
    definition                of a component alone: its binary, without the code of what was compiled
    manifest                  JSON, at most 64 KiB
    trailer      56 bytes     u64 length of the ELF, u32 length of the manifest, u32 format: 1, or 2 of a component,
                              SHA-256 of all before it, "wasi.wno"
    signature   104 bytes     may be missing: Ed25519 public key, signature of all before this block, "wno.sign"

Numbers are little-endian. Nothing here runs or opens what it reads, and nothing in a file depends on when, where
or by whom it was made: the same module, tools and options give the same bytes.
"""

from __future__ import annotations

from struct import pack as _struct
from struct import unpack

from . import elf
from .digest import sha256, sha256_parts
from .errors import ModuleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import dataclass, fields
    from typing import Any
else:
    from .record import dataclass, fields

__all__ = [
    "FORMAT",
    "FORMAT_COMPONENT",
    "MANIFEST_MAX",
    "Manifest",
    "Wno",
    "attach",
    "describe",
    "pack",
    "read",
    "unsigned",
]

FORMAT, FORMAT_COMPONENT = 1, 2
MANIFEST_MAX = 1 << 16

_TRAILER, _SIGNATURE = 56, 104
_END, _SIGNED = b"wasi.wno", b"wno.sign"
_FAMILY = {"armv6": "arm", "armv7": "arm", "i686": "x86", "riscv64": "riscv", "mipsel": "mips"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the code in a file is. Texts are plain; none is a path.

    * ``module``, ``sha256``, ``size``: file name and content of the WebAssembly module or component; ``imports``:
      the names of the modules or interfaces that it imports from
    * ``modules``: of a component, the SHA-256 of each of its core modules in the order of the file, "" of one that
      was not compiled; equal ones were compiled once. Empty: a core module
    * ``board``: the id it was compiled for, "" without one
    * ``arch``, ``isa``, ``libc``, ``float_abi``, ``pointer_bits``: what it runs on; libc "" needs none
    * ``abi``: of the interface between the code and wasi_native
    * ``bounds``: how memory is guarded, "explicit" or "guard"; ``interrupt``: loops look for a stop; ``fuel``:
      instructions are counted; ``depth``: most nested calls
    * ``flags`` of the C compiler, ``tools`` and their versions
    """

    module: str
    sha256: str
    size: int
    imports: tuple[str, ...] = ()
    board: str = ""
    arch: str
    isa: str = ""
    libc: str
    float_abi: str = ""
    pointer_bits: int
    abi: int
    bounds: str
    interrupt: bool
    fuel: bool
    depth: int
    flags: tuple[str, ...] = ()
    tools: Mapping[str, str]
    modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(item.name, str(item.type), getattr(self, item.name))
        if not _is_digest(self.sha256):
            raise ValueError("its 'sha256' is not 64 hex digits")
        if not all(_is_digest(digest) for digest in self.modules if digest):
            raise ValueError("its 'modules' are not 64 hex digits each")
        if self.pointer_bits not in (32, 64):
            raise ValueError(f"its 'pointer_bits' is {self.pointer_bits}, neither 32 nor 64")

    @property
    def parts(self) -> tuple[str, ...]:
        """Those of ``modules`` that were compiled, each once, in the order of the library."""
        return tuple(dict.fromkeys(filter(None, self.modules)))

    def to_bytes(self) -> bytes:
        """As JSON, always the same bytes for the same manifest."""
        from json import dumps

        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values["tools"] = dict(self.tools)
        if not self.modules:
            del values["modules"]
        return dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Manifest:
        """Raises ValueError with the reason."""
        values = _json(raw)
        if not isinstance(values, dict):
            raise ValueError("it is no object")
        known = [item.name for item in fields(cls)]
        strange = [name for name in values if name not in known]
        absent = [name for name in known if name not in values and name != "modules"]
        if strange or absent:
            what = f"{strange[0][:40]!r} is not known" if strange else f"{absent[0]!r} is missing"
            raise ValueError(f"its key {what}")
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **lists})


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _check(name: str, kind: str, value: Any) -> None:
    if kind.startswith("tuple"):
        items, fine = value, isinstance(value, tuple)
    elif kind.startswith("Mapping"):
        fine = isinstance(value, dict)
        items = (*value, *value.values()) if fine else ()
    else:
        items = (value,) if kind == "str" else ()
        fine = type(value).__name__ == kind and (kind != "int" or 0 <= value < 2**63)
    if not fine or not all(isinstance(item, str) for item in items):
        raise ValueError(f"its {name!r} has a wrong type")
    if not all(item.isprintable() and "/" not in item and len(item) <= 1000 for item in items):
        raise ValueError(f"its {name!r} holds a path or what cannot be printed")


def _json(raw: bytes) -> object:
    """The C scanner alone: the package around it imports ``re``, which costs a small board a MiB and 50 ms."""
    text = raw.decode("ascii")
    try:
        try:
            from _json import make_scanner  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            from json import loads

            return loads(text)
        value, end = make_scanner(_Context())(text, 0)  # type: ignore[arg-type,unused-ignore]
    except StopIteration:
        raise ValueError("it is no JSON") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if end != len(text):
        raise ValueError("there is more behind its JSON")
    return value


class _Context:
    """What the scanner asks for."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int

    @staticmethod
    def parse_constant(name: str) -> object:
        raise ValueError(f"it holds {name}")


class Wno:
    """A file as :func:`read` found it. ``definition``: of a component, else empty. ``sha256``: of the whole file.
    ``key``: hex of the public key that it claims to be signed with, "" without a signature, which nobody has verified
    yet."""

    __slots__ = ("definition", "elf", "key", "manifest", "name", "sha256", "signature", "signed", "size")

    def __init__(
        self, name: str, data: bytes, digest: str, length: int, code: int, text: int, manifest: Manifest
    ) -> None:
        whole = memoryview(data)
        block = data[length:]
        self.name, self.size, self.manifest, self.sha256 = name, len(data), manifest, digest
        self.elf, self.definition, self.signed = whole[:code], whole[code:text], whole[:length]
        self.key, self.signature = block[:32].hex(), block[32:96]


# ---- writing ----------------------------------------------------------------------------------------------


def pack(library: bytes, manifest: Manifest, definition: bytes = b"") -> bytes:
    """The file; ``definition``: of a component. Raises ValueError: the library is not what the manifest says, or the
    manifest is too large."""
    text = manifest.to_bytes()
    if len(text) > MANIFEST_MAX:
        raise ValueError(f"the manifest has {len(text)} bytes, {MANIFEST_MAX} at most are possible")
    _check_library(library, manifest)
    if bool(definition) != bool(manifest.modules):
        raise ValueError("a component has a definition and core modules, a module neither")
    version = FORMAT_COMPONENT if definition else FORMAT
    body = library + definition + text + _struct("<QII", len(library), len(text), version)
    return body + bytes.fromhex(sha256(body)) + _END


def attach(data: bytes, key: bytes, signature: bytes) -> bytes:
    """``data``, which is not signed, with a signature of all of it."""
    if len(key) != 32 or len(signature) != 64:
        raise ValueError("an Ed25519 key has 32 bytes, a signature 64")
    return data + key + signature + _SIGNED


def unsigned(data: bytes) -> bytes:
    """The file without its signature, if it has one."""
    return data[:-_SIGNATURE] if data.endswith(_SIGNED) else data


# ---- reading ----------------------------------------------------------------------------------------------


def read(name: str, data: bytes) -> Wno:
    """Take a file apart. Nothing is run, and no signature is looked at but for its place.

    Raises ModuleError that starts with ``name``: empty, truncated, foreign, damaged or tampered with.
    """
    try:
        return _read(name, data)
    except ValueError as error:
        raise ModuleError(f"{name}: {error}") from None


def _read(name: str, data: bytes) -> Wno:
    if not data:
        raise ValueError("the file is empty")
    if data[:4] == b"\0asm":
        raise ValueError("this is a WebAssembly module; wasi-native compile makes a .wno file of it")
    if data[:4] != elf.MAGIC[: len(data[:4])]:
        raise ValueError("not a compiled guest (.wno): it does not start as an ELF file does")
    length = len(data) - _SIGNATURE * data.endswith(_SIGNED)
    if length < elf.HEADER + _TRAILER or data[length - 8 : length] != _END:
        raise ValueError(
            "not a compiled guest (.wno), or truncated: it does not end as one does; compile it again"
        )
    at = length - _TRAILER
    code, text, version = unpack("<QII", data[at : at + 16])
    if version not in (FORMAT, FORMAT_COMPONENT):
        raise ValueError(
            f"its format is {version}, this version of wasi_native reads {FORMAT} and {FORMAT_COMPONENT}; "
            "compile it again"
        )
    if text > MANIFEST_MAX or code + text > at or (code + text < at) != (version == FORMAT_COMPONENT):
        raise ValueError("damaged: the lengths in its trailer are not those of the file; copy it again")
    found, whole = sha256_parts(memoryview(data), at + 16)
    if found != data[at + 16 : at + 48].hex():
        raise ValueError("damaged or tampered with: its SHA-256 is another; copy it again")
    try:
        manifest = Manifest.from_bytes(data[at - text : at])
    except ValueError as error:
        raise ValueError(f"its manifest is malformed: {error}") from None
    if bool(manifest.modules) != (version == FORMAT_COMPONENT):
        raise ValueError("its manifest is malformed: 'modules' are of a component's file alone")
    _check_library(memoryview(data)[:code], manifest)
    return Wno(name, data, whole, length, code, at - text, manifest)


def _check_library(library: bytes | memoryview, manifest: Manifest) -> None:
    """Whether the code is for what the manifest says."""
    found = elf.read(library)
    if not found.shared:
        raise ValueError("its code is no shared object")
    wanted = (_FAMILY.get(manifest.arch, manifest.arch), manifest.pointer_bits)
    if (found.machine, found.bits) != wanted:
        said = f"{manifest.arch} with {manifest.pointer_bits} bits"
        raise ValueError(f"its code is for {found.machine} with {found.bits} bits, its manifest says {said}")
    if found.float_abi and manifest.float_abi and found.float_abi != manifest.float_abi:
        said = f"{found.float_abi}-float, its manifest says {manifest.float_abi}"
        raise ValueError(f"its code is {said}")


def describe(wno: Wno) -> dict[str, Any]:
    """All that a file says of itself, ready for JSON."""
    values: dict[str, Any] = {"file": wno.name, "size": wno.size, "sha256": wno.sha256}
    values |= {"code_size": len(wno.elf), "definition_size": len(wno.definition), "key": wno.key}
    values["format"] = FORMAT_COMPONENT if wno.definition else FORMAT
    manifest = {item.name: getattr(wno.manifest, item.name) for item in fields(wno.manifest)}
    for name in ("imports", "flags", "modules"):
        manifest[name] = list(manifest[name])
    manifest["tools"] = dict(manifest["tools"])
    if not manifest["modules"]:
        del manifest["modules"]
    return {**values, "manifest": manifest}

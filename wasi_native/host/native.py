"""Compiled guests (``.wno``) in a host: whether one is allowed and fits, and how its code is opened.

The order is the point: the file has been read once, and all that follows is about those bytes. Its form and hash
are checked, then the policy is asked, then the machine; only then is the code opened, from the bytes that were
checked and never from the file again, whatever has happened to that in the meantime.

Code can only be opened as a file. It is the one in the cache of compiled code that holds the same bytes, so that
hosts in many processes share its pages; without a cache, a sealed file in memory.
"""

from __future__ import annotations

import os

from .. import _core, aot, elf
from ..errors import ModuleError, PolicyError
from .endings import plain_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..cache import Cache
    from ..policy import Policy

__all__ = ["ABIS", "ENGINE", "allowed", "fits", "missing_caps", "open_code", "take"]

ENGINE = "wasm2c"
"""The engine that runs compiled guests."""

ABIS = (1, 2)
"""WN_AOT_ABI and WN_AOT_ABI_SHARED of wasi_native/aot.h."""

_NOT_EXEC = getattr(os, "ST_NOEXEC", 8)
_MFD_EXEC = 0x10  # Linux 6.3; older kernels refuse it
_SEALS = 1 | 2 | 4 | 8  # no more seals, no shrinking, growing, writing
_ADD_SEALS = 1033
_CHUNK = 1 << 18


def take(name: str, raw: bytes, policy: Policy, machine: elf.Machine | None = None) -> aot.Wno:
    """The file, when it is whole, allowed and for this machine.

    Raises ModuleError (not whole, signature wrong, another machine), PolicyError (not allowed).
    """
    wno = aot.read(name, raw)
    allowed(wno, policy)
    fits(wno, machine)
    return wno


def allowed(wno: aot.Wno, policy: Policy) -> None:
    """Raises PolicyError when the policy names neither the file nor its key, ModuleError for a wrong signature."""
    if wno.sha256 in policy.native.files:
        return
    if wno.key not in policy.native.keys:
        raise PolicyError(_not_allowed(wno))
    from ..aot_sign import verify

    verify(wno)


def _not_allowed(wno: aot.Wno) -> str:
    by = f", signed by the key {wno.key}" if wno.key else ", not signed"
    fix = f'add native = Native(files=["{wno.sha256}"]) if you trust it'
    return f"Policy.native: {wno.name} is native code that is not allowed (SHA-256 {wno.sha256}{by}); {fix}"


def fits(wno: aot.Wno, machine: elf.Machine | None = None) -> None:
    """Raises ModuleError when the code is for another machine than this."""
    made, machine = wno.manifest, machine or elf.here()
    runs = (machine.arch, "armv6") if machine.arch == "armv7" else (machine.arch,)
    wrong = ""
    if made.arch not in runs or made.pointer_bits != machine.pointer_bits:
        wrong = (
            f"{made.arch} ({made.pointer_bits} bits), this is {machine.arch} ({machine.pointer_bits} bits)"
        )
    elif made.libc and machine.libc != "unknown" and made.libc != machine.libc:
        wrong = f"{made.libc}, the C library of this process is {machine.libc}"
    elif made.float_abi and machine.float_abi and made.float_abi != machine.float_abi:
        wrong = f"{made.float_abi}-float calls, this process makes {machine.float_abi}-float ones"
    if wrong:
        libc = machine.libc if machine.libc != "unknown" else made.libc
        fix = f"wasi-native compile --arch {machine.arch} --libc {libc}"
        raise ModuleError(f"{wno.name}: compiled for {wrong}; {fix} makes one for here")
    if made.abi not in ABIS:
        raise ModuleError(
            f"{wno.name}: compiled for version {made.abi} of the interface, these are the versions {ABIS[0]} and "
            f"{ABIS[1]}; compile it again"
        )


def missing_caps(made: aot.Manifest) -> set[str]:
    """Abilities of the engine that this guest was compiled without."""
    return {name for name, there in (("interrupt", made.interrupt), ("fuel", made.fuel)) if not there}


def open_code(engine: _core.Engine, wno: aot.Wno, cache: Cache | None) -> list[_core.Module]:
    """The code of ``wno``, which :func:`take` gave: one module, or the parts of a component. Raises ModuleError."""
    problem = "the host was told to use no cache"
    if cache is not None:
        path, problem = _kept(cache, wno)
        if path is not None:
            return _restore(engine, wno, path)
    try:
        fd = _memory_file(wno)
    except (OSError, AttributeError) as error:
        raise ModuleError(
            f"{wno.name}: native code is opened from a file, and there is no place for one: {problem}; "
            f"a file in memory: {getattr(error, 'strerror', None) or error}"
        ) from None
    try:
        return _restore(engine, wno, _memory_path(fd, wno.sha256))
    finally:
        os.close(fd)  # what is mapped stays


def _restore(engine: _core.Engine, wno: aot.Wno, path: str) -> list[_core.Module]:
    try:
        return [engine.restore(path, part) for part in range(len(wno.manifest.parts) or 1)]
    except _core.CoreError as error:
        raise ModuleError(f"{wno.name}: {plain_lines(str(error))}") from None


def _kept(cache: Cache, wno: aot.Wno) -> tuple[str | None, str]:
    """The file in the cache that holds this code, made when there is none; or None, and why."""
    if cache.problem:
        return None, cache.problem
    key = (wno.sha256, ENGINE, f"abi{wno.manifest.abi}", "elf")
    path = cache.get(*key)
    if path is not None and not _same(path, wno.elf):
        cache.discard(path)
        path = None
    path = path or cache.put(*key, wno.elf)
    if path is None:
        return None, f"{cache.root}: nothing can be written there; set WASI_NATIVE_CACHE to another folder"
    if os.statvfs(path).f_flag & _NOT_EXEC:
        raise ModuleError(
            f"{wno.name}: {cache.root} is on a file system that is mounted noexec, so native code is not run from "
            "there; set WASI_NATIVE_CACHE to another folder, or use no cache (cache=False, --no-cache)"
        )
    return path, ""


def _same(path: str, code: memoryview) -> bool:
    """Whether the file holds this code; its checksum guards against damage, not against whoever can write here."""
    try:
        with open(path, "rb") as file:
            for at in range(0, len(code), _CHUNK):
                if file.read(_CHUNK) != bytes(code[at : at + _CHUNK]):
                    return False
            return not file.read(1)
    except OSError:
        return False


def _memory_file(wno: aot.Wno) -> int:
    """A file in memory that nobody can change any more."""
    from fcntl import fcntl

    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        fd = os.memfd_create("wasi_native", flags | _MFD_EXEC)
    except OSError:
        fd = os.memfd_create("wasi_native", flags)
    try:
        rest = wno.elf
        while rest:
            rest = rest[os.write(fd, rest) :]
        fcntl(fd, _ADD_SEALS, _SEALS)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _memory_path(fd: int, digest: str) -> str:
    """A name of the open file that no other code has: the loader of glibc takes equal names for equal libraries,
    and numbers of descriptors come again. Each bit of the digest's first half is a "/" or a "/."."""
    bits = f"{int(digest[:16], 16):064b}"
    return "/proc/self/fd" + "".join("/." if bit == "1" else "/" for bit in bits) + f"/{fd}"

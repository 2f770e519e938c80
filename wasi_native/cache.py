"""Compiled code kept on disk, so that a module is compiled once per machine.

An entry is a file of native code that will be *run*, so the question is whom to believe:

* The folder must be a real directory of this user that no one else may write to (it is made 0700). Any other
  folder is refused, ``Cache.problem`` says why, and modules are compiled anew: nothing fails but speed.
* The same holds for each entry: a regular file of this user, no link, not writable by others.
* Beside an entry ``K.code`` stands ``K.sum``: size and BLAKE2b-128 of the key and the code. Both are checked
  before the entry is used. A damaged, truncated, moved or half-written entry is removed and built again.
  BLAKE2b, because it costs 1.1 ms per MB from an extension that loads in 0.2 ms; OpenSSL's SHA-256 takes
  0.6 ms per MB on a processor with the instructions, and 2.7 ms to load. (A small program's code is 50 KB.)
* The key is all that the code depends on: SHA-256 of the module, engine, its version, its configuration.

Writing is atomic: temporary file, fsync, rename, fsync of the directory; a process killed at any point leaves
an entry whole or absent. Two processes that write one entry at once leave a valid one, or one that does not
match and is built again. The least recently used entries go when the cache outgrows ``max_bytes``.
"""

from __future__ import annotations

import os
import stat

__all__ = ["Cache", "Entry", "default_root"]

_CODE, _SUM, _TEMP = ".code", ".sum", ".tmp-"
_CHUNK = 1 << 18
_DAY = 86400.0
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Entry:
    """An entry as :meth:`Cache.list` tells it; ``used`` is the day it was used last, in seconds of 1970."""

    __slots__ = ("config", "engine", "module_sha256", "path", "size", "used", "version")

    def __init__(self, path: str, words: tuple[str, ...], size: int, used: float) -> None:
        self.path, self.size, self.used = path, size, used
        self.module_sha256, self.engine, self.version, self.config = words


_Entries = list[Entry]  # inside Cache, the name ``list`` is the method
_Files = list[tuple[str, os.stat_result]]


def default_root() -> str:
    """``$WASI_NATIVE_CACHE``, else wasi_native in ``$XDG_CACHE_HOME`` or ``~/.cache``; "" without a home."""
    given = os.environ.get("WASI_NATIVE_CACHE")
    if given:
        return os.path.abspath(given)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative one is to be ignored
        base = os.path.expanduser("~/.cache")
    return os.path.join(base, "wasi_native") if os.path.isabs(base) else ""


class Cache:
    """The cache in the folder ``root``, which is made when the first entry is put.

    Nothing here raises OSError: a cache that cannot be used has nothing in it, and ``problem`` says why. Any
    thread; any number of processes.
    """

    __slots__ = ("max_bytes", "root")

    def __init__(self, root: str | os.PathLike[str] | None = None, max_bytes: int = 1 << 29) -> None:
        self.root = default_root() if root is None else os.path.abspath(os.fspath(root))
        self.max_bytes = max_bytes

    @property
    def problem(self) -> str:
        """Why the cache is not used, with the remedy; "" when it can be used or be made."""
        if not self.root:
            return "there is no home directory; set WASI_NATIVE_CACHE to a folder"
        try:
            info = os.stat(self.root)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{self.root}: {error.strerror}; set WASI_NATIVE_CACHE to another folder"
        if not stat.S_ISDIR(info.st_mode):
            return f"{self.root} is not a directory; remove it, or set WASI_NATIVE_CACHE to another folder"
        if info.st_uid != os.geteuid():
            return (
                f"{self.root} belongs to user {info.st_uid}, not to {os.geteuid()}, and native code is run "
                "from it; set WASI_NATIVE_CACHE to a folder of your own"
            )
        if info.st_mode & 0o022:
            return (
                f"{self.root} can be written by others, and native code is run from it; chmod 700 {self.root}"
            )
        return ""

    def path_for(self, module_sha256: str, engine: str, version: str, config_key: str) -> str:
        """Where the entry of this key is, or would be."""
        words = (_word(module_sha256), _word(engine), _word(version), _word(config_key))
        return os.path.join(self.root, "-".join(words) + _CODE)

    def get(self, module_sha256: str, engine: str, version: str, config_key: str) -> str | None:
        """The path of a verified entry, or None."""
        if self.problem:
            return None
        path = self.path_for(module_sha256, engine, version, config_key)
        try:
            sound = _verify(path)
        except OSError:
            return None
        if not sound:
            _remove(path)
            return None
        return path

    def put(
        self, module_sha256: str, engine: str, version: str, config_key: str, code: bytes | memoryview
    ) -> str | None:
        """Keep ``code``; the path of the entry, or None when it could not be written."""
        if self.problem:
            return None
        path = self.path_for(module_sha256, engine, version, config_key)
        digest = _digest(path)
        digest.update(code)
        line = f"blake2b {len(code)} {digest.hexdigest()}\n".encode()
        temps: list[str] = []
        try:
            os.makedirs(os.path.dirname(self.root), exist_ok=True)
            if not os.path.isdir(self.root):
                os.mkdir(self.root, 0o700)
        except FileExistsError:  # another process was quicker; whose it is, is looked at below
            pass
        except OSError:
            return None
        if self.problem:
            return None
        try:
            temps.append(_write(self.root, code))
            temps.append(_write(self.root, line))
            os.rename(temps[0], path)
            os.rename(temps[1], path[: -len(_CODE)] + _SUM)
            _sync(self.root)
        except OSError:
            for temp in temps:
                _unlink(temp)
            return None
        self._shrink(path)
        return path

    def discard(self, path: str) -> None:
        """Forget an entry, by the path that ``get`` gave: the engine would not have it."""
        if os.path.dirname(path) == self.root and path.endswith(_CODE):
            _remove(path)

    def list(self) -> _Entries:
        """All entries, the one used last first; they are not verified."""
        found = []
        for name, info in self._scan():
            words = tuple(name[: -len(_CODE)].split("-"))
            if name.endswith(_CODE) and len(words) == 4:
                found.append(Entry(os.path.join(self.root, name), words, info.st_size, info.st_mtime))
        return sorted(found, key=lambda entry: -entry.used)

    def clear(self) -> int:
        """Remove all entries, and what killed processes left; how many entries there were."""
        count = 0
        for name, _info in self._scan():
            if name.endswith((_CODE, _SUM)) or name.startswith(_TEMP):
                count += _unlink(os.path.join(self.root, name)) and name.endswith(_CODE)
        return count

    def _scan(self) -> _Files:
        if self.problem:
            return []
        found = []
        try:
            with os.scandir(self.root) as entries:
                for entry in entries:
                    try:
                        found.append((entry.name, entry.stat(follow_symlinks=False)))
                    except OSError:  # gone meanwhile
                        continue
        except OSError:
            pass
        return found

    def _shrink(self, keep: str) -> None:
        """Remove the least recently used entries above ``max_bytes``, and old leftovers."""
        import time

        now, total, old = time.time(), 0, []
        for name, info in self._scan():
            path = os.path.join(self.root, name)
            if name.startswith(_TEMP) and now - info.st_mtime > 3600:
                _unlink(path)
            elif name.endswith(_CODE):
                total += info.st_size
                if path != keep:
                    old.append((info.st_mtime, info.st_size, path))
        for _used, size, path in sorted(old):
            if total <= self.max_bytes:
                break
            _remove(path)
            total -= size


def _word(text: str) -> str:
    """A part of a key as a part of a file name: as it is when that is plain and short, else its digest."""
    if 0 < len(text) <= 64 and _NAME.issuperset(text) and not text.startswith("."):
        return text
    digest = _digest("")
    digest.update(text.encode("utf-8", "surrogateescape"))
    return "x" + str(digest.hexdigest())


def _digest(path: str):  # type: ignore[no-untyped-def]
    """A hash that has seen the entry's name, so that an entry put in the place of another is not sound."""
    try:
        from _blake2 import blake2b
    except ImportError:  # a Python that has it from OpenSSL alone
        from hashlib import blake2b
    name = os.path.basename(path)
    return blake2b(name.encode(), digest_size=16)


def _verify(path: str) -> bool:
    """Whether the entry is ours and whole. FileNotFoundError when there is none."""
    fd = os.open(path, _OPEN)
    try:
        info = os.fstat(fd)
        if not _is_ours(info):
            return False
        kind, size, wanted = _sum(path)
        if kind != "blake2b" or size != str(info.st_size):
            return False
        digest = _digest(path)
        while chunk := os.read(fd, _CHUNK):
            digest.update(chunk)
        if digest.hexdigest() != wanted:
            return False
        _touch(fd, info)
        return True
    finally:
        os.close(fd)


def _sum(path: str) -> tuple[str, str, str]:
    try:
        fd = os.open(path[: -len(_CODE)] + _SUM, _OPEN)
    except OSError:
        return ("", "", "")
    try:
        words = os.read(fd, 256).decode("ascii", "replace").split() if _is_ours(os.fstat(fd)) else []
    finally:
        os.close(fd)
    return (words[0], words[1], words[2]) if len(words) == 3 else ("", "", "")


def _is_ours(info: os.stat_result) -> bool:
    return stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o022


def _touch(fd: int, info: os.stat_result) -> None:
    """Note the use, once a day: flash memory wears out."""
    import time

    if time.time() - info.st_mtime > _DAY:
        try:
            os.utime(fd)
        except OSError:  # a read-only file system
            pass


def _write(root: str, data: bytes | memoryview) -> str:
    path = os.path.join(root, f"{_TEMP}{os.getpid()}-{os.urandom(6).hex()}")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    except OSError:
        _unlink(path)
        raise
    finally:
        os.close(fd)
    return path


def _sync(root: str) -> None:
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    _unlink(path[: -len(_CODE)] + _SUM)
    _unlink(path)


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True

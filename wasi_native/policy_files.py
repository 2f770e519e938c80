"""Files, directories and streams of a policy. Import them from :mod:`wasi_native.policy`."""

from __future__ import annotations

from . import policy_check as check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import KW_ONLY, dataclass
    from typing import Final

    from _typeshed import StrPath
else:
    from .record import KW_ONLY, dataclass

__all__ = ["CLOSED", "INHERIT", "NULL", "Capture", "Dir", "File", "MemoryDir", "TempDir"]

INHERIT: Final = "inherit"
"""The stream of the host process itself."""
NULL: Final = "null"
"""A null device: reads give end of file, writes are swallowed. ``None`` and the default mean the same."""
CLOSED: Final = "closed"
"""No descriptor at all: the guest gets ``badf``."""


# --- files and directories ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dir:
    """A directory of the host as a preopen.

    ``host``: path, kept as text. ``guest``: its name for the guest, absolute or ``"."``; default ``"."`` for
    the host path ``"."``, else ``"/"`` and the last name of ``host``. ``read_only``: default False.
    ``create``: make a missing host directory (default False). ``quota``: bytes, ``inodes``: new entries,
    ``max_file_size``: bytes of each file; None (default) leaves them to :class:`Limits`. Raises PolicyError.
    """

    host: StrPath
    guest: str | None = None
    _: KW_ONLY
    read_only: bool = False
    create: bool = False
    quota: int | None = None
    inodes: int | None = None
    max_file_size: int | None = None

    def __post_init__(self) -> None:
        host = check.host_path("Dir.host", self.host)
        guest = check.default_guest("Dir.guest", host) if self.guest is None else self.guest
        check.put(self, host=host, guest=check.guest_path("Dir.guest", guest))
        check.flag("Dir.read_only", self.read_only)
        check.flag("Dir.create", self.create)
        check.caps(self, "quota", "inodes", "max_file_size")

    @staticmethod
    def memory(guest: str, size: int | None = None, inodes: int | None = None) -> MemoryDir:
        """A directory that lives in memory: see :class:`MemoryDir`."""
        return MemoryDir(guest, size=size, inodes=inodes)

    @staticmethod
    def temporary(guest: str, quota: int | None = None, inodes: int | None = None) -> TempDir:
        """A directory that is removed after the instance: see :class:`TempDir`."""
        return TempDir(guest, quota=quota, inodes=inodes)

    def describe(self) -> str:
        """One line for people."""
        tail = ", read-only" if self.read_only else ", read and write" + _describe_caps(self)
        return f"dir {self.guest!r}: host {self.host!r}{tail}{', created if missing' if self.create else ''}"


@dataclass(frozen=True, slots=True)
class MemoryDir:
    """An empty scratch directory in memory, private to each instance, gone with it.

    ``guest``: absolute name or ``"."``. ``size``: bytes of all files, ``inodes``: entries,
    ``max_file_size``: bytes of each file; None (default) leaves them to :class:`Limits`. Raises PolicyError.
    """

    guest: str
    _: KW_ONLY
    size: int | None = None
    inodes: int | None = None
    max_file_size: int | None = None

    def __post_init__(self) -> None:
        check.guest_path("MemoryDir.guest", self.guest)
        check.caps(self, "size", "inodes", "max_file_size")

    def describe(self) -> str:
        """One line for people."""
        return f"dir {self.guest!r}: in memory{_describe_caps(self)}"


@dataclass(frozen=True, slots=True)
class TempDir:
    """An empty directory on disk, made when the instance is made and removed with it.

    ``guest``: absolute name or ``"."``. ``quota``: bytes, ``inodes``: entries, ``max_file_size``: bytes of
    each file; None (default) leaves them to :class:`Limits`. Raises PolicyError.
    """

    guest: str
    _: KW_ONLY
    quota: int | None = None
    inodes: int | None = None
    max_file_size: int | None = None

    def __post_init__(self) -> None:
        check.guest_path("TempDir.guest", self.guest)
        check.caps(self, "quota", "inodes", "max_file_size")

    def describe(self) -> str:
        """One line for people."""
        return f"dir {self.guest!r}: temporary{_describe_caps(self)}"


def _describe_caps(grant: Dir | MemoryDir | TempDir) -> str:
    text = ""
    for name in ("quota", "size", "max_file_size", "inodes"):
        value = getattr(grant, name, None)
        if value is not None:
            text += f", {name} {value if name == 'inodes' else check.size(value)}"
    return text


@dataclass(frozen=True, slots=True)
class File:
    """One file of the host as a preopen.

    ``host``: path. ``guest``: absolute name; default ``"/"`` and the last name of ``host``. ``read_only``:
    default True. ``device``: the explicit grant that a character device needs (default False). Raises
    PolicyError.
    """

    host: StrPath
    guest: str | None = None
    _: KW_ONLY
    read_only: bool = True
    device: bool = False

    def __post_init__(self) -> None:
        host = check.host_path("File.host", self.host)
        guest = check.default_guest("File.guest", host, dot=False) if self.guest is None else self.guest
        check.put(self, host=host, guest=check.guest_path("File.guest", guest, dot=False))
        check.flag("File.read_only", self.read_only)
        check.flag("File.device", self.device)

    def describe(self) -> str:
        """One line for people."""
        tail = ("read-only" if self.read_only else "read and write") + (", device" if self.device else "")
        return f"file {self.guest!r}: host {self.host!r}, {tail}"


# --- streams -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Capture:
    """Keeps what the guest writes; read it from the instance (``instance.stdout``, ``instance.stderr``).

    ``limit``: bytes kept per stream and instance, default 1 MiB. Raises PolicyError.
    """

    limit: int = 1 << 20

    def __post_init__(self) -> None:
        check.integer("Capture.limit", self.limit)

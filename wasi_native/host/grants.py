"""From a policy to the world of one guest: opens what is granted, and closes it with the guest.

The core duplicates what it is handed, so that every host descriptor opened here is closed here, at once.
"""

from __future__ import annotations

import os
import sys

from .. import _core
from ..errors import CoreError, PolicyError
from ..policy import (
    CLOSED,
    NULL,
    Dir,
    Fixed,
    MemoryDir,
    Offset,
    Policy,
    TempDir,
    output_kind,
    stdin_kind,
)
from .callbacks import reader, writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy import Dial, File, Limits, Listen

__all__ = ["RESOLVERS", "Grants"]

RESOLVERS = {"auto": 0, "openat2": 1, "walk": 2}

_STREAMS = ("stdin", "stdout", "stderr")
_CLOCK_IDS = {"realtime": (0,), "monotonic": (1,), "cpu": (2, 3)}
_NS = 10**9


class Grants:
    """What one instance was granted: build() opens it, close() ends what outlives the core's descriptors."""

    def __init__(
        self, policy: Policy, limits: Limits, module_name: str, resolver: int, os_: _core.FakeOs | None = None
    ) -> None:
        self.policy, self.limits, self.captures = policy, limits, set[int]()
        self.addresses: tuple[tuple[str, int] | str, ...] = ()
        self._program = policy.program or module_name
        self._resolver, self._os = resolver, os_
        self._temporary: list[str] = []
        self._sockets_made: list[str] = []

    def build(self) -> _core.Sys:
        """A new world with all grants in it. PolicyError names the grant and the fix."""
        try:
            return self._build()
        except _core.CoreError as error:
            few = _core.error_name(error.code) in ("MFILE", "INVAL")
            fix = "; raise Limits.fds, dirs or sockets, or grant less" if few else ""
            raise PolicyError(f"Policy: what is granted cannot be set up: {error}{fix}") from None

    def _build(self) -> _core.Sys:
        policy, limits = self.policy, self.limits
        given = {
            "memory_bytes": limits.memory,
            "table_elements": limits.table_elements,
            "fuel": limits.fuel,
            "cpu_ns": None if limits.cpu_time is None else int(limits.cpu_time * _NS),
            "output_bytes": limits.output_bytes,
            "fds": limits.fds,
            "dirs": limits.dirs,
            "sockets": limits.sockets,
            "iovs": limits.iovecs,
            "subscriptions": limits.subscriptions,
            "handles": limits.handles,
            "value_bytes": limits.value_bytes,
        }
        world = _core.Sys({k: v for k, v in given.items() if v is not None}, self._resolver, os=self._os)
        world.set_args([_bytes(self._program), *map(_bytes, policy.args)])
        world.set_env([_bytes(f"{name}={value}") for name, value in policy.env.items()])
        self._streams(world)
        if not policy.allow_overlap and len(policy.dirs) > 1:
            _check_real_overlap([d for d in policy.dirs if isinstance(d, Dir)])
        for index, grant in enumerate(policy.dirs):
            self._dir(world, grant, f"dirs[{index}]")
        self._files(world)
        self._sockets(world)
        for name, ids in _CLOCK_IDS.items():
            value = getattr(policy.clocks, name)
            for clock in ids:
                if isinstance(value, Fixed):
                    world.set_clock(clock, 2, value.ns, value.step)
                elif isinstance(value, Offset):
                    world.set_clock(clock, 1, value.ns, 0)
        seed = policy.random.key()
        if seed is not None:
            world.set_seed(int.from_bytes(seed[:8], "little"))
        return world

    def close(self) -> None:
        """Remove temporary directories and the files of unix sockets. Idempotent."""
        while self._temporary:
            import shutil

            shutil.rmtree(self._temporary.pop(), ignore_errors=True)
        while self._sockets_made:
            try:
                os.unlink(self._sockets_made.pop())
            except OSError:
                pass

    # ---- streams ----

    def _streams(self, world: _core.Sys) -> None:
        for fd, name in enumerate(_STREAMS):
            value = getattr(self.policy, name)
            kind = stdin_kind(value) if fd == 0 else output_kind(value)
            if kind == "inherit":
                self._inherit(world, fd)
            elif kind == NULL:
                world.stdio_null(fd)
            elif kind == "bytes":
                world.stdio_bytes(fd, value)
            elif kind == "capture":
                world.stdio_capture(fd, value.limit)
                self.captures.add(fd)
            elif kind == "file":
                # read1: what there is, where read() of a buffered stream waits for all that was asked for.
                if fd == 0:
                    world.stdio_stream(fd, reader(getattr(value, "read1", None) or value.read), None)
                else:
                    world.stdio_stream(fd, None, writer(value.write))
            elif kind == "callback":
                world.stdio_stream(fd, None, writer(value))
            else:
                assert kind == CLOSED

    @staticmethod
    def _inherit(world: _core.Sys, fd: int) -> None:
        stream = (None, sys.stdout, sys.stderr)[fd]
        if stream is not None:
            try:
                stream.flush()  # what Python holds back comes before what the guest writes
            except (OSError, ValueError):
                pass
        try:
            world.stdio_fd(fd, fd)
        except CoreError as error:
            if _core.error_name(error.code) != "BADF":
                raise PolicyError(f"Policy.{_STREAMS[fd]}: {error}; write NULL") from None
            world.stdio_null(fd)  # the process itself was started without this stream

    # ---- files and directories ----

    def _dir(self, world: _core.Sys, grant: Dir | MemoryDir | TempDir, where: str) -> None:
        limits = self.limits
        assert grant.guest is not None  # the policy has filled it in
        guest = _bytes(grant.guest)
        inodes = grant.inodes or limits.inodes or 0
        size = grant.max_file_size or 0
        if isinstance(grant, MemoryDir):
            world.preopen_memory(guest, grant.size or limits.disk_bytes or 0, inodes, size)
            return
        quota = grant.quota or limits.disk_bytes or 0
        read_only = isinstance(grant, Dir) and grant.read_only
        if isinstance(grant, TempDir):
            import tempfile

            host = tempfile.mkdtemp(prefix="wasi-native-")
            self._temporary.append(host)
        else:
            host = os.fspath(grant.host)
            if grant.create:
                try:
                    os.makedirs(host, exist_ok=True)
                except OSError as error:
                    raise PolicyError(
                        f"Policy.{where}.host: {host!r} cannot be made: {error.strerror}"
                    ) from None
        if read_only:
            quota = inodes = size = 0
        try:
            world.preopen_dir(os.fsencode(host), guest, read_only, quota, inodes, size)
        except CoreError as error:
            fix = "; make it, or write create=True" if _core.error_name(error.code) == "NOENT" else ""
            raise PolicyError(f"Policy.{where}.host: {host!r} cannot be granted: {error}{fix}") from None

    def _files(self, world: _core.Sys) -> None:
        made: dict[str, int] = {}
        fd = 3
        for directory in self.policy.dirs:
            if isinstance(directory, MemoryDir):
                made[directory.guest] = fd
            fd += 1
        for index, grant in enumerate(self.policy.files):
            self._file(world, grant, f"files[{index}]", made)

    def _file(self, world: _core.Sys, grant: File, where: str, made: dict[str, int]) -> None:
        assert grant.guest is not None
        folder, _, name = grant.guest.rpartition("/")
        folder = folder or "/"
        if any(d.guest == folder and not isinstance(d, MemoryDir) for d in self.policy.dirs):
            raise PolicyError(
                f"Policy.{where}.guest: {grant.guest!r} lies in the granted directory {folder!r}; "
                "grant the file under another directory"
            )
        if folder not in made:
            # Read-only: it holds what is granted and nothing else; each file is written by its own grant.
            made[folder] = world.preopen_memory(_bytes(folder), 1, 1, 0, True)
        host = os.fspath(grant.host)
        try:
            world.mount_file(made[folder], _bytes(name), os.fsencode(host), grant.read_only, grant.device)
        except CoreError as error:
            fix = {"NOENT": "; there is no such file", "INVAL": "; a character device needs device=True"}
            tail = fix.get(_core.error_name(error.code), "")
            raise PolicyError(f"Policy.{where}.host: {host!r} cannot be granted: {error}{tail}") from None

    # ---- sockets ----

    def _sockets(self, world: _core.Sys) -> None:
        policy = self.policy
        for rule in policy.net:
            assert not isinstance(rule, str)  # the policy has read it
            world.net_allow(rule.judged())
        if not policy.listen and not policy.dial:
            return
        import socket

        addresses = []
        for index, listen in enumerate(policy.listen):
            with self._endpoint(socket, listen, f"listen[{index}]") as sock:
                name = sock.getsockname()
                addresses.append(name if isinstance(name, str) else (name[0], name[1]))
                if listen.peers:
                    world.net_allow(listen.judged(name[0], name[1]))
                world.preopen_socket(sock.fileno(), True)
        for index, dial in enumerate(policy.dial):
            with self._endpoint(socket, dial, f"dial[{index}]") as sock:
                world.preopen_socket(sock.fileno(), False)
        self.addresses = tuple(addresses)

    def _endpoint(self, socket, grant: Listen | Dial, where: str):  # type: ignore[no-untyped-def]
        from ..policy import Listen

        sock = None
        try:
            if grant.protocol == "unix":
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                address = grant.path
            else:
                flags = socket.AI_PASSIVE if isinstance(grant, Listen) else 0
                found = socket.getaddrinfo(grant.host, grant.port, type=socket.SOCK_STREAM, flags=flags)
                family, kind, proto, _, address = found[0]
                sock = socket.socket(family, kind, proto)
                if grant.nodelay:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not isinstance(grant, Listen):
                sock.connect(address)
                return sock
            if grant.protocol == "tcp" and grant.reuseaddr:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            if grant.path is not None:
                self._sockets_made.append(grant.path)
            sock.listen(grant.backlog)
            return sock
        except OSError as error:
            if sock is not None:
                sock.close()
            verb = "listen on" if isinstance(grant, Listen) else "connect to"
            reason = error.strerror or str(error)
            raise PolicyError(f"Policy.{where}: cannot {verb} {grant.url}: {reason}") from None


def _check_real_overlap(dirs: list[Dir]) -> None:
    """The policy compared texts; links and relative paths show only here."""
    real = [(os.path.realpath(os.fspath(d.host)), d) for d in dirs]
    for index, (path, grant) in enumerate(real):
        for other, earlier in real[:index]:
            same = path == other or _same_inode(path, other)
            nested = (path + os.sep).startswith(other.rstrip(os.sep) + os.sep) or (other + os.sep).startswith(
                path.rstrip(os.sep) + os.sep
            )
            if same or (nested and grant.read_only != earlier.read_only):
                raise PolicyError(
                    f"Policy.dirs: {os.fspath(grant.host)!r} and {os.fspath(earlier.host)!r} overlap: "
                    f"{path!r} and {other!r}; grant one of them, or write allow_overlap=True"
                )


def _same_inode(path: str, other: str) -> bool:
    """One directory by two names: a bind mount. What is missing is for the grant itself to say."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

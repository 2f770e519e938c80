"""What a guest is granted, as frozen data.

A :class:`Policy` says all that a guest may touch; the default grants nothing. Nothing here opens, reads or
resolves anything: the host does that when it instantiates, and checks with real inodes again what can only be
checked as text here. Objects are immutable, comparable, hashable and can be pickled (as long as no stream or
callback is among them), so that one policy serves many instances. Every wrong value raises
:class:`~wasi_native.errors.PolicyError`; its text starts with ``Class.field: `` and ends with the fix.
"""

from __future__ import annotations

import io
import os

from . import policy_check as check
from .policy_files import CLOSED, INHERIT, NULL, Capture, Dir, File, MemoryDir, TempDir
from .policy_limits import CLOCKS, Clock, Fixed, Limits, Offset, Random
from .policy_native import Native
from .policy_net import Allow
from .policy_socket import Dial, Listen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from dataclasses import dataclass, field
    from typing import Any, TypeAlias

    from _typeshed import StrPath, SupportsRead, SupportsWrite

    Stdin: TypeAlias = str | bytes | SupportsRead[bytes] | None
    Output: TypeAlias = "str | Capture | SupportsWrite[bytes] | Callable[[bytes], object] | None"
else:
    from .record import dataclass, field

__all__ = [
    "CLOSED",
    "INHERIT",
    "NULL",
    "Allow",
    "Capture",
    "Clock",
    "Dial",
    "Dir",
    "File",
    "Fixed",
    "Limits",
    "Listen",
    "MemoryDir",
    "Native",
    "Offset",
    "Policy",
    "Random",
    "TempDir",
    "output_kind",
    "stdin_kind",
]

# --- streams -----------------------------------------------------------------------------------------------


def _stream_kind(where: str, value: object) -> str | None:
    if value is None:
        return NULL
    if isinstance(value, str):
        if value in (INHERIT, NULL, CLOSED):
            return value
        check.fail(where, f"{check.show(value)} is not a stream; write INHERIT, NULL, CLOSED or bytes")
    if isinstance(value, io.TextIOBase):
        check.fail(where, f"{check.show(value)} is a text stream; pass its .buffer or a binary file")
    if isinstance(value, type):
        check.fail(where, f"{value.__name__} is a class; write {value.__name__}()")
    return None


def stdin_kind(value: object, where: str = "Policy.stdin") -> str:
    """Which kind of input ``value`` is: inherit, null, closed, bytes or file (it has ``read``).

    Raises PolicyError for everything else, also for text streams.
    """
    kind = _stream_kind(where, value)
    if kind is None and isinstance(value, (bytes, bytearray, memoryview)):
        kind = "bytes"
    if kind is None and callable(getattr(value, "read", None)):
        kind = "file"
    if kind is None:
        check.fail(where, f"{check.show(value)} cannot be read; write bytes or a binary file")
    return kind


def output_kind(value: object, where: str = "Policy.stdout") -> str:
    """Which kind of output ``value`` is: inherit, null, closed, capture, file (it has ``write``) or callback.

    Raises PolicyError for everything else, also for text streams.
    """
    kind = _stream_kind(where, value)
    if kind is None and isinstance(value, Capture):
        kind = "capture"
    if kind is None and callable(getattr(value, "write", None)):
        kind = "file"
    if kind is None and callable(value):
        kind = "callback"
    if kind is None:
        check.fail(where, f"{check.show(value)} cannot be written; write Capture(), a file or a function")
    return kind


_RECORDS = (("clocks", Clock), ("random", Random), ("limits", Limits), ("native", Native))


# --- the policy --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All that a guest is granted; the default grants nothing. Every argument is a keyword.

    * ``args``: strings after argv[0]; ``program``: argv[0], default (None) the module's file name; ``env``:
      names and values. Nothing is taken over from the host process.
    * ``dirs``: :class:`Dir`, :class:`MemoryDir`, :class:`TempDir`; ``files``: :class:`File`; preopens in
      this order, then ``listen`` (:class:`Listen`) and ``dial`` (:class:`Dial`)
    * ``net``: what sockets that the guest makes itself may do: :class:`Allow`, or its rules as strings
    * ``stdin``: ``INHERIT``, ``NULL`` (also None, the default), ``CLOSED``, bytes, or an object with
      ``read``; ``stdout`` and ``stderr``: the same words, :class:`Capture`, an object with ``write``, or a
      function of bytes
    * ``clocks``, ``random``, ``limits``: default the system's, the system's, the board's
    * ``native``: the compiled guests (:class:`Native`) that the host may load; default none. It is the host's policy
      that counts, not one that an instance is given
    * ``allow_overlap``: default False: a host directory granted twice, or inside another grant that differs
      in what it permits, is refused. Two grants may nest when both are read-only, or both writable without a
      cap of their own. A guest name given twice is always refused.

    Sequences are kept as tuples. Raises PolicyError.
    """

    program: str | None = None
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    dirs: Sequence[Dir | MemoryDir | TempDir] = ()
    files: Sequence[File] = ()
    stdin: Stdin = None
    stdout: Output = None
    stderr: Output = None
    listen: Sequence[Listen] = ()
    dial: Sequence[Dial] = ()
    net: Sequence[Allow | str] = ()
    clocks: Clock = field(default_factory=Clock)
    random: Random = field(default_factory=Random)
    limits: Limits = field(default_factory=Limits)
    native: Native = field(default_factory=Native)
    allow_overlap: bool = False

    def __post_init__(self) -> None:
        if self.program is not None:
            check.string("Policy.program", self.program)
        args = check.many("Policy.args", self.args, "strings")
        for index, arg in enumerate(args):
            check.string(f"Policy.args[{index}]", arg)
        if self.stdin is not None and stdin_kind(self.stdin) == "bytes":
            check.put(self, stdin=bytes(self.stdin))  # type: ignore[arg-type]
        for name in ("stdout", "stderr"):
            output_kind(getattr(self, name), f"Policy.{name}")
        check.put(
            self,
            args=args,
            env=_env(self.env),
            dirs=_typed("dirs", self.dirs, Dir, MemoryDir, TempDir),
            files=_typed("files", self.files, File),
            listen=_typed("listen", self.listen, Listen),
            dial=_typed("dial", self.dial, Dial),
            net=_net(self.net),
            **{name: NULL for name in ("stdin", "stdout", "stderr") if getattr(self, name) is None},
        )
        for name, kind in _RECORDS:
            if not isinstance(getattr(self, name), kind):
                value = check.show(getattr(self, name))
                check.fail(f"Policy.{name}", f"{value} is not a {kind.__name__}; write {kind.__name__}(...)")
        check.flag("Policy.allow_overlap", self.allow_overlap)
        _check_guests(self)
        if not self.allow_overlap:
            _check_overlap(self)

    @classmethod
    def from_toml(cls, path: StrPath) -> Policy:
        """The policy in a TOML file; relative host paths start at its folder.

        Raises PolicyError with file, line and key; OSError when the file cannot be read.
        """
        from .policy_toml import load

        return load(cls, path)

    @classmethod
    def from_toml_text(cls, text: str, name: str = "<policy>", base: StrPath | None = None) -> Policy:
        """The policy in a TOML text; ``name`` stands in its errors, relative host paths start at ``base``
        (None: as they are). Raises PolicyError with name, line and key.
        """
        from .policy_toml import loads

        return loads(cls, text, name, base)

    def describe(self) -> list[str]:
        """What is granted, a line for people each: names of variables without values, no seed, no data."""
        lines = [] if self.program is None else [f"program: {self.program!r}"]
        lines += [f"args: {' '.join(map(repr, self.args))}"] if self.args else []
        lines += [f"env: {', '.join(map(repr, self.env))}"] if self.env else []
        grants: tuple[Any, ...] = (*self.dirs, *self.files, *self.listen, *self.dial, *self.net)
        for grant in grants:
            lines.append(grant.describe())
        kinds = (stdin_kind(self.stdin), output_kind(self.stdout), output_kind(self.stderr))
        for name, kind in zip(("stdin", "stdout", "stderr"), kinds, strict=True):
            if kind == "capture":
                kind += f" {check.size(getattr(self, name).limit)}"
            lines += [f"{name}: {kind}"] if kind != NULL else []
        for name in CLOCKS:
            value = getattr(self.clocks, name)
            if isinstance(value, Fixed):
                lines.append(f"clock {name}: fixed at {value.ns} ns, {value.step} ns more after each reading")
            elif isinstance(value, Offset):
                lines.append(f"clock {name}: system {value.ns:+} ns")
        lines += ["random: seeded, repeatable, not secret"] if self.random.seed is not None else []
        lines += [*self.limits.describe(), *self.native.describe()]
        lines += ["overlapping preopens are allowed"] if self.allow_overlap else []
        return lines or ["nothing is granted"]


def _env(env: object) -> check.FrozenDict:
    try:
        pairs = dict(env)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        check.fail("Policy.env", f"{check.show(env)} is not a mapping; write a dictionary")
    for name, value in pairs.items():
        check.variable(name, value)
    return check.FrozenDict(pairs)


def _typed(name: str, values: Iterable[object], *kinds: type) -> tuple[Any, ...]:
    done = []
    names = " or ".join(kind.__name__ for kind in kinds)
    for index, value in enumerate(check.many(f"Policy.{name}", values, names)):
        if not isinstance(value, kinds):
            text = f"{check.show(value)} has the type {type(value).__name__}; write {names}"
            check.fail(f"Policy.{name}[{index}]", text)
        done.append(value)
    return tuple(done)


def _net(values: object) -> tuple[Any, ...]:
    rules = check.many("Policy.net", values, "rules")
    return _typed("net", [Allow(rule) if isinstance(rule, str) else rule for rule in rules], Allow)


def _check_guests(policy: Policy) -> None:
    seen: dict[str, str] = {}
    for name in ("dirs", "files"):
        for index, grant in enumerate(getattr(policy, name)):
            place = f"{name}[{index}]"
            other = seen.setdefault(grant.guest, place)
            if other != place:
                text = f"the guest name {grant.guest!r} is already that of {other}; write another one"
                check.fail(f"Policy.{place}.guest", text)


def _check_overlap(policy: Policy) -> None:
    seen: list[tuple[str, Dir | File]] = []
    for name in ("dirs", "files"):
        for index, grant in enumerate(getattr(policy, name)):
            if isinstance(grant, (MemoryDir, TempDir)):
                continue
            place = f"{name}[{index}]"
            for other_place, other in seen:
                how = _overlap(grant, other)
                if how:
                    text = f"{check.show(grant.host)} {how} {check.show(other.host)} of {other_place}"
                    check.fail(
                        f"Policy.{place}.host", f"{text}; grant one of them, or set allow_overlap=True"
                    )
            seen.append((place, grant))


def _overlap(one: Dir | File, two: Dir | File) -> str:
    """How ``one`` overlaps ``two`` in a way that is refused, or ''."""
    a, b = _parts(one.host), _parts(two.host)
    if a == b:
        return "is the same as"
    if not _below(a, b) and not _below(b, a):
        return ""
    if one.read_only and two.read_only and not (isinstance(one, File) and one.device):
        return ""
    caps = [getattr(grant, cap, None) for grant in (one, two) for cap in ("quota", "inodes", "max_file_size")]
    device = any(isinstance(grant, File) and grant.device for grant in (one, two))
    if not one.read_only and not two.read_only and not device and caps == [None] * len(caps):
        return ""
    return f"is {'inside' if _below(a, b) else 'around'}, with another permission,"


def _parts(host: object) -> list[str]:
    text = os.path.normpath(os.fspath(host))  # type: ignore[call-overload]
    return ["/"] * text.startswith("/") + [part for part in text.split("/") if part not in ("", ".")]


def _below(inner: list[str], outer: list[str]) -> bool:
    """True when the text says that ``inner`` lies in ``outer``; absolute and relative are not compared."""
    if inner[:1] == ["/"] or outer[:1] == ["/"]:
        return len(inner) > len(outer) > 0 and inner[: len(outer)] == outer
    ups = outer.count("..")
    if ups == len(outer) > inner.count(".."):
        return True
    return inner[: len(outer)] == outer and len(inner) > len(outer) and inner[len(outer)] != ".."

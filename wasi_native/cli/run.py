"""``wasi-native run``: one program, with what the command line grants."""

from __future__ import annotations

import os
import sys

from ..errors import (
    EngineMissing,
    LimitExceeded,
    LinkError,
    ModuleError,
    PolicyError,
    Timeout,
    Trap,
    WasiError,
)
from . import options as opt
from .invoke import invoke
from .options import FLAG, LIST, MAYBE, VALUE, Command, Usage
from .out import complain, report, say
from .signals import AtOnce, end_in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from ..host import Instance
    from ..policy import Policy
    from ..trace import Stats, Tracer

__all__ = ["COMMAND", "main", "make_policy"]

COMMAND = Command(
    "run",
    "[OPTIONS] MODULE [ARGS]",
    "Runs the WebAssembly program MODULE (.wasm, or .wat where the engine reads text). Its standard "
    "streams are those of this command; it gets nothing else but what the options grant. What follows "
    "MODULE is its own.",
    (
        (
            "--dir",
            LIST,
            "HOST[::GUEST][:ro]",
            "grant the directory HOST, named GUEST in the program (default: '.' "
            "for '.', else '/' and its last name), with :ro for reading only",
        ),
        ("--env", LIST, "NAME=VALUE", "set a variable; NAME alone takes over the value from here"),
        ("--env-inherit", FLAG, "", "take over all variables from here"),
        (
            "--listen",
            LIST,
            "URL",
            "grant a listening socket: tcp://127.0.0.1:8080 or unix:///run/app.sock, with "
            "options such as ?backlog=16&nodelay=1; port 0 takes a free one, which is told on stderr",
        ),
        (
            "--dial",
            LIST,
            "URL",
            "grant a connection to tcp://HOST:PORT or unix:///PATH, made before the start",
        ),
        (
            "--net",
            LIST,
            "RULE",
            "let the sockets of a component do this: tcp://api.example.com:443, "
            "'listen tcp://127.0.0.1:8080', 'send udp://10.0.0.5:514', dns://*.example.com",
        ),
        ("--timeout", VALUE, "S", "end the program after S seconds (also 500ms, 2min), waiting included"),
        ("--max-memory", VALUE, "SIZE", "most memory of the program, such as 16MiB"),
        ("--fuel", VALUE, "N", "end the program after about N instructions"),
        ("--max-open-files", VALUE, "N", "most descriptors that it has open at once"),
        ("--max-open-dirs", VALUE, "N", "most directories among them"),
        (
            "--policy",
            VALUE,
            "FILE",
            "grant what the TOML file says; other options add to it. A standard stream "
            "that it does not mention is inherited",
        ),
        (
            "--invoke",
            VALUE,
            "EXPORT",
            "call this function of a library (reactor) instead of running a program; "
            "ARGS are its numbers, its results are printed. Of a component: NAME, or INTERFACE#NAME, with ARGS as "
            "Python writes them; text needs no quotes",
        ),
        (
            "--allow-native",
            LIST,
            "SHA256|KEYFILE",
            "run native code (.wno) with this SHA-256, or signed by the key whose public half (PEM) is in KEYFILE. "
            "It is not confined: allow what you compiled, or whom you trust",
        ),
        ("--trace", MAYBE, "FILE", "write a line for each system call to stderr, or to FILE"),
        ("--trace-format", VALUE, "text|json", "lines like strace's (default), or JSON objects"),
        (
            "--trace-filter",
            VALUE,
            "WORDS",
            "functions, path_*, or groups (files, clock, random, poll, process, "
            "sockets, args, env), with commas; '!' before a word excludes it",
        ),
        ("--trace-string-size", VALUE, "N", "most bytes of data and paths in a line (default 32)"),
        ("--stats", FLAG, "", "at the end, a table of calls, errors, bytes and time per function to stderr"),
        (
            "--non-blocking-stdio",
            FLAG,
            "",
            "reads and writes of standard streams answer EAGAIN instead of waiting",
        ),
        ("--engine", VALUE, "NAME", "the engine to run on (wasi-native doctor lists them)"),
        ("--board", VALUE, "ID", "the limits of this board instead of the one detected (wasi-native boards)"),
        ("--no-cache", FLAG, "", "neither use nor keep compiled code"),
    ),
    """\
Exit status:
  the program's own, modulo 256 as in every shell; and
    2    a mistake on the command line or in the policy file
    124  ended by its deadline (--timeout, limits.wall_time)
    126  it could not be started: not a module, imports missing, a grant that does not exist, no engine
    127  there is no file MODULE
    130  ended by Ctrl-C; 129, 143 by SIGHUP, SIGTERM
    134  ended by a trap; the backtrace is on stderr
    137  ended by another limit, which is named on stderr

Examples:
  wasi-native run hello.wasm
  wasi-native run --dir data::/data:ro --dir out --env LANG=C app.wasm --verbose /data/in.txt
  wasi-native run --listen tcp://127.0.0.1:8080 --timeout 60 server.wasm
  wasi-native run --net tcp://api.example.com:443 client.wasm
  wasi-native run --trace --trace-filter 'files,!fd_write' --stats app.wasm
  wasi-native run --invoke add math.wasm 2 40
  wasi-native run --allow-native release.pub plugin.wno
""",
    greedy=True,
)

_LIMITS = {"--timeout": "wall_time", "--max-memory": "memory", "--fuel": "fuel", "--max-open-files": "fds"}
_LIMITS["--max-open-dirs"] = "dirs"
_CANNOT, _MISSING, _DEADLINE, _TRAPPED, _LIMITED = 126, 127, 124, 134, 137


def main(options: dict[str, Any], rest: list[str]) -> int:
    if not rest:
        raise Usage("MODULE is missing; write wasi-native run [OPTIONS] MODULE [ARGS]")
    module, args = rest[0], rest[1:]
    call = args if "--invoke" in options else None
    policy = make_policy(options, [] if call is not None else args)
    trace = _Trace(options)
    end_in_order()
    try:
        return _start(options, module, policy, trace, call)
    finally:
        trace.close()


def _start(options: dict[str, Any], path: str, policy: Policy, trace: _Trace, call: list[str] | None) -> int:
    from ..host import Host, Instance, Module

    who = f"wasi-native: {path}"
    try:
        with Host(
            policy,
            board=options.get("--board"),
            engine=options.get("--engine") or _engine_for(path),
            cache=False if "--no-cache" in options else None,
        ) as host:
            with AtOnce():
                module = host.load(path)
            numbers = _numbers(options["--invoke"], call) if call and isinstance(module, Module) else []
            blocking = "--non-blocking-stdio" not in options
            with module.instantiate(trace=trace.function, nonblocking_stdio=not blocking) as instance:
                _tell_ports(instance)
                try:
                    if call is None:
                        return instance.run() & 0xFF
                    if isinstance(instance, Instance):
                        return _invoke(instance, options["--invoke"], numbers)
                    return invoke(instance, options["--invoke"], call)
                finally:
                    _release(instance)
    except Trap as error:
        complain(who, f"trap: {error} ({error.kind})", *error.backtrace)
        return _TRAPPED
    except LimitExceeded as error:
        complain(who, *_limit(error.limit, policy))
        return _DEADLINE if isinstance(error, Timeout) else _LIMITED
    except WasiError as error:
        return _cannot(who, path, error)
    except MemoryError:
        complain(who, "this machine has not enough memory for it; see --max-memory and --board")
        return _CANNOT


def _engine_for(path: str) -> str | None:
    """None, the best; for a compiled guest none is opened but its own. A pipe is read once, and not here."""
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb", buffering=0) as file:
            return "wasm2c" if file.read(4) == b"\x7fELF" else None
    except OSError:  # the host says it better
        return None


def _cannot(who: str, path: str, error: WasiError) -> int:
    """Say why it could not be started, or ended in no other way."""
    from ..errors import BoardError, Cancelled, Exit

    if isinstance(error, Exit):  # in a start section, or in a function called by --invoke
        return error.code & 0xFF
    if isinstance(error, Cancelled):
        return 130
    if isinstance(error, LinkError) and error.missing:
        lines = [f"{module}{' ' if name else ''}{name}: {reason}" for module, name, reason in error.missing]
        complain(who, "imports that nothing here provides:", *lines, f"wasi-native inspect {path} shows all")
    elif isinstance(error, ModuleError):
        text = str(error)
        for prefix in (f"{path}: ", f"{os.path.basename(path)}: "):
            text = text.removeprefix(prefix)
        text = text.replace("use call()", "use --invoke EXPORT")
        more = (
            ["the limit is that of --max-memory, a policy file or the board"]
            if "memory limits" in text
            else []
        )
        report(who, text, *more)
        return _CANNOT if os.path.exists(path) else _MISSING
    elif isinstance(error, (BoardError, EngineMissing, PolicyError)):
        more = ["wasi-native doctor shows what this machine has"] if isinstance(error, EngineMissing) else []
        text = str(error).removeprefix("Policy.").replace("create=True", "create = true in a policy file")
        text, native, _fix = text.partition("; add native = Native")
        if native:
            digest = text.partition("SHA-256 ")[2][:64]
            more = [f"if you trust it: --allow-native {digest}, or [native] in a policy file"]
        complain("wasi-native", text, *more)
    else:
        report(who, str(error))
    return _CANNOT


def _limit(name: str, policy: Policy) -> list[str]:
    """Which limit ended the guest, how much it was, and how to raise it."""
    value = getattr(policy.limits, name, None)
    amount = f" of {_amount(name, value)}" if value is not None else ""
    option = next((f" or {option}" for option, field in _LIMITS.items() if field == name), "")
    return [
        f"ended by the limit {name}{amount}",
        f"to raise it: limits.{name} in a policy file{option}" if name else "",
    ]


def _amount(name: str, value: float) -> str:
    if name.endswith("_time"):
        return f"{value:g} s"
    from .out import human

    return human(int(value)) if name in ("memory", "output_bytes") else str(value)


# ---- the policy -------------------------------------------------------------------------------------------


def make_policy(options: dict[str, Any], args: list[str]) -> Policy:
    """What the options grant. Raises Usage."""
    from ..policy import INHERIT, Allow, Dial, Limits, Listen, Policy
    from ..record import replace

    base = Policy()
    streams = {"stdin": INHERIT, "stdout": INHERIT, "stderr": INHERIT}
    if "--policy" in options:
        base, said = _load(Policy, options["--policy"])
        streams = {name: value for name, value in streams.items() if name not in said}
    dirs = [_dir(text) for text in options.get("--dir", ())]
    listen = [_made("--listen", text, Listen) for text in options.get("--listen", ())]
    dial = [_made("--dial", text, Dial) for text in options.get("--dial", ())]
    net = [_made("--net", text, Allow) for text in options.get("--net", ())]
    changes: dict[str, Any] = dict(streams)
    changes |= {"dirs": (*base.dirs, *dirs)} if dirs else {}
    changes |= {"listen": (*base.listen, *listen)} if listen else {}
    changes |= {"dial": (*base.dial, *dial)} if dial else {}
    changes |= {"net": (*base.net, *net)} if net else {}
    changes |= {"args": args} if args else {}
    if "--allow-native" in options:
        changes["native"] = _native(base, options["--allow-native"])
    if "--env" in options or "--env-inherit" in options:
        changes["env"] = _env(base.env, options)
    limits: dict[str, Any] = {
        field: _limit_value(name, options[name]) for name, field in _LIMITS.items() if name in options
    }
    if limits:
        changes["limits"] = _checked("", lambda: Limits(**limits)).merged(base.limits)
    return _checked("", lambda: replace(base, **changes))  # type: ignore[no-any-return]


def _limit_value(name: str, text: str) -> float:
    if name == "--timeout":
        return opt.seconds(name, text)
    return opt.size(name, text) if name == "--max-memory" else opt.whole(name, text)


def _load(kind: type[Policy], path: str) -> tuple[Policy, set[str]]:
    """The policy of a file, and the keys that it has at its top."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        policy = kind.from_toml(path)
        with open(path, "rb") as file:
            return policy, set(tomllib.load(file))
    except PolicyError as error:
        raise Usage(str(error)) from None
    except OSError as error:
        raise Usage(f"--policy {path}: {error.strerror}") from None


def _dir(text: str) -> object:
    from ..policy import Dir

    place, read_only = text, False
    for end in (":ro", ":rw"):
        if text.endswith(end):
            place, read_only = text[: -len(end)], end == ":ro"
    host, found, guest = place.rpartition("::")
    if not found:
        host, guest = place, "/" if place and not place.strip("/") else ""
    elif not guest:
        raise Usage(f"--dir {text}: the name for the program is missing; write HOST::/name")
    return _checked(f"--dir {text}", lambda: Dir(host, guest or None, read_only=read_only))


def _native(base: Policy, words: list[str]) -> object:
    from ..policy import Native

    files, keys = list(base.native.files), list(base.native.keys)
    for word in words:
        if len(word) == 64 and set(word.lower()) <= set("0123456789abcdef"):
            files.append(word)
            continue
        try:
            with open(word, "rb") as file:
                key = file.read(1 << 16)
        except OSError as error:
            fix = "write the 64 hex digits of a SHA-256, or the file of a public key"
            raise Usage(f"--allow-native {word}: {error.strerror}; {fix}") from None
        _checked(f"--allow-native {word}", lambda key=key: Native(keys=[key]))  # type: ignore[misc]
        keys.append(key)
    return Native(files=files, keys=keys)


def _made(option: str, text: str, kind: Callable[[str], object]) -> object:
    return _checked(f"{option} {text}", lambda: kind(text))


def _checked(where: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except PolicyError as error:
        text = str(error)
        if where:
            text = f"{where}: {text.partition(': ')[2]}".replace("guest='/name'", "HOST::/name")
        raise Usage(
            text.replace("set allow_overlap=True", "set allow_overlap = true in a policy file")
        ) from None


def _env(base: Any, options: dict[str, Any]) -> dict[str, str]:
    env = dict(os.environ) | dict(base) if "--env-inherit" in options else dict(base)
    for text in options.get("--env", ()):
        name, equals, value = text.partition("=")
        if not name:
            raise Usage(f"--env {text}: the name is missing; write NAME=VALUE")
        if not equals and name not in os.environ:
            raise Usage(f"--env {name}: there is no such variable here to take over; write {name}=VALUE")
        env[name] = value if equals else os.environ[name]
    return env


# ---- calls, traces, streams -------------------------------------------------------------------------------


def _numbers(export: str, args: list[str]) -> list[float]:
    numbers: list[float] = []
    for text in args:
        try:
            numbers.append(int(text, 0))
        except ValueError:
            try:
                numbers.append(float(text))
            except ValueError:
                raise Usage(f"--invoke {export}: the argument {text!r} is no number") from None
    return numbers


def _invoke(instance: Instance, export: str, args: list[float]) -> int:
    try:
        result = instance.call(export, *args)
    except (TypeError, OverflowError) as error:
        raise Usage(f"--invoke {export}: {error}") from None
    if result is not None:
        values = result if isinstance(result, tuple) else (result,)
        say(" ".join(map(str, values)) + "\n")
    return 0


def _tell_ports(instance: Instance) -> None:
    """Where the guest listens, when the system was to choose the port."""
    for grant, place in zip(instance.policy.listen, instance.listening, strict=True):
        if grant.port == 0 and isinstance(place, tuple):
            host = f"[{place[0]}]" if ":" in place[0] else place[0]
            complain("wasi-native", f"listening on tcp://{host}:{place[1]}")


def _release(instance: Instance) -> None:
    """Show what a policy file wanted captured: here there is nobody else to look at it."""
    from ..policy import Capture

    for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
        if isinstance(getattr(instance.policy, name), Capture) and stream is not None:
            stream.flush()
            stream.buffer.write(getattr(instance, name))
            stream.flush()


class _Trace:
    """The trace and the statistics that the options ask for; ``function`` is None without any."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.tracer: Tracer | None = None
        self.stats: Stats | None = None
        self.file: TextIO | None = None
        self.function: Callable[[Any], None] | None = None
        more = [name for name in options if name.startswith("--trace-")]
        if "--trace" not in options:
            if more:
                raise Usage(f"{more[0]} needs --trace")
        else:
            self.function = self.tracer = self._make_tracer(options)
        if "--stats" in options:
            from ..trace import Stats, both

            self.stats = Stats()
            self.function = both(self.tracer, self.stats) if self.tracer else self.stats

    def _make_tracer(self, options: dict[str, Any]) -> Tracer:
        from ..trace import Tracer, Unknown

        form = options.get("--trace-format", "text")
        if form not in ("text", "json"):
            raise Usage(f"--trace-format {form}: write text or json")
        text = options.get("--trace-string-size", "32")
        length = 0 if text == "0" else opt.whole("--trace-string-size", text)
        self.name = options["--trace"]
        out: Any = sys.stderr
        try:
            if self.name is not True or out is None:
                path = os.devnull if self.name is True else self.name
                out = self.file = open(path, "w", buffering=1, encoding="ascii")  # noqa: SIM115 - see close
            return Tracer(out, form, options.get("--trace-filter"), length, strict=True)
        except Unknown as error:
            raise Usage(f"--trace-filter: {error}") from None
        except OSError as error:
            raise Usage(f"--trace={self.name}: {error.strerror}") from None

    def close(self) -> None:
        failure = self.tracer.failure if self.tracer else None
        if self.file is not None:
            try:
                self.file.close()
            except OSError as error:
                failure = failure or error
        if failure is not None:
            place = "" if self.name is True else f"={self.name}"
            complain(
                "wasi-native", f"--trace{place}: {failure.strerror or failure}; the trace is not complete"
            )
        if self.stats is not None and self.stats.counts and sys.stderr is not None:
            try:
                sys.stderr.write(self.stats.table())
            except OSError:
                pass

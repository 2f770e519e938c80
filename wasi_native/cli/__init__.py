"""The command line: ``wasi-native VERB ...``, one file per verb.

This file imports nothing but what the verb asked for needs: how long ``run`` takes to start counts. A verb is
a module with ``COMMAND`` (its options and help, see :mod:`.options`) and ``main(options, rest) -> int``.

No mistake of a user, no broken pipe and no Ctrl-C ends in a traceback; a defect of ours does.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["VERBS", "entry", "main"]

VERBS = {
    "run": "run a program",
    "inspect": "what a module is, imports and needs, without running it",
    "wit": "the world of a component, as WIT text",
    "stubs": "typed stubs (.pyi) of what a component exports",
    "compile": "a module to native code in one file, for a board without an engine",
    "sign": "sign compiled files, make a key pair",
    "boards": "the boards that are known, and their limits",
    "doctor": "what this machine has and lacks: engines, kernel, board, cache",
    "cache": "list, clear or fill the cache of compiled code",
}

_HELP = """\
Usage: wasi-native VERB [OPTIONS] ...

WASI for small Linux machines. A program is granted nothing but what the command line or a policy file says.

{verbs}
  wasi-native VERB --help    the options of a verb, with examples
  wasi-native --version

Examples:
  wasi-native run hello.wasm
  wasi-native run --dir data::/data:ro --env LANG=C --timeout 10 app.wasm --verbose
  wasi-native inspect app.wasm
"""


def entry() -> None:
    """What the command ``wasi-native`` runs.

    It leaves without taking the interpreter apart, which takes as long as a small program runs: files and
    instances are closed by then, and the streams are flushed here.
    """
    for fd, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            _point_to_null(fd)  # else the next file opened would become a standard stream of the guest
    status = main(sys.argv[1:])
    if "coverage" in sys.modules:
        sys.exit(status)  # which writes its data at the interpreter's end
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os._exit(status & 0xFF)


def main(argv: Sequence[str]) -> int:
    """Do what ``argv`` (without the program's name) says; the exit status."""
    try:
        status = _main(list(argv))
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our own output has gone, which is its right
        _point_to_null(1)
        return 141
    except OSError as error:
        from .out import complain

        complain("wasi-native", f"{error.filename or 'standard output'}: {error.strerror or error}")
        _point_to_null(1)
        return 1


def _main(argv: list[str]) -> int:
    verb = argv[0] if argv else "--help"
    if verb in VERBS:
        from .options import Usage, parse

        module = __import__(f"{__name__}.{verb}", fromlist=["COMMAND"])  # importlib itself takes 0.7 ms
        try:
            options, rest = parse(module.COMMAND, argv[1:])
            if options.get("--help"):
                _say(module.COMMAND.help())
                return 0
            status: int = module.main(options, rest)
            return status
        except Usage as error:
            from .out import complain

            complain(f"wasi-native {verb}", str(error), f"wasi-native {verb} --help shows the options")
            return 2
    if verb in ("--help", "-h", "help"):
        verbs = "".join(f"  {name:<10} {text}\n" for name, text in VERBS.items())
        _say(_HELP.format(verbs=verbs))
        return 0 if argv else 2
    if verb in ("--version", "-V"):
        from .. import __version__

        _say(f"wasi-native {__version__}\n")
        return 0
    return _unknown(verb)


def _say(text: str) -> None:
    from .out import say

    say(text)


def _unknown(verb: str) -> int:
    import os
    from difflib import get_close_matches

    from .out import complain

    near = get_close_matches(verb, VERBS, n=1)
    if near:
        fix = f"did you mean {near[0]}?"
    elif verb.endswith((".wasm", ".wat")) or os.path.isfile(verb):
        fix = f"to run it: wasi-native run {verb}"
    else:
        fix = f"the verbs are: {', '.join(VERBS)}"
    complain("wasi-native", f"there is no verb {verb!r}", fix)
    return 2


def _point_to_null(fd: int) -> None:
    """A standard stream that goes nowhere: one that was closed, or stdout when its pipe is broken or its disk
    full, for Python flushes it once more."""
    import os

    try:
        null = os.open(os.devnull, os.O_RDWR)
        if null != fd:
            os.dup2(null, fd)
            os.close(null)
    except OSError:
        pass

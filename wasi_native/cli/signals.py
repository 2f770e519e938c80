"""How signals end this command: in order while a guest is there, at once while there is none."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found,unused-ignore]  # the standard one takes 4 ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["AtOnce", "end_in_order"]


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def end_in_order() -> None:
    """Let SIGTERM and SIGHUP end the guest in order: its temporary directories and sockets are removed."""
    try:
        for number in (_signal.SIGTERM, _signal.SIGHUP):
            if _signal.getsignal(number) == _signal.SIG_DFL:
                _signal.signal(number, _end)
    except ValueError:  # not the main thread: somebody embeds this command
        pass


class AtOnce:
    """While an engine compiles, which nothing interrupts and which may take a minute: Ctrl-C, SIGTERM and SIGHUP end
    the process as they end others. Nothing of a guest is there yet, and the cache bears it."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, Any]] = []

    def __enter__(self) -> None:
        try:
            for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
                handler = _signal.getsignal(number)
                if handler in (_signal.default_int_handler, _end):  # not that of who embeds this command
                    _signal.signal(number, _signal.SIG_DFL)
                    self._kept.append((number, handler))
        except ValueError:
            pass

    def __exit__(self, *exc: object) -> None:
        while self._kept:
            _signal.signal(*self._kept.pop())

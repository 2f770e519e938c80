"""signals.py: who ends how."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from wasi_native.cli.signals import AtOnce, end_in_order

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_nothing_interrupts_ends_at_once(number: int, environment: dict[str, str]) -> None:
    """sum() in C looks at no signal, as a compiler does not."""
    program = (
        "from wasi_native.cli.signals import AtOnce, end_in_order; end_in_order()\n"
        "with AtOnce(): print('begun', flush=True); sum(range(10**13))"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"begun\n"
        child.send_signal(number)
        try:
            assert child.wait(60) == -number
        finally:
            child.kill()


def test_handlers_are_as_they_were() -> None:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as nohup leaves it
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        end_in_order()
        ours = {number: signal.getsignal(number) for number in NUMBERS}
        assert ours[signal.SIGTERM] == signal.SIG_IGN and callable(ours[signal.SIGHUP])
        with AtOnce():
            found = [signal.getsignal(number) for number in NUMBERS]
            assert found == [signal.SIG_DFL, signal.SIG_IGN, signal.SIG_DFL]
        assert {number: signal.getsignal(number) for number in NUMBERS} == ours
        signal.signal(signal.SIGINT, lambda *_: None)  # of who embeds the command
        with AtOnce():
            assert callable(signal.getsignal(signal.SIGINT))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

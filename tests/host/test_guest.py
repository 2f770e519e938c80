"""What modules and components share as guests: worlds, deadlines, captured output, ends."""

from __future__ import annotations

import pytest

from wasi_native import Capture, Host, InstanceDead, LimitExceeded, Limits, Policy, Usage
from wasi_native.host.guest import Guest

FAKE = b"fake 1\nmemory 1\n"


def test_an_instance_is_a_guest() -> None:
    with Host(engine="fake") as host, host.load(FAKE).instantiate() as instance:
        assert isinstance(instance, Guest) and instance.name == "<bytes>"
        assert host.instances == 1 and instance.listening == ()
        assert repr(instance.usage).startswith("Usage(output_bytes=0, cpu_ns=")
    assert host.instances == 0


def test_a_guest_that_is_closed_is_dead_and_keeps_its_output() -> None:
    with Host(Policy(stdout=Capture()), engine="fake") as host:
        instance = host.load(FAKE).instantiate()
        with pytest.raises(RuntimeError, match="does not capture stderr"):
            _ = instance.stderr
        instance.close()
        instance.close()
        assert (instance.end, instance.stdout) == ("closed", b"")
        with pytest.raises(InstanceDead):
            instance.call("grow", 0)


def test_a_guest_that_is_not_made_counts_no_longer() -> None:
    with Host(Policy(limits=Limits(instances=1)), engine="fake") as host:
        with host.load(FAKE).instantiate(), pytest.raises(LimitExceeded, match="1 instances are alive"):
            host.load(FAKE).instantiate()
        with pytest.raises(ValueError, match="a timeout"):
            host.load(FAKE).instantiate().call("grow", 0, timeout=-1)
        with pytest.raises(ValueError, match="0 or more seconds"):
            host.load(FAKE).instantiate().call("grow", 0, timeout=float("nan"))
        with pytest.raises(TypeError, match="a number of seconds, not str"):
            host.load(FAKE).instantiate().call("grow", 0, timeout="1")
        assert host.instances == 0


def test_a_deadline_is_absolute_and_never_zero() -> None:
    with Host(engine="fake") as host, host.load(FAKE).instantiate() as instance:
        assert instance._deadline(None) == 0 and instance._deadline(0) >= 1
        assert instance._deadline(1e12) - instance._deadline(0) > 10**17


def test_usage_is_what_was_told() -> None:
    usage = Usage(1, 2, 3, "walk", 4)
    assert (usage.output_bytes, usage.cpu_ns, usage.fds, usage.resolver, usage.fuel) == (1, 2, 3, "walk", 4)

"""instance.py: run, call, nested calls, threads, asyncio, limits, traces."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from typing import Any

import pytest

from tests.guests import build
from tests.host.functions import functions
from tests.support import SANITIZED, Guest, on_clock
from wasi_native import (
    Capture,
    Host,
    InstanceBusy,
    InstanceDead,
    LimitExceeded,
    Limits,
    ModuleError,
    Policy,
    Timeout,
    Trap,
)

# ---- run, call ----


def test_a_command_runs_once(host: Host) -> None:
    with host.load(build.guest("hello")).instantiate() as instance:
        assert instance.run() == 0
        assert instance.stdout.startswith(b"hello") and instance.stderr == b""
        assert instance.end in (None, "exit")
    with host.load(build.wat("raw")).instantiate() as instance:
        assert instance.run() == 7
        with pytest.raises(InstanceDead, match="exit"):
            instance.run()
        assert instance.end == "exit" and repr(instance) == "<Instance of raw.wat: exit>"
    assert instance.stdout == b"raw\n"  # kept after the end
    assert instance.end == "closed"


def test_a_library_is_initialised_once_and_keeps_its_state(host: Host) -> None:
    module = host.load(build.guest("reactor"))
    with module.instantiate() as instance:
        assert instance.call("ready") == 1
        assert [instance.call("count") for _ in range(3)] == [1, 2, 3]
        assert instance.call("add", 2**31 - 1, 1) == -(2**31)
        assert instance.call("add64", -5, 3) == -2 and instance.call("half", 5.0) == 2.5
        assert instance.call("greet", 7) is None and instance.stdout == b"greeting 7\n"
        with pytest.raises(ModuleError, match=r"no _start, so this is a library \(reactor\).*count"):
            instance.run()
        with pytest.raises(ModuleError, match=r"no exported function 'nobody'; there are: .*add64"):
            instance.call("nobody")
        with pytest.raises(Trap) as caught:
            instance.call("fail")
        assert caught.value.kind == "unreachable" and instance.end == "trap"
        with pytest.raises(InstanceDead):
            instance.call("ready")
    with module.instantiate() as instance:
        instance.call("_initialize")
        assert instance.call("ready") == 1


def test_every_kind_of_number(host: Host) -> None:
    with host.load(build.wat("values")).instantiate() as i:
        assert [i.call("i32", n) for n in (0, -1, 2**31, 2**32 - 1, -(2**31))] == [
            0,
            -1,
            -(2**31),
            -1,
            -(2**31),
        ]
        assert [i.call("i64", n) for n in (2**63, -1, 2**64 - 1)] == [-(2**63), -1, -1]
        assert i.call("f64", 0.1) == 0.1 and i.call("f32", 0.5) == 0.5 and i.call("f32", 1) == 1.0
        assert math.isnan(i.call("f64", math.nan)) and i.call("f32", math.inf) == math.inf
        assert i.call("none") is None
        assert i.call("swap", 1, -2) == (-2, 1)
        assert i.call("all", -1, 2**40, 1.5, -2.25) == (-1, 2**40, 1.5, -2.25)
        for bad, error in (
            ("x", TypeError),
            (1.5, TypeError),
            (2**32, OverflowError),
            (-(2**31) - 1, OverflowError),
        ):
            with pytest.raises(error):
                i.call("i32", bad)
        for args in ((), (1, 2)):
            with pytest.raises(TypeError, match="1 arguments are needed"):
                i.call("i32", *args)
        with pytest.raises(TypeError):
            i.call("f64", "x")
        assert i.call("i32", True) == 1 and i.end is None


# ---- functions of the embedder ----


def test_nested_calls(host: Host) -> None:
    """An export called inside a function that an export called: memory may grow and move below."""
    depth: list[int] = []
    last = 8 if SANITIZED else 30  # the frames of a sanitized build take several times the stack

    def back(n: int) -> int:
        depth.append(n)
        if n > last:
            return 0
        assert instance.call("grow", 0) >= 1
        instance.memory.write(0, bytes([n]))
        return int(instance.call("nest", n + 1)) + instance.call("leaf", 1)

    with host.load(build.wat("callback")).instantiate(functions=functions(back=back)) as instance:
        assert instance.call("nest", 0) == (last + 1) * 3 + 1
        assert depth == list(range(last + 2)) and instance.memory[0] == last


def test_streams_and_signal_handlers_may_not_call_their_guest(guest: Any) -> None:
    """Inside a call that has places of guest memory in hand, which an export could move."""
    tried: list[type] = []

    def attempt() -> None:
        try:
            g.sched_yield()
        except InstanceBusy as error:
            tried.append(type(error))
            assert "stream or signal" in str(error)

    class In:
        def read(self, n: int) -> bytes:
            attempt()
            assert g.memory.read(0, 4) is not None  # looking at memory moves nothing
            return b"data"

    def out(data: bytes) -> None:
        attempt()
        with pytest.raises(InstanceBusy):
            g.instance.close()

    g: Guest = guest(Policy(stdin=In(), stdout=out))
    assert g.read(0) == (0, b"data")
    assert g.write(1, b"x") == (0, 1)
    assert tried == [InstanceBusy, InstanceBusy]
    import signal

    before = signal.signal(signal.SIGALRM, lambda *_: attempt())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        assert g.poll(on_clock(50 * 10**6))[0] == 0
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(tried) == 3
    assert g.sched_yield() == 0  # and afterwards it is as it was


# ---- memory ----


# ---- threads, asyncio ----


def test_busy_from_another_thread(guest: Any) -> None:
    r, w = os.pipe()
    g: Guest = guest()
    g.instance._sys.stdio_fd(0, r)
    started = threading.Event()
    got: list[Any] = []

    def work() -> None:
        started.set()
        got.append(g.instance.call("fd_read", 0, *iovs, 32))

    iovs = g.iovs(0, (64, 16))
    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    try:
        while True:  # until the thread is inside
            try:
                g.memory.read(0, 1)
            except InstanceBusy:
                break
        for attempt in (
            g.sched_yield,
            g.instance.close,
            lambda: g.memory.write(0, b"x"),
            lambda: len(g.memory),
        ):
            with pytest.raises(InstanceBusy):
                attempt()
        assert g.instance.end is None
    finally:
        os.write(w, b"x")
        thread.join()
        os.close(r)
        os.close(w)
    assert got == [0] and g.sched_yield() == 0


def test_asyncio(guest: Any) -> None:
    g: Guest = guest()
    other: Guest = guest()

    async def scenario() -> None:
        assert await g.instance.call_async("sched_yield") == 0
        g.memory.write(0, on_clock(3600 * 10**9))
        other.memory.write(0, on_clock(3600 * 10**9))
        beats = 0
        with pytest.raises(Timeout):
            await other.instance.call_async("poll_oneoff", 0, 64, 1, 128, timeout=0.02)
        task = asyncio.ensure_future(g.instance.call_async("poll_oneoff", 0, 64, 1, 128))
        for _ in range(5):
            await asyncio.sleep(0.002)
            beats += 1
        assert not task.done() and beats == 5
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - start < 20  # not an hour
        assert g.instance.end == "cancelled"
        with pytest.raises(InstanceDead):
            await g.instance.call_async("sched_yield")

    asyncio.run(scenario())


def test_asyncio_runs_programs(host: Host) -> None:
    async def scenario() -> None:
        module = host.load(build.guest("hello"))
        alive = [module.instantiate() for _ in range(4)]
        assert await asyncio.gather(*(one.run_async() for one in alive)) == [0] * 4
        assert {one.stdout for one in alive} == {alive[0].stdout} != {b""}
        for one in alive:
            one.close()
        spin = host.load(build.wat("loop")).instantiate()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(spin.run_async(), 0.05)
        assert spin.end == "cancelled"
        spin.close()

    asyncio.run(scenario())


# ---- closing ----


def test_usage_and_looks(host: Host) -> None:
    with host.load(build.guest("hello")) as module, module.instantiate() as instance:
        assert repr(module) == "<Module hello.wasm on wasmtime>" and len(module.sha256) == 64
        assert module.sha256 == module.sha256
        instance.run()
        usage = instance.usage
        assert usage.output_bytes == len(instance.stdout) and usage.cpu_ns > 0
        assert usage.fds == 3 and usage.resolver in ("openat2", "walk") and usage.fuel is None
        assert "output_bytes=" in repr(usage)
        assert host.engine == "wasmtime" and host.engine_version and host.engine_path
        assert {"interrupt", "serialize", "wat", "fuel"} <= set(host.caps)
        names = [item.name for item in module.exports]
        assert "memory" in names and "_start" in names
        assert "wasi_snapshot_preview1.fd_write" in repr(list(module.imports))


class Mine(Exception):
    pass


def test_traces_see_calls_and_memory(host: Host) -> None:
    seen: list[tuple[str, bytes | None]] = []

    def trace(call: Any) -> None:
        if call.name == "fd_write":
            seen.append((call.error_name, call.memory(0, 4)))
            kept.append(call)

    kept: list[Any] = []
    with host.load(build.wat("raw")).instantiate(trace=trace) as instance:
        assert instance.run() == 7
    assert seen and seen[0][0] == "SUCCESS" and len(seen[0][1] or b"") == 4
    assert kept[0].memory(0, 4) is None and kept[0].param_names[0] == "fd"

    def broken(_: Any) -> None:
        raise Mine

    with host.load(build.wat("raw")).instantiate(trace=broken) as instance, pytest.raises(Mine):
        instance.run()


# ---- errors of loading ----


# ---- engines ----


# ---- limits ----


def test_wall_time(guest: Any) -> None:
    g: Guest = guest(Policy(limits=Limits(wall_time=0.03)))
    with pytest.raises(Timeout) as caught:
        g.poll(on_clock(10**11))
    assert caught.value.limit == "wall_time" and isinstance(caught.value, LimitExceeded)
    g = guest(Policy(limits=Limits(wall_time=0.03)))
    assert g.poll(on_clock(10**8), timeout=10)[0] == 0  # timeout= comes first
    with pytest.raises(ValueError, match="0 or more"):
        g.sched_yield(timeout=-1)
    with pytest.raises(Timeout):
        g.sched_yield(timeout=0)


def test_cpu_time_is_summed_over_calls() -> None:
    with Host(Policy(limits=Limits(cpu_time=0.05))) as host:
        wat = """(module (func (export "work") (local $n i32) (local.set $n (i32.const 3000000))
          (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"""
        with host.load(wat).instantiate() as instance:
            with pytest.raises(LimitExceeded) as caught:
                for _ in range(100_000):
                    instance.call("work")
            assert caught.value.limit == "cpu_time" and not isinstance(caught.value, Timeout)
            assert instance.usage.cpu_ns > 40_000_000


def test_fuel() -> None:
    policy = Policy(limits=Limits(fuel=100_000))
    with (
        Host(policy) as host,
        host.load(build.wat("callback")).instantiate(functions=functions()) as instance,
    ):
        assert instance.call("repeat", 100) == 100
        left = instance.usage.fuel
        assert left is not None and 0 < left < 100_000
        with pytest.raises(LimitExceeded) as caught:
            instance.call("repeat", 10**6)
        assert caught.value.limit == "fuel" and instance.end == "limit"
    with Host(fuel=True) as host, host.load(build.wat("values")).instantiate() as instance:
        instance.call("i32", 1)
        assert instance.usage.fuel is not None  # counted, without a limit


def test_output(guest: Any) -> None:
    g: Guest = guest(Policy(stdout=Capture(), limits=Limits(output_bytes=5)))
    assert [g.write(1, b"abc"), g.write(2, b"de"), g.write(1, b"f")][:2] == [(0, 3), (0, 2)]
    assert g.write(1, b"f")[0] != 0 and g.instance.stdout == b"abc"

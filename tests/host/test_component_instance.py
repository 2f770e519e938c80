"""component_instance.py: calls, ends, deadlines, cancelling, threads, and programs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from tests.component.build import encode
from tests.engine.libraries import library
from tests.host.world import COUNTERS, HELLO
from wasi_native import (
    Cancelled,
    Capture,
    ComponentInstance,
    Exit,
    Host,
    InstanceBusy,
    InstanceDead,
    ModuleError,
    Policy,
    Timeout,
    Trap,
)

RUN = """
(component
  (core module $M (func (export "run") (result i32) (i32.const {code})))
  (core instance $m (instantiate $M))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (instance $i (export "run" (func $run)))
  (export "wasi:cli/run@{version}" (instance $i)))
"""


@pytest.fixture(params=["wasmtime", "wasm_c_api", "wasm3", "wasm3-old"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    name, policy = request.param, Policy(stdout=Capture(), stderr=Capture())
    path = None if name == "wasmtime" else library(name)
    with Host(policy, engine=name.partition("-")[0], engine_path=path, board="generic-x86_64") as made:
        yield made
        assert made.instances == 0


@pytest.fixture
def instance(host: Host) -> Iterator[ComponentInstance]:
    with host.load_component(encode(COUNTERS)) as component, component.instantiate() as made:
        yield made


def test_functions_at_the_root(instance: ComponentInstance) -> None:
    add = instance.exports["add"]
    assert add(1, 2) == add(a=1, b=2) == add(1, b=2) == 3
    assert instance.call("add", 2**32 - 1, 2) == 1
    assert instance.exports["echo"]("h\xe9\u20ac") == "h\xe9\u20ac"
    assert instance.exports["bytes"](bytes(range(256)) * 16) == bytes(range(256)) * 16
    assert instance.call("test:own/counters#swap", {"x": 1, "from": 2}).x == 2
    assert [name for name, _type in instance.parameters("add")] == ["a", "b"]


def test_wrong_calls_leave_the_guest_alive(instance: ComponentInstance) -> None:
    add = instance.exports["add"]
    with pytest.raises(TypeError, match=r"add\(\) takes 2 arguments \(a, b\), 1 were given"):
        add(1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'c'"):
        add(1, c=2)
    with pytest.raises(OverflowError, match=r"add\(\): argument b: 4294967296 is out of range of u32"):
        add(1, 2**32)
    with pytest.raises(TypeError, match=r"swap\(\): argument p\.from_: an integer is needed, not str"):
        instance.call("test:own/counters#swap", {"x": 1, "from": "2"})
    for name in ("nope", "test:own/counters#nope", "test:own/nope#f", "test:own/counters"):
        with pytest.raises(ModuleError, match=r"no (export|function)"):
            instance.call(name)
    assert instance.end is None and add(1, 1) == 2


def test_a_trap_is_the_end(instance: ComponentInstance) -> None:
    with pytest.raises(Trap) as caught:
        instance.exports["crash"]()
    assert caught.value.kind == "unreachable" and instance.end == "trap"
    with pytest.raises(InstanceDead, match=r"has ended \(trap\)"):
        instance.exports["add"](1, 2)
    assert repr(instance) == "<ComponentInstance of <bytes>: trap>"


def test_a_deadline(instance: ComponentInstance) -> None:
    with pytest.raises(Timeout):
        instance.call("spin", timeout=0.05)
    assert instance.end == "timeout"


def test_cancelling_from_another_thread(instance: ComponentInstance) -> None:
    timer = threading.Timer(0.05, instance.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        instance.exports["spin"]()
    timer.join()
    assert instance.end == "cancelled"


def test_one_thread_at_a_time(instance: ComponentInstance) -> None:
    ended: list[Exception] = []

    def spin() -> None:
        try:
            instance.exports["spin"]()
        except Cancelled as error:
            ended.append(error)

    other = threading.Thread(target=spin)
    other.start()
    busy = None
    while busy is None and other.is_alive():
        try:
            instance.exports["add"](1, 2)
        except InstanceBusy as error:
            busy = error
    instance.cancel()
    other.join()
    assert busy is not None and len(ended) == 1 and instance.end == "cancelled"


def test_in_asyncio(instance: ComponentInstance) -> None:
    assert asyncio.run(instance.call_async("add", 1, 2)) == 3

    async def cancel() -> None:
        task = asyncio.ensure_future(instance.call_async("spin"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert instance.end == "cancelled"


@pytest.mark.parametrize(("code", "status"), [(0, 0), (1, 1)])
def test_a_program(host: Host, code: int, status: int) -> None:
    for version in ("0.2.0", "0.2.12"):
        with host.load_component(encode(RUN.format(code=code, version=version))).instantiate() as program:
            assert program.run() == status
            assert asyncio.run(program.run_async(timeout=10)) == status


def test_a_program_that_writes(host: Host) -> None:
    with host.load_component(encode(HELLO)) as component, component.instantiate() as program:
        assert program.run() == program.run() == 0
        assert program.stdout == b"hello\n" * 2 and program.usage.output_bytes == 12
    with (
        host.load_component(encode(HELLO)) as component,
        component.instantiate(Policy(stdout="closed")) as program,
    ):
        assert program.run() == 1


def test_a_program_that_exits(host: Host) -> None:
    with host.load_component(encode(HELLO)) as component, component.instantiate() as program:
        with pytest.raises(Exit) as caught:
            program.exports["fail"]()
        assert caught.value.code == 1 and program.end == "exit"
        with pytest.raises(InstanceDead, match="exit"):
            program.run()


def test_a_trace(host: Host) -> None:
    calls: list[str] = []
    with host.load_component(encode(HELLO)) as component:
        with component.instantiate(trace=lambda call: calls.append(call.name)) as program:
            program.run()
    assert "[method]output-stream.blocking-write-and-flush" in calls


def test_what_is_no_program(host: Host, instance: ComponentInstance) -> None:
    with pytest.raises(ModuleError, match=r"it does not export wasi:cli/run@0\.2, so it is no program"):
        instance.run()
    with host.load_component(encode(RUN.format(code=0, version="0.3.0"))).instantiate() as later:
        with pytest.raises(ModuleError, match="no program"):
            later.run()


def test_closing(host: Host) -> None:
    made = host.load_component(encode(COUNTERS)).instantiate()
    add = made.exports["add"]
    assert host.instances == 1 and made.usage.fds == 3 and made.listening == ()
    made.close()
    made.close()
    made.cancel()
    assert (host.instances, made.end, made.stdout) == (0, "closed", b"")
    for late in (
        add,
        lambda *_: made.run(),
        lambda *_: made.parameters("add"),
        lambda *a: made.call("add", *a),
    ):
        with pytest.raises(InstanceDead, match="closed"):
            late(1, 2)


def test_fuel_counts(tmp_path: object) -> None:
    from wasi_native import LimitExceeded, Limits

    with Host(Policy(limits=Limits(fuel=100_000)), engine="wasmtime", cache=False) as host:
        with host.load_component(encode(COUNTERS)).instantiate() as instance:
            assert instance.exports["add"](1, 2) == 3
            left = instance.usage.fuel
            assert left is not None and left > 0
            with pytest.raises(LimitExceeded, match="fuel"):
                instance.exports["spin"]()


HANDS_ON = """(component
  (import "wasi:clocks/wall-clock@0.2.0" (instance $w
    (type $d' (record (field "seconds" u64) (field "nanoseconds" u32))) (export "datetime" (type $d (eq $d')))
    (export "now" (func (result $d)))))
  (import "wasi:random/random@0.2.0" (instance $r
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:cli/environment@0.2.0" (instance $e
    (export "get-arguments" (func (result (list string))))
    (export "get-environment" (func (result (list (tuple string string)))))))
  (import "wasi:io/poll@0.2.0" (instance $p (export "pollable" (type $pl (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $pl)) (result bool)))
    (export "[method]pollable.block" (func (param "self" (borrow $pl))))
    (export "poll" (func (param "in" (list (borrow $pl))) (result (list u32))))))
  (alias export $p "pollable" (type $pl))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $m (export "now" (func (result u64)))
    (alias outer 1 $pl (type $pl)) (export "pollable" (type $pl2 (eq $pl)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pl2))))))
  (export "wasi:clocks/wall-clock@0.2.0" (instance $w))
  (export "wasi:random/random@0.2.0" (instance $r))
  (export "wasi:cli/environment@0.2.0" (instance $e))
  (export "wasi:io/poll@0.2.0" (instance $p))
  (export "wasi:clocks/monotonic-clock@0.2.0" (instance $m)))"""


def test_functions_of_wasi_that_are_handed_on(host: Host) -> None:
    policy = Policy(args=("a", "b\xe9"), env={"X": "y" * 100_000})
    with host.load_component(encode(HANDS_ON)) as component, component.instantiate(policy) as instance:
        now = instance.exports["wasi:clocks/wall-clock"].now()
        assert abs(now.seconds - time.time()) < 5 and now.nanoseconds < 10**9
        random = instance.exports["wasi:random/random"]
        assert len({random.get_random_u64() for _ in range(3)}) == 3
        assert len(random.get_random_bytes(200_000)) == 200_000  # more than the first page
        made = len(instance._functions.cores)
        for _ in range(50):
            assert len(random.get_random_bytes(60_000)) == 60_000
        assert len(instance._functions.cores) == made == 3
        environment = instance.exports["wasi:cli/environment"]
        assert environment.get_arguments()[1:] == ["a", "b\xe9"]
        assert environment.get_environment() == [("X", "y" * 100_000)]
        with pytest.raises(TypeError, match=r"get_random_bytes\(\) takes 1 arguments"):
            random.get_random_bytes()
    assert len(component._around) == 0


def test_resources_of_wasi_that_are_handed_on(host: Host) -> None:
    with host.load_component(encode(HANDS_ON)) as component:
        for _ in range(2):
            with component.instantiate() as instance:
                clock, poll = (
                    instance.exports["wasi:clocks/monotonic-clock"],
                    instance.exports["wasi:io/poll"],
                )
                before = clock.now()
                late, soon = clock.subscribe_duration(3_600 * 10**9), clock.subscribe_duration(10**6)
                assert not late.ready() and soon.block() is None and soon.ready()
                assert clock.now() - before >= 10**6
                assert poll.poll([late, soon]) == [1] and type(late) is clock.Pollable is poll.Pollable
                for _ in range(3000):  # more than there may be at once
                    clock.subscribe_duration(0).close()
                soon.close()
                with pytest.raises(ValueError, match="closed"):
                    soon.ready()
                late.close()
        assert len(component._around) == 6  # for both instances


def test_a_compiled_component_hands_on_what_nobody_can_call(host: Host) -> None:
    with host.load_component(encode(HANDS_ON)) as component, component.instantiate() as instance:
        component.manifest = object()  # type: ignore[assignment]
        with pytest.raises(ModuleError, match="get_random_u64 is WASI's own function, handed on: a compiled"):
            instance.exports["wasi:random/random"].get_random_u64()

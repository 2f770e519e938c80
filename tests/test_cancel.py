"""Random cancels of blocked and of busy guests: each ends soon, and nothing is left of it."""

from __future__ import annotations

import gc
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.guests.driver import driver_wat
from tests.support import Guest, fake_module, on_clock, on_fd, open_fds, rss, running_threads, threads_end
from wasi_native import Cancelled, Dir, Host, Instance, InstanceDead, Listen, Module, Policy

LATE, NEVER = 0.5, 20  # the contract is 0.1 s; a loaded machine is given more, and stalls once in a while
HOUR = 3600 * 10**9

WAT = (
    driver_wat(20).rstrip().removesuffix(")")
    + """
  (func (export "wasm_loop") (loop $again (br $again)))
  (func (export "yield_loop") (loop $again (drop (call $sched_yield)) (br $again)))
  (func (export "fail_loop") (loop $again (drop (call $fd_close (i32.const 99))) (br $again)))
  (func (export "poll_loop")
    (loop $again
      (drop (call $poll_oneoff (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
      (br $again)))
  (func (export "write_loop")
    (loop $again
      (drop (call $fd_write (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 32)))
      (br_if $again (i32.eqz (call $fd_seek (i32.const 4) (i64.const 0) (i32.const 0) (i32.const 40)))))
    (unreachable)))
"""
)


class Place:
    """What the guests block on: an empty pipe, a full one, a listener and a connection that is silent."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.empty, self.full = os.pipe(), os.pipe()
        for fd in (*self.empty, *self.full):
            stack.callback(os.close, fd)
        os.set_blocking(self.full[1], False)
        try:
            while True:
                os.write(self.full[1], b"x" * 65536)
        except BlockingIOError:
            os.set_blocking(self.full[1], True)
        self.folder = folder

    def policy(self) -> Policy:
        return Policy(dirs=[Dir(self.folder, "/d")])


def iov(instance: Instance) -> tuple[int, int]:
    instance.memory.write(0, b"\0\1\0\0\x10\0\0\0")  # 16 bytes at 256
    return 0, 1


def pipe_read(i: Instance, place: Place) -> Any:
    i._sys.stdio_fd(0, place.empty[0])
    return i.call("fd_read", 0, *iov(i), 32)


def pipe_write(i: Instance, place: Place) -> Any:
    i._sys.stdio_fd(1, place.full[1])
    return i.call("fd_write", 1, *iov(i), 32)


def sleep(i: Instance, place: Place) -> Any:
    i.memory.write(0, on_clock(HOUR))
    return i.call("poll_oneoff", 0, 64, 1, 128)


def poll_pipe(i: Instance, place: Place) -> Any:
    i._sys.stdio_fd(0, place.empty[0])
    i.memory.write(0, on_fd(0) + on_clock(HOUR))
    return i.call("poll_oneoff", 0, 128, 2, 256)


def accept(i: Instance, place: Place) -> Any:
    return i.call("sock_accept", 4, 0, 64)


def receive(i: Instance, place: Place) -> Any:
    import socket

    # A connection of its own: accepted from its own listener, so that nothing else is needed.
    with socket.create_connection(i.listening[0]):
        assert i.call("sock_accept", 4, 0, 64) == 0
        return i.call("sock_recv", i.memory.u32(64), *iov(i), 0, 32, 36)


def export(name: str) -> Callable[[Instance, Place], Any]:
    def call(i: Instance, place: Place) -> Any:
        iov(i)
        if name == "poll_loop":
            i.memory.write(0, on_clock(0))
        if name == "write_loop":
            i.memory.write(256, b"data of the guest")
            i.memory.write(64, b"out")
            assert i.call("path_open", 3, 0, 64, 3, 1, 1 << 6 | 1 << 2, 0, 0, 32) == 0
        return i.call(name)

    return call


BLOCKED = {
    "pipe read": pipe_read,
    "pipe write": pipe_write,
    "sleep": sleep,
    "poll": poll_pipe,
    "accept": accept,
    "recv": receive,
}
LOOPS = {name: export(name) for name in ("wasm_loop", "yield_loop", "fail_loop", "poll_loop", "write_loop")}
LISTENS = {"accept", "recv"}


@contextmanager
def modules() -> Iterator[dict[str, Module]]:
    with Host(board="generic-x86_64") as wasm, Host(engine="fake", board="generic-x86_64") as fake:
        loaded = {"wasmtime": wasm.load(WAT), "fake": fake.load(fake_module(20))}
        try:
            yield loaded
        finally:
            for module in loaded.values():
                module.close()


def once(module: Module, name: str, place: Place, delay: float) -> float:
    """One guest, cancelled after ``delay``: seconds from the cancel to its end."""
    policy = place.policy()
    if name in LISTENS:
        policy = Policy(dirs=policy.dirs, listen=[Listen("tcp://127.0.0.1:0")])
    function = BLOCKED.get(name) or LOOPS.get(name) or export(name)
    ended: list[tuple[type, float]] = []
    with module.instantiate(policy) as instance:

        def work() -> None:
            try:
                function(instance, place)
                ended.append((type(None), time.monotonic()))
            except BaseException as error:
                ended.append((type(error), time.monotonic()))

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(delay)
        asked = time.monotonic()
        instance.cancel()
        thread.join(30)
        assert not thread.is_alive(), name
        assert ended[0][0] is Cancelled, (name, ended)
        with pytest.raises(InstanceDead):
            instance.call("sched_yield")
        assert instance.end == "cancelled"
    return max(ended[0][1] - asked, 0.0)


def test_random_cancels(tmp_path: Path, long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    rounds, rng = 10_000 if long else 300, random.Random(5)
    times: list[float] = []
    with ExitStack() as stack, modules() as loaded:
        place = Place(stack, tmp_path)
        kinds = [(engine, name) for engine in loaded for name in BLOCKED]
        kinds += [("wasmtime", name) for name in LOOPS] + [("fake", "spin")]
        for engine, name in kinds:
            once(loaded[engine], name, place, 0.001)  # what is made only once is there
        gc.collect()
        fds, before, start = open_fds(), running_threads(), rss()
        for i in range(rounds):
            engine, name = kinds[i % len(kinds)]
            times.append(once(loaded[engine], name, place, rng.random() * 0.004))
        gc.collect()
        assert open_fds() == fds and threads_end(before)
        grown = rss() - start
    times.sort()
    with capsys.disabled():
        print(
            f"\n{rounds} cancels: max {times[-1] * 1000:.2f} ms, p99 {times[int(len(times) * 0.99)] * 1000:.2f} ms, "
            f"median {times[len(times) // 2] * 1e6:.0f} us; RSS {grown / 1024:+.0f} KiB"
        )
    assert times[int(len(times) * 0.95)] < LATE and times[-1] < NEVER
    assert grown < (8 << 20)


def test_cancel_before_and_after(tmp_path: Path) -> None:
    """It counts for the next call; it is idempotent; it does nothing to an instance that is closed."""
    with modules() as loaded:
        for module in loaded.values():
            instance = module.instantiate()
            for _ in range(3):
                instance.cancel()
            assert instance.end is None
            with pytest.raises(Cancelled):
                instance.call("sched_yield")
            instance.cancel()
            instance.close()
            instance.cancel()
            with pytest.raises(InstanceDead):
                instance.call("sched_yield")


def test_cancel_does_not_reach_others(guest: Any, engine: str) -> None:
    one = guest(engine=engine)
    other = one.module.instantiate()
    try:
        one.instance.cancel()
        with pytest.raises(Cancelled):
            one.sched_yield()
        assert other.call("sched_yield") == 0
    finally:
        other.close()


def test_many_threads_cancel_one(guest: Any) -> None:
    g: Guest = guest()
    threads = [threading.Thread(target=g.instance.cancel) for _ in range(8)]
    for thread in threads:
        thread.start()
    with pytest.raises(Cancelled):
        g.call("spin", timeout=20)
    for thread in threads:
        thread.join()


def test_cancel_while_it_is_closed(guest: Any) -> None:
    """No order of both crashes."""
    for _ in range(50):
        g = guest()
        thread = threading.Thread(target=g.instance.cancel)
        thread.start()
        g.close()
        thread.join()

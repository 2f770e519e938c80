"""Many instances: one after the other without growth, and side by side without mixing."""

from __future__ import annotations

import gc
import hashlib
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.guests import build
from tests.guests.driver import driver_wat
from tests.support import (
    ALL_RIGHTS,
    KEPT,
    Guest,
    fake_module,
    open_fds,
    rss,
    running_threads,
    threads_end,
)
from wasi_native import Capture, Dir, Host, InstanceBusy, LimitExceeded, Limits, MemoryDir, Policy


@pytest.mark.parametrize("what", ["fake", "raw", "hello"])
def test_a_thousand_one_after_the_other(what: str, long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    rounds = 20_000 if long else 1000
    policy = Policy(stdout=Capture(1000), dirs=[MemoryDir("/m")])
    sources: dict[str, Any] = {"fake": fake_module(1), "raw": build.wat("raw"), "hello": build.guest("hello")}
    engine = "fake" if what == "fake" else None
    with Host(policy, engine=engine, board="generic-x86_64") as host, host.load(sources[what]) as module:

        def life() -> None:
            with module.instantiate() as instance:
                if what == "fake":
                    assert instance.call("sched_yield") == 0
                else:
                    assert instance.run() in (0, 7)

        for _ in range(100):
            life()
        gc.collect()
        fds, before, start = open_fds(), running_threads(), rss()
        began = time.perf_counter()
        for _ in range(rounds):
            life()
        cost = (time.perf_counter() - began) / rounds
        gc.collect()
        grown = rss() - start
        assert open_fds() == fds and threads_end(before)
    with capsys.disabled():
        print(
            f"\n{rounds} instances of {what}: {cost * 1e6:.0f} us each, RSS {grown / 1024:+.0f} KiB "
            f"({grown / rounds:+.1f} bytes each)"
        )
    assert grown < (2 << 20) + KEPT


def test_many_alive_at_once() -> None:
    fds = open_fds()
    with (
        Host(Policy(limits=Limits(instances=100)), engine="fake") as host,
        host.load(fake_module(1)) as module,
    ):
        alive = [module.instantiate() for _ in range(100)]
        with pytest.raises(LimitExceeded, match="instances") as caught:
            module.instantiate()
        assert caught.value.limit == "instances"
        alive.pop().close()
        alive.append(module.instantiate())
        for i, instance in enumerate(alive):
            instance.memory.write(0, i.to_bytes(4, "little"))
        assert [instance.memory.u32(0) for instance in alive] == list(range(100))
        for instance in alive:
            instance.close()
        assert host.instances == 0
    assert open_fds() == fds


def test_64_instances_in_8_threads_write_files(tmp_path: Path, long: bool) -> None:
    """Every byte that a guest wrote is there, and nobody else's: checksums of files, memory and reads back."""
    rounds, per_thread, failed = 200 if long else 12, 8, list[BaseException]()
    policy = Policy(limits=Limits(instances=64))
    with Host(policy, board="generic-x86_64") as host, host.load(driver_wat(4)) as module:

        def work(number: int) -> None:
            rng = random.Random(number)
            try:
                guests = []
                for k in range(per_thread):
                    folder = tmp_path / f"{number}-{k}"
                    folder.mkdir()
                    dirs = [Dir(folder, "/d"), MemoryDir("/m", size=1 << 24)]
                    guests.append((module.instantiate(Policy(dirs=dirs, limits=policy.limits)), folder))
                digests = [hashlib.sha256() for _ in guests]
                for instance, _ in guests:
                    for fd in (3, 4):
                        instance.memory.write(0, b"out")
                        assert instance.call("path_open", fd, 0, 0, 3, 1, ALL_RIGHTS, ALL_RIGHTS, 0, 64) == 0
                for _ in range(rounds):
                    for (instance, _), digest in zip(guests, digests, strict=True):
                        data = rng.randbytes(rng.randint(1, 60_000))
                        digest.update(data)
                        instance.memory.write(0x10000, data)
                        for fd in (5, 6):
                            instance.memory.write(
                                0, (0x10000).to_bytes(4, "little") + len(data).to_bytes(4, "little")
                            )
                            assert instance.call("fd_write", fd, 0, 1, 8) == 0
                            assert instance.memory.u32(8) == len(data)
                        assert instance.memory.read(0x10000, len(data)) == data
                for (instance, folder), digest in zip(guests, digests, strict=True):
                    assert hashlib.sha256((folder / "out").read_bytes()).digest() == digest.digest()
                    back = hashlib.sha256()
                    assert instance.call("fd_seek", 6, 0, 0, 64) == 0
                    instance.memory.write(0, (0x10000).to_bytes(4, "little") + (50_000).to_bytes(4, "little"))
                    while instance.call("fd_read", 6, 0, 1, 8) == 0 and (n := instance.memory.u32(8)):
                        back.update(instance.memory.read(0x10000, n))
                    assert back.digest() == digest.digest()
                    instance.close()
            except BaseException as error:
                failed.append(error)
                raise

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        assert not failed
        assert host.instances == 0


def test_one_instance_in_many_threads(guest: Any) -> None:
    """One is served; the others are told at once."""
    g: Guest = guest()
    answers: list[object] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(300):
            try:
                answers.append(g.sched_yield())
            except InstanceBusy as error:
                answers.append(type(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {0, InstanceBusy} and 0 in answers and len(answers) == 1200
    assert g.sched_yield() == 0

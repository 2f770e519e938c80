"""Attacks of group B: calls that block, and their end by timeout, cancel and signals."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guests import build
from tests.support import KEPT, E, Guest, on_clock, on_fd, open_fds, pipe, rss, running_threads, threads_end
from wasi_native import Cancelled, Dial, Dir, Host, InstanceDead, Limits, Listen, Policy, Timeout, _core

# What is not ended goes on for a minute or an hour. The contract is 0.1 s, which test_cancel.py looks at over many;
# of a single one a loaded machine says nothing.
LATE = 10.0


class Ends:
    """The two ways to end a blocked call from outside, each with the time it took."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __call__(self, g: Guest, call: Callable[..., Any]) -> None:
        """``call(timeout=...)`` blocks; it is ended, and the instance is dead."""
        if self.how == "timeout":
            asked = time.monotonic() + 0.05
            with pytest.raises(Timeout):
                call(timeout=0.05)
        else:
            moments: list[float] = []

            def cancel() -> None:
                moments.append(time.monotonic())
                g.instance.cancel()
                g.instance.cancel()

            timer = threading.Timer(0.03, cancel)
            timer.start()
            try:
                with pytest.raises(Cancelled):
                    call(timeout=60)
            finally:
                timer.join()
            asked = moments[0]
        assert time.monotonic() - asked < LATE
        with pytest.raises(InstanceDead):
            g.sched_yield()


@pytest.fixture(params=["timeout", "cancel"])
def ends(request: pytest.FixtureRequest) -> Ends:
    return Ends(request.param)


def reads(g: Guest, fd: int) -> Callable[..., int]:
    at = g.iovs(0, (64, 16))
    return lambda **kw: g.fd_read(fd, *at, 32, **kw)


def test_b97_read_of_an_empty_pipe(guest: Any, engine: str, ends: Ends) -> None:
    with pipe() as (r, w):
        g = guest(engine=engine)
        g.instance._sys.stdio_fd(0, r)
        ends(g, reads(g, 0))
        os.write(w, b"later")
        assert os.read(r, 10) == b"later"  # nothing was taken from the stream
        assert os.get_blocking(r)


def test_b97_poll_of_an_empty_pipe_and_a_sleep(guest: Any, ends: Ends) -> None:
    with pipe() as (r, _):
        g = guest()
        g.instance._sys.stdio_fd(0, r)
        ends(g, lambda **kw: g.poll(on_fd(0), on_clock(3600 * 10**9), **kw))


def test_b97_a_shared_description_is_left_as_it_is(guest: Any, ends: Ends) -> None:
    """Where no private description can be had (no /proc), the host's own is used, and its flags stay."""
    kernel = _core.FakeOs()
    kernel.inject("reopen", 1, 0, err=E.NOENT)
    with pipe() as (r, w):
        g = guest(kernel=kernel)
        g.instance._sys.stdio_fd(0, r)
        os.write(w, b"ab")
        assert g.read(0) == (0, b"ab")
        ends(g, reads(g, 0))
        assert os.get_blocking(r)


def test_b97_a_terminal(guest: Any, ends: Ends) -> None:
    master, slave = os.openpty()
    try:
        g = guest()
        g.instance._sys.stdio_fd(0, slave)
        os.write(master, b"line\n")
        assert g.read(0) == (0, b"line\n")
        ends(g, reads(g, 0))
        assert os.get_blocking(slave)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("right", [1 << 1, 1 << 6, 1 << 1 | 1 << 6])
def test_b98_a_fifo_in_a_preopen_never_blocks(guest: Any, resolver: str, tmp_path: Path, right: int) -> None:
    os.mkfifo(tmp_path / "fifo")
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), resolver=resolver)
    start = time.monotonic()
    for follow in (False, True):
        assert g.open("fifo", rights=right, follow=follow)[0] == E.NOTCAPABLE
    for oflags in (1, 1 | 4, 8):  # CREAT, CREAT|EXCL, TRUNC
        assert g.open("fifo", rights=right, oflags=oflags)[0] in {E.NOTCAPABLE, E.EXIST}
    assert time.monotonic() - start < LATE


def test_b98_a_fifo_with_an_end_open_is_refused_too(guest: Any, resolver: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    fd = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
    try:
        g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), resolver=resolver)
        for right in (1 << 1, 1 << 6):
            assert g.open("fifo", rights=right)[0] == E.NOTCAPABLE
        os.write(fd, b"kept")
        assert os.read(fd, 9) == b"kept"
    finally:
        os.close(fd)


def test_b100_write_to_a_full_pipe(guest: Any, engine: str, ends: Ends) -> None:
    signals: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _: signals.append(number))
    try:
        with pipe() as (r, w):
            g = guest(engine=engine, pages=4)
            g.instance._sys.stdio_fd(1, w)
            data = (0x10000, 0x30000)
            g.memory.write(*data[:1], bytes(i % 251 for i in range(data[1])))
            ends(g, lambda **kw: g.fd_write(1, *g.iovs(0, data), 32, **kw))
            os.set_blocking(r, False)
            got = os.read(r, 1 << 20)
            assert 0 < len(got) < data[1] and got == bytes(i % 251 for i in range(len(got)))
            assert os.get_blocking(w)
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert not signals


def test_b100_what_fits_is_counted_and_the_reader_gone_is_an_errno(guest: Any) -> None:
    signals: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _: signals.append(number))
    try:
        with pipe() as (r, w):
            g = guest(pages=4, nonblocking_stdio=True)
            g.instance._sys.stdio_fd(1, w)
            room = 65536
            assert g.fd_write(1, *g.iovs(0, (0x10000, 0x30000)), 32) == 0
            assert g.memory.u32(32) == room
            assert g.fd_write(1, *g.iovs(0, (0x10000, 1)), 32) == E.AGAIN
            assert len(os.read(r, 1 << 20)) == room
            os.close(r)
            for _ in range(3):
                assert g.fd_write(1, *g.iovs(0, (0x10000, 100)), 32) == E.PIPE
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert not signals
    assert signal.SIGPIPE not in signal.sigpending()


def test_b101_accept(guest: Any, engine: str, ends: Ends) -> None:
    g = guest(Policy(listen=[Listen("tcp://127.0.0.1:0")]), engine=engine)
    ends(g, lambda **kw: g.sock_accept(3, 0, 64, **kw))


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def dialled(server: socket.socket) -> Policy:
    return Policy(dial=[Dial(f"tcp://127.0.0.1:{server.getsockname()[1]}")])


@pytest.mark.parametrize("flags", [0, 2])  # WAITALL
def test_b101_recv(guest: Any, engine: str, ends: Ends, peer: socket.socket, flags: int) -> None:
    g = guest(dialled(peer), engine=engine)
    with peer.accept()[0] as other:
        if flags:
            other.sendall(b"not all")
        ends(g, lambda **kw: g.sock_recv(3, *g.iovs(0, (64, 16)), flags, 32, 36, **kw))
        g.close()
        other.settimeout(5)
        if not flags:
            assert other.recv(1) == b""  # the guest's end is closed
        else:
            with contextlib.suppress(ConnectionResetError):
                assert other.recv(1) == b""


def test_b101_send_without_a_window(guest: Any, ends: Ends, peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    g = guest(dialled(peer), pages=300, filled=0)
    with peer.accept()[0]:
        big = g.iovs(0, (0x10000, 16 << 20))
        ends(g, lambda **kw: g.sock_send(3, *big, 0, 32, **kw))


def test_b101_a_peer_that_is_gone(guest: Any, peer: socket.socket) -> None:
    g = guest(dialled(peer))
    other = peer.accept()[0]
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    other.close()
    data = g.iovs(0, (64, 16))
    answers = {g.sock_send(3, *data, 0, 32, timeout=20) for _ in range(3)}
    assert answers <= {E.PIPE, E.CONNRESET}
    assert g.sock_recv(3, *data, 0, 32, 36, timeout=20) in {0, E.CONNRESET}


LOOPS = {
    "wasm": "(loop $again (br $again))",
    "yield": "(loop $again (drop (call $yield)) (br $again))",
    "fail": "(loop $again (drop (call $close (i32.const 99))) (br $again))",
}


def loop(kind: str) -> str:
    return f"""(module
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start") {LOOPS[kind]}))"""


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("how", ["timeout", "cancel", "wall_time", "cpu_time"])
def test_b103_endless_loops(kind: str, how: str) -> None:
    limits = (
        Limits(wall_time=0.05) if how == "wall_time" else Limits(cpu_time=0.05 if how == "cpu_time" else None)
    )
    with Host(Policy(limits=limits)) as host, host.load(loop(kind)).instantiate() as instance:
        timer = threading.Timer(0.05, instance.cancel)
        if how == "cancel":
            timer.start()
        clock = time.process_time if how == "cpu_time" else time.monotonic  # a busy machine gives it later
        start = clock()
        with pytest.raises((Timeout, Cancelled) if how != "cpu_time" else Exception) as caught:
            instance.run(timeout=0.05 if how == "timeout" else None)
        assert clock() - start < 0.05 + LATE
        if how == "cancel":
            timer.join()
        assert type(caught.value).__name__ == {"cancel": "Cancelled", "cpu_time": "LimitExceeded"}.get(
            how, "Timeout"
        )
        with pytest.raises(InstanceDead):
            instance.run()


def test_b103_the_fake_engine_is_interrupted_too(guest: Any, ends: Ends) -> None:
    g = guest()
    ends(g, lambda **kw: g.call("spin", **kw))


def test_b105_a_huge_write_goes_in_pieces_of_a_mebibyte(guest: Any, tmp_path: Path, long: bool) -> None:
    kernel, mib = _core.FakeOs(), 256 if long else 48
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), kernel=kernel, pages=20)
    err, fd = g.open("big", oflags=1)
    assert err == 0
    kernel.clear()
    pieces = g.iovs(0, *[(0x10000, 1 << 20)] * mib)
    assert g.fd_write(fd, *pieces, 0x8000) == 0
    assert g.memory.u32(0x8000) == mib << 20 == (tmp_path / "big").stat().st_size
    assert kernel.count("writev") == mib
    kernel.clear()
    assert g.fd_pread(fd, *pieces, 0, 0x8000) == 0
    assert g.memory.u32(0x8000) == mib << 20 and kernel.count("preadv") == mib
    (tmp_path / "big").unlink()


def test_b105_cancel_between_two_pieces(guest: Any, tmp_path: Path) -> None:
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), kernel=kernel, pages=20)
    err, fd = g.open("big", oflags=1)
    assert err == 0
    kernel.clear()

    def cancel() -> None:
        while kernel.count("writev") < 2:
            time.sleep(0)
        g.instance.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Cancelled):
        g.fd_write(fd, *g.iovs(0, *[(0x10000, 1 << 20)] * 1000), 0x8000)
    thread.join()
    size = (tmp_path / "big").stat().st_size
    assert size % (1 << 20) == 0 and size == kernel.count("writev") << 20 < 1000 << 20
    (tmp_path / "big").unlink()


def test_b106_others_run_while_one_is_stuck(guest: Any) -> None:
    """A call that the kernel never returns from needs a broken device; what can be shown without one is that
    a guest which blocks holds up nobody: neither Python threads nor other instances."""
    with pipe() as (r, _):
        stuck, other = guest(), guest()
        stuck.instance._sys.stdio_fd(0, r)
        failed: list[type] = []

        def block() -> None:
            try:
                stuck.instance.call("fd_read", 0, *stuck_iovs, 32)
            except Cancelled as error:
                failed.append(type(error))

        stuck_iovs = stuck.iovs(0, (64, 16))
        thread = threading.Thread(target=block)
        thread.start()
        for _ in range(200):
            assert other.sched_yield() == 0
        assert thread.is_alive()
        stuck.instance.cancel()
        thread.join(20)
        assert failed == [Cancelled]


def interrupted(call: Callable[[], Any], after: float) -> float:
    """SIGINT ``after`` seconds into ``call``: how long after that it raised KeyboardInterrupt."""
    moments: list[float] = []

    def strike() -> None:
        moments.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(after, strike)
    try:
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            call()
            while True:  # the signal came a little too late: wait for it here
                time.sleep(0.01)
    finally:
        timer.join()
    return time.monotonic() - moments[0]


@pytest.mark.parametrize("kind", ["read", "sleep", "accept", "spin", "wasm"])
def test_b108_ctrl_c_while_the_guest_blocks_in_the_main_thread(guest: Any, kind: str) -> None:
    assert threading.current_thread() is threading.main_thread()
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pipe() as (r, _):
        if kind == "wasm":
            with Host(Policy()) as host, host.load(loop("wasm")).instantiate() as instance:
                taken = interrupted(instance.run, 0.05)
        else:
            g = guest(Policy(listen=[Listen("tcp://127.0.0.1:0")]))
            g.instance._sys.stdio_fd(0, r)
            calls: dict[str, Callable[[], Any]] = {
                "read": reads(g, 0),
                "sleep": lambda: g.poll(on_clock(3600 * 10**9)),
                "accept": lambda: g.sock_accept(3, 0, 64),
                "spin": lambda: g.call("spin"),
            }
            taken = interrupted(calls[kind], 0.05)
            with pytest.raises(InstanceDead):
                g.sched_yield()
    print(f"KeyboardInterrupt after {taken * 1000:.1f} ms")
    assert taken < LATE
    assert [
        signal.getsignal(number) for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)
    ] == handlers
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


def test_b108_a_signal_at_any_moment_is_seen(guest: Any, long: bool) -> None:
    """Also one that comes after the last look and before the kernel waits: else the call blocks for ever."""
    worst = 0.0
    for i in range(400 if long else 25):
        with guest() as g:
            worst = max(worst, interrupted(lambda g=g: g.poll(on_clock(3600 * 10**9)), i % 25 * 4e-5))
    print(f"KeyboardInterrupt after {worst * 1000:.1f} ms at most")
    assert worst < LATE


def test_b108_a_signal_that_another_thread_took(guest: Any) -> None:
    """The kernel may hand a signal to any thread: the wait of ours is not interrupted, and still must end."""

    def strike(after: float = 0.03) -> None:
        time.sleep(after)
        moments.append(time.monotonic())
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    moments: list[float] = []
    g = guest()
    thread = threading.Thread(target=strike)
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        g.poll(on_clock(3600 * 10**9), timeout=20)
    print(f"KeyboardInterrupt after {(time.monotonic() - moments[0]) * 1000:.1f} ms")
    assert time.monotonic() - moments[0] < LATE
    thread.join()


def test_b108_a_handler_that_returns_lets_the_guest_go_on(guest: Any) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        g = guest()
        for _ in range(100):
            start = time.monotonic()
            assert g.poll(on_clock(60 * 10**6, userdata=3)) == (0, [(3, 0, 0, 0, 0)])
            assert time.monotonic() - start >= 0.06
            if len(seen) > 2:
                break  # on a loaded machine several come as one
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(seen) > 2


def test_b109_cancels_of_a_guest_that_writes_files(tmp_path: Path, long: bool) -> None:
    rounds, rng = 1000 if long else 120, random.Random(109)
    expected = b"".join(bytes([97 + i % 26]) * 64 for i in range(26))
    with Host(Policy()) as host, host.load(build.guest("chatter")) as module:
        # More than it can write before its end comes; the quota is there for slow cancels.
        policy = Policy(args=("100000000", "64", "/d/out"), dirs=[Dir(tmp_path, "/d", quota=64 << 20)])
        fds, before, start = open_fds(), running_threads(), 0
        for i in range(rounds):
            with module.instantiate(policy) as instance:
                timer = threading.Timer(rng.random() * 0.01, instance.cancel)
                timer.start()
                with contextlib.suppress(Cancelled):
                    instance.run()
                timer.join()
            data = (tmp_path / "out").read_bytes() if (tmp_path / "out").exists() else b""
            whole = expected * (len(data) // len(expected) + 1)
            assert len(data) % 64 == 0 and data == whole[: len(data)]
            if i == 20:
                before, start, fds = running_threads(), rss(), open_fds()
        assert open_fds() == fds and threads_end(before)
        print(f"RSS {(rss() - start) / 1024:+.0f} KiB after {rounds} cancels")
        assert rss() - start < (8 << 20) + KEPT

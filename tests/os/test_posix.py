"""os/posix: the real kernel, seen through a guest: flags, errnos, times, types, and what must stay as it was."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.guests import build
from tests.support import E, Guest, on_clock, open_fds, running_threads, threads_end
from wasi_native import Dir, Host, Limits, Policy, _core

ROOT = Path(__file__).parents[2]


def flags_of(fd: int) -> int:
    text = Path(f"/proc/self/fdinfo/{fd}").read_text()
    found = re.search(r"flags:\s+(\d+)", text)
    assert found is not None
    return int(found[1], 8)


def new_fds(before: dict[int, str]) -> list[int]:
    return sorted(fd for fd in open_fds() if fd not in before)


# ---- posix.c: errnos ----


def test_every_errno_of_wasi_that_the_kernel_has_is_mapped_to_its_name() -> None:
    rows = re.findall(
        r"WN_ERRNO\((\w+), (\d+), (\w+), ", (ROOT / "include" / "wasi_native" / "errno.def").read_text()
    )
    assert len(rows) == 77
    for name, number, host in rows:
        assert E.__dict__[name] == int(number)
        if host != "0":
            assert hasattr(errno, host), host


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda p: None, "NOENT"),
        (lambda p: p.mkdir(), "ISDIR"),
        (lambda p: p.symlink_to("x"), "LOOP"),
        (lambda p: socket.socket(socket.AF_UNIX).bind(os.fspath(p)), "NOTCAPABLE"),
    ],
)
def test_errnos_of_open(guest: Any, tmp_path: Path, make: Any, answer: str) -> None:
    make(tmp_path / "x")
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
    assert g.open("x", rights=1 << 6)[0] == E.__dict__[answer]


# ---- file.c ----


@pytest.mark.parametrize(
    ("rights", "fdflags", "wanted"),
    [
        (1 << 1, 0, os.O_RDONLY),
        (1 << 6, 0, os.O_WRONLY),
        (1 << 1 | 1 << 6, 0, os.O_RDWR),
        (1 << 6, 1, os.O_WRONLY | os.O_APPEND),
        (1 << 6, 2, os.O_WRONLY | os.O_DSYNC),
        (1 << 6, 16, os.O_WRONLY | os.O_SYNC),
        (1 << 6, 8, os.O_WRONLY | os.O_SYNC),
    ],
)
def test_flags_that_the_kernel_sees(
    guest: Any, resolver: str, tmp_path: Path, rights: int, fdflags: int, wanted: int
) -> None:
    (tmp_path / "f").touch()
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]), resolver=resolver)
    before = open_fds()
    assert g.open("f", rights=rights, fdflags=fdflags)[0] == 0
    (fd,) = new_fds(before)
    mask = os.O_ACCMODE | os.O_APPEND | os.O_SYNC | os.O_DSYNC
    assert flags_of(fd) & mask == wanted & mask
    assert not os.get_inheritable(fd) and fd > 2


def test_no_descriptor_is_handed_to_programs_that_the_host_starts(guest: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
        g.instance._sys.preopen_socket(server.fileno(), True)
        r, w = os.pipe()
        g.instance._sys.stdio_fd(0, r)
        with socket.create_connection(server.getsockname()):
            assert g.sock_accept(4, 0, 64, timeout=20) == 0
            assert g.open("f", oflags=1)[0] == 0
            code = "import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))"
            done = subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                close_fds=False,
                check=True,
                timeout=60,
            )
        os.close(r)
        os.close(w)
    inherited = [int(fd) for fd in re.findall(r"\d+", done.stdout) if int(fd) > 2]
    assert len(inherited) <= 1 + sum(os.get_inheritable(fd) for fd in open_fds() if fd > 2)


def test_no_descriptor_of_ours_below_three(tmp_path: Path) -> None:
    """A host without standard streams: what the guest opens must not become them."""
    code = f"""
import os
os.closerange(0, 3)
from tests.support import Guest, open_fds
from wasi_native import Dir, Policy
g = Guest(Policy(dirs=[Dir({os.fspath(tmp_path)!r}, "/d")]))
ok = g.open("f", oflags=1)[0] == 0 and g.open("f")[0] == 0
os._exit(0 if ok and min(open_fds()) > 2 else 1)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False, cwd=os.getcwd())
    assert done.returncode == 0


def test_running_out_of_descriptors(guest: Any, tmp_path: Path) -> None:
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")], limits=Limits(fds=10_000)))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(open_fds())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 20, hard))
    try:
        got = []
        while True:
            err, fd = g.open("f", oflags=1)
            if err:
                break
            got.append(fd)
        assert err == E.MFILE and len(got) >= 15
        assert g.open("f")[0] == E.MFILE and g.fd_close(got[0]) == 0 and g.open("f")[0] == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- stat.c ----


@pytest.mark.parametrize("ns", [0, 1, 10**9 - 1, 10**18, 2**62, -1, -(10**9), -2177452800 * 10**9])
def test_times_before_and_after_1970(guest: Any, tmp_path: Path, ns: int) -> None:
    (tmp_path / "f").touch()
    try:
        os.utime(tmp_path / "f", ns=(ns, ns))
    except (OSError, OverflowError):
        pytest.skip("this file system has no such time")
    real = (tmp_path / "f").stat().st_mtime_ns
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
    for err, stat in (g.stat("f"), g.fstat(g.open("f")[1])):
        assert err == 0 and stat["mtim"] == stat["atim"] == max(real, 0)


@pytest.mark.parametrize("ns", [0, 1, 999_999_999, 10**9, 2**62, 2**63 - 1])
def test_times_that_are_set(guest: Any, tmp_path: Path, ns: int) -> None:
    (tmp_path / "f").touch()
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
    at = g.put(0, "f")
    err = g.path_filestat_set_times(3, 0, *at, ns, ns, 5)
    assert err in {0, E.INVAL, E.OVERFLOW}
    if not err:
        seen = g.stat("f")[1]["mtim"]
        try:
            assert (tmp_path / "f").stat().st_mtime_ns in {ns, seen}
        except OSError as error:  # a Python with 32-bit times cannot say it, but the guest can
            assert error.errno == errno.EOVERFLOW and seen > 2**31 * 10**9


def test_types(guest: Any, tmp_path: Path) -> None:
    (tmp_path / "reg").touch()
    (tmp_path / "dir").mkdir()
    (tmp_path / "link").symlink_to("reg")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(os.fspath(tmp_path / "sock"))
    g = guest(Policy(dirs=[Dir(tmp_path, "/d")]))
    wanted = {"reg": 4, "dir": 3, "link": 7, "fifo": 0, "sock": 6}
    assert {name: g.stat(name)[1]["type"] for name in wanted} == wanted
    listed = {name: kind for name, kind, _ in g.list(3)[1]}
    assert {name: listed[name] for name in wanted} == wanted and listed["."] == listed[".."] == 3
    assert g.stat("link", follow=True)[1]["type"] == 4


# ---- pipe.c ----


def test_no_sigpipe_and_the_signal_mask_as_it_was(guest: Any) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _: seen.append(number))
    try:
        for blocked in (False, True):
            if blocked:
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
            r, w = os.pipe()
            g = guest()
            g.instance._sys.stdio_fd(1, w)
            os.close(r)
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
            assert g.write(1, b"x")[0] == E.PIPE
            assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask and not signal.sigpending()
            os.close(w)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})
        signal.signal(signal.SIGPIPE, before)
    assert not seen


def test_a_sigpipe_of_the_host_s_own_is_kept(guest: Any) -> None:
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGPIPE)
        r, w = os.pipe()
        g = guest()
        g.instance._sys.stdio_fd(1, w)
        os.close(r)
        assert g.write(1, b"x")[0] == E.PIPE and signal.SIGPIPE in signal.sigpending()
        os.close(w)
        assert signal.sigwait({signal.SIGPIPE}) == signal.SIGPIPE
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})
        signal.signal(signal.SIGPIPE, before)


# ---- thread.c, library.c ----


def test_the_ticker_s_thread(guest: Any) -> None:
    """It begins with the first call that needs it, has no signal and no descriptor, and ends with the engine."""
    before = running_threads()
    with (
        Host(engine="fake") as host,
        host.load(b"fake 1\nimport wasi_snapshot_preview1 sched_yield - i") as module,
    ):
        assert running_threads() <= before
        with module.instantiate() as instance:
            instance.call("sched_yield", timeout=20)
            (ticker,) = running_threads() - before
            status = Path(f"/proc/self/task/{ticker}/status").read_text()
            blocked = re.search(r"SigBlk:\s+(\w+)", status)
            kept, every = 1 << 8 | 1 << 18 | 1 << 31, (1 << 32) - 1
            if os.environ.get("BOARD_QEMU"):  # the emulator keeps SIGABRT, SIGBUS and SIGSEGV for itself
                kept |= 1 << 5 | 1 << 6 | 1 << 10
            assert blocked is not None and (int(blocked[1], 16) | kept) & every == every
            deadline = time.monotonic() + 10
            while os.listdir(f"/proc/self/task/{ticker}/fd") and time.monotonic() < deadline:
                time.sleep(0.001)
            assert os.listdir(f"/proc/self/task/{ticker}/fd") == []
    del instance, module, host
    assert threads_end(before)


def test_no_thread_without_need() -> None:
    before = running_threads()
    with (
        Host(engine="fake") as host,
        host.load(b"fake 1\nimport wasi_snapshot_preview1 sched_yield - i") as module,
    ):
        answers: list[Any] = []

        def work() -> None:
            with module.instantiate() as instance:
                answers.append(instance.call("sched_yield"))
                answers.append(running_threads() - before - {threading.get_native_id()})

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert answers == [0, set()]


def test_libraries_that_cannot_be_opened(tmp_path: Path) -> None:
    for name in set(_core.engine_names()) - {"fake", "wasm2c"}:
        with pytest.raises(_core.CoreError) as caught:
            _core.Engine(name, str(tmp_path / "none.so"))
        assert "none.so" in caught.value.text and caught.value.code == _core.MISSING


# ---- wait.c ----


def test_waits_do_not_end_early(guest: Any) -> None:
    g: Guest = guest()
    for ns in (1, 50_000, 1_000_001, 2_500_000):
        start = time.monotonic_ns()
        assert g.poll(on_clock(ns))[0] == 0
        assert time.monotonic_ns() - start >= ns


def test_the_process_is_as_it_was(tmp_path: Path) -> None:
    """No signal handler, mask, umask, folder or limit of the host changes for a guest, nor by loading an engine."""
    code = f"""
import os, resource, signal, sys
def state():
    return ([signal.getsignal(n) for n in range(1, 32)], signal.pthread_sigmask(signal.SIG_BLOCK, ()), os.getcwd(),
            resource.getrlimit(resource.RLIMIT_NOFILE), dict(os.environ), os.umask(os.umask(0o22) or 0o22))
before = state()
from wasi_native import Host, Policy, Dir
with Host(Policy(args=("/d",), dirs=[Dir({os.fspath(tmp_path)!r}, "/d")])) as host:
    host.load({os.fspath(build.guest("tour"))!r}).instantiate().run(timeout=60)
assert state() == before
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True, cwd=os.getcwd())

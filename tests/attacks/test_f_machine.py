"""Attacks F 154 to 163: old kernels, sandboxes, lost disks, kills, clocks, soak."""

from __future__ import annotations

import contextlib
import gc
import platform
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.faults import CALLS, steps, tour, tree
from tests.guests import build
from tests.support import E, Guest, on_clock, open_fds, rss
from wasi_native import Capture, Dir, Host, MemoryDir, Policy, _core


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tree(tmp_path / "T")


# ---- 154, 155 ----


@pytest.mark.parametrize("err", ["NOSYS", "PERM", "AGAIN", "INVAL", "2BIG"])
@pytest.mark.parametrize("times", [1, 500, 0])
def test_f154_openat2_answers_otherwise(guest: Any, place: Path, err: str, times: int) -> None:
    """Either the walk is taken or the errno told: never more than beneath the directory, never AGAIN."""
    out = place.parent / "out"
    out.mkdir()
    (out / "secret").write_text("secret")
    (place / "l_out").symlink_to("../out")
    (place / "d").mkdir()
    (place / "d" / "f").write_text("f")
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel, resolver="auto")
    kernel.inject("openat2", 1, times, err=E.__dict__[err])
    told = {E.INVAL, E.__dict__["2BIG"]} & {E.__dict__[err]}
    for _ in range(3):
        assert g.open("d/f")[0] in {0} | told
        for path in ("l_out/secret", "../out/secret", "d/../../out/secret"):
            assert g.open(path, follow=True)[0] in {E.PERM, E.NOTCAPABLE} | told
            assert g.stat(path, follow=True)[0] in {E.PERM, E.NOTCAPABLE} | told
    kernel.clear()
    assert g.open("d/f")[0] == 0
    if err == "NOSYS":
        assert g.instance.usage.resolver == "walk"  # remembered: such a kernel does not learn it
    else:
        assert g.instance.usage.resolver == "openat2"  # for this call alone
        assert kernel.count("openat2") > 0


def test_f154_the_walk_never_asks_for_openat2(guest: Any, place: Path) -> None:
    """Where a profile kills the process for an unknown call, the walk can be chosen."""
    kernel = _core.FakeOs()
    g = guest(Policy(dirs=[Dir(place, "/d")]), kernel=kernel, resolver="walk")
    tour(g, set())
    assert kernel.count("openat2") == 0 and kernel.count("openat") > 0


SECCOMP = '''
import ctypes, os, struct, sys
NUMBERS = {
    "x86_64": dict(openat2=437, close_range=436, statx=332, getrandom=318, faccessat2=439, copy_file_range=326,
                   preadv2=327, pwritev2=328, epoll_pwait2=441, renameat2=316),
    "aarch64": dict(openat2=437, close_range=436, statx=291, getrandom=278, faccessat2=439, copy_file_range=285,
                    preadv2=286, pwritev2=287, epoll_pwait2=441),
}[os.uname().machine]
def deny(action, calls):
    """From here on the kernel gives these calls the errno (or the end of the process), as a seccomp profile does."""
    code = [(0x20, 0, 0, 0)]  # load the number of the call
    for name in calls:
        code += [(0x15, 0, 1, NUMBERS[name]), (0x06, 0, 0, action)]
    code.append((0x06, 0, 0, 0x7FFF0000))
    raw = b"".join(struct.pack("<HBBI", *line) for line in code)
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
    buffer = ctypes.create_string_buffer(raw, len(raw))
    program = Program(len(code), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    if libc.prctl(22, 2, ctypes.byref(program)):
        print("no seccomp here"); sys.exit(77)
'''


def sandboxed(tmp_path: Path, before: str, resolver: str = "auto") -> subprocess.CompletedProcess[str]:
    code = (
        SECCOMP
        + textwrap.dedent(before)
        + textwrap.dedent(
            f"""
        from wasi_native import Host, Policy, Dir, Capture
        policy = Policy(args=("/d",), dirs=[Dir({str(tmp_path)!r}, "/d")], stdout=Capture(), stderr="inherit")
        with Host(policy, resolver={resolver!r}) as host:
            with host.load({str(build.guest("tour"))!r}).instantiate() as instance:
                code = instance.run(timeout=60)
                print(instance.stdout.decode(), end="")
            with host.load({str(build.guest("random"))!r}).instantiate() as instance:
                assert instance.run(timeout=60) == 0
        sys.exit(code)
        """
        )
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


seccomp = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"),
    reason="the numbers of its system calls are not known here",
)


@seccomp
@pytest.mark.parametrize("err", [38, 1])
def test_f155_an_old_kernel_or_an_old_profile(tmp_path: Path, err: int) -> None:
    """ENOSYS, and EPERM as old container profiles give it, for every call that is newer than 2014."""
    plain = sandboxed(tmp_path, "")
    assert plain.returncode == 0 and "done" in plain.stdout, plain.stderr
    done = sandboxed(tmp_path, f"deny(0x00050000 | {err}, NUMBERS)")
    if done.returncode == 77:
        pytest.skip("this machine does not let a process have a seccomp filter")
    assert (done.returncode, done.stdout) == (0, plain.stdout), done.stderr


@seccomp
def test_f154_a_profile_that_kills(tmp_path: Path) -> None:
    done = sandboxed(tmp_path, "deny(0x80000000, ['openat2'])", resolver="walk")
    if done.returncode == 77:
        pytest.skip("this machine does not let a process have a seccomp filter")
    assert done.returncode == 0 and "done" in done.stdout, done.stderr
    killed = sandboxed(tmp_path, "deny(0x80000000, ['openat2'])", resolver="openat2")
    assert killed.returncode == -signal.SIGSYS  # the profile does what it says: hence the choice


@pytest.mark.parametrize("err", ["NOSYS", "PERM"])
def test_f155_random_without_the_call(guest: Any, err: str) -> None:
    kernel = _core.FakeOs()
    kernel.inject("getrandom", 1, 0, err=E.__dict__[err])
    g = guest(kernel=kernel)
    for length in (16, 300, 100_000):
        assert g.random_get(0, length) == 0
        assert g.memory.read(0, length) != b"\xa5" * length
    assert kernel.count("open") > 0  # the device instead


# ---- 157 ----


@pytest.mark.parametrize("err", ["IO", "NODEV", "ROFS"])
def test_f157_the_file_system_is_gone(place: Path, err: str, resolver: str) -> None:
    """Every call of the kernel on files fails from here on: errnos for the guest, and its end leaves nothing."""
    kernel = _core.FakeOs()
    fds = open_fds()
    with Guest(Policy(dirs=[Dir(place, "/d", quota=10**6)]), kernel=kernel, resolver=resolver) as g:
        first, fd = g.open("hello.txt")
        assert first == 0
        for call in set(CALLS) - {"clock_get", "clock_res", "getrandom", "yield", "poll"}:
            kernel.inject(call, 1, 0, err=E.__dict__[err])
        seen = set()
        for name in ("fd_sync", "fd_datasync"):
            seen.add(g.call(name, fd))
        seen |= {g.write(fd, b"x")[0], g.read(fd)[0], g.open("hello.txt")[0], g.stat("hello.txt")[0]}
        seen |= {g.on_path("path_create_directory", "x"), g.list(3)[0], g.fstat(fd)[0]}
        assert seen == {E.__dict__[err]}
        assert g.fd_close(fd) == 0
    kernel.clear()
    assert open_fds() == fds


# ---- 158 ----


def test_f158_kill_9_at_a_write(tmp_path: Path, long: bool) -> None:
    """The host process dies at any moment: what the guest wrote is a prefix, the cache opens cleanly."""
    rng, cache = random.Random(158), tmp_path / "cache"
    code = f"""
import sys
from wasi_native import Host, Policy, Dir
with Host(Policy(args=("100000000", "64", "/d/out"), dirs=[Dir(sys.argv[1], "/d", quota=1 << 25)]),
          cache={str(cache)!r}) as host:
    module = host.load({str(build.guest("chatter"))!r})
    print("go", flush=True)
    module.instantiate().run()
"""
    expected = b"".join(bytes([97 + i % 26]) * 64 for i in range(26))
    for i in range(200 if long else 8):
        folder = tmp_path / str(i)
        folder.mkdir()
        with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE) as process:
            if i % 2 or not long:
                assert process.stdout is not None and process.stdout.readline() == b"go\n"
                time.sleep(rng.random() * 0.004)
            else:
                time.sleep(rng.random() * 0.15)  # also while it compiles and writes the cache
            process.kill()
        out = folder / "out"
        data = out.read_bytes() if out.exists() else b""
        assert len(data) % 64 == 0 and (expected * (len(data) // len(expected) + 1)).startswith(data)
    with (
        Host(Policy(args=("3",), stdout=Capture()), cache=cache) as host,
        host.load(build.guest("chatter")).instantiate() as instance,
    ):
        assert instance.run() == 0 and len(instance.stdout) == 48


def test_f158_a_damaged_cache_entry_is_built_again(tmp_path: Path) -> None:
    for cut in (0, 1, 100, -1):
        with Host(Policy(stdout=Capture()), cache=tmp_path) as host:
            host.load(build.guest("hello")).close()
        codes = list(tmp_path.rglob("*.code"))
        assert codes
        for code in codes:
            code.chmod(0o600)
            raw = bytearray(code.read_bytes())
            if cut < 0:
                raw[len(raw) // 2] ^= 1
            code.write_bytes(raw if cut < 0 else raw[:cut])
        with (
            Host(Policy(stdout=Capture()), cache=tmp_path) as host,
            host.load(build.guest("hello")).instantiate() as instance,
        ):
            assert instance.run() == 0 and instance.stdout


# ---- 160 ----


def test_f160_the_wall_clock_is_set_while_the_guest_sleeps(guest: Any) -> None:
    """Forward over the moment that is waited for: it has come. Relative sleeps and deadlines do not care."""
    year = 365 * 86400 * 10**9
    g = guest()
    world = g.instance._sys
    timer = threading.Timer(0.05, lambda: world.set_clock(0, 1, year, 0))
    timer.start()
    start = time.monotonic()
    err, events = g.poll(
        on_clock(time.time_ns() + 3600 * 10**9, clock=0, absolute=True, userdata=9), timeout=30
    )
    timer.join()
    assert (err, events) == (0, [(9, 0, 0, 0, 0)]) and time.monotonic() - start < 20
    timer = threading.Timer(0.02, lambda: world.set_clock(0, 1, -year, 0))
    timer.start()
    start = time.monotonic()
    assert g.poll(on_clock(60 * 10**6, clock=0, userdata=9), timeout=30) == (0, [(9, 0, 0, 0, 0)])
    timer.join()
    assert 0.06 <= time.monotonic() - start < 20  # not a year


# ---- 163 ----


def test_f163_soak(place: Path, long: bool) -> None:
    """Guests made, used, faulted, cancelled and closed: nothing accumulates."""
    rng, kernel = random.Random(163), _core.FakeOs()
    calls = [call for call in CALLS if call not in ("clock_get", "clock_res")]
    rounds = 20_000 if long else 200
    samples: list[int] = []
    for i in range(rounds):
        dirs = [Dir(place, "/d", quota=10**6), MemoryDir("/m")]
        with Guest(Policy(dirs=dirs, stdout=Capture(100)), kernel=kernel) as g:
            kernel.clear()
            for _ in range(2):
                kernel.inject(
                    rng.choice(calls),
                    rng.randint(1, 9),
                    rng.randint(1, 3),
                    err=rng.choice([5, 27, 29, 33, 51]),
                )
            for name, make in steps(g):
                with contextlib.suppress(Exception):
                    make()
                if rng.random() < 0.01:
                    g.instance.cancel()
                if g.instance.end or name == "fd_renumber":
                    break
            kernel.clear()
        for left in ("new", "to"):
            path = place / left
            with contextlib.suppress(FileNotFoundError):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        if i % (rounds // 10) == 0:
            gc.collect()
            samples.append(rss())
    growth = samples[-1] - samples[2]
    print(f"RSS {growth / 1024:+.0f} KiB over {rounds * 7 // 10} guests")
    assert growth < 4 << 20

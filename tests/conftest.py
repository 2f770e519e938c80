"""Every test leaves descriptors, threads, children, signal handlers and flags of the streams as it found them."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import Guest, engines_under_test, open_fds, running_threads
from wasi_native import EngineMissing, engines

os.environ.setdefault("WASI_NATIVE_CACHE", str(Path(__file__).parent / "guests" / "build" / "cache"))


HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGALRM)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="races and soaks at their full length")
    parser.addoption(
        "--engines",
        help="engines of the tests that run on several: fake,wasmtime,wasm2c,wasm_c_api,wasm3,wasm3-old",
    )


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what it runs in the background with SIGINT ignored, and nohup ignores SIGHUP. Tests send both, to
    # themselves and to what they start, which would inherit that.
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, lambda *_: None)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    if config.getoption("--engines"):
        os.environ["WASI_NATIVE_TEST_ENGINES"] = config.getoption("--engines")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`engine` is each of those, unless a module or a test has its own; `engine2` those that run code of a guest."""
    if "engine2" in metafunc.fixturenames:
        metafunc.parametrize(
            "engine2", [name for name in engines_under_test() if name != "fake"], indirect=True
        )
    if "engine" not in metafunc.fixturenames or hasattr(metafunc.module, "engine"):
        return
    if not any("engine" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")):
        metafunc.parametrize("engine", engines_under_test(), indirect=True)


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


# Not "is not installed": wasmtime cannot be on this machine, so tests of it say nothing here.
_NO_WASMTIME = (
    "has no library for" in engines.find("wasmtime").reason or "WASI_NATIVE_NO_WASMTIME" in os.environ
)


@contextlib.contextmanager
def _skip_where_no_wasmtime_can_be() -> Iterator[None]:
    try:
        yield
    except EngineMissing as error:
        if not _NO_WASMTIME or "wasmtime" not in str(error):
            raise
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with _skip_where_no_wasmtime_can_be():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _skip_where_no_wasmtime_can_be():
        yield


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    flags = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in range(3)]
    handlers = [signal.getsignal(number) for number in HANDLED]
    umask = os.umask(0o22)
    os.umask(umask)
    fds, before = open_fds(), running_threads()
    yield
    for attempt in range(50):
        if attempt:  # a full collection takes longer than most tests
            gc.collect()
        now = open_fds()
        leaked = {fd: what for fd, what in now.items() if fds.get(fd) != what and "/reports/asan" not in what}
        lost = {fd: what for fd, what in fds.items() if fd not in now}
        extra = running_threads() - before
        if not leaked and not lost and not extra:
            break
        time.sleep(0.01 * (attempt > 5))
    assert not leaked, f"descriptors left open: {leaked}"
    assert not lost, f"descriptors closed that were not ours: {lost}"
    assert not extra, f"{len(extra)} threads left"
    assert [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in range(3)] == flags
    assert [signal.getsignal(number) for number in HANDLED] == handlers
    assert os.umask(umask) == umask


@pytest.fixture(params=["openat2", "walk"])
def resolver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def guest() -> Iterator[Any]:
    """Makes Guests (see tests.support) and closes them after the test."""
    made: list[Guest] = []

    def make(*args: Any, **kwargs: Any) -> Guest:
        made.append(Guest(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()

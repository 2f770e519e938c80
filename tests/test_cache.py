"""The cache: whom it believes, what it does with damage, and that a kill leaves an entry whole or absent."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wasi_native.cache import Cache, default_root

KEY = ("ab" * 32, "wasmtime", "50.0.1", "opt")
CODE = bytes(range(256)) * 40


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def kept(cache: Cache) -> str:
    path = cache.put(*KEY, CODE)
    assert path is not None
    return path


def test_round_trip(cache: Cache) -> None:
    assert cache.problem == ""
    assert cache.get(*KEY) is None
    path = kept(cache)
    assert path == cache.path_for(*KEY) == cache.get(*KEY)
    assert Path(path).read_bytes() == CODE
    assert os.stat(cache.root).st_mode & 0o777 == 0o700
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert sorted(Path(name).suffix for name in os.listdir(cache.root)) == [".code", ".sum"]


def test_each_part_of_the_key_matters(cache: Cache) -> None:
    kept(cache)
    for index in range(4):
        other = list(KEY)
        other[index] = "other"
        assert cache.get(*other) is None


@pytest.mark.parametrize("word", ["../../etc/x", "a/b", "", "x" * 500, "\x00", ".hidden", "a-b", "ü\udcff"])
def test_no_key_leaves_the_folder(cache: Cache, word: str) -> None:
    path = cache.put(word, word, word, word, b"code")
    assert path is not None and os.path.dirname(path) == cache.root
    assert cache.get(word, word, word, word) == path
    assert len(cache.list()) == 1


def test_every_damaged_byte_is_seen(cache: Cache) -> None:
    for at in range(0, len(CODE), 997):
        path = Path(kept(cache))
        data = bytearray(CODE)
        data[at] ^= 1
        path.write_bytes(data)
        assert cache.get(*KEY) is None
        assert os.listdir(cache.root) == [], "a damaged entry must go"


@pytest.mark.parametrize("size", [0, 1, len(CODE) - 1, len(CODE) + 1])
def test_a_wrong_size_is_seen(cache: Cache, size: int) -> None:
    Path(kept(cache)).write_bytes((CODE + b"x")[:size])
    assert cache.get(*KEY) is None


@pytest.mark.parametrize(
    "text", [b"", b"blake2b", b"md5 10240 00", b"\xff" * 300, b"blake2b 10240 " + b"0" * 32]
)
def test_a_wrong_sum_is_seen(cache: Cache, text: bytes) -> None:
    path = Path(kept(cache))
    path.with_name(path.name[:-5] + ".sum").write_bytes(text)
    assert cache.get(*KEY) is None


def test_without_its_sum_an_entry_is_nothing(cache: Cache) -> None:
    path = Path(kept(cache))
    path.with_name(path.name[:-5] + ".sum").unlink()
    assert cache.get(*KEY) is None
    assert not path.exists()


def test_an_entry_in_the_place_of_another_is_nothing(cache: Cache) -> None:
    path = Path(kept(cache))
    for end in (".code", ".sum"):
        name = path.name[:-5] + end
        path.with_name(name).rename(path.with_name(name.replace("abab", "cdcd", 1)))
    assert cache.get("cdcd" + KEY[0][4:], *KEY[1:]) is None


def test_a_link_is_not_followed(cache: Cache, tmp_path: Path) -> None:
    path = Path(kept(cache))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert cache.get(*KEY) is None


def test_a_fifo_does_not_block(cache: Cache) -> None:
    path = Path(kept(cache))
    path.unlink()
    os.mkfifo(path)
    assert cache.get(*KEY) is None


def test_a_writable_entry_is_nothing(cache: Cache) -> None:
    os.chmod(kept(cache), 0o620)
    assert cache.get(*KEY) is None


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_others_may_write_is_refused(cache: Cache, mode: int) -> None:
    kept(cache)
    os.chmod(cache.root, mode)
    assert "chmod 700" in cache.problem
    assert cache.get(*KEY) is None and cache.put(*KEY, CODE) is None and cache.list() == []
    assert cache.clear() == 0
    os.chmod(cache.root, 0o700)
    assert cache.get(*KEY) is not None


def test_a_folder_of_somebody_else_is_refused(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(cache)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "belongs to user" in cache.problem
    assert cache.get(*KEY) is None


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    cache = Cache(tmp_path / "file")
    assert "not a directory" in cache.problem
    assert cache.put(*KEY, CODE) is None
    below = Cache(tmp_path / "file" / "below")
    assert "Not a directory" in below.problem
    assert below.put(*KEY, CODE) is None


def test_list_and_clear(cache: Cache) -> None:
    kept(cache)
    cache.put("cd" * 32, *KEY[1:], b"1234")
    (Path(cache.root) / ".tmp-1-2").write_bytes(b"left by a killed process")
    (Path(cache.root) / "README").write_bytes(b"not ours")
    entries = {entry.module_sha256: entry for entry in cache.list()}
    assert entries["cd" * 32].size == 4
    assert entries[KEY[0]].engine == "wasmtime" and entries[KEY[0]].version == "50.0.1"
    assert cache.clear() == 2
    assert os.listdir(cache.root) == ["README"]


def test_discard(cache: Cache, tmp_path: Path) -> None:
    outside = tmp_path / "outside.code"
    outside.write_bytes(b"")
    cache.discard(str(outside))
    assert outside.exists()
    cache.discard(kept(cache))
    assert os.listdir(cache.root) == []


def test_the_oldest_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", max_bytes=3000)
    for number in range(5):
        path = cache.put(f"{number}" * 64, *KEY[1:], bytes(1000))
        assert path is not None
        os.utime(path, (1000 + number, 1000 + number))
    assert {entry.module_sha256[0] for entry in cache.list()} == {"2", "3", "4"}
    assert cache.put("9" * 64, *KEY[1:], bytes(9000)), "one larger than the cap is kept alone"
    assert [entry.module_sha256[0] for entry in cache.list()] == ["9"]


def test_use_is_noted_once_a_day(cache: Cache) -> None:
    path = kept(cache)
    os.utime(path, (1000, 1000))
    assert cache.get(*KEY) == path
    assert os.stat(path).st_mtime > 1000


def test_default_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASI_NATIVE_CACHE", "/some/where")
    assert default_root() == "/some/where" == Cache().root
    monkeypatch.delenv("WASI_NATIVE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert default_root() == "/xdg/wasi_native"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/x")
    assert default_root() == "/home/x/.cache/wasi_native"
    monkeypatch.setenv("HOME", "nowhere")
    assert default_root() == ""
    assert "WASI_NATIVE_CACHE" in Cache().problem
    assert Cache().put(*KEY, CODE) is None


def test_many_writers_leave_a_valid_entry_or_none(cache: Cache) -> None:
    def write(number: int) -> None:
        for _ in range(20):
            cache.put(*KEY, bytes([number]) * 5000)
            path = cache.get(*KEY)
            assert path is None or path == cache.path_for(*KEY)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept(cache)
    assert cache.get(*KEY) is not None
    assert len(os.listdir(cache.root)) == 2


_KILLED = """
import os, sys
from wasi_native.cache import Cache
count = 0
def step(real):
    def call(*args, **more):
        global count
        count += 1
        if count == {nth}:
            os._exit(9)
        return real(*args, **more)
    return call
for name in ("mkdir", "write", "fsync", "rename", "open", "close"):
    setattr(os, name, step(getattr(os, name)))
Cache({root!r}).put(*{key!r}, bytes(1000))
"""


def test_killed_at_each_step(cache: Cache) -> None:
    for nth in range(1, 30):
        script = _KILLED.format(nth=nth, root=cache.root, key=KEY)
        done = subprocess.run([sys.executable, "-c", script], check=False)
        path = cache.get(*KEY)
        assert path is None or Path(path).read_bytes() == bytes(1000)
        cache.clear()
        if done.returncode == 0:
            break
    assert done.returncode == 0 and nth > 8


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "mkdir"])
def test_a_full_disk_is_no_error(cache: Cache, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        assert cache.put(*KEY, CODE) is None
    assert cache.get(*KEY) is None
    assert not os.path.exists(cache.root) or os.listdir(cache.root) == []

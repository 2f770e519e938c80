"""native.py: how the code of a compiled guest is opened: from the cache, from memory, never from its file again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import wno
from tests.host.native import LOOP, allowing, compiled, digest, hello
from wasi_native import (
    Capture,
    EngineError,
    EngineMissing,
    Host,
    InstanceDead,
    LimitExceeded,
    Limits,
    ModuleError,
    Native,
    Policy,
    PolicyError,
    Timeout,
    _core,
    aot,
)
from wasi_native.aot_sign import new_key, sign
from wasi_native.cache import Cache
from wasi_native.host import native


def output(host: Host, source: Any) -> bytes:
    with host.load(source) as module, module.instantiate() as instance:
        assert instance.run() == 0
        return instance.stdout


def on(data: bytes, cache: Any = None, **more: Any) -> Host:
    return Host(allowing(data, stdout=Capture()), cache=cache, **more)


@pytest.fixture
def plugin() -> bytes:
    return compiled(hello())


@pytest.mark.parametrize("engine", [None, "fake", "wasm2c"])
def test_beside_any_engine(plugin: bytes, tmp_path: Path, engine: str | None) -> None:
    (tmp_path / "plugin.wno").write_bytes(plugin)
    with on(plugin, engine=engine) as host:
        module = host.load(tmp_path / "plugin.wno")
        assert repr(module) == "<Module plugin.wno on wasm2c>" and module.engine == "wasm2c"
        assert {"interrupt", "memory-limit"} <= set(module.caps) and "fuel" not in module.caps
        assert module.manifest == aot.read("x", plugin).manifest and module.sha256 == module.manifest.sha256
        assert [(e.module, e.name) for e in module.imports] == [("wasi_snapshot_preview1", "fd_write")]
        with module.instantiate() as instance:
            assert (instance.run(), instance.stdout) == (0, b"hello\n")
        assert host.engine == (engine or "wasmtime")  # and a WebAssembly module still runs on that
        if engine is None:
            assert output(host, hello("again")) == b"again\n"
            assert host.load(hello()).manifest is None and host.load(hello()).caps == host.caps


def test_where_no_engine_is(plugin: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    with on(plugin, board="generic-x86_64") as host:
        assert output(host, plugin) == b"hello\n" and host.engine == "wasm2c"
        with pytest.raises(
            EngineMissing, match="no engine here runs WebAssembly modules: wasmtime is not installed; "
        ):
            host.load(b"\0asm\1\0\0\0")


def test_from_memory(plugin: bytes) -> None:
    """Two at once, and one after the other: numbers of descriptors come again, and code is not mistaken for it."""
    other = compiled(hello("other"))
    policy = allowing(plugin, other, stdout=Capture())
    with Host(policy, cache=False) as host:
        for _ in range(3):
            assert output(host, plugin) == b"hello\n" and output(host, other) == b"other\n"
        with host.load(plugin) as one, host.load(other) as two, host.load(plugin) as three:
            said = []
            for module in (one, two, three):
                with module.instantiate() as instance:
                    assert instance.run() == 0
                    said.append(instance.stdout)
    assert said == [b"hello\n", b"other\n", b"hello\n"]


def test_a_file_in_memory_is_sealed(plugin: bytes) -> None:
    fd = native._memory_file(aot.read("x", plugin))
    try:
        assert os.pread(fd, len(plugin), 0) == bytes(aot.read("x", plugin).elf)
        for change in (
            lambda: os.pwrite(fd, b"evil", 0),
            lambda: os.ftruncate(fd, 0),
            lambda: os.ftruncate(fd, 1 << 20),
        ):
            with pytest.raises(PermissionError):
                change()
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)


def test_names_of_files_in_memory_are_those_of_their_content() -> None:
    names = {native._memory_path(5, f"{number:016x}" + "0" * 48) for number in (0, 1, 2**63, 2**64 - 1)}
    assert len(names) == 4 and {os.path.normpath(name) for name in names} == {"/proc/self/fd/5"}


def test_through_the_cache(plugin: bytes, tmp_path: Path) -> None:
    """One entry that holds the code alone, for signed and unsigned, found again by the next host."""
    with on(plugin, tmp_path / "cache") as host:
        assert output(host, plugin) == b"hello\n"
    (entry,) = Cache(tmp_path / "cache").list()
    assert (entry.module_sha256, entry.engine) == (digest(plugin), "wasm2c")
    assert Path(entry.path).read_bytes() == bytes(aot.read("x", plugin).elf)
    inode = os.stat(entry.path).st_ino
    with on(plugin, tmp_path / "cache") as host:
        assert output(host, plugin) == b"hello\n"
    assert os.stat(entry.path).st_ino == inode


SHARED = """
import sys
from wasi_native import Host, Native, Policy
with Host(Policy(native=Native(files=[sys.argv[2]])), engine="fake", cache=sys.argv[3]) as host:
    module = host.load(sys.argv[1])
    print([line.split(None, 5)[4:] for line in open("/proc/self/maps") if "wasm2c" in line][0])
"""


def test_hosts_in_other_processes_share_the_pages(plugin: bytes, tmp_path: Path) -> None:
    (tmp_path / "plugin.wno").write_bytes(plugin)
    command = [
        sys.executable,
        "-c",
        SHARED,
        str(tmp_path / "plugin.wno"),
        digest(plugin),
        str(tmp_path / "cache"),
    ]
    maps = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert maps[0] == maps[1] and str(tmp_path / "cache") in maps[0]  # the same inode


# ---- what changes between the check and the opening ----


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("how", ["replaced", "written over", "removed"])
def test_a_file_that_is_swapped_after_the_check(
    plugin: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, cached: bool
) -> None:
    path, evil = tmp_path / "plugin.wno", compiled(hello("EVIL!"))
    path.write_bytes(plugin)
    check, opened = native.take, []

    def take(*args: Any) -> aot.Wno:
        found = check(*args)
        if how == "replaced":
            (tmp_path / "evil").write_bytes(evil)
            os.replace(tmp_path / "evil", path)
        elif how == "written over":
            path.write_bytes(evil)
        else:
            path.unlink()
        opened.append(how)
        return found

    monkeypatch.setattr(native, "take", take)
    with on(plugin, tmp_path / "cache" if cached else False) as host:
        assert output(host, path) == b"hello\n" and opened == [how]
        monkeypatch.undo()
        with pytest.raises((PolicyError, ModuleError), match=r"not allowed|No such file"):
            host.load(path)


def test_an_entry_of_the_cache_with_other_code(plugin: bytes, tmp_path: Path) -> None:
    """Even with a right checksum: what runs is what was checked."""
    evil = aot.read("x", compiled(hello("EVIL!"))).elf
    cache = Cache(tmp_path / "cache")
    for code in (evil, bytes(aot.read("x", plugin).elf) + b"\0", bytes(aot.read("x", plugin).elf)[:-1], b""):
        assert cache.put(digest(plugin), "wasm2c", "abi1", "elf", code)
        with on(plugin, tmp_path / "cache") as host:
            assert output(host, plugin) == b"hello\n"
        (entry,) = cache.list()
        assert Path(entry.path).read_bytes() == bytes(aot.read("x", plugin).elf)


def test_an_entry_of_the_cache_that_is_damaged(plugin: bytes, tmp_path: Path) -> None:
    with on(plugin, tmp_path / "cache") as host:
        output(host, plugin)
    (entry,) = Cache(tmp_path / "cache").list()
    Path(entry.path).unlink()
    Path(entry.path).write_bytes(b"half")
    with on(plugin, tmp_path / "cache") as host:
        assert output(host, plugin) == b"hello\n"


# ---- places that there are not ----


def test_a_cache_that_cannot_be_used(plugin: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for folder in ("file", "open"):
        with on(plugin, tmp_path / folder) as host:
            assert output(host, plugin) == b"hello\n"
    assert os.listdir(tmp_path / "open") == []


def test_no_place_at_all(plugin: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "memfd_create", refuse)
    (tmp_path / "file").write_text("")
    for cache, why in (
        (False, "the host was told to use no cache"),
        (tmp_path / "file", "is not a directory"),
    ):
        with on(plugin, cache) as host, pytest.raises(ModuleError) as caught:
            host.load(plugin)
        text = str(caught.value)
        assert text.startswith("<bytes>: native code is opened from a file, and there is no place for one: ")
        assert why in text and text.endswith("a file in memory: Function not implemented")
    monkeypatch.delattr(os, "memfd_create")
    with on(plugin, False) as host, pytest.raises(ModuleError, match="there is no place for one"):
        host.load(plugin)


def test_an_old_kernel_without_the_flag(plugin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = os.memfd_create, []

    def old(name: str, flags: int) -> int:
        asked.append(flags)
        if flags & ~(os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING):
            raise OSError(22, "Invalid argument")
        return real(name, flags)

    monkeypatch.setattr(os, "memfd_create", old)
    with on(plugin, False) as host:
        assert output(host, plugin) == b"hello\n"
    assert len(asked) == 2


def test_a_disk_that_is_full(plugin: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with on(plugin, tmp_path / "cache") as host:
        assert output(host, plugin) == b"hello\n"
    assert os.listdir(tmp_path / "cache") == []


def test_a_cache_where_nothing_may_be_run(
    plugin: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoExec:
        f_flag = os.ST_NOEXEC

    monkeypatch.setattr(os, "statvfs", lambda path: NoExec)
    with on(plugin, tmp_path / "cache") as host, pytest.raises(ModuleError) as caught:
        host.load(plugin)
    assert f"{tmp_path / 'cache'} is on a file system that is mounted noexec" in str(caught.value)
    assert "set WASI_NATIVE_CACHE to another folder, or use no cache (cache=False, --no-cache)" in str(
        caught.value
    )


def test_a_mount_where_nothing_may_be_run(plugin: bytes, tmp_path: Path) -> None:
    """The same with a real one, where this user may make one."""
    (tmp_path / "plugin.wno").write_bytes(plugin)
    (tmp_path / "mount").mkdir()
    code = SHARED.replace("module = host.load(sys.argv[1])", "host.load(sys.argv[1])")
    script = 'mount -t tmpfs -o noexec,mode=700 none "$1" && shift && exec "$@"'
    inside = [
        sys.executable,
        "-c",
        code,
        str(tmp_path / "plugin.wno"),
        digest(plugin),
        str(tmp_path / "mount"),
    ]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(tmp_path / "mount"), *inside],
        capture_output=True,
        check=False,
    )
    if b"unshare" in done.stderr or b"mount:" in done.stderr:
        return  # not allowed here: the test before this one stands in
    assert b"is on a file system that is mounted noexec" in done.stderr and done.returncode == 1


# ---- code that is allowed, and not what it should be ----


def test_a_library_that_is_no_guest(tmp_path: Path) -> None:
    """Allowed by mistake: a sound file around another shared object, or around no program at all."""
    manifest = aot.read("x", compiled(hello())).manifest
    for code, text in ((Path(_core.__file__).read_bytes(), "lacks wn_aot_guest"), (wno.library(), "")):
        data = aot.pack(code, manifest)
        (tmp_path / "bad.wno").write_bytes(data)
        for cache in (False, tmp_path / "cache"):
            with on(data, cache) as host, pytest.raises(ModuleError, match=f"bad.wno: .*{text}"):
                host.load(tmp_path / "bad.wno")


def test_by_a_key(plugin: bytes) -> None:
    private, public = new_key()
    with Host(Policy(native=Native(keys=[public]), stdout=Capture())) as host:
        assert output(host, sign("x", plugin, private)) == b"hello\n"
        with pytest.raises(PolicyError):
            host.load(plugin)


# ---- limits ----


def test_a_deadline(plugin: bytes) -> None:
    loop = compiled(LOOP)
    with on(loop) as host, host.load(loop).instantiate() as instance:
        with pytest.raises(Timeout):
            instance.run(timeout=0.05)
        with pytest.raises(InstanceDead):
            instance.run()


def test_what_was_compiled_without_interrupts() -> None:
    """A deadline that cannot be kept is not taken."""
    plain = compiled(hello(), checks=False)
    with on(plain) as host:
        module = host.load(plain)
        assert "interrupt" not in module.caps
        assert output(host, plain) == b"hello\n"
        with module.instantiate() as instance, pytest.raises(EngineError, match="compiled without checks"):
            instance.run(timeout=5)


def test_fuel() -> None:
    plain, counted = compiled(LOOP), compiled(LOOP, fuel=True)
    with Host(allowing(plain, counted, limits=Limits(fuel=1000))) as host:
        with host.load(plain) as module, pytest.raises(PolicyError) as caught:
            module.instantiate()
        fix = "was compiled without a count of fuel; wasi-native compile --fuel makes one with it"
        assert str(caught.value) == f"Policy.limits.fuel: <bytes> {fix}"
        module = host.load(counted)
        assert "fuel" in module.caps
        with module.instantiate() as instance:
            with pytest.raises(LimitExceeded, match="fuel"):
                instance.run()
            assert instance.usage.fuel == 0


def test_a_closed_host(plugin: bytes) -> None:
    host = on(plugin, engine="fake")
    module = host.load(plugin)
    instance = module.instantiate()
    host.close()
    with pytest.raises(RuntimeError, match="the host is closed"):
        host.load(plugin)
    assert instance.run() == 0 and instance.stdout == b"hello\n"
    instance.close()
    module.close()

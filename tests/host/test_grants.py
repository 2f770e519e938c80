"""grants.py: what a policy grants is opened for one guest, and closed with it."""

from __future__ import annotations

import gc
import io
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import E, fake_module, open_fds
from wasi_native import (
    Capture,
    Clock,
    Dial,
    Dir,
    File,
    Fixed,
    Host,
    Limits,
    Listen,
    MemoryDir,
    Offset,
    Policy,
    PolicyError,
    Random,
    TempDir,
)


def names(g: Any, fd: int) -> list[str]:
    err, entries = g.list(fd)
    assert err == 0
    return sorted(name for name, _, _ in entries if name not in (".", ".."))


def test_everything_at_once(guest: Any, tmp_path: Path) -> None:
    (tmp_path / "ro").mkdir()
    (tmp_path / "ro" / "r").write_text("r")
    (tmp_path / "one").write_text("1")
    before = open_fds()
    with socket.create_server(("127.0.0.1", 0)) as server:
        policy = Policy(
            program="prog",
            args=("a",),
            env={"K": "v"},
            dirs=[
                Dir(tmp_path / "rw", "/rw", create=True),
                Dir(tmp_path / "ro", "/ro", read_only=True),
                MemoryDir("/mem"),
                TempDir("/tmp"),
            ],
            files=[File(tmp_path / "one", "/etc/one"), File("/dev/null", "/dev/null", device=True)],
            stdin=io.BytesIO(b"in"),
            stdout=Capture(),
            stderr=None,
            listen=[Listen("tcp://127.0.0.1:0"), Listen(f"unix://{tmp_path}/s")],
            dial=[Dial(f"tcp://127.0.0.1:{server.getsockname()[1]}")],
            clocks=Clock(realtime=Fixed(5), monotonic=Offset(10**15)),
            random=Random(1),
        )
        g = guest(policy)
        preopens = {}
        for fd in range(3, 20):
            if g.fd_prestat_get(fd, 0) == 0:
                length = g.memory.u32(4)
                assert g.fd_prestat_dir_name(fd, 64, length) == 0
                preopens[g.memory.read(64, length).decode()] = fd
        assert preopens == {"/rw": 3, "/ro": 4, "/mem": 5, "/tmp": 6, "/etc": 7, "/dev": 8}
        assert (
            names(g, 4) == ["r"] and names(g, 7) == ["one"] and names(g, 8) == ["null"] and names(g, 6) == []
        )
        assert g.open("x", dir=4, oflags=1)[0] in {E.ROFS, E.NOTCAPABLE}
        for fd in (3, 5, 6):
            assert g.open("x", dir=fd, oflags=1)[0] == 0
        assert [g.fd_fdstat_get(fd, 64) or g.memory.u8(64) for fd in (9, 10, 11)] == [6, 6, 6]
        assert len(g.instance.listening) == 2 and g.instance.listening[1] == f"{tmp_path}/s"
        assert (tmp_path / "s").exists() and (tmp_path / "rw" / "x").exists()
        temporary = g.instance._grants._temporary[0]
        assert os.listdir(temporary) == ["x"] and os.stat(temporary).st_mode & 0o777 == 0o700
        g.close()
    assert open_fds() == before and not os.path.exists(temporary) and not (tmp_path / "s").exists()
    assert (tmp_path / "rw" / "x").exists()


def refused(policy: Policy, text: str) -> None:
    fds = open_fds()
    with Host(engine="fake", board="generic-x86_64") as host, host.load(fake_module(1)) as module:
        with pytest.raises(PolicyError, match=text):
            module.instantiate(policy)
        assert host.instances == 0
        gc.collect()
    assert open_fds() == fds


def test_what_cannot_be_granted_is_named_with_its_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dir").mkdir()
    os.mkfifo(tmp_path / "fifo")
    none = tmp_path / "none"
    refused(Policy(dirs=[Dir(none)]), r"Policy.dirs\[0\].host: .*none.*create=True")
    refused(
        Policy(dirs=[MemoryDir("/m"), Dir(tmp_path / "file", "/f")]),
        r"Policy.dirs\[1\].host: .*not a directory",
    )
    refused(Policy(dirs=[Dir(tmp_path / "file" / "x", create=True)]), "cannot be made")
    refused(Policy(files=[File(none)]), r"Policy.files\[0\].host: .*there is no such file")
    refused(Policy(files=[File("/dev/null")]), "device=True")
    refused(Policy(files=[File(tmp_path / "fifo", device=True)]), r"Policy.files\[0\].host")
    refused(Policy(files=[File(tmp_path / "dir")]), r"Policy.files\[0\].host")
    refused(
        Policy(dirs=[Dir(tmp_path, "/d")], files=[File("/etc/hostname", "/d/x")]),
        "lies in the granted directory",
    )
    refused(
        Policy(listen=[Listen("tcp://192.0.2.1:80")]),
        r"Policy.listen\[0\]: cannot listen on tcp://192.0.2.1:80: ",
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused(Policy(dial=[Dial(f"tcp://127.0.0.1:{port}")]), r"Policy.dial\[0\]: cannot connect to")
    refused(Policy(dial=[Dial("unix:///nowhere/at/all")]), "cannot connect to")


def test_limits_too_small_for_the_grants(tmp_path: Path) -> None:
    refused(Policy(limits=Limits(fds=2)), "raise Limits.fds")
    refused(Policy(dirs=[MemoryDir("/a"), MemoryDir("/b")], limits=Limits(fds=4)), "raise Limits.fds")
    refused(
        Policy(dirs=[Dir(tmp_path, "/a"), MemoryDir("/b")], limits=Limits(dirs=1)), "raise Limits.fds, dirs"
    )
    refused(
        Policy(
            listen=[Listen("tcp://127.0.0.1:0"), Listen(f"unix://{tmp_path}/s")], limits=Limits(sockets=1)
        ),
        "sockets",
    )
    assert not (tmp_path / "s").exists()


def test_overlap_that_only_the_host_s_links_show(tmp_path: Path) -> None:
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("d")
    refused(
        Policy(dirs=[Dir(tmp_path / "d", "/a"), Dir(tmp_path / "link", "/b")]),
        "overlap: .*allow_overlap=True",
    )
    refused(
        Policy(dirs=[Dir(tmp_path / "link", "/a"), Dir(tmp_path / "d/sub", "/b", read_only=True)]), "overlap"
    )


def test_a_failure_removes_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    refused(Policy(dirs=[TempDir("/t")], files=[File(tmp_path / "none")]), "files")
    assert list(tmp_path.iterdir()) == []


def test_defaults_of_limits_reach_the_directories(guest: Any, tmp_path: Path) -> None:
    limits = Limits(disk_bytes=100, inodes=3)
    g = guest(Policy(dirs=[Dir(tmp_path, "/d"), MemoryDir("/m"), TempDir("/t", quota=5)], limits=limits))
    for fd, room in ((3, 100), (4, 100), (5, 5)):
        assert [g.on_path("path_create_directory", f"d{i}", dir=fd) for i in range(3)][:2] == [0, 0]
        err, file = g.open("f", dir=fd, oflags=1)
        if err:
            assert err == E.DQUOT
            assert g.on_path("path_remove_directory", "d0", dir=fd) == 0
            err, file = g.open("f", dir=fd, oflags=1)
        assert err == 0 and g.write(file, b"x" * 300) == (0, room)
        assert g.write(file, b"x")[0] in {E.DQUOT, E.NOSPC}


def test_inherited_streams(capfd: pytest.CaptureFixture[str], guest: Any) -> None:
    sys.stdout.write("python first, ")
    g = guest(Policy(stdin="inherit", stdout="inherit", stderr="inherit"))
    assert g.write(1, b"then the guest\n") == (0, 15) and g.write(2, b"error\n") == (0, 6)
    out, err = capfd.readouterr()
    assert out == "python first, then the guest\n" and err == "error\n"


def test_streams_that_python_has_lost(guest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def flush(self) -> None:
            raise ValueError("closed")

    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr(sys, "stderr", None)
    g = guest(Policy(stdout="inherit", stderr="inherit"))
    assert g.write(1, b"") == g.write(2, b"") == (0, 0)


def test_names_of_the_host_s_bytes(guest: Any, tmp_path: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff")
    os.mkdir(odd)
    g = guest(Policy(dirs=[Dir(odd, "/o")]))
    assert g.open("f", oflags=1)[0] == 0 and os.listdir(os.fsencode(odd)) == [b"f"]

"""Names and numbers: the checks that every field goes through."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from wasi_native.errors import PolicyError
from wasi_native.policy import (
    Dir,
    File,
    Listen,
    Policy,
    TempDir,
)


def refused(text: str, make: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        make(*args, **kwargs)
    assert text in str(caught.value), str(caught.value)


def test_args_and_env() -> None:
    undecodable = os.fsdecode(b"\xff")
    assert Policy(args=[undecodable], env={"A": undecodable}).args == (undecodable,)
    refused("Policy.args: 'one' is one str; write a list of strings", Policy, args="one")
    refused("Policy.args: 5 has the type int; write a list of strings", Policy, args=5)
    refused("Policy.args[1]: 7 has the type int; write a string", Policy, args=["a", 7])
    refused("Policy.args[0]: 'a\\x00b' holds a NUL character; remove it", Policy, args=["a\0b"])
    refused("Policy.args[0]: '\\ud800' cannot be encoded as UTF-8", Policy, args=["\ud800"])
    refused("Policy.program: 'a\\x00' holds a NUL character", Policy, program="a\0")
    refused("Policy.env: 'A=B' is not a name; write one without '='", Policy, env={"A=B": "c"})
    refused("Policy.env: '' is not a name", Policy, env={"": "c"})
    refused("Policy.env: 'A\\x00' holds a NUL", Policy, env={"A\0": "c"})
    refused("Policy.env: 1 has the type int; write a string", Policy, env={1: "c"})
    refused("Policy.env.PORT: 80 has the type int; write a string", Policy, env={"PORT": 80})
    refused("Policy.env.A: 'x\\x00' holds a NUL", Policy, env={"A": "x\0"})
    refused("Policy.env: ['A=1'] is not a mapping; write a dictionary", Policy, env=["A=1"])


@pytest.mark.parametrize(
    ("host", "guest"),
    [("/srv/data", "/data"), ("data/", "/data"), (".", "."), ("./", "."), ("a/..", "."), ("a/b/../c", "/c")],
)
def test_default_guest(host: str, guest: str) -> None:
    assert Dir(host).guest == guest
    assert Dir(pathlib.Path("x") / "y").host == os.path.join("x", "y")


def test_guest_names() -> None:
    for guest in ("/", "/a", "/a/b", ".", "/ü", "/a b"):
        assert Dir("h", guest).guest == guest
    refused("Dir.guest: 'data' is not absolute; write '/data' or '.'", Dir, "h", "data")
    refused("Dir.guest: '' is not absolute; write '/' or '.'", Dir, "h", "")
    refused("Dir.guest: '/a/' is not in its shortest form; write '/a'", Dir, "h", "/a/")
    refused("Dir.guest: '//a' is not in its shortest form; write '/a'", Dir, "h", "//a")
    refused("Dir.guest: '/../a' is not in its shortest form; write '/a'", Dir, "h", "/../a")
    refused("Dir.guest: '/a\\x00' holds a NUL", Dir, "h", "/a\0")
    refused("Dir.guest: '/\\udcff' cannot be encoded as UTF-8", Dir, "h", "/\udcff")
    refused("Dir.guest: the name is longer than 4096 bytes", Dir, "h", "/" + "a" * 4096)
    refused("Dir.guest: 5 has the type int; write a string", Dir, "h", 5)
    refused("Dir.guest: the host path '/' has no last name to take; write guest='/name'", Dir, "/")
    refused("Dir.guest: the host path '..' has no last name", Dir, "..")
    refused("File.guest: the host path '.' has no last name", File, ".")
    refused("File.guest: '.' is not absolute; write '/'", File, "h", ".")
    refused("File.guest: '/' does not name a file", File, "h", "/")
    refused("MemoryDir.guest: 'tmp' is not absolute; write '/tmp'", Dir.memory, "tmp")
    refused("TempDir.guest: 'tmp' is not absolute; write '/tmp'", TempDir, "tmp")


def test_host_paths_and_flags() -> None:
    assert Dir(os.fsdecode(b"\xff"), "/x").host == os.fsdecode(b"\xff")
    refused("Dir.host: the path is empty; write '.'", Dir, "", "/x")
    refused("Dir.host: 'a\\x00' holds a NUL", Dir, "a\0", "/x")
    refused("Dir.host: 3 has the type int; write a path", Dir, 3, "/x")
    refused("File.host: None has the type NoneType; write a path", File, None, "/x")
    refused("Dir.read_only: 'no' is not a truth value; write True or False", Dir, "h", read_only="no")
    refused("Dir.create: 1 is not a truth value", Dir, "h", create=1)
    refused("File.device: 1 is not a truth value", File, "h", device=1)
    refused("Policy.allow_overlap: 0 is not a truth value", Policy, allow_overlap=0)
    refused("Dir.quota: 0 is out of range; write an integer from 1", Dir, "h", quota=0)
    refused("Dir.quota: True is not a whole number", Dir, "h", quota=True)
    refused("Dir.inodes: 1.5 is not a whole number", Dir, "h", inodes=1.5)
    refused("Dir.max_file_size: -1 is out of range", Dir, "h", max_file_size=-1)
    refused("MemoryDir.size: '1' is not a whole number", Dir.memory, "/t", size="1")
    refused("TempDir.quota: 9223372036854775808 is out of range", Dir.temporary, "/t", quota=2**63)


def test_wrong_grants_are_named() -> None:
    refused(
        "Policy.dirs[0]: 'data' has the type str; write Dir or MemoryDir or TempDir", Policy, dirs=["data"]
    )
    refused("Policy.dirs: 'data' is one str; write a list of Dir", Policy, dirs="data")
    refused("Policy.files[1]: Dir(", Policy, files=[File("a"), Dir("b")])
    refused("Policy.listen[0]: 'tcp://a:1' has the type str; write Listen", Policy, listen=["tcp://a:1"])
    refused(
        "Policy.dial[0]: Listen(url='tcp://a:1') has the type Listen; write Dial",
        Policy,
        dial=[Listen("tcp://a:1")],
    )
    refused("Policy.limits: 5 is not a Limits; write Limits(...)", Policy, limits=5)
    refused("Policy.clocks: 'system' is not a Clock", Policy, clocks="system")

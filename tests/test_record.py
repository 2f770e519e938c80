"""Records behave as standard frozen dataclasses do."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any

import pytest

from wasi_native.errors import PolicyError
from wasi_native.policy import (
    INHERIT,
    Capture,
    Clock,
    Dial,
    Dir,
    File,
    Limits,
    Listen,
    MemoryDir,
    Offset,
    Policy,
    Random,
)
from wasi_native.record import dataclass as record


def refused(text: str, make: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        make(*args, **kwargs)
    assert text in str(caught.value), str(caught.value)


def full(**more: Any) -> Policy:
    return Policy(
        program="app",
        args=["-v", "x y"],
        env={"TOKEN": "hunter2"},
        dirs=[
            Dir("/srv/a", "/a", quota=1 << 20),
            MemoryDir("/tmp", size=3),
            Dir.temporary("/spool", quota=4096),
        ],
        files=[File("/dev/ttyS0", read_only=False, device=True)],
        stdin=b"secret data",
        stdout=Capture(),
        stderr=INHERIT,
        listen=[Listen("tcp://127.0.0.1:8080?nodelay=1")],
        dial=[Dial("unix:///run/x.sock")],
        clocks=Clock(realtime=5, monotonic=Offset(7)),
        random=Random(4242),
        limits=Limits(memory=16 << 20, wall_time=0.5, fds=64),
        **more,
    )


def test_policies_are_values() -> None:
    one, two = full(), full()
    strange: Any = "something else"
    assert one == two and hash(one) == hash(two) and one != Policy()
    assert one != strange
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.deepcopy(one) == one
    assert dataclasses.is_dataclass(one)
    assert [item.name for item in dataclasses.fields(one)][:3] == ["program", "args", "env"]
    assert dataclasses.asdict(one)["limits"]["fds"] == 64
    changed = dataclasses.replace(one, args=["z"])
    assert changed.args == ("z",) and changed.dirs == one.dirs
    assert pickle.loads(pickle.dumps(Listen("tcp://a:1?backlog=4"))).backlog == 4


def test_policies_are_frozen() -> None:
    policy = full()
    with pytest.raises(dataclasses.FrozenInstanceError, match="args"):
        policy.args = ()  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="args"):
        del policy.args
    with pytest.raises(AttributeError):
        policy.nonsense = 1  # type: ignore[attr-defined]
    changes: tuple[Any, ...] = (
        lambda env: env.update(A="b"),
        lambda env: env.__setitem__("A", "b"),
        lambda env: env.pop("TOKEN"),
        lambda env: env.clear(),
        lambda env: env.__ior__({"A": "b"}),
    )
    for change in changes:
        with pytest.raises(TypeError, match="frozen"):
            change(policy.env)
    source = ["a"]
    policy = Policy(args=source)
    source.append("b")
    assert policy.args == ("a",)
    data = bytearray(b"abc")
    policy = Policy(stdin=data)  # type: ignore[arg-type]
    data[0] = 0
    assert policy.stdin == b"abc"


def test_signatures_read_like_dataclasses() -> None:
    assert "read_only" in inspect.signature(Dir).parameters
    assert Dir.__match_args__ == ("host", "guest")
    with pytest.raises(TypeError, match="unexpected keyword argument 'read_onyl'"):
        Dir("a", read_onyl=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
        Dir("a", "/b", True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="missing 1 required argument: 'guest'"):
        MemoryDir()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="multiple values for argument 'host'"):
        Dir("a", host="b")  # type: ignore[misc]


def test_only_frozen_slots() -> None:
    with pytest.raises(TypeError, match="a record is frozen and has slots"):
        record(frozen=False, slots=True)


def test_without_defaults() -> None:
    assert not hasattr(Dir("a"), "__dict__")
    with pytest.raises(TypeError, match="missing 1 required argument: 'host'"):
        Dir()  # type: ignore[call-arg]
    assert "host='a'" in repr(Dir("a")) and repr(Random(3)) == "Random()"

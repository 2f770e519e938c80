"""resources.py: guests' resources that Python holds, and Python's that guests hold; both end once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.host.world import COUNTERS, SENSOR
from wasi_native import ComponentInstance, Host, InstanceBusy, InstanceDead, Trap


class Sensor:
    live = 0

    def __init__(self, name: str) -> None:
        self.name = name
        type(self).live += 1

    def read_all(self) -> list[int]:
        return [len(self.name), 20, 30]

    @staticmethod
    def count() -> int:
        return 100

    def close(self) -> None:
        type(self).live -= 1


class Device:
    """The interface test:dev/sensor."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.Sensor = type("Sensor", (Sensor,), {"live": 0})

    def log(self, text: str) -> None:
        self.told.append(text)

    def describe(self, s: Any) -> dict[str, Any]:
        return {"value": 1.5, "unit": s.name}


@pytest.fixture
def counters(host: Host) -> Iterator[ComponentInstance]:
    with host.load_component(COUNTERS) as component, component.instantiate() as made:
        yield made


@pytest.fixture
def device() -> Device:
    return Device()


def sensors(host: Host, device: Device, **more: Any) -> ComponentInstance:
    provide = {"test:dev/sensor@0.1.0": device, "notify": lambda n: n * 2 if n else None} | more
    with host.load_component(SENSOR) as component:
        return component.instantiate(provide=provide)


def test_a_guests_resource_ends_once(counters: ComponentInstance) -> None:
    api = counters.exports["test:own/counters"]
    counter = api.Counter(7)
    assert repr(counter) == "<Counter 7>"
    counter.close()
    counter.close()
    assert counters.exports["dropped"]() == 7 and repr(counter) == "<Counter closed>"
    with pytest.raises(
        ValueError, match=r"Counter\.plus\(\): argument self: this Counter is closed, or was given away"
    ):
        counter.plus(1)


def test_methods_are_there_before_anybody_asks_for_the_interface(counters: ComponentInstance) -> None:
    counter = counters.call("test:own/counters#[constructor]counter", 5)
    assert counter.plus(1) == 6 and type(counter) is counters.exports["test:own/counters"].Counter


def test_what_is_given_away_is_gone(counters: ComponentInstance) -> None:
    api = counters.exports["test:own/counters"]
    counter = api.Counter(7)
    with pytest.raises(TypeError, match="takes 1 arguments"):
        api.take_over(counter, 1)
    assert counter.plus(1) == 8  # a call that was not made took nothing
    assert api.take_over(counter) == 7
    with pytest.raises(ValueError, match="given away"):
        api.take_over(counter)
    counter.close()
    assert counters.exports["dropped"]() == 0


def test_a_resource_belongs_to_its_instance(host: Host, counters: ComponentInstance) -> None:
    with host.load_component(COUNTERS).instantiate() as other:
        theirs = other.exports["test:own/counters"].Counter(1)
        api = counters.exports["test:own/counters"]
        for wrong in (theirs, None, 3):
            with pytest.raises(TypeError, match="a Counter of this instance is needed"):
                api.take_over(wrong)
        assert theirs.plus(1) == 2


def test_closing_with_the_instance(host: Host) -> None:
    made = host.load_component(COUNTERS).instantiate()
    counter = made.exports["test:own/counters"].Counter(1)
    made.close()
    counter.close()
    with pytest.raises(InstanceDead):
        made.exports["test:own/counters"].Counter(1)


def test_an_interface_in_python(host: Host, device: Device) -> None:
    with sensors(host, device) as guest:
        assert guest.exports["run"](1) == 5 + 3 + 100
        assert device.told == ["front"] and device.Sensor.live == 0  # type: ignore[attr-defined]
        assert [guest.exports["tell"](n) for n in (0, 4)] == [0, 1008]


def test_pythons_resource_comes_back_as_itself(host: Host, device: Device) -> None:
    with sensors(host, device) as guest:
        kept = guest.exports["keep"]()
        assert type(kept) is device.Sensor and kept.name == "front"
        assert device.Sensor.live == 1  # type: ignore[attr-defined]  # it is ours again, and nobody dropped it


def test_host_provide_serves_all_that_come(host: Host, device: Device) -> None:
    host.provide("test:dev/sensor", device)
    host.provide("notify", lambda n: n)
    component = host.load_component(SENSOR)
    with component.instantiate() as guest:
        assert guest.exports["tell"](5) == 1005
    with component.instantiate(provide={"notify": lambda n: None}) as guest:
        assert guest.exports["tell"](5) == 0


def test_an_exception_of_ours_passes_unchanged(host: Host, device: Device) -> None:
    class Stop(Exception):
        pass

    def stop(_n: int) -> int:
        raise Stop

    with sensors(host, device, notify=stop) as guest:
        with pytest.raises(Stop):
            guest.exports["tell"](1)
        assert guest.end == "host"
        with pytest.raises(InstanceDead):
            guest.exports["run"](1)


def test_what_ours_returns_is_checked(host: Host, device: Device) -> None:
    with sensors(host, device, notify=lambda n: "x") as guest, pytest.raises(TypeError) as caught:
        guest.exports["tell"](1)
    assert str(caught.value) == "notify: what it returned cannot be passed on: an integer is needed, not str"


def test_calling_back_into_the_guest_that_waits(host: Host, device: Device) -> None:
    inside: list[Any] = []

    def again(n: int) -> int:
        guest.exports["tell"](0)
        return n

    with (
        sensors(host, device, notify=again) as guest,
        pytest.raises(Trap, match="cannot enter component instance"),
    ):
        guest.exports["tell"](1)
    assert inside == []


def test_a_handle_is_not_lost_while_another_thread_calls(host: Host) -> None:
    """Its owner drops it later."""
    inside, leave = threading.Event(), threading.Event()
    counter = None

    def hold(n: int) -> None:
        inside.set()
        assert leave.wait(60)

    text = COUNTERS.replace("(component", '(component (import "hold" (func $hold (param "n" u32)))', 1)
    tail = """(core func $hold' (canon lower (func $hold)))
      (core module $H (import "" "hold" (func $h (param i32))) (func (export "go") (call $h (i32.const 1))))
      (core instance $h (instantiate $H (with "" (instance (export "hold" (func $hold'))))))
      (func (export "go") (canon lift (core func $h "go"))))"""
    text = text.rstrip()[:-1] + tail
    with host.load_component(text) as component, component.instantiate(provide={"hold": hold}) as made:
        counter = made.exports["test:own/counters"].Counter(7)
        worker = threading.Thread(target=made.call, args=("go",))
        worker.start()
        assert inside.wait(60)
        with pytest.raises(InstanceBusy):
            counter.close()
        leave.set()
        worker.join()
        assert counter.plus(1) == 8
        counter.close()
        assert made.call("dropped") == 7

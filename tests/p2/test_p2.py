"""What every row of WASI 0.2 does before its handler: it looks at handles, cases and the place of the result."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.p2.driver import CANARY, HEAP, driver_wat, functions
from wasi_native import Host, Module, Trap

NOWHERE = 0xABCDEF  # no handle, and no address of the two pages
OF_HANDLES = sorted(name for name in functions() if "#[method]" in name or "#[resource-drop]" in name)
OF_PLACES = sorted(
    name
    for name, (_module, params, results) in functions().items()
    if name not in OF_HANDLES and params and not results and not name.endswith("#exit-with-code")
)


@pytest.fixture(scope="module")
def module() -> Iterator[Module]:
    """Imports all of it."""
    with Host() as host:
        made = host.load(driver_wat(*{module for module, _params, _results in functions().values()}).encode())
        made.instantiate().close()  # the ticker is there from here on
        yield made
        made.close()
    gc.collect()  # the file of its code is closed before another test looks at what is open


def ends(module: Module, name: str, *args: int) -> str:
    """The reason of the trap; nothing below the heap has changed."""
    instance = module.instantiate()
    instance.memory.write(0, bytes([CANARY]) * HEAP)
    with pytest.raises(Trap) as caught:
        instance.call(name, *args)
    assert bytes(instance.memory.read(0, HEAP)) == bytes([CANARY]) * HEAP
    instance.close()
    caught.value.__traceback__ = None  # its frames hold the instance, and that the module
    return str(caught.value)


def test_all_rows_are_here() -> None:
    assert len(OF_HANDLES) > 100 and len(OF_PLACES) > 15


@pytest.mark.parametrize("name", OF_HANDLES)
def test_a_handle_that_nobody_gave(module: Module, name: str) -> None:
    _module, params, _results = functions()[name]
    assert f"unknown handle index {NOWHERE}" in ends(module, name, NOWHERE, *[0] * (len(params) - 1))


@pytest.mark.parametrize("name", OF_PLACES)
def test_a_place_outside_of_memory(module: Module, name: str) -> None:
    _module, params, _results = functions()[name]
    assert ends(module, name, *[NOWHERE] * len(params))

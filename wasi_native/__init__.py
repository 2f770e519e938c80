"""WASI for small Linux machines: untrusted wasm plugins at the price of a native system call.

    from wasi_native import Dir, Host, Policy

    with Host(Policy(dirs=[Dir("data")])) as host:
        instance = host.load("plugin.wasm").instantiate()
        code = instance.run()

Names are imported when they are first used, so that ``import wasi_native`` costs next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

_HOMES = {
    "board": ("Board",),
    "errors": (
        "AotError",
        "BoardError",
        "Cancelled",
        "EngineError",
        "EngineMissing",
        "Exit",
        "InstanceBusy",
        "InstanceDead",
        "LimitExceeded",
        "LinkError",
        "ModuleError",
        "PolicyError",
        "Timeout",
        "Trap",
        "WasiError",
    ),
    "component.values": ("Err", "Ok", "Some"),
    "host": (
        "Call",
        "Extern",
        "Host",
        "HostFunction",
        "Instance",
        "Isolation",
        "Memory",
        "Module",
        "Usage",
        "run",
    ),
    "host.component": ("Component", "WorldItem"),
    "host.component_instance": ("ComponentInstance",),
    "policy": (
        "Allow",
        "CLOSED",
        "INHERIT",
        "NULL",
        "Capture",
        "Clock",
        "Dial",
        "Dir",
        "File",
        "Fixed",
        "Limits",
        "Listen",
        "MemoryDir",
        "Native",
        "Offset",
        "Policy",
        "Random",
        "TempDir",
    ),
    "trace": ("Stats", "Tracer"),
}
_WHERE = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_WHERE)]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .board import *
    from .component.values import *
    from .errors import *
    from .host import *
    from .host.component import *
    from .host.component_instance import *
    from .policy import *
    from .trace import *


def __getattr__(name: str) -> object:
    home = _WHERE.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

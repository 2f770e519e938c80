"""The host: the only Python room above the seam. ``Host`` -> ``Module`` -> ``Instance``; :mod:`.grants` opens what a
policy grants, :mod:`.endings` says how guests end."""

from __future__ import annotations

from .callbacks import Call
from .guest import Usage
from .host import Host, run
from .instance import Instance
from .isolation import Isolation
from .memory import Memory
from .module import Extern, HostFunction, Module

__all__ = [
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
]

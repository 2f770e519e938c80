"""Resources on the Python side: objects of yours that guests hold, and guests' that you hold."""

from __future__ import annotations

from ..component.link import Provided
from ..component.reflect import class_name
from ..errors import InstanceBusy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..component.items import Resource

__all__ = ["Handle", "Resources", "Values"]


class Handle:
    """A resource of a guest: its methods are those of the class. A context manager; :meth:`close` drops it."""

    __slots__ = ("_own", "_rep")
    _resource: Resource
    _home: Resources
    _rep: int | None
    _own: bool

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{cls.__name__} has no constructor: the guest gives it out")

    def close(self) -> None:
        """Drop it, the guest's destructor included, unless the guest was given it back. Idempotent. InstanceBusy,
        and it is still there: another thread calls the guest."""
        rep, self._rep = self._rep, None
        if rep is not None and self._own:
            try:
                self._home.destroy(self._resource, rep)
            except InstanceBusy:
                self._rep = rep
                raise

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closed' if self._rep is None else self._rep}>"


class Resources:
    """Of one instance. ``destroy(resource, rep)`` runs a guest's destructor.

    Around each call: ``begin()`` and ``end()``; ``kept()`` between them when a value was wrong.
    """

    def __init__(self, destroy: Callable[[Resource, int], None]) -> None:
        self.destroy = destroy
        self.classes: dict[Resource, type[Handle]] = {}
        self.given: dict[Resource, Provided] = {}
        self._whole: set[Resource] = set()  # whose classes have their methods
        self._objects: dict[int, Any] = {}
        self._next = 1
        self._call = Values()
        self.attach: Callable[[], object] = list

    def class_of(self, resource: Resource) -> type[Handle]:
        """The class of a guest's resource."""
        found = self.classes.get(resource)
        if found is None:
            space = {"__slots__": (), "_resource": resource, "_home": self}
            found = self.classes[resource] = type(class_name(resource.name), (Handle,), space)
        return found

    # ---- while values move ----

    def give(self, resource: Resource, value: Any, own: bool) -> int:
        """The representation of an object that goes into the guest."""
        if resource in self.given:
            rep = self._next
            self._next += 1
            self._objects[rep] = value
            if not own:
                self._call.lent.append(rep)
            return rep
        if not isinstance(value, Handle) or value._resource is not resource or value._home is not self:
            wanted = (
                self.classes[resource].__name__ if resource in self.classes else class_name(resource.name)
            )
            raise TypeError(f"a {wanted} of this instance is needed, not {type(value).__name__}")
        if value._rep is None:
            raise ValueError(f"this {type(value).__name__} is closed, or was given away")
        if own and not value._own:
            raise ValueError(f"this {type(value).__name__} is borrowed and cannot be given away")
        rep = value._rep
        if own:
            self._call.moved.append((value, rep))
            value._rep = None
        return rep

    def take(self, resource: Resource, rep: int, own: bool) -> Any:
        """The object that a guest gives out."""
        if resource in self.given:
            return self._objects.pop(rep) if own else self._objects[rep]
        if resource not in self._whole and self.attach is not list:
            self._whole.add(resource)
            self.attach()  # its methods are those of the interface that exports them
        made = object.__new__(self.class_of(resource))
        made._rep, made._own = rep, own
        if not own:
            self._call.borrowed.append(made)
        return made

    def begin(self) -> Values:
        """A call begins; what it returns is for the end of it."""
        outer, self._call = self._call, Values()
        return outer

    def sent(self) -> None:
        """The guest runs: what was given away is gone."""
        self._call.moved = []

    def kept(self) -> None:
        """A value was wrong and nothing was given away after all."""
        for handle, rep in self._call.moved:
            handle._rep = rep
        self._call.moved = []

    def returned(self) -> None:
        """A function of yours has returned: what it was lent is no longer its own."""
        for handle in self._call.borrowed:
            handle._rep = None
        self._call.borrowed = []

    def end(self, outer: Values) -> None:
        """The call is over: what was lent for it, either way, is so no longer."""
        for rep in self._call.lent:
            self._objects.pop(rep, None)
        for handle in self._call.borrowed:
            handle._rep = None
        self._call = outer

    def dropped(self, rep: int) -> None:
        """The guest dropped an object of yours; its ``close`` is called, where it has one."""
        value = self._objects.pop(rep, None)
        close = getattr(value, "close", None)
        if callable(close):
            close()


class Values:
    """What a call moves: handles ``moved`` with what they stood for, objects ``lent`` to the guest, handles that the
    guest ``borrowed`` to us."""

    __slots__ = ("borrowed", "lent", "moved")

    def __init__(self) -> None:
        self.moved: list[tuple[Handle, int]] = []
        self.lent: list[int] = []
        self.borrowed: list[Handle] = []

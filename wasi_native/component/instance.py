"""Instances of components: the definitions are interpreted in order, once per instance, and that is all.

Each definition adds one item to an index space (see :mod:`.items`); what has an effect is a core module that is
instantiated, and what is left in the end are the items behind the names of exports. A component is a closure over the
scope around it; a resource is a new object each time that its definition is met. Nothing here moves values: calls
go through canonical functions, which :mod:`.functions` makes of the core's.

A component of a file may make others over and over, so there is a limit to the instances of a tree, and to the
definitions that are interpreted for them.
"""

from __future__ import annotations

from ..errors import LinkError
from .census import DEPTH_MAX
from .core_module import KINDS, CoreModule
from .items import (
    Closure,
    CoreExport,
    Env,
    Func,
    InstanceItem,
    ModuleItem,
    Resource,
    ShimTable,
    Signature,
    Typed,
    bind_types,
    signature,
)
from .model import (
    Alias,
    Bag,
    Canon,
    CoreBag,
    CoreInstantiate,
    Export,
    FuncType,
    Import,
    Instantiate,
    ModuleDefinition,
    ResourceType,
    Subcomponent,
    TypeDefinition,
)
from .shim import elidable, fixup, shim
from .types import Function, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .functions import Functions
    from .link import Imports
    from .model import Component, Options, ValueType

    Item = tuple[str, Any]

__all__ = ["INSTANCES_MAX", "Scope", "Tree"]

INSTANCES_MAX = 10_000  # of components, and of core modules, in one tree
_STEPS_MAX = 1_000_000  # definitions and exports


class Scope:
    """The index spaces of one component instance while it is made. ``comp``: its state in the core."""

    __slots__ = ("comp", "component", "env", "given", "outer", "spaces", "unmade")

    def __init__(self, component: Component, outer: Scope | None, given: dict[str, Item]) -> None:
        self.component, self.outer, self.given = component, outer, given
        self.env: Env = Env(outer.env if outer is not None else None)
        self.spaces: dict[str, list[Any]] = {}
        self.comp: Any = None  # _core.Comp
        self.unmade: frozenset[int] = frozenset()  # core instances that are shims or fixups and are not made

    def push(self, sort: str, item: Any) -> None:
        self.spaces.setdefault(sort, []).append(item)

    def get(self, sort: str, index: int) -> Any:
        return self.spaces[sort][index]


class Tree:
    """The instances that are made of one component, from the root down.

    ``functions`` makes what is the core's; ``imports`` gives what the root imports. After :meth:`make`, ``exports``
    holds the items behind the root's names.
    """

    def __init__(self, component: Component, functions: Functions, imports: Imports) -> None:
        self.component, self.functions, self.imports = component, functions, imports
        self.table = Table()
        self.exports: dict[str, Item] = {}
        self.made = self.cores = self.elided = self._steps = self._depth = 0
        self._signatures: dict[tuple[FuncType, int], Signature] = {}
        self._envs: list[Env] = []  # whose ids are keys

    def make(self) -> None:
        """Make the root and all that it makes. LinkError, Trap, and whatever a start function ended with."""
        self.exports = self._component(Scope(self.component, None, {}), None).exports

    def signature(self, type: FuncType, env: Env) -> Signature:
        """A function's type as ``env`` sees it."""
        key = (type, id(env))
        found = self._signatures.get(key)
        if found is None:
            found = self._signatures[key] = signature(type, env, self.table)
            self._envs.append(env)
        return found

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _STEPS_MAX:
            raise LinkError(
                f"{self.component.name}: making an instance takes more than {_STEPS_MAX} definitions"
            )

    def _component(self, scope: Scope, parent: Scope | None) -> InstanceItem:
        component = scope.component
        self.made += 1
        if self.made > INSTANCES_MAX:
            raise LinkError(f"{self.component.name}: more than {INSTANCES_MAX} component instances")
        self._spend(len(component.definitions))
        scope.comp = self.functions.comp(parent.comp if parent is not None else None)
        scope.unmade = elidable(component)
        exports: dict[str, Item] = {}
        for made in component.definitions:
            if isinstance(made, Export):
                item = scope.get(made.sort, made.index)
                if made.sort == "func":
                    item = self._exported(made, item, scope)
                elif isinstance(item, Resource) and not item.name:
                    item.name = made.name
                scope.push(made.sort, item)
                exports[made.name] = (made.sort, item)
            else:
                _MAKERS[type(made)](self, made, scope)
        return InstanceItem(exports)

    def _exported(self, made: Export, item: Func, scope: Scope) -> Func:
        """A function by the type that its export tells, which may have other names in it."""
        told: FuncType = made.extern.type
        signed, step = item.signature, made.extern.type
        while step is not None:
            if step is signed.type:
                return item
            step = step.of
        signed = Signature(told, scope.env, signed.function, signed.resources)
        return Func(item.how, signed, item.made, item.interface, item.name)

    # ---- what is there, and names of it ----

    def _module(self, made: ModuleDefinition, scope: Scope) -> None:
        scope.push("core module", ModuleItem(made.module))

    def _subcomponent(self, made: Subcomponent, scope: Scope) -> None:
        scope.push("component", Closure(made.component, scope))

    def _type(self, made: TypeDefinition, scope: Scope) -> None:
        if made.sort != "type":
            return  # core types are the decoder's alone
        type = made.type
        if isinstance(type, ResourceType):
            destructor = None if type.destructor is None else scope.get("core func", type.destructor)
            scope.env.bound[type] = self.functions.resource(scope.comp, destructor)
            scope.push("type", scope.env.bound[type])
        else:
            scope.push("type", Typed(type, scope.env))  # type: ignore[arg-type]

    def _alias(self, made: Alias, scope: Scope) -> None:
        if made.how == "outer":
            place: Scope | None = scope
            for _ in range(made.count):
                assert place is not None
                place = place.outer
            if made.sort != "core type":
                assert place is not None
                scope.push(made.sort, place.get(made.sort, made.index))
        elif made.how == "export":
            item = scope.get("instance", made.index).exports[made.name][1]
            scope.push(made.sort, item)
            if made.type is not None:
                scope.env.bound[made.type] = item
        else:
            scope.push(made.sort, scope.get("core instance", made.index)[made.name])

    def _import(self, made: Import, scope: Scope) -> None:
        extern = made.extern
        if scope.outer is None and scope.component is self.component:
            item = self.imports.get(made.name, extern, scope.env, self)
        else:
            _sort, item = scope.given[made.name]
            self._fits(made, item, scope)
        if extern.sort == "type":
            scope.env.bound[extern.type] = item
        elif extern.sort == "instance":
            bind_types(scope.env, extern.type.exports, item.exports)
        scope.push(extern.sort, item)

    def _fits(self, made: Import, item: Any, scope: Scope) -> None:
        """What was given speaks of the resources that are asked for; sorts and shapes the decoder has held."""
        extern = made.extern
        if extern.sort == "instance":
            env = Env(scope.env)
            bind_types(env, extern.type.exports, item.exports)
            self._spend(len(extern.type.exports))
            right = all(
                self._speaks(inner.type, env, item.exports[name][1])
                for name, inner in extern.type.exports.items()
                if inner.sort == "func" and inner.type.least < _FREE
            )
        elif extern.sort == "func":
            right = extern.type.least >= _FREE or self._speaks(extern.type, scope.env, item)
        else:
            expected = scope.env.find(extern.type.of) if extern.sort == "type" and extern.type.of else None
            right = not isinstance(expected, Resource) or expected is item
        if not right:
            raise LinkError(
                f"{self.component.name}: what is given for {made.name!r} speaks of other resources than are asked for"
            )

    def _speaks(self, type: FuncType, env: Env, item: Func) -> bool:
        return signature(type, env, self.table).same(item.signature)

    # ---- instances ----

    def _instantiate(self, made: Instantiate, scope: Scope) -> None:
        closure: Closure = scope.get("component", made.component)
        given = {name: (sort, scope.get(sort, index)) for name, sort, index in made.args}
        self._spend(len(given))
        if self._depth >= DEPTH_MAX:
            raise LinkError(
                f"{self.component.name}: instances that make instances are more than {DEPTH_MAX} deep"
            )
        self._depth += 1
        scope.push("instance", self._component(Scope(closure.component, closure.outer, given), scope))
        self._depth -= 1

    def _bag(self, made: Bag, scope: Scope) -> None:
        self._spend(len(made.exports))
        scope.push(
            "instance",
            InstanceItem({name: (sort, scope.get(sort, index)) for name, sort, index in made.exports}),
        )

    def _core_bag(self, made: CoreBag, scope: Scope) -> None:
        self._spend(len(made.exports))
        scope.push("core instance", {name: scope.get(sort, index) for name, sort, index in made.exports})

    def _core_instantiate(self, made: CoreInstantiate, scope: Scope) -> None:
        module = scope.get("core module", made.module).module
        given = {name: scope.get("core instance", index) for name, index in made.args}
        if len(scope.spaces.get("core instance", ())) in scope.unmade:
            self.elided += 1
            exports = self._elided(module, given, scope.comp)
        else:
            self.cores += 1
            if self.cores > INSTANCES_MAX:
                raise LinkError(f"{self.component.name}: more than {INSTANCES_MAX} core instances")
            self._spend(len(module.imports) + len(module.exports))
            instance = self.functions.instantiate(module, given, scope.comp)
            exports = {
                name: CoreExport(instance, name, KINDS[kind]) for name, (kind, _) in module.exports.items()
            }
        scope.push("core instance", exports)

    def _elided(self, module: CoreModule, given: dict[str, dict[str, Any]], comp: Any) -> dict[str, Any]:
        """A shim becomes functions that are bound later, a fixup binds them."""
        found = shim(module)
        if found is not None:
            slots: dict[int, list[Any]] = {}
            exports: dict[str, Any] = {}
            for name, slot in found.slots.items():
                known = module.signature(module.exports[name][1])
                assert known is not None
                exports[name] = made = self.functions.late(comp, *known)
                slots.setdefault(slot, []).append(made)
            return {**exports, found.table: ShimTable(slots)}
        fix = fixup(module)
        assert fix is not None
        table = given[fix.table[0]][fix.table[1]]
        for slot, (space, name) in fix.fills:
            for late in table.slots.get(slot, ()):
                self.functions.bind(late, given[space][name])
        return {}

    # ---- canonical definitions ----

    def _canon(self, made: Canon, scope: Scope) -> None:
        functions = self.functions
        if made.name == "lift":
            signed = self.signature(made.type, scope.env)  # type: ignore[arg-type]
            core = scope.get("core func", made.index)
            absent = functions.absent(core)
            if absent:
                scope.push("func", Func("absent", signed, absent))
                return
            found = self._options(made.options, scope)
            result = self._result(signed.type.result, scope) if found["is_async"] else None
            lifted = functions.lift(signed, result, core, found, scope.comp)
            scope.push("func", Func("lift", signed, lifted))
        elif made.name == "lower":
            func: Func = scope.get("func", made.index)
            if func.how == "absent":
                scope.push(
                    "core func", functions.async_builtin("a lifted function", 0, made.core, scope.comp)
                )
                return
            scope.push("core func", functions.lower(func, self._options(made.options, scope), scope.comp))
        elif made.name == "task.return":
            result = self._result(made.type, scope)  # type: ignore[arg-type]
            found = self._options(made.options, scope)
            scope.push("core func", functions.task_return(result, made.core, found, scope.comp))
        elif made.name.startswith("resource."):
            resource = scope.get("type", made.index)
            scope.push("core func", functions.resource_builtin(made.name, resource, scope.comp))
        else:
            scope.push("core func", functions.async_builtin(made.name, made.index, made.core, scope.comp))

    def _result(self, result: ValueType | None, scope: Scope) -> Signature:
        """A type of results, as that of an async function without parameters."""
        layout = Function((), (), None if result is None else result.value, True)
        return signature(FuncType((), result, True, layout), scope.env, self.table)

    def _options(self, options: Options | None, scope: Scope) -> dict[str, Any]:
        """Canonical options, with what their indices name."""
        assert options is not None
        found: dict[str, Any] = {"encoding": options.encoding, "is_async": options.is_async}
        found["callback"] = options.callback is not None
        for name, sort in _OPTIONS:
            index = getattr(options, name)
            found[name] = None if index is None else scope.get(sort, index)
        return found


_FREE = 1 << 62
_OPTIONS = (("memory", "core memory"), ("realloc", "core func"), ("post_return", "core func"))
_MAKERS: dict[type, Any] = {
    ModuleDefinition: Tree._module,
    Subcomponent: Tree._subcomponent,
    TypeDefinition: Tree._type,
    Alias: Tree._alias,
    Import: Tree._import,
    Instantiate: Tree._instantiate,
    Bag: Tree._bag,
    CoreBag: Tree._core_bag,
    CoreInstantiate: Tree._core_instantiate,
    Canon: Tree._canon,
}

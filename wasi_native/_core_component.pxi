# Components at the seam: see wasi_native/component.h. The C objects of a tree of components belong to the tree, which
# frees them in the order that they need; the Python objects point to it, so that there are no circles.

cdef enum: OWN_COMP, OWN_TYPE, OWN_FUNC, OWN_LIFTED, OWN_INSTANCE

RESOURCE_NEW, RESOURCE_REP, RESOURCE_DROP = WN_RESOURCE_NEW, WN_RESOURCE_REP, WN_RESOURCE_DROP
TASK_CANCEL, CONTEXT_GET, CONTEXT_SET = WN_TASK_CANCEL, WN_CONTEXT_GET, WN_CONTEXT_SET
BACKPRESSURE_INC, BACKPRESSURE_DEC = WN_BACKPRESSURE_INC, WN_BACKPRESSURE_DEC


@cython.no_gc_clear  # as in Instance
cdef class _Tree:
    cdef Sys sys
    cdef list owned  # (kind, address, what must live as long), in the order of their making
    cdef list keep  # what must live as long as all of them

    def __cinit__(self, Sys sys):
        self.sys, self.owned, self.keep = sys, [], []

    cdef own(self, int kind, uintptr_t address, object also=None):
        self.owned.append((kind, address, also))

    cdef free(self):
        cdef uintptr_t address
        while self.owned:
            kind, address, _ = self.owned.pop()
            if kind == OWN_INSTANCE:
                wn_instance_delete(<wn_instance_t *>address)
            elif kind == OWN_FUNC:
                wn_canon_func_delete(<wn_canon_func_t *>address)
            elif kind == OWN_LIFTED:
                wn_lifted_delete(<wn_lifted_t *>address)
            elif kind == OWN_TYPE:
                wn_rt_delete(<wn_rt_t *>address)
            else:
                wn_comp_delete(<wn_comp_t *>address)
        self.keep = []

    def __dealloc__(self):
        self.free()


cdef class Comp:
    """An instance of a component; without a parent the root of a tree, which owns all that is made for it."""

    cdef wn_comp_t *ptr
    cdef _Tree tree
    cdef readonly Comp parent
    cdef list children

    def __cinit__(self, Sys sys not None, Comp parent=None):
        if parent is not None:
            parent.alive()
        self.parent = parent
        self.tree = _Tree(sys) if parent is None else parent.tree
        sys.alive()
        check(wn_comp_new(sys.ptr, NULL if parent is None else parent.ptr, &self.ptr))
        self.tree.own(OWN_COMP, <uintptr_t>self.ptr)
        self.children = []
        if parent is not None:
            parent.children.append(self)

    @property
    def sys(self):
        return self.tree.sys

    cdef int alive(self) except -1:
        if self.ptr == NULL:
            raise ValueError("the component is closed")
        return 0

    cdef wn_instance_t *core(self, Instance instance) except NULL:
        """A core instance of this tree: of another one it could go before what uses it."""
        if instance is None or instance.comp is None or instance.comp.tree is not self.tree:
            raise ValueError("a core instance of another component")
        return instance.live()

    cdef int has(self, Comp other) except -1:
        self.alive()
        if other.tree is not self.tree:
            raise ValueError("of another component")
        return 0

    cdef bint take(self) except -1:
        """True: its world is taken now, to be dropped. False: this thread has it already. Raises Busy."""
        cdef uintptr_t me = wn_thread_me()
        self.alive()
        if wn_owner_get(&self.tree.sys.owner) == me:
            return False
        if not wn_owner_take(&self.tree.sys.owner, me):
            raise Busy("another thread uses this instance")
        if self.ptr == NULL:
            wn_owner_drop(&self.tree.sys.owner)
            raise ValueError("the component is closed")
        return True

    cdef forget(self):
        cdef Comp child
        for child in self.children:
            child.forget()
        self.ptr, self.children = NULL, []

    def close(self):
        """Of the root: free the tree and its world; False while a call is under way."""
        if self.ptr == NULL:
            return True
        if self.parent is not None:
            raise ValueError("a component closes with the one around it")
        if not wn_owner_take(&self.tree.sys.owner, wn_thread_me()):
            return False
        self.forget()
        self.tree.free()
        self.tree.sys.close()
        wn_owner_drop(&self.tree.sys.owner)
        return True


cdef class _Drop:
    cdef object function
    cdef Sys sys


cdef wn_err_t drop_python(void *ctx, uint32_t rep) noexcept with gil:
    cdef _Drop drop = <_Drop>ctx
    try:
        drop.function(rep)
        return 0
    except BaseException as error:
        return drop.sys.keep(error)


cdef class ResourceType:
    """A type of resource: of a component; with ``drop`` (called with the representation) of the embedder; or by
    ``wasi``, interface and name, of WASI."""

    cdef const wn_rt_t *ptr
    cdef wn_rt_t *made
    cdef readonly Comp comp

    def __cinit__(self, Comp comp not None, drop=None, bint host=False, tuple wasi=None):
        cdef _Drop callback
        cdef wn_rt_drop_fn_t function = NULL
        comp.alive()
        self.comp = comp
        if wasi is not None:
            self.ptr = wn_rt_wasi(span(wasi[0]), span(wasi[1]))
            if self.ptr == NULL:
                raise ValueError(f"WASI has no resource {wasi[1].decode()!r} in {wasi[0].decode()!r}")
            return
        if drop is None and not host:
            check(wn_rt_new(comp.ptr, &self.made))
            comp.tree.own(OWN_TYPE, <uintptr_t>self.made)
        else:
            callback = _Drop.__new__(_Drop)
            callback.function, callback.sys = drop, comp.tree.sys
            if drop is not None:
                function = drop_python
            check(wn_rt_new_host(comp.tree.sys.ptr, function, <void *>callback, &self.made))
            comp.tree.own(OWN_TYPE, <uintptr_t>self.made, callback)
        self.ptr = self.made

    def set_destructor(self, Instance instance, bytes name):
        self.comp.alive()
        if self.made == NULL:
            raise ValueError("WASI's own resources have no destructor of a component's")
        check(wn_rt_set_destructor(self.made, self.comp.core(instance), span(name)))

    def drop(self, uint32_t rep, uint64_t deadline=0, bint signals=False):
        """(verdict, message): an owner outside has dropped it, the destructor runs."""
        cdef wn_message_t message
        cdef int err
        cdef bint outermost = self.comp.take()
        blank(&message)
        try:
            if outermost:
                self.comp.tree.sys.begin(deadline, signals)
            with nogil:
                err = wn_rt_drop(self.ptr, rep, &message)
        finally:
            if outermost:
                self.comp.tree.sys.finish()
        return err, message_text(&message)


cdef int fill_options(wn_canon_config_t *out, Comp comp, options) except -1:
    """``options``: (memory's instance, its name, realloc's instance, its name, encoding), or None."""
    cdef Instance memory, realloc
    memset(out, 0, sizeof(out[0]))
    comp.alive()
    out.comp = comp.ptr
    if options is None:
        return 0
    memory, memory_name, realloc, realloc_name, out.encoding = options
    if memory is not None:
        out.memory, out.memory_name = comp.core(memory), span(memory_name)
    if realloc is not None:
        out.realloc, out.realloc_name = comp.core(realloc), span(realloc_name)
    return 0


@cython.no_gc_clear
cdef class Plan:
    """The types of a function, from the bytes that component.plan makes of them."""

    cdef const wn_plan_t *ptr
    cdef bytes data

    def __cinit__(self, bytes data not None):
        self.data = data
        check(wn_plan_load(PyBytes_AsString(data), len(data), &self.ptr))

    @property
    def letters(self):
        """Parameters and results of the core function that is lifted, then of the one that is lowered."""
        cdef wn_plan_info_t info
        wn_plan_get_info(self.ptr, &info)
        return (info.lift_params.decode(), info.lift_results.decode(), info.lower_params.decode(),
                info.lower_results.decode())


cdef int fill_signature(wn_signature_t *out, const wn_rt_t **types, Plan plan, tuple resources,
                        Comp comp) except -1:
    """``types``: room for the resources, which are copied before it goes."""
    cdef ResourceType rt
    out.plan, out.resources, out.resource_count = plan.ptr, types, len(resources)
    for i, rt in enumerate(resources):
        comp.has(rt.comp)
        types[i] = rt.ptr
    return 0


cdef class Lifted:
    """A function of a component, as those outside of it call it."""

    cdef wn_lifted_t *ptr
    cdef readonly Comp comp

    def __cinit__(self, Comp comp not None, Plan plan not None, tuple resources not None, Instance instance,
                  bytes name, options=None, Instance post_return=None, bytes post_return_name=b"",
                  returned=None, bint callback=False, bint waits=False):
        """``returned``: the number of the result's type, for one that is lifted async; ``waits``: of an async type."""
        cdef wn_lift_config_t config
        cdef const wn_rt_t **types = <const wn_rt_t **>PyMem_Malloc((len(resources) + 1) * sizeof(wn_rt_t *))
        memset(&config, 0, sizeof(config))
        try:
            if types == NULL:
                raise MemoryError()
            fill_options(&config.options, comp, options)
            fill_signature(&config.signature, types, plan, resources, comp)
            config.instance, config.name = comp.core(instance), span(name)
            if post_return is not None:
                config.post_return, config.post_return_name = comp.core(post_return), span(post_return_name)
            config.callback, config.waits = callback, waits
            if returned is not None:
                config.options.is_async, config.returned = True, returned
            check(wn_lifted_new(&config, &self.ptr))
        finally:
            PyMem_Free(types)
        self.comp = comp
        comp.tree.own(OWN_LIFTED, <uintptr_t>self.ptr, plan)

    def call(self, bytes params, uint64_t deadline=0, bint signals=False):
        """(verdict, message, result): streams of values; ``deadline`` and ``signals`` as for Instance.call."""
        cdef wn_values_t given, result
        cdef wn_message_t message
        cdef int err
        cdef uint8_t room[512]
        cdef bint outermost = self.comp.take()
        blank(&message)
        wn_values_init(&given, PyBytes_AsString(params), len(params), NULL)
        given.used = len(params)
        wn_values_init(&result, room, sizeof(room), wn_comp_arena(self.comp.ptr))
        try:
            if outermost:
                self.comp.tree.sys.begin(deadline, signals)
            with nogil:
                err = wn_lifted_call(self.ptr, &given, &result, &message)
            if err == WN_EBUSY:
                raise Busy("a stream or signal function may not call the guest that waits for it")
            if err:
                return err, message_text(&message) or error_text(err), None
            return 0, "", PyBytes_FromStringAndSize(<const char *>result.bytes, <Py_ssize_t>result.used)
        finally:
            wn_values_deinit(&result)
            if outermost:
                self.comp.tree.sys.finish()

    def invoke(self, Lane lane, args, uint64_t deadline=0, bint signals=False):
        """The same with Python's own values, as ``lane`` has them."""
        cdef wn_values_t given, result
        cdef wn_message_t message
        cdef int err
        cdef uint8_t rooms[2][512]
        cdef wn_arena_t *arena
        cdef bint outermost = self.comp.take()
        blank(&message)
        arena = wn_comp_arena(self.comp.ptr)
        wn_values_init(&given, rooms[0], sizeof(rooms[0]), arena)
        wn_values_init(&result, rooms[1], sizeof(rooms[1]), arena)
        given.lends = True
        result.lends = lane.answers_bytes()
        try:
            if outermost:
                self.comp.tree.sys.begin(deadline, signals)
            lane.put_params(args, &given)
            with nogil:
                err = wn_lifted_call(self.ptr, &given, &result, &message)
            if err == WN_EBUSY:
                raise Busy("a stream or signal function may not call the guest that waits for it")
            if err:
                return err, message_text(&message) or error_text(err), None
            try:
                return 0, "", lane.get_result(&result)
            except CoreError as error:
                return error.code, error.limit, None
        finally:
            wn_values_deinit(&given)
            wn_values_deinit(&result)
            if outermost:
                self.comp.tree.sys.finish()

    def end(self):
        """(verdict, exit code, limit) of the component: verdict 0 while it can be called."""
        cdef wn_end_t end
        self.comp.alive()
        wn_lifted_get_end(self.ptr, &end)
        return end.err, end.exit_code, None if end.limit == NULL else end.limit.decode()


cdef class _Host:
    cdef object function
    cdef Lane lane
    cdef Sys sys


cdef wn_err_t host_python(void *ctx, wn_comp_t *caller, wn_values_t *params, wn_values_t *result) noexcept with gil:
    cdef _Host host = <_Host>ctx
    cdef bytes answer
    cdef wn_err_t err = 0
    cdef uint8_t *at
    try:
        if host.lane is not None:
            value = host.function(*host.lane.get_params(params))
            try:
                host.lane.put_result(value, result)
            except (TypeError, ValueError, OverflowError) as error:
                raise type(error)(f"{host.function.__name__}: what it returned cannot be passed on: {error}") from None
            return 0
        answer = host.function(PyBytes_FromStringAndSize(<const char *>params.bytes, <Py_ssize_t>params.used))
        at = wn_values_put(result, len(answer), &err)
        if err == 0:
            memcpy(at, PyBytes_AsString(answer), len(answer))
        return err
    except CoreError as error:
        return error.code if error.code < 0 else host.sys.keep(error)
    except BaseException as error:
        return host.sys.keep(error)


cdef class CanonFunc:
    """A core function that a component's core modules import; bound once, before or after they are instantiated."""

    cdef wn_canon_func_t *ptr
    cdef readonly Comp comp

    def __cinit__(self, Comp comp not None, bytes module, bytes name, str params, str results):
        comp.alive()
        self.comp = comp
        check(wn_canon_func_new(comp.ptr, module, name, params.encode(), results.encode(), &self.ptr))
        comp.tree.own(OWN_FUNC, <uintptr_t>self.ptr)

    def bind_row(self, bytes module, bytes name, options=None):
        cdef wn_canon_config_t config
        fill_options(&config, self.comp, options)
        check(wn_canon_func_bind_row(self.ptr, span(module), span(name), &config))

    def bind_call(self, Lifted lifted not None, options=None, bint is_async=False):
        cdef wn_canon_config_t config
        fill_options(&config, self.comp, options)
        config.is_async = is_async
        self.comp.has(lifted.comp)
        check(wn_canon_func_bind_call(self.ptr, lifted.ptr, &config))

    def bind_return(self, Plan plan not None, tuple resources not None, uint32_t returned, options=None):
        """To task.return of a result whose type has this number."""
        cdef wn_canon_config_t config
        cdef wn_signature_t signature
        cdef const wn_rt_t **types = <const wn_rt_t **>PyMem_Malloc((len(resources) + 1) * sizeof(wn_rt_t *))
        try:
            if types == NULL:
                raise MemoryError()
            fill_options(&config, self.comp, options)
            fill_signature(&signature, types, plan, resources, self.comp)
            check(wn_canon_func_bind_return(self.ptr, &signature, returned, &config))
        finally:
            PyMem_Free(types)
        self.comp.tree.keep.append(plan)

    def bind_host(self, Plan plan not None, tuple resources not None, function, options=None, Lane lane=None,
                  bint is_async=False):
        """``function`` takes the parameters and gives the result: streams, or Python's own values with a lane; or it
        is the address of a wn_component_fn_t."""
        cdef wn_component_fn_t fn = host_python
        cdef wn_canon_config_t config
        cdef wn_signature_t signature
        cdef _Host host = _Host.__new__(_Host)
        cdef const wn_rt_t **types = <const wn_rt_t **>PyMem_Malloc((len(resources) + 1) * sizeof(wn_rt_t *))
        host.function, host.lane, host.sys = function, lane, self.comp.tree.sys
        try:
            if types == NULL:
                raise MemoryError()
            fill_options(&config, self.comp, options)
            fill_signature(&signature, types, plan, resources, self.comp)
            config.is_async = is_async
            if isinstance(function, int):
                fn = <wn_component_fn_t><uintptr_t>function
            check(wn_canon_func_bind_host(self.ptr, &signature, fn, <void *>host, &config))
        finally:
            PyMem_Free(types)
        self.comp.tree.keep.append((plan, host))

    def bind_resource(self, uint32_t what, ResourceType rt not None):
        self.comp.has(rt.comp)
        check(wn_canon_func_bind_resource(self.ptr, what, rt.ptr))

    def bind_task(self, uint32_t what, uint32_t index=0):
        """To context.get or .set ``index``, backpressure.inc or .dec, task.cancel."""
        check(wn_canon_func_bind_task(self.ptr, what, index))

    def bind_same(self, CanonFunc other not None):
        self.comp.has(other.comp)
        check(wn_canon_func_bind_same(self.ptr, other.ptr))

    def bind_core(self, Instance instance, bytes name):
        self.comp.alive()
        check(wn_canon_func_bind_core(self.ptr, self.comp.core(instance), span(name)))


cdef list fill_bindings(wn_binding_t *out, bindings, Comp comp):
    """Per import: None (by name), (Instance, name of its export), or a CanonFunc. What must live as long."""
    cdef Instance instance
    cdef CanonFunc func
    kept = []
    for i, item in enumerate(bindings):
        memset(&out[i], 0, sizeof(out[i]))
        if isinstance(item, CanonFunc):
            func = item
            comp.has(func.comp)
            out[i].kind, out[i].func = WN_BIND_FUNC, func.ptr
        elif item is not None:
            instance, name = item
            kept.append(name)
            out[i].kind, out[i].instance, out[i].name = WN_BIND_EXPORT, comp.core(instance), span(name)
    return kept

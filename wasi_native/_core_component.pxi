# Components at the seam: see wasi_native/component.h. The C objects of a tree of components belong to the tree, which
# frees them in the order that they need; the Python objects point to it, so that there are no circles.

cdef enum: OWN_COMP, OWN_TYPE, OWN_FUNC, OWN_INSTANCE

RESOURCE_NEW, RESOURCE_REP, RESOURCE_DROP = WN_RESOURCE_NEW, WN_RESOURCE_REP, WN_RESOURCE_DROP


@cython.no_gc_clear  # as in Instance
cdef class _Tree:
    cdef Sys sys
    cdef list owned  # (kind, address, what must live as long), in the order of their making

    def __cinit__(self, Sys sys):
        self.sys, self.owned = sys, []

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
            elif kind == OWN_TYPE:
                wn_rt_delete(<wn_rt_t *>address)
            else:
                wn_comp_delete(<wn_comp_t *>address)

    def __dealloc__(self):
        self.free()


cdef class Comp:
    """An instance of a component; without a parent the root of a tree, which owns all that is made for it."""

    cdef wn_comp_t *ptr
    cdef _Tree tree
    cdef readonly Comp parent
    cdef list children

    def __cinit__(self, Sys sys, Comp parent=None):
        if parent is not None:
            parent.alive()
        self.parent = parent
        self.tree = _Tree(sys) if parent is None else parent.tree
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
    """A type of resource: of a component, or with ``drop`` (called with the representation) of the embedder."""

    cdef const wn_rt_t *ptr
    cdef wn_rt_t *made
    cdef readonly Comp comp

    def __cinit__(self, Comp comp, drop=None, bint host=False):
        cdef _Drop callback
        cdef wn_rt_drop_fn_t function = NULL
        comp.alive()
        self.comp = comp
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
        check(wn_rt_set_destructor(self.made, instance.ptr, span(name)))


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
        out.memory, out.memory_name = memory.ptr, span(memory_name)
    if realloc is not None:
        out.realloc, out.realloc_name = realloc.ptr, span(realloc_name)
    return 0


cdef class CanonFunc:
    """A core function that a component's core modules import; bound once, before or after they are instantiated."""

    cdef wn_canon_func_t *ptr
    cdef readonly Comp comp

    def __cinit__(self, Comp comp, bytes module, bytes name, str params, str results):
        comp.alive()
        self.comp = comp
        check(wn_canon_func_new(comp.ptr, module, name, params.encode(), results.encode(), &self.ptr))
        comp.tree.own(OWN_FUNC, <uintptr_t>self.ptr)

    def bind_row(self, bytes module, bytes name, options=None):
        cdef wn_canon_config_t config
        fill_options(&config, self.comp, options)
        check(wn_canon_func_bind_row(self.ptr, span(module), span(name), &config))

    def bind_resource(self, uint32_t what, ResourceType rt):
        self.comp.alive()
        check(wn_canon_func_bind_resource(self.ptr, what, rt.ptr))

    def bind_same(self, CanonFunc other):
        self.comp.alive()
        check(wn_canon_func_bind_same(self.ptr, other.ptr))

    def bind_core(self, Instance instance, bytes name):
        self.comp.alive()
        check(wn_canon_func_bind_core(self.ptr, instance.ptr, span(name)))


cdef list fill_bindings(wn_binding_t *out, bindings):
    """Per import: None (by name), (Instance, name of its export), or a CanonFunc. What must live as long."""
    cdef Instance instance
    cdef CanonFunc func
    kept = []
    for i, item in enumerate(bindings):
        memset(&out[i], 0, sizeof(out[i]))
        if isinstance(item, CanonFunc):
            func = item
            func.comp.alive()
            out[i].kind, out[i].func = WN_BIND_FUNC, func.ptr
        elif item is not None:
            instance, name = item
            kept.append(name)
            out[i].kind, out[i].instance, out[i].name = WN_BIND_EXPORT, instance.ptr, span(name)
    return kept

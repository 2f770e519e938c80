# ---- functions of the embedder, and traces ----

cdef class _Function:
    cdef object function
    cdef str params, results
    cdef Sys sys


cdef wn_err_t call_python(void *ctx, wn_guest_t *guest, wn_value_t *values) noexcept with gil:
    cdef _Function f = <_Function>ctx
    cdef Py_ssize_t i
    try:
        args = [from_bits(values[i], f.params[i]) for i in range(len(f.params))]
        result = f.function(*args)
        if f.results:
            values[0] = to_bits(result, f.results[0])
        return 0
    except BaseException as error:
        return f.sys.keep(error)


cdef void trace_python(void *ctx, const wn_trace_call_t *call) noexcept with gil:
    cdef Instance instance = <Instance>ctx
    cdef uint32_t i
    try:
        instance.traced = call.guest
        instance.trace(
            instance,
            (call.module.decode(), call.name.decode(), call.params.decode(), call.results.decode(),
             call.param_names.decode(), tuple([call.args[i] for i in range(call.nargs)]),
             call.result if call.err == 0 and call.results[0] else None, call.err,
             error_name(call.err if call.err else <int>call.result), call.nanoseconds),
        )
    except BaseException as error:
        # The call is over and its verdict stands; the guest is ended at its next one.
        instance.sys.keep(error)
        wn_sys_cancel(instance.sys.ptr)
    finally:
        instance.traced = NULL


@cython.no_gc_clear  # the C side is freed before what it stands on, never after
cdef class Instance:
    """A guest. One thread at a time; cancel() from any."""

    cdef wn_instance_t *ptr
    cdef readonly Module module
    cdef readonly Sys sys
    cdef object trace  # called with us and the fields of host.Call
    cdef wn_guest_t *traced  # while that runs
    cdef list functions, siblings
    cdef readonly Comp comp  # whose core instance this is; then its tree owns ptr
    cdef readonly int users  # siblings that were made from this one and are alive
    cdef bint started

    def __cinit__(self, Module module, Sys sys, functions=(), trace=None, uint64_t deadline=0, bint signals=False,
                  siblings=(), Comp comp=None, Instance kin=None, bindings=None):
        cdef wn_instance_config_t config
        cdef wn_message_t message
        cdef int err
        cdef wn_host_func_t *funcs = NULL
        cdef wn_sibling_t *others = NULL
        cdef wn_binding_t *bound = NULL
        cdef Instance other
        cdef bint outermost
        memset(&config, 0, sizeof(config))
        blank(&message)
        self.module, self.sys, self.trace, self.functions, self.siblings = module, sys, trace, [], []
        config.sys, config.ctx = sys.ptr, <void *>self
        if comp is not None:
            comp.alive()
            self.comp, config.comp, config.kin = comp, comp.ptr, NULL if kin is None else comp.core(kin)
        if trace is not None:
            config.trace, config.trace_ctx = trace_python, <void *>self
        funcs = <wn_host_func_t *>PyMem_Malloc((len(functions) + 1) * sizeof(wn_host_func_t))
        others = <wn_sibling_t *>PyMem_Malloc((len(siblings) + 1) * sizeof(wn_sibling_t))
        try:
            if funcs == NULL or others == NULL:
                raise MemoryError()
            for i, item in enumerate(functions):
                self.fill_function(&funcs[i], item)
            for i, (name, other) in enumerate(siblings):
                text = name.encode()
                self.siblings.append((text, other))  # alive as long as we are: we use its code and memory
                others[i].module, others[i].instance = PyBytes_AsString(text), other.live()
            config.funcs, config.func_count = funcs, len(functions)
            config.siblings, config.sibling_count = others, len(siblings)
            if bindings is not None and comp is None:
                raise TypeError("bindings are of a component")
            if bindings is not None:
                bound = <wn_binding_t *>PyMem_Malloc((len(bindings) + 1) * sizeof(wn_binding_t))
                self.functions.append(fill_bindings(bound, bindings, comp))
                config.bindings, config.binding_count = bound, len(bindings)
            outermost = self.take()
            if outermost:
                sys.begin(deadline, signals)
            try:
                with nogil:
                    err = wn_instance_new(module.ptr, &config, &self.ptr, &message)
            finally:
                if outermost:
                    sys.finish()
            check(err, &message)
            if comp is not None:
                comp.tree.own(OWN_INSTANCE, <uintptr_t>self.ptr, [self.functions, self.siblings, module])
            for _, other in self.siblings:
                other.users += 1
        finally:
            PyMem_Free(funcs)
            PyMem_Free(others)
            PyMem_Free(bound)

    cdef int fill_function(self, wn_host_func_t *out, tuple item) except -1:
        cdef _Function f
        module, name, params, results, function, context = item
        # The encoded texts live as long as the instance does: the rows point to them.
        texts = [module.encode(), name.encode(), params.encode(), results.encode()]
        self.functions.append(texts)
        out.module, out.name = PyBytes_AsString(texts[0]), PyBytes_AsString(texts[1])
        out.params, out.results = PyBytes_AsString(texts[2]), PyBytes_AsString(texts[3])
        if isinstance(function, int):
            out.fn = <wn_host_fn_t><uintptr_t>function
            out.ctx = <void *><uintptr_t>context
            return 0
        f = _Function.__new__(_Function)
        f.function, f.params, f.results, f.sys = function, params, results, self.sys
        self.functions.append(f)
        out.fn, out.ctx = call_python, <void *>f
        return 0

    def __dealloc__(self):
        if self.ptr != NULL and self.comp is None:
            wn_instance_delete(self.ptr)

    def close(self):
        """Free the guest and all that it had open; False while a call is under way or siblings use it."""
        cdef Instance other
        if self.ptr == NULL:
            return True
        if self.comp is not None:
            raise ValueError("core instances of a component close with it")
        if self.users or not wn_owner_take(&self.sys.owner, wn_thread_me()):
            return False
        wn_instance_delete(self.ptr)
        self.ptr = NULL
        for _, other in self.siblings:
            other.users -= 1
        if not self.siblings:
            self.sys.close()
        wn_owner_drop(&self.sys.owner)
        self.siblings = []
        self.module = None
        return True

    cdef wn_instance_t *live(self) except NULL:
        if self.comp is not None and self.comp.ptr == NULL:
            self.ptr = NULL
        if self.ptr == NULL:
            raise ValueError("the instance is closed")
        return self.ptr

    cdef bint take(self) except -1:
        """True: taken now, to be dropped. False: this thread has it already. Raises Busy."""
        cdef uintptr_t me = wn_thread_me()
        if wn_owner_get(&self.sys.owner) == me:
            return False
        if not wn_owner_take(&self.sys.owner, me):
            raise Busy("another thread uses this instance")
        if self.comp is not None and self.comp.ptr == NULL:
            self.ptr = NULL
        if self.ptr == NULL and self.started:
            wn_owner_drop(&self.sys.owner)
            raise ValueError("the instance is closed")
        self.started = True
        return True

    def call(self, bytes name, tuple args, str params, str results, uint64_t deadline, bint signals):
        """(verdict, message, results): the export's results when the verdict is 0.

        ``deadline`` (absolute, monotonic, ns; 0: none) and ``signals`` count for the outermost call alone.
        """
        cdef wn_value_t values[VALUES_MAX]
        cdef wn_message_t message
        cdef int err
        cdef Py_ssize_t i
        cdef wn_str_t c_name = span(name)
        cdef size_t nparams = len(params), nresults = len(results)
        if nparams > VALUES_MAX or nresults > VALUES_MAX or <size_t>len(args) != nparams:
            raise TypeError(f"{len(params)} arguments are needed, not {len(args)}")
        for i in range(len(args)):
            values[i] = to_bits(args[i], params[i])
        cdef bint outermost = self.take()
        blank(&message)
        try:
            if outermost:
                self.sys.begin(deadline, signals)
            with nogil:
                err = wn_instance_call(self.ptr, c_name, values, nparams, nresults, &message)
        finally:
            if outermost:
                self.sys.finish()
        if err == WN_EBUSY:
            raise Busy(message_text(&message))
        if err:
            return err, message_text(&message), None
        return 0, "", [from_bits(values[i], results[i]) for i in range(len(results))]

    def cancel(self):
        if self.ptr != NULL and (self.comp is None or self.comp.ptr != NULL):
            wn_instance_cancel(self.ptr)

    def end(self):
        """(verdict, exit code, limit): verdict 0 while the guest can run."""
        cdef wn_end_t end
        wn_instance_get_end(self.live(), &end)
        return end.err, end.exit_code, None if end.limit == NULL else end.limit.decode()

    def traced_memory(self, uint32_t ptr, uint32_t length):
        """``length`` bytes of the traced guest's memory; None when outside, or after the trace function."""
        cdef void *at = NULL if self.traced == NULL else wn_guest_bytes(self.traced, ptr, length)
        return None if at == NULL else PyBytes_FromStringAndSize(<const char *>at, length)

    def fuel(self):
        return wn_instance_fuel(self.live())

    def memory(self, bytes name, uint64_t ptr=0, uint64_t length=0, bytes data=None):
        """(size, done) of an exported memory: done is ``length`` bytes at ``ptr``, or True when ``data`` was written
        there; None when that reaches outside, and then nothing is written."""
        cdef uint64_t size = 0
        cdef uint8_t *base = NULL
        cdef bint taken = self.take()
        try:
            check(wn_instance_memory(self.ptr, name, &base, &size))
            if data is not None:
                length = len(data)
            if ptr > size or length > size - ptr:
                return size, None
            if data is None:
                return size, PyBytes_FromStringAndSize(<const char *>base + ptr, <Py_ssize_t>length)
            memcpy(base + ptr, PyBytes_AsString(data), length)
            return size, True
        finally:
            if taken:
                wn_owner_drop(&self.sys.owner)

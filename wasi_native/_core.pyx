# cython: language_level=3, boundscheck=False, wraparound=False, embedsignature=False, binding=False
"""The seam between Python and the C core: one class per C noun, no policy, no comfort.

The GIL is released while a guest runs; callbacks take it back. An exception of a callback is kept on the Sys
of the guest and raised, unchanged, where the call returns.
"""

cimport cython
from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #include <pthread.h>
    #include <stdint.h>
    /* Who uses an instance: 0 or a thread. Atomic, so that a build without the GIL is served as well. */
    static inline int wn_owner_take(uintptr_t *owner, uintptr_t me) {
      uintptr_t none = 0;
      return __atomic_compare_exchange_n(owner, &none, me, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    }
    static inline uintptr_t wn_owner_get(uintptr_t *owner) { return __atomic_load_n(owner, __ATOMIC_ACQUIRE); }
    static inline void wn_owner_drop(uintptr_t *owner) { __atomic_store_n(owner, 0, __ATOMIC_RELEASE); }
    static inline uintptr_t wn_thread_me(void) { return (uintptr_t)pthread_self(); }
    """
    int wn_owner_take(uintptr_t *owner, uintptr_t me) nogil
    uintptr_t wn_owner_get(uintptr_t *owner) nogil
    void wn_owner_drop(uintptr_t *owner) nogil
    uintptr_t wn_thread_me() nogil

cdef enum:
    VALUES_MAX = 32

EXIT, TRAP_BOUNDS, TRAP_ALIGN, TRAP_ENGINE, HOST = WN_EXIT, WN_TRAP_BOUNDS, WN_TRAP_ALIGN, WN_TRAP_ENGINE, WN_HOST
CANCELLED, TIMEOUT, LIMIT, NOMEM = WN_CANCELLED, WN_TIMEOUT, WN_LIMIT, WN_NOMEM
INVALID, LINK, MISSING = WN_INVALID, WN_LINK, WN_MISSING


class CoreError(Exception):
    """A C function answered other than 0: ``code`` (an errno above 0, a verdict below), ``text``; of a guest
    that ended in its start section also ``exit_code`` and ``limit``."""

    def __init__(self, code, text, exit_code=0, limit=None):
        super().__init__(text or error_text(code))
        self.code, self.text, self.exit_code, self.limit = code, text, exit_code, limit


class Busy(Exception):
    """The instance is in use: by another thread, or by the call that this callback serves."""


def error_name(int code):
    return wn_err_name(code).decode()


def error_text(int code):
    return wn_err_text(code).decode()


cdef wn_str_t span(bytes data):
    cdef wn_str_t s
    s.ptr = PyBytes_AsString(data)
    s.len = len(data)
    return s


cdef str text_of(const char *text, size_t length):
    return PyBytes_FromStringAndSize(text, <Py_ssize_t>length).decode("utf-8", "replace")


cdef str message_text(wn_message_t *message):
    return (<bytes>message.text).decode("utf-8", "replace")


cdef void blank(wn_message_t *message) noexcept:
    message.err, message.text[0] = 0, 0
    memset(&message.end, 0, sizeof(message.end))


cdef int check(int err, wn_message_t *message=NULL) except -1:
    if err == 0:
        return 0
    if err == WN_NOMEM:
        raise MemoryError("the host is out of memory")
    if message == NULL:
        raise CoreError(err, "")
    limit = None if message.end.limit == NULL else message.end.limit.decode()
    raise CoreError(err, message_text(message), message.end.exit_code, limit)


def engine_names():
    """The engine adapters that are built in, best first."""
    names, index = [], 0
    while wn_engine_list(index) != NULL:
        names.append(wn_engine_list(index).decode())
        index += 1
    return names


def row_list():
    """What we serve: (module, name, params, results, param_names, group) per function."""
    cdef wn_row_info_t row
    rows, index = [], 0
    while wn_row_get(index, &row):
        rows.append((row.module.decode(), row.name.decode(), row.params.decode(), row.results.decode(),
                     row.param_names.decode(), row.group.decode()))
        index += 1
    return rows


cdef class FakeOs:
    """A kernel that counts calls and fails on demand, for tests."""

    cdef const wn_os_t *os

    def __cinit__(self):
        check(wn_os_fake_new(&self.os))

    def __dealloc__(self):
        if self.os != NULL:
            wn_os_fake_delete(self.os)

    def inject(self, str call, uint64_t nth=1, uint64_t times=1, int err=0, uint64_t short_bytes=0):
        check(wn_os_fake_inject(self.os, call.encode(), nth, times, err, short_bytes))

    def clear(self):
        wn_os_fake_clear(self.os)

    def count(self, str call="*"):
        return wn_os_fake_count(self.os, call.encode())


cdef class Engine:
    cdef wn_engine_t *ptr
    cdef FakeOs os

    def __cinit__(self, str name, path=None, uint64_t reservation=0, uint64_t guard=0, uint64_t wasm_stack=0,
                  uint32_t tick_ms=0, bint fuel=False, bint small_code=False, FakeOs os=None):
        cdef wn_engine_config_t config
        cdef wn_message_t message
        cdef bytes raw = None
        cdef const char *c_path = NULL
        memset(&config, 0, sizeof(config))
        blank(&message)
        config.reservation, config.guard, config.wasm_stack = reservation, guard, wasm_stack
        config.tick_ms, config.fuel, config.small_code = tick_ms, fuel, small_code
        self.os = os
        if os is not None:
            config.os = os.os
        if path is not None:
            raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
            c_path = PyBytes_AsString(raw)
        check(wn_engine_open(name.encode(), c_path, &config, &self.ptr, &message), &message)

    def __dealloc__(self):
        if self.ptr != NULL:
            with nogil:
                wn_engine_close(self.ptr)

    @property
    def caps(self):
        names, bits, index = [], wn_engine_caps(self.ptr), 0
        while wn_cap_name(index) != NULL:
            if bits >> index & 1:
                names.append(wn_cap_name(index).decode())
            index += 1
        return tuple(names)

    def wat(self, bytes text):
        cdef wn_message_t message
        cdef wn_str_t out
        blank(&message)
        check(wn_engine_wat(self.ptr, span(text), &out, &message), &message)
        try:
            return PyBytes_FromStringAndSize(out.ptr, <Py_ssize_t>out.len)
        finally:
            wn_bytes_free(out)

    def load(self, bytes wasm):
        cdef wn_message_t message
        cdef wn_str_t source = span(wasm)
        cdef Module module = Module.__new__(Module)
        cdef int err
        blank(&message)
        with nogil:
            err = wn_module_load(self.ptr, source, &module.ptr, &message)
        check(err, &message)
        module.engine = self
        return module

    def restore(self, str path):
        cdef wn_message_t message
        cdef Module module = Module.__new__(Module)
        blank(&message)
        check(wn_module_restore(self.ptr, path.encode("utf-8", "surrogateescape"), &module.ptr, &message), &message)
        module.engine = self
        return module


cdef tuple extern_tuple(wn_extern_t *e):
    return (text_of(e.module.ptr, e.module.len), text_of(e.name.ptr, e.name.len), e.kind, e.params.decode(),
            e.results.decode(), e.min, None if e.max == <uint64_t>-1 else e.max, bool(e.shared), bool(e.wide))


@cython.no_gc_clear  # the C side is freed before what it stands on, never after
cdef class Module:
    cdef wn_module_t *ptr
    cdef Engine engine

    def __dealloc__(self):
        if self.ptr != NULL:
            wn_module_delete(self.ptr)

    def imports(self):
        cdef wn_extern_t e
        out, index = [], 0
        while wn_module_import(self.ptr, index, &e):
            out.append(extern_tuple(&e))
            index += 1
        return out

    def exports(self):
        cdef wn_extern_t e
        out, index = [], 0
        while wn_module_export(self.ptr, index, &e):
            out.append(extern_tuple(&e))
            index += 1
        return out

    def serialize(self):
        cdef wn_message_t message
        cdef wn_str_t out
        blank(&message)
        check(wn_module_serialize(self.ptr, &out, &message), &message)
        try:
            return PyBytes_FromStringAndSize(out.ptr, <Py_ssize_t>out.len)
        finally:
            wn_bytes_free(out)


# ---- streams in Python ----

cdef class _Stream:
    """What a guest's stream is in Python: ``read(n)`` gives bytes, ``write(data)`` takes them."""

    cdef object read, write
    cdef Sys sys


cdef wn_err_t stream_read(void *ctx, void *buf, size_t length, size_t *done) noexcept with gil:
    cdef _Stream stream = <_Stream>ctx
    cdef bytes data
    try:
        got = stream.read(length)
        if got is None:
            return WN_EAGAIN  # a raw stream that has nothing now
        if not isinstance(got, (bytes, bytearray, memoryview)):
            raise TypeError(f"read({length}) of the guest's stdin gave a {type(got).__name__}, not bytes")
        data = bytes(got)
        if <size_t>len(data) > length:
            raise ValueError(f"read({length}) of the guest's stdin gave {len(data)} bytes")
        memcpy(buf, PyBytes_AsString(data), len(data))
        done[0] = len(data)
        return 0
    except BaseException as error:
        return stream.sys.keep(error)


cdef wn_err_t stream_write(void *ctx, const void *buf, size_t length) noexcept with gil:
    cdef _Stream stream = <_Stream>ctx
    cdef bytes data
    try:
        data = PyBytes_FromStringAndSize(<const char *>buf, <Py_ssize_t>length)
        while data:
            taken = stream.write(data)
            # A raw stream may take a part; None and whatever is no number mean that all is taken.
            if not isinstance(taken, int) or taken >= len(data):
                break
            if taken <= 0:
                raise ValueError(f"write() of the guest's output took {taken} bytes")
            data = data[taken:]
        return 0
    except BaseException as error:
        return stream.sys.keep(error)


cdef wn_err_t check_signals(void *ctx) noexcept with gil:
    cdef Sys sys = <Sys>ctx
    try:
        PyErr_CheckSignals()
        return 0
    except BaseException as error:
        return sys.keep(error)


@cython.no_gc_clear  # the C side is freed before what it stands on, never after
cdef class Sys:
    """The world of one guest; see wasi_native/sys.h."""

    cdef wn_sys_t *ptr
    cdef FakeOs os
    cdef object pending
    cdef list streams
    cdef uintptr_t owner  # the thread that runs in this world, 0: none

    def __cinit__(self, dict limits, uint32_t resolver=0, uint32_t file_mode=0, uint32_t dir_mode=0,
                  FakeOs os=None):
        cdef wn_sys_config_t config
        memset(&config, 0, sizeof(config))
        config.limits.memory_bytes = limits.get("memory_bytes", 0)
        config.limits.table_elements = limits.get("table_elements", 0)
        config.limits.fuel = limits.get("fuel", 0)
        config.limits.cpu_ns = limits.get("cpu_ns", 0)
        config.limits.output_bytes = limits.get("output_bytes", 0)
        config.limits.fds = limits.get("fds", 0)
        config.limits.dirs = limits.get("dirs", 0)
        config.limits.sockets = limits.get("sockets", 0)
        config.limits.iovs = limits.get("iovs", 0)
        config.limits.subscriptions = limits.get("subscriptions", 0)
        config.resolver, config.file_mode, config.dir_mode = resolver, file_mode, dir_mode
        self.os = os
        self.streams = []
        if os is not None:
            config.os = os.os
        check(wn_sys_new(&config, &self.ptr))

    def __dealloc__(self):
        if self.ptr != NULL:
            wn_sys_delete(self.ptr)

    cdef int begin(self, uint64_t deadline, bint signals) except -1:
        """An outermost call, by the thread that took the world."""
        wn_sys_set_deadline(self.ptr, deadline)
        self.set_signals(signals)
        return 0

    cdef finish(self):
        wn_sys_set_deadline(self.ptr, 0)
        self.set_signals(False)
        wn_owner_drop(&self.owner)

    cdef int alive(self) except -1:
        if self.ptr == NULL:
            raise ValueError("the instance is closed")
        return 0

    cdef close(self):
        wn_sys_delete(self.ptr)
        self.ptr = NULL

    cdef wn_err_t keep(self, object error):
        if self.pending is None:
            self.pending = error
        return WN_HOST

    def take_pending(self):
        """The exception of a callback, once."""
        error, self.pending = self.pending, None
        return error

    cdef int set_strings(self, list items, bint env) except -1:
        cdef size_t count = len(items)
        cdef wn_str_t *spans = <wn_str_t *>PyMem_Malloc((count + 1) * sizeof(wn_str_t))
        if spans == NULL:
            raise MemoryError()
        try:
            for i, item in enumerate(items):
                spans[i] = span(item)
            return check(wn_sys_set_env(self.ptr, spans, count) if env else wn_sys_set_args(self.ptr, spans, count))
        finally:
            PyMem_Free(spans)

    def set_args(self, list items):
        self.set_strings(items, False)

    def set_env(self, list items):
        self.set_strings(items, True)

    def preopen_dir(self, bytes host, bytes guest, bint read_only, uint64_t quota, uint64_t inodes,
                    uint64_t max_file_size):
        cdef wn_grant_t grant
        cdef uint32_t fd
        fill_grant(&grant, WN_GRANT_READ_ONLY if read_only else 0, quota, inodes, max_file_size)
        check(wn_sys_preopen_dir(self.ptr, host, span(guest), &grant, &fd))
        return fd

    def preopen_memory(self, bytes guest, uint64_t quota, uint64_t inodes, uint64_t max_file_size,
                       bint read_only=False):
        cdef wn_grant_t grant
        cdef uint32_t fd
        fill_grant(&grant, WN_GRANT_READ_ONLY if read_only else 0, quota, inodes, max_file_size)
        check(wn_sys_preopen_memory(self.ptr, span(guest), &grant, &fd))
        return fd

    def mount_file(self, uint32_t dir_fd, bytes name, bytes host, bint read_only, bint device,
                   uint64_t max_file_size=0):
        cdef wn_grant_t grant
        fill_grant(&grant, (WN_GRANT_READ_ONLY if read_only else 0) | (WN_GRANT_DEVICE if device else 0), 0, 0,
                   max_file_size)
        check(wn_sys_mount_file(self.ptr, dir_fd, span(name), host, &grant))

    def preopen_socket(self, int host_fd, bint listener):
        cdef uint32_t fd
        check(wn_sys_preopen_socket(self.ptr, host_fd, listener, &fd))
        return fd

    def stdio_null(self, uint32_t fd):
        check(wn_sys_stdio_null(self.ptr, fd))

    def stdio_fd(self, uint32_t fd, int host_fd):
        check(wn_sys_stdio_fd(self.ptr, fd, host_fd))

    def stdio_bytes(self, uint32_t fd, bytes data):
        check(wn_sys_stdio_bytes(self.ptr, fd, span(data)))

    def stdio_capture(self, uint32_t fd, uint64_t limit):
        check(wn_sys_stdio_capture(self.ptr, fd, limit))

    def captured(self, uint32_t fd):
        cdef wn_str_t out
        self.alive()
        check(wn_sys_stdio_captured(self.ptr, fd, &out))
        return PyBytes_FromStringAndSize(out.ptr, <Py_ssize_t>out.len)

    def stdio_stream(self, uint32_t fd, read, write):
        cdef _Stream stream = _Stream.__new__(_Stream)
        stream.read, stream.write, stream.sys = read, write, self
        # Kept alive by us until we are gone: the core's `closed` has nothing to do.
        self.streams.append(stream)
        check(wn_sys_stdio_stream(self.ptr, fd, &STREAM_READER if write is None else &STREAM_WRITER, <void *>stream))

    def stdio_nonblocking(self, bint on):
        wn_sys_stdio_nonblocking(self.ptr, on)

    def set_clock(self, uint32_t clock, uint32_t mode, int64_t value, uint64_t step):
        check(wn_sys_set_clock(self.ptr, clock, mode, value, step))

    def set_seed(self, uint64_t seed):
        wn_sys_set_seed(self.ptr, seed)

    def set_deadline(self, uint64_t monotonic_ns):
        wn_sys_set_deadline(self.ptr, monotonic_ns)

    def set_signals(self, bint on):
        """Run Python's signal handlers while the guest runs: for calls in the main thread."""
        if on:
            wn_sys_set_interrupt(self.ptr, check_signals, <void *>self)
        else:
            wn_sys_set_interrupt(self.ptr, NULL, NULL)

    def usage(self):
        cdef wn_usage_t usage
        self.alive()
        wn_sys_get_usage(self.ptr, &usage)
        return usage.output_bytes, usage.cpu_ns, usage.fds, usage.resolver


cdef wn_stream_ops_t STREAM_READER, STREAM_WRITER
STREAM_READER.read, STREAM_READER.write, STREAM_READER.closed = stream_read, NULL, NULL
STREAM_WRITER.read, STREAM_WRITER.write, STREAM_WRITER.closed = NULL, stream_write, NULL


cdef void fill_grant(wn_grant_t *grant, uint32_t flags, uint64_t quota, uint64_t inodes, uint64_t max_file_size):
    grant.flags, grant.quota_bytes, grant.quota_inodes, grant.max_file_size = flags, quota, inodes, max_file_size


# ---- numbers ----

cdef extern from *:
    """
    static inline uint64_t wn_bits_f64(double v) { uint64_t u; memcpy(&u, &v, 8); return u; }
    static inline uint64_t wn_bits_f32(double v) { float f = (float)v; uint32_t u; memcpy(&u, &f, 4); return u; }
    static inline double wn_f64_bits(uint64_t u) { double v; memcpy(&v, &u, 8); return v; }
    static inline double wn_f32_bits(uint64_t u) { uint32_t w = (uint32_t)u; float f; memcpy(&f, &w, 4); return f; }
    """
    uint64_t wn_bits_f64(double v)
    uint64_t wn_bits_f32(double v)
    double wn_f64_bits(uint64_t u)
    double wn_f32_bits(uint64_t u)


cdef uint64_t to_bits(object value, Py_UCS4 letter) except? 0:
    if letter == u"f":
        return wn_bits_f32(value)
    if letter == u"F":
        return wn_bits_f64(value)
    if not isinstance(value, int):
        raise TypeError(f"an integer is needed, not {type(value).__name__}")
    width = 32 if letter == u"i" else 64
    if not -(1 << (width - 1)) <= value < (1 << width):
        raise OverflowError(f"{value} does not fit an i{width}")
    return value & ((1 << width) - 1)


cdef object from_bits(uint64_t bits, Py_UCS4 letter):
    if letter == u"f":
        return wn_f32_bits(bits)
    if letter == u"F":
        return wn_f64_bits(bits)
    if letter == u"i":
        return <int>(<uint32_t>bits)
    return <int64_t>bits


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


cdef class TraceCall:
    """One call, given to the trace function; good only while that runs."""

    cdef readonly str module, name, params, results, error_name
    cdef readonly tuple param_names, args
    cdef readonly object result
    cdef readonly int err
    cdef readonly uint64_t nanoseconds
    cdef wn_guest_t *guest

    def memory(self, uint32_t ptr, uint32_t length):
        """``length`` bytes of guest memory at ``ptr``; None when outside, or after the trace function."""
        cdef void *at = NULL if self.guest == NULL else wn_guest_bytes(self.guest, ptr, length)
        return None if at == NULL else PyBytes_FromStringAndSize(<const char *>at, length)


cdef void trace_python(void *ctx, const wn_trace_call_t *call) noexcept with gil:
    cdef Instance instance = <Instance>ctx
    cdef TraceCall event = TraceCall.__new__(TraceCall)
    cdef uint32_t i
    try:
        event.module, event.name = call.module.decode(), call.name.decode()
        event.params, event.results = call.params.decode(), call.results.decode()
        event.param_names = tuple(call.param_names.decode().split(",")) if call.param_names[0] else ()
        event.args = tuple([call.args[i] for i in range(call.nargs)])
        event.err, event.nanoseconds, event.guest = call.err, call.nanoseconds, call.guest
        event.result = call.result if call.err == 0 and call.results[0] else None
        event.error_name = wn_err_name(call.err if call.err else <int>call.result).decode()
        instance.trace(event)
    except BaseException as error:
        # The call is over and its verdict stands; the guest is ended at its next one.
        instance.sys.keep(error)
        wn_sys_cancel(instance.sys.ptr)
    finally:
        event.guest = NULL


@cython.no_gc_clear  # the C side is freed before what it stands on, never after
cdef class Instance:
    """A guest. One thread at a time; cancel() from any."""

    cdef wn_instance_t *ptr
    cdef readonly Module module
    cdef readonly Sys sys
    cdef object trace
    cdef list functions
    cdef list siblings
    cdef readonly int users  # siblings that were made from this one and are alive
    cdef bint started

    def __cinit__(self, Module module, Sys sys, functions=(), trace=None, uint64_t deadline=0, bint signals=False,
                  siblings=()):
        cdef wn_instance_config_t config
        cdef wn_message_t message
        cdef int err
        cdef wn_host_func_t *funcs = NULL
        cdef wn_sibling_t *others = NULL
        cdef Instance other
        cdef bint outermost
        memset(&config, 0, sizeof(config))
        blank(&message)
        self.module, self.sys, self.trace, self.functions, self.siblings = module, sys, trace, [], []
        config.sys, config.ctx = sys.ptr, <void *>self
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
                others[i].module, others[i].instance = PyBytes_AsString(text), other.ptr
            config.funcs, config.func_count = funcs, len(functions)
            config.siblings, config.sibling_count = others, len(siblings)
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
            for _, other in self.siblings:
                other.users += 1
        finally:
            PyMem_Free(funcs)
            PyMem_Free(others)

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
        if self.ptr != NULL:
            wn_instance_delete(self.ptr)

    def close(self):
        """Free the guest and all that it had open; False while a call is under way or siblings use it."""
        cdef Instance other
        if self.ptr == NULL:
            return True
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

    cdef bint take(self) except -1:
        """True: taken now, to be dropped. False: this thread has it already. Raises Busy."""
        cdef uintptr_t me = wn_thread_me()
        if wn_owner_get(&self.sys.owner) == me:
            return False
        if not wn_owner_take(&self.sys.owner, me):
            raise Busy("another thread uses this instance")
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
        if err:
            return err, message_text(&message), None
        return 0, "", [from_bits(values[i], results[i]) for i in range(len(results))]

    def cancel(self):
        if self.ptr != NULL:
            wn_instance_cancel(self.ptr)

    def end(self):
        """(verdict, exit code, limit): verdict 0 while the guest can run."""
        cdef wn_end_t end
        wn_instance_get_end(self.ptr, &end)
        return end.err, end.exit_code, None if end.limit == NULL else end.limit.decode()

    def fuel(self):
        return wn_instance_fuel(self.ptr)

    cdef uint8_t *memory(self, const char *name, uint64_t *size) except NULL:
        cdef uint8_t *base = NULL
        size[0] = 0
        check(wn_instance_memory(self.ptr, name, &base, size))
        return base

    def memory_size(self, bytes name):
        cdef uint64_t size
        cdef bint taken = self.take()
        try:
            self.memory(name, &size)
            return size
        finally:
            if taken:
                wn_owner_drop(&self.sys.owner)

    def memory_read(self, bytes name, uint64_t ptr, uint64_t length):
        """``length`` bytes at ``ptr``, None when outside."""
        cdef uint64_t size
        cdef uint8_t *base
        cdef bint taken = self.take()
        try:
            base = self.memory(name, &size)
            if ptr > size or length > size - ptr:
                return None
            return PyBytes_FromStringAndSize(<const char *>base + ptr, <Py_ssize_t>length)
        finally:
            if taken:
                wn_owner_drop(&self.sys.owner)

    def memory_write(self, bytes name, uint64_t ptr, bytes data):
        """False when ``data`` would reach outside; then nothing is written."""
        cdef uint64_t size
        cdef uint64_t length = len(data)
        cdef uint8_t *base
        cdef bint taken = self.take()
        try:
            base = self.memory(name, &size)
            if ptr > size or length > size - ptr:
                return False
            memcpy(base + ptr, PyBytes_AsString(data), length)
            return True
        finally:
            if taken:
                wn_owner_drop(&self.sys.owner)

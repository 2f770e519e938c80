# cython: language_level=3, boundscheck=False, wraparound=False, embedsignature=False, binding=False
"""The seam between Python and the C core: one class per C noun, no policy, no comfort.

The GIL is released while a guest runs; callbacks take it back. An exception of a callback is kept on the Sys
of the guest and raised, unchanged, where the call returns.
"""

cimport cython
from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.list cimport PyList_Append
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject_GenericSetAttr
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy, memset
from wasi_native._core_convert cimport *

from .errors import Busy, CoreError

cdef enum: VALUES_MAX = 32

EXIT, TRAP_BOUNDS, TRAP_ALIGN, TRAP_ENGINE, HOST = WN_EXIT, WN_TRAP_BOUNDS, WN_TRAP_ALIGN, WN_TRAP_ENGINE, WN_HOST
CANCELLED, TIMEOUT, LIMIT, NOMEM, INVALID = WN_CANCELLED, WN_TIMEOUT, WN_LIMIT, WN_NOMEM, WN_INVALID
LINK, MISSING, TRAP_CANON = WN_LINK, WN_MISSING, WN_TRAP_CANON


def error_name(int code):
    return wn_err_name(code).decode()


def error_text(int code):
    return wn_err_text(code).decode()


cdef int check(int err, wn_message_t *message=NULL) except -1:
    if err == 0:
        return 0
    if err == WN_NOMEM or err == WN_ENOMEM:
        raise MemoryError("the host is out of memory")
    if message == NULL:
        raise CoreError(err, error_text(err))
    limit = None if message.end.limit == NULL else message.end.limit.decode()
    raise CoreError(err, message_text(message) or error_text(err), message.end.exit_code, limit)


cdef bytes bytes_taken(wn_str_t out):
    try:
        return PyBytes_FromStringAndSize(out.ptr, <Py_ssize_t>out.len)
    finally:
        wn_bytes_free(out)


def engine_names():
    """The engine adapters that are built in, best first."""
    names = []
    while wn_engine_list(len(names)) != NULL:
        names.append(wn_engine_list(len(names)).decode())
    return names


def row_list():
    """What we serve: (module, name, params, results, param_names, group) per function."""
    cdef wn_row_info_t row
    rows = []
    while wn_row_get(len(rows), &row):
        rows.append((row.module.decode(), row.name.decode(), row.params.decode(), row.results.decode(),
                     row.param_names.decode(), row.group.decode()))
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
        return bytes_taken(out)

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

    def restore(self, str path, uint32_t part=0):
        cdef wn_message_t message
        cdef Module module = Module.__new__(Module)
        blank(&message)
        raw = path.encode("utf-8", "surrogateescape")
        check(wn_module_restore_part(self.ptr, raw, part, &module.ptr, &message), &message)
        module.engine = self
        return module


@cython.no_gc_clear  # the C side is freed before what it stands on, never after
cdef class Module:
    cdef wn_module_t *ptr
    cdef Engine engine

    def __dealloc__(self):
        if self.ptr != NULL:
            wn_module_delete(self.ptr)

    def externs(self, bint exported):
        """The exports, or the imports: tuples as Extern takes them."""
        cdef wn_extern_t e
        out = []
        while wn_module_export(self.ptr, len(out), &e) if exported else wn_module_import(self.ptr, len(out), &e):
            out.append(extern_tuple(&e))
        return out

    def serialize(self):
        cdef wn_message_t message
        cdef wn_str_t out
        blank(&message)
        check(wn_module_serialize(self.ptr, &out, &message), &message)
        return bytes_taken(out)


# ---- streams in Python ----

cdef class _Stream:
    """A guest's stream in Python: ``read(n)`` gives bytes, None for "nothing now"; ``write(data)`` takes all."""

    cdef object read, write
    cdef Sys sys


cdef wn_err_t stream_read(void *ctx, void *buf, size_t length, size_t *done) noexcept with gil:
    cdef _Stream stream = <_Stream>ctx
    cdef bytes data
    try:
        data = stream.read(length)
        if data is None:
            return WN_EAGAIN
        done[0] = min(<size_t>len(data), length)
        memcpy(buf, PyBytes_AsString(data), done[0])
        return 0
    except BaseException as error:
        return stream.sys.keep(error)


cdef wn_err_t stream_write(void *ctx, const void *buf, size_t length) noexcept with gil:
    cdef _Stream stream = <_Stream>ctx
    try:
        stream.write(PyBytes_FromStringAndSize(<const char *>buf, <Py_ssize_t>length))
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
        config.limits.fuel, config.limits.cpu_ns = limits.get("fuel", 0), limits.get("cpu_ns", 0)
        config.limits.output_bytes, config.limits.fds = limits.get("output_bytes", 0), limits.get("fds", 0)
        config.limits.dirs, config.limits.sockets = limits.get("dirs", 0), limits.get("sockets", 0)
        config.limits.iovs, config.limits.subscriptions = limits.get("iovs", 0), limits.get("subscriptions", 0)
        config.limits.handles, config.limits.value_bytes = limits.get("handles", 0), limits.get("value_bytes", 0)
        config.resolver, config.file_mode, config.dir_mode = resolver, file_mode, dir_mode
        self.os, self.streams = os, []
        if os is not None:
            config.os = os.os
        check(wn_sys_new(&config, &self.ptr))

    def __dealloc__(self):
        wn_sys_delete(self.ptr)

    cdef int begin(self, uint64_t deadline, bint signals) except -1:
        """An outermost call, by the thread that took the world."""
        wn_sys_set_deadline(self.ptr, deadline)
        self.set_signals(signals)
        return 0

    cdef finish(self):
        self.begin(0, False)
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

    def net_allow(self, tuple rule):
        check(net_allow(self.ptr, rule))

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

    def set_signals(self, bint on):
        """Run Python's signal handlers while the guest runs: for calls in the main thread."""
        cdef wn_interrupt_fn_t function = NULL
        if on:
            function = check_signals
        wn_sys_set_interrupt(self.ptr, function, <void *>self)

    def usage(self):
        cdef wn_usage_t usage
        self.alive()
        wn_sys_get_usage(self.ptr, &usage)
        return usage.output_bytes, usage.cpu_ns, usage.fds, usage.resolver


cdef wn_stream_ops_t STREAM_READER, STREAM_WRITER
STREAM_READER.read, STREAM_READER.write, STREAM_READER.closed = stream_read, NULL, NULL
STREAM_WRITER.read, STREAM_WRITER.write, STREAM_WRITER.closed = NULL, stream_write, NULL


include "_core_instance.pxi"
include "_core_values.pxi"
include "_core_component.pxi"

# cython: language_level=3
# Small conversions between C and Python, inline wherever _core.pyx uses them.
from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy, memset

from wasi_native._core cimport (wn_err_t, wn_extern_t, wn_grant_t, wn_message_t, wn_net_range_t, wn_net_rule_t, wn_str_t,
                                wn_sys_net_allow, wn_sys_t)

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

cdef inline wn_str_t span(bytes data):
    cdef wn_str_t s
    s.ptr = PyBytes_AsString(data)
    s.len = len(data)
    return s


cdef inline str text_of(const char *text, size_t length):
    return PyBytes_FromStringAndSize(text, <Py_ssize_t>length).decode("utf-8", "replace")


cdef inline str message_text(wn_message_t *message):
    return (<bytes>message.text).decode("utf-8", "replace")


cdef inline void blank(wn_message_t *message) noexcept:
    message.err, message.text[0] = 0, 0
    memset(&message.end, 0, sizeof(message.end))


cdef inline tuple extern_tuple(wn_extern_t *e):
    return (text_of(e.module.ptr, e.module.len), text_of(e.name.ptr, e.name.len), e.kind, e.params.decode(),
            e.results.decode(), e.min, None if e.max == <uint64_t>-1 else e.max, bool(e.shared), bool(e.wide),
            bool(e.constant))


cdef inline void fill_grant(wn_grant_t *grant, uint32_t flags, uint64_t quota, uint64_t inodes, uint64_t max_file_size):
    grant.flags, grant.quota_bytes, grant.quota_inodes, grant.max_file_size = flags, quota, inodes, max_file_size


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


cdef inline uint64_t to_bits(object value, Py_UCS4 letter) except? 0:
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


cdef inline object from_bits(uint64_t bits, Py_UCS4 letter):
    if letter == u"f":
        return wn_f32_bits(bits)
    if letter == u"F":
        return wn_f64_bits(bits)
    if letter == u"i":
        return <int>(<uint32_t>bits)
    return <int64_t>bits


cdef inline int net_range(wn_net_range_t *out, tuple given) except -1:
    """(family, address, bits of the prefix)"""
    cdef bytes ip = given[1]
    memset(out, 0, sizeof(out[0]))
    out.family, out.bits = given[0], given[2]
    memcpy(out.ip, PyBytes_AsString(ip), min(len(ip), 16))
    return 0


cdef inline wn_err_t net_allow(wn_sys_t *sys, tuple given) except? -1:
    """(protocols, rights, flags, range, host or None, first port, last port, ranges of peers)"""
    cdef wn_net_rule_t rule
    cdef bytes host = given[4], room
    cdef list peers = given[7]
    memset(&rule, 0, sizeof(rule))
    rule.protocols, rule.rights, rule.flags = given[0], given[1], given[2]
    rule.first_port, rule.last_port = given[5], given[6]
    net_range(&rule.where, given[3])
    if host is not None:
        rule.host = PyBytes_AsString(host)
    room = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>(len(peers) * sizeof(wn_net_range_t)))
    for index, peer in enumerate(peers):
        net_range(<wn_net_range_t *>PyBytes_AsString(room) + <Py_ssize_t>index, peer)
    if peers:
        rule.peers, rule.peer_count = <const wn_net_range_t *>PyBytes_AsString(room), <uint32_t>len(peers)
    return wn_sys_net_allow(sys, &rule)

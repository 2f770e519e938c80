# cython: language_level=3
# What include/ declares, as far as _core.pyx uses it.
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "wasi_native.h" nogil:
    ctypedef int wn_err_t
    enum:
        WN_EAGAIN
        WN_EBUSY
        WN_ENOMEM
        WN_EXIT
        WN_TRAP_BOUNDS
        WN_TRAP_ALIGN
        WN_TRAP_ENGINE
        WN_HOST
        WN_CANCELLED
        WN_TIMEOUT
        WN_LIMIT
        WN_NOMEM
        WN_INVALID
        WN_LINK
        WN_MISSING
        WN_TRAP_CANON
        WN_GRANT_READ_ONLY
        WN_GRANT_DEVICE
    ctypedef struct wn_str_t:
        const char *ptr
        size_t len
    ctypedef struct wn_end_t:
        wn_err_t err
        uint32_t exit_code
        const char *limit
        const char *reason
    ctypedef struct wn_message_t:
        wn_err_t err
        wn_end_t end
        char text[4064]
    const char *wn_err_name(wn_err_t err)
    const char *wn_err_text(wn_err_t err)

    ctypedef struct wn_limits_t:
        uint64_t memory_bytes
        uint64_t table_elements
        uint64_t fuel
        uint64_t cpu_ns
        uint64_t output_bytes
        uint32_t fds
        uint32_t dirs
        uint32_t sockets
        uint32_t iovs
        uint32_t subscriptions
        uint32_t handles
        uint32_t value_bytes
    ctypedef struct wn_os_t:
        pass
    ctypedef struct wn_sys_t:
        pass
    ctypedef struct wn_sys_config_t:
        wn_limits_t limits
        const wn_os_t *os
        uint32_t resolver
        uint32_t file_mode
        uint32_t dir_mode
    ctypedef struct wn_grant_t:
        uint32_t flags
        uint64_t quota_bytes
        uint64_t quota_inodes
        uint64_t max_file_size
    ctypedef struct wn_stream_ops_t:
        wn_err_t (*read)(void *ctx, void *buf, size_t len, size_t *done) noexcept nogil
        wn_err_t (*write)(void *ctx, const void *buf, size_t len) noexcept nogil
        void (*closed)(void *ctx) noexcept nogil
    ctypedef struct wn_usage_t:
        uint64_t output_bytes
        uint64_t cpu_ns
        uint32_t fds
        uint32_t resolver
    ctypedef wn_err_t (*wn_interrupt_fn_t)(void *ctx) noexcept nogil

    wn_err_t wn_sys_new(const wn_sys_config_t *config, wn_sys_t **out)
    void wn_sys_delete(wn_sys_t *sys)
    wn_err_t wn_sys_set_args(wn_sys_t *sys, const wn_str_t *args, size_t count)
    wn_err_t wn_sys_set_env(wn_sys_t *sys, const wn_str_t *vars, size_t count)
    wn_err_t wn_sys_preopen_dir(wn_sys_t *sys, const char *host, wn_str_t guest, const wn_grant_t *grant,
                                uint32_t *fd)
    wn_err_t wn_sys_preopen_memory(wn_sys_t *sys, wn_str_t guest, const wn_grant_t *grant, uint32_t *fd)
    wn_err_t wn_sys_mount_file(wn_sys_t *sys, uint32_t dir_fd, wn_str_t name, const char *host,
                               const wn_grant_t *grant)
    wn_err_t wn_sys_preopen_socket(wn_sys_t *sys, int host_fd, bint listener, uint32_t *fd)
    wn_err_t wn_sys_stdio_null(wn_sys_t *sys, uint32_t guest_fd)
    wn_err_t wn_sys_stdio_fd(wn_sys_t *sys, uint32_t guest_fd, int host_fd)
    wn_err_t wn_sys_stdio_bytes(wn_sys_t *sys, uint32_t guest_fd, wn_str_t data)
    wn_err_t wn_sys_stdio_capture(wn_sys_t *sys, uint32_t guest_fd, uint64_t limit)
    wn_err_t wn_sys_stdio_captured(wn_sys_t *sys, uint32_t guest_fd, wn_str_t *out)
    wn_err_t wn_sys_stdio_stream(wn_sys_t *sys, uint32_t guest_fd, const wn_stream_ops_t *ops, void *ctx)
    void wn_sys_stdio_nonblocking(wn_sys_t *sys, bint on)
    wn_err_t wn_sys_set_clock(wn_sys_t *sys, uint32_t id, uint32_t mode, int64_t value_ns, uint64_t step_ns)
    void wn_sys_set_seed(wn_sys_t *sys, uint64_t seed)
    ctypedef struct wn_net_range_t:
        uint8_t ip[16]
        uint8_t family
        uint8_t bits
    ctypedef struct wn_net_rule_t:
        uint8_t protocols
        uint8_t rights
        uint8_t flags
        wn_net_range_t where
        const char *host
        uint16_t first_port
        uint16_t last_port
        const wn_net_range_t *peers
        uint32_t peer_count
    wn_err_t wn_sys_net_allow(wn_sys_t *sys, const wn_net_rule_t *rule)
    void wn_sys_set_deadline(wn_sys_t *sys, uint64_t monotonic_ns)
    void wn_sys_cancel(wn_sys_t *sys)
    void wn_sys_set_interrupt(wn_sys_t *sys, wn_interrupt_fn_t fn, void *ctx)
    void wn_sys_get_usage(const wn_sys_t *sys, wn_usage_t *usage)
    wn_err_t wn_os_fake_new(const wn_os_t **out)
    void wn_os_fake_delete(const wn_os_t *os)
    wn_err_t wn_os_fake_inject(const wn_os_t *os, const char *call, uint64_t nth, uint64_t times, wn_err_t err,
                               uint64_t short_bytes)
    void wn_os_fake_clear(const wn_os_t *os)
    uint64_t wn_os_fake_count(const wn_os_t *os, const char *call)

    ctypedef struct wn_engine_t:
        pass
    ctypedef struct wn_module_t:
        pass
    ctypedef struct wn_instance_t:
        pass
    ctypedef struct wn_guest_t:
        pass
    ctypedef struct wn_engine_config_t:
        uint64_t reservation
        uint64_t guard
        uint64_t wasm_stack
        uint32_t tick_ms
        uint32_t compile_threads
        bint fuel
        bint small_code
        const wn_os_t *os
    const char *wn_cap_name(uint32_t index)
    wn_err_t wn_engine_open(const char *name, const char *path, const wn_engine_config_t *config,
                            wn_engine_t **out, wn_message_t *message)
    void wn_engine_close(wn_engine_t *engine)
    uint32_t wn_engine_caps(const wn_engine_t *engine)
    const char *wn_engine_list(size_t index)
    wn_err_t wn_engine_wat(wn_engine_t *engine, wn_str_t text, wn_str_t *out, wn_message_t *message)
    void wn_bytes_free(wn_str_t data)
    wn_err_t wn_module_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message)
    wn_err_t wn_module_serialize(const wn_module_t *module, wn_str_t *out, wn_message_t *message)
    wn_err_t wn_module_restore_part(wn_engine_t *engine, const char *path, uint32_t part, wn_module_t **out,
                                    wn_message_t *message)
    void wn_module_delete(wn_module_t *module)
    ctypedef struct wn_extern_t:
        wn_str_t module
        wn_str_t name
        uint32_t kind
        char params[32]
        char results[8]
        uint64_t min
        uint64_t max
        bint shared
        bint wide
        bint constant
    bint wn_module_import(const wn_module_t *module, size_t index, wn_extern_t *out)
    bint wn_module_export(const wn_module_t *module, size_t index, wn_extern_t *out)
    ctypedef uint64_t wn_value_t
    ctypedef wn_err_t (*wn_host_fn_t)(void *ctx, wn_guest_t *guest, wn_value_t *values) noexcept nogil
    ctypedef struct wn_host_func_t:
        const char *module
        const char *name
        const char *params
        const char *results
        wn_host_fn_t fn
        void *ctx
    ctypedef struct wn_trace_call_t:
        const char *module
        const char *name
        const char *params
        const char *results
        const char *param_names
        const wn_value_t *args
        uint32_t nargs
        wn_err_t err
        wn_value_t result
        uint64_t nanoseconds
        wn_guest_t *guest
    ctypedef void (*wn_trace_fn_t)(void *ctx, const wn_trace_call_t *call) noexcept nogil
    ctypedef struct wn_sibling_t:
        const char *module
        wn_instance_t *instance
    ctypedef struct wn_comp_t:
        pass
    ctypedef struct wn_canon_func_t:
        pass
    enum:
        WN_BIND_NAME
        WN_BIND_EXPORT
        WN_BIND_FUNC
    ctypedef struct wn_binding_t:
        uint32_t kind
        wn_instance_t *instance
        wn_str_t name
        wn_canon_func_t *func
    ctypedef struct wn_instance_config_t:
        wn_sys_t *sys
        const wn_host_func_t *funcs
        size_t func_count
        const wn_sibling_t *siblings
        size_t sibling_count
        wn_comp_t *comp
        wn_instance_t *kin
        const wn_binding_t *bindings
        size_t binding_count
        wn_trace_fn_t trace
        void *trace_ctx
        void *ctx
    wn_err_t wn_instance_new(wn_module_t *module, const wn_instance_config_t *config, wn_instance_t **out,
                             wn_message_t *message)
    void wn_instance_delete(wn_instance_t *instance)
    wn_err_t wn_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams,
                              size_t nresults, wn_message_t *message)
    wn_err_t wn_instance_memory(wn_instance_t *instance, const char *name, uint8_t **base, uint64_t *size)
    void wn_instance_cancel(wn_instance_t *instance)
    void wn_instance_get_end(const wn_instance_t *instance, wn_end_t *end)
    uint64_t wn_instance_fuel(wn_instance_t *instance)
    void *wn_guest_ctx(const wn_guest_t *guest)
    void *wn_guest_bytes(wn_guest_t *guest, uint32_t ptr, uint32_t len)
    ctypedef struct wn_row_info_t:
        const char *module
        const char *name
        const char *params
        const char *results
        const char *param_names
        const char *group
    bint wn_row_get(size_t index, wn_row_info_t *out)

    wn_err_t wn_comp_new(wn_sys_t *sys, wn_comp_t *parent, wn_comp_t **out)
    void wn_comp_delete(wn_comp_t *comp)
    ctypedef struct wn_rt_t:
        pass
    ctypedef wn_err_t (*wn_rt_drop_fn_t)(void *ctx, uint32_t rep) noexcept nogil
    wn_err_t wn_rt_new(wn_comp_t *owner, wn_rt_t **out)
    wn_err_t wn_rt_new_host(wn_sys_t *sys, wn_rt_drop_fn_t drop, void *ctx, wn_rt_t **out)
    const wn_rt_t *wn_rt_wasi(wn_str_t module, wn_str_t name)
    wn_err_t wn_rt_set_destructor(wn_rt_t *rt, wn_instance_t *instance, wn_str_t name)
    void wn_rt_delete(wn_rt_t *rt)
    ctypedef struct wn_canon_config_t:
        wn_comp_t *comp
        wn_instance_t *memory
        wn_str_t memory_name
        wn_instance_t *realloc
        wn_str_t realloc_name
        uint32_t encoding
        bint is_async
    enum:
        WN_RESOURCE_NEW
        WN_RESOURCE_REP
        WN_RESOURCE_DROP
    wn_err_t wn_canon_func_new(wn_comp_t *comp, const char *module, const char *name, const char *params,
                               const char *results, wn_canon_func_t **out)
    void wn_canon_func_delete(wn_canon_func_t *func)
    wn_err_t wn_canon_func_bind_row(wn_canon_func_t *func, wn_str_t module, wn_str_t name,
                                    const wn_canon_config_t *config)
    wn_err_t wn_canon_func_bind_resource(wn_canon_func_t *func, uint32_t what, const wn_rt_t *rt)
    wn_err_t wn_canon_func_bind_same(wn_canon_func_t *func, wn_canon_func_t *other)
    wn_err_t wn_canon_func_bind_core(wn_canon_func_t *func, wn_instance_t *instance, wn_str_t name)
    wn_err_t wn_rt_drop(const wn_rt_t *rt, uint32_t rep, wn_message_t *message)
    ctypedef struct wn_plan_t:
        pass
    enum:
        WN_TEXT_UTF8
        WN_TEXT_LATIN1
    ctypedef struct wn_arena_t:
        pass
    wn_err_t wn_arena_new(const wn_os_t *os, uint64_t cap, wn_arena_t **out)
    void wn_arena_delete(wn_arena_t *arena)
    ctypedef struct wn_values_t:
        uint8_t *bytes
        size_t at
        size_t used
        bint lends
    ctypedef struct wn_plan_info_t:
        char lift_params[20]
        char lift_results[4]
        char lower_params[20]
        char lower_results[4]
        bint params_in_memory
        bint result_in_memory
        bint params_pointers
        bint result_pointers
        uint32_t resources
    wn_err_t wn_plan_load(const void *data, size_t size, const wn_plan_t **out)
    void wn_plan_get_info(const wn_plan_t *plan, wn_plan_info_t *out)
    void wn_values_init(wn_values_t *values, void *room, size_t size, wn_arena_t *arena)
    void wn_values_deinit(wn_values_t *values)
    uint8_t *wn_values_put(wn_values_t *values, size_t size, wn_err_t *err)
    const uint8_t *wn_values_get(wn_values_t *values, size_t size)
    wn_err_t wn_values_charge(wn_values_t *values, uint64_t size)
    wn_arena_t *wn_comp_arena(wn_comp_t *comp)
    ctypedef struct wn_signature_t:
        const wn_plan_t *plan
        const wn_rt_t **resources
        size_t resource_count
    ctypedef struct wn_lifted_t:
        pass
    ctypedef struct wn_lift_config_t:
        wn_canon_config_t options
        wn_signature_t signature
        wn_instance_t *instance
        wn_str_t name
        wn_instance_t *post_return
        wn_str_t post_return_name
        bint callback
        uint32_t returned
        bint waits
    wn_err_t wn_lifted_new(const wn_lift_config_t *config, wn_lifted_t **out)
    void wn_lifted_delete(wn_lifted_t *lifted)
    wn_err_t wn_lifted_call(wn_lifted_t *lifted, wn_values_t *params, wn_values_t *result, wn_message_t *message)
    void wn_lifted_get_end(const wn_lifted_t *lifted, wn_end_t *end)
    enum:
        WN_TASK_CANCEL
        WN_CONTEXT_GET
        WN_CONTEXT_SET
        WN_BACKPRESSURE_INC
        WN_BACKPRESSURE_DEC
    wn_err_t wn_canon_func_bind_task(wn_canon_func_t *func, uint32_t what, uint32_t index)
    wn_err_t wn_canon_func_bind_return(wn_canon_func_t *func, const wn_signature_t *signature, uint32_t returned,
                                       const wn_canon_config_t *config)
    wn_err_t wn_canon_func_bind_call(wn_canon_func_t *func, wn_lifted_t *lifted, const wn_canon_config_t *config)
    ctypedef wn_err_t (*wn_component_fn_t)(void *ctx, wn_comp_t *caller, wn_values_t *params,
                                           wn_values_t *result) noexcept nogil
    wn_err_t wn_canon_func_bind_host(wn_canon_func_t *func, const wn_signature_t *signature, wn_component_fn_t fn,
                                     void *ctx, const wn_canon_config_t *config)

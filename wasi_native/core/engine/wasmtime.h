/* wasmtime.h - shared by the files of this adapter alone: its own structs, and what it uses of wasmtime's C API,
 * declared here because its headers are no dependency.
 *
 * Layouts are those of versions WN_WASMTIME_MIN to WN_WASMTIME_MAX; the adapter's test runs both ends. Sources:
 * wasm.h of wasm-c-api; wasmtime/{config,engine,store,module,func,extern,memory,instance,trap,error,wat}.h.
 */
#ifndef WN_CORE_WASMTIME_H
#define WN_CORE_WASMTIME_H

#include "core/engine/adapter.h"

typedef struct wt_opaque wt_opaque_t; /* stands for each type that we only point to */

typedef struct wt_bytes {
  size_t size;
  char *data;
} wt_bytes_t;
typedef struct wt_vec {
  size_t size;
  void **data;
} wt_vec_t;

typedef union wt_raw {
  int32_t i32;
  uint32_t u32;
  uint64_t u64;
  uint8_t v128[16];
} wt_raw_t;

typedef struct wt_func {
  uint64_t store_id;
  void *index;
} wt_func_t;
typedef struct wt_memory {
  struct { /* padded to 16 bytes, as there */
    uint64_t store_id;
    uint32_t a;
  } head;
  uint32_t b;
} wt_memory_t;
typedef struct wt_instance {
  uint64_t store_id;
  size_t index;
} wt_instance_t;
enum { WT_FUNC = 0, WT_GLOBAL = 1, WT_TABLE = 2, WT_MEMORY = 3, WT_SHARED_MEMORY = 4 };
typedef struct wt_extern {
  uint8_t kind; /* WT_* */
  union {
    wt_func_t func;
    wt_memory_t memory;
    void *shared;
    uint64_t room[3]; /* the size of the largest member: arrays of these have their stride */
  } of;
} wt_extern_t;
_Static_assert(sizeof(wt_extern_t) == 32 || sizeof(void *) < 8, "the stride of an array of externs");

typedef wt_opaque_t *(*wt_host_fn_t)(void *env, wt_opaque_t *caller, wt_raw_t *slots, size_t count);
typedef wt_opaque_t *(*wt_epoch_fn_t)(wt_opaque_t *context, void *data, uint64_t *delta, uint8_t *kind);

/* name, result, parameters. REQUIRED ones make a library usable; OPTIONAL ones may be NULL. */
#define WT_SYMBOLS(REQUIRED, OPTIONAL)                                                                             \
  REQUIRED(wasm_config_new, wt_opaque_t *, (void))                                                                 \
  REQUIRED(wasmtime_config_epoch_interruption_set, void, (wt_opaque_t *, bool))                                    \
  REQUIRED(wasmtime_config_consume_fuel_set, void, (wt_opaque_t *, bool))                                          \
  REQUIRED(wasmtime_config_max_wasm_stack_set, void, (wt_opaque_t *, size_t))                                      \
  REQUIRED(wasmtime_config_memory_reservation_set, void, (wt_opaque_t *, uint64_t))                                \
  REQUIRED(wasmtime_config_memory_guard_size_set, void, (wt_opaque_t *, uint64_t))                                 \
  REQUIRED(wasmtime_config_memory_reservation_for_growth_set, void, (wt_opaque_t *, uint64_t))                     \
  OPTIONAL(wasmtime_config_parallel_compilation_set, void, (wt_opaque_t *, bool))                                  \
  OPTIONAL(wasmtime_config_cranelift_opt_level_set, void, (wt_opaque_t *, uint8_t))                                \
  OPTIONAL(wasmtime_config_wasm_memory64_set, void, (wt_opaque_t *, bool))                                         \
  OPTIONAL(wasmtime_config_wasm_threads_set, void, (wt_opaque_t *, bool))                                          \
  REQUIRED(wasm_engine_new_with_config, wt_opaque_t *, (wt_opaque_t *))                                            \
  REQUIRED(wasm_engine_delete, void, (wt_opaque_t *))                                                              \
  REQUIRED(wasmtime_engine_increment_epoch, void, (const wt_opaque_t *))                                           \
  REQUIRED(wasmtime_module_new, wt_opaque_t *, (wt_opaque_t *, const uint8_t *, size_t, wt_opaque_t **))           \
  REQUIRED(wasmtime_module_serialize, wt_opaque_t *, (const wt_opaque_t *, wt_bytes_t *))                          \
  REQUIRED(wasmtime_module_deserialize_file, wt_opaque_t *, (wt_opaque_t *, const char *, wt_opaque_t **))         \
  REQUIRED(wasmtime_module_delete, void, (wt_opaque_t *))                                                          \
  REQUIRED(wasmtime_module_imports, void, (const wt_opaque_t *, wt_vec_t *))                                       \
  REQUIRED(wasmtime_module_exports, void, (const wt_opaque_t *, wt_vec_t *))                                       \
  REQUIRED(wasm_importtype_vec_delete, void, (wt_vec_t *))                                                         \
  REQUIRED(wasm_exporttype_vec_delete, void, (wt_vec_t *))                                                         \
  REQUIRED(wasm_importtype_module, const wt_bytes_t *, (const wt_opaque_t *))                                      \
  REQUIRED(wasm_importtype_name, const wt_bytes_t *, (const wt_opaque_t *))                                        \
  REQUIRED(wasm_importtype_type, const wt_opaque_t *, (const wt_opaque_t *))                                       \
  REQUIRED(wasm_exporttype_name, const wt_bytes_t *, (const wt_opaque_t *))                                        \
  REQUIRED(wasm_exporttype_type, const wt_opaque_t *, (const wt_opaque_t *))                                       \
  REQUIRED(wasm_externtype_kind, uint8_t, (const wt_opaque_t *))                                                   \
  REQUIRED(wasm_externtype_as_functype_const, const wt_opaque_t *, (const wt_opaque_t *))                          \
  REQUIRED(wasm_externtype_as_memorytype_const, const wt_opaque_t *, (const wt_opaque_t *))                        \
  REQUIRED(wasm_externtype_as_tabletype_const, const wt_opaque_t *, (const wt_opaque_t *))                         \
  REQUIRED(wasm_externtype_as_globaltype_const, const wt_opaque_t *, (const wt_opaque_t *))                        \
  REQUIRED(wasm_globaltype_mutability, uint8_t, (const wt_opaque_t *))                                             \
  REQUIRED(wasm_tabletype_limits, const uint32_t *, (const wt_opaque_t *))                                         \
  REQUIRED(wasmtime_memorytype_minimum, uint64_t, (const wt_opaque_t *))                                           \
  REQUIRED(wasmtime_memorytype_maximum, bool, (const wt_opaque_t *, uint64_t *))                                   \
  REQUIRED(wasmtime_memorytype_is64, bool, (const wt_opaque_t *))                                                  \
  REQUIRED(wasmtime_memorytype_isshared, bool, (const wt_opaque_t *))                                              \
  REQUIRED(wasm_functype_params, const wt_vec_t *, (const wt_opaque_t *))                                          \
  REQUIRED(wasm_functype_results, const wt_vec_t *, (const wt_opaque_t *))                                         \
  REQUIRED(wasm_functype_new, wt_opaque_t *, (wt_vec_t *, wt_vec_t *))                                             \
  REQUIRED(wasm_functype_delete, void, (wt_opaque_t *))                                                            \
  REQUIRED(wasm_valtype_new, wt_opaque_t *, (uint8_t))                                                             \
  REQUIRED(wasm_valtype_kind, uint8_t, (const wt_opaque_t *))                                                      \
  REQUIRED(wasm_valtype_vec_new, void, (wt_vec_t *, size_t, wt_opaque_t *const *))                                 \
  REQUIRED(wasmtime_store_new, wt_opaque_t *, (wt_opaque_t *, void *, void (*)(void *)))                           \
  REQUIRED(wasmtime_store_delete, void, (wt_opaque_t *))                                                           \
  REQUIRED(wasmtime_store_context, wt_opaque_t *, (wt_opaque_t *))                                                 \
  REQUIRED(wasmtime_store_limiter, void, (wt_opaque_t *, int64_t, int64_t, int64_t, int64_t, int64_t))             \
  REQUIRED(wasmtime_store_epoch_deadline_callback, void, (wt_opaque_t *, wt_epoch_fn_t, void *, void (*)(void *))) \
  REQUIRED(wasmtime_context_set_epoch_deadline, void, (wt_opaque_t *, uint64_t))                                   \
  REQUIRED(wasmtime_context_set_fuel, wt_opaque_t *, (wt_opaque_t *, uint64_t))                                    \
  REQUIRED(wasmtime_context_get_fuel, wt_opaque_t *, (const wt_opaque_t *, uint64_t *))                            \
  REQUIRED(wasmtime_func_new_unchecked, void,                                                                      \
           (wt_opaque_t *, const wt_opaque_t *, wt_host_fn_t, void *, void (*)(void *), wt_func_t *))              \
  REQUIRED(wasmtime_func_call_unchecked, wt_opaque_t *,                                                            \
           (wt_opaque_t *, const wt_func_t *, wt_raw_t *, size_t, wt_opaque_t **))                                 \
  REQUIRED(wasmtime_instance_new, wt_opaque_t *,                                                                   \
           (wt_opaque_t *, const wt_opaque_t *, const wt_extern_t *, size_t, wt_instance_t *, wt_opaque_t **))     \
  REQUIRED(wasmtime_instance_export_get, bool,                                                                     \
           (wt_opaque_t *, const wt_instance_t *, const char *, size_t, wt_extern_t *))                            \
  REQUIRED(wasmtime_caller_export_get, bool, (wt_opaque_t *, const char *, size_t, wt_extern_t *))                 \
  REQUIRED(wasmtime_extern_delete, void, (wt_extern_t *))                                                          \
  REQUIRED(wasmtime_memory_data, uint8_t *, (const wt_opaque_t *, const wt_memory_t *))                            \
  REQUIRED(wasmtime_memory_data_size, size_t, (const wt_opaque_t *, const wt_memory_t *))                          \
  REQUIRED(wasmtime_memory_type, wt_opaque_t *, (const wt_opaque_t *, const wt_memory_t *))                        \
  REQUIRED(wasm_memorytype_delete, void, (wt_opaque_t *))                                                          \
  REQUIRED(wasmtime_trap_new, wt_opaque_t *, (const char *, size_t))                                               \
  REQUIRED(wasmtime_trap_code, bool, (const wt_opaque_t *, uint8_t *))                                             \
  REQUIRED(wasm_trap_delete, void, (wt_opaque_t *))                                                                \
  REQUIRED(wasm_trap_trace, void, (const wt_opaque_t *, wt_vec_t *))                                               \
  REQUIRED(wasm_frame_vec_delete, void, (wt_vec_t *))                                                              \
  REQUIRED(wasm_frame_func_index, uint32_t, (const wt_opaque_t *))                                                 \
  REQUIRED(wasm_frame_module_offset, size_t, (const wt_opaque_t *))                                                \
  REQUIRED(wasmtime_frame_func_name, const wt_bytes_t *, (const wt_opaque_t *))                                    \
  REQUIRED(wasmtime_frame_module_name, const wt_bytes_t *, (const wt_opaque_t *))                                  \
  REQUIRED(wasmtime_error_new, wt_opaque_t *, (const char *))                                                      \
  REQUIRED(wasmtime_error_delete, void, (wt_opaque_t *))                                                           \
  REQUIRED(wasmtime_error_message, void, (const wt_opaque_t *, wt_bytes_t *))                                      \
  REQUIRED(wasmtime_error_wasm_trace, void, (const wt_opaque_t *, wt_vec_t *))                                     \
  REQUIRED(wasm_byte_vec_delete, void, (wt_bytes_t *))                                                             \
  OPTIONAL(wasmtime_wat2wasm, wt_opaque_t *, (const char *, size_t, wt_bytes_t *))

typedef struct wt_api {
#define WT_FIELD(name, result, params) result(*name) params;
  WT_SYMBOLS(WT_FIELD, WT_FIELD)
#undef WT_FIELD
} wt_api_t;

/* ---- ours ---- */

#define WT_VALUES_MAX 32u

typedef struct wt_engine {
  struct wn_engine head;
  void *library;
  wt_opaque_t *engine;
  wt_api_t api;
} wt_engine_t;

typedef struct wt_module {
  struct wn_module head;
  wt_opaque_t *module;
  wt_vec_t imports, exports;
} wt_module_t;

typedef struct wt_binding wt_binding_t;

/* Siblings live in one store; it ends with the last of them. */
typedef struct wt_store {
  wt_opaque_t *store;
  wn_guest_t *running; /* whom an interruption asks: the guest of the outermost call */
  uint32_t refs;
} wt_store_t;

typedef struct wt_guest {
  struct wn_instance head;
  const wt_api_t *api;
  wt_store_t *shared;
  wt_opaque_t *context; /* of the store */
  wt_instance_t instance;
  wt_memory_t memory;
  bool has_memory;
  wn_mem_t span; /* of that one, as it was last: it moves only when it grows */
  wt_binding_t *bindings;
  char params[WT_VALUES_MAX + 1], results[WT_VALUES_MAX + 1]; /* of the export last asked for */
} wt_guest_t;

static inline wt_engine_t *wt_engine_of(const wn_module_t *module) { return (wt_engine_t *)module->engine; }

/* Letters of a list of value types; '?' for what is no number. False when it was cut. */
bool wt_letters(const wt_api_t *api, const wt_vec_t *types, char *out, size_t cap);

/* wasmtime_trap.c: each takes the object of the engine, fills the message and answers the verdict. */
/* wasmtime_types.c: INVALID for a valid module with an import or export that the interface ends the process over. */
wn_err_t wt_types_check(const wn_os_t *os, wn_str_t wasm, wn_message_t *message);
wn_err_t wt_error_take(const wt_api_t *api, wt_opaque_t *error, wn_err_t err, wn_message_t *message);
wn_err_t wt_unwound_take(wt_guest_t *in, wt_opaque_t *error, wn_message_t *message);
wn_err_t wt_trap_take(wt_guest_t *in, wt_opaque_t *trap, wn_message_t *message);

/* wasmtime_instance.c: as in wn_engine_ops_t. */
wn_err_t wt_instance_start(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                           wn_message_t *message);
void wt_instance_close(wn_instance_t *instance);
wn_err_t wt_instance_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results);
wn_err_t wt_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message);
wn_err_t wt_instance_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func);
wn_err_t wt_instance_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message);
wn_err_t wt_instance_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *memory);
wn_mem_t wt_instance_span(const wn_memory_ref_t *memory);
uint64_t wt_instance_fuel(wn_instance_t *instance);

#endif

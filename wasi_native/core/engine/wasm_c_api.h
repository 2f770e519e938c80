/* wasm_c_api.h - shared by the files of this adapter alone: its own structs, and what it uses of wasm.h, the C API
 * that engines have in common, declared here because its header is no dependency.
 *
 * Sources: wasm.h of WebAssembly/wasm-c-api since November 2020 (vectors in place of arrays), and for the quirks the
 * C APIs of wasmtime 50, WAMR, Wasmer and wasmi. Run in tests: wasmtime's library; WAMR's was run beside them.
 */
#ifndef WN_CORE_WASM_C_API_H
#define WN_CORE_WASM_C_API_H

#include "core/engine/adapter.h"
#include "core/engine/wasm_read.h"

typedef struct wc_opaque wc_opaque_t; /* stands for each type that we only point to */

/* The standard's vectors are the first two members. WAMR has the other three and reads `count`; others never look
 * beyond `data`, and we write beyond it in vectors of our own alone. */
typedef struct wc_vec {
  size_t size;
  void *data;
  size_t count, stride;
  void *lock;
} wc_vec_t;

typedef struct wc_val {
  uint8_t kind; /* 0 to 3: i32, i64, f32, f64 */
  union {
    uint32_t u32;
    uint64_t u64;
    double f64; /* the alignment of the largest member */
    void *ref;
  } of;
} wc_val_t;

typedef wc_opaque_t *(*wc_host_fn_t)(void *env, const wc_vec_t *args, wc_vec_t *results);

/* name, result, parameters. REQUIRED ones make a library usable; OPTIONAL ones may be NULL. */
#define WC_SYMBOLS(REQUIRED, OPTIONAL)                                                                               \
  REQUIRED(wasm_engine_new, wc_opaque_t *, (void))                                                                   \
  REQUIRED(wasm_engine_delete, void, (wc_opaque_t *))                                                                \
  REQUIRED(wasm_store_new, wc_opaque_t *, (wc_opaque_t *))                                                           \
  REQUIRED(wasm_store_delete, void, (wc_opaque_t *))                                                                 \
  REQUIRED(wasm_module_new, wc_opaque_t *, (wc_opaque_t *, const wc_vec_t *))                                        \
  REQUIRED(wasm_module_validate, bool, (wc_opaque_t *, const wc_vec_t *))                                            \
  REQUIRED(wasm_module_delete, void, (wc_opaque_t *))                                                                \
  REQUIRED(wasm_valtype_new, wc_opaque_t *, (uint8_t))                                                               \
  REQUIRED(wasm_valtype_vec_new, void, (wc_vec_t *, size_t, wc_opaque_t *const *))                                   \
  REQUIRED(wasm_functype_new, wc_opaque_t *, (wc_vec_t *, wc_vec_t *))                                               \
  REQUIRED(wasm_functype_delete, void, (wc_opaque_t *))                                                              \
  REQUIRED(wasm_func_new_with_env, wc_opaque_t *,                                                                    \
           (wc_opaque_t *, const wc_opaque_t *, wc_host_fn_t, void *, void (*)(void *)))                             \
  REQUIRED(wasm_func_delete, void, (wc_opaque_t *))                                                                  \
  REQUIRED(wasm_func_as_extern, wc_opaque_t *, (wc_opaque_t *))                                                      \
  REQUIRED(wasm_func_call, wc_opaque_t *, (const wc_opaque_t *, const wc_vec_t *, wc_vec_t *))                       \
  REQUIRED(wasm_extern_as_func, wc_opaque_t *, (wc_opaque_t *))                                                      \
  REQUIRED(wasm_extern_as_memory, wc_opaque_t *, (wc_opaque_t *))                                                    \
  REQUIRED(wasm_extern_vec_delete, void, (wc_vec_t *))                                                               \
  REQUIRED(wasm_memory_data, uint8_t *, (wc_opaque_t *))                                                             \
  REQUIRED(wasm_memory_data_size, size_t, (const wc_opaque_t *))                                                     \
  REQUIRED(wasm_instance_new, wc_opaque_t *, (wc_opaque_t *, const wc_opaque_t *, const wc_vec_t *, wc_opaque_t **)) \
  REQUIRED(wasm_instance_delete, void, (wc_opaque_t *))                                                              \
  REQUIRED(wasm_instance_exports, void, (const wc_opaque_t *, wc_vec_t *))                                           \
  REQUIRED(wasm_trap_new, wc_opaque_t *, (wc_opaque_t *, const wc_vec_t *))                                          \
  REQUIRED(wasm_trap_message, void, (const wc_opaque_t *, wc_vec_t *))                                               \
  REQUIRED(wasm_trap_delete, void, (wc_opaque_t *))                                                                  \
  REQUIRED(wasm_byte_vec_delete, void, (wc_vec_t *))                                                                 \
  OPTIONAL(wasm_module_share, wc_opaque_t *, (const wc_opaque_t *))                                                  \
  OPTIONAL(wasm_module_obtain, wc_opaque_t *, (wc_opaque_t *, const wc_opaque_t *))                                  \
  OPTIONAL(wasm_shared_module_delete, void, (wc_opaque_t *))                                                         \
  OPTIONAL(wasm_trap_trace, void, (const wc_opaque_t *, wc_vec_t *))                                                 \
  OPTIONAL(wasm_frame_func_index, uint32_t, (const wc_opaque_t *))                                                   \
  OPTIONAL(wasm_frame_vec_delete, void, (wc_vec_t *))                                                                \
  OPTIONAL(wasm_config_new, wc_opaque_t *, (void))                                                                   \
  OPTIONAL(wasm_engine_new_with_config, wc_opaque_t *, (wc_opaque_t *))                                              \
  OPTIONAL(wasmtime_config_parallel_compilation_set, void, (wc_opaque_t *, bool))                                    \
  OPTIONAL(wasmtime_config_max_wasm_stack_set, void, (wc_opaque_t *, size_t))                                        \
  OPTIONAL(wasm_instance_new_with_args, wc_opaque_t *,                                                               \
           (wc_opaque_t *, const wc_opaque_t *, const wc_vec_t *, wc_opaque_t **, uint32_t, uint32_t))               \
  OPTIONAL(wasm_runtime_init_thread_env, bool, (void))                                                               \
  OPTIONAL(wasm_runtime_destroy_thread_env, void, (void))                                                            \
  OPTIONAL(wasm_runtime_thread_env_inited, bool, (void))

typedef struct wc_api {
#define WC_FIELD(name, result, params) result(*name) params;
  WC_SYMBOLS(WC_FIELD, WC_FIELD)
#undef WC_FIELD
} wc_api_t;

/* Where engines differ from the standard or from each other in what it leaves open, each by the symbol that tells. */
enum {
  WC_QUIRK_CONFIG = 1 << 0,    /* wasmtime: threads that compile would stay; the stack can be told */
  WC_QUIRK_HEAP = 1 << 1,      /* WAMR: a heap of its own in the guest's memory, unless it is told its size */
  WC_QUIRK_ANY_STORE = 1 << 2, /* Wasmer: modules are of no store, and are not shared between stores */
  WC_QUIRK_NO_TRACE = 1 << 3,  /* wasmi: wasm_trap_trace() ends the process */
  WC_QUIRK_THREADS = 1 << 4,   /* WAMR: each thread that calls says so before */
};

typedef struct wc_engine {
  struct wn_engine head;
  void *library;
  wc_opaque_t *engine;
  uint32_t quirks; /* WC_QUIRK_* */
  wc_api_t api;
} wc_engine_t;

/* The code for one set of limits, which are part of the code here. */
typedef struct wc_code {
  uint64_t memory_bytes, table_elements;
  wc_opaque_t *store, *module, *shared; /* shared: NULL with WC_QUIRK_ANY_STORE */
} wc_code_t;

typedef struct wc_module {
  struct wn_module head;
  wn_str_t wasm; /* ours, as it came */
  wn_wasm_t *info;
  size_t imports, func_imports;
  uint32_t lock; /* around code: 1 while somebody looks at it or makes it */
  wc_code_t code;
} wc_module_t;

typedef struct wc_binding {
  const wn_row_t *row;
  struct wc_guest *guest;
  wc_opaque_t *func; /* ours; NULL for a sibling's */
  const bool *apart; /* as in wn_provide_t */
} wc_binding_t;

/* Siblings live in one store; it ends with the last of them. */
typedef struct wc_store {
  wc_opaque_t *store;
  wn_guest_t *running; /* whom an interruption asks: the guest of the outermost call */
  uint32_t refs;
} wc_store_t;

typedef struct wc_guest {
  struct wn_instance head;
  const wc_engine_t *engine;
  wc_store_t *shared;
  wc_opaque_t *module, *instance, *memory; /* memory: borrowed from exports, NULL for none */
  wn_mem_t span;                           /* of memory, as it was last: it moves only when it grows */
  wc_vec_t exports;
  wc_binding_t *bindings; /* one per import, and one for the guard's */
  size_t binding_count;
  size_t asked; /* the export last asked for */
  wn_extern_t found;
} wc_guest_t;

static inline wc_engine_t *wc_engine_of(const wn_module_t *module) { return (wc_engine_t *)module->engine; }

/* A vector of ours over `size` items of `stride` bytes. */
static inline wc_vec_t wc_vec(void *data, size_t size, size_t stride) {
  return (wc_vec_t){size, data, size, stride, NULL};
}

/* wasm_c_api.c: the code of a module for the limits of a guest, as a module of its store: to be deleted. */
wn_err_t wc_module_take(wc_module_t *m, const wn_limits_t *limits, wc_opaque_t *store, wc_opaque_t **out,
                        wn_message_t *message);

/* wasm_c_api_instance.c: as in wn_engine_ops_t. */
wn_err_t wc_instance_start(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                           wn_message_t *message);
void wc_instance_close(wn_instance_t *instance);
wn_err_t wc_instance_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results);
wn_err_t wc_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message);
wn_err_t wc_instance_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func);
wn_err_t wc_instance_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message);
wn_err_t wc_instance_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *memory);
wn_mem_t wc_instance_span(const wn_memory_ref_t *memory);

#endif

/* wasm3.h - shared by the files of this adapter alone: its own structs, and what it uses of wasm3's C API, declared
 * here because its header is no dependency. Sources: wasm3.h, m3_core.h and m3_exec.h of 0.5.0 and of the newer tree
 * that still calls itself 0.5.0; both run in the tests.
 */
#ifndef WN_CORE_WASM3_H
#define WN_CORE_WASM3_H

#include "core/engine/adapter.h"
#include "core/engine/wasm_read.h"

typedef struct w3_opaque w3_opaque_t; /* stands for each type that we only point to */
typedef const char *w3_result_t;      /* NULL: fine */

typedef struct w3_context {
  void *userdata;
  w3_opaque_t *function;
} w3_context_t;
typedef struct w3_error {
  w3_result_t result;
  w3_opaque_t *runtime, *module, *function;
  const char *file;
  uint32_t line;
  const char *message;
} w3_error_t;
typedef struct w3_value {
  int type; /* 1: i32 */
  union {
    uint32_t u32;
    uint64_t u64;
    double f64; /* the alignment of the largest member */
  } of;
} w3_value_t;
/* What stands before the bytes of a memory. Not in wasm3.h, but the only place where the end of the stack for wasm
 * code can be moved; wasm3_open looks whether it is what we think. */
typedef struct w3_header {
  w3_opaque_t *runtime;
  void *stack_end;
  size_t length;
} w3_header_t;

/* sp: results first, then arguments, 8 bytes each. Not NULL: a trap. */
typedef const void *(*w3_raw_t)(w3_opaque_t *runtime, w3_context_t *context, uint64_t *sp, void *memory);

#define W3_SYMBOLS(REQUIRED)                                                                        \
  REQUIRED(m3_NewEnvironment, w3_opaque_t *, (void))                                                \
  REQUIRED(m3_FreeEnvironment, void, (w3_opaque_t *))                                               \
  REQUIRED(m3_NewRuntime, w3_opaque_t *, (w3_opaque_t *, uint32_t, void *))                         \
  REQUIRED(m3_FreeRuntime, void, (w3_opaque_t *))                                                   \
  REQUIRED(m3_GetMemory, uint8_t *, (w3_opaque_t *, uint32_t *, uint32_t))                          \
  REQUIRED(m3_ParseModule, w3_result_t, (w3_opaque_t *, w3_opaque_t **, const uint8_t *, uint32_t)) \
  REQUIRED(m3_FreeModule, void, (w3_opaque_t *))                                                    \
  REQUIRED(m3_LoadModule, w3_result_t, (w3_opaque_t *, w3_opaque_t *))                              \
  REQUIRED(m3_RunStart, w3_result_t, (w3_opaque_t *))                                               \
  REQUIRED(m3_LinkRawFunctionEx, w3_result_t,                                                       \
           (w3_opaque_t *, const char *, const char *, const char *, w3_raw_t, const void *))       \
  REQUIRED(m3_FindGlobal, w3_opaque_t *, (w3_opaque_t *, const char *))                             \
  REQUIRED(m3_SetGlobal, w3_result_t, (w3_opaque_t *, const w3_value_t *))                          \
  REQUIRED(m3_GetGlobal, w3_result_t, (w3_opaque_t *, w3_value_t *))                                \
  REQUIRED(m3_GetFunctionModule, w3_opaque_t *, (w3_opaque_t *))                                    \
  REQUIRED(m3_FindFunction, w3_result_t, (w3_opaque_t **, w3_opaque_t *, const char *))             \
  REQUIRED(m3_Call, w3_result_t, (w3_opaque_t *, uint32_t, const void **))                          \
  REQUIRED(m3_GetResults, w3_result_t, (w3_opaque_t *, uint32_t, const void **))                    \
  REQUIRED(m3_GetErrorInfo, void, (w3_opaque_t *, w3_error_t *))

typedef struct w3_api {
#define W3_FIELD(name, result, params) result(*name) params;
  W3_SYMBOLS(W3_FIELD)
#undef W3_FIELD
} w3_api_t;

typedef struct w3_guest w3_guest_t;

typedef struct w3_engine {
  struct wn_engine head;
  void *library;
  w3_api_t api;
  uint32_t lock;     /* around the list; never taken in a signal handler */
  w3_guest_t *first; /* whom a tick reaches */
} w3_engine_t;

/* A module as it is given to wasm3, which reads it as long as it lives: rewritten, with these limits. */
typedef struct w3_code {
  uint32_t refs; /* atomic */
  uint64_t memory_bytes, table_elements;
  wn_str_t wasm;
} w3_code_t;

typedef struct w3_module {
  struct wn_module head;
  wn_str_t wasm; /* ours, as it came */
  wn_wasm_t *info;
  size_t exports;
  uint32_t deepest; /* blocks in one another */
  uint32_t lock;    /* around code: 1 while somebody looks at it or makes it */
  w3_code_t *code;
} w3_module_t;

typedef struct w3_binding {
  const wn_row_t *row;
  w3_guest_t *guest;
  uint32_t first; /* where the arguments start: behind a result */
} w3_binding_t;

/* A runtime: one memory, and one stack of wasm code. Of one instance, and of those that import its memory. */
typedef struct w3_store {
  w3_opaque_t *environment, *runtime;
  w3_guest_t *first;   /* the last one that came; the others by peer */
  uint8_t *stack_base; /* of wasm code; NULL until it is known */
  uint8_t *at;         /* where the host call under way stands on it; NULL: none */
  uint64_t allowed;    /* bytes of it that may be used now */
  uint32_t depth;      /* calls under way */
} w3_store_t;

struct w3_guest {
  struct wn_instance head;
  const w3_api_t *api;
  w3_guest_t *next, **here; /* in the engine's list; here NULL: not in it */
  w3_code_t *code;
  w3_store_t *store;
  w3_guest_t *peer;
  w3_opaque_t *module, *stop; /* stop: the guard's global */
  w3_opaque_t **functions;    /* by export; NULL: not looked up yet */
  bool found_all;             /* or not to be found */
  w3_binding_t *bindings;
  uintptr_t stack[2]; /* of the thread that called last */
  bool has_memory;
  size_t asked; /* the export last asked for */
  wn_extern_t found;
};

static inline w3_engine_t *w3_engine_of(const wn_module_t *module) { return (w3_engine_t *)module->engine; }

/* A lock for what takes no time: two threads rarely meet there. */
static inline void w3_lock(const wn_os_t *os, uint32_t *lock) {
  while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) os->yield(os);
}
static inline void w3_unlock(uint32_t *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

/* wasm3.c: a module with these limits; give it back once the guest is gone. */
wn_err_t w3_code_take(w3_module_t *m, const wn_limits_t *limits, w3_code_t **out, wn_message_t *message);
void w3_code_give(const wn_os_t *os, w3_code_t *code);

/* wasm3_store.c: in->store, where stack is the bytes of a new one; the instance leaves it when it closes. */
wn_err_t w3_store_take(w3_guest_t *in, const wn_provide_t *provides, size_t count, uint64_t stack,
                       wn_message_t *message);
void w3_store_give(w3_guest_t *in);
/* The function that is the export `index`, compiled; NULL: *result says why not. */
w3_opaque_t *w3_function_find(w3_guest_t *in, size_t index, wn_str_t name, w3_result_t *result);
/* The globals that a module imports, which is not loaded yet. */
wn_err_t w3_constants_set(w3_guest_t *in, w3_opaque_t *module, const wn_provide_t *provides, size_t count,
                          wn_message_t *message);

/* wasm3_instance.c: all of them; from then on no other one is found. */
wn_err_t w3_functions_find(w3_guest_t *in, wn_message_t *message);
/* As in wn_engine_ops_t. */
wn_err_t w3_instance_start(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                           wn_message_t *message);
void w3_instance_close(wn_instance_t *instance);
void w3_instance_stop(wn_instance_t *instance);
wn_err_t w3_instance_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results);
wn_err_t w3_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message);
wn_err_t w3_instance_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func);
wn_err_t w3_instance_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message);
wn_err_t w3_instance_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *memory);
wn_mem_t w3_instance_span(const wn_memory_ref_t *memory);

/* What wasm3 says, as "kind: text" with what it adds. */
wn_err_t w3_result_take(w3_guest_t *in, w3_result_t result, wn_message_t *message);

#endif

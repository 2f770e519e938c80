/* engine.h - run a guest: engines, modules, instances; and the contract that an engine adapter fills.
 *
 *   wn_engine_open -> wn_module_load -> wn_instance_new(module, sys) -> wn_instance_call -> wn_instance_delete
 *
 * An engine and its modules may be used by many threads; an instance by one at a time.
 */
#ifndef WASI_NATIVE_ENGINE_H
#define WASI_NATIVE_ENGINE_H

#include "base.h"
#include "sys.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wn_engine wn_engine_t;
typedef struct wn_module wn_module_t;
typedef struct wn_instance wn_instance_t;
typedef struct wn_guest wn_guest_t;
typedef struct wn_comp wn_comp_t;             /* component.h */
typedef struct wn_canon_func wn_canon_func_t; /* component.h */

/* What an engine can do; doctor and the README's table print these names in this order. */
enum {
  WN_CAP_INTERRUPT = 1 << 0, /* an endless wasm loop can be ended */
  WN_CAP_MEMORY_LIMIT = 1 << 1,
  WN_CAP_TABLE_LIMIT = 1 << 2,
  WN_CAP_FUEL = 1 << 3,
  WN_CAP_SERIALIZE = 1 << 4, /* compiled code can be kept */
  WN_CAP_REENTER = 1 << 5,   /* exports can be called inside host functions */
  WN_CAP_BACKTRACE = 1 << 6,
  WN_CAP_WAT = 1 << 7,             /* text modules */
  WN_CAP_SHARE_FUNCTIONS = 1 << 8, /* an instance can import what another one exports: its functions, */
  WN_CAP_SHARE_MEMORIES = 1 << 9,
  WN_CAP_SHARE_TABLES = 1 << 10,
  WN_CAP_SHARE_CONSTANTS = 1 << 11, /* globals that never change, */
  WN_CAP_SHARE_GLOBALS = 1 << 12,   /* and those that do */
  WN_CAP_SIMD = 1 << 13,
  WN_CAP_MULTI_MEMORY = 1 << 14,
  WN_CAP_COUNT = 15
};

/* The name of capability bit `index` ("interrupt", "memory-limit" ...), NULL past the last. Any thread. */
WN_API const char *wn_cap_name(uint32_t index);

typedef struct wn_engine_config {
  uint64_t reservation;     /* address space reserved for one linear memory, bytes; 0: what the engine likes */
  uint64_t guard;           /* unmapped bytes behind it; only read when reservation is not 0 */
  uint64_t wasm_stack;      /* bytes of stack for wasm code; 0: what the engine likes */
  uint32_t tick_ms;         /* period of the ticker while a call needs one; 0: 20 */
  uint32_t compile_threads; /* 0 or 1: compile on the caller's thread and leave no threads behind */
  bool fuel;                /* count instructions: wn_limits_t.fuel works, code is slower */
  bool small_code;          /* favour compile time and size over speed */
  const wn_os_t *os;        /* NULL: wn_os_posix() */
} wn_engine_config_t;

/* name: "wasmtime", "fake"; path: the engine's shared library, NULL where it needs none or the loader finds it.
 * MISSING: no such engine or library; INVALID: a library of another engine or version. message: may be NULL. */
WN_API wn_err_t wn_engine_open(const char *name, const char *path, const wn_engine_config_t *config,
                               wn_engine_t **out, wn_message_t *message);
WN_API void wn_engine_close(wn_engine_t *engine); /* after its modules and instances. NULL is fine. */
WN_API const char *wn_engine_name(const wn_engine_t *engine);
WN_API uint32_t wn_engine_caps(const wn_engine_t *engine);
/* The names of the adapters built in, best first; NULL past the last. */
WN_API const char *wn_engine_list(size_t index);

/* Text to binary, where the engine has WN_CAP_WAT. *out is freed by wn_bytes_free(). INVALID with a message. */
WN_API wn_err_t wn_engine_wat(wn_engine_t *engine, wn_str_t text, wn_str_t *out, wn_message_t *message);
WN_API void wn_bytes_free(wn_str_t bytes);

/* ---- what we serve ---- */

/* One function that a guest can import from us. All texts are static. */
typedef struct wn_row_info {
  const char *module, *name;
  const char *params, *results; /* letters as in wn_host_func_t */
  const char *param_names;      /* "fd,iovs,iovs_len,nwritten" */
  const char *group;            /* the capability: "files", "clock" ... */
} wn_row_info_t;
/* Row `index` of all, in the order of the specifications; false past the last. Any thread. */
WN_API bool wn_row_get(size_t index, wn_row_info_t *out);

/* ---- modules ---- */

/* Validate and compile. INVALID with the engine's message. */
WN_API wn_err_t wn_module_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message);
/* Compiled code, for wn_module_restore() on the same engine, version and config. NOTSUP. */
WN_API wn_err_t wn_module_serialize(const wn_module_t *module, wn_str_t *out, wn_message_t *message);
/* From a file that wn_module_serialize() filled. The content is trusted: native code. INVALID: for another
 * engine, version or config, or damaged where that can be seen. */
WN_API wn_err_t wn_module_restore(wn_engine_t *engine, const char *path, wn_module_t **out, wn_message_t *message);
/* Module `part` of a file that has several: the core modules of a component that was compiled ahead of time. */
WN_API wn_err_t wn_module_restore_part(wn_engine_t *engine, const char *path, uint32_t part, wn_module_t **out,
                                       wn_message_t *message);
WN_API void wn_module_delete(wn_module_t *module);

enum { WN_EXTERN_FUNC = 0, WN_EXTERN_GLOBAL = 1, WN_EXTERN_TABLE = 2, WN_EXTERN_MEMORY = 3, WN_EXTERN_OTHER = 4 };
typedef struct wn_extern {
  wn_str_t module; /* empty for an export */
  wn_str_t name;
  uint32_t kind;   /* WN_EXTERN_* */
  char params[32]; /* of a function: letters as in wn_host_func_t; cut with '+' when longer */
  char results[8];
  uint64_t min, max; /* of a memory (pages) or table; max UINT64_MAX: none */
  bool shared, wide; /* of a memory: shared between threads; 64-bit */
  bool constant;     /* of a global that is imported: it never changes */
} wn_extern_t;
/* Import or export `index`; false past the last. Borrowed from the module. */
WN_API bool wn_module_import(const wn_module_t *module, size_t index, wn_extern_t *out);
WN_API bool wn_module_export(const wn_module_t *module, size_t index, wn_extern_t *out);

/* ---- instances ---- */

/* A number on its way in or out of a guest; floats by their bits. */
typedef uint64_t wn_value_t;

/* A function of the embedder: values holds the parameters, then takes the result. Return 0, or < 0 to end the
 * guest (WN_HOST: the embedder keeps the reason). It runs on the guest's thread, may call exports of the same
 * instance where the engine has WN_CAP_REENTER, and must not block beyond the guest's deadline. */
typedef wn_err_t (*wn_host_fn_t)(void *ctx, wn_guest_t *guest, wn_value_t *values);
typedef struct wn_host_func {
  const char *module, *name;
  const char *params, *results; /* "iI" : "i", with i i32, I i64, f f32, F f64 */
  wn_host_fn_t fn;
  void *ctx;
} wn_host_func_t;

/* Called around each row that a guest calls, in place of it; for traces and statistics. */
typedef struct wn_trace_call {
  const char *module, *name, *params, *results, *param_names;
  const wn_value_t *args;
  uint32_t nargs;
  wn_err_t err;         /* after: 0, or the verdict that ends the guest */
  wn_value_t result;    /* after: of a row with a result; the errno of WASI 0.1 rows */
  uint64_t nanoseconds; /* after */
  wn_guest_t *guest;
} wn_trace_call_t;
typedef void (*wn_trace_fn_t)(void *ctx, const wn_trace_call_t *call);

/* A live instance whose exports (functions, memories, tables, globals) serve the imports from `module`. */
typedef struct wn_sibling {
  const char *module;
  wn_instance_t *instance; /* of the same engine, with the same sys; delete it after the new one */
} wn_sibling_t;

/* What serves one import of a module that is part of a component. */
enum {
  WN_BIND_NAME = 0,   /* as without bindings: funcs, siblings, WASI's own rows */
  WN_BIND_EXPORT = 1, /* the export `name` of `instance`, of the kind that is imported; needs WN_CAP_SHARE_* */
  WN_BIND_FUNC = 2    /* a function of the component */
};
typedef struct wn_binding {
  uint32_t kind;           /* WN_BIND_* */
  wn_instance_t *instance; /* of the same engine, with the same sys; delete it after the new one */
  wn_str_t name;
  wn_canon_func_t *func; /* delete it after the instance */
} wn_binding_t;

typedef struct wn_instance_config {
  wn_sys_t *sys;               /* borrowed: delete it after the instance */
  const wn_host_func_t *funcs; /* looked at before WASI's own rows; copied */
  size_t func_count;
  const wn_sibling_t *siblings; /* looked at after funcs, before WASI's; needs WN_CAP_SHARE_* */
  size_t sibling_count;
  /* Of a module that is part of a component; all may be NULL. */
  wn_comp_t *comp;    /* the component instance that it is part of: delete it after the instance */
  wn_instance_t *kin; /* an earlier instance of the same tree of components: they share the engine's store */
  const wn_binding_t *bindings; /* one per import, in the module's order */
  size_t binding_count;
  wn_trace_fn_t trace; /* NULL: not traced, and nothing paid for it */
  void *trace_ctx;

  void *ctx; /* wn_guest_ctx() */
} wn_instance_config_t;

/* Link and instantiate, the module's start section included. LINK: message lists every missing import, one per
 * line "module\tname\treason". Else the verdict of the start section. */
WN_API wn_err_t wn_instance_new(wn_module_t *module, const wn_instance_config_t *config, wn_instance_t **out,
                                wn_message_t *message);
WN_API void wn_instance_delete(wn_instance_t *instance);

/* Call an export. BUSY: from a stream or interrupt function, inside a call of this guest; MISSING: no such function;
 * INVALID: other numbers of values, or the instance has ended. < 0: the guest has ended, wn_instance_get_end() and
 * message say how. values: parameters in, results out; room for the larger of both. */
WN_API wn_err_t wn_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams,
                                 size_t nresults, wn_message_t *message);

/* The exported memory `name` (NULL: "memory") as it is now; it moves when the guest grows it. MISSING. */
WN_API wn_err_t wn_instance_memory(wn_instance_t *instance, const char *name, uint8_t **base, uint64_t *size);

/* End the guest: wn_sys_cancel() and stop its computation. Any thread; safe in a signal handler. */
WN_API void wn_instance_cancel(wn_instance_t *instance);
WN_API void wn_instance_get_end(const wn_instance_t *instance, wn_end_t *end);
WN_API uint64_t wn_instance_fuel(wn_instance_t *instance); /* left; 0 where it is not counted */

/* For functions of the embedder. */
WN_API wn_instance_t *wn_guest_instance(wn_guest_t *guest);
WN_API void *wn_guest_ctx(const wn_guest_t *guest);
/* len bytes of guest memory at ptr, NULL when outside; good until the guest runs again. */
WN_API void *wn_guest_bytes(wn_guest_t *guest, uint32_t ptr, uint32_t len);

#ifdef __cplusplus
}
#endif
#endif

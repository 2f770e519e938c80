/* wasm2c.h - what the parts of this adapter share: wasm2c.c (engine and modules), wasm2c_link.c (imports),
 * wasm2c_instance.c.
 */
#ifndef WN_ENGINE_WASM2C_H
#define WN_ENGINE_WASM2C_H

#include "core/engine/adapter.h"
#include "wasi_native/aot.h"

#define VALUES_MAX 32u

typedef struct w2c_engine {
  struct wn_engine head;
  uint32_t epoch; /* atomic: one up is an interruption */
} w2c_engine_t;

typedef struct w2c_module {
  struct wn_module head;
  void *library;
  const wn_aot_guest_t *guest;
} w2c_module_t;

typedef struct w2c_instance w2c_instance_t;

/* What instances that share something have in common; one that shares nothing has its own. */
typedef struct w2c_shared {
  wn_aot_shared_t guest;
  uint64_t memory_bytes; /* of all memories */
  uint64_t elements;     /* of all tables */
  uint32_t users;
  uint32_t depth; /* calls of exports under way, in whichever of them */
  uint32_t frame_max;
  uintptr_t stack[2]; /* of the thread that called last */
  uintptr_t stack_limit;
  w2c_instance_t *first;   /* of all, by next */
  const wn_guest_t *ended; /* whose host call unwound last */
  uint32_t kind;           /* of the last trap, WN_TRAP_KIND_* */
  bool tables;             /* one calls functions of another with nobody between */
} w2c_shared_t;

struct w2c_instance {
  struct wn_instance head;
  wn_aot_host_t host;
  wn_aot_state_t *state;
  void *block;                   /* of the state */
  const wn_aot_memory_t *memory; /* exported as "memory", or NULL */
  const wn_row_t **rows;         /* by import; NULL: not a function, or a sibling's */
  wn_func_t *funcs;              /* by import: siblings' */
  void **items;                  /* by import */
  w2c_shared_t *shared;
  w2c_instance_t *next;
};

static inline const wn_os_t *w2c_os(const w2c_instance_t *in) { return in->head.module->engine->os; }
static inline const wn_aot_guest_t *w2c_guest(const w2c_instance_t *in) {
  return ((w2c_module_t *)in->head.module)->guest;
}

static inline bool w2c_shares(const wn_aot_guest_t *guest) { return guest->abi == WN_AOT_ABI_SHARED; }

/* What an import is, when it is no function; else NULL. */
static inline const wn_aot_item_t *w2c_item(const wn_aot_guest_t *guest, size_t index) {
  const wn_aot_item_t *item = w2c_shares(guest) ? &guest->items[index] : NULL;
  return item && item->kind != WN_EXTERN_FUNC ? item : NULL;
}

const wn_aot_export_t *w2c_find(const wn_aot_guest_t *guest, wn_str_t name, uint32_t kind);

/* The common part of its kin, or of the first sibling, or one of its own. NOMEM. */
wn_err_t w2c_join(w2c_instance_t *in, const wn_provide_t *provides, size_t count, int64_t fuel);
/* Before it is freed. Those that it shared a table with have ended then. */
void w2c_leave(w2c_instance_t *in);
/* Fills rows, funcs and items. INVALID: a sibling's export has another type. */
wn_err_t w2c_link(w2c_instance_t *in, const wn_provide_t *provides, size_t count, wn_message_t *message);

wn_err_t w2c_instantiate(wn_instance_t *instance, const wn_provide_t *provides, size_t count, wn_message_t *message);
void w2c_close_instance(wn_instance_t *instance);
wn_err_t w2c_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results);
wn_err_t w2c_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                  wn_message_t *message);
wn_err_t w2c_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func);
wn_err_t w2c_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message);
wn_err_t w2c_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *memory);
wn_mem_t w2c_span(const wn_memory_ref_t *memory);
uint64_t w2c_fuel(wn_instance_t *instance);

#endif

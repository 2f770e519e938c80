/* wasmtime_instance.c - a running module: its store, its host functions, its calls. */
#include <string.h>

#include "core/engine/wasmtime.h"

#define SLOT_SHIFT 1u /* wasmtime_val_raw_t has 16 bytes */
#define FUEL_UNLIMITED (UINT64_MAX >> 1)

/* What a host function of the engine carries. */
struct wt_binding {
  const wn_row_t *row;
  wt_guest_t *guest;
  const bool *apart; /* as in wn_provide_t */
};

static const bool never;

/* Adopts `item` when it is a memory that handlers can use, and lets go of it otherwise. */
static bool adopt_memory(wt_guest_t *in, wt_extern_t *item) {
  bool usable = item->kind == WT_MEMORY;
  if (usable) {
    wt_opaque_t *type = in->api->wasmtime_memory_type(in->context, &item->of.memory);
    usable = !in->api->wasmtime_memorytype_is64(type) && !in->api->wasmtime_memorytype_isshared(type);
    in->api->wasm_memorytype_delete(type);
  }
  if (usable) {
    in->memory = item->of.memory;
    in->has_memory = true;
    in->span = (wn_mem_t){NULL, 0};
  }
  in->api->wasmtime_extern_delete(item);
  return usable;
}

/* What a host call needs rarely stands apart, so that the usual way saves few registers. */
#define APART __attribute__((noinline, cold))

/* The start section calls before the instance is there. */
APART static void find_memory(wt_guest_t *in, wt_opaque_t *caller) {
  wt_extern_t item;
  const char *name = in->head.memory_name;
  if (in->api->wasmtime_caller_export_get(caller, name, strlen(name), &item)) adopt_memory(in, &item);
}

APART static void memory_grown(wt_guest_t *in, uint64_t size) {
  in->span = (wn_mem_t){in->api->wasmtime_memory_data(in->context, &in->memory), size};
}

/* A memory moves only when it grows, and its size is read at each call; the base costs as much again. */
static inline wn_mem_t own_span(wt_guest_t *in) {
  const uint64_t size = in->api->wasmtime_memory_data_size(in->context, &in->memory);
  if (WN_UNLIKELY(size != in->span.size)) memory_grown(in, size);
  return in->span;
}

APART static wt_opaque_t *unwind(const wt_guest_t *in, wn_err_t err) {
  const char *text = wn_err_text(err);
  return in->api->wasmtime_trap_new(text, strlen(text));
}

static wt_opaque_t *host_call(void *env, wt_opaque_t *caller, wt_raw_t *slots, size_t count) {
  (void)count;
  const wt_binding_t *b = env;
  wt_guest_t *in = b->guest;
  if (!*b->apart) {
    if (WN_UNLIKELY(!in->has_memory)) find_memory(in, caller);
    if (WN_LIKELY(in->has_memory)) in->head.guest.mem = own_span(in);
  }
  wn_err_t err = wn_dispatch(&in->head.guest, b->row, slots);
  return WN_LIKELY(err == 0) ? NULL : unwind(in, err);
}

static wt_opaque_t *epoch_passed(wt_opaque_t *context, void *data, uint64_t *delta, uint8_t *kind) {
  (void)context;
  wn_guest_t *guest = ((wt_store_t *)data)->running;
  wn_err_t err = wn_guest_check(guest);
  if (err) return ((wt_guest_t *)wn_guest_instance(guest))->api->wasmtime_error_new(wn_err_text(err));
  *delta = 1;
  *kind = 0; /* continue */
  return NULL;
}

/* Who runs in the store from now on; who did before. */
static wn_guest_t *run_as(wt_guest_t *in, wn_guest_t *guest) {
  wn_guest_t *before = in->shared->running;
  in->shared->running = guest;
  return before;
}

static wt_opaque_t *make_type(const wt_api_t *api, const wn_row_t *row) {
  wt_opaque_t *types[WT_VALUES_MAX];
  wt_vec_t vecs[2];
  const char *const texts[2] = {row->params, row->results};
  for (int k = 0; k < 2; k++) {
    size_t n = strlen(texts[k]);
    for (size_t i = 0; i < n; i++) {
      const char *at = strchr("iIfF", texts[k][i]);
      types[i] = api->wasm_valtype_new((uint8_t)(at - "iIfF"));
    }
    api->wasm_valtype_vec_new(&vecs[k], n, types);
  }
  return api->wasm_functype_new(&vecs[0], &vecs[1]);
}

static int64_t limit(uint64_t value) { return value && value < INT64_MAX ? (int64_t)value : -1; }

static wn_err_t make_store(wt_guest_t *in, wt_engine_t *e, const wn_limits_t *limits) {
  const wt_api_t *api = in->api;
  const wn_os_t *os = e->head.os;
  wt_store_t *shared = os->alloc(os, sizeof *shared);
  if (!shared) return WN_NOMEM;
  shared->store = api->wasmtime_store_new(e->engine, NULL, NULL);
  if (!shared->store) {
    os->free(os, shared);
    return WN_NOMEM;
  }
  shared->refs = 1;
  in->shared = shared;
  in->context = api->wasmtime_store_context(shared->store);
  api->wasmtime_store_limiter(shared->store, limit(limits->memory_bytes), limit(limits->table_elements), -1, -1, -1);
  api->wasmtime_store_epoch_deadline_callback(shared->store, epoch_passed, shared, NULL);
  if (e->head.config.fuel) {
    wt_opaque_t *error = api->wasmtime_context_set_fuel(in->context, limits->fuel ? limits->fuel : FUEL_UNLIMITED);
    if (error) return wt_error_take(api, error, WN_INVALID, NULL);
  }
  return 0;
}

/* The store of its kin, or of the first sibling, or one of its own. */
static wn_err_t take_store(wt_guest_t *in, wt_engine_t *e, const wn_provide_t *provides, size_t count) {
  const wt_guest_t *kin = (const wt_guest_t *)in->head.kin;
  for (size_t i = 0; !kin && i < count; i++) {
    if (!provides[i].row) kin = (const wt_guest_t *)provides[i].sibling;
  }
  if (kin) {
    in->shared = kin->shared;
    in->context = kin->context;
    in->shared->refs++;
    return 0;
  }
  return make_store(in, e, wn_guest_limits(&in->head.guest));
}

static bool make_import(wt_guest_t *in, const wn_provide_t *provide, wt_binding_t *binding, wt_extern_t *out) {
  const wt_api_t *api = in->api;
  if (!provide->row) {
    const wt_guest_t *sibling = (const wt_guest_t *)provide->sibling;
    return api->wasmtime_instance_export_get(in->context, &sibling->instance, provide->name.ptr, provide->name.len,
                                             out);
  }
  *binding = (wt_binding_t){provide->row, in, provide->apart ? provide->apart : &never};
  out->kind = WT_FUNC;
  wt_opaque_t *type = make_type(api, provide->row);
  api->wasmtime_func_new_unchecked(in->context, type, host_call, binding, NULL, &out->of.func);
  api->wasm_functype_delete(type);
  return true;
}

wn_err_t wt_instance_start(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                           wn_message_t *message) {
  wt_guest_t *in = (wt_guest_t *)instance;
  wt_engine_t *e = wt_engine_of(instance->module);
  const wt_api_t *api = in->api = &e->api;
  const wn_os_t *os = e->head.os;
  instance->guest.slot_shift = SLOT_SHIFT;
  wn_err_t err = take_store(in, e, provides, count);
  if (err) return wn_message_set(message, err, "no store: %s", wn_err_text(err));
  in->bindings = os->alloc(os, (count + 1) * sizeof *in->bindings);
  wt_extern_t *imports = os->alloc(os, (count + 1) * sizeof *imports);
  if (!in->bindings || !imports) {
    os->free(os, imports);
    return wn_message_set(message, WN_NOMEM, "no memory for an instance");
  }
  for (size_t i = 0; i < count; i++) {
    if (!make_import(in, &provides[i], &in->bindings[i], &imports[i])) {
      os->free(os, imports);
      return wn_message_set(message, WN_INVALID, "a sibling lost its export %.*s", (int)provides[i].name.len,
                            provides[i].name.ptr);
    }
  }
  wn_guest_t *outer = run_as(in, &instance->guest);
  api->wasmtime_context_set_epoch_deadline(in->context, 1);
  wt_opaque_t *trap = NULL;
  wt_opaque_t *error = api->wasmtime_instance_new(in->context, ((wt_module_t *)instance->module)->module, imports,
                                                  count, &in->instance, &trap);
  run_as(in, outer);
  os->free(os, imports);
  if (error) {
    if (instance->guest.end.err) return wt_unwound_take(in, error, message);
    return wt_error_take(api, error, WN_INVALID, message);
  }
  if (trap) return wt_trap_take(in, trap, message);
  wt_extern_t item;
  const char *name = instance->memory_name;
  /* Its own is the one, whoever called when the start section looked for one. */
  if (api->wasmtime_instance_export_get(in->context, &in->instance, name, strlen(name), &item)) {
    if (!adopt_memory(in, &item))
      return wn_message_set(message, WN_INVALID,
                            "the export \"memory\" is not a plain 32-bit memory: a shared or 64-bit one, or "
                            "another kind, cannot serve WASI 0.1");
  }
  return 0;
}

void wt_instance_close(wn_instance_t *instance) {
  wt_guest_t *in = (wt_guest_t *)instance;
  const wn_os_t *os = instance->module->engine->os;
  if (in->shared && --in->shared->refs == 0) {
    in->api->wasmtime_store_delete(in->shared->store);
    os->free(os, in->shared);
  }
  os->free(os, in->bindings);
}

static bool get_func(wt_guest_t *in, wn_str_t name, wt_func_t *out) {
  wt_extern_t item;
  if (!in->api->wasmtime_instance_export_get(in->context, &in->instance, name.ptr, name.len, &item)) return false;
  bool found = item.kind == WT_FUNC;
  if (found) *out = item.of.func;
  in->api->wasmtime_extern_delete(&item);
  return found;
}

wn_err_t wt_instance_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results) {
  wt_guest_t *in = (wt_guest_t *)instance;
  const wt_module_t *m = (const wt_module_t *)instance->module;
  const wt_api_t *api = in->api;
  for (size_t i = 0; i < m->exports.size; i++) {
    const wt_bytes_t *have = api->wasm_exporttype_name(m->exports.data[i]);
    if (have->size != name.len || memcmp(have->data, name.ptr, name.len) != 0) continue;
    const wt_opaque_t *type = api->wasm_exporttype_type(m->exports.data[i]);
    if (api->wasm_externtype_kind(type) != WN_EXTERN_FUNC) return WN_MISSING;
    const wt_opaque_t *func = api->wasm_externtype_as_functype_const(type);
    if (!wt_letters(api, api->wasm_functype_params(func), in->params, sizeof in->params) ||
        !wt_letters(api, api->wasm_functype_results(func), in->results, sizeof in->results) ||
        strchr(in->params, '?') || strchr(in->results, '?'))
      return WN_MISSING;
    *params = in->params;
    *results = in->results;
    return 0;
  }
  return WN_MISSING;
}

/* values: parameters in, results out; bit i of `narrow`: result i has 32 bits. */
static wn_err_t invoke(wt_guest_t *in, const wt_func_t *func, wn_value_t *values, size_t nparams, size_t nresults,
                       uint32_t narrow, wn_message_t *message) {
  const wt_api_t *api = in->api;
  const size_t room = nparams > nresults ? nparams : nresults;
  wt_raw_t slots[WT_VALUES_MAX];
  for (size_t i = 0; i < nparams; i++) slots[i].u64 = values[i];
  wn_guest_t *outer = run_as(in, &in->head.guest);
  if (!outer) {
    /* The epoch may have moved while nobody ran: one tick from now, then look for what came in between. */
    api->wasmtime_context_set_epoch_deadline(in->context, 1);
    wn_err_t err = wn_guest_check(&in->head.guest);
    if (err) {
      run_as(in, NULL);
      return err;
    }
  }
  wt_opaque_t *trap = NULL;
  wt_opaque_t *error = api->wasmtime_func_call_unchecked(in->context, func, slots, room, &trap);
  run_as(in, outer);
  if (error) return wt_unwound_take(in, error, message);
  if (trap) return wt_trap_take(in, trap, message);
  for (size_t i = 0; i < nresults; i++) values[i] = narrow >> i & 1 ? slots[i].u32 : slots[i].u64;
  return 0;
}

wn_err_t wt_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message) {
  wt_guest_t *in = (wt_guest_t *)instance;
  wt_func_t func;
  if (!get_func(in, name, &func)) return wn_message_set(message, WN_MISSING, "no such export");
  uint32_t narrow = 0;
  for (size_t i = 0; i < nresults; i++) narrow |= (uint32_t)(in->results[i] == 'i' || in->results[i] == 'f') << i;
  return invoke(in, &func, values, nparams, nresults, narrow, message);
}

wn_err_t wt_instance_func(wn_instance_t *instance, wn_str_t name, wn_func_t *out) {
  wt_func_t func;
  if (!get_func((wt_guest_t *)instance, name, &func)) return WN_MISSING;
  out->at[0] = func.store_id;
  out->at[1] = (uintptr_t)func.index;
  return 0;
}

wn_err_t wt_instance_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  const wt_func_t f = {func->at[0], (void *)(uintptr_t)func->at[1]};
  return invoke((wt_guest_t *)func->instance, &f, values, func->params, func->result != 0,
                func->result == 'i' || func->result == 'f', message);
}

enum {
  OTHER = 3
}; /* wn_memory_ref_t.at: 0, the memory that rows use; else the engine's words for another one, and 1 */
_Static_assert(sizeof(wt_memory_t) <= OTHER * sizeof(uint64_t), "a memory has room in a wn_memory_ref_t");

wn_err_t wt_instance_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *out) {
  wt_guest_t *in = (wt_guest_t *)instance;
  wt_extern_t item;
  if (in->has_memory && wn_rows_memory(instance, name)) return 0;
  if (!instance->started) return WN_MISSING; /* its start section runs, and the engine has not told where it is */
  if (!in->api->wasmtime_instance_export_get(in->context, &in->instance, name.ptr, name.len, &item))
    return WN_MISSING;
  const bool found = item.kind == WT_MEMORY;
  if (found) {
    memcpy(out->at, &item.of.memory, sizeof item.of.memory);
    out->at[OTHER] = 1;
  }
  in->api->wasmtime_extern_delete(&item);
  return found ? 0 : WN_MISSING;
}

wn_mem_t wt_instance_span(const wn_memory_ref_t *memory) {
  wt_guest_t *in = (wt_guest_t *)memory->instance;
  wt_memory_t other;
  if (WN_LIKELY(!memory->at[OTHER])) return own_span(in);
  memcpy(&other, memory->at, sizeof other);
  return (wn_mem_t){in->api->wasmtime_memory_data(in->context, &other),
                    in->api->wasmtime_memory_data_size(in->context, &other)};
}

uint64_t wt_instance_fuel(wn_instance_t *instance) {
  wt_guest_t *in = (wt_guest_t *)instance;
  uint64_t fuel = 0;
  wt_opaque_t *error = in->api->wasmtime_context_get_fuel(in->context, &fuel);
  if (error) in->api->wasmtime_error_delete(error);
  return error ? 0 : fuel;
}

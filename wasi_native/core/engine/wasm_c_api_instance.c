/* wasm_c_api_instance.c - a running module: its store, its host functions, its calls. */
#include "core/engine/wasm_c_api.h"

#include "core/engine/trap.h"
#include "core/engine/wasm_guard.h"

#define VALUES_MAX 32u
#define STACK_OF_OTHERS (256u << 10) /* WAMR's operand stack, where the board names none */

/* ---- host functions ---- */

static wc_opaque_t *unwind(const wc_guest_t *in, wn_err_t err) {
  const char *text = wn_err_text(err);
  const wc_vec_t message = wc_vec((void *)text, strlen(text) + 1, 1); /* with the 0: two engines end without it */
  return in->engine->api.wasm_trap_new(in->shared->store, &message);
}

static wn_mem_t own_span(wc_guest_t *in) {
  const wc_api_t *api = &in->engine->api;
  const size_t size = api->wasm_memory_data_size(in->memory);
  if (WN_UNLIKELY(size != in->span.size)) in->span = (wn_mem_t){api->wasm_memory_data(in->memory), size};
  return in->span;
}

static wc_opaque_t *host_call(void *env, const wc_vec_t *args, wc_vec_t *results) {
  const wc_binding_t *b = env;
  wc_guest_t *in = b->guest;
  const wc_val_t *arg = args->data;
  uint64_t slots[VALUES_MAX + 1]; /* the arguments are not ours to write to */
  slots[0] = 0;
  for (size_t i = 0; i < args->size; i++) slots[i] = arg[i].of.u64;
  if (in->memory && !(b->apart && *b->apart)) in->head.guest.mem = own_span(in);
  wn_err_t err = wn_dispatch(&in->head.guest, b->row, slots);
  if (WN_UNLIKELY(err != 0)) return unwind(in, err);
  if (b->row->results[0]) {
    wc_val_t *result = results->data;
    result->kind = (uint8_t)(strchr("iIfF", b->row->results[0]) - "iIfF");
    result->of.u64 = slots[0];
  }
  return NULL;
}

static wc_opaque_t *guard_call(void *env, const wc_vec_t *args, wc_vec_t *results) {
  (void)args, (void)results;
  wc_guest_t *in = env;
  wn_err_t err = wn_guest_check(in->shared->running);
  return WN_LIKELY(err == 0) ? NULL : unwind(in, err);
}

/* Who runs in the store from now on; who did before. */
static wn_guest_t *run_as(wc_guest_t *in, wn_guest_t *guest) {
  wn_guest_t *before = in->shared->running;
  in->shared->running = guest;
  return before;
}

/* ---- linking ---- */

static wc_opaque_t *make_type(const wc_api_t *api, const char *params, const char *results) {
  wc_opaque_t *types[VALUES_MAX];
  wc_vec_t vecs[2];
  const char *const texts[2] = {params, results};
  for (int k = 0; k < 2; k++) {
    const size_t n = strlen(texts[k]);
    for (size_t i = 0; i < n; i++) types[i] = api->wasm_valtype_new((uint8_t)(strchr("iIfF", texts[k][i]) - "iIfF"));
    api->wasm_valtype_vec_new(&vecs[k], n, types);
  }
  return api->wasm_functype_new(&vecs[0], &vecs[1]);
}

static wc_opaque_t *make_func(wc_guest_t *in, const char *params, const char *results, wc_host_fn_t fn, void *env) {
  const wc_api_t *api = &in->engine->api;
  wc_opaque_t *type = make_type(api, params, results);
  wc_opaque_t *func = api->wasm_func_new_with_env(in->shared->store, type, fn, env, NULL);
  api->wasm_functype_delete(type);
  return func;
}

/* The store of its kin, or of the first sibling, or one of its own. */
static wn_err_t take_store(wc_guest_t *in, const wn_provide_t *provides, size_t count) {
  const wn_os_t *os = in->engine->head.os;
  const wc_guest_t *kin = (const wc_guest_t *)in->head.kin;
  for (size_t i = 0; !kin && i < count; i++) {
    if (!provides[i].row) kin = (const wc_guest_t *)provides[i].sibling;
  }
  if (kin) {
    in->shared = kin->shared;
    in->shared->refs++;
    return 0;
  }
  wc_store_t *shared = os->alloc(os, sizeof *shared);
  if (!shared) return WN_NOMEM;
  shared->store = in->engine->api.wasm_store_new(in->engine->engine);
  shared->refs = 1;
  in->shared = shared;
  return shared->store ? 0 : WN_NOMEM;
}

/* Where `name` is among the exports, whose order is the module's. */
static bool find(wc_guest_t *in, wn_str_t name, wn_extern_t *out, size_t *index) {
  for (size_t i = 0; wn_module_export(in->head.module, i, out); i++) {
    if (out->name.len != name.len || memcmp(out->name.ptr, name.ptr, name.len) != 0) continue;
    *index = i;
    return i < in->exports.size;
  }
  return false;
}

static wc_opaque_t *export_at(const wc_guest_t *in, size_t index) {
  return ((wc_opaque_t *const *)in->exports.data)[index];
}

static wc_opaque_t *make_import(wc_guest_t *in, const wn_provide_t *provide, wc_binding_t *binding) {
  if (provide->row) {
    *binding = (wc_binding_t){.row = provide->row, .guest = in, .apart = provide->apart};
    binding->func = make_func(in, provide->row->params, provide->row->results, host_call, binding);
    return binding->func ? in->engine->api.wasm_func_as_extern(binding->func) : NULL;
  }
  wn_extern_t found;
  size_t index;
  wc_guest_t *sibling = (wc_guest_t *)provide->sibling;
  return find(sibling, provide->name, &found, &index) ? export_at(sibling, index) : NULL;
}

static wn_err_t make_imports(wc_guest_t *in, const wn_provide_t *provides, size_t count, wc_opaque_t **out,
                             wn_message_t *message) {
  for (size_t i = 0; i < count; i++) {
    out[i] = make_import(in, &provides[i], &in->bindings[i]);
    if (!out[i]) return wn_message_set(message, WN_NOMEM, "the engine gives no function for import %zu", i);
  }
  in->bindings[count].func = make_func(in, "", "", guard_call, in);
  if (!in->bindings[count].func) return wn_message_set(message, WN_NOMEM, "the engine gives no function");
  out[count] = in->engine->api.wasm_func_as_extern(in->bindings[count].func);
  return 0;
}

/* ---- the start ---- */

static wn_err_t trap_take(wc_guest_t *in, wc_opaque_t *trap, wn_message_t *message) {
  const wc_api_t *api = &in->engine->api;
  wn_err_t err = in->head.guest.end.err;
  if (!err) err = wn_guest_end(&in->head.guest, WN_TRAP_ENGINE);
  wc_vec_t words = {0};
  api->wasm_trap_message(trap, &words);
  size_t len = wn_trap_begin(message, &in->head.guest, err, wn_trap_find((wn_str_t){words.data, words.size}));
  api->wasm_byte_vec_delete(&words);
  if (api->wasm_trap_trace && api->wasm_frame_func_index && api->wasm_frame_vec_delete &&
      !(in->engine->quirks & WC_QUIRK_NO_TRACE)) {
    /* Our check stands before the module's own functions; code offsets are those of the rewritten code: left out. */
    const size_t shift = ((const wc_module_t *)in->head.module)->func_imports;
    wc_vec_t frames = {0};
    api->wasm_trap_trace(trap, &frames);
    for (size_t i = 0; i < frames.size; i++) {
      const uint32_t index = api->wasm_frame_func_index(((wc_opaque_t *const *)frames.data)[i]);
      len = wn_message_append_text(message, len, "\n  function ");
      len = wn_message_append_number(message, len, index > shift ? index - 1 : index, 10);
    }
    api->wasm_frame_vec_delete(&frames);
  }
  api->wasm_trap_delete(trap);
  return err;
}

static wn_err_t instantiate(wc_guest_t *in, wc_opaque_t **imports, size_t count, wn_message_t *message) {
  const wc_api_t *api = &in->engine->api;
  const wc_vec_t vec = wc_vec(imports, count, sizeof *imports);
  wc_opaque_t *trap = NULL;
  const uint64_t stack = in->engine->head.config.wasm_stack;
  if (in->engine->quirks & WC_QUIRK_HEAP)
    in->instance =
        api->wasm_instance_new_with_args(in->shared->store, in->module, &vec, &trap,
                                         stack && stack < UINT32_MAX ? (uint32_t)stack : STACK_OF_OTHERS, 0);
  else in->instance = api->wasm_instance_new(in->shared->store, in->module, &vec, &trap);
  if (trap) {
    /* What is no trap of the guest's (no memory, another type of a sibling) comes as one: it has not run yet. */
    wc_vec_t words = {0};
    api->wasm_trap_message(trap, &words);
    if (wn_trap_find((wn_str_t){words.data, words.size}) < WN_TRAP_KIND_COUNT) {
      api->wasm_byte_vec_delete(&words);
      return trap_take(in, trap, message);
    }
    wn_message_set(message, WN_INVALID, "%.*s", words.size < 1000 ? (int)words.size : 1000, (char *)words.data);
    api->wasm_byte_vec_delete(&words);
    api->wasm_trap_delete(trap);
    return WN_INVALID;
  }
  if (!in->instance) return wn_message_set(message, WN_INVALID, "the engine does not link this module");
  api->wasm_instance_exports(in->instance, &in->exports);
  return 0;
}

/* The thread that calls need not be the one that made the store. True: it leaves again. */
static bool enter_thread(const wc_guest_t *in) {
  const wc_api_t *api = &in->engine->api;
  if (!(in->engine->quirks & WC_QUIRK_THREADS) || !api->wasm_runtime_thread_env_inited) return false;
  return !api->wasm_runtime_thread_env_inited() && api->wasm_runtime_init_thread_env();
}

static wn_err_t call_func(wc_guest_t *in, size_t index, wc_val_t *args, size_t nargs, wc_val_t *results,
                          size_t nresults, wn_message_t *message) {
  const wc_api_t *api = &in->engine->api;
  const wc_opaque_t *func = api->wasm_extern_as_func(export_at(in, index));
  if (!func) return wn_message_set(message, WN_MISSING, "no such export");
  const wc_vec_t in_vec = wc_vec(args, nargs, sizeof *args);
  wc_vec_t out_vec = wc_vec(results, nresults, sizeof *results);
  wn_guest_t *outer = run_as(in, &in->head.guest);
  const bool entered = enter_thread(in);
  wc_opaque_t *trap = api->wasm_func_call(func, &in_vec, &out_vec);
  run_as(in, outer);
  wn_err_t err = trap ? trap_take(in, trap, message) : 0;
  if (entered && api->wasm_runtime_destroy_thread_env) api->wasm_runtime_destroy_thread_env();
  return err;
}

/* The memory that handlers use, then the start section, which the guard made an export: it can use memory so. */
static wn_err_t begin(wc_guest_t *in, wn_message_t *message) {
  wn_extern_t found;
  size_t index;
  const char *name = in->head.memory_name;
  if (find(in, (wn_str_t){name, strlen(name)}, &found, &index)) {
    if (found.kind != WN_EXTERN_MEMORY || found.wide || found.shared)
      return wn_message_set(message, WN_INVALID,
                            "the export \"memory\" is not a plain 32-bit memory: a shared or 64-bit one, or "
                            "another kind, cannot serve WASI 0.1");
    in->memory = in->engine->api.wasm_extern_as_memory(export_at(in, index));
  }
  for (index = 0; wn_module_export(in->head.module, index, &found);) index++;
  /* Behind the module's own exports: the counter, and the start function where there is one. */
  return index + 1 < in->exports.size ? call_func(in, index + 1, NULL, 0, NULL, 0, message) : 0;
}

wn_err_t wc_instance_start(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                           wn_message_t *message) {
  wc_guest_t *in = (wc_guest_t *)instance;
  in->engine = wc_engine_of(instance->module);
  const wn_os_t *os = in->engine->head.os;
  wn_err_t err = take_store(in, provides, count);
  if (err) return wn_message_set(message, err, "no store: %s", wn_err_text(err));
  err = wc_module_take((wc_module_t *)instance->module, wn_guest_limits(&instance->guest), in->shared->store,
                       &in->module, message);
  if (err) return err;
  in->bindings = os->alloc(os, (count + 1) * sizeof *in->bindings);
  wc_opaque_t **imports = os->alloc(os, (count + 1) * sizeof *imports);
  if (in->bindings && imports) {
    in->binding_count = count + 1;
    err = make_imports(in, provides, count, imports, message);
    if (!err) err = instantiate(in, imports, count + 1, message);
  } else {
    err = wn_message_set(message, WN_NOMEM, "no memory for an instance");
  }
  os->free(os, imports);
  return err ? err : begin(in, message);
}

void wc_instance_close(wn_instance_t *instance) {
  wc_guest_t *in = (wc_guest_t *)instance;
  const wc_api_t *api = &in->engine->api;
  const wn_os_t *os = in->engine->head.os;
  if (in->exports.data) api->wasm_extern_vec_delete(&in->exports);
  if (in->instance) api->wasm_instance_delete(in->instance);
  for (size_t i = 0; i < in->binding_count; i++) {
    if (in->bindings[i].func) api->wasm_func_delete(in->bindings[i].func);
  }
  if (in->module) api->wasm_module_delete(in->module);
  if (in->shared && --in->shared->refs == 0) {
    if (in->shared->store) api->wasm_store_delete(in->shared->store);
    os->free(os, in->shared);
  }
  os->free(os, in->bindings);
}

/* ---- calls ---- */

wn_err_t wc_instance_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results) {
  wc_guest_t *in = (wc_guest_t *)instance;
  if (!find(in, name, &in->found, &in->asked) || in->found.kind != WN_EXTERN_FUNC ||
      strpbrk(in->found.params, "?+") || strpbrk(in->found.results, "?+"))
    return WN_MISSING;
  *params = in->found.params;
  *results = in->found.results;
  return 0;
}

/* Two bits per parameter: its place in iIfF. */
static uint64_t kinds_of(const char *params) {
  uint64_t kinds = 0;
  for (size_t i = 0; params[i]; i++) kinds |= (uint64_t)(strchr("iIfF", params[i]) - "iIfF") << 2 * i;
  return kinds;
}

static wn_err_t invoke(wc_guest_t *in, size_t index, uint64_t kinds, wn_value_t *values, size_t nparams,
                       size_t nresults, uint32_t narrow, wn_message_t *message) {
  wc_val_t args[VALUES_MAX], results[VALUES_MAX] = {{0, {0}}};
  for (size_t i = 0; i < nparams; i++) {
    args[i].kind = kinds >> 2 * i & 3;
    args[i].of.u64 = values[i];
  }
  wn_err_t err = call_func(in, index, args, nparams, results, nresults, message);
  if (err) return err;
  for (size_t i = 0; i < nresults; i++) values[i] = narrow >> i & 1 ? results[i].of.u32 : results[i].of.u64;
  return 0;
}

wn_err_t wc_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message) {
  wc_guest_t *in = (wc_guest_t *)instance;
  (void)name; /* the one that the signature was asked of */
  uint32_t narrow = 0;
  for (size_t i = 0; i < nresults; i++)
    narrow |= (uint32_t)(in->found.results[i] == 'i' || in->found.results[i] == 'f') << i;
  return invoke(in, in->asked, kinds_of(in->found.params), values, nparams, nresults, narrow, message);
}

wn_err_t wc_instance_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func) {
  const wc_guest_t *in = (const wc_guest_t *)instance;
  (void)name;
  func->at[0] = in->asked;
  func->at[1] = kinds_of(in->found.params);
  return 0;
}

wn_err_t wc_instance_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  return invoke((wc_guest_t *)func->instance, (size_t)func->at[0], func->at[1], values, func->params,
                func->result != 0, func->result == 'i' || func->result == 'f', message);
}

wn_err_t wc_instance_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *out) {
  wc_guest_t *in = (wc_guest_t *)instance;
  wc_opaque_t *memory = in->memory;
  if (!memory || !wn_rows_memory(instance, name)) {
    wn_extern_t found;
    size_t index;
    if (!find(in, name, &found, &index) || found.kind != WN_EXTERN_MEMORY) return WN_MISSING;
    memory = in->engine->api.wasm_extern_as_memory(export_at(in, index));
  }
  if (!memory) return WN_MISSING;
  out->at[0] = (uintptr_t)memory;
  return 0;
}

wn_mem_t wc_instance_span(const wn_memory_ref_t *memory) {
  wc_guest_t *in = (wc_guest_t *)memory->instance;
  wc_opaque_t *at = (wc_opaque_t *)(uintptr_t)memory->at[0];
  if (at == in->memory) return own_span(in);
  return (wn_mem_t){in->engine->api.wasm_memory_data(at), in->engine->api.wasm_memory_data_size(at)};
}

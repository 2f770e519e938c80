/* engine.c - engines, modules and instances for embedders: what is the same whatever engine is below. */
#include <stdarg.h>
#include <stdio.h>

#include "core/engine/adapter.h"
#include "core/engine/ticker.h"

#define VALUES_MAX 32u
#define IMPORTS_MAX (1u << 20) /* products of it fit 32 bits */

static const wn_engine_ops_t *const adapters[] = {
#if UINTPTR_MAX > UINT32_MAX
    &wn_engine_wasmtime, /* its structs have the layout of 64-bit libraries, and there are no others */
#endif
    &wn_engine_wasm2c,   &wn_engine_wasm_c_api, &wn_engine_wasm3, &wn_engine_fake,
};
#define ADAPTER_COUNT (sizeof adapters / sizeof adapters[0])

wn_err_t wn_message_set(wn_message_t *message, wn_err_t err, const char *format, ...) {
  if (message) {
    va_list args;
    va_start(args, format);
    vsnprintf(message->text, sizeof message->text, format, args);
    va_end(args);
    message->err = err;
  }
  return err;
}

const char *wn_cap_name(uint32_t index) {
  static const char *const names[WN_CAP_COUNT] = {"interrupt", "memory-limit", "table-limit", "fuel",
                                                  "serialize", "reenter",      "backtrace",   "wat",
                                                  "siblings",  "simd",         "multi-memory"};
  return index < WN_CAP_COUNT ? names[index] : NULL;
}

const char *wn_engine_list(size_t index) { return index < ADAPTER_COUNT ? adapters[index]->name : NULL; }

wn_err_t wn_engine_open(const char *name, const char *path, const wn_engine_config_t *config, wn_engine_t **out,
                        wn_message_t *message) {
  static const wn_engine_config_t defaults;
  if (!config) config = &defaults;
  for (size_t i = 0; i < ADAPTER_COUNT; i++) {
    if (strcmp(adapters[i]->name, name) != 0) continue;
    wn_engine_t *engine = NULL;
    wn_err_t err = adapters[i]->open(path, config, &engine, message);
    if (err) return err;
    engine->ops = adapters[i];
    engine->config = *config;
    engine->os = config->os ? config->os : wn_os_posix();
    *out = engine;
    return 0;
  }
  return wn_message_set(message, WN_MISSING, "there is no engine named %.64s", name);
}

void wn_engine_close(wn_engine_t *engine) {
  if (!engine) return;
  wn_ticker_close(engine);
  engine->ops->close(engine);
}

const char *wn_engine_name(const wn_engine_t *engine) { return engine->ops->name; }
uint32_t wn_engine_caps(const wn_engine_t *engine) { return engine->caps; }

wn_err_t wn_engine_wat(wn_engine_t *engine, wn_str_t text, wn_str_t *out, wn_message_t *message) {
  if (!engine->ops->wat) return wn_message_set(message, WN_ENOTSUP, "%s reads no text modules", engine->ops->name);
  return engine->ops->wat(engine, text, out, message);
}

void wn_bytes_free(wn_str_t bytes) {
  const wn_os_t *os = wn_os_posix();
  os->free(os, (void *)bytes.ptr);
}

bool wn_row_get(size_t index, wn_row_info_t *out) {
  const wn_row_t *row = wn_link_row(index);
  if (!row) return false;
  *out = (wn_row_info_t){row->module, row->name, row->params, row->results, row->param_names, row->group};
  return true;
}

/* ---- modules ---- */

wn_err_t wn_module_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message) {
  return engine->ops->load(engine, wasm, out, message);
}

wn_err_t wn_module_serialize(const wn_module_t *module, wn_str_t *out, wn_message_t *message) {
  const wn_engine_ops_t *ops = module->engine->ops;
  if (!ops->serialize) return wn_message_set(message, WN_ENOTSUP, "%s keeps no compiled code", ops->name);
  return ops->serialize(module, out, message);
}

wn_err_t wn_module_restore(wn_engine_t *engine, const char *path, wn_module_t **out, wn_message_t *message) {
  if (!engine->ops->restore)
    return wn_message_set(message, WN_ENOTSUP, "%s keeps no compiled code", engine->ops->name);
  return engine->ops->restore(engine, path, out, message);
}

void wn_module_delete(wn_module_t *module) {
  if (module) module->engine->ops->module_delete(module);
}

bool wn_module_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  return module->engine->ops->import(module, index, out);
}
bool wn_module_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  return module->engine->ops->export(module, index, out);
}

/* ---- functions of the embedder, and traces: rows in another row's place ---- */

static void values_from_slots(const wn_guest_t *guest, const void *slots, const char *letters, wn_value_t *values,
                              uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t v = *WN_SLOT(guest, slots, i);
    values[i] = letters[i] == 'i' || letters[i] == 'f' ? (uint32_t)v : v;
  }
}

static wn_err_t host_func_row(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_host_func_t *func = row->ctx;
  wn_value_t values[VALUES_MAX];
  uint32_t count = (uint32_t)strlen(row->params);
  values_from_slots(guest, slots, row->params, values, count);
  wn_err_t err = func->fn(func->ctx, guest, values);
  if (err) return err < 0 ? err : WN_HOST;
  if (guest->end.err) return guest->end.err; /* by an export that it called, whatever it made of that */
  if (row->results[0]) *WN_SLOT(guest, slots, 0) = values[0];
  return 0;
}

static wn_err_t traced_row(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_row_t *inner = row->inner;
  wn_instance_t *instance = wn_guest_instance(guest);
  const wn_os_t *os = instance->module->engine->os;
  wn_value_t values[VALUES_MAX];
  uint32_t count = (uint32_t)strlen(inner->params);
  values_from_slots(guest, slots, inner->params, values, count);
  uint64_t start = 0, end = 0;
  os->clock_get(os, WN_CLOCK_MONOTONIC, &start);
  wn_err_t err = inner->fn(guest, inner, slots);
  os->clock_get(os, WN_CLOCK_MONOTONIC, &end);
  wn_trace_call_t call = {.module = inner->module,
                          .name = inner->name,
                          .params = inner->params,
                          .results = inner->results,
                          .param_names = inner->param_names,
                          .args = values,
                          .nargs = count,
                          .err = err,
                          .nanoseconds = end - start,
                          .guest = guest};
  if (err == 0 && inner->results[0]) call.result = *WN_SLOT(guest, slots, 0);
  instance->trace(instance->trace_ctx, &call);
  return err ? err : guest->end.err;
}

/* ---- linking ---- */

static bool str_is(wn_str_t s, const char *text) { return strlen(text) == s.len && memcmp(s.ptr, text, s.len) == 0; }

static const wn_host_func_t *find_func(const wn_instance_config_t *config, const wn_extern_t *want) {
  for (size_t i = 0; i < config->func_count; i++) {
    if (str_is(want->module, config->funcs[i].module) && str_is(want->name, config->funcs[i].name))
      return &config->funcs[i];
  }
  return NULL;
}

typedef struct missing {
  wn_message_t *message;
  size_t len;
  uint32_t count;
} missing_t;

static void missing_add(missing_t *m, const wn_extern_t *want, const char *reason) {
  m->count++;
  if (!m->message) return;
  size_t room = sizeof m->message->text - m->len;
  int n = snprintf(m->message->text + m->len, room, "%s%.*s\t%.*s\t%s", m->len ? "\n" : "", (int)want->module.len,
                   want->module.ptr, (int)want->name.len, want->name.ptr, reason);
  if (n > 0 && (size_t)n < room) m->len += (size_t)n;
  else m->message->text[m->len] = 0; /* no room for this one: the list ends with the one before */
}

/* A copy of `row` that traces stands in its place. */
static const wn_row_t *decorate(wn_instance_t *instance, const wn_row_t *row) {
  if (!instance->trace) return row;
  wn_row_t *decorated = &instance->rows[instance->row_count++];
  *decorated = *row;
  decorated->fn = traced_row;
  decorated->inner = row;
  return decorated;
}

static bool link_func(wn_instance_t *instance, const wn_instance_config_t *config, const wn_extern_t *want,
                      const wn_row_t **out) {
  const wn_host_func_t *func = find_func(config, want);
  if (!func) return false;
  wn_row_t *mine = &instance->rows[instance->row_count++];
  *mine = (wn_row_t){.module = func->module,
                     .name = func->name,
                     .params = func->params,
                     .results = func->results,
                     .param_names = "",
                     .group = "host",
                     .fn = host_func_row,
                     .ctx = (void *)func};
  *out = mine;
  return true;
}

/* The sibling that serves a module name; its exports are the engine's to check. */
static wn_instance_t *find_sibling(const wn_instance_config_t *config, const wn_extern_t *want) {
  for (size_t i = 0; i < config->sibling_count; i++) {
    if (str_is(want->module, config->siblings[i].module)) return config->siblings[i].instance;
  }
  return NULL;
}

static bool exports(const wn_instance_t *instance, wn_str_t name, uint32_t kind) {
  wn_extern_t have;
  for (size_t i = 0; wn_module_export(instance->module, i, &have); i++) {
    if (have.kind == kind && have.name.len == name.len && memcmp(have.name.ptr, name.ptr, name.len) == 0) return true;
  }
  return false;
}

/* What serves one import: a function of the embedder, a sibling, or WASI's own constant row. */
static void link_one(wn_instance_t *instance, const wn_instance_config_t *config, const wn_extern_t *want,
                     wn_provide_t *out, missing_t *missing) {
  const wn_row_t *row = NULL;
  bool is_func = want->kind == WN_EXTERN_FUNC;
  if (!is_func || !link_func(instance, config, want, &row)) {
    wn_instance_t *sibling = find_sibling(config, want);
    if (sibling) {
      *out = (wn_provide_t){.sibling = sibling, .name = want->name};
      if (!exports(sibling, want->name, want->kind)) missing_add(missing, want, "no such export of the sibling");
      return;
    }
    if (is_func) row = wn_link_find(want->module, want->name);
  }
  if (!is_func) {
    missing_add(missing, want, "only functions can be imported");
  } else if (!row) {
    missing_add(missing, want, wn_link_knows(want->module) ? "no such function in this module" : "unknown module");
  } else if (strcmp(row->params, want->params) != 0 || strcmp(row->results, want->results) != 0) {
    missing_add(missing, want, "imported with another signature");
  } else {
    out->row = decorate(instance, row);
  }
}

static wn_err_t check_config(const wn_module_t *module, const wn_instance_config_t *config, wn_message_t *message) {
  for (size_t i = 0; i < config->sibling_count; i++) {
    const wn_instance_t *sibling = config->siblings[i].instance;
    if (!(module->engine->caps & WN_CAP_SIBLINGS))
      return wn_message_set(message, WN_ENOTSUP, "%s shares nothing between instances", module->engine->ops->name);
    if (sibling->module->engine != module->engine || sibling->guest.sys != config->sys)
      return wn_message_set(message, WN_INVALID, "siblings are of one engine and one world");
    if (sibling->guest.end.err) return wn_message_set(message, WN_INVALID, "the sibling has ended");
  }
  for (size_t i = 0; i < config->func_count; i++) {
    const wn_host_func_t *f = &config->funcs[i];
    if (!f->fn || strlen(f->params) > VALUES_MAX || strspn(f->params, "iIfF") != strlen(f->params) ||
        strlen(f->results) > 1 || strspn(f->results, "iIfF") != strlen(f->results))
      return wn_message_set(message, WN_INVALID, "%s %s: a signature is up to 32 letters of iIfF and one result",
                            f->module, f->name);
  }
  return 0;
}

wn_err_t wn_instance_new(wn_module_t *module, const wn_instance_config_t *config, wn_instance_t **out,
                         wn_message_t *message) {
  wn_engine_t *engine = module->engine;
  const wn_os_t *os = engine->os;
  wn_err_t err = check_config(module, config, message);
  if (err) return err;
  size_t count = 0;
  wn_extern_t want;
  while (count <= IMPORTS_MAX && wn_module_import(module, count, &want)) count++;
  if (count > IMPORTS_MAX) return wn_message_set(message, WN_INVALID, "more than %u imports", IMPORTS_MAX);

  wn_instance_t *instance = os->alloc(os, engine->ops->instance_size);
  wn_provide_t *provides = os->alloc(os, (count + 1) * sizeof *provides);
  /* The embedder's functions are copied behind the rows, so that its array need not outlive this call. */
  size_t rows_size = 2 * count * sizeof(wn_row_t);
  uint8_t *block = os->alloc(os, rows_size + config->func_count * sizeof(wn_host_func_t) + 1);
  if (!instance || !provides || !block) {
    err = wn_message_set(message, WN_NOMEM, "no memory for an instance");
    goto free_all;
  }
  instance->rows = (wn_row_t *)block;
  wn_instance_config_t mine = *config;
  if (config->func_count)
    mine.funcs = memcpy(block + rows_size, config->funcs, config->func_count * sizeof(wn_host_func_t));
  instance->module = module;
  instance->trace = config->trace;
  instance->trace_ctx = config->trace_ctx;
  instance->guest.sys = config->sys;
  instance->guest.ctx = config->ctx;

  missing_t missing = {message, 0, 0};
  if (message) message->text[0] = 0;
  for (size_t i = 0; i < count; i++) {
    wn_module_import(module, i, &want);
    link_one(instance, &mine, &want, &provides[i], &missing);
  }
  if (missing.count) {
    if (message) message->err = WN_LINK;
    err = WN_LINK;
    goto free_all;
  }
  bool ticks = wn_guest_wants_ticks(&instance->guest);
  if (ticks) err = wn_ticker_begin(engine);
  if (err) {
    wn_message_set(message, err, "no thread for the ticker: %s", wn_err_text(err));
    goto free_all;
  }
  wn_guest_enter(&instance->guest);
  instance->depth = 1;
  err = engine->ops->instantiate(instance, provides, count, message);
  instance->depth = 0;
  wn_guest_leave(&instance->guest);
  if (ticks) wn_ticker_end(engine);
  if (instance->guest.end.err) err = instance->guest.end.err;
  if (err) {
    if (message) message->end = instance->guest.end;
    engine->ops->close_instance(instance);
    goto free_all;
  }
  os->free(os, provides);
  *out = instance;
  return 0;

free_all:
  os->free(os, block);
  os->free(os, provides);
  os->free(os, instance);
  return err;
}

void wn_instance_delete(wn_instance_t *instance) {
  if (!instance) return;
  const wn_os_t *os = instance->module->engine->os;
  instance->module->engine->ops->close_instance(instance);
  os->free(os, instance->rows);
  os->free(os, instance);
}

/* ---- calls ---- */

wn_err_t wn_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message) {
  wn_engine_t *engine = instance->module->engine;
  if (instance->guest.end.err)
    return wn_message_set(message, WN_INVALID, "the instance has ended: %s", wn_err_text(instance->guest.end.err));
  if (!wn_guest_may_call(&instance->guest))
    return wn_message_set(message, WN_EBUSY, "a stream or signal function may not call the guest that waits for it");
  const char *params, *results;
  wn_err_t err = engine->ops->signature(instance, name, &params, &results);
  if (err) return wn_message_set(message, err, "no exported function %.*s of numbers alone", (int)name.len, name.ptr);
  if (strlen(params) != nparams || strlen(results) != nresults)
    return wn_message_set(message, WN_INVALID, "%.*s takes %zu values and gives %zu, not %zu and %zu", (int)name.len,
                          name.ptr, strlen(params), strlen(results), nparams, nresults);
  bool outermost = instance->depth++ == 0;
  bool ticks = outermost && wn_guest_wants_ticks(&instance->guest);
  if (ticks && (err = wn_ticker_begin(engine)) != 0) {
    instance->depth--;
    return wn_message_set(message, err, "no thread for the ticker: %s", wn_err_text(err));
  }
  if (outermost) wn_guest_enter(&instance->guest);
  /* A cancel or a deadline before the call counts as one in it. */
  err = wn_guest_check(&instance->guest);
  if (!err) err = engine->ops->call(instance, name, values, nparams, nresults, message);
  if (outermost) wn_guest_leave(&instance->guest);
  if (ticks) wn_ticker_end(engine);
  instance->depth--;
  return instance->guest.end.err ? instance->guest.end.err : err;
}

wn_err_t wn_instance_memory(wn_instance_t *instance, const char *name, uint8_t **base, uint64_t *size) {
  return instance->module->engine->ops->memory(instance, name ? name : "memory", base, size);
}

void wn_instance_cancel(wn_instance_t *instance) {
  wn_engine_t *engine = instance->module->engine;
  wn_guest_cancel(&instance->guest);
  if (engine->ops->stop) engine->ops->stop(instance);
  else if (engine->ops->interrupt) engine->ops->interrupt(engine);
}

void wn_instance_get_end(const wn_instance_t *instance, wn_end_t *end) { *end = instance->guest.end; }

uint64_t wn_instance_fuel(wn_instance_t *instance) {
  const wn_engine_ops_t *ops = instance->module->engine->ops;
  return ops->fuel ? ops->fuel(instance) : 0;
}

wn_instance_t *wn_guest_instance(wn_guest_t *guest) {
  return (wn_instance_t *)((char *)guest - offsetof(wn_instance_t, guest));
}
void *wn_guest_ctx(const wn_guest_t *guest) { return guest->ctx; }
void *wn_guest_bytes(wn_guest_t *guest, uint32_t ptr, uint32_t len) {
  /* Asked anew: a nested call of an export may have moved the memory since the dispatch. */
  wn_mem_t mem = {NULL, 0};
  uint8_t *out;
  if (wn_instance_memory(wn_guest_instance(guest), NULL, &mem.base, &mem.size)) return NULL;
  return wn_mem_bytes(&mem, ptr, len, &out) ? NULL : out;
}

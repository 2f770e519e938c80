/* engine.c - engines, modules and instances for embedders: what is the same whatever engine is below. */
#include <stdarg.h>
#include <stdio.h>

#include "core/engine/adapter.h"
#include "core/engine/bindings.h"
#include "core/engine/ticker.h"

#define IMPORTS_MAX (1u << 20) /* products of it fit 32 bits */
#define FUNC_PARAMS_MAX 32u

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
  static const char *const names[WN_CAP_COUNT] = {
      "interrupt",     "memory-limit", "table-limit",     "fuel",           "serialize",    "reenter",
      "backtrace",     "wat",          "share-functions", "share-memories", "share-tables", "share-constants",
      "share-globals", "simd",         "multi-memory"};
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
  return wn_module_restore_part(engine, path, 0, out, message);
}

wn_err_t wn_module_restore_part(wn_engine_t *engine, const char *path, uint32_t part, wn_module_t **out,
                                wn_message_t *message) {
  if (!engine->ops->restore)
    return wn_message_set(message, WN_ENOTSUP, "%s keeps no compiled code", engine->ops->name);
  return engine->ops->restore(engine, path, part, out, message);
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

/* ---- what the floors below ask of us: wn_runner_t ---- */

static wn_err_t runner_func(wn_instance_t *instance, wn_str_t name, const char *params, const char *results,
                            wn_func_t *out) {
  const wn_engine_ops_t *ops = instance->module->engine->ops;
  const char *have, *gives;
  if (!instance->started) return WN_MISSING; /* its start section runs */
  wn_err_t err = ops->signature(instance, name, &have, &gives);
  if (err) return err;
  if (strlen(have) > FUNC_PARAMS_MAX || strlen(gives) > 1) return WN_MISSING;
  if ((params && strcmp(have, params) != 0) || (results && strcmp(gives, results) != 0)) return WN_INVALID;
  wn_func_t func = {.instance = instance,
                    .call = ops->call_func,
                    .params = (uint8_t)strlen(have),
                    .result = gives[0],
                    .watched = ops->stop != NULL};
  if ((err = ops->func(instance, name, &func)) != 0) return err;
  *out = func;
  return 0;
}

static wn_err_t runner_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *out) {
  const wn_engine_ops_t *ops = instance->module->engine->ops;
  wn_memory_ref_t memory = {.instance = instance, .span = ops->span};
  wn_err_t err = ops->memory(instance, name, &memory);
  if (!err) *out = memory;
  return err;
}

static wn_err_t runner_ticks_begin(wn_instance_t *instance, wn_message_t *message) {
  wn_err_t err = wn_ticker_begin(instance->module->engine);
  return err ? wn_message_set(message, err, "no thread for the ticker: %s", wn_err_text(err)) : 0;
}

static void runner_ticks_end(wn_instance_t *instance) { wn_ticker_end(instance->module->engine); }

static const wn_runner_t runner = {
    .func = runner_func, .memory = runner_memory, .ticks_begin = runner_ticks_begin, .ticks_end = runner_ticks_end};

/* ---- instances ---- */

static bool exported(const wn_module_t *module, const char *name) {
  wn_extern_t item;
  for (size_t i = 0; wn_module_export(module, i, &item); i++) {
    if (item.name.len == strlen(name) && memcmp(item.name.ptr, name, item.name.len) == 0) return true;
  }
  return false;
}

/* What handlers use as memory: modules of the build targets of the component model have a longer name for it. */
static const char *memory_name(const wn_module_t *module) {
  static const char standard[] = "cm32p2_memory";
  return !exported(module, "memory") && exported(module, standard) ? standard : "memory";
}

static wn_str_t rows_memory(const wn_instance_t *instance) {
  return (wn_str_t){instance->memory_name, strlen(instance->memory_name)};
}

/* Of a module that imports functions of WASI 0.2 by name: how they speak with it. */
static wn_err_t be_component(wn_instance_t *instance, wn_message_t *message) {
  if (!instance->wants_comp) return 0;
  wn_err_t err = 0;
  if (!instance->guest.comp) err = wn_comp_new(instance->guest.sys, NULL, &instance->own);
  if (err) return wn_message_set(message, err, "no memory for an instance");
  if (instance->own) instance->guest.comp = instance->own;
  instance->opts.comp = instance->guest.comp;
  instance->guest.opts = &instance->opts;
  return 0;
}

/* What calls go by from now on, without a name. */
static void find_exports(wn_instance_t *instance) {
  static const char *const names[] = {"cabi_realloc", "cm32p2_realloc"};
  runner_memory(instance, rows_memory(instance), &instance->memory);
  if (!instance->guest.opts) return;
  instance->opts.memory = instance->memory;
  for (size_t i = 0; i < sizeof names / sizeof *names && !instance->opts.realloc.instance; i++) {
    wn_func_t func;
    if (wn_func_get(instance, (wn_str_t){names[i], strlen(names[i])}, &func)) continue;
    if (func.params == 4 && func.result == 'i') instance->opts.realloc = func;
  }
}

wn_err_t wn_instance_new(wn_module_t *module, const wn_instance_config_t *config, wn_instance_t **out,
                         wn_message_t *message) {
  wn_engine_t *engine = module->engine;
  const wn_os_t *os = engine->os;
  size_t count = 0;
  wn_extern_t want;
  while (count <= IMPORTS_MAX && wn_module_import(module, count, &want)) count++;
  if (count > IMPORTS_MAX) return wn_message_set(message, WN_INVALID, "more than %u imports", IMPORTS_MAX);
  wn_err_t err = wn_bind_check(module, count, config, message);
  if (err) return err;

  wn_instance_t *instance = os->alloc(os, engine->ops->instance_size);
  wn_provide_t *provides = os->alloc(os, (count + 1) * sizeof *provides);
  /* The embedder's functions are copied behind the rows, so that its array need not outlive this call. */
  const size_t rows_size = 2 * count * sizeof(wn_row_t), funcs_size = config->func_count * sizeof(wn_host_func_t);
  const size_t others = wn_bind_others(config, engine, count);
  uint8_t *block = os->alloc(os, rows_size + funcs_size + others * sizeof(wn_other_t) + 1);
  if (!instance || !provides || !block) {
    err = wn_message_set(message, WN_NOMEM, "no memory for an instance");
    goto free_all;
  }
  instance->rows = (wn_row_t *)block;
  wn_instance_config_t mine = *config;
  if (config->func_count) mine.funcs = memcpy(block + rows_size, config->funcs, funcs_size);
  instance->others = (wn_other_t *)(block + rows_size + funcs_size);
  instance->module = module;
  instance->trace = config->trace;
  instance->trace_ctx = config->trace_ctx;
  instance->guest.sys = config->sys;
  instance->guest.runner = &runner;
  instance->guest.ctx = config->ctx;

  instance->kin = config->kin;
  instance->guest.comp = config->comp;
  instance->memory_name = memory_name(module);
  err = wn_bind_all(instance, &mine, provides, count, message);
  if (!err) err = be_component(instance, message);
  if (err) goto free_all;
  bool ticks = wn_guest_wants_ticks(&instance->guest);
  if (ticks) err = wn_ticker_begin(engine);
  if (err) {
    wn_message_set(message, err, "no thread for the ticker: %s", wn_err_text(err));
    goto free_all;
  }
  wn_guest_enter(&instance->guest);
  instance->guest.depth = 1;
  err = engine->ops->instantiate(instance, provides, count, message);
  instance->guest.depth = 0;
  wn_guest_leave(&instance->guest);
  if (ticks) wn_ticker_end(engine);
  if (instance->guest.end.err) err = instance->guest.end.err;
  if (err) {
    if (message) {
      message->end = instance->guest.end;
      message->end.reason = NULL; /* the text has it; this one goes with the instance */
    }
    engine->ops->close_instance(instance);
    goto free_all;
  }
  instance->started = true;
  find_exports(instance);
  os->free(os, provides);
  *out = instance;
  return 0;

free_all:
  if (instance) wn_comp_delete(instance->own);
  os->free(os, block);
  os->free(os, provides);
  os->free(os, instance);
  return err;
}

void wn_instance_delete(wn_instance_t *instance) {
  if (!instance) return;
  const wn_os_t *os = instance->module->engine->os;
  instance->module->engine->ops->close_instance(instance);
  wn_comp_delete(instance->own);
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
  bool outermost = instance->guest.depth++ == 0;
  bool ticks = outermost && wn_guest_wants_ticks(&instance->guest);
  if (ticks && (err = wn_ticker_begin(engine)) != 0) {
    instance->guest.depth--;
    return wn_message_set(message, err, "no thread for the ticker: %s", wn_err_text(err));
  }
  if (outermost) wn_guest_enter(&instance->guest);
  /* A cancel or a deadline before the call counts as one in it. */
  err = wn_guest_check(&instance->guest);
  wn_instance_t *outer = wn_guest_running(&instance->guest);
  if (!err && engine->ops->stop) err = wn_guest_run(&instance->guest, instance);
  if (!err) err = engine->ops->call(instance, name, values, nparams, nresults, message);
  if (engine->ops->stop) wn_guest_run(&instance->guest, outer);
  if (outermost) wn_guest_leave(&instance->guest);
  if (ticks) wn_ticker_end(engine);
  instance->guest.depth--;
  return instance->guest.end.err ? instance->guest.end.err : err;
}

wn_err_t wn_instance_memory(wn_instance_t *instance, const char *name, uint8_t **base, uint64_t *size) {
  wn_memory_ref_t memory;
  wn_err_t err = runner_memory(instance, name ? (wn_str_t){name, strlen(name)} : rows_memory(instance), &memory);
  if (err) return err;
  const wn_mem_t now = memory.span(&memory);
  *base = now.base;
  *size = now.size;
  return 0;
}

void wn_instance_cancel(wn_instance_t *instance) {
  wn_engine_t *engine = instance->module->engine;
  wn_guest_cancel(&instance->guest);
  if (!engine->ops->stop) {
    if (engine->ops->interrupt) engine->ops->interrupt(engine);
    return;
  }
  engine->ops->stop(instance);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  wn_instance_t *running = wn_guest_running(&instance->guest);
  if (running && running != instance) engine->ops->stop(running);
}

void wn_instance_get_end(const wn_instance_t *instance, wn_end_t *end) { *end = instance->guest.end; }

uint64_t wn_instance_fuel(wn_instance_t *instance) {
  const wn_engine_ops_t *ops = instance->module->engine->ops;
  return ops->fuel ? ops->fuel(instance) : 0;
}

wn_instance_t *wn_guest_instance(wn_guest_t *guest) { return (wn_instance_t *)guest; }
void *wn_guest_ctx(const wn_guest_t *guest) { return guest->ctx; }
void *wn_guest_bytes(wn_guest_t *guest, uint32_t ptr, uint32_t len) {
  /* Asked anew: a nested call of an export may have moved the memory since the dispatch. */
  wn_memory_ref_t memory =
      guest->opts && guest->opts->memory.instance ? guest->opts->memory : wn_guest_instance(guest)->memory;
  wn_instance_t *instance = wn_guest_instance(guest);
  uint8_t *out;
  if (!memory.instance && runner_memory(instance, rows_memory(instance), &memory)) return NULL;
  const wn_mem_t mem = memory.span(&memory);
  return wn_mem_bytes(&mem, ptr, len, &out) ? NULL : out;
}

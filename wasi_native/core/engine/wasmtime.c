/* wasmtime.c - the adapter of wasmtime, through the C API of its shared library.
 *
 * Choices: host functions are unchecked and raw (the slots are the engine's own); code is compiled on the
 * caller's thread, because the engine's worker threads would stay and share the descriptor table, which slows
 * every later descriptor call of the process; epochs interrupt; one store per instance.
 */
#include "core/engine/wasmtime.h"

#include <string.h>

/* ---- engine ---- */

static wn_err_t load_api(void *library, wt_api_t *api, wn_message_t *message) {
  const char *missing = NULL;
#define WT_LOAD(name, result, params) *(void **)&api->name = wn_os_library_symbol(library, #name);
#define WT_LOAD_REQUIRED(name, result, params) \
  WT_LOAD(name, result, params)                \
  if (!api->name) missing = #name;
  WT_SYMBOLS(WT_LOAD_REQUIRED, WT_LOAD)
#undef WT_LOAD_REQUIRED
#undef WT_LOAD
  if (missing)
    return wn_message_set(message, WN_INVALID, "not a library of a wasmtime that is supported: %s is missing",
                          missing);
  return 0;
}

static wt_opaque_t *make_config(const wt_api_t *api, const wn_engine_config_t *config) {
  wt_opaque_t *c = api->wasm_config_new();
  if (!c) return NULL;
  api->wasmtime_config_epoch_interruption_set(c, true);
  api->wasmtime_config_consume_fuel_set(c, config->fuel);
  if (config->wasm_stack) api->wasmtime_config_max_wasm_stack_set(c, (size_t)config->wasm_stack);
  if (config->reservation) {
    api->wasmtime_config_memory_reservation_set(c, config->reservation);
    api->wasmtime_config_memory_guard_size_set(c, config->guard);
    /* Growth beyond the reservation moves the memory; spare room for more of it is address space again. */
    api->wasmtime_config_memory_reservation_for_growth_set(c, config->guard);
  }
  if (api->wasmtime_config_parallel_compilation_set)
    api->wasmtime_config_parallel_compilation_set(c, config->compile_threads > 1);
  if (config->small_code && api->wasmtime_config_cranelift_opt_level_set)
    api->wasmtime_config_cranelift_opt_level_set(c, 2);
  return c;
}

static wn_err_t wasmtime_open(const char *path, const wn_engine_config_t *config, wn_engine_t **out,
                              wn_message_t *message) {
  const wn_os_t *os = config->os ? config->os : wn_os_posix();
  const char *why = "";
  void *library = wn_os_library_open(path ? path : "libwasmtime.so", &why);
  if (!library) return wn_message_set(message, WN_MISSING, "%s", why);
  wt_engine_t *e = os->alloc(os, sizeof *e);
  wn_err_t err = e ? load_api(library, &e->api, message) : wn_message_set(message, WN_NOMEM, "no memory");
  if (!err) {
    wt_opaque_t *c = make_config(&e->api, config);
    e->engine = c ? e->api.wasm_engine_new_with_config(c) : NULL; /* owns the config */
    if (!e->engine) err = wn_message_set(message, WN_INVALID, "wasmtime refused the configuration");
  }
  if (err) {
    os->free(os, e);
    wn_os_library_close(library);
    return err;
  }
  e->library = library;
  e->head.caps = WN_CAP_INTERRUPT | WN_CAP_MEMORY_LIMIT | WN_CAP_TABLE_LIMIT | WN_CAP_FUEL | WN_CAP_SERIALIZE |
                 WN_CAP_REENTER | WN_CAP_SHARE_ALL | WN_CAP_BACKTRACE | WN_CAP_SIMD | WN_CAP_MULTI_MEMORY |
                 (e->api.wasmtime_wat2wasm ? WN_CAP_WAT : 0);
  *out = &e->head;
  return 0;
}

static void wasmtime_close(wn_engine_t *engine) {
  wt_engine_t *e = (wt_engine_t *)engine;
  e->api.wasm_engine_delete(e->engine);
  /* The library stays: its thread-locals and signal handlers outlive the engine. */
  engine->os->free(engine->os, e);
}

static void wasmtime_interrupt(wn_engine_t *engine) {
  wt_engine_t *e = (wt_engine_t *)engine;
  e->api.wasmtime_engine_increment_epoch(e->engine);
}

static wn_err_t copy_out(const wt_engine_t *e, wt_bytes_t *bytes, wn_str_t *out, wn_message_t *message) {
  const wn_os_t *os = wn_os_posix(); /* wn_bytes_free() gives it back there */
  char *copy = os->alloc(os, bytes->size + 1);
  if (copy) {
    memcpy(copy, bytes->data, bytes->size);
    *out = (wn_str_t){copy, bytes->size};
  }
  e->api.wasm_byte_vec_delete(bytes);
  return copy ? 0 : wn_message_set(message, WN_NOMEM, "no memory");
}

static wn_err_t wasmtime_wat(wn_engine_t *engine, wn_str_t text, wn_str_t *out, wn_message_t *message) {
  wt_engine_t *e = (wt_engine_t *)engine;
  if (!e->api.wasmtime_wat2wasm) return wn_message_set(message, WN_ENOTSUP, "this build reads no text modules");
  wt_bytes_t bytes;
  wt_opaque_t *error = e->api.wasmtime_wat2wasm(text.ptr, text.len, &bytes);
  if (error) return wt_error_take(&e->api, error, WN_INVALID, message);
  return copy_out(e, &bytes, out, message);
}

/* ---- modules ---- */

static wn_err_t wrap_module(wt_engine_t *e, wt_opaque_t *module, wn_module_t **out, wn_message_t *message) {
  const wn_os_t *os = e->head.os;
  wt_module_t *m = os->alloc(os, sizeof *m);
  if (!m) {
    e->api.wasmtime_module_delete(module);
    return wn_message_set(message, WN_NOMEM, "no memory for a module");
  }
  m->head.engine = &e->head;
  m->module = module;
  e->api.wasmtime_module_imports(module, &m->imports);
  e->api.wasmtime_module_exports(module, &m->exports);
  *out = &m->head;
  return 0;
}

static wn_err_t wasmtime_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message) {
  wt_engine_t *e = (wt_engine_t *)engine;
  wt_opaque_t *module = NULL;
  wt_opaque_t *error = e->api.wasmtime_module_new(e->engine, (const uint8_t *)wasm.ptr, wasm.len, &module);
  if (error) return wt_error_take(&e->api, error, WN_INVALID, message);
  wn_err_t err = wt_types_check(e->head.os, wasm, message);
  if (err) {
    e->api.wasmtime_module_delete(module);
    return err;
  }
  return wrap_module(e, module, out, message);
}

static wn_err_t wasmtime_serialize(const wn_module_t *module, wn_str_t *out, wn_message_t *message) {
  wt_engine_t *e = wt_engine_of(module);
  wt_bytes_t bytes;
  wt_opaque_t *error = e->api.wasmtime_module_serialize(((const wt_module_t *)module)->module, &bytes);
  if (error) return wt_error_take(&e->api, error, WN_INVALID, message);
  return copy_out(e, &bytes, out, message);
}

static wn_err_t wasmtime_restore(wn_engine_t *engine, const char *path, uint32_t part, wn_module_t **out,
                                 wn_message_t *message) {
  if (part) return wn_message_set(message, WN_INVALID, "%s has no part %u", path, part);
  wt_engine_t *e = (wt_engine_t *)engine;
  wt_opaque_t *module = NULL;
  wt_opaque_t *error = e->api.wasmtime_module_deserialize_file(e->engine, path, &module);
  if (error) return wt_error_take(&e->api, error, WN_INVALID, message);
  return wrap_module(e, module, out, message);
}

static void wasmtime_module_delete(wn_module_t *module) {
  wt_engine_t *e = wt_engine_of(module);
  wt_module_t *m = (wt_module_t *)module;
  e->api.wasm_importtype_vec_delete(&m->imports);
  e->api.wasm_exporttype_vec_delete(&m->exports);
  e->api.wasmtime_module_delete(m->module);
  e->head.os->free(e->head.os, m);
}

bool wt_letters(const wt_api_t *api, const wt_vec_t *types, char *out, size_t cap) {
  size_t n = types->size < cap - 1 ? types->size : cap - 1;
  for (size_t i = 0; i < n; i++) {
    uint8_t kind = api->wasm_valtype_kind(types->data[i]);
    out[i] = kind < 4 ? "iIfF"[kind] : '?';
  }
  out[n] = 0;
  if (n < types->size && n > 0) out[n - 1] = '+';
  return n == types->size;
}

static void extern_fill(const wt_api_t *api, const wt_opaque_t *type, wn_extern_t *out) {
  out->kind = api->wasm_externtype_kind(type);
  out->max = UINT64_MAX;
  if (out->kind == WN_EXTERN_FUNC) {
    const wt_opaque_t *func = api->wasm_externtype_as_functype_const(type);
    wt_letters(api, api->wasm_functype_params(func), out->params, sizeof out->params);
    wt_letters(api, api->wasm_functype_results(func), out->results, sizeof out->results);
  } else if (out->kind == WN_EXTERN_MEMORY) {
    const wt_opaque_t *memory = api->wasm_externtype_as_memorytype_const(type);
    out->min = api->wasmtime_memorytype_minimum(memory);
    api->wasmtime_memorytype_maximum(memory, &out->max);
    out->wide = api->wasmtime_memorytype_is64(memory);
    out->shared = api->wasmtime_memorytype_isshared(memory);
  } else if (out->kind == WN_EXTERN_TABLE) {
    const uint32_t *limits = api->wasm_tabletype_limits(api->wasm_externtype_as_tabletype_const(type));
    out->min = limits[0];
    if (limits[1] != UINT32_MAX) out->max = limits[1];
  } else if (out->kind == WN_EXTERN_GLOBAL) {
    out->constant = !api->wasm_globaltype_mutability(api->wasm_externtype_as_globaltype_const(type));
  } else {
    out->kind = WN_EXTERN_OTHER;
  }
}

static wn_str_t str_of(const wt_bytes_t *b) { return (wn_str_t){b->data, b->size}; }

static bool wasmtime_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const wt_api_t *api = &wt_engine_of(module)->api;
  const wt_vec_t *all = &((const wt_module_t *)module)->imports;
  if (index >= all->size) return false;
  *out = (wn_extern_t){.module = str_of(api->wasm_importtype_module(all->data[index])),
                       .name = str_of(api->wasm_importtype_name(all->data[index]))};
  extern_fill(api, api->wasm_importtype_type(all->data[index]), out);
  return true;
}

static bool wasmtime_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const wt_api_t *api = &wt_engine_of(module)->api;
  const wt_vec_t *all = &((const wt_module_t *)module)->exports;
  if (index >= all->size) return false;
  *out = (wn_extern_t){.name = str_of(api->wasm_exporttype_name(all->data[index]))};
  extern_fill(api, api->wasm_exporttype_type(all->data[index]), out);
  return true;
}

const wn_engine_ops_t wn_engine_wasmtime = {
    .name = "wasmtime",
    .open = wasmtime_open,
    .close = wasmtime_close,
    .interrupt = wasmtime_interrupt,
    .wat = wasmtime_wat,
    .load = wasmtime_load,
    .serialize = wasmtime_serialize,
    .restore = wasmtime_restore,
    .module_delete = wasmtime_module_delete,
    .import = wasmtime_import,
    .export = wasmtime_export,
    .instance_size = sizeof(wt_guest_t),
    .links_functions = true,
    .instantiate = wt_instance_start,
    .close_instance = wt_instance_close,
    .signature = wt_instance_signature,
    .call = wt_instance_call,
    .func = wt_instance_func,
    .call_func = wt_instance_call_func,
    .memory = wt_instance_memory,
    .span = wt_instance_span,
    .fuel = wt_instance_fuel,
};

/* wasm_c_api.c - the adapter of any engine that exports the functions of wasm.h: engines and modules.
 *
 * The standard has neither interruption nor limits, so a module is rewritten (wasm_guard.h): it counts its turns and
 * asks us, and its memories and tables have the maxima of the guest's limits. Code is therefore made per set of
 * limits, at the first instance, and the last set is kept; a module is validated when it is loaded.
 */
#include "core/engine/wasm_c_api.h"

#include "core/engine/wasm_guard.h"

/* ---- engine ---- */

static const struct {
  const char *symbol;
  uint32_t present, absent;
} signs[] = {
    {"wasmtime_config_parallel_compilation_set", WC_QUIRK_CONFIG, 0},
    {"wasm_instance_new_with_args", WC_QUIRK_HEAP, 0},
    {"wasm_module_share", 0, WC_QUIRK_ANY_STORE},
    {"wasm_runtime_init_thread_env", WC_QUIRK_THREADS, 0},
    {"wasmi_trap_new", WC_QUIRK_NO_TRACE, 0},
};

static wn_err_t load_api(wc_engine_t *e, void *library, wn_message_t *message) {
  const char *missing = NULL;
#define WC_LOAD(name, result, params) *(void **)&e->api.name = wn_os_library_symbol(library, #name);
#define WC_LOAD_REQUIRED(name, result, params) \
  WC_LOAD(name, result, params)                \
  if (!e->api.name) missing = #name;
  WC_SYMBOLS(WC_LOAD_REQUIRED, WC_LOAD)
#undef WC_LOAD_REQUIRED
#undef WC_LOAD
  if (missing)
    return wn_message_set(message, WN_INVALID, "not a library with the functions of wasm.h: %s is missing", missing);
  for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
    e->quirks |= wn_os_library_symbol(library, signs[i].symbol) ? signs[i].present : signs[i].absent;
  return 0;
}

static wc_opaque_t *make_engine(const wc_engine_t *e, const wn_engine_config_t *config) {
  const wc_api_t *api = &e->api;
  if (!(e->quirks & WC_QUIRK_CONFIG) || !api->wasm_config_new || !api->wasm_engine_new_with_config)
    return api->wasm_engine_new();
  wc_opaque_t *c = api->wasm_config_new();
  if (!c) return NULL;
  api->wasmtime_config_parallel_compilation_set(c, config->compile_threads > 1);
  if (config->wasm_stack && api->wasmtime_config_max_wasm_stack_set)
    api->wasmtime_config_max_wasm_stack_set(c, (size_t)config->wasm_stack);
  return api->wasm_engine_new_with_config(c); /* owns it */
}

static bool valid(const wc_engine_t *e, wc_opaque_t *store, wn_str_t wasm) {
  const wc_vec_t bytes = wc_vec((void *)wasm.ptr, wasm.len, 1);
  return e->api.wasm_module_validate(store, &bytes);
}

/* What the library can run besides the first version of WebAssembly is asked of it: two modules, as small as can be.
 * (module (func v128.const 0 drop)), (module (memory 0) (memory 0)). */
static uint32_t abilities(const wc_engine_t *e) {
  static const char simd[] =
      "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a\x17\1\x15\0\xfd\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1a\x0b";
  static const char memories[] = "\0asm\1\0\0\0\5\5\2\0\0\0\0";
  uint32_t caps = 0;
  wc_opaque_t *store = e->api.wasm_store_new(e->engine);
  if (!store) return 0;
  if (valid(e, store, (wn_str_t){simd, sizeof simd - 1})) caps |= WN_CAP_SIMD;
  if (valid(e, store, (wn_str_t){memories, sizeof memories - 1})) caps |= WN_CAP_MULTI_MEMORY;
  e->api.wasm_store_delete(store);
  return caps;
}

static wn_err_t wasm_c_api_open(const char *path, const wn_engine_config_t *config, wn_engine_t **out,
                                wn_message_t *message) {
  const wn_os_t *os = config->os ? config->os : wn_os_posix();
  if (!path) return wn_message_set(message, WN_MISSING, "name the library: this engine is no one's in particular");
  const char *why = "";
  void *library = wn_os_library_open(path, &why);
  if (!library) return wn_message_set(message, WN_MISSING, "%s", why);
  wc_engine_t *e = os->alloc(os, sizeof *e);
  wn_err_t err = e ? load_api(e, library, message) : wn_message_set(message, WN_NOMEM, "no memory for an engine");
  if (!err) {
    e->engine = make_engine(e, config);
    if (!e->engine) err = wn_message_set(message, WN_INVALID, "the library gives no engine");
  }
  if (err) {
    os->free(os, e);
    wn_os_library_close(library);
    return err;
  }
  e->library = library;
  e->head.caps = WN_CAP_INTERRUPT | WN_CAP_MEMORY_LIMIT | WN_CAP_TABLE_LIMIT | WN_CAP_REENTER | WN_CAP_SHARE_ALL;
  e->head.caps |= abilities(e);
  *out = &e->head;
  return 0;
}

static void wasm_c_api_close(wn_engine_t *engine) {
  wc_engine_t *e = (wc_engine_t *)engine;
  e->api.wasm_engine_delete(e->engine);
  /* The library stays: its thread-locals and signal handlers outlive the engine. */
  engine->os->free(engine->os, e);
}

/* ---- modules ---- */

/* limits: NULL for none. */
static wn_err_t guarded(const wc_module_t *m, const wn_limits_t *limits, wn_str_t *out, wn_message_t *message) {
  wn_wasm_guard_t guard = {.check = WN_GUARD_COUNT, .start = true, .proposals = WN_PROPOSAL_ALL};
  wn_err_t err = 0;
  if (limits) err = wn_wasm_guard_limits(&guard, m->info, limits->memory_bytes, limits->table_elements, message);
  return err ? err : wn_wasm_guard(m->head.engine->os, m->wasm, &guard, out, message);
}

static void code_drop(const wc_engine_t *e, wc_code_t *code) {
  if (code->shared) e->api.wasm_shared_module_delete(code->shared);
  if (code->module) e->api.wasm_module_delete(code->module);
  if (code->store) e->api.wasm_store_delete(code->store);
  *code = (wc_code_t){0};
}

static wn_err_t code_make(wc_module_t *m, const wn_limits_t *limits, wn_message_t *message) {
  wc_engine_t *e = wc_engine_of(&m->head);
  wn_str_t wasm;
  wn_err_t err = guarded(m, limits, &wasm, message);
  if (err) return err;
  wc_code_t *code = &m->code;
  code_drop(e, code);
  const wc_vec_t bytes = wc_vec((void *)wasm.ptr, wasm.len, 1);
  code->store = e->api.wasm_store_new(e->engine);
  if (code->store) code->module = e->api.wasm_module_new(code->store, &bytes);
  if (code->module && !(e->quirks & WC_QUIRK_ANY_STORE)) code->shared = e->api.wasm_module_share(code->module);
  e->head.os->free(e->head.os, (void *)wasm.ptr);
  code->memory_bytes = limits->memory_bytes;
  code->table_elements = limits->table_elements;
  if (code->module && (code->shared || (e->quirks & WC_QUIRK_ANY_STORE))) return 0;
  code_drop(e, code);
  return wn_message_set(message, WN_INVALID, "the engine does not compile this module and gives no reason");
}

wn_err_t wc_module_take(wc_module_t *m, const wn_limits_t *limits, wc_opaque_t *store, wc_opaque_t **out,
                        wn_message_t *message) {
  wc_engine_t *e = wc_engine_of(&m->head);
  const wn_os_t *os = e->head.os;
  while (__atomic_exchange_n(&m->lock, 1, __ATOMIC_ACQUIRE)) os->yield(os); /* rarely two at once */
  wn_err_t err = 0;
  const wc_code_t *code = &m->code;
  if (!code->module || code->memory_bytes != limits->memory_bytes || code->table_elements != limits->table_elements)
    err = code_make(m, limits, message);
  if (!err) {
    *out = code->shared ? e->api.wasm_module_obtain(store, code->shared) : NULL;
    if (!*out) err = wn_message_set(message, WN_NOMEM, "no memory for a module in another store");
  }
  __atomic_store_n(&m->lock, 0, __ATOMIC_RELEASE);
  return err;
}

static wn_err_t validate(wc_module_t *m, wn_message_t *message) {
  wc_engine_t *e = wc_engine_of(&m->head);
  wc_opaque_t *store = e->api.wasm_store_new(e->engine);
  if (!store) return wn_message_set(message, WN_NOMEM, "no memory for a store");
  const bool fine = valid(e, store, m->wasm);
  e->api.wasm_store_delete(store);
  if (fine) return 0;
  return wn_message_set(message, WN_INVALID,
                        "the engine finds this module invalid, or has not what it uses; wasm.h tells no reason");
}

static void wasm_c_api_module_delete(wn_module_t *module) {
  wc_module_t *m = (wc_module_t *)module;
  const wn_os_t *os = module->engine->os;
  code_drop(wc_engine_of(module), &m->code);
  wn_wasm_delete(m->info);
  os->free(os, (void *)m->wasm.ptr);
  os->free(os, m);
}

static wn_err_t wasm_c_api_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message) {
  const wn_os_t *os = engine->os;
  wc_module_t *m = os->alloc(os, sizeof *m);
  char *copy = os->alloc(os, wasm.len + 1);
  if (!m || !copy) {
    os->free(os, copy);
    os->free(os, m);
    return wn_message_set(message, WN_NOMEM, "no memory for a module");
  }
  if (wasm.len) memcpy(copy, wasm.ptr, wasm.len);
  m->head.engine = engine;
  m->wasm = (wn_str_t){copy, wasm.len};
  wn_str_t rewritten = {NULL, 0};
  wn_err_t err = validate(m, message);
  if (!err) err = wn_wasm_new(os, m->wasm, WN_PROPOSAL_ALL, &m->info, message);
  if (!err && !m->info->plain)
    err = wn_message_set(message, WN_INVALID,
                         "an import or export has a type that wasm.h cannot describe: v128, a typed reference, or a "
                         "table of over 2^32 elements");
  if (!err) err = guarded(m, NULL, &rewritten, message); /* what cannot be rewritten is told here already */
  os->free(os, (void *)rewritten.ptr);
  if (err) {
    wasm_c_api_module_delete(&m->head);
    return err;
  }
  wn_extern_t item;
  for (; wn_wasm_import(m->info, m->imports, &item); m->imports++) m->func_imports += item.kind == WN_EXTERN_FUNC;
  *out = &m->head;
  return 0;
}

static bool wasm_c_api_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  return wn_wasm_import(((const wc_module_t *)module)->info, index, out);
}

static bool wasm_c_api_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  return wn_wasm_export(((const wc_module_t *)module)->info, index, out);
}

const wn_engine_ops_t wn_engine_wasm_c_api = {
    .name = "wasm_c_api",
    .open = wasm_c_api_open,
    .close = wasm_c_api_close,
    .load = wasm_c_api_load,
    .module_delete = wasm_c_api_module_delete,
    .import = wasm_c_api_import,
    .export = wasm_c_api_export,
    .instance_size = sizeof(wc_guest_t),
    .links_functions = true,
    .instantiate = wc_instance_start,
    .close_instance = wc_instance_close,
    .signature = wc_instance_signature,
    .call = wc_instance_call,
    .func = wc_instance_func,
    .call_func = wc_instance_call_func,
    .memory = wc_instance_memory,
    .span = wc_instance_span,
};

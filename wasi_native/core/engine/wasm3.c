/* wasm3.c - the adapter of wasm3, an interpreter for small boards: engines and modules.
 *
 * wasm3 has no interruption, no limit of memory, and does not bound its native stack; so a module is rewritten
 * (wasm_guard.h): it looks at a flag at each loop and call, its memory has the maximum of the guest's limits, and its
 * functions take as much of the stack for wasm code, which is bounded, as they take of the thread's. wasm3 believes
 * what a module says of its operands, so it is validated first (wasm_valid.h).
 */
#include "core/engine/wasm3.h"

#include "core/engine/wasm_guard.h"
#include "core/engine/wasm_valid.h"

#define PAGE 65536u
/* wasm3 tells sizes of memory in 32 bits. */
#define PAGES_MAX 65535u
/* Read off its compiler, of both versions; and of bulk memory, memory.copy and memory.fill. */
#define PROPOSALS WN_WASM_VALID_PROPOSALS
/* Native stack that it takes, in bytes: measured with gcc, clang and pywasm3's flags on x86-64: 80 to 160, 48; on
 * 32-bit x86, where everything is passed on the stack, up to 410. */
#ifdef __i386__
#define NATIVE_CALL 512u
#define NATIVE_LOOP 192u
#else
#define NATIVE_CALL 160u
#define NATIVE_LOOP 64u
#endif

/* ---- engine ---- */

static wn_err_t load_api(void *library, w3_api_t *api, wn_message_t *message) {
  const char *missing = NULL;
#define W3_LOAD(name, result, params)                          \
  *(void **)&api->name = wn_os_library_symbol(library, #name); \
  if (!api->name) missing = #name;
  W3_SYMBOLS(W3_LOAD)
#undef W3_LOAD
  if (missing) return wn_message_set(message, WN_INVALID, "not a library of wasm3: %s is missing", missing);
  return 0;
}

/* Whether the header of a memory is what we declare. (module (memory 1)) */
static bool layout_is_known(const w3_api_t *api) {
  static const uint8_t bytes[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 3, 1, 0, 1};
  w3_opaque_t *environment = api->m3_NewEnvironment(), *module = NULL;
  w3_opaque_t *runtime = environment ? api->m3_NewRuntime(environment, 4096, NULL) : NULL;
  bool known = false;
  if (runtime && !api->m3_ParseModule(environment, &module, bytes, sizeof bytes)) {
    if (api->m3_LoadModule(runtime, module)) {
      api->m3_FreeModule(module);
    } else {
      uint32_t size = 0;
      const uint8_t *memory = api->m3_GetMemory(runtime, &size, 0);
      const w3_header_t *header = (const w3_header_t *)(const void *)memory - 1;
      known = memory && size == PAGE && header->runtime == runtime && header->length == PAGE && header->stack_end;
    }
  }
  if (runtime) api->m3_FreeRuntime(runtime);
  if (environment) api->m3_FreeEnvironment(environment);
  return known;
}

static wn_err_t wasm3_open(const char *path, const wn_engine_config_t *config, wn_engine_t **out,
                           wn_message_t *message) {
  const wn_os_t *os = config->os ? config->os : wn_os_posix();
  const char *why = "";
  void *library = wn_os_library_open(path ? path : "libwasm3.so", &why);
  if (!library) return wn_message_set(message, WN_MISSING, "%s", why);
  w3_engine_t *e = os->alloc(os, sizeof *e);
  wn_err_t err =
      e ? load_api(library, &e->api, message) : wn_message_set(message, WN_NOMEM, "no memory for an engine");
  if (!err && !layout_is_known(&e->api))
    err = wn_message_set(message, WN_INVALID, "a wasm3 of a version that is not known: its memories are other ones");
  if (err) {
    os->free(os, e);
    wn_os_library_close(library);
    return err;
  }
  e->library = library;
  e->head.caps = WN_CAP_INTERRUPT | WN_CAP_MEMORY_LIMIT | WN_CAP_TABLE_LIMIT | WN_CAP_REENTER |
                 WN_CAP_SHARE_FUNCTIONS | WN_CAP_SHARE_MEMORIES | WN_CAP_SHARE_CONSTANTS;
  *out = &e->head;
  return 0;
}

static void wasm3_close(wn_engine_t *engine) {
  w3_engine_t *e = (w3_engine_t *)engine;
  wn_os_library_close(e->library);
  engine->os->free(engine->os, e);
}

/* A tick: from the ticker's thread alone. */
static void wasm3_interrupt(wn_engine_t *engine) {
  w3_engine_t *e = (w3_engine_t *)engine;
  w3_lock(engine->os, &e->lock);
  for (w3_guest_t *guest = e->first; guest; guest = guest->next) w3_instance_stop(&guest->head);
  w3_unlock(&e->lock);
}

/* ---- modules ---- */

void w3_code_give(const wn_os_t *os, w3_code_t *code) {
  if (!code || __atomic_sub_fetch(&code->refs, 1, __ATOMIC_ACQ_REL)) return;
  os->free(os, (void *)code->wasm.ptr);
  os->free(os, code);
}

/* limits: NULL for none. */
static wn_err_t code_make(const w3_module_t *m, const wn_limits_t *limits, w3_code_t **out, wn_message_t *message) {
  const wn_os_t *os = m->head.engine->os;
  w3_code_t *code = os->alloc(os, sizeof *code);
  if (!code) return wn_message_set(message, WN_NOMEM, "no memory for a module");
  code->refs = 1;
  wn_wasm_guard_t guard = {.check = WN_GUARD_FLAG,
                           .start = true,
                           .grow = true,
                           .copy_fill = true,
                           .zero_is_none = true,
                           .memory_pages = PAGES_MAX,
                           .nesting = WN_GUARD_NESTING_MAX,
                           .call_bytes = NATIVE_CALL,
                           .loop_bytes = NATIVE_LOOP,
                           .proposals = PROPOSALS};
  wn_err_t err = 0;
  if (limits) {
    code->memory_bytes = limits->memory_bytes;
    code->table_elements = limits->table_elements;
    err = wn_wasm_guard_limits(&guard, m->info, limits->memory_bytes, limits->table_elements, message);
  }
  if (!err) err = wn_wasm_guard(os, m->wasm, &guard, &code->wasm, message);
  if (!err && code->wasm.len > UINT32_MAX) err = wn_message_set(message, WN_INVALID, "a module of over 4 GiB");
  if (err) w3_code_give(os, code);
  else *out = code;
  return err;
}

wn_err_t w3_code_take(w3_module_t *m, const wn_limits_t *limits, w3_code_t **out, wn_message_t *message) {
  const wn_os_t *os = m->head.engine->os;
  w3_lock(os, &m->lock);
  wn_err_t err = 0;
  if (m->code->memory_bytes != limits->memory_bytes || m->code->table_elements != limits->table_elements) {
    w3_code_t *code = NULL;
    err = code_make(m, limits, &code, message);
    if (!err) {
      w3_code_give(os, m->code);
      m->code = code;
    }
  }
  if (!err) {
    *out = m->code;
    __atomic_add_fetch(&m->code->refs, 1, __ATOMIC_ACQ_REL);
  }
  w3_unlock(&m->lock);
  return err;
}

static void wasm3_module_delete(wn_module_t *module) {
  w3_module_t *m = (w3_module_t *)module;
  const wn_os_t *os = module->engine->os;
  w3_code_give(os, m->code);
  wn_wasm_delete(m->info);
  os->free(os, (void *)m->wasm.ptr);
  os->free(os, m);
}

/* What it does not even read; such a module can be described, and is never linked. */
static bool imports_table(const w3_module_t *m) {
  wn_extern_t item;
  for (size_t i = 0; wn_wasm_import(m->info, i, &item); i++) {
    if (item.kind == WN_EXTERN_TABLE) return true;
  }
  return false;
}

/* What it finds wrong without compiling it. */
static wn_err_t parse(const w3_module_t *m, wn_message_t *message) {
  const w3_api_t *api = &w3_engine_of(&m->head)->api;
  w3_opaque_t *environment = api->m3_NewEnvironment(), *module = NULL;
  if (!environment) return wn_message_set(message, WN_NOMEM, "no memory for a module");
  w3_result_t result =
      api->m3_ParseModule(environment, &module, (const uint8_t *)m->code->wasm.ptr, (uint32_t)m->code->wasm.len);
  if (!result) api->m3_FreeModule(module);
  api->m3_FreeEnvironment(environment);
  return result ? wn_message_set(message, WN_INVALID, "wasm3: %s", result) : 0;
}

static wn_err_t wasm3_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message) {
  const wn_os_t *os = engine->os;
  w3_module_t *m = os->alloc(os, sizeof *m);
  char *copy = os->alloc(os, wasm.len + 1);
  if (!m || !copy) {
    os->free(os, copy);
    os->free(os, m);
    return wn_message_set(message, WN_NOMEM, "no memory for a module");
  }
  if (wasm.len) memcpy(copy, wasm.ptr, wasm.len);
  m->head.engine = engine;
  m->wasm = (wn_str_t){copy, wasm.len};
  wn_err_t err = wn_wasm_new(os, m->wasm, PROPOSALS, &m->info, message);
  if (!err) err = wn_wasm_valid(m->info, &m->deepest, message);
  if (!err) err = code_make(m, NULL, &m->code, message);
  if (!err && !imports_table(m)) err = parse(m, message);
  if (err) {
    wasm3_module_delete(&m->head);
    return err;
  }
  wn_extern_t item;
  while (wn_wasm_export(m->info, m->exports, &item)) m->exports++;
  *out = &m->head;
  return 0;
}

static bool wasm3_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  return wn_wasm_import(((const w3_module_t *)module)->info, index, out);
}

static bool wasm3_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  return wn_wasm_export(((const w3_module_t *)module)->info, index, out);
}

const wn_engine_ops_t wn_engine_wasm3 = {
    .name = "wasm3",
    .open = wasm3_open,
    .close = wasm3_close,
    .interrupt = wasm3_interrupt,
    .stop = w3_instance_stop,
    .load = wasm3_load,
    .module_delete = wasm3_module_delete,
    .import = wasm3_import,
    .export = wasm3_export,
    .instance_size = sizeof(w3_guest_t),
    .instantiate = w3_instance_start,
    .close_instance = w3_instance_close,
    .signature = w3_instance_signature,
    .call = w3_instance_call,
    .func = w3_instance_func,
    .call_func = w3_instance_call_func,
    .memory = w3_instance_memory,
    .span = w3_instance_span,
};

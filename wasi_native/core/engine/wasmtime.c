/* wasmtime.c - the adapter of wasmtime, through the C API of its shared library.
 *
 * Choices: host functions are unchecked and raw (the slots are the engine's own); code is compiled on the
 * caller's thread, because the engine's worker threads would stay and share the descriptor table, which slows
 * every later descriptor call of the process; epochs interrupt; one store per instance.
 */
#include "core/engine/wasmtime.h"

#include <string.h>

#include "core/engine/adapter.h"

#define SLOT_SHIFT 1u /* wasmtime_val_raw_t has 16 bytes */
#define VALUES_MAX 32u
#define FUEL_UNLIMITED (UINT64_MAX >> 1)

typedef struct wt_engine {
  struct wn_engine head;
  void *library;
  wt_opaque_t *engine;
  wt_api_t api;
} wt_engine_t;

typedef struct wt_module {
  struct wn_module head;
  wt_opaque_t *module;
  wt_vec_t imports, exports;
} wt_module_t;

typedef struct wt_guest {
  struct wn_instance head;
  const wt_api_t *api;
  wt_opaque_t *store, *context;
  wt_instance_t instance;
  wt_memory_t memory;
  bool has_memory;
  struct wt_binding *bindings;
  char params[VALUES_MAX + 1], results[VALUES_MAX + 1]; /* of the export last asked for */
} wt_guest_t;

/* What a host function of the engine carries. */
typedef struct wt_binding {
  const wn_row_t *row;
  wt_guest_t *guest;
} wt_binding_t;

static wt_engine_t *engine_of(const wn_module_t *module) { return (wt_engine_t *)module->engine; }

/* ---- errors and traps ---- */

/* Indexed by the engine's trap codes. */
static const char *const trap_kinds[] = {
    "stack-overflow",     "memory-out-of-bounds", "heap-misaligned",  "table-out-of-bounds",
    "indirect-call-null", "bad-signature",        "integer-overflow", "integer-division-by-zero",
    "bad-conversion",     "unreachable",          "interrupt",        "out-of-fuel"};
enum { TRAP_INTERRUPT = 10, TRAP_OUT_OF_FUEL = 11 };

static size_t append(wn_message_t *message, size_t len, const char *text, size_t text_len) {
  if (!message) return len;
  size_t room = sizeof message->text - 1 - len;
  if (text_len > room) text_len = room;
  memcpy(message->text + len, text, text_len);
  message->text[len + text_len] = 0;
  return len + text_len;
}

static size_t append_text(wn_message_t *message, size_t len, const char *text) {
  return append(message, len, text, strlen(text));
}

static size_t append_number(wn_message_t *message, size_t len, uint64_t n, uint32_t base) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = "0123456789abcdef"[n % base];
    n /= base;
  } while (n);
  return append(message, len, digits + at, sizeof digits - at);
}

/* One line per frame, innermost first: "  name (module) @ 0xoffset". */
static void append_frames(const wt_api_t *api, wn_message_t *message, size_t len, wt_vec_t *frames) {
  for (size_t i = 0; i < frames->size; i++) {
    const wt_opaque_t *frame = frames->data[i];
    const wt_bytes_t *name = api->wasmtime_frame_func_name(frame);
    len = append_text(message, len, "\n  ");
    if (name && name->size) {
      len = append(message, len, name->data, name->size);
    } else {
      len = append_text(message, len, "function ");
      len = append_number(message, len, api->wasm_frame_func_index(frame), 10);
    }
    const wt_bytes_t *module = api->wasmtime_frame_module_name(frame);
    if (module && module->size) {
      len = append_text(message, len, " (");
      len = append(message, len, module->data, module->size);
      len = append_text(message, len, ")");
    }
    len = append_text(message, len, " @ 0x");
    len = append_number(message, len, api->wasm_frame_module_offset(frame), 16);
  }
  api->wasm_frame_vec_delete(frames);
}

/* The reason alone: the last line, without the label; the engine puts a backtrace of its own before it. */
static wn_str_t reason(const wt_bytes_t *text) {
  static const char label[] = "wasm trap: ";
  size_t end = text->size;
  while (end > 0 && (text->data[end - 1] == '\n' || text->data[end - 1] == 0)) end--;
  size_t start = end;
  while (start > 0 && text->data[start - 1] != '\n') start--;
  while (start < end && text->data[start] == ' ') start++;
  size_t skip = sizeof label - 1;
  if (end - start > skip && memcmp(text->data + start, label, skip) == 0) start += skip;
  return (wn_str_t){text->data + start, end - start};
}

static wn_err_t take_error(const wt_api_t *api, wt_opaque_t *error, wn_err_t err, wn_message_t *message) {
  wt_bytes_t text;
  api->wasmtime_error_message(error, &text);
  if (message) {
    message->err = err;
    append(message, 0, text.data, text.size);
    size_t len = strlen(message->text);
    wt_vec_t frames;
    api->wasmtime_error_wasm_trace(error, &frames);
    append_frames(api, message, len, &frames);
  }
  api->wasm_byte_vec_delete(&text);
  api->wasmtime_error_delete(error);
  return err;
}

/* A trap of the engine: "kind: text" and its frames. The verdict of a host call that unwound stands already. */
static wn_err_t take_trap(wt_guest_t *in, wt_opaque_t *trap, wn_message_t *message) {
  const wt_api_t *api = in->api;
  uint8_t code = 0xff;
  bool known = api->wasmtime_trap_code(trap, &code);
  wn_err_t err = in->head.guest.end.err;
  if (!err && known && code == TRAP_OUT_OF_FUEL) {
    err = in->head.guest.end.err = WN_LIMIT;
    in->head.guest.end.limit = "fuel";
  }
  if (!err) err = wn_guest_end(&in->head.guest, WN_TRAP_ENGINE);
  wt_bytes_t text;
  api->wasm_trap_message(trap, &text);
  size_t len = 0;
  if (err == WN_TRAP_ENGINE) {
    len = append_text(message, len, known && code < sizeof trap_kinds / sizeof trap_kinds[0] ? trap_kinds[code] : "trap");
    len = append_text(message, len, ": ");
    wn_str_t why = reason(&text);
    len = append(message, len, why.ptr, why.len);
  } else {
    len = append_text(message, len, wn_err_name(err));
    len = append_text(message, len, ": ");
    len = append_text(message, len, wn_err_text(err));
  }
  if (message) message->err = err;
  wt_vec_t frames;
  api->wasm_trap_trace(trap, &frames);
  append_frames(api, message, len, &frames);
  api->wasm_byte_vec_delete(&text);
  api->wasm_trap_delete(trap);
  return err;
}

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
    return wn_message_set(message, WN_INVALID, "not a library of a wasmtime that is supported: %s is missing", missing);
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
                 WN_CAP_REENTER | WN_CAP_BACKTRACE | WN_CAP_SIMD | WN_CAP_MULTI_MEMORY |
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
  if (error) return take_error(&e->api, error, WN_INVALID, message);
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
  if (error) return take_error(&e->api, error, WN_INVALID, message);
  return wrap_module(e, module, out, message);
}

static wn_err_t wasmtime_serialize(const wn_module_t *module, wn_str_t *out, wn_message_t *message) {
  wt_engine_t *e = engine_of(module);
  wt_bytes_t bytes;
  wt_opaque_t *error = e->api.wasmtime_module_serialize(((const wt_module_t *)module)->module, &bytes);
  if (error) return take_error(&e->api, error, WN_INVALID, message);
  return copy_out(e, &bytes, out, message);
}

static wn_err_t wasmtime_restore(wn_engine_t *engine, const char *path, wn_module_t **out, wn_message_t *message) {
  wt_engine_t *e = (wt_engine_t *)engine;
  wt_opaque_t *module = NULL;
  wt_opaque_t *error = e->api.wasmtime_module_deserialize_file(e->engine, path, &module);
  if (error) return take_error(&e->api, error, WN_INVALID, message);
  return wrap_module(e, module, out, message);
}

static void wasmtime_module_delete(wn_module_t *module) {
  wt_engine_t *e = engine_of(module);
  wt_module_t *m = (wt_module_t *)module;
  e->api.wasm_importtype_vec_delete(&m->imports);
  e->api.wasm_exporttype_vec_delete(&m->exports);
  e->api.wasmtime_module_delete(m->module);
  e->head.os->free(e->head.os, m);
}

/* Letters of a list of value types; '?' for what is no number. False when it was cut. */
static bool letters(const wt_api_t *api, const wt_vec_t *types, char *out, size_t cap) {
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
    letters(api, api->wasm_functype_params(func), out->params, sizeof out->params);
    letters(api, api->wasm_functype_results(func), out->results, sizeof out->results);
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
  } else if (out->kind != WN_EXTERN_GLOBAL) {
    out->kind = WN_EXTERN_OTHER;
  }
}

static wn_str_t str_of(const wt_bytes_t *b) { return (wn_str_t){b->data, b->size}; }

static bool wasmtime_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const wt_api_t *api = &engine_of(module)->api;
  const wt_vec_t *all = &((const wt_module_t *)module)->imports;
  if (index >= all->size) return false;
  *out = (wn_extern_t){.module = str_of(api->wasm_importtype_module(all->data[index])),
                       .name = str_of(api->wasm_importtype_name(all->data[index]))};
  extern_fill(api, api->wasm_importtype_type(all->data[index]), out);
  return true;
}

static bool wasmtime_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const wt_api_t *api = &engine_of(module)->api;
  const wt_vec_t *all = &((const wt_module_t *)module)->exports;
  if (index >= all->size) return false;
  *out = (wn_extern_t){.name = str_of(api->wasm_exporttype_name(all->data[index]))};
  extern_fill(api, api->wasm_exporttype_type(all->data[index]), out);
  return true;
}

/* ---- instances ---- */

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
  }
  in->api->wasmtime_extern_delete(item);
  return usable;
}

static wt_opaque_t *host_call(void *env, wt_opaque_t *caller, wt_raw_t *slots, size_t count) {
  (void)count;
  const wt_binding_t *b = env;
  wt_guest_t *in = b->guest;
  const wt_api_t *api = in->api;
  if (WN_UNLIKELY(!in->has_memory)) {
    /* The start section calls before the instance is there. */
    wt_extern_t item;
    if (api->wasmtime_caller_export_get(caller, "memory", 6, &item)) adopt_memory(in, &item);
  }
  if (WN_LIKELY(in->has_memory)) {
    in->head.guest.mem.base = api->wasmtime_memory_data(in->context, &in->memory);
    in->head.guest.mem.size = api->wasmtime_memory_data_size(in->context, &in->memory);
  }
  wn_err_t err = wn_dispatch(&in->head.guest, b->row, slots);
  if (WN_LIKELY(err == 0)) return NULL;
  const char *text = wn_err_text(err);
  return api->wasmtime_trap_new(text, strlen(text));
}

static wt_opaque_t *epoch_passed(wt_opaque_t *context, void *data, uint64_t *delta, uint8_t *kind) {
  (void)context;
  wt_guest_t *in = data;
  wn_err_t err = wn_guest_check(&in->head.guest);
  if (err) return in->api->wasmtime_error_new(wn_err_text(err));
  *delta = 1;
  *kind = 0; /* continue */
  return NULL;
}

static wt_opaque_t *make_type(const wt_api_t *api, const wn_row_t *row) {
  wt_opaque_t *types[VALUES_MAX];
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
  in->store = api->wasmtime_store_new(e->engine, in, NULL);
  if (!in->store) return WN_NOMEM;
  in->context = api->wasmtime_store_context(in->store);
  api->wasmtime_store_limiter(in->store, limit(limits->memory_bytes), limit(limits->table_elements), -1, -1, -1);
  api->wasmtime_store_epoch_deadline_callback(in->store, epoch_passed, in, NULL);
  api->wasmtime_context_set_epoch_deadline(in->context, 1);
  if (e->head.config.fuel) {
    wt_opaque_t *error = api->wasmtime_context_set_fuel(in->context, limits->fuel ? limits->fuel : FUEL_UNLIMITED);
    if (error) return take_error(api, error, WN_INVALID, NULL);
  }
  return 0;
}

static wn_err_t wasmtime_instantiate(wn_instance_t *instance, const wn_row_t *const *rows, size_t count,
                                     wn_message_t *message) {
  wt_guest_t *in = (wt_guest_t *)instance;
  wt_engine_t *e = engine_of(instance->module);
  const wt_api_t *api = in->api = &e->api;
  const wn_os_t *os = e->head.os;
  instance->guest.slot_shift = SLOT_SHIFT;
  wn_err_t err = make_store(in, e, wn_guest_limits(&instance->guest));
  if (err) return wn_message_set(message, err, "no store: %s", wn_err_text(err));
  in->bindings = os->alloc(os, (count + 1) * sizeof *in->bindings);
  wt_extern_t *imports = os->alloc(os, (count + 1) * sizeof *imports);
  if (!in->bindings || !imports) {
    os->free(os, imports);
    return wn_message_set(message, WN_NOMEM, "no memory for an instance");
  }
  for (size_t i = 0; i < count; i++) {
    in->bindings[i] = (wt_binding_t){rows[i], in};
    imports[i].kind = WT_FUNC;
    wt_opaque_t *type = make_type(api, rows[i]);
    api->wasmtime_func_new_unchecked(in->context, type, host_call, &in->bindings[i], NULL, &imports[i].of.func);
    api->wasm_functype_delete(type);
  }
  wt_opaque_t *trap = NULL;
  wt_opaque_t *error = api->wasmtime_instance_new(in->context, ((wt_module_t *)instance->module)->module, imports,
                                                  count, &in->instance, &trap);
  os->free(os, imports);
  if (error) {
    err = take_error(api, error, instance->guest.end.err ? instance->guest.end.err : WN_INVALID, message);
    return err;
  }
  if (trap) return take_trap(in, trap, message);
  wt_extern_t item;
  if (!in->has_memory && api->wasmtime_instance_export_get(in->context, &in->instance, "memory", 6, &item)) {
    if (!adopt_memory(in, &item))
      return wn_message_set(message, WN_INVALID,
                            "the export \"memory\" is not a plain 32-bit memory: a shared or 64-bit one, or "
                            "another kind, cannot serve WASI 0.1");
  }
  return 0;
}

static void wasmtime_close_instance(wn_instance_t *instance) {
  wt_guest_t *in = (wt_guest_t *)instance;
  const wn_os_t *os = instance->module->engine->os;
  if (in->store) in->api->wasmtime_store_delete(in->store);
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

static wn_err_t wasmtime_signature(wn_instance_t *instance, wn_str_t name, const char **params,
                                   const char **results) {
  wt_guest_t *in = (wt_guest_t *)instance;
  const wt_module_t *m = (const wt_module_t *)instance->module;
  const wt_api_t *api = in->api;
  for (size_t i = 0; i < m->exports.size; i++) {
    const wt_bytes_t *have = api->wasm_exporttype_name(m->exports.data[i]);
    if (have->size != name.len || memcmp(have->data, name.ptr, name.len) != 0) continue;
    const wt_opaque_t *type = api->wasm_exporttype_type(m->exports.data[i]);
    if (api->wasm_externtype_kind(type) != WN_EXTERN_FUNC) return WN_MISSING;
    const wt_opaque_t *func = api->wasm_externtype_as_functype_const(type);
    if (!letters(api, api->wasm_functype_params(func), in->params, sizeof in->params) ||
        !letters(api, api->wasm_functype_results(func), in->results, sizeof in->results))
      return WN_MISSING;
    *params = in->params;
    *results = in->results;
    return 0;
  }
  return WN_MISSING;
}

static wn_err_t wasmtime_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams,
                              size_t nresults, wn_message_t *message) {
  wt_guest_t *in = (wt_guest_t *)instance;
  const wt_api_t *api = in->api;
  wt_func_t func;
  if (!get_func(in, name, &func)) return wn_message_set(message, WN_MISSING, "no such export");
  wt_raw_t slots[VALUES_MAX] = {{0}};
  for (size_t i = 0; i < nparams; i++) slots[i].u64 = values[i];
  /* The epoch may have moved while nobody ran: one tick from now, then look for what came in between. */
  if (instance->depth == 1) {
    api->wasmtime_context_set_epoch_deadline(in->context, 1);
    wn_err_t err = wn_guest_check(&instance->guest);
    if (err) return err;
  }
  wt_opaque_t *trap = NULL;
  size_t room = nparams > nresults ? nparams : nresults;
  wt_opaque_t *error = api->wasmtime_func_call_unchecked(in->context, &func, slots, room, &trap);
  if (error) {
    wn_err_t err = instance->guest.end.err;
    if (!err) err = wn_guest_end(&instance->guest, WN_TRAP_ENGINE);
    return take_error(api, error, err, message);
  }
  if (trap) return take_trap(in, trap, message);
  for (size_t i = 0; i < nresults; i++)
    values[i] = in->results[i] == 'i' || in->results[i] == 'f' ? slots[i].u32 : slots[i].u64;
  return 0;
}

static wn_err_t wasmtime_memory(wn_instance_t *instance, const char *name, uint8_t **base, uint64_t *size) {
  wt_guest_t *in = (wt_guest_t *)instance;
  wt_memory_t memory = in->memory;
  bool found = in->has_memory && strcmp(name, "memory") == 0;
  if (!found) {
    wt_extern_t item;
    if (!in->api->wasmtime_instance_export_get(in->context, &in->instance, name, strlen(name), &item))
      return WN_MISSING;
    found = item.kind == WT_MEMORY;
    memory = item.of.memory;
    in->api->wasmtime_extern_delete(&item);
  }
  if (!found) return WN_MISSING;
  *base = in->api->wasmtime_memory_data(in->context, &memory);
  *size = in->api->wasmtime_memory_data_size(in->context, &memory);
  return 0;
}

static uint64_t wasmtime_fuel(wn_instance_t *instance) {
  wt_guest_t *in = (wt_guest_t *)instance;
  uint64_t fuel = 0;
  wt_opaque_t *error = in->api->wasmtime_context_get_fuel(in->context, &fuel);
  if (error) in->api->wasmtime_error_delete(error);
  return error ? 0 : fuel;
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
    .instantiate = wasmtime_instantiate,
    .close_instance = wasmtime_close_instance,
    .signature = wasmtime_signature,
    .call = wasmtime_call,
    .memory = wasmtime_memory,
    .fuel = wasmtime_fuel,
};

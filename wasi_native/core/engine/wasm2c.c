/* wasm2c.c - the adapter of guests compiled ahead of time: shared objects as include/wasi_native/aot.h has it.
 *
 * There is no engine to open: a module is a library whose code has been checked already, by whoever let it in.
 * Choices: memory is the kernel's own pages, so that growing costs no copy and a page that is not touched costs
 * nothing; the stack is limited by its real end, which is asked for once per thread.
 */
#include "core/engine/adapter.h"
#include "core/engine/trap.h"
#include "wasi_native/aot.h"

#define PAGE 65536u
#define VALUES_MAX 32u
#define STACK_DEFAULT (512u << 10)
/* For our own functions and the embedder's below the last frame of the guest. */
#define STACK_RESERVE (48u << 10)

typedef struct w2c_engine {
  struct wn_engine head;
  uint32_t epoch; /* atomic: one up is an interruption */
} w2c_engine_t;

typedef struct w2c_module {
  struct wn_module head;
  void *library;
  const wn_aot_guest_t *guest;
} w2c_module_t;

typedef struct w2c_instance {
  struct wn_instance head;
  wn_aot_host_t host;
  wn_aot_state_t *state;
  void *block;                   /* of the state */
  const wn_aot_memory_t *memory; /* exported as "memory", or NULL */
  const wn_row_t **rows;
  uint64_t memory_bytes; /* of all memories */
  uintptr_t stack[2];    /* of the thread that called last */
} w2c_instance_t;

static w2c_instance_t *of_host(wn_aot_host_t *host) {
  return (w2c_instance_t *)((char *)host - offsetof(w2c_instance_t, host));
}

static const wn_os_t *os_of(const w2c_instance_t *in) { return in->head.module->engine->os; }
static const wn_aot_guest_t *guest_of(const w2c_instance_t *in) { return ((w2c_module_t *)in->head.module)->guest; }

/* ---- what a guest asks of us ---- */

static int32_t host_call(wn_aot_host_t *host, uint32_t index, uint64_t *slots) {
  w2c_instance_t *in = of_host(host);
  if (WN_LIKELY(in->memory != NULL)) in->head.guest.mem = (wn_mem_t){in->memory->data, in->memory->size};
  return wn_dispatch(&in->head.guest, in->rows[index], slots);
}

static int32_t host_check(wn_aot_host_t *host) { return wn_guest_check(&of_host(host)->head.guest); }

static uint8_t *host_memory(wn_aot_host_t *host, uint8_t *data, uint64_t old_size, uint64_t new_size) {
  w2c_instance_t *in = of_host(host);
  const wn_os_t *os = os_of(in);
  const uint64_t limit = wn_guest_limits(&in->head.guest)->memory_bytes;
  const uint64_t total = in->memory_bytes - old_size + new_size;
  if (new_size > SIZE_MAX - PAGE || (new_size && limit && total > limit)) return NULL;
  uint8_t *out = os->pages_resize(os, data, (size_t)old_size, (size_t)new_size);
  if (out || !new_size) in->memory_bytes = total;
  return out;
}

static void *host_table(wn_aot_host_t *host, void *data, uint32_t old_count, uint32_t new_count, uint32_t width) {
  w2c_instance_t *in = of_host(host);
  const wn_os_t *os = os_of(in);
  const uint64_t limit = wn_guest_limits(&in->head.guest)->table_elements;
  if (!new_count) {
    os->free(os, data);
    return NULL;
  }
  if ((limit && new_count > limit) || new_count > SIZE_MAX / width) return NULL;
  uint8_t *out = os->resize(os, data, (size_t)new_count * width);
  if (out) memset(out + (size_t)old_count * width, 0, (size_t)(new_count - old_count) * width);
  return out;
}

/* ---- engine ---- */

static wn_err_t w2c_open(const char *path, const wn_engine_config_t *config, wn_engine_t **out,
                         wn_message_t *message) {
  (void)path;
  const wn_os_t *os = config->os ? config->os : wn_os_posix();
  w2c_engine_t *e = os->alloc(os, sizeof *e);
  if (!e) return wn_message_set(message, WN_NOMEM, "no memory for an engine");
  e->head.caps = WN_CAP_INTERRUPT | WN_CAP_MEMORY_LIMIT | WN_CAP_TABLE_LIMIT | WN_CAP_FUEL | WN_CAP_REENTER |
                 WN_CAP_SHARE_FUNCTIONS | WN_CAP_MULTI_MEMORY;
  *out = &e->head;
  return 0;
}

static void w2c_close(wn_engine_t *engine) { engine->os->free(engine->os, engine); }

static void w2c_interrupt(wn_engine_t *engine) {
  __atomic_fetch_add(&((w2c_engine_t *)engine)->epoch, 1, __ATOMIC_RELEASE);
}

/* ---- modules ---- */

static wn_err_t w2c_load(wn_engine_t *engine, wn_str_t wasm, wn_module_t **out, wn_message_t *message) {
  (void)engine, (void)wasm, (void)out;
  return wn_message_set(message, WN_INVALID,
                        "wasm2c runs compiled files alone: make one with  wasi-native compile MODULE.wasm");
}

static wn_err_t check_guest(const wn_aot_guest_t *guest, const char *path, wn_message_t *message) {
  if (!guest) return wn_message_set(message, WN_INVALID, "%s is no compiled guest: it lacks %s", path, WN_AOT_SYMBOL);
  if (guest->abi != WN_AOT_ABI || guest->size != sizeof *guest)
    return wn_message_set(message, WN_INVALID, "%s has the interface %u, this version reads %u; compile it again",
                          path, guest->abi, WN_AOT_ABI);
  if (guest->pointer != 8 * sizeof(void *) || (guest->flags & WN_AOT_GUARD))
    return wn_message_set(message, WN_INVALID, "%s is for another kind of machine (%s)", path, guest->options);
  return 0;
}

static wn_err_t w2c_restore(wn_engine_t *engine, const char *path, wn_module_t **out, wn_message_t *message) {
  const wn_os_t *os = engine->os;
  const char *why = "";
  void *library = wn_os_library_open(path, &why);
  if (!library) return wn_message_set(message, WN_INVALID, "%s", why);
  const wn_aot_guest_t *guest = wn_os_library_symbol(library, WN_AOT_SYMBOL);
  wn_err_t err = check_guest(guest, path, message);
  w2c_module_t *m = err ? NULL : os->alloc(os, sizeof *m);
  if (!err && !m) err = wn_message_set(message, WN_NOMEM, "no memory for a module");
  if (err) {
    wn_os_library_close(library);
    return err;
  }
  m->head.engine = engine;
  m->library = library;
  m->guest = guest;
  *out = &m->head;
  return 0;
}

static void w2c_module_delete(wn_module_t *module) {
  const wn_os_t *os = module->engine->os;
  wn_os_library_close(((w2c_module_t *)module)->library);
  os->free(os, module);
}

/* As much as fits, '+' where it was cut. */
static void letters(char *out, size_t cap, const char *text) {
  size_t len = strlen(text);
  if (len >= cap) len = cap - 1;
  memcpy(out, text, len);
  out[len] = 0;
  if (text[len]) out[len - 1] = '+';
}

static bool w2c_import(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const wn_aot_guest_t *guest = ((const w2c_module_t *)module)->guest;
  if (index >= guest->import_count) return false;
  const wn_aot_import_t *i = &guest->imports[index];
  *out = (wn_extern_t){.module = {i->module, i->module_len}, .name = {i->name, i->name_len}, .kind = WN_EXTERN_FUNC};
  letters(out->params, sizeof out->params, i->params);
  letters(out->results, sizeof out->results, i->results);
  return true;
}

static bool w2c_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const wn_aot_guest_t *guest = ((const w2c_module_t *)module)->guest;
  if (index >= guest->export_count) return false;
  const wn_aot_export_t *x = &guest->exports[index];
  *out = (wn_extern_t){.name = {x->name, x->name_len}, .kind = x->kind, .min = x->min, .max = x->max};
  letters(out->params, sizeof out->params, x->params);
  letters(out->results, sizeof out->results, x->results);
  return true;
}

/* ---- instances ---- */

static const wn_aot_export_t *find(const wn_aot_guest_t *guest, wn_str_t name, uint32_t kind) {
  for (uint32_t i = 0; i < guest->export_count; i++) {
    const wn_aot_export_t *x = &guest->exports[i];
    if (x->kind == kind && x->name_len == name.len && memcmp(x->name, name.ptr, name.len) == 0) return x;
  }
  return NULL;
}

static const wn_aot_memory_t *find_memory(const w2c_instance_t *in, const char *name) {
  const wn_aot_export_t *x = find(guest_of(in), (wn_str_t){name, strlen(name)}, WN_EXTERN_MEMORY);
  return x ? x->item(in->state) : NULL;
}

/* By WN_AOT_TRAP_*. */
static const uint8_t kinds[] = {WN_TRAP_KIND_COUNT,    WN_TRAP_KIND_MEMORY,     WN_TRAP_KIND_TABLE,
                                WN_TRAP_KIND_NULL,     WN_TRAP_KIND_SIGNATURE,  WN_TRAP_KIND_OVERFLOW,
                                WN_TRAP_KIND_DIVISION, WN_TRAP_KIND_CONVERSION, WN_TRAP_KIND_UNREACHABLE,
                                WN_TRAP_KIND_STACK};

/* What a run of the guest answered, as a verdict and a message. */
static wn_err_t outcome(w2c_instance_t *in, int32_t code, wn_message_t *message) {
  wn_guest_t *guest = &in->head.guest;
  if (code == 0) return 0;
  if (code == WN_AOT_TRAP_NOMEM) {
    const uint64_t wanted = in->state->wanted;
    const char *what = in->state->refused == 1 ? "memory minimum size of %llu pages exceeds memory limits"
                                               : "table minimum size of %llu elements exceeds table limits";
    return wn_message_set(message, WN_INVALID, what, (unsigned long long)wanted);
  }
  wn_err_t err = guest->end.err;
  if (code == WN_AOT_TRAP_FUEL) {
    err = wn_guest_end(guest, WN_LIMIT);
    guest->end.limit = "fuel";
  } else if (!err) {
    err = wn_guest_end(guest, code > 0 ? WN_TRAP_ENGINE : code);
  }
  wn_trap_begin(message, guest, err, code > 0 && code < WN_AOT_TRAP_FUEL ? kinds[code] : WN_TRAP_KIND_COUNT);
  return err;
}

/* Before the outermost call: how deep the stack may go, and from which epoch on it counts as interrupted. */
static wn_err_t prepare(w2c_instance_t *in, wn_message_t *message) {
  const w2c_engine_t *e = (const w2c_engine_t *)in->head.module->engine;
  const wn_aot_guest_t *guest = guest_of(in);
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if (here < in->stack[0] || here >= in->stack[1]) {
    if (e->head.os->stack_get(e->head.os, &in->stack[0], &in->stack[1])) in->stack[0] = in->stack[1] = 0;
  }
  const uint64_t most = e->head.config.wasm_stack ? e->head.config.wasm_stack : STACK_DEFAULT;
  uintptr_t limit = most < here ? here - (uintptr_t)most : 0;
  if (here >= in->stack[0] && here < in->stack[1]) { /* else a stack of the embedder's own making */
    const uintptr_t lowest = in->stack[0] + STACK_RESERVE + guest->frame_max;
    if (limit < lowest) limit = lowest;
  }
  in->state->stack_limit = limit;
  if (!(guest->flags & WN_AOT_CHECKS) && wn_guest_has_deadline(&in->head.guest))
    return wn_message_set(message, WN_INVALID,
                          "the guest was compiled without checks: neither a deadline nor a limit of CPU time can be "
                          "kept; compile it again with them");
  in->state->seen = __atomic_load_n(&e->epoch, __ATOMIC_ACQUIRE);
  return wn_guest_check(&in->head.guest); /* what came before that look wakes nobody any more */
}

static wn_err_t w2c_instantiate(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                                wn_message_t *message) {
  w2c_instance_t *in = (w2c_instance_t *)instance;
  w2c_engine_t *e = (w2c_engine_t *)instance->module->engine;
  const wn_os_t *os = e->head.os;
  const wn_aot_guest_t *guest = guest_of(in);
  const uint64_t fuel = wn_guest_limits(&instance->guest)->fuel;
  if (fuel && !(guest->flags & WN_AOT_FUEL))
    return wn_message_set(message, WN_INVALID, "the guest was compiled without fuel; compile it again with it");
  in->rows = os->alloc(os, (count + 1) * sizeof *in->rows);
  in->block = os->alloc(os, guest->state_size + 15u);
  if (!in->rows || !in->block) return wn_message_set(message, WN_NOMEM, "no memory for an instance");
  for (size_t i = 0; i < count; i++) in->rows[i] = provides[i].row;
  in->state = (wn_aot_state_t *)(((uintptr_t)in->block + 15u) & ~(uintptr_t)15u);
  in->host = (wn_aot_host_t){host_call, host_check, host_memory, host_table};
  in->state->host = &in->host;
  in->state->epoch = &e->epoch;
  in->state->fuel = fuel && fuel < INT64_MAX ? (int64_t)fuel : INT64_MAX;
  in->memory = find_memory(in, instance->memory_name);
  wn_err_t err = prepare(in, message);
  return err ? err : outcome(in, guest->instantiate(in->state), message);
}

static void w2c_close_instance(wn_instance_t *instance) {
  w2c_instance_t *in = (w2c_instance_t *)instance;
  const wn_os_t *os = os_of(in);
  if (in->state) guest_of(in)->release(in->state);
  os->free(os, in->block);
  os->free(os, in->rows);
}

static wn_err_t w2c_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results) {
  const wn_aot_export_t *x = find(guest_of((w2c_instance_t *)instance), name, WN_EXTERN_FUNC);
  if (!x || !x->call || strlen(x->params) > VALUES_MAX || strlen(x->results) > VALUES_MAX) return WN_MISSING;
  *params = x->params;
  *results = x->results;
  return 0;
}

static wn_err_t invoke(w2c_instance_t *in, uint32_t index, wn_value_t *values, wn_message_t *message) {
  if (in->head.depth == 1) {
    wn_err_t err = prepare(in, message);
    if (err) return err;
  }
  return outcome(in, guest_of(in)->call(in->state, index, values), message);
}

static wn_err_t w2c_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                         wn_message_t *message) {
  (void)nparams, (void)nresults;
  w2c_instance_t *in = (w2c_instance_t *)instance;
  const wn_aot_export_t *x = find(guest_of(in), name, WN_EXTERN_FUNC);
  if (!x) return wn_message_set(message, WN_MISSING, "no such export");
  return invoke(in, (uint32_t)(x - guest_of(in)->exports), values, message);
}

static wn_err_t w2c_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func) {
  const wn_aot_guest_t *guest = guest_of((w2c_instance_t *)instance);
  const wn_aot_export_t *x = find(guest, name, WN_EXTERN_FUNC);
  if (!x || !x->call) return WN_MISSING;
  func->at[0] = (uint64_t)(x - guest->exports);
  return 0;
}

static wn_err_t w2c_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  return invoke((w2c_instance_t *)func->instance, (uint32_t)func->at[0], values, message);
}

static wn_err_t w2c_memory(wn_instance_t *instance, const char *name, uint8_t **base, uint64_t *size) {
  w2c_instance_t *in = (w2c_instance_t *)instance;
  const wn_aot_memory_t *memory =
      in->memory && strcmp(name, instance->memory_name) == 0 ? in->memory : find_memory(in, name);
  if (!memory) return WN_MISSING;
  *base = memory->data;
  *size = memory->size;
  return 0;
}

static uint64_t w2c_fuel(wn_instance_t *instance) {
  const w2c_instance_t *in = (const w2c_instance_t *)instance;
  if (!(guest_of(in)->flags & WN_AOT_FUEL)) return 0;
  return in->state->fuel > 0 ? (uint64_t)in->state->fuel : 0;
}

const wn_engine_ops_t wn_engine_wasm2c = {
    .name = "wasm2c",
    .open = w2c_open,
    .close = w2c_close,
    .interrupt = w2c_interrupt,
    .load = w2c_load,
    .restore = w2c_restore,
    .module_delete = w2c_module_delete,
    .import = w2c_import,
    .export = w2c_export,
    .instance_size = sizeof(w2c_instance_t),
    .instantiate = w2c_instantiate,
    .close_instance = w2c_close_instance,
    .signature = w2c_signature,
    .call = w2c_call,
    .func = w2c_func,
    .call_func = w2c_call_func,
    .memory = w2c_memory,
    .fuel = w2c_fuel,
};

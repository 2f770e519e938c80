/* wasm2c.c - the adapter of guests compiled ahead of time: shared objects as include/wasi_native/aot.h has it.
 *
 * There is no engine to open: a module is a library, or a part of one, whose code has been checked already, by
 * whoever let it in. Instances of one component, and siblings, share limits, and what they import from each other by
 * its place. Choices: memory is the kernel's own pages, so that growing costs no copy and a page that is not touched
 * costs nothing; the stack is limited by its real end, which is asked for once per thread.
 */
#include "core/engine/wasm2c.h"

/* ---- engine ---- */

static wn_err_t w2c_open(const char *path, const wn_engine_config_t *config, wn_engine_t **out,
                         wn_message_t *message) {
  (void)path;
  const wn_os_t *os = config->os ? config->os : wn_os_posix();
  w2c_engine_t *e = os->alloc(os, sizeof *e);
  if (!e) return wn_message_set(message, WN_NOMEM, "no memory for an engine");
  e->head.caps = WN_CAP_INTERRUPT | WN_CAP_MEMORY_LIMIT | WN_CAP_TABLE_LIMIT | WN_CAP_FUEL | WN_CAP_REENTER |
                 WN_CAP_SHARE_ALL | WN_CAP_MULTI_MEMORY;
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

static wn_err_t check_guest(const wn_aot_guest_t *guest, uint32_t part, const char *path, wn_message_t *message) {
  if (!guest) return wn_message_set(message, WN_INVALID, "%s is no compiled guest: it lacks %s", path, WN_AOT_SYMBOL);
  const bool shared = guest->abi == WN_AOT_ABI_SHARED;
  if ((!shared && guest->abi != WN_AOT_ABI) ||
      guest->size != (shared ? sizeof *guest : offsetof(wn_aot_guest_t, items)))
    return wn_message_set(message, WN_INVALID,
                          "%s has the interface %u, this version reads %u and %u; compile it again", path, guest->abi,
                          WN_AOT_ABI, WN_AOT_ABI_SHARED);
  if (guest->pointer != 8 * sizeof(void *) || (guest->flags & WN_AOT_GUARD))
    return wn_message_set(message, WN_INVALID, "%s is for another kind of machine (%s)", path, guest->options);
  if (part && (!shared || part >= guest->parts))
    return wn_message_set(message, WN_INVALID, "%s has no part %u; compile it again", path, part);
  return 0;
}

static wn_err_t w2c_restore(wn_engine_t *engine, const char *path, uint32_t part, wn_module_t **out,
                            wn_message_t *message) {
  const wn_os_t *os = engine->os;
  const char *why = "";
  void *library = wn_os_library_open(path, &why);
  if (!library) return wn_message_set(message, WN_INVALID, "%s", why);
  const wn_aot_guest_t *guest = wn_os_library_symbol(library, WN_AOT_SYMBOL);
  wn_err_t err = check_guest(guest, part, path, message);
  w2c_module_t *m = err ? NULL : os->alloc(os, sizeof *m);
  if (!err && !m) err = wn_message_set(message, WN_NOMEM, "no memory for a module");
  if (err) {
    wn_os_library_close(library);
    return err;
  }
  m->head.engine = engine;
  m->library = library;
  m->guest = guest + part;
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
  const wn_aot_item_t *item = w2c_item(guest, index);
  *out = (wn_extern_t){.module = {i->module, i->module_len}, .name = {i->name, i->name_len}, .kind = WN_EXTERN_FUNC};
  if (item) {
    out->kind = item->kind;
    out->constant = item->kind == WN_EXTERN_GLOBAL && !strchr(item->type, 'm');
    out->min = item->min;
    out->max = item->max;
    return true;
  }
  letters(out->params, sizeof out->params, i->params);
  letters(out->results, sizeof out->results, i->results);
  return true;
}

static bool w2c_export(const wn_module_t *module, size_t index, wn_extern_t *out) {
  const wn_aot_guest_t *guest = ((const w2c_module_t *)module)->guest;
  if (index >= guest->export_count) return false;
  const wn_aot_export_t *x = &guest->exports[index];
  *out = (wn_extern_t){.name = {x->name, x->name_len}, .kind = x->kind, .min = x->min, .max = x->max};
  if (x->kind != WN_EXTERN_FUNC) return true;
  letters(out->params, sizeof out->params, x->params);
  letters(out->results, sizeof out->results, x->results);
  return true;
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
    .links_functions = true,
    .instantiate = w2c_instantiate,
    .close_instance = w2c_close_instance,
    .signature = w2c_signature,
    .call = w2c_call,
    .func = w2c_func,
    .call_func = w2c_call_func,
    .memory = w2c_memory,
    .span = w2c_span,
    .fuel = w2c_fuel,
};

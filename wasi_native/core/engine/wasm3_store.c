/* wasm3_store.c - runtimes of wasm3, and what instances in one of them share.
 *
 * A runtime has one memory, whatever modules are loaded into it: a module that imports its memory is loaded into the
 * runtime of the instance that exports it. Calls between instances go through us, in one runtime too. A global that
 * never changes is set before the module is loaded; tables, and globals that change, wasm3 cannot share.
 */
#include "core/engine/wasm3.h"

#define PAGE 65536u

static bool same(wn_str_t a, wn_str_t b) { return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0; }

/* ---- runtimes ---- */

static wn_err_t make(w3_guest_t *in, uint64_t stack, wn_message_t *message) {
  const wn_os_t *os = in->head.module->engine->os;
  w3_store_t *store = os->alloc(os, sizeof *store);
  if (store) store->environment = in->api->m3_NewEnvironment();
  if (store && store->environment && stack < INT32_MAX)
    store->runtime = in->api->m3_NewRuntime(store->environment, (uint32_t)stack, NULL);
  in->store = store;
  return store && store->runtime ? 0 : wn_message_set(message, WN_NOMEM, "no memory for a runtime of wasm3");
}

static wn_err_t fits(w3_guest_t *in, w3_guest_t *giver, wn_str_t name, const wn_extern_t *want,
                     wn_message_t *message) {
  wn_extern_t have = {0};
  for (size_t i = 0; wn_module_export(giver->head.module, i, &have); i++) {
    if (have.kind == WN_EXTERN_MEMORY && same(have.name, name)) break;
  }
  uint32_t size = 0;
  in->api->m3_GetMemory(giver->store->runtime, &size, 0);
  if (size / PAGE >= want->min && have.max <= want->max) return 0;
  return wn_message_set(message, WN_INVALID,
                        "the memory %.*s is imported from %.*s with other limits than it has: %u pages now",
                        (int)want->name.len, want->name.ptr, (int)want->module.len, want->module.ptr, size / PAGE);
}

wn_err_t w3_store_take(w3_guest_t *in, const wn_provide_t *provides, size_t count, uint64_t stack,
                       wn_message_t *message) {
  wn_err_t err = 0;
  wn_extern_t want;
  for (size_t i = 0; !err && i < count; i++) {
    if (provides[i].row) continue;
    wn_module_import(in->head.module, i, &want);
    if (want.kind != WN_EXTERN_MEMORY) continue;
    w3_guest_t *giver = (w3_guest_t *)provides[i].sibling;
    in->store = giver->store;
    err = fits(in, giver, provides[i].name, &want, message);
    /* wasm3 finds functions by name in a runtime, in the module that was loaded last first. */
    for (w3_guest_t *other = in->store->first; !err && other && !other->found_all; other = other->peer)
      err = w3_functions_find(other, message);
  }
  if (!in->store) err = make(in, stack, message);
  if (!in->store) return err;
  in->peer = in->store->first;
  in->store->first = in;
  return err;
}

void w3_store_give(w3_guest_t *in) {
  w3_store_t *store = in->store;
  const wn_os_t *os = in->head.module->engine->os;
  if (!store) return;
  w3_guest_t **here = &store->first;
  while (*here != in) here = &(*here)->peer;
  *here = in->peer;
  if (store->first) return;
  if (store->runtime) in->api->m3_FreeRuntime(store->runtime);
  if (store->environment) in->api->m3_FreeEnvironment(store->environment);
  os->free(os, store);
}

/* ---- names ---- */

w3_opaque_t *w3_function_find(w3_guest_t *in, size_t index, wn_str_t name, w3_result_t *result) {
  static const char lookup[] = "function lookup failed";
  char text[256]; /* wasm3 looks for terminated names; longer ones it finds no more than those with a 0 inside */
  w3_opaque_t *function = in->functions[index];
  *result = function ? NULL : lookup;
  if (function || in->found_all || name.len >= sizeof text || memchr(name.ptr, 0, name.len)) return function;
  memcpy(text, name.ptr, name.len);
  text[name.len] = 0;
  *result = in->api->m3_FindFunction(&function, in->store->runtime, text);
  if (!*result && in->api->m3_GetFunctionModule(function) != in->module) *result = lookup;
  return in->functions[index] = *result ? NULL : function;
}

/* wasm3 looks for the last name that a global is exported by, then for an import, without its module. */
static w3_opaque_t *find_global(const w3_guest_t *in, w3_opaque_t *module, wn_str_t name) {
  char text[256];
  if (name.len >= sizeof text || memchr(name.ptr, 0, name.len)) return NULL;
  memcpy(text, name.ptr, name.len);
  text[name.len] = 0;
  return in->api->m3_FindGlobal(module, text);
}

/* NULL: it would find another one. So no module that imports globals has one of an import's name besides. */
static w3_opaque_t *imported_global(const w3_guest_t *in, w3_opaque_t *module, wn_str_t name, uint32_t index) {
  const wn_wasm_t *info = ((const w3_module_t *)in->head.module)->info;
  wn_extern_t item;
  uint32_t at = 0;
  for (size_t i = 0; wn_wasm_import(info, i, &item); i++) {
    if (item.kind == WN_EXTERN_GLOBAL && at++ != index && same(item.name, name)) return NULL;
  }
  for (size_t i = 0; wn_wasm_export(info, i, &item); i++) {
    if (item.kind == WN_EXTERN_GLOBAL && same(item.name, name) && wn_wasm_export_index(info, i) != index) return NULL;
  }
  return find_global(in, module, name);
}

wn_err_t w3_constants_set(w3_guest_t *in, w3_opaque_t *module, const wn_provide_t *provides, size_t count,
                          wn_message_t *message) {
  wn_extern_t want;
  uint32_t index = 0;
  for (size_t i = 0; i < count; i++) {
    wn_module_import(in->head.module, i, &want);
    if (want.kind != WN_EXTERN_GLOBAL) continue;
    const w3_guest_t *giver = (const w3_guest_t *)provides[i].sibling;
    w3_opaque_t *from = find_global(giver, giver->module, provides[i].name);
    w3_opaque_t *to = imported_global(in, module, want.name, index++);
    w3_value_t value;
    w3_result_t result = "it does not tell this global from others by its name";
    if (from && to) result = in->api->m3_GetGlobal(from, &value);
    if (from && to && !result) result = in->api->m3_SetGlobal(to, &value);
    if (result)
      return wn_message_set(message, WN_INVALID, "wasm3: %s: %.*s.%.*s", result, (int)want.module.len,
                            want.module.ptr, (int)want.name.len, want.name.ptr);
  }
  return 0;
}

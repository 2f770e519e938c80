/* wasm3_instance.c - a running module: its runtime, its host functions, its calls. */
#include "core/engine/wasm3.h"

#include "core/engine/trap.h"
#include "core/engine/wasm_guard.h"

#define VALUES_MAX 32u
#define NAME_MAX 511u
#define STACK_DEFAULT (64u << 10)
/* wasm3 looks for the end of the stack when a function is entered, after its arguments were written there: as much as
 * those of one call can be is kept free behind the end that it knows. It takes 1000 of them at most. */
#define RESERVE (8u * 1000u + 192u)

/* Native stack that its compiler takes for each block that is open, and what our own functions take. */
#define BLOCK_BYTES 400u
#define OURS (24u << 10)
#define LEAST (8u << 10) /* for the guest */

static const char ended[] = "the guest has ended";

/* ---- host functions ---- */

static uint64_t stack_bytes(const w3_guest_t *in) {
  const uint64_t wanted = in->head.module->engine->config.wasm_stack;
  return wanted ? wanted : STACK_DEFAULT;
}

static uint64_t stack_whole(const w3_guest_t *in) { return (stack_bytes(in) + RESERVE + 15) & ~(uint64_t)15; }

static const void *host_call(w3_opaque_t *runtime, w3_context_t *context, uint64_t *sp, void *memory) {
  (void)runtime;
  const w3_binding_t *b = context->userdata;
  w3_guest_t *in = b->guest;
  if (WN_LIKELY(in->has_memory)) in->head.guest.mem = (wn_mem_t){memory, ((const w3_header_t *)memory)[-1].length};
  in->store->at = (uint8_t *)sp; /* a nested call goes on from here */
  uint64_t *slots = sp + b->first;
  wn_err_t err = wn_dispatch(&in->head.guest, b->row, slots);
  if (WN_UNLIKELY(err != 0)) return ended;
  sp[0] = slots[0]; /* a result, or an argument that nobody reads any more */
  return NULL;
}

static void set_stop(const w3_guest_t *in, uint32_t value) {
  const w3_value_t now = {1, {.u32 = value}};
  in->api->m3_SetGlobal(in->stop, &now);
}

/* wasm3 sets the end of the stack anew when a memory grows, and in a nested call it sets it wrong: the guard calls
 * here after each growth, and at the first call of all. */
static const void *guard_call(w3_opaque_t *runtime, w3_context_t *context, uint64_t *sp, void *memory) {
  (void)runtime, (void)sp;
  w3_guest_t *in = context->userdata;
  w3_header_t *header = (w3_header_t *)memory - 1;
  w3_store_t *store = in->store;
  if (WN_UNLIKELY(!store->stack_base)) store->stack_base = (uint8_t *)header->stack_end - stack_whole(in);
  header->stack_end = store->stack_base + store->allowed;
  /* Cleared before the look: who stops us later sets it after what we look at. */
  set_stop(in, 0);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return WN_LIKELY(wn_guest_check(&in->head.guest) == 0) ? NULL : ended;
}

/* It counts from the next function that calls another on: there the guard asks. */
static void limit_stack(w3_store_t *store, uint64_t allowed) {
  if (allowed == store->allowed) return;
  store->allowed = allowed;
  for (const w3_guest_t *in = store->first; in; in = in->peer) {
    if (in->stop) set_stop(in, 1);
  }
}

void w3_instance_stop(wn_instance_t *instance) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  set_stop((w3_guest_t *)instance, 1);
}

/* ---- results ---- */

wn_err_t w3_result_take(w3_guest_t *in, w3_result_t result, wn_message_t *message) {
  wn_err_t err = in->head.guest.end.err;
  if (!err) err = wn_guest_end(&in->head.guest, WN_TRAP_ENGINE);
  const uint32_t kind = wn_trap_find((wn_str_t){result, strlen(result)});
  size_t len = wn_trap_begin(message, &in->head.guest, err, kind);
  if (err == WN_TRAP_ENGINE && kind == WN_TRAP_KIND_COUNT && result != ended) {
    /* Functions are compiled when they are called first: what wasm3 cannot compile comes up here. */
    w3_error_t info = {0};
    in->api->m3_GetErrorInfo(in->store->runtime, &info);
    len = wn_message_append_text(message, len, ": ");
    len = wn_message_append_text(message, len, result);
    if (info.message && info.message[0]) {
      len = wn_message_append_text(message, len, ", ");
      wn_message_append_text(message, len, info.message);
    }
  }
  return err;
}

/* ---- the stack of the thread ---- */

static uint64_t stack_used(const w3_store_t *store) {
  return store->at ? (uint64_t)(store->at - store->stack_base) : 0;
}

/* What a call finds, and leaves behind. */
typedef struct w3_outer {
  uint8_t *at;
  uint64_t allowed;
} w3_outer_t;

static w3_outer_t enter(w3_store_t *store) {
  if (store->depth++ == 0) store->at = NULL;
  return (w3_outer_t){store->at, store->allowed};
}

static void leave(w3_store_t *store, w3_outer_t outer) {
  store->depth--;
  store->at = outer.at;
  if (outer.at) limit_stack(store, outer.allowed);
}

/* How far wasm code may go from here: as far as it may at all, and as the native stack that is left goes, of which it
 * takes no more than of its own. Functions are compiled when they are called first, by recursion. */
static wn_err_t look_at_stack(w3_guest_t *in, wn_message_t *message) {
  const wn_os_t *os = in->head.module->engine->os;
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if (here < in->stack[0] || here >= in->stack[1]) {
    if (os->stack_get(os, &in->stack[0], &in->stack[1])) in->stack[0] = in->stack[1] = 0;
  }
  uint64_t allowed = stack_bytes(in);
  if (here >= in->stack[0] && here < in->stack[1]) { /* else a stack of the embedder's own making */
    const uint64_t ours = OURS + (uint64_t)((const w3_module_t *)in->head.module)->deepest * BLOCK_BYTES;
    const uint64_t left = here - in->stack[0], used = stack_used(in->store);
    if (left < ours + LEAST)
      return wn_message_set(message, WN_NOMEM,
                            "this thread has %u KiB of stack left, and wasm3 needs %u for the module: call it from a "
                            "thread with more",
                            (unsigned)(left >> 10), (unsigned)((ours + LEAST) >> 10));
    if (used + left - ours < allowed) allowed = used + left - ours;
  }
  limit_stack(in->store, allowed);
  return 0;
}

/* ---- the start ---- */

/* By the names of the import, which need not be the row's: wasm3 looks for terminated ones. */
static w3_result_t link_row(w3_guest_t *in, w3_opaque_t *module, const wn_extern_t *import, const wn_row_t *row,
                            w3_binding_t *binding) {
  char signature[VALUES_MAX + 4] = {row->results[0] ? row->results[0] : 'v', '('};
  char names[2][NAME_MAX + 1];
  const wn_str_t texts[2] = {import->module, import->name};
  const size_t n = strlen(row->params);
  memcpy(signature + 2, row->params, n);
  memcpy(signature + 2 + n, ")", 2);
  for (size_t i = 0; i < 2; i++) {
    if (texts[i].len > NAME_MAX || memchr(texts[i].ptr, 0, texts[i].len)) return "a name that it does not find";
    memcpy(names[i], texts[i].ptr, texts[i].len);
    names[i][texts[i].len] = 0;
  }
  *binding = (w3_binding_t){row, in, row->results[0] && n};
  return in->api->m3_LinkRawFunctionEx(module, names[0], names[1], signature, host_call, binding);
}

static wn_err_t link_all(w3_guest_t *in, w3_opaque_t *module, const wn_provide_t *provides, size_t count,
                         wn_message_t *message) {
  for (size_t i = 0; i < count; i++) {
    wn_extern_t import;
    wn_module_import(in->head.module, i, &import);
    if (import.kind != WN_EXTERN_FUNC) continue; /* see wasm3_store.c */
    w3_result_t result = link_row(in, module, &import, provides[i].row, &in->bindings[i]);
    if (result)
      return wn_message_set(message, WN_INVALID, "wasm3: %s: %s.%s", result, provides[i].row->module,
                            provides[i].row->name);
  }
  w3_result_t result = in->api->m3_LinkRawFunctionEx(module, WN_GUARD_MODULE, WN_GUARD_CHECK, "v()", guard_call, in);
  /* A module without loops and calls need not ask. */
  if (result && !strstr(result, "lookup")) return wn_message_set(message, WN_INVALID, "wasm3: %s", result);
  in->stop = in->api->m3_FindGlobal(module, WN_GUARD_GLOBAL);
  return in->stop ? 0 : wn_message_set(message, WN_INVALID, "wasm3 does not find the guard's global");
}

/* Its memory; from now on it is reached by ticks; then the start section, which the guard made an export. */
static wn_err_t begin(w3_guest_t *in, wn_message_t *message) {
  w3_engine_t *e = w3_engine_of(in->head.module);
  wn_extern_t item;
  for (size_t i = 0; wn_module_export(in->head.module, i, &item); i++) {
    const char *name = in->head.memory_name;
    if (item.name.len != strlen(name) || memcmp(item.name.ptr, name, item.name.len) != 0) continue;
    if (item.kind != WN_EXTERN_MEMORY)
      return wn_message_set(message, WN_INVALID, "the export \"memory\" is another kind and cannot serve WASI 0.1");
    in->has_memory = true;
  }
  set_stop(in, 1);
  w3_lock(e->head.os, &e->lock);
  in->next = e->first;
  if (in->next) in->next->here = &in->next;
  in->here = &e->first;
  e->first = in;
  w3_unlock(&e->lock);
  w3_opaque_t *start = NULL;
  w3_result_t result = in->api->m3_FindFunction(&start, in->store->runtime, WN_GUARD_START);
  if (!result && in->api->m3_GetFunctionModule(start) == in->module) result = in->api->m3_Call(start, 0, NULL);
  else if (!result || strstr(result, "lookup")) result = in->api->m3_RunStart(in->module); /* none, or an import */
  return result ? w3_result_take(in, result, message) : 0;
}

wn_err_t w3_instance_start(wn_instance_t *instance, const wn_provide_t *provides, size_t count,
                           wn_message_t *message) {
  w3_guest_t *in = (w3_guest_t *)instance;
  w3_module_t *m = (w3_module_t *)instance->module;
  const wn_os_t *os = instance->module->engine->os;
  in->api = &w3_engine_of(instance->module)->api;
  wn_err_t err = w3_code_take(m, wn_guest_limits(&instance->guest), &in->code, message);
  if (!err) err = w3_store_take(in, provides, count, stack_whole(in), message);
  if (err) return err;
  w3_store_t *store = in->store;
  in->bindings = os->alloc(os, (count + 1) * sizeof *in->bindings);
  in->functions = os->alloc(os, (m->exports + 1) * sizeof *in->functions);
  if (!in->bindings || !in->functions) return wn_message_set(message, WN_NOMEM, "no memory for an instance");
  w3_opaque_t *module = NULL;
  w3_result_t result = in->api->m3_ParseModule(store->environment, &module, (const uint8_t *)in->code->wasm.ptr,
                                               (uint32_t)in->code->wasm.len);
  if (result) return wn_message_set(message, WN_INVALID, "wasm3: %s", result);
  err = w3_constants_set(in, module, provides, count, message);
  if (!err && (result = in->api->m3_LoadModule(store->runtime, module)) != NULL)
    err = wn_message_set(message, WN_INVALID, "wasm3: %s", result);
  if (err) {
    in->api->m3_FreeModule(module);
    return err;
  }
  in->module = module; /* the runtime's now */
  err = link_all(in, module, provides, count, message);
  if (err) return err;
  const w3_outer_t outer = enter(store);
  err = look_at_stack(in, message);
  if (!err) err = begin(in, message);
  leave(store, outer);
  return err;
}

void w3_instance_close(wn_instance_t *instance) {
  w3_guest_t *in = (w3_guest_t *)instance;
  w3_engine_t *e = w3_engine_of(instance->module);
  const wn_os_t *os = e->head.os;
  if (in->here) {
    w3_lock(os, &e->lock);
    *in->here = in->next;
    if (in->next) in->next->here = in->here;
    w3_unlock(&e->lock);
  }
  w3_store_give(in);
  w3_code_give(os, in->code);
  os->free(os, in->functions);
  os->free(os, in->bindings);
}

/* ---- calls ---- */

wn_err_t w3_instance_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results) {
  w3_guest_t *in = (w3_guest_t *)instance;
  for (size_t i = 0; wn_module_export(instance->module, i, &in->found); i++) {
    if (in->found.name.len != name.len || memcmp(in->found.name.ptr, name.ptr, name.len) != 0) continue;
    if (in->found.kind != WN_EXTERN_FUNC || strpbrk(in->found.params, "?+") || strpbrk(in->found.results, "?+"))
      return WN_MISSING;
    in->asked = i;
    *params = in->found.params;
    *results = in->found.results;
    return 0;
  }
  return WN_MISSING;
}

/* Compiled when it is looked up first. */
static wn_err_t look_up(w3_guest_t *in, wn_str_t name, w3_opaque_t **out, wn_message_t *message) {
  w3_result_t result;
  *out = w3_function_find(in, in->asked, name, &result);
  if (!*out && strstr(result, "lookup"))
    return wn_message_set(
        message, WN_MISSING,
        "wasm3 does not find this export: an import, of too many names or too long a one, or not to be compiled");
  return *out ? 0 : w3_result_take(in, result, message);
}

/* Looked at the stack before; back to what it was in the call around this one. */
static wn_err_t invoke(w3_guest_t *in, w3_opaque_t *function, wn_value_t *values, size_t nparams, size_t nresults,
                       uint32_t narrow, wn_message_t *message) {
  const void *pointers[VALUES_MAX];
  for (size_t i = 0; i < nparams || i < nresults; i++) pointers[i] = &values[i];
  w3_result_t result = in->api->m3_Call(function, (uint32_t)nparams, pointers);
  if (!result) result = in->api->m3_GetResults(function, (uint32_t)nresults, pointers);
  if (result) return w3_result_take(in, result, message);
  for (size_t i = 0; i < nresults; i++) {
    if (narrow >> i & 1) values[i] = (uint32_t)values[i];
  }
  return 0;
}

wn_err_t w3_functions_find(w3_guest_t *in, wn_message_t *message) {
  const w3_outer_t outer = enter(in->store);
  wn_err_t err = look_at_stack(in, message);
  wn_extern_t item;
  for (size_t i = 0; !err && wn_module_export(in->head.module, i, &item); i++) {
    w3_result_t result;
    if (item.kind == WN_EXTERN_FUNC) w3_function_find(in, i, item.name, &result);
  }
  leave(in->store, outer);
  in->found_all = !err;
  return err;
}

wn_err_t w3_instance_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                          wn_message_t *message) {
  w3_guest_t *in = (w3_guest_t *)instance;
  uint32_t narrow = 0;
  for (size_t i = 0; i < nresults; i++)
    narrow |= (uint32_t)(in->found.results[i] == 'i' || in->found.results[i] == 'f') << i;
  const w3_outer_t outer = enter(in->store);
  w3_opaque_t *function;
  wn_err_t err = look_at_stack(in, message);
  if (!err) err = look_up(in, name, &function, message);
  if (!err) err = invoke(in, function, values, nparams, nresults, narrow, message);
  leave(in->store, outer);
  return err;
}

wn_err_t w3_instance_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func) {
  w3_guest_t *in = (w3_guest_t *)instance;
  const w3_outer_t outer = enter(in->store);
  w3_opaque_t *function;
  wn_err_t err = look_at_stack(in, NULL);
  if (!err) err = look_up(in, name, &function, NULL);
  leave(in->store, outer);
  if (!err) func->at[0] = (uintptr_t)function;
  return err;
}

wn_err_t w3_instance_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  w3_guest_t *in = (w3_guest_t *)func->instance;
  const w3_outer_t outer = enter(in->store);
  wn_err_t err = look_at_stack(in, message);
  if (!err)
    err = invoke(in, (w3_opaque_t *)(uintptr_t)func->at[0], values, func->params, func->result != 0,
                 func->result == 'i' || func->result == 'f', message);
  leave(in->store, outer);
  return err;
}

wn_err_t w3_instance_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *memory) {
  (void)memory;
  w3_guest_t *in = (w3_guest_t *)instance;
  wn_extern_t item;
  bool found = in->has_memory && wn_rows_memory(instance, name);
  for (size_t i = 0; !found && wn_module_export(instance->module, i, &item); i++)
    found =
        item.kind == WN_EXTERN_MEMORY && item.name.len == name.len && memcmp(item.name.ptr, name.ptr, name.len) == 0;
  if (!found) return WN_MISSING;
  return 0; /* a runtime has one */
}

wn_mem_t w3_instance_span(const wn_memory_ref_t *memory) {
  const w3_guest_t *in = (const w3_guest_t *)memory->instance;
  uint32_t size = 0;
  uint8_t *base = in->api->m3_GetMemory(in->store->runtime, &size, 0);
  return (wn_mem_t){base, size};
}

/* wasm2c_instance.c - compiled guests at work: what they ask of the host, calls of their exports, how these end. */
#include "core/engine/trap.h"
#include "core/engine/wasm2c.h"

#define PAGE 65536u
#define ELEMENT 16u /* bytes of memory that a place in a table counts as */
#define STACK_DEFAULT (512u << 10)
/* For our own functions and the embedder's below the last frame of the guest. */
#define STACK_RESERVE (48u << 10)

static w2c_instance_t *of_host(wn_aot_host_t *host) {
  return (w2c_instance_t *)((char *)host - offsetof(w2c_instance_t, host));
}

/* ---- what a guest asks of us ---- */

/* A function of a sibling: slots are its values. */
static int32_t sibling_call(w2c_instance_t *in, const wn_func_t *func, uint64_t *slots) {
  wn_guest_t *guest = &in->head.guest;
  const wn_err_t err = wn_func_call(func, slots, guest->comp ? &guest->comp->tree->trap : NULL);
  if (WN_LIKELY(err == 0)) return 0;
  const wn_guest_t *callee = wn_instance_guest(func->instance);
  return callee->end.err ? wn_guest_end_as(guest, &callee->end) : wn_guest_end(guest, err < 0 ? err : WN_HOST);
}

static int32_t host_call(wn_aot_host_t *host, uint32_t index, uint64_t *slots) {
  w2c_instance_t *in = of_host(host);
  if (WN_LIKELY(in->memory != NULL)) in->head.guest.mem = (wn_mem_t){in->memory->data, in->memory->size};
  const wn_row_t *row = in->rows[index];
  const int32_t verdict =
      WN_LIKELY(row != NULL) ? wn_dispatch(&in->head.guest, row, slots) : sibling_call(in, &in->funcs[index], slots);
  if (WN_UNLIKELY(verdict < 0)) in->shared->ended = &in->head.guest;
  return verdict;
}

static int32_t host_check(wn_aot_host_t *host) {
  w2c_instance_t *in = of_host(host);
  const int32_t verdict = wn_guest_check(&in->head.guest);
  if (verdict < 0) in->shared->ended = &in->head.guest;
  return verdict;
}

static uint8_t *host_memory(wn_aot_host_t *host, uint8_t *data, uint64_t old_size, uint64_t new_size) {
  w2c_instance_t *in = of_host(host);
  const wn_os_t *os = w2c_os(in);
  const uint64_t limit = wn_guest_limits(&in->head.guest)->memory_bytes;
  const uint64_t total = in->shared->memory_bytes - old_size + new_size;
  if (new_size > SIZE_MAX - PAGE || (new_size && limit && total > limit)) return NULL;
  uint8_t *out = os->pages_resize(os, data, (size_t)old_size, (size_t)new_size);
  if (out || !new_size) in->shared->memory_bytes = total;
  return out;
}

static void *host_table(wn_aot_host_t *host, void *data, uint32_t old_count, uint32_t new_count, uint32_t width) {
  w2c_instance_t *in = of_host(host);
  const wn_os_t *os = w2c_os(in);
  const wn_limits_t *limits = wn_guest_limits(&in->head.guest);
  const uint64_t limit = limits->table_elements, total = in->shared->elements - old_count + new_count;
  if (!new_count) {
    os->free(os, data);
    in->shared->elements = total;
    return NULL;
  }
  uint64_t most = limits->memory_bytes / ELEMENT; /* of all tables: they are the host's memory */
  if (most < limit) most = limit;
  if ((limit && new_count > limit) || (limits->memory_bytes && total > most) || new_count > SIZE_MAX / width)
    return NULL;
  uint8_t *out = os->resize(os, data, (size_t)new_count * width);
  if (out) in->shared->elements = total;
  if (out) memset(out + (size_t)old_count * width, 0, (size_t)(new_count - old_count) * width);
  return out;
}

/* ---- calls ---- */

static const wn_aot_memory_t *find_memory(const w2c_instance_t *in, wn_str_t name) {
  const wn_aot_export_t *x = w2c_find(w2c_guest(in), name, WN_EXTERN_MEMORY);
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
  const wn_guest_t *other = in->shared->ended; /* a function of it was called without us */
  if (code < 0 && !guest->end.err && other && other->end.err == code) wn_guest_end_as(guest, &other->end);
  wn_err_t err = guest->end.err;
  if (code == WN_AOT_TRAP_FUEL) {
    err = wn_guest_end(guest, WN_LIMIT);
    guest->end.limit = "fuel";
  } else if (!err) {
    err = wn_guest_end(guest, code > 0 ? WN_TRAP_ENGINE : code);
  }
  if (code > 0) in->shared->kind = code < WN_AOT_TRAP_FUEL ? kinds[code] : WN_TRAP_KIND_COUNT;
  wn_trap_begin(message, guest, err,
                in->shared->kind); /* below 0 of an engine's trap: of the sibling that was called */
  return err;
}

/* How deep the stack may go in a call that begins here. */
static void find_stack(w2c_instance_t *in) {
  const w2c_engine_t *e = (const w2c_engine_t *)in->head.module->engine;
  w2c_shared_t *shared = in->shared;
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if (here < shared->stack[0] || here >= shared->stack[1]) {
    if (e->head.os->stack_get(e->head.os, &shared->stack[0], &shared->stack[1]))
      shared->stack[0] = shared->stack[1] = 0;
  }
  const uint64_t most = e->head.config.wasm_stack ? e->head.config.wasm_stack : STACK_DEFAULT;
  uintptr_t limit = most < here ? here - (uintptr_t)most : 0;
  if (here >= shared->stack[0] && here < shared->stack[1]) { /* else a stack of the embedder's own making */
    const uintptr_t lowest = shared->stack[0] + STACK_RESERVE + shared->frame_max;
    if (limit < lowest) limit = lowest;
  }
  shared->stack_limit = limit;
  for (w2c_instance_t *one = shared->tables ? shared->first : NULL; one; one = one->next)
    one->state->stack_limit = limit;
}

/* Before the first call into an instance: how deep the stack may go, and from which epoch on it counts as
 * interrupted. */
static wn_err_t prepare(w2c_instance_t *in, wn_message_t *message) {
  const w2c_engine_t *e = (const w2c_engine_t *)in->head.module->engine;
  const wn_aot_guest_t *guest = w2c_guest(in);
  if (in->shared->depth == 1) find_stack(in);
  in->state->stack_limit = in->shared->stack_limit;
  if (!(guest->flags & WN_AOT_CHECKS) && wn_guest_has_deadline(&in->head.guest))
    return wn_message_set(message, WN_INVALID,
                          "the guest was compiled without checks: neither a deadline nor a limit of CPU time can be "
                          "kept; compile it again with them");
  in->state->seen = __atomic_load_n(&e->epoch, __ATOMIC_ACQUIRE);
  return wn_guest_check(&in->head.guest); /* what came before that look wakes nobody any more */
}

/* Its start section, or an export. */
static wn_err_t enter(w2c_instance_t *in, const uint32_t *index, wn_value_t *values, wn_message_t *message) {
  const wn_aot_guest_t *guest = w2c_guest(in);
  in->shared->depth++;
  wn_err_t err = in->head.guest.depth == 1 ? prepare(in, message) : 0;
  if (!err)
    err = outcome(in, index ? guest->call(in->state, *index, values) : guest->instantiate(in->state), message);
  in->shared->depth--;
  return err;
}

wn_err_t w2c_instantiate(wn_instance_t *instance, const wn_provide_t *provides, size_t count, wn_message_t *message) {
  w2c_instance_t *in = (w2c_instance_t *)instance;
  w2c_engine_t *e = (w2c_engine_t *)instance->module->engine;
  const wn_os_t *os = e->head.os;
  const wn_aot_guest_t *guest = w2c_guest(in);
  const uint64_t fuel = wn_guest_limits(&instance->guest)->fuel;
  if (fuel && !(guest->flags & WN_AOT_FUEL))
    return wn_message_set(message, WN_INVALID, "the guest was compiled without fuel; compile it again with it");
  const int64_t left = fuel && fuel < INT64_MAX ? (int64_t)fuel : INT64_MAX;
  in->rows = os->alloc(os, (count + 1) * sizeof *in->rows);
  in->funcs = os->alloc(os, (count + 1) * sizeof *in->funcs);
  in->items = os->alloc(os, (count + 1) * sizeof *in->items);
  in->block = os->alloc(os, guest->state_size + 15u);
  if (!in->rows || !in->funcs || !in->items || !in->block || w2c_join(in, provides, count, left))
    return wn_message_set(message, WN_NOMEM, "no memory for an instance");
  in->state = (wn_aot_state_t *)(((uintptr_t)in->block + 15u) & ~(uintptr_t)15u);
  in->host = (wn_aot_host_t){host_call, host_check, host_memory, host_table};
  in->state->host = &in->host;
  in->state->epoch = &e->epoch;
  in->state->fuel = left;
  if (w2c_shares(guest)) { /* others have no such fields, but variables of their own there */
    in->state->shared = &in->shared->guest;
    in->state->items = in->items;
  }
  wn_err_t err = w2c_link(in, provides, count, message);
  if (err) return err;
  in->memory = find_memory(in, (wn_str_t){instance->memory_name, strlen(instance->memory_name)});
  return enter(in, NULL, NULL, message);
}

void w2c_close_instance(wn_instance_t *instance) {
  w2c_instance_t *in = (w2c_instance_t *)instance;
  const wn_os_t *os = w2c_os(in);
  if (in->state) w2c_guest(in)->release(in->state);
  w2c_leave(in);
  os->free(os, in->block);
  os->free(os, in->items);
  os->free(os, in->funcs);
  os->free(os, in->rows);
}

wn_err_t w2c_signature(wn_instance_t *instance, wn_str_t name, const char **params, const char **results) {
  const wn_aot_export_t *x = w2c_find(w2c_guest((w2c_instance_t *)instance), name, WN_EXTERN_FUNC);
  if (!x || !x->call || strlen(x->params) > VALUES_MAX || strlen(x->results) > VALUES_MAX) return WN_MISSING;
  *params = x->params;
  *results = x->results;
  return 0;
}

wn_err_t w2c_call(wn_instance_t *instance, wn_str_t name, wn_value_t *values, size_t nparams, size_t nresults,
                  wn_message_t *message) {
  (void)nparams, (void)nresults;
  w2c_instance_t *in = (w2c_instance_t *)instance;
  const wn_aot_export_t *x = w2c_find(w2c_guest(in), name, WN_EXTERN_FUNC);
  if (!x) return wn_message_set(message, WN_MISSING, "no such export");
  const uint32_t index = (uint32_t)(x - w2c_guest(in)->exports);
  return enter(in, &index, values, message);
}

wn_err_t w2c_func(wn_instance_t *instance, wn_str_t name, wn_func_t *func) {
  const wn_aot_guest_t *guest = w2c_guest((w2c_instance_t *)instance);
  const wn_aot_export_t *x = w2c_find(guest, name, WN_EXTERN_FUNC);
  if (!x || !x->call) return WN_MISSING;
  func->at[0] = (uint64_t)(x - guest->exports);
  return 0;
}

wn_err_t w2c_call_func(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  const uint32_t index = (uint32_t)func->at[0];
  return enter((w2c_instance_t *)func->instance, &index, values, message);
}

wn_err_t w2c_memory(wn_instance_t *instance, wn_str_t name, wn_memory_ref_t *out) {
  const w2c_instance_t *in = (const w2c_instance_t *)instance;
  const wn_aot_memory_t *memory = in->memory && wn_rows_memory(instance, name) ? in->memory : find_memory(in, name);
  if (!memory) return WN_MISSING;
  out->at[0] = (uintptr_t)memory;
  return 0;
}

wn_mem_t w2c_span(const wn_memory_ref_t *memory) {
  const wn_aot_memory_t *at = (const wn_aot_memory_t *)(uintptr_t)memory->at[0];
  return (wn_mem_t){at->data, at->size};
}

uint64_t w2c_fuel(wn_instance_t *instance) {
  const w2c_instance_t *in = (const w2c_instance_t *)instance;
  if (!(w2c_guest(in)->flags & WN_AOT_FUEL)) return 0;
  const int64_t left = w2c_shares(w2c_guest(in)) ? in->shared->guest.fuel : in->state->fuel;
  return left > 0 ? (uint64_t)left : 0;
}

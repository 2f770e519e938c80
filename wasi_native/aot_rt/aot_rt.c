/* aot_rt.c - the run time inside a compiled guest: unwinding, memories, tables. No globals, but who runs. */
#include "wasm-rt.h"

#define PAGE 65536u
#define NONE UINT32_MAX
/* 32-bit sizes hold one page less than 4 GiB. */
#define PAGES_MAX (UINTPTR_MAX > 0xffffffffu ? 65536u : 65535u)

/* Whose code runs on this thread: set around each call, so that a trap deep in a helper finds its way out. A function
 * of another instance that was found in a shared table unwinds to the same place. */
static __thread wn_aot_state_t *running;

int32_t wn_rt_run(wn_aot_state_t *state, wn_rt_body_t body, uint64_t *values) {
  jmp_buf here;
  wn_aot_state_t *const outer = running;
  void *const outer_unwind = state->unwind;
  const uint32_t depth = WN_RT_COUNTS(state)->depth;
  running = state;
  state->unwind = &here;
  state->verdict = 0;
  if (setjmp(here) == 0) body(state, values);
  const int32_t verdict = state->verdict;
  state->verdict = 0;
  state->unwind = outer_unwind;
  WN_RT_COUNTS(state)->depth = depth;
  running = outer;
  return verdict;
}

_Noreturn void wn_rt_stop(int32_t verdict) {
  wn_aot_state_t *state = running;
  state->verdict = verdict;
  longjmp(*(jmp_buf *)state->unwind, 1);
}

void wn_rt_check(wn_aot_state_t *state) {
  state->seen = __atomic_load_n(state->epoch, __ATOMIC_ACQUIRE);
  int32_t verdict = state->host->check(state->host);
  if (verdict < 0) wn_rt_stop(verdict);
}

static _Noreturn void refused(wn_aot_state_t *state, uint32_t what, uint64_t wanted) {
  state->refused = what;
  state->wanted = wanted;
  wn_rt_stop(WN_AOT_TRAP_NOMEM);
}

void wn_rt_memory_new(wn_aot_state_t *state, wasm_rt_memory_t *memory, uint64_t pages, uint64_t max) {
  *memory = (wasm_rt_memory_t){.max_pages = max < PAGES_MAX ? max : PAGES_MAX};
  if (pages == 0) return;
  if (pages <= PAGES_MAX) memory->data = state->host->memory(state->host, NULL, 0, pages * PAGE);
  if (!memory->data) refused(state, 1, pages);
  memory->pages = pages;
  memory->size = pages * PAGE;
}

uint32_t wn_rt_memory_grow(wn_aot_state_t *state, wasm_rt_memory_t *memory, uint32_t pages) {
  const uint64_t old = memory->pages, now = old + pages;
  if (now > memory->max_pages) return NONE;
  if (pages == 0) return (uint32_t)old;
  uint8_t *data = state->host->memory(state->host, memory->data, old * PAGE, now * PAGE);
  if (!data) return NONE;
  memory->data = data;
  memory->pages = now;
  memory->size = now * PAGE;
  return (uint32_t)old;
}

void wn_rt_memory_free(wn_aot_state_t *state, wasm_rt_memory_t *memory) {
  if (memory->data) state->host->memory(state->host, memory->data, memory->size, 0);
  *memory = (wasm_rt_memory_t){0};
}

void wn_rt_load(wasm_rt_memory_t *memory, uint64_t offset, const uint8_t *data, uint64_t size) {
  if (offset + size > memory->size) wn_rt_stop(WN_AOT_TRAP_MEMORY);
  if (size) memcpy(memory->data + offset, data, size);
}

/* Both kinds of table begin so. */
typedef wasm_rt_externref_table_t table_t;
_Static_assert(sizeof(wasm_rt_funcref_table_t) == sizeof(table_t), "one layout for all tables");

void wn_rt_table_new(wn_aot_state_t *state, void *table, uint32_t count, uint32_t max, uint32_t width) {
  table_t *t = table;
  *t = (table_t){.max_size = max};
  if (count == 0) return;
  t->data = state->host->table(state->host, NULL, 0, count, width);
  if (!t->data) refused(state, 2, count);
  t->size = count;
}

uint32_t wn_rt_table_grow(wn_aot_state_t *state, void *table, uint32_t count, const void *value, uint32_t width) {
  table_t *t = table;
  const uint32_t old = t->size;
  if (count > t->max_size - old) return NONE;
  if (count == 0) return old;
  void *data = state->host->table(state->host, t->data, old, old + count, width);
  if (!data) return NONE;
  t->data = data;
  t->size = old + count;
  for (uint32_t i = old; i < old + count; i++) memcpy((char *)data + (size_t)i * width, value, width);
  return old;
}

void wn_rt_table_free(wn_aot_state_t *state, void *table, uint32_t width) {
  table_t *t = table;
  if (t->data) state->host->table(state->host, t->data, t->size, 0, width);
  *t = (table_t){0};
}

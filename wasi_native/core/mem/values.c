/* values.c - memory for value streams: a stream grows out of its caller's buffer into a block of an arena, and the
 * block serves the next one. */
#include "wasi_native/values.h"

#include <string.h>

#include "core/os/os.h"

enum {
  LEAST = 4096,    /* bytes of a block */
  KEPT = 1u << 20, /* bytes that idle blocks hold together; more goes back at once */
};

typedef struct block block_t;
struct block {
  block_t *next;
  size_t size; /* of the bytes behind it */
};

struct wn_arena {
  const wn_os_t *os;
  block_t *idle;
  uint64_t lent, kept, cap;
};

wn_err_t wn_arena_new(const wn_os_t *os, uint64_t cap, wn_arena_t **out) {
  if (!os) os = wn_os_posix();
  wn_arena_t *arena = os->alloc(os, sizeof *arena);
  if (!arena) return WN_NOMEM;
  arena->os = os;
  arena->cap = cap ? cap : WN_VALUES_DEFAULT;
  *out = arena;
  return 0;
}

void wn_arena_delete(wn_arena_t *arena) {
  if (!arena) return;
  while (arena->idle) {
    block_t *block = arena->idle;
    arena->idle = block->next;
    arena->os->free(arena->os, block);
  }
  arena->os->free(arena->os, arena);
}

/* What may still be lent, besides the bytes that are `mine`. */
static uint64_t left(const wn_arena_t *arena, uint64_t mine) {
  uint64_t lent = arena->lent - mine;
  return lent < arena->cap ? arena->cap - lent : 0;
}

/* An idle block of at least `size` bytes, and no more than `most`. */
static block_t *idle_take(wn_arena_t *arena, size_t size, uint64_t most) {
  for (block_t **link = &arena->idle; *link; link = &(*link)->next) {
    block_t *block = *link;
    if (block->size < size || block->size > most) continue;
    *link = block->next;
    arena->kept -= block->size;
    arena->lent += block->size;
    return block;
  }
  return NULL;
}

static void give_back(wn_arena_t *arena, block_t *block) {
  arena->lent -= block->size;
  if (arena->kept + block->size > KEPT) {
    arena->os->free(arena->os, block);
    return;
  }
  block->next = arena->idle;
  arena->idle = block;
  arena->kept += block->size;
}

void wn_values_init(wn_values_t *values, void *room, size_t size, wn_arena_t *arena) {
  *values = (wn_values_t){.bytes = room, .room = size, .arena = arena};
}

void wn_values_deinit(wn_values_t *values) {
  if (values->charged) values->arena->lent -= values->charged;
  if (values->block) give_back(values->arena, values->block);
  *values = (wn_values_t){0};
}

wn_err_t wn_values_charge(wn_values_t *values, uint64_t size) {
  wn_arena_t *arena = values->arena;
  if (!arena) return 0;
  if (size > left(arena, 0)) return WN_LIMIT;
  arena->lent += size;
  values->charged += size;
  return 0;
}

wn_err_t wn_values_grow(wn_values_t *values, size_t size) {
  wn_arena_t *arena = values->arena;
  block_t *old = values->block;
  if (size <= values->room - values->used) return 0;
  if (!arena) return WN_LIMIT;
  const uint64_t most = left(arena, old ? old->size : 0);
  uint64_t wanted = (uint64_t)values->used + size;
  if (wanted < size || wanted > most) return WN_LIMIT;
  uint64_t room = wanted + wanted / 2 < LEAST ? LEAST : wanted + wanted / 2;
  if (room > most) room = most;
  if (room > SIZE_MAX - sizeof *old) return WN_NOMEM;
  block_t *block = idle_take(arena, (size_t)wanted, most);
  if (!block) {
    block = arena->os->resize(arena->os, NULL, sizeof *block + (size_t)room);
    if (!block) return WN_NOMEM;
    block->size = (size_t)room;
    arena->lent += room;
  }
  uint8_t *bytes = (uint8_t *)(block + 1);
  if (values->used) memcpy(bytes, values->bytes, values->used);
  if (old) give_back(arena, old);
  values->bytes = bytes;
  values->room = block->size;
  values->block = block;
  return 0;
}

/* canon.c - what lifting and lowering share: pointers of a guest, memory from its realloc, the room of a stream. */
#include "core/mem/canon_walk.h"

/* By place; towards the host, and between two components. */
static const char *const outside[][2] = {
    [WN_PLACE_TUPLE] = {"pointer out of bounds of memory", "pointer out of bounds of memory"},
    [WN_PLACE_STRING] = {"string pointer/length out of bounds of memory", "string content out-of-bounds"},
    [WN_PLACE_LIST] = {"list pointer/length out of bounds of memory", "list content out-of-bounds"},
};
static const char *const too_long[] = {
    [WN_PLACE_TUPLE] = "pointer out of bounds of memory",
    [WN_PLACE_STRING] = "string too long",
    [WN_PLACE_LIST] = "list too long",
};

wn_err_t wn_canon_span(wn_canon_cx_t *cx, wn_place_t place, uint32_t ptr, uint64_t size, uint32_t align,
                       uint8_t **out) {
  if (WN_UNLIKELY(!cx->mem)) return WN_INVALID;
  if (WN_UNLIKELY(size > WN_BYTES_MAX)) return wn_canon_trap(cx, too_long[place]);
  wn_err_t err = wn_mem_array(cx->mem, ptr, (uint32_t)size, 1, align, out);
  if (WN_LIKELY(!err)) return 0;
  return wn_canon_trap(cx, err == WN_TRAP_ALIGN ? "unaligned pointer" : outside[place][cx->fused]);
}

wn_err_t wn_canon_realloc(wn_canon_cx_t *cx, wn_place_t place, uint32_t old, uint32_t old_size, uint32_t align,
                          uint32_t size, uint32_t *ptr, uint8_t **out) {
  if (WN_UNLIKELY(!cx->mem || !cx->realloc)) return WN_INVALID;
  wn_err_t err = cx->realloc(cx, old, old_size, align, size, ptr);
  if (WN_UNLIKELY(err)) return err;
  err = wn_mem_array(cx->mem, *ptr, size, 1, align, out);
  if (WN_LIKELY(!err)) return 0;
  if (err == WN_TRAP_ALIGN)
    return wn_canon_trap(cx, cx->fused ? "unaligned pointer" : "realloc return: result not aligned");
  return wn_canon_trap(cx, cx->fused ? outside[place][1] : "realloc return: beyond end of memory");
}

wn_err_t wn_canon_put(wn_walk_t *walk, uint64_t size, uint8_t **out) {
  wn_err_t err = wn_canon_reserve(walk, size);
  if (WN_UNLIKELY(err)) return err;
  *out = walk->values->bytes + walk->values->used;
  walk->values->used += (size_t)size;
  return 0;
}

wn_err_t wn_canon_reserve(wn_walk_t *walk, uint64_t size) {
  wn_values_t *values = walk->values;
  if (WN_LIKELY(size <= values->room - values->used)) return 0;
  wn_err_t err = size > SIZE_MAX ? WN_LIMIT : wn_values_grow(values, (size_t)size);
  if (err == WN_LIMIT) walk->cx->reason = "value_bytes";
  return err;
}

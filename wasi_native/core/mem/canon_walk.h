/* canon_walk.h - between the files of the canonical ABI: one walk over a plan, its traps, its strings. */
#ifndef WN_CORE_CANON_WALK_H
#define WN_CORE_CANON_WALK_H

#include "core/mem/canon.h"

typedef struct wn_walk {
  wn_canon_cx_t *cx;
  const wn_node_t *nodes;
  const wn_item_t *items;
  wn_values_t *values;
} wn_walk_t;

#define WN_BYTES_MAX ((1u << 28) - 1) /* of one string or list in memory */
#define WN_UTF16_TAG 0x80000000u

/* What a pointer points to: it chooses the text of a trap. */
typedef enum wn_place { WN_PLACE_TUPLE, WN_PLACE_STRING, WN_PLACE_LIST } wn_place_t;

static inline wn_walk_t wn_walk_new(wn_canon_cx_t *cx, const wn_plan_t *plan, wn_values_t *values) {
  return (wn_walk_t){cx, wn_plan_node(plan, 0), wn_plan_item(plan, 0), values};
}

static inline wn_err_t wn_canon_trap(wn_canon_cx_t *cx, const char *reason) {
  cx->reason = reason;
  return WN_TRAP_CANON;
}

static inline uint64_t *wn_canon_slot(const void *slots, uint32_t shift, uint32_t i) {
  return (uint64_t *)(uintptr_t)slots + ((size_t)i << shift);
}

static inline bool wn_is_scalar(uint32_t c) { return c < 0xd800 || (c >= 0xe000 && c < 0x110000); }
static inline uint32_t wn_canon_f32(uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits; }
static inline uint64_t wn_canon_f64(uint64_t bits) {
  return (bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u ? 0x7ff8000000000000u : bits;
}
static inline uint32_t wn_flags_mask(uint32_t labels) { return labels >= 32 ? 0xffffffffu : (1u << labels) - 1; }

/* `size` bytes that a guest points to: aligned, inside. A guest without memory has none. */
wn_err_t wn_canon_span(wn_canon_cx_t *cx, wn_place_t place, uint32_t ptr, uint64_t size, uint32_t align,
                       uint8_t **out);

/* The same for what realloc answers. The span is good until the next one. */
wn_err_t wn_canon_realloc(wn_canon_cx_t *cx, wn_place_t place, uint32_t old, uint32_t old_size, uint32_t align,
                          uint32_t size, uint32_t *ptr, uint8_t **out);

/* Room in the stream; `reason` says which limit when there is none. */
wn_err_t wn_canon_put(wn_walk_t *walk, uint64_t size, uint8_t **out);

/* Room for so many more bytes, so that putting them cannot fail. */
wn_err_t wn_canon_reserve(wn_walk_t *walk, uint64_t size);

wn_err_t wn_canon_lift_string(wn_walk_t *walk, uint32_t ptr, uint32_t units);
wn_err_t wn_canon_lower_string(wn_walk_t *walk, uint32_t *ptr, uint32_t *units);

#endif

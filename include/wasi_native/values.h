/* values.h - values of component types between two worlds: the plan of a function's types, and the stream in which
 * its parameters or its result travel.
 *
 * A value stream is host memory, little-endian, without padding:
 *   bool u8 s8           1 byte (bool: 0 or 1)
 *   u16 s16 / u32 s32 / u64 s64   2, 4, 8 bytes
 *   f32 f64              their bits, every NaN the canonical one (7fc00000, 7ff8000000000000)
 *   char                 u32, a Unicode scalar value
 *   string               u8 WN_TEXT_*, u32 code units, the code units
 *   list                 u32 count, the elements; a list of fixed length has no count
 *   record tuple         the fields
 *   variant enum option result   u32 case (option: none 0, some 1; result: ok 0, error 1), the payload
 *   flags                u32, bit i is label i
 *   own borrow           u32, the resource's representation
 *
 * In a stream that lends, which its owner says before anything is in it, the bytes of a list of u8 need not be there:
 *   list of u8           u32 count, u64 address of the bytes; 0: they follow
 * They stay as they are until the call that reads them has returned. wn_lifted_call() answers with addresses in the
 * memory of the guest, good until the guest runs again; where its post-return must run, with a stream that lends not.
 */
#ifndef WASI_NATIVE_VALUES_H
#define WASI_NATIVE_VALUES_H

#include "base.h"
#include "sys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the code units of a string in a stream are written. */
enum {
  WN_TEXT_UTF8 = 0,
  WN_TEXT_UTF16 = 1,
  WN_TEXT_LATIN1 = 2,     /* of a guest with latin1+utf16 */
  WN_TEXT_UTF16_MAYBE = 3 /* the same guest's UTF-16: it may hold what Latin-1 could */
};

/* ---- memory for streams: blocks that are used again, no more of them together than a cap ---- */

typedef struct wn_arena wn_arena_t;

#define WN_VALUES_DEFAULT (64u << 20) /* bytes that streams of one arena may hold together */

/* os NULL: wn_os_posix(); cap 0: WN_VALUES_DEFAULT. NOMEM. */
WN_API wn_err_t wn_arena_new(const wn_os_t *os, uint64_t cap, wn_arena_t **out);

/* NULL is fine. Its streams are gone before. */
WN_API void wn_arena_delete(wn_arena_t *arena);

/* ---- a stream ---- */

typedef struct wn_values {
  uint8_t *bytes;
  size_t at;         /* what was read */
  size_t used;       /* what was written */
  size_t room;       /* bytes that fit before more is asked for */
  wn_arena_t *arena; /* NULL: the room is all there is */
  void *block;       /* of the arena; NULL while the caller's own room serves */
  uint64_t charged;  /* bytes elsewhere that count as the arena's */
  bool lends;        /* see above; only with an arena */
} wn_values_t;

/* An empty stream in the caller's room (a buffer of its stack), which moves into the arena when that is full. */
WN_API void wn_values_init(wn_values_t *values, void *room, size_t size, wn_arena_t *arena);

/* Gives back what the arena lent. */
WN_API void wn_values_deinit(wn_values_t *values);

/* Makes room for `size` more bytes. LIMIT "value_bytes": the cap of the arena, or there is none. NOMEM. Pointers
 * into the stream are worth nothing after it. */
WN_API wn_err_t wn_values_grow(wn_values_t *values, size_t size);

/* Counts `size` bytes against the cap of the arena until the stream is given back: for what is made of its values,
 * which may be a lot more than they are. LIMIT. Without an arena nothing is counted. */
WN_API wn_err_t wn_values_charge(wn_values_t *values, uint64_t size);

/* Room for `size` bytes at the end, which counts as written; NULL when wn_values_grow() says so (*err). */
static inline uint8_t *wn_values_put(wn_values_t *values, size_t size, wn_err_t *err) {
  if (WN_UNLIKELY(size > values->room - values->used)) {
    *err = wn_values_grow(values, size);
    if (*err) return NULL;
  }
  uint8_t *at = values->bytes + values->used;
  values->used += size;
  return at;
}

/* The next `size` bytes, which count as read; NULL where the stream ends before. */
static inline const uint8_t *wn_values_get(wn_values_t *values, size_t size) {
  if (WN_UNLIKELY(size > values->used - values->at)) return NULL;
  const uint8_t *at = values->bytes + values->at;
  values->at += size;
  return at;
}

/* ---- plans ---- */

/* The types of one function, laid out: made by wasi_native.component.plan, see core/mem/plan.h. */
typedef struct wn_plan wn_plan_t;

/* The plan in these bytes, which stay as they are while it is in use; they begin at a multiple of 4. Every number in
 * them is checked. INVALID. */
WN_API wn_err_t wn_plan_load(const void *bytes, size_t size, const wn_plan_t **out);

/* What a core function must look like that is lifted with this plan, or that lowering with it makes. */
typedef struct wn_plan_info {
  char lift_params[20], lift_results[4]; /* letters: i i32, I i64, f f32, F f64 */
  char lower_params[20], lower_results[4];
  bool params_in_memory, result_in_memory; /* more core values than may be passed: a pointer stands for them */
  bool params_pointers, result_pointers;   /* a string or list is in them: lowering them needs realloc */
  uint32_t resources; /* resources are numbered 0 up, in the order in which the types name them */
  /* Of an async function. Lowered async it takes these and answers an i32; lifted async it answers nothing, and the
   * guest gives the result to its task.return. */
  char async_params[8], returned[20];
  bool async_params_in_memory, returned_in_memory;
} wn_plan_info_t;
WN_API void wn_plan_get_info(const wn_plan_t *plan, wn_plan_info_t *out);

#ifdef __cplusplus
}
#endif
#endif

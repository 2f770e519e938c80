/* mem.h - the only room where a guest offset becomes a pointer.
 *
 * A span lives until the guest runs again: never keep one over a return to it or over a call of its exports.
 * Read each guest word once: copy what you decide on.
 * Structures need their natural alignment (WN_TRAP_ALIGN), byte buffers and paths do not.
 * All integers in guest memory are little-endian, and so is every machine that this is built for.
 */
#ifndef WN_CORE_MEM_H
#define WN_CORE_MEM_H

#include <string.h>

#include "wasi_native/base.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "no engine is tested on a big-endian processor: slots and guest memory are taken as little-endian"
#endif

typedef struct wn_mem {
  uint8_t *base;
  uint64_t size; /* bytes, at most 4 GiB */
} wn_mem_t;

/* len bytes at ptr, at any alignment; len 0 is fine where ptr is at most the size. */
static inline wn_err_t wn_mem_bytes(const wn_mem_t *m, uint32_t ptr, uint32_t len, uint8_t **out) {
  if (WN_UNLIKELY((uint64_t)ptr + len > m->size)) return WN_TRAP_BOUNDS;
  *out = m->base + ptr;
  return 0;
}

/* count items of `size` bytes at ptr, aligned to `align` (a power of two). */
static inline wn_err_t wn_mem_array(const wn_mem_t *m, uint32_t ptr, uint32_t count, uint32_t size, uint32_t align,
                                    uint8_t **out) {
  if (WN_UNLIKELY((ptr & (align - 1)) != 0)) return WN_TRAP_ALIGN;
  if (WN_UNLIKELY((uint64_t)ptr + (uint64_t)count * size > m->size)) return WN_TRAP_BOUNDS;
  *out = m->base + ptr;
  return 0;
}

/* One structure. */
static inline wn_err_t wn_mem_struct(const wn_mem_t *m, uint32_t ptr, uint32_t size, uint32_t align, uint8_t **out) {
  return wn_mem_array(m, ptr, 1, size, align, out);
}

static inline uint16_t wn_load16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t wn_load32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t wn_load64(const uint8_t *p) { return wn_load32(p) | (uint64_t)wn_load32(p + 4) << 32; }
/* Stores are one instruction each: a guest that reads back what bytes had built would wait for every one of them. */
static inline void wn_store16(uint8_t *p, uint16_t v) { memcpy(p, &v, sizeof v); }
static inline void wn_store32(uint8_t *p, uint32_t v) { memcpy(p, &v, sizeof v); }
static inline void wn_store64(uint8_t *p, uint64_t v) { memcpy(p, &v, sizeof v); }

/* The gather or scatter list of `n` pairs (ptr, len) at `ptr`, each checked, copied once into `out`, which has
 * room for `cap`. Pieces of length 0 are dropped; *count is what is left, at most cap: of a longer list the first
 * ones are taken, and the caller reports a short count. The sum is cut at 2^31 - 1. INVAL: n is above
 * WN_MEM_IOVS_MAX, which bounds the time that the look takes. */
#define WN_MEM_IOVS_MAX 1048576u
wn_err_t wn_mem_iovs(const wn_mem_t *m, uint32_t ptr, uint32_t n, wn_iov_t *out, uint32_t cap, uint32_t *count);

/* A path or name: copied to out (cap bytes with the terminator), so that the guest cannot change it after the
 * look. NAMETOOLONG before any copy, INVAL for a NUL inside, ILSEQ for what is not UTF-8. */
wn_err_t wn_mem_string(const wn_mem_t *m, uint32_t ptr, uint32_t len, char *out, size_t cap);

/* Whether these bytes are UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool wn_utf8_valid(const uint8_t *p, size_t len);

#endif

/* codec.h - what several handlers of WASI 0.1 decode and encode alike. No logic beyond the shape of a value.
 *
 * Handlers check in one order: pointers (a wrong one ends the guest), then flags and numbers (INVAL), then the
 * descriptor with its rights, which sys/ looks at. So a call that ends the guest has done nothing yet.
 */
#ifndef WN_CORE_P1_CODEC_H
#define WN_CORE_P1_CODEC_H

#include "core/p1/rows.gen.h"
#include "core/sys/sys.h"

enum { WN_LOOKUP_FOLLOW = 1 }; /* lookupflags */
enum { WN_OFLAG_CREAT = 1, WN_OFLAG_DIRECTORY = 2, WN_OFLAG_EXCL = 4, WN_OFLAG_TRUNC = 8, WN_OFLAG_ALL = 15 };
enum { WN_FST_ATIM = 1, WN_FST_ATIM_NOW = 2, WN_FST_MTIM = 4, WN_FST_MTIM_NOW = 8, WN_FST_ALL = 15 };

/* Bytes of the structures, padding included. Their alignment is 8, but for prestat, whose is 4. */
enum {
  WN_P1_DIRENT_SIZE = 24,
  WN_P1_EVENT_SIZE = 32,
  WN_P1_FDSTAT_SIZE = 24,
  WN_P1_FILESTAT_SIZE = 64,
  WN_P1_PRESTAT_SIZE = 8,
  WN_P1_SUBSCRIPTION_SIZE = 48,
  WN_UNSTABLE_FILESTAT_SIZE = 56,
  WN_UNSTABLE_SUBSCRIPTION_SIZE = 56
};

/* A place for one u16, u32 or u64. */
static inline wn_err_t wn_p1_out16(const wn_guest_t *guest, uint32_t ptr, uint8_t **out) {
  return wn_mem_struct(&guest->mem, ptr, 2, 2, out);
}
static inline wn_err_t wn_p1_out32(const wn_guest_t *guest, uint32_t ptr, uint8_t **out) {
  return wn_mem_struct(&guest->mem, ptr, 4, 4, out);
}
static inline wn_err_t wn_p1_out64(const wn_guest_t *guest, uint32_t ptr, uint8_t **out) {
  return wn_mem_struct(&guest->mem, ptr, 8, 8, out);
}

/* A gather or scatter list, into room for WN_IOVS_MAX pieces. INVAL: more pieces than the guest's own limit, where
 * that is the lower one. */
static inline wn_err_t wn_p1_iovs(const wn_guest_t *guest, uint32_t ptr, uint32_t n, wn_iov_t *iov, uint32_t *count) {
  wn_err_t err = wn_mem_iovs(&guest->mem, ptr, n, iov, WN_IOVS_MAX, count);
  if (WN_UNLIKELY(err)) return err;
  uint32_t limit = guest->sys->limits.iovs;
  return WN_UNLIKELY(n > limit && limit && limit < WN_IOVS_MAX) ? WN_EINVAL : 0;
}

/* A path, into WN_PATH_MAX bytes; and two, both looked for in memory before one is read. */
static inline wn_err_t wn_p1_path(const wn_guest_t *guest, uint32_t ptr, uint32_t len, char *out) {
  return wn_mem_string(&guest->mem, ptr, len, out, WN_PATH_MAX);
}
static inline wn_err_t wn_p1_paths(const wn_guest_t *guest, uint32_t old_ptr, uint32_t old_len, char *old_path,
                                   uint32_t new_ptr, uint32_t new_len, char *new_path) {
  uint8_t *bytes;
  wn_err_t err = wn_mem_bytes(&guest->mem, new_ptr, new_len, &bytes);
  if (!err) err = wn_p1_path(guest, old_ptr, old_len, old_path);
  return err ? err : wn_p1_path(guest, new_ptr, new_len, new_path);
}

/* filetype: the guest has no number for a FIFO. */
static inline uint8_t wn_p1_filetype(uint8_t type) { return type == WN_TYPE_FIFO ? (uint8_t)WN_TYPE_UNKNOWN : type; }

/* The two times of a call that sets them. INVAL: unknown bits, a time both given and now, or past 2262. */
wn_err_t wn_p1_times(uint64_t atim, uint64_t mtim, uint32_t fst_flags, int64_t *atim_ns, int64_t *mtim_ns);

/* A filestat of either module; all bytes are written. */
void wn_p1_filestat(uint8_t *out, const wn_stat_t *st);
void wn_p1_unstable_filestat(uint8_t *out, const wn_stat_t *st);

#endif

/* fd_filestat.c - size and times of an open file; and the filestat and times that path.c has too. */
#include "core/p1/codec.h"

/* A time of the host as an unsigned one: before 1970 is shown as 1970. */
static uint64_t unsigned_time(int64_t ns) { return ns < 0 ? 0 : (uint64_t)ns; }

/*   [dev 8][ino 8][filetype 1, 7 x 0][nlink 8][size 8][atim 8][mtim 8][ctim 8] */
void wn_p1_filestat(uint8_t *out, const wn_stat_t *st) {
  wn_store64(out, st->dev);
  wn_store64(out + 8, st->ino);
  wn_store64(out + 16, wn_p1_filetype(st->type));
  wn_store64(out + 24, st->nlink);
  wn_store64(out + 32, st->size);
  wn_store64(out + 40, unsigned_time(st->atim));
  wn_store64(out + 48, unsigned_time(st->mtim));
  wn_store64(out + 56, unsigned_time(st->ctim));
}

/*   [dev 8][ino 8][filetype 1, 3 x 0][nlink 4][size 8][atim 8][mtim 8][ctim 8] */
void wn_p1_unstable_filestat(uint8_t *out, const wn_stat_t *st) {
  wn_store64(out, st->dev);
  wn_store64(out + 8, st->ino);
  wn_store32(out + 16, wn_p1_filetype(st->type));
  wn_store32(out + 20, st->nlink > UINT32_MAX ? UINT32_MAX : (uint32_t)st->nlink);
  wn_store64(out + 24, st->size);
  wn_store64(out + 32, unsigned_time(st->atim));
  wn_store64(out + 40, unsigned_time(st->mtim));
  wn_store64(out + 48, unsigned_time(st->ctim));
}

static wn_err_t one_time(uint64_t ns, bool given, bool now, int64_t *out) {
  if (given && (now || ns > INT64_MAX)) return WN_EINVAL;
  *out = given ? (int64_t)ns : now ? WN_TIME_NOW : WN_TIME_KEEP;
  return 0;
}

wn_err_t wn_p1_times(uint64_t atim, uint64_t mtim, uint32_t fst_flags, int64_t *atim_ns, int64_t *mtim_ns) {
  if (fst_flags & ~(uint32_t)WN_FST_ALL) return WN_EINVAL;
  wn_err_t err = one_time(atim, fst_flags & WN_FST_ATIM, fst_flags & WN_FST_ATIM_NOW, atim_ns);
  return err ? err : one_time(mtim, fst_flags & WN_FST_MTIM, fst_flags & WN_FST_MTIM_NOW, mtim_ns);
}

/* Write the attributes of an open file.
 * POSIX: fstat(2).
 * Errnos: BADF, not open; IO; NOTCAPABLE.
 * Spec: wasi_snapshot_preview1, fd_filestat_get and type filestat. */
wn_err_t wn_p1_fd_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t stat) {
  uint8_t *out;
  wn_stat_t st;
  wn_err_t err = wn_mem_struct(&guest->mem, stat, WN_P1_FILESTAT_SIZE, 8, &out);
  if (!err) err = wn_file_stat(guest->sys, fd, &st);
  if (err) return err;
  wn_p1_filestat(out, &st);
  return 0;
}

/* The same, with 32 bits for the number of links, which is cut at their maximum.
 * POSIX: fstat(2).
 * Errnos: as fd_filestat_get.
 * Spec: wasi_unstable, fd_filestat_get and type filestat. */
wn_err_t wn_p1_unstable_fd_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t stat) {
  uint8_t *out;
  wn_stat_t st;
  wn_err_t err = wn_mem_struct(&guest->mem, stat, WN_UNSTABLE_FILESTAT_SIZE, 8, &out);
  if (!err) err = wn_file_stat(guest->sys, fd, &st);
  if (err) return err;
  wn_p1_unstable_filestat(out, &st);
  return 0;
}

/* Cut a file, or grow it by zeros.
 * POSIX: ftruncate(2).
 * Errnos: BADF, not open, or not for writing; DQUOT, FBIG, NOSPC, no room; INVAL, not a file, or past 2^63 - 1; IO;
 *   NOTCAPABLE.
 * Spec: wasi_snapshot_preview1, fd_filestat_set_size. */
wn_err_t wn_p1_fd_filestat_set_size(wn_guest_t *guest, uint32_t fd, uint64_t size) {
  return wn_file_set_size(guest->sys, fd, size);
}

/* Set the times of an open file or directory.
 * POSIX: futimens(2).
 * Errnos: BADF, not open; INVAL, unknown bits, a time that is both given and now, or one past 2262; IO; NOTCAPABLE;
 *   NOTSUP, it keeps no times; ROFS.
 * Spec: wasi_snapshot_preview1, fd_filestat_set_times. */
wn_err_t wn_p1_fd_filestat_set_times(wn_guest_t *guest, uint32_t fd, uint64_t atim, uint64_t mtim,
                                     uint32_t fst_flags) {
  int64_t atim_ns, mtim_ns;
  wn_err_t err = wn_p1_times(atim, mtim, fst_flags, &atim_ns, &mtim_ns);
  return err ? err : wn_file_set_times(guest->sys, fd, atim_ns, mtim_ns);
}

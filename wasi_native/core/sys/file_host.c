/* file_host.c - a regular file of the host: straight from guest memory to the kernel, one call per WN_CHUNK_MAX. */
#include "core/sys/ops.h"
#include "core/sys/quota.h"

typedef enum way { READ, WRITE, PREAD, PWRITE } way_t;

/* Calls that a signal may interrupt are made again, unless the guest must stop. */
#define RETRY(sys, err, call) \
  do (err) = (call);          \
  while (WN_UNLIKELY((err) == WN_EINTR) && ((err) = wn_wait_check(sys)) == 0)

static inline wn_err_t once(wn_sys_t *sys, const wn_obj_t *obj, way_t way, const wn_iov_t *iov, uint32_t n,
                            uint64_t off, uint64_t *done) {
  const wn_os_t *os = sys->os;
  switch (way) {
    case READ:
      return os->readv(os, obj->fd, iov, n, done);
    case WRITE:
      return os->writev(os, obj->fd, iov, n, done);
    case PREAD:
      return os->preadv(os, obj->fd, iov, n, off, done);
    default:
      return os->pwritev(os, obj->fd, iov, n, off, done);
  }
}

/* At most `total` bytes, piece by piece, with a look at deadline and cancel between. A short piece is the end; so is
 * an error after the first piece, which the guest will meet again at its next call. */
static wn_err_t move_pieces(wn_sys_t *sys, const wn_obj_t *obj, way_t way, const wn_iov_t *iov, uint32_t n,
                            uint64_t off, uint64_t total, uint64_t *done) {
  wn_iov_t part[WN_WINDOW_MAX];
  uint64_t at = 0;
  while (at < total) {
    uint64_t want = total - at < WN_CHUNK_MAX ? total - at : WN_CHUNK_MAX, got = 0;
    uint32_t k = wn_iov_window(iov, n, at, want, part);
    wn_err_t err, stop;
    RETRY(sys, err, once(sys, obj, way, part, k, off + at, &got));
    if (err < 0) return err;
    if (err && at == 0) return err;
    at += got;
    if (err || got < wn_iov_total(part, k)) break;
    if (at < total && (stop = wn_wait_check(sys))) return stop;
  }
  *done = at;
  return 0;
}

static inline wn_err_t move(wn_sys_t *sys, const wn_obj_t *obj, way_t way, const wn_iov_t *iov, uint32_t n,
                            uint64_t off, uint64_t *done) {
  uint64_t total = WN_LIKELY(n == 1) ? iov->len : wn_iov_total(iov, n);
  if (WN_LIKELY(total <= WN_CHUNK_MAX)) {
    wn_err_t err = once(sys, obj, way, iov, n, off, done);
    if (WN_LIKELY(err != WN_EINTR)) return err;
    err = wn_wait_check(sys);
    if (err) return err;
  }
  return move_pieces(sys, obj, way, iov, n, off, total, done);
}

/* A write through a grant with limits: the growth is reserved first, and what was not written given back. A write
 * that is too long is cut, as a full disk would cut it. */
static wn_err_t write_counted(wn_sys_t *sys, wn_obj_t *obj, way_t way, const wn_iov_t *iov, uint32_t n, uint64_t off,
                              uint64_t *done) {
  wn_stat_t st;
  wn_err_t err = sys->os->fstat(sys->os, obj->fd, &st);
  uint64_t pos = off, grown = 0, total = wn_iov_total(iov, n);
  if (!err && obj->fdflags & WN_FD_APPEND) pos = st.size;
  else if (!err && way == WRITE) err = sys->os->lseek(sys->os, obj->fd, 0, WN_SEEK_CUR, &pos);
  if (err) return err;
  uint64_t reach = wn_quota_reach(obj->share, st.size);
  if (pos >= reach) total = 1; /* not one byte fits: the count below says which limit it is */
  else if (total > reach - pos) total = reach - pos;
  if ((err = wn_quota_grow(obj->share, st.size, pos + total, &grown))) return err;
  err = move_pieces(sys, obj, way, iov, n, off, total, done);
  uint64_t end = err ? 0 : pos + *done;
  uint64_t used = end > st.size ? end - st.size : 0;
  if (used < grown) wn_quota_refund(obj->share, grown - used);
  return err;
}

bool wn_file_held(wn_sys_t *sys, const wn_stat_t *st, const wn_obj_t *except) {
  wn_stat_t other;
  for (uint32_t i = 0; i <= sys->table.limit; ++i) { /* one more than there are numbers */
    const wn_obj_t *obj = &sys->table.pool[i];
    if (obj == except || !obj->ops || obj->fd < 0 || obj->type != WN_TYPE_REGULAR) continue;
    if (!sys->os->fstat(sys->os, obj->fd, &other) && other.dev == st->dev && other.ino == st->ino) return true;
  }
  return false;
}

/* A file without a name gives its bytes back when nobody holds it any more. */
static void file_close(wn_sys_t *sys, wn_obj_t *obj) {
  wn_stat_t st;
  if (obj->share && obj->share->grant.quota_bytes && !sys->os->fstat(sys->os, obj->fd, &st) && st.nlink == 0 &&
      !wn_file_held(sys, &st, obj))
    wn_quota_refund(obj->share, st.size);
  sys->os->close(sys->os, obj->fd);
}

static wn_err_t file_readv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  return move(sys, obj, READ, iov, n, 0, done);
}

static wn_err_t file_writev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  if (WN_UNLIKELY(wn_share_limited(obj->share))) return write_counted(sys, obj, WRITE, iov, n, 0, done);
  return move(sys, obj, WRITE, iov, n, 0, done);
}

static wn_err_t file_preadv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t off,
                            uint64_t *done) {
  return move(sys, obj, PREAD, iov, n, off, done);
}

static wn_err_t file_pwritev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t off,
                             uint64_t *done) {
  if (WN_UNLIKELY(wn_share_limited(obj->share))) return write_counted(sys, obj, PWRITE, iov, n, off, done);
  return move(sys, obj, PWRITE, iov, n, off, done);
}

static wn_err_t file_seek(wn_sys_t *sys, wn_obj_t *obj, int64_t off, uint32_t whence, uint64_t *pos) {
  return sys->os->lseek(sys->os, obj->fd, off, whence, pos);
}

static wn_err_t file_stat(wn_sys_t *sys, wn_obj_t *obj, wn_stat_t *st) {
  wn_err_t err = sys->os->fstat(sys->os, obj->fd, st);
  if (!err && WN_UNLIKELY(obj->u.host.shared)) st->dev = st->ino = 0; /* a stream from outside of every preopen */
  return err;
}

static wn_err_t file_set_size(wn_sys_t *sys, wn_obj_t *obj, uint64_t size) {
  wn_err_t err;
  wn_stat_t st = {0};
  uint64_t grown = 0;
  if (wn_share_limited(obj->share)) {
    if ((err = sys->os->fstat(sys->os, obj->fd, &st))) return err;
    if ((err = wn_quota_grow(obj->share, st.size, size, &grown))) return err;
  }
  RETRY(sys, err, sys->os->ftruncate(sys->os, obj->fd, size));
  if (err) wn_quota_refund(obj->share, grown);
  else if (size < st.size) wn_quota_refund(obj->share, st.size - size);
  return err;
}

static wn_err_t file_allocate(wn_sys_t *sys, wn_obj_t *obj, uint64_t off, uint64_t len) {
  wn_err_t err;
  uint64_t grown = 0;
  if (wn_share_limited(obj->share)) {
    wn_stat_t st;
    if ((err = sys->os->fstat(sys->os, obj->fd, &st))) return err;
    if ((err = wn_quota_grow(obj->share, st.size, off + len, &grown))) return err;
  }
  RETRY(sys, err, sys->os->fallocate(sys->os, obj->fd, off, len));
  if (err) wn_quota_refund(obj->share, grown);
  return err;
}

static wn_err_t file_advise(wn_sys_t *sys, wn_obj_t *obj, uint64_t off, uint64_t len, uint32_t advice) {
  return sys->os->fadvise(sys->os, obj->fd, off, len, advice);
}

static wn_err_t file_sync(wn_sys_t *sys, wn_obj_t *obj, bool data_only) {
  wn_err_t err;
  const wn_os_t *os = sys->os;
  RETRY(sys, err, data_only ? os->fdatasync(os, obj->fd) : os->fsync(os, obj->fd));
  return err;
}

static wn_err_t file_set_times(wn_sys_t *sys, wn_obj_t *obj, int64_t atim, int64_t mtim) {
  return sys->os->futimens(sys->os, obj->fd, atim, mtim);
}

static wn_err_t file_set_flags(wn_sys_t *sys, wn_obj_t *obj, uint16_t fdflags) {
  if ((obj->fdflags ^ fdflags) & WN_FD_APPEND) {
    if (obj->u.host.shared) return WN_ENOTSUP; /* it would change the host's own stream */
    wn_err_t err = sys->os->set_append(sys->os, obj->fd, (fdflags & WN_FD_APPEND) != 0);
    if (err) return err;
  }
  obj->fdflags = fdflags;
  return 0;
}

/* One call where its answer can be trusted: it counts in 31 bits, so that 0 or less may be a very large file. */
static wn_err_t file_available(wn_sys_t *sys, wn_obj_t *obj, uint64_t *bytes) {
  wn_stat_t st;
  uint64_t pos = 0;
  if (sys->os->available(sys->os, obj->fd, bytes) == 0 && *bytes > 0) return 0;
  wn_err_t err = sys->os->fstat(sys->os, obj->fd, &st);
  if (!err) err = sys->os->lseek(sys->os, obj->fd, 0, WN_SEEK_CUR, &pos);
  if (!err) *bytes = st.size > pos ? st.size - pos : 0;
  return err;
}

const wn_obj_ops_t wn_ops_file = {
    .kind = "file",
    .close = file_close,
    .readv = file_readv,
    .writev = file_writev,
    .preadv = file_preadv,
    .pwritev = file_pwritev,
    .seek = file_seek,
    .stat = file_stat,
    .set_size = file_set_size,
    .allocate = file_allocate,
    .advise = file_advise,
    .sync = file_sync,
    .set_times = file_set_times,
    .set_flags = file_set_flags,
    .available = file_available,
};

wn_err_t wn_file_adopt(wn_sys_t *sys, wn_obj_t *obj, int fd, bool writable, uint16_t fdflags, wn_share_t *share) {
  if (obj->type == WN_TYPE_UNKNOWN) {
    wn_stat_t st;
    wn_err_t err = sys->os->fstat(sys->os, fd, &st);
    if (!err && st.type == WN_TYPE_DIRECTORY) err = WN_EINVAL;
    if (err) {
      sys->os->close(sys->os, fd);
      return err;
    }
    obj->type = st.type;
  }
  obj->ops = obj->type == WN_TYPE_REGULAR || obj->type == WN_TYPE_BLOCK ? &wn_ops_file : &wn_ops_pipe;
  obj->fd = fd;
  obj->writable = writable;
  obj->fdflags = fdflags;
  obj->share = share;
  if (share) share->refs++;
  return 0;
}

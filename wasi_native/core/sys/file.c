/* file.c - what every descriptor has: the right is checked here, the work is done by the object's own operation. */
#include "core/sys/memory.h"
#include "core/sys/ops.h"

#define OFFSET_MAX ((uint64_t)INT64_MAX)

/* The errno for an operation that an object does not have. */
static wn_err_t absent(const wn_obj_t *obj, wn_err_t otherwise) {
  return obj->type == WN_TYPE_DIRECTORY ? WN_EISDIR : otherwise;
}

/* A guest that was cancelled gets no further, whatever it calls. The deadline is looked at where a call may take
 * long, and by the engine's ticks: a look at the clock here would cost a quarter of a short call. */
static inline bool cancelled(const wn_sys_t *sys) {
  return WN_UNLIKELY(__atomic_load_n(&sys->wait.cancelled, __ATOMIC_RELAXED) != 0);
}

static inline wn_err_t get(wn_sys_t *sys, uint32_t fd, uint64_t rights, wn_obj_t **obj) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&sys->table, fd, rights, &d);
  if (WN_UNLIKELY(err)) return err;
  if (cancelled(sys)) return WN_CANCELLED;
  *obj = d->obj;
  return 0;
}

uint32_t wn_iov_window(const wn_iov_t *iov, uint32_t n, uint64_t skip, uint64_t max, wn_iov_t *out) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < n && count < WN_WINDOW_MAX && max; i++) {
    if (skip >= iov[i].len) {
      skip -= iov[i].len;
      continue;
    }
    size_t len = iov[i].len - (size_t)skip;
    if (len > max) len = (size_t)max;
    out[count++] = (wn_iov_t){(char *)iov[i].ptr + (size_t)skip, len};
    skip = 0;
    max -= len;
  }
  return count;
}

wn_err_t wn_file_readv(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_READ, &obj);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(!obj->ops->readv)) return absent(obj, WN_EBADF);
  if (WN_LIKELY(n)) return obj->ops->readv(sys, obj, iov, n, done);
  *done = 0;
  return 0;
}

/* stdout and stderr: cut to what the limit leaves, and counted. off: NULL at the stream's own position. */
static wn_err_t write_output(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, const uint64_t *off,
                             uint64_t *done) {
  wn_iov_t cut[WN_WINDOW_MAX];
  uint64_t limit = sys->limits.output_bytes;
  if (limit) {
    if (sys->output >= limit) return WN_ENOSPC;
    uint64_t left = limit - sys->output;
    if (wn_iov_total(iov, n) > left) {
      n = wn_iov_window(iov, n, 0, left, cut);
      iov = cut;
    }
  }
  wn_err_t err = off ? obj->ops->pwritev(sys, obj, iov, n, *off, done) : obj->ops->writev(sys, obj, iov, n, done);
  if (!err) sys->output += *done;
  return err;
}

wn_err_t wn_file_writev(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_WRITE, &obj);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(!obj->ops->writev)) return absent(obj, WN_EBADF);
  if (WN_UNLIKELY(!n)) {
    *done = 0;
    return 0;
  }
  if (WN_UNLIKELY(obj->output)) return write_output(sys, obj, iov, n, NULL, done);
  return obj->ops->writev(sys, obj, iov, n, done);
}

wn_err_t wn_file_preadv(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_READ, &obj);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(!obj->ops->preadv)) return absent(obj, WN_ESPIPE);
  /* A list is cut at 2^31 - 1 bytes, so the sum of two numbers below 2^63 cannot wrap. */
  if (WN_UNLIKELY(off > OFFSET_MAX || off + wn_iov_total(iov, n) > OFFSET_MAX)) return WN_EINVAL;
  if (WN_LIKELY(n)) return obj->ops->preadv(sys, obj, iov, n, off, done);
  *done = 0;
  return 0;
}

wn_err_t wn_file_pwritev(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_WRITE, &obj);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(!obj->ops->pwritev)) return absent(obj, WN_ESPIPE);
  if (WN_UNLIKELY(off > OFFSET_MAX)) return WN_EINVAL;
  if (WN_UNLIKELY(off + wn_iov_total(iov, n) > OFFSET_MAX)) return WN_EFBIG;
  if (WN_UNLIKELY(!n)) {
    *done = 0;
    return 0;
  }
  if (WN_UNLIKELY(obj->output)) return write_output(sys, obj, iov, n, &off, done);
  return obj->ops->pwritev(sys, obj, iov, n, off, done);
}

wn_err_t wn_file_seek(wn_sys_t *sys, uint32_t fd, int64_t off, uint32_t whence, uint64_t *pos) {
  if (WN_UNLIKELY(whence == WN_SEEK_CUR && off == 0)) return wn_file_tell(sys, fd, pos);
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_SEEK, &obj);
  if (WN_UNLIKELY(err)) return err;
  if (WN_UNLIKELY(!obj->ops->seek)) return absent(obj, WN_ESPIPE);
  if (WN_UNLIKELY(whence > WN_SEEK_END)) return WN_EINVAL;
  return obj->ops->seek(sys, obj, off, whence, pos);
}

wn_err_t wn_file_tell(wn_sys_t *sys, uint32_t fd, uint64_t *pos) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&sys->table, fd, 0, &d);
  if (WN_UNLIKELY(err)) return err;
  /* The right to seek implies the right to tell. */
  if (WN_UNLIKELY(!(d->rights & (WN_RIGHT_FD_SEEK | WN_RIGHT_FD_TELL)))) return WN_ENOTCAPABLE;
  if (cancelled(sys)) return WN_CANCELLED;
  if (WN_UNLIKELY(!d->obj->ops->seek)) return absent(d->obj, WN_ESPIPE);
  return d->obj->ops->seek(sys, d->obj, 0, WN_SEEK_CUR, pos);
}

wn_err_t wn_file_stat(wn_sys_t *sys, uint32_t fd, wn_stat_t *st) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_FILESTAT_GET, &obj);
  if (WN_UNLIKELY(err)) return err;
  if (obj->ops->stat) return obj->ops->stat(sys, obj, st);
  *st = (wn_stat_t){.nlink = 1, .type = obj->type}; /* a stream: nothing about it is the guest's business */
  return 0;
}

wn_err_t wn_file_set_size(wn_sys_t *sys, uint32_t fd, uint64_t size) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_FILESTAT_SET_SIZE, &obj);
  if (err) return err;
  if (!obj->ops->set_size) return absent(obj, WN_EINVAL);
  if (size > OFFSET_MAX) return WN_EINVAL;
  return obj->ops->set_size(sys, obj, size);
}

wn_err_t wn_file_set_times(wn_sys_t *sys, uint32_t fd, int64_t atim, int64_t mtim) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_FILESTAT_SET_TIMES, &obj);
  if (err) return err;
  return obj->ops->set_times ? obj->ops->set_times(sys, obj, atim, mtim) : WN_ENOTSUP;
}

wn_err_t wn_file_allocate(wn_sys_t *sys, uint32_t fd, uint64_t off, uint64_t len) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_ALLOCATE, &obj);
  if (err) return err;
  if (!obj->ops->allocate) return absent(obj, WN_ESPIPE);
  if (len == 0 || off > OFFSET_MAX) return WN_EINVAL;
  if (len > OFFSET_MAX - off) return WN_EFBIG;
  return obj->ops->allocate(sys, obj, off, len);
}

wn_err_t wn_file_advise(wn_sys_t *sys, uint32_t fd, uint64_t off, uint64_t len, uint32_t advice) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_ADVISE, &obj);
  if (err) return err;
  if (!obj->ops->advise) return obj->type == WN_TYPE_DIRECTORY ? WN_EBADF : WN_ESPIPE;
  if (advice > 5 || off > OFFSET_MAX || len > OFFSET_MAX - off) return WN_EINVAL;
  return obj->ops->advise(sys, obj, off, len, advice);
}

wn_err_t wn_file_sync(wn_sys_t *sys, uint32_t fd, bool data_only) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, data_only ? WN_RIGHT_FD_DATASYNC : WN_RIGHT_FD_SYNC, &obj);
  if (err) return err;
  return obj->ops->sync ? obj->ops->sync(sys, obj, data_only) : WN_EINVAL;
}

wn_err_t wn_file_set_flags(wn_sys_t *sys, uint32_t fd, uint16_t fdflags) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_FDSTAT_SET_FLAGS, &obj);
  if (err) return err;
  uint16_t changed = obj->fdflags ^ fdflags;
  if (changed & (WN_FD_DSYNC | WN_FD_RSYNC | WN_FD_SYNC)) return WN_ENOTSUP; /* the kernel cannot change them */
  if (obj->ops->set_flags) return obj->ops->set_flags(sys, obj, fdflags);
  if (changed & WN_FD_APPEND) return WN_ENOTSUP;
  obj->fdflags = fdflags;
  return 0;
}

/* The object as another one of its own whose writes go to the end of the file, whoever else writes there. */
static wn_err_t reopen_append(wn_sys_t *sys, wn_obj_t *from, wn_obj_t *obj) {
  uint16_t flags = from->fdflags | WN_FD_APPEND;
  uint32_t how = WN_O_WRITE | WN_O_APPEND | WN_O_NONBLOCK;
  int fd;
  if (from->fd < 0) {
    wn_memory_adopt_file(obj, from->u.mem.node, true, flags);
    return 0;
  }
  if (flags & (WN_FD_SYNC | WN_FD_RSYNC)) how |= WN_O_SYNC;
  else if (flags & WN_FD_DSYNC) how |= WN_O_DSYNC;
  wn_err_t err = sys->os->reopen(sys->os, from->fd, how, &fd);
  return err ? err : wn_file_adopt(sys, obj, fd, true, flags, from->share);
}

wn_err_t wn_file_append(wn_sys_t *sys, uint32_t fd, uint64_t rights, uint32_t *out) {
  wn_desc_t *d;
  wn_obj_t *obj;
  wn_err_t err = wn_table_get(&sys->table, fd, WN_RIGHT_FD_WRITE, &d);
  if (err) return err;
  wn_obj_t *from = d->obj;
  if (!from->ops->writev) return absent(from, WN_EBADF);
  rights &= d->rights;
  if (from->type != WN_TYPE_REGULAR) return wn_table_insert(sys, from, rights, 0, 3, out); /* it has no end */
  if (sys->table.open >= sys->table.limit) return WN_EMFILE;
  if ((err = wn_obj_new(sys, WN_TYPE_REGULAR, &obj))) return err;
  err = reopen_append(sys, from, obj);
  if (!err) err = wn_table_insert(sys, obj, rights, 0, 3, out);
  if (err) wn_obj_release(sys, obj);
  return err;
}

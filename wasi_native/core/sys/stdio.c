/* stdio.c - the standard streams: nothing, bytes, a buffer, callbacks, or a descriptor of the host. */
#include <string.h>

#include "core/sys/ops.h"

#define RIGHTS_ANY (WN_RIGHT_FD_FDSTAT_SET_FLAGS | WN_RIGHT_FD_FILESTAT_GET | WN_RIGHT_POLL_FD_READWRITE)
/* A redirected file: read or written and sought, but neither cut, grown nor dated. */
#define RIGHTS_FILE \
  (RIGHTS_ANY | WN_RIGHT_FD_SEEK | WN_RIGHT_FD_TELL | WN_RIGHT_FD_SYNC | WN_RIGHT_FD_DATASYNC | WN_RIGHT_FD_ADVISE)

/* ---- nothing ---- */

static wn_err_t null_readv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)sys, (void)obj, (void)iov, (void)n;
  *done = 0;
  return 0;
}

static wn_err_t null_writev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)sys, (void)obj;
  *done = wn_iov_total(iov, n);
  return 0;
}

static const wn_obj_ops_t null_ops = {.kind = "null", .readv = null_readv, .writev = null_writev};

/* A descriptor of the host that is not open this way, as nohup leaves stdin: BADF for every read or write. */
static const wn_obj_ops_t deaf_ops = {.kind = "deaf"};

/* ---- bytes in ---- */

static void bytes_close(wn_sys_t *sys, wn_obj_t *obj) { sys->os->free(sys->os, obj->u.buf.ptr); }

static wn_err_t bytes_readv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)sys;
  uint64_t at = obj->u.buf.pos;
  for (uint32_t i = 0; i < n; i++) {
    uint64_t left = obj->u.buf.len - at;
    size_t len = iov[i].len < left ? iov[i].len : (size_t)left;
    if (!len) break;
    memcpy(iov[i].ptr, obj->u.buf.ptr + at, len);
    at += len;
  }
  *done = at - obj->u.buf.pos;
  obj->u.buf.pos = at;
  return 0;
}

static wn_err_t bytes_available(wn_sys_t *sys, wn_obj_t *obj, uint64_t *bytes) {
  (void)sys;
  *bytes = obj->u.buf.len - obj->u.buf.pos;
  return 0;
}

static const wn_obj_ops_t bytes_ops = {
    .kind = "bytes", .close = bytes_close, .readv = bytes_readv, .available = bytes_available};

/* ---- bytes out ---- */

static wn_err_t capture_writev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  wn_capture_t *c = &sys->captures[obj->u.capture.index];
  if (c->len == c->cap) return WN_ENOSPC;
  uint64_t at = 0;
  for (uint32_t i = 0; i < n; i++) {
    size_t len = iov[i].len < c->cap - c->len ? iov[i].len : c->cap - c->len;
    if (!len) break;
    memcpy(c->bytes + c->len, iov[i].ptr, len);
    c->len += len;
    at += len;
  }
  *done = at;
  return 0;
}

static const wn_obj_ops_t capture_ops = {.kind = "capture", .writev = capture_writev};

/* ---- callbacks ---- */

static void stream_close(wn_sys_t *sys, wn_obj_t *obj) {
  (void)sys;
  if (obj->u.stream.ops->closed) obj->u.stream.ops->closed(obj->u.stream.ctx);
}

static wn_err_t stream_readv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)n; /* one piece: the next could block in the embedder although there is something to give */
  if (!obj->u.stream.ops->read) return WN_EBADF;
  wn_err_t err = wn_wait_check(sys);
  if (err) return err;
  size_t len = iov->len < WN_CHUNK_MAX ? iov->len : WN_CHUNK_MAX, got = 0;
  sys->callbacks++;
  err = obj->u.stream.ops->read(obj->u.stream.ctx, iov->ptr, len, &got);
  sys->callbacks--;
  if (err) return err;
  if (got > len) return WN_EIO; /* a callback that says it wrote more than there was room for */
  *done = got;
  return 0;
}

static wn_err_t stream_writev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  if (!obj->u.stream.ops->write) return WN_EBADF;
  uint64_t at = 0;
  for (uint32_t i = 0; i < n; i++) {
    for (size_t from = 0; from < iov[i].len;) {
      size_t len = iov[i].len - from < WN_CHUNK_MAX ? iov[i].len - from : WN_CHUNK_MAX;
      wn_err_t err = wn_wait_check(sys);
      if (!err) {
        sys->callbacks++;
        err = obj->u.stream.ops->write(obj->u.stream.ctx, (const char *)iov[i].ptr + from, len);
        sys->callbacks--;
      }
      if (err && (err < 0 || at == 0)) return err;
      *done = at += err ? 0 : len;
      if (err) return 0;
      from += len;
    }
  }
  return 0;
}

static const wn_obj_ops_t stream_ops = {
    .kind = "stream", .close = stream_close, .readv = stream_readv, .writev = stream_writev};

/* ---- putting them in place ---- */

/* A blank object for guest_fd with what all streams share. */
static wn_err_t begin(wn_sys_t *sys, uint32_t guest_fd, uint8_t type, wn_obj_t **obj) {
  if (guest_fd > 2 || guest_fd >= sys->table.limit) return WN_EINVAL;
  wn_err_t err = wn_obj_new(sys, type, obj);
  if (err) return err;
  (*obj)->fdflags = sys->stdio_nonblocking ? WN_FD_NONBLOCK : 0;
  (*obj)->output = guest_fd != 0;
  (*obj)->writable = guest_fd != 0;
  return 0;
}

static wn_err_t finish(wn_sys_t *sys, uint32_t guest_fd, wn_obj_t *obj, const wn_obj_ops_t *ops, uint64_t rights) {
  obj->ops = ops;
  return wn_table_replace(sys, guest_fd, obj, rights | (guest_fd ? WN_RIGHT_FD_WRITE : WN_RIGHT_FD_READ), 0);
}

wn_err_t wn_sys_stdio_null(wn_sys_t *sys, uint32_t guest_fd) {
  wn_obj_t *obj;
  wn_err_t err = begin(sys, guest_fd, WN_TYPE_UNKNOWN, &obj); /* a character device would look like a terminal */
  return err ? err : finish(sys, guest_fd, obj, &null_ops, RIGHTS_ANY);
}

wn_err_t wn_sys_stdio_bytes(wn_sys_t *sys, uint32_t guest_fd, wn_str_t bytes) {
  if (guest_fd != 0) return WN_EINVAL;
  wn_obj_t *obj;
  wn_err_t err = begin(sys, guest_fd, WN_TYPE_UNKNOWN, &obj);
  if (err) return err;
  uint8_t *copy = sys->os->alloc(sys->os, bytes.len);
  if (!copy) {
    wn_obj_release(sys, obj);
    return WN_ENOMEM;
  }
  if (bytes.len) memcpy(copy, bytes.ptr, bytes.len);
  obj->u.buf.ptr = copy;
  obj->u.buf.len = bytes.len;
  return finish(sys, guest_fd, obj, &bytes_ops, RIGHTS_ANY);
}

wn_err_t wn_sys_stdio_capture(wn_sys_t *sys, uint32_t guest_fd, uint64_t limit) {
  if (guest_fd == 0 || guest_fd > 2) return WN_EINVAL;
  if (limit > SIZE_MAX) return WN_ENOMEM;
  wn_obj_t *obj;
  wn_err_t err = begin(sys, guest_fd, WN_TYPE_UNKNOWN, &obj);
  if (err) return err;
  uint8_t *bytes = sys->os->alloc(sys->os, (size_t)limit);
  if (!bytes) {
    wn_obj_release(sys, obj);
    return WN_ENOMEM;
  }
  wn_capture_t *c = &sys->captures[guest_fd];
  uint8_t *before = c->bytes;
  obj->u.capture.index = guest_fd;
  err = finish(sys, guest_fd, obj, &capture_ops, RIGHTS_ANY);
  *c = (wn_capture_t){.bytes = bytes, .cap = (size_t)limit};
  sys->os->free(sys->os, before);
  return err;
}

wn_err_t wn_sys_stdio_captured(wn_sys_t *sys, uint32_t guest_fd, wn_str_t *out) {
  if (guest_fd > 2 || !sys->captures[guest_fd].bytes) return WN_EINVAL;
  const wn_capture_t *c = &sys->captures[guest_fd];
  *out = (wn_str_t){(const char *)c->bytes, c->len};
  return 0;
}

wn_err_t wn_sys_stdio_stream(wn_sys_t *sys, uint32_t guest_fd, const wn_stream_ops_t *ops, void *ctx) {
  wn_obj_t *obj;
  wn_err_t err = begin(sys, guest_fd, WN_TYPE_UNKNOWN, &obj);
  if (err) return err;
  obj->u.stream.ops = ops;
  obj->u.stream.ctx = ctx;
  return finish(sys, guest_fd, obj, &stream_ops, RIGHTS_ANY);
}

/* The host's own description: one position for both, so that what each prints comes in order. */
static wn_err_t take_file(wn_sys_t *sys, int host_fd, wn_obj_t *obj) {
  uint32_t flags = 0;
  wn_err_t err = sys->os->get_flags(sys->os, host_fd, &flags);
  if (err) return err;
  if (flags & WN_O_APPEND) obj->fdflags |= WN_FD_APPEND;
  obj->u.host.shared = true;
  return sys->os->dup(sys->os, host_fd, &obj->fd);
}

/* A private description of a pipe, tty or device; where the kernel gives none, the host's own. */
static wn_err_t take_pipe(wn_sys_t *sys, uint32_t guest_fd, int host_fd, wn_obj_t *obj, const wn_obj_ops_t **ops) {
  uint32_t access = guest_fd ? WN_O_WRITE : WN_O_READ, flags = 0;
  wn_err_t err = sys->os->get_flags(sys->os, host_fd, &flags);
  if (err) return err;
  if (!(flags & access)) {
    /* Opening it anew would give what the host's own descriptor has not: the other end of a pipe, for one. */
    *ops = &deaf_ops;
    return 0;
  }
  if (sys->os->reopen(sys->os, host_fd, access | WN_O_NONBLOCK, &obj->fd) == 0) return 0;
  obj->fd = -1;
  obj->u.host.shared = true;
  return sys->os->dup(sys->os, host_fd, &obj->fd);
}

static bool seekable(wn_sys_t *sys, int host_fd) {
  uint64_t pos;
  return sys->os->lseek(sys->os, host_fd, 0, WN_SEEK_CUR, &pos) == 0;
}

wn_err_t wn_sys_stdio_fd(wn_sys_t *sys, uint32_t guest_fd, int host_fd) {
  wn_stat_t st;
  wn_obj_t *obj;
  wn_err_t err = sys->os->fstat(sys->os, host_fd, &st);
  if (err) return err;
  if (st.type == WN_TYPE_DIRECTORY) return WN_EISDIR;
  if (st.type == WN_TYPE_SOCKET_STREAM && (err = sys->os->socket_type(sys->os, host_fd, &st.type))) return err;
  if ((err = begin(sys, guest_fd, st.type, &obj))) return err;
  const wn_obj_ops_t *ops = &wn_ops_pipe;
  uint64_t rights = RIGHTS_ANY;
  switch (st.type) {
    case WN_TYPE_REGULAR:
    case WN_TYPE_BLOCK:
      ops = &wn_ops_file;
      rights = RIGHTS_FILE;
      err = take_file(sys, host_fd, obj);
      break;
    case WN_TYPE_SOCKET_STREAM:
    case WN_TYPE_SOCKET_DGRAM:
      ops = &wn_ops_socket;
      rights |= WN_RIGHT_SOCK_SHUTDOWN;
      err = sys->os->dup(sys->os, host_fd, &obj->fd);
      break;
    default:
      err = take_pipe(sys, guest_fd, host_fd, obj, &ops);
      /* To a C library of WASI a character device that cannot be sought is a terminal: /dev/null can be. */
      if (!err && st.type == WN_TYPE_CHARACTER && seekable(sys, host_fd))
        rights |= WN_RIGHT_FD_SEEK | WN_RIGHT_FD_TELL;
  }
  if (!err) return finish(sys, guest_fd, obj, ops, rights);
  obj->fd = -1;
  wn_obj_release(sys, obj);
  return err;
}

void wn_sys_stdio_nonblocking(wn_sys_t *sys, bool on) {
  sys->stdio_nonblocking = on;
  for (uint32_t fd = 0; fd <= 2 && fd < sys->table.limit; fd++) {
    wn_obj_t *obj = sys->table.slots[fd].obj;
    if (!obj) continue;
    if (on) obj->fdflags |= WN_FD_NONBLOCK;
    else obj->fdflags &= (uint16_t)~WN_FD_NONBLOCK;
  }
}

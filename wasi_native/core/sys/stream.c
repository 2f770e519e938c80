/* stream.c - the two ends of a stream: bytes in or out of a slot of the table, waiting only where that was asked. */
#include "core/sys/ops.h"
#include "core/sys/res.h"

wn_err_t wn_stream_new(wn_sys_t *sys, wn_res_kind_t kind, uint32_t fd, bool owned, wn_res_t **out) {
  wn_err_t err = wn_res_new(sys, kind, out);
  if (err) {
    if (owned) wn_table_close(sys, fd);
    return err;
  }
  (*out)->fd = fd;
  (*out)->owned = owned;
  (*out)->waits = kind == WN_RES_INPUT_STREAM ? WN_RES_READABLE : WN_RES_WRITABLE;
  return 0;
}

/* What an operation answered, as the stream's state has it. AGAIN is for the caller. */
static wn_err_t ended(wn_res_t *res, wn_err_t err) {
  if (err > 0 && err != WN_EAGAIN) res->u.stream.closed = true;
  return err;
}

/* The object behind the stream (PIPE: its slot was closed by a call of preview 1, or never granted), with its flag
 * for waiting as this call wants it; put it back afterwards. */
static wn_err_t begin(wn_sys_t *sys, const wn_res_t *res, bool wait, wn_obj_t **obj, uint16_t *before) {
  wn_desc_t *d;
  if (res->u.stream.closed || wn_table_get(&sys->table, res->fd, 0, &d)) return WN_EPIPE;
  *obj = d->obj;
  *before = d->obj->fdflags;
  if (wait) d->obj->fdflags &= (uint16_t)~WN_FD_NONBLOCK;
  else d->obj->fdflags |= WN_FD_NONBLOCK;
  return 0;
}

wn_err_t wn_stream_read(wn_sys_t *sys, wn_res_t *res, void *buf, size_t len, bool wait, size_t *done) {
  wn_obj_t *obj;
  uint16_t before;
  *done = 0;
  wn_err_t err = begin(sys, res, wait, &obj, &before);
  if (err) return ended(res, err);
  const wn_iov_t iov = {buf, len};
  uint64_t got = 0, pos = res->u.stream.pos;
  if (!len) err = 0;
  else if (res->u.stream.positioned) err = wn_file_preadv(sys, res->fd, &iov, 1, pos, &got);
  else err = wn_file_readv(sys, res->fd, &iov, 1, &got);
  obj->fdflags = before;
  if (err == WN_EAGAIN) return 0;
  if (!err && len && !got) err = WN_EPIPE; /* the end */
  if (err) return ended(res, err);
  res->u.stream.pos += got;
  *done = (size_t)got;
  return 0;
}

/* What the kernel must be asked to know whether the object is ready; fd -1: it always is. */
static wn_err_t to_poll(wn_sys_t *sys, const wn_res_t *res, wn_pollfd_t *entry) {
  wn_desc_t *d;
  *entry = (wn_pollfd_t){.fd = -1};
  if (wn_table_get(&sys->table, res->fd, 0, &d)) return WN_EPIPE;
  if (!d->obj->ops->poll) return 0;
  return d->obj->ops->poll(sys, d->obj, res->kind == WN_RES_INPUT_STREAM ? WN_POLL_IN : WN_POLL_OUT, entry);
}

wn_err_t wn_stream_check(wn_sys_t *sys, wn_res_t *res, uint64_t *permit) {
  wn_pollfd_t fds[2];
  if (res->u.stream.closed) return WN_EPIPE;
  wn_err_t err = to_poll(sys, res, &fds[0]);
  uint64_t room = WN_CHUNK_MAX; /* it takes all, be it bit by bit */
  if (!err && fds[0].fd >= 0) {
    uint32_t ready = 0;
    err = wn_wait(sys, fds, 1, 0, &ready);
    room = ready ? WN_PIPE_PIECE : 0;
  }
  if (err) return ended(res, err);
  *permit = res->u.stream.permit = room;
  return 0;
}

wn_err_t wn_stream_write(wn_sys_t *sys, wn_res_t *res, const void *buf, size_t len) {
  wn_obj_t *obj;
  uint16_t before;
  wn_err_t err = begin(sys, res, true, &obj, &before);
  if (err) return ended(res, err);
  const uint8_t *bytes = buf;
  for (size_t at = 0; at < len && !err;) {
    const wn_iov_t iov = {(void *)(uintptr_t)(bytes + at), len - at};
    uint64_t got = 0;
    if (res->u.stream.positioned) err = wn_file_pwritev(sys, res->fd, &iov, 1, res->u.stream.pos, &got);
    else err = wn_file_writev(sys, res->fd, &iov, 1, &got);
    if (err) break;
    if (!got) err = WN_EIO; /* a device that takes no more */
    res->u.stream.pos += got;
    at += (size_t)got;
    if (at < len && !err) err = wn_wait_check(sys);
  }
  obj->fdflags = before;
  return ended(res, err);
}

wn_err_t wn_stream_wait(wn_sys_t *sys, const wn_res_t *res) {
  wn_pollfd_t entry;
  if (res->u.stream.closed) return 0;
  wn_err_t err = to_poll(sys, res, &entry);
  if (err || entry.fd < 0) return err;
  return wn_wait_fd(sys, entry.fd, entry.events);
}

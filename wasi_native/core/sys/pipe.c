/* pipe.c - a pipe, FIFO, tty or character device of the host.
 *
 * Mostly its description is private and non-blocking: try, and wait only where the kernel says AGAIN. Where no
 * private one could be had (`shared`), its flags are the host's: wait first, then move what cannot block. */
#include "core/sys/ops.h"

static bool nonblocking(const wn_obj_t *obj) { return (obj->fdflags & WN_FD_NONBLOCK) != 0; }

/* Until a shared description is ready; AGAIN for a guest that does not want to wait. */
static wn_err_t ready_shared(wn_sys_t *sys, const wn_obj_t *obj, uint16_t events) {
  if (!nonblocking(obj)) return wn_wait_fd(sys, obj->fd, events);
  wn_pollfd_t fds[2] = {{.fd = obj->fd, .events = events}};
  uint32_t ready = 0;
  wn_err_t err = wn_wait(sys, fds, 1, 0, &ready);
  if (err) return err;
  return ready ? 0 : WN_EAGAIN;
}

/* After a call that moved nothing: 0 to try again. */
static wn_err_t again(wn_sys_t *sys, const wn_obj_t *obj, uint16_t events, wn_err_t err) {
  if (err == WN_EINTR) return wn_wait_check(sys);
  if (err == WN_EAGAIN && !nonblocking(obj)) return wn_wait_fd(sys, obj->fd, events);
  return err;
}

static wn_err_t pipe_readv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  wn_iov_t part[WN_WINDOW_MAX];
  if (wn_iov_total(iov, n) > WN_CHUNK_MAX) { /* a short read is what streams give anyway */
    n = wn_iov_window(iov, n, 0, WN_CHUNK_MAX, part);
    iov = part;
  }
  for (;;) {
    wn_err_t err = obj->u.host.shared ? ready_shared(sys, obj, WN_POLL_IN) : 0;
    if (err) return err;
    err = sys->os->readv(sys->os, obj->fd, iov, n, done);
    if (!err) return 0;
    if ((err = again(sys, obj, WN_POLL_IN, err))) return err;
  }
}

static wn_err_t write_once(wn_sys_t *sys, const wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *got) {
  const wn_os_t *os = sys->os;
  return obj->type == WN_TYPE_FIFO ? os->write_pipe(os, obj->fd, iov, n, got) : os->writev(os, obj->fd, iov, n, got);
}

static wn_err_t pipe_writev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  bool shared = obj->u.host.shared;
  wn_iov_t part[WN_WINDOW_MAX];
  uint64_t at = 0, total = wn_iov_total(iov, n);
  /* Nearly always all of it goes at once. */
  if (WN_LIKELY(!shared && total <= WN_CHUNK_MAX) && write_once(sys, obj, iov, n, &at) == 0 && at == total) {
    *done = at;
    return 0;
  }
  while (at < total) {
    uint64_t got = 0;
    uint32_t k = wn_iov_window(iov, n, at, shared ? WN_PIPE_PIECE : WN_CHUNK_MAX, part);
    wn_err_t err = shared ? ready_shared(sys, obj, WN_POLL_OUT) : 0;
    if (!err) {
      err = write_once(sys, obj, part, k, &got);
      if (err) err = again(sys, obj, WN_POLL_OUT, err);
      else if (got == 0) break; /* a device that takes no more */
    }
    at += got;
    if (!err && at < total) err = wn_wait_check(sys);
    if (err < 0 || (err && at == 0)) return err;
    if (err) break;
  }
  *done = at;
  return 0;
}

static wn_err_t pipe_seek(wn_sys_t *sys, wn_obj_t *obj, int64_t off, uint32_t whence, uint64_t *pos) {
  return sys->os->lseek(sys->os, obj->fd, off, whence, pos); /* some devices can; SPIPE from the others */
}

static wn_err_t pipe_poll(wn_sys_t *sys, wn_obj_t *obj, uint16_t events, wn_pollfd_t *out) {
  (void)sys;
  *out = (wn_pollfd_t){.fd = obj->fd, .events = events};
  return 0;
}

static wn_err_t pipe_available(wn_sys_t *sys, wn_obj_t *obj, uint64_t *bytes) {
  return sys->os->available(sys->os, obj->fd, bytes);
}

const wn_obj_ops_t wn_ops_pipe = {
    .kind = "pipe",
    .readv = pipe_readv,
    .writev = pipe_writev,
    .seek = pipe_seek,
    .poll = pipe_poll,
    .available = pipe_available,
};

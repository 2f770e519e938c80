/* sock.c - sockets that the host granted. The kernel is asked not to block call by call, so that the flags of a
 * description which the host shares stay as they are. */
#include "core/sys/net.h"
#include "core/sys/ops.h"

static bool nonblocking(const wn_obj_t *obj) { return (obj->fdflags & WN_FD_NONBLOCK) != 0; }

static wn_err_t again(wn_sys_t *sys, const wn_obj_t *obj, uint16_t events, wn_err_t err) {
  if (err == WN_EINTR) return wn_wait_check(sys);
  if (err == WN_EAGAIN && !nonblocking(obj)) return wn_wait_fd(sys, obj->fd, events);
  return err;
}

static wn_err_t socket_recv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint32_t flags,
                            uint64_t *done, bool *truncated) {
  wn_iov_t part[WN_WINDOW_MAX];
  uint64_t at = 0, total = wn_iov_total(iov, n);
  /* A peek sees the same bytes again, a datagram ends a read: only a plain stream can be waited for in full. */
  bool all = flags & WN_MSG_WAITALL && !(flags & WN_MSG_PEEK) && obj->type == WN_TYPE_SOCKET_STREAM;
  if (truncated) *truncated = false;
  if (obj->u.inet.shut & WN_SHUT_READ) { /* what the kernel still has was given up */
    *done = 0;
    return 0;
  }
  do {
    uint64_t got = 0;
    uint32_t k = wn_iov_window(iov, n, at, WN_CHUNK_MAX, part);
    wn_err_t err = sys->os->recv(sys->os, obj->fd, part, k, flags & WN_MSG_PEEK, &got, truncated);
    if (!err && got == 0) break; /* the peer has shut down */
    if (err) err = again(sys, obj, WN_POLL_IN, err);
    else if (!all) {
      at = got;
      break;
    }
    at += got;
    if (!err && at < total) err = wn_wait_check(sys);
    if (err < 0 || (err && at == 0)) return err;
    if (err) break;
  } while (at < total);
  *done = at;
  return 0;
}

static wn_err_t socket_send(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  wn_iov_t part[WN_WINDOW_MAX];
  uint64_t at = 0, total = wn_iov_total(iov, n);
  do {
    uint64_t got = 0;
    uint32_t k = wn_iov_window(iov, n, at, WN_CHUNK_MAX, part);
    wn_err_t err = sys->os->send(sys->os, obj->fd, part, k, &got);
    if (err) err = again(sys, obj, WN_POLL_OUT, err);
    at += got;
    if (!err && at < total) err = wn_wait_check(sys);
    if (err < 0 || (err && at == 0)) return err;
    if (err || (got && obj->type == WN_TYPE_SOCKET_DGRAM)) break;
  } while (at < total);
  *done = at;
  return 0;
}

static wn_err_t socket_readv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  return socket_recv(sys, obj, iov, n, 0, done, NULL);
}

static wn_err_t socket_shutdown(wn_sys_t *sys, wn_obj_t *obj, uint32_t how) {
  return sys->os->shutdown(sys->os, obj->fd, how);
}

static wn_err_t socket_poll(wn_sys_t *sys, wn_obj_t *obj, uint16_t events, wn_pollfd_t *out) {
  (void)sys;
  *out = (wn_pollfd_t){.fd = obj->fd, .events = events};
  return 0;
}

static wn_err_t socket_available(wn_sys_t *sys, wn_obj_t *obj, uint64_t *bytes) {
  return sys->os->available(sys->os, obj->fd, bytes);
}

/* Who came may do so; who has gone again before anybody looked is nobody. */
static bool admitted(wn_sys_t *sys, const wn_obj_t *listener, int fd) {
  wn_addr_t peer;
  if (!listener->u.inet.local.family || !sys->net.rule_count) return true; /* a unix socket; nothing is said */
  return !sys->os->address(sys->os, fd, true, &peer) && wn_net_admits(sys, &listener->u.inet.local, &peer);
}

static wn_err_t listener_accept(wn_sys_t *sys, wn_obj_t *obj, uint16_t fdflags, wn_obj_t *out) {
  for (uint32_t unwelcome = 0;;) {
    int fd;
    wn_err_t err = sys->os->accept(sys->os, obj->fd, &fd);
    if (!err && !admitted(sys, obj, fd)) {
      sys->os->close(sys->os, fd); /* unseen: nobody asked it in */
      if (nonblocking(obj) && ++unwelcome > WN_UNWELCOME_MAX) return WN_EAGAIN;
      if ((err = wn_wait_check(sys))) return err;
      continue;
    }
    if (!err) {
      out->ops = &wn_ops_socket;
      out->fd = fd;
      out->fdflags = fdflags;
      out->writable = true;
      return 0;
    }
    if (err == WN_ECONNABORTED) err = WN_EINTR; /* that peer is gone again: the next one, please */
    if ((err = again(sys, obj, WN_POLL_IN, err))) return err;
  }
}

const wn_obj_ops_t wn_ops_socket = {
    .kind = "socket",
    .readv = socket_readv,
    .writev = socket_send,
    .poll = socket_poll,
    .available = socket_available,
    .recv = socket_recv,
    .send = socket_send,
    .shutdown = socket_shutdown,
};

const wn_obj_ops_t wn_ops_listener = {
    .kind = "listener",
    .poll = socket_poll,
    .accept = listener_accept,
};

/* The object, known to be a socket (else NOTSOCK) before its rights are looked at. */
static wn_err_t get(wn_sys_t *sys, uint32_t fd, uint64_t rights, wn_obj_t **obj) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&sys->table, fd, 0, &d);
  if (err) return err;
  if (d->obj->type != WN_TYPE_SOCKET_STREAM && d->obj->type != WN_TYPE_SOCKET_DGRAM) return WN_ENOTSOCK;
  if ((d->rights & rights) != rights) return WN_ENOTCAPABLE;
  *obj = d->obj;
  return 0;
}

wn_err_t wn_sock_accept(wn_sys_t *sys, uint32_t fd, uint16_t fdflags, uint32_t *out) {
  wn_obj_t *listener, *obj;
  wn_err_t err = get(sys, fd, 0, &listener);
  if (err) return err;
  if (!listener->ops->accept) return WN_EINVAL; /* a connection does not listen */
  if ((err = get(sys, fd, WN_RIGHT_SOCK_ACCEPT, &listener))) return err;
  /* Room first: a connection that was accepted and has no place would be lost. */
  if (sys->table.open >= sys->table.limit) return WN_EMFILE;
  if ((err = wn_obj_new(sys, WN_TYPE_SOCKET_STREAM, &obj))) return err;
  err = wn_wait_check(sys);
  if (!err) err = listener->ops->accept(sys, listener, fdflags, obj);
  if (!err) err = wn_table_insert(sys, obj, WN_RIGHTS_SOCKET, 0, 0, out);
  if (err) wn_obj_release(sys, obj);
  return err;
}

wn_err_t wn_sock_recv(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint32_t flags, uint64_t *done,
                      bool *truncated) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_READ, &obj);
  if (err) return err;
  if (!obj->ops->recv) return WN_ENOTCONN;
  if (n == 0) {
    *done = 0;
    *truncated = false;
    return 0;
  }
  err = wn_wait_check(sys);
  return err ? err : obj->ops->recv(sys, obj, iov, n, flags, done, truncated);
}

wn_err_t wn_sock_send(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_FD_WRITE, &obj);
  if (err) return err;
  if (!obj->ops->send) return WN_ENOTCONN;
  if (obj->output) return wn_file_writev(sys, fd, iov, n, done); /* stdout on a socket: its bytes are counted */
  if (n == 0) {
    *done = 0;
    return 0;
  }
  err = wn_wait_check(sys);
  return err ? err : obj->ops->send(sys, obj, iov, n, done);
}

wn_err_t wn_sock_shutdown(wn_sys_t *sys, uint32_t fd, uint32_t how) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, WN_RIGHT_SOCK_SHUTDOWN, &obj);
  if (err) return err;
  if (how == 0 || how > (WN_SHUT_READ | WN_SHUT_WRITE)) return WN_EINVAL;
  return obj->ops->shutdown ? obj->ops->shutdown(sys, obj, how) : WN_ENOTCONN;
}

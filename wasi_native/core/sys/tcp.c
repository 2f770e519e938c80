/* tcp.c - the state machine of tcp sockets.
 *
 *   unbound --bind--> binding --finish--> bound --listen--> starting --finish--> listening
 *      `------connect---.                   |
 *                       v                   v
 *                   connecting --finish--> connected        a connect or listen that fails: closed
 */
#include "core/sys/tcp.h"

#include "core/sys/inet.h"
#include "core/sys/ops.h"

#define STREAM WN_TYPE_SOCKET_STREAM

/* What is waited for is what the operation under way waits for; nothing is, and it is ready. */
static wn_err_t tcp_poll(wn_sys_t *sys, wn_obj_t *obj, uint16_t events, wn_pollfd_t *out) {
  (void)sys;
  (void)events;
  if (obj->u.inet.state == WN_INET_CONNECTING) *out = (wn_pollfd_t){.fd = obj->fd, .events = WN_POLL_OUT};
  else if (obj->u.inet.state == WN_INET_LISTENING) *out = (wn_pollfd_t){.fd = obj->fd, .events = WN_POLL_IN};
  return 0;
}

const wn_obj_ops_t wn_ops_tcp = {.kind = "tcp", .poll = tcp_poll};

static bool under_way(const wn_obj_t *obj) {
  uint8_t state = obj->u.inet.state;
  return state == WN_INET_BINDING || state == WN_INET_STARTING || state == WN_INET_CONNECTING;
}

wn_err_t wn_tcp_create(wn_sys_t *sys, uint8_t family, uint32_t *fd) { return wn_inet_new(sys, STREAM, family, fd); }

wn_err_t wn_tcp_bind_start(wn_sys_t *sys, uint32_t fd, const wn_addr_t *local) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (under_way(obj)) return WN_EALREADY;
  if (obj->u.inet.state != WN_INET_UNBOUND) return WN_EISCONN;
  if (!(err = wn_inet_check(obj, local))) err = wn_net_check_bind(sys, WN_NET_TCP, local);
  if (!err) err = wn_wait_check(sys);
  /* A port of one's own choice is had again at once, though connections of its last owner are still remembered. */
  if (!err && local->port) err = sys->os->option_set(sys->os, obj->fd, WN_SO_REUSEADDR, 1);
  if (!err) err = sys->os->bind(sys->os, obj->fd, local);
  if (err) return err;
  obj->u.inet.local = *local;
  obj->u.inet.state = WN_INET_BINDING;
  return 0;
}

wn_err_t wn_tcp_bind_finish(wn_sys_t *sys, uint32_t fd) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (obj->u.inet.state != WN_INET_BINDING) return WN_ESRCH;
  obj->u.inet.state = WN_INET_BOUND;
  return 0;
}

wn_err_t wn_tcp_connect_start(wn_sys_t *sys, uint32_t fd, const wn_addr_t *peer) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (under_way(obj)) return WN_EALREADY;
  if (obj->u.inet.state != WN_INET_UNBOUND && obj->u.inet.state != WN_INET_BOUND) return WN_EISCONN;
  if (!(err = wn_inet_check_peer(obj, peer))) err = wn_net_check(sys, WN_NET_TCP, WN_NET_CONNECT, peer);
  if (!err) err = wn_wait_check(sys);
  if (!err) err = sys->os->connect(sys->os, obj->fd, peer);
  if (err == WN_EINPROGRESS || err == WN_EINTR) err = 0; /* interrupted: the kernel goes on with it */
  if (err < 0) return err;
  obj->u.inet.peer = *peer;
  obj->u.inet.state = err ? WN_INET_CLOSED : WN_INET_CONNECTING;
  return err == WN_EADDRNOTAVAIL || err == WN_EAGAIN ? WN_EADDRINUSE : err; /* no port is left for this side */
}

wn_err_t wn_tcp_connect_finish(wn_sys_t *sys, uint32_t fd) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (obj->u.inet.state != WN_INET_CONNECTING) return WN_ESRCH;
  wn_pollfd_t fds[1] = {{.fd = obj->fd, .events = WN_POLL_OUT}};
  uint32_t ready = 0, failed = 0;
  if ((err = wn_wait_check(sys))) return err;
  err = sys->os->poll(sys->os, fds, 1, 0, &ready);
  if (err == WN_EINTR || (!err && ready == 0)) return WN_EAGAIN;
  if (!err) err = sys->os->option_get(sys->os, obj->fd, WN_SO_ERROR, &failed);
  if (!err) err = (wn_err_t)failed;
  obj->u.inet.state = err ? WN_INET_CLOSED : WN_INET_CONNECTED;
  if (err) return err == WN_EADDRNOTAVAIL ? WN_EADDRINUSE : err;
  obj->ops = &wn_ops_socket;
  return 0;
}

wn_err_t wn_tcp_listen_start(wn_sys_t *sys, uint32_t fd) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (under_way(obj)) return WN_EALREADY;
  if (obj->u.inet.state != WN_INET_BOUND) return WN_EISCONN;
  err = wn_net_check(sys, WN_NET_TCP, WN_NET_LISTEN, &obj->u.inet.local);
  if (!err) err = wn_wait_check(sys);
  if (!err) err = sys->os->listen(sys->os, obj->fd, obj->u.inet.backlog);
  if (err < 0) return err;
  obj->u.inet.state = err ? WN_INET_CLOSED : WN_INET_STARTING;
  return err;
}

wn_err_t wn_tcp_listen_finish(wn_sys_t *sys, uint32_t fd) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (obj->u.inet.state != WN_INET_STARTING) return WN_ESRCH;
  obj->u.inet.state = WN_INET_LISTENING;
  return 0;
}

/* The one option that Linux does not hand on to what is accepted. */
static wn_err_t inherit(wn_sys_t *sys, const wn_obj_t *from, const wn_obj_t *to) {
  uint32_t value = 0;
  if (from->u.inet.local.family != WN_IPV6) return 0;
  wn_err_t err = sys->os->option_get(sys->os, from->fd, WN_SO_HOPS6, &value);
  return err ? err : sys->os->option_set(sys->os, to->fd, WN_SO_HOPS6, value);
}

wn_err_t wn_tcp_accept(wn_sys_t *sys, uint32_t fd, uint32_t *out) {
  wn_obj_t *listener, *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &listener);
  if (err) return err;
  if (listener->u.inet.state != WN_INET_LISTENING) return WN_ENOTCONN;
  /* Room first: a connection that was accepted and has no place would be lost. */
  if (sys->table.open >= sys->table.limit) return WN_EMFILE;
  if ((err = wn_obj_new(sys, STREAM, &obj))) return err;
  uint32_t unwelcome = 0;
  do {
    if (unwelcome++ > WN_UNWELCOME_MAX) err = WN_EAGAIN;
    if (err) break;
    if (obj->fd >= 0) sys->os->close(sys->os, obj->fd); /* unseen: nobody asked it in */
    obj->fd = -1;
    int host;
    if ((err = wn_wait_check(sys)) || (err = sys->os->accept_from(sys->os, listener->fd, &host, &obj->u.inet.peer)))
      break;
    obj->fd = host;
  } while (!wn_net_welcome(sys, WN_NET_TCP, &listener->u.inet.local, &obj->u.inet.peer));
  if (!err) err = inherit(sys, listener, obj);
  if (!err) {
    obj->ops = &wn_ops_socket;
    obj->writable = true;
    obj->u.inet.local.family = listener->u.inet.local.family;
    obj->u.inet.state = WN_INET_CONNECTED;
    err = wn_table_insert(sys, obj, WN_RIGHTS_INET, 0, 3, out);
  }
  if (err) wn_obj_release(sys, obj);
  return err == WN_EINTR ? WN_EAGAIN : err;
}

wn_err_t wn_tcp_listening(wn_sys_t *sys, uint32_t fd, bool *listening) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (!err) *listening = obj->u.inet.state == WN_INET_LISTENING;
  return err;
}

wn_err_t wn_tcp_backlog(wn_sys_t *sys, uint32_t fd, uint64_t value) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (value == 0) return WN_EINVAL;
  uint8_t state = obj->u.inet.state;
  if (state == WN_INET_CONNECTING || state == WN_INET_CONNECTED || state == WN_INET_CLOSED) return WN_EISCONN;
  uint32_t backlog = value < WN_BACKLOG_MAX ? (uint32_t)value : WN_BACKLOG_MAX;
  /* To listen again changes the length of the queue, and nothing else. */
  if (state == WN_INET_LISTENING || state == WN_INET_STARTING) err = sys->os->listen(sys->os, obj->fd, backlog);
  if (!err) obj->u.inet.backlog = backlog;
  return err;
}

wn_err_t wn_tcp_shutdown(wn_sys_t *sys, uint32_t fd, uint32_t how) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, STREAM, &obj);
  if (err) return err;
  if (obj->u.inet.state != WN_INET_CONNECTED) return WN_ENOTCONN;
  err = sys->os->shutdown(sys->os, obj->fd, how);
  if (err && err != WN_ENOTCONN) return err;
  obj->u.inet.shut |= (uint8_t)how; /* NOTCONN: the peer has gone before, and there is nothing left to shut */
  return 0;
}

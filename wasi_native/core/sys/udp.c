/* udp.c - datagram sockets: bound once, associated as often as one likes. */
#include "core/sys/udp.h"

#include <string.h>

#include "core/sys/inet.h"

#define DATAGRAM WN_TYPE_SOCKET_DGRAM

static wn_err_t udp_poll(wn_sys_t *sys, wn_obj_t *obj, uint16_t events, wn_pollfd_t *out) {
  (void)sys;
  *out = (wn_pollfd_t){.fd = obj->fd, .events = events};
  return 0;
}

const wn_obj_ops_t wn_ops_udp = {.kind = "udp", .poll = udp_poll};

wn_err_t wn_udp_create(wn_sys_t *sys, uint8_t family, uint32_t *fd) { return wn_inet_new(sys, DATAGRAM, family, fd); }

wn_err_t wn_udp_bind_start(wn_sys_t *sys, uint32_t fd, const wn_addr_t *local) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, DATAGRAM, &obj);
  if (err) return err;
  if (obj->u.inet.state == WN_INET_BINDING) return WN_EALREADY;
  if (obj->u.inet.state != WN_INET_UNBOUND) return WN_EISCONN;
  if (!(err = wn_inet_check(obj, local))) err = wn_net_check_bind(sys, WN_NET_UDP, local);
  if (!err) err = wn_wait_check(sys);
  if (!err) err = sys->os->bind(sys->os, obj->fd, local);
  if (err) return err;
  obj->u.inet.local = *local;
  obj->u.inet.state = WN_INET_BINDING;
  return 0;
}

wn_err_t wn_udp_bind_finish(wn_sys_t *sys, uint32_t fd) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, DATAGRAM, &obj);
  if (err) return err;
  if (obj->u.inet.state != WN_INET_BINDING) return WN_ESRCH;
  obj->u.inet.state = WN_INET_BOUND;
  return 0;
}

/* Linux forgets a port that it chose itself when the peer goes: it is taken again. */
static wn_err_t forget_peer(wn_sys_t *sys, wn_obj_t *obj) {
  wn_addr_t before, after;
  wn_err_t err = sys->os->address(sys->os, obj->fd, false, &before);
  if (!err) err = sys->os->connect(sys->os, obj->fd, NULL);
  if (!err) {
    obj->u.inet.state = WN_INET_BOUND;
    err = sys->os->address(sys->os, obj->fd, false, &after);
  }
  if (err || after.port == before.port) return err;
  wn_addr_t local = obj->u.inet.local;
  local.port = before.port;
  return sys->os->bind(sys->os, obj->fd, &local);
}

wn_err_t wn_udp_stream(wn_sys_t *sys, uint32_t fd, const wn_addr_t *peer, uint32_t *round) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, DATAGRAM, &obj);
  if (err) return err;
  if (obj->u.inet.state != WN_INET_BOUND && obj->u.inet.state != WN_INET_CONNECTED) return WN_ENOTCONN;
  if (peer && (err = wn_inet_check_peer(obj, peer))) return err;
  if (peer && wn_net_check(sys, WN_NET_UDP, WN_NET_SEND, peer) &&
      !wn_net_welcome(sys, WN_NET_UDP, &obj->u.inet.local, peer))
    return WN_EACCES;
  if ((err = wn_wait_check(sys))) return err;
  if (obj->u.inet.state == WN_INET_CONNECTED && (err = forget_peer(sys, obj))) return err;
  if (peer && (err = sys->os->connect(sys->os, obj->fd, peer)))
    return err == WN_EADDRNOTAVAIL || err == WN_EAGAIN ? WN_EADDRINUSE : err;
  if (peer) obj->u.inet.peer = *peer;
  obj->u.inet.state = peer ? WN_INET_CONNECTED : WN_INET_BOUND;
  *round = ++obj->u.inet.round;
  return 0;
}

static wn_err_t get(wn_sys_t *sys, uint32_t fd, uint32_t round, wn_obj_t **obj) {
  wn_err_t err = wn_inet_get(sys, fd, DATAGRAM, obj);
  if (err) return err;
  return (*obj)->u.inet.round == round ? wn_wait_check(sys) : WN_ENOTCONN;
}

static bool same(const wn_addr_t *a, const wn_addr_t *b) {
  return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0 &&
         a->scope == b->scope;
}

wn_err_t wn_udp_receive(wn_sys_t *sys, uint32_t fd, uint32_t round, size_t at, wn_addr_t *from, uint64_t *done) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, round, &obj);
  if (!err && !sys->net.datagram) return WN_EAGAIN; /* there is no rule for datagrams: none may come */
  for (uint32_t unwelcome = 0; !err; unwelcome++) {
    uint64_t next = 0;
    if (unwelcome > WN_UNWELCOME_MAX) return WN_EAGAIN;
    /* Nothing is cut: what may not fit waits for the next call. */
    if (at && (err = sys->os->available(sys->os, obj->fd, &next))) return err;
    if (next >= WN_DATAGRAM_MAX - at) return WN_EAGAIN;
    err = sys->os->recv_from(sys->os, obj->fd, sys->net.datagram + at, WN_DATAGRAM_MAX - at, from, done);
    if (err == WN_EINTR) err = WN_EAGAIN;
    /* Datagrams of before the association wait in the kernel's queue too. */
    if (!err && (obj->u.inet.state != WN_INET_CONNECTED || same(from, &obj->u.inet.peer)) &&
        wn_net_welcome(sys, WN_NET_UDP, &obj->u.inet.local, from))
      return 0;
    if (!err) err = wn_wait_check(sys);
  }
  return err;
}

wn_err_t wn_udp_room(wn_sys_t *sys, uint32_t fd, uint32_t round, uint32_t *room) {
  wn_obj_t *obj;
  wn_pollfd_t fds[2];
  uint32_t ready = 0;
  wn_err_t err = get(sys, fd, round, &obj);
  if (err) return err;
  fds[0] = (wn_pollfd_t){.fd = obj->fd, .events = WN_POLL_OUT};
  if ((err = wn_wait(sys, fds, 1, 0, &ready))) return err;
  *room = ready ? WN_DATAGRAMS_MAX : 0;
  return 0;
}

wn_err_t wn_udp_send(wn_sys_t *sys, uint32_t fd, uint32_t round, const void *data, size_t len, const wn_addr_t *to) {
  wn_obj_t *obj;
  wn_err_t err = get(sys, fd, round, &obj);
  if (err) return err;
  bool connected = obj->u.inet.state == WN_INET_CONNECTED;
  if (!to && !connected) return WN_EINVAL;
  if (to && connected && !same(to, &obj->u.inet.peer)) return WN_EINVAL;
  if (to && (err = wn_inet_check_peer(obj, to))) return err;
  if ((err = wn_net_check(sys, WN_NET_UDP, WN_NET_SEND, connected ? &obj->u.inet.peer : to))) return err;
  uint64_t done;
  err = sys->os->send_to(sys->os, obj->fd, data, len, connected ? NULL : to, &done);
  return err == WN_EINTR ? WN_EAGAIN : err;
}

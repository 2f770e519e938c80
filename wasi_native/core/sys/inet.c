/* inet.c - sockets that a guest makes: created, addressed, set. */
#include "core/sys/inet.h"

#include <string.h>

#define NS 1000000000ull
#define IDLE_MAX 32767u /* s; the kernel's own limits of the three */
#define INTERVAL_MAX 32767u
#define COUNT_MAX 127u
#define BUFFER_MAX (64u << 20) /* what a guest may ask for; the kernel's own limit is lower */

wn_err_t wn_inet_new(wn_sys_t *sys, uint8_t type, uint8_t family, uint32_t *fd) {
  wn_obj_t *obj;
  wn_err_t err = wn_wait_check(sys);
  if (err) return err;
  if (sys->table.open >= sys->table.limit) return WN_EMFILE;
  if ((err = wn_obj_new(sys, type, &obj))) return err;
  int host;
  err = sys->os->socket(sys->os, family, type == WN_TYPE_SOCKET_DGRAM, &host);
  if (!err) {
    obj->fd = host;
    obj->ops = type == WN_TYPE_SOCKET_DGRAM ? &wn_ops_udp : &wn_ops_tcp;
    obj->writable = true;
    obj->u.inet.local.family = family;
    obj->u.inet.backlog = 128;
    err = wn_table_insert(sys, obj, WN_RIGHTS_INET, 0, 3, fd);
  }
  if (err) wn_obj_release(sys, obj);
  return err;
}

wn_err_t wn_inet_get(wn_sys_t *sys, uint32_t fd, uint8_t type, wn_obj_t **obj) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&sys->table, fd, 0, &d);
  if (err) return err;
  /* The host's own sockets have no family, or accept as its listeners do. */
  if (d->obj->type != type || !d->obj->u.inet.local.family || d->obj->ops->accept) return WN_ENOTSOCK;
  *obj = d->obj;
  return 0;
}

static bool all_zero(const wn_addr_t *addr) {
  static const uint8_t zero[16];
  return memcmp(addr->ip, zero, sizeof zero) == 0;
}

wn_err_t wn_inet_check(const wn_obj_t *obj, const wn_addr_t *addr) {
  static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, ones[4] = {255, 255, 255, 255};
  if (addr->family != obj->u.inet.local.family) return WN_EINVAL;
  if (addr->family == WN_IPV6)
    return addr->ip[0] == 0xff || memcmp(addr->ip, mapped, sizeof mapped) == 0 ? WN_EINVAL : 0;
  return addr->ip[0] >> 4 == 0xe || memcmp(addr->ip, ones, sizeof ones) == 0 ? WN_EINVAL : 0;
}

wn_err_t wn_inet_check_peer(const wn_obj_t *obj, const wn_addr_t *addr) {
  wn_err_t err = wn_inet_check(obj, addr);
  return !err && (all_zero(addr) || !addr->port) ? WN_EINVAL : err;
}

wn_err_t wn_inet_local(wn_sys_t *sys, uint32_t fd, uint8_t type, wn_addr_t *out) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, type, &obj);
  if (err) return err;
  uint8_t state = obj->u.inet.state;
  if (state == WN_INET_UNBOUND || state == WN_INET_BINDING || state == WN_INET_CLOSED) return WN_ENOTCONN;
  return sys->os->address(sys->os, obj->fd, false, out);
}

wn_err_t wn_inet_peer(wn_sys_t *sys, uint32_t fd, uint8_t type, wn_addr_t *out) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, type, &obj);
  if (err) return err;
  if (obj->u.inet.state != WN_INET_CONNECTED) return WN_ENOTCONN;
  *out = obj->u.inet.peer;
  return 0;
}

wn_err_t wn_inet_family(wn_sys_t *sys, uint32_t fd, uint8_t type, uint8_t *family) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, type, &obj);
  if (!err) *family = obj->u.inet.local.family;
  return err;
}

static bool in_seconds(uint32_t option) { return option == WN_SO_KEEPIDLE || option == WN_SO_KEEPINTVL; }

static uint32_t of_family(const wn_obj_t *obj, uint32_t option) {
  return option == WN_SO_HOPS4 && obj->u.inet.local.family == WN_IPV6 ? WN_SO_HOPS6 : option;
}

wn_err_t wn_inet_option_get(wn_sys_t *sys, uint32_t fd, uint8_t type, uint32_t option, uint64_t *value) {
  wn_obj_t *obj;
  uint32_t got = 0;
  wn_err_t err = wn_inet_get(sys, fd, type, &obj);
  if (!err && obj->u.inet.state == WN_INET_CLOSED) err = WN_ENOTCONN;
  if (!err) err = sys->os->option_get(sys->os, obj->fd, of_family(obj, option), &got);
  if (!err) *value = in_seconds(option) ? got * NS : got;
  return err;
}

static uint32_t most(uint32_t option) {
  switch (option) {
    case WN_SO_KEEPIDLE:
      return IDLE_MAX;
    case WN_SO_KEEPINTVL:
      return INTERVAL_MAX;
    case WN_SO_KEEPCNT:
      return COUNT_MAX;
    case WN_SO_KEEPALIVE:
      return 1;
    case WN_SO_HOPS4:
      return 255;
    default:
      return BUFFER_MAX;
  }
}

wn_err_t wn_inet_option_set(wn_sys_t *sys, uint32_t fd, uint8_t type, uint32_t option, uint64_t value) {
  wn_obj_t *obj;
  wn_err_t err = wn_inet_get(sys, fd, type, &obj);
  if (err) return err;
  if (obj->u.inet.state == WN_INET_CLOSED) return WN_ENOTCONN;
  if (value == 0 && option != WN_SO_KEEPALIVE) return WN_EINVAL;
  if (in_seconds(option)) value = value / NS + (value % NS != 0);
  if (value > most(option)) value = most(option);
  return sys->os->option_set(sys->os, obj->fd, of_family(obj, option), (uint32_t)value);
}

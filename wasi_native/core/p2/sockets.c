/* sockets.c - wasi:sockets/network and instance-network, and what the files beside it share. */
#include "core/p2/sockets.h"

#define CODE(name) WN_P2_SOCKETS_ERROR_CODE_##name

/* error-code for an errno, with the words of core/sys/inet.h and lookup.h for states. */
static uint8_t code_of(wn_err_t err) {
  switch (err) {
    case WN_EACCES:
    case WN_EPERM:
    case WN_ENOTCAPABLE:
      return CODE(ACCESS_DENIED);
    case WN_ENOTSUP:
    case WN_EAFNOSUPPORT:
    case WN_EPROTONOSUPPORT:
    case WN_ENOPROTOOPT:
      return CODE(NOT_SUPPORTED);
    case WN_EINVAL:
    case WN_ENAMETOOLONG:
      return CODE(INVALID_ARGUMENT);
    case WN_ENOMEM:
    case WN_ENOBUFS:
      return CODE(OUT_OF_MEMORY);
    case WN_ETIMEDOUT:
      return CODE(TIMEOUT);
    case WN_EALREADY:
      return CODE(CONCURRENCY_CONFLICT);
    case WN_ESRCH:
      return CODE(NOT_IN_PROGRESS);
    case WN_EAGAIN:
      return CODE(WOULD_BLOCK);
    case WN_EISCONN:
    case WN_ENOTCONN:
    case WN_EDESTADDRREQ:
      return CODE(INVALID_STATE);
    case WN_EMFILE:
    case WN_ENFILE:
      return CODE(NEW_SOCKET_LIMIT);
    case WN_EADDRNOTAVAIL:
      return CODE(ADDRESS_NOT_BINDABLE);
    case WN_EADDRINUSE:
      return CODE(ADDRESS_IN_USE);
    case WN_EHOSTUNREACH:
    case WN_ENETUNREACH:
    case WN_ENETDOWN:
      return CODE(REMOTE_UNREACHABLE);
    case WN_ECONNREFUSED:
      return CODE(CONNECTION_REFUSED);
    case WN_ECONNRESET:
    case WN_EPIPE:
    case WN_ENETRESET:
      return CODE(CONNECTION_RESET);
    case WN_ECONNABORTED:
      return CODE(CONNECTION_ABORTED);
    case WN_EMSGSIZE:
      return CODE(DATAGRAM_TOO_LARGE);
    case WN_ENOENT:
      return CODE(NAME_UNRESOLVABLE);
    case WN_EBUSY:
      return CODE(TEMPORARY_RESOLVER_FAILURE);
    case WN_ENOTRECOVERABLE:
      return CODE(PERMANENT_RESOLVER_FAILURE);
    default:
      return CODE(UNKNOWN);
  }
}

/* The payload of an error of wasi:sockets. */
wn_err_t wn_p2_sockets_error_code(wn_guest_t *guest, wn_err_t err, uint8_t *out) {
  (void)guest;
  *out = code_of(err);
  return 0;
}

/* IPv6 is eight numbers in the guest, sixteen bytes in the order of the wire here. */
static void put_group(uint8_t *ip, uint32_t group, uint32_t value) {
  ip[2 * group] = (uint8_t)(value >> 8);
  ip[2 * group + 1] = (uint8_t)value;
}

static uint16_t group_of(const uint8_t *ip, uint32_t group) {
  return (uint16_t)(ip[2 * group] << 8 | ip[2 * group + 1]);
}

wn_addr_t wn_p2_flat_address(uint32_t which, const wn_p2_flat_address_t *flat) {
  const uint32_t *at = flat->at;
  wn_addr_t addr = {.port = (uint16_t)at[0], .family = WN_IPV4};
  if (which == WN_P2_SOCKETS_IP_SOCKET_ADDRESS_IPV4) {
    for (uint32_t i = 0; i < 4; i++) addr.ip[i] = (uint8_t)at[1 + i];
    return addr;
  }
  addr.family = WN_IPV6;
  addr.flow = at[1];
  addr.scope = at[10];
  for (uint32_t i = 0; i < 8; i++) put_group(addr.ip, i, at[2 + i]);
  return addr;
}

wn_err_t wn_p2_get_address(wn_guest_t *guest, const uint8_t *in, wn_addr_t *out) {
  wn_err_t err = wn_p2_case(guest, in[0], 2);
  if (err) return err;
  const uint8_t *at = in + WN_P2_SOCKETS_IP_SOCKET_ADDRESS_PAYLOAD;
  *out = (wn_addr_t){.family = WN_IPV4};
  if (in[0] == WN_P2_SOCKETS_IP_SOCKET_ADDRESS_IPV4) {
    out->port = wn_load16(at + WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_PORT);
    memcpy(out->ip, at + WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_ADDRESS, 4);
    return 0;
  }
  out->family = WN_IPV6;
  out->port = wn_load16(at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_PORT);
  out->flow = wn_load32(at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_FLOW_INFO);
  out->scope = wn_load32(at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_SCOPE_ID);
  const uint8_t *groups = at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_ADDRESS;
  for (uint32_t i = 0; i < 8; i++) put_group(out->ip, i, wn_load16(groups + 2 * (size_t)i));
  return 0;
}

static void put_ip(uint8_t *out, const wn_addr_t *addr) {
  if (addr->family == WN_IPV4) memcpy(out, addr->ip, 4);
  else
    for (uint32_t i = 0; i < 8; i++) wn_store16(out + 2 * (size_t)i, group_of(addr->ip, i));
}

wn_err_t wn_p2_put_ip(wn_guest_t *guest, uint32_t ptr, const wn_addr_t *addr) {
  uint8_t *out;
  wn_err_t err = wn_p2_place(guest, ptr, WN_P2_SOCKETS_IP_ADDRESS_SIZEOF, WN_P2_SOCKETS_IP_ADDRESS_ALIGNOF, &out);
  if (err) return err;
  out[0] = addr->family == WN_IPV6 ? WN_P2_SOCKETS_IP_ADDRESS_IPV6 : WN_P2_SOCKETS_IP_ADDRESS_IPV4;
  put_ip(out + WN_P2_SOCKETS_IP_ADDRESS_PAYLOAD, addr);
  return 0;
}

wn_err_t wn_p2_put_address(wn_guest_t *guest, uint32_t ptr, const wn_addr_t *addr) {
  uint8_t *out;
  wn_err_t err =
      wn_p2_place(guest, ptr, WN_P2_SOCKETS_IP_SOCKET_ADDRESS_SIZEOF, WN_P2_SOCKETS_IP_SOCKET_ADDRESS_ALIGNOF, &out);
  if (err) return err;
  uint8_t *at = out + WN_P2_SOCKETS_IP_SOCKET_ADDRESS_PAYLOAD;
  if (addr->family == WN_IPV4) {
    out[0] = WN_P2_SOCKETS_IP_SOCKET_ADDRESS_IPV4;
    wn_store16(at + WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_PORT, addr->port);
    put_ip(at + WN_P2_SOCKETS_IPV4_SOCKET_ADDRESS_ADDRESS, addr);
    return 0;
  }
  out[0] = WN_P2_SOCKETS_IP_SOCKET_ADDRESS_IPV6;
  wn_store16(at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_PORT, addr->port);
  wn_store32(at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_FLOW_INFO, addr->flow);
  put_ip(at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_ADDRESS, addr);
  wn_store32(at + WN_P2_SOCKETS_IPV6_SOCKET_ADDRESS_SCOPE_ID, addr->scope);
  return 0;
}

wn_err_t wn_p2_socket_new(wn_guest_t *guest, wn_res_kind_t kind, uint32_t fd, wn_res_t **out) {
  if (kind == WN_RES_INPUT_STREAM || kind == WN_RES_OUTPUT_STREAM)
    return wn_stream_new(guest->sys, kind, fd, true, out);
  wn_err_t err = wn_res_new(guest->sys, kind, out);
  if (err) {
    wn_table_close(guest->sys, fd);
    return err;
  }
  (*out)->fd = fd;
  (*out)->owned = true;
  return 0;
}

wn_err_t wn_p2_socket_share(wn_guest_t *guest, const wn_res_t *self, wn_res_kind_t kind, uint64_t rights,
                            wn_res_t **out) {
  uint32_t fd = 0;
  wn_err_t err = wn_res_share(guest->sys, self->fd, rights | WN_RIGHT_POLL_FD_READWRITE, &fd);
  return err ? err : wn_p2_socket_new(guest, kind, fd, out);
}

wn_err_t wn_p2_socket_room(const wn_guest_t *guest, uint32_t slots) {
  const wn_table_t *table = &guest->sys->table;
  return slots > table->limit - table->open ? WN_EMFILE : 0;
}

wn_err_t wn_p2_socket_subscribe(wn_guest_t *guest, const wn_res_t *self, uint32_t *result) {
  wn_res_t *pollable;
  wn_err_t err = wn_res_subscribe(guest->sys, self, &pollable);
  return err ? err : wn_p2_own(guest, &wn_p2_rt_pollable, pollable, result);
}

wn_err_t wn_p2_socket_local(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t ret) {
  wn_addr_t addr;
  wn_err_t err = wn_inet_local(guest->sys, self->fd, type, &addr);
  return err ? err : wn_p2_put_address(guest, ret, &addr);
}

wn_err_t wn_p2_socket_remote(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t ret) {
  wn_addr_t addr;
  wn_err_t err = wn_inet_peer(guest->sys, self->fd, type, &addr);
  return err ? err : wn_p2_put_address(guest, ret, &addr);
}

wn_err_t wn_p2_socket_family(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t *result) {
  uint8_t family = WN_IPV4;
  wn_err_t err = wn_inet_family(guest->sys, self->fd, type, &family);
  *result = family == WN_IPV6 ? WN_P2_SOCKETS_IP_ADDRESS_FAMILY_IPV6 : WN_P2_SOCKETS_IP_ADDRESS_FAMILY_IPV4;
  return err > 0 ? WN_INVALID : err;
}

wn_err_t wn_p2_socket_get(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t option, uint32_t bytes,
                          uint32_t ret) {
  uint64_t value = 0;
  wn_err_t err = wn_inet_option_get(guest->sys, self->fd, type, option, &value);
  if (err) return err;
  if (bytes == 1) return wn_p2_put8(guest, ret, (uint8_t)value);
  return bytes == 4 ? wn_p2_put32(guest, ret, (uint32_t)value) : wn_p2_put64(guest, ret, value);
}

/* Give the code of an error of a stream, where the network is its cause.
 * POSIX: errno.
 * Errnos: none; of an error of another kind there is no code.
 * Spec: wasi:sockets/network, network-error-code. */
wn_err_t wn_p2_sockets_network_error_code(wn_guest_t *guest, wn_res_t *err_, uint32_t ret) {
  uint8_t code = code_of(err_->u.error.err);
  wn_err_t err = wn_p2_put8(guest, ret, code != CODE(UNKNOWN));
  if (err || code == CODE(UNKNOWN)) return err;
  return wn_p2_put8(guest, ret + WN_P2_SOCKETS_OPTION_ERROR_CODE_SOME, code);
}

/* Give the network that the policy grants: one for all, and it says nothing of what is allowed.
 * POSIX: none.
 * Errnos: none.
 * Spec: wasi:sockets/instance-network, instance-network. */
wn_err_t wn_p2_sockets_instance_network(wn_guest_t *guest, uint32_t *result) {
  wn_res_t *network;
  wn_err_t err = wn_res_new(guest->sys, WN_RES_NETWORK, &network);
  return err ? err : wn_p2_own(guest, &wn_p2_rt_network, network, result);
}

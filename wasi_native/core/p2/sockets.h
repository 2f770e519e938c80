/* sockets.h - what sockets*.c share: addresses in and out of guest memory. */
#ifndef WN_CORE_P2_SOCKETS_H
#define WN_CORE_P2_SOCKETS_H

#include "core/p2/codec.h"
#include "core/sys/inet.h"

/* The numbers of ip-socket-address after its case, as it is flattened. */
typedef struct wn_p2_flat_address {
  uint32_t at[11];
} wn_p2_flat_address_t;

/* An ip-socket-address given flat: its case has been looked at. */
wn_addr_t wn_p2_flat_address(uint32_t which, const wn_p2_flat_address_t *flat);
/* The same in memory that has been looked at; traps for a wrong case. */
wn_err_t wn_p2_get_address(wn_guest_t *guest, const uint8_t *in, wn_addr_t *out);
wn_err_t wn_p2_put_address(wn_guest_t *guest, uint32_t ptr, const wn_addr_t *addr);
/* An ip-address, which has no port. */
wn_err_t wn_p2_put_ip(wn_guest_t *guest, uint32_t ptr, const wn_addr_t *addr);

/* WN_IPV4 or WN_IPV6 for a case of ip-address-family, and back. */
static inline uint8_t wn_p2_family(uint32_t which) {
  return which == WN_P2_SOCKETS_IP_ADDRESS_FAMILY_IPV6 ? WN_IPV6 : WN_IPV4;
}

/* A new socket or stream of one that has the slot fd; the slot goes where no resource can be had. */
wn_err_t wn_p2_socket_new(wn_guest_t *guest, wn_res_kind_t kind, uint32_t fd, wn_res_t **out);
/* Another resource over the same object, with these rights. */
wn_err_t wn_p2_socket_share(wn_guest_t *guest, const wn_res_t *self, wn_res_kind_t kind, uint64_t rights,
                            wn_res_t **out);
/* MFILE unless so many slots are free. */
wn_err_t wn_p2_socket_room(const wn_guest_t *guest, uint32_t slots);

wn_err_t wn_p2_socket_subscribe(wn_guest_t *guest, const wn_res_t *self, uint32_t *result);
/* The two addresses of a socket, at ret. */
wn_err_t wn_p2_socket_local(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t ret);
wn_err_t wn_p2_socket_remote(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t ret);
wn_err_t wn_p2_socket_family(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t *result);

/* Options, as wn_inet_option_get() has them, of 1, 4 or 8 bytes. */
wn_err_t wn_p2_socket_get(wn_guest_t *guest, const wn_res_t *self, uint8_t type, uint32_t option, uint32_t bytes,
                          uint32_t ret);

#endif

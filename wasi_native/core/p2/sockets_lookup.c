/* sockets_lookup.c - wasi:sockets/ip-name-lookup. */
#include "core/p2/sockets.h"
#include "core/sys/lookup.h"

#define NAME_MAX_GIVEN 1024u /* bytes that are looked at: no name is longer than 254 */

/* Begin to look a name up, or read it as the address that it is.
 * POSIX: getaddrinfo(3), on a thread.
 * Errnos: INVAL, neither a host name in ASCII nor an address; ACCES, the policy does not allow this name; BUSY, too
 * many lookups are under way; MFILE; NOMEM.
 * Spec: wasi:sockets/ip-name-lookup, resolve-addresses. */
wn_err_t wn_p2_sockets_resolve_addresses(wn_guest_t *guest, wn_res_t *network, uint32_t name, uint32_t name_len,
                                         uint32_t ret) {
  char text[NAME_MAX_GIVEN];
  wn_res_t *made;
  uint32_t fd = 0;
  (void)network;
  wn_err_t err = wn_p2_get_string(guest, name, name_len, text, sizeof text);
  if (!err) err = wn_lookup_start(guest->sys, (wn_str_t){text, strlen(text)}, &fd);
  if (!err) err = wn_p2_socket_new(guest, WN_RES_RESOLVE_ADDRESS_STREAM, fd, &made);
  if (err) return err;
  made->waits = WN_RES_READABLE;
  return wn_p2_put_own(guest, ret, &wn_p2_rt_resolve_address_stream, made);
}

/* Give the next address, or none behind the last.
 * POSIX: the list of getaddrinfo(3).
 * Errnos: AGAIN, the answer is not there yet; NOENT, there is no such name or it has no address; BUSY, ask again
 * later; NOTRECOVERABLE.
 * Spec: wasi:sockets/ip-name-lookup, resolve-address-stream.resolve-next-address. */
wn_err_t wn_p2_sockets_resolve_address_stream_resolve_next_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_addr_t addr;
  bool end = false;
  wn_err_t err = wn_lookup_next(guest->sys, self->fd, &addr, &end);
  if (!err) err = wn_p2_put8(guest, ret, !end);
  return err || end ? err : wn_p2_put_ip(guest, ret + WN_P2_SOCKETS_OPTION_IP_ADDRESS_SOME, &addr);
}

/* Make something that is ready when the answer is there.
 * POSIX: poll(2).
 * Errnos: none.
 * Spec: wasi:sockets/ip-name-lookup, resolve-address-stream.subscribe. */
wn_err_t wn_p2_sockets_resolve_address_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return wn_p2_socket_subscribe(guest, self, result);
}

/* sockets_udp.c - wasi:sockets/udp and udp-create-socket. The rounds are core/sys/udp.c's. */
#include "core/p2/sockets.h"
#include "core/sys/udp.h"

#define UDP WN_TYPE_SOCKET_DGRAM

static wn_err_t get(wn_guest_t *guest, const wn_res_t *self, uint32_t option, uint32_t bytes, uint32_t ret) {
  return wn_p2_socket_get(guest, self, UDP, option, bytes, ret);
}

static wn_err_t set(wn_guest_t *guest, const wn_res_t *self, uint32_t option, uint64_t value) {
  return wn_inet_option_set(guest->sys, self->fd, UDP, option, value);
}

/* Bind it to an address of this machine.
 * POSIX: bind(2).
 * Errnos: INVAL, another family, not unicast, or IPv4 in the clothes of IPv6; ACCES, no rule of
 * the policy allows it; ISCONN, it is bound; ALREADY, it will be; ADDRINUSE; ADDRNOTAVAIL.
 * Spec: wasi:sockets/udp, udp-socket.start-bind. */
wn_err_t wn_p2_sockets_udp_socket_start_bind(wn_guest_t *guest, wn_res_t *self, wn_res_t *network,
                                             uint32_t local_address, uint32_t local_address_1,
                                             uint32_t local_address_2, uint32_t local_address_3,
                                             uint32_t local_address_4, uint32_t local_address_5,
                                             uint32_t local_address_6, uint32_t local_address_7,
                                             uint32_t local_address_8, uint32_t local_address_9,
                                             uint32_t local_address_10, uint32_t local_address_11) {
  const wn_p2_flat_address_t flat = {{local_address_1, local_address_2, local_address_3, local_address_4,
                                      local_address_5, local_address_6, local_address_7, local_address_8,
                                      local_address_9, local_address_10, local_address_11}};
  wn_addr_t addr = wn_p2_flat_address(local_address, &flat);
  (void)network;
  return wn_udp_bind_start(guest->sys, self->fd, &addr);
}

/* Tell that it is bound: it always is.
 * POSIX: none.
 * Errnos: SRCH, no bind is under way.
 * Spec: wasi:sockets/udp, udp-socket.finish-bind. */
wn_err_t wn_p2_sockets_udp_socket_finish_bind(wn_guest_t *guest, wn_res_t *self) {
  return wn_udp_bind_finish(guest->sys, self->fd);
}

/* Give two streams of datagrams, of one peer or of all; those given before are dead.
 * POSIX: connect(2), of AF_UNSPEC too.
 * Errnos: INVAL, as of bind, or no address or port that one can talk to; ACCES, no rule of the
 * policy allows datagrams to or from it; NOTCONN, it is not bound; MFILE, no room for the streams.
 * Spec: wasi:sockets/udp, udp-socket.stream. */
wn_err_t wn_p2_sockets_udp_socket_stream(wn_guest_t *guest, wn_res_t *self, uint32_t remote_address,
                                         uint32_t remote_address_1, uint32_t remote_address_2,
                                         uint32_t remote_address_3, uint32_t remote_address_4,
                                         uint32_t remote_address_5, uint32_t remote_address_6,
                                         uint32_t remote_address_7, uint32_t remote_address_8,
                                         uint32_t remote_address_9, uint32_t remote_address_10,
                                         uint32_t remote_address_11, uint32_t remote_address_12, uint32_t ret) {
  const wn_p2_flat_address_t flat = {{remote_address_2, remote_address_3, remote_address_4, remote_address_5,
                                      remote_address_6, remote_address_7, remote_address_8, remote_address_9,
                                      remote_address_10, remote_address_11, remote_address_12}};
  wn_addr_t addr;
  wn_res_t *in, *out;
  uint32_t round = 0;
  wn_err_t err = remote_address ? wn_p2_case(guest, remote_address_1, 2) : 0;
  if (err) return err;
  if (remote_address) addr = wn_p2_flat_address(remote_address_1, &flat);
  if (!(err = wn_p2_socket_room(guest, 2)))
    err = wn_udp_stream(guest->sys, self->fd, remote_address ? &addr : NULL, &round);
  if (!err) err = wn_p2_socket_share(guest, self, WN_RES_INCOMING_DATAGRAM_STREAM, WN_RIGHT_FD_READ, &in);
  if (err) return err;
  in->waits = WN_RES_READABLE;
  in->u.datagram.round = round;
  if ((err = wn_p2_put_own(guest, ret, &wn_p2_rt_incoming_datagram_stream, in))) return err;
  if ((err = wn_p2_socket_share(guest, self, WN_RES_OUTGOING_DATAGRAM_STREAM, WN_RIGHT_FD_WRITE, &out))) return err;
  out->waits = WN_RES_WRITABLE;
  out->u.datagram.round = round;
  return wn_p2_put_own(guest, ret + 4, &wn_p2_rt_outgoing_datagram_stream, out);
}

/* Give the address that it is bound to.
 * POSIX: getsockname(2).
 * Errnos: NOTCONN, it is not bound.
 * Spec: wasi:sockets/udp, udp-socket.local-address. */
wn_err_t wn_p2_sockets_udp_socket_local_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return wn_p2_socket_local(guest, self, UDP, ret);
}

/* Give the one address that it talks to.
 * POSIX: getpeername(2).
 * Errnos: NOTCONN.
 * Spec: wasi:sockets/udp, udp-socket.remote-address. */
wn_err_t wn_p2_sockets_udp_socket_remote_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return wn_p2_socket_remote(guest, self, UDP, ret);
}

/* Say of which family it is.
 * POSIX: getsockopt(2) of SO_DOMAIN.
 * Errnos: none.
 * Spec: wasi:sockets/udp, udp-socket.address-family. */
wn_err_t wn_p2_sockets_udp_socket_address_family(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return wn_p2_socket_family(guest, self, UDP, result);
}

/* Tell how many hops a datagram may take.
 * POSIX: getsockopt(2) of IP_TTL or IPV6_UNICAST_HOPS.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/udp, udp-socket.unicast-hop-limit. */
wn_err_t wn_p2_sockets_udp_socket_unicast_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_HOPS4, 1, ret);
}

/* Set how many hops a datagram may take; what is too large is made to fit.
 * POSIX: setsockopt(2) of IP_TTL or IPV6_UNICAST_HOPS.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/udp, udp-socket.set-unicast-hop-limit. */
wn_err_t wn_p2_sockets_udp_socket_set_unicast_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t value) {
  return set(guest, self, WN_SO_HOPS4, value);
}

/* Tell the bytes that the kernel keeps for a reader.
 * POSIX: getsockopt(2) of SO_RCVBUF.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/udp, udp-socket.receive-buffer-size. */
wn_err_t wn_p2_sockets_udp_socket_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_RCVBUF, 8, ret);
}

/* Set the bytes that the kernel keeps for a reader; what is too large is made to fit.
 * POSIX: setsockopt(2) of SO_RCVBUF.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/udp, udp-socket.set-receive-buffer-size. */
wn_err_t wn_p2_sockets_udp_socket_set_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value) {
  return set(guest, self, WN_SO_RCVBUF, value);
}

/* Tell the bytes that the kernel keeps of a writer.
 * POSIX: getsockopt(2) of SO_SNDBUF.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/udp, udp-socket.send-buffer-size. */
wn_err_t wn_p2_sockets_udp_socket_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_SNDBUF, 8, ret);
}

/* Set the bytes that the kernel keeps of a writer; what is too large is made to fit.
 * POSIX: setsockopt(2) of SO_SNDBUF.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/udp, udp-socket.set-send-buffer-size. */
wn_err_t wn_p2_sockets_udp_socket_set_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value) {
  return set(guest, self, WN_SO_SNDBUF, value);
}

/* Make something that is ready at once: no operation of a socket itself takes time.
 * POSIX: poll(2).
 * Errnos: none.
 * Spec: wasi:sockets/udp, udp-socket.subscribe. */
wn_err_t wn_p2_sockets_udp_socket_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return wn_p2_socket_subscribe(guest, self, result);
}

typedef struct received {
  wn_addr_t from;
  size_t at, len; /* in sys->net.datagram */
} received_t;

/* Give the datagrams that are there, at most 16 and 64 KiB of them. Those from whom nothing may come are dropped.
 * POSIX: recvfrom(2) with MSG_DONTWAIT.
 * Errnos: NOTCONN, the stream is of an earlier round; CONNREFUSED, HOSTUNREACH: what became of
 * datagrams sent before.
 * Spec: wasi:sockets/udp, incoming-datagram-stream.receive. */
wn_err_t wn_p2_sockets_incoming_datagram_stream_receive(wn_guest_t *guest, wn_res_t *self, uint64_t max_results,
                                                        uint32_t ret) {
  wn_sys_t *sys = guest->sys;
  received_t got[WN_DATAGRAMS_MAX];
  uint32_t n = 0, most = max_results < WN_DATAGRAMS_MAX ? (uint32_t)max_results : WN_DATAGRAMS_MAX, list = 0;
  wn_err_t err = 0;
  for (size_t at = 0; n < most && !err; at += got[n++].len) {
    uint64_t len = 0;
    if ((err = wn_udp_receive(sys, self->fd, self->u.datagram.round, at, &got[n].from, &len))) break;
    got[n].at = at;
    got[n].len = (size_t)len;
  }
  if (err < 0 || (err && err != WN_EAGAIN && n == 0)) return err;
  err = wn_p2_put_list(guest, ret, n, WN_P2_SOCKETS_INCOMING_DATAGRAM_SIZEOF, WN_P2_SOCKETS_INCOMING_DATAGRAM_ALIGNOF,
                       &list);
  for (uint32_t i = 0; i < n && !err; i++) {
    uint32_t at = list + i * WN_P2_SOCKETS_INCOMING_DATAGRAM_SIZEOF;
    err =
        wn_p2_put_bytes(guest, at + WN_P2_SOCKETS_INCOMING_DATAGRAM_DATA, sys->net.datagram + got[i].at, got[i].len);
    if (!err) err = wn_p2_put_address(guest, at + WN_P2_SOCKETS_INCOMING_DATAGRAM_REMOTE_ADDRESS, &got[i].from);
  }
  return err;
}

/* Make something that is ready when a datagram is there.
 * POSIX: poll(2) for POLLIN.
 * Errnos: none.
 * Spec: wasi:sockets/udp, incoming-datagram-stream.subscribe. */
wn_err_t wn_p2_sockets_incoming_datagram_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return wn_p2_socket_subscribe(guest, self, result);
}

/* Give how many datagrams may be sent next: 16, or 0 where the kernel has no room.
 * POSIX: poll(2) for POLLOUT.
 * Errnos: NOTCONN, the stream is of an earlier round.
 * Spec: wasi:sockets/udp, outgoing-datagram-stream.check-send. */
wn_err_t wn_p2_sockets_outgoing_datagram_stream_check_send(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  uint32_t room = 0;
  wn_err_t err = wn_udp_room(guest->sys, self->fd, self->u.datagram.round, &room);
  if (err) return err;
  self->u.datagram.permit = room;
  return wn_p2_put64(guest, ret, room);
}

typedef struct outgoing {
  uint8_t *data; /* in guest memory: nothing runs there until all are sent */
  uint32_t len;
  bool to;
  wn_addr_t addr;
} outgoing_t;

/* One outgoing-datagram, each of its words read once. */
static wn_err_t look(wn_guest_t *guest, const uint8_t *in, outgoing_t *out) {
  const uint8_t *data = in + WN_P2_SOCKETS_OUTGOING_DATAGRAM_DATA;
  const uint8_t *option = in + WN_P2_SOCKETS_OUTGOING_DATAGRAM_REMOTE_ADDRESS;
  uint8_t some = option[0];
  out->len = wn_load32(data + 4);
  wn_err_t err = wn_p2_get_list(guest, wn_load32(data), out->len, 1, 1, &out->data);
  if (!err) err = wn_p2_case(guest, some, 2);
  out->to = some;
  if (err || !some) return err;
  return wn_p2_get_address(guest, option + WN_P2_SOCKETS_OPTION_IP_SOCKET_ADDRESS_SOME, &out->addr);
}

/* Send datagrams until one cannot be, and give how many were. More than check-send permitted are a trap.
 * POSIX: sendto(2) with MSG_DONTWAIT.
 * Errnos: of the first one alone: INVAL, no address, one that cannot be talked to, or not the peer;
 * ACCES, no rule of the policy allows it; MSGSIZE; NOTCONN, an earlier round; HOSTUNREACH; CONNREFUSED.
 * Spec: wasi:sockets/udp, outgoing-datagram-stream.send. */
wn_err_t wn_p2_sockets_outgoing_datagram_stream_send(wn_guest_t *guest, wn_res_t *self, uint32_t datagrams,
                                                     uint32_t datagrams_len, uint32_t ret) {
  outgoing_t items[WN_DATAGRAMS_MAX];
  uint8_t *list;
  uint32_t sent = 0;
  if (datagrams_len > self->u.datagram.permit)
    return wn_guest_trap(guest, "send of more datagrams than check-send permitted");
  wn_err_t err = wn_p2_get_list(guest, datagrams, datagrams_len, WN_P2_SOCKETS_OUTGOING_DATAGRAM_SIZEOF,
                                WN_P2_SOCKETS_OUTGOING_DATAGRAM_ALIGNOF, &list);
  for (uint32_t i = 0; i < datagrams_len && !err; i++)
    err = look(guest, list + (size_t)i * WN_P2_SOCKETS_OUTGOING_DATAGRAM_SIZEOF, &items[i]);
  if (err) return err;
  self->u.datagram.permit -= datagrams_len;
  while (sent < datagrams_len && !err) {
    const outgoing_t *one = &items[sent];
    err = wn_udp_send(guest->sys, self->fd, self->u.datagram.round, one->data, one->len, one->to ? &one->addr : NULL);
    if (!err) sent++;
  }
  if (err < 0 || (err && err != WN_EAGAIN && sent == 0)) return err;
  return wn_p2_put64(guest, ret, sent);
}

/* Make something that is ready when a datagram can be sent.
 * POSIX: poll(2) for POLLOUT.
 * Errnos: none.
 * Spec: wasi:sockets/udp, outgoing-datagram-stream.subscribe. */
wn_err_t wn_p2_sockets_outgoing_datagram_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return wn_p2_socket_subscribe(guest, self, result);
}

/* Make a socket, which may do nothing yet.
 * POSIX: socket(2).
 * Errnos: AFNOSUPPORT; MFILE, limits.sockets or limits.fds; NFILE; NOMEM.
 * Spec: wasi:sockets/udp-create-socket, create-udp-socket. */
wn_err_t wn_p2_sockets_create_udp_socket(wn_guest_t *guest, uint32_t address_family, uint32_t ret) {
  wn_res_t *made;
  uint32_t fd = 0;
  wn_err_t err = wn_udp_create(guest->sys, wn_p2_family(address_family), &fd);
  if (!err) err = wn_p2_socket_new(guest, WN_RES_UDP_SOCKET, fd, &made);
  return err ? err : wn_p2_put_own(guest, ret, &wn_p2_rt_udp_socket, made);
}

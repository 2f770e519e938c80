/* sockets_tcp.c - wasi:sockets/tcp and tcp-create-socket. The states are core/sys/tcp.c's. */
#include "core/p2/sockets.h"
#include "core/sys/tcp.h"

#define TCP WN_TYPE_SOCKET_STREAM

/* The two streams of a connection, as handles at ret and ret + 4. */
static wn_err_t put_streams(wn_guest_t *guest, const wn_res_t *socket, uint32_t ret) {
  wn_res_t *in, *out;
  wn_err_t err = wn_p2_socket_share(guest, socket, WN_RES_INPUT_STREAM, WN_RIGHT_FD_READ, &in);
  if (!err) err = wn_p2_put_own(guest, ret, &wn_p2_rt_input_stream, in);
  if (!err) err = wn_p2_socket_share(guest, socket, WN_RES_OUTPUT_STREAM, WN_RIGHT_FD_WRITE, &out);
  return err ? err : wn_p2_put_own(guest, ret + 4, &wn_p2_rt_output_stream, out);
}

static wn_err_t get(wn_guest_t *guest, const wn_res_t *self, uint32_t option, uint32_t bytes, uint32_t ret) {
  return wn_p2_socket_get(guest, self, TCP, option, bytes, ret);
}

static wn_err_t set(wn_guest_t *guest, const wn_res_t *self, uint32_t option, uint64_t value) {
  return wn_inet_option_set(guest->sys, self->fd, TCP, option, value);
}

/* Bind it to an address of this machine.
 * POSIX: bind(2), with SO_REUSEADDR for a port of one's own choice.
 * Errnos: INVAL, another family, not unicast, or IPv4 in the clothes of IPv6; ACCES, no rule of
 * the policy allows it; ISCONN, the socket is past that state; ALREADY, another operation is under way;
 * ADDRINUSE; ADDRNOTAVAIL.
 * Spec: wasi:sockets/tcp, tcp-socket.start-bind. */
wn_err_t wn_p2_sockets_tcp_socket_start_bind(wn_guest_t *guest, wn_res_t *self, wn_res_t *network,
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
  return wn_tcp_bind_start(guest->sys, self->fd, &addr);
}

/* Tell that it is bound: it always is.
 * POSIX: none.
 * Errnos: SRCH, no bind is under way.
 * Spec: wasi:sockets/tcp, tcp-socket.finish-bind. */
wn_err_t wn_p2_sockets_tcp_socket_finish_bind(wn_guest_t *guest, wn_res_t *self) {
  return wn_tcp_bind_finish(guest->sys, self->fd);
}

/* Begin to connect.
 * POSIX: connect(2) with O_NONBLOCK.
 * Errnos: INVAL, as of bind, or no address or port that one can talk to; ACCES, no rule of the
 * policy allows it; ISCONN, the socket is past that state; ALREADY, another operation is under way;
 * else as connect(2), and the socket is closed for good.
 * Spec: wasi:sockets/tcp, tcp-socket.start-connect. */
wn_err_t wn_p2_sockets_tcp_socket_start_connect(wn_guest_t *guest, wn_res_t *self, wn_res_t *network,
                                                uint32_t remote_address, uint32_t remote_address_1,
                                                uint32_t remote_address_2, uint32_t remote_address_3,
                                                uint32_t remote_address_4, uint32_t remote_address_5,
                                                uint32_t remote_address_6, uint32_t remote_address_7,
                                                uint32_t remote_address_8, uint32_t remote_address_9,
                                                uint32_t remote_address_10, uint32_t remote_address_11) {
  const wn_p2_flat_address_t flat = {{remote_address_1, remote_address_2, remote_address_3, remote_address_4,
                                      remote_address_5, remote_address_6, remote_address_7, remote_address_8,
                                      remote_address_9, remote_address_10, remote_address_11}};
  wn_addr_t addr = wn_p2_flat_address(remote_address, &flat);
  (void)network;
  wn_err_t err = wn_tcp_connect_start(guest->sys, self->fd, &addr);
  if (!err) self->waits = WN_RES_WRITABLE;
  return err;
}

/* Give the two streams of the connection, once it is there.
 * POSIX: getsockopt(2) of SO_ERROR.
 * Errnos: AGAIN, not yet; SRCH, no connect is under way; MFILE, no room for the streams, and the
 * connection waits; else as connect(2).
 * Spec: wasi:sockets/tcp, tcp-socket.finish-connect. */
wn_err_t wn_p2_sockets_tcp_socket_finish_connect(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_err_t err = wn_p2_socket_room(guest, 2);
  if (!err) err = wn_tcp_connect_finish(guest->sys, self->fd);
  if (err != WN_EAGAIN && err != WN_EMFILE) self->waits = WN_RES_READY;
  return err ? err : put_streams(guest, self, ret);
}

/* Begin to listen on the address that it is bound to.
 * POSIX: listen(2).
 * Errnos: ACCES, no rule of the policy allows it; ISCONN, it is not bound or past that state;
 * ALREADY; ADDRINUSE.
 * Spec: wasi:sockets/tcp, tcp-socket.start-listen. */
wn_err_t wn_p2_sockets_tcp_socket_start_listen(wn_guest_t *guest, wn_res_t *self) {
  return wn_tcp_listen_start(guest->sys, self->fd);
}

/* Tell that it listens: it always does.
 * POSIX: none.
 * Errnos: SRCH, no listen is under way.
 * Spec: wasi:sockets/tcp, tcp-socket.finish-listen. */
wn_err_t wn_p2_sockets_tcp_socket_finish_listen(wn_guest_t *guest, wn_res_t *self) {
  wn_err_t err = wn_tcp_listen_finish(guest->sys, self->fd);
  if (!err) self->waits = WN_RES_READABLE;
  return err;
}

/* Take a connection that is waiting, with its two streams. One whose peer no rule lets in is closed unseen.
 * POSIX: accept4(2).
 * Errnos: AGAIN, none is waiting; NOTCONN, it does not listen; CONNABORTED; MFILE, no room for
 * three more descriptors or a socket.
 * Spec: wasi:sockets/tcp, tcp-socket.accept. */
wn_err_t wn_p2_sockets_tcp_socket_accept(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_res_t *made;
  uint32_t fd = 0;
  wn_err_t err = wn_p2_socket_room(guest, 3);
  if (!err) err = wn_tcp_accept(guest->sys, self->fd, &fd);
  if (!err) err = wn_p2_socket_new(guest, WN_RES_TCP_SOCKET, fd, &made);
  if (!err) err = wn_p2_put_own(guest, ret, &wn_p2_rt_tcp_socket, made);
  return err ? err : put_streams(guest, made, ret + 4);
}

/* Give the address that it is bound to.
 * POSIX: getsockname(2).
 * Errnos: NOTCONN, it is not bound.
 * Spec: wasi:sockets/tcp, tcp-socket.local-address. */
wn_err_t wn_p2_sockets_tcp_socket_local_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return wn_p2_socket_local(guest, self, TCP, ret);
}

/* Give the address that it is connected to.
 * POSIX: getpeername(2).
 * Errnos: NOTCONN.
 * Spec: wasi:sockets/tcp, tcp-socket.remote-address. */
wn_err_t wn_p2_sockets_tcp_socket_remote_address(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return wn_p2_socket_remote(guest, self, TCP, ret);
}

/* Say whether it listens.
 * POSIX: getsockopt(2) of SO_ACCEPTCONN.
 * Errnos: none.
 * Spec: wasi:sockets/tcp, tcp-socket.is-listening. */
wn_err_t wn_p2_sockets_tcp_socket_is_listening(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  bool listens = false;
  wn_err_t err = wn_tcp_listening(guest->sys, self->fd, &listens);
  *result = listens;
  return err > 0 ? WN_INVALID : err;
}

/* Say of which family it is.
 * POSIX: getsockopt(2) of SO_DOMAIN.
 * Errnos: none.
 * Spec: wasi:sockets/tcp, tcp-socket.address-family. */
wn_err_t wn_p2_sockets_tcp_socket_address_family(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return wn_p2_socket_family(guest, self, TCP, result);
}

/* Set how many connections may wait, at most 4096.
 * POSIX: listen(2).
 * Errnos: INVAL, 0; ISCONN, it is connected or will be.
 * Spec: wasi:sockets/tcp, tcp-socket.set-listen-backlog-size. */
wn_err_t wn_p2_sockets_tcp_socket_set_listen_backlog_size(wn_guest_t *guest, wn_res_t *self, uint64_t value) {
  return wn_tcp_backlog(guest->sys, self->fd, value);
}

/* Tell whether a silent connection is asked for a sign of life.
 * POSIX: getsockopt(2) of SO_KEEPALIVE.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.keep-alive-enabled. */
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_enabled(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_KEEPALIVE, 1, ret);
}

/* Set whether a silent connection is asked for a sign of life.
 * POSIX: setsockopt(2) of SO_KEEPALIVE.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.set-keep-alive-enabled. */
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_enabled(wn_guest_t *guest, wn_res_t *self, uint32_t value) {
  return set(guest, self, WN_SO_KEEPALIVE, value);
}

/* Tell after how much silence it is asked, in ns.
 * POSIX: getsockopt(2) of TCP_KEEPIDLE.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.keep-alive-idle-time. */
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_idle_time(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_KEEPIDLE, 8, ret);
}

/* Set after how much silence it is asked, in ns; what is too large is made to fit.
 * POSIX: setsockopt(2) of TCP_KEEPIDLE.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.set-keep-alive-idle-time. */
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_idle_time(wn_guest_t *guest, wn_res_t *self, uint64_t value) {
  return set(guest, self, WN_SO_KEEPIDLE, value);
}

/* Tell the time between two questions, in ns.
 * POSIX: getsockopt(2) of TCP_KEEPINTVL.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.keep-alive-interval. */
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_interval(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_KEEPINTVL, 8, ret);
}

/* Set the time between two questions, in ns; what is too large is made to fit.
 * POSIX: setsockopt(2) of TCP_KEEPINTVL.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.set-keep-alive-interval. */
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_interval(wn_guest_t *guest, wn_res_t *self, uint64_t value) {
  return set(guest, self, WN_SO_KEEPINTVL, value);
}

/* Tell how many questions stay without an answer before it is given up.
 * POSIX: getsockopt(2) of TCP_KEEPCNT.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.keep-alive-count. */
wn_err_t wn_p2_sockets_tcp_socket_keep_alive_count(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_KEEPCNT, 4, ret);
}

/* Set how many questions stay without an answer before it is given up; what is too large is made to fit.
 * POSIX: setsockopt(2) of TCP_KEEPCNT.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.set-keep-alive-count. */
wn_err_t wn_p2_sockets_tcp_socket_set_keep_alive_count(wn_guest_t *guest, wn_res_t *self, uint32_t value) {
  return set(guest, self, WN_SO_KEEPCNT, value);
}

/* Tell how many hops a packet may take.
 * POSIX: getsockopt(2) of IP_TTL or IPV6_UNICAST_HOPS.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.hop-limit. */
wn_err_t wn_p2_sockets_tcp_socket_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_HOPS4, 1, ret);
}

/* Set how many hops a packet may take; what is too large is made to fit.
 * POSIX: setsockopt(2) of IP_TTL or IPV6_UNICAST_HOPS.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.set-hop-limit. */
wn_err_t wn_p2_sockets_tcp_socket_set_hop_limit(wn_guest_t *guest, wn_res_t *self, uint32_t value) {
  return set(guest, self, WN_SO_HOPS4, value);
}

/* Tell the bytes that the kernel keeps for a reader.
 * POSIX: getsockopt(2) of SO_RCVBUF.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.receive-buffer-size. */
wn_err_t wn_p2_sockets_tcp_socket_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_RCVBUF, 8, ret);
}

/* Set the bytes that the kernel keeps for a reader; what is too large is made to fit.
 * POSIX: setsockopt(2) of SO_RCVBUF.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.set-receive-buffer-size. */
wn_err_t wn_p2_sockets_tcp_socket_set_receive_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value) {
  return set(guest, self, WN_SO_RCVBUF, value);
}

/* Tell the bytes that the kernel keeps of a writer.
 * POSIX: getsockopt(2) of SO_SNDBUF.
 * Errnos: NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.send-buffer-size. */
wn_err_t wn_p2_sockets_tcp_socket_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  return get(guest, self, WN_SO_SNDBUF, 8, ret);
}

/* Set the bytes that the kernel keeps of a writer; what is too large is made to fit.
 * POSIX: setsockopt(2) of SO_SNDBUF.
 * Errnos: INVAL, 0; NOTCONN, it is closed.
 * Spec: wasi:sockets/tcp, tcp-socket.set-send-buffer-size. */
wn_err_t wn_p2_sockets_tcp_socket_set_send_buffer_size(wn_guest_t *guest, wn_res_t *self, uint64_t value) {
  return set(guest, self, WN_SO_SNDBUF, value);
}

/* Make something that is ready when the operation under way is done, or a connection is waiting.
 * POSIX: poll(2).
 * Errnos: none.
 * Spec: wasi:sockets/tcp, tcp-socket.subscribe. */
wn_err_t wn_p2_sockets_tcp_socket_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return wn_p2_socket_subscribe(guest, self, result);
}

/* End one direction or both; what was not read yet is gone.
 * POSIX: shutdown(2).
 * Errnos: NOTCONN.
 * Spec: wasi:sockets/tcp, tcp-socket.shutdown. */
wn_err_t wn_p2_sockets_tcp_socket_shutdown(wn_guest_t *guest, wn_res_t *self, uint32_t shutdown_type) {
  static const uint32_t how[] = {[WN_P2_SOCKETS_SHUTDOWN_TYPE_RECEIVE] = WN_SHUT_READ,
                                 [WN_P2_SOCKETS_SHUTDOWN_TYPE_SEND] = WN_SHUT_WRITE,
                                 [WN_P2_SOCKETS_SHUTDOWN_TYPE_BOTH] = WN_SHUT_READ | WN_SHUT_WRITE};
  return wn_tcp_shutdown(guest->sys, self->fd, how[shutdown_type]);
}

/* Make a socket, which may do nothing yet.
 * POSIX: socket(2).
 * Errnos: AFNOSUPPORT; MFILE, limits.sockets or limits.fds; NFILE; NOMEM.
 * Spec: wasi:sockets/tcp-create-socket, create-tcp-socket. */
wn_err_t wn_p2_sockets_create_tcp_socket(wn_guest_t *guest, uint32_t address_family, uint32_t ret) {
  wn_res_t *made;
  uint32_t fd = 0;
  wn_err_t err = wn_tcp_create(guest->sys, wn_p2_family(address_family), &fd);
  if (!err) err = wn_p2_socket_new(guest, WN_RES_TCP_SOCKET, fd, &made);
  return err ? err : wn_p2_put_own(guest, ret, &wn_p2_rt_tcp_socket, made);
}

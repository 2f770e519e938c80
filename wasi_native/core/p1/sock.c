/* sock.c - sockets that the embedder has granted. */
#include "core/p1/codec.h"

enum { RIFLAGS_ALL = WN_MSG_PEEK | WN_MSG_WAITALL };
enum { ROFLAG_DATA_TRUNCATED = 1 };
enum { SDFLAGS_ALL = WN_SHUT_READ | WN_SHUT_WRITE };

/* Take the next connection of a listener, and write its descriptor.
 * POSIX: accept(2); flags are those of the new descriptor.
 * Errnos: AGAIN, nobody is there and the listener is non-blocking; BADF, not open; CONNABORTED; INVAL, unknown bits,
 *   or not a listener; MFILE, the guest's limit; NOTCAPABLE; NOTSOCK.
 * Spec: wasi_snapshot_preview1, sock_accept. */
wn_err_t wn_p1_sock_accept(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t opened_fd) {
  uint8_t *out;
  uint32_t opened = 0;
  wn_err_t err = wn_p1_out32(guest, opened_fd, &out);
  if (err) return err;
  if (flags & ~(uint32_t)WN_FD_ALL) return WN_EINVAL;
  err = wn_sock_accept(guest->sys, fd, (uint16_t)flags, &opened);
  if (err) return err;
  wn_store32(out, opened);
  return 0;
}

/* Receive bytes or a message.
 * POSIX: recvmsg(2).
 * Errnos: AGAIN, nothing there and the descriptor is non-blocking; BADF, not open; CONNRESET; INVAL, unknown bits, or
 *   too many pieces; NOTCAPABLE; NOTCONN; NOTSOCK.
 * Spec: wasi_snapshot_preview1, sock_recv. */
wn_err_t wn_p1_sock_recv(wn_guest_t *guest, uint32_t fd, uint32_t ri_data, uint32_t ri_data_len, uint32_t ri_flags,
                         uint32_t ro_datalen, uint32_t ro_flags) {
  wn_iov_t iov[WN_IOVS_MAX];
  uint32_t n = 0;
  uint8_t *len_out, *flags_out;
  uint64_t done = 0;
  bool truncated = false;
  wn_err_t err = wn_p1_out32(guest, ro_datalen, &len_out);
  if (!err) err = wn_p1_out16(guest, ro_flags, &flags_out);
  if (!err) err = wn_p1_iovs(guest, ri_data, ri_data_len, iov, &n);
  if (err) return err;
  if (ri_flags & ~(uint32_t)RIFLAGS_ALL) return WN_EINVAL;
  err = wn_sock_recv(guest->sys, fd, iov, n, ri_flags, &done, &truncated);
  if (err) return err;
  wn_store32(len_out, (uint32_t)done);
  wn_store16(flags_out, truncated ? ROFLAG_DATA_TRUNCATED : 0);
  return 0;
}

/* Send bytes or a message. A peer that has gone is an errno, never a signal.
 * POSIX: sendmsg(2) with MSG_NOSIGNAL.
 * Errnos: AGAIN, no room now and the descriptor is non-blocking; BADF, not open; CONNRESET; INVAL, any flag, or too
 *   many pieces; MSGSIZE; NOTCAPABLE; NOTCONN; NOTSOCK; PIPE, shut down.
 * Spec: wasi_snapshot_preview1, sock_send. */
wn_err_t wn_p1_sock_send(wn_guest_t *guest, uint32_t fd, uint32_t si_data, uint32_t si_data_len, uint32_t si_flags,
                         uint32_t so_datalen) {
  wn_iov_t iov[WN_IOVS_MAX];
  uint32_t n = 0;
  uint8_t *out;
  uint64_t done = 0;
  wn_err_t err = wn_p1_out32(guest, so_datalen, &out);
  if (!err) err = wn_p1_iovs(guest, si_data, si_data_len, iov, &n);
  if (err) return err;
  if (si_flags) return WN_EINVAL;
  err = wn_sock_send(guest->sys, fd, iov, n, &done);
  if (err) return err;
  wn_store32(out, (uint32_t)done);
  return 0;
}

/* End one or both directions of a connection.
 * POSIX: shutdown(2).
 * Errnos: BADF, not open; INVAL, no direction, or unknown bits; NOTCAPABLE; NOTCONN; NOTSOCK.
 * Spec: wasi_snapshot_preview1, sock_shutdown. */
wn_err_t wn_p1_sock_shutdown(wn_guest_t *guest, uint32_t fd, uint32_t how) {
  if (!how || how & ~(uint32_t)SDFLAGS_ALL) return WN_EINVAL;
  return wn_sock_shutdown(guest->sys, fd, how);
}

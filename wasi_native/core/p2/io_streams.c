/* io_streams.c - wasi:io/streams: files, pipes, terminals, sockets and what the embedder put in their place.
 *
 * A read goes through a buffer of ours and then into memory that the guest gives for just so many bytes: a list that
 * is shorter than what was asked of realloc could never be given back, and one of no bytes would be lost whole. */
#include "core/p2/codec.h"

#define FLUSHED 4096u /* bytes of one blocking-write-and-flush */

/* Bytes of one read: the directories' buffer serves, which then has no directory in it. */
static uint8_t *scratch(wn_sys_t *sys) {
  sys->dirbuf.owner = NULL;
  return sys->dirbuf.bytes;
}

static wn_err_t read(wn_guest_t *guest, wn_res_t *self, uint64_t len, bool wait, uint32_t ret) {
  uint8_t *bytes = scratch(guest->sys);
  size_t done = 0, most = len < WN_DIRBUF_SIZE ? (size_t)len : WN_DIRBUF_SIZE;
  wn_err_t err = wn_stream_read(guest->sys, self, bytes, most, wait, &done);
  return err ? err : wn_p2_put_bytes(guest, ret, bytes, done);
}

static wn_err_t skip(wn_guest_t *guest, wn_res_t *self, uint64_t len, bool wait, uint32_t ret) {
  size_t done = 0, most = len < WN_DIRBUF_SIZE ? (size_t)len : WN_DIRBUF_SIZE;
  wn_err_t err = wn_stream_read(guest->sys, self, scratch(guest->sys), most, wait, &done);
  return err ? err : wn_p2_put64(guest, ret, done);
}

static wn_err_t subscribe(wn_guest_t *guest, const wn_res_t *self, uint32_t *result) {
  wn_res_t *pollable;
  wn_err_t err = wn_res_subscribe(guest->sys, self, &pollable);
  return err ? err : wn_p2_own(guest, &wn_p2_rt_pollable, pollable, result);
}

/* Read what is there, at most 32 KiB.
 * POSIX: read(2) with O_NONBLOCK.
 * Errnos: PIPE, closed; else as fd_read, and the stream is closed then.
 * Spec: wasi:io/streams, input-stream.read. */
wn_err_t wn_p2_io_input_stream_read(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret) {
  return read(guest, self, len, false, ret);
}

/* Wait for at least one byte, and read what is there, at most 32 KiB.
 * POSIX: read(2).
 * Errnos: as read.
 * Spec: wasi:io/streams, input-stream.blocking-read. */
wn_err_t wn_p2_io_input_stream_blocking_read(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret) {
  return read(guest, self, len, true, ret);
}

/* Read and forget what is there, at most 32 KiB, and give how much it was.
 * POSIX: read(2) with O_NONBLOCK.
 * Errnos: as read.
 * Spec: wasi:io/streams, input-stream.skip. */
wn_err_t wn_p2_io_input_stream_skip(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret) {
  return skip(guest, self, len, false, ret);
}

/* The same after waiting for at least one byte.
 * POSIX: read(2).
 * Errnos: as read.
 * Spec: wasi:io/streams, input-stream.blocking-skip. */
wn_err_t wn_p2_io_input_stream_blocking_skip(wn_guest_t *guest, wn_res_t *self, uint64_t len, uint32_t ret) {
  return skip(guest, self, len, true, ret);
}

/* Make something that is ready when there is something to read, or the stream is closed or gone.
 * POSIX: poll(2) for POLLIN.
 * Errnos: none.
 * Spec: wasi:io/streams, input-stream.subscribe. */
wn_err_t wn_p2_io_input_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return subscribe(guest, self, result);
}

/* Give how many bytes may be written next: 0 when a pipe or socket is full, 4096 when the kernel says that it is not,
 * 1 MiB where nothing has to be waited for.
 * POSIX: poll(2) for POLLOUT.
 * Errnos: PIPE, closed.
 * Spec: wasi:io/streams, output-stream.check-write. */
wn_err_t wn_p2_io_output_stream_check_write(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  uint64_t permit = 0;
  wn_err_t err = wn_stream_check(guest->sys, self, &permit);
  return err ? err : wn_p2_put64(guest, ret, permit);
}

/* Take `len` bytes off what was permitted; more is a trap, also of a stream that is closed. */
static wn_err_t permitted(wn_guest_t *guest, wn_res_t *self, uint64_t len) {
  if (len > self->u.stream.permit) return wn_guest_trap(guest, "write of more than check-write permitted");
  self->u.stream.permit -= len;
  return 0;
}

/* Write all of it, which check-write has permitted.
 * POSIX: write(2).
 * Errnos: PIPE, closed; else as fd_write, and the stream is closed then.
 * Spec: wasi:io/streams, output-stream.write. */
wn_err_t wn_p2_io_output_stream_write(wn_guest_t *guest, wn_res_t *self, uint32_t contents, uint32_t contents_len) {
  uint8_t *bytes;
  wn_err_t err = wn_p2_get_list(guest, contents, contents_len, 1, 1, &bytes);
  if (!err) err = permitted(guest, self, contents_len);
  return err ? err : wn_stream_write(guest->sys, self, bytes, contents_len);
}

/* Write all of it, at most 4096 bytes, and wait where that must be.
 * POSIX: write(2).
 * Errnos: as write.
 * Spec: wasi:io/streams, output-stream.blocking-write-and-flush. */
wn_err_t wn_p2_io_output_stream_blocking_write_and_flush(wn_guest_t *guest, wn_res_t *self, uint32_t contents,
                                                         uint32_t contents_len) {
  uint8_t *bytes;
  wn_err_t err = wn_p2_get_list(guest, contents, contents_len, 1, 1, &bytes);
  if (!err && contents_len > FLUSHED) err = wn_guest_trap(guest, "write of more than 4096 bytes");
  return err ? err : wn_stream_write(guest->sys, self, bytes, contents_len);
}

/* Nothing is kept back that a flush could write.
 * POSIX: fflush(3).
 * Errnos: PIPE, closed.
 * Spec: wasi:io/streams, output-stream.flush. */
wn_err_t wn_p2_io_output_stream_flush(wn_guest_t *guest, wn_res_t *self) {
  (void)guest;
  return self->u.stream.closed ? WN_EPIPE : 0;
}

/* Wait until it can be written to again.
 * POSIX: fflush(3), then poll(2).
 * Errnos: PIPE, closed.
 * Spec: wasi:io/streams, output-stream.blocking-flush. */
wn_err_t wn_p2_io_output_stream_blocking_flush(wn_guest_t *guest, wn_res_t *self) {
  if (self->u.stream.closed) return WN_EPIPE;
  return wn_stream_wait(guest->sys, self);
}

/* Make something that is ready when something can be written, or the stream is closed or gone.
 * POSIX: poll(2) for POLLOUT.
 * Errnos: none.
 * Spec: wasi:io/streams, output-stream.subscribe. */
wn_err_t wn_p2_io_output_stream_subscribe(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  return subscribe(guest, self, result);
}

static wn_err_t zeroes(wn_guest_t *guest, wn_res_t *self, uint64_t len) {
  static const uint8_t none[FLUSHED];
  wn_err_t err = self->u.stream.closed ? WN_EPIPE : 0;
  while (len && !err) {
    size_t piece = len < sizeof none ? (size_t)len : sizeof none;
    err = wn_stream_write(guest->sys, self, none, piece);
    len -= piece;
    if (!err && len) err = wn_wait_check(guest->sys);
  }
  return err;
}

/* Write as many zeroes, which check-write has permitted.
 * POSIX: write(2).
 * Errnos: as write.
 * Spec: wasi:io/streams, output-stream.write-zeroes. */
wn_err_t wn_p2_io_output_stream_write_zeroes(wn_guest_t *guest, wn_res_t *self, uint64_t len) {
  wn_err_t err = permitted(guest, self, len);
  return err ? err : zeroes(guest, self, len);
}

/* Write as many zeroes, at most 4096, and wait where that must be.
 * POSIX: write(2).
 * Errnos: as write.
 * Spec: wasi:io/streams, output-stream.blocking-write-zeroes-and-flush. */
wn_err_t wn_p2_io_output_stream_blocking_write_zeroes_and_flush(wn_guest_t *guest, wn_res_t *self, uint64_t len) {
  if (len > FLUSHED) return wn_guest_trap(guest, "write of more than 4096 bytes");
  return zeroes(guest, self, len);
}

/* check-write, read, write; and how much it was. What was read and cannot be written is lost, as the text has it. */
static wn_err_t splice(wn_guest_t *guest, wn_res_t *self, wn_res_t *src, uint64_t len, bool wait, uint32_t ret) {
  wn_sys_t *sys = guest->sys;
  uint8_t *bytes = scratch(sys);
  uint64_t permit = 0;
  size_t done = 0;
  wn_err_t err = wait ? wn_stream_wait(sys, self) : 0;
  if (!err) err = wn_stream_check(sys, self, &permit);
  if (len > permit) len = permit;
  if (len > WN_DIRBUF_SIZE) len = WN_DIRBUF_SIZE;
  if (!err) err = wn_stream_read(sys, src, bytes, (size_t)len, wait, &done);
  if (!err) err = permitted(guest, self, done);
  if (!err) err = wn_stream_write(sys, self, bytes, done);
  return err ? err : wn_p2_put64(guest, ret, done);
}

/* Move what is there from a stream to this one, as far as it can be written now, and give how much it was.
 * POSIX: splice(2) with SPLICE_F_NONBLOCK.
 * Errnos: PIPE, one of them is closed; else as read and write.
 * Spec: wasi:io/streams, output-stream.splice. */
wn_err_t wn_p2_io_output_stream_splice(wn_guest_t *guest, wn_res_t *self, wn_res_t *src, uint64_t len, uint32_t ret) {
  return splice(guest, self, src, len, false, ret);
}

/* The same after waiting for both.
 * POSIX: splice(2).
 * Errnos: as splice.
 * Spec: wasi:io/streams, output-stream.blocking-splice. */
wn_err_t wn_p2_io_output_stream_blocking_splice(wn_guest_t *guest, wn_res_t *self, wn_res_t *src, uint64_t len,
                                                uint32_t ret) {
  return splice(guest, self, src, len, true, ret);
}

/* ops.h - the kinds of objects that file.c, pipe.c, stdio.c and sock.c have, and pieces of a gather or scatter. */
#ifndef WN_CORE_OPS_H
#define WN_CORE_OPS_H

#include "core/sys/sys.h"

extern const wn_obj_ops_t wn_ops_file;   /* a regular file of the host, or a block device */
extern const wn_obj_ops_t wn_ops_pipe;   /* a pipe, FIFO, tty or character device of the host */
extern const wn_obj_ops_t wn_ops_socket; /* connected */
extern const wn_obj_ops_t wn_ops_listener;

#define WN_WINDOW_MAX 32u   /* pieces of a window */
#define WN_PIPE_PIECE 4096u /* PIPE_BUF of Linux: what a poll promises room for */

/* Bytes of a list. Each length fits 32 bits and there are at most WN_IOVS_MAX: no overflow. */
static inline uint64_t wn_iov_total(const wn_iov_t *iov, uint32_t n) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < n; i++) total += iov[i].len;
  return total;
}

/* The part of a list that starts `skip` bytes in, at most `max` bytes (> 0) and WN_WINDOW_MAX pieces of it. The
 * number of pieces; 0 at the end of the list. */
uint32_t wn_iov_window(const wn_iov_t *iov, uint32_t n, uint64_t skip, uint64_t max, wn_iov_t *out);

#endif

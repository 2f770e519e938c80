/* pipe.c - a write to a pipe whose reader may be gone, without the signal that the kernel has for it. */
#include "core/os/posix/posix.h"

#include <signal.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

/* Kernels before 6.18: SIGPIPE goes to the writing thread, so it is blocked there, taken off the thread if this
 * write raised it, and the mask put back. The disposition, which belongs to the whole process, stays as it is. */
static wn_err_t write_masked(int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  sigset_t pipe_only, before, pending;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  int r = pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  if (r) return wn_posix_err(r);
  bool was_blocked = sigismember(&before, SIGPIPE) == 1;
  bool was_pending = was_blocked && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
  wn_err_t err = wn_posix_writev(NULL, fd, iov, n, done);
  if (err == WN_EPIPE && !was_pending) {
    const struct timespec now = {0};
    while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR) continue;
  }
  if (!was_blocked) pthread_sigmask(SIG_SETMASK, &before, NULL);
  return err;
}

wn_err_t wn_posix_write_pipe(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)os;
#ifdef SYS_pwritev2
  /* Offset -1 means the stream's own; both halves are -1 on every width of long. */
  long r = syscall(SYS_pwritev2, fd, iov, (unsigned long)n, -1L, -1L, RWF_NOSIGNAL);
  if (r >= 0) return wn_posix_done(r, done);
  if (errno == EPIPE || errno == EAGAIN || errno == EINTR) return wn_posix_err(errno);
#endif
  return write_masked(fd, iov, n, done);
}

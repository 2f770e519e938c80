/* sock.c - sockets: never blocking by MSG_DONTWAIT, never SIGPIPE by MSG_NOSIGNAL. */
#include "core/os/posix/posix.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

wn_err_t wn_posix_accept(const wn_os_t *os, int fd, int *out) {
  (void)os;
  /* accept has no flag against blocking and the listener's own flag is the host's: look first where it blocks. */
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return wn_posix_err(errno);
  if (!(flags & O_NONBLOCK)) {
    struct pollfd look = {.fd = fd, .events = POLLIN};
    const struct timespec now = {0};
    int r = ppoll(&look, 1, &now, NULL);
    if (r < 0) return wn_posix_err(errno);
    if (r == 0) return WN_EAGAIN;
  }
  return wn_posix_opened(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), out);
}

static struct msghdr message(const wn_iov_t *iov, uint32_t n) {
  struct msghdr m = {0};
  m.msg_iov = (struct iovec *)(uintptr_t)iov; /* never written through */
  m.msg_iovlen = (__typeof__(m.msg_iovlen))n; /* int or size_t, as the C library likes */
  return m;
}

wn_err_t wn_posix_recv(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint32_t flags, uint64_t *done,
                       bool *truncated) {
  (void)os;
  int f = MSG_DONTWAIT | (flags & WN_MSG_PEEK ? MSG_PEEK : 0);
  if (n == 1 && !truncated) return wn_posix_done(recv(fd, iov->ptr, iov->len, f), done);
  struct msghdr m = message(iov, n);
  wn_err_t err = wn_posix_done(recvmsg(fd, &m, f), done);
  if (!err && truncated) *truncated = (m.msg_flags & MSG_TRUNC) != 0;
  return err;
}

wn_err_t wn_posix_send(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)os;
  int f = MSG_DONTWAIT | MSG_NOSIGNAL;
  if (n == 1) return wn_posix_done(send(fd, iov->ptr, iov->len, f), done);
  struct msghdr m = message(iov, n);
  return wn_posix_done(sendmsg(fd, &m, f), done);
}

wn_err_t wn_posix_shutdown(const wn_os_t *os, int fd, uint32_t how) {
  (void)os;
  switch (how) {
    case WN_SHUT_READ:
      return wn_posix_result(shutdown(fd, SHUT_RD));
    case WN_SHUT_WRITE:
      return wn_posix_result(shutdown(fd, SHUT_WR));
    case WN_SHUT_READ | WN_SHUT_WRITE:
      return wn_posix_result(shutdown(fd, SHUT_RDWR));
    default:
      return WN_EINVAL;
  }
}

wn_err_t wn_posix_available(const wn_os_t *os, int fd, uint64_t *bytes) {
  (void)os;
  int n = 0;
  if (ioctl(fd, FIONREAD, &n) < 0) return wn_posix_err(errno);
  *bytes = n > 0 ? (uint64_t)n : 0;
  return 0;
}

wn_err_t wn_posix_socket_type(const wn_os_t *os, int fd, uint8_t *type) {
  (void)os;
  int kind = 0;
  socklen_t len = sizeof kind;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &len) < 0) return wn_posix_err(errno);
  *type = kind == SOCK_STREAM ? WN_TYPE_SOCKET_STREAM : WN_TYPE_SOCKET_DGRAM;
  return 0;
}

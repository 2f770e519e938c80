/* wait.c - poll with an absolute deadline, and the event that wakes it. */
#include "core/os/posix/call.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>

/* The same bytes: entries are turned from ours into the kernel's and back in place, so no call needs memory. */
_Static_assert(sizeof(wn_pollfd_t) == sizeof(struct pollfd), "one entry of poll");

#define WAIT_MAX_S 1000000000 /* 31 years: fits every time_t */

static void to_kernel(wn_pollfd_t *fds, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    struct pollfd p = {.fd = fds[i].fd};
    if (fds[i].events & WN_POLL_IN) p.events |= POLLIN;
    if (fds[i].events & WN_POLL_OUT) p.events |= POLLOUT;
    memcpy(&fds[i], &p, sizeof p);
  }
}

static void to_ours(wn_pollfd_t *fds, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    struct pollfd p;
    memcpy(&p, &fds[i], sizeof p);
    wn_pollfd_t o = {.fd = p.fd};
    if (p.events & POLLIN) o.events |= WN_POLL_IN;
    if (p.events & POLLOUT) o.events |= WN_POLL_OUT;
    if (p.revents & POLLIN) o.revents |= WN_POLL_IN;
    if (p.revents & POLLOUT) o.revents |= WN_POLL_OUT;
    if (p.revents & POLLHUP) o.revents |= WN_POLL_HUP;
    if (p.revents & POLLERR) o.revents |= WN_POLL_ERR;
    if (p.revents & POLLNVAL) o.revents |= WN_POLL_NVAL;
    fds[i] = o;
  }
}

wn_err_t wn_posix_poll(const wn_os_t *os, wn_pollfd_t *fds, uint32_t n, uint64_t deadline, uint32_t *ready) {
  struct timespec left = {0}, *timeout = NULL;
  if (deadline != WN_WAIT_FOREVER) {
    timeout = &left;
    uint64_t now = 0;
    wn_err_t err = deadline ? wn_posix_clock_get(os, WN_CLOCK_MONOTONIC, &now) : 0;
    if (err) return err;
    if (deadline > now) {
      /* Exact to the nanosecond; the kernel rounds its timers up, so a wait never ends early. */
      uint64_t sec = (deadline - now) / NS_PER_S;
      left.tv_sec = (time_t)(sec < WAIT_MAX_S ? sec : WAIT_MAX_S);
      left.tv_nsec = (long)((deadline - now) % NS_PER_S);
    }
  }
  to_kernel(fds, n);
  int r = ppoll((struct pollfd *)(void *)fds, n, timeout, NULL);
  int host = errno;
  to_ours(fds, n);
  if (r < 0) return wn_posix_err(host);
  *ready = (uint32_t)r;
  return 0;
}

wn_err_t wn_posix_event_open(const wn_os_t *os, int *fd) {
  (void)os;
  return wn_posix_opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd);
}

wn_err_t wn_posix_event_signal(const wn_os_t *os, int fd) {
  (void)os;
  int kept = errno; /* a signal handler must leave it as it was */
  const uint64_t one = 1;
  ssize_t r;
  do r = write(fd, &one, sizeof one);
  while (r < 0 && errno == EINTR);
  wn_err_t err = r < 0 && errno != EAGAIN ? wn_posix_err(errno) : 0; /* EAGAIN: it is signalled already */
  errno = kept;
  return err;
}

wn_err_t wn_posix_yield(const wn_os_t *os) {
  (void)os;
  return kernel_result(kernel_yield());
}

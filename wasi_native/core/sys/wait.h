/* wait.h - the only place of the core that blocks, and the only one that knows when a guest must stop. */
#ifndef WN_CORE_WAIT_H
#define WN_CORE_WAIT_H

#include "core/sys/obj.h"

typedef struct wn_wait {
  int event;          /* eventfd: wakes a blocked guest */
  uint32_t cancelled; /* atomic, sticky */
  uint64_t deadline;  /* absolute, monotonic, ns; 0: none. Guest's thread only */
  wn_interrupt_fn_t interrupt;
  void *interrupt_ctx;
} wn_wait_t;

wn_err_t wn_wait_init(wn_sys_t *sys);
void wn_wait_deinit(wn_sys_t *sys);

/* Cancelled or past the deadline? WN_CANCELLED, WN_TIMEOUT or 0. No kernel call but the vDSO's clock, and that
 * only where there is a deadline. */
wn_err_t wn_wait_check(wn_sys_t *sys);

/* Run the embedder's interrupt function, if there is one: < 0 to stop. */
wn_err_t wn_wait_interrupt(wn_sys_t *sys);

/* Until one of fds is ready, `until` (absolute, monotonic, ns; WN_WAIT_FOREVER) has come, or the guest must stop:
 * < 0. *ready is the number of entries of fds with revents; 0 when the time has come. A signal calls the
 * embedder's interrupt function and goes on; one that came between two waits is seen within 50 ms. fds has room for n
 * + 1 entries: the last is ours. */
wn_err_t wn_wait(wn_sys_t *sys, wn_pollfd_t *fds, uint32_t n, uint64_t until, uint32_t *ready);

/* Wait for one host descriptor. */
wn_err_t wn_wait_fd(wn_sys_t *sys, int fd, uint16_t events);

#endif

/* wait.c - blocking, and the reasons to stop. */
#include "core/sys/wait.h"

#include "core/sys/state.h"

/* A signal that comes just before the kernel is asked to wait interrupts nothing: look for it this often. */
#define SIGNAL_SLICE 50000000u

wn_err_t wn_wait_init(wn_sys_t *sys) {
  sys->wait = (wn_wait_t){.event = -1};
  return sys->os->event_open(sys->os, &sys->wait.event);
}

void wn_wait_deinit(wn_sys_t *sys) {
  if (sys->wait.event >= 0) sys->os->close(sys->os, sys->wait.event);
  sys->wait.event = -1;
}

wn_err_t wn_wait_check(wn_sys_t *sys) {
  const wn_wait_t *w = &sys->wait;
  if (WN_UNLIKELY(__atomic_load_n(&w->cancelled, __ATOMIC_ACQUIRE))) return WN_CANCELLED;
  if (WN_LIKELY(!w->deadline)) return 0;
  uint64_t now = 0;
  wn_err_t err = sys->os->clock_get(sys->os, WN_CLOCK_MONOTONIC, &now);
  if (err) return err;
  return now >= w->deadline ? WN_TIMEOUT : 0;
}

wn_err_t wn_wait_interrupt(wn_sys_t *sys) {
  if (!sys->wait.interrupt) return 0;
  sys->callbacks++;
  wn_err_t err = sys->wait.interrupt(sys->wait.interrupt_ctx);
  sys->callbacks--;
  return err;
}

/* The end of one wait of the kernel: `until`, or sooner where somebody must look for signals. */
static wn_err_t slice(wn_sys_t *sys, uint64_t until, uint64_t *end) {
  *end = until;
  if (!sys->wait.interrupt || until == 0) return 0;
  uint64_t now = 0;
  wn_err_t err = sys->os->clock_get(sys->os, WN_CLOCK_MONOTONIC, &now);
  if (!err && until > now + SIGNAL_SLICE) *end = now + SIGNAL_SLICE;
  return err;
}

wn_err_t wn_wait(wn_sys_t *sys, wn_pollfd_t *fds, uint32_t n, uint64_t until, uint32_t *ready) {
  wn_wait_t *w = &sys->wait;
  for (;;) {
    wn_err_t err = wn_wait_check(sys);
    if (err) return err;
    bool ours = w->deadline && w->deadline < until; /* the guest's deadline comes before the time that was asked */
    uint32_t k = 0;
    uint64_t last = ours ? w->deadline : until, end;
    if ((err = slice(sys, last, &end))) return err;
    fds[n] = (wn_pollfd_t){.fd = w->event, .events = WN_POLL_IN};
    for (uint32_t i = 0; i < n; i++) fds[i].revents = 0;
    err = sys->os->poll(sys->os, fds, n + 1, end, &k);
    if (err == WN_EINTR || (!err && k == 0 && end != last)) {
      if ((err = wn_wait_interrupt(sys)) < 0) return err;
      continue;
    }
    if (err) return err;
    if (fds[n].revents) {
      k--;
      /* Signalled only with the flag set, so the check says it. An event that somebody closed can wake nobody any
       * more: an error, where another round would spin. */
      if ((err = wn_wait_check(sys))) return err;
      if (fds[n].revents & (WN_POLL_NVAL | WN_POLL_ERR)) return WN_EIO;
    }
    if (k || !ours) {
      *ready = k;
      return 0;
    }
  }
}

wn_err_t wn_wait_fd(wn_sys_t *sys, int fd, uint16_t events) {
  wn_pollfd_t fds[2] = {{.fd = fd, .events = events}};
  uint32_t ready = 0;
  wn_err_t err = wn_wait(sys, fds, 1, WN_WAIT_FOREVER, &ready);
  if (err) return err;
  return fds[0].revents & WN_POLL_NVAL ? WN_EBADF : 0;
}

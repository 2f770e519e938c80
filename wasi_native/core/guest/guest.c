/* guest.c - a running module between two calls: CPU accounting and the wish for ticks. */
#include "core/guest/guest.h"

#include "core/sys/sys.h"

void wn_guest_enter(wn_guest_t *guest) {
  wn_sys_t *sys = guest->sys;
  uint64_t now = 0;
  if (sys->entered++) return; /* a sibling's call inside ours */
  if (sys->os->clock_get(sys->os, WN_CLOCK_THREAD_CPU, &now) == 0) sys->cpu_start = now ? now : 1;
}

void wn_guest_leave(wn_guest_t *guest) {
  wn_sys_t *sys = guest->sys;
  uint64_t now = 0;
  if (--sys->entered) return;
  if (sys->cpu_start && sys->os->clock_get(sys->os, WN_CLOCK_THREAD_CPU, &now) == 0 && now > sys->cpu_start)
    sys->cpu_used += now - sys->cpu_start;
  sys->cpu_start = 0;
}

bool wn_guest_inside(const wn_guest_t *guest) { return guest->sys->entered != 0; }

bool wn_guest_wants_ticks(const wn_guest_t *guest) {
  const wn_sys_t *sys = guest->sys;
  return sys->wait.deadline || sys->limits.cpu_ns || sys->wait.interrupt;
}

bool wn_guest_has_deadline(const wn_guest_t *guest) { return guest->sys->wait.deadline || guest->sys->limits.cpu_ns; }

bool wn_guest_may_call(const wn_guest_t *guest) { return guest->sys->callbacks == 0; }

void wn_guest_cancel(wn_guest_t *guest) { wn_sys_cancel(guest->sys); }

wn_instance_t *wn_guest_running(const wn_guest_t *guest) {
  return __atomic_load_n(&guest->sys->running, __ATOMIC_SEQ_CST);
}

/* Whoever cancels sets the flag, then looks who runs: here it is the other way round, so that one of both sees it. */
wn_err_t wn_guest_run(wn_guest_t *guest, wn_instance_t *who) {
  __atomic_store_n(&guest->sys->running, who, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return who && wn_guest_cancelled(guest) ? wn_guest_end(guest, WN_CANCELLED) : 0;
}

bool wn_guest_cancelled(const wn_guest_t *guest) {
  return __atomic_load_n(&guest->sys->wait.cancelled, __ATOMIC_SEQ_CST) != 0;
}

const wn_limits_t *wn_guest_limits(const wn_guest_t *guest) { return &guest->sys->limits; }

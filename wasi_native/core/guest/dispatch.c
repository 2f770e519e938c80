/* dispatch.c - the one door of every call, and the one place where a guest ends. */
#include "core/guest/guest.h"

#include "core/sys/state.h"

/* The look at the flag is one load from a line that stays in the cache: it ends a guest that does nothing but
 * calls which fail, on an engine that cannot be interrupted too. */
wn_err_t wn_dispatch(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  if (WN_UNLIKELY(__atomic_load_n(&guest->sys->wait.cancelled, __ATOMIC_RELAXED))) {
    return wn_guest_end(guest, WN_CANCELLED);
  }
  wn_err_t err = row->fn(guest, row, slots);
  return WN_LIKELY(err == 0) ? 0 : wn_guest_end(guest, err);
}

wn_err_t wn_guest_end(wn_guest_t *guest, wn_err_t err) {
  /* A row answers 0 or a verdict; an errno here is a function of the embedder that broke its contract. */
  if (err > 0) err = WN_INVALID;
  if (guest->end.err) return err;
  guest->end.err = err;
  if (err == WN_LIMIT) guest->end.limit = guest->sys->limit_hit ? guest->sys->limit_hit : "unknown";
  return err;
}

/* CPU time of the call under way and of those before it. */
static wn_err_t check_cpu(wn_sys_t *sys) {
  if (!sys->limits.cpu_ns) return 0;
  uint64_t now = 0, used = sys->cpu_used;
  if (sys->cpu_start && !sys->os->clock_get(sys->os, WN_CLOCK_THREAD_CPU, &now) && now > sys->cpu_start) {
    used += now - sys->cpu_start;
  }
  if (used <= sys->limits.cpu_ns) return 0;
  sys->limit_hit = "cpu_time";
  return WN_LIMIT;
}

wn_err_t wn_guest_check(wn_guest_t *guest) {
  wn_sys_t *sys = guest->sys;
  wn_err_t err = wn_wait_check(sys);
  if (!err) err = check_cpu(sys);
  if (!err) err = wn_wait_interrupt(sys);
  return err ? wn_guest_end(guest, err) : 0;
}

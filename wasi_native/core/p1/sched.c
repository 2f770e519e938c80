/* sched.c - the processor. */
#include "core/p1/codec.h"

/* Let other threads of the host run. A guest that only yields still meets its deadline and its cancel.
 * POSIX: sched_yield(2).
 * Errnos: what the kernel says; Linux never fails.
 * Spec: wasi_snapshot_preview1, sched_yield. */
wn_err_t wn_p1_sched_yield(wn_guest_t *guest) {
  wn_err_t err = wn_wait_check(guest->sys);
  return err ? err : guest->sys->os->yield(guest->sys->os);
}

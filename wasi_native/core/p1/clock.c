/* clock.c - clocks. */
#include "core/p1/codec.h"

/* Write the resolution of a clock, in ns, at least 1.
 * POSIX: clock_getres(2).
 * Errnos: INVAL, no such clock.
 * Spec: wasi_snapshot_preview1, clock_res_get. */
wn_err_t wn_p1_clock_res_get(wn_guest_t *guest, uint32_t id, uint32_t resolution) {
  uint8_t *out;
  uint64_t ns = 0;
  wn_err_t err = wn_p1_out64(guest, resolution, &out);
  if (!err) err = wn_clock_resolution(guest->sys, id, &ns);
  if (err) return err;
  wn_store64(out, ns);
  return 0;
}

/* Write the time of a clock, in ns. We read it anew at each call, so any precision is met.
 * POSIX: clock_gettime(2).
 * Errnos: INVAL, no such clock.
 * Spec: wasi_snapshot_preview1, clock_time_get. */
wn_err_t wn_p1_clock_time_get(wn_guest_t *guest, uint32_t id, uint64_t precision, uint32_t time) {
  (void)precision;
  uint8_t *out;
  uint64_t ns = 0;
  wn_err_t err = wn_p1_out64(guest, time, &out);
  if (!err) err = wn_clock_time(guest->sys, id, &ns);
  if (err) return err;
  wn_store64(out, ns);
  return 0;
}

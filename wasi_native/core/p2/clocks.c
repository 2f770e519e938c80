/* clocks.c - wasi:clocks: the same clocks as preview 1 has, and pollables of the monotonic one. */
#include "core/p2/codec.h"

/* Give the time of the monotonic clock, in ns.
 * POSIX: clock_gettime(CLOCK_MONOTONIC).
 * Errnos: none.
 * Spec: wasi:clocks/monotonic-clock, now. */
wn_err_t wn_p2_clocks_monotonic_clock_now(wn_guest_t *guest, uint64_t *result) {
  return wn_clock_time(guest->sys, WN_CLOCK_MONOTONIC, result);
}

/* Give the resolution of the monotonic clock, in ns, at least 1.
 * POSIX: clock_getres(CLOCK_MONOTONIC).
 * Errnos: none.
 * Spec: wasi:clocks/monotonic-clock, resolution. */
wn_err_t wn_p2_clocks_monotonic_clock_resolution(wn_guest_t *guest, uint64_t *result) {
  return wn_clock_resolution(guest->sys, WN_CLOCK_MONOTONIC, result);
}

static wn_err_t subscribe(wn_guest_t *guest, uint64_t when, uint32_t *result) {
  wn_res_t *pollable;
  wn_err_t err = wn_res_subscribe_clock(guest->sys, when, &pollable);
  return err ? err : wn_p2_own(guest, &wn_p2_rt_pollable, pollable, result);
}

/* Make something that is ready from a moment of the monotonic clock on.
 * POSIX: timerfd_settime(2) with TFD_TIMER_ABSTIME.
 * Errnos: none.
 * Spec: wasi:clocks/monotonic-clock, subscribe-instant. */
wn_err_t wn_p2_clocks_subscribe_instant(wn_guest_t *guest, uint64_t when, uint32_t *result) {
  return subscribe(guest, when, result);
}

/* Make something that is ready when so many ns have passed. A line of numbers in the clock's place is not moved on by
 * the question.
 * POSIX: timerfd_settime(2).
 * Errnos: none.
 * Spec: wasi:clocks/monotonic-clock, subscribe-duration. */
wn_err_t wn_p2_clocks_subscribe_duration(wn_guest_t *guest, uint64_t when, uint32_t *result) {
  uint64_t now = 0;
  wn_err_t err = wn_clock_look(guest->sys, WN_CLOCK_MONOTONIC, &now);
  if (err) return err;
  return subscribe(guest, when > UINT64_MAX - now ? UINT64_MAX : now + when, result);
}

/* Give the date and time: seconds and nanoseconds since 1970.
 * POSIX: clock_gettime(CLOCK_REALTIME).
 * Errnos: none.
 * Spec: wasi:clocks/wall-clock, now. */
wn_err_t wn_p2_clocks_wall_clock_now(wn_guest_t *guest, uint32_t ret) {
  uint64_t ns = 0;
  wn_err_t err = wn_clock_time(guest->sys, WN_CLOCK_REALTIME, &ns);
  return err ? err : wn_p2_put_datetime(guest, ret, ns);
}

/* Give the resolution of that clock.
 * POSIX: clock_getres(CLOCK_REALTIME).
 * Errnos: none.
 * Spec: wasi:clocks/wall-clock, resolution. */
wn_err_t wn_p2_clocks_wall_clock_resolution(wn_guest_t *guest, uint32_t ret) {
  uint64_t ns = 0;
  wn_err_t err = wn_clock_resolution(guest->sys, WN_CLOCK_REALTIME, &ns);
  return err ? err : wn_p2_put_datetime(guest, ret, ns);
}

/* Give what a time is shown with. Where the host stands is not the guest's business: UTC.
 * POSIX: localtime(3) with TZ=UTC.
 * Errnos: none.
 * Spec: wasi:clocks/timezone, display. */
wn_err_t wn_p2_clocks_display(wn_guest_t *guest, uint64_t when_seconds, uint32_t when_nanoseconds, uint32_t ret) {
  (void)when_seconds;
  (void)when_nanoseconds;
  wn_err_t err = wn_p2_put_string(guest, ret + WN_P2_CLOCKS_TIMEZONE_DISPLAY_NAME, "UTC", 3);
  if (!err) err = wn_p2_put32(guest, ret + WN_P2_CLOCKS_TIMEZONE_DISPLAY_UTC_OFFSET, 0);
  return err ? err : wn_p2_put8(guest, ret + WN_P2_CLOCKS_TIMEZONE_DISPLAY_IN_DAYLIGHT_SAVING_TIME, 0);
}

/* Give the seconds between UTC and the time that is shown: none.
 * POSIX: tm_gmtoff of localtime(3) with TZ=UTC.
 * Errnos: none.
 * Spec: wasi:clocks/timezone, utc-offset. */
wn_err_t wn_p2_clocks_utc_offset(wn_guest_t *guest, uint64_t when_seconds, uint32_t when_nanoseconds,
                                 uint32_t *result) {
  (void)guest;
  (void)when_seconds;
  (void)when_nanoseconds;
  *result = 0;
  return 0;
}

/* clock.c - the kernel's clocks, through the vDSO; the time of day by a wide call where time_t is narrow. */
#include "core/os/posix/posix.h"

static const clockid_t ids[] = {[WN_CLOCK_REALTIME] = CLOCK_REALTIME,
                                [WN_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
                                [WN_CLOCK_PROCESS_CPU] = CLOCK_PROCESS_CPUTIME_ID,
                                [WN_CLOCK_THREAD_CPU] = CLOCK_THREAD_CPUTIME_ID};

static wn_err_t convert(int r, const struct timespec *t, uint64_t *ns) {
  if (WN_UNLIKELY(r < 0)) return wn_posix_err(errno);
  if (WN_UNLIKELY(t->tv_sec < 0)) {
    *ns = 0; /* a clock before 1970: WASI has no number for it */
    return 0;
  }
  *ns = (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
  return 0;
}

wn_err_t wn_posix_clock_get(const wn_os_t *os, uint32_t id, uint64_t *ns) {
  (void)os;
  if (id > WN_CLOCK_THREAD_CPU) return WN_EINVAL;
#ifdef SYS_clock_gettime64
  /* The other clocks count from the start of a machine or thread: 68 years of them fit a narrow time. */
  if (WN_NARROW_TIME && id == WN_CLOCK_REALTIME) {
    wn_posix_time_t wide;
    if (syscall(SYS_clock_gettime64, CLOCK_REALTIME, &wide) == 0) {
      *ns = wide.sec < 0 ? 0 : (uint64_t)wide.sec * NS_PER_S + (uint64_t)wide.nsec;
      return 0;
    }
  }
#endif
  struct timespec t;
  return convert(clock_gettime(ids[id], &t), &t, ns);
}

wn_err_t wn_posix_clock_res(const wn_os_t *os, uint32_t id, uint64_t *ns) {
  (void)os;
  if (id > WN_CLOCK_THREAD_CPU) return WN_EINVAL;
  struct timespec t;
  wn_err_t err = convert(clock_getres(ids[id], &t), &t, ns);
  if (!err && *ns == 0) *ns = 1;
  return err;
}

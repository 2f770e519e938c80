/* clock.c - the guest's four clocks: the kernel's, shifted, or a line of numbers. */
#include "core/sys/sys.h"

/* a + b, held between 0 and the largest time. */
static uint64_t shift(uint64_t a, int64_t b) {
  if (b >= 0) return (uint64_t)b > UINT64_MAX - a ? UINT64_MAX : a + (uint64_t)b;
  uint64_t back = 0 - (uint64_t)b;
  return back > a ? 0 : a - back;
}

static uint64_t add(uint64_t a, uint64_t b) { return b > UINT64_MAX - a ? UINT64_MAX : a + b; }

wn_err_t wn_clock_time(wn_sys_t *sys, uint32_t id, uint64_t *ns) {
  if (WN_UNLIKELY(id > WN_CLOCK_THREAD_CPU)) return WN_EINVAL;
  wn_clock_t *clock = &sys->clocks[id];
  if (WN_LIKELY(clock->mode == WN_CLOCK_SYSTEM)) return sys->os->clock_get(sys->os, id, ns);
  if (clock->mode == WN_CLOCK_FIXED) {
    *ns = (uint64_t)clock->value;
    uint64_t next = add(*ns, clock->step);
    clock->value = next > INT64_MAX ? INT64_MAX : (int64_t)next;
    return 0;
  }
  uint64_t now = 0;
  wn_err_t err = sys->os->clock_get(sys->os, id, &now);
  if (err) return err;
  *ns = shift(now, clock->value);
  return 0;
}

wn_err_t wn_clock_look(wn_sys_t *sys, uint32_t id, uint64_t *ns) {
  if (id > WN_CLOCK_THREAD_CPU || sys->clocks[id].mode != WN_CLOCK_FIXED) return wn_clock_time(sys, id, ns);
  *ns = (uint64_t)sys->clocks[id].value;
  return 0;
}

wn_err_t wn_clock_resolution(wn_sys_t *sys, uint32_t id, uint64_t *ns) {
  if (id > WN_CLOCK_THREAD_CPU) return WN_EINVAL;
  const wn_clock_t *clock = &sys->clocks[id];
  if (clock->mode == WN_CLOCK_FIXED) {
    *ns = clock->step ? clock->step : 1;
    return 0;
  }
  wn_err_t err = sys->os->clock_res(sys->os, id, ns);
  if (!err && *ns == 0) *ns = 1;
  return err;
}

wn_err_t wn_clock_deadline(wn_sys_t *sys, uint32_t id, uint64_t timeout, bool absolute, uint64_t *until, bool *cpu) {
  if (id > WN_CLOCK_THREAD_CPU) return WN_EINVAL;
  *cpu = false;
  *until = 0;
  if (sys->clocks[id].mode == WN_CLOCK_FIXED) return 0;
  uint64_t now = 0, left = timeout;
  wn_err_t err = 0;
  if (absolute) {
    err = wn_clock_time(sys, id, &now);
    if (err) return err;
    if (timeout <= now) return 0;
    left = timeout - now;
  }
  if (left == 0) return 0;
  if (id == WN_CLOCK_PROCESS_CPU || id == WN_CLOCK_THREAD_CPU) {
    /* Such a clock moves with the work of this thread, not with time: no moment can be named. */
    *cpu = true;
    *until = WN_WAIT_FOREVER;
    return 0;
  }
  err = sys->os->clock_get(sys->os, WN_CLOCK_MONOTONIC, &now);
  if (err) return err;
  *until = add(now, left);
  return 0;
}

void wn_clock_slept(wn_sys_t *sys, uint32_t id, uint64_t timeout, bool absolute) {
  if (id > WN_CLOCK_THREAD_CPU || sys->clocks[id].mode != WN_CLOCK_FIXED) return;
  uint64_t value = (uint64_t)sys->clocks[id].value;
  uint64_t slept = absolute ? (timeout > value ? timeout - value : 0) : timeout;
  /* Both clocks that time moves go on together; CPU time does not pass in a sleep, unless it is what was asked. */
  for (uint32_t i = 0; i <= WN_CLOCK_THREAD_CPU; i++) {
    wn_clock_t *clock = &sys->clocks[i];
    if (clock->mode != WN_CLOCK_FIXED || (i != id && (i > WN_CLOCK_MONOTONIC || id > WN_CLOCK_MONOTONIC))) continue;
    uint64_t next = add((uint64_t)clock->value, slept);
    clock->value = next > INT64_MAX ? INT64_MAX : (int64_t)next;
  }
}

/* poll.c - many waits at once: clocks of four kinds, and descriptors.
 *
 *   1. every subscription is looked at once: what is an error, always ready or past is an event already
 *   2. what a kernel must be asked about goes into one list, one entry for each descriptor however often it is named
 *   3. one wait: not at all when there is an event, else until the first clock
 *   4. answers are spread over the subscriptions; nothing fired (a clock that was moved, CPU time): again from 3 */
#include "core/sys/poll.h"

#include <string.h>

#define REALTIME_SLICE                                                                         \
  1000000000u /* an absolute realtime wait looks up this often: the clock may be set meanwhile \
               */

enum { CLOCK = 0, READ = 1, WRITE = 2 };

/* scratch: | wn_sub_t of the caller | wn_pollfd_t | one index per guest descriptor | */
typedef struct poll {
  wn_sys_t *sys;
  wn_sub_t *subs;
  wn_pollfd_t *fds;
  uint32_t *index; /* of a guest descriptor's entry in fds; valid where entry_of says so */
  uint32_t n, nfds;
  bool fired;     /* something is an event already */
  bool again;     /* a clock must be looked at again, whatever the time */
  uint64_t until; /* the first clock */
} poll_t;

static uint32_t entries(const wn_limits_t *l) { return l->subscriptions < l->fds ? l->subscriptions : l->fds; }

size_t wn_poll_scratch_size(const wn_limits_t *l) {
  return sizeof(wn_sub_t) * l->subscriptions + sizeof(wn_pollfd_t) * ((size_t)entries(l) + 1) +
         sizeof(uint32_t) * l->fds;
}

static void fire(poll_t *p, wn_sub_t *sub, wn_err_t err) {
  sub->fired = true;
  sub->err = err;
  p->fired = true;
}

static bool fixed(const poll_t *p, const wn_sub_t *sub) {
  return sub->kind == CLOCK && sub->fd <= WN_CLOCK_THREAD_CPU && p->sys->clocks[sub->fd].mode == WN_CLOCK_FIXED;
}

/* How far a fixed clock is from this subscription. */
static uint64_t fixed_left(const poll_t *p, const wn_sub_t *sub) {
  uint64_t value = (uint64_t)p->sys->clocks[sub->fd].value;
  if (!sub->absolute) return sub->timeout;
  return sub->timeout > value ? sub->timeout - value : 0;
}

/* Set the end of a clock's wait; fire what is past. */
static wn_err_t look_at_clock(poll_t *p, wn_sub_t *sub) {
  if (fixed(p, sub)) {
    if (fixed_left(p, sub) == 0) fire(p, sub, 0);
    return 0;
  }
  bool cpu;
  wn_err_t err = wn_clock_deadline(p->sys, sub->fd, sub->timeout, sub->absolute, &sub->until, &cpu);
  if (err) {
    fire(p, sub, err);
    return 0;
  }
  if (sub->until == 0) {
    fire(p, sub, 0);
    return 0;
  }
  if (cpu && !sub->absolute) {
    /* From here on it is a moment of that clock. */
    uint64_t now = 0;
    if ((err = wn_clock_time(p->sys, sub->fd, &now))) return err;
    sub->timeout = sub->timeout > UINT64_MAX - now ? UINT64_MAX : now + sub->timeout;
    sub->absolute = true;
  }
  return 0;
}

static uint64_t rights_for(uint8_t kind) { return kind == READ ? WN_RIGHT_FD_READ : WN_RIGHT_FD_WRITE; }

static wn_err_t look_at_fd(poll_t *p, wn_sub_t *sub) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&p->sys->table, sub->fd, WN_RIGHT_POLL_FD_READWRITE, &d);
  /* What can be waited for is what can be done: a listener is read by accepting. */
  bool listens = !err && sub->kind == READ && (d->rights & WN_RIGHT_SOCK_ACCEPT);
  if (!err && !listens && !(d->rights & rights_for(sub->kind))) err = WN_ENOTCAPABLE;
  if (err) {
    fire(p, sub, err);
    return 0;
  }
  wn_obj_t *obj = d->obj;
  uint16_t events = sub->kind == READ ? WN_POLL_IN : WN_POLL_OUT;
  wn_pollfd_t entry = {.fd = -1};
  if (obj->ops->poll && (err = obj->ops->poll(p->sys, obj, events, &entry))) {
    fire(p, sub, err);
    return err < 0 ? err : 0;
  }
  if (entry.fd < 0) {
    fire(p, sub, 0);
    return 0;
  }
  uint32_t at = p->index[sub->fd];
  if (at >= p->nfds || p->fds[at].fd != entry.fd) {
    at = p->nfds++;
    p->index[sub->fd] = at;
    p->fds[at] = entry;
  }
  p->fds[at].events |= entry.events;
  sub->until = entry.events; /* what the object waits for is its own affair: a connect waits for room to write */
  return 0;
}

/* The bytes that the event of a ready reader names. */
static void count_bytes(poll_t *p, wn_sub_t *sub) {
  const wn_desc_t *d = &p->sys->table.slots[sub->fd];
  sub->timeout = 0;
  if (sub->kind != READ || !d->obj->ops->available) return;
  uint64_t bytes = 0;
  if (d->obj->ops->available(p->sys, d->obj, &bytes) == 0) sub->timeout = bytes;
}

static void spread_fd(poll_t *p, wn_sub_t *sub) {
  uint16_t got = p->fds[p->index[sub->fd]].revents;
  uint16_t wanted = (uint16_t)sub->until;
  if (!(got & (wanted | WN_POLL_HUP | WN_POLL_ERR | WN_POLL_NVAL))) return;
  fire(p, sub, got & WN_POLL_NVAL ? WN_EBADF : 0);
  sub->hangup = (got & WN_POLL_HUP) != 0;
}

/* A clock whose time may have come: by the kernel's monotonic clock, and by its own where that one goes its way. */
static wn_err_t spread_clock(poll_t *p, wn_sub_t *sub, uint64_t now) {
  bool own = sub->absolute && sub->fd != WN_CLOCK_MONOTONIC;
  if (!own) {
    if (sub->until <= now) fire(p, sub, 0);
    return 0;
  }
  return look_at_clock(p, sub);
}

/* CPU time is waited for by computing, so the limit on it is looked at here too. */
static wn_err_t check_cpu_limit(wn_sys_t *sys) {
  uint64_t now = 0;
  if (!sys->limits.cpu_ns || !sys->cpu_start) return 0;
  wn_err_t err = sys->os->clock_get(sys->os, WN_CLOCK_THREAD_CPU, &now);
  if (err) return err;
  if (now - sys->cpu_start + sys->cpu_used < sys->limits.cpu_ns) return 0;
  sys->limit_hit = "cpu_time";
  return WN_LIMIT;
}

/* The first time that a pending clock names. */
static wn_err_t first_clock(poll_t *p) {
  wn_sys_t *sys = p->sys;
  p->until = WN_WAIT_FOREVER;
  p->again = false;
  for (uint32_t i = 0; i < p->n; i++) {
    const wn_sub_t *sub = &p->subs[i];
    if (sub->kind != CLOCK || sub->fired) continue;
    uint64_t until = sub->until;
    if (fixed(p, sub)) {
      until = 0;
    } else if (sub->fd == WN_CLOCK_PROCESS_CPU || sub->fd == WN_CLOCK_THREAD_CPU) {
      p->again = true;
      until = 0;
    } else if (sub->fd == WN_CLOCK_REALTIME && sub->absolute) {
      uint64_t now = 0;
      wn_err_t err = sys->os->clock_get(sys->os, WN_CLOCK_MONOTONIC, &now);
      if (err) return err;
      if (until > now + REALTIME_SLICE) until = now + REALTIME_SLICE;
    }
    if (until < p->until) p->until = until;
  }
  return p->again ? check_cpu_limit(sys) : 0;
}

/* Nothing else happened: the world of fixed clocks goes on to the first moment that was asked for. */
static void move_fixed(poll_t *p) {
  const wn_sub_t *first = NULL;
  uint64_t least = UINT64_MAX;
  for (uint32_t i = 0; i < p->n; i++) {
    const wn_sub_t *sub = &p->subs[i];
    if (!fixed(p, sub) || sub->fired || (first && fixed_left(p, sub) >= least)) continue;
    first = sub;
    least = fixed_left(p, sub);
  }
  if (!first) return;
  for (uint32_t i = 0; i < p->n; i++) {
    wn_sub_t *sub = &p->subs[i];
    if (fixed(p, sub) && !sub->fired && fixed_left(p, sub) <= least) fire(p, sub, 0);
  }
  wn_clock_slept(p->sys, first->fd, least, false);
}

static wn_err_t wait_once(poll_t *p) {
  wn_sys_t *sys = p->sys;
  uint32_t ready = 0;
  wn_err_t err = first_clock(p);
  if (err) return err;
  if (p->fired && p->nfds == 0) return wn_wait_check(sys); /* nothing to ask a kernel */
  if ((err = wn_wait(sys, p->fds, p->nfds, p->fired ? 0 : p->until, &ready))) return err;
  uint64_t now = 0;
  if ((err = sys->os->clock_get(sys->os, WN_CLOCK_MONOTONIC, &now))) return err;
  for (uint32_t i = 0; i < p->n; i++) {
    wn_sub_t *sub = &p->subs[i];
    if (sub->fired) continue;
    if (sub->kind != CLOCK) spread_fd(p, sub);
    else if (!fixed(p, sub) && (err = spread_clock(p, sub, now))) return err;
  }
  if (!p->fired) move_fixed(p);
  return 0;
}

static wn_err_t poll_all(wn_sys_t *sys, wn_sub_t *subs, uint32_t n, bool now) {
  const wn_limits_t *l = &sys->limits;
  if (n == 0 || n > l->subscriptions) return WN_EINVAL;
  char *scratch = (char *)sys->poll_scratch + sizeof(wn_sub_t) * l->subscriptions;
  poll_t p = {.sys = sys, .subs = subs, .n = n, .fds = (wn_pollfd_t *)(void *)scratch};
  p.index = (uint32_t *)(void *)(scratch + sizeof(wn_pollfd_t) * ((size_t)entries(l) + 1));
  for (uint32_t i = 0; i < n; i++) {
    wn_sub_t *sub = &subs[i];
    sub->fired = sub->hangup = false;
    sub->err = 0;
    sub->until = WN_WAIT_FOREVER;
    wn_err_t err = 0;
    if (sub->kind > WRITE) fire(&p, sub, WN_EINVAL);
    else err = sub->kind == CLOCK ? look_at_clock(&p, sub) : look_at_fd(&p, sub);
    if (err) return err;
  }
  p.fired |= now;
  do {
    wn_err_t err = wait_once(&p);
    if (err) return err;
  } while (!p.fired);
  for (uint32_t i = 0; i < n; i++)
    if (subs[i].fired && subs[i].kind != CLOCK && !subs[i].err) count_bytes(&p, &subs[i]);
  return 0;
}

wn_err_t wn_poll(wn_sys_t *sys, wn_sub_t *subs, uint32_t n) { return poll_all(sys, subs, n, false); }

wn_err_t wn_poll_now(wn_sys_t *sys, wn_sub_t *subs, uint32_t n) { return poll_all(sys, subs, n, true); }

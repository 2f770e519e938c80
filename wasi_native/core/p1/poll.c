/* poll.c - waiting for several things at once. */
#include "core/p1/codec.h"

enum { EVENT_CLOCK = 0, EVENT_FD_READ = 1, EVENT_FD_WRITE = 2 };
enum { SUBCLOCK_ABSTIME = 1 };
enum { EVENT_HANGUP = 1 };

/* Where the fields of a clock are in a subscription. */
typedef struct {
  uint32_t size, id, timeout, flags;
} layout_t;
static const layout_t snapshot_layout = {WN_P1_SUBSCRIPTION_SIZE, 16, 24, 40};
static const layout_t unstable_layout = {WN_UNSTABLE_SUBSCRIPTION_SIZE, 24, 32, 48};

/* One subscription. INVAL: unknown event type or clock flags. Each word of the guest is read once. */
static wn_err_t decode(const uint8_t *in, const layout_t *layout, wn_sub_t *sub) {
  memset(sub, 0, sizeof *sub);
  sub->userdata = wn_load64(in);
  sub->kind = in[8];
  if (sub->kind == EVENT_FD_READ || sub->kind == EVENT_FD_WRITE) {
    sub->fd = wn_load32(in + 16);
    return 0;
  }
  if (sub->kind != EVENT_CLOCK) return WN_EINVAL;
  uint16_t flags = wn_load16(in + layout->flags);
  if (flags & ~SUBCLOCK_ABSTIME) return WN_EINVAL;
  sub->fd = wn_load32(in + layout->id);
  sub->timeout = wn_load64(in + layout->timeout);
  sub->absolute = flags & SUBCLOCK_ABSTIME;
  return 0;
}

/*   [userdata 8][errno 2][type 1, 5 x 0][nbytes 8][flags 2, 6 x 0] */
static void encode(uint8_t *out, const wn_sub_t *sub) {
  bool answered = sub->kind != EVENT_CLOCK && !sub->err;
  wn_store64(out, sub->userdata);
  wn_store64(out + 8, (uint64_t)(uint16_t)sub->err | (uint64_t)sub->kind << 16);
  wn_store64(out + 16, answered ? sub->timeout : 0);
  wn_store64(out + 24, answered && sub->hangup ? EVENT_HANGUP : 0);
}

static wn_err_t poll(wn_guest_t *guest, const layout_t *layout, uint32_t in, uint32_t out, uint32_t n,
                     uint32_t nevents) {
  uint8_t *subs_in, *events, *count;
  wn_err_t err = wn_mem_array(&guest->mem, in, n, layout->size, 8, &subs_in);
  if (!err) err = wn_mem_array(&guest->mem, out, n, WN_P1_EVENT_SIZE, 8, &events);
  if (!err) err = wn_p1_out32(guest, nevents, &count);
  if (err) return err;
  wn_sub_t *subs = guest->sys->poll_scratch;
  if (n == 0 || n > guest->sys->limits.subscriptions) return WN_EINVAL;
  for (uint32_t i = 0; i < n; i++) {
    err = decode(subs_in + (size_t)i * layout->size, layout, &subs[i]);
    if (err) return err;
  }
  err = wn_poll(guest->sys, subs, n);
  if (err) return err;
  uint32_t fired = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (subs[i].fired) encode(events + (size_t)fired++ * WN_P1_EVENT_SIZE, &subs[i]);
  }
  wn_store32(count, fired);
  return 0;
}

/* Wait until at least one of the subscriptions has an event, and write the events, in the subscriptions' order.
 *
 *   in   [userdata 8][type 1, 7 x pad] a clock [id 4, 4 x pad][timeout 8][precision 8][flags 2, 6 x pad]
 *                                      or      [fd 4] and 28 bytes that nobody reads
 *   out  [userdata 8][errno 2][type 1, 5 x 0][nbytes 8][flags 2, 6 x 0]
 *
 * POSIX: ppoll(2), and clock_nanosleep(2).
 * Errnos: INVAL, no subscriptions, more than the guest's limit, or an unknown type or flag of one; in an event: BADF,
 *   not open; INVAL, no such clock; NOTCAPABLE.
 * Spec: wasi_snapshot_preview1, poll_oneoff. */
wn_err_t wn_p1_poll_oneoff(wn_guest_t *guest, uint32_t in, uint32_t out, uint32_t nsubscriptions, uint32_t nevents) {
  return poll(guest, &snapshot_layout, in, out, nsubscriptions, nevents);
}

/* The same, with 8 bytes before the id of the clock, which nobody reads.
 * POSIX: ppoll(2), and clock_nanosleep(2).
 * Errnos: as poll_oneoff.
 * Spec: wasi_unstable, poll_oneoff and type subscription_clock. */
wn_err_t wn_p1_unstable_poll_oneoff(wn_guest_t *guest, uint32_t in, uint32_t out, uint32_t nsubscriptions,
                                    uint32_t nevents) {
  return poll(guest, &unstable_layout, in, out, nsubscriptions, nevents);
}

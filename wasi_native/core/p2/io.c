/* io.c - wasi:io/error and wasi:io/poll. Streams are in io_streams.c. */
#include "core/p2/codec.h"

/* Give a text about an error, for people.
 * POSIX: strerror(3).
 * Errnos: none.
 * Spec: wasi:io/error, error.to-debug-string. */
wn_err_t wn_p2_io_error_to_debug_string(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  const char *text = wn_err_text(self->u.error.err);
  return wn_p2_put_string(guest, ret, text, strlen(text));
}

/* Say whether what it stands for has come.
 * POSIX: poll(2) with a timeout of 0.
 * Errnos: none; an error of what is waited for makes it ready.
 * Spec: wasi:io/poll, pollable.ready. */
wn_err_t wn_p2_io_pollable_ready(wn_guest_t *guest, wn_res_t *self, uint32_t *result) {
  wn_sub_t *sub = guest->sys->poll_scratch;
  if (!wn_res_wants(guest->sys, self, sub)) {
    *result = 1;
    return wn_wait_check(guest->sys);
  }
  wn_err_t err = wn_poll_now(guest->sys, sub, 1);
  *result = sub->fired;
  return err;
}

/* Wait until what it stands for has come.
 * POSIX: poll(2).
 * Errnos: none.
 * Spec: wasi:io/poll, pollable.block. */
wn_err_t wn_p2_io_pollable_block(wn_guest_t *guest, wn_res_t *self) {
  wn_sub_t *sub = guest->sys->poll_scratch;
  if (!wn_res_wants(guest->sys, self, sub)) return wn_wait_check(guest->sys);
  return wn_poll(guest->sys, sub, 1);
}

/* Ask the kernel about the pollables that are not ready by themselves. Those have no subscription; `userdata` says
 * which pollable one is of. *asked: how many subscriptions there are. */
static wn_err_t ask(wn_guest_t *guest, const uint8_t *handles, uint32_t n, uint32_t *asked) {
  wn_sub_t *subs = guest->sys->poll_scratch;
  uint32_t k = 0;
  for (uint32_t i = 0; i < n; i++) {
    wn_res_t *pollable = NULL;
    wn_err_t err = wn_p2_borrow(guest, wn_load32(handles + 4 * (size_t)i), &wn_p2_rt_pollable, &pollable);
    if (err) return err;
    if (wn_res_wants(guest->sys, pollable, &subs[k])) subs[k++].userdata = i;
  }
  *asked = k;
  if (!k) return wn_wait_check(guest->sys);
  return k < n ? wn_poll_now(guest->sys, subs, k) : wn_poll(guest->sys, subs, k);
}

/* Wait until one of them or more is ready, and list which: their places in the list, in order.
 *
 *   in   [handle 4] [handle 4] ...     aligned to 4; one may be named twice
 *
 * POSIX: poll(2).
 * Errnos: none; an empty list is a trap, more of them than limits.subscriptions ends the guest.
 * Spec: wasi:io/poll, poll. */
wn_err_t wn_p2_io_poll(wn_guest_t *guest, uint32_t in, uint32_t in_len, uint32_t ret) {
  wn_sys_t *sys = guest->sys;
  wn_sub_t *subs = sys->poll_scratch;
  uint8_t *handles, *out;
  if (!in_len) return wn_guest_trap(guest, "poll of an empty list");
  wn_err_t err = wn_p2_get_list(guest, in, in_len, 4, 4, &handles);
  if (err) return err;
  if (in_len > sys->limits.subscriptions) {
    sys->limit_hit = "subscriptions";
    return WN_LIMIT;
  }
  uint32_t asked = 0;
  if ((err = ask(guest, handles, in_len, &asked))) return err;
  uint32_t ready = in_len - asked, at = 0;
  for (uint32_t k = 0; k < asked; k++) ready += subs[k].fired;
  if ((err = wn_p2_put_list(guest, ret, ready, 4, 4, &at))) return err;
  if ((err = wn_p2_place(guest, at, 4 * ready, 4, &out))) return err;
  /* The guest's realloc may have used the scratch for a poll of preview 1: no more is written than there is room. */
  uint32_t written = 0;
  for (uint32_t i = 0, k = 0; i < in_len && written < ready; i++) {
    bool waited = k < asked && subs[k].userdata == i;
    if (!waited || subs[k].fired) wn_store32(out + 4 * (size_t)written++, i);
    k += waited;
  }
  for (; written < ready; written++) wn_store32(out + 4 * (size_t)written, 0);
  return 0;
}

/* The payload of a stream-error: PIPE is `closed`, all else an error to be asked about. */
wn_err_t wn_p2_io_stream_error(wn_guest_t *guest, wn_err_t err, uint8_t *out) {
  wn_res_t *error;
  uint32_t handle = 0;
  if (err == WN_EPIPE) {
    out[0] = WN_P2_IO_STREAM_ERROR_CLOSED;
    return 0;
  }
  wn_err_t made = wn_res_new(guest->sys, WN_RES_ERROR, &error);
  if (made) return made;
  error->u.error.err = err;
  if ((made = wn_p2_own(guest, &wn_p2_rt_error, error, &handle))) return made;
  out[0] = WN_P2_IO_STREAM_ERROR_LAST_OPERATION_FAILED;
  wn_store32(out + WN_P2_IO_STREAM_ERROR_PAYLOAD, handle);
  return 0;
}

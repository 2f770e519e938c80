/* func.c - exported functions that were looked up once: calls without a name, in the middle of other calls. */
#include "core/guest/handle.h"

wn_err_t wn_func_get(wn_instance_t *instance, wn_str_t name, wn_func_t *out) {
  return wn_instance_guest(instance)->runner->func(instance, name, NULL, NULL, out);
}

wn_err_t wn_func_get_as(wn_instance_t *instance, wn_str_t name, const char *params, const char *results,
                        wn_func_t *out) {
  return wn_instance_guest(instance)->runner->func(instance, name, params, results, out);
}

static wn_err_t call_watched(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  wn_guest_t *guest = wn_instance_guest(func->instance);
  if (!func->watched) return func->call(func, values, message);
  wn_instance_t *outer = wn_guest_running(guest);
  wn_err_t err = wn_guest_run(guest, func->instance);
  if (!err) err = func->call(func, values, message);
  wn_err_t late = wn_guest_run(guest, outer);
  return err ? err : late;
}

wn_err_t wn_func_begin(wn_instance_t *instance, bool *ticks, wn_message_t *message) {
  wn_guest_t *guest = wn_instance_guest(instance);
  *ticks = wn_guest_wants_ticks(guest);
  wn_err_t err = *ticks ? guest->runner->ticks_begin(instance, message) : 0;
  if (err) return err;
  wn_guest_enter(guest);
  err = wn_guest_check(guest); /* a cancel or a deadline before the call counts as one in it */
  if (err) wn_func_end(instance, *ticks);
  return err;
}

void wn_func_end(wn_instance_t *instance, bool ticks) {
  wn_guest_t *guest = wn_instance_guest(instance);
  wn_guest_leave(guest);
  if (ticks) guest->runner->ticks_end(instance);
}

/* The outermost call of this thread in this world. */
static wn_err_t call_first(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  bool ticks;
  wn_err_t err = wn_func_begin(func->instance, &ticks, message);
  if (err) return err;
  err = call_watched(func, values, message);
  wn_func_end(func->instance, ticks);
  return err;
}

wn_err_t wn_func_call(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  wn_guest_t *guest = wn_instance_guest(func->instance);
  if (WN_UNLIKELY(guest->end.err != 0)) return guest->end.err;
  if (!wn_guest_may_call(guest))
    return wn_message_say(message, WN_EBUSY, "a stream or signal function may not call the guest that waits for it");
  guest->depth++;
  wn_err_t err =
      WN_LIKELY(wn_guest_inside(guest)) ? call_watched(func, values, message) : call_first(func, values, message);
  guest->depth--;
  return WN_LIKELY(err == 0) || !guest->end.err ? err : guest->end.err;
}

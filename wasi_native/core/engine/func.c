/* func.c - exported functions that were looked up once: calls without a name, in the middle of other calls. */
#include "core/engine/adapter.h"
#include "core/engine/ticker.h"

#define PARAMS_MAX 32u

wn_err_t wn_func_get(wn_instance_t *instance, wn_str_t name, wn_func_t *out) {
  const wn_engine_ops_t *ops = instance->module->engine->ops;
  const char *params, *results;
  if (!instance->started) return WN_MISSING; /* its start section runs */
  wn_err_t err = ops->signature(instance, name, &params, &results);
  if (err) return err;
  if (strlen(params) > PARAMS_MAX || strlen(results) > 1) return WN_MISSING;
  wn_func_t func = {.instance = instance, .params = (uint8_t)strlen(params), .result = results[0]};
  if ((err = ops->func(instance, name, &func)) != 0) return err;
  *out = func;
  return 0;
}

/* Whoever cancels sets the flag, then looks who runs: here it is the other way round, so that one of both sees it. */
static wn_err_t run_as(wn_instance_t *instance, wn_instance_t **running, wn_instance_t *who) {
  __atomic_store_n(running, who, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return wn_guest_cancelled(&instance->guest) ? wn_guest_end(&instance->guest, WN_CANCELLED) : 0;
}

static wn_err_t call_watched(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  wn_instance_t *instance = func->instance;
  const wn_engine_ops_t *ops = instance->module->engine->ops;
  if (!ops->stop || !instance->guest.comp) return ops->call_func(func, values, message);
  wn_instance_t **running = &instance->guest.comp->tree->running;
  wn_instance_t *outer = __atomic_load_n(running, __ATOMIC_RELAXED);
  wn_err_t err = run_as(instance, running, instance);
  if (!err) err = ops->call_func(func, values, message);
  wn_err_t late = run_as(instance, running, outer);
  return err ? err : late;
}

wn_err_t wn_calls_begin(wn_instance_t *instance, bool *ticks, wn_message_t *message) {
  wn_engine_t *engine = instance->module->engine;
  *ticks = wn_guest_wants_ticks(&instance->guest);
  wn_err_t err = *ticks ? wn_ticker_begin(engine) : 0;
  if (err) return wn_message_set(message, err, "no thread for the ticker: %s", wn_err_text(err));
  wn_guest_enter(&instance->guest);
  err = wn_guest_check(&instance->guest); /* a cancel or a deadline before the call counts as one in it */
  if (err) wn_calls_end(instance, *ticks);
  return err;
}

void wn_calls_end(wn_instance_t *instance, bool ticks) {
  wn_guest_leave(&instance->guest);
  if (ticks) wn_ticker_end(instance->module->engine);
}

/* The outermost call of this thread in this world. */
static wn_err_t call_first(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  bool ticks;
  wn_err_t err = wn_calls_begin(func->instance, &ticks, message);
  if (err) return err;
  err = call_watched(func, values, message);
  wn_calls_end(func->instance, ticks);
  return err;
}

wn_err_t wn_func_call(const wn_func_t *func, wn_value_t *values, wn_message_t *message) {
  wn_instance_t *instance = func->instance;
  if (WN_UNLIKELY(instance->guest.end.err != 0)) return instance->guest.end.err;
  if (!wn_guest_may_call(&instance->guest))
    return wn_message_set(message, WN_EBUSY, "a stream or signal function may not call the guest that waits for it");
  instance->depth++;
  wn_err_t err = WN_LIKELY(wn_guest_inside(&instance->guest)) ? call_watched(func, values, message)
                                                              : call_first(func, values, message);
  instance->depth--;
  return WN_LIKELY(err == 0) || !instance->guest.end.err ? err : instance->guest.end.err;
}

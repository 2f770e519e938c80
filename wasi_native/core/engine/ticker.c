/* ticker.c - see ticker.h. The thread sleeps on a word of memory, holds no descriptor and takes no lock. */
#include "core/engine/ticker.h"

#define TICK_MS_DEFAULT 20u
#define CLOSING 0x80000000u

static void run(void *arg) {
  wn_engine_t *engine = arg;
  wn_ticker_t *t = &engine->ticker;
  const wn_os_t *os = engine->os;
  uint64_t period = (uint64_t)(engine->config.tick_ms ? engine->config.tick_ms : TICK_MS_DEFAULT) * 1000000u;
  for (;;) {
    uint32_t calls = __atomic_load_n(&t->calls, __ATOMIC_ACQUIRE);
    if (calls & CLOSING) return;
    if (calls == 0) {
      __atomic_store_n(&t->parked, 1, __ATOMIC_SEQ_CST); /* before the word is looked at: see wn_ticker_begin() */
      os->word_wait(os, &t->calls, 0, WN_WAIT_FOREVER);
      __atomic_store_n(&t->parked, 0, __ATOMIC_SEQ_CST);
      continue;
    }
    uint64_t now = 0;
    os->clock_get(os, WN_CLOCK_MONOTONIC, &now);
    uint64_t until = now + period;
    /* A changed number of calls may end a wait early: sleep on until the period is over or we must close. */
    while (now < until && !(calls & CLOSING)) {
      os->word_wait(os, &t->calls, calls, until);
      calls = __atomic_load_n(&t->calls, __ATOMIC_ACQUIRE);
      os->clock_get(os, WN_CLOCK_MONOTONIC, &now);
    }
    engine->ops->interrupt(engine);
  }
}

wn_err_t wn_ticker_begin(wn_engine_t *engine) {
  if (!engine->ops->interrupt) return 0;
  wn_ticker_t *t = &engine->ticker;
  uint32_t stopped = 0;
  if (__atomic_compare_exchange_n(&t->started, &stopped, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    wn_err_t err = engine->os->thread_start(engine->os, run, engine, &t->thread);
    if (err) {
      __atomic_store_n(&t->started, 0, __ATOMIC_RELEASE);
      return err;
    }
  }
  /* Short calls one after the other find it in the middle of a period, and need not wake it. If it parks right now,
   * either it sees that the number has changed, or we see that it is parked. */
  if (__atomic_fetch_add(&t->calls, 1, __ATOMIC_SEQ_CST) == 0 && __atomic_load_n(&t->parked, __ATOMIC_SEQ_CST))
    engine->os->word_wake(engine->os, &t->calls);
  return 0;
}

void wn_ticker_end(wn_engine_t *engine) {
  if (engine->ops->interrupt) __atomic_fetch_sub(&engine->ticker.calls, 1, __ATOMIC_ACQ_REL);
}

void wn_ticker_close(wn_engine_t *engine) {
  wn_ticker_t *t = &engine->ticker;
  if (!t->started) return;
  __atomic_fetch_or(&t->calls, CLOSING, __ATOMIC_ACQ_REL);
  engine->os->word_wake(engine->os, &t->calls);
  engine->os->thread_join(engine->os, t->thread);
  t->started = 0;
}

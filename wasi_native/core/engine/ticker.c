/* ticker.c - see ticker.h. The thread sleeps on a word of memory, holds no descriptor and takes no lock. */
#include "core/engine/ticker.h"

#define TICK_MS_DEFAULT 20u
#define CLOSING 0x80000000u

typedef struct wn_ticker {
  wn_engine_t *engine;
  wn_thread_t *thread;
  uint32_t calls; /* atomic: calls under way that need ticks; CLOSING ends the thread */
} wn_ticker_t;

static void run(void *arg) {
  wn_ticker_t *t = arg;
  const wn_os_t *os = t->engine->os;
  uint64_t period = (uint64_t)(t->engine->config.tick_ms ? t->engine->config.tick_ms : TICK_MS_DEFAULT) * 1000000u;
  for (;;) {
    uint32_t calls = __atomic_load_n(&t->calls, __ATOMIC_ACQUIRE);
    if (calls & CLOSING) return;
    if (calls == 0) {
      os->word_wait(os, &t->calls, 0, WN_WAIT_FOREVER);
      continue;
    }
    uint64_t now = 0;
    os->clock_get(os, WN_CLOCK_MONOTONIC, &now);
    uint64_t until = now + period;
    /* A change of the number of calls wakes us early: sleep on until the period is over or we must close. */
    while (now < until && !(calls & CLOSING)) {
      os->word_wait(os, &t->calls, calls, until);
      calls = __atomic_load_n(&t->calls, __ATOMIC_ACQUIRE);
      os->clock_get(os, WN_CLOCK_MONOTONIC, &now);
    }
    t->engine->ops->interrupt(t->engine);
  }
}

static wn_err_t start(wn_engine_t *engine, wn_ticker_t **out) {
  const wn_os_t *os = engine->os;
  wn_ticker_t *t = os->alloc(os, sizeof *t);
  if (!t) return WN_NOMEM;
  t->engine = engine;
  wn_ticker_t *expected = NULL;
  /* Two threads may make their first calls at once: the loser uses the winner's. */
  if (!__atomic_compare_exchange_n(&engine->ticker, &expected, t, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    os->free(os, t);
    *out = expected;
    return 0;
  }
  wn_err_t err = os->thread_start(os, run, t, &t->thread);
  if (err) {
    __atomic_store_n(&engine->ticker, NULL, __ATOMIC_RELEASE);
    os->free(os, t);
    return err;
  }
  *out = t;
  return 0;
}

wn_err_t wn_ticker_begin(wn_engine_t *engine) {
  if (!engine->ops->interrupt) return 0;
  wn_ticker_t *t = __atomic_load_n(&engine->ticker, __ATOMIC_ACQUIRE);
  if (!t) {
    wn_err_t err = start(engine, &t);
    if (err) return err;
  }
  if (__atomic_fetch_add(&t->calls, 1, __ATOMIC_ACQ_REL) == 0) engine->os->word_wake(engine->os, &t->calls);
  return 0;
}

void wn_ticker_end(wn_engine_t *engine) {
  wn_ticker_t *t = __atomic_load_n(&engine->ticker, __ATOMIC_ACQUIRE);
  if (t) __atomic_fetch_sub(&t->calls, 1, __ATOMIC_ACQ_REL);
}

void wn_ticker_close(wn_engine_t *engine) {
  wn_ticker_t *t = engine->ticker;
  if (!t) return;
  __atomic_fetch_or(&t->calls, CLOSING, __ATOMIC_ACQ_REL);
  engine->os->word_wake(engine->os, &t->calls);
  engine->os->thread_join(engine->os, t->thread);
  engine->os->free(engine->os, t);
  engine->ticker = NULL;
}

/* ticker.h - one thread per engine that makes computing guests look at the clock, while one needs it. */
#ifndef WN_CORE_TICKER_H
#define WN_CORE_TICKER_H

#include "core/engine/adapter.h"

/* A call that needs ticks begins; starts the thread the first time. An error means: no thread to be had. */
wn_err_t wn_ticker_begin(wn_engine_t *engine);
void wn_ticker_end(wn_engine_t *engine);

/* Ends and joins the thread. */
void wn_ticker_close(wn_engine_t *engine);

#endif

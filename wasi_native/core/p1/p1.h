/* p1.h - WASI 0.1 as a table of rows: wasi_snapshot_preview1, and wasi_unstable before it. */
#ifndef WN_CORE_P1_H
#define WN_CORE_P1_H

#include "core/guest/guest.h"

/* All rows of both modules, each with its own module name, in the specification's order. Any thread. */
const wn_row_t *wn_p1_rows(size_t *count);

#endif

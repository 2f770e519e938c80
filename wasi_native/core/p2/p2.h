/* p2.h - WASI 0.2 as a table of rows. One row serves every patch version: its module names the minor one alone. */
#ifndef WN_CORE_P2_H
#define WN_CORE_P2_H

#include "core/guest/guest.h"

/* All rows, in the order of p2.rows. Any thread. */
const wn_row_t *wn_p2_rows(size_t *count);

#endif

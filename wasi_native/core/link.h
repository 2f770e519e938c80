/* link.h - from (module, name) to the row that serves it. link.c is the only file that names all versions. */
#ifndef WN_CORE_LINK_H
#define WN_CORE_LINK_H

#include "core/guest/guest.h"

/* NULL when no version of WASI here has it. One row of WASI 0.2 serves each of its versions and names. */
const wn_row_t *wn_link_find(wn_str_t module, wn_str_t name);

/* Row `index` of all rows in order, NULL past the last. */
const wn_row_t *wn_link_row(size_t index);

/* Whether the module name is one that we serve at all (for "unknown function in a known module"). */
bool wn_link_knows(wn_str_t module);

/* Whether a row is of the component model (WASI 0.2 and later): needs guest->comp and guest->opts. */
static inline bool wn_link_is_canon(const wn_row_t *row) { return strchr(row->module, ':') != NULL; }

#endif

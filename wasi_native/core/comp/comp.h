/* comp.h - shared by the files of this room: what a core function of a component is made of. */
#ifndef WN_CORE_COMP_H
#define WN_CORE_COMP_H

#include "core/guest/handle.h"

#define WN_CANON_PARAMS_MAX 17u

struct wn_canon_func {
  wn_row_t row; /* what adapters see; fn: by kind */
  wn_comp_t *comp;
  bool bound;
  wn_canon_opts_t opts;
  const void *target; /* by kind: a row, a type, another function */
  wn_func_t core;
  char texts[]; /* module, name, params, results */
};

/* What the configuration says; wn_canon_opts_clear() afterwards. MISSING, INVALID, NOMEM. */
wn_err_t wn_canon_opts_set(wn_canon_opts_t *opts, const wn_canon_config_t *config);
void wn_canon_opts_clear(wn_canon_opts_t *opts);

/* The end of a call of another guest's function, as this guest's. */
wn_err_t wn_call_failed(wn_guest_t *guest, const wn_func_t *func, wn_err_t err);

#endif

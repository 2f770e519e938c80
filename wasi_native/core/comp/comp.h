/* comp.h - shared by the files of this room: what a core function of a component is made of. */
#ifndef WN_CORE_COMP_H
#define WN_CORE_COMP_H

#include "core/guest/handle.h"
#include "core/mem/canon.h"

#define WN_CANON_PARAMS_MAX 17u
#define WN_RETURNED 2u /* the status of a call that was lowered async and has returned */
#define WN_OF_LATER "%s is of WASI 0.3, which this version does not run"
#define WN_VALUES_ROOM 512u /* of a stream on the stack, before it takes a block of the arena */

/* The types of a function, and what follows from them for a call. */
typedef struct wn_types {
  const wn_plan_t *plan;
  const wn_rt_t **resources;
  wn_plan_info_t info;
  bool scalars;       /* numbers in, at most one out: they pass without a stream */
  uint8_t count;      /* of those parameters */
  uint8_t result;     /* WN_K_*, WN_K_END for none */
  uint8_t params[16]; /* WN_K_* */
} wn_types_t;

struct wn_lifted {
  wn_types_t types;
  wn_canon_opts_t opts;
  wn_func_t core, post_return;
  bool is_async, callback, waits;
  uint32_t returned; /* the number of its result's type, for task.return */
};

/* A call under way of a function that was lifted async. No task waits here: it has returned when its core function
 * has, or that is a trap. */
typedef struct wn_task {
  const wn_lifted_t *lifted;
  wn_scope_t *scope;
  wn_values_t *result; /* what task.return was given */
  /* Hands it on to the caller; NULL: the caller reads it there. `guest` answers for what goes wrong. */
  wn_err_t (*give)(struct wn_task *task, wn_guest_t *guest);
  bool fused, returned;
} wn_task_t;

struct wn_canon_func {
  wn_row_t row; /* what adapters see; fn: by kind */
  wn_comp_t *comp;
  bool bound, is_async, apart; /* apart: of the memory of the guest that calls */
  uint32_t returned;           /* of task.return: the number of the type; of context.get and .set: the index */
  wn_canon_opts_t opts;
  const void *target; /* by kind: a row, a type, another function, what was lifted */
  wn_func_t core;
  wn_types_t types;     /* of the embedder's, of task.return */
  wn_component_fn_t fn; /* likewise */
  void *ctx;
  char texts[]; /* module, name, params, results */
};

/* What the configuration says; empty on failure. MISSING, INVALID. */
wn_err_t wn_canon_opts_set(wn_canon_opts_t *opts, const wn_canon_config_t *config);

/* types.c. INVALID: the resources are not as many as the plan has; NOMEM. */
wn_err_t wn_types_set(wn_types_t *types, const wn_signature_t *signature, const wn_os_t *os);
void wn_types_clear(wn_types_t *types, const wn_os_t *os);
/* What such a number is on the other side, or the trap of a char that is none. */
wn_err_t wn_scalar_pass(wn_guest_t *guest, uint8_t kind, wn_value_t *value);

/* side.c: one side of a call, as mem/canon.h wants it. */
typedef struct wn_side {
  wn_canon_cx_t cx;
  wn_mem_t mem;
  wn_guest_t *guest; /* who answers for what goes wrong */
  const wn_canon_opts_t *opts;
  const wn_rt_t *const *resources;
  wn_scope_t *scope; /* of the call; borrowed handles that are given end with it */
} wn_side_t;
void wn_side_init(wn_side_t *side, wn_guest_t *guest, const wn_canon_opts_t *opts, const wn_types_t *types,
                  wn_scope_t *scope, bool fused);
/* The memory may have moved since. */
static inline void wn_side_refresh(wn_side_t *side) { side->mem = wn_opts_memory(side->opts); }
/* What lifting or lowering answered, as the end of the guest. */
wn_err_t wn_side_failed(wn_side_t *side, wn_err_t err);

/* call.c, host.c, task.c */
wn_err_t wn_call_lifted(wn_guest_t *guest, const wn_row_t *row, void *slots);
wn_err_t wn_call_host(wn_guest_t *guest, const wn_row_t *row, void *slots);
/* The core function of what was lifted, with values; and its post-return behind it. */
wn_err_t wn_task_call(wn_guest_t *guest, const wn_lifted_t *lifted, wn_value_t *values);
wn_err_t wn_task_finish(wn_guest_t *guest, const wn_lifted_t *lifted, wn_value_t result);
/* Likewise of one that was lifted async: trap where it does not return. */
wn_err_t wn_task_run(wn_guest_t *guest, wn_task_t *task, wn_value_t *values);
/* Before a call: a trap, where an async function would have to wait. */
wn_err_t wn_task_check(wn_guest_t *guest, const wn_lifted_t *lifted);
/* canon task.return. */
wn_err_t wn_task_return(wn_guest_t *guest, const wn_row_t *row, void *slots);

/* Of a call of the embedder that failed: what the innermost guest that ended has told, or the rule. */
void wn_comp_tell(const wn_comp_t *comp, const wn_guest_t *guest, wn_err_t err, wn_message_t *message);
/* The end of a call of another guest's function, as this guest's. */
wn_err_t wn_call_failed(wn_guest_t *guest, const wn_func_t *func, wn_err_t err);

#endif

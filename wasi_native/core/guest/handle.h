/* handle.h - one instance of a component: its handles of resources and the rules of entering and leaving it.
 *
 * A handle is a number of one component instance for a resource: an owning one, or a borrowed one that ends with the
 * call that it was given to. Numbers start at 1; the one freed last is given out first. A core module that imports
 * WASI 0.2 by name has an instance of its own.
 */
#ifndef WN_CORE_HANDLE_H
#define WN_CORE_HANDLE_H

#include "core/guest/guest.h"
#include "wasi_native/component.h"

/* A type of resource: its address is its identity. WASI's are constants; a component's are made at instantiation. */
struct wn_rt {
  const char *name; /* "descriptor" */
  /* The last owner is gone: give back what `rep` stands for. NULL: nothing to do. */
  wn_err_t (*drop)(const wn_rt_t *rt, wn_guest_t *guest, uint32_t rep);
  void *ctx;
  wn_comp_t *owner; /* who sees the rep itself in place of a borrowed handle; NULL: the host */
};

/* A call under way into a component: what was lent for it, and the borrowed handles that must be gone at its end. */
typedef struct wn_scope {
  uint32_t borrows; /* handles given to the callee for this call that it has not dropped yet */
  uint32_t lenders; /* how many of the tree's lenders there were before it */
} wn_scope_t;

typedef struct wn_handle {
  const wn_rt_t *rt; /* NULL: free */
  wn_scope_t *scope; /* of a borrowed one: the call that it ends with; NULL: owning */
  uint32_t rep;      /* free: the next free one */
  uint32_t lends;    /* calls under way that it is lent to */
} wn_handle_t;

typedef struct wn_lender {
  wn_comp_t *comp;
  uint32_t handle;
} wn_lender_t;

/* What the instances of one tree share: they run on one thread, one call inside the other. */
typedef struct wn_tree {
  uint32_t refs;
  wn_lender_t *lenders;
  uint32_t lender_count, lender_cap;
  wn_arena_t *arena; /* of the values of calls under way */
  wn_message_t trap; /* of the innermost guest that trapped, for whoever made the outermost call */
} wn_tree_t;

struct wn_comp {
  wn_sys_t *sys;     /* borrowed */
  wn_comp_t *parent; /* NULL: the root */
  wn_tree_t *tree;
  bool may_leave, may_enter; /* never true again after a trap inside */
  struct wn_task *task;      /* of core/comp: the async call under way in it; NULL: none */
  uint64_t context[2];       /* what the call under way has stored */
  uint32_t backpressure;
  wn_handle_t *slots;       /* slot 0 is no handle */
  uint32_t cap, used, free; /* used: slots ever given out; free: the first free one, 0: none */
};

/* A new handle; scope NULL: an owning one. LIMIT "handles", NOMEM: both are verdicts. */
wn_err_t wn_handle_add(wn_comp_t *comp, const wn_rt_t *rt, uint32_t rep, wn_scope_t *scope, uint32_t *handle);

/* Each of these ends `guest` with a trap for a number that is no handle, or of another type. `comp` whose handle. */
wn_err_t wn_comp_rep(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt, uint32_t *rep);
/* An owning one leaves the table; traps while it is lent. */
wn_err_t wn_comp_take(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt, uint32_t *rep);
/* Lent to the call that begins with `scope`, until wn_scope_end(). */
wn_err_t wn_comp_lend(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt, uint32_t *rep);
/* canon resource.drop, the type's own drop included. */
wn_err_t wn_comp_drop(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt);

/* The same for a row: the handles of the call under way. */
static inline wn_err_t wn_handle_rep(wn_guest_t *guest, uint32_t handle, const wn_rt_t *rt, uint32_t *rep) {
  return wn_comp_rep(guest, guest->comp, handle, rt, rep);
}
static inline wn_err_t wn_handle_take(wn_guest_t *guest, uint32_t handle, const wn_rt_t *rt, uint32_t *rep) {
  return wn_comp_take(guest, guest->comp, handle, rt, rep);
}
static inline wn_err_t wn_handle_drop(wn_guest_t *guest, uint32_t handle, const wn_rt_t *rt) {
  return wn_comp_drop(guest, guest->comp, handle, rt);
}

/* Around a call into a component: *scope lives on the stack of whoever calls. */
void wn_scope_begin(const wn_comp_t *comp, wn_scope_t *scope);
/* The callee has returned: traps when borrowed handles are left. */
wn_err_t wn_scope_check(wn_guest_t *guest, const wn_scope_t *scope);
/* What was lent since wn_scope_begin() is free again. */
void wn_scope_end(const wn_comp_t *comp, const wn_scope_t *scope);

/* Entering `comp` from `caller` (NULL: from the host): it and those of its parents that the caller is not in. Trap
 * "cannot enter component instance". */
wn_err_t wn_comp_enter(wn_guest_t *guest, wn_comp_t *comp, const wn_comp_t *caller);
void wn_comp_leave(wn_comp_t *comp, const wn_comp_t *caller);

#endif

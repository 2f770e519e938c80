/* handle.c - see handle.h. Tables grow by doubling when a handle is added: no call of a row allocates otherwise. */
#include "core/guest/handle.h"

#include "core/sys/state.h"

#define FIRST_CAP 16u

static wn_err_t limit_hit(wn_sys_t *sys, const char *name) {
  sys->limit_hit = name;
  return WN_LIMIT;
}

/* ---- instances ---- */

wn_err_t wn_comp_new(wn_sys_t *sys, wn_comp_t *parent, wn_comp_t **out) {
  const wn_os_t *os = sys->os;
  wn_comp_t *comp = os->alloc(os, sizeof *comp);
  wn_tree_t *tree = parent ? parent->tree : os->alloc(os, sizeof *tree);
  if (!comp || !tree || (!parent && wn_arena_new(os, sys->limits.value_bytes, &tree->arena))) {
    os->free(os, comp);
    if (!parent) os->free(os, tree);
    return WN_NOMEM;
  }
  tree->refs++;
  *comp = (wn_comp_t){.sys = sys, .parent = parent, .tree = tree, .may_leave = true, .may_enter = true, .used = 1};
  *out = comp;
  return 0;
}

void wn_comp_delete(wn_comp_t *comp) {
  if (!comp) return;
  const wn_os_t *os = comp->sys->os;
  if (--comp->tree->refs == 0) {
    os->free(os, comp->tree->lenders);
    wn_arena_delete(comp->tree->arena);
    os->free(os, comp->tree);
  }
  os->free(os, comp->slots);
  os->free(os, comp);
}

wn_arena_t *wn_comp_arena(wn_comp_t *comp) { return comp->tree->arena; }

/* ---- handles ---- */

static uint32_t most(const wn_sys_t *sys) {
  const uint32_t set = sys->limits.handles;
  return set == 0 ? WN_HANDLES_DEFAULT : set < WN_HANDLES_MAX ? set : WN_HANDLES_MAX;
}

/* Room for one more slot. */
static wn_err_t grow(wn_comp_t *comp) {
  const wn_os_t *os = comp->sys->os;
  const uint32_t limit = most(comp->sys);
  if (comp->used > limit) return limit_hit(comp->sys, "handles"); /* slot 0 is no handle */
  if (comp->used < comp->cap) return 0;
  const uint64_t wanted = comp->cap ? (uint64_t)comp->cap * 2 : FIRST_CAP;
  const uint32_t cap = wanted <= limit ? (uint32_t)wanted : limit + 1;
  size_t size;
  if (__builtin_mul_overflow(cap, sizeof *comp->slots, &size)) return WN_NOMEM;
  wn_handle_t *slots = os->resize(os, comp->slots, size);
  if (!slots) return WN_NOMEM;
  comp->slots = slots;
  comp->cap = cap;
  return 0;
}

wn_err_t wn_handle_add(wn_comp_t *comp, const wn_rt_t *rt, uint32_t rep, wn_scope_t *scope, uint32_t *handle) {
  uint32_t at = comp->free;
  if (at) {
    comp->free = comp->slots[at].rep;
  } else {
    wn_err_t err = grow(comp);
    if (err) return err;
    at = comp->used++;
  }
  comp->slots[at] = (wn_handle_t){.rt = rt, .scope = scope, .rep = rep};
  if (scope) scope->borrows++;
  *handle = at;
  return 0;
}

static void remove_at(wn_comp_t *comp, uint32_t at) {
  comp->slots[at] = (wn_handle_t){.rep = comp->free};
  comp->free = at;
}

static wn_err_t wrong_type(wn_guest_t *guest, uint32_t handle, const wn_rt_t *want, const wn_rt_t *have) {
  if (!want->owner)
    return wn_guest_trap_number(guest,
                                have->owner ? "handle index %u used with the wrong type, expected host-defined "
                                              "resource but found guest-defined resource"
                                            : "handle index %u used with the wrong type, expected host-defined "
                                              "resource but found a different host-defined resource",
                                handle);
  return wn_guest_trap_number(guest,
                              have->owner ? "handle index %u used with the wrong type, expected guest-defined "
                                            "resource but found a different guest-defined resource"
                                          : "handle index %u used with the wrong type, expected guest-defined "
                                            "resource but found host-defined resource",
                              handle);
}

static wn_err_t find(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt, wn_handle_t **out) {
  if (WN_UNLIKELY(handle == 0 || handle >= comp->used || !comp->slots[handle].rt))
    return wn_guest_trap_number(guest, "unknown handle index %u", handle);
  wn_handle_t *found = &comp->slots[handle];
  if (WN_UNLIKELY(found->rt != rt)) return wrong_type(guest, handle, rt, found->rt);
  *out = found;
  return 0;
}

wn_err_t wn_comp_rep(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt, uint32_t *rep) {
  wn_handle_t *found;
  wn_err_t err = find(guest, comp, handle, rt, &found);
  if (err) return err;
  *rep = found->rep;
  return 0;
}

wn_err_t wn_comp_take(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt, uint32_t *rep) {
  wn_handle_t *found;
  wn_err_t err = find(guest, comp, handle, rt, &found);
  if (err) return err;
  if (found->lends) return wn_guest_trap(guest, "cannot remove owned resource while borrowed");
  if (found->scope) return wn_guest_trap(guest, "cannot lift own resource from a borrow");
  *rep = found->rep;
  remove_at(comp, handle);
  return 0;
}

wn_err_t wn_comp_drop(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt) {
  wn_handle_t *found;
  wn_err_t err = find(guest, comp, handle, rt, &found);
  if (err) return err;
  if (found->lends) return wn_guest_trap(guest, "cannot remove owned resource while borrowed");
  wn_scope_t *scope = found->scope;
  const uint32_t rep = found->rep;
  remove_at(comp, handle);
  if (scope) {
    scope->borrows--;
    return 0;
  }
  return rt->drop ? rt->drop(rt, guest, rep) : 0;
}

/* ---- calls ---- */

static wn_err_t note_lender(wn_comp_t *comp, uint32_t handle) {
  wn_tree_t *tree = comp->tree;
  const wn_os_t *os = comp->sys->os;
  /* One handle can be lent over and over by one call: as often as there may be handles. */
  if (tree->lender_count >= most(comp->sys)) return limit_hit(comp->sys, "handles");
  if (tree->lender_count == tree->lender_cap) {
    const uint32_t cap = tree->lender_cap ? tree->lender_cap * 2 : FIRST_CAP;
    size_t size;
    if (__builtin_mul_overflow(cap, sizeof *tree->lenders, &size)) return WN_NOMEM;
    wn_lender_t *lenders = os->resize(os, tree->lenders, size);
    if (!lenders) return WN_NOMEM;
    tree->lenders = lenders;
    tree->lender_cap = cap;
  }
  tree->lenders[tree->lender_count++] = (wn_lender_t){comp, handle};
  return 0;
}

wn_err_t wn_comp_lend(wn_guest_t *guest, wn_comp_t *comp, uint32_t handle, const wn_rt_t *rt, uint32_t *rep) {
  wn_handle_t *found;
  wn_err_t err = find(guest, comp, handle, rt, &found);
  if (!err) err = note_lender(comp, handle);
  if (err) return err;
  found->lends++;
  *rep = found->rep;
  return 0;
}

void wn_scope_begin(const wn_comp_t *comp, wn_scope_t *scope) {
  *scope = (wn_scope_t){.lenders = comp->tree->lender_count};
}

wn_err_t wn_scope_check(wn_guest_t *guest, const wn_scope_t *scope) {
  return WN_LIKELY(scope->borrows == 0) ? 0
                                        : wn_guest_trap(guest, "borrow handles still remain at the end of the call");
}

void wn_scope_end(const wn_comp_t *comp, const wn_scope_t *scope) {
  wn_tree_t *tree = comp->tree;
  while (tree->lender_count > scope->lenders) {
    const wn_lender_t *lender = &tree->lenders[--tree->lender_count];
    lender->comp->slots[lender->handle].lends--;
  }
}

/* ---- entering and leaving ---- */

static bool is_in(const wn_comp_t *caller, const wn_comp_t *comp) {
  while (caller && caller != comp) caller = caller->parent;
  return caller != NULL;
}

wn_err_t wn_comp_enter(wn_guest_t *guest, wn_comp_t *comp, const wn_comp_t *caller) {
  for (const wn_comp_t *c = comp; c && !is_in(caller, c); c = c->parent) {
    if (WN_UNLIKELY(!c->may_enter)) return wn_guest_trap(guest, "cannot enter component instance");
  }
  for (wn_comp_t *c = comp; c && !is_in(caller, c); c = c->parent) c->may_enter = false;
  comp->context[0] = comp->context[1] = 0;
  return 0;
}

void wn_comp_leave(wn_comp_t *comp, const wn_comp_t *caller) {
  for (wn_comp_t *c = comp; c && !is_in(caller, c); c = c->parent) c->may_enter = true;
}

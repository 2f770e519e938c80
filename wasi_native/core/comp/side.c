/* side.c - one side of a call between a guest and what is around it: its memory, its realloc, its handles. */
#include "core/comp/comp.h"
#include "core/sys/state.h"

static wn_err_t side_realloc(wn_canon_cx_t *cx, uint32_t old, uint32_t old_size, uint32_t align, uint32_t size,
                             uint32_t *ptr) {
  wn_side_t *side = cx->ctx;
  return wn_opts_realloc(side->guest, side->opts, old, old_size, align, size, ptr, &side->mem);
}

static wn_err_t side_handle(wn_canon_cx_t *cx, wn_canon_op_t op, uint32_t resource, uint32_t in, uint32_t *out) {
  wn_side_t *side = cx->ctx;
  const wn_rt_t *rt = side->resources[resource];
  wn_comp_t *comp = side->opts->comp;
  switch (op) {
    case WN_LIFT_OWN:
      return wn_comp_take(side->guest, comp, in, rt, out);
    case WN_LIFT_BORROW:
      return wn_comp_lend(side->guest, comp, in, rt, out);
    case WN_LOWER_OWN:
      return wn_handle_add(comp, rt, in, NULL, out);
    case WN_LOWER_BORROW:
      break;
  }
  *out = in; /* who defines the type sees the representation itself */
  return rt->owner == comp ? 0 : wn_handle_add(comp, rt, in, side->scope, out);
}

void wn_side_init(wn_side_t *side, wn_guest_t *guest, const wn_canon_opts_t *opts, const wn_types_t *types,
                  wn_scope_t *scope, bool fused) {
  side->mem = wn_opts_memory(opts);
  side->guest = guest;
  side->opts = opts;
  side->resources = types->resources;
  side->scope = scope;
  side->cx = (wn_canon_cx_t){.mem = &side->mem,
                             .realloc = side_realloc,
                             .handle = side_handle,
                             .ctx = side,
                             .encoding = opts->encoding,
                             .fused = fused};
}

wn_err_t wn_side_failed(wn_side_t *side, wn_err_t err) {
  wn_guest_t *guest = side->guest;
  if (guest->end.err) return guest->end.err;
  if (err == WN_TRAP_CANON) return wn_guest_trap(guest, side->cx.reason ? side->cx.reason : wn_err_text(err));
  if (err == WN_LIMIT && side->cx.reason) guest->sys->limit_hit = side->cx.reason;
  return wn_guest_end(guest, err);
}

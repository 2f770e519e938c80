/* host.c - a component calls the embedder: parameters and result are streams. */
#include "core/comp/comp.h"
#include "core/sys/state.h"

static wn_err_t answer(const wn_canon_func_t *func, wn_guest_t *guest, wn_values_t *params, wn_values_t *result) {
  wn_err_t err = func->fn(func->ctx, func->comp, params, result);
  if (guest->end.err) return guest->end.err;                  /* by what it called, whatever it made of that */
  if (err == WN_LIMIT) guest->sys->limit_hit = "value_bytes"; /* the one that such a function meets by itself */
  return err ? wn_guest_end(guest, err < 0 ? err : WN_HOST) : 0;
}

wn_err_t wn_call_host(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  const wn_plan_t *plan = func->types.plan;
  if (WN_UNLIKELY(!func->comp->may_leave)) return wn_guest_trap(guest, "cannot leave component instance");
  uint64_t rooms[2][WN_VALUES_ROOM / 8];
  wn_values_t params, result;
  wn_scope_t scope;
  wn_side_t side;
  wn_scope_begin(func->comp, &scope);
  wn_side_init(&side, guest, &func->opts, &func->types, &scope, false);
  wn_values_init(&params, rooms[0], sizeof rooms[0], func->comp->tree->arena);
  wn_values_init(&result, rooms[1], sizeof rooms[1], func->comp->tree->arena);
  const bool is_async = func->is_async;
  const uint32_t shift = guest->slot_shift, ret = (is_async ? wn_canon_ret_async : wn_canon_ret)(plan, slots, shift);
  wn_err_t err =
      (is_async ? wn_canon_lift_params_async : wn_canon_lift_params)(&side.cx, plan, slots, shift, &params);
  if (err) err = wn_side_failed(&side, err);
  if (!err) err = answer(func, guest, &params, &result);
  if (!err) {
    wn_side_refresh(&side);
    err = is_async ? wn_canon_lower_result_async(&side.cx, plan, &result, ret)
                   : wn_canon_lower_result(&side.cx, plan, &result, slots, shift, ret);
    if (err) err = wn_side_failed(&side, err);
    else if (is_async) WN_SLOT_U64(guest, slots, 0) = WN_RETURNED;
  }
  wn_values_deinit(&params);
  wn_values_deinit(&result);
  if (!err) wn_scope_end(func->comp, &scope);
  return err;
}

/* call.c - one component calls another: what canon lower of a function that canon lift made comes to.
 *
 * The parameters are lifted from the caller into a stream and lowered from it into the callee; the result comes back
 * the same way. Numbers alone pass by themselves. No call allocates where the streams fit the stack or the arena.
 */
#include "core/comp/comp.h"

wn_err_t wn_lifted_run(wn_guest_t *guest, const wn_lifted_t *lifted, wn_value_t *values) {
  wn_err_t err = wn_func_call(&lifted->core, values, &lifted->opts.comp->tree->trap);
  return WN_LIKELY(err == 0) ? 0 : wn_call_failed(guest, &lifted->core, err);
}

wn_err_t wn_lifted_finish(wn_guest_t *guest, const wn_lifted_t *lifted, wn_value_t result) {
  if (!lifted->post_return.instance) return 0;
  wn_comp_t *comp = lifted->opts.comp;
  comp->may_leave = false;
  wn_err_t err = wn_func_call(&lifted->post_return, &result, &comp->tree->trap);
  if (err) return wn_call_failed(guest, &lifted->post_return, err);
  comp->may_leave = true;
  return 0;
}

static wn_err_t call_scalars(wn_guest_t *guest, const wn_lifted_t *lifted, void *slots) {
  const wn_types_t *types = &lifted->types;
  wn_value_t values[WN_CANON_PARAMS_MAX];
  values[0] = 0;
  wn_err_t err = 0;
  for (uint32_t i = 0; i < types->count && !err; i++) {
    values[i] = WN_SLOT_U64(guest, slots, i);
    err = wn_scalar_pass(guest, types->params[i], &values[i]);
  }
  if (!err) err = wn_lifted_run(guest, lifted, values);
  if (err) return err;
  wn_value_t result = values[0];
  if (types->result != WN_K_END) {
    if ((err = wn_scalar_pass(guest, types->result, &result)) != 0) return err;
    WN_SLOT_U64(guest, slots, 0) = result;
  }
  return wn_lifted_finish(guest, lifted, values[0]);
}

typedef struct call {
  const wn_lifted_t *lifted;
  wn_side_t caller, callee;
  wn_scope_t scope;
  wn_value_t values[WN_CANON_PARAMS_MAX];
} call_t;

static wn_err_t pass_params(call_t *call, wn_guest_t *guest, void *slots) {
  uint64_t room[WN_VALUES_ROOM / 8];
  const wn_plan_t *plan = call->lifted->types.plan;
  wn_values_t stream;
  wn_values_init(&stream, room, sizeof room, call->lifted->opts.comp->tree->arena);
  wn_err_t err = wn_canon_lift_params(&call->caller.cx, plan, slots, guest->slot_shift, &stream);
  if (err) {
    err = wn_side_failed(&call->caller, err);
  } else {
    err = wn_canon_lower_params(&call->callee.cx, plan, &stream, call->values, 0, NULL);
    if (err) err = wn_side_failed(&call->callee, err);
  }
  wn_values_deinit(&stream);
  return err;
}

static wn_err_t pass_result(call_t *call, wn_guest_t *guest, void *slots, uint32_t ret) {
  uint64_t room[WN_VALUES_ROOM / 8];
  const wn_plan_t *plan = call->lifted->types.plan;
  wn_values_t stream;
  wn_values_init(&stream, room, sizeof room, call->lifted->opts.comp->tree->arena);
  wn_side_refresh(&call->callee);
  wn_err_t err = wn_canon_lift_result(&call->callee.cx, plan, call->values, 0, &stream);
  if (err) err = wn_side_failed(&call->callee, err);
  if (!err) err = wn_scope_check(guest, &call->scope);
  if (!err) {
    wn_side_refresh(&call->caller);
    err = wn_canon_lower_result(&call->caller.cx, plan, &stream, slots, guest->slot_shift, ret);
    if (err) err = wn_side_failed(&call->caller, err);
  }
  wn_values_deinit(&stream);
  return err;
}

static wn_err_t call_values(wn_guest_t *guest, const wn_canon_func_t *func, const wn_lifted_t *lifted, void *slots) {
  call_t call;
  call.lifted = lifted;
  call.values[0] = 0;
  wn_scope_begin(func->comp, &call.scope);
  wn_side_init(&call.caller, guest, &func->opts, &lifted->types, &call.scope, true);
  wn_side_init(&call.callee, guest, &lifted->opts, &lifted->types, &call.scope, true);
  const uint32_t ret = wn_canon_ret(lifted->types.plan, slots, guest->slot_shift);
  wn_err_t err = pass_params(&call, guest, slots);
  if (!err) err = wn_lifted_run(guest, lifted, call.values);
  const wn_value_t result = call.values[0];
  if (!err) err = pass_result(&call, guest, slots, ret);
  if (!err) err = wn_lifted_finish(guest, lifted, result);
  if (!err) wn_scope_end(func->comp, &call.scope);
  return err;
}

wn_err_t wn_call_lifted(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  const wn_lifted_t *lifted = func->target;
  wn_comp_t *comp = lifted->opts.comp;
  if (WN_UNLIKELY(!func->comp->may_leave)) return wn_guest_trap(guest, "cannot leave component instance");
  wn_err_t err = wn_comp_enter(guest, comp, func->comp);
  if (err) return err;
  err = lifted->types.scalars ? call_scalars(guest, lifted, slots) : call_values(guest, func, lifted, slots);
  if (WN_LIKELY(err == 0)) wn_comp_leave(comp, func->comp);
  return err;
}

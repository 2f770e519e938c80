/* call.c - one component calls another: what canon lower of a function that canon lift made comes to.
 *
 * The parameters are lifted from the caller into a stream and lowered from it into the callee; the result comes back
 * the same way. Numbers alone pass by themselves. No call allocates where the streams fit the stack or the arena.
 */
#include "core/comp/comp.h"

static wn_err_t call_scalars(wn_guest_t *guest, const wn_lifted_t *lifted, void *slots) {
  const wn_types_t *types = &lifted->types;
  wn_value_t values[WN_CANON_PARAMS_MAX];
  values[0] = 0;
  wn_err_t err = 0;
  for (uint32_t i = 0; i < types->count && !err; i++) {
    values[i] = WN_SLOT_U64(guest, slots, i);
    err = wn_scalar_pass(guest, types->params[i], &values[i]);
  }
  if (!err) err = wn_task_call(guest, lifted, values);
  if (err) return err;
  wn_value_t result = values[0];
  if (types->result != WN_K_END) {
    if ((err = wn_scalar_pass(guest, types->result, &result)) != 0) return err;
    WN_SLOT_U64(guest, slots, 0) = result;
  }
  return wn_task_finish(guest, lifted, values[0]);
}

typedef struct call {
  wn_task_t task; /* of a function that was lifted async; the first */
  const wn_lifted_t *lifted;
  bool is_async; /* lowered so */
  wn_side_t caller, callee;
  wn_scope_t scope;
  wn_value_t values[WN_CANON_PARAMS_MAX];
  void *slots; /* the caller's */
  uint32_t ret;
} call_t;

static wn_err_t pass_params(call_t *call, wn_guest_t *guest) {
  uint64_t room[WN_VALUES_ROOM / 8];
  const wn_plan_t *plan = call->lifted->types.plan;
  wn_values_t stream;
  wn_values_init(&stream, room, sizeof room, call->lifted->opts.comp->tree->arena);
  wn_err_t err = call->is_async
                     ? wn_canon_lift_params_async(&call->caller.cx, plan, call->slots, guest->slot_shift, &stream)
                     : wn_canon_lift_params(&call->caller.cx, plan, call->slots, guest->slot_shift, &stream);
  if (err) {
    err = wn_side_failed(&call->caller, err);
  } else {
    err = wn_canon_lower_params(&call->callee.cx, plan, &stream, call->values, 0, NULL);
    if (err) err = wn_side_failed(&call->callee, err);
  }
  wn_values_deinit(&stream);
  return err;
}

static wn_err_t lower_result(call_t *call, wn_guest_t *guest, wn_values_t *stream) {
  const wn_plan_t *plan = call->lifted->types.plan;
  wn_side_t *caller = &call->caller;
  wn_side_refresh(caller);
  wn_err_t err = call->is_async
                     ? wn_canon_lower_result_async(&caller->cx, plan, stream, call->ret)
                     : wn_canon_lower_result(&caller->cx, plan, stream, call->slots, guest->slot_shift, call->ret);
  return err ? wn_side_failed(caller, err) : 0;
}

static wn_err_t pass_result(call_t *call, wn_guest_t *guest) {
  uint64_t room[WN_VALUES_ROOM / 8];
  const wn_plan_t *plan = call->lifted->types.plan;
  wn_values_t stream;
  wn_values_init(&stream, room, sizeof room, call->lifted->opts.comp->tree->arena);
  wn_side_refresh(&call->callee);
  wn_err_t err = wn_canon_lift_result(&call->callee.cx, plan, call->values, 0, &stream);
  if (err) err = wn_side_failed(&call->callee, err);
  if (!err) err = wn_scope_check(guest, &call->scope);
  if (!err) err = lower_result(call, guest, &stream);
  wn_values_deinit(&stream);
  return err;
}

/* In the middle of the callee, which ends with what goes wrong. */
static wn_err_t give_result(wn_task_t *task, wn_guest_t *guest) {
  call_t *call = (call_t *)task;
  wn_guest_t *caller = call->caller.guest;
  call->caller.guest = guest;
  wn_err_t err = lower_result(call, caller, task->result);
  call->caller.guest = caller;
  return err;
}

static wn_err_t run_task(call_t *call, wn_guest_t *guest) {
  uint64_t room[WN_VALUES_ROOM / 8];
  wn_values_t stream;
  wn_values_init(&stream, room, sizeof room, call->lifted->opts.comp->tree->arena);
  call->task = (wn_task_t){
      .lifted = call->lifted, .scope = &call->scope, .result = &stream, .give = give_result, .fused = true};
  wn_err_t err = wn_task_run(guest, &call->task, call->values);
  wn_values_deinit(&stream);
  return err;
}

static wn_err_t run_plain(call_t *call, wn_guest_t *guest) {
  wn_err_t err = wn_task_call(guest, call->lifted, call->values);
  const wn_value_t result = call->values[0];
  if (!err) err = pass_result(call, guest);
  return err ? err : wn_task_finish(guest, call->lifted, result);
}

static wn_err_t call_values(wn_guest_t *guest, const wn_canon_func_t *func, const wn_lifted_t *lifted, void *slots) {
  call_t call;
  call.lifted = lifted;
  call.is_async = func->is_async;
  call.values[0] = 0;
  wn_scope_begin(func->comp, &call.scope);
  wn_side_init(&call.caller, guest, &func->opts, &lifted->types, &call.scope, true);
  wn_side_init(&call.callee, guest, &lifted->opts, &lifted->types, &call.scope, true);
  call.slots = slots;
  call.ret = (func->is_async ? wn_canon_ret_async : wn_canon_ret)(lifted->types.plan, slots, guest->slot_shift);
  wn_err_t err = wn_task_check(guest, lifted);
  if (!err) err = pass_params(&call, guest);
  if (!err) err = lifted->is_async ? run_task(&call, guest) : run_plain(&call, guest);
  if (err) return err;
  wn_scope_end(func->comp, &call.scope);
  if (func->is_async) WN_SLOT_U64(guest, slots, 0) = WN_RETURNED;
  return 0;
}

wn_err_t wn_call_lifted(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  const wn_lifted_t *lifted = func->target;
  wn_comp_t *comp = lifted->opts.comp;
  if (WN_UNLIKELY(!func->comp->may_leave)) return wn_guest_trap(guest, "cannot leave component instance");
  wn_err_t err = wn_comp_enter(guest, comp, func->comp);
  if (err) return err;
  err = lifted->types.scalars && !lifted->waits && !func->is_async ? call_scalars(guest, lifted, slots)
                                                                   : call_values(guest, func, lifted, slots);
  if (WN_LIKELY(err == 0)) wn_comp_leave(comp, func->comp);
  return err;
}

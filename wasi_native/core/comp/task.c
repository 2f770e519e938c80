/* task.c - the core function of what was lifted: called, and, where it was lifted async, as far as nobody waits: a
 * task ends on the stack that it began on. */
#include "core/comp/comp.h"

wn_err_t wn_task_call(wn_guest_t *guest, const wn_lifted_t *lifted, wn_value_t *values) {
  wn_err_t err = wn_func_call(&lifted->core, values, &lifted->opts.comp->tree->trap);
  return WN_LIKELY(err == 0) ? 0 : wn_call_failed(guest, &lifted->core, err);
}

wn_err_t wn_task_finish(wn_guest_t *guest, const wn_lifted_t *lifted, wn_value_t result) {
  if (!lifted->post_return.instance) return 0;
  wn_comp_t *comp = lifted->opts.comp;
  comp->may_leave = false;
  wn_err_t err = wn_func_call(&lifted->post_return, &result, &comp->tree->trap);
  if (err) return wn_call_failed(guest, &lifted->post_return, err);
  comp->may_leave = true;
  return 0;
}

/* What a core function with a callback answers, in the low four bits: here it has done all it had to do. Who yields
 * may do so until another one has gone on, and that would be never. */
static wn_err_t exited(wn_guest_t *guest, uint32_t packed) {
  switch (packed & 15) {
    case 0:
      return 0;
    case 1:
      return wn_guest_trap_name(guest, WN_OF_LATER, "a task that yields");
    case 2:
      return wn_guest_trap_name(guest, WN_OF_LATER, "a task that waits");
    default:
      return wn_guest_trap_number(guest, "unsupported callback code: %u", packed & 15);
  }
}

wn_err_t wn_task_run(wn_guest_t *guest, wn_task_t *task, wn_value_t *values) {
  wn_comp_t *comp = task->lifted->opts.comp;
  comp->task = task; /* one at a time: who is in an instance is not entered again */
  wn_err_t err = wn_task_call(guest, task->lifted, values);
  if (!err && task->lifted->callback) err = exited(guest, (uint32_t)values[0]);
  comp->task = NULL;
  if (err) return err;
  return task->returned ? 0 : wn_guest_trap(guest, "async-lifted export failed to produce a result");
}

/* Where the type needs no memory, whether one is named does not matter; the same one may have two names. */
static bool same_options(const wn_canon_func_t *func, const wn_lifted_t *lifted) {
  if (func->opts.encoding != lifted->opts.encoding) return false;
  if (!func->types.info.result_pointers && !func->types.info.returned_in_memory) return true;
  const wn_mem_t one = wn_opts_memory(&func->opts), other = wn_opts_memory(&lifted->opts);
  return one.base == other.base && one.size == other.size;
}

wn_err_t wn_task_return(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  wn_task_t *task = func->comp->task;
  if (!func->comp->may_leave) return wn_guest_trap(guest, "cannot leave component instance");
  if (!task || func->returned != task->lifted->returned || !same_options(func, task->lifted))
    return wn_guest_trap(guest, "invalid `task.return` signature and/or options for current task");
  if (task->returned)
    return wn_guest_trap(guest, "`task.return` or `task.cancel` called more than once for current task");
  task->returned = true;
  wn_side_t side;
  wn_side_init(&side, guest, &func->opts, &func->types, task->scope, task->fused);
  wn_err_t err = wn_canon_lift_returned(&side.cx, func->types.plan, slots, guest->slot_shift, task->result);
  if (err) return wn_side_failed(&side, err);
  err = wn_scope_check(guest, task->scope);
  if (!err && task->give) err = task->give(task, guest);
  return err;
}

wn_err_t wn_task_check(wn_guest_t *guest, const wn_lifted_t *lifted) {
  if (WN_LIKELY(!lifted->waits || !lifted->opts.comp->backpressure)) return 0;
  return wn_guest_trap_name(guest, WN_OF_LATER, "a call that waits for the end of backpressure");
}

/* ---- built-ins ---- */

static wn_err_t task_cancel(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  (void)slots;
  if (!func->comp->may_leave) return wn_guest_trap(guest, "cannot leave component instance");
  return wn_guest_trap(guest, "`task.cancel` called by task which has not been cancelled");
}

static wn_err_t context_get(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  WN_SLOT_U64(guest, slots, 0) = func->comp->context[func->returned];
  return 0;
}

static wn_err_t context_set(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  func->comp->context[func->returned] = WN_SLOT_U64(guest, slots, 0);
  return 0;
}

static wn_err_t backpressure_inc(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  (void)slots;
  return ++func->comp->backpressure < 1u << 16 ? 0 : wn_guest_trap(guest, "backpressure counter overflow");
}

static wn_err_t backpressure_dec(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  (void)slots;
  return func->comp->backpressure-- ? 0 : wn_guest_trap(guest, "backpressure counter underflow");
}

wn_err_t wn_canon_func_bind_task(wn_canon_func_t *func, uint32_t what, uint32_t index) {
  static const struct {
    wn_err_t (*fn)(wn_guest_t *, const wn_row_t *, void *);
    char params[2], results[2];
  } kinds[] = {[WN_TASK_CANCEL] = {task_cancel, "", ""},
               [WN_CONTEXT_GET] = {context_get, "", "i"},
               [WN_CONTEXT_SET] = {context_set, "i", ""},
               [WN_BACKPRESSURE_INC] = {backpressure_inc, "", ""},
               [WN_BACKPRESSURE_DEC] = {backpressure_dec, "", ""}};
  if (what >= sizeof kinds / sizeof *kinds || index > 1 || func->bound) return WN_INVALID;
  if (strcmp(func->row.params, kinds[what].params) != 0 || strcmp(func->row.results, kinds[what].results) != 0)
    return WN_INVALID;
  func->returned = index;
  func->row.fn = kinds[what].fn;
  func->bound = func->apart = true;
  return 0;
}

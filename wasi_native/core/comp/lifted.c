/* lifted.c - functions of a component as others call them, and the embedder's calls of them. */
#include "core/comp/comp.h"
#include "core/sys/state.h"

wn_err_t wn_lifted_new(const wn_lift_config_t *config, wn_lifted_t **out) {
  if (!config->options.comp) return WN_INVALID;
  const wn_os_t *os = config->options.comp->sys->os;
  wn_lifted_t *lifted = os->alloc(os, sizeof *lifted);
  if (!lifted) return WN_NOMEM;
  wn_err_t err = wn_canon_opts_set(&lifted->opts, &config->options);
  if (err) {
    os->free(os, lifted);
    return err;
  }
  lifted->is_async = config->options.is_async;
  lifted->returned = config->returned;
  lifted->waits = config->waits;
  lifted->callback = config->callback;
  err = wn_types_set(&lifted->types, &config->signature, os);
  const wn_plan_info_t *info = &lifted->types.info;
  const char *results = !lifted->is_async ? info->lift_results : config->callback ? "i" : "";
  const bool in_memory = lifted->is_async ? info->returned_in_memory : info->result_in_memory;
  if (!err && (lifted->is_async ? config->post_return != NULL : config->callback)) err = WN_INVALID;
  if (!err) err = wn_func_get_as(config->instance, config->name, info->lift_params, results, &lifted->core);
  if (!err && config->post_return)
    err = wn_func_get_as(config->post_return, config->post_return_name, info->lift_results, "", &lifted->post_return);
  const bool pointers = info->params_in_memory || info->params_pointers;
  if (!err && pointers && !lifted->opts.realloc.instance) err = WN_INVALID;
  if (!err && (pointers || in_memory || info->result_pointers) && !lifted->opts.memory.instance) err = WN_INVALID;
  if (err) {
    wn_lifted_delete(lifted);
    return err;
  }
  *out = lifted;
  return 0;
}

void wn_lifted_delete(wn_lifted_t *lifted) {
  if (!lifted) return;
  const wn_os_t *os = lifted->opts.comp->sys->os;
  wn_types_clear(&lifted->types, os);
  os->free(os, lifted);
}

void wn_lifted_get_end(const wn_lifted_t *lifted, wn_end_t *end) {
  *end = wn_instance_guest(lifted->core.instance)->end;
}

static wn_err_t run(wn_lifted_t *lifted, wn_guest_t *guest, wn_values_t *params, wn_values_t *result) {
  const wn_plan_t *plan = lifted->types.plan;
  wn_value_t values[WN_CANON_PARAMS_MAX] = {0};
  wn_scope_t scope;
  wn_side_t side;
  wn_scope_begin(lifted->opts.comp, &scope);
  wn_side_init(&side, guest, &lifted->opts, &lifted->types, &scope, false);
  wn_err_t err = wn_canon_lower_params(&side.cx, plan, params, values, 0, NULL);
  if (err == WN_INVALID) return err; /* the embedder's own mistake */
  if (err) return wn_side_failed(&side, err);
  if (lifted->is_async) {
    wn_task_t task = {.lifted = lifted, .scope = &scope, .result = result};
    err = wn_task_run(guest, &task, values);
    if (!err) wn_scope_end(lifted->opts.comp, &scope);
    return err;
  }
  if ((err = wn_task_call(guest, lifted, values)) != 0) return err;
  const wn_value_t first = values[0];
  wn_side_refresh(&side);
  if (lifted->post_return.instance) result->lends = false; /* it may free what would be lent */
  err = wn_canon_lift_result(&side.cx, plan, values, 0, result);
  if (err) return wn_side_failed(&side, err);
  err = wn_scope_check(guest, &scope);
  if (!err) err = wn_task_finish(guest, lifted, first);
  if (!err) wn_scope_end(lifted->opts.comp, &scope);
  return err;
}

static bool may_enter(const wn_comp_t *comp) {
  for (; comp; comp = comp->parent) {
    if (!comp->may_enter) return false;
  }
  return true;
}

wn_err_t wn_lifted_call(wn_lifted_t *lifted, wn_values_t *params, wn_values_t *result, wn_message_t *message) {
  wn_guest_t *guest = wn_instance_guest(lifted->core.instance);
  wn_comp_t *comp = lifted->opts.comp;
  if (!wn_guest_may_call(guest)) return WN_EBUSY;
  if (!may_enter(comp)) {
    wn_message_verdict(message, WN_TRAP_CANON, "cannot enter component instance");
    return WN_TRAP_CANON;
  }
  wn_comp_enter(guest, comp, NULL);
  /* realloc, the function and its post-return are one call: clocks are read once. */
  bool ticks = false;
  const bool first = !guest->end.err && !wn_guest_inside(guest);
  wn_err_t err = first ? wn_func_begin(lifted->core.instance, &ticks, message) : 0;
  if (!err) {
    err = wn_task_check(guest, lifted);
    if (!err) err = run(lifted, guest, params, result);
    if (first) wn_func_end(lifted->core.instance, ticks);
  }
  if (!err || (err == WN_INVALID && !guest->end.err)) wn_comp_leave(comp, NULL);
  if (err) wn_comp_tell(comp, guest, err, message);
  return err;
}

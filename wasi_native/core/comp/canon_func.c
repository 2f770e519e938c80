/* canon_func.c - core functions that a component is given: made before what serves them is known, bound later. */
#include "core/comp/comp.h"
#include "core/link.h"
#include "core/sys/state.h"

/* ---- kinds ---- */

static wn_err_t unbound(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  (void)slots;
  if (!func->comp->may_leave) return wn_guest_trap(guest, "cannot leave component instance");
  if (!row->module[0] && row->name[0]) return wn_guest_trap_name(guest, WN_OF_LATER, row->name);
  return wn_guest_trap(guest, "a function of the component is called before it is there");
}

/* A row speaks with the memory of the options, which the adapter has not looked at, and with the guest's own where
 * they name none. What it was is forgotten behind it: nobody finds a span that is stale by then. */
static wn_err_t call_row(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  const wn_row_t *target = func->target;
  const wn_canon_opts_t *outer = guest->opts;
  wn_comp_t *outer_comp = guest->comp;
  guest->opts = &func->opts;
  guest->comp = func->comp;
  if (func->apart) guest->mem = wn_opts_memory(&func->opts);
  wn_err_t err = target->fn(guest, target, slots);
  if (func->apart) guest->mem = (wn_mem_t){NULL, 0};
  guest->comp = outer_comp;
  guest->opts = outer;
  return err;
}

static wn_err_t resource_new(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  uint32_t handle;
  if (!func->comp->may_leave) return wn_guest_trap(guest, "cannot leave component instance");
  wn_err_t err = wn_handle_add(func->comp, func->target, WN_SLOT_U32(guest, slots, 0), NULL, &handle);
  if (!err) WN_SLOT_U64(guest, slots, 0) = handle;
  return err;
}

static wn_err_t resource_rep(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  uint32_t rep;
  wn_err_t err = wn_comp_rep(guest, func->comp, WN_SLOT_U32(guest, slots, 0), func->target, &rep);
  if (!err) WN_SLOT_U64(guest, slots, 0) = rep;
  return err;
}

static wn_err_t resource_drop(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  if (!func->comp->may_leave) return wn_guest_trap(guest, "cannot leave component instance");
  return wn_comp_drop(guest, func->comp, WN_SLOT_U32(guest, slots, 0), func->target);
}

static const wn_canon_func_t *other_of(const wn_row_t *row) { return ((const wn_canon_func_t *)row->ctx)->target; }

static wn_err_t call_same(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *other = other_of(row);
  return other->row.fn(guest, &other->row, slots);
}

/* A call of another core instance of the same component, as a table's element would be called. */
static wn_err_t call_core(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_canon_func_t *func = row->ctx;
  wn_value_t values[WN_CANON_PARAMS_MAX];
  for (uint32_t i = 0; i < func->core.params; i++) values[i] = WN_SLOT_U64(guest, slots, i);
  wn_err_t err = wn_func_call(&func->core, values, &func->comp->tree->trap);
  if (err) return wn_call_failed(guest, &func->core, err);
  if (func->core.result) WN_SLOT_U64(guest, slots, 0) = values[0];
  return 0;
}

/* ---- making and binding ---- */

const wn_row_t *wn_canon_func_row(wn_canon_func_t *func) { return &func->row; }
const bool *wn_canon_func_apart(const wn_canon_func_t *func) { return &func->apart; }

const wn_canon_opts_t *wn_canon_row_opts(const wn_row_t *row) {
  if (row->fn == call_same) return wn_canon_row_opts(&other_of(row)->row);
  return row->fn == call_row ? &((const wn_canon_func_t *)row->ctx)->opts : NULL;
}

static bool letters(const char *text, size_t most) {
  return strlen(text) <= most && strspn(text, "iIfF") == strlen(text);
}

wn_err_t wn_canon_func_new(wn_comp_t *comp, const char *module, const char *name, const char *params,
                           const char *results, wn_canon_func_t **out) {
  const wn_os_t *os = comp->sys->os;
  const char *const texts[4] = {module, name, params, results};
  size_t room = 0;
  if (!letters(params, WN_CANON_PARAMS_MAX) || !letters(results, 1)) return WN_INVALID;
  for (size_t i = 0; i < 4; i++) room += strlen(texts[i]) + 1;
  wn_canon_func_t *func = os->alloc(os, sizeof *func + room);
  if (!func) return WN_NOMEM;
  char *at = func->texts;
  const char *copies[4];
  for (size_t i = 0; i < 4; i++) {
    copies[i] = memcpy(at, texts[i], strlen(texts[i]) + 1);
    at += strlen(texts[i]) + 1;
  }
  func->comp = comp;
  func->row = (wn_row_t){.module = copies[0],
                         .name = copies[1],
                         .params = copies[2],
                         .results = copies[3],
                         .param_names = "",
                         .group = "component",
                         .fn = unbound,
                         .ctx = func};
  *out = func;
  return 0;
}

void wn_canon_func_delete(wn_canon_func_t *func) {
  if (!func) return;
  const wn_os_t *os = func->comp->sys->os;
  wn_types_clear(&func->types, os);
  os->free(os, func);
}

static bool takes(const wn_canon_func_t *func, const char *params, const char *results) {
  return !func->bound && strcmp(func->row.params, params) == 0 && strcmp(func->row.results, results) == 0;
}

static wn_err_t bind(wn_canon_func_t *func, const void *target,
                     wn_err_t (*fn)(wn_guest_t *, const wn_row_t *, void *)) {
  func->target = target;
  func->row.fn = fn;
  func->bound = true;
  func->apart = fn != call_row || func->opts.memory.instance != NULL;
  return 0;
}

wn_err_t wn_canon_func_bind_row(wn_canon_func_t *func, wn_str_t module, wn_str_t name,
                                const wn_canon_config_t *config) {
  const wn_row_t *row = wn_link_find(module, name);
  if (!row) return WN_MISSING;
  if (!takes(func, row->params, row->results)) return WN_INVALID;
  wn_err_t err = wn_canon_opts_set(&func->opts, config);
  if (err) return err;
  func->row.param_names = row->param_names;
  func->row.group = row->group;
  return bind(func, row, call_row);
}

wn_err_t wn_canon_func_bind_resource(wn_canon_func_t *func, uint32_t what, const wn_rt_t *rt) {
  if (what > WN_RESOURCE_DROP || !takes(func, "i", what == WN_RESOURCE_DROP ? "" : "i")) return WN_INVALID;
  return bind(func, rt,
              what == WN_RESOURCE_NEW   ? resource_new
              : what == WN_RESOURCE_REP ? resource_rep
                                        : resource_drop);
}

wn_err_t wn_canon_func_bind_same(wn_canon_func_t *func, wn_canon_func_t *other) {
  for (const wn_canon_func_t *f = other; f; f = f->row.fn == call_same ? f->target : NULL) {
    if (f == func) return WN_INVALID; /* a circle */
  }
  if (!takes(func, other->row.params, other->row.results)) return WN_INVALID;
  bind(func, other, call_same);
  func->apart = other->apart;
  return 0;
}

wn_err_t wn_canon_func_bind_core(wn_canon_func_t *func, wn_instance_t *instance, wn_str_t name) {
  wn_func_t core;
  wn_err_t err = wn_func_get(instance, name, &core);
  if (err) return err;
  const char result[2] = {core.result, 0};
  if (core.params != strlen(func->row.params) || !takes(func, func->row.params, result)) return WN_INVALID;
  func->core = core;
  return bind(func, NULL, call_core);
}

/* Lowering with these types needs what the options give: parameters are read from memory, a result is written there.
 */
static wn_err_t lower(wn_canon_func_t *func, const wn_types_t *types, const wn_canon_config_t *config) {
  const wn_plan_info_t *info = &types->info;
  const bool is_async = config->is_async;
  if (is_async ? !takes(func, info->async_params, "i") : !takes(func, info->lower_params, info->lower_results))
    return WN_INVALID;
  wn_err_t err = wn_canon_opts_set(&func->opts, config);
  if (err) return err;
  func->is_async = is_async;
  const bool in_memory =
      is_async ? info->async_params_in_memory || info->returned[0] : info->params_in_memory || info->result_in_memory;
  const bool memory = in_memory || info->params_pointers;
  if ((memory && !func->opts.memory.instance) || (info->result_pointers && !func->opts.realloc.instance)) {
    func->opts = (wn_canon_opts_t){0};
    return WN_INVALID;
  }
  return 0;
}

wn_err_t wn_canon_func_bind_call(wn_canon_func_t *func, wn_lifted_t *lifted, const wn_canon_config_t *config) {
  if (lifted->opts.comp->tree != func->comp->tree) return WN_INVALID;
  wn_err_t err = lower(func, &lifted->types, config);
  return err ? err : bind(func, lifted, wn_call_lifted);
}

wn_err_t wn_canon_func_bind_return(wn_canon_func_t *func, const wn_signature_t *signature, uint32_t returned,
                                   const wn_canon_config_t *config) {
  const wn_os_t *os = func->comp->sys->os;
  wn_types_t types;
  if (config->comp != func->comp || config->realloc || config->is_async) return WN_INVALID;
  wn_err_t err = wn_types_set(&types, signature, os);
  const wn_plan_info_t *info = &types.info;
  if (!err && (info->lift_params[0] || !takes(func, info->returned, ""))) err = WN_INVALID;
  if (!err) err = wn_canon_opts_set(&func->opts, config);
  if (!err && (info->returned_in_memory || info->result_pointers) && !func->opts.memory.instance) err = WN_INVALID;
  if (err) {
    wn_types_clear(&types, os);
    func->opts = (wn_canon_opts_t){0};
    return err;
  }
  func->types = types;
  func->returned = returned;
  return bind(func, NULL, wn_task_return);
}

wn_err_t wn_canon_func_bind_host(wn_canon_func_t *func, const wn_signature_t *signature, wn_component_fn_t fn,
                                 void *ctx, const wn_canon_config_t *config) {
  const wn_os_t *os = func->comp->sys->os;
  wn_types_t types;
  wn_err_t err = wn_types_set(&types, signature, os);
  if (!err) err = lower(func, &types, config);
  if (err) {
    wn_types_clear(&types, os);
    return err;
  }
  func->types = types;
  func->fn = fn;
  func->ctx = ctx;
  return bind(func, NULL, wn_call_host);
}

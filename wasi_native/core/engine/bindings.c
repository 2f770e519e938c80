/* bindings.c - from the imports of a module to what serves them: rows, functions of the embedder and of a component,
 * exports of other instances; and the rows that stand in another row's place.
 */
#include "core/engine/bindings.h"

#include "core/engine/trap.h"

#define VALUES_MAX 32u

/* ---- functions of the embedder, and traces: rows in another row's place ---- */

static void values_from_slots(const wn_guest_t *guest, const void *slots, const char *letters, wn_value_t *values,
                              uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t v = *WN_SLOT(guest, slots, i);
    values[i] = letters[i] == 'i' || letters[i] == 'f' ? (uint32_t)v : v;
  }
}

static wn_err_t host_func_row(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_host_func_t *func = row->ctx;
  wn_value_t values[VALUES_MAX];
  uint32_t count = (uint32_t)strlen(row->params);
  values_from_slots(guest, slots, row->params, values, count);
  wn_err_t err = func->fn(func->ctx, guest, values);
  if (err) return err < 0 ? err : WN_HOST;
  if (guest->end.err) return guest->end.err; /* by an export that it called, whatever it made of that */
  if (row->results[0]) *WN_SLOT(guest, slots, 0) = values[0];
  return 0;
}

static wn_err_t traced_row(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_row_t *inner = row->inner;
  wn_instance_t *instance = wn_guest_instance(guest);
  const wn_os_t *os = instance->module->engine->os;
  wn_value_t values[VALUES_MAX];
  uint32_t count = (uint32_t)strlen(inner->params);
  values_from_slots(guest, slots, inner->params, values, count);
  uint64_t start = 0, end = 0;
  os->clock_get(os, WN_CLOCK_MONOTONIC, &start);
  wn_err_t err = inner->fn(guest, inner, slots);
  os->clock_get(os, WN_CLOCK_MONOTONIC, &end);
  wn_trace_call_t call = {.module = inner->module,
                          .name = inner->name,
                          .params = inner->params,
                          .results = inner->results,
                          .param_names = inner->param_names,
                          .args = values,
                          .nargs = count,
                          .err = err,
                          .nanoseconds = end - start,
                          .guest = guest};
  if (err == 0 && inner->results[0]) call.result = *WN_SLOT(guest, slots, 0);
  const wn_canon_opts_t *own = guest->opts, *spoken = wn_canon_row_opts(inner);
  if (spoken) guest->opts = spoken; /* what the trace looks at is in the memory of the call */
  instance->trace(instance->trace_ctx, &call);
  guest->opts = own;
  return err ? err : guest->end.err;
}

/* ---- linking ---- */

static bool str_is(wn_str_t s, const char *text) { return strlen(text) == s.len && memcmp(s.ptr, text, s.len) == 0; }

static const wn_host_func_t *find_func(const wn_instance_config_t *config, const wn_extern_t *want) {
  for (size_t i = 0; i < config->func_count; i++) {
    if (str_is(want->module, config->funcs[i].module) && str_is(want->name, config->funcs[i].name))
      return &config->funcs[i];
  }
  return NULL;
}

typedef struct missing {
  wn_message_t *message;
  size_t len;
  uint32_t count;
} missing_t;

static void missing_add(missing_t *m, const wn_extern_t *want, const char *reason) {
  m->count++;
  if (!m->message) return;
  /* No room for this one: the list ends with the one before. */
  if (m->len + want->module.len + want->name.len + strlen(reason) + 4 > sizeof m->message->text) return;
  const wn_str_t parts[] = {want->module, {"\t", 1}, want->name, {"\t", 1}, {reason, strlen(reason)}};
  if (m->len) m->len = wn_message_append_text(m->message, m->len, "\n");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) m->len = wn_message_append(m->message, m->len, parts[i]);
}

/* A copy of `row` that traces stands in its place. */
static const wn_row_t *decorate(wn_instance_t *instance, const wn_row_t *row) {
  if (!instance->trace) return row;
  wn_row_t *decorated = &instance->rows[instance->row_count++];
  *decorated = *row;
  decorated->fn = traced_row;
  decorated->inner = row;
  return decorated;
}

static bool link_func(wn_instance_t *instance, const wn_instance_config_t *config, const wn_extern_t *want,
                      const wn_row_t **out) {
  const wn_host_func_t *func = find_func(config, want);
  if (!func) return false;
  wn_row_t *mine = &instance->rows[instance->row_count++];
  *mine = (wn_row_t){.module = func->module,
                     .name = func->name,
                     .params = func->params,
                     .results = func->results,
                     .param_names = "",
                     .group = "host",
                     .fn = host_func_row,
                     .ctx = (void *)func};
  *out = mine;
  return true;
}

/* The sibling that serves a module name; its exports are the engine's to check. */
static wn_instance_t *find_sibling(const wn_instance_config_t *config, const wn_extern_t *want) {
  for (size_t i = 0; i < config->sibling_count; i++) {
    if (str_is(want->module, config->siblings[i].module)) return config->siblings[i].instance;
  }
  return NULL;
}

static bool find_export(const wn_instance_t *instance, wn_str_t name, uint32_t kind, wn_extern_t *out) {
  for (size_t i = 0; wn_module_export(instance->module, i, out); i++) {
    if (out->kind == kind && out->name.len == name.len && memcmp(out->name.ptr, name.ptr, name.len) == 0) return true;
  }
  return false;
}

static void check_row(wn_instance_t *instance, const wn_extern_t *want, const wn_row_t *row, wn_provide_t *out,
                      missing_t *missing) {
  if (strcmp(row->params, want->params) != 0 || strcmp(row->results, want->results) != 0)
    missing_add(missing, want, "imported with another signature");
  else out->row = decorate(instance, row);
}

static wn_err_t other_row(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  const wn_func_t *func = &((const wn_other_t *)row->ctx)->func;
  wn_value_t values[VALUES_MAX];
  values_from_slots(guest, slots, row->params, values, func->params);
  wn_err_t err = wn_func_call(func, values, guest->comp ? &guest->comp->tree->trap : NULL);
  if (err) {
    const wn_guest_t *callee = wn_instance_guest(func->instance);
    return callee->end.err ? wn_guest_end_as(guest, &callee->end) : err < 0 ? err : WN_HOST;
  }
  if (func->result) *WN_SLOT(guest, slots, 0) = values[0];
  return 0;
}

/* Where the engine does not link instances, we stand between them. */
static void link_other(wn_instance_t *instance, wn_instance_t *giver, const wn_extern_t *have,
                       const wn_extern_t *want, wn_provide_t *out, missing_t *missing) {
  wn_other_t *other = &instance->others[instance->other_count++];
  if (wn_func_get(giver, have->name, &other->func)) {
    missing_add(missing, want, "the engine does not call this export");
    return;
  }
  memcpy(other->params, have->params, sizeof other->params);
  memcpy(other->results, have->results, sizeof other->results);
  const size_t len = have->name.len < sizeof other->name ? have->name.len : sizeof other->name - 1;
  memcpy(other->name, have->name.ptr, len);
  other->row = (wn_row_t){.module = "instance",
                          .name = other->name,
                          .params = other->params,
                          .results = other->results,
                          .param_names = "",
                          .group = "component",
                          .fn = other_row,
                          .ctx = other};
  check_row(instance, want, &other->row, out, missing);
}

/* Why the engine cannot share this; NULL: it can. */
static const char *unshared(uint32_t caps, const wn_extern_t *want) {
  switch (want->kind) {
    case WN_EXTERN_FUNC:
      return caps & WN_CAP_SHARE_FUNCTIONS ? NULL : "this engine shares no functions between instances";
    case WN_EXTERN_MEMORY:
      return caps & WN_CAP_SHARE_MEMORIES ? NULL : "this engine shares no memories between instances";
    case WN_EXTERN_TABLE:
      return caps & WN_CAP_SHARE_TABLES ? NULL : "this engine shares no tables between instances";
    case WN_EXTERN_GLOBAL:
      if (want->constant)
        return caps & WN_CAP_SHARE_CONSTANTS ? NULL : "this engine shares no globals between instances";
      return caps & WN_CAP_SHARE_GLOBALS ? NULL : "this engine shares no globals that change between instances";
    default:
      return caps & WN_CAP_SHARE_GLOBALS ? NULL : "this engine shares nothing of this kind between instances";
  }
}

/* The export `name` of another instance. */
static void share(wn_instance_t *instance, wn_instance_t *giver, wn_str_t name, const wn_extern_t *want,
                  const char *absent, wn_provide_t *out, missing_t *missing) {
  const wn_engine_t *engine = instance->module->engine;
  wn_extern_t have;
  const char *why = find_export(giver, name, want->kind, &have) ? unshared(engine->caps, want) : absent;
  if (why) missing_add(missing, want, why);
  else if (want->kind == WN_EXTERN_FUNC && !engine->ops->links_functions)
    link_other(instance, giver, &have, want, out, missing);
  else *out = (wn_provide_t){.sibling = giver, .name = name};
}

/* A row of WASI 0.2 ("wasi:io/streams") needs a component instance: the module's own, where it is in none. */
static const wn_row_t *link_row(wn_instance_t *instance, const wn_extern_t *want) {
  const wn_row_t *row = wn_link_find(want->module, want->name);
  if (row && strchr(row->module, ':')) instance->wants_comp = true;
  return row;
}

/* What serves one import: a function of the embedder, a sibling, or WASI's own constant row. */
static void link_one(wn_instance_t *instance, const wn_instance_config_t *config, const wn_extern_t *want,
                     wn_provide_t *out, missing_t *missing) {
  const wn_row_t *row = NULL;
  bool is_func = want->kind == WN_EXTERN_FUNC;
  if (!is_func || !link_func(instance, config, want, &row)) {
    wn_instance_t *sibling = find_sibling(config, want);
    if (sibling) {
      share(instance, sibling, want->name, want, "no such export of the sibling", out, missing);
      return;
    }
    if (is_func) row = link_row(instance, want);
  }
  if (!is_func) missing_add(missing, want, "only functions can be imported");
  else if (!row)
    missing_add(missing, want, wn_link_knows(want->module) ? "no such function in this module" : "unknown module");
  else check_row(instance, want, row, out, missing);
}

/* As the component says. */
static void bind_one(wn_instance_t *instance, const wn_binding_t *binding, const wn_extern_t *want, wn_provide_t *out,
                     missing_t *missing) {
  if (binding->kind == WN_BIND_FUNC) {
    if (want->kind != WN_EXTERN_FUNC) missing_add(missing, want, "a function where none is imported");
    else check_row(instance, want, wn_canon_func_row(binding->func), out, missing);
    out->apart = wn_canon_func_apart(binding->func);
    return;
  }
  share(instance, binding->instance, binding->name, want, "no such export of the other instance", out, missing);
}

size_t wn_bind_others(const wn_instance_config_t *config, const wn_engine_t *engine, size_t imports) {
  if (engine->ops->links_functions) return 0;
  if (config->sibling_count) return imports;
  size_t count = 0;
  for (size_t i = 0; config->bindings && i < config->binding_count; i++)
    count += config->bindings[i].kind == WN_BIND_EXPORT;
  return count;
}

wn_err_t wn_bind_all(wn_instance_t *instance, const wn_instance_config_t *config, wn_provide_t *provides,
                     size_t count, wn_message_t *message) {
  missing_t missing = {message, 0, 0};
  wn_extern_t want;
  if (message) message->text[0] = 0;
  for (size_t i = 0; i < count; i++) {
    wn_module_import(instance->module, i, &want);
    if (config->bindings && config->bindings[i].kind != WN_BIND_NAME)
      bind_one(instance, &config->bindings[i], &want, &provides[i], &missing);
    else link_one(instance, config, &want, &provides[i], &missing);
  }
  if (!missing.count) return 0;
  if (message) message->err = WN_LINK;
  return WN_LINK;
}

static wn_err_t check_other(const wn_module_t *module, const wn_instance_config_t *config, const wn_instance_t *other,
                            wn_message_t *message) {
  if (other->module->engine != module->engine || other->guest.sys != config->sys)
    return wn_message_set(message, WN_INVALID, "siblings are of one engine and one world");
  return other->guest.end.err ? wn_message_set(message, WN_INVALID, "the sibling has ended") : 0;
}

wn_err_t wn_bind_check(const wn_module_t *module, size_t imports, const wn_instance_config_t *config,
                       wn_message_t *message) {
  wn_err_t err = 0;
  if (config->sibling_count && !(module->engine->caps & WN_CAP_SHARE_FUNCTIONS))
    return wn_message_set(message, WN_ENOTSUP, "%s shares nothing between instances", module->engine->ops->name);
  for (size_t i = 0; !err && i < config->sibling_count; i++)
    err = check_other(module, config, config->siblings[i].instance, message);
  for (size_t i = 0; !err && config->bindings && i < config->binding_count; i++) {
    if (config->bindings[i].kind == WN_BIND_EXPORT)
      err = check_other(module, config, config->bindings[i].instance, message);
  }
  if (err) return err;
  if (config->bindings && config->binding_count != imports)
    return wn_message_set(message, WN_INVALID, "%zu bindings for %zu imports", config->binding_count, imports);
  if (config->kin && (config->kin->module->engine != module->engine || config->kin->guest.sys != config->sys))
    return wn_message_set(message, WN_INVALID, "instances of one component are of one engine and one world");
  for (size_t i = 0; i < config->func_count; i++) {
    const wn_host_func_t *f = &config->funcs[i];
    if (!f->fn || strlen(f->params) > VALUES_MAX || strspn(f->params, "iIfF") != strlen(f->params) ||
        strlen(f->results) > 1 || strspn(f->results, "iIfF") != strlen(f->results))
      return wn_message_set(message, WN_INVALID, "%s %s: a signature is up to 32 letters of iIfF and one result",
                            f->module, f->name);
  }
  return 0;
}

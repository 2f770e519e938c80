/* wasm2c_link.c - what a compiled guest imports from others: their functions through the host, memories, tables and
 * globals by their place, each held against the type that is asked for.
 */
#include "core/engine/wasm2c.h"

const wn_aot_export_t *w2c_find(const wn_aot_guest_t *guest, wn_str_t name, uint32_t kind) {
  for (uint32_t i = 0; i < guest->export_count; i++) {
    const wn_aot_export_t *x = &guest->exports[i];
    if (x->kind == kind && x->name_len == name.len && memcmp(x->name, name.ptr, name.len) == 0) return x;
  }
  return NULL;
}

wn_err_t w2c_join(w2c_instance_t *in, const wn_provide_t *provides, size_t count, int64_t fuel) {
  const wn_os_t *os = w2c_os(in);
  const w2c_instance_t *kin = (const w2c_instance_t *)in->head.kin;
  for (size_t i = 0; !kin && i < count; i++) kin = (const w2c_instance_t *)provides[i].sibling;
  w2c_shared_t *shared = kin ? kin->shared : os->alloc(os, sizeof *shared);
  if (!shared) return WN_NOMEM;
  if (!kin) shared->guest.fuel = fuel;
  if (shared->frame_max < w2c_guest(in)->frame_max) shared->frame_max = w2c_guest(in)->frame_max;
  shared->users++;
  in->shared = shared;
  in->next = shared->first;
  shared->first = in;
  return 0;
}

void w2c_leave(w2c_instance_t *in) {
  w2c_shared_t *shared = in->shared;
  if (!shared) return;
  w2c_instance_t **at = &shared->first;
  while (*at != in) at = &(*at)->next;
  *at = in->next;
  if (shared->ended == &in->head.guest) shared->ended = NULL;
  /* Its functions may stand in tables of the others: these run no more. */
  for (w2c_instance_t *one = shared->tables ? shared->first : NULL; one; one = one->next)
    wn_guest_end(&one->head.guest, WN_INVALID);
  if (--shared->users == 0) w2c_os(in)->free(w2c_os(in), shared);
}

static wn_err_t refuse(const w2c_instance_t *in, size_t index, const char *why, wn_message_t *message) {
  const wn_aot_import_t *i = &w2c_guest(in)->imports[index];
  return wn_message_set(message, WN_INVALID, "incompatible import %.*s %.*s: %s", (int)i->module_len, i->module,
                        (int)i->name_len, i->name, why);
}

static wn_err_t link_func(w2c_instance_t *in, size_t index, const wn_provide_t *provide, const wn_aot_export_t *x,
                          wn_message_t *message) {
  const wn_aot_import_t *want = &w2c_guest(in)->imports[index];
  const size_t params = strlen(want->params), results = strlen(want->results);
  if (strcmp(want->params, x->params) != 0 || strcmp(want->results, x->results) != 0)
    return refuse(in, index, "a function with another signature", message);
  if (!x->call || params > VALUES_MAX || results > 1)
    return refuse(in, index, "a function with more than 32 parameters, several results, or references", message);
  in->funcs[index] = (wn_func_t){.instance = provide->sibling,
                                 .call = w2c_call_func,
                                 .at = {(uint64_t)(x - w2c_guest((w2c_instance_t *)provide->sibling)->exports)},
                                 .params = (uint8_t)params,
                                 .result = want->results[0]};
  return 0;
}

/* How much there is of it now: what is asked for is a least. */
static uint64_t size_now(const wn_aot_item_t *want, const void *item) {
  if (want->kind == WN_EXTERN_MEMORY) return ((const wn_aot_memory_t *)item)->pages;
  struct {
    void *data;
    uint32_t max, size;
  } table; /* the head of either kind */
  memcpy(&table, item, sizeof table);
  return table.size;
}

/* Whether they call each other's functions rightly through a table. */
static bool one_group(const wn_aot_guest_t *a, const wn_aot_guest_t *b) {
  static const uint8_t none[sizeof a->group];
  return w2c_shares(b) && memcmp(a->group, b->group, sizeof none) == 0 && memcmp(a->group, none, sizeof none) != 0;
}

static wn_err_t link_item(w2c_instance_t *in, size_t index, const wn_provide_t *provide, const wn_aot_export_t *x,
                          wn_message_t *message) {
  const w2c_instance_t *sibling = (const w2c_instance_t *)provide->sibling;
  const wn_aot_guest_t *mine = w2c_guest(in), *theirs = w2c_guest(sibling);
  const wn_aot_item_t *want = &mine->items[index];
  void *item = x->item(sibling->state);
  if (want->kind == WN_EXTERN_GLOBAL && !w2c_shares(theirs))
    return refuse(in, index, "it was compiled without what is needed for sharing it; compile both again", message);
  if (want->kind == WN_EXTERN_TABLE) {
    if (!one_group(mine, theirs))
      return refuse(in, index, "tables are shared by modules of one component alone", message);
    in->shared->tables = true;
  }
  if (strcmp(want->type, x->params) != 0) return refuse(in, index, "it has another type", message);
  if (want->kind != WN_EXTERN_GLOBAL &&
      (size_now(want, item) < want->min || (want->max != UINT64_MAX && x->max > want->max)))
    return refuse(in, index, "it has other limits", message);
  in->items[index] = item;
  return 0;
}

wn_err_t w2c_link(w2c_instance_t *in, const wn_provide_t *provides, size_t count, wn_message_t *message) {
  for (size_t i = 0; i < count; i++) {
    in->rows[i] = provides[i].row;
    if (provides[i].row) continue;
    const wn_aot_item_t *item = w2c_item(w2c_guest(in), i);
    const uint32_t kind = item ? item->kind : WN_EXTERN_FUNC;
    const wn_aot_export_t *x = w2c_find(w2c_guest((w2c_instance_t *)provides[i].sibling), provides[i].name, kind);
    wn_err_t err = !x     ? refuse(in, i, "the sibling lost it", message)
                   : item ? link_item(in, i, &provides[i], x, message)
                          : link_func(in, i, &provides[i], x, message);
    if (err) return err;
  }
  return 0;
}

/* resource.c - types of resources that are made at run time, and how the last owner gives one back. */
#include "core/comp/comp.h"
#include "core/link.h"
#include "core/sys/state.h"

typedef struct made {
  wn_rt_t head;
  const wn_os_t *os;
  wn_func_t destructor; /* of a component's type */
  wn_rt_drop_fn_t fn;   /* of the embedder's */
  void *ctx;
} made_t;

wn_err_t wn_call_failed(wn_guest_t *guest, const wn_func_t *func, wn_err_t err) {
  const wn_guest_t *callee = wn_instance_guest(func->instance);
  if (callee == guest || !callee->end.err) return wn_guest_end(guest, err);
  return wn_guest_end_as(guest, &callee->end);
}

void wn_comp_tell(const wn_comp_t *comp, const wn_guest_t *guest, wn_err_t err, wn_message_t *message) {
  if (!message) return;
  const wn_message_t *told = &comp->tree->trap;
  if (told->err == err && told->text[0]) *message = *told;
  else wn_message_verdict(message, err, guest->end.reason);
}

static wn_err_t destroy(const made_t *made, wn_guest_t *guest, const wn_comp_t *caller, uint32_t rep) {
  wn_comp_t *owner = made->head.owner;
  wn_value_t value = rep;
  wn_err_t err = wn_comp_enter(guest, owner, caller);
  if (err) return err;
  err = wn_func_call(&made->destructor, &value, &owner->tree->trap);
  if (err) return wn_call_failed(guest, &made->destructor, err);
  wn_comp_leave(owner, caller);
  return 0;
}

static wn_err_t drop_guest(const wn_rt_t *rt, wn_guest_t *guest, uint32_t rep) {
  const made_t *made = (const made_t *)rt;
  return made->destructor.instance ? destroy(made, guest, guest->comp, rep) : 0;
}

static wn_err_t drop_host(const wn_rt_t *rt, wn_guest_t *guest, uint32_t rep) {
  (void)guest;
  const made_t *made = (const made_t *)rt;
  wn_err_t err = made->fn ? made->fn(made->ctx, rep) : 0;
  return err > 0 ? WN_HOST : err;
}

static wn_err_t make(const wn_os_t *os, wn_rt_t head, made_t **out) {
  made_t *made = os->alloc(os, sizeof *made);
  if (!made) return WN_NOMEM;
  made->head = head;
  made->os = os;
  *out = made;
  return 0;
}

wn_err_t wn_rt_new(wn_comp_t *owner, wn_rt_t **out) {
  made_t *made;
  wn_err_t err = make(owner->sys->os, (wn_rt_t){.name = "resource", .drop = drop_guest, .owner = owner}, &made);
  if (!err) *out = &made->head;
  return err;
}

wn_err_t wn_rt_new_host(wn_sys_t *sys, wn_rt_drop_fn_t drop, void *ctx, wn_rt_t **out) {
  made_t *made;
  wn_err_t err = make(sys->os, (wn_rt_t){.name = "resource", .drop = drop_host}, &made);
  if (err) return err;
  made->fn = drop;
  made->ctx = ctx;
  *out = &made->head;
  return 0;
}

/* Rows that drop a resource carry its type. */
const wn_rt_t *wn_rt_wasi(wn_str_t module, wn_str_t name) {
  static const char prefix[] = "[resource-drop]";
  char text[128];
  if (name.len > sizeof text - sizeof prefix) return NULL;
  memcpy(text, prefix, sizeof prefix - 1);
  memcpy(text + sizeof prefix - 1, name.ptr, name.len);
  const wn_row_t *row = wn_link_find(module, (wn_str_t){text, sizeof prefix - 1 + name.len});
  return row ? row->ctx : NULL;
}

wn_err_t wn_rt_set_destructor(wn_rt_t *rt, wn_instance_t *instance, wn_str_t name) {
  wn_func_t func;
  if (!rt->owner) return WN_INVALID;
  wn_err_t err = wn_func_get(instance, name, &func);
  if (err) return err;
  if (func.params != 1 || func.result) return WN_INVALID;
  ((made_t *)rt)->destructor = func;
  return 0;
}

void wn_rt_delete(wn_rt_t *rt) {
  if (!rt) return;
  made_t *made = (made_t *)rt;
  made->os->free(made->os, made);
}

wn_err_t wn_rt_drop(const wn_rt_t *rt, uint32_t rep, wn_message_t *message) {
  const made_t *made = (const made_t *)rt;
  if (rt->drop == drop_host) return drop_host(rt, NULL, rep);
  if (rt->drop != drop_guest) return WN_INVALID;
  if (!made->destructor.instance) return 0;
  wn_guest_t *guest = wn_instance_guest(made->destructor.instance);
  if (!wn_guest_may_call(guest)) return WN_EBUSY;
  wn_err_t err = destroy(made, guest, NULL, rep);
  if (err) wn_comp_tell(rt->owner, guest, err, message);
  return err;
}

/* call.h - what stands around each handler of WASI 0.2: the trampolines of rows.gen.h are made of this. */
#ifndef WN_CORE_P2_CALL_H
#define WN_CORE_P2_CALL_H

#include "core/guest/handle.h"
#include "core/sys/res.h"

#define WN_P2_RT(text, kind) {.name = text, .drop = wn_p2_close, .ctx = (void *)(uintptr_t)(kind)}
wn_err_t wn_p2_close(const wn_rt_t *rt, wn_guest_t *guest, uint32_t rep);

static inline wn_err_t wn_p2_enter(wn_guest_t *guest) {
  return WN_LIKELY(guest->comp->may_leave) ? 0 : wn_guest_may_leave(guest);
}

/* The resource behind a borrowed handle. */
static inline wn_err_t wn_p2_borrow(wn_guest_t *guest, uint32_t handle, const wn_rt_t *rt, wn_res_t **out) {
  uint32_t rep = 0;
  wn_err_t err = wn_handle_rep(guest, handle, rt, &rep);
  if (WN_UNLIKELY(err)) return err;
  *out = wn_res_get(guest->sys, rep, (wn_res_kind_t)(uintptr_t)rt->ctx);
  return WN_LIKELY(*out != NULL) ? 0 : WN_INVALID;
}

/* A case of a variant, enum, option or result: below `count`. */
static inline wn_err_t wn_p2_case(wn_guest_t *guest, uint32_t value, uint32_t count) {
  return WN_LIKELY(value < count) ? 0 : wn_guest_trap(guest, "invalid variant discriminant");
}

/* `size` bytes at `ptr` as a place for a value of this alignment. */
static inline wn_err_t wn_p2_place(wn_guest_t *guest, uint32_t ptr, uint32_t size, uint32_t align, uint8_t **out) {
  wn_err_t err = wn_mem_struct(&guest->mem, ptr, size, align, out);
  if (WN_LIKELY(!err)) return 0;
  *out = NULL;
  return wn_guest_trap(guest, err == WN_TRAP_ALIGN ? "pointer not aligned" : "pointer out of bounds of memory");
}
static inline wn_err_t wn_p2_area(wn_guest_t *guest, uint32_t ptr, uint32_t size, uint32_t align) {
  uint8_t *out;
  return wn_p2_place(guest, ptr, size, align, &out);
}

/* Write the discriminant of a `result` at ret, and what `fail` makes of an errno at ret + at. Bytes between them
 * stay as they are. */
typedef wn_err_t (*wn_p2_fail_t)(wn_guest_t *guest, wn_err_t err, uint8_t *out);
static inline wn_err_t wn_p2_done(wn_guest_t *guest, uint32_t ret, uint32_t size, uint32_t at, wn_err_t err,
                                  wn_p2_fail_t fail) {
  uint8_t *out;
  if (WN_UNLIKELY(err < 0)) return err;
  wn_err_t wrong = wn_mem_bytes(&guest->mem, ret, size, &out);
  if (WN_UNLIKELY(wrong)) return wrong;
  out[0] = err != 0;
  return WN_LIKELY(!err) ? 0 : fail(guest, err, out + at);
}

/* canon resource.drop */
static inline wn_err_t wn_p2_drop(wn_guest_t *guest, uint32_t handle, const wn_rt_t *rt) {
  wn_err_t err = wn_p2_enter(guest);
  return err ? err : wn_handle_drop(guest, handle, rt);
}

#endif

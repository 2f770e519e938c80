/* canon.h - canonical lift and lower: core values and guest memory on one side, a value stream on the other.
 *
 * Lifting reads what a guest gives (parameters of a call that it makes, the result of a function of its own) and
 * appends it to a stream. Lowering reads a stream and writes what a guest is given. Both follow a plan that was
 * checked when it was loaded. Traps are those of the Canonical ABI, in its order.
 *
 *   guest A calls an import        wn_canon_lift_params(A's cx, slots) -> stream
 *   export of guest B is called    wn_canon_lower_params(B's cx, stream) -> slots
 *   that returned                  wn_canon_lift_result(B's cx, slots) -> stream
 *   back in guest A                wn_canon_lower_result(A's cx, stream, slots, wn_canon_ret(...))
 *
 * The host takes the place of A or of B with a stream that it writes or reads itself.
 */
#ifndef WN_CORE_CANON_H
#define WN_CORE_CANON_H

#include "core/mem/mem.h"
#include "core/mem/plan.h"
#include "wasi_native/values.h"

/* String encodings of canonical options. */
enum { WN_UTF8 = 0, WN_UTF16 = 1, WN_LATIN1_UTF16 = 2 };

/* What a plan asks of handles: `in` is a handle of the guest to lift, a representation to lower. */
typedef enum wn_canon_op { WN_LIFT_OWN, WN_LIFT_BORROW, WN_LOWER_OWN, WN_LOWER_BORROW } wn_canon_op_t;

/* How one guest is spoken to. The caller's memory; no member is changed but `reason` and what mem points to. */
typedef struct wn_canon_cx wn_canon_cx_t;
struct wn_canon_cx {
  /* The memory of the options, where realloc leaves the span as it is after it: &guest->mem. NULL: none, for a plan
   * without pointers. */
  const wn_mem_t *mem;
  /* The guest's realloc. *ptr is checked here (alignment, bounds), not there. Any verdict unwinds. May be NULL
   * with a plan that lowers no pointers: INVALID. */
  wn_err_t (*realloc)(wn_canon_cx_t *cx, uint32_t old, uint32_t old_size, uint32_t align, uint32_t size,
                      uint32_t *ptr);
  /* `resource`: the plan's number. A wrong handle: WN_TRAP_CANON with cx->reason set. May be NULL with a plan without
   * resources: INVALID. Handles that were lifted or lowered before a trap stay so: a trap ends the component. */
  wn_err_t (*handle)(wn_canon_cx_t *cx, wn_canon_op_t op, uint32_t resource, uint32_t in, uint32_t *out);
  void *ctx;          /* of these functions */
  const char *reason; /* with WN_TRAP_CANON: the trap's text; with WN_LIMIT: the limit. Static */
  uint8_t encoding;   /* WN_UTF8 ... */
  bool fused;         /* between two components: a few texts of traps differ from those towards the host */
};

/* Slots hold a core value each in their low bytes, 8 << shift bytes apart: as rows get them (wn_guest.slot_shift).
 * Room is needed for 16 parameters and a pointer. Each answers 0; WN_TRAP_CANON (cx->reason); WN_LIMIT "value_bytes";
 * WN_NOMEM; WN_INVALID (a stream that is not of this plan's types, a missing function of cx); or what realloc and
 * handle answer. */

/* The parameters of a call that the guest makes. */
wn_err_t wn_canon_lift_params(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                              wn_values_t *out);

/* Where the guest wants the result of such a call, when it is given in memory; else 0. Take it before anything writes
 * to the slots. */
uint32_t wn_canon_ret(const wn_plan_t *plan, const void *slots, uint32_t shift);

/* The result of such a call: into slot 0, or memory at `ret`. */
wn_err_t wn_canon_lower_result(wn_canon_cx_t *cx, const wn_plan_t *plan, wn_values_t *in, void *slots, uint32_t shift,
                               uint32_t ret);

/* The parameters of an export of the guest. *count (may be NULL): how many slots were written. */
wn_err_t wn_canon_lower_params(wn_canon_cx_t *cx, const wn_plan_t *plan, wn_values_t *in, void *slots, uint32_t shift,
                               uint32_t *count);

/* What that export answered: in slot 0, the value itself or a pointer to it. Keep the slot for post-return. */
wn_err_t wn_canon_lift_result(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                              wn_values_t *out);

/* ---- async: of a function that is lowered so, no more than four parameters pass as core values, and every result is
 * in memory; one that is lifted so gives its result, up to sixteen core values, to task.return ---- */

wn_err_t wn_canon_lift_params_async(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                                    wn_values_t *out);
uint32_t wn_canon_ret_async(const wn_plan_t *plan, const void *slots, uint32_t shift);
wn_err_t wn_canon_lower_result_async(wn_canon_cx_t *cx, const wn_plan_t *plan, wn_values_t *in, uint32_t ret);
wn_err_t wn_canon_lift_returned(wn_canon_cx_t *cx, const wn_plan_t *plan, const void *slots, uint32_t shift,
                                wn_values_t *out);

#endif

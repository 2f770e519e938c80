/* guest.h - a running module, as handlers and engine adapters see it; and the row, the shape of a call. */
#ifndef WN_CORE_GUEST_H
#define WN_CORE_GUEST_H

#include "core/mem/mem.h"
#include "wasi_native/base.h"
#include "wasi_native/engine.h"

typedef struct wn_sys wn_sys_t;
typedef struct wn_row wn_row_t;

struct wn_guest {
  wn_mem_t mem;        /* the span now: set by the adapter before each dispatch */
  wn_sys_t *sys;       /* borrowed */
  uint32_t slot_shift; /* a slot is 8 << slot_shift bytes: 0, or 1 where the engine's are 16 */
  wn_end_t end;        /* set once, by the first verdict below zero */
  void *ctx;           /* the embedder's */
};

/* A row: one function that a guest can import. Rows are constant; a decorated row is a copy whose fn is
 * another function and whose `inner` is the row in whose place it stands. */
struct wn_row {
  const char *module, *name;
  const char *params;      /* one letter each: i i32, I i64, f f32, F f64 */
  const char *results;     /* "" or one letter */
  const char *param_names; /* "fd,iovs,iovs_len,nwritten": one logger serves all rows */
  const char *group;       /* the capability that a policy grants: "files", "clock", "random" ... */
  wn_err_t (*fn)(wn_guest_t *guest, const wn_row_t *row, void *slots);
  const wn_row_t *inner; /* of a decorator */
  void *ctx;             /* of a decorator or of a function of the embedder */
};

/* Slot i of a call. */
#define WN_SLOT(guest, slots, i) (((uint64_t *)(slots)) + ((size_t)(i) << (guest)->slot_shift))
#define WN_SLOT_U32(guest, slots, i) ((uint32_t)*WN_SLOT(guest, slots, i))
#define WN_SLOT_U64(guest, slots, i) (*WN_SLOT(guest, slots, i))

/* The one door of every call. Returns 0 (results are in the slots) or < 0 (unwind; guest->end says why). */
wn_err_t wn_dispatch(wn_guest_t *guest, const wn_row_t *row, void *slots);

/* Whether the guest must stop: cancel, deadline, CPU time, the embedder's interrupt. Adapters call it at each
 * tick of their own interruption. 0, or < 0 with guest->end set. */
wn_err_t wn_guest_check(wn_guest_t *guest);

/* Around the outermost call of an export: CPU time is counted between them. */
void wn_guest_enter(wn_guest_t *guest);
void wn_guest_leave(wn_guest_t *guest);

/* Whether somebody must look at the clock while this guest computes: a deadline, a CPU limit, an interrupt. */
bool wn_guest_wants_ticks(const wn_guest_t *guest);
/* Whether one of them is a promise: a deadline or a limit of CPU time. */
bool wn_guest_has_deadline(const wn_guest_t *guest);

/* The limits that an engine keeps itself: memory, tables, fuel. */
const wn_limits_t *wn_guest_limits(const wn_guest_t *guest);

/* Whether an export may be called now: not from a stream or interrupt function of the embedder, which runs inside a
 * call that has places of guest memory in hand, and the export could move them. */
bool wn_guest_may_call(const wn_guest_t *guest);

/* wn_sys_cancel() for whoever knows the guest alone. Any thread, signal safe. */
void wn_guest_cancel(wn_guest_t *guest);

/* Note the first verdict; later ones do not overwrite it. Returns err. */
wn_err_t wn_guest_end(wn_guest_t *guest, wn_err_t err);

#endif

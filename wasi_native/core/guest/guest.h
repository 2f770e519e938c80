/* guest.h - a running module, as handlers and engine adapters see it; and the row, the shape of a call. */
#ifndef WN_CORE_GUEST_H
#define WN_CORE_GUEST_H

#include "core/mem/mem.h"
#include "wasi_native/base.h"
#include "wasi_native/engine.h"

typedef struct wn_sys wn_sys_t;
typedef struct wn_row wn_row_t;

/* A function that an instance exports, looked up once: for calls that cannot afford a name. */
typedef struct wn_func wn_func_t;
typedef wn_err_t (*wn_func_fn_t)(const wn_func_t *func, wn_value_t *values, wn_message_t *message);
struct wn_func {
  wn_instance_t *instance; /* NULL: none */
  wn_func_fn_t call;       /* the adapter's */
  uint64_t at[2];          /* likewise */
  uint8_t params;          /* how many */
  char result;             /* its letter; 0: none */
  bool watched;            /* the engine stops one instance alone: the world knows who runs */
};

/* A memory that an instance exports, looked up once. It moves when it grows, whoever makes it. */
typedef struct wn_memory_ref wn_memory_ref_t;
typedef wn_mem_t (*wn_span_fn_t)(const wn_memory_ref_t *memory);
struct wn_memory_ref {
  wn_instance_t *instance; /* NULL: none */
  wn_span_fn_t span;       /* the adapter's: where it is now */
  uint64_t at[4];          /* likewise */
};

/* What is asked of whoever runs a guest: the floors below core/engine know it by this alone. */
typedef struct wn_runner {
  /* MISSING: no such exported function of numbers with at most one result; INVALID: other letters than these, where
   * they are not NULL. */
  wn_err_t (*func)(wn_instance_t *instance, wn_str_t name, const char *params, const char *results, wn_func_t *out);
  wn_err_t (*memory)(wn_instance_t *instance, wn_str_t name,
                     wn_memory_ref_t *out); /* MISSING: no such exported memory */
  wn_err_t (*ticks_begin)(wn_instance_t *instance, wn_message_t *message);
  void (*ticks_end)(wn_instance_t *instance);
} wn_runner_t;

/* How a call between a guest and what is around it goes through linear memory: the options of canon lift and lower.
 */
typedef struct wn_canon_opts {
  wn_comp_t *comp; /* whose handles the numbers are */
  wn_memory_ref_t memory;
  wn_func_t realloc;
  uint8_t encoding; /* of strings: WN_UTF8 ... of core/mem/canon.h */
} wn_canon_opts_t;

#define WN_REASON_MAX 160u

struct wn_guest {
  wn_mem_t mem;  /* the span now: set by the adapter before each dispatch */
  wn_sys_t *sys; /* borrowed */
  const wn_runner_t *runner;
  uint32_t depth;      /* calls of its exports under way, nested ones counted */
  uint32_t slot_shift; /* a slot is 8 << slot_shift bytes: 0, or 1 where the engine's are 16 */
  wn_end_t end;        /* set once, by the first verdict below zero */
  void *ctx;           /* the embedder's */
  /* Of the component model: where both are NULL, the guest imports nothing of WASI 0.2 and is in no component. */
  wn_comp_t *comp;             /* whose handles the call under way means */
  const wn_canon_opts_t *opts; /* how the call under way speaks with its caller; mem is the memory that they name */
  char reason[WN_REASON_MAX];  /* of end.reason, where it has a number in it */
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
bool wn_guest_inside(const wn_guest_t *guest); /* whether a call is under way in this guest's world */

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
bool wn_guest_cancelled(const wn_guest_t *guest);
/* Who was called last in this world and has not returned, on engines that stop one instance alone; NULL: nobody. */
wn_instance_t *wn_guest_running(const wn_guest_t *guest);
/* Note that it is `who` now. Ends the guest when it was cancelled and somebody goes on. */
wn_err_t wn_guest_run(wn_guest_t *guest, wn_instance_t *who);

/* Note the first verdict; later ones do not overwrite it. Returns err. */
wn_err_t wn_guest_end(wn_guest_t *guest, wn_err_t err);
/* The same with all that another guest's end says: of the one that this guest had called. */
wn_err_t wn_guest_end_as(wn_guest_t *guest, const wn_end_t *end);

/* ---- the component model ---- */

/* A rule was broken: ends the guest with WN_TRAP_CANON. reason: static; one %u for the number. */
wn_err_t wn_guest_trap(wn_guest_t *guest, const char *reason);
wn_err_t wn_guest_trap_number(wn_guest_t *guest, const char *format, uint32_t number);
/* One %s for the name. */
wn_err_t wn_guest_trap_name(wn_guest_t *guest, const char *format, const char *name);

/* The door of every call that leaves a component: 0, or the trap "cannot leave component instance". */
wn_err_t wn_guest_may_leave(wn_guest_t *guest);

/* size bytes at align in the caller's memory, by its own realloc(0, 0, align, size). The guest runs: guest->mem is
 * read again, and what was taken from it before is stale. A result outside or misaligned is a trap. */
wn_err_t wn_guest_realloc(wn_guest_t *guest, uint32_t align, uint32_t size, uint32_t *ptr);
/* The same with other options than those of the call under way; *mem is their memory afterwards. `guest` answers for
 * what goes wrong. */
wn_err_t wn_opts_realloc(wn_guest_t *guest, const wn_canon_opts_t *opts, uint32_t old, uint32_t old_size,
                         uint32_t align, uint32_t size, uint32_t *ptr, wn_mem_t *mem);
/* The memory of these options as it is now; none: an empty span. */
wn_mem_t wn_opts_memory(const wn_canon_opts_t *opts);

/* The row that stands for a function of a component. */
const wn_row_t *wn_canon_func_row(wn_canon_func_t *func);
/* Where it says, at each call, whether the row needs no guest->mem of the adapter: it looks for its memory itself. */
const bool *wn_canon_func_apart(const wn_canon_func_t *func);
/* The options that such a row speaks by; NULL for a row that is none. */
const wn_canon_opts_t *wn_canon_row_opts(const wn_row_t *row);

/* The guest of an instance, which begins with it, and the other way round: wn_guest_instance(). */
static inline wn_guest_t *wn_instance_guest(wn_instance_t *instance) { return (wn_guest_t *)instance; }

/* MISSING: no such exported function of numbers with at most one result. */
wn_err_t wn_func_get(wn_instance_t *instance, wn_str_t name, wn_func_t *out);
/* With this signature, letters as in wn_host_func_t: else INVALID. */
wn_err_t wn_func_get_as(wn_instance_t *instance, wn_str_t name, const char *params, const char *results,
                        wn_func_t *out);
/* values: parameters in, the result in the first. No name is looked up, nothing allocated. < 0: the instance has
 * ended, its guest's end and message say how. */
wn_err_t wn_func_call(const wn_func_t *func, wn_value_t *values, wn_message_t *message);
/* Around several calls that are one for the embedder, when none is under way: ticks, and the CPU time of them all. */
wn_err_t wn_func_begin(wn_instance_t *instance, bool *ticks, wn_message_t *message);
void wn_func_end(wn_instance_t *instance, bool ticks);

/* ---- messages ---- */

/* Append to a message of `len` bytes as far as there is room; the new length. NULL is fine. */
size_t wn_message_append(wn_message_t *message, size_t len, wn_str_t text);
size_t wn_message_append_text(wn_message_t *message, size_t len, const char *text);
size_t wn_message_append_number(wn_message_t *message, size_t len, uint64_t n, uint32_t base);
/* This text and nothing else; NULL is fine. Returns err. */
wn_err_t wn_message_say(wn_message_t *message, wn_err_t err, const char *text);
/* "trap-canon: unknown handle index 7": how a verdict is told; reason NULL: its own words. */
void wn_message_verdict(wn_message_t *message, wn_err_t err, const char *reason);

#endif

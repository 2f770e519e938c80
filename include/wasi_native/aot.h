/* aot.h - a guest that was compiled ahead of time: what its shared object exports, and what the host gives it.
 *
 * The object exports one symbol, WN_AOT_SYMBOL, a constant wn_aot_guest_t; of modules that were compiled together,
 * the core modules of a component, an array of them. It holds the code, a few kilobytes of run time
 * (wasi_native/aot_rt), and needs nothing but libc and libm. It keeps no global that changes, besides one
 * thread-local pointer: any number of instances may run in any number of threads.
 *
 * A host allocates state_size bytes, zeroed and aligned to 16, fills the fields of wn_aot_state_t that are the
 * host's, calls instantiate() and then call() as often as it likes, and at last release(), also after a failure.
 * Both answer 0, a WN_AOT_TRAP_* above 0, or what the host's own function answered below 0.
 * They may be called again inside a function of the host; each unwinds to its own call and no further. Frames of
 * the host between two calls are left to return by themselves: nothing is jumped over but the guest's own frames.
 */
#ifndef WASI_NATIVE_AOT_H
#define WASI_NATIVE_AOT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a compiled guest must be compiled again. A host refuses other numbers than these two. */
#define WN_AOT_ABI 1u
/* Of a guest that imports memories, tables or globals, or was compiled with others that it may share them with: it
 * has what is marked [2] below, and is as the first one else. */
#define WN_AOT_ABI_SHARED 2u
#define WN_AOT_SYMBOL "wn_aot_guest"

/* Why the guest was stopped by its own code. */
enum {
  WN_AOT_TRAP_NONE = 0,
  WN_AOT_TRAP_MEMORY = 1,      /* an access outside of memory */
  WN_AOT_TRAP_TABLE = 2,       /* an access outside of a table */
  WN_AOT_TRAP_NULL = 3,        /* an indirect call of an element that is not set */
  WN_AOT_TRAP_SIGNATURE = 4,   /* an indirect call of a function with another signature */
  WN_AOT_TRAP_OVERFLOW = 5,    /* an integer overflow */
  WN_AOT_TRAP_DIVIDE = 6,      /* an integer division by zero */
  WN_AOT_TRAP_CONVERSION = 7,  /* a number that does not fit an integer */
  WN_AOT_TRAP_UNREACHABLE = 8, /* an unreachable instruction */
  WN_AOT_TRAP_STACK = 9,       /* the call stack is exhausted */
  WN_AOT_TRAP_FUEL = 10,
  WN_AOT_TRAP_NOMEM = 11 /* instantiate: the host refused a memory or table; which is in state->refused */
};

/* How the guest was compiled. */
enum {
  WN_AOT_CHECKS = 1 << 0, /* loops and functions look at the epoch: endless ones can be ended */
  WN_AOT_FUEL = 1 << 1,   /* loop turns and function entries are counted */
  WN_AOT_DEPTH = 1 << 2,  /* calls are counted: call_depth is their limit */
  WN_AOT_GUARD = 1 << 3   /* no bounds checks: memory() must answer places with 8 GiB of address space */
};

typedef struct wn_aot_state wn_aot_state_t;
typedef struct wn_aot_host wn_aot_host_t;

typedef struct wn_aot_memory {
  uint8_t *data;
#if UINTPTR_MAX > 0xffffffffu
  uint64_t size; /* bytes */
  uint64_t pages, max_pages;
#else
  uint32_t size; /* a whole number of pages below 4 GiB */
  uint32_t pages, max_pages;
#endif
} wn_aot_memory_t;

/* What the host gives, to be called on the guest's thread. */
struct wn_aot_host {
  /* Import `index`; slots hold the parameters and take the result. Below 0: unwind the guest with this number. */
  int32_t (*call)(wn_aot_host_t *host, uint32_t index, uint64_t *slots);
  /* The epoch has moved: 0 to go on, below 0 to unwind. */
  int32_t (*check)(wn_aot_host_t *host);
  /* A linear memory from old_size to new_size bytes; both are whole pages. What is new is zeroed. old_size 0: a new
   * one; new_size 0: free it. NULL: refused, and what there was stays. */
  uint8_t *(*memory)(wn_aot_host_t *host, uint8_t *data, uint64_t old_size, uint64_t new_size);
  /* Likewise the elements of a table, in elements of `width` bytes. */
  void *(*table)(wn_aot_host_t *host, void *data, uint32_t old_count, uint32_t new_count, uint32_t width);
};

/* [2] What instances that share something have in common: one for all of them, the host's. */
typedef struct wn_aot_shared {
  int64_t fuel;   /* left; below 0 the guest traps */
  uint32_t depth; /* calls under way, with WN_AOT_DEPTH */
} wn_aot_shared_t;

/* The head of an instance; the module's own variables follow behind it. */
struct wn_aot_state {
  /* the host's */
  wn_aot_host_t *host;
  uintptr_t stack_limit; /* no function starts below this address; set before each outermost call */
  const uint32_t *epoch; /* read by guests with WN_AOT_CHECKS: any thread that counts it up interrupts them */
  int64_t fuel;          /* left; below 0 the guest traps */
  uint32_t seen;         /* the epoch last looked at; set before each outermost call */
  /* the guest's */
  uint32_t depth;   /* calls under way, with WN_AOT_DEPTH */
  uint32_t refused; /* with WN_AOT_TRAP_NOMEM: 1 a memory, 2 a table */
  int32_t verdict;  /* what unwinds */
  uint64_t wanted;  /* with WN_AOT_TRAP_NOMEM: pages or elements */
  void *unwind;     /* the innermost call's jump buffer */
  /* [2] the host's; fuel and depth above are not used then */
  wn_aot_shared_t *shared;
  void *const *items; /* by import: the memory, table or global that serves it, as the other guest's item() has it */
};

typedef struct wn_aot_import {
  const char *module, *name;
  uint32_t module_len, name_len;
  const char *params, *results; /* one letter each: i i32, I i64, f f32, F f64 */
} wn_aot_import_t;

/* [2] What is imported and is no function. */
typedef struct wn_aot_item {
  uint32_t kind;     /* WN_EXTERN_* of engine.h */
  const char *type;  /* of a global one letter, and 'm' when it is mutable; of a table "funcref", "externref" */
  uint64_t min, max; /* of a memory (pages) or table; max UINT64_MAX: none */
} wn_aot_item_t;

/* An export. Functions with more than one result, references or vectors have the letter '?' and no `call`. */
typedef struct wn_aot_export {
  const char *name;
  uint32_t name_len;
  uint32_t kind;                /* WN_EXTERN_* of engine.h */
  const char *params, *results; /* [2] params of what is no function: its type, as in wn_aot_item_t */
  uint64_t min, max;            /* of a memory (pages) or table; max UINT64_MAX: none */
  void (*call)(wn_aot_state_t *state, uint64_t *values);
  void *(*item)(wn_aot_state_t *state); /* wn_aot_memory_t * of a memory, uint32_t * or the like of a global */
} wn_aot_export_t;

typedef struct wn_aot_guest {
  uint32_t abi;        /* WN_AOT_ABI: first, and good in every version */
  uint32_t size;       /* of this struct */
  uint32_t pointer;    /* bits of a pointer */
  uint32_t flags;      /* WN_AOT_CHECKS ... */
  uint8_t sha256[32];  /* of the module that was compiled */
  const char *options; /* "target=armv6-glibc checks=yes ...", for people */
  uint32_t import_count, export_count;
  const wn_aot_import_t *imports;
  const wn_aot_export_t *exports;
  uint32_t state_size; /* of an instance */
  uint32_t frame_max;  /* no frame of the guest is larger: the reserve that must be left below stack_limit */
  uint32_t call_depth; /* with WN_AOT_DEPTH */
  uint32_t parts;      /* [2] guests in this library: those behind the first follow it in memory; else 0 */
  int32_t (*instantiate)(wn_aot_state_t *state);                            /* the start section included */
  int32_t (*call)(wn_aot_state_t *state, uint32_t index, uint64_t *values); /* an exported function */
  void (*release)(wn_aot_state_t *state);                                   /* memories and tables go back */
  /* [2] */
  const wn_aot_item_t *items; /* one per import */
  uint8_t group[16];          /* guests of one group number types alike and share tables; zeros: of none */
} wn_aot_guest_t;

#ifdef __cplusplus
}
#endif
#endif

/* wasm_guard.h - a module rewritten so that an engine without protections of its own can run it for a stranger.
 *
 * The result computes what the original does, and besides
 *   - at each loop header, and at the start of each function that calls another, it looks whether it shall go on;
 *   - its memories and tables have maxima that are not over the caller's;
 *   - it uses no proposal but those that the caller names;
 *   - it has no custom sections, and reserved immediates are the single bytes that old engines read;
 *   - where it is asked for: its start section is the export "wn:start" instead; check is
 * called after each growth of a memory; and functions that call others have local variables more, so that an engine
 * that bounds its own stack for wasm code, and not its native one, bounds that with it.
 *
 * It looks by the last of its function imports, "wn" "check" () -> (), which is the last of all its imports too. The
 * adapter serves it with wn_guest_check() and shows it to nobody. Its last global is a mutable i32 that is exported
 * as "wn:stop":
 *   FLAG    0 at first; check is called while it is not 0. Any thread may set it, check clears it.
 *   COUNT   the turns until check is called by itself, WN_GUARD_PERIOD at first and after each call; 0 calls it at
 *           the next turn.
 * These names are ours: a module that exports "wn:stop" or "wn:start", or imports from "wn", is refused. Our exports
 * are behind the module's own, in this order.
 */
#ifndef WN_CORE_WASM_GUARD_H
#define WN_CORE_WASM_GUARD_H

#include "core/engine/wasm_read.h"

#define WN_GUARD_MODULE "wn"
#define WN_GUARD_CHECK "check"
#define WN_GUARD_GLOBAL "wn:stop"
#define WN_GUARD_START "wn:start"
#define WN_GUARD_PERIOD (1 << 14)

#define WN_GUARD_NESTING_MAX 1024u /* of `nesting`, where frames are counted */

typedef struct wn_wasm_guard {
  enum { WN_GUARD_FLAG, WN_GUARD_COUNT } check;
  bool start;              /* the start section becomes an export; with FLAG not when it names an import: engines that
                              find exports by name, such as wasm3, pass over those */
  bool grow;               /* check is called after each memory.grow */
  bool copy_fill;          /* the engine has memory.copy and memory.fill, whatever else it has of bulk memory */
  bool zero_is_none;       /* the engine takes a maximum of 0 pages for none: it is 1 page */
  uint64_t memory_pages;   /* the largest maximum of a memory, imported ones too; 0: as the module says */
  uint64_t table_elements; /* likewise of a table */
  uint32_t nesting;        /* blocks in blocks, a body counted too, for engines that compile by recursion; 0: as the
                              module says */
  uint32_t call_bytes, loop_bytes; /* native stack of a call, and of each loop that is open in it: as much is added to
                                      the frame of a function that calls; 0: nothing. Needs nesting. */
  uint32_t proposals;              /* WN_PROPOSAL_* that the engine can run */
} wn_wasm_guard_t;

/* Into guard, the limits of a guest, in bytes and elements; 0: none. INVALID: less than the module has to have. */
wn_err_t wn_wasm_guard_limits(wn_wasm_guard_t *guard, const wn_wasm_t *module, uint64_t memory_bytes,
                              uint64_t table_elements, wn_message_t *message);

/* *out: to be freed by os->free(os, (void *)out->ptr). INVALID with a message that says where and what to do. */
wn_err_t wn_wasm_guard(const wn_os_t *os, wn_str_t wasm, const wn_wasm_guard_t *guard, wn_str_t *out,
                       wn_message_t *message);

#endif

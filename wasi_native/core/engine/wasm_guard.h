/* wasm_guard.h - a module rewritten so that an engine without protections of its own can run it for a stranger.
 *
 * The result computes what the original does, and besides
 *   - at each loop header, and at the start of each function that calls another, it looks whether it shall go on;
 *   - its memories and tables have maxima that are not over the caller's;
 *   - it uses no proposal but those that the caller names;
 *   - it has no custom sections, and reserved immediates are the single bytes that old engines read.
 *
 * It looks by the last of its function imports, "wn" "check" () -> (), which is the last of all its imports too. The
 * adapter serves it with wn_guest_check() and shows it to nobody. Its last global is a mutable i32 that is exported
 * as "wn:stop":
 *   FLAG    0 at first; check is called while it is not 0. Any thread may set it, check clears it.
 *   COUNT   the turns until check is called by itself, WN_GUARD_PERIOD at first and after each call; 0 calls it at
 *           the next turn.
 * Both names are ours: a module that exports "wn:stop" or imports from "wn" is refused.
 */
#ifndef WN_CORE_WASM_GUARD_H
#define WN_CORE_WASM_GUARD_H

#include "core/engine/wasm_read.h"

#define WN_GUARD_MODULE "wn"
#define WN_GUARD_CHECK "check"
#define WN_GUARD_GLOBAL "wn:stop"
#define WN_GUARD_PERIOD (1 << 14)

typedef struct wn_wasm_guard {
  enum { WN_GUARD_FLAG, WN_GUARD_COUNT } check;
  uint64_t memory_pages;   /* the largest maximum of a memory, imported ones too; 0: as the module says */
  uint64_t table_elements; /* likewise of a table */
  uint32_t nesting;   /* blocks in blocks, a body counted too, for engines that compile by recursion; 0: as the module
                         says */
  uint32_t proposals; /* WN_PROPOSAL_* that the engine can run */
} wn_wasm_guard_t;

/* *out: to be freed by os->free(os, (void *)out->ptr). INVALID with a message that says where and what to do. */
wn_err_t wn_wasm_guard(const wn_os_t *os, wn_str_t wasm, const wn_wasm_guard_t *guard, wn_str_t *out,
                       wn_message_t *message);

#endif

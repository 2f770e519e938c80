/* wasm_valid.h - whether a module is valid, for engines that do not look.
 *
 * An interpreter that trusts the types of operands reads and writes where a wrong one points. What is checked: the
 * types of operands and results, labels, locals, globals, alignments, constant expressions, and that what is used
 * is there. Of WebAssembly's first version, with sign extension, saturation, multi-value, memory.copy and
 * memory.fill.
 */
#ifndef WN_CORE_WASM_VALID_H
#define WN_CORE_WASM_VALID_H

#include "core/engine/wasm_read.h"

#define WN_WASM_VALID_PROPOSALS (WN_PROPOSAL_SIGN_EXTENSION | WN_PROPOSAL_SATURATION | WN_PROPOSAL_MULTI_VALUE)

/* INVALID with the function, the offset and the reason; also for what is of another proposal. *deepest: how many
 * blocks are in one another at most. */
wn_err_t wn_wasm_valid(const wn_wasm_t *module, uint32_t *deepest, wn_message_t *message);

#endif

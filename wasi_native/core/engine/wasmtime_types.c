/* wasmtime_types.c - whether the engine's C interface can describe what a module imports and exports.
 *
 * Asked for a type that it has no name for (v128, a typed reference, a table of over 2^32 elements), the interface
 * ends the process. A guest must not be able to do that, so we look at the binary first. It is read after the engine
 * has found it valid; what the reader does not understand counts as not describable.
 */
#include "core/engine/wasm_read.h"
#include "core/engine/wasmtime.h"

wn_err_t wt_types_check(const wn_os_t *os, wn_str_t wasm, wn_message_t *message) {
  wn_wasm_t *read;
  wn_err_t err = wn_wasm_new(os, wasm, WN_PROPOSAL_ALL, &read, message);
  if (err) return err;
  bool plain = read->plain;
  wn_wasm_delete(read);
  if (plain) return 0;
  return wn_message_set(message, WN_INVALID,
                        "an import or export has a type that cannot cross to the host: v128, a typed reference, or a "
                        "table of over 2^32 elements");
}

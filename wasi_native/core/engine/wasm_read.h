/* wasm_read.h - what a core module says of itself, read from its bytes: types, imports, exports, memories, tables.
 *
 * For engines that cannot list these. Every byte is hostile: counts are capped before memory is asked for, nothing
 * recurses, and what does not fit the format, or is of a proposal that the caller does not name, is one INVALID with
 * the offset of the byte. The module is not validated: bodies, element and data segments are not looked into here.
 */
#ifndef WN_CORE_WASM_READ_H
#define WN_CORE_WASM_READ_H

#include "core/engine/wasm_bytes.h"

typedef struct wn_wasm wn_wasm_t;

struct wn_wasm {
  const wn_os_t *os;
  wn_str_t bytes;
  uint32_t type_count, import_count, export_count;
  uint32_t func_count, table_count, memory_count, global_count, tag_count; /* imported ones first */
  uint32_t func_imports;
  bool plain; /* functions and tables that are imported or exported have types that wasm.h knows: numbers, funcref,
               * externref, tables of at most 2^32 elements */
  /* Offsets of each type's parameters (0: no function type; the top bit: types that are not plain), of each import
   * and each export; the type of each function; the limits of tables, then memories. */
  uint32_t *types, *imports, *exports, *funcs;
  wn_wasm_limits_t *limits;
};

/* wasm: borrowed until wn_wasm_delete(). proposals: a mask of WN_PROPOSAL_*; a module that uses another one in what
 * is read here is INVALID, and the message says which, where, and what to do about it. */
wn_err_t wn_wasm_new(const wn_os_t *os, wn_str_t wasm, uint32_t proposals, wn_wasm_t **out, wn_message_t *message);
void wn_wasm_delete(wn_wasm_t *wasm); /* NULL is fine */

/* As wn_module_import() and wn_module_export(): in the module's order, letters "iIfF", '?' for what is no number,
 * cut with '+'; false past the last. */
bool wn_wasm_import(const wn_wasm_t *wasm, size_t index, wn_extern_t *out);
bool wn_wasm_export(const wn_wasm_t *wasm, size_t index, wn_extern_t *out);
/* Which of its kind that export is, imported ones first. */
uint32_t wn_wasm_export_index(const wn_wasm_t *wasm, size_t index);
/* The type of a function by its index, imported ones first: params and results alone. */
bool wn_wasm_function(const wn_wasm_t *wasm, uint32_t function, wn_extern_t *out);

#endif

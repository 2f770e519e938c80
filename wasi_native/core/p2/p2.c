/* p2.c - the table of rows of WASI 0.2. The handlers are in the file named by the package. */
#define WN_P2_TABLE
#include "core/p2/p2.h"

#include "core/p2/codec.h"

const wn_row_t *wn_p2_rows(size_t *count) {
  *count = sizeof wn_p2_table / sizeof wn_p2_table[0];
  return wn_p2_table;
}

uint8_t wn_p2_errno_code(wn_err_t err) {
  if (err <= 0 || (size_t)err >= sizeof wn_p2_errno_codes) err = WN_EIO;
  return wn_p2_errno_codes[err];
}
